"""A cohort of tumours: several measurements of the same samples, joined into one table.

What a file or a reply holds comes in as a `Reading` (samples x features of one layer) or as a
`Description` (what a table says of the samples), both under the names that they have there.
`joined` mends the names, leaves out what is not asked for and keeps count of each step, because
that is where mistakes hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from followdata.answer import Provenance, Step, listing
from followdata.data import About, Floats, Layer, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.barcodes import in_full, last_parts, sample_name

PROTEIN, MRNA, MIRNA = "protein", "mRNA", "miRNA"
LAYERS = (PROTEIN, MRNA, MIRNA)
"""The layers that a cohort may have, the main one first."""
GENE, PHOSPHO, ANTIBODY, MICRO = "gene", "phosphoprotein", "antibody", "miRNA"
"""What a feature is: a gene's product as a whole, a form of it, an antibody of no one gene."""

Bools = npt.NDArray[np.bool_]
_SUBTYPES = (
    "genomics_subtype", "subtype", "pam50_class", "pam50 mrna", "pam50call_rnaseq",
    "pam50_mrna_nature2012", "pam50", "molecular_subtype",
)  # fmt: skip
_PAM50 = {
    "basal-like": "Basal", "basal": "Basal", "her2-enriched": "Her2", "her2": "Her2",
    "luminal a": "LumA", "luma": "LumA", "luminal b": "LumB", "lumb": "LumB",
    "normal-like": "Normal", "normal": "Normal",
}  # fmt: skip
_TISSUE = ("proteomics_tumor_normal", "sample_type", "tissue_type", "tumor_normal")
_EXCLUDED = ("case_excluded",)
_CONTROLS = frozenset({"control", "healthy"})
_MOST_GROUPS = 12
_LEAST_LABELLED = 0.2
_COUNTED_ABOVE = 100.0
_SAME = 1e-4
"""Values of two files that differ by no more are the same, rounded."""


@dataclass(frozen=True)
class Reading:
    """One layer as one file or reply has it: `values` are samples x features, NaN for missing.

    `method` is how it was measured ("RPPA"). Features of one name are of one gene; `aliases` are
    their other names and `kinds` what they are (`GENE`, ...).
    """

    layer: str
    method: str
    place: str
    values: Floats
    samples: Sequence[str]
    features: Sequence[str]
    aliases: Sequence[str] = ()
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Description:
    """What a table says of samples: words by heading, one for each sample."""

    place: str
    samples: Sequence[str]
    labels: Mapping[str, Sequence[str]]


@dataclass
class Joining:
    """What a cohort is joined of, and the steps that were done so far."""

    readings: list[Reading]
    descriptions: list[Description]
    steps: list[Step] = field(default_factory=list)

    def did(
        self, done: str, place: str, things: str, before: int, after: int, names: Iterable[str] = ()
    ) -> None:
        self.steps.append(Step(done, place, things, before, after, tuple(names)))


def joined(
    about: About,
    readings: Sequence[Reading],
    descriptions: Sequence[Description],
    provenance: Provenance,
    *,
    keep_excluded: bool = False,
    steps: Sequence[Step] = (),
) -> MemoryTable:
    """The cohort as one table: tumours x features, a matrix for each layer.

    The main matrix is that of the proteins, where there are any; the others are layers. A sample
    or a feature that a layer does not have is missing there. Healthy tissue is left out, and so
    are cases that the study itself excluded unless they are kept. What is measured twice is
    averaged; a layer's values in two files must be the same.

    Raises `InvalidInput` where there is nothing to join, or no tumour is left.
    """
    if not readings:
        raise InvalidInput(
            about.title, "nothing here holds values by sample.", "Name the files with --from."
        )
    work = Joining(list(readings), list(descriptions), list(steps))
    for reading in work.readings:
        by = f", by {reading.method}" if reading.method else ""
        size = len(reading.samples)
        how = f"read as {reading.layer}{by}, {len(reading.features):,} features"
        work.did(how, reading.place, "samples", size, size)
    _mend_names(work)
    _average(work)
    _leave_out_healthy(work)
    _leave_out_excluded(work, keep_excluded)
    layers = _layered(work)
    return _table(about, work, layers, provenance)


# Names


def _mend_names(work: Joining) -> None:
    """Give each sample the one name that it has in all files."""
    given = [
        *(name for one in work.readings for name in one.samples),
        *(name for one in work.descriptions for name in one.samples),
    ]
    parts = last_parts({sample_name(name).name for name in given})

    def mended(names: Sequence[str], place: str) -> list[str]:
        new = in_full([sample_name(name).name for name in names], parts)
        changed = [f"{a} → {b}" for a, b in zip(names, new, strict=True) if a != b]
        if changed:
            work.did("names of samples mended", place, "names", len(names), len(names), changed)
        return new

    work.readings = [replace(one, samples=mended(one.samples, one.place)) for one in work.readings]
    work.descriptions = [
        replace(one, samples=mended(one.samples, one.place)) for one in work.descriptions
    ]


# What is measured twice


def _average(work: Joining) -> None:
    """One column for each gene and one row for each sample of every reading."""
    for number, reading in enumerate(work.readings):
        one = reading
        values = _logarithms(work, reading)
        features, by_feature = _grouped(reading.features)
        if len(features) < len(reading.features):
            values = _means(values.T, by_feature).T
            work.did("averaged: several of one gene", one.place, "features", len(by_feature),
                     len(features), _repeated(reading.features))  # fmt: skip
        samples, by_sample = _grouped(reading.samples)
        if len(samples) < len(reading.samples):
            values = _means(values, by_sample)
            work.did("averaged: measured more than once", one.place, "samples", len(by_sample),
                     len(samples), _repeated(reading.samples))  # fmt: skip
        first = np.unique(by_feature, return_index=True)[1]
        work.readings[number] = replace(
            reading,
            values=values,
            features=features,
            samples=samples,
            aliases=_together(reading.aliases, by_feature, len(features)),
            kinds=[reading.kinds[at] for at in first.tolist()] if reading.kinds else (),
        )


def _logarithms(work: Joining, reading: Reading) -> Floats:
    """Counts of messages as the binary logarithm of one more; logarithms as they are."""
    values = reading.values
    if reading.layer == PROTEIN or not np.isfinite(values).any():
        return values
    if np.nanmin(values) < 0 or np.nanmax(values) <= _COUNTED_ABOVE:
        return values
    cells = int(np.isfinite(values).sum())
    work.did("log₂(1 + x) taken: they are no logarithms", reading.place, "values", cells, cells)
    return np.log2(1 + values)


def _grouped(names: Sequence[str]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """The different names in their order, and which of them each is."""
    different = list(dict.fromkeys(names))
    place = {name: at for at, name in enumerate(different)}
    return different, np.array([place[name] for name in names], dtype=np.intp)


def _means(values: Floats, group: npt.NDArray[np.intp]) -> Floats:
    """Means of the rows of each group over what is there; NaN where nothing is."""
    count = np.zeros((int(group.max()) + 1, values.shape[1]))
    total = np.zeros_like(count)
    np.add.at(count, group, np.isfinite(values))
    np.add.at(total, group, np.nan_to_num(values))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _repeated(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]


def _together(words: Sequence[str], group: npt.NDArray[np.intp], groups: int) -> list[str]:
    """The words of each group, between bars."""
    found: list[dict[str, None]] = [{} for _ in range(groups)]
    for at, word in zip(group.tolist(), words, strict=bool(words)):
        found[at].update(dict.fromkeys(filter(None, word.split("|"))))
    return ["|".join(one) for one in found]


# What is left out


def _leave_out_healthy(work: Joining) -> None:
    healthy = {name for one in work.readings for name in one.samples if sample_name(name).healthy}
    for description in work.descriptions:
        for heading, words in description.labels.items():
            pairs = zip(description.samples, words, strict=True)
            if heading.lower() in _TISSUE:
                healthy |= {name for name, word in pairs if "normal" in word.lower()}
            elif heading.lower() in _SUBTYPES:
                healthy |= {name for name, word in pairs if word.lower() in _CONTROLS}
    _leave_out(work, healthy, "left out: healthy tissue")


def _leave_out_excluded(work: Joining, keep: bool) -> None:
    excluded = {
        name
        for description in work.descriptions
        for heading, words in description.labels.items()
        if heading.lower() in _EXCLUDED
        for name, word in zip(description.samples, words, strict=True)
        if word.lower() in ("yes", "true", "1")
    }
    if not keep:
        _leave_out(work, excluded, "left out: excluded by the study itself")
        return
    for reading in work.readings:
        concerned = [name for name in reading.samples if name in excluded]
        if concerned:
            size = len(reading.samples)
            words = "kept, though the study itself excluded them"
            work.did(words, reading.place, "samples", size, size, concerned)


def _leave_out(work: Joining, gone: set[str], done: str) -> None:
    for number, reading in enumerate(work.readings):
        kept = [at for at, name in enumerate(reading.samples) if name not in gone]
        if len(kept) < len(reading.samples):
            names = [name for name in reading.samples if name in gone]
            work.did(done, reading.place, "samples", len(reading.samples), len(kept), names)
            work.readings[number] = replace(
                reading,
                values=reading.values[kept],
                samples=[reading.samples[at] for at in kept],
            )


# Layers


def _layered(work: Joining) -> dict[str, Reading]:
    """One reading for each layer, the main one first.

    Of proteins measured in two ways, the larger table is the layer "protein", and the other is
    called by its method.
    """
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading in work.readings:
        groups.setdefault((reading.layer, reading.method), []).append(reading)
    found: dict[str, Reading] = {}
    merged = [_merged(work, group) for group in groups.values()]
    order = {layer: at for at, layer in enumerate(LAYERS)}
    merged.sort(key=lambda one: (order.get(one.layer, len(order)), -np.isfinite(one.values).sum()))
    for reading in merged:
        name = reading.layer if reading.layer not in found else reading.method or reading.place
        known = np.asarray(np.isfinite(reading.values).any(0))
        if not len(reading.samples) or not known.any():
            continue
        if not known.all():
            work.did("left out: without any value in what is kept", reading.place, "features",
                     len(known), int(known.sum()))  # fmt: skip
        columns = np.flatnonzero(known).tolist()
        found[name] = replace(
            reading,
            layer=name,
            values=reading.values[:, columns],
            features=[reading.features[at] for at in columns],
            aliases=[reading.aliases[at] for at in columns] if reading.aliases else (),
            kinds=[reading.kinds[at] for at in columns] if reading.kinds else (),
        )
    if not found:
        raise InvalidInput("the cohort", "no tumour is left.", "See which samples are healthy.")
    return found


def _merged(work: Joining, readings: Sequence[Reading]) -> Reading:
    """Readings of one layer by one method as one; the largest comes first and decides."""
    first, *others = sorted(readings, key=lambda one: -len(one.samples))
    for other in others:
        both = sorted(set(first.samples) & set(other.samples))
        differing = _differing(first, other, both)
        if both:
            work.did(f"the same as in {first.place}", other.place, "samples",
                     len(both), len(both) - len(differing))  # fmt: skip
        if differing:
            work.did(f"refused: not the values that {first.place} has", other.place, "samples",
                     len(both), len(both) - len(differing), differing)  # fmt: skip
        first = _stacked(first, other)
    return first


def _differing(first: Reading, other: Reading, both: Sequence[str]) -> list[str]:
    """The samples that two readings have, of which their values differ."""
    features = [name for name in first.features if name in set(other.features)]
    a, b = (_placed(one, both, features) for one in (first, other))
    apart = np.abs(a - b) > _SAME
    return [name for name, cells in zip(both, apart, strict=True) if cells.any()]


def _stacked(first: Reading, other: Reading) -> Reading:
    """Both readings as one: a cell of the second is taken where the first has none."""
    samples = list(dict.fromkeys([*first.samples, *other.samples]))
    features = list(dict.fromkeys([*first.features, *other.features]))
    a, b = (_placed(one, samples, features) for one in (first, other))
    words = {name: (alias, kind) for one in (other, first) for name, alias, kind in one_by_one(one)}
    return replace(
        first,
        place=f"{first.place} and {other.place}",
        values=np.where(np.isfinite(a), a, b),
        samples=samples,
        features=features,
        aliases=[words[name][0] for name in features],
        kinds=[words[name][1] for name in features],
    )


def one_by_one(reading: Reading) -> Iterator[tuple[str, str, str]]:
    """Each feature with its other names and what it is."""
    size = len(reading.features)
    aliases = reading.aliases or [""] * size
    kinds = reading.kinds or [MICRO if reading.layer == MIRNA else GENE] * size
    return zip(reading.features, aliases, kinds, strict=True)


def _placed(reading: Reading, samples: Sequence[str], features: Sequence[str]) -> Floats:
    """The values at these samples and features; NaN where the reading has none."""
    row = {name: at for at, name in enumerate(reading.samples)}
    column = {name: at for at, name in enumerate(reading.features)}
    values = np.full((len(samples), len(features)), np.nan)
    rows = [at for at, name in enumerate(samples) if name in row]
    columns = [at for at, name in enumerate(features) if name in column]
    values[np.ix_(rows, columns)] = reading.values[
        np.ix_([row[samples[at]] for at in rows], [column[features[at]] for at in columns])
    ]
    return values


# The table


def _table(
    about: About, work: Joining, layers: Mapping[str, Reading], provenance: Provenance
) -> MemoryTable:
    samples = sorted({name for one in layers.values() for name in one.samples})
    features = list(dict.fromkeys(name for one in layers.values() for name in one.features))
    words = {
        name: (alias, kind)
        for one in reversed(list(layers.values()))
        for name, alias, kind in one_by_one(one)
    }
    main, *others = layers
    for name, one in layers.items():
        cells, known = one.values.size, int(np.isfinite(one.values).sum())
        work.did(f"in the layer {name}", one.place, "samples", len(samples), len(one.samples))
        work.did("missing values left as they are", name, "values", cells, known)
    together = set(samples).intersection(*(one.samples for one in layers.values()))
    if others:
        work.did("in all layers", listing(list(layers), len(layers)), "samples",
                 len(samples), len(together))  # fmt: skip
    labels = _labels(work, samples)
    label = about.label if about.label in labels else next(iter(labels), "")
    return MemoryTable(
        _placed(layers[main], samples, features),
        samples,
        features,
        replace(about, label=label, matrix=main),
        obs=labels,
        var={
            "id": np.array([words[name][0] for name in features], dtype=np.str_),
            "feature": np.array([words[name][1] for name in features], dtype=np.str_),
        },
        provenance=replace(provenance, steps=tuple(work.steps)),
        layers={Layer(part=name): _placed(layers[name], samples, features) for name in others},
    )


def _labels(work: Joining, samples: Sequence[str]) -> dict[str, npt.NDArray[np.str_]]:
    """What groups the samples, the subtype first: columns of words of which there are few."""
    subtypes: list[tuple[int, str, Mapping[str, str]]] = []
    found: dict[str, npt.NDArray[np.str_]] = {}
    for description in work.descriptions:
        used = 0
        for heading, words in description.labels.items():
            known = {
                name: word
                for name, word in zip(description.samples, words, strict=True)
                if word and word.lower() not in _CONTROLS
            }
            if heading.lower() in _SUBTYPES:
                rank = _SUBTYPES.index(heading.lower())
                subtypes.append((rank, f"“{heading}” of {description.place}", known))
                used += 1
                continue
            column = [known.get(name, "") for name in samples]
            if heading.lower() not in (*_EXCLUDED, *_TISSUE) and _groups(column):
                found.setdefault(heading, np.array(column, dtype=np.str_))
                used += 1
        size = len(description.labels)
        work.did("kept: columns that group the samples", description.place, "columns", size, used)
    subtype = _subtype(work, subtypes, samples)
    return {**({"subtype": subtype} if (subtype != "").any() else {}), **found}


def _groups(column: Sequence[str]) -> bool:
    """Whether a column of words groups samples: few different words for most of them."""
    words = {word for word in column if word}
    labelled = sum(word != "" for word in column)
    return (
        1 < len(words) <= _MOST_GROUPS
        and labelled >= _LEAST_LABELLED * len(column)
        and not all(re.fullmatch(r"[-+]?[\d.,eE+-]+", word) for word in words)
    )


def _subtype(
    work: Joining, given: list[tuple[int, str, Mapping[str, str]]], samples: Sequence[str]
) -> npt.NDArray[np.str_]:
    """The subtype of each sample by the first table that has one, under one spelling."""
    column = [""] * len(samples)
    for _, place, known in sorted(given, key=lambda one: one[0]):
        said = [_PAM50.get(known.get(name, "").lower(), known.get(name, "")) for name in samples]
        both = [at for at, word in enumerate(said) if word and column[at]]
        apart = [samples[at] for at in both if said[at] != column[at]]
        if both:
            work.did("the subtype that was known already", place, "samples", len(both),
                     len(both) - len(apart), apart)  # fmt: skip
        column = [word or other for word, other in zip(column, said, strict=True)]
    return np.array(column, dtype=np.str_)
