"""Tables that are read in portions: the same as if memory held them, and the same messages."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from followdata.errors import InvalidInput
from followdata.sources.tables import Reading, TableFile, open_table, opening, portions, read_table

HEAD = "A title\n\ntown;county;code;people;share (%)\n"
BODY = "".join(
    f"town {n};county {n % 3};{n:04};1 {n:03};{n},5\n" for n in range(900)
).replace(";7,5\n", ";NA\n")  # fmt: skip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly anything is taken into memory, and portions are small."""
    monkeypatch.setattr(opening, "MOST_TEXT", 1000)
    monkeypatch.setattr(portions, "MOST_IN_MEMORY", 10)
    monkeypatch.setattr(portions, "_HEAD", 10_000)
    monkeypatch.setattr(portions, "_BLOCK", 5_000)
    monkeypatch.setattr(portions, "_ROWS", 100)


def opened(path: Path, reading: Reading | None = None, told: list[int] | None = None) -> TableFile:
    def progress(done: int, total: int, what: str) -> None:
        if told is not None:
            told.append(done)

    return open_table(
        [path], retrieved="", reading=reading or Reading(),
        scratch=path.parent / "scratch", progress=progress,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_text_is_read_as_memory_would_have_it(
    tmp_path: Path, request: pytest.FixtureRequest, name: str
) -> None:
    path = tmp_path / name
    text = f"{HEAD}{BODY}Totalt;;;9;9\n".encode()
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    whole = read_table(path)
    request.getfixturevalue("small")
    told: list[int] = []
    found = opened(path, told=told)
    assert isinstance(found.table.X, np.memmap)
    assert found.table.digest == whole.table.digest
    assert found.reading.id == "town"
    assert found.reading.leave_out == ("Totalt",)
    assert np.isnan(found.table.X[7, 1])
    assert len(told) > 2
    assert told == sorted(told)


def test_parquet_is_read_as_memory_would_have_it(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    columns = {
        "name": [f"n{n}" for n in range(500)],
        "group": ["ab"[n % 2] for n in range(500)],
        "x": [None if n == 3 else n / 8 for n in range(500)],
        "nested": [[1]] * 500,
    }
    parquet.write_table(pa.table(columns), path)
    whole = read_table(path)
    request.getfixturevalue("small")
    found = opened(path)
    assert isinstance(found.table.X, np.memmap)
    assert found.table.digest == whole.table.digest
    assert found.table.about.label == "group"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY + "x;y;0001;5\n", "line 904: the row has 4 values where 5 are expected"),
        (BODY + "x;y;0001;many;1\n",
         "line 904, column 4: “many” is not a number, and “people” holds numbers before it"),
        (BODY + "x;é;0001;1;1\n", "its encoding is not what it seemed"),
        ("a;b;c;d;e\n" * 1000, "no column is all numbers"),
    ],
)  # fmt: skip
def test_one_message_with_its_place(tmp_path: Path, body: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes((HEAD + body).encode("cp1252"))
    with pytest.raises(InvalidInput, match=said):
        opened(path)


@pytest.mark.usefixtures("small")
def test_what_is_not_read_in_portions(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + BODY)
    for layout in ("long", "transposed"):
        with pytest.raises(InvalidInput, match="needs a row for each thing"):
            opened(path, Reading.of({"layout": layout}, "the test"))
    with pytest.raises(InvalidInput, match="one file at a time"):
        read_table(path)
    path.write_text("x" * 50_000)
    with pytest.raises(InvalidInput, match="its first line is longer"):
        opened(path)
