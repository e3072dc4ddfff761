"""The questions "typical", "climate", "records", "trend" and "stations"."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.questions.weather import daily, hourly, number, stations

from followdata.answer import Answer
from followdata.core import extremes, seasons
from followdata.data import MemoryFamily, MemorySeries
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.present import render
from followdata.present.charts import chart
from followdata.questions import climate, records, usual, warming
from followdata.questions import stations as everywhere
from followdata.questions.thermometer import Climate, fit_climate
from followdata.store import Store

LUND, FALUN = (55.7, 13.2), (60.6, 15.6)


@pytest.fixture(scope="module")
def lund() -> MemoryFamily:
    return stations(Lund=("hours", hourly("1961-01-01", "2019-08-31"), LUND))


@pytest.fixture(scope="module")
def fitted(lund: MemoryFamily) -> Climate:
    return fit_climate(lund, station="Lund")


@pytest.fixture(scope="module")
def century() -> MemorySeries:
    """Daily means that rise by 0.02 °C a year."""
    data = daily("1900-01-01", "2019-12-31")
    years = data.times.astype("datetime64[Y]").astype(int) + 1970
    return dataclasses.replace(data, values=data.values + 0.02 * (years - 1900))


# Typical


def test_what_a_day_is_like(lund: MemoryFamily, fitted: Climate) -> None:
    answer = usual.typical(lund, fitted, station="Lund", date="2026-04-01")
    rows = answer.tables["typical"].records()
    assert [(row["compared"], row["reference"]) for row in rows] == [
        (things, reference)
        for things in ("daily means", "mornings", "middays", "evenings")
        for reference in ("today", "all-years")
    ]
    reference = seasons.climate_of_today(fitted.record(), number("2026-04-01"))
    known = reference.values[~np.isnan(reference.values)]
    for percent in (5, 25, 50, 75, 95):
        assert rows[0][f"p{percent}"] == pytest.approx(np.percentile(known, percent))
    assert sum(answer.tables["spread"].columns["count"]) == reference.n == rows[0]["n"]  # type: ignore[arg-type]
    for row in rows:
        assert row["low"] < row["p50"] < row["high"]  # type: ignore[operator]
    assert answer.sentence.startswith("Lund: Around 1 April half of the days lie between ")
    assert "in today's climate" in answer.sentence
    assert (answer.views[0].kind, answer.views[0].options["mark"]) == (
        "distribution",
        rows[0]["p50"],
    )


def test_what_a_day_was_like(lund: MemoryFamily, fitted: Climate) -> None:
    told = usual.typical(lund, fitted, station="Lund", date="1975-04-01")
    assert told.tables["typical"].columns["reference"][0] == "all-years"
    assert "in the years since 1961" in told.sentence
    with pytest.raises(NothingToAnswer, match="Fewer than 10 years"):
        usual.typical(lund, fitted, station="Lund", date="1965-04-01")


# The year


def year(lund: MemoryFamily, fitted: Climate, **given: object) -> Answer:
    return climate.climate(lund, fitted, station="Lund", **given)  # type: ignore[arg-type]


def test_a_year_in_the_usual_range(lund: MemoryFamily, fitted: Climate) -> None:
    answer = year(lund, fitted, year=2018, others="1996, 2003 1996")
    table = answer.tables["climate"]
    assert [field.name for field in table.fields][-3:] == ["y2018", "y1996", "y2003"]
    assert len(table) == 365
    record = fitted.record()
    own = record.values[number("2018-01-01") - record.first :][:365]
    np.testing.assert_array_equal(np.array(table.columns["y2018"], dtype=float), own)
    leap = table.columns["y1996"][59]
    assert leap == fitted.value(number("1996-03-01"))
    tenths = answer.tables["tenths"].records()
    usual = np.array(table.columns["p90"], dtype=float)
    assert tenths[1]["days"] == int(np.sum(own > usual))
    # Of days like those before it, a tenth lie in each; the range of other years holds that.
    for row in tenths:
        assert row["low"] < row["expected"] < row["high"]  # type: ignore[operator]
    (view,) = answer.views
    assert {"line_2018", "line_1996", "line_2003"} <= set(view.channels)


def test_the_last_year_goes_as_far_as_the_record(lund: MemoryFamily, fitted: Climate) -> None:
    answer = year(lund, fitted)
    assert answer.sentence.startswith("Lund: In 2019 up to 30 August, ")
    assert answer.tables["climate"].columns["y2019"][-1] is None
    assert any("123\xa0days have no value" in note for note in answer.notes)


@pytest.mark.parametrize(
    "given",
    [
        {"year": 2030},
        {"others": "1950"},
        {"others": "last"},
        {"others": "1990 1991 1992 1993 1994 1995 1996"},
    ],
)
def test_years_that_cannot_be_drawn(
    lund: MemoryFamily, fitted: Climate, given: dict[str, object]
) -> None:
    with pytest.raises(InvalidParameter):
        year(lund, fitted, **given)
    with pytest.raises(NothingToAnswer, match="4 years of the record"):
        year(lund, fitted, year=1965)


# Records


def test_records_by_hand(century: MemorySeries) -> None:
    name = century.about.title
    fit = fit_climate(century, station=name)
    answer = records.records(century, fit, station=name, date="2026-07-04")
    found = {(row["scope"], row["kind"]): row for row in answer.tables["records"].records()}
    dates = np.array([str(t)[5:] for t in century.times])
    months = np.array([str(t)[5:7] for t in century.times])
    for scope, here in (
        ("date", dates == "07-04"),
        ("month", months == "07"),
        ("ever", dates > ""),
    ):
        values, times = century.values[here], century.times[here]
        row = found[scope, "coldest"]
        assert (row["value"], row["when"]) == (values.min(), str(times[values.argmin()]))
        row = found[scope, "warmest"]
        assert (row["value"], row["when"]) == (values.max(), str(times[values.argmax()]))
        assert row["n"] == 120
        assert row["chance"] == pytest.approx(1 / 121)
    held = answer.tables["held"].records()
    assert sum(row["count"] for row in held if row["kind"] == "warmest") == 366  # type: ignore[misc]
    assert sum(row["expected"] for row in held if row["kind"] == "coldest") == pytest.approx(366)  # type: ignore[misc]
    assert "once in 121\xa0years" in answer.sentence


def test_the_29th_of_february_counts_its_own_years(century: MemorySeries) -> None:
    name = century.about.title
    answer = records.records(
        century, fit_climate(century, station=name), station=name, date="2024-02-29"
    )
    assert answer.tables["records"].columns["n"][0] == 29  # 1900 had none


def test_a_short_record_has_no_records() -> None:
    short = daily("2015-01-01", "2019-12-31")
    name = short.about.title
    with pytest.raises(NothingToAnswer, match="5 years"):
        records.records(short, fit_climate(short, station=name), station=name, date="2020-01-01")


# Trend


def trend(data: MemorySeries, **given: str) -> Answer:
    name = data.about.title
    asked = {"season": "date", "date": "2026-07-04"} | given
    return warming.trend(data, warming.fit_course(data, station=name), station=name, **asked)


@pytest.mark.parametrize("season", ["date", "winter", "spring", "summer", "autumn", "year"])
def test_a_trend_that_is_there_is_found(century: MemorySeries, season: str) -> None:
    answer = trend(century, season=season)
    whole, recent = answer.tables["trend"].records()
    for row in (whole, recent):
        assert row["low"] < 0.2 < row["high"]  # type: ignore[operator]
    assert whole["since"] == ("1900" if season != "winter" else "1901")
    assert recent["since"] == "1970"
    assert "have become" in answer.sentence
    assert len(answer.tables["years"]) == (120 if season != "winter" else 119)


def test_means_of_seasons_by_pandas(century: MemorySeries) -> None:
    import pandas as pd

    series = pd.Series(century.values, pd.DatetimeIndex(century.times))
    summers = series[series.index.month.isin([6, 7, 8])].groupby(lambda day: day.year).mean()
    years = trend(century, season="summer").tables["years"]
    np.testing.assert_allclose(np.array(years.columns["mean"], dtype=float), summers)
    december = series[(series.index >= "1999-12-01") & (series.index < "2000-03-01")].mean()
    winters = trend(century, season="winter").tables["years"]
    at = winters.columns["year"].index("2000")
    assert winters.columns["mean"][at] == pytest.approx(december)
    around = series[(series.index >= "2000-06-27") & (series.index <= "2000-07-11")].mean()
    dates = trend(century).tables["years"]
    assert dates.columns["mean"][dates.columns["year"].index("2000")] == pytest.approx(around)


def test_no_trend_is_said_to_be_none() -> None:
    flat = daily("1900-01-01", "2019-12-31", seed=5)
    answer = trend(flat, season="year")
    (whole, *_) = answer.tables["trend"].records()
    assert whole["low"] < 0 < whole["high"]  # type: ignore[operator]
    assert "which may be chance" in answer.sentence
    with pytest.raises(NothingToAnswer, match="have the season"):
        trend(daily("2015-01-01", "2019-12-31"))


def test_the_adjusted_means_are_taken_for_a_trend(century: MemorySeries) -> None:
    flat = daily("1900-01-01", "2019-12-31")
    data = MemoryFamily(
        {"days": century, "adjusted": flat},
        century.about,
        {"station": np.array(["Lund", "Lund"]), "grain": np.array(["days", "adjusted"])},
    )
    course = warming.fit_course(data, station="Lund")
    assert course.adjusted
    np.testing.assert_array_equal(course.values, flat.values)


# Stations


@pytest.fixture(scope="module")
def two() -> MemoryFamily:
    return stations(
        Lund=("hours", hourly("1961-01-01", "2019-08-31"), LUND),
        Falun=("days", daily("1951-01-01", "2019-12-31", seed=7), FALUN),
        Ny=("days", daily("2015-01-01", "2019-12-31", seed=8), FALUN),
    )


def test_stations_by_how_unusual_they_are(two: MemoryFamily) -> None:
    fit = everywhere.fit_stations(two)
    answer = everywhere.stations(two, fit, at="2019-07-04T14:00")
    rows = {row["station"]: row for row in answer.tables["stations"].records()}
    assert set(rows) == {"Lund", "Falun"}
    apart = [abs(row["percentile"] - 50) for row in answer.tables["stations"].records()]  # type: ignore[operator]
    assert apart == sorted(apart, reverse=True)
    lund = fit_climate(two, station="Lund")
    value = lund.value(number("2019-07-04"), "12")
    assert rows["Lund"]["value"] == value
    reference = seasons.climate_of_today(lund.record("12"), number("2019-07-04"))
    assert rows["Lund"]["percentile"] == seasons.standing(reference, value).percentile
    assert str(rows["Falun"]["compared"]).startswith("daily means")
    assert any("1\xa0station has no temperature then, or too few years" in n for n in answer.notes)
    assert [view.kind for view in answer.views] == ["places", "ranking"]


def test_their_pictures_can_be_drawn(
    two: MemoryFamily, lund: MemoryFamily, fitted: Climate
) -> None:
    where = everywhere.stations(two, everywhere.fit_stations(two), at="2019-07-04T14:00")
    spec = chart(where, where.views[0], check=True)
    assert spec["projection"] == {"type": "mercator"}
    points = spec["layer"][0]["encoding"]
    assert (points["longitude"]["field"], points["latitude"]["field"]) == ("longitude", "latitude")
    drawn = year(lund, fitted, year=2018, others="1996")
    lines = chart(drawn, drawn.views[0], check=True)["layer"][-1]
    assert lines["transform"][0]["fold"] == ["y2018", "y1996"]
    assert "Drawn into it: 2018, 1996." in drawn.views[0].description
    spread = usual.typical(lund, fitted, station="Lund", date="2026-04-01")
    bars = chart(spread, spread.views[0], check=True)["layer"][0]
    assert bars["transform"][0]["calculate"] == "datum['value'] - 0.5"
    for answer in (where, drawn, spread):
        assert render(answer, "svg").startswith(b"<svg")


def test_readings_are_judged_instead(two: MemoryFamily) -> None:
    fit = everywhere.fit_stations(two)
    answer = everywhere.stations(
        two, fit, at="2019-07-04T14:00", readings="falun=−12,5; Lund=17.25"
    )
    rows = {row["station"]: row for row in answer.tables["stations"].records()}
    assert (rows["Falun"]["value"], rows["Lund"]["value"]) == (-12.5, 17.25)
    assert next(iter(rows)) == "Falun"
    with pytest.raises(NothingToAnswer, match="No station"):
        everywhere.stations(two, fit, at="1950-07-04")


def test_when_most_have_measured(two: MemoryFamily) -> None:
    assert everywhere.presumed(two) == {"at": "2019-12-31"}
    assert everywhere.handed_in(two, {}) == everywhere.presumed(two)


def test_what_is_learnt_of_stations_survives_the_disk(two: MemoryFamily, home: object) -> None:
    store = Store(home)  # type: ignore[arg-type]
    fit = everywhere.fit_stations(two)
    store.keep_fitted("stations-key", fit)
    again = store.fitted("stations-key", everywhere.question.fitted_type)
    asked = {"at": "2019-07-04T14:00", "readings": None}
    assert everywhere.question.tell(two, again, asked) == everywhere.question.tell(two, fit, asked)


def test_all_years_alike_share_the_records() -> None:
    """The expectation that "records" tells of is that of years drawn by lot."""
    grid = np.random.default_rng(1).normal(size=(100, 366))
    latest = np.arange(100) >= 70
    share = extremes.held(extremes.holders(grid, highest=True), latest)
    assert share.expected == pytest.approx(366 * 0.3)
    assert share.low < share.count < share.high
