"""TCGA's cohorts from the Xena hub, and messages of any of its cases from the Genomic Data Commons.

The hub (https://xenabrowser.net/datapages/) has a file for each cohort and measurement, genes in
rows and samples in columns. The GDC (https://docs.gdc.cancer.gov/API/) has a file for each sample,
which its API finds by the case.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.answer import Step
from followdata.errors import InvalidInput, Refused
from followdata.sources.client import Provider
from followdata.sources.cohorts import MRNA, Reading
from followdata.sources.omics import Files, read_content
from followdata.sources.tables import decoded

if TYPE_CHECKING:
    from followdata.sources.client import Client
    from followdata.sources.fetching import Fetching

XENA = Provider(
    name="The TCGA hub of Xena",
    url="https://tcga-xena-hub.s3.us-east-1.amazonaws.com/download/",
    pace=2.0,
    timeout=180.0,
    source="TCGA (NCI/NIH), through UCSC Xena",
    licence="Open access; https://gdc.cancer.gov/access-data/data-access-policies",
    citation="Goldman et al. 2020, Nat. Biotechnol. 38:675, doi:10.1038/s41587-020-0546-8",
)
GDC = Provider(
    name="The Genomic Data Commons",
    url="https://api.gdc.cancer.gov/",
    pace=3.0,
    timeout=180.0,
    source="NCI Genomic Data Commons",
    licence="Open access; https://gdc.cancer.gov/access-data/data-access-policies",
)
CODES: Mapping[str, str] = {"breast": "BRCA", "adrenocortical": "ACC"}
"""TCGA's code of each cohort that is taken from there."""
_MEASURED = {"mRNA": "HiSeqV2.gz", "protein": "RPPA.gz", "miRNA": "miRNA_HiSeq_gene.gz"}
_AT_A_TIME = 100
_COUNTED_ROWS = "N_"


def code_of(cohort: str) -> str | None:
    """TCGA's code of a cohort, by its name here or its own.

    >>> code_of("breast"), code_of("brca"), code_of("tcga-luad"), code_of("irises")
    ('BRCA', 'BRCA', 'LUAD', None)
    """
    if cohort.upper() in CODES.values():
        return cohort.upper()
    if cohort.lower().startswith("tcga-"):
        return cohort[len("tcga-") :].upper()
    return CODES.get(cohort)


def fetch_cohort(fetching: Fetching, code: str, provider: Provider = XENA) -> Files:
    """A cohort's messages, proteins (RPPA) and microRNAs, as far as the hub has them, and its
    clinical table.

    Raises `Refused` for a cohort of which the hub has nothing.
    """
    texts, lacking = {}, []
    with fetching.client(provider) as client:
        place = f"TCGA.{code}.sampleMap%2F"
        wanted = {**_MEASURED, "clinical": f"{code}_clinicalMatrix"}
        for done, (what, name) in enumerate(wanted.items()):
            fetching.progress(done, len(wanted), "files")
            content = client.bytes(f"{place}{name}", absent=b"")
            if not content:
                lacking.append(Step(f"not there: {what}", f"TCGA.{code}", "files", 1, 0))
                continue
            plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            texts[name.removesuffix(".gz")] = decoded(name, plain)[0]
        fetching.progress(len(wanted), len(wanted), "files")
    if not texts.keys() - {wanted["clinical"]}:
        raise Refused(
            f"{provider.name} has no measurements of “{code}”.",
            "Name a cohort by TCGA's code, such as tcga-luad.",
        )
    files = read_content(texts)
    files.steps.extend(lacking)
    return files


# The Genomic Data Commons


def fetch_messages(
    fetching: Fetching, cases: Sequence[str], provider: Provider = GDC
) -> Reading | None:
    """The messages of these cases' tumours, in transcripts per million; `None` if there are none.

    A file is fetched for each tumour. Of several of one case, all are taken.
    """
    with fetching.client(provider) as client:
        found = [
            one
            for start in range(0, len(cases), _AT_A_TIME)
            for one in files_of(client, cases[start : start + _AT_A_TIME])
        ]
        columns: list[dict[str, float]] = []
        for done, (id, _) in enumerate(found):
            fetching.progress(done, len(found), "tumours' messages")
            columns.append(_star_counts(client.text(f"data/{id}"), id))
    if not found:
        return None
    genes = list(dict.fromkeys(gene for column in columns for gene in column))
    values = np.array([[column.get(gene, np.nan) for gene in genes] for column in columns])
    return Reading(MRNA, "", provider.name, values, [case for _, case in found], genes)


def files_of(client: Client, cases: Sequence[str]) -> list[tuple[str, str]]:
    """The file of each tumour of these cases, with its case."""
    chosen = {
        "cases.submitter_id": list(cases),
        "data_type": ["Gene Expression Quantification"],
        "analysis.workflow_type": ["STAR - Counts"],
        "access": ["open"],
    }
    asked = {
        "filters": {
            "op": "and",
            "content": [
                {"op": "in", "content": {"field": field, "value": value}}
                for field, value in chosen.items()
            ],
        },
        "fields": "file_id,cases.submitter_id,cases.samples.sample_type",
        "format": "JSON",
        "size": 10 * _AT_A_TIME,
    }
    reply = client.json("files", post=asked)
    hits = (reply.get("data") or {}).get("hits") if isinstance(reply, dict) else None
    if not isinstance(hits, list):
        where = "$.data.hits"
        raise InvalidInput("files of the GDC", "the reply has no list of hits.", where=where)
    return [
        (str(hit["file_id"]), str(case["submitter_id"]))
        for hit in hits
        for case in hit.get("cases", ())
        if _is_tumour(case)
    ]


def _is_tumour(case: Mapping[str, Any]) -> bool:
    kinds = [str(sample.get("sample_type", "")) for sample in case.get("samples", ())]
    return any("Tumor" in kind and "Normal" not in kind for kind in kinds)


def _star_counts(text: str, id: str) -> dict[str, float]:
    """Transcripts per million by gene, from a file of STAR's counts: those that make proteins; of
    genes of one name, the sum."""
    lines = (line for line in io.StringIO(text) if not line.startswith("#"))
    heading = next(lines, "").rstrip("\n").split("\t")
    try:
        name, kind, tpm = (heading.index(h) for h in ("gene_name", "gene_type", "tpm_unstranded"))
    except ValueError:
        problem = "it is no table of STAR's counts."
        raise InvalidInput(f"file {id}", problem, where="line 1") from None
    found: dict[str, float] = {}
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if not fields[0].startswith(_COUNTED_ROWS) and fields[kind] == "protein_coding":
            found[fields[name]] = found.get(fields[name], 0.0) + float(fields[tpm])
    return found
