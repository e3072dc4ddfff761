"""Centroids: by hand, against SciPy, and that nothing is learnt from what is held out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from followdata.core.centroids import Centroids, learnt, mean_centroids, told_apart, tried
from followdata.core.heldout import balanced_accuracy, confidences


def test_likeness_is_spearmans_correlation_over_what_both_have() -> None:
    random = np.random.default_rng(0)
    X, values, centre = (
        random.normal(size=(5, 12)),
        random.normal(size=(3, 12)),
        random.normal(size=12),
    )
    X[0, 3], values[1, 5] = np.nan, np.nan
    found = Centroids(np.arange(12), centre, values, 1.0).likeness(X)
    for row in range(5):
        for one in range(3):
            # A value has its rank within its own row, whether the other has one too or not.
            ranks = [stats.rankdata(v, nan_policy="omit") for v in (X[row] - centre, values[one])]
            both = ~np.isnan(ranks).any(axis=0)
            theirs = stats.pearsonr(ranks[0][both], ranks[1][both]).statistic
            assert found[row, one] == pytest.approx(theirs)
    assert found[1, 0] == pytest.approx(stats.spearmanr(X[1] - centre, values[0]).statistic)


def test_a_common_class_does_not_pull_the_centre() -> None:
    X = np.array([[0.0], [0.0], [0.0], [4.0]])
    found = mean_centroids(X, np.array([0, 0, 0, 1]), np.array([0]))
    assert found.centre == 2
    assert found.values.tolist() == [[-2.0], [2.0]]


def test_columns_come_in_the_order_of_f() -> None:
    random = np.random.default_rng(1)
    X, classes = random.normal(size=(30, 12)) + np.arange(12) / 4, np.arange(30) % 3
    X[:, 4] += 2.0 * classes
    X[random.random(X.shape) < 0.1] = np.nan
    X[classes == 1, 7] = np.nan
    theirs = stats.f_oneway(*(np.delete(X, 7, 1)[classes == one] for one in range(3)),
                            nan_policy="omit").statistic  # fmt: skip
    order = told_apart(X, classes)
    assert order[-1] == 7
    assert order[:-1].tolist() == np.delete(np.arange(12), 7)[np.argsort(-theirs)].tolist()


def test_classes_are_learnt_and_called() -> None:
    random = np.random.default_rng(2)
    classes = np.arange(90) % 3
    X = random.normal(size=(90, 80))
    X[:, :20] += random.normal(0, 1.2, (3, 20))[classes]
    X[random.random(X.shape) < 0.05] = np.nan
    found = tried(X, classes, number=5, sizes=(5, 20, 80))
    assert balanced_accuracy(classes, found.likeness.argmax(1)).low > 0.7
    assert len(found.centroids.columns) in (5, 20, 80)
    assert np.isin(found.size, (5, 20, 80)).all()
    calls = found.centroids.likeness(X[:, found.centroids.columns]).argmax(1)
    assert (calls == classes).mean() >= (found.likeness.argmax(1) == classes).mean()


def test_labels_without_meaning_are_called_no_better_than_by_guessing() -> None:
    """Columns are chosen by the classes: were that done before rows are held out, noise would be
    told apart."""
    held, sure = 0, []
    for seed in range(12):
        random = np.random.default_rng(seed)
        X, classes = random.normal(size=(45, 150)), np.arange(45) % 3
        found = tried(X, classes, number=3, sizes=(10, 30), seed=seed)
        _, low, high = balanced_accuracy(classes, found.likeness.argmax(1))
        held += low <= 1 / 3 <= high
        chances = [confidences(row[None], s).max() for row, s in
                   zip(found.likeness, found.sharpness, strict=True)]  # fmt: skip
        sure.append(np.mean(chances))
    assert held >= 9
    assert np.mean(sure) < 0.45  # and so it is said


def test_the_same_again() -> None:
    X = np.random.default_rng(3).normal(size=(30, 20))
    one, two = (learnt(X, np.arange(30) % 2, sizes=(5, 10)) for _ in range(2))
    assert (one.columns == two.columns).all()
    assert one.sharpness == two.sharpness
