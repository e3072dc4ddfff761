"""The question “subtype”: calls, how sure they are, and models that go from file to file."""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followdata.answer import Answer, Table
from followdata.data import About, MemoryTable, TableData
from followdata.errors import InvalidInput, NothingToAnswer
from followdata.present import render
from followdata.questions.subtypes import fit_subtypes
from followdata.stories.proteome.data import subtype as question

GENES = 40
CLASSES = ("Basal", "Her2", "LumA")


@cache
def profiles() -> Any:
    return np.random.default_rng(0).normal(size=(3, GENES))


def tumours(
    rows: int = 90, *, seed: int = 1, noise: float = 1.6, named: bool = True
) -> MemoryTable:
    """Samples of three classes, each its class's profile and noise about a middle of each gene."""
    random = np.random.default_rng(seed)
    number = np.arange(rows) % 3
    X = 8 + np.arange(GENES) / 10 + profiles()[number] + noise * random.normal(size=(rows, GENES))
    X[random.random(X.shape) < 0.03] = np.nan
    return MemoryTable(
        X,
        [f"T{row}" for row in range(rows)],
        [f"G{gene}" for gene in range(GENES)],
        About("Tumours", "tumour", "tumours", "gene", "genes", label="subtype"),
        obs={"subtype": np.array(CLASSES if named else ["", "", ""])[number]},
    )


def ask(data: TableData, **given: Any) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


@cache
def learnt() -> Answer:
    return ask(tumours())


def written(table: Table, path: Path) -> Path:
    path.write_bytes(render(Answer("", {"model": table}), "csv", table="model"))
    return path


def samples_in(path: Path, data: MemoryTable, rows: int) -> Path:
    """The first rows as people have them in a file."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sample", *data.var_names])
        for name, values in zip(data.obs_names[:rows], data.X, strict=False):
            out.writerow([name, *("" if np.isnan(v) else repr(float(v)) for v in values)])
    return path


def test_each_is_called_by_profiles_learnt_without_it() -> None:
    answer = learnt()
    table = answer.tables["subtype"]
    assert table.columns["given"] == tuple(CLASSES[n % 3] for n in range(90))
    right = np.mean([a == b for a, b in zip(table.columns["call"], table.columns["given"],
                                            strict=True)])  # fmt: skip
    assert 0.8 < right < 1
    assert f"balanced accuracy is {100 * right:.0f}" in answer.sentence.replace("\xa0", " ")
    assert sum(answer.tables["classes"].columns["n"]) == 90  # type: ignore[arg-type]
    assert sum(answer.tables["confusion"].columns["n"]) == 90  # type: ignore[arg-type]
    assert [view.kind for view in answer.views] == ["intervals", "grid"]


def test_confidence_is_how_often_calls_are_right() -> None:
    answer = ask(tumours(300, noise=2.4, seed=5))
    table = answer.tables["subtype"]
    right = [a == b for a, b in zip(table.columns["call"], table.columns["given"], strict=True)]
    assert np.mean(table.columns["confidence"]) == pytest.approx(np.mean(right), abs=0.05)  # type: ignore[arg-type]
    bands = answer.tables["calibration"]
    inside = [row["low"] <= row["confidence"] <= row["high"] for row in bands.records()]  # type: ignore[operator]
    assert np.mean(inside) > 0.7


def test_labels_that_mean_nothing_get_no_confidence() -> None:
    data = tumours(60, noise=0.0)
    random = np.random.default_rng(3)
    shuffled = MemoryTable(
        random.normal(size=(60, GENES)), data.obs_names, data.var_names, data.about, obs=data.obs
    )
    confidence = ask(shuffled).tables["subtype"].columns["confidence"]
    assert np.mean(confidence) < 0.5  # type: ignore[arg-type]


def test_a_model_goes_to_a_file_and_calls_samples_of_another_file(tmp_path: Path) -> None:
    fresh = tumours(12, seed=9, noise=0.8)
    saved = written(learnt().tables["model"], tmp_path / "model.csv")
    assert saved.read_text().splitlines()[0] == "gene,centre,sharpness,Basal,Her2,LumA"
    file = samples_in(tmp_path / "own.csv", fresh, 12)
    by_file = ask(tumours(named=False), model=str(saved), samples=str(file)).tables["subtype"]
    direct = ask(tumours(), samples=str(file)).tables["subtype"]
    assert (
        by_file.columns["call"]
        == direct.columns["call"]
        == tuple(CLASSES[n % 3] for n in range(12))
    )
    assert by_file.columns["confidence"] == pytest.approx(direct.columns["confidence"])
    assert "given" not in by_file.columns


def test_one_sample_alone(tmp_path: Path) -> None:
    file = samples_in(tmp_path / "own.csv", tumours(12, seed=9, noise=0.3), 1)
    answer = ask(tumours(), samples=str(file))
    assert answer.sentence.startswith("T0 is most like Basal (confidence ")
    with pytest.raises(NothingToAnswer, match="middle of each gene cannot be told from 1 samples"):
        ask(tumours(), samples=str(file), centre="own")


def plain_model(path: Path) -> Path:
    """As PAM50's centroids are passed on: genes by classes, nothing else."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["gene", *CLASSES, "Normal"])
        for gene in range(GENES - 5):
            out.writerow([f"g{gene}", *profiles()[:, gene].tolist(), 0.1 * (gene % 7)])
    return path


def test_centroids_of_the_field_on_a_labelled_table(tmp_path: Path) -> None:
    model = plain_model(tmp_path / "centroids.csv")
    answer = ask(tumours(noise=0.8), model=str(model))
    assert "Of the 35 genes of the model" in " ".join(answer.notes)
    assert "about its median among these samples" in " ".join(answer.notes)
    assert "learnt from the labels of these samples" in " ".join(answer.notes)
    assert "None is given as Normal." in answer.sentence
    table = answer.tables["subtype"]
    right = [a == b for a, b in zip(table.columns["call"], table.columns["given"], strict=True)]
    assert np.mean(right) > 0.9


def test_without_labels_a_confidence_is_how_firm_a_call_is(tmp_path: Path) -> None:
    model = plain_model(tmp_path / "centroids.csv")
    answer = ask(tumours(30, noise=0.8, named=False), model=str(model))
    assert "It is not the chance that the call is right." in " ".join(answer.notes)
    confidence = np.array(answer.tables["subtype"].columns["confidence"], dtype=float)
    assert ((confidence > 0) & (confidence <= 1)).all()
    assert sum(answer.tables["counts"].columns["n"]) == 30  # type: ignore[arg-type]


def test_a_sample_without_values_is_called_nothing() -> None:
    data = tumours()
    model = fit_subtypes(data, outcome="subtype", matrix="main")
    gone = MemoryTable(
        np.where(np.arange(90)[:, None] == 4, np.nan, data.X), data.obs_names, data.var_names,
        data.about, obs=data.obs,
    )  # fmt: skip
    assert len(model.rows) == 90
    assert len(fit_subtypes(gone, outcome="subtype", matrix="main").rows) == 89


def test_another_laboratorys_scale_is_noticed(tmp_path: Path) -> None:
    other = tumours(15, seed=4)
    turned = MemoryTable(
        other.X - 2 * np.arange(GENES) / 10, other.obs_names, other.var_names, other.about
    )
    file = samples_in(tmp_path / "own.csv", turned, 15)
    assert "try --centre own" in " ".join(ask(tumours(), samples=str(file)).notes)
    assert "try --centre own" not in " ".join(ask(tumours(), samples=str(file), centre="own").notes)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(NothingToAnswer, match="No two classes"):
        ask(tumours(named=False))
    strange = tmp_path / "strange.csv"
    strange.write_text("gene,Basal\nA,1\nB,2\n")
    with pytest.raises(InvalidInput, match="no two columns"):
        ask(tumours(), model=str(strange))
    strange.write_text("gene,Basal,Her2\nA,1,2\nB,2,1\n")
    with pytest.raises(NothingToAnswer, match="0 of them are among"):
        ask(tumours(), model=str(strange))


def test_the_model_is_plain_text() -> None:
    content = render(learnt(), "csv", table="model").decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len({row["sharpness"] for row in rows}) == 1
    assert all(float(row[name]) == float(row[name]) for row in rows for name in CLASSES)
