"""The question “compare”, on a table small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.answer import Answer
from followdata.data import About, Floats, MemoryTable
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.questions.compare import question

ABOUT = About("Towns", thing="town", things="towns", measure="figure", measures="figures")
NAN = np.nan
X = np.array(
    [
        # rain, old, same, hills
        [1.0, 10.0, 5.0, 2.0],
        [2.0, 20.0, 5.0, 2.0],
        [3.0, NAN, 5.0, 1.0],
        [4.0, 15.0, 5.0, NAN],
    ]
)


def towns(values: Floats = X) -> MemoryTable:
    return MemoryTable(
        values,
        ["Ås", "By", "Ed", "Ön"],
        ["rain", "old", "same", "hills"],
        ABOUT,
        var={
            "title": np.array(["Rain", "Old people", "The same", "Hills"]),
            "unit": np.array(["mm", "%", "", ""]),
        },
    )


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def test_the_numbers_by_hand() -> None:
    table = ask(towns(), a="Ås", b="Ön").tables["compare"]
    assert table.records()[0] == {
        "measure": "rain", "title": "Rain", "value_a": 1.0, "value_b": 4.0, "unit": "mm",
        "rank_a": 4.0, "rank_b": 1.0, "n": 4, "percentile_a": 12.5, "percentile_b": 87.5,
        "difference": -75.0, "twins": 0,
    }  # fmt: skip
    # Old people: 10 is the lowest of three, 15 the middle one. The same: all share one place.
    assert table.columns["measure"] == ("rain", "old", "same")
    assert table.columns["difference"] == pytest.approx((-75, -100 / 3, 0))


def test_the_sentence() -> None:
    assert ask(towns(), a="Ås", b="Ön").sentence.replace("\xa0", " ") == (
        "Ås and Ön stand furthest apart in “Rain”: 1 mm (lowest of 4 towns) against 4 mm "
        "(highest of 4 towns). Over the 3 figures that both have, they are typically 33 places in "
        "a hundred apart."
    )


def test_what_says_the_same_comes_once() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 3))
    columns = [values[:, 0], -np.exp(values[:, 0]), values[:, 1], values[:, 2]]
    data = MemoryTable(
        np.column_stack(columns), [f"town {n}" for n in range(40)], ["a", "b", "c", "d"], ABOUT
    )
    answer = ask(data, a="town 0", b="town 1", top=4)
    table = answer.tables["compare"]
    assert len(set(table.columns["measure"]) & {"a", "b"}) == 1
    assert len(table) == 3
    assert sum(int(str(twins)) for twins in table.columns["twins"]) == 1
    (folded,) = answer.tables["twins"].records()
    assert folded["correlation"] == pytest.approx(-1)
    assert {folded["of"], folded["measure"]} == {"a", "b"}
    assert "1 figure that says the same" in answer.notes[0].replace("\xa0", " ")


def test_the_other_way_round_is_told_too() -> None:
    values = np.array([[1.0, 9.0], [2.0, 8.0], [3.0, 7.0], [4.0, 4.0]])
    both = towns(np.column_stack([values, np.ones(4), np.ones(4)]))
    sentence = ask(both, a="Ön", b="Ås").sentence.replace("\xa0", " ")
    assert (
        "The other way round, Ås is higher than Ön above all in “Old people” (9 % against 4 %)"
        in (sentence)
    )


def test_equal_values_share_a_place() -> None:
    sentence = ask(towns(), a="Ed", b="By").sentence
    assert "highest of 3 towns, shared by 2" in sentence


def test_two_that_are_the_same_in_all() -> None:
    alike = X.copy()
    alike[1] = alike[0]
    assert "have the same value wherever" in ask(towns(alike), a="Ås", b="By").sentence


def test_the_notes_count_what_is_missing() -> None:
    notes = [note.replace("\xa0", " ") for note in ask(towns(), a="Ed", b="Ön").notes]
    assert notes[0] == ("Left out: 2 of 4 figures. Ed has no value for 1 and Ön none for 1.")
    assert "placed at random would be 29 places apart" in notes[1]


def test_two_places_at_random_are_29_apart_in_the_median() -> None:
    places = np.random.default_rng(0).random((2, 100_000)) * 100
    assert np.median(np.abs(places[0] - places[1])) == pytest.approx(29.3, abs=0.5)


def test_the_view_pairs_places() -> None:
    (view,) = ask(towns(), a="Ås", b="Ön").views
    assert (view.kind, view.channels["a"], view.channels["b"]) == (
        "pairs", "percentile_a", "percentile_b",
    )  # fmt: skip
    assert (view.options["a_title"], view.options["b_title"]) == ("Ås", "Ön")
    assert "Ås stands higher in 0 of 3 rows, Ön in 2" in view.description


def test_what_cannot_be_compared() -> None:
    with pytest.raises(InvalidParameter, match=r"^b: Ås cannot be compared with itself"):
        ask(towns(), a="Ås", b="as")
    apart = np.array([[1, NAN], [NAN, 1], [2, 2], [3, 3.0]])
    apart = np.column_stack([apart, apart])
    with pytest.raises(NothingToAnswer, match="in which both Ås and By have a value"):
        ask(towns(apart), a="Ås", b="By")


def test_a_column_that_nobody_has_disturbs_nothing() -> None:
    empty = np.column_stack([X[:, :3], np.full(4, NAN)])
    assert ask(towns(empty), a="Ås", b="Ön").tables["compare"].columns["measure"][0] == "rain"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_every_number_agrees_with_pandas_and_turns_round(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((4, 4)) < 0.2, NAN, rng.integers(0, 6, (4, 4)).astype(float))
    data = towns(values)
    frame = pd.DataFrame(values, index=data.obs_names, columns=data.var_names)
    places = 100 * (frame.rank() - 0.5) / frame.count()
    try:
        there = ask(data, a="Ås", b="By", top=500).tables["compare"]
        back = ask(data, a="By", b="Ås", top=500).tables["compare"]
    except NothingToAnswer:
        assert (frame.loc["Ås"].isna() | frame.loc["By"].isna()).all()
        return
    for record in there.records():
        measure = record["measure"]
        assert record["value_a"] == frame.loc["Ås", measure]
        assert record["percentile_b"] == pytest.approx(places.loc["By", measure])
        difference = places.loc["Ås", measure] - places.loc["By", measure]
        assert record["difference"] == pytest.approx(difference)
    assert back.columns["measure"] == there.columns["measure"]
    assert back.columns["rank_a"] == there.columns["rank_b"]
