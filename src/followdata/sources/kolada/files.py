"""Kolada's figures in files, as people have them: CSV, also gzipped, and exports of its web site.

A wide table has a row per municipality and a column per KPI, a long one a row per value, of all or
of women and men apart. Beside them may lie the catalogue of KPIs and lists of municipalities.
Files are known by their columns; JSON with "group" in its name holds the groups of municipalities,
as the API gives them.
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
from followdata.data import Layer, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.kolada.figures import KOLADA, PARTS, Figures, Indicator, Notice, is_kpi
from followdata.sources.kolada.groups import read_groups
from followdata.sources.kolada.workbook import Export, read_export
from followdata.sources.sweden import municipality_codes

_KINDS: Mapping[str, set[str]] = {
    "parts": {"kpi", "municipality_id", "period", "gender", "value"},
    "long": {"kpi", "municipality_id", "period", "value"},
    "catalogue": {"id", "title", "operating_area"},
    "counties": {"municipality_id", "municipality_name", "county_id"},
    "municipalities": {"id", "title", "type"},
}
_VALUES = ("wide", "long", "parts", "export")
"""The kinds of tables that hold figures."""
_WANTED = (
    "Wanted is a CSV file with the column municipality_id and a column for each KPI, such as "
    "N01951, or one with the columns kpi, municipality_id, period and value."
)
_MISSING = {"", "na", "nan", "null"}
_SPREADSHEETS = (".xlsx", ".xls", ".ods")
_ENDINGS = (".csv", ".csv.gz", *_SPREADSHEETS)


def _say_nothing(text: str) -> None:
    """The notice of a reader who wants none."""


def read_files(
    paths: Sequence[Path],
    year: int | None = None,
    *,
    retrieved: datetime | str = "",
    notice: Notice = _say_nothing,
) -> MemoryTable:
    """One year's figures from files, or from folders that hold files; what they hold of other
    years, and of women and men, as layers.

    They come from the wide tables of `year`, else from the long ones, else from exports of the web
    site; by default of the newest year there is. The year of a wide table is in its file's name;
    one without is of `year`. An export names figures and towns by their titles: a figure that the
    catalogue does not list by that title goes by it.

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
    _read_catalogues(sheets, figures)
    named = _Named.of(sheets, figures)
    for sheet in tables:
        _read(sheet, figures, named, main=True)
    if figures.empty:
        first = next(iter(figures.refused), "every cell is empty")
        raise InvalidInput(place, f"there is no number of {year}; {first}.")
    _read_municipalities(sheets, figures)
    others = [sheet for sheet in sheets if sheet not in tables or sheet.kind != "wide"]
    for sheet in sorted(others, key=lambda sheet: sheet.kind == "export"):
        _read(sheet, figures, named, main=False)
    _read_groups(groups, figures, notice)
    if not figures.catalogue:
        notice("There is no catalogue of KPIs, so they go by their identifiers.")
    names = listing([sheet.path.name for sheet in tables])
    held = [sheet.path.name for sheet in others if sheet.kind in _VALUES and sheet not in tables]
    if held and figures.others:
        names = f"{names}; other years, women and men from {listing(held)}"
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
        name = self.path.name
        for number, row in self.rows():
            place = f"{name}, row {number}"
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


Sheet = _Sheet | Export


def _group_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The JSON files that are called groups, among `paths` or in the folders there."""
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        yield from (file for file in inside if re.search(r"group.*\.json(\.gz)?$", file.name))


def _sheets(paths: Sequence[Path], notice: Notice) -> Iterator[Sheet]:
    """The tables that are known at `paths`; a folder may hold other files as well."""
    for path in paths:
        if path.is_dir():
            for inside in sorted(file for ending in _ENDINGS for file in path.glob(f"*{ending}")):
                try:
                    sheet = _sheet(inside)
                except InvalidInput as error:
                    notice(f"Passed over: {error}")
                    continue
                if sheet and sheet.kind:
                    yield sheet
        elif path.is_file():
            sheet = _sheet(path)
            if sheet and sheet.kind:
                yield sheet
            else:
                notice(f"Passed over: {path.name} has not the columns of a table of Kolada's.")
        else:
            raise InvalidInput(str(path), "there is no such file or folder.")


def _sheet(path: Path) -> Sheet | None:
    if path.suffix.casefold() in _SPREADSHEETS:
        return read_export(path)
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


def _tables(sheets: Sequence[Sheet], year: int | None, place: str) -> tuple[int, Sequence[Sheet]]:
    """The year to read, and the tables that hold it: the wide ones, else the long ones, else
    exports."""
    csvs = [sheet for sheet in sheets if isinstance(sheet, _Sheet)]
    wide = [sheet for sheet in csvs if sheet.kind == "wide" and (sheet.year or year)]
    long: list[Sheet] = [sheet for sheet in csvs if sheet.kind == "long"]
    long = long or [sheet for sheet in sheets if sheet.kind == "export"]
    years = {sheet.year or year for sheet in wide} or {y for sheet in long for y in sheet.periods}
    chosen = year or max((y for y in years if y), default=0)
    tables: list[Sheet] = [sheet for sheet in wide if (sheet.year or year) == chosen]
    tables = tables or [sheet for sheet in long if chosen in sheet.periods]
    if tables:
        return chosen, tables
    if any(sheet.kind == "wide" and not sheet.year for sheet in csvs):
        raise InvalidInput(place, "no file's name says of which year it is.", "Give the year.")
    held = {sheet.year for sheet in wide if sheet.year} | {
        y for sheet in long for y in sheet.periods
    }
    if held:
        latest = listing([str(y) for y in sorted(held, reverse=True)], 9)
        raise InvalidInput(place, f"there is no table for {year}.", f"There are: {latest}.")
    raise InvalidInput(place, "there is no table of Kolada's figures.", _WANTED)


@dataclass(frozen=True)
class _Named:
    """Figures and municipalities by the titles that exports know them by."""

    kpis: Mapping[str, str]
    codes: Mapping[str, str]

    @classmethod
    def of(cls, sheets: Sequence[Sheet], figures: Figures) -> _Named:
        if not any(sheet.kind == "export" for sheet in sheets):
            return cls({}, {})
        titles: dict[str, str] = {}
        for kpi, indicator in figures.catalogue.items():
            # Of two figures with one title neither is meant.
            title = _bare(indicator.title)
            titles[title] = "" if title in titles else kpi
        return cls(titles, municipality_codes())

    def kpi(self, title: str) -> str:
        """The KPI of that title, else the title itself."""
        return self.kpis.get(_bare(title)) or title

    def code(self, town: str) -> str:
        return self.codes.get(town.casefold(), "")


def _bare(title: str) -> str:
    """A title without the year in which the figure ended, and without regard to case."""
    return re.sub(r"\s*\(-\s?\d{4}\)\s*$", "", " ".join(title.split())).casefold()


def _read(sheet: Sheet, figures: Figures, named: _Named, *, main: bool) -> None:
    """Take in what a table holds of the figures' own year, or what it holds of others."""
    if isinstance(sheet, Export):
        _read_export(sheet, figures, named, main=main)
    elif sheet.kind == "wide":
        if main:
            _read_wide(sheet, figures)
        elif sheet.year != figures.year:
            _read_other_wide(sheet, figures)
    elif sheet.kind == "long" and main:
        _read_long(sheet, figures)
    elif sheet.kind in ("long", "parts") and not main:
        _read_other_long(sheet, figures)


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
                value = _number(row[at])
                if value is None:
                    continue
                if math.isnan(value):
                    _no_number(figures, f"{place}, column {kpi}", row[at])
                else:
                    figures.put(kpi, code, value, f"{sheet.path.name}, column {kpi}")


def _read_other_wide(sheet: _Sheet, figures: Figures) -> None:
    """Another year of the figures and municipalities that are known."""
    code_at, layer = sheet.columns.index("municipality_id"), Layer(str(sheet.year))
    name = sheet.path.name
    kpis = [(at, name) for at, name in enumerate(sheet.columns) if figures.values.get(name)]
    for place, row in sheet.whole_rows(figures):
        code = row[code_at].strip().zfill(4)
        if code in figures.municipalities:
            for at, kpi in kpis:
                value = _number(row[at])
                if value is None:
                    continue
                if math.isnan(value):
                    _no_number(figures, f"{place}, column {kpi}", row[at])
                else:
                    figures.put_other(layer, kpi, code, value, name)


def _read_long(sheet: _Sheet, figures: Figures) -> None:
    kpi_at, code_at, period_at, value_at = (
        sheet.columns.index(name) for name in ("kpi", "municipality_id", "period", "value")
    )
    year = str(figures.year)
    for place, row in sheet.whole_rows(figures):
        if row[period_at].strip() != year:
            continue
        kpi = row[kpi_at].strip()
        if not is_kpi(kpi):
            figures.refuse(f"{place}: “{kpi}” is not the identifier of a KPI")
            continue
        figures.values.setdefault(kpi, {})
        name = _cell(sheet, row, "municipality_name")
        # The same region or country comes once for each KPI: one reason for all its rows.
        code = figures.admit(row[code_at], name, sheet.path.name)
        value = _number(row[value_at]) if code else None
        if value is not None and math.isnan(value):
            _no_number(figures, place, row[value_at])
        elif value is not None:
            figures.put(kpi, code, value, place)


def _read_other_long(sheet: _Sheet, figures: Figures) -> None:
    """Other years, and women and men, of the figures and municipalities that are known."""
    kpi_at, code_at, period_at, value_at = (
        sheet.columns.index(name) for name in ("kpi", "municipality_id", "period", "value")
    )
    gender_at = sheet.columns.index("gender") if "gender" in sheet.columns else None
    layers: dict[tuple[str, str], Layer] = {}
    name = sheet.path.name
    for place, row in sheet.whole_rows(figures):
        kpi, code, period = (
            row[kpi_at].strip(),
            row[code_at].strip().zfill(4),
            row[period_at].strip(),
        )
        gender = "T" if gender_at is None else row[gender_at].strip().upper()
        known = figures.values.get(kpi) and code in figures.municipalities and period.isdecimal()
        if not known or (gender == "T" and period == str(figures.year)):
            continue
        if gender != "T" and gender not in PARTS:
            figures.refuse(f"{place}: “{row[gender_at or 0]}” is neither women nor men")
            continue
        value = _number(row[value_at])
        if value is not None and math.isnan(value):
            _no_number(figures, place, row[value_at])
        elif value is not None:
            if (period, gender) not in layers:
                layers[period, gender] = Layer(period, PARTS.get(gender, ""))
            figures.put_other(layers[period, gender], kpi, code, value, name)


def _read_export(sheet: Export, figures: Figures, named: _Named, *, main: bool) -> None:
    revised = 0
    for place, title, town, year, cell in sheet.values():
        if main != (year == figures.year):
            continue
        code, kpi = named.code(town), named.kpi(title)
        value = _number(str(cell)) if code else None
        if not code:
            figures.refuse(f"{sheet.path.name}: “{town}” is not the name of a municipality")
        elif value is None:
            continue
        elif math.isnan(value):
            _no_number(figures, place, str(cell))
        elif main:
            figures.admit(code, town, place)
            figures.put(kpi, code, value, place)
            figures.catalogue.setdefault(kpi, Indicator(title))
        elif figures.values.get(kpi) and code in figures.municipalities:
            layer = Layer(str(year))
            # Kolada revises values, and an export is as old as the day it was made.
            if math.isclose(figures.other(layer, kpi, code, default=value), value, rel_tol=1e-6):
                figures.put_other(layer, kpi, code, value, place)
            else:
                revised += 1
    if revised:
        figures.refuse(
            f"{sheet.path.name}: {revised} values that differ from those of the other files"
        )


def _cell(sheet: _Sheet, row: Sequence[str], column: str) -> str:
    return row[sheet.columns.index(column)] if column in sheet.columns else ""


def _number(cell: str) -> float | None:
    """The number in a cell; `None` for an empty one, NaN for what is no number."""
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None if cell.strip().casefold() in _MISSING else math.nan
    # Python alone reads 1_000 as a number.
    if math.isfinite(value) and "_" not in cell:
        return value
    return None if cell.strip().casefold() in _MISSING else math.nan


def _no_number(figures: Figures, place: str, cell: str) -> None:
    figures.refuse(f"{place}: “{cell.strip()}” is not a number")


def _read_catalogues(sheets: Sequence[Sheet], figures: Figures) -> None:
    csvs = [sheet for sheet in sheets if isinstance(sheet, _Sheet)]
    catalogues = [sheet for sheet in csvs if sheet.kind == "catalogue"]
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


def _read_municipalities(sheets: Sequence[Sheet], figures: Figures) -> None:
    """Titles and counties from the lists, for the municipalities that have values."""
    for sheet in sheets:
        if not isinstance(sheet, _Sheet) or sheet.kind not in ("counties", "municipalities"):
            continue
        for record in sheet.records():
            code = record.get("municipality_id") or record.get("id") or ""
            if code in figures.municipalities:
                title = record.get("municipality_name") or record.get("title") or ""
                figures.municipalities[code] = figures.municipalities[code] or title
                if "county_id" in record:
                    figures.counties[code] = record["county_id"].zfill(2)
