"""Events by year: by hand, against other programs, and whether intervals hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from followdata.core.counts import Counts
from followdata.core.yearly import by_year, dispersion_of, interval, span

YEARS = np.arange(1998, 2015)


def simulated(
    chance: np.random.Generator, *, size: float = 0.0, change: float = 0.0, n: int = 60
) -> tuple[Counts, np.ndarray]:
    """Negative binomial events of `n` places over 17 years, and their means."""
    persons = np.exp(chance.normal(10, 1, n))[:, None] * np.ones(17)
    shocks = np.exp(size * chance.normal(size=17) + change * (YEARS - 2006))
    mean = 2e-5 * persons * np.exp(chance.normal(0, 0.5, (n, 1))) * shocks
    y = chance.poisson(mean * chance.gamma(4, 1 / 4, mean.shape)).astype(float)
    return Counts(y, persons, YEARS), mean


def test_by_hand() -> None:
    y = np.array([[1.0, 2, 3], [3.0, 2, 1], [np.nan, 0, 0]])
    persons = np.array([[10.0, 10, 10], [10, 10, 10], [np.nan, 5, 5]])
    found = by_year(Counts(y, persons, np.array([1, 2, 3])), np.array([True, False, True]))
    np.testing.assert_array_equal(found.events, [1, 2, 3])
    np.testing.assert_array_equal(found.persons, [10, 15, 15])
    np.testing.assert_allclose(found.steady, 6 / 40 * np.array([10, 15, 15]))
    assert np.isnan(found.change)  # three years are no trend


def test_years_in_which_a_place_was_not_counted_are_missing() -> None:
    y = np.array([[1.0, 2, 3], [np.nan, 0, 4]])
    counts = Counts(y, np.where(np.isnan(y), np.nan, 9.0), np.array([1, 2, 3]))
    found = by_year(counts, np.array([False, True]))
    assert np.isnan(found.events[0])
    assert np.isnan(found.low[0])
    with pytest.raises(ValueError, match="counted"):
        by_year(counts, np.array([False, False]))


def test_an_interval_is_that_of_jeffreys_where_events_are_independent() -> None:
    low, high = interval(np.array([0.0, 3.0, 40.0]), 1.0)
    np.testing.assert_allclose(high, stats.gamma.ppf(0.975, [0.5, 3.5, 40.5]))
    np.testing.assert_allclose(low[1:], stats.gamma.ppf(0.025, [3.5, 40.5]))
    assert low[0] == 0


@pytest.mark.parametrize("dispersion", [1.0, 1.8, 2.5])
def test_an_interval_covers_the_mean_as_often_as_it_says(dispersion: float) -> None:
    chance = np.random.default_rng(0)
    means = np.exp(chance.uniform(np.log(0.5), np.log(100), 20_000))
    if dispersion == 1:
        events = chance.poisson(means)
    else:
        events = chance.negative_binomial(means / (dispersion - 1), 1 / dispersion)
    low, high = interval(events.astype(float), dispersion)
    assert 0.945 < np.mean((low <= means) & (means <= high)) < 0.975


def test_a_span_holds_what_is_expected_of_it() -> None:
    chance = np.random.default_rng(1)
    means = np.full(20_000, 6.0)
    for dispersion in (1.0, 2.0):
        low, high = span(means, dispersion)
        assert high[0] == (stats.poisson.ppf(0.975, 6) if dispersion == 1 else high[0])
        drawn = (
            chance.poisson(means)
            if dispersion == 1
            else chance.negative_binomial(means / (dispersion - 1), 1 / dispersion)
        )
        assert 0.94 < np.mean((low <= drawn) & (drawn <= high)) < 0.99
    assert np.isnan(span(np.array([np.nan]), 2.0)[0][0])


def test_the_dispersion_is_found() -> None:
    chance = np.random.default_rng(2)
    persons = np.full((80, 17), 1e4)
    mean = np.full((80, 17), 5.0)
    for true in (1.0, 2.5):
        y = (
            chance.poisson(mean)
            if true == 1
            else chance.negative_binomial(5 / 1.5, 1 / 2.5, mean.shape)
        )
        found = dispersion_of(Counts(y.astype(float), persons, YEARS))
        assert found == pytest.approx(true, rel=0.1)


def test_years_of_one_rate_are_called_different_as_seldom_as_they_should() -> None:
    chance = np.random.default_rng(3)
    every = np.ones(60, dtype=bool)
    p = np.array([by_year(simulated(chance)[0], every).p for _ in range(150)])
    assert np.mean(p < 0.05) < 0.12
    assert np.mean(p < 0.5) > 0.35


def test_a_trend_is_found_and_its_interval_covers() -> None:
    chance = np.random.default_rng(4)
    every = np.ones(60, dtype=bool)
    found = [by_year(simulated(chance, size=0.15, change=0.05)[0], every) for _ in range(40)]
    covered = np.mean([one.change_low <= np.exp(0.05) <= one.change_high for one in found])
    assert covered >= 0.9
    assert np.mean([one.change_low > 1 for one in found]) > 0.5
    flat = [by_year(simulated(chance, size=0.15)[0], every) for _ in range(40)]
    assert np.mean([one.change_low <= 1 <= one.change_high for one in flat]) >= 0.9


def test_the_slope_is_that_of_a_regression() -> None:
    counts, _ = simulated(np.random.default_rng(5), change=0.04)
    found = by_year(counts, np.ones(60, dtype=bool))
    rate = np.log(found.events / found.persons)
    slope = np.polyfit(YEARS, rate, 1, w=np.sqrt(found.events))[0]
    assert np.log(found.change) == pytest.approx(slope, abs=0.006)
