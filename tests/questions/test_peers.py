"""The question “peers”, on towns whose kin are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.answer import Answer
from followdata.core.expectation import expectation
from followdata.core.likeness import similarities
from followdata.core.normal import normal_scores
from followdata.core.twins import find_twins
from followdata.data import SIMILAR, About, MemoryTable, joined
from followdata.errors import NothingToAnswer, UnknownName
from followdata.questions.peers import question

ABOUT = About(
    "Towns", thing="town", things="towns", measure="figure", measures="figures", size="people"
)
ROWS, COLUMNS = 60, 90


def towns(seed: int = 0, *, named: bool = True) -> MemoryTable:
    """Of three kinds in turn: 0, 3, 6, ... have much of the first thirty figures, 1, 4, ... of
    the next thirty, the others of the last. Sizes fall from town to town."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(ROWS, COLUMNS))
    for row in range(ROWS):
        values[row, 30 * (row % 3) : 30 * (row % 3 + 1)] += 2
    people = np.exp(np.linspace(12, 8, ROWS))
    names = [f"town {row}" for row in range(ROWS)]
    lists = [joined([names[(row + 3) % ROWS], names[(row + 1) % ROWS]]) for row in range(ROWS)]
    lists[5] = ""
    return MemoryTable(
        np.column_stack([people, values]),
        names,
        ["people", *(f"figure {column}" for column in range(COLUMNS))],
        ABOUT,
        obs={f"{SIMILAR}schools, 2024": np.array(lists)} if named else {},
        var={"theme": np.array(["", *(f"theme {column // 30}" for column in range(COLUMNS))])},
    )


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def said(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def test_kin_of_about_the_same_size_come_first() -> None:
    table = ask(towns(), thing="town 30", top=5).tables["peers"]
    assert {int(str(thing).split()[1]) % 3 for thing in table.columns["thing"]} == {0}
    nearest = sorted(int(str(thing).split()[1]) for thing in table.columns["thing"])
    assert all(15 <= row <= 45 for row in nearest)
    assert "town 30" not in table.columns["thing"]


def test_the_table() -> None:
    answer = ask(towns(), thing="town 30")
    table = answer.tables["peers"]
    assert [field.name for field in table.fields] == [
        "thing", "similarity", "size", "theme", "title", "by_source", "compare",
    ]  # fmt: skip
    thing, *_, versus = table.fields
    assert thing.link == "distinctive"
    assert (versus.link, versus.given) == ("compare", (("a", "town 30"),))
    by_source = dict(zip(table.columns["thing"], table.columns["by_source"], strict=True))
    assert by_source["town 33"] is True
    assert sum(bool(named) for named in by_source.values()) <= 2
    assert [
        field.name for field in ask(towns(named=False), thing="town 30").tables["peers"].fields
    ][-1] == "compare"


def test_what_brings_them_together() -> None:
    answer = ask(towns(), thing="town 30")
    why = answer.tables["why"]
    # What all of its kind have much of.
    assert {int(str(measure).split()[1]) < 30 for measure in why.columns["measure"]} == {True}
    for score, theirs in zip(why.columns["score"], why.columns["peers_score"], strict=True):
        assert float(str(score)) * float(str(theirs)) > 0
    assert "They and town 30 are, for their size, high in “figure " in answer.sentence


def test_what_the_source_says() -> None:
    answer = ask(towns(), thing="town 30")
    (record,) = answer.tables["by_source"].records()
    assert record["what"] == "schools, 2024"
    assert record["names"] == "town 33, town 31"
    assert record["found"] == "town 33"
    assert "Of the 10 towns found, 1 are on a list of similar towns" in said(answer.sentence)
    # Of ten in 59 at random 2 * 10 / 59 would be.
    assert "of 10 towns at random some 0.3 would be" in said(answer.notes[-1])
    assert "by_source" not in ask(towns(), thing="town 5").tables


def test_by_a_theme() -> None:
    data = towns()
    # In their first theme alone, the kinds 1 and 2 are alike.
    answer = ask(data, thing="town 31", topic="THEME 0", top=12)
    kinds = {int(str(thing).split()[1]) % 3 for thing in answer.tables["peers"].columns["thing"]}
    assert kinds == {1, 2}
    assert "theme" not in answer.tables["peers"].columns
    assert "in “theme 0”" in answer.sentence
    assert "Compared are the scores in 30 figures" in said(answer.notes[0])
    with pytest.raises(UnknownName, match="theme 9"):
        ask(data, thing="town 31", topic="theme 9")


def test_too_little_to_compare() -> None:
    data = towns()
    bare = data.X.copy()
    bare[3, 1:] = np.nan
    sparse = MemoryTable(bare, data.obs_names, data.var_names, ABOUT, var=data.var)
    with pytest.raises(NothingToAnswer, match="town 3 shares too few figures with any"):
        ask(sparse, thing="town 3")
    with pytest.raises(NothingToAnswer, match="Leave out the theme"):
        ask(sparse, thing="town 3", topic="theme 1")


def test_without_sizes() -> None:
    data = towns()
    about = About("Towns", thing="town", things="towns", measure="figure", measures="figures")
    answer = ask(MemoryTable(data.X, data.obs_names, data.var_names, about), thing="town 30")
    assert "size" not in answer.tables["peers"].columns
    assert "do not say how large each is" in answer.notes[0]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(0, ROWS - 1))
def test_the_numbers_are_those_of_the_definition(seed: int, row: int) -> None:
    data = towns(seed)
    people = data.X[:, 0]
    scores = expectation(data.X, people).scores
    found = similarities(
        scores,
        find_twins(data.X).weights(data.shape[1]),
        normal_scores(people[:, None])[:, 0],
    )[row]
    table = ask(data, thing=data.obs_names[row], top=59).tables["peers"]
    for record in table.records():
        other = data.obs_names.index(str(record["thing"]))
        assert record["similarity"] == pytest.approx(found[other], abs=1e-5)
    values = [float(str(value)) for value in table.columns["similarity"]]
    assert values == sorted(values, reverse=True)
    assert len(table) == ROWS - 1


def test_the_pictures() -> None:
    views = ask(towns(), thing="town 30").views
    assert [(view.kind, view.table) for view in views] == [("ranking", "peers"), ("pairs", "why")]
    assert all(view.description for view in views)
