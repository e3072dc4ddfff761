"""Numbers of events by year: how far chance could have moved them, and whether they have a trend.

Events come in clusters: who sets one fire may set another. How much more than Poisson the numbers
of a place vary is measured by what is left of them when each place has its own rate and each year
its own level (a quasi-Poisson dispersion). What years have in common is no chance, and stays in the
numbers; a trend is judged against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.counts import Bools, Counts
from followdata.core.trend import FEWEST

Floats = npt.NDArray[np.float64]

_SIZES = (0.0, *np.geomspace(0.02, 1.0, 15).tolist())
_PERSISTENCES = np.arange(0.0, 0.95, 0.1).tolist()
"""How much what happens in a year may move the logarithm of its rate, and how much of that may go
on into the next."""
_LENT = 10.0
"""Events lent to a few places from all of them, to learn their dispersion by."""


@dataclass(frozen=True, eq=False)
class Yearly:
    """Events of some places together, by year.

    `events`, their intervals `low` to `high` for what would have been expected of such a year,
    `steady`, the events at one rate in all years, and `persons`: (years,), NaN where none of the
    places was counted. `dispersion` is the variance over that of Poisson.

    `change` is by what the rate per person is multiplied from year to year, with its interval;
    NaN where there are too few years or events. `p` is the chance that years which have one rate
    differ as much.
    """

    events: Floats
    low: Floats
    high: Floats
    steady: Floats
    persons: Floats
    dispersion: float
    change: float
    change_low: float
    change_high: float
    p: float


def by_year(counts: Counts, some: Bools, *, confidence: float = 0.95) -> Yearly:
    """The events of `some` (n,) of the places in each year.

    Raises `ValueError` where none of them was counted.

    >>> y = np.array([[3.0, 5, 4], [10, 9, 14]])
    >>> two = by_year(Counts(y, np.full((2, 3), 100.0), np.array([2001, 2002, 2003])),
    ...               np.array([True, True]))
    >>> two.events, two.steady, two.dispersion
    (array([13., 14., 18.]), array([15., 15., 15.]), 1.0)
    """
    chosen = counts.of(some)
    counted = chosen.counted.any(axis=0)
    if not counted.any():
        raise ValueError("none of the places was counted")
    events = np.where(counted, np.nansum(chosen.y, axis=0), np.nan)
    persons = np.where(counted, np.nansum(chosen.exposure, axis=0), np.nan)
    steady = persons * (np.nansum(events) / np.nansum(persons))
    dispersion, freedom = _dispersion(counts, some)
    low, high = interval(events, dispersion, confidence=confidence)
    change = _change(counts.years, events, persons, dispersion, confidence)
    p = _differ(events, steady, dispersion, freedom)
    return Yearly(events, low, high, steady, persons, dispersion, *change, p)


def dispersion_of(counts: Counts, some: Bools | None = None) -> float:
    """The variance of events over that of Poisson, 1 or more, of `some` of the places.

    Few events tell little of it: as if ten events of all places had been seen too.
    """
    return _dispersion(counts, some)[0]


def _dispersion(counts: Counts, some: Bools | None) -> tuple[float, float]:
    """The dispersion, and the degrees of freedom that it rests on (Satterthwaite 1946, Biometrics
    Bulletin 2:110): a few large places that vary most leave few."""
    years = len(counts.years)
    expected = counts.expected
    totals = np.nansum(expected, axis=1)
    mean = expected * (counts.totals / np.where(totals > 0, totals, 1))[:, None]
    square = np.nansum((counts.y - mean) ** 2, axis=1) * years / max(1, years - 1)
    # A year's level is learnt from the places themselves, and most of all from the large ones.
    weights = totals / max(totals.sum(), 1e-300)
    shares = square / square.sum() if square.sum() else weights
    square = square / max(0.5, 1 - 2 * weights @ shares + weights @ weights)
    sums = np.nansum(mean, axis=1)
    freedom = max(1, years - 1) / max(float(shares @ shares), 1e-300)
    everywhere = float(square.sum() / sums.sum()) if sums.sum() else 1.0
    if some is None or some.all():
        return max(1.0, everywhere), freedom
    lent = _LENT * everywhere
    own = square[some].sum() + lent
    parts = (square[some] ** 2).sum() / max(1, years - 1) + lent**2 / freedom
    return max(1.0, float(own / (sums[some].sum() + _LENT))), float(own**2 / max(parts, 1e-300))


def interval(
    events: Floats, dispersion: float, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Between which numbers the mean lies of which `events` were seen.

    That of Jeffreys for a Poisson mean, in clusters of `dispersion` events: a gamma distribution
    with half a cluster more than was seen (Brown, Cai and DasGupta 2003, Statistica Sinica 13:19).
    It covers the mean about as often as it says, on the average over means; 0 events have 0 as
    the lower end.

    >>> [ends.round(2).tolist() for ends in interval(np.array([0.0, 10.0]), 1.0)]
    [[0.0, 5.14], [2.51, 17.74]]
    """
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    clusters = events / dispersion + 0.5
    low = np.where(events == 0, 0.0, dispersion * gammaincinv(clusters, tail))
    return low, dispersion * np.asarray(gammaincinv(clusters, 1 - tail))


def span(mean: Floats, dispersion: float, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Between which numbers of events lie where `mean` are expected; NaN stays.

    They are Poisson, or negative binomial with so many times its variance.

    >>> [ends.tolist() for ends in span(np.array([0.1, 10.0]), 1.0)]
    [[0.0, 4.0], [1.0, 17.0]]
    """
    from scipy.stats import nbinom, poisson

    tail = (1 - confidence) / 2
    if dispersion <= 1 + 1e-9:
        return poisson.ppf(tail, mean), poisson.ppf(1 - tail, mean)
    size, part = mean / (dispersion - 1), 1 / dispersion
    return nbinom.ppf(tail, size, part), nbinom.ppf(1 - tail, size, part)


def _change(
    years: npt.NDArray[np.int64],
    events: Floats,
    persons: Floats,
    dispersion: float,
    confidence: float,
) -> tuple[float, float, float]:
    """By what the rate is multiplied each year, by a log-linear model of the events.

    What is left of it is chance, of the variance `dispersion` over the mean, and what happens to
    all in a year, of which some may go on into the next (an autoregression). As nobody can tell
    from some twenty years how large that is and how much goes on, the interval averages over what
    may be, by the restricted likelihood of each.
    """
    known = np.isfinite(events)
    x, y = (years[known] - years[known].mean()).astype(np.float64), events[known]
    if len(x) < FEWEST or np.count_nonzero(y) < FEWEST / 2:
        return np.nan, np.nan, np.nan
    design = np.column_stack([np.ones(len(x)), x])
    mean, slope = _fitted(design, y, persons[known])
    left, chance = (y - mean) / mean, np.diag(dispersion / mean)
    lag = np.abs(np.subtract.outer(x, x))
    fits = [
        _regressed(design, left, chance + size**2 * persistence**lag)
        for size in _SIZES
        for persistence in (_PERSISTENCES if size else (0.0,))
    ]
    slopes, errors, heights = np.array(fits).T
    # Without shocks there is nothing to go on: one fit stands for all of them.
    prior = np.array([1 if size else len(_PERSISTENCES) for size in _SIZES
                      for _ in (_PERSISTENCES if size else (0.0,))])  # fmt: skip
    weights = prior * np.exp(heights - heights.max())
    tail = (1 - confidence) / 2
    parts = (0.5, tail, 1 - tail)
    middle, low, high = (
        float(np.exp(slope + _mixed_quantile(slopes, errors, weights / weights.sum(), part)))
        for part in parts
    )
    return middle, low, high


def _fitted(design: Floats, y: Floats, persons: Floats) -> tuple[Floats, float]:
    """The means of a Poisson regression with a logarithmic link, by Newton's method, and the
    slope."""
    beta = np.array([np.log(y.sum() / persons.sum()), 0.0])
    for _ in range(50):
        mean = persons * np.exp(design @ beta)
        information = design.T @ (mean[:, None] * design)
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(persons * np.exp(design @ beta)), float(beta[1])


def _regressed(design: Floats, left: Floats, V: Floats) -> tuple[float, float, float]:
    """Slope, standard error and restricted log-likelihood of what is `left` on the scale of
    logarithms, if its covariance is `V`."""
    inverse = np.linalg.inv(V)
    precision = design.T @ inverse @ design
    beta = np.linalg.solve(precision, design.T @ inverse @ left)
    away = left - design @ beta
    dets = np.linalg.slogdet(V)[1] + np.linalg.slogdet(precision)[1]
    height = -0.5 * (dets + away @ inverse @ away)
    return float(beta[1]), float(np.sqrt(np.linalg.inv(precision)[1, 1])), float(height)


def _mixed_quantile(middles: Floats, errors: Floats, weights: Floats, part: float) -> float:
    """A quantile of a mixture of normal distributions."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    reach = 10 * errors.max()

    def below(value: float) -> float:
        return float(weights @ ndtr((value - middles) / errors)) - part

    return float(brentq(below, middles.min() - reach, middles.max() + reach))


def _differ(events: Floats, steady: Floats, dispersion: float, freedom: float) -> float:
    """The chance of years that differ as much at one rate, by an F test."""
    from scipy.special import fdtrc

    known = np.isfinite(events)
    if not steady[known].all() or known.sum() < 2:
        return 1.0
    square = np.sum((events[known] - steady[known]) ** 2 / steady[known]) / dispersion
    between = int(known.sum()) - 1
    return float(fdtrc(between, freedom, square / between))
