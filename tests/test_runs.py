"""A run is what its journal says, whoever wrote it and however its process ended."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followdata.errors import DiskFull, Refused, StoreError, UnknownName
from followdata.runs import Event, Run, Runs
from followdata.store import Store

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def runs(home: Path) -> Runs:
    return Runs(Store(home), lambda: NOON)


def kinds(run: Run) -> list[str]:
    return [event["kind"] for event in run.events()]


def state(run: Run) -> str:
    return run.state


def numbers(run: Run) -> list[int]:
    return [event["n"] for event in run.events()]


def test_a_journal_is_one_event_a_line(runs: Runs) -> None:
    with runs.start("fetch-é", "Fetch", work="fetch", params={"å": None}) as journal:
        journal.report("notice", text="två\nrader")
        journal.report("progress", done=1, total=3, what="rows")
        journal.report("progress", done=2, total=3, what="rows")
    run = runs.get("fetch-é")
    lines = run.journal.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(run.events())
    at = "2026-11-22T12:00:00.000+00:00"
    assert list(run.events()) == [
        {"n": 1, "at": at, "kind": "started", "title": "Fetch", "work": "fetch",
         "params": {"å": None}},
        {"n": 2, "at": at, "kind": "notice", "text": "två\nrader"},
        {"n": 3, "at": at, "kind": "progress", "done": 1, "total": 3, "what": "rows"},
        {"n": 4, "at": at, "kind": "progress", "done": 2, "total": 3, "what": "rows"},
        {"n": 5, "at": at, "kind": "done"},
    ]  # fmt: skip
    assert [event["n"] for event in run.events(after=3)] == [4, 5]
    assert run.about["title"] == "Fetch"
    progress = run.progress()
    assert progress is not None
    assert progress["done"] == 2
    assert run.last["kind"] == run.state == "done"
    assert runs.all() == [run]


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (None, "done", {"kind": "done"}),
        (
            Refused("No.", "Ask again."),
            "failed",
            {"kind": "failed", "error": "refused", "message": "No. Ask again."},
        ),
        (
            ZeroDivisionError("a defect"),
            "failed",
            {"kind": "failed", "error": "defect", "message": "ZeroDivisionError: a defect"},
        ),
        (KeyboardInterrupt(), "stopped", {"kind": "stopped"}),
        (SystemExit(3), "interrupted", {"kind": "started"}),
    ],
)
def test_a_state_follows_from_how_it_ended(
    runs: Runs, error: BaseException | None, state: str, words: dict[str, str]
) -> None:
    assert runs.named("run").state == "interrupted"
    with suppress(*([type(error)] if error else [])), runs.start("run", "A run"):
        assert runs.get("run").state == "running"
        if error:
            raise error
    run = runs.get("run")
    assert run.state == state
    assert run.last.items() >= words.items()


def test_numbers_go_on_and_an_attempt_knows_where_it_began(runs: Runs) -> None:
    for error in (Refused("No."), None, None):
        with suppress(Refused), runs.start("run", "A run") as journal:
            journal.report("progress", done=1, total=1, what="x")
            if error:
                raise error
    run = runs.get("run")
    # What has failed is resumed; what was done begins anew.
    assert kinds(run)[:6] == ["started", "progress", "failed", "resumed", "progress", "done"]
    assert kinds(run)[6:] == ["started", "progress", "done"]
    assert numbers(run) == list(range(1, 10))
    assert run.attempt == 7


def test_a_listener_hears_everything(runs: Runs) -> None:
    heard: list[Event] = []
    for _ in range(2):
        with suppress(Refused), runs.start("run", "A run", listen=heard.append) as journal:
            journal.report("notice", text="heard")
            if not len(heard) > 3:
                raise Refused("No.")
    assert heard == list(runs.get("run").events())
    assert [event["kind"] for event in heard][2:4] == ["failed", "resumed"]


def test_a_run_that_is_not_there_offers_others(runs: Runs) -> None:
    assert runs.all() == []
    with pytest.raises(UnknownName, match="There is no run called “fit”"):
        runs.get("fit")
    with runs.start("fetch-towns", "Fetch"):
        pass
    with pytest.raises(UnknownName, match="Did you mean “fetch-towns”"):
        runs.get("fetch")
    for id in ("..", "../..", ".", "", "/etc"):
        with pytest.raises(UnknownName):
            runs.get(id)


def test_the_run_heard_of_last_comes_first(runs: Runs) -> None:
    for id in ("a", "b", "a"):
        with runs.start(id, id):
            pass
        time.sleep(0.02)
    assert [run.id for run in runs.all()] == ["a", "b"]


# Journals that were cut


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10_000))
def test_a_torn_end_is_passed_over_and_mended(runs: Runs, cut: int) -> None:
    run = runs.named("run")
    run.journal.unlink(missing_ok=True)
    with runs.start("run", "A run") as journal:
        journal.report("notice", text="två")
    whole = run.journal.read_bytes()
    left = whole[: cut % (len(whole) + 1)]
    run.journal.write_bytes(left)
    expected = [json.loads(line) for line in left.splitlines(keepends=True) if line[-1:] == b"\n"]

    assert list(run.events()) == expected
    assert run.state == ("done" if left == whole else "interrupted")
    assert run.last["n"] == len(expected)
    assert runs.all() == [run]

    with runs.start("run", "A run"):
        pass
    assert list(run.events())[: len(expected)] == expected
    assert numbers(run) == list(range(1, len(expected) + 3))
    begun = "started" if len(expected) in (0, 3) else "resumed"
    assert kinds(run)[-2:] == [begun, "done"]
    assert all(json.loads(line) for line in run.journal.read_bytes().splitlines())


def test_a_line_that_is_no_event_is_passed_over(runs: Runs) -> None:
    with runs.start("run", "A run"):
        pass
    run = runs.get("run")
    lines = run.journal.read_bytes().splitlines(keepends=True)
    for strange in (b"\x00\x00\n", b"[]\n", b"{}\n", b"7\n", b"\xff\n", b"\n"):
        run.journal.write_bytes(lines[0] + strange + lines[1])
        assert kinds(run) == ["started", "done"]
        assert run.state == "done"


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_tears_no_line(runs: Runs) -> None:
    run = runs.named("run")
    with suppress(DiskFull), runs.start("run", "A run") as journal:
        journal.report("notice", text="before")
        with no_file_above(run.journal.stat().st_size + 100):
            journal.report("notice", text="x" * 1000)
    assert kinds(run) == ["started", "notice", "failed"]
    assert run.last["error"] == "disk-full"
    assert run.journal.read_bytes().count(b"\n") == 3


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StoreError, match="Not a directory"),
        Runs(Store(tmp_path / "file")).start("run", "A run"),
    ):
        pytest.fail("it was started")


def test_words_that_are_no_text_are_written_all_the_same(runs: Runs) -> None:
    with runs.start("run", "A run") as journal:
        journal.report("notice", text="b\udce5r.xlsx")
    assert list(runs.get("run").events())[1]["text"] == "b?r.xlsx"


# Pieces


def test_pieces_are_there_until_they_are_dropped(runs: Runs) -> None:
    with suppress(Refused), runs.start("run", "A run") as journal:
        assert journal.piece("https://a/?b=å") is None
        journal.keep_piece("https://a/?b=å", b"one")
        journal.keep_piece("https://a/?b=å", b"two")
        journal.keep_piece("other", b"")
        raise Refused("No.")
    with runs.start("run", "A run") as journal:
        assert journal.piece("https://a/?b=å") == b"two"
        assert journal.piece("other") == b""
        journal.drop_pieces()
        assert journal.piece("other") is None
    with runs.start("another", "Another run") as journal:
        assert journal.piece("other") is None


# Other processes

WORK = """
import sys, time
from pathlib import Path
from followdata.runs import Runs
from followdata.store import Store
home, who, steps, pause = sys.argv[1:]
with Runs(Store(Path(home))).start("run", "A run", who=who) as journal:
    for step in range(int(steps)):
        if journal.piece(str(step)) is None:
            journal.keep_piece(str(step), who.encode())
        journal.report("progress", done=step + 1, total=int(steps), what="steps")
        time.sleep(float(pause))
"""


def working(home: Path, who: str, steps: int, pause: float) -> subprocess.Popen[bytes]:
    """A process of its own that makes the run "run"."""
    return subprocess.Popen([sys.executable, "-c", WORK, str(home), who, str(steps), str(pause)])


def heard_of(run: Run, *, done: int) -> None:
    """Wait until the run is so far."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        progress = run.progress()
        if progress and progress["done"] >= done:
            return
        time.sleep(0.01)
    pytest.fail("nothing was heard of the run")


def test_a_killed_process_needs_nobody_to_say_so(runs: Runs, home: Path) -> None:
    run = runs.named("run")
    with working(home, "first", 1000, 0.01) as process:
        heard_of(run, done=3)
        assert state(run) == "running"
        process.kill()
    assert state(run) == "interrupted"
    before = list(run.events())
    assert numbers(run) == list(range(1, len(before) + 1))

    with working(home, "second", 5, 0) as process:
        assert process.wait(30) == 0
    assert state(run) == "done"
    assert list(run.events())[: len(before)] == before
    assert kinds(run)[len(before)] == "resumed"
    assert numbers(run) == list(range(1, len(before) + 8))
    with runs.start("run", "A run") as journal:
        assert [journal.piece(str(step)) for step in range(3)] == [b"first"] * 3
        assert journal.piece("4") in (b"first", b"second")


def test_following_hears_another_process_as_it_goes(runs: Runs, home: Path) -> None:
    run = runs.named("run")
    with working(home, "it", 8, 0.15):
        heard_of(run, done=1)
        heard: list[Event] = []
        states = []
        pauses = 0
        for event in run.follow(pause=0.01):
            if event is None:
                pauses += 1
            else:
                heard.append(event)
                states.append(run.state)
    assert heard == list(run.events())
    assert heard[-1]["kind"] == "done"
    assert pauses
    assert "running" in states
    assert [event["n"] for event in run.follow(after=7) if event] == [8, 9, 10]


def test_following_ends_when_the_process_is_gone(runs: Runs, home: Path) -> None:
    run = runs.named("run")
    with working(home, "it", 1000, 0.05) as process:
        heard_of(run, done=1)
        threading.Timer(0.2, process.kill).start()
        heard = [event for event in run.follow(pause=0.01) if event]
    assert heard[-1]["kind"] == "progress"
    assert run.state == "interrupted"
    assert [event for event in runs.named("never").follow() if event] == []


def test_of_two_processes_one_waits_for_the_other(runs: Runs, home: Path) -> None:
    with working(home, "a", 5, 0.05) as one, working(home, "b", 5, 0.05) as other:
        assert (one.wait(30), other.wait(30)) == (0, 0)
    run = runs.get("run")
    begun = [event for event in run.events() if event["kind"] == "started"]
    assert {event["who"] for event in begun} == {"a", "b"}
    steps = ["started", *["progress"] * 5, "done"]
    assert kinds(run) == steps * 2
    assert numbers(run) == list(range(1, 15))
    with runs.start("run", "A run") as journal:
        assert {journal.piece(str(step)) for step in range(5)} == {begun[0]["who"].encode()}


def test_many_who_ask_for_the_state_do_not_mistake_each_other_for_the_run(runs: Runs) -> None:
    with runs.start("done", "A run"):
        pass
    with suppress(SystemExit), runs.start("interrupted", "A run"):
        raise SystemExit

    def ask(turn: int) -> bool:
        return all(runs.get(state).state == state for state in ("done", "interrupted"))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(300)))
