"""Which columns of a table have to do with a class: all of them, not the fewest that predict it.

The question and the idea of shadows are those of Boruta (Kursa & Rudnicki 2010, "Feature
selection with the Boruta package", J. Stat. Softw. 36(11), https://doi.org/10.18637/jss.v036.i11):
a column is relevant if a forest of randomised trees finds it more important than columns made of
the same values in another order. Where this departs from them, and why:

- Every column is scored at every node of every tree, not only the one that the node is split by.
  With a hundred rows and thousands of columns a forest splits a few hundred times in all, so most
  columns would never be looked at.
- The score is Pearson's chi-squared of class by side of the cut, and all columns of a tree's level
  are cut at the same share of their values. Averaged over cuts, the score at the root is the
  k-sample Anderson-Darling statistic (Scholz & Stephens 1987, J. Am. Stat. Assoc. 82:918); below
  the root it is the same within rows that are alike in the columns split by. A column is as
  important as it is at the depth at which it stands out most, so that one that tells the classes
  apart by itself loses little to depth, and one that does so only together with others is seen.
- Shadows do not take part in splits: they are whole copies of the table with the rows in another
  order (the same for all columns, so that columns are related as they are in truth), scored at the
  nodes that the real columns grew. A column that has nothing to do with class nor with the columns
  split by is then exchangeable with its shadows whatever else is relevant, and a forest is grown
  once.
- Their rule, to beat the best shadow in more rounds than a coin would, asks whether a column of
  *these* rows beats chance again and again. The rows stay the same in all rounds, so a column that
  looks good by chance does so in every round, and the rule finds something in most tables of
  noise. Here the scores of all shadows together say how often chance scores as high, and the
  columns confirmed are those for which the false discovery rate (Benjamini & Hochberg 1995) is at
  most `LEVEL`. Nothing at all is confirmed unless the table stands out from every one of its
  copies. By chance one table of 20 does, however the columns are related: exactly so by the scores
  at the root, and nearly by those below it, whose nodes only the real columns have grown.
- A tree looks for what tells most, so two columns that tell something only together, and neither
  anything by itself, are found only if one of them is split by without reason: seldom, where there
  are many others. A forest of Boruta's has the same blind spot.
- "Tentative" are columns between `LEVEL` and `TENTATIVE` of that rate; no time limit is meant.
- `hits` counts the copies whose best shadow the column beats; it is told, and decides nothing.

A missing value is never filled: it lies on neither side of a cut, so a column is scored by the rows
in which it has a value, and so are its shadows, which have as many. In growing a tree, rows without
a value in the column that a node is split by go to a side by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from followdata.core.cuts import Bools, Floats, Ints, Ranked, Singles, chi_squares

Decision = Literal["confirmed", "tentative", "rejected"]

LEVEL = 0.05
TENTATIVE = 0.2
COPIES = 19
"""The least number of copies for which chance makes the table stand out in one of 20."""
TREES = 60
_LEAST_ROWS = 8
"""A node with fewer rows, or of one class, is not looked at."""
_ROWS_A_NODE = 16
_DEEPEST = 5
_TRIED = 0.2
"""The share of all columns among which a node looks for the one to split by."""


@dataclass(frozen=True)
class Selection:
    """What is known of each of p columns.

    `importance` is in standard deviations of all shadows, about their mean; `chance` how many of
    a copy's shadows are at least as important, on average over the copies and the column itself;
    `q` the least false discovery rate at which the column would be confirmed; `hits` in how many
    of the copies it is more important than every shadow. NaN, and no hits, stand for a column that
    does not vary. `best_shadows` holds the importance of the best shadow of each copy.
    `stands_out` says whether the table differs from all of its copies.
    """

    importance: Floats
    chance: Floats
    q: Floats
    hits: npt.NDArray[np.int64]
    best_shadows: Floats
    stands_out: bool

    @property
    def confirmed(self) -> Bools:
        """Which columns are confirmed (p)."""
        return np.asarray(self.stands_out & (self.q <= LEVEL))

    @property
    def tentative(self) -> Bools:
        """Which are neither confirmed nor rejected (p)."""
        return np.asarray(self.stands_out & (self.q <= TENTATIVE) & ~self.confirmed)

    @property
    def decisions(self) -> list[Decision]:
        """The decision on each column."""
        pairs = zip(self.confirmed.tolist(), self.tentative.tolist(), strict=True)
        return [
            "confirmed" if confirmed else "tentative" if tentative else "rejected"
            for confirmed, tentative in pairs
        ]


def select(
    X: Floats,
    classes: npt.NDArray[np.str_],
    *,
    trees: int = TREES,
    copies: int = COPIES,
    seed: int = 0,
    executor: Executor | None = None,
    watch: Callable[[int], None] | None = None,
) -> Selection:
    """All columns of `X` that have to do with `classes`; the module says how they are found.

    `X` is n x p with NaN for missing values, `classes` (n) names the class of each row. Trees are
    handed to `executor`, if there is one (threads do well), and `watch` is told how many are done.
    The answer depends on neither, nor on the order of the columns; it does on `seed`.

    Raises `ValueError` for fewer than two classes, or fewer than 19 copies.

    >>> random = np.random.default_rng(0)
    >>> classes = np.repeat(["a", "b"], 20)
    >>> X = random.normal(size=(40, 30))
    >>> X[:20, 7] += 3
    >>> np.flatnonzero(select(X, classes).confirmed).tolist()
    [7]
    """
    named, numbers = np.unique(classes, return_inverse=True)
    if len(named) < 2:
        raise ValueError("two classes are needed")
    if copies < COPIES:
        raise ValueError(f"{COPIES} copies are needed")
    ranked = Ranked.of(np.asarray(X, dtype=np.float64))
    columns = np.flatnonzero(ranked.distinct > 1)
    columns = columns[ranked.taken(columns).by_content()]
    random = np.random.default_rng(seed)
    forest = _Forest.planned(ranked.taken(columns), numbers, trees, copies, random)
    return _told(_importance(forest.scores(executor, watch)), columns, X.shape[1])


@dataclass(frozen=True)
class _Forest:
    """What all trees share: the columns, the rows' orders in each copy, the cuts of each tree.

    `classes` (c x n) is 1 where a row is of the class. `orders` (copies + 1, n) begins with the
    rows as they are. `shares` (levels x trees) are the shares of the values that lie below a cut.
    """

    ranked: Ranked
    observed: Singles | None
    classes: Singles
    orders: Ints
    shares: Floats
    seeds: Sequence[np.random.Generator]

    @classmethod
    def planned(
        cls, ranked: Ranked, numbers: Ints, trees: int, copies: int, random: np.random.Generator
    ) -> _Forest:
        n = len(numbers)
        levels = 1 + min(_DEEPEST, max(0, int(np.log2(n / _ROWS_A_NODE))))
        # Every level meets all cuts, in an order of its own.
        shares = np.array([random.permutation(trees) + 0.5 for _ in range(levels)]) / trees
        orders = np.array([np.arange(n), *(random.permutation(n) for _ in range(copies))])
        whole = bool(ranked.observed.all())
        return cls(
            ranked,
            None if whole else ranked.observed.astype(np.float32),
            (numbers == np.arange(numbers.max() + 1)[:, None]).astype(np.float32),
            orders,
            shares,
            random.spawn(trees),
        )

    def scores(self, executor: Executor | None, watch: Callable[[int], None] | None) -> Floats:
        """The mean over trees of each level's scores: levels x (copies + 1) x p."""
        levels, trees = self.shares.shape
        total = np.zeros((levels, len(self.orders), self.ranked.ranks.shape[1]))
        numbers = range(trees if total.size else 0)
        grown = (executor.map if executor else map)(self._grown, numbers)
        for number, tree in enumerate(grown, 1):
            total += tree
            if watch:
                watch(number)
        return np.asarray(total / trees)

    def _grown(self, tree: int) -> Singles:
        """One tree's scores, the nodes of a level added up: levels x (copies + 1) x p."""
        random, n = self.seeds[tree], len(self.orders[0])
        levels, p = len(self.shares), self.ranked.ranks.shape[1]
        scores = np.zeros((levels, len(self.orders), p), dtype=np.float32)
        nodes = [np.ones(n, dtype=bool)]
        for level in range(levels):
            nodes = [node for node in nodes if self._worth_a_look(node)]
            if not nodes:
                break
            below = self.ranked.below(float(self.shares[level, tree]))
            found = self._scored(nodes, below.astype(np.float32))
            scores[level] = found.sum(axis=1)
            if level + 1 < levels:
                nodes = [
                    part
                    for node, real in zip(nodes, found[0], strict=True)
                    for part in self._parted(node, real, below, random)
                ]
        return scores

    def _worth_a_look(self, node: Bools) -> bool:
        held = self.classes @ node
        return bool(held.sum() >= _LEAST_ROWS and (held > 0).sum() > 1)

    def _scored(self, nodes: Sequence[Bools], below: Singles) -> Singles:
        """(copies + 1) x nodes x p. To put a copy's rows in another order is to put those of nodes
        and classes in it."""
        members = np.array(nodes)[:, None, :] * self.classes
        moved = members[:, :, self.orders].transpose(2, 0, 1, 3)
        shape = (len(self.orders) * len(nodes), *members.shape[1:])
        found = chi_squares(np.ascontiguousarray(moved).reshape(shape), below, self.observed)
        return found.reshape(len(self.orders), len(nodes), -1)

    def _parted(
        self, node: Bools, scores: Singles, below: Bools, random: np.random.Generator
    ) -> Iterator[Bools]:
        """The node's rows on either side of the column that scores best among some."""
        tried = random.random(len(scores)) < _TRIED
        best = int(np.argmax(np.where(tried, scores, -1.0)))
        astray = random.random(len(node)) < 0.5
        side = np.where(self.ranked.ranks[:, best] > 0, below[:, best], astray)
        yield node & side
        yield node & ~side


def _importance(scores: Floats) -> Floats:
    """How far each column stands out, at the depth where it does so most: (copies + 1) x p."""
    to_depth = np.cumsum([_standard(level) for level in scores], axis=0)
    return np.asarray(np.max([_standard(depth) for depth in to_depth], axis=0))


def _standard(scores: Floats) -> Floats:
    """Scores about the mean of the shadows', in their standard deviations."""
    shadows = scores[1:]
    if not shadows.size:
        return scores
    spread = float(shadows.std()) or 1.0
    return np.asarray((scores - shadows.mean()) / spread)


def _told(importance: Floats, columns: Ints, p: int) -> Selection:
    """What follows for all `p` columns of the table from those that vary."""
    real, shadows = importance[0], importance[1:]
    best = shadows.max(axis=1, initial=-np.inf)
    chance = (1 + _at_least(real, shadows)) / (1 + len(shadows))
    importances, chances, q = told = np.full((3, p), np.nan)
    told[:, columns] = real, chance, _false_discovery_rates(real, chance)
    hits = np.zeros(p, dtype=np.int64)
    hits[columns] = (real > best[:, None]).sum(axis=0)
    return Selection(importances, chances, q, hits, best, _stands_out(importance))


def _false_discovery_rates(real: Floats, chance: Floats) -> Floats:
    """For each column, how many shadows there are for one real column, at the bound to importance
    at or below its own where there are the fewest.

    This is the adjusted p-value of Benjamini and Hochberg, where p is the share of all shadows that
    are at least as important.
    """
    order = np.argsort(-real, kind="stable")
    rates = chance[order] / _at_least(real, real)[order]
    q = np.empty(len(real))
    q[order] = np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0)
    return q


def _at_least(values: Floats, among: Floats) -> Ints:
    """How many of `among` are at least as large as each of `values`."""
    ascending = np.sort(among, axis=None)
    return np.asarray(len(ascending) - np.searchsorted(ascending, values, side="left"))


def _stands_out(importance: Floats) -> bool:
    """Whether the first of the copies has more columns that others' do not reach than any other.

    Each copy is set against all others as if it were the table. Of equals, the one whose best
    column is better stands out.
    """
    if not importance.shape[1]:
        return False

    def reached(copy: int) -> tuple[float, float]:
        own = np.sort(importance[copy])[::-1]
        others = np.delete(importance, copy, axis=0)
        rates = (1 + _at_least(own, others)) / np.arange(1, len(own) + 1)
        return float(rates.min()), -float(own[0])

    first = reached(0)
    return all(first < reached(copy) for copy in range(1, len(importance)))
