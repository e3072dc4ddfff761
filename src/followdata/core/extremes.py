"""Records: the lowest and highest of each day of the year, and how often they should fall.

In a climate that does not change, each of n years is as likely as any other to hold a record: the
next year breaks it with probability 1 / (n + 1) (Chandler 1952, Journal of the Royal Statistical
Society B 14:220).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Years = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """How many records some years hold, and how many they should, with a range for nine of ten."""

    count: int
    expected: float
    low: float
    high: float


def holders(grid: Floats, *, highest: bool) -> Years:
    """Which row of `grid` (years x places) holds the record of each place; -1 where none has any.

    Of equal values the first holds it: to equal a record is not to break it.

    >>> holders(np.array([[1.0, 5.0], [3.0, np.nan]]), highest=True)
    array([1, 0])
    """
    worst = -np.inf if highest else np.inf
    filled = np.where(np.isnan(grid), worst, grid)
    found = filled.argmax(axis=0) if highest else filled.argmin(axis=0)
    return np.where(np.isnan(grid).all(axis=0), -1, found)


def held(holding: Years, rows: npt.NDArray[np.bool_]) -> Held:
    """How many records the years in `rows` hold, against any other choice of as many years.

    Records of neighbouring days go together, so the range is that of drawing years, each with all
    the records that it holds, without putting them back.
    """
    counts = np.bincount(holding[holding >= 0], minlength=len(rows)).astype(np.float64)
    n, k = len(rows), int(rows.sum())
    expected = float(counts.sum() * k / n)
    spread = float(np.sqrt(k * (1 - k / n) * counts.var(ddof=1))) if n > 1 else 0.0
    reach = 1.6449 * spread
    return Held(int(counts[rows].sum()), expected, max(expected - reach, 0.0), expected + reach)
