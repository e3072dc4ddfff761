"""The question “index” on hand-made figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from followdata.answer import Answer
from followdata.data import About, Floats, MemoryTable
from followdata.errors import InvalidParameter, NothingToAnswer, UnknownName
from followdata.questions.index import question

ABOUT = About("Towns", "town", "towns", "figure", "figures", lang="sv", boundaries="squares")


def towns(X: Floats) -> MemoryTable:
    n, p = X.shape
    return MemoryTable(
        X,
        [f"T{row}" for row in range(n)],
        [f"F{column}" for column in range(p)],
        ABOUT,
        obs={"id": np.array([f"{row:04}" for row in range(n)])},
        var={"title": np.array([f"Figure {column}" for column in range(p)])},
    )


@pytest.fixture
def table() -> MemoryTable:
    """Five towns: F0 rises, F1 falls, F2 is F0 again but unknown for T4, and F3 for most."""
    X = np.column_stack(
        [np.arange(5.0), -np.arange(5.0), np.arange(5.0), [1.0, np.nan, np.nan, np.nan, 2.0]]
    )
    X[4, 2] = np.nan
    return towns(X)


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ")


def test_scores_are_weighted_places(table: MemoryTable) -> None:
    answer = ask(table, measures="F0,F1", weights="3,1", thing="T3")
    rows = answer.tables["index"].records()
    assert [row["thing"] for row in rows] == ["T4", "T3", "T2", "T1", "T0"]
    # Places in F0 are 10, 30, 50, 70, 90; in F1 the other way round.
    assert [row["score"] for row in rows] == pytest.approx([70.0, 60.0, 50.0, 40.0, 30.0])
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[1]["from_F0"] == pytest.approx(0.75 * 20)
    assert rows[1]["from_F1"] == pytest.approx(0.25 * -20)
    for row in rows:
        added = float(str(row["from_F0"])) + float(str(row["from_F1"]))
        assert row["score"] == pytest.approx(50 + added)
        assert int(str(row["rank_low"])) <= float(str(row["rank"])) <= int(str(row["rank_high"]))
    assert said(answer).startswith("By 2 figures, T4 comes first of 5 towns (rank 1")
    assert "T3 comes 2nd" in said(answer)
    assert "lifted most by “Figure 0” and held back most by “Figure 1”" in said(answer)
    contributions = answer.tables["contributions"].records()
    assert [(row["measure"], row["value"], row["place"]) for row in contributions] == [
        ("F0", 3.0, 70.0), ("F1", -3.0, 30.0),
    ]  # fmt: skip


def test_a_minus_sign_says_that_less_is_better(table: MemoryTable) -> None:
    answer = ask(table, measures="F0,F1", weights="1,-1")
    assert answer.tables["index"].columns["score"] == pytest.approx((90, 70, 50, 30, 10))
    assert answer.tables["parts"].columns["better"] == ("more", "less")
    assert answer.tables["parts"].columns["weight"] == (50.0, 50.0)


def test_missing_parts_are_told(table: MemoryTable) -> None:
    answer = ask(table, measures="F0,F1,F3")
    assert len(answer.tables["index"]) == 5
    notes = " ".join(answer.notes).replace("\xa0", " ")
    assert "3 towns of those ranked lack some values" in notes
    few = towns(np.column_stack([table.X[:, :1], np.r_[1.0, 2.0, 3.0, np.nan, np.nan]]))
    answer = ask(few, measures="F0,F1", weights="1,2", thing="T4")
    assert "2 towns whose values carry less than half of the weight" in " ".join(
        answer.notes
    ).replace("\xa0", " ")
    assert "T4 has too few of the figures to be ranked." in answer.sentence
    assert "contributions" not in answer.tables


def test_the_same_thing_twice_is_told(table: MemoryTable) -> None:
    notes = " ".join(ask(table, measures="F0,F2").notes)
    assert "Nearly the same thing counts twice: “Figure 0” with “Figure 2”" in notes
    assert "twice" not in " ".join(ask(towns(np.random.default_rng(0).random((30, 2))),
                                       measures="F0,F1").notes)  # fmt: skip


def test_views(table: MemoryTable) -> None:
    views = ask(table, measures="F0,F1", weights="3,1").views
    assert [view.kind for view in views] == ["intervals", "ranking", "map"]
    assert views[0].options == {"first": 5, "mark": "T4"}
    plain = replace(table, about=replace(ABOUT, boundaries=""))
    assert [view.kind for view in ask(plain, measures="F0,F1").views] == ["intervals", "ranking"]


def test_certainty_narrows_the_ranks() -> None:
    data = towns(np.random.default_rng(0).random((40, 4)))

    def width(certainty: float) -> float:
        rows = ask(data, measures="F0,F1,F2,F3", certainty=certainty).tables["index"].columns
        pairs = zip(rows["rank_low"], rows["rank_high"], strict=True)
        return float(np.mean([int(str(high)) - int(str(low)) for low, high in pairs]))

    assert width(1) > width(4) > width(50) > width(1000)


def test_what_cannot_be_ranked(table: MemoryTable) -> None:
    with pytest.raises(InvalidParameter, match="1 are given for 2 columns"):
        ask(table, measures="F0,F1", weights="2")
    with pytest.raises(InvalidParameter, match="0 is no weight"):
        ask(table, measures="F0,F1", weights="1,0")
    with pytest.raises(UnknownName):
        ask(table, measures="F0,height")
    with pytest.raises(NothingToAnswer, match="Only 2"):
        ask(table, measures="F3")
    with pytest.raises(NothingToAnswer, match="no values"):
        ask(towns(np.column_stack([table.X, np.full(5, np.nan)])), measures="F0,F4")


def test_other_columns_of_one_row_are_shown_and_do_not_count(table: MemoryTable) -> None:
    plain = ask(table, measures="F0", thing="T3")
    answer = ask(table, measures="F0", thing="T3", details="F1,F3")
    assert answer.tables["index"] == plain.tables["index"]
    assert answer.tables["details"].records() == [
        {"measure": "F1", "title": "Figure 1", "value": -3.0, "unit": "", "rank": 4.0, "n": 5},
        {"measure": "F3", "title": "Figure 3", "value": None, "unit": "", "rank": None, "n": 2},
    ]
