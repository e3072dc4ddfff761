"""The questions "nodes" and "node": on groups that are known, and on the published network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import f_oneway

from followdata.answer import Answer
from followdata.data import About, MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.question import Question
from followdata.questions.nodes import reading
from followdata.sources.adage import read_network, read_sets

nodes, node = reading(read_network, read_sets)


def table(rows: int = 60, seed: int = 0, labelled: bool = True) -> MemoryTable:
    """Forty genes; the first eight are up in one group, and a theme says so."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 40))
    up = np.arange(rows) % 2 == 0
    X[up, :8] += 4.0
    group = np.where(up, "stressed", "calm") if labelled else np.full(rows, "")
    theme = np.array(["stress"] * 8 + ["other"] * 32)
    return MemoryTable(
        X,
        [f"s{n}" for n in range(rows)],
        [f"g{n}" for n in range(40)],
        About("Made up", "sample", "samples", "gene", "genes", label="state" if labelled else ""),
        obs={"state": group} if labelled else {},
        var={"theme": theme},
    )


def ask(question: Question, data: MemoryTable, **given: Any) -> Answer:
    params = question.resolve(data, given, {})
    learnt = question.learn(data, params, lambda kind, **words: None)
    return question.tell(data, learnt, params)


def test_a_node_tells_the_groups_apart_and_answers_to_what_they_differ_in() -> None:
    answer = ask(nodes, table(), nodes=3, cycles=80)
    first = answer.tables["nodes"].records()[0]
    assert float(str(first["q"])) < 1e-6
    assert {first["most"], first["least"]} == {"stressed", "calm"}
    assert float(str(first["differs"])) > 60
    leading = set(str(first["columns"]).split(", "))
    assert leading <= {f"g{n}" for n in range(8)}
    assert f"node {first['node']} most" in answer.sentence
    one = ask(node, table(), nodes=3, cycles=80, node=first["node"])
    assert set(one.tables["columns"].columns["column"][:3]) == leading
    active = one.tables["rows"].columns["group"][:10]
    assert set(active) == {first["most"]}
    sums = one.tables["rows"].columns["sum"]
    assert list(sums) == sorted(sums, key=lambda value: -float(str(value)))


def test_what_differs_is_tested_as_by_an_independent_program() -> None:
    data = table(30, seed=1)
    answer = ask(nodes, data, nodes=4, cycles=5)
    params = nodes.resolve(data, {"nodes": 4, "cycles": 5}, {})
    learnt = nodes.learn(data, params, lambda kind, **words: None)
    sums = learnt.sums(data.X)
    up = data.obs["state"] == "stressed"
    for record in answer.tables["nodes"].records():
        column = sums[:, int(str(record["node"])) - 1]
        assert float(str(record["p"])) == pytest.approx(f_oneway(column[up], column[~up]).pvalue)


def test_p_is_uniform_where_groups_mean_nothing() -> None:
    rng = np.random.default_rng(0)
    data = table(40, labelled=False)
    params = nodes.resolve(data, {"nodes": 5, "cycles": 30}, {})
    learnt = nodes.learn(data, params, lambda kind, **words: None)
    found: list[float] = []
    for _ in range(80):
        labels = {"state": rng.permutation(np.repeat(["a", "b", "c", "d"], 10))}
        shuffled = MemoryTable(
            data.X, data.obs_names, data.var_names, About("Made up", label="state"), obs=labels
        )
        told = nodes.tell(shuffled, learnt, nodes.resolve(shuffled, {}, {}))
        found += [float(str(p)) for p in told.tables["nodes"].columns["p"]]
    shares = [float(np.mean(np.array(found) <= level)) for level in (0.05, 0.25, 0.5)]
    np.testing.assert_allclose(shares, [0.05, 0.25, 0.5], atol=0.06)


def test_sets_among_the_high_weights_are_found() -> None:
    rng = np.random.default_rng(0)
    data = table()
    weights = 0.05 * rng.normal(size=(40, 2))
    weights[:2, 0], weights[20, 0] = 3.0, -3.0
    known = MemoryTable(data.X, data.obs_names, data.var_names, data.about, data.obs, data.var)
    params = node.resolve(known, {"node": 1}, {})
    learnt = node.learn(known, {**params, "cycles": 1}, lambda kind, **words: None)
    fixed = type(learnt)(
        weights, np.zeros(2), np.zeros(40), learnt.low, learnt.span, learnt.mean, learnt.curve
    )
    answer = node.tell(known, fixed, params)
    record = answer.tables["enriched"].records()[0]
    assert (record["set"], record["side"], record["shared"], record["n"]) == (
        "theme stress", "rouse", 2, 8,
    )  # fmt: skip
    # Two of eight among three of forty may be chance, and is not told as more.
    assert float(str(record["q"])) > 0.05
    assert "belong to" not in answer.sentence
    seen = fixed.weights.copy()
    seen[:2, 0] = 0.0
    seen[:3, 0] = 3.0
    wide = type(learnt)(
        seen, np.zeros(2), np.zeros(40), learnt.low, learnt.span, learnt.mean, learnt.curve
    )
    told = node.tell(known, wide, params)
    assert "3 of those that rouse it belong to “theme stress”" in told.sentence


def test_without_groups_the_rows_are_looked_at() -> None:
    answer = ask(nodes, table(labelled=False), nodes=3, cycles=5)
    assert "varies most" in answer.sentence
    assert "p" not in answer.tables["nodes"].columns
    one = ask(node, table(labelled=False), nodes=3, cycles=5)
    assert [view.kind for view in one.views][-1] == "ranking"


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="has 3 nodes"):
        ask(node, table(), nodes=3, cycles=2, node=4)
    still = table()
    still.X[:] = 1.0
    with pytest.raises(NothingToAnswer, match="nothing to learn"):
        ask(nodes, still)
    path = tmp_path / "network.txt"
    path.write_text("weight matrix\n1\n2\nhidden bias vector\n0\nvisible bias vector\n0\n0\n")
    with pytest.raises(InvalidParameter, match=r"has 2 inputs, and the table 40"):
        ask(nodes, table(), network=str(path))


def test_missing_values_are_counted() -> None:
    data = table()
    data.X[3, 4] = np.nan
    answer = ask(nodes, data, nodes=2, cycles=3)
    assert any(note.startswith("1 values") or "missing" in note for note in answer.notes)
    assert all(np.isfinite(np.array(answer.tables["activity"].columns["activity"], dtype=float)))


@pytest.mark.shared
def test_the_published_network_sees_what_anr_does(desk: Desk, shared: Path, tmp_path: Path) -> None:
    """Anr switches on denitrification where oxygen is short: the nodes of these genes move when it
    is knocked out, and another that answers to sulfur does too."""
    folder = shared / "data" / "autoencoder"
    names = ["PAO1_WT_1", "PAO1_WT_2", "PAO1_.anr_1", "PAO1_.anr_2"]
    samples = tmp_path / "samples.csv"
    rows = [f"{name},{'mutant' if 'anr' in name else 'wild type'}" for name in names]
    samples.write_text("\n".join(["sample,condition", *rows]) + "\n")
    desk.fetch(
        "autoencode",
        {"layout": "expression"},
        paths=[folder / "pa_anr_rnaseq_PAO1.pcl.gz", samples],
    )
    given: dict[str, Any] = {
        "network": str(folder / "adage_network.txt.gz"),
        "sets": str(folder / "pa_kegg_terms.txt.gz"),
    }
    opened = desk.open("autoencode")
    answer = opened.ask("nodes", top=50, **given)
    records = answer.tables["nodes"].records()
    assert len(records) == 50
    by_apart = sorted(records, key=lambda record: -float(str(record["apart"])))
    assert by_apart[0]["node"] == 32
    assert "enitrification" in str(by_apart[0]["set"])
    one = opened.ask("node", node=32, **given)
    assert "enitrification" in one.sentence
    assert any("trained elsewhere" in note for note in one.notes)
