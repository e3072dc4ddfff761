"""The question "rates": where events are frequent for the number of people, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.counts import Counts
from followdata.core.rates import FEWEST, Rates, shrunken_rates
from followdata.data import Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Number, Row
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.counts import counts_of

PER = 100_000
CLASSES = 6
"""Colours on a map; each has about as many regions."""


def fit_rates(data: TableData) -> Rates:
    """The rates of all rows.

    Raises `NothingToAnswer` for data that count no events, or too few to compare places by.
    """
    counts = counts_of(data)
    try:
        return shrunken_rates(counts)
    except ValueError:
        raise NothingToAnswer(
            f"There are too few {data.about.events or 'events'}, or fewer than {FEWEST} "
            f"{data.about.things}, to compare them by."
        ) from None


def rates(
    data: TableData,
    fitted: Rates,
    *,
    thing: Annotated[str | None, Row("Whose place to mark")] = None,
    top: Annotated[int, Number("How many to show at each end", 1, 100, whole=True)] = 8,
) -> Answer:
    """Events per inhabitant and year of each row, drawn towards what is usual at its size.

    Table `rates`, the highest first: thing, region where there is a map, fires (the events counted,
    whatever they are), person_years, rate with its interval low to high (95 %), raw (events over
    person-years) and typical (what rows of its size have), all per 100,000 inhabitants and year;
    rank, 1 being the highest, with its interval rank_low to rank_high. Table `extremes`: the `top`
    of each end, and `thing`.

    Raises `NothingToAnswer` for data that count no events.
    """
    found = _Found.of(data, fitted, thing)
    order = np.argsort(fitted.rank, kind="stable").tolist()
    ends = found.ends(order, top)
    tables = {
        "rates": found.table(order, "From the highest on"),
        "extremes": found.table(ends, "The highest and the lowest"),
    }
    return Answer(
        sentence=" ".join(found.sentences(order)),
        tables=tables,
        views=tuple(found.views(tables, order)),
        notes=tuple(found.notes()),
    )


question = Question(
    name="rates",
    title="Where are there most for the number of people?",
    words="Events per inhabitant and year. Where few people live, one event more or less makes a "
    "record, so each rate is drawn towards what is usual at that size, the further the less "
    "the place's own events tell.",
    needs="table",
    fit=fit_rates,
    answer=rates,
)


@dataclass(frozen=True)
class _Found:
    """What was learnt, and the row that is marked (-1: none)."""

    data: TableData
    fitted: Rates
    counts: Counts
    row: int

    @classmethod
    def of(cls, data: TableData, fitted: Rates, thing: str | None) -> _Found:
        row = data.names("obs").position(thing) if thing else -1
        return cls(data, fitted, counts_of(data), row)

    @property
    def titles(self) -> Sequence[str]:
        return self.data.names("obs").titles

    @property
    def events(self) -> str:
        return self.data.about.events or "events"

    def rate_field(self, name: str, title: str) -> Field:
        return Field(
            name, title, unit=f"per {wording.number(PER)} inhabitants and year", decimals=2
        )

    def ends(self, order: Sequence[int], top: int) -> list[int]:
        shown = list(order) if len(order) <= 2 * top else [*order[:top], *order[-top:]]
        if self.row >= 0 and self.row not in shown:
            shown = [*shown[:top], self.row, *shown[top:]]
        return shown

    def table(self, rows: Sequence[int], title: str) -> Table:
        data, fitted, at = self.data, self.fitted, list(rows)
        labels, names = data.labels("obs"), data.names("obs").names
        region = (
            [(Field("region", "Code", code=True), [str(labels["id"][row]) for row in at])]
            if data.about.boundaries and "id" in labels
            else []
        )
        return Table.of(
            (
                Field("thing", data.about.thing.capitalize(), link="town"),
                [names[row] for row in at],
            ),
            *region,
            # The name by which programs find them, whatever is counted.
            (Field("fires", self.events.capitalize()), self.counts.totals[at].astype(int)),
            (Field("person_years", "Inhabitants times years"), self.counts.person_years[at]),
            (self.rate_field("rate", "Rate"), PER * fitted.rate[at]),
            (Field("low", "Low", decimals=2), PER * fitted.low[at]),
            (Field("high", "High", decimals=2), PER * fitted.high[at]),
            (Field("raw", "As counted", decimals=2), PER * fitted.raw[at]),
            (Field("typical", "Usual at that size", decimals=2), PER * fitted.typical[at]),
            (Field("rank", "Rank"), fitted.rank[at].astype(int)),
            (Field("rank_low", "Highest rank it may have"), fitted.rank_low[at].astype(int)),
            (Field("rank_high", "Lowest rank it may have"), fitted.rank_high[at].astype(int)),
            title=title,
        )

    def sentences(self, order: Sequence[int]) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        first, last = order[0], order[-1]
        years = self.counts.years
        told = wording.numbers([PER * float(fitted.rate[row]) for row in (first, last)])
        everybody = PER * float(self.counts.totals.sum() / self.counts.person_years.sum())
        yield (
            f"{self.titles[first]} has the highest rate of {self.events}: {told[0]} a year for "
            f"each {wording.number(PER)} inhabitants from {years[0]} to {years[-1]}, where all "
            f"{wording.count(len(order), about.thing, about.things)} together have "
            f"{wording.number(everybody)} and {self.titles[last]}, the lowest, {told[1]}."
        )
        yield self._on_rank(first) if self.row < 0 else self._marked()
        if not fitted.effect_low <= 1 <= fitted.effect_high:
            more = fitted.effect > 1
            share = abs(fitted.effect - 1)
            yield (
                f"Rates {'rise' if more else 'fall'} with size: a {about.thing} twice as large has "
                f"{wording.share(share)} {'more' if more else 'fewer'} for each inhabitant."
            )

    def _on_rank(self, row: int) -> str:
        return f"{self.titles[row]}'s rank {int(self.fitted.rank[row])} {self._sure(row)}."

    def _marked(self) -> str:
        """The rate and the rank of the row that is marked."""
        fitted, row = self.fitted, self.row
        rate, low, high = wording.numbers(
            [PER * float(values[row]) for values in (fitted.rate, fitted.low, fitted.high)]
        )
        return (
            f"{self.titles[row]} has {rate}, between {low} and {high}; its rank "
            f"{int(fitted.rank[row])} {self._sure(row)}."
        )

    def _sure(self, row: int) -> str:
        """How sure a row's rank is."""
        low, high = int(self.fitted.rank_low[row]), int(self.fitted.rank_high[row])
        return "is certain" if low == high else f"may be anything from {low} to {high}"

    def views(self, tables: dict[str, Table], order: Sequence[int]) -> Iterator[View]:
        about, titles = self.data.about, self.titles
        first, last = titles[order[0]], titles[order[-1]]
        if "region" in tables["rates"].columns:
            marked = {"mark": self.data.names("obs").names[self.row]} if self.row >= 0 else {}
            yield View(
                kind="map",
                table="rates",
                channels={"region": "region", "value": "rate", "label": "thing"},
                title=f"{self.events.capitalize()} for the number of inhabitants",
                description=f"A map of the {about.things}, coloured by their rate of "
                f"{self.events}: the highest is {first}, the lowest {last}.",
                options={
                    "boundaries": about.boundaries,
                    "bins": _classes(PER * self.fitted.rate),
                    **marked,
                },
            )
        shown = len(tables["extremes"])
        yield View(
            kind="intervals",
            table="extremes",
            channels={"label": "thing", "value": "rate", "low": "low", "high": "high"},
            title="The highest and the lowest, and how sure that is",
            description=f"{shown} {about.things} with the interval in which each rate lies, from "
            f"{first} down to {last}.",
            options={"mark": self.data.names("obs").names[self.row]} if self.row >= 0 else {},
        )
        yield View(
            kind="scatter",
            table="rates",
            channels={"x": "raw", "y": "rate", "label": "thing", "color": "person_years"},
            title="Rates as counted, and as they are told here",
            description=f"A point for each of the {about.things}: its rate as counted to the "
            "right, its estimate upwards. Small ones lie flat, for their own numbers tell little.",
        )

    def notes(self) -> Iterator[str]:
        about, fitted, counts = self.data.about, self.fitted, self.counts
        none = int((counts.totals == 0).sum())
        yield (
            f"Each rate is drawn towards what {about.things} of that size have, by a model in "
            "which the logarithms of rates are normal; the interval holds the rate 19 times of 20 "
            "on the average, which is tested by simulation, also where the model is wrong."
        )
        if none:
            yield (
                f"{wording.count(none, about.thing, about.things)} had none at all. That does not "
                "make their rate 0: with few inhabitants, none is what one would often see."
            )
        yield (
            f"Rates of {about.things} of one size differ by a factor of "
            f"{wording.number(float(np.exp(fitted.spread)))} or more either way in a third of "
            "cases. Years of one place differ by more than chance, which makes intervals wider."
        )
        gaps = int((~counts.counted).sum())
        if gaps:
            some = [
                self.titles[row] for row in np.flatnonzero(~counts.counted.all(axis=1)).tolist()
            ]
            yield (
                f"{listing(some)} {'was' if len(some) == 1 else 'were'} not counted in all years "
                f"({wording.count(gaps, 'year', 'years')} in all) and judged by the others."
            )
        yield (
            "A rate is of a place, not of the people in it, and for all its inhabitants, not for "
            "its pupils or schools. A high rate does not say why."
        )


def _classes(values: Floats) -> list[float]:
    """Edges between classes of about as many values each, at most `CLASSES`."""
    edges = np.quantile(values, np.arange(1, CLASSES) / CLASSES)
    kept = sorted({float(f"{edge:.3g}") for edge in edges})
    return [edge for edge in kept if values.min() < edge] or [float(values.max())]
