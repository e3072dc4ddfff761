"""A whole profile from a few genes: every method on studies that it has not learnt from.

Reads the real tables below FOLLOWDATA_SHARED (else ../shared); without them nothing is measured.
Values are log2 of one more where they are FPKM, RPKM or TPM, and as they are where they are
logarithms already. Everything (means, deviations, weights, markers) is learnt from the other
studies. With PyTorch the multi-task network is measured too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._tables import machine, table
from followdata.core import panel
from followdata.core.inference import (
    AVERAGE,
    LINEAR,
    METHODS,
    Choose,
    better_by,
    explained,
    held_out,
)
from followdata.core.networks import training
from followdata.core.networks.multitask import NETWORK, multitask

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
MOST = 1500
"""So many columns of a table are told at most, drawn once: the network's time grows with them."""
DRAWS = 3
FOLDS = 5
WORTH = 6.0


@dataclass(frozen=True)
class Case:
    """A table with the study of each row ("" throughout where rows are held out), and which
    columns are landmark genes."""

    name: str
    X: Floats
    studies: Sequence[str]
    landmarks: npt.NDArray[np.bool_]


def main() -> None:
    print(f"{machine()}.\n")
    folder = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "data").is_dir():
        print(f"NO REAL DATA: {folder} is not there; set FOLLOWDATA_SHARED.")
        return
    if not training.available():
        print("NO PYTORCH: the multi-task network is left out.\n")
    rows = []
    for case in cases(folder / "data"):
        began = time.perf_counter()
        rows += measured(case)
        print(f"<!-- {case.name}: {time.perf_counter() - began:.0f} s -->", flush=True)
    table(
        (
            "table (rows, studies)",
            "markers",
            *METHODS,
            NETWORK,
            "R² of the best",
            "the best is better than linear regression by",
        ),
        rows,
    )


def measured(case: Case) -> list[list[str]]:
    """A row for each way of choosing markers: mean absolute errors in deviations, best in bold."""
    studies = sorted(set(case.studies))
    rows = len(case.X)
    if len(studies) > 1:
        folds = np.array([studies.index(study) for study in case.studies])
        unit = folds if len(studies) > 2 else np.arange(rows)
    else:
        folds = np.random.default_rng(0).permutation(rows) % FOLDS
        unit = np.arange(rows)
    known = np.flatnonzero(case.landmarks)
    size = len(known) or round(case.X.shape[1] ** 0.5)
    few = min(size, 30)
    ways: list[tuple[str, Choose, int]] = []
    if len(known):
        ways.append((f"{len(known)} landmarks", named(known), 1))
        if len(known) > few:
            kept = np.random.default_rng(1).permutation(known)[:few]
            ways.append((f"{few} landmarks", named(np.sort(kept)), 1))
    else:
        few = size
    if size > few:
        ways.append((f"{size} by lot", by_lot(size, 0), DRAWS))
    ways.append((f"{few} by lot", by_lot(few, 0), DRAWS))
    ways.append((f"{few} greedy", greedy(few), 1))
    head = f"{case.name} ({rows}, {len(studies)})" if len(studies) > 1 else f"{case.name} ({rows})"
    spread = case.X.std(axis=0)
    found = []
    for words, choose, draws in ways:
        methods = dict(METHODS)
        if training.available():
            methods[NETWORK] = multitask()
        errors: dict[str, list[Floats]] = {name: [] for name in methods}
        shares: dict[str, list[float]] = {name: [] for name in methods}
        for draw in range(draws):
            this = choose if draw == 0 else by_lot(int(words.split()[0]), draw)
            tried = methods if draw == 0 else dict(METHODS)
            held = held_out(case.X, folds, this, tried)
            for name, missed in held.missed.items():
                errors[name].append(units(missed / spread, unit))
                share = explained(missed, held.missed[AVERAGE])
                shares[name].append(float(np.nanmedian(share)))
        found.append([head, words, *told(errors, shares)])
    return found


def told(errors: dict[str, list[Floats]], shares: dict[str, list[float]]) -> list[str]:
    """A cell for each method, R2 of the best, and by how much that beats linear regression."""
    means = {name: float(np.mean(each)) for name, each in errors.items()}
    able = [name for name in means if name != AVERAGE]
    best = min(able, key=lambda name: means[name])
    cells = [f"{means[name]:.3f}" if name in means else "" for name in (*METHODS, NETWORK)]
    at = [*METHODS, NETWORK].index(best)
    cells[at] = f"**{cells[at]}**"
    r2 = f"{np.mean(shares[best]):.2f}"
    count = len(errors[best])
    linear = np.mean(errors[LINEAR][:count], axis=0)
    gain, low, high = (100 * share for share in better_by(np.mean(errors[best], axis=0), linear))
    if best == LINEAR:
        return [*cells, r2, "none is"]
    verdict = ": not by 6 %" if gain < WORTH else ": may be chance" if low <= 0 else ""
    return [*cells, r2, f"{gain:.0f} % ({low:.0f} to {high:.0f}){verdict}"]


def units(missed: Floats, unit: Ints) -> Floats:
    """The mean error of each study, or row."""
    count = np.bincount(unit, np.isfinite(missed).sum(axis=1))
    return np.asarray(np.bincount(unit, np.nansum(missed, axis=1)) / np.maximum(count, 1))


def named(markers: Ints) -> Choose:
    return lambda Z, columns: np.flatnonzero(np.isin(columns, markers))


def by_lot(size: int, seed: int) -> Choose:
    return lambda Z, columns: panel.at_random(Z, size, seed)


def greedy(size: int) -> Choose:
    return lambda Z, columns: panel.greedy(Z, size)


# The tables


def cases(data: Path) -> list[Case]:
    import pandas as pd

    landmarks = pd.read_csv(data / "autoencoder/dgex_landmark_genes.tsv", sep="\t")
    targets = pd.read_csv(data / "autoencoder/dgex_target_genes.tsv", sep="\t")
    compendium = data / "compendium"

    def read(name: str, **more: Any) -> Any:
        return pd.read_csv(compendium / name, sep="\t", index_col=0, **more)

    def case(name: str, frame: Any, studies: Sequence[str], key: str) -> Case:
        """Genes x samples, kept to the genes of the two lists."""
        frame = frame[~frame.index.duplicated()].dropna()
        known = frame.index.isin(landmarks[key])
        wanted = np.flatnonzero(known | frame.index.isin(targets[key]))
        others = wanted[~known[wanted]]
        kept = np.random.default_rng(0).permutation(others)[:MOST]
        chosen = np.sort(np.concatenate([wanted[known[wanted]], kept]))
        X = frame.to_numpy(dtype=np.float64).T[:, chosen]
        varies = X.std(axis=0) > 0
        return Case(name, X[:, varies], list(studies), known[chosen][varies])

    tissues = {name: read(f"tissues_{name}_fpkm.tsv.gz") for name in ("uhlen", "ibm", "brawand")}
    gtex = read("te_gtex.tsv.gz")
    hpa = read("te_hpa.tsv.gz")
    three = pd.concat(tissues.values(), axis=1, join="inner")
    studies = [name for name, frame in tissues.items() for _ in frame]
    published = read("pub_published_rpkms.tsv.gz")
    of_published = pd.read_csv(compendium / "pub_samples.csv").set_index("sample")["study"]
    stem = pd.read_csv(compendium / "stemcells_expression.csv.gz", index_col=0)
    of_stem = pd.read_csv(compendium / "stemcells_samples.csv").set_index("sample")["study"]
    tumours = read("tcga6_log2rsem.tsv.gz")
    of_tumours = pd.read_csv(compendium / "tcga6_samples.csv").set_index("barcode")["cohort"]
    uterus = pd.read_csv(data / "tcga/ucec_transcriptomics.tsv.gz", sep="\t", index_col=0)
    blue = pd.read_csv(data / "autoencoder/srbct_expression.csv.gz", index_col=0)
    log: Callable[[Any], Any] = lambda frame: np.log2(1 + frame)  # noqa: E731
    both = pd.concat([log(three), log(gtex)], axis=1, join="inner")
    pair = pd.concat([log(gtex), log(hpa)], axis=1, join="inner")
    ensembl, symbol = "ensembl_gene_id", "gene_symbol"
    small = blue.select_dtypes("number").to_numpy(dtype=np.float64)
    cells = stem.to_numpy(dtype=np.float64)
    return [
        case("tissues, FPKM", log(three), studies, ensembl),
        case("tissues with GTEx, FPKM and TPM", both, [*studies, *["gtex"] * 29], ensembl),
        case("GTEx and HPA, TPM", pair, ["gtex"] * 29 + ["hpa"] * 35, ensembl),
        case("published tissues, RPKM", log(published), of_published[published.columns], ensembl),
        case("TCGA cohorts, RSEM", tumours, of_tumours[tumours.columns], symbol),
        case("endometrial tumours", uterus, [""] * uterus.shape[1], symbol),
        Case("stem cells", cells, of_stem[stem.index].astype(str).tolist(),
             np.isin(stem.columns, landmarks[ensembl])),
        Case("small round blue cell tumours", small, [""] * len(small),
             np.zeros(small.shape[1], dtype=bool)),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
