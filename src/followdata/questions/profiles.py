"""Classes by their typical profiles, with names, and what samples are called by them.

A model is a table of genes by classes: PAM50's centroids, or the table `model` of an earlier
answer, which also has the middle of each gene (`centre`) and how fast a call grows sure
(`sharpness`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from followdata.answer import Field, Table
from followdata.core.centroids import Centroids
from followdata.core.heldout import calibrated, confidences, folds
from followdata.core.nearest import similarities
from followdata.core.resampled import stability
from followdata.data import Floats, TableData, matrices
from followdata.errors import InvalidInput, NothingToAnswer
from followdata.names import NameIndex, fold
from followdata.questions import wording

Ints = npt.NDArray[np.intp]

MODEL, OWN = "model", "own"
CENTRE, SHARPNESS = "centre", "sharpness"
"""Columns of a model that are no class."""
CHANCE = "the chance that the call is right"
STABLE = "how often the call stays the same when genes are drawn anew"
"""What a confidence may be."""
_LEAST_SHARED = 5
_LEAST_CENTRED = 10
"""With fewer samples the middle of each gene among them says little."""
_LEAST_KNOWN = 20
_ALIKE = 0.5


@dataclass(frozen=True)
class Model:
    """Centroids with names: of genes and of classes.

    `has_centre` and `has_sharpness` say which of the two are known; `whence` where it is from.
    """

    genes: list[str]
    classes: list[str]
    centroids: Centroids
    has_centre: bool
    has_sharpness: bool
    whence: str

    def table(self, about_measure: str) -> Table:
        found, known = self.centroids, len(self.genes)
        return Table.of(
            (Field("gene", about_measure.capitalize()), self.genes),
            (Field(CENTRE, "Centre"), found.centre if self.has_centre else [None] * known),
            (Field(SHARPNESS, "Sharpness"),
             [found.sharpness if self.has_sharpness else None] * known),
            *(
                (Field(name, name), values)
                for name, values in zip(self.classes, found.values, strict=True)
            ),
            title="What each class looks like",
        )  # fmt: skip


def model_in(table: TableData, path: str) -> Model:
    """The model in a table of genes (rows) by classes (columns)."""
    names = {fold(name): name for name in table.names("var").names}
    classes = [name for key, name in names.items() if key not in (CENTRE, SHARPNESS)]
    if len(classes) < 2:
        raise InvalidInput(
            path, "it has no two columns of numbers.", "A model has one for each class."
        )
    values = table.matrix(var=classes).T
    centre = table.matrix(var=[names[CENTRE]])[:, 0] if CENTRE in names else None
    sharpness = table.matrix(var=[names[SHARPNESS]])[0, 0] if SHARPNESS in names else np.nan
    has_centre = centre is not None and bool(np.isfinite(centre).all())
    genes = list(table.names("obs").names)
    return Model(
        genes,
        classes,
        Centroids(
            np.arange(len(genes)),
            centre if has_centre and centre is not None else np.zeros(len(genes)),
            values,
            float(sharpness) if np.isfinite(sharpness) else 1.0,
        ),
        has_centre,
        bool(np.isfinite(sharpness)),
        whence=f"from the file {Path(path).name}",
    )


@dataclass(frozen=True)
class Called:
    """m samples and what is known of each: its `chances` of every class (m x c), all NaN for one
    that could not be compared.

    `given` (m) is the number of the class that it is said to be of, -1 where that is not known;
    `heldout` says that the model did not see the samples; `kind` what a confidence is.
    """

    model: Model
    samples: Sequence[str]
    likeness: Floats
    chances: Floats
    given: Ints
    genes: int
    kind: str
    remarks: list[str]

    @classmethod
    def of_table(
        cls, model: Model, data: TableData, matrix: str, centre: str, outcome: str
    ) -> Called:
        layer = matrices(data)[matrix]
        labels = data.labels("obs").get(outcome)
        return _called(model, data, data.matrix(layer=layer), labels, centre)

    @classmethod
    def of_file(
        cls, model: Model, table: TableData, path: str, centre: str, outcome: str
    ) -> Called:
        labels = table.labels("obs")
        said = labels.get(outcome, labels.get(table.about.label))
        found = _called(model, table, table.matrix(), said, centre)
        source = f"The samples are those of {Path(path).name}; they are kept nowhere."
        return replace(found, remarks=[source, *found.remarks])

    @property
    def known(self) -> Ints:
        """The samples that could be compared."""
        return np.flatnonzero(np.isfinite(self.chances).any(axis=1))

    @property
    def calls(self) -> Ints:
        """The class most like each sample; -1 for one that could not be compared."""
        best = np.where(np.isnan(self.likeness), -np.inf, self.likeness)
        return np.where(np.isfinite(best).any(axis=1), best.argmax(axis=1), -1)

    @property
    def confidence(self) -> Floats:
        picked = self.chances[np.arange(len(self.chances)), np.maximum(self.calls, 0)]
        return np.where(self.calls >= 0, picked, np.nan)

    @property
    def judged(self) -> Ints:
        """The samples that could be compared and whose class is known."""
        return np.flatnonzero((self.calls >= 0) & (self.given >= 0))


def _called(
    model: Model, table: TableData, X: Floats, labels: npt.NDArray[np.str_] | None, centre: str
) -> Called:
    """Samples that had no part in the model."""
    index = NameIndex("gene", model.genes)
    columns = table.names("var").names
    pairs: dict[str, int] = {}
    for position, name in enumerate(columns):
        if gene := index.known(name) or _other_name(table, name, index):
            pairs.setdefault(gene, position)
    if len(pairs) < _LEAST_SHARED:
        raise NothingToAnswer(
            f"The model has {wording.number(len(model.genes))} genes, and {len(pairs)} of them are "
            "among the samples' measures.",
            f"{_LEAST_SHARED} are needed; are they named alike?",
        )
    at = np.array([index.position(gene) for gene in pairs], dtype=np.intp)
    values = np.where(np.isfinite(X), X, np.nan)[:, list(pairs.values())]
    found = model.centroids
    remarks = [
        f"Of the {wording.number(len(model.genes))} genes of the model ({model.whence}), "
        f"{wording.number(len(pairs))} are among the samples' measures."
    ]
    middle = found.centre[at]
    if centre == OWN or not model.has_centre:
        if len(values) < _LEAST_CENTRED:
            raise NothingToAnswer(
                f"The middle of each gene cannot be told from {len(values)} samples.",
                f"Give {_LEAST_CENTRED} or more, or a model with a column “{CENTRE}”.",
            )
        middle = _medians(values)
        remarks.append(
            "Each gene is taken about its median among these samples. That supposes a mix of "
            "classes: where nearly all are of one, its own profile is taken away."
        )
    else:
        remarks.extend(_scale_remark(values, middle))
    of_these = Centroids(at, middle, found.values[:, at], found.sharpness)
    likeness = of_these.likeness(values)
    given = _numbers(labels, model.classes, len(values))
    chances, kind, how = _chances(model, of_these, values, likeness, given)
    return Called(model, table.names("obs").names, likeness, chances, given, len(pairs), kind,
                   [*remarks, how])  # fmt: skip


def _chances(
    model: Model, of_these: Centroids, values: Floats, likeness: Floats, given: Ints
) -> tuple[Floats, str, str]:
    """What a confidence is made of, and words for it."""
    if model.has_sharpness:
        how = "How sure a call is was learnt with the model, on samples held out from it."
        return confidences(likeness, of_these.sharpness), CHANCE, how
    known = np.flatnonzero((given >= 0) & np.isfinite(likeness).any(axis=1))
    if len(known) >= _LEAST_KNOWN:
        chances = np.full(likeness.shape, np.nan)
        fold_of = folds(given, 5, np.random.default_rng(0))
        for one in range(5):
            learn = np.intersect1d(known, np.flatnonzero(fold_of != one))
            sharpness = calibrated(likeness[learn], given[learn])
            chances[fold_of == one] = confidences(likeness[fold_of == one], sharpness)
        how = "How sure a call is was learnt from the labels of these samples, each from others'."
        return chances, CHANCE, how
    how = (
        "The model does not say how sure its calls are and there are too few labels to learn it, "
        "so a confidence is how often the call stays the same when the genes are drawn anew (with "
        "repeats). It is not the chance that the call is right."
    )
    return stability(values - of_these.centre, of_these.values), STABLE, how


def _other_name(table: TableData, name: str, index: NameIndex) -> str | None:
    """The model's gene that another name of this measure means."""
    own = table.names("var")
    place = own.position(name)
    others = [own.titles[place], *(own.aliases[place].split("|") if own.aliases else ())]
    return next((gene for other in others if other and (gene := index.known(other))), None)


def _scale_remark(values: Floats, centre: Floats) -> Iterator[str]:
    (alike,) = similarities(_medians(values)[None], centre[None])[0]
    if np.isfinite(alike) and alike < _ALIKE:
        yield (
            "Which genes are high and which low in these samples is unlike the samples that the "
            f"model was learnt from (Spearman {wording.number(float(alike))}), as if another "
            f"method had measured them: try --centre {OWN}."
        )


def _medians(values: Floats) -> Floats:
    """The median of each column that has any value, else NaN."""
    some = ~np.isnan(values).all(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[some] = np.nanmedian(values[:, some], axis=0)
    return found


def _numbers(labels: npt.NDArray[np.str_] | None, classes: Sequence[str], rows: int) -> Ints:
    """The number of each row's class, -1 for one that the model does not have."""
    if labels is None:
        return np.full(rows, -1, dtype=np.intp)
    known = {fold(name): number for number, name in enumerate(classes)}
    return np.array([known.get(fold(label), -1) for label in labels.tolist()], dtype=np.intp)
