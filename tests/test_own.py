"""Stories of a reader's own tables: how they come, what they are called, and how they go."""

from __future__ import annotations

import shutil
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followdata import own
from followdata.answer import Answer
from followdata.data import MOST_ROWS, About, Layer, MemoryTable, Portion
from followdata.desk import Desk, sampling_error
from followdata.errors import InvalidInput, NotFetched, UnknownName
from followdata.registry import Registry
from followdata.sources.tables import Reading
from followdata.store import Store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path) -> Desk:
    home = tmp_path / "home"
    return Desk(Registry.installed(own.place(home)), Store(home), lambda: NOW)


def towns(path: Path, rows: int = 12, factor: float = 1.0) -> Path:
    random = np.random.default_rng(rows)
    lines = ["town;county;people;area (km2);share %;rain, mm;trees;cars"]
    for n in range(rows):
        values = ";".join(f"{v:.2f}".replace(".", ",") for v in factor * random.gamma(2, 9, 6))
        lines.append(f"town {n};county {n % 2};{values}")
    path.write_text("\n".join(lines))
    return path


def test_every_question_that_fits_is_answered(here: Desk, tmp_path: Path) -> None:
    opened = here.open_table([towns(tmp_path / "My towns.csv")])
    assert opened.story.name == "my-towns"
    assert opened.story.question_names == [
        *("map", "distinctive", "compare", "peers", "measure", "index"),
        "reconstruction",
    ]
    asked = here.open("my-towns")
    assert asked.data.about.label == "county"
    assert asked.data.labels("var")["unit"].tolist() == ["", "km2", "%", "mm", "", ""]  # type: ignore[attr-defined]
    for question in opened.story.question_names:
        given: dict[str, Any] = {"cycles": 20} if question == "reconstruction" else {}
        answer = asked.ask(question, **given)
        assert isinstance(answer, Answer)
        assert answer.sentence
        assert answer.provenance is not None
        assert "My towns.csv" in answer.provenance.source


def test_groups_are_set_apart_where_all_values_are_of_one_kind(here: Desk, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [f"s{n},{'ab'[n % 2]},{','.join(f'{v:.2f}' for v in random.gamma(2, 9, 4))}"
             for n in range(10)]  # fmt: skip
    path = tmp_path / "cells tpm.csv"
    path.write_text("\n".join(["sample,tissue,g1,g2,g3,g4", *lines]))
    story = here.open_table([path]).story
    assert {"markers", "expression"} <= set(story.question_names)
    asked = here.open(story.name)
    assert asked.ask("markers", group="a").sentence
    assert asked.ask("expression", gene="g2").sentence


def test_questions_that_do_not_fit_are_not_asked(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("height\n1.8\n1.7\n1.6\n")
    assert here.open_table([path]).story.question_names == ["compare", "measure"]


def test_the_folder_says_how_the_file_was_read(here: Desk, tmp_path: Path) -> None:
    path = towns(tmp_path / "towns *2020*.csv")
    opened = here.open_table([path])
    folder = own.place(here.store.home) / opened.story.name
    declared = tomllib.loads((folder / "story.toml").read_text())
    assert declared["reading"]["decimal"] == ","
    assert declared["reading"]["id"] == "town"
    assert declared["reading"]["labels"] == ["county"]
    assert "\\*2020\\*" in opened.story.words, "what a file says is no markup"
    kept = tmp_path / "kept.toml"
    kept.write_text(opened.reading.to_toml(path.name))
    assert Reading.from_toml(kept) == opened.reading
    again = here.open_table([path], Reading.from_toml(kept))
    assert again.dataset.digest == opened.dataset.digest


def test_a_reading_that_was_edited_is_used(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("town,code,n\na,1,5\nb,2,-9\nc,3,7\n")
    reading = replace(Reading(), labels=("code",), missing=("-9",), thing="town", things="towns")
    opened = here.open_table([path], reading)
    table = here.open(opened.story.name).data
    assert table.names("var").names == ("n",)
    np.testing.assert_array_equal(table.matrix()[:, 0], [5, np.nan, 7])  # type: ignore[attr-defined]
    assert table.about.things == "towns"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 'red'", "“colour” is nothing that can be said"),
        ("labels = 'a'", "labels must be a list of words"),
        ("header_row = -1", "header_row must be a whole number"),
        ("layout = 'round'", "layout must be wide, long or transposed"),
        ("decimal = ';'", "decimal must be . or ,"),
        ("= 1", "it cannot be read"),
    ],
)
def test_a_reading_that_says_what_it_cannot(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        Reading.from_toml(path)


def test_names_that_are_taken(here: Desk, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first = towns(tmp_path / "a" / "towns.csv")
    assert here.open_table([first]).story.name == "towns-2", "towns is an installed story"
    assert here.open_table([first]).story.name == "towns-2", "the same file again"
    assert here.open_table([towns(tmp_path / "b" / "towns.csv", 9)]).story.name == "towns-3"
    towns(first, 12, 2.0)
    changed = here.open_table([first])
    assert changed.story.name == "towns-2"
    assert [one.name for one in here.store.datasets("towns-2")] == ["towns.2", "towns"]
    assert here.open_table([towns(tmp_path / "runs.csv")]).story.name == "runs-table"


def test_a_folder_that_is_deleted_is_a_story_less(here: Desk, tmp_path: Path) -> None:
    name = here.open_table([towns(tmp_path / "mine.csv")]).story.name
    assert name in here.registry
    other = Registry.installed(own.place(here.store.home))
    assert name in other, "another process sees it"
    shutil.rmtree(own.place(here.store.home) / name)
    assert name not in here.registry
    with pytest.raises(UnknownName, match="no story called “mine”"):
        here.open(name)


def test_a_folder_that_is_damaged_leaves_the_others_alone(here: Desk, tmp_path: Path) -> None:
    name = here.open_table([towns(tmp_path / "mine.csv")]).story.name
    (own.place(here.store.home) / name / "story.toml").write_text("title = ")
    assert name not in here.registry
    assert "towns" in here.registry


def test_an_own_table_is_not_fetched(here: Desk, tmp_path: Path) -> None:
    name = here.open_table([towns(tmp_path / "mine.csv")]).story.name
    with pytest.raises(NotFetched, match="a table of your own"):
        here.fetch(name)


def test_two_at_once(here: Desk, tmp_path: Path) -> None:
    for n in range(4):
        (tmp_path / f"{n}").mkdir()
    paths = [towns(tmp_path / f"{n}" / "t.csv", 6 + n) for n in range(4)]
    found: list[str] = []

    def work(path: Path) -> None:
        found.append(here.open_table([path]).story.name)

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["t", "t-2", "t-3", "t-4"]
    assert sorted(here.open(name).data.shape[0] for name in found) == [6, 7, 8, 9]  # type: ignore[attr-defined]


def test_years_become_layers(here: Desk, tmp_path: Path) -> None:
    paths = []
    for year, rows in {2019: "a;1;2\nb;3;4", 2020: "a;5;6\nb;7;8\nc;9;10"}.items():
        path = tmp_path / f"schools {year}.csv"
        path.write_text(f"town;x;y\n{rows}\n")
        paths.append(path)
    opened = here.open_table(paths)
    assert opened.story.name == "schools"
    table = here.open("schools").data
    assert table.about.time == "2020"
    assert list(table.layers) == [Layer("2019")]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(
        table.matrix(layer=Layer("2019")),  # type: ignore[attr-defined]
        [[1, 2], [3, 4], [np.nan, np.nan]],
    )
    (tmp_path / "schools.csv").write_text("town;x\na;1\n")
    with pytest.raises(InvalidInput, match="does not say which year"):
        here.open_table([*paths, tmp_path / "schools.csv"])


# Portions of large tables


def large(n: int = 3 * MOST_ROWS) -> MemoryTable:
    random = np.random.default_rng(1)
    names = [f"r{row}" for row in range(n)]
    return MemoryTable(random.normal(size=(n, 3)), names, ["a", "b", "c"], About("Large"))


def test_a_portion_is_the_same_each_time_and_holds_who_is_named() -> None:
    whole = large()
    one, again = Portion.of(whole, ["r7"]), Portion.of(whole, ["r7"])
    assert one.digest == again.digest
    assert "r7" in one.names("obs").names
    assert MOST_ROWS <= one.shape[0] <= MOST_ROWS + 1
    np.testing.assert_array_equal(one.matrix(["r7"]), whole.matrix(["r7"]))
    np.testing.assert_array_equal(one.matrix(), whole.X[one.rows])
    assert (
        Portion.of(whole, []).digest != one.digest
        or "r7" in Portion.of(whole, []).names("obs").names
    )


def test_a_share_of_a_portion_is_as_near_as_it_says() -> None:
    random = np.random.default_rng(0)
    whole = random.random(20_000) < 0.5
    error = sampling_error(500, len(whole)) / 100
    found = [random.choice(whole, 500, replace=False).mean() for _ in range(2000)]
    covered = np.mean(np.abs(np.array(found) - whole.mean()) <= error)
    assert 0.935 < covered < 0.97


def test_answers_from_a_portion_say_so(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    whole = large(MOST_ROWS + 500)
    rows = [f"{name},{a:.3f},{b:.3f}" for name, (a, b, _) in
            zip(whole.obs_names, whole.X.tolist(), strict=True)]  # fmt: skip
    path.write_text("\n".join(["id,a,b", *rows]))
    here.open_table([path])
    asked = here.open("large")
    absent = next(n for n in whole.obs_names if n not in
                  set(Portion.of(asked.data, []).names("obs").names))  # type: ignore[arg-type]  # fmt: skip
    answer = asked.ask("compare", a=absent, b="r5")
    assert answer.sentence.startswith("Among 5\u202f00")
    assert "of 5\u202f500 rows, drawn at random" in answer.sentence
    assert "0.4 points in a hundred" in answer.notes[0]
    assert answer.params["a"] == absent
