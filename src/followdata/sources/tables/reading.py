"""How a file is read as a table: what was guessed of it, in a form that can be edited and kept."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from followdata.errors import InvalidInput

NO_HEADINGS = 0
Layout = Literal["", "wide", "long", "transposed"]
_LAYOUTS = ("", "wide", "long", "transposed")
_HEAD = """\
# How {name} is read as a table. Change what was guessed wrong, and open it again with this file:
# followdata open {name} --as THIS-FILE
# Names are those of the file's own headings.
"""


@dataclass(frozen=True)
class Reading:
    """What is known of how a file is to be read; "" and nothing are guessed.

    `encoding`, `delimiter` and `decimal` ("." or ",") say how text is written; `sheet` which sheet
    of a workbook; `header_row` in which line or row the headings stand, 0 where there are none.

    `id` is the column that names the rows, `labels` those that group them, `size` the one that
    says how big a row is, `ignore` those that are left out. `leave_out` are rows that are no
    things, such as totals. `missing` are words, beside the usual ones, for a missing value.

    `layout` is "wide" (a row for each thing, a column for each measure), "transposed" (a row for
    each measure) or "long" (a row for each value): then `id` is the column of things, `measure`
    that of measures ("" where each has a column of its own), `value` that of values, `time` that
    of years.

    `units` by heading; `thing`, `things`, `each` and `many` are what a row and a column are called
    in sentences ("town", "towns", "figure", "figures").
    """

    encoding: str = ""
    delimiter: str = ""
    decimal: str = ""
    sheet: str = ""
    header_row: int | None = None
    layout: Layout = ""
    id: str = ""
    measure: str = ""
    value: str = ""
    time: str = ""
    labels: tuple[str, ...] = ()
    size: str = ""
    ignore: tuple[str, ...] = ()
    leave_out: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()
    thing: str = "row"
    things: str = "rows"
    each: str = "column"
    many: str = "columns"
    units: Mapping[str, str] = field(default_factory=dict)

    def to_toml(self, name: str) -> str:
        """The reading of the file called `name`, with a word on what to do with it."""
        import tomli_w

        known = {key: value for key, value in asdict(self).items() if value is not None}
        return _HEAD.format(name=" ".join(name.split())) + "\n" + tomli_w.dumps(plain(known))

    @classmethod
    def from_toml(cls, path: Path) -> Reading:
        """The reading kept in a file; raises `InvalidInput` for one that says what it cannot."""
        try:
            return cls.of(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except (OSError, ValueError) as error:
            raise InvalidInput(str(path), f"it cannot be read ({error}).") from None

    @classmethod
    def of(cls, said: Mapping[str, Any], place: str) -> Reading:
        """The reading that these words say."""
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in said.items():
            if name not in known:
                raise InvalidInput(place, f"“{name}” is nothing that can be said.",
                                   f"These can: {', '.join(known)}.")  # fmt: skip
            values[name] = _checked(name, value, place)
        return cls(**values)

    def saying(self, **said: Any) -> Reading:
        """The same, with what is said here in place of what was."""
        return replace(self, **{name: value for name, value in said.items() if value})


GUESSED = Reading()
"""Nothing is known of the file: all of it is guessed."""


def plain(value: Any) -> Any:
    """A value as TOML can hold it: lists for tuples, no character that is none."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


_LISTS = {"labels", "ignore", "leave_out", "missing"}


def _checked(name: str, value: Any, place: str) -> Any:
    if name in _LISTS:
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise InvalidInput(place, f"{name} must be a list of words.")
        return tuple(value)
    if name == "units":
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            raise InvalidInput(place, "units must be a table of words.")
        return dict(value)
    if name == "header_row":
        if type(value) is not int or value < 0:
            raise InvalidInput(place, "header_row must be a whole number, 0 for no headings.")
        return value
    if not isinstance(value, str):
        raise InvalidInput(place, f"{name} must be a word.")
    if name == "layout" and value not in _LAYOUTS:
        raise InvalidInput(place, "layout must be wide, long or transposed.")
    if name == "decimal" and value not in ("", ".", ","):
        raise InvalidInput(place, "decimal must be . or ,")
    if name == "delimiter" and len(value) > 1:
        raise InvalidInput(place, "delimiter must be one character.")
    return value
