"""Questions about groups: markers, expression, enriched, compare, and what a map is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from followdata.answer import Answer
from followdata.data import OWN_RANGE, About, MemoryTable, TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.question import Question
from followdata.questions import components, enriched, expression, markers
from followdata.questions.controls import comparing
from followdata.store import Store

STRUCTURES = ["Striatum"] * 6 + ["Pallidum"] * 4 + ["Cortex"] * 9 + ["Pons"]
PARTS = ["Caudate", "Putamen"] * 3 + ["Pallidum"] * 4 + ["Frontal", "Temporal", "Insula"] * 3 + [""]
ABOVE = ["Basal Ganglia"] * 10 + [""] * 10


def brains(*, donors: int = 2, genes: int = 60, unit: str = "", seed: int = 0) -> MemoryTable:
    """Twenty samples of each donor; G0 is high in the striatum of all, G1 only of the first."""
    random = np.random.default_rng(seed)
    rows = 20 * max(1, donors)
    donor_of = np.repeat(np.arange(max(1, donors)), 20)
    structure = np.array(STRUCTURES * max(1, donors))
    X = random.gamma(4, 5, size=(rows, genes))
    X[structure == "Striatum", 0] += 100
    X[(structure == "Striatum") & (donor_of == 0), 1] += 300
    X[:, 2] = 7
    obs = {
        "structure": structure,
        "structure_id": np.array([name[:3] for name in structure.tolist()]),
        "substructure": np.array(PARTS * max(1, donors)),
        "lineage": np.array(ABOVE * max(1, donors)),
    }
    if donors:
        obs["donor"] = np.array([f"H.{n}" for n in range(donors)])[donor_of]
    return MemoryTable(
        X,
        [f"s{n}" for n in range(rows)],
        [f"G{n}" for n in range(genes)],
        About("Brains", "sample", "samples", "gene", "genes", label="structure", unit=unit),
        obs=obs,
    )


def ask(question: Question, data: TableData, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    fitted = question.learn(data, params, print) if question.learns else None
    return question.tell(data, fitted, params)


def column(answer: Answer, table: str, name: str) -> npt.NDArray[Any]:
    return np.array(answer.tables[table].columns[name])


# Markers


def test_markers_come_by_effect_with_means_and_tests() -> None:
    data = brains()
    answer = ask(markers.question, data, group="str", top=60, test="pooled wilcoxon")
    table = answer.tables["markers"]
    assert [field.name for field in table.fields] == [
        "gene", "effect", "low", "high", "p", "q", "mean_H.0", "mean_H.1", "mean_group", "mean_all",
        "donors_agree",
    ]  # fmt: skip
    inside = data.obs["structure"] == "Striatum"
    for row in table.records():
        values = data.X[:, int(str(row["gene"])[1:])]
        effect = values[inside].mean() - values[~inside].mean()
        assert row["effect"] == pytest.approx(effect)
        assert row["mean_all"] == pytest.approx(values.mean())
        expected = stats.mannwhitneyu(
            values[inside], values[~inside], method="asymptotic", use_continuity=True
        )
        assert row["p"] == pytest.approx(expected.pvalue, rel=1e-9)
        assert row["low"] <= row["effect"] <= row["high"]  # type: ignore[operator]
        first = inside & (data.obs["donor"] == "H.0")
        assert row["mean_H.0"] == pytest.approx(values[first].mean())
    effects = column(answer, "markers", "effect")
    assert (np.diff(effects) <= 0).all()


def test_q_corrects_over_genes_and_groups() -> None:
    data = brains()
    fitted = markers.fit_markers(data)
    main = [i for i, name in enumerate(fitted.names) if name in {*STRUCTURES, "Basal Ganglia"}]
    assert len(main) == 5
    p = fitted.p[main]
    tested = ~np.isnan(p)
    np.testing.assert_allclose(fitted.q[main][tested], stats.false_discovery_control(p[tested]))


def test_donors_that_agree_and_one_that_does_not() -> None:
    answer = ask(markers.question, brains(), group="Striatum")
    rows = {row["gene"]: row for row in answer.tables["markers"].records()}
    assert rows["G0"]["donors_agree"] is True
    assert answer.sentence.startswith("G1 is raised most in Striatum")
    donors = [row for row in answer.tables["donors"].records() if row["gene"] == "G1"]
    assert float(str(donors[0]["effect"])) > 250 > float(str(donors[1]["effect"]))
    if rows["G1"]["donors_agree"] is False:
        assert "though not in every donor" in answer.sentence
    assert "not independent people" in " ".join(answer.notes)
    assert {view.kind for view in answer.views} == {"ranking", "pairs", "grid"}


def test_without_donors_nobody_agrees() -> None:
    answer = ask(markers.question, brains(donors=0), group="Striatum")
    assert set(column(answer, "markers", "donors_agree")) == {None}
    assert not [n for n in answer.tables["markers"].columns if n.startswith("mean_H")]
    assert "donors" not in answer.tables
    assert "names no donors" in " ".join(answer.notes)
    one = ask(markers.question, brains(), group="Striatum", donor="H.1")
    assert set(column(one, "markers", "donors_agree")) == {None}
    assert "nothing about other people" in " ".join(one.notes)


def test_a_group_of_one_has_an_effect_and_no_p() -> None:
    answer = ask(markers.question, brains(donors=1), group="Pons")
    assert set(column(answer, "markers", "p")) == set(column(answer, "markers", "low")) == {None}
    assert None not in column(answer, "markers", "effect")
    assert "nothing can be said of chance" in answer.sentence


def test_groups_are_rolled_up_and_down() -> None:
    data = brains()
    alone = ask(markers.question, data, group="Caudate")
    up = ask(markers.question, data, group="Caudate", level="structure")
    whole = ask(markers.question, data, group="Striatum")
    assert up.tables["markers"] == whole.tables["markers"] != alone.tables["markers"]
    assert up.sentence.startswith("Caudate is part of Striatum")
    ganglia = ask(markers.question, data, group="Basal Ganglia")
    assert set(column(ganglia, "parts", "part")) == {"Striatum", "Pallidum"}
    assert set(column(whole, "parts", "part")) == {"Caudate", "Putamen"}
    assert "parts" not in alone.tables


def test_tests_to_choose_from() -> None:
    data = brains(unit="TPM")
    by_ranks = ask(markers.question, data, group="Striatum", top=60)
    by_t = ask(markers.question, data, group="Striatum", test="moderated t", top=60)
    assert by_ranks.tables["markers"].columns["effect"] == by_t.tables["markers"].columns["effect"]
    log = np.log2(1 + data.X)
    inside = data.obs["structure"] == "Striatum"
    assert "binary logarithm" in " ".join(by_t.notes)
    assert "van Elteren" in " ".join(by_ranks.notes)
    p = dict(zip(column(by_t, "markers", "gene"), column(by_t, "markers", "p"), strict=True))
    varying = [n for n in range(60) if n != 2]
    plain = stats.ttest_ind(log[inside][:, varying], log[~inside][:, varying]).pvalue
    assert stats.spearmanr([p[f"G{n}"] for n in varying], plain)[0] > 0.9
    pooled = ask(markers.question, data, group="Striatum", test="pooled wilcoxon")
    assert "can pass for one between groups" in " ".join(pooled.notes)


def test_chance_finds_nothing_too_often() -> None:
    """A few of the runs of `make bench`: labels shuffled within donors, on uneven groups."""
    data = brains(genes=200, seed=3)
    donors = data.obs["donor"]
    X = data.X + np.where(donors == "H.0", 0, 30)[:, None]
    random = np.random.default_rng(4)
    found = 0
    for _ in range(20):
        structure = data.obs["structure"].copy()
        structure[(donors == "H.1") & (structure == "Pallidum")] = "Cortex"
        for donor in ("H.0", "H.1"):
            rows = np.flatnonzero(donors == donor)
            structure[rows] = random.permutation(structure[rows])
        labels = {"structure": structure, "donor": donors}
        shuffled = MemoryTable(X, data.obs_names, data.var_names, data.about, obs=labels)
        found += bool((np.nan_to_num(markers.fit_markers(shuffled).q, nan=1) <= 0.05).any())
    assert stats.binomtest(found, 20, 0.05, alternative="greater").pvalue > 0.001


def test_the_scale_from_0_to_1_is_explained() -> None:
    for question, given in (
        (markers.question, {"group": "Striatum"}),
        (expression.question, {"gene": "G0"}),
        (expression.question, {"gene": "G0,G1"}),
    ):
        answer = ask(question, brains(unit=OWN_RANGE), **given)
        assert "how much of its own range" in " ".join(answer.notes)


def test_what_is_learnt_can_be_stored(tmp_path: Path) -> None:
    data, store = brains(), Store(tmp_path)
    for question, given in (
        (markers.question, {"group": "Striatum"}),
        (enriched.question, {"genes": "G0"}),
    ):
        params = question.resolve(data, given, {})
        fitted = question.learn(data, params, print)
        store.keep_fitted(question.name, fitted)
        again = store.fitted(question.name, question.fitted_type)
        assert question.tell(data, again, params) == question.tell(data, fitted, params)


def test_tables_without_groups_cannot_be_asked() -> None:
    data = brains()
    plain = MemoryTable(data.X, data.obs_names, data.var_names, About("Plain"))
    with pytest.raises(NothingToAnswer):
        ask(markers.question, plain)
    with pytest.raises(NothingToAnswer, match="No label"):
        ask(expression.question, plain, gene="G0")


# Expression


def test_every_value_stands_under_its_group_and_donor() -> None:
    data = brains()
    answer = ask(expression.question, data, gene="g0")
    table = answer.tables["expression"]
    assert [field.name for field in table.fields] == ["sample", "group", "donor", "value"]
    for row in table.records():
        position = data.obs_names.index(str(row["sample"]))
        assert row["value"] == data.X[position, 0]
        assert row["group"] == data.obs["structure"][position]
        assert row["donor"] == data.obs["donor"][position]
    assert table.columns["group"][0] == "Striatum"
    assert "highest in Striatum" in answer.sentence
    assert "That is so in both donors." in answer.sentence
    assert answer.views[0].kind == "box"


def test_groups_against_others_or_one_structure() -> None:
    data = brains(donors=0)
    others = ask(expression.question, data, gene="G0").tables["groups"].records()
    inside = data.obs["structure"] == "Striatum"
    assert others[0]["effect"] == pytest.approx(
        data.X[inside, 0].mean() - data.X[~inside, 0].mean()
    )
    cortex = ask(expression.question, data, gene="G0", against="Cortex")
    rows = {row["group"]: row for row in cortex.tables["groups"].records()}
    rest = data.obs["structure"] == "Cortex"
    expected = stats.mannwhitneyu(
        data.X[inside, 0], data.X[rest, 0], method="asymptotic", use_continuity=True
    )
    assert rows["Striatum"]["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert rows["Cortex"]["effect"] is None
    assert rows["Pons"]["p"] is None
    assert "above that of Cortex" in cortex.sentence


def test_several_genes_are_a_heat_map() -> None:
    answer = ask(expression.question, brains(), gene="G0, G1 G2")
    assert answer.views[0].kind == "grid"
    assert len(answer.tables["means"]) == 3 * 4
    assert list(answer.tables["expression"].columns)[-1] == "gene"
    assert "G0 in Striatum" in answer.sentence


def test_finer_groups_can_be_looked_at() -> None:
    answer = ask(expression.question, brains(), gene="G0", level="substructure", donor="H.0")
    groups = set(answer.tables["expression"].columns["group"])
    assert {"Caudate", "Putamen", "Pallidum", "Frontal"} <= groups
    assert set(answer.tables["expression"].columns["donor"]) == {"H.0"}


def test_missing_values_are_counted() -> None:
    data = brains()
    data.X[0, 0] = np.nan
    answer = ask(expression.question, data, gene="G0")
    assert "1 of 40 values" in answer.notes[-1].replace("\xa0", " ")
    assert answer.tables["expression"].columns["value"].count(None) == 1
    data.X[:, 0] = np.nan
    with pytest.raises(NothingToAnswer, match="no values of G0"):
        ask(expression.question, data, gene="G0")


# Enriched


def raised(genes: int = 60) -> MemoryTable:
    data = brains(genes=genes, seed=5)
    data.X[np.ix_(data.obs["structure"] == "Pallidum", range(10, 16))] += 40
    return data


def test_a_list_is_found_where_it_is_high() -> None:
    answer = ask(enriched.question, raised(), genes=[f"G{n}" for n in range(10, 16)], share=10)
    first = answer.tables["enriched"].records()[0]
    assert first["group"] == "Pallidum"
    # 59 genes vary; 6 are among the 6 most raised.
    assert first["raised"] == 6
    assert first["p"] == pytest.approx(stats.hypergeom.sf(5, 59, 6, 6))
    assert first["auc"] == 100
    assert set(str(first["genes"]).split(", ")) == {f"G{n}" for n in range(10, 16)}
    assert "highest in Pallidum" in answer.sentence


def test_the_background_decides() -> None:
    genes = [f"G{n}" for n in range(10, 16)]
    answer = ask(enriched.question, raised(), genes=genes, background="G10 G11 G12 G13 G20")
    notes = " ".join(answer.notes).replace("\xa0", " ")
    assert "The background is 5 genes." in notes
    assert "2 genes of the list are outside the background" in notes
    with pytest.raises(InvalidParameter, match="nothing to compare"):
        ask(enriched.question, raised(), genes="G10", background="G10")


def test_names_that_are_not_there_are_told() -> None:
    answer = ask(enriched.question, raised(), genes="G10,NOGENE,G11")
    assert "Not in the data, and left out: NOGENE." in answer.notes
    assert "2\xa0genes" in answer.sentence


def test_a_random_list_is_found_nowhere_more_often_than_chance() -> None:
    data, random = brains(genes=300, seed=6), np.random.default_rng(7)
    fitted = enriched.fit_scores(data)
    p: list[float] = []
    for _ in range(60):
        genes = ",".join(f"G{n}" for n in random.choice(np.arange(3, 300), 20, replace=False))
        answer = enriched.enriched(data, fitted, genes=genes)
        p.extend(column(answer, "enriched", "p_rank").tolist())
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)


# Compare


def test_own_samples_are_placed_and_told_from_controls(tmp_path: Path) -> None:
    controls = brains(genes=200, seed=8)
    random = np.random.default_rng(9)
    profile = random.gamma(4, 5, size=(4, 200))
    for n, name in enumerate(("Striatum", "Pallidum", "Cortex", "Pons")):
        controls.X[controls.obs["structure"] == name] += profile[n]
    cortex = controls.obs["structure"] == "Cortex"
    own = controls.X[cortex][:5] * random.normal(1, 0.02, size=(5, 200))
    own[:, 50] *= 6
    patients = MemoryTable(
        100 * own[:, ::-1], [f"p{n}" for n in range(5)], controls.var_names[::-1],
        About("Patients", label="diagnosis"), obs={"diagnosis": np.array(["X"] * 5)},
    )  # fmt: skip
    path = tmp_path / "patients.csv"
    path.touch()
    answer = ask(comparing(lambda given: patients), controls, samples=str(path))
    nearest = answer.tables["nearest"].records()
    assert len(nearest) == 5 * 4
    assert {row["group"] for row in nearest[::4]} == {"Cortex"}
    assert "Of 5 samples, most are like Cortex (5)." in answer.sentence
    differ = answer.tables["differ"].records()
    assert differ[0]["gene"] == "G50"
    assert float(str(differ[0]["q"])) < 0.05
    whose, x = column(answer, "map", "whose"), column(answer, "map", "x").astype(float)
    own_rows = whose == "your samples"
    assert column(answer, "map", "thing")[own_rows].tolist() == [f"p{n}" for n in range(5)]
    assert abs(x[own_rows].mean() - x[: len(cortex)][cortex].mean()) < x.std()


def test_one_of_the_samples_can_play_the_part() -> None:
    data = brains(genes=80)
    answer = ask(comparing(lambda path: data), data, sample="s3")
    assert "s3 plays their part" in answer.notes[0]
    assert answer.tables["map"].columns["thing"].count("s3") == 1
    assert "s3" not in answer.tables["nearest"].columns["best"]


def test_too_little_in_common(tmp_path: Path) -> None:
    data = brains(genes=80)
    other = MemoryTable(np.ones((1, 2)), ["p"], ["G1", "unknown"], About("Other"))
    path = tmp_path / "x.csv"
    path.touch()
    with pytest.raises(NothingToAnswer, match="named alike"):
        ask(comparing(lambda given: other), data, samples=str(path))


# Maps


def test_a_map_tells_structure_from_donor() -> None:
    data = brains(genes=100, seed=10)
    data.X[data.obs["donor"] == "H.1"] += np.random.default_rng(11).gamma(4, 10, size=100)
    answer = ask(components.question, data)
    first = answer.tables["partition"].records()[0]
    assert float(str(first["donor"])) > 90 > 10 > float(str(first["structure"]))
    assert sum(float(str(first[name])) for name in ("structure", "donor", "rest")) <= 100.1
    assert answer.views[0].channels["shape"] == "donor"
    assert "donor" in answer.tables["map"].columns
    assert "component 1 is" in answer.sentence


def test_a_map_without_donors_has_no_shapes() -> None:
    answer = ask(components.question, brains(donors=0))
    assert "shape" not in answer.views[0].channels
    assert [f.name for f in answer.tables["partition"].fields] == ["component", "structure", "rest"]
