"""The question "stations": how unusual it is at each station of the data, at one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Scalar, Table, View, listing
from followdata.core import quality, seasons
from followdata.core.seasons import Floats, Record, Reference, Standing
from followdata.data import SeriesData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.names import NameIndex
from followdata.parameters import Date, Text
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.thermometer import (
    DAYS,
    FEWEST_TREND_YEARS,
    FEWEST_YEARS,
    HOURS,
    STATION,
    Moment,
    at_main_hours,
    daily,
    degrees,
    label_of,
    last_measured,
    part_of_day,
    series_of,
    zone_of,
)

LATE = timedelta(hours=2)
"""Readings that are so much older than the newest are not set beside it."""


@dataclass(frozen=True)
class Stations:
    """The records of several stations, one after another in `values`.

    `names`, `zones`, `latitude` and `longitude` (NaN where not known) are by station; `owner` and
    `grain` say of each record whose it is and of what ("days", "06", ...), `first` its first day
    and `length` its days.
    """

    names: list[str]
    zones: list[str]
    latitude: Floats
    longitude: Floats
    owner: list[int]
    grain: list[str]
    first: list[int]
    length: list[int]
    values: Floats

    @cached_property
    def records(self) -> dict[tuple[int, str], Record]:
        """Each station's records by grain."""
        ends = np.cumsum(self.length)
        return {
            (owner, grain): Record(first, self.values[end - length : end])
            for owner, grain, first, length, end in zip(
                self.owner, self.grain, self.first, self.length, ends, strict=True
            )
        }


def fit_stations(data: SeriesData) -> Stations:
    """The records of all stations of the data, without values that cannot be."""
    names = list(_index(data).names)
    owner: list[int] = []
    grain: list[str] = []
    first: list[int] = []
    values: list[Floats] = []
    places = [
        np.array([_number(label_of(data, name, label)) for name in names])
        for label in ("latitude", "longitude")
    ]
    for number, name in enumerate(names):
        series = series_of(data, name)
        days, means, _ = daily(series)
        means = np.where(quality.implausible(days, means), np.nan, means)
        found = {DAYS: (days, means)}
        if HOURS in series:
            found |= at_main_hours(series[HOURS])
        for of, (at, numbers) in found.items():
            record = seasons.record(at, numbers)
            owner.append(number)
            grain.append(of)
            first.append(record.first)
            values.append(record.values)
    return Stations(
        names,
        [zone_of(data, name) for name in names],
        places[0],
        places[1],
        owner,
        grain,
        first,
        [len(one) for one in values],
        np.concatenate(values),
    )


def stations(
    data: SeriesData,
    fitted: Stations,
    *,
    at: Annotated[
        str, Date("When; a time is by the clocks of each station", clock=True, title="When")
    ],
    readings: Annotated[
        str | None,
        Text("What was read where, as “Lund=-3.1; Falun=-8”; by default what the records have",
             longest=20_000, hidden=True),
    ] = None,
) -> Answer:  # fmt: skip
    """Where the temperature of each station stands at `at`, in the climate of then.

    A time within 90 minutes of 06, 12 or 18 is compared with the observations at that hour, any
    other with the means of whole days. Table `stations`, the most unusual first: station, value
    (°C), compared, percentile, low, high, n, since, latitude, longitude.

    Raises `NothingToAnswer` where no station has a value and enough years before it.
    """
    given = _read(readings, data)
    judged = {
        name: _judge(fitted, number, Moment.of(at, fitted.zones[number]), given)
        for number, name in enumerate(fitted.names)
    }
    found = [one for one in judged.values() if one is not None]
    silent = [name for name, one in judged.items() if one is None]
    if not found:
        raise NothingToAnswer(
            f"No station of the data has a temperature at {at} and {FEWEST_YEARS} years before it.",
            "Choose another time, or fetch again.",
        )
    found.sort(key=lambda one: -abs(one.standing.percentile - 50))
    table = _table(found, at)
    return Answer(
        sentence=_sentence(found, at),
        tables={"stations": table},
        views=tuple(_views(table, found)),
        notes=tuple(_notes(found, silent, given)),
    )


def presumed(data: SeriesData) -> dict[str, Scalar]:
    """The last time at which at least half as many stations measured as ever did together."""
    last = {}
    spans = []
    for name in _index(data).names:
        try:
            when, _ = last_measured(data, name)
        except NothingToAnswer:
            continue
        first = min(str(one.times[0])[:10] for one in series_of(data, name).values())
        last[name] = when
        spans.append((first, when))
    if not last:
        raise NothingToAnswer("The records hold no values.")
    together = {at: sum(a <= at <= b for a, b in spans) for at in last.values()}
    most = max(together.values())
    return {"at": max(at for at, count in together.items() if 2 * count >= most)}


def handed_in(
    data: SeriesData, observed: Mapping[str, tuple[datetime, float]]
) -> dict[str, Scalar]:
    """The latest readings, by station, as parameters; those that are late are left out."""
    if not observed:
        return presumed(data)
    newest = max(time for time, _ in observed.values())
    told = [
        f"{name}={value:g}" for name, (time, value) in observed.items() if newest - time <= LATE
    ]
    at = newest.astimezone(UTC).isoformat(timespec="minutes")
    return {"at": at, "readings": "; ".join(told)}


question = Question(
    name="stations",
    title="Where is it unusual on {at}?",
    words="Every station of the data at one time, by how unusual its temperature is for the place, "
    "the time of year and the hour.",
    needs="series",
    fit=fit_stations,
    answer=stations,
)


@dataclass(frozen=True)
class _Judged:
    """A station's temperature, and where it stands."""

    number: int
    name: str
    value: float
    things: str
    era: str
    reference: Reference
    standing: Standing
    latitude: float
    longitude: float


def _judge(
    fitted: Stations, number: int, moment: Moment, given: Mapping[str, float] | None
) -> _Judged | None:
    name = fitted.names[number]
    for grain, day in ((moment.hour, moment.hour_day if moment.hour else 0), (DAYS, moment.day)):
        record = fitted.records.get((number, grain))
        if record is None:
            continue
        value = given.get(name, np.nan) if given is not None else _of(record, day)
        if np.isnan(value):
            continue
        everything = seasons.all_years(record, day)
        if len(everything.years) < FEWEST_YEARS:
            continue
        today = seasons.climate_of_today(record, day)
        shifted = len(today.years) >= FEWEST_TREND_YEARS
        reference = today if shifted else everything
        return _Judged(
            number,
            name,
            value,
            "daily means" if grain == DAYS else part_of_day(grain, fitted.zones[number], day),
            "the climate of then" if shifted else "all years",
            reference,
            seasons.standing(reference, value),
            float(fitted.latitude[number]),
            float(fitted.longitude[number]),
        )
    return None


def _of(record: Record, day: int) -> float:
    place = day - record.first
    return float(record.values[place]) if 0 <= place < len(record.values) else float("nan")


def _read(readings: str | None, data: SeriesData) -> dict[str, float] | None:
    """Readings by station; `None` where none are given."""
    if readings is None:
        return None
    found = {}
    for part in filter(None, (part.strip() for part in readings.split(";"))):
        name, sign, text = part.rpartition("=")
        try:
            value = float(text.strip().replace("\u2212", "-").replace(",", "."))
        except ValueError:
            value = float("nan")
        if not sign or not -90 <= value <= 60:
            raise InvalidParameter(
                "readings", f"“{part}” is no reading.", "Write them as Lund=-3.1; Falun=-8."
            )
        found[str(STATION.read("readings", name.strip(), data))] = value
    return found


def _index(data: SeriesData) -> NameIndex:
    return data.names(STATION.axis(data))


def _number(text: str) -> float:
    return float(text) if text else float("nan")


def _table(found: list[_Judged], at: str) -> Table:
    return Table.of(
        (Field("station", "Station", link="now"), [one.name for one in found]),
        (Field("value", "Temperature", "°C", decimals=1), [one.value for one in found]),
        (Field("compared", "Compared with"), [f"{one.things} in {one.era}" for one in found]),
        (Field("percentile", "Percentile", decimals=1), [o.standing.percentile for o in found]),
        (Field("low", "Band from", decimals=1), [one.standing.low for one in found]),
        (Field("high", "to", decimals=1), [one.standing.high for one in found]),
        (Field("n", "Values"), [one.reference.n for one in found]),
        (Field("since", "Since"), [str(one.reference.years[0]) for one in found]),
        (Field("latitude", "Latitude", code=True), [one.latitude for one in found]),
        (Field("longitude", "Longitude", code=True), [one.longitude for one in found]),
        title=f"The stations on {at.replace('T', ' at ')}, the most unusual first",
    )


def _sentence(found: list[_Judged], at: str) -> str:
    first, *others = found
    cold = first.standing.percentile < 50
    share = 100 - first.standing.percentile if cold else first.standing.percentile
    told = (
        f"On {at.replace('T', ' at ')} it was most unusual at {first.name}: "
        f"{degrees(first.value)}, {'colder' if cold else 'warmer'} than "
        f"{wording.share(share / 100)} of the {first.things} of the time of year"
    )
    if not others:
        return f"{told}."
    last = found[-1]
    below = sum(one.standing.percentile < 50 for one in found)
    return (
        f"{told}; least at {last.name} with {degrees(last.value)}. "
        f"{wording.count(len(found), 'station', 'stations')} in all, {below} below the middle of "
        f"the time of year and {len(found) - below} above it."
    )


def _views(table: Table, found: list[_Judged]) -> Iterator[View]:
    placed = [one for one in found if not np.isnan(one.latitude + one.longitude)]
    span = f"from {found[0].name} ({found[0].standing.percentile:.0f}) to {found[-1].name}"
    ends = f"{span} ({found[-1].standing.percentile:.0f})"
    if len(placed) == len(found) > 1:
        yield View(
            kind="places",
            table="stations",
            channels={
                "longitude": "longitude",
                "latitude": "latitude",
                "label": "station",
                "color": "percentile",
            },
            title="Where it is unusual",
            description=f"A map of {len(placed)} stations, coloured by percentile, {ends}; low is "
            "cold for the time of year, high is warm.",
            options={"domain": [0, 100]},
        )
    yield View(
        kind="ranking",
        table="stations",
        channels={"label": "station", "value": "percentile", "low": "low", "high": "high"},
        title="Percentiles, the most unusual first",
        description=f"A bar for each of {len(found)} stations with its percentile, {ends}.",
    )


def _notes(
    found: list[_Judged], silent: list[str], given: Mapping[str, float] | None
) -> Iterator[str]:
    worth = [one.reference.effective(one.standing.percentile / 100) for one in found]
    worth_of_each = " to ".join(dict.fromkeys(f"{one:.0f}" for one in (min(worth), max(worth))))
    yield (
        "Each band holds the true percentile in nine of ten such answers; the values of a station "
        f"are worth {worth_of_each} independent ones. Neighbours have the "
        "same weather, so that they are not unusual independently of each other; and of many "
        "stations some are far out on any day."
    )
    if given is not None:
        yield "The temperatures are those handed in, the latest observations, and not the records'."
    if silent:
        yield (
            f"{wording.count(len(silent), 'station has', 'stations have')} no temperature then, or "
            f"too few years before it: {listing(silent, 8)}."
        )
    short = [one.name for one in found if one.era == "all years"]
    if short:
        yield (f"Too short for a trend, so compared with all their years: {listing(short, 8)}.")
    newest = max(int(one.reference.years[-1]) for one in found)
    yield f"Nothing from the time asked about or later is compared with; the last year is {newest}."
