"""How alike rows are: pair by pair, by hand and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core.likeness import LEAST_SHARED, Floats, nearest, similarities


def slowly(scores: Floats, weights: Floats, places: Floats, i: int, k: int) -> float:
    """The definition, for one pair."""
    both = np.isfinite(scores[i]) & np.isfinite(scores[k])
    if i == k or weights[both].sum() < LEAST_SHARED:
        return float("nan")
    variance = np.nanvar(scores[:, both], axis=0)
    away = np.average((scores[i] - scores[k])[both] ** 2, weights=weights[both])
    chance = np.average(2 * variance, weights=weights[both])
    away += (places[i] - places[k]) ** 2
    return float(1 - away / (chance + 2 * places.var()))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_matrix_products_agree_with_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(12, 20))
    scores[rng.random(scores.shape) < 0.4] = np.nan
    weights, places = rng.uniform(0.2, 1, 20), rng.normal(size=12)
    found = similarities(scores, weights, places)
    for i in range(12):
        for k in range(12):
            expected = slowly(scores, weights, places, i, k)
            assert found[i, k] == pytest.approx(expected, nan_ok=True, abs=1e-9)
    some = np.array([3, 7])
    np.testing.assert_allclose(similarities(scores, weights, places, some), found[some])
    np.testing.assert_allclose(found, found.T)


def test_two_at_random_have_the_similarity_0() -> None:
    rng = np.random.default_rng(1)
    found = similarities(rng.normal(size=(100, 50)), np.ones(50), rng.normal(size=100))
    assert np.nanmean(found) == pytest.approx(0, abs=0.02)


def test_the_same_in_everything_is_1() -> None:
    scores = np.random.default_rng(2).normal(size=(20, 30))
    scores[4] = scores[9]
    places = np.linspace(-2, 2, 20)
    places[4] = places[9]
    found = similarities(scores, np.ones(30), places)
    assert found[4, 9] == pytest.approx(1)
    assert (found[np.isfinite(found)] <= 1 + 1e-9).all()


def test_size_counts_as_much_as_all_columns() -> None:
    scores = np.random.default_rng(3).normal(size=(400, 300))
    places = np.random.default_rng(4).normal(size=400)
    found = similarities(scores, np.ones(300), places)
    same_size = np.abs(places[:, None] - places) < 0.05
    assert np.nanmean(found[same_size]) == pytest.approx(0.5, abs=0.03)


def test_those_without_a_size_are_taken_for_the_average() -> None:
    scores = np.random.default_rng(5).normal(size=(6, 10))
    found = similarities(scores, np.ones(10), np.full(6, np.nan))
    np.testing.assert_allclose(found, similarities(scores, np.ones(10), np.zeros(6)))


def test_rows_that_share_too_little_are_not_compared() -> None:
    scores = np.full((3, 10), np.nan)
    scores[0, :4] = scores[1, :6] = scores[2] = 1.0
    scores[2, ::2] = 0
    found = similarities(scores, np.ones(10), np.zeros(3))
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1, 2])


def test_nearest_by_hand() -> None:
    similarity = np.array([[np.nan, 0.5, 0.9], [0.5, np.nan, np.nan]])
    assert nearest(similarity, 2).tolist() == [[2, 1], [0, -1]]
