"""The map: how well components are found again where cells are missing, and how quick it is.

Cells of complete figures are hidden in the pattern in which cells of other figures are missing:
runs of neighbouring incomplete columns lend their gaps to complete ones.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
from scipy.linalg import subspace_angles

from benchmarks._tables import machine, seconds, spread, table
from followdata.core.components import Floats, principal_components
from followdata.desk import Desk
from followdata.questions.components import RANK
from followdata.settings import Settings

FILES = ("kpi_wide_2022.csv.gz", "kpi_metadata_v3.csv.gz", "kommun_county.csv")
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
    taken = seconds(lambda: principal_components(X, rank=RANK))
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
    """Any other pair of components, colour or selection, the components being stored."""
    opened = desk.open("towns", "2022")
    opened.ask("map")
    taken = []
    for given in asked(opened.data.names("var").names):
        start = time.perf_counter()
        opened.ask("map", **given)
        taken.append(1000 * (time.perf_counter() - start))
    table(
        ("another pair, colour or group", "median", "95th percentile", "goal"),
        [(f"{len(taken)} answers, 290 x {opened.data.shape[1]}",  # type: ignore[attr-defined]
          f"{statistics.median(taken):.0f} ms", f"{np.percentile(taken, 95):.0f} ms", "50 ms")],
    )  # fmt: skip


def asked(names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    chance = random.Random(0)
    for x, y in permutations(range(1, RANK + 1), 2):
        color = chance.choice([None, "county", chance.choice(names)])
        yield {"x": x, "y": y, "color": color, "group": chance.choice([None, "Skåne län"])}
