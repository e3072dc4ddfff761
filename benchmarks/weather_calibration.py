"""Weather: whether a percentile of the time of year holds for years that were not seen.

Each day of 1991 to 2014 is placed among the days before it, on the adjusted daily means of
Stockholm. Were the reference right, each tenth of the scale would hold a tenth of the days. And on
simulated weather, whose true percentiles are known, how often the 90 % band holds them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm

from benchmarks._tables import machine, table
from followdata.core import seasons
from followdata.core.seasons import Days, Floats, Record, Reference
from followdata.sources import bolin

HELD_OUT = range(1991, 2015)
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
REPEATS = 300
SPREAD = 4.5  # °C, of a day around its normal

Refer = Callable[[Record, int], Reference]


def main() -> None:
    print(f"{machine()}.\n")
    shared = os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared")
    folder = Path(shared) / "data" / "smhi"
    if folder.is_dir():
        calibration(folder)
    else:
        print(f"No record of Stockholm in {folder}: set FOLLOWDATA_SHARED to calibrate on it.")
    print()
    coverage()


def calibration(folder: Path) -> None:
    series = bolin.read(folder, retrieved=datetime.now(UTC))
    record = seasons.record(series.times.astype(np.int64), series.values)
    references: dict[str, Refer] = {
        "all years as they were": seasons.all_years,
        "last 30 years as they were": latest_as_they_were,
        "last 60 years, shifted (`today`)": seasons.climate_of_today,
    }
    rows = []
    for name, refer in references.items():
        begun = time.perf_counter()
        shares = deciles(record, refer, HELD_OUT)
        each = (time.perf_counter() - begun) / sum(len(_days(year)) for year in HELD_OUT)
        rows.append((name, *(f"{share:.1f}" for share in shares), f"{1000 * each:.1f} ms"))
    print(f"Days of {HELD_OUT[0]}–{HELD_OUT[-1]} in each tenth of the scale, in percent:\n")
    table(("compared with", *(f"{10 * tenth}–" for tenth in range(10)), "each"), rows)


def deciles(record: Record, refer: Refer, years: range, step: int = 1) -> Floats:
    """The percentage of days in each tenth of the scale; every `step`-th day of `years`."""
    found = [
        seasons.standing(refer(record, int(day)), record.values[day - record.first]).percentile
        for year in years
        for day in _days(year)[::step]
    ]
    counts, _ = np.histogram(found, bins=np.linspace(0, 100, 11))
    return counts / len(found) * 100


def latest_as_they_were(record: Record, day: int) -> Reference:
    """The 30 years before `day`, not shifted."""
    everything = seasons.all_years(record, day)
    few = slice(-30, None)
    return Reference(
        everything.years[few],
        everything.values[few],
        everything.shifts[few],
        everything.single,
        everything.shared,
    )


def _days(year: int) -> Days:
    return np.arange(*(np.datetime64(f"{y}-01-01").astype(int) for y in (year, year + 1)))


def coverage() -> None:
    rows = []
    for persistence in (0.0, 0.8, 0.9):
        for warming in (0.0, 0.04):
            held = np.mean(list(covered(persistence, warming, REPEATS)), axis=0)
            rows.append(
                (f"{persistence}", f"{warming} °C a year", *(f"{100 * h:.0f}" for h in held))
            )
    print(f"How often the 90 % band of `today` holds a true percentile ({REPEATS} records):\n")
    table(("persistence", "warming", *(f"{100 * share:g} %" for share in SHARES)), rows)


def covered(persistence: float, warming: float, repeats: int) -> Iterator[list[bool]]:
    """For records of 90 years, whether the band of each of `SHARES` holds it on a day in March.

    A day keeps the part `persistence` of what the day before was off its normal, which follows
    the season and rises by `warming` a year in the last 40 years.
    """
    random = np.random.default_rng(1)
    first, today = (int(np.datetime64(day).astype(int)) for day in ("1930-01-01", "2020-03-22"))
    days = np.arange(first, today)
    # What the day is compared with: the weather of the two weeks around it.
    around = _normal(today + np.arange(-seasons.WINDOW, seasons.WINDOW + 1), warming)
    scale = np.linspace(-40, 50, 3001)
    below = norm.cdf((scale[:, None] - around) / SPREAD).mean(axis=1)
    thresholds = np.interp(SHARES, below, scale)
    for _ in range(repeats):
        shocks = random.normal(scale=np.sqrt(1 - persistence**2), size=len(days) + 100)
        weather = lfilter([1], [1, -persistence], shocks)[100:] * SPREAD
        record = seasons.record(days, _normal(days, warming) + weather)
        reference = seasons.climate_of_today(record, today)
        bands = [seasons.standing(reference, threshold) for threshold in thresholds]
        yield [
            bool(band.low <= 100 * share <= band.high)
            for band, share in zip(bands, SHARES, strict=True)
        ]


def _normal(days: Days, warming: float) -> Floats:
    years = 1970 + days / 365.2425
    return 6 - 10 * np.cos(2 * np.pi * years) + warming * np.clip(years - 1980, 0, None)


if __name__ == "__main__":
    main()
