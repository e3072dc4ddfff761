"""A small dense autoencoder: rows pressed through a few numbers and brought back.

A row s, each column scaled to 0..1 over its observed values, goes through hidden layers that
narrow to the code, and back through the same layers in reverse:

    x = g (s - m)     a = f(... f(x W1 + b1) ... Wk + bk)     the code
    y = V1 f(... f(a Vk + ck) ...) + c1                       s' = m + y / g, the output

m: the means of s; f: tanh, sigmoid, relu or linear; the outermost layer of the way back does not
bend. With tied weights each V is W transposed. The gain g is one over the square root of the rows'
total variance. It keeps the sums where f bends and does not yet saturate, however many columns
there are and whatever their units: without it, tied weights would have to be small on the way in
and large on the way out. The loss is half the squared error of y per row, so 2 x loss is the share
of the variance that is not brought back.

The weights are those that make the loss small over the observed cells, found on small batches by
Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980) or by gradient descent with or without
momentum, with a learning rate that falls to nothing along half a cosine (Loshchilov & Hutter 2017,
https://arxiv.org/abs/1608.03983), so that the end does not jitter. With corruption some cells of
each batch are set to zero, or noise is added to all, before they are encoded, and the untouched
row is to be brought back: a denoising autoencoder (Vincent et al. 2008,
https://doi.org/10.1145/1390156.1390294). Weight decay is decoupled from the gradient (Loshchilov &
Hutter 2019, https://arxiv.org/abs/1711.05101). Layers can first learn one by one, each to bring
back what the one before it makes (Bengio et al. 2007, "Greedy layer-wise training").

A missing cell (NaN or an infinity) has no error and teaches nothing. Nor does it add to the sums:
the rest of its row is encoded as if it were at the mean of the column's observed values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Reals = npt.NDArray[Any]
"""What a training computes with: of single precision unless it is asked for more."""
Bools = npt.NDArray[np.bool_]
Watch = Callable[["Training"], None]

_KEEP_MEAN, _KEEP_SQUARE, _LEAST = 0.9, 0.999, 1e-8
"""Adam's own defaults: memory of the gradient, of its square, and the least divisor."""
_MOMENTUM = 0.9


@dataclass(frozen=True)
class Activation:
    """What a hidden unit makes of its sum; `slope` is the derivative, given the output."""

    value: Callable[[Reals], Reals]
    slope: Callable[[Reals], Reals]


def _sigmoid(sums: Reals) -> Reals:
    # By way of tanh, which cannot overflow.
    return 0.5 * (1.0 + np.tanh(0.5 * sums))


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda output: 1.0 - output * output),
    "sigmoid": Activation(_sigmoid, lambda output: output * (1.0 - output)),
    "relu": Activation(
        lambda sums: np.maximum(sums, 0.0), lambda output: (output > 0.0).astype(output.dtype)
    ),
    "linear": Activation(lambda sums: sums, np.ones_like),
}
OPTIMISERS = ("adam", "momentum", "sgd")
NOISES = ("zero", "gaussian")
BEGINNINGS = ("orthonormal", "glorot", "he")


class Layer(NamedTuple):
    """One hidden layer, `wide` values to `narrow` and back; views of one vector of parameters."""

    weights: Reals
    """wide x narrow"""
    bias: Reals
    """narrow"""
    back_bias: Reals
    """wide"""
    back: Reals
    """narrow x wide; the transpose of `weights` where they are tied"""


Stack = tuple[Layer, ...]


@dataclass(frozen=True)
class Scaling:
    """How p columns are brought to one scale; learnt from a table.

    `low` and `span` (p each) are the least observed value of a column and its range (1 for a
    column that does not vary), or 0 and 1 where columns are not scaled; both NaN for a column
    without any value. `mean` is the mean of the scaled column, `gain` one over the square root of
    the total variance of the scaled rows.
    """

    low: Floats
    span: Floats
    mean: Floats
    gain: float

    @classmethod
    def of(cls, X: Floats, *, scaled: bool = True) -> Scaling:
        """The scaling of the columns of `X` (n x p)."""
        observed = np.isfinite(X)
        some = observed.any(axis=0)
        low, span = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if scaled:
            low = np.min(X, axis=0, where=observed, initial=np.inf)
            high = np.max(X, axis=0, where=observed, initial=-np.inf)
            span = np.where(high > low, high - low, 1.0)
        low, span = np.where(some, low, np.nan), np.where(some, span, np.nan)
        values = np.where(observed, (X - low) / span, 0.0)
        mean = values.sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
        values -= mean
        variance = float(np.sum(values**2, where=observed) / len(X))
        return cls(low, span, mean, float(1.0 / np.sqrt(variance)) if variance else 1.0)


@dataclass(frozen=True)
class Autoencoder:
    """All that an autoencoder of p columns knows.

    `parameters` holds all weights and biases in one vector (see `stack`), `sizes` the width of
    the input and of each hidden layer, the last of which is the code. `low`, `span`, `mean` (p
    each) and `gain` are those of `Scaling`. `activation` is one of `ACTIVATIONS`.
    """

    parameters: Floats
    sizes: list[int]
    tied: bool
    activation: str
    low: Floats
    span: Floats
    mean: Floats
    gain: float

    @cached_property
    def stack(self) -> Stack:
        """The hidden layers, the outermost first."""
        return _stack(self.parameters, self.sizes, tied=self.tied)


@dataclass(frozen=True)
class Settings:
    """How an autoencoder is made and trained.

    `hidden` is the width of the hidden layer, or of each of several, the code last. `rate` is the
    learning rate at the beginning; `corruption` the share of cells set to zero, or with `noise`
    "gaussian" the standard deviation of what is added, on the scale of 0..1; `decay` the share of
    the weights that is lost per step and learning rate; `batch` the rows per step. With
    `layerwise` the first half of the cycles goes to the layers one by one. `begin` is how the
    weights begin, one of `BEGINNINGS`; `scaled` whether columns are scaled to 0..1.

    Raises `ValueError` for what is out of range.
    """

    hidden: int | Sequence[int] = 2
    cycles: int = 1000
    activation: str = "tanh"
    tied: bool = True
    rate: float = 0.01
    optimiser: str = "adam"
    corruption: float = 0.0
    noise: str = "zero"
    decay: float = 0.0
    batch: int = 32
    layerwise: bool = False
    begin: str = "orthonormal"
    scaled: bool = True
    seed: int = 0
    dtype: type = np.float32

    def __post_init__(self) -> None:
        for name, known in (
            ("activation", tuple(ACTIVATIONS)),
            ("optimiser", OPTIMISERS),
            ("noise", NOISES),
            ("begin", BEGINNINGS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}")
        if not self.layers or min(*self.layers, self.cycles, self.batch) < 1 or self.rate <= 0:
            raise ValueError("hidden, cycles and batch must be at least 1, and rate above 0")
        if not 0.0 <= self.corruption < 1.0 or not 0.0 <= self.decay < 1.0:
            raise ValueError("corruption and decay must be at least 0 and below 1")

    @property
    def layers(self) -> tuple[int, ...]:
        """The width of each hidden layer."""
        return (self.hidden,) if isinstance(self.hidden, int) else tuple(self.hidden)


@dataclass(frozen=True)
class State:
    """Where a training is between two steps: all that it needs to go on as if never stopped."""

    parameters: Reals
    means: Reals
    squares: Reals
    order: npt.NDArray[np.int64]
    cycle: int
    batch: int
    steps: int
    random: dict[str, Any]


def scale(model: Autoencoder | Scaling, X: Floats) -> Floats:
    """Rows of `X` on the model's scale, 0..1 over the values it learnt from; NaN is missing."""
    return (np.where(np.isfinite(X), X, np.nan) - model.low) / model.span


def unscale(model: Autoencoder | Scaling, S: Floats) -> Floats:
    """Rows on the scale of 0..1 in the columns' own units."""
    return S * model.span + model.low


def encode(model: Autoencoder, X: Floats) -> Floats:
    """The codes of the rows of `X` (n x p): n x h; NaN for a row without any value."""
    S = scale(model, X)
    codes: Floats = _up(model.stack, ACTIVATIONS[model.activation], _inputs(model, S))[-1]
    codes[~np.isfinite(S).any(axis=1)] = np.nan
    return codes


def decode(
    model: Autoencoder, codes: Floats, columns: slice | npt.NDArray[np.int64] = slice(None)
) -> Floats:
    """What the codes (n x h) stand for, on the scale of 0..1, missing cells and all.

    n x p, or only the `columns` asked for, which are then all that is computed.
    """
    bend, (outer, *inner) = ACTIVATIONS[model.activation], model.stack
    for layer in reversed(inner):
        codes = bend.value(codes @ layer.back + layer.back_bias)
    output = codes @ outer.back[:, columns] + outer.back_bias[columns]
    return np.asarray(output / model.gain + model.mean[columns])


def errors(model: Autoencoder, X: Floats) -> Floats:
    """By how much each cell of `X` is missed, on the scale of 0..1; NaN where it is missing."""
    return np.abs(decode(model, encode(model, X)) - scale(model, X))


def loss(model: Autoencoder, given: Floats, wanted: Floats) -> float:
    """Half the squared error per row, in units of the rows' variance, over the observed cells.

    `given` and `wanted` (n x p) are scaled: `given`, complete, is what is encoded, `wanted` what
    is to be brought back, NaN where it is missing.
    """
    codes = _up(model.stack, ACTIVATIONS[model.activation], _inputs(model, given))[-1]
    missed = (decode(model, codes) - wanted) * model.gain
    return float(np.nansum(missed**2) / (2 * len(wanted)))


def gradients(model: Autoencoder, given: Floats, wanted: Floats) -> Floats:
    """The derivative of `loss` by each of the model's `parameters`."""
    slopes: Floats = np.empty_like(model.parameters)
    _descend(
        model.stack,
        _stack(slopes, model.sizes, tied=model.tied),
        ACTIVATIONS[model.activation],
        _inputs(model, given),
        _inputs(model, wanted),
        ~np.isfinite(wanted),
        tied=model.tied,
        outermost=True,
    )
    slopes /= len(wanted)
    return slopes


def train(X: Floats, *, watch: Watch | None = None, **settings: Any) -> Autoencoder:
    """An autoencoder that has seen every row of `X` (n x p) so many times.

    `settings` are those of `Settings`. `watch(training)` is called before the first step and
    after each one. The same arguments give the same model.

    Raises `ValueError` for a table without rows or columns and for settings out of range.

    >>> line = np.outer([0.0, 1.0, 2.0, 3.0], [1.0, 10.0, -5.0])
    >>> model = train(line, hidden=1, cycles=500, activation="linear")
    >>> bool(errors(model, line).max() < 0.02)
    True
    """
    training = Training(X, Settings(**settings))
    if watch:
        watch(training)
    while not training.done:
        training.step()
        if watch:
            watch(training)
    return training.model()


class Training:
    """A training under way: `step` sees one more batch, until it is `done`.

    `X` (n x p) is what is learnt from; `state`, if given, is where an earlier training of the same
    table with the same settings was, and this one goes on from there.

    Raises `ValueError` for a table without rows or columns.
    """

    def __init__(self, X: Floats, settings: Settings, state: State | None = None) -> None:
        if X.ndim != 2 or not X.size:
            raise ValueError(f"X must be rows x columns with something in it, not {X.shape}")
        self.settings = settings
        X = np.ascontiguousarray(X)  # sums depend, in their last bits, on how a table is laid out
        self.scaling = Scaling.of(X, scaled=settings.scaled)
        self.sizes = [X.shape[1], *settings.layers]
        self._bend = ACTIVATIONS[settings.activation]
        S = scale(self.scaling, X)
        self._holes = None if np.isfinite(S).all() else ~np.isfinite(S)
        self._wanted: Reals = _inputs(self.scaling, S).astype(settings.dtype)
        self._zero: Reals = (-self.scaling.gain * self.scaling.mean).astype(settings.dtype)
        self._random = np.random.default_rng(settings.seed)
        self._parameters = self._begin()
        self._stack = _stack(self._parameters, self.sizes, tied=settings.tied)
        self._slopes = np.zeros_like(self._parameters)
        self._into = _stack(self._slopes, self.sizes, tied=settings.tied)
        self._decays = self._decaying()
        self._optimiser = _OPTIMISERS[settings.optimiser](self._parameters)
        self.cycle = 0
        self._batch = 0
        self._batches = -(-len(X) // settings.batch)
        self._order = np.arange(len(X))
        self._phases = _phases(settings)
        self._phase: _Phase | None = None
        if state:
            self._resume(state)

    @property
    def done(self) -> bool:
        """Whether every row has been seen as often as it is to be."""
        return self.cycle >= self.settings.cycles

    @property
    def between_cycles(self) -> bool:
        """Whether every row has been seen equally often."""
        return self._batch == 0

    @property
    def steps(self) -> int:
        """How many batches have been seen."""
        return self.cycle * self._batches + self._batch

    def step(self) -> None:
        """Learn from one more batch of rows."""
        phase = self._enter()
        settings, size = self.settings, self.settings.batch
        whole = self._batches == 1
        if not self._batch and not whole:
            self._order = self._random.permutation(len(self._wanted))
        rows: Any = ...
        if not whole:
            rows = self._order[self._batch * size : (self._batch + 1) * size]
        wanted = phase.wanted[rows]
        holes = phase.holes[rows] if phase.holes is not None else None
        outermost = phase.first == 0
        _descend(
            self._stack[phase.first : phase.last],
            self._into[phase.first : phase.last],
            self._bend,
            self._corrupted(wanted, outermost=outermost),
            wanted,
            holes,
            tied=settings.tied,
            outermost=outermost,
        )
        slopes = self._slopes[phase.part]
        slopes *= 1.0 / len(wanted)
        share = (self.steps - phase.begun * self._batches) / (phase.cycles * self._batches)
        rate = settings.rate * 0.5 * (1.0 + np.cos(np.pi * share))
        parameters = self._parameters[phase.part]
        if settings.decay:
            parameters -= rate * settings.decay * self._decays[phase.part] * parameters
        self._optimiser.step(parameters, slopes, phase.part, rate)
        self._batch += 1
        if self._batch == self._batches:
            self._batch, self.cycle = 0, self.cycle + 1

    def model(self) -> Autoencoder:
        """The autoencoder as it is now: a value of its own."""
        scaling = self.scaling
        return Autoencoder(
            self._parameters.astype(np.float64),
            self.sizes,
            self.settings.tied,
            self.settings.activation,
            scaling.low,
            scaling.span,
            scaling.mean,
            scaling.gain,
        )

    def state(self) -> State:
        """Where the training is: a value of its own."""
        optimiser = self._optimiser
        return State(
            self._parameters.copy(),
            optimiser.means.copy(),
            optimiser.squares.copy(),
            self._order.copy(),
            self.cycle,
            self._batch,
            optimiser.steps,
            dict(self._random.bit_generator.state),
        )

    def _resume(self, state: State) -> None:
        self._parameters[:] = state.parameters
        self._optimiser.means[:] = state.means
        self._optimiser.squares[:] = state.squares
        self._order = state.order.copy()
        self.cycle, self._batch = state.cycle, state.batch
        if self.steps:
            # Of the step before, so that a phase that is about to begin does so.
            self._phase = self._at((self.steps - 1) // self._batches)
        self._optimiser.steps = state.steps
        self._random.bit_generator.state = state.random

    def _enter(self) -> _Phase:
        """The phase that the next step belongs to; a new one forgets how the last one moved."""
        if self._phase is None or self.cycle >= self._phase.end:
            self._phase = self._at(self.cycle)
            self._optimiser.rest()
        return self._phase

    def _at(self, cycle: int) -> _Phase:
        begun, first, last = max(phase for phase in self._phases if phase[0] <= cycle)
        later = [phase[0] for phase in self._phases if phase[0] > begun]
        end = min(later, default=self.settings.cycles)
        wanted = _up(self._stack[:first], self._bend, self._wanted)[-1]
        ends = _ends(self.sizes, tied=self.settings.tied)
        return _Phase(
            begun,
            end,
            first,
            last,
            slice(ends[first], ends[last]),
            wanted,
            self._holes if first == 0 else None,
        )

    def _corrupted(self, rows: Reals, *, outermost: bool) -> Reals:
        settings = self.settings
        if not settings.corruption:
            return rows
        dtype: Any = settings.dtype
        if settings.noise == "gaussian":
            deviation = settings.corruption * (self.scaling.gain if outermost else 1.0)
            noise = self._random.standard_normal(rows.shape, dtype=dtype)
            noise *= dtype(deviation)
            noise += rows
            return noise
        hidden = self._random.random(rows.shape, dtype=dtype) < settings.corruption
        return np.where(hidden, self._zero if outermost else dtype(0.0), rows)

    def _begin(self) -> Reals:
        """Untrained parameters, with an output that is right on average."""
        settings = self.settings
        parameters: Reals = np.zeros(_ends(self.sizes, tied=settings.tied)[-1], settings.dtype)
        stack = _stack(parameters, self.sizes, tied=settings.tied)
        up = [self._wanted]
        for layer in stack:
            wide, narrow = layer.weights.shape
            layer.weights[:] = _BEGINNINGS[settings.begin](wide, narrow, self._random)
            if not settings.tied:
                layer.back[:] = layer.weights.T
            if settings.activation == "relu":
                # A unit that is off for all rows has no gradient and stays off for good.
                layer.bias[:] = -(up[-1] @ layer.weights).min(axis=0)
            up.append(self._bend.value(up[-1] @ layer.weights + layer.bias))
        down = up[-1]
        for number in reversed(range(len(stack))):
            layer = stack[number]
            sums = down @ layer.back
            if number and settings.activation == "relu":
                layer.back_bias[:] = -sums.min(axis=0)
            elif not number:
                # Begun with an output that is off for all rows, the weights learn the offset
                # before anything else, and with many columns the units that carry it are lost to
                # the rest of the training.
                layer.back_bias[:] = -sums.mean(axis=0)
            down = self._bend.value(sums + layer.back_bias)
        return parameters

    def _decaying(self) -> Reals:
        """1 for each weight and 0 for each bias: biases do not decay."""
        decays = np.ones_like(self._parameters)
        for layer in _stack(decays, self.sizes, tied=self.settings.tied):
            layer.bias[:] = layer.back_bias[:] = 0.0
        return decays


def linear_errors(
    model: Autoencoder | Scaling, X: Floats, rank: int, learnt_from: Floats | None = None
) -> Floats:
    """As `errors`, for the best that any linear map through `rank` numbers can do: n x p.

    That is principal component analysis of the scaled columns of `learnt_from`, by default `X`
    itself: of all linear maps it has the least squared error on a complete table (Eckart & Young
    1936). Missing cells are handed in as the autoencoder's are, at the mean, and have no error.
    """
    S = scale(model, X)
    inputs = _inputs(model, S)
    learnt = inputs if learnt_from is None else _inputs(model, scale(model, learnt_from))
    axes = _principal_axes(learnt, rank)
    kept: Floats = (inputs @ axes) @ axes.T / model.gain
    return np.abs(kept + model.mean - S)


def _principal_axes(Z: Floats, rank: int) -> Floats:
    """The directions (p x at most `rank`) in which the rows of `Z` vary most."""
    from scipy import linalg

    wide = Z.shape[1] > Z.shape[0]
    products = Z @ Z.T if wide else Z.T @ Z
    size = len(products)
    values, axes = linalg.eigh(products, subset_by_index=[max(0, size - rank), size - 1])
    if not wide:
        return np.asarray(axes)
    some = values > values[-1] * 1e-12
    return np.asarray(Z.T @ axes[:, some] / np.sqrt(values[some]))


def _inputs(model: Autoencoder | Scaling, S: Floats) -> Floats:
    """Scaled rows as the first layer takes them: centred, of unit variance, 0 where missing."""
    return np.where(np.isfinite(S), (S - model.mean) * model.gain, 0.0)


def _up(stack: Stack, bend: Activation, given: Reals) -> list[Reals]:
    """What is given, then what each layer makes of it; the last is the code."""
    up = [given]
    for layer in stack:
        sums = up[-1] @ layer.weights
        sums += layer.bias
        up.append(bend.value(sums))
    return up


def _descend(
    stack: Stack,
    into: Stack,
    bend: Activation,
    given: Reals,
    wanted: Reals,
    holes: Bools | None,
    *,
    tied: bool,
    outermost: bool,
) -> None:
    """Write the gradient of the squared error into `into`, summed over rows.

    `outermost` says that the stack's first layer is the network's: its output does not bend.
    """
    up = _up(stack, bend, given)
    down = [up[-1]]
    for number in reversed(range(len(stack))):
        sums = down[-1] @ stack[number].back
        sums += stack[number].back_bias
        down.append(sums if outermost and not number else bend.value(sums))
    slope = down[-1] - wanted
    if holes is not None:
        slope[holes] = 0.0
    if not outermost:
        slope *= bend.slope(down[-1])
    back: list[Reals] = []
    for number, layer in enumerate(stack):
        entered = down[len(stack) - 1 - number]
        slope.sum(axis=0, out=into[number].back_bias)
        if tied:
            back.append(slope.T @ entered)
        else:
            np.matmul(entered.T, slope, out=into[number].back)
        slope = slope @ layer.back.T
        slope *= bend.slope(entered)
    for number in reversed(range(len(stack))):
        slope.sum(axis=0, out=into[number].bias)
        np.matmul(up[number].T, slope, out=into[number].weights)
        if tied:
            # Tied weights are met twice: on the way in and on the way out.
            weights = into[number].weights
            weights += back[number]
        if number:
            slope = slope @ stack[number].weights.T
            slope *= bend.slope(up[number])


def _ends(sizes: Sequence[int], *, tied: bool) -> list[int]:
    """Where each layer's part of the parameters begins, and where the last one ends."""
    ends = [0]
    for wide, narrow in pairwise(sizes):
        ends.append(ends[-1] + wide * narrow * (1 if tied else 2) + narrow + wide)
    return ends


def _stack(parameters: Reals, sizes: Sequence[int], *, tied: bool) -> Stack:
    """The layers as views of their parameters, for a network of these sizes."""
    layers = []
    for start, (wide, narrow) in zip(_ends(sizes, tied=tied)[:-1], pairwise(sizes), strict=True):
        lengths = [wide * narrow, narrow, wide] + ([] if tied else [narrow * wide])
        ends = np.cumsum([start, *lengths])
        weights, bias, back_bias, *back = (parameters[a:b] for a, b in pairwise(ends))
        weights = weights.reshape(wide, narrow)
        free = back[0].reshape(narrow, wide) if back else weights.T
        layers.append(Layer(weights, bias, back_bias, free))
    return tuple(layers)


# How the weights begin


def _orthonormal(rows: int, columns: int, random: np.random.Generator) -> Floats:
    """Random columns of unit length at right angles, or rows if there are fewer of these.

    Units that begin alike take long to part (Saxe et al. 2014, https://arxiv.org/abs/1312.6120).
    """
    square, _ = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
    return square if rows >= columns else square.T


def _glorot(rows: int, columns: int, random: np.random.Generator) -> Floats:
    """Uniform, of variance 2 / (rows + columns) (Glorot & Bengio 2010)."""
    most = np.sqrt(6.0 / (rows + columns))
    return random.uniform(-most, most, size=(rows, columns))


def _he(rows: int, columns: int, random: np.random.Generator) -> Floats:
    """Normal, of variance 2 / rows (He et al. 2015, https://arxiv.org/abs/1502.01852)."""
    return random.normal(0.0, np.sqrt(2.0 / rows), size=(rows, columns))


_BEGINNINGS: dict[str, Callable[[int, int, np.random.Generator], Floats]] = {
    "orthonormal": _orthonormal,
    "glorot": _glorot,
    "he": _he,
}


# Steps


@dataclass(frozen=True)
class _Phase:
    """The layers `first` to `last` learning, from cycle `begun` to `end`, to bring back `wanted`.

    `part` is where their parameters are.
    """

    begun: int
    end: int
    first: int
    last: int
    part: slice
    wanted: Reals
    holes: Bools | None

    @property
    def cycles(self) -> int:
        return self.end - self.begun


def _phases(settings: Settings) -> list[tuple[int, int, int]]:
    """When each phase begins, its first layer, and the layer after its last."""
    layers = len(settings.layers)
    if not settings.layerwise:
        return [(0, 0, layers)]
    starts = [settings.cycles * number // (2 * layers) for number in range(layers + 1)]
    alone = [(start, number, number + 1) for number, start in enumerate(starts[:-1])]
    return [*alone, (starts[-1], 0, layers)]


@dataclass
class _Descent:
    """Gradient descent: straight down. `means` and `squares` remember slopes for the others."""

    parameters: Reals
    means: Reals = field(init=False)
    squares: Reals = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.means, self.squares = (np.zeros_like(self.parameters) for _ in range(2))

    def rest(self) -> None:
        """Forget all slopes."""
        self.means[:] = self.squares[:] = 0.0
        self.steps = 0

    def step(self, parameters: Reals, slopes: Reals, part: slice, rate: float) -> None:
        """Move `parameters`, which are `part` of all, against their slopes, in place."""
        slopes *= rate
        parameters -= slopes


class _Momentum(_Descent):
    """Gradient descent with momentum (Polyak 1964)."""

    def step(self, parameters: Reals, slopes: Reals, part: slice, rate: float) -> None:
        speed = self.means[part]
        speed *= _MOMENTUM
        speed += slopes
        parameters -= rate * speed


class _Adam(_Descent):
    """Adam: each parameter at a pace of its own."""

    def step(self, parameters: Reals, slopes: Reals, part: slice, rate: float) -> None:
        self.steps += 1
        mean, square = self.means[part], self.squares[part]
        # Both means begin at 0; `fair` undoes that, all at once in the rate and the least divisor.
        fair = np.sqrt(1.0 - _KEEP_SQUARE**self.steps)
        mean *= _KEEP_MEAN
        mean += (1.0 - _KEEP_MEAN) * slopes
        slopes *= slopes
        slopes *= 1.0 - _KEEP_SQUARE
        square *= _KEEP_SQUARE
        square += slopes
        np.sqrt(square, out=slopes)
        slopes += _LEAST * fair
        np.divide(mean, slopes, out=slopes)
        slopes *= rate * fair / (1.0 - _KEEP_MEAN**self.steps)
        parameters -= slopes


_OPTIMISERS = {"adam": _Adam, "momentum": _Momentum, "sgd": _Descent}
