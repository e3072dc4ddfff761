"""Groups within groups, and how they are named."""

from __future__ import annotations

import numpy as np
import pytest

from followdata.data import About, MemoryTable
from followdata.errors import InvalidParameter, NothingToAnswer, UnknownName
from followdata.hierarchy import Hierarchy
from followdata.parameters import Branch, File, Group, Names

ROWS = [
    ("Striatum", "Str", "Caudate", "Brain/Basal Ganglia", "Br/BG", "A"),
    ("Striatum", "Str", "Putamen", "Brain/Basal Ganglia", "Br/BG", "B"),
    ("Pallidum", "GP", "Pallidum", "Brain/Basal Ganglia", "Br/BG", "A"),
    ("Cortex", "Cx", "Frontal", "Brain", "Br", "B"),
    ("Cortex", "Cx", "Frontal", "Brain", "Br", ""),
    ("Cortex", "Cx", "Striatum", "Brain", "Br", "A"),
]
LABELS = ("structure", "structure_id", "substructure", "lineage", "lineage_id", "donor")


@pytest.fixture
def brain() -> MemoryTable:
    return MemoryTable(
        np.arange(12.0).reshape(6, 2),
        [f"s{n}" for n in range(6)],
        ["PCP4", "C2orf, long"],
        About("Brain", "sample", "samples", "gene", "genes", label="structure"),
        obs=dict(zip(LABELS, np.array(ROWS).T, strict=True)),
        var={"id": np.array(["5121|PEP19", "9"])},
    )


def test_branches_are_the_main_groups_then_what_lies_above_and_below(brain: MemoryTable) -> None:
    branches = Hierarchy.of(brain).branches
    # Brain holds all rows, and the substructure Pallidum is the structure Pallidum.
    assert [(b.name, b.level, b.size) for b in branches] == [
        ("Cortex", "structure", 3),
        ("Pallidum", "structure", 1),
        ("Striatum", "structure", 2),
        ("Basal Ganglia", "above", 3),
        ("Caudate", "substructure", 1),
        ("Frontal", "substructure", 2),
        ("Putamen", "substructure", 1),
        ("Striatum (substructure)", "substructure", 1),
    ]


def test_a_branch_is_rolled_up_and_down(brain: MemoryTable) -> None:
    tree = Hierarchy.of(brain)
    caudate, ganglia = tree.named("Caudate"), tree.named("Basal Ganglia")
    assert tree.rolled(caudate, "structure").name == "Striatum"
    assert tree.rolled(caudate, "substructure") is caudate
    assert tree.rolled(caudate, None) is caudate
    assert tree.rolled(ganglia, "structure") is ganglia
    assert [part.name for part in tree.parts(ganglia)] == ["Pallidum", "Striatum"]
    assert [part.name for part in tree.parts(tree.named("Striatum"))] == ["Caudate", "Putamen"]
    assert tree.parts(tree.named("Pallidum")) == []
    assert [b.name for b in tree.finest("substructure")][-1] == "Pallidum"
    shared = np.sum([b.members for b in tree.finest("substructure")], axis=0)
    assert shared.tolist() == [1] * 6


def test_groups_are_found_by_name_or_acronym(brain: MemoryTable) -> None:
    group = Branch("Which")
    for said in ("Striatum", "striatum", "str", "STR"):
        assert group.read("group", said, brain) == "Striatum"
    assert group.read("group", "bg", brain) == "Basal Ganglia"
    with pytest.raises(UnknownName, match="Striatum"):
        group.read("group", "Striatumm", brain)
    assert Branch(everyone="others").read("against", "others", brain) == "others"
    with pytest.raises(UnknownName):
        group.read("group", "others", brain)


def test_a_table_without_groups_has_no_branches(brain: MemoryTable) -> None:
    plain = MemoryTable(brain.X, brain.obs_names, brain.var_names, About("Plain"))
    assert Hierarchy.of(plain).branches == ()
    with pytest.raises(NothingToAnswer):
        Branch().default("a", plain)


def test_all_donors_or_one(brain: MemoryTable) -> None:
    donor = Group(by="donor", everyone="all")
    assert donor.names(brain).names == ("all", "A", "B")
    assert donor.read("donor", "ALL", brain) == "all"
    assert donor.read("donor", "a", brain) == "A"
    plain = MemoryTable(brain.X, brain.obs_names, brain.var_names, About("Plain"))
    assert donor.names(plain).names == ("all",)


def test_lists_are_read_as_people_paste_them(brain: MemoryTable) -> None:
    genes = Names("Which")
    assert genes.read("genes", "pcp4", brain) == "PCP4"
    assert genes.read("genes", "pep19; 9\nPCP4", brain) == 'PCP4,"C2orf, long"'
    assert genes.read("genes", ["PCP4"], brain) == "PCP4"
    assert genes.read("genes", "C2orf, long", brain) == '"C2orf, long"'
    with pytest.raises(UnknownName, match="DRD1"):
        genes.read("genes", "PCP4 DRD1", brain)
    lenient = Names("Which", known_only=False)
    assert lenient.read("genes", "pcp4 DRD1 pcp4", brain) == "PCP4,DRD1"
    with pytest.raises(UnknownName):
        lenient.read("genes", "DRD1", brain)
    assert genes.default("genes", brain) == "PCP4"


def test_a_file_is_a_path_that_is_there(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "own.csv"
    with pytest.raises(InvalidParameter, match="no file"):
        File().read("samples", path, None)
    path.touch()
    assert File().read("samples", str(path), None) == str(path)


def test_an_alias_gives_way_to_a_name(brain: MemoryTable) -> None:
    table = MemoryTable(
        brain.X, brain.obs_names, ["A", "B"], brain.about, var={"id": np.array(["B", ""])}
    )
    assert table.names("var").find("b") == "B"
