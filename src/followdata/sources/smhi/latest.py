"""The latest observation of a station, or of all, kept for as long as SMHI has no newer one.

A page that asks what it is outside must not ask SMHI each time it is looked at: an answer, or that
there was none, stands for some minutes, and an observation until the next can be there.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.errors import FollowdataError
from followdata.sources.client import Provider
from followdata.sources.smhi.api import AIR, ROOT, SMHI, read_values
from followdata.sources.smhi.archive import accept

if TYPE_CHECKING:
    from followdata.sources.fetching import Fetching

RENEWED = timedelta(hours=1, minutes=5)
"""How long after an observation the next one can be there."""

PAUSE = timedelta(minutes=10)
"""How long an answer stands that brought nothing newer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation: when (UTC), °C, and what is to be said of it."""

    time: datetime
    value: float
    remark: str = ""


Read = Callable[[Any, str], dict[str, Reading]]
"""What a document, from an address, says of each station."""


def latest_reading(fetching: Fetching, station: str, provider: Provider = SMHI) -> Reading | None:
    """The latest observation of a station; `None` where SMHI has none or cannot be reached.

    It may be hours old: a station that has fallen silent shows its last.
    """

    def read(document: Any, url: str) -> dict[str, Reading]:
        reading = _last(document, url)
        return {station: reading} if reading else {}

    address = f"{ROOT}/{AIR}/station/{station}/period/latest-hour/data.json"
    return _kept(fetching, f"smhi-{station}", address, provider, read).get(station)


def latest_readings(fetching: Fetching, provider: Provider = SMHI) -> dict[str, Reading]:
    """The latest observations of all stations that have one, by identifier, in one request."""
    address = f"{ROOT}/{AIR}/station-set/all/period/latest-hour/data.json"
    return _kept(fetching, "smhi-all", address, provider, _all)


def _kept(
    fetching: Fetching, name: str, address: str, provider: Provider, read: Read
) -> dict[str, Reading]:
    path = fetching.cache / "latest" / f"{name}.json" if fetching.cache else None
    kept = _load(path)
    if kept is not None and _stands(kept, fetching.now):
        return _readings(kept)
    # Someone is waiting for the page: one quick attempt, and no pause that is asked for.
    quick = replace(provider, attempts=1, timeout=4.0, patience=0.0)
    found: dict[str, Reading] = _readings(kept) if kept else {}
    with suppress(FollowdataError), fetching.client(quick) as client:
        document = client.json(address, absent={})
        fresh = read(document, client.address(address))
        found = {
            station: _newer(found.get(station), one) for station, one in fresh.items()
        } or found
    _save(path, fetching.now, found)
    return found


def _newer(one: Reading | None, other: Reading) -> Reading:
    return one if one is not None and one.time > other.time else other


def _all(document: Any, url: str) -> dict[str, Reading]:
    entries = document.get("station") if isinstance(document, Mapping) else None
    readings = {
        str(entry.get("key")): _last(entry, url)
        for entry in entries or []
        if isinstance(entry, Mapping)
    }
    return {station: reading for station, reading in readings.items() if reading}


def _last(document: Any, url: str) -> Reading | None:
    """The last value of a document that can be used."""
    times, values, remarks = accept(*read_values(document, url, {}), {})
    if not len(times):
        return None
    last = int(np.argmax(times.astype(np.int64)))
    moment = datetime.fromtimestamp(int(times[last].astype("datetime64[s]").astype(np.int64)), UTC)
    return Reading(moment, float(values[last]), str(remarks[last]))


def _stands(kept: Mapping[str, Any], now: datetime) -> bool:
    """Whether there is no reason to ask again."""
    asked = datetime.fromisoformat(kept["asked"])
    times = [datetime.fromisoformat(entry[0]) for entry in kept["readings"].values()]
    newest = max(times, default=None)
    recent = timedelta(0) <= now - asked < PAUSE
    return recent or (newest is not None and asked <= now < newest + RENEWED)


def _readings(kept: Mapping[str, Any]) -> dict[str, Reading]:
    return {
        station: Reading(datetime.fromisoformat(time), value, remark)
        for station, (time, value, remark) in kept["readings"].items()
    }


def _load(path: Path | None) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path else None
        _readings(kept or {"readings": {}})
        return kept if kept and "asked" in kept else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not there, or not ours: to ask again is all that is lost


def _save(path: Path | None, now: datetime, readings: Mapping[str, Reading]) -> None:
    """Keep it, whole or not at all; a full disk only means to ask again."""
    if path is None:
        return
    words = {
        "asked": now.isoformat(),
        "readings": {
            station: (reading.time.isoformat(), reading.value, reading.remark)
            for station, reading in readings.items()
        },
    }
    aside = path.with_suffix(f".{uuid.uuid4().hex}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        aside.replace(path)
    with suppress(OSError):
        aside.unlink(missing_ok=True)
