"""Plain CSV files of temperatures, as people have them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from followdata.data import MemorySeries
from followdata.errors import InvalidInput
from followdata.sources import temperatures
from followdata.sources.measured import Measured

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(folder: Path, content: str | bytes, name: str = "New York.csv") -> Measured:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return temperatures.read(path, retrieved=NOW)


def days(found: Measured) -> MemorySeries:
    assert found.hours is None
    assert found.days is not None
    return found.days


def hours(found: Measured) -> MemorySeries:
    assert found.days is None
    assert found.hours is not None
    return found.hours


@pytest.mark.parametrize(
    "content",
    [
        "date,temp\n2020-01-01,-3.5\n2020-01-02,4\n",
        "id;Datum;Temperatur\n7;2020-01-01;-3,5\n8;2020-01-02;4,0\n",
        "Day\tmean\tmax\n01.01.2020\t-3.5\t9\n13.01.2020\t4\t9\n".replace("13.01", "02.01")
        + "13.01.2020\t\t\n",
        "date,tavg (°F)\n2020-01-01,25.7\n2020-01-02,39.2\n",
        "date,TMIN_F,TMAX_F\n2020-01-01,20,31.4\n2020-01-02,30.2,48.2\n",
        "\ufeffdate,tmin,temperature\n2020-01-01,-9,-3.5\n2020-01-02,1,4\n",
        "when,value,note\n2020-01-01T00:00,-3.5,cold\n2020-01-02T00:00,4,\n",
        "Date,Temp\n1/13/2020,NA\n1/1/2020,-3.5\n1/2/2020,4\n",
        "2020-01-01,-3.5\n2020-01-02,4\n",
    ],
)
def test_daily_values_in_many_forms(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content)
    series = days(found)
    assert series.times.dtype == np.dtype("datetime64[D]")
    assert series.times.astype(str).tolist() == ["2020-01-01", "2020-01-02"]
    np.testing.assert_allclose(series.values, [-3.5, 4], atol=0.01)
    assert series.about.unit == "°C"
    assert (found.station.name, found.station.live) == ("New York", "")


def test_what_lies_in_the_heading_is_told(tmp_path: Path) -> None:
    assert days(read(tmp_path, "date,tavg\n2020-01-01,1\n")).about.title == "New York, tavg"
    both = days(read(tmp_path, "date,tmax,tmin\n2020-01-01,1,0\n"))
    assert both.about.title == "New York, halfway between tmin and tmax"


@pytest.mark.parametrize(
    "content",
    [
        "time,temp\n2020-01-01 05:00,1\n2020-01-01 06:00,2\n",
        "date,time,temp\n2020-01-01,5:00,1\n2020-01-01,06:00,2\n",
        "time,temp\n2020-01-01 06:00:00,2\n2020-01-01 05:00:00,1\n",
    ],
)
def test_hours_by_the_clocks_of_the_place(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content)
    assert hours(found).times.astype(str).tolist() == ["2020-01-01T05:00", "2020-01-01T06:00"]
    assert hours(found).values.tolist() == [1, 2]
    assert found.station.zone == ""


def test_hours_with_an_offset_are_utc(tmp_path: Path) -> None:
    found = read(tmp_path, "time,temp\n2020-01-01T00:30:00-05:00,1\n2020-01-01T06:30:00Z,2\n")
    assert hours(found).times.astype(str).tolist() == ["2020-01-01T05:30", "2020-01-01T06:30"]
    assert found.station.zone == "UTC"


def test_what_cannot_be_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "date,temp\n2020-01-01,-999.0\n2020-01-02,4\n2020-01-03,?\n2020-01-04,80\n2020-01-02,5\n",
    )
    assert days(found).values.tolist() == [4]
    assert found.provenance.refused == (
        "New York, 2 values: missing in the file",
        "New York, 1 values: beyond -90 to 60 °C",
        "New York, 1 values: at a time that has one already",
    )


def test_gzip_is_undone(tmp_path: Path) -> None:
    packed = gzip.compress(b"date,temp\n2020-01-01,1\n")
    assert read(tmp_path, packed, "Oslo.csv.gz").station.name == "Oslo"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("date,temp\n03/04/2020,1\n", "can be read in two ways"),
        ("date,temp\n13/04/2020,1\n2020-01-02,2\n", "in several ways"),
        ("name,temp\na,1\n", "no column is all dates"),
        ("date,word\n2020-01-01,cold\n", "no column is all numbers"),
        ("date,temp\n2020-02-30,1\n", "“2020-02-30” is not a time"),
        ("date,temp\n2020-01-01T05:00Z,1\n2020-01-01T06:00,1\n", "some times say their offset"),
        ("date,temp\n2020-01-01,80\n", "holds no temperature"),
        ("", "it is empty"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read(tmp_path, content)
