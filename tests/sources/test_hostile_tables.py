"""Files that are no tables, by chance or by intent: one clear message each, never a traceback."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followdata.errors import InvalidInput
from followdata.sources.tables import Reading, files, read_table
from followdata.testing.tables import refusal, seeds, workbook

SEEDS = sorted(seeds())


def said_of(folder: Path, content: bytes, name: str = "mine.csv", /, **reading: object) -> str:
    path = folder / name
    path.write_bytes(content)
    there = {*folder.iterdir(), folder / "scratch"}
    try:
        return refusal(path, folder / "scratch", Reading.of(reading, "the test"))
    finally:
        assert set(folder.iterdir()) <= there, "something else was written"


@pytest.mark.parametrize("name", SEEDS)
def test_the_good_ones_are_read(tmp_path: Path, name: str) -> None:
    assert said_of(tmp_path, seeds()[name], name) == ""


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_good_files_that_were_damaged(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = data.draw(st.sampled_from(SEEDS))
    content = bytearray(seeds()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        kind = data.draw(st.sampled_from(["change", "cut", "repeat", "insert"]))
        piece = data.draw(st.binary(max_size=6))
        if kind == "change":
            content[at : at + len(piece)] = piece
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 40))]
        elif kind == "repeat":
            content[at:at] = content[at : at + 60]
        else:
            content[at:at] = piece
    said_of(tmp_path_factory.mktemp("damaged"), bytes(content), name)


words = st.one_of(
    st.sampled_from(
        ["", "1", "2,5", "1.5", "NA", "-", "−3", "inf", "0114", "1 000", "a", '"', "\0"]
    ),
    st.sampled_from(["Total", "2020", "#1.2", "1e999", "=1+1", "<script>", "\ufeff", "id", "\r"]),
    st.text(max_size=4),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.lists(words, max_size=5), max_size=7),
    delimiter=st.sampled_from([",", ";", "\t", "|", " "]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    layout=st.sampled_from(["", "wide", "transposed"]),
    header=st.sampled_from([None, 0, 1, 3]),
)
def test_rows_of_anything(
    rows: list[list[str]],
    delimiter: str,
    ending: str,
    encoding: str,
    layout: str,
    header: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = ending.join(delimiter.join(row) for row in rows)
    content = text.encode(encoding, errors="replace")
    known: dict[str, object] = {"layout": layout} | (
        {} if header is None else {"header_row": header}
    )
    said_of(tmp_path_factory.mktemp("any"), content, **known)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,x\n2,\0\n", "line 3: it is not text: it holds a NUL byte"),
        (b"town\tx\tz\na\t1,5\t7\nb\t2.5\t8\n",
         "line 3, column 2: “2.5” and “1,5” stand in one column, and have different decimal marks"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 60, "line 2: a quotation mark is opened and not closed"),
        (b"a" + b",a" * 60_000 + b"\n1" + b",1" * 60_000 + b"\n", "60,001 columns"),
        (gzip.compress(b"\0" * 60_000_000, mtime=0), "it holds a NUL byte"),
        (b"%PDF-1.4", "it is a PDF"),
        (b"id,n\n" + b"a,1\n" * 9 + b"x" * 90_000 + b",1,2\n", "line 11"),
        (b"t\tx\na\t1,5\nb\t2." + b"5" * 90_000 + b"\n", "different decimal marks"),
        (b"x\nred\nblue\n", "no column is all numbers"),
        (b"id,n\na,1\nb,2\nc,three\nd,4\n", "but for “three” in line 4, column 2"),
    ],
)  # fmt: skip
def test_one_message_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in said_of(tmp_path, content)


def test_names_that_were_asked_for_must_be_unique(tmp_path: Path) -> None:
    content = b"town,kpi,n\na,x,1\na,y,2\nb,x,3\n"
    said = said_of(tmp_path, content, id="town")
    assert "line 3, column 1: “a” names a row, as it does in line 2, column 1" in said
    assert "--long" in said
    said = said_of(
        tmp_path, content + b"a,x,9\n", layout="long", id="town", measure="kpi", value="n"
    )
    assert "line 5, column 3: “a” and “x” has a value already in line 2, column 3" in said


def test_words_where_numbers_were_said_to_be(tmp_path: Path) -> None:
    said = said_of(tmp_path, b"a,b,c\n1,2,x\n", sheet="", encoding="rot13")
    assert "there is no encoding called “rot13”" in said
    assert "“n” or “town”" in said_of(tmp_path, b"town,n\na,1\nb,2\n", id="twon")


def test_merged_headings_and_the_option_that_mends_them(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["town", "share", ""],
        ["", "men", "women"],
        ["a", 1, 2],
        ["b", 3, 4],
    ]
    book = workbook(rows, merged="B1:C1")
    said = said_of(tmp_path, book, "b.xlsx")
    assert "sheet “Data”, row 1, columns B to C: one heading stands over several columns" in said
    assert "--header-row" in said
    assert said_of(tmp_path, book, "b.xlsx", header_row=2) == ""


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = workbook([["id", "a"], ["x", 1], ["y", 2]], dimension="XFD1048576")
    assert "XFD1048576" in said_of(tmp_path, far, "far.xlsx")
    monkeypatch.setattr(files, "MOST_UNPACKED", 2**20)
    bomb = io.BytesIO(seeds()["book.xlsx"])
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/sharedStrings.xml", bytes(1_234_567))
    said = "unpacked it would come to more than 1 MB"
    assert said in said_of(tmp_path, bomb.getvalue(), "b.xlsx")
    # What a zip file says of its sizes is not believed.
    lies = bomb.getvalue().replace((1_234_567).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert said in said_of(tmp_path, lies, "lies.xlsx")


class _Outside:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    packed = io.BytesIO()
    hostile = np.array([[_Outside(tmp_path / "outside")]], dtype=object)
    np.savez(packed, X=hostile)
    assert "it cannot be read" in said_of(tmp_path, packed.getvalue(), "p.npz")
    said_of(tmp_path, pickle.dumps(_Outside(tmp_path / "outside"), protocol=0), "p.csv")
    assert not (tmp_path / "outside").exists()


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, said in {
        "pipe": "it is a pipe or a device",
        "loop": "Too many levels of symbolic links",
        "nothing": "there is no such file",
        "nul\0": "no file can be called so",
    }.items():
        with pytest.raises(InvalidInput, match=said):
            read_table(tmp_path / name)
    with pytest.raises(InvalidInput, match="it is a pipe or a device"):
        read_table(Path("/dev/zero"))


def test_a_file_that_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.csv"
    path.write_text("id,a\nx,1\n")
    before = files.beginning

    def grow(path: Path, most: int) -> bytes:
        with path.open("a") as file:
            file.write("y,2\n")
        return before(path, most)

    stamp = files._stamp

    def stamped(path: Path) -> tuple[int, int]:
        found = stamp(path)
        grow(path, 1)
        return found

    monkeypatch.setattr(files, "_stamp", stamped)
    with pytest.raises(InvalidInput, match="it was being written to"):
        read_table(path)
