"""What a story suggests where the reader says nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followdata.data import About, MemoryTable
from followdata.sources.fetching import Fetching
from followdata.sources.log import Silence
from followdata.story import Story

DECLARED = """
title = "Which kite flies best?"
summary = "Three kites."
kind = "table"
sample = "invented kites"

[questions]
index = "followdata.questions.index:question"

[defaults.index]
thing = ["green", "red"]

[[defaults.index.together]]
measures = "height,weight"
weights = "1,-2"

[[defaults.index.together]]
measures = "height,length"
weights = "3,1"
"""


@pytest.fixture
def kites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    folder = tmp_path / "kites"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "data.py").touch()
    (folder / "story.toml").write_text(DECLARED)
    monkeypatch.syspath_prepend(tmp_path)
    return Story("kites", "kites")


def suggested(story: Story, columns: list[str], **given: Any) -> dict[str, Any]:
    data = MemoryTable(np.ones((2, len(columns))), ["red", "blue"], columns, About("Kites"))
    look = Fetching(Silence(), datetime(2026, 11, 27, tzinfo=UTC))
    return story.defaults("index", data, given, look)


def test_values_that_belong_together_are_suggested_together(kites: Story) -> None:
    both = ["height", "length", "weight"]
    assert suggested(kites, both) == {
        "measures": "height,weight", "weights": "1,-2", "thing": "red",
    }  # fmt: skip
    # These data do not hold the first.
    assert suggested(kites, both[:2])["weights"] == "3,1"
    assert suggested(kites, ["span"]) == {"thing": "red"}


def test_nothing_of_them_is_suggested_against_what_the_reader_says(kites: Story) -> None:
    both = ["height", "length", "weight"]
    assert suggested(kites, both, measures="length") == {"thing": "red"}
    assert suggested(kites, both, weights="1,1") == {"thing": "red"}
    assert suggested(kites, both, thing="blue")["weights"] == "1,-2"


def test_the_others_of_them_go_with_one_that_the_reader_says(kites: Story) -> None:
    both = ["height", "length", "weight"]
    assert suggested(kites, both, measures="Height, weight")["weights"] == "1,-2"
    assert suggested(kites, both, measures="height,length")["weights"] == "3,1"
