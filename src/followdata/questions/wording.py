"""Numbers, places and counts as words of a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

THIN = "\u202f"
FIXED = "\u00a0"
"""A space at which a line does not break, between a number and its unit."""
_MOST_DECIMALS = 6


def number(value: float, unit: str = "") -> str:
    """A number with three figures that count, thin spaces between thousands, and its unit.

    >>> number(12.345, "%"), number(-0.04567), number(3.0), number(1234.6, "kr")
    ('12.3\\xa0%', '−0.0457', '3', '1\\u202f235\\xa0kr')
    """
    return numbers([value], unit)[0]


def numbers(values: Sequence[float], unit: str = "") -> list[str]:
    """Numbers that are to be compared, with as many decimals each: those of the largest.

    More decimals are shown where different numbers would read the same, or a small one as 0.

    >>> numbers([12.345, 4.5]), numbers([1500.25, 0.3]), numbers([9.0, 8.5], "of 10")
    (['12.3', '4.5'], ['1\\u202f500.2', '0.3'], ['9.0\\xa0of 10', '8.5\\xa0of 10'])
    """
    decimals = 0
    if any(value != int(value) for value in values):
        largest = max(abs(value) for value in values)
        decimals = min(_MOST_DECIMALS, max(0, 2 - math.floor(math.log10(largest))))
    texts = [f"{value:,.{decimals}f}" for value in values]
    while decimals < _MOST_DECIMALS and _misleading(values, texts):
        decimals += 1
        texts = [f"{value:,.{decimals}f}" for value in values]
    if decimals and all(text.endswith("0") for text in texts):
        decimals = max(len(text.rstrip("0").partition(".")[2]) for text in texts)
        texts = [f"{value:,.{decimals}f}" for value in values]
    ending = f"{FIXED}{unit}" if unit else ""
    texts = [text if value else "0" for value, text in zip(values, texts, strict=True)]
    return [text.replace(",", THIN).replace("-", "−") + ending for text in texts]


def _misleading(values: Sequence[float], texts: Sequence[str]) -> bool:
    zero = any(value and not text.strip("-0.") for value, text in zip(values, texts, strict=True))
    return zero or len(set(texts)) < len(set(values))


def count(amount: int, one: str, many: str) -> str:
    """How many there are of something.

    >>> count(1, "town", "towns"), count(1843, "indicator", "indicators")
    ('1\\xa0town', '1\\u202f843\\xa0indicators')
    """
    return number(amount, one if amount == 1 else many)


def share(part: float) -> str:
    """A part of 1 in whole percent; nothing that is there reads as 0, or short of all as 100.

    >>> share(0.3149), share(0.001), share(0.999)
    ('31\\xa0%', 'less than 1\\xa0%', 'more than 99\\xa0%')
    """
    percent = 100 * part
    if 0 < percent <= 0.5:
        return f"less than 1{FIXED}%"
    if 99.5 <= percent < 100:
        return f"more than 99{FIXED}%"
    return f"{percent:.0f}{FIXED}%"


def ordinal(position: int) -> str:
    """A place in a row.

    >>> [ordinal(position) for position in (1, 2, 3, 4, 11, 12, 23)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '23rd']
    """
    endings = {1: "st", 2: "nd", 3: "rd"}
    ending = "th" if position % 100 in (11, 12, 13) else endings.get(position % 10, "th")
    return f"{position}{ending}"


def place(rank: float, of: int, things: str, sharing: int = 1) -> str:
    """A rank, 1 being the highest, as people say it: from the nearer end, if it is near one.

    `rank` is the average of the places that `sharing` equal values take up.

    >>> place(1, 290, "towns"), place(288, 290, "towns"), place(120, 290, "towns")
    ('highest of 290 towns', '3rd lowest of 290 towns', 'rank 120 of 290 towns')
    >>> place(2.5, 290, "towns", sharing=2)
    '2nd highest of 290 towns, shared by 2'
    """
    from_top = round(rank - (sharing - 1) / 2)
    from_bottom = round(of + 1 - rank - (sharing - 1) / 2)
    nearest = min(from_top, from_bottom)
    among = f"of {number(of)} {things}"
    if nearest > max(1, of / 4):
        words = f"rank {number(from_top)} {among}"
    else:
        end = "highest" if from_top <= from_bottom else "lowest"
        words = f"{end if nearest == 1 else f'{ordinal(nearest)} {end}'} {among}"
    return words if sharing == 1 else f"{words}, shared by {sharing}"
