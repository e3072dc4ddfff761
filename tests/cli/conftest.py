"""The command line on the story of `tests/example`, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from followdata import cli
from followdata.cli import context

EXAMPLE = Path(__file__).parents[1] / "example"


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said where."""

    status: int
    output: bytes
    notices: str

    @property
    def text(self) -> str:
        return self.output.decode()


Command = Callable[..., Told]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package "tiny" is installed, here and in processes that are started."""
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLE))
    monkeypatch.delenv("COLUMNS", raising=False)
    context.desk.cache_clear()
    yield
    context.desk.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "tiny"]:
        del sys.modules[name]


@pytest.fixture
def followdata(
    tiny: None, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run `followdata ARGUMENTS` in this process."""

    def run(*arguments: str, env: Mapping[str, str] = {}) -> Told:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["followdata", *arguments])
            for name, value in env.items():
                patch.setenv(name, value)
            capsysbinary.readouterr()
            with pytest.raises(SystemExit) as end:
                cli.main()
        said = capsysbinary.readouterr()
        return Told(int(end.value.code or 0), said.out, said.err.decode())

    return run


@pytest.fixture
def process(tiny: None) -> Command:
    """Run `followdata ARGUMENTS` as a process of its own."""

    def run(*arguments: str, env: Mapping[str, str] = {}) -> Told:
        ended = subprocess.run(
            [sys.executable, "-m", "followdata", *arguments],
            env={**os.environ, **env},
            capture_output=True,
            check=False,
            timeout=60,
        )
        return Told(ended.returncode, ended.stdout, ended.stderr.decode())

    return run
