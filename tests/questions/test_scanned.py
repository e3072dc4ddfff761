"""The questions relate, audit and model on made-up counties with an effect that is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from followdata.answer import Answer
from followdata.core.nearness import EXPONENTIAL, correlation, distances
from followdata.core.normal import normal_scores
from followdata.core.scan import scan
from followdata.data import About, Floats, Layer, MemoryTable, TableData
from followdata.desk import Desk
from followdata.errors import NothingToAnswer
from followdata.question import Question
from followdata.questions.audit import question as audit
from followdata.questions.relate import question as relate
from followdata.questions.scanned import SIZE, Scanned, noises
from followdata.questions.together import question as model

N, YEARS, NOISE = 90, 6, 6
ABOUT = About(
    "Fires", "town", "towns", "indicator", "indicators", size="people", label="county",
    time="2006", count="fires", event="fire", events="fires",
)  # fmt: skip


def towns(effect: float = 0.6, located: bool = True, seed: int = 0) -> MemoryTable:
    """Towns of ten counties; “cause” raises the rate, the others do nothing."""
    random = np.random.default_rng(seed)
    places = random.uniform([60, 15], [63, 18], size=(N, 2))
    people = np.exp(random.normal(9.5, 0.8, size=N))
    apart = distances(places * [111.0, 55.0])
    root = np.linalg.cholesky(correlation(apart, EXPONENTIAL, 60.0))
    cause = random.normal(size=N)
    others = random.normal(size=(N, NOISE))
    others[:12, 0] = np.nan
    rate = np.exp(effect * cause + 0.3 * root @ random.normal(size=N))
    y = random.poisson(people[:, None] * 2e-4 * rate[:, None], size=(N, YEARS)).astype(float)
    columns = [y.sum(1), people, cause, *others.T, *(places.T if located else ())]
    names = ["fires", "people", "cause", *(f"noise {n}" for n in range(NOISE))]
    names += ["latitude", "longitude"] if located else []
    X = np.column_stack(columns)
    layers: dict[Layer, Floats] = {}
    for year in range(YEARS):
        values = np.full_like(X, np.nan)
        values[:, 0], values[:, 1] = y[:, year], people
        layers[Layer(str(2001 + year))] = values
    themes = np.array(["", "", "one", *(["two"] * (len(names) - 3))])
    return MemoryTable(
        X, [f"T{n}" for n in range(N)], names, ABOUT,
        obs={"county": np.array([f"C{n % 10}" for n in range(N)])},
        var={"theme": themes}, layers=layers,
    )  # fmt: skip


def ask(question: Question, data: MemoryTable, **given: object) -> Answer:
    params = question.resolve(data, given, {})
    return question.tell(data, question.learn(data, params, lambda *_, **__: None), params)


def records(answer: Answer, table: str) -> list[dict[str, Any]]:
    return answer.tables[table].records()


def words(answer: Answer) -> str:
    return " ".join([answer.sentence, *answer.notes]).replace("\xa0", " ")


def test_relate_finds_the_cause_and_nothing_else() -> None:
    answer = ask(relate, towns())
    rows = records(answer, "relate")
    assert rows[0]["measure"] == "cause"
    assert rows[0]["low"] <= np.exp(0.6) <= rows[0]["high"]
    assert rows[0]["q"] < 0.001
    assert rows[0]["stability"] == 1
    assert all(row["q"] > 0.05 for row in rows[1:])
    by_name = {row["measure"]: row for row in rows}
    assert by_name["noise 0"]["n"] == N - 12
    assert "fires" not in by_name  # they are what is asked about
    assert "people" not in by_name
    told = words(answer)
    assert "Among towns of the same size, 1 of 9 indicators goes together with fires" in told
    assert "12 values are missing, in 1 indicator" in told
    assert "ecological fallacy" in told
    assert "as they were recorded" in told
    (placebos,) = records(answer, "audit")
    assert placebos["n"] == 400
    assert placebos["low"] < 0.06
    assert sum(answer.tables["chance"].columns["count"]) == 9  # type: ignore[arg-type]


def test_a_theme_is_a_family_of_its_own() -> None:
    data = towns()
    params = relate.resolve(data, {"measures": "one"}, {})
    fitted = relate.learn(data, params, print)
    (row,) = records(relate.tell(data, fitted, params), "relate")
    assert row["q"] == row["p"]
    whole = relate.tell(data, fitted, {**params, "measures": "all"})
    assert records(whole, "relate")[0]["q"] > row["q"]


def test_size_is_allowed_for_unless_asked_not_to() -> None:
    data = towns()
    tied = data.X.copy()
    tied[:, 3] = np.nan_to_num(tied[:, 3]) + np.log(tied[:, 1])
    data = replace(data, X=tied)
    told = words(ask(relate, data, adjust="nothing"))
    assert "With no allowance for size" in told
    assert "people" in ask(relate, data, adjust="nothing").tables["relate"].columns["measure"]
    assert "not allowed for" in told


def test_without_places_the_county_stands_in_and_the_answer_says_so() -> None:
    told = words(ask(relate, towns(located=False)))
    assert "Where the towns lie is not known" in told
    bare = replace(towns(located=False), about=replace(ABOUT, label=""))
    assert "p is too small" in words(ask(relate, bare))


def test_what_cannot_be_asked() -> None:
    data = towns()
    with pytest.raises(NothingToAnswer, match="count no events"):
        ask(relate, replace(data, about=replace(ABOUT, count="")))
    bare = replace(data, X=np.where(np.arange(data.shape[1]) > 1, 1.0, data.X))
    with pytest.raises(NothingToAnswer, match="enough different values"):
        ask(relate, bare)
    nothing = {
        layer: np.where(np.arange(data.shape[1]) == 1, 9.0, 0.0 * values)
        for layer, values in data.layers.items()
    }
    with pytest.raises(NothingToAnswer, match="too little"):
        ask(relate, replace(data, layers=nothing))


def test_audit_tries_every_kind_of_chance() -> None:
    answer = ask(audit, towns(), number=100)
    rows = records(answer, "audit")
    kinds = [str(row["noise"]) for row in rows]
    assert len(kinds) == 10
    assert sum("Matern" in kind for kind in kinds) == 3
    assert "gaps and all" in kinds[-1]
    for row in rows:
        assert row["n"] == 100
        assert row["low"] <= row["false_positive_rate"] <= row["high"]
        assert row["low"] < 0.06
    assert "10 kinds of chance" in words(answer)
    others = ask(audit, towns(located=False), number=100).tables["audit"].columns["noise"]
    assert "alike within a county" in others


def test_model_keeps_what_is_there_and_it_foretells() -> None:
    answer = ask(model, towns(effect=0.8))
    first = records(answer, "model")[0]
    assert first["measure"] == "cause"
    assert first["stability"] > 0.9
    assert first["rate_ratio"] > 1.3
    rows = records(answer, "prediction")
    assert [row["better"] for row in rows] == [True, True]
    assert [row["held_out"] for row in rows] == ["towns of another county", "the year 2006"]
    told = words(answer)
    assert "1 survives" in told
    assert "They beat population alone." in told


def test_model_says_so_where_nothing_beats_population() -> None:
    told = words(ask(model, towns(effect=0.0, seed=1)))
    assert "Nothing beats population alone" in told
    assert "none survives" in told


@pytest.mark.shared
def test_chance_against_the_real_fires(desk: Desk, shared: Path) -> None:
    """1,800 placebos of nine kinds: `make bench` has more of each, with power beside them."""
    folder = shared / "data" / "school-fires"
    paths = [folder / "xlsx_data", folder / "simplified_municipality_indicators.csv"]
    desk.fetch("fires", {}, paths=paths)
    data = cast(TableData, desk.open("fires").data)
    scanned = Scanned.of(data, SIZE)
    made = dict(noises(scanned, 200, np.random.default_rng(0)))
    assert len(made) == 9
    Z = normal_scores(np.hstack(list(made.values())))
    with ThreadPoolExecutor(2) as executor:
        p = scan(scanned.intensity, Z, scanned.nearness, executor).p
    rates = (p.reshape(9, 200) <= 0.05).mean(1)
    assert 0.02 < rates.mean() <= 0.06
    assert rates.max() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200), dict(zip(made, rates, strict=True))
