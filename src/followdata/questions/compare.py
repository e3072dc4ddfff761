"""The question "compare": in what two things differ most, by where they stand among all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.scores import Floats, percentiles, ranks
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

_MIDDLE_OF_RANDOM_PAIRS = 100 * (1 - np.sqrt(0.5))
"""The median distance of two independent places on a scale of 100, |U - V| of two uniforms."""


@dataclass(frozen=True)
class Ranks:
    """The rank of every value in its column (n x p; 1 is the highest, ties share the average,
    NaN where the value is missing) and how many values each column has (p)."""

    ranks: Floats
    count: Floats


def fit_ranks(data: TableData) -> Ranks:
    """Rank every column, over the values that are there."""
    X = data.matrix()
    return Ranks(ranks(X), np.isfinite(X).sum(0).astype(float))


def compare(
    data: TableData,
    fitted: Ranks,
    *,
    a: Annotated[str, Row("The one to compare")],
    b: Annotated[str, Row("What to compare it with")],
    top: Annotated[int, Number("How many columns to show", 1, 500, whole=True)] = 10,
) -> Answer:
    """The columns in which `a` and `b` stand furthest apart among all rows.

    Table `compare`: measure, title, value_a, value_b, unit, rank_a, rank_b (1 is the highest),
    n (how many rows have a value), percentile_a, percentile_b (0 lowest to 100 highest) and
    difference, percentile_a - percentile_b = 100 (rank_b - rank_a) / n: positive where `a` has
    the higher value. Ordered by the size of the difference.

    Raises `InvalidParameter` where `a` and `b` are the same, `NothingToAnswer` where they share
    no column that varies.
    """
    about = data.about
    if a == b:
        raise InvalidParameter("b", f"{b} cannot be compared with itself.", "Choose another one.")
    measured = Measures.of(data)
    index = data.names("obs")
    values = data.matrix(obs=[a, b])
    places = fitted.ranks[[index.position(a), index.position(b)]]
    percents = percentiles(places, fitted.count)
    varies = np.nanmin(fitted.ranks, axis=0, initial=np.inf) < (fitted.count + 1) / 2
    difference = np.where(varies, percents[0] - percents[1], np.nan)
    known = int(np.isfinite(difference).sum())
    if not known:
        raise NothingToAnswer(
            f"{a} and {b} have no {about.measure} in common that varies.",
            f"Choose another pair of {about.things}.",
        )
    order = np.argsort(-np.nan_to_num(np.abs(difference), nan=-1.0), kind="stable")
    shown = order[: min(top, known)]
    titles = index.title(a), index.title(b)
    table = _table(data, measured, titles, shown, values, places, percents, difference, fitted)
    first = int(shown[0])
    return Answer(
        sentence=(
            f"{_furthest(data, measured, titles, first, values, places, fitted)} "
            f"{_typically(data, known, difference)}"
        ),
        tables={"compare": table},
        views=(_view(titles, table),),
        notes=tuple(_notes(data, titles, values)),
    )


question = Question(
    name="compare",
    title="How do {a} and {b} differ?",
    words="For every column, where each of the two stands among all. Those where they stand "
    "furthest apart come first.",
    needs="table",
    fit=fit_ranks,
    answer=compare,
)


def _table(
    data: TableData,
    measured: Measures,
    titles: tuple[str, str],
    shown: np.ndarray[tuple[int], np.dtype[np.intp]],
    values: Floats,
    places: Floats,
    percents: Floats,
    difference: Floats,
    fitted: Ranks,
) -> Table:
    measure, title, unit = measures.fields(data)
    a, b = titles
    return Table.of(
        (measure, [measured.names[column] for column in shown]),
        (title, [measured.titles[column] for column in shown]),
        (Field("value_a", a), values[0, shown]),
        (Field("value_b", b), values[1, shown]),
        (unit, [measured.units[column] for column in shown]),
        (Field("rank_a", f"Rank of {a}"), places[0, shown]),
        (Field("rank_b", f"Rank of {b}"), places[1, shown]),
        (Field("n", "Of"), fitted.count[shown].astype(int)),
        (Field("percentile_a", f"Percentile of {a}", decimals=0), percents[0, shown]),
        (Field("percentile_b", f"Percentile of {b}", decimals=0), percents[1, shown]),
        (Field("difference", "Difference in percentiles", decimals=0), difference[shown]),
    )


def _furthest(
    data: TableData,
    measured: Measures,
    titles: tuple[str, str],
    column: int,
    values: Floats,
    places: Floats,
    fitted: Ranks,
) -> str:
    n = int(fitted.count[column])
    shown = wording.numbers(values[:, column].tolist(), measured.units[column])
    ranked = fitted.ranks[:, column]
    where = [
        wording.place(float(place), n, int((ranked == place).sum())) for place in places[:, column]
    ]
    return (
        f"{titles[0]} and {titles[1]} stand furthest apart in “{measured.titles[column]}”: "
        f"{shown[0]} ({where[0]} {data.about.things}) against {shown[1]} ({where[1]})."
    )


def _typically(data: TableData, known: int, difference: Floats) -> str:
    typical = wording.number(round(float(np.nanmedian(np.abs(difference)))))
    among = wording.count(known, data.about.measure, data.about.measures)
    return (
        f"Over the {among} that both have, they are typically {typical} places in a hundred apart."
    )


def _notes(data: TableData, titles: tuple[str, str], values: Floats) -> Iterator[str]:
    about = data.about
    missing = np.isnan(values)
    if missing.any():
        yield (
            f"Of {wording.count(values.shape[1], about.measure, about.measures)}, "
            f"{wording.number(int(missing.any(0).sum()))} are left out because a value is missing "
            f"({titles[0]} lacks {wording.number(int(missing[0].sum()))}, "
            f"{titles[1]} {wording.number(int(missing[1].sum()))})."
        )
    yield (
        f"Places are counted among the {about.things} that have a value. Typically means in the "
        f"median; two {about.things} placed at random would be "
        f"{_MIDDLE_OF_RANDOM_PAIRS:.0f} places in a hundred apart. Among so many {about.measures} "
        "any two stand far apart in some."
    )
    yield "Rank 1 is the highest value, which need not be the best."


def _view(titles: tuple[str, str], table: Table) -> View:
    differences = [value for value in table.columns["difference"] if isinstance(value, float)]
    higher = sum(difference > 0 for difference in differences)
    return View(
        kind="pairs",
        table="compare",
        channels={"label": "title", "a": "percentile_a", "b": "percentile_b"},
        title=f"Where {titles[0]} and {titles[1]} stand furthest apart",
        description=f"Two points a row, from 0 (lowest of all) to 100 (highest). {titles[0]} is the "
        f"higher in {higher} of the {len(differences)} rows and {titles[1]} in "
        f"{len(differences) - higher}.",
        options={
            "a_title": titles[0],
            "b_title": titles[1],
            "x_title": "Place among all, 0 to 100",
        },
    )
