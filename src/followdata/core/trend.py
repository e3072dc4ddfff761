"""How a yearly value has moved, with an uncertainty that knows that years hang together.

The slope is that of ordinary least squares. A year that is warmer than the trend is followed more
often than not by another, so that n years tell as little as fewer independent ones: n (1 - r) /
(1 + r), where r is the correlation of what is left with what is left a year before (Santer et al.
2000, Journal of Geophysical Research 105:7337). In a short record r comes out too small, by about
(1 + 4 r) / n (Marriott and Pope 1954, Biometrika 41:390), and is corrected for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.core.seasons import trend_weights

Floats = npt.NDArray[np.float64]
Years = npt.NDArray[np.int64]

FEWEST = 10
"""Years without which there is no trend."""

_MOST = 0.9  # of a correlation with the year before


@dataclass(frozen=True)
class Trend:
    """A slope (per year) with its interval, and what it rests on.

    `n` values are worth `effective` independent ones, because what is left of each goes on to
    the next year with the correlation `persistence`.
    """

    slope: float
    low: float
    high: float
    n: int
    effective: float
    persistence: float


def linear_trend(years: Years, values: Floats, *, confidence: float = 0.95) -> Trend:
    """The linear trend of `values`, NaN left out.

    Raises `ValueError` for fewer than `FEWEST` values.

    >>> years = np.arange(1950, 1980)
    >>> trend = linear_trend(years, 0.02 * years + np.tile([0.1, -0.1], 15))
    >>> round(trend.slope, 3), trend.low < 0.02 < trend.high, trend.effective
    (0.019, True, 30.0)
    """
    from scipy.special import stdtrit

    known = ~np.isnan(values)
    years, values = years[known], values[known]
    n = len(years)
    if n < FEWEST:
        raise ValueError(f"{n} values are too few for a trend")
    apart = years - years.mean()
    spread = float(np.sum(apart**2))
    slope = float(np.sum(apart * values) / spread)
    left = values - values.mean() - slope * apart
    persistence = _persistence(years, left)
    effective = max(n * (1 - persistence) / (1 + persistence), 3.0)
    error = np.sqrt(np.sum(left**2) / (effective - 2) / spread)
    reach = float(stdtrit(effective - 2, 1 - (1 - confidence) / 2) * error)
    return Trend(slope, slope - reach, slope + reach, n, float(effective), persistence)


def smoothed(
    years: Years, values: Floats, at: Years, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """The smooth course of `values` at the years `at`, and how far it is known on either side.

    The local linear regression by which `seasons` follows a season, pointwise.
    """
    from scipy.special import ndtri

    known = ~np.isnan(values)
    years, values = years[known], values[known]
    weights = trend_weights(years, at)
    own = trend_weights(years, years)
    left = values - own @ values
    persistence = _persistence(years, left)
    freedom = max(len(years) - 2 * np.trace(own) + np.sum(own**2), 1.0)
    spread = np.sqrt(np.sum(left**2) / freedom * (1 + persistence) / (1 - persistence))
    reach = ndtri(1 - (1 - confidence) / 2) * spread * np.sqrt(np.sum(weights**2, axis=1))
    return weights @ values, np.asarray(reach)


def _persistence(years: Years, left: Floats) -> float:
    """The correlation of what is left with what is left a year before, from 0 to 0.9."""
    following = np.diff(years) == 1
    both = np.sum(left[1:][following] * left[:-1][following])
    share = np.count_nonzero(following) / len(left)
    total = np.sum(left**2) * share
    raw = float(both / total) if total > 0 else 0.0
    return float(np.clip(raw + (1 + 4 * raw) / len(left), 0.0, _MOST))
