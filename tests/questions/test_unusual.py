from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from followdata.answer import Answer, Scalar
from followdata.core import seasons
from followdata.data import About, MemorySeries
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.questions.thermometer import REFUSED, Climate, fit_climate
from followdata.questions.unusual import now, presumed, question
from followdata.store import Store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = date(1970, 1, 1)
PLACE = "A place"


def number(iso: str) -> int:
    return (date.fromisoformat(iso) - EPOCH).days


def series(first: str, last: str, values: object = None, unit: str = "°C") -> MemorySeries:
    """Daily values; by default 10.5 degrees plus a fixed pattern that no two years share."""
    days = np.arange(number(first), number(last) + 1)
    if values is None:
        pattern = np.random.default_rng(3).normal(scale=4, size=len(days))
        values = 10.5 - 10 * np.cos(2 * np.pi * days / 365.2425) + pattern
    return MemorySeries(
        days.astype("datetime64[D]"),
        np.round(np.broadcast_to(np.asarray(values, dtype=float), days.shape), 1),
        np.full(len(days), "", dtype="<U60"),
        About(PLACE, unit=unit),
    )


def changed(data: MemorySeries, values: dict[str, float], flags: dict[str, str]) -> MemorySeries:
    first = date.fromisoformat(str(data.times[0]))
    new, marks = data.values.copy(), data.flags.copy()
    for day, value in values.items():
        new[(date.fromisoformat(day) - first).days] = value
    for day, flag in flags.items():
        marks[(date.fromisoformat(day) - first).days] = flag
    return dataclasses.replace(data, values=new, flags=marks)


def fit(data: MemorySeries) -> Climate:
    return fit_climate(data, station=PLACE)


def ask(data: MemorySeries, temperature: float | None = None, at: str | None = None) -> Answer:
    return now(data, fit(data), station=PLACE, temperature=temperature, at=at)


def row(answer: Answer, reference: str) -> dict[str, Scalar]:
    (found,) = (r for r in answer.tables["now"].records() if r["reference"] == reference)
    return found


CENTURY = series("1920-01-01", "2019-12-31")


# Numbers


def test_by_hand() -> None:
    """In each of twelve years the fortnight around 15 June has one day at every whole degree."""
    data = series("2001-01-01", "2012-12-31", 5.0)
    for year in range(2001, 2013):
        middle = date(year, 6, 15)
        ramp = {str(middle + timedelta(k)): 10.0 + k for k in range(-7, 8)}
        data = changed(data, ramp, {})
    answer = ask(data, 14.0, "2013-06-15")
    # Eleven of fifteen are below 14, one is equal to it.
    assert row(answer, "all-years")["percentile"] == pytest.approx(100 * 11.5 / 15)
    assert row(answer, "all-years")["n"] == 12 * 15
    assert row(answer, "all-years")["since"] == "2001"
    assert answer.tables["now"].columns["reference"] == ("all-years", "daily-mean")
    assert "too few for a trend" in " ".join(answer.notes)


def test_both_references_are_those_of_the_core() -> None:
    answer = ask(CENTURY, 3.0, "2026-04-02")
    record = seasons.record(CENTURY.times.astype(np.int64), CENTURY.values)
    for name, refer in (("today", seasons.climate_of_today), ("all-years", seasons.all_years)):
        reference = refer(record, number("2026-04-02"))
        standing = seasons.standing(reference, 3.0)
        told = row(answer, name)
        assert (told["percentile"], told["low"], told["high"]) == (
            standing.percentile, standing.low, standing.high,
        )  # fmt: skip
        assert (told["n"], told["since"]) == (reference.n, str(reference.years[0]))
    assert row(answer, "today")["since"] == "1960"
    assert row(answer, "all-years")["since"] == "1920"


def test_only_what_was_before_is_compared_with() -> None:
    until = ask(series("1920-01-01", "1999-05-03"), 4.0, "1999-05-04")
    after = ask(changed(CENTURY, {"1999-05-04": 30.0}, {}), 4.0, "1999-05-04")
    numbers = ("reference", "percentile", "low", "high", "n", "since")
    for name in numbers:
        assert until.tables["now"].columns[name] == after.tables["now"].columns[name]
    usual, later = (answer.tables["year"].columns for answer in (until, after))
    assert usual == later


def test_what_cannot_be_is_left_out_and_told() -> None:
    slip = changed(CENTURY, {"1990-07-01": -72.0}, {})
    without = changed(CENTURY, {"1990-07-01": np.nan}, {"1990-07-01": "lost"})
    assert ask(slip, 9.0, "2019-07-02").tables == ask(without, 9.0, "2019-07-02").tables
    notes = " ".join(ask(slip, 9.0, "2019-07-02").notes)
    assert f"1\xa0has no value (1 {REFUSED})" in notes
    assert "1 July itself has no value in 1 of the 99 years before." in " ".join(
        ask(slip, 9.0, "2019-07-01").notes
    )


def test_missing_values_are_counted_by_reason() -> None:
    data = changed(CENTURY, {"1950-01-01": np.nan, "1951-01-01": np.nan}, {"1950-01-01": "lost"})
    kept = np.ones(len(data.times), dtype=bool)
    kept[500:530] = False
    gaps = MemorySeries(data.times[kept], data.values[kept], data.flags[kept], data.about)
    (note,) = (note for note in ask(gaps, 3.0, "2019-05-05").notes if "no value" in note)
    assert "1 lost; 1 without a value; 30 not in the record" in note
    assert "32\xa0have no value" in note


def test_changes_of_site_are_told() -> None:
    flags = {f"2019-12-{day}": "automatic station" for day in range(10, 32)}
    data = changed(CENTURY, {}, {"1930-02-01": "from elsewhere", **flags})
    *_, told, footing = ask(data, 3.0, "2020-05-05").notes
    assert "1\xa0value from 1930-02-01 to 1930-02-01: from elsewhere; 22\xa0values" in told
    assert "may not be on the same footing" in footing


# Words


def test_a_cold_day() -> None:
    later = {f"{year}-01-12": 1.0 for year in range(1999, 2020)}
    data = changed(CENTURY, {"1998-01-12": -7.5, **later}, {})
    sentence = ask(data, -7.0, "2026-01-12").sentence.replace("\xa0", " ")
    assert sentence.startswith("−7 °C is colder than 9")
    assert " % of the days around 12 January in today's climate (since 1960; 90 % band " in sentence
    assert sentence.endswith(" % of all since 1920; the coldest on this date since 1998.")


def test_a_warm_day_of_the_record() -> None:
    data = changed(CENTURY, {"2018-07-26": 27.0, "2005-07-26": 27.5}, {})
    sentence = ask(data, at="2018-07-26").sentence.replace("\xa0", " ")
    assert sentence.startswith("26 July 2018, with 27 °C, was warmer than ")
    assert "around that date in the climate of its time (since 1958; " in sentence
    assert sentence.endswith("; the warmest on this date since 2005.")


def test_an_ordinary_day() -> None:
    sentence = ask(CENTURY, 1.5, "2026-01-01").sentence.replace("\xa0", " ")
    assert sentence.startswith("1.5 °C is nothing unusual for 1 January: ")
    assert sentence.count("1 January") == 1
    assert "on this date" not in sentence


def test_beyond_everything() -> None:
    sentence = ask(CENTURY, -60.0, "2028-02-29").sentence
    assert "colder than all 900 days around 29 February in today's climate" in sentence
    assert sentence.endswith("and colder than all 1\u202f500 since 1920.")


def test_a_past_day_that_the_record_has_otherwise() -> None:
    assert "in the climate of 1987 (since 1927;" in ask(CENTURY, -20.0, "1987-01-12").sentence


def test_the_29th_of_february_is_compared_with_leap_years_by_date() -> None:
    leap = {f"{year}-02-29": -3.0 for year in range(1920, 2020, 4)}
    data = changed(CENTURY, leap | {"1972-02-29": -15.0, "2019-02-28": -20.0}, {})
    assert ask(data, -14.0, "2024-02-29").sentence.endswith("on this date since 1972.")


def test_little_is_said_of_a_date_that_was_as_cold_a_few_years_ago() -> None:
    data = changed(CENTURY, {"2016-01-12": -20.0}, {})
    assert "on this date" not in ask(data, -14.0, "2020-01-12").sentence


def test_a_time_of_day_is_compared_with_daily_means_and_told() -> None:
    at_three, whole_day = ask(CENTURY, 3.0, "2026-04-02T15:00"), ask(CENTURY, 3.0, "2026-04-02")
    assert at_three.tables["now"].columns["n"] == whole_day.tables["now"].columns["n"]
    assert "3\xa0°C at 15:00 is" in at_three.sentence
    assert "of the daily means around" in at_three.sentence
    assert any("15:00" in note and "means of whole days" in note for note in at_three.notes)
    assert any("means of whole days" in note for note in whole_day.notes)


def test_a_record_that_has_ended_says_so() -> None:
    assert any(
        "The record ends on 2019-12-31" in note for note in ask(CENTURY, 3.0, "2026-04-02").notes
    )
    assert not any("ends on" in note for note in ask(CENTURY, at="2019-04-02").notes)


def test_the_picture_marks_the_day() -> None:
    answer = ask(CENTURY, 3.0, "2024-02-29")
    (view,) = answer.views
    assert view.kind == "ribbon"
    assert view.options["mark_x"] == "2024-02-29"
    assert view.options["mark_y"] == 3.0
    year = answer.tables["year"]
    assert len(year) == 366
    assert year.columns["day"][0] == "2024-01-01"
    for record in year.records():
        percentiles = [record[name] for name in ("p5", "p25", "p50", "p75", "p95")]
        assert percentiles == sorted(percentiles)  # type: ignore[type-var]
    assert f"−{abs(float(str(year.columns['p5'][59]))):.1f}" in view.description


# What is asked, and what cannot be


def test_without_anything_the_last_day_that_has_a_value_is_judged() -> None:
    data = changed(CENTURY, {"2019-12-31": np.nan, "2019-12-30": 2.5}, {})
    assert presumed(data, {}, NOW) == {"at": "2019-12-30", "temperature": 2.5}
    assert presumed(data, {"at": "", "temperature": None}, NOW)["at"] == "2019-12-30"
    assert ask(data).sentence == ask(data, 2.5, "2019-12-30").sentence
    assert ask(data).sentence.startswith("30 December 2019, with 2.5\xa0°C, was")


def test_a_temperature_is_meant_for_today() -> None:
    clock = "2026-11-22T12:00"
    assert presumed(CENTURY, {"temperature": "3"}, NOW) == {"at": clock, "asked": clock}
    assert presumed(CENTURY, {"temperature": "3", "at": "2019-01-01"}, NOW) == {}


def test_a_day_is_judged_by_what_was_measured() -> None:
    data = changed(CENTURY, {"1987-01-12": -21.5}, {})
    for at in ("1987-01-12", "1987-01-12T07:00"):
        assert presumed(data, {"at": at}, NOW) == {"temperature": -21.5}


@pytest.mark.parametrize("at", ["2026-11-22", "1900-01-01", "1950-06-06"])
def test_a_day_without_a_value_needs_a_temperature(at: str) -> None:
    data = changed(CENTURY, {"1950-06-06": np.nan}, {})
    for asking in (lambda: presumed(data, {"at": at}, NOW), lambda: ask(data, at=at)):
        with pytest.raises(InvalidParameter, match=f"no value for {at}") as refused:
            asking()
        assert "give a temperature" in str(refused.value)


def test_too_few_years_before() -> None:
    with pytest.raises(NothingToAnswer, match="4 earlier years"):
        ask(CENTURY, 3.0, "1924-06-01")
    with pytest.raises(NothingToAnswer, match="no years to compare 1800-06-01"):
        ask(CENTURY, 3.0, "1800-06-01")


def test_other_series_are_refused() -> None:
    with pytest.raises(NothingToAnswer, match="°F"):
        fit(series("2000-01-01", "2001-01-01", unit="°F"))
    hours = np.arange(48).astype("datetime64[h]")
    empty = MemorySeries(hours[:0], np.zeros(0), np.zeros(0, dtype=str), About(PLACE))
    missing = MemorySeries(hours, np.full(48, np.nan), np.full(48, ""), About(PLACE))
    for other in (empty, missing):
        with pytest.raises(NothingToAnswer, match="holds no values"):
            fit(other)
    with pytest.raises(NothingToAnswer, match="no values"):
        presumed(series("2000-01-01", "2000-02-01", np.nan), {}, NOW)


def test_what_is_learnt_survives_the_disk(home: Path) -> None:
    data = changed(CENTURY, {"1950-06-06": np.nan}, {"1960-01-01": "from elsewhere"})
    fitted = fit(data)
    store = Store(home)
    store.keep_fitted("now-key", fitted)
    again = store.fitted("now-key", question.fitted_type)
    asked: dict[str, Scalar] = {
        "station": PLACE,
        "temperature": 3.0,
        "at": "2019-03-04",
        "asked": None,
    }
    assert question.tell(data, again, asked) == question.tell(data, fitted, asked)


def test_an_answer_is_plain_values() -> None:
    answer = ask(CENTURY, 3.0, "2026-04-02")
    json.dumps([dict(view.options) for view in answer.views])
    assert all(isinstance(n, int) for n in answer.tables["now"].columns["n"])
