"""`followdata replay RUN`: a training shown again from its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from followdata.cli.context import desk, notices
from followdata.errors import FollowdataError, RunError

if TYPE_CHECKING:
    from followdata.runs import Event, Run

STOPPED = 130
MOST_PAUSE = 1.0
"""Seconds; a picture is never waited for longer, however slow the training was."""


def _ids(incomplete: str) -> list[str]:
    try:
        return [run.id for run in desk().runs.all() if run.id.startswith(incomplete)]
    except FollowdataError:
        return []


def replay(
    run: Annotated[
        str, typer.Argument(help="The run, as followdata runs lists it.", autocompletion=_ids)
    ],
    *,
    speed: Annotated[
        float, typer.Option(min=0.01, help="How many times as fast; 0.2 is five times as slow.")
    ] = 1.0,
) -> None:
    """Show a training again, or one that is under way, from its journal."""
    from followdata.cli.grid import watching

    known = desk().runs.get(run)
    under_way = known.state == "running"
    events: Iterable[Event | None] = known.follow(known.attempt - 1) if under_way else latest(known)
    if not events:
        raise RunError(f"The run “{run}” has no pictures.", "Only trainings have them.")
    try:
        with watching(notices()) as listen:
            play(events, listen, speed)
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    if known.state != "done":
        why = known.last.get("message", "Its process is gone without a word.")
        notices().print(f"This run was {known.state}. {why}", markup=False, soft_wrap=True)


def latest(run: Run) -> Sequence[Event]:
    """The events of the latest attempt of `run` that came as far as a picture; none if none did."""
    found: list[Event] = []
    attempt: list[Event] = []
    for event in run.events():
        if event["kind"] in ("started", "resumed"):
            attempt = []
        attempt.append(event)
        if event["kind"] == "frame":
            found = attempt
    return found


def play(
    events: Iterable[Event | None],
    listen: Callable[[Event], None],
    speed: float,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Hand `events` on, each frame as long after the one before as its journal says."""
    before: datetime | None = None
    for event in events:
        if event is None:
            continue
        if event["kind"] == "frame":
            at = datetime.fromisoformat(event["at"])
            if before is not None:
                sleep(min(MOST_PAUSE, (at - before).total_seconds() / speed))
            before = at
        listen(event)
