"""Normal scores: values of any distribution on the scale of the standard normal one.

Within a column a value becomes the quantile of its place among all (Hazen's plotting position,
(place - 1/2) / n). Places alone do not tell a value that is far out from one that is just ahead
of the next, so the outer tenth on either side follows a generalized Pareto distribution fitted
to how far its values lie beyond the rest: the semi-parametric margins of Coles & Tawn (1991),
"Modelling extreme multivariate events", J. R. Stat. Soc. B 53:377. A value ten thousand times
the median of a heavy-tailed column is then as unusual as it is in that column, and no more.

Tables are n x p, one column a measure; NaN is missing, is ignored, and stays NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from followdata.core.scores import ranks

Floats = npt.NDArray[np.float64]

TAIL = 0.1
"""The part of the values on either side that counts as a tail."""
_LEAST_IN_TAIL = 10
_LEAST_BEYOND = 5
"""Fewer values beyond a tail's threshold say nothing of its shape; their places stand."""
_SHAPES = (-2.0, 1.0)
"""From a tail that ends, as a uniform distribution does, to one that barely has a mean."""
_EXPONENTIAL = 0.01
_LEAST_PART = 0.1
"""In a tail that ends, nothing is further out than one value in ten times as many."""
_WORTH = 2
"""How many values speak for an exponential tail, between those two, before any is seen."""


def normal_scores(X: Floats) -> Floats:
    """Each value's score on the scale of the standard normal distribution (n x p).

    Equal values have equal scores. A column of one value has the score 0 throughout.

    >>> normal_scores(np.array([[3.0], [1.0], [2.0], [np.nan]])).round(2).ravel().tolist()
    [0.97, -0.97, 0.0, nan]
    """
    from scipy.special import ndtri

    count = np.isfinite(X).sum(0)
    places = ranks(X)
    above = _beyond(X, places, count)
    below = _beyond(-X, count + 1 - places, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = ndtri((count - places + 0.5) / count)
    scores = np.where(np.isnan(above), scores, -ndtri(above))
    return np.asarray(np.where(np.isnan(below), scores, ndtri(below)))


def value_at(score: Floats, X: Floats, scores: Floats) -> Floats:
    """The value of each column of `X` (n x p) whose normal score is `score` (length p).

    `scores` are those of `X`. Between two values it is interpolated, unless the nearer one is
    shared by several: then it is that one, as with counts and answers of yes or no. Beyond the
    last value it is the last. NaN for a score that is NaN and for an empty column.

    >>> X = np.array([[0.0], [0.0], [0.0], [2.0], [3.0]])
    >>> [value_at(np.array([z]), X, normal_scores(X)).round(2).tolist() for z in (-0.1, 1.0)]
    [[0.0], [2.63]]
    """
    found = np.full(len(score), np.nan)
    for column, wanted in enumerate(score):
        known = np.isfinite(X[:, column])
        if known.any() and np.isfinite(wanted):
            values, first, sharing = np.unique(
                X[known, column], return_index=True, return_counts=True
            )
            at = scores[known, column][first]
            nearest = int(np.abs(at - wanted).argmin())
            interpolated = float(np.interp(wanted, at, values))
            found[column] = values[nearest] if sharing[nearest] > 1 else interpolated
    return found


def _beyond(X: Floats, places: Floats, count: npt.NDArray[np.int_]) -> Floats:
    """For values in the upper tail, the part of all that is expected beyond them; else NaN.

    The tail's scale and shape are found by probability-weighted moments (Hosking & Wallis 1987,
    "Parameter and quantile estimation for the generalized Pareto distribution").
    """
    tail = np.clip(np.ceil(TAIL * count), _LEAST_IN_TAIL, np.maximum(count // 3, 1)).astype(int)
    descending = -np.sort(np.where(np.isfinite(X), -X, np.inf), axis=0)
    at = np.minimum(tail, len(X) - 1)[None]
    threshold = np.take_along_axis(descending, at, axis=0)
    excess = X - threshold
    excess = np.where(excess > 0, excess, np.nan)
    beyond = np.isfinite(excess).sum(0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.nansum(excess, 0) / beyond
        lighter = np.nansum(excess * (places - 0.65) / beyond, 0) / beyond
        shape = 2 - mean / (mean - 2 * lighter)
        shape = np.where(np.isfinite(shape), np.clip(shape, -3, 2), 0.0)
        shape = beyond * shape / (beyond + _WORTH)
        shape = np.clip(shape, *_SHAPES)
        shape = np.where(np.abs(shape) < _EXPONENTIAL, _EXPONENTIAL, shape)
        scale = mean * (1 - np.minimum(shape, 0.9))
        # A tail that ends does so beyond the last value.
        furthest = np.nanmax(np.where(np.isnan(excess), 0.0, excess), axis=0, initial=0.0)
        scale = np.maximum(scale, -shape * furthest * (1 + 1 / beyond))
        part = beyond / count * (1 + shape * excess / scale) ** (-1 / shape)
        part = np.where(shape < 0, np.maximum(part, _LEAST_PART / count), part)
    return np.where((beyond >= _LEAST_BEYOND) & (mean > 0) & np.isfinite(mean), part, np.nan)
