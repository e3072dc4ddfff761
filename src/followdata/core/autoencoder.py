"""A small dense autoencoder: rows pressed through a few numbers and brought back.

One hidden layer, with tied weights W (columns x hidden):

    code   = f(g (s - m) W + b)   s: a row, each column scaled to 0..1 over its observed values
    output = code W' / g + c      m: the means of s;   f: tanh, sigmoid, relu or linear

The gain g is one over the square root of the rows' total variance. It keeps the sums where f
bends and does not yet saturate, however many columns there are: without it, tied weights would
have to be small on the way in and large on the way out.

The weights are those that make the squared error small over the observed cells, found by Adam
(Kingma & Ba 2015, https://arxiv.org/abs/1412.6980) on small batches, with a learning rate that
falls to nothing along half a cosine (Loshchilov & Hutter 2017,
https://arxiv.org/abs/1608.03983), so that the end does not jitter. With `corruption` some cells
of each batch are set to zero before they are encoded, and the untouched row is to be brought
back: a denoising autoencoder (Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294).

A missing cell (NaN or an infinity) has no error and teaches nothing. Nor does it add to the sums:
the rest of its row is encoded as if it were at the mean of the column's observed values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Watch = Callable[[int, "Autoencoder"], None]

_KEEP_MEAN, _KEEP_SQUARE, _LEAST = 0.9, 0.999, 1e-8
"""Adam's own defaults: memory of the gradient, of its square, and the least divisor."""


@dataclass(frozen=True)
class Activation:
    """What a hidden unit makes of its sum; `slope` is the derivative, given the output."""

    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


def _sigmoid(sums: Floats) -> Floats:
    # By way of tanh, which cannot overflow.
    return 0.5 * (1.0 + np.tanh(0.5 * sums))


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda output: 1.0 - output**2),
    "sigmoid": Activation(_sigmoid, lambda output: output * (1.0 - output)),
    "relu": Activation(
        lambda sums: np.maximum(sums, 0.0), lambda output: (output > 0.0).astype(np.float64)
    ),
    "linear": Activation(lambda sums: sums, np.ones_like),
}


@dataclass(frozen=True)
class Autoencoder:
    """All that an autoencoder of p columns and h hidden units knows.

    `weights` is p x h; `hidden_bias` (h) and `visible_bias` (p) belong to the code and to the
    output; sums are multiplied by `gain` on the way in and divided by it on the way out. `low`,
    `span` and `mean` (p each) are the scaling: the least observed value of a column, its range
    (1 for a column that does not vary), and its mean on the scale of 0..1. `low` and `span` are
    NaN for a column without any value. `activation` is one of `ACTIVATIONS`.
    """

    weights: Floats
    hidden_bias: Floats
    visible_bias: Floats
    low: Floats
    span: Floats
    mean: Floats
    gain: float
    activation: str


def scale(model: Autoencoder, X: Floats) -> Floats:
    """Rows of `X` on the model's scale, 0..1 over the values it learnt from; NaN is missing."""
    return (np.where(np.isfinite(X), X, np.nan) - model.low) / model.span


def unscale(model: Autoencoder, S: Floats) -> Floats:
    """Rows on the scale of 0..1 in the columns' own units."""
    return S * model.span + model.low


def encode(model: Autoencoder, X: Floats) -> Floats:
    """The codes of the rows of `X` (n x p): n x h; NaN for a row without any value."""
    S = scale(model, X)
    observed = np.isfinite(S)
    codes = _codes(model, np.where(observed, S, model.mean))
    codes[~observed.any(axis=1)] = np.nan
    return codes


def decode(model: Autoencoder, codes: Floats) -> Floats:
    """What the codes (n x h) stand for, on the scale of 0..1: n x p, missing cells and all."""
    return codes @ model.weights.T / model.gain + model.visible_bias


def errors(model: Autoencoder, X: Floats) -> Floats:
    """By how much each cell of `X` is missed, on the scale of 0..1; NaN where it is missing."""
    return np.abs(decode(model, encode(model, X)) - scale(model, X))


def loss(model: Autoencoder, given: Floats, wanted: Floats) -> float:
    """Half the squared error per row over the cells that `wanted` (n x p, scaled) holds.

    `given` (n x p, complete) is what is encoded: `wanted` itself, or a corrupted form of it.
    """
    missed = decode(model, _codes(model, given)) - wanted
    return float(np.nansum(missed**2) / (2 * len(wanted)))


def gradients(model: Autoencoder, given: Floats, wanted: Floats) -> tuple[Floats, Floats, Floats]:
    """The derivatives of `loss` by the weights, the hidden bias and the visible bias."""
    codes = _codes(model, given)
    missed = decode(model, codes) - wanted
    missed[~np.isfinite(wanted)] = 0.0
    missed /= len(wanted)
    back = (missed @ model.weights) / model.gain * ACTIVATIONS[model.activation].slope(codes)
    # Tied weights are met twice: on the way in and on the way out.
    tied = model.gain * ((given - model.mean).T @ back) + missed.T @ codes / model.gain
    return tied, back.sum(axis=0), missed.sum(axis=0)


def train(
    X: Floats,
    *,
    hidden: int = 2,
    cycles: int = 1000,
    activation: str = "tanh",
    rate: float = 0.01,
    corruption: float = 0.0,
    batch: int = 32,
    seed: int = 0,
    watch: Watch | None = None,
) -> Autoencoder:
    """An autoencoder that has seen every row of `X` (n x p) `cycles` times.

    `rate` is the learning rate at the beginning, `corruption` the share of cells zeroed,
    `batch` the rows per step. `watch(cycle, model)` is called with the untrained model (cycle
    0) and after each cycle; every model it gets is a value of its own. The same arguments give
    the same model.

    Raises `ValueError` for a table without rows or columns and for arguments out of range.

    >>> line = np.outer([0.0, 1.0, 2.0, 3.0], [1.0, 10.0, -5.0])
    >>> model = train(line, hidden=1, cycles=500, activation="linear")
    >>> bool(errors(model, line).max() < 0.02)
    True
    """
    _check(X, hidden, cycles, activation, rate, corruption, batch)
    random = np.random.default_rng(seed)
    model = _begin(X, hidden, activation, random)
    wanted = scale(model, X)
    given = np.where(np.isfinite(wanted), wanted, model.mean)
    steps = -(-len(X) // batch)
    adam = _Adam.at_rest(model)
    if watch:
        watch(0, model)
    for cycle in range(cycles):
        order = random.permutation(len(X))
        for number in range(steps):
            rows = order[number * batch : (number + 1) * batch]
            seen = _corrupt(given[rows], corruption, random)
            slopes = gradients(model, seen, wanted[rows])
            share = (cycle * steps + number) / (cycles * steps)
            model = adam.step(model, slopes, rate * 0.5 * (1.0 + np.cos(np.pi * share)))
        if watch:
            watch(cycle + 1, model)
    return model


def linear_errors(model: Autoencoder, X: Floats, rank: int) -> Floats:
    """As `errors`, for the best that any linear map through `rank` numbers can do: n x p.

    That is principal component analysis of the scaled columns: of all linear maps it has the
    least squared error on a complete table (Eckart & Young 1936). Missing cells are handed in
    as the autoencoder's are, at the mean, and have no error.
    """
    from scipy import linalg

    S = scale(model, X)
    centred = np.where(np.isfinite(S), S, model.mean) - model.mean
    wide = centred.shape[1] > centred.shape[0]
    products = centred @ centred.T if wide else centred.T @ centred
    size = len(products)
    if rank >= size:
        return np.where(np.isfinite(S), 0.0, np.nan)
    _, axes = linalg.eigh(products, subset_by_index=[size - rank, size - 1])
    kept: Floats = axes @ (axes.T @ centred) if wide else (centred @ axes) @ axes.T
    return np.abs(kept + model.mean - S)


def _codes(model: Autoencoder, given: Floats) -> Floats:
    return ACTIVATIONS[model.activation].value(
        model.gain * ((given - model.mean) @ model.weights) + model.hidden_bias
    )


def _begin(X: Floats, hidden: int, activation: str, random: np.random.Generator) -> Autoencoder:
    """The untrained model: random directions, and an output that is right on average."""
    observed = np.isfinite(X)
    some = observed.any(axis=0)
    low = np.where(some, np.min(X, axis=0, where=observed, initial=np.inf), np.nan)
    high = np.where(some, np.max(X, axis=0, where=observed, initial=-np.inf), np.nan)
    span = np.where(high == low, 1.0, high - low)
    scaled = np.where(observed, (X - low) / span, 0.0)
    mean = scaled.sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    given = np.where(observed, scaled, mean)
    variance = np.sum((given - mean) ** 2) / len(X)
    gain = float(1.0 / np.sqrt(variance)) if variance else 1.0
    weights = _orthonormal(X.shape[1], hidden, random)
    model = Autoencoder(
        weights, np.zeros(hidden), np.zeros(len(mean)), low, span, mean, gain, activation
    )  # fmt: skip
    if activation == "relu":
        # A unit that is off for all rows has no gradient and stays off for good.
        off = model.gain * ((given - mean) @ weights).min(axis=0)
        model = replace(model, hidden_bias=-off)
    # Begun with an output that is off for all rows, the weights learn the offset before anything
    # else, and with many columns the units that carry it are lost to the rest of the training.
    offset = decode(model, _codes(model, given)).mean(axis=0) - mean
    return replace(model, visible_bias=-offset)


def _orthonormal(rows: int, columns: int, random: np.random.Generator) -> Floats:
    """Random columns of unit length at right angles, or rows if there are fewer of these.

    Units that begin alike take long to part (Saxe et al. 2014, https://arxiv.org/abs/1312.6120).
    """
    square, _ = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
    return square if rows >= columns else square.T


def _corrupt(rows: Floats, share: float, random: np.random.Generator) -> Floats:
    if not share:
        return rows
    return np.where(random.random(rows.shape) < share, 0.0, rows)


@dataclass
class _Adam:
    """The running means of a training: of each gradient and of its square."""

    means: list[Floats]
    squares: list[Floats]
    steps: int = 0

    @classmethod
    def at_rest(cls, model: Autoencoder) -> _Adam:
        parts = (model.weights, model.hidden_bias, model.visible_bias)
        return cls([np.zeros_like(part) for part in parts], [np.zeros_like(part) for part in parts])

    def step(self, model: Autoencoder, slopes: tuple[Floats, ...], rate: float) -> Autoencoder:
        """`model` one step down the slopes."""
        self.steps += 1
        moved = []
        parts = (model.weights, model.hidden_bias, model.visible_bias)
        for part, slope, mean, square in zip(parts, slopes, self.means, self.squares, strict=True):
            mean += (1.0 - _KEEP_MEAN) * (slope - mean)
            square += (1.0 - _KEEP_SQUARE) * (slope**2 - square)
            fair_mean = mean / (1.0 - _KEEP_MEAN**self.steps)
            fair_square = square / (1.0 - _KEEP_SQUARE**self.steps)
            moved.append(part - rate * fair_mean / (np.sqrt(fair_square) + _LEAST))
        weights, hidden_bias, visible_bias = moved
        return replace(
            model, weights=weights, hidden_bias=hidden_bias, visible_bias=visible_bias
        )  # fmt: skip


def _check(
    X: Floats,
    hidden: int,
    cycles: int,
    activation: str,
    rate: float,
    corruption: float,
    batch: int,
) -> None:
    if X.ndim != 2 or not X.size:
        raise ValueError(f"X must be rows x columns with something in it, not {X.shape}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}")
    if min(hidden, cycles, batch) < 1 or rate <= 0:
        raise ValueError("hidden, cycles and batch must be at least 1, and rate above 0")
    if not 0.0 <= corruption < 1.0:
        raise ValueError(f"corruption must be at least 0 and below 1, not {corruption}")
