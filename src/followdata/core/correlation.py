"""Each column of one matrix against the same column of another, over the rows that have both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from followdata.core.ranksum import ranked

Floats = npt.NDArray[np.float64]
_BLOCK = 256
"""So many columns are ranked at a time: what they need stays in the processor's cache."""
_LEAST = 3
"""Two points always lie on a line."""


class Correlations(NamedTuple):
    """Of each of p columns: `n`, the rows that have both values, both correlations, and for
    Spearman's the interval `low` to `high` and the two-sided p-value.

    NaN stands where fewer than three rows have both values (four, for the interval) or where one
    of the two does not vary over them.
    """

    n: npt.NDArray[np.int64]
    spearman: Floats
    pearson: Floats
    low: Floats
    high: Floats
    p: Floats


def paired_correlations(X: Floats, Y: Floats, *, coverage: float = 0.95) -> Correlations:
    """The correlations of column j of `X` with column j of `Y` (both n x p, NaN for missing).

    Spearman's is Pearson's of the ranks, equal values sharing their mean rank. Its p-value takes
    r sqrt((n - 2) / (1 - r²)) as Student's t with n - 2 degrees of freedom, as
    `scipy.stats.spearmanr` does; its interval takes artanh r as normal with the variance
    (1 + r²/2) / (n - 3) (Bonett & Wright 2000, Psychometrika 65:23).

    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [np.nan]])
    >>> found = paired_correlations(X, np.array([[1.0], [3.0], [2.0], [9.0], [5.0]]))
    >>> found.n.tolist(), found.spearman.round(6).tolist(), found.pearson.round(4).tolist()
    ([4], [0.8], [0.8262])
    """
    if X.shape != Y.shape:
        raise ValueError(f"the matrices are of shapes {X.shape} and {Y.shape}")
    parts = list(_blocks(X, Y))
    if not parts:
        none = np.zeros(0)
        return Correlations(np.zeros(0, dtype=np.int64), none, none, none, none, none)
    n, spearman, pearson = (np.concatenate(part) for part in zip(*parts, strict=True))
    low, high = spearman_interval(spearman, n, coverage=coverage)
    return Correlations(n, spearman, pearson, low, high, _p_values(spearman, n))


def spearman_interval(
    r: Floats, n: npt.NDArray[np.int64], *, coverage: float = 0.95
) -> tuple[Floats, Floats]:
    """The interval around each of `r` that holds the true rank correlation as often as
    `coverage` says; NaN for fewer than four rows."""
    from scipy.special import ndtri

    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt((1 + r**2 / 2) / np.where(n > _LEAST, n - 3.0, np.nan))
        reach = ndtri((1 + coverage) / 2) * error
        centre = np.arctanh(r)
        # At r = 1 the transformed value is infinite, and the interval is that one point.
        return np.tanh(centre - reach), np.tanh(centre + reach)


def _blocks(X: Floats, Y: Floats) -> Iterator[tuple[npt.NDArray[np.int64], Floats, Floats]]:
    for start in range(0, X.shape[1], _BLOCK):
        x, y = (np.ascontiguousarray(M[:, start : start + _BLOCK].T) for M in (X, Y))
        both = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
        n = both.sum(1)
        yield n, _pearson(ranked(x)[0], ranked(y)[0], both), _pearson(x, y, both)


def _pearson(x: Floats, y: Floats, both: npt.NDArray[np.bool_]) -> Floats:
    """Of each row of `x` with that of `y`, over the cells where `both` are there."""
    n = np.maximum(both.sum(1), 1)[:, None]

    def centred(values: Floats) -> tuple[Floats, Floats]:
        known = np.where(both, values, 0.0)
        away = np.where(both, known - known.sum(1, keepdims=True) / n, 0.0)
        # Scaled before it is squared, so that nothing over- or underflows.
        largest = np.abs(away).max(1, initial=0.0, keepdims=True)
        scale = np.where(largest > 0, largest, 1.0)
        # What rounding leaves of equal values is no variation.
        varies = largest > 1e-13 * np.abs(known).max(1, initial=0.0, keepdims=True)
        return np.where(varies, away / scale, 0.0), varies[:, 0]

    (a, a_varies), (b, b_varies) = centred(x), centred(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    usable = (both.sum(1) >= _LEAST) & (a_varies > 0) & (b_varies > 0)
    return np.where(usable, np.clip(r, -1.0, 1.0), np.nan)


def _p_values(r: Floats, n: npt.NDArray[np.int64]) -> Floats:
    from scipy.special import stdtr

    freedom = np.where(n >= _LEAST, n - 2.0, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = r * np.sqrt(freedom / ((1 - r) * (1 + r)))
        return np.asarray(2 * stdtr(freedom, -np.abs(t)))
