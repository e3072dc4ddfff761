"""Where it is published: whole or not at all, and never in place of something else."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from tests.publish.conftest import series, table

import followdata as library
from followdata import publish as publishing
from followdata.desk import Desk
from followdata.errors import InvalidParameter, StoreError
from followdata.publish import archive, publish
from followdata.publish.folder import replaced_whole


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


def test_an_export_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    folder = put(tmp_path / "out")
    before = content(folder)
    program = (
        "import sys, time; from pathlib import Path\n"
        "from followdata.publish import folder\n"
        "folder._settle = lambda path: (print('written', flush=True), time.sleep(60))\n"
        "with folder.replaced_whole(Path(sys.argv[1])) as aside:\n"
        "    (aside / 'table.csv').write_text('half')"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert content(folder) == before
    assert len(list(tmp_path.iterdir())) == 2
    put(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_was_there_comes_back_if_killed_between_the_two_names(tmp_path: Path) -> None:
    folder = put(tmp_path / "out")
    process = subprocess.Popen(["true"])
    process.wait()
    while _alive(process.pid):
        time.sleep(0.01)
    before = content(folder)
    folder.rename(tmp_path / f".out.old-{process.pid}-abc")
    with suppress(ZeroDivisionError), replaced_whole(folder):
        assert content(folder) == before
        raise ZeroDivisionError
    assert content(folder) == before


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


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
