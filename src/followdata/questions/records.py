"""The question "records": the coldest and the warmest for a date, its month, and ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core import extremes, seasons
from followdata.core.seasons import Days, Record
from followdata.data import SeriesData
from followdata.errors import NothingToAnswer
from followdata.parameters import Date
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    FEWEST_YEARS,
    STATION,
    Climate,
    days_of,
    degrees,
    fit_climate,
    iso,
    located,
    month_name,
    notes_on_record,
    number,
    spoken,
    to_date,
)

LATEST = 30
"""Years at the end of the record whose share of the records is told."""

_DECADE = 10
_FULL = 0.9  # of the days of a month or year, for it to count among the years


def records(
    data: SeriesData,
    fitted: Climate,
    *,
    station: Annotated[str, STATION],
    date: Annotated[str, Date("The day of the year; the year does not matter")],
) -> Answer:
    """The lowest and highest daily means, and how often each should be broken by chance alone.

    Table `records`: scope ("date", "month", "ever"), kind ("coldest", "warmest"), value (°C), when,
    n (years that count) and chance (that the next year breaks it in a climate that does not
    change, 1 / (n + 1)). Table `held`: for each decade, how many of the records of the 366 dates
    its years hold, and how many they would if all years were alike.

    Raises `NothingToAnswer` for a record of too few years.
    """
    record = fitted.record()
    if len(record.years) < FEWEST_YEARS:
        raise NothingToAnswer(
            f"The record has {len(record.years)} years, and {FEWEST_YEARS} are needed."
        )
    day = number(date)
    found = list(_found(record, day))
    holding = {kind: extremes.holders(record.grid, highest=kind == "warmest") for kind in _KINDS}
    held = _held(record.years, holding)
    latest = record.years > record.years[-1] - LATEST
    shares = {kind: extremes.held(holding[kind], latest) for kind in _KINDS}
    return Answer(
        sentence=located(fitted.place, _sentence(found, shares, record.years, day)),
        tables={"records": _table(found, day), "held": held},
        views=(_view(held),),
        notes=tuple(_notes(fitted, found, shares)),
    )


question = Question(
    name="records",
    title="What are the records for {date}?",
    words="The coldest and warmest day for a date, its month, and ever, how often each should be "
    "broken if the climate did not change, and which decades hold the records of all dates.",
    needs="series",
    fit=fit_climate,
    answer=records,
    version=3,
    fitted_as="climate",
)

_KINDS = ("coldest", "warmest")


@dataclass(frozen=True)
class _Record:
    """A record: its scope ("date", "month", "ever"), kind, value and day, among `n` years."""

    scope: str
    kind: str
    value: float
    day: int
    n: int

    @property
    def chance(self) -> float:
        return 1 / (self.n + 1)


def _found(record: Record, day: int) -> Iterator[_Record]:
    # The months of a leap year, in which each place of the calendar is a day.
    months = days_of(2000).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    scopes = {
        "date": seasons.slots(np.array([day])),
        "month": np.flatnonzero(months == to_date(day).month - 1),
        "ever": np.arange(seasons.SLOTS),
    }
    for scope, places in scopes.items():
        grid = record.grid[:, places]
        known = ~np.isnan(grid)
        if not known.any():
            continue
        counts = known.sum(axis=1)
        n = int(np.count_nonzero(counts >= _FULL * counts.max()))
        # Of equal values the first is the record.
        ends = {"coldest": np.nanargmin(grid), "warmest": np.nanargmax(grid)}
        for kind, end in ends.items():
            row, column = np.unravel_index(end, grid.shape)
            when = seasons.centres(record.years[[row]], places[[column]])[0, 0]
            yield _Record(scope, kind, float(grid[row, column]), int(when), n)


def _held(years: Days, holding: dict[str, Days]) -> Table:
    decades = years // _DECADE * _DECADE
    rows = []
    for decade in np.unique(decades):
        inside = decades == decade
        for kind in _KINDS:
            share = extremes.held(holding[kind], inside)
            rows.append((int(decade), kind, share.count, share.expected, share.low, share.high))
    columns = list(zip(*rows, strict=True))
    return Table.of(
        (Field("decade", "Decade from"), [str(decade) for decade in columns[0]]),
        (Field("kind", "Records"), columns[1]),
        (Field("count", "Dates whose record it holds"), columns[2]),
        (Field("expected", "If all years were alike", decimals=1), columns[3]),
        (Field("low", "Nine of ten from", decimals=1), columns[4]),
        (Field("high", "to", decimals=1), columns[5]),
        title="Which decades hold the records of the 366 dates",
    )


def _table(found: list[_Record], day: int) -> Table:
    words = {"date": spoken(day), "month": month_name(to_date(day).month), "ever": "ever"}
    return Table.of(
        (Field("scope", "Scope", code=True), [one.scope for one in found]),
        (Field("of", "Of"), [words[one.scope] for one in found]),
        (Field("kind", "Record"), [one.kind for one in found]),
        (Field("value", "Daily mean", "°C", decimals=1), [one.value for one in found]),
        (Field("when", "When"), [iso(one.day) for one in found]),
        (Field("n", "Years"), [one.n for one in found]),
        (Field("chance", "Chance of a new one a year", decimals=4), [one.chance for one in found]),
        title="The records, and how often they would fall in a climate that does not change",
    )


def _sentence(found: list[_Record], shares: dict[str, extremes.Held], years: Days, day: int) -> str:
    by = {(one.scope, one.kind): one for one in found}
    cold, warm = by.get(("date", "coldest")), by.get(("date", "warmest"))
    told = ""
    if cold and warm:
        told = (
            f"The coldest {spoken(day)} since {years[0]} was in {to_date(cold.day).year} with "
            f"{degrees(cold.value, 1)}, the warmest in {to_date(warm.day).year} with "
            f"{degrees(warm.value, 1)}; "
        )
        told += (
            "if the climate did not change, each would be broken about once in "
            f"{wording.count(cold.n + 1, 'year', 'years')}. "
        )
    since = years[-1] - LATEST + 1
    warmest, coldest = shares["warmest"], shares["coldest"]
    return (
        f"{told}Of all dates, the years since {since} hold {warmest.count} of the warm records and "
        f"{coldest.count} of the cold ones, where {warmest.expected:.0f} of each would be their "
        "share."
    )


def _view(held: Table) -> View:
    rows = held.records()
    most = {
        kind: max((row for row in rows if row["kind"] == kind), key=lambda row: row["count"] or 0)
        for kind in _KINDS
    }
    return View(
        kind="lines",
        table="held",
        channels={"x": "decade", "y": "count", "color": "kind"},
        title="Which decades hold the records of the 366 dates",
        description="Two lines by decade, one for the cold records and one for the warm: most of "
        f"the cold ones, {most['coldest']['count']}, are of the decade from "
        f"{most['coldest']['decade']}, most of the warm ones, {most['warmest']['count']}, of that "
        f"from {most['warmest']['decade']}.",
    )


def _notes(
    climate: Climate, found: list[_Record], shares: dict[str, extremes.Held]
) -> Iterator[str]:
    ranges = " and ".join(
        f"{share.low:.0f} to {share.high:.0f} of the {'warm' if kind == 'warmest' else 'cold'} ones"
        for kind, share in shares.items()
    )
    yield (
        "In a climate that does not change each of n years is as likely as any other to hold a "
        "record, so the next year breaks it once in n + 1 years. If all years were alike, any "
        f"{LATEST} of them would hold {ranges} in nine cases of ten."
    )
    yield (
        "Values are means of whole days; the coldest night and the warmest afternoon are not the "
        "record's to tell. Of equal values the first is the record."
    )
    yield from notes_on_record(climate)
