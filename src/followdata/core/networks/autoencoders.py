"""Denoising and stacked autoencoders: rows pressed through narrow layers and brought back.

A stack of layers ever narrower makes the code, a stack of the same layers turned round brings the
row back. Each layer is taught by itself first, to bring back what the layer below makes of the
rows, and then all together (Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647).
With corruption the network is shown damaged rows and asked for the whole ones (Vincent et al. 2010,
https://jmlr.org/papers/v11/vincent10a.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from followdata.core.networks.network import Floats, Network
from followdata.core.networks.training import Course, Watch, train

DENOISING = Course(cycles=400, rate=0.003, batch=32, zeroed=0.2)


@dataclass(frozen=True)
class Autoencoder(Network):
    """A network that brings back its own input, and how its input is scaled.

    The first `depth` layers make the code. `low` and `span` (p each) are each column's least value
    and range over the rows learnt from (range 1 where it does not vary), and `mean` its mean on
    the scale of 0..1; NaN for a column without any value.
    """

    depth: int
    low: Floats
    span: Floats
    mean: Floats


def fit(
    X: Floats,
    hidden: Sequence[int] = (2,),
    *,
    activation: str = "tanh",
    output: str = "linear",
    tied: bool = True,
    layerwise: bool = True,
    course: Course = DENOISING,
    seed: int = 0,
    watch: Watch | None = None,
) -> Autoencoder:
    """An autoencoder of the rows of `X` (n x p; NaN is missing), its layers as wide as `hidden`.

    The last of `hidden` is the code, which has the activation too. `output` is the activation of
    what comes out. A missing value is shown as its column's mean and asked of nobody. `watch` sees
    the last stage, in which all layers learn together. Needs PyTorch.

    Raises `ValueError` for a table without rows or columns, or with a column without any value.
    """
    if X.ndim != 2 or not X.size:
        raise ValueError(f"X must be rows x columns with something in it, not {X.shape}")
    observed = np.isfinite(X)
    if not observed.any(axis=0).all():
        raise ValueError("a column has no value at all")
    low = np.min(X, axis=0, where=observed, initial=np.inf)
    high = np.max(X, axis=0, where=observed, initial=-np.inf)
    span = np.where(high > low, high - low, 1.0)
    wanted = np.where(observed, (X - low) / span, np.nan)
    mean = np.nanmean(wanted, axis=0)
    given = np.where(observed, wanted, mean)
    stack = _stack(X.shape[1], hidden, activation, output, seed)
    if layerwise and len(hidden) > 1:
        stack = _layer_by_layer(stack, given, course, tied, seed)
    elif tied:
        stack = _turned(stack)
    learnt = train(stack, given, wanted, course, tied=tied, seed=seed, watch=watch)
    return Autoencoder(
        learnt.sizes, learnt.activations, learnt.parameters, len(hidden), low, span, mean
    )


def scale(model: Autoencoder, X: Floats) -> Floats:
    """Rows of `X` on the model's scale, 0..1 over the values it learnt from; NaN is missing."""
    return (np.where(np.isfinite(X), X, np.nan) - model.low) / model.span


def encode(model: Autoencoder, X: Floats) -> Floats:
    """The codes of the rows of `X`: n x h; a missing value is taken as its column's mean."""
    scaled = scale(model, X)
    return model.outputs(np.where(np.isfinite(scaled), scaled, model.mean), end=model.depth)


def decode(model: Autoencoder, codes: Floats) -> Floats:
    """What codes (n x h) stand for, on the scale of 0..1: n x p."""
    return model.outputs(codes, begin=model.depth)


def errors(model: Autoencoder, X: Floats) -> Floats:
    """By how much each cell of `X` is missed, on the scale of 0..1; NaN where it is missing."""
    return np.abs(decode(model, encode(model, X)) - scale(model, X))


def _stack(columns: int, hidden: Sequence[int], activation: str, output: str, seed: int) -> Network:
    inward = [columns, *hidden]
    activations = [activation] * (2 * len(hidden) - 1) + [output]
    random = np.random.default_rng(seed)
    return Network.begun([*inward, *inward[-2::-1]], activations, random)


def _turned(stack: Network) -> Network:
    """The stack with each later layer's weights those of its fellow, turned over."""
    layers = stack.layers
    half = len(layers) // 2
    turned = [(layers[half - 1 - n][0].T, layers[half + n][1]) for n in range(half)]
    return Network.of([*layers[:half], *turned], stack.activations)


def _layer_by_layer(
    stack: Network, given: Floats, course: Course, tied: bool, seed: int
) -> Network:
    """The stack with each pair of layers taught to bring back what lies between them."""
    layers = stack.layers
    half = len(layers) // 2
    below = given
    for number in range(half):
        pair = [layers[number], layers[-1 - number]]
        activations = [stack.activations[number], stack.activations[-1 - number]]
        lone = Network.of(pair, activations)
        # Corruption belongs to the rows: a code is shown as it is.
        own = course if number == 0 else replace(course, zeroed=0.0, noise=0.0)
        lone = train(_turned(lone) if tied else lone, below, below, own, tied=tied, seed=seed)
        layers[number], layers[-1 - number] = lone.layers
        below = lone.outputs(below, end=1)
    return Network.of(layers, stack.activations)
