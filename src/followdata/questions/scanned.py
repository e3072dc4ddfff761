"""A table's columns against the events that it counts by place and year: what a scan needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core import nearness, placebo
from followdata.core.counts import Counts
from followdata.core.intensity import Intensity, fit_intensity
from followdata.core.nearness import GROUP, Nearness
from followdata.core.normal import normal_scores
from followdata.core.scan import FEWEST, FEWEST_APART, can_be_tested
from followdata.data import Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice
from followdata.questions import wording
from followdata.questions.counts import counts_of

SIZE, NOTHING = "size", "nothing"
ADJUST = Choice(
    "What is allowed for: how events go with the size of a place, or nothing but its number of "
    "inhabitants as such",
    (SIZE, NOTHING),
    title="Allow for",
)
_FEWEST_PLACES = 20
LEAST_EXPECTED = 1e-9
"""Places counted only in years without any event were expected to have none, which has no log."""
_SHARED = 0.5
"""How much of a column members of one group have in common, in noise that is alike within them."""


@dataclass(frozen=True, eq=False)
class Scanned:
    """The counts, their null model, and the p columns that can be tested: their numbers in the
    table, `values` and normal `scores` (n x p). `X` (n x q) is what is allowed for, and `groups`
    (n) the labels of the rows, `None` without any."""

    data: TableData
    counts: Counts
    X: Floats
    nearness: Nearness
    groups: npt.NDArray[np.str_] | None
    intensity: Intensity
    columns: npt.NDArray[np.intp]
    values: Floats
    scores: Floats

    @classmethod
    def of(cls, data: TableData, adjust: str) -> Scanned:
        """Fit the null model. Raises `NothingToAnswer` where there is too little to be told."""
        counts = counts_of(data)
        if len(counts.y) < _FEWEST_PLACES or not counts.totals.sum():
            things = wording.count(len(counts.y), data.about.thing, data.about.things)
            raise NothingToAnswer(f"There is too little to go by: {things}.", "Choose other data.")
        groups = _groups(data)
        near = _nearness(counts, groups)
        X = _allowed_for(counts, adjust)
        expected = np.maximum(np.nansum(counts.expected, axis=1), LEAST_EXPECTED)
        intensity = fit_intensity(counts.totals, expected, X, near)
        own = {data.about.count, *([data.about.size] if adjust == SIZE else [])}
        names, table = data.names("var").names, data.matrix()
        kept = can_be_tested(table) & np.array([name not in own for name in names])
        columns = np.flatnonzero(kept)
        if not len(columns):
            raise NothingToAnswer(
                f"No {data.about.measure} has enough different values to be tested.",
                "Add indicators to the data.",
            )
        values = table[:, columns]
        return cls(data, counts, X, near, groups, intensity, columns, values, normal_scores(values))

    @property
    def untested(self) -> int:
        """How many columns have too little to be tested, those of the counts aside."""
        about = self.data.about
        own = len({about.count, about.size} & set(self.data.names("var").names))
        return max(0, self.data.shape[1] - own - len(self.columns))

    @property
    def log_size(self) -> Floats:
        """The logarithm of the inhabitants of each place, in standard deviations (n)."""
        return _log_size(self.counts)


def _log_size(counts: Counts) -> Floats:
    log = np.log(counts.person_years / counts.counted.sum(1))
    return np.asarray((log - log.mean()) / (log.std() or 1.0))


def _allowed_for(counts: Counts, adjust: str) -> Floats:
    ones = np.ones(len(counts.y))
    return np.column_stack([ones, _log_size(counts)] if adjust == SIZE else [ones])


def _groups(data: TableData) -> npt.NDArray[np.str_] | None:
    labels = data.labels("obs")
    return labels.get(data.about.label) if data.about.label else None


def _nearness(counts: Counts, groups: npt.NDArray[np.str_] | None) -> Nearness:
    if counts.places is not None:
        return nearness.by_distance(counts.places)
    if groups is not None and len(np.unique(groups)) > 1:
        return nearness.by_group(groups)
    return nearness.nowhere(len(counts.y))


Make = tuple[str, Floats]


def noises(scanned: Scanned, number: int, random: np.random.Generator) -> Iterator[Make]:
    """Noise of every kind, `number` columns of each (n x number), with its name in words."""
    n, size = len(scanned.X), scanned.log_size
    yield "independent", placebo.independent(n, number, random)
    yield "heavy-tailed (lognormal)", placebo.skewed(n, number, random)
    if scanned.counts.places is not None:
        apart = nearness.distances(scanned.counts.places)
        for kernel in (nearness.EXPONENTIAL, nearness.MATERN):
            for reach in (50.0, 150.0, 400.0):
                correlation = nearness.correlation(apart, kernel, reach)
                made = placebo.smooth(correlation, number, random)
                yield f"smooth over {reach:g} km ({kernel})", made
    elif scanned.nearness.kernels == [GROUP]:
        together = scanned.nearness.matrices[0]
        alike = _SHARED * together + (1 - _SHARED) * np.eye(n)
        label = scanned.data.about.label
        yield f"alike within a {label}", placebo.smooth(alike, number, random)
    tied = _TIED * size[:, None] + np.sqrt(1 - _TIED**2) * placebo.independent(n, number, random)
    yield f"correlated {_TIED:g} with log size", tied


_TIED = 0.3


def null_notes(scanned: Scanned, adjust: str) -> Iterator[str]:
    """What the counts were held against, what was asked, and what was left out."""
    data, about, intensity = scanned.data, scanned.data.about, scanned.intensity
    size = data.names("var").title(about.size) if about.size else "size"
    years = scanned.counts.years
    held = (
        f"{about.events.capitalize()} of {wording.count(len(scanned.X), about.thing, about.things)}"
        f" in {years[0]} to {years[-1]} are held against what their inhabitants would let expect at"
        " the rate of each year."
    )
    if adjust == SIZE:
        slope = float(np.exp(intensity.coefficients[1]))
        held += (
            f" Allowed for is also how the rate goes with size (“{size}”): it is "
            f"{wording.number(slope)} times as high for one standard deviation of its logarithm. "
            "So the question is what goes together among places of one size. Large places differ "
            "from small ones in nearly everything; without this (adjust: nothing) most "
            f"{about.measures} that have to do with size would be found."
        )
    else:
        held += (
            " How the rate goes with size is not allowed for (adjust: size would): what has to do "
            "with size is found as well, and so is chance that does. What is found may tell of "
            "nothing but that large places differ from small ones."
        )
    yield held
    yield _rest(scanned)
    if scanned.untested:
        yield (
            f"Not tested: {wording.count(scanned.untested, about.measure, about.measures)} with "
            f"fewer than {FEWEST} values, or with fewer than {FEWEST_APART} that differ from the "
            "commonest."
        )
    gaps = int(np.isnan(scanned.values).sum())
    if gaps:
        some = int(np.isnan(scanned.values).any(0).sum())
        yield (
            f"{wording.number(gaps)} values are missing, in "
            f"{wording.count(some, about.measure, about.measures)}; each of these is tested on the "
            f"{about.things} that have a value, against the model of those. Nothing is filled in."
        )


def _rest(scanned: Scanned) -> str:
    about, intensity = scanned.data.about, scanned.intensity
    spread = float(np.exp(np.sqrt(intensity.variance)))
    told = (
        f"Rates differ for reasons that nothing here tells: typically {wording.number(spread)}-fold"
        f" either way, beyond chance"
    )
    if scanned.counts.places is not None:
        return (
            f"{told}. {wording.share(intensity.share)} of that is common to neighbours, and fades "
            f"over about {wording.number(intensity.reach, 'km')}. The tests allow for both."
        )
    if scanned.nearness.kernels == [GROUP]:
        return (
            f"{told}; {wording.share(intensity.share)} of that is common to the {about.things} of a"
            f" {about.label}. Where the {about.things} lie is not known. What neighbours share "
            f"across or within a {about.label} beyond that is not allowed for, so with "
            f"{about.measures} that change smoothly over the land there may be more false finds "
            "than the audit says."
        )
    return (
        f"{told}. Where the {about.things} lie is not known, so what neighbours share is not "
        f"allowed for: with {about.measures} that are alike among neighbours, p is too small."
    )
