"""How long the scan of 2,303 indicators takes, all of it, beside one regression after the other.

The peers are in the dependency group `bench`; without them only our own is measured.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from benchmarks._fires import Floats, real_fires
from benchmarks._tables import machine, table
from followdata.core.placebo import surrogates
from followdata.core.scan import scan
from followdata.data import MemoryTable
from followdata.questions.relate import fit_related
from followdata.questions.scanned import SIZE, Scanned

INDICATORS = 2303
SOME = 10
"""The peers do so many; the time for all is reckoned from that."""


def main() -> None:
    data = real_fires()
    if data is None:
        return
    print(f"{machine()}.\n")
    assert isinstance(data, MemoryTable)
    scanned = Scanned.of(data, SIZE)
    whole, real = filled_up(data, scanned)
    start, used = time.perf_counter(), time.process_time()
    found = fit_related(whole)
    taken, used = time.perf_counter() - start, time.process_time() - used
    years = scanned.counts.y.shape
    print(
        f"{len(found.p):,} indicators that can be tested ({real} real ones, the others surrogates "
        f"with the values, gaps, smoothness and tie to size of real ones) x {years[0]} places x "
        f"{years[1]} years. Ours is everything that `relate` learns: the null model, both tests, "
        f"intervals, stability in 100 halves and an audit of {found.placebos} surrogates. The "
        f"peers fit {SOME} indicators one after the other, complete ones, in one process.\n"
    )
    ours = (f"{taken:.1f} s ({used:.1f} s of processor time)", "10 s")
    table(
        ("scan", "time for all", "goal"),
        chain([("followdata, all of it", *ours)], looped(scanned, len(found.p))),
    )


def looped(scanned: Scanned, number: int) -> Iterator[tuple[str, str, str]]:
    """The time that each peer would take for so many indicators."""
    for name, peer in peers(scanned).items():
        start, used = time.perf_counter(), time.process_time()
        for z in complete(scanned):
            peer(z)
        taken, used = time.perf_counter() - start, time.process_time() - used
        yield name, f"{number / SOME * taken:.0f} s ({number / SOME * used:.0f} s)", ""


def filled_up(data: MemoryTable, scanned: Scanned) -> tuple[MemoryTable, int]:
    """The table with surrogates of its testable columns behind it, up to so many; and how many of
    its own there are."""
    random = np.random.default_rng(7)
    real = len(scanned.columns)
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        smooth = scan(scanned.intensity, scanned.scores, scanned.nearness, executor).smoothness
    chosen = random.integers(real, size=INDICATORS - real)
    made = surrogates(
        scanned.values, scanned.scores, scanned.X, scanned.nearness, smooth, chosen, random
    )
    empty = np.full_like(made, np.nan)
    names = [*data.var_names, *(f"surrogate {n}" for n in range(len(chosen)))]
    layers = {layer: np.hstack([values, empty]) for layer, values in data.layers.items()}
    X = np.hstack([data.X, made])
    return replace(data, X=X, var_names=names, var={}, layers=layers), real


def complete(scanned: Scanned) -> Floats:
    whole = np.isfinite(scanned.scores).all(0)
    return np.asarray(scanned.scores[:, whole][:, :SOME].T)


def peers(scanned: Scanned) -> dict[str, Callable[[Floats], Any]]:
    """A regression of the panel of places and years on one indicator, with the exposure, the
    years and log population; standard errors by place or county."""
    try:
        import pandas as pd
        import pyfixest
        import statsmodels.api as sm
        from glum import GeneralizedLinearRegressor
    except ImportError as error:
        print(f"Without peers, for {error.name} is not installed: pip install --group bench\n")
        return {}
    counts = scanned.counts
    place, year = np.nonzero(counts.counted)
    y, offset = counts.y[place, year], np.log(counts.exposure[place, year])
    dummies = np.eye(len(counts.years))[year]
    size = scanned.X[place, 1]
    totals, expected = counts.totals, np.log(np.nansum(counts.expected, axis=1))

    def panel(z: Floats) -> Floats:
        return np.column_stack([dummies, size, z[place]])

    def quietly(work: Callable[[], Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()

    def by_statsmodels(z: Floats) -> Any:
        model = sm.GLM(y, panel(z), sm.families.Poisson(), offset=offset)
        how = {"cov_type": "cluster", "cov_kwds": {"groups": place}}
        return quietly(lambda: model.fit(**how).pvalues)

    def by_statsmodels_nb2(z: Floats) -> Any:
        model = sm.NegativeBinomial(totals, np.column_stack([scanned.X, z]), offset=expected)
        return quietly(lambda: model.fit(disp=0).pvalues)

    def by_glum(z: Floats) -> Any:
        model = GeneralizedLinearRegressor(family="poisson", alpha=0, fit_intercept=False)
        X = panel(z)
        return quietly(
            lambda: model.fit(X, y, offset=offset).std_errors(
                X=X, y=y, offset=offset, clusters=place
            )
        )

    def by_pyfixest(z: Floats) -> Any:
        frame = pd.DataFrame(
            {"y": y, "year": year, "place": place, "size": size, "z": z[place], "o": offset}
        )
        return quietly(
            lambda: pyfixest.fepois(
                "y ~ z + size | year", frame, vcov={"CRV1": "place"}, offset="o"
            ).pvalue()
        )

    found: dict[str, Callable[[Floats], Any]] = {
        "statsmodels, Poisson panel, clustered": by_statsmodels,
        "statsmodels, NB2 on totals": by_statsmodels_nb2,
        "glum, Poisson panel, clustered": by_glum,
        "pyfixest, Poisson panel, clustered": by_pyfixest,
    }
    for name, peer in list(found.items()):
        try:
            peer(scanned.scores[:, np.isfinite(scanned.scores).all(0)][:, 0])
        except TypeError as error:
            print(f"Without {name}: {error}\n")
            del found[name]
    return found
