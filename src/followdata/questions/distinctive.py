"""The question "distinctive": in what one thing is least typical of its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.chance import LEVEL, rank_intervals
from followdata.core.normal import normal_scores, value_at
from followdata.core.scores import ranks
from followdata.core.twins import Folded, fold
from followdata.data import TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Company, Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures
from followdata.questions.typical import (
    FEWEST_OTHERS,
    Typical,
    fit_typical,
    group_of,
    middle,
)

Floats = npt.NDArray[np.float64]

FAR = 2.0
"""A score that 1 in 22 values of a normal distribution is beyond, on the two sides together."""
_PEERS_SHOWN = 5


def distinctive(
    data: TableData,
    fitted: Typical,
    *,
    thing: Annotated[str, Row("What to describe")],
    relative_to: Annotated[
        str, Company("Whom it is compared with: all, its peers, or its group", title="Relative to")
    ] = "all",
    top: Annotated[int, Number("How many columns to show", 1, 500, whole=True)] = 10,
) -> Answer:
    """The columns in which `thing` is least typical of all rows of its size.

    Table `distinctive`, ordered by the size of the score: measure, title, value, unit, expected
    (what the other rows let expect at its size), score (how far the value is from that, in
    standard deviations of what size leaves open; at most as far as its place allows, so that
    about 1 in 44 is beyond 2 on either side, whatever the column's shape), rank (1 is the
    highest; equal values share the average), rank_low and rank_high (between which it holds at
    least nine times of ten, were it not for the chance that makes small rows differ more), n
    (how many have a value) and twins (how many columns that say the same are folded under it).
    Table `twins` names those: of, measure, title, value, unit, correlation. Table `peers` has
    the most similar rows.

    Relative to its group or its peers, `expected` and `score` say how far it is from the median
    of their scores, and ranks are counted among them.

    Raises `NothingToAnswer` where the thing has no value in any column that varies, or where
    it has fewer than five others to be compared with.
    """
    standing = _Standing.of(data, fitted, thing, relative_to)
    known = np.flatnonzero(np.isfinite(standing.scores))
    if not len(known):
        raise NothingToAnswer(
            f"{thing} has no value in any {data.about.measure} that varies.",
            f"Choose another {data.about.thing}.",
        )
    # What rounding tells apart is the same: the first in the table's order comes first.
    order = known[np.argsort(-np.abs(standing.scores[known]).round(6), kind="stable")]
    told = _Told.of(standing, fold(order.tolist(), fitted.twins, top))
    table = told.table()
    return Answer(
        sentence=told.sentence(),
        tables={"distinctive": table, **told.others()},
        views=(_view(standing, table),),
        notes=tuple(_notes(standing, told, len(known))),
    )


question = Question(
    name="distinctive",
    title="What is special about {thing}?",
    words="For every column, how far this one lies from what others of its size let expect, "
    "measured by how much they differ. What says the same thing comes once.",
    needs="table",
    fit=fit_typical,
    answer=distinctive,
    version=2,
)


@dataclass(frozen=True)
class _Standing:
    """One row among those it is compared with: its scores in all p columns, and what is expected
    of it on the scale of normal scores."""

    data: TableData
    fitted: Typical
    row: int
    relative_to: str
    others: Sequence[int]
    scores: Floats
    expected: Floats

    @classmethod
    def of(cls, data: TableData, fitted: Typical, thing: str, relative_to: str) -> _Standing:
        row = data.names("obs").position(thing)
        own = fitted.scores[row].astype(float)
        expected = fitted.expected[row].astype(float)
        if relative_to == "all":
            others = [other for other in range(len(fitted.scores)) if other != row]
            return cls(data, fitted, row, relative_to, others, own, expected)
        peers = relative_to == "peers"
        others = [at for at in fitted.peers[row].tolist() if at >= 0] if peers else []
        others = others if peers else group_of(data, row)
        if len(others) < FEWEST_OTHERS:
            raise _too_few(data, row, relative_to, len(others))
        scores = (fitted.among_peers if peers else fitted.among_group)[row].astype(float)
        shifted = expected + middle(fitted.scores, others) * fitted.spread[row]
        return cls(data, fitted, row, relative_to, others, scores, shifted)

    @property
    def thing(self) -> str:
        return self.data.names("obs").titles[self.row]

    @property
    def company(self) -> str:
        """Those it is compared with, as the subject of a sentence."""
        about = self.data.about
        if self.relative_to == "all":
            return f"other {about.things}"
        if self.relative_to == "peers":
            return f"the {wording.count(len(self.others), about.thing, about.things)} most like it"
        group = self.data.labels("obs")[about.label][self.row]
        return f"the other {about.things} of {group}"


@dataclass(frozen=True)
class _Told:
    """The columns that are told, with all their values, and where the row stands in them."""

    standing: _Standing
    measured: Measures
    folded: Sequence[Folded]
    values: Floats
    expected: Floats
    ranks: Floats
    low: Floats
    high: Floats
    count: npt.NDArray[np.int_]
    sharing: npt.NDArray[np.int_]

    @classmethod
    def of(cls, standing: _Standing, folded: Sequence[Folded]) -> _Told:
        data, fitted, row = standing.data, standing.fitted, standing.row
        shown = [column for column, _ in folded]
        measured = Measures.of(data)
        columns = data.matrix(var=[measured.names[column] for column in shown])
        normal = normal_scores(columns)
        chance = np.sqrt(np.outer(_or(fitted.smallness, 0.0), fitted.chance[shown]))
        among = sorted([row, *standing.others])
        at = among.index(row)
        low, high = rank_intervals(normal[among], chance[among], at)
        return cls(
            standing,
            measured,
            folded,
            columns[row],
            value_at(standing.expected[shown], columns, normal),
            ranks(columns[among])[at],
            low,
            high,
            np.isfinite(columns[among]).sum(0),
            (columns[among] == columns[row]).sum(0),
        )

    @property
    def shown(self) -> list[int]:
        return [column for column, _ in self.folded]

    def table(self) -> Table:
        standing, shown = self.standing, self.shown
        measure, title, unit = measures.fields(standing.data)
        return Table.of(
            (measure, [self.measured.names[column] for column in shown]),
            (title, [self.measured.titles[column] for column in shown]),
            (Field("value", standing.thing), self.values),
            (unit, [self.measured.units[column] for column in shown]),
            (Field("expected", "Expected"), self.expected),
            (Field("score", "Score", decimals=1), standing.scores[shown]),
            (Field("rank", "Rank"), self.ranks),
            (Field("rank_low", "from", decimals=0), self.low),
            (Field("rank_high", "to", decimals=0), self.high),
            (Field("n", "Of"), self.count),
            (Field("twins", "Twins"), [len(twins) for _, twins in self.folded]),
            title=f"Where {standing.thing} stands out",
        )

    def others(self) -> dict[str, Table]:
        """The twins that are folded away, and those most like the row."""
        pairs = [(column, twin, r) for column, twins in self.folded for twin, r in twins.items()]
        data, tables = self.standing.data, {}
        if pairs:
            row = [data.names("obs").names[self.standing.row]]
            own = data.matrix(obs=row, var=[self.measured.names[twin] for _, twin, _ in pairs])
            value = Field("value", self.standing.thing)
            tables["twins"] = measures.twins_table(data, pairs, (value, own[0]))
        peers = [at for at in self.standing.fitted.peers[self.standing.row].tolist() if at >= 0]
        if peers:
            tables["peers"] = _peers_table(data, self.standing.row, peers[:_PEERS_SHOWN])
        return tables

    def sentence(self) -> str:
        """What the row stands out in most, in numbers and by its place, and what comes next."""
        standing = self.standing
        if not standing.scores[self.shown[0]]:
            return f"{standing.thing} stands out in nothing: it is what is expected throughout."
        among = "" if standing.relative_to == "all" else f" among {standing.company}"
        first = (
            f"{standing.thing} stands out most{among} in “{self.measured.titles[self.shown[0]]}”: "
            f"{self._numbers(0)} ({self._place(0)})."
        )
        if len(self.shown) < 2 or abs(standing.scores[self.shown[1]]) <= FAR:
            return first
        second = f"“{self.measured.titles[self.shown[1]]}” ({self._numbers(1)})"
        return f"{first} Next comes {second}."

    def _numbers(self, at: int) -> str:
        """The value against the expected one."""
        value, expected = float(self.values[at]), float(self.expected[at])
        unit = self.measured.spoken_unit(self.shown[at])
        said = wording.numbers([value, expected], unit) if value != expected else [
            wording.number(value, unit), "just that"
        ]  # fmt: skip
        return f"{said[0]} where {said[1]} is expected"

    def _place(self, at: int) -> str:
        return wording.place(
            float(self.ranks[at]),
            int(self.count[at]),
            self.standing.data.about.things,
            int(self.sharing[at]),
        )


def _peers_table(data: TableData, row: int, peers: Sequence[int]) -> Table:
    index = data.names("obs")
    names = [index.names[peer] for peer in peers]
    title = index.titles[row]
    thing = Field("thing", data.about.thing.capitalize(), link="distinctive")
    versus = Field("compare", f"Compare with {title}", link="compare",
                   given=(("a", index.names[row]),))  # fmt: skip
    return Table.of((thing, names), (versus, names), title=f"Most like {title}")


def _too_few(data: TableData, row: int, relative_to: str, count: int) -> NothingToAnswer:
    about, index = data.about, data.names("obs")
    said = wording.count(count, f"other {about.thing} is", f"other {about.things} are")
    said = f"Only {said}" if count else f"No other {about.thing} is"
    where = "like enough to be compared"
    if relative_to != "peers":
        group = data.labels("obs")[about.label][row] if about.label else ""
        where = f"in {group}" if group else f"in one {about.label or 'group'}"
    return NothingToAnswer(
        f"{said} {where} with {index.titles[row]}, and {FEWEST_OTHERS} are needed.",
        "Compare it with all.",
    )


def _notes(standing: _Standing, told: _Told, known: int) -> Iterator[str]:
    data, fitted = standing.data, standing.fitted
    about, total = data.about, standing.data.shape[1]
    yield _meaning(standing)
    far = float((np.abs(standing.scores) > FAR).sum() / known)
    every = np.isfinite(fitted.scores).sum(1)
    beyond = (np.abs(fitted.scores) > FAR).sum(1)[every > 0] / every[every > 0]
    yield (
        f"{wording.share(far)} of the {wording.count(known, 'score', 'scores')} of "
        f"{standing.thing} are beyond {FAR:g}; against all, it is "
        f"{wording.share(float(np.median(beyond)))} for the {about.thing} in the middle. With so "
        f"many {about.measures} any {about.thing} is far out in some, so a place on this list is "
        "no proof of anything unusual."
    )
    yield _firmness(standing, told)
    twins = sum(len(twins) for _, twins in told.folded)
    if twins:
        yield measures.folded_note(about, twins)
    if known < total:
        yield (
            f"Left out: {wording.number(total - known)} of "
            f"{wording.count(total, about.measure, about.measures)}, for which {standing.thing} "
            "has no value, all have the same, or too few others have one."
        )
    yield "Rank 1 is the highest value, which need not be the best."


def _meaning(standing: _Standing) -> str:
    """What a score says."""
    data, about = standing.data, standing.data.about
    if standing.fitted.sized:
        size = data.names("var").title(about.size)
        against = (
            f"what is expected of a {about.thing} of its size (“{size}”), measured by how much "
            f"{about.things} of that size differ"
        )
    else:
        against = (
            "the median of all, measured by how much all differ, for the data do not say how large "
            f"each {about.thing} is"
        )
    if standing.relative_to != "all":
        against += f"; here {standing.company} say what is expected"
    return (
        f"A score says how far out a value is: how far from {against}. Each "
        f"{about.measure} is brought to the same scale first, whatever its shape: beyond 2 lies "
        "about 1 value in 44 on either side, beyond 3 about 1 in 740."
    )


def _firmness(standing: _Standing, told: _Told) -> str:
    """What the ranks' intervals say."""
    about = standing.data.about
    if not np.isfinite(standing.fitted.smallness).any():
        return (
            "Without sizes there is no telling chance from difference: a rank runs from one place "
            "to another only where values are equal."
        )
    return (
        f"How firm a rank is: it runs from one place to another, since small {about.things} differ "
        "more than large ones, and what they differ more is taken for chance. At least "
        f"{wording.share(LEVEL)} of such intervals hold the rank that there would be without it."
    )


def _view(standing: _Standing, table: Table) -> View:
    scores = [score for score in table.columns["score"] if isinstance(score, float)]
    above, below = sum(score > 0 for score in scores), sum(score < 0 for score in scores)
    sides = [f"above what is expected in {above}"] if above else []
    sides += [f"below it in {below}" if above else f"below what is expected in {below}"]
    return View(
        kind="ranking",
        table="distinctive",
        channels={"label": "title", "value": "score"},
        title=f"Where {standing.thing} stands out",
        description=f"The {wording.count(len(scores), 'score', 'scores')} furthest from 0: "
        f"{standing.thing} lies {listing(sides)}. They run from "
        f"{wording.number(round(scores[0], 1))} to {wording.number(round(scores[-1], 1))}.",
    )


def _or(values: Floats, instead: float) -> Floats:
    return np.where(np.isfinite(values), values, instead)
