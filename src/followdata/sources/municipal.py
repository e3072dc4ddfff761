"""Some thirty figures of Swedish municipalities, as they were published with the school fires.

The table was compiled from Kolada and elsewhere, about 2010 to 2014, and published with the counts
of fires (Mikael Huss, swedish-school-fires). It says neither what its columns are exactly nor of
which year. What is said of them here was found by laying them beside Kolada's figures: where a
description names one, the two order the municipalities alike, to the rank correlation given.

In the file as it is published, 26 municipalities have values of others; see `MOVED`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from followdata.data import About, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.client import Provider
from followdata.sources.tables import read_number, read_rows

COMPILED = Provider(
    name="swedish-school-fires",
    url="https://github.com/hussius/swedish-school-fires",
    source="Indicators of municipalities compiled by Mikael Huss from Kolada and others",
    licence="None is stated for the table",
    citation="Mikael Huss, School fires in Sweden 1998 to 2014 (data set)",
)
POPULATION = "population"
THEME = "Förenklade indikatorer"


class _Column(NamedTuple):
    title: str
    title_en: str
    unit: str
    unit_en: str
    description: str
    description_en: str


def _goes_with(what: str, rho: str) -> tuple[str, str]:
    return (
        f"Följer Koladas {what} (rangkorrelation {rho.replace('.', ',')}).",
        f"Goes with Kolada's {what} (rank correlation {rho}).",
    )


_SATISFIED = (
    "Ur en medborgarundersökning som omkring hälften av kommunerna deltog i; skalan är inte "
    "angiven.",
    "From a survey of citizens that about half of the municipalities took part in; the scale is "
    "not stated.",
)
_REGISTERED = (
    "Registrerade fordon per 1 000 invånare, med kommunens folkmängd 2013.",
    "Registered vehicles per 1,000 inhabitants, by the population of 2013.",
)
_PERCENT = ("%", "%")
_PER_THOUSAND = ("antal/1000 inv", "per 1,000 inhabitants")
COLUMNS = {
    "medianIncome": _Column(
        "Medianinkomst", "Median income", "kr", "kronor", *_goes_with("N00905, 2012", "0.997")
    ),
    "youthUnemployment2010": _Column(
        "Ungdomsarbetslöshet 2010", "Unemployment among the young, 2010", *_PERCENT,
        *_goes_with("N03921, 2010", "0.98"),
    ),
    "youthUnemployment2013": _Column(
        "Ungdomsarbetslöshet 2013", "Unemployment among the young, 2013", *_PERCENT,
        *_goes_with("N03921, 2014", "0.91"),
    ),
    "unemployment2010": _Column(
        "Arbetslöshet 2010", "Unemployment, 2010", *_PERCENT, *_goes_with("N03920, 2010", "0.98")
    ),
    "unemployment2013": _Column(
        "Arbetslöshet 2013", "Unemployment, 2013", *_PERCENT, *_goes_with("N03920, 2014", "0.94")
    ),
    "unemploymentChange": _Column(
        "Förändrad arbetslöshet 2010 till 2013", "Change of unemployment from 2010 to 2013",
        "procentenheter", "percentage points",
        "Skillnaden mellan arbetslösheten 2013 och 2010.",
        "The difference between unemployment in 2013 and in 2010.",
    ),
    "reportedCrime": _Column(
        "Anmälda våldsbrott", "Reported violent crimes", "antal/100 000 inv",
        "per 100,000 inhabitants", *_goes_with("N07403, 2013", "0.999"),
    ),
    "populationChange": _Column(
        "Befolkningsförändring", "Change of population", *_PERCENT,
        *_goes_with("N01958 (fem år), 2014", "0.98"),
    ),
    "hasEducation": _Column(
        "Eftergymnasial utbildning", "Education beyond upper secondary school", *_PERCENT,
        *_goes_with("N01982, 2013", "0.99"),
    ),
    "asylumCosts": _Column(
        "Kostnad för flyktingmottagande", "Cost of receiving refugees", "kr/inv",
        "kronor per inhabitant", *_goes_with("N40007, 2014", "0.86"),
    ),
    "urbanDegree": _Column(
        "Tätortsgrad", "Share living in urban areas", *_PERCENT,
        "Samma värden som Koladas N00954.", "The same values as Kolada's N00954.",
    ),
    "satisfactionInfluence": _Column(
        "Nöjdhet med inflytande", "Satisfaction with influence", "", "", *_SATISFIED
    ),
    "satisfactionGeneral": _Column(
        "Nöjdhet med kommunen", "Satisfaction with the municipality", "", "", *_SATISFIED
    ),
    "satisfactionElderlyCare": _Column(
        "Nöjdhet med äldreomsorgen", "Satisfaction with care of the elderly", "", "", *_SATISFIED
    ),
    "foreignBorn": _Column(
        "Utrikes födda", "Born abroad", *_PERCENT,
        *_goes_with("N00221 (18-64 år), 2014", "0.99"),
    ),
    "reportedCrimeVandalism": _Column(
        "Anmäld skadegörelse", "Reported vandalism", *_PER_THOUSAND,
        *_goes_with("U07452, 2010", "0.91"),
    ),
    "youngUnskilled": _Column(
        "Unga med låg utbildning", "Young people with little education", *_PERCENT,
        *_goes_with("U01804, 2010", "0.97"),
    ),
    "latitude": _Column(
        "Latitud", "Latitude", "grader", "degrees", "Kommunens läge.",
        "Where the municipality lies.",
    ),
    "longitude": _Column(
        "Longitud", "Longitude", "grader", "degrees", "Kommunens läge.",
        "Where the municipality lies.",
    ),
    "population": _Column(
        "Folkmängd 2013", "Inhabitants in 2013", "", "", "Antal invånare i slutet av 2013.",
        "Number of inhabitants at the end of 2013.",
    ),
    "populationShare65plus": _Column(
        "Invånare 65 år och äldre", "Inhabitants aged 65 and over", *_PERCENT,
        *_goes_with("N01960, 2014", "0.997"),
    ),
    "refugees": _Column(
        "Mottagna flyktingar", "Refugees received", *_PER_THOUSAND,
        *_goes_with("N02006, 2010", "0.87"),
    ),
    "rentalApartments": _Column(
        "Hyreslägenheter", "Rented flats", *_PER_THOUSAND, *_goes_with("N07901, 2014", "0.96")
    ),
    "fokusRanking": _Column(
        "Fokus rangordning av kommuner", "Ranking of municipalities by the magazine Fokus",
        "plats", "place", "Plats 1 till 290 i tidskriftens rangordning av var det är bäst att bo.",
        "Place 1 to 290 in the magazine's ranking of where it is best to live.",
    ),
    "foretagsklimatRanking": _Column(
        "Företagsklimatets rangordning", "Ranking of the climate for business", "plats", "place",
        "Plats 1 till 290 i Svenskt Näringslivs rangordning.",
        "Place 1 to 290 in the ranking by the Confederation of Swedish Enterprise.",
    ),
    "cars": _Column("Bilar", "Cars", *_PER_THOUSAND, *_REGISTERED),
    "motorcycles": _Column("Motorcyklar", "Motorcycles", *_PER_THOUSAND, *_REGISTERED),
    "tractors": _Column("Traktorer", "Tractors", *_PER_THOUSAND, *_REGISTERED),
    "snowmobiles": _Column("Snöskotrar", "Snowmobiles", *_PER_THOUSAND, *_REGISTERED),
}  # fmt: skip
"""What the columns are, in Swedish and in English."""

LABELS = {
    "municipalityType": "municipality type",
    "municipalityTypeBroad": "broad type",
    "governing": "governed by",
}
"""The columns that hold words, and the labels of rows that they become."""

MOVED = (
    *("medianIncome", "reportedCrime", "populationChange", "hasEducation", "asylumCosts"),
    *("urbanDegree", "foreignBorn", "reportedCrimeVandalism", "population"),
    "populationShare65plus",
)
"""The columns that went astray together with the population: in the 26 rows they agree with what
Kolada has for the municipality whose population stands there, not with what it has for the row's
own."""
PER_HEAD = ("cars", "motorcycles", "tractors", "snowmobiles")
"""Numbers of the row's own municipality, divided by the thousands of whatever population stands
there: in all 290 rows the product of the two is a whole number."""
UNCLEAR = ("satisfactionInfluence", "satisfactionGeneral", "satisfactionElderlyCare")
"""Columns with so many gaps, and so little that goes with them, that nobody can say whose values
stand in the 26 rows."""


def read(path: Path, *, retrieved: datetime | str = "") -> MemoryTable | None:
    """The table as it is in a file, NaN where there is no value; `None` for any other file.

    Municipalities, found by code too, x the columns of `COLUMNS` that the file has.

    Raises `InvalidInput` for a value that is no number, or a municipality that comes twice.
    """
    if not path.name.casefold().endswith((".csv", ".csv.gz")):
        return None
    rows = read_rows(path)
    at = {heading: number for number, heading in enumerate(rows.headings)}
    measures = [name for name in COLUMNS if name in at]
    if not {"code", "name", "medianIncome", POPULATION} <= at.keys():
        return None
    X = np.empty((len(rows.fields), len(measures)))
    for row, (line, fields) in enumerate(zip(rows.lines, rows.fields, strict=True)):
        for column, name in enumerate(measures):
            text = fields[at[name]]
            # Where a survey gave no number the table has a dash, where there was none NA.
            value = read_number("" if text == "-" else text, decimal_comma=rows.decimal_comma)
            if value is None:
                raise InvalidInput(
                    str(path), f"“{text}” is not a number.", where=f"line {line}, column {name}"
                )
            X[row, column] = value
    names = [fields[at["name"]] for fields in rows.fields]
    if len(set(names)) < len(names):
        raise InvalidInput(str(path), "a municipality comes twice.")
    words = {new: old for old, new in LABELS.items() if old in at}
    columns = [COLUMNS[name] for name in measures]
    return MemoryTable(
        X,
        names,
        measures,
        About("Municipalities, compiled", "municipality", "municipalities", lang="sv"),
        obs={
            "id": np.array([fields[at["code"]].zfill(4) for fields in rows.fields]),
            **{
                new: np.array([fields[at[old]] for fields in rows.fields])
                for new, old in words.items()
            },
        },
        var={
            **{
                field: np.array([getattr(column, field) for column in columns])
                for field in _Column._fields
            },
            "id": np.array([column.title_en for column in columns]),
            "theme": np.full(len(measures), THEME),
        },
        provenance=replace(COMPILED, source=f"{COMPILED.source}, read from {path.name}").provenance(
            retrieved
        ),
    )
