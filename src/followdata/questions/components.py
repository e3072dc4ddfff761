"""The question "map": where things lie in the few directions that carry most differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.components import LEAST_OBSERVED, Components, Floats, principal_components
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Column, Group, Number
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

RANK = 5
_STRONGEST = 10
_LEAST_ROWS = _LEAST_COLUMNS = 3
_WORTH_A_NAME = 0.3
"""A loading below this does not give an end of a component its name."""


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

    Tables: `map` (thing, x, y; value if `color`, marked if `group`), rows that were left out
    not among them; `loadings` (component, measure, title, loading), the ten strongest of each
    component. A loading is the unit-length weight times the standard deviation of the scores:
    the correlation of measure and component, where nothing is missing.

    Raises `InvalidParameter` for the same component twice or one the data do not have, and
    `NothingToAnswer` where fewer than three rows or three columns can be used.
    """
    _check(data, fitted, x, y)
    measured = Measures.of(data)
    shown = [_Axis.of(fitted, component, data, measured) for component in (x, y)]
    marking = _Marking(data, fitted, color, group, measured)
    return Answer(
        sentence=" ".join(
            [_carried(data, fitted, shown), *_separated(shown), *marking.words(x, y)]
        ),
        tables={
            "map": _map_table(data, fitted, x, y, marking),
            "loadings": _loadings_table(data, shown, measured),
        },
        views=(_scatter(data, shown, marking), *(_ranking(data, axis) for axis in shown)),
        notes=tuple(_notes(data, fitted)),
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
    """One component: its number, share, strongest columns, and what stands at its two ends."""

    component: int
    share: float
    loadings: Floats
    strongest: tuple[int, ...]
    ends: tuple[str, str]
    titles: tuple[str, str]
    """The strongest column that grows towards the low and the high end; "" if there is none."""

    @classmethod
    def of(cls, fitted: Components, component: int, data: TableData, measured: Measures) -> _Axis:
        scores = fitted.scores[:, component - 1]
        loadings = fitted.loadings[:, component - 1] * np.nanstd(scores)
        order = np.argsort(-np.abs(np.nan_to_num(loadings)), kind="stable")
        things = data.names("obs").titles
        low, high = int(np.nanargmin(loadings)), int(np.nanargmax(loadings))
        return cls(
            component,
            float(fitted.shares[component - 1]),
            loadings,
            tuple(order[:_STRONGEST].tolist()),
            (things[int(np.nanargmin(scores))], things[int(np.nanargmax(scores))]),
            (
                measured.titles[low] if loadings[low] < -_WORTH_A_NAME else "",
                measured.titles[high] if loadings[high] > _WORTH_A_NAME else "",
            ),
        )


class _Marking:
    """What the points are coloured by, if anything was asked for."""

    def __init__(
        self,
        data: TableData,
        fitted: Components,
        color: str | None,
        group: str | None,
        measured: Measures,
    ) -> None:
        self.columns: list[tuple[Field, list[object]]] = []
        self.group = group
        self.scores = fitted.scores
        self.many = data.about.things
        if color is not None:
            position = data.names("var").position(color)
            title, unit = measured.titles[position], measured.units[position]
            values = data.matrix(var=[color])[:, 0]
            heading = Field("value", title, unit=unit, lang=data.about.lang)
            self.columns.append((heading, list(values)))
        if group is not None:
            label = data.about.label or "group"
            self.members = data.labels("obs")[label] == group
            words = [group if member else f"other {self.many}" for member in self.members]
            self.columns.append((Field("marked", label.replace("_", " ").capitalize()), words))

    @property
    def channels(self) -> dict[str, str]:
        return {"color": self.columns[0][0].name} if self.columns else {}

    def words(self, x: int, y: int) -> Iterator[str]:
        """Where the marked group lies."""
        if self.group is None:
            return
        mine = self.scores[self.members]
        mine = mine[~np.isnan(mine[:, 0])]
        if len(mine):
            at = wording.numbers([float(mine[:, axis - 1].mean()) for axis in (x, y)])
            yield (
                f"{self.group} ({len(mine)} of the {self.many}) lies at {at[0]} on component {x} "
                f"and {at[1]} on component {y} in the mean, where 0 is the mean of all."
            )


def _check(data: TableData, fitted: Components, x: int, y: int) -> None:
    about = data.about
    rows = int((~np.isnan(fitted.scores)).any(1).sum())
    columns = int((~np.isnan(fitted.loadings)).any(1).sum())
    if rows < _LEAST_ROWS or columns < _LEAST_COLUMNS:
        raise NothingToAnswer(
            f"Only {wording.count(rows, about.thing, about.things)} and "
            f"{wording.count(columns, about.measure, about.measures)} hold enough values to be "
            "compared.",
            f"A map needs {_LEAST_ROWS} of each.",
        )
    if x == y:
        raise InvalidParameter("y", f"{y} is already drawn to the right.", "Choose two components.")
    found = len(fitted.shares)
    for name, component in (("x", x), ("y", y)):
        if component > found:
            raise InvalidParameter(
                name,
                f"the data hold no more than {wording.count(found, 'component', 'components')}.",
            )


def _carried(data: TableData, fitted: Components, shown: list[_Axis]) -> str:
    rows = int((~np.isnan(fitted.scores[:, 0])).sum())
    both = sum(axis.share for axis in shown)
    each = " and ".join(wording.share(axis.share) for axis in shown)
    which = (
        "Two components carry"
        if {axis.component for axis in shown} == {1, 2}
        else f"Components {shown[0].component} and {shown[1].component} carry"
    )
    among = wording.count(rows, data.about.thing, data.about.things)
    return f"{which} {wording.share(both)} of the differences between {among} ({each})."


def _separated(shown: list[_Axis]) -> Iterator[str]:
    for axis in shown:
        name = f"The {wording.ordinal_word(axis.component)}"
        (low, high), (low_end, high_end) = axis.titles, axis.ends
        if low and high:
            yield (
                f"{name} sets those high in “{high}” ({high_end} furthest out) against those "
                f"high in “{low}” ({low_end})."
            )
        elif low or high:
            title = low or high
            top, bottom = (low_end, high_end) if low else (high_end, low_end)
            yield f"{name} follows “{title}”, from {bottom} at the low end to {top} at the high."
        else:
            yield f"{name} runs from {low_end} to {high_end}, and no single column stands for it."


def _map_table(data: TableData, fitted: Components, x: int, y: int, marking: _Marking) -> Table:
    about = data.about
    used = np.flatnonzero(~np.isnan(fitted.scores[:, 0]))
    names = data.names("obs").names
    headings = [
        Field(axis, f"Component {number}", decimals=2) for axis, number in (("x", x), ("y", y))
    ]
    return Table.of(
        (
            Field("thing", about.thing.capitalize(), link="distinctive"),
            [names[row] for row in used],
        ),
        (headings[0], fitted.scores[used, x - 1]),
        (headings[1], fitted.scores[used, y - 1]),
        *((heading, [values[row] for row in used]) for heading, values in marking.columns),
    )


def _loadings_table(data: TableData, shown: list[_Axis], measured: Measures) -> Table:
    measure, title, _ = measures.fields(data)
    rows = [(axis, column) for axis in shown for column in axis.strongest]
    return Table.of(
        (Field("component", "Component"), [axis.component for axis, _ in rows]),
        (measure, [measured.names[column] for _, column in rows]),
        (title, [measured.titles[column] for _, column in rows]),
        (Field("loading", "Loading", decimals=2), [axis.loadings[column] for axis, column in rows]),
    )


def _scatter(data: TableData, shown: list[_Axis], marking: _Marking) -> View:
    x, y = shown
    return View(
        kind="scatter",
        table="map",
        channels={"x": "x", "y": "y", "label": "thing", **marking.channels},
        title=f"The {data.about.things} on components {x.component} and {y.component}",
        description=f"A point for each of the {data.about.things}. Component {x.component} runs "
        f"from {x.ends[0]} on the left to {x.ends[1]} on the right, component {y.component} from "
        f"{y.ends[0]} at the bottom to {y.ends[1]} at the top. Those close together are alike.",
    )


def _ranking(data: TableData, axis: _Axis) -> View:
    strongest = axis.loadings[list(axis.strongest)]
    return View(
        kind="ranking",
        table="loadings",
        channels={"label": "title", "value": "loading"},
        title=f"What component {axis.component} is made of",
        description=f"The {data.about.measures} that go most with component {axis.component}: "
        f"{(strongest > 0).sum()} of the {len(strongest)} strongest grow with it and "
        f"{(strongest < 0).sum()} shrink.",
        options={"where": {"component": axis.component}},
    )


def _notes(data: TableData, fitted: Components) -> Iterator[str]:
    about = data.about
    if fitted.missing:
        yield (
            f"{wording.number(fitted.missing)} of {wording.number(fitted.cells)} values "
            f"({wording.share(fitted.missing / fitted.cells)}) are missing. The components are "
            "fitted to the values that are there (variational Bayesian PCA), not to means put in "
            "their place; shares of the differences count observed values only."
        )
    else:
        yield f"No value is missing among the {wording.number(fitted.cells)} used."
    reasons = [
        f"{wording.count(fitted.empty, about.measure, about.measures)} with values for too few "
        f"{about.things} (under {wording.share(LEAST_OBSERVED)})",
        f"{wording.count(fitted.constant, about.measure, about.measures)} with one value for all",
        f"{wording.count(fitted.rows_left_out, about.thing, about.things)} with too few values",
    ]
    amounts = (fitted.empty, fitted.constant, fitted.rows_left_out)
    left_out = [reason for reason, amount in zip(reasons, amounts, strict=True) if amount]
    if left_out:
        yield f"Left out: {listing(left_out)}."
    yield (
        f"Every column counts the same, whatever its unit, and {about.measures} that say the same "
        "thing twice count twice. Components describe these data; they are not causes, and which "
        "end is positive means nothing."
    )
