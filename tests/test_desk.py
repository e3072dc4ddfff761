"""Where a story, its data and the store meet. The story is that of `tests/example`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import followdata
from followdata import desk as module
from followdata.data import MemoryTable, TableData
from followdata.desk import Desk, fetch_id
from followdata.errors import (
    InvalidInput,
    InvalidParameter,
    NeedsRun,
    NotFetched,
    Refused,
    UnknownName,
)
from followdata.registry import Registry
from followdata.runs import Event
from followdata.settings import HOME_VARIABLE, Settings
from followdata.store import Store
from followdata.story import Story

EXAMPLE = Path(__file__).parent / "example"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package "tiny" is there, as if it were installed, and nothing is remembered."""
    monkeypatch.syspath_prepend(EXAMPLE)
    forget()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "tiny"]:
        del sys.modules[name]


@pytest.fixture
def desk(home: Path) -> Desk:
    return Desk(Registry({"tiny": Story("tiny", "tiny")}), Store(home), clock=lambda: NOON)


def forget() -> None:
    """What a process remembers, it could make again."""
    module._handle.cache_clear()
    module._fitted_or_raise.cache_clear()


def table(data: Any) -> TableData:
    assert data.kind == "table"
    return data  # type: ignore[no-any-return]


# Data


def test_the_sample_is_made_when_it_is_first_needed(desk: Desk) -> None:
    assert not desk.store.home.joinpath("stories").exists()
    opened = desk.open("tiny")
    assert opened.dataset.name == "sample"
    assert opened.dataset.stored == NOON.isoformat()
    assert opened.data.digest == opened.story.sample().digest
    later = replace(desk, clock=lambda: NOON.replace(year=2027))
    assert later.open("tiny").dataset == opened.dataset
    assert later.open("tiny", "sample").dataset == opened.dataset


def test_what_was_fetched_goes_before_the_sample_and_both_can_be_named(desk: Desk) -> None:
    fetched = desk.fetch("tiny")
    assert fetched.name == "2022"
    assert [dataset.name for dataset in desk.store.datasets("tiny")] == ["2022"]
    assert desk.open("tiny").dataset == fetched
    assert desk.open("tiny", "sample").dataset.name == "sample"
    assert desk.open("tiny").dataset == fetched
    assert desk.open("tiny", "2022").dataset == fetched
    with pytest.raises(UnknownName, match=r"no data set called “2021”\. Did you mean “2022” or"):
        desk.open("tiny", "2021")


def test_a_data_set_that_was_never_fetched_is_said_to_be_missing(desk: Desk) -> None:
    with pytest.raises(NotFetched, match="followdata fetch tiny"):
        desk.open("tiny", "2022")


def test_a_sample_that_was_deleted_is_made_again(desk: Desk) -> None:
    place = desk.store.home / "datasets" / desk.open("tiny").dataset.digest
    shutil.rmtree(place)
    forget()
    assert np.isnan(table(desk.open("tiny").data).matrix()).sum() == 1
    shutil.rmtree(place)
    desk.fetch("tiny")
    forget()
    assert table(desk.open("tiny", "sample").data).shape == (6, 3)


# Answers


def test_an_answer_says_what_was_asked_of_which_data(desk: Desk) -> None:
    answer = desk.open("tiny").ask("unlike", lighthouse="lodz", top="2")
    assert answer.sentence == "Łódź is 7.5 m higher than the mean."
    assert (answer.story, answer.question, answer.data) == ("tiny", "unlike", "sample")
    assert answer.params == {"lighthouse": "Łódź", "top": 2}
    assert answer.provenance is not None
    assert answer.provenance.sample == "invented lighthouses"
    assert answer.provenance.sha256 == desk.open("tiny").data.digest
    assert len(answer.tables["away"]) == 2


def test_where_nothing_is_said_the_story_suggests_what_the_data_hold(desk: Desk) -> None:
    assert desk.open("tiny").ask("unlike").params == {"lighthouse": "Ärö", "top": 3}
    assert desk.open("tiny").ask("night").params == {
        "on": "2026-11-22", "coast": "north", "measure": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("question", "given", "error", "words"),
    [
        ("unlik", {}, UnknownName, "no question of “tiny” called “unlik”. Did you mean “unlike”"),
        ("unlike", {"lighthaus": "Ärö"}, UnknownName, "Did you mean “lighthouse”"),
        ("unlike", {"lighthouse": "Aarö"}, UnknownName, "Did you mean “Ärö”"),
        ("unlike", {"top": 4}, InvalidParameter, "“4” is not between 1 and 3"),
        ("night", {"on": "tonight"}, InvalidParameter, "Write it as"),
        ("night", {"coast": "west"}, UnknownName, "no coast called “west”"),
    ],
)
def test_what_cannot_be_asked_is_said(
    desk: Desk, question: str, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        desk.open("tiny").ask(question, **given)


def test_what_was_learnt_is_stored_and_used_by_others(desk: Desk) -> None:
    opened = desk.open("tiny")
    first = opened.ask("unlike")
    question = opened.story.question("unlike")
    key = opened.key(question, first.params)
    learnt = desk.store.fitted(key, question.fitted_type)
    assert learnt.present == {"height": 6, "age": 5, "visits": 6}
    forget()
    assert desk.open("tiny").ask("unlike") == first

    # Were it learnt once more, this would not be the answer.
    desk.store.keep_fitted(key, replace(learnt, mean=learnt.mean - 100))
    forget()
    assert desk.open("tiny").ask("unlike").sentence == "Ärö is 92.5 m higher than the mean."

    (desk.store.home / "fitted" / f"{key}.npz").write_bytes(b"PK damaged")
    forget()
    assert desk.open("tiny").ask("unlike") == first


def test_other_data_are_learnt_from_anew(desk: Desk) -> None:
    desk.open("tiny").ask("unlike")
    desk.fetch("tiny")
    desk.open("tiny").ask("unlike")
    desk.open("tiny").ask("unlike", top=1)
    assert len(list((desk.store.home / "fitted").iterdir())) == 2


# Long work


def test_long_learning_needs_a_run(desk: Desk) -> None:
    opened = desk.open("tiny")
    with pytest.raises(NeedsRun, match=r"“Will 3 ships go by\?” has to be worked out") as needed:
        opened.ask("slow", wait=False)
    assert desk.runs.all() == []

    heard: list[Event] = []
    answer = opened.ask("slow", listen=heard.append)
    assert answer.sentence == "3 ships went by."
    run = desk.runs.get(needed.value.run)
    assert run.state == "done"
    assert [event["kind"] for event in heard] == [
        "started", "progress", "progress", "progress", "done",
    ]  # fmt: skip
    assert run.about["title"] == "Will 3 ships go by?"
    assert run.about.items() >= {
        "work": "fit", "story": "tiny", "question": "slow", "data": "sample",
    }.items()  # fmt: skip
    assert opened.ask("slow", wait=False) == answer
    assert opened.ask("slow") == answer
    assert [event["kind"] for event in run.events()].count("started") == 1
    with pytest.raises(NeedsRun):
        opened.ask("slow", wait=False, ships=4)


@pytest.mark.parametrize(("way", "error"), [("refused", Refused), ("crash", ZeroDivisionError)])
def test_learning_that_fails_stores_nothing_and_can_be_tried_again(
    desk: Desk, way: str, error: type[Exception]
) -> None:
    opened = desk.open("tiny")
    for _ in range(2):
        with pytest.raises(error):
            opened.ask("slow", way=way)
    (run,) = desk.runs.all()
    assert run.state == "failed"
    assert [event["kind"] for event in run.events()].count("resumed") == 1
    assert not (desk.store.home / "fitted").exists()


ASK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from followdata.desk import Desk
from followdata.registry import Registry
from followdata.store import Store
from followdata.story import Story
desk = Desk(Registry({"tiny": Story("tiny", "tiny")}), Store(Path(sys.argv[2])))
print(desk.open("tiny").ask("slow", pause=0.1).sentence)
"""


def test_two_processes_learn_it_once(desk: Desk) -> None:
    command = [sys.executable, "-c", ASK, str(EXAMPLE), str(desk.store.home)]
    desk.open("tiny")
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE) as other,
    ):
        told = [process.communicate(timeout=60)[0].decode() for process in (one, other)]
    assert told == ["3 ships went by.\n"] * 2
    (run,) = desk.runs.all()
    assert [event["kind"] for event in run.events()].count("progress") == 3


# Fetching


def test_a_fetch_is_a_run(desk: Desk) -> None:
    heard: list[Event] = []
    fetched = desk.fetch("tiny", {"pieces": "2"}, listen=heard.append)
    run = desk.runs.get(
        fetch_id("tiny", {"lighthouses": 6, "pieces": 2, "pause": 0.0, "way": "well"})
    )
    assert run.state == "done"
    assert run.about["params"] == {"lighthouses": 6, "pieces": 2, "pause": 0.0, "way": "well"}
    assert [event["kind"] for event in heard] == [
        "started", "progress", "progress", "notice", "stored", "done",
    ]  # fmt: skip
    assert heard[-2].items() >= {"data": "2022", "digest": fetched.digest}.items()
    assert not list((run.folder / "pieces").iterdir())


def test_a_fetch_overwrites_nothing(desk: Desk) -> None:
    names = [desk.fetch("tiny", {"lighthouses": count}).name for count in (6, 7, 6)]
    assert names == ["2022", "2022.2", "2022"]
    shapes = {name: table(desk.open("tiny", name).data).shape for name in set(names)}
    assert shapes == {"2022": (6, 3), "2022.2": (7, 3)}


def test_a_fetch_that_fails_goes_on_with_what_it_had(desk: Desk) -> None:
    with pytest.raises(Refused):
        desk.fetch("tiny", {"way": "refused"})
    (run,) = desk.runs.all()
    assert run.state == "failed"
    assert run.last["message"] == "The sea said no. Ask it tomorrow."
    assert len(list((run.folder / "pieces").iterdir())) == 3
    assert desk.store.datasets("tiny") == []


def test_a_fetch_that_cannot_be_understood_is_no_run(desk: Desk) -> None:
    with pytest.raises(UnknownName, match="Did you mean “lighthouses”"):
        desk.fetch("tiny", {"lighthaus": 3})
    with pytest.raises(InvalidParameter):
        desk.fetch("tiny", {"pieces": 0})
    with pytest.raises(UnknownName, match="Did you mean “tiny”"):
        desk.fetch("tyny")
    assert desk.runs.all() == []


def test_files_are_read_instead_of_the_network(desk: Desk, tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[0].write_text("1,2,3\n")
    paths[1].write_text("4,5,nan\n")
    dataset = desk.fetch("tiny", paths=paths)
    assert dataset.name == "files"
    expected = [[1, 2, 3], [4, 5, np.nan]]
    np.testing.assert_array_equal(table(desk.open("tiny").data).matrix(), expected)
    paths[1].write_text("4,5\n")
    with pytest.raises(InvalidInput, match=r"Give three numbers a line\."):
        desk.fetch("tiny", paths=[paths[1], tmp_path / "none.csv"])


# Stories


def test_a_package_offers_its_story_by_an_entry_point() -> None:
    story = Registry.installed()["tiny"]
    assert story.title == "Which lighthouse is unlike the others?"
    assert story.words.startswith("They stand")
    assert story.question_names == ["unlike", "night", "slow"]
    assert isinstance(story.sample(), MemoryTable)


def test_our_stories_are_the_folders_that_declare_one() -> None:
    folder = Path(followdata.__file__).parent / "stories"
    ours = sorted(path.parent.name for path in folder.glob("*/story.toml"))
    assert list(Registry.installed())[: len(ours)] == ours
    assert "tiny" in Registry.installed()


def test_an_unknown_story_offers_the_nearest() -> None:
    registry = Registry({name: Story(name, name) for name in ("towns", "weather")})
    assert "towns" in registry
    assert len(registry) == 2
    with pytest.raises(UnknownName, match=r"no story called “town”\. Did you mean “towns”"):
        registry["town"]
    with pytest.raises(UnknownName, match="Did you mean “towns” or “weather”"):
        registry["qqq"]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (None, "story.toml"),
        ("title = ", "story.toml: Invalid value"),
        (
            'title = "T"\nkind = "table"\n[questions]\n',
            "story.toml: sample and summary must be said",
        ),
    ],
)
def test_a_story_that_is_badly_declared_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str | None, words: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "faulty").mkdir()
    if declared is not None:
        (tmp_path / "faulty" / "story.toml").write_text(declared)
    for story in (Story("faulty", "faulty"), *([Story("gone", "gone")] if not declared else [])):
        with pytest.raises(InvalidInput, match=f"{story.name}/{words}"):
            print(story.title)


# Where the data directory is


def test_the_data_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings.from_environment().home.name.startswith("home")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(HOME_VARIABLE, "~/data")
    assert Settings.from_environment().home == tmp_path / "data"
    for nothing in ("", None):
        if nothing is None:
            monkeypatch.delenv(HOME_VARIABLE)
        else:
            monkeypatch.setenv(HOME_VARIABLE, nothing)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
        assert tmp_path in Settings.from_environment().home.parents
    assert not list(tmp_path.iterdir())


def test_python_opens_a_story_in_one_line() -> None:
    answer = followdata.open("tiny").ask("unlike", lighthouse="Malmo")
    assert answer.sentence == "Malmo is -1.5 m higher than the mean."
    assert json.dumps(dict(answer.params)) == '{"lighthouse": "Malmo", "top": 3}'
