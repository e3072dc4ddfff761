from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import linregress, t

from followdata.core.seasons import Floats
from followdata.core.trend import FEWEST, linear_trend, smoothed

YEARS = np.arange(1900, 2000)


def noise(n: int, persistence: float, seed: int) -> Floats:
    shocks = np.random.default_rng(seed).normal(size=n + 200)
    return np.asarray(lfilter([1], [1, -persistence], shocks)[200:])


def test_without_persistence_it_is_ordinary_least_squares() -> None:
    # Alternating residuals: their correlation is negative, and is not taken for information.
    values = 0.03 * YEARS + np.tile([0.5, -0.5], 50)
    found, other = linear_trend(YEARS, values), linregress(YEARS, values)
    assert found.slope == pytest.approx(other.slope)
    assert found.persistence == 0
    assert found.effective == found.n == 100
    reach = t.ppf(0.975, 98) * other.stderr
    assert (found.low, found.high) == pytest.approx((other.slope - reach, other.slope + reach))


def test_persistence_makes_it_less_certain() -> None:
    alike = np.repeat(np.random.default_rng(1).normal(size=20), 5)
    found = linear_trend(YEARS, alike)
    assert found.persistence > 0.6
    assert found.effective < 25
    shuffled = linear_trend(YEARS, np.random.default_rng(2).permutation(alike))
    assert found.high - found.low > 1.7 * (shuffled.high - shuffled.low)


@given(st.floats(-1, 1), st.floats(-50, 50), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_scale_and_shift(slope: float, shift: float, scale: float) -> None:
    values = noise(100, 0.3, 3)
    one = linear_trend(YEARS, values)
    other = linear_trend(YEARS, scale * values + shift + slope * YEARS)
    assert other.slope == pytest.approx(scale * one.slope + slope, abs=1e-6)
    assert other.high - other.low == pytest.approx(scale * (one.high - one.low), rel=1e-6)


def test_missing_years_are_left_out() -> None:
    values = noise(100, 0.2, 4)
    values[[3, 50, 51]] = np.nan
    found = linear_trend(YEARS, values)
    assert found.n == 97
    assert found.slope == pytest.approx(
        linregress(YEARS[~np.isnan(values)], values[~np.isnan(values)]).slope
    )
    with pytest.raises(ValueError, match="9 values"):
        linear_trend(YEARS[: FEWEST - 1], values[4 : FEWEST + 3])


@pytest.mark.parametrize("years", [50, 150, 260])
@pytest.mark.parametrize("persistence", [0.0, 0.3, 0.6])
def test_the_interval_covers_as_often_as_it_says(years: int, persistence: float) -> None:
    """On noise of which each year keeps a part; yearly temperatures keep a tenth to a third."""
    when = np.arange(2000 - years, 2000)
    held = []
    for seed in range(400):
        found = linear_trend(when, 0.01 * when + noise(years, persistence, seed))
        held.append(found.low <= 0.01 <= found.high)
    # 95 %, and what 400 draws leave open; with 50 years of strong persistence a little less.
    least = 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400) - (0.03 if years == 50 and persistence else 0)
    assert np.mean(held) >= least, np.mean(held)
    assert np.mean(held) <= 0.995


def test_the_smooth_course_follows_and_its_band_holds_it() -> None:
    truth = np.where(YEARS < 1950, 0.0, 0.03 * (YEARS - 1950))
    held = []
    for seed in range(150):
        course, reach = smoothed(YEARS, truth + noise(100, 0.2, seed), YEARS)
        held.append(np.abs(course - truth) <= reach)
    covered = np.mean(held, axis=0)
    assert covered.mean() > 0.88  # the bend is smoothed away a little
    assert covered[:20].mean() > 0.9
    line = np.asarray(2.0 + 0.1 * YEARS, dtype=np.float64)
    np.testing.assert_allclose(smoothed(YEARS, line, YEARS)[0], line)
