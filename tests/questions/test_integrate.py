from __future__ import annotations

import numpy as np
import pytest

from followdata.core.heldout import balanced_accuracy
from followdata.data import About, Layer, MemoryTable
from followdata.errors import NothingToAnswer
from followdata.questions.integrate import Integrated, fit_factors, integrate


def table(seed: int, *, told: float = 0.0, rows: int = 48, label: str = "kind") -> MemoryTable:
    """Two layers of noise in which three kinds of rows differ by `told`; a third has few rows."""
    random = np.random.default_rng(seed)
    kinds = random.permutation(np.repeat(["a", "b", "c"], rows // 3))
    layers = [random.normal(size=(rows, 30)) for _ in range(3)]
    for layer in layers:
        layer[:, :6] += told * (kinds == "a")[:, None]
        layer[:, 6:12] += told * (kinds == "b")[:, None]
    layers[2][10:] = np.nan
    layers[1][0] = np.nan
    return MemoryTable(
        layers[0],
        [f"row {number}" for number in range(rows)],
        [f"column {number}" for number in range(30)],
        About("Noise", label=label, matrix="first"),
        obs={"kind": kinds.astype(np.str_)},
        layers={Layer(part="second"): layers[1], Layer(part="few"): layers[2]},
    )


def learnt(data: MemoryTable) -> Integrated:
    return fit_factors(data, factors=3, features=30)


def test_measurements_that_would_cost_most_rows_have_no_part() -> None:
    data = table(0)
    fitted = learnt(data)
    assert fitted.layers == ["first", "second"]
    assert fitted.rows.tolist() == list(range(1, 48))
    answer = integrate(data, fitted)
    assert "few would leave fewer rows" in answer.notes[0]


def test_what_differs_is_told_and_who_differs_in_nothing_is_guessed() -> None:
    clear = learnt(table(1, told=2.0))
    for calls in (clear.by_factors, clear.by_few):
        assert balanced_accuracy(clear.given, calls).value > 0.85
    # All that is chosen is chosen without the rows held out: of noise nothing can be told.
    noise = [learnt(table(seed)) for seed in (2, 3)]
    for name in ("by_factors", "by_few"):
        right = np.concatenate([getattr(one, name) == one.given for one in noise])
        assert right.mean() == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(right)))


def test_without_a_label_there_are_factors_all_the_same() -> None:
    data = table(7, label="")
    fitted = learnt(data)
    answer = integrate(data, fitted)
    assert fitted.classes == []
    assert "held_out" not in answer.tables
    assert answer.sentence.endswith("carries most.")
    assert set(answer.tables["map"].columns) == {"thing", "factor_1", "factor_2", "factor_3"}


def test_groups_that_are_too_small_are_not_told() -> None:
    data = table(8)
    words = data.obs["kind"].copy()
    words[:] = "a"
    words[:3] = "b"
    few = MemoryTable(
        data.X, data.obs_names, data.var_names, data.about, {"kind": words}, layers=data.layers
    )
    answer = integrate(few, learnt(few))
    assert "held_out" not in answer.tables
    assert "none is told" in answer.notes[-1]


def test_one_measurement_has_nothing_in_common_with_itself() -> None:
    data = table(9)
    alone = MemoryTable(data.X, data.obs_names, data.var_names, data.about, data.obs)
    with pytest.raises(NothingToAnswer, match="have two measurements"):
        learnt(alone)
