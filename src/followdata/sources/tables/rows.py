"""The rows of a table as text, whatever file they came in, and where each stood in it."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from followdata.errors import InvalidInput
from followdata.sources.tables import files
from followdata.sources.tables.files import column_letters
from followdata.sources.tables.numbers import has_decimal_comma, read_number
from followdata.sources.tables.reading import GUESSED, NO_HEADINGS, Reading

MOST_TEXT = 48 * 2**20
"""Bytes of text that are taken into memory at once; more is read in portions."""
WHITESPACE = " "
ADVICE = (
    "A table is text, such as CSV or TSV, with one row a line and at least one column of numbers."
)
# The first of these that fits: a file with semicolons may well hold a comma in every row.
_DELIMITERS = ("\t", ";", "|", ",", WHITESPACE)
_SNIFFED_ROWS = 50
_LONGEST_PREAMBLE = 200
_MOST_LINES_IN_FIELD = 50
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_LATIN = "cp1252"

Raw = Sequence[tuple[int, list[str]]]
"""Fields of rows that are not blank, each with the number of its (last) line."""


@dataclass(frozen=True)
class Rows:
    """The headings ("" where there are none), and the fields of each row with its line.

    `sheet` is the sheet of a workbook, where there is one; `reading` says what was found of how the
    file is written, and `remarks` what its owner may not expect.
    """

    headed: bool
    headings: Sequence[str]
    fields: Sequence[Sequence[str]]
    lines: Sequence[int]
    decimal_comma: bool
    sheet: str = ""
    reading: Reading = GUESSED
    remarks: tuple[str, ...] = ()

    def place(self, row: int, column: int) -> str:
        """Where a cell stands in its file, as its owner would look for it."""
        return place(self.lines[row], column, self.sheet)


def place(line: int, column: int, sheet: str = "") -> str:
    """A cell of the file: the line, or the sheet's row, and the column counted from 0."""
    if sheet:
        return f"sheet “{sheet}”, row {line}, column {column_letters(column + 1)}"
    return f"line {line}, column {column + 1}"


def rows_of_text(path: Path, text: str, reading: Reading) -> Rows:
    """The headings and fields in a text."""
    delimiter = reading.delimiter or delimiter_of(text)
    raw = list(split(text, delimiter, path))
    if not raw:
        raise InvalidInput(str(path), "it is empty.", ADVICE)
    comma = decimal_comma(raw, delimiter, reading)
    found = headed(path, raw, comma, reading)
    return replace(
        found,
        reading=replace(found.reading, delimiter=delimiter),
        remarks=(*_on_encoding(reading.encoding), *found.remarks),
    )


def _on_encoding(encoding: str) -> Iterator[str]:
    if encoding == _LATIN:
        yield "Read as windows-1252, for it is not UTF-8; if letters look wrong: --encoding."


# Text


def read_text(path: Path, encoding: str = "") -> str:
    """The text of a file, its compression undone.

    Raises `InvalidInput` where it holds none, or more than `MOST_TEXT` bytes.
    """
    check_is_text(path, files.kind_of(path))
    found = files.content(path, MOST_TEXT)
    if found is None:
        raise InvalidInput(str(path), f"it holds more than {MOST_TEXT >> 20} MB of text.")
    return decoded(path, found, encoding)[0]


def check_is_text(path: Path, kind: str) -> None:
    """Raise for a file that is something else."""
    others = {
        "zip": "a zip file, as Excel workbooks are",
        "excel": "an Excel workbook",
        "parquet": "a Parquet file",
        "h5ad": "an HDF5 file",
        "npz": "a file of NumPy's",
        "npy": "a file of NumPy's",
        "pdf": "a PDF",
        "zarr": "a Zarr store",
    }
    if kind in others:
        raise InvalidInput(str(path), f"it is {others[kind]}, not text.", "Save it as CSV.")


def decoded(path: Path | str, found: bytes, encoding: str = "") -> tuple[str, str]:
    """Bytes from a file, or from what else goes by that name, as text, and how they were encoded:
    UTF-8, UTF-16 with its mark, or Windows-1252."""
    if encoding:
        check_encoding(encoding)
        try:
            return found.decode(encoding), encoding
        except UnicodeError as error:
            at = getattr(error, "start", 0)
            line = found[:at].count(b"\n") + 1
            raise InvalidInput(
                str(path), f"it is not text in {encoding}.", "Leave out --encoding, and it is "
                "guessed.", where=f"line {line}",
            ) from None  # fmt: skip
    for mark, marked in _MARKS:
        if found.startswith(mark):
            return _in_any(path, found, (marked,))
    if (at := found.find(b"\0")) >= 0:
        where = f"line {found[:at].count(bytes([10])) + 1}"
        raise InvalidInput(
            str(path), "it is not text: it holds a NUL byte.",
            "If it is UTF-16 without its mark: --encoding utf-16-le.", where=where,
        )  # fmt: skip
    return _in_any(path, found, ("utf-8-sig", _LATIN))


def _in_any(path: Path | str, found: bytes, encodings: Sequence[str]) -> tuple[str, str]:
    for encoding in encodings:
        try:
            return found.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise InvalidInput(str(path), "it is not text.", ADVICE)


def check_encoding(encoding: str) -> None:
    """Raise for a name that is no encoding of text."""
    try:
        known = codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        known = False
    if not known:
        raise InvalidInput(
            "--encoding", f"there is no encoding called “{encoding}”.",
            "Some are utf-8, windows-1252, iso-8859-1, utf-16 and mac-roman.",
        )  # fmt: skip


def delimiter_of(text: str) -> str:
    """The delimiter under which most of the first rows are of one width."""

    def agreeing(delimiter: str) -> int:
        widths: Counter[int] = Counter()
        with suppress(InvalidInput):
            for _, row in islice(split(text, delimiter), _SNIFFED_ROWS):
                widths[len(row)] += len(row) > 1
        return max(widths.values(), default=0)

    best = max(_DELIMITERS[:-1], key=agreeing)
    return best if agreeing(best) or not agreeing(WHITESPACE) else WHITESPACE


def split(
    text: str, delimiter: str, path: Path = Path("the text")
) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its last line."""
    lines = io.StringIO(text, newline="")
    if delimiter == WHITESPACE:
        for number, line in enumerate(lines, 1):
            if fields := line.split():
                yield number, fields
        return
    reader = csv.reader(lines, delimiter=delimiter)
    before = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise InvalidInput(
                str(path), f"{error}.", ADVICE, where=f"line {reader.line_num}"
            ) from error
        if row is None:
            return
        if reader.line_num - before > _MOST_LINES_IN_FIELD:
            raise InvalidInput(
                str(path), "a quotation mark is opened and not closed soon.",
                "Close it, or take it out.", where=f"line {before + 1}",
            )  # fmt: skip
        before = reader.line_num
        fields = [field.strip() for field in row]
        if any(fields):
            yield before, fields


def decimal_comma(raw: Raw, delimiter: str, reading: Reading) -> bool:
    """Whether numbers have a decimal comma: as said, or between semicolons, or where some can
    only be read so."""
    if reading.decimal:
        return reading.decimal == ","
    if delimiter == ";":
        return True
    if delimiter == ",":
        return False
    return any(has_decimal_comma(fields) for _, fields in raw[:_LONGEST_PREAMBLE])


# Headings


def headed(path: Path, raw: Raw, comma: bool, reading: Reading, sheet: str = "") -> Rows:
    """The rows told apart into headings and data, without what stands above and below them."""
    remarks: list[str] = []
    if reading.header_row is None:
        raw = _without_titles(raw, remarks)
        has_headings = not _is_data(raw[0][1], raw[1][1] if len(raw) > 1 else [], comma)
    else:
        has_headings = reading.header_row != NO_HEADINGS
        raw = _from(path, raw, reading.header_row)
    raw = _without_notes(raw, remarks)
    header_row = raw[0][0] if has_headings else NO_HEADINGS
    headings = raw[0][1] if has_headings else [""] * _width(raw)
    body = raw[1:] if has_headings else raw
    if not body:
        raise InvalidInput(str(path), "there are no rows under the headings.", ADVICE)
    if has_headings and len(body[0][1]) == len(headings) + 1:
        headings = ["", *headings]  # R writes no heading above the names of rows.
    lines, fields = zip(*body, strict=True)
    found = Rows(
        has_headings, headings, fields, lines, comma, sheet,
        replace(reading, decimal="," if comma else ".", header_row=header_row), tuple(remarks),
    )  # fmt: skip
    _check_widths(found, path)
    return found


def _width(raw: Raw) -> int:
    """How many fields most of the first rows have."""
    widths = Counter(len(fields) for _, fields in raw[:_LONGEST_PREAMBLE])
    return max(widths, key=lambda width: (widths[width], width))


def _without_titles(raw: Raw, remarks: list[str]) -> Raw:
    """The rows from the headings on: titles and notes above have fewer fields."""
    width = _width(raw)
    start = 0
    while start < min(len(raw) - 1, _LONGEST_PREAMBLE):
        fields = raw[start][1]
        filled = sum(map(bool, fields))
        below = raw[start + 1][1]
        short = len(fields) < width
        # One less than below may be R's headings, unless what is below are headings.
        headings_of_r = len(fields) == width - 1 and any(map(_is_number, below))
        sparse = filled <= max(1, width // 4) and len(fields) == width > 2
        if not ((short and not headings_of_r) or sparse):
            break
        start += 1
    if len(raw[start][1]) != width and len(raw[start][1]) != width - 1:
        return raw  # ragged throughout: the first row that differs is told
    if start:
        first = " ".join(filter(None, raw[0][1]))
        remarks.append(f"Passed over above the headings: {start} rows, from “{first[:60]}” on.")
    return raw[start:]


def _without_notes(raw: Raw, remarks: list[str]) -> Raw:
    """The rows without notes under them: words in the first field alone, in a short row or behind
    a blank one."""
    width, end = _width(raw), len(raw)
    while end > 2 and width > 2 and _is_note(raw[end - 1], raw[end - 2][0]):
        end -= 1
    if end < len(raw):
        remarks.append(f"Left out under the table: “{raw[end][1][0][:60]}”.")
    return raw[:end]


def _is_note(row: tuple[int, list[str]], before: int) -> bool:
    line, fields = row
    alone = bool(fields[0]) and not any(fields[1:]) and not _is_number(fields[0])
    return alone and (len(fields) == 1 or line > before + 1)


def _from(path: Path, raw: Raw, header_row: int) -> Raw:
    """The rows from the one that was named on; all of them for `NO_HEADINGS`."""
    if header_row == NO_HEADINGS:
        return raw
    found = [row for row in raw if row[0] >= header_row]
    if not found or found[0][0] != header_row:
        raise InvalidInput(
            str(path), f"row {header_row} is empty or not there.",
            "Name the row that has the headings with --header-row.",
        )  # fmt: skip
    return found


def _is_data(first: Sequence[str], second: Sequence[str], comma: bool) -> bool:
    """Whether a first row is data: all of it numbers, or most of it numbers that are no names.

    Years and identifiers may head columns; fractions, and numbers that repeat, do not.
    """
    numbers = [read_number(text, decimal_comma=comma) for text in first]
    present = [
        text
        for text, number in zip(first, numbers, strict=True)
        if number is not None and not math.isnan(number)
    ]
    if None not in numbers:
        return bool(present)
    fractions = any(re.search(r"[.,]\d", text) for text in present)
    repeated = len(set(present)) < len(present)
    return 2 * len(present) >= len(first) > 2 and (fractions or repeated)


def _is_number(text: str) -> bool:
    number = read_number(text, decimal_comma=True)
    return number is not None and not math.isnan(number)


def _check_widths(rows: Rows, path: Path) -> None:
    """Raise for the first row that is longer or shorter than the headings, or the first row."""
    width = len(rows.headings)
    for line, fields in zip(rows.lines, rows.fields, strict=True):
        if len(fields) != width:
            raise InvalidInput(
                str(path),
                f"the row has {len(fields)} values where {width} are expected.",
                "Each row needs a value, which may be empty, for each column.",
                where=place(line, min(len(fields), width), rows.sheet),
            )
