"""The question "typical": what a day of the year is usually like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core import seasons
from followdata.core.seasons import Reference
from followdata.data import SeriesData
from followdata.errors import NothingToAnswer
from followdata.parameters import Date
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    DAYS,
    FEWEST_TREND_YEARS,
    FEWEST_YEARS,
    STATION,
    Climate,
    degrees,
    fit_climate,
    iso,
    located,
    notes_on_record,
    number,
    part_of_day,
    spoken,
    to_date,
)

_PERCENTS = (5, 25, 50, 75, 95)


def typical(
    data: SeriesData,
    fitted: Climate,
    *,
    station: Annotated[str, STATION],
    date: Annotated[str, Date("The day of the year; its year says of which climate")],
) -> Answer:
    """What the days around the day of the year of `date` are like in the climate of then.

    Table `typical`: compared (daily means, or the hour), reference ("today", or "all-years" as they
    were), the percentiles p5, p25, p50, p75 and p95 in °C, low and high (the 90 % band of p50), n
    and since. Table `spread`: how many daily means lie at each degree.

    Raises `NothingToAnswer` where too few years lie before the date.
    """
    day = number(date)
    rows = [row for grain in fitted.grains for row in _rows(fitted, grain, day)]
    if not rows or rows[0].grain != DAYS:
        raise NothingToAnswer(
            f"Fewer than {FEWEST_YEARS} years of the record lie before {iso(day)}.",
            f"It runs from {iso(fitted.record().first)} to {iso(fitted.last())}.",
        )
    main, spread = rows[0], _spread(rows[0].reference)
    return Answer(
        sentence=located(fitted.place, _sentence(fitted, day, rows)),
        tables={"typical": _table(rows, day), "spread": spread},
        views=(_view(main, day, spread),),
        notes=tuple(_notes(fitted, main, day)),
    )


question = Question(
    name="typical",
    title="What is it usually like on {date}?",
    words="The temperatures of the days around a day of the year: their middle, what half of them "
    "lie between, and nine of ten, in today's climate and in all years of the record.",
    needs="series",
    fit=fit_climate,
    answer=typical,
    version=3,
    fitted_as="climate",
)


@dataclass(frozen=True)
class _Row:
    """The values of one grain by one reference."""

    grain: str
    things: str
    name: str
    reference: Reference

    @cached_property
    def percentiles(self) -> list[float]:
        known = self.reference.values[~np.isnan(self.reference.values)][None, :]
        return [float(x) for x in seasons.percentiles(known, np.array(_PERCENTS))[0]]

    @cached_property
    def middle(self) -> tuple[float, float, float]:
        """The middle, and the band within which it is known."""
        return seasons.quantile(self.reference, 50)


def _rows(climate: Climate, grain: str, day: int) -> Iterator[_Row]:
    record = climate.record(grain)
    things = "daily means" if grain == DAYS else part_of_day(grain, climate.zone, day)
    today = seasons.climate_of_today(record, day)
    if len(today.years) >= FEWEST_TREND_YEARS:
        yield _Row(grain, things, "today", today)
    everything = seasons.all_years(record, day)
    if len(everything.years) >= FEWEST_YEARS:
        yield _Row(grain, things, "all-years", everything)


def _table(rows: list[_Row], day: int) -> Table:
    bands = [row.middle[1:] for row in rows]
    names = {"today": "today", "all-years": "all years"}
    percentiles = list(zip(*(row.percentiles for row in rows), strict=True))
    return Table.of(
        (Field("compared", "Of"), [row.things for row in rows]),
        (Field("reference", "Reference", code=True), [row.name for row in rows]),
        (Field("in", "In"), [names[row.name] for row in rows]),
        *(
            (Field(f"p{percent}", f"{percent} %", "°C", decimals=1), column)
            for percent, column in zip(_PERCENTS, percentiles, strict=True)
        ),
        (Field("low", "50 % from", "°C", decimals=1), [band[0] for band in bands]),
        (Field("high", "to", "°C", decimals=1), [band[1] for band in bands]),
        (Field("n", "Values"), [row.reference.n for row in rows]),
        (Field("since", "Since"), [str(row.reference.years[0]) for row in rows]),
        title=f"The days around {spoken(day)}: so many in a hundred are colder than this",
    )


def _spread(reference: Reference) -> Table:
    known = reference.values[~np.isnan(reference.values)]
    edges = np.arange(np.floor(known.min()), np.ceil(known.max()) + 1.5)
    counts, _ = np.histogram(known, bins=edges)
    return Table.of(
        (Field("value", "Temperature", "°C", decimals=1), (edges[:-1] + 0.5).tolist()),
        (Field("count", "Days"), counts.tolist()),
        title="How many days lie at each degree",
    )


def _sentence(climate: Climate, day: int, rows: list[_Row]) -> str:
    main = rows[0]
    p5, p25, p50, p75, p95 = main.percentiles
    era = _era(climate, main, day)
    told = (
        f"Around {spoken(day)} half of the days lie between {_plain(p25)} and {degrees(p75, 1)} "
        f"{era}, the middle is {degrees(p50, 1)}, and nine of ten lie between {_plain(p5)} and "
        f"{degrees(p95, 1)}"
    )
    hours = [row for row in rows if row.grain != DAYS and row.name == main.name]
    if hours:
        each = ", ".join(f"{row.things} {degrees(row.percentiles[2], 1)}" for row in hours)
        told += f" as daily means ({each})"
    if len(rows) > 1 and main.name == "today":
        before = rows[1]
        change = p50 - before.percentiles[2]
        way = "warmer" if change >= 0 else "colder"
        since = before.reference.years[0]
        told += f". That is {degrees(abs(change), 1)} {way} than in all years since {since}"
    return f"{told}."


def _plain(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _era(climate: Climate, row: _Row, day: int) -> str:
    if row.name == "all-years":
        return f"in the years since {row.reference.years[0]}"
    if day > climate.last():
        return "in today's climate"
    return f"in the climate of {to_date(day).year}"


def _view(main: _Row, day: int, spread: Table) -> View:
    middle = main.percentiles[2]
    most = max(range(len(spread)), key=lambda place: spread.columns["count"][place] or 0)
    return View(
        kind="distribution",
        table="spread",
        channels={"value": "value", "count": "count"},
        title=f"The daily means around {spoken(day)}",
        description=f"A histogram of {main.reference.n} daily means: most lie around "
        f"{degrees(float(spread.columns['value'][most] or 0))}, the middle, which is marked, at "
        f"{degrees(middle, 1)}.",
        options={"mark": middle, "mark_label": f"middle {degrees(middle, 1)}"},
    )


def _notes(climate: Climate, main: _Row, day: int) -> Iterator[str]:
    value, low, high = main.middle
    yield (
        f"The middle, {degrees(value, 1)}, is known to lie between {_plain(low)} and "
        f"{degrees(high, 1)} (a 90{wording.FIXED}% band): the "
        f"{wording.count(main.reference.n, 'day', 'days')} of "
        f"{wording.count(len(main.reference.years), 'year', 'years')} are worth about "
        f"{main.reference.effective(0.5):.0f} independent ones."
    )
    if main.name == "today":
        yield (
            f"The climate is that of {len(main.reference.years)} years, each brought along the "
            "smoothed trends of its season to where it is then. Nothing later is used."
        )
    else:
        yield f"Fewer than {FEWEST_TREND_YEARS} years lie before this day, too few for a trend."
    yield from notes_on_record(climate)
