"""Bodies of answers: compressed once, checked by tag, and kept while they are asked for."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import brotli
from starlette.requests import Request
from starlette.responses import Response

MOST_BYTES = 64 * 2**20
_COMPRESSED = {"image/png", "application/zip"}


@dataclass(frozen=True)
class Body:
    """The content of an answer with its media type."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    quality: int = 5
    """Brotli's: 5 for what is made on request, 9 for what is made once."""

    @property
    def may_be_kept(self) -> bool:
        """Whether it went well, and is the same for all who ask."""
        return self.status == 200 and "no-store" not in self.headers.get("Cache-Control", "")

    @cached_property
    def tag(self) -> str:
        return f'W/"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @cached_property
    def _brotli(self) -> bytes:
        compressed: bytes = brotli.compress(self.content, quality=self.quality)
        return compressed

    @cached_property
    def _gzip(self) -> bytes:
        return gzip.compress(self.content, compresslevel=6, mtime=0)

    def compress(self) -> Body:
        """The same, compressed as most browsers take it: before somebody waits for it."""
        if self._is_worth_it:
            _ = self._brotli
        return self

    @property
    def _is_worth_it(self) -> bool:
        """Whether compressing gains anything: not for few bytes, nor for what is compressed."""
        return len(self.content) > 600 and self.media_type not in _COMPRESSED

    def packed(self) -> Body | Packed:
        """The body as it is kept: a page takes a tenth of its room when compressed."""
        if not self._is_worth_it:
            return self
        head = replace(self, content=b"")
        return Packed(head, self._brotli, self.tag)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.content)

    def respond(self, request: Request) -> Response:
        """The body as this browser can take it, or 304 if it has it already."""
        ways: Mapping[str, Callable[[], bytes]] = {}
        if self._is_worth_it:
            ways = {"br": lambda: self._brotli, "gzip": lambda: self._gzip}
        return _response(request, self, self.tag, lambda: self.content, ways)


@dataclass(frozen=True)
class Packed:
    """A body that is kept compressed; `head` is the same without its content."""

    head: Body
    content: bytes
    tag: str

    @property
    def size(self) -> int:
        return len(self.content)

    def respond(self, request: Request) -> Response:
        """As `Body.respond`."""

        def plain() -> bytes:
            content: bytes = brotli.decompress(self.content)
            return content

        ways = {"br": lambda: self.content, "gzip": lambda: gzip.compress(plain(), 6, mtime=0)}
        return _response(request, self.head, self.tag, plain, ways)


def _response(
    request: Request,
    head: Body,
    tag: str,
    plain: Callable[[], bytes],
    ways: Mapping[str, Callable[[], bytes]],
) -> Response:
    """The content in the first of the `ways` to compress it that the browser takes, else plain."""
    headers = {"ETag": tag, "Cache-Control": "no-cache", **head.headers}
    headers["Vary"] = ", ".join(filter(None, ["Accept-Encoding", headers.get("Vary", "")]))
    if head.status == 200 and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    accepted = request.headers.get("accept-encoding", "")
    way = next((way for way in ways if way in accepted), "")
    if way:
        headers["Content-Encoding"] = way
    content = ways[way]() if way else plain()
    return Response(content, head.status, headers, media_type=head.media_type)


class Kept:
    """Bodies by what they answer, those used last, up to a number of bytes.

    A key holds all that an answer follows from, so nothing here is ever out of date, and all of
    it can be made again: a restart loses nothing.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._held = most_bytes, 0
        self._lock = threading.Lock()
        self._bodies: OrderedDict[object, Body | Packed] = OrderedDict()

    def get(self, key: object) -> Body | Packed | None:
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: object, body: Body) -> None:
        packed = body.packed()
        with self._lock:
            if key in self._bodies:
                self._held -= self._bodies.pop(key).size
            self._bodies[key] = packed
            self._held += packed.size
            while self._held > self._most and len(self._bodies) > 1:
                self._held -= self._bodies.popitem(last=False)[1].size
