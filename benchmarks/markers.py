"""Markers: all structures x genes, beside scanpy and illico; false discoveries; the pages' speed.

The peers are in the dependency group `bench`; without them only our own test is measured.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from scipy import stats

from benchmarks._tables import machine, seconds, spread, table
from followdata.core.ranksum import rank_sums
from followdata.data import About, Floats, Labels, MemoryTable
from followdata.desk import Desk
from followdata.questions import markers
from followdata.settings import HOME_VARIABLE, Settings
from followdata.sources.expression import read_expression

SAMPLES, GENES, GROUPS = 242, 22_318, 29
RUNS = 200
FOUND = 0.05


def main() -> None:
    print(f"{machine()}.\n")
    speed()
    print()
    control()
    print()
    pages()


# All structures x genes


def speed() -> None:
    X, groups = expression(SAMPLES, GENES)
    members = groups == np.unique(groups)[:, None]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        ours = rank_sums(X, members, executor=executor).p
        tests: dict[str, Callable[[], Floats]] = {
            "followdata": lambda: rank_sums(X, members, executor=executor).p,
            "followdata, within two donors": lambda: (
                rank_sums(X, members, strata=np.arange(SAMPLES) % 2, executor=executor).p
            ),
            **peers(X, groups),
        }
        exact = scipy_p(X, members)
        rows = []
        for name, test in tests.items():
            taken = seconds(test, 5)
            found = ours if name == "followdata" else test()
            pairs = [found[group, column] / p - 1 for (group, column), p in exact.items()]
            apart = "" if "donors" in name else f"{np.abs(pairs).max():.1e}"
            rows.append((name, spread(taken, "s"), apart))
    print(
        f"{SAMPLES} samples x {GENES:,} genes, {GROUPS} groups, a fifth of all values 0, ties; "
        f"p-values beside SciPy's `mannwhitneyu` in {len(exact):,} tests:\n"
    )
    table(("test", "time", "largest relative difference of p"), rows)


def expression(samples: int, genes: int) -> tuple[Floats, np.ndarray[Any, Any]]:
    """Invented TPM with zeros and ties, and the group of each sample."""
    random = np.random.default_rng(0)
    X = random.gamma(0.5, 20, size=(samples, genes)).round(2)
    X *= random.random(X.shape) < 0.8
    groups = np.r_[np.arange(GROUPS), random.integers(0, GROUPS, samples - GROUPS)]
    shift = random.normal(0, 1, size=(GROUPS, genes)) * (random.random((GROUPS, genes)) < 0.05)
    return (X * np.exp(shift[groups])).round(2), groups


def peers(X: Floats, groups: np.ndarray[Any, Any]) -> dict[str, Callable[[], Floats]]:
    """The same test as others do it, from the same matrix in memory; groups x genes."""
    try:
        import anndata
        import illico
        import pandas as pd
        import scanpy
        from loguru import logger
    except ImportError as error:
        print(f"Without peers, for {error.name} is not installed: pip install --group bench\n")
        return {}
    logger.disable("illico")
    names = [str(n) for n in range(X.shape[1])]
    labels = pd.Categorical(groups.astype(str), categories=[str(g) for g in range(GROUPS)])
    obs = pd.DataFrame({"group": labels}, index=[str(n) for n in range(len(X))])
    data = anndata.AnnData(X, obs, pd.DataFrame(index=names))

    def by_illico(**how: Any) -> Floats:
        found = illico.asymptotic_wilcoxon(
            data, is_log1p=False, group_keys="group", n_threads=os.cpu_count(), **how
        )
        wide = found["p_value"].unstack(level=0)
        return wide.loc[names, [str(g) for g in range(GROUPS)]].to_numpy().T

    def by_scanpy() -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scanpy.tl.rank_genes_groups(data, "group", method="wilcoxon", tie_correct=True)
        found = data.uns["rank_genes_groups"]
        p = np.empty((GROUPS, len(names)))
        for group in range(GROUPS):
            p[group, found["names"][str(group)].astype(int)] = found["pvals"][str(group)]
        return p

    return {
        "illico (Rust)": by_illico,
        "illico (numba)": partial(by_illico, use_rust=False),
        "scanpy, tie_correct": by_scanpy,
    }


def scipy_p(X: Floats, members: Any) -> dict[tuple[int, int], float]:
    found = {}
    for column in range(0, X.shape[1], 223):
        for group, held in enumerate(members):
            found[group, column] = float(
                stats.mannwhitneyu(
                    X[held, column], X[~held, column], method="asymptotic", use_continuity=True
                ).pvalue
            )
    return found


# False discoveries


def control() -> None:
    rows = []
    for name, X, labels, unit in shuffled_from():
        for test in (markers.WILCOXON, markers.POOLED, markers.MODERATED):
            if test == markers.POOLED and "donor" not in labels:
                continue  # the same as within donors
            found = sum(any_found(X, labels, unit, test))
            low, high = stats.binomtest(found, RUNS).proportion_ci(method="exact")
            rows.append((name, test, f"{found}", f"{100 * low:.1f} to {100 * high:.1f} %"))
    print(f"Labels shuffled within donors: of {RUNS} runs, those with any gene at FDR 5 %:\n")
    table(("data", "test", "runs that find any", "95 % interval of the share"), rows)


def shuffled_from() -> Iterator[tuple[str, Floats, Labels, str]]:
    """Tables whose labels are to be shuffled, with real relations among genes where there are."""
    from followdata.stories.brain.data import sample

    tissues = sample()
    labels = {"structure": tissues.obs["tissue"]}
    yield "seven tissues, 189 x 500", tissues.X, labels, tissues.about.unit
    folder = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared"))
    brain = folder / "data" / "brain"
    if brain.is_dir():
        files = [brain / "ahba_dk82_expression.csv.gz", brain / "ahba_dk82_regions.csv"]
        regions = read_expression(files, retrieved=datetime.now(UTC), notice=lambda _: None)
        labels = {"structure": regions.obs["structure"]}
        yield "82 regions, 80 x 1,645", regions.X, labels, regions.about.unit
    random = np.random.default_rng(1)
    factors = random.normal(size=(242, 8)) @ random.normal(size=(8, 2000))
    donors = np.repeat(["A", "B"], 121)
    offset = np.where(donors == "A", 1.0, -1.0)[:, None] * random.normal(0, 1, size=2000)
    X = np.exp(0.5 * factors + random.normal(size=factors.shape) + offset)
    even = np.array([f"S{n % 12}" for n in range(242)])
    yield "two donors, even, 242 x 2,000", X, {"structure": even, "donor": donors}, "TPM"
    uneven = np.where(donors == "A", even, np.array([f"S{n % 4}" for n in range(242)]))
    yield "two donors, uneven, 242 x 2,000", X, {"structure": uneven, "donor": donors}, "TPM"


def any_found(X: Floats, labels: Labels, unit: str, test: str) -> Iterator[bool]:
    random = np.random.default_rng(2)
    donors = labels.get("donor", np.full(len(X), ""))
    about = About("Shuffled", "sample", "samples", "gene", "genes", label="structure", unit=unit)
    names = [
        [f"{letter}{n}" for n in range(size)] for letter, size in zip("sg", X.shape, strict=True)
    ]
    for _ in range(RUNS):
        structure = labels["structure"].copy()
        for donor in np.unique(donors):
            rows = np.flatnonzero(donors == donor)
            structure[rows] = random.permutation(structure[rows])
        data = MemoryTable(X, *names, about, obs={**labels, "structure": structure})
        q = markers.fit_markers(data, test=test).q
        yield bool((np.nan_to_num(q, nan=1.0) <= FOUND).any())


# Pages at 22,000 genes


def pages() -> None:
    from benchmarks.frame import serving

    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        Desk.installed(Settings(Path(folder))).store.keep(
            "brain", "large", large(), now=datetime.now(UTC).isoformat()
        )
        with serving() as address, httpx.Client(base_url=address, timeout=60) as client:
            asked(client)
            loaded(address)


def large() -> MemoryTable:
    X, groups = expression(SAMPLES, GENES)
    donors = np.array([f"H0351.{2001 + n % 2}" for n in range(SAMPLES)])
    return MemoryTable(
        X,
        [f"sample {n}" for n in range(SAMPLES)],
        [f"GENE{n}" for n in range(GENES)],
        About("Large", "sample", "samples", "gene", "genes", label="structure", unit="TPM"),
        obs={"structure": np.array([f"Structure {g}" for g in groups]), "donor": donors},
    )


def asked(client: httpx.Client) -> None:
    """Each address for the first time, so that nothing is kept."""
    client.get("/brain/markers").raise_for_status()
    random = np.random.default_rng(3)
    genes = iter(random.permutation(GENES).tolist())
    fragment = {"Followdata-Fragment": "1"}
    asking: dict[str, Callable[[], httpx.Response]] = {
        "box plot of a gene": lambda: client.get(
            f"/brain/expression?gene=GENE{next(genes)}", headers=fragment
        ),
        "names that begin with what is typed": lambda: client.get(
            f"/brain/expression/names?parameter=gene&q=gene{next(genes)}"
        ),
        "markers of another structure": lambda: client.get(
            f"/brain/markers?group=Structure {random.integers(GROUPS)}&top={next(genes) % 90 + 10}",
            headers=fragment,
        ),
    }
    rows = []
    for name, ask in asking.items():
        ask().raise_for_status()
        goal = "100 ms" if "box" in name else ""
        rows.append((name, spread(seconds(lambda ask=ask: ask().raise_for_status(), 30)), goal))  # type: ignore[misc]
    data = large()
    learnt = spread(seconds(lambda: markers.fit_markers(data), 3), "s")
    rows.append(("all that markers learns of a table, once", learnt, ""))
    print(f"At the server, {SAMPLES} samples x {GENES:,} genes:\n")
    table(("answer", "time", "goal"), rows)
    print()


def loaded(address: str) -> None:
    """What a first visit loads, with the chart library and without."""
    from playwright.sync_api import sync_playwright

    from followdata.testing.browser import CHROMIUM, FLAGS

    rows = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for path in ("/brain/markers", "/brain/expression?gene=GENE77", "/brain/map"):
            context = chromium.new_context()
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            asset: dict[str, str] = {}
            received: dict[str, float] = {}
            session.on(
                "Network.responseReceived",
                lambda event, asset=asset: asset.update(
                    {event["requestId"]: event["response"]["url"]}
                ),
            )
            session.on(
                "Network.loadingFinished",
                lambda event, received=received: received.update(
                    {event["requestId"]: event["encodedDataLength"]}
                ),
            )
            page.goto(address + path)
            page.wait_for_selector("html[data-ready=true]")
            chart = str(page.evaluate("document.documentElement.dataset.vega"))
            whole = sum(received.values()) / 1000
            library = (
                sum(size for id, size in received.items() if chart in asset.get(id, "")) / 1000
            )
            rows.append((path, f"{whole - library:.0f} KB", "300 KB", f"{library:.0f} KB"))
            context.close()
        chromium.close()
    table(("first visit", "without the chart library", "goal", "the library"), rows)
