"""The null model of counts: against integration by sums, Poisson regression, and its own truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.linear_model import PoissonRegressor

from followdata.core.intensity import _Search, fit_intensity
from followdata.core.nearness import by_distance, by_group, nowhere


def test_laplace_is_near_the_integral() -> None:
    y, expected, variance = np.array([3.0, 8.0, 5.0]), np.array([4.0, 5.0, 6.0]), 0.3
    spread = np.linspace(-6, 6, 401) * np.sqrt(variance)
    weights = stats.norm.pdf(spread, scale=np.sqrt(variance)) * (spread[1] - spread[0])

    def joint(level: float) -> float:
        means = expected[:, None] * np.exp(level + spread)
        return float(np.prod((stats.poisson.pmf(y[:, None], means) * weights).sum(1)))

    whole = integrate.quad(joint, -6, 6)[0]
    search = _Search(y, expected, np.ones((3, 1)), nowhere(3))
    laplace = search.likelihood(-1, np.array([np.log(variance), 0.0]))
    # A flat prior of the level, whose Gaussian integral brings a factor of sqrt(2 pi).
    assert laplace + np.log(2 * np.pi) / 2 == pytest.approx(np.log(whole), abs=0.05)


def test_without_overdispersion_it_is_poisson_regression() -> None:
    random = np.random.default_rng(1)
    x, expected = random.normal(size=200), random.uniform(1, 20, size=200)
    y = random.poisson(expected * np.exp(0.2 + 0.5 * x)).astype(float)
    X = np.column_stack([np.ones(200), x])
    fitted = fit_intensity(y, expected, X, nowhere(200))
    theirs = PoissonRegressor(alpha=0, tol=1e-8).fit(
        x[:, None], y / expected, sample_weight=expected
    )
    assert fitted.variance < 0.02
    assert fitted.coefficients == pytest.approx([theirs.intercept_, theirs.coef_[0]], abs=0.02)


def test_it_finds_what_counts_were_drawn_from() -> None:
    random = np.random.default_rng(2)
    places = random.uniform(0, 500, size=(250, 2))
    near = by_distance(places)
    at = 2  # exponential, an eighth of the largest distance
    K = 0.5 * (0.3 * np.eye(250) + 0.7 * near.matrices[at])
    expected = random.uniform(3, 40, size=250)
    y = random.poisson(expected * np.exp(np.linalg.cholesky(K) @ random.normal(size=250)))
    fitted = fit_intensity(y.astype(float), expected, np.ones((250, 1)), near)
    assert fitted.variance == pytest.approx(0.5, abs=0.25)
    assert fitted.share > 0.4
    assert near.ranges[at] / 2 <= fitted.reach <= near.ranges[at] * 2
    np.testing.assert_allclose(fitted.residual.sum(), 0, atol=1e-8)


def test_groups_stand_in_for_places() -> None:
    random = np.random.default_rng(3)
    groups = np.repeat([f"state {n}" for n in range(20)], 10)
    shared = np.repeat(random.normal(0, 0.8, size=20), 10)
    y = random.poisson(10 * np.exp(shared + random.normal(0, 0.2, size=200)))
    fitted = fit_intensity(y.astype(float), np.full(200, 10.0), np.ones((200, 1)), by_group(groups))
    assert fitted.share > 0.8
    assert fitted.kernel == "group"
