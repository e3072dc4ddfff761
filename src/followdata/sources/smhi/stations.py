"""SMHI's list of stations, and which of them a reader means."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from followdata.answer import listing
from followdata.errors import InvalidInput, InvalidParameter, UnknownName
from followdata.names import NameIndex, fold

NEAR = 10.0
"""Kilometres within which an older station of the same name is the same place."""

ENOUGH = 10.0
"""Years of record below which a station is not chosen for being near."""

_EARTH = 6371.0  # km
_YEAR = 365.2425 * 24 * 3600 * 1000  # ms
_COORDINATES = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*,\s*([-+]?\d+(?:\.\d+)?)\s*")
# "A" and "Aut" are SMHI's words for an automatic station.
_KINDS = re.compile(r"[\s-]+(a|aut|mo|flygplats|flygpl|v)\b\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """A station as the list has it; `since` and `until` are milliseconds since 1970."""

    id: str
    name: str
    latitude: float
    longitude: float
    height: float
    active: bool
    since: int
    until: int

    @classmethod
    def read(cls, entry: Mapping[str, Any], where: str) -> Listed:
        """An entry of the list; raises `InvalidInput` where it lacks something."""
        try:
            return cls(
                str(entry["key"]),
                str(entry["name"]),
                float(entry["latitude"]),
                float(entry["longitude"]),
                float(entry["height"]),
                bool(entry["active"]),
                int(entry["from"]),
                int(entry["to"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(where, f"a station has no usable {error}.", where="$") from None

    @property
    def years(self) -> float:
        """How long its record is."""
        return (self.until - self.since) / _YEAR

    @property
    def stem(self) -> str:
        """Its name without what kind of station it is.

        >>> Listed("1", "Göteborg A", 0, 0, 0, True, 0, 0).stem
        'goteborg'
        """
        return fold(_KINDS.sub("", self.name))

    def distance(self, latitude: float, longitude: float) -> float:
        """Kilometres to a place, along the surface."""
        return distance(self.latitude, self.longitude, latitude, longitude)


def find(stations: Sequence[Listed], text: str) -> Listed:
    """The station that `text` means: an identifier, a name or its beginning, or "lat,lon".

    Of several that share a name, one that still measures is preferred, then the longest record.

    Raises `UnknownName`, with the nearest names, where there is none.
    """
    place = _COORDINATES.fullmatch(text)
    if place:
        return nearest(stations, float(place[1]), float(place[2]))
    for station in stations:
        if station.id == text.strip():
            return station
    wanted = fold(text)
    meant = [s for s in stations if fold(s.name) == wanted or s.stem == wanted] or [
        s for s in stations if re.match(rf"{re.escape(wanted)}\b", fold(s.name))
    ]
    if not wanted or not meant:
        index = NameIndex("station", list({station.name: None for station in stations}))
        raise UnknownName("station", text, index.nearest(text))
    return max(meant, key=lambda station: (station.active, station.years))


def nearest(stations: Sequence[Listed], latitude: float, longitude: float) -> Listed:
    """The nearest station that still measures and has done so for some years."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise InvalidParameter(
            "station", f"{latitude:g},{longitude:g} is no place on Earth.",
            "Write latitude,longitude in degrees, as 59.35,18.05.",
        )  # fmt: skip
    usable = [
        station for station in stations if station.active and _record(stations, station) >= ENOUGH
    ]
    if not usable:
        raise UnknownName("station that measures", f"{latitude:g},{longitude:g}")
    return min(usable, key=lambda station: station.distance(latitude, longitude))


def _record(stations: Sequence[Listed], station: Listed) -> float:
    """Years of a station's record, with those of the stations that it goes on from."""
    since = min([station.since, *(one.since for one in before(stations, station))])
    return (station.until - since) / _YEAR


def before(stations: Sequence[Listed], station: Listed) -> list[Listed]:
    """Stations of the same name at the same place that go further back, the newest first.

    A station that becomes automatic gets a new number, and its record begins anew.
    """
    older = [
        other
        for other in stations
        if other.id != station.id
        and other.stem == station.stem
        and other.since < station.since
        and other.distance(station.latitude, station.longitude) <= NEAR
    ]
    return sorted(older, key=lambda other: other.since, reverse=True)


def distance(latitude: float, longitude: float, other: float, across: float) -> float:
    """Kilometres between two places (the haversine formula).

    >>> round(distance(59.35, 18.05, 57.7, 11.97))
    398
    """
    a, b = math.radians(latitude), math.radians(other)
    turn = math.radians(across - longitude)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(h)))


def told(stations: Sequence[Listed]) -> str:
    """Stations in a sentence."""
    return listing([f"{station.name} ({station.id})" for station in stations])
