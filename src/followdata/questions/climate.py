"""The question "climate": a year against the usual range of each of its days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core import seasons
from followdata.core.seasons import Days, Floats
from followdata.data import SeriesData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Number, Text
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    FEWEST_YEARS,
    PERCENTS,
    RIBBON,
    STATION,
    Climate,
    days_of,
    degrees,
    fit_climate,
    iso,
    located,
    notes_on_record,
    number,
    spoken,
    usual_fields,
)

MOST_YEARS = 6
"""Years that can be told apart in one picture."""

_TENTH = 0.1


def climate(
    data: SeriesData,
    fitted: Climate,
    *,
    station: Annotated[str, STATION],
    year: Annotated[
        int | None, Number("The year that is judged; by default the last", 1000, 3000, whole=True)
    ] = None,
    others: Annotated[
        str | None, Text("Other years to draw beside it, such as 1963, 2018", title="Other years")
    ] = None,
) -> Answer:
    """The daily means of `year` against the percentiles of each day in the climate of then.

    Table `climate`: day, p5 to p95 (°C), and a column for each year drawn, `y2024` and so on.
    Table `tenths`: for the coldest and the warmest tenth of each day of the year, how many days of
    `year` fall in it, how many would, and what 90 % of the years before had, brought to then.

    Raises `NothingToAnswer` where too few years lie before, `InvalidParameter` for a year that the
    record does not have.
    """
    last = int(fitted.record().years[-1])
    judged = _Year.of(fitted, last if year is None else year, "year")
    drawn = [judged, *(_Year.of(fitted, other, "others") for other in _listed(others, judged))]
    if len(drawn) > MOST_YEARS:
        raise InvalidParameter("others", f"at most {MOST_YEARS - 1} can be told apart.")
    usual = _usual(fitted, judged)
    tenths = _tenths(fitted, judged, usual)
    return Answer(
        sentence=located(fitted.place, _sentence(judged, usual, tenths)),
        tables={"tenths": tenths, "climate": _table(drawn, usual)},
        views=(_view(drawn, usual),),
        notes=tuple(_notes(fitted, judged)),
    )


question = Question(
    name="climate",
    title="How has the year been?",
    words="The usual range of every day of the year, as a ribbon, with a year drawn into it and "
    "any others beside it.",
    needs="series",
    fit=fit_climate,
    answer=climate,
    version=3,
    fitted_as="climate",
)


@dataclass(frozen=True)
class _Year:
    """A year of the record: its days, and their means, NaN where missing."""

    year: int
    days: Days
    values: Floats

    @classmethod
    def of(cls, climate: Climate, year: int, parameter: str) -> _Year:
        record = climate.record()
        days = days_of(year)
        inside = (days >= record.first) & (days <= climate.last())
        values = np.full(len(days), np.nan)
        values[inside] = record.values[days[inside] - record.first]
        if np.isnan(values).all():
            first, last = record.years[0], record.years[-1]
            raise InvalidParameter(
                parameter, f"the record has nothing of {year}.", f"It runs from {first} to {last}."
            )
        return cls(year, days, values)

    @property
    def known(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.values)))


def _listed(others: str | None, judged: _Year) -> list[int]:
    years = [word for word in re.split(r"[\s,;]+", others or "") if word]
    if not all(re.fullmatch(r"\d{4}", word) for word in years):
        raise InvalidParameter("others", f"“{others}” is no list of years.", "As 1963, 2018.")
    return [year for year in dict.fromkeys(map(int, years)) if year != judged.year]


def _usual(climate: Climate, judged: _Year) -> Floats:
    """`PERCENTS` of each day of the year, by what was before it (days x percentiles)."""
    record = climate.record()
    before = int(np.count_nonzero(record.years < judged.year))
    if before < FEWEST_YEARS:
        raise NothingToAnswer(
            f"{before} years of the record lie before {judged.year}, and {FEWEST_YEARS} are needed."
        )
    # At the end of its winter: the weeks before it are usual or not by all of the last one.
    return climate.normals(int(judged.days[0]) + seasons.WINTER + 1)[1]


def _tenths(climate: Climate, judged: _Year, usual: Floats) -> Table:
    names = [f"p{percent:.0f}" for percent in PERCENTS]
    cold, warm = usual[:, names.index("p10")], usual[:, names.index("p90")]
    known = ~np.isnan(judged.values)
    counts = [int(np.sum(judged.values < cold)), int(np.sum(judged.values > warm))]
    ranges = _before(climate, judged, cold, warm, known)
    return Table.of(
        (Field("tenth", "Among the"), ["coldest tenth", "warmest tenth"]),
        (Field("days", "Days"), counts),
        (Field("expected", "Usual", decimals=0), [_TENTH * judged.known] * 2),
        (Field("low", "Nine years of ten from", decimals=0), [r[0] for r in ranges]),
        (Field("high", "to", decimals=0), [r[1] for r in ranges]),
        title=f"Days of {judged.year} among the coldest and warmest tenth of their time of year",
    )


def _before(
    climate: Climate, judged: _Year, cold: Floats, warm: Floats, known: npt.NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """How many such days the years before had, each day brought to the climate of `judged`."""
    places = seasons.slots(judged.days)
    brought = seasons.days_of_today(climate.record(), judged.year, places)
    there = ~np.isnan(brought) & known
    share = there.sum(axis=1)
    full = share > 0.8 * known.sum()
    if not full.any():
        return [(float("nan"), float("nan"))] * 2
    scale = known.sum() / share[full]
    found = []
    for beyond in (brought < cold, brought > warm):
        counts = (beyond & there).sum(axis=1)[full] * scale
        found.append((float(np.quantile(counts, 0.05)), float(np.quantile(counts, 0.95))))
    return found


def _table(drawn: list[_Year], usual: Floats) -> Table:
    judged = drawn[0]
    columns = []
    for one in drawn:
        by_place = dict(zip(seasons.slots(one.days).tolist(), one.values.tolist(), strict=True))
        # The 29th of February of another year has no place in a common one.
        own = [by_place.get(place, float("nan")) for place in seasons.slots(judged.days).tolist()]
        columns.append((Field(f"y{one.year}", str(one.year), "°C", decimals=1), own))
    return Table.of(
        (Field("day", "Day"), [iso(int(day)) for day in judged.days]),
        *zip(usual_fields(), usual.T.tolist(), strict=True),
        *columns,
        title="Each day, and its usual range",
    )


def _sentence(judged: _Year, usual: Floats, tenths: Table) -> str:
    known = ~np.isnan(judged.values)
    middle = usual[:, PERCENTS.tolist().index(50.0)]
    warmer = float(np.mean(judged.values[known] > middle[known]))
    part = "" if judged.known >= len(judged.days) - 7 else (
        f" up to {spoken(int(judged.days[known][-1]))}"
    )  # fmt: skip
    cold, warm = tenths.columns["days"]
    expected = f"{_TENTH * judged.known:.0f}"
    off = np.where(known, judged.values - middle, np.nan)
    far = int(np.nanargmax(np.abs(off)))
    way = "above" if off[far] > 0 else "below"
    return (
        f"In {judged.year}{part}, {wording.share(warmer)} of the days were warmer than the middle "
        f"of their time of year; {warm} were among the warmest tenth and {cold} among the coldest, "
        f"where {expected} of each are usual. The furthest off was {spoken(int(judged.days[far]))} "
        f"with {degrees(float(judged.values[far]), 1)}, {degrees(abs(float(off[far])), 1)} {way} "
        "the middle."
    )


def _view(drawn: list[_Year], usual: Floats) -> View:
    names = [str(one.year) for one in drawn]
    july, january = (
        usual[seasons.slots(drawn[0].days) == place][0]
        for place in seasons.slots(np.array([number("2023-07-15"), number("2023-01-15")]))
    )
    return View(
        kind="ribbon",
        table="climate",
        channels=RIBBON | {f"line_{one.year}": f"y{one.year}" for one in drawn},
        title=f"{' and '.join(names)} in the usual range of each day",
        description="A band for each day of the year within which nine days of ten lie, and a "
        f"darker one for every second day: in the middle of January from {degrees(january[0], 1)} "
        f"to {degrees(january[-1], 1)}, in the middle of July from {degrees(july[0], 1)} to "
        f"{degrees(july[-1], 1)}. Drawn into it: {', '.join(names)}.",
    )


def _notes(climate: Climate, judged: _Year) -> Iterator[str]:
    yield (
        f"The usual range is that of the climate of {judged.year}, by what was before it: up to "
        f"{seasons.TODAY_YEARS} years, each brought along the smoothed trends of its season. "
        "Unusual days come in spells, so their number differs from year to year by much more than "
        "chance with single days would make it; the range in the table is that of those years."
    )
    if missing := len(judged.days) - judged.known:
        have = wording.count(missing, "day has", "days have")
        yield f"Of {judged.year}, {have} no value."
    yield from notes_on_record(climate)
