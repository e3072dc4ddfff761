"""Principal components of a table with missing values.

The columns are standardised over what was observed. What is missing is neither left out nor
filled with means: means pull incomplete rows to the middle and make columns look less related
than they are. Instead the model

    z_ij = m_j + w_j . x_i + noise,     x_i ~ N(0, 1),     w_jc ~ N(0, 1 / precision_c)

is fitted to the observed cells alone by variational Bayesian principal component analysis
(Bishop 1999, "Variational principal components"; with missing values and the rotations that
make it quick, Ilin & Raiko 2010, JMLR 11:1957). The priors keep columns that were observed in
few rows from being fitted by chance. The components are then those of the table with the
model's expectations in the missing cells, so that on a complete table they are exactly the
ordinary principal components.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST_OBSERVED = 0.2
"""A row or column with a smaller share of observed cells is left out."""
_LEAST_CELLS = 3
_LEAST_NOISE = 1e-6


@dataclass(frozen=True)
class Components:
    """The principal components of a table of n rows and p columns.

    `scores` (n x k) places each row and `loadings` (p x k, columns of unit length) says what
    each component is made of; both are NaN for rows and columns that were left out. Component
    by component, the largest loading is positive. `shares` (k) is the part of the observed
    cells' variance that each component explains, on top of those before it. `correlations`
    (p x k) are those between a column and the scores over the rows where it was observed.

    `cells` counts the cells of the rows and columns used and `missing` those of them that were
    not observed; `empty` and `constant` count the columns left out because they were observed
    in too few rows or did not vary, and `rows_left_out` the rows with too few values.
    """

    scores: Floats
    loadings: Floats
    correlations: Floats
    shares: Floats
    cells: int
    missing: int
    empty: int
    constant: int
    rows_left_out: int


@dataclass(frozen=True)
class Completed:
    """The usable part of a table, standardised, with the model's expectations where cells are
    missing.

    `Z` is rows used x columns used and `M` says which of its cells were observed; `rows` and
    `columns` say which of the table's were used, and `constant` which columns do not vary.
    """

    Z: Floats
    M: Bools
    rows: Bools
    columns: Bools
    constant: Bools

    @cached_property
    def products(self) -> Floats:
        """Inner products of the rows used, around their mean (n x n)."""
        if not self.Z.size:
            return np.zeros((len(self.Z), len(self.Z)))
        centred = self.Z - self.Z.mean(0)
        return np.asarray(centred @ centred.T)

    def spread(self, values: Floats, axis: int) -> Floats:
        """`values` of the rows (axis 0) or columns (axis 1) used, at their places in the table."""
        used = (self.rows, self.columns)[axis]
        whole = np.full((len(used), values.shape[1]), np.nan)
        whole[used] = values
        return whole

    def correlations(self, scores: Floats) -> Floats:
        """Correlation of each of the table's columns with `scores` of the rows used, over the
        rows where the column was observed (p x k); NaN for columns left out."""
        return self.spread(_correlations(self.Z, self.M, scores), 1)


def complete(
    X: Floats, *, rank: int = 5, tolerance: float = 1e-3, most_steps: int = 500
) -> Completed:
    """The standardised columns of `X` with its missing cells as the model expects them.

    `X` is n x p; NaN and infinities are missing. `rank` is how many components the model has and
    `tolerance` the relative change of its weights at which the fit to the observed cells counts
    as done.
    """
    observed = np.isfinite(X)
    rows, columns, constant = usable(X, observed)
    M = observed[np.ix_(rows, columns)]
    Z = standardise(X[np.ix_(rows, columns)], M)
    rank = _possible(rank, M)
    if rank and not M.all():
        Z = np.where(M, Z, expectations(Z, M, rank, tolerance, most_steps))
    return Completed(Z, M, rows, columns, constant & ~columns)


def principal_components(
    X: Floats, *, rank: int = 5, tolerance: float = 1e-3, most_steps: int = 500
) -> Components:
    """The first `rank` principal components of the standardised columns of `X`.

    `X` is n x p; NaN and infinities are missing, see `complete`. Fewer components are returned
    where the table does not hold `rank` of them, and none where fewer than two rows or one
    column can be used.

    >>> two = principal_components(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))
    >>> two.shares.round(6).tolist(), two.loadings.round(3).tolist()
    ([1.0], [[0.707], [0.707]])
    """
    completed = complete(X, rank=rank, tolerance=tolerance, most_steps=most_steps)
    return components_of(completed, rank)


def components_of(completed: Completed, rank: int) -> Components:
    """The first `rank` principal components of a table that was completed."""
    Z, M = completed.Z, completed.M
    products = completed.products if Z.size and len(Z) <= Z.shape[1] else None
    scores, loadings = _exact_components(Z, _possible(rank, M), products)
    left_out = ~completed.columns
    return Components(
        scores=completed.spread(scores, 0),
        loadings=completed.spread(loadings, 1),
        correlations=completed.correlations(scores),
        shares=_explained(Z, M, scores, loadings),
        cells=int(M.size),
        missing=int(M.size - M.sum()),
        empty=int((left_out & ~completed.constant).sum()),
        constant=int(completed.constant.sum()),
        rows_left_out=int((~completed.rows).sum()),
    )


def _possible(rank: int, M: Bools) -> int:
    """How many of `rank` components a table of that shape can have."""
    return max(0, min(rank, int(M.shape[0]) - 1, int(M.shape[1])))


def usable(X: Floats, observed: Bools) -> tuple[Bools, Bools, Bools]:
    """Which rows and which columns hold enough to be used, and which columns do not vary.

    A column must be observed in at least three rows and in `LEAST_OBSERVED` of those used, and
    take two values; a row must have `LEAST_OBSERVED` of the columns used.
    """
    rows, columns = (np.ones(length, dtype=bool) for length in X.shape)
    while True:
        M = observed & rows[:, None]
        enough = M.sum(0) >= max(_LEAST_CELLS, LEAST_OBSERVED * rows.sum())
        constant = enough & (_most(X, M) == _least(X, M))
        columns = columns & enough & ~constant
        filled = rows & ((observed & columns).sum(1) >= max(1, LEAST_OBSERVED * columns.sum()))
        if (filled == rows).all():
            return rows, columns, constant
        rows = filled


def standardise(X: Floats, M: Bools) -> Floats:
    """Columns with mean 0 and variance 1 over the cells where `M` is true; 0 elsewhere."""
    count = M.sum(0)
    # The largest magnitude is divided out first, so that squares neither over- nor underflow.
    scaled = np.where(M, X, 0.0) / np.abs(np.where(M, X, 0.0)).max(0, initial=0.0)
    centred = np.where(M, scaled - scaled.sum(0) / count, 0.0)
    return np.asarray(centred / np.sqrt((centred**2).sum(0) / count))


def expectations(Z: Floats, M: Bools, rank: int, tolerance: float, most_steps: int) -> Floats:
    """What the model expects in each cell of the standardised `Z`, given those where `M` is true.

    `Z` must be 0 where `M` is false.
    """
    n, p = Z.shape
    mask = M.astype(np.float64)
    squares = float(np.vdot(Z, Z))
    # The start is the components with means in the gaps; the steps move away from it.
    scores, loadings = _exact_components(Z, rank)
    rank = scores.shape[1]
    weights = loadings * (np.linalg.norm(scores, axis=0) / np.sqrt(n))
    T = np.column_stack([np.zeros(p), weights])  # each column's m_j and w_j
    V = np.zeros((p, rank + 1, rank + 1))  # and their covariance
    noise = max(1.0 - float((weights**2).sum()) / p, _LEAST_NOISE)
    for _ in range(most_steps):
        x, S = _row_step(Z, mask, T, V, noise)
        T, V, noise = _column_step(Z, mask, squares, T, V, noise, x, S)
        T, V = _rotate(T, V, x, S)
        # A component has no sign of its own: compare with the nearer of the two.
        signs = np.where((T[:, 1:] * weights).sum(0) < 0, -1.0, 1.0)
        change = np.linalg.norm(T[:, 1:] * signs - weights)
        weights = T[:, 1:] * signs
        if change <= tolerance * np.linalg.norm(weights):
            break
    x, _ = _row_step(Z, mask, T, V, noise)
    return np.asarray(T[:, 0] + x @ T[:, 1:].T)


def _row_step(Z: Floats, mask: Floats, T: Floats, V: Floats, noise: float) -> tuple[Floats, Floats]:
    """Mean (n x k) and covariance (n x k x k) of each row's scores."""
    A = _whole(mask @ _moments(T, V))
    S = np.linalg.inv(A[:, 1:, 1:] + noise * np.eye(T.shape[1] - 1))
    x = S @ (Z @ T[:, 1:] - A[:, 0, 1:])[:, :, None]
    return x[:, :, 0], np.asarray(noise * S)


def _column_step(
    Z: Floats,
    mask: Floats,
    squares: float,
    T: Floats,
    V: Floats,
    noise: float,
    x: Floats,
    S: Floats,
) -> tuple[Floats, Floats, float]:
    """Mean and covariance of each column's m_j and w_j, and the noise that is left."""
    n, p = Z.shape
    t = np.column_stack([np.ones(n), x])
    sums = mask.T @ _moments(t, np.pad(S, ((0, 0), (1, 0), (1, 0))))
    size = (T[:, 1:] ** 2).sum(0) + np.einsum("pii->i", V)[1:]
    B = _whole(sums)
    diagonal = np.arange(T.shape[1])
    B[:, diagonal, diagonal] += np.r_[0.0, noise * p / np.maximum(size, _LEAST_NOISE)]
    C = Z.T @ t
    inverse = np.linalg.inv(B)
    T = np.einsum("pij,pj->pi", inverse, C)
    V = np.asarray(noise * inverse)
    # Expected squares of what is left, cell by cell: z2 - 2 z t.T + T B T + trace(B V); what is
    # not on the diagonal is there twice.
    upper = np.triu_indices(T.shape[1])
    twice = np.where(upper[0] == upper[1], 1.0, 2.0)
    fitted = np.einsum("pu,pu->u", sums, _moments(T, V)) @ twice
    left = squares - 2 * np.vdot(C, T) + fitted
    return T, V, max(float(left / mask.sum()), _LEAST_NOISE)


def _rotate(T: Floats, V: Floats, x: Floats, S: Floats) -> tuple[Floats, Floats]:
    """The same model, in coordinates where the scores have mean 0 and variance 1, uncorrelated,
    and the weights are orthogonal; without this the steps are many and small."""
    mean = x.mean(0)
    root = np.linalg.cholesky((x - mean).T @ (x - mean) / len(x) + S.mean(0))
    _, turn = np.linalg.eigh(root.T @ (T[:, 1:].T @ T[:, 1:] + V[:, 1:, 1:].sum(0)) @ root)
    G = np.eye(T.shape[1])
    G[1:, 0] = mean
    G[1:, 1:] = root @ turn[:, ::-1]
    # G' V G for all columns at once, as one product of large matrices.
    turned = V.reshape(len(V), -1) @ np.kron(G, G)
    return T @ G, turned.reshape(V.shape)


def _moments(mean: Floats, covariance: Floats) -> Floats:
    """E[t t'] of each row of `mean`, its upper triangle as a row: m x k (k + 1) / 2."""
    row, column = np.triu_indices(mean.shape[1])
    return np.asarray(mean[:, row] * mean[:, column] + covariance[:, row, column])


def _whole(upper: Floats) -> Floats:
    """The symmetric matrices (m x k x k) whose upper triangles are the rows of `upper`."""
    k = int(np.sqrt(2 * upper.shape[1]))
    place = np.empty((k, k), dtype=np.intp)
    row, column = np.triu_indices(k)
    place[row, column] = place[column, row] = np.arange(len(row))
    return upper[:, place]


def _exact_components(
    Z: Floats, rank: int, products: Floats | None = None
) -> tuple[Floats, Floats]:
    """Scores and loadings of the complete table `Z`, by way of the smaller Gram matrix; `products`
    is that of the rows where it is known and the smaller."""
    n, p = Z.shape
    if not rank:
        return np.zeros((n, 0)), np.zeros((p, 0))
    centred = Z - Z.mean(0)
    if products is not None:
        gram = products
    else:
        gram = centred @ centred.T if n <= p else centred.T @ centred
    values, vectors = (ascending[..., : -rank - 1 : -1] for ascending in np.linalg.eigh(gram))
    # Squares are what the Gram matrix knows: below this, an eigenvector is rounding error.
    real = values > 1e-10 * np.trace(gram)
    loadings = centred.T @ vectors[:, real] / np.sqrt(values[real]) if n <= p else vectors[:, real]
    loadings = loadings * _signs(loadings)
    return np.asarray(centred @ loadings), np.asarray(loadings)


def _signs(loadings: Floats) -> Floats:
    """For each component, the sign of its largest loading; the first of those equally large."""
    size = np.abs(loadings)
    # Equal up to rounding: a share and its complement have loadings of the same size.
    first = (size >= size.max(0) * (1 - 1e-9)).argmax(0)
    return np.where(loadings[first, np.arange(loadings.shape[1])] < 0, -1.0, 1.0)


def _explained(Z: Floats, M: Bools, scores: Floats, loadings: Floats) -> Floats:
    """The part of the observed cells' squares that each further component explains."""
    rank = scores.shape[1]
    if not rank:
        return np.zeros(0)
    centred = np.where(M, Z - Z.mean(0), 0.0)
    # What is left after the first c components is z2 - 2 z f + f2, where f is their sum: the
    # squares of f over the observed cells come from the products of every two components.
    pairs = _whole(M.astype(np.float64) @ _moments(loadings, np.zeros((1, rank, rank))))
    squares = np.einsum("ni,nj,nij->ij", scores, scores, pairs)
    products = np.cumsum(((centred @ loadings) * scores).sum(0))
    explained = np.r_[0.0, [2 * products[c] - squares[: c + 1, : c + 1].sum() for c in range(rank)]]
    return np.asarray(np.diff(explained) / np.vdot(centred, centred))


def _correlations(Z: Floats, M: Bools, scores: Floats) -> Floats:
    """Correlation of each column with each component over the observed cells."""
    if not scores.shape[1]:
        return np.zeros((Z.shape[1], 0))
    mask = M.astype(np.float64)
    count = mask.sum(0)[:, None]
    mean = mask.T @ scores / count
    variance = np.maximum(mask.T @ scores**2 / count - mean**2, 1e-12 * scores.var(0))
    # A column's observed cells have mean 0 and variance 1 already.
    covariance = (Z * mask).T @ scores / count
    return np.asarray(np.clip(covariance / np.sqrt(variance), -1.0, 1.0))


def _most(X: Floats, M: Bools) -> Floats:
    return np.asarray(np.where(M, X, -np.inf).max(0, initial=-np.inf))


def _least(X: Floats, M: Bools) -> Floats:
    return np.asarray(np.where(M, X, np.inf).min(0, initial=np.inf))
