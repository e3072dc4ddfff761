"""The map: how well components are found again where cells are missing, and how quick it is.

Cells of complete figures are hidden in the pattern in which cells of other figures are missing:
runs of neighbouring incomplete columns lend their gaps to complete ones.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import permutations
from pathlib import Path

import numpy as np
from scipy.linalg import subspace_angles

from benchmarks._tables import machine, seconds, spread, table
from followdata.core.components import Floats, principal_components
from followdata.data import About, MemoryTable
from followdata.desk import Desk, Opened
from followdata.errors import NothingToAnswer
from followdata.questions.components import RANK, fit_components
from followdata.settings import Settings

FILES = (
    "kpi_wide_2022.csv.gz",
    "kpi_metadata_v3.csv.gz",
    "kommun_county.csv",
    "kpi_series_long.csv.gz",
    "kpi_gender_long.csv.gz",
)
COMPARED = 5
RUN = 10
"""So many neighbouring columns lend their gaps together: a survey's, a register's."""
REPEATS = 5


def main() -> None:
    print(f"{machine()}.\n")
    quick()
    shared = Path(os.environ.get("FOLLOWDATA_SHARED", "../shared")) / "data" / "kolada"
    if not shared.is_dir():
        print(f"NO REAL DATA: {shared} is not there.", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as home:
        desk = Desk.installed(Settings(Path(home)))
        desk.fetch("towns", {"year": 2022}, paths=[shared / name for name in FILES])
        recovery(desk.open("towns", "2022").data.matrix())  # type: ignore[attr-defined]
        answers(desk)


def quick() -> None:
    """The first map of 290 towns and 6,000 figures, a fifth of the cells missing."""
    rng = np.random.default_rng(0)
    strengths = np.linspace(1.5, 0.3, 12)
    signal = rng.normal(size=(290, 12)) @ (rng.normal(size=(6000, 12)) * strengths).T
    X = signal + 1.5 * rng.normal(size=signal.shape)
    X[rng.random(X.shape) < 0.2] = np.nan
    names = [f"town {row}" for row in range(290)], [f"figure {column}" for column in range(6000)]
    data = MemoryTable(X, *names, About("Simulated"))
    taken = seconds(lambda: fit_components(data))
    table(
        ("first map", "time", "goal"),
        [(f"290 x 6,000, 20 % missing, {RANK} components", spread(taken, "s"), "1 s")],
    )
    print()


def hidden(X: Floats, seed: int) -> tuple[Floats, Floats]:
    """The complete columns of `X`, and the same with real gaps copied onto them.

    >>> X = np.arange(40.0).reshape(4, 10)
    >>> X[0, 5:] = np.nan
    >>> [bool(np.isnan(part).any()) for part in hidden(X, 0)]
    [False, True]
    """
    rng = np.random.default_rng(seed)
    missing = np.isnan(X)
    rare = missing.mean(0)
    whole = X[:, (rare == 0) & (np.nanmax(X, 0) > np.nanmin(X, 0))]
    lenders = missing[:, (rare > 0) & (rare < 0.8)]
    gaps = np.zeros(whole.shape, dtype=bool)
    for start in range(0, whole.shape[1], RUN):
        # As many columns stay complete as in the real table.
        if rng.random() < lenders.shape[1] / (lenders.shape[1] + whole.shape[1]):
            lent = lenders[:, rng.integers(lenders.shape[1]) :][:, :RUN]
            part = gaps[:, start : start + RUN]
            part[:, : lent.shape[1]] = lent[:, : part.shape[1]]
    return whole, np.where(gaps, np.nan, whole)


def with_means(X: Floats) -> Floats:
    """Scores with each column's mean in its gaps."""
    filled = np.where(np.isnan(X), np.nanmean(X, 0), X)
    return principal_components(filled, rank=COMPARED).scores


def with_iterations(X: Floats) -> Floats:
    """Scores after scikit-learn's IterativeImputer, bounded so that it ends."""
    import warnings

    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    Z = (X - np.nanmean(X, 0)) / np.nanstd(X, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it was not let go on for longer
        filler = IterativeImputer(max_iter=5, n_nearest_features=30, random_state=0)
        filled = filler.fit_transform(Z)
    return principal_components(filled, rank=COMPARED).scores


def ours(X: Floats) -> Floats:
    """Scores of the components that are fitted to the observed cells."""
    return principal_components(X, rank=RANK).scores[:, :COMPARED]


METHODS: dict[str, Callable[[Floats], Floats]] = {
    "followdata (variational Bayesian PCA)": ours,
    "means in the gaps": with_means,
    "scikit-learn IterativeImputer (30 nearest features, 5 rounds)": with_iterations,
}


def recovery(X: Floats) -> None:
    """How far the first five components are from those of the complete table."""
    rows = []
    share = np.mean([np.isnan(hidden(X, seed)[1]).mean() for seed in range(REPEATS)])
    for name, method in METHODS.items():
        angles, likenesses, taken = [], [], []
        for seed in range(REPEATS):
            whole, holed = hidden(X, seed)
            truth = principal_components(whole, rank=COMPARED).scores
            start = time.perf_counter()
            found = method(holed)
            taken.append(time.perf_counter() - start)
            angles.append(np.degrees(subspace_angles(truth, found)))
            likenesses.append(alike(truth, found))
        mean, worst = np.mean(angles), np.mean([angle.max() for angle in angles])
        likeness = " ".join(f"{value:.3f}" for value in np.mean(likenesses, 0))
        rows.append((name, f"{mean:.1f}", f"{worst:.1f}", likeness, spread(taken, "s")))
    n, p = hidden(X, 0)[0].shape
    print(f"{n} towns x {p} complete figures of 2022, {share:.0%} of the cells hidden in real "
          f"patterns; means of {REPEATS} patterns.\n")  # fmt: skip
    table(
        ("method", "mean angle, degrees", "largest angle", "correlation of scores 1 to 5", "time"),
        rows,
    )
    print()


def alike(truth: Floats, found: Floats) -> Floats:
    """Correlation of each component's scores with those of the complete table."""
    pairs = zip(truth.T, found.T, strict=True)
    return np.array([abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs])


def answers(desk: Desk) -> None:
    """Answers about the real figures, what is learnt being stored."""
    opened = desk.open("towns", "2022")
    names, towns = opened.data.names("var").names, opened.data.names("obs").names
    chance = random.Random(0)
    measured = [{"measure": m, "thing": chance.choice(towns)} for m in chance.sample(names, 90)]
    ranked = [{"measures": ",".join(chance.sample(names[:300], 6))} for _ in range(30)]
    asked_of: dict[str, list[dict[str, object]]] = {
        "map: any pair, colour and group": list(asked(names)),
        "measure: any indicator and town": list(measured),
        "measure: population, 29 years, women and men": [
            {"measure": "N01951", "thing": town} for town in towns[:30]
        ],
        "index: six indicators": list(ranked),
    }
    rows = []
    for what, each in asked_of.items():
        question = what.partition(":")[0]
        opened.ask(question)
        taken = [_milliseconds(opened, question, given) for given in each]
        middle, high = statistics.median(taken), np.percentile(taken, 95)
        rows.append((what, len(taken), f"{middle:.0f} ms", f"{high:.0f} ms"))
    shape = " x ".join(map(str, opened.data.shape))  # type: ignore[attr-defined]
    print(f"{shape} figures of 2022; goal 50 ms for another map.\n")
    table(("answer", "asked", "median", "95th percentile"), rows)
    print()
    weights()


def _milliseconds(opened: Opened, question: str, given: dict[str, object]) -> float:
    start = time.perf_counter()
    with suppress(NothingToAnswer):
        opened.ask(question, **given)
    return 1000 * (time.perf_counter() - start)


def weights() -> None:
    """The outlines that go with each map of Sweden."""
    import brotli

    from followdata.sources.sweden import municipalities

    text = json.dumps(municipalities().shapes, separators=(",", ":")).encode()
    table(
        ("outlines of 290 municipalities", "bytes", "goal"),
        [("as JSON", f"{len(text):,}", ""), ("gzip", f"{len(gzip.compress(text)):,}", "80,000"),
         ("brotli", f"{len(brotli.compress(text)):,}", "80,000")],
    )  # fmt: skip


def asked(names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    chance = random.Random(0)
    for x, y in permutations(range(1, RANK + 1), 2):
        color = chance.choice([None, "county", chance.choice(names)])
        yield {"x": x, "y": y, "color": color, "group": chance.choice([None, "Skåne län"])}
