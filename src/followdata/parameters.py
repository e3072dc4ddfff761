"""The types of a question's parameters.

A parameter is declared in the signature of a question's functions:

    def distinctive(data, fitted, *, thing: Annotated[str, Row("Which one")]) -> Answer: ...

and reads what people typed, or programs passed, into one canonical value that is checked
against the data.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, cast

from followdata.answer import Scalar, listing
from followdata.data import About, Data, SeriesData, TableData, grouping, matrices
from followdata.errors import InvalidParameter, NothingToAnswer, UnknownName
from followdata.hierarchy import Hierarchy
from followdata.names import NameIndex, fold


@dataclass(frozen=True)
class Parameter:
    """Base of the parameter types.

    `words` says what the parameter is for, in one sentence; `title` is what a form calls it,
    where the parameter's name would not do. A `hidden` one is for programs and addresses, and has
    no field in a form; the fields of `further` ones are folded away.
    """

    words: str = ""
    title: str = field(default="", kw_only=True)
    hidden: bool = field(default=False, kw_only=True)
    further: bool = field(default=False, kw_only=True)

    def label(self, name: str, about: About) -> str:
        """What a form calls it."""
        return self.title or name.replace("_", " ").capitalize()

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        """The canonical form of `value`; raises `InvalidParameter` or `UnknownName`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is read")

    def names(self, data: Data | None) -> NameIndex | None:
        """The names to choose from, if the parameter is a name."""
        return None

    several: ClassVar[bool] = False
    """Whether a value is a list of names, so that it is typed and not chosen from a menu."""

    def spoken(self, value: Scalar, data: Data | None) -> Scalar:
        """The value as a heading says it: a name by its title."""
        index = self.names(data)
        return value if index is None or value is None else index.title(str(value))

    def complete(self, begun: str, data: Data | None, limit: int) -> list[tuple[str, str]]:
        """Values that go on from what was typed, each with its title."""
        index = self.names(data)
        found = index.complete(begun, limit) if index else []
        return [(name, index.title(name)) for name in found if index]

    def default(self, name: str, data: Data | None) -> Scalar:
        """The value taken where neither the reader, the story nor the signature gives one."""
        index = self.names(data)
        if index is None or not len(index):
            known = self.label(name, data.about) if data else name
            raise NothingToAnswer(
                f"The data have nothing to choose from as “{known.lower()}”.",
                "Ask something else of them, or fetch data that have.",
            )
        return index.names[0]

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the values taken."""
        return {"type": "string"}


@dataclass(frozen=True)
class _Name(Parameter):
    """A name along one axis of a table."""

    def axis(self, data: Data) -> str:
        raise NotImplementedError(f"{type(self).__name__} does not say which names it takes")

    def names(self, data: Data | None) -> NameIndex:
        if data is None:
            raise NothingToAnswer(f"{type(self).__name__} is a name in data; there are none here.")
        return data.names(self.axis(data))

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return self.names(data).find(str(value))


@dataclass(frozen=True)
class Row(_Name):
    """A row of the table: a town, a sample."""

    def axis(self, data: Data) -> str:
        return "obs"

    def label(self, name: str, about: About) -> str:
        return about.thing.capitalize() if name == "thing" else super().label(name, about)


@dataclass(frozen=True)
class Column(_Name):
    """A column of the table: an indicator, a gene."""

    def axis(self, data: Data) -> str:
        return "var"

    def label(self, name: str, about: About) -> str:
        return about.measure.capitalize() if name == "measure" else super().label(name, about)


@dataclass(frozen=True)
class Group(_Name):
    """A group of rows under a label ("county"), by default the data's own main label, or of
    columns under one of theirs ("theme").

    `everyone`, where given, is a word that stands for all groups together ("all").
    """

    by: str = ""
    everyone: str = field(default="", kw_only=True)

    def axis(self, data: Data) -> str:
        return self.by or data.about.label or "group"

    def names(self, data: Data | None) -> NameIndex:
        index = super().names(data)
        if not self.everyone:
            return index
        aliases = index.aliases or index.names
        names, others = (self.everyone, *index.names), ("", *aliases)
        return NameIndex(index.what, names, aliases=others)

    def label(self, name: str, about: About) -> str:
        return self.title or (self.by or about.label or name).replace("_", " ").capitalize()


@dataclass(frozen=True)
class Rows(_Name):
    """All rows ("everywhere"), those of a group under the data's main label, or a single one."""

    everyone: str = field(default="everywhere", kw_only=True)

    def names(self, data: Data | None) -> NameIndex:
        if data is None:
            raise NothingToAnswer("A row is looked up in data; there are none here.")
        rows, label = data.names("obs"), data.about.label
        # What is a row's name is no group's: the row is meant.
        groups = data.names(label) if label else NameIndex("group", [])
        kept = [at for at, name in enumerate(groups.names) if name not in rows.names]
        aliases = groups.aliases or ("",) * len(groups)
        return NameIndex(
            data.about.thing,
            [self.everyone, *(groups.names[at] for at in kept), *rows.names],
            [self.everyone, *(groups.names[at] for at in kept), *rows.titles],
            ["", *(aliases[at] for at in kept), *(rows.aliases or ("",) * len(rows))],
        )

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return _begun(self.names(data), str(value))


@dataclass(frozen=True)
class Trait(Column):
    """What can be said of each row: a column, or one of the rows' labels ("county")."""

    def names(self, data: Data | None) -> NameIndex:
        columns = super().names(data)
        grouped = grouping(cast(TableData, data)) if data and data.kind == "table" else []
        labels = [name for name in grouped if name not in columns.names]
        titles = [name.replace("_", " ").capitalize() for name in labels]
        return NameIndex(
            columns.what,
            [*labels, *columns.names],
            [*titles, *columns.titles],
            [*labels, *columns.aliases] if columns.aliases else (),
        )


@dataclass(frozen=True)
class Label(Parameter):
    """A label that groups the rows ("subtype"); by default the data's own main label."""

    def names(self, data: Data | None) -> NameIndex:
        if data is None or data.kind != "table":
            raise NothingToAnswer("A label is one of a table's rows; there is no table here.")
        main = data.about.label
        labels = sorted(grouping(cast(TableData, data)), key=lambda label: label != main)
        return NameIndex("label", labels)

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return self.names(data).find(str(value))


@dataclass(frozen=True)
class Matrix(Parameter):
    """One of a table's matrices: the main one, or a layer ("protein", "mRNA").

    See `followdata.data.matrices` for the layer that a name stands for.
    """

    def names(self, data: Data | None) -> NameIndex:
        if data is None or data.kind != "table":
            raise NothingToAnswer("A matrix is one of a table; there is none here.")
        return NameIndex("matrix", list(matrices(cast(TableData, data))))

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return self.names(data).find(str(value))


@dataclass(frozen=True)
class Series(_Name):
    """One of several series, or the group of them that share a label ("station")."""

    by: str = ""

    def axis(self, data: Data) -> str:
        return self.by if self.by and len(data.names(self.by)) else "series"

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return _begun(self.names(data), str(value))

    def label(self, name: str, about: About) -> str:
        return self.title or (self.by or name).replace("_", " ").capitalize()


@dataclass(frozen=True)
class Columns(Column):
    """Some columns of the table: their names with commas between, a name with a comma in quotes.

    The canonical form is text; `listed` takes it apart.
    """

    several: ClassVar[bool] = True
    most: int = 50

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        index = self.names(data)
        # A title may hold a comma: the whole is tried as one name first.
        if isinstance(value, str):
            with suppress(UnknownName):
                return _joined([index.find(value)])
        said = listed(value) if isinstance(value, str) else list(value)
        found = list(dict.fromkeys(index.find(str(one)) for one in said))
        if not found:
            raise InvalidParameter(name, "no name is given.", "Write names with commas between.")
        if len(found) > self.most:
            raise InvalidParameter(name, f"{len(found)} names are given; {self.most} is the most.")
        return _joined(found)

    def label(self, name: str, about: About) -> str:
        return about.measures.capitalize() if name == "measures" else super().label(name, about)

    def spoken(self, value: Scalar, data: Data | None) -> Scalar:
        if value is None:
            return None
        index = self.names(data)
        return listing([f"“{index.title(name)}”" for name in listed(str(value))])

    def complete(self, begun: str, data: Data | None, limit: int) -> list[tuple[str, str]]:
        before, comma, last = begun.rpartition(",")
        return [
            (f"{before}{comma}{_joined([name])}", title)
            for name, title in super().complete(last.strip(), data, limit)
        ]

    def default(self, name: str, data: Data | None) -> Scalar:
        return _joined(list(self.names(data).names[:3]))


@dataclass(frozen=True)
class Names(Columns):
    """Columns as people paste them: between commas, semicolons, spaces or lines.

    With `known_only=False`, names that the table does not hold are kept as they are, so long as one
    is known: a list from elsewhere seldom fits whole.
    """

    most: int = 1000
    known_only: bool = True

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        index = self.names(data)
        if isinstance(value, str) and (whole := index.known(value)):
            return _joined([whole])
        said = re.split(r"[\s,;]+", value) if isinstance(value, str) else list(value)
        if self.known_only:
            return super().read(name, [one for one in said if one], data)
        found = {one: index.known(str(one)) for one in said if one}
        if not any(found.values()):
            first = next(iter(found), "")
            raise UnknownName(index.what, first, index.nearest(first))
        if len(found) > self.most:
            raise InvalidParameter(name, f"{len(found)} names are given; {self.most} is the most.")
        return _joined(list(dict.fromkeys(known or one for one, known in found.items())))

    def spoken(self, value: Scalar, data: Data | None) -> Scalar:
        return None if value is None else listing(listed(str(value)))

    def default(self, name: str, data: Data | None) -> Scalar:
        return _joined(list(self.names(data).names[:1]))


@dataclass(frozen=True)
class Branch(_Name):
    """A group at any level of the data's hierarchy (see `followdata.hierarchy`).

    `everyone`, where given, is a word that stands for all other rows ("others").
    """

    everyone: str = field(default="", kw_only=True)

    def names(self, data: Data | None) -> NameIndex:
        if data is None or data.kind != "table":
            raise NothingToAnswer("A group is looked up in a table; there is none here.")
        branches = Hierarchy.of(cast(TableData, data)).branches
        names, ids = [branch.name for branch in branches], [branch.id for branch in branches]
        if self.everyone:
            names, ids = [self.everyone, *names], ["", *ids]
        return NameIndex(data.about.label or "group", names, aliases=ids)

    def label(self, name: str, about: About) -> str:
        return self.title or (about.label if name == "group" else name).capitalize() or "Group"


@dataclass(frozen=True)
class File(Parameter):
    """A file or folder on the machine that answers: its path, whole.

    Over HTTP it is taken only from that machine itself, since it is read there.
    """

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        text = str(value)
        try:
            path = Path(text).expanduser()
            # Devices and pipes have no end, or wait for somebody.
            if not (path.is_file() or path.is_dir()):
                raise InvalidParameter(name, f"there is no file {path}.")
            return str(path.resolve())
        except (OSError, RuntimeError, ValueError):  # too long, "~nobody", a zero within it
            raise InvalidParameter(name, f"“{text[:200]}” cannot be a file.") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "A path on the machine that answers."}


@dataclass(frozen=True)
class Numbers(Parameter):
    """Some numbers between `low` and `high`, with commas between: "2, 1, 0.5"."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        if isinstance(value, (int, float)):
            value = str(value)
        said = listed(value) if isinstance(value, str) else list(value)
        limits = Number(low=self.low, high=self.high, whole=self.whole)
        numbers = [limits.read(name, one, data) for one in said]
        if not numbers:
            raise InvalidParameter(name, "no number is given.", "Write them as 2, 1, 0.5.")
        return ",".join(f"{number:.15g}" for number in numbers)


@dataclass(frozen=True)
class Number(Parameter):
    """A number between `low` and `high`, both included; `unit` is shown beside the field."""

    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    whole: bool = False

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        number = _number(name, value)
        if not math.isfinite(number) or (self.whole and number != int(number)):
            kind = "whole number" if self.whole else "number"
            raise InvalidParameter(name, f"“{value}” is not a {kind}.")
        if not self.low <= number <= self.high:
            raise InvalidParameter(name, f"“{value}” is not {self._range()}.")
        return int(number) if self.whole else number

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.high):
            return f"{self.low:.15g}{unit} or more"
        if math.isinf(self.low):
            return f"{self.high:.15g}{unit} or less"
        return f"between {self.low:.15g} and {self.high:.15g}{unit}"

    def schema(self) -> dict[str, Any]:
        limits = {"minimum": self.low, "maximum": self.high}
        finite = {key: value for key, value in limits.items() if math.isfinite(value)}
        return {"type": "integer" if self.whole else "number", **finite}


@dataclass(frozen=True)
class Choice(Parameter):
    """One of a few words."""

    options: tuple[str, ...] = ()

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return self.names(data).find(str(value))

    def names(self, data: Data | None) -> NameIndex:
        return NameIndex("choice", self.options)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.options)}


@dataclass(frozen=True)
class Text(Parameter):
    """Words that are not checked against the data, in one line."""

    longest: int = 500

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        text = " ".join(str(value).split())
        if not text or len(text) > self.longest:
            raise InvalidParameter(name, f"it needs 1 to {self.longest} letters.")
        return text


@dataclass(frozen=True)
class Company(Parameter):
    """Whom a row is compared with: all, those most like it ("peers"), or those of its group.

    The group is called as the data's main label is ("county"); "group" means it too.
    """

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        return self.names(data).find(str(value))

    def names(self, data: Data | None) -> NameIndex:
        label = data.about.label if data else "group"
        if not label:
            return NameIndex("choice", ("all", "peers"))
        return NameIndex("choice", ("all", "peers", label), aliases=("all", "peers", "group"))


EARLIEST, LATEST = 1000, 2999
"""Years that can be asked about: clocks and calendars are only reckoned with where they mean
something, and far from the ends of what a computer can count."""


@dataclass(frozen=True)
class Date(Parameter):
    """A day, or a day and time to the minute, in ISO 8601 ("2026-11-22", "2026-11-22T15:00").

    `clock` says that the time of day matters, where the data know hours.
    """

    clock: bool = field(default=False, kw_only=True)

    def clocked(self, data: Data | None) -> bool:
        """Whether a form asks for the time of day: some series have the `grain` "hours"."""
        if data is None or data.kind != "series" or not self.clock:
            return False
        return "hours" in cast("SeriesData", data).labels().get("grain", ())

    def read(self, name: str, value: Any, data: Data | None) -> Scalar:
        found = value if isinstance(value, date) else _date(name, str(value).strip())
        if not EARLIEST <= found.year <= LATEST:
            raise InvalidParameter(
                name, f"the year {found.year} is not between {EARLIEST} and {LATEST}."
            )
        if isinstance(found, datetime):
            return found.isoformat(timespec="minutes")
        return found.isoformat()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "examples": ["2026-11-22"]}


def _date(name: str, text: str) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidParameter(
            name, f"“{text}” is not a date.", "Write it as 2026-11-22 or 2026-11-22T15:00."
        ) from None


def listed(text: str) -> list[str]:
    """What a canonical list holds.

    >>> listed('N01951, "Rain, mm",')
    ['N01951', 'Rain, mm']
    """
    try:
        parts = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:  # a new line, as pasted text has them, within a name that is not in quotes
        one_line = re.sub(r"[\r\n]+", " ", text)
        parts = next(csv.reader([one_line], skipinitialspace=True), [])
    return [part.strip() for part in parts if part.strip()]


def _begun(index: NameIndex, text: str) -> str:
    """The name that `text` means or, where it means none, the only one that it begins.

    "Falun" is enough for Falun-Lugnet, and "Skåne" for Skåne län, where there is no other.
    """
    try:
        return index.find(text)
    except UnknownName:
        begun = [one for one in index.names if fold(one).startswith(fold(text))]
        if len(begun) != 1 or not fold(text):
            raise
        return begun[0]


def _joined(names: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def _number(name: str, value: Any) -> float:
    text = str(value).strip().replace("\u2212", "-")
    # What we print can be read back: "1 234" has a (thin) space between thousands.
    text = re.sub(r"(?<=\d)\s(?=\d{3}(?!\d))", "", text)
    # Half of Europe types a decimal comma, others a comma between thousands.
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        one, other = text.replace(",", ""), text.replace(",", ".")
        raise InvalidParameter(
            name, f"“{value}” can be read in two ways.", f"Write {one} or {other}."
        )
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InvalidParameter(name, f"“{value}” is not a number.") from None


def check_known(given: list[str], known: list[str]) -> None:
    """Raise `UnknownName` for a parameter that the question does not have."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(fold(name), known, n=3, cutoff=0.5)
            raise UnknownName("parameter", name, near or known[:8])
