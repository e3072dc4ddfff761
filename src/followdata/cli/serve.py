"""`followdata serve`: the web site and the HTTP API."""

from __future__ import annotations

from typing import Annotated

import typer

from followdata.cli.context import desk, notices


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    *,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    known_as: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="A host name to answer to, where a proxy passes it on."),
    ] = [],  # noqa: B006 -- Typer reads it, nobody changes it
    allow_runs: Annotated[
        bool,
        typer.Option(
            "--allow-runs", help="Let visitors from other machines start runs (fetch, training)."
        ),
    ] = False,
) -> None:
    """Serve the web site and the HTTP API."""
    from followdata.web import server

    server.serve(
        desk(),
        host,
        port,
        workers=workers,
        allow_runs=allow_runs,
        say=_say,
        known_as=tuple(known_as),
    )


def _say(text: str) -> None:
    notices().print(text, soft_wrap=True, markup=False)
