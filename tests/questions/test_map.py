"""The question “map”: two groups of towns told apart by hand-made figures."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from followdata.answer import Answer, Further
from followdata.data import About, Floats, MemoryTable
from followdata.errors import InvalidParameter, NothingToAnswer, NotInstalled, UnknownName
from followdata.questions.components import question

ABOUT = About("Towns", thing="town", things="towns", measure="figure", measures="figures",
              label="coast", lang="sv")  # fmt: skip


def towns(X: Floats) -> MemoryTable:
    n, p = X.shape
    return MemoryTable(
        X,
        [f"T{row}" for row in range(n)],
        [f"F{column}" for column in range(p)],
        ABOUT,
        obs={"coast": np.array(["east", "west"] * n)[:n]},
        var={
            "title": np.array([f"Figure {column}" for column in range(p)]),
            "unit": np.array(["kr"] * p),
        },
    )


@pytest.fixture
def coasts() -> MemoryTable:
    """Eight towns: figures 0 to 2 rise from east to west, figure 3 falls, figure 4 is a second
    matter, and one value is missing."""
    rng = np.random.default_rng(0)
    west = np.array([0, 1, 0, 1, 0, 1, 0, 1]) + 0.1 * rng.normal(size=8)
    X = np.column_stack([west, 2 * west, west, -west, rng.normal(size=8)])
    X[:, 1:4] += 0.01 * rng.normal(size=(8, 3))
    X[0, 1] = np.nan
    return towns(X)


def ask(data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


def test_the_map_shows_every_row_and_what_tells_them_apart(coasts: MemoryTable) -> None:
    answer = ask(coasts)
    rows = answer.tables["map"].records()
    assert [row["thing"] for row in rows] == list(coasts.obs_names)
    assert list(rows[0]) == ["thing", "x", "y"]
    west = {row["thing"] for row in rows if isinstance(row["x"], float) and row["x"] > 0}
    assert west in ({"T0", "T2", "T4", "T6"}, {"T1", "T3", "T5", "T7"})


def test_loadings_are_correlations_the_strongest_first(coasts: MemoryTable) -> None:
    answer = ask(coasts)
    loadings = answer.tables["loadings"].records()
    assert list(loadings[0]) == ["component", "measure", "title", "loading"]
    assert [row["component"] for row in loadings] == [1] * 5 + [2] * 5
    x = np.array(answer.tables["map"].columns["x"], dtype=float)
    for row in loadings[:5]:
        values = coasts.matrix(var=[str(row["measure"])])[:, 0]
        known = ~np.isnan(values)
        assert row["loading"] == pytest.approx(np.corrcoef(values[known], x[known])[0, 1])
    sizes = [abs(float(str(row["loading"]))) for row in loadings[:5]]
    assert sizes == sorted(sizes, reverse=True)
    assert loadings[4]["measure"] == "F4"


def test_the_sentence_names_ends_and_figures(coasts: MemoryTable) -> None:
    answer = ask(coasts)
    ends = [
        row["thing"]
        for row in sorted(answer.tables["map"].records(), key=lambda r: float(str(r["x"])))
    ]
    assert answer.sentence.startswith("Components 1 and 2 carry ")
    assert "of the differences between 8\xa0towns." in answer.sentence
    assert f"Component 1 runs from {ends[0]} to {ends[-1]}; along it “Figure" in answer.sentence
    assert "falls most" in answer.sentence


def test_missing_values_and_columns_left_out_are_told(coasts: MemoryTable) -> None:
    X = np.column_stack([coasts.X, np.full(8, 3.0), np.full(8, np.nan)])
    X = np.vstack([X, np.full(7, np.nan)])
    notes = " ".join(ask(towns(X)).notes).replace("\xa0", " ")
    assert "1 of 40 values (2 %) are missing" in notes
    assert "Left out: 1 figure with values for under 20 % of the rows" in notes
    assert (
        "1 figure with the same value everywhere and 1 town with under 20 % of the values" in notes
    )
    assert "None of the 24\xa0values" not in notes
    assert "prove nothing about causes" in notes


def test_a_row_that_was_left_out_is_not_on_the_map(coasts: MemoryTable) -> None:
    answer = ask(towns(np.vstack([coasts.X, np.full(5, np.nan)])), color="Figure 1", group="east")
    assert "T8" not in answer.tables["map"].columns["thing"]
    assert len(answer.tables["map"]) == 8


def test_colour_and_group_are_told_of_every_point(coasts: MemoryTable) -> None:
    answer = ask(coasts, color="figure 1", group="EAST")
    table = answer.tables["map"]
    assert [field.name for field in table.fields] == ["thing", "x", "y", "color", "marked"]
    value = table.fields[3]
    assert (value.title, value.unit, value.lang) == ("Figure 1", "kr", "sv")
    assert table.columns["color"][0] is None
    assert table.columns["color"][1:] == tuple(coasts.X[1:, 1])
    assert table.columns["marked"] == ("east", "other towns") * 4
    assert answer.views[0].channels["color"] == "color"
    mean = np.mean(np.array(table.columns["x"], dtype=float)[::2])
    where = f"east (4\xa0towns) lies on average at {mean:.1f} on component 1".replace("-", "−")
    assert where in answer.sentence
    assert ask(coasts, group="west").views[0].channels["color"] == "marked"
    assert "color" not in ask(coasts).views[0].channels


def test_views_show_the_map_and_each_component(coasts: MemoryTable) -> None:
    scatter, first, second = ask(coasts, x=2, y=1).views
    assert (scatter.kind, scatter.table) == ("scatter", "map")
    assert [view.options["where"] for view in (first, second)] == [
        {"component": 2},
        {"component": 1},
    ]
    assert all(view.kind == "ranking" for view in (first, second))
    assert "from T" in scatter.description


def test_other_components_can_be_drawn(coasts: MemoryTable) -> None:
    swapped, plain = ask(coasts, x=2, y=1), ask(coasts)
    assert swapped.tables["map"].columns["x"] == plain.tables["map"].columns["y"]
    assert swapped.sentence.startswith("Components 2 and 1 carry ")


def test_what_cannot_be_drawn(coasts: MemoryTable) -> None:
    with pytest.raises(InvalidParameter, match="component 2 is drawn"):
        ask(coasts, x=2)
    line = np.arange(5.0)
    with pytest.raises(InvalidParameter, match="y: the data have only 1"):
        ask(towns(np.column_stack([line, line, -line])))
    with pytest.raises(UnknownName, match="coast"):
        ask(coasts, group="north")


@pytest.mark.parametrize(
    "X",
    [
        np.eye(2),
        np.ones((9, 9)),
        np.full((5, 4), np.nan),
        np.random.default_rng(0).normal(size=(9, 2)),
    ],
)
def test_too_little_to_draw(X: Floats) -> None:
    with pytest.raises(NothingToAnswer, match="A map needs 3 of each"):
        ask(towns(X))


def test_what_is_fitted_can_be_stored(coasts: MemoryTable, tmp_path: object) -> None:
    from pathlib import Path

    from followdata.store import Store

    params = question.resolve(coasts, {}, {})
    fitted = question.learn(coasts, params, print)
    store = Store(Path(str(tmp_path)))
    store.keep_fitted("map", fitted)
    again = store.fitted("map", question.fitted_type)
    assert question.tell(coasts, again, params) == question.tell(coasts, fitted, params)


def test_components_and_trust_are_told(coasts: MemoryTable) -> None:
    from sklearn.manifold import trustworthiness

    from followdata.core.components import complete

    answer = ask(coasts)
    shares = answer.tables["components"].columns
    assert shares["component"] == tuple(range(1, 6))
    assert sum(float(str(share)) for share in shares["share"]) == pytest.approx(100, abs=1)
    (trust,) = answer.tables["trust"].records()
    assert (trust["method"], trust["neighbours"], trust["things"]) == ("pca", 3, 8)
    Z = complete(coasts.X, rank=10).Z
    table = answer.tables["map"].columns
    places = np.array([table["x"], table["y"]], dtype=float).T
    assert trust["trustworthiness"] == pytest.approx(trustworthiness(Z, places, n_neighbors=3))


def test_colour_by_a_label_says_what_it_tells(coasts: MemoryTable) -> None:
    answer = ask(coasts, color="Coast")
    table = answer.tables["map"]
    assert table.columns["color"] == ("east", "west") * 4
    said = answer.sentence.replace("\xa0", " ")
    assert "Coast goes with 96 % of the variance along component 1" in said
    assert "rank correlation of" in ask(coasts, color="F0").sentence
    constant = towns(np.column_stack([coasts.X, np.full(8, 3.0)]))
    assert "does not vary enough" in ask(constant, color="F5").sentence


def test_scaling_places_all_and_has_axes(coasts: MemoryTable) -> None:
    answer = ask(coasts, method="mds", group="east")
    assert answer.sentence.startswith("8\xa0towns are placed by metric multidimensional scaling.")
    assert "Axis 1 runs from" in answer.sentence
    assert "on axis 1 and" in answer.sentence
    assert [view.options.get("where") for view in answer.views[1:]] == [
        {"component": 1},
        {"component": 2},
    ]
    x = np.array(answer.tables["map"].columns["x"], dtype=float)
    assert x.mean() == pytest.approx(0, abs=1e-9)
    for row in answer.tables["loadings"].records()[:5]:
        values = coasts.matrix(var=[str(row["measure"])])[:, 0]
        known = ~np.isnan(values)
        assert row["loading"] == pytest.approx(np.corrcoef(values[known], x[known])[0, 1])
    line = np.arange(5.0)
    with pytest.raises(NothingToAnswer, match="one direction"):
        ask(towns(np.column_stack([line, line, -line])), method="mds")


TWO_GROUPS = """
import numpy as np
from followdata.core.embedding import distances, neighbour_ranks, trustworthiness
from followdata.questions.embeddings import METHODS

X = np.random.default_rng(0).normal(size=(14, 6)) + 6 * (np.arange(14) % 2)[:, None]
places = METHODS["{method}"](X, X[:, :2])
assert (places == METHODS["{method}"](X, X[:, :2])).all()
print(trustworthiness(neighbour_ranks(distances(X)), places, 3))
"""


@pytest.mark.parametrize(("method", "package"), [("tsne", "openTSNE"), ("umap", "umap")])
def test_methods_that_keep_neighbours(method: str, package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"NOT TESTED: {package} is not installed (extra maps)")
    # Interpreted, UMAP is done with so few points long before it would be compiled.
    run = subprocess.run(
        [sys.executable, "-c", TWO_GROUPS.format(method=method)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(run.stdout) > 0.75


@pytest.mark.parametrize(("method", "package"), [("tsne", "openTSNE"), ("umap", "umap")])
def test_a_method_that_is_not_installed_says_what_to_do(
    method: str, package: str, coasts: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotInstalled, match=r'pip install "followdata\[maps\]"'):
        ask(coasts, method=method)


def test_one_row_picked_is_placed_and_leads_to_what_is_special_about_it(
    coasts: MemoryTable,
) -> None:
    answer = ask(coasts, thing="T1", x=2, y=1)
    assert "T1 lies at " in answer.sentence
    assert "Nearest to it in all figures: " in answer.sentence
    named = answer.sentence.partition("in all figures: ")[2]
    assert all(east in named for east in ("T3", "T5", "T7"))
    assert answer.further == (Further("distinctive", (("thing", "T1"),)),)
    assert answer.views[0].options["picked"] == ["T1"]
    # The next one that is clicked is compared with it, on the same axes.
    field = answer.tables["map"].fields[0]
    assert (field.link, dict(field.given)) == (
        "map", {"method": "pca", "x": 2, "y": 1, "thing": "T1"},
    )  # fmt: skip


def test_two_rows_picked_are_compared_and_a_third_begins_anew(coasts: MemoryTable) -> None:
    answer = ask(coasts, thing="T0", beside="T1")
    assert re.search(r"T1 is the \dth nearest to T0 of 7\stowns\.", answer.sentence)
    assert answer.further == (Further("compare", (("a", "T0"), ("b", "T1"))),)
    assert "thing" not in dict(answer.tables["map"].fields[0].given)


def test_the_nearest_and_the_furthest_are_called_so() -> None:
    line = np.repeat(np.array([0.0, 1.0, 3.0, 9.0])[:, None], 3, axis=1)
    data = towns(line + [0.0, 0.0, 0.1] * np.arange(4.0)[:, None] ** 2)
    assert "T1 is the nearest to T0 of" in ask(data, thing="T0", beside="T1").sentence
    assert "T2 is the 2nd nearest to T0" in ask(data, thing="T0", beside="T2").sentence
    assert "T3 is the furthest from T0" in ask(data, thing="T0", beside="T3").sentence


def test_the_same_row_is_not_picked_twice(coasts: MemoryTable) -> None:
    with pytest.raises(InvalidParameter, match="picked already"):
        ask(coasts, thing="T0", beside="T0")


def test_a_picked_row_without_values_is_not_placed(coasts: MemoryTable) -> None:
    X = coasts.matrix().copy()
    X[3] = np.nan
    assert "T3 has too few values to be placed." in ask(towns(X), thing="T3").sentence
