"""Dense layers one after the other, as a plain value.

Layer i takes a row x of sizes[i] values to f(x W + b), sizes[i + 1] values, with f one of
`ACTIVATIONS`. All weights and biases lie in one array, so that a network is stored as an array and
two short lists, with no code of any kind in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def sigmoid(sums: Floats) -> Floats:
    """1 / (1 + exp(-x)), by way of tanh, which cannot overflow.

    >>> sigmoid(np.array([0.0, 1000.0, -1000.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    return 0.5 * (1.0 + np.tanh(0.5 * sums))


ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "linear": lambda sums: sums,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda sums: np.maximum(sums, 0.0),
}


@dataclass(frozen=True)
class Network:
    """`sizes` of the input and of each layer, the `activations` of the layers, and `parameters`:
    layer by layer the weights (in x out, row by row), then the biases (out).

    Raises `ValueError` where these do not fit together.

    >>> Network([2, 1], ["linear"], np.array([1.0, 10.0, 0.5])).outputs(np.array([[1.0, 2.0]]))
    array([[21.5]])
    """

    sizes: list[int]
    activations: list[str]
    parameters: Floats

    def __post_init__(self) -> None:
        if len(self.sizes) != len(self.activations) + 1 or len(self.sizes) < 2:
            raise ValueError(f"{self.sizes} and {self.activations} are not as many layers")
        unknown = sorted(set(self.activations) - set(ACTIVATIONS))
        if unknown or min(self.sizes) < 1:
            raise ValueError(f"there is no activation {unknown} or no layer of {min(self.sizes)}")
        if self.parameters.shape != (count(self.sizes),):
            raise ValueError(
                f"layers {self.sizes} take {count(self.sizes)} parameters, not those of "
                f"shape {self.parameters.shape}"
            )

    @classmethod
    def of(cls, layers: Sequence[tuple[Floats, Floats]], activations: Sequence[str]) -> Self:
        """The network of these weights and biases."""
        sizes = [len(layers[0][0]), *(len(bias) for _, bias in layers)]
        flat = np.concatenate([part.ravel() for layer in layers for part in layer])
        return cls(sizes, list(activations), flat)

    @classmethod
    def begun(
        cls, sizes: Sequence[int], activations: Sequence[str], random: np.random.Generator
    ) -> Self:
        """An untrained network: random weights within bounds that keep sums as wide as what is
        summed (Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html)."""
        layers = []
        for wide, narrow in pairwise(sizes):
            bound = np.sqrt(6.0 / (wide + narrow))
            layers.append((random.uniform(-bound, bound, (wide, narrow)), np.zeros(narrow)))
        return cls.of(layers, activations)

    @property
    def layers(self) -> list[tuple[Floats, Floats]]:
        """Weights (in x out) and biases (out) of each layer."""
        return list(_layers(self.sizes, self.parameters))

    def outputs(self, X: Floats, *, begin: int = 0, end: int | None = None) -> Floats:
        """What the layers from `begin` to before `end` (all by default) make of the rows of `X`."""
        for weights, bias, activation in self._steps()[begin:end]:
            X = ACTIVATIONS[activation](X @ weights + bias)
        return X

    def _steps(self) -> list[tuple[Floats, Floats, str]]:
        return [(*layer, name) for layer, name in zip(self.layers, self.activations, strict=True)]


def count(sizes: Sequence[int]) -> int:
    """How many weights and biases layers of these sizes have.

    >>> count([3, 2, 3])
    17
    """
    return sum((wide + 1) * narrow for wide, narrow in pairwise(sizes))


def _layers(sizes: Sequence[int], flat: Floats) -> Iterator[tuple[Floats, Floats]]:
    at = 0
    for wide, narrow in pairwise(sizes):
        end = at + wide * narrow
        yield flat[at:end].reshape(wide, narrow), flat[end : end + narrow]
        at = end + narrow
