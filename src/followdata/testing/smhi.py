"""An SMHI to test with: it answers as the metobs API does, from weather that is invented.

>>> from datetime import UTC, datetime
>>> import httpx
>>> smhi = PretendSMHI.small(datetime(2026, 11, 22, 12, tzinfo=UTC))
>>> url = "https://opendata-download-metobs.smhi.se/api/version/1.0/parameter/1/station/9001.json"
>>> with httpx.Client(transport=httpx.MockTransport(smhi)) as client:
...     [period["key"] for period in client.get(url).json()["period"]]
['corrected-archive', 'latest-months', 'latest-day', 'latest-hour']
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

BASE = "https://opendata-download-metobs.smhi.se/api/"
_TREE = re.compile(
    r"version/(?:1\.0|latest)/parameter/(?P<parameter>\d+)"
    r"(?:/station/(?P<station>\d+)|/station-set/(?P<set>all))?"
    r"(?:/period/(?P<period>[a-z-]+))?(?P<data>/data)?\.(?P<form>json|csv)"
)
_PERIODS = {
    "corrected-archive": timedelta(days=100_000),
    "latest-months": timedelta(days=122),
    "latest-day": timedelta(days=1),
    "latest-hour": timedelta(hours=1),
}
_ARCHIVE_ENDS = timedelta(days=92)


@dataclass(frozen=True)
class PretendStation:
    """A station that measures at `hours` (UTC) of each day from `since` until it closes.

    `moved` is when it came to where it stands; before, it stood 30 m higher.
    """

    id: str
    name: str
    latitude: float
    longitude: float
    height: float = 20.0
    since: datetime = datetime(1961, 1, 1, tzinfo=UTC)
    closed: datetime | None = None
    hours: Sequence[int] = (6, 12, 18)
    moved: datetime | None = None

    def value(self, time: datetime) -> float:
        """The temperature at a time: a year's and a day's course, and spells of some days."""
        day = time.timestamp() / 86400
        year = -9 * math.cos(2 * math.pi * (day - 15) / 365.2425)
        spell = 3 * math.sin(day * 0.9 + int(self.id)) + 2 * math.sin(day * 0.217) + math.sin(day)
        return round(6 + year + 3 * math.sin(2 * math.pi * (day - 0.375)) + spell, 1)

    def times(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """When it measures, from after `start` to `end`."""
        start, end = max(start, self.since), min(end, self.closed or end)
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= end:
            for hour in self.hours:
                if start < (time := day + timedelta(hours=hour)) <= end:
                    yield time
            day += timedelta(days=1)


@dataclass(frozen=True)
class PretendSMHI:
    """The API with these stations, as it answers at `now`.

    `absent` are pairs of a station and a period that answer 404, though the station lists them;
    `silent` stations have no values of the last hour; those in `asleep` have one that is so old.
    """

    now: datetime
    stations: Sequence[PretendStation]
    absent: frozenset[tuple[str, str]] = frozenset()
    silent: frozenset[str] = frozenset()
    asleep: dict[str, timedelta] = field(default_factory=dict)

    @classmethod
    def small(cls, now: datetime, **options: Any) -> PretendSMHI:
        """Three stations that measure and two that closed, in places that are not."""
        hourly = tuple(range(24))
        stations = [
            PretendStation("9001", "Påhittsvik A", 59.0, 18.0, since=_day(2020), hours=hourly),
            PretendStation("9000", "Påhittsvik", 59.01, 18.0, closed=_day(2021)),
            PretendStation("9002", "Exempelby", 57.0, 12.0, moved=_day(1990)),
            PretendStation("9003", "Låtsasfjäll", 68.0, 20.0, height=505.0, hours=(6, 18)),
            PretendStation("9004", "Provköping", 60.0, 15.0, closed=_day(1990)),
        ]
        return cls(now, stations, **options)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request."""
        path = str(request.url).partition("?")[0].removeprefix(BASE)
        asked = _TREE.fullmatch(path)
        if not asked:
            return _missing()
        parameter, period = asked["parameter"], asked["period"]
        if parameter not in ("1", "2"):
            return _missing()
        if asked["set"]:
            return self._set() if period == "latest-hour" and asked["data"] else _missing()
        if not asked["station"]:
            return self._answer(self._listed(parameter))
        station = next((s for s in self.stations if s.id == asked["station"]), None)
        if station is None or (period and not self._has(station, period)):
            return _missing()
        if not period:
            return self._answer(self._periods(station, parameter))
        if (station.id, period) in self.absent or not asked["data"]:
            return _missing()
        if period == "corrected-archive":
            return self._archive(station, parameter) if asked["form"] == "csv" else _missing()
        return self._answer(self._data(station, parameter, period))

    def observed(self, station: PretendStation, period: str) -> list[datetime]:
        """When the observations of a period were made."""
        end = self.now.replace(minute=0, second=0, microsecond=0)
        if period == "corrected-archive":
            end -= _ARCHIVE_ENDS
        elif period == "latest-hour" and station.id in self.asleep:
            end -= self.asleep[station.id]
        elif period == "latest-hour" and station.id in self.silent:
            return []
        start = max(end - _PERIODS[period], station.since - timedelta(seconds=1))
        return list(station.times(start, end))

    def _has(self, station: PretendStation, period: str) -> bool:
        return period == "corrected-archive" or (period in _PERIODS and station.closed is None)

    def _listed(self, parameter: str) -> dict[str, Any]:
        return {
            "key": parameter,
            "updated": _ms(self.now),
            "title": "Lufttemperatur: Välj station (sedan tidsutsnitt)",
            "valueType": "SAMPLING" if parameter == "1" else "INTERVAL",
            "stationSet": [{"key": "all"}],
            "station": [
                {
                    "key": station.id, "id": int(station.id), "name": station.name,
                    "owner": "SMHI", "height": station.height, "latitude": station.latitude,
                    "longitude": station.longitude, "active": station.closed is None,
                    "from": _ms(station.since), "to": _ms(station.closed or self.now),
                }
                for station in self.stations
            ],
        }  # fmt: skip

    def _periods(self, station: PretendStation, parameter: str) -> dict[str, Any]:
        periods = [period for period in _PERIODS if self._has(station, period)]
        if parameter == "2":
            periods = periods[:2]
        return {
            "key": parameter,
            "active": station.closed is None,
            "position": [_position(*place) for place in self._positions(station)],
            "period": [{"key": period, "link": []} for period in periods],
        }

    def _positions(
        self, station: PretendStation
    ) -> list[tuple[datetime, datetime, float, float, float]]:
        place = (station.latitude, station.longitude)
        until = station.closed or self.now
        if station.moved is None:
            return [(station.since, until, station.height, *place)]
        return [
            (station.moved, until, station.height, *place),
            (station.since, station.moved, station.height + 30, station.latitude, place[1] + 0.05),
        ]

    def _archive(self, station: PretendStation, parameter: str) -> httpx.Response:
        kind = "momentanvärde, 1 gång/tim" if parameter == "1" else "medelvärde 1 dygn"
        lines = [
            "Stationsnamn;Stationsnummer;Stationsnät;Mäthöjd (meter över marken)",
            f"{station.name};{station.id};SMHIs stationsnät;2.0",
            "",
            "Parameternamn;Beskrivning;Enhet",
            f"Lufttemperatur;{kind};celsius",
            "",
            "Tidsperiod (fr.o.m);Tidsperiod (t.o.m);Höjd (meter över havet);"
            "Latitud (decimalgrader);Longitud (decimalgrader)",
            *(
                f"{_stamp(start)};{_stamp(end)};{height};{latitude:.4f};{longitude:.4f}"
                for start, end, height, latitude, longitude in self._positions(station)
            ),
            "",
        ]
        if parameter == "1":
            lines.append("Datum;Tid (UTC);Lufttemperatur;Kvalitet;;Tidsutsnitt:")
            rows = [
                f"{_stamp(time).replace(' ', ';')};{station.value(time)};G"
                for time in self.observed(station, "corrected-archive")
            ]
        else:
            lines.append(
                "Från Datum Tid (UTC);Till Datum Tid (UTC);Representativt dygn;"
                "Lufttemperatur;Kvalitet;;Tidsutsnitt:"
            )
            rows = [
                f"{_stamp(start)};{_stamp(start + timedelta(days=1))[:10]} 00:00:00;"
                f"{start.date()};{value};G"
                for start, value in self._means(station, "corrected-archive")
            ]
        notes = ["Kvalitetskontrollerade historiska data (utom de senaste 3 mån)", "", "G = Grön"]
        rows = [f"{row};;{notes[n]}" if n < len(notes) else row for n, row in enumerate(rows)]
        text = "\ufeff" + "\n".join([*lines, *rows]) + "\n"
        return httpx.Response(200, content=text.encode(), headers={"Content-Type": "text/plain"})

    def _means(self, station: PretendStation, period: str) -> Iterator[tuple[datetime, float]]:
        for time in self.observed(station, period):
            if time.hour == 12:
                start = time.replace(hour=0, second=1)
                course = [station.value(start + timedelta(hours=hour)) for hour in range(24)]
                yield start, round(sum(course) / 24, 1)

    def _data(self, station: PretendStation, parameter: str, period: str) -> dict[str, Any]:
        if parameter == "1":
            values = [
                {"date": _ms(time), "value": str(station.value(time)), "quality": "G"}
                for time in self.observed(station, period)
            ]
        else:
            values = [
                {"from": _ms(start), "to": _ms(start) + 86_399_000, "ref": str(start.date()),
                 "value": str(value), "quality": "Y"}
                for start, value in self._means(station, period)
            ]  # fmt: skip
        return {
            "value": values,
            "updated": _ms(self.now),
            "parameter": {"key": parameter, "name": "Lufttemperatur", "unit": "celsius"},
            "station": {"key": station.id, "name": station.name, "height": 2},
            "period": {"key": period},
            "position": [_position(*place) for place in self._positions(station)],
        }

    def _set(self) -> httpx.Response:
        """The last hour of all stations; a silent one holds `null`."""
        entries = []
        for station in self.stations:
            if station.closed is not None:
                continue
            values = self._data(station, "1", "latest-hour")["value"][-1:] or [None]
            entries.append({"key": station.id, "name": station.name, "value": values})
        return self._answer({"updated": _ms(self.now), "station": entries})

    def _answer(self, document: dict[str, Any]) -> httpx.Response:
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "max-age=60"}
        return httpx.Response(200, content=body, headers=headers)


def _day(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _position(
    start: datetime, end: datetime, height: float, latitude: float, longitude: float
) -> dict[str, Any]:
    place = {"height": height, "latitude": latitude, "longitude": longitude}
    return {"from": _ms(start), "to": _ms(end), **place}


def _missing() -> httpx.Response:
    return httpx.Response(404, text="Not found")
