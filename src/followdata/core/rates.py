"""Rates of events by place, drawn towards what places of that size have as far as chance goes.

Place `i` has in year `t` a number of events that is negative binomial with mean `e_it exp(eta_i)`
and variance `mean + kappa mean^2`, where `e_it` are the events it would have at everybody's rate
of that year. `eta_i` is normal around `a + b log(size_i)` with standard deviation `tau`: a
log-normal mixed model (Clayton and Kaldor 1987, Biometrics 43:671), with the size of the place as
what rates may depend on, and with years that differ by more than chance (`kappa`: who has set one
fire may set others).

`a`, `b`, `tau` and `kappa` are estimated from the marginal likelihood, each place integrated over
by quadrature. That they are not known exactly is allowed for by averaging over the points of a
central composite design around their mode (Rue, Martino and Chopin 2009, J. R. Statist. Soc. B
71:319, section 6.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from followdata.core.counts import Counts

Floats = npt.NDArray[np.float64]

FEWEST = 5
"""Places without which nothing can be learnt of how places differ."""
DRAWS = 4000
_NODES = 25
_FINE = 241
_WIDE = 6.0
_STEPS = 30
_KAPPA = 1e-4  # below it the negative binomial is Poisson to all digits that count
_PRIOR_SD = 2.0
_OUT = 1.1


@dataclass(frozen=True, eq=False)
class Rates:
    """Events per person and year of n places.

    `raw` is events over person-years, `rate` the estimate with its interval `low` to `high`,
    `typical` what places of its size have in the middle. `rank` orders the estimates, 1 being the
    highest; `rank_low` and `rank_high` hold it as often as the interval holds the rate. `effect`
    is by what the rate is multiplied where the size doubles, with its interval; `spread` the
    standard deviation of the logarithm of rates of places of one size (tau), and `clustering` how
    much years of one place differ beyond chance (kappa).
    """

    raw: Floats
    rate: Floats
    low: Floats
    high: Floats
    typical: Floats
    rank: Floats
    rank_low: Floats
    rank_high: Floats
    effect: float
    effect_low: float
    effect_high: float
    spread: float
    clustering: float


def shrunken_rates(counts: Counts, *, confidence: float = 0.95) -> Rates:
    """The rates of all places, each drawn the further the less its own events tell.

    `e_it` of a place that was not counted in a year are left out. An interval covers the rate with
    `confidence` on the average over places, if the logarithms of rates of places of one size are
    normal or not far from it; how far the claim holds otherwise is measured in the benchmarks.

    Raises `ValueError` for fewer than `FEWEST` places, or where there were no events.
    """
    if len(counts.y) < FEWEST or not counts.totals.any():
        raise ValueError("too few places or events to learn from")
    model = _Model.of(counts)
    mode, scale = model.mode()
    grid = model.grid(mode)
    weights = np.zeros(grid.shape)
    for point, weight in model.design(mode, scale):
        weights += weight * model.posterior(grid, point)
    return _rates(counts, model, mode, scale, grid, weights, confidence)


def _rates(
    counts: Counts,
    model: _Model,
    mode: Floats,
    scale: Floats,
    grid: Floats,
    weights: Floats,
    confidence: float,
) -> Rates:
    everybody = float(counts.totals.sum() / counts.person_years.sum())
    # At everybody's rate a place would have its expected events, whichever years it was counted.
    unit = np.nansum(counts.expected, axis=1) / counts.person_years
    unit = np.where(unit > 0, unit, everybody)
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = (np.exp(_quantiles(grid, weights, end)) for end in ends)
    mean = (weights * np.exp(grid)).sum(axis=1)
    ranks = _ranks(grid, weights, ends)
    order = np.asarray(np.argsort(np.argsort(-mean * unit, kind="stable")) + 1, dtype=np.float64)
    reach = float(np.sqrt((scale @ scale.T)[1, 1])) * _normal_quantile(ends[1])
    effect = np.exp(np.log(2) * np.array([mode[1], mode[1] - reach, mode[1] + reach]))
    return Rates(
        raw=counts.totals / counts.person_years,
        rate=mean * unit,
        low=low * unit,
        high=high * unit,
        typical=np.exp(model.centre(mode)) * unit,
        rank=order,
        rank_low=np.minimum(ranks[0], order),
        rank_high=np.maximum(ranks[1], order),
        effect=float(effect[0]),
        effect_low=float(effect[1]),
        effect_high=float(effect[2]),
        spread=float(np.exp(mode[2])),
        clustering=float(np.exp(mode[3])),
    )


@dataclass(frozen=True, eq=False)
class _Model:
    """Events (n x years) and what is expected of them, 0 where a place was not counted, and the
    centred logarithm of each place's size."""

    y: Floats
    expected: Floats
    size: Floats

    @classmethod
    def of(cls, counts: Counts) -> _Model:
        size = np.log(counts.person_years / counts.counted.sum(axis=1))
        return cls(np.nan_to_num(counts.y), np.nan_to_num(counts.expected), size - np.average(size))

    def centre(self, point: Floats) -> Floats:
        """Where the logarithms of rates of places of each size lie in the middle."""
        return np.asarray(point[0] + point[1] * self.size)

    def likelihood(self, eta: Floats, kappa: float) -> Floats:
        """The logarithm of each place's likelihood at `eta` (n x nodes), less what depends on
        neither."""
        total = self.y.sum(axis=1)[:, None] * eta
        ratio = np.exp(eta)
        for t in range(self.y.shape[1]):
            mean = self.expected[:, [t]] * ratio
            total = total - (self.y[:, [t]] + 1 / kappa) * np.log1p(kappa * mean)
        return np.asarray(total)

    def modes(self, point: Floats) -> tuple[Floats, Floats]:
        """Where each place's posterior is highest, and its standard deviation there, by Newton's
        method on a concave function."""
        centre, tau, kappa = self.centre(point), np.exp(point[2]), np.exp(point[3])
        eta = centre.copy()
        curved = np.full(len(eta), 1 / tau**2)
        for _ in range(_STEPS):
            mean = self.expected * np.exp(eta)[:, None]
            shrunk = 1 + kappa * mean
            slope = ((self.y - mean) / shrunk).sum(axis=1) - (eta - centre) / tau**2
            curved = (mean * (1 + kappa * self.y) / shrunk**2).sum(axis=1) + 1 / tau**2
            step = np.clip(slope / curved, -1.0, 1.0)
            eta = eta + step
            if np.abs(step).max() < 1e-8:
                break
        return eta, 1 / np.sqrt(curved)

    def marginal(self, point: Floats) -> float:
        """The logarithm of the marginal likelihood of `a`, `b`, `log tau` and `log kappa`, with
        weak priors: `tau` and `kappa` half-normal with a standard deviation of 2."""
        from scipy.special import gammaln

        tau, kappa = np.exp(point[2]), np.exp(point[3])
        middle, sd = self.modes(point)
        nodes = np.linspace(-_WIDE, _WIDE, _NODES)
        eta = middle[:, None] + sd[:, None] * nodes
        away = (eta - self.centre(point)[:, None]) / tau
        inner = self.likelihood(eta, kappa) - away**2 / 2
        top = inner.max(axis=1)
        step = nodes[1] - nodes[0]
        integral = np.exp(inner - top[:, None]).sum(axis=1) * step * sd / tau
        of_kappa = gammaln(self.y + 1 / kappa) - gammaln(1 / kappa) + self.y * point[3]
        prior = -(tau**2 + kappa**2) / (2 * _PRIOR_SD**2) + point[2] + point[3]
        return float((top + np.log(integral)).sum() + of_kappa.sum() + prior)

    def mode(self) -> tuple[Floats, Floats]:
        """The most likely point, and a square root of its covariance (4 x 4)."""
        from scipy.optimize import minimize

        bounds = [(-10, 10), (-5, 5), (np.log(0.02), np.log(5)), (np.log(_KAPPA), np.log(5))]
        begin = np.array([0.0, 0.0, np.log(0.5), np.log(0.1)])
        found = minimize(lambda p: -self.marginal(p), begin, method="L-BFGS-B", bounds=bounds)
        mode = np.asarray(found.x, dtype=np.float64)
        values, vectors = np.linalg.eigh(_curvature(self.marginal, mode))
        # A direction in which the likelihood is flat is known to a unit at most.
        return mode, vectors / np.sqrt(np.maximum(values, 1.0))

    def design(self, mode: Floats, scale: Floats) -> Iterator[tuple[Floats, float]]:
        """The points to average over, with weights that sum to 1."""
        d = len(mode)
        corners = np.array(list(product([-1.0, 1.0], repeat=d)))
        axes = np.sqrt(d) * np.vstack([np.eye(d), -np.eye(d)])
        around = [_kept(mode + scale @ (_OUT * z)) for z in np.vstack([corners, axes])]
        # All lie at a distance of _OUT sqrt(d), and weigh so much that the mean of z'z is d.
        heights = np.array([self.marginal(point) for point in around]) - self.marginal(mode)
        outer = np.exp(np.minimum(heights, 0) + d * _OUT**2 / 2) / (len(around) * (_OUT**2 - 1))
        weights = np.array([1.0, *outer])
        return zip([mode, *around], (weights / weights.sum()).tolist(), strict=True)

    def grid(self, mode: Floats) -> Floats:
        """Values of `eta` for each place (n x nodes), dense where its posterior may lie."""
        middle, sd = self.modes(mode)
        return np.asarray(middle[:, None] + 1.4 * _WIDE * sd[:, None] * np.linspace(-1, 1, _FINE))

    def posterior(self, grid: Floats, point: Floats) -> Floats:
        """The probability of each value of the grid (n x nodes) if `point` is true."""
        away = (grid - self.centre(point)[:, None]) / np.exp(point[2])
        inner = self.likelihood(grid, float(np.exp(point[3]))) - away**2 / 2
        raised = np.exp(inner - inner.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _kept(point: Floats) -> Floats:
    """The point with `tau` and `kappa` within what can be computed."""
    kept = point.copy()
    kept[2] = np.clip(kept[2], np.log(0.02), np.log(5))
    kept[3] = np.clip(kept[3], np.log(_KAPPA), np.log(5))
    return kept


def _curvature(height: Callable[[Floats], float], at: Floats, step: float = 0.02) -> Floats:
    """The negative second derivatives (d x d) of a function at its highest point."""
    d = len(at)
    steps = step * np.eye(d)
    here = height(at)
    found = np.empty((d, d))
    for i in range(d):
        found[i, i] = (2 * here - height(at + steps[i]) - height(at - steps[i])) / step**2
        for j in range(i):
            both = (
                height(at + steps[i] + steps[j])
                - height(at + steps[i] - steps[j])
                - height(at - steps[i] + steps[j])
                + height(at - steps[i] - steps[j])
            )
            found[i, j] = found[j, i] = -both / (4 * step**2)
    return found


def _quantiles(grid: Floats, weights: Floats, part: float) -> Floats:
    """The value below which `part` of each row's weight lies, between values of the grid."""
    below = np.cumsum(weights, axis=1) - weights / 2
    at = np.clip((below < part).sum(axis=1), 1, grid.shape[1] - 1)
    rows = np.arange(len(grid))
    left, right = below[rows, at - 1], below[rows, at]
    share = np.clip((part - left) / np.maximum(right - left, 1e-300), 0, 1)
    return np.asarray(grid[rows, at - 1] + share * (grid[rows, at] - grid[rows, at - 1]))


def _ranks(grid: Floats, weights: Floats, ends: list[float]) -> Floats:
    """Between which ranks each row lies (2 x n), out of draws of all rows, one from the other."""
    chance = np.random.default_rng(0)
    cumulated = np.cumsum(weights, axis=1)
    drawn = np.empty((DRAWS, len(grid)))
    for row, (values, sums) in enumerate(zip(grid, cumulated, strict=True)):
        at = np.searchsorted(sums, chance.random(DRAWS) * sums[-1])
        drawn[:, row] = values[np.minimum(at, len(values) - 1)]
    ranks = np.argsort(np.argsort(-drawn, axis=1), axis=1) + 1
    return np.asarray(np.quantile(ranks, ends, axis=0, method="inverted_cdf"), dtype=np.float64)


def _normal_quantile(part: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(part))
