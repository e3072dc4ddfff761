from __future__ import annotations

import numpy as np
import pytest

from followdata.core.factors import (
    chosen_columns,
    held_out,
    joint_factors,
    sparse_discriminants,
)
from followdata.core.heldout import folds

Floats = np.ndarray


def planted(n: int = 60, *, noise: float = 0.5, seed: int = 0) -> tuple[list[Floats], Floats]:
    """Three blocks: one factor runs through all, a second through the first block only."""
    random = np.random.default_rng(seed)
    shared, own = random.normal(size=(2, n, 1))
    sizes = (80, 30, 200)
    blocks = [shared * random.normal(size=p) + noise * random.normal(size=(n, p)) for p in sizes]
    blocks[0] = blocks[0] + own * np.repeat([0.0, 2.0], 40)
    return blocks, np.hstack([shared, own])


def test_the_factor_that_runs_through_all_blocks_comes_first() -> None:
    blocks, truth = planted()
    found = joint_factors(blocks, rank=3)
    assert abs(np.corrcoef(found.scores[:, 0], truth[:, 0])[0, 1]) > 0.97
    assert abs(np.corrcoef(found.scores[:, 1], truth[:, 1])[0, 1]) > 0.9
    assert (found.shares[:, 0] > 0.3).all()
    # The second is of the first block alone.
    assert found.shares[0, 1] > 0.2
    assert (found.shares[1:, 1] < 0.05).all()


def test_of_one_block_they_are_its_principal_components() -> None:
    X = np.random.default_rng(3).normal(size=(20, 6)) * [5, 4, 3, 2, 1, 1]
    found = joint_factors([X], rank=2)
    Z = (X - X.mean(0)) / X.std(0)
    left, size, _ = np.linalg.svd(Z, full_matrices=False)
    for factor in range(2):
        assert abs(np.corrcoef(found.scores[:, factor], left[:, factor])[0, 1]) > 1 - 1e-9
    np.testing.assert_allclose(found.shares[0], (size**2 / (size**2).sum())[:2], atol=1e-9)


def test_a_block_does_not_rule_by_being_wide_or_by_its_unit() -> None:
    blocks, _ = planted()
    once = joint_factors(blocks, rank=2)
    wider = joint_factors([blocks[0], np.tile(blocks[1], 20) * 1000 + 7, blocks[2]], rank=2)
    np.testing.assert_allclose(np.abs(wider.scores), np.abs(once.scores), rtol=1e-6, atol=1e-6)


def test_missing_cells_move_the_factors_little() -> None:
    blocks, truth = planted()
    random = np.random.default_rng(5)
    holed = [np.where(random.random(block.shape) < 0.3, np.nan, block) for block in blocks]
    found = joint_factors(holed, rank=2)
    assert abs(np.corrcoef(found.scores[:, 0], truth[:, 0])[0, 1]) > 0.95
    assert np.isfinite(found.scores).all()


def test_rows_that_had_no_part_are_placed_where_they_belong() -> None:
    blocks, truth = planted(90)
    learnt = joint_factors([block[:60] for block in blocks], rank=2)
    placed = learnt.placed([block[60:] for block in blocks])
    assert abs(np.corrcoef(placed[:, 0], truth[60:, 0])[0, 1]) > 0.95
    own = learnt.placed([block[:60] for block in blocks])
    np.testing.assert_allclose(own, learnt.scores, atol=0.02 * learnt.scores.std())
    # A row may lack a whole block.
    without = [blocks[0][60:], blocks[1][60:], np.full((30, 200), np.nan)]
    assert abs(np.corrcoef(learnt.placed(without)[:, 0], truth[60:, 0])[0, 1]) > 0.9


def test_few_columns_tell_the_classes_and_are_the_right_ones() -> None:
    random = np.random.default_rng(7)
    classes = np.repeat([0, 1, 2], 25)
    blocks = [random.normal(size=(75, 150)) for _ in range(2)]
    for block in blocks:
        block[classes == 1, :5] += 2
        block[classes == 2, 5:10] -= 2
    blocks[1][random.random(blocks[1].shape) < 0.1] = np.nan
    found = sparse_discriminants(blocks, classes, components=2, keep=8)
    for weights in found.weights:
        assert ((weights != 0).sum(0) <= 8).all()
        assert set(np.flatnonzero((weights != 0).any(1))) >= set(range(10)) - {0, 5}
    calls = np.empty(75, dtype=np.intp)
    for learn, out in held_out(folds(classes, 5, random)):
        one = sparse_discriminants([b[learn] for b in blocks], classes[learn], keep=8)
        calls[out] = one.called([b[out] for b in blocks])
    assert (calls == classes).mean() > 0.9


def test_where_there_is_nothing_to_tell_nothing_is_told() -> None:
    """Calls of rows held out are no better than guessing: 1 of 3, with a margin of four standard
    errors."""
    random = np.random.default_rng(11)
    right = []
    for _ in range(10):
        classes = random.permutation(np.repeat([0, 1, 2], 20))
        blocks = [random.normal(size=(60, 100)) for _ in range(2)]
        for learn, out in held_out(folds(classes, 4, random)):
            found = sparse_discriminants([b[learn] for b in blocks], classes[learn])
            right.extend(found.called([b[out] for b in blocks]) == classes[out])
    assert np.mean(right) == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(right)))


def test_columns_that_vary_most_and_are_seen_often_enough_are_chosen() -> None:
    X = np.array([[0.0, 0, 0, 1], [9, 1, 0, np.nan], [0, 2, 0, np.nan], [9, 3, 0, np.nan]])
    assert chosen_columns(X, 2).tolist() == [0, 1]
    assert chosen_columns(X, 9).tolist() == [0, 1]


def test_of_one_block_with_all_columns_it_is_partial_least_squares() -> None:
    """The first component, beside that of scikit-learn."""
    from sklearn.cross_decomposition import PLSRegression

    random = np.random.default_rng(13)
    classes = np.repeat([0, 1, 2], 20)
    X = random.normal(size=(60, 12))
    X[:, :4] += classes[:, None]
    X[classes == 1, 4:8] += 1.5
    found = sparse_discriminants([X], classes, components=1, keep=12)
    targets = (classes[:, None] == np.arange(3)).astype(float)
    Z = (X - X.mean(0)) / X.std(0)
    theirs = PLSRegression(n_components=1, scale=False).fit(Z, targets).x_weights_[:, 0]
    ours = found.weights[0][:, 0]
    np.testing.assert_allclose(ours * np.sign(ours @ theirs), theirs, atol=5e-3)
