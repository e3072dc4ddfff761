"""How firm ranks are: by hand, and whether intervals hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from followdata.core.chance import (
    LEVEL,
    chance_variance,
    rank_intervals,
    relative_smallness,
)
from followdata.core.expectation import expectation
from followdata.core.scores import ranks

SIZES = np.exp(np.maximum(np.random.default_rng(0).normal(9.8, 1, 290), 9.8 - np.log(8)))
STANDARD = (np.log(SIZES) - np.log(SIZES).mean()) / np.log(SIZES).std()


def test_intervals_by_hand() -> None:
    values = np.array([[4.0], [3.0], [2.9], [0.0], [np.nan]])
    # Two standard deviations of 0.1 make 0.14, times 1.96 is 0.28.
    low, high = rank_intervals(values, np.full((5, 1), 0.1), 1)
    assert (low[0], high[0]) == (2, 3)
    low, high = rank_intervals(values, np.full((5, 1), 10.0), 1)
    assert (low[0], high[0]) == (1, 4)
    low, high = rank_intervals(values, np.full((5, 1), 0.1), 4)
    assert np.isnan([low[0], high[0]]).all()


def test_without_chance_only_equal_values_share_places() -> None:
    values = np.array([[2.0, 1.0], [2.0, 5.0], [1.0, 3.0]])
    low, high = rank_intervals(values, np.zeros((3, 2)), 0)
    assert (low.tolist(), high.tolist()) == ([1, 3], [2, 3])


def test_smallness() -> None:
    np.testing.assert_allclose(relative_smallness(np.array([1.0, 2.0, 4.0])), [2, 1, 0.5])
    assert np.isnan(relative_smallness(np.array([0.0, -1.0, np.nan]))).all()
    assert np.isnan(relative_smallness(np.full(3, np.nan))).all()


def test_the_chance_that_was_put_in_is_found() -> None:
    rng = np.random.default_rng(1)
    q = relative_smallness(SIZES)[:, None]
    for real, chance in ((1.0, 0.0), (1.0, 0.3), (0.2, 1.0)):
        variance = real + chance * q
        residual = rng.normal(size=(290, 400)) * np.sqrt(variance)
        spread = np.broadcast_to(np.sqrt(variance), residual.shape)
        found = chance_variance(residual, spread, q[:, 0])
        # Half a standard error is added, and what is cut off takes a little away.
        assert np.median(found) == pytest.approx(chance, abs=0.12)


@pytest.mark.parametrize("trend", [0.0, 1.0])
@pytest.mark.parametrize(
    ("real", "chance"), [(1, 0), (1, 0.02), (1, 0.05), (1, 0.2), (0.3, 0.3), (0.1, 1.0)]
)
@pytest.mark.parametrize("shape", [lambda x: x, np.exp])
def test_intervals_hold_the_true_rank(
    trend: float, real: float, chance: float, shape: object
) -> None:
    """On skewed columns too, with all that has to be learnt learnt from the column itself."""
    assert callable(shape)
    rng = np.random.default_rng(2)
    q = relative_smallness(SIZES)
    truth = trend * STANDARD[:, None] + rng.normal(0, np.sqrt(real), (290, 60))
    seen = truth + rng.normal(size=truth.shape) * np.sqrt(chance * q)[:, None]
    found = expectation(shape(seen), SIZES)
    variance = chance_variance(found.normal - found.expected, found.spread, q)
    deviation, true = np.sqrt(np.outer(q, variance)), ranks(truth)
    held = []
    for row in range(0, 290, 7):
        low, high = rank_intervals(found.normal, deviation, row)
        held.append((low <= true[row]) & (true[row] <= high))
    assert np.mean(held) >= LEVEL
