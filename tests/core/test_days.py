from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core.days import ENOUGH, GAP, DailyMeans, daily_means
from followdata.core.seasons import Days, Floats
from followdata.sources.smhi import read_archive
from followdata.sources.tables import read_text

ALL = tuple(range(24))


def course(hours: Floats, seed: int = 1) -> Floats:
    """A year's and a day's course, the day's larger in summer, with weather around them."""
    day = hours / 24
    summer = 1 - np.cos(2 * np.pi * day / 365.2425)
    random = np.random.default_rng(seed)
    spells = np.interp(day, np.arange(day[0] - 1, day[-1] + 2), random.normal(
        scale=3, size=len(np.arange(day[0] - 1, day[-1] + 2))))  # fmt: skip
    daily = (1 + 2 * summer) * np.sin(2 * np.pi * (day - 0.4))
    sharper = 0.7 * summer * np.cos(4 * np.pi * (day - 0.55))
    return np.asarray(5 + 10 * summer + daily + sharper + spells)


def at(days: Days, hours: tuple[int, ...]) -> Floats:
    return np.asarray((days[:, None] * 24.0 + np.array(hours, dtype=float)).ravel())


def test_by_hand() -> None:
    """06, 12 and 18 o'clock, and the nights between them, as trapezia."""
    hours = np.array([-6.0, 6, 12, 18, 30])
    found = daily_means(hours, np.array([2.0, 0, 6, 4, 0]))
    # To midnight the line from 18 (2) to 06 (0) is at 1, and from 18 (4) to 06 (0) at 2.
    area = (1 + 0) / 2 * 6 + (0 + 6) / 2 * 6 + (6 + 4) / 2 * 6 + (4 + 2) / 2 * 6
    assert found.days.tolist() == [-1, 0, 1]
    assert found.means[1] == pytest.approx(area / 24)
    assert np.isnan(found.means[[0, 2]]).all()
    assert found.counts.tolist() == [1, 3, 1]


@pytest.mark.parametrize("hours", [(6, 12, 18), (7, 13, 20), (0, 3, 6, 9, 12, 15, 18, 21), ALL])
def test_a_constant_temperature_is_its_own_mean(hours: tuple[int, ...]) -> None:
    times = at(np.arange(-3, 10), hours)
    found = daily_means(times, np.full(len(times), 7.5))
    assert found.means[1:-1] == pytest.approx(7.5)


def test_the_mean_of_every_hour_is_that_of_a_representative_day() -> None:
    """SMHI's daily mean is over a day from 00 to 24 UTC, and is named after that day."""
    times = np.arange(48.0, 48 + 24 * 5 + 1)
    values = course(times)
    found = daily_means(times, values)
    series = pd.Series(values, pd.to_datetime(times, unit="h"))
    # Half of each midnight belongs to either day.
    halves = (series + series.shift(-1)) / 2
    expected = halves.resample("D").mean()[:5]
    np.testing.assert_allclose(found.means[:5], expected)
    assert found.days[0] == 2


@given(
    st.lists(st.integers(0, 24 * 60 * 6), min_size=2, max_size=60, unique=True).map(sorted),
    st.integers(0, 10_000),
)
@settings(deadline=None)
def test_the_mean_is_that_of_the_lines_drawn_finely(minutes: list[int], seed: int) -> None:
    hours = np.array(minutes) / 60
    values = np.random.default_rng(seed).normal(size=len(hours))
    found = daily_means(hours, values)
    clock = np.arange(0, 24 * 60 + 1) / 60
    for day, mean in zip(found.days, found.means, strict=True):
        moments = day * 24 + clock
        inside = hours[0] <= moments[0] and moments[-1] <= hours[-1]
        around = hours[(hours > moments[0]) & (hours < moments[-1])]
        before, after = hours[hours <= moments[0]][-1:], hours[hours >= moments[-1]][:1]
        steps = np.diff(np.concatenate([before, around, after]))
        if inside and steps.max() <= GAP:
            lines = np.interp(moments, hours, values)
            assert mean == pytest.approx(np.trapezoid(lines, clock) / 24, abs=2e-3)
        else:
            assert np.isnan(mean)


@pytest.mark.parametrize(
    ("missing", "complete"),
    [((), True), ((12,), True), ((18,), False), ((6,), False), ((6, 12, 18), False)],
)
def test_which_days_count_as_complete(missing: tuple[int, ...], complete: bool) -> None:
    """A day without its evening or its morning has a night of 18 hours or more."""
    times = at(np.arange(5), (6, 12, 18))
    kept = ~((times // 24 == 2) & np.isin(times % 24, missing))
    found = daily_means(times[kept], course(times)[kept])
    there = dict(zip(found.days.tolist(), found.means.tolist(), strict=True))
    assert bool(np.isnan(there.get(2, np.nan))) != complete


def test_nothing_gives_nothing() -> None:
    none = np.zeros(0)
    assert len(daily_means(none, none).days) == 0
    one = daily_means(np.array([12.0]), np.array([3.0]))
    assert one.days.tolist() == [0]
    assert np.isnan(one.means).all()
    lost = daily_means(np.array([6.0, 12.0, 18.0]), np.full(3, np.nan))
    assert len(lost.days) == 0


def means_of(found: DailyMeans) -> dict[int, float]:
    return dict(zip(found.days.tolist(), found.means.tolist(), strict=True))


@pytest.mark.parametrize("few", [(6, 12, 18), (6, 18), (6, 9, 12, 15, 18)])
def test_fewer_hours_do_not_make_a_step(few: tuple[int, ...]) -> None:
    """Eight observations a day for some years, then fewer: the means go on as they were."""
    eight = (0, 3, 6, 9, 12, 15, 18, 21)
    full_days, few_days = np.arange(0, 2500), np.arange(2500, 4000)
    times = np.concatenate([at(full_days, eight), at(few_days, few)])
    whole = at(np.arange(0, 4000), ALL)
    values = np.interp(times, whole, course(whole))
    found = daily_means(times, values)
    truth = means_of(daily_means(at(np.arange(0, 4000), eight), np.interp(
        at(np.arange(0, 4000), eight), whole, course(whole))))  # fmt: skip
    days = np.arange(2510, 3980)
    error = np.array([means_of(found)[d] - truth[d] for d in days.tolist()])
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    by_month = [abs(error[month == m].mean()) for m in range(12)]
    assert max(by_month) < 0.15, by_month
    assert (found.learnt[found.days < 2500] == 0).all()
    assert (found.learnt[(found.days > 2500) & (found.days < 3990)] != 0).all()


def test_other_hours_cannot_be_learnt_and_are_told() -> None:
    days = np.arange(0, ENOUGH + 900)
    times = np.concatenate([at(days[:-600], (7, 13, 20)), at(days[-600:], (6, 12, 18))])
    found = daily_means(times, course(times))
    assert (found.learnt[:-600] == 0).all()
    assert np.isnan(found.learnt[-600:]).all()
    assert not np.isnan(found.means[-590:-10]).any()


def test_a_short_record_learns_nothing() -> None:
    times = np.concatenate([at(np.arange(100), ALL), at(np.arange(100, 200), (6, 12, 18))])
    found = daily_means(times, course(times))
    assert np.isnan(found.learnt[120:180]).all() or (found.learnt[120:180] == 0).all()


@pytest.mark.shared
def test_what_is_learnt_holds_on_years_that_were_not_seen(shared: Path) -> None:
    """Falsterbo measured every third hour for decades: its odd years cut down to three a day."""
    path = shared / "data/smhi/metobs_csv/smhi-opendata_1_52230_Falsterbo.csv.gz"
    archive = read_archive(read_text(path), str(path))
    hours, values = archive.times.astype(np.int64) / 60, archive.values
    whole = daily_means(hours, values)
    days = np.floor(hours / 24).astype(np.int64)
    odd = days.astype("datetime64[D]").astype("datetime64[Y]").astype(int) % 2 == 1
    kept = ~odd | np.isin(hours % 24, (6, 12, 18))
    cut = means_of(daily_means(hours[kept], values[kept]))
    full = (whole.counts == 8) & ~np.isnan(whole.means)
    full &= whole.days.astype("datetime64[D]").astype("datetime64[Y]").astype(int) % 2 == 1
    error = np.array([cut[d] for d in whole.days[full].tolist()]) - whole.means[full]
    month = whole.days[full].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    by_month = np.array([error[month == m].mean() for m in range(12)])
    # Averaged as they are, three observations a day are 0.55 °C too warm in June.
    assert np.abs(by_month).max() < 0.1, by_month
    assert np.sqrt(np.mean(error**2)) < 0.3
