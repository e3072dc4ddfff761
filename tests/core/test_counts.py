"""Counts of events: what they must be, and what follows from them."""

from __future__ import annotations

import numpy as np
import pytest

from followdata.core.counts import Counts
from followdata.core.geography import planar
from followdata.core.misplaced import misplaced

Y = np.array([[1.0, 0, 2], [np.nan, 3, 0]])
PERSONS = np.array([[10.0, 10, 20], [np.nan, 30, 40]])
YEARS = np.array([1998, 1999, 2000])


def test_what_follows_by_hand() -> None:
    counts = Counts(Y, PERSONS, YEARS)
    np.testing.assert_array_equal(counts.totals, [3, 3])
    np.testing.assert_array_equal(counts.person_years, [40, 70])
    np.testing.assert_allclose(counts.yearly, [1 / 10, 3 / 40, 2 / 60])
    np.testing.assert_allclose(np.nansum(counts.expected, axis=0), [1, 3, 2])
    assert np.isnan(counts.expected[1, 0])
    assert np.isnan(counts.of(np.array([1])).yearly[0])


@pytest.mark.parametrize(
    ("y", "persons", "years", "places", "wrong"),
    [
        (Y[:, :2], PERSONS, YEARS, None, "places x years"),
        (Y, PERSONS, YEARS[::-1], None, "ascend"),
        (np.nan_to_num(Y), PERSONS, YEARS, None, "missing together"),
        (Y - 1, PERSONS, YEARS, None, "0 or more"),
        (Y / 2, PERSONS, YEARS, None, "whole"),
        (Y, PERSONS - 10, YEARS, None, "more than 0"),
        (Y, PERSONS, YEARS, np.zeros((3, 2)), "n x 2"),
        (np.full((1, 3), np.nan), np.full((1, 3), np.nan), YEARS, None, "counted once"),
    ],
)
def test_what_cannot_be_is_refused(
    y: np.ndarray, persons: np.ndarray, years: np.ndarray, places: np.ndarray | None, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        Counts(y, persons, years, places)


def test_a_plane_keeps_distances() -> None:
    from math import acos, cos, radians, sin

    latitude, longitude = np.array([55.6, 67.9, 59.3]), np.array([13.0, 20.2, 18.1])
    points = planar(latitude, longitude)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        a, b = radians(latitude[i]), radians(latitude[j])
        arc = acos(sin(a) * sin(b) + cos(a) * cos(b) * cos(radians(longitude[i] - longitude[j])))
        assert np.hypot(*(points[i] - points[j])) == pytest.approx(6371 * arc, rel=0.006)


def test_misplaced_values_find_their_rows() -> None:
    known = np.array([100.0, 200, 300, 400, np.nan])
    found = misplaced(np.array([200.0, 300, 100, 401, 7]), known)
    np.testing.assert_array_equal(found.rows, [0, 1, 2])
    np.testing.assert_array_equal(found.owners, [1, 2, 0])
    assert found.swapped
    back = found.put_back(np.array([2.0, 3, 1, 4, 5]))
    np.testing.assert_array_equal(back, [1, 2, 3, 4, 5])


def test_what_is_nobodys_is_left_out() -> None:
    known = np.array([100.0, 200, 300])
    found = misplaced(np.array([200.0, 200, 999]), known)
    np.testing.assert_array_equal(found.rows, [0, 2])
    np.testing.assert_array_equal(found.owners, [-1, -1])  # 200 is the right value of row 1
    assert not found.swapped
    assert np.isnan(found.put_back(np.ones(3))).tolist() == [True, False, True]
    both = misplaced(np.array([300.0, 300, 100]), np.array([100.0, 200, 300]))
    np.testing.assert_array_equal(both.owners, [-1, -1, 0])


def test_nothing_is_misplaced_where_all_agree() -> None:
    found = misplaced(np.array([100.0, 200]), np.array([100.5, 200]))
    assert not len(found.rows)
    assert not found.swapped
    np.testing.assert_array_equal(found.put_back(np.array([1.0, 2])), [1, 2])
