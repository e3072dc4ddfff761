"""A training as it is watched in a terminal: a cell per value, coloured by its error.

On a terminal the picture is redrawn for each "frame" event of a run's journal; elsewhere each
frame is a line. Without colours (NO_COLOR) each cell shows its step, 0 to 8, as a digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from followdata.present.theme import STEPS
from followdata.runs import Event

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

MISSING = "-"
BETTER = ("#8fe9ff", "#001f7a")
"""Blue, light and dark: the digit of a cell whose error fell. The one that reads best is taken."""
WORSE = ("#ffc2e0", "#4a0029")
"""Pink, light and dark: the digit of a cell whose error rose."""
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*#@"


@dataclass(frozen=True)
class Picture:
    """A training at one moment: the cells, those of the moment before, and the errors so far.

    `cells` is a digit per value, row by row, as a "frame" event has it. `total` counts the
    cycles of the whole training, 0 while unknown.
    """

    rows: int = 0
    columns: int = 0
    cells: str = ""
    before: str = ""
    cycle: int = 0
    total: int = 0
    errors: tuple[float, ...] = ()

    def after(self, event: Event) -> Picture:
        """The picture once `event` has happened."""
        if event["kind"] == "progress":
            return replace(self, total=int(event["total"]))
        if event["kind"] == "frame":
            return replace(
                self,
                rows=int(event["rows"]),
                columns=int(event["columns"]),
                cells=str(event["cells"]),
                before=self.cells,
                cycle=int(event["cycle"]),
                errors=(*self.errors, float(event["error"])),
            )
        return Picture() if event["kind"] in ("started", "resumed") else self

    @property
    def status(self) -> str:
        """How far the training is, as a line."""
        of = f" of {self.total}" if self.total else ""
        return f"cycle {self.cycle}{of}: error {self.errors[-1]:.4f}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.errors:
            return
        coloured = console.color_system is not None and not console.no_color
        legend = _legend(coloured=coloured)
        # One line less than there are, so that the terminal does not scroll.
        room = console.size.height - 1
        footer = [Text(self.status), Text(self._sparkline(options)), legend][: max(1, room - 1)]
        high = max(1, min(self.rows, room - len(footer)))
        cell = 2 if 2 * self.columns <= options.max_width else 1
        wide = max(1, min(self.columns, options.max_width // cell))
        if (high, wide) != (self.rows, self.columns):
            footer[0].append(f"; {high} x {wide} of {self.rows} x {self.columns} cells fit here")
        for row in range(high):
            yield from self._row(row, wide, cell, coloured=coloured)
            yield Segment.line()
        for line in footer:
            line.truncate(options.max_width)
            line.no_wrap = True
            yield line

    def _row(self, row: int, wide: int, cell: int, *, coloured: bool) -> Iterator[Segment]:
        start = row * self.columns
        for place in range(start, start + wide):
            step = self.cells[place]
            old = self.before[place] if place < len(self.before) else step
            shown = step if step != old or step == MISSING or not coloured else " "
            yield Segment(shown, style_of(step, old))
            yield Segment(" " * (cell - 1), style_of(step, step))

    def _sparkline(self, options: ConsoleOptions) -> str:
        return sparkline(self.errors[-options.max_width :], ascii_only=options.ascii_only)


def style_of(step: str, old: str) -> Style:
    """The style of a cell that is in `step` and was in `old`.

    Cells that moved are bold, and underlined where they got worse, for those who do not see
    the colours.
    """
    if step == MISSING:
        return Style(dim=True)
    colour = STEPS[int(step)]
    if step == old:
        return Style(bgcolor=colour)
    worse = step > old
    ink = max(WORSE if worse else BETTER, key=lambda ink: contrast(ink, colour))
    return Style(color=ink, bgcolor=colour, bold=True, underline=worse)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").

    >>> round(contrast("#000000", "#ffffff")), round(contrast("#777777", "#777777"))
    (21, 1)
    """
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def sparkline(errors: tuple[float, ...], *, ascii_only: bool = False) -> str:
    """Errors as a line of bars from 0 to the largest.

    >>> sparkline((0.4, 0.2, 0.1)), sparkline((0.4, 0.2, 0.1), ascii_only=True)
    ('█▅▃', '@+-')
    """
    bars = _ASCII_BARS if ascii_only else _BARS
    most = max(errors, default=0.0) or 1.0
    return "".join(bars[round(error / most * (len(bars) - 1))] for error in errors)


@contextmanager
def watching(console: Console) -> Iterator[Callable[[Event], None]]:
    """A listener for the events of a training, which shows them on `console`."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield _lines(console)
        return
    with ExitStack() as stack:
        yield _pictures(console, stack)


def _pictures(console: Console, stack: ExitStack) -> Callable[[Event], None]:
    from rich.live import Live

    live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    picture = Picture()

    def listen(event: Event) -> None:
        nonlocal picture
        picture = picture.after(event)
        _say(event, console)
        if event["kind"] == "frame":
            # Begun with the first picture, so that a training without any leaves no trace.
            if not live.is_started:
                stack.enter_context(live)
            live.update(picture, refresh=True)

    return listen


def _lines(console: Console) -> Callable[[Event], None]:
    picture = Picture()

    def listen(event: Event) -> None:
        nonlocal picture
        picture = picture.after(event)
        _say(event, console)
        if event["kind"] == "frame":
            console.print(Text(picture.status), soft_wrap=True)

    return listen


def _say(event: Event, console: Console) -> None:
    if event["kind"] == "notice":
        console.print(Text(str(event["text"])), soft_wrap=True)


def _legend(*, coloured: bool) -> Text:
    """What the colours and digits mean, on one line."""
    legend = Text("error 0 ")
    for step, colour in enumerate(STEPS):
        legend.append(" " if coloured else str(step), Style(bgcolor=colour))
    legend.append(" 1; a digit has moved: ")
    legend.append("better", style_of("1", "2"))
    legend.append(", ")
    legend.append("worse", style_of("7", "6"))
    return legend


def _luminance(colour: str) -> float:
    channels = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
