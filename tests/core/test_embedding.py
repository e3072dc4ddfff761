"""Maps from distances: by hand, against scikit-learn, as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core.embedding import distances, neighbour_ranks, scaled, trustworthiness

quick = settings(max_examples=30, deadline=None)


def points(seed: int, n: int = 40, p: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, p))


def test_distances_are_those_of_scipy() -> None:
    from scipy.spatial.distance import cdist

    X = points(0) + 1e3
    np.testing.assert_allclose(distances(X), cdist(X, X), atol=1e-6)
    assert (distances(X) == distances(X).T).all()
    assert (distances(np.ones((3, 2))) == 0).all()


def test_trustworthiness_by_hand() -> None:
    """Four on a line; the map swaps the last two, and k = 1."""
    ranks = neighbour_ranks(distances(np.array([[0.0], [1.0], [3.0], [7.0]])))
    places = np.array([[0.0], [1.0], [7.0], [3.0]])
    # Nearest on the map: 0-1, 1-0, 2-3, 3-1. In the data 3 is 3rd to 2, and 1 is 2nd to 3.
    assert trustworthiness(ranks, places, 1) == pytest.approx(1 - 2 / (4 * 1 * 4) * (2 + 1))


@pytest.mark.parametrize("k", [1, 5, 10])
def test_trustworthiness_is_that_of_scikit_learn(k: int) -> None:
    from sklearn.manifold import trustworthiness as theirs

    X = points(1)
    Y = X[:, :2] + 0.5 * points(2, p=2)
    ours = trustworthiness(neighbour_ranks(distances(X)), Y, k)
    assert ours == pytest.approx(theirs(X, Y, n_neighbors=k), abs=1e-12)


@quick
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_a_faithful_map_is_trusted_and_a_random_one_half(seed: int, k: int) -> None:
    X = points(seed)
    ranks = neighbour_ranks(distances(X))
    turned = 3 * X @ np.linalg.qr(points(seed + 1, 6))[0] + 5
    assert trustworthiness(ranks, turned, k) == pytest.approx(1)
    assert 0.2 < trustworthiness(ranks, points(seed + 2, p=2), k) < 0.8


@pytest.mark.parametrize("k", [0, 20])
def test_too_many_neighbours_are_refused(k: int) -> None:
    with pytest.raises(ValueError, match="less than half of 40"):
        trustworthiness(neighbour_ranks(distances(points(0))), points(0), k)


def test_scaling_finds_what_lies_in_a_plane() -> None:
    X = points(3, p=2)
    places, stress = scaled(distances(X), X + 0.3 * points(4, p=2), tolerance=1e-9)
    np.testing.assert_allclose(distances(places), distances(X), atol=1e-2)
    assert stress < 1e-3


def test_scaling_is_that_of_scikit_learn() -> None:
    from sklearn.manifold import smacof

    X = points(5)
    between, start = distances(X), X[:, :2]
    ours, _ = scaled(between, start, tolerance=1e-10, most_steps=2000)
    theirs, stress = smacof(
        between, init=start, n_init=1, max_iter=2000, eps=1e-10, normalized_stress=False
    )
    np.testing.assert_allclose(distances(ours), distances(theirs), atol=1e-2)
    assert ((distances(ours) - between) ** 2).sum() / 2 == pytest.approx(stress, rel=1e-4)


@quick
@given(st.integers(0, 10_000))
def test_scaling_never_makes_it_worse(seed: int) -> None:
    X = points(seed, n=15)
    X[1] = X[0]  # two in the same place
    start = X[:, :2]
    _, before = scaled(distances(X), start, most_steps=0)
    _, after = scaled(distances(X), start)
    assert after <= before + 1e-12
    assert scaled(np.zeros((3, 3)), np.ones((3, 2)))[1] == 0
