"""Columns with gaps, many at once: each on its known rows alone, under one covariance for all.

Columns with the same gaps share their arithmetic, and those with about as many are stacked, so
that thousands of columns with hundreds of patterns of gaps cost little more than columns without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.projected import Projected

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

_TOGETHER = 16


@dataclass(frozen=True, eq=False)
class Pattern:
    """Columns with the same gaps: which rows are `known` (n), and which `columns` they are."""

    known: Bools
    columns: Places

    @property
    def few(self) -> bool:
        """Whether it is less work to begin with the known rows than to leave the others out."""
        return bool(2 * self.known.sum() < len(self.known))


@dataclass(frozen=True, eq=False)
class _Stack:
    """Patterns that are worked on together: the rows that count and the columns of each (k x s
    and k x c), filled up with one more row and column, which hold nothing."""

    rows: Places
    columns: Places
    filling: Floats
    few: bool


@dataclass(frozen=True, eq=False)
class Gaps:
    """The gaps of p columns of n rows: their `patterns`, and how they are worked on."""

    shape: tuple[int, int]
    patterns: Sequence[Pattern]
    stacks: Sequence[_Stack]

    @classmethod
    def of(cls, Z: Floats) -> Gaps:
        """The gaps of `Z` (n x p, NaN is a gap).

        >>> [one.columns.tolist() for one in Gaps.of(np.array([[1.0, np.nan, 2.0]])).patterns]
        [[1], [0, 2]]
        """
        known = np.isfinite(Z)
        packed = np.packbits(known, axis=0)
        _, first, which = np.unique(packed, axis=1, return_index=True, return_inverse=True)
        patterns = [
            Pattern(known[:, column], np.flatnonzero(which.ravel() == number))
            for number, column in enumerate(first)
        ]
        return cls((len(Z), Z.shape[1]), patterns, list(_stacks(patterns, Z.shape[1])))

    def squares(self, projected: Projected, Z: Floats) -> tuple[Floats, Floats]:
        """For each column of `Z` (n x p, 0 in gaps) z' P z over its known rows, and the log
        determinants of their restricted likelihood (see `Projected`)."""
        PZ = projected.P @ Z
        squares = (Z * PZ).sum(0)
        determinants = np.full(self.shape[1], projected.log_determinant)
        P, V = _bordered(projected.P), _bordered(projected.V)
        columns_out = _bordered(PZ)
        columns_in = _bordered(Z)
        X = np.pad(projected.X, ((0, 1), (0, 0)))
        for stack in self.stacks:
            held = stack.columns < self.shape[1]
            at = stack.columns[held]
            if stack.few:
                found, extra = _anew(stack, V, X, columns_in)
                squares[at] = found[held]
                determinants[at] = np.broadcast_to(extra[:, None], held.shape)[held]
            else:
                found, extra = _left_out(stack, P, columns_out)
                squares[at] -= found[held]
                determinants[at] += np.broadcast_to(extra[:, None], held.shape)[held]
        return squares, determinants


def _stacks(patterns: Sequence[Pattern], p: int) -> Iterator[_Stack]:
    for few in (True, False):
        kept = [one for one in patterns if one.few == few and not one.known.all()]
        rows = [np.flatnonzero(one.known == few) for one in kept]
        order = sorted(range(len(kept)), key=lambda at: (len(rows[at]), len(kept[at].columns)))
        for start in range(0, len(order), _TOGETHER):
            chosen = order[start : start + _TOGETHER]
            n = len(kept[0].known)
            together = _filled([rows[at] for at in chosen], n)
            columns = _filled([kept[at].columns for at in chosen], p)
            yield _Stack(together, columns, (together == n).astype(np.float64), few)


def _filled(lists: Sequence[Places], filling: int) -> Places:
    longest = max(len(one) for one in lists)
    rows = [np.concatenate([one, np.full(longest - len(one), filling)]) for one in lists]
    return np.array(rows, dtype=np.intp)


def _bordered(A: Floats) -> Floats:
    return np.pad(A, (0, 1))


def _blocks(stack: _Stack, A: Floats) -> Floats:
    """The block of each pattern's rows (k x s x s); what is filled up is independent of all."""
    blocks = A[stack.rows[:, :, None], stack.rows[:, None, :]]
    diagonal = np.arange(stack.rows.shape[1])
    blocks[:, diagonal, diagonal] += stack.filling
    return np.asarray(blocks)


def _log_determinants(blocks: Floats) -> Floats:
    diagonals = np.diagonal(np.linalg.cholesky(blocks), axis1=1, axis2=2)
    return np.asarray(2 * np.log(diagonals).sum(1))


def _left_out(stack: _Stack, P: Floats, PZ: Floats) -> tuple[Floats, Floats]:
    """What unknown rows take from the squares (k x c), and add to the log determinant (k)."""
    blocks = _blocks(stack, P)
    right = PZ[stack.rows[:, :, None], stack.columns[:, None, :]]
    return (right * np.linalg.solve(blocks, right)).sum(1), _log_determinants(blocks)


def _anew(stack: _Stack, V: Floats, X: Floats, Z: Floats) -> tuple[Floats, Floats]:
    """Squares (k x c) and log determinants (k) from the known rows alone."""
    blocks, q = _blocks(stack, V), X.shape[1]
    right = np.concatenate(
        [X[stack.rows], Z[stack.rows[:, :, None], stack.columns[:, None, :]]], axis=2
    )
    solved = np.linalg.solve(blocks, right)
    XX = right[:, :, :q].transpose(0, 2, 1) @ solved[:, :, :q]
    XZ = right[:, :, :q].transpose(0, 2, 1) @ solved[:, :, q:]
    squares = (right[:, :, q:] * solved[:, :, q:]).sum(1) - (XZ * np.linalg.solve(XX, XZ)).sum(1)
    return squares, _log_determinants(blocks) + _log_determinants(XX)
