"""`followdata list`: what there is to ask, and of which data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from followdata.registry import Registry

Command = Callable[..., Any]


def test_all_stories_are_listed_with_their_questions(followdata: Command) -> None:
    told = followdata("list", env={"COLUMNS": "200"})
    assert told.status == 0
    assert told.notices == ""
    lines = {line.split()[0]: line for line in told.text.splitlines()}
    assert set(Registry.installed()) <= lines.keys()
    assert "Which lighthouse is unlike the others?" in lines["tiny"]
    assert "unlike, night, slow" in lines["tiny"]


def test_a_story_is_listed_with_its_data(followdata: Command) -> None:
    told = followdata("list", "tiny").text
    assert told.startswith("Which lighthouse is unlike the others?\n")
    assert "How far from the mean." in told
    assert "sample  (invented lighthouses; made when first asked for)" in told

    followdata("fetch", "tiny")
    followdata("ask", "tiny", "night", "--data", "sample")
    lines = [line.strip() for line in followdata("list", "tiny").text.splitlines()]
    assert [line.split("  ")[0] for line in lines[-2:]] == ["2022", "sample"]
    assert lines[-2].startswith("2022  (the sea, stored 20")
    assert "made when" not in lines[-1]


def test_an_unknown_story_offers_the_nearest(followdata: Command) -> None:
    told = followdata("list", "Tiny!")
    assert told.status == 1
    assert told.notices == ("followdata: There is no story called “Tiny!”. Did you mean “tiny”?\n")


def test_what_is_damaged_is_named(followdata: Command, home: Path) -> None:
    followdata("fetch", "tiny")
    (home / "stories" / "tiny" / "2022.json").write_text("{")
    told = followdata("list", "tiny")
    assert told.status == 1
    assert "2022.json cannot be read" in told.notices
    assert told.notices.endswith("Delete it and fetch again.\n")
    assert followdata("list").status == 0
