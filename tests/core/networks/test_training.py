"""What PyTorch teaches: against calculus, and what must hold of every training."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from followdata.core.inference import AVERAGE, METHODS, RIDGE, held_out
from followdata.core.networks import adage, autoencoders, training
from followdata.core.networks.autoencoders import DENOISING, Autoencoder
from followdata.core.networks.multitask import multitask
from followdata.core.networks.network import Network
from followdata.core.networks.training import Course, train
from followdata.errors import DiskFull
from followdata.store import Store

torch = pytest.importorskip(
    "torch", reason='NO PYTORCH: networks are not trained here; pip install "followdata[networks]"'
)
Floats = npt.NDArray[np.float64]
QUICK = Course(cycles=60, rate=0.02, batch=16)


def plane(rows: int = 60, columns: int = 6, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(size=(rows, 2)) @ rng.normal(size=(2, columns)))


def test_one_linear_layer_becomes_least_squares() -> None:
    X = plane(80, 5) + 0.3 * np.random.default_rng(1).normal(size=(80, 5))
    start = Network.begun([3, 2], ["linear"], np.random.default_rng(0))
    found = train(start, X[:, :3], X[:, 3:], Course(cycles=300, rate=0.2, batch=80))
    design = np.column_stack([X[:, :3], np.ones(80)])
    expected = design @ np.linalg.lstsq(design, X[:, 3:], rcond=None)[0]
    np.testing.assert_allclose(found.outputs(X[:, :3]), expected, atol=0.02)


def test_the_same_seed_gives_the_same_network_and_leaves_chance_alone() -> None:
    X = plane()
    start = Network.begun([6, 2, 6], ["tanh", "linear"], np.random.default_rng(0))
    course = replace(QUICK, zeroed=0.2, dropout=0.1, noise=0.1, cycles=5)
    before = torch.get_rng_state().tolist()
    first, again = (train(start, X, X, course, seed=3) for _ in range(2))
    other = train(start, X, X, course, seed=4)
    np.testing.assert_array_equal(first.parameters, again.parameters)
    assert not np.array_equal(first.parameters, other.parameters)
    assert torch.get_rng_state().tolist() == before
    np.testing.assert_array_equal(
        start.parameters,
        Network.begun([6, 2, 6], ["tanh", "linear"], np.random.default_rng(0)).parameters,
    )


def test_tied_weights_stay_tied() -> None:
    X = plane()
    model = autoencoders.fit(X, (4, 2), course=replace(QUICK, cycles=5))
    layers = model.layers
    np.testing.assert_array_equal(layers[0][0], layers[3][0].T)
    np.testing.assert_array_equal(layers[1][0], layers[2][0].T)
    free = autoencoders.fit(X, (4, 2), tied=False, course=replace(QUICK, cycles=5))
    assert not np.array_equal(free.layers[0][0], free.layers[3][0].T)


def test_two_linear_numbers_bring_a_plane_back() -> None:
    X = plane()
    course = Course(cycles=400, rate=0.02, batch=60)
    model = autoencoders.fit(X, (2,), activation="linear", course=course)
    assert autoencoders.errors(model, X).mean() < 0.01
    assert autoencoders.encode(model, X).shape == (60, 2)


def test_a_stack_learns_layer_by_layer_what_one_layer_cannot() -> None:
    angle = np.random.default_rng(0).uniform(0, 1.6 * np.pi, 150)
    X = np.column_stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    course = Course(cycles=150, rate=0.02, batch=30)
    line = autoencoders.fit(X, (1,), activation="linear", course=course)
    curve = autoencoders.fit(X, (12, 1), tied=False, course=course)
    assert autoencoders.errors(curve, X).mean() < 0.6 * autoencoders.errors(line, X).mean()


def test_what_was_taught_with_hidden_values_finds_hidden_values() -> None:
    X = plane(200, 8)
    rng = np.random.default_rng(5)
    found = {}
    for share in (0.0, 0.3):
        course = Course(cycles=120, rate=0.02, batch=40, zeroed=share)
        model = autoencoders.fit(X, (6,), activation="linear", tied=False, course=course)
        scaled = autoencoders.scale(model, X)
        hidden = rng.random(X.shape) < 0.3
        back = model.outputs(np.where(hidden, 0.0, scaled))
        found[share] = float(np.abs(back - scaled)[hidden].mean())
    assert found[0.3] < 0.8 * found[0.0]


def test_missing_values_teach_nothing() -> None:
    X = plane(40)
    X[::5, 2] = np.nan
    model = autoencoders.fit(X, (2,), activation="linear", course=replace(QUICK, cycles=200))
    missed = autoencoders.errors(model, X)
    assert np.isnan(missed[::5, 2]).all()
    assert np.nanmean(missed) < 0.02


def test_cross_entropy_and_its_slopes_are_those_worked_out_by_hand() -> None:
    """The trainer in NumPy of `adage` against PyTorch's own derivatives."""
    rng = np.random.default_rng(0)
    model = adage.Adage(rng.normal(size=(7, 3)), rng.normal(size=3), rng.normal(size=7))
    given, wanted = rng.random((5, 7)), rng.random((5, 7))
    known = rng.random((5, 7)) > 0.2
    parts = [
        torch.tensor(part, requires_grad=True)
        for part in (model.weights, model.hidden_bias, model.visible_bias)
    ]
    active = torch.sigmoid(torch.tensor(given) @ parts[0] + parts[1])
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        active @ parts[0].T + parts[2], torch.tensor(wanted), reduction="none"
    )
    error = (each * torch.tensor(known)).sum() / 5
    error.backward()
    assert adage.loss(model, given, wanted, known) == pytest.approx(float(error.detach()))
    for mine, peer in zip(adage.gradients(model, given, wanted, known), parts, strict=True):
        np.testing.assert_allclose(mine, peer.grad.numpy(), atol=1e-12)


def test_a_tied_sigmoid_network_learns_as_well_in_both() -> None:
    rng = np.random.default_rng(0)
    S = (rng.random((80, 2)) @ rng.random((2, 10))) / 2
    start = Network.begun([10, 3, 10], ["sigmoid", "sigmoid"], rng)
    start = autoencoders._turned(start)
    course = Course(cycles=80, rate=0.03, batch=20, loss="cross-entropy")
    peer = train(start, S, S, course, tied=True)
    own = adage.fit(S, 3, cycles=80, corruption=0.0, rate=0.03, batch=20)
    theirs = float(np.abs(peer.outputs(S) - S).mean())
    mine = float(np.abs(adage.restored(own, adage.activity(own, S)) - S).mean())
    assert mine < 1.2 * theirs + 0.005


def test_a_multi_task_network_tells_what_bends() -> None:
    rng = np.random.default_rng(0)
    markers = rng.normal(size=(120, 2))
    X = np.hstack([markers, np.tanh(2 * markers) @ rng.normal(size=(2, 6)), markers**2])
    methods = {
        "network": multitask(hidden=(30,), course=Course(cycles=150, rate=0.02, batch=24)),
        AVERAGE: METHODS[AVERAGE],
        RIDGE: METHODS[RIDGE],
    }
    found = held_out(X, np.arange(120) % 2, lambda Z, columns: np.array([0, 1]), methods)
    mean = {name: float(np.nanmean(missed)) for name, missed in found.missed.items()}
    assert mean["network"] < 0.8 * mean[RIDGE]


def test_what_cannot_be_taught_is_said() -> None:
    start = Network.begun([3, 2], ["linear"], np.random.default_rng(0))
    with pytest.raises(ValueError, match="rows"):
        train(start, np.zeros((3, 3)), np.zeros((2, 2)), QUICK)
    with pytest.raises(ValueError, match="columns"):
        train(start, np.zeros((3, 3)), np.zeros((3, 3)), QUICK)
    with pytest.raises(ValueError, match="complete"):
        train(start, np.full((3, 3), np.nan), np.zeros((3, 2)), QUICK)
    with pytest.raises(ValueError, match="tied"):
        train(start, np.zeros((3, 3)), np.zeros((3, 2)), QUICK, tied=True)
    with pytest.raises(ValueError, match="dropout"):
        Course(dropout=1.0)
    with pytest.raises(ValueError, match="no value"):
        autoencoders.fit(np.full((3, 2), np.nan))


KILLED = """
import sys
from pathlib import Path
import numpy as np
from followdata.core.networks import autoencoders
from followdata.core.networks.training import Course
from followdata.store import Store

store = Store(Path(sys.argv[1]))

def watch(cycle, network):
    store.keep_fitted("model", network)
    print(cycle, flush=True)

X = np.random.default_rng(0).normal(size=(400, 60))
autoencoders.fit(X, (200,), course=Course(cycles=100000, batch=200), watch=watch)
"""


def test_after_kill_9_the_last_saved_network_loads(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if int(line) == 5:
                break
        os.kill(run.pid, signal.SIGKILL)
    loaded = Store(tmp_path).fitted("model", Network)
    assert loaded is not None
    assert np.isfinite(loaded.outputs(np.zeros((1, 60)))).all()


def test_with_a_full_disk_the_last_saved_network_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    saved: list[Network] = []

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def watch(cycle: int, network: Network) -> None:
        if cycle == 3:
            monkeypatch.setattr(os, "fsync", full)
        store.keep_fitted("model", network)
        saved.append(network)

    with pytest.raises(DiskFull):
        autoencoders.fit(plane(), (2,), course=replace(QUICK, cycles=9), watch=watch)
    monkeypatch.undo()
    loaded = store.fitted("model", Network)
    np.testing.assert_array_equal(loaded.parameters, saved[-1].parameters)
    assert len(saved) == 3


def test_an_autoencoder_is_stored_with_its_scale(tmp_path: Path) -> None:
    X = plane()
    model = autoencoders.fit(X, (3, 2), course=replace(DENOISING, cycles=3))
    store = Store(tmp_path)
    store.keep_fitted("model", model)
    loaded = store.fitted("model", Autoencoder)
    np.testing.assert_array_equal(autoencoders.encode(loaded, X), autoencoders.encode(model, X))
    assert training.available()
