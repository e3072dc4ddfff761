"""Any table of gene expression, with what is known of its samples.

Given are files, of which one holds the values:

- GCT (1.2 or 1.3): genes in rows, two columns of words, then samples.
- CSV or TSV, perhaps compressed: genes in rows or samples in rows. The headings tell
  ("gene_symbol", "entrez_id"), else the table of samples, else the genes are the longer side.
- h5ad: an AnnData file, samples in rows.
- A folder with matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv, as 10x Genomics write it.

The others say more, each told by its headings: a table of the samples (one column holds their
names, the others are labels), a table of gene names with synonyms (`followdata.sources.genes`), the
ontology of the samples' structures (`followdata.sources.structures`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.answer import Provenance, listing
from followdata.data import OWN_RANGE, About, Floats, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.genes import Synonyms, is_gene_table
from followdata.sources.structures import COLUMNS as ONTOLOGY
from followdata.sources.structures import Ontology
from followdata.sources.tables import read_rows, told_apart
from followdata.sources.tables.files import kind_of, title_of
from followdata.sources.tables.layouts import Laid
from followdata.sources.tables.matrices import READERS
from followdata.sources.tables.opening import unit_named

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS = ("gene_symbol", "symbol", "hgnc_symbol", "gene_name", "gene.name", "description")
_GENE_IDS = (
    "gene", "genes", "gene_id", "entrez_id", "entrezid", "entrez", "ensembl_gene_id", "ensembl",
    "ensembl_id", "name", "probe", "probe_id", "id_ref",
)  # fmt: skip
# What labels of samples are called, the likeliest first.
_MAIN = (
    "main_structure", "structure", "region", "tissue", "organ", "area", "cell_type", "celltype",
    "group", "condition", "diagnosis", "cluster", "louvain", "leiden",
)  # fmt: skip
_FINE = ("sub_structure", "substructure", "subregion", "base_region", "subtype", "area")
_DONORS = (
    "donor", "donor_id", "individual", "individual_id", "subject", "subject_id", "patient",
    "patient_id", "brain", "person",
)  # fmt: skip

Notice = Callable[[str], None]


@dataclass(frozen=True)
class _Values:
    """Samples x genes, as one file has them; `labels` of the samples, `ids` of the genes."""

    values: Floats
    samples: Sequence[str]
    genes: Sequence[str]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ids: Sequence[str] = ()


def read_expression(paths: Sequence[Path], *, retrieved: datetime, notice: Notice) -> MemoryTable:
    """The table of expression in these files: samples x genes, NaN for missing values.

    Samples keep all their labels. The one that groups them is called by its own heading, what is
    below it by "sub" and that heading, and persons `donor`; the two hemispheres of a brain are
    never taken for donors. Samples without any value are left out.

    Raises `InvalidInput` for files of which none, or more than one, holds expression, and for one
    that is not what it should be.
    """
    files = [(path, _opened(path)) for path in paths]
    matrices = [(path, found) for path, found in files if isinstance(found, _Values)]
    frames = [(path, found) for path, found in files if not isinstance(found, _Values)]
    ontologies = [(path, frame) for path, frame in frames if set(frame.columns) >= ONTOLOGY]
    names = [(path, frame) for path, frame in frames if is_gene_table(list(frame.columns))]
    used = {path for path, _ in (*ontologies, *names)}
    others = [(path, frame) for path, frame in frames if path not in used]
    if not matrices:
        others.sort(key=lambda file: _numeric(file[1]))
        path, frame = others.pop() if others else (paths[0], None)
        if frame is None or _numeric(frame) < 1:
            raise InvalidInput(str(path), "it holds no table of expression.")
        matrices = [(path, _from_frame(frame, [f for _, f in others], path))]
    if len(matrices) > 1:
        raise InvalidInput(str(matrices[1][0]), "only one table of expression is read at a time.")
    path, values = matrices[0]
    remarks: list[str] = []
    for _, frame in others:
        values = _described(values, frame, remarks)
    synonyms = [Synonyms.of(frame) for _, frame in names]
    ontology = Ontology.of(ontologies[0][1]) if ontologies else None
    table = _table(path, values, synonyms, ontology, remarks, retrieved)
    for remark in remarks:
        notice(remark)
    return table


# Files


def _opened(path: Path) -> _Values | pd.DataFrame:
    """What is in a file: values where its form says so, else a table as text."""
    try:
        if path.is_dir() and not (path / "zarr.json").is_file():
            return _from_10x(path)
    except (ValueError, OSError, LookupError, EOFError) as error:
        raise InvalidInput(str(path), f"it cannot be read ({error}).") from error
    kind = kind_of(path)
    return _from_matrix(READERS[kind](path), kind) if kind in READERS else _text(path)


def _text(path: Path) -> pd.DataFrame:
    """A table as text, under headings of its own."""
    import pandas as pd

    rows = read_rows(path)
    headings = [text or f"column {at + 1}" for at, text in enumerate(rows.headings)]
    return pd.DataFrame(list(rows.fields), columns=told_apart(headings), dtype=str)


def _from_matrix(found: Laid, kind: str) -> _Values:
    """What a file with a matrix holds; GCT and h5ad name genes in several columns."""
    first = "name" if kind == "gct" else "gene_id"
    names, ids = _gene_names({first: found.measures, **found.about_measures})
    return _Values(found.values, found.things, names, found.labels, ids)


def _from_10x(folder: Path) -> _Values:
    """A folder as Cell Ranger writes it: genes x barcodes, of which most are 0."""
    from scipy.io import mmread

    def member(*names: str) -> Path:
        found = [folder / f"{name}{end}" for name in names for end in ("", ".gz")]
        path = next((path for path in found if path.is_file()), None)
        if path is None:
            raise ValueError(f"there is no {listing(names)} in it")
        return path

    values = mmread(member("matrix.mtx")).toarray()
    features = _headless(member("features.tsv", "genes.tsv"))
    barcodes = _headless(member("barcodes.tsv"))[0].tolist()
    ids = features[0].tolist()
    symbols = features[1].tolist() if features.shape[1] > 1 else ids
    if values.shape != (len(ids), len(barcodes)):
        raise ValueError(f"matrix.mtx is {values.shape}, not {len(ids)} genes x {len(barcodes)}")
    names, others = _gene_names({"gene_id": ids, "gene_symbol": symbols})
    return _Values(np.asarray(values, dtype=np.float64).T, barcodes, names, {}, others)


def _headless(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path, sep="\t", header=None, dtype=str, keep_default_na=False)


# Tables of text


def _numeric(frame: pd.DataFrame) -> int:
    """How many columns begin with numbers."""
    head = frame.head(20)
    return sum(all(_is_number(text) for text in head[column]) for column in head.columns)


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return text.upper() in ("NA", "N/A")
    return True


def _from_frame(frame: pd.DataFrame, described: Sequence[pd.DataFrame], path: Path) -> _Values:
    """The values in a table of text, whichever way it lies."""
    words = _leading(frame)
    if not _genes_in_rows(frame, words, described):
        first = frame.columns[0]
        labels = {name: frame[name].tolist() for name in words if name != first}
        rest = [name for name in frame.columns if name not in (first, *labels)]
        return _Values(_numbers(frame[rest], path), frame[first].tolist(), rest, labels)
    rest = [name for name in frame.columns if name not in words]
    names, ids = _gene_names({name: frame[name].tolist() for name in words})
    return _Values(_numbers(frame[rest], path).T, rest, names, {}, ids)


def _leading(frame: pd.DataFrame) -> list[str]:
    """The columns that are no values: the first, those of words, and those headed as genes are."""
    return [
        name
        for position, name in enumerate(frame.columns)
        if position == 0
        or name.lower() in (*_SYMBOLS, *_GENE_IDS)
        or not all(_is_number(text) for text in frame[name].head(20))
    ]


def _genes_in_rows(
    frame: pd.DataFrame, words: Sequence[str], described: Sequence[pd.DataFrame]
) -> bool:
    if any(name.lower() in (*_SYMBOLS, *_GENE_IDS) for name in words):
        return True
    rows, columns = set(frame.iloc[:, 0]), set(frame.columns)
    for other in described:
        known = {text for name in other.columns for text in other[name]}
        in_rows, in_columns = len(rows & known), len(columns & known)
        if in_rows or in_columns:
            return in_columns > in_rows
    return bool(len(frame) > frame.shape[1])


def _numbers(frame: pd.DataFrame, path: Path) -> Floats:
    import pandas as pd

    missing = frame.isin(["", "NA", "N/A", "NaN", "nan", "null"])
    numbers = frame.mask(missing).apply(pd.to_numeric, errors="coerce")
    wrong = (numbers.isna() & ~missing).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InvalidInput(
            str(path),
            f"“{frame.iat[row, column]}” is not a number.",
            where=f"row {row + 1} under the headings, column “{frame.columns[column]}”",
        )
    return np.asarray(numbers.to_numpy(dtype=np.float64))


def _gene_names(columns: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """What genes are called, by symbol where they have one, and their other names between bars."""
    symbol = next((c for s in _SYMBOLS for c in columns if c.lower() == s), "")
    first = next(iter(columns))
    names = [
        text or other for text, other in zip(columns[symbol or first], columns[first], strict=True)
    ]
    known = [c for c in columns if c.lower() in (*_SYMBOLS, *_GENE_IDS, first.lower())]
    others = zip(*(columns[c] for c in known if c.lower() != "description"), strict=True)
    ids = [
        "|".join(dict.fromkeys(t for t in texts if t and t != name))
        for texts, name in zip(others, names, strict=True)
    ]
    return names, ids if len(ids) == len(names) else [""] * len(names)


# What is known of samples


def _described(values: _Values, frame: pd.DataFrame, remarks: list[str]) -> _Values:
    """The samples with the labels that a table of samples gives them."""
    own = set(values.samples)
    matches = {name: len(own & set(frame[name])) for name in frame.columns}
    key = max(matches, key=lambda name: matches[name])
    if not matches[key]:
        remarks.append(f"Not used: the table of {listing(list(frame.columns))} names no sample.")
        return values
    by_name = frame.drop_duplicates(key).set_index(key)
    rows = by_name.reindex(values.samples).fillna("")
    if matches[key] < len(own):
        remarks.append(f"{len(own) - matches[key]} samples are not in the table of samples.")
    return replace(values, labels={**values.labels, **{c: rows[c].tolist() for c in rows.columns}})


def _arranged(
    labels: Mapping[str, Sequence[str]], ontology: Ontology | None
) -> tuple[str, dict[str, Any]]:
    """The main label, and all labels under the names that `followdata.hierarchy` knows."""
    names = {name.lower(): name for name in labels}
    grouping = {
        lower: name
        for lower, name in names.items()
        if 1 < len(set(labels[name]) - {""}) < len(labels[name])
    }
    main = next((name for name in _MAIN if name in grouping), "")
    fine = next((name for name in _FINE if name in grouping and name != main), "")
    donor = next((name for name in _DONORS if name in names), "")
    label = main.removeprefix("main_")
    taken = {names[name] for name in (main, fine, donor) if name}
    found: dict[str, Sequence[str]] = {}
    for role, name in ((label, main), (f"sub{label}", fine), ("donor", donor)):
        if not name:
            continue
        own, full = labels[names[name]], names.get(f"{name}_name", "")
        # A column of acronyms beside one that spells them out.
        found[role] = labels[full] if full else own
        found[f"{role}_id"] = own
        taken.add(full)
    rest = {name: words for name, words in labels.items() if name not in taken | set(found)}
    arranged = {
        name: np.array(list(words), dtype=np.str_) for name, words in (found | rest).items()
    }
    if ontology and label:
        arranged |= ontology.lineage(list(found[f"{label}_id"]))
    return label, arranged


# The table


def _table(
    path: Path, values: _Values, synonyms: Sequence[Synonyms], ontology: Ontology | None,
    remarks: list[str], retrieved: datetime,
) -> MemoryTable:  # fmt: skip
    empty = np.all(np.isnan(values.values), axis=1)
    if empty.any():
        left_out = [name for name, gone in zip(values.samples, empty.tolist(), strict=True) if gone]
        remarks.append(f"Left out, for they hold no value: {listing(left_out)}.")
    kept = np.flatnonzero(~empty).tolist()
    genes, others = list(values.genes), list(values.ids) or [""] * len(values.genes)
    for known in synonyms:
        genes, renamed = known.resolved(genes)
        added = known.others(genes)
        others = ["|".join(filter(None, pair)) for pair in zip(others, added, strict=True)]
        remarks.append(f"{renamed} gene names were replaced by the symbol in use.")
    if len(set(genes)) < len(genes):
        remarks.append(f"{len(genes) - len(set(genes))} genes share a name: they are numbered.")
    chosen = {name: [words[row] for row in kept] for name, words in values.labels.items()}
    label, labels = _arranged(chosen, ontology)
    if not label:
        remarks.append("No label of the samples is known to group them.")
    unit = _unit(values.values[kept], path.name)
    return MemoryTable(
        np.ascontiguousarray(values.values[kept]),
        told_apart([values.samples[row] for row in kept]),
        told_apart(genes),
        About(title_of(path), "sample", "samples", "gene", "genes", label=label, unit=unit),
        obs=labels,
        var={"id": np.array(others, dtype=np.str_)} if any(others) else {},
        provenance=Provenance(
            source=f"the file {path.name}",
            retrieved=retrieved.isoformat(),
            licence="not stated in the file",
            refused=tuple(remarks),
        ),
    )


def _unit(values: Floats, name: str) -> str:
    """What values are in, so far as the file's name or the values themselves say."""
    known = values[~np.isnan(values)]
    if known.size and known.min() >= 0 and known.max() <= 1 and values.shape[1] > 1:
        spans = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
        if np.median(spans) > 0.5:
            return OWN_RANGE
    return unit_named(name)
