"""Normal scores: by hand, against SciPy, as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from followdata.core.normal import Floats, normal_scores, value_at
from followdata.core.scores import ranks

columns = arrays(
    np.float64,
    st.tuples(st.integers(1, 60), st.integers(1, 3)),
    elements=st.one_of(
        st.sampled_from([0.0, 1.0, np.nan]), st.floats(-1e6, 1e6, allow_subnormal=False)
    ),
)


def test_a_few_values_by_hand() -> None:
    # Three values: places 1/6, 3/6 and 5/6 of the way.
    found = normal_scores(np.array([[10.0], [30.0], [np.nan], [20.0]]))[:, 0]
    np.testing.assert_allclose(found, [*stats.norm.ppf([1 / 6, 5 / 6]), np.nan, 0], atol=1e-12)


def test_equal_values_share_the_middle_of_their_places() -> None:
    found = normal_scores(np.array([[0.0], [0.0], [0.0], [1.0]]))[:, 0]
    np.testing.assert_allclose(found, stats.norm.ppf([3 / 8, 3 / 8, 3 / 8, 7 / 8]))


@given(columns)
def test_between_the_tails_scores_are_those_of_places(X: Floats) -> None:
    found = normal_scores(X)
    count = (~np.isnan(X)).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        placed = stats.norm.ppf((count - ranks(X) + 0.5) / count)
    tail = np.minimum(np.maximum(np.ceil(0.1 * count), 10), np.maximum(count // 3, 1))
    inside = (ranks(X) > tail) & (ranks(X) < count + 1 - tail)
    np.testing.assert_allclose(found[inside], placed[inside])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(X))
    assert np.isfinite(found[~np.isnan(X)]).all()


@given(columns)
def test_higher_values_have_higher_scores_and_equal_ones_the_same(X: Floats) -> None:
    for values, scores in zip(X.T, normal_scores(X).T, strict=True):
        known = ~np.isnan(values)
        order = np.argsort(values[known])
        steps, rises = np.diff(values[known][order]), np.diff(scores[known][order])
        assert (rises[steps == 0] == 0).all()
        assert (rises[steps > 0] >= 0).all()


@given(columns)
def test_what_is_turned_over_has_opposite_scores(X: Floats) -> None:
    np.testing.assert_allclose(normal_scores(-X), -normal_scores(X), atol=1e-9)


@given(columns, st.sampled_from([0.25, 2.0, 1024.0]))
def test_units_do_not_matter(X: Floats, factor: float) -> None:
    np.testing.assert_allclose(normal_scores(X * factor), normal_scores(X), atol=1e-9)


def test_a_value_far_out_is_told_from_one_just_ahead() -> None:
    values = np.arange(100.0)[:, None]
    ahead, far = values.copy(), values.copy()
    ahead[-1], far[-1] = 99.5, 200.0
    assert normal_scores(far)[-1] > normal_scores(ahead)[-1] + 0.3


@pytest.mark.parametrize("shape", ["norm", "expon", "lognorm", "cauchy", "uniform", "pareto"])
def test_scores_are_normal_whatever_the_shape(shape: str) -> None:
    rng = np.random.default_rng(0)
    draws = {
        "norm": rng.normal(size=(300, 200)),
        "expon": rng.exponential(size=(300, 200)),
        "lognorm": rng.lognormal(sigma=2, size=(300, 200)),
        "cauchy": rng.standard_cauchy(size=(300, 200)),
        "uniform": rng.uniform(size=(300, 200)),
        "pareto": rng.pareto(0.5, size=(300, 200)),
    }[shape]
    scores = normal_scores(draws)
    assert np.abs(scores).max() < 5.5
    for quantile, near in ((0.01, 0.2), (0.05, 0.1), (0.25, 0.01), (0.5, 0.01)):
        for part in (quantile, 1 - quantile):
            if shape != "pareto" or part < 0.9:
                expected = stats.norm.ppf(part)
                assert np.quantile(scores, part) == pytest.approx(expected, abs=near)
    # Even of the heaviest tails, without a mean, not much more is called far out than there is.
    assert (np.abs(scores) > 3).mean() < 2 * 2 * stats.norm.sf(3)


def test_the_tail_is_the_pareto_distribution_that_it_claims() -> None:
    """The score of a value beyond a tail of known shape, against SciPy's distribution."""
    shape, errors = 0.3, []
    rng = np.random.default_rng(1)
    for _ in range(40):
        draws = stats.genpareto.rvs(shape, size=(2000, 1), random_state=rng)
        scores = normal_scores(draws)[:, 0]
        at = int(draws[:, 0].argmax())
        errors.append(scores[at] + stats.norm.ppf(stats.genpareto.sf(draws[at, 0], shape)))
    assert np.mean(errors) == pytest.approx(0, abs=0.15)


def test_values_come_back_from_their_scores() -> None:
    rng = np.random.default_rng(2)
    X = rng.lognormal(size=(50, 4))
    X[rng.random(X.shape) < 0.2] = np.nan
    scores = normal_scores(X)
    for row in range(50):
        np.testing.assert_allclose(value_at(scores[row], X, scores), X[row])


def test_between_and_beyond_values() -> None:
    X = np.array([[0.0], [10.0], [20.0], [40.0]])
    scores = normal_scores(X)
    middle = np.array([(scores[2, 0] + scores[3, 0]) / 2])
    assert value_at(middle, X, scores)[0] == pytest.approx(30)
    assert value_at(np.array([9.0]), X, scores)[0] == 40
    assert value_at(np.array([-9.0]), X, scores)[0] == 0
    assert np.isnan(value_at(np.array([np.nan]), X, scores)[0])
    empty = np.full((4, 1), np.nan)
    assert np.isnan(value_at(np.array([0.0]), empty, empty)[0])


def test_nobody_half_has_a_yes() -> None:
    X = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]])
    scores = normal_scores(X)
    for wanted in np.linspace(-2, 2, 21):
        assert value_at(np.array([wanted]), X, scores)[0] in (0, 1)
