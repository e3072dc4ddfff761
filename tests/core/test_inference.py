"""Inference from markers: by hand, against scikit-learn, without leaks, and whether its intervals
cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor

from followdata.core import inference
from followdata.core.inference import (
    AVERAGE,
    LATENT,
    LINEAR,
    METHODS,
    RIDGE,
    better_by,
    explained,
    held_out,
    mean_within,
)

Floats = npt.NDArray[np.float64]


def table(rows: int, columns: int, factors: int, seed: int, noise: float = 0.5) -> Floats:
    rng = np.random.default_rng(seed)
    told = rng.normal(size=(rows, factors)) @ rng.normal(size=(factors, columns))
    return np.asarray(told + noise * rng.normal(size=(rows, columns)))


def standardised(X: Floats) -> Floats:
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def test_linear_regression_is_least_squares() -> None:
    Z, new = standardised(table(40, 9, 3, 0)), table(5, 9, 3, 1)
    told = inference.linear(Z[:, :4], Z[:, 4:])(new[:, :4])
    peer = LinearRegression().fit(Z[:, :4], Z[:, 4:])
    np.testing.assert_allclose(told, peer.predict(new[:, :4]), atol=1e-9)


def test_ridge_takes_the_penalty_that_serves_rows_left_out() -> None:
    Z, new = standardised(table(14, 60, 4, 0)), table(5, 60, 4, 1)
    markers, others = Z[:, :40], Z[:, 40:]
    penalties = inference._PENALTIES * float(np.sum(markers**2))
    errors = [
        np.sum((cross_val_predict(Ridge(p), markers, others, cv=LeaveOneOut()) - others) ** 2)
        for p in penalties
    ]
    peer = Ridge(penalties[int(np.argmin(errors))]).fit(markers, others)
    told = inference.ridge(markers, others)(new[:, :40])
    np.testing.assert_allclose(told, peer.predict(new[:, :40]), atol=1e-8)


def test_nearest_neighbours_are_those_of_an_independent_program() -> None:
    Z, new = standardised(table(13, 8, 3, 0)), table(5, 8, 3, 1)
    markers, others = Z[:, :4], Z[:, 4:]
    counts = [count for count in inference._NEIGHBOURS if count < 13]
    errors = [
        np.sum(
            (cross_val_predict(KNeighborsRegressor(k), markers, others, cv=LeaveOneOut()) - others)
            ** 2
        )
        for k in counts
    ]
    peer = KNeighborsRegressor(counts[int(np.argmin(errors))]).fit(markers, others)
    told = inference.nearest(markers, others)(new[:, :4])
    np.testing.assert_allclose(told, peer.predict(new[:, :4]), atol=1e-9)


def test_latent_factors_are_the_conditional_mean_of_a_normal_distribution() -> None:
    Z = standardised(table(80, 12, 2, 0))
    weights = dict(inference._factored(Z, 5))[2]
    # The joint covariance that the factors imply, and what it says of others given markers.
    _, s, Vt = np.linalg.svd(Z, full_matrices=False)
    loadings = Vt[:2].T * s[:2] / np.sqrt(80)
    noise = np.maximum((Z**2).mean(axis=0) - (loadings**2).sum(axis=1), 0.01)
    joint = loadings @ loadings.T + np.diag(noise)
    np.testing.assert_allclose(weights, np.linalg.solve(joint[:5, :5], joint[:5, 5:]), atol=1e-10)


def test_latent_factors_win_where_markers_are_noisy_and_many() -> None:
    X = table(60, 120, 3, 0, noise=2.0)
    found = held_out(X, np.arange(60) % 5, lambda Z, columns: np.arange(40))
    mean = {name: float(np.nanmean(missed)) for name, missed in found.missed.items()}
    assert mean[LATENT] < mean[RIDGE] < mean[LINEAR]
    assert mean[LATENT] < mean[AVERAGE]


def test_the_average_is_that_of_the_rows_learnt_from() -> None:
    X = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 104.0]])
    found = held_out(X, np.array([-1, -1, -1, 0]), lambda Z, columns: np.array([0]))
    assert found.missed[AVERAGE][3].tolist()[1] == pytest.approx(102.0)
    assert np.isnan(found.missed[AVERAGE][:3]).all()
    assert found.missed[LINEAR][3, 1] == pytest.approx(100.0)


def test_nothing_held_out_reaches_what_is_learnt() -> None:
    X = table(30, 10, 2, 0)
    folds = np.arange(30) % 3
    seen: list[Floats] = []

    def choose(Z: Floats, columns: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        seen.append(Z)
        return np.array([0, 1])

    def spy(markers: Floats, others: Floats) -> inference.Predict:
        seen.append(np.hstack([markers, others]))
        return lambda new: np.zeros((len(new), others.shape[1]))

    held_out(X, folds, choose, {"spy": spy})
    before = list(seen)
    changed = X.copy()
    changed[folds == 0] += 1000.0
    seen.clear()
    held_out(changed, folds, choose, {"spy": spy})
    np.testing.assert_array_equal(before[0], seen[0])
    np.testing.assert_array_equal(before[1], seen[1])
    assert not np.array_equal(before[2], seen[2])


def test_missing_values_count_in_no_error_and_stop_nothing() -> None:
    X = table(40, 8, 2, 0)
    X[::7, 5] = np.nan
    X[3, 0] = np.nan
    found = held_out(X, np.arange(40) % 4, lambda Z, columns: np.array([0, 1]))
    for missed in found.missed.values():
        assert np.isnan(missed[::7, 5]).all()
        assert np.isfinite(missed[3, 2:5]).all()
        assert np.isnan(missed[:, :2]).all()


def test_a_column_that_stands_still_in_the_rows_learnt_from_is_not_told() -> None:
    X = table(12, 4, 2, 0)
    X[3:, 3] = 7.0
    found = held_out(X, np.repeat([0, 1], [3, 9]), lambda Z, columns: np.array([0]))
    assert np.isnan(found.missed[LINEAR][:3, 3]).all()


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(ValueError, match="too few"):
        held_out(np.eye(4), np.array([0, 0, 1, 1]), lambda Z, columns: np.array([0]))
    with pytest.raises(ValueError, match="no marker"):
        held_out(np.eye(9), np.arange(9) % 2, lambda Z, columns: np.array([], dtype=np.intp))


def test_shares_and_comparisons_by_hand() -> None:
    missed, without = np.array([[1.0, 2.0], [1.0, np.nan]]), np.array([[2.0, 1.0], [2.0, np.nan]])
    assert explained(missed, without).tolist() == [0.75, -3.0]
    assert mean_within(np.array([4.0]))[0] == 4.0
    assert np.isnan(mean_within(np.array([]))[0])
    share, low, high = better_by(np.array([0.5, 0.5, 0.5]), np.array([1.0, 1.0, 1.0]))
    assert [share, low, high] == pytest.approx([0.5, 0.5, 0.5])


def test_intervals_over_studies_cover_a_study_to_come() -> None:
    """Studies with shifts of their own: the mean error over studies drawn is covered by the
    interval of five of them, some 95 times of a hundred."""
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(2, 12))

    def study() -> Floats:
        told = (rng.normal(size=(8, 2)) + rng.normal(size=2)) @ loadings
        return np.asarray(told + rng.normal(size=(8, 12)) * rng.gamma(4.0, 0.25))

    methods = {LINEAR: METHODS[LINEAR]}

    def errors(count: int) -> Floats:
        X = np.vstack([study() for _ in range(count)])
        found = held_out(
            X, np.repeat(np.arange(count), 8), lambda Z, columns: np.arange(4), methods
        )
        return np.asarray(np.nanmean(found.missed[LINEAR].reshape(count, -1), axis=1))

    truth = float(np.mean([errors(5).mean() for _ in range(60)]))
    covered = 0
    for _ in range(120):
        _, low, high = mean_within(errors(5))
        covered += low <= truth <= high
    assert 105 <= covered <= 120


def test_intervals_over_rows_and_of_comparisons_cover_nearly_as_they_say() -> None:
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(3, 12))
    methods = {LINEAR: METHODS[LINEAR], RIDGE: METHODS[RIDGE]}
    errors, ratios = [], []
    for _ in range(100):
        X = rng.normal(size=(40, 3)) @ loadings + rng.normal(size=(40, 12))
        found = held_out(X, np.arange(40) % 5, lambda Z, columns: np.arange(4), methods)
        ridge, linear = (np.nanmean(found.missed[name], axis=1) for name in (RIDGE, LINEAR))
        errors.append(mean_within(ridge))
        ratios.append(better_by(ridge, linear))
    for intervals in (np.array(errors), np.array(ratios)):
        truth = float(intervals[:, 0].mean())
        covered = np.mean((intervals[:, 1] <= truth) & (truth <= intervals[:, 2]))
        assert 0.87 <= covered <= 1.0
