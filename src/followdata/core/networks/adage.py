"""A denoising autoencoder whose weights are read as sets of genes.

One hidden layer of sigmoid nodes, tied weights W (p columns x h nodes), all between 0 and 1:

    activity = s(x W + b)         x: a row, each column scaled to 0..1;  s: the sigmoid
    x'       = s(activity W' + c)

Learnt is what makes the cross-entropy between x and x' small when a part of x has been set to 0
(ADAGE: Tan, Hammond, Hogan & Greene 2016, https://doi.org/10.1128/mSystems.00025-15). A node
answers to the columns of large weight: those beyond `BEYOND` standard deviations of the node's
weights, of either sign, are its set. One node in use or another may mean the same with all signs
turned.

With one layer the slopes are short enough to be written out, so that no more than NumPy is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.networks.network import sigmoid

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Watch = Callable[[int, float], None]

BEYOND = 2.5
"""So many standard deviations from the mean of its node's weights, a weight is high."""
_KEEP_MEAN, _KEEP_SQUARE, _LEAST = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Adage:
    """`weights` (p x h) with `hidden_bias` (h) and `visible_bias` (p)."""

    weights: Floats
    hidden_bias: Floats
    visible_bias: Floats

    def __post_init__(self) -> None:
        p, h = self.weights.shape
        if self.hidden_bias.shape != (h,) or self.visible_bias.shape != (p,):
            raise ValueError(
                f"weights {self.weights.shape} with biases {self.hidden_bias.shape} and "
                f"{self.visible_bias.shape}"
            )


def raw_activity(model: Adage, S: Floats) -> Floats:
    """What each node adds up to for rows scaled to 0..1 (n x p, complete): n x h."""
    return S @ model.weights + model.hidden_bias


def activity(model: Adage, S: Floats) -> Floats:
    """How active each node is, 0..1, for rows scaled to 0..1 (n x p, complete): n x h.

    >>> one = Adage(np.array([[2.0], [-2.0]]), np.zeros(1), np.zeros(2))
    >>> activity(one, np.array([[1.0, 0.0], [0.5, 0.5]])).round(3).tolist()
    [[0.881], [0.5]]
    """
    return sigmoid(raw_activity(model, S))


def restored(model: Adage, activities: Floats) -> Floats:
    """The rows (n x p, 0..1) that activities (n x h) stand for."""
    return sigmoid(activities @ model.weights.T + model.visible_bias)


def standing_out(weights: Floats) -> Floats:
    """Weights (p x h) in standard deviations from the mean of their node."""
    deviation = weights.std(axis=0)
    centred: Floats = weights - weights.mean(axis=0)
    return centred / np.where(deviation > 0, deviation, 1.0)


def high_weight(weights: Floats, beyond: float = BEYOND) -> tuple[Bools, Bools]:
    """Which columns each node answers to, p x h: those that rouse it, those that quiet it."""
    places = standing_out(weights)
    return places > beyond, places < -beyond


def loss(model: Adage, given: Floats, wanted: Floats, known: Bools) -> float:
    """The cross-entropy per row between `wanted` (n x p, 0..1) and what comes back for `given`."""
    sums = activity(model, given) @ model.weights.T + model.visible_bias
    # log(1 + exp(sums)) without overflow.
    each = np.logaddexp(0.0, sums) - wanted * sums
    return float(np.where(known, each, 0.0).sum() / len(wanted))


def gradients(
    model: Adage, given: Floats, wanted: Floats, known: Bools
) -> tuple[Floats, Floats, Floats]:
    """The derivatives of `loss` by the weights, the hidden bias and the visible bias."""
    active = activity(model, given)
    missed = np.where(known, restored(model, active) - wanted, 0.0) / len(wanted)
    back = (missed @ model.weights) * active * (1.0 - active)
    return given.T @ back + missed.T @ active, back.sum(axis=0), missed.sum(axis=0)


def fit(
    S: Floats,
    nodes: int = 50,
    *,
    cycles: int = 100,
    corruption: float = 0.1,
    rate: float = 0.01,
    batch: int = 10,
    seed: int = 0,
    watch: Watch | None = None,
) -> Adage:
    """The network of `nodes` that the rows of `S` (n x p, 0..1) teach; NaN is missing.

    A missing value is shown as its column's mean and counts in no error. `corruption` is the share
    of the values set to 0 before they are shown; the other defaults are Adam's way of what ADAGE
    did by plain descent. `watch(cycle, loss)` is told the mean loss of each cycle.

    Raises `ValueError` for a table without rows, not within 0..1, or arguments out of range.
    """
    known = np.isfinite(S)
    if S.ndim != 2 or not S.size or np.min(S, where=known, initial=0.0) < 0:
        raise ValueError("rows x columns within 0..1 are needed")
    if np.max(S, where=known, initial=0.0) > 1 or not 0 <= corruption < 1:
        raise ValueError("values must be within 0..1, and corruption at least 0 and below 1")
    if min(nodes, cycles, batch) < 1 or rate <= 0:
        raise ValueError("nodes, cycles and batch must be at least 1, and rate above 0")
    random = np.random.default_rng(seed)
    mean = np.where(known, S, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    shown = np.where(known, S, mean)
    parts = _begun(mean, nodes, random)
    adam = _Adam(parts)
    steps = -(-len(S) // batch)
    for cycle in range(cycles):
        order = random.permutation(len(S))
        lost = 0.0
        for number in range(steps):
            rows = order[number * batch : (number + 1) * batch]
            wanted = shown[rows]
            given = wanted * (random.random(wanted.shape) >= corruption)
            model = Adage(*parts)
            lost += loss(model, given, wanted, known[rows]) * len(rows) if watch else 0.0
            share = (cycle * steps + number) / (cycles * steps)
            slopes = gradients(model, given, wanted, known[rows])
            adam.step(slopes, rate * 0.5 * (1.0 + np.cos(np.pi * share)))
        if watch:
            watch(cycle + 1, lost / len(S))
    return Adage(*parts)


def _begun(mean: Floats, nodes: int, random: np.random.Generator) -> list[Floats]:
    """Weights and biases to begin with: every node in its middle, and the columns' means coming
    back. With many columns, or all far from 0, nodes would begin shut otherwise."""
    bound = np.sqrt(6.0 / (len(mean) + nodes))
    weights = random.uniform(-bound, bound, (len(mean), nodes))
    inside = np.clip(mean, 0.01, 0.99)
    return [weights, -(mean @ weights), np.log(inside / (1 - inside)) - 0.5 * weights.sum(axis=1)]


class _Adam:
    """Steps down the slopes of some arrays, which are changed in place."""

    def __init__(self, parts: Sequence[Floats]) -> None:
        self.parts = parts
        self.means = [np.zeros_like(part) for part in parts]
        self.squares = [np.zeros_like(part) for part in parts]
        self.taken = 0

    def step(self, slopes: Sequence[Floats], rate: float) -> None:
        self.taken += 1
        fair_mean, fair_square = 1 - _KEEP_MEAN**self.taken, 1 - _KEEP_SQUARE**self.taken
        for part, slope, mean, square in zip(
            self.parts, slopes, self.means, self.squares, strict=True
        ):
            mean += (1 - _KEEP_MEAN) * (slope - mean)
            square += (1 - _KEEP_SQUARE) * (slope**2 - square)
            part -= rate * (mean / fair_mean) / (np.sqrt(square / fair_square) + _LEAST)
