"""Tables as benchmarks print them, ready for docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence


def machine() -> str:
    """The machine in a line."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(headings) + " |")
    print("|" + "---|" * len(headings))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def seconds(work: Callable[[], object], repeat: int = 5) -> list[float]:
    """How long `work` takes, `repeat` times after one call that is not counted."""
    work()
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return sorted(taken)


def spread(taken: Sequence[float], unit: str = "ms") -> str:
    """Median (least to most)."""
    factor = 1000 if unit == "ms" else 1
    low, middle, high = (x * factor for x in (min(taken), statistics.median(taken), max(taken)))
    return f"{middle:.3g} ({low:.3g} to {high:.3g}) {unit}"
