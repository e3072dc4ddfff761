"""The data directory: data sets by digest, names for them, and fitted values.

    datasets/<digest>/        what was stored, never changed afterwards
        about.json            kind, About, names and labels along both axes, checksums
        table.zarr            a table, in AnnData's Zarr layout, its layers too
        through.zarr          the layers by column: a row for each column and layer; or
        series.parquet        a series; or
        0000/, 0001/, ...     several series, each a folder with these two
    stories/<story>/<name>.json   which digest goes by that name, its provenance, when stored;
        story.toml, words.md      of a table of the reader's own: see `followdata.own`
    fitted/<key>.npz          what a question learnt from one data set
    runs/<id>/                see `followdata.runs`
    locks/, aside/            one writer at a time; things on their way to their place

Everything is written aside and then renamed, so a reader sees a whole thing or none, whatever
happens to the writer. A full disk leaves what was there before.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import uuid
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from followdata.answer import Provenance, Step
from followdata.data import (
    About,
    Axis,
    Data,
    Floats,
    Kind,
    Labels,
    Layer,
    Layers,
    MemoryFamily,
    MemorySeries,
    MemoryTable,
    SeriesData,
    TableData,
    family_digest,
    labels_as_anndata,
    name_index,
    positions,
    series_index,
)
from followdata.errors import Damaged, DiskFull, NotFetched, StoreError, UnknownName
from followdata.names import NameIndex

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TABLE = "table.zarr"
_THROUGH = "through.zarr"
_TOGETHER = 256
"""So many columns of all layers are in memory at once while they are stored by column."""
_BLOCK = 2_000_000
"""About so many values are in memory at once while a matrix is stored."""
_PARQUET = "series.parquet"
_LONGEST_NAME = 120
"""Bytes of a file's name: half of what file systems take, so that endings can be added."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A name under a story, and what it stands for."""

    name: str
    digest: str
    stored: str
    provenance: Provenance


class Store:
    """The data directory at `home`. Making a Store touches nothing on disk."""

    def __init__(self, home: Path) -> None:
        self.home = home

    # Data sets

    def datasets(self, story: str) -> list[DataSet]:
        """The data sets of a story, the one stored last first; a sample comes after those that
        are whole, and what is only part of a data set after that."""
        found = [self._reference(path) for path in (self.home / "stories" / story).glob("*.json")]
        found.sort(key=lambda dataset: (dataset.stored, dataset.name), reverse=True)

        def less(dataset: DataSet) -> int:
            source = dataset.provenance
            return 2 if source.partial else 1 if source.sample else 0

        return sorted(found, key=less)

    def dataset(self, story: str, name: str = "") -> DataSet:
        """The data set called `name`, or by default the first of `datasets`."""
        found = self.datasets(story)
        for dataset in found:
            if name in ("", dataset.name):
                return dataset
        if found:
            raise UnknownName("data set", name, [dataset.name for dataset in found])
        raise NotFetched(
            f"No data of “{story}” are on this machine.", f"Try: followdata fetch {story}"
        )

    def open(self, dataset: DataSet) -> Data:
        """A handle on a stored data set."""
        place = self._place(dataset.digest)
        try:
            about = _read_about(place)
            if about["kind"] == "table":
                return StoredTable(place, dataset, about)
            handle = StoredFamily if "members" in about else StoredSeries
            return handle(place, dataset, about)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(dataset, place, error) from error

    def holds(self, dataset: DataSet) -> bool:
        """Whether what the data set's name stands for is there."""
        return self._place(dataset.digest).exists()

    def keep(self, story: str, name: str, data: Data, *, now: str) -> DataSet:
        """Store `data` under `name`, made fit to be a file's name.

        A name that stands for other content is left alone: the new data set is called
        "name.2" and so on. Keeping the same content again changes nothing but its date, and
        mends what was damaged.
        """
        name = safe_name(name)
        self._keep_content(data)
        with self.lock(f"story-{story}"):
            taken = {dataset.name: dataset for dataset in self.datasets(story)}
            free = name
            number = 2
            while free in taken and taken[free].digest != data.digest:
                free = f"{name}.{number}"
                number += 1
            provenance = asdict(data.provenance) | {"sha256": data.digest}
            reference = {"digest": data.digest, "stored": now, "provenance": provenance}
            self.write(self._reference_path(story, free), _json_bytes(reference))
        return self._reference(self._reference_path(story, free))

    def keep_partly(self, story: str, name: str, data: Data, *, now: str) -> DataSet:
        """Store what has come so far of the data set `name`, as "name-partial", in place of what
        was there before under that name.

        What is replaced goes away one replacement later, so that who is reading it can end.
        """
        name = partly_named(name)
        self._keep_content(data)
        with self.lock(f"story-{story}"):
            path = self._reference_path(story, name)
            replaced = self._partly(path)
            provenance = asdict(data.provenance) | {"sha256": data.digest}
            reference = {"digest": data.digest, "stored": now, "provenance": provenance,
                         "replaced": replaced.get("digest", "")}  # fmt: skip
            self.write(path, _json_bytes(reference))
            if replaced:
                self._forget(str(replaced.get("replaced", "")))
        return self._reference(path)

    def drop_partly(self, story: str, name: str) -> None:
        """Forget the part of `name` that was kept, the whole being there."""
        with self.lock(f"story-{story}"):
            path = self._reference_path(story, partly_named(name))
            part = self._partly(path)
            path.unlink(missing_ok=True)
            for digest in (part.get("digest", ""), part.get("replaced", "")):
                self._forget(str(digest))

    def _partly(self, path: Path) -> dict[str, Any]:
        """What is said of a part that was kept; nothing if there is none that can be read."""
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def _forget(self, digest: str) -> None:
        """Remove the content of that digest unless a name stands for it."""
        named = (self._partly(path) for path in (self.home / "stories").glob("*/*.json"))
        if digest and not any(
            digest in (words.get("digest"), words.get("replaced")) for words in named
        ):
            _remove(self._place(digest))

    def _keep_content(self, data: Data) -> None:
        place = self._place(data.digest)
        with self.lock(f"data-{data.digest}"):
            if place.exists() and self._whole(data):
                return
            with self.aside() as aside, self.aside() as old:
                aside.mkdir()
                if data.kind == "table":
                    _write_table(aside, data)  # type: ignore[arg-type]
                elif isinstance(data, (MemoryFamily, StoredFamily)):
                    _write_family(aside, data)
                else:
                    _write_series(aside, data)  # type: ignore[arg-type]
                _settle(aside)
                place.parent.mkdir(parents=True, exist_ok=True)
                if place.exists():
                    place.rename(old)
                aside.rename(place)

    def _whole(self, data: Data) -> bool:
        """Whether what is stored under the digest of `data` reads the same as `data`."""
        try:
            return _read_digest(self.open(DataSet("", data.digest, "", data.provenance))) == (
                _read_digest(data)
            )
        except (Damaged, KeyError, TypeError, ValueError):
            return False

    def _place(self, digest: str) -> Path:
        return self.home / "datasets" / digest

    def _reference_path(self, story: str, name: str) -> Path:
        return self.home / "stories" / story / f"{safe_name(name)}.json"

    def _reference(self, path: Path) -> DataSet:
        try:
            words = json.loads(path.read_text(encoding="utf-8"))
            provenance = words["provenance"]
            provenance["refused"] = tuple(provenance["refused"])
            steps = provenance.get("steps", ())
            provenance["steps"] = tuple(
                Step(**{**step, "names": tuple(step["names"])}) for step in steps
            )
            return DataSet(path.stem, words["digest"], words["stored"], Provenance(**provenance))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"{path} cannot be read ({error}).", "Delete it and fetch again."
            ) from error

    # Fitted values

    def fitted_key(
        self, digest: str, question: str, version: int, params: Mapping[str, Any]
    ) -> str:
        """The name under which a fitted value is stored."""
        words = json.dumps([digest, question, version, params], sort_keys=True, ensure_ascii=False)
        return f"{question}-{_sha256(words.encode())[:32]}"

    def has_fitted(self, key: str) -> bool:
        return self._fitted_path(key).exists()

    def fitted(self, key: str, kind: Any) -> Any:
        """The stored value under `key` as an instance of `kind`; `None` if none can be read.

        What cannot be read is treated as absent: a fitted value can always be learnt again.
        """
        try:
            content = self._fitted_path(key).read_bytes()
        except OSError:
            return None
        return unpack(content, kind)

    def keep_fitted(self, key: str, value: Any) -> None:
        """Store a dataclass of arrays and of values that JSON can say."""
        self.write(self._fitted_path(key), pack(value))

    def _fitted_path(self, key: str) -> Path:
        return self.home / "fitted" / f"{key}.npz"

    # Files

    def write(self, path: Path, content: bytes) -> None:
        """Put `content` at `path`, whole or not at all."""
        with self.aside() as aside:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(path)

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """A path to make something at; what is still there at the end is removed.

        Out of room becomes `DiskFull`, any other failure of the disk a `StoreError`.
        """
        folder = self.home / "aside"
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep(folder)
            yield path
        except OSError as error:
            raise disk_error(error, self.home) from error
        finally:
            _remove(path)

    def _sweep(self, folder: Path) -> None:
        """Remove what processes that are gone have left aside."""
        for path in folder.iterdir():
            process = path.name.partition("-")[0]
            if process.isdecimal() and not alive(int(process)):
                _remove(path)

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Only one process at a time holds the lock `name`; the others wait."""
        return self.hold(self.home / "locks" / f"{safe_name(name)}.lock")

    @contextmanager
    def hold(self, path: Path) -> Iterator[None]:
        """As `lock`, by a lock file of any place."""
        lock = FileLock(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise disk_error(error, self.home) from error
        try:
            yield
        finally:
            lock.release()


def pack(value: Any) -> bytes:
    """A dataclass of arrays and of values that JSON can say, as an .npz file without pickles."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"what is packed must be a dataclass, not {type(value).__name__}")
    arrays: dict[str, npt.NDArray[Any]] = {}
    words: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        (arrays if isinstance(item, np.ndarray) else words)[field.name] = item
    packed = io.BytesIO()
    encoded = np.frombuffer(_json_bytes(words), dtype=np.uint8)
    np.savez(packed, allow_pickle=False, words=encoded, **arrays)
    return packed.getvalue()


def unpack(content: bytes, kind: Any) -> Any:
    """What was packed, as an instance of the dataclass `kind`; `None` if it cannot be read."""
    try:
        # An array whose header is damaged may end before the checksum is looked at.
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            if file.testzip():
                return None
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            arrays = {name: file[name] for name in file.files if name != "words"}
    except Exception:
        # A damaged file makes zipfile and NumPy raise nearly anything.
        return None
    if {field.name for field in fields(kind)} != words.keys() | arrays.keys():
        return None
    return kind(**words, **arrays)


class _Stored:
    """What stored data of every kind have in common."""

    def __init__(self, place: Path, dataset: DataSet, words: dict[str, Any]) -> None:
        self._place, self._words, self._dataset = place, words, dataset
        self.name = dataset.name
        self.digest = dataset.digest
        self.provenance = dataset.provenance
        self.kind: Kind = words["kind"]
        self.about = About(**words["about"])

    def _damaged(self, error: object) -> Damaged:
        return _damaged(self._dataset, self._place, error)

    def _content(self, file: str) -> bytes:
        """What is in a file that is read whole; raises `OSError`, or `ValueError` if changed."""
        content = (self._place / file).read_bytes()
        if _sha256(content) != self._words["files"][file]:
            raise ValueError(f"{file} is not as it was written")
        return content


class StoredTable(_Stored):
    """A table on disk; `matrix` reads no more than the rows and columns asked for."""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._words["obs_names"]), len(self._words["var_names"])

    def labels(self, axis: Axis) -> Labels:
        return self._obs if axis == "obs" else self._var

    @cached_property
    def _obs(self) -> Labels:
        return {name: np.array(column, dtype=str) for name, column in self._words["obs"].items()}

    @cached_property
    def _var(self) -> Labels:
        return {name: np.array(column, dtype=str) for name, column in self._words["var"].items()}

    @cached_property
    def _indexes(self) -> dict[str, NameIndex]:
        return {}

    def names(self, axis: str) -> NameIndex:
        if axis not in self._indexes:
            names = self._words["obs_names" if axis == "obs" else "var_names"]
            self._indexes[axis] = name_index(self, axis, names)
        return self._indexes[axis]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(Layer(time, part) for time, part, _ in self._words.get("layers", ()))

    def through(self, var: str) -> tuple[Sequence[Layer], Floats]:
        column = self.names("var").position(var)
        held = [layer for layer, has in zip(self.layers, self._held, strict=True) if has[column]]
        if not held:
            return [], np.empty((self.shape[0], 0))
        start = int(self._held[:, :column].sum())
        try:
            values = self._array(_THROUGH)[start : start + len(held)]
        except (OSError, ValueError, RuntimeError) as error:
            raise self._damaged(error) from error
        return held, np.asarray(values, dtype=np.float64).T

    @cached_property
    def _held(self) -> npt.NDArray[np.bool_]:
        """Which columns have any value in which layer (layers x columns)."""
        packed = [bytes.fromhex(columns) for _, _, columns in self._words["layers"]]
        bits = [np.unpackbits(np.frombuffer(row, np.uint8)) for row in packed]
        return np.array([row[: self.shape[1]] for row in bits], dtype=bool).reshape(
            len(bits), self.shape[1]
        )

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        return {}

    def _array(self, place: str) -> Any:
        if place not in self._arrays:
            self._arrays[place] = self._opened(place)
        return self._arrays[place]

    def _opened(self, place: str) -> Any:
        import zarr

        self._content(f"{place}/zarr.json")
        array = zarr.open_array(self._place / place, mode="r")
        # Zarr reads a block whose file is gone as zeros.
        if array.nchunks_initialized != array.nchunks:
            raise ValueError(f"{array.nchunks - array.nchunks_initialized} blocks are missing")
        return array

    def matrix(
        self,
        obs: Sequence[str] | None = None,
        var: Sequence[str] | None = None,
        layer: Layer | None = None,
    ) -> Floats:
        rows = positions(self.names("obs"), obs)
        columns = positions(self.names("var"), var)
        place = f"{_TABLE}/{'X' if layer is None else _place_of(layer)}"
        try:
            values = self._array(place).oindex[rows, columns]
        except (OSError, ValueError, RuntimeError) as error:
            raise self._damaged(error) from error
        return np.asarray(values, dtype=np.float64)


_SERIES = ("time", "value", "flag")


class StoredSeries(_Stored):
    """A series on disk, read whole when first asked for."""

    def labels(self) -> Labels:
        return {}

    def names(self, axis: str) -> NameIndex:
        return series_index(axis, [self.about.title], {})

    def one(self, name: str) -> StoredSeries:
        self.names("series").position(name)
        return self

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        from pyarrow import parquet

        try:
            content = self._content(_PARQUET)
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error
        # Not read_table and not to_numpy: each imports pandas, which takes half a second.
        table = parquet.ParquetFile(io.BytesIO(content)).read()
        times, values, flags = (table[name].combine_chunks() for name in _SERIES)
        # A series has few different flags, and many times each.
        flags = flags.dictionary_encode()
        words = np.array(flags.dictionary.to_pylist() or [""], dtype=str)
        return {
            "time": np.from_dlpack(times.cast("int64")).view("datetime64[us]"),
            "value": np.from_dlpack(values),
            "flag": words[np.from_dlpack(flags.indices)],
        }

    @cached_property
    def times(self) -> npt.NDArray[np.datetime64]:
        return self._columns["time"].astype(self._words["resolution"])

    @cached_property
    def values(self) -> Floats:
        return self._columns["value"]

    @cached_property
    def flags(self) -> npt.NDArray[np.str_]:
        return self._columns["flag"]


class StoredFamily(_Stored):
    """Several series on disk; each is read when it is first asked for."""

    @property
    def times(self) -> npt.NDArray[np.datetime64]:
        return self._first.times

    @property
    def values(self) -> Floats:
        return self._first.values

    @property
    def flags(self) -> npt.NDArray[np.str_]:
        return self._first.flags

    @property
    def _first(self) -> StoredSeries:
        return self.one(self._words["members"][0])

    @cached_property
    def _labels(self) -> Labels:
        return {name: np.array(column, dtype=str) for name, column in self._words["labels"].items()}

    def labels(self) -> Labels:
        return self._labels

    def names(self, axis: str) -> NameIndex:
        return series_index(axis, self._words["members"], self._labels)

    @cached_property
    def _opened(self) -> dict[str, StoredSeries]:
        return {}

    def one(self, name: str) -> StoredSeries:
        if name not in self._opened:
            folder = _member(self.names("series").position(name))
            place = self._place / folder
            try:
                self._content(f"{folder}/about.json")
                self._opened[name] = StoredSeries(place, self._dataset, _read_about(place))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damaged(error) from error
        return self._opened[name]


def _write_table(place: Path, table: TableData) -> None:
    import anndata
    import zarr
    from anndata.io import write_zarr
    from zarr.codecs import ZstdCodec

    labels = labels_as_anndata(table)
    for frame in (labels.obs, labels.var):
        frame.columns = [_column_key(label) for label in frame.columns]
    layout = anndata.settings.override(zarr_write_format=3, auto_shard_zarr_v3=False)
    # Blocks of zeros are written too, so that a block that is missing is known to be lost.
    every_block = zarr.config.set({"array.write_empty_chunks": True})
    held: dict[Layer, npt.NDArray[np.bool_]] = {}
    with layout, every_block, warnings.catch_warnings():
        # AnnData adds consolidated metadata, which readers that do not know them pass over.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        write_zarr(place / _TABLE, labels, compressors=ZstdCodec(checksum=True))
        group = zarr.open_group(place / _TABLE, mode="r+", use_consolidated=False)
        _write_matrix(group, "X", table, None)
        for layer in sorted(table.layers):
            held[layer] = _write_matrix(group, _place_of(layer), table, layer)
        zarr.consolidate_metadata(group.store)
        if held:
            _write_through(place, table, held)
    _write_about(
        place,
        table,
        *(f"{_TABLE}/{array}/zarr.json" for array in ("X", *map(_place_of, held))),
        *([f"{_THROUGH}/zarr.json"] if held else []),
        layers=[
            (layer.time, layer.part, np.packbits(columns).tobytes().hex())
            for layer, columns in held.items()
        ],
        obs_names=list(table.names("obs").names),
        var_names=list(table.names("var").names),
        obs={name: column.tolist() for name, column in table.labels("obs").items()},
        var={name: column.tolist() for name, column in table.labels("var").items()},
    )


def _write_matrix(
    group: Any, name: str, table: TableData, layer: Layer | None
) -> npt.NDArray[np.bool_]:
    """One matrix of a table, some rows at a time; which columns have any value in it.

    Blocks of some 4 MB: few files for a large table, one read for some columns of a small one.
    """
    from zarr.codecs import ZstdCodec

    n, p = table.shape
    columns = max(1, min(p, 512))
    rows = max(1, min(n, 4_000_000 // (8 * columns)))
    array = group.create_array(
        name,
        shape=(n, p),
        dtype=np.float64,
        chunks=(rows, columns),
        compressors=ZstdCodec(checksum=True),
    )
    array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    held = np.zeros(p, dtype=bool)
    names = table.names("obs").names
    together = rows * max(1, _BLOCK // (rows * p))
    for start in range(0, n, together):
        values = table.matrix(obs=names[start : start + together], layer=layer)
        array[start : start + together] = values
        held |= np.isfinite(values).any(0)
    return held


def _write_through(
    place: Path, table: TableData, held: Mapping[Layer, npt.NDArray[np.bool_]]
) -> None:
    """The layers a second time, by column: to read one column out of a hundred layers would
    otherwise take a hundred reads."""
    import zarr
    from zarr.codecs import ZstdCodec

    has = np.array(list(held.values()))
    names = table.names("var").names
    array = zarr.create_array(
        place / _THROUGH,
        shape=(int(has.sum()), table.shape[0]),
        dtype=np.float64,
        chunks=(max(1, min(int(has.sum()), 100_000 // max(1, table.shape[0]))), table.shape[0]),
        compressors=ZstdCodec(checksum=True),
    )
    start = 0
    for first in range(0, len(names), _TOGETHER):
        some = has[:, first : first + _TOGETHER]
        values = np.array(
            [table.matrix(var=names[first : first + _TOGETHER], layer=layer) for layer in held]
        )  # layers x rows x columns
        rows = values.transpose(2, 0, 1)[some.T]
        array[start : start + len(rows)] = rows
        start += len(rows)


def _write_series(place: Path, series: SeriesData) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"time": series.times.astype("datetime64[us]"), "value": series.values}
    flags = pa.array(series.flags.tolist(), type=pa.string())
    table = pa.table({**columns, "flag": flags})
    parquet.write_table(table, place / _PARQUET, compression="zstd")
    _write_about(place, series, _PARQUET, resolution=series.times.dtype.str)


def _write_family(place: Path, family: SeriesData) -> None:
    names = family.names("series").names
    for position, name in enumerate(names):
        folder = place / _member(position)
        folder.mkdir()
        _write_series(folder, family.one(name))
    labels = {name: column.tolist() for name, column in family.labels().items()}
    about = [f"{_member(position)}/about.json" for position in range(len(names))]
    _write_about(place, family, *about, members=list(names), labels=labels)


def _member(position: int) -> str:
    """The folder of one series of several."""
    return f"{position:04}"


def _write_about(place: Path, data: Data, *files: str, **words: Any) -> None:
    sums = {file: _sha256((place / file).read_bytes()) for file in files}
    content = {"kind": data.kind, "about": asdict(data.about), "files": sums, **words}
    content["sha256"] = _sha256(_json_bytes(content))
    (place / "about.json").write_bytes(_json_bytes(content))


def _place_of(layer: Layer) -> str:
    """Where a layer lies within a stored table."""
    return f"layers/{_column_key(layer.name)}"


def _read_about(place: Path) -> dict[str, Any]:
    """What about.json says; raises `OSError`, or `ValueError` if it was changed."""
    about: dict[str, Any] = json.loads((place / "about.json").read_text(encoding="utf-8"))
    if about.pop("sha256") != _sha256(_json_bytes(about)):
        raise ValueError("about.json is not as it was written")
    return about


def _column_key(label: str) -> str:
    """A label as AnnData's layout can hold it; about.json has it as it is."""
    key = label.replace("/", "\u2215")
    return f"{key}_" if key in ("", ".", "..", "_index") else key


def _read_digest(data: Any) -> str:
    """The digest of what `data` of either kind give when all of it is read."""
    if isinstance(data, (MemoryFamily, StoredFamily)):
        return family_digest(data)
    if data.kind == "series":
        return MemorySeries(data.times, data.values, data.flags, data.about).digest
    obs, var = data.names("obs").names, data.names("var").names
    layers = Layers(data.layers, lambda layer: data.matrix(layer=layer))
    return MemoryTable(
        data.matrix(), obs, var, data.about, data.labels("obs"), data.labels("var"), layers=layers
    ).digest


def _damaged(dataset: DataSet, place: Path, error: object) -> Damaged:
    advice = "Fetch it again."
    if dataset.provenance.sample:
        advice = f"Delete {place}, and it is made again."
    return Damaged(f"The data set {dataset.name} cannot be read ({error}).", advice)


def partly_named(name: str) -> str:
    """What the part of a data set is called that has come so far.

    >>> partly_named("2022")
    '2022-partial'
    """
    return f"{safe_name(name)}-partial"


def safe_name(name: str) -> str:
    """`name` as one file name on any system; one that is cut short keeps a hash of the whole.

    >>> safe_name("../2022 raw"), safe_name("..")
    ('..-2022-raw', '-..')
    """
    safe = re.sub(r"[^\w.@+-]+", "-", name)
    if not safe.strip("."):
        safe = f"-{safe}"  # "." and ".." are folders, and "" is none
    if len(safe.encode()) <= _LONGEST_NAME:
        return safe
    whole = _sha256(safe.encode())[:12]
    return f"{safe.encode()[: _LONGEST_NAME - 13].decode(errors='ignore')}-{whole}"


def disk_error(error: OSError, home: Path) -> StoreError:
    """The failure of a disk as an error of ours, with what to do."""
    if error.errno in _NO_ROOM:
        return DiskFull(
            f"No room is left on the disk of {home}.",
            "Nothing that was stored is lost; free some space and try again.",
        )
    return StoreError(
        f"{error.filename or home}: {error.strerror or error}.",
        "Choose another data directory with FOLLOWDATA_HOME.",
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json_bytes(value: Any) -> bytes:
    # A file's name may hold what is no character (a Latin-1 name on a UTF-8 system).
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _settle(folder: Path) -> None:
    """Wait until every file below `folder` is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def alive(pid: int) -> bool:
    """Whether a process of that number is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
