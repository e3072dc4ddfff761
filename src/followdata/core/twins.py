"""Columns that say the same thing: rank correlations of all pairs, each over the rows it shares.

A pair's rank correlation is Spearman's over the rows in which both have a value, ranked among
those rows alone. To rank every pair anew would take a minute for 1,800 columns; so all pairs are
first screened by correlating the ranks within whole columns, by matrix products, and only those
that come near are done exactly.

Tables are n x p, one column a measure; NaN is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from followdata.core.scores import ranks

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]

SAME = 0.9
"""Columns whose rank correlation is beyond this, either way, are twins."""
LEAST_SHARED = 30
"""Pairs with fewer rows in common are nobody's twins: they could be so by chance."""
_MARGIN, _WIDE_MARGIN = 0.1, 0.3
"""How far the screening may be off, for pairs that share most of their rows and for others."""
_MOST = 0.8
_AT_ONCE = 2000
_PAIRS = 8_000_000
"""Pairs screened at once: some seven numbers each, so that a table of 30,000 columns fits too."""


class Twins(NamedTuple):
    """Pairs of columns that say the same thing, `first` < `second`, and their rank correlation."""

    first: Ints
    second: Ints
    correlation: Floats

    def of(self, column: int) -> dict[int, float]:
        """The twins of a column with their correlations, the closest first."""
        pairs = [*np.flatnonzero(self.first == column), *np.flatnonzero(self.second == column)]
        found = {
            int(self.first[pair] + self.second[pair] - column): float(self.correlation[pair])
            for pair in pairs
        }
        return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))

    def weights(self, columns: int) -> Floats:
        """What each column counts, so that twins together count about as much as one."""
        both = np.concatenate([self.first, self.second])
        return np.asarray(1 / (1 + np.bincount(both, minlength=columns)))


class Folded(NamedTuple):
    """A column, and those of its twins that are told with it, with their correlations."""

    column: int
    twins: dict[int, float]


def fold(order: Iterable[int], twins: Twins, most: int) -> list[Folded]:
    """The first columns of `order` no two of which are twins, each with the twins it stands for.

    A twin that is not in `order` is told too.
    """
    shown: list[Folded] = []
    told: set[int] = set()
    for column in order:
        if column in told:
            continue
        mine = {twin: r for twin, r in twins.of(column).items() if twin not in told}
        told |= {column, *mine}
        shown.append(Folded(column, mine))
        if len(shown) == most:
            break
    return shown


def find_twins(X: Floats) -> Twins:
    """All pairs of columns whose rank correlation is beyond `SAME` either way.

    >>> rising = np.arange(40.0)
    >>> find_twins(np.stack([rising, np.sin(rising), -(rising**3)], axis=1)).correlation.tolist()
    [-1.0]
    """
    first, second = _candidates(X)
    exact = np.empty(len(first))
    for start in range(0, len(first), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        exact[some] = rank_correlations(X[:, first[some]], X[:, second[some]])
    same = np.abs(exact) > SAME
    return Twins(first[same], second[same], exact[same])


def rank_correlations(A: Floats, B: Floats) -> Floats:
    """Spearman's rank correlation of each column of `A` with the same column of `B` (p).

    Over the rows where both have a value; NaN where one of them does not vary in those.
    """
    both = np.isfinite(A) & np.isfinite(B)
    a, b = (_centred(ranks(np.where(both, values, np.nan))) for values in (A, B))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (a * b).sum(0) / np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return np.asarray(np.clip(found, -1, 1))


def _candidates(X: Floats) -> tuple[Ints, Ints]:
    """Pairs that share enough rows and whose ranks in the whole columns go together well."""
    known = np.isfinite(X)
    mask = known.astype(np.float32)
    placed = _centred(ranks(X))
    scale = np.sqrt((placed**2).sum(0))
    scaled = (placed / np.where(scale > 0, scale, 1.0)).astype(np.float32)
    at_once = max(1, _PAIRS // max(1, X.shape[1]))
    found = [
        _near(mask, scaled, slice(start, start + at_once))
        for start in range(0, max(1, X.shape[1]), at_once)
    ]
    first, second = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second


def _near(mask: Floats32, placed: Floats32, some: slice) -> tuple[Ints, Ints]:
    """The candidates of which the first is one of `some` columns.

    `mask` is 1 where a value is known, `placed` the ranks, centred and scaled (n x p each).
    """
    begun, count = some.start, mask.sum(0)
    mine, own = placed[:, some], mask[:, some]
    shared, product = own.T @ mask, mine.T @ placed
    sums, squares = mine.T @ mask, (mine**2).T @ mask
    other_sums, other_squares = own.T @ placed, own.T @ placed**2
    pair = np.nonzero(np.triu(shared >= LEAST_SHARED, 1 + begun))
    first, second = pair[0] + begun, pair[1]
    shared = shared[pair]
    product = product[pair] - sums[pair] * other_sums[pair] / shared
    square = (squares[pair] - sums[pair] ** 2 / shared) * (
        other_squares[pair] - other_sums[pair] ** 2 / shared
    )
    most = shared < _MOST * np.maximum(count[first], count[second])
    least = SAME - np.where(most, _WIDE_MARGIN, _MARGIN)
    # Of two rounded squares that should be 0 one may come out below.
    near = np.abs(product) > least * np.sqrt(np.maximum(square, 0))
    return first[near], second[near]


def _centred(placed: Floats) -> Floats:
    """Ranks less their mean, 0 where they are missing."""
    known = np.isfinite(placed)
    mean = np.where(known, placed, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known, placed - mean, 0.0)
