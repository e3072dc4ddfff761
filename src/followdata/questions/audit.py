"""The question "audit": what the scan finds where there is nothing to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.normal import normal_scores
from followdata.core.placebo import surrogates
from followdata.core.proportion import share_interval
from followdata.core.scan import scan
from followdata.data import Floats, TableData
from followdata.parameters import Number
from followdata.question import Question, Report
from followdata.questions import wording
from followdata.questions.scanned import ADJUST, SIZE, Scanned, noises, null_notes
from followdata.questions.workers import workers

_LEVELS = (0.05, 0.01)
_SEED = 19980101
PLACEBOS = 2000
"""So many that a share of 5 % is known to within 1 %: of ten kinds the largest is looked at."""
NUMBER = Number("How many placebos of each kind", 100, 5000, whole=True)


@dataclass(frozen=True)
class Audited:
    """Of `number` placebos of each kind of noise (k names), how many had p at most 5 % and at most
    1 % (k x 2)."""

    noise: list[str]
    number: int
    found: Floats
    notes: list[str]


def fit_audited(
    data: TableData,
    *,
    adjust: Annotated[str, ADJUST] = SIZE,
    number: Annotated[int, NUMBER] = PLACEBOS,
    report: Report,
) -> Audited:
    """Scan placebos of every kind against the real counts; reports "progress" after each kind."""
    random = np.random.default_rng(_SEED)
    found: dict[str, list[int]] = {}
    with workers() as executor:
        scanned = Scanned.of(data, adjust)

        def scores_of(values: Floats) -> Floats:
            return scan(scanned.intensity, normal_scores(values), scanned.nearness, executor).p

        kinds = list(noises(scanned, number, random))
        for name, noise in kinds:
            found[name] = _counted(scores_of(noise))
            report("progress", done=len(found), total=len(kinds) + 1, what="kinds of chance")
        real = scan(scanned.intensity, scanned.scores, scanned.nearness, executor)
        chosen = random.integers(len(scanned.columns), size=number)
        made = surrogates(
            scanned.values, scanned.scores, scanned.X, scanned.nearness, real.smoothness, chosen,
            random,
        )  # fmt: skip
        found[f"like these {data.about.measures}, gaps and all"] = _counted(scores_of(made))
    notes = list(null_notes(scanned, adjust))
    return Audited(list(found), number, np.array(list(found.values()), dtype=np.float64), notes)


def _counted(p: Floats) -> list[int]:
    return [int((p <= level).sum()) for level in _LEVELS]


def audit(
    data: TableData,
    fitted: Audited,
    *,
    adjust: Annotated[str, ADJUST] = SIZE,
    number: Annotated[int, NUMBER] = PLACEBOS,
) -> Answer:
    """How often `relate` finds something in indicators that are chance.

    Table `audit`, a row for each kind of noise: noise, n, false_positive_rate (the share with p at
    most 5 %) with its 95 % interval low to high, and at_one, the share with p at most 1 %.
    """
    rates = fitted.found / fitted.number
    limits = [share_interval(int(found), fitted.number) for found in fitted.found[:, 0]]
    worst = int(np.argmax(rates[:, 0]))
    table = Table.of(
        (Field("noise", "Chance that is"), fitted.noise),
        (Field("n", "Placebos"), [fitted.number] * len(fitted.noise)),
        (Field("false_positive_rate", "Found at 5 %", decimals=3), rates[:, 0]),
        (Field("low", "at least", decimals=3), [low for low, _ in limits]),
        (Field("high", "at most", decimals=3), [high for _, high in limits]),
        (Field("at_one", "Found at 1 %", decimals=3), rates[:, 1]),
        title="What is found where there is nothing",
    )
    low, high = limits[worst]
    count = wording.number(fitted.number)
    middle, most = 100 * float(rates[:, 0].mean()), 100 * float(rates[worst, 0])
    sentence = (
        f"Of {data.about.measures} that are nothing but chance, {middle:.1f} % come out with p "
        f"below 0.05, where 5 % should. Of {len(fitted.noise)} kinds of chance with {count} "
        f"placebos each, the most is {most:.1f} % (95 % interval {100 * low:.1f} to "
        f"{100 * high:.1f} %), where it is {fitted.noise[worst]}."
    )
    view = View(
        kind="intervals",
        table="audit",
        channels={
            "label": "noise", "value": "false_positive_rate", "low": "low", "high": "high",
        },
        title="How much chance passes for a finding",
        description=f"For {len(fitted.noise)} kinds of noise the share of {count} placebos with p "
        f"below 0.05 and its 95 % interval; they are from {float(rates[:, 0].min()):.3f} to "
        f"{float(rates[:, 0].max()):.3f}.",
    )  # fmt: skip
    return Answer(sentence, {"audit": table}, (view,), (*_notes(data), *fitted.notes))


def _notes(data: TableData) -> Iterator[str]:
    about = data.about
    yield (
        f"The {about.events} are the real ones, and stay as they are; only the {about.measures} "
        "are made up. What is found in them is found for no reason."
    )
    yield (
        "A test that never rejects would pass this as well. What this one finds where there is "
        "something to be found is shown in the documentation, under benchmarks."
    )


question = Question(
    name="audit",
    title="What would be found in pure chance?",
    words="The test of the scan on made-up indicators: independent of one another or smooth over "
    "the land, plain or skewed, tied to size, and like the real ones. Of a hundred, five may come "
    "out below 0.05, and no more.",
    needs="table",
    fit=fit_audited,
    answer=audit,
    long=True,
)
