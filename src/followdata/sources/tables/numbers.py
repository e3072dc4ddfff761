"""Single values of a table: numbers as people write them, and words for what is missing."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from followdata.errors import InvalidInput

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""What is missing wherever it stands, in any case."""
MISSING_NUMBERS = MISSING | {
    *("-", "–", "—", ".", "..", "...", "none", "missing", "saknas", "uppgift saknas"),
    *("n.d.", "nd", "n.a.", "#n/a", "#na", "#value!", "#div/0!", "#ref!", "#null!"),
}
"""What is missing among numbers; among words it may mean something."""
_THIN = "\u0020\u00a0\u2009\u202f"
_GROUPED = re.compile(rf"([+-]?\d{{1,3}})((?:[{_THIN}]\d{{3}})+)((?:[.,]\d+)?)")
_DOTTED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_COMMAED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_IN_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_CODE = re.compile(r"0\d+")


def read_number(
    text: str, *, decimal_comma: bool, missing: Collection[str] = MISSING
) -> float | None:
    """The number that `text` is: NaN where it is missing, `None` where it is a word.

    Spaces between thousands are read, and so are dots with a decimal comma behind them, or commas
    with a decimal point.

    >>> [read_number(text, decimal_comma=False) for text in ("1e3", "−2", "NA", "1,5", "inf", "x")]
    [1000.0, -2.0, nan, None, None, None]
    >>> [read_number(text, decimal_comma=True) for text in ("1,5", "1 234,5", "1.234,5", "1,234.5")]
    [1.5, 1234.5, 1234.5, 1234.5]
    """
    try:
        number = float(text)
    except ValueError:
        if text.lower() in missing:
            return math.nan
        plain = _plain(text, decimal_comma=decimal_comma)
        return None if plain is None else read_number(plain, decimal_comma=False)
    # Python would also read "infinity" and "1_000".
    if math.isfinite(number) and "_" not in text:
        return math.nan if text.lower() in missing else number
    return math.nan if text.lower() in missing else None


def _plain(text: str, *, decimal_comma: bool) -> str | None:
    """`text` as a program would write the number; `None` where that changes nothing."""
    plain = text.replace("\u2212", "-")
    if grouped := _GROUPED.fullmatch(plain):
        plain = grouped[1] + re.sub(rf"[{_THIN}]", "", grouped[2]) + grouped[3]
    if _DOTTED.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif _COMMAED.fullmatch(plain):
        plain = plain.replace(",", "")
    elif decimal_comma and "." not in plain:
        plain = plain.replace(",", ".")
    return plain if plain != text else None


def is_code(texts: Sequence[str]) -> bool:
    """Whether values are codes of one length, such as 0114, and no quantities.

    >>> is_code(["0114", "2480"]), is_code(["114", "2480"]), is_code(["0", "1"])
    (True, False, False)
    """
    present = [text for text in texts if text.lower() not in MISSING]
    return (
        any(_CODE.fullmatch(text) for text in present)
        and all(text.isdecimal() for text in present)
        and len({len(text) for text in present}) == 1
    )


def has_decimal_comma(texts: Sequence[str]) -> bool:
    """Whether values, none of which is known to be a number, have decimal commas.

    "1,234" can be read in two ways, and says nothing.

    >>> has_decimal_comma(["1,5", "x"]), has_decimal_comma(["1,234"]), has_decimal_comma(["1.5"])
    (True, False, False)
    """
    return any(
        _DECIMAL_COMMA.fullmatch(text) and not _IN_TWO_WAYS.fullmatch(text) for text in texts
    )


def check_decimals(texts: Sequence[str], path: str, where: Sequence[str]) -> None:
    """Raise for a column of numbers of which some have a decimal comma and some a point."""
    comma = next((n for n, text in enumerate(texts) if _DECIMAL_COMMA.fullmatch(text)), None)
    point = next((n for n, text in enumerate(texts) if _DECIMAL_POINT.fullmatch(text)), None)
    if comma is None or point is None:
        return
    later, other = max(comma, point), min(comma, point)
    raise InvalidInput(
        path,
        f"“{texts[later]}” and “{texts[other]}” stand in one column, and have different decimal "
        "marks.",
        "Write them in one way, or say which is meant with --decimal.",
        where=where[later],
    )
