"""The question “measure” on hand-made figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.answer import Answer
from followdata.core.scores import bins, correlation_p, rank_correlation, ranks, ranks_correlated
from followdata.data import About, Floats, Layer, MemoryTable
from followdata.errors import NothingToAnswer, UnknownName
from followdata.questions.measure import question

ABOUT = About("Towns", "town", "towns", "figure", "figures", lang="sv", boundaries="squares",
              time="2022")  # fmt: skip


def towns(X: Floats, **layers: Floats) -> MemoryTable:
    n, p = X.shape
    return MemoryTable(
        X,
        [f"T{row}" for row in range(n)],
        [f"F{column}" for column in range(p)],
        ABOUT,
        obs={"id": np.array([f"{row:04}" for row in range(n)])},
        var={
            "title": np.array([f"Figure {column}, kr" for column in range(p)]),
            "unit": np.array(["kr"] * p),
        },
        layers={_layer(name): values for name, values in layers.items()},
    )


def _layer(name: str) -> Layer:
    part, _, time = name.rpartition("_")
    return Layer(time if time.isdecimal() else "", part or ("" if time.isdecimal() else time))


@pytest.fixture
def table() -> MemoryTable:
    """Twenty towns: F0 counts up, F1 falls, F2 is noise, and the last town has no F0."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(20.0), -(np.arange(20.0) ** 2), rng.normal(size=20)])
    X[19, 0] = np.nan
    return towns(X)


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ")


def test_who_is_highest_lowest_and_where_one_stands(table: MemoryTable) -> None:
    answer = ask(table, measure="F0", thing="T17", top=2)
    assert said(answer) == (
        "“Figure 0, kr” in 2022 runs from 0 (T0) to 18 (T18); the median of 19 towns is 9. "
        "T17 has 17, 2nd highest of 19 towns."
    )
    ranking = answer.tables["measure"].records()
    assert len(ranking) == 19
    assert ranking[0] == {"thing": "T18", "region": "0018", "value": 18.0, "rank": 1.0}
    extremes = answer.tables["extremes"].columns["thing"]
    assert extremes == ("T18", "T17", "T1", "T0")
    assert ask(table, measure="F0", thing="T9", top=2).tables["extremes"].columns["thing"] == (
        "T18", "T17", "T9", "T1", "T0",
    )  # fmt: skip
    assert "T19 has no value." in said(ask(table, measure="F0", thing="T19"))


def test_shared_and_equal_values(table: MemoryTable) -> None:
    X = table.X.copy()
    X[:, 0] = np.where(np.arange(20) < 5, 1.0, 2.0)
    assert "runs from 1 (5 towns) to 2 (15 towns)" in said(ask(towns(X), measure="F0"))
    X[:, 0] = 3.0
    assert "is 3 for all of 20 towns." in said(ask(towns(X), measure="F0"))


def test_views(table: MemoryTable) -> None:
    shown, ranking, spread, related = ask(table, measure="F0", thing="T9").views
    assert (shown.kind, ranking.kind, spread.kind, related.kind) == (
        "map", "ranking", "distribution", "ranking",
    )  # fmt: skip
    assert shown.options["boundaries"] == "squares"
    assert shown.options["mark"] == "T9"
    assert shown.options["bins"] == [3.0, 6.0, 9.0, 12.0, 15.0]
    assert spread.options["mark"] == 9.0
    plain = replace(table, about=replace(ABOUT, boundaries=""))
    assert [view.kind for view in ask(plain, measure="F0").views] == [
        "ranking", "distribution", "ranking",
    ]  # fmt: skip


def test_the_histogram_counts_every_value(table: MemoryTable) -> None:
    columns = ask(table, measure="F2").tables["distribution"].columns
    assert sum(int(str(count)) for count in columns["count"]) == 20
    assert columns["low"][1:] == columns["high"][:-1]


def test_related_figures_with_their_chance(table: MemoryTable) -> None:
    answer = ask(table, measure="F0")
    related = answer.tables["related"].records()
    assert related[0]["measure"] == "F1"
    assert related[0]["correlation"] == pytest.approx(-1)
    assert related[0]["n"] == 19
    assert related[0]["p"] == 0
    rho, n = rank_correlation(table.X[:, 0], table.X[:, 2])
    assert related[1]["correlation"] == pytest.approx(rho)
    from scipy.stats import spearmanr

    theirs = spearmanr(table.X[:19, 0], table.X[:19, 2]).pvalue
    assert n == 19
    assert related[1]["p"] == pytest.approx(min(1, 2 * theirs))
    notes = " ".join(answer.notes).replace("\xa0", " ")
    assert "1 of 20 towns have no value" in notes
    assert "2 correlations were tried" in notes
    assert "Bonferroni" in notes


def test_series_and_parts_are_told_where_the_data_hold_them(table: MemoryTable) -> None:
    X = table.X
    empty = np.full_like(X, np.nan)
    women, men = empty.copy(), empty.copy()
    women[:, 0], men[:, 0] = X[:, 0] + 1, X[:, 0] - 1
    data = towns(X, **{"2021": X - 1, "2022": X, "2020": empty, "women_2022": women,
                       "men_2022": men})  # fmt: skip
    answer = ask(data, measure="F0", thing="T3")
    parts = answer.tables["parts"].records()
    assert [(row["part"], row["median"], row["value"]) for row in parts] == [
        ("men", 8.0, 2.0), ("women", 10.0, 4.0),
    ]  # fmt: skip
    assert "The median is 8 for men and 10 for women." in said(answer)
    series = answer.tables["series"].records()
    assert [(row["time"], row["part"], row["median"]) for row in series] == [
        ("2021", "all", 8.0), ("2022", "all", 9.0), ("2022", "men", 8.0), ("2022", "women", 10.0),
    ]  # fmt: skip
    lines = next(view for view in answer.views if view.kind == "lines")
    assert lines.channels["y"] == "value"
    other = ask(data, measure="F1")
    assert "parts" not in other.tables
    assert [row["time"] for row in other.tables["series"].records()] == ["2021", "2022"]
    assert "series" not in ask(table, measure="F1").tables


def test_too_few_values_and_unknown_names(table: MemoryTable) -> None:
    X = table.X.copy()
    X[2:, 0] = np.nan
    with pytest.raises(NothingToAnswer, match="Only 2"):
        ask(towns(X), measure="F0")
    with pytest.raises(UnknownName):
        ask(table, measure="height")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_quick_rank_correlations_are_near_exact_ones(seed: int) -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4)).round(1)
    X[:, 1] += X[:, 0]
    y = X[:, 0]
    rho, n = ranks_correlated(ranks(X)[:, 0], ranks(X))
    theirs = [spearmanr(y, x).statistic for x in X.T]
    np.testing.assert_allclose(rho, theirs, atol=1e-9)  # without gaps they are the same
    X[rng.random(X.shape) < 0.2] = np.nan
    rho, n = ranks_correlated(ranks(X)[:, 0], ranks(X))
    exact = [rank_correlation(y, x) for x in X.T]
    np.testing.assert_allclose(rho, [value for value, _ in exact], atol=0.08)
    assert n.tolist() == [count for _, count in exact]


def test_p_values_of_chance_are_uniform() -> None:
    from scipy.stats import kstest

    rng = np.random.default_rng(0)
    rho, n = ranks_correlated(np.arange(1.0, 41.0), ranks(rng.normal(size=(40, 3000))))
    assert kstest(correlation_p(rho, n), "uniform").pvalue > 0.01


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False).map(lambda x: round(x, 3)),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_bins_hold_all_values(values: list[float]) -> None:
    edges = bins(np.array(values))
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= min(values) <= max(values) <= edges[-1]
    assert len(edges) <= 33
    assert np.histogram(values, edges)[0].sum() == len(values)
