"""A training in a file of its own (.ftd), to be watched again anywhere.

Gzip-compressed lines of JSON, an event each, as in a run's journal: "recording" (version, title),
"grid" (row and column names, and their places in an order that puts like by like), then "frame"
(at, cycle, cycles, error, rows, columns, cells) for each picture. It is written as the training
goes on; one that was cut off can be watched up to there.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from followdata.errors import InvalidInput, StoreError
from followdata.runs import Event

Places = npt.NDArray[np.int64]
Bins = npt.NDArray[np.int8]
VERSION = 1
_PAUSE = 0.1
"""Seconds from one picture to the next, at least."""
_SHARE = 0.02
"""So much of the time goes into recording, at most."""


class Recorder:
    """Writes what it sees of a training to `path`; to be called between its steps.

    A disk that cannot take more ends the recording, not the training: `fault` then says why.

    Raises `StoreError` if the file cannot be begun.
    """

    def __init__(
        self, path: Path, title: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.fault = ""
        self._clock, self._title = clock, title
        self._path, self._file = path, _begun(path)
        self._next = -np.inf
        self._grid = False

    def __call__(self, course: Any) -> None:
        now = self._clock()
        if self.fault or (now < self._next and not course.done):
            return
        moment = course.moment()
        if not self._grid:
            self._grid = True
            self._put({"kind": "recording", "version": VERSION, "title": self._title})
            self._put({"kind": "grid", **course.grid()})
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        words = {"at": at, "cycle": moment.cycle, "cycles": moment.cycles, "error": moment.error}
        self._put({"kind": "frame", **words, **moment.frame()})
        after = self._clock()
        self._next = after + max(_PAUSE, (after - now) / _SHARE)

    def close(self) -> None:
        """End the file."""
        if not self.fault:
            self._trying(self._file.close)

    def _put(self, event: Mapping[str, Any]) -> None:
        def put() -> None:
            self._file.write(json.dumps(event, ensure_ascii=False).encode(errors="replace") + b"\n")
            # What is written so far can be read, should this process be killed.
            self._file.flush()

        if not self.fault:
            self._trying(put)

    def _trying(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.fault = f"The recording {self._path} ends here ({error.strerror or error})."


def _begun(path: Path) -> gzip.GzipFile:
    try:
        return gzip.open(path, "wb", compresslevel=5)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written to ({error.strerror or error}).",
            "Name another file with --record.",
        ) from error


def read(path: Path) -> list[Event]:
    """The events of a recording, as far as it goes.

    Raises `InvalidInput` for a file that is none.
    """
    try:
        # What is there of a file that was cut off is read too, which `gzip` would refuse.
        content = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(path.read_bytes())
        whole = content[: content.rfind(b"\n") + 1]
        events = [json.loads(line) for line in whole.splitlines()]
    except FileNotFoundError:
        raise InvalidInput(str(path), "there is no such file.") from None
    except (OSError, ValueError, zlib.error):
        events = []
    first: Any = events[0] if events else {}
    if not isinstance(first, dict) or first.get("kind") != "recording":
        raise InvalidInput(str(path), "this is no recording of a training.")
    if first.get("version") != VERSION:
        raise InvalidInput(str(path), f"version {first.get('version')} is not known here.")
    return events


@dataclass(frozen=True)
class Told:
    """A training at one moment as a "frame" event tells of it: bins, but no values."""

    frame: Event
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    cycles: int = 0
    alike: tuple[Places, Places] = (np.arange(0), np.arange(0))
    """The places of rows and columns in an order that puts like by like."""
    _bins: Bins = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bins", _bins(self.frame))

    @property
    def cycle(self) -> int:
        return int(self.frame["cycle"])

    @property
    def error(self) -> float:
        return float(self.frame["error"])

    @property
    def shape(self) -> tuple[int, int]:
        return self._bins.shape[0], self._bins.shape[1]

    @property
    def at(self) -> datetime:
        """When it was."""
        return datetime.fromisoformat(str(self.frame["at"]))

    def names(self, axis: str) -> Sequence[str]:
        known = self.rows if axis == "rows" else self.columns
        many = self.shape[0 if axis == "rows" else 1]
        return known if len(known) == many else [str(n + 1) for n in range(many)]

    def bins(self, rows: Places, columns: Places) -> Bins:
        return self._bins[np.ix_(rows, columns)]

    def blocks(
        self,
        rows: Places,
        columns: Places,
        most: tuple[int, int],
    ) -> Bins:
        """The whole table in blocks, as it was told; the cells where these are the whole."""
        whole = _bins(self.frame.get("whole") or self.frame)
        return whole[: most[0], : most[1]]

    def cell(self, row: int, column: int) -> None:
        """Nothing: only bins are told."""
        return

    def order(self, by: str) -> tuple[Places, Places]:
        rows, columns = (np.arange(size) for size in self.shape)
        if by == "table":
            return rows, columns
        if by == "error":
            worst = (-self._bins.mean(axis=axis) for axis in (1, 0))
            down, right = (np.argsort(part, kind="stable") for part in worst)
            return down, right
        return self.alike if len(self.alike[0]) == len(rows) else (rows, columns)


def _bins(frame: Mapping[str, Any]) -> Bins:
    digits = np.frombuffer(str(frame["cells"]).encode(), dtype=np.uint8)
    bins = np.where(digits == ord("-"), 9, digits - ord("0")).astype(np.int8)
    return bins.reshape(int(frame["rows"]), int(frame["columns"]))


def moments(events: Iterable[Event | None]) -> Iterator[Told | None]:
    """The pictures of a journal or a recording, as they come; `None` for each pause without one."""
    grid: Event = {"rows": (), "columns": (), "alike": ((), ())}
    total = 0
    for event in events:
        if event is None:
            yield None
        elif event["kind"] == "grid":
            grid = event
        elif event["kind"] == "progress":
            total = int(event["total"])
        elif event["kind"] == "frame":
            down, right = (np.array(part, dtype=np.int64) for part in grid["alike"])
            cycles = int(event.get("cycles", total))
            yield Told(event, grid["rows"], grid["columns"], cycles, (down, right))
