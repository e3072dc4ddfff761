"""Rank sums: by hand, against SciPy, and that chance gives p-values that chance would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from followdata.core import ranksum
from followdata.core.ranksum import rank_sums


def indicators(groups: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.array([groups == group for group in np.unique(groups)])


def scipy_p(inside: Any, outside: Any) -> float:
    found = stats.mannwhitneyu(
        inside, outside, method="asymptotic", use_continuity=True, nan_policy="omit"
    )
    return float(found.pvalue)


def test_three_against_three_by_hand() -> None:
    # Ranks 4, 5, 6 of six: U = 9, its mean 4.5, its variance 9 * 7 / 12, no ties.
    X = np.array([[1.0], [2.0], [3.0], [10.0], [20.0], [30.0]])
    inside = np.array([[False, False, False, True, True, True]])
    z = (9 - 4.5 - 0.5) / np.sqrt(9 * 7 / 12)
    found = rank_sums(X, inside)
    assert found.z[0, 0] == pytest.approx(z)
    assert found.p[0, 0] == pytest.approx(2 * stats.norm.sf(z))
    assert rank_sums(-X, inside).z[0, 0] == pytest.approx(-z)


def test_p_values_are_those_of_scipy_with_ties_and_zeros() -> None:
    random = np.random.default_rng(0)
    X = random.gamma(0.5, 20, size=(120, 300)).round(1) * (random.random((120, 300)) < 0.6)
    X[:, 0] = 0  # a gene that is nowhere
    X[:, 1] = np.arange(120)  # none tied
    groups = np.r_[np.arange(13), random.integers(0, 13, 107)]
    with ThreadPoolExecutor(2) as executor:
        p = rank_sums(X, indicators(groups), executor=executor).p
    for group in range(13):
        for column in range(0, 300, 7):
            theirs = scipy_p(X[groups == group, column], X[groups != group, column])
            assert p[group, column] == pytest.approx(theirs, rel=1e-9)
    assert (p[:, 0] == 1).all()


def test_small_p_values_keep_their_digits() -> None:
    X = np.r_[np.zeros(150), 1 + np.arange(150.0)][:, None]
    inside = np.arange(300) >= 150
    theirs = scipy_p(X[inside, 0], X[~inside, 0])
    assert theirs < 1e-50
    assert rank_sums(X, inside[None]).p[0, 0] == pytest.approx(theirs, rel=1e-9)


def test_missing_values_are_left_out() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(40, 30)).round(1)
    X[random.random(X.shape) < 0.2] = np.nan
    X[:, 3] = np.nan
    X[:20, 4] = np.nan
    groups = np.repeat([0, 1], 20)
    p = rank_sums(X, indicators(groups)).p
    for column in range(30):
        if column in (3, 4):
            assert np.isnan(p[:, column]).all()
        else:
            theirs = scipy_p(X[:20, column], X[20:, column])
            assert p[0, column] == pytest.approx(theirs, rel=1e-9)


def test_strata_are_combined_as_van_elteren_did() -> None:
    random = np.random.default_rng(2)
    X, inside = random.normal(size=(30, 1)), random.random(30) < 0.4
    strata = np.repeat([0, 1], [12, 18])
    away = variance = 0.0
    for stratum in (0, 1):
        rows = strata == stratum
        x, y = X[rows & inside, 0], X[rows & ~inside, 0]
        n, weight = rows.sum(), 1 / (rows.sum() + 1)
        U = stats.mannwhitneyu(x, y).statistic
        away += weight * (U - len(x) * len(y) / 2)
        variance += weight**2 * len(x) * len(y) * (n + 1) / 12
    z = (abs(away) - 0.5 / 13) / np.sqrt(variance)
    found = rank_sums(X, inside[None], strata=strata)
    assert abs(found.z[0, 0]) == pytest.approx(z)


def test_a_difference_between_strata_counts_for_nothing() -> None:
    random = np.random.default_rng(3)
    strata = np.repeat([0, 1], 50)
    X = random.normal(size=(100, 400)) + 5 * strata[:, None]
    inside = np.r_[random.random(50) < 0.1, random.random(50) < 0.5]  # mostly of one stratum
    assert np.median(rank_sums(X, inside[None]).p) < 1e-3
    within = rank_sums(X, inside[None], strata=strata).p
    assert stats.kstest(within[0], "uniform").pvalue > 0.01


def test_one_stratum_is_none() -> None:
    random = np.random.default_rng(4)
    X, inside = random.normal(size=(20, 50)), random.random((3, 20)) < 0.5
    alone = rank_sums(X, inside, strata=np.full(20, 7))
    np.testing.assert_array_equal(alone.p, rank_sums(X, inside).p)


def test_a_group_of_none_or_all_is_not_compared() -> None:
    X = np.ones((4, 2))
    found = rank_sums(X, np.array([[True] * 4, [False] * 4]))
    assert np.isnan(found.p).all()
    assert rank_sums(np.ones((4, 0)), np.ones((2, 4), dtype=bool)).p.shape == (2, 0)


@given(
    hnp.arrays(np.float64, (14, 3), elements=st.integers(-3, 3).map(float)),
    st.lists(st.booleans(), min_size=14, max_size=14).filter(lambda rows: 0 < sum(rows) < 14),
)
def test_order_is_all_that_counts(X: npt.NDArray[np.float64], rows: list[bool]) -> None:
    inside = np.array([rows])
    plain, stretched = rank_sums(X, inside), rank_sums(np.exp(X), inside)
    np.testing.assert_array_equal(plain.p, stretched.p)
    np.testing.assert_allclose(rank_sums(X, ~inside).p, plain.p)
    assert ((plain.p >= 0) & (plain.p <= 1)).all()


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    X, inside = random.normal(size=(20, 50)), random.random((3, 20)) < 0.5
    whole = rank_sums(X, inside)
    monkeypatch.setattr(ranksum, "_BLOCK", 7)
    np.testing.assert_array_equal(rank_sums(X, inside).p, whole.p)
