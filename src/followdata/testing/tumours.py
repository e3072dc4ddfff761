"""Providers of tumours' measurements to test with: they answer as the Proteomic Data Commons, the
Genomic Data Commons and the TCGA hub of Xena do, with values that are invented.

>>> import httpx
>>> with httpx.Client(transport=httpx.MockTransport(PretendCommons())) as client:
...     query = '{ quantDataMatrix(pdc_study_id: "PDC999999" acceptDUA: true) }'
...     reply = client.post("https://pdc.cancer.gov/graphql", json={"query": query})
...     reply.status_code, reply.json()["data"]
(200, {'quantDataMatrix': None})
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np

CASES = tuple(f"X3L-{number:05}" for number in range(12))
GENES = ("ESR1", "MKI67", "TP53", "KRT5", "MRPL1", "MRPL2")
PATIENTS = tuple(f"TCGA-ZZ-A{number:03}" for number in range(12))
_QUERY = re.compile(r'(\w+)\(\s*pdc_study_id:\s*"(\w+)"')


@dataclass(frozen=True)
class PretendCommons:
    """Answers requests to all three hosts.

    `studies` are those that are processed; any other gives null. `refusing` is a message with
    which every query is refused, at status 200, as the real one refuses.
    """

    studies: tuple[str, ...] = ("PDC000125",)
    refusing: str = ""
    seed: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        host, path = request.url.host, unquote(request.url.path)
        if host == "pdc.cancer.gov":
            return self._graphql(json.loads(request.content)["query"])
        if host == "api.gdc.cancer.gov" and path == "/files":
            return httpx.Response(200, json=self._files(json.loads(request.content)))
        if host == "api.gdc.cancer.gov" and path.startswith("/data/"):
            return httpx.Response(200, text=self._star(path.removeprefix("/data/")))
        found = dict(self._hub()).get(path.removeprefix("/download/"))
        return httpx.Response(404) if found is None else httpx.Response(200, content=found)

    # The Proteomic Data Commons

    def _graphql(self, query: str) -> httpx.Response:
        if self.refusing:
            return httpx.Response(200, json={"errors": [{"message": self.refusing}], "data": None})
        found = _QUERY.search(query)
        assert found
        assert "acceptDUA: true" in query
        name, study = found.groups()
        answer: Any = None
        if study in self.studies:
            answer = {
                "quantDataMatrix": self._matrix,
                "biospecimenPerStudy": self._specimens,
                "clinicalMetadata": self._clinical,
            }[name]()
        return httpx.Response(200, json={"data": {name: answer}})

    def _aliquots(self) -> Iterator[tuple[str, str, str]]:
        """Each aliquot with its case and kind: tumours, the first one twice, a normal, a pool."""
        for number, case in enumerate(CASES):
            yield f"CPT{number:04}", case, "Primary Tumor"
        yield "CPT0900", CASES[0], "Primary Tumor"
        yield "CPT0901", CASES[1], "Solid Tissue Normal"
        yield "POOL01", "Reference", "Internal Reference"

    def _matrix(self) -> list[list[str]]:
        random = np.random.default_rng(self.seed)
        aliquots = [name for name, _, _ in self._aliquots()]
        rows = [["Gene/Aliquot", *(f"uuid-{name}:{name}" for name in aliquots)]]
        for gene in GENES:
            values = [f"{value:.4f}" for value in random.normal(size=len(aliquots))]
            values[3] = ""
            rows.append([gene, *values])
        return rows

    def _specimens(self) -> list[dict[str, str]]:
        return [
            {"aliquot_submitter_id": name, "case_submitter_id": case, "sample_type": kind}
            for name, case, kind in self._aliquots()
        ]

    def _clinical(self) -> list[dict[str, str]]:
        return [
            {
                "aliquot_submitter_id": name,
                "morphology": "8380/3",
                "primary_diagnosis": "Endometrioid" if number % 2 else "Serous",
                "tumor_grade": "G1" if number % 3 else "Not Reported",
                "tumor_stage": "Stage I",
            }
            for number, (name, _, _) in enumerate(self._aliquots())
        ]

    # The Genomic Data Commons

    def _files(self, asked: Any) -> dict[str, Any]:
        wanted = asked["filters"]["content"][0]["content"]["value"]
        kinds = {"tumour": "Primary Tumor", "normal": "Solid Tissue Normal"}
        hits = [
            {
                "file_id": f"{kind}-{case}",
                "cases": [{"submitter_id": case, "samples": [{"sample_type": words}]}],
            }
            for case in wanted
            if case in CASES
            for kind, words in kinds.items()
        ]
        return {"data": {"hits": hits, "pagination": {"total": len(hits)}}, "warnings": {}}

    def _star(self, id: str) -> str:
        random = np.random.default_rng(sum(map(ord, id)))
        lines = ["# gene-model: GENCODE v36", "gene_id\tgene_name\tgene_type\ttpm_unstranded"]
        lines += [f"N_{kind}\t\t\t7" for kind in ("unmapped", "noFeature")]
        lines += [
            f"ENSG{number:011}.1\t{gene}\tprotein_coding\t{value:.4f}"
            for number, (gene, value) in enumerate(
                zip(GENES, random.lognormal(5, size=len(GENES)), strict=True)
            )
        ]
        return "\n".join([*lines, "ENSG9\tXIST\tlncRNA\t5.0"]) + "\n"

    # Xena

    def _hub(self) -> Iterator[tuple[str, bytes]]:
        random = np.random.default_rng(self.seed)
        samples = [*(f"{name}-01" for name in PATIENTS), f"{PATIENTS[0]}-11"]
        genes = [*GENES, *(f"GENE{number}" for number in range(20))]
        rows = [
            "\t".join([gene, *(f"{value:.3f}" for value in random.normal(8, 2, len(samples)))])
            for gene in genes
        ]
        table = "\n".join(["\t".join(["sample", *samples]), *rows]) + "\n"
        yield "TCGA.BRCA.sampleMap/HiSeqV2.gz", gzip.compress(table.encode())
        clinical = ["sampleID\tPAM50Call_RNAseq\tgender"]
        clinical += [
            f"{name}\t{'Basal' if number % 2 else 'LumA'}\tFEMALE"
            for number, name in enumerate(samples)
        ]
        yield "TCGA.BRCA.sampleMap/BRCA_clinicalMatrix", ("\n".join(clinical) + "\n").encode()
