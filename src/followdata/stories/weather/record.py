"""Stations as sources give them, made into the data set that questions are asked of.

A station has up to three series: its daily means, those from which the source has taken what is
not the climate's, and its observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from followdata.answer import Provenance, listing
from followdata.core import quality
from followdata.data import About, MemoryFamily, MemorySeries
from followdata.questions.thermometer import ADJUSTED, DAYS, HOURS, REFUSED
from followdata.sources.measured import Measured

_MOST_REFUSED = 20


def family(measured: Sequence[Measured]) -> MemoryFamily:
    """The data set of these stations, without values that cannot be.

    Labels of each series: `station`, `id`, `grain` ("days", "adjusted" or "hours"), `latitude`,
    `longitude` and `height` as written ("" where not known), `zone` and `live`.
    """
    members: dict[str, MemorySeries] = {}
    labels: dict[str, list[str]] = {}
    refused: list[str] = []
    for name, one in zip(_names(measured), measured, strict=True):
        station = one.station
        words = {
            "station": name,
            "id": station.id,
            **{key: _written(getattr(station, key)) for key in ("latitude", "longitude", "height")},
            "zone": station.zone,
            "live": station.live,
        }
        for grain, series in _series(one).items():
            kept, told = screened(series, hourly=grain == HOURS)
            if grain != ADJUSTED:
                refused += [f"{name}, {reason}" if len(measured) > 1 else reason for reason in told]
            members[f"{name}, {grain}"] = kept
            for key, word in (words | {"grain": grain}).items():
                labels.setdefault(key, []).append(word)
    return MemoryFamily(
        members,
        About(_title(measured), thing="day", things="days", unit="°C"),
        {key: np.array(column, dtype=np.str_) for key, column in labels.items()},
        _provenance([one.provenance for one in measured], refused),
    )


def screened(series: MemorySeries, *, hourly: bool = False) -> tuple[MemorySeries, tuple[str, ...]]:
    """The series without values that cannot be, and what they were.

    Each hour of the day is judged by itself: a noon is warmer than a night.
    """
    days = series.times.astype("datetime64[D]").astype(np.int64)
    clock = (series.times - series.times.astype("datetime64[D]")).astype("timedelta64[h]")
    hours = clock.astype(np.int64) if hourly else np.zeros(len(days), dtype=np.int64)
    refused = np.zeros(len(days), dtype=bool)
    for hour in np.unique(hours):
        here = np.flatnonzero(hours == hour)
        # Two observations within one hour: the calendar has room for the first.
        here = here[np.append(True, np.diff(days[here]) > 0)]
        refused[here] = quality.implausible(days[here], series.values[here])
    told = tuple(
        f"{when}: {value:g} {series.about.unit}, {REFUSED}"
        for when, value in zip(series.times[refused], series.values[refused], strict=True)
    )
    values = np.where(refused, np.nan, series.values)
    return replace(series, values=values, flags=np.where(refused, REFUSED, series.flags)), told


def _series(one: Measured) -> dict[str, MemorySeries]:
    found = {DAYS: one.days, ADJUSTED: one.adjusted, HOURS: one.hours}
    return {grain: series for grain, series in found.items() if series is not None}


def _names(measured: Sequence[Measured]) -> list[str]:
    """What the stations are called, with their identifier where two are called the same."""
    names = [one.station.name for one in measured]
    return [
        f"{name} ({one.station.id or number})" if names.count(name) > 1 else name
        for number, (name, one) in enumerate(zip(names, measured, strict=True), start=1)
    ]


def _written(number: float) -> str:
    return "" if np.isnan(number) else f"{number:g}"


def _title(measured: Sequence[Measured]) -> str:
    if len(measured) == 1:
        one = measured[0]
        series = one.days if one.days is not None else one.hours
        assert series is not None
        first, last = (int(t.astype("datetime64[Y]").astype(np.int64)) + 1970
                       for t in series.times[[0, -1]])  # fmt: skip
        return f"{one.station.name}, temperatures {first}–{last}"
    return f"Temperatures of {listing([one.station.name for one in measured])}"


def _provenance(sources: Sequence[Provenance], refused: Sequence[str]) -> Provenance:
    def all_of(field: str) -> str:
        return "; ".join(dict.fromkeys(filter(None, (getattr(one, field) for one in sources))))

    told = [reason for one in sources for reason in one.refused] + list(refused)
    if len(told) > _MOST_REFUSED:
        told = [*told[:_MOST_REFUSED], f"and {len(told) - _MOST_REFUSED} more like these"]
    return replace(
        sources[0],
        source=all_of("source"),
        licence=all_of("licence"),
        citation=all_of("citation"),
        sample=all_of("sample"),
        refused=tuple(told),
    )
