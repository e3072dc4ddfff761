"""The question "reconstruction": how much of a table a few numbers per row can bring back.

While it trains it tells, at some forty moments, how far it is ("progress") and how well each cell
is brought back ("frame"), so that it can be watched, and watched again from its journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core import autoencoder
from followdata.core.autoencoder import ACTIVATIONS, Autoencoder, Floats
from followdata.data import TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice, Number
from followdata.question import Question, Report
from followdata.questions import measures, wording
from followdata.questions.measures import Measures

EDGES = (0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
"""Errors, on a scale of 0..1, are shown in nine steps with these edges: 0 below the first."""
SHOWN = 75
"""So many rows and columns, the first ones, are shown cell by cell."""
MISSING = "-"
_MARKS = 40
_MOST_CELLS = 50_000_000
"""Training holds some five copies of the table: 2 GB at this size."""
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Trained(Autoencoder):
    """A trained autoencoder, how its error fell, and how PCA of the same width does.

    `curve` (marks x 2) holds cycles and the mean error after each; `linear` (p) the mean error
    of each column under PCA, NaN where there is none; `linear_error` and `linear_square` the
    mean error and the mean squared error of all cells under PCA.
    """

    curve: Floats
    linear: Floats
    linear_error: float
    linear_square: float

    def layers(self, data: TableData) -> dict[str, Table]:
        """What goes into the network, its middle, and what comes out, for all rows and columns.

        `scaled` and `decoded` are on the scale of 0..1, `encoded` has a column per number; a
        missing cell is missing in `scaled` only. The first column, without a name, names the
        rows.
        """
        X = data.matrix()
        codes = autoencoder.encode(self, X)
        measured = data.names("var").names
        numbers = [f"code{n + 1}" for n in range(codes.shape[1])]
        return {
            "encoded": _layer(data, numbers, codes),
            "decoded": _layer(data, measured, autoencoder.decode(self, codes)),
            "scaled": _layer(data, measured, autoencoder.scale(self, X)),
        }


def fit_autoencoder(
    data: TableData,
    *,
    hidden: Annotated[
        int, Number("How many numbers each row is pressed into", 1, 64, whole=True)
    ] = 2,
    cycles: Annotated[
        int, Number("How often every row is seen in training", 1, 100_000, whole=True)
    ] = 1000,
    activation: Annotated[
        str, Choice("What bends the numbers; linear makes it like PCA", tuple(ACTIVATIONS))
    ] = "tanh",
    corruption: Annotated[
        float, Number("Share of the cells hidden in training, to be found again", 0, 0.9)
    ] = 0.0,
    seed: Annotated[int, Number("Where chance begins", 0, 2**32 - 1, whole=True)] = 0,
    report: Report,
) -> Trained:
    """Train an autoencoder on all rows and columns, telling `report` how it goes.

    Reports "progress" (done, total, what) and "frame" (cycle, error, rows, columns, cells) at
    each of `marks`; `cells` is a digit per shown cell, row by row (see `steps`).

    Raises `NothingToAnswer` for a table in which nothing varies, or one too large for memory.
    """
    rows, columns = data.shape
    if rows * columns > _MOST_CELLS:
        raise NothingToAnswer(
            f"A table of {wording.number(rows * columns)} cells is too large to train on.",
            f"Take fewer rows or columns: {wording.number(_MOST_CELLS)} cells at most.",
        )
    X = data.matrix()
    vary = varying(X)
    if not vary.any():
        raise NothingToAnswer("No column has two different values: there is nothing to learn.")
    moments = set(marks(cycles))
    curve: list[tuple[int, float]] = []

    def watch(cycle: int, model: Autoencoder) -> None:
        if cycle in moments:
            missed = autoencoder.errors(model, X)
            curve.append((cycle, _mean(missed[:, vary])))
            report("progress", done=cycle, total=cycles, what="cycles")
            report("frame", cycle=cycle, error=curve[-1][1], **steps(missed))

    model = autoencoder.train(
        X,
        hidden=hidden,
        cycles=cycles,
        activation=activation,
        corruption=corruption,
        seed=seed,
        watch=watch,
    )
    linear = autoencoder.linear_errors(model, X, hidden)
    return Trained(
        **asdict(model),
        curve=np.array(curve),
        linear=_column_means(linear),
        linear_error=_mean(linear[:, vary]),
        linear_square=_mean(linear[:, vary] ** 2),
    )


def reconstruction(data: TableData, fitted: Trained) -> Answer:
    """How well the rows come back from their codes, column by column and cell by cell.

    Tables: `columns` (column, title, error, pca), `codes` (thing, code1, code2, ...; group if
    the data have a main label), `cells` (row, column, value, reconstruction, error) for the
    first rows and columns, `learning` (cycle, error). Errors are absolute and on a scale of
    0..1; values and reconstructions have the columns' own units.
    """
    X = data.matrix()
    missed = autoencoder.errors(fitted, X)
    vary = varying(X)
    columns = _columns_table(data, fitted, missed)
    views = [_grid(data, missed), _learning(fitted)]
    if fitted.weights.shape[1] > 1:
        views.insert(1, _scatter(data))
    return Answer(
        sentence=_sentence(data, fitted, missed, vary),
        tables={
            "columns": columns,
            "codes": _codes_table(data, fitted, X),
            "cells": _cells_table(data, fitted, X, missed),
            "learning": _learning_table(fitted),
        },
        views=tuple(views),
        notes=tuple(_notes(data, fitted, X, missed, vary)),
    )


question = Question(
    name="reconstruction",
    title="How much of each row comes back from a code of length {hidden}?",
    words="An autoencoder presses each row into a few numbers and learns to bring the row back "
    "from them. What it cannot bring back did not fit into so few numbers.",
    needs="table",
    fit=fit_autoencoder,
    answer=reconstruction,
    long=True,
)


def marks(cycles: int) -> list[int]:
    """The cycles after which a training is looked at, closer together where most is learnt.

    >>> marks(1000)[:8], marks(1000)[-2:], len(marks(1000)), marks(3)
    ([0, 1, 3, 6, 10, 16, 22, 31], [951, 1000], 41, [0, 1, 2, 3])
    """
    return sorted({round(cycles * (mark / _MARKS) ** 2) for mark in range(_MARKS + 1)})


def steps(missed: Floats) -> dict[str, int | str]:
    """Errors (n x p) as a frame: of the first rows and columns, a digit per cell, row by row.

    A digit counts the edges that the error reaches; a missing cell is "-".

    >>> steps(np.array([[0.0, 0.02], [2.0, np.nan]]))
    {'rows': 2, 'columns': 2, 'cells': '018-'}
    """
    shown = missed[:SHOWN, :SHOWN]
    digits = np.searchsorted(EDGES, shown, side="right").astype("U1")
    digits[np.isnan(shown)] = MISSING
    return {"rows": shown.shape[0], "columns": shown.shape[1], "cells": "".join(digits.flat)}


def varying(X: Floats) -> npt.NDArray[np.bool_]:
    """Which columns of `X` have at least two different values."""
    observed = np.isfinite(X)
    low = np.min(X, axis=0, where=observed, initial=np.inf)
    high = np.max(X, axis=0, where=observed, initial=-np.inf)
    return np.asarray(low < high)


def _sentence(data: TableData, fitted: Trained, missed: Floats, vary: npt.NDArray[np.bool_]) -> str:
    hidden = fitted.weights.shape[1]
    many = _COUNTS[hidden - 1] if hidden <= len(_COUNTS) else str(hidden)
    verb = "number per {0} brings" if hidden == 1 else "numbers per {0} bring"
    pressed = f"{many.capitalize()} {verb.format(data.about.thing)}"
    columns = wording.count(missed.shape[1], data.about.measure, data.about.measures)
    components = wording.count(hidden, "component", "components")
    means = np.where(vary, _column_means(missed), np.nan)
    titles = Measures.of(data).titles
    best, worst = int(np.nanargmin(means)), int(np.nanargmax(means))
    told = (
        f"{pressed} the {columns} of “{data.about.title}” back to within "
        f"{_shown(_mean(missed[:, vary]))} on average, on a scale where each runs from 0 to 1; "
        f"PCA with {components}: {_shown(fitted.linear_error)}."
    )
    if best == worst:
        return told
    return (
        f"{told} Best: “{titles[best]}” ({_shown(means[best])}); "
        f"worst: “{titles[worst]}” ({_shown(means[worst])})."
    )


def _columns_table(data: TableData, fitted: Trained, missed: Floats) -> Table:
    measure, title, _ = measures.fields(data)
    measured = Measures.of(data)
    return Table.of(
        (Field("column", measure.title), measured.names),
        (title, measured.titles),
        (Field("error", "Mean error (0..1)", decimals=3), _column_means(missed)),
        (Field("pca", "Mean error of PCA (0..1)", decimals=3), fitted.linear),
        title=f"How well each {data.about.measure} comes back",
    )


def _codes_table(data: TableData, fitted: Trained, X: Floats) -> Table:
    codes = autoencoder.encode(fitted, X)
    label = data.about.label
    groups = data.labels("obs").get(label) if label else None
    group = [] if groups is None else [(Field("group", _heading(label)), groups.tolist())]
    return Table.of(
        (Field("thing", data.about.thing.capitalize()), data.names("obs").names),
        *group,
        *(
            (Field(f"code{n + 1}", f"Number {n + 1}", decimals=3), codes[:, n])
            for n in range(codes.shape[1])
        ),
        title=f"The numbers that each {data.about.thing} is pressed into",
    )


def _cells_table(data: TableData, fitted: Trained, X: Floats, missed: Floats) -> Table:
    restored = autoencoder.unscale(
        fitted, autoencoder.decode(fitted, autoencoder.encode(fitted, X))
    )
    rows, columns = (min(SHOWN, size) for size in X.shape)
    names = data.names("obs").names[:rows]
    measured = Measures.of(data)
    unique = len(set(measured.titles)) == len(measured.titles)
    titles = (measured.titles if unique else measured.names)[:columns]
    return Table.of(
        (Field("row", data.about.thing.capitalize()), np.repeat(names, columns)),
        (Field("column", data.about.measure.capitalize(), lang=data.about.lang), [*titles] * rows),
        (Field("value", "Value"), X[:rows, :columns].flat),
        (Field("reconstruction", "Reconstruction"), restored[:rows, :columns].flat),
        (Field("error", "Error (0..1)", decimals=3), missed[:rows, :columns].flat),
        title="Value by value",
    )


def _learning_table(fitted: Trained) -> Table:
    return Table.of(
        (Field("cycle", "Cycle"), fitted.curve[:, 0].astype(int)),
        (Field("error", "Mean error (0..1)", decimals=3), fitted.curve[:, 1]),
        title="How the error fell",
    )


def _layer(data: TableData, names: Sequence[str], values: Floats) -> Table:
    rows = (Field("", data.about.thing.capitalize()), data.names("obs").names)
    return Table.of(rows, *((Field(name, name), values[:, n]) for n, name in enumerate(names)))


def _grid(data: TableData, missed: Floats) -> View:
    rows, columns = (min(SHOWN, size) for size in missed.shape)
    shown = missed[:rows, :columns]
    present = shown[~np.isnan(shown)]
    near = wording.share(float(np.mean(present < EDGES[2]))) if len(present) else "none"
    return View(
        kind="grid",
        table="cells",
        channels={"row": "row", "column": "column", "value": "error"},
        title="How far each value is missed",
        description=f"{wording.count(rows, data.about.thing, data.about.things)} by "
        f"{wording.count(columns, data.about.measure, data.about.measures)}: each cell is "
        "coloured from green, where the value comes back, to red, where it does not. "
        f"{near} of them come back to within {EDGES[2]} on a scale of 0 to 1.",
        options={"bins": list(EDGES)},
    )


def _scatter(data: TableData) -> View:
    things = data.about.things
    label = data.about.label
    channels = {"x": "code1", "y": "code2", "label": "thing"}
    coloured = ""
    if label and label in data.labels("obs"):
        channels["color"] = "group"
        coloured = f" They are coloured by {label}, which the network was not told."
    return View(
        kind="scatter",
        table="codes",
        channels=channels,
        title=f"Where the first two numbers put the {things}",
        description=f"A point for each of the {wording.number(data.shape[0])} {things}, placed by "
        f"the first two numbers it is pressed into; those close together are alike.{coloured}",
    )


def _learning(fitted: Trained) -> View:
    (_, before), (cycles, after) = fitted.curve[0], fitted.curve[-1]
    return View(
        kind="lines",
        table="learning",
        channels={"x": "cycle", "y": "error"},
        title="How the error fell",
        description=f"The mean error over the cycles of training: {_shown(before)} before the "
        f"first, {_shown(after)} after {wording.count(int(cycles), 'cycle', 'cycles')}.",
    )


def _notes(
    data: TableData, fitted: Trained, X: Floats, missed: Floats, vary: npt.NDArray[np.bool_]
) -> Iterator[str]:
    about = data.about
    cells = wording.number(X.size)
    yield (
        f"The error is measured on the {wording.count(len(X), about.thing, about.things)} that the "
        "network learnt from. Others it has not seen would come back less well."
    )
    missing = int(np.sum(~np.isfinite(X)))
    if missing:
        yield (
            f"{wording.number(missing)} of {cells} cells are missing. They teach the network "
            "nothing and count in no error; the rest of their rows is taken as if the mean of the "
            f"{about.measure} stood there, by the network and by PCA alike."
        )
    else:
        yield f"None of the {cells} cells is missing."
    root_mean_square = _shown(_mean(missed[:, vary] ** 2) ** 0.5)
    from_means = np.abs(autoencoder.scale(fitted, X) - fitted.mean)
    yield (
        "PCA on the same scale is the best that any linear map through as many numbers can do, "
        "counted in squared error: the root of its mean is "
        f"{_shown(fitted.linear_square**0.5)} for PCA and {root_mean_square} for the network. "
        f"Without any numbers per {about.thing}, the means of the columns alone miss by "
        f"{_shown(_mean(from_means[:, vary]))} on average."
    )
    yield (
        "Training begins in random directions: another seed gives other numbers and a slightly "
        "different error. The numbers have no meaning of their own but what they bring back."
    )
    left_out = int(np.sum(~vary))
    if left_out:
        yield (
            f"{wording.count(left_out, about.measure, about.measures)} without two different "
            "values count in no mean."
        )
    if fitted.weights.shape[1] >= X.shape[1]:
        yield f"With no fewer numbers than {about.measures}, nothing had to be left out."
    if max(X.shape) > SHOWN:
        yield f"Cell by cell, the first {SHOWN} rows and columns are shown."


def _mean(missed: Floats) -> float:
    return float(np.nanmean(missed))


def _column_means(missed: Floats) -> Floats:
    """The mean of each column over its observed cells; NaN where there are none."""
    observed = ~np.isnan(missed)
    count = observed.sum(axis=0)
    total = np.sum(missed, axis=0, where=observed)
    means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means


def _shown(error: float) -> str:
    """An error with three decimals.

    >>> _shown(0.0966), _shown(0.0001)
    ('0.097', 'less than 0.001')
    """
    return f"{error:.3f}" if error >= 0.0005 else "less than 0.001"


def _heading(label: str) -> str:
    return label.replace("_", " ").capitalize()
