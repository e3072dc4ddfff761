"""Cycle ways by municipality and keeper, as the spreadsheet drawn from the national road database.

The sheet has title lines, a header with the word "Kommun", a column for each keeper of ways and one
for their sum, a row for each municipality by its name, and a last row for the country. Values are
metres; a keeper who has no way in a municipality has an empty cell there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from followdata.data import Floats, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.sweden import municipality_codes

_TOWN = "kommun"
_SUM = "totalsumma"
_KEEPERS = {"enskild": "private", "kommunal": "municipal", "statlig": "state", _SUM: "total"}
"""What the columns are called here, by their headings."""
_MOST_TITLE_ROWS = 20
_ENDING = ".xlsx"


@dataclass(frozen=True)
class Cycleways:
    """Metres of cycle way: municipality codes (n), headings (k, the sum last), `metres` (n x k).

    `day` is when they were counted ("2023-12-31"), `refused` what could not be read.
    """

    path: Path
    day: str
    codes: Sequence[str]
    headings: Sequence[str]
    metres: Floats
    refused: Sequence[str] = ()


def read_cycleways(path: Path) -> Cycleways | None:
    """The spreadsheet at `path`; `None` where it is no such one.

    An empty cell is 0 where the other keepers' metres make up the row's sum, else missing. A row
    whose parts do not make up its sum is reported and kept as it is.

    Raises `InvalidInput` for a file that is no spreadsheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    except (CalamineError, OSError) as error:
        raise InvalidInput(
            str(path), f"this is no spreadsheet that can be read ({error})."
        ) from None
    header = next(
        (at for at, row in enumerate(rows[:_MOST_TITLE_ROWS]) if _is_header(_words(row))), None
    )
    if header is None:
        return None
    headings = [str(cell).strip() for cell in rows[header] if str(cell).strip()]
    codes, refused = municipality_codes(), list[str]()
    found: dict[str, list[float]] = {}
    for number, row in enumerate(rows[header + 1 :], header + 2):
        town = str(row[0]).strip()
        code = codes.get(town.casefold()) or codes.get(town.casefold().replace("-", " "))
        if code is None:
            if town and town.casefold() != _SUM:
                refused.append(f"{path.name}, row {number}: “{town}” is no municipality")
            continue
        metres = [_metres(cell) for cell in row[1 : len(headings)]]
        if math.isclose(np.nansum(metres[:-1]), metres[-1], abs_tol=len(metres)):
            metres = [0.0 if math.isnan(value) else value for value in metres]
        else:
            refused.append(f"{path.name}, row {number}: the keepers of {town} do not make its sum")
        found[code] = metres
    return Cycleways(
        path,
        _day(rows[:header]),
        list(found),
        headings[1:],
        np.array(list(found.values())),
        refused,
    )


def cycleways_among(paths: Sequence[Path]) -> tuple[Cycleways | None, list[Path]]:
    """The newest sheet of cycle ways among `paths` and in folders there, and the other paths."""
    found = {path: list(_read_all(path)) for path in paths}
    sheets = [ways for inside in found.values() for ways in inside]
    newest = max(sheets, key=lambda ways: ways.day, default=None)
    return newest, [path for path, inside in found.items() if path.is_dir() or not inside]


def _read_all(path: Path) -> Iterator[Cycleways]:
    for file in sorted(path.glob(f"*{_ENDING}")) if path.is_dir() else [path]:
        if file.suffix.casefold() == _ENDING:
            with suppress(InvalidInput):  # whoever reads the other files will say so
                if ways := read_cycleways(file):
                    yield ways


def with_cycleways(table: MemoryTable, ways: Cycleways) -> MemoryTable:
    """The table of municipalities with metres by keeper, and metres per inhabitant where the
    table has their number, as further columns; NaN for a municipality that the sheet has not."""
    at = {code: row for row, code in enumerate(ways.codes)}
    rows = [at.get(code, -1) for code in table.labels("obs")["id"].tolist()]
    metres = np.vstack([ways.metres, np.full(len(ways.headings), np.nan)])[rows]
    columns = {f"cycleways_{_KEEPERS[one.casefold()]}": one.lower() for one in ways.headings}
    if table.about.size:
        inhabitants = table.matrix(var=[table.about.size])
        metres = np.column_stack([metres, metres[:, -1:] / inhabitants])
        columns["cycleways_per_inhabitant"] = f"{ways.headings[-1].lower()} per invånare"
    wider = table.with_columns(
        list(columns),
        metres,
        title=[f"Cykelnät {ways.day}, {words}" for words in columns.values()],
        unit=["meter/inv" if name.endswith("inhabitant") else "meter" for name in columns],
    )
    source = table.provenance
    return replace(
        wider,
        provenance=replace(
            source,
            source=f"{source.source}; cycle ways from {ways.path.name}",
            refused=(*source.refused, *ways.refused),
        ),
    )


def _is_header(words: Sequence[str]) -> bool:
    return words[:1] == [_TOWN] and words[-1:] == [_SUM] and {*words[1:]} <= _KEEPERS.keys()


def _words(row: Sequence[Any]) -> list[str]:
    return [text for cell in row if (text := str(cell).strip().casefold())]


def _metres(cell: Any) -> float:
    return float(cell) if isinstance(cell, int | float) else math.nan


def _day(rows: Sequence[Sequence[Any]]) -> str:
    """The day that the title lines name, as 20231231, in ISO form; "" where they name none."""
    text = " ".join(str(cell) for row in rows for cell in row)
    found = re.search(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)", text)
    return "-".join(found.groups()) if found else ""
