"""SMHI's archives and its API, against a server that answers as the API does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import stamina

from followdata.errors import InvalidInput, InvalidParameter, Refused, UnknownName, Unreachable
from followdata.sources import client, smhi
from followdata.sources.fetching import Fetching
from followdata.sources.measured import Measured
from followdata.sources.smhi.stations import before
from followdata.sources.tables import read_text
from followdata.testing.providers import Fault, Faulty, Handler, Loopback, MemoryLog, Rerouted
from followdata.testing.smhi import BASE, PretendSMHI, PretendStation

NOW = datetime(2026, 11, 22, 12, 20, tzinfo=UTC)
NEW = "Stationsnamn;Stationsnummer;Stationsnät;Mäthöjd (meter över marken)\nProv;7;SMHI;2.0\n"
OLD = "Stationsnamn;Klimatnummer;Mäthöjd (meter över marken)\nProv;7;2.0\n"
UNIT = "\nParameternamn;Beskrivning;Enhet\nLufttemperatur;momentanvärde, 1 gång/tim;{}\n"
POSITIONS = """
Tidsperiod (fr.o.m);Tidsperiod (t.o.m);Höjd (meter över havet);Latitud (decimalgrader);Longitud
2000-01-01 00:00:00;2015-11-30 23:59:59;25.0;55.693;13.229
1990-01-01 00:00:00;1999-12-31 23:59:59;73.0;55.7089;13.2026
"""
INSTANT = "\nDatum;Tid (UTC);Lufttemperatur;Kvalitet;;Tidsutsnitt:\n"
INTERVAL = (
    "\nFrån Datum Tid (UTC);Till Datum Tid (UTC);Representativt dygn;Lufttemperatur;Kvalitet;;"
    "Tidsutsnitt:\n"
)
ROWS = """1999-12-31;18:00:00;-2.4;Y;;Kvalitetskontrollerade historiska data (utom de senaste 3 mån)
2000-01-01;06:00:00;0.8;G;;Tidsperiod (fr.o.m.) = 1990-01-01 00:00:00 (UTC)
2000-01-01;12:00:00;1.0;G;;
2000-01-02;06:00:00;0.0;G
"""


def text(rows: str = ROWS, head: str = NEW, unit: str = "celsius", kind: str = INSTANT) -> str:
    return "\ufeff" + head + UNIT.format(unit) + POSITIONS + kind + rows


def read(content: str) -> smhi.Archive:
    return smhi.read_archive(content, "here")


def gathered(*contents: str) -> Measured:
    files = [(Path(f"{n}.csv"), content) for n, content in enumerate(contents)]
    (found,) = smhi.read_files(files, NOW)
    return found


# Archives


@pytest.mark.parametrize(("head", "unit"), [(NEW, "celsius"), (OLD, "degree celsius")])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_both_generations_of_headers_are_read(head: str, unit: str, ending: str) -> None:
    archive = read(text(head=head, unit=unit).replace("\n", ending))
    assert (archive.id, archive.name, archive.daily) == ("7", "Prov", False)
    assert archive.times.astype(str).tolist() == [
        "1999-12-31T18:00", "2000-01-01T06:00", "2000-01-01T12:00", "2000-01-02T06:00",
    ]  # fmt: skip
    assert archive.values.tolist() == [-2.4, 0.8, 1.0, 0.0]
    assert archive.remarks.tolist() == ["not fully checked", "", "", ""]
    assert [position.height for position in archive.positions] == [25, 73]
    assert archive.refused == {}


def test_daily_means_are_of_the_day_that_they_represent() -> None:
    rows = "2026-03-29 00:00:01;2026-03-30 00:00:00;2026-03-29;5.3;Y;;note\n"
    archive = read(text(rows, kind=INTERVAL))
    assert archive.daily
    assert archive.times.astype(str).tolist() == ["2026-03-29"]
    assert archive.values.tolist() == [5.3]


def test_values_that_cannot_be_used_are_counted() -> None:
    rows = ROWS + (
        "2000-01-03;06:00:00;-999.0;G\n2000-01-03;12:00:00;;G\n2000-01-03;18:00:00;71.5;G\n"
        "2000-01-04;06:00:00;1.0;R\n2000-01-04;12:00:00;1.0;X\n2000-01-04;18:00:00;4.0;G\n"
        "2000-01-05;0"
    )
    archive = read(text(rows))
    assert archive.values.tolist() == [-2.4, 0.8, 1.0, 0.0, 4.0]
    assert archive.refused == {
        "line 22, which is no value": 1,
        "missing in the source": 2,
        "rejected by SMHI itself": 1,
        "of a quality that is not known": 1,
        "beyond -90 to 60 °C": 1,
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("date,value\n2000-01-01,1\n", "not an archive"),
        (text().replace("Lufttemperatur;Kvalitet", "Nederbörd;Kvalitet"), "not an archive"),
        (text(unit="fahrenheit"), "degrees Celsius"),
        (text().replace("73.0;", "höjd;"), "not a position"),
        (text(head="Stationsnamn;Stationsnummer\n\n"), "do not name the station"),
    ],
)
def test_another_file_is_refused(content: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read(content)


def test_a_file_without_values_is_refused() -> None:
    with pytest.raises(InvalidInput, match="holds no values"):
        gathered(text(""))


def test_earlier_sites_are_flagged() -> None:
    hours = gathered(text()).hours
    assert hours is not None
    site = "at an earlier site (2.4 km away, 73 m above the sea, now 25)"
    assert hours.flags.tolist() == [f"not fully checked; {site}", "", "", ""]


def test_of_values_at_the_same_time_the_fresher_counts() -> None:
    later = ROWS.replace("0.8;G", "0.9;G") + "2000-01-03;06:00:00;5.0;G\n"
    for order in ((ROWS, later), (later, ROWS)):
        hours = gathered(*(text(rows) for rows in order)).hours
        assert hours is not None
        assert hours.values.tolist() == [-2.4, 0.9, 1.0, 0.0, 5.0]


def test_within_a_file_the_first_counts_and_a_contradiction_is_told() -> None:
    again = ROWS + "2000-01-02;06:00:00;7.0;G\n2000-01-02;06:00:00;0.0;G\n"
    found = gathered(text(again))
    assert found.hours is not None
    assert found.hours.values.tolist() == [-2.4, 0.8, 1.0, 0.0]
    assert "twice in one file" in " ".join(found.provenance.refused)


def test_files_of_one_station_are_one_and_of_two_are_two() -> None:
    means = text("2026-03-29 00:00:01;2026-03-30 00:00:00;2026-03-29;5.3;Y\n", kind=INTERVAL)
    other = text().replace("Prov;7", "Annan;8")
    files = [(Path(str(n)), content) for n, content in enumerate([text(), other, means])]
    one, two = smhi.read_files(files, NOW)
    assert (one.station.name, two.station.name) == ("Prov", "Annan")
    assert one.days is not None
    assert one.days.values.tolist() == [5.3]
    assert two.days is None
    assert one.station.zone == "Europe/Stockholm"
    assert (one.station.latitude, one.station.height) == (55.693, 25)


@pytest.mark.shared
def test_the_real_archives(shared: Path) -> None:
    folder = shared / "data" / "smhi" / "metobs_csv"
    counts = {}
    for path in sorted(folder.glob("*.csv.gz")):
        archive = smhi.read_archive(read_text(path), str(path))
        assert archive.refused == {}
        assert np.all(np.diff(archive.times.astype(np.int64)) > 0)
        counts[archive.id] = (len(archive.times), len(archive.positions))
    assert counts == {
        "105370": (58_770, 3), "180960": (61_483, 1), "52230": (156_321, 1),
        "53430": (57_096, 3), "72630": (98_614, 1),
    }  # fmt: skip


@pytest.mark.shared
def test_real_answers_of_the_api(shared: Path) -> None:
    folder = shared / "data" / "smhi" / "api_captures"
    archive = smhi.read_archive((folder / "corrected-archive_data.csv").read_text("utf-8"), "x")
    assert (archive.name, archive.values.tolist()) == ("Akalla", [5.3, 5.3])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("parameter/1.json"):
            body = (folder / "stations.http.txt").read_text("utf-8").partition("\n\n")[2]
            return httpx.Response(200, text=body)
        return httpx.Response(200, text=(folder / "latest-hour_p1_s99280.json").read_text("utf-8"))

    with fetching(answer).client(smhi.SMHI) as asking:
        (akalla,) = smhi.stations(asking)
    assert (akalla.id, akalla.name, akalla.active) == ("1", "Akalla", False)
    reading = smhi.latest_reading(fetching(answer), "99280")
    assert reading == smhi.Reading(datetime(2022, 12, 7, 15, tzinfo=UTC), 1.4)


# Stations


@pytest.fixture
def listed() -> list[smhi.Listed]:
    def station(id: str, name: str, place: tuple[float, float], active: bool, *years: int):  # type: ignore[no-untyped-def]
        since, until = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp() * 1000) for y in years)
        return smhi.Listed(id, name, *place, 10.0, active, since, until)

    return [
        station("72630", "Göteborg", (57.6996, 11.9673), False, 1871, 1961),
        station("71420", "Göteborg A", (57.7157, 11.9925), True, 1961, 2026),
        station("97200", "Stockholm-Bromma Flygplats", (59.35, 17.95), True, 1945, 2026),
        station("98210", "Stockholm-Observatoriekullen", (59.342, 18.055), True, 1859, 2026),
        station("98230", "Stockholm-Observatoriekullen A", (59.342, 18.055), True, 1996, 2026),
        station("1", "Akalla", (59.41, 17.91), True, 2020, 2026),
    ]


@pytest.mark.parametrize(
    ("words", "id"),
    [
        ("98230", "98230"),
        ("Göteborg", "71420"),
        ("goteborg a", "71420"),
        ("72630", "72630"),
        ("Stockholm", "98210"),
        ("stockholm-bromma", "97200"),
        ("57.7, 12.0", "71420"),
        ("59.4,17.9", "97200"),
    ],
)
def test_a_station_is_found_by_what_people_say(
    listed: list[smhi.Listed], words: str, id: str
) -> None:
    assert smhi.find(listed, words).id == id


def test_a_station_that_is_not_there(listed: list[smhi.Listed]) -> None:
    with pytest.raises(UnknownName, match="Göteborg"):
        smhi.find(listed, "Götebrog")
    with pytest.raises(InvalidParameter, match="no place on Earth"):
        smhi.find(listed, "95,10")
    with pytest.raises(UnknownName):
        smhi.find(listed, "  ")
    with pytest.raises(UnknownName):
        smhi.find([listed[0]], "57.7,12")


def test_what_a_station_goes_on_from(listed: list[smhi.Listed]) -> None:
    assert [one.id for one in before(listed, listed[1])] == ["72630"]
    assert [one.id for one in before(listed, listed[4])] == ["98210"]
    assert before(listed, listed[3]) == []
    far = replace(listed[0], latitude=58.5)
    assert before([far, *listed[1:]], listed[1]) == []


# The API


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(client._Pace, "wait", lambda pace: None)
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def fetching(
    handler: Handler, cache: Path | None = None, now: datetime = NOW, log: MemoryLog | None = None
) -> Fetching:
    return Fetching(log or MemoryLog(), now, (), httpx.MockTransport(handler), cache)


def station(pretend: PretendSMHI, id: str) -> PretendStation:
    return next(one for one in pretend.stations if one.id == id)


def check(pretend: PretendSMHI, found: Measured) -> None:
    """The observations are those of all periods, each once."""
    assert found.hours is not None
    own = station(pretend, found.station.id)
    np.testing.assert_array_equal(found.hours.values, own.values(found.hours.times))
    newest = np.concatenate([pretend.observed(own, f"latest-{p}") for p in ("months", "hour")])
    assert found.hours.times[-1] == newest.max()


def test_all_periods_are_put_together() -> None:
    pretend = PretendSMHI.small(NOW)
    (found,) = smhi.fetch_stations(fetching(pretend), ["Exempelby"])
    check(pretend, found)
    assert found.hours is not None
    assert found.days is not None
    assert np.all(np.diff(found.hours.times.astype(np.int64)) > 0)
    years = found.hours.times.astype("datetime64[Y]").astype(int) + 1970
    assert (years[0], years[-1]) == (1961, 2026)
    assert found.station.live == "9002"
    assert found.provenance.licence == "CC BY 4.0"
    moved = np.char.find(found.hours.flags.astype(str), "at an earlier site") >= 0
    assert moved[years < 1990].all()
    assert not moved[years > 1990].any()


def test_a_new_station_goes_on_from_the_old_one_at_its_place() -> None:
    pretend = PretendSMHI.small(NOW)
    log = MemoryLog()
    (found,) = smhi.fetch_stations(fetching(pretend, log=log), ["Påhittsvik"])
    assert found.hours is not None
    assert found.station.id == "9001"
    assert str(found.hours.times[0]) == "1961-01-01T06:00"
    at_old = found.hours.flags == "at Påhittsvik (9000)"
    assert at_old[found.hours.times < np.datetime64("2020-01-01")].all()
    assert not at_old[found.hours.times > np.datetime64("2021-01-02")].any()
    assert "Påhittsvik (9000)" in log.said("notice")[0]["text"]


def test_several_stations_in_one_fetch() -> None:
    pretend = PretendSMHI.small(NOW)
    found = smhi.fetch_stations(fetching(pretend), ["Exempelby", "68.1,20.3", "9002"])
    assert [one.station.id for one in found] == ["9002", "9003"]
    with pytest.raises(Refused, match="too many"):
        smhi.fetch_stations(fetching(pretend), ["Exempelby"] * 13)


def test_a_closed_station_has_its_archive_only() -> None:
    pretend = PretendSMHI.small(NOW)
    (found,) = smhi.fetch_stations(fetching(pretend), ["Provköping"])
    assert found.hours is not None
    assert str(found.hours.times[-1])[:4] == "1989"
    assert found.station.live == ""


@pytest.mark.parametrize("period", ["corrected-archive", "latest-months", "latest-day"])
def test_a_period_that_is_missing_is_no_data(period: str) -> None:
    pretend = PretendSMHI.small(NOW, absent=frozenset({("9002", period)}))
    (found,) = smhi.fetch_stations(fetching(pretend), ["Exempelby"])
    check(pretend, found)


def test_a_station_without_anything_is_refused() -> None:
    nothing = frozenset(("9002", period) for period in ("corrected-archive", *smhi.api.FRESH))
    pretend = PretendSMHI.small(NOW, absent=nothing)
    with pytest.raises(Refused, match="no temperatures of Exempelby"):
        smhi.fetch_stations(fetching(pretend), ["Exempelby"])


@pytest.mark.parametrize("fault", ["error", "busy", "cut-short", "dropped", "not-json"])
def test_faults_that_pass_are_got_over(fault: Fault) -> None:
    pretend = PretendSMHI.small(NOW)
    # JSON is checked; a page of HTML in place of a CSV would be told as what it is.
    faults: dict[int, Fault] = {1: fault, 4: fault, 6: fault}
    network = Faulty(pretend, faults)
    given = Fetching(MemoryLog(), NOW, (), network)
    (found,) = smhi.fetch_stations(given, ["Låtsasfjäll"])
    check(pretend, found)
    assert len(network.asked) > 8


def test_over_real_http_with_faults() -> None:
    pretend = PretendSMHI.small(NOW)
    faulty = Faulty(pretend, {2: "error", 3: "cut-short", 5: "dropped"})
    with Loopback(faulty) as server, closing(Rerouted(server.url)) as network:
        given = Fetching(MemoryLog(), NOW, (), network)
        (found,) = smhi.fetch_stations(given, ["Exempelby"])
    check(pretend, found)


def test_no_network_is_told() -> None:
    given = Fetching(MemoryLog(), NOW, (), Faulty(PretendSMHI.small(NOW), lambda n: "gone"))
    with pytest.raises(Unreachable, match="Is there a network"):
        smhi.fetch_stations(given, ["Exempelby"])


@pytest.mark.parametrize("body", ["[]", "{}", '{"station": 3}', '{"station": [{"key": "1"}]}'])
def test_a_list_that_is_none_is_named(body: str) -> None:
    with pytest.raises(InvalidInput, match=r"parameter/1\.json"):
        smhi.fetch_stations(fetching(lambda _: httpx.Response(200, text=body)), ["Exempelby"])


def test_items_that_are_no_values_are_counted() -> None:
    document = {
        "value": [
            None,
            {"date": 1670425200000, "value": "1.4", "quality": "G"},
            {"date": 1670428800000, "value": "", "quality": "G"},
            {"date": "soon", "value": "1.4", "quality": "G"},
            {"date": 1670432400000, "value": "inf", "quality": "G"},
            {"value": "1.4", "quality": "G"},
            7,
        ]
    }
    refused: dict[str, int] = {}
    times, values, qualities = smhi.api.read_values(document, "here", refused)
    assert times.astype(str).tolist() == ["2022-12-07T15:00", "2022-12-07T16:00"]
    assert values[0] == 1.4
    assert np.isnan(values[1])
    assert qualities == ["G", "G"]
    assert refused == {"an item that is no value": 4}
    nothing: list[dict[str, object]] = [{}, {"value": None}, {"value": []}, {"value": [None]}]
    for silent in nothing:
        assert len(smhi.api.read_values(silent, "here", {})[0]) == 0


# The latest observation


def test_the_latest_observation() -> None:
    pretend = PretendSMHI.small(NOW)
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    reading = smhi.latest_reading(fetching(pretend), "9001")
    assert reading == smhi.Reading(noon, station(pretend, "9001").value(noon))
    assert smhi.latest_readings(fetching(pretend))["9001"] == reading


def test_a_silent_station_has_none() -> None:
    pretend = PretendSMHI.small(NOW, silent=frozenset({"9001"}))
    assert smhi.latest_reading(fetching(pretend), "9001") is None
    assert "9001" not in smhi.latest_readings(fetching(pretend))
    assert smhi.latest_reading(fetching(pretend), "9004") is None  # closed: 404
    assert smhi.latest_reading(fetching(pretend), "4711") is None


def test_a_station_that_fell_asleep_shows_when_it_did() -> None:
    pretend = PretendSMHI.small(NOW, asleep={"9001": timedelta(hours=7)})
    reading = smhi.latest_reading(fetching(pretend), "9001")
    assert reading is not None
    assert reading.time == datetime(2026, 11, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize("fault", ["gone", "error", "busy", "not-json", "cut-short", "dropped"])
def test_a_fault_is_none_and_is_not_waited_for(fault: Fault, tmp_path: Path) -> None:
    network = Faulty(PretendSMHI.small(NOW), lambda n: fault)
    for _ in range(3):
        given = Fetching(MemoryLog(), NOW, (), network, tmp_path)
        assert smhi.latest_reading(given, "9001") is None
    assert len(network.asked) == 1


def test_it_is_asked_for_once_an_hour(tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return PretendSMHI.small(at)(request)

    hours = []
    for minutes in (0, 1, 44, 46, 50, 110):
        at = NOW + timedelta(minutes=minutes)
        reading = smhi.latest_reading(fetching(counting, tmp_path, at), "9001")
        assert reading is not None
        hours.append((reading.time.hour, len(asked)))
    assert hours == [(12, 1), (12, 1), (12, 1), (13, 2), (13, 2), (14, 3)]
    assert asked[0] == f"{BASE}version/1.0/parameter/1/station/9001/period/latest-hour/data.json"


def test_what_was_kept_goes_on_when_the_network_does_not(tmp_path: Path) -> None:
    first = smhi.latest_reading(fetching(PretendSMHI.small(NOW), tmp_path), "9001")
    network = Faulty(PretendSMHI.small(NOW), lambda n: "gone")
    later = Fetching(MemoryLog(), NOW + timedelta(hours=3), (), network, tmp_path)
    assert smhi.latest_reading(later, "9001") == first
    (kept,) = (tmp_path / "latest").iterdir()
    kept.write_text("no JSON")
    assert smhi.latest_reading(later, "9001") is None


# The real API


@pytest.mark.live
def test_the_real_api_has_every_field_that_is_read() -> None:
    """A field that is not there, or is something else, is named by the error."""
    real = Fetching(MemoryLog(), datetime.now(UTC))
    with real.client(smhi.SMHI) as asking:
        listed = smhi.stations(asking)
        assert len(listed) > 500
        tower = smhi.find(listed, "98230")
        base = f"{smhi.api.ROOT}/1/station/{tower.id}"
        periods = {entry["key"] for entry in asking.json(f"{base}.json")["period"]}
        assert {"corrected-archive", *smhi.api.FRESH} <= periods
        document = asking.json(f"{base}/period/latest-months/data.json")
    refused: dict[str, int] = {}
    times, _, qualities = smhi.api.read_values(document, "latest-months", refused)
    assert refused == {}
    assert len(times) > 1000
    assert set(qualities) <= {"G", "Y"}
    (found,) = smhi.fetch_stations(real, ["98230"])
    assert found.hours is not None
    assert found.days is not None
    assert len(smhi.latest_readings(real)) > 100
