"""Connections that are not kept open for who does not use them.

uvicorn closes a connection that is idle between requests. It waits without end for a request that
never comes whole, and for a reader that never reads; here both have a time.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

TO_ASK = 10.0
"""Seconds from the first word of a request, or from connecting, to the end of its headers."""
TO_READ = 30.0
"""Seconds in which a reader must take some of what is sent."""


class PatientConnection(H11Protocol):
    """A connection of HTTP/1.1 with a time for each thing that the other side has to do."""

    _asking: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._asking = self.loop.call_later(TO_ASK, self._hang_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # `None` before the first request
        if cycle is not None and not cycle.response_complete:
            self._stop_asking()
        elif self._asking is None:
            self._asking = self.loop.call_later(TO_ASK, self._hang_up)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop_asking()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(TO_READ, self._hang_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_asking()
        self._stop_reading()
        super().connection_lost(exc)

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _hang_up(self) -> None:
        self.transport.abort()
