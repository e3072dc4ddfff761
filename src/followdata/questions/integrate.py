"""The question "integrate": what several measurements of the same rows have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.factors import (
    chosen_columns,
    held_out,
    joint_factors,
    sparse_discriminants,
)
from followdata.core.heldout import Accuracy, balanced_accuracy, folds
from followdata.core.logistic import called
from followdata.data import Floats, TableData, matrices
from followdata.errors import NothingToAnswer
from followdata.parameters import Label, Number
from followdata.question import Question
from followdata.questions import wording

Ints = npt.NDArray[np.intp]
FACTORS, FEW = "factors", "few columns"
_FOLDS, _INNER = 5, 3
_KEPT = (5, 20, 60)
_COMPONENTS = 3
_LEAST_ROWS = 10
_LEAST_IN_CLASS = 5
_SMALL = 10
_LEAST_SEEN = 0.5
_OUTCOME = Label(
    "What the factors should tell of rows that are held out; by default the main label"
)
_RANK = Number("How many factors", 1, 20, whole=True)
_FEATURES = Number("How many columns of each measurement: those that vary most", 10, 20_000,
                   whole=True)  # fmt: skip


@dataclass(frozen=True)
class Integrated:
    """Factors of n rows in b measurements, and what they say of classes when held out.

    `rows` are positions in the table; `layers` the measurements, and `columns` the positions of
    all their columns used, of which `sizes` come from each. `scores` are n x k, `shares` b x k (the
    part of each measurement's variance), `correlations` P x k (of each column with each factor).
    `weights` (P x h) are those of the sparse components. `known` are the rows of the n that have a
    class, `given` their class, `by_factors` and `by_few` what they were called while held out, all
    empty where no class can be told; `missing` counts cells that were not there.
    """

    layers: list[str]
    classes: list[str]
    rows: Ints
    columns: Ints
    sizes: Ints
    scores: Floats
    shares: Floats
    correlations: Floats
    weights: Floats
    known: Ints
    given: Ints
    by_factors: Ints
    by_few: Ints
    missing: int
    kept: list[int]


class _Blocks(NamedTuple):
    """The measurements of the rows that have all of them."""

    layers: list[str]
    rows: Ints
    columns: list[Ints]
    values: list[Floats]


def fit_factors(
    data: TableData,
    *,
    outcome: Annotated[str | None, _OUTCOME] = None,
    factors: Annotated[int, _RANK] = 6,
    features: Annotated[int, _FEATURES] = 1000,
) -> Integrated:
    """Learn the factors of all rows, and try on held-out rows what they say of `outcome`."""
    blocks = _blocks(data, features)
    found = joint_factors(blocks.values, factors)
    spread = found.scores.std(0)
    correlations = np.vstack(list(found.loadings)) * spread
    words = _words(data, outcome)[blocks.rows]
    known, given, classes = _classes(words)
    by_factors = by_few = np.zeros(0, dtype=np.intp)
    weights = np.zeros((len(correlations), 0))
    kept: list[int] = []
    if len(classes) > 1:
        labelled = [block[known] for block in blocks.values]
        by_factors = _called_by_factors(labelled, given, factors)
        by_few, kept = _called_by_few(labelled, given)
        final = _best_keep(labelled, given)
        learnt = sparse_discriminants(labelled, given, components=_COMPONENTS, keep=final)
        weights, kept = np.vstack(list(learnt.weights)), [*kept, final]
    return Integrated(
        layers=blocks.layers,
        classes=classes,
        rows=blocks.rows,
        columns=np.concatenate(blocks.columns),
        sizes=np.array([len(columns) for columns in blocks.columns], dtype=np.intp),
        scores=found.scores / spread,
        shares=found.shares,
        correlations=correlations,
        weights=weights,
        known=known,
        given=given,
        by_factors=by_factors,
        by_few=by_few,
        missing=sum(int(np.isnan(block).sum()) for block in blocks.values),
        kept=kept,
    )


# Rows and columns


def _blocks(data: TableData, features: int) -> _Blocks:
    """Of all choices of measurements the one with the most rows times measurements."""
    known = matrices(data)
    values = {name: data.matrix(layer=layer) for name, layer in known.items()}
    has = {name: np.isfinite(block).any(1) for name, block in values.items()}
    sizes = range(2, len(known) + 1)
    choices = chain.from_iterable(combinations(known, size) for size in sizes)
    shared = {names: np.all([has[name] for name in names], axis=0) for names in choices}
    best = max(shared, key=lambda names: (len(names) * int(shared[names].sum()), len(names)),
               default=())  # fmt: skip
    if not best or shared[best].sum() < _LEAST_ROWS:
        few = int(shared[best].sum()) if best else 0
        raise NothingToAnswer(
            f"{data.about.title}: {few} {data.about.things} have two measurements, and "
            f"{_LEAST_ROWS} are needed.",
            "Fetch data with several measurements of the same rows.",
        )
    rows = np.flatnonzero(shared[best])
    columns = [chosen_columns(values[name][rows], features) for name in best]
    blocks = [values[name][np.ix_(rows, at)] for name, at in zip(best, columns, strict=True)]
    full = np.all([np.isfinite(block).mean(1) >= _LEAST_SEEN for block in blocks], axis=0)
    return _Blocks(list(best), rows[full], columns, [block[full] for block in blocks])


def _named(data: TableData, outcome: str | None) -> str:
    """The label that is asked for, else the main one; "" if there is none."""
    label = outcome or data.about.label
    return label if label in data.labels("obs") else ""


def _words(data: TableData, outcome: str | None) -> npt.NDArray[np.str_]:
    label = _named(data, outcome)
    if not label:
        return np.full(data.shape[0], "", dtype=np.str_)
    return np.asarray(data.labels("obs")[label])


def _classes(words: npt.NDArray[np.str_]) -> tuple[Ints, Ints, list[str]]:
    """The rows whose class has enough of them, its number, and what the classes are called."""
    names, count = np.unique(words[words != ""], return_counts=True)
    classes = [str(name) for name, n in zip(names, count, strict=True) if n >= _LEAST_IN_CLASS]
    known = np.flatnonzero(np.isin(words, classes))
    number = {name: at for at, name in enumerate(classes)}
    given = np.array([number[word] for word in words[known].tolist()], dtype=np.intp)
    return known, given, classes if len(classes) > 1 else []


# Held out


def balanced_share(given: Ints, calls: Ints) -> float:
    """The mean over classes of the share of their rows that are called right."""
    return float(np.mean([(calls[given == one] == one).mean() for one in np.unique(given)]))


def _called_by_factors(blocks: Sequence[Floats], given: Ints, rank: int) -> Ints:
    """What each row is called by factors that it had no part in, and a plain classifier."""
    calls = np.empty(len(given), dtype=np.intp)
    for learn, out in held_out(folds(given, _FOLDS, np.random.default_rng(0))):
        found = joint_factors([block[learn] for block in blocks], rank)
        calls[out] = called(found.scores, given[learn], found.placed([b[out] for b in blocks]))
    return calls


def _called_by_few(blocks: Sequence[Floats], given: Ints) -> tuple[Ints, list[int]]:
    """What each row is called by few columns, how many of them being chosen without the row."""
    calls = np.empty(len(given), dtype=np.intp)
    kept: list[int] = []
    for learn, out in held_out(folds(given, _FOLDS, np.random.default_rng(0))):
        within = [block[learn] for block in blocks]
        kept.append(_best_keep(within, given[learn]))
        found = sparse_discriminants(within, given[learn], components=_COMPONENTS, keep=kept[-1])
        calls[out] = found.called([block[out] for block in blocks])
    return calls, kept


def _best_keep(blocks: Sequence[Floats], given: Ints) -> int:
    """How many columns of each measurement do best on rows held out; the fewest of equals."""
    right = dict.fromkeys(_KEPT, 0.0)
    for learn, out in held_out(folds(given, _INNER, np.random.default_rng(1))):
        for keep in _KEPT:
            found = sparse_discriminants(
                [block[learn] for block in blocks], given[learn], components=_COMPONENTS, keep=keep
            )
            calls = found.called([block[out] for block in blocks])
            right[keep] += balanced_share(given[out], calls)
    return max(right, key=lambda keep: (round(right[keep], 9), -keep))


# The answer


def integrate(
    data: TableData,
    fitted: Integrated,
    *,
    outcome: Annotated[str | None, _OUTCOME] = None,
    factors: Annotated[int, _RANK] = 6,
    features: Annotated[int, _FEATURES] = 1000,
    top: Annotated[int, Number("How many columns of each factor to list", 1, 500, whole=True)] = 5,
) -> Answer:
    """What the measurements have in common, and whether that tells `outcome`.

    Table `factors`: factor, name, matrix, share (of that measurement's variance, in percent), and
    `outcome_share` (of the factor's own variance that goes with the outcome). Table `loadings`:
    factor, matrix, feature, name, correlation, the `top` of each. Table `held_out`: method,
    accuracy, low, high, n. Table `chosen`: component, matrix, feature, weight, of the few columns.
    Table `map`: thing, then a column for each factor, and the label. Table `calls`: thing, given,
    and what each method called it while it was held out.

    Raises `NothingToAnswer` where no two measurements have enough rows in common.
    """
    told = _Told(data, fitted, _named(data, outcome), top)
    tables = {
        "factors": told.factors(),
        "loadings": told.loadings(),
        "map": told.map(),
    }
    if fitted.classes:
        tables |= {
            "held_out": told.held_out(), "chosen": told.chosen(), "calls": told.calls()
        }  # fmt: skip
    return Answer(
        " ".join(told.sentences()), tables, tuple(told.views()), tuple(told.notes(features))
    )


question = Question(
    name="integrate",
    title="What do the measurements have in common?",
    words="Factors that run through several measurements of the same rows: how much of each they "
    "carry, what they are made of, and how well they tell the outcome of rows that they have not "
    "seen.",
    needs="table",
    fit=fit_factors,
    answer=integrate,
)


@dataclass(frozen=True)
class _Told:
    """What there is to say of the factors."""

    data: TableData
    fitted: Integrated
    outcome: str
    top: int

    @cached_property
    def words(self) -> npt.NDArray[np.str_]:
        return _words(self.data, self.outcome)[self.fitted.rows]

    @cached_property
    def outcome_shares(self) -> Floats:
        """The part of each factor's variance that lies between the classes."""
        fitted, known = self.fitted, self.words != ""
        scores = fitted.scores[known]
        if not len(scores):
            return np.full(fitted.scores.shape[1], np.nan)
        total = ((scores - scores.mean(0)) ** 2).sum(0)
        between = np.zeros(scores.shape[1])
        for word in np.unique(self.words[known]):
            inside = scores[self.words[known] == word]
            between += len(inside) * (inside.mean(0) - scores.mean(0)) ** 2
        return np.where(total > 0, between / np.maximum(total, 1e-12), np.nan)

    @cached_property
    def best(self) -> int:
        """The factor that goes most with the outcome; the one that carries most without one."""
        shares = self.outcome_shares
        return int(np.nanargmax(shares if self.outcome else self.fitted.shares.sum(0)))

    @cached_property
    def at(self) -> list[tuple[str, slice]]:
        """Where the columns of each measurement begin and end."""
        ends = np.cumsum(self.fitted.sizes).tolist()
        starts = [0, *ends[:-1]]
        pairs = zip(self.fitted.layers, starts, ends, strict=True)
        return [(layer, slice(start, end)) for layer, start, end in pairs]

    def _features(self, places: Sequence[int]) -> list[str]:
        names = self.data.names("var").names
        return [names[int(self.fitted.columns[place])] for place in places]

    @cached_property
    def accuracies(self) -> dict[str, Accuracy]:
        fitted = self.fitted
        if not fitted.classes:
            return {}
        return {
            FACTORS: balanced_accuracy(fitted.given, fitted.by_factors),
            FEW: balanced_accuracy(fitted.given, fitted.by_few),
        }

    def factors(self) -> Table:
        fitted = self.fitted
        k, many = fitted.shares.shape[1], len(fitted.layers)
        shares = 100 * fitted.shares.T.ravel()
        names = [f"factor {number}" for number in range(1, k + 1) for _ in range(many)]
        columns: list[tuple[Field, Iterable[Any]]] = [
            (Field("factor", "Factor"), [f for f in range(1, k + 1) for _ in range(many)]),
            (Field("name", "Factor", code=True), names),
            (Field("matrix", "Measurement"), fitted.layers * k),
            (Field("share", "Of its variance", unit="%", decimals=1), shares),
        ]
        if self.outcome:
            title = f"Of the factor goes with {self._called}"
            field = Field("outcome_share", title, unit="%", decimals=0)
            columns.append((field, np.repeat(100 * self.outcome_shares, many)))
        return Table.of(*columns, title="What the factors carry")

    def loadings(self) -> Table:
        rows = []
        for factor in range(self.fitted.correlations.shape[1]):
            for layer, part in self.at:
                r = self.fitted.correlations[part, factor]
                order = np.argsort(-np.abs(np.nan_to_num(r)), kind="stable")[: self.top]
                names = self._features((order + part.start).tolist())
                rows += [
                    (factor + 1, layer, name, value)
                    for name, value in zip(names, r[order].tolist(), strict=True)
                ]
        factors, layers, features, values = zip(*rows, strict=True)
        pairs = zip(features, layers, strict=True)
        names = [f"{feature} ({layer})" for feature, layer in pairs]
        return Table.of(
            (Field("factor", "Factor"), factors),
            (Field("matrix", "Measurement"), layers),
            (Field("feature", self.data.about.measure.capitalize()), features),
            (Field("name", "Name", code=True), names),
            (Field("correlation", "Correlation with it", decimals=2), values),
            title="What the factors are made of",
        )

    def map(self) -> Table:
        fitted, names = self.fitted, self.data.names("obs").names
        columns: list[tuple[Field, Iterable[Any]]] = [
            (
                Field("thing", self.data.about.thing.capitalize()),
                [names[row] for row in fitted.rows.tolist()],
            )
        ]
        for number, scores in enumerate(fitted.scores.T, 1):
            columns.append((Field(f"factor_{number}", f"Factor {number}", decimals=2), scores))
        if self.outcome:
            field = Field(self.outcome, self._called.capitalize())
            columns.append((field, [word or None for word in self.words.tolist()]))
        return Table.of(*columns, title="Where each of them lies")

    def held_out(self) -> Table:
        found, size = self.accuracies, len(self.fitted.known)
        return Table.of(
            (Field("method", "By"), list(found)),
            (Field("accuracy", "Balanced accuracy", decimals=2), [a.value for a in found.values()]),
            (Field("low", "at least", decimals=2), [a.low for a in found.values()]),
            (Field("high", "at most", decimals=2), [a.high for a in found.values()]),
            (
                Field("n", self.data.about.things.capitalize()),
                [size] * len(found),
            ),
            title="On rows held out",
        )

    def chosen(self) -> Table:
        rows = []
        for component in range(self.fitted.weights.shape[1]):
            for layer, part in self.at:
                w = self.fitted.weights[part, component]
                order = np.argsort(-np.abs(w), kind="stable")
                order = order[w[order] != 0]
                names = self._features((order + part.start).tolist())
                rows += [
                    (component + 1, layer, name, value)
                    for name, value in zip(names, w[order].tolist(), strict=True)
                ]
        components, layers, features, values = zip(*rows, strict=True)
        return Table.of(
            (Field("component", "Component"), components),
            (Field("matrix", "Measurement"), layers),
            (Field("feature", self.data.about.measure.capitalize()), features),
            (Field("weight", "Weight", decimals=2), values),
            title=f"The few that tell {self.outcome}",
        )

    def calls(self) -> Table:
        fitted, names = self.fitted, self.data.names("obs").names
        columns = {"given": fitted.given, FACTORS: fitted.by_factors, FEW: fitted.by_few}
        titles = {"given": "Given", FACTORS: "By factors", FEW: "By few columns"}
        return Table.of(
            (Field("thing", self.data.about.thing.capitalize()),
             [names[row] for row in fitted.rows[fitted.known].tolist()]),
            *(
                (Field(name.replace(" ", "_"), titles[name]),
                 [fitted.classes[one] for one in calls.tolist()])
                for name, calls in columns.items()
            ),
            title="What each was called while held out",
        )  # fmt: skip

    def sentences(self) -> Iterator[str]:
        fitted, about = self.fitted, self.data.about
        k = fitted.shares.shape[1]
        carried = [
            f"{wording.share(float(total))} of {layer}"
            for layer, total in zip(fitted.layers, fitted.shares.sum(1), strict=True)
        ]
        yield (
            f"{wording.count(k, 'factor', 'factors')} carry {listing(carried, len(carried))} of "
            f"{wording.count(len(fitted.rows), about.thing, about.things)}."
        )
        best = self.best
        inside = [
            f"{wording.share(float(share))} of {layer}"
            for layer, share in zip(fitted.layers, fitted.shares[:, best], strict=True)
        ]
        if self.outcome:
            between = wording.share(float(self.outcome_shares[best]))
            most = f"goes most with {self._called}: {between} of it lies between the groups."
        else:
            most = "carries most."
        yield f"Factor {best + 1}, with {listing(inside, len(inside))}, {most}"
        if self.accuracies:
            factors, few = self.accuracies[FACTORS], self.accuracies[FEW]
            yield (
                f"Of {about.things} held out, the factors tell {self._called} with a balanced "
                f"accuracy of {_range(factors)}, few columns chosen for it with {_range(few)}; "
                f"guessing has {wording.number(1 / len(fitted.classes))}."
            )

    @property
    def _called(self) -> str:
        return self.outcome.replace("_", " ")

    def views(self) -> Iterator[View]:
        fitted, about = self.fitted, self.data.about
        yield View(
            kind="grid",
            table="factors",
            channels={"row": "matrix", "column": "name", "value": "share"},
            title="How much of each measurement the factors carry",
            description=f"A cell for each of {len(fitted.layers)} measurements and each of "
            f"{fitted.shares.shape[1]} factors, darker where the factor carries more.",
        )
        if fitted.scores.shape[1] > 1:
            order = np.argsort(-np.nan_to_num(self.outcome_shares), kind="stable")
            x, y = sorted((order[:2] + 1).tolist())
            color = {"color": self.outcome} if self.outcome else {}
            told = f" that go most with {self._called}, which colours them" if color else ""
            yield View(
                kind="scatter",
                table="map",
                channels={"x": f"factor_{x}", "y": f"factor_{y}", "label": "thing", **color},
                title=f"Factors {x} and {y}",
                description=f"{len(fitted.rows)} {about.things} by the two factors{told}.",
            )
        best = self.best + 1
        yield View(
            kind="ranking",
            table="loadings",
            channels={"label": "name", "value": "correlation"},
            title=f"What factor {best} is made of",
            description=f"The {self.top} {about.measures} of each measurement that go most with "
            f"factor {best}, by their correlation with it.",
            options={"where": {"factor": best}},
        )
        if self.accuracies:
            yield View(
                kind="intervals",
                table="held_out",
                channels={"label": "method", "value": "accuracy", "low": "low", "high": "high"},
                title=f"How well {self._called} is told, held out",
                description="Balanced accuracy with its 95 % interval, by the factors and by few "
                "columns.",
            )

    def notes(self, features: int) -> Iterator[str]:
        fitted, about = self.fitted, self.data.about
        others = [name for name in matrices(self.data) if name not in fitted.layers]
        left = f" {listing(others)} would leave fewer rows, and has no part." if others else ""
        sizes = [
            f"{wording.number(int(size))} of {layer}"
            for layer, size in zip(fitted.layers, fitted.sizes, strict=True)
        ]
        expected = (
            "; those are expected from the measurement's own components, and count for nothing in "
            "the shares"
            if fitted.missing
            else ""
        )
        yield (
            f"{wording.number(len(fitted.rows))} of {wording.number(self.data.shape[0])} "
            f"{about.things} have all of {listing(fitted.layers, 9)}.{left} Used are the columns "
            f"that vary most, up to {wording.number(features)}: {listing(sizes, 9)}. Of their "
            f"values {wording.number(fitted.missing)} are missing{expected}."
        )
        yield (
            "The factors are those of multiple factor analysis: no measurement rules by being "
            "wide. They know nothing of the outcome. Their shares are of these very rows; how much "
            "of it is chance is for rows held out to say."
        )
        if self.accuracies:
            yield (
                f"Held out means: in {_FOLDS} rounds a fifth is set aside, and all is learnt "
                "without it: scaling, factors, the classifier and how many columns to keep. "
                "Only which columns vary most is looked at in all rows, whatever they are of. The "
                f"interval takes the {about.things} as independent; the table “calls” says what "
                "each was called."
            )
            sizes_of = np.bincount(fitted.given, minlength=len(fitted.classes)).tolist()
            pairs = zip(fitted.classes, sizes_of, strict=True)
            small = [name for name, size in pairs if size < _SMALL]
            if small:
                yield (
                    f"{listing(small)}: fewer than {_SMALL} {about.things}. In balanced accuracy "
                    "each group counts alike, so these few weigh much."
                )
        elif self.outcome:
            yield (
                f"No two groups of {self._called} have {_LEAST_IN_CLASS} {about.things}: none is "
                "told."
            )


def _range(accuracy: Accuracy) -> str:
    value, low, high = (f"{number:.2f}" for number in accuracy)
    return f"{value} ({low} to {high})"
