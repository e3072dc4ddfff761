"""The README and the codebooks: what people read before they use the data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from followdata.publish import licences
from followdata.publish.columns import Column, Kind, Summary, said
from followdata.publish.frictionless import web_address
from followdata.publish.package import Package, Written

_SPECIAL = re.compile(r"([\\`*{}\[\]<>|#~!&]|(?<![^\W_])_|_(?![^\W_]))")


def readme(package: Package) -> bytes:
    """Where the data come from, their licence, what was refused, how to cite and to read them."""
    source = package.provenance
    return _rendered(
        "README.md",
        package=package,
        source=source,
        licence=licences.known(source.licence),
        address=Markup(web_address(source.url)),
        mended=sum(written.mended for written in package.written),
        first=package.written[0],
    )


def english_codebook(package: Package) -> bytes:
    """Every column of every table, in English."""
    return _codebook(package, "en")


def swedish_codebook(package: Package) -> bytes:
    """Every column of every table, in Swedish."""
    return _codebook(package, "sv")


def _codebook(package: Package, language: str) -> bytes:
    tables = [_shown(written, language) for written in package.written]
    strange = {row.foreign for table in tables for row in table.rows} - {""}
    return _rendered(
        f"codebook.{language}.md", package=package, tables=tables, foreign=sorted(strange)
    )


@dataclass(frozen=True)
class ShownColumn:
    """A column as a codebook shows it; `foreign` is another language that its words are in."""

    name: str
    title: str
    description: str
    unit: str
    kind: str
    values: str
    missing: int
    foreign: str


@dataclass(frozen=True)
class ShownTable:
    """A table as a codebook shows it."""

    name: str
    title: str
    count: int
    key: tuple[str, ...]
    rows: tuple[ShownColumn, ...]


_KINDS: Mapping[str, Mapping[Kind, str]] = {
    "en": {"string": "text", "number": "number", "date": "date", "datetime": "date and time"},
    "sv": {"string": "text", "number": "tal", "date": "datum", "datetime": "datum och tid"},
}


def _shown(written: Written, language: str) -> ShownTable:
    resource = written.resource
    columns = zip(resource.columns, written.summaries, strict=True)
    return ShownTable(
        resource.name,
        said(resource.titles, language)[0],
        written.rows,
        tuple(resource.key),
        tuple(_shown_column(column, summary, language) for column, summary in columns),
    )


def _shown_column(column: Column, summary: Summary, language: str) -> ShownColumn:
    title, spoken = said(column.titles, language)
    explained, explained_in = said(column.descriptions, language)
    foreign = next((code for text, code in ((title, spoken), (explained, explained_in))
                    if text and code != language), "")  # fmt: skip
    values = "" if summary.low is None else f"{_number(summary.low)} – {_number(summary.high)}"
    return ShownColumn(
        column.name,
        _marked(title, spoken, language),
        _marked(explained, explained_in, language),
        said(column.units, language)[0],
        _KINDS[language][column.kind],
        values,
        summary.missing,
        foreign,
    )


def _marked(text: str, spoken: str, language: str) -> str:
    return f"{text} [{spoken}]" if text and spoken != language else text


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rendered(template: str, **context: Any) -> bytes:
    text = _environment().get_template(template).render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip().encode() + b"\n"


@cache
def _environment() -> Environment:
    """Templates of Markdown, in which words of the data stay words."""
    environment = Environment(
        loader=PackageLoader("followdata.publish"),
        autoescape=False,  # noqa: S701 -- Markdown: `finalize` escapes what means something
        undefined=StrictUndefined,
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    return environment


def _escaped(value: Any) -> Any:
    """Words of the data in Markdown: in one line, with nothing that means something there."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))


def _code(text: str) -> Markup:
    """A name as it is, in a code span that no backtick within it can end."""
    text = " ".join(text.split())
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    # Within a table a bar ends the cell, even in a code span.
    return Markup(f"{fence}{space}{text}{space}{fence}".replace("|", "\\|"))
