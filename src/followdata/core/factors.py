"""What several tables of the same rows have in common: factors, alone or with an eye on classes.

`joint_factors` is multiple factor analysis (Escofier & Pagès 1994, "Multiple factor analysis
(AFMULT package)", Comput. Stat. Data Anal. 18:121): the columns of each block are standardised, the
block is divided by the size of its own first component, so that no block rules by being wide or by
saying one thing many times, and the blocks side by side are taken apart into principal components.
What is missing in a block is expected from that block's own components first
(`followdata.core.components`).

`sparse_discriminants` looks for a few columns of each block whose sums agree with one another and
with the classes, as DIABLO does (Singh et al. 2019, Bioinformatics 35:3055): generalised canonical
correlations with sparse weights (Tenenhaus et al. 2014, Biostatistics 15:569), of which the classes
are one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from followdata.core.components import complete

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_RIDGE = 1e-6
_BETWEEN = 0.1
"""How much agreement between blocks counts beside agreement with the classes; what DIABLO's
authors advise where the aim is to tell classes apart."""
_STEPS = 50
_STILL = 1e-4


@dataclass(frozen=True)
class Factors:
    """k factors of n rows that have all b blocks.

    `scores` (n x k) have mean 0; `loadings` hold for each block how its standardised columns
    change with one unit of a factor (p x k, NaN for columns left out), and `shares` (b x k) the
    part of the block's observed variance that each factor explains on top of those before it.
    `mean` and `spread` are those of each block's columns, `weight` what its columns were
    multiplied by.
    """

    scores: Floats
    loadings: Sequence[Floats]
    shares: Floats
    mean: Sequence[Floats]
    spread: Sequence[Floats]
    weight: Floats

    def placed(self, blocks: Sequence[Floats], count: int | None = None) -> Floats:
        """Where other rows lie on the first `count` factors, by the cells that they have.

        Least squares over all observed cells of all blocks, each weighted as it was when learnt;
        a row may lack columns, or whole blocks.
        """
        count = self.scores.shape[1] if count is None else count
        rows = len(blocks[0])
        left, right = np.zeros((rows, count, count)), np.zeros((rows, count))
        for block, loadings, mean, spread, weight in zip(
            blocks, self.loadings, self.mean, self.spread, self.weight, strict=True
        ):
            used = np.isfinite(loadings[:, 0]) if loadings.shape[1] else np.zeros(0, dtype=bool)
            L = loadings[used, :count] * weight
            Z = (block[:, used] - mean[used]) / spread[used] * weight
            seen = np.isfinite(Z)
            right += np.where(seen, Z, 0.0) @ L
            pairs = (L[:, :, None] * L[:, None, :]).reshape(len(L), count * count)
            left += (seen @ pairs).reshape(rows, count, count)
        ridge = _RIDGE * np.trace(left, axis1=1, axis2=2)[:, None, None] + 1e-12
        return np.asarray(np.linalg.solve(left + ridge * np.eye(count), right[:, :, None])[:, :, 0])


def joint_factors(blocks: Sequence[Floats], rank: int = 5) -> Factors:
    """The first `rank` factors of `blocks` (each n x p, of the same rows; NaN is missing).

    Every row needs values in every block. Fewer factors come back where the blocks hold fewer.

    >>> first = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]])
    >>> found = joint_factors([first, -first], rank=1)
    >>> found.shares.round(6).tolist()
    [[1.0], [1.0]]
    """
    parts = [_Block.of(block, rank) for block in blocks]
    weighted = np.hstack([part.Z * part.weight for part in parts])
    centred = weighted - weighted.mean(0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    kept = [at for at in range(len(values))[::-1][:rank] if values[at] > 1e-10 * values[-1]]
    scores = vectors[:, kept] * np.sqrt(values[kept])
    # A factor's sign is free: most of its size in the first block points upwards.
    first = parts[0].Z.T @ scores
    scores = scores * np.where((first**3).sum(0) < 0, -1.0, 1.0)
    size = (scores**2).sum(0)
    found = [part.whole(part.Z.T @ scores / size) for part in parts]
    shares = np.array([part.explained(scores) for part in parts])
    return Factors(
        scores,
        found,
        shares.reshape(len(parts), scores.shape[1]),
        [part.mean for part in parts],
        [part.spread for part in parts],
        np.array([part.weight for part in parts]),
    )


@dataclass(frozen=True)
class _Block:
    """A block's usable columns, standardised, with what is expected where cells are missing (`Z`,
    n x used), which cells are observed (`seen`), and what its columns were."""

    Z: Floats
    seen: npt.NDArray[np.bool_]
    used: npt.NDArray[np.bool_]
    mean: Floats
    spread: Floats
    weight: float

    @classmethod
    def of(cls, X: Floats, rank: int) -> _Block:
        completed = complete(X, rank=rank)
        if not completed.rows.all():
            raise ValueError("a row has too few values in a block")
        seen = np.isfinite(X)
        count = np.maximum(seen.sum(0), 1)
        mean = np.where(seen, X, 0.0).sum(0) / count
        spread = np.sqrt(np.where(seen, X - mean, 0.0).__pow__(2).sum(0) / count)
        largest = np.linalg.eigvalsh(completed.products)[-1] if completed.Z.size else 1.0
        return cls(
            completed.Z,
            completed.M,
            completed.columns,
            mean,
            np.where(spread > 0, spread, 1.0),
            float(1 / np.sqrt(max(largest, 1e-12))),
        )

    def whole(self, loadings: Floats) -> Floats:
        """Loadings of the columns used at their places in the block."""
        found = np.full((len(self.used), loadings.shape[1]), np.nan)
        found[self.used] = loadings
        return found

    def explained(self, scores: Floats) -> Floats:
        """The part of the observed cells' squares that each further factor explains."""
        left = np.where(self.seen, self.Z - self.Z.mean(0), 0.0)
        total = float((left**2).sum())
        shares, before = [], total
        for factor in scores.T:
            fitted = np.outer(factor, factor @ self.Z / (factor @ factor))
            left = np.where(self.seen, left - fitted, 0.0)
            after = float((left**2).sum())
            shares.append((before - after) / total if total else 0.0)
            before = after
        return np.array(shares)


# With an eye on classes


@dataclass(frozen=True)
class Discriminants:
    """h sparse components of each of b blocks, and what they say of classes.

    `weights` are p x h for each block, 0 for the columns that have no part, and `loadings` how each
    of its columns changes with one unit of a component. A row is called what
    the class is whose centroid (`centroids`, c x b h) is nearest to its components, each divided
    by its spread within classes.
    """

    weights: Sequence[Floats]
    loadings: Sequence[Floats]
    mean: Sequence[Floats]
    spread: Sequence[Floats]
    centroids: Floats
    within: Floats

    def components(self, blocks: Sequence[Floats]) -> Floats:
        """The rows' components, block after block (n x b h); a missing cell has no part in them."""
        return np.hstack(
            [
                _projected(block, mean, spread, weights, loadings)
                for block, mean, spread, weights, loadings in zip(
                    blocks, self.mean, self.spread, self.weights, self.loadings, strict=True
                )
            ]
        )

    def called(self, blocks: Sequence[Floats]) -> Ints:
        """The class of each row, from 0."""
        away = (self.components(blocks)[:, None, :] - self.centroids) / self.within
        return np.asarray((away**2).sum(2).argmin(1), dtype=np.intp)


def sparse_discriminants(
    blocks: Sequence[Floats], classes: Ints, *, components: int = 2, keep: int = 20
) -> Discriminants:
    """Components that tell `classes` (n, from 0) apart, of `keep` columns of each block.

    Each block is n x p, NaN for missing. For each component the weights of every block and of the
    classes are improved in turn until they change no more: a block's weights are the covariances of
    its columns with the sum of the others' components, of which the `keep` largest stay, less the
    next one. Then the component is taken out of its block. DIABLO calls by a vote of the blocks;
    here the components of all blocks decide together.
    """
    means, spreads, scaled = [], [], []
    for block in blocks:
        seen = np.isfinite(block)
        count = np.maximum(seen.sum(0), 1)
        mean = np.where(seen, block, 0.0).sum(0) / count
        spread = np.sqrt((np.where(seen, block - mean, 0.0) ** 2).sum(0) / count)
        # What was seen in fewer than half of the rows tells of what can be seen at all.
        usable = (spread > 0) & (2 * seen.sum(0) >= len(block))
        means.append(mean)
        spreads.append(np.where(usable, spread, np.inf))
        scaled.append(_scaled(block, mean, spreads[-1]))
    named = np.arange(classes.max() + 1)
    targets = (classes[:, None] == named).astype(np.float64)
    targets -= targets.mean(0)
    weights: list[list[Floats]] = [[] for _ in blocks]
    loadings: list[list[Floats]] = [[] for _ in blocks]
    left = list(scaled)
    for _ in range(components):
        for number, weight in enumerate(_one_component(left, targets, keep)):
            t = left[number] @ weight
            loading = t @ left[number] / max(float(t @ t), 1e-12)
            weights[number].append(weight)
            loadings[number].append(loading)
            left[number] = np.where(scaled[number] != 0, left[number] - np.outer(t, loading), 0.0)
    joined, carried = ([np.array(one).T for one in parts] for parts in (weights, loadings))
    learnt = Discriminants(joined, carried, means, spreads, np.zeros((0, 0)), np.ones(0))
    places = learnt.components(blocks)
    centroids = np.array([places[classes == one].mean(0) for one in named])
    within = np.sqrt(((places - centroids[classes]) ** 2).mean(0))
    within = np.where(within > 0, within, 1.0)
    return replace(learnt, centroids=centroids, within=within)


def _one_component(left: Sequence[Floats], targets: Floats, keep: int) -> list[Floats]:
    """One weight vector for each block."""
    u, _, _ = np.linalg.svd(targets.T @ np.hstack(list(left)), full_matrices=False)
    goal = targets @ u[:, 0]
    weights = [_sparse(Z.T @ goal, keep) for Z in left]
    for _ in range(_STEPS):
        parts = [_unit(Z @ w) for Z, w in zip(left, weights, strict=True)]
        goal = _unit(targets @ (targets.T @ sum(parts, np.zeros(len(targets)))))
        together = sum(parts, np.zeros(len(targets)))
        new = [
            _sparse(Z.T @ (goal + _BETWEEN * (together - part)), keep)
            for Z, part in zip(left, parts, strict=True)
        ]
        change = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(new, weights, strict=True))
        weights = new
        if change < _STILL:
            break
    return weights


def _sparse(covariance: Floats, keep: int) -> Floats:
    """The `keep` largest drawn towards 0 by the next one, and made of length 1."""
    size = np.abs(covariance)
    if keep < len(size):
        threshold = np.partition(size, len(size) - keep - 1)[len(size) - keep - 1]
        covariance = np.sign(covariance) * np.maximum(size - threshold, 0.0)
    return _unit(covariance)


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _scaled(X: Floats, mean: Floats, spread: Floats) -> Floats:
    """Standardised; 0, which is the mean, where a cell is missing and has no part."""
    return np.asarray(np.nan_to_num((X - mean) / spread, nan=0.0))


def _projected(
    X: Floats, mean: Floats, spread: Floats, weights: Floats, loadings: Floats
) -> Floats:
    """Components one after the other, each from what those before it leave."""
    Z = _scaled(X, mean, spread)
    left, found = Z, []
    for weight, loading in zip(weights.T, loadings.T, strict=True):
        found.append(left @ weight)
        left = np.where(Z != 0, left - np.outer(found[-1], loading), 0.0)
    return np.array(found).T


# Blocks


def chosen_columns(X: Floats, most: int) -> Ints:
    """The `most` columns that vary most among those seen in at least half of the rows."""
    seen = np.isfinite(X)
    count = np.maximum(seen.sum(0), 1)
    mean = np.where(seen, X, 0.0).sum(0) / count
    variance = np.where(seen, X - mean, 0.0).__pow__(2).sum(0) / count
    variance = np.where(2 * seen.sum(0) >= len(X), variance, -1.0)
    order = np.argsort(-variance, kind="stable")[:most]
    return np.asarray(np.sort(order[variance[order] > 0]), dtype=np.intp)


def held_out(folds: Ints) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """For each fold the rows to learn from, and those held out."""
    for fold in range(int(folds.max()) + 1):
        yield folds != fold, folds == fold
