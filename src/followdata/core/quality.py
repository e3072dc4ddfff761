"""Values of a daily record that cannot be: so far from the normal of their time of year that no
weather explains them.

Real extremes must pass, for they are what a record is asked about. The coldest and the warmest
days of Stockholm since 1756 lie up to 4.4 robust standard deviations from the middle of their time
of year, those of other places that were looked at up to 5.9 (frost on a mild coast). A slip of the
pen, such as a minus sign too many, lies far beyond.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from followdata.core.seasons import (
    SLOTS,
    Days,
    Floats,
    calendar,
    day_of_year_percentiles,
    slots,
)

LIMIT = 8.0
"""Robust standard deviations from the normal beyond which a value cannot be."""

AROUND = 15
"""Days on either side of the day of the year, over all years, that say what is normal."""

ENOUGH = 60
"""With fewer values than this around a day of the year, nothing there is judged."""

_QUARTILE = 0.6744897501960817  # of the standard normal distribution


def distance(days: Days, values: Floats) -> Floats:
    """How far each value lies from the median of its time of year, in robust deviations.

    The deviation is that of a normal distribution with the same distance from the median to the
    quartile on the value's own side, or with the same distance between both quartiles where
    that is larger: winters have a longer tail to the cold, and it is no reason to doubt a warm
    day less. NaN where the value is missing, where too few values say what is normal, and where
    more than half of them are equal.

    >>> days = np.arange(3 * 365)
    >>> values = np.sin(days)
    >>> values[182] = 40
    >>> int(np.argmax(distance(days, values))), distance(days[:30], values[:30])[0]
    (182, np.float64(nan))
    """
    quartiles, spread = _normal(days, values)
    places = slots(days)
    low, middle, high = quartiles[places].T
    side = np.where(values < middle, middle - low, high - middle) / _QUARTILE
    deviation = np.maximum(side, spread[places])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(deviation > 0, (values - middle) / deviation, np.nan))


def implausible(days: Days, values: Floats, *, limit: float = LIMIT) -> npt.NDArray[np.bool_]:
    """Which values lie further than `limit` from the normal of their time of year."""
    return np.asarray(np.abs(np.nan_to_num(distance(days, values))) > limit)


def _normal(days: Days, values: Floats) -> tuple[Floats, Floats]:
    """Quartiles (366 x 3) and robust deviation (366) by day of the year; NaN where unknown."""
    percents = np.array([25.0, 50.0, 75.0])
    quartiles = day_of_year_percentiles(calendar(days, values), percents, around=AROUND)
    at_place = np.bincount(slots(days)[~np.isnan(values)], minlength=SLOTS)
    near = np.convolve(np.tile(at_place, 3), np.ones(2 * AROUND + 1, dtype=np.int64), "same")
    quartiles[near[SLOTS : 2 * SLOTS] < ENOUGH] = np.nan
    return quartiles, (quartiles[:, 2] - quartiles[:, 0]) / (2 * _QUARTILE)
