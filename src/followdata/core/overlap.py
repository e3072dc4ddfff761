"""Whether a list of things and a marked set have more in common than by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def overlap_p(listed: Bools, marked: Bools) -> Floats:
    """For each marked set, the chance that a list as long shares as many with it or more.

    `listed` has length p, the background; `marked` is g x p. Lists are drawn without putting back
    (hypergeometric, one-sided).

    >>> overlap_p(np.array([1, 1, 0, 0]) > 0, np.array([[1, 1, 0, 0]]) > 0).round(4).tolist()
    [0.1667]
    """
    from scipy.stats import hypergeom

    both = (marked & listed).sum(1)
    return np.asarray(hypergeom.sf(both - 1, len(listed), marked.sum(1), listed.sum()))
