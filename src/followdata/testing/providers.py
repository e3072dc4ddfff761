"""Providers of data to test with: functions from request to response, made to fail as real ones do.

A handler can be given to a client as its transport, with or without faults, or be served over
real HTTP on the loopback address.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

import httpx

Handler = Callable[[httpx.Request], httpx.Response]
Fault = Literal["", "busy", "error", "not-json", "cut-short", "dropped", "gone"]


class MemoryLog:
    """A fetch's log that forgets with the process: `pieces` by key, `events` in order."""

    def __init__(self) -> None:
        self.pieces: dict[str, bytes] = {}
        self.events: list[dict[str, Any]] = []

    def piece(self, key: str) -> bytes | None:
        return self.pieces.get(key)

    def keep_piece(self, key: str, content: bytes) -> None:
        self.pieces[key] = content

    def report(self, kind: str, **words: Any) -> None:
        self.events.append({"kind": kind, **words})

    def said(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["kind"] == kind]


class Faulty(httpx.BaseTransport):
    """A handler of which some requests fail, and which knows what was asked.

    `faults` gives the fault of the n-th request, counted from 1: "busy" (429 with
    `retry_after`), "error" (500), "not-json" (200 and a page of HTML), "cut-short" (half the
    body that its headers announce), "dropped" (the connection breaks within the body), "gone" (no
    connection at all).

    >>> network = Faulty(lambda request: httpx.Response(200, json=[]), {1: "error"})
    >>> with httpx.Client(transport=network) as client:
    ...     [client.get("https://data.test/").status_code for _ in range(2)]
    [500, 200]
    """

    def __init__(
        self,
        handler: Handler,
        faults: Mapping[int, Fault] | Callable[[int], Fault] | None = None,
        *,
        retry_after: str = "1",
    ) -> None:
        self._handler = handler
        self._fault = faults if callable(faults) else lambda n: (faults or {}).get(n, "")
        self._retry_after = retry_after
        self._lock = threading.Lock()
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.asked.append(str(request.url))
            fault = self._fault(len(self.asked))
        if fault == "gone":
            raise httpx.ConnectError("no network", request=request)
        if fault == "busy":
            return httpx.Response(429, headers={"Retry-After": self._retry_after})
        if fault == "error":
            return httpx.Response(500, text="Report this to the provider.")
        if fault == "not-json":
            return httpx.Response(200, html="<h1>Maintenance</h1>")
        response = self._handler(request)
        if fault in ("cut-short", "dropped"):
            half = response.content[: len(response.content) // 2]
            response.stream = httpx.ByteStream(half) if fault == "cut-short" else _Dropped(half)
        return response

    __call__ = handle_request


class _Dropped(httpx.SyncByteStream):
    """A body whose connection breaks after `part`."""

    def __init__(self, part: bytes) -> None:
        self._part = part

    def __iter__(self) -> Iterator[bytes]:
        yield self._part
        raise httpx.ReadError("connection reset by peer")


class Loopback:
    """A handler served over HTTP on 127.0.0.1 for as long as the `with` statement lasts.

    What a fault does to a body, it does here to the connection.
    """

    def __init__(self, handler: Handler) -> None:
        self._server = _Server(("127.0.0.1", 0), _answering(handler))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """The address that it answers at, with its port."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Rerouted(httpx.BaseTransport):
    """A network on which every request ends up at `url`, whatever host it was meant for."""

    def __init__(self, url: str) -> None:
        self._to = httpx.URL(url)
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        meant = request.url
        request.url = meant.copy_with(
            scheme=self._to.scheme, host=self._to.host, port=self._to.port
        )
        try:
            return self._transport.handle_request(request)
        finally:
            request.url = meant

    def close(self) -> None:
        self._transport.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that was killed is part of the test."""


def _answering(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = f"http://{self.headers['Host']}{self.path}"
            self.close_connection = self.headers.get("Connection", "").lower() == "close"
            response = handler(httpx.Request("GET", url, headers=dict(self.headers)))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if "content-length" not in response.headers:
                self.send_header("Connection", "close")  # the end of the body is the end of all
            self.end_headers()
            self._send(response)

        def _send(self, response: httpx.Response) -> None:
            assert isinstance(response.stream, httpx.SyncByteStream)
            sent = 0
            try:
                for part in response.stream:
                    sent += self.wfile.write(part)
            except httpx.TransportError:
                self.close_connection = True
            if sent != int(response.headers.get("content-length", 0)):
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Answering
