"""Files that hold a matrix and names along its sides: GCT, h5ad, Zarr, arrays of NumPy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.answer import listing
from followdata.errors import FollowdataError, InvalidInput
from followdata.sources.tables import files
from followdata.sources.tables.layouts import MOST_CELLS, Laid
from followdata.sources.tables.numbers import MISSING_NUMBERS, read_number
from followdata.sources.tables.rows import place, read_text, split

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever a library meets in a file that is not what it should be, as one error of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FollowdataError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InvalidInput(str(path), f"it cannot be read ({said}).", "Get it again.") from error


def check_cells(path: Path, shape: Sequence[int]) -> None:
    """Raise for a matrix that is none, holds nothing, or more than is held in memory."""
    if len(shape) != 2 or not all(shape):
        sides = " x ".join(map(str, shape)) or "a single value"
        raise InvalidInput(str(path), f"it holds no table ({sides}).")
    if math.prod(shape) > MOST_CELLS:
        raise InvalidInput(
            str(path), f"it has {math.prod(shape):,} cells; {MOST_CELLS:,} is the most so.",
            "Save it as Parquet or CSV with a row for each thing: those are read in portions.",
        )  # fmt: skip


def read_gct(path: Path, encoding: str = "") -> Laid:
    """A GCT file, 1.2 or 1.3: samples x its rows, which are mostly genes.

    https://software.broadinstitute.org/cancer/software/gsea/wiki/index.php/Data_formats
    """
    lines = list(split(read_text(path, encoding), "\t", path))
    version = lines[0][1][0] if lines else ""
    if version not in ("#1.2", "#1.3"):
        raise InvalidInput(str(path), f"its first line is “{version}”, not #1.2 or #1.3.")
    if len(lines) < 3:
        raise InvalidInput(str(path), "there are no rows under the headings.")
    counts = [int(text) for text in lines[1][1] if text.isdecimal()]
    words, labelled = 2, 0
    if version == "#1.3" and len(counts) >= 4:
        words, labelled = counts[2] + 1, counts[3]
    headings = lines[2][1]
    samples, body = headings[words:], lines[3 + labelled :]
    said = counts[:2]
    if said != [len(body), len(samples)] or not all(said):
        raise InvalidInput(
            str(path), f"it has {len(body)} rows and {len(samples)} samples, not the "
            f"{' and '.join(map(str, said))} that its second line says.", where="line 2",
        )  # fmt: skip
    for number, fields in lines[3:]:
        if len(fields) != len(headings):
            raise InvalidInput(
                str(path), f"the row has {len(fields)} values where {len(headings)} are expected.",
                where=f"line {number}",
            )  # fmt: skip
    values = [
        [_number(text, path, number, words + at) for at, text in enumerate(fields[words:])]
        for number, fields in body
    ]
    columns = {
        heading: [fields[at] for _, fields in body] for at, heading in enumerate(headings[:words])
    }
    first = headings[0]
    return Laid(
        np.array(values, dtype=np.float64).T,
        samples,
        columns[first],
        {fields[0]: fields[words:] for _, fields in lines[3 : 3 + labelled]},
        {name: found for name, found in columns.items() if name != first},
    )


def _number(text: str, path: Path, line: int, column: int) -> float:
    number = read_number(text, decimal_comma=False, missing=MISSING_NUMBERS)
    if number is None:
        raise InvalidInput(str(path), f"“{text}” is not a number.", where=place(line, column))
    return number


def read_h5ad(path: Path) -> Laid:
    """An AnnData file: its rows x its columns."""
    import anndata

    with _told(path):
        backed = anndata.read_h5ad(path, backed="r")
        try:
            check_cells(path, backed.shape)
        finally:
            backed.file.close()
        return _from_anndata(anndata.read_h5ad(path))


def read_zarr(path: Path) -> Laid:
    """A Zarr store: AnnData's layout, or one array of two dimensions."""
    import anndata
    import zarr

    with _told(path):
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            check_cells(path, node.shape)
            return _bare(np.asarray(node[:], dtype=np.float64))
        if "X" in node and hasattr(node["X"], "shape"):
            check_cells(path, node["X"].shape)
        found = anndata.read_zarr(path)
        check_cells(path, found.shape)
        return _from_anndata(found)


def read_arrays(path: Path) -> Laid:
    """The one array of two dimensions in a file of NumPy's; nothing in it is ever unpickled."""
    with _told(path):
        if files.kind_of(path) == "npz":
            files.check_zip(path)
        found = np.load(path, allow_pickle=False)
        held: Mapping[str, Any] = found if hasattr(found, "files") else {"": found}
        arrays = {name: held[name] for name in held}
        tables = {n: a for n, a in arrays.items() if a.ndim == 2 and a.dtype.kind in "fiub"}
        if len(tables) != 1:
            raise InvalidInput(
                str(path), f"it holds {len(tables) or 'no'} tables of numbers, and one is expected."
            )
        ((chosen, values),) = tables.items()
        check_cells(path, values.shape)
        sides = [
            next(
                (a.tolist() for n, a in arrays.items()
                 if n != chosen and a.dtype.kind == "U" and a.shape == (length,)), None,
            )
            for length in values.shape
        ]  # fmt: skip
        return _bare(values.astype(np.float64), *sides)


def _bare(
    values: Any, things: Sequence[str] | None = None, measures: Sequence[str] | None = None
) -> Laid:
    n, p = values.shape
    rows = things or [f"row {number + 1}" for number in range(n)]
    columns = measures or [f"column {number + 1}" for number in range(p)]
    return Laid(np.where(np.isfinite(values), values, np.nan), rows, columns)


def _from_anndata(found: AnnData) -> Laid:
    if found.X is None:
        raise ValueError("it has no matrix X")
    values = found.X.toarray() if hasattr(found.X, "toarray") else found.X
    values = np.asarray(values, dtype=np.float64)
    measured = [str(name) for name, column in found.obs.items() if _is_measured(column)]
    labels = {
        str(name): _words(column)
        for name, column in found.obs.items()
        if str(name) not in measured
    }  # fmt: skip
    return Laid(
        np.where(np.isfinite(values), values, np.nan),
        [str(name) for name in found.obs_names],
        [str(name) for name in found.var_names],
        labels,
        {str(name): _words(column) for name, column in found.var.items()},
        remarks=tuple(_on_measured(measured)),
    )


def _on_measured(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"Not used, for they are measured and not part of the matrix: {listing(names)}."


def _is_measured(column: pd.Series[Any]) -> bool:
    """Whether a column of the samples is a quantity, such as how many genes were seen."""
    return bool(str(column.dtype).startswith("float"))


def _words(column: pd.Series[Any]) -> list[str]:
    return ["" if value is None or value != value else str(value) for value in column]


READERS: Mapping[str, Callable[[Path], Laid]] = {
    "gct": read_gct,
    "h5ad": read_h5ad,
    "zarr": read_zarr,
    "npz": read_arrays,
    "npy": read_arrays,
}
"""What reads a file of each kind that holds a matrix."""
