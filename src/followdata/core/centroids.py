"""Classes by their centroids: a sample is called what the profile nearest to it is called.

This is how the intrinsic subtypes of breast cancer are called (Parker et al. 2009, "Supervised
risk predictor of breast cancer based on intrinsic subtypes", J. Clin. Oncol. 27:1160): the sample's
values about a centre, gene by gene, are compared with each centroid by Spearman's correlation, so
that only the order of genes within a sample counts.

A gene that is missing in a sample, or in a centroid, has no part in their comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.heldout import calibrated, folds, log_loss
from followdata.core.nearest import similarities

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

SIZES = (10, 25, 50, 100, 200, 500)
"""So many of the columns that tell the classes apart best are tried."""
_INNER = 5


@dataclass(frozen=True)
class Centroids:
    """What c classes look like in k columns.

    `columns` are the positions of the columns in the table that was learnt from, `centre` (k) what
    is taken from their values, `values` (c x k) the mean of each class about it, and `sharpness`
    how fast the chance of a class grows with its correlation (see `heldout.confidences`).
    """

    columns: Ints
    centre: Floats
    values: Floats
    sharpness: float

    def likeness(self, X: Floats) -> Floats:
        """Spearman's correlation of each row of `X` (m x k) with each class: m x c."""
        return similarities(X - self.centre, self.values)


@dataclass(frozen=True)
class Tried:
    """Centroids learnt from all rows, and what calls like theirs are worth.

    `likeness` (n x c) of each row comes from centroids that it had no part in; `sharpness` (n) is
    the one that these centroids came with, and `size` (n) in how many columns they were.
    """

    centroids: Centroids
    likeness: Floats
    sharpness: Floats
    size: Ints


def mean_centroids(X: Floats, classes: Ints, columns: Ints, sharpness: float = 1.0) -> Centroids:
    """The mean of each class in these columns of `X` (n x p), about the mean of these means.

    >>> found = mean_centroids(np.array([[1.0], [3.0], [8.0]]), np.array([0, 0, 1]), np.array([0]))
    >>> found.centre.tolist(), found.values.tolist()
    ([5.0], [[-3.0], [3.0]])
    """
    means = np.array([_mean(X[classes == one][:, columns]) for one in range(classes.max() + 1)])
    centre = _mean(means)
    return Centroids(columns, centre, means - centre, sharpness)


def told_apart(X: Floats, classes: Ints) -> Ints:
    """The columns of `X` (n x p), those first in which classes differ most.

    By the F of an analysis of variance over the rows that have a value; a column in which a class
    has fewer than two comes last.
    """
    number, mean, within = (np.stack(part) for part in zip(*_moments(X, classes), strict=True))
    total = number.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (number * (mean - (number * mean).sum(axis=0) / total) ** 2).sum(axis=0)
        F = between / within.sum(axis=0) * (total - len(number))
    F = np.where((number >= 2).all(axis=0) & ~np.isnan(F), F, -1.0)
    return np.argsort(-F, kind="stable")


def learnt(X: Floats, classes: Ints, *, sizes: Sequence[int] = SIZES, seed: int = 0) -> Centroids:
    """Centroids of `classes` (n, from 0) in those columns of `X` that serve best.

    How many columns, and the sharpness, are those with the least loss on rows held out in each of
    five folds.
    """
    random = np.random.default_rng(seed)
    possible = sorted({min(size, X.shape[1]) for size in sizes})
    fold = folds(classes, _INNER, random)
    likeness = np.full((len(possible), len(X), classes.max() + 1), np.nan)
    for out in _each(fold, classes):
        best = told_apart(X[~out], classes[~out])
        for number, size in enumerate(possible):
            fitted = mean_centroids(X[~out], classes[~out], best[:size])
            likeness[number, out] = fitted.likeness(X[out][:, fitted.columns])
    tried = [(calibrated(held, classes), held) for held in likeness]
    losses = [log_loss(held, classes, sharpness) for sharpness, held in tried]
    chosen = int(np.argmin(losses))
    columns = told_apart(X, classes)[: possible[chosen]]
    return mean_centroids(X, classes, np.sort(columns), tried[chosen][0])


def tried(
    X: Floats, classes: Ints, *, number: int = 10, sizes: Sequence[int] = SIZES, seed: int = 0
) -> Tried:
    """Centroids learnt from all of `X`, tried by cross-validation in `number` folds.

    Which columns, how many, and the sharpness are learnt anew without each fold.
    """
    fold = folds(classes, number, np.random.default_rng(seed))
    likeness = np.full((len(X), classes.max() + 1), np.nan)
    sharpness, size = np.full(len(X), np.nan), np.zeros(len(X), dtype=np.intp)
    for out in _each(fold, classes):
        fitted = learnt(X[~out], classes[~out], sizes=sizes, seed=seed)
        likeness[out] = fitted.likeness(X[out][:, fitted.columns])
        sharpness[out], size[out] = fitted.sharpness, len(fitted.columns)
    return Tried(learnt(X, classes, sizes=sizes, seed=seed), likeness, sharpness, size)


def _each(fold: Ints, classes: Ints) -> Iterator[npt.NDArray[np.bool_]]:
    """The rows of each fold that can be held out: every class must be left to learn from."""
    every = np.unique(classes)
    for one in np.unique(fold):
        out = fold == one
        if np.isin(every, classes[~out]).all():
            yield out


def _moments(X: Floats, classes: Ints) -> Iterator[tuple[Floats, Floats, Floats]]:
    """For each class, by column: the number of values, their mean, and their squares about it."""
    for one in range(classes.max() + 1):
        rows = X[classes == one]
        observed = ~np.isnan(rows)
        mean = np.nan_to_num(_mean(rows))
        squares = (np.where(observed, rows - mean, 0.0) ** 2).sum(axis=0)
        yield observed.sum(axis=0).astype(np.float64), mean, squares


def _mean(X: Floats) -> Floats:
    """The mean of each column over the values that are there; NaN where there are none."""
    observed = ~np.isnan(X)
    number = observed.sum(axis=0)
    total = np.where(observed, X, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, number, out=np.full(X.shape[1], np.nan), where=number > 0))
