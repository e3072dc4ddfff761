"""The question "town": one place's events, what would be expected of it, and what is around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.counts import Counts
from followdata.core.normal import normal_scores
from followdata.core.rates import Rates
from followdata.core.twins import find_twins, fold
from followdata.core.yearly import dispersion_of, interval, span
from followdata.data import Floats, TableData
from followdata.parameters import Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.counts import COORDINATES, Around, around, counts_of
from followdata.questions.measures import Measures
from followdata.questions.rates import PER, fit_rates

ALIKE = 30
"""How many rows nearest in size a row's other figures are set against."""
_SCREENED = 60
_STRIKING = 1.0


def town(
    data: TableData,
    fitted: Rates,
    *,
    thing: Annotated[str, Row("Which one")],
    top: Annotated[int, Number("How many other figures to show", 0, 50, whole=True)] = 8,
) -> Answer:
    """One row's events by year, beside what the rate of all rows would give, and its surroundings.

    Table `town`: year, fires (the events counted, whatever they are), expected (by the rate of all
    rows together in that year and the row's inhabitants), low and high (between which such a number
    lies, 95 %) and outside (whether the counted one does not). Table `compared`: whom, rate, low,
    high per 100,000 inhabitants and year: the row's own rate as estimated and as counted, what is
    usual at its size, its neighbours, its group, and all. Table `neighbours`, where the data say
    where the rows lie: thing, fires, person_years, rate, low, high, rank. Table `distinguishes`:
    measure, title, value, unit, alike (the median of those nearest in size), score: the other
    columns in which the row is furthest from those.

    Raises `NothingToAnswer` for data that count no events by year.
    """
    one = _One.of(data, fitted, thing, top)
    tables = {"town": one.years(), "compared": one.compared()}
    if one.around.rows:
        tables["neighbours"] = one.neighbours()
    if top and len(one.striking):
        tables["distinguishes"] = one.distinguishes()
    return Answer(
        sentence=" ".join(one.sentences()),
        tables=tables,
        views=tuple(one.views(tables)),
        notes=tuple(one.notes()),
    )


question = Question(
    name="town",
    title="How is it in {thing}?",
    words="One place's events year by year, beside what the rate of all places would give for as "
    "many inhabitants; its neighbours, and in what else it is out of the ordinary.",
    needs="table",
    fit=fit_rates,
    answer=town,
    fitted_as="rates",
)


@dataclass(frozen=True)
class _One:
    """A row with its events and those of all others."""

    data: TableData
    fitted: Rates
    counts: Counts
    row: int
    top: int
    around: Around

    @classmethod
    def of(cls, data: TableData, fitted: Rates, thing: str, top: int) -> _One:
        counts, row = counts_of(data), data.names("obs").position(thing)
        return cls(data, fitted, counts, row, top, around(data, row, counts.places))

    @property
    def name(self) -> str:
        return self.data.names("obs").names[self.row]

    @property
    def title(self) -> str:
        return self.data.names("obs").titles[self.row]

    @property
    def events(self) -> str:
        return self.data.about.events or "events"

    @property
    def expected(self) -> Floats:
        """What the rate of all would have given in each year."""
        return np.asarray(self.counts.expected[self.row])

    @cached_property
    def dispersion(self) -> float:
        mine = np.arange(len(self.counts.y)) == self.row
        return dispersion_of(self.counts, mine)

    @cached_property
    def usual(self) -> tuple[Floats, Floats]:
        """Between which numbers each year's would lie at the rate of all."""
        return span(self.expected, self.dispersion)

    def counted(self, number: float) -> str:
        about = self.data.about
        return wording.count(round(number), about.event or "event", self.events)

    def years(self) -> Table:
        events, (low, high) = self.counts.y[self.row], self.usual
        known = np.isfinite(events)
        outside = (events < low) | (events > high)
        return Table.of(
            (Field("year", "Year", grouped=False), self.counts.years[known]),
            # The name by which programs find them, whatever is counted.
            (Field("fires", self.events.capitalize()), events[known].astype(int)),
            (Field("expected", "Expected", decimals=1), self.expected[known]),
            (Field("low", "Low", decimals=0), low[known]),
            (Field("high", "High", decimals=0), high[known]),
            (Field("outside", "Beyond that"), outside[known]),
            title=f"{self.title}, year by year",
        )

    def compared(self) -> Table:
        fitted, row, counts = self.fitted, self.row, self.counts
        lines = [
            (self.title, fitted.rate[row], fitted.low[row], fitted.high[row]),
            (f"{self.title}, as counted", *self._together([row])),
            ("Usual at that size", fitted.typical[row], np.nan, np.nan),
        ]
        if self.around.rows:
            lines.append(("Its neighbours together", *self._together(self.around.rows)))
        label = self.data.about.label
        group = str(self.data.labels("obs")[label][row]) if label else ""
        if group:
            members = np.flatnonzero(self.data.labels("obs")[label] == group)
            lines.append((f"All of {group}", *self._together(members.tolist())))
        lines.append((f"All {self.data.about.things}", *self._together(list(range(len(counts.y))))))
        whom, *rates = zip(*lines, strict=True)
        unit = f"per {wording.number(PER)} inhabitants and year"
        return Table.of(
            (Field("whom", "Whom"), whom),
            *(
                (Field(name, title, unit=unit, decimals=2), PER * np.array(values))
                for name, title, values in zip(
                    ("rate", "low", "high"), ("Rate", "Low", "High"), rates, strict=True
                )
            ),
            title="Compared",
        )

    def _together(self, rows: Sequence[int]) -> tuple[float, float, float]:
        """Events over person-years of some rows, with its interval."""
        counts = self.counts
        some = np.isin(np.arange(len(counts.y)), rows)
        events = np.array([counts.totals[some].sum()])
        persons = float(counts.person_years[some].sum())
        low, high = interval(events, dispersion_of(counts, some))
        return float(events[0]) / persons, float(low[0]) / persons, float(high[0]) / persons

    def neighbours(self) -> Table:
        data, fitted, at = self.data, self.fitted, self.around.rows
        names = data.names("obs").names
        return Table.of(
            (Field("thing", data.about.thing.capitalize(), link="town"), [names[r] for r in at]),
            (Field("fires", self.events.capitalize()), self.counts.totals[at].astype(int)),
            (Field("person_years", "Inhabitants times years"), self.counts.person_years[at]),
            (
                Field("rate", "Rate", unit=f"per {wording.number(PER)} and year", decimals=2),
                PER * fitted.rate[at],
            ),
            (Field("low", "Low", decimals=2), PER * fitted.low[at]),
            (Field("high", "High", decimals=2), PER * fitted.high[at]),
            (Field("rank", "Rank"), fitted.rank[at].astype(int)),
            title=f"Its neighbours: {self.around.found}",
        )

    # What else is out of the ordinary

    @cached_property
    def _alike(self) -> list[int]:
        """The rows nearest in size."""
        size = np.log(self.counts.person_years / self.counts.counted.sum(axis=1))
        far = np.abs(size - size[self.row])
        far[self.row] = np.inf
        return [int(at) for at in np.argsort(far, kind="stable")[: min(ALIKE, len(far) - 1)]]

    @cached_property
    def _others(self) -> tuple[list[int], Floats]:
        """The columns that neither count, size nor place the rows, and their values."""
        about, names = self.data.about, self.data.names("var").names
        known = {about.count, about.size, *COORDINATES}
        kept = [at for at, name in enumerate(names) if name not in known]
        return kept, self.data.matrix(var=[names[at] for at in kept])

    @cached_property
    def striking(self) -> list[tuple[int, float]]:
        """The columns in which the row is furthest from those of its size, each with how far on the
        scale of normal scores; what says the same thing comes once."""
        _, X = self._others
        scores = normal_scores(X)
        alike = scores[self._alike]
        enough = np.isfinite(alike).sum(axis=0) >= ALIKE // 2
        middle = np.full(X.shape[1], np.nan)
        middle[enough] = np.nanmedian(alike[:, enough], axis=0)
        away = np.nan_to_num(scores[self.row] - middle)
        order = np.argsort(-np.abs(away).round(6), kind="stable")[:_SCREENED]
        order = order[np.abs(away[order]) > _STRIKING]
        twins = find_twins(X[:, order]) if len(order) > 1 else None
        if twins is None:
            return [(int(column), float(away[column])) for column in order[: self.top]]
        told = fold(range(len(order)), twins, self.top)
        return [(int(order[one.column]), float(away[order[one.column]])) for one in told]

    def distinguishes(self) -> Table:
        kept, X = self._others
        measured = Measures.of(self.data)
        measure, title, unit = measures.fields(self.data)
        columns = [column for column, _ in self.striking]
        at = [kept[column] for column in columns]
        alike = [np.nanmedian(X[self._alike, column]) for column in columns]
        return Table.of(
            (measure, [measured.names[column] for column in at]),
            (title, [measured.titles[column] for column in at]),
            (Field("value", self.title), X[self.row, columns]),
            (Field("alike", f"Median of the {len(self._alike)} nearest in size"), alike),
            (unit, [measured.units[column] for column in at]),
            (Field("score", "How far apart", decimals=1), [away for _, away in self.striking]),
            title=f"What else is special about {self.title}",
        )

    # Words

    def sentences(self) -> Iterator[str]:
        fitted, counts, row, about = self.fitted, self.counts, self.row, self.data.about
        known = np.flatnonzero(counts.counted[row])
        total, expected = float(counts.totals[row]), float(np.nansum(self.expected))
        years = counts.years[known]
        yield (
            f"{self.title} had {self.counted(total)} from {years[0]} to {years[-1]}; at the rate "
            f"of all {about.things} together it would have had {wording.number(expected)}."
        )
        rate, low, high = wording.numbers(
            [PER * float(v[row]) for v in (fitted.rate, fitted.low, fitted.high)]
        )
        yield (
            f"Its rate is estimated at {rate} a year for each {wording.number(PER)} inhabitants, "
            f"between {low} and {high}: rank {int(fitted.rank[row])} of "
            f"{wording.count(len(fitted.rate), about.thing, about.things)}, which may be anything "
            f"from {int(fitted.rank_low[row])} to {int(fitted.rank_high[row])}."
        )
        yield self._on_size()
        if self.around.rows:
            theirs = PER * self._together(self.around.rows)[0]
            names = [self.data.names("obs").titles[at] for at in self.around.rows]
            yield f"Its neighbours, {listing(names, 4)}, together have {wording.number(theirs)}."

    def _on_size(self) -> str:
        fitted, row = self.fitted, self.row
        usual = wording.number(PER * float(fitted.typical[row]))
        things = self.data.about.things
        if fitted.low[row] > fitted.typical[row]:
            return f"That is more than is usual for {things} of its size ({usual})."
        if fitted.high[row] < fitted.typical[row]:
            return f"That is less than is usual for {things} of its size ({usual})."
        return f"That is not clearly different from what is usual at its size ({usual})."

    def views(self, tables: dict[str, Table]) -> Iterator[View]:
        about = self.data.about
        if len(tables["town"]) > 1:
            yield View(
                kind="ribbon",
                table="town",
                channels={
                    "x": "year", "mid": "expected", "low": "low", "high": "high", "line": "fires",
                },
                title=f"{self.events.capitalize()} in {self.title}, and the range expected of it",
                description=f"The {self.events} counted in {self.title} in each year as a line, "
                f"over a band of what the rate of all {about.things} together would give for as "
                "many inhabitants.",
            )  # fmt: skip
        yield View(
            kind="intervals",
            table="compared",
            channels={"label": "whom", "value": "rate", "low": "low", "high": "high"},
            title="Its rate, and those of others",
            description=f"The rate of {self.title} with its interval, above those of others: "
            f"{listing([str(v) for v in tables['compared'].columns['whom'][1:]], 6)}.",
            options={"mark": self.title},
        )
        if "neighbours" in tables:
            yield View(
                kind="intervals",
                table="neighbours",
                channels={"label": "thing", "value": "rate", "low": "low", "high": "high"},
                title="Its neighbours",
                description=f"The rates of the {about.things} around {self.title}, each with its "
                "interval, the nearest first.",
            )
        if "distinguishes" in tables:
            yield View(
                kind="ranking",
                table="distinguishes",
                channels={"label": "title", "value": "score"},
                title=f"What else is special about {self.title}",
                description=f"{len(self.striking)} other {about.measures} as bars: how far "
                f"{self.title} lies above or below the {about.things} nearest in size.",
            )

    def notes(self) -> Iterator[str]:
        counts, about = self.counts, self.data.about
        events, (low, high) = counts.y[self.row], self.usual
        known = np.isfinite(events)
        outside = int(((events < low) | (events > high))[known].sum())
        years = int(known.sum())
        yield (
            f"In {outside} of {wording.count(years, 'year', 'years')} the number lies outside the "
            f"band, where 1 of 20 or fewer would at the rate of all. Its numbers vary "
            f"{wording.number(round(self.dispersion, 2))} times as much as independent events "
            "would, which the band allows for."
        )
        if years < len(counts.years):
            gone = len(counts.years) - years
            yield f"{self.title} was not counted in {wording.count(gone, 'year', 'years')}."
        if self.around.rows:
            yield f"Its neighbours are {self.around.found}."
        else:
            yield f"These data do not say where the {about.things} lie, so there are no neighbours."
        yield (
            f"What else is special about it is set against the {len(self._alike)} {about.things} "
            f"nearest in size. Every {about.thing} is out of the ordinary in something: none of it "
            f"need have to do with {self.events}."
        )
