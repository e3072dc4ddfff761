"""A declared View as a Vega-Lite chart.

Each kind of view is a function in `KINDS`; others are added with `register`. A chart names its
colours by style (see `theme.vega_config`), so one chart serves both themes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from followdata.answer import Answer, Field, Scalar, Table, View
from followdata.boundaries import boundaries
from followdata.errors import UnknownName
from followdata.present import vegalite as alt
from followdata.present.letters import visible
from followdata.present.numbers import shown
from followdata.present.theme import STEPS
from followdata.present.vegalite import Chart

Draw = Callable[["Rows", View], Any]
"""Draws a view's rows: a chart, ours or Altair's, or a Vega-Lite specification as it is."""
KINDS: dict[str, Draw] = {}
NUMBER = "_number"
"""The column that numbers the rows; no column of a table is called so."""
ROW = 42
"""Height in pixels of a row with its caption above it."""
_ACROSS = alt.ExprRef("width")
"""Captions end where the picture does: longer ones would squeeze the bars on a small screen."""


def register(kind: str) -> Callable[[Draw], Draw]:
    """Make a function the way views of `kind` are drawn."""

    def keep(draw: Draw) -> Draw:
        KINDS[kind] = draw
        return draw

    return keep


def chart(
    answer: Answer, view: View, *, width: int | str = "container", height: int | None = None,
    check: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The Vega-Lite specification of a view, its data inline and without a theme.

    `check` validates it against Vega-Lite's schema, which takes much longer than drawing.
    """
    draw = KINDS.get(view.kind)
    if draw is None:
        raise UnknownName("kind of picture", view.kind, list(KINDS))
    table = _only(answer.tables[view.table], view.options.get("where", {}))
    table = table.page(0, int(view.options.get("most", len(table))))
    view, table = _with_safe_names(view, table)
    rows = Rows(table)
    drawn = draw(rows, view)
    spec: dict[str, Any] = dict(drawn if isinstance(drawn, dict) else _written_out(drawn))
    spec |= {"$schema": alt.SCHEMA_URL, "width": width}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    if check:
        _check(spec)
    spec["datasets"] = rows.sheets
    if height is not None:
        spec["height"] = height
    spec["description"] = visible(view.description)
    return spec


def _written_out(drawn: Any) -> dict[str, Any]:
    """The specification of a chart, which is not checked where it is drawn."""
    if isinstance(drawn, Chart):
        return drawn.to_dict()
    found: dict[str, Any] = drawn.to_dict(validate=False)
    return found


def _check(spec: dict[str, Any]) -> None:
    import altair

    (altair.LayerChart if "layer" in spec else altair.Chart).from_dict(spec)


@dataclass
class Rows:
    """The rows that a chart shows, and the sheets of data that its layers name.

    Layers share a sheet, so each value is sent once.
    """

    table: Table
    sheets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def all(self) -> Any:
        """Every row, with its number."""
        if "rows" not in self.sheets:
            numbered = enumerate(self.table.records())
            self.sheets["rows"] = [{**record, NUMBER: number} for number, record in numbered]
        return alt.NamedData(name="rows")

    def some(self, name: str, numbers: Sequence[int]) -> Any:
        """The rows with these numbers."""
        records = self.table.records()
        return self.others(name, [records[number] for number in numbers])

    def others(self, name: str, records: Sequence[Mapping[str, Any]]) -> Any:
        """Values that are not in the table: a mark, a boundary."""
        self.sheets[name] = [dict(record) for record in records]
        return alt.NamedData(name=name)


@register("scatter")
def scatter(rows: Rows, view: View) -> Any:
    """Points with the names of those that stand apart; colour by words or by a number, shape by
    words; a ring around those that the option `picked` names by their label."""
    table = rows.table
    x, y, label = (_field(view, table, channel) for channel in ("x", "y", "label"))
    encoding: dict[str, Any] = {
        "x": alt.X(x.name, type="quantitative", title=_title(x), scale=alt.Scale(zero=False)),
        "y": alt.Y(y.name, type="quantitative", title=_title(y), scale=alt.Scale(zero=False)),
        "tooltip": _tooltip(table),
    }
    base = alt.Chart(rows.all())
    if "color" in view.channels:
        field = _field(view, table, "color")
        encoding["color"] = _color(field, table)
        if edges := _skewed(table.columns[field.name]):
            base, encoding["color"] = _in_classes(base, field, edges)
    if "shape" in view.channels:
        shape = _field(view, table, "shape")
        encoding["shape"] = alt.Shape(shape.name, type="nominal", title=shape.title).legend(
            orient="top", titleLimit=180
        )
    points = base.mark_point(
        filled=True, size=64, opacity=0.85, strokeWidth=0.7, style="dot", cursor="pointer"
    )
    labels, wanted = table.columns[label.name], view.options.get("picked", ())
    picked = [number for number, name in enumerate(labels) if name in wanted]
    apart = _standing_apart(table.columns[x.name], table.columns[y.name])
    apart = [number for number in apart if number not in picked]
    placed = {channel: encoding[channel] for channel in ("x", "y")}
    layers = [points.encode(**encoding)]
    if picked:
        rings = alt.Chart(rows.some("picked", picked))
        ring = rings.mark_point(filled=False, size=240, strokeWidth=2.5, style="outline")
        layers.append(ring.encode(**placed))
        name = rings.mark_text(style="label", dy=-16, fontWeight="bold", fontSize=14)
        layers.append(name.encode(**placed, text=f"{label.name}:N"))
    names = alt.Chart(rows.some("apart", apart)).mark_text(style="label", dy=-11, limit=130)
    layers.append(names.encode(**placed, text=f"{label.name}:N"))
    return alt.layer(*layers).properties(height=view.options.get("height", 430))


@register("ranking")
def ranking(rows: Rows, view: View) -> Any:
    """Bars with their names above them, in the table's order; `low` and `high` as whiskers."""
    table = rows.table
    label, value = (_field(view, table, channel) for channel in ("label", "value"))
    numbers = [number for number in table.columns[value.name] if isinstance(number, (int, float))]
    values = rows.all()
    y = _rows(table)
    x = alt.X(value.name, type="quantitative", title=_title(value), axis=alt.Axis(tickCount=5))
    base = alt.Chart(values)
    signs = [("up", f"datum['{value.name}'] >= 0", max(numbers, default=0) >= 0)]
    signs.append(("down", f"datum['{value.name}'] < 0", min(numbers, default=0) < 0))
    layers = [
        base.transform_filter(chosen)
        .mark_bar(style=style, height=11, yOffset=8)
        .encode(y=y, x=x, tooltip=_tooltip(table))
        for style, chosen, any_there in signs
        if any_there
    ]
    if min(numbers, default=0) < 0 < max(numbers, default=0):
        layers.append(base.mark_rule(style="zero").encode(x=alt.datum(0)))
    caption = base.mark_text(
        style="caption", align="left", dy=-8, limit=view.options.get("limit", _ACROSS)
    )
    layers.append(caption.encode(y=y, x=alt.value(0), text=f"{label.name}:N"))
    if "low" in view.channels:
        low, high = (_field(view, table, channel) for channel in ("low", "high"))
        layers.append(
            base.mark_rule(style="zero", strokeWidth=1.5, yOffset=8).encode(
                y=y, x=alt.X(low.name, type="quantitative"), x2=high.name
            )
        )
    return alt.layer(*layers).properties(height=ROW * max(1, len(table)))


@register("intervals")
def intervals(rows: Rows, view: View) -> Any:
    """A point on a line from `low` to `high` for each row; `first` keeps so many rows, and `mark`
    the row of that label too."""
    table = rows.table
    label, value, low, high = (
        _field(view, table, channel) for channel in ("label", "value", "low", "high")
    )
    marked = view.options.get("mark")
    first = int(view.options.get("first", len(table)))
    chosen = [
        number
        for number, name in enumerate(table.columns[label.name])
        if number < first or name == marked
    ]
    records = table.records()
    base = alt.Chart(rows.others("rows", [{**records[n], NUMBER: i} for i, n in enumerate(chosen)]))
    y = alt.Y(NUMBER, type="ordinal", axis=None, scale=alt.Scale(domain=list(range(len(chosen)))))
    x = alt.X(value.name, type="quantitative", title=_title(value), scale=alt.Scale(zero=False))
    is_marked = f"datum['{label.name}'] === {json.dumps(marked)}"
    styles = {"dot": f"!({is_marked})"}
    if any(table.columns[label.name][n] == marked for n in chosen):
        styles["marked"] = is_marked  # Vega warns of a layer without a value
    dots = [
        base.transform_filter(which)
        .mark_point(style=style, filled=True, size=90, opacity=1, yOffset=8, cursor="pointer")
        .encode(y=y, x=x, tooltip=_tooltip(table))
        for style, which in styles.items()
    ]
    return alt.layer(
        base.mark_rule(style="band", strokeWidth=5, opacity=0.35, yOffset=8).encode(
            y=y, x=alt.X(low.name, type="quantitative"), x2=high.name
        ),
        *dots,
        base.mark_text(
            style="caption", align="left", dy=-8, limit=view.options.get("limit", 560)
        ).encode(y=y, x=alt.value(0), text=f"{label.name}:N"),
    ).properties(height=ROW * max(1, len(chosen)))


@register("pairs")
def pairs(rows: Rows, view: View) -> Any:
    """Two values a row, joined by a line."""
    table = rows.table
    label, a, b = (_field(view, table, channel) for channel in ("label", "a", "b"))
    y = _rows(table)
    base = alt.Chart(rows.all())
    titles = [str(view.options.get("a_title", a.title)), str(view.options.get("b_title", b.title))]
    color = alt.Color("side", type="nominal", title=None, scale=alt.Scale(domain=titles)).legend(
        orient="top", symbolSize=110
    )
    axis = alt.X(
        a.name, type="quantitative", title=_as_title(view.options.get("x_title") or _title(a))
    )
    dots = [
        base.transform_calculate(side=json.dumps(title))
        .mark_point(filled=True, size=110, opacity=1, yOffset=8)
        .encode(y=y, x=alt.X(field.name, type="quantitative"), color=color, tooltip=_tooltip(table))
        for field, title in ((a, titles[0]), (b, titles[1]))
    ]
    return alt.layer(
        base.mark_rule(style="zero", strokeWidth=2, yOffset=8).encode(y=y, x=axis, x2=b.name),
        *dots,
        base.mark_text(
            style="caption", align="left", dy=-8, limit=view.options.get("limit", _ACROSS)
        ).encode(y=y, x=alt.value(0), text=f"{label.name}:N"),
    ).properties(height=ROW * max(1, len(table)))


@register("lines")
def lines(rows: Rows, view: View) -> Any:
    """Lines over time or number, one a colour, with a band where `low` and `high` are given.

    `dots` names a column that is drawn as single points behind the line.
    """
    table = rows.table
    x, y = (_field(view, table, channel) for channel in ("x", "y"))
    base = alt.Chart(rows.all()).encode(x=_along(x, table))
    color = (
        {"color": _color(_field(view, table, "color"), table)} if "color" in view.channels else {}
    )
    layers = []
    if "dots" in view.channels:
        dots = _field(view, table, "dots")
        layers.append(
            base.mark_point(filled=True, size=18, opacity=0.55, style="zero").encode(
                y=alt.Y(dots.name, type="quantitative"), tooltip=_tooltip(table)
            )
        )
    if "low" in view.channels:
        low, high = (_field(view, table, channel) for channel in ("low", "high"))
        layers.append(
            base.mark_area(style="band", opacity=0.2).encode(
                y=alt.Y(low.name, type="quantitative"), y2=high.name, **color
            )
        )
    style: dict[str, Any] = {} if color else {"style": "trace"}
    layers.append(
        base.mark_line(strokeWidth=2, **style).encode(
            y=alt.Y(y.name, type="quantitative", title=_title(y), scale=alt.Scale(zero=False)),
            tooltip=_tooltip(table),
            **color,
        )
    )
    return alt.layer(*layers).properties(height=300)


@register("ribbon")
def ribbon(rows: Rows, view: View) -> Any:
    """The usual range along x, its middle, and one marked point.

    Channels that begin with `line` name columns that are drawn as lines, each in its colour.
    """
    table = rows.table
    x, mid = (_field(view, table, channel) for channel in ("x", "mid"))
    base = alt.Chart(rows.all()).encode(x=_along(x, table))
    bands = [("low", "high", 0.22), ("inner_low", "inner_high", 0.32)]
    layers = [
        base.mark_area(style="band", opacity=opacity).encode(
            y=alt.Y(view.channels[low], type="quantitative", title=mid.unit or mid.title),
            y2=view.channels[high],
        )
        for low, high, opacity in bands
        if low in view.channels
    ]
    layers.append(
        base.mark_line(style="trace", strokeWidth=1.6).encode(
            y=alt.Y(mid.name, type="quantitative"), tooltip=_tooltip(table)
        )
    )
    lines = [
        _field(view, table, channel) for channel in view.channels if channel.startswith("line")
    ]
    if lines:
        titles = {field.name: field.title for field in lines}
        named = f"{json.dumps(titles)}[datum._which]"
        color = alt.Color("_line", type="nominal", title=None, sort=list(titles.values())).legend(
            orient="top"
        )
        layers.append(
            base.transform_fold([field.name for field in lines], as_=["_which", "_level"])
            .transform_calculate(_line=named)
            .mark_line(strokeWidth=1.3)
            .encode(y=alt.Y("_level", type="quantitative"), color=color)
        )
    if "mark_x" in view.options:
        point = {
            "x": view.options["mark_x"],
            "y": view.options["mark_y"],
            "label": view.options.get("mark_label", ""),
        }
        marked = alt.Chart(rows.others("mark", [point])).encode(
            x=alt.X("x", type=_along_type(x, table)), y=alt.Y("y", type="quantitative")
        )
        layers.append(marked.mark_point(filled=True, size=130, opacity=1, style="marked"))
        layers.append(
            marked.mark_text(style="label", dy=-14, fontWeight="bold").encode(text="label:N")
        )
    return alt.layer(*layers).properties(height=300)


@register("places")
def places(rows: Rows, view: View) -> Any:
    """Points where they lie on the map, coloured by a number, with the names of some."""
    table = rows.table
    x, y, label = (_field(view, table, channel) for channel in ("longitude", "latitude", "label"))
    color = _field(view, table, "color")
    at = {
        "longitude": alt.Longitude(x.name, type="quantitative"),
        "latitude": alt.Latitude(y.name, type="quantitative"),
    }
    scale = (
        alt.Scale(domain=list(view.options["domain"])) if "domain" in view.options else alt.Scale()
    )
    points = alt.Chart(rows.all()).mark_point(
        filled=True, size=150, opacity=1, style="dot", cursor="pointer"
    )
    apart = _standing_apart(table.columns[x.name], table.columns[y.name])
    names = alt.Chart(rows.some("apart", apart)).mark_text(style="label", dy=-13, limit=150)
    legend = alt.Legend(orient="top", gradientLength=180, titleLimit=320)
    return (
        alt.layer(
            points.encode(
                **at,
                color=alt.Color(
                    color.name, type="quantitative", title=_title(color), scale=scale, legend=legend
                ),
                tooltip=_tooltip(table),
            ),
            names.encode(**at, text=f"{label.name}:N"),
        )
        .project(type="mercator")
        .properties(height=view.options.get("height", 430))
    )


@register("distribution")
def distribution(rows: Rows, view: View) -> Any:
    """A histogram of counts by value, with one value marked."""
    table = rows.table
    value, count = (_field(view, table, channel) for channel in ("value", "count"))
    half = _step(table.columns[value.name]) / 2
    # The name of what is marked needs room above the highest bar.
    highest = max((float(str(number)) for number in table.columns[count.name]), default=0)
    room = alt.Scale(domain=[0, 1.12 * highest]) if "mark" in view.options else alt.Scale()
    bars = (
        alt.Chart(rows.all())
        .transform_calculate(
            _left=f"datum['{value.name}'] - {half!r}", _right=f"datum['{value.name}'] + {half!r}"
        )
        .mark_bar(style="down")
        .encode(
            x=alt.X(
                "_left",
                type="quantitative",
                bin="binned",
                title=_title(value),
                scale=alt.Scale(zero=False),
            ),
            x2="_right",
            y=alt.Y(count.name, type="quantitative", title=_title(count), scale=room),
            tooltip=_tooltip(table),
        )
    )
    if "mark" not in view.options:
        return bars.properties(height=260)
    mark = rows.others(
        "mark", [{"x": view.options["mark"], "label": view.options.get("mark_label", "")}]
    )
    rule = alt.Chart(mark).mark_rule(style="pointer", strokeWidth=2.5)
    text = alt.Chart(mark).mark_text(style="label", dx=5, align="left", fontWeight="bold")
    at = alt.X("x", type="quantitative")
    return alt.layer(
        bars, rule.encode(x=at), text.encode(x=at, y=alt.value(8), text="label:N")
    ).properties(height=260)


_NAMED = 30
"""A grid of more rows than this does not name them."""


@register("grid")
def grid(rows: Rows, view: View) -> Any:
    """One coloured cell per value; with `bins`, values fall into steps between these edges."""
    table = rows.table
    row, column, value = (_field(view, table, channel) for channel in ("row", "column", "value"))
    high = len(set(table.columns[row.name]))
    wide = len(set(table.columns[column.name]))
    edges = view.options.get("bins")
    scale = (
        alt.Scale(type="threshold", domain=list(edges), range=list(STEPS[: len(edges) + 1]))
        if edges
        else alt.Scale()
    )
    return (
        alt.Chart(rows.all())
        .mark_rect()
        .encode(
            y=alt.Y(
                row.name, type="nominal", sort=None, title=row.title, axis=_names(high, _NAMED)
            ),
            x=alt.X(column.name, type="nominal", sort=None, title=None, axis=_names(wide, 40, -50)),
            color=alt.Color(value.name, type="quantitative", title=value.title, scale=scale),
            tooltip=_tooltip(table),
        )
        .properties(height=max(120, 18 * high) if high <= _NAMED else min(640, 9 * high))
    )


@register("map")
def map_of_regions(rows: Rows, view: View) -> Any:
    """Regions coloured by a value; `boundaries` names their shapes, `bins` the edges of classes.

    Regions without a value are drawn as land. `mark` is the label of one to be outlined.
    """
    table = rows.table
    region, value, label = (_field(view, table, name) for name in ("region", "value", "label"))
    shapes = boundaries(str(view.options["boundaries"])).shapes
    known = {record[region.name]: record for record in table.records()}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "MultiPolygon", "coordinates": shape},
            **{field.name: known.get(code, {}).get(field.name) for field in (value, label)},
        }
        for code, shape in shapes.items()
    ]
    base = alt.Chart()
    land = base.mark_geoshape(style="land", strokeWidth=0.3)
    classed, color = _in_classes(base, value, list(view.options["bins"]))
    regions = (
        classed.transform_filter(f"isValid(datum['{value.name}'])")
        .mark_geoshape(style="region", strokeWidth=0.3, cursor="pointer")
        .encode(color=color, tooltip=[_tip(label, [""]), _tip(value, [0.0])])
    )
    layers = [land, regions]
    if "mark" in view.options:
        marked = json.dumps(view.options["mark"])
        layers.append(
            base.transform_filter(f"datum['{label.name}'] === {marked}").mark_geoshape(
                style="outline", filled=False, strokeWidth=2
            )
        )
    # The shapes are projected already; y points upwards in them and downwards on a screen.
    return (
        alt.layer(*layers, data=rows.others("regions", features))
        .project(type="identity", reflectY=True)
        .properties(height=view.options.get("height", 640))
    )


def _step(values: Sequence[Scalar]) -> float:
    """How wide a bin is whose centres are `values`."""
    numbers = sorted(value for value in values if isinstance(value, (int, float)))
    return min((b - a for a, b in pairwise(numbers) if b > a), default=1.0)


LEAST_BOXED = 5
"""Fewer values than this have no quartiles worth a box: their points and the median are shown."""
_LANE = 20
"""Height in pixels of one box."""


@register("box")
def box(rows: Rows, view: View) -> dict[str, Any]:
    """Boxes with their points, a row for each `label` in the table's order and a lane for each
    `color` in it; the caption gives medians and numbers.

    The box is the middle half, its line the median, the whiskers reach the last values within one
    and a half times the box's length (Tukey 1977, Exploratory Data Analysis).
    """
    table = rows.table
    label, value = (_field(view, table, channel) for channel in ("label", "value"))
    lanes = _lanes(view, table)
    step = ROW - 16 + _LANE * len(lanes)
    points, boxes, captions = _boxed(table, label, value, view.channels.get("color", ""), step)
    high = step * len(captions)
    # Written out: through Altair five layers would take longer than all the rest of the answer.
    y = {"field": "at_", "type": "quantitative", "axis": None,
         "scale": {"domain": [high, 0], "nice": False}}  # fmt: skip
    x = {"type": "quantitative", "title": _title(value), "axis": {"tickCount": 5}}
    color: dict[str, Any] = {}
    style: dict[str, Any] = {"style": "trace"}
    if len(lanes) > 1:
        legend = {"orient": "top", "labelLimit": 180}
        color = {"color": {"field": "lane_", "type": "nominal", "title": None, "legend": legend,
                           "scale": {"domain": lanes}}}  # fmt: skip
        style = {}

    def layer(sheet: str, mark: dict[str, Any], **encoding: Any) -> dict[str, Any]:
        return {"data": {"name": sheet}, "mark": mark, "encoding": {"y": y, **encoding}}

    rows.others("boxes", [each for each in boxes if "q1_" in each])
    rows.others("medians", boxes)
    rows.others("points", points)
    rows.others("captions", captions)
    tooltip = _tooltip(table)
    return {
        "height": high,
        "layer": [
            layer("boxes", {"type": "rule", **style},
                  x={**x, "field": "low_"}, x2={"field": "high_"}, **color),
            layer("boxes", {"type": "bar", "height": 11, "opacity": 0.35, **style},
                  x={**x, "field": "q1_"}, x2={"field": "q3_"}, **color),
            layer("medians", {"type": "tick", "orient": "vertical", "size": 15, "thickness": 3,
                              "opacity": 1, **style}, x={**x, "field": "median_"}, **color),
            layer("points", {"type": "point", "filled": True, "size": 22, "opacity": 0.75,
                             "strokeWidth": 0, **style},
                  x={**x, "field": value.name}, tooltip=tooltip, **color),
            layer("captions", {"type": "text", "style": "caption", "align": "left",
                               "limit": view.options.get("limit", 560)},
                  x={"value": 0}, text={"field": "caption_", "type": "nominal"}),
        ],
    }  # fmt: skip


def _lanes(view: View, table: Table) -> list[str]:
    """The colours in the order of their names; one lane without a name where there are none."""
    column = view.channels.get("color", "")
    return sorted({str(v) for v in table.columns.get(column, ()) if v is not None}) or [""]


def _boxed(
    table: Table, label: Field, value: Field, color: str, step: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Points, boxes and captions with their places in pixels from the top."""
    groups: dict[Scalar, dict[str, list[dict[str, Any]]]] = {}
    for record in table.records():
        lanes = groups.setdefault(record[label.name], {})
        if isinstance(record[value.name], (int, float)):
            lane = record.get(color)
            lanes.setdefault("" if lane is None else str(lane), []).append(record)
    every = sorted({lane for lanes in groups.values() for lane in lanes})
    points, boxes, captions = [], [], []
    for row, (name, lanes) in enumerate(groups.items()):
        top = row * step
        known = [record[value.name] for records in lanes.values() for record in records]
        if known:
            said = f"median {shown(float(_quantile(sorted(known), 0.5)), value)}, n = {len(known)}"
        else:
            said = "no values"
        captions.append({label.name: name, "caption_": f"{name}: {said}", "at_": top + 12})
        for lane, records in lanes.items():
            y = top + 32 + _LANE * every.index(lane)
            five = _five([record[value.name] for record in records])
            boxes.append({label.name: name, "lane_": lane, "at_": y, **five})
            for number, record in enumerate(records):
                # The same place each time, spread so that equal values are seen to be several.
                away = (number * 0.618034 % 1 - 0.5) * 9
                points.append(record | {"lane_": lane, "at_": y + away})
    return points, boxes, captions


def _five(values: Sequence[float]) -> dict[str, float]:
    """Median, and where there are enough values, quartiles and whiskers."""
    ordered = sorted(values)
    median = {"median_": _quantile(ordered, 0.5)}
    if len(ordered) < LEAST_BOXED:
        return median
    q1, q3 = _quantile(ordered, 0.25), _quantile(ordered, 0.75)
    reach = 1.5 * (q3 - q1)
    within = [v for v in ordered if q1 - reach <= v <= q3 + reach]
    return {**median, "q1_": q1, "q3_": q3, "low_": within[0], "high_": within[-1]}


def _quantile(ordered: Sequence[float], part: float) -> float:
    """Between the two nearest values in proportion, as NumPy does it by default."""
    at = part * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))


def names_in_charts(table: Table) -> dict[str, str]:
    """What the columns are called in charts: words that mean nothing in a path or an expression of
    Vega, where a dot is a step into a value ("mean_H0351.2001") and a quote ends a name.

    >>> names_in_charts(Table.of((Field("a.b", ""), []), (Field("a'b", ""), [])))
    {'a.b': 'a_b', "a'b": 'a_b_'}
    """
    found: dict[str, str] = {}
    for one in table.fields:
        name = re.sub(r"[^\w ]", "_", one.name)
        while name in found.values():
            name += "_"
        found[one.name] = name
    return found


def _with_safe_names(view: View, table: Table) -> tuple[View, Table]:
    names = names_in_charts(table)
    renamed = Table(
        tuple(
            replace(
                field,
                name=names[field.name],
                title=_as_title(field.title),
                unit=_as_title(field.unit),
            )
            for field in table.fields
        ),
        {
            names[name]: tuple(visible(v) if isinstance(v, str) else v for v in values)
            for name, values in table.columns.items()
        },
        table.title,
    )
    channels = {channel: names[name] for channel, name in view.channels.items()}
    return replace(view, channels=channels), renamed


def _as_title(text: str) -> str:
    """`text` as a title of an axis or a tooltip, where it takes one line and no backslash.

    Vega-Lite writes titles into expressions and escapes their quotes, but not what would end that.
    """
    return visible(" ".join(text.split())).replace("\\", "\u2216")


def _only(table: Table, where: Mapping[str, Scalar]) -> Table:
    """The rows whose columns hold the values in `where`."""
    kept = [
        number
        for number, record in enumerate(table.records())
        if all(record[name] == value for name, value in where.items())
    ]
    columns = {name: tuple(column[i] for i in kept) for name, column in table.columns.items()}
    return replace(table, columns=columns) if where else table


def _field(view: View, table: Table, channel: str) -> Field:
    name = view.channels[channel]
    return next(field for field in table.fields if field.name == name)


def _rows(table: Table) -> alt.Y:
    """Rows by number, since two rows may have the same name."""
    return alt.Y(NUMBER, type="ordinal", axis=None, scale=alt.Scale(domain=list(range(len(table)))))


def _names(count: int, most: int, angle: int = 0) -> alt.Axis | None:
    if count > most:
        return None
    return alt.Axis(labelAngle=angle, labelLimit=120, ticks=False, domain=False)


def _title(field: Field) -> str:
    return f"{field.title} ({field.unit})" if field.unit else field.title


def _tooltip(table: Table) -> list[alt.Tooltip]:
    return [_tip(field, table.columns[field.name]) for field in table.fields[:8]]


def _tip(field: Field, values: Sequence[Scalar]) -> alt.Tooltip:
    if any(isinstance(value, float) for value in values):
        return alt.Tooltip(field.name, type="quantitative", title=_title(field), format=",.3~f")
    return alt.Tooltip(field.name, type="nominal", title=_title(field))


def _color(field: Field, table: Table) -> alt.Color:
    values = table.columns[field.name]
    if all(value is None or isinstance(value, (int, float)) for value in values) and not any(
        isinstance(value, bool) for value in values
    ):
        return alt.Color(field.name, type="quantitative", title=_title(field)).legend(
            orient="top", gradientLength=180, titleLimit=320
        )
    # A legend of more than some dozen words helps nobody: the names are in the tooltips.
    few = len(set(values)) <= 12
    legend = alt.Legend(orient="top", columns=3, labelLimit=180, symbolLimit=12) if few else None
    return alt.Color(field.name, type="nominal", title=None, legend=legend)


CLASS = "_class"
"""The column that says in which class a value lies; no column of a table is called so."""


def _in_classes(chart: Any, field: Field, edges: Sequence[float]) -> tuple[Any, alt.Color]:
    """A chart whose values lie in classes between `edges`, and the colour of the classes.

    The classes are words: a bar drawn to scale would crush those that lie close together.
    """
    ends = [shown(float(edge), field) for edge in edges]
    words = [
        f"under {ends[0]}",
        *(f"{low} to {high}" for low, high in pairwise(ends)),
        f"{ends[-1]} and more",
    ]
    chosen = json.dumps(words[-1])
    for edge, word in reversed(list(zip(edges, words[:-1], strict=True))):
        chosen = (
            f"datum[{json.dumps(field.name)}] < {float(edge)!r} ? {json.dumps(word)} : {chosen}"
        )
    known = f"isValid(datum[{json.dumps(field.name)}]) ? ({chosen}) : null"
    color = alt.Color(
        CLASS,
        type="ordinal",
        title=_title(field),
        scale=alt.Scale(domain=words),
        legend=alt.Legend(orient="top", columns=3, titleLimit=320, labelLimit=180),
    )
    return chart.transform_calculate(**{CLASS: known}), color


def _skewed(values: Sequence[Scalar]) -> list[float]:
    """Edges of six classes of as many values each, where a few values far away would leave all
    the others with one colour: where the whole range is over ten times that of the middle half."""
    if not all(value is None or type(value) in (int, float) for value in values):
        return []
    known = sorted(float(value) for value in values if isinstance(value, (int, float)))
    if len(known) < 8:
        return []
    middle = known[3 * len(known) // 4] - known[len(known) // 4]
    if not 0 < 10 * middle < known[-1] - known[0]:
        return []
    edges = (float(f"{known[len(known) * i // 6]:.3g}") for i in range(1, 6))
    return sorted({edge for edge in edges if edge > known[0]})


def _along_type(field: Field, table: Table) -> Any:
    dates = any(isinstance(value, str) for value in table.columns[field.name])
    return "temporal" if dates else "quantitative"


def _along(field: Field, table: Table) -> alt.X:
    kind = _along_type(field, table)
    if kind == "temporal":
        return (
            alt.X(field.name, type=kind, title=None, axis=alt.Axis(format="%b", tickCount="month"))
            if _within_a_year(table.columns[field.name])
            else alt.X(
                field.name, type=kind, title=None, axis=alt.Axis(tickCount=8, labelOverlap=True)
            )
        )
    return alt.X(
        field.name, type=kind, title=_title(field), scale=alt.Scale(zero=False, nice=False),
        axis=alt.Axis(format="d"),
    )  # fmt: skip


def _within_a_year(days: Sequence[Scalar]) -> bool:
    return len({str(day)[:4] for day in days}) == 1


def _standing_apart(xs: Sequence[Scalar], ys: Sequence[Scalar], most: int = 14) -> list[int]:
    """The points farthest from the middle whose names do not run into each other."""
    points = [
        (number, float(x), float(y))
        for number, (x, y) in enumerate(zip(xs, ys, strict=True))
        if isinstance(x, (int, float)) and isinstance(y, (int, float))
    ]
    if not points:
        return []
    wide = (max(x for _, x, _ in points) - min(x for _, x, _ in points)) or 1.0
    high = (max(y for _, _, y in points) - min(y for _, _, y in points)) or 1.0
    middle_x = sum(x for _, x, _ in points) / len(points)
    middle_y = sum(y for _, _, y in points) / len(points)
    points.sort(
        key=lambda point: (
            -(((point[1] - middle_x) / wide) ** 2 + ((point[2] - middle_y) / high) ** 2)
        )
    )
    chosen: list[tuple[int, float, float]] = []
    for number, x, y in points:
        clear = all(abs(x - a) > 0.2 * wide or abs(y - b) > 0.05 * high for _, a, b in chosen)
        if clear:
            chosen.append((number, x, y))
        if len(chosen) == most:
            break
    return [number for number, _, _ in chosen]
