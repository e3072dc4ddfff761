"""The story that CONTRIBUTING.md tells how to write is written, and works on every face."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from followdata import cli, stories
from followdata.cli import context
from followdata.desk import Desk
from followdata.testing import StoryContract
from followdata.web.app import create_app

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
SENTENCE = "The median petal length (cm) runs from 1.5 (setosa) to 5.55 (virginica)."


def files() -> dict[str, str]:
    """What the page says to write: the contents of each file, by its place."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^`(stories/\S+)` [^\n]*\n\n```\w+\n(.*?)^```$", text, re.M | re.S))


@pytest.fixture(autouse=True, scope="module")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The files lie in a folder of stories, as they would beside ours."""
    root = tmp_path_factory.mktemp("contributed")
    for place, content in files().items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    stories.__path__.append(str(root / "stories"))
    context.desk.cache_clear()
    yield
    stories.__path__.remove(str(root / "stories"))
    context.desk.cache_clear()
    for name in [name for name in sys.modules if name.startswith("followdata.stories.irises")]:
        del sys.modules[name]


def test_a_story_is_three_short_files() -> None:
    assert sorted(files()) == [
        f"stories/irises/{name}" for name in ("data.py", "story.toml", "words.md")
    ]
    lines = [line for content in files().values() for line in content.splitlines()]
    assert len([line for line in lines if line.strip()]) < 60
    assert max(map(len, lines)) <= 100


class TestIrises(StoryContract):
    story = "irises"


def test_it_answers_on_the_command_line(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = ["irises", "spread", "--measure", "petal length (cm)", "--format", "json"]
    monkeypatch.setattr(sys, "argv", ["followdata", "ask", *question])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert json.loads(capsysbinary.readouterr().out)["sentence"] == SENTENCE


def test_it_answers_on_the_web() -> None:
    asked = {"measure": "petal length (cm)"}
    addresses = ["/irises/spread.json", "/irises/spread", "/irises"]

    async def pages() -> list[httpx.Response]:
        app = httpx.ASGITransport(create_app(Desk.installed()))
        async with httpx.AsyncClient(transport=app, base_url="http://localhost") as client:
            return [await client.get(address, params=asked) for address in addresses]

    # In a thread of its own: the browser of other tests may have a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        data, answer, story = thread.submit(asyncio.run, pages()).result()
    assert data.json()["sentence"] == SENTENCE
    assert answer.status_code == 200
    assert SENTENCE in answer.text
    assert "Three species grow together" in story.text


def test_a_story_that_is_deleted_is_gone_and_the_others_are_there() -> None:
    path = stories.__path__.pop()
    try:
        registry = Desk.installed().registry
        assert "irises" not in registry
        assert "towns" in registry
    finally:
        stories.__path__.append(path)
