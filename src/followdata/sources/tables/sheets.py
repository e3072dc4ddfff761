"""Sheets of Excel workbooks, as rows of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from followdata.answer import listing
from followdata.errors import FollowdataError, InvalidInput, UnknownName
from followdata.names import NameIndex
from followdata.sources.tables import files
from followdata.sources.tables.reading import Reading
from followdata.sources.tables.rows import ADVICE, Rows, decimal_comma, headed

T = TypeVar("T")
LARGEST = 256 * 2**20
"""Bytes of a workbook that is read."""


def read_sheet(path: Path, reading: Reading) -> Rows:
    """The rows of one sheet: the one named, else the one with most cells.

    Raises `InvalidInput` for a workbook that is damaged or too large, and for headings that are
    merged over several columns; `UnknownName` for a sheet that is not there.
    """
    if path.stat().st_size > LARGEST:
        raise InvalidInput(
            str(path), f"a workbook of more than {LARGEST >> 20} MB is not read.",
            "Save the sheet that you mean as CSV.",
        )  # fmt: skip
    if files.beginning(path, 2) == b"PK":
        files.check_zip(path)
    book = _safely(path, lambda: _workbook(path))
    names = list(book.sheet_names)
    if reading.sheet and reading.sheet not in names:
        near = NameIndex("sheet", names).nearest(reading.sheet)
        raise UnknownName("sheet", reading.sheet, near or names[:5])
    sheets = {
        name: _safely(path, partial(book.get_sheet_by_name, name))
        for name in ([reading.sheet] if reading.sheet else names)
    }
    filled = {name: _safely(path, partial(_cells, one)) for name, one in sheets.items()}
    held = {name: rows for name, rows in filled.items() if rows}
    if not held:
        raise InvalidInput(str(path), "it is empty.", ADVICE)
    name = max(held, key=lambda name: sum(len(fields) for _, fields in held[name]))
    rows = _framed(held[name])
    comma = decimal_comma(rows, "", reading)
    found = headed(path, rows, comma, replace(reading, sheet=name), name)
    _check_merged(path, sheets[name], found)
    others = [other for other in held if other != name]
    if not others:
        return found
    told = f"Read is the sheet “{name}”; there are also {listing([f'“{o}”' for o in others])} "
    return replace(found, remarks=(told + "(--sheet).", *found.remarks))


def _workbook(path: Path) -> Any:
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_path(path)


def _safely(path: Path, read: Callable[[], T]) -> T:
    """What `read` gives; whatever the library meets in a workbook becomes one error of ours."""
    try:
        return read()
    except FollowdataError:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the library's is no Exception
        raise InvalidInput(
            str(path), "this is no workbook that can be read "
            f"({' '.join(str(error).split())[:200]}).", "Save the sheet as CSV.",
        ) from None  # fmt: skip


def _cells(sheet: Any) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, as text, each with its number."""
    rows = sheet.to_python(skip_empty_area=False)
    found = [(line, [_text(cell) for cell in row]) for line, row in enumerate(rows, 1)]
    return [(line, fields) for line, fields in found if any(fields)]


def _framed(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The rows without columns that are empty throughout on the right."""
    width = max(at for _, fields in rows for at, field in enumerate(fields, 1) if field)
    return [(line, [*fields, *[""] * width][:width]) for line, fields in rows]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).strip()


def _check_merged(path: Path, sheet: Any, rows: Rows) -> None:
    """Raise where one heading stands over several columns."""
    ranges: Sequence[Any] = getattr(sheet, "merged_cell_ranges", None) or ()
    for (top, left), (bottom, right) in ranges:
        if rows.reading.header_row and top < rows.reading.header_row <= bottom + 1 and right > left:
            span = f"{files.column_letters(left + 1)} to {files.column_letters(right + 1)}"
            raise InvalidInput(
                str(path), "one heading stands over several columns (merged cells).",
                "Give each column a heading of its own, or name the row that has them with "
                "--header-row.",
                where=f"sheet “{rows.sheet}”, row {rows.reading.header_row}, columns {span}",
            )  # fmt: skip
