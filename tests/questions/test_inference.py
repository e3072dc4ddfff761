"""The question "infer": on data whose truth is known, and where it cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from followdata.answer import Answer
from followdata.core.networks import training
from followdata.data import About, MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidParameter, NothingToAnswer, NotInstalled, UnknownName
from followdata.present.jsonform import document
from followdata.questions.inference import question, reconstruct

Floats = npt.NDArray[np.float64]


def table(
    rows: int = 60, seed: int = 0, studies: int = 0, unit: str = "", noise: float = 0.3
) -> MemoryTable:
    """Twelve columns that follow two factors, the first two of them nearly alone; a last one
    that follows nothing."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, 2))
    mixed = factors @ rng.normal(size=(2, 10)) + noise * rng.normal(size=(rows, 10))
    X = np.hstack([factors, mixed, rng.normal(size=(rows, 1))])
    about = About("Made up", "sample", "samples", "gene", "genes", unit=unit)
    names = [f"g{n}" for n in range(X.shape[1])]
    study = np.array([f"study {n % studies}" if studies else "" for n in range(rows)])
    obs = {"study": study} if studies else {}
    return MemoryTable(X, [f"s{n}" for n in range(rows)], names, about, obs=obs)


def ask(data: MemoryTable, **given: Any) -> Answer:
    params = question.resolve(data, given, {})
    learnt = question.learn(data, params, lambda kind, **words: None)
    return question.tell(data, learnt, params)


def cell(answer: Answer, method: str, markers: str, column: str) -> float:
    for record in answer.tables["methods"].records():
        if (record["method"], record["markers"]) == (method, markers):
            return float(str(record[column]))
    raise AssertionError((method, markers))


def test_what_follows_from_the_markers_is_told_and_what_does_not_is_not() -> None:
    answer = ask(table(), markers="g0 g1")
    named = "the markers named"
    assert cell(answer, "linear regression", named, "error") < 0.35
    assert cell(answer, "average", named, "error") == pytest.approx(0.8, abs=0.05)
    assert cell(answer, "linear regression", named, "r2") > 0.8
    columns = answer.tables["columns"]
    assert columns.columns["column"][-1] == "g12"
    assert float(str(columns.columns["r2"][-1])) < 0.1
    assert set(columns.columns["column"]) == {f"g{n}" for n in range(2, 13)}
    assert answer.sentence.startswith("2\xa0genes (“g0” and “g1”) tell the others of samples")
    for low, error, high in zip(
        *(answer.tables["methods"].columns[name] for name in ("low", "error", "high")), strict=True
    ):
        assert float(str(low)) < float(str(error)) < float(str(high))


def test_markers_that_are_chosen_beat_markers_drawn_by_lot() -> None:
    answer = ask(table(noise=1.0), count=2)
    for method in ("linear regression", "ridge regression", "latent factors"):
        chosen = cell(answer, method, "chosen greedily", "error")
        assert chosen < cell(answer, method, "drawn by lot", "error")
    assert "drawn by lot let the same method miss by" in answer.sentence


def test_whole_studies_are_held_out_where_there_are_any() -> None:
    answer = ask(table(studies=4), markers="g0 g1")
    assert any(note.startswith("Each study is held out in turn") for note in answer.notes)
    assert "of samples of a study not learnt from" in answer.sentence
    assert answer.tables["markers"].columns["folds"][0] == 4
    rows = ask(table(studies=2), by="study", markers="g0 g1")
    assert any("has two groups" in note for note in rows.notes)
    with pytest.raises(UnknownName, match="label"):
        ask(table(studies=4), by="moon")


def test_counted_values_are_taken_as_logarithms() -> None:
    logs = table()
    counts = MemoryTable(
        2.0 ** (logs.X + 12) - 1, logs.obs_names, logs.var_names,
        About("Made up", unit="TPM"),
    )  # fmt: skip
    told, expected = ask(counts, markers="g0 g1"), ask(logs, markers="g0 g1")
    np.testing.assert_allclose(
        np.array(told.tables["methods"].columns["error"], dtype=float),
        np.array(expected.tables["methods"].columns["error"], dtype=float),
        rtol=1e-6,
    )
    assert any("binary logarithm" in note for note in told.notes)


def test_missing_values_are_counted_and_unknown_names_said() -> None:
    data = table()
    X = data.X.copy()
    X[::9, 4] = np.nan
    answer = ask(
        MemoryTable(X, data.obs_names, data.var_names, data.about), markers="g0 g1 nonesuch"
    )
    assert any(note.startswith("7 of 780 values are missing") for note in answer.notes)
    assert any("left out of the markers: nonesuch" in note for note in answer.notes)


def test_a_bare_matrix_is_asked_about_as_a_table_is() -> None:
    data = table(studies=3)
    bare = reconstruct(data.X, [0, 1], by=data.obs["study"].tolist())
    named = reconstruct(data, ["g0", "g1"], by="study")
    assert bare.tables["methods"] == named.tables["methods"]
    assert json.dumps(document(bare))


def test_what_is_too_little_or_too_much_is_said() -> None:
    small = MemoryTable(np.eye(4), list("abcd"), list("wxyz"), About("Small"))
    with pytest.raises(NothingToAnswer, match="too few"):
        ask(small)
    still = table()
    still.X[:, 0] = 1.0
    with pytest.raises(NothingToAnswer, match="no marker varies"):
        ask(still, markers="g0")
    with pytest.raises(InvalidParameter):
        ask(table(), count=0)


def test_without_pytorch_the_network_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    answer = ask(table(), markers="g0 g1")
    assert any('pip install "followdata[networks]"' in note for note in answer.notes)
    with pytest.raises(NotInstalled, match=r"PyTorch.*followdata\[networks\]"):
        ask(table(), markers="g0 g1", neural="yes")


def test_with_pytorch_the_network_is_one_of_the_methods() -> None:
    pytest.importorskip("torch", reason="NO PYTORCH: the network is not tried here")
    answer = ask(table(rows=24), markers="g0 g1", neural="yes")
    assert cell(answer, "multi-task network", "the markers named", "error") < 0.8


@pytest.mark.shared
def test_studies_with_ranges_of_their_own_are_hard_to_tell(desk: Desk, shared: Path) -> None:
    compendium = shared / "data" / "compendium"
    desk.fetch(
        "autoencode",
        {"layout": "expression"},
        paths=[compendium / "stemcells_expression.csv.gz", compendium / "stemcells_samples.csv"],
    )
    answer = desk.open("autoencode").ask("infer", count=20)
    assert any(note.startswith("Each study is held out in turn") for note in answer.notes)
    assert "of samples of a study not learnt from" in answer.sentence
    # These studies differ by whole ranges of their own: a plane through others leads astray.
    ridge = cell(answer, "ridge regression", "chosen greedily", "error")
    assert ridge > cell(answer, "average", "chosen greedily", "error")
