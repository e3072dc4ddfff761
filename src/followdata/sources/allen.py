"""The Allen Human Brain Atlas: RNA-seq of two brains, by the API and from its packages.

A package is a zip file, or the folder it was unpacked to, of one donor (https://help.brain-map.org,
"RNA-Sequencing"):

    RNAseqTPM.csv      no header: a gene symbol, then a number for each sample, in the order of
    SampleAnnot.csv    one row a sample: its name, its structures, whether it is a replicate
    Genes.csv          what is known of each gene, Entrez id included
    Ontology.csv       the structures and what they are part of

Technical replicates are left out: they are no further samples. The columns of the TPM file add up
to a million, or in some packages to 1: that is mended, and said; anything else is refused.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from followdata.answer import listing
from followdata.data import About, Floats, Labels, MemoryTable
from followdata.errors import InvalidInput, Refused
from followdata.sources.client import Provider
from followdata.sources.structures import COLUMNS as ONTOLOGY
from followdata.sources.structures import Ontology
from followdata.sources.tables import told_apart

if TYPE_CHECKING:
    import pandas as pd

    from followdata.sources.fetching import Fetching

ALLEN = Provider(
    name="Allen Brain Atlas",
    url="https://human.brain-map.org/",
    pace=1.0,
    timeout=120.0,
    source="Allen Human Brain Atlas, RNA-seq packages (Allen Institute for Brain Science)",
    licence="Allen Institute terms of use: with citation, for research and not for sale "
    "(https://alleninstitute.org/terms-of-use)",
    citation="Hawrylycz et al. 2012, An anatomically comprehensive atlas of the adult human brain "
    "transcriptome, Nature 489:391; © Allen Institute for Brain Science, human.brain-map.org",
)
DOWNLOADS: Mapping[str, int] = {"H0351.2001": 278447594, "H0351.2002": 278448166}
"""The number of the file that holds each donor's package."""
UIDS: Mapping[str, str] = {"9861": "H0351.2001", "10021": "H0351.2002"}
"""The donors as the atlas numbers them."""

_TPM, _SAMPLES, _GENES, _ONTOLOGY = (
    "RNAseqTPM.csv", "SampleAnnot.csv", "Genes.csv", "Ontology.csv",
)  # fmt: skip
_NEEDED = frozenset(
    {"RNAseq_sample_name", "replicate_sample", "main_structure", "sub_structure", "brain"}
)
_MILLION = 1e6
_NEAR = 0.1
"""How far from a million, or from 1, a sum may be: TPM are rounded, and a few genes left out."""

Notice = Callable[[str], None]


class _Files(Protocol):
    """The members of a package by name, wherever in it they lie."""

    @property
    def place(self) -> str: ...
    def read(self, name: str) -> bytes | None: ...


@dataclass(frozen=True)
class _Package:
    """One donor's samples x genes in TPM, and what is said of both."""

    donor: str
    values: Floats
    genes: Sequence[str]
    samples: pd.DataFrame
    entrez: Mapping[str, str]
    ontology: Ontology
    remarks: tuple[str, ...]


def fetch_packages(fetching: Fetching, provider: Provider = ALLEN) -> MemoryTable:
    """Both donors' packages from the API.

    Raises `Refused` for a download that is no zip file (an error page comes with status 200 too),
    and what `followdata.sources.client` and `read_packages` raise.
    """
    packages: list[_Files] = []
    with fetching.client(provider) as client:
        for done, (donor, number) in enumerate(DOWNLOADS.items()):
            fetching.progress(done, len(DOWNLOADS), "donors")
            url = client.address(f"api/v2/well_known_file_download/{number}")
            content = client.bytes(url)
            if not content.startswith(b"PK"):
                raise Refused(
                    f"{provider.name} answered {url} with something that is not a zip file.",
                    "Try again later, or give the package as a file.",
                )
            packages.append(_Zip(f"the package of {donor}", zipfile.ZipFile(io.BytesIO(content))))
        fetching.progress(len(DOWNLOADS), len(DOWNLOADS), "donors")
    return _table(packages, fetching.now, fetching.notice, provider)


def read_packages(paths: Sequence[Path], *, retrieved: datetime, notice: Notice) -> MemoryTable:
    """The packages in zip files or folders, one donor each; a folder may hold several.

    Samples x genes in TPM. Samples are labelled by `structure`, `substructure`, what lies above
    (`lineage`), `donor` and `hemisphere`; genes are found by symbol and by Entrez id.

    Raises `InvalidInput` for a package that is not what it should be, with file and line.
    """
    found = [package for path in paths for package in _packages(path)]
    return _table(found, retrieved, notice, ALLEN)


def is_package(path: Path) -> bool:
    """Whether there is a package at `path`."""
    return next(_packages(path), None) is not None


def _packages(path: Path) -> Iterator[_Files]:
    if path.is_dir():
        for found in sorted(path.rglob(_TPM)):
            yield _Folder(str(found.parent), found.parent)
        for inside in sorted(path.glob("*.zip")):
            yield from _packages(inside)
    elif zipfile.is_zipfile(path):
        package = _Zip(str(path), zipfile.ZipFile(path))
        if package.member(_TPM):
            yield package


@dataclass(frozen=True)
class _Folder:
    place: str
    folder: Path

    def read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None


@dataclass(frozen=True)
class _Zip:
    place: str
    file: zipfile.ZipFile

    def member(self, name: str) -> str | None:
        """The member of that name, perhaps inside a folder (not the one macOS adds)."""
        names = [n for n in self.file.namelist() if not n.startswith("__MACOSX")]
        return next((n for n in names if n.rpartition("/")[2] == name), None)

    def read(self, name: str) -> bytes | None:
        member = self.member(name)
        try:
            return self.file.read(member) if member else None
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise InvalidInput(self.place, f"{error}.", "Get it again.", where=name) from error


# One package


def _package(files: _Files) -> _Package:
    samples = _frame(files, _SAMPLES, _NEEDED)
    ontology = Ontology.of(_frame(files, _ONTOLOGY, ONTOLOGY))
    genes, values = _matrix(files, len(samples))
    values, remarks = _scaled(values, files.place)
    listed = _frame(files, _GENES, frozenset({"gene_symbol", "entrez_id"}))
    entrez = dict(zip(listed["gene_symbol"], listed["entrez_id"], strict=True))
    donor = _donor(samples["brain"].unique().tolist(), files.place)
    replicates = (samples["replicate_sample"].str.strip().str.lower() == "yes").to_numpy()
    if replicates.any():
        many = int(replicates.sum())
        what = "technical replicate" if many == 1 else "technical replicates"
        remarks.append(f"Left out of {donor}: {many} {what}.")
    return _Package(
        donor, values[:, ~replicates].T, genes, samples[~replicates], entrez, ontology,
        tuple(remarks),
    )  # fmt: skip


def _matrix(files: _Files, samples: int) -> tuple[list[str], Floats]:
    """The genes, and their values: genes x samples."""
    rows = _parsed(files, _TPM, header=False)
    if rows.shape[1] != samples + 1:
        raise InvalidInput(
            files.place,
            f"its rows have {rows.shape[1] - 1} numbers, but {_SAMPLES} has {samples} samples.",
            where=_TPM,
        )
    try:
        values = rows.iloc[:, 1:].to_numpy(dtype=np.float64)
    except ValueError:
        raise _not_numbers(files, rows) from None
    if not np.isfinite(values).all() or (values < 0).any():
        line = int(np.flatnonzero(~(np.isfinite(values) & (values >= 0)).all(1))[0]) + 1
        raise InvalidInput(files.place, "a value is not a number of transcripts.",
                           where=f"{_TPM}, line {line}")  # fmt: skip
    return told_apart(rows.iloc[:, 0].tolist()), values


def _not_numbers(files: _Files, rows: pd.DataFrame) -> InvalidInput:
    """The first row that holds a word where a number should stand."""
    for line, row in enumerate(rows.iloc[:, 1:].itertuples(index=False), 1):
        for text in row:
            try:
                float(text)
            except ValueError:
                problem = f"“{text}” is not a number."
                return InvalidInput(files.place, problem, where=f"{_TPM}, line {line}")
    return InvalidInput(files.place, "it does not hold numbers.", where=_TPM)


def _scaled(values: Floats, place: str) -> tuple[Floats, list[str]]:
    sums = values.sum(0)
    for whole, factor in ((_MILLION, 1.0), (1.0, _MILLION)):
        if (np.abs(sums / whole - 1) <= _NEAR).all():
            said = "Its columns add up to 1, not to a million: multiplied by a million."
            return values * factor, [] if factor == 1 else [f"{place}: {said}"]
    raise InvalidInput(
        place,
        f"its columns add up to {sums.min():.6g} to {sums.max():.6g}, neither to a million "
        "(TPM) nor to 1.",
        "Counts and FPKM are something else; give the TPM.",
        where=_TPM,
    )


def _donor(named: Sequence[str], place: str) -> str:
    if len(named) != 1:
        raise InvalidInput(place, f"it holds {len(named)} brains.", "A package is of one donor.",
                           where=_SAMPLES)  # fmt: skip
    name = named[0].removesuffix(".0").strip()
    return UIDS.get(name, name)


def _frame(files: _Files, name: str, needed: frozenset[str]) -> pd.DataFrame:
    """A table with a header, as text."""
    frame = _parsed(files, name, header=True)
    lacking = sorted(needed - set(frame.columns))
    if lacking:
        raise InvalidInput(files.place, f"it has no column {listing(lacking)}.", where=name)
    return frame


def _parsed(files: _Files, name: str, *, header: bool) -> pd.DataFrame:
    """A member as text: a symbol may look like a number, a date, or "NA"."""
    import pandas as pd

    content = files.read(name)
    if content is None:
        raise InvalidInput(files.place, f"it has no {name}.", "Is it an RNA-seq package?")
    first = 0 if header else None
    # Numbers are read as such where a column holds nothing else.
    kinds = str if header else {0: str}
    try:
        return pd.read_csv(
            io.BytesIO(content), header=first, dtype=kinds, keep_default_na=False, encoding="utf-8"
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(files.place, f"{error}.", where=name) from error


# All of them


def _table(
    files: Sequence[_Files], retrieved: datetime, notice: Notice, provider: Provider
) -> MemoryTable:
    packages = sorted((_package(package) for package in files), key=lambda each: each.donor)
    donors = [package.donor for package in packages]
    if len(set(donors)) < len(donors):
        raise InvalidInput(listing(donors), "a donor's package is given twice.")
    genes, remarks = _common(packages)
    remarks = [*(remark for package in packages for remark in package.remarks), *remarks]
    for remark in remarks:
        notice(remark)
    ids: dict[str, str] = {}
    for package in packages:
        ids |= {gene: code for gene, code in package.entrez.items() if code not in ("", "0")}
    provenance = provider.provenance(retrieved, refused=tuple(remarks))
    names = [name for package in packages for name in package.samples["RNAseq_sample_name"]]
    return MemoryTable(
        np.concatenate([_columns(package, genes) for package in packages]),
        told_apart(names),
        genes,
        About(
            f"Allen Human Brain Atlas, RNA-seq of {listing(donors)}",
            thing="sample",
            things="samples",
            measure="gene",
            measures="genes",
            label="structure",
            unit="TPM",
        ),
        obs=_labels(packages),
        var={"id": np.array([ids.get(gene, "") for gene in genes], dtype=np.str_)},
        provenance=replace(provenance, sample=""),
    )


def _common(packages: Sequence[_Package]) -> tuple[list[str], list[str]]:
    """The genes that all packages have, in the order of the first."""
    shared = set(packages[0].genes).intersection(*(package.genes for package in packages))
    genes = [gene for gene in packages[0].genes if gene in shared]
    lost = len(set().union(*(package.genes for package in packages)) - shared)
    return genes, [f"Left out: {lost} genes that not all donors have."] if lost else []


def _columns(package: _Package, genes: Sequence[str]) -> Floats:
    at = {gene: position for position, gene in enumerate(package.genes)}
    return package.values[:, [at[gene] for gene in genes]]


def _labels(packages: Sequence[_Package]) -> Labels:
    main = [code for package in packages for code in package.samples["main_structure"]]
    fine = [code for package in packages for code in package.samples["sub_structure"]]
    ontology = Ontology(
        {code: name for package in packages for code, name in package.ontology.names.items()},
        {code: path for package in packages for code, path in package.ontology.paths.items()},
    )
    labels = {
        "structure": [ontology.name(code) for code in main],
        "structure_id": main,
        "substructure": [ontology.name(code) for code in fine],
        "substructure_id": fine,
        "donor": [package.donor for package in packages for _ in package.samples.index],
        "donor_id": [_uid(package.donor) for package in packages for _ in package.samples.index],
    }
    if all("hemisphere" in package.samples for package in packages):
        sides = [side for package in packages for side in package.samples["hemisphere"]]
        labels["hemisphere"] = sides
    words = {name: np.array(column, dtype=np.str_) for name, column in labels.items()}
    return {**words, **ontology.lineage(main)}


def _uid(donor: str) -> str:
    return next((uid for uid, name in UIDS.items() if name == donor), donor)
