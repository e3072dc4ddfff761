"""The question "trend": how the temperature of a date or a season has moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core import seasons
from followdata.core.seasons import Days, Floats, Record
from followdata.core.trend import FEWEST, Trend, linear_trend, smoothed
from followdata.data import SeriesData
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice, Date
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    ADJUSTED,
    STATION,
    daily,
    degrees,
    difference,
    located,
    number,
    place_of,
    series_of,
    spoken,
)

RECENT = 50
"""The latest years that are looked at by themselves."""

MONTHS = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
    "year": tuple(range(1, 13)),
}
DATE = "date"

_FULL = 0.9  # of its days that a season needs


@dataclass(frozen=True)
class Course:
    """A record day by day from `first` on, NaN where missing, and what was done to it.

    `place` is where it is from, "" where the data do not say.
    """

    place: str
    first: int
    values: Floats
    adjusted: bool
    remarks: list[str]

    @property
    def record(self) -> Record:
        return Record(self.first, self.values)


def fit_course(data: SeriesData, *, station: Annotated[str, STATION]) -> Course:
    """The daily means from which a trend can be read: those adjusted by the source, if any.

    Raises `NothingToAnswer` for a series that is not in °C, or is empty.
    """
    series = series_of(data, station)
    adjusted = ADJUSTED in series
    if adjusted:
        series = {"days": series[ADJUSTED]}
    days, values, flags = daily(series)
    known = ~np.isnan(values)
    parts = {part for flag in set(flags[known].tolist()) for part in flag.split("; ") if part}
    record = seasons.record(days, values)
    place = place_of(data, station)
    return Course(place, record.first, record.values, adjusted, sorted(parts))


def trend(
    data: SeriesData,
    fitted: Course,
    *,
    station: Annotated[str, STATION],
    season: Annotated[
        str, Choice("The days around the date, a season, or the whole year", (DATE, *MONTHS))
    ] = DATE,
    date: Annotated[str, Date("The day of the year, for the days around it")],
) -> Answer:
    """How the mean temperature of a season has moved from year to year.

    Table `trend`: period ("all", "recent"), since, slope (°C a decade), low and high (its 95 %
    interval), change (°C over the period), n (years) and effective (independent years they are
    worth). Table `years`: year, mean (°C), smooth, low and high (the band of the smooth course).

    Raises `NothingToAnswer` where too few years have the season.
    """
    years, means = (
        _around(fitted.record, number(date)) if season == DATE else _season(fitted.record, season)
    )
    known = ~np.isnan(means)
    if np.count_nonzero(known) < FEWEST:
        raise NothingToAnswer(
            f"{np.count_nonzero(known)} years of the record have the season, and {FEWEST} are "
            "needed."
        )
    years, means = years[known], means[known]
    periods = [_Period("all", int(years[0]), linear_trend(years, means), int(years[-1]))]
    recent = years > years[-1] - RECENT
    if not recent.all() and recent.sum() >= FEWEST:
        since = int(years[recent][0])
        found = linear_trend(years[recent], means[recent])
        periods.append(_Period("recent", since, found, int(years[-1])))
    smooth, reach = smoothed(years, means, years)
    what = f"the days around {spoken(number(date))}" if season == DATE else _NAMES[season]
    course = _course(years, means, smooth, reach, what)
    return Answer(
        sentence=located(fitted.place, _sentence(periods, what)),
        tables={"trend": _table(periods), "years": course},
        views=(_view(course, periods, what),),
        notes=tuple(_notes(fitted, periods, season)),
    )


question = Question(
    name="trend",
    title="How has the temperature moved?",
    words="The mean temperature of a season or of the days around a date, year by year, with its "
    "trend since the record began and in the last fifty years, and how well each is known.",
    needs="series",
    fit=fit_course,
    answer=trend,
)

_NAMES = {season: f"the {season}s" for season in ("winter", "spring", "summer", "autumn")} | {
    "year": "whole years"
}


@dataclass(frozen=True)
class _Period:
    """A trend over the years from `since` to `until`."""

    name: str
    since: int
    trend: Trend
    until: int

    @property
    def change(self) -> float:
        return self.trend.slope * (self.until - self.since)


def _around(record: Record, day: int) -> tuple[Days, Floats]:
    """The mean of the fifteen days around a day of the year, NaN where more than half lack."""
    middles = seasons.centres(record.years, seasons.slots(np.array([day])))[:, 0]
    values = record.windows(middles, record.first + len(record.values))
    return record.years, _means(values, seasons.WINDOW + 1)


def _season(record: Record, season: str) -> tuple[Days, Floats]:
    """The mean of a season, by the year in which it ends: a winter by that of its January."""
    days = record.first + np.arange(len(record.values))
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month = months % 12 + 1
    year = seasons.year_of(days) + ((month == 12) & (season == "winter"))
    first = int(record.years[0])
    count = len(record.years) + 1
    inside = np.isin(month, MONTHS[season])
    known = inside & ~np.isnan(record.values)
    sums = np.bincount(year[known] - first, record.values[known], minlength=count)
    there = np.bincount(year[known] - first, minlength=count)
    length = {"year": 365}.get(season, 90)
    means = np.where(there >= _FULL * length, sums / np.maximum(there, 1), np.nan)
    return np.arange(first, first + count), means


def _means(values: Floats, fewest: int) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    sums = np.where(known, values, 0).sum(axis=1)
    return np.where(count >= fewest, sums / np.maximum(count, 1), np.nan)


def _table(periods: list[_Period]) -> Table:
    rows = [(period, period.trend) for period in periods]
    return Table.of(
        (Field("period", "Period", code=True), [period.name for period, _ in rows]),
        (Field("since", "Since"), [str(period.since) for period, _ in rows]),
        (
            Field("slope", "Change a decade", "°C", decimals=2),
            [10 * trend.slope for _, trend in rows],
        ),
        (Field("low", "95 % interval from", "°C", decimals=2), [10 * t.low for _, t in rows]),
        (Field("high", "to", "°C", decimals=2), [10 * t.high for _, t in rows]),
        (Field("change", "Change in all", "°C", decimals=1), [p.change for p, _ in rows]),
        (Field("n", "Years"), [trend.n for _, trend in rows]),
        (Field("effective", "Worth", decimals=0), [trend.effective for _, trend in rows]),
        title="The trend, with its 95 % interval",
    )


def _course(years: Days, means: Floats, smooth: Floats, reach: Floats, what: str) -> Table:
    return Table.of(
        (Field("year", "Year"), [f"{year:04}" for year in years]),
        (Field("mean", "Mean", "°C", decimals=2), means.tolist()),
        (Field("smooth", "Smooth course", "°C", decimals=2), smooth.tolist()),
        (Field("low", "Band from", "°C", decimals=2), (smooth - reach).tolist()),
        (Field("high", "to", "°C", decimals=2), (smooth + reach).tolist()),
        title=f"The mean temperature of {what}",
    )


def _sentence(periods: list[_Period], what: str) -> str:
    whole, *recent = periods
    way = "warmer" if whole.change > 0 else "colder"
    sure = "" if whole.trend.low > 0 or whole.trend.high < 0 else ", which may be chance"
    told = (
        f"Since {whole.since} {what} have become {degrees(abs(whole.change), 1)} {way}: "
        f"{_rate(whole.trend)}{sure}"
    )
    if recent:
        told += f". Since {recent[0].since} it has been {_rate(recent[0].trend)}"
    return f"{told}."


def _rate(trend: Trend) -> str:
    low, high = (f"{10 * end:.2f}".replace("-", "−") for end in (trend.low, trend.high))
    return (
        f"{difference(10 * trend.slope, 2)} a decade (95{wording.FIXED}% interval {low} to {high})"
    )


def _view(course: Table, periods: list[_Period], what: str) -> View:
    first, last = course.columns["smooth"][0], course.columns["smooth"][-1]
    return View(
        kind="lines",
        table="years",
        channels={"x": "year", "y": "smooth", "low": "low", "high": "high", "dots": "mean"},
        title=f"The mean temperature of {what}, year by year",
        description=f"A dot for each year and a smooth line through them, with the band within "
        f"which it is known: it runs from {_of(first)} in {periods[0].since} to {_of(last)} in "
        f"{periods[0].until}.",
    )


def _of(value: Any) -> str:
    return degrees(float(value), 1)


def _notes(fitted: Course, periods: list[_Period], season: str) -> Iterator[str]:
    whole = periods[0].trend
    yield (
        f"The interval knows that years hang together: {whole.n} years are worth "
        f"{whole.effective:.0f} independent ones (what is left of a year goes on to the next with "
        f"a correlation of {whole.persistence:.2f}). A straight line need not be the truth: the "
        "smooth course follows the record without one."
    )
    if fitted.adjusted:
        yield (
            "The trend is that of the source's adjusted daily means, from which the warmth of the "
            "growing town and known changes of the thermometer are taken out."
        )
    elif fitted.remarks:
        marks = "; ".join(fitted.remarks[:6])
        yield f"A change of site or method can look like a trend. The source marks: {marks}."
    else:
        yield "The record is as it was measured: a growing town warms it as the climate does."
    if season == DATE:
        yield "Means are of fifteen days, seven before and seven after the date."
    elif season == "winter":
        yield "A winter is counted by the year of its January."
