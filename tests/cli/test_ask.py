"""`followdata ask`: the answer on standard output in each form, and what was wrong on the other."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import followdata as library
from followdata.cli.context import desk
from followdata.desk import Desk
from followdata.present.jsonform import document
from followdata.registry import Registry
from followdata.store import Store
from followdata.story import Story

Command = Callable[..., Any]
EXAMPLE = Path(__file__).parents[1] / "example"


@pytest.fixture(scope="module")
def asked_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which the sample is made already."""
    home = tmp_path_factory.mktemp("asked") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        Desk(Registry({"tiny": Story("tiny", "tiny")}), Store(home)).open("tiny")
    return home


@pytest.fixture(autouse=True)
def _sample(asked_before: Path, home: Path) -> None:
    shutil.copytree(asked_before, home, dirs_exist_ok=True)


def test_the_answer_is_text(followdata: Command) -> None:
    told = followdata("ask", "tiny", "unlike", "--lighthouse", "aro")
    assert told.status == 0
    assert told.notices == ""
    lines = told.text.splitlines()
    assert lines[:2] == ["Sample: invented lighthouses.", "Ärö is -7.5 m higher than the mean."]
    assert any(line.split() == ["age", "−7.80"] for line in lines)
    assert "· 0 values are missing." in lines
    assert lines[-1] == "· Source: nobody; CC0"
    assert not any(line.endswith(" ") for line in lines)


def test_every_face_gives_the_same_answer(followdata: Command) -> None:
    told = followdata("ask", "tiny", "unlike", "-f", "json", "--top", "2")
    answer = document(library.open("tiny").ask("unlike", top=2))
    assert json.loads(told.output) == json.loads(json.dumps(answer))
    told = followdata("ask", "tiny", "unlike", "--format", "csv", "--top", "2")
    rows = list(csv.reader(io.StringIO(told.text)))
    assert rows[0] == ["measure", "away"]
    assert float(rows[1][1]) == -7.5
    assert told.output == followdata(
        "ask", "tiny", "unlike", "-f", "csv", "--table", "away", "--top", "2"
    ).output  # fmt: skip


FORMS = {
    "text": b"Sample:",
    "json": b"{",
    "csv": b"measure,away",
    "svg": b"<svg",
    "png": b"\x89PNG",
    "html": b"<!doctype html>",
}


@pytest.mark.parametrize(("form", "start"), FORMS.items())
def test_each_form_goes_to_standard_output_or_to_a_file(
    followdata: Command, tmp_path: Path, form: str, start: bytes
) -> None:
    told = followdata("ask", "tiny", "unlike", "--format", form)
    assert told.status == 0
    assert told.output.lower().lstrip(b"\xef\xbb\xbf").startswith(start.lower())
    assert told.notices == ""

    named = tmp_path / "any"
    assert followdata("ask", "tiny", "unlike", "--format", form, "-o", str(named)).output == b""
    ending = tmp_path / f"answer.{form}"
    assert followdata("ask", "tiny", "unlike", "--output", str(ending)).status == 0
    assert named.read_bytes() == ending.read_bytes() == told.output


def test_a_picture_has_its_colours(followdata: Command) -> None:
    light, dark = (
        followdata("ask", "tiny", "unlike", "-f", "svg", "--theme", theme).output
        for theme in ("light", "dark")
    )
    assert light != dark
    assert b"<svg" in dark


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tyny", "unlike"], "There is no story called “tyny”. Did you mean “tiny”?"),
        (["tiny", "unlik"], "no question of “tiny” called “unlik”. Did you mean “unlike”"),
        (["tiny", "unlike", "--lighthouse", "Arö"], ""),
        (["tiny", "unlike", "--lighthouse", "Marlö"], "Did you mean “Malmö”"),
        (["tiny", "unlike", "--top", "many"], "top: “many” is not a number."),
        (["tiny", "unlike", "--top", "4"], "top: “4” is not between 1 and 3."),
        (["tiny", "unlike", "--top", "-1"], "top: “-1” is not between 1 and 3."),
        (["tiny", "night", "--on", "now"], "on: “now” is not a date. Write it as 2026-11-22"),
        (["tiny", "unlike", "--data", "2022"], "Did you mean “sample”?"),
        (["tiny", "unlike", "--format", "pdf"], "no format called “pdf”. Did you mean “text”"),
        (["tiny", "unlike", "-f", "csv", "--table", "x"], "no table called “x”"),
        (["tiny", "unlike", "-f", "svg", "--view", "2"], "There is no picture 2."),
        (["tiny", "night", "-f", "png"], "There is no picture 1."),
        (["tiny", "unlike", "-o", "/none/such/a.txt"], "--output: /none/such/a.txt cannot be"),
        (["tiny", "slow", "--way", "refused"], "The sea said no. Ask it tomorrow."),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(
    followdata: Command, arguments: list[str], words: str
) -> None:
    told = followdata("ask", *arguments)
    if not words:  # another spelling of a name that is there
        assert told.status == 0
        return
    assert told.status == 1
    assert told.output == b""
    line = told.notices.splitlines()[-1]
    assert line.startswith("followdata: ")
    assert words in line
    assert told.notices.count("followdata: ") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny", "unlike", "--lighthoose", "Ärö"], "--lighthouse"),
        (["tiny", "unlike", "Ärö"], "Ärö"),
        (["tiny", "unlike", "--top"], "--top"),
        (["tiny", "unlike", "--view", "first"], "--view"),
        ([], "STORY QUESTION"),
    ],
)
def test_misuse_of_the_command_line_is_status_2(
    followdata: Command, arguments: list[str], words: str
) -> None:
    told = followdata("ask", *arguments)
    assert told.status == 2
    assert words in told.notices + told.text
    assert "Traceback" not in told.notices


def test_a_wrong_format_is_said_before_the_work_is_done(followdata: Command) -> None:
    assert followdata("ask", "tiny", "slow", "--format", "pdf").status == 1
    assert "slow" not in followdata("runs").text


def test_help_says_what_can_be_asked(followdata: Command) -> None:
    assert "Which lighthouse is unlike" in followdata("ask", "--help").text
    told = followdata("ask", "tiny", "-h").text
    assert "Six lighthouses that nobody has built." in told
    assert all(name in told for name in ("unlike", "night", "slow", "How far from the mean."))
    told = followdata("ask", "tiny", "unlike", "--help").text
    assert "--lighthouse ROW" in told
    assert "Which one" in told
    assert "[default: 3]" in told
    assert "--format" in told


def test_a_data_set_can_be_chosen(followdata: Command) -> None:
    followdata("fetch", "tiny")
    asked = ("ask", "tiny", "night", "--format", "json")
    assert json.loads(followdata(*asked).output)["data"] == "2022"
    assert json.loads(followdata(*asked, "--data", "sample").output)["data"] == "sample"


def test_a_story_has_a_word_of_its_own_for_a_data_set(followdata: Command) -> None:
    by_data = followdata("ask", "tiny", "unlike", "--data", "sample")
    assert followdata("ask", "tiny", "unlike", "--coast", "sample").output == by_data.output
    assert "no data set called" in followdata("ask", "tiny", "unlike", "--coast", "x").notices


def test_progress_is_told_on_the_other_stream(followdata: Command) -> None:
    told = followdata("ask", "tiny", "slow", "--ships", "100", "-f", "json", "--pause", "0,0001")
    assert json.loads(told.output)["params"] == {"ships": 100, "pause": 0.0001, "way": "well"}
    lines = told.notices.splitlines()
    assert lines[-1] == "ships: 100 of 100"
    assert 2 <= len(lines) <= 11
    assert followdata("ask", "tiny", "slow", "--ships", "100", "--pause", "1e-4").notices == ""


# Completion, as bash asks for it


def complete(followdata: Command, typed: str) -> Any:
    words = typed.split(" ")
    return followdata(
        env={
            "_FOLLOWDATA_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        }
    )


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("followdata a", {"ask", "autoencode"}),
        ("followdata ask ti", {"tiny"}),
        ("followdata ask tiny ", {"unlike", "night", "slow"}),
        ("followdata ask tiny un", {"unlike"}),
        ("followdata ask tiny unlike --li", {"--lighthouse"}),
        ("followdata ask tiny unlike --lighthouse M", {"Malmö", "Malmo"}),
        ("followdata ask tiny unlike --lighthouse Ä", {"Ärö"}),
        ("followdata ask tiny unlike --lighthouse Å", {r"Åre\ \[old\]"}),
        ("followdata ask tiny night --coast ", {"north", "south"}),
        ("followdata ask tiny slow --way re", {"refused"}),
        ("followdata ask tiny unlike --format ", {"text", "json", "csv", "svg", "png", "html"}),
        ("followdata ask tiny unlike --data ", {"sample"}),
        ("followdata ask tiny unlike --top ", set()),
        ("followdata fetch ti", {"tiny"}),
        ("followdata fetch tiny --p", {"--pieces", "--pause"}),
        ("followdata fetch tiny --pieces ", set()),
        ("followdata runs fe", {"fetch-tiny"}),
    ],
)
def test_stories_questions_and_names_in_the_data_are_completed(
    followdata: Command, typed: str, offered: set[str]
) -> None:
    with desk().runs.start("fetch-tiny", "A run"):
        pass
    told = complete(followdata, typed)
    assert set(told.text.splitlines()) - {""} == offered
    assert told.notices == ""


@pytest.mark.parametrize(
    "typed",
    [
        "nowhere ",
        "nowhere unlike --lighthouse ",
        "tiny nothing --lighthouse ",
        "tiny unlike --la A",
    ],
)
def test_what_cannot_be_completed_is_no_error(followdata: Command, typed: str) -> None:
    told = complete(followdata, f"followdata ask {typed}")
    assert told.status == 0
    assert told.notices == ""
