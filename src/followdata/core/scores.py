"""How unusual values are within their columns: robust z-scores and ranks.

Tables are n x p, one column a measure; NaN is missing, is ignored, and stays NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAD_TO_SD = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""
MEAN_AD_TO_SD = 1.253314
"""The same over its mean absolute deviation, the square root of pi / 2."""


class Centre(NamedTuple):
    """The middle and the spread of each column (length p), in the column's own units."""

    median: Floats
    spread: Floats


def robust_centre(X: Floats) -> Centre:
    """The median of each column and a robust standard deviation around it.

    The spread is the median absolute deviation (MAD) times 1.4826. Where the MAD is 0, because
    more than half of the values are the same, it is the mean absolute deviation from the median
    times 1.2533 (Iglewicz & Hoaglin 1993, "How to detect and handle outliers"). It is NaN for a
    column that does not vary or is empty.

    >>> robust_centre(np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [9.0, 3.0]]))
    Centre(median=array([3., 0.]), spread=array([2.2239   , 0.9399855]))
    """
    median = _over_rows(np.nanmedian, X)
    away = np.abs(X - median)
    spread = MAD_TO_SD * _over_rows(np.nanmedian, away)
    mean = MEAN_AD_TO_SD * _over_rows(np.nanmean, away)
    spread = np.where(spread > 0, spread, mean)
    return Centre(median, np.where(spread > 0, spread, np.nan))


def robust_z(X: Floats) -> Floats:
    """Each value's distance from its column's median in robust standard deviations (n x p).

    >>> robust_z(np.array([[1.0], [2.0], [3.0], [np.nan]])).round(3).ravel().tolist()
    [-0.674, 0.0, 0.674, nan]
    """
    median, spread = robust_centre(X)
    return (X - median) / spread


def ranks(X: Floats) -> Floats:
    """Each value's rank in its column (n x p): 1 is the highest, equal values share the average.

    >>> ranks(np.array([[5.0], [7.0], [np.nan], [5.0]])).ravel().tolist()
    [2.5, 1.0, nan, 2.5]
    """
    columns = np.ascontiguousarray(X.T)  # sorting is several times as fast along memory
    order = np.argsort(columns, axis=1)  # missing values last
    ascending = np.take_along_axis(columns, order, axis=1)
    differs = np.ones((len(columns), len(X) + 1), dtype=bool)
    differs[:, 1:-1] = ascending[:, 1:] != ascending[:, :-1]
    place = np.arange(len(X))
    first = np.maximum.accumulate(np.where(differs[:, :-1], place, 0), axis=1)
    last = np.minimum.accumulate(np.where(differs[:, 1:], place, len(X))[:, ::-1], axis=1)[:, ::-1]
    known = np.isfinite(columns)
    places = np.empty(columns.shape)
    count = known.sum(1, keepdims=True)
    np.put_along_axis(places, order, count - (first + last) / 2, axis=1)
    return np.where(known, places, np.nan).T


def percentiles(ranks: Floats, count: Floats) -> Floats:
    """Where a rank among `count` values lies on a scale from 0 (lowest) to 100 (highest).

    The middle of the place a value takes is meant, (count - rank + 1/2) / count (Hazen), so the
    percentiles of a column always average 50.

    >>> percentiles(np.array([1.0, 2.0]), np.array([2.0, 2.0])).tolist()
    [75.0, 25.0]
    """
    return 100 * (count - ranks + 0.5) / count


def rank_correlation(x: Floats, y: Floats) -> tuple[float, int]:
    """Spearman's rank correlation of two measures over the n things that have both, and n.

    Equal values share the average rank. NaN where fewer than three have both or one is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0, np.nan]), np.array([5.0, 7.0, 8.0, 1.0]))
    (1.0, 3)
    """
    known = np.isfinite(x) & np.isfinite(y)
    n = int(known.sum())
    both = ranks(np.column_stack([x[known], y[known]])) - (n + 1) / 2
    squares = (both**2).sum(0)
    if n < 3 or not squares.all():
        return float("nan"), n
    return float(np.clip(both[:, 0] @ both[:, 1] / np.sqrt(squares[0] * squares[1]), -1, 1)), n


def ranks_correlated(y: Floats, X: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """About Spearman's correlation of what has the ranks `y` (n) with each column of those that
    have the ranks `X` (n x p), and over how many rows each.

    The ranks are those within all values, so for a column with gaps it is near to
    `rank_correlation`, which ranks anew the rows that both have, and much quicker.

    >>> X = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [4.0, np.nan]])
    >>> rho, n = ranks_correlated(ranks(X)[:, 0], ranks(X))
    >>> rho.round(3).tolist(), n.tolist()
    ([1.0, -1.0], [4, 3])
    """
    known = np.isfinite(y)
    y, X = y[known] - y[known].mean() if known.any() else y[known], X[known]
    M = np.isfinite(X)
    Z, mask = np.where(M, X, 0.0), M.astype(np.float64)
    n = mask.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x, mean_y = Z.sum(0) / n, y @ mask / n
        covariance = y @ Z / n - mean_x * mean_y
        variance_x = (Z * Z).sum(0) / n - mean_x**2
        variance_y = y**2 @ mask / n - mean_y**2
        # Ranks are halves: what is less than this is rounding.
        varies = (variance_x > 1e-6) & (variance_y > 1e-6) & (n >= 3)
        rho = np.where(varies, covariance / np.sqrt(variance_x * variance_y), np.nan)
    return np.clip(rho, -1, 1), n.astype(np.intp)


def correlation_p(rho: Floats, n: npt.NDArray[np.intp]) -> Floats:
    """The two-sided p-value of rank correlations over n independent rows, by Student's t.

    >>> correlation_p(np.array([0.5, 0.0]), np.array([27, 27])).round(4).tolist()
    [0.0079, 1.0]
    """
    from scipy.special import stdtr

    free = np.maximum(n - 2, 1).astype(np.float64)
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt(free / np.maximum(1 - rho**2, 0))
    return np.asarray(2 * stdtr(free, -t))


def bins(values: Floats, most: int = 30) -> Floats:
    """Edges of at most `most` bins that hold all finite `values`, with round numbers as edges.

    As many bins as Freedman & Diaconis (1981) advise, of the next round width (1, 2 or 5 times a
    power of ten). A single value gets a bin of its own; no value no edge.

    >>> bins(np.array([0.0, 1.2, 1.3, 1.7, 4.1])).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return np.empty(0)
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    middle = float(np.subtract(*np.percentile(known, [75, 25])))
    width = max(2 * middle / len(known) ** (1 / 3), (high - low) / (most - 2))
    scale = 10.0 ** np.floor(np.log10(width))
    step = next(scale * round_ for round_ in (1, 2, 5, 10) if scale * round_ >= width * (1 - 1e-9))
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    edges = step * np.arange(first, max(last, first + 1) + 1)
    # Rounding must not leave the ends out.
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return np.asarray(edges)


def _over_rows(statistic: Callable[..., Any], X: Floats) -> Floats:
    """A NaN-ignoring statistic of each column; NaN, without a warning, for an empty column."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN|Mean of empty", category=RuntimeWarning)
        return np.asarray(statistic(X, axis=0))
