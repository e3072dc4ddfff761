"""Outlines of regions, for maps: sets of shapes by name, read when first drawn.

A story says in story.toml which sets it brings and where they are made; a data set says in its
`About` which set its rows are regions of. Shapes are planar: a map projection has been done.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import cast

from followdata.errors import UnknownName

Ring = Sequence[tuple[float, float]]
Shape = Sequence[Sequence[Ring]]
"""Polygons, each an outer ring and its holes; rings are closed."""

_PLACES: dict[str, str] = {}


@dataclass(frozen=True)
class Boundaries:
    """Shapes by the identifier of their region, x to the east and y to the north in steps of so
    many `metres`.

    Outer rings run against the clock and holes with it (where y points upwards), as RFC 7946 has
    it: a drawing that takes a ring the wrong way round fills everything but the region.
    """

    shapes: Mapping[str, Shape]
    credit: str
    metres: float = 1.0


def register(name: str, place: str) -> None:
    """Say where a set of boundaries is made: "module:function", called when first needed."""
    _PLACES[name] = place


def boundaries(name: str) -> Boundaries:
    """The set of that name; raises `UnknownName` for one that nobody has registered."""
    if name not in _PLACES:
        raise UnknownName("set of boundaries", name, list(_PLACES))
    return _made(_PLACES[name])


@cache
def _made(place: str) -> Boundaries:
    module, _, attribute = place.partition(":")
    return cast(Boundaries, getattr(importlib.import_module(module), attribute)())


def centroid(shape: Shape) -> tuple[float, float]:
    """The centre of gravity of a shape, its holes left out.

    >>> centroid([[[(0, 0), (2, 0), (2, 2), (0, 2), (0, 0)]]])
    (1.0, 1.0)
    """
    area = east = north = 0.0
    for ring in (ring for polygon in shape for ring in polygon):
        for (x, y), (u, v) in pairwise(ring):
            cross = x * v - u * y
            area += cross / 2
            east += (x + u) * cross / 6
            north += (y + v) * cross / 6
    return east / area, north / area


def touching(shapes: Mapping[str, Shape], region: str) -> list[str]:
    """The regions that have a piece of border in common with `region`: two corners or more.

    >>> left = [[[(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]]]
    >>> right = [[[(1, 0), (2, 0), (2, 1), (1, 1), (1, 0)]]]
    >>> touching({"left": left, "right": right}, "left")
    ['right']
    """
    own = _corners(shapes[region])
    others = (name for name in shapes if name != region)
    return [name for name in others if len(own & _corners(shapes[name])) > 1]


def _corners(shape: Shape) -> set[tuple[float, float]]:
    return {corner for polygon in shape for ring in polygon for corner in ring}


def signed_area(ring: Ring) -> float:
    """The area within a closed ring, positive if it runs against the clock.

    >>> signed_area([(0, 0), (2, 0), (2, 1), (0, 0)])
    1.0
    """
    pairs = pairwise(ring)
    return sum(x * v - u * y for (x, y), (u, v) in pairs) / 2
