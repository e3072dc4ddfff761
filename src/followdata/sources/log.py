"""Whom a fetch tells, and who remembers what it has brought."""

from __future__ import annotations

from typing import Any, Protocol


class Log(Protocol):
    """Remembers pieces of an unfinished fetch, and tells of its progress."""

    def piece(self, key: str) -> bytes | None: ...
    def keep_piece(self, key: str, content: bytes) -> None: ...
    def report(self, kind: str, **words: Any) -> None: ...


class Silence:
    """The log of a quick look: it remembers nothing and tells nobody."""

    def piece(self, key: str) -> bytes | None:
        return None

    def keep_piece(self, key: str, content: bytes) -> None:
        pass

    def report(self, kind: str, **words: Any) -> None:
        pass
