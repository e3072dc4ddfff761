"""`followdata fetch STORY`: bring a story's real data here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from followdata.cli import offers
from followdata.cli.context import desk, notices
from followdata.cli.progress import watching


class Stories(offers.LazyGroup):
    """The stories, each a command that fetches its data."""

    def names(self) -> Iterable[str]:
        return desk().registry

    def make(self, name: str) -> Any:
        story = desk().registry[name]
        parameters = story.fetch_parameters

        def run(*, from_: list[Path], more: list[Path], **values: Any) -> None:
            if more and not from_:
                raise typer.BadParameter(f"Put --from before {more[0]}.")
            _fetch(name, offers.given(values, parameters), [*from_, *more])

        options = [offers.option(asked, lambda *_: []) for asked in parameters.values()]
        words = f"Fetch the data of “{story.title}” An interrupted fetch goes on where it stopped."
        return offers.command(name, words, [*options, *_FILES], run)


# `--from a.xlsx b.xlsx`, as a shell makes of `--from *.xlsx`: the option takes the first, the
# argument the others.
_FILES: list[offers.Option] = [
    (
        "from_",
        Annotated[
            list[Path],
            typer.Option(
                "--from",
                metavar="PATH...",
                help="Read these files or folders, in the provider's own formats, instead.",
            ),
        ],
        [],
    ),
    ("more", Annotated[list[Path], typer.Argument(hidden=True)], []),
]

app = typer.Typer(
    cls=Stories,
    help="Fetch a story's data from its source, or from files.",
    no_args_is_help=True,
    subcommand_metavar="STORY [OPTIONS]",
    rich_markup_mode=None,
)


@app.callback()
def fetch() -> None:
    """Fetch a story's data from its source, or from files."""


def _fetch(story: str, given: dict[str, Any], paths: list[Path]) -> None:
    with watching() as listen:
        dataset = desk().fetch(story, given, paths=paths, listen=listen)
    notices().print(f"Stored as “{dataset.name}”. Ask with: followdata ask {story}", soft_wrap=True)
    typer.echo(dataset.name)
