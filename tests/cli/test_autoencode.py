"""`autoencode` and `replay`: the picture as rich draws it, and the commands as people run them."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.segment import Segment

from followdata.cli import context, main
from followdata.cli.grid import BETTER, WORSE, Picture, contrast, sparkline, style_of, watching
from followdata.cli.replay import latest, play
from followdata.desk import Desk
from followdata.present.theme import STEPS
from followdata.questions.reconstruction import MISSING
from followdata.registry import Registry
from followdata.runs import Run
from followdata.settings import HOME_VARIABLE
from followdata.store import Store

BEFORE = {"kind": "frame", "at": "2026-11-22T12:00:00+00:00", "cycle": 0, "error": 0.4}
AFTER = {"kind": "frame", "at": "2026-11-22T12:00:03+00:00", "cycle": 10, "error": 0.1}
EVENTS: list[dict[str, Any]] = [
    {"kind": "started", "title": "T"},
    {"kind": "progress", "done": 0, "total": 20, "what": "cycles"},
    BEFORE | {"rows": 2, "columns": 3, "cells": "558" + "8-0"},
    AFTER | {"rows": 2, "columns": 3, "cells": "537" + "8-1"},
]


def picture(events: Sequence[dict[str, Any]] = EVENTS) -> Picture:
    drawn = Picture()
    for event in events:
        drawn = drawn.after(event)
    return drawn


def console(width: int = 80, height: int = 24, *, term: str = "xterm", **settings: Any) -> Console:
    chosen: dict[str, Any] = {"force_terminal": True, "color_system": "truecolor"}
    chosen |= {"no_color": False, "_environ": {"TERM": term}} | settings
    return Console(file=io.StringIO(), width=width, height=height, **chosen)


def drawn(shown: Picture, on: Console) -> list[list[Segment]]:
    return [
        [segment for segment in line if segment.text]
        for line in on.render_lines(shown, on.options, pad=False)
    ]


def texts(shown: Picture, on: Console) -> list[str]:
    return ["".join(segment.text for segment in line) for line in drawn(shown, on)]


# The picture


def test_a_cell_shows_its_step_only_where_it_has_moved() -> None:
    lines = texts(picture(), console())
    assert lines[:2] == ["  3 7 ", "  - 1 "]
    assert lines[2].rstrip() == "cycle 10 of 20: error 0.1000"
    assert lines[3].rstrip() == "█▃"
    assert "better" in lines[4]


def test_without_colours_every_cell_is_a_digit() -> None:
    for settings in ({"no_color": True}, {"color_system": None}):
        assert texts(picture(), console(**settings))[:2] == ["5 3 7 ", "8 - 1 "]


def test_backgrounds_are_the_steps_and_digits_tell_better_from_worse() -> None:
    shown = [segment for segment in drawn(picture(), console())[0] if len(segment.text.strip())]
    stood, *_ = drawn(picture(), console())[0]
    assert stood.style is not None
    assert stood.style.bgcolor is not None
    assert stood.style.bgcolor.name == STEPS[5]
    assert [segment.text for segment in shown] == ["3", "7"]
    worse = next(segment for segment in drawn(picture(), console())[1] if segment.text == "1")
    for segment, ink, underlined in ((shown[0], BETTER, False), (worse, WORSE, True)):
        style = segment.style
        assert style is not None
        assert style.color is not None
        assert style.color.name in ink
        assert style.bold
        assert bool(style.underline) is underlined


@pytest.mark.parametrize("step", "012345678")
@pytest.mark.parametrize("moved", ["better", "worse"])
def test_digits_can_be_read_on_every_step(step: str, moved: str) -> None:
    old = str(int(step) + 1) if moved == "better" else str(int(step) - 1)
    style = style_of(step, old)
    assert style.color is not None
    assert contrast(style.color.name, STEPS[int(step)]) >= 3


def test_steps_go_from_dark_green_over_yellow_to_red() -> None:
    def channels(colour: str) -> tuple[int, int, int]:
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)

    red, green, blue = channels(STEPS[0])
    assert green > red
    assert green > blue
    red, green, blue = channels(STEPS[4])
    assert min(red, green) > 2 * blue
    red, green, blue = channels(STEPS[8])
    assert red > 3 * max(green, blue)


def test_seventy_five_columns_fit_eighty() -> None:
    frame = BEFORE | {"rows": 75, "columns": 75, "cells": "4" * 5625}
    lines = texts(picture([frame]), console(80, 100))
    assert len(lines) == 78
    assert {len(line) for line in lines[:75]} == {75}
    assert "fit here" not in lines[75]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (10, 5), (1, 2), (3, 3)])
def test_the_picture_is_clipped_to_the_terminal(width: int, height: int) -> None:
    frame = BEFORE | {"rows": 75, "columns": 75, "cells": "4" * 5625}
    lines = texts(picture([frame, AFTER | frame]), console(width, height))
    assert len(lines) <= max(2, height - 1)
    assert max(len(line) for line in lines) <= width
    if width == 80:
        assert "20 x 75 of 75 x 75 cells fit here" in lines[20]


def test_a_sparkline_can_be_ascii() -> None:
    assert sparkline((0.8, 0.0)) == "█▁"
    assert sparkline((0.0, 0.0)) == "▁▁"
    assert sparkline((0.8, 0.0), ascii_only=True).isascii()


def test_a_new_attempt_begins_a_new_picture() -> None:
    assert picture([*EVENTS, {"kind": "resumed", "title": "T"}]) == Picture()
    assert picture([*EVENTS, {"kind": "done"}]) == picture()


def test_missing_cells_are_the_ones_that_frames_call_missing() -> None:
    assert style_of(MISSING, "3") == style_of(MISSING, MISSING)


def test_on_a_terminal_it_is_redrawn_and_elsewhere_it_is_lines() -> None:
    on = console()
    with watching(on) as listen:
        for event in EVENTS:
            listen(event)
    written = on.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[?25l" in written
    assert written.rstrip("\n").endswith("\x1b[?25h")
    for settings in ({"force_terminal": False}, {"term": "dumb"}):
        on = console(**settings)
        with watching(on) as listen:
            for event in [*EVENTS, {"kind": "notice", "text": "[note]"}]:
                listen(event)
        assert on.file.getvalue() == (  # type: ignore[attr-defined]
            "cycle 0 of 20: error 0.4000\ncycle 10 of 20: error 0.1000\n[note]\n"
        )


def test_without_pictures_a_terminal_is_left_alone() -> None:
    on = console()
    with watching(on) as listen:
        listen(EVENTS[0])
    assert on.file.getvalue() == ""  # type: ignore[attr-defined]


# Replay


def test_replay_keeps_the_pace_but_waits_no_longer_than_a_second() -> None:
    heard: list[Any] = []
    slept: list[float] = []
    play([None, *EVENTS], heard.append, 6.0, slept.append)
    play(EVENTS, heard.append, 1.0, slept.append)
    assert slept == [0.5, 1.0]
    assert heard == EVENTS * 2


def test_replay_shows_the_latest_attempt_with_pictures(tmp_path: Path) -> None:
    run = Run("r", tmp_path)
    assert latest(run) == []
    lines = [
        '{"n": 1, "kind": "started"}',
        '{"n": 2, "kind": "frame"}',
        '{"n": 3, "kind": "resumed"}',
        '{"n": 4, "kind": "frame"}',
        '{"n": 5, "kind": "resumed"}',
        '{"n": 6, "kind": "done"}',
    ]
    run.journal.write_text("\n".join(lines) + "\n")
    assert [event["n"] for event in latest(run)] == [3, 4]


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
        "scaled.csv",
    ]
    tables = {
        path.stem: list(csv.reader(path.read_text().splitlines())) for path in output.iterdir()
    }
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
        (["autoencode", "--hidden", "99"], "is not between 1 and 64"),
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
    done = run("replay", "fetch-autoencode-from-own.csv")
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
        command("autoencode", str(own), "--cycles", "100000"),
        env=os.environ | {HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("cycle 0 ")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    last = stderr.splitlines()[-1]
    assert last.startswith("Stopped. Kept are the table, as “own”, and the pictures so far")
    (id,) = re.findall(r"followdata replay (\S+)\.", last)
    listed = run("runs")
    assert "stopped" in listed.stdout
    shown = run("replay", id)
    assert shown.stderr.startswith("cycle 0 of 100000: error ")
    assert shown.stderr.splitlines()[-1] == (
        "This run was stopped. Stopped from the keyboard."
    )  # fmt: skip


def test_after_a_kill_it_says_that_it_begins_again(run: Command, own: Path, home: Path) -> None:
    assert run("fetch", "autoencode", "--from", str(own)).returncode == 0
    opened = Desk(Registry.installed(), Store(home)).open("autoencode")
    params = opened.resolve("reconstruction", {"cycles": 5})
    killed = opened.desk.runs.named(opened.run_id(opened.story.question("reconstruction"), params))
    killed.folder.mkdir(parents=True)
    killed.journal.write_text('{"n": 1, "at": "", "kind": "started", "title": ""}\n{"n": 2, "ki')
    done = run("autoencode", "--cycles", "5")
    assert done.returncode == 0
    said = done.stderr.splitlines()
    assert said[0].startswith("An earlier attempt was cut off. Training begins again")
    assert said[1].startswith("cycle 0 of 5")


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
    assert "36 x 13 of 75 x 13 cells fit here" in lines[status]
    assert lines[status + 1].startswith("█")
    assert lines[status + 2].startswith("error 0 ")
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


def test_control_c_in_a_terminal_gives_it_back(home: Path, terminal) -> None:  # type: ignore[no-untyped-def]
    screen = terminal(80, 24)
    screen.type(in_shell(home, "autoencode", "--cycles", "100000"))
    screen.wait_for("of 100000: error ")
    screen.press("C-c")
    lines = screen.wait_for("status=130")
    assert any(line.startswith("Stopped. Kept are the table") for line in lines)
    screen.type("echo well again")
    screen.wait_for("\nwell again")
