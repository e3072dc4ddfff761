"""Whether columns foretell counts that a model has not seen: other places, and later years.

A forecast of a count is a whole distribution: Poisson, with a mean whose log is normal. Its log
score is the log probability that it gave to what came (Gneiting & Raftery 2007, JASA 102:359); a
difference of 0.1 a place says that one forecast gave what came a chance 10 % greater.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.elasticnet import elastic_net, folds
from followdata.core.intensity import Intensity, fit_intensity
from followdata.core.nearness import Nearness

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.str_] | None

ALONE, TOGETHER = "population alone", "population and indicators"
_FOLDS = 10
_DRAWS = 2000


def log_scores(y: Floats, mean_log: Floats, variance: Floats) -> Floats:
    """The log probability of each count (n) where the log of its mean is normal (n each).

    >>> log_scores(np.array([2.0]), np.array([np.log(3.0)]), np.array([1e-12])).round(3).tolist()
    [-1.496]
    """
    from scipy.special import gammaln, logsumexp

    nodes = np.linspace(-6, 6, 241)
    weights = -(nodes**2) / 2
    log = mean_log[:, None] + np.sqrt(variance)[:, None] * nodes
    poisson = y[:, None] * log - np.exp(log) - gammaln(y + 1)[:, None]
    return np.asarray(logsumexp(poisson + weights, axis=1) - logsumexp(weights))


def other_places(
    y: Floats, expected: Floats, X: Floats, nearness: Nearness, Z: Floats, groups: Groups
) -> dict[str, Floats]:
    """Log scores (n) of each place's count, foretold from other groups of places.

    `y` and `expected` (n) are as in `fit_intensity`, `X` (n x q) what is known of size and `Z`
    (n x p) complete columns. Everything is learnt without the places that are foretold: the null
    model, the penalty, the coefficients and how far to trust them.
    """
    scores = {name: np.empty(len(y)) for name in (ALONE, TOGETHER)}
    for held in folds(groups, len(y), _FOLDS, seed=1):
        kept = np.setdiff1d(np.arange(len(y)), held)
        of = None if groups is None else groups[kept]
        forecasts = _Forecasts.learnt(
            y[kept], expected[kept], X[kept], nearness.of(kept), Z[kept], of
        )
        for name, found in forecasts.scores(y[held], expected[held], X[held], Z[held]).items():
            scores[name][held] = found
    return scores


def later_years(
    before: tuple[Floats, Floats],
    after: tuple[Floats, Floats],
    X: Floats,
    nearness: Nearness,
    Z: Floats,
    groups: Groups,
) -> dict[str, Floats]:
    """Log scores (n) of each place's count in later years, foretold from the years `before`.

    `before` and `after` are counts and expected counts (n each) of the same places.
    """
    return _Forecasts.learnt(*before, X, nearness, Z, groups).scores(*after, X, Z)


@dataclass(frozen=True, eq=False)
class _Forecasts:
    """The null model, and one that also knows what an elastic net says of a place.

    How much the latter counts, and what it leaves open, is learnt from what nets said of places
    that they had not seen: what a net says of those it has seen is too good.
    """

    null: Intensity
    stacked: Intensity
    slopes: Floats

    @classmethod
    def learnt(
        cls, y: Floats, expected: Floats, X: Floats, near: Nearness, Z: Floats, groups: Groups
    ) -> _Forecasts:
        null = fit_intensity(y, expected, X, near)
        net = elastic_net(null, Z, groups)
        if not net.unseen.any():
            return cls(null, null, np.zeros(Z.shape[1]))
        stacked = fit_intensity(y, expected, np.column_stack([X, net.unseen]), near)
        return cls(null, stacked, max(0.0, float(stacked.coefficients[-1])) * net.slopes)

    def scores(self, y: Floats, expected: Floats, X: Floats, Z: Floats) -> dict[str, Floats]:
        log, q = np.log(expected), X.shape[1]
        alone = log + X @ self.null.coefficients
        together = log + X @ self.stacked.coefficients[:q] + Z @ self.slopes
        return {
            ALONE: log_scores(y, alone, np.full(len(y), self.null.variance)),
            TOGETHER: log_scores(y, together, np.full(len(y), self.stacked.variance)),
        }


def gain(
    scores: Floats, of: Floats, groups: Groups, random: np.random.Generator
) -> tuple[float, float, float]:
    """By how much one forecast's mean log score is better than another's, with a 95 % interval
    from drawing whole groups again (bootstrap).

    >>> gain(np.array([-1.0, -1.0]), np.array([-1.5, -1.5]), None, np.random.default_rng(0))
    (0.5, 0.5, 0.5)
    """
    better = scores - of
    names = np.arange(len(better)).astype(str) if groups is None else groups
    _, which = np.unique(names, return_inverse=True)
    total, size = np.bincount(which, better), np.bincount(which)
    drawn = random.integers(len(total), size=(_DRAWS, len(total)))
    means = total[drawn].sum(1) / size[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(better.mean()), float(low), float(high)
