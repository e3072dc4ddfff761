"""A file sent from a page becomes a story, or leads to the one clear message."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from followdata.testing.tables import workbook
from followdata.web import uploads

TABLE = "town;county;people;area;trees\n" + "".join(
    f"town {n};county {n % 2};{100 + n * n};{n},5;{n % 3}\n" for n in range(1, 13)
)


def sent(client: httpx.Client, content: bytes, name: str, **fields: str) -> httpx.Response:
    return client.post("/open", files={"file": (name, content)}, data=fields)


def test_a_file_becomes_a_story_that_the_running_server_has(client: httpx.Client) -> None:
    told = sent(client, TABLE.encode("cp1252"), "Sent towns.csv")
    assert told.status_code == 303
    assert told.headers["location"] == "/sent-towns"
    page = client.get("/sent-towns")
    assert page.status_code == 200
    assert "Names of the rows" in page.text
    answer = client.get("/sent-towns/map.json")
    assert answer.status_code == 200
    assert answer.json()["story"] == "sent-towns"
    for path in ("/sent-towns/distinctive", "/sent-towns/measure.csv", "/sent-towns/map.svg",
                 "/sent-towns/map/names?parameter=thing&q=town"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    assert "sent-towns" in client.get("/").text
    assert client.get("/sent-towns/nothing").status_code == 404
    assert client.get("/sent-towns/map.pdf").status_code == 404
    assert sent(client, TABLE.encode("cp1252"), "Sent towns.csv").headers["location"] == (
        "/sent-towns"
    ), "the same table is the same story"


def test_what_cannot_be_read_leads_back_to_the_form(
    client: httpx.Client, server_home: Path
) -> None:
    told = sent(client, b"a,b\n1,2\n3\n", "../../ragged <b>.csv")
    assert told.status_code == 422
    assert "ragged" in told.text
    assert "line 3, column 2: the row has 1 values where 2 are expected." in told.text
    assert "<b>" not in told.text
    assert str(server_home) not in told.text
    merged = workbook([["t", "x", ""], ["", "m", "w"], ["a", 1, 2], ["b", 3, 4]], merged="B1:C1")
    assert sent(client, merged, "merged.xlsx", header_row="2").status_code == 303
    # What was sent is removed once it is read, which is just after the answer.
    until = time.monotonic() + 20
    while any((server_home / "aside").glob("*-sent")) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [path.name for path in (server_home / "aside").glob("*-sent")]


def test_what_is_no_form(client: httpx.Client) -> None:
    for content, kind in (
        (b"", "text/plain"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=a"),
        (b"--a\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--a--\r\n",
         "multipart/form-data; boundary=a"),
        (b"--a\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n1",
         "multipart/form-data; boundary=a"),
    ):  # fmt: skip
        told = client.post("/open", content=content, headers={"content-type": kind})
        assert told.status_code == 422, content
    host = client.base_url.netloc.decode()
    with socket.create_connection((client.base_url.host, client.base_url.port), 20) as line:
        head = f"POST /open HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        line.sendall(f"{head}Content-Length: {uploads.LARGEST + 1}\r\n\r\n".encode())
        reply = line.makefile("rb").read().decode()
    assert reply.startswith("HTTP/1.1 422")
    assert "more than 1024 MB" in reply


def test_another_site_may_not_send_files(client: httpx.Client) -> None:
    told = client.post(
        "/open", files={"file": ("x.csv", b"a\n1\n")}, headers={"sec-fetch-site": "cross-site"}
    )
    assert told.status_code == 403


def test_headings_in_a_row_that_is_no_number(client: httpx.Client) -> None:
    told = sent(client, b"a\n1\n", "x.csv", header_row="first")
    assert told.status_code == 422
    assert "“first” is not a whole number" in told.text


def test_too_many_fields_and_files(client: httpx.Client) -> None:
    many = [("file", (f"{n}.csv", b"a\n1\n")) for n in range(uploads.MOST_FILES + 1)]
    assert client.post("/open", files=many).status_code == 422
    twice = [("file", ("x 2001.csv", b"a\n1\n"))] * 2
    assert "two files are called" in client.post("/open", files=twice).text
    fields = {f"f{n}": "x" for n in range(40)}
    told = client.post("/open", files={"file": ("x.csv", b"a\n1\n")}, data=fields)
    assert told.status_code == 422


@pytest.mark.browser
def test_a_file_chosen_in_the_page(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "Chosen.csv"
    path.write_text(TABLE)
    page.goto("/")
    form = page.locator("form.opening")
    form.locator("input[type=file]").set_input_files(path)
    form.get_by_role("button", name="Open", exact=True).click()
    expect(page).to_have_url("/chosen", timeout=30_000)
    page.goto("/chosen/map")
    expect(page.locator("html[data-ready=true]")).to_be_attached(timeout=30_000)
    expect(page.locator("#answer")).to_contain_text("12")
