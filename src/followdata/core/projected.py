"""Gaussian vectors, of which only what columns of known form leave over is looked at.

The precision of that rest, P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1, is what restricted likelihood
and generalised least squares are made of (Harville 1974, Biometrika 61:383). Rows that are not
known are left out by taking their block away from it, P_oo - P_om P_mm^-1 P_mo, which for few of
them is much quicker than to begin anew: to leave a row out is to give it a column in X of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Projected:
    """A covariance `V` (n x n), the columns `X` (n x q) that are taken out, the precision `P` of
    the rest, and the log determinants of V and of X' V^-1 X together."""

    V: Floats
    X: Floats
    P: Floats
    log_determinant: float

    @classmethod
    def of(cls, V: Floats, X: Floats) -> Projected:
        """Raises `numpy.linalg.LinAlgError` where V is not positive definite.

        >>> Projected.of(np.eye(2), np.ones((2, 1))).P.round(12).tolist()
        [[0.5, -0.5], [-0.5, 0.5]]
        """
        factor = _factor(V)
        inverse = _solved(factor, np.eye(len(V)))
        Q = inverse.T @ inverse
        QX = Q @ X
        within = _factor(X.T @ QX)
        outer = _solved(within, QX.T)
        log_determinant = 2 * float(np.log(np.diag(factor)).sum() + np.log(np.diag(within)).sum())
        return cls(V, X, Q - outer.T @ outer, log_determinant)

    def among(self, known: Bools) -> Floats:
        """The precision of the rest of the `known` rows alone (o x o)."""
        if known.all():
            return self.P
        if 2 * known.sum() < len(known):
            return Projected.of(self.V[np.ix_(known, known)], self.X[known]).P
        taken = _solved(_factor(self.P[np.ix_(~known, ~known)]), self.P[np.ix_(~known, known)])
        return np.asarray(self.P[np.ix_(known, known)] - taken.T @ taken)


def _factor(A: Floats) -> Floats:
    from scipy.linalg import cholesky

    return np.asarray(cholesky(A, lower=True, check_finite=False))


def _solved(factor: Floats, B: Floats) -> Floats:
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(factor, B, lower=True, check_finite=False))
