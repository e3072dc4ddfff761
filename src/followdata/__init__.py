"""followdata lets anyone follow a question through public data.

>>> import followdata
>>> answer = followdata.open("towns").ask("distinctive")  # doctest: +SKIP
>>> answer.sentence  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from followdata.answer import Answer, Field, Table, View
    from followdata.desk import Desk, Opened
    from followdata.errors import FollowdataError
    from followdata.question import Question

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Desk",
    "Field",
    "FollowdataError",
    "Opened",
    "Question",
    "Table",
    "View",
    "open",
]

_HOMES = {
    "Answer": "answer",
    "Desk": "desk",
    "Field": "answer",
    "FollowdataError": "errors",
    "Opened": "desk",
    "Question": "question",
    "Table": "answer",
    "View": "answer",
}


def open(story: str, data: str = "") -> Opened:
    """Open a story with a data set: `data`, else the one fetched last, else its sample."""
    from followdata.desk import Desk

    return Desk.installed().open(story, data)


def __getattr__(name: str) -> object:
    # Importing followdata stays quick: a name is imported when it is first used.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"followdata.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'followdata' has no attribute {name!r}")
