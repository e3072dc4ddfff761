"""Kolada's figures as its web site exports them: a spreadsheet with a row per figure and town.

The sheet has a header with the word "Kommun" and the years; below it come, figure by figure, a row
for the mean of the towns chosen and a row for each of them. The mean stands one row above the
figure's title, so its own row has the title of the figure before. Sheets that people add are
passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from followdata.errors import InvalidInput

_TOWN = "kommun"
_MEAN = "medel)"
_MOST_TITLE_ROWS = 20


@dataclass(frozen=True)
class Export:
    """An exported sheet: its rows, where its header is, and the column of the towns."""

    path: Path
    name: str
    rows: Sequence[Sequence[Any]]
    header: int
    town_at: int

    kind = "export"

    @cached_property
    def years(self) -> dict[int, int]:
        """The years, each with its column."""
        cells = enumerate(self.rows[self.header])
        return {year: at for at, cell in cells if (year := _year(cell))}

    @property
    def periods(self) -> set[int]:
        """The years that have a value."""
        return {
            year
            for year, at in self.years.items()
            if any(
                at < len(row) and row[at] not in ("", None) for row in self.rows[self.header + 1 :]
            )
        }

    def values(self) -> Iterator[tuple[str, str, str, int, Any]]:
        """Place, title, town, year and cell of every cell that is not empty."""
        for number, row in enumerate(self.rows[self.header + 1 :], self.header + 2):
            town = str(row[self.town_at]).strip()
            title = " ".join(str(row[0]).split())
            for year, at in self.years.items():
                cell = row[at] if at < len(row) else ""
                if town and not town.endswith(_MEAN) and cell not in ("", None):
                    yield f"{self.path.name}, row {number}", title, town, year, cell


def read_export(path: Path) -> Export | None:
    """The first sheet that is an export of Kolada's; `None` if there is none.

    Raises `InvalidInput` for a file that is no spreadsheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(path)
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (CalamineError, OSError) as error:
        raise InvalidInput(
            str(path), f"this is no spreadsheet that can be read ({error})."
        ) from None
    for name, rows in sheets:
        for number, row in enumerate(rows[:_MOST_TITLE_ROWS]):
            towns = [at for at, cell in enumerate(row) if str(cell).strip().casefold() == _TOWN]
            if len(towns) == 1 and towns[0] > 0 and any(map(_year, row)):
                return Export(path, name, rows, number, towns[0])
    return None


def _year(cell: Any) -> int:
    """The year that a cell of the header names; 0 for none."""
    text = str(cell).strip().removesuffix(".0")
    return int(text) if len(text) == 4 and text.isdecimal() and text[:2] in ("19", "20") else 0
