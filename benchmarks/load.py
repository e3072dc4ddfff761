"""Fifty readers at once: how long they wait, what is refused, and whether memory stays steady.

Each reader opens a page, thinks for some seconds, and opens the next: half of the time one that
many open, else one that nobody has asked for yet. Then all ask at once without thinking. The
readers, the server and whatever else runs share the machine. `LOAD_SECONDS` says how long.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from benchmarks._tables import machine, table
from benchmarks.frame import serving
from followdata.desk import Desk
from followdata.settings import HOME_VARIABLE, Settings

READERS = 50
THINKING = 4.0
"""Seconds on average, spread exponentially."""
GOAL = "200 ms"
KEPT = (
    "/", "/towns", "/towns/distinctive", "/towns/map", "/towns/compare", "/towns/peers",
    "/towns/measure", "/weather/now", "/weather/typical", "/brain/markers",
)  # fmt: skip


@dataclass
class Told:
    """What readers met: how long each answer took, by what they asked, and its status."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    def add(self, kind: str, seconds: float, status: int) -> None:
        self.taken.setdefault(kind, []).append(seconds)
        self.statuses[status] += 1

    def rows(self) -> Iterator[tuple[object, ...]]:
        every = [one for some in self.taken.values() for one in some]
        for kind, some in [*sorted(self.taken.items()), ("all", every)]:
            middle, late, latest = (_part(some, part) for part in (0.5, 0.95, 0.99))
            yield kind, len(some), f"{middle:.0f} ms", f"{late:.0f} ms", f"{latest:.0f} ms", GOAL


def _part(some: list[float], part: float) -> float:
    return sorted(some)[min(len(some) - 1, int(part * len(some)))] * 1000


def main() -> None:
    seconds = float(os.environ.get("LOAD_SECONDS", "60"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        desk = Desk.installed(Settings(Path(folder)))
        for story in ("towns", "weather", "brain"):
            for question in desk.registry[story].question_names:
                desk.open(story).ask(question)
        busy = os.getloadavg()[0]
        print(f"{machine()}; other work on the machine when it began: {busy:.1f} processes.\n")
        with serving() as address:
            for path in KEPT:
                httpx.get(address + path, timeout=60).raise_for_status()
            new = _new_addresses(address)
            told, memory = asyncio.run(_thinking(address, new, seconds))
            _tell(f"{READERS} readers, {THINKING:.0f} s between pages, {seconds:.0f} s", told)
            _tell_memory(memory)
            _tell(f"{READERS} readers, no pause, 10 s", asyncio.run(_rushing(address, new)))


def _tell(what: str, told: Told) -> None:
    table((what, "asked", "median", "95th percentile", "99th", "goal of the 95th"), [*told.rows()])
    print("\nStatuses: " + ", ".join(f"{code}: {n}" for code, n in sorted(told.statuses.items())))
    print()


def _tell_memory(memory: list[tuple[float, float]]) -> None:
    tenths = [memory[int(i * (len(memory) - 1) / 10)] for i in range(11)]
    table(
        ("memory of the server after", *(f"{at:.0f} s" for at, _ in tenths)),
        [("MB", *(f"{size:.0f}" for _, size in tenths))],
    )
    print()


def _new_addresses(address: str) -> Callable[[random.Random], tuple[str, str]]:
    """Draws a kind of page and an address that hardly anybody has asked for."""
    things = [r["thing"] for r in httpx.get(f"{address}/towns/map.json").json()["tables"]["map"]]
    found = httpx.get(f"{address}/towns/measure/names", params={"parameter": "measure", "q": ""})
    measures = [one["name"] for one in found.json()["names"]]
    markers = httpx.get(f"{address}/brain/markers.json").json()["tables"]["markers"]
    genes = [record["gene"] for record in markers]

    def draw(chance: random.Random) -> tuple[str, str]:
        one, other = (quote(name) for name in chance.sample(things, 2))
        measure, top = quote(chance.choice(measures)), chance.randint(5, 40)
        x, y = chance.sample(range(1, 9), 2)
        return chance.choice(
            [
                ("distinctive", f"/towns/distinctive?thing={one}&top={top}"),
                ("compare", f"/towns/compare?a={one}&b={other}"),
                ("peers", f"/towns/peers?thing={one}"),
                ("map", f"/towns/map?x={x}&y={y}&thing={one}"),
                ("measure", f"/towns/measure?measure={measure}&thing={one}"),
                ("weather now", f"/weather/now?temperature={chance.uniform(-20, 40):.2f}"),
                ("expression", f"/brain/expression?gene={quote(chance.choice(genes))}"),
                ("JSON", f"/towns/distinctive.json?thing={one}&top={top}"),
                ("CSV", f"/towns/compare.csv?a={other}&b={one}"),
            ]
        )

    return draw


async def _thinking(
    address: str, new: Callable[[random.Random], tuple[str, str]], seconds: float
) -> tuple[Told, list[tuple[float, float]]]:
    told, end = Told(), time.monotonic() + seconds
    memory: list[tuple[float, float]] = []
    pid = _server_of(httpx.URL(address).port or 0)

    async def watch() -> None:
        while time.monotonic() < end:
            memory.append((seconds - (end - time.monotonic()), _megabytes(pid)))
            await asyncio.sleep(min(5.0, seconds / 11))

    async def read(number: int) -> None:
        chance = random.Random(number)
        await asyncio.sleep(chance.uniform(0, THINKING))
        reader = _Reader(address)
        while time.monotonic() < end:
            if chance.random() < 0.5:
                kind, path = "asked before", chance.choice(KEPT)
            else:
                kind, path = new(chance)
                kind = f"new: {kind}"
            told.add(kind, *await reader.get(path))
            await asyncio.sleep(min(30.0, chance.expovariate(1 / THINKING)))

    await asyncio.gather(watch(), *(read(number) for number in range(READERS)))
    memory.append((seconds, _megabytes(pid)))
    return told, memory


async def _rushing(address: str, new: Callable[[random.Random], tuple[str, str]]) -> Told:
    told, end = Told(), time.monotonic() + 10

    async def read(number: int) -> None:
        chance, reader = random.Random(1000 + number), _Reader(address)
        while time.monotonic() < end:
            _, path = ("", chance.choice(KEPT)) if chance.random() < 0.5 else new(chance)
            told.add("any", *await reader.get(path))

    await asyncio.gather(*(read(number) for number in range(READERS)))
    return told


class _Reader:
    """A browser that does as little as it can: what is measured is the server."""

    def __init__(self, address: str) -> None:
        self._url = httpx.URL(address)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[float, int]:
        """How long it took, and the status."""
        start = time.perf_counter()
        for _ in range(2):
            try:
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._url.host, self._url.port)
                status = await self._ask(*self._streams, path)
                return time.perf_counter() - start, status
            except (asyncio.IncompleteReadError, ConnectionError):
                self._streams = None  # it was closed while the reader thought
        return time.perf_counter() - start, 0

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
    ) -> int:
        host = f"{self._url.host}:{self._url.port}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: br\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


def _server_of(port: int) -> int:
    """The process whose command line serves on `port`."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"serve" in words and str(port).encode() in words:
            return int(path.parent.name)
    raise LookupError(port)


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
