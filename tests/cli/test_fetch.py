"""`followdata fetch`: the name of what was stored on standard output, all else on the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import followdata as library
from followdata.cli.context import desk
from followdata.store import StoredTable

Command = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with three files of data."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("a.csv", "b.csv", "c d.csv")):
        Path(name).write_text(f"{number},1,2\n")
    return tmp_path


def rows() -> list[float]:
    data = library.open("tiny").data
    assert isinstance(data, StoredTable)
    return [float(value) for value in data.matrix()[:, 0]]


def test_what_was_fetched_is_asked_next(followdata: Command) -> None:
    told = followdata("fetch", "tiny", "--pieces", "2")
    assert (told.status, told.text) == (0, "2022\n")
    assert told.notices.splitlines() == [
        "lights [/seen]: 1 of 2",
        "lights [/seen]: 2 of 2",
        "One [lamp] was broken.",
        "Stored as “2022”. Ask with: followdata ask tiny",
    ]
    assert '"data": "2022"' in followdata("ask", "tiny", "night", "-f", "json").text


def test_progress_is_told_now_and_then(followdata: Command) -> None:
    lines = followdata("fetch", "tiny", "--pieces", "200").notices.splitlines()
    assert len(lines) < 15
    assert "lights [/seen]: 200 of 200" in lines


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["--from", "a.csv"], [0]),
        (["--from", "a.csv", "b.csv", "c d.csv"], [0, 1, 2]),
        (["--from", "a.csv", "--from", "b.csv"], [0, 1]),
        (["--from", "c d.csv", "a.csv", "--pieces", "2"], [2, 0]),
        (["--pieces", "2", "--from", "b.csv", "a.csv"], [1, 0]),
    ],
)
def test_files_are_named_as_a_shell_names_them(
    followdata: Command, files: Path, arguments: list[str], values: list[float]
) -> None:
    told = followdata("fetch", "tiny", *arguments)
    assert (told.status, told.text) == (0, "files\n")
    assert rows() == values


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["tyny"], 1, "There is no story called “tyny”. Did you mean “tiny”?"),
        (["tiny", "--pieces", "few"], 1, "pieces: “few” is not a number."),
        (["tiny", "--pieces", "0"], 1, "pieces: “0” is not between 1 and 1000."),
        (["tiny", "--way", "badly"], 1, "no choice called “badly”"),
        (["tiny", "--from", "none.csv"], 1, "none.csv not found"),
        (["tiny", "--way", "refused"], 1, "The sea said no. Ask it tomorrow."),
        (["tiny", "a.csv", "b.csv"], 2, "Put --from before a.csv"),
        (["tiny", "--peaces", "2"], 2, "--pieces"),
        (["tiny", "--from"], 2, "--from"),
        ([], 2, "STORY"),
    ],
)
def test_what_is_wrong_is_said(
    followdata: Command, files: Path, arguments: list[str], status: int, words: str
) -> None:
    told = followdata("fetch", *arguments)
    assert told.status == status
    assert words in told.notices + told.text * (status == 2)
    assert "Traceback" not in told.notices
    if status == 1:
        assert told.text == ""
        assert told.notices.splitlines()[-1].startswith("followdata: ")
    assert desk().store.datasets("tiny") == []


def test_what_was_interrupted_goes_on_and_what_was_done_begins_anew(followdata: Command) -> None:
    again = "Going on where an earlier attempt stopped."
    for told, expected in (
        (followdata("fetch", "tiny", "--way", "refused"), False),
        (followdata("fetch", "tiny", "--way", "refused"), True),
        (followdata("fetch", "tiny"), False),
        (followdata("fetch", "tiny"), False),
    ):
        assert (again in told.notices) is expected


def test_help_says_what_can_be_fetched(followdata: Command) -> None:
    assert "tiny" in followdata("fetch", "--help").text
    told = followdata("fetch", "tiny", "--help").text
    assert "Fetch the data of “Which lighthouse is unlike the others?”" in told
    assert "--from PATH..." in told
    assert "--pieces NUMBER" in told
    assert "Seconds before each piece" in told
