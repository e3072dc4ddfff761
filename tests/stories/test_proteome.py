"""The proteome story: its sample, cohorts from providers, and known figures on the real tables."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from pathlib import Path
from typing import cast

import httpx
import numpy as np
import pytest
from scipy import stats

from followdata.answer import Answer, Provenance
from followdata.data import About, Layer, TableData
from followdata.desk import Desk, Opened
from followdata.errors import InvalidInput, NotFetched, NothingToAnswer, UnknownName
from followdata.questions.correlate import fit_correlations
from followdata.questions.prepare import prepare
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE
from followdata.sources import cptac, tcga
from followdata.sources.cohorts import joined
from followdata.sources.omics import read_files
from followdata.store import Store
from followdata.stories.proteome.data import correlate, sample
from followdata.testing.tumours import CASES, PATIENTS, PretendCommons

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "proteome.ipynb"


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def proteome(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The story with its sample."""
    desk = Desk(Registry.installed(), Store(tmp_path_factory.mktemp("proteome")))
    return desk.open("proteome")


@pytest.fixture
def commons(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose network is invented providers, at any pace."""
    for module, name in ((cptac, "PDC"), (tcga, "GDC"), (tcga, "XENA")):
        quick = replace(getattr(module, name), pace=1e6)
        monkeypatch.setattr(module, name, quick)
    for function, place in (
        (cptac.fetch_study, "PDC"), (tcga.fetch_messages, "GDC"), (tcga.fetch_cohort, "XENA"),
    ):  # fmt: skip
        module = cptac if place == "PDC" else tcga
        monkeypatch.setattr(function, "__defaults__", (getattr(module, place),))
    return replace(desk, transport=httpx.MockTransport(PretendCommons()))


def test_the_sample_is_an_eighth_of_the_packaged_tumours() -> None:
    table = sample()
    assert table.shape == (95, 1373 + 293 + 1)  # one protein is in no tumour that is kept
    assert [layer.name for layer in table.layers] == ["mRNA", "miRNA"]
    assert table.about.matrix == "protein"
    assert set(table.obs["subtype"].tolist()) == {"CNV_low", "CNV_high", "MSI-H", "POLE"}
    assert 0.05 < np.isnan(table.matrix(var=table.var_names[:1373])).mean() < 0.15


def test_without_the_extra_the_sample_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cptac, "_PACKAGE", "no_such_package")
    with pytest.raises(NotFetched, match="pip install"):
        sample()


def test_files_that_are_not_those_that_are_pinned_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cptac._PACKAGED, "clinical.txt", "0" * 64)
    with pytest.raises(InvalidInput, match=r"clinical\.txt of the package cptac.*digest"):
        sample()


def test_the_story_opens_on_finished_answers(proteome: Opened) -> None:
    assert said(proteome.ask("prepare")).startswith(
        "There are 95 tumours: protein of 95, mRNA of 95 and miRNA of 85; 85 have all of them. Of "
        "the 153 samples in proteomics.cct.gz 95 are left: 49 (healthy tissue) and 9 (excluded by "
        "the study itself) were left out."
    )
    correlate = proteome.ask("correlate")
    assert said(correlate).startswith(
        "In 95 tumours the median Spearman correlation of protein with mRNA is 0.474"
    )
    assert len(correlate.tables["correlate"]) == 20
    assert len(proteome.ask("correlate", top=10_000).tables["correlate"]) == 1373


def test_one_gene_is_what_the_list_says_of_it(proteome: Opened) -> None:
    first = proteome.ask("correlate").tables["correlate"].records()[0]
    answer = proteome.ask("correlate", gene=str(first["gene"]).lower())
    assert answer.tables["correlate"].records() == [first]
    points = answer.tables["tumours"]
    r = stats.spearmanr(points.columns["x"], points.columns["y"])
    assert first["spearman"] == pytest.approx(r.statistic, abs=1e-10)
    assert first["p"] == pytest.approx(r.pvalue, rel=1e-6)
    assert len(points) == first["n"]
    lowest = proteome.ask("correlate", order="lowest").tables["correlate"].columns["spearman"]
    assert list(lowest) == sorted(lowest)  # type: ignore[type-var]


def test_sets_of_ones_own(proteome: Opened, tmp_path: Path) -> None:
    genes = [str(gene) for gene in proteome.ask("correlate").tables["correlate"].columns["gene"]]
    path = tmp_path / "sets.gmt"
    path.write_text("best\tthe first\t" + "\t".join(genes) + "\nsmall\t\tESR1\n", encoding="utf-8")
    sets = proteome.ask("correlate", sets=path).tables["sets"].records()
    assert [one["set"] for one in sets] == ["best"]
    assert sets[0]["n"] == 20
    assert float(str(sets[0]["p"])) < 1e-10
    path.write_text("no set at all\n", encoding="utf-8")
    with pytest.raises(Exception, match="line 1: a set needs a name"):
        proteome.ask("correlate", sets=path)


def test_measurements_are_named_and_checked(proteome: Opened) -> None:
    with pytest.raises(NothingToAnswer, match="agrees with itself"):
        proteome.ask("correlate", beside="PROTEIN")
    with pytest.raises(NothingToAnswer, match="0 genes in common"):
        proteome.ask("correlate", beside="mirna")
    with pytest.raises(UnknownName, match="mRNA"):
        proteome.ask("correlate", beside="mRN")
    with pytest.raises(NothingToAnswer, match="is not in both"):
        proteome.ask("correlate", gene="hsa-miR-17-5p")


def test_factors_and_what_they_tell(proteome: Opened) -> None:
    answer = proteome.ask("integrate", features=100, factors=3)
    shares = answer.tables["factors"].records()
    assert {one["matrix"] for one in shares} == {"protein", "mRNA", "miRNA"}
    assert all(0 < float(str(one["share"])) < 100 for one in shares)
    held = {one["method"]: one for one in answer.tables["held_out"].records()}
    for one in held.values():
        low, value, high = (float(str(one[name])) for name in ("low", "accuracy", "high"))
        assert low < value < high
    assert float(str(held["few columns"]["low"])) > 0.25  # better than guessing
    calls = answer.tables["calls"]
    right = np.array(calls.columns["given"]) == np.array(calls.columns["few_columns"])
    given = np.array(calls.columns["given"])
    by_hand = np.mean([right[given == one].mean() for one in set(given.tolist())])
    assert held["few columns"]["accuracy"] == pytest.approx(by_hand)


def test_a_cohort_of_cptac_comes_with_its_messages(commons: Desk) -> None:
    assert commons.fetch("proteome").name == "endometrial"
    proteome = commons.open("proteome")
    assert proteome.data.names("obs").names == CASES
    assert proteome.ask("correlate").tables["overall"].columns["genes"] == (6,)
    assert "1 (healthy tissue)" in proteome.ask("prepare").sentence
    steps = proteome.data.provenance.steps
    assert any("pools" in step.done and step.names == ("POOL01",) for step in steps)


def test_a_cohort_of_tcga(commons: Desk) -> None:
    assert commons.fetch("proteome", {"cohort": "Breast"}).name == "breast"
    proteome = commons.open("proteome", "breast")
    assert proteome.data.names("obs").names == PATIENTS
    with pytest.raises(NothingToAnswer, match="one measurement only"):
        proteome.ask("correlate")
    with pytest.raises(UnknownName, match="breast"):
        commons.fetch("proteome", {"cohort": "brest"})


# The real tables


@pytest.mark.shared
def test_the_published_correlation_of_endometrial_tumours(shared: Path) -> None:
    files = read_files([shared / "data" / "tcga"], ("ucec",))
    for keep, tumours, median in ((False, 76, 0.4725), (True, 82, 0.4781)):
        table = joined(
            About("Tumours", label="subtype"),
            files.readings,
            files.descriptions,
            Provenance("files", "", ""),
            keep_excluded=keep,
        )
        fitted = fit_correlations(table, matrix="protein", beside="mRNA")
        answer = correlate.answer(table, fitted, matrix="protein", beside="mRNA")
        overall = answer.tables["overall"].records()[0]
        assert overall["n"] == tumours
        assert overall["median_spearman"] == pytest.approx(median, abs=5e-5)
        now = prepare(table, None).tables["matrices"].records()
        assert [one["rows"] for one in now] == [85 if keep else 76, tumours]


@pytest.mark.shared
def test_breast_tumours_of_several_tables(desk: Desk, shared: Path) -> None:
    desk.fetch("proteome", {"cohort": "breast"}, paths=[shared / "data" / "tcga"])
    breast = desk.open("proteome", "breast")
    data = cast(TableData, breast.data)
    assert data.shape[0] == 410
    rows = {
        str(one["matrix"]): one["rows"]
        for one in breast.ask("prepare").tables["matrices"].records()
    }
    assert rows == {"protein": 410, "iTRAQ": 77, "mRNA": 150, "miRNA": 150}
    subtype = data.labels("obs")["subtype"]
    has = np.isfinite(data.matrix(layer=Layer(part="mRNA"))).any(1)
    names, count = np.unique(subtype[has], return_counts=True)
    assert names.tolist() == ["Basal", "Her2", "LumA"]
    assert count.tolist() == [45, 30, 75]
    steps = [step for step in data.provenance.steps if "known already" in step.done]
    assert steps[0].before == 28
    assert steps[0].before - steps[0].after == 2


# The walk


def test_the_notebook_runs(
    proteome: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cells are run one after the other, on the sample, as a notebook's kernel would."""
    monkeypatch.setenv(HOME_VARIABLE, str(proteome.desk.store.home))
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 5
    script = tmp_path / "walk.py"
    script.write_text("\n\n".join(code), encoding="utf-8")
    found = runpy.run_path(str(script))
    assert found["correlate"].tables["overall"].columns["n"] == (95,)
