"""Selection: the score by hand and against SciPy, what is found, and what chance is allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from followdata.core.cuts import Ranked, chi_squares
from followdata.core.selection import LEVEL, Selection, select

Floats = npt.NDArray[np.float64]


def classes_of(rows: int, number: int = 4) -> npt.NDArray[np.str_]:
    return np.array(["A", "B", "C", "D"])[np.arange(rows) % number]


def members_of(classes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.asarray(classes == np.unique(classes)[:, None], dtype=np.float32)


def noise(rows: int, columns: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, columns))


@pytest.fixture(scope="module")
def planted() -> tuple[Floats, npt.NDArray[np.str_], Selection]:
    """Ten of sixty columns whose means differ, a tenth of the values missing."""
    X, classes = noise(77, 60, 1), classes_of(77)
    X[:, :10] += np.random.default_rng(2).normal(0, 1.5, (4, 10))[np.arange(77) % 4]
    X[np.random.default_rng(3).random(X.shape) < 0.1] = np.nan
    return X, classes, select(X, classes)


# Cuts


def test_a_table_of_two_by_two_by_hand() -> None:
    # Class by side: 3, 1 and 1, 3: chi-squared is 8 * (9 - 1)^2 / 4^4 = 2.
    members = members_of(np.array(list("aaaabbbb")))[None]
    below = np.array([[1, 1, 1, 0, 1, 0, 0, 0]], dtype=np.float32).T
    assert chi_squares(members, below)[0, 0] == pytest.approx(2)


def test_chi_squares_are_those_of_scipy_within_sets_and_with_gaps() -> None:
    random = np.random.default_rng(0)
    X = random.integers(0, 9, (60, 40)).astype(float)
    X[random.random(X.shape) < 0.2] = np.nan
    classes, within = (
        random.integers(0, 3, 60),
        np.array([random.random(60) < 0.7, np.ones(60) > 0]),
    )
    ranked = Ranked.of(X)
    below = ranked.below(0.4)
    sets = (within[:, None, :] * members_of(classes)).astype(np.float32)
    found = chi_squares(sets, below.astype(np.float32), ranked.observed.astype(np.float32))
    for rows, values in zip(within, found, strict=True):
        for column, value in enumerate(values):
            seen = rows & ~np.isnan(X[:, column])
            counts = np.array([[(below[seen, column] == side)[classes[seen] == one].sum()
                                for side in (True, False)] for one in range(3)])  # fmt: skip
            counts = counts[counts.sum(1) > 0]
            theirs = 0.0 if (counts.sum(0) == 0).any() else stats.chi2_contingency(
                counts, correction=False).statistic  # fmt: skip
            assert value == pytest.approx(theirs, abs=1e-3)


def test_all_cuts_together_are_the_anderson_darling_statistic() -> None:
    X, classes = noise(40, 6, 4), classes_of(40)
    X[:, 0] += np.arange(40) % 4
    ranked, members = Ranked.of(X), members_of(classes)[None]
    cuts = [ranked.below((at + 0.5) / 40).astype(np.float32) for at in range(39)]
    ours = sum(chi_squares(members, cut)[0].astype(float) for cut in cuts) / 40 - 3
    with pytest.warns(UserWarning, match="p-value"):
        theirs = [
            stats.anderson_ksamp([x[classes == one] for one in "ABCD"], variant="right").statistic
            for x in X.T
        ]
    # SciPy gives the statistic less its expectation, over a deviation that depends on sizes only.
    assert np.allclose(ours / ours[0], np.array(theirs) / theirs[0], atol=1e-4)


@given(hnp.arrays(np.float64, (9, 4), elements=st.sampled_from([0.0, 1.0, 2.5, np.nan])),
       st.floats(0, 1))  # fmt: skip
def test_a_cut_parts_what_varies_and_keeps_equal_values_together(X: Floats, share: float) -> None:
    below = Ranked.of(X).below(share)
    for values, side in zip(X.T, below.T, strict=True):
        known = values[~np.isnan(values)]
        assert not side[np.isnan(values)].any()
        if len(np.unique(known)) > 1:
            assert max(values[side]) < min(known[~np.isin(known, values[side])])


# What is found


def test_what_was_planted_is_found(planted: Any) -> None:
    found = planted[2]
    assert found.stands_out
    assert found.confirmed[:10].sum() >= 8
    assert found.confirmed[10:].sum() <= 1
    assert set(found.decisions) <= {"confirmed", "tentative", "rejected"}
    assert (found.hits[found.confirmed] >= 15).all()
    assert (found.q[found.confirmed] <= LEVEL).all()


def test_neither_the_order_of_columns_nor_threads_change_anything(planted: Any) -> None:
    X, classes, found = planted
    order = np.random.default_rng(5).permutation(X.shape[1])
    done: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        moved = select(X[:, order], classes, executor=executor, watch=done.append)
    assert (moved.importance == found.importance[order]).all()
    assert (moved.q == found.q[order]).all()
    assert (moved.hits == found.hits[order]).all()
    assert done == list(range(1, 61))


def test_a_scale_that_keeps_order_changes_nothing_and_a_seed_is_an_answer(planted: Any) -> None:
    X, classes, found = planted
    assert (select(np.exp(X), classes).importance == found.importance).all()
    assert (select(X, classes, seed=1).importance != found.importance).any()


def test_equal_columns_are_equally_important_and_constant_ones_are_nothing() -> None:
    X = noise(40, 8, 6)
    X[:, 1], X[:, 2], X[:, 3] = X[:, 0], 7.0, np.nan
    found = select(X, classes_of(40, 2))
    assert found.importance[0] == found.importance[1]
    assert np.isnan(found.importance[2:4]).all()
    assert np.isnan(found.q[2:4]).all()
    assert not found.hits[2:4].any()
    assert not select(np.ones((40, 3)), classes_of(40, 2)).confirmed.any()


def test_a_column_that_tells_nothing_alone_is_found_beside_another() -> None:
    """Where the first column is high, the second makes b likelier; where it is low, less likely."""
    X, random = noise(400, 30, 7), np.random.default_rng(8)
    chance = np.where(X[:, 0] > 0, np.where(X[:, 1] > 0, 1.0, 0.4), np.where(X[:, 1] > 0, 0.0, 0.6))
    classes = np.where(random.random(400) < chance, "b", "a")
    found = select(X, classes)
    assert np.flatnonzero(found.confirmed).tolist() == [0, 1]
    assert stats.ttest_ind(X[classes == "a", 1], X[classes == "b", 1]).pvalue > 0.05


def test_one_column_of_many_is_enough() -> None:
    X = noise(60, 300, 8)
    X[:, 77] += 3 * (np.arange(60) % 2)
    assert np.flatnonzero(select(X, classes_of(60, 2)).confirmed).tolist() == [77]


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="two classes"):
        select(noise(10, 2, 0), np.array(["a"] * 10))
    with pytest.raises(ValueError, match="copies"):
        select(noise(10, 2, 0), classes_of(10), copies=5)


# What chance is allowed


def test_ten_tables_of_noise() -> None:
    some = [select(noise(77, 100, 20 + seed), classes_of(77)).confirmed.any() for seed in range(10)]
    assert sum(some) <= 2


def test_related_noise_stands_out_in_one_table_of_twenty() -> None:
    """Columns that all but repeat each other: if one looks good by chance, all do."""
    random, out = np.random.default_rng(9), 0
    for seed in range(60):
        X = random.normal(size=(24, 1)) + 0.3 * random.normal(size=(24, 12))
        out += select(X, classes_of(24, 2), trees=12, seed=seed).stands_out
    assert out <= stats.binom.ppf(0.999, 60, 0.05)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_rates_grow_as_importance_falls(seed: int) -> None:
    found = select(noise(24, 10, seed), classes_of(24, 2), trees=4, seed=seed)
    order = np.argsort(-found.importance)
    assert (np.diff(found.q[order]) >= 0).all()
    assert (np.diff(found.chance[order]) >= 0).all()
    assert ((found.q > 0) & (found.q <= 1)).all()
