"""trend, rates and town on invented counts: any events, in places that coordinates tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from followdata.answer import Answer
from followdata.data import About, Layer, MemoryTable
from followdata.errors import NothingToAnswer, UnknownName
from followdata.parameters import Rows
from followdata.questions import rates, town, trend
from followdata.questions.counts import around, counts_of

YEARS = range(2001, 2013)
ABOUT = About(
    "Meteorites", "parish", "parishes", "figure", "figures", size="people", label="shire",
    count="found", event="meteorite", events="meteorites",
)  # fmt: skip


def parishes(n: int = 40, seed: int = 0) -> MemoryTable:
    """Parishes in a row from south to north, meteorites found in each year, four figures."""
    chance = np.random.default_rng(seed)
    persons = np.exp(chance.normal(9, 1, n))[:, None] * np.ones(len(YEARS))
    rate = 3e-4 * np.exp(chance.normal(0, 0.6, n))
    found = chance.poisson(persons * rate[:, None]).astype(float)
    found[0, :3] = persons[0, :3] = np.nan
    others = np.column_stack([np.linspace(50, 58, n), np.full(n, 10.0), chance.normal(size=(n, 2))])
    others[7:8, 2] = 40.0
    blank = np.full_like(others, np.nan)
    layers = {
        Layer(str(year)): np.column_stack([found[:, at], persons[:, at], blank])
        for at, year in enumerate(YEARS)
    }
    main = np.column_stack([np.nansum(found, axis=1), persons[:, -1], others])
    shires = np.array(["North" if row >= n // 2 else "South" for row in range(n)])
    return MemoryTable(
        main,
        [f"parish {row}" for row in range(n)],
        ["found", "people", "latitude", "longitude", "rain", "sheep"],
        ABOUT,
        obs={"shire": shires},
        layers=layers,
    )


TABLE = parishes()
FITTED = rates.fit_rates(TABLE)


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ").replace("\u202f", " ")


def test_counts_come_from_the_layers() -> None:
    counts = counts_of(TABLE)
    assert counts.years.tolist() == list(YEARS)
    assert np.isnan(counts.y[0, :3]).all()
    np.testing.assert_array_equal(counts.totals, TABLE.X[:, 0])
    assert counts.places is not None
    assert counts.places[-1, 1] - counts.places[0, 1] == pytest.approx(8 * 111.19, rel=0.01)
    assert around(TABLE, 0, counts.places).rows == [1, 2, 3, 4, 5]


def test_a_number_without_persons_is_not_counted() -> None:
    layer = TABLE.layers[Layer("2005")].copy()
    layer[3, 1] = np.nan
    table = replace(TABLE, layers={**TABLE.layers, Layer("2005"): layer})
    counts = counts_of(table)
    assert np.isnan(counts.y[3, 4])
    assert np.isfinite(counts.y[3, 5])


def test_data_that_count_nothing_are_refused() -> None:
    with pytest.raises(NothingToAnswer, match="count no events"):
        counts_of(replace(TABLE, about=replace(ABOUT, count="")))
    with pytest.raises(NothingToAnswer, match="No year"):
        counts_of(replace(TABLE, layers={}))


def test_trend_adds_up() -> None:
    whole = trend.question.tell(TABLE, None, {"place": "everywhere"})
    table = whole.tables["trend"]
    fires = [int(str(value)) for value in table.columns["fires"]]
    assert sum(fires) == TABLE.X[:, 0].sum()
    assert list(table.columns["year"]) == list(YEARS)
    low, high = table.columns["low"], table.columns["high"]
    assert all(
        float(str(a)) <= n <= float(str(b)) for a, n, b in zip(low, fires, high, strict=True)
    )
    total = f"{sum(fires):,}".replace(",", " ")
    assert said(whole).startswith(f"{total} meteorites were counted in 40 parishes from 2001")
    north = trend.question.tell(TABLE, None, {"place": "North"})
    assert sum(int(str(n)) for n in north.tables["trend"].columns["fires"]) == TABLE.X[20:, 0].sum()
    one = trend.question.tell(TABLE, None, {"place": "parish 0"})
    assert list(one.tables["trend"].columns["year"]) == list(YEARS)[3:]
    assert any("3\xa0years of single parishes" in note for note in one.notes)


def test_places_are_found_as_people_say_them() -> None:
    where = Rows("Where")
    for text in ("everywhere", "North", "parish 3"):
        assert where.read("place", text.upper(), TABLE) == text
    assert where.read("place", "nor", TABLE) == "North"
    with pytest.raises(UnknownName, match="parish"):
        where.read("place", "parish", TABLE)
    assert Rows("Where", everyone="all").names(TABLE).names[0] == "all"


def test_rates_are_all_there_and_ordered() -> None:
    answer = rates.question.tell(TABLE, FITTED, {"thing": "parish 5", "top": 4})
    table = answer.tables["rates"]
    assert len(table) == 40
    assert list(table.columns["rank"]) == list(range(1, 41))
    values = [float(str(value)) for value in table.columns["rate"]]
    assert values == sorted(values, reverse=True)
    assert "parish 5" in answer.tables["extremes"].columns["thing"]
    assert "parish 5 has " in said(answer)
    assert "region" not in table.columns
    assert {view.kind for view in answer.views} == {"intervals", "scatter"}
    assert any("parish 0" in note and "not counted in all years" in note for note in answer.notes)


def test_one_town_and_its_neighbours() -> None:
    answer = town.question.tell(TABLE, FITTED, {"thing": "parish 7", "top": 3})
    assert answer.tables["neighbours"].columns["thing"][:2] in (
        ("parish 6", "parish 8"), ("parish 8", "parish 6"),
    )  # fmt: skip
    special = answer.tables["distinguishes"]
    assert special.columns["measure"][0] == "rain"
    assert "latitude" not in special.columns["measure"]
    compared = dict(
        zip(
            answer.tables["compared"].columns["whom"],
            answer.tables["compared"].columns["rate"],
            strict=True,
        )
    )
    counts = counts_of(TABLE)
    assert compared["parish 7, as counted"] == pytest.approx(
        1e5 * counts.totals[7] / counts.person_years[7]
    )
    assert compared["All parishes"] == pytest.approx(
        1e5 * counts.totals.sum() / counts.person_years.sum()
    )
    assert sum(float(str(n)) for n in answer.tables["town"].columns["expected"]) == pytest.approx(
        float(np.nansum(counts.expected[7]))
    )
    gap = town.question.tell(TABLE, FITTED, {"thing": "parish 0", "top": 0})
    assert "distinguishes" not in gap.tables
    assert any("was not counted in 3" in note for note in gap.notes)


def test_too_few_places_are_refused() -> None:
    with pytest.raises(NothingToAnswer, match="too few meteorites"):
        rates.fit_rates(parishes(4))


def test_a_digest_is_as_before_where_nothing_is_counted() -> None:
    bare = MemoryTable(np.eye(2), ["a", "b"], ["x", "y"], About("A square"))
    # As it was before there were counts.
    assert bare.about.said().keys() == {
        *("title", "thing", "things", "measure", "measures", "size", "label", "lang", "unit"),
        *("boundaries", "time"),
    }
    assert TABLE.digest != replace(TABLE, about=replace(ABOUT, count="")).digest
