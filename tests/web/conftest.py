from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from followdata.settings import HOME_VARIABLE
from followdata.testing.browser import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the server that this worker's tests share."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[str]:
    """The address of a real server process, its samples made."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "followdata", "serve", "--port", str(port)]
    environment = os.environ | {HOME_VARIABLE: str(server_home)}
    said = server_home / "said.txt"
    address = f"http://127.0.0.1:{port}"
    with said.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
        try:
            _wait_until_up(address, process)
            yield address
        except TimeoutError:
            pytest.fail(f"the server did not come up: {said.read_text()}")
        finally:
            process.terminate()
            process.wait(timeout=15)


def _wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{address}/", timeout=20)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError


@pytest.fixture(scope="session")
def client(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("NO BROWSER: install chromium to test the pages as a person sees them")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def faults() -> list[str]:
    """What the page's console told of that should not be."""
    return []


@pytest.fixture
def page(chromium: Browser, server: str, faults: list[str]) -> Iterator[Page]:
    """A page of a fresh browser profile; a word on its console fails the test."""
    context = chromium.new_context(base_url=server, viewport={"width": 1200, "height": 850})
    page = context.new_page()
    page.on("console", lambda said: faults.append(said.text) if said.type in _BAD else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults


_BAD = ("error", "warning")
