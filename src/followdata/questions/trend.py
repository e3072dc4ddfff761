"""The question "trend": counted events by year, and how much of their ups and downs is chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.counts import Bools, Counts
from followdata.core.yearly import Yearly, by_year
from followdata.data import TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Rows
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.counts import counts_of

EVERYWHERE = "everywhere"
PER = 100_000
_LEVEL = 0.05


def trend(
    data: TableData,
    fitted: None,
    *,
    place: Annotated[
        str, Rows("Everywhere, one group, or one place", title="Where", everyone=EVERYWHERE)
    ] = EVERYWHERE,
) -> Answer:
    """The events of all rows, of a group or of one row, year by year, with their uncertainty.

    Table `trend`: year, fires (the events counted, whatever they are), low and high (between
    which numbers the mean lies of which they are a draw, 95 %), steady (what one rate in all years
    would have given), inhabitants and rate (events per 100,000 inhabitants). Years in which nothing
    was counted are left out.

    Raises `NothingToAnswer` for data that count no events by year.
    """
    told = _Told.of(data, place)
    table = told.table()
    return Answer(
        sentence=" ".join(told.sentences()),
        tables={"trend": table},
        views=tuple(told.views(table)),
        notes=tuple(told.notes()),
    )


question = Question(
    name="trend",
    title="How many are there each year, {place}?",
    words="Events by year, with how far chance alone could have moved them: events come in "
    "clusters, so that more of the ups and downs is chance than one would think.",
    needs="table",
    answer=trend,
)


@dataclass(frozen=True)
class _Told:
    """The events of the chosen rows, by year."""

    data: TableData
    place: str
    counts: Counts
    chosen: Bools
    yearly: Yearly

    @classmethod
    def of(cls, data: TableData, place: str) -> _Told:
        counts, index = counts_of(data), data.names("obs")
        chosen = np.ones(len(index), dtype=bool)
        if place in index.names:
            chosen = np.arange(len(index)) == index.position(place)
        elif place != EVERYWHERE:
            chosen = np.asarray(data.labels("obs")[data.about.label] == place)
        try:
            yearly = by_year(counts, chosen)
        except ValueError:
            raise NothingToAnswer(f"Nothing was counted in {place}.") from None
        return cls(data, place, counts, chosen, yearly)

    @property
    def where(self) -> str:
        """The chosen rows within a sentence."""
        about = self.data.about
        if self.place != EVERYWHERE:
            return self.place
        return wording.count(int(self.chosen.sum()), about.thing, about.things)

    def events(self, number: float) -> str:
        about = self.data.about
        return wording.count(round(number), about.event or "event", about.events or "events")

    def table(self) -> Table:
        yearly, known = self.yearly, np.isfinite(self.yearly.events)
        events = (self.data.about.events or "events").capitalize()
        return Table.of(
            (Field("year", "Year", grouped=False), self.counts.years[known]),
            # The name by which programs find them, whatever is counted.
            (Field("fires", events), yearly.events[known].astype(int)),
            (Field("low", "Low", decimals=1), yearly.low[known]),
            (Field("high", "High", decimals=1), yearly.high[known]),
            (Field("steady", "At one rate in all years", decimals=1), yearly.steady[known]),
            (Field("inhabitants", "Inhabitants"), yearly.persons[known]),
            (
                Field("rate", f"Per {wording.number(PER)} inhabitants", decimals=2),
                PER * yearly.events[known] / yearly.persons[known],
            ),
            title="Year by year",
        )

    def sentences(self) -> Iterator[str]:
        yearly, years = self.yearly, self.counts.years
        known = np.flatnonzero(np.isfinite(yearly.events))
        total, first, last = float(np.nansum(yearly.events)), years[known[0]], years[known[-1]]
        were = "was" if total == 1 else "were"
        if len(known) == 1:
            yield f"{self.events(total)} {were} counted in {self.where} in {first}."
            return
        each = wording.number(round(total / len(known), 1 if total < 10 * len(known) else 0))
        yield (
            f"{self.events(total)} {were} counted in {self.where} from {first} to {last}, "
            f"{each} a year."
        )
        if total:
            yield from self._extremes(known)
            yield self._course()

    def _extremes(self, known: np.ndarray) -> Iterator[str]:
        events, years = self.yearly.events[known], self.counts.years[known]
        top, least = float(events.max()), float(events.min())
        if top == least:
            yield f"Each year had {wording.number(top)}."
            return

        def when(number: float) -> str:
            some = years[events == number]
            return f"in {some[0]}" if len(some) == 1 else f"in {len(some)} years"

        fewest = f"fewest {when(least)} ({wording.number(least)})" if least else f"none {when(0)}"
        yield f"Most were counted {when(top)} ({wording.number(top)}), {fewest}."

    def _course(self) -> str:
        """Whether the years differ, and whether in one direction."""
        yearly = self.yearly
        if yearly.p > _LEVEL:
            return (
                "Years with one and the same rate would differ as much by chance: there is no "
                "telling of any change."
            )
        if not np.isfinite(yearly.change):
            return "The years differ by more than chance."
        change = f"{_percent(yearly.change)} a year"
        span = f"between {_percent(yearly.change_low)} and {_percent(yearly.change_high)}"
        if yearly.change_low <= 1 <= yearly.change_high:
            return (
                "The years differ by more than chance, but not in one direction that can be told: "
                f"per inhabitant the trend is {change}, {span}."
            )
        way = "rarer" if yearly.change < 1 else "more frequent"
        return f"They have become {way}: per inhabitant by {change}, {span}."

    def views(self, table: Table) -> Iterator[View]:
        if len(table) < 2:
            return
        events = (self.data.about.events or "events").capitalize()
        where = "" if self.place == EVERYWHERE else f" in {self.place}"
        yield View(
            kind="ribbon",
            table="trend",
            channels={"x": "year", "mid": "fires", "low": "low", "high": "high", "line": "steady"},
            title=f"{events} by year{where}",
            description=f"A line of the {events.lower()} counted in each of {len(table)} years"
            f"{where}, with a band for chance, and what one rate in all years would have given.",
        )

    def notes(self) -> Iterator[str]:
        yearly, about = self.yearly, self.data.about
        yield (
            "The band holds the mean of which a year's number is a draw, 19 times of 20. Events "
            f"come in clusters: here numbers vary {wording.number(round(yearly.dispersion, 2))} "
            "times as much as independent events would, which is allowed for."
        )
        if np.isfinite(yearly.change):
            yield (
                "A trend is judged against how much years differ from one to the next, and against "
                "runs of such years; from so few years only a strong one can be told."
            )
        gaps = int((~self.counts.counted[self.chosen]).sum())
        if gaps:
            yield (
                f"{wording.count(gaps, 'year', 'years')} of single {about.things} were not counted "
                "and are left out; nothing stands in for them."
            )
        yield (
            f"Counted are {about.events or 'events'} as they were reported. More of them may also "
            "mean that more were reported, or judged to be such."
        )


def _percent(factor: float) -> str:
    """By how much a factor changes something.

    >>> _percent(1.011), _percent(0.97)
    ('+1.1\\xa0%', '−3.0\\xa0%')
    """
    return f"{100 * (factor - 1):+.1f}{wording.FIXED}%".replace("-", "−")
