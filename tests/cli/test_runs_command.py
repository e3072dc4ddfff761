"""`followdata runs`: what is under way, what has been, and each run's journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from followdata.cli.context import desk

Command = Callable[..., Any]
RUN = "fetch-tiny-lighthouses-6-pieces-3-pause-0.0-way-well"


def test_runs_are_listed_the_latest_first(followdata: Command) -> None:
    assert followdata("runs").text.split() == ["Run", "State", "Done", "What", "Last", "heard"]
    followdata("fetch", "tiny")
    followdata("ask", "tiny", "slow", "--way", "refused")
    told = followdata("runs", env={"COLUMNS": "160"})
    latest, first = told.text.splitlines()[1:]
    assert first.split()[:6] == [RUN, "done", "3", "of", "3", "Fetch"]
    assert latest.split()[0].startswith("fit-slow-")
    assert latest.split()[1:5] == ["failed", "3", "of", "3"]


def test_an_id_stays_in_one_piece_however_narrow_the_screen(followdata: Command) -> None:
    followdata("fetch", "tiny")
    assert RUN in followdata("runs", env={"COLUMNS": "60"}).text


def test_a_journal_is_json_line_by_line(followdata: Command) -> None:
    followdata("fetch", "tiny")
    told = followdata("runs", RUN)
    events = [json.loads(line) for line in told.text.splitlines()]
    assert events == list(desk().runs.get(RUN).events())
    assert followdata("runs", RUN, "--follow").output == told.output
    assert told.notices == ""


def test_an_unknown_run_offers_others(followdata: Command) -> None:
    followdata("fetch", "tiny")
    told = followdata("runs", "fetch")
    assert told.status == 1
    assert told.text == ""
    assert told.notices == f"followdata: There is no run called “fetch”. Did you mean “{RUN}”?\n"


def test_a_run_without_words_is_listed_too(followdata: Command) -> None:
    run = desk().runs.named("begun")
    run.folder.mkdir(parents=True)
    run.journal.write_bytes(b'{"n": 1, "kind"')
    assert followdata("runs").text.splitlines()[1].split() == ["begun", "interrupted", "begun"]
