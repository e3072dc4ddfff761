"""Files of tumours' proteins and messages as CPTAC, TCGA and those who pass them on write them.

What a file is follows from its headings, which layer it holds from its name or its features:

- Genes in rows: `gene` or `idx` and then samples (CPTAC's `.cct`, linkedomics), `sample` and then
  TCGA barcodes (Xena), `<sample> Log Ratio` and `<sample> Unshared Log Ratio` (CPTAC's `.itraq.tsv`
  and `.tmt10.tsv`), `RefSeq_accession_number, gene_symbol, gene_name` and then samples (the breast
  iTRAQ table of 77 tumours).
- Samples in rows, under two rows of headings, `Name` (the gene) and `Database_ID`: the frames of
  the package cptac, saved as CSV.
- Samples in rows: a name (`sample`, `bcr_patient_barcode`, `patient_ID`) and then features: genes,
  microRNAs, RefSeq proteins or antibodies.
- What is known of samples: a table with a column of their names and words beside it.
- What features are called: antibodies by gene (`antibody, gene_symbol`), RefSeq proteins by gene.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np

from followdata.answer import Step, listing
from followdata.data import Floats
from followdata.errors import InvalidInput
from followdata.sources.barcodes import are_barcodes
from followdata.sources.cohorts import (
    ANTIBODY,
    GENE,
    MICRO,
    MIRNA,
    MRNA,
    PHOSPHO,
    PROTEIN,
    Description,
    Reading,
)
from followdata.sources.tables import read_text

if TYPE_CHECKING:
    import pandas as pd

_GENE_HEADINGS = frozenset(
    {"gene", "idx", "genes", "gene_symbol", "gene symbol", "symbol", "hugo_symbol"}
)
_SAMPLE_HEADINGS = frozenset(
    {
        "sample",
        "samples",
        "sampleid",
        "bcr_patient_barcode",
        "patient_id",
        "complete tcga id",
        "idx",
    }
)
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null"]
_RATIO, _UNSHARED = " Log Ratio", " Unshared Log Ratio"
_KAGGLE = ("RefSeq_accession_number", "gene_symbol", "gene_name")
_FRAME = ("Name", "Database_ID")
_NOT_GENES = frozenset({"Mean", "Median", "StdDev"})
_GENE_MAPS = (("antibody", "gene_symbol"), ("refseq_protein", "gene_symbol"),
              ("RefSeqProteinID", "GeneSymbol"))  # fmt: skip
_PHOSPHORYLATED = re.compile(r"_p[STY]\d+")
_CLEAVED = re.compile(r"_cleaved")
_ENDINGS = re.compile(r"(\.(csv|tsv|txt|cct)|HiSeqV2|RPPA|miRNA_HiSeq_gene|clinicalMatrix)(\.gz)?$")
_WORDS: Mapping[str, tuple[str, ...]] = {
    MIRNA: ("mirna", "mirnas"),
    PROTEIN: ("proteomics", "proteomes", "proteome", "protein", "proteins", "itraq", "tmt", "tmt10",
              "rppa"),
    MRNA: ("mrna", "rna", "transcriptomics", "hiseqv2", "expression", "rnaseq"),
}  # fmt: skip
_METHODS = {"rppa": "RPPA", "itraq": "iTRAQ", "tmt": "TMT", "tmt10": "TMT"}
_OTHER_MOLECULES = frozenset({"circular", "phosphoproteomics", "acetylproteomics"})
_LEAST_FEATURES = 10


@dataclass
class Files:
    """What was read: layers, words about samples, and which files were not used."""

    readings: list[Reading] = field(default_factory=list)
    descriptions: list[Description] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def read_files(paths: Sequence[Path], words: Sequence[str]) -> Files:
    """What the files hold of a cohort; of a folder those with a word that begins like one of
    `words` in their names.

    A folder that is called so itself is taken whole, and a file named by itself is always taken.
    Tables of what features are called are taken from any of them.

    Raises `InvalidInput` for a file that is not there or is damaged, for one that is named by
    itself and holds no values by sample, and for a folder without files of the cohort.
    """
    files = Files()
    opened = [_Sheet.of(path) for path in _chosen(paths)]
    names = _gene_names(sheet for sheet in opened if sheet.gene_map)
    wanted = set(_wanted(paths, [sheet.path for sheet in opened], words))
    for sheet in opened:
        if sheet.gene_map:
            continue
        if sheet.path not in wanted:
            continue
        named = sheet.path in paths
        _take(files, sheet, names, named=named)
    return files


def read_content(contents: Mapping[str, str]) -> Files:
    """As `read_files`, of texts that were read already, by the name of their file."""
    files = Files()
    for name, content in contents.items():
        _take(files, _Sheet.named(name, content), {}, named=True)
    return files


def _take(files: Files, sheet: _Sheet, names: Mapping[str, str], *, named: bool) -> None:
    if sheet.is_summary:
        problem = "it holds counts of spectra and peptides for each plex, and no ratios by sample."
        advice = "Give the study's .itraq.tsv or .tmt10.tsv file, which has them."
        if named:
            raise InvalidInput(str(sheet.path), problem, advice)
        _unused(files, sheet, "counts of spectra, no ratios by sample")
        return
    reading = sheet.reading(names)
    description = sheet.description()
    if reading is not None:
        files.readings.append(reading)
    if description is not None:
        files.descriptions.append(description)
    if reading is None and description is None:
        if named:
            raise InvalidInput(str(sheet.path), "its headings are of no layout that is known here.")
        _unused(files, sheet, "no layout that is known here")


def _unused(files: Files, sheet: _Sheet, why: str) -> None:
    files.steps.append(Step(f"not used: {why}", sheet.path.name, "files", 1, 0))


# Which files


def _chosen(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise InvalidInput(str(path), "there is no such file.")
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if _ENDINGS.search(one.name))
        else:
            yield path


def _wanted(paths: Sequence[Path], found: Sequence[Path], words: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [one for one in found if one.parent == path]
        fitting = [one for one in inside if _called_so(one.name, words)]
        if not fitting and not any(_called_so(part, words) for part in path.resolve().parts):
            raise InvalidInput(
                str(path),
                f"no file in it has “{listing(list(words))}” in its name.",
                "Name the files of one cohort themselves, with --from for each.",
            )
        yield from fitting or inside


def _called_so(name: str, words: Sequence[str]) -> bool:
    return any(part.startswith(tuple(words)) for part in _words(Path(name)))


def _words(path: Path) -> list[str]:
    """The words of a file's name.

    >>> _words(Path("77_cancer_proteomes_CPTAC_itraq.csv"))
    ['77', 'cancer', 'proteomes', 'cptac', 'itraq', 'csv']
    """
    return re.findall(r"[a-z0-9]+", unquote(path.name).lower())


# One file


@dataclass(frozen=True)
class _Sheet:
    """A file by its headings; the rest is read when it is wanted."""

    path: Path
    separator: str
    headings: tuple[str, ...]
    content: str | None = None

    @classmethod
    def of(cls, path: Path) -> _Sheet:
        import gzip

        try:
            with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
                line = file.readline()
        except (OSError, EOFError) as error:
            raise InvalidInput(str(path), f"it cannot be read ({error}).") from error
        return cls(path, *_headings(line.decode("utf-8-sig", "replace")))

    @classmethod
    def named(cls, name: str, content: str) -> _Sheet:
        """A file that was read already."""
        return cls(Path(name), *_headings(content[: content.find("\n")]), content)

    @property
    def text(self) -> str:
        return read_text(self.path) if self.content is None else self.content

    @property
    def first(self) -> str:
        return self.headings[0]

    @property
    def is_summary(self) -> bool:
        return any(heading.endswith(" Spectral Counts") for heading in self.headings)

    @property
    def gene_map(self) -> tuple[str, str] | None:
        """The two columns that say of which gene a feature is, if that is what the file is for."""
        found = (pair for pair in _GENE_MAPS if set(pair) <= set(self.headings))
        return next(found, None) if len(self.headings) < _LEAST_FEATURES else None

    def frame(self) -> pd.DataFrame:
        """The whole file: numbers where a column is all numbers, else words."""
        import pandas as pd

        own = [self.first, *_KAGGLE]
        try:
            frame = pd.read_csv(
                io.StringIO(self.text),
                sep=self.separator,
                dtype={name: str for name in own if name in self.headings},
                # A gene may be called NAN; only what is no name can be missing.
                na_values={name: _MISSING for name in self.headings if name not in own},
                keep_default_na=False,
                low_memory=False,
            )
        except ValueError as error:
            raise InvalidInput(str(self.path), f"it cannot be read ({error}).") from error
        frame.columns = [str(column).strip() for column in frame.columns]
        return frame

    def reading(self, names: Mapping[str, str]) -> Reading | None:
        """The values by sample; `None` for a file of words."""
        if any(heading.endswith(_RATIO) for heading in self.headings):
            return self._ratios()
        if set(_KAGGLE[:2]) <= set(self.headings):
            return self._kaggle()
        if self.first == _FRAME[0]:
            return self._saved_frame()
        layer, method = self._layer()
        if self.first.lower() not in _GENE_HEADINGS | _SAMPLE_HEADINGS or not layer:
            return None
        frame = self.frame()
        numeric = [name for name in frame.columns[1:] if frame[name].dtype.kind in "fiu"]
        if len(numeric) < max(_LEAST_FEATURES, len(frame.columns) / 2):
            return None
        values = frame[numeric].to_numpy(dtype=np.float64)
        rows = frame[frame.columns[0]].tolist()
        genes_in_rows = self.first.lower() in _GENE_HEADINGS or are_barcodes(numeric)
        samples, features = (numeric, rows) if genes_in_rows else (rows, numeric)
        if genes_in_rows:
            values = values.T
        if any(_PHOSPHORYLATED.search(name) for name in features):
            method = "RPPA"
        genes, aliases, kinds = named_features(features, names, layer, method)
        return Reading(layer, method, self.path.name, values, samples, genes, aliases, kinds)

    def _layer(self) -> tuple[str, str]:
        """The layer and the method that the file's name, or its headings, tell."""
        words = _words(self.path)
        if _OTHER_MOLECULES & set(words):
            return "", ""
        if sum(heading.startswith("hsa-") for heading in self.headings) > _LEAST_FEATURES:
            return MIRNA, ""
        layer = next((layer for layer, known in _WORDS.items() if set(known) & set(words)), "")
        method = next((_METHODS[word] for word in words if word in _METHODS), "")
        return layer, method if layer == PROTEIN else ""

    def _ratios(self) -> Reading:
        """A `.itraq.tsv` or `.tmt10.tsv` file: the ratios of all peptides, shared ones too."""
        frame = self.frame()
        columns = [
            name for name in frame.columns if name.endswith(_RATIO) and not name.endswith(_UNSHARED)
        ]
        kept = frame[~frame[frame.columns[0]].isin(_NOT_GENES)]
        method = "iTRAQ" if "itraq" in _words(self.path) else "TMT"
        return Reading(
            PROTEIN,
            method,
            self.path.name,
            _numbers(kept[columns], self.path).T,
            [name.removesuffix(_RATIO) for name in columns],
            kept[kept.columns[0]].tolist(),
        )

    def _kaggle(self) -> Reading:
        """The breast iTRAQ table of 77 tumours: a row for each RefSeq protein, isoforms too."""
        frame = self.frame()
        samples = [name for name in frame.columns if name not in _KAGGLE]
        proteins, symbols = (frame[name].tolist() for name in _KAGGLE[:2])
        genes = [
            protein if symbol in _MISSING else symbol
            for protein, symbol in zip(proteins, symbols, strict=True)
        ]
        values = _numbers(frame[samples], self.path).T
        return Reading(PROTEIN, "iTRAQ", self.path.name, values, samples, genes, proteins)

    def _saved_frame(self) -> Reading | None:
        """A frame of the package cptac: genes above, proteins below them, then the samples."""
        layer, method = self._layer()
        rows = list(csv.reader(io.StringIO(self.text), delimiter=self.separator))
        names = [row[0] if row else "" for row in rows]
        if _FRAME[1] not in names[:3] or not layer:
            return None
        below = [number for number, name in enumerate(names[:4]) if name in (*_FRAME, "Patient_ID")]
        genes, ids = rows[0][1:], rows[names.index(_FRAME[1])][1:]
        body = [row for row in rows[below[-1] + 1 :] if row]
        values = np.full((len(body), len(genes)), np.nan)
        for at, row in enumerate(body):
            for column, text in enumerate(row[1:]):
                if text not in _MISSING:
                    values[at, column] = _number(text, self.path, f"{row[0]}, {genes[column]}")
        return Reading(layer, method, self.path.name, values, [row[0] for row in body], genes, ids)

    def description(self) -> Description | None:
        """What the file says of samples; `None` where it has no column of words beside names."""
        key = next((name for name in self.headings if name.lower() in _SAMPLE_HEADINGS), None)
        if key is None or key != self.first or are_barcodes(self.headings):
            return None
        frame = self.frame()
        words = [
            name for name in frame.columns[1:] if frame[name].dtype.kind == "O" and name != key
        ]
        if not words or frame[key].duplicated().any():
            return None
        labels = {
            name: ["" if value != value else str(value).strip() for value in frame[name]]
            for name in words
        }
        return Description(self.path.name, frame[key].tolist(), labels)


def _number(text: str, path: Path, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(str(path), f"“{text}” is not a number.", where=where) from None


def _headings(line: str) -> tuple[str, tuple[str, ...]]:
    """What separates the headings in a file's first line, and these."""
    line = line.rstrip("\r\n")
    separator = max("\t,;", key=line.count)
    return separator, tuple(text.strip('" ') for text in line.split(separator))


def _numbers(frame: pd.DataFrame, path: Path) -> Floats:
    wrong = [name for name in frame.columns if frame[name].dtype.kind not in "fiu"]
    if wrong:
        raise InvalidInput(str(path), f"“{wrong[0]}” holds what is not a number.")
    return np.asarray(frame.to_numpy(dtype=np.float64))


# What features are called


def _gene_names(sheets: Iterator[_Sheet]) -> dict[str, str]:
    """The gene of each antibody or protein."""
    found: dict[str, str] = {}
    for sheet in sheets:
        assert sheet.gene_map
        feature, gene = sheet.gene_map
        frame = sheet.frame()
        pairs = zip(frame[feature], frame[gene], strict=True)
        found |= {str(name): str(symbol) for name, symbol in pairs if symbol == symbol}
    return found


def named_features(
    features: Sequence[str], genes: Mapping[str, str], layer: str, method: str
) -> tuple[list[str], list[str], list[str]]:
    """Features under the names of their genes, their other names, and what they are.

    A phosphorylated or a cleaved form is not the gene's level: it keeps its own name.

    >>> named_features(["ER-alpha", "Akt_pS473"], {"ER-alpha": "ESR1"}, "protein", "RPPA")
    (['ESR1', 'Akt_pS473'], ['ER-alpha', ''], ['gene', 'phosphoprotein'])
    """
    named = [genes.get(name, name) if not _form(name) else name for name in features]
    aliases = [old if old != new else "" for old, new in zip(features, named, strict=True)]
    if layer == MIRNA:
        kinds = [MICRO] * len(named)
    elif method == "RPPA" and genes:
        known = {*genes, *genes.values()}
        kinds = [_form(old) or (GENE if old in known else ANTIBODY) for old in features]
    else:
        kinds = [_form(old) or GENE for old in features]
    return named, aliases, kinds


def _form(feature: str) -> str:
    if _PHOSPHORYLATED.search(feature):
        return PHOSPHO
    return ANTIBODY if _CLEAVED.search(feature) else ""
