"""Answers being worked out: few at once, the same one only once, and nobody waits without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool

from followdata.errors import Busy
from followdata.web.bodies import Body, Kept, Packed

AT_ONCE = 4
"""More at once would only share the same processor, and make all of them late."""
MOST_WAITING = 64
PATIENCE = 50.0
"""Seconds that a request waits for its answer."""


@dataclass
class Workshop:
    """Works answers out in threads, for one server process.

    What is under way is shared by all who ask for it. Who would be in a queue of more than
    `most_waiting`, or has waited for `patience` seconds, is told to come back: what was begun goes
    on and is kept, so the next time it is there.
    """

    kept: Kept
    at_once: int = AT_ONCE
    most_waiting: int = MOST_WAITING
    patience: float = PATIENCE
    _under_way: dict[Hashable, asyncio.Task[Body]] = field(default_factory=dict)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)

    async def body(
        self, key: Hashable, make: Callable[[], Body], *, asker: object = None
    ) -> Body | Packed:
        """What is kept under `key`, else what `make` gives; raises `Busy`.

        Only those with the same rights, as `asker` says them, share what is under way.
        """
        kept = self.kept.get(key)
        return kept if kept is not None else await self.work((key, asker), make, keep_as=key)

    async def work(
        self, key: Hashable, make: Callable[[], Body], *, keep_as: Hashable = None
    ) -> Body:
        """What `make` gives, shared with all who ask for `key` meanwhile; raises `Busy`."""
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= self.at_once + self.most_waiting:
                raise Busy("Too many are asking just now.", retry_after=2)
            task = asyncio.create_task(self._made(make, keep_as))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._end(key, done))
        # Shielded: who gives up does not take the answer from the others.
        done, _ = await asyncio.wait({task}, timeout=self.patience)
        if not done:
            raise Busy("This answer takes longer than a page can wait.", retry_after=10)
        return task.result()

    async def _made(self, make: Callable[[], Body], keep_as: Hashable) -> Body:
        async with self._places:
            body = await run_in_threadpool(lambda: make().compress())
        if keep_as is not None and body.may_be_kept:
            self.kept.put(keep_as, body)
        return body

    def _end(self, key: Hashable, done: asyncio.Task[Any]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen, also where nobody waits for it any more
