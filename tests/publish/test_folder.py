"""Where it is published: whole or not at all, and never in place of something else."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tests.publish.conftest import series, table

import followdata as library
from followdata import publish as publishing
from followdata.desk import Desk
from followdata.errors import InvalidParameter, StoreError
from followdata.publish import archive, publish
from followdata.publish.frictionless import MARK


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(folder: Path) -> Path:
    return publish(table(), folder, story="towns", name="2022")


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    assert content(put(tmp_path / "a")) == content(put(tmp_path / "b" / "c"))
    archives = [archive(series(), tmp_path / n, story="s", name="n") for n in ("x", "y")]
    assert archives[0] == archives[1]
    with zipfile.ZipFile(io.BytesIO(archives[0])) as packed:
        assert {info.filename for info in packed.infolist()} == set(content(tmp_path / "x"))


def test_an_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    put(tmp_path / "out")
    publish(series(), tmp_path / "out", story="weather", name="one")
    assert "table.csv" not in content(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("mine.txt", "was put there since"), ("README.md", "was changed since")],
)
def test_what_somebody_has_done_since_is_not_lost(tmp_path: Path, name: str, said: str) -> None:
    folder = put(tmp_path / "out")
    (folder / name).write_text("mine")
    with pytest.raises(InvalidParameter, match=said):
        put(folder)
    assert (folder / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_things_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "datapackage.json").write_text("[]")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    for name in ("file", "folder", "link"):
        with pytest.raises(InvalidParameter, match="Name a folder that is new, empty"):
            put(tmp_path / name)
    put(tmp_path / "empty")
    with pytest.raises(InvalidParameter):
        put(Path("~nobody_of_that_name") / "x")
    with pytest.raises((InvalidParameter, StoreError)):
        put(tmp_path / ("x" * 300))
    with pytest.raises(StoreError):
        put(tmp_path / "file" / "below")


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
import jinja2, pyarrow.compute, pyarrow.csv, pyarrow.parquet
from followdata.data import About, MemorySeries
from followdata.publish import croissant, frictionless, kaggle, notebook, publish, words

def export(folder, number, last):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event == "open" or event.split(".")[0] in ("os", "shutil"):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    days = np.arange(3).astype("datetime64[D]")
    data = MemorySeries(days, np.full(3, float(number)), np.full(3, ""), About("Days"))
    sys.addaudithook(count)
    publish(data, folder, story="s", name="n")
    return seen

for line in sys.stdin:
    number, last = map(int, line.split())
    pid = os.fork()
    if not pid:
        os.write(1, f"{export(Path(sys.argv[1]), number, last)} ".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    print(flush=True)
"""


def test_a_kill_at_any_point_of_an_export_leaves_a_whole_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as exports:
        assert exports.stdin
        assert exports.stdout

        def export(number: int, last: int = 0) -> str:
            assert exports.stdin
            assert exports.stdout
            exports.stdin.write(f"{number} {last}\n")
            exports.stdin.flush()
            return exports.stdout.readline().strip()

        def kept() -> float:
            """Which export is there, in place or on its way back to it."""
            (there,) = [folder] if folder.exists() else tmp_path.glob(".out.old-*")
            check_whole(there)
            (value,) = set(pd.read_csv(there / "days.csv")["value"])
            return float(value)

        export(0)
        deeds = int(export(0))
        number = 0.0
        # Everywhere, and at each of the last deeds, where folders take their names.
        for point in sorted({*range(1, deeds, deeds // 4), *range(deeds - 10, deeds)}):
            assert export(point, point) == ""
            number, before = kept(), number
            assert number in (before, point)
        assert export(-1)
        assert kept() == -1
        exports.stdin.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def check_whole(folder: Path) -> None:
    """Every file that was exported is there, unchanged."""
    files = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))[MARK]["files"]
    assert files == {
        name: hashlib.sha256(told).hexdigest()
        for name, told in content(folder).items()
        if name != "datapackage.json"
    }


def test_what_is_too_large_is_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "MOST_CELLS", 17)
    with pytest.raises(InvalidParameter, match="followdata export towns DIR"):
        archive(table(), tmp_path / "x", story="towns", name="2022")


def test_python_and_the_command_line_publish_the_same(desk: Desk, tmp_path: Path) -> None:
    library.open("autoencode").export(tmp_path / "python")
    command = [sys.executable, "-m", "followdata", "export", "autoencode", "shell"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout == "shell\n"
    assert "This is a sample: 178 Italian wines" in told.stderr
    assert content(tmp_path / "python") == content(tmp_path / "shell")
    told = subprocess.run([*command[:-1], "."], cwd=tmp_path, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert told.returncode == 1
    assert "holds something else than an export" in told.stderr
    assert told.stderr.count("\n") == 1
