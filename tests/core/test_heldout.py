"""What calls are worth: by hand, against scikit-learn, and that intervals hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followdata.core.heldout import (
    balanced_accuracy,
    calibrated,
    confidences,
    folds,
    log_loss,
    reliability,
)
from followdata.core.logistic import called
from followdata.core.resampled import stability


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(2, 10), st.integers(0, 99))
def test_folds_are_even_over_all_and_within_each_class(
    classes: list[int], number: int, seed: int
) -> None:
    fold = folds(np.array(classes), number, np.random.default_rng(seed))
    assert np.ptp(np.bincount(fold, minlength=number)) <= 1
    for one in set(classes):
        assert np.ptp(np.bincount(fold[np.array(classes) == one], minlength=number)) <= 1


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import balanced_accuracy_score

    random = np.random.default_rng(0)
    classes, calls = random.integers(0, 4, 90), random.integers(0, 4, 90)
    found = balanced_accuracy(classes, calls)
    assert found.value == pytest.approx(balanced_accuracy_score(classes, calls))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("chances", [(0.5, 0.6, 0.7), (0.95, 0.8, 0.9)])
def test_the_interval_holds_the_true_accuracy(chances: tuple[float, ...]) -> None:
    random, held = np.random.default_rng(1), 0
    classes = np.repeat([0, 1, 2], [75, 30, 12])
    for _ in range(200):
        right = random.random(len(classes)) < np.array(chances)[classes]
        _, low, high = balanced_accuracy(classes, np.where(right, classes, -1))
        held += int(low <= np.mean(chances) <= high)
    assert 0.92 <= held / 200 <= 0.985


def test_sharpness_is_found_again() -> None:
    random = np.random.default_rng(2)
    likeness = random.uniform(-1, 1, (4000, 3))
    chances = confidences(likeness, 4.0)
    classes = (random.random((4000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    assert calibrated(likeness, classes) == pytest.approx(4.0, rel=0.08)
    band = reliability(chances.max(1), chances.argmax(1) == classes, np.linspace(0, 1, 6))
    share, some = band.right / np.maximum(band.number, 1), band.number > 100
    assert np.abs(share - band.confidence)[some].max() < 0.05


def test_loss_is_that_of_scikit_learn_and_a_row_without_likeness_has_no_chance() -> None:
    from sklearn import metrics

    random = np.random.default_rng(3)
    likeness, classes = random.normal(size=(20, 3)), np.arange(20) % 3
    theirs = metrics.log_loss(classes, confidences(likeness, 2.0))
    assert log_loss(likeness, classes, 2.0) == pytest.approx(theirs)
    gone = np.vstack([likeness, [[np.nan] * 3]])
    assert log_loss(gone, np.r_[classes, 0], 2.0) == pytest.approx(theirs)
    assert np.isnan(confidences(gone, 2.0)[-1]).all()


def test_the_plain_classifier_is_that_of_all_columns() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(4)
    classes = np.arange(40) % 2
    X = random.normal(size=(40, 120))
    X[:, :5] += 2 * classes[:, None]
    scale = StandardScaler().fit(X[:30])
    theirs = {
        tuple(
            LogisticRegression(C=freedom / 120, class_weight="balanced", max_iter=5000, tol=1e-8)
            .fit(scale.transform(X[:30]), classes[:30])
            .predict(scale.transform(X[30:]))
        )
        for freedom in (0.1, 1.0, 10.0, 100.0)
    }
    assert tuple(called(X[:30], classes[:30], X[30:])) in theirs


def test_a_missing_value_adds_nothing() -> None:
    random = np.random.default_rng(5)
    classes = np.arange(60) % 2
    X = random.normal(size=(60, 4)) + 3 * classes[:, None]
    X[random.random(X.shape) < 0.3] = np.nan
    assert (called(X[:40], classes[:40], X[40:]) == classes[40:]).mean() > 0.85
    assert len(called(X[:40], classes[:40], np.full((1, 4), np.nan))) == 1


def test_a_firm_call_stays_and_a_row_without_values_has_none() -> None:
    profiles = np.array([np.arange(30.0), -np.arange(30.0), np.tile([1.0, -1.0], 15)])
    rows = np.vstack([profiles[0] + 0.1 * profiles[2], np.full(30, np.nan)])
    found = stability(rows, profiles)
    assert found[0, 0] == 1
    assert np.isnan(found[1]).all()
    noise = np.random.default_rng(6).normal(size=(20, 30))
    assert stability(noise, profiles).max(axis=1).mean() < 0.9
    assert np.allclose(stability(noise, profiles).sum(axis=1), 1)
