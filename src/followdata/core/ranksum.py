"""The Wilcoxon rank-sum test of every column for every group of rows, one group against the rest.

Each column is ranked once; what the test needs of a group is then its sum of ranks, and those of
all groups and columns are one matrix product. With strata (donors, batches) the ranks are those
within a stratum, and the strata are combined as van Elteren did (1960, "On the combination of
independent two sample tests of Wilcoxon"), so that a difference between strata counts for nothing.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 256
"""So many columns are ranked at a time: what they need stays in the processor's cache."""


class RankSums(NamedTuple):
    """For each group and column (g x p): the standardised rank sum, and its two-sided p-value.

    `z` is above 0 where the group ranks higher than the rest. Both are NaN where the group or the
    rest has no value.
    """

    z: Floats
    p: Floats


class _Part(NamedTuple):
    """Of one stratum, or of several added up: how far the rank sums are from what chance gives,
    their variance, and the weight of the stratum (0 where it cannot compare)."""

    away: Floats
    variance: Floats
    weight: Floats


def rank_sums(
    X: Floats,
    members: Bools,
    *,
    strata: npt.NDArray[np.intp] | None = None,
    executor: Executor | None = None,
) -> RankSums:
    """Compare each group with all other rows, in every column.

    `X` is n x p, `members` g x n; groups may overlap. NaN is missing and left out. `strata` numbers
    the stratum of each row. Blocks of columns are handed to `executor`, if there is one; threads
    do well.

    Without strata, the p-values are those of `scipy.stats.mannwhitneyu` with
    `method="asymptotic"` and `use_continuity=True`: equal values share their mean rank, the
    variance is corrected for ties, and U is brought nearer to its expectation by a half. With
    strata, what is tested is the sum of U - E(U) over the strata, each divided by its number of
    values plus one, brought nearer to 0 by half the largest of these weights.

    >>> X = np.array([[1.0], [2.0], [3.0], [9.0]])
    >>> rank_sums(X, np.array([[False, False, True, True]])).p.round(4).tolist()
    [[0.2453]]
    """
    strata = np.zeros(len(X), dtype=np.intp) if strata is None else strata
    rows = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    groups = [members[:, within].astype(np.float64) for within in rows]

    def block(start: int) -> _Part:
        columns = X[:, start : start + _BLOCK]
        parts = [_stratum(columns[within], g) for within, g in zip(rows, groups, strict=True)]
        away, variance, weight = (np.stack(values) for values in zip(*parts, strict=True))
        return _Part(away.sum(0), variance.sum(0), weight.max(0))

    starts = range(0, X.shape[1], _BLOCK)
    blocks = list(executor.map(block, starts) if executor else map(block, starts))
    if not blocks or not rows:
        empty = np.full((len(members), X.shape[1]), np.nan)
        return RankSums(empty, empty)
    return _tested(_Part(*(np.concatenate(b, axis=1) for b in zip(*blocks, strict=True))))


def _tested(part: _Part) -> RankSums:
    """The p-values; they are 1 where all values are the same."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        size = (np.abs(part.away) - part.weight / 2) / np.sqrt(part.variance)
        p = np.where(part.weight > 0, np.clip(2 * ndtr(-size), 0.0, 1.0), np.nan)
    # Nearer to the expectation than the correction is: no sign can be told.
    z = np.where(part.weight > 0, np.sign(part.away) * np.maximum(size, 0.0), np.nan)
    return RankSums(z, p)


def _stratum(X: Floats, groups: Floats) -> _Part:
    """The columns `X` (n x b) of one stratum, for `groups` (g x n) of its rows."""
    columns = np.ascontiguousarray(X.T)
    ranks, ties = ranked(columns)
    observed = ~np.isnan(columns)
    n, n1 = float(len(X)), groups.sum(1)[:, None]
    if not observed.all():
        ranks[~observed] = 0.0
        n, n1 = observed.sum(1).astype(np.float64), groups @ observed.T
    n2 = n - n1
    weight = np.broadcast_to(
        np.where((n1 > 0) & (n2 > 0), 1 / (n + 1), 0.0), (len(groups), len(ties))
    )
    # U - E(U): the rank sum less the one that chance gives, n1 (n + 1) / 2.
    away = groups @ ranks.T - n1 * (n + 1) / 2
    variance = n1 * n2 / 12 * ((n + 1) - ties / np.maximum(n * (n - 1), 1))
    return _Part(weight * away, weight**2 * variance, weight)


def ranked(columns: Floats) -> tuple[Floats, Floats]:
    """The mean ranks within each of `columns` (b x n) from 1, the lowest, the missing values last;
    and for each, the sum of t^3 - t over the values that t rows share."""
    b, n = columns.shape
    begin = np.arange(b) * n
    order = columns.argsort(axis=1)
    order += begin[:, None]
    ascending = columns.ravel()[order]
    first = np.ones((b, n), dtype=bool)  # a missing value is equal to nothing
    np.not_equal(ascending[:, 1:], ascending[:, :-1], out=first[:, 1:])
    starts = np.flatnonzero(first)
    length = np.diff(starts, append=b * n)
    shared = length.astype(np.float64)
    # Ranks as if all columns were one, then of each from its own beginning.
    ranks = np.empty(b * n)
    ranks[order.ravel()] = np.repeat(starts + (shared + 1) / 2, length)
    ties = np.add.reduceat(shared * (shared * shared - 1), np.searchsorted(starts, begin))
    return ranks.reshape(b, n) - begin[:, None], ties
