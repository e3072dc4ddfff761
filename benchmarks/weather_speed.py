"""Weather: answers of a loaded record, whole processes, and percentiles beside xclim's.

The record is Stockholm's, 1756 to 2024, with its observations at three hours of the day.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks._tables import machine, seconds, spread, table
from followdata.core import seasons
from followdata.core.seasons import Floats
from followdata.desk import Desk
from followdata.settings import HOME_VARIABLE, Settings

ASKED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("now, an hour of today", "now", {"temperature": -5, "at": "2026-11-22T18:00"}),
    ("now, a day of today", "now", {"temperature": -5, "at": "2026-11-22"}),
    ("now, an hour of 1990", "now", {"temperature": -5, "at": "1990-11-22T18:00"}),
    ("typical", "typical", {"date": "2026-04-01"}),
    ("climate", "climate", {"others": "1963"}),
    ("records", "records", {"date": "2026-04-01"}),
    ("trend", "trend", {"date": "2026-04-01"}),
)
PROCESSES = (
    ("sample, its data made and the record fitted", "sample", True),
    ("sample", "sample", False),
    ("Stockholm since 1756, the record fitted", "", True),
    ("Stockholm since 1756", "", False),
)


def main() -> None:
    shared = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared"))
    folder = shared / "data" / "smhi"
    print(f"{machine()}. Medians (least to most).\n")
    with tempfile.TemporaryDirectory() as home:
        os.environ[HOME_VARIABLE] = home
        desk = Desk.installed(Settings(Path(home)))
        there = folder.is_dir()
        if there:
            means = folder / "stockholm_daily_mean_temperature.csv.gz"
            desk.fetch("weather", paths=[means, folder / "bolin_raw"])
            answers(desk)
        else:
            print(f"NO REAL RECORD in {folder}: set FOLLOWDATA_SHARED.\n")
        processes(Path(home), there)
    percentiles()


def answers(desk: Desk) -> None:
    opened = desk.open("weather")
    rows = []
    for name, question, given in ASKED:
        params = opened.resolve(question, given)
        rows.append((name, spread(seconds(partial(opened.tell, question, params), 30)), "20 ms"))
    table(("an answer, the record loaded", "time", "goal"), rows)
    print()


def processes(home: Path, there: bool) -> None:
    rows = []
    for name, data, anew in PROCESSES:
        if data or there:
            command = [sys.executable, "-m", "followdata", "ask", "weather", "now"]
            command += ["--temperature=-5", *(["--data", data] if data else [])]
            run = partial(subprocess.run, command, capture_output=True, check=True)
            run()  # compiles code
            taken = []
            for _ in range(5):
                if anew:
                    _forget(home, sample=bool(data))
                begun = time.perf_counter()
                run()
                taken.append(time.perf_counter() - begun)
            rows.append((name, spread(sorted(taken), "s"), "2.5 s"))
    table(("followdata ask weather now --temperature=-5", "time", "goal"), rows)
    print()


def _forget(home: Path, *, sample: bool) -> None:
    """Remove what was learnt, and the sample's data."""
    for path in (home / "fitted").glob("*.npz"):
        path.unlink()
    if sample:
        (home / "stories" / "weather" / "sample.json").unlink(missing_ok=True)


def percentiles(years: int = 269) -> None:
    """The 10th percentile of each day of the year from a window of five days.

    Time is measured in the ordinary calendar, in which xclim numbers days from the beginning of
    each year and stretches 365 of them to 366; values are compared where both mean the same, in a
    calendar without leap days.
    """
    first, last = (int(np.datetime64(f"{year}-01-01").astype(int)) for year in (1756, 1756 + years))
    days = np.arange(first, last)
    values = np.random.default_rng(1).normal(size=len(days))

    def ours() -> Floats:
        return _doy(seasons.calendar(days, values))

    rows = [("followdata", spread(seconds(ours, 9)), "")]
    without = values[: 365 * years]
    try:
        theirs = _xclim(values, "standard")
        apart = np.abs(_xclim(without, "noleap")() - _doy(without.reshape(-1, 365))).max()
        rows.append(("xclim, percentile_doy", spread(seconds(theirs, 9)), f"{apart:.1e}"))
    except ImportError:
        print("XCLIM IS NOT INSTALLED: install the dependency group bench to see it beside.\n")
    what = f"percentiles of {years} years by day of the year"
    table((what, "time", "largest difference without leap days"), rows)


def _doy(grid: Floats) -> Floats:
    percents = np.array([10.0])
    found = seasons.day_of_year_percentiles(grid, percents, around=2, alpha=1 / 3, beta=1 / 3)
    return found[:, 0]


def _xclim(values: Floats, calendar: str) -> Callable[[], Floats]:
    import xarray as xr
    from xclim.core.calendar import percentile_doy

    times = xr.date_range(
        "1756-01-01", periods=values.size, calendar=calendar, use_cftime=calendar != "standard"
    )
    array = xr.DataArray(values, {"time": times}, ["time"], attrs={"units": "degC"})
    return lambda: np.asarray(percentile_doy(array, window=5, per=10).to_numpy()).ravel()


if __name__ == "__main__":
    main()
