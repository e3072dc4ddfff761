"""The story's data: cohorts of tumours by their proteins, messages and microRNAs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from followdata.answer import Provenance
from followdata.data import About, Data, MemoryTable
from followdata.parameters import Choice, Text
from followdata.questions.correlate import correlating
from followdata.questions.subtypes import subtyping
from followdata.sources.fetching import Fetching
from followdata.sources.genesets import read_gmt

DROP, KEEP = "drop", "keep"
_EVERY = 8
"""Of the genes that the sample's package has, so many-th is in the sample."""
_WORDS = {
    "endometrial": ("ucec", "endometrial"),
    "breast": ("brca", "breast", "itraq"),
    "adrenocortical": ("acc", "adrenocortical"),
}
"""How the files of a cohort are called in a folder that holds several."""


def sample() -> MemoryTable:
    """Endometrial tumours of CPTAC by an eighth of their genes: proteins, with messages and
    microRNAs as layers.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    from followdata.sources import cptac
    from followdata.sources.cohorts import joined

    files = cptac.packaged_endometrial(every=_EVERY)
    provenance = Provenance(
        source=f"{cptac.ENDOMETRIAL}, as packaged in cptac 0.4.1",
        retrieved="",
        licence=cptac.LICENCE,
        url="https://proteomic.datacommons.cancer.gov/pdc/",
        citation=cptac.CITATION,
        sample="endometrial tumours by every eighth gene, standing in for whole proteomes",
    )
    return joined(_about("endometrial"), files.readings, files.descriptions, provenance)


def fetch(
    fetching: Fetching,
    *,
    cohort: Annotated[
        str, Text("Which tumours: endometrial, breast, or another study")
    ] = "endometrial",
    excluded: Annotated[
        str, Choice("What becomes of cases that the study itself excluded", (DROP, KEEP))
    ] = DROP,
) -> tuple[str, Data]:
    """A cohort, from CPTAC or TCGA or from files in their layouts."""
    from followdata.sources.cohorts import joined
    from followdata.sources.omics import read_files

    cohort = cohort.lower()
    files = read_files(fetching.paths, _WORDS.get(cohort, (cohort,)))
    provenance = Provenance(
        source=", ".join(dict.fromkeys(one.place for one in files.readings)),
        retrieved=fetching.now.isoformat(),
        licence="not stated in the files",
    )
    table = joined(
        _about(cohort),
        files.readings,
        files.descriptions,
        provenance,
        keep_excluded=excluded == KEEP,
        steps=files.steps,
    )
    return (cohort if excluded == DROP else f"{cohort} with excluded"), table


def _about(cohort: str) -> About:
    title = f"{cohort.capitalize()} tumours"
    return About(title, "tumour", "tumours", "gene", "genes", label="subtype")


correlate = correlating(read_gmt)


def _own_samples(path: Path) -> MemoryTable:
    """The reader's own samples: read where they lie, kept nowhere."""
    from followdata.sources.expression import read_expression

    return read_expression([path], retrieved=datetime.now(UTC), notice=lambda text: None)


def _profiles(path: Path) -> MemoryTable:
    """A table of genes by classes."""
    from followdata.sources.tables import read_table

    return read_table(path).table


subtype = subtyping(_own_samples, _profiles)
