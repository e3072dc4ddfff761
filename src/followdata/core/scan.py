"""One column after the other against counts by place, in one pass: effects and two-sided tests.

Two things are unknown: what else makes counts differ from place to place, and how the columns
came to lie as they do. Each can be a model, and each gives a test of the same inner product of a
column z with the score P r of the null model (`followdata.core.intensity`):

* columns fixed, counts random: its variance is z' P z (a score test of a mixed model);
* counts fixed, columns random: its variance is that of a Gaussian process as smooth as the column
  (`followdata.core.smoothness`), which is the idea of randomisation tests that keep the spatial
  autocorrelation, such as Clifford, Richardson & Hémon 1989 (Biometrics 45:123).

The larger of the two p-values holds if either model does.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.gaps import Gaps
from followdata.core.intensity import Intensity
from followdata.core.nearness import Nearness
from followdata.core.smoothness import Smoothness, smoothness

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
FEWEST = 30
"""With fewer places that have a value nothing is tested."""
FEWEST_APART = 10
"""A column of which all but so few values are equal is a story about few places, not a test."""


@dataclass(frozen=True, eq=False)
class Scan:
    """For each of p columns: `effect`, the difference in log rate for one standard deviation, with
    its interval `low` to `high`; `p`, the larger of `p_counts` (columns fixed) and `p_columns`
    (counts fixed); `n`, how many places have a value. NaN where nothing was tested.

    `inflation` is how much wider the counts-fixed side says that chance is, at least 1;
    `smoothness` tells how smooth the tested columns are.
    """

    effect: Floats
    low: Floats
    high: Floats
    p: Floats
    p_counts: Floats
    p_columns: Floats
    n: npt.NDArray[np.int_]
    inflation: Floats
    smoothness: Smoothness


def can_be_tested(X: Floats) -> npt.NDArray[np.bool_]:
    """Which columns have enough values, not nearly all of them equal (p)."""
    found = np.zeros(X.shape[1], dtype=bool)
    for column, values in enumerate(X.T):
        known = values[np.isfinite(values)]
        if len(known) >= FEWEST:
            commonest = np.unique(known, return_counts=True)[1].max()
            found[column] = len(known) - commonest >= FEWEST_APART
    return found


def standardised(Z: Floats) -> Floats:
    """Columns with mean 0 and standard deviation 1 over what is known (n x p)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((Z - np.nanmean(Z, 0)) / np.nanstd(Z, 0))


def scan(
    intensity: Intensity, Z: Floats, nearness: Nearness, executor: Executor | None = None
) -> Scan:
    """Test each column of `Z` (n x p, normal scores; NaN is a gap) against the null model.

    A column with gaps is tested on the places that have a value, by the null model of those places.
    Columns of which `can_be_tested` says no should not be given.
    """
    Z = standardised(Z)
    gaps = Gaps.of(Z)
    filled = np.where(np.isfinite(Z), Z, 0.0)
    vectors = np.zeros((len(Z), len(gaps.patterns)))
    inner, squares = np.empty((2, Z.shape[1]))
    for number, (known, columns) in enumerate((one.known, one.columns) for one in gaps.patterns):
        P = intensity.linear.among(known)
        vectors[known, number] = P @ intensity.response[known]
        inner[columns] = vectors[:, number] @ filled[:, columns]
        within = filled[np.ix_(known, columns)]
        squares[columns] = (within * (P @ within)).sum(0)
    X = intensity.linear.X
    smooth = smoothness(filled, X, nearness, vectors, gaps, executor)
    return both_sides(inner, squares, smooth, X.shape[1])


def both_sides(inner: Floats, squares: Floats, smooth: Smoothness, q: int) -> Scan:
    """Both tests, from each column's inner product with the score and z' P z (p each), and how
    smooth the column is; `q` columns are allowed for."""
    from scipy.special import ndtr, ndtri

    error = np.sqrt(squares)
    p_counts = 2 * ndtr(-np.abs(inner) / error)
    p_columns = smooth.beyond(np.abs(inner))
    half = np.maximum(ndtri((1 + LEVEL) / 2) * error, smooth.critical(1 - LEVEL))
    inflation = np.sqrt((smooth.weights * smooth.spreads).sum(0) / squares)
    return Scan(
        effect=inner / squares,
        low=(inner - half) / squares,
        high=(inner + half) / squares,
        p=np.maximum(p_counts, p_columns),
        p_counts=p_counts,
        p_columns=p_columns,
        n=(smooth.freedom + q).astype(int),
        inflation=np.maximum(1.0, inflation),
        smoothness=smooth,
    )
