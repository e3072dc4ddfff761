"""Starting work from a request, and following its journal."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping

from followdata.answer import Scalar
from followdata.errors import RunError
from followdata.runs import Event, Run
from followdata.settings import HOME_VARIABLE
from followdata.store import Store

MOST_AT_ONCE = 2


class Starter:
    """Starts work as processes of their own, so that the server can go and the work stays."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, id: str, arguments: list[str]) -> None:
        """Run `followdata <arguments>` unless the work called `id` is already under way."""
        with self._lock:
            under_way = {
                name: process for name, process in self._processes.items() if process.poll() is None
            }
            self._processes = under_way
            if id in under_way:
                return
            if len(under_way) >= MOST_AT_ONCE:
                raise RunError(
                    f"{MOST_AT_ONCE} runs are under way already.", "Try again when one has ended."
                )
            under_way[id] = subprocess.Popen(  # noqa: S603 -- our own program, no shell
                [sys.executable, "-m", "followdata", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {HOME_VARIABLE: str(self._store.home)},
                start_new_session=True,
            )

    def busy(self, id: str) -> bool:
        """Whether this server's process for `id` is still there."""
        process = self._processes.get(id)
        return process is not None and process.poll() is None


def options(params: Mapping[str, Scalar]) -> list[str]:
    """Parameters as options of the command line; "=" keeps a leading minus from misleading."""
    return [
        f"--{name.replace('_', '-')}={value}" for name, value in params.items() if value is not None
    ]


async def events(
    run: Run, after: int, alive: Callable[[], bool], *, pause: float = 0.15
) -> AsyncIterator[bytes]:
    """A journal as server-sent events (https://html.spec.whatwg.org/#server-sent-events).

    Each has the event's number as its id, so a browser that reconnects goes on from there. The
    stream ends with "end" once the run has ended; `alive` says whether a process that may not
    have written its first word yet is still there.
    """
    quiet = 0.0
    while True:
        ended, fresh = await asyncio.to_thread(_look, run, after, alive)
        for event in fresh:
            after = int(event["n"])
            yield _sse(event)
        if ended and not fresh:
            yield b"event: end\ndata: {}\n\n"
            return
        quiet = 0.0 if fresh else quiet + pause
        if quiet >= 15:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(pause)


def _look(run: Run, after: int, alive: Callable[[], bool]) -> tuple[bool, list[Event]]:
    """Whether the run has ended, and what it has said since; in this order, or words are lost."""
    ended = not alive() and run.state != "running"
    return ended, list(run.events(after))


def _sse(event: Event) -> bytes:
    data = json.dumps(event, ensure_ascii=False)
    return f"id: {event['n']}\nevent: {event['kind']}\ndata: {data}\n\n".encode()
