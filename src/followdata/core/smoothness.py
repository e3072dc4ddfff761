"""How smooth columns are over the places of their rows, from values with gaps.

Each column is taken for a Gaussian process: some columns of X, and a rest whose correlation is
(1 - share) I + share R for one of many pairs of a share and a correlation matrix R. All pairs are
tried on all columns at once, and weigh as their restricted likelihoods do (Harville 1974): nothing
depends on one estimate of how smooth a column is, which from one map is poor.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.gaps import Gaps
from followdata.core.nearness import Nearness
from followdata.core.projected import Projected

Floats = npt.NDArray[np.float64]

SHARES = (0.3, 0.6, 0.9, 0.99, 0.9999)
"""Parts of the variance that near places have in common; the last leaves nothing to chance but
what rounding needs."""
_BISECTIONS = 25
ALONE = 0.3
"""The weight, before any value is seen, of near places having nothing in common."""


@dataclass(frozen=True, eq=False)
class Smoothness:
    """What p columns are like under each of m pairs: `weights` (m x p) that sum to 1 for each
    column, `scales` (m x p), the variance of the rest, and `spreads` (m x p), the variance of the
    inner product with the vector that was asked about. `freedom` (p) is the number of known rows
    less the columns of X."""

    weights: Floats
    scales: Floats
    spreads: Floats
    freedom: Floats

    def beyond(self, size: Floats) -> Floats:
        """How likely such inner products are at least so far from 0 (p), whichever pair holds.

        Under one pair an inner product is distributed as Student's t, since the variance of the
        column is estimated from it.
        """
        from scipy.special import stdtr

        t = size / np.sqrt(self.spreads)
        return np.asarray((self.weights * 2 * stdtr(self.freedom, -t)).sum(0))

    def critical(self, level: float) -> Floats:
        """How far from 0 an inner product (p) must be to be so unlikely."""
        low, high = np.zeros(len(self.freedom)), 20 * np.sqrt(self.spreads.max(0))
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            within = self.beyond(middle) > level
            low, high = np.where(within, middle, low), np.where(within, high, middle)
        return np.asarray((low + high) / 2)


@dataclass(frozen=True, eq=False)
class Pair:
    """A correlation: `share` of it is common to near places, by matrix number `at`; -1 is none."""

    at: int
    share: float
    prior: float

    def correlation(self, nearness: Nearness) -> Floats:
        alone = np.eye(nearness.n)
        if self.at < 0:
            return alone
        return np.asarray((1 - self.share) * alone + self.share * nearness.matrices[self.at])


def pairs(nearness: Nearness) -> list[Pair]:
    """All that is tried."""
    matrices = range(len(nearness.matrices))
    many = len(matrices) * len(SHARES)
    alone = Pair(-1, 0.0, ALONE if many else 1.0)
    return [alone, *(Pair(at, s, (1 - ALONE) / many) for at in matrices for s in SHARES)]


def smoothness(
    Z: Floats,
    X: Floats,
    nearness: Nearness,
    vectors: Floats,
    gaps: Gaps,
    executor: Executor | None = None,
) -> Smoothness:
    """How smooth the columns of `Z` (n x p, 0 in gaps) are beyond `X` (n x q).

    `gaps` are theirs, and `vectors` (n x patterns of gaps, 0 in gaps, orthogonal to X) the vector
    of each pattern whose inner product with its columns is asked about.
    """
    tried = pairs(nearness)

    def one(pair: Pair) -> tuple[Floats, Floats, Floats]:
        R = pair.correlation(nearness)
        return *gaps.squares(Projected.of(R, X), Z), (vectors * (R @ vectors)).sum(0)

    results = list((executor.map if executor else map)(one, tried))
    squares, determinants, across = (np.array(part) for part in zip(*results, strict=True))
    pattern, freedom = np.empty(Z.shape[1], dtype=np.intp), np.empty(Z.shape[1])
    for number, found in enumerate(gaps.patterns):
        pattern[found.columns], freedom[found.columns] = number, found.known.sum() - X.shape[1]
    scales = squares / freedom
    likelihood = -(determinants + freedom * np.log(scales)) / 2
    likelihood += np.log([pair.prior for pair in tried])[:, None]
    weights = np.exp(likelihood - likelihood.max(0))
    return Smoothness(weights / weights.sum(0), scales, scales * across[:, pattern], freedom)
