"""How alike rows of one table are to rows of another, and which are nearest."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Likeness = Literal["spearman", "pearson"]

LEAST_SHARED = 3
"""Two rows that have fewer columns in common are not compared."""


class Nearest(NamedTuple):
    """For each of m rows (m x k): the positions of the k rows most alike, and their correlations,
    the highest first. Position -1 and NaN stand where no more rows can be compared."""

    positions: npt.NDArray[np.intp]
    similarities: Floats


def nearest(
    rows: Floats, among: Floats, k: int = 10, *, likeness: Likeness = "spearman"
) -> Nearest:
    """The `k` rows of `among` (n x p) that are most like each of `rows` (m x p).

    Columns are the same in both; NaN is missing. See `similarities` for what is compared.

    >>> nearest(np.array([[1.0, 2.0, 4.0]]), np.array([[3.0, 2.0, 1.0], [1.0, 5.0, 6.0]]), k=1)
    Nearest(positions=array([[1]]), similarities=array([[1.]]))
    """
    found = similarities(rows, among, likeness=likeness)
    order = np.argsort(-np.where(np.isnan(found), -np.inf, found), axis=1, kind="stable")[:, :k]
    ordered = np.take_along_axis(found, order, axis=1)
    return Nearest(np.where(np.isnan(ordered), -1, order), ordered)


def similarities(rows: Floats, among: Floats, *, likeness: Likeness = "spearman") -> Floats:
    """The correlation of each of `rows` (m x p) with each row of `among` (n x p): m x n.

    Pearson's over the columns that both have, of the values or of their ranks within the row
    (Spearman's, which does not mind that two laboratories measure on different scales). It is NaN
    for rows that share fewer than three columns, or where one of them is the same everywhere.
    """
    if likeness == "spearman":
        rows, among = _ranked(rows), _ranked(among)
    M, N = ~np.isnan(rows), ~np.isnan(among)
    A, B = _centred(rows, M), _centred(among, N)
    m, n = M.astype(np.float64), N.astype(np.float64)
    shared = m @ n.T
    a, b = A @ n.T, m @ B.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = A @ B.T - a * b / shared
        spread = (A**2 @ n.T - a**2 / shared) * (m @ (B**2).T - b**2 / shared)
        # What rounding leaves of a row that does not vary is not variance.
        varies = spread > 1e-20 * np.outer((A**2).sum(1), (B**2).sum(1))
        correlation = np.where(varies, covariance / np.sqrt(spread), np.nan)
    return np.where(shared >= LEAST_SHARED, np.clip(correlation, -1.0, 1.0), np.nan)


def _centred(X: Floats, observed: npt.NDArray[np.bool_]) -> Floats:
    mean = np.where(observed, X, 0.0).sum(1) / np.maximum(observed.sum(1), 1)
    return np.where(observed, X - mean[:, None], 0.0)


def _ranked(X: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(X, axis=1, nan_policy="omit"), dtype=np.float64)
