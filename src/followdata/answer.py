"""What a question returns: a sentence, named tables, declared views, notes, provenance.

An `Answer` is a plain value. It draws nothing and knows no file format: `followdata.present`
turns one into text, JSON, CSV, HTML or a picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

type_of_scalar = (str, int, float, bool, type(None))
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an answer's table.

    `unit` is shown beside the title ("°C"); `decimals` rounds what people see, never what
    programs read; `lang` marks titles that are not English (a BCP 47 tag such as "sv").
    """

    name: str
    title: str
    unit: str = ""
    decimals: int | None = None
    lang: str = ""
    link: str = ""
    """A question of the same story that takes this column's value as its first parameter."""
    given: tuple[tuple[str, Scalar], ...] = ()
    """Other parameters that the linked question is given; the value is then its next name."""
    grouped: bool = True
    """Whether thousands are set apart: not those of a year."""
    code: bool = False
    """For programs only: people read the title beside it."""


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns of equal length holding plain Python values; `None` is a missing value."""

    fields: tuple[Field, ...]
    columns: Mapping[str, tuple[Scalar, ...]]
    title: str = ""

    @classmethod
    def of(cls, *columns: tuple[Field, Iterable[Any]], title: str = "") -> Table:
        """Make a table from (field, values) pairs; arrays become lists, NaN becomes `None`.

        >>> Table.of((Field("n", "Number"), [1.5, float("nan")])).columns
        {'n': (1.5, None)}
        """
        values = {field.name: tuple(plain(value) for value in column) for field, column in columns}
        if len({len(column) for column in values.values()}) > 1:
            lengths = {name: len(column) for name, column in values.items()}
            raise ValueError(f"columns of unequal length: {lengths}")
        return cls(tuple(field for field, _ in columns), values, title)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> Iterator[tuple[Scalar, ...]]:
        """The rows as tuples, in the order of `fields`."""
        return zip(*(self.columns[field.name] for field in self.fields), strict=True)

    @property
    def readable(self) -> tuple[Field, ...]:
        """The columns that people are shown."""
        return tuple(field for field in self.fields if not field.code)

    def records(self) -> list[dict[str, Scalar]]:
        """The rows as dictionaries."""
        names = [field.name for field in self.fields]
        return [dict(zip(names, row, strict=True)) for row in self.rows()]

    def page(self, offset: int, limit: int) -> Table:
        """The rows `offset` to `offset + limit`."""
        stop = offset + limit
        return replace(
            self, columns={name: column[offset:stop] for name, column in self.columns.items()}
        )


@dataclass(frozen=True, slots=True)
class View:
    """The declaration of a picture.

    `kind` names how it is drawn (see `followdata.present.charts`), `table` the table it shows,
    `channels` which column goes where (`x`, `y`, `label`, `color`, `low`, `high`, ...), and
    `options` what else that kind understands; `where` (column to value) keeps only some rows, and
    `most` no more than so many.
    `description` is the picture's text alternative.
    """

    kind: str
    table: str
    channels: Mapping[str, str]
    title: str
    description: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Further:
    """Where an answer leads: another question of the same story, with some of its parameters.

    Stories that have no such question do not lead there.
    """

    question: str
    given: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done on the way from what came to a data set.

    `done` says it in a few words and `place` to what (a file, a layer); `before` and `after` count
    `things` ("samples"), and are equal where nothing went away. `names` are those concerned.
    """

    done: str
    place: str
    things: str
    before: int
    after: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where data come from, when, under what licence, and what was refused on the way.

    `sha256` is the digest of the data set as stored. `sample` is empty for the real data; else
    it says what the sample is and what it stands in for. `steps` say how the data set was made of
    what came, for those sources that keep count.
    """

    source: str
    retrieved: str
    licence: str
    sha256: str = ""
    url: str = ""
    citation: str = ""
    sample: str = ""
    partial: str = ""
    refused: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence with what supports it.

    A question's `answer` function gives the first five; the others say what was asked of which
    data, and are filled in where the question was put.
    """

    sentence: str
    tables: Mapping[str, Table]
    views: tuple[View, ...] = ()
    notes: tuple[str, ...] = ()
    further: tuple[Further, ...] = ()
    story: str = ""
    question: str = ""
    data: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)
    provenance: Provenance | None = None


def plain(value: Any) -> Scalar:
    """A value as plain Python: NumPy scalars unwrapped, NaN and infinities as `None`."""
    item = value.item() if hasattr(value, "item") else value
    if isinstance(item, float) and not math.isfinite(item):
        return None
    if not isinstance(item, type_of_scalar):
        raise TypeError(f"{type(item).__name__} cannot stand in a table: {item!r}")
    return item


def listing(names: Sequence[str], most: int = 3) -> str:
    """Names as words of a sentence.

    >>> listing(["a", "b", "c"]), listing(["a", "b", "c", "d", "e"])
    ('a, b and c', 'a, b, c and 2 more')
    """
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
