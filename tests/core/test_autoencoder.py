"""The autoencoder: by hand, by numerical gradients, against PCA and another optimiser."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, optimize, special
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

from followdata.core import autoencoder
from followdata.core.autoencoder import (
    ACTIVATIONS,
    BEGINNINGS,
    OPTIMISERS,
    Autoencoder,
    Floats,
    Scaling,
    Settings,
    Training,
    train,
)

quick = settings(max_examples=20, deadline=None)
DOUBLE: Any = {"dtype": np.float64}
"""Where more digits than a training needs are compared."""


@pytest.fixture(scope="module")
def wine() -> Floats:
    return np.asarray(load_wine().data, dtype=np.float64)


def random_table(seed: int, rows: int = 12, columns: int = 5, holes: float = 0.2) -> Floats:
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, columns)) * 10.0 ** random.integers(-3, 4, columns)
    X[random.random(X.shape) < holes] = np.nan
    X[0], X[1] = 1.0, 2.0  # so that each column has two values
    return X


def by_hand(activation: str) -> Autoencoder:
    """Two columns from 10 to 20 and from 0 to 4; one unit that looks at the first alone."""
    return Autoencoder(
        parameters=np.array([1.0, 0.0, -0.5, 0.5, 0.0]),  # weights, bias of the code, of the output
        sizes=[2, 1],
        tied=True,
        activation=activation,
        low=np.array([10.0, 0.0]),
        span=np.array([10.0, 4.0]),
        mean=np.array([0.5, 0.25]),
        gain=2.0,
    )


# By hand


def test_a_row_by_hand() -> None:
    model = by_hand("linear")
    X = np.array([[15.0, 4.0], [20.0, np.nan], [np.nan, 1.0], [np.nan, np.nan]])
    np.testing.assert_allclose(
        autoencoder.scale(model, X), [[0.5, 1], [1, np.nan], [np.nan, 0.25], [np.nan, np.nan]]
    )
    # 2 * (0.5 - 0.5) - 0.5, 2 * (1 - 0.5) - 0.5; nothing but the bias where it is missing
    codes = autoencoder.encode(model, X)
    np.testing.assert_allclose(codes[:, 0], [-0.5, 0.5, -0.5, np.nan])
    # a code plus 0.5, over the gain of 2, plus the mean; the second column has its mean alone
    np.testing.assert_allclose(
        autoencoder.decode(model, codes)[:3], [[0.5, 0.25], [1.0, 0.25], [0.5, 0.25]]
    )
    np.testing.assert_allclose(autoencoder.decode(model, codes, slice(1, 2))[0], [0.25])
    np.testing.assert_allclose(
        autoencoder.errors(model, X),
        [[0.0, 0.75], [0.0, np.nan], [np.nan, 0.0], [np.nan, np.nan]],
    )
    np.testing.assert_allclose(autoencoder.unscale(model, np.array([[0.75, 0.25]])), [[17.5, 1.0]])


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("linear", -1.5),
        ("relu", 0.0),
        ("tanh", np.tanh(-1.5)),
        ("sigmoid", special.expit(-1.5)),
    ],
)
def test_activations_by_hand(activation: str, expected: float) -> None:
    code = autoencoder.encode(by_hand(activation), np.array([[10.0, 0.0]]))
    assert code[0, 0] == pytest.approx(expected)


def test_sigmoid_does_not_overflow() -> None:
    sums = np.array([-1e6, -30.0, 0.0, 30.0, 1e6])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].value(sums), special.expit(sums), atol=1e-15)


def test_scaling_is_learnt_from_observed_values() -> None:
    X = np.array(
        [[2.0, 7.0, np.nan], [np.nan, 7.0, np.nan], [6.0, 7.0, np.inf], [3.0, 7.0, np.nan]]
    )
    model = train(X, hidden=1, cycles=1)
    plain = Scaling.of(X, scaled=False)
    np.testing.assert_allclose(plain.mean, [11 / 3, 7.0, 0.0])
    np.testing.assert_array_equal(plain.low, [0.0, 0.0, np.nan])
    # what is missing lies at the mean: only the first column varies
    np.testing.assert_allclose(plain.gain, 1 / np.sqrt((25 + 49 + 4) / 9 / 4))
    np.testing.assert_allclose(model.low, [2.0, 7.0, np.nan])
    np.testing.assert_allclose(model.span, [4.0, 1.0, np.nan])
    np.testing.assert_allclose(model.mean, [(0 + 1 + 0.25) / 3, 0.0, 0.0])
    assert np.isnan(autoencoder.errors(model, X)[:, 2]).all()


# Gradients


@pytest.mark.parametrize("shape", ["one layer", "free", "stacked", "stacked and free"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_the_loss(activation: str, shape: str) -> None:
    random = np.random.default_rng(3)
    hidden = (4, 3) if "stacked" in shape else 3
    model = train(
        random_table(1), hidden=hidden, cycles=2, activation=activation, seed=4,
        tied="free" not in shape, **DOUBLE,
    )  # fmt: skip
    wanted = random.random((7, 5))
    given = wanted * (random.random(wanted.shape) > 0.4)
    wanted = np.where(random.random(wanted.shape) < 0.2, np.nan, wanted)
    measured = np.empty_like(model.parameters)
    for place, step in enumerate(np.eye(len(measured)) * 1e-6):
        above, below = (
            autoencoder.loss(replace(model, parameters=model.parameters + move), given, wanted)
            for move in (step, -step)
        )
        measured[place] = (above - below) / 2e-6
    np.testing.assert_allclose(
        autoencoder.gradients(model, given, wanted), measured, atol=1e-7
    )  # fmt: skip


def test_missing_cells_teach_nothing() -> None:
    wanted = np.array([[0.1, np.nan], [0.7, np.nan]])
    model = replace(by_hand("tanh"), parameters=np.array([1.0, 2.0, -0.5, 0.5, 0.0]))
    slopes = autoencoder.gradients(model, np.array([[0.1, 0.3], [0.7, 0.3]]), wanted)
    assert slopes[3] != 0.0
    assert slopes[4] == 0.0


# Against other programs


@pytest.mark.parametrize("hidden", [1, 2, 5])
def test_linear_code_spans_what_the_principal_components_span(wine: Floats, hidden: int) -> None:
    model = train(wine, hidden=hidden, activation="linear")
    pca = PCA(hidden).fit(autoencoder.scale(model, wine))
    angles = linalg.subspace_angles(model.stack[0].weights, pca.components_.T)
    assert np.degrees(angles.max()) < 3.0


@pytest.mark.parametrize("hidden", [1, 2, 5, 13])
def test_linear_errors_are_those_of_pca(wine: Floats, hidden: int) -> None:
    model = train(wine, hidden=1, cycles=1)
    S = autoencoder.scale(model, wine)
    pca = PCA(hidden).fit(S)
    expected = np.abs(pca.inverse_transform(pca.transform(S)) - S)
    ours = autoencoder.linear_errors(model, wine, hidden)
    np.testing.assert_allclose(ours, expected, atol=1e-12)
    wide = autoencoder.linear_errors(model, wine[:9], hidden)
    assert wide.shape == (9, 13)


def test_linear_errors_of_a_wide_table_are_those_of_pca() -> None:
    X = np.random.default_rng(0).random((8, 40))
    model = train(X, hidden=1, cycles=1)
    S = autoencoder.scale(model, X)
    pca = PCA(3).fit(S)
    expected = np.abs(pca.inverse_transform(pca.transform(S)) - S)
    np.testing.assert_allclose(autoencoder.linear_errors(model, X, 3), expected, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_error_on_wine_comes_near_that_of_pca(wine: Floats, activation: str) -> None:
    model = train(wine, activation=activation)
    error = np.mean(autoencoder.errors(model, wine) ** 2)
    best = np.mean(autoencoder.linear_errors(model, wine, 2) ** 2)
    assert best * 0.97 < error < best * 1.02


def test_another_optimiser_finds_hardly_better_weights(wine: Floats) -> None:
    model = train(wine)
    S = autoencoder.scale(model, wine)

    def loss(flat: Floats) -> tuple[float, Floats]:
        candidate = replace(model, parameters=flat)
        return autoencoder.loss(candidate, S, S), autoencoder.gradients(candidate, S, S)

    found = optimize.minimize(loss, model.parameters, jac=True, method="L-BFGS-B")
    assert found.fun <= autoencoder.loss(model, S, S) < found.fun * 1.01


def test_many_columns_do_not_saturate_the_code() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2)) @ random.normal(size=(2, 1500))
    model = train(X, activation="tanh", cycles=500)
    missed = np.mean(autoencoder.errors(model, X) ** 2)
    alone = np.var(autoencoder.scale(model, X), axis=0).mean()
    assert missed < 0.05 * alone


def test_untrained_output_is_right_on_average(wine: Floats) -> None:
    for activation in ACTIVATIONS:
        for hidden in (15, (15, 4)):
            settings = Settings(hidden=hidden, activation=activation, **DOUBLE)
            model = Training(wine, settings).model()
            output = autoencoder.decode(model, autoencoder.encode(model, wine))
            np.testing.assert_allclose(output.mean(axis=0), model.mean, atol=1e-12)


def test_no_rectified_unit_stays_off(wine: Floats) -> None:
    for seed in range(3):
        model = train(wine, hidden=5, activation="relu", cycles=300, seed=seed)
        codes = autoencoder.encode(model, wine)
        assert (codes > 0).any(axis=0).all(), seed


def test_a_denoiser_finds_hidden_values_better(wine: Floats) -> None:
    plain, denoising = (
        train(wine, hidden=6, cycles=400, corruption=share, seed=1) for share in (0.0, 0.3)
    )
    hidden = np.random.default_rng(9).random(wine.shape) < 0.3
    errors = []
    for model in (plain, denoising):
        S = autoencoder.scale(model, wine)
        seen = autoencoder.unscale(model, np.where(hidden, 0.0, S))
        restored = autoencoder.decode(model, autoencoder.encode(model, seen))
        errors.append(np.abs(restored - S)[hidden].mean())
    assert errors[1] < 0.7 * errors[0]


# Properties


@quick
@given(seed=st.integers(0, 10_000))
def test_errors_are_missing_exactly_where_values_are(seed: int) -> None:
    X = random_table(seed)
    model = train(X, cycles=3, seed=seed)
    missed = autoencoder.errors(model, X)
    np.testing.assert_array_equal(np.isnan(missed), np.isnan(X))
    S = autoencoder.scale(model, X)
    assert np.nanmin(S) == 0.0
    assert np.nanmax(S) == 1.0
    np.testing.assert_allclose(autoencoder.unscale(model, S), X)
    linear = autoencoder.linear_errors(model, X, 2)
    np.testing.assert_array_equal(np.isnan(linear), np.isnan(X))


@quick
@given(
    seed=st.integers(0, 10_000),
    factor=st.floats(1e-3, 1e3),
    shift=st.floats(-100, 100),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
)
def test_units_of_the_columns_do_not_matter(
    seed: int, factor: float, shift: float, activation: str
) -> None:
    # In several batches: in one, the bias has no gradient at first but for rounding errors.
    X = np.random.default_rng(seed).random((40, 4))
    one, other = (
        autoencoder.errors(train(table, cycles=5, activation=activation, **DOUBLE), table)
        for table in (X, X * factor + shift)
    )
    np.testing.assert_allclose(one, other, atol=1e-6)


@quick
@given(seed=st.integers(0, 10_000), hidden=st.integers(1, 4))
def test_what_stands_in_a_missing_cell_does_not_matter(seed: int, hidden: int) -> None:
    X = random_table(seed)
    infinite = np.where(np.isnan(X), np.inf, X)
    one, other = (train(table, hidden=hidden, cycles=3) for table in (X, infinite))
    for name, value in asdict(one).items():
        np.testing.assert_array_equal(value, getattr(other, name))


# Training


def test_the_same_seed_gives_the_same_model(wine: Floats) -> None:
    one, same, other = (train(wine, cycles=20, corruption=0.1, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.parameters, same.parameters)
    assert not np.array_equal(one.parameters, other.parameters)


def test_a_training_can_be_watched_and_is_not_changed_by_it(wine: Floats) -> None:
    seen: list[tuple[int, Autoencoder]] = []

    def watch(training: Training) -> None:
        if training.between_cycles:
            seen.append((training.cycle, training.model()))

    model = train(wine, cycles=30, watch=watch)
    assert [cycle for cycle, _ in seen] == list(range(31))
    errors = [np.mean(autoencoder.errors(model, wine)) for _, model in seen]
    assert errors[0] > errors[5] > errors[30]
    np.testing.assert_array_equal(seen[-1][1].parameters, model.parameters)
    np.testing.assert_array_equal(train(wine, cycles=30).parameters, model.parameters)


@quick
@given(
    steps=st.integers(0, 40),
    hidden=st.sampled_from([2, (4, 2)]),
    layerwise=st.booleans(),
    optimiser=st.sampled_from(OPTIMISERS),
    batch=st.sampled_from([5, 500]),
)
def test_a_training_goes_on_as_if_it_had_never_stopped(
    steps: int, hidden: Any, layerwise: bool, optimiser: str, batch: int
) -> None:
    X = random_table(1)
    settings = Settings(
        hidden=hidden, cycles=9, corruption=0.2, batch=batch, layerwise=layerwise,
        optimiser=optimiser,
    )  # fmt: skip
    whole, first = Training(X, settings), Training(X, settings)
    while not whole.done:
        whole.step()
    for _ in range(steps):
        if not first.done:
            first.step()
    second = Training(X, settings, first.state())
    assert second.steps == first.steps
    while not second.done:
        second.step()
    np.testing.assert_array_equal(second.model().parameters, whole.model().parameters)


# Settings


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize(("optimiser", "rate"), [("adam", 0.05), ("momentum", 0.1), ("sgd", 0.5)])
def test_every_way_to_begin_and_to_descend_comes_near_pca(
    wine: Floats, begin: str, optimiser: str, rate: float
) -> None:
    model = train(wine, cycles=300, rate=rate, optimiser=optimiser, begin=begin, batch=64)
    error = np.mean(autoencoder.errors(model, wine) ** 2)
    assert error < 1.03 * np.mean(autoencoder.linear_errors(model, wine, 2) ** 2)


@pytest.mark.parametrize("layerwise", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_more_layers_bring_back_more_than_any_line_can(
    wine: Floats, tied: bool, layerwise: bool
) -> None:
    model = train(
        wine, hidden=(8, 2), activation="relu", cycles=400, rate=0.03, tied=tied,
        layerwise=layerwise,
    )  # fmt: skip
    error = np.mean(autoencoder.errors(model, wine) ** 2)
    assert error < 0.95 * np.mean(autoencoder.linear_errors(model, wine, 2) ** 2)


def test_layer_by_layer_the_others_wait(wine: Floats) -> None:
    settings = Settings(hidden=(8, 4, 2), cycles=60, layerwise=True)
    training = Training(wine, settings)
    moved = []
    for phase_end in (10, 20, 30, 60):
        before = training.model().stack
        while training.cycle < phase_end:
            training.step()
        after = training.model().stack
        moved.append(
            [not np.array_equal(a.weights, b.weights) for a, b in zip(before, after, strict=True)]
        )
    alone = np.eye(3, dtype=bool).tolist()
    assert moved == [*alone, [True, True, True]]


def test_weights_decay_and_biases_do_not() -> None:
    flat = np.tile([[0.25, 0.5]], (4, 1))  # nothing varies: there is no slope but rounding
    begun, ended = (
        train(flat, hidden=1, cycles=1, optimiser="sgd", rate=0.5, decay=decay, **DOUBLE)
        for decay in (0.0, 0.2)
    )
    np.testing.assert_allclose(ended.parameters[:2], begun.parameters[:2] * (1 - 0.5 * 0.2))
    np.testing.assert_allclose(ended.parameters[2:], begun.parameters[2:], atol=1e-12)


def test_corruption_by_hand() -> None:
    X = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]] * 500)
    zeroing = Training(X, Settings(corruption=0.3, **DOUBLE))
    rows = zeroing._corrupted(zeroing._wanted, outermost=True)
    S = rows / zeroing.scaling.gain + zeroing.scaling.mean
    changed = np.abs(S - X) > 1e-9
    np.testing.assert_allclose(S[changed], 0.0, atol=1e-12)
    assert changed[X > 0].mean() == pytest.approx(0.3, abs=0.03)
    noisy = Training(X, Settings(corruption=0.3, noise="gaussian", **DOUBLE))
    rows = noisy._corrupted(noisy._wanted, outermost=True)
    added = rows / noisy.scaling.gain + noisy.scaling.mean - X
    assert added.std() == pytest.approx(0.3, abs=0.02)
    assert added.mean() == pytest.approx(0.0, abs=0.02)


def test_columns_need_not_be_scaled(wine: Floats) -> None:
    model = train(wine, activation="linear", scaled=False, cycles=400)
    np.testing.assert_array_equal(model.span, 1.0)
    share = np.mean(autoencoder.errors(model, wine) ** 2) / np.mean(wine.var(axis=0))
    assert share < 0.001  # one column of wine varies most by far


def test_pca_of_rows_not_seen_is_that_of_scikit_learn(wine: Floats) -> None:
    seen, held = wine[::2], wine[1::2]
    scaling = Scaling.of(seen)
    S, T = autoencoder.scale(scaling, seen), autoencoder.scale(scaling, held)
    pca = PCA(2).fit(S)
    expected = np.abs(pca.inverse_transform(pca.transform(T)) - T)
    ours = autoencoder.linear_errors(scaling, held, 2, learnt_from=seen)
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_the_table_is_left_as_it_was() -> None:
    X = random_table(0)
    before = X.copy()
    train(X, cycles=3, corruption=0.5)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": 0},
        {"hidden": (3, 0)},
        {"hidden": ()},
        {"cycles": 0},
        {"batch": 0},
        {"rate": 0.0},
        {"corruption": 1.0},
        {"corruption": -0.1},
        {"activation": "cosine"},
        {"optimiser": "luck"},
        {"noise": "pink"},
        {"begin": "nowhere"},
        {"decay": 1.0},
    ],
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        train(np.eye(3), **wrong)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_a_table_without_cells_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rows x columns"):
        train(np.zeros(shape))
