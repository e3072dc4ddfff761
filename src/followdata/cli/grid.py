"""A training as it is watched in a terminal: a cell per value, its ground coloured by its error.

This module says what is seen: which part of the table, in which order, where the cursor is, and how
it is drawn on a canvas. Without colours each cell shows the bin of its error, 0 to 8, as a digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from followdata.cli.screen import FAINT, PLAIN, STRONG, TURNED, Canvas, Ink
from followdata.present.theme import SEEN_BY_ALL, STEPS

Places = npt.NDArray[np.int64]
Bins = npt.NDArray[np.int8]

MOST = 75
"""So many rows and columns are shown at once, at most."""
NO_BIN = len(STEPS)
"""The bin of a missing cell."""
_EDGES = ("0.01", "0.05", "0.1", "0.15", "0.2", "0.3", "0.5", "1")
_CHARS = np.array([*map(str, range(NO_BIN)), "-"])
BETTER = ("#8fe9ff", "#001f7a")
"""Blue, light and dark: the digit of a cell whose error fell. The one that reads best is taken."""
WORSE = ("#ffc2e0", "#4a0029")
"""Pink, light and dark: the digit of a cell whose error rose."""
PALETTES: Mapping[str, tuple[str, ...]] = {"green-red": STEPS, "colour-blind": SEEN_BY_ALL}
ORDERS = ("table", "alike", "error")
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
_PANEL = 34
"""Columns of the panel beside the grid."""
HELP = "space pause  n step  s save  o sort  w whole  arrows pan  c cell  g jump  ? help  q quit"
_HELP = (
    "space   pause and go on",
    "n       one step, then pause",
    "s       save what is learnt so far",
    "q       save and quit; Ctrl-C too",
    "arrows  pan; with a cursor, move it",
    "page up, page down, home, end",
    "o       sort: as in the table, like by",
    "        like, or the worst first",
    "w       the whole table in blocks",
    "c       the cell under the cursor",
    "g       jump to a row, or row,column:",
    "        a number or a name",
    "?       this help",
)


class Cell(Protocol):
    """What is known of one cell of the table."""

    value: float
    restored: float
    error: float


class Moment(Protocol):
    """A training at one moment."""

    @property
    def cycle(self) -> int: ...

    @property
    def cycles(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def error(self) -> float: ...

    def names(self, axis: str) -> Sequence[str]: ...

    def bins(self, rows: Places, columns: Places) -> Bins: ...

    def blocks(self, rows: Places, columns: Places, most: tuple[int, int]) -> Bins: ...

    def cell(self, row: int, column: int) -> Any: ...

    def order(self, by: str) -> tuple[Places, Places]: ...


@dataclass(frozen=True)
class View:
    """Which part of the table is seen, and how; row and column count in the order shown."""

    row: int = 0
    column: int = 0
    order: str = "table"
    whole: bool = False
    cursor: tuple[int, int] | None = None
    help: bool = False
    typed: str | None = None
    """What has been typed of where to jump to, while that is asked."""
    paused: bool = False
    message: str = ""


def pressed(view: View, key: str, shape: tuple[int, int], room: tuple[int, int]) -> View:
    """The view after a key, for a table of that shape of which `room` rows and columns are seen."""
    view = replace(view, message="")
    if view.typed is not None:
        return _typing(view, key)
    if key in _MOVES:
        down, right = _MOVES[key]
        page = key.startswith("page")
        return _moved(view, down * (room[0] if page else 1), right, shape, room)
    if key in ("home", "end"):
        far = 0 if key == "home" else max(shape)
        return _placed(view, (far, far), shape, room)
    if key == "o":
        return replace(view, order=ORDERS[(ORDERS.index(view.order) + 1) % len(ORDERS)])
    if key == "w":
        return replace(view, whole=not view.whole)
    if key == "c":
        cursor = None if view.cursor else (view.row, view.column)
        return replace(view, cursor=cursor, help=False, whole=False)
    if key == "g":
        return replace(view, typed="")
    if key == "?":
        return replace(view, help=not view.help)
    if key == " ":
        return replace(view, paused=not view.paused)
    return view


_MOVES = {
    "up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1),
    "page up": (-1, 0), "page down": (1, 0),
}  # fmt: skip


def _typing(view: View, key: str) -> View:
    typed = view.typed or ""
    if key == "escape":
        return replace(view, typed=None)
    if key == "backspace":
        return replace(view, typed=typed[:-1])
    return replace(view, typed=typed + key) if len(key) == 1 else view


def jumped(view: View, moment: Moment, order: tuple[Places, Places], room: tuple[int, int]) -> View:
    """The view at the row, or row and column, that was typed: numbers from 1, or names."""
    asked = (view.typed or "").strip()
    view = replace(view, typed=None)
    if not asked:
        return view
    row, comma, column = asked.partition(",")
    rows, columns = moment.names("rows"), moment.names("columns")
    here = view.cursor or (view.row, view.column)
    down = _found(rows, row, order[0])
    right = _found(columns, column if comma else row, order[1])
    if not comma:
        # A row, else a column: the other stays as it is.
        down, right = (down, here[1]) if down is not None or right is None else (here[0], right)
    if down is None or right is None:
        return replace(view, message=f"There is no row or column “{asked}”.")
    shown = replace(view, cursor=(down, right), whole=False)
    return _placed(shown, (down, right), moment.shape, room)


def _found(names: Sequence[str], asked: str, order: Places) -> int | None:
    """Where a row or column stands in the order shown: by number in the table, or by name."""
    asked = asked.strip().casefold()
    if asked.isdecimal() and 1 <= int(asked) <= len(order):
        place = int(asked) - 1
    else:
        folded = [name.casefold() for name in names]
        begun = [n for n, name in enumerate(folded) if asked and name.startswith(asked)]
        exact = [n for n in begun if folded[n] == asked]
        if not begun:
            return None
        place = (exact or begun)[0]
    return int(np.flatnonzero(order == place)[0])


def _moved(
    view: View, down: int, right: int, shape: tuple[int, int], room: tuple[int, int]
) -> View:
    if view.cursor:
        return _placed(view, (view.cursor[0] + down, view.cursor[1] + right), shape, room)
    return replace(
        view,
        row=min(max(0, view.row + down), max(0, shape[0] - room[0])),
        column=min(max(0, view.column + right), max(0, shape[1] - room[1])),
    )


def _placed(view: View, at: tuple[int, int], shape: tuple[int, int], room: tuple[int, int]) -> View:
    """The view with the cursor at a place, or without one the corner, and that place in sight."""
    row, column = (min(max(0, place), size - 1) for place, size in zip(at, shape, strict=True))
    first = [
        min(max(start, place - many + 1), place) if view.cursor else place
        for start, place, many in zip((view.row, view.column), (row, column), room, strict=True)
    ]
    first = [
        min(start, max(0, size - many))
        for start, size, many in zip(first, shape, room, strict=True)
    ]
    cursor = (row, column) if view.cursor else None
    return replace(view, cursor=cursor, row=first[0], column=first[1])


# Inks


@dataclass(frozen=True)
class Look:
    """The inks of a terminal: how many colours it has, and which are taken.

    `depth` is 24 (bits), 8 (256 colours) or 0 (none).
    """

    depth: int = 8
    palette: str = "green-red"
    ascii_only: bool = False
    inks: Sequence[Ink] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inks", tuple(_inks(self.depth, PALETTES[self.palette])))


_FAINT, _STRONG, _TURNED, _BINS, _BETTER, _WORSE, _CURSOR = 1, 2, 3, 4, 14, 24, 34


def _inks(depth: int, steps: Sequence[str]) -> list[Ink]:
    """Plain, faint, strong, reversed; ten each for bins, better and worse; the cursor."""
    backs = [colour_code(step, depth, ground=True) for step in steps] + [""]
    inks = [PLAIN, FAINT, STRONG, TURNED, *(Ink(back=back) for back in backs)]
    for colours in (BETTER, WORSE):
        for step, back in zip([*steps, ""], backs, strict=True):
            best = max(colours, key=lambda ink: contrast(ink, step or "#000000"))
            fore = colour_code(best, depth) if step else ""
            inks.append(Ink(fore, back, bold=True, underline=colours is WORSE))
    black, white = colour_code("#000000", depth), colour_code("#ffffff", depth, ground=True)
    return [*inks, Ink(black, white, bold=True, reverse=not depth)]


def colour_code(colour: str, depth: int, *, ground: bool = False) -> str:
    """A colour as the parameters of an SGR sequence; nothing without colours.

    >>> colour_code("#0b5d3b", 24, ground=True), colour_code("#ff0000", 8)
    ('48;2;11;93;59', '38;5;196')
    """
    kind = 48 if ground else 38
    if not depth:
        return ""
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    if depth == 24:
        return f"{kind};2;{red};{green};{blue}"
    return f"{kind};5;{_GREENS.get(colour) or _nearest(red, green, blue)}"


_GREENS = {STEPS[0]: 22, STEPS[1]: 28}
"""Of 256 colours the nearest to these are blue rather than green."""


def _nearest(*channels: int) -> int:
    """The colour of xterm's 256 that is nearest, of the cube and the greys."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = [int(np.argmin(np.abs(levels - channel))) for channel in channels]
    grey = min(23, max(0, round((sum(channels) / 3 - 8) / 10)))
    found = {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]: levels[cube],
        232 + grey: np.repeat(8 + 10 * grey, 3),
    }
    return min(found, key=lambda code: sum((found[code] - np.array(channels)) ** 2))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").

    >>> round(contrast("#000000", "#ffffff")), round(contrast("#777777", "#777777"))
    (21, 1)
    """
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# The picture


@dataclass(frozen=True)
class Course:
    """How a training has gone: its errors so far, and how fast it is.

    `pace` is cycles a second, 0 while unknown; `title` says what is seen.
    """

    errors: Sequence[float] = ()
    pace: float = 0.0
    state: str = ""


def room(size: tuple[int, int], shape: tuple[int, int], view: View) -> tuple[int, int, int]:
    """How many rows and columns of the table fit, and how many characters wide a cell is."""
    width, height = size
    beside = _PANEL if (view.cursor or view.help) and width > _PANEL + 20 else 0
    rows = max(1, min(MOST, shape[0], height - 4))
    across = max(1, width - beside)
    columns = min(MOST, shape[1])
    cell = 2 if 2 * columns <= across else 1
    return rows, max(1, min(columns, across // cell)), cell


def draw(
    moment: Moment,
    before: Moment,
    view: View,
    course: Course,
    look: Look,
    size: tuple[int, int],
    order: tuple[Places, Places] | None = None,
) -> Canvas:
    """The training at `moment`; digits mark cells that are in another bin than `before`."""
    canvas = Canvas(*size, look.inks)
    rows, columns, cell = room(size, moment.shape, view)
    order = order or moment.order(view.order)
    now, then = (_seen(one, view, order, (rows, columns)) for one in (moment, before))
    _grid(canvas, now, then, cell, coloured=bool(look.depth))
    high, wide = now.shape
    if view.cursor and not view.whole:
        at = (view.cursor[0] - view.row, view.cursor[1] - view.column)
        if 0 <= at[0] < high and 0 <= at[1] < wide:
            canvas.chars[at[0], at[1] * cell] = _CHARS[now[at]]
            canvas.look[at[0], at[1] * cell : (at[1] + 1) * cell] = _CURSOR
    beside = _panel(canvas, moment, view, order, wide * cell + 2)
    foot = min(max(high, beside), max(1, size[1] - 4))
    _status(canvas, foot, moment, view, course, (high, wide), look)
    return canvas


def _seen(
    moment: Moment, view: View, order: tuple[Places, Places], fitting: tuple[int, int]
) -> Bins:
    rows, columns = order
    if view.whole:
        return moment.blocks(rows, columns, fitting)
    return moment.bins(
        rows[view.row : view.row + fitting[0]], columns[view.column : view.column + fitting[1]]
    )


def _grid(canvas: Canvas, now: Bins, then: Bins, cell: int, *, coloured: bool) -> None:
    width, height = canvas.size
    now, then = now[:height, : width // cell], then[:height, : width // cell]
    high, wide = now.shape
    moved = (now != then) & (now != NO_BIN) & (then != NO_BIN)
    shown = moved | (now == NO_BIN) | (not coloured)
    looks = np.where(moved, np.where(now < then, _BETTER, _WORSE), _BINS) + now
    if not coloured:
        looks = np.where(moved, looks, 0)
    canvas.chars[:high, : wide * cell : cell] = np.where(shown, _CHARS[now], " ")
    canvas.look[:high, : wide * cell : cell] = looks
    if cell == 2:
        # The gap has the ground of its cell, but neither its digit's colour nor its line.
        canvas.look[:high, 1 : wide * cell : cell] = (_BINS + now) if coloured else 0


def _panel(
    canvas: Canvas, moment: Moment, view: View, order: tuple[Places, Places], column: int
) -> int:
    """What is asked for, beside the grid, or over it where there is no room; gives its lines."""
    lines = list(_HELP) if view.help else _cell_lines(moment, view, order)
    width, _ = canvas.size
    column = min(column, max(0, width - _PANEL))
    for row, line in enumerate(lines):
        canvas.write(row, column, f" {line}".ljust(_PANEL))
    return len(lines)


def _cell_lines(moment: Moment, view: View, order: tuple[Places, Places]) -> list[str]:
    if not view.cursor:
        return []
    row, column = (int(part[place]) for part, place in zip(order, view.cursor, strict=True))
    names = [moment.names(axis) for axis in ("rows", "columns")]
    told = [
        f"row {row + 1}: {names[0][row]}"[: _PANEL - 2],
        f"column {column + 1}: {names[1][column]}"[: _PANEL - 2],
    ]
    cell = moment.cell(row, column)
    if cell is None:
        step = int(moment.bins(np.array([row]), np.array([column]))[0, 0])
        return [*told, f"error {_between(step)}"]
    if not np.isfinite(cell.value):
        return [*told, "value           missing", f"reconstruction  {cell.restored:.5g}"]
    return [
        *told,
        f"value           {cell.value:.5g}",
        f"reconstruction  {cell.restored:.5g}",
        f"error           {cell.error:.4f}",
    ]


def _between(step: int) -> str:
    """The errors of a bin, in words.

    >>> _between(0), _between(3), _between(8), _between(9)
    ('below 0.01', '0.1 to 0.15', '1 and more', 'unknown: missing')
    """
    if step >= NO_BIN:
        return "unknown: missing"
    if step == 0:
        return f"below {_EDGES[0]}"
    if step == len(_EDGES):
        return f"{_EDGES[-1]} and more"
    return f"{_EDGES[step - 1]} to {_EDGES[step]}"


def _status(
    canvas: Canvas,
    foot: int,
    moment: Moment,
    view: View,
    course: Course,
    seen: tuple[int, int],
    look: Look,
) -> None:
    width, _ = canvas.size
    pace = f", {course.pace:,.0f} cycles/s" if course.pace else ""
    state = f" [{course.state}]" if course.state else ""
    error = course.errors[-1] if course.errors else moment.error
    told = f"cycle {moment.cycle} of {moment.cycles}: error {error:.4f}{pace}{state}"
    canvas.write(foot, 0, f"{told}{_part(moment, view, seen)}")
    canvas.write(foot + 1, 0, sparkline(course.errors, width, ascii_only=look.ascii_only))
    _legend(canvas, foot + 2, coloured=bool(look.depth))
    if view.typed is not None:
        canvas.write(foot + 3, 0, f"jump to row, or row,column: {view.typed}_", _STRONG)
    elif view.message:
        canvas.write(foot + 3, 0, view.message, _STRONG)
    else:
        canvas.write(foot + 3, 0, HELP, _FAINT)


def _part(moment: Moment, view: View, seen: tuple[int, int]) -> str:
    """Which part of the table is seen, where it is not all, and in which order."""
    order = {"table": "", "alike": "; like by like", "error": "; worst first"}[view.order]
    if view.whole:
        rows, columns = moment.shape
        return f"; {rows} x {columns} cells in {seen[0]} x {seen[1]} blocks{order}"
    parts = [
        f"{axis} {start + 1}-{start + many} of {size}"
        for axis, start, many, size in zip(
            ("rows", "columns"), (view.row, view.column), seen, moment.shape, strict=True
        )
        if many < size
    ]
    return f"; {', '.join(parts)}{order}" if parts else order


def _legend(canvas: Canvas, row: int, *, coloured: bool) -> None:
    """What the colours and digits mean, on one line."""
    column = 0
    for step in range(NO_BIN):
        mark = "  " if coloured else str(step)
        column = canvas.write(row, column, mark, _BINS + step if coloured else 0)
        below = f"<{_EDGES[step].removeprefix('0')}" if step < len(_EDGES) else f"{_EDGES[-1]}+"
        column = canvas.write(row, column, f"{below} ")
    column = canvas.write(row, column, " moved: ")
    column = canvas.write(row, column, "better", _BETTER + 1)
    column = canvas.write(row, column, " ")
    canvas.write(row, column, "worse", _WORSE + 7)


def sparkline(errors: Sequence[float], width: int = 10_000, *, ascii_only: bool = False) -> str:
    """Errors as a line of bars from 0 to the largest, evenly picked where they are too many.

    >>> sparkline((0.4, 0.2, 0.1)), sparkline((0.4, 0.2, 0.1), ascii_only=True)
    ('█▅▃', '@+-')
    >>> sparkline(range(100), 4)
    '▁▃▆█'
    """
    bars = _ASCII_BARS if ascii_only else _BARS
    if len(errors) > width:
        picked = np.linspace(0, len(errors) - 1, width).round().astype(int)
        errors = [errors[place] for place in picked]
    most = max(errors, default=0.0) or 1.0
    return "".join(bars[round(error / most * (len(bars) - 1))] for error in errors)
