"""Weather: whether a percentile of the time of year holds for years that were not seen.

Each day of 1991 to 2014 is placed among the days before it, at four places and at each hour that
they have. Were the reference right, each tenth of the scale would hold a tenth of the days. The
second table tries other settings, on years of Stockholm before those. And on weather whose true
percentiles are known, simulated and drawn from Stockholm's own years, how
often the 90 % band holds them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.stats import linregress, norm, t

from benchmarks._tables import machine, table
from followdata.core import seasons
from followdata.core.days import daily_means
from followdata.core.seasons import Days, Floats, Record, Reference
from followdata.core.trend import linear_trend
from followdata.questions.thermometer import (
    FEWEST_TREND_YEARS,
    Climate,
    days_of,
    fit_climate,
)
from followdata.sources import bolin, smhi, tables
from followdata.sources.measured import Measured
from followdata.stories.weather.record import family

HELD_OUT = range(1991, 2015)
EARLIER = [range(first, first + 24) for first in (1895, 1919, 1943, 1967)]
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
REPEATS = 300
SPREAD = 4.5  # °C, of a day around its normal
TODAY = "2020-03-22"
SETTINGS: tuple[Mapping[str, int], ...] = (
    {},
    {"TODAY_YEARS": 30},
    {"TODAY_YEARS": 45},
    {"TODAY_YEARS": 80},
    {"TREND_YEARS": 20},
    {"TREND_YEARS": 60},
    {"SEASON": 15},
    {"SEASON": 60},
    {"WINDOW": 3},
    {"WINDOW": 15},
)

Refer = Callable[[Record, int], Reference]


def main() -> None:
    print(f"{machine()}.\n")
    shared = os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared")
    folder = Path(shared) / "data" / "smhi"
    if folder.is_dir():
        places = dict(climates(folder))
        calibration(places)
        print()
        settings(places["Stockholm"].record())
        print()
        day_means(folder)
        print()
        real = places["Stockholm, adjusted"].record()
    else:
        print(f"NO REAL RECORDS in {folder}: set FOLLOWDATA_SHARED to calibrate on them.\n")
        real = None
    coverage(real)
    print()
    trends()


def climates(folder: Path) -> Iterator[tuple[str, Climate]]:
    """The records as the story makes them ready."""
    now = datetime.now(UTC)
    hours = [path for path in (folder / "bolin_raw").iterdir() if bolin.is_ours(path)]
    means = folder / f"{bolin.FILE}.csv.gz"
    for name, variant in (("Stockholm", "raw"), ("Stockholm, adjusted", "adjusted")):
        files = [means, *hours] if variant == "raw" else [means]
        yield name, _climate(bolin.measured(files, variant, retrieved=now))
    for name in ("Falun", "Lund", "Falsterbo"):
        path = next((folder / "metobs_csv").glob(f"*_{name}.csv.gz"))
        yield name, _climate(*smhi.read_files([(path, tables.read_text(path))], now))


def _climate(measured: Measured) -> Climate:
    data = family([measured])
    return fit_climate(data, station=measured.station.name)


def calibration(places: Mapping[str, Climate]) -> None:
    references: dict[str, Refer] = {
        "`today`": seasons.climate_of_today,
        "`all-years`": seasons.all_years,
    }
    rows = []
    for place, climate in places.items():
        for grain in climate.grains:
            record = climate.record(grain)
            for name, refer in references.items():
                begun = time.perf_counter()
                shares, count = deciles(record, refer, HELD_OUT)
                each = (time.perf_counter() - begun) / max(count, 1)
                what = "days" if grain == "days" else f"{grain} UTC"
                inside = "yes" if shares.min() >= 8 and shares.max() <= 12 else "no"
                told = [f"{share:.1f}" for share in shares]
                rows.append((place, what, name, count, *told, inside, f"{1000 * each:.1f} ms"))
    print(f"Values of {HELD_OUT[0]}–{HELD_OUT[-1]} in each tenth of the scale, in percent:\n")
    heads = (f"{10 * tenth}–" for tenth in range(10))
    table(("place", "of", "compared with", "n", *heads, "8 to 12", "each"), rows)


def settings(record: Record) -> None:
    """How the deciles of years before those that are reported depend on the settings."""
    rows = []
    for changed in SETTINGS:
        latest = changed.get("TODAY_YEARS", seasons.TODAY_YEARS)
        with changed_settings(changed):

            def refer(record: Record, day: int, latest: int = latest) -> Reference:
                return seasons.climate_of_today(record, day, latest=latest)

            found = [deciles(record, refer, years, step=7) for years in EARLIER]
        off = [np.sqrt(np.mean((shares - 10) ** 2)) for shares, _ in found]
        what = ", ".join(f"{name} = {value}" for name, value in changed.items()) or "as they are"
        rows.append((what, *(f"{one:.2f}" for one in off), f"{np.mean(off):.2f}"))
    chance = 100 * np.sqrt(0.1 * 0.9 / found[0][1])
    print(
        "How far the tenths are from 10 %, root mean square, every 7th day of Stockholm's daily "
        f"means, by settings (independent days would give {chance:.2f} by chance):\n"
    )
    spans = [f"{years[0]}–{years[-1]}" for years in EARLIER]
    table(("settings", *spans, "mean"), rows)


def day_means(folder: Path) -> None:
    """How well the mean of a day is known from three or two observations, at Falsterbo.

    It measured every third hour for decades. Its odd years are cut down, and what must be learnt
    for them is learnt from the even ones.
    """
    path = next((folder / "metobs_csv").glob("*_Falsterbo.csv.gz"))
    archive = smhi.read_archive(tables.read_text(path), str(path))
    hours, values = archive.times.astype(np.int64) / 60, archive.values
    own = np.floor(hours / 24).astype(np.int64)
    odd = seasons.year_of(own) % 2 == 1
    whole = daily_means(hours, values)
    judged = (whole.counts == 8) & ~np.isnan(whole.means) & (seasons.year_of(whole.days) % 2 == 1)
    month = whole.days[judged].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    rows = []
    for kept in ((6, 12, 18), (6, 18), (6, 9, 12, 15, 18)):
        few = np.isin(hours % 24, kept)
        sums = np.bincount(own[few] - own[0], values[few], own[-1] - own[0] + 1)
        counts = np.bincount(own[few] - own[0], minlength=own[-1] - own[0] + 1)
        averaged = (sums / np.maximum(counts, 1))[whole.days - own[0]]
        lines = daily_means(hours[few], values[few])
        cut = daily_means(hours[few | ~odd], values[few | ~odd])
        for name, means in (
            ("averaged as they are", averaged),
            ("straight lines", _on(whole.days, lines.days, lines.means)),
            ("and what is left learnt", _on(whole.days, cut.days, cut.means)),
        ):
            error = (means - whole.means)[judged]
            bias = np.array([np.nanmean(error[month == m]) for m in range(12)])
            worst = bias[np.argmax(np.abs(bias))]
            size = np.sqrt(np.nanmean(error**2))
            what = ", ".join(f"{hour:02}" for hour in kept)
            told = (f"{bias[5]:+.2f} °C", f"{worst:+.2f} °C", f"{size:.2f} °C")
            rows.append((what, name, *told))
    print("Daily means from fewer hours, against eight a day (Falsterbo, odd years):\n")
    heads = ("bias in June", "largest bias of a month", "root mean square")
    table(("hours (UTC)", "mean of a day", *heads), rows)


def _on(wanted: Days, days: Days, means: Floats) -> Floats:
    found = dict(zip(days.tolist(), means.tolist(), strict=True))
    return np.array([found.get(day, np.nan) for day in wanted.tolist()])


@contextmanager
def changed_settings(changed: Mapping[str, int]) -> Iterator[None]:
    before = {name: getattr(seasons, name) for name in changed}
    try:
        for name, value in changed.items():
            setattr(seasons, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(seasons, name, value)


def deciles(record: Record, refer: Refer, years: range, step: int = 1) -> tuple[Floats, int]:
    """The percentage of values in each tenth of the scale; every `step`-th day of `years`.

    Days without a value, and those with too few years before them for a trend, are passed over.
    """
    found = []
    for day in (int(day) for year in years for day in days_of(year)[::step]):
        place = day - record.first
        if not 0 <= place < len(record.values) or np.isnan(record.values[place]):
            continue
        reference = refer(record, day)
        if len(reference.years) >= FEWEST_TREND_YEARS:
            found.append(seasons.standing(reference, record.values[place]).percentile)
    counts, _ = np.histogram(found, bins=np.linspace(0, 100, 11))
    return counts / max(len(found), 1) * 100, len(found)


def coverage(real: Record | None) -> None:
    rows = []
    for persistence in (0.0, 0.8, 0.9):
        for warming in (0.0, 0.04):
            held = np.mean(list(simulated(persistence, warming, REPEATS)), axis=0)
            what = f"simulated, each day keeps {persistence} of the last"
            rows.append((what, f"{warming} °C a year", *(f"{100 * h:.0f}" for h in held)))
    if real is not None:
        for month in ("01", "04", "07", "10"):
            held = np.mean(list(resampled(real, f"2020-{month}-15", REPEATS)), axis=0)
            what = f"Stockholm's own years, around 15/{month}"
            rows.append((what, "0.04 °C a year", *(f"{100 * h:.0f}" for h in held)))
    print(f"How often the 90 % band of `today` holds a true percentile ({REPEATS} records each):\n")
    table(("weather", "warming", *(f"{100 * share:g} %" for share in SHARES)), rows)


def trends(repeats: int = 1000) -> None:
    """How often the 95 % interval of a trend holds the true one, years keeping a part of the last.

    What is left of Stockholm's yearly means keeps a tenth to a third.
    """
    random = np.random.default_rng(1)
    rows = []
    for count in (50, 150, 260):
        years = np.arange(2000 - count, 2000)
        for persistence in (0.0, 0.3, 0.6):
            shocks = random.normal(size=(repeats, count + 200))
            noise = lfilter([1], [1, -persistence], shocks)[:, 200:]
            found = [linear_trend(years, one) for one in noise]
            held = np.mean([trend.low <= 0 <= trend.high for trend in found])
            naive = np.mean([_least_squares(years, one) for one in noise])
            rows.append((count, persistence, f"{100 * held:.1f}", f"{100 * naive:.1f}"))
    print(f"How often the 95 % interval of a trend holds it ({repeats} records each):\n")
    heads = ("years", "kept from year to year", "followdata", "ordinary least squares")
    table(heads, rows)


def _least_squares(years: Days, values: Floats) -> bool:
    found = linregress(years, values)
    return bool(abs(found.slope) <= t.ppf(0.975, len(years) - 2) * found.stderr)


def simulated(persistence: float, warming: float, repeats: int) -> Iterator[list[bool]]:
    """For records of 90 years, whether the band of each of `SHARES` holds it on a day in March.

    A day keeps the part `persistence` of what the day before was off its normal, which follows
    the season and rises by `warming` a year in the last 40 years.
    """
    random = np.random.default_rng(1)
    today = _day(TODAY)
    days = np.arange(_day("1930-01-01"), today)
    # What the day is compared with: the weather of the two weeks around it.
    around = _normal(today + np.arange(-seasons.WINDOW, seasons.WINDOW + 1), warming)
    scale = np.linspace(-40, 50, 3001)
    below = norm.cdf((scale[:, None] - around) / SPREAD).mean(axis=1)
    thresholds = np.interp(SHARES, below, scale)
    for _ in range(repeats):
        shocks = random.normal(scale=np.sqrt(1 - persistence**2), size=len(days) + 100)
        weather = lfilter([1], [1, -persistence], shocks)[100:] * SPREAD
        yield _held(seasons.record(days, _normal(days, warming) + weather), today, thresholds)


def resampled(real: Record, when: str, repeats: int) -> Iterator[list[bool]]:
    """The same for records of 90 years that are drawn from the real ones, freed of their trend.

    The true percentile is that among all real years. Warming is put in again: 0.04 °C a year in
    the last 40 years.
    """
    random = np.random.default_rng(1)
    today = _day(when)
    days = np.arange(_day("1930-01-01"), today)
    years = real.years[:-1]
    grid = seasons.calendar(real.first + np.arange(len(real.values)), real.values)[:-1]
    trend = seasons.trend_weights(years, years) @ real.season(np.arange(seasons.SLOTS), years)
    pool = grid - trend + trend[-1]
    place = int(seasons.slots(np.array([today]))[0])
    last = 0.04 * 40
    around = pool[:, max(place - seasons.WINDOW, 0) : place + seasons.WINDOW + 1] + last
    thresholds = np.nanquantile(around, SHARES)
    risen = 0.04 * np.clip(seasons.year_of(days) - 1980, 0, None)
    for _ in range(repeats):
        drawn = random.integers(len(years), size=91)
        rows = drawn[seasons.year_of(days) - 1930]
        # A common year in the place of a leap year has no 29th of February.
        yield _held(
            seasons.record(days, pool[rows, seasons.slots(days)] + risen), today, thresholds
        )


def _held(record: Record, today: int, thresholds: Floats) -> list[bool]:
    reference = seasons.climate_of_today(record, today)
    bands = [seasons.standing(reference, threshold) for threshold in thresholds]
    return [
        bool(band.low <= 100 * share <= band.high)
        for band, share in zip(bands, SHARES, strict=True)
    ]


def _day(iso: str) -> int:
    return int(np.datetime64(iso).astype(int))


def _normal(days: Days, warming: float) -> Floats:
    years = 1970 + days / 365.2425
    return 6 - 10 * np.cos(2 * np.pi * years) + warming * np.clip(years - 1980, 0, None)


if __name__ == "__main__":
    main()
