"""MSB's reports, the tables made of them, and the compiled indicators: read as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from followdata.data import About, Layer, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources import msb, municipal
from followdata.sources.joined import beside
from followdata.testing.workbooks import workbook

HEADINGS: list[object] = ["Kommun", "Antal insatser", "Antal insatser per 1000 inv", "Befolkning"]
FIRST = [["Ale", 1.0, 0.04, 25000.0], ["Lund", 3.0, 0.03, 100000.0]]
SECOND = [["Ale", 0, 0, 26000], ["Knivsta", 2, 0.2, 10000], ["Lund", 4, 0.04, 100000]]


def report(
    folder: Path, year: int, rows: Sequence[Sequence[object]], total: Sequence[object] | None = None
) -> Path:
    if total is None:
        sums = [sum(float(str(row[at])) for row in rows) for at in (1, 3)]
        total = ["Totaler", sums[0], 1000 * sums[0] / sums[1], sums[1]]
    path = folder / f"bib{year}.xlsx"
    return workbook(path, ("Data", [list(HEADINGS), list(total), *map(list, rows)]))


def read(path: Path) -> msb.Reported:
    found = msb.read(path)
    assert found is not None
    return found


def test_reports_become_a_table(tmp_path: Path) -> None:
    table = msb.fires([read(report(tmp_path, 2003, SECOND)), read(report(tmp_path, 2002, FIRST))])
    assert table.obs_names == ["Knivsta", "Lund", "Ale"]  # by code
    assert table.obs["id"].tolist() == ["0330", "1281", "1440"]
    assert table.obs["county"][1] == "Skåne län"
    np.testing.assert_array_equal(table.matrix(var=["fires"])[:, 0], [2, 7, 1])
    np.testing.assert_array_equal(table.matrix(var=["population"])[:, 0], [10000, 100000, 26000])
    first = table.layers[Layer("2002")]
    assert np.isnan(first[0]).all()
    np.testing.assert_array_equal(first[1], [3, 100000])
    assert table.provenance.refused == ("Knivsta has no row for 2002.",)
    assert (table.about.count, table.about.size, table.about.time) == (
        "fires",
        "population",
        "2003",
    )


def test_text_with_decimal_commas_is_read_as_numbers_are(tmp_path: Path) -> None:
    texts = [["Ale", "1", "0,04", "25 000"], ["Lund", "3", "0,03", "100\u00a0000"]]
    plain = read(report(tmp_path, 2002, FIRST))
    (tmp_path / "text").mkdir()
    total = ["Totaler", "4", "0,032", "125 000"]
    written = read(report(tmp_path / "text", 2002, texts, total))
    assert written.cases == plain.cases
    assert written.persons == plain.persons
    assert written.remarks == ()


def test_what_does_not_fit_together_is_said(tmp_path: Path) -> None:
    rows = [*FIRST, ["Umeå", 2.0, 0.9, 80000.0], ["Ale", 5, 0.2, 25000], ["Eda", "x", 0, 8000],
            ["Boda", 1.5, 0, 8000], ["Sala", 1, 0, 0], ["", 1, 0.1, 100]]  # fmt: skip
    remarks = read(report(tmp_path, 1999, rows, ["Totaler", 163.0, 0.1, 205000.0])).remarks
    assert remarks == (
        "bib1999.xlsx, row 6: Ale has had a row before; left out.",
        "bib1999.xlsx, row 7: the cases of Eda are no whole number; left out.",
        "bib1999.xlsx, row 8: the cases of Boda are no whole number; left out.",
        "bib1999.xlsx, row 9: the inhabitants of Sala are no number above 0; left out.",
        "bib1999.xlsx, row 10: it names no municipality; left out.",
        "bib1999.xlsx: the row of totals says 163 fires, the municipalities sum to 6; they are "
        "taken as they stand.",
        "bib1999.xlsx: the numbers per 1,000 inhabitants of Umeå do not follow from the other "
        "columns.",
    )


def test_a_report_needs_a_year_and_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bib.xlsx", ("Data", [list(HEADINGS), *map(list, FIRST)]))
    with pytest.raises(InvalidInput, match="which year"):
        msb.read(path)
    above: list[list[object]] = [["Skola, 2002"], [], list(HEADINGS), *map(list, FIRST)]
    titled = workbook(tmp_path / "titled.xlsx", ("Data", above))
    assert {year for _, year in read(titled).cases} == {2002}
    with pytest.raises(InvalidInput, match="no row"):
        msb.read(
            workbook(tmp_path / "bib2002.xlsx", ("Data", [list(HEADINGS), ["Ale", "x", 0, 0]]))
        )
    assert msb.read(workbook(tmp_path / "other2002.xlsx", ("Data", [["a", "b"], [1, 2]]))) is None
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04")
    with pytest.raises(InvalidInput, match="no spreadsheet"):
        msb.read(broken)


def joined(folder: Path, text: str) -> Path:
    path = folder / "joined.csv"
    path.write_text(f'"Municipality","Cases","Population","Year"\n{text}', encoding="utf-8")
    return path


def test_the_joined_table_is_held_against_the_reports(tmp_path: Path) -> None:
    reports = [read(report(tmp_path, 2002, FIRST))]
    agrees = read(joined(tmp_path, '"Ale",1,25000,2002\n"Lund",3,100000,2002\n'))
    whole = msb.fires([agrees, *reports])
    assert "joined.csv agrees with bib2002.xlsx in all 2 rows that both have." in (
        whole.provenance.refused
    )
    text = '"Ale",9,25000,2002\n"Lund",3,100000,2002\n"Lund",1,1,20\n"Eda",2,8000,2001\n'
    differs = read(joined(tmp_path, text))
    table = msb.fires([differs, *reports])
    np.testing.assert_array_equal(table.layers[Layer("2002")][:, 0], [3, 1, np.nan])
    assert (
        "joined.csv differs from bib2002.xlsx in 1 of 2 rows that both have (Ale 2002); the latter "
        "is believed." in table.provenance.refused
    )
    assert "joined.csv: “20” is no year; left out." in table.provenance.refused


MATRIX = (
    "Cases2002,CasesPerThousand2002,Population2002,Cases2003,CasesPerThousand2003,Population2003\n"
    "Ale,0,0,26000,1,0.04,25000\nKnivsta,2,0.2,10000,NA,NA,NA\nLund,4,0.04,100000,3,0.03,100000\n"
)


def test_a_matrix_whose_years_run_backwards_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(MATRIX, encoding="utf-8")
    turned = read(path)
    years = [read(report(tmp_path, 2002, FIRST)), read(report(tmp_path, 2003, SECOND))]
    assert dict(turned.cases) == {**years[0].cases, **years[1].cases}
    assert "for Knivsta would have ended and not begun" in turned.remarks[0]
    forward = MATRIX.replace("2,0.2,10000,NA,NA,NA", "NA,NA,NA,2,0.2,10000")
    path.write_text(forward, encoding="utf-8")
    assert read(path).cases["Ale", 2002] == 0
    assert read(path).remarks == ()


def test_a_name_without_a_code_is_told(tmp_path: Path) -> None:
    table = msb.fires([read(report(tmp_path, 2002, [*FIRST, ["Atlantis", 1.0, 1.0, 1000.0]]))])
    assert table.obs["id"].tolist()[-1] == ""
    assert "Not in the list of municipalities, so without a code: Atlantis." in (
        table.provenance.refused
    )


def test_no_report_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="no report"):
        msb.fires([])


COMPILED = (
    "code,name,medianIncome,satisfactionGeneral,population,municipalityType,governing,cars\n"
    "0180,Stockholm,250000,NA,900000,Cities,Mixed,370.5\n380,Uppsala,200000,-,200000,Cities,Mixed,\n"
)


def test_the_compiled_indicators_are_read(tmp_path: Path) -> None:
    path = tmp_path / "compiled.csv"
    path.write_text(COMPILED, encoding="utf-8")
    table = municipal.read(path)
    assert table is not None
    assert table.var_names == ["medianIncome", "satisfactionGeneral", "population", "cars"]
    np.testing.assert_array_equal(
        table.X, [[250000, np.nan, 900000, 370.5], [200000, np.nan, 200000, np.nan]]
    )
    assert table.obs["id"].tolist() == ["0180", "0380"]
    assert table.obs["municipality type"].tolist() == ["Cities", "Cities"]
    assert table.var["title"][0] == "Medianinkomst"
    assert table.var["title_en"][0] == "Median income"
    path.write_text(COMPILED.replace("250000", "much"), encoding="utf-8")
    with pytest.raises(InvalidInput, match="“much” is not a number"):
        municipal.read(path)
    path.write_text("code,name\n1,a\n", encoding="utf-8")
    assert municipal.read(path) is None


def test_every_column_is_described_in_both_languages() -> None:
    for name, column in municipal.COLUMNS.items():
        assert column.title, name
        assert column.title_en, name
        assert column.description, name
        assert column.description_en, name
        assert bool(column.unit) == bool(column.unit_en), name
    moved = {*municipal.MOVED, *municipal.PER_HEAD, *municipal.UNCLEAR}
    assert moved <= municipal.COLUMNS.keys()


def test_tables_stand_side_by_side() -> None:
    left = MemoryTable(
        np.array([[1.0], [2.0], [3.0]]),
        ["Ale", "Lund", "Eda"],
        ["a"],
        About("left"),
        obs={"id": np.array(["1440", "1281", ""])},
        var={"title": np.array(["A"])},
        layers={Layer("1998"): np.array([[7.0], [8], [9]])},
    )
    right = MemoryTable(
        np.array([[10.0, 11], [20, 21], [30, 31]]),
        ["Lunds kommun", "EDA", "Umeå"],
        ["b", "c"],
        About("right"),
        obs={"id": np.array(["1281", "1730", "2480"]), "type": np.array(["city", "land", "city"])},
        var={"unit": np.array(["%", "kr"])},
        layers={Layer("1999"): np.array([[4.0, 5], [6, 7], [8, 9]])},
    )
    joined = beside(left, right)
    table = joined.table
    np.testing.assert_array_equal(table.X, [[1, np.nan, np.nan], [2, 10, 11], [3, 20, 21]])
    assert (joined.unmatched, joined.lacking) == (["Umeå"], ["Ale"])
    assert table.obs["type"].tolist() == ["", "city", "land"]
    assert table.var["title"].tolist() == ["A", "", ""]
    assert table.var["unit"].tolist() == ["", "%", "kr"]
    np.testing.assert_array_equal(table.layers[Layer("1998")][1], [8, np.nan, np.nan])
    np.testing.assert_array_equal(table.layers[Layer("1999")][1], [np.nan, 4, 5])
    with pytest.raises(ValueError, match="same name"):
        beside(left, left)
