"""What columns leave over of Gaussian vectors, with and without gaps, against plain algebra."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core.gaps import Gaps
from followdata.core.projected import Projected

Floats = npt.NDArray[np.float64]


def covariance(n: int, random: np.random.Generator) -> Floats:
    A = random.normal(size=(n, n + 3))
    return np.asarray(A @ A.T / n + 0.1 * np.eye(n))


def plain(V: Floats, X: Floats) -> tuple[Floats, float]:
    """P and the log determinants as the textbook writes them."""
    Q = np.linalg.inv(V)
    within = X.T @ Q @ X
    P: Floats = np.asarray(Q - Q @ X @ np.linalg.inv(within) @ X.T @ Q, dtype=np.float64)
    return P, float(np.linalg.slogdet(V)[1] + np.linalg.slogdet(within)[1])


def test_it_is_the_textbook_formula() -> None:
    random = np.random.default_rng(0)
    V, X = covariance(12, random), np.column_stack([np.ones(12), random.normal(size=12)])
    found = Projected.of(V, X)
    P, log_determinant = plain(V, X)
    np.testing.assert_allclose(found.P, P, atol=1e-9)
    assert found.log_determinant == pytest.approx(log_determinant)
    np.testing.assert_allclose(found.P @ X, 0, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.8))
def test_columns_with_gaps_are_those_of_their_known_rows(seed: int, gaps: float) -> None:
    random = np.random.default_rng(seed)
    n, p = 20, 9
    V, X = covariance(n, random), np.column_stack([np.ones(n), random.normal(size=n)])
    Z = random.normal(size=(n, p))
    Z[random.random(Z.shape) < gaps] = np.nan
    Z[:5, :] = random.normal(size=(5, p))  # something is left
    Z[:, 1] = np.where(np.isnan(Z[:, 0]), np.nan, Z[:, 1])
    projected, filled = Projected.of(V, X), np.where(np.isfinite(Z), Z, 0.0)
    squares, determinants = Gaps.of(Z).squares(projected, filled)
    for column, z in enumerate(Z.T):
        known = np.isfinite(z)
        P, log_determinant = plain(V[np.ix_(known, known)], X[known])
        assert squares[column] == pytest.approx(z[known] @ P @ z[known])
        assert determinants[column] == pytest.approx(log_determinant)
        np.testing.assert_allclose(projected.among(known), P, atol=1e-7)


def test_columns_with_the_same_gaps_are_one_pattern() -> None:
    Z = np.array([[1.0, np.nan, 2.0, np.nan], [1.0, 2.0, 3.0, 4.0]])
    patterns = {tuple(one.columns.tolist()) for one in Gaps.of(Z).patterns}
    assert patterns == {(0, 2), (1, 3)}
