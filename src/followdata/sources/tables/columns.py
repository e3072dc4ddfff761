"""What the columns of a table are: names of the rows, labels that group them, measures."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from followdata.answer import listing
from followdata.errors import InvalidInput, UnknownName
from followdata.names import NameIndex, fold
from followdata.sources.tables.numbers import (
    MISSING,
    MISSING_NUMBERS,
    check_decimals,
    is_code,
    read_number,
)
from followdata.sources.tables.reading import Reading
from followdata.sources.tables.rows import Rows

_IDENTIFIERS = frozenset(
    {
        *("", "#", "id", "ids", "index", "key", "name", "row", "sample"),
        *("row names", "rownames", "unnamed: 0"),
    }
)
SIZES = frozenset(
    {"population", "befolkning", "folkmängd", "invånare", "inhabitants", "antal invånare"}
)
_TOTALS = frozenset(
    {
        *("total", "totals", "totalt", "totaler", "totalsumma", "sum", "summa", "grand total"),
        *("hela riket", "riket", "all", "alla"),
    }
)
_FEWESTSIZES = 12
_MEASURED = re.compile(r"gene|probe|protein|ensembl|entrez|symbol|peptide", re.IGNORECASE)
_UNIT = re.compile(r"[(\[]\s*([^()\[\]]{1,16})\s*[)\]]\s*$")
_UNIT_AFTER_COMMA = re.compile(
    r",\s*(%|kr|mkr|tkr|kg|g|m|km|km2|km²|m2|m²|mm|cm|ha|år|°C|USD|EUR|SEK|kWh|MW|GW)\s*$"
)


@dataclass(frozen=True)
class Column:
    """A column as written, and as numbers: NaN where missing, `None` where it is a word.

    `at` is where it stands in the file, counted from 0. `code` says that what could be read as
    numbers are codes.
    """

    heading: str
    texts: Sequence[str]
    numbers: Sequence[float | None]
    at: int = 0
    code: bool = False

    @cached_property
    def has_words(self) -> bool:
        return self.code or None in self.numbers

    @cached_property
    def is_empty(self) -> bool:
        return all(number is not None and math.isnan(number) for number in self.numbers)

    @property
    def is_label(self) -> bool:
        return self.has_words and not self.is_empty

    @property
    def is_measure(self) -> bool:
        return not self.has_words and not self.is_empty

    @cached_property
    def is_all_words(self) -> bool:
        """Whether every value is a word, and none is missing."""
        if self.code:
            return not any(text.lower() in MISSING for text in self.texts)
        return all(number is None for number in self.numbers)

    @cached_property
    def is_unique(self) -> bool:
        return len(set(self.texts)) == len(self.texts)

    @property
    def is_identifier(self) -> bool:
        return is_identifier(self.heading)

    @property
    def words(self) -> list[str]:
        """The texts, missing ones as ""."""
        return ["" if text.lower() in MISSING else text for text in self.texts]

    @property
    def label(self) -> str:
        """The heading as the name of a label: where labels are stored a slash is a step down."""
        return self.heading.replace("/", " ")

    @cached_property
    def stray(self) -> int:
        """Where the first word stands among values that are mostly numbers; -1 if none does."""
        if self.code or not self.has_words:
            return -1
        present = [number for number in self.numbers if number is None or not math.isnan(number)]
        if 2 * present.count(None) >= len(present):
            return -1
        return list(self.numbers).index(None)

    def part(self, kept: Sequence[int]) -> Column:
        """The same column in some rows."""
        texts, numbers = self.texts, self.numbers
        return replace(
            self, texts=[texts[row] for row in kept], numbers=[numbers[row] for row in kept]
        )


def columns_of(rows: Rows, path: Path) -> list[Column]:
    """The columns, each under a heading of its own; one without is called by its number.

    Raises `InvalidInput` for a column that has both decimal marks.
    """
    reading = rows.reading
    missing = MISSING_NUMBERS | {word.lower() for word in reading.missing}
    named = [text or f"column {at + 1}" for at, text in enumerate(rows.headings)]
    found = []
    for at, (heading, texts) in enumerate(
        zip(told_apart(named), zip(*rows.fields, strict=True), strict=True)
    ):
        # Codes, years and labels come many times each.
        read = {
            text: read_number(text, decimal_comma=rows.decimal_comma, missing=missing)
            for text in set(texts)
        }
        numbers = [read[text] for text in texts]
        column = Column(heading, texts, numbers, at, code=is_code(list(read)))
        if any("," in text for text in read) and _mostly_numbers(list(read), missing):
            where = [rows.place(row, at) for row in range(len(texts))]
            check_decimals(texts, str(path), where)
        found.append(column)
    return found


def _mostly_numbers(texts: Sequence[str], missing: frozenset[str]) -> bool:
    """Whether values are numbers, whatever their decimal marks are."""
    read = (read_number(text, decimal_comma=True, missing=missing) for text in texts)
    return None not in read


@dataclass(frozen=True)
class Roles:
    """Which column names the rows (`None`: they are numbered), which labels them, and which are
    measures; `codes` are a second name of each row, such as its number, or `None`."""

    names: Column | None
    codes: Column | None
    labels: Sequence[Column]
    measures: Sequence[Column]


def roles(columns: Sequence[Column], rows: Rows, path: Path) -> Roles:
    """What each column is, as said or else guessed.

    Raises `UnknownName` for a column named that is not there, `InvalidInput` where names that were
    asked for are not unique.
    """
    reading, index = rows.reading, NameIndex("column", [column.heading for column in columns])
    by_name = {column.heading: column for column in columns}
    ignored = {index.find(name) for name in reading.ignore}
    asked = [index.find(name) for name in reading.labels]
    left = [column for column in columns if column.heading not in ignored]
    if reading.id:
        names: Column | None = by_name[index.find(reading.id)]
        assert names is not None  # it is one of the columns
        _check_unique(names, rows, path)
    else:
        names = _naming(left, headed=rows.headed)
    others = [column for column in left if column is not names]
    codes = _codes(names, others, asked)
    labels = [c for c in others if c is not codes and (c.heading in asked or c.is_label)]
    measures = [c for c in others if c.is_measure and c.heading not in asked and c is not codes]
    return Roles(names, codes, labels, measures)


def _check_unique(names: Column, rows: Rows, path: Path) -> None:
    seen: dict[str, int] = {}
    for row, text in enumerate(names.texts):
        if text.lower() in MISSING:
            raise InvalidInput(
                str(path), f"“{names.heading}” is empty here, and names the rows.",
                "Choose another column with --id.", where=rows.place(row, names.at),
            )  # fmt: skip
        if text in seen:
            raise InvalidInput(
                str(path),
                f"“{text}” names a row, as it does in {rows.place(seen[text], names.at)}.",
                "Choose another column with --id; where there is a row for each value, open it "
                "with --long.",
                where=rows.place(row, names.at),
            )
        seen[text] = row


def _naming(columns: Sequence[Column], *, headed: bool) -> Column | None:
    """The column that names the rows: the first whose words tell them apart, else the first if it
    is headed like an identifier."""
    there = [column for column in columns if not column.is_empty]
    if not there:
        return None
    first = there[0]
    telling = [c for c in there if c.is_all_words and c.is_unique and not c.code]
    if first in telling:
        return first
    identifies = headed and first.is_identifier
    if identifies and not (first.code and telling[:1] == there[1:2]):
        return first
    # A column of names beside one of codes; further on, words are about the rows.
    if telling and (first.code or first.is_unique) and telling[0] is there[min(1, len(there) - 1)]:
        return telling[0]
    return first if first.code and first.is_unique else None


def _codes(
    names: Column | None, others: Sequence[Column], asked: Sequence[str]
) -> Column | None:  # fmt: skip
    """The column that gives each row a second name."""
    if names is None or names.heading.lower() == "id":
        return None
    return next(
        (
            column
            for column in others
            if column.heading not in asked
            and column.is_unique
            and (column.code or (column.is_identifier and column.is_all_words))
        ),
        None,
    )


def row_names(names: Column | None, count: int) -> tuple[list[str], tuple[str, ...]]:
    """The names of the rows, and what is to be said of them.

    Identifiers that some rows share are not measurements for that: the repeats are numbered.
    """
    numbered = [f"row {n + 1}" for n in range(count)]
    if names is None:
        return numbered, ()
    found = [
        number if text.lower() in MISSING else text
        for text, number in zip(names.texts, numbered, strict=True)
    ]
    if len(set(found)) == len(found):
        return found, ()
    heading = names.heading
    what = "the first column" if re.fullmatch(r"column \d+", heading) else f"“{heading}”"
    remark = (
        f"Some rows have the same value in {what}: the repeats are numbered (another column: --id; "
        "a row for each value: --long)."
    )
    return told_apart(found), (remark,)


def totals(names: Column | None, reading: Reading) -> list[int]:
    """The rows that are no things: those said, else first and last ones that are called totals."""
    if names is None:
        return []
    if reading.leave_out is not None:
        said = set(reading.leave_out)
        return [row for row, text in enumerate(names.texts) if text in said]
    ends = {0, len(names.texts) - 1} if len(names.texts) > 2 else set()
    return sorted(row for row in ends if fold(names.texts[row]).rstrip(":") in _TOTALS)


def main_label(labels: Mapping[str, Sequence[str]]) -> str:
    """The first label under which rows fall into groups."""
    for name, words in labels.items():
        if 1 < len({word for word in words if word}) <= len(words) / 2:
            return name
    return ""


def size_of(measures: Sequence[Column], reading: Reading) -> str:
    """The column that says how big each row is, or ""."""
    if reading.size:
        names = [column.heading for column in measures]
        index = NameIndex("column of numbers", names)
        try:
            return index.find(reading.size)
        except UnknownName:
            raise UnknownName(
                "column of numbers", reading.size, index.nearest(reading.size)
            ) from None
    for column in measures:
        known = {number for number in column.numbers if number is not None and number > 0}
        if fold(column.heading) in map(fold, SIZES) and len(known) >= _FEWESTSIZES:
            return column.heading
    return ""


def unit_of(heading: str, units: Mapping[str, str] = {}) -> str:
    """The unit that a heading says.

    >>> [unit_of(heading) for heading in ("Area (km2)", "Rain, mm", "Share [%]", "Rain, all")]
    ['km2', 'mm', '%', '']
    """
    if heading in units:
        return units[heading]
    found = _UNIT.search(heading) or _UNIT_AFTER_COMMA.search(heading)
    if found and not found[1].strip().isdecimal():
        return found[1].strip()
    return "%" if heading.endswith("%") else ""


# Remarks


def on_headings(rows: Rows) -> tuple[str, ...]:
    """Numbers among the headings."""
    numbers = [text for text in rows.headings if _is_present(text)] if rows.headed else []
    if not numbers:
        return ()
    return (
        f"The first row is taken as headings, though it holds numbers: {listing(numbers)} "
        "(--header-row 0 if it is data).",
    )


def on_columns(
    columns: Sequence[Column], labels: Sequence[Column], codes: Sequence[Column]
) -> Iterator[str]:
    """What is left out, and what was taken for something else than it may be."""
    empty = [column.heading for column in columns if column.is_empty]
    if empty:
        yield f"Left out, for it holds no value: {listing(empty)}."
    mixed = [f"{c.heading} (“{c.texts[c.stray][:60]}”)" for c in labels if c.stray >= 0]
    if mixed:
        yield (
            f"Taken as labels, for not all values are numbers: {listing(mixed)}; if such a word "
            "means a missing value: --missing; if a comma is a decimal comma: --decimal ,"
        )
    if codes:
        yield f"Taken as codes, not as numbers: {listing([column.heading for column in codes])}."


def on_orientation(
    names: Column | None, measures: Sequence[Column], reading: Reading
) -> Iterator[str]:
    """That rows are what is measured, which is how tables of genes and proteins mostly lie."""
    if names is None or reading.layout or not _MEASURED.search(names.heading):
        return
    yield (
        f"Each “{names.heading}” is a row; if {measures[0].heading}, … are what you ask about, "
        "open it with --transpose."
    )


def _is_present(text: str) -> bool:
    number = read_number(text, decimal_comma=False)
    return number is not None and not math.isnan(number)


def is_identifier(heading: str) -> bool:
    """Whether a column so called tells rows apart.

    >>> [is_identifier(heading) for heading in ("Id", "", "patient_ID", "acid", "grid size")]
    [True, True, True, False, False]
    """
    return (
        heading.lower() in _IDENTIFIERS
        or heading == "column 1"
        or bool(re.search(r"[ ._-]id$", heading.lower()))
    )


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
