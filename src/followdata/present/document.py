"""An Answer as HTML: a fragment for the web site's pages, and a page that stands alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from followdata.answer import Answer, Field, Scalar, Table, View
from followdata.present import letters, pictures
from followdata.present.charts import chart, names_in_charts
from followdata.present.numbers import shown
from followdata.present.theme import css_variables

Address = Callable[[Field, Scalar], str]
"""`address(field, value)`: where the field's link leads for that value; "" if nowhere."""

MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is shown."""

    text: str
    numeric: bool
    href: str
    lang: str


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as it is shown: its first rows, and how many there are in all."""

    name: str
    title: str
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class ShownView:
    """A picture as it is shown: a specification for the browser, or the finished drawing.

    `click` is the address, without the value, that a click on a mark leads to; `click_field`
    the column whose value completes it.
    """

    title: str
    description: str
    spec: str = ""
    drawing: str = ""
    click: str = ""
    click_field: str = ""


@dataclass(frozen=True, slots=True)
class ShownFurther:
    """An answer that another leads to, as it is shown there: its sentence and first picture."""

    heading: str
    href: str
    sentence: str
    views: tuple[ShownView, ...]


def no_address(field: Field, value: Scalar) -> str:
    """For documents that link nowhere."""
    return ""


def shown_table(name: str, table: Table, address: Address = no_address) -> ShownTable:
    """A table ready for a template."""
    numeric = {
        field.name: any(isinstance(value, (int, float)) for value in table.columns[field.name])
        for field in table.fields
    }
    rows = tuple(
        tuple(
            _cell(record[field.name], field, numeric[field.name], address)
            for field in table.readable
        )
        for record in table.page(0, MOST_ROWS).records()
    )
    headings = tuple((heading(field), numeric[field.name]) for field in table.readable)
    title = table.title or name.replace("_", " ").capitalize()
    return ShownTable(name, title, headings, rows, len(table))


def shown_view(answer: Answer, view: View, address: Address = no_address) -> ShownView:
    """A picture that the browser draws."""
    label = _label(answer, view)
    click = address(label, "") if label and label.link else ""
    # "<" would end the script element that holds the specification.
    spec = letters.escaped(json.dumps(chart(answer, view), ensure_ascii=False))
    spec = spec.replace("<", "\\u003c")
    known = names_in_charts(answer.tables[view.table])
    clicked = known[label.name] if label else ""
    return ShownView(view.title, view.description, spec, click=click, click_field=clicked)


def to_html(answer: Answer) -> bytes:
    """The answer as a page that stands alone: pictures drawn, no script, nothing to load."""
    views = tuple(
        ShownView(
            view.title,
            view.description,
            drawing=pictures.svg(answer, view).decode(),
        )
        for view in answer.views
    )
    page = _environment().get_template("document.html")
    return page.render(
        answer=answer,
        views=views,
        tables=[shown_table(name, table) for name, table in answer.tables.items()],
        variables=Markup(css_variables()),
    ).encode()


def shown_further(heading: str, href: str, answer: Answer) -> ShownFurther:
    """An answer that another leads to, under its heading; the whole of it is at `href`."""
    views = tuple(shown_view(answer, view) for view in answer.views[:1])
    return ShownFurther(heading, href, answer.sentence, views)


def fragment(
    answer: Answer,
    address: Address,
    forms: Mapping[str, str],
    further: Sequence[ShownFurther] = (),
) -> Markup:
    """The answer as part of a page; `forms` are the addresses of its other forms, by name."""
    template = _environment().get_template("answer.html")
    return Markup(
        template.render(
            answer=answer,
            views=[shown_view(answer, view, address) for view in answer.views],
            tables=[shown_table(name, table, address) for name, table in answer.tables.items()],
            forms=forms,
            further=further,
        )
    )


def heading(field: Field) -> str:
    """A column's title with its unit."""
    return f"{field.title} ({field.unit})" if field.unit else field.title


def _label(answer: Answer, view: View) -> Field | None:
    name = view.channels.get("label")
    fields = answer.tables[view.table].fields
    return next((field for field in fields if field.name == name), None)


def _cell(value: Scalar, field: Field, numeric: bool, address: Address) -> Cell:
    href = address(field, value) if field.link and value is not None else ""
    return Cell(shown(value, field), numeric, href, field.lang)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("followdata.present"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=letters.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["facts"] = _facts
    return environment


def _facts(provenance: Any) -> list[tuple[str, str]]:
    """Provenance as words and values, in the order people ask for them."""
    words = {
        "source": "Source",
        "citation": "Cite as",
        "licence": "Licence",
        "retrieved": "Retrieved",
        "url": "From",
        "sha256": "Data set (SHA-256)",
    }
    known = asdict(provenance)
    return [(title, str(known[key])) for key, title in words.items() if known[key]]
