"""Rows that are of a class, and what one matrix of their table holds of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.answer import listing
from followdata.data import Floats, TableData, matrices
from followdata.errors import NothingToAnswer
from followdata.parameters import Label, Matrix
from followdata.questions import wording

Ints = npt.NDArray[np.intp]

OUTCOME = Label("The label whose classes are to be told apart")
MATRIX = Matrix("Which measurements to tell them by")
LEAST_IN_CLASS = 5
"""A class with fewer rows is left out: five folds would not all have one."""
LEAST_SEEN = 0.5
"""A column that fewer of the rows have a value in is left out."""


@dataclass(frozen=True)
class Classed:
    """The n rows that are of a class and were measured, and the p columns that enough of them have.

    `rows` (n) and `columns` (p) are positions in the table, `X` (n x p) its values with NaN where
    there are none, `classes` (n) the number of each row's class in `names`. `small` are the classes
    with too few rows, `unlabelled` counts rows that were measured and are of no class, and `rare`
    the columns left out.
    """

    outcome: str
    rows: Ints
    columns: Ints
    X: Floats
    classes: Ints
    names: list[str]
    small: list[str]
    unlabelled: int
    rare: int

    @classmethod
    def of(cls, data: TableData, outcome: str, matrix: str) -> Classed:
        """Raises `NothingToAnswer` where fewer than two classes have enough rows."""
        X = data.matrix(layer=matrices(data)[matrix])
        X = np.where(np.isfinite(X), X, np.nan)
        labels = data.labels("obs")[outcome]
        measured = ~np.isnan(X).all(axis=1)
        known, number = np.unique(labels[measured & (labels != "")], return_counts=True)
        names = [str(name) for name in known[number >= LEAST_IN_CLASS]]
        rows = np.flatnonzero(measured & np.isin(labels, names))
        if len(names) < 2 or len(names) > len(rows) / LEAST_IN_CLASS:
            raise NothingToAnswer(
                f"Fewer than two classes of “{outcome}” have {LEAST_IN_CLASS} "
                f"{data.about.things} or more with values of “{matrix}”.",
                "Choose another outcome.",
            )
        enough = (~np.isnan(X[rows])).mean(axis=0) >= LEAST_SEEN
        if not enough.any():
            raise NothingToAnswer(
                f"No {data.about.measure} was measured in half of the {data.about.things}."
            )
        columns = np.flatnonzero(enough)
        index = {name: at for at, name in enumerate(names)}
        return cls(
            outcome=outcome,
            rows=rows,
            columns=columns,
            X=np.ascontiguousarray(X[np.ix_(rows, columns)]),
            classes=np.array([index[name] for name in labels[rows].tolist()], dtype=np.intp),
            names=names,
            small=[str(name) for name in known[number < LEAST_IN_CLASS]],
            unlabelled=int((measured & (labels == "")).sum()),
            rare=int((~enough & ~np.isnan(X).all(axis=0)).sum()),
        )

    @property
    def named(self) -> npt.NDArray[np.str_]:
        """The class of each row by name (n)."""
        return np.array(self.names)[self.classes]

    def notes(self, data: TableData) -> Iterator[str]:
        """What was left out, and how many values were not there."""
        about = data.about
        if self.small:
            yield (
                f"Left out: {listing(self.small)}, each with fewer than {LEAST_IN_CLASS} "
                f"{about.things}."
            )
        if self.unlabelled:
            some = wording.count(self.unlabelled, about.thing, about.things)
            yield f"{some} of no known {_said(self.outcome)} could not be used."
        if self.rare:
            yield (
                f"{wording.count(self.rare, about.measure, about.measures)} measured in fewer than "
                f"half of the {about.things} are left out."
            )
        missing = int(np.isnan(self.X).sum())
        cells = wording.number(self.X.size)
        if missing:
            yield (
                f"{wording.number(missing)} of {cells} values are missing; none is filled in: each "
                f"{about.measure} is judged by the {about.things} that have it."
            )
        else:
            yield f"None of the {cells} values used is missing."


def right_by_class(number: int, classes: Ints, calls: Ints) -> tuple[list[int], list[int]]:
    """For each of the classes, how many rows it has and how many of them were called right.

    >>> right_by_class(2, np.array([0, 0, 1]), np.array([0, 1, 1]))
    ([2, 1], [1, 1])
    """
    held = [classes == one for one in range(number)]
    return (
        [int(rows.sum()) for rows in held],
        [int((calls[rows] == one).sum()) for one, rows in enumerate(held)],
    )


def _said(label: str) -> str:
    return label.replace("_", " ")
