"""The question "measure": one column on its own, from the lowest to the highest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.scores import (
    Floats,
    bins,
    correlation_p,
    ranks,
    ranks_correlated,
)
from followdata.core.twins import rank_correlations
from followdata.data import Layer, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Column, Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

CLASSES = 6
"""Colours on a map; each has about as many regions."""
_LEAST = 3
_RELATED = 10
_LEAST_SHARED = 10


@dataclass(frozen=True)
class Places:
    """Each value's rank within its column (n x p): 1 is the highest, NaN where there is none."""

    ranks: Floats


def fit_places(data: TableData) -> Places:
    """The ranks of all values in their columns."""
    return Places(ranks(data.matrix()).astype(np.float32))


def show_measure(
    data: TableData,
    fitted: Places,
    *,
    measure: Annotated[str, Column("Which indicator")],
    thing: Annotated[str | None, Row("Whose place to mark")] = None,
    top: Annotated[int, Number("How many to show at each end", 1, 100, whole=True)] = 8,
) -> Answer:
    """The values of one column: who is where, how they are spread, and what goes along with them.

    Tables: `measure` (thing, region where there is a map, value, rank), all rows that have a
    value, the highest first; `extremes`, the `top` of each end; `distribution` (value, low, high,
    count); `series` (time, part, low, median, high, n; value of `thing`) where the data hold
    other times; `parts` (part, median, n; value of `thing`) where they hold parts such as women
    and men; `related` (measure, title, correlation, n, p), the other columns whose ranks go most
    with these. p is that of one correlation multiplied by the number that was tried.

    Raises `NothingToAnswer` where fewer than three rows have a value.
    """
    chosen = _Chosen.of(data, measure, thing)
    order = chosen.order
    if len(order) < _LEAST:
        have = wording.count(len(order), data.about.thing, data.about.things)
        raise NothingToAnswer(
            f"Only {have} with a value of “{chosen.title}”.",
            f"Choose another {data.about.measure}.",
        )
    extremes = _extremes(chosen, top)
    series, parts = _series(chosen), _parts(chosen)
    related, tried = _related(chosen, fitted)
    tables = {
        "measure": _ranking(chosen, order),
        "extremes": _ranking(chosen, extremes, title="The highest and the lowest"),
        "distribution": _distribution(chosen),
        **({"parts": parts} if parts else {}),
        **({"series": series} if series else {}),
        "related": related,
    }
    return Answer(
        sentence=" ".join(_sentences(chosen, parts)),
        tables=tables,
        views=tuple(_views(chosen, tables, len(extremes))),
        notes=tuple(_notes(chosen, related, tried, series)),
    )


question = Question(
    name="measure",
    title="Who is where in “{measure}”?",
    words="One column on its own: the highest and the lowest, how all are spread, where they lie, "
    "how it has changed, and which other columns rise and fall with it.",
    needs="table",
    fit=fit_places,
    answer=show_measure,
)


@dataclass(frozen=True)
class _Chosen:
    """The column asked about, with its values and ranks, and the row to be marked (-1: none)."""

    data: TableData
    measured: Measures
    column: int
    values: Floats
    ranks: Floats
    row: int

    @classmethod
    def of(cls, data: TableData, measure: str, thing: str | None) -> _Chosen:
        column = data.names("var").position(measure)
        values = data.matrix(var=[measure])
        row = data.names("obs").position(thing) if thing else -1
        return cls(data, Measures.of(data), column, values[:, 0], ranks(values)[:, 0], row)

    @property
    def name(self) -> str:
        return self.measured.names[self.column]

    @property
    def title(self) -> str:
        return self.measured.titles[self.column]

    @property
    def unit(self) -> str:
        return self.measured.units[self.column]

    @cached_property
    def others(self) -> list[tuple[Layer, tuple[Floats, Floats]]]:
        """The values in each layer that holds any, and those of them that are there."""
        layers, columns = self.data.through(self.name)
        pairs = zip(layers, columns.T, strict=True)
        return [(layer, (values, values[np.isfinite(values)])) for layer, values in pairs]

    @property
    def known(self) -> Floats:
        """The values that are there."""
        return self.values[np.isfinite(self.values)]

    @property
    def order(self) -> list[int]:
        """The rows that have a value, from the highest to the lowest."""
        rows = np.flatnonzero(np.isfinite(self.values))
        return [int(row) for row in rows[np.argsort(-self.values[rows], kind="stable")]]

    @property
    def marked(self) -> str:
        """The name of the row that is marked; "" if none is, or it has no value."""
        has = self.row >= 0 and np.isfinite(self.values[self.row])
        return self.data.names("obs").names[self.row] if has else ""

    def called(self, row: int) -> str:
        return self.data.names("obs").titles[row]

    def sharing(self, row: int) -> list[int]:
        """The rows with the same value."""
        return np.flatnonzero(self.values == self.values[row]).tolist()

    def field(self, name: str = "value", title: str = "") -> Field:
        """How a column of these values is headed."""
        if title:
            return Field(name, title, unit=self.unit)
        unit = self.measured.spoken_unit(self.column)
        said = f"({unit})" in self.title
        return Field(name, self.title, unit="" if said else unit, lang=self.data.about.lang)


def _sentences(chosen: _Chosen, parts: Table | None) -> Iterator[str]:
    about, order = chosen.data.about, chosen.order
    known = chosen.known
    low, middle, high = wording.numbers(
        [float(known.min()), float(np.median(known)), float(known.max())],
        chosen.measured.spoken_unit(chosen.column),
    )
    things = wording.count(len(order), about.thing, about.things)
    when = f" in {about.time}" if about.time else ""
    if known.min() == known.max():
        yield f"“{chosen.title}”{when} is {low} for all of {things}."
        return
    yield (
        f"“{chosen.title}”{when} runs from {low} ({_who(chosen, order[-1])}) to {high} "
        f"({_who(chosen, order[0])}); the median of {things} is {middle}."
    )
    if chosen.marked:
        value = float(chosen.values[chosen.row])
        place = wording.place(
            float(chosen.ranks[chosen.row]), len(order), about.things,
            len(chosen.sharing(chosen.row)),
        )  # fmt: skip
        has = wording.number(value, chosen.measured.spoken_unit(chosen.column))
        yield f"{chosen.called(chosen.row)} has {has}, {place}."
    elif chosen.row >= 0:
        yield f"{chosen.called(chosen.row)} has no value."
    if parts:
        yield _apart(chosen, parts)


def _who(chosen: _Chosen, row: int) -> str:
    """Who has a value: its name, or how many share it."""
    sharing = chosen.sharing(row)
    if len(sharing) == 1:
        return chosen.called(row)
    return wording.count(len(sharing), chosen.data.about.thing, chosen.data.about.things)


def _apart(chosen: _Chosen, parts: Table) -> str:
    middles = [float(str(value)) for value in parts.columns["median"]]
    told = wording.numbers(middles, chosen.measured.spoken_unit(chosen.column))
    each = [f"{value} for {part}" for part, value in zip(parts.columns["part"], told, strict=True)]
    return f"The median is {' and '.join(each)}."


def _extremes(chosen: _Chosen, top: int) -> list[int]:
    """The rows at both ends, and the marked one where it belongs between them."""
    order = chosen.order
    shown = order if len(order) <= 2 * top else [*order[:top], *order[-top:]]
    if chosen.marked and chosen.row not in shown:
        shown = [*shown[:top], chosen.row, *shown[top:]]
    return shown


def _ranking(chosen: _Chosen, rows: Sequence[int], title: str = "From the highest on") -> Table:
    about, labels = chosen.data.about, chosen.data.labels("obs")
    names = chosen.data.names("obs").names
    link = Field("thing", about.thing.capitalize(), link="distinctive")
    region = (
        [(Field("region", "Code", code=True), [str(labels["id"][row]) for row in rows])]
        if about.boundaries and "id" in labels
        else []
    )
    return Table.of(
        (link, [names[row] for row in rows]),
        *region,
        (chosen.field(), chosen.values[list(rows)]),
        (Field("rank", "Rank"), chosen.ranks[list(rows)]),
        title=title,
    )


def _distribution(chosen: _Chosen) -> Table:
    edges = bins(chosen.known)
    counts, _ = np.histogram(chosen.known, edges)
    return Table.of(
        (chosen.field(), (edges[:-1] + edges[1:]) / 2),
        (Field("low", "From"), edges[:-1]),
        (Field("high", "To"), edges[1:]),
        (Field("count", chosen.data.about.things.capitalize()), counts),
        title="How they are spread",
    )


def _series(chosen: _Chosen) -> Table | None:
    """Quartiles over the rows at each time that the data hold; `None` for fewer than two."""
    rows = [(layer, values) for layer, values in chosen.others if layer.time]
    now = Layer(chosen.data.about.time)
    if now.time and now not in dict(rows) and len(chosen.known):
        rows.append((now, (chosen.values, chosen.known)))
    rows.sort(key=lambda entry: (entry[0].part, entry[0].time))
    if len({layer.time for layer, _ in rows}) < 2:
        return None
    quartiles = np.array([np.percentile(known, [25, 50, 75]) for _, (_, known) in rows])
    own = (
        [(chosen.field(title=chosen.called(chosen.row)), [v[chosen.row] for _, (v, _) in rows])]
        if chosen.row >= 0
        else []
    )
    return Table.of(
        (Field("time", "Time"), [layer.time for layer, _ in rows]),
        (Field("part", "Of"), [layer.part or "all" for layer, _ in rows]),
        (Field("low", "Lower quartile"), quartiles[:, 0]),
        (Field("median", "Median", unit=chosen.unit), quartiles[:, 1]),
        (Field("high", "Upper quartile"), quartiles[:, 2]),
        (Field("n", "Of how many"), [len(known) for _, (_, known) in rows]),
        *own,
        title="How it has changed",
    )


def _parts(chosen: _Chosen) -> Table | None:
    """Medians of the parts (women, men) at the time of the main values; `None` without parts."""
    now = chosen.data.about.time
    rows = [
        (layer, values) for layer, values in chosen.others if layer.part and layer.time in ("", now)
    ]
    if len(rows) < 2:
        return None
    own = (
        [(chosen.field(title=chosen.called(chosen.row)), [v[chosen.row] for _, (v, _) in rows])]
        if chosen.row >= 0
        else []
    )
    return Table.of(
        (Field("part", "Of"), [layer.part for layer, _ in rows]),
        (Field("median", "Median", unit=chosen.unit), [np.median(k) for _, (_, k) in rows]),
        (Field("n", "Of how many"), [len(known) for _, (_, known) in rows]),
        *own,
        title="Apart",
    )


def _related(chosen: _Chosen, fitted: Places) -> tuple[Table, int]:
    """The columns whose ranks go most with those of the chosen one, and how many were tried."""
    everything = fitted.ranks.astype(np.float64)
    rho, n = ranks_correlated(everything[:, chosen.column], everything)
    enough = n >= max(_LEAST_SHARED, len(chosen.known) / 2)
    rho = np.where(enough, rho, np.nan)
    rho[chosen.column] = np.nan
    tried = int(np.isfinite(rho).sum())
    near = np.argsort(-np.abs(np.nan_to_num(rho)), kind="stable")[: 3 * _RELATED]
    near = near[np.isfinite(rho[near])]
    columns = chosen.data.matrix(var=[chosen.measured.names[column] for column in near])
    values = rank_correlations(np.repeat(chosen.values[:, None], len(near), axis=1), columns)
    best = np.argsort(-np.abs(values), kind="stable")[:_RELATED]
    count = n[near[best]]
    p = np.minimum(1.0, tried * correlation_p(values[best], count))
    measure, title, _ = measures.fields(chosen.data)
    return Table.of(
        (
            Field("measure", measure.title, code=True),
            [chosen.measured.names[c] for c in near[best]],
        ),
        (
            Field("title", title.title, lang=title.lang),
            [chosen.measured.titles[c] for c in near[best]],
        ),
        (Field("correlation", "Rank correlation", decimals=2), values[best]),
        (Field("n", "Of how many"), count),
        (Field("p", "p, times all tried"), p),
        title="What rises and falls with it",
    ), tried


def _views(chosen: _Chosen, tables: dict[str, Table], shown: int) -> Iterator[View]:
    about, title = chosen.data.about, chosen.title
    highest, lowest = _who(chosen, chosen.order[0]), _who(chosen, chosen.order[-1])
    if "region" in tables["measure"].columns:
        outlined = {"mark": chosen.marked} if chosen.marked else {}
        yield View(
            kind="map",
            table="measure",
            channels={"region": "region", "value": "value", "label": "thing"},
            title=title,
            description=f"A map of the {about.things}, coloured by their value: the highest is "
            f"{highest}, the lowest {lowest}.",
            options={"boundaries": about.boundaries, "bins": _classes(chosen.known), **outlined},
        )
    yield View(
        kind="ranking",
        table="extremes",
        channels={"label": "thing", "value": "value"},
        title=f"The highest and the lowest of {wording.number(len(chosen.order))} {about.things}",
        description=f"{shown} {about.things} as bars, from {highest} down to {lowest}.",
    )
    mark = (
        {"mark": float(chosen.values[chosen.row]), "mark_label": chosen.called(chosen.row)}
        if chosen.marked
        else {}
    )
    counts = [int(str(count)) for count in tables["distribution"].columns["count"]]
    yield View(
        kind="distribution",
        table="distribution",
        channels={"value": "value", "count": "count"},
        title="How they are spread",
        description=f"A histogram of {sum(counts)} values in {len(counts)} bins; the fullest holds "
        f"{max(counts)}.",
        options=mark,
    )
    if "series" in tables:
        yield _lines(chosen, tables["series"])
    if len(tables["related"]):
        yield View(
            kind="ranking",
            table="related",
            channels={"label": "title", "value": "correlation"},
            title="What rises and falls with it",
            description=f"The {len(tables['related'])} {about.measures} with the strongest rank "
            "correlations, positive or negative.",
        )


def _lines(chosen: _Chosen, series: Table) -> View:
    parts = len(set(series.columns["part"])) > 1
    own = chosen.row >= 0 and any(value is not None for value in series.columns["value"])
    times = series.columns["time"]
    channels = {"x": "time", "y": "value" if own else "median"}
    if not parts:
        channels |= {"low": "low", "high": "high"}
    return View(
        kind="lines",
        table="series",
        channels={**channels, **({"color": "part"} if parts else {})},
        title=f"How it has changed{f' in {chosen.called(chosen.row)}' if own else ''}",
        description=f"From {min(map(str, times))} to {max(map(str, times))}: the "
        f"{'value of ' + chosen.called(chosen.row) if own else 'median'} as a line"
        + (
            " for each part."
            if parts
            else f", and as a band the middle half of the {chosen.data.about.things}."
        ),
    )


def _classes(known: Floats) -> list[float]:
    """Edges between classes of about as many values each, at most `CLASSES`."""
    edges = np.quantile(known, np.arange(1, CLASSES) / CLASSES)
    rounded = [float(f"{edge:.3g}") for edge in edges]
    kept = [edge for edge in sorted(set(rounded)) if known.min() < edge]
    return kept or [float(known.max())]


def _notes(chosen: _Chosen, related: Table, tried: int, series: Table | None) -> Iterator[str]:
    about = chosen.data.about
    total, known = chosen.data.shape[0], len(chosen.known)
    if known < total:
        yield (
            f"{wording.number(total - known)} of {wording.count(total, about.thing, about.things)} "
            "have no value; nothing stands in for them."
        )
    else:
        yield f"All {wording.count(total, about.thing, about.things)} have a value."
    yield "Rank 1 is the highest value, which need not be the best; equal values share the average."
    if len(related):
        n = related.columns["n"][0]
        yield (
            f"{wording.count(tried, 'correlation was', 'correlations were')} tried, so some are "
            f"strong by chance: p is multiplied by that number (Bonferroni). Among "
            f"{wording.number(tried)} unrelated {about.measures} of {n} {about.things}, none would "
            f"be beyond ±{_critical(tried, int(str(n))):.2f} in 19 of 20 cases."
        )
        yield (
            f"What goes together need not cause each other; it may be the same thing measured "
            f"twice. Where neighbouring {about.things} resemble each other, p is too small."
        )
    if series:
        least, most = min(series.columns["n"], key=_whole), max(series.columns["n"], key=_whole)
        if least != most:
            yield (
                f"Between {least} and {most} {about.things} have a value at a time, not always the "
                "same: part of a change may be who was counted."
            )


def _whole(value: object) -> int:
    return int(str(value))


def _critical(tried: int, n: int) -> float:
    """The rank correlation that a twentieth of such lists of chance would exceed somewhere."""
    from scipy.special import stdtrit

    t = -float(stdtrit(max(1, n - 2), 0.05 / (2 * max(1, tried))))
    return float(t / np.sqrt(max(1, n - 2) + t**2))
