"""The question "infer": what a few columns of a table, the markers, tell of all the others.

`reconstruct(matrix, markers)` asks it of a bare matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core import panel
from followdata.core.inference import (
    AVERAGE,
    LINEAR,
    METHODS,
    Choose,
    Floats,
    HeldOut,
    Ints,
    Learn,
    better_by,
    explained,
    held_out,
    mean_within,
)
from followdata.core.networks import training
from followdata.core.networks.multitask import NETWORK, multitask
from followdata.data import COUNTED, About, MemoryTable, TableData
from followdata.errors import NothingToAnswer, NotInstalled
from followdata.parameters import Choice, Label, Names, Number, listed
from followdata.question import Question, Report
from followdata.questions import groups, measures, wording
from followdata.questions.measures import Measures

NAMED, RANDOM = "named", "random"
WORTH_NAMING = 0.06
"""A method that is better than linear regression by less is not told of as better."""
_STUDIES = ("study", "cohort", "dataset", "batch", "series", "accession")
_FOLDS = 5
_DRAWS = 3
_FEW_COLUMNS = 30
_MOST_CELLS = 8_000_000
_LEAST_ROWS = 6

MARKERS = Names(
    "Which columns are known; by default some are chosen", known_only=False, title="Known columns"
)
CHOICE = Choice(
    "How markers are chosen where none are named: by what they leave unexplained, by how little "
    "they say of each other (pivots), or by lot",
    tuple(panel.CHOICES),
    title="Chosen",
)
COUNT = Number(
    "How many are chosen; by default the square root of all", 1, 1000, whole=True, title="How many"
)
BY = Label(
    "Rows that share this are held out together; by default a study, else single rows",
    title="Held out by",
)
WITH_NETWORK = Choice(
    "Whether a neural network tries too (needs PyTorch)", ("no", "yes"), title="Neural network"
)
SEED = Number("Where chance begins", 0, 2**32 - 1, whole=True, hidden=True)


@dataclass(frozen=True)
class Inferred:
    """What each method told of rows it had not learnt from, with markers chosen in one way or
    another: `choices` and `methods` name these c contests.

    `errors` (c x u) is the mean absolute error, in standard deviations of the columns, of each of u
    units, which are rows, or the groups under the label `by`. `columns` (c x p) is the mean
    absolute error of each column in its own units, `shares` (c x p) its R2; NaN for a marker.
    `marked` (p) counts the folds in which a column was a marker, of `folds`; `chosen` are the
    markers when all rows are learnt from, the most telling first. `used` and `missing` count
    values.
    """

    choices: list[str]
    methods: list[str]
    errors: Floats
    columns: Floats
    shares: Floats
    marked: Ints
    folds: int
    chosen: list[str]
    unknown: list[str]
    by: str
    units: list[str]
    used: int
    missing: int


def fit_inferred(
    data: TableData,
    *,
    markers: Annotated[str | None, MARKERS] = None,
    choice: Annotated[str, CHOICE] = "greedy",
    count: Annotated[int | None, COUNT] = None,
    by: Annotated[str | None, BY] = None,
    neural: Annotated[str, WITH_NETWORK] = "no",
    seed: Annotated[int, SEED] = 0,
    report: Report,
) -> Inferred:
    """Hold out group by group, or fifth by fifth of the rows, and let every method tell it.

    Markers are chosen, and everything else is learnt, from the other rows. As many markers drawn by
    lot are tried beside them, three times. Reports "progress" (done, total, what).

    Raises `NothingToAnswer` for a table with too few rows or columns, or too many of both, and
    `NotInstalled` where a network is asked for without PyTorch.
    """
    if neural == "yes" and not training.available():
        raise NotInstalled("PyTorch, which the neural network needs,", training.EXTRA)
    X = groups.even(_matrix(data), data.about.unit)
    names = list(data.names("var").names)
    asked = listed(markers) if markers else []
    named = np.flatnonzero(np.isin(names, asked)) if asked else None
    size = min(count or round(X.shape[1] ** 0.5), X.shape[1] - 1) if named is None else len(named)
    by = by or next((label for label in _STUDIES if len(data.names(label)) > 1), "")
    folds, units, unit_of = _held(data, by, seed)
    trials = _trials(choice, named, size, seed, neural == "yes")
    found = _tried(X, folds, trials, report)
    spread = _spread(X)
    contests = [
        (way, method)
        for way in dict.fromkeys(trial.way for trial in trials)
        for method in trials[0].methods
    ]
    draws = [
        [
            (one.missed[method], one.missed[AVERAGE])
            for trial, one in zip(trials, found, strict=True)
            if trial.way == way and method in one.missed
        ]
        for way, method in contests
    ]
    errors = [_mean([_by_unit(own / spread, unit_of) for own, _ in held]) for held in draws]
    columns = [_mean([_column_means(own) for own, _ in held]) for held in draws]
    shares = [_mean([explained(own, without) for own, without in held]) for held in draws]
    return Inferred(
        choices=[way for way, _ in contests],
        methods=[method for _, method in contests],
        errors=np.array(errors),
        columns=np.array(columns),
        shares=np.array(shares),
        marked=found[0].markers.sum(axis=0),
        folds=len(found[0].markers),
        chosen=_chosen(X, spread, names, trials[0].choose),
        unknown=[name for name in asked if name not in set(names)],
        by=by,
        units=units,
        used=int(np.isfinite(X).sum()),
        missing=int((~np.isfinite(X)).sum()),
    )


def inferred(
    data: TableData,
    fitted: Inferred,
    *,
    markers: Annotated[str | None, MARKERS] = None,
    choice: Annotated[str, CHOICE] = "greedy",
    neural: Annotated[str, WITH_NETWORK] = "no",
) -> Answer:
    """Which method tells the most from the markers, and of which columns.

    Table `methods`: what (both), markers (how they were chosen), method, error (mean absolute
    error in standard deviations of the columns) with its 95 % interval low to high, r2 (median
    over the columns), better (percent below linear regression with the same markers, in the mean of
    ratios) with better_low and better_high. Table `columns`, the best told first: column, title,
    error (mean absolute, own units), unit, r2, by the best method. Table `markers`: marker, title,
    folds (in how many it was chosen). Table `spread`: r2 (middle of a class), number.
    """
    asked = _Asked.of(fitted, NAMED if markers else choice)
    tables = {
        "methods": _methods_table(fitted),
        "columns": _columns_table(data, fitted, asked.best),
        "markers": _markers_table(data, fitted),
    }
    views = [_methods_view(fitted, asked)]
    if len(tables["columns"]) <= _FEW_COLUMNS:
        views.append(_columns_view(data, fitted, asked))
    else:
        tables["spread"] = _spread_table(fitted.shares[asked.best])
        views.append(_spread_view(data, fitted, asked))
    return Answer(
        sentence=" ".join(_said(data, fitted, asked)),
        tables=tables,
        views=tuple(views),
        notes=tuple(_notes(data, fitted, asked, neural)),
    )


question = Question(
    name="infer",
    title="How much do a few columns tell of all the others?",
    words="Some columns, the markers, are taken as known, and all the others are told from them: "
    "by linear regression, by the rows nearest in the markers, by a few factors that all columns "
    "share, and by a neural network if wanted. Each is measured on rows, or whole studies, that "
    "it has not learnt from.",
    needs="table",
    fit=fit_inferred,
    answer=inferred,
    long=True,
)


def reconstruct(
    matrix: TableData | Floats,
    markers: Sequence[str] | Sequence[int] | None = None,
    *,
    choice: str = "greedy",
    count: int | None = None,
    by: str | Sequence[str] | None = None,
    neural: bool = False,
    seed: int = 0,
) -> Answer:
    """The answer for a table, or a bare matrix (rows x columns; NaN is missing).

    `markers` are names of columns, or their positions in a bare matrix; `by` is a label of the
    table, or for a bare matrix the group of each row.

    >>> rng = np.random.default_rng(0)
    >>> both = rng.normal(size=(40, 2))
    >>> answer = reconstruct(both @ rng.normal(size=(2, 6)), [0, 1])
    >>> answer.tables["methods"].columns["r2"][1] > 0.99
    True
    """
    if isinstance(matrix, np.ndarray):
        rows, columns = matrix.shape
        about = About("a matrix", label="study" if by is not None else "")
        labels = {} if by is None else {"study": np.array(list(by), dtype=np.str_)}
        by = None
        matrix = MemoryTable(
            matrix,
            [f"row {n}" for n in range(rows)],
            [f"column {n}" for n in range(columns)],
            about,
            obs=labels,
        )
        markers = None if markers is None else [f"column {at}" for at in markers]
    given = {
        "markers": None if markers is None else list(markers),
        "choice": choice,
        "count": count,
        "by": by,
        "neural": "yes" if neural else "no",
        "seed": seed,
    }
    params = question.resolve(matrix, given, {})
    return question.tell(matrix, question.learn(matrix, params, Report()), params)


@dataclass(frozen=True)
class _Asked:
    """The contests with the markers asked about: which was won by `best`, what `linear` regression
    and the `average` did, and what the best did with markers drawn by lot."""

    best: int
    linear: int
    average: int
    by_lot: int | None

    @classmethod
    def of(cls, fitted: Inferred, way: str) -> _Asked:
        error = np.nanmean(fitted.errors, axis=1)
        pairs = list(zip(fitted.choices, fitted.methods, strict=True))
        able = [at for at, (each, method) in enumerate(pairs) if each == way and method != AVERAGE]
        best = min(able, key=lambda at: error[at])
        lot = (RANDOM, fitted.methods[best])
        by_lot = pairs.index(lot) if way != RANDOM and lot in pairs else None
        return cls(best, pairs.index((way, LINEAR)), pairs.index((way, AVERAGE)), by_lot)


def _matrix(data: TableData) -> Floats:
    rows, columns = data.shape
    if rows < _LEAST_ROWS or columns < 2:
        raise NothingToAnswer(
            f"{wording.count(rows, data.about.thing, data.about.things)} and "
            f"{wording.count(columns, data.about.measure, data.about.measures)} are too few.",
            f"At least {_LEAST_ROWS} rows and two columns are needed.",
        )
    if rows * columns > _MOST_CELLS:
        raise NothingToAnswer(
            f"A table of {wording.number(rows * columns)} values is too large.",
            f"Take fewer columns: {wording.number(_MOST_CELLS)} values at most.",
        )
    X = data.matrix()
    return np.where(np.isfinite(X), X, np.nan)


def _held(data: TableData, by: str, seed: int) -> tuple[Ints, list[str], Ints]:
    """The fold of each row; the names of the units that errors are counted in, none for rows; and
    the unit of each row, -1 for a row in none."""
    rows = data.shape[0]
    if not by:
        order = np.random.default_rng(seed).permutation(rows)
        return order % min(_FOLDS, rows), [], np.arange(rows)
    label = data.labels("obs")[by]
    names = sorted(set(label.tolist()) - {""})
    if len(names) < 2:
        raise NothingToAnswer(f"“{by}” has fewer than two groups.", "Choose another label.")
    folds = np.array([names.index(name) if name else -1 for name in label.tolist()])
    if len(names) == 2:
        # No interval can be had of two groups: it is of the rows, within these two.
        return folds, [], np.where(folds < 0, -1, np.arange(rows))
    return folds, names, folds


@dataclass(frozen=True)
class _Trial:
    """Markers chosen in one way, and the methods that are tried on them."""

    way: str
    choose: Choose
    methods: Mapping[str, Learn]


def _trials(choice: str, named: Ints | None, size: int, seed: int, network: bool) -> list[_Trial]:
    """The markers asked about, then as many by lot."""
    methods = dict(METHODS)
    if network:
        methods[NETWORK] = multitask(seed=seed)
    way = choice if named is None else NAMED
    trials = [_Trial(way, _choose(choice, named, size, seed), methods)]
    if way == RANDOM:
        return trials
    # A network takes longer than all else together: it is asked about markers by lot once.
    for draw in range(_DRAWS):
        by_lot = _choose(RANDOM, None, size, seed + draw)
        trials.append(_Trial(RANDOM, by_lot, METHODS if draw else methods))
    return trials


def _tried(X: Floats, folds: Ints, trials: Sequence[_Trial], report: Report) -> list[HeldOut]:
    parts = len(np.unique(folds[folds >= 0]))
    found: list[HeldOut] = []

    def watch(done: int) -> None:
        done += parts * len(found)
        report("progress", done=done, total=parts * len(trials), what="parts held out")

    for trial in trials:
        try:
            found.append(held_out(X, folds, trial.choose, trial.methods, watch))
        except ValueError as error:
            raise NothingToAnswer(f"It cannot be told: {error}.") from error
    return found


def _chosen(X: Floats, spread: Floats, names: Sequence[str], choose: Choose) -> list[str]:
    """The markers when all rows are learnt from."""
    varying = np.flatnonzero(np.isfinite(spread))
    scaled = (X[:, varying] - np.nanmean(X[:, varying], axis=0)) / spread[varying]
    return [names[at] for at in varying[choose(np.nan_to_num(scaled), varying)].tolist()]


def _choose(way: str, named: Ints | None, size: int, seed: int) -> Choose:
    if named is not None:
        return lambda Z, columns: np.flatnonzero(np.isin(columns, named))
    return lambda Z, columns: panel.CHOICES[way](Z, min(size, len(columns) - 1), seed)


def _spread(X: Floats) -> Floats:
    """The standard deviation of each column over all rows, by which errors are measured and
    nothing is learnt; NaN for a column that does not vary."""
    observed = np.isfinite(X)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, X, 0.0).sum(axis=0) / count
    square = (np.where(observed, X - mean, 0.0) ** 2).sum(axis=0) / count
    spread = np.sqrt(square)
    return np.where(spread > 1e-12 * np.maximum(np.abs(mean), 1.0), spread, np.nan)


def _by_unit(missed: Floats, unit_of: Ints) -> Floats:
    """The mean of all that is missed in each unit."""
    count, total = np.isfinite(missed).sum(axis=1), np.nansum(missed, axis=1)
    inside = unit_of >= 0
    counts = np.bincount(unit_of[inside], count[inside])
    totals = np.bincount(unit_of[inside], total[inside])
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def _column_means(missed: Floats) -> Floats:
    count = np.isfinite(missed).sum(axis=0)
    return np.where(count > 0, np.nansum(missed, axis=0) / np.maximum(count, 1), np.nan)


def _mean(draws: Sequence[Floats]) -> Floats:
    """The mean over draws where they have a value."""
    stacked = np.array(draws)
    count = np.isfinite(stacked).sum(axis=0)
    return np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


_WAYS: Mapping[str, str] = {
    NAMED: "the markers named",
    RANDOM: "drawn by lot",
    "greedy": "chosen greedily",
    "pivots": "chosen as pivots",
}


def _methods_table(fitted: Inferred) -> Table:
    ways = [_WAYS[way] for way in fitted.choices]
    within = [mean_within(errors) for errors in fitted.errors]
    pairs = list(zip(fitted.choices, fitted.methods, strict=True))
    better = [
        better_by(fitted.errors[at], fitted.errors[pairs.index((way, LINEAR))])
        if method != LINEAR
        else (np.nan, np.nan, np.nan)
        for at, (way, method) in enumerate(pairs)
    ]
    return Table.of(
        (Field("what", "Method and markers", code=True),
         [f"{method}, {way}" for method, way in zip(fitted.methods, ways, strict=True)]),
        (Field("method", "Method"), fitted.methods),
        (Field("markers", "Markers"), ways),
        (Field("error", "Mean error (deviations)", decimals=3), [each[0] for each in within]),
        (Field("low", "at least", decimals=3), [max(each[1], 0.0) for each in within]),
        (Field("high", "at most", decimals=3), [each[2] for each in within]),
        (Field("r2", "R² (median)", decimals=3), [_median(each) for each in fitted.shares]),
        (Field("better", "Better than linear regression by", unit="%", decimals=1),
         [100 * each[0] for each in better]),
        (Field("better_low", "at least", unit="%", decimals=1), [100 * each[1] for each in better]),
        (Field("better_high", "at most", unit="%", decimals=1),
         [100 * each[2] for each in better]),
        title="How far each method misses what it has not learnt from",
    )  # fmt: skip


def _columns_table(data: TableData, fitted: Inferred, best: int) -> Table:
    measured = Measures.of(data)
    measure, title, unit = measures.fields(data)
    shares = fitted.shares[best]
    told = np.flatnonzero(np.isfinite(shares))
    order = told[np.argsort(-shares[told], kind="stable")].tolist()
    return Table.of(
        (Field("column", measure.title), [measured.names[at] for at in order]),
        (title, [measured.titles[at] for at in order]),
        (Field("error", "Mean error", decimals=3), fitted.columns[best][order]),
        (unit, [measured.units[at] for at in order]),
        (Field("r2", "R²", decimals=3), shares[order]),
        title=f"How well each {data.about.measure} is told by {fitted.methods[best]}",
    )


def _markers_table(data: TableData, fitted: Inferred) -> Table:
    index = data.names("var")
    measure, title, _ = measures.fields(data)
    marked = dict(zip(index.names, fitted.marked.tolist(), strict=True))
    others = sorted((n for n in index.names if marked[n]), key=lambda name: -marked[name])
    names = [*fitted.chosen, *(name for name in others if name not in set(fitted.chosen))]
    return Table.of(
        (Field("marker", measure.title), names),
        (title, [index.title(name) for name in names]),
        (Field("chosen", "With all rows"), [name in set(fitted.chosen) for name in names]),
        (Field("folds", f"Parts of {fitted.folds} in which it was one"),
         [marked[name] for name in names]),
        title="The markers",
    )  # fmt: skip


def _spread_table(shares: Floats) -> Table:
    """How many columns are told how well, in classes a twentieth wide; below 0 is one class."""
    known = np.clip(shares[np.isfinite(shares)], -0.049, 0.999)
    counts, edges = np.histogram(known, bins=np.arange(-0.05, 1.01, 0.05))
    return Table.of(
        (Field("r2", "R²", decimals=3), (edges[:-1] + edges[1:]) / 2),
        (Field("number", "Number"), counts),
        title="How many are told how well",
    )


def _methods_view(fitted: Inferred, asked: _Asked) -> View:
    return View(
        kind="intervals",
        table="methods",
        channels={"label": "what", "value": "error", "low": "low", "high": "high"},
        title="How far each method misses, in standard deviations",
        description="A point for each method and each choice of markers, with its 95 % interval; "
        f"further left is better. {fitted.methods[asked.best].capitalize()} misses by "
        f"{_error(fitted, asked.best)}.",
        options={"mark": _what(fitted, asked.best)},
    )


def _columns_view(data: TableData, fitted: Inferred, asked: _Asked) -> View:
    return View(
        kind="ranking",
        table="columns",
        channels={"label": "title", "value": "r2"},
        title=f"How much of each {data.about.measure} is told by {fitted.methods[asked.best]}",
        description=f"A bar for each {data.about.measure} that is no marker: 1 where all of its "
        "variation is told, 0 where no more than by its mean, below 0 where less.",
    )


def _spread_view(data: TableData, fitted: Inferred, asked: _Asked) -> View:
    middle = _median(fitted.shares[asked.best])
    return View(
        kind="distribution",
        table="spread",
        channels={"value": "r2", "count": "number"},
        title=f"How well the {data.about.measures} are told by {fitted.methods[asked.best]}",
        description=f"How many {data.about.measures} are told how well: R² is 1 where all of the "
        "variation is told and 0 where no more than by the mean; the first bar holds all below 0. "
        f"The middle one is at {middle:.2f}.",
        options={"mark": max(middle, -0.025), "mark_label": "the middle one"},
    )


def _said(data: TableData, fitted: Inferred, asked: _Asked) -> Iterator[str]:
    about = data.about
    index = data.names("var")
    titles = [f"“{index.title(name)}”" for name in fitted.chosen]
    markers = wording.count(len(titles), about.measure, about.measures)
    new = f"{about.things} of a {fitted.by}" if fitted.by else about.things
    few = f"{markers} ({listing(titles, 5)})"
    if np.nanmean(fitted.errors[asked.best]) >= np.nanmean(fitted.errors[asked.average]):
        yield (
            f"From {few} no method tells more than the averages do of {new} not learnt from: they "
            f"miss by {_error(fitted, asked.average)} standard deviations, and "
            f"{fitted.methods[asked.best]}, the best of the others, by "
            f"{_error(fitted, asked.best)}."
        )
        return
    yield (
        f"{few} tell{'s' * (len(titles) == 1)} the others of {new} not learnt from to within "
        f"{_error(fitted, asked.best)} standard deviations, by {fitted.methods[asked.best]}; the "
        f"averages alone miss by {_error(fitted, asked.average)}."
    )
    gain, low, high = better_by(fitted.errors[asked.best], fitted.errors[asked.linear])
    if asked.best == asked.linear:
        yield "No other method does better."
    elif gain >= WORTH_NAMING and not low <= 0:
        yield f"That is {_percent(gain, low, high)} better than linear regression."
    elif gain >= WORTH_NAMING:
        yield (
            f"That is {_percent(gain, low, high)} better than linear regression, which may be "
            "chance."
        )
    else:
        yield (
            f"No method is better than linear regression by {100 * WORTH_NAMING:.0f}"
            f"{wording.FIXED}% or more."
        )
    if asked.by_lot is not None:
        yield (
            f"As many markers drawn by lot let the same method miss by "
            f"{_error(fitted, asked.by_lot)}."
        )


def _notes(data: TableData, fitted: Inferred, asked: _Asked, neural: str) -> Iterator[str]:
    about = data.about
    if fitted.unknown:
        shown = listing(fitted.unknown, 10)
        yield f"Not in the data, and left out of the markers: {shown}."
    if fitted.by:
        how = (
            f"Each {fitted.by} is held out in turn, and everything is learnt from the others: "
            "means, deviations, weights and the choice of markers."
        )
    else:
        how = (
            f"A fifth of the {about.things} is held out in turn, and everything is learnt from "
            "the others: means, deviations, weights and the choice of markers."
        )
    yield how
    if fitted.units:
        yield (
            f"The intervals take the {len(fitted.units)} groups under “{fitted.by}” as drawn from "
            "many such (Student’s t), so they hold for one more of them."
        )
    elif fitted.by:
        yield (
            f"“{fitted.by}” has two groups, too few for an interval that would hold for others: "
            f"these take the {about.things} as independent, and hold within the two."
        )
    else:
        yield (
            f"The intervals take the {about.things} as independent. Parts that learn from much the "
            "same rows err alike, so they are a little too narrow."
        )
    yield (
        f"Errors are absolute, in standard deviations of each {about.measure} over all "
        f"{about.things}, and averaged; markers count in none, so other markers are measured on "
        "slightly other columns. R² is the share of the variation told: of the middle one of all."
    )
    if data.about.unit in COUNTED:
        yield f"Values in {data.about.unit} are taken as the binary logarithm of one more."
    cells = fitted.used + fitted.missing
    if fitted.missing:
        yield (
            f"{wording.number(fitted.missing)} of {wording.number(cells)} values are missing: they "
            "count in no error, and where one is a marker’s, or is learnt from, the mean is taken "
            "for it."
        )
    else:
        yield f"None of the {wording.number(cells)} values is missing."
    yield (
        "The best of several methods looks a little better than it is, for it was chosen on the "
        "rows that measure it."
    )
    if neural == "no":
        said = "A neural network can be tried too: set “neural” to “yes”."
        if not training.available():
            said += f' It needs PyTorch: pip install "{training.EXTRA}".'
        yield said


def _what(fitted: Inferred, at: int) -> str:
    return f"{fitted.methods[at]}, {_WAYS[fitted.choices[at]]}"


def _error(fitted: Inferred, at: int) -> str:
    return f"{np.nanmean(fitted.errors[at]):.3f}"


def _percent(gain: float, low: float, high: float) -> str:
    space = wording.FIXED
    shown = f"{100 * gain:.0f}{space}%"
    if not np.isfinite(low):
        return shown
    return f"{shown} ({100 * low:.0f} to {100 * high:.0f}{space}%)".replace("-", "−")
