"""The command line as whole processes: streams, ends, signals, other processes, full disks."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import followdata as library
from followdata.cli.context import desk
from followdata.runs import Run
from followdata.settings import HOME_VARIABLE

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-m", "followdata"]


def started(*arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings
    )


def one_run(*, done: int) -> Run:
    """The only run there is, once it is so far."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for run in desk().runs.all():
            progress = run.progress()
            if progress and progress["done"] >= done:
                return run
        time.sleep(0.02)
    pytest.fail("nothing was heard of the run")


# Streams and ends


def test_results_and_notices_go_their_own_ways(process: Command) -> None:
    desk().open("tiny").ask("unlike")
    told = process("fetch", "tiny")
    assert (told.status, told.text) == (0, "2022\n")
    assert "Stored as “2022”" in told.notices
    told = process("ask", "tiny", "unlike", "--lighthouse", "malmo", "--format", "json")
    assert told.status == 0
    assert json.loads(told.output)["params"]["lighthouse"] == "Malmo"
    assert told.notices == ""


def test_what_is_refused_is_one_line_and_misuse_is_another_status(process: Command) -> None:
    desk().open("tiny")
    told = process("ask", "tiny", "unlike", "--lighthouse", "Mal\nmo [x]")
    assert (told.status, told.text) == (1, "")
    assert told.notices.count("\n") == 1
    assert told.notices.startswith("followdata: There is no lighthouse called “Mal mo [x]”.")
    told = process("ask", "tiny", "unlike", "--lamp", "x")
    assert (told.status, told.text) == (2, "")
    assert told.notices.startswith("Usage: followdata ask tiny unlike")


def test_the_version_is_said(process: Command) -> None:
    told = process("--version")
    assert (told.status, told.text) == (0, f"followdata {library.__version__}\n")


def test_help_imports_nothing_heavy(tiny: None) -> None:
    script = (
        "import sys\n"
        "sys.argv = ['followdata', '--help']\n"
        "from followdata.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Ask a question of a story's data." in ended.stdout
    loaded = set(ended.stderr.split())
    assert "followdata.cli" in loaded
    for heavy in ("numpy", "pandas", "anndata", "fastapi", "altair", "httpx", "rich", "filelock"):
        assert heavy not in loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["ask", "tiny", "unlike", "--format", "csv"],
        ["runs", "long"],
        ["fetch", "tiny"],
    ],
)
def test_a_reader_that_has_gone_is_no_error(tiny: None, arguments: list[str]) -> None:
    desk().open("tiny")
    with desk().runs.start("long", "A run") as journal:
        journal.report("notice", text="x" * 100_000)
    end, start = os.pipe()
    os.close(end)
    ended = subprocess.run(
        [*PROGRAM, *arguments], stdout=start, stderr=subprocess.PIPE, check=False
    )
    os.close(start)
    assert b"Traceback" not in ended.stderr
    assert b"Exception" not in ended.stderr
    assert b"Broken" not in ended.stderr
    assert ended.returncode in (0, 1)


def test_a_stream_that_cannot_say_it_gets_a_question_mark(process: Command) -> None:
    desk().open("tiny")
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    told = process("list", "tiny", env=ascii_only)
    assert told.status == 0
    told = process("ask", "tiny", "unlike", "--lighthouse", "Ål", env=ascii_only)
    assert told.status == 1
    assert b"called" in told.notices.encode("ascii")


def test_a_progress_bar_is_drawn_on_a_terminal(tiny: None) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "fetch", "tiny", "--pieces", "21", "--pause", "0.02"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    ) as process:
        output, _ = process.communicate(timeout=60)
    os.close(theirs)
    shown = bytearray()
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # the other end has gone
        pass
    os.close(ours)
    assert process.returncode == 0
    assert output == b"2022\n"
    text = shown.decode()
    assert "lights [/seen]" in text
    assert "/21" in text
    assert "One [lamp] was broken." in text
    assert "Traceback" not in text


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_names_of_several_words(tiny: None) -> None:
    desk().open("tiny")
    script = """
    eval "$(followdata --show-completion bash)"
    COMP_WORDS=(followdata ask tiny unlike --lighthouse "$1")
    COMP_CWORD=5
    _followdata_completion followdata
    eval "followdata ask tiny unlike --lighthouse ${COMPREPLY[0]} --format json"
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", script, "bash", "Å"], env={**os.environ, "PATH": path},
        capture_output=True, check=False,
    )  # fmt: skip
    assert ended.stderr == b""
    assert json.loads(ended.stdout)["params"]["lighthouse"] == "Åre [old]"


# Signals, and other processes


def test_a_fetch_that_was_killed_goes_on(process: Command) -> None:
    fetch = ("fetch", "tiny", "--pieces", "12", "--pause", "0.1")
    with started(*fetch) as killed:
        run = one_run(done=3)
        killed.kill()
    assert run.state == "interrupted"
    assert desk().store.datasets("tiny") == []
    had = len(list((run.folder / "pieces").iterdir()))
    assert 3 <= had < 12
    begun = time.monotonic()
    told = process(*fetch)
    assert (told.status, told.text) == (0, "2022\n")
    assert "Going on where an earlier attempt stopped." in told.notices
    assert time.monotonic() - begun < 60
    assert not list((run.folder / "pieces").iterdir())


def test_an_interrupt_from_the_keyboard_is_said_without_a_traceback(tiny: None) -> None:
    with started("fetch", "tiny", "--pieces", "500", "--pause", "0.05") as stopped:
        run = one_run(done=1)
        stopped.send_signal(signal.SIGINT)
        output, notices = stopped.communicate(timeout=30)
    assert stopped.returncode not in (0, 2)
    assert output == b""
    assert b"Traceback" not in notices
    assert run.state == "stopped"


def test_two_fetches_of_the_same_at_once_make_one_data_set(tiny: None) -> None:
    with started("fetch", "tiny") as one, started("fetch", "tiny") as other:
        told = [process.communicate(timeout=60) for process in (one, other)]
    assert [output for output, _ in told] == [b"2022\n"] * 2
    assert [dataset.name for dataset in desk().store.datasets("tiny")] == ["2022"]
    assert len(desk().runs.all()) == 1


def test_two_who_ask_at_once_have_it_learnt_once(tiny: None) -> None:
    ask = ("ask", "tiny", "slow", "--ships", "5", "--pause", "0.1", "--format", "json")
    with started(*ask) as one, started(*ask) as other:
        told = [process.communicate(timeout=60) for process in (one, other)]
    assert told[0][0] == told[1][0]
    assert json.loads(told[0][0])["tables"]["ships"] == [{"ships": 5}]
    (run,) = desk().runs.all()
    assert len([event for event in run.events() if event["kind"] == "progress"]) == 5


def test_learning_that_was_killed_is_done_when_it_is_asked_again(process: Command) -> None:
    stored = desk().open("tiny").dataset
    answer = desk().open("tiny").ask("unlike")
    ask = ("ask", "tiny", "slow", "--ships", "8", "--pause", "0.1", "--format", "json")
    with started(*ask) as killed:
        run = one_run(done=2)
        killed.kill()
    assert run.state == "interrupted"
    assert desk().store.datasets("tiny") == [stored]
    assert desk().open("tiny").ask("unlike") == answer
    assert json.loads(process(*ask).output)["tables"]["ships"] == [{"ships": 8}]


def test_a_run_is_followed_from_another_terminal(tiny: None) -> None:
    with started("fetch", "tiny", "--pieces", "6", "--pause", "0.15") as fetch:
        run = one_run(done=1)
        with started("runs", run.id, "--follow") as follower:
            output, _ = follower.communicate(timeout=60)
        fetch.communicate(timeout=60)
    events = [json.loads(line) for line in output.splitlines()]
    assert events == list(run.events())
    assert events[-1]["kind"] == "done"


# Disks and names


@pytest.fixture(params=["a file system of 2 MB", "no file above 1 MB"])
def full(
    request: pytest.FixtureRequest, tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """How to start a process that has no room for three megabytes."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    if request.param.startswith("no file"):
        limit = (1_000_000, resource.RLIM_INFINITY)
        yield {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system of 2 MB")
    yield {}
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_one_line_and_nothing_is_lost(full: dict[str, Any], tmp_path: Path) -> None:
    stored = desk().fetch("tiny")
    answer = desk().open("tiny").ask("unlike")
    with started("fetch", "tiny", "--lighthouses", "200000", **full) as process:
        output, notices = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, b"")
    (line,) = [line for line in notices.decode().splitlines() if "light" not in line[:5]][1:]
    assert line.startswith("followdata: No room is left on the disk")
    assert line.endswith("Nothing that was stored is lost; free some space and try again.")
    assert desk().store.datasets("tiny") == [stored]
    assert desk().open("tiny").ask("unlike") == answer
    assert not list((tmp_path / "aside").iterdir())


def test_a_directory_that_cannot_be_written_is_one_line(process: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = process("ask", "tiny", "unlike", env={"FOLLOWDATA_HOME": str(tmp_path / "file" / "x")})
    assert (told.status, told.text) == (1, "")
    assert told.notices.count("\n") == 1
    assert told.notices.endswith("Choose another data directory with FOLLOWDATA_HOME.\n")


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are text there")
def test_a_file_whose_name_is_no_text_is_read_or_refused_in_one_line(
    tiny: None, tmp_path: Path
) -> None:
    path = os.fsencode(tmp_path) + b"/\xe5r.csv"
    for content, status, output in ((b"1,2,3\n", 0, b"files\n"), (b"?", 1, b"")):
        Path(os.fsdecode(path)).write_bytes(content)
        ended = subprocess.run(
            [*PROGRAM, "fetch", "tiny", "--from", path], capture_output=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (status, output)
        assert b"Traceback" not in ended.stderr
    assert ended.stderr.decode().splitlines()[-1].endswith("Give three numbers a line.")
