from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import beta, norm, percentileofscore
from scipy.stats.mstats import mquantiles

from followdata.core import seasons
from followdata.core.seasons import Days, Floats, Record, Reference

EPOCH = date(1970, 1, 1)


def number(iso: str) -> int:
    return (date.fromisoformat(iso) - EPOCH).days


def daily(first: str, last: str) -> Days:
    return np.arange(number(first), number(last) + 1)


def weather(days: Days, *, seed: int = 1, persistence: float = 0.8, spread: float = 4.0) -> Floats:
    """A year's course with spells around it."""
    shocks = np.random.default_rng(seed).normal(size=len(days))
    spells = lfilter([np.sqrt(1 - persistence**2)], [1, -persistence], shocks)
    return np.asarray(6 - 10 * np.cos(2 * np.pi * days / 365.2425) + spread * spells)


@pytest.fixture(scope="module")
def century() -> Record:
    days = daily("1920-01-01", "2019-12-31")
    return seasons.record(days, weather(days) + 0.03 * np.arange(len(days)) / 365)


def around(iso: str) -> list[date]:
    return [date.fromisoformat(iso) + timedelta(days) for days in range(-7, 8)]


def whole(record: Record, day: int) -> tuple[Reference, Reference, Floats]:
    """All that is learnt from a record for a day."""
    usual = seasons.normals(record, day, np.array([5.0, 50.0]))[1]
    return seasons.all_years(record, day), seasons.climate_of_today(record, day), usual


# The calendar


def test_every_day_has_its_place() -> None:
    days = daily("1896-01-01", "1908-12-31")
    by_hand = [
        (date(2000, day.month, day.day) - date(2000, 1, 1)).days
        for day in (EPOCH + timedelta(int(n)) for n in days)
    ]
    assert seasons.slots(days).tolist() == by_hand


@given(st.integers(1600, 2400), st.integers(0, 365))
def test_the_day_at_a_place_has_that_place(year: int, place: int) -> None:
    day = seasons.centres(np.array([year]), np.array([place]))[0]
    assert seasons.year_of(day) == year
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    assert seasons.slots(day) == (place if leap or place != 59 else 58)


@pytest.mark.parametrize(
    ("day", "middle"),
    [
        ("2003-01-02", "2002-01-02"),
        ("2003-12-31", "2002-12-31"),
        ("2003-03-01", "2002-03-01"),
        ("2004-02-29", "2003-02-28"),
        ("2005-02-28", "2004-02-28"),
    ],
)
def test_the_window_is_fifteen_days_of_the_calendar(day: str, middle: str) -> None:
    days = daily("2000-01-01", "2005-12-31")
    record = seasons.record(days, days.astype(float))
    reference = seasons.all_years(record, number(day))
    compared = [EPOCH + timedelta(int(value)) for value in reference.values[-1]]
    assert compared == around(middle)
    assert reference.years[-1] == date.fromisoformat(middle).year


def test_windows_that_the_record_cuts_are_missing_in_part() -> None:
    record = seasons.record(
        daily("2001-01-05", "2003-12-31"), weather(daily("2001-01-05", "2003-12-31"))
    )
    first = seasons.all_years(record, number("2003-01-01")).values[0]
    assert np.isnan(first).tolist() == [day < date(2001, 1, 5) for day in around("2001-01-01")]


def test_days_that_are_absent_are_missing() -> None:
    record = seasons.record(np.array([3, 5, 6]), np.array([1.0, 2.0, np.nan]))
    assert record.first == 3
    np.testing.assert_array_equal(record.values, [1, np.nan, 2, np.nan])


def test_means_of_seasons_are_those_of_pandas(century: Record) -> None:
    values = century.values.copy()
    values[5000:5020] = np.nan
    values[7000:7040] = np.nan
    record = seasons.record(np.arange(century.first, century.first + len(values)), values)
    index = pd.Timestamp(EPOCH) + pd.to_timedelta(
        np.arange(record.first, record.first + len(values)), "D"
    )
    rolled = pd.Series(values, index).rolling(61, center=True, min_periods=31).mean()
    for when in (
        "1933-08-15",
        "1939-03-01",
        "1939-03-10",
        "1940-02-29",
        "1920-01-01",
        "2019-12-31",
    ):
        place = seasons.slots(np.array([number(when)]))[0]
        mean = record.season(np.array([place]))[int(when[:4]) - 1920, 0]
        np.testing.assert_allclose(mean, rolled[when], rtol=1e-12, equal_nan=True)


# Percentiles


def test_percentile_by_hand() -> None:
    values = np.array([[1.0, 2.0], [2.0, np.nan], [4.0, 5.0]])
    reference = Reference(np.arange(3), values, np.zeros(3), np.ones(3), 0.2, 0.0)
    # Below 2 lies one of five values, and two are equal to it: (1 + 2 / 2) / 5.
    assert seasons.standing(reference, 2.0).percentile == pytest.approx(40)
    assert seasons.standing(reference, 0.0).percentile == 0
    assert seasons.standing(reference, 9.0).percentile == 100
    assert reference.n == 5


@given(
    st.lists(st.integers(-20, 20), min_size=3, max_size=60),
    st.integers(-25, 25),
)
def test_percentile_is_that_of_scipy(values: list[int], value: int) -> None:
    array = np.array(values, dtype=float)[:, None]
    reference = Reference(
        np.arange(len(values)), array, np.zeros(len(values)), np.ones(len(values)), 0.1, 0.1
    )
    expected = percentileofscore(values, value, kind="mean")
    assert seasons.standing(reference, value).percentile == pytest.approx(expected)


def test_percentile_is_that_of_the_days_around(century: Record) -> None:
    """With pandas: all days at most seven from the same date, in the years before."""
    index = pd.Timestamp(EPOCH) + pd.to_timedelta(
        np.arange(century.first, century.first + len(century.values)), "D"
    )
    series = pd.Series(century.values, index)
    chosen = [
        series[pd.Timestamp(year, 12, 29) + pd.Timedelta(days=day)]
        for year in range(1920, 2018)
        for day in range(-7, 8)
    ]
    reference = seasons.all_years(century, number("2018-12-29"))
    for value in (-9.0, -2.5, 0.0, 6.0):
        expected = percentileofscore(chosen, value, kind="mean")
        assert seasons.standing(reference, value).percentile == pytest.approx(expected)


@given(st.floats(-30, 40), st.floats(-30, 40))
@settings(deadline=None)
def test_a_warmer_day_stands_no_lower(century: Record, one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    for refer in (seasons.all_years, seasons.climate_of_today):
        reference = refer(century, number("2015-10-03"))
        colder, warmer = seasons.standing(reference, low), seasons.standing(reference, high)
        assert colder.percentile <= warmer.percentile
        assert colder.low <= warmer.low + 1e-9
        assert colder.high <= warmer.high + 1e-9
        for standing in (colder, warmer):
            assert 0 <= standing.low <= standing.percentile <= standing.high <= 100


def test_warm_and_cold_mirror_each_other(century: Record) -> None:
    mirrored = Record(century.first, -century.values)
    day = number("2019-06-17")
    for refer in (seasons.all_years, seasons.climate_of_today):
        for value in (5.0, 12.0, 16.0, 30.0):
            one = seasons.standing(refer(century, day), value)
            other = seasons.standing(refer(mirrored, day), -value)
            assert one.percentile == pytest.approx(100 - other.percentile)
            assert one.low == pytest.approx(100 - other.high)


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_years_does_not_matter_as_they_were(order: list[int]) -> None:
    # Eight common years, so that each can take the place of any other but at its ends.
    days = daily("2001-01-01", "2003-12-31")
    years = np.stack([weather(days, seed=seed)[:365] for seed in range(8)])
    found = []
    for arranged in (years, years[order]):
        blocks = [np.arange(365) + number(f"{2001 + 4 * i}-01-01") for i in range(8)]
        record = seasons.record(np.concatenate(blocks), np.concatenate(list(arranged)))
        reference = seasons.all_years(record, number("2040-07-01"))
        found.append(seasons.standing(reference, 15.0))
    assert found[0].percentile == found[1].percentile
    assert found[0].high == pytest.approx(found[1].high)


# The climate of today


def test_a_trend_is_followed_to_its_end() -> None:
    years = np.arange(1900, 2000)
    weights = seasons.trend_weights(years, np.array([1900, 1950, 2000, 2003]))
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(
        weights @ (3 + 0.02 * years), 3 + 0.02 * np.array([1900, 1950, 2000, 2003])
    )


def test_the_trend_is_a_weighted_line(century: Record) -> None:
    years, means = century.years, century.season(np.array([100]))[:, 0]
    near = (1 - np.abs((years - 2005) / 40).clip(max=1) ** 3) ** 3
    _, level = np.polyfit(years - 2005, means, 1, w=np.sqrt(near))
    (trend,) = seasons.trend_weights(years, np.array([2005])) @ means
    assert trend == pytest.approx(level)


def test_years_are_shifted_to_where_the_climate_is() -> None:
    days = daily("1900-01-01", "2019-12-31")
    warming = np.asarray(0.04 * (seasons.year_of(days) - 1900), dtype=np.float64)
    record = seasons.record(days, warming)
    reference = seasons.climate_of_today(record, number("2015-07-01"))
    assert reference.years.tolist() == list(range(1955, 2015))
    np.testing.assert_allclose(reference.values, 0.04 * 115)
    np.testing.assert_allclose(reference.shifts, 0.04 * np.arange(60, 0, -1))


def test_years_are_drawn_together_as_the_spread_of_their_season_is() -> None:
    days = daily("1900-01-01", "2019-12-31")
    years = seasons.year_of(days) - 1900
    # A season that warms and swings less, up and down from day to day.
    swing = 4 * 0.995**years
    values = np.asarray(0.04 * years + swing * (-1.0) ** days, dtype=np.float64)
    record = seasons.record(days, values)
    reference = seasons.climate_of_today(record, number("2015-07-01"))
    # The level lags behind at its end, and does not run ahead.
    lag = 0.995**60 / reference.ratios[0]
    assert 0.9 < lag < 1
    np.testing.assert_allclose(reference.ratios[:20] * lag, 0.995 ** np.arange(60, 40, -1.0), 0.001)
    top = reference.values.max(axis=1)
    np.testing.assert_allclose(top[:20], 0.04 * 115 + 4 * 0.995**115 / lag, rtol=0.003)


def test_the_spread_of_a_season_is_about_a_straight_line(century: Record) -> None:
    values = century.values.copy()
    values[30_000::7] = np.nan
    record = seasons.record(century.first + np.arange(len(values)), values)
    middles = np.array([1_000, 20_000, 33_000]) + century.first
    means, spreads = record.seasons(middles)
    for middle, mean, spread in zip(middles, means, spreads, strict=True):
        along = np.arange(middle - 30, middle + 31)
        near = values[along - century.first]
        known = ~np.isnan(near)
        line = np.polyfit(along[known] - middle, near[known], 1)
        off = near[known] - np.polyval(line, along[known] - middle)
        assert mean == pytest.approx(near[known].mean())
        assert spread == pytest.approx(np.sqrt(np.sum(off**2) / (known.sum() - 2)), rel=1e-5)


def test_after_the_record_today_is_the_year_after_its_last(century: Record) -> None:
    soon, late = (
        seasons.climate_of_today(century, number(day)) for day in ("2020-05-01", "2031-05-01")
    )
    assert late.years[-1] == soon.years[-1] == 2019
    np.testing.assert_array_equal(soon.values, late.values)


@given(st.integers(number("1965-01-01"), number("2019-12-31")))
@settings(max_examples=15, deadline=None)
def test_nothing_from_the_day_or_later_is_used(century: Record, day: int) -> None:
    days = np.arange(century.first, century.first + len(century.values))
    changed = century.values.copy()
    changed[days >= day] = 99.0
    one, other = whole(century, day), whole(seasons.record(days, changed), day)
    for before, after in zip(one, other, strict=True):
        if isinstance(before, Reference) and isinstance(after, Reference):
            np.testing.assert_array_equal(before.values, after.values)
            assert before.effective(0.3) == after.effective(0.3)
        else:
            np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("day", ["2010-01-01", "2010-07-04", "2012-02-29", "2011-12-31"])
def test_the_usual_range_is_that_of_the_values_compared_with(century: Record, day: str) -> None:
    days, usual = seasons.normals(century, number(day), np.array([5.0, 50.0, 95.0]))
    assert days[0] == number(f"{day[:4]}-01-01")
    assert days[-1] == number(f"{day[:4]}-12-31")
    values = seasons.climate_of_today(century, number(day)).values
    here = usual[days == number(day)][0]
    np.testing.assert_allclose(here, np.percentile(values, [5, 50, 95]), atol=1e-9)


@given(
    st.lists(
        st.lists(st.floats(-50, 50) | st.just(float("nan")), min_size=4, max_size=4),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_percentiles_leave_out_what_is_missing(rows: list[list[float]]) -> None:
    percents = np.array([0.0, 5.0, 50.0, 90.0, 100.0])
    found = seasons.percentiles(np.array(rows), percents)
    for row, result in zip(rows, found, strict=True):
        known = np.array(row)[~np.isnan(row)]
        expected = np.percentile(known, percents) if len(known) else np.full(5, np.nan)
        np.testing.assert_allclose(result, expected, atol=1e-12)


def test_a_record_with_nothing_before_the_day_gives_nothing() -> None:
    record = seasons.record(
        daily("2000-01-01", "2001-12-31"), weather(daily("2000-01-01", "2001-12-31"))
    )
    for day in ("1990-05-01", "2000-05-01"):
        everything, today, usual = whole(record, number(day))
        assert everything.n == today.n == 0
        assert np.isnan(usual).all()


def test_a_year_far_from_all_others_has_no_trend() -> None:
    blocks = [daily("1900-01-01", "1940-12-31"), daily("1990-01-01", "1990-12-31")]
    days = np.concatenate(blocks)
    reference = seasons.climate_of_today(seasons.record(days, weather(days)), number("1991-06-01"))
    assert reference.n == 0


@pytest.mark.parametrize("day", ["2010-03-02", "2010-07-04", "2012-02-29", "2010-12-31"])
def test_the_calendar_in_advance_is_that_of_the_day(century: Record, day: str) -> None:
    """What is worked out once for a year holds for every day of it, from its March on."""
    percents = np.array([5.0, 50.0, 95.0])
    days, usual = seasons.normals(century, number(day), percents)
    whole_year = seasons.calendar_normals(century, int(day[:4]), percents)
    if number(day) > days[seasons.WINTER]:
        np.testing.assert_array_equal(whole_year[seasons.slots(days)], usual)
    assert whole_year.shape == (366, 3)


def test_days_shifted_are_those_that_a_day_is_compared_with(century: Record) -> None:
    day = number("2012-06-17")
    place = seasons.slots(np.array([day]))
    shifted = seasons.days_of_today(century, 2012, place)[:, 0]
    reference = seasons.climate_of_today(century, day)
    np.testing.assert_allclose(shifted, reference.values[:, seasons.WINDOW])


def test_a_quantile_is_the_value_whose_percentile_it_is(century: Record) -> None:
    reference = seasons.climate_of_today(century, number("2012-06-17"))
    for percent in (5, 50, 90):
        value, low, high = seasons.quantile(reference, percent)
        assert low < value < high
        assert seasons.standing(reference, value).percentile == pytest.approx(percent, abs=0.2)
        # The ends of its band are values that it may be the percentile of.
        assert seasons.standing(reference, low).high >= percent - 1
        assert seasons.standing(reference, high).low <= percent + 1


# Percentiles of the day of the year


def by_hand(values: Floats, percents: Floats, around: int) -> Floats:
    """With pandas and NumPy: all values at most `around` days from each day of any year."""
    years, places = values.shape
    series = pd.Series(values.ravel())
    found = []
    for place in range(places):
        near = [
            series.iloc[max(middle - around, 0) : middle + around + 1]
            for middle in range(place, years * places, places)
        ]
        pooled = pd.concat(near).dropna()
        found.append(np.percentile(pooled, percents) if len(pooled) else np.full(2, np.nan))
    return np.array(found)


@pytest.mark.parametrize("around", [0, 2, 7])
def test_day_of_year_percentiles_by_hand(around: int) -> None:
    """With the turns of the year and missing days among them."""
    grid = np.random.default_rng(1).normal(size=(6, 30))
    grid[0, :3] = grid[2, 28:] = grid[:, 11] = np.nan
    percents = np.array([10.0, 75.0])
    found = seasons.day_of_year_percentiles(grid, percents, around=around)
    np.testing.assert_allclose(found, by_hand(grid, percents, around), equal_nan=True)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 30))
def test_percentiles_interpolate_as_scipy_does(alpha: float, beta: float, n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    percents = np.array([1.0, 10.0, 50.0, 99.0])
    expected = mquantiles(values, percents / 100, alphap=alpha, betap=beta)
    found = seasons.percentiles(values[None, :], percents, alpha=alpha, beta=beta)[0]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_29th_of_february_has_its_own_place() -> None:
    days = daily("1999-01-01", "2004-12-31")
    grid = seasons.calendar(days, days.astype(float))
    assert grid.shape == (6, 366)
    assert np.flatnonzero(~np.isnan(grid[:, 59])).tolist() == [1, 5]
    assert grid[5, 59] == number("2004-02-29")
    assert grid[0, 60] == number("1999-03-01")
    few = seasons.day_of_year_percentiles(grid, np.array([0.0, 100.0]), around=0)
    assert few[59].tolist() == [number("2000-02-29"), number("2004-02-29")]


def test_percentiles_are_those_of_xclim() -> None:
    """Where the definitions agree: a calendar without leap days."""
    xr = pytest.importorskip("xarray", reason="the group bench is not installed")
    calendar = pytest.importorskip("xclim.core.calendar", reason="the group bench is not installed")
    values = np.random.default_rng(1).normal(size=40 * 365)
    times = xr.date_range("1980-01-01", periods=len(values), calendar="noleap", use_cftime=True)
    array = xr.DataArray(values, {"time": times}, ["time"], attrs={"units": "degC"})
    expected = calendar.percentile_doy(array, window=5, per=[10, 50, 90])
    found = seasons.day_of_year_percentiles(
        values.reshape(40, 365), np.array([10.0, 50.0, 90.0]), around=2, alpha=1 / 3, beta=1 / 3
    )
    np.testing.assert_allclose(found, expected.transpose("dayofyear", "percentiles"), atol=1e-6)


# The band


def test_independent_values_have_the_interval_of_clopper_and_pearson() -> None:
    values = np.arange(200.0)[:, None]
    reference = Reference(
        np.arange(200), values, np.zeros(200), np.ones(200), single=1 / 200, shared=0.0
    )
    standing = seasons.standing(reference, 19.5)
    assert standing.percentile == 10
    # Of 200 values from 200 years, which are a value short of being known exactly.
    assert standing.low == pytest.approx(100 * beta.ppf(0.05, 20, 181), abs=0.02)
    assert standing.high == pytest.approx(100 * beta.ppf(0.95, 21, 180), abs=0.02)


def test_days_that_are_all_alike_within_a_year_count_once() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=(300, 1)), 15, axis=1)
    single, shared = seasons._variance(values)
    reference = Reference(np.arange(300), values, np.zeros(300), np.ones(300), single, shared)
    for share in (0.1, 0.5, 0.9):
        assert reference.effective(share) == pytest.approx(300, rel=0.05)


def test_independent_days_count_each() -> None:
    values = np.random.default_rng(1).normal(size=(300, 15))
    single, shared = seasons._variance(values)
    reference = Reference(np.arange(300), values, np.zeros(300), np.ones(300), single, shared)
    for share in (0.1, 0.5, 0.9):
        assert reference.effective(share) == pytest.approx(4500, rel=0.15)


@pytest.mark.parametrize("refer", [seasons.all_years, seasons.climate_of_today])
def test_the_band_covers_as_often_as_it_says(refer: object) -> None:
    """On weather in spells, whose true percentiles are known; see benchmarks for more of it."""
    assert callable(refer)
    days, day = daily("1940-01-01", "2014-12-31"), number("2015-03-22")
    normal = 6 - 10 * np.cos(2 * np.pi * days / 365.2425)
    middle = 6 - 10 * np.cos(2 * np.pi * (day + np.arange(-7, 8)) / 365.2425)
    scale = np.linspace(-40, 40, 2001)
    shares = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    below = norm.cdf((scale[:, None] - middle) / 4).mean(axis=1)
    thresholds = np.interp(shares, below, scale)
    held = []
    for seed in range(150):
        spells = weather(days, seed=seed) - normal
        reference = refer(seasons.record(days, normal + spells), day)
        bands = [seasons.standing(reference, threshold) for threshold in thresholds]
        held.append([
            band.low <= 100 * share <= band.high for band, share in zip(bands, shares, strict=True)
        ])  # fmt: skip
    covered = np.mean(held, axis=0)
    # 0.90, and three times what 150 draws leave open.
    assert np.all(covered >= 0.90 - 3 * np.sqrt(0.9 * 0.1 / 150)), covered
    assert 0.87 <= covered.mean() <= 0.96, covered
