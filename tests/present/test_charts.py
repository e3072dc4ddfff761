"""Each kind of picture on a small table whose column names try to get in its way."""

from __future__ import annotations

from typing import Any

import pytest

from followdata.answer import Answer, Field, Table, View
from followdata.boundaries import Boundaries, register
from followdata.errors import UnknownName
from followdata.present import render
from followdata.present.charts import KINDS, Rows, chart
from followdata.testing.contract import missing_fields

TABLE = Table.of(
    (Field("thing", "Thing"), ["a", "b", "b", "d'e\"<script>"]),
    (Field("row", "Row"), ["r1", "r2", "r3", "r4"]),
    (Field("x", "Across"), [1.0, 2.0, 3.0, 4.5]),
    (Field("y", "Up", "%"), [-1.0, None, 2.0, 1.0]),
    (Field("z", "Deep"), [2.0, 3.0, 2.5, 1.0]),
    (Field("day", "Day"), ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
)
CHANNELS: dict[str, dict[str, str]] = {
    "scatter": {"x": "x", "y": "y", "label": "thing", "color": "z"},
    "ranking": {"label": "thing", "value": "y", "low": "y", "high": "z"},
    "pairs": {"label": "thing", "a": "y", "b": "z"},
    "lines": {"x": "day", "y": "z", "low": "y", "high": "z", "dots": "x"},
    "ribbon": {"x": "day", "low": "y", "high": "z", "mid": "z", "line_1": "x", "line_2": "z"},
    "places": {"longitude": "x", "latitude": "z", "label": "thing", "color": "y"},
    "distribution": {"value": "x", "count": "z"},
    "grid": {"row": "row", "column": "thing", "value": "z"},
    "intervals": {"label": "thing", "value": "x", "low": "y", "high": "z"},
    "map": {"region": "row", "value": "y", "label": "thing"},
    "box": {"label": "thing", "value": "y", "color": "row"},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "ribbon": {"mark_x": "2020-01-02", "mark_y": 2, "mark_label": "now"},
    "distribution": {"mark": 2, "mark_label": "you"},
    "grid": {"bins": [1.5, 2.2]},
    "map": {"boundaries": "charts", "bins": [0.5], "mark": "d'e\"<script>"},
    "intervals": {"first": 2, "mark": "d'e\"<script>"},
    "places": {"domain": [0, 100]},
    "pairs": {"a_title": "d'e\"", "b_title": "other"},
}


def squares() -> Boundaries:
    """Two regions of the table, and one that it does not hold."""
    square = [[(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)]]
    return Boundaries({"r1": [square], "r4": [square], "r9": [square]}, "drawn by hand")


register("charts", f"{__name__}:squares")


def answer(kind: str, **options: Any) -> Answer:
    view = View(
        kind, "t", CHANNELS[kind], "Title", "What it shows.", OPTIONS.get(kind, {}) | options
    )
    return Answer("Told.", {"t": TABLE}, (view,))


def test_every_kind_is_tried_here() -> None:
    assert CHANNELS.keys() >= KINDS.keys()


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_chart_is_valid_and_finds_its_data(kind: str) -> None:
    told = answer(kind)
    spec = chart(told, told.views[0], check=True)
    assert not missing_fields(spec, spec["datasets"])
    assert spec["description"] == "What it shows."


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_is_drawn_in_both_themes(kind: str, theme: str) -> None:
    assert render(answer(kind), "svg", theme=theme).startswith(b"<svg")
    assert render(answer(kind), "png", theme=theme).startswith(b"\x89PNG")


def test_values_are_what_the_table_holds() -> None:
    told = answer("grid")
    (rows,) = chart(told, told.views[0])["datasets"].values()
    assert [record["row"] for record in rows] == ["r1", "r2", "r3", "r4"]


def test_rows_of_the_same_name_have_a_place_each() -> None:
    told = answer("ranking")
    drawn = render(told, "svg").decode()
    assert drawn.count(">b<") == 2


def test_where_keeps_some_rows() -> None:
    told = answer("ranking", where={"thing": "b"})
    (rows,) = chart(told, told.views[0])["datasets"].values()
    assert [record["row"] for record in rows] == ["r2", "r3"]


def test_a_name_cannot_bring_a_script() -> None:
    page = render(answer("ranking"), "html").decode()
    assert "<script>" not in page
    assert "<script" not in render(answer("scatter"), "svg").decode()


@pytest.mark.parametrize("name", ["a.b", "a[0]", "'] || alert(1) || datum['", '\\"', "x:Q", "ÅÄ"])
def test_a_name_of_a_column_is_no_expression(name: str) -> None:
    table = Table.of(
        (Field("thing", "Thing", link="other"), ["a", "b"]),
        (Field(name, name), [1.0, -2.0]),
        (Field(name + "_", "Nearly the same"), [3.0, 4.0]),
    )
    view = View("ranking", "t", {"label": "thing", "value": name}, "Title", "What it shows.")
    spec = chart(Answer("Told.", {"t": table}, (view,)), view, check=True)
    assert not missing_fields(spec, spec["datasets"])
    assert "alert(1)" not in str(spec["layer"][0]["transform"])
    assert len(spec["datasets"]["rows"][0]) == 4
    assert b">a<" in render(Answer("Told.", {"t": table}, (view,)), "svg")


def test_a_kind_may_be_drawn_by_altair() -> None:
    import altair

    def drawn(rows: Rows, view: View) -> Any:
        chart = altair.Chart(altair.NamedData(name=rows.all()["name"])).mark_bar()
        return chart.encode(x=altair.X("x", type="quantitative"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "bars", drawn)
        view = View("bars", "t", {}, "Title", "What it shows.")
        assert render(Answer("Told.", {"t": TABLE}, (view,)), "svg").startswith(b"<svg")


def test_an_unknown_kind_says_what_there_is() -> None:
    told = Answer("Told.", {"t": TABLE}, (View("pie", "t", {}, "No", "No"),))
    with pytest.raises(UnknownName, match="kind of picture"):
        chart(told, told.views[0])


def test_a_picture_may_show_the_first_rows_only() -> None:
    channels = {"label": "thing", "value": "z"}
    view = View("ranking", "t", channels, "First", "Two bars", {"most": 2})
    spec = chart(Answer("Said.", {"t": TABLE}, (view,)), view, check=True)
    assert [record["thing"] for record in spec["datasets"]["rows"]] == ["a", "b"]
