"""The picture of a training, what keys make of it, and how little of it is written."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from followdata.cli import watching
from followdata.cli.grid import (
    BETTER,
    WORSE,
    Course,
    Look,
    View,
    colour_code,
    contrast,
    draw,
    jumped,
    pressed,
    sparkline,
)
from followdata.cli.recording import Told, moments
from followdata.cli.screen import BURST, PLAIN, RATE, Canvas, Ink, Keys, Screen, change, keys_in
from followdata.cli.watching import Patience, Quit, Watcher, superseded
from followdata.present.theme import SEEN_BY_ALL, STEPS
from followdata.questions.training import EDGES, MISSING, NO_BIN

AT = "2026-11-22T12:00:0"
BEFORE: dict[str, Any] = {
    "kind": "frame",
    "at": f"{AT}0+00:00",
    "cycle": 0,
    "cycles": 20,
    "error": 0.4,
}
AFTER: dict[str, Any] = {
    "kind": "frame",
    "at": f"{AT}3+00:00",
    "cycle": 10,
    "cycles": 20,
    "error": 0.1,
}
BEFORE |= {"rows": 2, "columns": 3, "cells": "558" + "8-0"}
AFTER |= {"rows": 2, "columns": 3, "cells": "537" + "8-1"}
GRID = {"rows": ["r1", "r2"], "columns": ["a", "b", "c"], "alike": [[1, 0], [2, 0, 1]]}
EVENTS: list[dict[str, Any]] = [
    {"kind": "started", "title": "T"},
    {"kind": "grid", **GRID},
    {"kind": "progress", "done": 0, "total": 20, "what": "cycles"},
    BEFORE,
    AFTER,
]
COLOURS = Look(24)
PLAINLY = View()


def told(frame: dict[str, Any] = AFTER) -> Told:
    order = np.array([1, 0]), np.array([2, 0, 1])
    return Told(frame, ["r1", "r2"], ["a", "b", "c"], 20, order)


def large(step: str = "4", rows: int = 200, columns: int = 90) -> Told:
    frame = AFTER | {"rows": rows, "columns": columns, "cells": step * (rows * columns)}
    return Told(frame, [f"row {n + 1}" for n in range(rows)], [], 20)


def picture(
    moment: Told, view: View = PLAINLY, look: Look = COLOURS, size: tuple[int, int] = (80, 24)
) -> Canvas:
    before = Told(BEFORE) if moment.shape == (2, 3) else moment
    return draw(moment, before, view, Course([0.4, 0.1]), look, size)


def texts(canvas: Canvas) -> list[str]:
    return ["".join(row).rstrip() for row in canvas.chars]


# The picture


def test_a_cell_shows_its_bin_only_where_it_has_moved() -> None:
    lines = texts(picture(told()))
    assert lines[:2] == ["  3 7", "  - 1"]
    assert lines[2] == "cycle 10 of 20: error 0.1000"
    assert lines[3] == "█▃"
    assert "better worse" in lines[4]
    assert "space pause" in lines[5]


def test_without_colours_every_cell_is_a_digit() -> None:
    canvas = picture(told(), look=Look(0))
    assert texts(canvas)[:2] == ["5 3 7", "8 - 1"]
    assert not re.search(r"[34]8;", "".join(canvas.lines()))


@pytest.mark.parametrize("palette", [STEPS, SEEN_BY_ALL])
def test_grounds_are_the_steps_and_digits_tell_better_from_worse(palette: Sequence[str]) -> None:
    look = Look(24, "green-red" if palette is STEPS else "colour-blind")
    canvas = picture(told(), look=look)
    inks = [[canvas.inks[look] for look in row] for row in canvas.look[:2]]
    assert inks[0][0].back == inks[0][1].back == colour_code(palette[5], 24, ground=True)
    assert inks[0][2].fore in [colour_code(colour, 24) for colour in BETTER]
    assert inks[0][4].fore in [colour_code(colour, 24) for colour in BETTER]
    assert inks[1][4].fore in [colour_code(colour, 24) for colour in WORSE]
    assert [ink.underline for ink in (inks[0][2], inks[1][4])] == [False, True]


@pytest.mark.parametrize("palette", [STEPS, SEEN_BY_ALL])
@pytest.mark.parametrize("inks", [BETTER, WORSE, ("#ffffff", "#000000")])
def test_digits_can_be_read_on_every_step(palette: Sequence[str], inks: tuple[str, str]) -> None:
    for step in palette:
        assert max(contrast(ink, step) for ink in inks) >= 3


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


@pytest.mark.parametrize("palette", [STEPS, SEEN_BY_ALL])
def test_no_two_bins_look_alike_in_256_colours(palette: Sequence[str]) -> None:
    codes = [colour_code(step, 8, ground=True) for step in palette]
    assert len(set(codes)) == len(codes) == len(EDGES) + 1 == NO_BIN


def test_who_cannot_tell_red_from_green_sees_bins_by_their_lightness() -> None:
    lightness = [contrast("#000000", step) for step in SEEN_BY_ALL]
    assert all(one < other for one, other in pairwise(lightness))


def test_seventy_five_columns_fit_eighty() -> None:
    lines = texts(picture(large(), size=(80, 100), look=Look(0)))
    assert {len(line) for line in lines[:75]} == {75}
    assert "rows 1-75 of 200, columns 1-75 of 90" in lines[75]


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (10, 5), (1, 1), (3, 3), (200, 60)])
@pytest.mark.parametrize("view", [View(), View(cursor=(0, 0)), View(help=True), View(whole=True)])
def test_the_picture_is_clipped_to_the_terminal(size: tuple[int, int], view: View) -> None:
    canvas = picture(large(), view, size=size)
    assert canvas.size == size
    assert picture(told(), view, size=size).size == size


def test_the_cell_under_the_cursor_is_told_of() -> None:
    lines = texts(picture(told(), View(cursor=(0, 1))))
    assert "row 1: r1" in lines[0]
    assert "column 2: b" in lines[1]
    assert "error 0.1 to 0.15" in lines[2]
    assert "missing" in "".join(texts(picture(told(), View(cursor=(1, 1)))))


def test_like_by_like_is_in_the_order_that_was_told() -> None:
    lines = texts(picture(told(), View(order="alike"), Look(0)))
    assert lines[:2] == ["1 8 -", "7 5 3"]
    assert "like by like" in lines[2]


def test_a_sparkline_can_be_ascii() -> None:
    assert sparkline((0.8, 0.0)) == "█▁"
    assert sparkline((0.0, 0.0)) == "▁▁"
    assert sparkline((0.8, 0.0), ascii_only=True).isascii()
    assert len(sparkline([1.0] * 500, 80)) == 80


def test_bins_of_frames_are_those_of_digits() -> None:
    assert AFTER["cells"][4] == MISSING
    assert told().bins(np.arange(2), np.arange(3)).tolist() == [[5, 3, 7], [8, NO_BIN, 1]]


# Keys


ROOM, SHAPE = (20, 75), (200, 90)


def after(*keys: str, view: View = PLAINLY) -> View:
    for key in keys:
        view = pressed(view, key, SHAPE, ROOM)
    return view


def test_arrows_pan_and_stop_at_the_edge() -> None:
    assert after("down", "right", "right") == View(row=1, column=2)
    assert after("up", "left") == View()
    assert after("page down", "page down") == View(row=40)
    assert after("end") == View(row=180, column=15)
    assert after("end", "home") == View()


def test_a_cursor_is_kept_in_sight() -> None:
    view = after("c", *["down"] * 25)
    assert (view.cursor, view.row) == ((25, 0), 6)
    assert after("up", view=replace(view, cursor=(6, 0))).row == 5
    assert after("c", "end").cursor == (199, 89)
    assert after("c", "c").cursor is None


def test_each_key_does_its_own() -> None:
    assert [after(*["o"] * n).order for n in range(4)] == ["table", "alike", "error", "table"]
    assert after("w").whole
    assert after("?").help
    assert after(" ").paused
    assert not after(" ", " ").paused
    assert after("x") == View()


def test_what_is_typed_to_jump_to_is_no_command() -> None:
    view = after("g", "w", "o", "backspace", " ", "?")
    assert (view.typed, view.whole, view.help, view.paused) == ("w ?", False, False, False)
    assert after("g", "q", "escape").typed is None


@pytest.mark.parametrize(
    ("typed", "cursor"),
    [
        ("row 150", (149, 0)),
        ("150", (149, 0)),
        ("ROW 150, 80", (149, 79)),
        ("row 2", (1, 0)),  # and not row 20
        ("", None),
    ],
)
def test_jumps(typed: str, cursor: tuple[int, int] | None) -> None:
    view = jumped(View(typed=typed), large(), (np.arange(200), np.arange(90)), ROOM)
    assert view.cursor == cursor
    assert view.typed is None
    if cursor:
        assert view.row <= cursor[0] < view.row + ROOM[0]
        assert view.column <= cursor[1] < view.column + ROOM[1]


def test_jumps_to_a_column_and_into_another_order() -> None:
    order = np.array([1, 0]), np.array([2, 0, 1])
    assert jumped(View(typed="b"), told(), order, (2, 3)).cursor == (0, 2)
    assert jumped(View(typed="r1,c"), told(), order, (2, 3)).cursor == (1, 0)
    lost = jumped(View(typed="nobody"), told(), order, (2, 3))
    assert lost.message == "There is no row or column “nobody”."
    assert lost.cursor is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(
    ["up", "down", "left", "right", "page up", "page down", "home", "end", "c", "w", "o", "?"]
)))  # fmt: skip
def test_whatever_is_pressed_something_is_seen(keys: list[str]) -> None:
    view = after(*keys)
    assert 0 <= view.row <= SHAPE[0] - ROOM[0]
    assert 0 <= view.column <= SHAPE[1] - ROOM[1]
    if view.cursor:
        assert view.row <= view.cursor[0] < view.row + ROOM[0]
        assert view.column <= view.cursor[1] < view.column + ROOM[1]


def test_keys_that_come_in_pieces_and_keys_unknown() -> None:
    assert keys_in("\x1b[") == ([], "\x1b[")
    assert keys_in("\x1b[15~a\x1b[1;5Ab\x1bOA") == (["a", "b", "up"], "")
    assert keys_in("\x1bx") == (["escape", "x"], "")


# What is written


class Terminal:
    """Understands what a screen writes, as a terminal does."""

    def __init__(self, width: int, height: int) -> None:
        self.chars = [[" "] * width for _ in range(height)]
        self.inks = [["0"] * width for _ in range(height)]
        self._row = self._column = 0
        self._ink = "0"

    def take(self, text: str) -> None:
        for code, letter in re.findall(r"\x1b\[([0-9;?]*[A-Za-z])|(.)", text, re.S):
            if code.endswith("H"):
                self._row, self._column = (int(part) - 1 for part in code[:-1].split(";"))
            elif code == "2J":
                self.chars = [[" "] * len(row) for row in self.chars]
            elif code.endswith("m"):
                self._set(code[:-1])
            elif letter:
                self.chars[self._row][self._column] = letter
                self.inks[self._row][self._column] = self._ink
                self._column += 1

    def _set(self, code: str) -> None:
        parts = [] if code.split(";")[0] == "0" else [self._ink]
        self._ink = ";".join([*parts, code.removeprefix("0;")])

    def ground(self, row: int, column: int) -> str:
        grounds = re.findall(r"\b(48;2;\d+;\d+;\d+|48;5;\d+|49)", self.inks[row][column])
        return grounds[-1] if grounds and grounds[-1] != "49" else ""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def screen(size: tuple[int, int] = (80, 24)) -> tuple[Screen, io.StringIO, Clock]:
    out, clock = io.StringIO(), Clock()

    class Sized(Screen):
        @property
        def size(self) -> tuple[int, int]:
            return size

    return Sized(out, clock), out, clock


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), depth=st.sampled_from([0, 8, 24]))
def test_a_terminal_shows_what_was_painted(seed: int, depth: int) -> None:
    random = np.random.default_rng(seed)
    terminal, (on, out, _) = Terminal(40, 12), screen((40, 12))
    look = Look(depth)
    for _ in range(4):
        canvas = Canvas(40, 12, look.inks)
        canvas.chars[:] = random.choice(list(" 12ab"), (12, 40))
        canvas.look[:] = random.integers(0, len(look.inks), 12)[:, None]
        canvas.look[:, ::3] = random.integers(0, len(look.inks), (12, 14))
        on.paint(canvas, hurry=True)
        terminal.take(out.getvalue())
        out.seek(0)
        out.truncate()
        assert terminal.chars == canvas.chars.tolist()
        for row in range(12):
            for column in range(40):
                ink = look.inks[int(canvas.look[row, column])]
                assert terminal.ground(row, column) == ink.back


def test_only_what_has_changed_is_written() -> None:
    on, out, _ = screen()
    canvas = picture(told())
    on.paint(canvas, hurry=True)
    before = len(out.getvalue())
    on.paint(canvas, hurry=True)
    assert len(out.getvalue()) == before
    changed = picture(told(AFTER | {"cells": "538" + "8-1"}))
    on.paint(changed, hurry=True)
    assert len(out.getvalue()) - before < 60


def test_a_slow_line_gets_its_rate_and_in_the_end_all() -> None:
    on, out, clock = screen((80, 80))
    random = np.random.default_rng(0)
    cells = "".join(map(str, random.integers(0, 9, 75 * 75)))
    canvas = picture(large(rows=75, columns=75), size=(80, 80))
    moved = Told(AFTER | {"rows": 75, "columns": 75, "cells": cells})
    canvas = draw(moved, moved, View(), Course(), COLOURS, (80, 80))
    written = []
    while not on.paint(canvas):
        written.append(on.written)
        clock.now += 0.1
    # A row is not cut in two: it may go beyond what is allowed, and is then paid for.
    row = 2500
    for tenths, total in enumerate(written):
        assert total <= BURST + RATE * tenths / 10 + row
    assert BURST + RATE + row < 20_480, "20 KB in any second"
    terminal = Terminal(80, 80)
    terminal.take(out.getvalue())
    assert terminal.chars == canvas.chars.tolist()


def test_plain_ends_every_line_that_is_left_behind() -> None:
    lines = picture(told()).lines()
    assert all(line.endswith("\x1b[0m") for line in lines[:2])
    assert change(Ink(bold=True), PLAIN)[0] == "\x1b[0m"


# Watching


class Typed(Keys):
    """Keys that are pressed one by one, each time that someone looks."""

    def __init__(self, *keys: str) -> None:
        super().__init__(0)
        self.left = list(keys)

    def read(self, wait: float = 0.0) -> list[str]:
        return [self.left.pop(0)] if self.left else []


class Learning:
    """A training of twenty steps, one a cycle."""

    cycles = 20
    between_cycles = True

    def __init__(self) -> None:
        self.cycle = 0
        self.saved: list[int] = []

    @property
    def done(self) -> bool:
        return self.cycle == self.cycles

    def moment(self) -> Told:
        return told(AFTER | {"cycle": self.cycle})


def watcher(*keys: str, **more: Any) -> tuple[Watcher, Learning, Clock]:
    on, _, clock = screen()
    learning = Learning()
    return Watcher(on, Typed(*keys), COLOURS, clock=clock, **more), learning, clock


def learn(watch: Watcher, learning: Learning, clock: Clock, pace: float = 0.06) -> None:
    watch(learning)
    while not learning.done:
        learning.cycle += 1
        clock.now += pace
        watch(learning)


def test_a_quit_ends_it_at_once() -> None:
    watch, learning, clock = watcher("x", "q")
    with pytest.raises(Quit):
        learn(watch, learning, clock)
    assert learning.cycle == 1


def test_it_pauses_and_steps_and_stays_for_who_has_pressed_a_key() -> None:
    watch, learning, clock = watcher(" ", "n", "n", " ", "q")
    keys = watch.keys
    assert isinstance(keys, Typed)
    steps: list[tuple[int, int]] = []
    read = keys.read

    def spied(wait: float = 0.0) -> list[str]:
        steps.append((learning.cycle, len(keys.left)))
        return read(wait)

    keys.read = spied  # type: ignore[method-assign]
    with pytest.raises(Quit):
        learn(watch, learning, clock)
    # Paused before the first step; a step for each n; then on, until q is heard.
    assert (0, 5) in steps
    assert (1, 3) in steps or (1, 2) in steps
    assert learning.cycle == 3


def test_it_saves_when_that_is_asked_for() -> None:
    watch, learning, _ = watcher("s", save=lambda course: f"Saved {course.cycle}.")
    watch(learning)
    assert watch.view.message == "Saved 0."


def test_without_a_key_it_ends_and_with_one_it_stays_until_it_is_quit() -> None:
    watch, learning, clock = watcher()
    learn(watch, learning, clock)
    watch, learning, clock = watcher("c", *["x"] * 25, "q")
    learn(watch, learning, clock)
    assert learning.done
    assert watch.keys.left == []  # type: ignore[attr-defined]


def test_control_c_waits_for_the_end_of_a_step() -> None:
    watch, learning, _ = watcher()
    watch(learning)
    watch.patience._press(2, None)
    with pytest.raises(KeyboardInterrupt):
        watch(learning)
    patience = Patience()
    patience._press(2, None)
    with pytest.raises(KeyboardInterrupt):
        patience._press(2, None)


def test_digits_are_of_what_has_moved_since_the_last_mark() -> None:
    watch, learning, clock = watcher(every=10)
    learn(watch, learning, clock)
    assert [mark.cycle for mark in watch._marks] == [10, 20]
    drawn = watch.canvas(told(AFTER | {"cycle": 20, "cells": "437" + "8-1"}), (80, 24))
    assert texts(drawn)[0] == "4", "told from cycle 10, as 20 is a mark itself"


def test_pictures_take_a_twentieth_of_the_time() -> None:
    watch, learning, clock = watcher()
    paint = watch.screen.paint

    def slow(canvas: Canvas, *, hurry: bool = False) -> bool:
        clock.now += 0.3
        return paint(canvas, hurry=hurry)

    watch.screen.paint = slow  # type: ignore[method-assign]
    learning.cycles = 2000
    begun = clock.now
    learn(watch, learning, clock, pace=0.01)
    assert watch.spent / (clock.now - begun) < 0.07  # the last one is drawn whatever it takes


# Replay


def test_replay_keeps_the_pace_but_waits_no_longer_than_a_second() -> None:
    slept: list[float] = []
    for speed in (6.0, 1.0):
        watch, _, _ = watcher()
        watch.play(moments(EVENTS), speed, slept.append)
        assert watch._last is not None
        assert watch._last.cycle == 10
    assert slept == [0.5, 1.0]


def test_at_the_end_of_a_replay_it_says_how_to_leave() -> None:
    watch, _, clock = watcher(stay=True)
    drawn: list[str] = []
    paint = watch.screen.paint

    class Patient(Typed):
        def read(self, wait: float = 0.0) -> list[str]:
            clock.now += wait
            return ["q"] if "q closes" in drawn[-1] else []

    def seen(canvas: Canvas, *, hurry: bool = False) -> bool:
        drawn.append("\n".join(texts(canvas)))
        return paint(canvas, hurry=hurry)

    watch.keys = Patient()
    watch.screen.paint = seen  # type: ignore[method-assign]
    with pytest.raises(Quit):
        watch.play(moments(EVENTS), 1.0)
    assert "This is the end. q closes." in drawn[-1]


def test_pictures_that_were_drawn_anew_are_not_shown_twice() -> None:
    cycles = [0, 5, 10, 0, 5, 7]
    events = [{"kind": "frame", "cycle": cycle, "n": n} for n, cycle in enumerate(cycles)]
    assert [event["n"] for event in superseded(events)] == [3, 4, 5]
    goes_on = [{"kind": "frame", "cycle": cycle} for cycle in (0, 5, 10, 12)]
    assert superseded(goes_on) == goes_on


def test_on_a_terminal_it_is_drawn_and_elsewhere_it_is_lines() -> None:
    for chosen in ({"force_terminal": False}, {"force_terminal": True, "term": "dumb"}):
        term = chosen.pop("term", "xterm")
        on = Console(file=io.StringIO(), _environ={"TERM": str(term)}, **chosen)
        with watching.watching(on) as watch:
            assert isinstance(watch, Patience)
            listen = watching.lines(on)
            for event in [*EVENTS, {"kind": "notice", "text": "[note]"}]:
                listen(event)
        assert on.file.getvalue() == (  # type: ignore[attr-defined]
            "cycle 0 of 20: error 0.4000\ncycle 10 of 20: error 0.1000\n[note]\n"
        )


def test_the_terminal_comes_back_with_the_last_picture(tmp_path: Path) -> None:
    file = (tmp_path / "screen").open("w+")
    on = Console(file=file, force_terminal=True, _environ={"TERM": "xterm-256color"})
    with watching.watching(on) as watch:
        assert isinstance(watch, Watcher)
        watch.show(told())
    file.seek(0)
    written = file.read()
    file.close()
    screen, left = written.split("\x1b[?1049l")
    assert screen.startswith("\x1b[?1049h\x1b[?25l")
    assert screen.endswith("\x1b[?25h")
    assert "cycle 10 of 20: error 0.1000" in left
    assert "space pause" not in left
