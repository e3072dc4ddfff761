"""Is the scan of indicators against fires calibrated, and what does it find? Beside its peers.

False positives in placebos of many kinds against the real counts, complete and with the gaps of
real indicators; power and coverage where an effect was planted, in the real counts and in counts
of other models; false discoveries among the real indicators where the counts are chance.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks._fires import Floats, real_fires
from benchmarks._tables import machine, table
from followdata.core import nearness, placebo
from followdata.core.discoveries import q_values
from followdata.core.gaps import Gaps, Pattern
from followdata.core.intensity import Intensity, fit_intensity
from followdata.core.normal import normal_scores
from followdata.core.proportion import share_interval
from followdata.core.scan import Scan, both_sides, scan, standardised
from followdata.core.smoothness import pairs, smoothness
from followdata.questions.scanned import NOTHING, SIZE, Scanned, noises

PLACEBOS = 2000
OTHERS = 60
"""Placebos a kind for the tests of other packages, which take milliseconds each."""
RATIOS = (1.1, 1.2, 1.4)
PLANTED = 30
SIMULATED = 40


def main() -> None:
    data = real_fires()
    if data is None:
        return
    print(f"{machine()}.\n")
    for adjust in (SIZE, NOTHING):
        scanned = Scanned.of(data, adjust)
        false_positives(scanned, adjust)
        print()
    scanned = Scanned.of(data, SIZE)
    with_gaps(scanned)
    print()
    power(scanned)
    print()
    discoveries(scanned)


def percent(p: Floats, level: float = 0.05) -> str:
    return f"{100 * float((p <= level).mean()):.2g}" if level < 0.01 else (
        f"{100 * float((p <= level).mean()):.1f}"
    )  # fmt: skip


# False positives


def false_positives(scanned: Scanned, adjust: str) -> None:
    peers = Peers.of(scanned) if adjust == SIZE else None
    allowed = "log population allowed for" if adjust == SIZE else "log population not allowed for"
    print(
        f"False positives in percent, {allowed}: {PLACEBOS:,} placebos a kind against the real "
        f"counts{f' ({OTHERS} for the peers, at 5 %)' if peers else ''}:\n"
    )
    names = ["at 5 %", "at 1 %", "at 0.1 %", "counts side", "columns side"]
    table(("noise", *names, *(Peers.NAMES if peers else ())), found_in_noise(scanned, peers))


def found_in_noise(scanned: Scanned, peers: Peers | None) -> Iterator[tuple[str, ...]]:
    random = np.random.default_rng(0)
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        for name, noise in noises(scanned, PLACEBOS, random):
            Z = normal_scores(noise)
            found = scan(scanned.intensity, Z, scanned.nearness, executor)
            low, high = share_interval(int((found.p <= 0.05).sum()), PLACEBOS)
            yield (
                name,
                f"{percent(found.p)} ({100 * low:.1f} to {100 * high:.1f})",
                percent(found.p, 0.01),
                percent(found.p, 0.001),
                percent(found.p_counts),
                percent(found.p_columns),
                *(peers.rates(standardised(Z[:, :OTHERS])) if peers else ()),
            )


class Peers:
    """What statsmodels says of one column at a time, on the totals of each place with the same
    exposure and allowance: the panel with year effects has the same estimates."""

    NAMES = (
        "Poisson", "quasi-Poisson", "Poisson, robust", "Poisson, by county", "NB2",
        "NB2, by county",
    )  # fmt: skip

    def __init__(self, y: Floats, expected: Floats, X: Floats, groups: Any) -> None:
        self.y, self.log_expected, self.X, self.groups = y, np.log(expected), X, groups

    @classmethod
    def of(cls, scanned: Scanned) -> Peers | None:
        try:
            import statsmodels.api  # noqa: F401
        except ImportError as error:
            print(f"Without peers, for {error.name} is not installed: pip install --group bench\n")
            return None
        expected = np.nansum(scanned.counts.expected, axis=1)
        return cls(scanned.counts.totals, expected, scanned.X, scanned.groups)

    def rates(self, Z: Floats) -> list[str]:
        """The share of columns with p at most 5 %, in percent, test by test."""
        with ProcessPoolExecutor(os.cpu_count()) as executor:
            found = list(executor.map(self.one, Z.T, chunksize=10))
        return [percent(p) for p in np.array(found).T]

    def one(self, z: Floats) -> list[float]:
        import statsmodels.api as sm

        design = np.column_stack([self.X, z])
        county = {
            "cov_type": "cluster",
            "cov_kwds": {"groups": np.unique(self.groups, return_inverse=True)[1]},
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            poisson = sm.GLM(self.y, design, sm.families.Poisson(), offset=self.log_expected)
            start = np.r_[poisson.fit().params, 0.5]
            nb2 = sm.NegativeBinomial(self.y, design, offset=self.log_expected)
            how = {"disp": 0, "maxiter": 100, "start_params": start}
            return [
                poisson.fit().pvalues[-1],
                poisson.fit(scale="X2").pvalues[-1],
                poisson.fit(cov_type="HC1").pvalues[-1],
                poisson.fit(**county).pvalues[-1],
                nb2.fit(**how).pvalues[-2],
                nb2.fit(**how, **county).pvalues[-2],
            ]


# Gaps


def with_gaps(scanned: Scanned) -> None:
    """Surrogates of the real indicators, and noise of two kinds with real gaps."""
    random = np.random.default_rng(1)
    gaps = ~np.isfinite(scanned.scores)
    often = gaps[:, gaps.sum(0) > 0]
    rows = []
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        real = scan(scanned.intensity, scanned.scores, scanned.nearness, executor)
        chosen = random.integers(scanned.scores.shape[1], size=PLACEBOS)
        made = placebo.surrogates(
            scanned.values, scanned.scores, scanned.X, scanned.nearness, real.smoothness, chosen,
            random,
        )  # fmt: skip
        for name, noise in (
            ("surrogates of the real ones, gaps and all", made),
            *(
                (f"{name}, gaps of real ones", np.where(_drawn(often, random), np.nan, noise))
                for name, noise in noises(scanned, PLACEBOS, random)
            ),
        ):
            found = scan(scanned.intensity, normal_scores(noise), scanned.nearness, executor)
            few = found.n < 145
            low, high = share_interval(int((found.p <= 0.05).sum()), PLACEBOS)
            rows.append(
                (
                    name,
                    f"{percent(found.p)} ({100 * low:.1f} to {100 * high:.1f})",
                    percent(found.p, 0.01),
                    percent(found.p, 0.001),
                    f"{percent(found.p[few])} of {few.sum()}",
                )
            )
    print(f"With gaps, log population allowed for; {PLACEBOS:,} placebos a kind:\n")
    table(("noise", "at 5 %", "at 1 %", "at 0.1 %", "at 5 %, less than half known"), rows)


def _drawn(gaps: Any, random: np.random.Generator) -> Any:
    return gaps[:, random.integers(gaps.shape[1], size=PLACEBOS)]


# Power


Draw = Callable[[Floats, np.random.Generator], Floats]


def power(scanned: Scanned) -> None:
    """Effects planted in the real counts, and in counts of other models."""
    print(
        f"Planted effects, log population allowed for; {PLANTED} data sets a row, each with a null "
        "model of its own. Power at 5 % in percent, the share of 95 % intervals that hold the "
        "planted ratio, and the median of the ratios found:\n"
    )
    table(
        ("counts", "indicator", "ratio", "power", "counts side alone", "covered", "found"),
        found_where_planted(scanned, {REAL: 3, FITTED: 2}),
    )


def found_where_planted(scanned: Scanned, kinds: dict[str, int]) -> Iterator[tuple[str, ...]]:
    for label, draw in models(scanned).items():
        for kind in KINDS[: kinds.get(label, 1)]:
            for ratio in RATIOS:
                yield label, kind, f"{ratio}", *planted(scanned, draw, kind, ratio)


REAL, FITTED = "the real ones, thinned or added to", "the model that is fitted"
INDEPENDENT, EXPONENTIAL, MATERN = "independent", "exponential, 150 km", "Matern, 150 km"
KINDS = (INDEPENDENT, EXPONENTIAL, MATERN)


def indicators(scanned: Scanned, kind: str, number: int, random: np.random.Generator) -> Floats:
    if kind == INDEPENDENT:
        made = placebo.independent(len(scanned.X), number, random)
    else:
        assert scanned.counts.places is not None
        kernel = nearness.EXPONENTIAL if kind == EXPONENTIAL else nearness.MATERN
        apart = nearness.distances(scanned.counts.places)
        made = placebo.smooth(nearness.correlation(apart, kernel, 150.0), number, random)
    return standardised(normal_scores(made))


def models(scanned: Scanned) -> dict[str, Draw]:
    """Ways to draw counts, given the log of what they are multiplied with."""
    null, y = scanned.intensity, scanned.counts.totals
    expected = np.nansum(scanned.counts.expected, axis=1)
    fixed = expected * np.exp(scanned.X @ null.coefficients)
    shared = scanned.nearness.matrices[_chosen(scanned)]
    K = null.variance * ((1 - null.share) * np.eye(len(y)) + null.share * shared)
    root = np.linalg.cholesky(K)
    dispersion = np.exp(null.variance) - 1

    def real(log: Floats, random: np.random.Generator) -> Floats:
        """The real ones, thinned out where fewer are wanted, added to where more are."""
        times = np.exp(log)
        fewer = random.binomial(y.astype(int), np.minimum(times, 1.0))
        more = random.poisson(null.mean * np.maximum(times - 1, 0.0))
        return np.asarray(np.where(times < 1, fewer, y + more), dtype=np.float64)

    def fitted(log: Floats, random: np.random.Generator) -> Floats:
        return _poisson(fixed * np.exp(log + root @ random.normal(size=len(y))), random)

    def lognormal(log: Floats, random: np.random.Generator) -> Floats:
        spread = np.sqrt(null.variance) * random.normal(size=len(y))
        return _poisson(fixed * np.exp(log + spread), random)

    def nb2(log: Floats, random: np.random.Generator) -> Floats:
        mean = fixed * np.exp(log + null.variance / 2)
        return _poisson(mean * random.gamma(1 / dispersion, dispersion, size=len(y)), random)

    def zeros(log: Floats, random: np.random.Generator) -> Floats:
        none = random.random(len(y)) < 0.25
        return np.where(none, 0.0, nb2(log, random))

    return {
        REAL: real,
        FITTED: fitted,
        "log-normal Poisson without geography": lognormal,
        "NB2": nb2,
        "NB2, a quarter without any": zeros,
    }


def _chosen(scanned: Scanned) -> int:
    null, near = scanned.intensity, scanned.nearness
    return next(
        at
        for at, (kernel, reach) in enumerate(zip(near.kernels, near.ranges, strict=True))
        if kernel == null.kernel and reach == null.reach
    )


def _poisson(mean: Floats, random: np.random.Generator) -> Floats:
    return random.poisson(mean).astype(np.float64)


def planted(scanned: Scanned, draw: Draw, kind: str, ratio: float) -> tuple[str, ...]:
    random = np.random.default_rng(int(1000 * ratio) + len(kind))
    Z = indicators(scanned, kind, PLANTED, random)
    nulls = [refitted(scanned, draw(np.log(ratio) * z, random)) for z in Z.T]
    found = each_with_its_own(scanned, Z, nulls)
    covered = (found.low <= np.log(ratio)) & (np.log(ratio) <= found.high)
    return (
        f"{100 * float((found.p <= 0.05).mean()):.0f}",
        f"{100 * float((found.p_counts <= 0.05).mean()):.0f}",
        f"{100 * float(covered.mean()):.0f}",
        f"{np.exp(np.median(found.effect)):.3f}",
    )


def refitted(scanned: Scanned, y: Floats) -> Intensity:
    """The null model of other counts, with expected ones that sum to them."""
    expected = np.nansum(scanned.counts.expected, axis=1)
    return fit_intensity(y, expected * y.sum() / expected.sum(), scanned.X, scanned.nearness)


def each_with_its_own(scanned: Scanned, Z: Floats, nulls: Sequence[Intensity]) -> Scan:
    """Column by column tested against a null model of its own; all are complete."""
    residuals = np.column_stack([null.residual for null in nulls])
    inner = (residuals * Z).sum(0)
    squares = np.array([z @ null.linear.P @ z for z, null in zip(Z.T, nulls, strict=True)])
    everyone = np.ones(len(Z), dtype=bool)
    alone = [Pattern(everyone, np.array([column])) for column in range(Z.shape[1])]
    smooth = smoothness(Z, scanned.X, scanned.nearness, residuals, Gaps(Z.shape, alone, []))
    return both_sides(inner, squares, smooth, scanned.X.shape[1])


# False discoveries


def discoveries(scanned: Scanned) -> None:
    """Counts drawn from the null model, indicators as they are, alike as they are: how often is
    anything found at a false discovery rate of 5 %, and at which size is p below 5 %?"""
    complete = np.isfinite(scanned.scores).all(0)
    Z = standardised(scanned.scores[:, complete])
    random = np.random.default_rng(4)
    whole = Gaps.of(Z)
    first = smoothness(Z, scanned.X, scanned.nearness, scanned.intensity.residual[:, None], whole)
    matrices = [pair.correlation(scanned.nearness) for pair in pairs(scanned.nearness)]
    rows = []
    for label, draw in list(models(scanned).items())[1:]:
        anything, rates = 0, []
        for _ in range(SIMULATED):
            null = refitted(scanned, draw(np.zeros(len(Z)), random))
            a = null.residual
            spreads = first.scales * np.array([a @ R @ a for R in matrices])[:, None]
            found = both_sides(
                a @ Z, (Z * (null.linear.P @ Z)).sum(0), replace(first, spreads=spreads),
                scanned.X.shape[1],
            )  # fmt: skip
            anything += bool((q_values(found.p) <= 0.05).any())
            rates.append(float((found.p <= 0.05).mean()))
        low, high = share_interval(anything, SIMULATED)
        rows.append(
            (
                label,
                f"{100 * anything / SIMULATED:.1f} ({100 * low:.1f} to {100 * high:.1f})",
                f"{100 * np.mean(rates):.1f}",
            )
        )
    print(
        f"Real indicators (the {Z.shape[1]} without gaps), counts that have nothing to do with "
        f"them; {SIMULATED} data sets a row, in percent:\n"
    )
    table(("counts", "anything found at FDR 5 %", "p below 5 %"), rows)
