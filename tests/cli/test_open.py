"""`followdata open`: from a file to an answer, and what is said of files that are no tables."""

from __future__ import annotations

from pathlib import Path

from .conftest import Command

TABLE = (
    "town;county;people;area\nUmeå;AC;130;2331\nLund;M;127;427\nKil;S;12;360\nArvika;S;26;1660\n"
)


def test_a_table_is_opened_kept_and_asked(followdata: Command, tmp_path: Path) -> None:
    path, kept = tmp_path / "My towns.csv", tmp_path / "kept.toml"
    path.write_text(TABLE, encoding="cp1252")
    told = followdata("open", str(path), "--as", str(kept), "--size", "people")
    assert (told.status, told.text) == (0, "my-towns\n")
    assert "windows-1252" in told.notices
    assert "4 rows by 2 columns. Ask with: followdata ask my-towns" in told.notices
    text = kept.read_text(encoding="utf-8")
    assert 'size = "people"' in text
    kept.write_text(text.replace('things = "rows"', 'things = "towns"'), encoding="utf-8")
    told = followdata("open", str(path), "--as", str(kept))
    assert "4 towns by 2 columns" in told.notices
    assert 'things = "towns"' in kept.read_text(encoding="utf-8"), (
        "what was kept is not written over"
    )
    told = followdata("ask", "my-towns", "compare", "--a", "umea", "--b", "lund")
    assert told.status == 0
    assert "Umeå and Lund" in told.text
    assert "my-towns" in followdata("list").text
    assert "My towns.csv" in followdata("list", "my-towns").text


def test_layouts(followdata: Command, tmp_path: Path) -> None:
    path = tmp_path / "genes.tsv"
    path.write_text(
        "entrez_id\tsymbol\ts1\ts2\ts3\n17\tA\t1\t2\t3\n18\tB\t4\t5\t6\n19\t\t7\t8\t9\n"
    )
    assert "open it with --transpose" in followdata("open", str(path)).notices
    assert "3 rows by 3 columns" in followdata("open", str(path), "--transpose").notices
    path = tmp_path / "values.csv"
    path.write_text("n,what,town,v,y\n1,x,a,5,2019\n2,x,b,6,2019\n3,z,a,7,2019\n4,z,b,8,2020\n")
    told = followdata("open", str(path), "--long", "town,what,v,y")
    assert "2 rows by 2 columns, at 2 times" in told.notices
    assert followdata("open", str(path), "--long", "town,what,v", "--transpose").status == 1


def test_one_line_for_what_is_no_table(followdata: Command, tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n1,2\n3\n")
    for arguments, said in {
        (str(path),): "ragged.csv, line 3, column 2: the row has 1 values where 2 are expected.",
        (str(tmp_path / "none.csv"),): "none.csv: there is no such file.",
        (str(tmp_path),): "it is a folder.",
        (str(path), "--encoding", "klingon"): "there is no encoding called “klingon”",
        (str(path), "--as", str(tmp_path)): "cannot be read",
    }.items():
        told = followdata("open", *arguments)
        assert told.status == 1
        assert said in told.notices
        assert told.notices.count("\n") == 1
        assert not told.output
