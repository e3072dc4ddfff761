"""Records of temperatures to ask questions of."""

from __future__ import annotations

from datetime import date

import numpy as np

from followdata.core.seasons import Floats
from followdata.data import About, MemoryFamily, MemorySeries

EPOCH = date(1970, 1, 1)


def number(iso: str) -> int:
    return (date.fromisoformat(iso) - EPOCH).days


def temperatures(hours: Floats, seed: int = 1) -> Floats:
    """A year's and a day's course, with a spread that no two days share."""
    day = hours / 24
    random = np.random.default_rng(seed).normal(scale=4, size=int(day[-1] - day[0]) + 2)
    weather = random[(day - np.floor(day[0])).astype(int)]
    year = 10 - 10 * np.cos(2 * np.pi * (day - 20) / 365.2425)
    return np.asarray(np.round(year + 3 * np.sin(2 * np.pi * (day - 0.375)) + weather, 1))


def hourly(
    first: str, last: str, hours: tuple[int, ...] = (6, 12, 18), seed: int = 1
) -> MemorySeries:
    """Observations at some hours of each day."""
    days = np.arange(number(first), number(last) + 1)
    clock = (days[:, None] * 24.0 + np.array(hours, dtype=float)).ravel()
    times = (clock * 60).astype(np.int64).astype("datetime64[m]")
    flags = np.full(len(times), "", dtype="<U40")
    about = About("Observations", "observation", "observations", unit="°C")
    return MemorySeries(times, temperatures(clock, seed), flags, about)


def daily(first: str, last: str, seed: int = 1) -> MemorySeries:
    """Daily means."""
    days = np.arange(number(first), number(last) + 1)
    flags = np.full(len(days), "", dtype="<U40")
    values = temperatures(np.asarray(days * 24.0 + 12, dtype=np.float64), seed)
    return MemorySeries(days.astype("datetime64[D]"), values, flags, About("Days", unit="°C"))


def joined(*parts: MemorySeries) -> MemorySeries:
    """Series one after another."""
    return MemorySeries(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.flags for part in parts]),
        parts[0].about,
    )


def stations(**series: tuple[str, MemorySeries, tuple[float, float]]) -> MemoryFamily:
    """Stations with a grain, a series and a place each."""
    columns = {
        "station": list(series),
        "grain": [grain for grain, _, _ in series.values()],
        "latitude": [f"{place[0]:g}" for _, _, place in series.values()],
        "longitude": [f"{place[1]:g}" for _, _, place in series.values()],
        "zone": ["Europe/Stockholm"] * len(series),
    }
    return MemoryFamily(
        {f"{name}, {grain}": one for name, (grain, one, _) in series.items()},
        About("Stations", "day", "days", unit="°C"),
        {key: np.array(column) for key, column in columns.items()},
    )
