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

import re
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
from followdata.sources.tables import told_apart

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
_UNITS = {"tpm": "TPM", "fpkm": "FPKM", "rpkm": "RPKM", "cpm": "CPM", "counts": "counts"}

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
    if not path.exists():
        raise InvalidInput(str(path), "there is no such file.")
    try:
        if path.is_dir():
            return _from_10x(path)
        if path.suffix == ".h5ad":
            return _from_h5ad(path)
        if re.search(r"\.gct(\.gz)?$", path.name):
            return _from_gct(path)
        return _text(path)
    except (ValueError, OSError, LookupError, EOFError) as error:
        raise InvalidInput(str(path), f"it cannot be read ({error}).") from error


def _text(path: Path, **settings: Any) -> pd.DataFrame:
    """A delimited file as text."""
    import pandas as pd

    def read(**more: Any) -> pd.DataFrame:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", **more)

    heading = read(sep="\0", header=None, nrows=1, quoting=3, engine="python").iloc[0, 0]
    delimiter = max("\t;,", key=heading.count)
    frame = read(sep=delimiter, **settings)
    frame.columns = [str(column).removeprefix("Unnamed: ") for column in frame.columns]
    return frame


def _from_gct(path: Path) -> _Values:
    """GCT (https://software.broadinstitute.org/cancer/software/gsea/wiki/index.php/Data_formats)."""
    import pandas as pd

    opening = pd.read_csv(path, sep="\t", header=None, nrows=2, dtype=str, names=range(4))
    version = str(opening.iloc[0, 0])
    counts = [int(text) for text in opening.iloc[1].dropna()]
    if version not in ("#1.2", "#1.3"):
        raise ValueError(f"its first line is “{version}”, not #1.2 or #1.3")
    frame = _text_after(path)
    rows, samples = counts[:2]
    words, labelled = (counts[2] + 1, counts[3]) if version == "#1.3" else (2, 0)
    if frame.shape != (rows + labelled, words + samples):
        raise ValueError(
            f"it has {len(frame) - labelled} rows and {frame.shape[1] - words} samples, not the "
            f"{rows} and {samples} that its second line says"
        )
    labels = {
        name: row.tolist()
        for name, (_, row) in zip(
            frame.iloc[:labelled, 0], frame.iloc[:labelled, words:].iterrows(), strict=True
        )
    }
    body = frame.iloc[labelled:]
    names, ids = _gene_names({column: body[column].tolist() for column in body.columns[:words]})
    return _Values(
        _numbers(body.iloc[:, words:], path).T, list(frame.columns[words:]), names, labels, ids
    )


def _text_after(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path, sep="\t", skiprows=2, dtype=str, keep_default_na=False)


def _from_h5ad(path: Path) -> _Values:
    import anndata

    found = anndata.read_h5ad(path)
    values = found.X.toarray() if hasattr(found.X, "toarray") else found.X
    labels = {
        str(name): ["" if value is None or value != value else str(value) for value in column]
        for name, column in found.obs.items()
        if not _is_measured(column)
    }
    columns = {str(name): [str(value) for value in column] for name, column in found.var.items()}
    names, ids = _gene_names({"gene_id": [str(name) for name in found.var_names], **columns})
    return _Values(
        np.asarray(values, dtype=np.float64), [str(n) for n in found.obs_names], names, labels, ids
    )


def _is_measured(column: pd.Series[Any]) -> bool:
    """Whether a column of the samples is a quantity, such as how many genes were seen."""
    return bool(str(column.dtype).startswith("float"))


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
        About(_title(path), "sample", "samples", "gene", "genes", label=label, unit=unit),
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
    words = re.split(r"[^a-z]+", name.lower())
    return next((unit for word, unit in _UNITS.items() if word in words), "")


def _title(path: Path) -> str:
    return re.sub(r"\.(csv|tsv|txt|gct|h5ad)?(\.gz)?$", "", path.name)
