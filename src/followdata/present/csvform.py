"""A table as CSV (RFC 4180): a header of names, dots in decimals, nothing for missing."""

from __future__ import annotations

import csv
import io
import re

from followdata.answer import Table

FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
"""How a text begins that a spreadsheet would take for a formula: a pattern."""
_FORMULA = re.compile(FORMULA)


def to_csv(table: Table) -> bytes:
    """The table as UTF-8 CSV; numbers are unrounded.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers are
    numbers and keep their sign.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(harmless(field.name) for field in table.fields)
    for row in table.rows():
        writer.writerow(harmless(value) if isinstance(value, str) else value for value in row)
    return lines.getvalue().encode(errors="replace")


def harmless(text: str) -> str:
    """`text` as no spreadsheet takes it for a formula (OWASP, "CSV injection").

    >>> harmless("=1+1"), harmless("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if _FORMULA.match(text) else text
