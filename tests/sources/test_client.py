from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

import followdata
from followdata.errors import Refused, SourceError, Unreachable
from followdata.sources.client import Client, Provider, _proxy
from followdata.testing.providers import Fault, Faulty, Loopback, MemoryLog

PROVIDER = Provider("Testdata", "https://data.test/v1", pace=5, attempts=4, patience=60)


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    """What stamina waits for between attempts is its own concern; here it does not wait."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def ask(
    transport: httpx.BaseTransport,
    log: MemoryLog | None = None,
    *,
    clock: Clock | None = None,
    cache: Path | None = None,
    provider: Provider = PROVIDER,
) -> Client:
    clock = clock or Clock()
    return Client(
        provider, log or MemoryLog(), transport, cache=cache, clock=clock, sleep=clock.sleep
    )


def echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"url": str(request.url)})


def test_addresses_are_links_below_the_providers_url() -> None:
    with ask(httpx.MockTransport(echo)) as client:
        assert client.json("kpi/N1,N2", page=2, title=None) == {
            "url": "https://data.test/v1/kpi/N1,N2?page=2"
        }
        assert client.address("/other") == "https://data.test/other"
        assert client.address("https://data.test/v1/x?a=1", b="å") == (
            "https://data.test/v1/x?a=1&b=%C3%A5"
        )


def test_it_says_who_asks_and_what_for() -> None:
    seen: list[httpx.Headers] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, content=b"[1]")

    with ask(httpx.MockTransport(note)) as client:
        assert client.json("a") == [1]
        assert client.bytes("b") == b"[1]"
    assert {headers["user-agent"] for headers in seen} == {f"followdata/{followdata.__version__}"}
    assert [headers["accept"] for headers in seen] == ["application/json", "*/*"]


def test_text_is_decoded_as_said() -> None:
    with ask(
        httpx.MockTransport(lambda r: httpx.Response(200, content="Luleå".encode()))
    ) as client:
        assert client.text("a") == "Luleå"
        assert client.text("a", encoding="latin-1") == "LuleÃ¥"
        with pytest.raises(Refused, match="not text"):
            client.text("a", encoding="ascii")


def test_text_that_came_before_is_not_taken_for_json() -> None:
    with ask(httpx.MockTransport(lambda r: httpx.Response(200, text="<p>"))) as client:
        assert client.text("a") == "<p>"
        with pytest.raises(Refused, match="not JSON"):
            client.json("a")


def test_what_came_once_is_not_asked_for_again() -> None:
    network, log = Faulty(echo), MemoryLog()
    for _ in range(2):
        with ask(network, log) as client:
            assert client.json("kpi") == client.json("https://data.test/v1/kpi")
            assert json.loads(client.text("kpi")) == client.json("kpi")
    assert network.asked == ["https://data.test/v1/kpi"]


def test_requests_keep_the_providers_pace() -> None:
    clock = Clock()
    with ask(httpx.MockTransport(echo), clock=clock) as client:
        for number in range(6):
            client.json("a", n=number)
        assert clock.now == pytest.approx(1001.0)
        clock.now += 10  # a rest is not made up for by a burst
        for number in range(6, 9):
            client.json("a", n=number)
    assert clock.now == pytest.approx(1011.4)


FAULTS: list[Fault] = ["busy", "error", "not-json", "cut-short", "dropped", "gone"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_asked_away(fault: Fault) -> None:
    network, log = Faulty(echo, {1: fault, 2: fault}), MemoryLog()
    with ask(network, log) as client:
        assert client.json("kpi") == {"url": "https://data.test/v1/kpi"}
    assert len(network.asked) == 3
    assert len(log.said("waiting")) == 2
    assert len(log.pieces) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lasting_fault_ends_in_one_clear_line(fault: Fault) -> None:
    network, log = Faulty(echo, lambda n: fault), MemoryLog()
    kind = Unreachable if fault in ("cut-short", "dropped", "gone") else Refused
    with ask(network, log) as client, pytest.raises(kind) as caught:
        client.json("kpi")
    assert len(network.asked) == PROVIDER.attempts
    assert not log.pieces
    line = str(caught.value)
    assert "\n" not in line
    assert "Testdata" in line
    assert "https://data.test/v1/kpi" in line
    assert line.endswith("What has come so far is kept: fetch again to go on.")


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_over_real_http(fault: Fault) -> None:
    served = Faulty(lambda request: httpx.Response(200, json={"n": "x" * 10_000}), {1: fault})
    with (
        Loopback(served) as place,
        Client(
            Provider("Testdata", place.url, pace=1000), MemoryLog(), sleep=Clock().sleep
        ) as client,
    ):
        assert client.json("kpi") == {"n": "x" * 10_000}
    assert len(served.asked) == 2


def test_a_cut_zipped_body_is_no_answer() -> None:
    zipped = gzip.compress(b"[1, 2, 3]")
    bodies = iter([zipped[:12], zipped])

    def answer(request: httpx.Request) -> httpx.Response:
        # Without a Content-Length only the unpacking can tell.
        return httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(next(bodies))
        )

    with ask(httpx.MockTransport(answer)) as client:
        assert client.json("a") == [1, 2, 3]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 414])
def test_a_no_is_taken_for_a_no(status: int) -> None:
    network = Faulty(lambda request: httpx.Response(status))
    with ask(network) as client, pytest.raises(Refused, match=str(status)):
        client.json("kpi")
    assert len(network.asked) == 1


def test_what_is_absent_can_mean_something() -> None:
    network = Faulty(lambda request: httpx.Response(404 if "kpi" in str(request.url) else 400))
    with ask(network) as client:
        assert client.json("kpi", absent=[]) == []
        with pytest.raises(Refused, match="400"):
            client.json("other", absent=[])


def soon(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "0"}, 0.2),  # the pace is kept all the same
        ({"Retry-After": "in 20 s"}, 20),
        ({"Retry-After": "in -20 s"}, 0.2),
        (
            {
                # The provider's clock is years behind; its own two dates are 30 s apart.
                "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT",
                "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
            },
            30,
        ),
        ({"Retry-After": "when I say so"}, 0.2),
        ({}, 0.2),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_made(
    headers: dict[str, str], pause: float, status: int
) -> None:
    clock = Clock()
    if found := re.fullmatch(r"in (-?\d+) s", headers.get("Retry-After", "")):
        headers = {"Retry-After": soon(int(found[1]))}
    replies = iter([httpx.Response(status, headers=headers), httpx.Response(200, json=1)])
    with ask(httpx.MockTransport(lambda request: next(replies)), clock=clock) as client:
        assert client.json("kpi") == 1
    assert clock.now - 1000 == pytest.approx(pause, abs=3 if "GMT" in str(headers) else 0.01)


def test_a_pause_beyond_patience_ends_the_fetch() -> None:
    clock, network = Clock(), Faulty(echo, lambda n: "busy", retry_after="3600")
    with (
        ask(network, clock=clock) as client,
        pytest.raises(Refused, match="Testdata asks for a pause of 3600 s"),
    ):
        client.json("kpi")
    assert len(network.asked) == 1
    assert not clock.slept


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/v1/kpi",
        "http://data.test/v1/kpi",
        "https://data.test:8443/v1/kpi",
        "//evil.test/kpi",
        "https://data.test@evil.test/kpi",
        "ftp://data.test/kpi",
    ],
)
def test_no_request_leaves_the_providers_host(elsewhere: str) -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": elsewhere})

    network = Faulty(redirect)
    with ask(network) as client:
        with pytest.raises(Refused, match="not its own host"):
            client.json(elsewhere)
        assert not network.asked
        with pytest.raises((Refused, Unreachable)):
            client.json("kpi")
    assert network.asked == ["https://data.test/v1/kpi"]


def test_a_redirection_on_the_same_host_is_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/old":
            return httpx.Response(301, headers={"Location": "/v2/new"})
        return echo(request)

    with ask(httpx.MockTransport(answer)) as client:
        assert client.json("old") == {"url": "https://data.test/v2/new"}


def test_redirections_that_go_round_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "/v1/kpi"})

    with ask(httpx.MockTransport(answer)) as client, pytest.raises(SourceError, match="redirects"):
        client.json("kpi")


def test_an_address_that_is_none_is_refused() -> None:
    with ask(httpx.MockTransport(echo)) as client, pytest.raises(Refused, match="address"):
        client.json("https://data.test:port/kpi")


# The cache


@dataclass
class Tagged:
    """A provider whose answer carries an ETag."""

    body: Any = 1
    tag: str = '"one"'
    day: int = 1
    asked: list[str | None] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.headers.get("if-none-match"))
        headers = {
            "ETag": self.tag,
            "Cache-Control": "max-age=86400",
            "Date": format_datetime(datetime(2026, 11, self.day, tzinfo=UTC), usegmt=True),
        }
        if self.asked[-1] == self.tag:
            return httpx.Response(304, headers=headers)
        return httpx.Response(200, json=self.body, headers=headers)


def fetch_again(handler: Callable[[httpx.Request], httpx.Response], cache: Path) -> Any:
    """As a later fetch does: the same cache, but a log of its own."""
    with ask(httpx.MockTransport(handler), cache=cache) as client:
        return client.json("kpi")


def test_a_later_fetch_asks_only_whether_the_answer_still_holds(tmp_path: Path) -> None:
    provider = Tagged()
    cache = tmp_path / "http"
    assert [fetch_again(provider, cache) for _ in range(2)] == [1, 1]
    assert provider.asked == [None, '"one"']
    provider.body, provider.tag, provider.day = 2, '"two"', 2
    assert [fetch_again(provider, cache) for _ in range(2)] == [2, 2]
    assert provider.asked == [None, '"one"', '"one"', '"two"']
    assert [path.name for path in tmp_path.iterdir()] == ["http"]


def test_a_fault_while_asking_again_is_asked_away(tmp_path: Path) -> None:
    provider = Tagged()
    fetch_again(provider, tmp_path)
    for fault in FAULTS:
        assert fetch_again(Faulty(provider, {1: fault}), tmp_path) == 1
    assert provider.asked[-1] == '"one"'


def test_a_bad_body_is_not_stored(tmp_path: Path) -> None:
    tag = {"ETag": '"same"'}
    replies = iter(
        [
            httpx.Response(200, html="<h1>", headers=tag),
            httpx.Response(200, content=b"[1", headers={**tag, "Content-Length": "3"}),
            httpx.Response(200, json=[1], headers=tag),
        ]
    )
    assert fetch_again(lambda request: next(replies), tmp_path) == [1]


def test_nothing_is_stored_that_could_not_be_asked_about(tmp_path: Path) -> None:
    def big(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json="x" * 1_000_000, headers={"Cache-Control": "max-age=9999"})

    fetch_again(big, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 200_000


def test_a_damaged_cache_costs_no_more_than_time(tmp_path: Path) -> None:
    provider = Tagged()
    fetch_again(provider, tmp_path)
    (tmp_path / "cache.db").write_bytes(b"no database" * 1000)
    assert fetch_again(provider, tmp_path) == 1
    assert provider.asked == [None, None]


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    assert _proxy("https://data.test/") == "http://proxy.test:3128"
    monkeypatch.setenv("no_proxy", "data.test")
    assert _proxy("https://data.test/") is None


def test_provenance_is_the_providers_words() -> None:
    provider = Provider(
        "T", "https://data.test/", source="T (in full)", licence="CC0", citation="T"
    )
    when = datetime(2026, 11, 22, 12, tzinfo=UTC)
    provenance = provider.provenance(when, refused=("row 1",))
    assert provenance.source == "T (in full)"
    assert provenance.retrieved == "2026-11-22T12:00:00+00:00"
    assert (provenance.licence, provenance.citation) == ("CC0", "T")
    assert provenance.url == "https://data.test/"
    assert provenance.refused == ("row 1",)
