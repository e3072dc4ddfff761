"""The scan: p-values of chance, power, intervals that cover, gaps, placebos, stability."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from followdata.core import nearness, placebo
from followdata.core.intensity import Intensity, fit_intensity
from followdata.core.nearness import EXPONENTIAL, MATERN, by_distance, correlation, distances
from followdata.core.normal import normal_scores
from followdata.core.proportion import share_interval
from followdata.core.scan import can_be_tested, scan, standardised
from followdata.core.stability import halves, stability

Floats = npt.NDArray[np.float64]

N = 120
PLACEBOS = 600
MOST = 0.05 + 3 * np.sqrt(0.05 * 0.95 / PLACEBOS)
"""What five percent of so many are taken for in all but one of a thousand cases."""


class Country:
    """Places with counts that are overdispersed and alike among neighbours."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.places = random.uniform(0, 800, size=(N, 2))
        self.near = by_distance(self.places)
        self.expected = np.exp(random.normal(1.8, 1.0, size=N))
        size = np.log(self.expected)
        self.size = (size - size.mean()) / size.std()
        self.X = np.column_stack([np.ones(N), self.size])
        K = 0.4 * (0.5 * np.eye(N) + 0.5 * self.correlated(EXPONENTIAL, 100.0))
        self.root = np.linalg.cholesky(K)
        self.null = self.fitted(self.counts(0.3 * self.size, random))

    def correlated(self, kernel: str, reach: float) -> Floats:
        return correlation(distances(self.places), kernel, reach)

    def counts(self, log: Floats, random: np.random.Generator) -> Floats:
        rate = np.exp(log + self.root @ random.normal(size=N))
        return random.poisson(self.expected * rate).astype(float)

    def fitted(self, y: Floats) -> Intensity:
        return fit_intensity(y, self.expected, self.X, self.near)


@pytest.fixture(scope="module")
def country() -> Country:
    return Country(5)


def test_chance_of_every_kind_is_seldom_taken_for_more(country: Country) -> None:
    random = np.random.default_rng(0)
    tied = 0.3 * country.size[:, None] + 0.95 * placebo.independent(N, PLACEBOS, random)
    kinds = [
        placebo.independent(N, PLACEBOS, random),
        placebo.skewed(N, PLACEBOS, random),
        tied,
        *(
            placebo.smooth(country.correlated(kernel, reach), PLACEBOS, random)
            for kernel in (EXPONENTIAL, MATERN)
            for reach in (50.0, 150.0, 400.0)
        ),
    ]
    with ThreadPoolExecutor(2) as executor:
        p = scan(country.null, normal_scores(np.hstack(kinds)), country.near, executor).p
    rates = (p.reshape(len(kinds), PLACEBOS) <= 0.05).mean(1)
    assert (rates <= MOST).all(), rates
    assert rates.mean() > 0.02  # it is not shy
    assert stats.kstest(p[:PLACEBOS], "uniform").statistic < 0.08


def test_gaps_change_nothing_in_that(country: Country) -> None:
    random = np.random.default_rng(1)
    noise = np.hstack(
        [
            placebo.skewed(N, PLACEBOS, random),
            placebo.smooth(country.correlated(MATERN, 150.0), PLACEBOS, random),
        ]
    )
    gaps = random.random((N, 30)) < random.uniform(0.02, 0.7, size=30)
    noise[gaps[:, random.integers(30, size=noise.shape[1])]] = np.nan
    found = scan(country.null, normal_scores(noise), country.near)
    rates = (found.p.reshape(2, PLACEBOS) <= 0.05).mean(1)
    assert (rates <= MOST).all(), rates
    assert found.n.tolist() == np.isfinite(noise).sum(0).tolist()


def test_what_is_there_is_found_and_intervals_cover(country: Country) -> None:
    """Each data set with its own indicator and null model; nothing is known of neighbours, so that
    it is quick, and nothing need be: neither indicators nor counts are alike among them."""
    random = np.random.default_rng(2)
    near, effect, held, found = nearness.nowhere(N), np.log(1.3), 0, 0
    for _ in range(80):
        z = standardised(random.normal(size=(N, 1)))
        log = effect * z[:, 0] + 0.6 * random.normal(size=N)
        y = random.poisson(country.expected * np.exp(log)).astype(float)
        null = fit_intensity(y, country.expected, country.X, near)
        one = scan(null, z, near)
        held += bool(one.low[0] <= effect <= one.high[0])
        found += bool(one.p[0] <= 0.05)
        assert (one.p[0] <= 0.05) == (one.low[0] > 0 or one.high[0] < 0)
    low, high = share_interval(held, 80, 0.998)
    assert low <= 0.95 <= high, held
    assert found > 50


def test_a_column_with_gaps_is_tested_on_its_own_places(country: Country) -> None:
    random = np.random.default_rng(3)
    z = random.normal(size=(N, 1))
    z[random.random(N) < 0.3] = np.nan
    known = np.isfinite(z[:, 0])
    whole = scan(country.null, z, country.near)
    linear = country.null.linear
    V, X = linear.V[np.ix_(known, known)], linear.X[known]
    score = standardised(z[known])[:, 0]
    Q = np.linalg.inv(V)
    fit = np.column_stack([X, score])
    slopes = np.linalg.solve(fit.T @ Q @ fit, fit.T @ Q @ country.null.response[known])
    assert whole.effect[0] == pytest.approx(slopes[-1])  # generalised least squares


def test_which_columns_have_enough_to_be_tested() -> None:
    X = np.full((60, 4), np.nan)
    X[:, 0] = np.arange(60)
    X[:20, 1] = np.arange(20)  # too few
    X[:, 2] = np.arange(60) < 5  # five differ
    X[:, 3] = np.arange(60) < 15
    assert can_be_tested(X).tolist() == [True, False, False, True]


def test_surrogates_have_values_gaps_ties_and_smoothness_of_the_real_ones(country: Country) -> None:
    random = np.random.default_rng(4)
    rough = np.exp(placebo.independent(N, 1, random))
    glide = placebo.smooth(country.correlated(MATERN, 200.0), 1, random).round(1)
    glide += country.size[:, None].round(1)
    values = np.hstack([rough, glide])
    values[:20, 1] = np.nan
    scores = normal_scores(values)
    smooth = scan(country.null, scores, country.near).smoothness
    chosen = np.repeat([0, 1], 100)
    made = placebo.surrogates(values, scores, country.X, country.near, smooth, chosen, random)
    for column, at in enumerate(chosen):
        assert np.isnan(made[:, column]).tolist() == np.isnan(values[:, at]).tolist()
        np.testing.assert_array_equal(np.sort(made[:, column]), np.sort(values[:, at]))
    near = country.correlated(EXPONENTIAL, 50.0)[20:, 20:] - np.eye(N - 20)
    alike = [float(z @ near @ z) for z in standardised(scores[20:]).T]
    theirs = [float(z @ near @ z) for z in standardised(normal_scores(made[20:])).T]
    assert np.median(theirs[:100]) < np.median(theirs[100:])
    assert np.median(theirs[100:]) == pytest.approx(alike[1], rel=0.4)
    tied = [abs(np.corrcoef(z, country.size[20:])[0, 1]) for z in scores[20:].T]
    ties = [np.corrcoef(z, country.size[20:])[0, 1] for z in normal_scores(made[20:]).T]
    assert np.mean(ties[100:]) == pytest.approx(tied[1], abs=0.1)


def test_stability_knows_an_effect_from_chance(country: Country) -> None:
    random = np.random.default_rng(6)
    z = random.normal(size=(N, 20))
    y = country.counts(0.5 * z[:, 0], random)
    null = country.fitted(y)
    found = scan(null, z, country.near)
    drawn = halves(np.arange(N).astype(str), N, random)
    steady = stability(null, z, found.effect, found.inflation, drawn)
    assert steady[0] > 0.8
    assert np.median(steady[1:]) < 0.2


def test_halves_are_made_of_whole_groups() -> None:
    groups = np.repeat([f"county {n}" for n in range(10)], 6)
    for rows in halves(groups, 60, np.random.default_rng(0)):
        assert len(rows) == 30
        assert len(np.unique(groups[rows])) == 5


def test_an_exact_interval_of_a_share() -> None:
    theirs = stats.binomtest(7, 90).proportion_ci(method="exact")
    assert share_interval(7, 90) == pytest.approx((theirs.low, theirs.high))
    assert share_interval(0, 10)[0] == 0
    assert share_interval(10, 10)[1] == 1
