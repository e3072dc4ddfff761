"""The question "select": all columns that have to do with a class, not the fewest that predict it.

What is learnt are two things: which columns stand out from shadows of themselves (see
`followdata.core.selection`), and how well the classes can be told by what is selected, which is
tried on rows that neither the selection nor the classifier has seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core import selection
from followdata.core.contrasts import contrasts
from followdata.core.heldout import Accuracy, balanced_accuracy, folds
from followdata.core.logistic import called
from followdata.core.selection import LEVEL, TENTATIVE, TREES, Selection
from followdata.data import Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Number
from followdata.question import Question, Report
from followdata.questions import wording
from followdata.questions.classed import (
    MATRIX,
    OUTCOME,
    Classed,
    right_by_class,
)
from followdata.questions.workers import workers

Ints = npt.NDArray[np.intp]

_FOLDS = 5
_MOST_CELLS = 20_000_000
_SEED = Number("Where chance begins", 0, 2**32 - 1, whole=True)
_POINTS = 200
"""So many points make up a line of a picture."""


@dataclass(frozen=True)
class Relevant(Selection):
    """A selection among the columns of a `Classed`, and what calls by it were while held out.

    `columns` are their positions in the table, `calls` (n) the class each row was called by what
    was learnt without it, and `confirmed_within` how many columns were confirmed without each fold.
    """

    columns: Ints
    calls: Ints
    confirmed_within: list[int]


def fit_relevant(
    data: TableData,
    *,
    outcome: Annotated[str, OUTCOME],
    matrix: Annotated[str, MATRIX],
    seed: Annotated[int, _SEED] = 0,
    report: Report,
) -> Relevant:
    """Select among all rows, then without each of five folds, whose rows are called in turn.

    Reports "progress" (done, total, what) as trees are grown.

    Raises `NothingToAnswer` for a label with fewer than two classes of some size, and for a table
    too large.
    """
    classed = Classed.of(data, outcome, matrix)
    if classed.X.size > _MOST_CELLS:
        raise NothingToAnswer(
            f"A table of {wording.number(classed.X.size)} cells is too large to select from.",
            f"Take fewer rows or columns: {wording.number(_MOST_CELLS)} cells at most.",
        )
    total = TREES * (1 + _FOLDS)

    def tell(before: int, done: int) -> None:
        if done % 10 == 0:
            report("progress", done=before + done, total=total, what="trees")

    X, classes = classed.X, classed.classes
    calls, confirmed = np.full(len(X), -1, dtype=np.intp), []
    with workers() as executor:
        select = partial(selection.select, seed=seed, executor=executor)
        found = select(X, classed.named, watch=partial(tell, 0))
        fold = folds(classes, _FOLDS, np.random.default_rng(seed))
        for number in range(_FOLDS):
            out = fold == number
            grown = TREES * (1 + number)
            within = select(X[~out], classed.named[~out], watch=partial(tell, grown)).confirmed
            confirmed.append(int(within.sum()))
            calls[out] = _called(X[:, within], classes, out, seed)
    return Relevant(
        **asdict(found), columns=classed.columns, calls=calls, confirmed_within=confirmed
    )


def _called(X: Floats, classes: Ints, out: npt.NDArray[np.bool_], seed: int) -> Ints:
    """What the rows held out are called: without any column, by the class that is most common."""
    if not X.shape[1]:
        return np.full(int(out.sum()), np.bincount(classes[~out]).argmax(), dtype=np.intp)
    return called(X[~out], classes[~out], X[out], seed=seed)


def relevant(
    data: TableData,
    fitted: Relevant,
    *,
    outcome: Annotated[str, OUTCOME],
    matrix: Annotated[str, MATRIX],
    top: Annotated[int, Number("How many to show", 1, 1_000_000, whole=True)] = 20,
) -> Answer:
    """Which columns have to do with the classes of `outcome`.

    Table `select`, the most important first: feature, decision (confirmed, tentative, rejected),
    importance (in standard deviations of shadows), hits (of how many copies it beats the best
    shadow), q, where (the class whose mean is furthest from the others', and to which side).
    Table `importance`: feature, importance, for the same columns and the best shadows. Table
    `chance`: importance, number, whose: how many columns, and how many shadows of one copy, are at
    least as important. Table `classes`: class, n, right, share: how often held-out rows were
    called right by the columns confirmed without them.
    """
    told = _Told(data, fitted, Classed.of(data, outcome, matrix), matrix, top)
    return Answer(
        sentence=" ".join(told.sentences()),
        tables={
            "select": told.table(),
            "importance": told.importance_table(),
            "chance": told.chance_table(),
            "classes": told.class_table(),
        },
        views=tuple(told.views()),
        notes=tuple(told.notes()),
    )


question = Question(
    name="select",
    title="What has to do with {outcome}?",
    words="All features that differ between classes, alone or together with others, and not just "
    "the few that suffice to predict them. Each is held against shadows of itself, the same values "
    "in another order, which show what chance alone would do.",
    needs="table",
    fit=fit_relevant,
    answer=relevant,
    long=True,
)


@dataclass(frozen=True)
class _Told:
    """What there is to say of a selection."""

    data: TableData
    fitted: Relevant
    classed: Classed
    matrix: str
    top: int

    @property
    def order(self) -> Ints:
        """The columns that vary, the most important first."""
        known = np.flatnonzero(~np.isnan(self.fitted.importance))
        return known[np.argsort(-self.fitted.importance[known], kind="stable")]

    @property
    def shown(self) -> list[int]:
        return [int(column) for column in self.order[: self.top]]

    @property
    def names(self) -> list[str]:
        every = self.data.names("var").names
        return [every[self.fitted.columns[column]] for column in self.shown]

    @property
    def accuracy(self) -> Accuracy:
        return balanced_accuracy(self.classed.classes, self.fitted.calls)

    @property
    def where(self) -> list[str]:
        """The class whose mean is furthest from the others' in each column shown."""
        X, classed = self.classed.X[:, self.shown], self.classed
        members = classed.classes == np.arange(len(classed.names))[:, None]
        effect = contrasts(X, members).effect
        furthest = np.abs(np.nan_to_num(effect)).argmax(axis=0)
        return [
            f"{'higher' if effect[one, column] > 0 else 'lower'} in {classed.names[one]}"
            for column, one in enumerate(furthest.tolist())
        ]

    def table(self) -> Table:
        fitted, shown = self.fitted, self.shown
        decisions = fitted.decisions
        return Table.of(
            (self._feature(), self.names),
            (Field("decision", "Decision"), [decisions[column] for column in shown]),
            (Field("importance", "Importance", decimals=2), fitted.importance[shown]),
            (Field("hits", f"Hits of {len(fitted.best_shadows)}"), fitted.hits[shown]),
            (Field("q", "q"), fitted.q[shown]),
            (Field("where", "Where"), self.where),
            title=f"What has to do with {self._outcome}",
        )

    def importance_table(self) -> Table:
        """The columns shown, and the shadows to hold them against, in order of importance."""
        best = self.fitted.best_shadows
        rows = [
            *zip(self.names, self.fitted.importance[self.shown].tolist(), strict=True),
            ("the best of all shadows", float(best.max())),
            (f"the best shadow of a copy (median of {len(best)})", float(np.median(best))),
        ]
        rows.sort(key=lambda row: -row[1])
        return Table.of(
            (self._feature(), [name for name, _ in rows]),
            (Field("importance", "Importance", decimals=2), [value for _, value in rows]),
            title="Beside the best shadows",
        )

    def chance_table(self) -> Table:
        """How many are at least so important, of the columns and of a copy's shadows."""
        fitted, about = self.fitted, self.data.about
        order = self.order
        last = max(20, int(np.searchsorted(fitted.q[order], TENTATIVE, side="right")))
        places = np.unique(np.linspace(0, min(last, len(order)) - 1, _POINTS).astype(int))
        importance, chance = fitted.importance[order[places]], fitted.chance[order[places]]
        return Table.of(
            (Field("importance", "Importance", decimals=2), np.r_[importance, importance]),
            (Field("number", "At least so important"), np.r_[places + 1.0, chance]),
            (
                Field("whose", "Whose"),
                [about.measures] * len(places) + ["shadows of one copy"] * len(places),
            ),
            title="How many stand out, and how many would by chance",
        )

    def class_table(self) -> Table:
        classed = self.classed
        number, right = right_by_class(len(classed.names), classed.classes, self.fitted.calls)
        return Table.of(
            (Field("class", self._outcome.capitalize()), classed.names),
            (Field("n", self.data.about.things.capitalize()), number),
            (Field("right", "Called right"), right),
            (Field("share", "Share", decimals=2), np.array(right) / np.array(number)),
            title="How well the confirmed ones tell the classes of what was held out",
        )

    def sentences(self) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        confirmed, tentative = int(fitted.confirmed.sum()), int(fitted.tentative.sum())
        of = wording.count(len(fitted.columns), about.measure, about.measures)
        rows = wording.count(len(self.classed.rows), about.thing, about.things)
        if not confirmed:
            yield (
                f"Of the {of} measured in {rows}, none can be confirmed to have to do with "
                f"{self._outcome}: shadows of them do as well by chance."
            )
        else:
            more = f", and {wording.number(tentative)} more may" if tentative else ""
            verb = "has" if confirmed == 1 else "have"
            yield (
                f"{wording.number(confirmed)} of the {of} measured in {rows} {verb} to do with "
                f"{self._outcome}{more}."
            )
            yield f"The most important is {self.names[0]}, {self.where[0]}."
        value, low, high = self.accuracy
        yield (
            f"Called by what was selected without them, {about.things} get the right "
            f"{self._outcome} with a balanced accuracy of {wording.share(value)} (95 % interval "
            f"{wording.share(low)} to {wording.share(high)}; guessing gives "
            f"{wording.share(1 / len(self.classed.names))})."
        )

    def views(self) -> Iterator[View]:
        about, fitted = self.data.about, self.fitted
        yield View(
            kind="ranking",
            table="importance",
            channels={"label": "feature", "value": "importance"},
            title="The most important, beside the best shadows",
            description=f"The {len(self.shown)} {about.measures} that are most important, from "
            f"{self.names[0]} ({wording.number(float(fitted.importance[self.shown[0]]))}); the "
            f"best of all shadows reaches {wording.number(float(fitted.best_shadows.max()))}.",
        )
        confirmed = fitted.confirmed
        by_chance = float(fitted.chance[confirmed].max()) if confirmed.any() else 0.0
        told = (
            f"{wording.number(int(confirmed.sum()))} are as important as the last that is "
            f"confirmed, and of a copy's shadows {wording.number(by_chance)} on average."
            if confirmed.any()
            else "Nowhere are there far fewer shadows."
        )
        yield View(
            kind="lines",
            table="chance",
            channels={"x": "importance", "y": "number", "color": "whose"},
            title="How many stand out, and how many would by chance",
            description=f"How many {about.measures}, and how many shadows of one copy, are at "
            f"least so important. {told}",
        )

    def notes(self) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        copies = len(fitted.best_shadows)
        yield from self.classed.notes(self.data)
        yield (
            "Importance is how unlike the classes are on the two sides of a cut, averaged over "
            f"cuts and over groups of {about.things} that other {about.measures} form; it is told "
            f"in standard deviations of shadows. A shadow has the same values in another order, so "
            "what it shows is chance."
        )
        yield (
            f"Confirmed are so many that, on average, at most {wording.share(LEVEL)} of them are "
            f"there by chance, tentative those that would be at {wording.share(TENTATIVE)}; "
            f"nothing is confirmed unless the table stands out from all {copies} copies of it with "
            f"the {about.things} in another order. Hits count the copies whose best shadow is "
            "beaten."
        )
        yield (
            f"To have to do with {self._outcome} is not to cause it: {about.measures} that go with "
            "one that matters are selected too, and so is whatever else differs between the "
            "classes, such as where or when they were measured."
        )
        low, high = min(fitted.confirmed_within), max(fitted.confirmed_within)
        within = (
            wording.number(low)
            if low == high
            else f"{wording.number(low)} to {wording.number(high)}"
        )
        yield (
            f"The accuracy is that of logistic regression in {_FOLDS}-fold cross-validation, with "
            f"selection and penalty learnt without the {about.things} called; {within} were "
            "confirmed in the folds. Its interval takes calls as independent."
        )

    @property
    def _outcome(self) -> str:
        return self.classed.outcome.replace("_", " ")

    def _feature(self) -> Field:
        return Field("feature", self.data.about.measure.capitalize())
