"""Someone's own table in a text file: values between commas, tabs, semicolons or bars.

What is read follows from the file alone:

- The first row names the columns, unless all of it is numbers: then it is data.
- The first column names the rows if it is headed like an identifier (nothing, "id", "sample",
  "patient_id", ...), or if it holds words of which none comes twice.
- A column in which every value is a number is a measure. One that holds words is a label of the
  rows, and one that holds nothing is left out.
- Nothing, NA, N/A, NaN, null and ? are missing values.
- With semicolons between the values a comma is a decimal comma, as European spreadsheets write
  it. Text is UTF-8, UTF-16 with its mark, or else Windows-1252. Gzip is undone.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from followdata.answer import Provenance, listing
from followdata.data import About, MemoryTable
from followdata.errors import InvalidInput

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
# The first of these that fits: a file with semicolons may well hold a comma in every row.
_DELIMITERS = "\t;|,"
_SNIFFED_ROWS = 50
_ADVICE = (
    "A table is text, such as CSV or TSV, with one row a line and at least one column of numbers."
)
_IDENTIFIERS = frozenset(
    {
        *("", "#", "id", "ids", "index", "key", "name", "row", "sample"),
        *("row names", "rownames", "unnamed: 0"),
    }
)
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip file, as Excel workbooks are",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class TableFile:
    """A table as read, and `remarks` on what its owner may not expect: a sentence each."""

    table: MemoryTable
    remarks: tuple[str, ...]


def read_table(path: Path, *, retrieved: str = "") -> TableFile:
    """The table in the file at `path`; `retrieved` is when that is.

    Raises `InvalidInput`, with line and column, for a file that is no table: not there, not
    text, with rows of unequal length, or without a column of numbers.
    """
    rows = read_rows(path)
    columns = _columns(rows, path)
    names, columns, on_names = _row_names(columns, headed=rows.headed)
    measures = [column for column in columns if column.is_measure]
    labels = {column.label: column.words for column in columns if column.is_label}
    if not measures:
        raise InvalidInput(str(path), "no column is all numbers.", _ADVICE)
    remarks = (*_on_headings(rows), *on_names, *_on_columns(columns))
    table = MemoryTable(
        np.array([column.numbers for column in measures], dtype=np.float64).T,
        names,
        [column.heading for column in measures],
        About(_title(path), label=_main_label(labels)),
        obs={name: np.array(words, dtype=np.str_) for name, words in labels.items()},
        provenance=Provenance(
            source=f"the file {path.name}",
            retrieved=retrieved,
            licence="not stated in the file",
            refused=remarks,
        ),
    )
    return TableFile(table, remarks)


# Bytes


def read_text(path: Path) -> str:
    """The text of a file, gzip undone; raises `InvalidInput` where it holds none."""
    return decoded(_content(path), str(path))


def decoded(content: bytes, name: str) -> str:
    """The text that these bytes are, which came from `name`; raises `InvalidInput` if none."""
    for magic, what in _OTHER_FORMATS.items():
        if content.startswith(magic):
            raise InvalidInput(name, f"it is {what}, not text.", "Save it as CSV.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = [] if b"\0" in content else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(name, "it is not text.", _ADVICE)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(str(path), "there is no such file.") from None
    except IsADirectoryError:
        raise InvalidInput(str(path), "it is a folder.", "Name a file in it.") from None
    except OSError as error:
        raise InvalidInput(str(path), f"{error.strerror}.") from error
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(
            str(path), f"its compression is damaged ({error}).", "Get it again."
        ) from error


# Rows


@dataclass(frozen=True)
class Rows:
    """The headings ("" where there are none), and the fields of each row with its line."""

    headed: bool
    headings: Sequence[str]
    fields: Sequence[Sequence[str]]
    lines: Sequence[int]
    decimal_comma: bool


def read_rows(path: Path) -> Rows:
    """The file's headings and fields; raises `InvalidInput` for one that is no table of text."""
    text = read_text(path)
    delimiter = _delimiter(text)
    try:
        split = list(_split(text, delimiter))
    except csv.Error as error:
        raise InvalidInput(str(path), f"{error}.", _ADVICE) from error
    if not split:
        raise InvalidInput(str(path), "it is empty.", _ADVICE)
    comma = delimiter == ";"
    headings = split[0][1]
    headed = not _is_data(headings, decimal_comma=comma)
    if headed:
        split = split[1:]
        if not split:
            raise InvalidInput(str(path), "there are no rows under the headings.", _ADVICE)
        if len(split[0][1]) == len(headings) + 1:
            headings = ["", *headings]  # R writes no heading above the names of rows.
    else:
        headings = [""] * len(headings)
    lines, fields = zip(*split, strict=True)
    rows = Rows(headed, headings, fields, lines, comma)
    _check_widths(rows, path)
    return rows


def _delimiter(text: str) -> str:
    """The delimiter under which most of the first rows are of one width."""

    def agreeing(delimiter: str) -> int:
        try:
            rows = islice(_split(text, delimiter), _SNIFFED_ROWS)
            widths = Counter(len(row) for _, row in rows if len(row) > 1)
        except csv.Error:
            return 0
        return max(widths.values(), default=0)

    return max(_DELIMITERS, key=agreeing)


def _split(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for row in reader:
        fields = [field.strip() for field in row]
        if any(fields):
            yield reader.line_num, fields


def _is_data(first: Sequence[str], *, decimal_comma: bool) -> bool:
    """Whether a first row is all numbers, and so not headings."""
    numbers = [read_number(text, decimal_comma=decimal_comma) for text in first]
    return None not in numbers and not all(
        math.isnan(number) for number in numbers if number is not None
    )


def _check_widths(rows: Rows, path: Path) -> None:
    """Raise for the first row that is longer or shorter than the headings, or the first row."""
    width = len(rows.headings)
    for line, fields in zip(rows.lines, rows.fields, strict=True):
        if len(fields) != width:
            raise InvalidInput(
                str(path),
                f"the row has {len(fields)} values where {width} are expected.",
                "Each row needs a value, which may be empty, for each column.",
                where=f"line {line}, column {min(len(fields), width) + 1}",
            )


# Columns


@dataclass(frozen=True)
class _Column:
    """A column as written, and as numbers: NaN where missing, `None` where it is a word."""

    heading: str
    texts: Sequence[str]
    numbers: Sequence[float | None]

    @property
    def is_label(self) -> bool:
        return None in self.numbers

    @property
    def is_empty(self) -> bool:
        return all(number is not None and math.isnan(number) for number in self.numbers)

    @property
    def is_measure(self) -> bool:
        return not self.is_label and not self.is_empty

    @property
    def words(self) -> list[str]:
        """The texts, missing ones as ""."""
        return ["" if text.lower() in MISSING else text for text in self.texts]

    @property
    def label(self) -> str:
        """The heading as the name of a label: where labels are stored a slash is a step down."""
        return self.heading.replace("/", " ")

    @property
    def stray(self) -> str:
        """The first word among values that are mostly numbers; "" where there is none."""
        present = [number for number in self.numbers if number is None or not math.isnan(number)]
        if not self.is_label or 2 * present.count(None) >= len(present):
            return ""
        return self.texts[self.numbers.index(None)]


def _columns(rows: Rows, path: Path) -> list[_Column]:
    columns = []
    for heading, texts in zip(rows.headings, zip(*rows.fields, strict=True), strict=True):
        numbers = [read_number(text, decimal_comma=rows.decimal_comma) for text in texts]
        columns.append(_Column(heading, texts, numbers))
    return columns


def _row_names(
    columns: Sequence[_Column], *, headed: bool
) -> tuple[list[str], list[_Column], tuple[str, ...]]:
    """The names of the rows, the columns that are left, and what is to be said of it.

    Identifiers that some rows share are not measurements for that: the repeats are numbered.
    """
    first, *others = columns
    numbered = [f"row {n + 1}" for n in range(len(first.texts))]
    identifier = headed and _is_identifier(first.heading)
    words_only = all(number is None for number in first.numbers)
    if not identifier and not (words_only and _are_unique(first.texts)):
        return numbered, _headed(columns), ()
    names = [text or name for text, name in zip(first.texts, numbered, strict=True)]
    if _are_unique(names):
        return names, _headed(others, begin=2), ()
    what = f"“{first.heading}”" if first.heading else "the first column"
    remark = f"Some rows have the same value in {what}: the repeats are numbered."
    return told_apart(names), _headed(others, begin=2), (remark,)


def _headed(columns: Sequence[_Column], *, begin: int = 1) -> list[_Column]:
    """The columns under headings of their own; one without is called by its number."""
    headings = [column.heading or f"column {n}" for n, column in enumerate(columns, begin)]
    return [
        replace(column, heading=heading)
        for heading, column in zip(told_apart(headings), columns, strict=True)
    ]


def _main_label(labels: Mapping[str, Sequence[str]]) -> str:
    """The first label under which rows fall into groups."""
    for name, words in labels.items():
        if 1 < len({word for word in words if word}) <= len(words) / 2:
            return name
    return ""


# Remarks


def _on_headings(rows: Rows) -> tuple[str, ...]:
    numbers = [text for text in rows.headings if _is_present(text)] if rows.headed else []
    if not numbers:
        return ()
    return (f"The first row is taken as headings, though it holds numbers: {listing(numbers)}.",)


def _on_columns(columns: Sequence[_Column]) -> Iterator[str]:
    empty = [column.heading for column in columns if column.is_empty]
    if empty:
        yield f"Left out, for it holds no value: {listing(empty)}."
    mixed = [f"{column.heading} (“{column.stray}”)" for column in columns if column.stray]
    if mixed:
        yield f"Taken as labels, for not all values are numbers: {listing(mixed)}."


# Single values


def read_number(text: str, *, decimal_comma: bool) -> float | None:
    """The number that `text` is: NaN where it is missing, `None` where it is a word.

    >>> [read_number(text, decimal_comma=False) for text in ("1e3", "−2", "NA", "1,5", "inf", "x")]
    [1000.0, -2.0, nan, None, None, None]
    """
    if text.lower() in MISSING:
        return math.nan
    plain = text.replace("\u2212", "-")
    if decimal_comma and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return None
    # Python would also read "infinity" and "1_000".
    return number if math.isfinite(number) and "_" not in plain else None


def _is_present(text: str) -> bool:
    number = read_number(text, decimal_comma=False)
    return number is not None and not math.isnan(number)


def _is_identifier(heading: str) -> bool:
    """Whether a column so called tells rows apart.

    >>> [_is_identifier(heading) for heading in ("Id", "", "patient_ID", "acid", "grid size")]
    [True, True, True, False, False]
    """
    return heading.lower() in _IDENTIFIERS or bool(re.search(r"[ ._-]id$", heading.lower()))


def _are_unique(names: Sequence[str]) -> bool:
    return len(set(names)) == len(names)


def told_apart(names: Sequence[str]) -> list[str]:
    """The names, with a number behind each that has come before.

    >>> told_apart(["a", "b", "a", "a (2)", "a"])
    ['a', 'b', 'a (2)', 'a (2) (2)', 'a (3)']
    """
    apart: dict[str, None] = {}
    often: Counter[str] = Counter()
    for name in names:
        free = name
        while free in apart:
            often[name] += 1
            free = f"{name} ({often[name] + 1})"
        apart[free] = None
    return list(apart)


def _title(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem
