"""How an autoencoder is trained on a table: what is learnt, kept, told, and can be looked at.

At some forty moments a training tells how far it is ("progress") and how well each cell is brought
back ("frame"), so that it can be watched, and watched again from its journal. Who sits in the same
process can look at it between any two steps (`Course`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from followdata.answer import Field, Table
from followdata.core import autoencoder
from followdata.core.autoencoder import (
    ACTIVATIONS,
    BEGINNINGS,
    NOISES,
    OPTIMISERS,
    Autoencoder,
    Floats,
    Settings,
    State,
    Training,
)
from followdata.core.ordering import Places, alike
from followdata.data import MemoryTable, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice, Number, Numbers
from followdata.question import Report
from followdata.questions import wording

EDGES = (0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
"""Errors, on a scale of 0..1, are shown in nine bins with these edges: 0 below the first."""
SHOWN = 75
"""So many rows and columns, the first ones, are told of cell by cell."""
MISSING = "-"
NO_BIN = len(EDGES) + 1
"""The bin of a missing cell."""
_MARKS = 40
_MOST_CELLS = 50_000_000
"""Training holds some five copies of the table: 2 GB at this size."""
_MOST_HIDDEN = 1024
Bins = npt.NDArray[np.int8]
_DIGITS = np.array([*map(str, range(len(EDGES) + 1)), MISSING])


@dataclass(frozen=True)
class Trained(Autoencoder):
    """A trained autoencoder, how its error fell, and how PCA of the same width does.

    `curve` (marks x 2) holds cycles and the mean error after each. `held` (rows, ascending) are
    the places of the rows that it did not learn from, and `turned` says that the table's columns
    are its rows. `linear` and `linear_held` (p each) hold the mean error of each column under PCA,
    over the rows learnt from and over the others, NaN where there is none; `linear_error`,
    `linear_square` the mean error and the mean squared error of all cells under PCA, over the rows
    learnt from, and `linear_held_error`, `linear_held_square` over the others.
    """

    curve: Floats
    held: Places
    turned: bool
    linear: Floats
    linear_held: Floats
    linear_error: float
    linear_square: float
    linear_held_error: float | None
    linear_held_square: float | None

    @classmethod
    def of(
        cls, model: Autoencoder, X: Floats, held: Places, *, turned: bool, curve: Floats
    ) -> Trained:
        """`model` as trained on all rows of `X` but those at `held`."""
        learnt = training_rows(X, held)
        missed = autoencoder.linear_errors(model, X, model.sizes[-1], learnt_from=learnt)
        vary = varying(learnt)
        seen, unseen = np.delete(missed, held, axis=0), missed[held]
        return cls(
            **{name: getattr(model, name) for name in Autoencoder.__dataclass_fields__},
            curve=curve,
            held=held,
            turned=turned,
            linear=column_means(seen),
            linear_held=column_means(unseen),
            linear_error=mean(seen[:, vary]),
            linear_square=mean(seen[:, vary] ** 2),
            linear_held_error=mean(unseen[:, vary]) if len(held) else None,
            linear_held_square=mean(unseen[:, vary] ** 2) if len(held) else None,
        )

    def learnt(self, values: Floats) -> Floats:
        """The rows of `values` that it learnt from."""
        return training_rows(values, self.held)

    def layers(self, data: TableData) -> dict[str, Table]:
        """What goes into the network, its middle, and what comes out, for all rows and columns.

        `scaled` and `decoded` are on the network's scale, `encoded` has a column per number; a
        missing cell is missing in `scaled` only. The first column, without a name, names the
        rows.
        """
        data = turned(data) if self.turned else data
        X = data.matrix()
        codes = autoencoder.encode(self, X)
        measured = data.names("var").names
        numbers = [f"code{n + 1}" for n in range(codes.shape[1])]
        return {
            "encoded": _layer(data, numbers, codes),
            "decoded": _layer(data, measured, autoencoder.decode(self, codes)),
            "scaled": _layer(data, measured, autoencoder.scale(self, X)),
        }


@dataclass(frozen=True)
class Kept(State):
    """Where a training was when it was kept, and how its error had fallen."""

    curve: Floats


@dataclass(frozen=True)
class Cell:
    """A cell of the table: what stands there, in the column's own unit, and what comes back.

    `error` is how far apart they are on the network's scale; it and `value` are NaN if the cell is
    missing.
    """

    value: float
    restored: float
    error: float


class Moment:
    """A training at one moment: what it makes of the table, whatever is learnt afterwards."""

    def __init__(self, course: Course, model: Autoencoder, cycle: int) -> None:
        self.cycle = cycle
        self._course, self._model = course, model

    @property
    def cycles(self) -> int:
        """How often every row is to be seen."""
        return self._course.cycles

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns there are."""
        return self._course.shape

    def names(self, axis: str) -> Sequence[str]:
        """The names of the "rows" or of the "columns"."""
        return self._course.names(axis)

    @cached_property
    def error(self) -> float:
        """The mean error of the rows learnt from, over columns that vary."""
        missed = autoencoder.errors(self._model, self._course.learnt)
        return mean(missed[:, self._course.vary])

    def bins(self, rows: Places, columns: Places) -> Bins:
        """The bin of the error of each cell in these rows and columns."""
        model, X = self._model, self._course.X[rows]
        restored = autoencoder.decode(model, autoencoder.encode(model, X), columns)
        return binned(np.abs(restored - autoencoder.scale(model, X)[:, columns]))

    def blocks(self, rows: Places, columns: Places, most: tuple[int, int]) -> Bins:
        """The bin of the mean error in each of at most so many blocks of these rows and columns."""
        missed = autoencoder.errors(self._model, self._course.X)
        return binned(block_means(missed[np.ix_(rows, columns)], most))

    def cell(self, row: int, column: int) -> Cell:
        """What is known of one cell."""
        model, X = self._model, self._course.X[[row]]
        restored = autoencoder.decode(model, autoencoder.encode(model, X))
        error = np.abs(restored - autoencoder.scale(model, X))[0, column]
        return Cell(
            float(X[0, column]),
            float(autoencoder.unscale(model, restored)[0, column]),
            float(error),
        )

    def frame(self) -> dict[str, Any]:
        """The first rows and columns: a digit per cell, its bin, row by row, or "-" if missing.

        Of a table with more rows or columns, `whole` has the whole in blocks, as such a picture of
        their mean errors.
        """
        rows, columns = self.order("table")
        told = _digits(self.bins(rows[:SHOWN], columns[:SHOWN]))
        if max(self.shape) <= SHOWN:
            return told
        return {**told, "whole": _digits(self.blocks(rows, columns, (SHOWN, SHOWN)))}

    def order(self, by: str) -> tuple[Places, Places]:
        """The places of rows and columns as in the "table", like by like ("alike"), or worst first
        ("error")."""
        if by == "alike":
            return self._course.alike
        if by == "error":
            missed = autoencoder.errors(self._model, self._course.X)
            worst = (-np.nan_to_num(column_means(part)) for part in (missed.T, missed))
            rows, columns = (np.argsort(part, kind="stable") for part in worst)
            return rows, columns
        return np.arange(self.shape[0]), np.arange(self.shape[1])


class Course:
    """A training as it can be looked at between two steps.

    `X` (n x p) is the table as trained on, with the rows at `held` kept aside; `vary` says which
    columns do.
    """

    def __init__(
        self,
        training: Training,
        data: TableData,
        X: Floats,
        *,
        held: Places,
        turned: bool,
        curve: list[tuple[int, float]],
        keep: Callable[[], None],
    ) -> None:
        self.X, self.learnt = X, training_rows(X, held)
        self.vary = varying(self.learnt)
        self._training, self._data, self._keep = training, data, keep
        self._held, self._turned, self._curve = held, turned, curve

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns there are."""
        return self.X.shape[0], self.X.shape[1]

    def names(self, axis: str) -> Sequence[str]:
        """The names of the "rows" or of the "columns"."""
        return self._data.names(_AXES[axis]).names

    @property
    def cycle(self) -> int:
        """How often every row has been seen."""
        return self._training.cycle

    @property
    def cycles(self) -> int:
        """How often every row is to be seen."""
        return self._training.settings.cycles

    @property
    def between_cycles(self) -> bool:
        """Whether every row has been seen equally often."""
        return self._training.between_cycles

    @property
    def done(self) -> bool:
        """Whether nothing is left to learn."""
        return self._training.done

    def moment(self) -> Moment:
        """What has been learnt now."""
        return Moment(self, self._training.model(), self.cycle)

    def grid(self) -> dict[str, Any]:
        """What frames are of: names of the first rows and columns, and an order of these that puts
        like by like."""
        rows, columns = (list(self.names(axis)[:SHOWN]) for axis in _AXES)
        order = self._alike(self.X[:SHOWN, :SHOWN], slice(SHOWN))
        return {"rows": rows, "columns": columns, "alike": [part.tolist() for part in order]}

    @cached_property
    def alike(self) -> tuple[Places, Places]:
        """The places of rows and columns in an order that puts like by like."""
        return self._alike(self.X, slice(None))

    def _alike(self, X: Floats, columns: slice) -> tuple[Places, Places]:
        scaling = self._training.scaling
        values = np.where(np.isfinite(X), X, np.nan)
        S = (values - scaling.low[columns]) / scaling.span[columns] - scaling.mean[columns]
        Z = np.where(np.isfinite(S), S, 0.0)
        # Columns are alike that rise and fall together, however far.
        length = np.sqrt((Z**2).sum(axis=0))
        return alike(Z), alike((Z / np.where(length > 0, length, 1.0)).T)

    def save(self) -> None:
        """Keep what has been learnt so far, so that it can be gone on from."""
        self._keep()

    def trained(self) -> Trained:
        """What has been learnt so far."""
        curve = np.array(self._curve, dtype=np.float64).reshape(-1, 2)
        return Trained.of(
            self._training.model(), self.X, self._held, turned=self._turned, curve=curve
        )


def fit_autoencoder(
    data: TableData,
    *,
    hidden: Annotated[
        str,
        Numbers(
            "How many numbers each row is pressed into; several, as in 8,2, for several layers",
            1, _MOST_HIDDEN, whole=True, title="Numbers per row",
        ),
    ] = "2",
    cycles: Annotated[
        int, Number("How often every row is seen in training", 1, 1_000_000, whole=True)
    ] = 1000,
    activation: Annotated[
        str, Choice("What bends the numbers; linear makes it like PCA", tuple(ACTIVATIONS))
    ] = "tanh",
    corruption: Annotated[
        float,
        Number("How much is hidden in training, to be found again: a share of the cells, or how "
               "large the noise is", 0, 0.9),
    ] = 0.0,
    seed: Annotated[int, Number("Where chance begins", 0, 2**32 - 1, whole=True)] = 0,
    holdout: Annotated[
        float, Number("Share of the rows that is kept aside, to see how unseen rows fare", 0, 0.9,
                      title="Rows held out")
    ] = 0.0,
    weights: Annotated[
        str,
        Choice("Whether the way back has the weights of the way in (tied) or its own (free)",
               ("tied", "free"), further=True),
    ] = "tied",
    rate: Annotated[
        float, Number("Learning rate at the beginning; it falls to 0", 1e-6, 10, further=True,
                      title="Learning rate")
    ] = 0.01,
    optimiser: Annotated[
        str, Choice("How steps follow from slopes", OPTIMISERS, further=True)
    ] = "adam",
    batch: Annotated[
        int, Number("Rows per step", 1, 1_000_000, whole=True, further=True)
    ] = 32,
    noise: Annotated[
        str,
        Choice("What corruption does to cells: sets them to zero, or adds gaussian noise", NOISES,
               further=True),
    ] = "zero",
    decay: Annotated[
        float, Number("Weight decay per step and learning rate", 0, 0.99, further=True,
                      title="Weight decay")
    ] = 0.0,
    layerwise: Annotated[
        str,
        Choice("Whether layers first learn one by one, for half of the cycles", ("no", "yes"),
               further=True, title="Layer by layer"),
    ] = "no",
    begin: Annotated[
        str, Choice("How the weights begin", BEGINNINGS, further=True, title="First weights")
    ] = "orthonormal",
    scaling: Annotated[
        str,
        Choice("Whether columns are scaled to 0..1 each, or taken as they are", ("columns", "none"),
               further=True),
    ] = "columns",
    transpose: Annotated[
        str, Choice("Whether columns are pressed instead of rows", ("no", "yes"), further=True,
                    title="Press columns")
    ] = "no",
    report: Report,
) -> Trained:  # fmt: skip
    """Train an autoencoder on all rows and columns, telling `report` how it goes.

    Reports "grid" (see `Course.grid`), and "progress" (done, total, what) and "frame" (cycle,
    error, rows, columns, cells) at each of `marks`; `cells` is a digit per shown cell, row by row
    (see `Moment.frame`). Goes on from what an earlier attempt kept.

    Raises `NothingToAnswer` for a table in which nothing varies, or one too large for memory.
    """
    rows, columns = data.shape
    if rows * columns > _MOST_CELLS:
        raise NothingToAnswer(
            f"A table of {wording.number(rows * columns)} cells is too large to train on.",
            f"Take fewer rows or columns: {wording.number(_MOST_CELLS)} cells at most.",
        )
    data = turned(data) if transpose == "yes" else data
    X = data.matrix()
    held = _held(len(X), holdout, seed)
    learnt = training_rows(X, held)
    if not varying(learnt).any():
        raise NothingToAnswer("No column has two different values: there is nothing to learn.")
    settings = Settings(
        hidden=[int(width) for width in hidden.split(",")],
        cycles=cycles,
        activation=activation,
        tied=weights == "tied",
        rate=rate,
        optimiser=optimiser,
        corruption=corruption,
        noise=noise,
        decay=decay,
        batch=batch,
        layerwise=layerwise == "yes",
        begin=begin,
        scaled=scaling == "columns",
        seed=seed,
    )
    kept: Kept | None = report.kept(Kept)
    curve = [(int(cycle), float(error)) for cycle, error in kept.curve] if kept else []
    training = Training(learnt, settings, kept)
    if kept:
        report("notice", text=f"Goes on after cycle {kept.cycle}, where it was kept.")

    def state() -> Kept:
        return Kept(**vars(training.state()), curve=np.array(curve).reshape(-1, 2))

    course = Course(
        training,
        data,
        X,
        held=held,
        turned=transpose == "yes",
        curve=curve,
        keep=lambda: report.keep(state, now=True),
    )
    report("grid", **course.grid())
    # Numbers too large are found and told of at the next mark.
    with np.errstate(over="ignore", invalid="ignore"):
        _learn(training, course, curve, report, state)
    return course.trained()


def _learn(
    training: Training,
    course: Course,
    curve: list[tuple[int, float]],
    report: Report,
    state: Callable[[], Kept],
) -> None:
    """Take all steps that are left; what is learnt is kept where someone stops it."""
    moments = set(marks(course.cycles)) - {cycle for cycle, _ in curve}
    while True:
        if course.between_cycles and course.cycle in moments:
            moment = course.moment()
            if not np.isfinite(moment.error):
                raise NothingToAnswer(
                    f"By cycle {course.cycle} the training is astray: its steps are too long.",
                    "Try a lower learning rate (--rate), or the optimiser adam.",
                )
            curve.append((course.cycle, moment.error))
            report("progress", done=course.cycle, total=course.cycles, what="cycles")
            report("frame", cycle=course.cycle, error=moment.error, **moment.frame())
        try:
            report.look(course)
        except KeyboardInterrupt:
            report.keep(state, now=True)
            raise
        if training.done:
            return
        training.step()
        report.keep(state)


def training_rows(values: Floats, held: Places) -> Floats:
    """The rows of `values` but those at `held`."""
    return np.delete(values, held, axis=0) if len(held) else values


def _held(rows: int, share: float, seed: int) -> Places:
    """The places of the rows kept aside, but never all; which ones follows from the seed."""
    many = min(rows - 1, round(rows * share)) if rows else 0
    # Not the generator of the training itself, whose first numbers are the weights.
    random = np.random.default_rng([seed, 1])
    return np.sort(random.permutation(rows)[:many])


_AXES: Mapping[str, Any] = {"rows": "obs", "columns": "var"}


def turned(data: TableData) -> MemoryTable:
    """The table with its columns as rows."""
    about = data.about
    labels = data.labels("var").get("title")
    titles = data.labels("obs").get("title")
    return MemoryTable(
        np.ascontiguousarray(data.matrix().T),
        data.names("var").names,
        data.names("obs").names,
        replace(
            about,
            thing=about.measure,
            things=about.measures,
            measure=about.thing,
            measures=about.things,
            label="",
            size="",
            boundaries="",
        ),
        obs={} if labels is None else {"title": labels},
        var={} if titles is None else {"title": titles},
        provenance=data.provenance,
    )


def marks(cycles: int) -> list[int]:
    """The cycles after which a training is looked at, closer together where most is learnt.

    >>> marks(1000)[:8], marks(1000)[-2:], len(marks(1000)), marks(3)
    ([0, 1, 3, 6, 10, 16, 22, 31], [951, 1000], 41, [0, 1, 2, 3])
    """
    return sorted({round(cycles * (mark / _MARKS) ** 2) for mark in range(_MARKS + 1)})


def binned(missed: Floats) -> Bins:
    """The bin of each error, which counts the edges that it reaches; `NO_BIN` where it is NaN.

    >>> binned(np.array([[0.0, 0.01], [2.0, np.nan]])).tolist()
    [[0, 1], [8, 9]]
    """
    bins = np.searchsorted(EDGES, missed, side="right").astype(np.int8)
    bins[np.isnan(missed)] = NO_BIN
    return bins


def _digits(bins: Bins) -> dict[str, Any]:
    cells = "".join(_DIGITS[bins].flat)
    return {"rows": bins.shape[0], "columns": bins.shape[1], "cells": cells}


def block_means(values: Floats, most: tuple[int, int]) -> Floats:
    """Means over blocks of neighbouring rows and columns, at most so many; NaN of NaN alone.

    >>> block_means(np.array([[1.0, 3.0, 5.0], [1.0, np.nan, 7.0]]), (1, 2)).tolist()
    [[1.0, 5.0]]
    """
    starts = [
        np.unique(np.arange(min(size, many)) * size // min(size, many))
        for size, many in zip(values.shape, most, strict=True)
    ]
    known = ~np.isnan(values)
    parts = [np.where(known, values, 0.0), known.astype(np.float64)]
    for axis, start in enumerate(starts):
        parts = [np.add.reduceat(part, start, axis=axis) for part in parts]
    total, count = parts
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def varying(X: Floats) -> npt.NDArray[np.bool_]:
    """Which columns of `X` have at least two different values."""
    observed = np.isfinite(X)
    low = np.min(X, axis=0, where=observed, initial=np.inf)
    high = np.max(X, axis=0, where=observed, initial=-np.inf)
    return np.asarray(low < high)


def mean(missed: Floats) -> float:
    """The mean over all cells that are not missing; NaN if all are."""
    return float(np.nanmean(missed)) if np.isfinite(missed).any() else float("nan")


def column_means(missed: Floats) -> Floats:
    """The mean of each column over its observed cells; NaN where there are none."""
    observed = ~np.isnan(missed)
    count = observed.sum(axis=0)
    total = np.sum(missed, axis=0, where=observed)
    means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means


def _layer(data: TableData, names: Sequence[str], values: Floats) -> Table:
    rows = (Field("", data.about.thing.capitalize()), data.names("obs").names)
    return Table.of(rows, *((Field(name, name), values[:, n]) for n, name in enumerate(names)))
