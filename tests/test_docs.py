"""Documentation that fails when it is wrong; `--overwrite` remakes the pages that are generated."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from followdata.cli.offers import metavar
from followdata.question import Asked
from followdata.registry import Registry

ROOT = Path(__file__).parents[1]
COMMANDS = ["", "list", "fetch", "open", "ask", "export", "serve", "runs", "replay", "autoencode"]
MARKDOWN = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {".venv", "node_modules", "hostile"} & set(path.relative_to(ROOT).parts)
)


def run(arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "followdata", *shlex.split(arguments)],
        env=os.environ | {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def commands_page() -> str:
    parts = [
        '# Commands\n\nMade from `--help` by `make test ARGS="--overwrite tests/test_docs.py"`.\n'
    ]
    for command in COMMANDS:
        told = run(f"{command} --help")
        assert told.returncode == 0, told.stderr
        lines = [
            line.rstrip()
            for line in told.stdout.replace("python -m followdata", "followdata").splitlines()
        ]
        text = "\n".join(lines).strip()
        parts.append(f"## followdata {command}".rstrip() + f"\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def stories_page() -> str:
    parts = [
        "# Stories and their questions\n\nMade from their declarations "
        'by `make test ARGS="--overwrite tests/test_docs.py"`.\n'
    ]
    for story in Registry.installed().values():
        parts.append(
            f"## {story.name}: {story.title}\n\n{story.summary}\nSample: {story.sample_words}.\n"
        )
        taken = _parameters(story.fetch_parameters.values())
        parts.append(f"`followdata fetch {story.name}` takes:\n\n{taken}")
        for question in story.questions.values():
            title = question.title.replace("{", "*").replace("}", "*")
            parts.append(f"### {story.name} {question.name}\n\n{title}\n\n{question.words}\n")
            parts.append(_parameters(question.parameters.values()))
    return "\n".join(parts)


def _parameters(asked: object) -> str:
    rows = list(_rows(asked))
    if not rows:
        return "No parameters.\n"
    return (
        "\n".join(["| parameter | type | default | what it is for |", "|---|---|---|---|", *rows])
        + "\n"
    )


def _rows(parameters: object) -> Iterator[str]:
    for asked in parameters:  # type: ignore[attr-defined]
        assert isinstance(asked, Asked)
        default = "from the story" if asked.default is ... else asked.default
        shown = "" if asked.default is None else f"{default}"
        yield f"| `{asked.name}` | {metavar(asked).lower()} | {shown} | {asked.type.words} |"


@pytest.mark.parametrize(("name", "page"), [("commands", commands_page), ("stories", stories_page)])
def test_generated_pages_are_up_to_date(
    name: str, page: object, request: pytest.FixtureRequest
) -> None:
    path = ROOT / "docs" / f"{name}.md"
    assert callable(page)
    text = page()
    if request.config.getoption("--overwrite"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^\.venv/bin/followdata (.*)$", text, re.M)


@pytest.mark.parametrize("arguments", readme_commands())
def test_the_commands_of_the_readme_work(arguments: str) -> None:
    told = run(arguments.partition("#")[0])
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip()


def test_the_python_of_the_readme_works(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(code, "README.md", "exec"), {})
    assert "Norway" in capsys.readouterr().out


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), target


def test_every_make_target_explains_itself() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):", text, re.M)
    explained = re.findall(r"^([a-z]+):.*## \w", text, re.M)
    assert targets == explained
    for name in ("install", "serve", "test", "help", "lint", "types", "bench", "lock", "live"):
        assert name in targets


def test_public_names_are_sorted_and_there() -> None:
    import followdata

    assert followdata.__all__ == sorted(followdata.__all__)
    assert all(hasattr(followdata, name) for name in followdata.__all__)


def test_no_address_of_a_package_index_is_committed() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"httpcore|httpx", "", lock)
    assert "--hash=sha256:" in lock
