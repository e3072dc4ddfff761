"""Networks as plain values: by hand, and stored and loaded again."""

from __future__ import annotations

import numpy as np
import pytest

from followdata.core.networks.network import Network, count
from followdata.store import Store


def test_two_layers_by_hand() -> None:
    layers = [
        (np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([0.5, 0.0])),
        (np.array([[1.0], [1.0]]), np.array([-1.0])),
    ]
    network = Network.of(layers, ["relu", "linear"])
    # (1, 2): sums 1.5 and 3; (0, -1): 0.5 and -2, which relu makes 0.
    assert network.outputs(np.array([[1.0, 2.0], [0.0, -1.0]])).tolist() == [[3.5], [-0.5]]
    assert network.outputs(np.array([[1.0, 2.0]]), end=1).tolist() == [[1.5, 3.0]]
    assert network.outputs(np.array([[1.5, 3.0]]), begin=1).tolist() == [[3.5]]
    for mine, given in zip(network.layers, layers, strict=True):
        np.testing.assert_array_equal(mine[0], given[0])
        np.testing.assert_array_equal(mine[1], given[1])


def test_sums_stay_as_wide_as_what_is_summed() -> None:
    network = Network.begun([400, 400], ["linear"], np.random.default_rng(0))
    told = network.outputs(np.random.default_rng(1).normal(size=(50, 400)))
    assert 0.9 < told.std() < 1.1


@pytest.mark.parametrize(
    ("sizes", "activations", "parameters"),
    [([3, 2], [], 8), ([3, 2], ["tanh"], 7), ([3, 2], ["cosine"], 8), ([3], [], 0)],
)
def test_what_does_not_fit_together_is_refused(
    sizes: list[int], activations: list[str], parameters: int
) -> None:
    with pytest.raises(ValueError, match=r"layers|activation|parameters"):
        Network(sizes, activations, np.zeros(parameters))


def test_a_network_is_stored_without_code_in_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    network = Network.begun([5, 3, 5], ["tanh", "linear"], np.random.default_rng(0))
    store = Store(tmp_path)
    store.keep_fitted("network", network)
    loaded = store.fitted("network", Network)
    X = np.random.default_rng(1).normal(size=(4, 5))
    np.testing.assert_array_equal(loaded.outputs(X), network.outputs(X))
    assert loaded.parameters.size == count([5, 3, 5])
