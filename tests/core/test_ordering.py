"""An order that puts like by like: every row once, and clusters together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core import ordering
from followdata.core.ordering import alike


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 30), columns=st.integers(1, 5), seed=st.integers(0, 1000))
def test_every_row_once(rows: int, columns: int, seed: int) -> None:
    Z = np.random.default_rng(seed).normal(size=(rows, columns))
    assert sorted(alike(Z)) == list(range(rows))
    assert sorted(ordering._around(Z) if rows > 2 else range(rows)) == list(range(rows))


@pytest.mark.parametrize("most", [2000, 10])
def test_clusters_stand_together(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "MOST_JOINED", most)
    random = np.random.default_rng(0)
    cluster = random.integers(0, 4, 60)
    Z = 20 * np.eye(4)[cluster] + random.normal(size=(60, 4))
    laid = cluster[alike(Z)]
    borders = int(np.sum(laid[1:] != laid[:-1]))
    assert borders <= (3 if most == 2000 else 8)


def test_rows_that_are_all_alike() -> None:
    assert sorted(ordering._around(np.ones((5, 3)))) == list(range(5))
