"""What calls of classes are worth, told by rows that had no part in learning."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_DRAWS = 10_000
_LEAST_SHARPNESS, _MOST_SHARPNESS = 1e-3, 1e3


class Accuracy(NamedTuple):
    """A share of right calls, and the interval that holds the true one in 95 of 100 cases."""

    value: float
    low: float
    high: float


class Reliability(NamedTuple):
    """Rows in bands of confidence: how many, their mean confidence, and how many were right."""

    number: Ints
    confidence: Floats
    right: Ints


def folds(classes: Ints, number: int, random: np.random.Generator) -> Ints:
    """The fold of each row (n), from 0, with every class spread as evenly as can be.

    >>> folds(np.array([0, 0, 0, 0, 1, 1]), 2, np.random.default_rng(0)).tolist()
    [1, 0, 0, 1, 1, 0]
    """
    fold = np.empty(len(classes), dtype=np.intp)
    dealt = 0
    for one in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == one))
        # The next class goes on where this one ended, so that folds are of one size.
        fold[rows] = (dealt + np.arange(len(rows))) % number
        dealt += len(rows)
    return fold


def balanced_accuracy(classes: Ints, calls: Ints) -> Accuracy:
    """The mean over classes of the share of their rows that are called right.

    The interval is that of Brodersen, Ong, Stephan & Buhmann 2010 ("The balanced accuracy and its
    posterior distribution", ICPR), with Jeffreys' prior for each class: the central 95 % of the
    mean of independent Beta(right + 1/2, wrong + 1/2). It supposes that rows are called
    independently; calls of one cross-validation are nearly so.

    >>> Accuracy(*(round(v, 1) for v in balanced_accuracy(np.array([0] * 9 + [1]), np.zeros(10))))
    Accuracy(value=0.5, low=0.4, high=0.9)
    """
    known = np.unique(classes)
    size = np.array([(classes == one).sum() for one in known])
    right = np.array([((classes == one) & (calls == one)).sum() for one in known])
    shape = (_DRAWS, len(known))
    drawn = np.random.default_rng(0).beta(right + 0.5, size - right + 0.5, shape).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Accuracy(float((right / size).mean()), float(low), float(high))


def confidences(likeness: Floats, sharpness: float) -> Floats:
    """Chances of each class (m x c) that grow with its likeness: exp(sharpness * likeness), made to
    add up to 1. A class without a likeness (NaN) has no chance; a row without any has NaN.

    >>> confidences(np.array([[0.5, 0.5, np.nan]]), 10.0).tolist()
    [[0.5, 0.5, 0.0]]
    """
    from scipy.special import softmax

    known = np.where(np.isnan(likeness), -np.inf, sharpness * likeness)
    with np.errstate(invalid="ignore"):
        return np.asarray(softmax(known, axis=1))


def log_loss(likeness: Floats, classes: Ints, sharpness: float) -> float:
    """The mean of -log of the chance that was given to the true class; rows without any likeness
    are left out."""
    chance = confidences(likeness, sharpness)[np.arange(len(classes)), classes]
    known = np.isfinite(chance)
    return float(-np.log(np.maximum(chance[known], 1e-12)).mean()) if known.any() else np.inf


def calibrated(likeness: Floats, classes: Ints) -> float:
    """The sharpness with which chances fit what came true: that of the highest likelihood.

    `likeness` (m x c) must come from rows that had no part in learning. One number cannot change
    the order of classes, only how sure a call is (temperature scaling; Guo, Pleiss, Sun &
    Weinberger 2017, "On calibration of modern neural networks", ICML).
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: log_loss(likeness, classes, float(np.exp(log))),
        bounds=(np.log(_LEAST_SHARPNESS), np.log(_MOST_SHARPNESS)),
        method="bounded",
    )
    return float(np.exp(found.x))


def reliability(confidence: Floats, right: npt.NDArray[np.bool_], edges: Floats) -> Reliability:
    """Rows by how sure their call is, in bands that begin at each of `edges` but the last.

    >>> found = reliability(np.array([0.5, 0.75, 0.95]), np.array([True, False, True]),
    ...                     np.array([0.5, 0.9, 1.0]))
    >>> found.number.tolist(), found.confidence.tolist(), found.right.tolist()
    ([2, 1], [0.625, 0.95], [1, 1])
    """
    band = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, len(edges) - 2)
    known = np.isfinite(confidence)
    number = np.bincount(band[known], minlength=len(edges) - 1)
    total = np.bincount(band[known], weights=confidence[known], minlength=len(edges) - 1)
    hit = np.bincount(band[known & right], minlength=len(edges) - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Reliability(number, total / number, hit)
