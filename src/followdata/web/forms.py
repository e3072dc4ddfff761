"""A question's parameters as the fields of a form, and its addresses."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from markupsafe import Markup

from followdata.answer import Scalar
from followdata.data import Data
from followdata.desk import Opened
from followdata.errors import FollowdataError
from followdata.parameters import Date, Number
from followdata.question import Asked, Question
from followdata.web.pages import part

MOST_OPTIONS = 200
"""Beyond so many names a field completes from the server instead of listing them."""
MOST_STEPS = 12
"""Up to so many whole numbers are a menu."""


def field(
    asked: Asked, value: Scalar, data: Data | None, complete: str, *, taken: Scalar = None
) -> Markup:
    """One parameter as a field; `complete` is where the server completes names.

    `taken` is what was taken where the reader has left an optional field open; a menu shows it as
    chosen, any other field only as what it would be.
    """
    kind = asked.type
    index = kind.names(data)
    few = index is not None and len(index) <= MOST_OPTIONS and not kind.several
    options = (
        [(name, title if title == name else f"{title} ({name})")
         for name, title in zip(index.names, index.titles, strict=True)]
        if index is not None and few
        else []
    )  # fmt: skip
    options = options or _steps(asked)
    if options and value in (None, ""):
        value = taken
    text = "" if value is None else str(value)
    if options and text and text not in dict(options):
        options.insert(0, (text, text))  # what was typed and is not there, beside the error
    label = kind.label(asked.name, data.about) if data else asked.name.capitalize()
    return part(
        "field",
        name=asked.name,
        label=label,
        unit=kind.unit if isinstance(kind, Number) else "",
        value=text,
        taken="" if taken is None else str(taken),
        options=options,
        optional=asked.optional,
        complete=complete if index is not None and not few else "",
        kind=_input_type(asked, text, data),
        limits=_limits(asked),
        words=kind.words,
        wide=kind.several,
    )


def _steps(asked: Asked) -> list[tuple[str, str]]:
    """The whole numbers to choose from, where they are few."""
    kind = asked.type
    if not isinstance(kind, Number) or not kind.whole or not 0 < kind.high - kind.low < MOST_STEPS:
        return []
    return [(str(step), str(step)) for step in range(int(kind.low), int(kind.high) + 1)]


def _input_type(asked: Asked, text: str, data: Data | None) -> str:
    if isinstance(asked.type, Number):
        return "number"
    if isinstance(asked.type, Date):
        clock = asked.type.clocked(data) and not text
        return "datetime-local" if clock or "T" in text else "date"
    return "text"


def _limits(asked: Asked) -> list[tuple[str, str]]:
    if not isinstance(asked.type, Number):
        return []
    schema = asked.type.schema()
    names = {"minimum": "min", "maximum": "max"}
    limits = [(names[key], f"{schema[key]:g}") for key in names if key in schema]
    return [*limits, ("step", "1" if asked.type.whole else "any")]


def address(
    story: str, question: str, params: Mapping[str, Scalar], data: str = "", form: str = ""
) -> str:
    """Where an answer is found; `form` is "json", "csv", ... or nothing for the page."""
    given = {name: str(value) for name, value in params.items() if value is not None}
    query = urlencode(given | ({"data": data} if data else {}), quote_via=quote)
    ending = f".{form}" if form else ""
    return f"/{quote(story)}/{quote(question)}{ending}{'?' if query else ''}{query}"


def forms_of(opened: Opened, question: str, params: Mapping[str, Scalar]) -> dict[str, str]:
    """The same answer elsewhere: its addresses, and what to type for it."""
    story, data = opened.story.name, opened.dataset.name
    found = {
        form: address(story, question, params, data, form) for form in ("json", "csv", "svg", "png")
    }
    given = {name: value for name, value in params.items() if value is not None}
    options = [f"--{name.replace('_', '-')} {_shell(value)}" for name, value in given.items()]
    found["fetch"] = f"/{quote(story)}#fetch"
    found["command"] = " ".join(
        ["followdata ask", story, question, *options, f"--data {_shell(data)}"]
    )
    named = "".join(f", {name}={value!r}" for name, value in given.items())
    opening = f"followdata.open({story!r}, {data!r})"
    found["python"] = f"import followdata\n{opening}.ask({question!r}{named})"
    return found


def heading(question: Question, opened: Opened, given: Mapping[str, Scalar]) -> str:
    """The question as a reader would put it, with titles in place of names.

    Where the parameters cannot be read, the title goes up to the first of them.
    """
    try:
        params = opened.resolve(question.name, given)
    except FollowdataError:
        start, brace, _ = question.title.partition("{")
        return f"{start.rstrip()} …" if brace else start
    asked = question.parameters
    return question.heading(
        {name: asked[name].type.spoken(value, opened.data) for name, value in params.items()}
    )


def _shell(value: Scalar) -> str:
    return shlex.quote(str(value))
