"""A station's temperatures made ready for questions about the time of year.

The data are one series of daily or hourly temperatures, or several series with the labels
`station` and `grain`: the daily means, those adjusted by the source, and the observations. Where
there are no daily means they are worked out from the observations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from followdata.answer import Field, Scalar
from followdata.core import quality, seasons
from followdata.core.days import daily_means
from followdata.core.seasons import Days, Floats, Record
from followdata.data import SeriesData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Series
from followdata.questions import wording

DAYS, ADJUSTED, HOURS = "days", "adjusted", "hours"
"""What a series of a station can be: its label `grain`."""

MAIN_HOURS = (6, 12, 18)
"""Hours (UTC, or of the clocks of a place whose zone is not known) that are compared."""

NEAR = timedelta(minutes=90)
"""How far from one of them a time may be and still be compared with it."""

EXACT = 15
"""Minutes around a full hour within which an observation is of that hour."""

REGULAR = 180
"""Days of a year that must have an observation at an hour, for the year to be of its record."""

LONG_GAP = 10
"""Years without an hour after which its record begins anew."""

FEWEST_YEARS = 10
"""Years there must be before a day, for it to be compared with them."""

FEWEST_TREND_YEARS = 30
"""Years there must be for a trend, on which the climate of today rests."""

REFUSED = "refused, too far from the normal of the time of year"
FEW = "too few observations in the day"
MENDED = "from fewer observations than other days, corrected for the season"
OTHER_HOURS = "from observations at other hours than other days"

PERCENTS = np.array([5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0])
"""The percentiles of each day of the year that are kept."""

STATION = Series("Which station; by default the first of the data", by="station")
"""The parameter that all these questions take."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


# Up to which hour of its clocks a part of the day goes.
_PARTS = (
    (4, "nights"),
    (11, "mornings"),
    (15, "middays"),
    (18, "afternoons"),
    (23, "evenings"),
    (24, "nights"),
)


@dataclass(frozen=True)
class Climate:
    """A station's records, day by day without a gap, and what to say of them.

    `place` is what the station is called, `zone` that of its clocks, "" where the data do not say.
    `grains` are "days" and those of the hours "06", "12" and "18" that have enough years; `values`
    (grains x days) begin on `first` and are NaN where missing. `usual` (grains x 2 x 366 x
    percentiles) are `PERCENTS` of each place of the calendar in the climate of the record's last
    year and of the year after it. `missing` counts the days without a mean by reason; `remarks` has
    for each flag of values that are there the flag, how many, the first day and the last.
    """

    place: str
    zone: str
    first: int
    grains: list[str]
    values: Floats
    usual: Floats
    missing: dict[str, int] = field(default_factory=dict)
    remarks: list[list[Any]] = field(default_factory=list)

    @cached_property
    def _records(self) -> dict[str, Record]:
        return {
            grain: _trimmed(self.first, row)
            for grain, row in zip(self.grains, self.values, strict=True)
        }

    def record(self, grain: str = DAYS) -> Record:
        """The record of one grain, from its first value to its last."""
        return self._records[grain]

    def value(self, day: int, grain: str = DAYS) -> float:
        """The value of a day; NaN where there is none."""
        record = self.record(grain)
        inside = record.first <= day < record.first + len(record.values)
        return float(record.values[day - record.first]) if inside else float("nan")

    def last(self, grain: str = DAYS) -> int:
        """The last day that has a value."""
        record = self.record(grain)
        return record.first + len(record.values) - 1

    def normals(self, day: int, grain: str = DAYS) -> tuple[Days, Floats]:
        """The days of the year of `day`, and `PERCENTS` of each in the climate of then."""
        record = self.record(grain)
        year = seasons.year_of(np.array([day]))
        last = seasons.year_of(np.array([self.last(grain)]))[0]
        early = seasons.slots(np.array([day]))[0] <= seasons.WINTER
        if year[0] < last or (year[0] == last and early):
            return seasons.normals(record, day, PERCENTS)
        days = days_of(int(year[0]))
        later = int(year[0] > last)
        return days, self.usual[self.grains.index(grain), later][seasons.slots(days)]

    def local(self, moment: datetime) -> datetime:
        """A moment in UTC as the clocks of the station show it, without its offset."""
        from zoneinfo import ZoneInfo

        zone = ZoneInfo(self.zone) if self.zone else UTC
        return moment.astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Moment:
    """A day, and a time of it if one was given, by the clocks of a station.

    `clock` is the same time by the record's clock, UTC where the station's zone is known.
    """

    day: int
    time: str = ""
    clock: datetime | None = None

    @classmethod
    def of(cls, iso: str, zone: str) -> Moment:
        """Read "2026-11-22", "2026-11-22T18:00" (local) or "2026-11-22T17:00+00:00"."""
        if len(iso) <= len("2026-11-22"):
            return cls(number(iso))
        moment = datetime.fromisoformat(iso)
        local = local_time(moment, zone)
        return cls(
            number(local.date().isoformat()), local.strftime("%H:%M"), clock_time(moment, zone)
        )

    @property
    def hour(self) -> str:
        """The main hour that is near enough to be compared, such as "18"; "" if none is."""
        if self.clock is None:
            return ""
        apart = {
            hour: abs(self.clock - self.clock.replace(hour=hour, minute=0)) for hour in MAIN_HOURS
        }
        nearest = min(apart, key=apart.__getitem__)
        return f"{nearest:02}" if apart[nearest] <= NEAR else ""

    @property
    def hour_day(self) -> int:
        """The day of that hour, by the record's clock."""
        assert self.clock is not None
        return number(self.clock.date().isoformat())


def fit_climate(data: SeriesData, *, station: Annotated[str, STATION]) -> Climate:
    """The records of a station without values that cannot be, and their usual range.

    Raises `NothingToAnswer` for a series that is not in °C, or is empty.
    """
    series = series_of(data, station)
    days, values, flags = daily(series)
    refused = quality.implausible(days, values)
    values = np.where(refused, np.nan, values)
    flags[refused] = REFUSED
    found = {DAYS: (days, values)}
    if HOURS in series:
        found |= at_main_hours(series[HOURS])
    place, zone = place_of(data, station), zone_of(data, station)
    return _made_ready(place, zone, found, _flagged(days, values, flags))


def series_of(data: SeriesData, station: str) -> dict[str, SeriesData]:
    """The series of a station by grain; a series without labels is told by its times."""
    labels = data.labels()
    if "station" not in labels or "grain" not in labels:
        one = data.one(station)
        days = one.times.astype("datetime64[D]").astype(np.int64)
        return {HOURS if np.any(np.diff(days) == 0) else DAYS: one}
    names = data.names("series").names
    return {
        grain: data.one(name)
        for name, owner, grain in zip(names, labels["station"], labels["grain"], strict=True)
        if owner == station
    }


def label_of(data: SeriesData, station: str, label: str) -> str:
    """What a label says of a station; "" where there is none."""
    labels = data.labels()
    if label not in labels or "station" not in labels:
        return ""
    return str(labels[label][labels["station"].tolist().index(station)])


def place_of(data: SeriesData, station: str) -> str:
    """What the place is called in a sentence; "" where the data are one series of nowhere."""
    return station if "station" in data.labels() else ""


def zone_of(data: SeriesData, station: str) -> str:
    """The time zone of a station's clocks; "" where times in its record are what they say."""
    return label_of(data, station, "zone")


def daily(series: Mapping[str, SeriesData]) -> tuple[Days, Floats, npt.NDArray[np.object_]]:
    """Days, means (°C) and flags of a station: the source's own, else from its observations."""
    for one in series.values():
        if one.about.unit not in ("", "°C"):
            raise NothingToAnswer(f"The record is in {one.about.unit}, and °C are needed.")
    if DAYS in series:
        one = series[DAYS]
        found = (_day_numbers(one), one.values.copy(), one.flags.astype(object))
    elif HOURS in series:
        found = _worked_out(series[HOURS])
    else:
        raise NothingToAnswer("A record of daily or hourly temperatures is needed.")
    days = found[0]
    if not len(days) or np.any(np.diff(days) == 0) or np.isnan(found[1]).all():
        raise NothingToAnswer("The record holds no values.")
    if DAYS in series and HOURS in series:
        return _filled(found, _worked_out(series[HOURS]))
    return found


def _worked_out(hours: SeriesData) -> tuple[Days, Floats, npt.NDArray[np.object_]]:
    minutes = hours.times.astype("datetime64[m]").astype(np.int64)
    known = ~np.isnan(hours.values)
    found = daily_means(minutes[known] / 60, hours.values[known])
    how = np.full(len(found.days), "", dtype=object)
    how[np.isnan(found.learnt)] = OTHER_HOURS
    how[np.nan_to_num(found.learnt) != 0] = MENDED
    how[np.isnan(found.means)] = FEW
    _, first = np.unique(minutes[known] // (24 * 60), return_index=True)
    where = hours.flags[known][first]
    both = [
        f"{a}; {b}" if a and b and a != FEW else a or b
        for a, b in zip(how, where.tolist(), strict=True)
    ]
    return found.days, np.round(found.means, 2), np.array(both, dtype=object)


Daily = tuple[Days, Floats, npt.NDArray[np.object_]]


def _filled(own: Daily, made: Daily) -> Daily:
    """The source's own means, and those worked out for days before its first and after its last.

    Only there: within its record the source has its reasons for a gap, and what was worked out
    from a few observations is not on the same footing.
    """
    parts = []
    for outside in (made[0] < own[0][0], made[0] > own[0][-1]):
        kept = outside & ~np.isnan(made[1])
        flags = [f"worked out from observations; {flag}".removesuffix("; ") for flag in made[2]]
        parts.append((made[0][kept], made[1][kept], np.array(flags, dtype=object)[kept]))
    before, after = parts
    days, values, words = (np.concatenate(three) for three in zip(before, own, after, strict=True))
    return days, values, words


def at_main_hours(hours: SeriesData) -> dict[str, tuple[Days, Floats]]:
    """The values at each of `MAIN_HOURS` that has enough years, as days and values."""
    minutes = hours.times.astype("datetime64[m]").astype(np.int64)
    days, clock = np.divmod(minutes, 24 * 60)
    found = {}
    for hour in MAIN_HOURS:
        apart = np.abs(clock - 60 * hour)
        here = np.flatnonzero((apart <= EXACT) & ~np.isnan(hours.values))
        if not len(here):
            continue
        # Of several within the quarter of an hour, the one nearest to the full hour.
        here = here[np.lexsort([apart[here], days[here]])]
        here = here[np.append(True, np.diff(days[here]) > 0)]
        values = hours.values[here]
        values = np.where(quality.implausible(days[here], values), np.nan, values)
        years, often = np.unique(seasons.year_of(days[here]), return_counts=True)
        years = years[often >= REGULAR]
        if not len(years):
            continue
        # What lies before a long stretch without the hour was measured in another way.
        breaks = np.flatnonzero(np.diff(years) > LONG_GAP)
        first = years[breaks[-1] + 1] if len(breaks) else years[0]
        late = days[here] >= days_of(int(first))[0]
        if np.count_nonzero(years >= first) >= FEWEST_YEARS:
            found[f"{hour:02}"] = (days[here][late], values[late])
    return found


def _made_ready(
    place: str,
    zone: str,
    found: Mapping[str, tuple[Days, Floats]],
    told: tuple[dict[str, int], list[list[Any]]],
) -> Climate:
    first = min(int(days[0]) for days, _ in found.values())
    last = max(int(days[-1]) for days, _ in found.values())
    values = np.full((len(found), last - first + 1), np.nan)
    usual = np.full((len(found), 2, seasons.SLOTS, len(PERCENTS)), np.nan)
    for row, (days, of_days) in enumerate(found.values()):
        values[row, days - first] = of_days
        record = _trimmed(first, values[row])
        for later in (0, 1) if len(record.values) else ():
            year = int(record.years[-1]) + later
            usual[row, later] = seasons.calendar_normals(record, year, PERCENTS)
    return Climate(place, zone, first, list(found), values, usual, *told)


def _trimmed(first: int, values: Floats) -> Record:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return Record(first, values[:0])
    return Record(first + int(known[0]), values[known[0] : known[-1] + 1])


def _flagged(
    days: Days, values: Floats, flags: npt.NDArray[np.object_]
) -> tuple[dict[str, int], list[list[Any]]]:
    """The days without a value by reason, and what is to be said of the others."""
    known = ~np.isnan(values)
    missing = Counter(flag or "without a value" for flag in flags[~known])
    if absent := int(days[-1] - days[0]) + 1 - len(days):
        missing["not in the record"] = absent
    places: dict[str, list[npt.NDArray[np.int64]]] = {}
    for flag in dict.fromkeys(flags[known].tolist()):
        for part in flag.split("; "):
            if part:
                places.setdefault(part, []).append(days[known & (flags == flag)])
    remarks = []
    for part, found in places.items():
        marked = np.concatenate(found)
        remarks.append([part, len(marked), iso(int(marked.min())), iso(int(marked.max()))])
    remarks.sort(key=lambda remark: str(remark[3]))
    return dict(missing), remarks


def _day_numbers(series: SeriesData) -> Days:
    return series.times.astype("datetime64[D]").astype(np.int64)


# What was measured


def measured_at(data: SeriesData, station: str, moment: Moment) -> float:
    """What was measured at a moment: the nearest observation, else the mean of the day.

    Raises `InvalidParameter` where nothing was.
    """
    series = series_of(data, station)
    if moment.clock is not None and HOURS in series:
        hours = series[HOURS]
        known = np.flatnonzero(~np.isnan(hours.values))
        wanted = np.datetime64(moment.clock, "m")
        apart = np.abs((hours.times[known].astype("datetime64[m]") - wanted).astype(np.int64))
        if len(apart) and apart.min() * 60 <= NEAR.total_seconds():
            return float(hours.values[known[int(np.argmin(apart))]])
    days, values, _ = daily(series)
    place = int(np.searchsorted(days, moment.day))
    if place == len(days) or days[place] != moment.day or np.isnan(values[place]):
        raise not_measured(iso(moment.day), iso(int(days[0])), iso(int(days[-1])))
    return float(values[place])


def last_measured(data: SeriesData, station: str) -> tuple[str, float]:
    """When the last value of a station is of (local, ISO 8601), and the value.

    An observation, where there are any that are not older than the last daily mean.
    """
    series = series_of(data, station)
    found: list[tuple[str, float, np.datetime64]] = []
    for grain in (HOURS, DAYS):
        if grain in series:
            one = series[grain]
            known = np.flatnonzero(~np.isnan(one.values))
            if len(known):
                time = one.times[known[-1]]
                found.append((_written(time, grain, data, station), float(one.values[known[-1]]),
                              time.astype("datetime64[D]")))  # fmt: skip
    if not found:
        raise NothingToAnswer("The record holds no values.")
    when, value, _ = max(found, key=lambda one: one[2])
    return when, value


def _written(time: np.datetime64, grain: str, data: SeriesData, station: str) -> str:
    if grain == DAYS:
        return str(time.astype("datetime64[D]"))
    zone = zone_of(data, station)
    moment: datetime = time.astype("datetime64[m]").astype(object)
    local = local_time(moment.replace(tzinfo=UTC), zone) if zone else moment
    return local.isoformat(timespec="minutes")


def not_measured(day: str, first: str, last: str) -> InvalidParameter:
    """That the record has nothing for a day."""
    return InvalidParameter(
        "at",
        f"the record has no value for {day}.",
        f"It runs from {first} to {last}; give a temperature to judge, or another day.",
    )


# Clocks


def local_time(moment: datetime, zone: str) -> datetime:
    """A moment by the clocks of a place; one without an offset is taken to be just that."""
    from zoneinfo import ZoneInfo

    if moment.tzinfo is None:
        return moment
    return moment.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)


def clock_time(moment: datetime, zone: str) -> datetime:
    """A moment by the clock of the record: UTC, or that of the place where its zone is unknown."""
    from zoneinfo import ZoneInfo

    if not zone:
        return local_time(moment, "")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC).replace(tzinfo=None)


# Days and words


def number(day: str) -> int:
    """The number of an ISO date."""
    return int(np.datetime64(day[:10]).astype(np.int64))


def iso(day: int) -> str:
    """A numbered day as ISO 8601 has it."""
    return to_date(day).isoformat()


def to_date(day: int) -> date:
    """A numbered day as a date."""
    return date.fromordinal(day + date(1970, 1, 1).toordinal())


def days_of(year: int) -> Days:
    """The numbers of the days of a year."""
    return np.arange(*(number(f"{y:04}-01-01") for y in (year, year + 1)))


def spoken(day: int) -> str:
    """The day without its year.

    >>> spoken(number("2026-11-22"))
    '22 November'
    """
    when = to_date(day)
    return f"{when.day} {_MONTHS[when.month - 1]}"


def month_name(month: int) -> str:
    """The name of a month, counted from 1."""
    return _MONTHS[month - 1]


def located(place: str, sentence: str) -> str:
    """A sentence with its place before it.

    >>> located("Lund", "The coldest day ..."), located("", "It was 3 °C.")
    ('Lund: The coldest day ...', 'It was 3 °C.')
    """
    return f"{place}: {sentence}" if place else sentence


def degrees(value: float, decimals: int | None = None) -> str:
    """A temperature as people write it; as exact as it is, if `decimals` do not round it."""
    text = f"{value:g}" if decimals is None else f"{value:.{decimals}f}"
    return f"{text.replace('-', '−')}{wording.FIXED}°C"


def difference(value: float, decimals: int = 1) -> str:
    """A change in temperature, with its sign."""
    return f"{value:+.{decimals}f}".replace("-", "−") + f"{wording.FIXED}°C"


def or_unknown(value: Scalar) -> str:
    """A temperature of a table, to the tenth."""
    return degrees(value, 1) if isinstance(value, float) else "an unknown temperature"


def usual_fields() -> list[Field]:
    """The columns that `PERCENTS` stand in: p5, p10, ..."""
    return [
        Field(f"p{percent:.0f}", f"{percent:.0f} % are colder", "°C", decimals=1)
        for percent in PERCENTS
    ]


RIBBON = {
    "x": "day",
    "mid": "p50",
    "low": "p5",
    "high": "p95",
    "inner_low": "p25",
    "inner_high": "p75",
}
"""The channels of a ribbon of `usual_fields`."""


def part_of_day(hour: str, zone: str, day: int) -> str:
    """What the temperatures at a main hour are called: "evenings"."""
    if not zone:
        local = int(hour)
    else:
        when = to_date(day)
        moment = datetime(when.year, when.month, when.day, int(hour), tzinfo=UTC)
        local = local_time(moment, zone).hour
    return next(name for until, name in _PARTS if local < until)


def notes_on_record(climate: Climate) -> Iterator[str]:
    """What is missing in the daily record, and what its source says of values that are there."""
    record = climate.record()
    total, missing = len(record.values), sum(climate.missing.values())
    span = f"from {iso(record.first)} to {iso(climate.last())}"
    if not missing:
        yield f"All {wording.number(total)} days {span} have a value."
    else:
        reasons = "; ".join(
            f"{wording.number(count)} {reason}" for reason, count in climate.missing.items()
        )
        yield (
            f"Of the {wording.number(total)} days {span}, "
            f"{wording.count(missing, 'has', 'have')} no value ({reasons}). None is filled in."
        )
    if climate.remarks:
        told = "; ".join(
            f"{wording.count(count, 'value', 'values')} from {first} to {last}: {flag}"
            for flag, count, first, last in climate.remarks
        )
        yield f"The source marks {told}."
