"""How often half of the data would find the same: selection stability.

After Meinshausen & Bühlmann (2010, JRSS B 72:417). Halves are made of whole groups of rows
(counties), so that neighbours do not stand in for each other in both halves.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

from followdata.core.intensity import Intensity
from followdata.core.projected import Projected
from followdata.core.scan import standardised

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

HALVES = 100
_FEWEST_GROUPS = 6
_LEAST = 1e-6


def halves(
    groups: npt.NDArray[np.str_] | None, n: int, random: np.random.Generator, number: int = HALVES
) -> list[Rows]:
    """Random halves of n rows, made of whole `groups` (n labels) where there are enough of them.

    >>> halves(None, 4, np.random.default_rng(0), 1)[0].size
    2
    """
    if groups is None or len(np.unique(groups)) < _FEWEST_GROUPS:
        groups = np.arange(n).astype(str)
    names, which = np.unique(groups, return_inverse=True)
    sizes = np.bincount(which)
    found = []
    for _ in range(number):
        order = random.permutation(len(names))
        taken = order[: int(np.searchsorted(sizes[order].cumsum(), n / 2)) + 1]
        found.append(np.flatnonzero(np.isin(which, taken)))
    return found


def stability(
    intensity: Intensity,
    Z: Floats,
    effect: Floats,
    inflation: Floats,
    drawn: list[Rows],
    executor: Executor | None = None,
    level: float = 0.05,
) -> Floats:
    """In what part of the halves `drawn` each column of `Z` (n x p, normal scores; NaN is a gap)
    is significant at `level`, with the sign of its `effect` (p).

    The variance of the null model is that of all rows, and chance is wider by `inflation` (p), as
    in `followdata.core.scan`. A missing value counts as what X lets expect, which tells nothing.
    """
    from scipy.special import ndtri

    rest = _rest(standardised(Z), intensity.linear.X)
    limit = -ndtri(level / 2) * inflation

    def found(rows: Rows) -> npt.NDArray[np.bool_]:
        half = Projected.of(intensity.linear.V[np.ix_(rows, rows)], intensity.linear.X[rows])
        within = rest[rows]
        inner = (half.P @ intensity.response[rows]) @ within
        # Rounding leaves a little less than nothing of a column that is even throughout a half.
        squares = np.maximum((within * (half.P @ within)).sum(0), _LEAST)
        return np.asarray(inner * np.sign(effect) > limit * np.sqrt(squares))

    counts = np.zeros(Z.shape[1])
    for hit in (executor.map if executor else map)(found, drawn):
        counts += hit
    return counts / len(drawn)


def _rest(Z: Floats, X: Floats) -> Floats:
    """What X leaves over of each column by least squares over its known rows; 0 in gaps."""
    known = np.isfinite(Z)
    filled = np.where(known, Z, 0.0)
    gram = np.einsum("nq,nr,np->pqr", X, X, known)
    slopes = np.linalg.solve(gram, (X.T @ filled).T[..., None])[..., 0]
    return np.where(known, filled - X @ slopes.T, 0.0)
