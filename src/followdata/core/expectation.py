"""What to expect of a row of some size, and how far its values are from that.

Most columns of a table of towns say first of all how big a town is, and small towns differ more
than large ones. So a value is set against what rows of its size have. On the scale of normal
scores (`followdata.core.normal`)

    y_ij = m_j(s_i) + spread_j(s_i) e_ij

where s_i is the normal score of the row's size, m_j a natural cubic spline with four knots and
log spread_j one with three, both fitted robustly: by Huber's M-estimator, and by Fisher scoring
on absolute residuals that are cut off. Their bends are drawn to 0, so that a column with few
values gets a straight line and a constant spread. A score is e_ij, at most as far out as its
place among the e of its column allows, so that scores are comparable between columns whatever
their shape: about 1 in 44 is beyond 2 on either side.

Tables are n x p, one column a measure; NaN is missing, is ignored, and stays NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from followdata.core.normal import normal_scores
from followdata.core.scores import MEAN_AD_TO_SD

Floats = npt.NDArray[np.float64]

LEAST_SPREAD = 0.2
"""Of the spread of all values: what is left of a column that size explains but for 4 % of its
variance is not worth telling, and no spread is taken to be smaller."""
FEWEST_SIZES = 12
"""With fewer different sizes nothing is expected of size."""
_LEVEL_KNOTS = (0.05, 0.35, 0.65, 0.95)
_SPREAD_KNOTS = (0.05, 0.5, 0.95)
_LEVEL_PENALTY, _SPREAD_PENALTY = 10.0, 20.0
"""How many values must say that a line bends, or a spread changes, to be half believed."""
_TINY = 1e-6
_LEAST_FITTED = 0.02
_HUBER = 1.5
_MOST_AWAY = 3.0
_ROUNDS = 12
_MOST_PULL = 0.9


class Expectation(NamedTuple):
    """What is expected of every row in every column (all n x p, on the scale of normal scores).

    `normal` are the normal scores; `expected` what the other rows let expect at the row's size;
    `spread` the standard deviation of what they leave open; `scores` how far out the row is.
    `sized` says whether the sizes were enough to expect anything of.
    """

    normal: Floats
    expected: Floats
    spread: Floats
    scores: Floats
    sized: bool


def expectation(X: Floats, size: Floats | None = None) -> Expectation:
    """What rows of each size (length n) let expect, and how far each value is from it.

    Without sizes, or with fewer than `FEWEST_SIZES` different ones, the same is expected of
    every row. Rows without a size have no scores. A column that does not vary has none either.
    """
    if not len(X):
        return Expectation(X, X, X, X, False)
    sized = size is not None and len(np.unique(size[np.isfinite(size)])) >= FEWEST_SIZES
    sizes = size if size is not None and sized else np.zeros(len(X))
    normal = np.where(np.isfinite(sizes)[:, None], normal_scores(X), np.nan)
    normal = np.where(np.ptp(_filled(X), axis=0) > 0, normal, np.nan)
    known = np.isfinite(normal)
    places = normal_scores(sizes[:, None])[:, 0]
    level, change = _spline(places, _LEVEL_KNOTS), _spline(places, _SPREAD_KNOTS)
    spread = np.where(known, _usual_spread(normal), 1.0)
    strength = np.zeros((X.shape[1], change.shape[1]))
    strength[:, 0] = np.log(spread.max(axis=0))
    weights = known.astype(float)
    for _ in range(_ROUNDS):
        residual, pull = _level(level, normal, weights / spread**2)
        strength += _step(change, residual, spread, strength)
        spread = np.maximum(np.exp(change @ strength.T), _LEAST_FITTED)
        away = np.abs(residual) / spread
        weights = np.where(known, np.minimum(1, _HUBER / np.maximum(away, _TINY)), 0.0)
    residual, pull = _level(level, normal, weights / spread**2)
    spread = np.maximum(spread, LEAST_SPREAD)
    # A row's own value has pulled the line towards itself: the others expect `expected`.
    expected = normal - residual / (1 - pull)
    scores = no_further(residual / (spread * np.sqrt(1 - pull)))
    return Expectation(normal, expected, np.where(known, spread, np.nan), scores, sized)


def no_further(away: Floats) -> Floats:
    """Distances in standard deviations, none further out than its place in its column allows.

    Half of the values of a coin are far from the mean of all, and not one of them is unusual.
    """
    placed = normal_scores(away)
    same_side = np.sign(placed) == np.sign(away)
    nearer = np.sign(away) * np.minimum(np.abs(away), np.abs(placed))
    return np.where(np.isnan(away), np.nan, np.where(same_side, nearer, 0.0))


def _spline(places: Floats, at: tuple[float, ...]) -> Floats:
    """A basis, orthonormal over the rows, of natural cubic splines with knots at quantiles.

    Its first columns are a constant and a straight line (Harrell 2001, "Regression Modeling
    Strategies", 2.4.5). It is 0 for rows without a place.
    """
    there = np.isfinite(places)
    raw = [np.ones(there.sum())]
    if len(np.unique(places[there])) > 1:
        raw.append(places[there])
    # Knots fall together where many rows are of one size.
    knots = np.unique(np.quantile(places[there], at))
    if len(knots) > 2:
        cubes = np.clip(places[there, None] - knots, 0, None) ** 3 / np.ptp(knots) ** 2
        slopes = (cubes - cubes[:, -1:])[:, :-1] / (knots[-1] - knots[:-1])
        raw.extend((slopes[:, :-1] - slopes[:, -1:]).T)
    orthogonal, factor = np.linalg.qr(np.stack(raw, axis=1))
    basis = np.zeros((len(places), len(raw)))
    basis[there] = orthogonal * np.sign(np.diag(factor)) * np.sqrt(there.sum())
    return basis


def _level(basis: Floats, normal: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Residuals of a weighted penalised fit of every column, and each value's pull on its own.

    Weights are relative within a column: only then does the penalty count values.
    """
    there = weights > 0
    usual = np.exp(_mean(np.where(there, np.log(np.where(there, weights, 1)), np.nan)))
    weights = weights / usual
    k = basis.shape[1]
    penalty = np.diag([_TINY, _TINY, *[_LEVEL_PENALTY] * (k - 2)][:k])
    squares = _products(basis, weights) + penalty
    sums = (weights * np.where(there, normal, 0.0)).T @ basis
    fitted = basis @ np.linalg.solve(squares, sums[:, :, None])[:, :, 0].T
    inverse = np.linalg.inv(squares).reshape(-1, k * k)
    pull = weights * ((basis[:, :, None] * basis[:, None, :]).reshape(-1, k * k) @ inverse.T)
    return np.where(there, normal - fitted, np.nan), np.minimum(pull, _MOST_PULL)


def _step(basis: Floats, residual: Floats, spread: Floats, strength: Floats) -> Floats:
    """How the log spread's coefficients are to move: one step of penalised Fisher scoring."""
    there = np.isfinite(residual)
    away = np.minimum(MEAN_AD_TO_SD * np.abs(residual) / spread, _MOST_AWAY)
    penalty = np.array([_TINY, *[_SPREAD_PENALTY] * (basis.shape[1] - 1)])
    gradient = np.where(there, away - 1, 0.0).T @ basis - penalty * strength
    information = _products(basis, there.astype(float)) + np.diag(penalty)
    return np.clip(np.linalg.solve(information, gradient[:, :, None])[:, :, 0], -1, 1)


def _products(basis: Floats, weights: Floats) -> Floats:
    """The weighted cross products of the basis, one matrix a column (p x k x k)."""
    k = basis.shape[1]
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(-1, k * k)
    return (weights.T @ pairs).reshape(-1, k, k)


def _usual_spread(normal: Floats) -> Floats:
    deviation = np.sqrt(_mean((normal - _mean(normal)) ** 2))
    return np.maximum(deviation, LEAST_SPREAD)


def _mean(values: Floats) -> Floats:
    """The mean of each column, 0 for an empty one."""
    return np.asarray(np.nansum(values, axis=0) / np.maximum((~np.isnan(values)).sum(0), 1))


def _filled(X: Floats) -> Floats:
    """`X` with each column's own largest value in its gaps, which changes no range."""
    largest = np.max(np.where(np.isfinite(X), X, -np.inf), axis=0, initial=-np.inf)
    return np.where(np.isfinite(X), X, np.where(np.isfinite(largest), largest, 0.0))
