"""The question "map": where things lie in the few directions that carry most differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import numpy as np

from followdata.answer import Answer, Field, Scalar, Table, View, listing
from followdata.core.components import (
    LEAST_OBSERVED,
    Completed,
    Components,
    Floats,
    complete,
    components_of,
)
from followdata.core.embedding import Ints, distances, neighbour_ranks, trustworthiness
from followdata.core.partition import variance_partition
from followdata.core.scores import rank_correlation
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Choice, Group, Number, Row, Trait
from followdata.question import Question
from followdata.questions import measures, partition, wording
from followdata.questions.embeddings import METHODS
from followdata.questions.measures import Measures
from followdata.questions.picked import Picked

RANK = 10
PCA = "pca"
NAMES = {
    PCA: "principal components",
    "mds": "metric multidimensional scaling",
    "tsne": "t-SNE",
    "umap": "UMAP",
}
_STRONGEST = 10
_LEAST_ROWS = _LEAST_COLUMNS = 3
_MOST_RANKED = 2000
"""With more rows than this, the trustworthiness of a map is that of so many of them."""
_NEIGHBOURS = 10
_WORTH_NAMING = 0.3
"""A column with a weaker loading than this is not named in the sentence."""


@dataclass(frozen=True)
class Mapped(Components):
    """The components of the table, and what a map of its rows is drawn and judged by.

    `places` (n x 2) are those of a method other than PCA, and `along` (p x 2) each column's
    correlation with its two axes; both hold no columns for PCA, which is drawn from the scores.
    `judged` are the rows (m of n) whose neighbours are compared, and `ranks` (m x m) how near
    each is to each in the completed table.
    """

    places: Floats
    along: Floats
    judged: Ints
    ranks: Ints


Method = Annotated[
    str,
    Choice(
        "How the map is made: principal components, or a method without axes to choose that keeps "
        "distances (mds) or neighbours (tsne and umap, which need the extra “maps”)",
        (PCA, *METHODS),
    ),
]


def fit_components(
    data: TableData,
    *,
    method: Method = PCA,
) -> Mapped:
    """The first ten components of all columns, fitted to the observed cells, and the places of
    another method where one is asked for.

    Raises `NotInstalled` for a method whose package is not there.
    """
    completed = complete(data.matrix(), rank=RANK)
    components = components_of(completed, RANK)
    whole = {field.name: getattr(components, field.name) for field in fields(components)}
    used = np.flatnonzero(completed.rows).astype(np.int32)
    judged = np.arange(len(used))
    if len(used) > _MOST_RANKED:
        judged = np.sort(np.random.default_rng(0).permutation(len(used))[:_MOST_RANKED])
    between = distances(completed.Z[judged]) if len(judged) else np.zeros((0, 0))
    places, along = _placed(completed, components, method)
    return Mapped(
        **whole, places=places, along=along, judged=used[judged], ranks=neighbour_ranks(between)
    )


def _placed(completed: Completed, components: Components, method: str) -> tuple[Floats, Floats]:
    """Where a method other than PCA places all rows, and what goes along with its two axes."""
    start = components.scores[completed.rows][:, :2]
    if method == PCA or start.shape[1] < 2 or len(start) < _LEAST_ROWS:
        return np.empty((len(completed.rows), 0)), np.empty((len(completed.columns), 0))
    places = METHODS[method](completed.Z, start)
    places = places - places.mean(0)
    return completed.spread(places, 0), completed.correlations(places)


def show_map(
    data: TableData,
    fitted: Mapped,
    *,
    method: Method = PCA,
    x: Annotated[int, Number("The component drawn to the right (pca)", 1, RANK, whole=True)] = 1,
    y: Annotated[int, Number("The component drawn upwards (pca)", 1, RANK, whole=True)] = 2,
    thing: Annotated[str | None, Row("One to read of")] = None,
    beside: Annotated[str | None, Row("Another to compare it with")] = None,
    color: Annotated[
        str | None, Trait("An indicator or a label to colour the points by", title="Colour")
    ] = None,
    group: Annotated[str | None, Group("A group to mark")] = None,
) -> Answer:
    """Each row of the data at its scores on two components, and what the components are made of.

    Tables: `map` (thing, x, y; color if asked for, marked if `group`) without the rows that were
    left out, and with each row's donor where the data tell of several; `loadings` (component,
    measure, title, loading), the ten strongest of each of the two; `components` (component, share,
    together), the part of the differences that each carries; `partition`, how much of each
    component goes with the main label and with the donor, where there are such; `trust` (method,
    neighbours, things, trustworthiness) of the map drawn. A loading is the correlation of a measure
    and a component over the rows where the measure was observed, from -1 to 1. Other methods than
    PCA have two axes in place of components.

    One row that is picked leads to what is special about it, two to their comparison.

    Raises `InvalidParameter` for the same component or row twice or a component that the data do
    not have, `NothingToAnswer` where fewer than three rows or three columns can be used.
    """
    rows = np.flatnonzero(~np.isnan(fitted.scores).all(1)).tolist()
    drawn = method == PCA
    _check(data, fitted, len(rows), x, y, components=drawn)
    measured = Measures.of(data)
    places = fitted.scores[:, [x - 1, y - 1]] if drawn else fitted.places
    loadings = fitted.correlations[:, [x - 1, y - 1]] if drawn else fitted.along
    numbers = (x, y) if drawn else (1, 2)
    axes = [
        _Axis.of(places[:, i], loadings[:, i], number, data, measured, component=drawn)
        for i, number in enumerate(numbers)
    ]
    trust = trustworthiness(fitted.ranks, places[fitted.judged], _near(fitted))
    marks = list(_marks(data, measured, color, group))
    picked = Picked.of(data, thing, beside)
    begun = _carried(data, fitted, len(rows), axes) if drawn else _drawn(data, len(rows), method)
    names = [axis.name for axis in axes]
    sentences = [begun, *picked.sentences(places, names, fitted.judged, fitted.ranks)]
    if not picked.things:
        sentences.extend(axis.sentence() for axis in axes)
        if drawn:
            sentences.extend(partition.sentences(data, fitted.scores, (x, y)))
    if color is not None:
        sentences.append(_coloured(data, marks[0], axes, places))
    if group is not None:
        sentences.extend(_group_lies(data, group, axes, places))
    asked: dict[str, Scalar] = {"method": method, "x": x, "y": y, "color": color, "group": group}
    link = picked.field(question.name, asked)
    return Answer(
        sentence=" ".join(sentences),
        tables={
            "map": _map_table(data, link, places, rows, axes, [*marks, *partition.donors(data)]),
            "loadings": _loadings_table(data, axes, measured),
            "components": _components_table(fitted),
            **partition.tables(data, fitted.scores),
            "trust": _trust_table(data, fitted, method, trust),
        },
        views=(
            partition.shaped(_scatter(data, axes, marks, picked), data),
            *(_ranking(data, axis) for axis in axes),
        ),
        notes=(*_notes(data, fitted, method, trust), *partition.notes(data)),
        further=picked.further(),
    )


question = Question(
    name="map",
    title="How do they all compare at once?",
    words="All columns are boiled down to a few components that carry most of the differences. "
    "Those that lie close together are alike in much; the loadings say in what.",
    needs="table",
    fit=fit_components,
    answer=show_map,
    version=2,
)


@dataclass(frozen=True)
class _Axis:
    """One direction of the map: its number, whether it is a component, the loadings of all
    columns, the strongest columns, and what stands at its two ends."""

    number: int
    component: bool
    loadings: Floats
    strongest: Sequence[int]
    titles: Sequence[str]
    first: str
    last: str

    @classmethod
    def of(
        cls,
        places: Floats,
        loadings: Floats,
        number: int,
        data: TableData,
        measured: Measures,
        *,
        component: bool,
    ) -> _Axis:
        used = np.flatnonzero(~np.isnan(loadings))
        strongest = used[np.argsort(-np.abs(loadings[used]), kind="stable")][:_STRONGEST]
        things = data.names("obs").titles
        return cls(
            number,
            component,
            loadings,
            strongest.tolist(),
            measured.titles,
            things[int(np.nanargmin(places))],
            things[int(np.nanargmax(places))],
        )

    @property
    def name(self) -> str:
        """What it is called: "component 1"."""
        return f"{_direction(self.component)} {self.number}"

    def sentence(self) -> str:
        """What the axis runs between, and what rises and falls most along it."""
        rises, falls = int(np.nanargmax(self.loadings)), int(np.nanargmin(self.loadings))
        named = [
            f"“{self.titles[column]}” {verb} most"
            for column, verb in ((rises, "rises"), (falls, "falls"))
            if abs(self.loadings[column]) > _WORTH_NAMING
            and (self.loadings[column] > 0) == (verb == "rises")
        ]
        along = f"; along it {' and '.join(named)}" if named else ""
        return f"{self.name.capitalize()} runs from {self.first} to {self.last}{along}."


def _direction(component: bool) -> str:
    return "component" if component else "axis"


def _check(data: TableData, fitted: Mapped, rows: int, x: int, y: int, *, components: bool) -> None:
    about = data.about
    columns = int((~np.isnan(fitted.loadings).all(1)).sum())
    if rows < _LEAST_ROWS or columns < _LEAST_COLUMNS:
        raise NothingToAnswer(
            f"Only {wording.count(rows, about.thing, about.things)} and "
            f"{wording.count(columns, about.measure, about.measures)} hold enough values to be "
            "compared.",
            f"A map needs {_LEAST_ROWS} of each.",
        )
    if not components:
        if not fitted.places.shape[1]:
            raise NothingToAnswer("All differences lie in one direction.", "Draw them with pca.")
        return
    if x == y:
        raise InvalidParameter(
            "y", f"component {y} is drawn to the right already.", "Choose another one."
        )
    found = len(fitted.shares)
    for name, component in (("x", x), ("y", y)):
        if component > found:
            has = wording.count(found, "component", "components")
            raise InvalidParameter(name, f"the data have only {has}.")


def _near(fitted: Mapped) -> int:
    """How many neighbours the map is judged by."""
    return min(_NEIGHBOURS, (len(fitted.judged) - 1) // 2)


def _marks(
    data: TableData, measured: Measures, color: str | None, group: str | None
) -> Iterator[tuple[Field, Sequence[Any]]]:
    """What is said of every row beside its place: a value or a label, whether in a group."""
    if color is not None and color in measured.names:
        column = data.names("var").position(color)
        title, unit = measured.titles[column], measured.units[column]
        heading = Field("color", title, unit=unit, lang=data.about.lang)
        yield heading, data.matrix(var=[color])[:, 0].tolist()
    elif color is not None:
        heading = Field("color", color.replace("_", " ").capitalize())
        yield heading, [label or None for label in data.labels("obs")[color].tolist()]
    if group is not None:
        label = data.about.label or "group"
        heading = Field("marked", label.replace("_", " ").capitalize())
        others = f"other {data.about.things}"
        yield heading, [group if member else others for member in _members(data, group)]


def _members(data: TableData, group: str) -> Any:
    return data.labels("obs")[data.about.label or "group"] == group


def _carried(data: TableData, fitted: Mapped, rows: int, axes: Sequence[_Axis]) -> str:
    # The two shares are not added up: rounded, they would not agree with a rounded sum.
    shares = " and ".join(wording.share(float(fitted.shares[axis.number - 1])) for axis in axes)
    numbers = " and ".join(str(axis.number) for axis in axes)
    among = wording.count(rows, data.about.thing, data.about.things)
    return f"Components {numbers} carry {shares} of the differences between {among}."


def _drawn(data: TableData, rows: int, method: str) -> str:
    among = wording.count(rows, data.about.thing, data.about.things)
    return f"{among} are placed by {NAMES[method]}."


def _coloured(
    data: TableData, mark: tuple[Field, Sequence[Any]], axes: Sequence[_Axis], places: Floats
) -> str:
    """How what the points are coloured by goes along with where they lie."""
    field, values = mark
    x, y = (axis.name for axis in axes)
    if all(isinstance(value, float) for value in values):
        numbers = np.array(values, dtype=np.float64)
        found = [rank_correlation(numbers, places[:, i])[0] for i in range(2)]
        if np.isnan(found).any():
            return f"“{field.title}” does not vary enough to be followed across the map."
        first, second = (f"{rho:.2f}".replace("-", "−") for rho in found)
        return f"“{field.title}” has a rank correlation of {first} with {x} and {second} with {y}."
    labels = np.array(["" if value is None else value for value in values])
    known = (labels != "") & ~np.isnan(places).any(1)
    first, second = map(wording.share, variance_partition(places[known], [labels[known]])[0])
    return f"{field.title} goes with {first} of the variance along {x} and {second} along {y}."


def _group_lies(
    data: TableData, group: str, axes: Sequence[_Axis], places: Floats
) -> Iterator[str]:
    lie = places[_members(data, group)]
    lie = lie[~np.isnan(lie[:, 0])]
    if len(lie):
        means = wording.numbers(lie.mean(0).round(1).tolist())
        many = wording.count(len(lie), data.about.thing, data.about.things)
        yield (
            f"{group} ({many}) lies on average at {means[0]} on {axes[0].name} and {means[1]} on "
            f"{axes[1].name}; the average of all is 0."
        )


def _map_table(
    data: TableData,
    thing: Field,
    places: Floats,
    rows: list[int],
    axes: Sequence[_Axis],
    marks: Sequence[tuple[Field, Sequence[Any]]],
) -> Table:
    names = data.names("obs").names
    x, y = (axis.name.capitalize() for axis in axes)
    return Table.of(
        (thing, [names[row] for row in rows]),
        (Field("x", x, decimals=2), places[rows, 0]),
        (Field("y", y, decimals=2), places[rows, 1]),
        *((heading, [values[row] for row in rows]) for heading, values in marks),
        title=f"Where the {data.about.things} lie",
    )


def _loadings_table(data: TableData, axes: Sequence[_Axis], measured: Measures) -> Table:
    measure, title, _ = measures.fields(data)
    component = axes[0].component
    rows = [(axis, column) for axis in axes for column in axis.strongest]
    return Table.of(
        (Field("component", _direction(component).capitalize()), [a.number for a, _ in rows]),
        (measure, [measured.names[column] for _, column in rows]),
        (title, [measured.titles[column] for _, column in rows]),
        (Field("loading", "Loading", decimals=2), [axis.loadings[column] for axis, column in rows]),
        title=f"What the {'components' if component else 'axes'} are made of",
    )


def _components_table(fitted: Mapped) -> Table:
    return Table.of(
        (Field("component", "Component"), range(1, len(fitted.shares) + 1)),
        (Field("share", "Explained", unit="%", decimals=1), 100 * fitted.shares),
        (Field("together", "Together", unit="%", decimals=1), 100 * np.cumsum(fitted.shares)),
        title="How much each component explains",
    )


def _trust_table(data: TableData, fitted: Mapped, method: str, trust: float) -> Table:
    return Table.of(
        (Field("method", "Method"), [method]),
        (Field("neighbours", "Neighbours"), [_near(fitted)]),
        (Field("things", data.about.things.capitalize()), [len(fitted.judged)]),
        (Field("trustworthiness", "Trustworthiness", decimals=3), [trust]),
        title="How far the map can be trusted",
    )


def _scatter(
    data: TableData,
    axes: Sequence[_Axis],
    marks: Sequence[tuple[Field, Sequence[Any]]],
    picked: Picked,
) -> View:
    x, y = axes
    channels = {"x": "x", "y": "y", "label": "thing"}
    if marks:
        channels["color"] = marks[0][0].name
    return View(
        kind="scatter",
        table="map",
        channels=channels,
        title=f"The {data.about.things} on {x.name} and {y.name}",
        description=f"A point for each of the {data.about.things}. {x.name.capitalize()} runs "
        f"from {x.first} on the left to {x.last} on the right, {y.name} from {y.first} at the "
        f"bottom to {y.last} at the top. Those close together are alike in much.",
        options={"picked": list(picked.things)},
    )


def _ranking(data: TableData, axis: _Axis) -> View:
    strongest = axis.loadings[list(axis.strongest)]
    return View(
        kind="ranking",
        table="loadings",
        channels={"label": "title", "value": "loading"},
        title=f"What {axis.name} is made of",
        description=f"The {len(strongest)} {data.about.measures} that go most with "
        f"{axis.name}: {(strongest > 0).sum()} rise along it and {(strongest < 0).sum()} "
        f"fall, the strongest with a loading of {wording.number(strongest[0].round(2))}.",
        options={"where": {"component": axis.number}},
    )


def _notes(data: TableData, fitted: Mapped, method: str, trust: float) -> Iterator[str]:
    about = data.about
    sample = " of a random sample" if len(fitted.judged) == _MOST_RANKED else ""
    yield (
        f"Trustworthiness of this map: {trust:.2f} (1 where the {_near(fitted)} nearest on the map "
        f"are the nearest in all {about.measures}, some 0.5 by chance; Venna & Kaski 2001), over "
        f"{wording.count(len(fitted.judged), about.thing, about.things)}{sample}."
    )
    if method != PCA:
        yield (
            "Only who lies near whom has a meaning here: the axes have none of their own, and "
            + (
                "distances are kept as well as two directions can."
                if method == "mds"
                else "neither have the distances between groups nor how large they look."
            )
        )
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
        f"A loading is the correlation with the {_direction(method == PCA)}, from −1 to 1. Every "
        f"one of the {about.measures} counts the same, so what several of them measure counts "
        "several times."
    )
    yield (
        "Maps describe these data and prove nothing about causes; which end of an axis is "
        "positive has no meaning."
    )
