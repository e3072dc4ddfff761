"""What each page shows, as plain values: one dataclass a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from followdata.present import letters
from followdata.store import DataSet
from followdata.web.assets import Assets


@dataclass(frozen=True)
class Page:
    """Base of the pages: what every one of them needs."""

    template: ClassVar[str] = ""
    assets: Assets
    title: str
    description: str

    def render(self) -> str:
        """The page as HTML."""
        return _template(self.template).render(values(self))


@dataclass(frozen=True, slots=True)
class Card:
    """A story on the front page: its finished sentence and a small picture."""

    story: str
    title: str
    href: str
    sentence: str
    sample: str = ""
    picture: str = ""
    picture_dark: str = ""
    description: str = ""


@dataclass(frozen=True)
class FrontPage(Page):
    """All stories."""

    template = "front.html"
    cards: Sequence[Card]
    opening: Markup


@dataclass(frozen=True)
class StoryPage(Page):
    """A story's words, its questions and its data sets."""

    template = "story.html"
    tabs: Markup
    story: str
    first: str
    questions: Sequence[tuple[str, str, str]]
    words: Markup
    datasets: Sequence[DataSet]
    fetch: Markup


@dataclass(frozen=True)
class OpenPage(Page):
    """The form that opens a table of the reader's own."""

    template = "open.html"
    opening: Markup
    fault: str


@dataclass(frozen=True)
class QuestionPage(Page):
    """A question with its form and its answer."""

    template = "question.html"
    tabs: Markup
    story: str
    question: str
    heading: str
    long: bool
    fields: Sequence[Markup]
    folded: Sequence[Markup]
    datasets: Sequence[str]
    data: str
    answer: Markup
    forms: Mapping[str, str]


@dataclass(frozen=True)
class RunPage(Page):
    """One run: live, or played again from its journal."""

    template = "run.html"
    id: str
    state: str
    message: str
    href: str
    live: Markup
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RunsPage(Page):
    """All runs."""

    template = "runs.html"
    runs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ApiPage(Page):
    """The addresses that give data."""

    template = "api.html"
    paths: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True)
class ErrorPage(Page):
    """What went wrong, and what to do next."""

    template = "error.html"
    problem: str
    advice: str
    nearest: Sequence[tuple[str, str]]


def part(template: str, /, **context: Any) -> Markup:
    """A part that pages share (tabs, a field of a form)."""
    # Rendered with autoescaping, so it is safe to put into a page as it is.
    return Markup(_template(f"{template}.html").render(context))


def values(page: Page) -> dict[str, Any]:
    """The page's fields by name, as its template uses them."""
    return {field.name: getattr(page, field.name) for field in fields(page)}


def _template(name: str) -> Template:
    return environment().get_template(name)


@cache
def environment() -> Environment:
    """Templates with autoescaping on, and an error for a name that nobody gave."""
    return Environment(
        loader=PackageLoader("followdata.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=letters.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
