"""The question “select”: what it says of a table in which the answer is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

from followdata.answer import Answer
from followdata.data import About, Layer, MemoryTable
from followdata.errors import NothingToAnswer, UnknownName
from followdata.questions.relevant import question

ROWS, COLUMNS = 60, 30
ABOUT = About("Tumours", "tumour", "tumours", "gene", "genes", label="subtype", matrix="protein")


@cache
def tumours() -> MemoryTable:
    """Proteins 0 to 4 differ between subtypes, 0 the most; of the layer mRNA, only number 9."""
    random = np.random.default_rng(0)
    number = np.arange(ROWS) % 3
    X, mrna = random.normal(size=(2, ROWS, COLUMNS))
    X[:, 1:5] += np.where(number == 1, 1.8, 0.0)[:, None]
    X[:, 0] -= np.where(number == 2, 4.0, 0.0)
    mrna[:, 9] += 3.0 * number
    X[random.random(X.shape) < 0.05] = np.nan
    X[:40, 20] = np.nan
    mrna[:10] = np.nan
    subtype = np.array(["Basal", "Her2", "LumA"])[number]
    subtype[[3, 7]] = ""
    subtype[11] = "rare"
    return MemoryTable(
        X,
        [f"T{row}" for row in range(ROWS)],
        [f"G{column}" for column in range(COLUMNS)],
        ABOUT,
        obs={"subtype": subtype, "one": np.array(["all"] * ROWS)},
        layers={Layer(part="mRNA"): mrna},
    )


@cache
def asked(**given: Any) -> tuple[Answer, list[dict[str, Any]]]:
    reports: list[dict[str, Any]] = []
    data = tumours()
    params = question.resolve(data, given, {})

    def report(kind: str, **words: Any) -> None:
        reports.append({"kind": kind, **words})

    return question.tell(data, question.learn(data, params, report), params), reports


def test_what_differs_is_confirmed_and_the_rest_is_not() -> None:
    table = asked(top=100)[0].tables["select"]
    decisions = dict(zip(table.columns["feature"], table.columns["decision"], strict=True))
    assert {name for name, one in decisions.items() if one == "confirmed"} == {
        f"G{n}" for n in range(5)
    }
    assert len(decisions) == COLUMNS - 1  # G20 was measured in a third
    first = table.records()[0]
    assert (first["feature"], first["hits"], first["where"]) == ("G0", 19, "lower in LumA")
    importance = table.columns["importance"]
    assert list(importance) == sorted(importance, reverse=True)  # type: ignore[type-var]


def test_the_sentence_and_the_accuracy() -> None:
    answer = asked()[0]
    said = answer.sentence.replace("\xa0", " ")
    assert said.startswith("5 of the 29 genes measured in 57 tumours have to do with subtype")
    assert "The most important is G0, lower in LumA." in said
    assert "guessing gives 33 %" in said
    classes = answer.tables["classes"]
    assert classes.columns["class"] == ("Basal", "Her2", "LumA")
    assert sum(classes.columns["n"]) == 57  # type: ignore[arg-type]
    assert all(share > 0.7 for share in classes.columns["share"])  # type: ignore[operator]


def test_the_picture_sets_columns_against_shadows() -> None:
    answer = asked()[0]
    names = answer.tables["importance"].columns["feature"]
    assert names[0] == "G0"
    assert "the best of all shadows" in names
    chance = answer.tables["chance"]
    assert set(chance.columns["whose"]) == {"genes", "shadows of one copy"}
    assert [view.kind for view in answer.views] == ["ranking", "lines"]


def test_what_was_left_out_is_told() -> None:
    notes = " ".join(asked()[0].notes).replace("\xa0", " ")
    assert "Left out: rare, each with fewer than 5 tumours." in notes
    assert "2 tumours of no known subtype could not be used." in notes
    assert "1 gene measured in fewer than half of the tumours" in notes
    assert "none is filled in" in notes


def test_another_matrix_has_its_own_rows() -> None:
    answer = asked(matrix="mrna")[0]
    table = answer.tables["select"]
    confirmed = [row["feature"] for row in table.records() if row["decision"] == "confirmed"]
    assert confirmed[0] == "G9"
    assert len(confirmed) <= 2  # one of twenty may be there by chance
    # Ten have no mRNA, among them the two without a label; one more is of a rare subtype.
    assert "in 49\xa0tumours" in answer.sentence


def test_progress_is_told_to_its_end() -> None:
    reports = asked()[1]
    assert reports[-1] == {"kind": "progress", "done": 360, "total": 360, "what": "trees"}
    assert [one["done"] for one in reports] == sorted(one["done"] for one in reports)


def test_wine_of_three_growers() -> None:
    wine = load_wine()
    about = About("Wine", "wine", "wines", "measure", "measures", label="grower")
    data = MemoryTable(
        wine.data, [f"wine {n}" for n in range(178)], wine.feature_names, about,
        obs={"grower": np.array(["A", "B", "C"])[wine.target]},
    )  # fmt: skip
    params = question.resolve(data, {}, {})
    assert params["matrix"] == "main"
    answer = question.tell(data, question.learn(data, params, lambda *_, **__: None), params)
    assert answer.tables["select"].columns["decision"].count("confirmed") == 13
    assert min(answer.tables["classes"].columns["share"]) > 0.9  # type: ignore[type-var, operator]


def test_noise_is_not_selected() -> None:
    data = tumours()
    random = np.random.default_rng(8)
    noise = MemoryTable(
        random.normal(size=(ROWS, COLUMNS)), data.obs_names, data.var_names, ABOUT, obs=data.obs
    )
    params = question.resolve(noise, {}, {})
    answer = question.tell(noise, question.learn(noise, params, lambda *_, **__: None), params)
    assert "none can be confirmed to have to do with subtype" in answer.sentence
    assert "confirmed" not in answer.tables["select"].columns["decision"]


def test_what_cannot_be_asked() -> None:
    with pytest.raises(NothingToAnswer, match="Fewer than two classes of “one”"):
        asked(outcome="one")
    with pytest.raises(UnknownName, match="no label called “subtpe”"):
        asked(outcome="subtpe")
