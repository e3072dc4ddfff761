from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from followdata.data import Layer, MemoryTable, similar_to
from followdata.errors import InvalidInput, Refused, SourceError, Unreachable
from followdata.runs import Runs
from followdata.sources.client import Client, Provider
from followdata.sources.fetching import Fetching
from followdata.sources.kolada import KOLADA, fetch_year, read_files, unit_of
from followdata.sources.kolada.groups import similar_of
from followdata.store import Store
from followdata.testing.kolada import PretendKolada
from followdata.testing.providers import Fault, Faulty, Loopback, MemoryLog
from followdata.testing.workbooks import workbook

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUICK = Provider(
    **{name: getattr(KOLADA, name) for name in ("name", "url", "source", "licence", "citation")},
    pace=1e6,
)


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def fetch(
    handler: Callable[[httpx.Request], httpx.Response],
    log: MemoryLog | None = None,
    year: int = 2022,
) -> MemoryTable:
    transport = handler if isinstance(handler, Faulty) else httpx.MockTransport(handler)
    return fetch_year(Fetching(log or MemoryLog(), NOON, (), transport), year, QUICK)


# Units


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("Sjukfrånvaro totalt bland anställda, kommun, andel (%)", "%"),
        ("Soliditet inkl pensionsåtag. kommun, (%)", "%"),
        ("Skattesats till kommun (%)", "%"),
        ("Trygg utomhus i området där du bor när det är mörkt ute, andel(%)", "%"),
        ("Arbetslöshet bland inrikes födda 20-64 år, andel (%) av bef.", "%"),
        ("Befolkningsförändring under senaste femårsperioden, procent", "%"),
        ("Nettokostnad, revision, promille av total verksamhetskostnad", "‰"),
        ("Elever i åk 9, avvikelse från modellberäknat värde, procentenheter", "procentenheter"),
        ("Invånare totalt, antal", "antal"),
        ("Invånare 1-5 år, antal", "antal"),
        ("Brukarbedömning individ- och familjeomsorg totalt, antal svar", "antal"),
        ("Medborgarundersökningen - Antal svar", "antal"),
        ("Medelvårdtid som utskrivningsklar, antal dagar", "dagar"),
        ("Kostnad egentlig verksamhet, kr/inv", "kr/inv"),
        ("Kostnad äldreomsorg, kr/inv 80+", "kr/inv 80+"),
        ("Kostnad förskola, kr/inskrivet barn", "kr/inskrivet barn"),
        ("Utbetalt ekonomiskt bistånd per hushåll, kr/hushåll (-2023)", "kr/hushåll"),
        ("Kommunala kostnader, kr/inv (publiceras när N03138 har värde)", "kr/inv"),
        ("Företagskonkurser, antal/1000 inv, 16-64 år", "antal/1000 inv"),
        ("Personer med ledsagarservice, antal/ 10 000 inv", "antal/10 000 inv"),
        ("Bruttoregionprodukt, kommun (BRP), 1000 kr/invånare", "1000 kr/invånare"),
        ("Medellivslängd män, år", "år"),
        ("Lönesumma, dagbefolkning, mkr", "mkr"),
        ("Cykelväg i kommunen, kommunal, meter/inv", "meter/inv"),
        ("Vägsträcka, km", "km"),
        ("Landareal, kvadratkilometer", "kvadratkilometer"),
        ("Utsläpp till luft av växthusgaser totalt, ton CO2-ekv/inv", "ton CO2-ekv/inv"),
        ("Utsläpp till luft av PM2.5 (partiklar <2.5 mikrom), kg", "kg"),
        ("Slutanvändning av energi totalt, MWh/inv", "MWh/inv"),
        ("Solcellsanläggningar totalt, installerad effekt (MW)", "MW"),
        ("Bredbandskollen, genomsnittligt mätresultat, webb, Mbit/s", "Mbit/s"),
        ("Servicemätning - Tydligt svar från kommunen via e-post, index", "index"),
        ("Hälsa - Kommunindex", "index"),
        ("Företagsklimat Insikt - Totalt, Index, gammal definition (-2024)", "index"),
        # A code or a mean has no unit, and a number of years in the middle is none.
        ("Revisionsberättelse utan anmärkning, (Ja=1, Nej=0)", ""),
        ("Elever i åk 6, betygspoäng i matematik, 12-13 år, genomsnitt", ""),
        ("Demografisk försörjningskvot", ""),
        ("", ""),
    ],
)
def test_units_are_read_from_titles(title: str, unit: str) -> None:
    assert unit_of(title) == unit


@pytest.mark.shared
def test_nine_in_ten_real_titles_name_a_unit(shared: Path) -> None:
    import pandas as pd

    catalogue = pd.read_csv(shared / "data/kolada/kpi_metadata_v3.csv.gz", dtype=str)
    titles = catalogue[catalogue.municipality_type != "L"].title
    units = titles.map(unit_of)
    assert (units != "").mean() > 0.9
    # No title that says "(%)" is taken for anything else, unless a later part says otherwise.
    last = titles.str.contains(r"\(%\)(?: \(-\d{4}\))?$", regex=True)
    assert set(units[last]) == {"%"}


# Files


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


WIDE = (
    "municipality_id,municipality_name,N01951,N00090,U01234",
    "0198,Påhittstad,1000,8.25,",
    "2499,Sagolunda,500,NA,",
)
CATALOGUE = (
    "id,title,description,municipality_type,auspice,operating_area,perspective",
    'N01951,"Invånare totalt, antal",Antal.,K,X,Befolkning,Volymer',
    'N00090,"Sjukfrånvaro, andel (%)",Andel.,K,E,Personal,',
)


def test_a_wide_table_by_hand(tmp_path: Path) -> None:
    write(tmp_path / "kpi_wide_2022.csv", *WIDE)
    write(tmp_path / "catalogue.csv", *CATALOGUE)
    said: list[str] = []
    table = read_files([tmp_path], retrieved=NOON, notice=said.append)
    assert list(table.obs_names) == ["Påhittstad", "Sagolunda"]
    assert list(table.var_names) == ["N00090", "N01951"]
    np.testing.assert_array_equal(table.X, [[8.25, 1000], [np.nan, 500]])
    labels = {name: column.tolist() for name, column in (*table.obs.items(), *table.var.items())}
    assert labels == {
        "id": ["0198", "2499"],
        "county": ["Stockholms län", "Västerbottens län"],
        "title": ["Sjukfrånvaro, andel (%)", "Invånare totalt, antal"],
        "description": ["Andel.", "Antal."],
        "unit": ["%", "antal"],
        "theme": ["Personal", "Befolkning"],
        "perspective": ["", "Volymer"],
    }
    about = table.about
    assert about.title == "Swedish municipalities, Kolada 2022"
    assert (about.thing, about.things) == ("town", "towns")
    assert (about.measure, about.measures) == ("indicator", "indicators")
    assert (about.size, about.label, about.lang) == ("N01951", "county", "sv")
    provenance = table.provenance
    assert provenance.source == "Kolada (RKA), read from kpi_wide_2022.csv"
    assert provenance.retrieved == NOON.isoformat()
    assert provenance.citation == "Källa: Kolada"
    assert "may not be attributed to Kolada" in provenance.licence
    assert provenance.refused == ()
    assert said == ["1 of 3 indicators have no value for any town in 2022 and are left out."]


def test_rows_and_cells_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    path = write(
        tmp_path / "wide_2022.csv",
        *WIDE,
        "0198,Påhittstad,1001,9,9",
        "0000,Riket,10000000,5,",
        "9999,Atlantis,7,7,7",
        '1299,Provköping,"1 234",inf,1_000',
        '2599,Testinge,"8,5",3.5',
    )
    said: list[str] = []
    table = read_files([path], notice=said.append)
    assert list(table.obs_names) == ["Påhittstad", "Provköping", "Sagolunda"]
    np.testing.assert_array_equal(table.matrix(obs=["Påhittstad"]), [[8.25, 1000]])
    assert np.isnan(table.matrix(obs=["Provköping"])).all()
    assert table.provenance.refused == (
        "wide_2022.csv, row 4: Påhittstad (0198) has had a row before",
        "wide_2022.csv, row 5: “0000” (Riket) is not the code of a municipality",
        "wide_2022.csv, row 6: “9999” (Atlantis) is not the code of a municipality",
        "wide_2022.csv, row 7, column N01951: “1 234” is not a number",
        "wide_2022.csv, row 7, column N00090: “inf” is not a number",
        "wide_2022.csv, row 7, column U01234: “1_000” is not a number",
        "wide_2022.csv, row 8: has 4 cells for 5 columns",
    )
    assert said[-1].startswith("Refused, 7 in all; the first: wide_2022.csv, row 4")


def test_thousands_of_refusals_are_not_listed_one_by_one(tmp_path: Path) -> None:
    header = "municipality_id,kpi,value,period"
    long = [f"0198,N{number:05},{'x' if number % 2 else 1},2022" for number in range(500)]
    table = read_files([write(tmp_path / "long.csv", header, *long)])
    assert len(table.provenance.refused) == 101
    assert table.provenance.refused[-1] == "and more like these (150 times)"


def test_a_code_that_a_spreadsheet_has_shortened(tmp_path: Path) -> None:
    path = write(
        tmp_path / "wide_2022.csv", "municipality_id;municipality_name;N01951", "198;Påhittstad;7"
    )
    table = read_files([path])
    assert table.obs["id"].tolist() == ["0198"]


def test_the_year_asked_for_is_taken_from_a_folder(tmp_path: Path) -> None:
    for year in (2018, 2022):
        name = f"kpi_wide_{year}.csv"
        write(tmp_path / name, "municipality_id,municipality_name,N01951", f"0198,P,{year}")
    write(tmp_path / "notes.csv", "a,b", "1,2")
    (tmp_path / "latin.csv").write_bytes("kommun,värde\nUmeå,1\n".encode("latin-1"))
    assert read_files([tmp_path], 2018).X.tolist() == [[2018]]
    assert read_files([tmp_path]).X.tolist() == [[2022]]
    with pytest.raises(InvalidInput, match=r"no table for 2020\. There are: 2022 and 2018\."):
        read_files([tmp_path], 2020)


def test_a_year_that_no_name_tells_must_be_given(tmp_path: Path) -> None:
    path = write(tmp_path / "kommuner.csv", *WIDE)
    assert read_files([path], 2019).about.title.endswith("2019")
    with pytest.raises(InvalidInput, match="Give the year"):
        read_files([path])


def test_a_long_table_by_hand(tmp_path: Path) -> None:
    path = write(
        tmp_path / "values.csv",
        "kpi,municipality_id,period,value",
        "N01951,0198,2022,1000",
        "N01951,0198,2021,990",
        "N01951,2499,2022,500",
        "N01951,2499,2022,500",
        "N00090,0198,2022,8.25",
        "N00090,0198,2022,8.5",
        "N00090,0000,2022,7",
        "N01951,0000,2022,10000000",
        "total,0198,2022,1",
    )
    lists = write(
        tmp_path / "kommun_county.csv",
        "municipality_id,municipality_name,county_id",
        "0198,Påhittstad,24",
        "2499,Sagolunda,24",
        "2599,Testinge,25",
    )
    table = read_files([path, lists])
    assert list(table.obs_names) == ["Påhittstad", "Sagolunda"]
    assert table.obs["county"].tolist() == ["Västerbottens län"] * 2
    np.testing.assert_array_equal(table.X, [[8.25, 1000], [np.nan, 500]])
    assert table.provenance.refused == (
        "values.csv, row 7: N00090 of 0198 is 8.5 after 8.25",
        "values.csv: “0000” is not the code of a municipality (2 times)",
        "values.csv, row 10: “total” is not the identifier of a KPI",
    )
    assert read_files([path], 2021).X.tolist() == [[990]]


def test_without_lists_names_are_what_there_is(tmp_path: Path) -> None:
    header = "municipality_id,kpi,period,value"
    said: list[str] = []
    path = write(tmp_path / "values.csv", header, "2499,N01951,2022,5")
    table = read_files([path], notice=said.append)
    assert list(table.obs_names) == ["2499"]
    assert table.var["title"].tolist() == ["N01951"]
    assert table.obs["county"].tolist() == ["Västerbottens län"]
    assert said == ["There is no catalogue of KPIs, so they go by their identifiers."]


def test_towns_of_the_same_name_are_told_apart_by_code(tmp_path: Path) -> None:
    header = "municipality_id,municipality_name,N01951"
    path = write(tmp_path / "wide_2022.csv", header, "0198,Nystad,1", "2499,Nystad,2")
    assert list(read_files([path]).obs_names) == ["Nystad (0198)", "Nystad (2499)"]


def test_an_older_catalogue_fills_the_gaps_of_the_newest(tmp_path: Path) -> None:
    write(tmp_path / "wide_2022.csv", *WIDE[:1], "0198,Påhittstad,1,2,3")
    write(tmp_path / "z_new.csv", *CATALOGUE)
    write(
        tmp_path / "a_old.csv",
        "id,title,description,auspices,operating_area,perspective",
        "N01951,Gammal titel,,X,Bakgrund,Övrigt",
        r'U01234,"Utgånget mått, index","En rad.\nEn till.\n",X,Miljö,Övrigt',
    )
    table = read_files([tmp_path])
    titles = dict(zip(table.var_names, table.var["title"], strict=True))
    assert titles["N01951"] == "Invånare totalt, antal"
    assert titles["U01234"] == "Utgånget mått, index"
    assert table.var["description"].tolist()[-1] == "En rad. En till."


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"", "no table of Kolada's figures. Wanted is a CSV file"),
        ("a.csv", b"x,y\n1,2\n", "no table of Kolada's figures"),
        ("a_2022.csv", "\n".join(WIDE[:1]).encode(), "no number of 2022; every cell is empty"),
        ("a_2022.csv", b'municipality_id,N01951\n0198,"7,5"\n', "column N01951: “7,5” is not a"),
        (
            "a_2022.csv.gz",
            gzip.compress(b"municipality_id,N01951\n0198,1\n", mtime=0)[:-9],
            "cut short",
        ),
        ("a_2022.csv.gz", b"\x1f\x8bnot gzip at all", "cut short or damaged"),
        ("a_2022.csv", "municipality_id,N01951\n0198,å".encode("latin-1"), "not text in UTF-8"),
        ("a.xlsx", b"PK\x03\x04\xff\xfe\x00", "no spreadsheet that can be read"),
    ],
)
def test_what_is_not_a_table_says_so(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_files([path])
    assert problem in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_every_number_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float | None, float | None]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "wide_2022.csv"
    cells = [["" if number is None else repr(number) for number in row] for row in rows]
    lines = [f"01{90 + i},Town {i},1,{','.join(row)}" for i, row in enumerate(cells)]
    write(path, "municipality_id,municipality_name,N00001,N00002,N00003", *lines)
    table = read_files([path])
    written = np.array([[1, *row] for row in rows], dtype=np.float64)
    filled = ~np.isnan(written).all(axis=0)
    np.testing.assert_array_equal(table.X, written[:, filled])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_files([tmp_path / "none.csv"])


@pytest.mark.shared
@pytest.mark.parametrize("year", [2010, 2014, 2018, 2022])
def test_real_wide_files_are_read_exactly(shared: Path, year: int) -> None:
    import pandas as pd

    folder = shared / "data" / "kolada"
    said: list[str] = []
    table = read_files([folder], year, notice=said.append)
    frame = pd.read_csv(
        folder / f"kpi_wide_{year}.csv.gz",
        dtype={"municipality_id": str},
        float_precision="round_trip",
    ).sort_values("municipality_id")
    kpis = sorted(frame.columns[2:])
    assert list(table.var_names) == kpis
    assert list(table.obs_names) == frame.municipality_name.tolist()
    assert table.obs["id"].tolist() == frame.municipality_id.tolist()
    np.testing.assert_array_equal(table.X, frame[kpis].to_numpy(dtype=np.float64))
    # Kolada has revised some of what an export of 2020 says.
    (refused,) = table.provenance.refused
    assert re.search(r"stockholm_county\.xlsx: \d+ values that differ", refused)
    counties = pd.read_csv(folder / "kommun_county.csv", dtype=str).county_id.nunique()
    assert len(set(table.obs["county"])) == counties == 21
    # KPIs that the catalogue of API v3 has dropped have their titles from the older one.
    assert not any("without a title" in text for text in said)
    assert not set(table.var["title"]) & set(kpis)


@pytest.mark.shared
def test_a_real_long_file_agrees_with_pandas_and_with_the_wide_one(shared: Path) -> None:
    import pandas as pd

    folder = shared / "data" / "kolada"
    path = folder / "municipality_indicators_2014_long.csv.gz"
    table = read_files([path])
    frame = pd.read_csv(path, dtype={"municipality_id": str}, float_precision="round_trip")
    pivot = frame.pivot(index="municipality_id", columns="kpi", values="value")
    assert table.obs["id"].tolist() == pivot.index.tolist()
    assert list(table.var_names) == pivot.columns.tolist()
    np.testing.assert_array_equal(table.X, pivot.to_numpy())
    wide = read_files([folder], 2014)
    np.testing.assert_array_equal(table.matrix(var=wide.var_names), wide.X)


@pytest.mark.shared
def test_umea_by_hand(shared: Path) -> None:
    folder = shared / "data" / "kolada"
    table = read_files([folder / "kpi_wide_2022.csv.gz", folder / "kpi_metadata_v3.csv.gz"], 2022)
    with gzip.open(folder / "kpi_wide_2022.csv.gz", "rt", encoding="utf-8") as lines:
        header = next(lines).rstrip("\n").split(",")
        umea = next(line for line in lines if line.startswith("2480,")).rstrip("\n").split(",")
    population = float(umea[header.index("N01951")])
    assert table.matrix(obs=["Umeå"], var=["N01951"]).tolist() == [[population]]
    assert table.names("obs").find("2480") == "Umeå"
    assert table.names("obs").find("umea") == "Umeå"
    assert table.names("var").title("N01951") == "Invånare totalt, antal"
    assert table.labels("obs")["county"][table.names("obs").position("Umeå")] == "Västerbottens län"


# Other years, women and men


def test_other_years_and_parts_become_layers(tmp_path: Path) -> None:
    write(
        tmp_path / "wide_2022.csv",
        "municipality_id,municipality_name,N00001,N00002",
        "0198,Påhittstad,1,2", "0199,Exempelby,3,4",
    )  # fmt: skip
    write(tmp_path / "wide_2018.csv", "municipality_id,N00001,N00009", "0198,11,9", "0398,12,9")
    write(
        tmp_path / "series.csv",
        "kpi,municipality_id,period,value",
        "N00002,198,2020,20", "N00002,0199,2020,21", "N00002,0199,2022,4", "N00009,0199,2020,5",
        "N00002,0000,2020,7", "N00001,0198,2018,11", "N00001,0199,2018,x",
    )  # fmt: skip
    write(
        tmp_path / "gender.csv",
        "kpi,municipality_id,period,gender,value",
        "N00001,0198,2022,k,0.25", "N00001,0198,2022,m,0.75", "N00001,0198,2022,T,99",
        "N00001,0198,2020,K,0.5", "N00001,0198,2020,x,0.5", "N00001,0198,2019,T,8",
    )  # fmt: skip
    table = read_files([tmp_path], 2022)
    assert table.X.tolist() == [[1, 2], [3, 4]]
    nan = np.nan
    expected = {
        Layer("2018"): [[11, nan], [nan, nan]],
        Layer("2019"): [[8, nan], [nan, nan]],
        Layer("2020"): [[nan, 20], [nan, 21]],
        Layer("2020", "women"): [[0.5, nan], [nan, nan]],
        Layer("2022", "women"): [[0.25, nan], [nan, nan]],
        Layer("2022", "men"): [[0.75, nan], [nan, nan]],
    }
    assert set(table.layers) == set(expected)
    for layer, values in expected.items():
        np.testing.assert_array_equal(table.matrix(layer=layer), values)
    assert table.through("N00002")[0] == [Layer("2020")]
    assert table.provenance.refused == (
        "gender.csv, row 6: “x” is neither women nor men",
        "series.csv, row 8: “x” is not a number",
    )


EXPORT: list[list[object]] = [
    [None, "Kommun", "2019", "2020"],
    [None, "Stockholms läns kommuner (ovägt medel)", 2.5, None],
    ["Ålder, antal", "Botkyrka", 1, None],
    ["Ålder, antal", "Salem", 4, 3.5],
    ["Ålder, antal", "Stockholms läns kommuner (ovägt medel)", 50, None],
    ["Skatt (-2019)", "Botkyrka", 40, None],
    ["Skatt (-2019)", "Atlantis", 60, None],
    ["Skatt (-2019)", None, None, None],
]


def test_an_export_of_the_web_site_by_hand(tmp_path: Path) -> None:
    path = workbook(tmp_path / "Kommuner.xlsx", ("Blad1", [["x"], [1]]), ("Kolada", EXPORT))
    table = read_files([path], 2019)
    assert list(table.obs_names) == ["Botkyrka", "Salem"]
    assert table.obs["id"].tolist() == ["0127", "0128"]
    assert list(table.var_names) == ["Skatt (-2019)", "Ålder, antal"]
    np.testing.assert_array_equal(table.X, [[40, 1], [np.nan, 4]])
    np.testing.assert_array_equal(
        table.matrix(layer=Layer("2020")), [[np.nan, np.nan], [np.nan, 3.5]]
    )
    assert table.provenance.refused == (
        "Kommuner.xlsx: “Atlantis” is not the name of a municipality",
    )
    assert read_files([path]).about.time == "2020"  # the newest with a value
    with pytest.raises(InvalidInput, match="There are: 2020 and 2019"):
        read_files([path], 2022)


def test_an_export_beside_a_catalogue_and_other_tables(tmp_path: Path) -> None:
    workbook(tmp_path / "Kommuner.xlsx", ("Kolada", EXPORT))
    catalogue = ['N00001,"Ålder, antal",', "N00002,Skatt,"]
    write(tmp_path / "kpi.csv", "id,title,operating_area", *catalogue)
    table = read_files([tmp_path], 2019)
    assert list(table.var_names) == ["N00001", "N00002"]
    write(tmp_path / "wide_2022.csv", "municipality_id,N00001", "0127,7", "0128,8")
    write(tmp_path / "long.csv", "kpi,municipality_id,period,value", "N00001,0128,2020,3.25")
    table = read_files([tmp_path], 2022)
    np.testing.assert_array_equal(table.matrix(layer=Layer("2019")), [[1], [4]])
    np.testing.assert_array_equal(table.matrix(layer=Layer("2020")), [[np.nan], [3.25]])
    assert "Kommuner.xlsx: 1 values that differ from those of the other files" in (
        table.provenance.refused
    )


def test_a_spreadsheet_that_is_no_export_is_passed_over(tmp_path: Path) -> None:
    said: list[str] = []
    path = workbook(tmp_path / "mine.xlsx", ("Blad1", [["Kommun", 2019], ["Salem", 1]]))
    with pytest.raises(InvalidInput, match="no table of Kolada's figures"):
        read_files([path], notice=said.append)
    assert said == ["Passed over: mine.xlsx has not the columns of a table of Kolada's."]


@pytest.mark.shared
def test_a_real_export(shared: Path) -> None:

    folder = shared / "data" / "kolada"
    path = folder / "kolada_web_export_stockholm_county.xlsx"
    table = read_files([path, folder / "kpi_metadata_v3.csv.gz"], 2018)
    assert len(table.obs_names) == 26
    assert set(table.obs["county"]) == {"Stockholms län"}
    # The dump of other hands has the same values, but for figures that were revised since.
    dump = read_files([folder / "kpi_wide_2018.csv.gz"])
    kpis = [kpi for kpi in table.var_names if kpi in dump.var_names]
    assert len(kpis) >= 5
    ours, theirs = table.matrix(var=kpis), dump.matrix(obs=table.obs_names, var=kpis)
    same = [np.allclose(a, b, rtol=1e-6) for a, b in zip(ours.T, theirs.T, strict=True)]
    assert sum(same) >= 0.5 * len(kpis)


@pytest.mark.shared
def test_real_series_and_parts_agree_with_pandas(shared: Path) -> None:
    import pandas as pd

    folder = shared / "data" / "kolada"
    files = ("kpi_wide_2022", "kpi_series_long", "kpi_gender_long")
    table = read_files([folder / f"{name}.csv.gz" for name in files], 2022)
    assert table.provenance.refused == ()
    codes = table.obs["id"].tolist()
    dtype = {"municipality_id": str}
    series = pd.read_csv(folder / "kpi_series_long.csv.gz", dtype=dtype)
    gender = pd.read_csv(folder / "kpi_gender_long.csv.gz", dtype=dtype)
    for layer, part in ((Layer("2005"), series), (Layer("2005", "women"), gender)):
        if layer.part:
            part = part[part.gender == "k"]
        part = part[part.period == 2005].pivot(
            index="municipality_id", columns="kpi", values="value"
        )
        kpis = [kpi for kpi in part.columns if kpi in table.var_names]
        assert len(kpis) >= 10
        found = table.matrix(var=kpis, layer=layer)
        np.testing.assert_allclose(found, part.reindex(codes)[kpis].to_numpy(), rtol=1e-12)
    assert {layer.part for layer in table.layers} == {"", "women", "men"}
    assert min(layer.time for layer in table.layers) == "1994"


# The API


def expected(kolada: PretendKolada, year: int = 2022) -> dict[tuple[str, str], float]:
    towns = {place["id"] for place in kolada.places if place["type"] == "K"}
    return {
        (kpi, town): value
        for (kpi, town, at), value in kolada.values.items()
        if at == year and town in towns and value is not None
    }


def held(table: MemoryTable) -> dict[tuple[str, str], float]:
    return {
        (kpi, code): float(table.X[i, j])
        for i, code in enumerate(table.obs["id"].tolist())
        for j, kpi in enumerate(table.var_names)
        if not np.isnan(table.X[i, j])
    }


def test_a_year_from_the_api() -> None:
    kolada, log = PretendKolada.small(page=40), MemoryLog()
    network = Faulty(kolada)
    table = fetch(network, log)
    assert held(table) == expected(kolada)
    assert list(table.obs_names) == [
        "Påhittstad", "Exempelby", "Ödeby", "Provköping", "Låtsasvik", "Sagolunda", "Testinge"
    ]  # fmt: skip
    assert len(table.var_names) == 57  # not the one for regions, nor the two without values
    assert table.about.size == "N01951"
    assert table.var["unit"].tolist()[:2] == ["antal", "kr/inv"]
    assert table.var["theme"][0] == "Befolkning"
    assert table.var["perspective"][table.var_names.index("N10003")] == ""
    assert table.provenance.refused == ()
    assert table.provenance.source == "Kolada (RKA)"
    assert table.provenance.url == "https://api.kolada.se/v3/"
    assert table.provenance.retrieved == NOON.isoformat()
    # Each page once, and no more than 25 identifiers in one part of an address.
    assert len(set(network.asked)) == len(network.asked) > 10
    assert all(url.count(",") < 25 for url in network.asked)
    assert [(event["done"], event["total"]) for event in log.said("progress")] == [
        (0, 59), (25, 59), (50, 59), (59, 59)
    ]  # fmt: skip
    assert [event["text"] for event in log.said("notice")] == [
        "2 of 59 indicators have no value for any town in 2022 and are left out."
    ]
    assert set(table.layers) == {Layer("2022", "women"), Layer("2022", "men")}
    np.testing.assert_array_equal(table.matrix(layer=Layer("2022", "men")), table.X - 1)
    np.testing.assert_array_equal(table.matrix(layer=Layer("2022", "women")), -table.X)


def test_other_years_from_the_api() -> None:
    small = PretendKolada.small()
    values = dict(small.values)
    for (kpi, place, _), value in small.values.items():
        for year in range(1995, 2022):
            values[kpi, place, year] = None if value is None else value + year
    kolada = replace(small, values=values, page=500)
    network = Faulty(kolada)
    fetching = Fetching(MemoryLog(), NOON, (), network)
    table = fetch_year(fetching, 2022, QUICK, since=1993)
    assert held(table) == expected(kolada)
    times = {layer.time for layer in table.layers if not layer.part}
    assert times == {str(year) for year in range(1995, 2022)}
    np.testing.assert_allclose(table.matrix(layer=Layer("2001")), table.X + 2001)
    np.testing.assert_allclose(table.matrix(layer=Layer("2001", "men")), table.X + 2000)
    assert table.provenance.refused == ()
    # No more than 25 years in one part of an address either.
    assert all(part.count(",") < 25 for url in network.asked for part in url.split("/"))


def test_files_and_the_api_give_the_same_data(tmp_path: Path) -> None:
    kolada = PretendKolada.small()
    fetched = fetch(kolada)
    kpis = sorted({kpi for kpi, _ in expected(kolada)})
    towns = [place for place in kolada.places if place["type"] == "K"]
    rows = [
        ",".join(
            [t["id"], t["title"], *(repr(expected(kolada).get((k, t["id"]), "")) for k in kpis)]
        )
        for t in towns
    ]
    header = ",".join(["municipality_id", "municipality_name", *kpis])
    write(tmp_path / "wide_2022.csv", header, *(row.replace("''", "") for row in rows))
    catalogue = [
        f'{entry["id"]},"{entry["title"]}","{entry["description"]}",{entry["operating_area"]},'
        f"{entry['perspective'] or ''}"
        for entry in kolada.indicators
    ]
    write(tmp_path / "kpi.csv", "id,title,description,operating_area,perspective", *catalogue)
    apart = [
        f"{kpi},{town},2022,{gender},{number!r}"
        for (kpi, town), value in expected(kolada).items()
        for gender, number in (("k", -value), ("m", value - 1))
    ]
    write(tmp_path / "gender.csv", "kpi,municipality_id,period,gender,value", *apart)
    groups = json.dumps(kolada.groups, ensure_ascii=False)
    (tmp_path / "municipality_groups.json").write_text(groups, encoding="utf-8")
    read = read_files([tmp_path])
    assert set(read.layers) == {Layer("2022", "women"), Layer("2022", "men")}
    assert read.digest == fetched.digest


faults = st.sampled_from(["busy", "error", "not-json", "cut-short", "dropped", "gone"])


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.integers(1, 60), faults, max_size=40).filter(
        # One request is made at most 5 times.
        lambda plan: not any(all(n + k in plan for k in range(5)) for n in plan)
    ),
    st.integers(30, 500),
)
def test_faults_lose_nothing_and_double_nothing(plan: Mapping[int, Fault], page: int) -> None:
    kolada = PretendKolada.small(page=page)
    network = Faulty(kolada, plan, retry_after="0")
    table = fetch(network)
    assert held(table) == expected(kolada)
    assert table.digest == fetch(kolada).digest
    assert table.provenance.refused == ()


@pytest.mark.parametrize("died_after", range(1, 7))
def test_an_interrupted_fetch_goes_on_where_it_stopped(died_after: int) -> None:
    kolada, log = PretendKolada.small(page=120), MemoryLog()
    whole = Faulty(kolada)
    table = fetch(whole)
    first = Faulty(kolada, lambda n: "gone" if n > died_after else "")
    with pytest.raises(Unreachable, match="fetch again to go on"):
        fetch(first, log)
    answered = first.asked[:died_after]
    assert len(log.pieces) == died_after
    second = Faulty(kolada)
    assert fetch(second, log).digest == table.digest
    assert answered + second.asked == whole.asked


def test_a_next_page_that_was_read_before_ends_the_list_and_is_told() -> None:
    kolada, log = PretendKolada.small(), MemoryLog()
    looping = PretendKolada.small(page=60, repeats="data/kpi/N01951")
    table = fetch(looping, log)
    values, truth = held(table), expected(kolada)
    assert 0 < len(values) < len(truth)
    assert values.items() <= truth.items()
    assert "reading ended there" in log.said("notice")[0]["text"]
    assert len(table.provenance.refused) == 1
    assert "page 2" in table.provenance.refused[0]


def test_two_values_for_the_same_thing() -> None:
    kolada = PretendKolada.small()

    def doubling(request: httpx.Request) -> httpx.Response:
        reply = json.loads(kolada(request).content)
        if "/data/" in str(request.url):
            again = [dict(item) for item in reply["values"]]
            for item in again:
                if (item["kpi"], item["municipality"]) == ("N10004", "0198"):
                    item["values"] = [{"gender": "T", "value": 77, "isdeleted": False}]
            reply["values"] += again
        return httpx.Response(200, json=reply)

    table = fetch(doubling)
    assert held(table) == expected(kolada)
    assert table.provenance.refused == ("API: N10004 of Påhittstad is 77.0 after 5.35",)


def item(**changed: Any) -> dict[str, Any]:
    entry = {"gender": "T", "count": 1, "status": "", "value": 5.5, "isdeleted": False}
    whole = {"kpi": "N10005", "municipality": "0198", "period": 2022, "values": [entry]}
    inner = {key: value for key, value in changed.items() if key in entry}
    return (
        whole
        | {"values": [entry | inner]}
        | {key: value for key, value in changed.items() if key not in entry}
    )


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (item(period="2022"), None),
        (item(value=5), None),
        (item(value="5.5"), "N10005 of Påhittstad: “5.5” is not a number"),
        (item(value=True), "N10005 of Påhittstad: “True” is not a number"),
        (item(period=2021), "N10005 of Påhittstad in 2021: was not asked for"),
        (item(kpi="N99999"), "N99999 of Påhittstad in 2022: was not asked for"),
        (item(values=None), "N10005 of Påhittstad: has no list of values"),
        (item(values=[3]), "N10005 of Påhittstad: has no list of values"),
    ],
)
def test_entries_that_are_not_as_they_should_be(given: Any, refused: str | None) -> None:
    kolada = PretendKolada.small()

    def odd(request: httpx.Request) -> httpx.Response:
        if "/data/" in str(request.url):
            first = [
                given,
                item(kpi="N01951", value=1),
                item(municipality="0000"),
                item(value=None),
            ]
            values = [*first, item(gender="M", value=9), item(isdeleted=True, value=9)]
            return httpx.Response(200, json={"values": values, "next_url": ""})
        return kolada(request)

    table = fetch(odd)
    town = table.matrix(obs=["Påhittstad"]).tolist()
    if refused is None:
        assert town == [[1.0, given["values"][0]["value"]]]
        assert not table.provenance.refused
    else:
        assert town == [[1.0]]
        # The same reply comes to each of the three requests for values.
        assert any(reason.startswith(refused) for reason in table.provenance.refused)


@pytest.mark.parametrize("reply", [[], {}, {"values": None}, {"values": {}}, "text", 7])
def test_a_reply_of_another_form_is_named(reply: Any) -> None:
    with pytest.raises(InvalidInput, match="values") as caught:
        fetch(lambda request: httpx.Response(200, json=reply))
    assert "https://api.kolada.se/v3/kpi, $" in str(caught.value)


def test_entries_of_the_catalogue_that_are_none() -> None:
    kolada = PretendKolada.small()

    def odd(request: httpx.Request) -> httpx.Response:
        reply = json.loads(kolada(request).content)
        if request.url.path == "/v3/kpi":
            reply["values"] += [7, {"id": "../secret", "title": "?"}, {"title": "no id"}]
        return httpx.Response(200, json=reply)

    table = fetch(odd)
    assert held(table) == expected(kolada)
    assert table.provenance.refused == (
        "kpi: “7” is not an entry",
        "catalogue: “../secret” is not the identifier of a KPI",
        "catalogue: “None” is not the identifier of a KPI",
    )


def test_no_values_under_an_address_is_no_error() -> None:
    kolada = PretendKolada.small()

    def absent(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if "/data/kpi/N10025" in str(request.url) else kolada(request)

    table = fetch(absent)
    assert held(table).items() <= expected(kolada).items()
    with pytest.raises(Refused, match="404"):
        fetch(lambda request: httpx.Response(404))


def test_a_year_without_values_is_refused() -> None:
    with pytest.raises(Refused, match=r"Kolada has no values for 1999\. Try another year\."):
        fetch(PretendKolada.small(), year=1999)


def test_a_next_page_elsewhere_is_not_asked_for() -> None:
    def leading(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"values": [], "next_url": "https://evil.test/v3/kpi?page=2"}
        )

    network = Faulty(leading)
    with pytest.raises(Refused, match=r"evil\.test, which is not its own host"):
        fetch(network)
    assert len(network.asked) == 1


def test_the_pretended_kolada_keeps_to_the_api() -> None:
    kolada = PretendKolada.small(page=5)
    with Client(QUICK, MemoryLog(), httpx.MockTransport(kolada)) as client:
        page = client.json("municipality")
        assert (page["count"], page["previous_url"]) == (5, None)
        assert page["next_url"] == "https://api.kolada.se/v3/municipality?page=2&per_page=5"
        last = client.json(page["next_url"])
        assert (last["count"], last["next_url"]) == (4, None)
        assert client.json("kpi/N00000") == {
            "values": [], "count": 0, "previous_url": None, "next_url": None
        }  # fmt: skip
        assert client.json("data/municipality/0198/year/2022")["count"] == 5
        for wrong in ("data/kpi/N01951", "nothing"):
            with pytest.raises(Refused, match="404"):
                client.json(wrong)
        with pytest.raises(Refused, match="400"):
            client.json("kpi/" + ",".join(["N01951"] * 26))


# Real processes


FETCH = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from followdata.runs import Runs
from followdata.sources.fetching import Fetching
from followdata.sources.kolada import KOLADA, fetch_year
from followdata.store import Store

home, url, pace = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
with Runs(Store(home)).start("fetch-towns", "Fetch towns") as journal:
    fetching = Fetching(journal, datetime(2026, 11, 22, 12, tzinfo=UTC), cache=home / "http")
    table = fetch_year(fetching, 2022, replace(KOLADA, url=url + "v3/", pace=pace))
    print(table.digest)
"""


def start(home: Path, url: str, pace: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(home), url, str(pace)], stdout=subprocess.PIPE, text=True
    )


def test_a_fetch_that_is_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path))
    asked: list[str] = []
    answer: Callable[[httpx.Request], httpx.Response] = PretendKolada.small()

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer(request)

    with Loopback(answering) as place:
        kolada = PretendKolada.small(kpis=200, page=100, base=f"{place.url}v3/")
        answer = kolada
        killed = start(tmp_path, place.url, pace=10)
        with killed:
            for _ in range(600):
                if len(asked) >= 8:
                    break
                time.sleep(0.05)
            os.kill(killed.pid, signal.SIGKILL)
        assert killed.returncode == -signal.SIGKILL
        time.sleep(0.2)  # what was on its way arrives
        before = list(asked)
        run = runs.get("fetch-towns")
        assert run.state == "interrupted"
        left = run.progress()
        assert left is not None
        assert 0 <= left["done"] < left["total"] == 199
        pieces = len(list((run.folder / "pieces").iterdir()))
        assert len(before) - 1 <= pieces <= len(before)

        with start(tmp_path, place.url, pace=1000) as second:
            digest = second.communicate(timeout=60)[0].strip()
        assert second.returncode == 0
        after = asked[len(before) :]
        # What had come is not asked for again; what was on its way may be.
        assert set(before[:pieces]) & set(after) == set()
        assert len(set(after)) == len(after)
        assert runs.get("fetch-towns").state == "done"
        done = run.progress()
        assert done is not None
        assert done["done"] == done["total"] == 199
        kinds = [event["kind"] for event in run.events()]
        assert kinds.count("started") == kinds.count("resumed") == 1

    in_memory = PretendKolada.small(kpis=200)
    assert digest == fetch(in_memory).digest


def test_every_source_error_is_of_the_family() -> None:
    for fault in ("error", "gone"):
        with pytest.raises(SourceError):
            fetch(Faulty(PretendKolada.small(), lambda n, fault=fault: fault))  # type: ignore[misc]


# The real API


def missing_fields(real: Mapping[str, Any], pretended: Mapping[str, Any], place: str) -> list[str]:
    """The fields that are read and that the real API no longer has, each with its place."""
    gone = [f"{place}.{name}" for name in pretended if name not in real]
    for name, value in pretended.items():
        if isinstance(value, list) and value and real.get(name):
            gone += missing_fields(real[name][0], value[0], f"{place}.{name}[0]")
    return gone


ADDRESSES = ("kpi", "municipality", "data/kpi/N01951/municipality/{town}/year/2022")


def test_a_field_that_is_gone_is_named() -> None:
    kolada = PretendKolada.small()
    with Client(QUICK, MemoryLog(), httpx.MockTransport(kolada)) as client:
        reply = client.json(ADDRESSES[2].format(town="0198"))
    assert missing_fields(reply, reply, "$") == []
    changed = json.loads(json.dumps(reply).replace('"gender"', '"sex"'))
    assert missing_fields(changed, reply, "$") == ["$.values[0].values[0].gender"]


@pytest.mark.live
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_real_api_has_every_field_that_is_read(address: str) -> None:
    pretended = httpx.MockTransport(PretendKolada.small())
    with Client(KOLADA, MemoryLog()) as real, Client(QUICK, MemoryLog(), pretended) as ours:
        replies = real.json(address.format(town="2480")), ours.json(address.format(town="0198"))
    assert missing_fields(*replies, address) == []


# Groups of similar municipalities


def test_koladas_own_similar_municipalities_are_those_of_the_newest_year() -> None:
    data = fetch(PretendKolada.small())
    names = list(data.obs_names)
    # Codes put them in another order than the list of places, in which they go backwards.
    similar = similar_to(data, names.index("Exempelby"))
    assert similar == {"grundskola, 2024": ["Påhittstad", "Ödeby"]}


def test_groups_of_other_kinds_and_forms_are_passed_over() -> None:
    groups: list[object] = [
        {"id": "G1", "title": "Stor-Malmö (ovägt medel)", "members": [{"member_id": "1280"}]},
        {"id": "G2", "title": "Liknande regioner socioekonomi, Region Skåne, 2024", "members": []},
        {"id": "G3", "title": "Liknande kommuner, övergripande, Lund, 2025",
         "members": [{"member_id": "2480", "member_title": "Umeå"}, {"id": "0380"}, "?"]},
        {"id": "G4", "title": "Liknande kommuner LSS, Lund, 2025", "members": None},
        {"id": "G5"}, None, "text",
    ]  # fmt: skip
    assert similar_of(groups) == {("övergripande", "2025"): {"Lund": ["2480", "0380"]}}


def test_groups_that_cannot_be_read_are_told_and_passed_over(tmp_path: Path) -> None:
    header = "municipality_id,municipality_name,N01951"
    write(tmp_path / "wide_2022.csv", header, "1281,Lund,1", "2480,Umeå,2")
    (tmp_path / "groups.json").write_text("[", encoding="utf-8")
    (tmp_path / "groups2.json").write_text('{"values": 3}', encoding="utf-8")
    (tmp_path / "groups3.json.gz").write_bytes(b"\x1f\x8bno")
    notices: list[str] = []
    assert similar_to(read_files([tmp_path], notice=notices.append), 0) == {}
    assert sum("Passed over" in notice for notice in notices) == 3
    group = {"title": "Liknande kommuner LSS, Lund, 2025", "members": [{"member_id": "2480"}]}
    (tmp_path / "groups.json").write_text(json.dumps([group]), encoding="utf-8")
    assert similar_to(read_files([tmp_path]), 0) == {"LSS, 2025": ["Umeå"]}
    assert similar_to(read_files([tmp_path]), 1) == {}


@pytest.mark.shared
def test_real_groups(shared: Path) -> None:
    similar = similar_of(
        json.loads(
            gzip.decompress(
                (shared / "data" / "kolada" / "municipality_groups_v3.json.gz").read_bytes()
            )
        )
    )
    assert len(similar) == 12
    assert {len(lists) for lists in similar.values()} <= {289, 290, 311}
    assert "0680" in similar["övergripande", "2025"]["Umeå"]  # Jönköping
