"""What a story's `fetch` is given: where to read from, and whom to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from followdata.sources.log import Log

if TYPE_CHECKING:
    import httpx

    from followdata.sources.client import Client, Provider


@dataclass(frozen=True)
class Fetching:
    """One fetch: files to read instead of the network, or a transport; and a log.

    `transport` is `None` for the real network. `now` is when the fetch began. `cache` is the folder
    where answers are kept that a later fetch need only ask to be confirmed.
    """

    log: Log
    now: datetime
    paths: Sequence[Path] = ()
    transport: httpx.BaseTransport | None = None
    cache: Path | None = None

    def client(self, provider: Provider) -> Client:
        """A client for `provider` that remembers what it has fetched in this fetch's log."""
        from followdata.sources.client import Client

        return Client(provider, self.log, self.transport, cache=self.cache)

    def progress(self, done: int, total: int, what: str) -> None:
        """Tell how far the fetch is, in pieces."""
        self.log.report("progress", done=done, total=total, what=what)

    def notice(self, text: str) -> None:
        """Say something that the reader should know: rows refused, names not matched."""
        self.log.report("notice", text=text)
