"""Bodies as they are sent and kept."""

from __future__ import annotations

import gzip

import brotli
import pytest
from starlette.requests import Request

from followdata.web.bodies import Body, Kept, Packed

LONG = b"<p>Many towns are alike.</p>" * 200


def asking(**headers: str) -> Request:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": told})


@pytest.mark.parametrize("content", [LONG, b"short"])
def test_what_is_kept_is_sent_as_it_was(content: bytes) -> None:
    body, kept = Body(content, "text/html"), Kept()
    kept.put("key", body)
    found = kept.get("key")
    assert found
    for accepted, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress), ("", bytes)):
        first, again = (one.respond(asking(accept_encoding=accepted)) for one in (body, found))
        assert first.body == again.body
        assert dict(first.headers) == dict(again.headers)
        packed = "content-encoding" in first.headers
        assert packed == bool(accepted and len(content) > 600)
        assert (unpack(bytes(again.body)) if packed else again.body) == content
        tag = again.headers["etag"]
        assert found.respond(asking(if_none_match=tag)).status_code == 304


def test_a_page_is_kept_compressed_and_the_oldest_goes_first() -> None:
    size = Body(LONG, "text/html").packed().size
    assert size < len(LONG) / 10
    kept = Kept(most_bytes=3 * size)
    for number in range(5):
        kept.put(number, Body(LONG, "text/html"))
        kept.get(1)
    assert [number for number in range(5) if kept.get(number)] == [1, 3, 4]
    assert isinstance(kept.get(1), Packed)
