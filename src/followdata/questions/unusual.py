"""The question "now": how usual a temperature is for the time of year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np

from followdata.answer import Answer, Field, Scalar, Table, View
from followdata.core import quality, seasons
from followdata.core.seasons import Days, Floats, Record, Reference, Standing
from followdata.data import SeriesData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Date, Number
from followdata.question import Question
from followdata.questions import wording

FEWEST_YEARS = 10
"""Years there must be before a day, for it to be compared with them."""

FEWEST_TREND_YEARS = 30
"""Years there must be for a trend, on which the climate of today rests."""

USUAL = (10.0, 90.0)
"""Percentiles between which a day is nothing unusual."""

LONG_AGO = 10
"""Earlier values on the same date that must be less extreme before a date is called the coldest
since some year."""

REFUSED = "refused, too far from the normal of the time of year"

_PERCENTS = np.array([5.0, 25.0, 50.0, 75.0, 95.0])
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Climate:
    """A daily record made ready: what is in `seasons.Record`, and what to say of its values.

    `missing` counts the days without a value by reason; `remarks` has, for each flag of values
    that are there, the flag, how many, and the first and the last day.
    """

    first: int
    values: Floats
    means: Floats
    missing: dict[str, int] = field(default_factory=dict)
    remarks: list[list[Any]] = field(default_factory=list)

    @property
    def record(self) -> Record:
        return Record(self.first, self.values, self.means)

    @property
    def last(self) -> int:
        return self.first + len(self.values) - 1

    def value(self, day: int) -> float:
        """The value of a day; NaN where there is none."""
        inside = self.first <= day <= self.last
        return float(self.values[day - self.first]) if inside else float("nan")


def fit_climate(data: SeriesData) -> Climate:
    """The record day by day, without values that cannot be, and the means of its seasons.

    Raises `NothingToAnswer` for a series that has not one value a day, is not in °C, or is empty.
    """
    days, values = _daily(data)
    flags = data.flags.astype(object)
    refused = quality.implausible(days, values)
    values = np.where(refused, np.nan, values)
    flags[refused] = REFUSED
    record = seasons.record(days, values)
    known = ~np.isnan(values)
    missing = Counter(flag or "without a value" for flag in flags[~known])
    if absent := len(record.values) - len(days):
        missing["not in the record"] = absent
    remarks = [
        [flag, len(marked), _iso(int(marked[0])), _iso(int(marked[-1]))]
        for flag in dict.fromkeys(flags[known])
        if flag and len(marked := days[known & (flags == flag)])
    ]
    remarks.sort(key=lambda remark: remark[3])
    return Climate(record.first, record.values, record.means, dict(missing), remarks)


def now(
    data: SeriesData,
    fitted: Climate,
    *,
    temperature: Annotated[
        float | None,
        Number("The temperature to judge; without one, what was measured", -90, 60, "°C"),
    ] = None,
    at: Annotated[
        str | None,
        Date("The day it is judged for; by default today, or the last measured if that is asked"),
    ] = None,
) -> Answer:
    """Where `temperature` stands among the days around the day of the year of `at`.

    Table `now`: reference ("today": the last 60 years, shifted to the climate at `at`;
    "all-years": every year before it, as it was), percentile (0 to 100; the share of days that
    were colder, and half of those that were equal), low and high (its 90 % band), n (how many
    days) and since (the first year, as text). Nothing from `at` or later is compared with. Table
    `year`: day, and the percentiles of the climate at `at`. What is not given is taken from the
    record: its last day that has a value, and the value of the day.

    Raises `NothingToAnswer` where too few years lie before `at`, `InvalidParameter` where the
    temperature is left to the record and the record has none.
    """
    day = _number(at[:10]) if at else _last_known(fitted.record)
    value = fitted.value(day) if temperature is None else temperature
    if np.isnan(value):
        raise _not_measured(_iso(day), _iso(fitted.first), _iso(fitted.last))
    judged = _Judged.of(fitted, day, value, _time_of_day(at))
    usual = judged.usual()
    return Answer(
        sentence=judged.sentence(),
        tables={"now": judged.table(), "year": usual},
        views=(judged.view(usual),),
        notes=tuple(judged.notes()),
    )


def presumed(data: SeriesData, given: Mapping[str, Any], now: datetime) -> dict[str, Scalar]:
    """What is asked, where the reader leaves it open: for `observed` of a story.

    A temperature is meant for today. Without one, the day that is given or else the last of the
    record is judged by what was measured then.

    Raises `InvalidParameter` where nothing was measured on the day that is given.
    """
    if given.get("temperature") not in (None, ""):
        return {"at": now.date().isoformat()}
    days, values = _daily(data)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        raise NothingToAnswer("The record holds no values.")
    if given.get("at") in (None, ""):
        place = int(known[-1])
        return {"at": _iso(int(days[place])), "temperature": float(values[place])}
    at = str(Date().read("at", given["at"], data))
    place = int(np.searchsorted(days[known], _number(at[:10])))
    if place == len(known) or days[known[place]] != _number(at[:10]):
        raise _not_measured(at[:10], _iso(int(days[0])), _iso(int(days[-1])))
    return {"at": at, "temperature": float(values[known[place]])}


question = Question(
    name="now",
    title="Is {temperature} °C unusual on {at}?",
    words="How many days around this day of the year were colder, in today's climate and in all "
    "years of the record, and how well the record knows.",
    needs="series",
    fit=fit_climate,
    answer=now,
)


@dataclass(frozen=True)
class _Judged:
    """A temperature on a day, and where it stands by each reference.

    `today` is missing where the years before the day are too few for a trend.
    """

    climate: Climate
    day: int
    value: float
    time: str
    everything: tuple[Reference, Standing]
    today: tuple[Reference, Standing] | None

    @classmethod
    def of(cls, climate: Climate, day: int, value: float, time: str) -> _Judged:
        record = climate.record
        everything = seasons.all_years(record, day)
        if len(everything.years) < FEWEST_YEARS:
            count = len(everything.years)
            years = wording.count(count, "earlier year", "earlier years") if count else "no years"
            raise NothingToAnswer(
                f"The record has {years} to compare {_iso(day)} with, and {FEWEST_YEARS} are "
                "needed.",
                f"It runs from {_iso(climate.first)} to {_iso(climate.last)}.",
            )
        today = seasons.climate_of_today(record, day)
        return cls(
            climate, day, value, time,
            (everything, seasons.standing(everything, value)),
            (today, seasons.standing(today, value)) if len(today.years) >= FEWEST_TREND_YEARS
            else None,
        )  # fmt: skip

    @property
    def main(self) -> tuple[Reference, Standing]:
        """What the sentence is about first."""
        return self.today or self.everything

    @property
    def cold(self) -> bool:
        return self.main[1].percentile < 50

    @property
    def date(self) -> str:
        """The day without its year, "22 November"."""
        day = _date(self.day)
        return f"{day.day} {_MONTHS[day.month - 1]}"

    @property
    def year(self) -> int:
        return _date(self.day).year

    @property
    def observed(self) -> bool:
        """Whether the temperature is what the record itself has for the day."""
        return self.climate.value(self.day) == self.value

    @property
    def past(self) -> bool:
        return self.day <= self.climate.last

    @property
    def era(self) -> str:
        """What the climate is called that the day is compared with."""
        if not self.past:
            return "today's climate"
        return "the climate of its time" if self.observed else f"the climate of {self.year}"

    def table(self) -> Table:
        named = {"today": self.today, "all-years": self.everything}
        rows = [(name, *found) for name, found in named.items() if found]
        standings = [standing for _, _, standing in rows]
        return Table.of(
            (Field("reference", "Compared with"), [name for name, _, _ in rows]),
            (
                Field("percentile", "Percentile", decimals=1),
                [standing.percentile for standing in standings],
            ),
            (Field("low", "Band from", decimals=1), [standing.low for standing in standings]),
            (Field("high", "to", decimals=1), [standing.high for standing in standings]),
            (Field("n", "Days"), [reference.n for _, reference, _ in rows]),
            (Field("since", "Since"), [str(reference.years[0]) for _, reference, _ in rows]),
            title=f"{_degrees(self.value)} among the days around {self.date}",
        )

    def usual(self) -> Table:
        """The usual range of each day of the year."""
        latest = seasons.TODAY_YEARS
        days, percentiles = seasons.normals(self.climate.record, self.day, _PERCENTS, latest=latest)
        fields = [
            Field(f"p{percent:.0f}", f"{percent:.0f} % are colder", "°C", decimals=1)
            for percent in _PERCENTS
        ]
        return Table.of(
            (Field("day", "Day"), [_iso(int(day)) for day in days]),
            *zip(fields, percentiles.T.tolist(), strict=True),
            title=f"The usual range of each day in {self.era}",
        )

    def view(self, usual: Table) -> View:
        here = usual.columns["day"].index(_iso(self.day))
        low, middle, high = (_usual(usual.columns[name][here]) for name in ("p5", "p50", "p95"))
        return View(
            kind="ribbon",
            table="year",
            channels={
                "x": "day",
                "mid": "p50",
                "low": "p5",
                "high": "p95",
                "inner_low": "p25",
                "inner_high": "p75",
            },
            title=f"{_degrees(self.value)} on {self.date}, and the usual range of each day",
            description=f"A band for each day of the year in {self.era}, within which nine days "
            f"of ten lie, and a darker one for every second day. On {self.date} the band runs "
            f"from {low} to {high} and its middle is {middle}; the mark stands at "
            f"{_degrees(self.value)}.",
            options={
                "mark_x": _iso(self.day),
                "mark_y": self.value,
                "mark_label": _degrees(self.value),
            },
        )

    def sentence(self) -> str:
        reference, standing = self.main
        everything, overall = self.everything
        band = _range(self._share(standing.high), self._share(standing.low))
        usual = USUAL[0] < standing.percentile < USUAL[1]
        around = "that date" if usual or self.observed else self.date
        told = self._than(reference, standing, f"days around {around}")
        if self.today:
            told += f" in {self.era}"
        told += f" (since {reference.years[0]}; 90{wording.FIXED}% band {band})"
        if self.today:
            told += f", and {self._than(everything, overall)} since {everything.years[0]}"
        if usual:
            when = "the time of year" if self.observed else self.date
            return f"{self._subject()} nothing unusual for {when}: {told}."
        # Where it is beyond all days around the date, it need not be said for the date itself.
        extreme = "" if self._share(overall.percentile) == 100 else self._since()
        return f"{self._subject()} {told}{extreme}."

    def _subject(self) -> str:
        if not self.observed:
            return f"{_degrees(self.value)} is"
        return f"{self.date} {self.year}, with {_degrees(self.value)}, was"

    def _than(self, reference: Reference, standing: Standing, days: str = "") -> str:
        """The share of `days`, or "of all", on the far side: "colder than 94 % of the days"."""
        word = "colder" if self.cold else "warmer"
        share = self._share(standing.percentile)
        if share == 100:
            return f"{word} than all {wording.number(reference.n)} {days}".rstrip()
        return f"{word} than {_share(share)} of {f'the {days}' if days else 'all'}"

    def _share(self, percentile: float) -> float:
        """How many days of a hundred lie on the far side of a percentile."""
        return 100 - percentile if self.cold else percentile

    def _since(self) -> str:
        """Since when no such value was measured on the same date, where that is long ago."""
        years, values = self._same_date()
        beyond = values <= self.value if self.cold else values >= self.value
        last = np.flatnonzero(beyond)
        later = values[last[-1] + 1 :] if len(last) else values
        if np.count_nonzero(~np.isnan(later)) < LONG_AGO:
            return ""
        word = "coldest" if self.cold else "warmest"
        if len(last):
            return f"; the {word} on this date since {years[last[-1]]}"
        return f"; the {word} on this date since the record began in {years[0]}"

    def _same_date(self) -> tuple[Days, Floats]:
        """The earlier years that have this date, and their values, NaN where missing."""
        record = self.climate.record
        place = seasons.slots(np.array([self.day]))
        years = record.years[record.years < self.year]
        middles = seasons.centres(years, place)[:, 0]
        # In a common year the 29th of February falls on the 28th, which is another date.
        inside = (middles >= record.first) & (middles <= self.climate.last)
        same = inside & (seasons.slots(middles) == place)
        return years[same], record.values[middles[same] - record.first]

    def notes(self) -> Iterator[str]:
        yield from self._certainty()
        yield from self._shift()
        yield from self._time()
        yield from self._end()
        yield from self._missing()
        yield from self._remarks()

    def _certainty(self) -> Iterator[str]:
        reference, standing = self.main
        worth = reference.effective(standing.percentile / 100)
        trend = ", and the trend is known only so well" if self.today else ""
        yield (
            f"The band holds the true share in nine of ten such answers. The "
            f"{wording.count(reference.n, 'day', 'days')} of "
            f"{wording.count(len(reference.years), 'year', 'years')}, seven before and seven "
            f"after the date, are worth about {worth:.0f} independent ones here: the days of one "
            f"year hang together{trend}."
        )

    def _shift(self) -> Iterator[str]:
        if not self.today:
            yield (
                f"Fewer than {FEWEST_TREND_YEARS} years lie before this day, too few for a trend, "
                "so it is compared with the earlier years as they were."
            )
            return
        reference, _ = self.today
        shift = float(reference.shifts[0])
        way = "raised" if shift >= 0 else "lowered"
        what = "Today's climate" if not self.past else "The climate of a day"
        yield (
            f"{what} is the {len(reference.years)} years before it, each shifted along the "
            f"smoothed trend of its season: the days of {reference.years[0]} are {way} by "
            f"{_degrees(abs(shift), decimals=1)}. Nothing from the day itself or later is used."
        )

    def _time(self) -> Iterator[str]:
        reading = f" The temperature at {self.time} is compared with them all the same." * bool(
            self.time
        )
        yield (
            "The record holds daily means: at one time of day it can be several degrees warmer or "
            f"colder than that.{reading}"
        )

    def _end(self) -> Iterator[str]:
        if self.day - self.climate.last > 366:
            year = self.main[0].years[-1] + 1
            yield (
                f"The record ends on {_iso(self.climate.last)}: what has come since is not "
                f"compared with, and today's climate is that of {year}."
            )

    def _missing(self) -> Iterator[str]:
        total, missing = len(self.climate.values), sum(self.climate.missing.values())
        span = f"from {_iso(self.climate.first)} to {_iso(self.climate.last)}"
        if not missing:
            yield f"All {wording.number(total)} days {span} have a value."
            return
        reasons = "; ".join(
            f"{wording.number(count)} {reason}" for reason, count in self.climate.missing.items()
        )
        yield (
            f"Of the {wording.number(total)} days {span}, "
            f"{wording.count(missing, 'has', 'have')} no value ({reasons}). None is filled in."
        )
        years, values = self._same_date()
        if unknown := int(np.count_nonzero(np.isnan(values))):
            yield (
                f"{self.date} itself has no value in {unknown} of the {len(years)} years before."
            )

    def _remarks(self) -> Iterator[str]:
        if self.climate.remarks:
            told = "; ".join(
                f"{wording.count(count, 'value', 'values')} from {first} to {last}: {flag}"
                for flag, count, first, last in self.climate.remarks
            )
            marked_last = self.climate.remarks[-1][3] == _iso(self.climate.last)
            elsewhere = " A temperature read elsewhere may not be on the same footing."
            yield f"The source marks {told}.{elsewhere * (marked_last and not self.observed)}"


def _daily(data: SeriesData) -> tuple[Days, Floats]:
    """The days and values of a series that has at most one value a day, in °C."""
    if data.about.unit not in ("", "°C"):
        raise NothingToAnswer(f"The record is in {data.about.unit}, and °C are needed.")
    days = data.times.astype("datetime64[D]").astype(np.int64)
    if not len(days) or np.any(np.diff(days) == 0):
        raise NothingToAnswer("A record of one value a day is needed.")
    return days, data.values


def _last_known(record: Record) -> int:
    known = np.flatnonzero(~np.isnan(record.values))
    if not len(known):
        raise NothingToAnswer("The record holds no values.")
    return record.first + int(known[-1])


def _not_measured(day: str, first: str, last: str) -> InvalidParameter:
    return InvalidParameter(
        "at",
        f"the record has no value for {day}.",
        f"It runs from {first} to {last}; give a temperature to judge, or another day.",
    )


def _time_of_day(at: str | None) -> str:
    return at[11:16] if at else ""


def _number(iso: str) -> int:
    return int(np.datetime64(iso).astype(np.int64))


def _iso(day: int) -> str:
    return _date(day).isoformat()


def _date(day: int) -> date:
    return date.fromordinal(day + date(1970, 1, 1).toordinal())


def _degrees(value: float, decimals: int | None = None) -> str:
    """A temperature as people write it; as exact as it is, if `decimals` do not round it."""
    text = f"{value:g}" if decimals is None else f"{value:.{decimals}f}"
    return f"{text.replace('-', '−')}{wording.FIXED}°C"


def _usual(value: Scalar) -> str:
    return _degrees(value, decimals=1) if isinstance(value, float) else "an unknown temperature"


def _share(percent: float) -> str:
    """A part of 100, to the tenth where all but a few are meant.

    >>> _share(93.6), _share(99.72), _share(99.99)
    ('94\\xa0%', '99.7\\xa0%', '99.9\\xa0%')
    """
    shown = f"{percent:.0f}" if percent <= 99 else f"{min(percent, 99.9):.1f}"
    return f"{shown}{wording.FIXED}%"


def _range(low: float, high: float) -> str:
    """ "91–97 %", with a decimal where whole numbers would not tell the ends apart."""
    low, high = min(low, high), max(low, high)
    decimals = 0 if round(low) != round(high) else 1
    return f"{low:.{decimals}f}–{high:.{decimals}f}{wording.FIXED}%"
