"""Tables that memory does not hold: read in portions, and laid out in a file.

What is guessed is guessed from the beginning of the file, as for a small one; then each portion is
read the same way. The values go to a scratch file, row after row, and are looked at through the
system's own paging, so that memory holds the names and no more of the values than are in use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from followdata.answer import listing
from followdata.data import Floats
from followdata.errors import FollowdataError, InvalidInput
from followdata.sources.tables import columns as column_roles
from followdata.sources.tables import files
from followdata.sources.tables.columns import columns_of, roles, told_apart, unit_of
from followdata.sources.tables.layouts import MOST_COLUMNS, Laid
from followdata.sources.tables.numbers import MISSING, MISSING_NUMBERS, read_number
from followdata.sources.tables.reading import Reading
from followdata.sources.tables.rows import ADVICE, WHITESPACE, Rows, decoded, place, rows_of_text

Progress = Callable[[int, int, str], None]

MOST_IN_MEMORY = 5_000_000
"""Cells of a Parquet file that are taken into memory as text, where everything can be guessed."""
MOST_CELLS = 1_000_000_000
"""Of a table that is read in portions: 8 GB on the disk."""
MOST_GROUPS = 10_000
"""A column with more different words does not group the rows."""
_HEAD = 2 * 2**20
_BLOCK = 8 * 2**20
_ROWS = 65_536


@dataclass
class _Gathered:
    """What has come so far of the columns of words, and how many rows there are."""

    words: dict[int, list[Any]] = field(default_factory=dict)
    groups: dict[int, set[Any]] = field(default_factory=dict)
    rows: int = 0


def read_large(
    path: Path, reading: Reading, scratch: Path, progress: Progress | None = None
) -> Laid:
    """The table in a large file of text or Parquet, its values in the file `scratch`.

    Raises `InvalidInput` for what cannot be read in portions: tables with a row for each value, or
    that are to be turned round, and a word among the numbers of a column.
    """
    if reading.layout in ("long", "transposed"):
        raise InvalidInput(
            str(path), f"a table of this size needs a row for each thing, and is not read "
            f"{reading.layout}.", "Turn it round with another program first.",
        )  # fmt: skip
    source = (_Parquet if files.kind_of(path) == "parquet" else _Text).of(path, reading)
    head = source.head
    if len(head.headings) > MOST_COLUMNS:
        raise InvalidInput(str(path), f"it has more than {MOST_COLUMNS:,} columns.", ADVICE)
    columns = columns_of(head, path)
    chosen = roles(columns, replace(head, reading=replace(head.reading, id="")), path)
    if reading.id:
        chosen = roles(columns, head, path)
    measures = [
        c for c in columns if c in chosen.measures or (c.is_empty and c not in chosen.labels)
    ]
    if not chosen.measures:
        raise InvalidInput(str(path), "no column is all numbers.", ADVICE)
    kept = [c for c in (chosen.names, chosen.codes, *chosen.labels) if c is not None]
    found = _Gathered({c.at: [] for c in kept}, {c.at: set() for c in kept})
    with scratch.open("wb") as values:
        for batch in source.batches(progress):
            block = _block(batch, measures, head, found.rows, path, source)
            _keep_words(batch, kept, found, chosen.labels)
            values.write(block.data)
            found.rows += len(block)
            if found.rows * len(measures) > MOST_CELLS:
                raise InvalidInput(str(path), f"it has more than {MOST_CELLS:,} cells.",
                                   "Take fewer rows or columns.")  # fmt: skip
    if not found.rows:
        raise InvalidInput(str(path), "there are no rows under the headings.", ADVICE)
    X: Floats = np.memmap(scratch, dtype=np.float64, mode="r", shape=(found.rows, len(measures)))
    return _laid(X, head, chosen, measures, found)


def _laid(
    X: Floats, head: Rows, chosen: column_roles.Roles, measures: Sequence[Any], found: _Gathered
) -> Laid:  # fmt: skip
    names, on_names = _names(chosen.names, found)
    reading = head.reading
    first, last = 0, len(names)
    left_out: list[str] = []
    if chosen.names is not None and reading.leave_out is None:
        totals = column_roles.totals(
            replace(chosen.names, texts=[names[0], "-", names[-1]]), reading
        )
        first, last = int(0 in totals), last - int(2 in totals)
        left_out = [names[{0: 0, 2: -1}[at]] for at in totals]
    labels: dict[str, Sequence[str]] = {}
    unused = []
    for column in chosen.labels:
        if found.groups[column.at]:
            words = np.concatenate([_decoded(part) for part in found.words[column.at]])[first:last]
            labels[column.label] = words.tolist()
        else:
            unused.append(column.heading)
    if chosen.codes is not None:
        labels["id"] = _texts(found.words[chosen.codes.at])[first:last]
    headings = [column.heading for column in measures]
    units = {heading: unit for heading in headings if (unit := unit_of(heading, reading.units))}
    remarks = [*head.remarks, *column_roles.on_headings(head), *on_names]
    if left_out:
        remarks.append(f"Left out as totals: {listing(left_out)}.")
    if unused:
        remarks.append(f"Not used, for they hold too many different words: {listing(unused)}.")
    return Laid(
        X[first:last],
        names[first:last],
        headings,
        labels,
        {"unit": [units.get(heading, "") for heading in headings]} if units else {},
        remarks=tuple(remarks),
        reading=replace(
            reading,
            layout="wide",
            id=chosen.names.heading if chosen.names else "",
            labels=tuple(c.heading for c in chosen.labels if c.heading not in unused),
            size=column_roles.size_of(chosen.measures, reading),
            leave_out=tuple(left_out),
            units=units,
        ),
    )


def _names(column: column_roles.Column | None, found: _Gathered) -> tuple[list[str], list[str]]:
    if column is None:
        return [f"row {n + 1}" for n in range(found.rows)], []
    names = [
        f"row {n + 1}" if text.lower() in MISSING else text
        for n, text in enumerate(_texts(found.words[column.at]))
    ]
    if len(set(names)) == len(names):
        return names, []
    remark = f"Some rows have the same value in “{column.heading}”: the repeats are numbered."
    return told_apart(names), [remark]


def _texts(parts: Sequence[Any]) -> list[str]:
    return [text or "" for part in parts for text in part.to_pylist()]


def _decoded(part: Any) -> Any:
    """A column of words, missing ones as "", each different one held once."""
    held = part.dictionary_encode()
    words = [(w or "")[:100] for w in held.dictionary.to_pylist()] or [""]
    words = ["" if word.lower() in MISSING else word for word in words]
    indices = held.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return np.array(words, dtype=object)[indices] if len(indices) else np.array([], dtype=object)


def _keep_words(batch: Any, kept: Sequence[Any], found: _Gathered, labels: Sequence[Any]) -> None:
    """The words of a portion; a label that proves to be no label is forgotten."""
    import pyarrow as pa
    from pyarrow import compute

    for column in kept:
        words = _stripped(batch.column(column.at).cast(pa.string()))
        if column in labels:
            if found.rows and not found.groups[column.at]:
                continue
            found.groups[column.at] |= set(compute.unique(words).to_pylist())
            if len(found.groups[column.at]) > MOST_GROUPS:
                found.groups[column.at], found.words[column.at] = set(), []
                continue
        found.words[column.at].append(words)


def _stripped(words: Any) -> Any:
    from pyarrow import compute

    return compute.utf8_trim_whitespace(words.fill_null(""))


def _block(
    batch: Any, measures: Sequence[Any], head: Rows, before: int, path: Path, source: Any
) -> Floats:
    """The numbers of a portion, rows x measures."""
    block = np.empty((batch.num_rows, len(measures)))
    missing = MISSING_NUMBERS | {word.lower() for word in head.reading.missing}
    for at, column in enumerate(measures):
        numbers = _numbers(batch.column(column.at), head.decimal_comma, missing)
        if isinstance(numbers, str):
            words = _stripped(batch.column(column.at)).to_pylist()
            raise InvalidInput(
                str(path),
                f"“{numbers}” is not a number, and “{column.heading}” holds numbers before it.",
                "If it means a missing value: --missing; if the column is to group the rows: "
                "--labels.",
                where=source.place(before + words.index(numbers), column.at),
            )
        block[:, at] = numbers
    return block


def _numbers(values: Any, comma: bool, missing: frozenset[str]) -> Floats | str:
    """A column as numbers, or its first word."""
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_string(values.type):
        cast = values.cast(pa.float64(), safe=False)
        numbers = cast.fill_null(np.nan).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    words = _stripped(values)
    plain = compute.replace_substring(words, ",", ".") if comma else words
    there = compute.if_else(compute.equal(plain, ""), None, plain)
    try:
        found = there.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        if not np.isinf(found).any():
            return np.asarray(found)
    except pa.ArrowInvalid:
        pass
    # Each different text as one value is read elsewhere.
    held = words.dictionary_encode()
    texts = held.dictionary.to_pylist()
    read = [read_number(text, decimal_comma=comma, missing=missing) for text in texts]
    if None in read:
        return str(texts[read.index(None)])
    each = np.array(read, dtype=np.float64)
    return np.asarray(each[held.indices.to_numpy(zero_copy_only=False)])


# Where portions come from


@dataclass(frozen=True)
class _Text:
    """A large file of delimited text, guessed from its beginning."""

    path: Path
    head: Rows

    @classmethod
    def of(cls, path: Path, reading: Reading) -> _Text:
        found = files.beginning(path, _HEAD)
        cut = found.rfind(b"\n") + 1
        if not cut:
            decoded(path, found, reading.encoding)
            raise InvalidInput(
                str(path),
                f"its first line is longer than {_HEAD >> 20} MB.",
                ADVICE,
                where="line 1",
            )
        text, encoding = decoded(path, found[:cut], reading.encoding)
        if encoding in ("utf-16", "utf-32"):
            raise InvalidInput(
                str(path), f"a file of this size is not read in {encoding}.", "Save it as UTF-8."
            )
        head = rows_of_text(path, text, replace(reading, encoding=encoding, leave_out=()))
        if head.reading.delimiter == WHITESPACE:
            raise InvalidInput(
                str(path), "a file of this size needs commas, tabs or semicolons between values.",
                "Save it as CSV.",
            )  # fmt: skip
        return cls(path, replace(head, reading=replace(head.reading, leave_out=reading.leave_out)))

    def place(self, row: int, column: int) -> str:
        return place(self.head.lines[0] + row, column)

    def batches(self, progress: Progress | None) -> Iterator[Any]:
        from pyarrow import csv

        head = self.head
        names = told_apart([text or f"column {n + 1}" for n, text in enumerate(head.headings)])
        refused: list[Any] = []

        def refuse(row: Any) -> str:
            refused.append(row)
            return "error"

        # Titles above the headings are lines of the file too.
        skipped = head.lines[0] - 1
        settings = {
            "read_options": csv.ReadOptions(
                column_names=names, skip_rows=skipped, block_size=_BLOCK, use_threads=False,
                encoding=head.reading.encoding.replace("utf-8-sig", "utf-8"),
            ),
            "parse_options": csv.ParseOptions(
                delimiter=head.reading.delimiter, newlines_in_values=True,
                invalid_row_handler=refuse,
            ),
            "convert_options": csv.ConvertOptions(
                column_types=dict.fromkeys(names, "string"), strings_can_be_null=False
            ),
        }  # fmt: skip
        with files.opened(self.path) as file, _arrow_told(self.path, refused):
            total = os.fstat(file.fileno()).st_size
            with csv.open_csv(file, **settings) as reader:
                for batch in reader:
                    yield batch
                    _tell(progress, file, total)


def _tell(progress: Progress | None, file: IO[bytes], total: int) -> None:
    if progress is not None:
        done = min(total, os.lseek(file.fileno(), 0, os.SEEK_CUR))
        progress(done // 2**20, max(1, total // 2**20), "MB")


@contextmanager
def _arrow_told(path: Path, refused: Sequence[Any] = ()) -> Iterator[None]:
    """Whatever Arrow meets in a file, as an error of ours."""
    try:
        yield
    except FollowdataError:
        raise
    except Exception as error:
        if refused:
            row = refused[0]
            where = f"line {row.number}" if row.number is not None else ""
            raise InvalidInput(
                str(path),
                f"the row has {row.actual_columns} values where {row.expected_columns} are "
                "expected.",
                "Each row needs a value, which may be empty, for each column.",
                where=where,
            ) from None
        said = " ".join(str(error).split())[:200] or type(error).__name__
        advice = "Get it again."
        if "UTF8" in said or "UTF-8" in said or isinstance(error, UnicodeError):
            said, advice = "its encoding is not what it seemed", "Try: --encoding windows-1252"
        raise InvalidInput(str(path), f"it cannot be read ({said}).", advice) from error


@dataclass(frozen=True)
class _Parquet:
    """A large Parquet file."""

    path: Path
    head: Rows

    @classmethod
    def of(cls, path: Path, reading: Reading) -> _Parquet:
        with _arrow_told(path):
            for batch in _parquet_batches(path):
                return cls(path, _rows_of(batch.slice(0, 1000), path, reading))
        raise InvalidInput(str(path), "there are no rows.", ADVICE)

    def place(self, row: int, column: int) -> str:
        return place(1 + row, column)

    def batches(self, progress: Progress | None) -> Iterator[Any]:
        done = 0
        with _arrow_told(self.path):
            total = _parquet(self.path).metadata.num_rows
            for batch in _parquet_batches(self.path):
                yield batch
                done += batch.num_rows
                if progress is not None:
                    progress(done, total, "rows")


def parquet_rows(path: Path, reading: Reading) -> Rows | None:
    """All rows of a Parquet file as text; `None` for one with more than memory should hold."""
    with _arrow_told(path):
        file = _parquet(path)
        if file.metadata.num_rows * file.metadata.num_columns > MOST_IN_MEMORY:
            return None
        return _rows_of(file.read(columns=_usable(file)), path, reading)


def _parquet(path: Path) -> Any:
    from pyarrow import parquet

    if files.is_folder(path):
        raise InvalidInput(str(path), "it is a folder.", "Name a file in it.")
    return parquet.ParquetFile(path)


def _parquet_batches(path: Path) -> Iterator[Any]:
    file = _parquet(path)
    yield from file.iter_batches(batch_size=_ROWS, columns=_usable(file))


def _usable(file: Any) -> list[str]:
    """The columns that hold numbers or words."""
    from pyarrow import types

    plain = (
        types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_string,
        types.is_large_string, types.is_dictionary, types.is_temporal,
    )  # fmt: skip
    return [one.name for one in file.schema_arrow if any(is_(one.type) for is_ in plain)]


def _rows_of(table: Any, path: Path, reading: Reading) -> Rows:
    """The rows of a portion as text."""
    columns = [[_text(value) for value in table.column(at).to_pylist()]
               for at in range(table.num_columns)]  # fmt: skip
    if not columns or not table.num_rows:
        raise InvalidInput(str(path), "there are no rows.", ADVICE)
    fields = list(zip(*columns, strict=True))
    named = [str(name) for name in table.schema.names]
    said = replace(reading, decimal=".", header_row=1)
    return Rows(True, named, fields, range(1, len(fields) + 1), False, reading=said)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return repr(value) if isinstance(value, float) else str(value).strip()
