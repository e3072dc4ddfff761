"""The grammar of Vega-Lite as plain dictionaries, in the words that Altair has for it.

A page waits for its charts. Altair checks every part of a chart as it is put together, and copies
the whole each time that something is added: some 15 to 35 ms a chart. Here the same words
(https://altair-viz.github.io/user_guide/api.html) only put dictionaries together, which takes
about a hundredth of that; tests check every kind of chart against Vega-Lite's schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

SCHEMA_URL = "https://vega.github.io/schema/vega-lite/v6.4.1.json"
_CODES = {"N": "nominal", "O": "ordinal", "Q": "quantitative", "T": "temporal"}
_SECOND = {"x2", "y2", "longitude2", "latitude2"}
"""Channels that have the type of the channel that they belong to."""


class Part(dict[str, Any]):
    """A part of a specification by its properties: an axis, a legend, a scale."""

    def __init__(self, **words: Any) -> None:
        super().__init__(words)


Axis: TypeAlias = Part
Legend: TypeAlias = Part
NamedData: TypeAlias = Part
Scale: TypeAlias = Part


class Channel(dict[str, Any]):
    """How a column is shown: `field`, its type and what else is said of it.

    >>> X("height", type="quantitative", title=None)
    {'field': 'height', 'type': 'quantitative', 'title': None}
    """

    def __init__(self, field: str | None = None, **words: Any) -> None:
        super().__init__(({"field": field} if field is not None else {}) | words)

    def legend(self, **words: Any) -> Channel:
        """The same with a legend."""
        return Channel(**self, legend=words)


Color: TypeAlias = Channel
Latitude: TypeAlias = Channel
Longitude: TypeAlias = Channel
Shape: TypeAlias = Channel
Tooltip: TypeAlias = Channel
X: TypeAlias = Channel
Y: TypeAlias = Channel


def datum(value: Any) -> Channel:
    """A value of the data's own scale."""
    return Channel(datum=value)


def value(value: Any) -> Channel:
    """A value of the picture: a place in pixels, a colour."""
    return Channel(value=value)


def ExprRef(expression: str) -> Part:  # noqa: N802 -- Altair's word
    """A value that Vega works out."""
    return Part(expr=expression)


def _mark(kind: str) -> Callable[..., Chart]:
    def mark(chart: Chart, **words: Any) -> Chart:
        return chart.with_parts(mark={"type": kind, **words})

    return mark


@dataclass(frozen=True)
class Chart:
    """A specification that is not changed: each method gives another one.

    >>> Chart(NamedData(name="rows")).mark_bar().encode(x="n:Q").spec["encoding"]
    {'x': {'field': 'n', 'type': 'quantitative'}}
    """

    data: Mapping[str, Any] | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)

    def with_parts(self, **parts: Any) -> Chart:
        """The same with these parts set."""
        return replace(self, spec={**self.spec, **parts})

    mark_area = _mark("area")
    mark_bar = _mark("bar")
    mark_geoshape = _mark("geoshape")
    mark_line = _mark("line")
    mark_point = _mark("point")
    mark_rect = _mark("rect")
    mark_rule = _mark("rule")
    mark_text = _mark("text")
    mark_tick = _mark("tick")

    def encode(self, **channels: Any) -> Chart:
        """The same with these channels; "name:N" is short for a column and its type."""
        read = {name: _channel(name, channel) for name, channel in channels.items()}
        return self.with_parts(encoding={**self.spec.get("encoding", {}), **read})

    def transform_filter(self, predicate: str) -> Chart:
        """The same for the rows of which an expression is true."""
        return self._transformed({"filter": predicate})

    def transform_calculate(self, **columns: str) -> Chart:
        """The same with columns that expressions work out."""
        steps = [{"calculate": expression, "as": name} for name, expression in columns.items()]
        return self._transformed(*steps)

    def transform_fold(self, fold: list[str], as_: list[str]) -> Chart:
        """The same with columns put below each other: their name and their value."""
        return self._transformed({"fold": fold, "as": as_})

    def _transformed(self, *steps: Mapping[str, Any]) -> Chart:
        return self.with_parts(transform=[*self.spec.get("transform", []), *steps])

    def project(self, **words: Any) -> Chart:
        """The same on a map projection."""
        return self.with_parts(projection=words)

    def properties(self, **words: Any) -> Chart:
        """The same with height, width and the like."""
        return self.with_parts(**words)

    def to_dict(self) -> dict[str, Any]:
        """The specification itself."""
        return {**({"data": self.data} if self.data is not None else {}), **self.spec}


def layer(*charts: Chart, data: Mapping[str, Any] | None = None) -> Chart:
    """Charts drawn over each other."""
    return Chart(data, {"layer": [chart.to_dict() for chart in charts]})


def _channel(name: str, channel: Any) -> Any:
    if not isinstance(channel, str):
        return channel
    if name in _SECOND:
        return Channel(channel)
    column, _, code = channel.rpartition(":")
    return Channel(column, type=_CODES[code])
