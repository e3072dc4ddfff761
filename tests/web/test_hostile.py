"""Names, parameters and addresses of somebody who means harm.

`make bench ARGS=hostile` asks a thousand more, and what the OpenAPI document allows.
"""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from followdata.desk import Desk
from followdata.present import render
from followdata.present.letters import ACTIVE
from followdata.registry import Registry
from followdata.store import Store
from followdata.story import Story
from followdata.web import connections
from followdata.web.app import create_app
from followdata.web.connections import PatientConnection

HERE = Path(__file__).parents[1] / "hostile"
QUESTIONS = ("map", "distinctive", "compare", "peers", "measure", "index", "markers", "expression")
SEEN = ("map", "compare", "measure", "expression")
"""These draw every kind of picture that takes names from the data; more take a browser's time."""
TRICKS = [
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e%5c%2e%2e%5cwindows",
    "/assets/%00",
    "/runs/..",
    "/runs/%2e%2e",
    "/runs/%2e%2e.json",
    "/runs/%2e%2e/events",
    "/runs/..%2f..%2fdatasets/events",
    "/runs/%00/events",
    "/runs/" + "a" * 5000,
    "/runs/" + "%C3%A5" * 200 + ".json",
    "/towns/distinctive?data=../../../../etc/passwd",
    "/towns/distinctive?data=..%5c..%5csample",
    "/towns/distinctive?data=sample%00",
    "/towns/distinctive?data=%EF%BD%93ample",
    "/towns/distinctive.csv?table=../x",
    "/towns/export.zip?data=../sample",
    "/towns/export.zip?name=x",
    "//towns//distinctive",
    "/towns/distinctive.json/../../x",
    "/towns/distinctive%2ejson",
    "/towns%00/map",
    "/towns/distinctive?" + "x" * 60_000,
    "/towns/map?" + "&".join(f"a{n}=1" for n in range(900)),
    "/brain/compare.json?samples=/dev/zero",
    "/brain/compare.json?samples=/proc/self/environ",
    "/brain/compare.json?samples=~nobody_of_that_name/x",
    "/brain/compare.json?samples=%00",
    "/brain/compare.json?samples=" + "a/" * 1500,
    "/%ff%fe",
    "*",
    "/towns/distinctive?thing=%ff%fe%ed%a0%80",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with the one story whose data mean harm."""
    sys.path.insert(0, str(HERE))
    home = tmp_path_factory.mktemp("hostile")
    yield Desk(Registry({"hostile": Story("hostile", "hostile")}), Store(home))
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def hostile_server(hostile: Desk) -> Iterator[str]:
    """The address of a server of its own for that story, in a thread."""
    settings = uvicorn.Config(
        create_app(hostile), port=0, log_level="warning", http=PatientConnection, ws="none"
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


# Names


@pytest.mark.browser
def test_no_name_runs_a_script(chromium: Browser, hostile_server: str) -> None:
    """Seen in a browser: the pages draw themselves, and nothing else happens."""
    context = chromium.new_context(base_url=hostile_server)
    page = context.new_page()
    told: list[str] = []
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.on("pageerror", lambda error: told.append(str(error)))
    # A script that was stopped by the policy is a fault too, and the console tells of it.
    page.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    own = (hostile_server, "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(own) else told.append(asked.url))
    for address in ("/", "/hostile", *(f"/hostile/{name}" for name in SEEN)):
        page.goto(address)
        page.wait_for_selector("html[data-ready=true]")
        assert page.evaluate("window.hacked") is None, address
        for mark in page.locator(".chart .mark-symbol path, .chart .mark-rect path").all()[:2]:
            mark.hover(force=True)
        assert page.evaluate("window.hacked") is None, address
        assert page.evaluate("document.querySelectorAll('a[href^=javascript]').length") == 0
    assert not told
    context.close()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_terminal_is_told_nothing(hostile: Desk, name: str) -> None:
    answer = hostile.open("hostile").ask(name)
    assert not ACTIVE.search(render(answer, "text").decode())
    assert not ACTIVE.search(render(answer, "json").decode())


def test_a_page_that_stands_alone_holds_no_active_letter(hostile: Desk) -> None:
    page = render(hostile.open("hostile").ask("measure"), "html").decode()
    assert not ACTIVE.search(page)
    assert "<svg" in page
    assert "<script" not in page


# Parameters and addresses


ANY_TEXT = st.text(max_size=60) | st.sampled_from(
    ["NaN", "1e400", "-1e308", "9" * 400, "0001-01-01", "9999-12-31T23:59",
     "2026-11-22T12:00+14:00", "%", "\x00", "a,b,\"", '"', ",,,", "\u202e", "Sweden,Norway",
     "a\r\nb", "1,5", "١٢", "all", "-0"]
)  # fmt: skip
PARAMETERS = [
    (f"/{name}/{question}", parameter)
    for name, story in Registry.installed().items()
    for question in story.question_names
    for parameter in story.question(question).parameters
    if not story.question(question).long
]


@given(st.sampled_from(PARAMETERS), ANY_TEXT, st.sampled_from(["", ".json", ".csv"]))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_parameter_is_a_defect(
    client: httpx.Client, asked: tuple[str, str], value: str, form: str
) -> None:
    address, parameter = asked
    answer = client.get(f"{address}{form}", params={parameter: value})
    assert answer.status_code in (200, 404, 422), answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick[:50])
def test_no_address_leads_outside(client: httpx.Client, server_home: Path, trick: str) -> None:
    before = {path.name for path in server_home.parent.iterdir()}
    url = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    # As it is: a client of HTTP would put the address in order first.
    connection.putrequest("GET", trick, skip_host=True)
    connection.putheader("Host", url.netloc)
    connection.endheaders()
    answer = connection.getresponse()
    said = answer.read().decode(errors="replace")
    connection.close()
    assert answer.status in (200, 400, 404, 405, 422), said
    assert "root:" not in said
    assert "Traceback" not in said
    assert {path.name for path in server_home.parent.iterdir()} == before


def test_a_header_cannot_be_smuggled_in(client: httpx.Client) -> None:
    answer = client.get("/towns/distinctive?thing=a%0d%0aSet-Cookie:%20x=1")
    assert "set-cookie" not in answer.headers


# Who is answered


def test_another_name_for_this_machine_is_not_answered(client: httpx.Client) -> None:
    """DNS rebinding: the page of another site whose name is made to point here."""
    for host in ("example.invalid", "127.0.0.1.example.invalid", "", "[::1", "a" * 5000):
        assert client.get("/towns", headers={"Host": host}).status_code == 400
    for host in ("localhost", "localhost:1", "[::1]:8000", "127.0.0.1"):
        assert client.get("/towns", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://example.invalid"},
        {"Origin": "null"},
        {"Referer": "http://example.invalid/page"},
        {"Origin": "http://[::1"},
    ],
    ids=str,
)
def test_no_other_site_starts_work_here(client: httpx.Client, headers: dict[str, str]) -> None:
    for address in (
        "/autoencode/reconstruction.json?seed=78",
        "/autoencode/reconstruction?seed=78",
    ):
        assert client.get(address, headers=headers).status_code == 403
    assert client.post("/towns/fetch", headers=headers).status_code == 403
    file = {"samples": "/etc/hostname"}
    assert client.get("/brain/compare.json", params=file, headers=headers).status_code == 403


def test_there_are_no_cookies(client: httpx.Client) -> None:
    for address in ("/", "/towns/map", "/towns/map.json", "/runs", "/nowhere"):
        assert "set-cookie" not in client.get(address, headers={"Cookie": "a=b"}).headers


# Sizes and times


def test_a_form_has_a_largest_size(client: httpx.Client) -> None:
    assert client.post("/towns/fetch", content=b"x" * 20_000).status_code == 413
    many = "&".join(f"a{n}=1" for n in range(200)).encode()
    assert client.post("/towns/fetch", content=many).status_code in (404, 422)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_who_does_not_ask_is_hung_up_on(
    hostile_server: str, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "TO_ASK", 0.3)
    url = urlsplit(hostile_server)
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(begun)
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_who_does_not_read_is_hung_up_on(
    hostile_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TO_READ", 0.3)
    url = urlsplit(hostile_server)
    asset = httpx.get(f"{hostile_server}/hostile/map").text.split('data-vega="')[1].split('"')[0]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect((url.hostname, url.port))
        ask = f"GET {quote(asset)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        connection.sendall(ask * 12)
        time.sleep(1.5)
        received = 0
        with suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                received += len(part)
    assert received < 12 * 800_000
