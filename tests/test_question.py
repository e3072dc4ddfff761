"""A question's declaration: its parameters, their order of precedence, and what it calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followdata.answer import Answer, Field, Table
from followdata.data import About, Data, MemoryTable
from followdata.errors import FollowdataError, InvalidParameter, UnknownName
from followdata.parameters import Choice, Column, Number, Row
from followdata.question import Question, Report, parameters_of

TABLE = MemoryTable(np.eye(2), ["Umeå", "Lund"], ["x", "y"], About("Towns", "town", "towns"))


@dataclass(frozen=True)
class Learnt:
    power: int
    seed: int


def fit(
    data: Data,
    *,
    power: Annotated[int, Number("Power", 1, 9, whole=True)] = 2,
    seed: Annotated[int, Number("Seed", whole=True)] = 1,
) -> Learnt:
    return Learnt(power, seed)


def answer(
    data: Data,
    fitted: Learnt,
    *,
    thing: Annotated[str, Row("Which")],
    power: Annotated[int, Number("Power", 1, 9, whole=True)] = 2,
    by: Annotated[str | None, Column("By what")] = None,
    how: Annotated[str, Choice("How", ("fast", "slow"))] = "slow",
) -> Answer:
    told = f"{thing} {power} {by} {how} {fitted}"
    return Answer(told, {"t": Table.of((Field("a", "A"), [thing]))})


QUESTION = Question("power", "How strong is {thing}?", "Strength.", "table", answer, fit)


def test_parameters_are_those_only_fit_takes_then_those_of_answer() -> None:
    assert list(QUESTION.parameters) == ["seed", "thing", "power", "by", "how"]
    assert QUESTION.fit_parameters == ("power", "seed")
    assert QUESTION.answer_parameters == ("thing", "power", "by", "how")
    assert QUESTION.parameters["by"].optional
    assert QUESTION.parameters["thing"].default is ...
    assert QUESTION.fitted_type is Learnt
    assert QUESTION.learns


def test_a_question_need_not_learn() -> None:
    question = Question("q", "Q?", "Words.", "table", answer)
    assert not question.learns
    assert question.fit_parameters == ()
    assert question.learn(TABLE, {}, print) is None


@pytest.mark.parametrize(
    ("given", "defaults", "expected"),
    [
        ({}, {}, {"thing": "Umeå", "power": 2, "by": None, "how": "slow", "seed": 1}),
        ({}, {"thing": "Lund", "power": 3}, {"thing": "Lund", "power": 3}),
        ({"thing": "umea"}, {"thing": "Lund"}, {"thing": "Umeå"}),
        ({"thing": "", "by": None}, {"thing": "lund", "by": "Y"}, {"thing": "Lund", "by": "y"}),
        ({"power": "4,0"}, {}, {"power": 4}),
    ],
)
def test_what_is_given_goes_before_what_the_story_suggests(
    given: dict[str, Any], defaults: dict[str, Any], expected: dict[str, Any]
) -> None:
    values = QUESTION.resolve(TABLE, given, defaults)
    assert list(values) == list(QUESTION.parameters)
    assert values.items() >= expected.items()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"thng": "Umeå"}, UnknownName, "Did you mean “thing”"),
        ({"Power ": 3}, UnknownName, "Did you mean “power”"),
        ({"thing": "Uma"}, UnknownName, "Did you mean “Umeå”"),
        ({"power": "ten"}, InvalidParameter, "power: “ten” is not a number."),
        ({"how": "quick"}, UnknownName, "no choice called “quick”"),
    ],
)
def test_what_is_wrong_is_said(
    given: dict[str, Any], error: type[FollowdataError], words: str
) -> None:
    with pytest.raises(error, match=words):
        QUESTION.resolve(TABLE, given, {})


@given(
    st.dictionaries(
        st.sampled_from([*QUESTION.parameters, "other"]),
        st.text(max_size=6) | st.integers(0, 12) | st.sampled_from(["UMEA", "lund", "X", "fast"]),
    )
)
def test_resolving_is_an_error_of_ours_or_settled(given: dict[str, Any]) -> None:
    try:
        values = QUESTION.resolve(TABLE, given, {})
    except FollowdataError:
        return
    assert QUESTION.resolve(TABLE, values, {"thing": "Lund", "power": 9}).items() >= {
        (name, value) for name, value in values.items() if value is not None
    }


def test_each_function_gets_its_share() -> None:
    values = QUESTION.resolve(TABLE, {"power": 3, "thing": "Lund"}, {})
    learnt = QUESTION.learn(TABLE, values, print)
    assert learnt == Learnt(3, 1)
    assert QUESTION.tell(TABLE, learnt, values).sentence == f"Lund 3 None slow {learnt}"
    assert QUESTION.heading(values) == "How strong is Lund?"


def test_braces_in_a_name_stay_braces() -> None:
    assert QUESTION.heading({"thing": "{power}", "power": 2}) == "How strong is {power}?"


def test_a_long_fit_is_given_someone_to_tell() -> None:
    def watched(data: Data, *, report: Report, steps: Annotated[int, Number("n")] = 2) -> Learnt:
        report("progress", done=1, total=steps, what="step")
        return Learnt(1, 1)

    told: list[tuple[str, dict[str, Any]]] = []
    question = Question("q", "Q?", "W.", "table", answer, watched, long=True)
    assert question.fit_parameters == ("steps",)
    question.learn(TABLE, {"steps": 2}, lambda kind, **words: told.append((kind, words)))
    assert told == [("progress", {"done": 1, "total": 2, "what": "step"})]


def test_a_parameter_without_a_type_is_refused_when_it_is_declared() -> None:
    def careless(data: Data, *, thing: str) -> Answer:
        raise AssertionError

    def twice(data: Data, *, thing: Annotated[str, Row("a"), Column("b")]) -> Answer:
        raise AssertionError

    for function in (careless, twice):
        with pytest.raises(TypeError, match="annotate “thing” with one type"):
            parameters_of(function)
