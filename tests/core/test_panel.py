"""Panels of columns: against the definition worked out anew, and what must hold of any table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core import panel

Floats = npt.NDArray[np.float64]


def left_over(Z: Floats, chosen: list[int]) -> float:
    """What a least-squares fit on the chosen columns leaves of all."""
    basis = Z[:, chosen]
    return float(np.sum((Z - basis @ np.linalg.lstsq(basis, Z, rcond=None)[0]) ** 2))


def by_definition(Z: Floats, size: int) -> list[int]:
    chosen: list[int] = []
    for _ in range(size):
        others = [column for column in range(Z.shape[1]) if column not in chosen]
        chosen.append(min(others, key=lambda column: left_over(Z, [*chosen, column])))
    return chosen


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 4))
def test_greedy_takes_at_each_step_what_leaves_least(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(9, 3)) @ rng.normal(size=(3, 8)) + 0.5 * rng.normal(size=(9, 8))
    assert panel.greedy(Z, size).tolist() == by_definition(Z, size)


def test_greedy_stops_when_all_is_explained() -> None:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 7))
    chosen = panel.greedy(Z, 5).tolist()
    assert len(chosen) == 2
    assert left_over(Z, chosen) < 1e-9
    assert not len(panel.greedy(np.zeros((4, 3)), 2))


@pytest.mark.parametrize("way", list(panel.CHOICES))
@pytest.mark.parametrize("size", [1, 5, 9])
def test_a_panel_names_each_column_once(way: str, size: int) -> None:
    Z = np.random.default_rng(1).normal(size=(20, 9))
    chosen = panel.CHOICES[way](Z, size, 3)
    assert len(set(chosen.tolist())) == len(chosen) == size
    assert panel.CHOICES[way](Z, size, 3).tolist() == chosen.tolist()


def test_greedy_explains_more_than_lots_do() -> None:
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 50)) + rng.normal(size=(60, 50))
    greedy = left_over(Z, panel.greedy(Z, 6).tolist())
    lots = [left_over(Z, panel.at_random(Z, 6, seed).tolist()) for seed in range(20)]
    assert greedy < min(lots)
