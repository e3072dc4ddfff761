"""Finding a network's weights, with PyTorch.

The weights are those that make the error small over the rows learnt from, found by Adam (Kingma &
Ba 2015, https://arxiv.org/abs/1412.6980) on small batches, with a learning rate that falls to
nothing along half a cosine (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983). All
chance comes from `seed`, and PyTorch's own is left alone. One thread does it: sums then come in one
order, so that the same arguments give the same network, and for tables of this size several threads
wait for each other longer than they work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from followdata.core.networks.network import Floats, Network

Tensor = Any
"""One of PyTorch's, whose types are not looked at: they are there only where it is installed."""
Watch = Callable[[int, Network], None]
EXTRA = "followdata[networks]"
"""What to install for it."""


def available() -> bool:
    """Whether PyTorch is installed; it is not imported."""
    return find_spec("torch") is not None


@dataclass(frozen=True)
class Course:
    """How a network is taught.

    `cycles` is how often every row is seen, `rate` the learning rate at the beginning, `batch` the
    rows per step. `zeroed` is the share of the inputs set to 0 and `noise` the deviation of normal
    noise added to the others; `dropout` is the share of the hidden units left out in a step.
    `decay` draws all weights towards 0 (Loshchilov & Hutter 2019,
    https://arxiv.org/abs/1711.05101). `loss` is "squared", or "cross-entropy" for targets within
    0..1 and a sigmoid at the end.
    """

    cycles: int = 200
    rate: float = 0.003
    batch: int = 32
    zeroed: float = 0.0
    noise: float = 0.0
    dropout: float = 0.0
    decay: float = 0.0
    loss: str = "squared"

    def __post_init__(self) -> None:
        if self.cycles < 1 or self.batch < 1 or self.rate <= 0:
            raise ValueError("cycles and batch must be at least 1, and rate above 0")
        if not all(0.0 <= share < 1.0 for share in (self.zeroed, self.dropout)):
            raise ValueError("zeroed and dropout must be at least 0 and below 1")
        if self.noise < 0 or self.decay < 0:
            raise ValueError("noise and decay must not be below 0")
        if self.loss not in ("squared", "cross-entropy"):
            raise ValueError(f"there is no loss “{self.loss}”")


def train(
    start: Network,
    inputs: Floats,
    targets: Floats,
    course: Course,
    *,
    tied: bool = False,
    seed: int = 0,
    watch: Watch | None = None,
) -> Network:
    """The network that `start` becomes when it learns to take `inputs` (n x sizes[0], complete) to
    `targets` (n x sizes[-1]; where one is NaN it teaches nothing).

    With `tied`, the weights of the last layer are those of the first turned over, of the last but
    one those of the second, and so on (Vincent et al. 2008,
    https://doi.org/10.1145/1390156.1390294). `watch(cycle, network)` is called before the first
    cycle (0) and after each.

    Raises `ImportError` without PyTorch (see `available`) and `ValueError` for tables that do not
    fit the network.
    """
    _check(start, inputs, targets, tied)
    with _one_thread():
        return _train(start, inputs, targets, course, tied, seed, watch)


def _train(
    start: Network,
    inputs: Floats,
    targets: Floats,
    course: Course,
    tied: bool,
    seed: int,
    watch: Watch | None,
) -> Network:
    import torch

    chance = torch.Generator().manual_seed(seed)
    given = torch.as_tensor(inputs, dtype=torch.float32)
    known = torch.as_tensor(np.isfinite(targets))
    wanted = torch.as_tensor(np.nan_to_num(targets), dtype=torch.float32)
    learner = _Learner(start, tied)
    adam = torch.optim.AdamW(learner.parameters, lr=course.rate, weight_decay=course.decay)
    steps = -(-len(given) // course.batch)
    if watch:
        watch(0, learner.network())
    for cycle in range(course.cycles):
        order = torch.randperm(len(given), generator=chance)
        for number in range(steps):
            share = (cycle * steps + number) / (course.cycles * steps)
            for group in adam.param_groups:
                group["lr"] = course.rate * 0.5 * (1.0 + np.cos(np.pi * share))
            rows = order[number * course.batch : (number + 1) * course.batch]
            sums = learner.sums(_corrupted(given[rows], course, chance), course.dropout, chance)
            error = _error(sums, wanted[rows], known[rows], course.loss, start.activations[-1])
            adam.zero_grad()
            error.backward()
            adam.step()
        if watch:
            watch(cycle + 1, learner.network())
    return learner.network()


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch on one thread, and on as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Learner:
    """The layers as PyTorch's own tensors; those of tied layers are the same tensor."""

    def __init__(self, start: Network, tied: bool) -> None:
        import torch

        self.start = start
        made = [
            tuple(torch.tensor(part, dtype=torch.float32, requires_grad=True) for part in layer)
            for layer in start.layers
        ]
        half = len(made) // 2
        self.weights = [weights for weights, _ in made]
        if tied:
            self.weights[half:] = [weights.T for weights in reversed(self.weights[:half])]
        self.biases = [bias for _, bias in made]
        self.parameters = [*(self.weights[:half] if tied else self.weights), *self.biases]

    def sums(self, X: Tensor, dropout: float, chance: Any) -> Tensor:
        """What the last layer adds up to, before its activation."""
        import torch

        functions: dict[str, Any] = {
            "tanh": torch.tanh,
            "sigmoid": torch.sigmoid,
            "relu": torch.relu,
        }
        last = len(self.weights) - 1
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            X = X @ weights + bias
            name = self.start.activations[number]
            if number == last:
                break
            X = functions[name](X) if name in functions else X
            if dropout:
                kept = torch.rand(X.shape, generator=chance) >= dropout
                X = X * kept / (1.0 - dropout)
        return X

    def network(self) -> Network:
        layers = [
            (
                weights.detach().numpy().astype(np.float64),
                bias.detach().numpy().astype(np.float64),
            )
            for weights, bias in zip(self.weights, self.biases, strict=True)
        ]
        return Network.of(layers, self.start.activations)


def _corrupted(X: Tensor, course: Course, chance: Any) -> Tensor:
    import torch

    if course.noise:
        X = X + course.noise * torch.randn(X.shape, generator=chance)
    if course.zeroed:
        X = X * (torch.rand(X.shape, generator=chance) >= course.zeroed)
    return X


def _error(sums: Tensor, wanted: Tensor, known: Tensor, loss: str, activation: str) -> Tensor:
    """The mean over the rows of the summed error, half the square as is usual."""
    import torch

    if loss == "cross-entropy":
        each = torch.nn.functional.binary_cross_entropy_with_logits(sums, wanted, reduction="none")
    else:
        told = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}.get(activation)
        each = 0.5 * ((told(sums) if told else sums) - wanted) ** 2
    return (each * known).sum() / len(sums)


def _check(start: Network, inputs: Floats, targets: Floats, tied: bool) -> None:
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(f"{len(inputs)} rows of inputs and {len(targets)} of targets")
    if (inputs.shape[1], targets.shape[1]) != (start.sizes[0], start.sizes[-1]):
        raise ValueError(
            f"tables of {inputs.shape[1]} and {targets.shape[1]} columns for layers {start.sizes}"
        )
    if not np.isfinite(inputs).all():
        raise ValueError("inputs must be complete")
    if tied and start.sizes != start.sizes[::-1]:
        raise ValueError(f"layers {start.sizes} cannot be tied")
