"""A few columns that stand for all: which markers tell most of the rest.

A table is n x p, standardised and complete; a panel is the positions of its columns, in the order
in which they were chosen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_NOTHING = 1e-9
"""A column of which less than this part is left adds nothing to those chosen before."""


def greedy(Z: Floats, size: int) -> Ints:
    """Columns taken one by one, each the one that leaves least of the table unexplained.

    What is explained is what a least-squares fit of every column on those chosen explains. The
    gains are brought up to date instead of worked out anew (Farahat, Ghodsi & Kamel 2013,
    https://doi.org/10.1007/s10115-012-0538-1, Theorem 3), at O(n p) a column. There are fewer than
    `size` where fewer explain all.

    >>> both = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> greedy(np.column_stack([both, both.sum(axis=1)]), 2).tolist()
    [2, 0]
    """
    squares = np.einsum("ij,ij->j", Z, Z)
    least = _NOTHING * max(float(squares.max(initial=0.0)), np.finfo(np.float64).tiny)
    left = squares.copy()
    gain = np.einsum("ij,ij->j", (Z @ Z.T) @ Z, Z)
    chosen: list[int] = []
    taken = np.empty((0, Z.shape[1]))
    while len(chosen) < size and (left > least).any():
        worth = np.where(left > least, gain / np.where(left > least, left, 1.0), -np.inf)
        best = int(np.argmax(worth))
        column = Z.T @ Z[:, best] - taken.T @ taken[:, best]
        part = column / np.sqrt(column[best])
        covered = Z.T @ (Z @ part) - taken.T @ (taken @ part)
        gain += (part @ part) * part**2 - 2 * part * covered
        left -= part**2
        left[best] = 0.0
        taken = np.vstack([taken, part])
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def pivots(Z: Floats, size: int) -> Ints:
    """Columns taken one by one, each the one of which the others chosen say least.

    That is the pivoting of Businger & Golub (1965, https://doi.org/10.1007/BF01436084).

    >>> pivots(np.array([[2.0, 2.0, 0.0], [0.0, 0.1, 1.0]]), 2).tolist()
    [1, 2]
    """
    from scipy.linalg import qr

    order = qr(Z, mode="r", pivoting=True)[1]
    return np.asarray(order[: min(size, *Z.shape)], dtype=np.intp)


def at_random(Z: Floats, size: int, seed: int) -> Ints:
    """Columns drawn by lot."""
    drawn = np.random.default_rng(seed).permutation(Z.shape[1])
    return np.asarray(drawn[:size], dtype=np.intp)


CHOICES: dict[str, Callable[[Floats, int, int], Ints]] = {
    "greedy": lambda Z, size, _: greedy(Z, size),
    "pivots": lambda Z, size, _: pivots(Z, size),
    "random": at_random,
}
"""Ways to choose: functions of the table, how many, and a seed."""
