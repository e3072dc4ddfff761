"""Watching a training: live between its steps, or again from its journal or a recording.

On a terminal the picture is drawn at most ten times a second, keys are heeded, and all of it takes
at most a twentieth of the time; elsewhere each picture is a line.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rich.text import Text

from followdata.cli.grid import (
    Course,
    Look,
    Moment,
    Places,
    View,
    draw,
    jumped,
    pressed,
    room,
)
from followdata.cli.screen import Canvas, Clock, Keys, Screen, keyboard

if TYPE_CHECKING:
    from rich.console import Console

    from followdata.cli.recording import Told
    from followdata.runs import Event, Run

PAUSE = 0.1
"""Seconds from one picture to the next, at least."""
LISTEN = 0.05
"""Seconds from one look at the keyboard to the next."""
SHARE = 0.035
"""So much of the time goes into pictures, at most; keys come on top, when they are pressed."""
_MOST_ERRORS = 2000


class Quit(KeyboardInterrupt):
    """Whoever watches wants to end the training and keep what has been learnt."""


class Patience:
    """Ctrl-C waits for the end of a step; pressed again, it does not."""

    def __init__(self) -> None:
        self.pressed = False

    def __call__(self, course: Any) -> None:
        """To be called between two steps; raises `KeyboardInterrupt` once it was pressed."""
        if self.pressed:
            raise KeyboardInterrupt

    def _press(self, number: int, frame: Any) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While this lasts."""
        before = signal.signal(signal.SIGINT, self._press)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
        self(None)


@dataclass
class Watcher:
    """Shows a training on a screen and does what is pressed.

    `every` is how many cycles lie between two marks: a digit tells of a cell that is in another bin
    than at the last one. `save`, if given, is called with the training when that is asked for, and
    says what it has done. `stay` keeps the picture at the end until it is quit; so does any key.
    """

    screen: Screen
    keys: Keys
    look: Look
    patience: Patience = field(default_factory=Patience)
    every: int = 1000
    save: Callable[[Any], str] | None = None
    stay: bool = False
    clock: Clock = time.monotonic

    def __post_init__(self) -> None:
        self.view = View()
        self.spent = 0.0
        """Seconds that pictures have taken."""
        self._errors: list[float] = []
        self._paces: deque[tuple[float, int]] = deque(maxlen=20)
        self._marks: list[Moment] = []
        self._order: tuple[Any, tuple[Places, Places]] | None = None
        self._next_picture = self._next_key = self._soon = self._next_error = 0.0
        self._mark_at = 0
        self._stepping = False
        self._touched = False
        self._last: Moment | None = None

    # A training under way

    def __call__(self, course: Any) -> None:
        """To be called between two steps; raises `Quit` or `KeyboardInterrupt` to end it."""
        now = self.clock()
        if now < self._soon and course.cycle < self._mark_at and not self._called:
            return  # nearly always; a small step takes some forty microseconds
        self.patience(course)
        if course.cycle >= self._mark_at:
            self._mark_at = min((course.cycle // self.every + 1) * self.every, course.cycles)
            self.mark(course.moment())
        if self._stepping:
            self._stepping = False
            self.view = replace(self.view, paused=True)
        heard = False
        if now >= self._next_key:
            self._next_key = now + LISTEN
            heard = self._heed(course, course.moment)
        if now >= self._next_picture and not heard:
            self.show(course.moment())
        if self.view.paused and not self._stepping and not course.done:
            self._wait(course, lambda: self.view.paused and not self._stepping)
        if course.done:
            self._end(course)
        self._soon = min(self._next_key, self._next_picture)

    @property
    def _called(self) -> bool:
        return self._stepping or self.patience.pressed

    def _end(self, course: Any) -> None:
        if not (self.stay or self._touched) or not self.keys.there:
            # The screen is given back now; the last picture is left where the terminal goes on.
            self._last = course.moment()
            self._remember(self._last.error)
            return
        self.view = replace(self.view, paused=False, message="The training is done. q closes.")
        self._wait(course, lambda: True, done=True)

    def _wait(self, course: Any, waiting: Callable[[], bool], *, done: bool = False) -> None:
        """Let keys be pressed until `waiting` no longer holds."""
        moment = course.moment()
        self.show(moment, hurry=True, state="done" if done else "paused")
        size = self.screen.size
        while waiting():
            self.patience(course)
            for key in self.keys.read(PAUSE):
                if key == "q" and self.view.typed is None:
                    if done:
                        return
                    raise Quit
                self.press(key, moment, course)
                self.show(moment, hurry=True, state="done" if done else "paused")
            if self.screen.size != size:
                size = self.screen.size
                self.show(moment, hurry=True, state="done" if done else "paused")
        self._paces.clear()

    def _heed(self, course: Any, moment: Callable[[], Moment]) -> bool:
        """Do what has been pressed; gives whether anything was."""
        keys = self.keys.read()
        for key in keys:
            if key == "q" and self.view.typed is None:
                raise Quit
            self.press(key, moment(), course)
        if keys:
            self.show(moment(), hurry=True)
        return bool(keys)

    # A training seen again

    def play(
        self,
        told: Iterator[Told | None],
        speed: float,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        """Show pictures again, each as long after the one before as they were apart."""
        before: Told | None = None
        for moment in told:
            if moment is None:
                self._listen(before, LISTEN)
                continue
            if before is not None:
                if moment.cycle <= before.cycle:
                    self._errors.clear()
                    self._marks.clear()
                self._listen(before, apart(before, moment, speed), sleep)
            if not self._marks or moment.cycle // self.every > self._marks[-1].cycle // self.every:
                self.mark(moment)
            self.show(moment)
            if self._stepping:
                self._stepping, self.view = False, replace(self.view, paused=True)
            before = moment
        if before is not None:
            self.show(before, hurry=True, state="end")
            if self.keys.there and (self.stay or self._touched):
                self.view = replace(self.view, paused=True, message="This is the end. q closes.")
                self.show(before, hurry=True, state="end")
                self._listen(before, 0.0)

    def _listen(
        self, moment: Told | None, seconds: float, sleep: Callable[[float], None] | None = None
    ) -> None:
        """Let so much time pass, and more while paused, and do what is pressed meanwhile."""
        if sleep:
            sleep(seconds)
            return
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0 or (self.view.paused and not self._stepping):
            self.patience(None)
            for key in self.keys.read(min(LISTEN, max(left, 0.01))):
                if key == "q" and self.view.typed is None:
                    raise Quit
                if moment is not None:
                    self.press(key, moment, None)
                    self.show(moment, hurry=True, state="paused" if self.view.paused else "")

    # Both

    def mark(self, moment: Moment) -> None:
        """From here on digits tell of what has moved since this moment."""
        self._marks = [*self._marks[-1:], moment]
        if self.view.order == "error":
            self._order = None

    def press(self, key: str, moment: Moment, course: Any) -> None:
        """Do what a key stands for."""
        self._touched = True
        fits = room(self.screen.size, moment.shape, self.view)[:2]
        if self.view.typed is not None and key == "enter":
            self.view = jumped(self.view, moment, self._ordered(moment), fits)
        elif key == "n" and self.view.typed is None:
            self._stepping = True
        elif key == "s" and self.view.typed is None:
            said = self.save(course) if self.save and course is not None else "Nothing to save."
            self.view = replace(self.view, message=said)
        else:
            self.view = pressed(self.view, key, moment.shape, fits)

    def show(self, moment: Moment, *, hurry: bool = False, state: str = "") -> None:
        """Draw the training at `moment`; `hurry` however much that writes."""
        start = self.clock()
        if moment is not self._last:
            self._paces.append((start, moment.cycle))
            self._last = moment
            if start >= self._next_error or hurry:
                # Of a large table the error of all cells takes longer than those that are seen.
                self._remember(moment.error)
                taken = self.clock() - start
                self._next_error = start + taken * 3 / SHARE
        self.screen.paint(self.canvas(moment, self.screen.size, state), hurry=hurry)
        end = self.clock()
        self.spent += end - start
        self._next_picture = end + max(PAUSE - (end - start), (end - start) * (1 / SHARE - 1))

    def canvas(self, moment: Moment, size: tuple[int, int], state: str = "") -> Canvas:
        """The picture of a training at `moment`."""
        earlier = [mark for mark in self._marks if mark.cycle < moment.cycle]
        before = earlier[-1] if earlier else moment
        course = Course(self._errors, self._pace(), state)
        return draw(moment, before, self.view, course, self.look, size, self._ordered(moment))

    def _ordered(self, moment: Moment) -> tuple[Places, Places]:
        """The order of rows and columns, which does not change from picture to picture."""
        key = (self.view.order, moment.shape)
        if self._order is None or self._order[0] != key:
            self._order = key, moment.order(self.view.order)
        return self._order[1]

    def _remember(self, error: float) -> None:
        self._errors.append(error)
        if len(self._errors) > _MOST_ERRORS:
            del self._errors[::2]

    def _pace(self) -> float:
        if len(self._paces) < 2:
            return 0.0
        (start, first), (end, last) = self._paces[0], self._paces[-1]
        return max(0.0, (last - first) / (end - start)) if end > start else 0.0


def apart(before: Told, moment: Told, speed: float, most: float = 1.0) -> float:
    """Seconds between two pictures, at so many times their pace; never more than `most`."""
    return min(most, max(0.0, (moment.at - before.at).total_seconds() / speed))


@contextmanager
def watching(
    console: Console,
    *,
    every: int = 1000,
    palette: str = "green-red",
    save: Callable[[Any], str] | None = None,
    stay: bool = False,
) -> Iterator[Watcher | Patience]:
    """The terminal that `console` writes to, taken over for watching; patience where it is none.

    The last picture stays on it when it is given back. Ctrl-C ends a training between two steps;
    pressed again, at once.
    """
    patience = Patience()
    with patience.kept():
        if not console.is_terminal or console.is_dumb_terminal:
            yield patience
            return
        look = Look(_depth(console), palette, ascii_only=console.options.ascii_only)
        screen = Screen(console.file)  # type: ignore[arg-type]
        with keyboard() as keys:
            watcher = Watcher(screen, keys, look, patience, every, save, stay)
            screen.open()
            try:
                yield watcher
            finally:
                screen.close()
                _leave(watcher, console)


def _leave(watcher: Watcher, console: Console) -> None:
    """Put the last picture where the terminal goes on."""
    moment = watcher._last
    if moment is None:
        return
    watcher.view = replace(watcher.view, cursor=None, help=False, typed=None, message="")
    width, height = watcher.screen.size
    lines = watcher.canvas(moment, (width, max(5, height - 8))).lines()
    while lines and not lines[-1].strip():
        lines.pop()
    # Without the line that says which keys there are.
    console.file.write("\n".join(lines[:-1]) + "\n")
    console.file.flush()


def _depth(console: Console) -> int:
    if console.no_color or console.color_system is None or os.environ.get("NO_COLOR"):
        return 0
    return 24 if console.color_system == "truecolor" else 8


def lines(console: Console) -> Callable[[Event], None]:
    """A listener for the events of a training that says each picture in a line."""
    total = 0

    def listen(event: Event) -> None:
        nonlocal total
        if event["kind"] == "progress":
            total = int(event["total"])
        if event["kind"] == "notice":
            console.print(Text(str(event["text"])), soft_wrap=True)
        if event["kind"] == "frame":
            told = f"cycle {event['cycle']} of {event.get('cycles', total)}"
            console.print(Text(f"{told}: error {event['error']:.4f}"), soft_wrap=True)

    return listen


def last_picture(watcher: Watcher | Patience, run: Run, tell: Callable[[Event], None]) -> None:
    """Show how a training that was done before has ended; in lines, all of it."""
    from followdata.cli.recording import moments

    events = superseded(list(run.events()))
    if isinstance(watcher, Patience):
        for event in events:
            tell(event)
        return
    for moment in filter(None, moments(events)):
        if not watcher._marks:
            watcher.mark(moment)
        watcher._remember(moment.error)
        watcher._last = moment


def superseded(events: Sequence[Event]) -> list[Event]:
    """The events without pictures that a later attempt has drawn anew."""
    kept: list[Event] = []
    least = float("inf")
    for event in reversed(events):
        if event["kind"] == "frame":
            if event["cycle"] >= least:
                continue
            least = event["cycle"]
        kept.append(event)
    return kept[::-1]
