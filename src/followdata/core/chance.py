"""How firm a rank is, where small rows owe more of their value to chance than large ones.

The mean of a small town's few pupils wavers more from year to year than that of a large town's
many, as 1 / size. So the spread of a column's residuals is taken apart,

    variance_ij = real_j + chance_j * q_i,    q_i = median size / size_i,

as a funnel plot does by eye (Spiegelhalter 2005, "Funnel plots for comparing institutional
performance", Stat. Med. 24:1185). Chance then makes two rows change places unless they are far
enough apart, which gives each rank an interval (Mogstad, Romano, Shaikh & Wilhelm 2024,
"Inference for ranks", Rev. Econ. Stud. 91:476, for a single row).

All is on the scale of normal scores. Tables are n x p; NaN is missing and stays NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
"""How often, at least, an interval is to hold the rank that a row has without chance.

It does where sizes go down to an eighth of the median, and are as uneven as those of towns.
"""
_QUANTILE = 1.96
"""Two rows are told apart with 95 % certainty, which leaves room for what is estimated."""
_MOST_AWAY = 3.0
_ERRORS_ADDED = 0.5


def relative_smallness(size: Floats) -> Floats:
    """The median size over each size (n); NaN where a size is missing or not above 0."""
    known = np.where(size > 0, size, np.nan)
    middle = np.nanmedian(known) if np.isfinite(known).any() else np.nan
    return np.asarray(middle / known)


def chance_variance(residual: Floats, spread: Floats, smallness: Floats) -> Floats:
    """The variance that chance may give each column at the median size (p).

    `residual` and `spread` are n x p, as `followdata.core.expectation` finds them. By weighted
    least squares on squared residuals, cut off at three times the spread, neither part below 0.
    Chance that is not seen may be there, so half a standard error is added: with it the
    intervals of `rank_intervals` hold what they should at any mixture of real and chance.
    """
    known = np.isfinite(residual) & np.isfinite(smallness)[:, None]
    weights = np.where(known, spread, 1.0) ** -4.0 * known
    away = np.minimum(np.abs(np.where(known, residual, 0.0)), _MOST_AWAY * spread) ** 2
    away = np.where(known, away, 0.0)
    q = np.where(np.isfinite(smallness), smallness, 0.0)[:, None]
    s0, s1, s2 = ((weights * q**power).sum(0) for power in (0, 1, 2))
    t0, t1 = ((weights * q**power * away).sum(0) for power in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = (s0 * t1 - s1 * t0) / (s0 * s2 - s1**2)
        real = (s2 * t0 - s1 * t1) / (s0 * s2 - s1**2)
        chance = np.maximum(np.where(real < 0, t1 / s2, chance), 0.0)
        # A squared normal residual has the variance 2 spread^4.
        chance = chance + _ERRORS_ADDED * np.sqrt(2 * s0 / (s0 * s2 - s1**2))
    return np.where(np.isfinite(chance), chance, 0.0)


def rank_intervals(normal: Floats, deviation: Floats, row: int) -> tuple[Floats, Floats]:
    """The highest and the lowest rank that `row` may have in each column (two of length p).

    `normal` and `deviation`, the standard deviation of chance, are n x p. Rank 1 is the highest.
    Another row surely stands before it if it lies further above than chance explains, so where
    there is no chance the interval spans only rows with an equal value.

    >>> values = np.array([[3.0], [2.0], [1.0], [-5.0]])
    >>> low, high = rank_intervals(values, np.full((4, 1), 0.5), 1)
    >>> low.tolist(), high.tolist()
    ([1.0], [3.0])
    """
    apart = normal - normal[row]
    by_chance = _QUANTILE * np.hypot(deviation, deviation[row])
    known = np.isfinite(apart)
    above = (known & (apart > by_chance)).sum(0)
    below = (known & (apart < -by_chance)).sum(0)
    missing = ~np.isfinite(normal[row])
    return (
        np.where(missing, np.nan, 1.0 + above),
        np.where(missing, np.nan, known.sum(0) - below),
    )
