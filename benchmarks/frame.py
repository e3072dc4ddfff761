"""The frame: whole processes, answers whose fit is stored, pages a second, the first page."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from benchmarks._tables import machine, seconds, spread, table
from followdata.desk import Desk
from followdata.settings import HOME_VARIABLE, Settings
from followdata.testing.browser import CHROMIUM, FLAGS

GOALS = {
    "help": "0.4 s",
    "ask": "2.5 s",
    "answer": "50 ms",
    "pages": "200",
    "wire": "450 KB",
    "ready": "1 s",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        desk = Desk.installed(Settings(Path(folder)))
        asked = [(name, q) for name, story in desk.registry.items() for q in story.question_names]
        for story, question in asked:
            desk.open(story).ask(question)
        print(f"{machine()}. Medians (least to most).\n")
        processes(asked)
        answers(desk, asked)
        pages()


def processes(asked: list[tuple[str, str]]) -> None:
    """Whole processes on stored data, their code compiled."""
    rows = [("followdata --help", _process("--help"), GOALS["help"])]
    rows += [
        (f"followdata ask {story} {question}", _process("ask", story, question), GOALS["ask"])
        for story, question in asked
    ]
    table(("whole process", "time", "goal"), rows)
    print()


def _process(*arguments: str) -> str:
    command = [sys.executable, "-m", "followdata", *arguments]
    run = partial(subprocess.run, command, capture_output=True, check=True)
    return spread(seconds(run, 7), "s")


def answers(desk: Desk, asked: list[tuple[str, str]]) -> None:
    """Answers in a process that has the data open, the fit stored."""
    rows = []
    for story, question in asked:
        ask = partial(desk.open(story).ask, question)
        rows.append((f"{story} {question}", spread(seconds(ask, 30)), GOALS["answer"]))
    table(("answer, fit stored", "time", "goal"), rows)
    print()


def pages() -> None:
    """A real server process and a load from another, sharing the machine."""
    with serving() as address:
        rows: list[tuple[str, str, str]] = []
        for path in ("/", "/towns/distinctive", "/towns/map", "/weather/now"):
            rows.append((path, f"{asyncio.run(_load(address + path)):.0f}", GOALS["pages"]))
        rows.append(("/towns/distinctive, each thing once", f"{_different(address):.0f}", ""))
        table(("page", "pages a second", "goal"), rows)
        print()
        browser(address)


async def _load(address: str, clients: int = 4, count: int = 2000) -> float:
    """Pages a second for clients that each ask again as soon as they are answered.

    The load shares the machine with the server, so it does as little as it can: it writes the
    same request to an open connection and reads as many bytes as the answer says it has.
    """
    url = httpx.URL(address)
    request = (
        f"GET {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
        "Accept-Encoding: br\r\n\r\n"
    ).encode()

    async def one(asked: int) -> None:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for _ in range(asked):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()

    await one(1)
    start = time.perf_counter()
    await asyncio.gather(*(one(count // clients) for _ in range(clients)))
    return count / (time.perf_counter() - start)


def _different(address: str) -> float:
    """Pages a second when each is asked for the first time."""
    names = httpx.get(f"{address}/towns/map.json").json()["tables"]["map"]
    with httpx.Client(base_url=address) as client:
        start = time.perf_counter()
        for record in names:
            client.get("/towns/distinctive", params={"thing": record["thing"]}).raise_for_status()
        return len(names) / (time.perf_counter() - start)


def browser(address: str) -> None:
    """Bytes on the wire and the time until the first page can be used, in headless Chromium."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for path in ("/", "/towns/map", "/weather/now"):
            taken, wire = [], 0.0
            for _ in range(5):
                context = chromium.new_context()
                page = context.new_page()
                session = context.new_cdp_session(page)
                session.send("Network.enable")
                received: list[float] = []
                session.on(
                    "Network.loadingFinished",
                    lambda event: received.append(event["encodedDataLength"]),  # noqa: B023
                )
                start = time.perf_counter()
                page.goto(address + path)
                page.wait_for_selector("html[data-ready=true]")
                taken.append(time.perf_counter() - start)
                wire = sum(received) / 1000
                context.close()
            rows.append((path, f"{wire:.0f} KB", GOALS["wire"], spread(taken, "s"), GOALS["ready"]))
        chromium.close()
    table(("first visit", "on the wire", "goal", "ready", "goal"), rows)


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server process on the benchmark's data."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "followdata", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(address)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
