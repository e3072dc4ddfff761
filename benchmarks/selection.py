"""All-relevant selection: its time and power beside BorutaPy, and how often it is wrong.

BorutaPy is in the dependency group `bench`; without it only our own selection is measured. Real
tumours are those of ../shared (or `FOLLOWDATA_SHARED`). Parts can be left out by naming others in
`FOLLOWDATA_PARTS` ("speed,power,madelon,null,shuffled,real").
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks._tables import machine, table
from followdata.core.selection import LEVEL, select

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.str_]
Bools = npt.NDArray[np.bool_]
Choose = Callable[[Floats, Words], Bools]

ROWS, PLANTED, NULLS, DRAWS, SMALL = 77, 40, 200, 20, 20


def main() -> None:
    print(f"{machine()}.\n")
    parts = {
        "speed": speed, "power": power, "madelon": madelon, "null": null, "shuffled": shuffled,
        "real": real,
    }  # fmt: skip
    wanted = os.environ.get("FOLLOWDATA_PARTS", ",".join(parts)).split(",")
    for name in wanted:
        parts[name]()
        print(flush=True)


def ours(X: Floats, classes: Words) -> Bools:
    with ThreadPoolExecutor(os.cpu_count()) as executor, threadpool_limits(1, "blas"):
        return select(X, classes, executor=executor).confirmed


def peers() -> dict[str, Choose]:
    try:
        from boruta import BorutaPy
        from sklearn.ensemble import RandomForestClassifier
    except ImportError as error:
        print(f"Without BorutaPy, for {error.name} is not installed: pip install --group bench\n")
        return {}

    def boruta(X: Floats, classes: Words) -> Bools:
        forest = RandomForestClassifier(
            n_jobs=os.cpu_count(), class_weight="balanced", max_depth=5, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = BorutaPy(forest, n_estimators="auto", random_state=0)
            found.fit(X, np.unique(classes, return_inverse=True)[1])
        return np.asarray(found.support_)

    return {"BorutaPy 0.4.3, defaults": boruta}


def variance(X: Floats, classes: Words) -> Bools:
    """Analysis of variance column by column, with Benjamini and Hochberg."""
    groups = [X[classes == one] for one in np.unique(classes)]
    p = stats.f_oneway(*groups, nan_policy="omit").pvalue
    return np.asarray(stats.false_discovery_control(np.nan_to_num(p, nan=1.0)) <= LEVEL)


def planted(columns: int, seed: int) -> tuple[Floats, Words]:
    """77 rows of four classes; in the first 40 columns the classes have other means."""
    random = np.random.default_rng(seed)
    number = np.arange(ROWS) % 4
    X = random.normal(size=(ROWS, columns))
    size = random.uniform(0.5, 1.6, PLANTED)
    X[:, :PLANTED] += (size * random.normal(size=(4, PLANTED)))[number]
    return X, np.array(["A", "B", "C", "D"])[number]


def speed() -> None:
    X, classes = planted(8000, 1)
    rows = []
    for name, choose in {"followdata": ours, "analysis of variance": variance, **peers()}.items():
        start, worked = time.perf_counter(), time.process_time()
        found = choose(X, classes)
        taken, worked = time.perf_counter() - start, time.process_time() - worked
        goal = "10 s" if choose is ours else ""
        rows.append(
            (name, f"{taken:.2f} s", goal, f"{worked:.2f} s", found[:PLANTED].sum(),
             found[PLANTED:].sum())
        )  # fmt: skip
    print("77 rows x 8,000 columns of four classes, 40 of them planted:\n")
    headings = ("selection", "time", "goal", "processor time", "planted ones found", "others found")
    table(headings, rows)


def power() -> None:
    rows = []
    tests: dict[str, tuple[Choose, int]] = {
        "followdata": (ours, SMALL),
        "analysis of variance, the right test here": (variance, SMALL),
        **{name: (choose, 3) for name, choose in peers().items()},
    }
    for name, (choose, runs) in tests.items():
        found, false, start = [], [], time.perf_counter()
        for seed in range(runs):
            chosen = choose(*planted(500, seed))
            found.append(int(chosen[:PLANTED].sum()))
            false.append(chosen[PLANTED:].sum() / max(1, chosen.sum()))
        taken = (time.perf_counter() - start) / runs
        rows.append(
            (name, runs, f"{np.mean(found):.1f} of {PLANTED}", f"{100 * np.mean(false):.1f} %",
             f"{taken:.2f} s")
        )  # fmt: skip
    print("77 rows x 500 columns of four classes, 40 planted:\n")
    table(("selection", "runs", "planted ones found", "false discoveries", "time"), rows)


def madelon() -> None:
    from sklearn.datasets import make_classification

    rows = []
    for seed in range(4):
        X, number = make_classification(
            2000, 500, n_informative=5, n_redundant=15, n_clusters_per_class=16, flip_y=0.01,
            shuffle=False, random_state=seed,
        )  # fmt: skip
        start = time.perf_counter()
        found = ours(X, number.astype(str))
        taken = time.perf_counter() - start
        by_one = variance(X, number.astype(str))[:20].sum()
        rows.append((seed, f"{found[:20].sum()} of 20", found[20:].sum(), by_one, f"{taken:.1f} s"))
    print("As Madelon: 2,000 rows x 500 columns, two classes on the corners of a cube:\n")
    table(("seed", "informative ones found", "others", "by analysis of variance", "time"), rows)


def null() -> None:
    _noted({"77 x 500 normal values, four classes": _noise(500)})


def shuffled() -> None:
    tumours = endometrial()
    if tumours is None:
        print("Without real tumours, for there is no ../shared.")
        return
    X, classes = tumours
    kept = np.random.default_rng(0).permutation(X.shape[1])[:500]
    _noted({"endometrial, 76 x 500 proteins, labels shuffled": _shuffled(X[:, kept], classes)})


def _noted(kinds: dict[str, Iterator[tuple[Floats, Words]]]) -> None:
    rows = [_null(name, tables) for name, tables in kinds.items()]
    print(f"Tables of noise: of {NULLS}, those in which anything is confirmed:\n")
    table(("tables", "select anything", "95 % interval of the share", "most selected"), rows)


def _null(name: str, tables: Iterator[tuple[Floats, Words]]) -> tuple[object, ...]:
    counts = [int(ours(X, classes).sum()) for X, classes in tables]
    some = sum(count > 0 for count in counts)
    low, high = stats.binomtest(some, NULLS).proportion_ci(method="exact")
    return name, f"{some}", f"{100 * low:.1f} to {100 * high:.1f} %", max(counts)


def _noise(columns: int) -> Iterator[tuple[Floats, Words]]:
    random = np.random.default_rng(2)
    for _ in range(NULLS):
        yield (
            random.normal(size=(ROWS, columns)),
            np.array(["A", "B", "C", "D"])[np.arange(ROWS) % 4],
        )


def _shuffled(X: Floats, classes: Words) -> Iterator[tuple[Floats, Words]]:
    random = np.random.default_rng(3)
    for _ in range(NULLS):
        yield X, random.permutation(classes)


def real() -> None:
    tumours = endometrial()
    if tumours is None:
        print("Without real tumours, for there is no ../shared.")
        return
    X, classes = tumours
    print(f"Endometrial tumours, {X.shape[0]} x {X.shape[1]:,} proteins, 4 genomic subtypes.\n")
    all_of = {"followdata": ours, "analysis of variance": variance, "Kruskal-Wallis": _ranks}
    confirmed = [(name, int(choose(X, classes).sum())) for name, choose in all_of.items()]
    table(("selection", "proteins confirmed"), confirmed)
    print(
        "\nHalf of the proteins, drawn at random, keep their tumours; the other half get the "
        f"tumours in another order, all alike. {DRAWS} draws:\n"
    )
    rows = []
    for name, choose in {"followdata": ours, "analysis of variance": variance}.items():
        pairs = np.array([_halves(X, classes, seed, choose) for seed in range(DRAWS)])
        share = pairs[:, 1] / np.maximum(1, pairs.sum(axis=1))
        rows.append(
            (name, f"{pairs[:, 0].mean():.0f}", f"{pairs[:, 1].mean():.1f}",
             f"{100 * share.mean():.1f} % ({100 * share.min():.1f} to {100 * share.max():.1f})")
        )  # fmt: skip
    table(("selection", "in the real half", "in the half of nulls", "share of nulls"), rows)
    print(
        "\nLabels shuffled, then 200 of 2,000 proteins shifted by class, by 0.5 to 1.6 of their "
        f"own deviation. {DRAWS} draws:\n"
    )
    rows = []
    for name, choose in {"followdata": ours, "analysis of variance": variance}.items():
        pairs = np.array([_shifted(X, classes, seed, choose) for seed in range(DRAWS)])
        share = pairs[:, 1] / np.maximum(1, pairs.sum(axis=1))
        rows.append((name, f"{pairs[:, 0].mean():.0f} of 200", f"{100 * share.mean():.1f} % "
                     f"({100 * share.min():.1f} to {100 * share.max():.1f})"))  # fmt: skip
    table(("selection", "planted ones found", "false discoveries"), rows)


def _ranks(X: Floats, classes: Words) -> Bools:
    p = np.ones(X.shape[1])
    for column, values in enumerate(X.T):
        groups = [values[(classes == one) & ~np.isnan(values)] for one in np.unique(classes)]
        if all(len(group) for group in groups):
            p[column] = stats.kruskal(*groups).pvalue
    return np.asarray(stats.false_discovery_control(p) <= LEVEL)


def _halves(X: Floats, classes: Words, seed: int, choose: Choose) -> tuple[int, int]:
    random = np.random.default_rng(seed)
    order = random.permutation(X.shape[1])
    half = len(order) // 2
    nulls = X[random.permutation(len(X))][:, order[half:]]
    found = choose(np.hstack([X[:, order[:half]], nulls]), classes)
    return int(found[:half].sum()), int(found[half:].sum())


def _shifted(X: Floats, classes: Words, seed: int, choose: Choose) -> tuple[int, int]:
    random = np.random.default_rng(seed)
    X = X[:, random.permutation(X.shape[1])[:2000]]
    names, number = np.unique(random.permutation(classes), return_inverse=True)
    size = random.uniform(0.5, 1.6, 200) * np.nanstd(X[:, :200], axis=0)
    X[:, :200] += (size * random.normal(size=(len(names), 200)))[number]
    found = choose(X, names[number])
    return int(found[:200].sum()), int(found[200:].sum())


def endometrial() -> tuple[Floats, Words] | None:
    """The tumours that the study keeps, by the proteins seen in half of them, and their subtype."""
    import pandas as pd

    root = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared"))
    folder = root / "data" / "tcga"
    if not folder.is_dir():
        return None
    proteins = pd.read_csv(folder / "ucec_proteomics.tsv.gz", sep="\t", index_col=0).T
    clinical = pd.read_csv(folder / "ucec_clinical.csv", index_col=0)
    kept = (
        (clinical["Proteomics_Tumor_Normal"] == "Tumor")
        & (clinical["Case_excluded"] == "No")
        & clinical["Genomics_subtype"].notna()
    )
    X = proteins.loc[clinical.index[kept]].to_numpy()
    X = X[:, (~np.isnan(X)).mean(axis=0) >= 0.5]
    return X, clinical["Genomics_subtype"][kept].to_numpy().astype(np.str_)
