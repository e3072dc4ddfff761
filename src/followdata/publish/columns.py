"""What is published: resources of named columns, whose values come in batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["string", "number", "date", "datetime"]
Texts = Mapping[str, str]
"""The same words by language ("en", "sv"); only languages that somebody has said them in."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a published table.

    `titles`, `descriptions` and `units` are in the languages of whoever wrote them: of the data,
    or, for what the frame adds, English and Swedish.
    """

    name: str
    kind: Kind = "string"
    titles: Texts = field(default_factory=dict)
    descriptions: Texts = field(default_factory=dict)
    units: Texts = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """The unit in English, if somebody has said it so."""
        return said(self.units, "en")[0]


@dataclass(frozen=True, slots=True)
class Resource:
    """A published table: `name` is that of its files, without their ending.

    `batches` gives its rows some at a time, each batch a sequence of arrays in the order of
    `columns`. `key` names the columns that tell rows apart; `references` which column's values
    stand in the column of the same name of which other resource.
    """

    name: str
    titles: Texts
    columns: Sequence[Column]
    batches: Callable[[], Iterator[Sequence[Any]]]
    key: Sequence[str] = ()
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in a column: how many values are missing, and the ends of its range."""

    missing: int
    low: Any = None
    high: Any = None


def said(texts: Texts, language: str) -> tuple[str, str]:
    """The words in `language`, else in English, else in any; and the language they are in.

    >>> said({"sv": "Folkmängd"}, "en"), said({}, "en")
    (('Folkmängd', 'sv'), ('', 'en'))
    """
    for known in (language, "en", *texts):
        if texts.get(known):
            return texts[known], known
    return "", language


def unique(names: Sequence[str]) -> list[str]:
    """The names in one line each, with "_2" and so on behind those that came before, whatever
    their case.

    >>> unique(["id", "ID", "", "id_2"])
    ['id', 'ID_2', 'unnamed', 'id_2_2']
    """
    taken: set[str] = set()
    found = []
    for name in (" ".join(name.split()) for name in names):
        free, number = name or "unnamed", 2
        while free.casefold() in taken:
            free, number = f"{name or 'unnamed'}_{number}", number + 1
        taken.add(free.casefold())
        found.append(free)
    return found
