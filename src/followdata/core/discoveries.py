"""Which of many tests can be believed: the false discovery rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def q_values(p: Floats) -> Floats:
    """Benjamini-Hochberg adjusted p-values of one family of tests, in the shape of `p`.

    All that is in `p` is one family: genes x groups are corrected over both. NaN is no test; it is
    left out of the family and stays NaN (Benjamini & Hochberg 1995, JRSS B 57:289).

    >>> q_values(np.array([[0.01, 0.04], [np.nan, 0.03]])).tolist()
    [[0.03, 0.04], [nan, 0.04]]
    """
    from scipy.stats import false_discovery_control

    tested = ~np.isnan(p)
    q = np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return q
