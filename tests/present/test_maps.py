"""Maps of regions: two squares, one with a value."""

from __future__ import annotations

import json

import pytest

from followdata.answer import Answer, Field, Table, View
from followdata.boundaries import Boundaries, register
from followdata.errors import UnknownName
from followdata.present import pictures
from followdata.present.charts import chart

SHAPES = {
    "01": [[[(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)]]],
    "02": [[[(9, 0), (18, 0), (18, 9), (9, 9), (9, 0)]]],
    "03": [[[(0, 9), (9, 9), (9, 18), (0, 18), (0, 9)]]],
}


def squares() -> Boundaries:
    return Boundaries(SHAPES, "drawn by hand")


@pytest.fixture
def answer() -> Answer:
    register("squares", f"{__name__}:squares")
    table = Table.of(
        (Field("thing", "Square", link="distinctive"), ["A", "B </script>"]),
        (Field("region", "Code", code=True), ["01", "02"]),
        (Field("value", "Size", unit="m"), [1.5, 4.0]),
    )
    view = View(
        "map",
        "measure",
        {"region": "region", "value": "value", "label": "thing"},
        "Squares",
        "Two squares of three.",
        {"boundaries": "squares", "bins": [2.0], "mark": "A"},
    )
    return Answer("Two squares.", {"measure": table}, (view,))


def test_each_region_is_drawn_with_its_value(answer: Answer) -> None:
    spec = chart(answer, answer.views[0], check=True)
    (features,) = spec["datasets"].values()  # once for all three layers
    assert [(f.get("thing"), f.get("value")) for f in features] == [
        ("A", 1.5),
        ("B </script>", 4.0),
        (None, None),
    ]
    assert spec["projection"] == {"type": "identity", "reflectY": True}
    land, regions, outline = spec["layer"]
    assert regions["encoding"]["color"]["scale"]["domain"] == ["under 2", "2 and more"]
    assert "data" not in land
    assert outline["transform"] == [{"filter": "datum['thing'] === \"A\""}]
    json.dumps(spec)


def test_the_picture_is_two_shades_and_an_outline(answer: Answer) -> None:
    from followdata.present.theme import SHADES, THEMES

    svg = pictures.svg(answer, answer.views[0]).decode()
    assert SHADES["light"][0] in svg
    assert SHADES["light"][1] in svg
    assert f'stroke="{THEMES["light"].accent}"' in svg
    assert svg != pictures.svg(answer, answer.views[0], "dark").decode()
    assert pictures.png(answer, answer.views[0]).startswith(b"\x89PNG")


def test_a_set_that_nobody_brings_is_an_error(answer: Answer) -> None:
    from dataclasses import replace

    view = replace(answer.views[0], options={"boundaries": "circles", "bins": [1.0]})
    with pytest.raises(UnknownName, match="set of boundaries"):
        chart(answer, view)
