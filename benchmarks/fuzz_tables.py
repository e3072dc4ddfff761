"""Readers of tables under a coverage-guided fuzzer (atheris): how many inputs, what came of them.

Each kind of file is fuzzed in a process of its own for SECONDS seconds, from small good files. A
crash, a traceback or a file outside the scratch folder ends it, and is shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._tables import machine, table

SECONDS = int(os.environ.get("FOLLOWDATA_FUZZ", "30"))
KINDS = {
    "text": ("plain.csv", "long.csv", "windows.csv", "utf16.csv", "titled.tsv", "r.txt",
             "blanks.txt"),
    "GCT": ("small.gct",),
    "packed text": ("packed.csv.gz", "packed.csv.xz", "packed.csv.bz2"),
    "Excel": ("book.xlsx",),
    "Parquet": ("table.parquet",),
    "NumPy": ("arrays.npz",),
    "h5ad": ("cells.h5ad",),
}  # fmt: skip


def fuzz(corpus: Path, seconds: int) -> None:
    """Fuzz this process from the files in a folder; it ends with it."""
    import atheris

    # What is imported here for the first time tells the fuzzer which of its branches are taken.
    with atheris.instrument_imports(include=["followdata.sources.tables"]):
        from followdata.testing.tables import refusal
    folder = Path(tempfile.mkdtemp())
    path = folder / "input"
    there = {path, folder / "scratch"}

    def one(content: bytes) -> None:
        path.write_bytes(content)
        refusal(path, folder / "scratch")
        if set(folder.iterdir()) - there:
            raise AssertionError("something else was written")

    for seed in sorted(corpus.iterdir()):
        one(seed.read_bytes())  # loads what reads it, which is not to be timed
    limits = [f"-max_total_time={seconds}", "-max_len=16384", "-timeout=60", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], str(corpus), *limits, f"-artifact_prefix={folder}/"], one)
    atheris.Fuzz()


def main() -> None:
    """Print the table."""
    from followdata.testing.tables import seeds

    print(f"{machine()}, {SECONDS} s for each kind")
    rows = []
    for kind, names in KINDS.items():
        with tempfile.TemporaryDirectory() as corpus:
            for name in names:
                (Path(corpus) / name).write_bytes(seeds()[name])
            told = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", __name__, corpus, str(SECONDS)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        counted = re.findall(r"Done (\d+) runs", told.stderr)
        covered = re.findall(r"cov: (\d+)", told.stderr)
        found = "nothing" if told.returncode == 0 else told.stderr[-3000:]
        rows.append(
            [kind, len(names), max(map(int, counted or ["0"])), (covered or ["?"])[-1], found]
        )
        print(rows[-1], file=sys.stderr, flush=True)
    table(["kind", "seeds", "inputs", "branches covered", "found"], rows)


if __name__ == "__main__":
    fuzz(Path(sys.argv[1]), int(sys.argv[2]))
