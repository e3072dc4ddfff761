"""Kolada's figures in files, as people have them: CSV, also gzipped.

A wide table has a row per municipality and a column per KPI, a long one a row per value. Beside
them may lie the catalogue of KPIs and lists of municipalities. Files are known by their columns;
JSON with "group" in its name holds the groups of municipalities, as the API gives them.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import IO

from followdata.answer import listing
from followdata.data import MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.kolada.figures import KOLADA, Figures, Indicator, Notice, is_kpi
from followdata.sources.kolada.groups import read_groups

_KINDS: Mapping[str, set[str]] = {
    "long": {"kpi", "municipality_id", "period", "value"},
    "catalogue": {"id", "title", "operating_area"},
    "counties": {"municipality_id", "municipality_name", "county_id"},
    "municipalities": {"id", "title", "type"},
}
_WANTED = (
    "Wanted is a CSV file with the column municipality_id and a column for each KPI, such as "
    "N01951, or one with the columns kpi, municipality_id, period and value."
)
_MISSING = {"", "na", "nan", "null"}


def _say_nothing(text: str) -> None:
    """The notice of a reader who wants none."""


def read_files(
    paths: Sequence[Path],
    year: int | None = None,
    *,
    retrieved: datetime | str = "",
    notice: Notice = _say_nothing,
) -> MemoryTable:
    """One year's figures from files, or from folders that hold files.

    They come from the wide tables of `year`, else from the long ones; by default of the newest
    year there is. The year of a wide table is in its file's name; one without is of `year`.

    Municipalities x KPIs; an empty cell, NA, NaN or null is missing. Rows and cells that cannot be
    read are left out, and the provenance says which. Without a catalogue a KPI's title is its
    identifier; without a list of counties the municipality's code says in which it is.

    Raises `InvalidInput` where there is no such table, or no number in it.
    """
    groups = list(_group_files(paths))
    sheets = list(_sheets([path for path in paths if path not in groups], notice))
    place = ", ".join(str(path) for path in paths)
    year, tables = _tables(sheets, year, place)
    figures = Figures(year)
    for sheet in tables:
        (_read_wide if sheet.kind == "wide" else _read_long)(sheet, figures)
    if figures.empty:
        first = next(iter(figures.refused), "every cell is empty")
        raise InvalidInput(place, f"there is no number of {year}; {first}.")
    _read_catalogues(sheets, figures)
    _read_municipalities(sheets, figures)
    _read_groups(groups, figures, notice)
    if not figures.catalogue:
        notice("There is no catalogue of KPIs, so they go by their identifiers.")
    names = listing([sheet.path.name for sheet in tables])
    provider = replace(KOLADA, source=f"{KOLADA.source}, read from {names}")
    return figures.table(provider, retrieved=retrieved, notice=notice)


@dataclass(frozen=True)
class _Sheet:
    """A CSV file, known by its columns."""

    path: Path
    columns: Sequence[str]
    delimiter: str

    @property
    def kind(self) -> str:
        """Which of the tables it is; "" for none."""
        columns = {*self.columns}
        if "municipality_id" in columns and any(map(is_kpi, columns)):
            return "wide"
        if "gender" in columns:
            return ""  # women and men apart
        return next((kind for kind, needed in _KINDS.items() if needed <= columns), "")

    @property
    def year(self) -> int | None:
        """The year in the file's name."""
        found = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", self.path.name)
        return int(found[0]) if found else None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header with their numbers; the header is row 1."""
        with _reading(self.path) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader, None)
            for number, row in enumerate(reader, 2):
                if row:
                    yield number, row

    def whole_rows(self, figures: Figures) -> Iterator[tuple[str, list[str]]]:
        """The rows that have a cell for each column, each with its place in words."""
        for number, row in self.rows():
            place = f"{self.path.name}, row {number}"
            if len(row) == len(self.columns):
                yield place, row
            else:
                figures.refuse(f"{place}: has {len(row)} cells for {len(self.columns)} columns")

    def records(self) -> Iterator[dict[str, str]]:
        """The rows by column."""
        for _, row in self.rows():
            if len(row) == len(self.columns):
                yield dict(zip(self.columns, row, strict=True))

    @cached_property
    def periods(self) -> set[int]:
        """The years of a long table."""
        at = self.columns.index("period")
        periods = {row[at].strip() for _, row in self.rows() if at < len(row)}
        return {int(period) for period in periods if period.isdecimal()}


def _group_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The JSON files that are called groups, among `paths` or in the folders there."""
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        yield from (file for file in inside if re.search(r"group.*\.json(\.gz)?$", file.name))


def _sheets(paths: Sequence[Path], notice: Notice) -> Iterator[_Sheet]:
    """The tables that are known at `paths`; a folder may hold other files as well."""
    for path in paths:
        if path.is_dir():
            for inside in sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")]):
                try:
                    sheet = _sheet(inside)
                except InvalidInput as error:
                    notice(f"Passed over: {error}")
                    continue
                if sheet.kind:
                    yield sheet
        elif path.is_file():
            sheet = _sheet(path)
            if sheet.kind:
                yield sheet
            else:
                notice(f"Passed over: {path.name} has not the columns of a table of Kolada's.")
        else:
            raise InvalidInput(str(path), "there is no such file or folder.")


def _sheet(path: Path) -> _Sheet:
    with _reading(path) as file:
        line = file.readline()
        delimiter = max(",;\t", key=line.count)
        columns = next(csv.reader([line], delimiter=delimiter), [])
    return _Sheet(path, tuple(column.strip() for column in columns), delimiter)


@contextmanager
def _reading(path: Path) -> Iterator[IO[str]]:
    """A text file, gzipped or not; what is wrong with it is said with its name."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        opened = gzip.open if zipped else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        raise InvalidInput(str(path), "this is not text in UTF-8.", "Save it as CSV.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(str(path), f"the file is cut short or damaged ({error}).") from None
    except csv.Error as error:
        raise InvalidInput(str(path), f"this is not CSV ({error}).") from None
    except OSError as error:
        raise InvalidInput(str(path), f"it cannot be read ({error.strerror}).") from None


def _tables(sheets: Sequence[_Sheet], year: int | None, place: str) -> tuple[int, Sequence[_Sheet]]:
    """The year to read, and the tables that hold it: the wide ones, else the long ones."""
    wide = [sheet for sheet in sheets if sheet.kind == "wide" and (sheet.year or year)]
    long = [sheet for sheet in sheets if sheet.kind == "long"]
    years = {sheet.year or year for sheet in wide} or {y for sheet in long for y in sheet.periods}
    chosen = year or max((y for y in years if y), default=0)
    tables = [sheet for sheet in wide if (sheet.year or year) == chosen]
    tables = tables or [sheet for sheet in long if chosen in sheet.periods]
    if tables:
        return chosen, tables
    if any(sheet.kind == "wide" and not sheet.year for sheet in sheets):
        raise InvalidInput(place, "no file's name says of which year it is.", "Give the year.")
    held = {sheet.year for sheet in wide if sheet.year} | {
        y for sheet in long for y in sheet.periods
    }
    if held:
        latest = listing([str(y) for y in sorted(held, reverse=True)], 9)
        raise InvalidInput(place, f"there is no table for {year}.", f"There are: {latest}.")
    raise InvalidInput(place, "there is no table of Kolada's figures.", _WANTED)


def _read_wide(sheet: _Sheet, figures: Figures) -> None:
    code_at = sheet.columns.index("municipality_id")
    kpis = [(at, name) for at, name in enumerate(sheet.columns) if is_kpi(name)]
    for _, kpi in kpis:
        figures.values.setdefault(kpi, {})
    read: set[str] = set()
    for place, row in sheet.whole_rows(figures):
        code = figures.admit(row[code_at], _cell(sheet, row, "municipality_name"), place)
        if code in read:
            figures.refuse(f"{place}: {figures.title(code)} ({code}) has had a row before")
        elif code:
            read.add(code)
            for at, kpi in kpis:
                _put(figures, kpi, code, row[at], f"{place}, column {kpi}")


def _read_long(sheet: _Sheet, figures: Figures) -> None:
    kpi_at, code_at, period_at, value_at = (
        sheet.columns.index(name) for name in ("kpi", "municipality_id", "period", "value")
    )
    for place, row in sheet.whole_rows(figures):
        if row[period_at].strip() != str(figures.year):
            continue
        kpi = row[kpi_at].strip()
        if not is_kpi(kpi):
            figures.refuse(f"{place}: “{kpi}” is not the identifier of a KPI")
            continue
        figures.values.setdefault(kpi, {})
        name = _cell(sheet, row, "municipality_name")
        # The same region or country comes once for each KPI: one reason for all its rows.
        code = figures.admit(row[code_at], name, sheet.path.name)
        if code:
            _put(figures, kpi, code, row[value_at], place)


def _cell(sheet: _Sheet, row: Sequence[str], column: str) -> str:
    return row[sheet.columns.index(column)] if column in sheet.columns else ""


def _put(figures: Figures, kpi: str, code: str, cell: str, place: str) -> None:
    text = cell.strip()
    if text.casefold() in _MISSING:
        return
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Python alone reads 1_000 as a number.
    if math.isfinite(value) and "_" not in text:
        figures.put(kpi, code, value, place)
    else:
        figures.refuse(f"{place}: “{text}” is not a number")


def _read_catalogues(sheets: Sequence[_Sheet], figures: Figures) -> None:
    catalogues = [sheet for sheet in sheets if sheet.kind == "catalogue"]
    # The catalogue of API v3 first; older ones, with `auspices`, know KPIs that it has dropped.
    for sheet in sorted(catalogues, key=lambda sheet: "auspices" in sheet.columns):
        for record in sheet.records():
            figures.catalogue.setdefault(record["id"], Indicator.read(record))


def _read_groups(paths: Sequence[Path], figures: Figures, notice: Notice) -> None:
    for path in paths:
        try:
            figures.similar.update(read_groups(path))
        except InvalidInput as error:
            notice(f"Passed over: {error}")


def _read_municipalities(sheets: Sequence[_Sheet], figures: Figures) -> None:
    """Titles and counties from the lists, for the municipalities that have values."""
    for sheet in sheets:
        if sheet.kind not in ("counties", "municipalities"):
            continue
        for record in sheet.records():
            code = record.get("municipality_id") or record.get("id") or ""
            if code in figures.municipalities:
                title = record.get("municipality_name") or record.get("title") or ""
                figures.municipalities[code] = figures.municipalities[code] or title
                if "county_id" in record:
                    figures.counties[code] = record["county_id"].zfill(2)
