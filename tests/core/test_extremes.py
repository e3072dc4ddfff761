from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followdata.core.extremes import held, holders


def test_holders_by_hand() -> None:
    grid = np.array([[1.0, 5.0, np.nan, 2.0], [3.0, 5.0, np.nan, np.nan], [2.0, 4.0, np.nan, 7.0]])
    assert holders(grid, highest=True).tolist() == [1, 0, -1, 2]
    assert holders(grid, highest=False).tolist() == [0, 2, -1, 0]


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=40), st.integers(1, 5))
def test_the_share_is_that_of_all_choices_of_years(holding: list[int], chosen: int) -> None:
    rows = np.arange(6) < chosen
    found = held(np.array(holding), rows)
    counts = np.bincount([h for h in holding if h >= 0], minlength=6)
    every = [counts[list(pick)].sum() for pick in combinations(range(6), chosen)]
    assert found.count == counts[:chosen].sum()
    assert found.expected == pytest.approx(np.mean(every))
    assert found.high - found.expected == pytest.approx(1.6449 * np.std(every))


def test_in_a_stable_climate_the_range_covers() -> None:
    random = np.random.default_rng(1)
    inside = []
    latest = np.arange(100) >= 70
    for _ in range(300):
        # Spells: each value stands for five days, so records of neighbours go together.
        grid = np.repeat(random.normal(size=(100, 73)), 5, axis=1)
        found = held(holders(grid, highest=True), latest)
        inside.append(found.low <= found.count <= found.high)
    assert 0.84 <= np.mean(inside) <= 0.96
