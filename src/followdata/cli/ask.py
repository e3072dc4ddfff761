"""`followdata ask STORY QUESTION`: the answer on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from followdata.answer import Answer
from followdata.cli import offers
from followdata.cli.context import console, desk
from followdata.cli.progress import watching
from followdata.present import FORMATS, render
from followdata.question import Question
from followdata.story import Story


class Stories(offers.LazyGroup):
    """The stories, each a group of questions."""

    def names(self) -> Iterable[str]:
        return desk().registry

    def make(self, name: str) -> Any:
        story = desk().registry[name]
        return Questions(
            story, name=name, help=f"{story.title} {story.summary}", no_args_is_help=True
        )


class Questions(offers.LazyGroup):
    """The questions of one story, each a command."""

    def __init__(self, story: Story, **settings: Any) -> None:
        super().__init__(**settings)
        self.story = story

    def names(self) -> Iterable[str]:
        return self.story.question_names

    def make(self, name: str) -> Any:
        question = self.story.question(name)
        parameters = question.parameters

        def run(**values: Any) -> None:
            _ask(self.story, question, offers.given(values, parameters), values)

        options = [offers.option(asked, self._complete(question)) for asked in parameters.values()]
        return offers.command(name, question.words, [*options, *self._reserved()], run)

    def _complete(self, question: Question) -> Any:
        def complete(parameter: str, begun: str) -> list[str]:
            data = desk().open(self.story.name).data
            index = question.parameters[parameter].type.names(data)
            return index.complete(begun, limit=50) if index else []

        return complete

    def _reserved(self) -> list[offers.Option]:
        def datasets(incomplete: str) -> list[str]:
            names = [dataset.name for dataset in desk().store.datasets(self.story.name)]
            return [name for name in names if name.startswith(incomplete)]

        def formats(incomplete: str) -> list[str]:
            return [name for name in FORMATS if name.startswith(incomplete)]

        return [
            (
                "data",
                Annotated[
                    str,
                    typer.Option(
                        "--data",
                        help="Data set: by default the one fetched last, else the sample.",
                        autocompletion=datasets,
                    ),
                ],
                "",
            ),
            (
                "form",
                Annotated[
                    str,
                    typer.Option(
                        "--format",
                        "-f",
                        help=f"Form of the answer: {', '.join(FORMATS)}.",
                        autocompletion=formats,
                    ),
                ],
                "text",
            ),
            ("table", Annotated[str, typer.Option(help="Which table, for csv.")], ""),
            ("view", Annotated[int, typer.Option(help="Which picture, for svg and png.")], 1),
            ("theme", Annotated[str, typer.Option(help="Colours: light or dark.")], "light"),
            (
                "output",
                Annotated[
                    Path | None, typer.Option("--output", "-o", help="Write to this file instead.")
                ],
                None,
            ),
        ]


app = typer.Typer(
    cls=Stories,
    help="Ask a question of a story's data.",
    no_args_is_help=True,
    subcommand_metavar="STORY QUESTION [OPTIONS]",
    rich_markup_mode=None,
)


@app.callback()
def ask() -> None:
    """Ask a question of a story's data."""


def _ask(story: Story, question: Question, given: dict[str, Any], reserved: dict[str, Any]) -> None:
    opened = desk().open(story.name, reserved["data"])
    with watching() as listen:
        answer = opened.ask(question.name, listen=listen, **given)
    _put(answer, reserved)


def _put(answer: Answer, reserved: dict[str, Any]) -> None:
    form, output = reserved["form"], reserved["output"]
    if form == "text" and output is None:
        from followdata.present.terminal import renderable

        console().print(renderable(answer))
        return
    content = render(
        answer, form, table=reserved["table"], view=reserved["view"], theme=reserved["theme"]
    )
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(content)
