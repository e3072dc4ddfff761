"""A ranking by several measures at once, and how far it depends on their weights.

Tables are n x k, one column a part, on one scale (places from 0 to 100) where more is better; NaN
is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.scores import Floats, ranks

Ints = npt.NDArray[np.int64]

DRAWS = 500
"""Weightings drawn: enough for the ends of a 90 % interval to lie within 2 % of their shares."""


@dataclass(frozen=True)
class Ranking:
    """What a composite says of n things; NaN for those with too few parts.

    `scores` are weighted means of the parts (see `weighted`), `ranks` their places (1 is the
    highest), and `low` and `high` the places between which a thing lies in the given share of
    the draws.
    """

    scores: Floats
    ranks: Floats
    low: Floats
    high: Floats


def weighted(P: Floats, weights: Floats, *, least: float = 0.5) -> Floats:
    """The weighted mean of each row's parts (n).

    A missing part counts as the mean of those that are there in its column: as what it would be
    on average if it were that of another row, so that a row is neither lifted nor lowered by what
    nobody knows of it. NaN for rows whose parts carry less than `least` of the weight, and for all
    where the weights are not positive.

    >>> P = np.array([[100.0, 0.0], [40.0, np.nan], [np.nan, 50.0]])
    >>> weighted(P, np.array([3.0, 1.0])).tolist()
    [75.0, 36.25, nan]
    """
    there = np.isfinite(P)
    share = weights / weights.sum()
    known = np.where(there, P, 0.0)
    means = known.sum(0) / np.maximum(there.sum(0), 1)
    return np.where(there @ share >= least - 1e-12, np.where(there, P, means) @ share, np.nan)


def drawn_weights(
    weights: Floats, certainty: float, draws: int, rng: np.random.Generator
) -> Floats:
    """Weights that might have been given instead (draws x k), each summing to 1.

    From a Dirichlet distribution whose mean is `weights` and whose parameters add up to
    `certainty` times k: where all weights are equal and `certainty` is 1, every possible
    weighting is equally likely.
    """
    share = weights / weights.sum()
    return np.asarray(rng.dirichlet(certainty * len(share) * share, size=draws))


def ranking(
    P: Floats,
    weights: Floats,
    *,
    certainty: float = 4.0,
    share: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
) -> Ranking:
    """Rank rows by the weighted mean of their parts, with the places that other weights give.

    In each draw the weights are drawn anew (see `drawn_weights`), and so is each missing part,
    out of those of the other rows ranked: nobody knows what it would be.
    """
    scores = weighted(P, weights)
    in_it = np.flatnonzero(np.isfinite(scores))
    nothing = np.full(len(P), np.nan)
    if not len(in_it):
        return Ranking(scores, nothing, nothing, nothing)
    rng = np.random.default_rng(seed)
    parts = P[in_it]
    weightings = drawn_weights(weights, certainty, draws, rng)
    placed = np.where(np.isfinite(parts), parts, 0.0) @ weightings.T
    for column, part in enumerate(parts.T):
        missing = ~np.isfinite(part)
        if missing.any():
            lent = rng.choice(part[~missing], (missing.sum(), draws))
            placed[missing] += lent * weightings[:, column]
    # Equal scores must not differ by rounding.
    places = ranks(placed.round(9))
    outside = (1 - share) / 2
    low = np.quantile(places, outside, axis=1, method="inverted_cdf")
    high = np.quantile(places, 1 - outside, axis=1, method="inverted_cdf")
    whole = [nothing.copy() for _ in range(3)]
    found = (ranks(scores[in_it, None].round(9))[:, 0], np.floor(low), np.ceil(high))
    for full, values in zip(whole, found, strict=True):
        full[in_it] = values
    return Ranking(scores, *whole)
