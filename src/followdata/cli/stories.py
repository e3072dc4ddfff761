"""`followdata list`: the stories, their questions, and the data that are here."""

from __future__ import annotations

from typing import Annotated

import typer

from followdata.cli.context import console, desk


def list_stories(
    story: Annotated[str, typer.Argument(help="Only this story, with its questions.")] = "",
) -> None:
    """List the stories, or one story's questions and data sets."""
    from rich.table import Table
    from rich.text import Text

    here = desk()
    if not story:
        grid = Table(box=None, pad_edge=False)
        for heading in ("Story", "What it follows", "Questions"):
            grid.add_column(heading, overflow="fold")
        for known in here.registry.values():
            grid.add_row(known.name, Text(known.title), ", ".join(known.question_names))
        console().print(grid)
        return
    known = here.registry[story]
    console().print(Text(f"{known.title}\n{known.summary}\n"))
    grid = Table(box=None, pad_edge=False)
    grid.add_column("Question")
    grid.add_column("What it answers", overflow="fold")
    for question in known.questions.values():
        grid.add_row(question.name, Text(question.words))
    console().print(grid)
    console().print("\nData sets:")
    stored = here.store.datasets(story)
    for dataset in stored:
        source = dataset.provenance
        what = source.sample or source.source
        if source.partial:
            what = f"partial: {source.partial}; {what}"
        console().print(Text(f"  {dataset.name}  ({what}, stored {dataset.stored[:10]})"))
    if known.sample_words and not any(dataset.name == "sample" for dataset in stored):
        console().print(Text(f"  sample  ({known.sample_words}; made when first asked for)"))
