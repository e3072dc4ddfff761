"""What every story and every question must keep, as a test class.

pytest is needed to run it, not to import followdata. Each test opens the story's sample in a data
directory of its own.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import pytest

from followdata.answer import Answer, plain
from followdata.data import Data
from followdata.desk import SAMPLE, Desk, Opened
from followdata.errors import FollowdataError, UnknownName
from followdata.parameters import Number
from followdata.present import FORMATS, render
from followdata.present.charts import KINDS, chart
from followdata.present.jsonform import document
from followdata.registry import Registry
from followdata.store import Store
from followdata.story import Story

RESERVED = {
    "data",
    "format",
    "limit",
    "listen",
    "offset",
    "output",
    "size",
    "table",
    "theme",
    "view",
    "wait",
}
"""Names that the frame keeps for itself."""


class StoryContract:
    """Subclass it with `story` set to the name under which the registry has the story."""

    story: ClassVar[str]

    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls, tmp_path_factory: pytest.TempPathFactory) -> Opened:
        """The story opened with its sample, in an empty data directory."""
        desk = Desk(cls.registry(), Store(tmp_path_factory.mktemp("contract")))
        return desk.open(cls.story, SAMPLE)

    @pytest.fixture(scope="class")
    @classmethod
    def answers(cls, opened: Opened) -> dict[str, Answer]:
        """The default answer to each of the story's questions."""
        return {name: opened.ask(name) for name in opened.story.question_names}

    @classmethod
    def registry(cls) -> Registry:
        """Where the story is looked up."""
        return Registry.installed()

    def test_says_what_it_is(self, opened: Opened) -> None:
        story = opened.story
        for words in (story.title, story.summary, story.words.strip(), story.sample_words):
            assert words
        assert story.question_names
        assert isinstance(story, Story)

    def test_sample_is_named_as_what_it_is(self, opened: Opened) -> None:
        provenance = opened.data.provenance
        assert provenance.sample, "Provenance.sample must say what the sample is"
        assert provenance.source
        assert provenance.licence
        assert provenance.sha256 == opened.data.digest

    def test_sample_is_the_same_each_time(self, opened: Opened) -> None:
        assert opened.story.sample().digest == opened.data.digest

    def test_data_are_of_the_kind_that_questions_need(self, opened: Opened) -> None:
        assert isinstance(opened.data, Data)
        assert opened.data.kind == opened.story.kind
        for question in opened.story.questions.values():
            assert question.needs == opened.story.kind

    def test_questions_declare_themselves(self, opened: Opened) -> None:
        for name, question in opened.story.questions.items():
            assert question.name == name
            assert question.title
            assert question.words
            for asked in question.parameters.values():
                assert asked.type.words, f"{name}.{asked.name}: say what it is for"
                assert asked.name not in RESERVED
            if question.learns:
                assert dataclasses.is_dataclass(question.fitted_type)
                assert get_type_hints(question.fit)["return"]

    def test_answers_without_being_told_anything(self, answers: dict[str, Answer]) -> None:
        for name, answer in answers.items():
            assert answer.sentence.strip().endswith((".", "!", "?")), f"{name}: {answer.sentence!r}"
            assert "\n" not in answer.sentence
            assert "nan" not in answer.sentence.lower().split()
            assert answer.tables
            assert answer.notes, f"{name}: say how sure the answer is"

    def test_tables_hold_plain_values(self, answers: dict[str, Answer]) -> None:
        for answer in answers.values():
            for table in answer.tables.values():
                assert set(table.columns) == {field.name for field in table.fields}
                for column in table.columns.values():
                    assert list(column) == [plain(value) for value in column]

    def test_pictures_can_be_drawn(self, answers: dict[str, Answer]) -> None:
        for answer in answers.values():
            for view in answer.views:
                assert view.kind in KINDS
                assert view.description.strip(), f"{view.title}: say what the picture shows"
                assert set(view.channels.values()) <= set(answer.tables[view.table].columns)
                spec = chart(answer, view, check=True)
                assert not missing_fields(spec, spec["datasets"]), view.title

    def test_every_form_holds_the_same_values(self, answers: dict[str, Answer]) -> None:
        for answer in answers.values():
            for form in FORMATS:
                if form in ("svg", "png") and not answer.views:
                    continue
                assert render(answer, form)
            assert json.loads(render(answer, "json")) == json.loads(json.dumps(document(answer)))
            for name, table in answer.tables.items():
                text = render(answer, "csv", table=name).decode()
                rows = list(csv.DictReader(io.StringIO(text)))
                assert len(rows) == len(table)
                for row, record in zip(rows, table.records(), strict=True):
                    for column, value in record.items():
                        assert _same(row[column], value), (name, column)

    def test_asking_twice_gives_the_same_answer(
        self, opened: Opened, answers: dict[str, Answer]
    ) -> None:
        for name, answer in answers.items():
            again = opened.tell(name, answer.params)
            assert document(again) == document(answer)

    def test_what_was_learnt_is_kept_for_other_processes(
        self, opened: Opened, answers: dict[str, Answer], tmp_path: Path
    ) -> None:
        store = opened.desk.store
        for name, question in opened.story.questions.items():
            if question.learns:
                key = opened.key(question, answers[name].params)
                assert store.fitted(key, question.fitted_type) is not None

    def test_data_can_be_published(
        self, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(opened.export(tmp_path / "published"))
        for resource in json.loads(Path("datapackage.json").read_bytes())["resources"]:
            with Path(resource["path"]).open(encoding="utf-8", newline="") as lines:
                heading = next(csv.reader(lines))
            assert heading == [field["name"] for field in resource["schema"]["fields"]]
        assert "This is a sample" in Path("README.md").read_text(encoding="utf-8")
        names: dict[str, Any] = {}
        for cell in json.loads(Path("starter.ipynb").read_bytes())["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)  # noqa: S102 -- our own notebook

    def test_names_are_checked(self, opened: Opened) -> None:
        with pytest.raises(UnknownName):
            opened.ask("no-such-question")
        for name, question in opened.story.questions.items():
            with pytest.raises(UnknownName):
                opened.ask(name, no_such_parameter=1)
            for asked, wrong in _wrong_values(opened, question.parameters.values()):
                with pytest.raises(FollowdataError) as refused:
                    opened.tell(name, opened.resolve(name, {asked: wrong}))
                assert "\n" not in str(refused.value)


def missing_fields(
    spec: Mapping[str, Any], sheets: Mapping[str, list[dict[str, Any]]], data: str = ""
) -> set[str]:
    """Fields that a chart encodes and that its data do not have: it would be drawn empty."""
    data = spec.get("data", {}).get("name", data)
    made = (step.get("as", []) for step in spec.get("transform", ()))
    derived = {name for names in made for name in ([names] if isinstance(names, str) else names)}
    held = derived.union(*(record.keys() for record in sheets.get(data, ())))
    encodings = spec.get("encoding", {}).values()
    used = {one["field"] for one in encodings if isinstance(one, dict) and "field" in one}
    missing = used - held if sheets.get(data) else set()
    for layer in spec.get("layer", ()):
        missing |= missing_fields(layer, sheets, data)
    return missing


def _wrong_values(opened: Opened, parameters: Any) -> Iterator[tuple[str, str]]:
    for asked in parameters:
        if asked.type.names(opened.data) is not None or isinstance(asked.type, Number):
            yield asked.name, "no such thing \u2603"


def _same(text: str, value: Any) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, float):
        return float(text) == value
    return text.lstrip("'") == str(value).lstrip("'")
