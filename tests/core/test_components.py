"""Principal components: by hand, against scikit-learn, as properties, and with cells hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from threadpoolctl import threadpool_limits

from followdata.core.components import (
    Components,
    Floats,
    expectations,
    principal_components,
    standardise,
    usable,
)

quick = settings(max_examples=25, deadline=None)


def low_rank(seed: int, n: int = 40, p: int = 15, rank: int = 2, noise: float = 0.2) -> Floats:
    """A table that `rank` directions of clearly different strength explain, but for some noise."""
    rng = np.random.default_rng(seed)
    strength = np.array([4.0, 2.0, 1.0, 0.5, 0.25])[:rank]
    signal = (rng.normal(size=(n, rank)) * strength) @ rng.normal(size=(rank, p))
    return np.asarray(signal + noise * rng.normal(size=(n, p)))


def with_holes(X: Floats, seed: int, share: float = 0.25) -> Floats:
    holes = np.random.default_rng(seed + 1).random(X.shape) < share
    return np.where(holes, np.nan, X)


def same(a: Components, b: Components) -> None:
    """Equal up to rounding: scores, loadings, shares."""
    np.testing.assert_allclose(a.scores, b.scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(a.loadings, b.loadings, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(a.shares, b.shares, rtol=1e-5, atol=1e-6)


def test_two_columns_that_say_the_same_have_one_component() -> None:
    found = principal_components(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))
    # Both columns are -a, 0, a when standardised, a = sqrt(3/2); the component is (x + y) / sqrt 2.
    a = np.sqrt(1.5)
    np.testing.assert_allclose(found.loadings, [[np.sqrt(0.5)], [np.sqrt(0.5)]])
    np.testing.assert_allclose(found.scores[:, 0], np.array([-a, 0, a]) * np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(found.shares, [1.0])
    np.testing.assert_allclose(found.correlations, [[1.0], [1.0]])
    assert (found.cells, found.missing) == (6, 0)


@pytest.mark.parametrize(("n", "p"), [(12, 40), (40, 12), (30, 30)])
def test_a_complete_table_gives_what_scikit_learn_gives(n: int, p: int) -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    X = np.random.default_rng(n).normal(size=(n, p)) * np.linspace(1, 100, p) + 5
    ours = principal_components(X)
    theirs = PCA(n_components=5, svd_solver="full")
    scores = theirs.fit_transform(StandardScaler().fit_transform(X))
    signs = np.sign((theirs.components_.T * ours.loadings).sum(0))
    np.testing.assert_allclose(ours.scores, scores * signs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.loadings, theirs.components_.T * signs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, rtol=0, atol=1e-8)


def test_correlations_are_those_over_the_observed_cells() -> None:
    X = with_holes(low_rank(3), 3)
    found = principal_components(X, rank=3)
    frame = pd.DataFrame(X)
    for component in range(3):
        theirs = frame.corrwith(pd.Series(found.scores[:, component]))
        np.testing.assert_allclose(found.correlations[:, component], theirs, atol=1e-9)


def test_shares_count_observed_cells_and_add_up() -> None:
    X = with_holes(low_rank(4), 4)
    found = principal_components(X, rank=3)
    M = np.isfinite(X)
    Z = np.where(M, standardise(X, M), np.nan)
    fitted = found.scores @ found.loadings.T
    # The fit is around the means of the completed table, which it is off by a constant.
    left = Z - fitted - np.nanmean(Z - fitted, axis=0)
    whole = Z - np.nanmean(Z, axis=0)
    assert found.shares.sum() == pytest.approx(
        1 - np.nansum(left**2) / np.nansum(whole**2), abs=0.01
    )
    assert (np.diff(found.shares) < 0).all()


def test_the_largest_loading_is_positive_even_if_two_are_equally_large() -> None:
    x = np.random.default_rng(0).normal(size=30)
    found = principal_components(np.column_stack([x, -x, -x]))
    assert found.loadings[0, 0] > 0
    assert found.loadings[1, 0] < 0


def test_hidden_cells_of_a_simple_table_come_back() -> None:
    X = low_rank(1, n=60, p=30, noise=0.0)
    M = np.random.default_rng(1).random(X.shape) > 0.3
    observed = np.where(M, X, np.nan)
    expected = expectations(standardise(X, M), M, rank=2, tolerance=1e-8, most_steps=500)
    truth = (X - np.nanmean(observed, axis=0)) / np.nanstd(observed, axis=0)
    np.testing.assert_allclose(expected, truth, atol=1e-4)
    found = principal_components(observed, rank=2)
    assert found.shares.sum() > 0.9999
    assert found.missing == (~M).sum()


@pytest.mark.parametrize("seed", range(5))
def test_components_survive_holes_better_than_with_means_put_in(seed: int) -> None:
    X = low_rank(seed, n=60, p=40, rank=3, noise=1.0)
    holey = with_holes(X, seed, 0.4)
    filled = np.where(np.isnan(holey), np.nanmean(holey, axis=0), holey)
    truth = principal_components(X, rank=3).loadings
    ours = subspace_angles(principal_components(holey, rank=3).loadings, truth)
    theirs = subspace_angles(principal_components(filled, rank=3).loadings, truth)
    assert ours.max() < theirs.max()


@quick
@given(st.integers(0, 1000), st.booleans())
def test_the_order_of_the_rows_does_not_matter(seed: int, holes: bool) -> None:
    X = with_holes(low_rank(seed), seed) if holes else low_rank(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    plain = principal_components(X, rank=2)
    same(principal_components(X[order], rank=2), replace(plain, scores=plain.scores[order]))


@quick
@given(st.integers(0, 1000), st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_units_do_not_matter(seed: int, factor: float, zero: float) -> None:
    X = with_holes(low_rank(seed), seed)
    changed = X.copy()
    changed[:, 3] = (changed[:, 3] + zero) * factor
    same(principal_components(changed, rank=2), principal_components(X, rank=2))


@quick
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, -7e9, np.nan, np.inf]))
def test_a_column_that_says_nothing_changes_nothing(seed: int, value: float) -> None:
    X = with_holes(low_rank(seed), seed)
    wider = principal_components(np.column_stack([X, np.full(len(X), value)]), rank=2)
    plain = principal_components(X, rank=2)
    assert np.isnan(wider.loadings[-1]).all()
    assert np.isnan(wider.correlations[-1]).all()
    assert (wider.constant, wider.empty) == ((1, 0) if np.isfinite(value) else (0, 1))
    np.testing.assert_allclose(wider.loadings[:-1], plain.loadings)
    np.testing.assert_allclose(wider.scores, plain.scores)


@quick
@given(st.integers(0, 1000))
def test_a_row_without_values_has_no_place(seed: int) -> None:
    X = with_holes(low_rank(seed), seed)
    longer = principal_components(np.vstack([X, np.full(X.shape[1], np.nan)]), rank=2)
    plain = principal_components(X, rank=2)
    assert np.isnan(longer.scores[-1]).all()
    assert longer.rows_left_out == 1
    assert longer.missing == plain.missing == np.isnan(X).sum()
    np.testing.assert_allclose(longer.scores[:-1], plain.scores)


def test_columns_observed_in_too_few_rows_are_left_out_and_counted() -> None:
    X = low_rank(5)
    X[7:, 0] = np.nan  # 7 of 40 rows: under a fifth
    X[8:, 1] = np.nan  # 8 of 40: enough
    found = principal_components(X, rank=2)
    assert found.empty == 1
    assert np.isnan(found.loadings[0]).all()
    assert np.isfinite(found.loadings[1]).all()


def test_rows_and_columns_that_depend_on_each_other_are_left_out_together() -> None:
    X = np.full((6, 4), np.nan)
    X[:4, :3] = np.random.default_rng(0).normal(size=(4, 3))
    X[4, 3] = X[5, 3] = 1.0  # two rows whose only value is in a column that only they have
    rows, columns, _ = usable(X, np.isfinite(X))
    assert rows.tolist() == [True] * 4 + [False] * 2
    assert columns.tolist() == [True] * 3 + [False]


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((0, 0)),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.ones((1, 4)),
        np.full((5, 5), np.nan),
        np.ones((5, 5)),
    ],
)
def test_a_table_that_holds_nothing_has_no_components(X: Floats) -> None:
    found = principal_components(X)
    assert found.scores.shape == (X.shape[0], 0)
    assert found.loadings.shape == (X.shape[1], 0)
    assert found.shares.shape == (0,)


def test_no_more_components_than_the_table_holds() -> None:
    line = np.linspace(0, 1, 20)
    assert principal_components(np.column_stack([line, 2 * line, -line])).scores.shape == (20, 1)


def test_huge_and_tiny_numbers_are_only_units() -> None:
    X = low_rank(6)
    same(principal_components(X * 1e200, rank=2), principal_components(X, rank=2))
    same(principal_components(X * 1e-200, rank=2), principal_components(X, rank=2))


@pytest.mark.shared
def test_the_real_table_is_quick_and_hidden_cells_are_foreseen(shared: Path) -> None:
    X = _towns(shared)
    # One thread: where others share the machine, BLAS threads mostly wait for each other.
    with threadpool_limits(1):
        start = perf_counter()
        found = principal_components(X)
        assert perf_counter() - start < 1
    assert found.scores.shape == (290, 5)
    assert np.isfinite(found.scores).all()

    complete = X[:, np.isfinite(X).all(0)]
    holes = np.random.default_rng(0).random(complete.shape) < 0.3
    holey = np.where(holes, np.nan, complete)
    filled = np.where(holes, np.nanmean(holey, axis=0), holey)
    truth = principal_components(complete)
    for component in range(5):
        ours, theirs = (
            abs(np.corrcoef(fit.scores[:, component], truth.scores[:, component])[0, 1])
            for fit in (principal_components(holey), principal_components(filled))
        )
        assert ours > 0.95
        assert ours > theirs


def _towns(shared: Path) -> Floats:
    frame = pd.read_csv(shared / "data/kolada/kpi_wide_2022.csv.gz")
    return np.asarray(frame.iloc[:, 2:].to_numpy(dtype=np.float64))


@pytest.mark.shared
@pytest.mark.parametrize("seed", range(3))
def test_real_gaps_copied_onto_complete_figures_hardly_move_the_components(
    shared: Path, seed: int
) -> None:
    """A small version of the benchmark `towns_map`."""
    frame = pd.read_csv(shared / "data" / "kolada" / "kpi_wide_2022.csv.gz", index_col=[0, 1])
    X, rng = frame.to_numpy(dtype=float), np.random.default_rng(seed)
    missing = np.isnan(X)
    whole = X[:, ~missing.any(0) & (X.max(0) > X.min(0))][:, seed::3]
    lenders = missing[:, missing.any(0) & (missing.mean(0) < 0.8)]
    lent = rng.choice(lenders.shape[1], whole.shape[1])
    gaps = lenders[:, lent] & (rng.random(whole.shape[1]) < 0.7)
    truth = principal_components(whole).scores

    def lost(found: Floats) -> float:
        return float(subspace_angles(truth, found).mean())

    holed = np.where(gaps, np.nan, whole)
    ours = lost(principal_components(holed, rank=10).scores[:, :5])
    means = lost(principal_components(np.where(gaps, np.nanmean(holed, 0), whole)).scores)
    assert ours < 0.75 * means
