"""Cycle ways by keeper, read from a spreadsheet of the form in which they are published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followdata.data import About, Layer, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.cycleways import cycleways_among, read_cycleways, with_cycleways
from followdata.testing.workbooks import workbook

HEADER: list[Any] = ["Kommun", "Enskild", "Kommunal", "Statlig", "Totalsumma"]
ROWS: list[list[Any]] = [
    ["Cykelnät per 20231231"],
    ["Värde i meter"],
    ["", "Väghållare"],
    HEADER,
    ["Umeå", 1000, 3000, 500, 4500],
    ["Bjurholm", "", 200, 100, 300],
    ["Upplands-Väsby", 1, 2, "", 3],
    ["Lund", 1, "", 1, 9],
    ["Atlantis", 1, 1, 1, 3],
    ["Totalsumma", 1002, 3202, 602, 4815],
]


def sheet(path: Path, rows: Sequence[Sequence[Any]] = ROWS) -> Path:
    return workbook(path, ("Blad1", rows))


def towns(*codes: str) -> MemoryTable:
    people = np.array([[1000.0], [100.0], [10.0]])[: len(codes)]
    return MemoryTable(
        people,
        list(codes),
        ["N01951"],
        About("Towns", size="N01951"),
        obs={"id": np.array(codes)},
        var={"title": np.array(["Invånare"]), "unit": np.array(["antal"])},
        layers={Layer("2014"): people / 2},
    )


def test_metres_are_read_by_keeper_and_by_name(tmp_path: Path) -> None:
    ways = read_cycleways(sheet(tmp_path / "cykelnat.xlsx"))
    assert ways is not None
    assert ways.day == "2023-12-31"
    assert list(ways.codes) == ["2480", "2403", "0114", "1281"]
    np.testing.assert_array_equal(ways.metres[0], [1000, 3000, 500, 4500])
    # A keeper who has none has an empty cell, and the others make up the sum.
    np.testing.assert_array_equal(ways.metres[1], [0, 200, 100, 300])
    # They do not here, so that nobody knows what the empty cell stands for.
    np.testing.assert_array_equal(ways.metres[3], [1, np.nan, 1, 9])
    assert list(ways.refused) == [
        "cykelnat.xlsx, row 8: the keepers of Lund do not make its sum",
        "cykelnat.xlsx, row 9: “Atlantis” is no municipality",
    ]


def test_a_table_of_towns_gets_further_columns(tmp_path: Path) -> None:
    ways = read_cycleways(sheet(tmp_path / "cykelnat.xlsx"))
    assert ways is not None
    wider = with_cycleways(towns("2480", "2403", "2581"), ways)
    assert list(wider.var_names) == [
        "N01951", "cycleways_private", "cycleways_municipal", "cycleways_state",
        "cycleways_total", "cycleways_per_inhabitant",
    ]  # fmt: skip
    np.testing.assert_array_equal(wider.matrix()[0], [1000, 1000, 3000, 500, 4500, 4.5])
    assert np.isnan(wider.matrix()[2, 1:]).all()
    assert wider.var["title"].tolist()[4:] == [
        "Cykelnät 2023-12-31, totalsumma", "Cykelnät 2023-12-31, totalsumma per invånare",
    ]  # fmt: skip
    assert wider.var["unit"].tolist() == ["antal", *["meter"] * 4, "meter/inv"]
    earlier = wider.matrix(layer=Layer("2014"))
    assert earlier[0, 0] == 500
    assert np.isnan(earlier[:, 1:]).all()
    assert "cykelnat.xlsx" in wider.provenance.source
    assert len(wider.provenance.refused) == 2


def test_they_are_found_among_other_files(tmp_path: Path) -> None:
    sheet(tmp_path / "b.xlsx")
    newer = sheet(tmp_path / "a.xlsx", [["Cykelnät per 20241231"], HEADER, *ROWS[4:6]])
    (tmp_path / "damaged.xlsx").write_bytes(b"PK\x03\x04")
    other = workbook(tmp_path / "other.xlsx", ("Blad1", [["Kommun", 2019], ["Salem", 1]]))
    ways, others = cycleways_among([tmp_path, newer, other])
    assert ways is not None
    assert ways.path == newer
    assert others == [tmp_path, other]
    assert cycleways_among([other]) == (None, [other])


def test_what_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("Kommun")
    with pytest.raises(InvalidInput, match="no spreadsheet"):
        read_cycleways(tmp_path / "a.xlsx")


@pytest.mark.shared
def test_the_real_sheet(shared: Path) -> None:
    ways, _ = cycleways_among([shared / "data" / "geo"])
    assert ways is not None
    assert ways.metres.shape == (289, 4)
    assert not np.isnan(ways.metres).any()
    # Its last row says 27,026,114; “Malung” and ways of no valid municipality are not placed.
    assert ways.metres[:, 3].sum() > 26_800_000
    assert len(ways.refused) == 2
