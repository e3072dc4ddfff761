"""Towns: who fills the list of the strongest scores, how fast answers are, how firm ranks are.

Kolada's figures of 2022 and 2014. By distance from the median, half of the strongest hundredth of
all scores are those of the largest tenth of the towns; a score that allows for size should give
each tenth about its share.
"""

from __future__ import annotations

import csv
import gzip
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._tables import machine, seconds, spread, table
from followdata.core.chance import rank_intervals
from followdata.core.expectation import expectation
from followdata.core.likeness import nearest, similarities
from followdata.core.normal import normal_scores
from followdata.core.scores import ranks, robust_z
from followdata.core.twins import find_twins
from followdata.data import MemoryTable, similar_to
from followdata.questions import compare, distinctive, peers
from followdata.questions.typical import fit_typical
from followdata.sources.kolada import read_files

YEARS = (2022, 2014)
STRONGEST = 0.01
POPULATION = "N01951"


def main() -> None:
    print(f"{machine()}.\n")
    shared = os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared")
    folder = Path(shared) / "data" / "kolada"
    if not folder.is_dir():
        print(f"No figures of towns in {folder}: set FOLLOWDATA_SHARED.")
        return
    data = {year: read_files([folder], year) for year in YEARS}
    strongest(data)
    times(data)
    twins(data)
    firmness(data[2022], folder)
    agreement(data)


def strongest(data: dict[int, MemoryTable]) -> None:
    rows = []
    for year, towns in data.items():
        population = towns.matrix(var=[POPULATION])[:, 0]
        tenth = population.argsort().argsort() * 10 // len(population)
        known = np.isfinite(towns.X)
        rows.append((f"{year}, all values", *_parts(known, tenth), ""))
        for name, scores in (
            ("robust z", robust_z(towns.X)),
            ("normal scores", normal_scores(towns.X)),
            ("**ours**", expectation(towns.X, population).scores),
        ):
            away = np.abs(scores)
            far = away > np.nanquantile(away, 1 - STRONGEST)
            rows.append((f"{year}, {name}", *_parts(far, tenth), f"{np.nanmax(away):,.1f}"))
    print("The strongest 1 % of scores, in percent, by tenth of the towns by population:\n")
    headings = ("scores", "smallest", *(f"{tenth}" for tenth in range(2, 10)), "largest")
    table((*headings, "largest score"), rows)
    print()


def _parts(far: Any, tenth: Any) -> list[str]:
    return [f"{100 * far[tenth == part].sum() / far.sum():.1f}" for part in range(10)]


def times(data: dict[int, MemoryTable]) -> None:
    rows = []
    asked: list[tuple[str, Any, dict[str, Any]]] = [
        ("distinctive", distinctive.question, {"thing": "Umeå"}),
        ("distinctive, county", distinctive.question, {"thing": "Umeå", "relative_to": "county"}),
        ("distinctive, peers", distinctive.question, {"thing": "Umeå", "relative_to": "peers"}),
        ("compare", compare.question, {"a": "Umeå", "b": "Stockholm"}),
        ("peers", peers.question, {"thing": "Umeå"}),
        ("peers, a theme", peers.question, {"thing": "Umeå", "topic": "Demokrati"}),
    ]
    for year, towns in data.items():
        for name, question, given in asked:
            params = question.resolve(towns, given, {})
            fit = seconds(partial(question.learn, towns, params, print), 3) if given == {
                name: value for name, value in given.items() if name in ("thing", "a", "b")
            } else None  # fmt: skip
            fitted = question.learn(towns, params, print)
            answer = seconds(partial(question.tell, towns, fitted, params), 30)
            rows.append((year, name, spread(fit, "s") if fit else "as above", spread(answer)))
    print("Learnt once and stored; then each answer (goal: 50 ms):\n")
    table(("year", "question", "fit", "answer"), rows)
    print()


def twins(data: dict[int, MemoryTable]) -> None:
    rows = []
    for year, towns in data.items():
        found = find_twins(towns.X)
        rows.append(
            (
                year,
                f"{towns.shape[1]:,}",
                f"{len(found.first):,}",
                f"{(found.weights(towns.shape[1]) < 1).sum():,}",
                spread(seconds(partial(find_twins, towns.X), 3), "s"),
            )
        )
    print("Indicators that say the same (rank correlation beyond 0.9, at least 30 towns):\n")
    table(("year", "indicators", "pairs", "indicators with a twin", "time"), rows)
    print()


def firmness(towns: MemoryTable, folder: Path) -> None:
    """How often the rank of one, two or four years before is within this year's interval.

    The intervals are for chance in one year; two years differ by twice that, and by what changed.
    """
    fitted = fit_typical(towns)
    names = list(towns.var_names)
    codes = towns.obs["id"].tolist()
    before = _series(folder, codes, (2018, 2020, 2021))
    rows = []
    for year, columns in sorted(before.items(), reverse=True):
        held, wide, exact = [], [], []
        for kpi, values in columns.items():
            if kpi not in names:
                continue
            column = names.index(kpi)
            now = towns.X[:, [column]]
            both = np.isfinite(now[:, 0]) & np.isfinite(values)
            if both.sum() < 100:
                continue
            normal = np.where(both[:, None], normal_scores(now), np.nan)
            chance = np.sqrt(fitted.smallness * fitted.chance[column])[:, None]
            then = ranks(np.where(both, values, np.nan)[:, None])[:, 0]
            today = ranks(normal)[:, 0]
            for row in np.flatnonzero(both):
                low, high = rank_intervals(normal, chance, int(row))
                held.append(low[0] <= then[row] <= high[0])
                wide.append((high[0] - low[0]) / both.sum())
                exact.append(then[row] == today[row])
        rows.append(
            (
                f"{2022 - year}",
                f"{len(held):,}",
                f"{100 * np.mean(exact):.0f} %",
                f"{100 * np.mean(held):.0f} %",
                f"{100 * np.mean(wide):.0f} %",
            )
        )
    print("Ranks of earlier years within the interval of 2022 (no promise: things do change):\n")
    headings = ("years before", "ranks", "the same rank", "within the interval")
    table((*headings, "width of the interval, of all places"), rows)
    print()


def _series(folder: Path, codes: list[str], years: tuple[int, ...]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {year: {} for year in years}
    with gzip.open(folder / "kpi_series_long.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            year = int(row["period"])
            if year in found and row["municipality_id"] in codes:
                column = found[year].setdefault(row["kpi"], np.full(len(codes), np.nan))
                column[codes.index(row["municipality_id"])] = float(row["value"])
    return found


def agreement(data: dict[int, MemoryTable]) -> None:
    """Of the seven or so that Kolada names for each town, how many are among the first ten."""
    rows = []
    for year, towns in data.items():
        population = towns.matrix(var=[POPULATION])[:, 0]
        places = normal_scores(population[:, None])[:, 0]
        weights = find_twins(towns.X).weights(towns.shape[1])
        scores = expectation(towns.X, population).scores
        nobody = np.zeros(len(scores))
        kin = {
            "normal scores, size not removed": similarities(
                normal_scores(towns.X), weights, nobody
            ),
            "scores, size removed": similarities(scores, weights, nobody),
            "**ours**: scores, and size as much as all": similarities(scores, weights, places),
            "size alone": -np.abs(places[:, None] - places) - 9.0 * np.eye(len(places)),
        }
        for name, similarity in kin.items():
            found = nearest(similarity, 10)
            hits: dict[str, list[float]] = {}
            for row, kindred in enumerate(found):
                ours = {towns.obs_names[at] for at in kindred}
                for what, named in similar_to(towns, row).items():
                    hits.setdefault(what, []).append(len(ours & set(named)) / len(named))
            parts = {what: float(np.mean(shares)) for what, shares in hits.items()}
            overall = next(hit for what, hit in parts.items() if what.startswith("övergripande"))
            social = next(hit for what, hit in parts.items() if what.startswith("socioekonomi"))
            rows.append(
                (
                    year,
                    name,
                    *(
                        f"{100 * h:.0f} %"
                        for h in (overall, social, float(np.mean([*parts.values()])))
                    ),
                )
            )
    print("Of those that Kolada itself calls similar, how many are among the ten most similar:\n")
    table(("year", "similarity", "overall", "socioeconomics", "mean of 12 lists"), rows)
    print(f"\nTen at random hold {100 * 10 / 289:.0f} % of them.")


if __name__ == "__main__":
    main()
