"""The autoencoder: beside PyTorch and PCA, and what it costs to watch it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._tables import machine, spread, table
from followdata.core import autoencoder
from followdata.core.autoencoder import Floats, Settings, Training

REFERENCE: dict[str, Any] = {
    "hidden": 2, "activation": "tanh", "tied": True, "rate": 0.1, "batch": 500,
}  # fmt: skip
RUNS = 5


def main() -> None:
    print(f"{machine()}.\n")
    against_pca()
    print()
    unseen()
    print()
    against_torch()
    print()
    watched()


# Tables


def tables() -> Iterator[tuple[str, Floats]]:
    from sklearn.datasets import load_breast_cancer, load_wine

    yield "wine, 178 x 13 (scikit-learn)", np.asarray(load_wine().data, dtype=float)
    yield "breast cancer, 569 x 30 (scikit-learn)", np.asarray(load_breast_cancer().data)
    folder = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared"))
    folder = folder / "data" / "autoencoder"
    if folder.is_dir():
        from datetime import UTC, datetime

        from followdata.sources.tables import read_table

        for name in ("wine_noclass.txt", "BreastCancer_noclass_noNA.tsv"):
            X = read_table(folder / name, retrieved=datetime.now(UTC).isoformat()).table.X
            yield f"{name}, {X.shape[0]} x {X.shape[1]}", X


def root_mean_square(missed: Floats) -> float:
    return float(np.sqrt(np.nanmean(missed**2)))


# Beside PCA


def against_pca(cycles: int = 2000) -> None:
    rows = []
    for name, X in tables():
        for corruption in (0.0, 0.2):
            found = []
            for seed in range(RUNS):
                model = autoencoder.train(
                    X, **REFERENCE, cycles=cycles, corruption=corruption, seed=seed
                )
                missed = autoencoder.errors(model, X)
                found.append((root_mean_square(missed), float(np.nanmean(missed))))
            squares, means = np.median(found, axis=0)
            linear = autoencoder.linear_errors(model, X, 2)
            best = root_mean_square(linear)
            rows.append(
                (name, corruption, f"{squares:.4f}", f"{best:.4f}", f"{squares / best - 1:+.1%}",
                 f"{means:.4f}", f"{np.nanmean(linear):.4f}")
            )  # fmt: skip
    print(
        f"2 hidden nodes, tanh, tied weights, learning rate 0.1, batch 500, {cycles:,} cycles; "
        f"medians of {RUNS} seeds; errors of the rows learnt from, on a scale of 0..1:\n"
    )
    table(
        ("table", "corruption", "root mean square", "PCA, 2 components", "beside PCA",
         "mean error", "of PCA"),
        rows,
    )  # fmt: skip


DEEPER: dict[str, dict[str, Any]] = {
    "2, tanh, tied": {"hidden": 2},
    "8,2 tanh, free": {"hidden": (8, 2), "tied": False},
    "16,2 tanh, free": {"hidden": (16, 2), "tied": False},
    "16,2 relu, free": {"hidden": (16, 2), "tied": False, "activation": "relu"},
    "16,2 tanh, free, corruption 0.1": {"hidden": (16, 2), "tied": False, "corruption": 0.1},
    "16,2 tanh, free, decay 0.1": {"hidden": (16, 2), "tied": False, "decay": 0.1},
}


def unseen(folds: int = 5, cycles: int = 600) -> None:
    """Five-fold cross-validation: all rows are held out once."""
    rows = []
    for name, X in tables():
        order = np.random.default_rng(0).permutation(len(X))
        parts = np.array_split(order, folds)
        errors: dict[str, list[float]] = {key: [] for key in ["PCA", *DEEPER]}
        for part in parts:
            learnt, held = np.delete(X, part, axis=0), X[part]
            for key, settings in DEEPER.items():
                model = autoencoder.train(learnt, cycles=cycles, **{"rate": 0.01, **settings})
                errors[key].append(root_mean_square(autoencoder.errors(model, held)))
            linear = autoencoder.linear_errors(model, held, 2, learnt_from=learnt)
            errors["PCA"].append(root_mean_square(linear))
        linear_errors = np.array(errors["PCA"])
        cells = [f"{linear_errors.mean():.4f}"]
        for key in DEEPER:
            found = np.array(errors[key])
            better = int(np.sum(found < linear_errors))
            change = found.mean() / linear_errors.mean() - 1
            cells.append(f"{found.mean():.4f} ({change:+.1%}; {better} of {folds})")
        rows.append((name, *cells))
    print(
        f"Rows held out, {folds}-fold cross-validation, {cycles} cycles, learning rate 0.01, batch "
        "32: root mean square error, beside PCA, and in how many folds it is below that of PCA:\n"
    )
    table(("table", "PCA", *DEEPER), rows)


# Beside PyTorch


def against_torch() -> None:
    """On one thread each, in processor time, which other work on the machine disturbs least."""
    from threadpoolctl import threadpool_limits

    try:
        import torch
    except ImportError:
        print("Without PyTorch, for it is not installed: pip install torch")
        return
    torch.set_num_threads(1)
    cases = [
        (178, 13, 2, 500, 500), (178, 13, 2, 32, 100), (683, 9, 2, 500, 500),
        (2000, 200, 20, 100, 10), (1000, 2000, 50, 100, 5), (500, 10_000, 50, 100, 3),
    ]  # fmt: skip
    rows = []
    for n, p, hidden, batch, cycles in cases:
        X = np.random.default_rng(0).random((n, p))
        for corruption in (0.0, 0.2):
            settings = Settings(hidden=hidden, cycles=cycles, batch=batch, corruption=corruption)
            ways: dict[str, Callable[[], float]] = {
                "ours": lambda X=X, settings=settings: ours(X, settings),  # type: ignore[misc]
                "theirs": lambda X=X, settings=settings: theirs(X, settings, torch),  # type: ignore[misc]
            }
            taken: dict[str, list[float]] = {name: [] for name in ways}
            with threadpool_limits(1):
                for _ in range(RUNS):  # in turns, so that a busy machine is busy for both
                    for name, way in ways.items():
                        taken[name].append(way() / cycles)
            ratio = np.median(taken["ours"]) / np.median(taken["theirs"])
            shape = f"{n} x {p:,}, {hidden} hidden, batch {batch}"
            rows.append(
                (shape, corruption, spread(taken["ours"]), spread(taken["theirs"]), f"{ratio:.2f}")
            )
    print(
        "Processor time per cycle on one thread, in single precision, tied weights, tanh, Adam; "
        f"PyTorch {torch.__version__}:\n"
    )
    table(("network", "corruption", "followdata", "PyTorch", "ratio"), rows)


def ours(X: Floats, settings: Settings) -> float:
    training = Training(X, settings)
    start = time.process_time()
    while not training.done:
        training.step()
    return time.process_time() - start


def theirs(X: Floats, settings: Settings, torch: Any) -> float:
    """The same network and steps as a plain loop."""
    torch.manual_seed(0)
    rows = torch.tensor(X, dtype=torch.float32)
    n, p = rows.shape
    hidden = settings.layers[0]
    weights = torch.nn.Parameter(torch.linalg.qr(torch.randn(p, hidden))[0])
    bias, back = (torch.nn.Parameter(torch.zeros(size)) for size in (hidden, p))
    optimiser = torch.optim.Adam([weights, bias, back], lr=settings.rate)
    start = time.process_time()
    for _ in range(settings.cycles):
        order = torch.randperm(n)
        for first in range(0, n, settings.batch):
            wanted = rows[order[first : first + settings.batch]]
            given = wanted
            if settings.corruption:
                given = wanted * (torch.rand(wanted.shape) >= settings.corruption)
            output = torch.tanh(given @ weights + bias) @ weights.T + back
            loss = ((output - wanted) ** 2).sum(dim=1).mean() / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return time.process_time() - start


# Watched


def watched() -> None:
    """Training in a terminal of its own: cycles in the same time with and without the picture."""
    rows = []
    random = np.random.default_rng(0)
    factors = random.normal(size=(200, 5)) @ random.normal(size=(5, 100))
    large = factors + random.normal(size=factors.shape)
    wine = next(tables())[1]
    for name, X, cycles in (("178 x 13", wine, 20_000), ("200 x 100", large, 6_000)):
        for size in ((80, 24), (160, 80)):
            alone, seen = [], []
            for _ in range(RUNS):
                alone.append(process_time(X, cycles))
                seen.append(in_terminal(X, cycles, size))
            share = float(np.median([one.drawing / one.cpu for one in seen]))
            slower = np.median([one.cpu for one in seen]) / np.median(alone) - 1
            rate = [one.written / one.seconds / 1000 for one in seen]
            most = max(one.busiest for one in seen) / 1000
            pictures = np.median([one.pictures / one.seconds for one in seen])
            rows.append(
                (name, f"{size[0]} x {size[1]}", f"{pictures:.1f}", f"{share:.1%}",
                 f"{slower:+.1%}", f"{np.median(rate):.1f} KB", f"{most:.1f} KB")
            )  # fmt: skip
    print(f"A training in a terminal (256 colours), medians of {RUNS}:\n")
    table(
        ("table", "terminal", "pictures a second", "processor time in pictures",
         "beside a training alone", "bytes a second", "most in any second"),
        rows,
    )  # fmt: skip


SCRIPT = """
import sys, time
import numpy as np
from followdata.core.autoencoder import Settings, Training
X, cycles, picture = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "seen"
names = [[f"{letter}{n}" for n in range(size)] for letter, size in zip("rc", X.shape)]
from followdata.questions.training import Course
from followdata.data import About, MemoryTable
data = MemoryTable(X, *names, About("T"))
training = Training(X, Settings(cycles=cycles, corruption=0.1))
course = Course(training, data, X, held=np.arange(0), turned=False, curve=[], keep=lambda: None)
def learn(watch):
    start, cpu = time.perf_counter(), time.process_time()
    while True:
        watch(course)
        if training.done:
            break
        training.step()
    return time.perf_counter() - start, time.process_time() - cpu
if picture:
    from rich.console import Console
    from followdata.cli.watching import watching
    with watching(Console(force_terminal=True)) as watcher:
        drawn, show = [], watcher.show
        def counted(moment, **how):
            start = time.process_time()
            show(moment, **how)
            drawn.append(time.process_time() - start)
        watcher.show = counted
        taken = learn(watcher)
    print("MEASURED", *taken, sum(drawn), len(drawn))
else:
    print("MEASURED", *learn(lambda course: None), 0, 0)
"""


class Seen:
    """What a training in a terminal took; `busiest` the most bytes in any second."""

    def __init__(self, output: bytes, times: list[tuple[float, int]]) -> None:
        words = re.findall(rb"MEASURED ([\d.]+) ([\d.e-]+) ([\d.e-]+) (\d+)", output)[0]
        self.seconds, self.cpu, self.drawing = map(float, words[:3])
        self.pictures = int(words[3])
        # What is left on the terminal when it is given back is not part of watching.
        self.written = output.index(b"\x1b[?1049l")
        before, known = 0, []
        for at, size in times:
            if before + size <= self.written:
                known.append((at, size))
            before += size
        self.busiest = max(
            sum(size for at, size in known if start <= at < start + 1) for start, _ in known
        )


def process_time(X: Floats, cycles: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        said = subprocess.run(
            [sys.executable, "-c", SCRIPT, f"{folder}/X.npy", str(cycles), "alone"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return float(said.split()[2])


def in_terminal(X: Floats, cycles: int, size: tuple[int, int]) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        ours, theirs = pty.openpty()
        set_size(theirs, size)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, f"{folder}/X.npy", str(cycles), "seen"],
            stdin=theirs, stdout=theirs, stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": ""},
        )  # fmt: skip
        os.close(theirs)
        output, times = b"", []
        while process.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    content = os.read(ours, 65_536)
                except OSError:
                    break  # the other end is closed
                output += content
                times.append((time.monotonic(), len(content)))
        process.wait()
        os.close(ours)
    return Seen(output, times)


def set_size(terminal: int, size: tuple[int, int]) -> None:
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
