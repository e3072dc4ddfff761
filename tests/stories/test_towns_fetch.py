from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import stamina

from followdata.desk import Desk
from followdata.errors import DiskFull, InvalidInput, InvalidParameter, Unreachable
from followdata.present import render
from followdata.runs import Event
from followdata.sources import client
from followdata.store import Store
from followdata.testing.kolada import PretendKolada
from followdata.testing.providers import Fault, Faulty, Loopback, Rerouted

RUN = "fetch-towns-year-2022"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of ours needs neither Kolada's pace nor pauses between attempts."""
    monkeypatch.setattr(client._Pace, "wait", lambda pace: None)
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def totals(kolada: PretendKolada) -> dict[tuple[str, str], float]:
    titles = {place["id"]: place["title"] for place in kolada.places if place["type"] == "K"}
    return {
        (titles[code], kpi): value
        for (kpi, code, _), value in kolada.values.items()
        if code in titles and value is not None
    }


def check(desk: Desk, kolada: PretendKolada, name: str = "2022") -> None:
    table = desk.open("towns", name).data
    towns, kpis = table.names("obs").names, table.names("var").names
    values = table.matrix()  # type: ignore[attr-defined]
    held = {
        (town, kpi): values[i, j]
        for i, town in enumerate(towns)
        for j, kpi in enumerate(kpis)
        if not np.isnan(values[i, j])
    }
    assert held == totals(kolada)


def test_a_year_is_fetched_and_opened(desk: Desk) -> None:
    kolada = PretendKolada.small()
    events: list[Event] = []
    dataset = desk.fetch("towns", transport=httpx.MockTransport(kolada), listen=events.append)
    assert dataset.name == "2022"
    check(desk, kolada)
    assert desk.open("towns").dataset.name == "2022"  # the one fetched last, before the sample
    assert dataset.provenance.source == "Kolada (RKA)"
    assert dataset.provenance.retrieved == "2026-11-22T12:00:00+00:00"
    assert dataset.provenance.sha256 == dataset.digest
    kinds = [event["kind"] for event in events]
    assert kinds[-2:] == ["stored", "done"]
    progress = [event for event in events if event["kind"] == "progress"]
    assert (progress[-1]["done"], progress[-1]["total"]) == (59, 59)


def test_other_years_go_by_their_names(desk: Desk) -> None:
    for year in (2021, 2022):
        kolada = PretendKolada.small(year=year)
        desk.fetch("towns", {"year": year}, transport=httpx.MockTransport(kolada))
        check(desk, kolada, str(year))
    with pytest.raises(InvalidParameter, match="between 1990 and 2100"):
        desk.fetch("towns", {"year": 20222})


def test_an_interrupted_fetch_keeps_what_came_and_says_what_is_left(desk: Desk) -> None:
    kolada = PretendKolada.small(page=100)
    first = Faulty(kolada, lambda n: "gone" if n > 6 else "")
    with pytest.raises(Unreachable, match="What has come so far is kept"):
        desk.fetch("towns", transport=first)
    run = desk.runs.get(RUN)
    assert run.state == "failed"
    left = run.progress()
    assert left is not None
    assert (left["done"], left["total"], left["what"]) == (25, 59, "indicators")
    assert [dataset.name for dataset in desk.store.datasets("towns")] == ["2022-partial"]

    second = Faulty(kolada)
    desk.fetch("towns", transport=second)
    check(desk, kolada)
    whole = Faulty(kolada)
    desk.fetch("towns", transport=whole)  # its pieces were dropped, so this one asks for all
    assert first.asked[:6] + second.asked == whole.asked


# What has come so far


def test_what_has_come_can_be_asked_until_the_whole_is_there(desk: Desk) -> None:
    kolada = PretendKolada.small(page=100)
    events: list[Event] = []
    with pytest.raises(Unreachable):
        desk.fetch(
            "towns", transport=Faulty(kolada, lambda n: "gone" if n > 7 else ""),
            listen=events.append,
        )  # fmt: skip
    (told,) = [event for event in events if event["kind"] == "partly"]
    assert (told["data"], told["story"]) == ("2022-partial", "towns")
    opened = desk.open("towns", "2022-partial")
    words = "25 of 59 indicators have come so far"
    assert opened.data.provenance.partial == opened.dataset.provenance.partial == words
    # N10000 is for regions only.
    assert opened.data.names("var").names[:2] == ("N01951", "N10001")
    held = {
        (town, kpi): value
        for town, row in zip(
            opened.data.names("obs").names, opened.data.matrix(), strict=True  # type: ignore[attr-defined]
        )
        for kpi, value in zip(opened.data.names("var").names, row, strict=True)
        if not np.isnan(value)
    }  # fmt: skip
    assert held.items() < totals(kolada).items()
    # Every face says so, and the default stays what is whole, be it the sample.
    answer = opened.ask("measure")
    assert answer.provenance is not None
    assert answer.provenance.partial == words
    assert f"Partial: {words}." in render(answer, "text").decode()
    assert words in render(answer, "html").decode()
    assert json.loads(render(answer, "json"))["provenance"]["partial"] == words
    assert desk.open("towns").dataset.name == "sample"

    desk.fetch("towns", transport=httpx.MockTransport(kolada))
    check(desk, kolada)
    assert [dataset.name for dataset in desk.store.datasets("towns")] == ["2022", "sample"]
    assert len(list((desk.store.home / "datasets").iterdir())) == 2


def test_each_part_takes_the_place_of_the_one_before(desk: Desk) -> None:
    kolada = PretendKolada.small(kpis=200, page=200)
    eager = replace(desk, pause=0.0)
    names: list[str] = []

    def look(event: Event) -> None:
        if event["kind"] == "partly":
            opened = desk.open("towns", "2022-partial")
            names.append(opened.dataset.provenance.partial)
            assert opened.data.matrix().shape[0] == 7  # type: ignore[attr-defined]
            assert len(list((desk.store.home / "datasets").iterdir())) <= 3

    eager.fetch("towns", transport=httpx.MockTransport(kolada), listen=look)
    assert names == [
        f"{done} of 199 indicators have come so far" for done in range(25, 200, 25)
    ]  # before the first segment there is nothing, and after the last the whole
    assert len(list((desk.store.home / "datasets").iterdir())) == 1
    check(desk, kolada)


def test_a_part_does_not_hide_what_was_whole(desk: Desk) -> None:
    kolada = PretendKolada.small()
    desk.fetch("towns", transport=httpx.MockTransport(kolada))
    changed = PretendKolada.small(kpis=50, page=60)
    with pytest.raises(Unreachable):
        desk.fetch("towns", transport=Faulty(changed, lambda n: "gone" if n > 8 else ""))
    assert [dataset.name for dataset in desk.store.datasets("towns")] == ["2022", "2022-partial"]
    assert desk.open("towns").dataset.name == "2022"
    check(desk, kolada)


def test_an_error_while_the_last_part_is_stored_does_not_hide_the_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **named: object) -> None:
        raise DiskFull("No room.")

    monkeypatch.setattr(Store, "keep_partly", full)
    kolada = PretendKolada.small(page=100)
    with pytest.raises(Unreachable):
        desk.fetch("towns", transport=Faulty(kolada, lambda n: "gone" if n > 7 else ""))


FETCH = """
import sys
from pathlib import Path
from followdata.desk import Desk
from followdata.registry import Registry
from followdata.store import Store
from followdata.testing.providers import Rerouted

desk = Desk(Registry.installed(), Store(Path(sys.argv[1])), pause=0.0)
desk.fetch("towns", transport=Rerouted(sys.argv[2]))
"""


def test_what_came_before_a_kill_can_be_asked(desk: Desk, home: Path) -> None:
    kolada = PretendKolada.small(kpis=200, page=100)
    asked: list[str] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return kolada(request)

    with Loopback(answering) as place:
        command = [sys.executable, "-c", FETCH, str(home), place.url]
        with subprocess.Popen(command) as killed:
            for _ in range(600):
                # At Kolada's own pace there is time enough.
                if len(asked) >= 12 and desk.store.datasets("towns"):
                    break
                time.sleep(0.05)
            killed.kill()
        assert desk.runs.get(RUN).state == "interrupted"
        opened = desk.open("towns", "2022-partial")
        assert "of 199 indicators have come so far" in opened.dataset.provenance.partial
        values = opened.data.matrix()  # type: ignore[attr-defined]
        assert 0 < np.isfinite(values).sum() < len(totals(kolada))
        network = Rerouted(place.url)
        desk.fetch("towns", transport=network)
        network.close()
    check(desk, kolada)
    assert [dataset.name for dataset in desk.store.datasets("towns")] == ["2022"]


# Again, faults, files


def test_the_same_figures_again_are_the_same_data_set(desk: Desk) -> None:
    kolada = PretendKolada.small()
    first = desk.fetch("towns", transport=httpx.MockTransport(kolada))
    again = desk.fetch("towns", transport=httpx.MockTransport(kolada))
    assert (first.name, first.digest) == (again.name, again.digest)
    changed = PretendKolada.small(kpis=50)
    other = desk.fetch("towns", transport=httpx.MockTransport(changed))
    assert other.name == "2022.2"
    check(desk, kolada, "2022")
    check(desk, changed, "2022.2")


def test_faults_over_real_http_lose_nothing(desk: Desk) -> None:
    kolada = PretendKolada.small(page=100)
    kinds: list[Fault] = ["busy", "error", "not-json", "cut-short", "dropped", "gone"]
    flaky = Faulty(kolada, lambda n: kinds[n // 2 % 6] if n % 2 else "", retry_after="0")
    with Loopback(flaky) as place:
        network = Rerouted(place.url)
        desk.fetch("towns", transport=network)
        network.close()
    check(desk, kolada)


def test_what_is_kept_for_later_lies_in_the_data_directory(
    desk: Desk, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kolada, asked = PretendKolada.small(page=100), []

    def tagged(request: httpx.Request) -> httpx.Response:
        response = kolada(request)
        tag = f'"{len(response.content)}"'
        asked.append(request.headers.get("if-none-match") == tag)
        return httpx.Response(
            304 if asked[-1] else 200,
            headers={"ETag": tag},
            content=b"" if asked[-1] else response.content,
        )

    for _ in range(2):
        desk.fetch("towns", transport=httpx.MockTransport(tagged))
    check(desk, kolada)
    half = len(asked) // 2
    assert asked == [False] * half + [True] * half
    assert list((home / "http").glob("*.db"))
    assert not list(tmp_path.iterdir())


def test_files_that_are_none_leave_no_data(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"notes\.csv"):
        desk.fetch("towns", paths=[path])
    assert not desk.store.datasets("towns")


@pytest.mark.shared
def test_real_files_end_to_end(desk: Desk, shared: Path) -> None:
    import pandas as pd

    folder = shared / "data" / "kolada"
    names = ("kpi_wide_2022.csv.gz", "kpi_metadata_v3.csv.gz", "kommun_county.csv")
    dataset = desk.fetch("towns", {"year": 2022}, paths=[folder / name for name in names])
    assert dataset.name == "2022"
    table = desk.open("towns", "2022").data
    frame = pd.read_csv(
        folder / names[0], dtype={"municipality_id": str}, float_precision="round_trip"
    ).set_index("municipality_name")
    towns, kpis = ["Umeå", "Lund", "Gotland"], ["N01951", "N00090", "N07803"]
    np.testing.assert_array_equal(
        table.matrix(obs=towns, var=kpis),  # type: ignore[attr-defined]
        frame.loc[towns, kpis].to_numpy(dtype=np.float64),
    )
    whole = table.matrix()  # type: ignore[attr-defined]
    ordered = frame.loc[list(table.names("obs").names), list(table.names("var").names)]
    np.testing.assert_array_equal(whole, ordered.to_numpy(dtype=np.float64))
    assert whole.shape == (290, 1843)
    assert table.names("obs").find("UMEA") == "Umeå"
    assert table.about.size == "N01951"
    assert "from kpi_wide_2022.csv.gz" in table.provenance.source
