"""What a chart's specification costs: put together as dictionaries, and by Altair."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._tables import machine, spread, table
from followdata.answer import Answer, View
from followdata.desk import Desk
from followdata.present import charts
from followdata.settings import HOME_VARIABLE, Settings

ASKED = (
    ("towns", "map"), ("towns", "measure"), ("towns", "index"), ("towns", "compare"),
    ("weather", "now"), ("weather", "trend"), ("brain", "markers"),
)  # fmt: skip


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        desk = Desk.installed(Settings(Path(folder)))
        for story, question in ASKED:
            answer = desk.open(story).ask(question)
            for view in answer.views:
                ours = spread(processor_time(answer, view))
                with by_altair():
                    theirs = spread(processor_time(answer, view))
                rows.append((f"{story} {question}", view.kind, ours, theirs))
    print(f"{machine()}. Processor time: medians (least to most).\n")
    table(("answer", "kind", "dictionaries", "Altair, without its validation"), rows)


def processor_time(answer: Answer, view: View, repeat: int = 15) -> list[float]:
    """Seconds of the processor for a chart, `repeat` times after one that is not counted."""
    taken = []
    for _ in range(repeat + 1):
        start = time.process_time()
        charts.chart(answer, view)
        taken.append(time.process_time() - start)
    return sorted(taken[1:])


@contextmanager
def by_altair() -> Iterator[None]:
    """The same functions draw with Altair."""
    import altair

    ours, charts.alt = charts.alt, altair  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        charts.alt = ours  # type: ignore[misc]
