"""`followdata runs`: long work, past and present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from followdata.cli.context import console, desk
from followdata.errors import FollowdataError

if TYPE_CHECKING:
    from followdata.runs import Run


def _ids(incomplete: str) -> list[str]:
    try:
        return [run.id for run in desk().runs.all() if run.id.startswith(incomplete)]
    except FollowdataError:
        return []


def runs(
    run: Annotated[
        str, typer.Argument(help="Show the journal of this run.", autocompletion=_ids)
    ] = "",
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay, and show events as they come.")
    ] = False,
) -> None:
    """List the runs: fetches, trainings; or show one run's journal."""
    if run:
        _journal(desk().runs.get(run), follow=follow)
        return
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False)
    grid.add_column("Run", no_wrap=True)
    for heading in ("State", "Done", "What", "Last heard"):
        grid.add_column(heading, overflow="fold")
    for known in desk().runs.all():
        at = str(known.last.get("at", ""))[:19].replace("T", " ")
        grid.add_row(
            known.id, known.state, _done(known), Text(str(known.about.get("title", ""))), at
        )
    console().print(grid)


def _done(run: Run) -> str:
    progress = run.progress()
    return f"{progress['done']} of {progress['total']}" if progress else ""


def _journal(run: Run, *, follow: bool) -> None:
    import json

    from followdata.present.letters import escaped

    for event in run.follow() if follow else run.events():
        if event is not None:
            # One JSON object a line: the journal as it is, for people and for jq.
            typer.echo(escaped(json.dumps(event, ensure_ascii=False)))
