"""Robust scores and ranks: by hand, against SciPy, as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from followdata.core.scores import (
    MAD_TO_SD,
    MEAN_AD_TO_SD,
    Floats,
    percentiles,
    rank_correlation,
    ranks,
    robust_centre,
    robust_z,
)

tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    # Few different values, so that ties are common, and missing ones.
    elements=st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 1e6, np.nan]),
)


def column(*values: float) -> Floats:
    return np.array(values)[:, None]


def test_scores_by_hand() -> None:
    # Median 3; distances 2, 1, 0, 1, 97; their median 1.
    z = robust_z(column(1, 2, 3, 4, 100))[:, 0]
    np.testing.assert_allclose(z, np.array([-2, -1, 0, 1, 97]) / 1.4826)


def test_where_most_values_are_equal_the_mean_distance_is_the_measure() -> None:
    # Median 10; distances 0, 0, 0, 4; MAD 0, mean distance 1.
    z = robust_z(column(10, 10, 10, 6))[:, 0]
    np.testing.assert_allclose(z, np.array([0, 0, 0, -4]) / MEAN_AD_TO_SD)


def test_a_column_that_does_not_vary_has_no_scores() -> None:
    assert np.isnan(robust_z(column(7, 7, 7))).all()
    assert np.isnan(robust_z(column(np.nan, np.nan))).all()
    assert robust_z(np.zeros((0, 2))).shape == (0, 2)


def test_ranks_by_hand() -> None:
    found = ranks(column(5, 7, np.nan, 5, 1))[:, 0]
    np.testing.assert_array_equal(found, [2.5, 1, np.nan, 2.5, 4])


def test_the_constants_make_both_spreads_standard_deviations() -> None:
    assert pytest.approx(1 / stats.norm.ppf(0.75), abs=1e-4) == MAD_TO_SD
    assert pytest.approx(np.sqrt(np.pi / 2), abs=1e-6) == MEAN_AD_TO_SD


@given(tables)
def test_spread_agrees_with_scipy(X: Floats) -> None:
    median, spread = robust_centre(X)
    for values, middle, width in zip(X.T, median, spread, strict=True):
        known = values[~np.isnan(values)]
        if not len(known):
            assert np.isnan([middle, width]).all()
            continue
        assert middle == np.median(known)
        mad = stats.median_abs_deviation(known)
        if mad > 0:
            assert width == pytest.approx(1.4826 * mad)
        elif np.ptp(known):
            assert width > 0
        else:
            assert np.isnan(width)


@given(tables)
def test_ranks_agree_with_scipy_and_missing_values_stay_missing(X: Floats) -> None:
    found = ranks(X)
    np.testing.assert_array_equal(found, stats.rankdata(-X, axis=0, nan_policy="omit"))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(X))


@given(tables)
def test_percentiles_average_fifty(X: Floats) -> None:
    count = (~np.isnan(X)).sum(0).astype(float)
    places = percentiles(ranks(X), np.maximum(count, 1))
    for column in places[:, count > 0].T:
        assert np.nanmean(column) == pytest.approx(50)
        assert 0 < np.nanmin(column) <= np.nanmax(column) < 100


@given(tables, st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([-8.0, 0.0, 64.0]))
def test_units_do_not_matter(X: Floats, factor: float, zero: float) -> None:
    np.testing.assert_allclose(robust_z(X * factor), robust_z(X))
    np.testing.assert_allclose(robust_z(X + zero), robust_z(X), atol=1e-9)
    np.testing.assert_array_equal(ranks(X * factor + zero), ranks(X))


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(X: Floats, random: object) -> None:
    order = np.random.default_rng(len(X)).permutation(len(X))
    np.testing.assert_allclose(robust_z(X[order]), robust_z(X)[order])
    np.testing.assert_array_equal(ranks(X[order]), ranks(X)[order])


@given(tables)
def test_missing_values_never_become_values(X: Floats) -> None:
    assert np.isnan(robust_z(X)[np.isnan(X)]).all()
    # Rows that hold nothing change nothing for the others.
    longer = np.vstack([X, np.full((2, X.shape[1]), np.nan)])
    np.testing.assert_allclose(robust_z(longer)[:-2], robust_z(X))
    np.testing.assert_array_equal(ranks(longer)[:-2], ranks(X))


@given(st.integers(0, 10_000))
def test_rank_correlation_is_that_of_scipy(seed: int) -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 6, 30).astype(float), rng.normal(size=30)
    x[rng.random(30) < 0.2], y[rng.random(30) < 0.2] = np.nan, np.nan
    rho, n = rank_correlation(x, y)
    assert n == (np.isfinite(x) & np.isfinite(y)).sum()
    assert rho == pytest.approx(spearmanr(x, y, nan_policy="omit").statistic, abs=1e-12)


def test_rank_correlation_of_too_little_is_nan() -> None:
    assert np.isnan(rank_correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0]))[0])
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5.0))[0])
