"""`followdata replay RUN`: a training shown again from its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followdata.cli.autoencode import EVERY, PALETTES, STOPPED, Every, Palette, Stay, check_palette
from followdata.cli.context import desk, notices
from followdata.errors import FollowdataError, RunError

if TYPE_CHECKING:
    from followdata.cli.watching import Patience, Watcher
    from followdata.runs import Event, Run


def _ids(incomplete: str) -> list[str]:
    try:
        return [run.id for run in desk().runs.all() if run.id.startswith(incomplete)]
    except FollowdataError:
        return []


def replay(
    run: Annotated[
        str,
        typer.Argument(
            help="The run, as followdata runs lists it, or a recording (.ftd).",
            autocompletion=_ids,
        ),
    ],
    *,
    speed: Annotated[
        float, typer.Option(min=0.01, help="How many times as fast; 0.2 is five times as slow.")
    ] = 1.0,
    every: Every = EVERY,
    palette: Palette = PALETTES[0],
    stay: Stay = False,
) -> None:
    """Show a training again, or one that is under way, from its journal or a recording."""
    check_palette(palette)
    path = Path(run)
    known = None if path.suffix == ".ftd" else desk().runs.get(run)
    events = _recorded(path) if known is None else _journal(known)
    from followdata.cli.watching import Quit, watching

    try:
        with watching(notices(), every=every, palette=palette, stay=stay) as watcher:
            show(events, watcher, speed)
    except Quit:
        return
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    if known and known.state != "done":
        why = known.last.get("message", "Its process is gone without a word.")
        notices().print(f"This run was {known.state}. {why}", markup=False, soft_wrap=True)


def show(
    events: Iterable[Event | None],
    watcher: Watcher | Patience,
    speed: float,
    sleep: Callable[[float], None] | None = None,
) -> None:
    """Show pictures at so many times the pace that they came at: on a screen, else in lines."""
    from followdata.cli import watching
    from followdata.cli.recording import moments

    if isinstance(watcher, watching.Watcher):
        watcher.play(moments(events), speed, sleep)
        return
    tell = watching.lines(notices())
    before = None
    for event in events:
        if event is None:
            watcher(None)
            continue
        if event["kind"] == "frame":
            (moment,) = moments([event])
            if moment is not None and before is not None:
                (sleep or time.sleep)(watching.apart(before, moment, speed))
            before = moment
            watcher(None)
        tell(event)


def _recorded(path: Path) -> Sequence[Event]:
    from followdata.cli.recording import read

    return read(path)


def _journal(run: Run) -> Iterable[Event | None]:
    """The pictures of a run, with those to come if it is under way.

    Raises `RunError` if it has none.
    """
    from followdata.cli.watching import superseded

    under_way = run.state == "running"
    events = superseded(list(run.events()))
    if not under_way and not any(event["kind"] == "frame" for event in events):
        raise RunError(f"The run “{run.id}” has no pictures.", "Only trainings have them.")
    return chain(events, run.follow(events[-1]["n"])) if under_way and events else events
