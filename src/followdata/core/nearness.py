"""How alike things are because they lie near each other: correlation matrices to choose from.

Where coordinates are known, correlation falls with distance, soon or late, roughly or smoothly;
where only groups are (counties of one state), members of a group are alike. Which of these fits
is for the data to say (`followdata.core.intensity`, `followdata.core.smoothness`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXPONENTIAL, MATERN, GROUP = "exponential", "Matern 3/2", "group"
_HALVINGS = 6


@dataclass(frozen=True, eq=False)
class Nearness:
    """Correlations of `n` things (each n x n), and what each supposes: the name of a kernel and
    its range in the unit of the coordinates (NaN for groups). There may be none."""

    n: int
    kernels: Sequence[str]
    ranges: Sequence[float]
    matrices: Sequence[Floats]

    def of(self, rows: npt.NDArray[np.intp]) -> Nearness:
        """The same of some things only."""
        within = [matrix[np.ix_(rows, rows)] for matrix in self.matrices]
        return Nearness(len(rows), self.kernels, self.ranges, within)


def correlation(distance: Floats, kernel: str, reach: float) -> Floats:
    """How the correlation of two things falls with their distance, from 1.

    The Matern family with smoothness 1/2 (`EXPONENTIAL`: values differ between next neighbours
    too) and 3/2 (`MATERN`: values glide), as in Rasmussen & Williams (2006), Gaussian Processes for
    Machine Learning, eq. 4.17.

    >>> correlation(np.array([0.0, 50.0]), EXPONENTIAL, 50.0).round(3).tolist()
    [1.0, 0.368]
    """
    if kernel == EXPONENTIAL:
        return np.asarray(np.exp(-distance / reach))
    scaled = np.sqrt(3) * distance / reach
    return np.asarray((1 + scaled) * np.exp(-scaled))


def distances(places: Floats) -> Floats:
    """Between each two of the places (n x 2), n x n."""
    return np.asarray(np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)))


def by_distance(places: Floats) -> Nearness:
    """Both kernels, with ranges from half of the largest distance down by halves.

    >>> by_distance(np.array([[0.0, 0.0], [0.0, 100.0]])).ranges[:3]
    [50.0, 25.0, 12.5]
    """
    apart = distances(places)
    if not apart.max():
        return nowhere(len(places))
    reaches = [float(apart.max()) / 2 ** (1 + halving) for halving in range(_HALVINGS)]
    found = [(kernel, reach) for kernel in (EXPONENTIAL, MATERN) for reach in reaches]
    return Nearness(
        len(places),
        [kernel for kernel, _ in found],
        [reach for _, reach in found],
        [correlation(apart, kernel, reach) for kernel, reach in found],
    )


def by_group(groups: npt.NDArray[np.str_]) -> Nearness:
    """Members of one group are alike, and nothing is known of the groups ("" is none).

    >>> by_group(np.array(["a", "a", "b"])).matrices[0].tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    same = (groups[:, None] == groups[None]) & (groups != "")
    together = (same | np.eye(len(groups), dtype=bool)).astype(np.float64)
    return Nearness(len(groups), [GROUP], [np.nan], [together])


def nowhere(n: int) -> Nearness:
    """Nothing is known of who is near whom."""
    return Nearness(n, [], [], [])
