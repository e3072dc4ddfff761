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
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds on the clock and of processors, its largest memory in MB."""

    clock: float
    processors: float
    memory: float
    said: str

    @property
    def cells(self) -> list[str]:
        return [f"{self.clock:.1f} s", f"{self.processors:.1f} s", f"{self.memory:,.0f} MB"]


def measured(code: str, arguments: Sequence[str], home: Path) -> Taken:
    """Run some Python as a process of its own."""
    command = [sys.executable, "-c", code + _MEASURING, *arguments]
    environment = os.environ | {HOME_VARIABLE: str(home), "POLARS_MAX_THREADS": "2"}
    begun = time.perf_counter()
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    clock = time.perf_counter() - begun
    memory, processors = (float(text) for text in told.stderr.rpartition("\n")[2].split())
    return Taken(clock, processors, memory / 1024, told.stdout or told.stderr)


_OURS = """
from followdata.cli import main
try:
    main()
except SystemExit:
    pass
"""
_MEASURING = """
import resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
sys.stderr.write(f"\\n{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
"""
_READERS = {
    "followdata": """
import sys
from pathlib import Path
from followdata.sources.tables import Reading
from followdata.sources.tables.portions import read_large
assert len(read_large(Path(sys.argv[1]), Reading(), Path(sys.argv[2])).things) == 1_000_000
""",
    "DuckDB": """
import sys, duckdb, numpy as np
base = duckdb.connect()
base.execute("set threads = 2")
rows = base.execute(f"select * from read_csv('{sys.argv[1]}')").to_arrow_reader(65536)
with open(sys.argv[2], "wb") as file:
    for batch in rows:
        columns = [batch.column(n).to_numpy(zero_copy_only=False) for n in range(2, 52)]
        file.write(np.column_stack(columns).data)
""",
    "Polars": """
import sys, polars
with open(sys.argv[2], "wb") as file:
    for batch in polars.scan_csv(sys.argv[1]).collect_batches(chunk_size=65536):
        values = batch.select(polars.col("^measure.*$")).to_numpy()
        file.write(values.copy(order="C").data)
""",
}
"""Programs that read the CSV in portions and write its numbers row after row."""


def main() -> None:
    """Print what each step takes."""
    print(f"{machine()}; load {os.getloadavg()[0]:.0f} at the beginning")
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder) / "million.csv", Path(folder) / "home"
        written(path)
        print(f"{path.stat().st_size / 1e6:.0f} MB of CSV\n")
        columns = ["time", "of processors", "largest memory"]
        rows = []
        for name, code in _READERS.items():
            rows.append([name, *measured(code, [str(path), f"{folder}/out"], home).cells])
            print(rows[-1], file=sys.stderr, flush=True)
        table(["reads the CSV in portions", *columns], rows)
        print()
        last = f"thing {ROWS - 7:07}"
        steps = {
            "open": ["open", str(path)],
            "map, first time": ["ask", "million", "map", "--format", "json"],
            "map, again": ["ask", "million", "map", "--format", "json"],
            "distinctive, one that is named": ["ask", "million", "distinctive", "--thing", last],
            "compare, two that are named": ["ask", "million", "compare", "--a", last,
                                            "--b", "thing 0000002"],
            "a name that is not there": ["ask", "million", "measure", "--thing", "thign 17"],
        }  # fmt: skip
        rows = []
        for name, arguments in steps.items():
            taken = measured(_OURS, arguments, home)
            rows.append([name, *taken.cells, f"{len(taken.said.encode()) / 1e6:.2f} MB"])
            print(rows[-1], taken.said[:300], file=sys.stderr, flush=True)
        table(["step", *columns, "what it gives"], rows)
