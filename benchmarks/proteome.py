"""Proteins beside messages: gene by gene beside a loop over SciPy; factors beside MOFA.

Without a folder of real tables (FOLLOWDATA_SHARED) the tables are made in their shape. The peer,
mofapy2, is in the dependency group `bench`; without it only our own factors are measured.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks._tables import machine, seconds, spread, table
from followdata.answer import Provenance
from followdata.core.correlation import paired_correlations
from followdata.core.factors import chosen_columns, joint_factors
from followdata.core.heldout import balanced_accuracy
from followdata.data import About, Floats, MemoryTable, matrices
from followdata.errors import FollowdataError
from followdata.questions.integrate import Integrated, fit_factors
from followdata.sources.cohorts import joined
from followdata.sources.omics import read_files

SAMPLES, GENES = 76, 10_986
FACTORS, FEATURES = 6, 1000
COHORTS = {"endometrial": "ucec", "breast": "brca"}


def main() -> None:
    print(f"{machine()}.\n")
    speed()
    print()
    coverage()
    print()
    factors()


# Gene by gene


def speed() -> None:
    X, Y, what = pairs()
    ours = seconds(lambda: paired_correlations(X, Y))
    found = paired_correlations(X, Y)
    begun = time.perf_counter()
    theirs = by_scipy(X, Y)
    loop = time.perf_counter() - begun
    both = np.isfinite(theirs).all(0)
    apart = [
        np.abs(np.array(mine)[both] - other[both]).max()
        for mine, other in zip((found.spearman, found.p, found.pearson), theirs, strict=True)
    ]
    print(f"{what}, pairwise missing values.\n")
    table(
        ("", "time", "median Spearman", "apart from SciPy: Spearman, p, Pearson"),
        [
            ("followdata", spread(ours, "s"), f"{np.nanmedian(found.spearman):.4f}",
             ", ".join(f"{value:.0e}" for value in apart)),
            ("SciPy, a loop over genes", f"{loop:.3g} s", f"{np.nanmedian(theirs[0]):.4f}", ""),
        ],
    )  # fmt: skip


def by_scipy(X: Floats, Y: Floats) -> Floats:
    """Spearman, its p and Pearson of each column: 3 x p."""
    found = np.full((3, X.shape[1]), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for column in range(X.shape[1]):
            both = np.isfinite(X[:, column]) & np.isfinite(Y[:, column])
            if both.sum() >= 3:
                x, y = X[both, column], Y[both, column]
                found[:2, column] = stats.spearmanr(x, y)
                found[2, column] = stats.pearsonr(x, y).statistic
    return found


def pairs() -> tuple[Floats, Floats, str]:
    real = cohort("endometrial")
    if real is not None:
        known = matrices(real)
        X, Y = real.matrix(), real.matrix(layer=known["mRNA"])
        kept = np.isfinite(X).any(0) & np.isfinite(Y).any(0)
        X, Y = X[:, kept], Y[:, kept]
        return X, Y, f"Endometrial tumours: {X.shape[0]} x {X.shape[1]:,} genes"
    random = np.random.default_rng(0)
    Y = random.normal(size=(SAMPLES, GENES))
    X = 0.5 * Y + random.normal(size=Y.shape)
    X[random.random(X.shape) < 0.11] = np.nan
    return X, Y, f"Made up: {SAMPLES} x {GENES:,} genes"


def coverage() -> None:
    """How often the 95 % interval of Spearman's correlation holds the true one."""
    random = np.random.default_rng(1)
    rows = []
    for n in (10, 20, 76):
        cells = []
        for rho in (0.0, 0.5, 0.9):
            x = random.normal(size=(n, 20_000))
            y = rho * x + np.sqrt(1 - rho**2) * random.normal(size=x.shape)
            found = paired_correlations(x, y)
            true = 6 / np.pi * np.arcsin(rho / 2)
            cells.append(f"{100 * np.mean((found.low <= true) & (true <= found.high)):.1f} %")
        rows.append((str(n), *cells))
    print("The interval holds the true rank correlation, 20,000 runs each.\n")
    table(("rows", "true r = 0", "0.48", "0.89"), rows)


# Factors


def factors() -> None:
    rows = []
    for name in COHORTS:
        data = cohort(name)
        if data is None:
            print("The cohorts are read from FOLLOWDATA_SHARED, which is not there.")
            return
        begun = time.perf_counter()
        fitted = fit_factors(data, outcome="subtype", factors=FACTORS,
            features=FEATURES,
        )  # fmt: skip
        rows.append((name, f"{time.perf_counter() - begun:.3g} s", *told(fitted)))
    print(f"{FACTORS} factors of up to {FEATURES:,} columns of each measurement.\n")
    table(("cohort", "all of it", "tumours", "by factors", "by few columns"), rows)
    print()
    beside_mofa()


def told(fitted: Integrated) -> Iterator[str]:
    yield f"{len(fitted.known)} in {len(fitted.layers)}"
    for calls in (fitted.by_factors, fitted.by_few):
        value, low, high = balanced_accuracy(fitted.given, calls)
        yield f"{value:.2f} ({low:.2f} to {high:.2f})"


def beside_mofa() -> None:
    rows = []
    for name in COHORTS:
        data = cohort(name)
        assert data is not None
        known = [one for one in matrices(data) if one != "iTRAQ"]
        blocks = [data.matrix(layer=matrices(data)[one]) for one in known]
        all_there = np.all([np.isfinite(block).any(1) for block in blocks], axis=0)
        blocks = [block[all_there] for block in blocks]
        blocks = [block[:, chosen_columns(block, FEATURES)] for block in blocks]
        begun = time.perf_counter()
        ours = joint_factors(blocks, FACTORS)
        spent = time.perf_counter() - begun
        rows.append((name, "followdata", f"{spent:.3g} s", *carried(ours.shares), ""))
        with contextlib.suppress(ImportError):
            begun = time.perf_counter()
            shares, scores = mofa(blocks)
            spent = time.perf_counter() - begun
            r = np.abs(np.corrcoef(ours.scores.T, scores.T)[: ours.scores.shape[1], FACTORS:])
            rows.append((name, "mofapy2", f"{spent:.3g} s", *carried(shares),
                         ", ".join(f"{one:.2f}" for one in r.max(1))))  # fmt: skip
    table(
        ("cohort", "", "time", "carries of protein", "of mRNA", "of miRNA",
         "each of our factors with its nearest"), rows,
    )  # fmt: skip


def carried(shares: Floats) -> list[str]:
    told = [f"{100 * share:.0f} %" for share in shares.sum(1)]
    return [*told, *[""] * (3 - len(told))]


def mofa(blocks: list[Floats]) -> tuple[Floats, Floats]:
    """Shares (b x k) and scores (n x k) by MOFA+, its settings as they come."""
    from mofapy2.run.entry_point import entry_point

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = entry_point()
        model.set_data_options(scale_views=True)
        model.set_data_matrix([[block] for block in blocks])
        model.set_model_options(factors=FACTORS)
        model.set_train_options(seed=1, verbose=False)
        model.build()
        model.run()
        shares = np.asarray(model.model.calculate_variance_explained())[0]
        scores = np.asarray(model.model.nodes["Z"].getExpectation())
    return shares, scores


def cohort(name: str) -> MemoryTable | None:
    folder = Path(os.environ.get("FOLLOWDATA_SHARED", "../shared")) / "data" / "tcga"
    words = (COHORTS[name], name, "itraq") if name == "breast" else (COHORTS[name],)
    try:
        files = read_files([folder], words)
    except FollowdataError:
        return None
    about = About(name, "tumour", "tumours", "gene", "genes", label="subtype")
    return joined(about, files.readings, files.descriptions, Provenance("files", "", ""))
