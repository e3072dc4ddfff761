"""A thousand and more inputs that mean harm, against a real server process.

Parameters of every question, addresses that try to lead outside, and whatever the OpenAPI document
allows (schemathesis, dependency group `dev`). Counted: answers by status; and what must not be: a
500, a traceback in what the server says, a file outside the data directory.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from benchmarks._tables import machine, table
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE

PIECES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)",
    "' OR 1=1", "../", "..\\", "%2e%2e%2f", "%00", "\x00", "\r\nSet-Cookie: a=b", "\u202e",
    "\x1b[2J", "{{7*7}}", "${jndi:ldap://x}", "=1+1", "/dev/zero", "/etc/passwd", "~root", "C:\\",
    "NaN", "1e400", "-0", "9" * 50, "0001-01-01", "9999-12-31T23:59", "10000-01-01", "١٢٣",
    "ａｄｍｉｎ", "🧨", "\ud83d", "A" * 300, "", " ", ",", ";", "|", "&", "#", "Sweden", "Norway",
    "sample", "all", "2026-11-22", "1", "3", "0.5", "-40", "1,2", "pca",
    "2020-02-29T23:59", "hf_score",
)  # fmt: skip
RESERVED = ("data", "limit", "offset", "table", "view", "theme", "size")
FORMS = ("", ".json", ".csv", ".svg")
COUNT = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, said = Path(folder) / "home", Path(folder) / "said.txt"
        with said.open("wb") as log:
            port = _free_port()
            process = subprocess.Popen(
                [sys.executable, "-m", "followdata", "serve", "--port", str(port)],
                env=os.environ | {HOME_VARIABLE: str(home)},
                stderr=log,
            )
            try:
                _wait(port)
                before = _around(home)
                rows = [
                    ("parameters", *_asked(port, _parameters())),
                    ("addresses", *_asked(port, _addresses())),
                    ("what OpenAPI allows (schemathesis)", *_schemathesis(port)),
                ]
                left = _around(home) - before
            finally:
                process.terminate()
                process.wait()
        words = said.read_text(encoding="utf-8", errors="replace")
        print(f"{machine()}.\n")
        table(("inputs", "asked", "answers by status", "500"), rows)
        tracebacks = words.count("Traceback")
        print(f"\nTracebacks in what the server said: {tracebacks}.")
        print(f"Files made outside the data directory: {len(left - {'said.txt'})}.")


def _parameters() -> Iterator[str]:
    """Addresses of questions with one to three hostile values."""
    chance = random.Random(1)
    asked = [
        (f"/{name}/{question}", list(story.question(question).parameters))
        for name, story in Registry.installed().items()
        for question in story.question_names
        if not story.question(question).long  # each would be a training
    ]
    for number in range(COUNT):
        address, names = asked[number % len(asked)]
        form = chance.choice(FORMS[:3] if number % 10 else FORMS)
        chosen = chance.sample(names, min(len(names), chance.randint(1, 2)))
        if chance.random() < 0.2:
            chosen.append(chance.choice((*RESERVED, chance.choice(PIECES))))
        query = "&".join(f"{_quoted(name)}={_quoted(_value(chance))}" for name in chosen)
        yield f"{address}{form}?{query}"


def _addresses() -> Iterator[str]:
    """Paths put together from what leads outside."""
    chance = random.Random(2)
    starts = ("/", "/assets/", "/runs/", "/towns/", "/towns/map/", "/brain/", "//", "/./", "/%2f")
    ends = (
        "",
        ".json",
        "/events",
        "/names",
        ".svg",
        "/export.zip",
        "%00.json",
        "/..;/",
        "?",
        "%23",
    )
    for _ in range(COUNT // 2):
        middle = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
        raw = middle if chance.random() < 0.3 else _quoted(middle)
        address = chance.choice(starts) + raw + chance.choice(ends)
        # What no client can send at all is left to the fuzzers of the HTTP library.
        yield re.sub(r"[^\x21-\x7e]", lambda found: _quoted(found[0]), address)


def _value(chance: random.Random) -> str:
    return "".join(chance.choice(PIECES) for _ in range(chance.choice((1, 1, 1, 2, 3))))


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", errors="surrogatepass"), safe="")


def _asked(port: int, addresses: Iterator[str]) -> tuple[int, str, int]:
    statuses: Counter[int] = Counter()
    for address in addresses:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("GET", address)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        if answer.status == 500:
            print(f"A defect: {address}")
        statuses[answer.status] += 1
        connection.close()
    told = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    return sum(statuses.values()), told, statuses[500]


def _schemathesis(port: int) -> tuple[str, str, str]:
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"http://127.0.0.1:{port}/openapi.json",
        *("--exclude-path-regex", "reconstruction", "--include-path-regex", "json$"),
        *("--checks", f"{checks},response_schema_conformance"),
        *("--phases", "coverage,fuzzing", "--max-examples", "20", "--seed", "1"),
        *("--suppress-health-check", "all", "--request-timeout", "60"),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) generated.*", told.stdout)
    if found is None:
        return "0", f"did not run: {(told.stderr or told.stdout).strip()[-200:]}", ""
    if told.returncode:
        print(told.stdout)
    return found[1], found[0], str(told.stdout.count("Server error"))


def _around(home: Path) -> set[str]:
    """The files beside the data directory and in the folder where the server was started."""
    return {path.name for folder in (home.parent, Path.cwd()) for path in folder.iterdir()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not come up")
