"""What is typical of the rows of a table, learnt once: what their size lets expect, how much they
differ, which columns say the same, and which rows are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.chance import chance_variance, relative_smallness
from followdata.core.expectation import LEAST_SPREAD, expectation, no_further
from followdata.core.likeness import nearest, similarities
from followdata.core.normal import normal_scores
from followdata.core.twins import Twins, find_twins
from followdata.data import TableData

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]

PEERS = 10
"""How many of the most similar rows a row is compared with."""
FEWEST_OTHERS = 5
"""With fewer others there is no telling what is typical of them."""
_TOGETHER = 1_000


@dataclass(frozen=True)
class Typical:
    """What is typical of n rows in p columns, on the scale of normal scores.

    n x p: `expected` of a row of its size, the `spread` of what that leaves open, and the
    `scores`, how far out each row is; `among_group` and `among_peers`, how far out it is among
    its group, and among its peers; NaN where a value is missing. `chance` (p): the variance that
    chance may give at the median size. `smallness` (n): the median size over a row's; NaN without
    one. `places` (n): the sizes' normal scores. `first`, `second`, `correlation`: the pairs of
    twin columns. `peers` (n x 10): the most similar rows, -1 where there are no more.
    """

    expected: Singles
    spread: Singles
    scores: Singles
    among_group: Singles
    among_peers: Singles
    chance: Floats
    smallness: Floats
    places: Floats
    first: Ints
    second: Ints
    correlation: Floats
    peers: Ints

    @property
    def twins(self) -> Twins:
        return Twins(self.first, self.second, self.correlation)

    @property
    def sized(self) -> bool:
        """Whether there are sizes that anything can be expected of."""
        return bool(np.ptp(self.places[np.isfinite(self.places)]) > 0)

    @property
    def weights(self) -> Floats:
        """What each column counts when rows are compared."""
        return self.twins.weights(len(self.chance))


def fit_typical(data: TableData) -> Typical:
    """Everything in `Typical`, from all values that are there."""
    X, index = data.matrix(), data.names("var")
    size = X[:, index.position(data.about.size)] if data.about.size in index.names else None
    found = expectation(X, size)
    sizes = np.full(len(X), np.nan) if size is None else size
    twins, smallness = find_twins(X), relative_smallness(sizes)
    places = np.zeros(len(X)) if not found.sized else normal_scores(sizes[:, None])[:, 0]
    peers = _peers(found.scores, twins.weights(X.shape[1]), places)
    return Typical(
        found.expected.astype(np.float32),
        found.spread.astype(np.float32),
        found.scores.astype(np.float32),
        _far_from(found.scores, _middles_of_groups(found.scores, _groups(data))),
        _far_from(found.scores, _middles_of_peers(found.scores, peers)),
        chance_variance(found.normal - found.expected, found.spread, smallness),
        smallness,
        places,
        twins.first,
        twins.second,
        twins.correlation,
        peers,
    )


def _peers(scores: Floats, weights: Floats, places: Floats) -> Ints:
    """The most similar rows of each row; some rows at a time, for all pairs are many."""
    if not len(scores):
        return np.empty((0, PEERS), dtype=np.intp)
    parts = np.array_split(np.arange(len(scores)), -(-len(scores) // _TOGETHER))
    found = [nearest(similarities(scores, weights, places, part), PEERS) for part in parts]
    return np.concatenate(found)


def group_of(data: TableData, row: int) -> list[int]:
    """The other rows of a row's group under the data's main label."""
    groups = _groups(data)
    if not groups[row]:
        return []
    return [other for other, group in enumerate(groups) if group == groups[row] and other != row]


def middle(scores: Floats | Singles, others: Sequence[int]) -> Floats:
    """The median of some rows' scores in each column; NaN where fewer than five have one."""
    part = np.sort(scores[list(others)], axis=0)  # missing values last
    count = np.isfinite(part).sum(0)
    at = np.clip(np.stack([(count - 1) // 2, count // 2]), 0, max(0, len(part) - 1))
    if not len(part):
        return np.full(scores.shape[1], np.nan)
    return np.where(count >= FEWEST_OTHERS, np.take_along_axis(part, at, axis=0).mean(0), np.nan)


def _groups(data: TableData) -> list[str]:
    """The group of each row under the data's main label, "" for none."""
    labels = data.labels("obs").get(data.about.label)
    return [""] * len(data.names("obs")) if labels is None else labels.tolist()


def _middles_of_groups(scores: Floats, groups: Sequence[str]) -> Floats:
    """For each row and column, the median of the others in its group (n x p)."""
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    found = np.full(scores.shape, np.nan)
    for group, members in rows.items():
        if group and len(members) > FEWEST_OTHERS:
            found[members] = middles_of_others(scores[members])
    return found


def _middles_of_peers(scores: Floats, peers: Ints) -> Floats:
    """For each row and column, the median of its peers (n x p)."""
    found = np.full(scores.shape, np.nan)
    for row, company in enumerate(peers):
        others = company[company >= 0].tolist()
        if len(others) >= FEWEST_OTHERS:
            found[row] = middle(scores, others)
    return found


def middles_of_others(part: Floats) -> Floats:
    """For each row and column, the median of the other rows' values (m x p), by one sort; NaN where
    fewer than five have one.

    >>> middles_of_others(np.arange(6.0)[:, None]).ravel().tolist()
    [3.0, 3.0, 3.0, 2.0, 2.0, 2.0]
    """
    order = np.argsort(part, axis=0, kind="stable")  # missing values last
    values = np.take_along_axis(part, order, axis=0)
    place = np.argsort(order, axis=0, kind="stable")
    known = np.isfinite(part)
    others = known.sum(0) - known
    found = np.zeros(part.shape)
    for at in ((others - 1) // 2, others // 2):
        # Without the row itself, those behind it move up by one.
        at = np.clip(at + (at >= place), 0, len(part) - 1)
        found += np.take_along_axis(values, at, axis=0) / 2
    return np.where(others >= FEWEST_OTHERS, found, np.nan)


def _far_from(scores: Floats, middles: Floats) -> Singles:
    """How far out each row's scores are from the middle of some others', as scores again.

    They are measured by how far all rows are from the middle of their others.
    """
    away = scores - middles
    known = np.isfinite(away)
    mean_square = (np.where(known, away, 0.0) ** 2).sum(0) / np.maximum(known.sum(0), 1)
    return no_further(away / np.maximum(np.sqrt(mean_square), LEAST_SPREAD)).astype(np.float32)
