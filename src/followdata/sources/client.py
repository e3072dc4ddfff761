"""The one HTTP client. What a provider asks of its users is declared; the rest is common.

A request goes down through four layers, each of which may answer it:

    pieces      what this fetch, or an earlier attempt at it, has already brought
    attempts    asks again when the network, or the provider for the moment, fails (stamina)
    cache       an earlier fetch's answer, if the provider says that it still holds (hishel)
    network     the provider's own host only, at its pace; nothing but whole bodies comes up
"""

from __future__ import annotations

import json
import logging
import time
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from followdata import __version__
from followdata.answer import Provenance
from followdata.errors import Refused, Unreachable

if TYPE_CHECKING:
    from followdata.sources.log import Log

Body = bytes  # `bytes` is a method's name below

KEPT = "What has come so far is kept: fetch again to go on."
_CACHE_BYTES = 256 * 1024**2

# Both would print a bare line to the terminal where no logging is set up; a wait is told to the
# fetch's own log, and a cache that fails only costs time.
for _name in ("stamina", "hishel"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Provider:
    """Who gives the data, and on which terms.

    `url` is where its API begins. At most `pace` requests a second are made, each up to
    `attempts` times, and each waits `timeout` seconds for the provider to say something. A pause
    that the provider asks for is made, up to `patience` seconds; then the fetch ends, to go on
    later. `source`, `licence` and `citation` are the words that go with the data.
    """

    name: str
    url: str
    pace: float = 5.0
    attempts: int = 5
    timeout: float = 30.0
    patience: float = 120.0
    source: str = ""
    licence: str = ""
    citation: str = ""

    def provenance(
        self, retrieved: datetime | str, *, url: str = "", refused: tuple[str, ...] = ()
    ) -> Provenance:
        """Where data that this provider gave come from."""
        return Provenance(
            source=self.source or self.name,
            retrieved=retrieved if isinstance(retrieved, str) else retrieved.isoformat(),
            licence=self.licence,
            url=url or self.url,
            citation=self.citation,
            refused=refused,
        )


class Client:
    """Gets things from one provider, and remembers in `log` what it got.

    An address is relative to the provider's `url`, as a link on a page there would be: `kpi` is
    below it, `/kpi` is not. It may be a whole URL, but only on the provider's own host; a
    redirection elsewhere is not followed either. `query` values of `None` are left out.

    `transport` is the network; `None` for the real one. With `cache`, a folder, an answer that
    carries an ETag or a date is stored there, and a later fetch asks only whether it still holds.
    `clock` (seconds) and `sleep` are what the pace is kept by. Use a client in a `with`
    statement, or `close` it.

    Raises `Unreachable` when no whole answer came, `Refused` when the provider said no.
    """

    def __init__(
        self,
        provider: Provider,
        log: Log,
        transport: httpx.BaseTransport | None = None,
        *,
        cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.provider = provider
        self._log = log
        self._transport = transport
        self._cache = cache
        self._pace = _Pace(provider.pace, clock, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        if "_http" in self.__dict__:
            self._http.close()
            del self._http

    def json(self, address: str, /, *, absent: Any = ..., post: Any = None, **query: Any) -> Any:
        """The reply, read as JSON. With `absent`, that is what a 404 means; else it is refused.

        With `post`, that is sent as JSON, for an API that is asked so; it must change nothing
        there, since it may be asked more than once.
        """
        url = self.address(address, **query)
        body = self._body(url, "json", absent is not ..., post)
        try:
            return absent if body is None else json.loads(body)
        except ValueError:  # it came before, when it need not be JSON
            name = self.provider.name
            raise Refused(f"{name} answered {url} with something that is not JSON.") from None

    def text(
        self, address: str, /, *, encoding: str = "utf-8", begins: str = "",
        absent: str | None = None, **query: Any,
    ) -> str:  # fmt: skip
        """The reply as text. With `absent`, that is what a 404 means; else it is refused.

        A reply that does not begin with `begins`, a byte order mark aside, is taken for a page
        that says that the provider is out of order, and is asked for again.
        """
        url = self.address(address, **query)
        body = self._body(url, f"text:{begins}", absent is not None)
        try:
            return (absent or "") if body is None else body.decode(encoding)
        except UnicodeDecodeError:
            name = self.provider.name
            raise Refused(f"{name} answered {url} with something that is not text.") from None

    def bytes(self, address: str, /, *, absent: Body | None = None, **query: Any) -> Body:
        """The reply as it is. With `absent`, that is what a 404 means; else it is refused."""
        body = self._body(self.address(address, **query), "bytes", absent is not None)
        return (absent or b"") if body is None else body

    def address(self, address: str, /, **query: Any) -> str:
        """The whole URL of an address below the provider's.

        Raises `Refused` for one that leads elsewhere.
        """
        try:
            url = httpx.URL(self.provider.url.rstrip("/") + "/").join(address)
            given = {name: value for name, value in query.items() if value is not None}
            url = url.copy_merge_params(given) if given else url
        except httpx.InvalidURL as error:
            raise Refused(f"{self.provider.name} gave an address that is none: {error}.") from None
        _stay(self.provider, url)
        return str(url)

    def _body(self, url: str, wanted: str, absent: bool = False, post: Any = None) -> Body | None:
        key = url if post is None else f"{url} {json.dumps(post, sort_keys=True)}"
        kept = self._log.piece(key)
        if kept is not None:
            return zlib.decompress(kept)
        body = self._ask(url, wanted, absent, post)
        if body is not None:
            self._log.keep_piece(key, zlib.compress(body, 1))
        return body

    def _ask(self, url: str, wanted: str, absent: bool, post: Any) -> Body | None:
        import stamina

        name = self.provider.name
        asking = stamina.RetryingCaller(
            attempts=self.provider.attempts, timeout=None, wait_initial=1.0, wait_max=30.0
        )
        try:
            return asking(self._whether_again, self._once, url, wanted, post)
        except httpx.HTTPStatusError as error:
            response = error.response
            if response.status_code == httpx.codes.NOT_FOUND and absent:
                return None
            status = f"{response.status_code} {response.reason_phrase}".strip()
            advice = KEPT if _may_pass(response.status_code) else ""
            raise Refused(f"{name} answered {status} to {url}.", advice) from error
        except _Unfit as error:
            raise Refused(f"{name} answered {url} with {error}.", KEPT) from error
        except httpx.RequestError as error:
            raise Unreachable(
                f"{name} {_fault(error)}: {url}.", f"Is there a network? {KEPT}"
            ) from error

    def _once(self, url: str, wanted: str, post: Any) -> Body:
        accept = "application/json" if wanted == "json" else "*/*"
        request = self._http.build_request(
            "GET" if post is None else "POST",
            url,
            json=post,
            headers={"Accept": accept},
            extensions={"wanted": wanted},
        )
        response = self._http.send(request, follow_redirects=True)
        return response.raise_for_status().content

    def _whether_again(self, error: Exception) -> bool | float:
        """Whether to ask again after `error`; a number is the pause to make, in seconds."""
        if isinstance(error, httpx.HTTPStatusError):
            status = error.response.status_code
            if not _may_pass(status):
                return False
            pause = _asked_pause(error.response)
            if pause is not None:
                return self._pause(pause)
            problem = f"answered {status}"
        elif isinstance(error, _Unfit):
            problem = f"answered with {error}"
        elif isinstance(error, httpx.TransportError | httpx.DecodingError):
            problem = _fault(error)
        else:
            return False
        self._log.report("waiting", text=f"{self.provider.name} {problem}.")
        return True

    def _pause(self, seconds: float) -> bool | float:
        name = self.provider.name
        if seconds > self.provider.patience:
            raise Refused(
                f"{name} asks for a pause of {seconds:.0f} s.", f"Try again after that. {KEPT}"
            )
        self._log.report("waiting", seconds=seconds, text=f"{name} asks for {seconds:.0f} s.")
        # The pause is for all requests, so the pace makes it, and the attempt itself waits for
        # nothing more.
        self._pace.hold(seconds)
        return 0.0

    @cached_property
    def _http(self) -> httpx.Client:
        network = _Network(self.provider, self._transport, self._pace)
        return httpx.Client(
            transport=self._cached(network),
            # Fetching again means asking again, whatever time an answer was said to be good for.
            headers={"User-Agent": f"followdata/{__version__}", "Cache-Control": "no-cache"},
            timeout=self.provider.timeout,
        )

    def _cached(self, network: httpx.BaseTransport) -> httpx.BaseTransport:
        if self._cache is None:
            return network
        from hishel import CacheOptions, SqliteStorage
        from hishel.httpx import CacheTransport

        storage = SqliteStorage(database_path=self._cache / "cache.db", max_size=_CACHE_BYTES)
        return CacheTransport(network, storage, rfc=CacheOptions(shared=False))


class _Network(httpx.BaseTransport):
    """The network below the cache.

    Bodies are checked here, because what comes up from here may be stored: one that is cut short
    or is not what was wanted is an error, not an answer.
    """

    def __init__(
        self, provider: Provider, transport: httpx.BaseTransport | None, pace: _Pace
    ) -> None:
        self._provider = provider
        self._own = transport is None
        self._transport = transport or httpx.HTTPTransport(proxy=_proxy(provider.url))
        self._pace = pace

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _stay(self._provider, request.url)
        self._pace.wait()
        response = self._transport.handle_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.SyncByteStream)
        try:
            raw = b"".join(stream)
        finally:
            response.close()
        headers = httpx.Headers(response.headers)
        if response.status_code == httpx.codes.OK:
            _check_whole(response, raw)
            content = httpx.Response(200, headers=headers, content=raw).content
            wanted, _, begins = request.extensions.get("wanted", "").partition(":")
            if wanted == "json":
                _check_json(content)
            elif not content.removeprefix(BOM_UTF8).startswith(begins.encode()):
                raise _Unfit(_told(content, f"something that does not begin with “{begins}”"))
        if "etag" not in headers and "last-modified" not in headers:
            # Nothing to ask about later: to store it would only fill the disk.
            headers["cache-control"] = "no-store"
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=httpx.ByteStream(raw),
            extensions=response.extensions,
            request=request,
        )

    def close(self) -> None:
        if self._own:
            self._transport.close()


class _Pace:
    """Keeps requests apart."""

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._interval = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._free = clock()

    def wait(self) -> None:
        """Wait until the next request may be made."""
        pause = self._free - self._clock()
        if pause > 0:
            self._sleep(pause)
        self._free = max(self._free, self._clock()) + self._interval

    def hold(self, seconds: float) -> None:
        """Let no request be made before `seconds` have passed."""
        self._free = max(self._free, self._clock() + seconds)


class _Unfit(Exception):
    """A whole reply that is not what was wanted, as a page about maintenance is not JSON."""


class _CutShort(httpx.ReadError):
    """A body shorter than its own headers say."""


def _check_whole(response: httpx.Response, raw: Body) -> None:
    said = response.headers.get("content-length", "")
    if said.isdigit() and int(said) != len(raw):
        raise _CutShort(f"{len(raw)} bytes came of {said}")


def _check_json(content: Body) -> None:
    try:
        json.loads(content)
    except ValueError:
        raise _Unfit(_told(content, "something that is not JSON")) from None


def _told(content: Body, what: str) -> str:
    """What came instead, with its first words."""
    begun = " ".join(content[:60].decode("utf-8", "replace").split())
    return f"{what}: “{begun}…”" if begun else "nothing"


def _stay(provider: Provider, url: httpx.URL) -> None:
    own = httpx.URL(provider.url)
    if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
        raise Refused(
            f"{provider.name} points to {url.scheme}://{url.host}, which is not its own host.",
            "Nothing was asked there.",
        )


def _fault(error: httpx.RequestError) -> str:
    """What went wrong with a request, as words that follow the provider's name."""
    cause = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return f"could not be reached ({cause})"
    return f"gave no whole answer ({cause})"


def _may_pass(status: int) -> bool:
    """Whether the provider may answer the same request another time."""
    return status in {408, 425, 429} or httpx.codes.is_server_error(status)


def _asked_pause(response: httpx.Response) -> float | None:
    """The seconds that `Retry-After` asks for: a number or a date (RFC 9110, section 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    until = _http_date(text)
    if until is None:
        return None
    # Measured by the provider's clock where it tells the time, so that ours may be wrong.
    now = _http_date(response.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for `url`, if any."""
    parsed = httpx.URL(url)
    if proxy_bypass(parsed.host):
        return None
    proxies = getproxies()
    return proxies.get(parsed.scheme) or proxies.get("all")
