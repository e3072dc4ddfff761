from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from followdata.core import seasons
from followdata.desk import Desk, Opened
from followdata.errors import InvalidInput, InvalidParameter, NotFetched
from followdata.questions.unusual import REFUSED
from followdata.sources import bolin
from followdata.stories.weather import data as weather

FILE = "data/smhi/stockholm_daily_mean_temperature.csv.gz"


@pytest.fixture
def clemson(desk: Desk) -> Opened:
    return desk.open("weather")


@pytest.fixture
def stockholm(desk: Desk, shared: Path) -> Opened:
    desk.fetch("weather", paths=[shared / FILE])
    return desk.open("weather")


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
    assert answer.params == {"at": "2020-12-31", "temperature": 6.65}
    assert answer.data == "sample"
    assert "31 December 2020" in answer.sentence


def test_a_temperature_is_meant_for_today(clemson: Opened) -> None:
    answer = clemson.ask("now", temperature="-3,5")
    assert answer.params == {"at": "2026-11-22", "temperature": -3.5}
    assert "colder" in answer.sentence


def test_the_day_of_the_slip_has_no_temperature(clemson: Opened) -> None:
    with pytest.raises(InvalidParameter, match="no value for 1936-07-18"):
        clemson.ask("now", at="1936-07-18")
    with pytest.raises(InvalidParameter, match="is not a date"):
        clemson.ask("now", at="yesterday")


# The real record


def test_without_a_file_it_says_where_there_is_one(desk: Desk) -> None:
    with pytest.raises(NotFetched) as refused:
        desk.fetch("weather")
    assert bolin.PAGE in str(refused.value)
    assert "followdata fetch weather --from stockholm_daily_mean_temperature.csv" in str(
        refused.value
    )


def test_only_one_file_is_taken(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="one file"):
        desk.fetch("weather", paths=[tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(InvalidInput, match="no file here"):
        desk.fetch("weather", paths=[tmp_path])


def test_a_file_is_stored_by_variant(desk: Desk, tmp_path: Path) -> None:
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


@pytest.mark.shared
def test_days_that_people_remember(stockholm: Opened) -> None:
    def said(at: str) -> str:
        return stockholm.ask("now", at=at).sentence.replace("\xa0", " ")

    cold = said("1987-01-12")
    assert cold.startswith("12 January 1987, with −21.2 °C, was colder than all 900 days")
    assert cold.endswith("the coldest on this date since 1802.")
    assert said("2018-07-26").endswith("the warmest on this date since the record began in 1756.")
    assert "nothing unusual" in said("2014-11-22")
    assert "around that date in the climate of its time (since 1964" in said("2024-02-29")


@pytest.mark.shared
def test_percentiles_hold_for_years_that_were_not_seen(shared: Path) -> None:
    """Of every fifth day of 1991 to 2014, each tenth of the scale has about a tenth."""
    series = bolin.read(shared / FILE, retrieved=datetime(2026, 11, 22, tzinfo=UTC))
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
