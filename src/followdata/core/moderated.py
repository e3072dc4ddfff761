"""Moderated t-tests of one group of rows against the rest, in many columns at once (limma).

With few rows a column's own variance is a poor guess. All columns together say what variances are
like; each column's guess is drawn towards that, the more the fewer its degrees of freedom (Smyth
2004, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments", SAGMB 3:3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_LEAST_VARIANCE = 1e-5
"""A variance below this part of the median one is taken for it, as in limma: 0 has no log."""


class Moderated(NamedTuple):
    """For each group and column (g x p): the effect, its t and its two-sided p-value.

    NaN where there are too few values.
    """

    effect: Floats
    t: Floats
    p: Floats


class Prior(NamedTuple):
    """What variances are like: `variance`, with the weight of `df` degrees of freedom."""

    variance: float
    df: float


def moderated_t(
    X: Floats, members: Bools, *, strata: npt.NDArray[np.intp] | None = None
) -> Moderated:
    """Compare each group with all other rows, in every column.

    `X` is n x p with NaN for missing values, `members` g x n. The linear model has a level for each
    stratum (donor) and a step for the group, with one variance for both: without strata the effect
    is the difference of means, and with variances that are not drawn together this is Student's
    t-test.

    >>> X = np.array([[1.0, 5.0], [2.0, 1.0], [3.0, 4.0], [4.0, 9.0]])
    >>> moderated_t(X, np.array([[False, False, True, True]])).effect.tolist()
    [[2.0, 3.5]]
    """
    effect, variance, df, scale = _least_squares(X, members, strata)
    t, p = np.full_like(effect, np.nan), np.full_like(effect, np.nan)
    for group in range(len(members)):
        kept = (df[group] > 0) & (scale[group] > 0)
        if not kept.any():
            continue
        prior = prior_variance(variance[group, kept], df[group, kept])
        t[group, kept], p[group, kept] = _tested(
            effect[group, kept], variance[group, kept], df[group, kept], scale[group, kept], prior
        )
    return Moderated(effect, t, p)


def prior_variance(variance: Floats, df: Floats) -> Prior:
    """The scaled F distribution that fits the columns' variances, by the moments of their logs.

    `variance` and `df` hold one entry a column. The degrees of freedom are infinite where the
    variances differ no more than by chance (Smyth 2004, section 6.2). A single column tells
    nothing: it keeps its own variance.
    """
    from scipy.special import digamma, polygamma

    if len(variance) < 2 or not (variance > 0).any():
        return Prior(0.0, 0.0)
    least = _LEAST_VARIANCE * float(np.median(variance)) or _LEAST_VARIANCE * variance.max()
    log = np.log(np.maximum(variance, least)) - digamma(df / 2) + np.log(df / 2)
    spread = float(log.var(ddof=1) - polygamma(1, df / 2).mean())
    if spread <= 0:
        return Prior(float(np.exp(log.mean())), np.inf)
    d0 = 2 * inverse_trigamma(spread)
    return Prior(float(np.exp(log.mean() + digamma(d0 / 2) - np.log(d0 / 2))), d0)


def inverse_trigamma(y: float) -> float:
    """The x with trigamma(x) = y > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix).

    >>> round(inverse_trigamma(1.6449340668482264), 9)  # trigamma(1) is pi^2 / 6
    1.0
    """
    from scipy.special import polygamma

    if y > 1e7:
        return float(1 / np.sqrt(y))
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / y) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-12:
            break
    return x


def _tested(
    effect: Floats, variance: Floats, df: Floats, scale: Floats, prior: Prior
) -> tuple[Floats, Floats]:
    from scipy.special import stdtr

    if np.isinf(prior.df):
        drawn = np.full_like(variance, prior.variance)
        freedom = np.full_like(df, df.sum())
    else:
        drawn = (prior.df * prior.variance + df * variance) / (prior.df + df)
        # No more than all columns hold together, as limma has it.
        freedom = np.minimum(prior.df + df, df.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        t = effect / np.sqrt(drawn / scale)
    t = np.where(effect == 0, 0.0, t)
    return t, 2 * stdtr(freedom, -np.abs(t))


def _least_squares(
    X: Floats, members: Bools, strata: npt.NDArray[np.intp] | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Effect, residual variance, its degrees of freedom, and the sum of squares of the group's
    indicator about its stratum means, whose inverse the effect's variance is a multiple of."""
    strata = np.zeros(len(X), dtype=np.intp) if strata is None else strata
    observed = ~np.isnan(X)
    count = observed.sum(0)
    # Centred first, so that sums of squares lose no digits.
    centre = np.where(observed, X, 0.0).sum(0) / np.maximum(count, 1)
    Y = np.where(observed, X - centre, 0.0)
    shape = (len(members), X.shape[1])
    xx, xy = np.zeros(shape), np.zeros(shape)
    yy, used = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for stratum in np.unique(strata):
        rows = strata == stratum
        group, here = members[:, rows].astype(np.float64), observed[rows].astype(np.float64)
        n, total = here.sum(0), Y[rows].sum(0)
        mean = total / np.maximum(n, 1)
        inside = group @ here
        xx += inside - inside**2 / np.maximum(n, 1)
        xy += group @ Y[rows] - inside * mean
        yy += (Y[rows] ** 2).sum(0) - total * mean
        used += n > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(xx > 0, xy / xx, np.nan)
        df = np.broadcast_to(count - used - 1, shape).astype(np.float64)
        variance = np.where(df > 0, np.maximum(yy - effect * xy, 0.0) / df, np.nan)
    return effect, variance, df, xx
