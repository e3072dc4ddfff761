from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core import quality
from followdata.core.seasons import Days, Floats

DAYS = np.arange(-3650, 10957)  # 1960-01-04 to 1999-12-31


def weather(days: Days, seed: int = 1) -> Floats:
    noise = np.random.default_rng(seed).normal(scale=4, size=len(days))
    return np.asarray(6 - 10 * np.cos(2 * np.pi * days / 365.2425) + noise)


def place(iso: str) -> int:
    """Where a day stands in DAYS."""
    return (date.fromisoformat(iso) - date(1970, 1, 1)).days - int(DAYS[0])


@pytest.mark.parametrize(
    ("iso", "slip"),
    [
        ("1974-07-18", -41.0),  # a winter's value in summer
        ("1974-01-01", 35.0),
        ("1999-12-31", -270.0),
        ("1996-02-29", 999.9),
    ],
)
def test_a_slip_of_the_pen_is_found_and_nothing_else(iso: str, slip: float) -> None:
    values = weather(DAYS)
    values[place(iso)] = slip
    assert np.flatnonzero(quality.implausible(DAYS, values)).tolist() == [place(iso)]


def test_a_summer_in_another_unit_is_found() -> None:
    values = weather(DAYS)
    summer = slice(place("1980-06-01"), place("1980-09-01"))
    values[summer] = values[summer] * 9 / 5 + 32
    assert quality.implausible(DAYS, values)[summer].mean() > 0.8


def test_distance_by_pandas() -> None:
    values = weather(DAYS)
    values[::7] = np.nan
    index = pd.to_datetime(DAYS, unit="D")
    series = pd.Series(values, index)
    # The days around 20 June: no leap day comes between.
    near = series[((index.month == 6) & (index.day >= 5)) | ((index.month == 7) & (index.day <= 5))]
    low, middle, high = near.quantile([0.25, 0.5, 0.75])
    distances = quality.distance(DAYS, values)
    for when in ("1964-06-20", "1981-06-20", "1990-06-20"):
        value = series[when]
        side = (middle - low if value < middle else high - middle) / 0.67449
        deviation = max(side, (high - low) / 1.34898)
        found = distances[place(when)]
        np.testing.assert_allclose(found, (value - middle) / deviation, rtol=1e-4)


def test_the_year_has_no_seam() -> None:
    """The first of January is judged by the days of December before it."""
    decembers = [
        slice(place(f"{year}-12-17"), place(f"{year}-12-31") + 1) for year in range(1980, 1988)
    ]
    chosen = np.concatenate([np.arange(len(DAYS))[december] for december in decembers])
    days = DAYS[np.append(chosen, place("1988-01-01"))]
    assert np.isfinite(quality.distance(days, weather(days))[-1])


@given(st.floats(0.1, 50), st.floats(-100, 100))
@settings(max_examples=10, deadline=None)
def test_the_unit_does_not_matter(scale: float, shift: float) -> None:
    values = weather(DAYS)
    np.testing.assert_allclose(
        quality.distance(DAYS, scale * values + shift), quality.distance(DAYS, values), atol=1e-6
    )


def test_nothing_is_judged_where_little_is_known_or_nothing_varies() -> None:
    few = DAYS[:40]
    assert not quality.implausible(few, np.where(few == few[9], -300.0, weather(few))).any()
    constant = np.full(len(DAYS), 5.0)
    constant[9] = 300.0
    assert np.isnan(quality.distance(DAYS, constant)).all()


def test_missing_values_stay_missing() -> None:
    values = weather(DAYS)
    values[100] = np.nan
    assert np.isnan(quality.distance(DAYS, values)[100])
    assert not quality.implausible(DAYS, values)[100]


@pytest.mark.shared
@pytest.mark.parametrize("column", ["raw", "homo", "adjust"])
def test_no_day_of_stockholm_since_1756_is_refused(shared: Path, column: str) -> None:
    path = shared / "data/smhi/stockholm_daily_mean_temperature.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [(row["date"], float(row[column])) for row in csv.DictReader(lines)]
    days = np.array([day for day, _ in rows], dtype="datetime64[D]").astype(np.int64)
    values = np.array([value for _, value in rows])
    missing = values == -999.0
    # The sign of a missing value, were it taken for a temperature, is caught ...
    assert np.array_equal(quality.implausible(days, values), missing)
    # ... and once it is not, no extreme comes near the limit.
    values[missing] = np.nan
    assert np.nanmax(np.abs(quality.distance(days, values))) < 5
