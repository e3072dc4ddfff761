"""The question "subtype": what each sample is called by the profile that it is most like.

The profiles (centroids) are learnt from the samples of the table that have a label, or come in a
file: PAM50's, or those of an earlier answer, whose table `model` is such a file. What reads files
is handed in by the story: `subtyping(read, read_model)` makes the question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core import centroids
from followdata.core.centroids import Centroids
from followdata.core.heldout import balanced_accuracy, confidences, reliability
from followdata.data import Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice, File
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.classed import MATRIX, OUTCOME, Classed, right_by_class
from followdata.questions.profiles import CHANCE, MODEL, OWN, Called, Model, model_in
from followdata.questions.workers import one_thread

Ints = npt.NDArray[np.intp]
Read = Callable[[Path], TableData]

_FOLDS = 10
_BANDS = np.array([0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])


@dataclass(frozen=True)
class Subtyped:
    """Centroids of c classes in k columns, and what calls like theirs were worth when held out.

    `columns`, `centre`, `values` and `sharpness` are those of `core.centroids.Centroids`, `columns`
    being positions in the table; all are empty where the table has no two classes to learn from.
    `rows` (n) are the positions of the rows learnt from, `given` their class, `likeness` and
    `chances` (n x c) what was found of each while it was held out. `sizes` say in how many columns
    the centroids of each row were.
    """

    classes: list[str]
    columns: Ints
    centre: Floats
    values: Floats
    sharpness: float
    rows: Ints
    given: Ints
    likeness: Floats
    chances: Floats
    sizes: Ints


def fit_subtypes(
    data: TableData, *, outcome: Annotated[str, OUTCOME], matrix: Annotated[str, MATRIX]
) -> Subtyped:
    """Learn the centroids of the classes of `outcome`, and try them on rows held out."""
    try:
        classed = Classed.of(data, outcome, matrix)
    except NothingToAnswer:
        none, nothing = np.zeros(0, dtype=np.intp), np.zeros((0, 0))
        return Subtyped([], none, np.zeros(0), nothing, 1.0, none, none, nothing, nothing, none)
    with one_thread():
        tried = centroids.tried(classed.X, classed.classes, number=_FOLDS)
    found = tried.centroids
    chances = np.vstack(
        [
            confidences(row[None], sharpness)
            for row, sharpness in zip(tried.likeness, tried.sharpness, strict=True)
        ]
    )
    return Subtyped(
        classes=classed.names,
        columns=classed.columns[found.columns],
        centre=found.centre,
        values=found.values,
        sharpness=found.sharpness,
        rows=classed.rows,
        given=classed.classes,
        likeness=tried.likeness,
        chances=chances,
        sizes=tried.size,
    )


def subtyping(read: Read, read_model: Read) -> Question:
    """The question; `read` reads a table of samples, `read_model` one of genes by classes."""

    def subtype(
        data: TableData,
        fitted: Subtyped,
        *,
        outcome: Annotated[str, OUTCOME],
        matrix: Annotated[str, MATRIX],
        model: Annotated[
            str | None,
            File(
                "What each class looks like: a row for each gene, a column for each class, such as "
                "PAM50's centroids or the table “model” of an earlier answer",
                title="Centroids",
            ),
        ] = None,
        samples: Annotated[
            str | None,
            File("Samples of your own to call; they are read here and sent nowhere", title="File"),
        ] = None,
        centre: Annotated[
            str,
            Choice(
                "What is taken from each gene: its middle among the samples that the model was "
                "learnt from, or among the samples that are called, if another laboratory's",
                (MODEL, OWN),
            ),
        ] = MODEL,
    ) -> Answer:
        """What each sample is called, and how sure that is.

        Table `subtype`: sample, call, confidence, second (the class next most like), given (what
        the table says it is, where it does). Table `calibration`: band, confidence, n, right,
        share, low, high: how often calls of about that confidence were right. Table `classes`:
        class, n, right, share. Table `confusion`: given, call, n; in place of these three, where
        nothing is given, table `counts`: class, n. Table `model`: gene, centre, sharpness and a
        column for each class; as CSV it can be given as `model` again.

        The confidence is the chance that the call is right, where that could be learnt from
        labelled samples that had no part in the model; else how often the call stays the same when
        genes are drawn anew.
        """
        used = model_in(read_model(Path(model)), model) if model else _learnt(data, fitted, outcome)
        if samples:
            called = Called.of_file(used, read(Path(samples)), samples, centre, outcome)
        elif model:
            called = Called.of_table(used, data, matrix, centre, outcome)
        else:
            called = _held_out(used, data, fitted)
        return _answer(data, called, outcome)

    return Question(
        name="subtype",
        title="Which {outcome} is each sample?",
        words="Each sample is called by the class whose typical profile it is most like, with how "
        "sure the call is. Samples that the profiles were learnt from are called by profiles "
        "learnt without them.",
        needs="table",
        fit=fit_subtypes,
        answer=subtype,
    )


def _learnt(data: TableData, fitted: Subtyped, outcome: str) -> Model:
    if not fitted.classes:
        raise NothingToAnswer(
            f"No two classes of “{outcome}” have enough {data.about.things} to learn from.",
            "Give centroids as --model FILE, or choose another outcome or matrix.",
        )
    names = data.names("var").names
    return Model(
        [names[column] for column in fitted.columns],
        fitted.classes,
        Centroids(fitted.columns, fitted.centre, fitted.values, fitted.sharpness),
        has_centre=True,
        has_sharpness=True,
        whence=f"learnt from {data.about.title}",
    )


def _held_out(model: Model, data: TableData, fitted: Subtyped) -> Called:
    """The rows of the table, each called by profiles learnt without it."""
    names = data.names("obs").names
    few, many = int(fitted.sizes.min()), int(fitted.sizes.max())
    span = wording.number(few) if few == many else f"{few} to {wording.number(many)}"
    return Called(
        model,
        [names[row] for row in fitted.rows],
        fitted.likeness,
        fitted.chances,
        fitted.given,
        len(model.genes),
        CHANCE,
        [
            f"Each of the {data.about.things} is called by profiles learnt without it "
            f"({_FOLDS}-fold cross-validation): which {data.about.measures}, how many "
            f"({span}) and how sure a call is were all chosen without it. The table “model” is "
            "learnt from all."
        ],
    )


def _answer(data: TableData, called: Called, outcome: str) -> Answer:
    tables = {"subtype": _calls_table(data, called)}
    views: list[View] = []
    if len(called.judged):
        tables["calibration"] = _calibration_table(called)
        tables["classes"] = _class_table(data, called, outcome)
        tables["confusion"] = _confusion_table(called, outcome)
        views += [_calibration_view(called), _confusion_view(called, outcome)]
    else:
        tables["counts"] = _count_table(data, called, outcome)
        views.append(_count_view(called, outcome))
    tables["model"] = called.model.table(data.about.measure)
    return Answer(
        sentence=" ".join(_sentences(data, called, outcome)),
        tables=tables,
        views=tuple(views),
        notes=tuple(_notes(data, called)),
    )


def _calls_table(data: TableData, called: Called) -> Table:
    classes = [*called.model.classes, ""]
    likeness = np.where(np.isnan(called.likeness), -np.inf, called.likeness)
    second = np.argsort(-likeness, axis=1, kind="stable")[:, 1]
    given = [classes[number] or None for number in called.given.tolist()]
    return Table.of(
        (Field("sample", data.about.thing.capitalize()), called.samples),
        (Field("call", "Call"), [classes[number] or None for number in called.calls.tolist()]),
        (Field("confidence", "Confidence", decimals=2), called.confidence),
        (Field("second", "Else"),
         [classes[two] if one >= 0 else None
          for one, two in zip(called.calls, second, strict=True)]),
        *([(Field("given", "Given"), given)] if len(called.judged) else []),
        title=f"What each of the {data.about.things} is called",
    )  # fmt: skip


def _calibration_table(called: Called) -> Table:
    from scipy.stats import binomtest

    rows = called.judged
    right = called.calls[rows] == called.given[rows]
    found = reliability(called.confidence[rows], right, _BANDS)
    some = np.flatnonzero(found.number)
    spans = [
        binomtest(int(found.right[band]), int(found.number[band])).proportion_ci(method="wilson")
        for band in some
    ]
    return Table.of(
        (
            Field("band", "Confidence"),
            [f"{100 * _BANDS[b]:.0f} to {100 * _BANDS[b + 1]:.0f} %" for b in some],
        ),
        (Field("confidence", "Its mean", decimals=2), found.confidence[some]),
        (Field("n", "Calls"), found.number[some]),
        (Field("right", "Right"), found.right[some]),
        (Field("share", "Share right", decimals=2), found.right[some] / found.number[some]),
        (Field("low", "at least", decimals=2), [span.low for span in spans]),
        (Field("high", "at most", decimals=2), [span.high for span in spans]),
        title="How often calls were right, by how sure they were",
    )


def _class_table(data: TableData, called: Called, outcome: str) -> Table:
    rows, classes = called.judged, called.model.classes
    number, right = right_by_class(len(classes), called.given[rows], called.calls[rows])
    some = [at for at, n in enumerate(number) if n]
    return Table.of(
        (Field("class", _said(outcome).capitalize()), [classes[at] for at in some]),
        (Field("n", data.about.things.capitalize()), [number[at] for at in some]),
        (Field("right", "Called right"), [right[at] for at in some]),
        (Field("share", "Share", decimals=2), [right[at] / number[at] for at in some]),
        title="Class by class",
    )


def _confusion_table(called: Called, outcome: str) -> Table:
    rows, classes = called.judged, called.model.classes
    pairs = Counter(zip(called.given[rows].tolist(), called.calls[rows].tolist(), strict=True))
    given = sorted({one for one, _ in pairs})
    cells = [(one, other) for one in given for other in range(len(classes))]
    return Table.of(
        (Field("given", f"Given {_said(outcome)}"), [classes[one] for one, _ in cells]),
        (Field("call", "Called"), [classes[other] for _, other in cells]),
        (Field("n", "How many"), [pairs[cell] for cell in cells]),
        title="What was given, and what was called",
    )


def _count_table(data: TableData, called: Called, outcome: str) -> Table:
    counts = Counter(called.calls.tolist()).most_common()
    counts = [(one, n) for one, n in counts if one >= 0]
    names = [called.model.classes[one] for one, _ in counts]
    return Table.of(
        (Field("class", _said(outcome).capitalize()), names),
        (Field("n", data.about.things.capitalize()), [n for _, n in counts]),
        title="How many of each",
    )


def _calibration_view(called: Called) -> View:
    rows = called.judged
    share = float((called.calls[rows] == called.given[rows]).mean())
    return View(
        kind="intervals",
        table="calibration",
        channels={"label": "band", "value": "share", "low": "low", "high": "high"},
        title="How often calls of each confidence were right",
        description="For calls of each confidence the share that was right, with its 95 % "
        f"interval; over all confidences {wording.share(share)} were, and the mean confidence is "
        f"{wording.share(float(np.nanmean(called.confidence[rows])))}.",
    )


def _confusion_view(called: Called, outcome: str) -> View:
    rows = called.judged
    right = int((called.calls[rows] == called.given[rows]).sum())
    return View(
        kind="grid",
        table="confusion",
        channels={"row": "given", "column": "call", "value": "n"},
        title="What was given, and what was called",
        description=f"How many of each given {_said(outcome)} were called what: {right} of "
        f"{len(rows)} as given.",
    )


def _count_view(called: Called, outcome: str) -> View:
    return View(
        kind="ranking",
        table="counts",
        channels={"label": "class", "value": "n"},
        title="How many of each",
        description=f"How many of {len(called.known)} are called each {_said(outcome)}.",
    )


def _sentences(data: TableData, called: Called, outcome: str) -> Iterator[str]:
    about, rows = data.about, called.judged
    known = called.known
    classes = called.model.classes
    counts = Counter(called.calls[known].tolist()).most_common()
    if len(called.samples) == 1 and len(known):
        call, sure = classes[counts[0][0]], float(called.confidence[known[0]])
        yield f"{called.samples[0]} is most like {call} (confidence {wording.share(sure)})."
    else:
        told = listing([f"{n} {classes[number]}" for number, n in counts], most=6) if counts else ""
        things = wording.count(len(known), about.thing, about.things)
        yield (
            f"Of {things}, by the class that each is most like: {told}."
            if told
            else (f"None of the {about.things} could be compared.")
        )
    if len(rows):
        value, low, high = balanced_accuracy(called.given[rows], called.calls[rows])
        seen = len(np.unique(called.given[rows]))
        yield (
            f"Against the {_said(outcome)} given for {wording.number(len(rows))}, the balanced "
            f"accuracy is {wording.share(value)} (95 % interval {wording.share(low)} to "
            f"{wording.share(high)}; guessing gives {wording.share(1 / len(classes))})."
        )
        if seen < len(classes):
            absent = [name for at, name in enumerate(classes) if at not in called.given[rows]]
            yield f"None is given as {listing(absent)}."
        sure = called.confidence[rows] >= 0.9  # type: ignore[assignment]
        if called.kind == CHANCE and np.any(sure):
            right = (called.calls[rows] == called.given[rows])[sure].mean()
            yield (
                f"Of the {int(np.sum(sure))} calls with a confidence of 90{wording.FIXED}% or "
                f"more, {wording.share(float(right))} are right."
            )


def _notes(data: TableData, called: Called) -> Iterator[str]:
    yield (
        "A sample is compared with each profile by Spearman's correlation, over the genes that it "
        "has; a missing value is left out and not filled in."
    )
    yield f"Confidence is {called.kind}."
    yield from called.remarks
    lost = len(called.samples) - len(called.known)
    if lost:
        yield (
            f"{wording.count(lost, data.about.thing, data.about.things)} with values of fewer than "
            "three of these genes could not be called."
        )
    if len(called.judged):
        yield (
            "In balanced accuracy every class counts alike, however many samples it has; its "
            "interval takes calls as independent, and is about samples like these: another "
            "laboratory's may fare worse."
        )


def _said(label: str) -> str:
    return label.replace("_", " ")
