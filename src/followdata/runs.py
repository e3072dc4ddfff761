"""Work that takes longer than a request, each with an append-only journal on disk.

    runs/<id>/journal.jsonl   one event a line: n, at, kind, and what that kind says
    runs/<id>/pieces/         what a fetch has brought so far, a file a piece

A run's state is not stored: it follows from the last event and from whether a process holds the
run's lock. So a process that was killed needs nobody to say so.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from followdata.errors import FollowdataError, StoreError, UnknownName
from followdata.store import Store, disk_error, safe_name

State = Literal["running", "done", "failed", "stopped", "interrupted"]
Event = Mapping[str, Any]
Listener = Callable[[Event], None]
_NOTHING: Event = {"n": 0, "kind": ""}
_ENDS: Mapping[str, State] = {"done": "done", "failed": "failed", "stopped": "stopped"}


@dataclass(frozen=True)
class Run:
    """A run as its journal tells it."""

    id: str
    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events whose number is greater than `after`, in order.

        A last line that a killed process left unfinished is passed over.
        """
        if not self.journal.exists():
            return
        with self.journal.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n") and (event := _event(line)) and event["n"] > after:
                    yield event

    def follow(self, after: int = 0, *, pause: float = 0.1) -> Iterator[Event | None]:
        """The events as they come, until the run ends; `None` for each pause without one."""
        while True:
            # Asked first: an event written between the two questions is then still read.
            ended = self.state != "running"
            none = True
            for event in self.events(after):
                after, none = event["n"], False
                yield event
            if ended:
                return
            if none:
                yield None
                time.sleep(pause)

    @property
    def attempt(self) -> int:
        """The number of the event with which the latest attempt began."""
        begun = [event["n"] for event in self.events() if event["kind"] in ("started", "resumed")]
        return int(begun[-1]) if begun else 1

    @property
    def about(self) -> Event:
        """The event that started the run: title, story, question, data, params."""
        return next(self.events(), {"n": 0, "title": self.id})

    @property
    def last(self) -> Event:
        latest = deque(self.events(), maxlen=1)
        return latest.pop() if latest else _NOTHING

    @property
    def state(self) -> State:
        """What has become of it; "interrupted" if its process is gone without a word."""
        # The last word says most; only where it is not an end does the lock matter. Then it is
        # asked first, for the run may end between the two questions.
        ended = _ENDS.get(self.last["kind"])
        if ended is None and self._locked():
            return "running"
        return ended or _ENDS.get(self.last["kind"], "interrupted")

    def progress(self) -> Event | None:
        """The latest event that says how far the run is."""
        latest = None
        for event in self.events():
            if event["kind"] == "progress":
                latest = event
        return latest

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def _locked(self) -> bool:
        import fcntl

        # A shared lock, so that many may ask at once; nothing is written, so any reader may ask.
        try:
            with self.lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        except OSError as error:
            raise disk_error(error, self.folder) from error
        return False


class Journal:
    """The writing end of a run; held by one process at a time."""

    def __init__(
        self,
        run: Run,
        store: Store,
        clock: Callable[[], datetime],
        listen: Listener | None = None,
    ) -> None:
        self.run = run
        self._store, self._clock, self._listen = store, clock, listen
        self._number = run.last["n"]

    def report(self, kind: str, **words: Any) -> None:
        """Append an event."""
        self._number += 1
        at = self._clock().isoformat(timespec="milliseconds")
        event = {"n": self._number, "at": at, "kind": kind, **words}
        line = json.dumps(event, ensure_ascii=False).encode(errors="replace") + b"\n"
        try:
            with self.run.journal.open("ab") as journal:
                journal.write(line)
        except OSError as error:
            with suppress(StoreError):
                self.mend()
            raise disk_error(error, self._store.home) from error
        if self._listen:
            self._listen(event)

    def piece(self, key: str) -> bytes | None:
        """What an earlier attempt stored under `key`."""
        path = self._piece_path(key)
        return path.read_bytes() if path.exists() else None

    def keep_piece(self, key: str, content: bytes) -> None:
        self._store.write(self._piece_path(key), content)

    def _piece_path(self, key: str) -> Path:
        return self.run.folder / "pieces" / hashlib.sha256(key.encode()).hexdigest()[:40]

    def drop_pieces(self) -> None:
        """Forget the pieces, once what they make up is stored whole."""
        for path in (self.run.folder / "pieces").glob("*"):
            path.unlink(missing_ok=True)

    def mend(self) -> None:
        """Cut off a line that a killed process, or a full disk, left unfinished."""
        if not self.run.journal.exists():
            return
        try:
            with self.run.journal.open("r+b") as journal:
                journal.truncate(journal.read().rfind(b"\n") + 1)
        except OSError as error:
            raise disk_error(error, self._store.home) from error


class Runs:
    """The runs of a store."""

    def __init__(self, store: Store, clock: Callable[[], datetime] | None = None) -> None:
        self._store = store
        self._clock = clock or (lambda: datetime.now(UTC))

    def all(self) -> list[Run]:
        """Every run, the latest first."""
        journals = list((self._store.home / "runs").glob("*/journal.jsonl"))
        journals.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        return [Run(path.parent.name, path.parent) for path in journals]

    def get(self, id: str) -> Run:
        run = self.named(id)
        if not run.journal.exists():
            raise UnknownName("run", id, [run.id for run in self.all()[:3]])
        return run

    def named(self, id: str) -> Run:
        """The run of that name, whether it has begun or not."""
        id = safe_name(id)
        return Run(id, self._store.home / "runs" / id)

    @contextmanager
    def start(
        self,
        id: str,
        title: str,
        *,
        listen: Listener | None = None,
        resumes: bool = True,
        **words: Any,
    ) -> Iterator[Journal]:
        """Hold the run `id` and journal its beginning and its end.

        `listen` is called with each event; `resumes` says that it goes on where an attempt was cut
        off. Another process that has it is waited for. The body's
        errors end the run as failed, an interrupt from the keyboard as stopped, and go on to the
        caller.
        """
        run = self.named(id)
        with self._store.hold(run.lock):
            journal = Journal(run, self._store, self._clock, listen)
            journal.mend()
            anew = not resumes or run.last["kind"] in ("", "done")
            journal.report("started" if anew else "resumed", title=title, **words)
            try:
                yield journal
            except FollowdataError as error:
                journal.report("failed", error=error.code, message=str(error))
                raise
            except KeyboardInterrupt:
                journal.report("stopped", message="Stopped from the keyboard.")
                raise
            except Exception as error:
                journal.report("failed", error="defect", message=f"{type(error).__name__}: {error}")
                raise
            else:
                journal.report("done")


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "n" in event else None
