"""What every answer of the server carries, who is answered, and who may have work started.

Headers follow OWASP's secure headers (https://owasp.org/www-project-secure-headers/): no script,
style, picture or connection but our own, nothing inline, no `unsafe-eval`, no framing. There are
no cookies. `Referrer-Policy` is not the stricter `no-referrer`, under which browsers hide from us
too where a form was sent from.
"""

from __future__ import annotations

import asyncio
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""The names under which a browser on this machine knows it."""
SLOWEST_BODY = 15.0
"""Seconds in which a form must have come."""


class SecureHeaders:
    """ASGI middleware that adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, secured)


def known_hosts(host: str, known_as: tuple[str, ...]) -> list[str]:
    """Which names a server that listens on `host` answers to.

    On the loopback address only to those of this machine: a page of another site whose name is
    made to point here (DNS rebinding) sends its own name. On any other address to all names,
    unless some are given.

    >>> known_hosts("127.0.0.1", ()), known_hosts("0.0.0.0", ())
    (['localhost', '127.0.0.1', '[::1]', '127.0.0.1'], ['*'])
    """
    if is_loopback(host):
        return [*LOOPBACK, host, *known_as]
    return [*LOOPBACK, host, *known_as] if known_as else ["*"]


def may_start_runs(request: Request, *, allow_all: bool) -> bool:
    """Whether this request may have work started.

    It must not come from another site's page, and unless all are allowed it must come from this
    machine, to a name of this machine.
    """
    if from_elsewhere(request):
        return False
    return allow_all or is_here(request)


def from_elsewhere(request: Request) -> bool:
    """Whether another site's page made the browser send this.

    Browsers say so in Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/), and older ones by
    naming that page's site; programs that are not browsers say none of these.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    own = request.headers.get("host", "")
    named = (request.headers.get("origin"), request.headers.get("referer"))
    return any(urlsplit_host(address) != own for address in named if address)


def is_here(request: Request) -> bool:
    """Whether this request comes from this machine and was sent to a name of this machine.

    What a proxy on this machine passes on for others was sent to another name.
    """
    client = request.client.host if request.client else ""
    name = urlsplit_host(f"//{request.headers.get('host', '')}", port=False)
    return is_loopback(client) and is_loopback(name)


def urlsplit_host(address: str, *, port: bool = True) -> str:
    """The host of an address, with its port or without; "" for one that cannot be read.

    >>> urlsplit_host("http://127.0.0.1:8000/towns"), urlsplit_host("//[::1]:8000", port=False)
    ('127.0.0.1:8000', '::1')
    """
    try:
        parts = urlsplit(address)
        return parts.netloc if port else parts.hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def body_of(request: Request, most: int) -> bytes:
    """The body of a request, of at most so many bytes and in good time.

    No more is read than that: a body too large, or one that does not come, is refused.
    """
    content = b""
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            async for part in request.stream():
                content += part
                if len(content) > most:
                    raise HTTPException(413, f"More than {most} bytes")
    except TimeoutError:
        raise HTTPException(408, "The form did not come in time") from None
    return content
