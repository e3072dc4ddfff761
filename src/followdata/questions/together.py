"""The question "model": what survives when all columns are looked at together, and what it
foretells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core import foretelling
from followdata.core.elasticnet import THRESHOLD, chosen_often, elastic_net, most_chosen
from followdata.core.foretelling import ALONE, TOGETHER
from followdata.core.scan import standardised
from followdata.core.stability import HALVES, halves
from followdata.core.twins import SAME, find_twins, fold
from followdata.data import Floats, TableData
from followdata.parameters import Number
from followdata.question import Question
from followdata.questions import measures as columns_of
from followdata.questions import wording
from followdata.questions.measures import Measures
from followdata.questions.scanned import ADJUST, LEAST_EXPECTED, SIZE, Scanned, null_notes
from followdata.questions.workers import one_thread

_ENOUGH = 0.95
"""Columns known for a smaller part of the rows do not take part."""
_LATER = 0.3
"""The part of the years that is held out: the last ones."""
_SEED = 20050815


@dataclass(frozen=True)
class Together:
    """p columns that took part, by their numbers in the table: in what part of the halves each is
    `chosen`, its `ratio` in the elastic net (1 where it is left out), how many others say the
    same (`twins`). `gains` (1 or 2 x 3) are by how much their forecasts of places, and of the last
    `years`, are better than those of population alone, in mean log scores with intervals.
    `filled` counts the gaps."""

    columns: npt.NDArray[np.int64]
    chosen: Floats
    ratio: Floats
    twins: Floats
    gains: Floats
    years: list[int]
    filled: int
    notes: list[str]


def fit_together(
    data: TableData,
    *,
    adjust: Annotated[str, ADJUST] = SIZE,
    report: Callable[..., None] = lambda *_, **__: None,
) -> Together:
    """Choose from halves, weigh, and foretell what was held out."""
    with one_thread():
        return _learnt(data, adjust, report)


def _learnt(data: TableData, adjust: str, report: Callable[..., None]) -> Together:
    scanned = Scanned.of(data, adjust)
    columns, twins = _apart(scanned)
    scores = standardised(scanned.scores[:, columns])
    Z = np.where(np.isfinite(scores), scores, 0.0)
    random = np.random.default_rng(_SEED)
    report("progress", done=1, total=4, what="steps")
    chosen = chosen_often(scanned.intensity, Z, halves(scanned.groups, len(Z), random))
    report("progress", done=2, total=4, what="steps")
    ratio = np.exp(elastic_net(scanned.intensity, Z, scanned.groups).slopes)
    report("progress", done=3, total=4, what="steps")
    gains, years = _foretold(scanned, Z, random)
    report("progress", done=4, total=4, what="steps")
    return Together(
        columns=scanned.columns[columns],
        chosen=chosen,
        ratio=ratio,
        twins=twins,
        gains=gains,
        years=years,
        filled=int(np.isnan(scores).sum()),
        notes=list(null_notes(scanned, adjust)),
    )


def _apart(scanned: Scanned) -> tuple[Sequence[int], Floats]:
    """The columns that take part, no two of which say the same, and how many each stands for."""
    known = np.isfinite(scanned.values).mean(0)
    full = np.flatnonzero(known >= _ENOUGH)
    order = np.argsort(-known[full], kind="stable").tolist()
    folded = fold(order, find_twins(scanned.values[:, full]), len(full))
    kept = sorted((int(full[one.column]), len(one.twins)) for one in folded)
    return [column for column, _ in kept], np.array([twins for _, twins in kept], dtype=float)


def _foretold(scanned: Scanned, Z: Floats, random: np.random.Generator) -> tuple[Floats, list[int]]:
    """Gains over population alone in places and, where there are any, in years held out."""
    counts, X, near, groups = scanned.counts, scanned.X, scanned.nearness, scanned.groups
    expected = np.maximum(np.nansum(counts.expected, axis=1), LEAST_EXPECTED)
    scores = foretelling.other_places(counts.totals, expected, X, near, Z, groups)
    gains = [foretelling.gain(scores[TOGETHER], scores[ALONE], groups, random)]
    number = len(counts.years)
    late = np.arange(number) >= number - max(1, int(_LATER * number))
    rows = np.flatnonzero(counts.counted[:, late].any(1) & counts.counted[:, ~late].any(1))
    if number > 1 and np.nansum(counts.y[:, ~late]) and np.nansum(counts.y[:, late]):
        before, after = (
            (
                np.nansum(counts.y[rows][:, years], axis=1),
                np.maximum(np.nansum(counts.expected[rows][:, years], axis=1), LEAST_EXPECTED),
            )
            for years in (~late, late)
        )
        of = None if groups is None else groups[rows]
        scores = foretelling.later_years(before, after, X[rows], near.of(rows), Z[rows], of)
        gains.append(foretelling.gain(scores[TOGETHER], scores[ALONE], of, random))
    return np.array(gains), [int(year) for year in counts.years[late]]


def model(
    data: TableData,
    fitted: Together,
    *,
    adjust: Annotated[str, ADJUST] = SIZE,
    top: Annotated[int, Number("How many to show", 1, 500, whole=True)] = 20,
) -> Answer:
    """Columns that are chosen again and again when all compete, and what they foretell.

    Table `model`, ordered by stability: measure, title, stability (in what part of random halves
    the column is among the first that an elastic net takes in), rate_ratio (per standard deviation
    in the elastic net on all data, drawn towards 1) and twins (how many columns say the same and
    are folded under it). Table `prediction`: held_out, gain (by how much the mean log score of
    forecasts is better than from population alone), low, high (its 95 % interval) and better
    (whether low is above 0).
    """
    shown = _Shown(data, fitted, Measures.of(data), adjust, top)
    return Answer(
        sentence=" ".join(shown.sentences()),
        tables={"model": shown.table(), "prediction": shown.prediction()},
        views=tuple(shown.views()),
        notes=(*shown.notes(), *fitted.notes),
    )


question = Question(
    name="model",
    title="What survives when all are looked at together?",
    words="All indicators compete to explain the counts; a penalty keeps only what helps most. "
    "Those that come first again and again in random halves of the data survive. Then the test "
    "that counts: do they foretell places and years that were held out better than population "
    "alone?",
    needs="table",
    fit=fit_together,
    answer=model,
    long=True,
)


@dataclass(frozen=True)
class _Shown:
    data: TableData
    fitted: Together
    measured: Measures
    adjust: str
    top: int

    @property
    def order(self) -> list[int]:
        strength = np.abs(np.log(self.fitted.ratio))
        found = np.lexsort((-strength, -self.fitted.chosen))[: self.top]
        return [int(at) for at in found]

    @property
    def surviving(self) -> list[int]:
        return [at for at in self.order if self.fitted.chosen[at] >= THRESHOLD]

    def title(self, at: int) -> str:
        return str(self.measured.titles[int(self.fitted.columns[at])])

    def table(self) -> Table:
        fitted, order = self.fitted, self.order
        measure, title, _ = columns_of.fields(self.data)
        ratio = Field("rate_ratio", "Rate ratio, drawn towards 1", decimals=3)
        return Table.of(
            (measure, [self.measured.names[fitted.columns[at]] for at in order]),
            (title, [self.title(at) for at in order]),
            (Field("stability", "Chosen in halves", decimals=2), fitted.chosen[order]),
            (ratio, fitted.ratio[order]),
            (Field("twins", "Twins"), fitted.twins[order].astype(int)),
            title="What is chosen again and again",
        )

    @property
    def held_out(self) -> list[str]:
        """What was held out, in words, for each of the gains."""
        about, years = self.data.about, self.fitted.years
        whole = (
            f"{about.things} of another {about.label}" if about.label else f"other {about.things}"
        )
        last = f"the years {years[0]} to {years[-1]}" if len(years) > 1 else f"the year {years[0]}"
        return [whole, last][: len(self.fitted.gains)]

    def prediction(self) -> Table:
        gains = self.fitted.gains
        return Table.of(
            (Field("held_out", "Held out"), self.held_out),
            (Field("gain", "Gain in log score over population alone", decimals=3), gains[:, 0]),
            (Field("low", "at least", decimals=3), gains[:, 1]),
            (Field("high", "at most", decimals=3), gains[:, 2]),
            (Field("better", "Better"), (gains[:, 1] > 0).tolist()),
            title="What is foretold of what was held out",
        )

    def sentences(self) -> Iterator[str]:
        about, surviving = self.data.about, self.surviving
        of = wording.count(len(self.fitted.columns), about.measure, about.measures)
        names = listing([f"“{self.title(at)}”" for at in surviving]) if surviving else ""
        half = wording.share(THRESHOLD)
        if surviving:
            survive = "survives" if len(surviving) == 1 else "survive"
            yield (
                f"Of {of} that compete to explain {about.events}, {len(surviving)} {survive}, "
                f"chosen in at least {half} of random halves of the data: {names}."
            )
        else:
            nearest = self.order[0]
            yield (
                f"Of {of} that compete to explain {about.events}, none survives: none is chosen in "
                f"{half} of random halves of the data. “{self.title(nearest)}” comes nearest "
                f"({wording.share(float(self.fitted.chosen[nearest]))})."
            )
        yield self._foretelling()

    def _foretelling(self) -> str:
        about, gains = self.data.about, self.fitted.gains
        told = "; ".join(
            f"for {what} it is {_chance(float(gain), float(low), float(high))}"
            for what, (gain, low, high) in zip(self.held_out, gains, strict=True)
        )
        better = gains[:, 1] > 0
        if not better.any():
            how = "Nothing beats population alone. What"
        elif better.all():
            how = "They beat population alone. What"
        else:
            how = "They beat population alone in part. What"
        return (
            f"{how} all {about.measures} together foretell was tried on what was held out: {told}."
        )

    def views(self) -> Iterator[View]:
        about, order = self.data.about, self.order
        yield View(
            kind="ranking",
            table="model",
            channels={"label": "title", "value": "stability"},
            title="How often each is chosen",
            description=f"The {len(order)} {about.measures} that are chosen in most halves of the "
            f"data, from {wording.share(float(self.fitted.chosen[order[0]]))} (“"
            f"{self.title(order[0])}”) down; {wording.share(THRESHOLD)} is asked for.",
        )

    def notes(self) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        most = most_chosen(len(fitted.columns))
        unit = f"each {about.label} whole" if about.label else f"each {about.thing} alone"
        yield (
            f"In each of {HALVES} random halves of the data ({unit}) an elastic net takes in one "
            f"{about.measure} after the other; chosen are the first {most}. With so few, about one "
            f"of those chosen in {wording.share(THRESHOLD)} of the halves is expected to be chance "
            "at most (Meinshausen & Bühlmann 2010), if all that is chance is alike."
        )
        folded = int(fitted.twins.sum())
        yield (
            f"{wording.count(len(fitted.columns), about.measure, about.measures)} take part: those "
            f"known for at least {wording.share(_ENOUGH)} of the {about.things}. "
            f"{wording.number(fitted.filled)} values are missing among them, and count as the mean "
            f"here. {wording.count(folded, 'other says', 'others say')} the same as one of these "
            f"(a rank correlation beyond {SAME:g}) and are folded under it. Which of such twins is "
            "the one that matters cannot be told."
        )
        yield (
            "A log score is the log of the chance that a forecast gave to what came; 0.1 more a "
            f"{about.thing} is a chance 10 % greater. Intervals are from drawing whole "
            f"{about.label + ' groups' if about.label else about.things} again. For "
            f"{about.things} held out, everything was learnt without them."
        )
        yield (
            f"To survive here is to be useful for telling how many {about.events} to expect, not "
            f"to be a cause; and what holds of {about.things} need not hold of people. An "
            f"{about.measure} of {about.time or 'one year'} foretells nothing in earnest of years "
            "before it."
        )


def _chance(gain: float, low: float, high: float) -> str:
    """A gain in words.

    >>> print(_chance(0.1, 0.05, 0.15), "|", _chance(-0.01, -0.05, 0.03))
    better (0.1 in log score, 0.05 to 0.15) | no better (−0.01 in log score, −0.05 to 0.03)
    """
    which = "better" if low > 0 else "worse" if high < 0 else "no better"
    numbers = [wording.number(round(value, 3)) for value in (gain, low, high)]
    return f"{which} ({numbers[0]} in log score, {numbers[1]} to {numbers[2]})"
