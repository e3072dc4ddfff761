"""Samples measured in different ways, put on one scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def on_common_scale(reference: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Both tables with the values of each row replaced by those of the reference's mean row of
    the same rank (quantile normalisation, Bolstad et al. 2003, Bioinformatics 19:185).

    `reference` is n x p, `others` m x p, both without missing values. Equal values of a row get
    the mean of what their ranks would get.

    >>> on_common_scale(np.array([[1.0, 2.0, 3.0]]), np.array([[30.0, 10.0, 20.0]]))[1].tolist()
    [[3.0, 1.0, 2.0]]
    """
    target = np.sort(reference, axis=1).mean(0)
    return _given(reference, target), _given(others, target)


def _given(X: Floats, target: Floats) -> Floats:
    from scipy.stats import rankdata

    least, most = rankdata(X, method="min", axis=1), rankdata(X, method="max", axis=1)
    total = np.concatenate([[0.0], np.cumsum(target)])
    first, last = least.astype(np.intp) - 1, most.astype(np.intp)
    return np.asarray((total[last] - total[first]) / (last - first))
