"""What people type becomes one canonical value, or an error that says what to type instead."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followdata.answer import Field
from followdata.data import About, MemoryTable
from followdata.errors import InvalidParameter, NothingToAnswer, UnknownName
from followdata.parameters import (
    Choice,
    Column,
    Columns,
    Company,
    Date,
    Group,
    Label,
    Number,
    Numbers,
    Parameter,
    Row,
    Trait,
    check_known,
    listed,
)
from followdata.present.numbers import shown

TABLE = MemoryTable(
    np.eye(3),
    ["Umeå", "Lund", "Habo"],
    ["N1", "N2", "N3"],
    About("Towns", "town", "towns", "indicator", "indicators", label="county"),
    obs={
        "county": np.array(["Västerbotten", "Skåne", ""]),
        "kind": np.array(["big", "big", "small"]),
    },
    var={
        "title": np.array(["Ålder", "Höjd", "Skatt"]),
        "theme": np.array(["Folk", "Folk", "Pengar"]),
        "county": np.array(["a label of the rows", "comes before", "one of the columns"]),
    },
)


# Numbers


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("7", 7.0),
        (" 7.50 ", 7.5),
        ("7,5", 7.5),
        ("0,125", 0.125),
        ("-3", -3.0),
        ("\u22123,5", -3.5),
        ("1e3", 1000.0),
        ("1 234 567", 1234567.0),
        ("1\u202f234,5", 1234.5),
        (8, 8.0),
        (np.float64(0.1), 0.1),
        (np.int32(4), 4.0),
    ],
)
def test_numbers_as_people_and_programs_write_them(typed: Any, meant: float) -> None:
    value = Number("n").read("n", typed, None)
    assert value == meant
    assert type(value) is float


@pytest.mark.parametrize(
    "typed", ["", "seven", "nan", "inf", "-inf", "1e999", "1.2.3", "1,2,3", "1 2", "True", "0x10"]
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidParameter, match="not a number") as error:
        Number("n").read("top", typed, None)
    assert error.value.parameter == "top"
    assert str(error.value).startswith("top: ")


def test_a_comma_between_thousands_is_asked_about_not_guessed_at() -> None:
    with pytest.raises(InvalidParameter) as error:
        Number("n").read("n", "1,500", None)
    assert error.value.advice == "Write 1500 or 1.500."


def test_whole_numbers() -> None:
    whole = Number("n", 1, 500, whole=True)
    for typed in ("20", "20.0", 20, 20.0, "2e1"):
        value = whole.read("n", typed, None)
        assert value == 20
        assert type(value) is int
    with pytest.raises(InvalidParameter, match=r"“20\.5” is not a whole number\."):
        whole.read("n", "20.5", None)


@pytest.mark.parametrize(
    ("number", "typed", "words"),
    [
        (Number("n", 1, 500), "501", "“501” is not between 1 and 500."),
        (Number("n", 1, 500), "0,5", "“0,5” is not between 1 and 500."),
        (Number("n", 0, 1_000_000), "1000001", "“1000001” is not between 0 and 1000000."),
        (Number("n", 0, unit="km"), "-1", "“-1” is not 0 km or more."),
        (Number("n", high=0.1), "2", "“2” is not 0.1 or less."),
    ],
)
def test_a_number_out_of_range_is_told_the_range(number: Number, typed: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        number.read("n", typed, None)
    assert error.value.problem == f"n: {words}"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_what_it_prints(value: float) -> None:
    assert Number("n").read("n", str(value), None) == value


@given(st.floats(allow_nan=False, allow_infinity=False, max_value=1e15, min_value=-1e15))
def test_a_decimal_comma_is_a_decimal_point(value: float) -> None:
    text = format(value, "f")  # six decimals: never one group of three
    assert Number("n").read("n", text.replace(".", ","), None) == float(text)


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_reads_what_it_prints_for_people_too(value: int) -> None:
    for text in (str(value), shown(value, Field("n", "Number"))):
        assert Number("n", whole=True).read("n", text, None) == value


@given(st.floats(-100, 100), st.floats(-100, 100), st.text(max_size=8) | st.floats(-200, 200))
def test_a_number_is_within_its_range_or_refused(one: float, other: float, typed: Any) -> None:
    low, high = sorted((one, other))
    try:
        value = Number("n", low, high).read("n", typed, None)
    except InvalidParameter:
        return
    assert isinstance(value, float)
    assert low <= value <= high


def test_a_number_says_its_range_in_its_schema() -> None:
    assert Number("n", 1, 5, whole=True).schema() == {"type": "integer", "minimum": 1, "maximum": 5}
    assert Number("n", high=2.5).schema() == {"type": "number", "maximum": 2.5}


# Dates


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-22", "2026-11-22"),
        ("20261122", "2026-11-22"),
        ("2026-11-22T15:00", "2026-11-22T15:00"),
        ("2026-11-22 15:00:30", "2026-11-22T15:00"),
        ("2026-11-22T15:00Z", "2026-11-22T15:00+00:00"),
        (" 2026-11-22 ", "2026-11-22"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 15, tzinfo=UTC), "2026-11-22T15:00+00:00"),
    ],
)
def test_dates(typed: Any, meant: str) -> None:
    assert Date("d").read("d", typed, None) == meant


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-02-30", "22/11 2026", "2026-11", 7])
def test_what_is_no_date_is_refused_with_an_example(typed: Any) -> None:
    with pytest.raises(InvalidParameter, match="Write it as 2026-11-22"):
        Date("d").read("d", typed, None)


zones: Any = st.none() | st.integers(-14 * 60, 14 * 60).map(
    lambda m: timezone(timedelta(minutes=m))
)


FIRST, LAST = datetime(1000, 1, 1), datetime(2999, 12, 31)


@given(
    st.dates(FIRST.date(), LAST.date())
    | st.datetimes(min_value=FIRST, max_value=LAST, timezones=zones)
)
def test_a_date_reads_what_it_prints(moment: date) -> None:
    read = Date("d").read("d", moment, None)
    assert Date("d").read("d", read, None) == read
    back = datetime.fromisoformat(str(read))
    if isinstance(moment, datetime):
        assert back == moment.replace(second=0, microsecond=0)
    else:
        assert back.date() == moment


@pytest.mark.parametrize("far", ["0999-12-31", "9999-12-31T23:59", datetime(3000, 1, 1)])
def test_years_far_away_are_not_asked_about(far: object) -> None:
    with pytest.raises(InvalidParameter, match="not between 1000 and 2999"):
        Date("d").read("d", far, None)


# Names


@pytest.mark.parametrize(
    ("kind", "typed", "meant"),
    [
        (Row("r"), "umea", "Umeå"),
        (Column("c"), "alder", "N1"),
        (Column("c"), "n3", "N3"),
        (Group("g"), "skane", "Skåne"),
        (Group("g", by="kind"), "BIG", "big"),
        (Choice("c", ("count", "share")), "Share", "share"),
    ],
)
def test_names_are_looked_up_in_the_data(kind: Parameter, typed: str, meant: str) -> None:
    assert kind.read("p", typed, TABLE) == meant
    assert kind.read("p", f" {typed} ", TABLE) == meant


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (Row("r"), "Ume", "There is no town called “Ume”. Did you mean “Umeå”?"),
        (Column("c"), "Skat", "There is no indicator called “Skat”. Did you mean “N3”?"),
        (Group("g"), "Skåna", "There is no county called “Skåna”. Did you mean “Skåne”?"),
        (
            Choice("c", ("count", "share")),
            "shore",
            "no choice called “shore”. Did you mean “share”",
        ),
        (Row("r"), "☃", "There is no town called “☃”."),
    ],
)
def test_an_unknown_name_is_told_the_nearest(kind: Parameter, typed: str, words: str) -> None:
    with pytest.raises(UnknownName) as error:
        kind.read("p", typed, TABLE)
    assert words in str(error.value)


def test_the_default_is_the_first_name() -> None:
    assert Row("r").default("a", TABLE) == "Umeå"
    assert Group("g").default("a", TABLE) == "Skåne"  # groups are in order, and "" is none
    assert Choice("c", ("count", "share")).default("a", None) == "count"


def test_where_there_are_no_names_there_is_nothing_to_answer() -> None:
    bare = MemoryTable(np.eye(1), ["a"], ["b"], About("Bare"))
    for kind in (Group("g"), Group("g", by="county"), Number("n")):
        with pytest.raises(NothingToAnswer):
            kind.default("a", bare)
    with pytest.raises(NothingToAnswer):
        Row("r").read("r", "a", None)


def test_labels_are_the_words_of_the_data() -> None:
    assert Row("r").label("thing", TABLE.about) == "Town"
    assert Row("r").label("other_one", TABLE.about) == "Other one"
    assert Column("c").label("measure", TABLE.about) == "Indicator"
    assert Group("g").label("group", TABLE.about) == "County"
    assert Group("g", by="main_kind").label("group", TABLE.about) == "Main kind"


@given(st.sampled_from(TABLE.obs_names), st.sampled_from([str.upper, str.lower, str.title]))
def test_a_canonical_value_is_read_as_itself(name: str, change: Any) -> None:
    value = Row("r").read("r", change(name), TABLE)
    assert Row("r").read("r", value, TABLE) == value == name


# Names of parameters


def test_an_unknown_parameter_is_told_the_nearest() -> None:
    check_known(["thing"], ["thing", "top"])
    with pytest.raises(UnknownName) as error:
        check_known(["thing", "tpo"], ["thing", "top"])
    assert str(error.value) == "There is no parameter called “tpo”. Did you mean “top”?"
    with pytest.raises(UnknownName, match="Did you mean “thing” or “top”"):
        check_known(["q"], ["thing", "top"])
    with pytest.raises(UnknownName, match=r"There is no parameter called “q”\.$"):
        check_known(["q"], [])


def test_a_schema_can_be_said_in_json() -> None:
    assert Choice("c", ("a", "b")).schema()["enum"] == ["a", "b"]
    assert Row("r").schema() == {"type": "string"}
    assert Date("d").schema()["format"] == "date-time"
    assert not any(math.isinf(v) for v in Number("n").schema().values() if isinstance(v, float))


# Lists, and what can be said of each row


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("N2,N1", "N2,N1"),
        (" höjd , ALDER,N2, ", "N2,N1"),
        ("skatt", "N3"),
        (["N3", "ålder"], "N3,N1"),
        (("n1",), "N1"),
    ],
)
def test_columns_as_people_and_programs_name_them(typed: Any, meant: str) -> None:
    kind = Columns("c")
    assert kind.read("c", typed, TABLE) == meant
    assert kind.read("c", meant, TABLE) == meant


def test_a_name_with_a_comma_goes_in_quotes() -> None:
    table = MemoryTable(np.eye(2), ["a", "b"], ["Rain, mm", "Sun"], About("Weather"))
    kind = Columns("c")
    assert kind.read("c", "rain, mm", table) == '"Rain, mm"'
    assert kind.read("c", 'Sun,"Rain, mm"', table) == 'Sun,"Rain, mm"'
    assert listed('Sun,"Rain, mm"') == ["Sun", "Rain, mm"]
    assert listed("Sun\r\nshine,Rain") == ["Sun shine", "Rain"]
    assert listed('"Sun\nshine"') == ["Sun\nshine"]
    assert kind.spoken('Sun,"Rain, mm"', table) == "“Sun” and “Rain, mm”"


def test_columns_that_are_not_there_none_or_too_many() -> None:
    with pytest.raises(UnknownName, match="N9"):
        Columns("c").read("c", "N1,N9", TABLE)
    with pytest.raises(InvalidParameter, match="no name is given"):
        Columns("c").read("c", [], TABLE)
    with pytest.raises(InvalidParameter, match="2 names are given; 1 is the most"):
        Columns("c", most=1).read("c", "N1,N2", TABLE)
    assert Columns("c").default("a", TABLE) == "N1,N2,N3"


def test_columns_are_completed_after_the_last_comma() -> None:
    assert Columns("c").complete("N2, al", TABLE, 5) == [("N2,N1", "Ålder")]
    assert Columns("c").complete("ho", TABLE, 5) == [("N2", "Höjd")]
    assert Columns("c").label("measures", TABLE.about) == "Indicators"
    assert Columns.several


@pytest.mark.parametrize(
    ("typed", "meant"), [("2,1,0.5", "2,1,0.5"), (" 2, 1 ", "2,1"), ([3, 0.25], "3,0.25")]
)
def test_lists_of_numbers(typed: Any, meant: str) -> None:
    assert Numbers("n", low=0).read("n", typed, None) == meant


@pytest.mark.parametrize("typed", ["", "a,b", "1,-2", []])
def test_lists_that_are_not_of_numbers(typed: Any) -> None:
    with pytest.raises(InvalidParameter):
        Numbers("n", low=0).read("n", typed, None)


def test_a_trait_is_a_label_or_a_column() -> None:
    kind = Trait("t")
    assert kind.read("t", "COUNTY", TABLE) == "county"
    assert kind.read("t", "höjd", TABLE) == "N2"
    assert kind.names(TABLE).names == ("county", "kind", "N1", "N2", "N3")
    assert kind.spoken("county", TABLE) == "County"
    with pytest.raises(UnknownName):
        kind.read("t", "height", TABLE)


def test_a_group_of_columns() -> None:
    assert Group("g", by="theme").read("g", "FOLK", TABLE) == "Folk"
    assert Group("g", by="theme").names(TABLE).names == ("Folk", "Pengar")
    assert Group("g").names(TABLE).names == ("Skåne", "Västerbotten")
    assert not len(Group("g", by="nothing").names(TABLE))


def test_whom_to_compare_with_is_called_as_the_data_do() -> None:
    company = Company("c")
    assert company.names(TABLE).names == ("all", "peers", "county")
    assert [company.read("c", typed, TABLE) for typed in ("ALL", "County", "group")] == [
        "all", "county", "county",
    ]  # fmt: skip
    assert company.default("a", TABLE) == "all"
    with pytest.raises(UnknownName, match="parish"):
        company.read("c", "parish", TABLE)
    alone = MemoryTable(np.eye(1), ["a"], ["x"], About("One"))
    assert company.names(alone).names == ("all", "peers")


def test_a_label_is_one_that_groups_the_rows() -> None:
    label = Label("Which")
    assert label.read("by", "COUNTY", TABLE) == "county"
    with pytest.raises(UnknownName, match="label"):
        label.read("by", "moon", TABLE)
    with pytest.raises(NothingToAnswer):
        label.default("by", MemoryTable(np.eye(2), ["a", "b"], ["x", "y"], About("Bare")))
