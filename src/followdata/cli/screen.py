"""A terminal as a grid of characters: only what has changed is written, and keys are read at once.

`rich` draws a whole picture anew each time, some 60 KB for 75 x 75 coloured cells; here a picture
is compared with what the terminal shows, and over a slow line it is brought up to date in parts.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

Clock = Callable[[], float]
RATE, BURST = 14_500, 3_000
"""Bytes a second over the line, and so many more at once: below 20 KB in any second."""
_KEYS = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "[5~": "page up", "[6~": "page down",
    "[H": "home", "[F": "end", "[1~": "home", "[4~": "end", "[Z": "tab", "OA": "up", "OB": "down",
    "OC": "right", "OD": "left", "OH": "home", "OF": "end",
}  # fmt: skip
_NAMED = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\t": "tab"}


@dataclass(frozen=True)
class Ink:
    """How a character looks; `fore` and `back` are the parameters of an SGR sequence (ECMA-48)."""

    fore: str = ""
    back: str = ""
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False

    @property
    def marks(self) -> tuple[bool, ...]:
        return self.bold, self.dim, self.underline, self.reverse


PLAIN, FAINT, STRONG, TURNED = Ink(), Ink(dim=True), Ink(bold=True), Ink(reverse=True)


@lru_cache(maxsize=10_000)
def change(old: Ink, new: Ink, *, blank: bool = False) -> tuple[str, Ink]:
    """The sequence that leads from one ink to another, and the ink that is then set.

    Of `blank` cells only the ground is seen, so nothing else is changed for them.

    >>> change(PLAIN, Ink("31", "42", bold=True))[0], change(Ink("31", "42"), Ink("", "42"))[0]
    ('\\x1b[1;31;42m', '\\x1b[0;42m')
    >>> change(Ink("31", "42"), Ink("", "43"), blank=True)
    ('\\x1b[43m', Ink(fore='31', back='43', bold=False, dim=False, underline=False, reverse=False))
    """
    if blank and not (old.underline or old.reverse or new.underline or new.reverse):
        new = replace(old, back=new.back)
    if old == new:
        return "", new
    lost = any(was and not still for was, still in zip(old.marks, new.marks, strict=True))
    parts = []
    if lost or (old.fore and not new.fore) or (old.back and not new.back):
        parts, old = ["0"], PLAIN
    parts += [code for was, now, code in zip(old.marks, new.marks, "1247", strict=True)
              if now and not was]  # fmt: skip
    parts += [new.fore] if new.fore != old.fore else []
    parts += [new.back] if new.back != old.back else []
    return f"\x1b[{';'.join(parts)}m", new


class Canvas:
    """Characters and their inks; `inks` are chosen by their place in a list that begins plain."""

    def __init__(self, width: int, height: int, inks: Sequence[Ink]) -> None:
        self.chars = np.full((height, width), " ", dtype="<U1")
        self.look = np.zeros((height, width), dtype=np.int16)
        self.inks = inks

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.chars.shape
        return width, height

    def write(self, row: int, column: int, text: str, ink: int = 0) -> int:
        """Put `text` there, as far as there is room; gives the column after it."""
        height, width = self.chars.shape
        room = max(0, width - column)
        if not 0 <= row < height or not room:
            return column
        shown = text[:room]
        end = column + len(shown)
        self.chars[row, column:end] = list(shown)
        self.look[row, column:end] = ink
        return end

    def lines(self) -> list[str]:
        """Each row with its inks, plain again at its end; without what is blank at the right."""
        return [self._line(row) for row in range(len(self.chars))]

    def _line(self, row: int) -> str:
        used = np.flatnonzero((self.chars[row] != " ") | (self.look[row] != 0))
        end = int(used[-1]) + 1 if len(used) else 0
        text, last = self._text(row, 0, end, PLAIN)
        return text + change(last, PLAIN)[0]

    def _text(self, row: int, start: int, end: int, ink: Ink) -> tuple[str, Ink]:
        """The cells from `start` to `end`, and the ink that is then set."""
        parts: list[str] = []
        looks = self.look[row, start:end]
        edges = [0, *(np.flatnonzero(np.diff(looks)) + 1).tolist(), end - start]
        for first, last in pairwise(edges):
            if first == last:
                continue
            text = "".join(self.chars[row, start + first : start + last].tolist())
            new = self.inks[int(looks[first])]
            switch, ink = change(ink, new, blank=not text.strip(" "))
            parts += [switch, text]
        return "".join(parts), ink


@dataclass
class Screen:
    """The whole of a terminal, in its second buffer, so that what stood there comes back.

    `allowed` bytes may be written now; `paint` is held to it unless it is told to hurry.
    """

    out: TextIO
    clock: Clock = time.monotonic
    written: int = 0
    _shown: Canvas | None = None
    _next_row: int = 0
    _allowed: float = BURST
    _at: float = field(default=0.0)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            size = os.get_terminal_size(self.out.fileno())
        except (OSError, ValueError):
            size = shutil.get_terminal_size()
        return max(1, size.columns), max(1, size.lines)

    def open(self) -> None:
        """Take the terminal over."""
        self._at = self.clock()
        self._write("\x1b[?1049h\x1b[?25l\x1b[0m\x1b[2J")

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._write("\x1b[0m\x1b[?25h\x1b[?1049l")

    def paint(self, canvas: Canvas, *, hurry: bool = False) -> bool:
        """Make the terminal show `canvas`; gives whether all of it is shown.

        What goes beyond the rate of the line waits for the next time, and is drawn first then.
        """
        now = self.clock()
        self._allowed = min(BURST, self._allowed + (now - self._at) * RATE)
        self._at = now
        if self._shown is None or self._shown.size != canvas.size:
            self._write("\x1b[0m\x1b[2J")
            self._shown = Canvas(*canvas.size, canvas.inks)
        shown = self._shown
        differs = (shown.chars != canvas.chars) | (shown.look != canvas.look)
        stale = np.flatnonzero(differs.any(axis=1))
        # Rows from where it stopped; the last lines, which tell how it goes, always first.
        stale = np.roll(stale, -int(np.searchsorted(stale, self._next_row)))
        foot = len(differs) - 4
        rows = [*stale[stale >= foot].tolist(), *stale[stale < foot].tolist()]
        parts: list[str] = []
        length = 0
        for row in rows:
            if not hurry and length >= self._allowed:
                self._next_row = row
                break
            text = self._changes(canvas, row, differs[row])
            parts.append(text)
            length += len(text.encode())
            shown.chars[row], shown.look[row] = canvas.chars[row], canvas.look[row]
        else:
            self._next_row = 0
        self._allowed -= 0 if hurry else length
        self._write("".join(parts))
        return not bool(self._next_row)

    def _changes(self, canvas: Canvas, row: int, differs: npt.NDArray[np.bool_]) -> str:
        places = np.flatnonzero(differs)
        # A gap of a few cells is shorter to write again than to jump over.
        cuts = np.flatnonzero(np.diff(places) > 6) + 1
        parts: list[str] = []
        ink = PLAIN
        for run in np.split(places, cuts):
            start, end = int(run[0]), int(run[-1]) + 1
            text, ink = canvas._text(row, start, end, ink)
            parts += [f"\x1b[{row + 1};{start + 1}H", text]
        parts.append(change(ink, PLAIN)[0])
        return "".join(parts)

    def _write(self, text: str) -> None:
        self.written += len(text.encode())
        self.out.write(text)
        self.out.flush()


class Keys:
    """Keys as they are pressed; none where there is no keyboard."""

    def __init__(self, source: int | None) -> None:
        self._source = source
        self._begun = ""

    @property
    def there(self) -> bool:
        """Whether there is a keyboard."""
        return self._source is not None

    def read(self, wait: float = 0.0) -> list[str]:
        """The keys pressed since the last time, after waiting up to `wait` seconds for one."""
        if self._source is None:
            time.sleep(wait)
            return []
        ready, _, _ = select.select([self._source], [], [], wait)
        if not ready:
            begun, self._begun = self._begun, ""
            return ["escape"] if begun == "\x1b" else []
        content = os.read(self._source, 1024)
        if not content:
            self._source = None  # the terminal has gone
            return []
        keys, self._begun = keys_in(self._begun + content.decode(errors="replace"))
        return keys


def keys_in(text: str) -> tuple[list[str], str]:
    """The keys that a terminal has sent, and the beginning of one that is not whole.

    >>> keys_in("q\\x1b[A\\x1b[5~\\r\\x1b")
    (['q', 'up', 'page up', 'enter'], '\\x1b')
    """
    keys: list[str] = []
    while text:
        if text[0] != "\x1b":
            keys.append(_NAMED.get(text[0], text[0]))
            text = text[1:]
            continue
        known = next((code for code in _KEYS if text.startswith(code, 1)), "")
        if known:
            keys.append(_KEYS[known])
            text = text[1 + len(known) :]
        elif len(text) < 2 or (text[1] in "[O" and not text[2:].lstrip("0123456789;")):
            return keys, text
        elif text[1] in "[O":
            # A key that we do not know: up to its last letter.
            text = text[2:].lstrip("0123456789;")[1:]
        else:
            keys.append("escape")
            text = text[1:]
    return keys, ""


@contextmanager
def keyboard() -> Iterator[Keys]:
    """The keyboard, key by key and without echo; Ctrl-C stays what it is."""
    import termios
    import tty

    try:
        source = sys.stdin.fileno()
        before: Any = termios.tcgetattr(source)
    except (OSError, ValueError, termios.error):
        yield Keys(None)
        return
    tty.setcbreak(source, termios.TCSANOW)
    try:
        yield Keys(source)
    finally:
        termios.tcsetattr(source, termios.TCSAFLUSH, before)
