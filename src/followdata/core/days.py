"""Daily means from observations at whatever hours they were made.

Time is in hours since 1970-01-01T00 UTC, days are whole numbers since 1970-01-01. A day runs
from midnight to midnight UTC, as the "representative day" of SMHI's daily means does.

Three observations at 06, 12 and 18 say more of the day than of the night, and a record in which
the hours change (three a day, then eight, then two) jumps each time, if the values of a day are
only averaged. So the mean of a day is the mean of the course of its temperature, drawn straight
from one observation to the next, through midnight too: the time-weighted mean. What is left of the
difference between one set of hours and a fuller one follows the season. It is learnt from the days
that have the fuller set, and taken out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

GAP = 13.0
"""A day is complete if no longer time than this, in hours, passes without an observation.

From the evening at 18 to the morning at 7 of the next day it is 13 hours.
"""

ENOUGH = 3 * 365
"""Days with a set of hours from which it can be learnt what other sets miss."""

_YEAR = 365.2425


@dataclass(frozen=True)
class DailyMeans:
    """The mean of each day that has an observation, NaN where the day is not complete.

    `counts` says how many observations a day has. `learnt` (°C) was taken out of a mean because
    its hours are fewer than the record's fullest; it is 0 where there was nothing to take out,
    and NaN where it cannot be known, for the day has other hours than those.
    """

    days: Days
    means: Floats
    counts: Days
    learnt: Floats


def daily_means(hours: Floats, values: Floats) -> DailyMeans:
    """The daily means of `values` observed at `hours`, which ascend; NaN are no observations.

    >>> hours = np.arange(0.0, 72.0, 6)
    >>> daily_means(hours, np.tile([0.0, 6.0, 12.0, 6.0], 3)).means
    array([ 6.,  6., nan])

    The last day has no observation at its end, so that its last six hours are not known.
    """
    known = ~np.isnan(values)
    hours, values = hours[known], values[known]
    if not len(hours):
        nothing = np.zeros(0)
        return DailyMeans(nothing.astype(np.int64), nothing, nothing.astype(np.int64), nothing)
    own = np.floor(hours / 24).astype(np.int64)
    days, starts, counts = np.unique(own, return_index=True, return_counts=True)
    means = _time_weighted(days, hours, values)
    sets = np.bitwise_or.reduceat(1 << np.floor(hours % 24).astype(np.int64), starts)
    learnt = _learnt(days, means, sets, hours, values)
    return DailyMeans(days, means - np.nan_to_num(learnt), counts, learnt)


def _time_weighted(days: Days, hours: Floats, values: Floats) -> Floats:
    """The mean of the straight lines between observations over each day; NaN where incomplete."""
    if len(hours) < 2:
        return np.full(len(days), np.nan)
    steps = np.diff(hours)
    areas = np.concatenate([[0.0], np.cumsum(steps * (values[1:] + values[:-1]) / 2)])

    def until(moments: Floats, side: str) -> tuple[Floats, npt.NDArray[np.intp]]:
        """The area up to each moment, NaN outside all, and the step that it lies in."""
        step = np.searchsorted(hours, moments, side) - 1  # type: ignore[call-overload]
        inside = (moments >= hours[0]) & (moments <= hours[-1])
        step = np.clip(step, 0, len(steps) - 1)
        part = moments - hours[step]
        slope = (values[step + 1] - values[step]) / steps[step]
        area = areas[step] + part * (values[step] + slope * part / 2)
        return np.where(inside, area, np.nan), step

    # An observation at midnight begins one day and ends another.
    midnights = np.asarray(days * 24.0, dtype=np.float64)
    begin, first = until(midnights, "right")
    end, last = until(midnights + 24, "left")
    bounds = np.stack([first, np.maximum(last, first) + 1], axis=1).ravel()
    longest = np.maximum.reduceat(np.append(steps, 0.0), bounds)[::2]
    return np.where(longest <= GAP, (end - begin) / 24, np.nan)


def _learnt(days: Days, means: Floats, sets: Days, hours: Floats, values: Floats) -> Floats:
    """How much too high each day's set of hours makes its mean; see `DailyMeans.learnt`."""
    kinds, often = np.unique(sets[~np.isnan(means)], return_counts=True)
    if not len(kinds):
        return np.zeros(len(days))
    fullest = _fullest(kinds, often)
    learnt = np.where(sets & fullest == fullest, 0.0, np.nan)
    course = _Course.of(fullest, days, sets, hours, values)
    if course is not None:
        for kind in kinds[(kinds & fullest == kinds) & (kinds != fullest)]:
            here = sets == kind
            learnt[here] = course.excess(int(kind), days[here])
    return learnt


def _fullest(kinds: Days, often: Days) -> int:
    """The set with the most hours of those that are not rare, and of such the most frequent."""
    size = np.array([int(kind).bit_count() for kind in kinds])
    size[often < ENOUGH] = 0
    return int(kinds[np.lexsort([often, size])[-1]])


@dataclass(frozen=True)
class _Course:
    """The mean course of three days through the year, at the hours of the fullest set.

    `seasons` (5 x 72) gives the value at each hour of the day before, of the day itself and of
    the day after, 0 at hours that are not in the set, as the weights of `_season`.
    """

    fullest: int
    seasons: Floats

    @classmethod
    def of(
        cls, fullest: int, days: Days, sets: Days, hours: Floats, values: Floats
    ) -> _Course | None:
        """Learnt from the days that have the fullest set, and so have the days around them."""
        full = days[sets & fullest == fullest]
        own = np.floor(hours / 24).astype(np.int64)
        row = np.searchsorted(full, own)
        there = (row < len(full)) & (full[np.minimum(row, len(full) - 1)] == own)
        grid = np.zeros((len(full), 24))
        grid[row[there], np.floor(hours[there] % 24).astype(np.int64)] = values[there]
        steps = np.diff(full) == 1
        middle = np.flatnonzero(steps[1:] & steps[:-1]) + 1
        if len(middle) < ENOUGH:
            return None
        courses = np.concatenate([grid[middle - 1], grid[middle], grid[middle + 1]], axis=1)
        weights, *_ = np.linalg.lstsq(_season(full[middle]), courses, rcond=None)
        return cls(fullest, weights)

    def excess(self, kind: int, days: Days) -> Floats:
        """How much higher the mean from the hours of `kind` is on such days, on average."""
        difference = _weights(kind) - _weights(self.fullest)
        return np.asarray(_season(days) @ (self.seasons @ difference))


def _weights(kind: int) -> Floats:
    """What each hour of three days adds to the time-weighted mean of the middle one (72)."""
    own = [hour for hour in range(24) if kind >> hour & 1]
    times = [hour + 24 * day for day in range(3) for hour in own]
    clock = np.arange(24.0, 49.0)
    weights = np.zeros(72)
    weights[times] = [
        np.trapezoid(np.interp(clock, times, unit), clock) / 24 for unit in np.eye(len(times))
    ]
    return weights


def _season(days: Days) -> Floats:
    """A year's course: its mean, and what comes once and twice a year (days x 5)."""
    angle = 2 * np.pi * days / _YEAR
    return np.stack(
        [np.ones(len(days)), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)],
        axis=1,
    )
