"""How often things happen where nothing is asked about: the null model of counts by place.

Counts y of n places are Poisson around expected * exp(X b + x), where x is Gaussian with
covariance variance * [(1 - share) I + share R]: some places have more than others for reasons
that no column tells, and near ones share such reasons. It is a log-Gaussian Cox process on places
(Besag, York & Mollié 1991, Ann. Inst. Stat. Math. 43:1), fitted by Laplace's method (Breslow &
Clayton 1993, JASA 88:9): variance, share and R are those of the greatest restricted likelihood.

Near its mode the model is linear: the working response has the covariance K + 1 / mean, and what a
further column adds is told by the score P response (`Intensity.residual`), as in the mixed-model
tests of genome-wide scans (Chen et al. 2016, AJHG 98:653).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.nearness import Nearness
from followdata.core.projected import Projected

Floats = npt.NDArray[np.float64]

_MOST_STEPS = 60
_FURTHEST = 2.0
"""No step of Newton's method changes a rate more than e^2-fold, or it might not come back."""
_CLOSE = 1e-5
_START = np.array([np.log(0.5), 0.0])
_LIMITS = np.array([[np.log(1e-4), -5.0], [np.log(30.0), 5.0]])


@dataclass(frozen=True, eq=False)
class Intensity:
    """The null model of n places.

    `mean` (n) are the fitted counts, `coefficients` (q) those of the columns of X; `variance` is
    that of the log rates, `share` the part of it that near places have in common, over `kernel`
    and `reach` (a range). `response` (n) is the working response, `linear` its covariance with X
    taken out, and `residual` (n) their product, the score.
    """

    mean: Floats
    coefficients: Floats
    variance: float
    share: float
    kernel: str
    reach: float
    log_likelihood: float
    response: Floats
    linear: Projected

    @property
    def residual(self) -> Floats:
        return np.asarray(self.linear.P @ self.response)


def fit_intensity(y: Floats, expected: Floats, X: Floats, nearness: Nearness) -> Intensity:
    """Fit the null model to counts `y` (n), given `expected` ones (n, more than 0) and columns `X`
    (n x q, with one of ones); nothing may be missing.

    >>> from followdata.core.nearness import nowhere
    >>> y, ones = np.array([0.0, 9.0, 1.0, 12.0, 2.0, 7.0]), np.ones((6, 1))
    >>> fitted = fit_intensity(y, np.full(6, 5.0), ones, nowhere(6))
    >>> fitted.mean.round(1).tolist()  # drawn together, the less the more they differ
    [0.9, 8.4, 1.5, 11.2, 2.3, 6.6]
    """
    search = _Search(y, expected, X, nearness)
    if not nearness.matrices:
        return search.found(-1, search.best(-1, _START))
    middle = search.best(len(nearness.matrices) // 4, _START)
    likely = [search.likelihood(at, middle) for at in range(len(nearness.matrices))]
    chosen = int(np.argmax(likely))
    return search.found(chosen, search.best(chosen, middle, around=0.3))


class _Search:
    """The likelihood of parameters (log variance, logit of share), each from the last mode on."""

    def __init__(self, y: Floats, expected: Floats, X: Floats, nearness: Nearness) -> None:
        self.y, self.log_expected, self.X, self.nearness = y, np.log(expected), X, nearness
        self.log_rate = np.clip(np.log((y + 0.5) / (expected + 0.5)), -3, 3)

    def covariance(self, at: int, parameters: Floats) -> Floats:
        log_variance, logit = np.clip(parameters, *_LIMITS)
        share, n = _share(logit), len(self.y)
        shared = self.nearness.matrices[at] if at >= 0 else np.eye(n)
        return np.asarray(np.exp(log_variance) * ((1 - share) * np.eye(n) + share * shared))

    def likelihood(self, at: int, parameters: Floats) -> float:
        return self._mode(self.covariance(at, parameters))[0]

    def best(self, at: int, start: Floats, around: float = 1.0) -> Floats:
        from scipy.optimize import minimize

        corners = start + around * np.array([[0.0, 0.0], [0.7, 0.0], [0.0, 1.2]])
        found = minimize(
            lambda parameters: -self.likelihood(at, parameters),
            start,
            method="Nelder-Mead",
            options={"initial_simplex": corners, "xatol": 0.05, "fatol": 0.01},
        )
        return np.asarray(np.clip(found.x, *_LIMITS))

    def found(self, at: int, parameters: Floats) -> Intensity:
        K = self.covariance(at, parameters)
        likelihood, coefficients = self._mode(K)
        mean = np.exp(self.log_expected + self.log_rate)
        near = at >= 0
        return Intensity(
            mean=mean,
            coefficients=coefficients,
            variance=float(np.exp(parameters[0])),
            share=_share(parameters[1]) if near else 0.0,
            kernel=self.nearness.kernels[at] if near else "",
            reach=self.nearness.ranges[at] if near else float("nan"),
            log_likelihood=likelihood,
            response=self.log_rate + (self.y - mean) / mean,
            linear=Projected.of(K + np.diag(1 / mean), self.X),
        )

    def _mode(self, K: Floats) -> tuple[float, Floats]:
        """Laplace's approximation at the most likely rates, which are kept for the next."""
        from scipy.linalg import cho_factor, cho_solve
        from scipy.special import gammaln

        identity, X = np.eye(len(self.y)), self.X
        for _ in range(_MOST_STEPS):
            mean = np.exp(self.log_expected + self.log_rate)
            root = np.sqrt(mean)
            # I + W^1/2 K W^1/2 is far from singular, whatever K is (Rasmussen & Williams 2006,
            # section 3.4.3).
            factor = cho_factor(identity + root[:, None] * K * root, True, check_finite=False)
            response = self.log_rate + (self.y - mean) / mean
            right = root[:, None] * np.column_stack([X, response])
            solved = root[:, None] * cho_solve(factor, right, check_finite=False)
            VX, Vr = solved[:, :-1], solved[:, -1]
            coefficients = np.linalg.solve(X.T @ VX, VX.T @ response)
            weighed = Vr - VX @ coefficients
            random = K @ weighed
            step = X @ coefficients + random - self.log_rate
            furthest = float(np.abs(step).max())
            self.log_rate = self.log_rate + step * min(1.0, _FURTHEST / max(furthest, 1e-300))
            if furthest < _CLOSE:
                break
        log_mean = self.log_expected + self.log_rate
        poisson = (self.y * log_mean - np.exp(log_mean) - gammaln(self.y + 1)).sum()
        determinants = np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(X.T @ VX)[1] / 2
        return float(poisson - random @ weighed / 2 - determinants), coefficients


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
