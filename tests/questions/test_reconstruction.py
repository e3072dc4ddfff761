"""The question "reconstruction": its numbers, what it reports while it trains, and its words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from followdata.answer import Answer
from followdata.data import About, MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidParameter, NothingToAnswer, UnknownName
from followdata.present.jsonform import document
from followdata.question import Report
from followdata.questions.reconstruction import question, reconstruction
from followdata.questions.training import (
    EDGES,
    SHOWN,
    Course,
    Kept,
    Trained,
    binned,
    fit_autoencoder,
    marks,
)
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE
from followdata.store import Store, unpack
from followdata.stories.autoencode.data import sample

Events = list[dict[str, Any]]


def table(X: np.ndarray[Any, np.dtype[np.float64]], **about: str) -> MemoryTable:
    rows, columns = X.shape
    return MemoryTable(
        X,
        [f"r{n}" for n in range(rows)],
        [f"c{n}" for n in range(columns)],
        About("A table", **about),
    )


class Told(Report):
    """Remembers what it is told and keeps what it is to keep; `stop` looks end the fit."""

    def __init__(self, kept: Kept | None = None, stop: int = 0) -> None:
        self.events: Events = []
        self.state, self._stop = kept, stop
        self.courses: list[Course] = []

    def __call__(self, kind: str, **words: Any) -> None:
        self.events.append({"kind": kind, **words})

    def look(self, at: Any) -> None:
        self.courses.append(at)
        if len(self.courses) == self._stop:
            raise KeyboardInterrupt

    def keep(self, make: Any, *, now: bool = False) -> None:
        if now:
            self.state = make()

    def kept(self, kind: type) -> Any:
        return self.state


def learn(data: MemoryTable, told: Told | None = None, **params: Any) -> tuple[Trained, Events]:
    told = told or Told()
    resolved = question.resolve(data, params, {})
    return question.learn(data, resolved, told), told.events


def ask(data: MemoryTable, **params: Any) -> Answer:
    return reconstruction(data, learn(data, **params)[0])


@pytest.fixture(scope="module")
def wine() -> MemoryTable:
    data = sample()
    assert isinstance(data, MemoryTable)
    return data


@pytest.fixture(scope="module")
def answer(wine: MemoryTable) -> Answer:
    return ask(wine)


# Numbers


def test_error_is_the_mean_over_cells_and_columns(answer: Answer) -> None:
    cells, columns = answer.tables["cells"], answer.tables["columns"]
    assert len(cells) == SHOWN * 13
    assert answer.sentence.startswith(
        "Two numbers per wine bring the 13\xa0measurements of “Italian wines” back to within 0.097 "
    )
    means = np.array(columns.columns["error"], dtype=float)
    assert np.mean(means) == pytest.approx(0.097, abs=5e-4)
    best, worst = (columns.columns["title"][int(pick(means))] for pick in (np.argmin, np.argmax))
    assert f"Best: “{best}” ({means.min():.3f})" in answer.sentence
    assert f"worst: “{worst}” ({means.max():.3f})" in answer.sentence


def test_pca_is_that_of_scikit_learn(wine: MemoryTable, answer: Answer) -> None:
    S = (wine.X - wine.X.min(axis=0)) / np.ptp(wine.X, axis=0)
    pca = PCA(2).fit(S)
    missed = np.abs(pca.inverse_transform(pca.transform(S)) - S)
    np.testing.assert_allclose(
        np.array(answer.tables["columns"].columns["pca"], dtype=float), missed.mean(axis=0)
    )
    assert f"PCA with 2\xa0components: {missed.mean():.3f}" in answer.sentence
    assert f"{np.sqrt(np.mean(missed**2)):.3f} for PCA" in " ".join(answer.notes)
    alone = np.abs(S - S.mean(axis=0)).mean()
    assert f"the means of the columns alone miss by {alone:.3f}" in " ".join(answer.notes)


def test_cells_are_in_the_units_of_the_columns(wine: MemoryTable, answer: Answer) -> None:
    cells = answer.tables["cells"].columns
    assert cells["row"][:2] == ("wine 1", "wine 1")
    assert cells["column"][:2] == ("alcohol", "malic acid")
    np.testing.assert_array_equal(np.array(cells["value"]).reshape(SHOWN, 13), wine.X[:SHOWN])
    restored = np.array(cells["reconstruction"], dtype=float).reshape(SHOWN, 13)
    scaled = np.abs(restored - wine.X[:SHOWN]) / np.ptp(wine.X, axis=0)
    np.testing.assert_allclose(
        np.array(cells["error"], dtype=float).reshape(SHOWN, 13), scaled, atol=1e-12
    )


def test_codes_tell_the_cultivars_apart(wine: MemoryTable, answer: Answer) -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    codes = answer.tables["codes"].columns
    assert set(codes["group"]) == {"cultivar 1", "cultivar 2", "cultivar 3"}
    points = np.array([codes["code1"], codes["code2"]], dtype=float).T
    right = LinearDiscriminantAnalysis().fit(points, codes["group"]).score(points, codes["group"])
    assert right > 0.9


def test_layers_fit_together(wine: MemoryTable) -> None:
    fitted, _ = learn(wine, cycles=20, hidden=3)
    layers = fitted.layers(wine)
    assert list(layers) == ["encoded", "decoded", "scaled"]
    assert list(layers["encoded"].columns) == ["", "code1", "code2", "code3"]
    assert layers["decoded"].columns[""] == tuple(wine.obs_names)
    apart = np.abs(
        np.array(layers["decoded"].columns["ash"], dtype=float)
        - np.array(layers["scaled"].columns["ash"], dtype=float)
    )
    columns = reconstruction(wine, fitted).tables["columns"]
    place = columns.columns["column"].index("ash")
    assert apart.mean() == pytest.approx(columns.columns["error"][place])


# While it trains


def test_frames_and_progress_at_the_marks(wine: MemoryTable) -> None:
    fitted, events = learn(wine, cycles=100)
    frames = [event for event in events if event["kind"] == "frame"]
    progress = [event for event in events if event["kind"] == "progress"]
    assert [frame["cycle"] for frame in frames] == marks(100)
    assert [(event["done"], event["total"]) for event in progress] == [
        (cycle, 100) for cycle in marks(100)
    ]
    assert progress[0]["what"] == "cycles"
    for told in frames:
        assert (told["rows"], told["columns"]) == (75, 13)
        assert len(told["cells"]) == 75 * 13
        assert set(told["cells"]) <= set("012345678")
    assert frames[0]["error"] > frames[-1]["error"]
    np.testing.assert_array_equal(fitted.curve[:, 0], marks(100))
    np.testing.assert_array_equal(fitted.curve[:, 1], [frame["error"] for frame in frames])
    json.dumps(events)


def test_the_last_frame_shows_what_the_answer_says(wine: MemoryTable) -> None:
    fitted, events = learn(wine, cycles=30)
    errors = reconstruction(wine, fitted).tables["cells"].columns["error"]
    digits = [sum(error >= edge for edge in EDGES) for error in np.array(errors, dtype=float)]
    assert events[-1]["cells"] == "".join(map(str, digits))
    assert events[0]["rows"][:2] == ["wine 1", "wine 2"]
    assert events[0]["columns"] == list(wine.var_names)


@settings(max_examples=30, deadline=None)
@given(cycles=st.integers(1, 100_000))
def test_marks_begin_at_zero_end_at_the_end_and_are_about_forty(cycles: int) -> None:
    moments = marks(cycles)
    assert moments[0] == 0
    assert moments[-1] == cycles
    assert len(moments) <= 41
    assert len(moments) >= min(cycles, 20)


def test_bins_by_hand() -> None:
    missed = np.array([[0.0, 0.01, 0.049, 0.05, 0.1], [0.15, 0.2, 0.3, 0.5, 1.0]])
    assert binned(missed).tolist() == [[0, 1, 1, 2, 3], [4, 5, 6, 7, 8]]


def test_a_larger_table_is_told_of_in_blocks_too() -> None:
    X = np.random.default_rng(0).random((100, 200))
    X[-2:], X[0, 0] = np.nan, np.nan
    told = Told()
    learn(table(X), told, cycles=2)
    frame = told.events[-1]
    assert (frame["rows"], frame["columns"], frame["cells"][0]) == (75, 75, "-")
    whole = frame["whole"]
    assert (whole["rows"], whole["columns"]) == (75, 75)
    assert whole["cells"][-75:] == "-" * 75
    assert "-" not in whole["cells"][:-75], "a block has the mean of what is there"


# Held out, turned, stopped


def test_held_out_rows_teach_nothing_and_are_told_of(wine: MemoryTable) -> None:
    fitted, _ = learn(wine, cycles=100, holdout=0.25)
    assert len(fitted.held) == round(0.25 * 178)
    spoilt = wine.X.copy()
    spoilt[fitted.held] = 1e6
    other = MemoryTable(spoilt, wine.obs_names, wine.var_names, wine.about, wine.obs, wine.var)
    np.testing.assert_array_equal(
        learn(other, cycles=100, holdout=0.25)[0].parameters, fitted.parameters
    )
    answer = reconstruction(wine, fitted)
    seen, unseen = np.delete(wine.X, fitted.held, axis=0), wine.X[fitted.held]
    S, T = ((X - seen.min(axis=0)) / np.ptp(seen, axis=0) for X in (seen, unseen))
    pca = PCA(2).fit(S)
    missed = np.abs(pca.inverse_transform(pca.transform(T)) - T)
    assert "44\xa0wines that it had not seen: 0.1" in answer.sentence
    assert f"; PCA: {missed.mean():.3f}. Best:" in answer.sentence
    np.testing.assert_allclose(
        np.array(answer.tables["columns"].columns["held_pca"], dtype=float), missed.mean(axis=0)
    )
    assert "held" not in reconstruction(wine, learn(wine, cycles=2)[0]).tables["columns"].columns


def test_a_table_can_be_turned(wine: MemoryTable) -> None:
    fitted, events = learn(wine, cycles=20, transpose="yes")
    answer = reconstruction(wine, fitted)
    assert answer.sentence.startswith("Two numbers per measurement bring the 178\xa0wines of ")
    assert events[0]["rows"][:2] == ["alcohol", "malic_acid"]
    assert len(fitted.layers(wine)["encoded"]) == 13
    across = MemoryTable(wine.X.T, wine.var_names, wine.obs_names, wine.about)
    np.testing.assert_array_equal(learn(across, cycles=20)[0].parameters, fitted.parameters)


@pytest.mark.parametrize("at", [1, 7, 12])
def test_stopped_it_goes_on_from_what_it_kept(wine: MemoryTable, at: int) -> None:
    params: dict[str, Any] = {"cycles": 5, "corruption": 0.1, "hidden": "4,2", "layerwise": "yes"}
    whole, events = learn(wine, **params)
    stopped = Told(stop=at)
    with pytest.raises(KeyboardInterrupt):
        learn(wine, stopped, **params)
    again = Told(stopped.state)
    fitted, later = learn(wine, again, **params)
    for name, value in asdict(whole).items():
        np.testing.assert_array_equal(value, getattr(fitted, name), err_msg=name)
    frames = [event for event in stopped.events + later if event["kind"] == "frame"]
    assert frames == [event for event in events if event["kind"] == "frame"]


def test_what_can_be_looked_at_is_what_the_answer_says(wine: MemoryTable) -> None:
    told = Told()
    fitted, events = learn(wine, told, cycles=30)
    course = told.courses[-1]
    now = course.moment()
    assert (course.cycle, now.cycles, now.shape) == (30, 30, (178, 13))
    assert now.error == pytest.approx(events[-1]["error"])
    bins = now.bins(np.arange(75), np.arange(13))
    assert "".join(map(str, bins.flat)) == events[-1]["cells"]
    turned = now.bins(np.array([5, 3]), np.array([2, 0]))
    np.testing.assert_array_equal(turned, bins[[5, 3]][:, [2, 0]])
    cells = reconstruction(wine, fitted).tables["cells"].records()
    cell = now.cell(2, 4)
    assert (now.names("rows")[2], now.names("columns")[4], cell.value) == (
        "wine 3",
        "magnesium",
        101.0,
    )
    assert cell.restored == pytest.approx(cells[2 * 13 + 4]["reconstruction"])
    assert cell.error == pytest.approx(cells[2 * 13 + 4]["error"])
    for by in ("table", "alike", "error"):
        rows, columns = now.order(by)
        assert sorted(rows) == list(range(178))
        assert sorted(columns) == list(range(13))
    assert now.blocks(*now.order("table"), (20, 13)).shape == (20, 13)
    np.testing.assert_array_equal(course.trained().parameters, fitted.parameters)


# Tables that are not complete


def test_missing_cells_are_counted_and_shown_as_missing(wine: MemoryTable) -> None:
    X = wine.X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    X[5] = np.nan
    missing = int(np.isnan(X).sum())
    data = MemoryTable(X, wine.obs_names, wine.var_names, wine.about, wine.obs, wine.var)
    fitted, events = learn(data, cycles=200)
    answer = reconstruction(data, fitted)
    assert any(
        note.startswith(f"{missing} of 2\u202f314 cells are missing") for note in answer.notes
    )
    np.testing.assert_array_equal(
        np.array([cell == "-" for cell in events[-1]["cells"]]).reshape(75, 13), np.isnan(X[:75])
    )
    cells = answer.tables["cells"].columns
    for value, error in zip(cells["value"], cells["error"], strict=True):
        assert (value is None) == (error is None)
    assert answer.tables["codes"].columns["code1"][5] is None
    # What is there comes back nearly as well as in the complete table.
    means = np.array(answer.tables["columns"].columns["error"], dtype=float)
    assert means.mean() < 0.11


def test_columns_that_say_nothing_count_in_no_mean() -> None:
    X = np.random.default_rng(0).random((20, 3))
    padded = np.column_stack([X, np.full(20, 7.0), np.full(20, np.nan)])
    answer = ask(table(padded, thing="town", things="towns"), cycles=50, hidden=1)
    assert answer.sentence.startswith("One number per town brings the 5\xa0columns of “A table”")
    errors = answer.tables["columns"].columns["error"]
    assert errors[4] is None
    assert errors[3] == pytest.approx(0.0, abs=0.02)
    assert "“c3”" not in answer.sentence
    assert any(
        note.startswith("2\xa0columns without two different values") for note in answer.notes
    )


def test_a_table_in_which_nothing_varies() -> None:
    with pytest.raises(NothingToAnswer, match="nothing to learn"):
        learn(table(np.full((3, 2), 1.0)))
    with pytest.raises(NothingToAnswer, match="nothing to learn"):
        learn(table(np.array([[1.0, np.nan], [np.nan, 2.0]])))


def test_steps_too_long_are_said_to_be(wine: MemoryTable) -> None:
    with pytest.raises(NothingToAnswer, match="Try a lower learning rate"):
        learn(wine, activation="linear", optimiser="sgd", rate=10, cycles=60)


def test_a_table_too_large_is_refused_before_it_is_read() -> None:
    class Huge(MemoryTable):
        @property
        def shape(self) -> tuple[int, int]:
            return 265_000, 20_000

        def matrix(self, obs: Any = None, var: Any = None, layer: Any = None) -> Any:
            raise AssertionError("read")

    huge = Huge(np.eye(1), ["r"], ["c"], About("Huge"))
    with pytest.raises(NothingToAnswer, match="too large to train on"):
        fit_autoencoder(huge, report=Report())


def test_more_numbers_than_columns_need_leave_nothing_out() -> None:
    answer = ask(table(np.random.default_rng(1).random((30, 2))), hidden=3, cycles=300)
    assert "PCA with 3\xa0components: less than 0.001" in answer.sentence
    assert "With no fewer numbers than columns, nothing had to be left out." in answer.notes


# Views and parameters


def test_views(wine: MemoryTable, answer: Answer) -> None:
    assert [view.kind for view in answer.views] == ["grid", "scatter", "lines"]
    grid, scatter, _ = answer.views
    assert grid.options["bins"] == list(EDGES)
    assert scatter.channels["color"] == "group"
    assert [view.kind for view in ask(wine, hidden=1, cycles=2).views] == ["grid", "lines"]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"hidden": 0}, InvalidParameter),
        ({"hidden": "8,1025"}, InvalidParameter),
        ({"hidden": 2.5}, InvalidParameter),
        ({"cycles": 0}, InvalidParameter),
        ({"seed": -1}, InvalidParameter),
        ({"corruption": 1}, InvalidParameter),
        ({"activation": "tan"}, UnknownName),
    ],
)
def test_parameters_are_checked(
    wine: MemoryTable, params: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        question.resolve(wine, params, {})


# Runs


def in_another_process(home: Path, *options: str) -> subprocess.Popen[str]:
    words = ["ask", "autoencode", "reconstruction", "--format", "json", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "followdata", *words],
        env=os.environ | {HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_the_same_seed_gives_the_same_answer_to_the_last_bit(tmp_path: Path) -> None:
    options = ["--cycles=60", "--corruption=0.1", "--seed=3"]
    processes = [in_another_process(tmp_path / name, *options) for name in ("one", "two")]
    first, second = (process.communicate(timeout=120)[0] for process in processes)
    assert json.loads(first)["tables"]
    assert first == second


def test_killed_in_the_middle_it_is_interrupted_and_asking_again_works(
    home: Path, tmp_path: Path
) -> None:
    process = in_another_process(home, "--cycles=600")
    desk = Desk(Registry.installed(), Store(home))
    deadline = time.monotonic() + 60
    while not any(event["kind"] == "frame" for run in desk.runs.all() for event in run.events()):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (run,) = desk.runs.all()
    states = [run.state]
    again = desk.open("autoencode").ask("reconstruction", cycles=600)
    states.append(run.state)
    assert states == ["interrupted", "done"]
    other = Desk(Registry.installed(), Store(tmp_path / "undisturbed"))
    undisturbed = other.open("autoencode").ask("reconstruction", cycles=600)
    assert document(again) == document(undisturbed)


def test_a_run_that_was_stopped_goes_on_to_the_same_answer(desk: Desk, tmp_path: Path) -> None:
    opened = desk.open("autoencode")
    params = opened.resolve("reconstruction", {"cycles": 8, "corruption": 0.2})
    looks = 0

    def watch(course: Course) -> None:
        nonlocal looks
        looks += 1
        if looks == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened.tell("reconstruction", params, watch=watch)
    (run,) = desk.runs.all()
    assert run.state == "stopped"
    (piece,) = (run.folder / "pieces").iterdir()
    assert unpack(piece.read_bytes(), Kept).steps == 19
    events: list[Any] = []
    answer = opened.tell("reconstruction", params, listen=events.append)
    assert any(event["kind"] == "notice" for event in events)
    assert not list((run.folder / "pieces").iterdir())
    undisturbed = Desk(Registry.installed(), Store(tmp_path / "undisturbed")).open("autoencode")
    assert document(answer) == document(undisturbed.tell("reconstruction", params))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "most"), [("wine_noclass.txt", 0.1), ("BreastCancer_noclass_noNA.tsv", 0.1)]
)
def test_real_tables_train(desk: Desk, shared: Path, file: str, most: float) -> None:
    path = shared / "data" / "autoencoder" / file
    dataset = desk.fetch("autoencode", paths=[path])
    answer = desk.open("autoencode", dataset.name).ask("reconstruction", cycles=200)
    errors = np.array(answer.tables["columns"].columns["error"], dtype=float)
    assert errors.mean() < most
    best = np.array(answer.tables["columns"].columns["pca"], dtype=float)
    assert errors.mean() < 1.03 * best.mean()
