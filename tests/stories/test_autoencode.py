"""The autoencode story: the contract, its sample, and tables of people's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

from followdata.data import MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidInput, NotFetched
from followdata.runs import Event
from followdata.store import StoredTable
from followdata.stories.autoencode.data import sample
from followdata.testing.contract import StoryContract


class TestAutoencode(StoryContract):
    story = "autoencode"


def test_the_sample_is_the_wine_data() -> None:
    data, wines = sample(), load_wine()
    assert isinstance(data, MemoryTable)
    np.testing.assert_array_equal(data.X, wines.data)
    assert list(data.var_names) == list(wines.feature_names)
    assert list(data.obs_names[:2]) == ["wine 1", "wine 2"]
    counts = np.unique(data.obs["class"], return_counts=True)
    assert dict(zip(*(part.tolist() for part in counts), strict=True)) == {
        "cultivar 1": 59,
        "cultivar 2": 71,
        "cultivar 3": 48,
    }
    assert data.provenance.licence == "CC BY 4.0"
    assert "UCI" in data.provenance.source
    assert "178 Italian wines" in data.provenance.sample


def test_a_table_of_ones_own(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "my towns.csv"
    path.write_text("id,a,b\nx,1,2\nx,3,4\n")
    heard: list[Event] = []
    dataset = desk.fetch("autoencode", paths=[path, tmp_path / "other"], listen=heard.append)
    assert dataset.name == "my-towns"
    assert not dataset.provenance.sample
    assert dataset.provenance.retrieved.startswith("2026-11-22T12:00")
    opened = desk.open("autoencode")
    assert opened.dataset.name == "my-towns"
    assert opened.data.about.title == "my towns"
    said = [str(event["text"]) for event in heard if event["kind"] == "notice"]
    assert said[0] == "Only the first file is read: my towns.csv."
    assert "“id”" in said[1]


def test_without_a_file_it_says_how_to_give_one(desk: Desk) -> None:
    with pytest.raises(NotFetched, match="--from FILE"):
        desk.fetch("autoencode")


def test_what_is_no_table_is_refused_and_nothing_is_stored(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("no\ntable\n")
    with pytest.raises(InvalidInput, match=r"words\.txt: no column is all numbers"):
        desk.fetch("autoencode", paths=[path])
    assert not desk.store.datasets("autoencode")


def test_another_table_of_the_same_name_does_not_replace_the_first(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n2\n")
    first = desk.fetch("autoencode", paths=[path])
    path.write_text("a\n1\n3\n")
    second = desk.fetch("autoencode", paths=[path])
    assert [first.name, second.name] == ["t", "t.2"]


def test_another_table_comes_with_the_installation(desk: Desk) -> None:
    dataset = desk.fetch("autoencode", {"example": "breast cancer"})
    assert dataset.name == "breast-cancer"
    data = desk.open("autoencode").data
    assert isinstance(data, StoredTable)
    assert data.shape == (569, 30)
    assert data.names("diagnosis").names == ("benign", "malignant")
    assert data.names("var").find("mean radius") == "mean_radius"
    assert not dataset.provenance.sample


def test_expression_is_read_whichever_way_it_lies(desk: Desk, tmp_path: Path) -> None:
    genes, samples = tmp_path / "genes.tsv", tmp_path / "samples.csv"
    genes.write_text("gene\ta\tb\tc\nG1\t1\t2\t3\nG2\t4\t5\t6\n")
    samples.write_text("sample,condition\na,calm\nb,calm\nc,stressed\n")
    desk.fetch("autoencode", {"layout": "expression"}, paths=[genes, samples])
    data = desk.open("autoencode").data
    assert isinstance(data, StoredTable)
    assert data.shape == (3, 2)
    assert data.about.label == "condition"
    assert data.matrix(var=["G2"]).tolist() == [[4.0], [5.0], [6.0]]


def test_a_node_of_the_list_leads_to_its_page(desk: Desk) -> None:
    answer = desk.open("autoencode").ask("nodes", nodes=3, cycles=3)
    field = answer.tables["nodes"].fields[0]
    assert (field.name, field.link) == ("node", "node")
    given: dict[str, Any] = dict(field.given)
    assert given == {"nodes": 3, "cycles": 3, "corruption": 0.1, "seed": 0}
    one = desk.open("autoencode").ask("node", node=2, **given)
    assert "ode 2 answers" in one.sentence
