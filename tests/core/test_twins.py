"""Columns that say the same: against pandas, by hand, and as properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.core import twins
from followdata.core.twins import (
    LEAST_SHARED,
    SAME,
    Floats,
    Twins,
    find_twins,
    fold,
    rank_correlations,
)

NAN = np.nan


def tables(seed: int, rows: int = 80, columns: int = 25) -> Floats:
    """Columns around the threshold, some with ties, with gaps of very different length."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, 4))
    X = factors[:, rng.integers(0, 4, columns)] * rng.choice([-1, 1], columns)
    X = X + rng.normal(size=X.shape) * rng.uniform(0.05, 0.6, columns)
    X[:, ::5] = X[:, ::5].round(1)
    X[:, ::4] = np.exp(3 * X[:, ::4])
    gaps = rng.random(X.shape) < rng.choice([0.0, 0.1, 0.4, 0.6], columns)
    # What is missing is not missing by chance: the lower half of some columns.
    gaps[:, 0] |= X[:, 0] < np.median(X[:, 0])
    return np.where(gaps, NAN, X)


def pairs(twins: Twins) -> dict[tuple[int, int], float]:
    return {
        (int(a), int(b)): float(r)
        for a, b, r in zip(twins.first, twins.second, twins.correlation, strict=True)
    }


def by_pandas(X: Floats) -> dict[tuple[int, int], float]:
    found = pd.DataFrame(X).corr(method="spearman", min_periods=LEAST_SHARED).to_numpy()
    first, second = np.nonzero(np.triu(np.abs(found) > SAME, 1))
    return {(int(a), int(b)): float(found[a, b]) for a, b in zip(first, second, strict=True)}


def test_a_rank_correlation_by_hand() -> None:
    # Ranks 1 2 3 4 against 1 2 4 3: 1 - 6 * 2 / (4 * 15); the pair with a gap is not there.
    a = np.array([[1.0], [2.0], [3.0], [4.0], [9.0]])
    b = np.array([[10.0], [20.0], [80.0], [30.0], [NAN]])
    assert rank_correlations(a, b)[0] == pytest.approx(0.8)
    assert np.isnan(rank_correlations(a, np.ones((5, 1)))[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_all_pairs_agree_with_pandas(seed: int) -> None:
    X = tables(seed)
    ours, theirs = pairs(find_twins(X)), by_pandas(X)
    assert ours.keys() == theirs.keys()
    for pair, r in ours.items():
        assert r == pytest.approx(theirs[pair], abs=1e-9)


def test_there_are_twins_to_find() -> None:
    assert sum(len(by_pandas(tables(seed))) for seed in range(10)) > 50


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_monotone_transformations_leave_twins_unchanged(seed: int) -> None:
    X = tables(seed)
    bent = X.copy()
    bent[:, 0::3] = np.arctan(X[:, 0::3] / 50)
    bent[:, 1::3] = X[:, 1::3] ** 3
    before, after = pairs(find_twins(X)), pairs(find_twins(bent))
    assert after == pytest.approx(before)
    turned = pairs(find_twins(X * np.where(np.arange(X.shape[1]) % 2, -1, 1)))
    assert turned.keys() == before.keys()
    assert [abs(r) for r in turned.values()] == pytest.approx([abs(r) for r in before.values()])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_the_order_of_rows_and_columns_does_not_matter(seed: int) -> None:
    X = tables(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
    there = {
        tuple(sorted((int(columns[a]), int(columns[b])))): r
        for (a, b), r in pairs(find_twins(X[rows][:, columns])).items()
    }
    assert there == pytest.approx(pairs(find_twins(X)))


def test_few_rows_make_nobody_a_twin() -> None:
    rising = np.arange(LEAST_SHARED - 1.0)
    assert not len(find_twins(np.stack([rising, rising], axis=1)).first)
    assert not len(find_twins(np.zeros((0, 3))).first)
    assert not len(find_twins(np.full((50, 3), NAN)).first)
    assert not len(find_twins(np.ones((50, 3))).first)


TWINS = Twins(np.array([0, 0, 3]), np.array([1, 2, 4]), np.array([0.95, -0.99, 0.91]))


def test_twins_of_a_column_come_closest_first() -> None:
    assert TWINS.of(0) == {2: -0.99, 1: 0.95}
    assert TWINS.of(4) == {3: 0.91}
    assert TWINS.of(5) == {}


def test_twins_share_the_weight_of_one() -> None:
    np.testing.assert_allclose(TWINS.weights(6), [1 / 3, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1])


def test_folding_by_hand() -> None:
    # 1 comes first and stands for 0, its only twin; 2 is a twin of 0 alone, and is told.
    folded = fold([1, 0, 5, 2, 4], TWINS, 10)
    assert [(column, list(twins)) for column, twins in folded] == [
        (1, [0]), (5, []), (2, []), (4, [3]),
    ]  # fmt: skip
    assert [column for column, _ in fold([1, 0, 5, 2], TWINS, 2)] == [1, 5]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000))
def test_no_two_that_are_told_are_twins_and_none_is_lost(seed: int) -> None:
    twins = find_twins(tables(seed))
    order = np.random.default_rng(seed).permutation(25).tolist()
    folded = fold(order, twins, 25)
    told = [column for column, _ in folded]
    assert not set(pairs(twins)) & {(a, b) for a in told for b in told}
    assert sorted([*told, *(twin for _, under in folded for twin in under)]) == sorted(order)


def test_blocks_of_columns_find_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    X = np.repeat(random.normal(size=(60, 9)), 3, axis=1) + 0.2 * random.normal(size=(60, 27))
    X[random.random(X.shape) < 0.2] = np.nan
    whole = find_twins(X)
    monkeypatch.setattr(twins, "_PAIRS", 4 * X.shape[1])
    blocks = find_twins(X)
    assert len(whole.first) > 10
    order = np.lexsort([blocks.second, blocks.first])
    np.testing.assert_array_equal(blocks.first[order], whole.first)
    np.testing.assert_array_equal(blocks.second[order], whole.second)
