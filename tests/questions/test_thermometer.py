"""A station made ready: hours, days, clocks; and the question "now" at an hour."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.questions.weather import daily, hourly, joined, number, stations

from followdata.core import seasons
from followdata.core.seasons import Days, Floats
from followdata.data import MemoryFamily
from followdata.errors import InvalidParameter
from followdata.questions.thermometer import (
    FEW,
    MENDED,
    OTHER_HOURS,
    Climate,
    Moment,
    fit_climate,
    last_measured,
    measured_at,
)
from followdata.questions.unusual import now, presumed

LUND = (55.7, 13.2)


@pytest.fixture(scope="module")
def lund() -> MemoryFamily:
    """Observations at 06, 12 and 18 UTC since 1961."""
    return stations(Lund=("hours", hourly("1961-01-01", "2019-12-31"), LUND))


@pytest.fixture(scope="module")
def climate(lund: MemoryFamily) -> Climate:
    return fit_climate(lund, station="Lund")


def at_hour(data: MemoryFamily, hour: int) -> tuple[Days, Floats]:
    one = data.one("Lund, hours")
    minutes = one.times.astype(np.int64)
    here = minutes % (24 * 60) == 60 * hour
    return minutes[here] // (24 * 60), one.values[here]


# Making ready


def test_each_hour_is_a_record_of_its_own(lund: MemoryFamily, climate: Climate) -> None:
    assert climate.grains == ["days", "06", "12", "18"]
    for hour in (6, 12, 18):
        days, values = at_hour(lund, hour)
        record = climate.record(f"{hour:02}")
        assert record.first == days[0]
        np.testing.assert_array_equal(record.values, values)


def test_days_are_worked_out_where_the_data_have_none(climate: Climate) -> None:
    assert climate.missing == {FEW: 2}  # the first and the last day have a night cut off
    assert climate.record().first == number("1961-01-02")
    assert climate.remarks == []


def test_days_of_the_source_come_first_and_are_continued() -> None:
    hours = hourly("1990-01-01", "2010-12-31")
    own = daily("1995-01-01", "2005-12-31")
    gap = own.values.copy()
    gap[100] = np.nan
    own = dataclasses.replace(own, values=gap)
    data = MemoryFamily(
        {"days": own, "hours": hours},
        own.about,
        {"station": np.array(["Lund", "Lund"]), "grain": np.array(["days", "hours"])},
    )
    climate = fit_climate(data, station="Lund")
    record = climate.record()
    inside = slice(number("1995-01-01") - record.first, number("2006-01-01") - record.first)
    np.testing.assert_array_equal(record.values[inside], gap)
    assert record.first == number("1990-01-02")
    assert climate.last() == number("2010-12-30")
    assert climate.missing == {"without a value": 1}
    (remark,) = climate.remarks
    assert remark[0] == "worked out from observations"


def test_what_was_done_to_a_day_is_told() -> None:
    eight = hourly("1980-01-01", "1999-12-31", (0, 3, 6, 9, 12, 15, 18, 21))
    two = hourly("2000-01-01", "2009-12-31", (6, 18))
    other = hourly("2010-01-01", "2012-12-31", (7, 19))
    whole = joined(eight, two, other)
    climate = fit_climate(stations(Lund=("hours", whole, LUND)), station="Lund")
    told = {remark[0]: (remark[2], remark[3]) for remark in climate.remarks}
    assert told[MENDED] == ("2000-01-01", "2009-12-31")
    assert told[OTHER_HOURS][0] == "2010-01-01"
    assert climate.grains == ["days", "06", "12", "18"]


def test_hours_that_lie_far_back_are_another_record() -> None:
    early, late = hourly("1900-01-01", "1920-12-31"), hourly("1950-01-01", "1999-12-31")
    whole = joined(early, late)
    climate = fit_climate(stations(Lund=("hours", whole, LUND)), station="Lund")
    assert climate.record("12").first == number("1950-01-01")
    assert climate.record().first == number("1900-01-02")


def test_a_rare_hour_is_no_record() -> None:
    few = hourly("1990-01-01", "1996-12-31", (0, 6, 12, 18))
    climate = fit_climate(stations(Lund=("hours", few, LUND)), station="Lund")
    assert climate.grains == ["days"]


def test_slips_are_found_by_the_hour() -> None:
    """A night of 25 degrees may be one; for a day it would be none."""
    data = hourly("1961-01-01", "1999-12-31")
    values = data.values.copy()
    slip = int(np.flatnonzero(data.times == np.datetime64("1987-01-12T12:00"))[0])
    values[slip] = 55.0
    climate = fit_climate(
        stations(Lund=("hours", dataclasses.replace(data, values=values), LUND)), station="Lund"
    )
    assert np.isnan(climate.value(number("1987-01-12"), "12"))


@pytest.mark.parametrize(
    "day", ["2019-07-04", "2019-12-31", "2020-05-05", "2024-02-29", "2010-01-15"]
)
@pytest.mark.parametrize("grain", ["days", "12"])
def test_the_usual_range_is_the_same_in_advance(climate: Climate, day: str, grain: str) -> None:
    percents = np.array([5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0])
    days, usual = climate.normals(number(day), grain)
    expected_days, expected = seasons.normals(climate.record(grain), number(day), percents)
    np.testing.assert_array_equal(days, expected_days)
    np.testing.assert_allclose(usual, expected, equal_nan=True)


# Clocks


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        ("2019-01-10T19:00", "18"),  # 18:00 UTC in winter
        ("2019-07-10T20:00", "18"),  # and in summer
        ("2019-07-10T18:30", "18"),  # 16:30 UTC: 90 minutes
        ("2019-07-10T18:29", ""),
        ("2019-01-10T15:00", ""),
        ("2019-01-10T14:30", "12"),
        ("2019-01-10T14:31", ""),
        ("2019-01-10T12:00+00:00", "12"),
        ("2019-01-10T01:00-05:00", "06"),
        ("2019-01-10", ""),
    ],
)
def test_the_nearest_hour_within_ninety_minutes(at: str, hour: str) -> None:
    assert Moment.of(at, "Europe/Stockholm").hour == hour


def test_clocks_that_are_not_known_are_the_records_own() -> None:
    moment = Moment.of("2019-07-10T18:00", "")
    assert (moment.hour, moment.time) == ("18", "18:00")


def test_the_day_is_the_local_one_and_the_hour_that_of_utc() -> None:
    tokyo = Moment.of("2019-01-10T02:30", "Asia/Tokyo")
    assert tokyo.day == number("2019-01-10")
    assert (tokyo.hour, tokyo.hour_day) == ("18", number("2019-01-09"))


# Now, at an hour


def ask(data: MemoryFamily, climate: Climate, **given: object):  # type: ignore[no-untyped-def]
    asked = {"temperature": None, "at": None, "asked": None} | given
    return now(data, climate, station="Lund", **asked)  # type: ignore[arg-type]


def test_an_hour_is_compared_with_that_hour(lund: MemoryFamily, climate: Climate) -> None:
    answer = ask(lund, climate, temperature=2.0, at="2020-04-02T14:00")
    days, values = at_hour(lund, 12)
    record = seasons.record(days, values)
    rows = {row["reference"]: row for row in answer.tables["now"].records()}
    assert list(rows) == ["today", "all-years", "daily-mean-today", "daily-mean"]
    for name, refer in (("today", seasons.climate_of_today), ("all-years", seasons.all_years)):
        reference = refer(record, number("2020-04-02"))
        assert rows[name]["percentile"] == seasons.standing(reference, 2.0).percentile
        assert rows[name]["since"] == str(reference.years[0])
    of_days = seasons.all_years(climate.record(), number("2020-04-02"))
    assert rows["daily-mean"]["percentile"] == seasons.standing(of_days, 2.0).percentile
    sentence = answer.sentence.replace("\xa0", " ")
    assert sentence.startswith("Lund: 2 °C at 14:00 is colder than ")
    assert "of the middays around 2 April in today's climate" in sentence
    assert any("12:00 UTC (14:00 by the clocks there)" in note for note in answer.notes)


def test_far_from_any_hour_the_day_is_compared(lund: MemoryFamily, climate: Climate) -> None:
    answer = ask(lund, climate, temperature=2.0, at="2020-04-02T17:00")
    assert "daily means around 2 April" in answer.sentence
    assert answer.tables["now"].columns["reference"] == ("today", "all-years", "daily-mean")
    assert any("no 06 or 12 or 18 o'clock lies within 90 minutes" in n for n in answer.notes)


def test_the_warm_end_is_worded_too(lund: MemoryFamily, climate: Climate) -> None:
    sentence = ask(lund, climate, temperature=45.0, at="2020-07-02T20:00").sentence
    assert "warmer than all" in sentence
    assert "evenings" in sentence


def test_a_stale_observation(lund: MemoryFamily, climate: Climate) -> None:
    def told(asked: str) -> tuple[str, str]:
        answer = ask(lund, climate, temperature=2.0, at="2020-04-02T14:00", asked=asked)
        return answer.sentence.replace("\xa0", " "), " ".join(answer.notes)

    fresh, notes = told("2020-04-02T15:50")
    assert "last that was measured" not in fresh
    assert "stale" not in notes
    old, notes = told("2020-04-02T17:10")
    assert "2 °C at 14:00 (the last that was measured, 3 hours ago) is" in old
    assert "stale" in notes
    assert "4 days ago" in told("2020-04-06T20:10")[0]


def test_what_was_measured_at_a_time(lund: MemoryFamily) -> None:
    values = {str(t): v for t, v in zip(lund.times, lund.values, strict=True)}
    zone = "Europe/Stockholm"
    for at, source in [
        ("2019-06-01T14:00", "2019-06-01T12:00"),
        ("2019-06-01T09:30", "2019-06-01T06:00"),
        ("2019-06-01T08:00+02:00", "2019-06-01T06:00"),
    ]:
        assert measured_at(lund, "Lund", Moment.of(at, zone)) == values[source]
    whole_day = measured_at(lund, "Lund", Moment.of("2019-06-01T16:00", zone))
    assert whole_day == measured_at(lund, "Lund", Moment.of("2019-06-01", zone))
    with pytest.raises(InvalidParameter, match="no value for 2020-06-01"):
        measured_at(lund, "Lund", Moment.of("2020-06-01T12:00", zone))


def test_the_last_of_a_record(lund: MemoryFamily) -> None:
    when, value = last_measured(lund, "Lund")
    assert (when, value) == ("2019-12-31T19:00", lund.values[-1])
    soon = presumed(lund, {}, datetime(2020, 1, 1, 5, tzinfo=UTC))
    assert soon == {"at": when, "temperature": value, "asked": "2020-01-01T06:00"}
    # A record that ended long ago has no latest observation, only a last day.
    late = presumed(lund, {}, datetime(2026, 1, 1, 5, tzinfo=UTC))
    assert late == {"at": when, "temperature": value}


def test_the_same_question_of_one_plain_series() -> None:
    """Hours without labels, without a zone: their clocks are taken as they are."""
    data = hourly("1961-01-01", "2019-12-31")
    name = data.about.title
    climate = fit_climate(data, station=name)
    answer = now(data, climate, station=name, temperature=2.0, at="2020-04-02T12:20")
    assert answer.sentence.startswith("2\xa0°C at 12:20 is")
    assert "middays" in answer.sentence
    assert any("measured at 12:00, the nearest hour" in note for note in answer.notes)
