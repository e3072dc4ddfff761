"""How sure a share is that was counted in a number of trials."""

from __future__ import annotations


def share_interval(found: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share (Clopper & Pearson 1934, Biometrika 26:404).

    >>> [round(limit, 4) for limit in share_interval(5, 100)]
    [0.0164, 0.1128]
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = betaincinv(found, trials - found + 1, tail) if found else 0.0
    high = betaincinv(found + 1, trials - found, 1 - tail) if found < trials else 1.0
    return float(low), float(high)
