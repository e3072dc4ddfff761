"""The Allen packages: zip or folder, headerless TPM, both scales, and what is refused.

The atlas itself is not here: the packages are made in its layout, of invented numbers or of the
real tables of ../shared (microarray means of regions, and GTEx samples).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
import stamina

from followdata.data import Floats, MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidInput, Refused
from followdata.hierarchy import Hierarchy
from followdata.sources import allen, client
from followdata.testing.allen import PretendAllen, PretendPackage

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE, OTHER = PretendPackage.invented("9861"), PretendPackage.invented("10021")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(client._Pace, "wait", lambda pace: None)
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def read(*paths: Path, said: list[str] | None = None) -> MemoryTable:
    notice = [] if said is None else said
    return allen.read_packages(paths, retrieved=NOON, notice=notice.append)


def check(table: MemoryTable) -> None:
    """The table holds both invented packages without their replicates."""
    kept = [n for n in range(18) if n != 1]
    expected = np.concatenate([ONE.tpm.T[kept], OTHER.tpm.T[kept]])
    np.testing.assert_allclose(table.X, expected, rtol=1e-12)
    assert list(table.var_names) == list(ONE.genes)
    assert table.obs["donor"].tolist() == ["H0351.2001"] * 17 + ["H0351.2002"] * 17
    assert table.about.unit == "TPM"


@pytest.mark.parametrize("folder", ["", "rnaseq_donor9861/"])
def test_zip_files_with_and_without_a_folder_inside(tmp_path: Path, folder: str) -> None:
    for package in (ONE, OTHER):
        (tmp_path / f"{package.brain}.zip").write_bytes(package.zipped(folder))
    said: list[str] = []
    check(read(tmp_path / "10021.zip", tmp_path / "9861.zip", said=said))
    check(read(tmp_path))
    assert "Left out of H0351.2001: 1 technical replicate." in said


def test_folders(tmp_path: Path) -> None:
    one, other = ONE.write(tmp_path / "one"), OTHER.write(tmp_path / "other")
    check(read(one, other))
    check(read(tmp_path))


def test_symbols_stay_text(tmp_path: Path) -> None:
    table = read(ONE.write(tmp_path))
    assert list(table.var_names[:4]) == ["PCP4", "MBP", "NA", "1-Mar"]
    assert table.names("var").find("1001") == "MBP"  # by Entrez id


def test_samples_carry_their_structures(tmp_path: Path) -> None:
    table = read(ONE.write(tmp_path))
    tree = Hierarchy.of(table)
    assert tree.named("Striatum").size == 6
    assert tree.named("Basal Ganglia").size == 9
    assert tree.rolled(tree.named("Caudate"), "structure").name == "Striatum"
    assert tree.named("Precentral gyrus").level == "substructure"
    assert table.names("structure").find("str") == "Striatum"
    assert set(table.obs["hemisphere"].tolist()) == {"left", "right"}


def test_fractions_are_seen_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    table = read(ONE.write(tmp_path, fraction=True), said=said)
    np.testing.assert_allclose(table.X.sum(1), 1e6)
    assert any("multiplied by a million" in text for text in said)
    assert any("multiplied by a million" in text for text in table.provenance.refused)


@pytest.mark.parametrize("factor", [30.0, 0.3, 1e-3])
def test_any_other_scale_is_refused(tmp_path: Path, factor: float) -> None:
    path = replace(ONE, tpm=ONE.tpm * factor).write(tmp_path)
    with pytest.raises(InvalidInput, match="neither to a million"):
        read(path)


def test_one_column_on_another_scale_is_refused(tmp_path: Path) -> None:
    mixed = ONE.tpm.copy()
    mixed[:, 3] /= 1e6
    with pytest.raises(InvalidInput, match="neither to a million"):
        read(replace(ONE, tpm=mixed).write(tmp_path))


def test_what_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    folder = ONE.write(tmp_path / "package")
    tpm, text = folder / "RNAseqTPM.csv", (folder / "RNAseqTPM.csv").read_text()
    lines = text.splitlines()
    first = lines[0].split(",")
    tpm.write_text(
        "\n".join([lines[0], lines[1].replace(lines[1].split(",")[4], "many"), *lines[2:]])
    )
    with pytest.raises(InvalidInput, match=r"RNAseqTPM.csv, line 2: “many” is not a number"):
        read(folder)
    tpm.write_text(
        "\n".join([",".join(["gene", *first[1:]]), *(line[: line.rfind(",")] for line in lines)])
    )
    with pytest.raises(InvalidInput):
        read(folder)
    tpm.write_text("\n".join(line[: line.rfind(",")] for line in lines))
    with pytest.raises(InvalidInput, match="17 numbers, but"):
        read(folder)
    tpm.write_text("\n".join([lines[0].replace(first[2], "-1"), *lines[1:]]))
    with pytest.raises(InvalidInput, match="line 1: a value is not a number of transcripts"):
        read(folder)
    (folder / "Ontology.csv").unlink()
    with pytest.raises(InvalidInput, match="it has no Ontology"):
        read(folder)


def test_a_donor_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="given twice"):
        read(ONE.write(tmp_path / "a"), ONE.write(tmp_path / "b"))


def test_genes_that_one_donor_lacks_are_left_out_and_told(tmp_path: Path) -> None:
    fewer = replace(OTHER, genes=["NOVEL", *OTHER.genes[1:]])
    table = read(ONE.write(tmp_path / "a"), fewer.write(tmp_path / "b"))
    assert "PCP4" not in table.var_names
    assert "Left out: 2 genes that not all donors have." in table.provenance.refused


def test_both_packages_come_from_the_api(desk: Desk) -> None:
    network = PretendAllen({"H0351.2001": ONE.zipped("a/"), "H0351.2002": OTHER.zipped()})
    dataset = desk.fetch("brain", transport=httpx.MockTransport(network))
    opened = desk.open("brain")
    assert opened.dataset.name == dataset.name == "allen"
    assert opened.data.shape == (34, 40)  # type: ignore[attr-defined]
    assert "Hawrylycz" in dataset.provenance.citation
    answer = opened.ask("markers", group="str")
    assert answer.tables["markers"].columns["gene"][0] == "PCP4"


def test_a_page_in_place_of_a_zip_is_refused(desk: Desk) -> None:
    network = PretendAllen({"H0351.2001": b"<html>Sorry</html>", "H0351.2002": b""})
    with pytest.raises(Refused, match="not a zip file"):
        desk.fetch("brain", transport=httpx.MockTransport(network))


def test_a_zip_of_something_else_is_no_package(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("other.csv", "a,b\n1,2\n")
    (tmp_path / "other.zip").write_bytes(content.getvalue())
    assert not allen.is_package(tmp_path / "other.zip")


# The real tables in the layout of the atlas


def ontology(shared: Path) -> list[tuple[str, str, str, str]]:
    frame = pd.read_csv(
        shared / "data" / "brain" / "ontology.csv", dtype=str, keep_default_na=False
    )
    columns = ("id", "acronym", "name", "structure_id_path")
    return list(zip(*(frame[name] for name in columns), strict=True))


def tpm(values: Floats) -> Floats:
    return np.asarray(1e6 * values / values.sum(0))


@pytest.mark.shared
def test_the_regions_of_the_microarrays_as_a_package(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "brain"
    values = pd.read_csv(folder / "ahba_dk82_expression.csv.gz", index_col=0).dropna()
    regions = pd.read_csv(folder / "ahba_dk82_regions.csv", index_col=0).loc[values.index]
    rows = regions[["main_structure", "base_region", "hemisphere"]]
    package = PretendPackage(
        "9861", list(values.columns), tpm(values.T.to_numpy()),
        list(rows.itertuples(index=False, name=None)), list(values.index),
        ontology=ontology(shared),
    )  # fmt: skip
    table = read(package.write(tmp_path, fraction=True))
    assert table.shape == (80, 1645)
    np.testing.assert_allclose(table.X, tpm(values.T.to_numpy()).T)
    tree = Hierarchy.of(table)
    assert (tree.named("Striatum").size, tree.named("Basal Ganglia").size) == (6, 8)
    assert tree.named("Cerebral Cortex").size == 68
    assert table.names("structure").find("HiF") == "Hippocampal formation"


@pytest.mark.shared
def test_gtex_samples_as_a_package(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "brain"
    frame = pd.read_csv(folder / "gtex_brain_fpkm.tsv.gz", sep="\t", index_col=[0, 1])
    codes = {"cerebellum": "CbCx", "cortex": "FL", "hippocampus": "HiF"}
    regions = pd.read_csv(folder / "gtex_brain_samples.csv")["region"]
    symbols = ["" if symbol != symbol else symbol for _, symbol in frame.index]
    names = [symbol or str(id) for (id, _), symbol in zip(frame.index, symbols, strict=True)]
    package = PretendPackage(
        "10021", names, tpm(frame.to_numpy()),
        [(codes[region], region, "left") for region in regions], list(frame.columns),
        ontology=ontology(shared),
    )  # fmt: skip
    path = tmp_path / "gtex.zip"
    path.write_bytes(package.zipped("rnaseq/"))
    table = read(path)
    assert table.shape == (120, 1000)
    np.testing.assert_allclose(table.X.sum(1), 1e6)
    assert Hierarchy.of(table).named("Cerebellar Cortex").size == 40
