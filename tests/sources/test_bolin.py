from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from followdata.data import MemorySeries
from followdata.errors import InvalidInput, InvalidParameter
from followdata.sources import bolin

RETRIEVED = datetime(2026, 11, 22, tzinfo=UTC)
HEADER = "date,raw,homo,adjust,site\n"
CSV = HEADER + (
    "1756-06-04,16.4,16.4,15.7,1\n"
    "1756-06-05,-999.0,15.8,15.1,2\n"
    "1756-06-06,14.2,13.0,12.3,2\n"
    "1912-02-29,-3.1,-3.5,-3.5,1\n"
    "2013-01-01,4.1,3.4,3.4,3\n"
)
TEXT = (
    "1756  6  4   16.4   16.4   15.7  1\n"
    " 1756 6 5 -999.0 15.8 15.1 2\n"
    "1756 06 06 14.2 13.0 12.3 2 \n"
    "1912 2 29 -3.1 -3.5 -3.5 1\n"
    "2013 1 1 4.1 3.4 3.4 3\n"
)


def read(folder: Path, content: str | bytes, variant: str = "adjusted") -> MemorySeries:
    path = folder / "stockholm_daily_mean_temperature.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return bolin.read(path, variant, retrieved=RETRIEVED)


@pytest.mark.parametrize(
    ("variant", "values"),
    [
        ("raw", [16.4, np.nan, 14.2, -3.1, 4.1]),
        ("homogenised", [16.4, 15.8, 13.0, -3.5, 3.4]),
        ("adjusted", [15.7, 15.1, 12.3, -3.5, 3.4]),
    ],
)
@pytest.mark.parametrize("content", [CSV, TEXT, CSV.replace("\n", "\r\n"), "\ufeff" + CSV])
def test_both_forms_hold_the_same(
    tmp_path: Path, content: str, variant: str, values: list[float]
) -> None:
    series = read(tmp_path, content, variant)
    np.testing.assert_array_equal(series.values, values)
    days = ["1756-06-04", "1756-06-05", "1756-06-06", "1912-02-29", "2013-01-01"]
    assert series.times.astype(str).tolist() == days
    assert series.about.unit == "°C"
    assert variant in series.about.title
    assert "1756–2013" in series.about.title


def test_flags_say_what_to_read_with_care(tmp_path: Path) -> None:
    adjusted = read(tmp_path, CSV).flags.tolist()
    assert adjusted == [
        "corrected for the thermometer of the time",
        "from Uppsala, adjusted to Stockholm",
        "from Uppsala, adjusted to Stockholm",
        "changed by −0.4 to −0.4 °C for the warmth of the town",
        "automatic station, changed by −0.7 to −0.7 °C for the warmth of the town",
    ]
    assert read(tmp_path, CSV, "homogenised").flags.tolist() == ["", *adjusted[1:]]
    assert read(tmp_path, CSV, "raw").flags.tolist() == [
        "",
        bolin.MISSING,
        "replaced by Uppsala in the homogenised variant",
        "",
        "automatic station",
    ]


def test_says_where_it_is_from(tmp_path: Path) -> None:
    provenance = read(tmp_path, CSV).provenance
    assert "Bolin Centre" in provenance.source
    assert "stockholm_daily_mean_temperature.csv" in provenance.source
    assert "Moberg" in provenance.citation
    assert provenance.retrieved == "2026-11-22"
    assert provenance.licence
    assert not provenance.sample


def test_gzip_is_undone(tmp_path: Path) -> None:
    assert len(read(tmp_path, gzip.compress(CSV.encode())).values) == 5


def test_the_one_file_of_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("not this one")
    with pytest.raises(InvalidInput, match="no file here is called"):
        bolin.read(tmp_path, retrieved=RETRIEVED)
    read(tmp_path, CSV)
    assert len(bolin.read(tmp_path, retrieved=RETRIEVED).values) == 5
    (tmp_path / "stockholm_daily_mean_temperature_1756_2018.txt").write_text(TEXT)
    with pytest.raises(InvalidInput, match="2 files are called"):
        bolin.read(tmp_path, retrieved=RETRIEVED)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2013-02-30,1.0,1.0,1.0,3", "“2013-02-30” is not a date"),
        ("20130102,1.0,1.0,1.0,3", "“20130102” is not a date"),
        ("2013-01-02,1.0,1.0,3", "4 fields, not 5"),
        ("2013-01-02,1.0,x,1.0,3", "“x” is not a number"),
        ("2013-01-02,1.0,nan,1.0,3", "“nan” is not a number"),
        ("2013-01-02,1.0,1.0,1.0,4", "the site “4” is not one of 1, 2 and 3"),
        ("2013-01-01,1.0,1.0,1.0,3", "2013-01-01 does not come after 2013-01-01"),
        ("2012-12-31,1.0,1.0,1.0,3", "2012-12-31 does not come after 2013-01-01"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, f"{CSV}{line}\n2014-01-01,1.0,1.0,1.0,3\n")
    assert refused.value.where == "line 7"
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_many_bad_lines_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, TEXT + "".join(f"20{year} 1 1 1.0 1.0\n" for year in range(14, 24)))
    assert "line 6: 5 fields, not 7; line 7: 5 fields, not 7; line 8" in str(refused.value)
    assert "and 7 more lines are at fault" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it holds no values"),
        (HEADER.encode(), "it holds no values"),
        (b"date,temperature\n2013-01-01,1\n", "the header must be date,raw,homo,adjust,site"),
        (b"\xff\xfe\x00\x01,", "it is not text"),
        (gzip.compress(CSV.encode(), mtime=0)[:-20], "it cannot be read"),
        (b"\x1f\x8bnothing", "it cannot be read"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no such file"):
        bolin.read(tmp_path / "absent.csv", retrieved=RETRIEVED)


def test_another_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="variant"):
        read(tmp_path, CSV, "best")


# Observations


def test_observations_stand_at_their_hours(tmp_path: Path) -> None:
    files = {
        "stockholm_daily_temp_obs_1756_1858_t1t2t3.txt": " 1756   1   1  -8.00  -9.00    NaN\n",
        "stockholm_daily_temp_obs_2013_2017_t1t2t3txtntm.txt": "2017 12 31 2.5 3.2 3.0 3.4 2 3 \n",
        "stockholm_daily_obs_hours_cet_1756_2017.txt": (
            "1756  1  1  8.7 12.8  NaN\n2017 12 30 7 13 19\n2017 12 31  7.0 13.0 19.0\n"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    series = bolin.observations(sorted(tmp_path.iterdir()))
    assert series.times.astype(str).tolist() == [
        "1756-01-01T07:42", "1756-01-01T11:48",
        "2017-12-31T06:00", "2017-12-31T12:00", "2017-12-31T18:00",
    ]  # fmt: skip
    assert series.values.tolist() == [-8, -9, 2.5, 3.2, 3.0]
    assert series.about.title == "Stockholm, observations 1756–2017"


def test_observations_need_their_hours(tmp_path: Path) -> None:
    observed = tmp_path / "stockholm_daily_temp_obs_1961_2012_t1t2t3txtntm.txt"
    observed.write_text("1961 1 1 0.9 0.6 0.4\n")
    with pytest.raises(InvalidInput, match="stockholm_daily_obs_hours_cet"):
        bolin.observations([observed])
    clocks = tmp_path / "stockholm_daily_obs_hours_cet_1756_2017.txt"
    clocks.write_text("1961 1 2 7 13 19\n")
    with pytest.raises(InvalidInput, match="does not say the hours"):
        bolin.observations([observed, clocks])
    with pytest.raises(InvalidInput, match="stockholm_daily_temp_obs"):
        bolin.observations([clocks])
    clocks.write_text("1961 1 2 7\n1961 13 2 7 13 19\n")
    with pytest.raises(InvalidInput, match="line 1: no three numbers behind a date; line 2"):
        bolin.observations([observed, clocks])


def test_all_that_is_known_of_stockholm(tmp_path: Path) -> None:
    path = tmp_path / "stockholm_daily_mean_temperature.csv"
    path.write_text(CSV)
    found = bolin.measured([path], "raw", retrieved=RETRIEVED)
    assert found.days is not None
    assert found.adjusted is not None
    assert (found.days.values[0], found.adjusted.values[0]) == (16.4, 15.7)
    assert found.hours is None
    assert found.station.live == "98230"
    with pytest.raises(InvalidInput, match="one file of daily means"):
        bolin.measured([path, path], "raw", retrieved=RETRIEVED)


@pytest.mark.shared
def test_the_real_observations(shared: Path) -> None:
    files = [path for path in (shared / "data/smhi/bolin_raw").iterdir() if bolin.is_ours(path)]
    series = bolin.observations(files)
    assert len(series.times) == 284_984
    assert np.all(np.diff(series.times.astype(np.int64)) > 0)
    minutes = series.times.astype(np.int64) % (24 * 60)
    late = series.times >= np.datetime64("1961-01-01")
    assert set(minutes[late].tolist()) == {6 * 60, 12 * 60, 18 * 60}


@pytest.mark.shared
def test_the_real_file(shared: Path) -> None:
    folder = shared / "data" / "smhi"
    raw, adjusted = (
        bolin.read(folder, variant, retrieved=RETRIEVED) for variant in ("raw", "adjusted")
    )
    for series in (raw, adjusted):
        assert len(series.values) == 98_175
        assert np.all(np.diff(series.times.astype(np.int64)) == 1)
        assert str(series.times[-1]) == "2024-10-16"
    assert (raw.flags == bolin.MISSING).sum() == np.isnan(raw.values).sum() == 7
    assert not np.isnan(adjusted.values).any()
    assert np.char.startswith(adjusted.flags, "from Uppsala").sum() == 216
    assert np.char.startswith(adjusted.flags, "automatic station").sum() == 4307
