"""What a story's `fetch` is given: where to read from, and whom to tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from followdata.data import Data
from followdata.errors import FollowdataError
from followdata.sources.log import Log

if TYPE_CHECKING:
    import httpx

    from followdata.sources.client import Client, Provider


@dataclass(frozen=True)
class Fetching:
    """One fetch: files to read instead of the network, or a transport; and a log.

    `transport` is `None` for the real network. `now` is when the fetch began. `cache` is the folder
    where answers are kept that a later fetch need only ask to be confirmed. `keep` stores, under a
    name, data that are not whole yet, at most once in `pause` seconds.
    """

    log: Log
    now: datetime
    paths: Sequence[Path] = ()
    transport: httpx.BaseTransport | None = None
    cache: Path | None = None
    keep: Callable[[str, Data], None] | None = None
    pause: float = 10.0
    _kept: list[float] = field(default_factory=lambda: [time.monotonic()], init=False, repr=False)

    def partly(self, name: str, so_far: Callable[[], Data | None], *, last: bool = False) -> None:
        """Store what has come so far, so that it can be looked at before the whole is there.

        `so_far` makes it, its provenance saying how much it is, or gives `None` where there is
        nothing yet. It is called now and then, and where this is the `last` word before an error
        goes on; then it raises none of its own.
        """
        if self.keep is None or (not last and time.monotonic() < self._kept[0] + self.pause):
            return
        with suppress(*([FollowdataError] if last else [])):
            data = so_far()
            if data is not None:
                self.keep(name, data)
        self._kept[0] = time.monotonic()

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
