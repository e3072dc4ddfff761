"""`followdata ask STORY QUESTION`: the answer on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from followdata.cli import offers
from followdata.cli.context import console, desk
from followdata.cli.progress import watching
from followdata.errors import InvalidParameter, UnknownName

if TYPE_CHECKING:
    from followdata.answer import Answer
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
            found = question.parameters[parameter].type.complete(begun, data, limit=50)
            return [name for name, _ in found]

        return complete

    def _reserved(self) -> list[offers.Option]:
        def datasets(incomplete: str) -> list[str]:
            names = [dataset.name for dataset in desk().store.datasets(self.story.name)]
            return [name for name in names if name.startswith(incomplete)]

        from followdata.present import FORMATS

        def formats(incomplete: str) -> list[str]:
            return [name for name in FORMATS if name.startswith(incomplete)]

        return [
            (
                "data",
                Annotated[
                    str,
                    typer.Option(
                        "--data",
                        *([f"--{self.story.dataset_word}"] if self.story.dataset_word else []),
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
                        help=f"Form of the answer: {', '.join(FORMATS)}. "
                        "By default the ending of --output, else text.",
                        autocompletion=formats,
                    ),
                ],
                "",
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
    form = _form(reserved["form"], reserved["output"])
    opened = desk().open(story.name, reserved["data"])
    with watching() as listen:
        answer = opened.ask(question.name, listen=listen, **given)
    _put(answer, form, reserved)


def _form(wanted: str, output: Path | None) -> str:
    """The form that is asked for; said to be wrong before an answer is worked out."""
    from followdata.present import FORMATS

    ending = output.suffix[1:] if output else ""
    form = wanted or (ending if ending in FORMATS else "text")
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    return form


def _put(answer: Answer, form: str, reserved: dict[str, Any]) -> None:
    from followdata.present import render
    from followdata.present.letters import visible

    output: Path | None = reserved["output"]
    if form == "text" and output is None and console().is_terminal:
        from followdata.present.terminal import renderable

        console().print(renderable(answer))
        return
    content = render(
        answer, form, table=reserved["table"], view=reserved["view"], theme=reserved["theme"]
    )
    if output is None:
        if form == "csv" and console().is_terminal:
            content = visible(content.decode()).encode()  # for eyes: a file gets the data
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InvalidParameter(
            "--output", f"{output} cannot be written ({error.strerror})."
        ) from error
