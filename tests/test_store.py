"""What was stored is there, whole and unchanged, whatever writers, kills and full disks do."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from followdata.answer import Provenance
from followdata.data import About, Axis, Layer, MemoryFamily, MemorySeries, MemoryTable
from followdata.errors import Damaged, DiskFull, NotFetched, StoreError, UnknownName
from followdata.store import DataSet, Store, StoredFamily, StoredSeries, StoredTable, safe_name

NOW = "2026-11-22T12:00:00+00:00"
SOURCE = Provenance("the sea", "2026-11-22", "CC0", refused=("row 7: no light",))


def table(number: float = 0.0, **changes: Any) -> MemoryTable:
    """A small table that is hard on code; another number makes other content."""
    values = np.array([[1.5, np.nan, -0.0], [number, 2.0, np.nan]])
    about = About("Lights", "lighthouse", "lighthouses", label="coast", lang="sv", unit="m")
    made = MemoryTable(
        values,
        ["Ärö/Väst", "灯台 [1]"],
        ["höjd", "", "a/b"],
        about,
        obs={"län/coast": np.array(["norr", ""]), "_index": np.array(["", ""])},
        var={"title": np.array(["Höjd", "Ålder", ""]), "unit": np.array(["m", "a", "%"])},
        provenance=SOURCE,
    )
    return replace(made, **changes)


def series(number: float = 0.0, unit: str = "D") -> MemorySeries:
    times = np.array(["1756-01-01", "1756-01-02", "2026-11-22"], dtype=f"datetime64[{unit}]")
    flags = np.array(["", "före 1800: å", ""])
    return MemorySeries(
        times, np.array([number, np.nan, -3.5]), flags, About("Days"), replace(SOURCE, refused=())
    )


def family(number: float = 0.0) -> MemoryFamily:
    """Two stations, one of which has two series of different grain."""
    return MemoryFamily(
        {"Ö, days": series(number), "Ö, hours": series(unit="h"), "Ärö/Väst": series(9.0)},
        About("Stations"),
        {"station": np.array(["Ö", "Ö", "Ärö/Väst"]), "id": np.array(["7", "7", "12"])},
        replace(SOURCE, refused=()),
    )


def content(data: Any) -> str:
    """The digest of everything that `data` give when they are read."""
    if data.kind == "series":
        return MemorySeries(data.times, data.values, data.flags, data.about).digest
    rows, columns = data.names("obs").names, data.names("var").names
    labels = {"obs": data.labels("obs"), "var": data.labels("var")}
    return MemoryTable(data.matrix(), rows, columns, data.about, **labels).digest


def whole(store: Store, dataset: DataSet) -> bool:
    return content(store.open(dataset)) == dataset.digest


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home)


# What is kept can be opened


def test_a_table_is_opened_as_it_was_kept(store: Store) -> None:
    kept = store.keep("story", "2022", table(), now=NOW)
    assert (kept.name, kept.stored, kept.digest) == ("2022", NOW, table().digest)
    assert kept.provenance == replace(SOURCE, sha256=table().digest)

    opened = store.open(kept)
    assert isinstance(opened, StoredTable)
    assert opened.kind == "table"
    assert opened.about == table().about
    assert opened.shape == (2, 3)
    np.testing.assert_array_equal(opened.matrix(), table().X)
    assert np.signbit(opened.matrix()[0, 2])
    axes: list[Axis] = ["obs", "var"]
    for axis in axes:
        assert opened.names(axis).names == table().names(axis).names
        assert list(opened.labels(axis)) == list(table().labels(axis))
        for label, words in table().labels(axis).items():
            assert opened.labels(axis)[label].tolist() == words.tolist()
    assert opened.names("var").find("hojd") == "höjd"
    assert opened.names("län/coast").names == ("norr",)
    assert content(opened) == opened.digest == table().digest


def test_a_slice_of_a_stored_table_is_that_of_the_table_in_memory(store: Store) -> None:
    values = np.random.default_rng(1).normal(size=(700, 530))  # more than one block each way
    rows, columns = [f"r{i}" for i in range(700)], [f"c{i}" for i in range(530)]
    large = MemoryTable(values, rows, columns, About("Large"))
    opened = store.open(store.keep("story", "large", large, now=NOW))
    assert isinstance(opened, StoredTable)
    for obs, var in (
        (None, None),
        (["r699", "r0", "r0", "r350"], None),
        (None, ["c529", "c3"]),
        (["r5", "r2"], ["c9", "c512", "c511"]),
        ([], ["c1"]),
    ):
        np.testing.assert_array_equal(opened.matrix(obs, var), large.matrix(obs, var))
    with pytest.raises(UnknownName, match="r700"):
        opened.matrix(obs=["r700"])


@pytest.mark.parametrize("unit", ["D", "h", "m", "us"])
def test_a_series_is_opened_as_it_was_kept(store: Store, unit: str) -> None:
    made = series(unit=unit)
    opened = store.open(store.keep("story", "days", made, now=NOW))
    assert isinstance(opened, StoredSeries)
    assert opened.times.dtype == made.times.dtype
    np.testing.assert_array_equal(opened.times, made.times)
    np.testing.assert_array_equal(opened.values, made.values)
    assert opened.flags.tolist() == made.flags.tolist()
    assert opened.about == made.about
    assert len(opened.names("obs")) == 0
    assert content(opened) == opened.digest == made.digest


def test_several_series_are_opened_as_they_were_kept(store: Store) -> None:
    made = family()
    kept = store.keep("story", "stations", made, now=NOW)
    found = store.open(kept)
    assert isinstance(found, StoredFamily)
    assert found.digest == kept.digest == made.digest
    assert found.names("series").names == ("Ö, days", "Ö, hours", "Ärö/Väst")
    assert found.names("station").names == ("Ö", "Ärö/Väst")
    assert found.names("station").find("12") == "Ärö/Väst"
    assert found.labels()["station"].tolist() == ["Ö", "Ö", "Ärö/Väst"]
    for name in found.names("series").names:
        assert content(found.one(name)) == made.one(name).digest
        assert found.one(name).times.dtype == made.one(name).times.dtype
    # Who needs one series is given the first.
    assert content(found.one("Ö, days")) == content(replace(series(), values=found.values))
    with pytest.raises(UnknownName):
        found.one("Ö, years")


def test_what_several_series_hold_is_in_their_digest(store: Store) -> None:
    made = family()
    others = [
        family(1.0),
        replace(made, members=dict(reversed(list(made.members.items())))),
        replace(made, series_labels={"station": made.series_labels["station"]}),
        replace(made, about=About("Other stations")),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == 5
    with pytest.raises(ValueError, match="at least one"):
        MemoryFamily({}, About("None"))
    with pytest.raises(ValueError, match="length 3"):
        replace(made, series_labels={"station": np.array(["Ö"])})


def test_a_damaged_series_of_several_is_told_and_mended(store: Store) -> None:
    kept = store.keep("story", "stations", family(), now=NOW)
    for name in ("series.parquet", "about.json"):
        (store.home / "datasets" / kept.digest / "0001" / name).write_bytes(b"")
        with pytest.raises(Damaged):
            _ = store.open(kept).one("Ö, hours").values  # type: ignore[attr-defined]
        again = store.keep("story", "stations", family(), now=NOW)
        assert content(store.open(again).one("Ö, hours")) == series(unit="h").digest  # type: ignore[attr-defined]


def test_a_series_may_be_empty(store: Store) -> None:
    none = MemorySeries(
        np.array([], "datetime64[D]"), np.array([]), np.array([], dtype=str), About("None")
    )
    opened = store.open(store.keep("story", "none", none, now=NOW))
    assert content(opened) == none.digest


words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6
)
floats = st.floats(allow_nan=True, allow_infinity=True, width=64)


@st.composite
def tables(draw: st.DrawFn) -> MemoryTable:
    rows = draw(st.lists(words, unique=True, min_size=1, max_size=4))
    columns = draw(st.lists(words, unique=True, min_size=1, max_size=4))

    def labels(length: int) -> dict[str, npt.NDArray[np.str_]]:
        column = st.lists(st.just("") | words, min_size=length, max_size=length)
        return {
            name: np.array(values, dtype=str)
            for name, values in draw(st.dictionaries(words, column, max_size=2)).items()
        }

    values = draw(arrays.arrays(np.float64, (len(rows), len(columns)), elements=floats))
    about = About(draw(words), label=draw(words))
    return MemoryTable(values, rows, columns, about, labels(len(rows)), labels(len(columns)))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_any_table_comes_back(tmp_path_factory: pytest.TempPathFactory, made: MemoryTable) -> None:
    store = Store(tmp_path_factory.mktemp("any"))
    kept = store.keep("story", "any", made, now=NOW)
    opened = store.open(kept)
    assert isinstance(opened, StoredTable)
    np.testing.assert_array_equal(opened.matrix(), made.X)
    assert content(opened) == kept.digest == made.digest


def test_anndata_reads_what_is_stored(store: Store) -> None:
    import anndata

    kept = store.keep("story", "2022", table(), now=NOW)
    read = anndata.read_zarr(store.home / "datasets" / kept.digest / "table.zarr")
    np.testing.assert_array_equal(read.X, table().X)
    assert tuple(read.obs_names) == table().names("obs").names
    assert tuple(read.var_names) == table().names("var").names
    assert read.var["title"].tolist() == ["Höjd", "Ålder", ""]
    # Zarr has no slash in a name, AnnData its own "_index".
    assert read.obs["län∕coast"].tolist() == ["norr", ""]
    assert read.obs["_index_"].tolist() == ["", ""]


# Names of data sets


def test_the_same_content_twice_is_one_data_set(store: Store) -> None:
    first = store.keep("story", "2022", table(), now=NOW)
    place = store.home / "datasets" / first.digest
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    again = store.keep("story", "2022", table(), now="2026-12-24T12:00:00+00:00")
    assert again == replace(first, stored="2026-12-24T12:00:00+00:00")
    assert store.datasets("story") == [again]
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_other_content_under_the_same_name_overwrites_nothing(store: Store) -> None:
    kept = [store.keep("story", "2022", series(number), now=NOW) for number in (0, 1, 2, 1)]
    assert [dataset.name for dataset in kept] == ["2022", "2022.2", "2022.3", "2022.2"]
    assert {dataset.name for dataset in store.datasets("story")} == {"2022", "2022.2", "2022.3"}
    assert all(whole(store, dataset) for dataset in store.datasets("story"))
    assert store.dataset("story", "2022").digest == series(0).digest
    assert store.datasets("another") == []


@pytest.mark.parametrize("name", ["a/b", "../x", "..", "å b", "x" * 300, "灯" * 300, "a.json"])
def test_any_name_is_kept_apart_from_others(store: Store, name: str) -> None:
    kept = [store.keep("story", name, series(number), now=NOW) for number in (0, 1, 0)]
    assert kept[0] == kept[2] != kept[1]
    assert {dataset.name for dataset in store.datasets("story")} == {d.name for d in kept}
    for dataset in kept:
        assert store.dataset("story", dataset.name) == dataset
        assert whole(store, dataset)
    assert {path.name for path in store.home.iterdir()} == {"aside", "datasets", "locks", "stories"}
    assert [path.name for path in (store.home / "stories").iterdir()] == ["story"]


def test_by_default_it_is_what_was_fetched_last_else_the_sample(store: Store) -> None:
    with pytest.raises(NotFetched, match="Try: followdata fetch story"):
        store.dataset("story")
    sample = replace(series(9), provenance=replace(SOURCE, sample="invented"))
    store.keep("story", "sample", sample, now="2030-01-01T00:00:00+00:00")
    assert store.dataset("story").name == "sample"
    store.keep("story", "2022", series(0), now="2026-01-02T00:00:00+00:00")
    store.keep("story", "2021", series(1), now="2026-01-03T00:00:00+00:00")
    assert [d.name for d in store.datasets("story")] == ["2021", "2022", "sample"]
    assert store.dataset("story").name == "2021"
    store.keep("story", "2022", series(0), now="2026-01-04T00:00:00+00:00")
    assert store.dataset("story").name == "2022"
    assert store.dataset("story", "sample").name == "sample"
    with pytest.raises(UnknownName) as error:
        store.dataset("story", "2020")
    assert error.value.nearest == ("2022", "2021", "sample")


@given(st.text(), st.text())
def test_a_safe_name_is_one_file_name(one: str, other: str) -> None:
    safe = safe_name(one)
    assert "/" not in safe
    assert len(safe.encode()) <= 120
    assert safe_name(safe) == safe
    long = one + "x" * 120
    assert safe_name(long + other) != safe_name(long) or safe_name(other) in ("", "-")


def test_making_a_store_touches_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "never")
    assert store.datasets("story") == []
    assert store.fitted("key", Learnt) is None
    assert not store.home.exists()


# Fitted values


@dataclass(frozen=True)
class Learnt:
    mean: npt.NDArray[np.float64]
    words: dict[str, Any]
    names: tuple[str, ...] = ()
    codes: npt.NDArray[np.int64] = field(default_factory=lambda: np.arange(2))


LEARNT = Learnt(np.array([[1.5, np.nan]]), {"zon": "å", "alt": None, "m": 1}, ("b", "a"))


def same(one: Learnt | None, other: Learnt) -> bool:
    return (
        one is not None
        and np.array_equal(one.mean, other.mean, equal_nan=True)
        and np.array_equal(one.codes, other.codes)
        and list(one.words.items()) == list(other.words.items())
        and list(one.names) == list(other.names)
    )


def test_a_fitted_value_comes_back(store: Store) -> None:
    key = store.fitted_key("digest", "map", 1, {"top": 3, "by": None})
    assert key.startswith("map-")
    assert not store.has_fitted(key)
    assert store.fitted(key, Learnt) is None
    store.keep_fitted(key, LEARNT)
    assert store.has_fitted(key)
    assert same(store.fitted(key, Learnt), LEARNT)
    store.keep_fitted(key, replace(LEARNT, words={}))
    assert same(store.fitted(key, Learnt), replace(LEARNT, words={}))


def test_each_part_of_the_key_counts_and_the_order_of_parameters_does_not(store: Store) -> None:
    args: list[tuple[str, str, int, dict[str, Any]]] = [
        ("d", "q", 1, {"a": 1, "b": "å"}),
        ("e", "q", 1, {"a": 1, "b": "å"}),
        ("d", "r", 1, {"a": 1, "b": "å"}),
        ("d", "q", 2, {"a": 1, "b": "å"}),
        ("d", "q", 1, {"a": 2, "b": "å"}),
        ("d", "q", 1, {"a": "1", "b": "å"}),
        ("d", "q", 1, {}),
    ]
    assert len({store.fitted_key(*each) for each in args}) == len(args)
    assert store.fitted_key("d", "q", 1, {"b": "å", "a": 1}) == store.fitted_key(*args[0])


def test_only_a_dataclass_can_be_kept(store: Store) -> None:
    for value in ({"a": 1}, Learnt, None):
        with pytest.raises(TypeError, match="must be a dataclass"):
            store.keep_fitted("key", value)
    with pytest.raises(TypeError):
        store.keep_fitted("key", replace(LEARNT, words={"a": object()}))
    with pytest.raises(ValueError, match="allow_pickle"):
        store.keep_fitted("key", replace(LEARNT, mean=np.array([object()])))
    assert not store.has_fitted("key")


# Damage


def change(path: Path, place: int, bit: int = 1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(bytes(content))


def test_a_damaged_fitted_value_is_as_good_as_absent(store: Store) -> None:
    store.keep_fitted("key", LEARNT)
    path = store.home / "fitted" / "key.npz"
    good = path.read_bytes()
    for length in range(0, len(good), 37):
        path.write_bytes(good[:length])
        assert store.fitted("key", Learnt) is None
    some = random.Random(1)
    for place in range(0, len(good), 2):
        path.write_bytes(good)
        change(path, place, 1 << some.randrange(8))
        read = store.fitted("key", Learnt)
        # A change in the archive's own dates does no harm.
        assert read is None or same(read, LEARNT)
    for other in (b"", b"{}", b"\x93NUMPY"):
        path.write_bytes(other)
        assert store.fitted("key", Learnt) is None


def test_a_fitted_value_of_another_shape_is_as_good_as_absent(store: Store) -> None:
    @dataclass(frozen=True)
    class Newer:
        mean: npt.NDArray[np.float64]
        spread: npt.NDArray[np.float64]

    store.keep_fitted("key", LEARNT)
    assert store.fitted("key", Newer) is None


def blocks(store: Store, dataset: DataSet) -> list[Path]:
    folder = store.home / "datasets" / dataset.digest / "table.zarr" / "X" / "c"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_changed_byte_of_a_table_is_never_an_answer(store: Store) -> None:
    kept = store.keep("story", "2022", table(), now=NOW)
    (block,) = blocks(store, kept)
    good = block.read_bytes()
    for place in range(len(good)):
        block.write_bytes(good)
        change(block, place)
        try:
            values = store.open(kept).matrix()  # type: ignore[attr-defined]
        except Damaged as error:
            assert error.advice == "Fetch it again."  # noqa: PT017
        else:
            np.testing.assert_array_equal(values, table().X)
    for length in (0, 1, len(good) // 2, len(good) - 1):
        block.write_bytes(good[:length])
        with pytest.raises(Damaged):
            store.open(kept).matrix()  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [table().X, np.zeros((2, 3))])
def test_a_missing_block_is_not_read_as_zeros(
    store: Store, values: npt.NDArray[np.float64]
) -> None:
    kept = store.keep("story", "2022", table(X=values), now=NOW)
    assert whole(store, kept)
    (block,) = blocks(store, kept)
    block.unlink()
    with pytest.raises(Damaged, match="1 blocks are missing"):
        store.open(kept).matrix()  # type: ignore[attr-defined]


def test_a_changed_byte_of_a_series_is_never_an_answer(store: Store) -> None:
    kept = store.keep("story", "days", series(), now=NOW)
    path = store.home / "datasets" / kept.digest / "series.parquet"
    good = path.read_bytes()
    wrong = 0
    for place in range(0, len(good), 3):
        path.write_bytes(good)
        change(path, place)
        try:
            wrong += content(store.open(kept)) != kept.digest
        except Damaged as error:
            assert error.advice == "Fetch it again."  # noqa: PT017
    assert wrong == 0
    path.unlink()
    with pytest.raises(Damaged):
        store.open(kept).values  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize("words", ["", "{", "[]", "{}", '{"kind": "table"}', "\udcff"])
def test_a_damaged_description_is_said_to_be_one(store: Store, words: str) -> None:
    kept = store.keep("story", "2022", table(), now=NOW)
    about = store.home / "datasets" / kept.digest / "about.json"
    about.write_bytes(words.encode(errors="surrogateescape"))
    with pytest.raises(Damaged, match="2022 cannot be read"):
        store.open(kept)
    about.unlink()
    with pytest.raises(Damaged, match="2022 cannot be read"):
        store.open(kept)


@pytest.mark.parametrize("made", [table(), series()], ids=["table", "series"])
def test_a_changed_byte_of_a_description_is_damage(
    store: Store, made: MemoryTable | MemorySeries
) -> None:
    kept = store.keep("story", "2022", made, now=NOW)
    for file in (store.home / "datasets" / kept.digest).glob("**/*.json"):
        if file.name != "about.json" and file.parent.name != "X":
            continue  # AnnData's own; we do not read them
        good = file.read_bytes()
        for place in range(0, len(good), 7):
            file.write_bytes(good)
            change(file, place)
            with pytest.raises(Damaged):
                content(store.open(kept))
        file.write_bytes(good)
    assert whole(store, kept)


@pytest.mark.parametrize(
    "words", ["", "[]", "{}", '{"digest": "x", "stored": "", "provenance": 1}']
)
def test_a_damaged_reference_is_named(store: Store, words: str) -> None:
    store.keep("story", "2022", table(), now=NOW)
    (store.home / "stories" / "story" / "2021.json").write_text(words)
    with pytest.raises(Damaged, match=r"2021\.json cannot be read .* Delete it"):
        store.datasets("story")


@pytest.mark.parametrize(
    ("made", "files"),
    [
        (table(), ["about.json", "table.zarr/X/c/0/0", "table.zarr/X/zarr.json"]),
        (series(), ["about.json", "series.parquet"]),
    ],
    ids=["table", "series"],
)
def test_keeping_again_mends_what_was_damaged(
    store: Store, made: MemoryTable | MemorySeries, files: list[str]
) -> None:
    kept = store.keep("story", "2022", made, now=NOW)
    for file in files:
        path = store.home / "datasets" / kept.digest / file
        good = path.read_bytes()
        path.write_bytes(good[:-9])
        assert store.keep("story", "2022", made, now=NOW) == kept
        assert whole(store, kept)
        assert path.stat().st_size == len(good)
    assert not list((store.home / "aside").iterdir())


# Several processes, and their sudden ends
#
# The libraries take a second to import, so one process imports them and forks one that works for
# each thing it is told to do: a process of its own, with its own locks and its own end.

SERVER = """
import json, os, signal, sys
import anndata, pyarrow.parquet, zarr
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from followdata.data import About, MemorySeries, MemoryTable
from followdata.store import Store

@dataclass
class Learnt:
    mean: np.ndarray
    words: dict

def table(store, name, number):
    values = np.full((4, 3), float(number))
    data = MemoryTable(values, list("abcd"), list("xyz"), About("Lights"),
                       obs={"coast": np.array(["n", "s", "", "n"])})
    return store.keep("story", name, data, now="2026").name

def series(store, name, number):
    times = np.arange(3).astype("datetime64[D]")
    data = MemorySeries(times, np.full(3, float(number)), np.array(["", "a", ""]), About("Days"))
    return store.keep("story", name, data, now="2026").name

def fitted(store, name, number):
    store.keep_fitted(name, Learnt(np.full(5, float(number)), {"number": number}))
    return name

def work(home, what, name, number, last):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event == "open" or event.split(".")[0] in ("os", "shutil"):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    return [globals()[what](Store(Path(home)), name, number), seen]

for line in sys.stdin:
    begun = []
    for task in json.loads(line):
        end, start = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(start, json.dumps(work(*task)).encode())
            os._exit(0)
        os.close(start)
        begun.append((pid, end))
    told = []
    for pid, end in begun:
        os.waitpid(pid, 0)
        told.append(json.loads(os.read(end, 9999) or "null"))
        os.close(end)
    print(json.dumps(told), flush=True)
"""

Task = tuple[str, str, str, int, int]
"""Data directory, what to keep, its name, its value, and before which deed to be killed (or 0)."""


@pytest.fixture(scope="module")
def others() -> Iterator[Callable[[list[Task]], list[Any]]]:
    """Does tasks in processes of their own, at once: [name, number of deeds], None if killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout

        def do(tasks: list[Task]) -> list[Any]:
            assert server.stdin
            assert server.stdout
            server.stdin.write(json.dumps(tasks) + "\n")
            server.stdin.flush()
            told = json.loads(server.stdout.readline())
            assert isinstance(told, list)
            return told

        yield do
        server.stdin.close()


Others = Callable[[list[Task]], list[Any]]


@dataclass(frozen=True)
class Mean:
    """What the task "fitted" keeps."""

    mean: npt.NDArray[np.float64]
    words: dict[str, int]


@pytest.mark.parametrize("what", ["table", "series"])
def test_processes_that_keep_the_same_make_one_whole_thing(
    store: Store, others: Others, what: str
) -> None:
    told = others([(str(store.home), what, "same", 7, 0)] * 4)
    assert [name for name, _ in told] == ["same"] * 4
    (kept,) = store.datasets("story")
    assert whole(store, kept)
    assert len(list((store.home / "datasets").iterdir())) == 1
    assert not list((store.home / "aside").iterdir())


def test_processes_that_keep_different_things_under_one_name_lose_none(
    store: Store, others: Others
) -> None:
    told = others([(str(store.home), "series", "one", number, 0) for number in range(5)])
    assert sorted(name for name, _ in told) == ["one", "one.2", "one.3", "one.4", "one.5"]
    assert len({dataset.digest for dataset in store.datasets("story")}) == 5
    assert all(whole(store, dataset) for dataset in store.datasets("story"))


def test_processes_that_keep_what_they_learnt_at_once_leave_one_whole_value(
    store: Store, others: Others
) -> None:
    others([(str(store.home), "fitted", "key", number, 0) for number in range(6)])

    read = store.fitted("key", Mean)
    assert read is not None
    assert read.words["number"] in range(6)
    assert read.mean.tolist() == [read.words["number"]] * 5


@pytest.mark.parametrize("what", ["table", "series"])
def test_a_kill_at_any_point_of_keeping_leaves_everything_whole(
    store: Store, others: Others, what: str
) -> None:
    home = str(store.home)
    ((_, deeds),) = others([(home, what, "before", 1, 0)])
    # Everywhere, and at each of the last deeds, where things take their places.
    points = {*range(1, deeds, max(1, deeds // 8)), *range(deeds - 8, deeds)}
    seen = {"before"}
    for point in sorted(points):
        assert others([(home, what, f"b{point}", 1000 + point, point)]) == [None]
        names = {dataset.name for dataset in store.datasets("story")}
        assert names - seen <= {f"b{point}"}
        seen |= names
        for folder in (store.home / "datasets").iterdir():
            assert whole(store, DataSet("", folder.name, "", SOURCE))
        store.write(store.home / "next", b"")
        assert not list((store.home / "aside").iterdir())
    assert all(whole(store, dataset) for dataset in store.datasets("story"))
    # What was killed on its way can be kept after all.
    point = min(points)
    assert others([(home, what, f"b{point}", 1000 + point, 0)])[0][0] == f"b{point}"


def test_a_kill_at_any_point_of_keeping_what_was_learnt(store: Store, others: Others) -> None:
    home = str(store.home)
    ((_, deeds),) = others([(home, "fitted", "key", 1, 0)])
    value = 1
    for point in range(1, deeds + 1):
        assert others([(home, "fitted", "key", 1000 + point, point)]) == [None]
        read = store.fitted("key", Mean)
        assert read is not None
        value, before = read.words["number"], value
        assert value in (before, 1000 + point)
        assert read.mean.tolist() == [value] * 5
        store.write(store.home / "next", b"")
        assert not list((store.home / "aside").iterdir())


def test_a_kill_from_outside_at_any_time(store: Store) -> None:
    script = (
        "import itertools, sys\n"
        "from pathlib import Path\n"
        "from followdata.store import Store\n"
        "print(flush=True)\n"
        "for n in itertools.count():\n"
        "    Store(Path(sys.argv[1])).write(Path(sys.argv[1]) / 'file', b'%09d' % n * 100_000)\n"
    )
    some = random.Random(2)
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(store.home)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(some.uniform(0.02, 0.1))
            writer.kill()
        path = store.home / "file"
        if path.exists():
            content = path.read_bytes()
            assert content == content[:9] * 100_000
        store.write(store.home / "next", b"")
        assert not list((store.home / "aside").iterdir())


def test_what_stands_aside_by_other_hands_is_left_alone(store: Store) -> None:
    aside = store.home / "aside"
    aside.mkdir(parents=True)
    (aside / ".DS_Store").touch()
    (aside / f"{os.getpid()}-mine").touch()
    (aside / "999999999-gone").mkdir()
    store.write(store.home / "file", b"")
    assert {path.name for path in aside.iterdir()} == {".DS_Store", f"{os.getpid()}-mine"}


# A disk without room


@pytest.fixture(params=["a file system of 2 MB", "no file above 1 MB"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store that has no room for two megabytes more."""
    if request.param.startswith("no file"):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        yield Store(tmp_path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system of 2 MB")
    yield Store(tmp_path)
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_leaves_what_was_there(full: Store) -> None:
    kept = full.keep("story", "small", table(), now=NOW)
    full.keep_fitted("key", LEARNT)
    before = sorted(full.home.rglob("*"))
    noise = np.random.default_rng(1).normal(size=(300_000, 1))
    names = [f"n{number}" for number in range(len(noise))]
    large = MemoryTable(noise, names, ["x"], About("Large"))
    days = np.arange(len(noise)).astype("datetime64[D]")
    long = MemorySeries(days, noise[:, 0], np.full(len(noise), ""), About("Long"))
    attempts: list[Callable[[], Any]] = [
        lambda: full.keep("story", "large", large, now=NOW),
        lambda: full.keep("story", "long", long, now=NOW),
        lambda: full.keep_fitted("key", replace(LEARNT, mean=noise)),
        lambda: full.write(full.home / "file", noise.tobytes()),
    ]
    for attempt in attempts:
        with pytest.raises(DiskFull) as error:
            attempt()
        assert "Nothing that was stored is lost" in str(error.value)
        assert not list((full.home / "aside").iterdir())
    assert full.datasets("story") == [kept]
    assert whole(full, kept)
    assert same(full.fitted("key", Learnt), LEARNT)
    new = {path.name for path in set(full.home.rglob("*")) - set(before)}
    assert all(name.endswith(".lock") for name in new)
    assert full.keep("story", "small", table(1), now=NOW).name == "small.2"


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "home")
    for attempt in (
        lambda: store.keep("story", "2022", table(), now=NOW),
        lambda: store.keep_fitted("key", LEARNT),
        lambda: store.lock("one").__enter__(),
    ):
        with pytest.raises(StoreError, match=r"Not a directory.* FOLLOWDATA_HOME") as error:
            attempt()
        assert type(error.value) is StoreError


def test_names_that_are_no_text_are_stored_all_the_same(store: Store) -> None:
    source = replace(SOURCE, url=os.fsdecode(b"/home/me/\xe5r.xlsx"))
    kept = store.keep("story", "2022", table(provenance=source), now=NOW)
    assert kept.provenance.url == "/home/me/?r.xlsx"


# Layers


LAYERS = {
    Layer("2014/15"): np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]),
    Layer("", "women"): np.zeros((2, 3)),
    Layer("2022", "women"): np.full((2, 3), np.nan),
}


def test_layers_are_opened_as_they_were_kept_a_slice_at_a_time(store: Store) -> None:
    made = table(layers=LAYERS)
    handle = store.open(store.keep("story", "2022", made, now=NOW))
    assert isinstance(handle, StoredTable)
    assert set(handle.layers) == set(LAYERS)
    for layer, values in LAYERS.items():
        np.testing.assert_array_equal(handle.matrix(layer=layer), values)
        np.testing.assert_array_equal(
            handle.matrix(obs=["Ärö/Väst"], var=["a/b", "höjd"], layer=layer), values[:1, [2, 0]]
        )
    np.testing.assert_array_equal(handle.matrix(), made.X)
    for name in made.var_names:
        layers, values = handle.through(name)
        assert layers == made.through(name)[0]
        np.testing.assert_array_equal(values, made.through(name)[1])
        for layer, column in zip(layers, values.T, strict=True):
            np.testing.assert_array_equal(column, handle.matrix(var=[name], layer=layer)[:, 0])
    assert made.through("höjd")[0] == [Layer("", "women"), Layer("2014/15")]
    assert not table().layers
    plain = store.open(store.keep("story", "plain", table(), now=NOW))
    assert isinstance(plain, StoredTable)
    assert not plain.layers
    assert plain.through("höjd")[1].shape == (2, 0)


def test_layers_are_part_of_what_a_data_set_is() -> None:
    changed = {**LAYERS, Layer("", "women"): np.ones((2, 3))}
    digests = {table().digest, table(layers=LAYERS).digest, table(layers=changed).digest}
    assert len(digests) == 3
    turned = dict(reversed(LAYERS.items()))
    assert table(layers=turned).digest == table(layers=LAYERS).digest


def test_other_programs_find_the_layers(store: Store, home: Path) -> None:
    import anndata

    kept = store.keep("story", "2022", table(layers=LAYERS), now=NOW)
    found = anndata.read_zarr(home / "datasets" / kept.digest / "table.zarr")
    assert set(found.layers) == {"women", "women 2022", "2014\u221515"}
    np.testing.assert_array_equal(found.layers["women"], np.zeros((2, 3)))


def test_a_layer_that_lost_a_block_is_damaged_and_mended(store: Store, home: Path) -> None:
    made = table(layers=LAYERS)
    kept = store.keep("story", "2022", made, now=NOW)
    place = home / "datasets" / kept.digest / "table.zarr" / "layers" / "women"
    next(
        path for path in place.rglob("*") if path.is_file() and "zarr.json" not in path.name
    ).unlink()
    with pytest.raises(Damaged):
        store.open(kept).matrix(layer=Layer("", "women"))  # type: ignore[attr-defined]
    again = store.keep("story", "2022", made, now=NOW)
    np.testing.assert_array_equal(
        store.open(again).matrix(layer=Layer("", "women")),  # type: ignore[attr-defined]
        np.zeros((2, 3)),
    )


def test_layers_of_another_shape_or_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        table(layers={Layer("2014"): np.zeros((1, 3))})
    with pytest.raises(ValueError, match="name of its own"):
        table(layers={Layer("a b", ""): np.zeros((2, 3)), Layer("b", "a"): np.zeros((2, 3))})
