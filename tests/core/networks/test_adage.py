"""ADAGE's network: by hand, against numerical slopes, and what was published of the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from followdata.core.networks import adage
from followdata.core.networks.adage import Adage
from followdata.core.networks.network import sigmoid
from followdata.sources.adage import read_activities, read_network

Floats = npt.NDArray[np.float64]


def modules(rows: int = 120, seed: int = 0) -> Floats:
    """Rows in which two blocks of ten columns go up and down together, among ten that do not."""
    rng = np.random.default_rng(seed)
    S = 0.3 + 0.4 * rng.random((rows, 30))
    for block in (slice(0, 10), slice(10, 20)):
        S[:, block] = np.clip((rng.random(rows) > 0.5)[:, None] * 0.8 + 0.2 * S[:, block], 0, 1)
    return S


def test_slopes_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    model = Adage(rng.normal(size=(5, 2)), rng.normal(size=2), rng.normal(size=5))
    given, wanted, known = rng.random((4, 5)), rng.random((4, 5)), rng.random((4, 5)) > 0.3
    slopes = adage.gradients(model, given, wanted, known)
    parts = [model.weights, model.hidden_bias, model.visible_bias]
    for at, (part, slope) in enumerate(zip(parts, slopes, strict=True)):
        for place in np.ndindex(part.shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = [each.copy() for each in parts]
                moved[at][place] += step
                losses.append(adage.loss(Adage(*moved), given, wanted, known))
            assert slope[place] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-6)


def test_nodes_find_what_goes_together() -> None:
    S = modules()
    model = adage.fit(S, 4, cycles=60, seed=0)
    strength = np.abs(adage.standing_out(model.weights))
    # Some node answers to a block, and little to those that go their own way.
    for block in (slice(0, 10), slice(10, 20)):
        assert (strength[block].mean(axis=0) / strength[20:].mean(axis=0)).max() > 2
    missed = np.abs(adage.restored(model, adage.activity(model, S)) - S)[:, :20].mean()
    assert missed < 0.5 * np.abs(S - S.mean(axis=0))[:, :20].mean()


def test_the_same_seed_gives_the_same_nodes() -> None:
    S = modules(30)
    first, again, other = (adage.fit(S, 3, cycles=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)


def test_a_missing_value_teaches_nothing() -> None:
    S = modules(30)
    S[4, 7] = np.nan
    told: list[float] = []
    model = adage.fit(S, 3, cycles=4, watch=lambda cycle, loss: told.append(loss))
    assert len(told) == 4
    assert np.isfinite(told).all()
    assert np.isfinite(model.weights).all()


def test_high_weights_are_those_that_stand_out_of_their_node() -> None:
    weights = np.zeros((40, 2))
    weights[:, 0] = np.linspace(-0.1, 0.1, 40)
    weights[3, 0], weights[5, 0] = 4.0, -4.0
    rouse, quiet = adage.high_weight(weights)
    assert np.flatnonzero(rouse[:, 0]).tolist() == [3]
    assert np.flatnonzero(quiet[:, 0]).tolist() == [5]
    assert not rouse[:, 1].any()


@pytest.mark.parametrize("wrong", [{"nodes": 0}, {"corruption": 1.0}, {"rate": 0.0}])
def test_what_cannot_be_taught_is_said(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        adage.fit(modules(10), **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"0\.\.1"):
        adage.fit(modules(10) + 1.0)
    with pytest.raises(ValueError, match="biases"):
        Adage(np.zeros((3, 2)), np.zeros(3), np.zeros(3))


@pytest.mark.shared
def test_the_published_activities_follow_from_the_published_network(shared: Path) -> None:
    folder = shared / "data" / "autoencoder"
    model = Adage(*read_network(folder / "adage_network.txt.gz"))
    names, activity = read_activities(folder / "adage_activity.txt.gz")
    also, raw = read_activities(folder / "adage_raw_activity.txt.gz")
    assert model.weights.shape == (5549, 50)
    assert activity.shape == (950, 50)
    assert names == also
    # What is called raw has no bias in it yet.
    np.testing.assert_allclose(sigmoid(raw + model.hidden_bias), activity, atol=1e-8)
    # Brought back and pressed again, the samples keep their activities.
    again = adage.activity(model, adage.restored(model, activity))
    assert float(np.abs(again - activity).mean()) < 0.01
