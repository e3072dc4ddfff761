"""A view as SVG or PNG, drawn by vl-convert: no browser, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from followdata.answer import Answer, View
from followdata.errors import UnknownName
from followdata.present.charts import chart
from followdata.present.letters import visible
from followdata.present.theme import THEMES, vega_config

WIDTH = 720


def svg(answer: Answer, view: View, theme: str = "light", **size: int) -> bytes:
    """The picture as SVG, on a transparent ground."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_spec(answer, view, theme, size))).encode()


def png(answer: Answer, view: View, theme: str = "light", **size: int) -> bytes:
    """The picture as PNG at twice the size in pixels, on the theme's paper."""
    import vl_convert

    spec = _spec(answer, view, theme, size)
    spec["config"]["background"] = THEMES[theme].paper
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


def _spec(answer: Answer, view: View, theme: str, size: dict[str, int]) -> dict[str, Any]:
    if theme not in THEMES:
        raise UnknownName("theme", theme, list(THEMES))
    spec = chart(answer, view, width=size.get("width", WIDTH), height=size.get("height"))
    spec["config"] = vega_config(theme)
    spec["title"] = visible(view.title)
    return spec


_EXPLAINED = ("color", "fill", "opacity", "shape", "size", "stroke")
"""Channels that a legend explains."""


def card(answer: Answer, view: View, theme: str = "light") -> bytes:
    """A small SVG for the story's card: the shape of the picture, without its words."""
    import vl_convert

    small = _shortened(answer, view)
    spec = _spec(small, view, theme, {"width": 340, "height": 190})
    del spec["title"]
    _bare(spec)
    return str(vl_convert.vegalite_to_svg(spec)).encode()


def _bare(spec: dict[str, Any]) -> None:
    """Take axes and legends away, in every layer."""
    for channel, encoding in spec.get("encoding", {}).items():
        if isinstance(encoding, dict) and "type" in encoding:
            guide = {"x": "axis", "y": "axis"}.get(channel, "legend")
            if guide == "axis" or channel in _EXPLAINED:
                encoding[guide] = None
    for layer in spec.get("layer", ()):
        _bare(layer)


def _shortened(answer: Answer, view: View, most: int = 4) -> Answer:
    """Pictures with a row for each entry keep the first few."""
    if view.kind not in ("ranking", "pairs"):
        return answer
    table = answer.tables[view.table].page(0, most)
    return replace(answer, tables={**answer.tables, view.table: table})
