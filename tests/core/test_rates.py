"""Rates by place: drawn together as they should be, with intervals that cover at any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from followdata.core.counts import Counts
from followdata.core.rates import Rates, _Model, shrunken_rates

YEARS = np.arange(6)


def simulated(
    chance: np.random.Generator, n: int = 120, *, kind: str = "normal", kappa: float = 0.2
) -> tuple[Counts, np.ndarray]:
    """Events of places of very different size, and their true rates per person and year."""
    size = chance.normal(0, 1, n)
    if kind == "normal":
        around = np.exp(chance.normal(0, 0.6, n))
    elif kind == "gamma":
        around = chance.gamma(2.5, 1 / 2.5, n)
    else:
        around = np.exp(np.where(chance.random(n) < 0.7, -0.4, 0.8))
    rate = 2e-5 * np.exp(0.3 * size) * around
    persons = np.exp(9.8 + size)[:, None] * np.ones(len(YEARS))
    mean = persons * rate[:, None] * 3
    y = chance.poisson(mean * chance.gamma(1 / kappa, kappa, mean.shape))
    return Counts(y.astype(float), persons, YEARS), 3 * rate


@pytest.fixture(scope="module")
def found() -> tuple[Counts, Rates]:
    counts, _ = simulated(np.random.default_rng(0))
    return counts, shrunken_rates(counts)


def test_estimates_lie_between_what_was_counted_and_what_is_usual(
    found: tuple[Counts, Rates],
) -> None:
    counts, rates = found
    big = counts.person_years > np.quantile(counts.person_years, 0.9)
    apart = np.abs(np.log(rates.rate[big] / rates.raw[big]))
    assert np.median(apart) < 0.1
    none = counts.totals == 0
    assert none.any()
    assert (rates.rate[none] > 0).all()
    assert (rates.low <= rates.rate).all()
    assert (rates.rate <= rates.high).all()
    assert sorted(rates.rank) == list(range(1, 121))
    assert (rates.rank_low <= rates.rank).all()
    assert (rates.rank <= rates.rank_high).all()


def test_what_was_put_in_is_found(found: tuple[Counts, Rates]) -> None:
    _, rates = found
    assert rates.effect_low < 2**0.3 < rates.effect_high
    assert rates.spread == pytest.approx(0.6, abs=0.2)
    assert 0.02 < rates.clustering < 0.5


def test_a_posterior_is_what_integration_gives() -> None:
    counts, _ = simulated(np.random.default_rng(1), 8)
    model = _Model.of(counts)
    point = np.array([-0.1, 0.2, np.log(0.5), np.log(0.3)])
    grid = model.grid(point)
    posterior = model.posterior(grid, point)
    for row in range(3):
        y, e = counts.y[row], counts.expected[row]
        centre = float(model.centre(point)[row])

        def height(eta: float, y: np.ndarray = y, e: np.ndarray = e, c: float = centre) -> float:
            mean = e * np.exp(eta)
            events = stats.nbinom.pmf(y, 1 / 0.3, 1 / (1 + 0.3 * mean)).prod()
            return float(events * stats.norm.pdf(eta, c, 0.5))

        whole = integrate.quad(height, centre - 4, centre + 4)[0]
        mean = integrate.quad(lambda eta: height(eta) * np.exp(eta), centre - 4, centre + 4)[0]
        ours = float((posterior[row] * np.exp(grid[row])).sum())
        assert ours == pytest.approx(mean / whole, rel=1e-3)


@pytest.mark.parametrize("kind", ["normal", "gamma", "two kinds"])
def test_intervals_cover_in_each_class_of_size(kind: str) -> None:
    chance = np.random.default_rng(6)
    covered, ranked, classes = [], [], []
    for _ in range(5):
        counts, truth = simulated(chance, kind=kind)
        rates = shrunken_rates(counts)
        covered.append((rates.low <= truth) & (truth <= rates.high))
        rank = np.argsort(np.argsort(-truth)) + 1
        ranked.append((rates.rank_low <= rank) & (rank <= rates.rank_high))
        cuts = np.quantile(counts.person_years, [1 / 3, 2 / 3])
        classes.append(np.digitize(counts.person_years, cuts))
    hit, of = np.concatenate(covered), np.concatenate(classes)
    # 600 intervals: a share of 0.95 varies by some 0.01; within a class by 0.02.
    assert 0.92 <= hit.mean() <= 0.985
    assert all(hit[of == one].mean() >= 0.88 for one in range(3))
    assert np.concatenate(ranked).mean() >= 0.92


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 12))
def test_any_counts_give_finite_ordered_rates(seed: int, n: int) -> None:
    chance = np.random.default_rng(seed)
    y = chance.poisson(chance.exponential(2, (n, 4))).astype(float)
    y[0, 0] += 1
    persons = np.exp(chance.normal(8, 1, (n, 4)))
    gone = chance.random((n, 4)) < 0.2
    gone[:, -1] = False
    y[gone] = persons[gone] = np.nan
    if not np.nansum(y):
        return
    rates = shrunken_rates(Counts(y, persons, np.arange(4)))
    assert np.isfinite([rates.rate, rates.low, rates.high, rates.typical]).all()
    assert (rates.low < rates.high).all()


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        shrunken_rates(Counts(np.ones((4, 1)), np.ones((4, 1)), np.arange(1)))
    with pytest.raises(ValueError, match="too few"):
        shrunken_rates(Counts(np.zeros((9, 1)), np.ones((9, 1)), np.arange(1)))
