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
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

BASE = "https://opendata-download-metobs.smhi.se/api/"
_TREE = re.compile(
    r"version/(?:1\.0|latest)/parameter/(?P<parameter>\d+)"
    r"(?:/station/(?P<station>\d+)|/station-set/(?P<set>all))?"
    r"(?:/period/(?P<period>[a-z-]+))?(?P<data>/data)?\.(?P<form>json|csv)"
)
Times = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]

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

    def values(self, times: Times) -> Floats:
        """The temperature at times: a year's and a day's course, and spells of some days."""
        day = times.astype("datetime64[m]").astype(np.int64) / (24 * 60)
        year = -9 * np.cos(2 * np.pi * (day - 15) / 365.2425)
        spell = 3 * np.sin(day * 0.9 + int(self.id)) + 2 * np.sin(day * 0.217) + np.sin(day)
        return np.asarray(np.round(6 + year + 3 * np.sin(2 * np.pi * (day - 0.375)) + spell, 1))

    def value(self, time: datetime) -> float:
        """The temperature at one time."""
        return float(self.values(np.array([_naive(time)], "datetime64[m]"))[0])

    def times(self, start: datetime, end: datetime) -> Times:
        """When it measures, from after `start` to `end`."""
        start, end = max(start, self.since), min(end, self.closed or end)
        first, last = (np.datetime64(_naive(time), "m") for time in (start, end))
        days = np.arange(first.astype("datetime64[D]"), last.astype("datetime64[D]") + 1)
        minutes = days.astype("datetime64[m]").astype(np.int64)[:, None] + 60 * np.array(self.hours)
        times: Times = minutes.ravel().astype("datetime64[m]")
        return times[(times > first) & (times <= last)]


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
        path = request.url.path.removeprefix("/api/")
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

    def observed(self, station: PretendStation, period: str) -> Times:
        """When the observations of a period were made."""
        end = self.now.replace(minute=0, second=0, microsecond=0)
        if period == "corrected-archive":
            end -= _ARCHIVE_ENDS
        elif period == "latest-hour" and station.id in self.asleep:
            end -= self.asleep[station.id]
        elif period == "latest-hour" and station.id in self.silent:
            return np.zeros(0, "datetime64[m]")
        return station.times(end - _PERIODS[period], end)

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
            times = self.observed(station, "corrected-archive")
            rows = [
                f"{time[:10]};{time[11:]}:00;{value:.1f};G"
                for time, value in zip(times.astype(str), station.values(times), strict=True)
            ]
        else:
            lines.append(
                "Från Datum Tid (UTC);Till Datum Tid (UTC);Representativt dygn;"
                "Lufttemperatur;Kvalitet;;Tidsutsnitt:"
            )
            rows = [
                f"{day} 00:00:01;{day + 1} 00:00:00;{day};{value:.1f};G"
                for day, value in self._means(station, "corrected-archive")
            ]
        notes = ["Kvalitetskontrollerade historiska data (utom de senaste 3 mån)", "", "G = Grön"]
        rows = [f"{row};;{notes[n]}" if n < len(notes) else row for n, row in enumerate(rows)]
        text = "\ufeff" + "\n".join([*lines, *rows]) + "\n"
        return httpx.Response(200, content=text.encode(), headers={"Content-Type": "text/plain"})

    def _means(self, station: PretendStation, period: str) -> Iterator[tuple[np.datetime64, float]]:
        """The mean of the hours of each day that has observations."""
        days = np.unique(self.observed(station, period).astype("datetime64[D]"))
        minutes = days.astype("datetime64[m]").astype(np.int64)[:, None] + 60 * np.arange(24)
        hours = minutes.astype("datetime64[m]")
        yield from zip(days, station.values(hours).mean(axis=1).tolist(), strict=True)

    def _data(self, station: PretendStation, parameter: str, period: str) -> dict[str, Any]:
        if parameter == "1":
            times = self.observed(station, period)
            values = [
                {"date": _since(time), "value": f"{value:.1f}", "quality": "G"}
                for time, value in zip(times, station.values(times), strict=True)
            ]
        else:
            values = [
                {"from": _since(day) + 1000, "to": _since(day + 1), "ref": str(day),
                 "value": f"{value:.1f}", "quality": "Y"}
                for day, value in self._means(station, period)
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


def _since(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ms]").astype(np.int64))


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _position(
    start: datetime, end: datetime, height: float, latitude: float, longitude: float
) -> dict[str, Any]:
    place = {"height": height, "latitude": latitude, "longitude": longitude}
    return {"from": _ms(start), "to": _ms(end), **place}


def _missing() -> httpx.Response:
    return httpx.Response(404, text="Not found")
