"""ADAGE's files: read as they are, and refused with the line that is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from followdata.errors import InvalidInput
from followdata.sources.adage import read_activities, read_network, read_sets

NETWORK = """layer 1\x20
weight matrix\x20
0.5\t-1
0\t2
1\t1
hidden bias vector\x20
0.1
0.2
visible bias vector\x20
1
2
3
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.txt.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_network_is_read(tmp_path: Path) -> None:
    weights, hidden, visible = read_network(written(tmp_path, NETWORK))
    assert weights.tolist() == [[0.5, -1.0], [0.0, 2.0], [1.0, 1.0]]
    assert hidden.tolist() == [0.1, 0.2]
    assert visible.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hidden bias vector", "bias", "no “hidden bias vector”"),
        ("0\t2", "0\tx", "line 4"),
        ("0\t2", "0", "unequal"),
        ("0.2\n", "0.2\n0.3\n", "do not go with 3 hidden"),
        ("1\n2\n3\n", "", "no value follows"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_network(written(tmp_path, NETWORK.replace(old, new)))


def test_activities_are_read(tmp_path: Path) -> None:
    names, values = read_activities(written(tmp_path, "layer 1 \na b.CEL\t0.5\t1\nc\t0\t0.25\n"))
    assert names == ["a b.CEL", "c"]
    assert values.tolist() == [[0.5, 1.0], [0.0, 0.25]]
    with pytest.raises(InvalidInput, match="layer 1"):
        read_activities(written(tmp_path, "a\t1\n"))


def test_sets_are_read_in_three_forms(tmp_path: Path) -> None:
    text = "A pathway\t2\tg1;g2\nB_SET\thttp://b\tg1\tg3\ng4\tg5\tg6\nA pathway\t1\tg9\n\n"
    assert dict(read_sets(written(tmp_path, text))) == {
        "A pathway": ["g1", "g2"],
        "B_SET": ["g1", "g3"],
        "g4 to g6": ["g4", "g5", "g6"],
        "A pathway (line 4)": ["g9"],
    }
    with pytest.raises(InvalidInput, match="no set"):
        read_sets(written(tmp_path, "\n"))


@pytest.mark.shared
def test_the_published_sets_are_read(shared: Path) -> None:
    folder = shared / "data" / "autoencoder"
    pathways = read_sets(folder / "pa_kegg_terms.txt.gz")
    assert len(pathways) == 169
    name = next(name for name in pathways if "Sulfur metabolism" in name)
    assert len(pathways[name]) > 20
    operons = read_sets(folder / "pa_operons.txt.gz")
    assert operons["PA0001 to PA0004"] == ["PA0001", "PA0002", "PA0003", "PA0004"]
