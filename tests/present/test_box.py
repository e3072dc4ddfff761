"""Kinds of pictures: what they draw of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from followdata.answer import Answer, Field, Table, View
from followdata.present.charts import chart

VALUES = [1.0, 2.0, 3.0, 4.0, 100.0, 7.0, 8.0, None]
GROUPS = ["a"] * 5 + ["b"] * 3


def drawn(table: Table, view: View) -> dict[str, Any]:
    return chart(Answer("Said.", {"t": table}, (view,)), view, check=True)


def values(spec: dict[str, Any], layer: int) -> list[dict[str, Any]]:
    """What a layer draws."""
    name = spec["layer"][layer].get("data", spec.get("data"))["name"]
    return list(spec["datasets"][name])


def box(donors: list[Any], name: str = "value") -> dict[str, Any]:
    table = Table.of(
        (Field("group", "Group"), GROUPS), (Field(name, "Value", unit="TPM"), VALUES),
        (Field("donor", "Donor"), donors),
    )  # fmt: skip
    channels = {"label": "group", "value": name, "color": "donor"}
    return drawn(table, View("box", "t", channels, "Boxes", "Two boxes."))


def test_a_box_is_tukeys() -> None:
    spec = box([None] * 8)
    whiskers, bars, ticks, points, captions = (values(spec, layer) for layer in range(5))
    (five,) = whiskers
    assert whiskers == bars
    low, middle, high = np.percentile(VALUES[:5], [25, 50, 75])  # type: ignore[arg-type]
    assert (five["q1_"], five["median_"], five["q3_"]) == (low, middle, high)
    assert (five["low_"], five["high_"]) == (1, 4), "100 lies beyond the whisker"
    assert [tick["median_"] for tick in ticks] == [3, 7.5]
    assert len(points) == 7
    assert [caption["caption_"] for caption in captions] == [
        "a: median 3, n = 5",
        "b: median 7.50, n = 2",
    ]


def test_donors_have_lanes_and_a_legend() -> None:
    spec = box(["B", "A", "B", "A", "B", "A", "A", "B"])
    points = values(spec, 3)
    lanes = {(p["group"], p["lane_"]): round(p["at_"] / 10) for p in points}
    assert lanes[("a", "A")] < lanes[("a", "B")] < lanes[("b", "A")]
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["A", "B"]
    assert "color" not in box([None] * 8)["layer"][0]["encoding"]


def test_equal_values_are_told_apart_in_the_same_way_each_time() -> None:
    assert box([None] * 8) == box([None] * 8)
    points = values(box([None] * 8), 3)
    assert len({point["at_"] for point in points}) > 4


def test_a_group_without_values_keeps_its_row() -> None:
    table = Table.of((Field("g", "G"), ["a", "b"]), (Field("v", "V"), [1.0, None]))
    spec = drawn(table, View("box", "t", {"label": "g", "value": "v"}, "Boxes", "One."))
    assert values(spec, -1)[1]["caption_"] == "b: no values"


def test_a_dot_in_a_name_is_no_step() -> None:
    table = Table.of(
        (Field("gene", "Gene"), ["x"]), (Field("mean_H0351.2001", "A"), [1.0]),
        (Field("mean_H0351.2002", "B"), [2.0]),
    )  # fmt: skip
    channels = {"label": "gene", "a": "mean_H0351.2001", "b": "mean_H0351.2002"}
    spec = drawn(table, View("pairs", "t", channels, "Pairs", "A pair."))
    assert "mean_H0351_2001" in values(spec, 0)[0]
    assert "H0351.2001" not in str(spec["layer"][0]["encoding"])


@pytest.mark.parametrize("shape", [False, True])
def test_points_have_a_shape_where_one_is_asked_for(shape: bool) -> None:
    table = Table.of(
        (Field("n", "N"), ["p", "q"]), (Field("x", "X"), [1.0, 2.0]), (Field("y", "Y"), [3.0, 4.0]),
        (Field("donor", "Donor"), ["A", "B"]),
    )  # fmt: skip
    channels = {"x": "x", "y": "y", "label": "n"} | ({"shape": "donor"} if shape else {})
    spec = drawn(table, View("scatter", "t", channels, "Points", "Two points."))
    assert ("shape" in spec["layer"][0]["encoding"]) is shape
