"""The question "map": where things lie in the few directions that carry most differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.components import LEAST_OBSERVED, Components, Floats, principal_components
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Column, Group, Number
from followdata.question import Question
from followdata.questions import measures, partition, wording
from followdata.questions.measures import Measures

RANK = 5
_STRONGEST = 10
_LEAST_ROWS = _LEAST_COLUMNS = 3
_WORTH_NAMING = 0.3
"""A column with a weaker loading than this is not named in the sentence."""


def fit_components(data: TableData) -> Components:
    """The first five components of all columns, fitted to the observed cells."""
    return principal_components(data.matrix(), rank=RANK)


def show_map(
    data: TableData,
    fitted: Components,
    *,
    x: Annotated[int, Number("The component drawn to the right", 1, RANK, whole=True)] = 1,
    y: Annotated[int, Number("The component drawn upwards", 1, RANK, whole=True)] = 2,
    color: Annotated[str | None, Column("What the points are coloured by")] = None,
    group: Annotated[str | None, Group("A group to mark")] = None,
) -> Answer:
    """Each row of the data at its scores on two components, and what the components are made of.

    Tables: `map` (thing, x, y; value if `color`, marked if `group`) without the rows that were
    left out, and with each row's donor where the data tell of several; `loadings` (component,
    measure, title, loading), the ten strongest of each of the two components; `partition`, how
    much of each component goes with the main label and with the donor, where there are such. A
    loading is the correlation of a measure and a component over the rows where the measure was
    observed, from -1 to 1.

    Raises `InvalidParameter` for the same component twice or one that the data do not have,
    `NothingToAnswer` where fewer than three rows or three columns can be used.
    """
    rows = np.flatnonzero(~np.isnan(fitted.scores).all(1)).tolist()
    _check(data, fitted, len(rows), x, y)
    measured = Measures.of(data)
    axes = [_Axis.of(fitted, component, data, measured) for component in (x, y)]
    marks = list(_marks(data, measured, color, group))
    sentences = [_carried(data, len(rows), axes), *(axis.sentence() for axis in axes)]
    sentences.extend(partition.sentences(data, fitted.scores, (x, y)))
    if group is not None:
        sentences.extend(_group_lies(data, fitted, group, x, y))
    return Answer(
        sentence=" ".join(sentences),
        tables={
            "map": _map_table(
                data,
                fitted.scores[:, [x - 1, y - 1]],
                rows,
                axes,
                [*marks, *partition.donors(data)],
            ),
            "loadings": _loadings_table(data, axes, measured),
            **partition.tables(data, fitted.scores),
        },
        views=(
            partition.shaped(_scatter(data, axes, marks), data),
            *(_ranking(data, axis) for axis in axes),
        ),
        notes=(*_notes(data, fitted), *partition.notes(data)),
    )


question = Question(
    name="map",
    title="How do they all compare at once?",
    words="All columns are boiled down to a few components that carry most of the differences. "
    "Those that lie close together are alike in much; the loadings say in what.",
    needs="table",
    fit=fit_components,
    answer=show_map,
)


@dataclass(frozen=True)
class _Axis:
    """One component: its number, its share of the differences, the loadings of all columns, the
    strongest columns, and what stands at its two ends."""

    component: int
    share: float
    loadings: Floats
    strongest: Sequence[int]
    titles: Sequence[str]
    first: str
    last: str

    @classmethod
    def of(cls, fitted: Components, component: int, data: TableData, measured: Measures) -> _Axis:
        scores = fitted.scores[:, component - 1]
        loadings = fitted.correlations[:, component - 1]
        used = np.flatnonzero(~np.isnan(loadings))
        strongest = used[np.argsort(-np.abs(loadings[used]), kind="stable")][:_STRONGEST]
        things = data.names("obs").titles
        return cls(
            component,
            float(fitted.shares[component - 1]),
            loadings,
            strongest.tolist(),
            measured.titles,
            things[int(np.nanargmin(scores))],
            things[int(np.nanargmax(scores))],
        )

    def sentence(self) -> str:
        """What the component runs between, and what rises and falls most along it."""
        rises, falls = int(np.nanargmax(self.loadings)), int(np.nanargmin(self.loadings))
        named = [
            f"“{self.titles[column]}” {verb} most"
            for column, verb in ((rises, "rises"), (falls, "falls"))
            if abs(self.loadings[column]) > _WORTH_NAMING
            and (self.loadings[column] > 0) == (verb == "rises")
        ]
        along = f"; along it {' and '.join(named)}" if named else ""
        return f"Component {self.component} runs from {self.first} to {self.last}{along}."


def _check(data: TableData, fitted: Components, rows: int, x: int, y: int) -> None:
    about = data.about
    columns = int((~np.isnan(fitted.loadings).all(1)).sum())
    if rows < _LEAST_ROWS or columns < _LEAST_COLUMNS:
        raise NothingToAnswer(
            f"Only {wording.count(rows, about.thing, about.things)} and "
            f"{wording.count(columns, about.measure, about.measures)} hold enough values to be "
            "compared.",
            f"A map needs {_LEAST_ROWS} of each.",
        )
    if x == y:
        raise InvalidParameter(
            "y", f"component {y} is drawn to the right already.", "Choose another one."
        )
    found = len(fitted.shares)
    for name, component in (("x", x), ("y", y)):
        if component > found:
            has = wording.count(found, "component", "components")
            raise InvalidParameter(name, f"the data have only {has}.")


def _marks(
    data: TableData, measured: Measures, color: str | None, group: str | None
) -> Iterator[tuple[Field, Sequence[Any]]]:
    """What is said of every row beside its place: the value of a column, whether in a group."""
    if color is not None:
        column = data.names("var").position(color)
        title, unit = measured.titles[column], measured.units[column]
        heading = Field("value", title, unit=unit, lang=data.about.lang)
        yield heading, data.matrix(var=[color])[:, 0].tolist()
    if group is not None:
        label = data.about.label or "group"
        heading = Field("marked", label.replace("_", " ").capitalize())
        others = f"other {data.about.things}"
        yield heading, [group if member else others for member in _members(data, group)]


def _members(data: TableData, group: str) -> Any:
    return data.labels("obs")[data.about.label or "group"] == group


def _carried(data: TableData, rows: int, axes: Sequence[_Axis]) -> str:
    # The two shares are not added up: rounded, they would not agree with a rounded sum.
    shares = " and ".join(wording.share(axis.share) for axis in axes)
    numbers = " and ".join(str(axis.component) for axis in axes)
    among = wording.count(rows, data.about.thing, data.about.things)
    return f"Components {numbers} carry {shares} of the differences between {among}."


def _group_lies(data: TableData, fitted: Components, group: str, x: int, y: int) -> Iterator[str]:
    scores = fitted.scores[_members(data, group)][:, [x - 1, y - 1]]
    scores = scores[~np.isnan(scores[:, 0])]
    if len(scores):
        means = wording.numbers(scores.mean(0).round(1).tolist())
        many = wording.count(len(scores), data.about.thing, data.about.things)
        yield (
            f"{group} ({many}) lies on average at {means[0]} on component {x} and {means[1]} on "
            f"component {y}; the average of all is 0."
        )


def _map_table(
    data: TableData,
    scores: Floats,
    rows: list[int],
    axes: Sequence[_Axis],
    marks: Sequence[tuple[Field, Sequence[Any]]],
) -> Table:
    names = data.names("obs").names
    x, y = (f"Component {axis.component}" for axis in axes)
    thing = Field("thing", data.about.thing.capitalize(), link="distinctive")
    return Table.of(
        (thing, [names[row] for row in rows]),
        (Field("x", x, decimals=2), scores[rows, 0]),
        (Field("y", y, decimals=2), scores[rows, 1]),
        *((heading, [values[row] for row in rows]) for heading, values in marks),
        title=f"Where the {data.about.things} lie",
    )


def _loadings_table(data: TableData, axes: Sequence[_Axis], measured: Measures) -> Table:
    measure, title, _ = measures.fields(data)
    rows = [(axis, column) for axis in axes for column in axis.strongest]
    return Table.of(
        (Field("component", "Component"), [axis.component for axis, _ in rows]),
        (measure, [measured.names[column] for _, column in rows]),
        (title, [measured.titles[column] for _, column in rows]),
        (Field("loading", "Loading", decimals=2), [axis.loadings[column] for axis, column in rows]),
        title="What the components are made of",
    )


def _scatter(
    data: TableData, axes: Sequence[_Axis], marks: Sequence[tuple[Field, Sequence[Any]]]
) -> View:
    x, y = axes
    channels = {"x": "x", "y": "y", "label": "thing"}
    if marks:
        channels["color"] = marks[0][0].name
    return View(
        kind="scatter",
        table="map",
        channels=channels,
        title=f"The {data.about.things} on components {x.component} and {y.component}",
        description=f"A point for each of the {data.about.things}. Component {x.component} runs "
        f"from {x.first} on the left to {x.last} on the right, component {y.component} from "
        f"{y.first} at the bottom to {y.last} at the top. Those close together are alike in much.",
    )


def _ranking(data: TableData, axis: _Axis) -> View:
    strongest = axis.loadings[list(axis.strongest)]
    return View(
        kind="ranking",
        table="loadings",
        channels={"label": "title", "value": "loading"},
        title=f"What component {axis.component} is made of",
        description=f"The {len(strongest)} {data.about.measures} that go most with component "
        f"{axis.component}: {(strongest > 0).sum()} rise along it and {(strongest < 0).sum()} "
        f"fall, the strongest with a loading of {wording.number(strongest[0].round(2))}.",
        options={"where": {"component": axis.component}},
    )


def _notes(data: TableData, fitted: Components) -> Iterator[str]:
    about = data.about
    if fitted.missing:
        yield (
            f"{wording.number(fitted.missing)} of {wording.number(fitted.cells)} values "
            f"({wording.share(fitted.missing / fitted.cells)}) are missing. The components are "
            "fitted to the values that are there (variational Bayesian PCA), not to means put in "
            "their place; loadings and shares count only values that are there."
        )
    else:
        yield f"None of the {wording.number(fitted.cells)} values used is missing."
    few = wording.share(LEAST_OBSERVED)
    reasons = (
        (fitted.empty, about.measure, about.measures, f"with values for under {few} of the rows"),
        (fitted.constant, about.measure, about.measures, "with the same value everywhere"),
        (fitted.rows_left_out, about.thing, about.things, f"with under {few} of the values"),
    )
    left_out = [
        f"{wording.count(amount, one, many)} {why}" for amount, one, many, why in reasons if amount
    ]
    if left_out:
        yield f"Left out: {listing(left_out)}."
    yield (
        "A loading is the correlation with the component, from −1 to 1. Every one of the "
        f"{about.measures} counts the same, so what several of them measure counts several times."
    )
    yield (
        "Components describe these data and prove nothing about causes; which end is positive "
        "has no meaning."
    )
