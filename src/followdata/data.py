"""Data that questions are asked of: handles by kind, and their forms in memory.

A handle says what the data are and gives slices of them; it need not hold them. The forms in
memory here and the stored ones in `followdata.store` keep the same protocols, so a question
works on either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from followdata.answer import Provenance
from followdata.names import NameIndex

if TYPE_CHECKING:
    from anndata import AnnData

Kind = Literal["table", "series"]
Axis = Literal["obs", "var"]
Floats = npt.NDArray[np.float64]
Labels = Mapping[str, npt.NDArray[np.str_]]
IN_MEMORY = Provenance("memory", "", "")
OWN_RANGE = "of range"
"""The unit of a table in which every measure was put on a scale from 0 to 1 by itself."""
COUNTED = frozenset({"TPM", "FPKM", "RPKM", "CPM", "counts"})
"""Units of values that tell how often something was seen: what multiplies them is alike."""


@dataclass(frozen=True, slots=True)
class About:
    """What a data set is, in words.

    `thing` and `measure` name a row and a column ("town", "indicator") in sentences and forms;
    `size` names the column that says how big a thing is, where there is one; `lang` is the
    language of titles in the data; `label` the `obs` label that groups the rows by default;
    `boundaries` the set of `followdata.boundaries` whose regions the rows are, by their `id`;
    `time` when the values are of, as readers say it ("2022"); `matrix` what the main matrix is
    called beside the layers, where these are other measurements of the same rows ("protein").
    Where the data count events, `count` names the column of their numbers, whose layers are the
    numbers of each year and whose main values are the sums of these; `event` and `events` are what
    one and several are called.
    """

    title: str
    thing: str = "row"
    things: str = "rows"
    measure: str = "column"
    measures: str = "columns"
    size: str = ""
    label: str = ""
    lang: str = ""
    unit: str = ""
    boundaries: str = ""
    time: str = ""
    count: str = ""
    event: str = ""
    events: str = ""
    matrix: str = ""

    def said(self) -> dict[str, str]:
        """What the digest of a data set is made over: each field, less those that came later and
        say nothing, so that data that were stored before them keep their digest."""
        later = ("count", "event", "events", "matrix")
        return {k: v for k, v in asdict(self).items() if v or k not in later}


@dataclass(frozen=True, slots=True, order=True)
class Layer:
    """What another matrix of a table is: the same rows and columns at another `time`, of a
    `part` of each row ("women"), or both.

    >>> Layer("2014").name, Layer("2014", "women").name
    ('2014', 'women 2014')
    """

    time: str = ""
    part: str = ""

    @property
    def name(self) -> str:
        """What AnnData calls it among its layers."""
        return f"{self.part} {self.time}".strip()


@runtime_checkable
class Data(Protocol):
    """What every kind of data can say of itself."""

    @property
    def kind(self) -> Kind: ...
    @property
    def digest(self) -> str: ...
    @property
    def about(self) -> About: ...
    @property
    def provenance(self) -> Provenance: ...
    def names(self, axis: str) -> NameIndex:
        """The names along an axis; for a table "obs", "var" or a label of either."""
        ...


class TableData(Data, Protocol):
    """Rows (obs: towns, samples) by columns (var: indicators, genes) of float64; NaN is missing."""

    @property
    def shape(self) -> tuple[int, int]: ...
    def labels(self, axis: Axis) -> Labels:
        """Words about each row or column, by label ("county", "unit"); "" is missing."""
        ...

    @property
    def layers(self) -> Collection[Layer]:
        """The other matrices of the same rows and columns: other times, parts of each row."""
        ...

    def through(self, var: str) -> tuple[Sequence[Layer], Floats]:
        """One column through all layers: those in which it has any value, and its values there,
        rows x layers."""
        ...

    def matrix(
        self,
        obs: Sequence[str] | None = None,
        var: Sequence[str] | None = None,
        layer: Layer | None = None,
    ) -> Floats:
        """The values of the named rows and columns (all by default), rows x columns.

        `layer` is one of `layers`; by default the main matrix.
        """
        ...


class SeriesData(Data, Protocol):
    """Values in time, one per day or hour, ascending, without repeats; NaN is missing.

    A data set may hold several series side by side (the stations of a country; daily means and
    single observations of one station). Its own times, values and flags are then those of the
    first, so that whoever needs one series need not know of the others.
    """

    @property
    def times(self) -> npt.NDArray[np.datetime64]: ...
    @property
    def values(self) -> Floats: ...
    @property
    def flags(self) -> npt.NDArray[np.str_]:
        """Why a value is missing or to be read with care, "" where there is nothing to say."""
        ...

    def labels(self) -> Labels:
        """Words about each series, by label; `names` of a label are its groups.

        `station` says where a series is from, and `grain` what its values are ("days", "hours").
        """
        ...

    def one(self, name: str) -> SeriesData:
        """The series of that name; see `names("series")`."""
        ...


class Layers(Mapping[Layer, Floats]):
    """Layers made when they are looked at, so that never more than one need be in memory.

    >>> zeros = Layers([Layer("2014")], lambda layer: np.zeros((1, 2)))
    >>> list(zeros), zeros[Layer("2014")]
    ([Layer(time='2014', part='')], array([[0., 0.]]))
    """

    def __init__(self, names: Iterable[Layer], make: Callable[[Layer], Floats]) -> None:
        self._names = tuple(names)
        self._make = make

    def __getitem__(self, layer: Layer) -> Floats:
        if layer not in self._names:
            raise KeyError(layer)
        return self._make(layer)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class MemoryTable:
    """A labelled table in memory.

    `X` is obs x var, and so is each matrix in `layers`. `obs_names` and `var_names` are unique.
    The labels `title` and `id`, where present, are other names for the same row or column; an `id`
    may hold several between bars. The label `<label>_id` likewise holds other names of the groups
    under `<label>`.

    >>> table = MemoryTable(np.eye(2), ["a", "b"], ["x", "y"], About("A square"))
    >>> table.matrix(obs=["b"])
    array([[0., 1.]])
    """

    X: Floats
    obs_names: Sequence[str]
    var_names: Sequence[str]
    about: About
    obs: Labels = field(default_factory=dict)
    var: Labels = field(default_factory=dict)
    provenance: Provenance = IN_MEMORY
    kind: Kind = "table"
    layers: Mapping[Layer, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(values.shape != self.X.shape for values in self.layers.values()):
            raise ValueError(f"each layer must be of shape {self.X.shape}")
        if len({layer.name for layer in self.layers} - {""}) < len(self.layers):
            raise ValueError("each layer must have a name of its own")
        for axis, names, labels, length in (
            ("obs", self.obs_names, self.obs, self.X.shape[0]),
            ("var", self.var_names, self.var, self.X.shape[1]),
        ):
            if len(names) != length or len(set(names)) != length:
                raise ValueError(f"{axis}_names must be {length} unique names")
            if any(len(column) != length for column in labels.values()):
                raise ValueError(f"{axis} labels must each have length {length}")

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[1]

    @cached_property
    def digest(self) -> str:
        words = [list(self.obs_names), list(self.var_names), self.about.said()]
        labels = [
            {key: column.tolist() for key, column in sorted(labels.items())}
            for labels in (self.obs, self.var)
        ]
        layers = sorted(self.layers)
        arrays = chain([self.X], (self.layers[layer] for layer in layers))
        whole = [words, labels, *([layer.name] for layer in layers)]
        return content_digest(self.kind, whole, map(np.ascontiguousarray, arrays))

    def with_columns(
        self, names: Sequence[str], values: Floats, **labels: Sequence[str]
    ) -> MemoryTable:
        """The table with further columns (obs x names) and what is said of them; they have no
        values in the layers, and labels that are not given are missing.

        >>> table = MemoryTable(np.eye(1), ["a"], ["x"], About("One"))
        >>> table.with_columns(["y"], np.array([[2.0]])).matrix()
        array([[1., 2.]])
        """
        blank = [""] * len(names)
        none = np.full(values.shape, np.nan)

        def wider(layer: Layer) -> Floats:
            return np.column_stack([self.layers[layer], none])

        return replace(
            self,
            X=np.column_stack([self.X, values]),
            var_names=[*self.var_names, *names],
            var={
                label: np.append(
                    self.var.get(label, np.full(self.shape[1], "")), labels.get(label, blank)
                )
                for label in dict.fromkeys([*self.var, *labels])
            },
            layers=Layers(self.layers, wider),
        )

    def through(self, var: str) -> tuple[Sequence[Layer], Floats]:
        column = self.names("var").position(var)
        found = {layer: self.layers[layer][:, column] for layer in sorted(self.layers)}
        held = {layer: values for layer, values in found.items() if np.isfinite(values).any()}
        return list(held), np.array(list(held.values())).reshape(len(held), self.shape[0]).T

    def labels(self, axis: Axis) -> Labels:
        return self.obs if axis == "obs" else self.var

    @cached_property
    def _indexes(self) -> dict[str, NameIndex]:
        return {}

    def names(self, axis: str) -> NameIndex:
        if axis not in self._indexes:
            names = self.obs_names if axis == "obs" else self.var_names
            self._indexes[axis] = name_index(self, axis, names)
        return self._indexes[axis]

    def matrix(
        self,
        obs: Sequence[str] | None = None,
        var: Sequence[str] | None = None,
        layer: Layer | None = None,
    ) -> Floats:
        rows = positions(self.names("obs"), obs)
        columns = positions(self.names("var"), var)
        values = self.X if layer is None else self.layers[layer]
        return np.asarray(values[rows][:, columns], dtype=np.float64)


def matrices(table: TableData) -> dict[str, Layer | None]:
    """The matrices of a table by name, the main one first; `None` is the main one's layer.

    >>> layers = {Layer(part="mRNA"): np.eye(2)}
    >>> about = About("A square", matrix="protein")
    >>> list(matrices(MemoryTable(np.eye(2), ["a", "b"], ["x", "y"], about, layers=layers)))
    ['protein', 'mRNA']
    """
    main = table.about.matrix or "main"
    return {main: None, **{layer.name: layer for layer in sorted(table.layers)}}


@dataclass(frozen=True)
class MemorySeries:
    """A series in memory: `times` (datetime64) and `values` of equal length."""

    times: npt.NDArray[np.datetime64]
    values: Floats
    flags: npt.NDArray[np.str_]
    about: About
    provenance: Provenance = IN_MEMORY
    kind: Kind = "series"

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.values) == len(self.flags):
            raise ValueError("times, values and flags must have equal length")
        if np.any(np.diff(self.times.astype(np.int64)) <= 0):
            raise ValueError("times must ascend without repeats")

    @cached_property
    def digest(self) -> str:
        words = [self.about.said(), str(self.times.dtype), self.flags.tolist()]
        return content_digest(self.kind, words, [self.times.astype(np.int64), self.values])

    def labels(self) -> Labels:
        return {}

    def names(self, axis: str) -> NameIndex:
        return series_index(axis, [self.about.title], {})

    def one(self, name: str) -> MemorySeries:
        self.names("series").position(name)
        return self


@dataclass(frozen=True)
class MemoryFamily:
    """Several series in memory, by name; at least one.

    `series_labels` say something of each. Where they have an `id`, a group is found by the id of
    its first series too.
    """

    members: Mapping[str, MemorySeries]
    about: About
    series_labels: Labels = field(default_factory=dict)
    provenance: Provenance = IN_MEMORY
    kind: Kind = "series"

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("a family needs at least one series")
        if any(len(column) != len(self.members) for column in self.series_labels.values()):
            raise ValueError(f"series_labels must each have length {len(self.members)}")

    @property
    def _first(self) -> MemorySeries:
        return next(iter(self.members.values()))

    @property
    def times(self) -> npt.NDArray[np.datetime64]:
        return self._first.times

    @property
    def values(self) -> Floats:
        return self._first.values

    @property
    def flags(self) -> npt.NDArray[np.str_]:
        return self._first.flags

    @cached_property
    def digest(self) -> str:
        return family_digest(self)

    def labels(self) -> Labels:
        return self.series_labels

    def names(self, axis: str) -> NameIndex:
        return series_index(axis, list(self.members), self.series_labels)

    def one(self, name: str) -> MemorySeries:
        self.names("series").position(name)
        return self.members[name]


MOST_ROWS = 5_000
"""So many rows of a table answer for all where there are more."""


class Portion:
    """Some rows of a large table in place of all: a random sample, the same each time, and the rows
    that are named.

    >>> names = [f"r{n}" for n in range(9)]
    >>> whole = MemoryTable(np.arange(9.0)[:, None], names, ["x"], About("Nine"))
    >>> Portion.of(whole, ["r8"], most=3).shape[0] in (3, 4)
    True
    """

    kind: Kind = "table"

    def __init__(self, whole: TableData, rows: npt.NDArray[np.intp]) -> None:
        self.whole, self.rows = whole, rows
        self.about, self.provenance = whole.about, whole.provenance
        self.digest = hashlib.sha256(whole.digest.encode() + rows.tobytes()).hexdigest()
        all_names = whole.names("obs").names
        self._names = [all_names[row] for row in rows.tolist()]

    @classmethod
    def of(cls, whole: TableData, named: Collection[str], *, most: int = MOST_ROWS) -> Portion:
        """A portion of `most` rows and those that are named."""
        drawn = np.random.default_rng(0).choice(whole.shape[0], most, replace=False)
        index = whole.names("obs")
        asked = [index.position(name) for name in named]
        return cls(whole, np.union1d(drawn, np.array(asked, dtype=np.intp)).astype(np.intp))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.whole.shape[1]

    def labels(self, axis: Axis) -> Labels:
        found = self.whole.labels(axis)
        if axis == "var":
            return found
        return {name: column[self.rows] for name, column in found.items()}

    @cached_property
    def _indexes(self) -> dict[str, NameIndex]:
        return {}

    def names(self, axis: str) -> NameIndex:
        if axis == "var":
            return self.whole.names(axis)
        if axis not in self._indexes:
            self._indexes[axis] = name_index(self, axis, self._names)
        return self._indexes[axis]

    @property
    def layers(self) -> Collection[Layer]:
        return self.whole.layers

    def through(self, var: str) -> tuple[Sequence[Layer], Floats]:
        layers, values = self.whole.through(var)
        return layers, values[self.rows]

    def matrix(
        self,
        obs: Sequence[str] | None = None,
        var: Sequence[str] | None = None,
        layer: Layer | None = None,
    ) -> Floats:
        return self.whole.matrix(self._names if obs is None else obs, var, layer)


def labels_as_anndata(table: TableData) -> AnnData:
    """What is said of the table's rows and columns, as the field's own container without values."""
    import pandas as pd
    from anndata import AnnData

    obs, var = (
        pd.DataFrame({key: pd.array(column.tolist(), dtype="object")
                      for key, column in table.labels(axis).items()},
                     index=pd.Index(table.names(axis).names, dtype="object"))
        for axis in ("obs", "var")
    )  # fmt: skip
    return AnnData(obs=obs, var=var)


def to_anndata(table: TableData, *, layers: bool = True) -> AnnData:
    """The table, with its layers or without, as the field's own container.

    >>> to_anndata(MemoryTable(np.eye(2), ["a", "b"], ["x", "y"], About("A square"))).shape
    (2, 2)
    """
    found = labels_as_anndata(table)
    found.X = table.matrix()
    for layer in table.layers if layers else ():
        found.layers[layer.name] = table.matrix(layer=layer)
    return found


def name_index(table: TableData, axis: str, names: Sequence[str]) -> NameIndex:
    """The index of an axis of `table`, or of the groups under one of its labels.

    A label of the rows comes before one of the columns that has the same name.
    """
    if axis in ("obs", "var"):
        labels = table.labels("obs" if axis == "obs" else "var")
        what = table.about.thing if axis == "obs" else table.about.measure
        return NameIndex(
            what,
            names,
            labels["title"].tolist() if "title" in labels else (),
            labels["id"].tolist() if "id" in labels else (),
        )
    labels = table.labels("obs")
    if axis not in labels:
        labels = table.labels("var")
    if axis not in labels:
        return NameIndex(axis, [])
    groups = labels[axis].tolist()
    ids = labels[f"{axis}_id"].tolist() if f"{axis}_id" in labels else groups
    found = dict(sorted((group, id) for group, id in zip(groups, ids, strict=True) if group))
    return NameIndex(axis, list(found), aliases=list(found.values()))


SIMILAR = "similar: "
"""How an `obs` label begins that holds which rows the provider calls similar, and in what."""
_SEPARATOR = "; "


def joined(names: Sequence[str]) -> str:
    """Names as one value of a label."""
    return _SEPARATOR.join(names)


def similar_to(table: TableData, row: int) -> dict[str, list[str]]:
    """The rows that the provider itself calls similar to a row, by what it compares."""
    found = {
        label.removeprefix(SIMILAR): str(column[row])
        for label, column in table.labels("obs").items()
        if label.startswith(SIMILAR)
    }
    return {what: names.split(_SEPARATOR) for what, names in found.items() if names}


def grouping(table: TableData) -> list[str]:
    """The labels that group a table's rows: not those that are only other names of something, nor
    lists of similar rows."""
    labels = table.labels("obs")
    names = {"id", "title", *(f"{label}_id" for label in labels)}
    return [label for label in labels if label not in names and not label.startswith(SIMILAR)]


def series_index(axis: str, names: Sequence[str], labels: Labels) -> NameIndex:
    """The index of the series in a data set, or of the groups under one of their labels.

    Groups come in the order of their first series.
    """
    groups = list(names) if axis == "series" else labels.get(axis, np.array([])).tolist()
    first = {group: position for position, group in reversed(list(enumerate(groups))) if group}
    kept = sorted(first, key=first.__getitem__)
    has_ids = "id" in labels and axis != "series"
    ids = [str(labels["id"][first[group]]) for group in kept] if has_ids else ()
    return NameIndex(axis, kept, aliases=ids)


def family_digest(family: SeriesData) -> str:
    """The digest of several series: of what each holds, of their names, order and labels."""
    names = family.names("series").names
    members = (family.one(name) for name in names)
    digests = [MemorySeries(m.times, m.values, m.flags, m.about).digest for m in members]
    labels = {key: column.tolist() for key, column in sorted(family.labels().items())}
    return content_digest("series", [family.about.said(), list(names), labels, digests], [])


def positions(index: NameIndex, names: Sequence[str] | None) -> npt.NDArray[np.intp] | slice:
    """Where `names` stand; everything for `None`."""
    if names is None:
        return slice(None)
    return np.array([index.position(name) for name in names], dtype=np.intp)


def content_digest(kind: str, words: Any, arrays: Iterable[npt.NDArray[Any]]) -> str:
    """SHA-256 over what a data set holds; the same content gives the same digest anywhere."""
    digest = hashlib.sha256(json.dumps([kind, words], ensure_ascii=False).encode())
    for array in arrays:
        digest.update(str((array.shape, array.dtype.str)).encode())
        # Not tobytes(), which would hold a large table a second time.
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()
