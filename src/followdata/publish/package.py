"""A data set on its way into a folder: its tables are written, then what describes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.answer import Provenance
from followdata.data import About
from followdata.present.csvform import FORMULA, harmless
from followdata.publish.columns import Column, Kind, Resource, Summary

if TYPE_CHECKING:
    import pyarrow as pa

DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class File:
    """A file as it was written."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Written:
    """A resource in its two files: how many rows it has, and what is in each column.

    `mended` is how many texts of the CSV got an apostrophe, so that no spreadsheet takes them for
    formulas.
    """

    resource: Resource
    rows: int
    summaries: Sequence[Summary]
    csv: File
    parquet: File
    mended: int

    @property
    def headings(self) -> list[str]:
        """The names of the columns as the CSV has them."""
        return [harmless(column.name) for column in self.resource.columns]


@dataclass(frozen=True)
class Package:
    """What is published: a data set of a story, with what is known of it."""

    story: str
    name: str
    about: About
    provenance: Provenance
    digest: str
    resources: Sequence[Resource]
    written: list[Written] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """Its name where only small letters, digits and dashes may stand."""
        words = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.name.lower())
        return "-".join(filter(None, ["followdata", self.story, *words.split("-")]))

    @property
    def standing(self) -> str:
        """What must be said first: that it is a sample, or a part."""
        source = self.provenance
        if source.sample:
            return f"This is a sample: {source.sample}."
        return f"This is only a part: {source.partial}." if source.partial else ""


def write(package: Package, folder: Path) -> None:
    """Write the whole package into `folder`, which is there and empty."""
    from followdata.publish import croissant, frictionless, kaggle, notebook, words

    for resource in package.resources:
        package.written.append(write_resource(resource, folder))
    documents: Mapping[str, Callable[[Package], bytes]] = {
        "README.md": words.readme,
        "codebook.en.md": words.english_codebook,
        "codebook.sv.md": words.swedish_codebook,
        "starter.ipynb": notebook.starter,
        "croissant.json": croissant.metadata,
        "dataset-metadata.json": kaggle.metadata,
    }
    for name, make in documents.items():
        (folder / name).write_bytes(make(package))
    # Last, since it knows the others by their digests.
    files = [_file(folder / name) for name in documents]
    (folder / DESCRIPTOR).write_bytes(frictionless.descriptor(package, files))


def write_resource(resource: Resource, folder: Path) -> Written:
    """Write `resource` as CSV and as Parquet, some rows at a time."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    schema = pa.schema([_typed(column) for column in resource.columns])
    plain = pa.schema([(harmless(c.name), _TEXT_IN_CSV.get(c.kind, _type(c.kind)))
                       for c in resource.columns])  # fmt: skip
    paths = [folder / f"{resource.name}.{ending}" for ending in ("csv", "parquet")]
    rows, mended = 0, 0
    tallies = [_Tally() for _ in resource.columns]
    with ExitStack() as stack:
        as_csv = stack.enter_context(csv.CSVWriter(paths[0], plain))
        as_parquet = stack.enter_context(
            parquet.ParquetWriter(paths[1], schema, compression="zstd")
        )
        for batch in resource.batches():
            arrays = [_array(column, kind.type) for column, kind in zip(batch, schema, strict=True)]
            for tally, array in zip(tallies, arrays, strict=True):
                tally.add(array)
            rows += len(arrays[0])
            as_parquet.write_table(pa.table(arrays, schema=schema))
            shown = [_in_csv(array, kind.type) for array, kind in zip(arrays, plain, strict=True)]
            mended += sum(count for _, count in shown)
            as_csv.write_table(pa.table([array for array, _ in shown], schema=plain))
    mended += sum(harmless(column.name) != column.name for column in resource.columns)
    summaries = [tally.summary for tally in tallies]
    return Written(resource, rows, summaries, _file(paths[0]), _file(paths[1]), mended)


class _Tally:
    """Counts missing values and keeps the ends of the range, batch by batch."""

    def __init__(self) -> None:
        self._missing = 0
        self._ends: list[Any] = []

    def add(self, array: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._missing += array.null_count
        if array.null_count < len(array) and not pa.types.is_string(array.type):
            self._ends += pc.min_max(array).as_py().values()

    @property
    def summary(self) -> Summary:
        if not self._ends:
            return Summary(self._missing)
        return Summary(self._missing, min(self._ends), max(self._ends))


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    """The values as Arrow has them; NaN, NaT and "" are null."""
    import pyarrow as pa

    if pa.types.is_string(kind):
        return pa.array([str(value) if value else None for value in values], type=kind)
    return pa.array(np.ascontiguousarray(values), type=kind, from_pandas=True)


def _in_csv(array: pa.Array, kind: pa.DataType) -> tuple[pa.Array, int]:
    """The values as a CSV has them, and how many texts had to be made harmless."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(array.type):
        return pc.strftime(array, "%Y-%m-%dT%H:%M:%S"), 0
    if not pa.types.is_string(array.type):
        return array, 0
    formulas = pc.fill_null(pc.match_substring_regex(array, FORMULA), fill_value=False)
    count = pc.sum(formulas).as_py() or 0
    if not count:
        return array, 0
    return pc.if_else(formulas, pc.binary_join_element_wise("'", array, ""), array), count


def _typed(column: Column) -> pa.Field:
    """The column with what it means, for those who read the Parquet file alone."""
    import pyarrow as pa

    words = {f"title_{language}": text for language, text in column.titles.items()}
    words |= {"unit": column.unit} if column.unit else {}
    return pa.field(column.name, _type(column.kind), metadata=words)


def _type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    return {
        "string": pa.string(),
        "number": pa.float64(),
        "date": pa.date32(),
        "datetime": pa.timestamp("s"),
    }[kind]


_TEXT_IN_CSV: Mapping[str, str] = {"datetime": "string"}


def _file(path: Path) -> File:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return File(path.name, path.stat().st_size, digest)


def as_json(words: Mapping[str, Any]) -> bytes:
    """A document that people may look into."""
    return json.dumps(words, ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"


def without_nothing(words: Mapping[str, Any]) -> dict[str, Any]:
    """What is said, without what is not."""
    return {key: value for key, value in words.items() if value not in ("", None, [], {})}
