"""Values as people read them: rounded, with thin spaces between thousands."""

from __future__ import annotations

import math

from followdata.answer import Field, Scalar

MISSING = "–"
THIN = "\u202f"
TINY = 1e-4
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shown(value: Scalar, field: Field) -> str:
    """A value of a table's column for a reader.

    >>> field = Field("n", "Number")
    >>> shown(1234567.0, field), shown(0.01234, field), shown(None, field)
    ('1\u202f234\u202f567', '0.0123', '–')
    >>> shown(0.0000123, field)
    '1.2·10⁻⁵'
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _grouped(f"{value:,}") if field.grouped else str(value)
    if isinstance(value, float):
        if field.decimals is None and 0 < abs(value) < TINY:
            return _by_tens(value)
        decimals = field.decimals if field.decimals is not None else _decimals(value)
        return _grouped(f"{value:,.{decimals}f}")
    return value


def _by_tens(value: float) -> str:
    """A number with as many tens behind it as it takes, as p-values need."""
    digits, _, tens = f"{value:.1e}".partition("e")
    return f"{_grouped(digits)}·10{str(int(tens)).translate(_RAISED)}"


def _decimals(value: float) -> int:
    """Three figures that count, and no more than a whole number needs."""
    if value == 0 or not math.isfinite(value) or value == int(value):
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def _grouped(text: str) -> str:
    return text.replace(",", THIN).replace("-", "\u2212")
