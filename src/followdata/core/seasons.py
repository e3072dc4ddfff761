"""How usual a value is for the time of year, from a record with one value a day.

A day is compared with the days around it in the calendar, seven before to seven after, in the
years before it. Days are whole numbers since 1970-01-01, as NumPy counts them; years are those
of the proleptic Gregorian calendar. A record of one hour of each day is a record too, so values
at a time of day can be compared by the same functions, each hour with its own record.

Two references are known. `all_years` takes every earlier year as it was. `climate_of_today`
takes the last 60 and shifts each along the trend of its season, so that it stands where the
climate is now: of the trend, as of the days, only what was before the day asked about is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

WINDOW = 7
"""Days on either side of the day of the year that are compared with it."""

TODAY_YEARS = 60
"""How many of the latest years stand for the climate of today, once they are shifted."""

SEASON = 30
"""Days on either side that make up the season whose trend is followed."""

TREND_YEARS = 40
"""Half width, in years, of the kernel that smooths the trend."""

WINTER = 60
"""Days at the beginning of a year, after which nothing of the year before is out of sight."""

SLOTS = 366
"""Days of the calendar, the 29th of February among them."""

_LEAP_SLOT = 59  # of the 29th of February, counted from 0 on the 1st of January
_SHARES = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


@dataclass(frozen=True)
class Record:
    """One value a day without a gap: `values[i]` is of the day `first + i`, NaN where missing."""

    first: int
    values: Floats

    @cached_property
    def years(self) -> Days:
        """The years that the record touches."""
        start, stop = year_of(np.array([self.first, self.first + len(self.values) - 1]))
        return np.arange(start, stop + 1)

    @cached_property
    def grid(self) -> Floats:
        """The values by year and place in the calendar (years x 366); NaN where there is none."""
        days = centres(self.years, np.arange(SLOTS)) - self.first
        inside = (days >= 0) & (days < len(self.values))
        inside[~is_leap(self.years), _LEAP_SLOT] = False
        return np.where(inside, self.values[np.clip(days, 0, len(self.values) - 1)], np.nan)

    def season(self, places: Days, years: Days | None = None) -> Floats:
        """The mean of the season around each place of the calendar in each of `years`.

        Of all years of the record by default (years x places); NaN where more than half of the
        season's days are missing.
        """
        sums, counts = self._until
        middles = centres(self.years if years is None else years, places) - self.first
        begin = np.clip(middles - SEASON, 0, len(self.values))
        end = np.clip(middles + SEASON + 1, 0, len(self.values))
        count = counts[end] - counts[begin]
        means = (sums[end] - sums[begin]) / np.maximum(count, 1)
        return np.where(count > SEASON, means, np.nan)

    def windows(self, middles: Days, before: int) -> Floats:
        """The values from `WINDOW` days before to as many after each of `middles`, along a new
        last axis; NaN outside the record and from the day `before` on."""
        width = 2 * WINDOW + 1
        beyond = np.full(width, np.nan)
        known = self.values[: max(before - self.first, 0)]
        padded = np.concatenate([beyond, known, beyond])
        starts = np.clip(middles - WINDOW - self.first + width, 0, len(padded) - width)
        return np.lib.stride_tricks.sliding_window_view(padded, width)[starts]

    @cached_property
    def _until(self) -> tuple[Floats, Days]:
        """The sum and the number of the values before each day."""
        known = ~np.isnan(self.values)
        sums = np.concatenate([[0.0], np.cumsum(np.where(known, self.values, 0.0))])
        return sums, np.concatenate([[0], np.cumsum(known)])


@dataclass(frozen=True)
class Reference:
    """What a value is compared with: `values` (years x days), NaN where missing; `shifts` is what
    was added to those of each year.

    The share p of the climate that lies below a value is known from them with the variance
    p (1 - p) `single` + f(p)^2 `shared`, where f is the standard normal density at the quantile
    of p. The first part is as for independent values. The second is chance weather that days
    have in common: that of a spell, and that which the trend, if they were shifted, has caught.
    """

    years: Days
    values: Floats
    shifts: Floats
    single: float
    shared: float

    @property
    def n(self) -> int:
        """How many values there are."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    def effective(self, share: float) -> float:
        """How many independent values would tell as much about a share (0 to 1) as these."""
        inside = min(max(share, 1e-6), 1 - 1e-6)
        return 1 / (self.single + self.shared * float(_common(np.array([inside]))[0]))


@dataclass(frozen=True)
class Standing:
    """Where a value stands: its percentile (0 to 100) and the band of that."""

    percentile: float
    low: float
    high: float


def record(days: Days, values: Floats) -> Record:
    """The record of `values` on `days`, which ascend and may have gaps.

    >>> record(np.array([0, 2]), np.array([1.5, 2.5])).values
    array([1.5, nan, 2.5])
    """
    first, last = int(days[0]), int(days[-1])
    whole = np.full(last - first + 1, np.nan)
    whole[days - first] = values
    return Record(first, whole)


def slots(days: Days) -> Days:
    """The place of each day in a calendar of 366 days, from 0 on the 1st of January.

    >>> slots(np.array(["2023-02-28", "2023-03-01", "2024-02-29"], "M8[D]").astype(int))
    array([58, 60, 59])
    """
    years = year_of(days)
    place = days - _new_year(years)
    return place + ((place >= _LEAP_SLOT) & ~is_leap(years))


def centres(years: Days, places: Days) -> Days:
    """The day at each place of the calendar in each year, shape years x places.

    In a common year the 29th of February is taken to be the 28th.
    """
    missing = (places[None, :] >= _LEAP_SLOT) & ~is_leap(years)[:, None]
    return _new_year(years)[:, None] + places[None, :] - missing


def year_of(days: Days) -> Days:
    """The year that each day is in."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def is_leap(years: Days) -> npt.NDArray[np.bool_]:
    """Which years have a 29th of February."""
    return np.asarray(((years % 4 == 0) & (years % 100 != 0)) | (years % 400 == 0))


def all_years(record: Record, day: int) -> Reference:
    """The days around the day of the year of `day`, in every year before its own.

    Years in which none of them has a value are left out.
    """
    place = slots(np.array([day]))
    years = record.years[record.years < year_of(np.array([day]))[0]]
    values = record.windows(centres(years, place)[:, 0], day)
    known = ~np.isnan(values).all(axis=1)
    shifts = np.zeros(int(known.sum()))
    return Reference(years[known], values[known], shifts, *_variance(values[known]))


def climate_of_today(record: Record, day: int, *, latest: int = TODAY_YEARS) -> Reference:
    """The `latest` years before `day`, each shifted by what its season has changed since.

    Where the record ends before `day`, today is the year after its last. The trend is a local
    linear regression of the season's means on the year with a tricube kernel (Cleveland 1979,
    Journal of the American Statistical Association 74:829), which goes on to its end without
    values from after it. The shift of a year is the trend at `day` less the trend in that year;
    a year too far from others to have a trend is left out.
    """
    place = slots(np.array([day]))
    years = record.years[record.years < year_of(np.array([day]))[0]]
    means = record.season(place, years)[:, 0]
    years, means = years[~np.isnan(means)], means[~np.isnan(means)]
    today = years[-1] + 1 if len(years) else 0
    # What lies further back than the kernel reaches does not touch the trend of these years.
    reached = years >= today - latest - TREND_YEARS
    years, means = years[reached], means[reached]
    chosen = np.flatnonzero(years >= today - latest)
    weights = trend_weights(years, np.append(years, today))
    pull = weights[-1] - weights[chosen]
    values = record.windows(centres(years[chosen], place)[:, 0], day)
    shifts = pull @ means
    shifted = values + shifts[:, None]
    known = ~np.isnan(shifted).all(axis=1)
    # A residual as it would be had the year not helped to draw the trend it is measured from.
    helped = np.minimum(np.diag(weights), 0.9)
    residuals = (means - weights[:-1] @ means) / (1 - helped)
    mean_pull = pull[known].mean(axis=0) if known.any() else np.zeros(len(years))
    drift = np.where(mean_pull == 0, 0.0, mean_pull * residuals)
    variance = _variance(shifted[known], drift, chosen[known])
    return Reference(years[chosen][known], shifted[known], shifts[known], *variance)


def standing(reference: Reference, value: float, *, confidence: float = 0.9) -> Standing:
    """The percentile of `value` among the reference: the share of values below it, plus half of
    those equal to it (the mid-rank).

    The band is that of a proportion from clustered data (Korn and Graubard 1998, Survey
    Methodology 24:193): the exact binomial interval of Clopper and Pearson on the effective
    number of independent values, made smaller for being itself estimated from so many years.

    >>> values = np.array([[1.0], [2.0], [2.0], [3.0]])
    >>> few = Reference(np.arange(4), values, np.zeros(4), single=0.25, shared=0.0)
    >>> standing(few, 2.0).percentile
    50.0
    """
    from scipy.special import betaincinv, stdtrit

    known = reference.values[~np.isnan(reference.values)]
    below = float((known < value).sum() + 0.5 * (known == value).sum())
    share = below / len(known)
    tail = (1 - confidence) / 2
    years = max(len(reference.years), 2)
    narrower = stdtrit(len(known), 1 - tail) / stdtrit(years - 1, 1 - tail)
    n = reference.effective(share) * narrower**2
    hits = share * n
    low = betaincinv(hits, n - hits + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return Standing(100 * below / len(known), 100 * float(low), 100 * float(high))


def quantile(
    reference: Reference, percent: float, *, confidence: float = 0.9
) -> tuple[float, float, float]:
    """The value that `percent` of the reference lie below, and the band of that.

    The band holds the values whose own percentile may be `percent`; see `standing`.
    """
    known = np.sort(reference.values[~np.isnan(reference.values)])[None, :]
    value = float(percentiles(known, np.array([percent]))[0, 0])
    band = standing(reference, value, confidence=confidence)
    low, high = percentiles(known, np.array([band.low, band.high]))[0]
    return value, float(low), float(high)


def normals(
    record: Record, day: int, percents: Floats, *, latest: int = TODAY_YEARS
) -> tuple[Days, Floats]:
    """The days of the year of `day`, and the percentiles of each in the climate of then.

    The percentiles (days x percents) are of the values that `climate_of_today` compares a day
    with, had it been asked on `day`; NaN for a day of which nothing is known.
    """
    year = int(year_of(np.array([day]))[0])
    days = np.arange(*(int(_new_year(np.array([y]))[0]) for y in (year, year + 1)))
    return days, calendar_normals(record, year, percents, day, slots(days), latest=latest)


def calendar_normals(
    record: Record,
    year: int,
    percents: Floats,
    before: int | None = None,
    places: Days | None = None,
    *,
    latest: int = TODAY_YEARS,
) -> Floats:
    """The percentiles of each place of the calendar (places x percents) in the climate of `year`.

    Of all 366 places by default, and as known at the end of its winter: nothing from the day
    `before` on is used, and no day of `year` but those that lie around the turn of the year.
    """
    places = np.arange(SLOTS) if places is None else places
    if before is None:
        before = int(_new_year(np.array([year]))[0]) + WINTER
    earlier = (record.years < year) & (record.years >= year - latest - TREND_YEARS)
    years = record.years[earlier]
    middles = centres(years, places)
    # At the turn of the year, part of last year's season may come after `before`.
    means = np.where(middles + SEASON < before, record.season(places, years), np.nan)
    # Places first, so that all values that a day is compared with lie side by side.
    values = record.windows(middles[-latest:].T, before)
    values += _shifts(years, means, years[-latest:]).T[:, :, None]
    return percentiles(values.reshape(len(places), -1), percents)


def shifted_days(record: Record, year: int, places: Days, *, latest: int = TODAY_YEARS) -> Floats:
    """The `latest` years before `year`, each day shifted to the climate of `year`.

    One value for each place of the calendar (years x places), NaN where missing.
    """
    before = int(_new_year(np.array([year]))[0]) + WINTER
    earlier = (record.years < year) & (record.years >= year - latest - TREND_YEARS)
    years = record.years[earlier]
    middles = centres(years, places)
    means = np.where(middles + SEASON < before, record.season(places, years), np.nan)
    values = record.windows(middles[-latest:], before)[:, :, WINDOW]
    return np.asarray(values + _shifts(years, means, years[-latest:]))


def trend_weights(years: Days, at: Days) -> Floats:
    """The weights (at x years) with which the means of `years` make the trend at the years `at`.

    NaN where fewer than two of `years` are within reach.
    """
    apart = (years[None, :] - at[:, None]) / TREND_YEARS
    size = np.abs(apart)
    kernel = np.clip(1 - size * size * size, 0, None)
    kernel = kernel * kernel * kernel
    tilted = kernel * apart
    s0, s1, s2 = (k.sum(axis=1, keepdims=True) for k in (kernel, tilted, tilted * apart))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((kernel * s2 - tilted * s1) / (s0 * s2 - s1 * s1))


def calendar(days: Days, values: Floats) -> Floats:
    """Values by year and place in the calendar (years x 366), NaN where there is none.

    The first row is the year of the first of `days`, which ascend.
    """
    years = year_of(days)
    grid = np.full((int(years[-1] - years[0]) + 1, SLOTS), np.nan)
    grid[years - years[0], slots(days)] = values
    return grid


def day_of_year_percentiles(
    grid: Floats, percents: Floats, *, around: int = WINDOW, alpha: float = 1.0, beta: float = 1.0
) -> Floats:
    """Percentiles of each place in a calendar (places x percents), from all years of `grid`.

    `grid` (years x places) is read as time runs, row after row: the days `around` the 1st of
    January are those at the end of the row before. `alpha` and `beta` as for `percentiles`. With
    the 365 days of a calendar without leap days, 2 days around and a third for both, these are
    the values of xclim's `percentile_doy`.
    """
    width = 2 * around + 1
    beyond = np.full(around, np.nan)
    stretch = np.concatenate([beyond, grid.ravel(), beyond])
    windows = np.lib.stride_tricks.sliding_window_view(stretch, width)
    pooled = windows.reshape(*grid.shape, width).transpose(1, 0, 2).reshape(grid.shape[1], -1)
    return percentiles(pooled, percents, alpha=alpha, beta=beta)


def percentiles(
    values: Floats, percents: Floats, *, alpha: float = 1.0, beta: float = 1.0
) -> Floats:
    """The percentiles of each row, NaN left out.

    `alpha` and `beta` say how to interpolate between the values in order (Hyndman and Fan 1996,
    The American Statistician 50:361): 1 and 1 as NumPy does by default, a third for both so that
    the median is about unbiased whatever the distribution.
    """
    ordered = np.sort(values, axis=1)
    if not ordered.shape[1]:
        return np.full((len(values), len(percents)), np.nan)
    # NaN are sorted to the end, so that the rows without one need not be counted.
    count = np.full(len(values), ordered.shape[1])
    gaps = np.isnan(ordered[:, -1])
    count[gaps] = np.count_nonzero(~np.isnan(ordered[gaps]), axis=1)
    shares = np.asarray(percents) / 100
    place = count[:, None] * shares + alpha + shares * (1 - alpha - beta) - 1
    highest = np.maximum(count - 1, 0)[:, None]
    place = np.clip(place, 0, highest)
    below = np.floor(place).astype(np.intp)
    rows = np.arange(len(ordered))[:, None]
    low, high = ordered[rows, below], ordered[rows, np.minimum(below + 1, highest)]
    # A whole place needs no neighbour, which may be infinitely far or missing.
    part = place - below
    return np.asarray(np.where(part == 0, low, low + (high - low) * part))


def _new_year(years: Days) -> Days:
    return (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def _shifts(years: Days, means: Floats, latest: Days) -> Floats:
    """What to add to each of the `latest` years at each place (latest x places)."""
    shifts = np.full((len(latest), means.shape[1]), np.nan)
    if not len(years):
        return shifts
    known = ~np.isnan(means)
    # Places with the same years known share their weights, and there are few such groups.
    keys = np.ascontiguousarray(np.packbits(known, axis=0).T)
    _, group = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_inverse=True)
    for number in range(int(group.max()) + 1):
        columns = np.flatnonzero(group == number)
        rows = known[:, columns[0]]
        if rows.sum() > 1:
            weights = trend_weights(years[rows], np.append(latest, years[rows][-1] + 1))
            # Not `@`: for so few numbers, waking the threads of a BLAS takes longer than the sum.
            trend = np.einsum("ij,jk", weights, means[rows][:, columns])
            shifts[:, columns] = trend[-1] - trend[:-1]
    return shifts


def _variance(
    values: Floats, drift: Floats | None = None, place: npt.NDArray[np.intp] | None = None
) -> tuple[float, float]:
    """The `single` and the `shared` part of the variance of a share; see `Reference`.

    The days of a year hang together and years are taken not to, so the variance of the share
    below a threshold is the sum of the squares of what each year adds to it: the deviation of
    its own days and, by `drift` (one for each year that the trend is drawn from; `place` says
    which of them the rows of `values` are), what its chance weather does to the shift. The two
    parts are then fitted to the variances at a few thresholds.
    """
    known = ~np.isnan(values)
    n, years = int(known.sum()), len(values)
    if not n:
        return 1.0, 0.0
    near = np.clip(_SHARES + np.array([[0.0], [-0.05], [0.05]]), 0.01, 0.99)
    found = percentiles(values[known][None, :], 100 * near.ravel())
    thresholds, lower, upper = found.reshape(near.shape)
    density = (near[2] - near[1]) / np.maximum(upper - lower, 1e-9)
    ratios = []
    for threshold, slope in zip(thresholds, density, strict=True):
        below = np.where(known, (values < threshold) + 0.5 * (values == threshold), 0.0)
        p = below.sum() / n
        effect = (below.sum(axis=1) - p * known.sum(axis=1)) / n
        if drift is not None and place is not None:
            own, effect = effect, -slope * drift
            effect[place] += own
        ratios.append(np.sum(effect**2) * years / max(years - 1, 1) / (p * (1 - p)))
    return _parts(np.array(ratios), least=1 / n)


def _parts(ratios: Floats, *, least: float) -> tuple[float, float]:
    """`ratios` of the variance to p (1 - p) as single + shared x `_common`, by least squares."""
    common = _common(_SHARES)
    slope = np.cov(ratios, common)[0, 1] / np.var(common, ddof=1)
    single = ratios.mean() - slope * common.mean()
    if slope < 0:
        single, slope = ratios.mean(), 0.0
    elif single < least:
        single, slope = least, max(np.mean((ratios - least) / common), 0.0)
    return float(single), float(slope)


def _common(shares: Floats) -> Floats:
    """f(p)^2 / (p (1 - p)): how much a share feels what moves all values together."""
    from scipy.special import ndtri

    density = np.exp(-(ndtri(shares) ** 2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(density**2 / (shares * (1 - shares)))
