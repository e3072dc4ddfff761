"""Turns declared parameters into options of a command.

Stories, questions and their parameters are not known before a registry is read, so their
commands are made when they are named, and only then.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from followdata.errors import FollowdataError, UnknownName

if TYPE_CHECKING:
    from followdata.question import Asked

Option = tuple[str, Any, Any]
"""A parameter of a command: its name, its annotation, its default."""


class LazyGroup(TyperGroup):
    """A group of commands that makes each when it is named."""

    def names(self) -> Iterable[str]:
        """The names of the commands."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it offers")

    def make(self, name: str) -> Any:
        """The command of that name; raises `UnknownName`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to make {name}")

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.names())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        try:
            return self.make(cmd_name)
        except UnknownName:
            if ctx.resilient_parsing:
                return None  # a shell is completing what is still being typed
            raise


def command(name: str, words: str, options: Iterable[Option], run: Callable[..., None]) -> Any:
    """A command whose options are made up as the program runs.

    `run` gets them as keyword arguments.
    """

    def called(**given: Any) -> None:
        run(**given)

    parameters = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for key, kind, default in options
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__doc__ = words
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name)(called)
    made = get_command(app)
    made.name = name
    return made


def option(asked: Asked, complete: Callable[[str, str], list[str]]) -> Option:
    """A parameter of a question as an option of a command.

    `complete(name, begun)` gives the names that go on from what was typed. The value stays
    text: it is read where the data are known, by the same code for all faces.
    """

    def completions(incomplete: str) -> list[str]:
        try:
            names = complete(asked.name, incomplete)
        except FollowdataError:
            return []
        # Other shells quote what they insert.
        return [_as_one_word(name) for name in names] if _in_bash() else names

    words = asked.type.words
    if asked.default not in (..., None):
        words = f"{words} [default: {asked.default}]".strip()
    flag = f"--{asked.name.replace('_', '-')}"
    info = typer.Option(flag, help=words, autocompletion=completions, metavar=metavar(asked))
    return asked.name, Annotated[str | None, info], None


def _in_bash() -> bool:
    return os.environ.get("_FOLLOWDATA_COMPLETE") == "complete_bash"


def _as_one_word(name: str) -> str:
    """A name as bash takes it for one word.

    >>> print(_as_one_word("Upplands Väsby"))
    Upplands\\ Väsby
    """
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", name)


def metavar(asked: Asked) -> str:
    """What stands for the value in a command's help."""
    return type(asked.type).__name__.upper()


def given(values: Mapping[str, Any], parameters: Mapping[str, Asked]) -> dict[str, Any]:
    """The options that were given, of those that are parameters of the question."""
    return {name: values[name] for name in parameters if values.get(name) is not None}
