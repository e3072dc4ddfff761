"""An Answer for the terminal: the sentence, the first table, the notes."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as Grid
from rich.text import Text

from followdata.answer import Answer, Field, Further, Table
from followdata.present.letters import visible
from followdata.present.numbers import shown

MOST_ROWS = 20
WORDS = 28
"""How many letters wide a column of long words is at least."""


class ReadOnly(Console):
    """A console on which words are only read: what a terminal would obey is made visible."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def to_text(answer: Answer, *, width: int = 100) -> str:
    """The answer as plain text without colours."""
    out = ReadOnly(file=io.StringIO(), width=width, no_color=True, highlight=False)
    out.print(renderable(answer))
    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def renderable(answer: Answer) -> Group:
    """The answer for a rich console."""
    parts: list[Text | Grid] = []
    if answer.provenance and answer.provenance.sample:
        parts.append(Text(f"Sample: {answer.provenance.sample}.", style="yellow"))
    if answer.provenance and answer.provenance.partial:
        parts.append(Text(f"Partial: {answer.provenance.partial}.", style="yellow"))
    parts.append(Text(answer.sentence, style="bold"))
    for name, table in list(answer.tables.items())[:1]:
        parts.append(_grid(table))
        if len(table) > MOST_ROWS:
            more = len(table) - MOST_ROWS
            parts.append(Text(f"  and {more} more rows (--format csv --table {name})", style="dim"))
    parts.extend(Text(f"· {note}", style="dim") for note in answer.notes)
    parts.extend(Text(f"· Read on: {_asking(answer, one)}", style="dim") for one in answer.further)
    if answer.provenance:
        source = answer.provenance
        words = [source.source, source.citation, source.licence]
        parts.append(
            Text(f"· Source: {'; '.join(dict.fromkeys(filter(None, words)))}", style="dim")
        )
    return Group(*parts)


def _asking(answer: Answer, further: Further) -> str:
    options = (f"--{name} {shlex.quote(str(value))}" for name, value in further.given)
    return " ".join(["followdata ask", answer.story, further.question, *options])


def _grid(table: Table) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for field in table.readable:
        numeric = any(isinstance(value, (int, float)) for value in table.columns[field.name])
        # Beside many numbers, words must not be squeezed to a letter a line.
        longest = max((len(str(value)) for value in table.columns[field.name]), default=0)
        grid.add_column(
            _heading(field),
            justify="right" if numeric else "left",
            overflow="fold",
            min_width=WORDS if longest > WORDS and not numeric else None,
        )
    for record in table.page(0, MOST_ROWS).records():
        # Text, not markup: a name from the data may hold square brackets.
        grid.add_row(*(Text(shown(record[field.name], field)) for field in table.readable))
    return grid


def _heading(field: Field) -> Text:
    return Text(f"{field.title} ({field.unit})" if field.unit else field.title)
