"""A whole row from a few of its values: what some columns, the markers, tell of all the others.

Every method is a function `learn(markers, others)` of two complete tables with the same rows,
n x m and n x q, each column with mean 0 and deviation 1; what it gives back is a function that
takes markers of further rows (k x m) to what it expects of their others (k x q). `METHODS` names
them. `held_out` measures them on rows that they have not learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Predict = Callable[[Floats], Floats]
Learn = Callable[[Floats, Floats], Predict]
Choose = Callable[[Floats, Ints], Ints]
Watch = Callable[[int], None]

AVERAGE, LINEAR, RIDGE, NEAREST, LATENT = (
    "average",
    "linear regression",
    "ridge regression",
    "nearest neighbours",
    "latent factors",
)
_PENALTIES = 10.0 ** np.arange(-6.0, 1.5, 0.5)
_NEIGHBOURS = (1, 2, 3, 5, 8, 12, 20, 30, 50)
_FACTORS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
_INNER = 5
_LEAST_NOISE = 0.01
"""No column is explained whole: a marker whose own noise were 0 would be believed blindly."""


def average(markers: Floats, others: Floats) -> Predict:
    """What is known without any marker: the mean of the rows learnt from."""
    return lambda new: np.zeros((len(new), others.shape[1]))


def linear(markers: Floats, others: Floats) -> Predict:
    """Least squares, for each of the others by itself; of all that fit as well, as they do where
    markers outnumber rows, the one with the smallest weights.

    >>> rule = linear(np.array([[-1.0], [0.0], [1.0]]), np.array([[-2.0], [0.0], [2.0]]))
    >>> rule(np.array([[3.0]])).round(6).tolist()
    [[6.0]]
    """
    weights = np.linalg.lstsq(markers, others, rcond=None)[0]
    return lambda new: np.asarray(new @ weights)


def ridge(markers: Floats, others: Floats) -> Predict:
    """Least squares with small weights preferred, as strongly as serves rows left out one by one.

    One strength serves all the others (Hoerl & Kennard 1970,
    https://doi.org/10.1080/00401706.1970.10488634; the errors of rows left out follow from one
    fit: Golub, Heath & Wahba 1979, https://doi.org/10.1080/00401706.1979.10489751).
    """
    U, s, Vt = np.linalg.svd(markers, full_matrices=False)
    turned = U.T @ others
    total = max(float(np.sum(s**2)), np.finfo(np.float64).tiny)
    errors = []
    for penalty in _PENALTIES * total:
        kept = s**2 / (s**2 + penalty)
        # 1/n is the part that the mean takes up.
        leverage = (U**2) @ kept + 1.0 / len(U)
        missed = (others - (U * kept) @ turned) / np.maximum(1.0 - leverage, 1e-9)[:, None]
        errors.append(float(np.sum(missed**2)))
    penalty = float(_PENALTIES[int(np.argmin(errors))]) * total
    weights = Vt.T @ ((s / (s**2 + penalty))[:, None] * turned)
    return lambda new: np.asarray(new @ weights)


def nearest(markers: Floats, others: Floats) -> Predict:
    """The mean of the rows that are nearest in the markers, as many as serve rows left out."""
    distance = _distances(markers, markers)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")
    counts = [count for count in _NEIGHBOURS if count < len(markers)] or [1]
    errors = [float(np.sum((_mean_of(order, count, others) - others) ** 2)) for count in counts]
    count = counts[int(np.argmin(errors))]

    def predict(new: Floats) -> Floats:
        order = np.argsort(_distances(new, markers), axis=1, kind="stable")
        return _mean_of(order, count, others)

    return predict


def latent(markers: Floats, others: Floats) -> Predict:
    """A few factors that all columns share, told from the markers with each one's noise allowed
    for; as many factors as serve rows left out.

    Markers and others together are taken as factors times loadings and noise, all normal; what is
    expected of the factors given the markers is then linear in them. It is the way of Tradict
    (Biswas et al. 2017, https://doi.org/10.1038/ncomms15309), on values as they are in place of
    counts: whoever has counts takes their logarithms first.
    """
    both = np.hstack([markers, others])
    folds = np.arange(len(both)) % min(_INNER, len(both))
    errors: dict[int, float] = {}
    for fold in np.unique(folds):
        kept, out = both[folds != fold], both[folds == fold]
        mean = kept.mean(axis=0)
        for count, weights in _factored(kept - mean, markers.shape[1]):
            expected = (out - mean)[:, : markers.shape[1]] @ weights
            missed = float(np.sum((expected - (out - mean)[:, markers.shape[1] :]) ** 2))
            errors[count] = errors.get(count, 0.0) + missed
    if not errors:
        return average(markers, others)
    best = min(errors, key=lambda count: errors[count])
    weights = next(w for count, w in _factored(both, markers.shape[1]) if count == best)
    return lambda new: np.asarray(new @ weights)


METHODS: Mapping[str, Learn] = {
    AVERAGE: average,
    LINEAR: linear,
    RIDGE: ridge,
    NEAREST: nearest,
    LATENT: latent,
}


@dataclass(frozen=True)
class HeldOut:
    """What methods made of rows that they had not learnt from.

    `missed` has for each method by how much each value was missed (n x p, in the columns' own
    units): NaN where the value is missing, belongs to a marker, or could not be told because its
    column does not vary in the rows learnt from. `markers` (f x p) says which columns were markers
    in each of the f folds.
    """

    missed: Mapping[str, Floats]
    markers: Bools


def held_out(
    X: Floats,
    folds: Ints,
    choose: Choose,
    methods: Mapping[str, Learn] = METHODS,
    watch: Watch | None = None,
) -> HeldOut:
    """Hold out the rows of each fold in turn, learn from the others, tell what is held out.

    `X` is n x p, NaN where missing; `folds` (n) numbers the fold of each row from 0, or is
    negative for rows that are only learnt from. `choose(Z, columns)` takes the standardised rows
    learnt from (n' x p', those columns that vary there) and where their columns stand in `X` to the
    positions of the markers among them. Means, deviations and markers come from the rows learnt
    from alone. A missing value is at the mean when it is learnt from or is a marker's, and counts
    in no error. `watch` is told how many folds are done.

    Raises `ValueError` where fewer than three rows are left to learn from, or no marker.

    >>> line = np.outer(np.arange(12.0), [1.0, 2.0, -1.0])
    >>> found = held_out(line, np.arange(12) % 3, lambda Z, columns: np.array([0]))
    >>> bool(np.nanmax(found.missed["linear regression"]) < 1e-9)
    True
    """
    numbers = np.unique(folds[folds >= 0])
    missed = {name: np.full(X.shape, np.nan) for name in methods}
    marked = np.zeros((len(numbers), X.shape[1]), dtype=bool)
    for at, fold in enumerate(numbers):
        inside = folds != fold
        if inside.sum() < 3:
            raise ValueError(f"{int(inside.sum())} rows are too few to learn from")
        scaled = _Scaled.of(X[inside])
        learnt, asked = scaled.apply(X[inside]), scaled.apply(X[folds == fold])
        varying = np.flatnonzero(scaled.vary)
        markers = varying[choose(learnt[:, varying], varying)]
        if not len(markers):
            raise ValueError("no marker varies in the rows learnt from")
        marked[at, markers] = True
        others = np.flatnonzero(scaled.vary & ~marked[at])
        place = np.ix_(folds == fold, others)
        for name, learn in methods.items():
            told = learn(learnt[:, markers], learnt[:, others])(asked[:, markers])
            own = told * scaled.deviation[others] + scaled.mean[others]
            missed[name][place] = np.where(np.isfinite(X[place]), np.abs(own - X[place]), np.nan)
        if watch:
            watch(at + 1)
    return HeldOut(missed, marked)


def explained(missed: Floats, without: Floats) -> Floats:
    """For each column the share of its held-out variation that is told (p): R2, which is 1 where
    nothing is missed, 0 for what misses as much as the mean of the rows learnt from (`without`),
    and below 0 for what misses more.

    >>> explained(np.array([[1.0], [1.0]]), np.array([[2.0], [2.0]])).tolist()
    [0.75]
    """
    told, untold = np.nansum(missed**2, axis=0), np.nansum(without**2, axis=0)
    shares: Floats = np.full(len(told), np.nan)
    np.divide(told, untold, out=shares, where=untold > 0)
    return np.asarray(1.0 - shares)


def mean_within(values: Floats) -> tuple[float, float, float]:
    """The mean of independent values and its 95 % interval by Student's t; NaN for fewer than two.

    >>> [round(number, 2) for number in mean_within(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.48, 4.48]
    """
    from scipy.stats import t

    known = values[np.isfinite(values)]
    if not len(known):
        return np.nan, np.nan, np.nan
    mean = float(known.mean())
    if len(known) < 2:
        return mean, np.nan, np.nan
    half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return mean, mean - half, mean + half


def better_by(errors: Floats, than: Floats) -> tuple[float, float, float]:
    """By what share `errors` are below those of another method on the same rows or groups, in the
    mean of their ratios (geometric), with the 95 % interval of it.

    >>> [round(share, 2) for share in better_by(np.array([0.8, 0.9]), np.array([1.0, 1.0]))]
    [0.15, -0.79, 0.6]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(errors / than)
    mean, low, high = mean_within(ratios)
    return 1.0 - float(np.exp(mean)), 1.0 - float(np.exp(high)), 1.0 - float(np.exp(low))


@dataclass(frozen=True)
class _Scaled:
    """Means and deviations (p each) of the rows learnt from; `vary` says which columns have any."""

    mean: Floats
    deviation: Floats
    vary: Bools

    @classmethod
    def of(cls, X: Floats) -> _Scaled:
        observed = np.isfinite(X)
        count = np.maximum(observed.sum(axis=0), 1)
        mean = np.where(observed, X, 0.0).sum(axis=0) / count
        deviation = np.sqrt((np.where(observed, X - mean, 0.0) ** 2).sum(axis=0) / count)
        vary = deviation > 1e-12 * np.maximum(np.abs(mean), 1.0)
        return cls(mean, np.where(vary, deviation, 1.0), vary)

    def apply(self, X: Floats) -> Floats:
        return np.where(np.isfinite(X), (X - self.mean) / self.deviation, 0.0)


def _distances(A: Floats, B: Floats) -> Floats:
    """Squared Euclidean distances: len(A) x len(B)."""
    squares = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * A @ B.T, 0.0))


def _mean_of(order: Ints, count: int, others: Floats) -> Floats:
    share = np.zeros((len(order), len(others)))
    np.put_along_axis(share, order[:, :count], 1.0 / count, axis=1)
    return share @ others


def _factored(both: Floats, markers: int) -> Iterator[tuple[int, Floats]]:
    """For each number of factors: the weights (m x q) that take markers to the others."""
    _, s, Vt = np.linalg.svd(both, full_matrices=False)
    deviations = s / np.sqrt(len(both))
    # The last directions of so few rows hold nothing but noise, and the last of all nothing.
    for count in (count for count in _FACTORS if count < min(both.shape)):
        loadings = Vt[:count].T * deviations[:count]
        noise = np.maximum((both**2).mean(axis=0) - (loadings**2).sum(axis=1), _LEAST_NOISE)
        mine, theirs = loadings[:markers], loadings[markers:]
        weighted = mine / noise[:markers, None]
        precision = np.eye(count) + mine.T @ weighted
        yield count, weighted @ np.linalg.solve(precision, theirs.T)
