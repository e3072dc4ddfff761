"""How alike two rows are: their scores in all columns, and their sizes.

    D_ik = mean over shared columns of (e_ij - e_kj)^2 + (s_i - s_k)^2
    similarity = 1 - D_ik / (what D is for two rows at random)

e are scores with what size explains removed (`followdata.core.expectation`) and s the normal
score of size, so that size, which speaks from hundreds of columns, counts once and as much as all
the rest. Columns that say the same thing share their weight. A similarity of 1 means the same in
everything, 0 as little alike as two at random, and below 0 less than that.

Tables are n x p; NaN is missing, and a pair is compared over the columns that both have.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

LEAST_SHARED = 5.0
"""Rows that share columns of less weight than this many are not compared."""


def similarities(
    scores: Floats, weights: Floats, places: Floats, rows: Ints | None = None
) -> Floats:
    """The similarity of each of `rows` (all by default) to every row (len(rows) x n).

    `weights` (p) says what each column counts, `places` (n) are the normal scores of size, NaN or
    all equal where there is none. NaN between rows that share too little, and of a row to itself.

    >>> scores = np.array([[1.0, -1.0] * 5, [1.0, -1.0] * 5, [-1.0, 1.0] * 5])
    >>> similarities(scores, np.ones(10), np.zeros(3)).round(2).tolist()[0]
    [nan, 1.0, -1.25]
    """
    known = np.isfinite(scores)
    filled = np.where(known, scores, 0.0)
    mask = known.astype(float)
    chosen = np.arange(len(scores)) if rows is None else rows
    left, there = filled[chosen] * weights, mask[chosen] * weights
    shared = there @ mask.T
    apart = (left * filled[chosen]) @ mask.T + there @ (filled**2).T - 2 * left @ filled.T
    by_chance = (there * 2 * _variance(filled, mask)) @ mask.T
    there_is = np.isfinite(places)
    size = np.where(there_is, places, places[there_is].mean() if there_is.any() else 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = apart / shared + (size[chosen][:, None] - size) ** 2
        found = 1 - away / (by_chance / shared + 2 * size.var())
    found[np.arange(len(chosen)), chosen] = np.nan
    return np.where((shared >= LEAST_SHARED) & np.isfinite(found), found, np.nan)


def nearest(similarity: Floats, most: int) -> Ints:
    """The columns of the `most` highest similarities of each row, the highest first; -1 pads."""
    away = np.where(np.isfinite(similarity), -similarity, np.inf)
    found = np.full((len(away), min(most, away.shape[1])), -1, dtype=np.intp)
    if not found.size:
        return found
    # What is as near as the last of them is sorted, not all.
    limit = np.partition(away, found.shape[1] - 1, axis=1)[:, found.shape[1] - 1]
    for row, (distances, last) in enumerate(zip(away, limit, strict=True)):
        near = np.flatnonzero((distances <= last) & np.isfinite(distances))
        near = near[np.argsort(distances[near], kind="stable")][: found.shape[1]]
        found[row, : len(near)] = near
    return found


def _variance(filled: Floats, mask: Floats) -> Floats:
    count = np.maximum(mask.sum(0), 1)
    return np.asarray(np.maximum((filled**2).sum(0) / count - (filled.sum(0) / count) ** 2, 0))
