"""Tables of people's own, as they have them: good ones, odd ones, and what is no table."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.errors import InvalidInput
from followdata.sources.tables import TableFile, read_table


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def reader(content: str | bytes, name: str = "mine.csv") -> TableFile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, retrieved="2026-11-22")

    return reader


# Good tables


def test_names_measures_and_labels(read) -> None:  # type: ignore[no-untyped-def]
    table = read(
        "town,county,people,area\nLund,Skåne,94393,41\nEslöv,Skåne,NA,419\nKil,Värmland,12,?\n"
    ).table
    assert list(table.obs_names) == ["Lund", "Eslöv", "Kil"]
    assert list(table.var_names) == ["people", "area"]
    np.testing.assert_array_equal(table.X, [[94393, 41], [np.nan, 419], [12, np.nan]])
    assert table.obs["county"].tolist() == ["Skåne", "Skåne", "Värmland"]
    assert table.about.title == "mine"
    assert table.provenance.source == "the file mine.csv"
    assert table.provenance.retrieved == "2026-11-22"


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
def test_delimiters(read, delimiter: str) -> None:  # type: ignore[no-untyped-def]
    text = "id,a,b\nx,1,2.5\ny,-3,4e1\n".replace(",", delimiter)
    table = read(text).table
    np.testing.assert_array_equal(table.X, [[1, 2.5], [-3, 40]])
    assert list(table.obs_names) == ["x", "y"]


def test_without_headings(read) -> None:  # type: ignore[no-untyped-def]
    table = read("1\t2\n3\tNA\n").table
    assert list(table.var_names) == ["column 1", "column 2"]
    assert list(table.obs_names) == ["row 1", "row 2"]
    np.testing.assert_array_equal(table.X, [[1, 2], [3, np.nan]])


def test_a_single_column(read) -> None:  # type: ignore[no-untyped-def]
    assert read("height\n1.8\n1.7\n").table.shape == (2, 1)
    assert read("1\n2\n3\n").table.shape == (3, 1)


@pytest.mark.parametrize("missing", ["", "NA", "na", "N/A", "NaN", "null", "?", " "])
def test_missing_values(read, missing: str) -> None:  # type: ignore[no-untyped-def]
    table = read(f"a,b\n1,{missing}\n2,3\n").table
    np.testing.assert_array_equal(table.X, [[1, np.nan], [2, 3]])
    labels = read(f"a,b\n1,{missing}\n2,red\n3,red\n").table
    assert labels.obs["b"].tolist() == ["", "red", "red"]


def test_numbers_that_name_the_rows(read) -> None:  # type: ignore[no-untyped-def]
    read_back = read("sample_id,a\n17,1\n4,2\n")
    assert list(read_back.table.obs_names) == ["17", "4"]
    assert list(read_back.table.var_names) == ["a"]
    assert not read_back.remarks
    # As pandas writes its own index
    assert list(read(",a\n0,1\n1,2\n").table.obs_names) == ["0", "1"]


def test_identifiers_that_repeat_are_numbered_and_told(read) -> None:  # type: ignore[no-untyped-def]
    found = read("Id,a\n7,1\n7,2\n,3\n")
    assert list(found.table.obs_names) == ["7", "7 (2)", "row 3"]
    assert list(found.table.var_names) == ["a"]
    assert "“Id”" in found.remarks[0]
    assert found.table.provenance.refused == found.remarks


def test_words_that_repeat_are_a_label(read) -> None:  # type: ignore[no-untyped-def]
    table = read("species,size\ncat,1\ncat,2\ndog,3\ndog,4\n").table
    assert list(table.obs_names) == ["row 1", "row 2", "row 3", "row 4"]
    assert table.obs["species"].tolist() == ["cat", "cat", "dog", "dog"]
    assert table.about.label == "species"


def test_r_writes_no_heading_above_the_names_of_rows(read) -> None:  # type: ignore[no-untyped-def]
    table = read("mpg\tcyl\nMazda\t21\t6\nFiat\t32\t4\n").table
    assert list(table.var_names) == ["mpg", "cyl"]
    assert list(table.obs_names) == ["Mazda", "Fiat"]


def test_decimal_commas_between_semicolons(read) -> None:  # type: ignore[no-untyped-def]
    table = read("kommun;andel;tal\nLund;1,5;2.25\nKil;−3,0;1.5\n").table
    np.testing.assert_array_equal(table.X, [[1.5, 2.25], [-3, 1.5]])


def test_a_comma_among_tabs_is_not_taken_for_a_decimal(read) -> None:  # type: ignore[no-untyped-def]
    found = read("id\ta\tb\nx\t1,234\t1\ny\t2\t2\nz\t3\t3\n")
    assert list(found.table.var_names) == ["b"]
    assert "not all values are numbers: a (“1,234”)" in found.remarks[0]
    assert "--decimal" in found.remarks[0]


def test_quotes_spaces_and_blank_lines(read) -> None:  # type: ignore[no-untyped-def]
    table = read('"name","a, b"\r\n"x y", 1\r\n\r\n"z\nw",2 \r\n,\r\n').table
    assert list(table.var_names) == ["a, b"]
    assert list(table.obs_names) == ["x y", "z\nw"]
    np.testing.assert_array_equal(table.X, [[1], [2]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(read, encoding: str) -> None:  # type: ignore[no-untyped-def]
    table = read("kommun,andel\nÖrebro,1\nUmeå,2\n".encode(encoding)).table
    assert list(table.obs_names) == ["Örebro", "Umeå"]


def test_gzip_by_what_is_in_the_file(read) -> None:  # type: ignore[no-untyped-def]
    packed = gzip.compress(b"a\tb\n1\t2\n3\t4\n")
    table = read(packed, "expression.tsv.gz").table
    assert table.about.title == "expression"
    assert table.shape == (2, 2)
    assert read(packed, "expression.tsv").table.digest == table.digest


def test_headings_are_told_apart(read) -> None:  # type: ignore[no-untyped-def]
    table = read("a,b,,a,\n1,2,3,4,\n5,6,7,8,\n").table
    assert list(table.var_names) == ["a", "b", "column 3", "a (2)"]


def test_an_empty_column_is_left_out_and_told(read) -> None:  # type: ignore[no-untyped-def]
    found = read("id,a,b\nx,1,NA\ny,2,\n")
    assert list(found.table.var_names) == ["a"]
    assert found.remarks == ("Left out, for it holds no value: b.",)


def test_numbers_among_headings_are_told(read) -> None:  # type: ignore[no-untyped-def]
    found = read("town,2021,2022\nLund,1,2\nKil,3,4\n")
    assert list(found.table.var_names) == ["2021", "2022"]
    assert "2021 and 2022" in found.remarks[0]


def test_infinity_is_no_number(read) -> None:  # type: ignore[no-untyped-def]
    found = read("id,a,b\nx,1,inf\ny,2,1\nz,3,2\n")
    assert list(found.table.var_names) == ["a"]
    assert "“inf”" in found.remarks[0]


def test_a_table_as_read_can_be_stored(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from followdata.store import Store

    table = read("id,a/b,c/d\nx,1,red\ny,2,\n").table
    store = Store(tmp_path / "home")
    handle = store.open(store.keep("mine", "table", table, now="2026-11-22T12:00:00"))
    np.testing.assert_array_equal(handle.matrix(), table.X)  # type: ignore[attr-defined]
    assert handle.names("var").names == ("a/b",)
    assert handle.labels("obs")["c d"].tolist() == ["red", ""]  # type: ignore[attr-defined]


# What is no table


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b,c\n1,2,3\n4,5\n", "line 3, column 3: the row has 2 values where 3 are expected"),
        ("a,b\n1,2\n3,4,5\n", "line 3, column 3: the row has 3 values where 2 are expected"),
        ("1,2\n\n3,4\n5\n", "line 4, column 2"),
        ("town,county\nLund,Skåne\nKil,Värmland\n", "no column is all numbers"),
        ("once upon a time\nthere was a table\n", "no column is all numbers"),
        ("a,b\n", "there are no rows under the headings"),
        ("", "it is empty"),
        ("\n \n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "it is not text"),
        (b"PK\x03\x04rest", "as Excel workbooks are"),
        (b"a,b\n1,\x81\x8d\n", "it is not text"),
        (gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-12], "its compression is damaged"),
        (b"\x1f\x8bnot gzip at all", "its compression is damaged"),
        ('a,b\n1,"' + 200_000 * "x", "field larger than field limit"),
    ],
)
def test_one_clear_error(read, content: str | bytes, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput) as refused:
        read(content)
    assert said in str(refused.value)
    assert "mine.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInput, match="it is a folder"):
        read_table(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(InvalidInput, match="Permission denied"):
        read_table(path)


# Against pandas, and as a property

values = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(values, values, values), min_size=1, max_size=8),
    delimiter=st.sampled_from("\t,;|"),
)
def test_what_is_written_is_read_back(
    rows: list[tuple[float | None, ...]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [(*row[:2], 1.0 if row[2] is None else row[2]) for row in rows]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["id", "a", "b", "c"])
    writer.writerows([[f"r{n}", *row] for n, row in enumerate(rows)])
    path = tmp_path_factory.mktemp("written") / "t.csv"
    path.write_text(text.getvalue())
    table = read_table(path).table
    expected = pd.read_csv(path, sep=delimiter, index_col="id", float_precision="round_trip")
    expected = expected.dropna(axis="columns", how="all")
    assert list(table.var_names) == list(expected.columns)
    np.testing.assert_array_equal(table.X, expected.to_numpy(dtype=float))


@pytest.mark.shared
def test_real_files(shared: Path) -> None:
    folder = shared / "data" / "autoencoder"
    wine = read_table(folder / "wine_noclass.txt")
    assert wine.table.shape == (178, 12)
    assert not wine.remarks
    np.testing.assert_array_equal(
        wine.table.X, pd.read_csv(folder / "wine_noclass.txt", sep="\t", header=None).to_numpy()
    )
    cancer = read_table(folder / "BreastCancer_noclass_noNA.tsv")
    assert cancer.table.shape == (683, 9)
    assert "Id" not in cancer.table.var_names
    assert len(cancer.remarks) == 1
    assert read_table(folder / "srbct_expression.csv.gz").table.shape == (63, 2308)
    with pytest.raises(InvalidInput, match="no column is all numbers"):
        read_table(folder / "srbct_classes.csv")


@pytest.mark.shared
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_real_files_as_a_european_spreadsheet_writes_them(
    shared: Path, tmp_path: Path, encoding: str
) -> None:
    path = shared / "data" / "geo" / "powercircle_charging_dec_2023.csv"
    as_it_is = read_table(path).table
    text = path.read_text(encoding="utf-8-sig").replace(",", ";").replace(".", ",")
    recoded = tmp_path / path.name
    recoded.write_bytes(f"Laddbara fordon\n\n{text}\nKälla: Powercircle\n".encode(encoding))
    read = read_table(recoded)
    assert list(read.table.obs_names) == list(as_it_is.obs_names)
    assert list(read.table.var_names) == list(as_it_is.var_names)
    np.testing.assert_array_equal(read.table.X, as_it_is.X)
    assert read.reading.decimal == ","
    assert read.reading.header_row == 3
