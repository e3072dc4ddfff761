"""How much of what varies goes with each of a few groupings of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def variance_partition(Y: Floats, factors: Sequence[npt.NDArray[np.str_]]) -> Floats:
    """The part of each column's variance that goes with each factor: f x p.

    `Y` is n x p without missing values; each factor groups its n rows. A part is what the factor
    adds to the adjusted R squared of a linear model of the column, averaged over the orders in
    which the factors can be added, so that what two factors share is halved between them
    (Lindeman, Merenda & Gold 1980; Groemping 2007, "Estimators of relative importance in linear
    regression", The American Statistician 61:139). R squared is adjusted for the number of groups,
    of which many fit anything; a part that is then below 0 is given as 0.

    >>> Y = np.array([[1.0], [1.1], [3.0], [3.1]])
    >>> side = np.array(["left", "right"] * 2)
    >>> variance_partition(Y, [np.array(["a", "a", "b", "b"]), side]).round(2).tolist()
    [[1.0], [0.0]]
    """
    orders = list(permutations(range(len(factors))))
    parts = np.zeros((len(factors), Y.shape[1]))
    for order in orders:
        before = np.zeros(Y.shape[1])
        for position, factor in enumerate(order):
            after = _explained(Y, [factors[f] for f in order[: position + 1]])
            parts[factor] += (after - before) / len(orders)
            before = after
    return np.clip(parts, 0.0, 1.0)


def _explained(Y: Floats, factors: Sequence[npt.NDArray[np.str_]]) -> Floats:
    """The adjusted R squared of the model with an effect for each group of each factor."""
    n = len(Y)
    design = np.column_stack(
        [np.ones(n), *(factor == group for factor in factors for group in np.unique(factor)[1:])]
    ).astype(np.float64)
    rank = int(np.linalg.matrix_rank(design))
    centred = Y - Y.mean(0)
    left = centred - design @ np.linalg.lstsq(design, centred, rcond=None)[0]
    total = (centred**2).sum(0)
    if rank >= n:
        return np.zeros(Y.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = 1 - (left**2).sum(0) / (n - rank) / (total / (n - 1))
    return np.where(total > 0, explained, 0.0)
