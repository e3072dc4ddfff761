"""`followdata export STORY DIR`: a story's data published as an open data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from followdata.cli.context import desk, notices
from followdata.errors import FollowdataError


def _stories(incomplete: str) -> list[str]:
    return [name for name in desk().registry if name.startswith(incomplete)]


def _datasets(context: typer.Context, incomplete: str) -> list[str]:
    try:
        stored = desk().store.datasets(context.params.get("story") or "")
    except FollowdataError:
        return []
    return [dataset.name for dataset in stored if dataset.name.startswith(incomplete)]


def export(
    story: Annotated[str, typer.Argument(help="Whose data.", autocompletion=_stories)],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, or one of an earlier export.")
    ],
    *,
    data: Annotated[
        str,
        typer.Option(
            help="Data set: by default the one fetched last, else the sample.",
            autocompletion=_datasets,
        ),
    ] = "",
) -> None:
    """Publish a story's data: CSV and Parquet with metadata, codebooks and a notebook."""
    opened = desk().open(story, data)
    source = opened.dataset.provenance
    made = opened.export(folder)
    if source.sample:
        _say(f"This is a sample: {source.sample}. Real data: followdata fetch {story} --help")
    if source.partial:
        _say(f"This is only a part: {source.partial}.")
    _say(f"Published “{opened.dataset.name}”. Read {made / 'README.md'} first.")
    typer.echo(made)


def _say(text: str) -> None:
    notices().print(text, markup=False, soft_wrap=True)
