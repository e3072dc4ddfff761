"""The question "reconstruction": how much of a table a few numbers per row can bring back.

How the network is trained, and what is told and can be seen of it meanwhile, is in
`followdata.questions.training`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core import autoencoder
from followdata.core.autoencoder import Floats
from followdata.data import TableData
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures
from followdata.questions.training import (
    EDGES,
    SHOWN,
    Trained,
    column_means,
    fit_autoencoder,
    mean,
    turned,
    varying,
)

_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def reconstruction(data: TableData, fitted: Trained) -> Answer:
    """How well the rows come back from their codes, column by column and cell by cell.

    Tables: `columns` (column, title, error, pca), `codes` (thing, code1, code2, ...; group if
    the data have a main label), `cells` (row, column, value, reconstruction, error) for the
    first rows and columns, `learning` (cycle, error). Errors are absolute and on a scale of
    0..1, where columns are scaled; values and reconstructions have the columns' own units. Where
    rows were held out, `columns` and the sentence tell of the others, and `columns` has the held
    ones' errors beside them (held, held_pca).
    """
    data = turned(data) if fitted.turned else data
    X = data.matrix()
    missed = autoencoder.errors(fitted, X)
    vary = varying(fitted.learnt(X))
    columns = _columns_table(data, fitted, missed)
    views = [_grid(data, missed), _learning(fitted)]
    if fitted.sizes[-1] > 1:
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
    title="How much of a table comes back through {hidden} hidden units?",
    words="An autoencoder presses each row into a few numbers and learns to bring the row back "
    "from them. What it cannot bring back did not fit into so few numbers.",
    needs="table",
    fit=fit_autoencoder,
    answer=reconstruction,
    long=True,
    version=2,
)


def _sentence(data: TableData, fitted: Trained, missed: Floats, vary: npt.NDArray[np.bool_]) -> str:
    hidden = fitted.sizes[-1]
    many = _COUNTS[hidden - 1] if hidden <= len(_COUNTS) else str(hidden)
    verb = "number per {0} brings" if hidden == 1 else "numbers per {0} bring"
    pressed = f"{many.capitalize()} {verb.format(data.about.thing)}"
    columns = wording.count(missed.shape[1], data.about.measure, data.about.measures)
    components = wording.count(hidden, "component", "components")
    seen = fitted.learnt(missed)
    means = np.where(vary, column_means(seen), np.nan)
    titles = Measures.of(data).titles
    best, worst = int(np.nanargmin(means)), int(np.nanargmax(means))
    where = ", on a scale where each runs from 0 to 1" if _scaled(fitted) else ""
    told = (
        f"{pressed} the {columns} of “{data.about.title}” back to within "
        f"{_shown(mean(seen[:, vary]))} on average{where}; "
        f"PCA with {components}: {_shown(fitted.linear_error)}."
    )
    if len(fitted.held):
        unseen = mean(missed[fitted.held][:, vary])
        told += (
            f" {wording.count(len(fitted.held), data.about.thing, data.about.things)} that it had "
            f"not seen: {_shown(unseen)}; PCA: {_shown(fitted.linear_held_error)}."
        )
    if best == worst:
        return told
    return (
        f"{told} Best: “{titles[best]}” ({_shown(means[best])}); "
        f"worst: “{titles[worst]}” ({_shown(means[worst])})."
    )


def _scaled(fitted: Trained) -> bool:
    """Whether columns were brought to 0..1; else each begins at 0 and has a span of 1."""
    low, span = np.nan_to_num(fitted.low), np.nan_to_num(fitted.span, nan=1.0)
    return bool(np.any(low != 0.0) or np.any(span != 1.0))


def _columns_table(data: TableData, fitted: Trained, missed: Floats) -> Table:
    measure, title, _ = measures.fields(data)
    measured = Measures.of(data)
    error, pca = (_error_title(fitted, words) for words in ("Mean error", "Mean error of PCA"))
    held = (
        (Field("held", "Rows not seen", decimals=3), column_means(missed[fitted.held])),
        (Field("held_pca", "PCA, rows not seen", decimals=3), fitted.linear_held),
    )
    return Table.of(
        (Field("column", measure.title), measured.names),
        (title, measured.titles),
        (Field("error", error, decimals=3), column_means(fitted.learnt(missed))),
        (Field("pca", pca, decimals=3), fitted.linear),
        *(held if len(fitted.held) else ()),
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
        (Field("error", _error_title(fitted, "Error"), decimals=3), missed[:rows, :columns].flat),
        title="Value by value",
    )


def _learning_table(fitted: Trained) -> Table:
    return Table.of(
        (Field("cycle", "Cycle"), fitted.curve[:, 0].astype(int)),
        (Field("error", _error_title(fitted, "Mean error"), decimals=3), fitted.curve[:, 1]),
        title="How the error fell",
    )


def _error_title(fitted: Trained, words: str) -> str:
    return f"{words} (0..1)" if _scaled(fitted) else words


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
    seen = fitted.learnt(missed)
    told = (
        f"The error is measured on the {wording.count(len(seen), about.thing, about.things)} that "
        "the network learnt from."
    )
    if len(fitted.held):
        away = _shown(mean(missed[fitted.held][:, vary] ** 2) ** 0.5)
        linear = _shown(float(fitted.linear_held_square or 0.0) ** 0.5)
        yield (
            f"{told} On those held out, chosen at random, the root of the mean squared error is "
            f"{away}, and {linear} for PCA of the same rows."
        )
    else:
        yield f"{told} Others it has not seen would come back less well."
    missing = int(np.sum(~np.isfinite(X)))
    if missing:
        yield (
            f"{wording.number(missing)} of {cells} cells are missing. They teach the network "
            "nothing and count in no error; the rest of their rows is taken as if the mean of the "
            f"{about.measure} stood there, by the network and by PCA alike."
        )
    else:
        yield f"None of the {cells} cells is missing."
    root_mean_square = _shown(mean(seen[:, vary] ** 2) ** 0.5)
    from_means = np.abs(autoencoder.scale(fitted, fitted.learnt(X)) - fitted.mean)
    yield (
        "PCA on the same scale is the best that any linear map through as many numbers can do, "
        "counted in squared error: the root of its mean is "
        f"{_shown(fitted.linear_square**0.5)} for PCA and {root_mean_square} for the network. "
        f"Without any numbers per {about.thing}, the means of the columns alone miss by "
        f"{_shown(mean(from_means[:, vary]))} on average."
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
    if fitted.sizes[-1] >= X.shape[1]:
        yield f"With no fewer numbers than {about.measures}, nothing had to be left out."
    if max(X.shape) > SHOWN:
        yield f"Cell by cell, the first {SHOWN} rows and columns are shown."


def _shown(error: float | None) -> str:
    """An error with three decimals.

    >>> _shown(0.0966), _shown(0.0001)
    ('0.097', 'less than 0.001')
    """
    if error is None:
        return "unknown"
    return f"{error:.3f}" if error >= 0.0005 else "less than 0.001"


def _heading(label: str) -> str:
    return label.replace("_", " ").capitalize()
