"""The same Answer, value by value, from Python, the command line and the web."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from followdata.desk import Desk
from followdata.present.jsonform import document
from followdata.registry import Registry
from followdata.settings import HOME_VARIABLE, Settings

QUESTIONS = [
    (name, question)
    for name, story in Registry.installed().items()
    for question in story.question_names
]


@pytest.mark.parametrize(("story", "question"), QUESTIONS)
def test_all_faces_give_the_same_answer(
    server_home: Path, client: httpx.Client, story: str, question: str
) -> None:
    opened = Desk.installed(Settings(server_home)).open(story)
    in_python = json.loads(json.dumps(document(opened.ask(question))))
    on_the_web = client.get(f"/{story}/{question}.json").json()
    command = [sys.executable, "-m", "followdata", "ask", story, question, "--format", "json"]
    in_the_shell = subprocess.run(
        command, env=os.environ | {HOME_VARIABLE: str(server_home)}, capture_output=True, check=True
    )
    assert on_the_web == in_python
    assert json.loads(in_the_shell.stdout) == in_python
