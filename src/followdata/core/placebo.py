"""Columns that have nothing to do with anything, made to try a test on.

Of two sorts: noise of a known kind, and surrogates of real columns, which have the values of a
real one, its gaps, its smoothness over the places and its tie to the columns of X, and are
otherwise chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from followdata.core.nearness import Nearness
from followdata.core.smoothness import Smoothness, pairs

Floats = npt.NDArray[np.float64]

INDEPENDENT, SKEWED = "independent", "lognormal"
_SKEW = 1.5
"""The deviation of the log: three values in a hundred are beyond 17 times the median."""
_JITTER = 1e-8


def independent(n: int, number: int, random: np.random.Generator) -> Floats:
    """Normal noise that knows no neighbours (n x number)."""
    return random.normal(size=(n, number))


def skewed(n: int, number: int, random: np.random.Generator) -> Floats:
    """The same with a heavy upper tail."""
    return np.asarray(np.exp(_SKEW * random.normal(size=(n, number))))


def smooth(correlation: Floats, number: int, random: np.random.Generator) -> Floats:
    """Normal noise with a given correlation of the rows (n x n), all of it (n x number)."""
    n = len(correlation)
    root = np.linalg.cholesky(correlation + _JITTER * np.eye(n))
    return np.asarray(root @ random.normal(size=(n, number)))


def surrogates(
    values: Floats,
    scores: Floats,
    X: Floats,
    nearness: Nearness,
    smoothness: Smoothness,
    chosen: npt.NDArray[np.intp],
    random: np.random.Generator,
) -> Floats:
    """A surrogate (n x k) of each column that is `chosen` (k numbers, repeats allowed).

    `values` (n x p, NaN is a gap) are the real columns, `scores` their normal scores and
    `smoothness` what is known of these. For each surrogate a smoothness is drawn from what the
    column's likelihood leaves open, then a Gaussian process with it around the column's regression
    on `X`; the column's own values are dealt out in its order (as in the surrogates of Schreiber
    & Schmitz 2000, Physica D 142:346).
    """
    tried = pairs(nearness)
    reached = smoothness.weights[:, chosen].cumsum(0)
    drawn = (random.random(len(chosen)) > reached).sum(0).clip(max=len(tried) - 1)
    made = np.full((len(values), len(chosen)), np.nan)
    for pair in np.unique(drawn):
        which = np.flatnonzero(drawn == pair)
        fields = smooth(tried[pair].correlation(nearness), len(which), random)
        for field, at in zip(fields.T, which, strict=True):
            column = chosen[at]
            known = np.isfinite(scores[:, column])
            slope = np.linalg.lstsq(X[known], scores[known, column], rcond=None)[0]
            score = X[known] @ slope + np.sqrt(smoothness.scales[pair, column]) * field[known]
            order = np.argsort(np.argsort(score, kind="stable"), kind="stable")
            made[known, at] = np.sort(values[known, column])[order]
    return made
