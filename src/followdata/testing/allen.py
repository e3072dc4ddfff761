"""Packages in the layout of the Allen Human Brain Atlas, to test what reads them.

The atlas itself cannot be passed on; what is packed here is invented, or someone else's.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from followdata.data import Floats
from followdata.sources.allen import DOWNLOADS

STRUCTURES: Sequence[tuple[str, str, str]] = (
    ("FL", "PrG", "left"),
    ("FL", "SFG", "right"),
    ("Str", "Caudate", "left"),
    ("Str", "Putamen", "right"),
    ("GP", "GP", "left"),
    ("CbCx", "CbCx", "right"),
)
"""Main structure, substructure and hemisphere of invented samples."""
ONTOLOGY: Sequence[tuple[int, str, str, str]] = (
    (4005, "Br", "Brain", "/4005/"),
    (4008, "Cx", "Cerebral Cortex", "/4005/4008/"),
    (4009, "FL", "Frontal Lobe", "/4005/4008/4009/"),
    (4010, "PrG", "precentral gyrus", "/4005/4008/4009/4010/"),
    (4011, "PrG", "precentral gyrus, Left", "/4005/4008/4009/4010/4011/"),
    (4276, "BG", "Basal Ganglia", "/4005/4276/"),
    (4277, "Str", "Striatum", "/4005/4276/4277/"),
    (4293, "GP", "Globus Pallidus", "/4005/4276/4293/"),
    (4697, "CbCx", "Cerebellar Cortex", "/4005/4697/"),
)
_SAMPLE_COLUMNS = (
    "RNAseq_sample_name", "replicate_sample", "sample_name", "well_id", "microarray_run_id",
    "ontology_color", "main_structure", "sub_structure", "ontology_structure_id",
    "ontology_structure_acronym", "hemisphere", "brain", "million_clusters", "clip_percentage",
    "RIN_RNA_squality", "rnaseq_run_id", "A.Pct", "C.Pct", "G.Pct", "T.Pct", "N.Pct",
)  # fmt: skip
_GENE_COLUMNS = (
    "gene_symbol", "gene_id", "entrez_id", "chromosome", "strand", "number_of_transcripts",
    "median_transcriptome_length", "median_genome_length", "median_number_of_exons",
    "median_gene_start", "median_gene_end",
)  # fmt: skip
_ONTOLOGY_COLUMNS = (
    "id", "acronym", "name", "parent_structure_id", "hemisphere", "graph_order",
    "structure_id_path", "color_hex_triplet",
)  # fmt: skip


@dataclass(frozen=True)
class PretendPackage:
    """One donor's package: `tpm` is genes x samples, `brain` the donor as the atlas numbers it.

    `structures` gives main structure, substructure and hemisphere of each sample, `replicates`
    which of them repeat another, `ontology` id, acronym, name and path of each structure.
    """

    brain: str
    genes: Sequence[str]
    tpm: Floats
    structures: Sequence[tuple[str, str, str]]
    names: Sequence[str] = ()
    replicates: Sequence[int] = ()
    ontology: Sequence[tuple[Any, str, str, str]] = ONTOLOGY
    entrez: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def invented(
        cls, brain: str = "9861", *, genes: int = 40, repeats: int = 3, seed: int = 0
    ) -> PretendPackage:
        """Random numbers, of which the first gene, PCP4, is high in the striatum."""
        random = np.random.default_rng([seed, int(brain)])
        structures = [place for _ in range(repeats) for place in STRUCTURES]
        names = ["PCP4", "MBP", "NA", "1-Mar", *(f"GENE{n}" for n in range(4, genes))][:genes]
        values = random.gamma(2, 1, size=(genes, len(structures)))
        values[0] *= [30 if main == "Str" else 1 for main, _, _ in structures]
        return cls(brain, names, 1e6 * values / values.sum(0), structures, replicates=(1,))

    @property
    def sample_names(self) -> list[str]:
        return list(self.names) or [
            f"S{n:03}_{self.brain}_{fine}" for n, (_, fine, _) in enumerate(self.structures, 1)
        ]

    def members(self, *, fraction: bool = False) -> dict[str, bytes]:
        """The files by name; with `fraction`, the columns of the TPM file add up to 1."""
        tpm = self.tpm / (1e6 if fraction else 1)
        rows = [[gene, *map(repr, row)] for gene, row in zip(self.genes, tpm.tolist(), strict=True)]
        counts = [
            [gene, *row] for gene, row in zip(self.genes, self.tpm.round().tolist(), strict=True)
        ]
        return {
            "Readme.txt": b"Not the Allen Human Brain Atlas: a package made for a test.\n",
            "RNAseqTPM.csv": _csv(rows),
            "RNAseqCounts.csv": _csv(counts),
            "SampleAnnot.csv": _csv(self._samples(), _SAMPLE_COLUMNS),
            "Genes.csv": _csv(self._genes(), _GENE_COLUMNS),
            "Ontology.csv": _csv(self._structures(), _ONTOLOGY_COLUMNS),
        }

    def zipped(self, folder: str = "", **how: bool) -> bytes:
        """The package as a zip file, its members inside `folder`."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
            for name, body in self.members(**how).items():
                file.writestr(f"{folder}{name}", body)
        return content.getvalue()

    def write(self, folder: Path, **how: bool) -> Path:
        """The package as a folder of files."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in self.members(**how).items():
            (folder / name).write_bytes(body)
        return folder

    def _samples(self) -> list[list[Any]]:
        return [
            [name, "Yes" if n in self.replicates else "No", name, n, f"run{n}", "E8CD59", main,
             fine, 4000 + n, fine, side, self.brain, 30.1, 0.1, 7.0, f"L{n}",
             0.25, 0.25, 0.25, 0.25, 0.0]
            for n, (name, (main, fine, side)) in enumerate(
                zip(self.sample_names, self.structures, strict=True)
            )
        ]  # fmt: skip

    def _genes(self) -> list[list[Any]]:
        return [
            [gene, n, self.entrez.get(gene, str(1000 + n)), "1", "+", 3, 2000, 30000, 8, 1, 2]
            for n, gene in enumerate(self.genes)
        ]

    def _structures(self) -> list[list[Any]]:
        return [
            [id, acronym, name, path.strip("/").split("/")[-2:][0], "L", n, path, "E8CD59"]
            for n, (id, acronym, name, path) in enumerate(self.ontology)
        ]


@dataclass(frozen=True)
class PretendAllen:
    """The download API with a package for each donor, as a handler of requests."""

    packages: Mapping[str, bytes]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.rpartition("/")[2])
        donor = next((donor for donor, file in DOWNLOADS.items() if file == number), "")
        if donor not in self.packages:
            return httpx.Response(404)
        return httpx.Response(200, content=self.packages[donor])


def _csv(rows: Sequence[Sequence[Any]], header: Sequence[str] = ()) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([header, *rows] if header else rows)
    return text.getvalue().encode()
