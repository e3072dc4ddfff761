"""`python -m benchmarks [NAME ...]`: run all benchmarks, or those named, and print their tables."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> None:
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name[0] != "_"]
    for name in names or known:
        if name not in known:
            sys.exit(f"There is no benchmark called “{name}”. There are: {', '.join(known)}.")
        print(f"\n## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
