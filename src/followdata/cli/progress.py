"""Shows a run's journal on standard error while it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from followdata.cli.context import notices

if TYPE_CHECKING:
    from followdata.runs import Event


@contextmanager
def watching() -> Iterator[Callable[[Event], None]]:
    """A listener for a run's events: a moving bar on a terminal, else a line now and then."""
    if notices().is_terminal:
        with _bar() as listen:
            yield listen
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[Event], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices(), transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)

        def listen(event: Event) -> None:
            if event["kind"] == "progress":
                progress.update(
                    task,
                    description=str(event["what"]),
                    completed=event["done"],
                    total=event["total"],
                    visible=True,
                )
            else:
                _say(event)

        yield listen


def _lines(most: int = 10) -> Callable[[Event], None]:
    """A listener that says progress at most some `most` times."""
    said = -1

    def listen(event: Event) -> None:
        nonlocal said
        if event["kind"] != "progress":
            _say(event)
        elif (part := most * event["done"] // max(1, event["total"])) > said:
            said = part
            text = f"{event['what']}: {event['done']} of {event['total']}"
            notices().print(text, markup=False, soft_wrap=True)

    return listen


def _say(event: Event) -> None:
    from rich.text import Text

    if event["kind"] in ("notice", "waiting"):
        notices().print(Text(str(event["text"])), soft_wrap=True)
    elif event["kind"] == "partly":
        text = f"{event['text']}; they can be asked with --data {event['data']}"
        notices().print(Text(text), soft_wrap=True)
    elif event["kind"] == "resumed":
        notices().print("Going on where an earlier attempt stopped.", soft_wrap=True)
