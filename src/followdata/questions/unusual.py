"""The question "now": how usual a temperature is for the time of year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np

from followdata.answer import Answer, Field, Scalar, Table, View
from followdata.core import seasons
from followdata.core.seasons import Days, Floats, Reference, Standing
from followdata.data import SeriesData
from followdata.errors import NothingToAnswer
from followdata.parameters import Date, Number
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    DAYS,
    FEWEST_TREND_YEARS,
    FEWEST_YEARS,
    RIBBON,
    STATION,
    Climate,
    Moment,
    degrees,
    fit_climate,
    iso,
    last_measured,
    local_time,
    located,
    measured_at,
    not_measured,
    notes_on_record,
    or_unknown,
    part_of_day,
    spoken,
    to_date,
    usual_fields,
    zone_of,
)

USUAL = (10.0, 90.0)
"""Percentiles between which a day is nothing unusual."""

LONG_AGO = 10
"""Earlier values on the same date that must be less extreme before a date is called the coldest
since some year."""

FORGOTTEN = timedelta(days=31)
"""How old the last of a record may be and still be looked at as the temperature of today."""

STALE = timedelta(hours=2)
"""How old an observation may be and still be called the present temperature."""


def now(
    data: SeriesData,
    fitted: Climate,
    *,
    station: Annotated[str, STATION],
    temperature: Annotated[
        float | None,
        Number(
            "The temperature to judge; without one, what was measured", -90, 60, "°C",
            title="What is it outside?",
        ),
    ] = None,
    at: Annotated[
        str | None,
        Date(
            "When, by the clocks there: a day, or a day and time. By default now, or when the "
            "last was measured",
            title="When",
            clock=True,
        ),
    ] = None,
    asked: Annotated[
        str | None,
        Date("When this is asked, if the temperature is to be that of then", hidden=True),
    ] = None,
) -> Answer:  # fmt: skip
    """Where `temperature` stands among those of the time of year, at its hour of the day.

    A temperature within 90 minutes of 06, 12 or 18 is compared with the observations at that
    hour, if the record has them for enough years; any other with the means of whole days.

    Table `now`: reference ("today": the last 60 years, brought to the climate at `at`;
    "all-years": every year before it, as it was; "daily-mean" and "daily-mean-today": the same with
    daily means, whatever the hour), percentile (0 to 100; the share that was colder, and half of
    what was equal), low and high (its 90 % band), n (how many values) and since (the first year,
    as text). Nothing from `at` or later is compared with. Table `year`: day, and the percentiles
    of the climate at `at`. What is not given is taken from the record: its last day that has a
    value, and the value of the day.

    Raises `NothingToAnswer` where too few years lie before `at`, `InvalidParameter` where the
    temperature is left to the record and the record has none.
    """
    moment = Moment.of(at, fitted.zone) if at else Moment(fitted.last())
    value = fitted.value(moment.day) if temperature is None else temperature
    if np.isnan(value):
        record = fitted.record()
        raise not_measured(iso(moment.day), iso(record.first), iso(fitted.last()))
    judged = _Judged.of(fitted, moment, value, _age(at, asked, fitted.zone))
    usual = judged.usual()
    return Answer(
        sentence=located(fitted.place, judged.sentence()),
        tables={"now": judged.table(), "year": usual},
        views=(judged.view(usual),),
        notes=tuple(judged.notes()),
    )


def presumed(data: SeriesData, given: Mapping[str, Any], now: datetime) -> dict[str, Scalar]:
    """What is asked, where the reader leaves it open: for `observed` of a story.

    A temperature is meant for now. Without one, the day and time that are given, or else the
    last of the record, are judged by what was measured then.

    Raises `InvalidParameter` where nothing was measured then.
    """
    station = str(
        STATION.read("station", given.get("station") or STATION.default("station", data), data)
    )
    zone = zone_of(data, station)
    clock = local_time(now, zone).isoformat(timespec="minutes")
    at = given.get("at")
    if given.get("temperature") not in (None, ""):
        return {} if at not in (None, "") else {"at": clock, "asked": clock}
    if at not in (None, ""):
        moment = Moment.of(str(Date().read("at", at, data)), zone)
        return {"temperature": measured_at(data, station, moment)}
    when, value = last_measured(data, station)
    recent = "T" in when and (_age(when, clock, zone) or FORGOTTEN) < FORGOTTEN
    asked: dict[str, Scalar] = {"asked": clock} if recent else {}
    return {"at": when, "temperature": value, **asked}


question = Question(
    name="now",
    title="Is {temperature} °C unusual on {at}?",
    words="How many days around this day of the year, or hours as this one, were colder, in "
    "today's climate and in all years of the record, and how well the record knows.",
    needs="series",
    fit=fit_climate,
    answer=now,
    version=3,
    fitted_as="climate",
)


def _age(at: str | None, asked: str | None, zone: str) -> timedelta | None:
    """How long ago `at` was when it was `asked`; `None` where nobody says when that was."""
    if not asked or not at:
        return None
    moments = [local_time(datetime.fromisoformat(text), zone) for text in (asked, at)]
    return moments[0] - moments[1]


@dataclass(frozen=True)
class _Compared:
    """A temperature among the values of a reference: its name, and what the values are."""

    name: str
    words: str
    reference: Reference
    standing: Standing


@dataclass(frozen=True)
class _Judged:
    """A temperature at a moment, and where it stands by each reference.

    `grain` is what it is compared with first: "days", or the hour. `today` is missing where the
    years before the day are too few for a trend. `age` is how old it was when it was asked about.
    """

    climate: Climate
    moment: Moment
    value: float
    age: timedelta | None
    grain: str
    day: int
    everything: _Compared
    today: _Compared | None
    others: tuple[_Compared, ...]

    @classmethod
    def of(cls, climate: Climate, moment: Moment, value: float, age: timedelta | None) -> _Judged:
        grain, day = DAYS, moment.day
        if moment.hour in climate.grains and _years_before(climate, moment) >= FEWEST_YEARS:
            grain, day = moment.hour, moment.hour_day
        now = age is not None or day > climate.last(grain)
        era = "today's climate" if now else "the climate of then"
        everything, today = _both(climate, grain, day, value, era)
        if everything is None:
            raise _too_few(climate, day)
        others: list[_Compared | None] = []
        if grain != DAYS:
            others = list(reversed(_both(climate, DAYS, moment.day, value, era, "daily-mean")))
        else:
            words = "whole days, which is the same here"
            others = [_Compared("daily-mean", words, everything.reference, everything.standing)]
        return cls(
            climate, moment, value, age, grain, day, everything, today,
            tuple(other for other in others if other is not None),
        )  # fmt: skip

    @property
    def main(self) -> _Compared:
        """What the sentence is about first."""
        return self.today or self.everything

    @property
    def cold(self) -> bool:
        return self.main.standing.percentile < 50

    @property
    def date(self) -> str:
        """The day without its year, "22 November"."""
        return spoken(self.moment.day)

    @property
    def year(self) -> int:
        return to_date(self.moment.day).year

    @property
    def present(self) -> bool:
        """Whether it is asked about as the temperature of the moment."""
        return self.age is not None or self.day > self.climate.last(self.grain)

    @property
    def observed(self) -> bool:
        """Whether the temperature is what the record itself has for the day."""
        return not self.present and self.climate.value(self.day, self.grain) == self.value

    @property
    def era(self) -> str:
        """What the climate is called that the day is compared with."""
        if self.present:
            return "today's climate"
        return "the climate of its time" if self.observed else f"the climate of {self.year}"

    @property
    def things(self) -> str:
        """What the values are that it is compared with."""
        if self.grain != DAYS:
            return part_of_day(self.grain, self.climate.zone, self.day)
        return "daily means" if self.moment.time else "days"

    def table(self) -> Table:
        rows = [row for row in (self.today, self.everything, *self.others) if row]
        standings = [row.standing for row in rows]
        return Table.of(
            (Field("reference", "Reference", code=True), [row.name for row in rows]),
            (Field("compared", "Compared with"), [row.words for row in rows]),
            (
                Field("percentile", "Percentile", decimals=1),
                [standing.percentile for standing in standings],
            ),
            (Field("low", "Band from", decimals=1), [standing.low for standing in standings]),
            (Field("high", "to", decimals=1), [standing.high for standing in standings]),
            (Field("n", "Values"), [row.reference.n for row in rows]),
            (Field("since", "Since"), [str(row.reference.years[0]) for row in rows]),
            title=f"{degrees(self.value)} among the temperatures around {self.date}",
        )

    def usual(self) -> Table:
        """The usual range of each day of the year."""
        days, percentiles = self.climate.normals(self.day, self.grain)
        kept = [field for field in usual_fields() if field.name in RIBBON.values()]
        columns = dict(zip((field.name for field in usual_fields()), percentiles.T, strict=True))
        return Table.of(
            (Field("day", "Day"), [iso(int(day)) for day in days]),
            *((field, columns[field.name].tolist()) for field in kept),
            title=f"The usual range of the {self._measured()} through the year in {self.era}",
        )

    def _measured(self) -> str:
        return "daily mean" if self.grain == DAYS else f"temperature at {self._hour()}"

    def view(self, usual: Table) -> View:
        here = usual.columns["day"].index(iso(self.day))
        low, middle, high = (or_unknown(usual.columns[name][here]) for name in ("p5", "p50", "p95"))
        return View(
            kind="ribbon",
            table="year",
            channels=RIBBON,
            title=f"{degrees(self.value)} on {self.date}, and the usual range of each day",
            description=f"A band for each day of the year in {self.era}, within which the "
            f"{self._measured()} lies on nine days of ten, and a darker one for every second day. "
            f"On {self.date} the band runs from {low} to {high} and its middle is {middle}; the "
            f"mark stands at {degrees(self.value)}.",
            options={
                "mark_x": iso(self.day),
                "mark_y": self.value,
                "mark_label": degrees(self.value),
            },
        )

    def sentence(self) -> str:
        reference, standing = self.main.reference, self.main.standing
        band = _range(self._share(standing.high), self._share(standing.low))
        usual = USUAL[0] < standing.percentile < USUAL[1]
        around = "that date" if usual or self.observed else self.date
        told = self._than(self.main, f"{self.things} around {around}")
        if self.today:
            told += f" in {self.era}"
        told += f" (since {reference.years[0]}; 90{wording.FIXED}% band {band})"
        if self.today:
            since = self.everything.reference.years[0]
            told += f", and {self._than(self.everything)} since {since}"
        if usual:
            when = "the time of year" if self.observed else self.date
            return f"{self._subject()} nothing unusual for {when}: {told}."
        # Where it is beyond all days around the date, it need not be said for the date itself.
        overall = self.everything.standing
        extreme = "" if self._share(overall.percentile) == 100 else self._since()
        return f"{self._subject()} {told}{extreme}."

    def _subject(self) -> str:
        at = f" at {self.moment.time}" if self.moment.time else ""
        if self.observed:
            return f"{self.date} {self.year}{at}, with {degrees(self.value)}, was"
        if self.age is not None and self.age > STALE:
            old = f"the last that was measured, {_ago(self.age)}"
            return f"{degrees(self.value)}{at} ({old}) is"
        return f"{degrees(self.value)}{at} is"

    def _than(self, compared: _Compared, days: str = "") -> str:
        """The share of `days`, or "of all", on the far side: "colder than 94 % of the days"."""
        word = "colder" if self.cold else "warmer"
        share = self._share(compared.standing.percentile)
        if share == 100:
            return f"{word} than all {wording.number(compared.reference.n)} {days}".rstrip()
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
        record = self.climate.record(self.grain)
        place = seasons.slots(np.array([self.day]))
        years = record.years[record.years < to_date(self.day).year]
        middles = seasons.centres(years, place)[:, 0]
        # In a common year the 29th of February falls on the 28th, which is another date.
        inside = (middles >= record.first) & (middles <= self.climate.last(self.grain))
        same = inside & (seasons.slots(middles) == place)
        return years[same], record.values[middles[same] - record.first]

    def notes(self) -> Iterator[str]:
        yield from self._certainty()
        yield from self._shift()
        yield from self._time()
        yield from self._old()
        yield from self._end()
        yield from notes_on_record(self.climate)
        yield from self._same_footing()

    def _certainty(self) -> Iterator[str]:
        reference, standing = self.main.reference, self.main.standing
        worth = reference.effective(standing.percentile / 100)
        trend = ", and the trend is known only so well" if self.today else ""
        yield (
            f"The band holds the true share in nine of ten such answers. The "
            f"{wording.count(reference.n, 'value', 'values')} of "
            f"{wording.count(len(reference.years), 'year', 'years')}, seven days before and seven "
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
        reference = self.today.reference
        shift = float(reference.shifts[0])
        way = "raised" if shift >= 0 else "lowered"
        spread = round(100 * (float(reference.ratios[0]) - 1))
        where = "closer to" if spread < 0 else "further from"
        drawn = f" and drawn {abs(spread)} % {where} their mean" if spread else ""
        what = "Today's climate" if self.present else "The climate of a day"
        yield (
            f"{what} is the {len(reference.years)} years before it, each brought along the "
            f"smoothed trends of its season: the days of {reference.years[0]} are {way} by "
            f"{degrees(abs(shift), decimals=1)}{drawn}. Nothing from the day itself or later is "
            "used."
        )

    def _time(self) -> Iterator[str]:
        if self.grain != DAYS:
            yield (
                f"It is compared with what was measured at {self._hour()}, the nearest hour that "
                "the record has every day."
            )
            return
        reading = ""
        if self.moment.time:
            hours = [hour for hour in self.climate.grains if hour != DAYS]
            none = f"no {' or '.join(hours)} o'clock lies within 90 minutes of it"
            why = none if hours else "the record has no hours"
            reading = f" {self.moment.time} is compared with them all the same, for {why}."
        yield (
            "It is compared with the means of whole days: at one time of day it can be several "
            f"degrees warmer or colder than that.{reading}"
        )

    def _hour(self) -> str:
        """The hour of the record, and what clocks show then, if that is something else."""
        if not self.climate.zone:
            return f"{self.grain}:00"
        when = to_date(self.day)
        moment = datetime(when.year, when.month, when.day, int(self.grain))
        local = self.climate.local(moment.replace(tzinfo=UTC)).strftime("%H:%M")
        same = local == f"{self.grain}:00"
        return f"{self.grain}:00 UTC" + ("" if same else f" ({local} by the clocks there)")

    def _old(self) -> Iterator[str]:
        if self.age is not None and self.age > STALE:
            yield (
                f"The observation is stale: it was made {_ago(self.age)}, and no newer one has "
                "come. Give the temperature yourself to judge that of the moment."
            )

    def _end(self) -> Iterator[str]:
        last = self.climate.last(self.grain)
        if self.day - last > 366:
            year = self.main.reference.years[-1] + 1
            yield (
                f"The record ends on {iso(last)}: what has come since is not compared with, and "
                f"today's climate is that of {year}."
            )

    def _same_footing(self) -> Iterator[str]:
        years, values = self._same_date()
        if unknown := int(np.count_nonzero(np.isnan(values))):
            yield (
                f"{self.date} itself has no value in {unknown} of the {len(years)} years before."
            )
        remarks = self.climate.remarks
        if remarks and remarks[-1][3] == iso(self.climate.last()) and not self.observed:
            yield "A temperature read elsewhere may not be on the same footing as the record."


def _both(
    climate: Climate, grain: str, day: int, value: float, era: str, name: str = ""
) -> tuple[_Compared | None, _Compared | None]:
    """A value among all years and in the climate of its day, `None` where there are too few."""
    record = climate.record(grain)
    things = "daily means" if grain == DAYS else part_of_day(grain, climate.zone, day)
    everything = seasons.all_years(record, day)
    if len(everything.years) < FEWEST_YEARS:
        return None, None
    overall = _Compared(
        name or "all-years",
        f"{things} of all years, as they were",
        everything,
        seasons.standing(everything, value),
    )
    today = seasons.climate_of_today(record, day)
    if len(today.years) < FEWEST_TREND_YEARS:
        return overall, None
    return overall, _Compared(
        f"{name}-today" if name else "today",
        f"{things} in {era}",
        today,
        seasons.standing(today, value),
    )


def _years_before(climate: Climate, moment: Moment) -> int:
    years = climate.record(moment.hour).years
    return int(np.count_nonzero(years < to_date(moment.hour_day).year))


def _too_few(climate: Climate, day: int) -> NothingToAnswer:
    record = climate.record()
    count = len(seasons.all_years(record, day).years)
    years = wording.count(count, "earlier year", "earlier years") if count else "no years"
    return NothingToAnswer(
        f"The record has {years} to compare {iso(day)} with, and {FEWEST_YEARS} are needed.",
        f"It runs from {iso(record.first)} to {iso(climate.last())}.",
    )


def _ago(age: timedelta) -> str:
    """How long ago, in the largest whole unit.

    >>> _ago(timedelta(hours=7, minutes=50)), _ago(timedelta(days=3))
    ('7\\xa0hours ago', '3\\xa0days ago')
    """
    hours = int(age.total_seconds() // 3600)
    if hours < 48:
        return f"{wording.count(hours, 'hour', 'hours')} ago"
    return f"{wording.count(hours // 24, 'day', 'days')} ago"


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
