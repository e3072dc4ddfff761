"""The question "distinctive": in what one thing differs most from all the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.scores import Floats, ranks, robust_centre
from followdata.data import TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

FAR = 3.5
"""A robust score beyond which a value is commonly called an outlier (Iglewicz & Hoaglin 1993)."""


@dataclass(frozen=True)
class Expected:
    """What to expect of any row, without knowing which: for each of p columns the median, the
    robust spread around it (NaN where nothing varies) and how many values there are; for each
    of n rows which part of its scores is beyond `FAR` (NaN where it has none)."""

    median: Floats
    spread: Floats
    count: Floats
    far: Floats


def fit_expected(data: TableData) -> Expected:
    """Median and spread of every column, over the values that are there."""
    X = data.matrix()
    median, spread = robust_centre(X)
    scores = np.abs((X - median) / spread)
    known = np.isfinite(scores).sum(1)
    far = np.where(known, (scores > FAR).sum(1) / np.maximum(known, 1), np.nan)
    return Expected(median, spread, np.isfinite(X).sum(0).astype(float), far)


def distinctive(
    data: TableData,
    fitted: Expected,
    *,
    thing: Annotated[str, Row("What to describe")],
    top: Annotated[int, Number("How many columns to show", 1, 500, whole=True)] = 10,
) -> Answer:
    """The columns in which `thing` lies furthest from the median of all rows.

    Table `distinctive`: measure, title, value, unit, expected (the median), score (distance
    from it in robust standard deviations), rank (1 is the highest; equal values share the
    average) and n (how many rows have a value), ordered by the size of the score.

    Raises `NothingToAnswer` where the thing has no value in any column that varies.
    """
    values = data.matrix(obs=[thing])[0]
    scores = (values - fitted.median) / fitted.spread
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        raise NothingToAnswer(
            f"{thing} has no value in any {data.about.measure} that varies.",
            f"Choose another {data.about.thing}.",
        )
    shown = known[np.argsort(-np.abs(scores[known]), kind="stable")][:top]
    standing = _Standing.of(data, fitted, thing, shown.tolist())
    table = standing.table(scores)
    return Answer(
        sentence=standing.sentence(),
        tables={"distinctive": table},
        views=(_view(data, thing, table),),
        notes=(standing.note(), *_notes(data, fitted, thing, len(known))),
    )


question = Question(
    name="distinctive",
    title="What is special about {thing}?",
    words="For every column, how far this one lies from the median of all, measured by how much "
    "they differ in that column. The furthest come first.",
    needs="table",
    fit=fit_expected,
    answer=distinctive,
)


@dataclass(frozen=True)
class _Standing:
    """Where one row stands in the columns shown: all their values, and its own rank in each."""

    data: TableData
    fitted: Expected
    measured: Measures
    row: int
    shown: Sequence[int]
    columns: Floats
    ranks: Floats

    @classmethod
    def of(cls, data: TableData, fitted: Expected, thing: str, shown: Sequence[int]) -> _Standing:
        measured = Measures.of(data)
        columns = data.matrix(var=[measured.names[column] for column in shown])
        row = data.names("obs").position(thing)
        return cls(data, fitted, measured, row, shown, columns, ranks(columns)[row])

    @property
    def thing(self) -> str:
        return self.data.names("obs").titles[self.row]

    def table(self, scores: Floats) -> Table:
        measure, title, unit = measures.fields(self.data)
        shown = list(self.shown)
        return Table.of(
            (measure, [self.measured.names[column] for column in shown]),
            (title, [self.measured.titles[column] for column in shown]),
            (Field("value", self.thing), self.columns[self.row]),
            (unit, [self.measured.units[column] for column in shown]),
            (Field("expected", "Median of all"), self.fitted.median[shown]),
            (Field("score", "Score", decimals=1), scores[shown]),
            (Field("rank", "Rank"), self.ranks),
            (Field("n", "Of"), self.fitted.count[shown].astype(int)),
            title=f"Where {self.thing} stands out",
        )

    def sentence(self) -> str:
        """The column in which the row stands out most, in numbers and in its place among all."""
        first, values = self.shown[0], self.columns[:, 0]
        value, median = float(values[self.row]), float(self.fitted.median[first])
        if value == median:
            return f"{self.thing} stands out in nothing: all its values are the median ones."
        shown = wording.numbers([value, median], self.measured.spoken_unit(first))
        place = wording.place(
            float(self.ranks[0]),
            int(self.fitted.count[first]),
            self.data.about.things,
            int((values == value).sum()),
        )
        return (
            f"{self.thing} stands out most in “{self.measured.titles[first]}”: {shown[0]} against "
            f"a median of {shown[1]} ({place})."
        )

    def note(self) -> str:
        """How many others lie as far from the median in that very column."""
        away = np.abs(self.columns[:, 0] - self.fitted.median[self.shown[0]])
        others = int((away >= away[self.row]).sum()) - 1
        about = self.data.about
        who = wording.count(others, f"other {about.thing} lies", f"other {about.things} lie")
        return (
            f"In “{self.measured.titles[self.shown[0]]}”, "
            f"{who if others else f'no other {about.thing} lies'} as far from the median."
        )


def _notes(data: TableData, fitted: Expected, thing: str, known: int) -> Iterator[str]:
    about = data.about
    far = float(fitted.far[data.names("obs").position(thing)])
    typical = float(np.nanmedian(fitted.far))
    yield (
        f"{wording.share(far)} of the {wording.count(known, 'score', 'scores')} of {thing} are "
        f"beyond {FAR}; for the {about.thing} in the middle it is {wording.share(typical)}. With "
        f"so many {about.measures} any {about.thing} is far out in some, so a place on this list "
        "is no proof of anything unusual."
    )
    total = data.shape[1]
    if known < total:
        yield (
            f"Left out: {wording.number(total - known)} of "
            f"{wording.count(total, about.measure, about.measures)}, for which {thing} has no "
            "value or all have the same."
        )
    yield (
        f"A score compares with all {about.things}, not with similar ones: it is the distance "
        "from the median in robust standard deviations (1.4826 times the median absolute "
        "deviation, or 1.2533 times the mean one where more than half of the values are equal)."
    )
    yield "Rank 1 is the highest value, which need not be the best."


def _view(data: TableData, thing: str, table: Table) -> View:
    scores = [score for score in table.columns["score"] if isinstance(score, float)]
    above, below = sum(score > 0 for score in scores), sum(score < 0 for score in scores)
    title = data.names("obs").title(thing)
    return View(
        kind="ranking",
        table="distinctive",
        channels={"label": "title", "value": "score"},
        title=f"Where {title} stands out",
        description=f"The {len(scores)} scores furthest from 0: {title} lies above the median in "
        f"{above} and below it in {below}. They run from "
        f"{wording.number(round(scores[0], 1))} to {wording.number(round(scores[-1], 1))} robust "
        "standard deviations.",
    )
