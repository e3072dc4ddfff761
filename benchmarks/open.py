"""A table beyond memory: 1,000,000 x 50, some 400 MB of CSV, opened and asked.

Each step is a process of its own, whose largest memory is what the system says of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks._tables import machine, table
from followdata.settings import HOME_VARIABLE

ROWS, COLUMNS, GROUPS = 1_000_000, 50, 20
_TOGETHER = 50_000


def written(path: Path, rows: int = ROWS) -> None:
    """The table as CSV: names, a group, and columns that have five things in common."""
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(0)
    weights = random.normal(size=(5, COLUMNS))
    names = [f"measure {n + 1}" for n in range(COLUMNS)]
    with path.open("wb") as file:
        for start in range(0, rows, _TOGETHER):
            count = min(_TOGETHER, rows - start)
            common = random.normal(size=(count, 5)) @ weights
            values = (100 * (common + random.normal(size=(count, COLUMNS)))).round(2)
            group = random.integers(GROUPS, size=count)
            portion = {
                "name": [f"thing {n:07}" for n in range(start, start + count)],
                "group": [f"group {n:02}" for n in group],
                **dict(zip(names, values.T, strict=True)),
            }
            options = csv.WriteOptions(include_header=start == 0)
            csv.write_csv(pa.table(portion), file, options)


def measured(arguments: Sequence[str], home: Path) -> tuple[float, float, str]:
    """How long a command takes, in seconds, its largest memory in MB, and what it says."""
    command = [sys.executable, "-c", _MEASURING, *arguments]
    environment = os.environ | {HOME_VARIABLE: str(home)}
    begun = time.perf_counter()
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    if told.returncode:
        raise RuntimeError(told.stderr)
    return taken, float(told.stderr.rpartition("\n")[2]) / 1024, told.stdout


_MEASURING = """
import resource, sys
from followdata.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
sys.stderr.write("\\n" + str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
sys.exit(code)
"""


def main() -> None:
    """Print what each step takes."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder) / "million.csv", Path(folder) / "home"
        written(path)
        print(f"{path.stat().st_size / 1e6:.0f} MB of CSV")
        last = f"thing {ROWS - 7:07}"
        steps = {
            "open": ["open", str(path)],
            "map, first time": ["ask", "million", "map", "--format", "json"],
            "map, again": ["ask", "million", "map", "--format", "json"],
            "map, as a picture": ["ask", "million", "map", "--format", "svg"],
            "distinctive, one drawn": ["ask", "million", "distinctive"],
            "distinctive, one named": ["ask", "million", "distinctive", "--thing", last],
            "compare, two named": [
                "ask",
                "million",
                "compare",
                "--a",
                last,
                "--b",
                "thing 0000002",
            ],
            "a name that is not there": ["ask", "million", "distinctive", "--thing", "thign 17"],
        }
        rows = []
        for name, arguments in steps.items():
            try:
                taken, memory, said = measured(arguments, home)
            except RuntimeError as error:
                taken, memory, said = 0.0, 0.0, str(error)
            size = f"{len(said.encode()) / 1e6:.2f} MB"
            rows.append([name, f"{taken:.1f} s", f"{memory:,.0f} MB", size])
            print(rows[-1], said[-300:] if len(said) < 2000 else "", file=sys.stderr, flush=True)
        table(["step", "time", "largest memory", "what it gives"], rows)


if __name__ == "__main__":
    main()
