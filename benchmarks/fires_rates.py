"""Rates of events: how often intervals hold the true rate, and how near estimates come to it.

Fires are made up for the municipalities as they are, from rates that are known: of seven shapes,
with and without clusters, so that most are not what the model takes them for. Compared are the
exact interval of Poisson (Garwood 1936), a gamma prior whose moments are plugged in (Marshall 1991,
by the package esda, with the gamma posterior's own interval), and ours.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import gammaincinv

from benchmarks._tables import machine, table
from followdata.boundaries import register
from followdata.core.counts import Counts
from followdata.core.rates import shrunken_rates
from followdata.core.yearly import by_year
from followdata.questions.counts import counts_of
from followdata.sources import msb
from followdata.stories.fires.sample import sample

Floats = np.ndarray
REPEATS = int(os.environ.get("FOLLOWDATA_REPEATS", "20"))
CLASSES = 4
CSV = "data/school-fires/school_fire_cases_1998_2014.csv"


def main() -> None:
    print(f"{machine()}; {REPEATS} data sets a row.\n")
    counts = _real()
    start = time.perf_counter()
    shrunken_rates(counts)
    print(f"One fit: {time.perf_counter() - start:.1f} s for {len(counts.y)} places.\n")
    coverage(counts)
    trends(counts)


def _real() -> Counts:
    path = Path(os.environ.get("FOLLOWDATA_SHARED", "../shared")) / CSV
    reported = msb.read(path) if path.is_file() else None
    if reported is None:
        print(f"NO REAL DATA: {path} is not there; the counties of the sample instead.",
              file=sys.stderr)  # fmt: skip
        return counts_of(sample())
    register("sweden-municipalities", "followdata.sources.sweden:municipalities")
    return counts_of(msb.fires([reported]))


def _truths(size: Floats) -> dict[str, tuple[Callable[[np.random.Generator], Floats], float]]:
    """Rates over that of all, by the centred logarithm of size, and how much years cluster."""
    n = len(size)
    middle = np.exp(0.35 * size - 0.55)
    return {
        "log-normal, clusters": (lambda g: middle * np.exp(0.57 * g.normal(size=n)), 0.3),
        "log-normal, independent": (lambda g: middle * np.exp(0.57 * g.normal(size=n)), 0.0),
        "log-normal, size is nothing": (lambda g: 0.6 * np.exp(0.57 * g.normal(size=n)), 0.3),
        "gamma": (lambda g: middle * g.gamma(2.5, 1 / 2.5, n), 0.3),
        "two kinds": (lambda g: middle * np.exp(np.where(g.random(n) < 0.7, -0.4, 0.8)), 0.3),
        "heavy tails (t, 3)": (lambda g: middle * np.exp(0.4 * g.standard_t(3, n)), 0.3),
        "uniform": (lambda g: middle * np.exp(g.uniform(-1, 1, n)), 0.3),
    }


def _made(counts: Counts, ratio: Floats, kappa: float, chance: np.random.Generator) -> Counts:
    mean = np.nan_to_num(counts.expected) * ratio[:, None]
    if kappa:
        mean = mean * chance.gamma(1 / kappa, kappa, mean.shape)
    y = np.where(counts.counted, chance.poisson(mean), np.nan)
    return Counts(y, counts.exposure, counts.years)


def coverage(counts: Counts) -> None:
    size = np.log(counts.person_years / counts.counted.sum(axis=1))
    size = size - size.mean()
    cuts = np.quantile(size, np.arange(1, CLASSES) / CLASSES)
    classes = np.digitize(size, cuts)
    ways = {"exact Poisson": _exact, "gamma, plugged in": _marshall, "ours": _ours}
    rows = []
    for name, (draw, kappa) in _truths(size).items():
        chance = np.random.default_rng(1)
        hit: dict[str, list[Floats]] = {way: [] for way in ways}
        off: dict[str, list[Floats]] = {way: [] for way in ways}
        for _ in range(REPEATS):
            ratio = draw(chance)
            made = _made(counts, ratio, kappa, chance)
            truth = ratio * np.nansum(counts.expected, axis=1) / counts.person_years
            for way, estimate in ways.items():
                rate, low, high = estimate(made)
                hit[way].append((low <= truth) & (truth <= high))
                off[way].append(np.abs(rate - truth))
        for way in ways:
            covered = np.mean(hit[way], axis=0)
            by_class = [f"{covered[classes == one].mean():.1%}" for one in range(CLASSES)]
            error = 1e5 * float(np.mean(off[way]))
            rows.append((name, way, f"{covered.mean():.1%}", *by_class, f"{error:.2f}"))
    print("How often an interval of 95 % holds the true rate, in all and by size (a quarter of the "
          "places each), and the mean error of the estimate per 100,000 and year:\n")  # fmt: skip
    quarters = ("smallest", "small", "large", "largest")
    table(("true rates", "way", "all", *quarters, "error"), rows)


def _exact(made: Counts) -> tuple[Floats, Floats, Floats]:
    y, persons = made.totals, made.person_years
    low = np.where(y > 0, gammaincinv(np.maximum(y, 1e-9), 0.025), 0)
    return y / persons, low / persons, gammaincinv(y + 1, 0.975) / persons


def _marshall(made: Counts) -> tuple[Floats, Floats, Floats]:
    """Marshall's estimate, and the interval of the gamma posterior with his moments."""
    y, persons = made.totals, made.person_years
    mean = y.sum() / persons.sum()
    variance = (persons * (y / persons - mean) ** 2).sum() / persons.sum() - mean / persons.mean()
    variance = max(variance, 1e-3 * mean**2)
    shape, scale = mean**2 / variance, mean / variance
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from esda.smoothing import Empirical_Bayes

            rate = np.asarray(Empirical_Bayes(y, persons).r).ravel()
        except ImportError:
            rate = (y + shape) / (persons + scale)
    low, high = (gammaincinv(y + shape, end) / (persons + scale) for end in (0.025, 0.975))
    return rate, low, high


def _ours(made: Counts) -> tuple[Floats, Floats, Floats]:
    found = shrunken_rates(made)
    return found.rate, found.low, found.high


def trends(counts: Counts) -> None:
    """How often the interval of a trend holds the true one, if what happens in a year goes on."""
    every = np.ones(len(counts.y), dtype=bool)
    rows = []
    for size, persistence in ((0.0, 0.0), (0.2, 0.0), (0.2, 0.3), (0.2, 0.6), (0.2, 0.8)):
        chance = np.random.default_rng(2)
        hits, told = 0, 0
        for _ in range(5 * REPEATS):
            shocks = np.zeros(len(counts.years))
            for t in range(len(shocks)):
                new = chance.normal() * (np.sqrt(1 - persistence**2) if t else 1)
                shocks[t] = new + (persistence * shocks[t - 1] if t else 0)
            level = np.exp(size * shocks + 0.02 * (counts.years - counts.years.mean()))
            mean = np.nan_to_num(counts.exposure) * 2e-5 * level
            y = np.where(counts.counted, chance.poisson(mean * chance.gamma(4, 0.25, mean.shape)),
                         np.nan)  # fmt: skip
            found = by_year(Counts(y, counts.exposure, counts.years), every)
            hits += found.change_low <= np.exp(0.02) <= found.change_high
            told += found.change_low > 1
        rows.append((f"{size:g}", f"{persistence:g}", f"{hits / (5 * REPEATS):.0%}",
                     f"{told / (5 * REPEATS):.0%}"))  # fmt: skip
    print("\nHow often the interval of a trend of 2 % a year holds it, and is above 0:\n")
    table(("years differ by (log)", "goes on to the next", "holds it", "above 0"), rows)


if __name__ == "__main__":
    main()
