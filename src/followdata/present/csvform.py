"""A table as CSV (RFC 4180): a header of names, dots in decimals, nothing for missing."""

from __future__ import annotations

import csv
import io

from followdata.answer import Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: Table) -> bytes:
    """The table as UTF-8 CSV; numbers are unrounded.

    A text that a spreadsheet would take for a formula gets an apostrophe in front
    (OWASP, "CSV injection"); numbers are numbers and keep their sign.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(field.name for field in table.fields)
    for row in table.rows():
        writer.writerow(_harmless(value) if isinstance(value, str) else value for value in row)
    return lines.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
