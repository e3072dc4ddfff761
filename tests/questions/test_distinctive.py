"""The question “distinctive”, on tables small enough to see through."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from followdata.answer import Answer
from followdata.core.expectation import expectation
from followdata.data import About, Floats, MemoryTable
from followdata.errors import NothingToAnswer, UnknownName
from followdata.questions.distinctive import question

NAN = np.nan
ABOUT = About(
    "Towns", thing="town", things="towns", measure="figure", measures="figures", label="county"
)
SIZED = About(
    "Towns", thing="town", things="towns", measure="figure", measures="figures",
    size="people", label="county",
)  # fmt: skip
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


def counties(seed: int = 0, rows: int = 60) -> MemoryTable:
    """Towns of six counties. People, cars (as many as people), trees (fewer where there are more
    people), a tax that is low but for town 7, a fee that says the same, and some noise."""
    rng = np.random.default_rng(seed)
    people = np.round(rng.lognormal(10, 1, rows))
    tax = rng.normal(20, 1, rows)
    tax[7] = 26
    values = np.column_stack(
        [people, people * rng.normal(0.5, 0.01, rows), 1e6 / people, tax, 100 - 2 * tax]
        + [rng.normal(size=rows) for _ in range(15)]
    )
    names = ["people", "cars", "trees", "tax", "fee", *(f"noise {n}" for n in range(15))]
    county = np.array([f"county {row % 6}" for row in range(rows)])
    county[-1] = "alone"
    return MemoryTable(
        values, [f"town {row}" for row in range(rows)], names, SIZED, obs={"county": county}
    )


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def said(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def test_the_numbers_by_hand() -> None:
    table = ask(towns(), thing="bo").tables["distinctive"]
    assert [field.name for field in table.fields] == [
        "measure", "title", "value", "unit", "expected", "score", "rank", "rank_low", "rank_high",
        "n", "twins",
    ]  # fmt: skip
    # Rain: the highest of five. Rare: its value is shared by four. The others are missing or the
    # same for all.
    rain, rare = table.records()
    # The scores of the other four, at 1, 3, 5 and 7 tenths, are on average -0.320; between those
    # of 2 mm (-0.524) and 3 mm (0) that is 2.389 mm.
    assert rain["measure"] == "rain"
    assert (rain["value"], rain["unit"]) == (50.0, "mm")
    assert rain["expected"] == pytest.approx(2.389, abs=0.001)
    assert (rain["rank"], rain["n"], rain["twins"]) == (1.0, 5, 0)
    assert (rain["rank_low"], rain["rank_high"]) == (1, 1)
    assert rare["measure"] == "rare"
    assert (rare["value"], rare["expected"]) == (0.0, 0.0)
    assert (rare["rank"], rare["rank_low"], rare["rank_high"]) == (3.5, 2, 5)


def test_a_score_is_a_quantile_of_the_normal_distribution() -> None:
    values = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]]) * np.ones(5)
    table = ask(towns(values), thing="Bo").tables["distinctive"]
    # The highest of five stands at 9 / 10 of the way; the spread of five is 0.8.
    spread = np.sqrt(np.mean(stats.norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9]) ** 2))
    top = stats.norm.ppf(0.9)
    for record in table.records():
        assert record["score"] == pytest.approx(top, abs=0.02)
    assert top < top / spread  # no further out than its place allows


def test_the_sentence() -> None:
    assert said(ask(towns(), thing="bo").sentence) == (
        "Bo stands out most in “Rain”: 50.0 mm where 2.4 mm is expected (highest of 5 towns)."
    )


def test_size_alone_fills_no_list() -> None:
    data = counties()
    for thing in ("town 0", "town 7", "town 30"):
        table = ask(data, thing=thing, top=20).tables["distinctive"]
        scores = dict(zip(table.columns["measure"], table.columns["score"], strict=True))
        for measure in ("people", "trees"):
            if measure in scores:
                assert abs(float(str(scores[measure]))) < 1.5
    first = ask(data, thing="town 7").tables["distinctive"].records()[0]
    assert first["measure"] in ("tax", "fee")
    assert first["rank"] in (1, 60)


def test_what_says_the_same_comes_once_and_is_named() -> None:
    answer = ask(counties(), thing="town 7", top=20)
    told = set(answer.tables["distinctive"].columns["measure"])
    twins = answer.tables["twins"].records()
    assert len(told & {"tax", "fee"}) == 1
    assert len(told & {"people", "cars", "trees"}) == 1
    (folded,) = (record for record in twins if record["measure"] in ("tax", "fee"))
    assert folded["of"] in ("tax", "fee")
    assert folded["correlation"] == pytest.approx(-1)
    first = answer.tables["distinctive"].records()[0]
    assert first["twins"] == 1
    assert any("3 figures that say the same" in said(note) for note in answer.notes)


def test_relative_to_its_county() -> None:
    data = counties()
    answer = ask(data, thing="town 7", relative_to="county")
    assert answer.sentence.startswith(
        "town 7 stands out most among the other towns of county 1 in “"
    )
    first = answer.tables["distinctive"].records()[0]
    assert first["measure"] in ("tax", "fee")
    assert first["n"] == 10
    assert ask(data, thing="town 7", relative_to="group") == answer
    # Moved by the same for all of the county, nobody stands out there.
    moved = data.X.copy()
    moved[data.obs["county"] == "county 1", 5] += 100
    same = MemoryTable(moved, data.obs_names, data.var_names, SIZED, obs=data.obs)
    everyone = ask(same, thing="town 1", relative_to="all", top=20)
    among = ask(same, thing="town 1", relative_to="county", top=20)
    assert _score(everyone, "noise 0") > 1.2
    assert abs(_score(among, "noise 0")) < 1
    expected = next(
        float(str(r["expected"]))
        for r in among.tables["distinctive"].records() if r["measure"] == "noise 0"
    )  # fmt: skip
    assert expected > 10  # what is high for all towns is expected in this county


def _score(answer: Answer, measure: str) -> float:
    records = answer.tables["distinctive"].records()
    return next(float(str(r["score"])) for r in records if r["measure"] == measure)


def test_relative_to_its_peers() -> None:
    answer = ask(counties(), thing="town 7", relative_to="peers")
    assert "among the 10 towns most like it" in said(answer.sentence)
    assert set(answer.tables["distinctive"].columns["n"]) == {11}
    peers = answer.tables["peers"]
    assert len(peers) == 5
    assert "town 7" not in peers.columns["thing"]
    versus = next(field for field in peers.fields if field.name == "compare")
    assert (versus.link, versus.given) == ("compare", (("a", "town 7"),))


def test_too_few_to_be_compared_with() -> None:
    with pytest.raises(NothingToAnswer, match="No other town is in alone with town 59"):
        ask(counties(), thing="town 59", relative_to="county")
    with pytest.raises(NothingToAnswer, match="Compare it with all"):
        ask(towns(), thing="Bo", relative_to="peers")
    with pytest.raises(UnknownName):
        ask(counties(), thing="town 59", relative_to="parish")


def test_the_notes_are_honest() -> None:
    notes = [said(note) for note in ask(towns(), thing="bo").notes]
    assert "the data do not say how large each town is" in notes[0]
    assert "0 % of the 2 scores of Bo are beyond 2" in notes[1]
    assert "no proof" in notes[1]
    assert "no telling chance from difference" in notes[2]
    assert notes[3].startswith("Left out: 3 of 5 figures, for which Bo has no value")
    notes = [said(note) for note in ask(counties(), thing="town 7").notes]
    assert "what is expected of a town of its size (“people”)" in notes[0]
    assert "At least 90 % of such intervals hold the rank" in notes[2]


def test_top_says_how_many() -> None:
    assert len(ask(towns(), thing="By", top=1).tables["distinctive"]) == 1
    assert len(ask(towns(), thing="By", top=500).tables["distinctive"]) == 4


def test_the_view_says_what_it_shows() -> None:
    (view,) = ask(towns(), thing="By").views
    assert (view.kind, view.channels) == ("ranking", {"label": "title", "value": "score"})
    assert "By lies above what is expected in 1 and below it in" in view.description


def test_one_that_is_in_the_middle_stands_out_in_nothing() -> None:
    middling = towns(np.outer(np.arange(5.0), np.ones(5)))
    assert "stands out in nothing" in ask(middling, thing="Ed").sentence


def test_nothing_to_say() -> None:
    bare = np.vstack([X[:4], np.full(5, NAN)])
    with pytest.raises(NothingToAnswer, match="Bo has no value in any figure that varies"):
        ask(towns(bare), thing="Bo")
    with pytest.raises(UnknownName, match="town"):
        ask(towns(), thing="Xyz")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 59))
def test_every_number_agrees_with_pandas(seed: int, row: int) -> None:
    data = counties(seed)
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(data.X.shape) < 0.2, NAN, data.X)
    values[:, 0] = data.X[:, 0]
    gaps = MemoryTable(values, data.obs_names, data.var_names, SIZED, obs=data.obs)
    frame = pd.DataFrame(values, index=data.obs_names, columns=data.var_names)
    places = frame.rank(ascending=False)
    truth = expectation(values, values[:, 0]).scores[row]
    answer = ask(gaps, thing=data.obs_names[row], top=500)
    table = answer.tables["distinctive"]
    for record in table.records():
        measure = record["measure"]
        assert record["value"] == frame[measure].iloc[row]
        assert record["rank"] == places[measure].iloc[row]
        assert record["n"] == frame[measure].count()
        assert float(str(record["rank_low"])) <= places[measure].iloc[row]
        assert places[measure].iloc[row] <= float(str(record["rank_high"]))
        assert frame[measure].min() <= float(str(record["expected"])) <= frame[measure].max()
        score = truth[data.var_names.index(str(measure))]
        assert record["score"] == pytest.approx(score, rel=1e-5, abs=1e-6)
    sizes = [abs(float(str(score))) for score in table.columns["score"]]
    assert sizes == sorted(sizes, reverse=True)
    twins = len(answer.tables["twins"]) if "twins" in answer.tables else 0
    assert len(table) <= int(frame.iloc[row].notna().sum()) <= len(table) + twins
