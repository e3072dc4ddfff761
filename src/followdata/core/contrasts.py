"""Each group of rows against all the others: means, their difference, and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Contrasts(NamedTuple):
    """For each group and column (g x p): how many values the group has and the mean of them, the
    difference to the mean of all other rows, and its 95 % interval.

    NaN where the group or the rest has no value, or for the interval, fewer than two.
    """

    number: Floats
    mean: Floats
    effect: Floats
    low: Floats
    high: Floats


def contrasts(X: Floats, members: Bools, rest: Bools | None = None) -> Contrasts:
    """The difference of means of each group and all other rows, with Welch's interval.

    `X` is n x p with NaN for missing values, `members` g x n. `rest`, g x n, are the rows to
    compare with where they are not all the others. Welch's interval (1947, Biometrika 34:28)
    supposes that rows are independent, and allows the two sides different variances.

    >>> result = contrasts(np.array([[1.0], [3.0], [7.0], [9.0]]), np.array([[0, 0, 1, 1]]) > 0)
    >>> result.effect.item(), result.low.round(2).item(), result.high.round(2).item()
    (6.0, -0.08, 12.08)
    """
    from scipy.special import stdtrit

    rest = ~members if rest is None else rest
    observed = ~np.isnan(X)
    centre = np.where(observed, X, 0.0).sum(0) / np.maximum(observed.sum(0), 1)
    Y = np.where(observed, X - centre, 0.0)
    n1, mean1, error1 = _mean(Y, observed, members)
    n2, mean2, error2 = _mean(Y, observed, rest)
    effect = mean1 - mean2
    with np.errstate(divide="ignore", invalid="ignore"):
        error = error1 + error2
        df = error**2 / (error1**2 / (n1 - 1) + error2**2 / (n2 - 1))
        half = np.where(error > 0, stdtrit(df, 0.975) * np.sqrt(error), error)
    return Contrasts(n1, mean1 + centre, effect, effect - half, effect + half)


def _mean(Y: Floats, observed: Bools, members: Bools) -> tuple[Floats, Floats, Floats]:
    """Number, mean, and the mean's squared standard error, NaN where there are too few."""
    group = members.astype(np.float64)
    n = group @ observed
    total, squares = group @ Y, group @ Y**2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(n > 0, total / n, np.nan)
        variance = np.where(n > 1, np.maximum(squares - total * mean, 0.0) / (n - 1), np.nan)
        return n, mean, variance / n
