"""The command line, one module a command."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from followdata.cli import (
    ask,
    autoencode,
    context,
    export,
    fetch,
    open,
    replay,
    runs,
    serve,
    stories,
)
from followdata.errors import FollowdataError

PROGRAM = "followdata"

app = typer.Typer(
    name=PROGRAM,
    help="Follow a question through public data: fetch it, ask it, see how sure the answer is.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from followdata import __version__

        typer.echo(f"followdata {__version__}")
        raise typer.Exit


@app.callback()
def followdata(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Follow a question through public data: fetch it, ask it, see how sure the answer is."""


app.command("list")(stories.list_stories)
app.add_typer(fetch.app, name="fetch")
app.command("open")(open.open_file)
app.add_typer(ask.app, name="ask")
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.command("runs")(runs.runs)
app.command("replay")(replay.replay)
app.command("autoencode")(autoencode.autoencode)


def main() -> None:
    """Run the command line; errors of ours become one line and exit status 1."""
    # A terminal or a pipe that cannot show every letter gets "?" in its place.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        app(prog_name=PROGRAM)
    except FollowdataError as error:
        context.refuse(error)
        sys.exit(context.REFUSED)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`). Keep Python from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(context.REFUSED)
