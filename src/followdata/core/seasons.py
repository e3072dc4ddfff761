"""How usual a value is for the time of year, from a record with one value a day.

A day is compared with the days around it in the calendar, seven before to seven after, in the
years before it. Days are whole numbers since 1970-01-01, as NumPy counts them; years are those
of the proleptic Gregorian calendar. A record of one hour of each day is a record too, so values
at a time of day can be compared by the same functions, each hour with its own record.

Two references are known. `all_years` takes every earlier year as it was. `climate_of_today`
takes the last 60 and brings each to where the climate is now: it shifts its days along the trend
of their season's mean, and draws them together or apart along the trend of its spread, since
winters have not only become warmer but vary less. Of the trends, as of the days, only what was
before the day asked about is used.
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
"""Half width, in years, of the kernel that smooths the trends."""

STEADY = 0.01
"""°C. A season that varies less than this is taken to vary by it, so that ratios exist."""

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
        return self.seasons(centres(self.years if years is None else years, places))[0]

    def seasons(self, middles: Days) -> tuple[Floats, Floats]:
        """The mean of the season around each day, and the spread of its days: their standard
        deviation from a straight line, since a season also runs from one to the next.

        Of the shape of `middles`; NaN where more than half of a season's days are missing.
        """
        middles = middles - self.first
        begin = np.clip(middles - SEASON, 0, len(self.values))
        end = np.clip(middles + SEASON + 1, 0, len(self.values))
        n, t, tt, x, xx, tx = (sums[end] - sums[begin] for sums in self._until)
        n = np.where(n > SEASON, n, np.nan)
        along = tx - t * x / n
        squares = xx - x * x / n - along * along / (tt - t * t / n)
        return x / n, np.sqrt(np.maximum(squares, 0.0) / (n - 2))

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
    def _until(self) -> Floats:
        """Sums over the values before each day: how many there are, their days and the squares of
        these, the values and their squares, and the products of both (6 x days + 1)."""
        known = ~np.isnan(self.values)
        # Counted from the first, so that what comes later changes nothing of what was before.
        days = np.where(known, np.arange(len(known), dtype=np.float64), 0.0)
        values = np.where(known, self.values, 0.0)
        parts = (known, days, days**2, values, values**2, days * values)
        sums = np.zeros((len(parts), len(known) + 1))
        for part, until in zip(parts, sums, strict=True):
            np.cumsum(part, out=until[1:])
        return sums


@dataclass(frozen=True)
class Reference:
    """What a value is compared with: `values` (years x days), NaN where missing; `shifts` is what
    was added to the middle of each year's, and `ratios` by what its deviations were multiplied.

    The share p of the climate that lies below a value is known from them with the variance
    p (1 - p) `single` + f(p)^2 `shared`, where f is the standard normal density at the quantile
    of p. The first part is as for independent values. The second is chance weather that days
    have in common: that of a spell, and that which the trends, if they were followed, have caught.
    """

    years: Days
    values: Floats
    shifts: Floats
    ratios: Floats
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
    shifts, ratios = np.zeros(int(known.sum())), np.ones(int(known.sum()))
    return Reference(years[known], values[known], shifts, ratios, *_variance(values[known]))


def climate_of_today(record: Record, day: int, *, latest: int = TODAY_YEARS) -> Reference:
    """The `latest` years before `day`, each brought to the climate of now.

    Where the record ends before `day`, today is the year after its last. The trend is a local
    linear regression of the season's means on the year with a tricube kernel (Cleveland 1979,
    Journal of the American Statistical Association 74:829), which goes on to its end without
    values from after it; spreads are followed by the kernel's mean of their logarithms. A value x
    of a year with the mean m and the spread s becomes M + (x - m) S / s, where M and S are those
    of today and all four are read from the trends. A year too far from others to have a trend is
    left out.
    """
    place = slots(np.array([day]))
    years = record.years[record.years < year_of(np.array([day]))[0]]
    found = np.stack(record.seasons(centres(years, place)[:, 0]))
    known = ~np.isnan(found[0])
    years, found = years[known], found[:, known]
    today = years[-1] + 1 if len(years) else 0
    # What lies further back than the kernel reaches does not touch the trends of these years.
    reached = years >= today - latest - TREND_YEARS
    years, means, spreads = years[reached], found[0, reached], _logarithms(found[1, reached])
    chosen = np.flatnonzero(years >= today - latest)
    weights = trend_weights(years, np.append(years, today))
    levels = level_weights(years, np.append(years, today))
    pull, draw = weights[-1] - weights[chosen], levels[-1] - levels[chosen]
    then, shifts, ratios = weights[chosen] @ means, pull @ means, np.exp(draw @ spreads)
    values = record.windows(centres(years[chosen], place)[:, 0], day)
    brought = _brought(values, then[:, None], shifts[:, None], ratios[:, None])
    known = ~np.isnan(brought).all(axis=1)
    chance = _Chance(
        _by_chance(pull[known], weights[:-1], means),
        _by_chance(draw[known], levels[:-1], spreads),
        float(weights[-1] @ means) if len(years) else 0.0,
        chosen[known],
    )
    variance = _variance(brought[known], chance)
    return Reference(years[chosen][known], brought[known], shifts[known], ratios[known], *variance)


def _by_chance(pull: Floats, weights: Floats, found: Floats) -> Floats:
    """What the chance in each year (`found`, in a trend by `weights`) does to what is brought to
    today by `pull` (brought x years), on average."""
    if not len(pull):
        return np.zeros(len(found))
    # A residual as it would be had the year not helped to draw the trend it is measured from.
    residuals = (found - weights @ found) / (1 - np.minimum(np.diag(weights), 0.9))
    mean = pull.mean(axis=0)
    return np.where(mean == 0, 0.0, mean * residuals)


def _logarithms(spreads: Floats) -> Floats:
    return np.log(np.maximum(spreads, STEADY))


def _brought(values: Floats, then: Floats, shifts: Floats, ratios: Floats) -> Floats:
    """Values of years whose mean was `then`, shifted and drawn together around their new mean."""
    return np.asarray((values - then) * ratios + (then + shifts))


def standing(reference: Reference, value: float, *, confidence: float = 0.9) -> Standing:
    """The percentile of `value` among the reference: the share of values below it, plus half of
    those equal to it (the mid-rank).

    The band is that of a proportion from clustered data (Korn and Graubard 1998, Survey
    Methodology 24:193): the exact binomial interval of Clopper and Pearson on the effective
    number of independent values, made smaller for being itself estimated from so many years.

    >>> values = np.array([[1.0], [2.0], [2.0], [3.0]])
    >>> few = Reference(np.arange(4), values, np.zeros(4), np.ones(4), single=0.25, shared=0.0)
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
    middles, *trends = _trends(record, year, places, before, latest)
    # Places first, so that all values that a day is compared with lie side by side.
    values = record.windows(middles.T, before)
    brought = _brought(values, *(trend.T[:, :, None] for trend in trends))
    return percentiles(brought.reshape(len(places), -1), percents)


def days_of_today(record: Record, year: int, places: Days, *, latest: int = TODAY_YEARS) -> Floats:
    """The `latest` years before `year`, each day brought to the climate of `year`.

    One value for each place of the calendar (years x places), NaN where missing.
    """
    before = int(_new_year(np.array([year]))[0]) + WINTER
    middles, *trends = _trends(record, year, places, before, latest)
    return _brought(record.windows(middles, before)[:, :, WINDOW], *trends)


def trend_weights(years: Days, at: Days) -> Floats:
    """The weights (at x years) with which the means of `years` make the trend at the years `at`.

    NaN where fewer than two of `years` are within reach.
    """
    kernel, apart = _kernel(years, at)
    tilted = kernel * apart
    s0, s1, s2 = (k.sum(axis=1, keepdims=True) for k in (kernel, tilted, tilted * apart))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((kernel * s2 - tilted * s1) / (s0 * s2 - s1 * s1))


def level_weights(years: Days, at: Days) -> Floats:
    """The weights (at x years) of a level that follows without running ahead: the mean of the
    years within reach, by the same kernel.

    A line through spreads, which are known less well than means, would overshoot at its end.
    """
    kernel, _ = _kernel(years, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def _kernel(years: Days, at: Days) -> tuple[Floats, Floats]:
    """The tricube kernel of `years` around each of `at`, and how far apart they are in it."""
    apart = (years[None, :] - at[:, None]) / TREND_YEARS
    size = np.abs(apart)
    kernel = np.clip(1 - size * size * size, 0, None)
    return kernel * kernel * kernel, apart


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


def _trends(
    record: Record, year: int, places: Days, before: int, latest: int
) -> tuple[Days, Floats, Floats, Floats]:
    """The days at `places` in the `latest` years before `year`; the mean of their season then,
    what is to be added to it to bring it to `year`, and by what its spread is to be multiplied.

    All are years x places, NaN where there is no trend; nothing from the day `before` on is used.
    """
    years = record.years[(record.years < year) & (record.years >= year - latest - TREND_YEARS)]
    middles = centres(years, places)
    means, spreads = record.seasons(middles)
    # At the turn of the year, part of last year's season may come after `before`.
    means[middles + SEASON >= before] = np.nan
    spreads = _logarithms(spreads)
    chosen = years[-latest:]
    then, shifts, ratios = np.full((3, len(chosen), len(places)), np.nan)
    known = ~np.isnan(means)
    # Places with the same years known share their weights, and there are few such groups.
    keys = np.ascontiguousarray(np.packbits(known, axis=0).T)
    _, group = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_inverse=True)
    for number in range(int(group.max()) + 1) if len(years) else ():
        columns = np.flatnonzero(group == number)
        rows = known[:, columns[0]]
        if rows.sum() > 1:
            at = np.append(chosen, years[rows][-1] + 1)
            # Not `@`: for so few numbers, waking the threads of a BLAS takes longer than the sum.
            mean, spread = (
                np.einsum("ij,jk", weights(years[rows], at), one[rows][:, columns])
                for weights, one in ((trend_weights, means), (level_weights, spreads))
            )
            then[:, columns], shifts[:, columns] = mean[:-1], mean[-1] - mean[:-1]
            ratios[:, columns] = np.exp(spread[-1] - spread[:-1])
    return middles[-latest:], then, shifts, ratios


@dataclass(frozen=True)
class _Chance:
    """What the chance weather of each year that the trends are drawn from does to the values that
    were brought to today: it moves them by `drift` and stretches them around `centre` by the part
    `stretch`. `place` says which of those years the rows of the values are."""

    drift: Floats
    stretch: Floats
    centre: float
    place: npt.NDArray[np.intp]


def _variance(values: Floats, chance: _Chance | None = None) -> tuple[float, float]:
    """The `single` and the `shared` part of the variance of a share; see `Reference`.

    The days of a year hang together and years are taken not to, so the variance of the share
    below a threshold is the sum of the squares of what each year adds to it: the deviation of
    its own days and what its chance weather does to all others through the trends. The two parts
    are then fitted to the variances at a few thresholds.
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
        if chance is not None:
            moved = chance.drift + (threshold - chance.centre) * chance.stretch
            own, effect = effect, -slope * moved
            effect[chance.place] += own
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
