"""Maps of things whose distances are given: multidimensional scaling, and how far to trust a map.

Distances are symmetric n x n matrices with zeros on the diagonal; a map is n x d.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


def distances(points: Floats) -> Floats:
    """Euclidean distances between the rows of `points`.

    >>> distances(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    centred = points - points.mean(0)
    return distances_from(centred @ centred.T)


def distances_from(products: Floats) -> Floats:
    """Euclidean distances between points whose inner products, around any centre, are known.

    >>> distances_from(np.array([[0.0, 0.0], [0.0, 25.0]])).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    squares = products.diagonal()
    between = squares[:, None] + squares - 2 * products
    np.fill_diagonal(between, 0.0)
    return np.asarray(np.sqrt(np.maximum(between, 0.0)))


def neighbour_ranks(between: Floats) -> Ints:
    """For each row, the rank of every other by its distance: 1 is the nearest; itself 0.

    Of two at the same distance the one that comes first is the nearer.

    >>> neighbour_ranks(distances(np.array([[0.0], [1.0], [3.0]]))).tolist()
    [[0, 1, 2], [1, 0, 2], [2, 1, 0]]
    """
    n = len(between)
    own = between.copy()
    np.fill_diagonal(own, -1.0)
    order = np.argsort(own, axis=1, kind="stable")
    ranks = np.empty((n, n), dtype=np.int32)
    np.put_along_axis(ranks, order, np.arange(n, dtype=np.int32)[None, :], axis=1)
    return ranks


def trustworthiness(ranks: Ints, places: Floats, neighbours: int = 10) -> float:
    """Whether those that lie close together on a map are close in the data, from 0 to 1.

    `ranks` are those of the neighbours in the data (n x n, see `neighbour_ranks`), `places` the
    map. Every pair among the `neighbours` nearest on the map that is not among them in the data
    costs by how far its rank is beyond; chance alone gives about 0.5 (Venna & Kaski 2001,
    "Neighborhood preservation in nonlinear projection methods"). `neighbours` must be less than
    half of n.

    >>> line = np.arange(8.0)[:, None]
    >>> trustworthiness(neighbour_ranks(distances(line)), 5 - line, neighbours=2)
    1.0
    """
    n, k = len(ranks), neighbours
    if not 1 <= k < n / 2:
        raise ValueError(f"neighbours must be at least 1 and less than half of {n}")
    between = distances(places)
    np.fill_diagonal(between, -1.0)
    nearest = np.argsort(between, axis=1, kind="stable")[:, 1 : k + 1]
    beyond = np.take_along_axis(ranks, nearest, axis=1) - k
    cost = 2.0 / (n * k * (2 * n - 3 * k - 1))
    return float(1.0 - cost * beyond[beyond > 0].sum())


def scaled(
    between: Floats, start: Floats, *, tolerance: float = 1e-4, most_steps: int = 300
) -> tuple[Floats, float]:
    """Places whose distances come as near to `between` as can be, and the stress that is left.

    Metric multidimensional scaling by majorisation (SMACOF; de Leeuw 1977, Borg & Groenen 2005,
    chapter 8) from the places `start`, until a step lessens the stress by less than `tolerance`
    of it. The stress is Kruskal's stress-1, from 0 (all distances kept).

    >>> corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> places, stress = scaled(distances(corners), corners + [[0.1, 0.0], [0, 0], [0, 0], [0, 0]])
    >>> round(stress, 2), distances(places).round(1)[0].tolist()
    (0.0, [0.0, 1.0, 1.0, 1.4])
    """
    places = start - start.mean(0)
    n, whole = len(between), float((between**2).sum())
    if not whole:
        return np.zeros_like(places), 0.0
    stress = np.inf
    for _ in range(most_steps):
        found = distances(places)
        left = float(((found - between) ** 2).sum())
        if stress - left <= tolerance * left:
            break
        stress = left
        # Guttman's transform; those in the same place pull neither way.
        pull = np.divide(between, found, out=np.zeros_like(between), where=found > 0)
        places = (pull.sum(1)[:, None] * places - pull @ places) / n
    left = float(((distances(places) - between) ** 2).sum())
    return places, float(np.sqrt(left / whole))
