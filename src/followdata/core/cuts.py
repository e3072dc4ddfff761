"""Columns cut in two by the order of their values, and how unlike the classes on the two sides are.

Only the order within a column counts, so any increasing change of scale leaves all of it as it is.
A missing value lies on neither side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]

_WORKING = 2**18
"""So many counts are looked at together: they stay in the processor's cache."""


@dataclass(frozen=True)
class Ranked:
    """The columns of a table by the order of their values.

    `ranks` (n x p) numbers the distinct values of each column from 1, the lowest; 0 is missing.
    `ascending` (n x p) holds the same, each column sorted, the missing ones last.
    """

    ranks: npt.NDArray[np.int32]
    ascending: npt.NDArray[np.int32]

    @classmethod
    def of(cls, X: Floats) -> Ranked:
        """The ranks of `X`, n x p with NaN for missing values."""
        order = np.argsort(X, axis=0, kind="stable")
        ordered = np.take_along_axis(X, order, axis=0)
        steps = np.ones(X.shape, dtype=np.int32)
        steps[1:] = ordered[1:] != ordered[:-1]
        ascending = np.where(np.isnan(ordered), 0, np.cumsum(steps, axis=0, dtype=np.int32))
        ranks = np.empty_like(ascending)
        np.put_along_axis(ranks, order, ascending, axis=0)
        return cls(ranks, ascending)

    @property
    def observed(self) -> Bools:
        """Where there is a value: n x p."""
        return self.ranks > 0

    @property
    def distinct(self) -> npt.NDArray[np.int32]:
        """How many different values each column has (p)."""
        return np.asarray(self.ranks.max(axis=0, initial=0))

    def by_content(self) -> Ints:
        """An order of the columns that depends on what they hold, not on where they stand."""
        keys = np.ascontiguousarray(self.ranks.T, dtype=">i4")
        return np.argsort(keys.view(f"V{4 * keys.shape[1]}").ravel(), kind="stable")

    def taken(self, columns: Ints) -> Ranked:
        """These columns, in this order."""
        return Ranked(
            np.ascontiguousarray(self.ranks[:, columns]),
            np.ascontiguousarray(self.ascending[:, columns]),
        )

    def below(self, share: float) -> Bools:
        """Which values are among the lowest `share` of their column: n x p.

        Equal values stay together, and as far as a column varies, some are not below.

        >>> Ranked.of(np.array([[3.0], [1.0], [1.0], [np.nan], [2.0]])).below(0.2).ravel().tolist()
        [False, True, True, False, False]
        """
        number = (self.ascending > 0).sum(axis=0)
        at = np.clip((share * number).astype(np.intp), 0, np.maximum(number - 1, 0))
        cut = np.take_along_axis(self.ascending, at[None, :], axis=0)[0]
        cut = np.minimum(cut, self.distinct - 1)
        return np.asarray(self.observed & (self.ranks <= cut))


def chi_squares(members: Singles, below: Singles, observed: Singles | None = None) -> Singles:
    """Pearson's chi-squared of class by side, for each of m sets of rows and each column: m x p.

    `members` (m x c x n) is 1 where a row belongs to the set and to the class, else 0; `below` and
    `observed` (n x p) are 1 for the values below the cut and for those that are not missing (all by
    default). A column is judged by the rows of a set in which it has a value; the result is 0 where
    they all lie on one side or are of one class.

    >>> members = np.array([[[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]], dtype=np.float32)
    >>> below = np.array([[1], [1], [1], [1], [0], [0]], dtype=np.float32)
    >>> chi_squares(members, below).round(5).tolist()
    [[3.0]]
    """
    sets, classes, rows = members.shape
    flat = members.reshape(-1, rows)
    found = np.empty((sets, below.shape[1]), dtype=np.float32)
    step = max(32, _WORKING // max(1, len(flat)))
    sizes = members.sum(axis=2)[:, :, None]
    for start in range(0, below.shape[1], step):
        block = slice(start, start + step)
        counts = (flat @ below[:, block]).reshape(sets, classes, -1)
        if observed is not None:
            sizes = (flat @ observed[:, block]).reshape(sets, classes, -1)
        found[:, block] = _chi_square(counts, sizes)
    return found


def _chi_square(counts: Singles, sizes: Singles) -> Singles:
    """The statistic from what lies below of each class and what there is of it (m x c x p)."""
    below, whole = counts.sum(axis=1), sizes.sum(axis=1)
    np.multiply(counts, counts, out=counts)
    np.divide(counts, np.maximum(sizes, 1), out=counts)
    away = counts.sum(axis=1)
    share = below / np.maximum(whole, 1)
    away -= below * share
    spread = share * (1 - share)
    return np.asarray(np.divide(away, spread, out=np.zeros_like(away), where=spread > 0))
