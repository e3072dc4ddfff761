"""The question "distinctive": in what one thing differs most from all the others."""

from __future__ import annotations

from collections.abc import Iterator
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
    """What to expect of any row: for each of p columns the median, the robust spread around it
    (NaN where nothing varies) and how many values there are; for each of n rows how many of its
    scores are beyond `FAR`."""

    median: Floats
    spread: Floats
    count: Floats
    far: Floats


def fit_expected(data: TableData) -> Expected:
    """Median and spread of every column, over the values that are there."""
    X = data.matrix()
    median, spread = robust_centre(X)
    far = np.abs((X - median) / spread) > FAR
    return Expected(median, spread, np.isfinite(X).sum(0).astype(float), far.sum(1).astype(float))


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
    measured = Measures.of(data)
    values = data.matrix(obs=[thing])[0]
    scores = (values - fitted.median) / fitted.spread
    known = int(np.isfinite(scores).sum())
    if not known:
        raise NothingToAnswer(
            f"{thing} has no value in any {data.about.measure} that varies.",
            f"Choose another {data.about.thing}.",
        )
    order = np.argsort(-np.nan_to_num(np.abs(scores), nan=-1.0), kind="stable")
    shown = order[: min(top, known)]
    columns = data.matrix(var=[measured.names[column] for column in shown])
    row = data.names("obs").position(thing)
    places = ranks(columns)[row]
    measure, title, unit = measures.fields(data)
    table = Table.of(
        (measure, [measured.names[column] for column in shown]),
        (title, [measured.titles[column] for column in shown]),
        (Field("value", data.names("obs").title(thing)), values[shown]),
        (unit, [measured.units[column] for column in shown]),
        (Field("expected", "Median of all"), fitted.median[shown]),
        (Field("score", "Score", decimals=1), scores[shown]),
        (Field("rank", "Rank"), places),
        (Field("n", "Of"), fitted.count[shown].astype(int)),
    )
    first = _First(data, fitted, measured, thing, int(shown[0]), columns[:, 0], float(places[0]))
    return Answer(
        sentence=first.sentence(),
        tables={"distinctive": table},
        views=(_view(data, thing, table),),
        notes=(first.note(), *_notes(data, fitted, thing, values, scores)),
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
class _First:
    """The column in which the thing stands out most."""

    data: TableData
    fitted: Expected
    measured: Measures
    thing: str
    column: int
    values: Floats
    rank: float

    @property
    def value(self) -> float:
        return float(self.values[self.data.names("obs").position(self.thing)])

    def sentence(self) -> str:
        median = float(self.fitted.median[self.column])
        value, expected = wording.numbers([self.value, median], self.measured.units[self.column])
        sharing = int((self.values == self.value).sum())
        place = wording.place(self.rank, int(self.fitted.count[self.column]), sharing)
        return (
            f"{self.data.names('obs').title(self.thing)} stands out most in "
            f"“{self.measured.titles[self.column]}”: {value} against a median of {expected} "
            f"({place} {self.data.about.things})."
        )

    def note(self) -> str:
        """How many others lie as far from the median in that very column."""
        away = np.abs(self.values - self.fitted.median[self.column])
        as_far = int((away >= abs(self.value - self.fitted.median[self.column])).sum()) - 1
        others = wording.count(
            as_far, f"other {self.data.about.thing}", f"other {self.data.about.things}"
        )
        verb = "lies" if as_far == 1 else "lie"
        return (
            f"In “{self.measured.titles[self.column]}”, {others if as_far else 'none of the others'} "
            f"{verb} as far from the median."
        )


def _notes(
    data: TableData, fitted: Expected, thing: str, values: Floats, scores: Floats
) -> Iterator[str]:
    about = data.about
    known = int(np.isfinite(scores).sum())
    far = int(fitted.far[data.names("obs").position(thing)])
    yield (
        f"Of the {wording.count(known, 'score', 'scores')} of {thing}, {far} are larger than {FAR}; "
        f"the middle one of all {about.things} has {wording.number(float(np.median(fitted.far)))}. "
        f"Among so many {about.measures} every {about.thing} is far out in some, so a place on this "
        "list is no proof of anything unusual."
    )
    missing = int(np.isnan(values).sum())
    if missing:
        yield (
            f"{thing} has no value in {wording.number(missing)} of "
            f"{wording.count(len(values), about.measure, about.measures)}; they are not ranked."
        )
    yield (
        "A score is the distance from the median in robust standard deviations (1.4826 x the "
        "median absolute deviation; 1.2533 x the mean one where more than half of the values are "
        f"the same). It compares with all {about.things}, not with similar ones. Rank 1 is the "
        "highest value, which need not be the best."
    )


def _view(data: TableData, thing: str, table: Table) -> View:
    scores = [score for score in table.columns["score"] if isinstance(score, float)]
    above = sum(score > 0 for score in scores)
    return View(
        kind="ranking",
        table="distinctive",
        channels={"label": "title", "value": "score"},
        title=f"Where {data.names('obs').title(thing)} stands out",
        description=f"The {len(scores)} largest scores: {above} above the median and "
        f"{len(scores) - above} below, from {wording.number(scores[0])} to "
        f"{wording.number(scores[-1])} robust standard deviations.",
    )
