"""The metobs API: a tree of documents, parameter, station, period, data.

A period that a station does not have answers 404, as does a station that a parameter does not
have. Of the periods, corrected-archive is CSV only, and ends some three months ago; the others
begin about a month before that, so that they overlap, and are fresher.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.errors import InvalidInput, Refused
from followdata.sources.client import Provider
from followdata.sources.measured import Measured, Times
from followdata.sources.smhi.archive import Position, accept, read_archive
from followdata.sources.smhi.record import LICENCE, Gathered
from followdata.sources.smhi.stations import Listed, before, find, told

if TYPE_CHECKING:
    from followdata.data import Floats
    from followdata.sources.client import Client
    from followdata.sources.fetching import Fetching

SMHI = Provider(
    name="SMHI",
    url="https://opendata-download-metobs.smhi.se/api/",
    # No number is given; the terms ask for restraint, and a fetch makes some ten requests a place.
    pace=2.0,
    source="SMHI open data, meteorological observations",
    licence=LICENCE,
    citation="Källa: SMHI",
)

AIR = 1
"""The parameter that is the air temperature, as observed."""

ROOT = "version/1.0/parameter"
"""Below the provider's address: where the tree of parameters begins."""

MEAN = 2
"""The parameter that is its daily mean."""

FRESH = ("latest-months", "latest-day", "latest-hour")
"""The periods after the archive, from the stalest to the freshest."""

MOST = 12
"""Stations that one fetch may ask for: SMHI does not wish to be downloaded as a whole."""

_ENOUGH = 60.0  # years of record, with which no older station is looked for


def stations(client: Client, parameter: int = AIR) -> list[Listed]:
    """All stations of a parameter, those that have closed among them."""
    url = client.address(f"{ROOT}/{parameter}.json")
    entries = _list(client.json(url), "station", url)
    return [Listed.read(entry, url) for entry in entries]


def fetch_stations(
    fetching: Fetching, wanted: Sequence[str], provider: Provider = SMHI
) -> list[Measured]:
    """What was measured at the stations that the words in `wanted` mean.

    See `followdata.sources.smhi.find` for what they may be. A record of less than 60 years is
    continued backwards by an older station of the same name at the same place. Raises
    `UnknownName` for words that mean none, `Refused` for a station without any value or more
    than `MOST`, and what `followdata.sources.client` raises.
    """
    if len(wanted) > MOST:
        raise Refused(
            f"{len(wanted)} stations are too many for one fetch.", f"Ask for at most {MOST}."
        )
    measured = []
    with fetching.client(provider) as client:
        listed = stations(client)
        chosen = list(dict.fromkeys(find(listed, words) for words in wanted))
        for number, station in enumerate(chosen):
            fetching.progress(number, len(chosen), "stations")
            older = before(listed, station) if station.years < _ENOUGH else []
            if older:
                fetching.notice(f"Before {station.name} ({station.id}): {told(older)}.")
            measured.append(_fetch(client, station, older, fetching))
        fetching.progress(len(chosen), len(chosen), "stations")
    return measured


def _fetch(
    client: Client, station: Listed, older: Sequence[Listed], fetching: Fetching
) -> Measured:
    gathered = Gathered(station.id, station.name)
    for other in reversed(older):
        _add(client, other, gathered, earlier=f"{other.name} ({other.id})")
    _add(client, station, gathered)
    if gathered.empty:
        raise Refused(
            f"{client.provider.name} has no temperatures of {station.name} ({station.id}).",
            "Try another station.",
        )
    # Where it stands is in the list, also where no archive says so.
    measured = gathered.measured(fetching.now, url=client.provider.url)
    place = replace(
        measured.station,
        latitude=station.latitude,
        longitude=station.longitude,
        height=station.height,
        live=station.id if station.active else "",
    )
    return replace(measured, station=place)


def _add(client: Client, station: Listed, gathered: Gathered, *, earlier: str = "") -> None:
    """All periods of a station's observations and daily means, the stalest first."""
    for parameter in (AIR, MEAN):
        base = f"{ROOT}/{parameter}/station/{station.id}"
        url = client.address(f"{base}.json")
        document = client.json(url, absent={"period": []})
        periods = {str(entry.get("key")) for entry in _list(document, "period", url)}
        if "corrected-archive" in periods:
            address = f"{base}/period/corrected-archive/data.csv"
            if text := client.text(address, begins="Stationsnamn", absent=""):
                gathered.add(read_archive(text, client.address(address)), earlier=earlier)
        for period in FRESH:
            if period in periods:
                _add_fresh(client, f"{base}/period/{period}/data.json", gathered, parameter)


def _add_fresh(client: Client, address: str, gathered: Gathered, parameter: int) -> None:
    url = client.address(address)
    document = client.json(url, absent={})
    times, values, qualities = read_values(document, url, gathered.refused)
    kept = accept(times, values, qualities, gathered.refused)
    gathered.batch(*kept, daily=parameter == MEAN)
    if not gathered.positions:
        gathered.positions = tuple(_positions(document))


def read_values(
    document: Any, url: str, refused: dict[str, int]
) -> tuple[Times, Floats, list[str]]:
    """Times, values (NaN where there is none) and qualities in a document `data.json`.

    Instants have a date, intervals a day they stand for (`ref`). A silent station has no list, an
    empty one, or one that holds `null`. An item that is none is counted in `refused`.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput(url, "the reply is no document with values.", where="$")
    moments, numbers, qualities = [], [], []
    for item in document.get("value") or []:
        if item is None:
            continue
        try:
            moments.append(_moment(item))
            numbers.append(_number(item.get("value")))
            qualities.append(str(item.get("quality")))
        except (AttributeError, KeyError, TypeError, ValueError):
            refused["an item that is no value"] = refused.get("an item that is no value", 0) + 1
            del moments[len(numbers) :]
    times = np.array(moments, dtype="datetime64[m]")
    if moments and all("ref" in item for item in document["value"] if item):
        times = times.astype("datetime64[D]")
    return times, np.array(numbers, dtype=np.float64), qualities


def _moment(item: Mapping[str, Any]) -> np.datetime64:
    if "ref" in item:
        return np.datetime64(str(item["ref"]), "m")
    return _minute(item["date"])


def _minute(milliseconds: Any) -> np.datetime64:
    return np.datetime64(int(milliseconds) // 60_000, "m")


def _number(text: Any) -> float:
    if text is None or text == "":
        return math.nan
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _positions(document: Mapping[str, Any]) -> list[Position]:
    made = []
    for entry in document.get("position") or []:
        start, end = (
            np.datetime64(int(entry[key]), "ms").astype("M8[m]") for key in ("from", "to")
        )
        place = (float(entry[key]) for key in ("height", "latitude", "longitude"))
        made.append(Position(start, end, *place))
    return made


def _list(document: Any, name: str, url: str) -> list[Mapping[str, Any]]:
    found = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise InvalidInput(url, f"the reply has no list called “{name}”.", where="$")
    return found
