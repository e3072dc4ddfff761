"""The story from its sources to its sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import stamina

from followdata.core import seasons
from followdata.desk import Desk, Opened
from followdata.errors import (
    InvalidInput,
    InvalidParameter,
    NotFetched,
    UnknownName,
    Unreachable,
)
from followdata.questions.thermometer import REFUSED, fit_climate
from followdata.registry import Registry
from followdata.sources import bolin, client
from followdata.store import Store
from followdata.stories.weather import data as weather
from followdata.testing.providers import Fault, Faulty
from followdata.testing.smhi import PretendSMHI

FILE = "data/smhi/stockholm_daily_mean_temperature.csv.gz"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(client._Pace, "wait", lambda pace: None)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def clemson(desk: Desk) -> Opened:
    return desk.open("weather")


@pytest.fixture(scope="module")
def stockholm(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    store = Store(tmp_path_factory.mktemp("stockholm"))
    desk = Desk(Registry.installed(), store, clock=lambda: NOON, transport=Faulty(_no, {}))
    desk.fetch("weather", paths=[shared / FILE, shared / "data/smhi/bolin_raw"])
    return desk.open("weather")


def _no(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network in tests", request=request)


def on(desk: Desk, network: httpx.BaseTransport) -> Desk:
    """The desk with a network of its own."""
    return replace(desk, transport=network)


def said(opened: Opened, question: str = "now", **given: Any) -> str:
    return opened.ask(question, **given).sentence.replace("\xa0", " ")


# The sample


def test_the_sample_is_what_it_says() -> None:
    sample = weather.sample()
    assert len(sample.values) == 33_148
    assert sample.about.title == "Clemson, South Carolina, daily means 1930–2020"
    assert sample.provenance.sample == "Clemson, South Carolina, standing in for Stockholm"
    # 1930-01-01: 28.94 and 66.92 °F.
    assert sample.values[0] == pytest.approx((28.94 - 32 + 66.92 - 32) / 2 * 5 / 9, abs=0.005)


def test_the_slip_of_the_sample_is_refused_and_nothing_else() -> None:
    sample = weather.sample()
    refused = sample.flags == REFUSED
    assert sample.times[refused].astype(str).tolist() == ["1936-07-18"]
    assert np.isnan(sample.values[refused]).all()
    assert sample.provenance.refused == (f"1936-07-18: -12.25 °C, {REFUSED}",)
    assert (sample.flags == "without a lowest or a highest temperature").sum() == 22
    assert np.isnan(sample.values).sum() == 23


def test_it_answers_at_once(clemson: Opened) -> None:
    answer = clemson.ask("now")
    assert answer.params == {
        "station": "Clemson",
        "at": "2020-12-31",
        "temperature": 6.65,
        "asked": None,
    }
    assert answer.data == "sample"
    assert "Clemson: 31 December 2020" in answer.sentence


def test_a_temperature_is_meant_for_now(clemson: Opened) -> None:
    answer = clemson.ask("now", temperature="-3,5")
    # Noon in UTC is seven in the morning in South Carolina.
    assert answer.params["at"] == "2026-11-22T07:00"
    assert answer.params["temperature"] == -3.5
    assert "colder" in answer.sentence
    assert "of the daily means" in answer.sentence or "daily means around" in answer.sentence
    assert any("the record has no hours" in note for note in answer.notes)


def test_every_question_answers_from_the_sample(clemson: Opened) -> None:
    for question in clemson.story.question_names:
        assert clemson.ask(question).notes
    assert clemson.ask("typical").params["date"] == "2026-11-22"


def test_the_day_of_the_slip_has_no_temperature(clemson: Opened) -> None:
    with pytest.raises(InvalidParameter, match="no value for 1936-07-18"):
        clemson.ask("now", at="1936-07-18")
    with pytest.raises(InvalidParameter, match="is not a date"):
        clemson.ask("now", at="yesterday")


# Files


def test_files_that_are_not_there(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        desk.fetch("weather", paths=[tmp_path / "a.csv"])
    (tmp_path / "README.txt").write_text("not this one")
    with pytest.raises(InvalidParameter, match="no file of temperatures"):
        desk.fetch("weather", paths=[tmp_path])


def test_stockholm_is_stored_by_variant(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "stockholm_daily_mean_temperature.csv"
    days = np.arange("1990-01-01", "2010-01-01", dtype="datetime64[D]").astype(str)
    rows = [f"{day},{i % 20 - 5}.0,{i % 20 - 5}.1,{i % 20 - 5}.2,1" for i, day in enumerate(days)]
    rows[3000] = f"{days[3000]},850.0,850.0,850.0,1"
    path.write_text("\n".join(["date,raw,homo,adjust,site", *rows]))
    for variant in ("raw", "homogenised"):
        dataset = desk.fetch("weather", {"variant": variant}, paths=[tmp_path])
        assert dataset.name == f"stockholm-{variant}"
    assert dataset.provenance.refused == (f"{days[3000]}: 850 °C, {REFUSED}",)
    opened = desk.open("weather", "stockholm-raw")
    assert opened.ask("now", at="2005-06-07").params["temperature"] == opened.data.values[5636]  # type: ignore[attr-defined]
    # The trend is that of the adjusted means, whatever the others are.
    assert "adjusted daily means" in " ".join(opened.ask("trend").notes)


def test_a_place_outside_sweden_from_a_plain_file(desk: Desk, tmp_path: Path) -> None:
    hours = np.arange("1980-01-01T00", "2020-01-01T00", 3, dtype="datetime64[h]")
    day = hours.astype(np.int64) / 24
    random = np.random.default_rng(1)
    weather_of = np.repeat(random.normal(scale=4, size=len(hours) // 8 + 1), 8)[: len(hours)]
    celsius = 12 - 12 * np.cos(2 * np.pi * day / 365.2425) + 4 * np.sin(2 * np.pi * (day - 0.4))
    rows = [f"{t},{9 / 5 * c + 32:.1f}" for t, c in zip(hours, celsius + weather_of, strict=True)]
    path = tmp_path / "New York.csv"
    path.write_text("\n".join(["time,temp (F)", *rows]))
    assert desk.fetch("weather", paths=[path]).name == "new-york"
    opened = desk.open("weather")
    evening = opened.ask("now", temperature=-20, at="2019-07-15T18:30")
    assert "of the evenings" in evening.sentence or "evenings around" in evening.sentence
    assert evening.tables["now"].columns["since"][0] == "1980"
    assert any("measured at 18:00," in note for note in evening.notes)  # its own clocks
    night = opened.ask("now", temperature=-20, at="2019-07-15T22:30")
    assert "daily means around 15 July" in night.sentence


def test_several_stations_from_files(desk: Desk, tmp_path: Path) -> None:
    pretend = PretendSMHI.small(NOON)
    for number in ("9002", "9003"):
        url = f"https://x.test/api/version/1.0/parameter/1/station/{number}"
        reply = pretend(httpx.Request("GET", f"{url}/period/corrected-archive/data.csv"))
        (tmp_path / f"smhi-opendata_1_{number}.csv").write_bytes(reply.content)
    desk.fetch("weather", paths=[tmp_path])
    opened = desk.open("weather")
    assert opened.dataset.name == "exempelby-låtsasfjäll"
    assert opened.data.names("station").names == ("Exempelby", "Låtsasfjäll")
    for words in ("9003", "latsasfjall", "Låtsas"):
        assert said(opened, station=words, at="2020-02-02").startswith("Låtsasfjäll: ")
    with pytest.raises(NotFetched, match='fetch weather --station "Stockholm"'):
        opened.ask("now", station="Stockholm")
    with pytest.raises(UnknownName, match="Did you mean “Exempelby”"):
        opened.ask("now", station="Exampleby")
    # Two a day at the one, three at the other: neither has lost its days.
    for name in opened.data.names("station").names:
        climate = fit_climate(opened.data, station=name)  # type: ignore[arg-type]
        assert sum(climate.missing.values()) <= 2
    table = opened.ask("stations", at="2020-02-02T13:00").tables["stations"]
    assert {str(name) for name in table.columns["station"]} == {"Exempelby", "Låtsasfjäll"}
    compared = dict(zip(table.columns["station"], table.columns["compared"], strict=True))
    assert str(compared["Exempelby"]).startswith("middays")
    assert str(compared["Låtsasfjäll"]).startswith("daily means")


# SMHI


def test_a_station_is_fetched_and_asked_for_its_latest_observation(desk: Desk) -> None:
    pretend = PretendSMHI.small(NOON)
    desk = on(desk, httpx.MockTransport(pretend))
    dataset = desk.fetch("weather", {"station": "exempelby"})
    assert dataset.name == "exempelby"
    answer = desk.open("weather").ask("now")
    assert answer.params == {
        "station": "Exempelby",
        "temperature": pretend.stations[2].value(NOON),
        "at": "2026-11-22T13:00",  # by Swedish clocks
        "asked": "2026-11-22T13:00",
    }
    references = answer.tables["now"].columns["reference"]
    assert references == ("today", "all-years", "daily-mean-today", "daily-mean")
    assert "at 13:00 is" in answer.sentence
    assert "middays" in answer.sentence
    assert "today's climate" in answer.sentence
    assert any("12:00 UTC (13:00 by the clocks there)" in note for note in answer.notes)
    assert any("at an earlier site" in note for note in answer.notes)


def test_a_newer_observation_is_used_and_nothing_is_fetched_again(desk: Desk) -> None:
    on(desk, httpx.MockTransport(PretendSMHI.small(NOON))).fetch(
        "weather", {"station": "Exempelby"}
    )
    evening = NOON + timedelta(hours=6, minutes=20)
    pretend = PretendSMHI.small(evening)
    later = replace(desk, clock=lambda: evening, transport=httpx.MockTransport(pretend))
    answer = later.open("weather").ask("now")
    assert answer.params["at"] == "2026-11-22T19:00"
    assert answer.params["temperature"] == pretend.stations[2].value(evening.replace(minute=0))
    assert "evenings" in answer.sentence


def test_a_stale_observation_is_named_as_stale(desk: Desk) -> None:
    on(desk, httpx.MockTransport(PretendSMHI.small(NOON))).fetch(
        "weather", {"station": "Exempelby"}
    )
    asleep = PretendSMHI.small(NOON + timedelta(hours=7), asleep={"9002": timedelta(hours=7)})
    later = replace(
        desk,
        clock=lambda: NOON + timedelta(hours=7, minutes=10),
        transport=httpx.MockTransport(asleep),
    )
    answer = later.open("weather").ask("now")
    told = answer.sentence.replace("\xa0", " ")
    assert "at 13:00 (the last that was measured, 7 hours ago) is" in told
    assert any("stale" in note for note in answer.notes)


@pytest.mark.parametrize("fault", ["gone", "error", "cut-short", "not-json"])
def test_without_an_answer_the_last_of_the_record_is_named_as_old(desk: Desk, fault: Fault) -> None:
    pretend = PretendSMHI.small(NOON)
    on(desk, httpx.MockTransport(pretend)).fetch("weather", {"station": "Exempelby"})
    later = replace(
        desk, clock=lambda: NOON + timedelta(hours=30), transport=Faulty(pretend, lambda n: fault)
    )
    told = said(later.open("weather"))
    assert "(the last that was measured, 30 hours ago)" in told


def test_a_temperature_that_is_given_needs_no_network(desk: Desk) -> None:
    pretend = PretendSMHI.small(NOON)
    on(desk, httpx.MockTransport(pretend)).fetch("weather", {"station": "Exempelby"})
    network = Faulty(pretend)
    answer = on(desk, network).open("weather").ask("now", temperature=-15)
    assert network.asked == []
    assert answer.params["at"] == "2026-11-22T13:00"
    assert answer.params["asked"] == "2026-11-22T13:00"
    past = on(desk, network).open("weather").ask("now", at="2020-01-02T19:20")
    assert network.asked == []
    assert past.params["temperature"] == pretend.stations[2].value(
        datetime(2020, 1, 2, 18, tzinfo=UTC)
    )


def test_the_latest_of_all_stations_comes_in_one_request(desk: Desk) -> None:
    pretend = PretendSMHI.small(NOON, silent=frozenset({"9003"}))
    on(desk, httpx.MockTransport(pretend)).fetch(
        "weather", {"station": "Exempelby; Låtsasfjäll; 59,18"}
    )
    network = Faulty(pretend)
    answer = on(desk, network).open("weather").ask("stations")
    assert len(network.asked) == 1
    assert answer.params["at"] == "2026-11-22T12:00+00:00"
    table = answer.tables["stations"].records()
    assert {row["station"] for row in table} == {"Exempelby", "Påhittsvik A"}
    values = {row["station"]: row["value"] for row in table}
    assert values["Exempelby"] == pretend.stations[2].value(NOON)
    assert any("Låtsasfjäll" in note for note in answer.notes)
    assert answer.views[0].kind == "places"
    opened = on(desk, network).open("weather")
    by_hand = opened.ask("stations", at="2026-11-22T13:00", readings="Låtsas=-40")
    assert by_hand.tables["stations"].columns["station"] == ("Låtsasfjäll",)
    assert opened.ask("stations", readings="Låtsas=-40").params["at"] == "2026-11-22T12:00+00:00"
    for wrong in ("Exempelby", "Exempelby=warm", "Exempelby=99", "Nowhere=3"):
        with pytest.raises((InvalidParameter, UnknownName)):
            opened.ask("stations", readings=wrong)


def test_no_network_at_all(desk: Desk) -> None:
    with pytest.raises(Unreachable, match="SMHI could not be reached"):
        desk.fetch("weather")
    assert desk.open("weather").dataset.name == "sample"


def test_a_fetch_that_was_cut_off_goes_on(desk: Desk) -> None:
    pretend = PretendSMHI.small(NOON)
    broken = Faulty(pretend, lambda n: "gone" if n > 4 else "")
    with pytest.raises(Unreachable):
        desk.fetch("weather", {"station": "Exempelby"}, transport=broken)
    whole = Faulty(pretend)
    desk.fetch("weather", {"station": "Exempelby"}, transport=whole)
    assert len(whole.asked) == 9 - 4
    assert not any(
        "corrected-archive/data.csv" in url and "parameter/1/" in url for url in whole.asked
    )


# The real records


@pytest.mark.shared
def test_days_that_people_remember(stockholm: Opened) -> None:
    cold = said(stockholm, at="1987-01-12")
    assert cold.startswith("Stockholm: 12 January 1987, with −20.4 °C, was colder than all 900")
    assert cold.endswith("the coldest on this date since 1861.")
    hot = said(stockholm, at="2018-07-26")
    assert hot.endswith("the warmest on this date since the record began in 1756.")
    assert "nothing unusual" in said(stockholm, at="2014-11-22")
    assert "around that date in the climate of its time (since 1964" in said(
        stockholm, at="2024-02-29"
    )


@pytest.mark.shared
def test_the_hours_of_stockholm(stockholm: Opened) -> None:
    evening = stockholm.ask("now", temperature=-3.1, at="2024-11-22T19:00")
    told = evening.sentence.replace("\xa0", " ")
    assert told.startswith("Stockholm: −3.1 °C at 19:00 is colder than 95 % of the evenings around")
    rows = {row["reference"]: row for row in evening.tables["now"].records()}
    assert rows["daily-mean"]["since"] == "1756"
    assert rows["today"]["n"] == 900
    # At 15:00 neither noon nor evening is within an hour and a half.
    afternoon = stockholm.ask("now", temperature=-3.1, at="2024-11-22T15:00")
    assert "daily means around 22 November" in afternoon.sentence
    assert any("within 90 minutes" in note for note in afternoon.notes)
    # Half past one in July is half past eleven in UTC.
    noon = stockholm.ask("now", temperature=30, at="2024-07-22T13:30")
    assert "middays around 22 July" in noon.sentence
    measured = stockholm.ask("now", at="2010-01-06T19:00")
    assert measured.params["temperature"] == -13.1


@pytest.mark.shared
def test_percentiles_hold_for_years_that_were_not_seen(shared: Path) -> None:
    """Of every fifth day of 1991 to 2014, each tenth of the scale has about a tenth."""
    series = bolin.read(shared / FILE, retrieved=NOON)
    days = series.times.astype(np.int64)
    record = seasons.record(days, series.values)
    years = seasons.year_of(days)
    chosen = np.flatnonzero((years >= 1991) & (years <= 2014))[::5]
    found = [
        seasons.standing(
            seasons.climate_of_today(record, int(days[place])), series.values[place]
        ).percentile
        for place in chosen
    ]
    shares = np.histogram(found, bins=np.linspace(0, 100, 11))[0] / len(found) * 100
    assert np.all((shares > 8) & (shares < 12)), shares
