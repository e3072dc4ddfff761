"""The question "compare": in what two things differ most, by where they stand among all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core.scores import Floats, percentiles, ranks
from followdata.core.twins import Folded, Twins, find_twins, fold
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

Ints = npt.NDArray[np.intp]

_AT_RANDOM = 100 * (1 - math.sqrt(0.5))
"""The median distance between two independent places on a scale of 100 (of two uniforms)."""


@dataclass(frozen=True)
class Ranks:
    """The rank of every value in its column (n x p; 1 is the highest, equal values share the
    average, NaN where the value is missing), how many values each column has (p), and the pairs
    of columns that say the same (`first`, `second`, `correlation`)."""

    ranks: Floats
    count: Floats
    first: Ints
    second: Ints
    correlation: Floats

    @property
    def twins(self) -> Twins:
        return Twins(self.first, self.second, self.correlation)


def fit_ranks(data: TableData) -> Ranks:
    """Rank every column, over the values that are there, and find those that say the same."""
    X = data.matrix()
    return Ranks(ranks(X), np.isfinite(X).sum(0).astype(float), *find_twins(X))


def compare(
    data: TableData,
    fitted: Ranks,
    *,
    a: Annotated[str, Row("The one to compare", title="Compare")],
    b: Annotated[str, Row("What to compare it with", title="with")],
    top: Annotated[int, Number("How many columns to show", 1, 500, whole=True)] = 10,
) -> Answer:
    """The columns in which `a` and `b` stand furthest apart among all rows.

    Table `compare`: measure, title, value_a, value_b, unit, rank_a, rank_b (1 is the highest;
    equal values share the average), n (how many rows have a value), percentile_a, percentile_b
    (0 the lowest, 100 the highest), difference, which is percentile_a - percentile_b =
    100 (rank_b - rank_a) / n, positive where `a` has the higher value, and twins (how many
    columns that say the same are folded under it). Ordered by the size of the difference. Table
    `twins` names those that are folded away: of, measure, title, value_a, value_b, unit,
    correlation.

    Raises `InvalidParameter` where `a` and `b` are the same, `NothingToAnswer` where there is
    no column in which both have a value.
    """
    if a == b:
        raise InvalidParameter("b", f"{b} cannot be compared with itself.", "Choose another one.")
    pair = _Pair.of(data, fitted, a, b)
    known = np.flatnonzero(np.isfinite(pair.difference))
    if not len(known):
        raise NothingToAnswer(
            f"There is no {data.about.measure} in which both {a} and {b} have a value.",
            f"Choose other {data.about.things}.",
        )
    size = np.abs(pair.difference[known])
    order = known[np.argsort(-size.round(6), kind="stable")]
    folded = fold(order.tolist(), fitted.twins, top)
    table, twins = pair.table(folded), pair.twins(folded)
    typical = pair.typically(len(known), float(np.median(size)))
    return Answer(
        sentence=" ".join([pair.furthest(folded[0].column), *pair.following(folded), typical]),
        tables={"compare": table, **({"twins": twins} if len(twins) else {})},
        views=(_view(pair.titles, table),),
        notes=tuple(_notes(data, pair, len(known), len(twins))),
    )


question = Question(
    name="compare",
    title="How do {a} and {b} differ?",
    words="For every column, where each of the two stands among all. Those where they stand "
    "furthest apart come first; what says the same thing comes once.",
    needs="table",
    fit=fit_ranks,
    answer=compare,
    version=2,
)


@dataclass(frozen=True)
class _Pair:
    """Two rows side by side in all p columns: `values`, `ranks` and `percentiles` are 2 x p."""

    data: TableData
    fitted: Ranks
    measured: Measures
    titles: tuple[str, str]
    values: Floats
    ranks: Floats
    percentiles: Floats

    @classmethod
    def of(cls, data: TableData, fitted: Ranks, a: str, b: str) -> _Pair:
        index = data.names("obs")
        places = fitted.ranks[[index.position(a), index.position(b)]]
        return cls(
            data,
            fitted,
            Measures.of(data),
            (index.title(a), index.title(b)),
            data.matrix(obs=[a, b]),
            places,
            percentiles(places, fitted.count),
        )

    @property
    def difference(self) -> Floats:
        return np.asarray(self.percentiles[0] - self.percentiles[1])

    def table(self, folded: Sequence[Folded]) -> Table:
        measure, title, unit = measures.fields(self.data)
        (a, b), columns = self.titles, [column for column, _ in folded]
        return Table.of(
            (measure, [self.measured.names[column] for column in columns]),
            (title, [self.measured.titles[column] for column in columns]),
            (Field("value_a", a), self.values[0, columns]),
            (Field("value_b", b), self.values[1, columns]),
            (unit, [self.measured.units[column] for column in columns]),
            (Field("rank_a", f"Rank of {a}"), self.ranks[0, columns]),
            (Field("rank_b", f"Rank of {b}"), self.ranks[1, columns]),
            (Field("n", "Of"), self.fitted.count[columns].astype(int)),
            (Field("percentile_a", f"Place of {a}", code=True), self.percentiles[0, columns]),
            (Field("percentile_b", f"Place of {b}", code=True), self.percentiles[1, columns]),
            (Field("difference", "Places apart", decimals=0), self.difference[columns]),
            (Field("twins", "Twins"), [len(twins) for _, twins in folded]),
            title=f"Where {a} and {b} stand furthest apart",
        )

    def twins(self, folded: Sequence[Folded]) -> Table:
        """What is folded away."""
        pairs = [(column, twin, r) for column, twins in folded for twin, r in twins.items()]
        (a, b), twins = self.titles, [twin for _, twin, _ in pairs]
        return measures.twins_table(
            self.data,
            pairs,
            (Field("value_a", a), self.values[0, twins]),
            (Field("value_b", b), self.values[1, twins]),
        )

    def following(self, folded: Sequence[Folded]) -> Iterator[str]:
        """Where they stand furthest apart the other way round, if that is told."""
        for column, _ in folded[1:]:
            other_way = self.difference[column] * self.difference[folded[0].column] < 0
            if other_way and self.difference[column]:
                a, b = self.titles
                higher, lower = (a, b) if self.difference[column] > 0 else (b, a)
                values = wording.numbers(
                    self.values[:, column].tolist(), self.measured.spoken_unit(column)
                )
                if higher == b:
                    values.reverse()
                yield (
                    f"The other way round, {higher} is higher than {lower} above all in "
                    f"“{self.measured.titles[column]}” ({values[0]} against {values[1]})."
                )
                return

    def furthest(self, column: int) -> str:
        """How far the two are apart in a column, in numbers and in their places among all."""
        a, b = self.titles
        if self.difference[column] == 0:
            return f"{a} and {b} have the same value wherever both have one."
        values = wording.numbers(self.values[:, column].tolist(), self.measured.spoken_unit(column))
        places = [self._place(column, rank) for rank in self.ranks[:, column].tolist()]
        return (
            f"{a} and {b} stand furthest apart in “{self.measured.titles[column]}”: {values[0]} "
            f"({places[0]}) against {values[1]} ({places[1]})."
        )

    def _place(self, column: int, rank: float) -> str:
        sharing = int((self.fitted.ranks[:, column] == rank).sum())
        of = int(self.fitted.count[column])
        return wording.place(rank, of, self.data.about.things, sharing)

    def typically(self, known: int, distance: float) -> str:
        """How far they are apart in the middle of all columns."""
        among = wording.count(known, self.data.about.measure, self.data.about.measures)
        places = wording.count(round(distance), "place", "places")
        return f"Over the {among} that both have, they are typically {places} in a hundred apart."


def _notes(data: TableData, pair: _Pair, known: int, twins: int) -> Iterator[str]:
    about = data.about
    if twins:
        yield measures.folded_note(about, twins)
    total = data.shape[1]
    if known < total:
        lacks = np.isnan(pair.values).sum(1)
        yield (
            f"Left out: {wording.number(total - known)} of "
            f"{wording.count(total, about.measure, about.measures)}. {pair.titles[0]} has no value "
            f"for {wording.number(int(lacks[0]))} and {pair.titles[1]} none for "
            f"{wording.number(int(lacks[1]))}."
        )
    yield (
        f"Places are counted among the {about.things} that have a value, from 0 (lowest) to 100 "
        "(highest). Typically means in the median; two that were placed at random would be "
        f"{_AT_RANDOM:.0f} places apart. With so many {about.measures} any two stand far apart in "
        "some."
    )
    yield "Rank 1 is the highest value, which need not be the best."


def _view(titles: tuple[str, str], table: Table) -> View:
    a, b = titles
    differences = [value for value in table.columns["difference"] if isinstance(value, float)]
    higher = sum(difference > 0 for difference in differences)
    lower = sum(difference < 0 for difference in differences)
    return View(
        kind="pairs",
        table="compare",
        channels={"label": "title", "a": "percentile_a", "b": "percentile_b"},
        title=f"Where {a} and {b} stand furthest apart",
        description=f"Two points a row, each a place among all from 0 (lowest) to 100 (highest). "
        f"{a} stands higher in {higher} of {len(differences)} rows, {b} in {lower}.",
        options={"a_title": a, "b_title": b, "x_title": "Place among all, from 0 to 100"},
    )
