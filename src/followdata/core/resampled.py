"""How firm a call is when what it rests on is drawn anew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from followdata.core.nearest import similarities

Floats = npt.NDArray[np.float64]


def stability(rows: Floats, profiles: Floats, *, draws: int = 200, seed: int = 0) -> Floats:
    """How often each of `rows` (m x k) is most like each of `profiles` (c x k): m x c.

    In each draw the k columns are drawn anew with repeats (Efron 1979, Ann. Stat. 7:1). NaN is
    missing and left out; a row that can be compared with nothing has NaN.

    >>> profiles = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    >>> stability(np.array([[0.1, 0.2, 0.4, 0.5, 0.9]]), profiles).tolist()
    [[1.0, 0.0]]
    """
    random = np.random.default_rng(seed)
    count = np.zeros((len(rows), len(profiles)))
    for _ in range(draws):
        drawn = random.integers(0, rows.shape[1], rows.shape[1])
        alike = similarities(rows[:, drawn], profiles[:, drawn])
        known = ~np.isnan(alike).all(axis=1)
        best = np.where(np.isnan(alike), -np.inf, alike).argmax(axis=1)
        count[known, best[known]] += 1
    total = count.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(count, total, out=np.full_like(count, np.nan), where=total > 0))
