"""Contrasts, moderated t, false discoveries, partition, likeness, overlap and quantiles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import digamma, polygamma

from followdata.core.contrasts import contrasts
from followdata.core.discoveries import q_values
from followdata.core.moderated import inverse_trigamma, moderated_t, prior_variance
from followdata.core.nearest import nearest, similarities
from followdata.core.overlap import overlap_p
from followdata.core.partition import variance_partition
from followdata.core.quantiles import on_common_scale

Floats = npt.NDArray[np.float64]


# Contrasts


def test_the_interval_is_welchs() -> None:
    random = np.random.default_rng(0)
    X = random.normal(100, [[1.0, 9.0]] * 30)
    inside = np.arange(30) < 8
    found = contrasts(X, inside[None])
    for column in range(2):
        theirs = stats.ttest_ind(X[:8, column], X[8:, column], equal_var=False)
        interval = theirs.confidence_interval(0.95)
        assert found.effect[0, column] == pytest.approx(X[:8, column].mean() - X[8:, column].mean())
        assert found.low[0, column] == pytest.approx(interval.low)
        assert found.high[0, column] == pytest.approx(interval.high)


def test_a_group_of_one_has_an_effect_and_no_interval() -> None:
    found = contrasts(np.array([[5.0], [1.0], [3.0]]), np.array([[True, False, False]]))
    assert found.effect.item() == 3
    assert np.isnan([found.low.item(), found.high.item()]).all()


def test_values_that_do_not_vary_have_an_interval_of_no_length() -> None:
    found = contrasts(np.repeat([[2.0], [1.0]], 3, axis=0), np.array([[1, 1, 1, 0, 0, 0]]) > 0)
    assert (found.low.item(), found.high.item()) == (1, 1)


def test_missing_values_and_another_rest() -> None:
    X = np.array([[4.0], [np.nan], [1.0], [3.0], [10.0]])
    inside = np.array([[1, 1, 0, 0, 0]]) > 0
    rest = np.array([[0, 0, 1, 1, 0]]) > 0
    found = contrasts(X, inside, rest)
    assert (found.number.item(), found.mean.item(), found.effect.item()) == (1, 4, 2)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(40, 4000)) * np.where(np.arange(40) < 10, 3.0, 1.0)[:, None]
    found = contrasts(X, (np.arange(40) < 10)[None])
    covered = ((found.low < 0) & (found.high > 0)).mean()
    assert covered == pytest.approx(0.95, abs=0.012)


# Moderated t


def test_without_a_prior_it_is_students_t() -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(12, 1))  # one column tells nothing of variances
    inside = np.arange(12) < 5
    theirs = stats.ttest_ind(X[:5], X[5:])
    found = moderated_t(X, inside[None])
    assert found.t[0, 0] == pytest.approx(theirs.statistic[0])
    assert found.p[0, 0] == pytest.approx(theirs.pvalue[0])


def test_strata_are_levels_of_a_linear_model() -> None:
    random = np.random.default_rng(3)
    X, inside = random.normal(size=(15, 1)), random.random(15) < 0.5
    strata = np.repeat([0, 1, 2], 5)
    design = np.column_stack([inside, *(strata == s for s in range(3))]).astype(float)
    weights, left, *_ = np.linalg.lstsq(design, X[:, 0], rcond=None)
    error = np.sqrt(left[0] / 11 * np.linalg.inv(design.T @ design)[0, 0])
    found = moderated_t(X, inside[None], strata=strata)
    assert found.effect[0, 0] == pytest.approx(weights[0])
    assert found.t[0, 0] == pytest.approx(weights[0] / error)


def test_variances_are_drawn_together_as_smyth_has_it() -> None:
    random = np.random.default_rng(4)
    X = random.normal(size=(8, 500)) * np.sqrt(4 / random.chisquare(4, 500))
    inside = np.arange(8) < 4
    effect = X[:4].mean(0) - X[4:].mean(0)
    variance = (X[:4].var(0, ddof=1) + X[4:].var(0, ddof=1)) / 2
    # Smyth 2004, section 6.2, step by step with six degrees of freedom.
    e = np.log(variance) - digamma(3) + np.log(3)
    spread = ((e - e.mean()) ** 2).sum() / 499 - polygamma(1, 3)
    low, high = 1e-3, 1e6
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if polygamma(1, middle) > spread else (low, middle)
    d0 = 2 * low
    s0 = np.exp(e.mean() + digamma(d0 / 2) - np.log(d0 / 2))
    drawn = (d0 * s0 + 6 * variance) / (d0 + 6)
    t = effect / np.sqrt(drawn * (1 / 4 + 1 / 4))
    found = moderated_t(X, inside[None])
    np.testing.assert_allclose(found.t[0], t, rtol=1e-8)
    np.testing.assert_allclose(found.p[0], 2 * stats.t.sf(np.abs(t), d0 + 6), rtol=1e-8)


def test_the_prior_is_found_again() -> None:
    random = np.random.default_rng(5)
    true = 3 * 8 / random.chisquare(8, 20_000)
    prior = prior_variance(true * random.chisquare(6, 20_000) / 6, np.full(20_000, 6.0))
    assert prior.df == pytest.approx(8, rel=0.1)
    assert prior.variance == pytest.approx(3, rel=0.03)
    same = prior_variance(random.chisquare(6, 2000) / 6 * 3, np.full(2000, 6.0))
    assert same.df > 50


def test_p_values_are_uniform_under_noise() -> None:
    random = np.random.default_rng(6)
    X = random.normal(size=(10, 4000)) * np.sqrt(5 / random.chisquare(5, 4000))
    p = moderated_t(X, (np.arange(10) < 3)[None]).p[0]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_columns_that_do_not_vary_are_told_apart_from_those_that_differ() -> None:
    X = np.random.default_rng(7).normal(size=(6, 20))
    X[:, 0] = 1
    found = moderated_t(X, (np.arange(6) < 3)[None])
    assert found.p[0, 0] == 1
    assert np.isfinite(found.p).all()


@given(st.floats(1e-8, 1e8))
def test_trigamma_is_inverted(y: float) -> None:
    assert polygamma(1, inverse_trigamma(y)) == pytest.approx(y, rel=1e-3 if y > 1e7 else 1e-6)


# False discoveries


def test_q_values_by_hand() -> None:
    # Four tests: 0.005 * 4, 0.02 * 4 / 2, 0.03 * 4 / 3, 0.9.
    q = q_values(np.array([[0.005, 0.9], [0.03, 0.02]]))
    np.testing.assert_allclose(q, [[0.02, 0.9], [0.04, 0.04]])


def test_no_test_is_no_member_of_the_family() -> None:
    assert np.isnan(q_values(np.full(3, np.nan))).all()
    assert q_values(np.array([0.5, np.nan])).tolist()[0] == 0.5


# Variance partition


def test_balanced_factors_get_what_is_theirs() -> None:
    random = np.random.default_rng(8)
    a = np.repeat(["x", "y", "z"], 40)
    b = np.tile(["1", "2"], 60)
    Y = np.column_stack([
        (a == "x") * 6.0 + random.normal(size=120),
        (b == "1") * 2.0 + random.normal(size=120),
        random.normal(size=120),
    ])  # fmt: skip
    parts = variance_partition(Y, [a, b])
    assert parts[0] == pytest.approx([0.89, 0, 0], abs=0.04)
    assert parts[1] == pytest.approx([0, 0.5, 0], abs=0.1)


def test_what_two_factors_share_is_halved() -> None:
    a = np.repeat(["x", "y"], 10)
    parts = variance_partition((a == "x").astype(float)[:, None], [a, np.char.upper(a)])
    assert parts.ravel() == pytest.approx([0.5, 0.5])


def test_many_groups_explain_nothing_of_noise() -> None:
    random = np.random.default_rng(9)
    labels = random.integers(0, 29, 242).astype(str)
    parts = variance_partition(random.normal(size=(242, 50)), [labels])
    assert parts.mean() < 0.03


# Likeness


def test_similarities_are_spearmans_and_pearsons() -> None:
    random = np.random.default_rng(10)
    A, B = random.gamma(1, size=(3, 50)).round(1), random.gamma(1, size=(4, 50)).round(1)
    for ours, theirs in (("spearman", stats.spearmanr), ("pearson", stats.pearsonr)):
        found = similarities(A, B, likeness=ours)  # type: ignore[arg-type]
        expected = [[theirs(a, b).statistic for b in B] for a in A]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_columns_that_one_lacks_are_passed_over() -> None:
    random = np.random.default_rng(11)
    A, B = random.normal(size=(2, 30)), random.normal(size=(3, 30))
    A[0, :5], B[1, 3:9] = np.nan, np.nan
    found = similarities(A, B, likeness="pearson")
    both = ~np.isnan(A[0]) & ~np.isnan(B[1])
    assert found[0, 1] == pytest.approx(stats.pearsonr(A[0, both], B[1, both]).statistic)
    assert np.isnan(similarities(np.full((1, 30), 2.0), B)).all()


def test_the_nearest_come_first_and_those_that_cannot_be_compared_last() -> None:
    among = np.array([[1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 4, 3], [1, 1, 1, 1]], dtype=float)
    found = nearest(np.array([[10.0, 20.0, 30.0, 40.0]]), among, k=4)
    assert found.positions.tolist() == [[0, 2, 1, -1]]
    assert found.similarities[0, :3] == pytest.approx([1, 0.8, -1])


# Overlap and quantiles


def test_the_overlap_is_fishers() -> None:
    listed, marked = np.arange(30) < 9, np.array([np.arange(30) % 3 == 0, np.arange(30) < 12])
    for found, mark in zip(overlap_p(listed, marked), marked, strict=True):
        table = [[(listed & mark).sum(), (listed & ~mark).sum()],
                 [(~listed & mark).sum(), (~listed & ~mark).sum()]]  # fmt: skip
        assert found == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_samples_get_the_distribution_of_the_reference() -> None:
    reference = np.array([[1.0, 2.0, 6.0], [3.0, 8.0, 2.0]])  # sorted means 1.5, 2.5, 7
    own, others = on_common_scale(reference, np.array([[90.0, 10.0, 10.0]]))
    np.testing.assert_allclose(own, [[1.5, 2.5, 7], [2.5, 7, 1.5]])
    np.testing.assert_allclose(others, [[7, 2, 2]])
