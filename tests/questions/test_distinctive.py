"""The question “distinctive”, on a table small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.answer import Answer
from followdata.data import About, Floats, MemoryTable
from followdata.errors import NothingToAnswer, UnknownName
from followdata.questions.distinctive import question

ABOUT = About("Towns", thing="town", things="towns", measure="figure", measures="figures")
NAN = np.nan
X = np.array(
    [
        # rain, old, all the same, hills, often 0
        [1.0, 10.0, 5.0, NAN, 0.0],
        [2.0, 20.0, 5.0, 3.0, 0.0],
        [3.0, 30.0, 5.0, 2.0, 0.0],
        [4.0, 40.0, 5.0, 1.0, 4.0],
        [50.0, NAN, 5.0, NAN, 0.0],
    ]
)


def towns(values: Floats = X) -> MemoryTable:
    return MemoryTable(
        values,
        ["Ås", "By", "Ed", "Ön", "Bo"][: len(values)],
        ["rain", "old", "same", "hills", "rare"],
        ABOUT,
        var={
            "title": np.array(["Rain", "Old people", "The same", "Hills", "Rare"]),
            "unit": np.array(["mm", "%", "", "", ""]),
        },
    )


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def test_the_numbers_by_hand() -> None:
    table = ask(towns(), thing="bo").tables["distinctive"]
    assert [field.name for field in table.fields] == [
        "measure", "title", "value", "unit", "expected", "score", "rank", "n",
    ]  # fmt: skip
    # Rain: median 3, median distance 1. Rare: its value is the median. The others are missing
    # or the same for all.
    rain, rare = table.records()
    assert rain == {
        "measure": "rain", "title": "Rain", "value": 50.0, "unit": "mm", "expected": 3.0,
        "score": pytest.approx(47 / 1.4826), "rank": 1.0, "n": 5,
    }  # fmt: skip
    assert rare["measure"] == "rare"
    assert (rare["score"], rare["rank"], rare["n"]) == (0.0, 3.5, 5)


def test_where_most_are_equal_the_mean_distance_counts() -> None:
    first = ask(towns(), thing="ön").tables["distinctive"].records()[0]
    # Rare: median 0, mean distance 4 / 5.
    assert first["measure"] == "rare"
    assert first["score"] == pytest.approx(4 / (1.253314 * 0.8))


def test_the_sentence() -> None:
    assert ask(towns(), thing="bo").sentence.replace("\xa0", " ") == (
        "Bo stands out most in “Rain”: 50 mm against a median of 3 mm (highest of 5 towns)."
    )
    # Of 10, 20, 30, 40 the median is 25 and the median distance 10.
    assert ask(towns(), thing="Ås").sentence.replace("\xa0", " ") == (
        "Ås stands out most in “Rain”: 1 mm against a median of 3 mm (lowest of 5 towns)."
    )


def test_one_that_is_the_median_stands_out_in_nothing() -> None:
    middling = towns(np.outer(np.arange(5.0), np.ones(5)))
    assert "stands out in nothing" in ask(middling, thing="Ed").sentence


def test_the_notes_are_honest() -> None:
    notes = [note.replace("\xa0", " ") for note in ask(towns(), thing="bo").notes]
    assert notes[0] == "In “Rain”, no other town lies as far from the median."
    # One of the two scores of Bo is beyond 3.5, and none of any other town.
    assert notes[1].startswith("50 % of the 2 scores of Bo are beyond 3.5; ")
    assert "for the town in the middle it is 0 %" in notes[1]
    assert "no proof" in notes[1]
    assert notes[2].startswith("Left out: 3 of 5 figures, for which Bo has no value")
    assert "not with similar ones" in notes[3]
    others = ask(towns(), thing="By").notes[0].replace("\xa0", " ")
    assert others.endswith("lie as far from the median.") or others.endswith(
        "lies as far from the median."
    )


def test_top_says_how_many() -> None:
    assert len(ask(towns(), thing="By", top=1).tables["distinctive"]) == 1
    assert len(ask(towns(), thing="By", top=500).tables["distinctive"]) == 4


def test_the_view_says_what_it_shows() -> None:
    (view,) = ask(towns(), thing="By").views
    assert (view.kind, view.channels) == ("ranking", {"label": "title", "value": "score"})
    assert "By lies above the median in 1 and below it in 2" in view.description


def test_nothing_to_say() -> None:
    bare = np.vstack([X[:4], np.full(5, NAN)])
    with pytest.raises(NothingToAnswer, match="Bo has no value in any figure that varies"):
        ask(towns(bare), thing="Bo")
    with pytest.raises(UnknownName, match="town"):
        ask(towns(), thing="Xyz")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 4))
def test_every_number_agrees_with_pandas(seed: int, row: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((5, 5)) < 0.2, NAN, rng.integers(0, 9, (5, 5)).astype(float))
    data = towns(values)
    frame = pd.DataFrame(values, index=data.obs_names, columns=data.var_names)
    try:
        table = ask(data, thing=data.obs_names[row], top=500).tables["distinctive"]
    except NothingToAnswer:
        return
    places = frame.rank(ascending=False)
    for record in table.records():
        measure = record["measure"]
        assert record["value"] == frame[measure].iloc[row]
        assert record["expected"] == frame[measure].median()
        assert record["rank"] == places[measure].iloc[row]
        assert record["n"] == frame[measure].count()
    sizes = [abs(float(str(score))) for score in table.columns["score"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(table) == (frame.iloc[row].notna() & (frame.nunique() > 1)).sum()
