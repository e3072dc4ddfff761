"""Tables of expression in the forms that people have them in."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from followdata.data import OWN_RANGE, MemoryTable
from followdata.errors import InvalidInput, UnknownName
from followdata.hierarchy import Hierarchy
from followdata.sources.expression import read_expression
from followdata.sources.genes import Synonyms

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUES = np.array([[1.0, 5.0], [2.0, 6.0], [3.5, 7.0]])  # genes x samples
GENES = ["ATN1", "MBP", "SEPT7"]
SAMPLES = "sample,region,donor_id,age\ns1,cortex,D1,61\ns2,cerebellum,D2,70\n"


def read(*paths: Path, said: list[str] | None = None) -> MemoryTable:
    remarks = [] if said is None else said
    return read_expression(paths, retrieved=NOON, notice=remarks.append)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def check(table: MemoryTable) -> None:
    np.testing.assert_array_equal(table.X, VALUES.T)
    assert list(table.obs_names) == ["s1", "s2"]
    assert list(table.var_names) == GENES


def test_genes_in_rows_and_samples_in_rows(tmp_path: Path) -> None:
    upright = write(tmp_path / "up.csv", "gene,s1,s2\nATN1,1,5\nMBP,2,6\nSEPT7,3.5,7\n")
    lying = write(tmp_path / "lie.tsv", "sample\tATN1\tMBP\tSEPT7\ns1\t1\t2\t3.5\ns2\t5\t6\t7\n")
    check(read(upright))
    check(read(lying))
    packed = tmp_path / "up.csv.gz"
    packed.write_bytes(gzip.compress(upright.read_bytes()))
    check(read(packed))
    # No heading tells: the table of samples does, from whichever side.
    bare = write(tmp_path / "bare.csv", ",s1,s2\nATN1,1,5\nMBP,2,6\nSEPT7,3.5,7\n")
    check(read(bare, write(tmp_path / "s.csv", SAMPLES)))


def test_a_table_of_samples_gives_labels(tmp_path: Path) -> None:
    upright = write(tmp_path / "tpm.csv", "gene,s1,s2\nATN1,1,5\nMBP,2,6\nSEPT7,3.5,7\n")
    extra = SAMPLES.replace("cerebellum", "cortex") + "s3,cerebellum,D3,50\n"
    table = read(upright, write(tmp_path / "s.csv", extra))
    assert table.obs["donor"].tolist() == ["D1", "D2"]
    assert table.obs["age"].tolist() == ["61", "70"]
    assert table.about.unit == "TPM"


def test_structures_names_and_parts_are_told_apart(tmp_path: Path) -> None:
    rows = [("a1", "Str", "striatum", "caud", "L"), ("a2", "Str", "striatum", "put", "R"),
            ("a3", "GP", "pallidum", "pal", "L"), ("a4", "GP", "pallidum", "pal", "R")]  # fmt: skip
    heading = "id,main_structure,main_structure_name,base_region,hemisphere"
    samples = write(tmp_path / "s.csv", "\n".join([heading, *map(",".join, rows)]))
    values = write(tmp_path / "v.csv", "id,G1,G2\n" + "".join(f"{r[0]},1,2\n" for r in rows))
    table = read(values, samples)
    assert table.about.label == "structure"
    assert table.names("structure").find("gp") == "pallidum"
    # One that is all of a structure is no part of it.
    assert [b.name for b in Hierarchy.of(table).at("substructure")] == ["caud", "put"]
    assert "donor" not in table.obs, "hemispheres are no donors"
    assert table.obs["hemisphere"].tolist() == ["L", "R", "L", "R"]


def test_gct(tmp_path: Path) -> None:
    body = "ATN1\tna\t1\t5\nMBP\tna\t2\t6\nSEPT7\tna\t3.5\t7\n"
    heading = "Name\tDescription\ts1\ts2\n"
    check_names = read(write(tmp_path / "a.gct", f"#1.2\n3\t2\n{heading}{body}"))
    np.testing.assert_array_equal(check_names.X, VALUES.T)
    # GTEx has identifiers as names and symbols as descriptions.
    ensembl = "".join(
        f"ENSG{n}.1\t{gene}\t{VALUES[n, 0]}\t{VALUES[n, 1]}\n" for n, gene in enumerate(GENES)
    )
    table = read(write(tmp_path / "b.gct", f"#1.2\n3\t2\n{heading}{ensembl}"))
    check(table)
    assert table.names("var").find("ENSG1.1") == "MBP"
    labelled = "id\tgene_symbol\ts1\ts2\ntissue\tna\tbrain\tliver\n" + ensembl
    check(read(write(tmp_path / "c.gct", f"#1.3\n3\t2\t1\t1\n{labelled}")))
    with pytest.raises(InvalidInput, match="3 rows"):
        read(write(tmp_path / "d.gct", f"#1.2\n9\t2\n{heading}{body}"))


def test_h5ad(tmp_path: Path) -> None:
    import anndata
    import pandas as pd
    from scipy import sparse

    obs = pd.DataFrame({"cell_type": ["neuron", "neuron"], "depth": [0.5, 0.7]}, index=["s1", "s2"])
    path = tmp_path / "cells.h5ad"
    found = anndata.AnnData(sparse.csr_matrix(VALUES.T), obs, pd.DataFrame(index=GENES))
    found.write_h5ad(path)
    table = read(path)
    check(table)
    assert table.obs["cell_type"].tolist() == ["neuron", "neuron"]
    assert "depth" not in table.obs


def test_10x(tmp_path: Path) -> None:
    folder = tmp_path / "filtered"
    folder.mkdir()
    entries = [f"{g + 1} {s + 1} {VALUES[g, s]}" for g in range(3) for s in range(2)]
    head = ["%%MatrixMarket matrix coordinate real general", "3 2 6"]
    write(folder / "matrix.mtx", "\n".join([*head, *entries]) + "\n")
    features = "".join(f"ENSG{n}\t{gene}\tGene Expression\n" for n, gene in enumerate(GENES))
    (folder / "features.tsv.gz").write_bytes(gzip.compress(features.encode()))
    write(folder / "barcodes.tsv", "s1\ns2\n")
    table = read(folder)
    check(table)
    assert table.names("var").find("ENSG2") == "SEPT7"


def test_symbols_are_resolved_with_synonyms(tmp_path: Path) -> None:
    values = write(tmp_path / "v.csv", "gene,s1,s2\nDRPLA,1,5\nMBP,2,6\nSEPT7,3.5,7\n")
    names = write(
        tmp_path / "hgnc.tsv",
        "symbol\talias_symbol\tprev_symbol\tentrez_id\n"
        "ATN1\tB37|NOD\tDRPLA\t1822\nMBP\t\t\t4155\nSEPTIN7\tNOD\tSEPT7\t989\n",
    )
    said: list[str] = []
    table = read(values, names, said=said)
    assert list(table.var_names) == ["ATN1", "MBP", "SEPTIN7"]
    assert "2 gene names were replaced by the symbol in use." in said
    index = table.names("var")
    for old, symbol in {"drpla": "ATN1", "b37": "ATN1", "sept7": "SEPTIN7"}.items():
        assert index.find(old) == symbol
    with pytest.raises(UnknownName, match="NOD"):
        index.find("NOD")  # two genes have been called so


def test_a_synonym_never_takes_the_place_of_another_gene() -> None:
    known = Synonyms(frozenset({"A", "B"}), {"OLD": "A", "ELD": "A", "X": "B"})
    assert known.resolved(["OLD", "X"]) == (["A", "B"], 2)
    assert known.resolved(["OLD", "A"]) == (["OLD", "A"], 0)
    assert known.resolved(["OLD", "ELD"]) == (["OLD", "ELD"], 0)


def test_own_ranges_are_seen(tmp_path: Path) -> None:
    random = np.random.default_rng(0).random((20, 5))
    rows = "".join(f"s{n}," + ",".join(map(str, row)) + "\n" for n, row in enumerate(random))
    table = read(write(tmp_path / "v.csv", "sample,A,B,C,D,E\n" + rows))
    assert table.about.unit == OWN_RANGE


def test_samples_without_values_and_genes_of_one_name(tmp_path: Path) -> None:
    said: list[str] = []
    table = read(write(tmp_path / "v.csv", "gene,s1,s2,s3\nA,1,NA,\nA,2,3,NA\n"), said=said)
    assert list(table.obs_names) == ["s1", "s2"]
    assert list(table.var_names) == ["A", "A (2)"]
    assert np.isnan(table.X[1, 0])
    assert any("they hold no value: s3" in text for text in said)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    good = write(tmp_path / "v.csv", "gene,s1,s2\nA,1,2\n")
    with pytest.raises(InvalidInput, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="no table of expression"):
        read(write(tmp_path / "words.csv", "a,b\nc,d\n"))
    rows = "".join(f"G{n},{n},{n}\n" for n in range(30))
    late = write(tmp_path / "x.csv", f"gene,s1,s2\n{rows}B,1,x\n")
    with pytest.raises(InvalidInput, match="“x” is not a number"):
        read(late)
    for name in ("bad.h5ad", "bad.gct"):
        with pytest.raises(InvalidInput, match=name):
            read(write(tmp_path / name, "nothing"))
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(InvalidInput, match=r"no matrix\.mtx"):
        read(folder)
    other = write(tmp_path / "b.gct", "#1.2\n1\t1\nName\tDescription\ts1\nA\tB\t1\n")
    with pytest.raises(InvalidInput, match="only one"):
        read(other, write(tmp_path / "c.gct", other.read_text()))
    read(good)
