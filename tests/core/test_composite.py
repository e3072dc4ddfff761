"""Composite rankings: by hand, by simulation, as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from followdata.core.composite import drawn_weights, ranking, weighted

quick = settings(max_examples=25, deadline=None)


def table(seed: int, n: int = 30, k: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 100, (n, k))


def test_scores_by_hand() -> None:
    P = np.array([[100.0, 50.0, 0.0], [40.0, np.nan, 10.0], [np.nan, np.nan, 90.0]])
    # 2, 1 and 1: (200 + 50 + 0) / 4; (80 + 50 + 10) / 4, the only other having 50 where it is
    # missing; a quarter of the weight is too little.
    np.testing.assert_allclose(weighted(P, np.array([2.0, 1.0, 1.0])), [62.5, 35.0, np.nan])
    found = ranking(P, np.array([2.0, 1.0, 1.0]))
    np.testing.assert_array_equal(found.ranks, [1.0, 2.0, np.nan])
    assert np.isnan(found.low[2])


def test_weights_are_drawn_around_those_given() -> None:
    given_ = np.array([3.0, 2.0, 1.0])
    drawn = drawn_weights(given_, 4.0, 40_000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.sum(1), 1)
    np.testing.assert_allclose(drawn.mean(0), given_ / 6, atol=0.005)
    # The variance of a Dirichlet share m with parameters that sum to 12 is m (1 - m) / 13.
    share = given_ / 6
    np.testing.assert_allclose(drawn.var(0), share * (1 - share) / 13, rtol=0.05)
    # Certainty 1 with equal weights: two weights are uniform.
    two = drawn_weights(np.ones(2), 1.0, 2_000, np.random.default_rng(1))[:, 0]
    assert stats.kstest(two, "uniform").pvalue > 0.01


@pytest.mark.parametrize("gaps", [False, True])
def test_nine_of_ten_other_weightings_give_a_rank_within(gaps: bool) -> None:
    P = table(0, n=60)
    complete = P.copy()
    if gaps:
        P[np.random.default_rng(1).random(60) < 0.3, 0] = np.nan
    found = ranking(P, np.ones(4), certainty=3.0)
    rng = np.random.default_rng(99)
    inside = []
    for weights in drawn_weights(np.ones(4), 3.0, 400, rng):
        scores = complete @ weights
        ranks = stats.rankdata(-scores)
        inside.append((found.low <= ranks) & (ranks <= found.high))
    covered = np.mean(inside)
    assert 0.89 <= covered <= 0.99  # ranks are whole, so a little more than nine of ten


def test_certain_weights_leave_no_doubt() -> None:
    P = table(3)
    found = ranking(P, np.array([1.0, 2.0, 3.0, 4.0]), certainty=1e9)
    np.testing.assert_array_equal(found.low, found.ranks)
    np.testing.assert_array_equal(found.high, found.ranks)
    np.testing.assert_array_equal(found.ranks, stats.rankdata(-(P @ [1, 2, 3, 4])))


@quick
@given(st.integers(0, 10_000))
def test_one_part_is_its_own_ranking(seed: int) -> None:
    P = table(seed, k=1)
    found = ranking(P, np.array([7.0]), draws=50)
    np.testing.assert_array_equal(found.ranks, stats.rankdata(-P[:, 0]))
    np.testing.assert_array_equal(found.low, found.high)


@quick
@given(st.integers(0, 10_000))
def test_who_is_better_in_everything_is_never_behind(seed: int) -> None:
    P = table(seed, n=12)
    P[1] = P[0] - np.random.default_rng(seed).uniform(0, 5, 4)
    found = ranking(P, np.random.default_rng(seed).uniform(0.1, 1, 4), draws=100)
    assert found.ranks[0] < found.ranks[1]
    assert found.low[0] <= found.low[1]
    assert found.high[0] <= found.high[1]


@quick
@given(st.integers(0, 10_000))
def test_the_order_of_rows_means_nothing(seed: int) -> None:
    P = table(seed, n=15)
    turn = np.random.default_rng(seed).permutation(15)
    one, other = ranking(P, np.ones(4), draws=100), ranking(P[turn], np.ones(4), draws=100)
    np.testing.assert_array_equal(one.low[turn], other.low)
    np.testing.assert_array_equal(one.high[turn], other.high)


def test_a_missing_part_widens_the_interval_and_equals_share() -> None:
    P = table(5, n=40)
    P[7] = 100.0
    assert ranking(P, np.ones(4)).high[7] == 1
    P[7, 2] = np.nan
    unsure = ranking(P, np.ones(4))
    assert unsure.ranks[7] == unsure.low[7] == 1
    assert unsure.high[7] > 1
    P[8] = P[9]
    found = ranking(P, np.ones(4))
    assert (found.ranks[8], found.low[8], found.high[8]) == (
        found.ranks[9], found.low[9], found.high[9],
    )  # fmt: skip


@given(st.integers(0, 1000))
def test_what_is_missing_neither_lifts_nor_lowers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    P = rng.uniform(0, 100, (40, 4))
    P[0, 1:] = np.nan
    weights = np.array([3.0, 1.0, 1.0, 1.0])
    draws = [
        weighted(np.where(np.isfinite(P), P, P[[other]]), weights)[0] for other in range(1, 40)
    ]
    assert weighted(P, weights)[0] == pytest.approx(np.mean(draws))


def test_a_row_of_half_the_parts_lies_within_its_own_interval() -> None:
    P = np.repeat(np.linspace(100, 0, 40)[:, None], 4, axis=1)
    P[0, 2:] = np.nan
    found = ranking(P, np.ones(4))
    assert found.ranks[0] > 5  # as high as can be in half of what counts is not the first
    assert found.low[0] <= found.ranks[0] <= found.high[0]


def test_nothing_to_rank() -> None:
    found = ranking(np.full((3, 2), np.nan), np.ones(2))
    assert np.isnan(found.scores).all()
    assert np.isnan(found.ranks).all()
