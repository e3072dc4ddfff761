"""The data directory: data sets by digest, names for them, and fitted values.

    datasets/<digest>/        what was stored, never changed afterwards
        about.json            kind, About, names and labels along both axes
        table.zarr            a table, in AnnData's Zarr layout; or
        series.parquet        a series
    stories/<story>/<name>.json   which digest goes by that name, its provenance, when stored
    fitted/<key>.npz          what a question learnt from one data set
    runs/<id>/                see `followdata.runs`
    locks/, aside/            one writer at a time; things on their way to their place

Everything is written aside and then renamed, so a reader sees a whole thing or none, whatever
happens to the writer. A full disk leaves what was there before.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import uuid
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from followdata.answer import Provenance
from followdata.data import (
    About,
    Axis,
    Data,
    Floats,
    Kind,
    Labels,
    SeriesData,
    TableData,
    name_index,
    positions,
    to_anndata,
)
from followdata.errors import Damaged, DiskFull, NotFetched, StoreError, UnknownName
from followdata.names import NameIndex

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class DataSet:
    """A name under a story, and what it stands for."""

    name: str
    digest: str
    stored: str
    provenance: Provenance


class Store:
    """The data directory at `home`. Making a Store touches nothing on disk."""

    def __init__(self, home: Path) -> None:
        self.home = home

    # Data sets

    def datasets(self, story: str) -> list[DataSet]:
        """The data sets of a story, the one stored last first; a sample comes after all others."""
        found = [self._reference(path) for path in (self.home / "stories" / story).glob("*.json")]
        found.sort(key=lambda dataset: (dataset.stored, dataset.name), reverse=True)
        return sorted(found, key=lambda dataset: bool(dataset.provenance.sample))

    def dataset(self, story: str, name: str = "") -> DataSet:
        """The data set called `name`, or by default the first of `datasets`."""
        found = self.datasets(story)
        for dataset in found:
            if name in ("", dataset.name):
                return dataset
        if found:
            raise UnknownName("data set", name, [dataset.name for dataset in found])
        raise NotFetched(
            f"No data of “{story}” are on this machine.", f"Try: followdata fetch {story}"
        )

    def open(self, dataset: DataSet) -> Data:
        """A handle on a stored data set."""
        place = self.home / "datasets" / dataset.digest
        try:
            about = json.loads((place / "about.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Damaged(
                f"The data set {dataset.name} cannot be read ({error}).", "Fetch it again."
            ) from error
        handle = StoredTable if about["kind"] == "table" else StoredSeries
        return handle(place, dataset, about)

    def keep(self, story: str, name: str, data: Data, *, now: str) -> DataSet:
        """Store `data` under `name`.

        A name that stands for other content is left alone: the new data set is called
        "name.2" and so on. Keeping the same content again changes nothing but its date.
        """
        self._keep_content(data)
        with self.lock(f"story-{story}"):
            taken = {dataset.name: dataset for dataset in self.datasets(story)}
            free = name
            number = 2
            while free in taken and taken[free].digest != data.digest:
                free = f"{name}.{number}"
                number += 1
            provenance = asdict(data.provenance) | {"sha256": data.digest}
            reference = {"digest": data.digest, "stored": now, "provenance": provenance}
            self.write(self._reference_path(story, free), _json_bytes(reference))
        return self._reference(self._reference_path(story, free))

    def _keep_content(self, data: Data) -> None:
        place = self.home / "datasets" / data.digest
        if place.exists():
            return
        with self.aside() as aside:
            aside.mkdir()
            if data.kind == "table":
                _write_table(aside, data)  # type: ignore[arg-type]
            else:
                _write_series(aside, data)  # type: ignore[arg-type]
            _settle(aside)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                aside.rename(place)
            except OSError:
                # Another process put the same content there meanwhile: theirs is as good.
                if not place.exists():
                    raise

    def _reference_path(self, story: str, name: str) -> Path:
        return self.home / "stories" / story / f"{safe_name(name)}.json"

    def _reference(self, path: Path) -> DataSet:
        try:
            words = json.loads(path.read_text(encoding="utf-8"))
            provenance = words["provenance"]
            provenance["refused"] = tuple(provenance["refused"])
            return DataSet(path.stem, words["digest"], words["stored"], Provenance(**provenance))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"{path} cannot be read ({error}).", "Delete it and fetch again."
            ) from error

    # Fitted values

    def fitted_key(
        self, digest: str, question: str, version: int, params: Mapping[str, Any]
    ) -> str:
        """The name under which a fitted value is stored."""
        words = json.dumps([digest, question, version, params], sort_keys=True, ensure_ascii=False)
        return f"{question}-{hashlib.sha256(words.encode()).hexdigest()[:32]}"

    def has_fitted(self, key: str) -> bool:
        return self._fitted_path(key).exists()

    def fitted(self, key: str, kind: Any) -> Any:
        """The stored value under `key` as an instance of `kind`; `None` if none can be read.

        What cannot be read is treated as absent: a fitted value can always be learnt again.
        """
        try:
            with np.load(self._fitted_path(key), allow_pickle=False) as file:
                words = json.loads(file["words"].tobytes())
                arrays = {name: file[name] for name in file.files if name != "words"}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
            return None
        if {field.name for field in fields(kind)} != words.keys() | arrays.keys():
            return None
        return kind(**words, **arrays)

    def keep_fitted(self, key: str, value: Any) -> None:
        """Store a dataclass of arrays and of values that JSON can say."""
        if not is_dataclass(value) or isinstance(value, type):
            raise TypeError(f"a fitted value must be a dataclass, not {type(value).__name__}")
        arrays: dict[str, npt.NDArray[Any]] = {}
        words: dict[str, Any] = {}
        for field in fields(value):
            item = getattr(value, field.name)
            (arrays if isinstance(item, np.ndarray) else words)[field.name] = item
        packed = io.BytesIO()
        encoded = np.frombuffer(_json_bytes(words), dtype=np.uint8)
        np.savez(packed, allow_pickle=False, words=encoded, **arrays)
        self.write(self._fitted_path(key), packed.getvalue())

    def _fitted_path(self, key: str) -> Path:
        return self.home / "fitted" / f"{key}.npz"

    # Files

    def write(self, path: Path, content: bytes) -> None:
        """Put `content` at `path`, whole or not at all."""
        with self.aside() as aside:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(path)

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """A path to make something at; what is still there at the end is removed.

        Out of room becomes `DiskFull`, any other failure of the disk a `StoreError`.
        """
        folder = self.home / "aside"
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep(folder)
            yield path
        except OSError as error:
            raise disk_error(error, self.home) from error
        finally:
            _remove(path)

    def _sweep(self, folder: Path) -> None:
        """Remove what processes that are gone have left aside."""
        for path in folder.iterdir():
            if not _alive(int(path.name.partition("-")[0])):
                _remove(path)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Only one process at a time holds the lock `name`; the others wait."""
        folder = self.home / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, self.home) from error
        with FileLock(folder / f"{safe_name(name)}.lock"):
            yield


class _Stored:
    """What stored data of every kind have in common."""

    def __init__(self, place: Path, dataset: DataSet, words: dict[str, Any]) -> None:
        self._place, self._words = place, words
        self.name = dataset.name
        self.digest = dataset.digest
        self.provenance = dataset.provenance
        self.kind: Kind = words["kind"]
        self.about = About(**words["about"])


class StoredTable(_Stored):
    """A table on disk; `matrix` reads no more than the rows and columns asked for."""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._words["obs_names"]), len(self._words["var_names"])

    def labels(self, axis: Axis) -> Labels:
        return self._obs if axis == "obs" else self._var

    @cached_property
    def _obs(self) -> Labels:
        return {name: np.array(column, dtype=str) for name, column in self._words["obs"].items()}

    @cached_property
    def _var(self) -> Labels:
        return {name: np.array(column, dtype=str) for name, column in self._words["var"].items()}

    @cached_property
    def _indexes(self) -> dict[str, NameIndex]:
        return {}

    def names(self, axis: str) -> NameIndex:
        if axis not in self._indexes:
            names = self._words["obs_names" if axis == "obs" else "var_names"]
            self._indexes[axis] = name_index(self, axis, names)
        return self._indexes[axis]

    @cached_property
    def _array(self) -> Any:
        import zarr

        return zarr.open_array(self._place / "table.zarr" / "X", mode="r")

    def matrix(self, obs: Sequence[str] | None = None, var: Sequence[str] | None = None) -> Floats:
        rows = positions(self.names("obs"), obs)
        columns = positions(self.names("var"), var)
        try:
            values = self._array.oindex[rows, columns]
        except (OSError, ValueError, RuntimeError) as error:
            raise Damaged(f"{self.name} cannot be read ({error}).", "Fetch it again.") from error
        return np.asarray(values, dtype=np.float64)


class StoredSeries(_Stored):
    """A series on disk, read whole when first asked for."""

    def names(self, axis: str) -> NameIndex:
        return NameIndex(axis, [])

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        from pyarrow import parquet

        try:
            table = parquet.read_table(self._place / "series.parquet")
        except (OSError, ValueError) as error:
            raise Damaged(f"{self.name} cannot be read ({error}).", "Fetch it again.") from error
        return {name: table[name].to_numpy() for name in table.column_names}

    @cached_property
    def times(self) -> npt.NDArray[np.datetime64]:
        return self._columns["time"].astype(self._words["resolution"])

    @cached_property
    def values(self) -> Floats:
        return self._columns["value"]

    @cached_property
    def flags(self) -> npt.NDArray[np.str_]:
        return self._columns["flag"].astype(str)


def _write_table(place: Path, table: TableData) -> None:
    import anndata

    # Blocks of some 4 MB: few files for a large table, one read for some columns of a small one.
    columns = max(1, min(table.shape[1], 512))
    rows = max(1, min(table.shape[0], 4_000_000 // (8 * columns)))
    layout = anndata.settings.override(zarr_write_format=3, auto_shard_zarr_v3=False)
    with layout, warnings.catch_warnings():
        # AnnData adds consolidated metadata, which readers that do not know them pass over.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        to_anndata(table).write_zarr(place / "table.zarr", chunks=(rows, columns))
    _write_about(
        place,
        table,
        obs_names=list(table.names("obs").names),
        var_names=list(table.names("var").names),
        obs={name: column.tolist() for name, column in table.labels("obs").items()},
        var={name: column.tolist() for name, column in table.labels("var").items()},
    )


def _write_series(place: Path, series: SeriesData) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"time": series.times.astype("datetime64[us]"), "value": series.values}
    flags = pa.array(series.flags.tolist(), type=pa.string())
    table = pa.table({**columns, "flag": flags})
    parquet.write_table(table, place / "series.parquet", compression="zstd")
    _write_about(place, series, resolution=series.times.dtype.str)


def _write_about(place: Path, data: Data, **words: Any) -> None:
    content = {"kind": data.kind, "about": asdict(data.about), **words}
    (place / "about.json").write_bytes(_json_bytes(content))


def safe_name(name: str) -> str:
    """`name` as one file name on any system.

    >>> safe_name("../2022 raw")
    '..-2022-raw'
    """
    return re.sub(r"[^\w.@+-]+", "-", name)[:120]


def disk_error(error: OSError, home: Path) -> StoreError:
    """The failure of a disk as an error of ours, with what to do."""
    if error.errno in _NO_ROOM:
        return DiskFull(
            f"No room is left on the disk of {home}.",
            "Nothing that was stored is lost; free some space and try again.",
        )
    return StoreError(
        f"{error.filename or home}: {error.strerror or error}.",
        "Choose another data directory with FOLLOWDATA_HOME.",
    )


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()


def _settle(folder: Path) -> None:
    """Wait until every file below `folder` is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
