"""`autoencode` and `replay` as people run them, in a terminal and without one."""

from __future__ import annotations

import csv
import inspect
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.models import CommandInfo

from followdata.cli import app, autoencode, context, main
from followdata.core import autoencoder
from followdata.desk import Desk
from followdata.errors import StoreError
from followdata.questions.reconstruction import question
from followdata.questions.training import Kept, Trained
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE
from followdata.store import Store, unpack

# The commands


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "followdata", *words]


@dataclass
class Done:
    """What a command said, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs commands in this process, on this test's data directory."""

    def runner(*words: str) -> Done:
        context.desk.cache_clear()
        monkeypatch.setattr(sys, "argv", ["followdata", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    yield runner
    context.desk.cache_clear()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A table of 20 rows on two lines that cross, one cell missing."""
    random = np.random.default_rng(0)
    X = random.normal(size=(20, 2)) @ random.normal(size=(2, 4))
    path = tmp_path / "own.csv"
    rows = [[f"r{n}", *row] for n, row in enumerate(X.tolist())]
    rows[2][3] = "NA"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "a", "b", "c", "d"], *rows])
    return path


def test_the_sentence_goes_to_output_and_all_else_to_error(run: Command, own: Path) -> None:
    output = own.parent / "deep" / "out"
    done = run("autoencode", str(own), "--cycles", "50", "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("Two numbers per row bring the 4\xa0columns of “own” back")
    assert "cycle 50 of 50: error " in done.stderr
    assert "1 of 80 cells are missing" in done.stderr
    assert "Sample" not in done.stderr
    assert sorted(path.name for path in output.iterdir()) == [
        "decoded.csv",
        "encoded.csv",
        "model.npz",
        "scaled.csv",
    ]
    tables = {
        path.stem: list(csv.reader(path.read_text().splitlines())) for path in output.glob("*.csv")
    }
    model = unpack((output / "model.npz").read_bytes(), Trained)
    S = np.array([[float(value or "nan") for value in row[1:]] for row in tables["scaled"][1:]])
    codes = autoencoder.encode(model, autoencoder.unscale(model, S))
    np.testing.assert_allclose(
        codes, [[float(value) for value in row[1:]] for row in tables["encoded"][1:]], atol=1e-9
    )
    assert tables["encoded"][0] == ["", "code1", "code2"]
    for name in ("decoded", "scaled"):
        assert tables[name][0] == ["", "a", "b", "c", "d"]
        assert [row[0] for row in tables[name][1:]] == [f"r{n}" for n in range(20)]
    assert tables["scaled"][3][3] == ""
    assert tables["decoded"][3][3] != ""
    values = np.array(
        [[float(value or "nan") for value in row[1:]] for row in tables["scaled"][1:]]
    )
    assert np.nanmin(values) == 0.0
    assert np.nanmax(values) == 1.0

    again = run("autoencode", "--cycles", "50")
    assert again.stdout == done.stdout
    assert "cycle 50 of 50" in again.stderr
    (id,) = re.findall(r"followdata replay (\S+)", again.stderr)

    shown = run("replay", id, "--speed", "100")
    assert shown.returncode == 0
    assert shown.stdout == ""
    assert shown.stderr.splitlines() == [
        line for line in done.stderr.splitlines() if line.startswith("cycle ")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["autoencode", "nowhere.csv"], "nowhere.csv: there is no such file."),
        (["autoencode", "--hidden", "2000"], "is not between 1 and 1024"),
        (["autoencode", "--hidden", "2.5"], "“2.5” is not a whole number."),
        (["autoencode", "--palette", "mauve"], "There are green-red and colour-blind."),
        (["autoencode", "--record", "/dev/null/r.ftd"], "Name another file with --record."),
        (["replay", "nowhere.ftd"], "nowhere.ftd: there is no such file."),
        (["autoencode", "--activation", "relx"], "Did you mean “relu”?"),
        (["autoencode", "--data", "nothing"], "No data of “autoencode” are on this machine."),
        (["autoencode", "nowhere.csv", "--data", "sample"], "Give one of them."),
        (["autoencode", "--output", "/dev/null/here"], "Name another folder with --output."),
        (["replay", "nothing"], "There is no run called “nothing”."),
    ],
)
def test_one_clear_error(run: Command, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_without_pictures_cannot_be_replayed(run: Command, own: Path) -> None:
    assert run("fetch", "autoencode", "--from", str(own)).returncode == 0
    done = run("replay", "fetch-autoencode-layout-table-from-own.csv")
    assert done.returncode == 1
    assert "has no pictures" in done.stderr


def test_output_that_cannot_be_written_leaves_nothing_half_done(run: Command, own: Path) -> None:
    output = own.parent / "out"
    (output / "scaled.csv").mkdir(parents=True)
    done = run("autoencode", str(own), "--cycles", "5", "--output", str(output))
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr
    assert not list(output.glob(".*"))


def test_control_c_ends_it_and_says_what_is_kept(run: Command, home: Path, own: Path) -> None:
    process = subprocess.Popen(
        command("autoencode", str(own), "--cycles", "100000", "--output", str(own.parent / "out")),
        env=os.environ | {HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]
    assert said[0].startswith("cycle 0 ")
    assert said[1].startswith("cycle 63 ")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    last = stderr.splitlines()[-1]
    (cycle,) = re.findall(r"Stopped\. Kept is what was learnt up to cycle (\d+), also in ", last)
    (id,) = re.findall(r"followdata replay (\S+)$", last)
    listed = run("runs")
    assert "stopped" in listed.stdout
    shown = run("replay", id, "--speed", "100")
    assert shown.stderr.startswith("cycle 0 of 100000: error ")
    assert shown.stderr.splitlines()[-1] == (
        "This run was stopped. Stopped from the keyboard."
    )  # fmt: skip
    # What was kept is loaded, in the run and in the folder, and is gone on from.
    (piece,) = (home / "runs" / id / "pieces").iterdir()
    state = unpack(piece.read_bytes(), Kept)
    assert state.cycle == int(cycle) > 0
    model = unpack((own.parent / "out" / "model.npz").read_bytes(), Trained)
    np.testing.assert_array_equal(model.parameters, state.parameters)
    process = subprocess.Popen(
        command("autoencode", "--cycles", "100000"),
        env=os.environ | {HOME_VARIABLE: str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == f"Goes on after cycle {cycle}, where it was kept.\n"
    process.kill()
    process.communicate()


def test_after_a_kill_before_anything_was_kept_it_begins_again(
    run: Command, own: Path, home: Path
) -> None:
    assert run("fetch", "autoencode", "--from", str(own)).returncode == 0
    opened = Desk(Registry.installed(), Store(home)).open("autoencode")
    params = opened.resolve("reconstruction", {"cycles": 5})
    killed = opened.desk.runs.named(opened.run_id(opened.story.question("reconstruction"), params))
    killed.folder.mkdir(parents=True)
    killed.journal.write_text('{"n": 1, "at": "", "kind": "started", "title": ""}\n{"n": 2, "ki')
    done = run("autoencode", "--cycles", "5")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("cycle 0 of 5")


def test_every_setting_of_the_question_is_an_option() -> None:
    (command,) = (
        known for known in app_commands() if known.callback is autoencode.autoencode
    )  # fmt: skip
    assert command.callback
    options = set(inspect.signature(command.callback).parameters)
    named = {"free": "weights", "scale": "scaling"}
    assert set(question.parameters) <= {named.get(name, name) for name in options}


def app_commands() -> list[CommandInfo]:
    return app.registered_commands


@pytest.mark.parametrize(
    "words",
    [
        "--free --hidden 3,2",
        "--layerwise --hidden 3,2 --rate 0.05",
        "--no-scale --optimiser momentum --batch 500 --decay 0.1",
        "--transpose --noise gaussian --corruption 0.2 --begin he",
        "--holdout 0.3 --activation relu",
    ],
)
def test_settings_change_what_is_learnt(run: Command, own: Path, words: str) -> None:
    plain = run("autoencode", str(own), "--cycles", "20")
    other = run("autoencode", str(own), "--cycles", "20", *words.split())
    assert other.returncode == 0, other.stderr
    assert other.stdout != plain.stdout


def test_a_recording_is_replayed(run: Command, own: Path) -> None:
    recording = own.parent / "run.ftd"
    done = run("autoencode", str(own), "--cycles", "50", "--record", str(recording))
    assert done.returncode == 0, done.stderr
    shown = run("replay", str(recording), "--speed", "100")
    assert shown.returncode == 0, shown.stderr
    pictures = shown.stderr.splitlines()
    assert pictures[0] == done.stderr.splitlines()[0]
    assert pictures[-1].startswith("cycle 50 of 50: error ")
    whole = recording.read_bytes()
    recording.write_bytes(whole[:-30])
    cut = run("replay", str(recording), "--speed", "100")
    assert cut.returncode == 0, cut.stderr
    assert pictures[0] in cut.stderr
    recording.write_bytes(b"cycle,error\n")
    assert "this is no recording of a training" in run("replay", str(recording)).stderr


# What is saved survives


def test_a_kill_while_writing_leaves_a_model_that_loads(tmp_path: Path) -> None:
    script = """
import sys, numpy as np
from pathlib import Path
from followdata.cli.autoencode import _write
from followdata.core.autoencoder import train
from followdata.store import pack
X = np.random.default_rng(0).random((40, 4000))
content = pack(train(X, hidden=9, cycles=1))
_write(Path(sys.argv[1]), {"model.npz": content})
print("written", flush=True)
while True:
    _write(Path(sys.argv[1]), {"model.npz": content})
"""
    for pause in (0.002, 0.005, 0.009, 0.013):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        time.sleep(pause)
        process.kill()
        process.communicate()
        model = unpack((tmp_path / "model.npz").read_bytes(), autoencoder.Autoencoder)
        assert model is not None
        assert model.sizes == [4000, 9]


def test_a_full_disk_leaves_the_model_that_was_there(run: Command, own: Path) -> None:
    output = own.parent / "out"
    assert run("autoencode", str(own), "--cycles", "5", "--output", str(output)).returncode == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["model.npz"]) - 100, hard))
    try:
        with pytest.raises(StoreError, match="cannot be written to"):
            autoencode._write(output, {**before, "model.npz": before["model.npz"] * 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert unpack(before["model.npz"], Trained) is not None


def test_a_full_disk_ends_the_recording_and_not_the_training(run: Command, own: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("NO /dev/full: a recording on a full disk is not tested")
    done = run("autoencode", str(own), "--cycles", "5", "--record", "/dev/full")
    assert done.returncode == 0
    assert "The recording /dev/full ends here (No space left on device)." in done.stderr


# In a terminal


class Terminal:
    """A real terminal in tmux, of a given size."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._socket = str(folder / "tmux")
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", str(width), "-y", str(height), "sh")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            # pytest loads readline, which says how large another terminal is.
            env={k: v for k, v in os.environ.items() if k not in ("LINES", "COLUMNS")},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def wait_for(self, text: str, seconds: float = 60) -> list[str]:
        """The lines of the screen once `text` is on it."""
        deadline = time.monotonic() + seconds
        while text not in (screen := self._tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, screen
            time.sleep(0.1)
        return screen.splitlines()

    def colours(self) -> str:
        return self._tmux("capture-pane", "-e", "-p")

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    if shutil.which("tmux") is None:
        pytest.skip("NO TMUX: what a person sees in a terminal is not tested; install tmux")
    opened = []

    def opener(width: int, height: int) -> Terminal:
        opened.append(Terminal(tmp_path_factory.mktemp("t"), width, height))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()


def in_shell(home: Path, *words: str, **environment: str) -> str:
    said = {HOME_VARIABLE: str(home)} | environment
    assigned = " ".join(f"{name}={shlex.quote(value)}" for name, value in said.items())
    return f"clear; {assigned} {shlex.join(command(*words))}; echo status=$?"


def test_in_a_terminal_the_picture_stays_with_the_sentence_below(  # type: ignore[no-untyped-def]
    home: Path, terminal
) -> None:
    screen = terminal(90, 40)
    screen.type(in_shell(home, "autoencode", "--cycles", "200"))
    lines = screen.wait_for("status=0")
    (status,) = [n for n, line in enumerate(lines) if line.startswith("cycle 200 of 200: error ")]
    assert "; rows 1-28 of 178" in lines[status]
    assert lines[status + 1].startswith("█")
    assert lines[status + 2].startswith("  <.01   <.05 ")
    assert any("Sample: 178 Italian wines" in line for line in lines[status:])
    assert any(line.startswith("Two numbers per wine bring") for line in lines[status:])
    assert re.search(r"\x1b\[[0-9;]*48;[25];", screen.colours())


def test_in_a_terminal_without_colours_there_are_digits(  # type: ignore[no-untyped-def]
    home: Path, terminal
) -> None:
    screen = terminal(200, 60)
    screen.type(in_shell(home, "autoencode", "--cycles", "30", NO_COLOR="1"))
    lines = screen.wait_for("status=0")
    assert sum(bool(re.fullmatch(r"([0-8] ){12}[0-8] ?", line)) for line in lines) >= 20
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", screen.colours())


def test_keys_do_what_they_say(home: Path, terminal) -> None:  # type: ignore[no-untyped-def]
    screen = terminal(100, 30)
    screen.type(in_shell(home, "autoencode", "--cycles", "1000000", "--output", str(home / "out")))
    screen.wait_for("cycles/s")
    screen.press("Space")
    paused = cycle_of(screen.wait_for("[paused]"))
    time.sleep(0.3)
    assert cycle_of(screen.wait_for("[paused]")) == paused
    screen.press("c")
    screen.wait_for("row 1: wine 1")
    screen.press("Down")
    screen.press("Right")
    lines = screen.wait_for("column 2: malic_acid")
    assert any("row 2: wine 2" in line for line in lines)
    assert any(re.search(r"value +1\.78", line) for line in lines)
    screen.press("g")
    screen.press("w")  # is typed, and does not show the whole
    for letter in "ine 100,hue":
        screen.press("Space" if letter == " " else letter)
    screen.wait_for("row,column: wine 100,hue_")
    screen.press("Enter")
    assert any("column 11: hue" in line for line in screen.wait_for("row 100: wine 100"))
    screen.press("o")
    screen.wait_for("like by like")
    screen.press("w")
    screen.wait_for("178 x 13 cells in 26 x 13 blocks")
    screen.press("?")
    screen.wait_for("pause and go on")
    screen.press("s")
    screen.wait_for(f"Saved to {home}"[:60])
    assert unpack((home / "out" / "model.npz").read_bytes(), Trained) is not None
    screen.press("Space")
    deadline = time.monotonic() + 30
    while cycle_of(screen.wait_for("cycle ")) <= paused:
        assert time.monotonic() < deadline
    screen.resize(60, 20)
    lines = screen.wait_for(" blocks")
    assert len(lines) == 20
    screen.press("q")
    screen.wait_for("status=0")
    assert any("Stopped. Kept is what was learnt" in line for line in screen.wait_for("Stopped"))


def cycle_of(lines: list[str]) -> int:
    (found,) = re.findall(r"^cycle (\d+) of", "\n".join(lines), re.M)
    return int(found)


def test_control_c_in_a_terminal_gives_it_back(home: Path, terminal) -> None:  # type: ignore[no-untyped-def]
    screen = terminal(80, 24)
    screen.type(in_shell(home, "autoencode", "--cycles", "1000000"))
    screen.wait_for("of 1000000: error ")
    screen.press("C-c")
    lines = screen.wait_for("status=130")
    assert any(line.startswith("Stopped. Kept is what was learnt up to") for line in lines)
    screen.type("echo well again")
    screen.wait_for("\nwell again")
