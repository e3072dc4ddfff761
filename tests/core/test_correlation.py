from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from followdata.core.correlation import paired_correlations, spearman_interval

VALUES = st.sampled_from([0.0, 1.0, 2.0, 3.5, -4.0, 1e6, float("nan")])
MATRICES = st.integers(2, 14).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, (n, 3), elements=VALUES)] * 2)
)


def test_by_hand() -> None:
    """Ranks 1 2 3 4 against 1 3 2 4: r = 1 - 6 (0 + 1 + 1 + 0) / (4 (16 - 1)) = 0.8."""
    found = paired_correlations(
        np.array([[1.0], [2.0], [3.0], [9.0]]), np.array([[1], [3], [2], [4.0]])
    )
    assert found.n.tolist() == [4]
    assert found.spearman[0] == pytest.approx(0.8, abs=1e-15)
    # t = 0.8 sqrt(2 / 0.36) = 1.8856; with two degrees of freedom p = 0.2.
    assert found.p[0] == pytest.approx(0.2, abs=1e-12)


@given(MATRICES)
def test_each_column_equals_scipy(both: tuple[np.ndarray, np.ndarray]) -> None:
    X, Y = both
    found = paired_correlations(X, Y)
    for column in range(X.shape[1]):
        pairs = np.isfinite(X[:, column]) & np.isfinite(Y[:, column])
        x, y = X[pairs, column], Y[pairs, column]
        assert found.n[column] == pairs.sum()
        if pairs.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            assert np.isnan(found.spearman[column])
            assert np.isnan(found.p[column])
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spearman, pearson = stats.spearmanr(x, y), stats.pearsonr(x, y)
        assert found.spearman[column] == pytest.approx(spearman.statistic, abs=1e-10)
        assert found.pearson[column] == pytest.approx(pearson.statistic, abs=1e-10)
        assert found.p[column] == pytest.approx(spearman.pvalue, abs=1e-7)


@given(MATRICES)
def test_neither_order_nor_a_rising_scale_matters(both: tuple[np.ndarray, np.ndarray]) -> None:
    X, Y = both
    found = paired_correlations(X, Y)
    order = np.random.default_rng(0).permutation(len(X))
    again = paired_correlations(np.arctan(X[order]), Y[order])
    np.testing.assert_allclose(again.spearman, found.spearman, atol=1e-12)
    turned = paired_correlations(-X, Y)
    np.testing.assert_allclose(turned.spearman, -found.spearman, atol=1e-12)
    inside = np.isfinite(found.low)
    assert (found.low[inside] <= found.spearman[inside] + 1e-12).all()
    assert (found.spearman[inside] <= found.high[inside] + 1e-12).all()


@pytest.mark.parametrize(("rho", "n"), [(0.0, 10), (0.5, 20), (0.9, 76)])
def test_the_interval_covers_as_often_as_it_says(rho: float, n: int) -> None:
    random = np.random.default_rng(1)
    runs = 3000
    x = random.normal(size=(n, runs))
    y = rho * x + np.sqrt(1 - rho**2) * random.normal(size=(n, runs))
    true = 6 / np.pi * np.arcsin(rho / 2)  # of a bivariate normal
    found = paired_correlations(x, y)
    covered = ((found.low <= true) & (true <= found.high)).sum()
    low, high = stats.binomtest(int(covered), runs).proportion_ci(0.999)
    assert low <= 0.965
    assert high >= 0.945


def test_p_is_uniform_where_nothing_follows() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(size=(2, 30, 4000))
    x[random.random(x.shape) < 0.2] = np.nan
    p = paired_correlations(x, y).p
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_a_perfect_correlation_has_an_interval_of_one_point() -> None:
    low, high = spearman_interval(np.array([1.0, -1.0]), np.array([9, 9]))
    assert low.tolist() == high.tolist() == [1.0, -1.0]


def test_nothing_to_correlate() -> None:
    found = paired_correlations(np.empty((5, 0)), np.empty((5, 0)))
    assert len(found.n) == len(found.p) == 0
    with pytest.raises(ValueError, match="shapes"):
        paired_correlations(np.zeros((2, 1)), np.zeros((3, 1)))
