"""A plain classifier for few rows and many columns: logistic regression, held small.

Columns are put on one scale, and the penalty on the squares of the coefficients is chosen on rows
held out. A missing value adds nothing to a row's sum, as if the mean of its column over the rows
learnt from stood there; no table is filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from followdata.core.heldout import folds, log_loss

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_FREEDOMS = (0.1, 1.0, 10.0, 100.0)
"""How free coefficients may be, in turn; more columns that say the same leave less to each."""
_INNER = 5


def called(X: Floats, classes: Ints, others: Floats, *, seed: int = 0) -> Ints:
    """What the rows of `others` (m x p) are called by a model learnt from `X` (n x p) and `classes`
    (n, from 0): m. Classes count alike, however many rows they have.

    >>> X = np.array([[0.0], [0.1], [0.2], [2.0], [2.1], [2.2]])
    >>> called(X, np.array([0, 0, 0, 1, 1, 1]), np.array([[0.3], [1.9]])).tolist()
    [0, 1]
    """
    fold = folds(classes, _INNER, np.random.default_rng(seed))
    losses = np.zeros(len(_FREEDOMS))
    for out in (fold == one for one in range(_INNER)):
        if out.any() and np.isin(classes, classes[~out]).all():
            rows = _Rows.of(X[~out])
            for number, freedom in enumerate(_FREEDOMS):
                chances = rows.fitted(classes[~out], freedom).predict_proba(rows.turned(X[out]))
                held = np.log(np.maximum(chances, 1e-12))
                losses[number] += out.sum() * log_loss(held, classes[out], 1.0)
    rows = _Rows.of(X)
    model = rows.fitted(classes, _FREEDOMS[int(np.argmin(losses))])
    return np.asarray(model.predict(rows.turned(others)), dtype=np.intp)


@dataclass(frozen=True)
class _Rows:
    """Rows to learn from: how they are put on one scale, and `axes` (r x p) that span them.

    The coefficients with the least squares lie in the space of the rows, so a model learnt along
    these few axes is the one that all columns would give.
    """

    mean: Floats
    spread: Floats
    axes: Floats
    places: Floats

    @classmethod
    def of(cls, X: Floats) -> _Rows:
        observed = ~np.isnan(X)
        number = np.maximum(observed.sum(axis=0), 1)
        mean = np.where(observed, X, 0.0).sum(axis=0) / number
        spread = np.sqrt((np.where(observed, X - mean, 0.0) ** 2).sum(axis=0) / number)
        spread = np.where(spread > 0, spread, 1.0)
        Z = np.nan_to_num((X - mean) / spread, nan=0.0)
        left, size, axes = np.linalg.svd(Z, full_matrices=False)
        return cls(mean, spread, axes, left * size)

    def turned(self, X: Floats) -> Floats:
        """Other rows along the axes."""
        return np.asarray(np.nan_to_num((X - self.mean) / self.spread, nan=0.0) @ self.axes.T)

    def fitted(self, classes: Ints, freedom: float) -> Any:
        from sklearn.linear_model import LogisticRegression

        freedom /= self.axes.shape[1]
        model = LogisticRegression(C=freedom, class_weight="balanced", max_iter=1000, tol=1e-3)
        return model.fit(self.places, classes)
