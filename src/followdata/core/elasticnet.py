"""What survives together: an elastic net near the mode of the null model of counts.

The working response of the null model (`followdata.core.intensity`) is linear in what further
columns add, with a covariance that knows overdispersion and neighbours. Whitened by that, with the
columns of X taken out, it is an ordinary regression, and the penalised one is solved by
scikit-learn's coordinate descent (Zou & Hastie 2005, JRSS B 67:301): one step of penalised
quasi-likelihood (Breslow & Clayton 1993).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.intensity import Intensity

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

MIXING = 0.5
"""How much of the penalty is on absolute values, the rest on squares: so columns that measure
nearly the same come in together."""
THRESHOLD = 0.75
_STEPS = 40
_SMALLEST = 0.02
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class White:
    """Columns `Z` (n x p) and a response `r` (n), with unit covariance and X taken out."""

    Z: Floats
    r: Floats


def whitened(intensity: Intensity, Z: Floats, rows: Rows) -> White:
    """The regression on complete columns `Z` (n x p) over some rows, made ordinary."""
    from scipy.linalg import cholesky, solve_triangular

    linear = intensity.linear
    factor = cholesky(linear.V[np.ix_(rows, rows)], lower=True, check_finite=False)
    right = np.column_stack([linear.X[rows], Z[rows], intensity.response[rows]])
    white = solve_triangular(factor, right, lower=True, check_finite=False)
    q = linear.X.shape[1]
    basis = np.linalg.qr(white[:, :q])[0]
    rest = white[:, q:] - basis @ (basis.T @ white[:, q:])
    return White(rest[:, :-1], rest[:, -1])


def path(white: White, penalties: Floats | None = None) -> tuple[Floats, Floats]:
    """Penalties from the one that keeps nothing downwards, and the coefficients under each
    (p x penalties)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import enet_path

    how = {"alphas": _STEPS, "eps": _SMALLEST} if penalties is None else {"alphas": penalties}
    with warnings.catch_warnings():
        # The weakest penalties of a path, which nothing chooses, may be left unfinished.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found, coefficients, _ = enet_path(
            np.asfortranarray(white.Z), white.r, l1_ratio=MIXING, tol=1e-3, max_iter=500, **how
        )
    return found, coefficients


def chosen_first(coefficients: Floats, most: int) -> npt.NDArray[np.bool_]:
    """Which columns are in at the last step of a path (p x steps) that holds at most so many.

    >>> chosen_first(np.array([[0.0, 1, 1], [0, 0, 2], [0, 0, 1]]), 2).tolist()
    [True, False, False]
    """
    inside = coefficients != 0
    fitting = np.flatnonzero(inside.sum(0) <= most)
    return np.asarray(inside[:, fitting[-1]] if len(fitting) else np.zeros(len(inside), bool))


def most_chosen(p: int, threshold: float = THRESHOLD) -> int:
    """How many of p columns each half may choose, so that at most one of those chosen in
    `threshold` of the halves is expected to be chance (Meinshausen & Bühlmann 2010, theorem 1).

    >>> most_chosen(400)
    14
    """
    return max(1, int(np.sqrt((2 * threshold - 1) * p)))


def chosen_often(intensity: Intensity, Z: Floats, drawn: Sequence[Rows]) -> Floats:
    """In what part of the halves `drawn` each complete column of `Z` (n x p) is among the first
    (p)."""
    most = most_chosen(Z.shape[1])

    def one(rows: Rows) -> npt.NDArray[np.bool_]:
        return chosen_first(path(whitened(intensity, Z, rows))[1], most)

    return np.asarray(np.mean([one(rows) for rows in drawn], axis=0))


def folds(groups: npt.NDArray[np.str_] | None, n: int, number: int, seed: int) -> list[Rows]:
    """Rows to hold out in turn: whole groups, in `number` parts of about as many rows."""
    names = np.arange(n).astype(str) if groups is None else groups
    found, which = np.unique(names, return_inverse=True)
    number = min(number, len(found))
    sizes, order = np.zeros(number), np.random.default_rng(seed).permutation(len(found))
    part = np.empty(len(found), dtype=np.intp)
    for group in order:
        part[group] = sizes.argmin()
        sizes[part[group]] += (which == group).sum()
    return [np.flatnonzero(part[which] == at) for at in range(number)]


@dataclass(frozen=True, eq=False)
class Net:
    """An elastic net of p columns: `slopes` (p), in log rate per standard deviation, and what each
    of n rows was foretold by nets that had not seen its group, `unseen` (n)."""

    slopes: Floats
    unseen: Floats


def elastic_net(
    intensity: Intensity, Z: Floats, groups: npt.NDArray[np.str_] | None, seed: int = 0
) -> Net:
    """Weigh complete columns `Z` (n x p); the penalty is the one that does best on groups that were
    held out in turn."""
    everyone = np.arange(len(Z))
    penalties, found = path(whitened(intensity, Z, everyone))
    errors, unseen = np.zeros(len(penalties)), np.empty((len(Z), len(penalties)))
    for held in folds(groups, len(Z), _FOLDS, seed):
        kept = np.setdiff1d(everyone, held)
        _, trial = path(whitened(intensity, Z, kept), penalties)
        test = whitened(intensity, Z, held)
        errors += ((test.r[:, None] - test.Z @ trial) ** 2).sum(0)
        unseen[held] = Z[held] @ trial
    best = int(errors.argmin())
    return Net(np.asarray(found[:, best]), unseen[:, best])
