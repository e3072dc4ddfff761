"""What size lets expect: against known truths, and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from followdata.core.expectation import Expectation, Floats, expectation

SIZES = np.exp(np.random.default_rng(0).normal(10, 1, 290))
LOG = np.log(SIZES)
STANDARD = (LOG - LOG.mean()) / LOG.std()


def table(seed: int, rows: int = 60, columns: int = 8) -> tuple[Floats, Floats]:
    """A table with missing values and columns of several shapes, and sizes."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(10, 1, rows)
    X = rng.normal(size=(rows, columns)) + np.log(size)[:, None] * rng.normal(size=columns)
    X[:, 0] = np.exp(X[:, 0])
    X[:, 1] = X[:, 1].round(0)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X, size


@pytest.mark.parametrize(
    "function",
    [
        lambda s: s, np.log, np.sqrt, lambda s: 1 / s, lambda s: -3 * s + 7, lambda s: s**2,
        lambda s: np.tanh(np.log(s) - 10), lambda s: 1 / (1 + np.exp(-5 * (np.log(s) - 10))),
    ],
)  # fmt: skip
def test_a_column_that_is_a_function_of_size_has_no_outliers(function: object) -> None:
    assert callable(function)
    found = expectation(function(SIZES)[:, None], SIZES)
    assert np.abs(found.scores).max() < 2


@pytest.mark.parametrize("bend", [np.sin, lambda x: (x - 10) ** 2, np.round, lambda x: x > 11.5])
def test_nor_has_one_that_bends(bend: object) -> None:
    assert callable(bend)
    found = expectation(np.asarray(bend(LOG), dtype=float)[:, None], SIZES)
    assert np.abs(found.scores).max() < 3.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5), st.booleans())
def test_whatever_the_sizes_and_the_power(seed: int, power: float, falling: bool) -> None:
    size = np.random.default_rng(seed).lognormal(9, 1.2, 100)
    column = (size / size.max()) ** (-power if falling else power)
    assert np.abs(expectation(column[:, None], size).scores).max() < 3


def test_scores_are_the_true_residuals() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(290, 40))
    spread = np.exp(-0.4 * STANDARD)[:, None]
    X = 2 * STANDARD[:, None] + spread * noise
    found = expectation(X, SIZES)
    for column in range(40):
        assert np.corrcoef(found.scores[:, column], noise[:, column])[0, 1] > 0.95
    # The spread that was put in is found: small rows differ more, and their scores do not.
    third = STANDARD.argsort().argsort() * 3 // len(STANDARD)
    small, large = third == 0, third == 2
    assert found.scores[small].std() == pytest.approx(found.scores[large].std(), rel=0.1)


@pytest.mark.parametrize(
    "shape",
    [
        lambda rng: rng.normal(size=(290, 300)),
        lambda rng: rng.lognormal(sigma=2, size=(290, 300)),
        lambda rng: rng.standard_cauchy(size=(290, 300)),
        lambda rng: np.maximum(rng.normal(size=(290, 300)), 0.5),
        lambda rng: rng.poisson(1.0, size=(290, 300)).astype(float),
        lambda rng: (rng.random((290, 300)) < 0.03).astype(float),
        lambda rng: (rng.random((290, 300)) < 0.5).astype(float),
    ],
)
def test_scores_say_how_unusual_whatever_the_shape(shape: object) -> None:
    """No more values are beyond 2 or 3 than of a normal distribution, on either side."""
    assert callable(shape)
    scores = expectation(shape(np.random.default_rng(4)), SIZES).scores
    for far, allowed in ((2.0, 1.3), (3.0, 1.5)):
        expected = stats.norm.sf(far)
        assert (scores > far).mean() <= allowed * expected
        assert (scores < -far).mean() <= allowed * expected


def test_a_slip_of_the_pen_is_far_out_but_not_absurd() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(100, 10, (290, 1))
    X[7] = 1e9
    scores = np.abs(expectation(X, SIZES).scores[:, 0])
    assert scores.argmax() == 7
    assert 2.8 < scores[7] < 6


def test_without_sizes_a_score_is_a_normal_score() -> None:
    X = np.random.default_rng(6).exponential(size=(200, 3))
    for size in (None, np.ones(200), np.repeat([1.0, 2.0], 100)):
        found = expectation(X, size)
        assert not found.sized
        assert np.abs(found.expected).max() < 0.15
        assert np.corrcoef(found.scores[:, 0], found.normal[:, 0])[0, 1] > 0.999


def test_a_row_without_a_size_has_no_scores() -> None:
    size = SIZES.copy()
    size[3] = np.nan
    found = expectation(np.random.default_rng(7).normal(size=(290, 4)), size)
    assert np.isnan(found.scores[3]).all()
    assert np.isfinite(np.delete(found.scores, 3, axis=0)).all()


def test_columns_that_do_not_vary_have_no_scores() -> None:
    X = np.column_stack([np.full(290, 5.0), np.full(290, np.nan), LOG + np.sin(SIZES)])
    X[4:, 1] = np.nan
    found = expectation(X, SIZES)
    assert np.isnan(found.scores[:, :2]).all()
    assert np.isfinite(found.scores[:, 2]).all()


def test_tiny_tables() -> None:
    for rows in range(1, 16):
        X = np.random.default_rng(rows).normal(size=(rows, 2))
        found = expectation(X, np.arange(1.0, rows + 1))
        assert np.isfinite(found.scores).all() or rows == 1
    assert expectation(np.zeros((0, 2)), np.zeros(0)).scores.shape == (0, 2)


def _equal(a: Expectation, b: Expectation, rows: object, columns: object) -> None:
    for name in ("expected", "spread", "scores"):
        there = getattr(a, name)[rows][:, columns]
        np.testing.assert_allclose(getattr(b, name), there, atol=1e-6, err_msg=name)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_and_columns_does_not_matter(seed: int) -> None:
    X, size = table(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
    _equal(expectation(X, size), expectation(X[rows][:, columns], size[rows]), rows, columns)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_a_column_does_not_depend_on_the_others(seed: int) -> None:
    X, size = table(seed)
    some = [2, 5]
    _equal(expectation(X, size), expectation(X[:, some], size), slice(None), some)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_missing_values_stay_missing_and_units_do_not_matter(seed: int) -> None:
    X, size = table(seed)
    found = expectation(X, size)
    np.testing.assert_array_equal(np.isnan(found.scores), np.isnan(X))
    np.testing.assert_allclose(expectation(1000 * X, size).scores, found.scores, atol=1e-6)
    np.testing.assert_allclose(expectation(-X, size).scores, -found.scores, atol=1e-6)
    np.testing.assert_allclose(expectation(X, size * 1000).scores, found.scores, atol=1e-6)
