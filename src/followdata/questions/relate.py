"""The question "relate": which columns go with how often something happens, honestly tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core.discoveries import q_values
from followdata.core.normal import normal_scores
from followdata.core.placebo import surrogates
from followdata.core.proportion import share_interval
from followdata.core.scan import scan
from followdata.core.stability import HALVES, halves, stability
from followdata.data import Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.parameters import Group, Number
from followdata.question import Question
from followdata.questions import measures as columns_of
from followdata.questions import wording
from followdata.questions.groups import FALSE_DISCOVERIES
from followdata.questions.measures import Measures
from followdata.questions.scanned import ADJUST, SIZE, Scanned, null_notes
from followdata.questions.workers import workers

EVERY = "all"
THEME = "theme"
PLACEBOS = 400
_LEVEL = 0.05
_SEED = 20141231
_STEADY = 0.8


@dataclass(frozen=True)
class Related:
    """The scan of p columns, whose numbers in the table are `columns`.

    `ratio` is the rate ratio for one standard deviation with its interval `low` to `high`; `p`, `n`
    and `stability` are as in `followdata.core.scan` and `followdata.core.stability`. Of `placebos`
    surrogates of these columns `false` came out with p at most 5 %. `notes` say what was asked.
    """

    columns: npt.NDArray[np.int64]
    ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    n: Floats
    stability: Floats
    placebos: int
    false: int
    notes: list[str]


def fit_related(data: TableData, *, adjust: Annotated[str, ADJUST] = SIZE) -> Related:
    """Scan all columns, see what halves of the data find, and scan surrogates."""
    random = np.random.default_rng(_SEED)
    with workers() as executor:
        scanned = Scanned.of(data, adjust)
        found = scan(scanned.intensity, scanned.scores, scanned.nearness, executor)
        drawn = halves(scanned.groups, len(scanned.X), random)
        steady = stability(
            scanned.intensity, scanned.scores, found.effect, found.inflation, drawn, executor
        )
        made = surrogates(
            scanned.values,
            scanned.scores,
            scanned.X,
            scanned.nearness,
            found.smoothness,
            random.integers(len(scanned.columns), size=PLACEBOS),
            random,
        )
        chance = scan(scanned.intensity, normal_scores(made), scanned.nearness, executor)
    return Related(
        columns=scanned.columns,
        ratio=np.exp(found.effect),
        low=np.exp(found.low),
        high=np.exp(found.high),
        p=found.p,
        n=found.n.astype(np.float64),
        stability=steady,
        placebos=PLACEBOS,
        false=int((chance.p <= _LEVEL).sum()),
        notes=list(null_notes(scanned, adjust)),
    )


def relate(
    data: TableData,
    fitted: Related,
    *,
    measures: Annotated[
        str, Group("Which indicators: all, or those of one theme", by=THEME, everyone=EVERY)
    ] = EVERY,
    adjust: Annotated[str, ADJUST] = SIZE,
    top: Annotated[int, Number("How many to draw", 1, 200, whole=True)] = 20,
) -> Answer:
    """Each column alone against the counts, with population as exposure and the rates of the years.

    Table `relate`, ordered by p: measure, title, rate_ratio (how many times as high the rate is
    for one standard deviation of the column's normal scores), low and high (its 95 % interval), p
    (the larger of two, see `followdata.core.scan`), q (p corrected over the columns asked about,
    Benjamini & Hochberg), stability (in what part of random halves of the data it is significant
    at 5 % with the same sign) and n (how many rows have a value). Table `audit`: the share of
    surrogates with p at most 5 %, with its 95 % interval. Table `chance`: how p is spread.

    Raises `NothingToAnswer` where no column of the theme can be tested.
    """
    shown = _Shown.of(data, fitted, measures, adjust, top)
    return Answer(
        sentence=" ".join(shown.sentences()),
        tables={"relate": shown.table(), "audit": shown.audit(), "chance": shown.chance()},
        views=tuple(shown.views()),
        notes=(*shown.notes(), *fitted.notes),
    )


question = Question(
    name="relate",
    title="What goes together with the rate?",
    words="Each indicator alone against the number of events, given how many people live in a "
    "place. Places differ for reasons that nobody has measured, and neighbours are alike in what "
    "happens and in nearly every indicator: the test allows for both, and shows what it finds in "
    "indicators that are chance.",
    needs="table",
    fit=fit_related,
    answer=relate,
)


@dataclass(frozen=True)
class _Shown:
    """The columns asked about, ordered by p: where they stand in what was fitted, and their q."""

    data: TableData
    fitted: Related
    measured: Measures
    adjust: str
    measures: str
    order: Sequence[int]
    q: Floats
    top: int

    @classmethod
    def of(cls, data: TableData, fitted: Related, measures: str, adjust: str, top: int) -> _Shown:
        asked = np.ones(len(fitted.columns), dtype=bool)
        if measures != EVERY:
            asked = data.labels("var")[THEME][fitted.columns] == measures
        kept = np.flatnonzero(asked)
        if not len(kept):
            raise NothingToAnswer(
                f"No {data.about.measure} of “{measures}” can be tested.", "Choose another theme."
            )
        order = kept[np.argsort(fitted.p[kept], kind="stable")]
        q = q_values(fitted.p[order])
        return cls(data, fitted, Measures.of(data), adjust, measures, order.tolist(), q, top)

    @property
    def titles(self) -> list[str]:
        return [self.measured.titles[self.fitted.columns[at]] for at in self.order]

    @property
    def false_rate(self) -> float:
        return self.fitted.false / self.fitted.placebos

    def table(self) -> Table:
        fitted, order = self.fitted, list(self.order)
        measure, title, _ = columns_of.fields(self.data)
        columns = [int(fitted.columns[at]) for at in order]
        return Table.of(
            (measure, [self.measured.names[column] for column in columns]),
            (title, self.titles),
            (
                Field("rate_ratio", "Rate ratio", decimals=2),
                fitted.ratio[order],
            ),
            (Field("low", "at least", decimals=2), fitted.low[order]),
            (Field("high", "at most", decimals=2), fitted.high[order]),
            (Field("p", "p"), fitted.p[order]),
            (Field("q", "q"), self.q),
            (Field("stability", "Stability", decimals=2), fitted.stability[order]),
            (Field("n", self.data.about.things.capitalize()), fitted.n[order].astype(int)),
            title=f"What goes together with {self.data.about.events}, per standard deviation",
        )

    def audit(self) -> Table:
        fitted = self.fitted
        low, high = share_interval(fitted.false, fitted.placebos)
        return Table.of(
            (Field("noise", "Chance that looks like"), [self._like_these]),
            (Field("n", "Placebos"), [fitted.placebos]),
            (Field("false_positive_rate", "Found at 5 %", decimals=3), [self.false_rate]),
            (Field("low", "at least", decimals=3), [low]),
            (Field("high", "at most", decimals=3), [high]),
            title="The same test on indicators that are chance",
        )

    @property
    def _like_these(self) -> str:
        return f"these {self.data.about.measures}"

    def chance(self) -> Table:
        """How many p-values lie in each twentieth, and how many chance would put there."""
        p = self.fitted.p[list(self.order)]
        edges = np.linspace(0, 1, _BINS + 1)
        counts, _ = np.histogram(p, edges)
        return Table.of(
            (Field("p", "p"), (edges[:-1] + edges[1:]) / 2),
            (Field("low", "From"), edges[:-1]),
            (Field("high", "To"), edges[1:]),
            (Field("count", self.data.about.measures.capitalize()), counts),
            title="How p is spread; chance would fill all alike",
        )

    def sentences(self) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        found = int((self.q <= FALSE_DISCOVERIES).sum())
        of = wording.count(len(self.order), about.measure, about.measures)
        theme = "" if self.measures == EVERY else f" of “{self.measures}”"
        among = (
            f"Among {about.things} of the same size"
            if self.adjust == SIZE
            else "With no allowance for size"
        )
        go = "goes" if found == 1 else "go"
        yield (
            f"{among}, {wording.number(found) if found else 'none'} of {of}{theme} {go} together "
            f"with {about.events} at a false discovery rate of {wording.share(FALSE_DISCOVERIES)}."
        )
        first = self.order[0]
        ratio, low, high = (
            float(values[first]) for values in (fitted.ratio, fitted.low, fitted.high)
        )
        nearest = "The firmest" if found else "The nearest to it"
        yield (
            f"{nearest} is “{self.titles[0]}”: where it is one standard deviation higher, "
            f"there are {_times(ratio)} {about.events} (95 % interval {_times(low)} to "
            f"{_times(high)})."
        )
        below = float((fitted.p[list(self.order)] <= _LEVEL).mean())
        yield (
            f"{wording.share(below)} have p below 0.05; of {about.measures} that are nothing but "
            f"chance, as smooth and as skewed as these, {wording.share(self.false_rate)} do."
        )

    def views(self) -> Iterator[View]:
        about, shown = self.data.about, min(self.top, len(self.order))
        fitted, first = self.fitted, self.order[0]
        yield View(
            kind="intervals",
            table="relate",
            channels={"label": "title", "value": "rate_ratio", "low": "low", "high": "high"},
            title=f"How {about.events} go with each {about.measure}",
            description=f"Rate ratios per standard deviation with 95 % intervals of the {shown} "
            f"{about.measures} with the smallest p; first “{self.titles[0]}” "
            f"({wording.number(float(fitted.ratio[first]))}). 1 is no relation.",
            options={"first": shown},
        )
        counts = [int(str(count)) for count in self.chance().columns["count"]]
        yield View(
            kind="distribution",
            table="chance",
            channels={"value": "p", "count": "count"},
            title="How p is spread",
            description=f"A histogram of {len(self.order)} p-values; were all chance, each of the "
            f"{_BINS} bars would be about {wording.number(len(self.order) / _BINS)} high. The "
            f"first is {counts[0]}.",
        )

    def notes(self) -> Iterator[str]:
        about, fitted = self.data.about, self.fitted
        low, high = share_interval(fitted.false, fitted.placebos)
        yield (
            f"Its own audit: of {wording.number(fitted.placebos)} surrogates with the values, the "
            f"gaps, the smoothness and the tie to size of these {about.measures}, but otherwise "
            f"chance, {_percent(self.false_rate)} % came out with p below 0.05 (95 % interval "
            f"{_percent(low)} to {_percent(high)} %); it should be 5 % or less."
        )
        yield (
            f"What can be concluded: {about.things} that differ in an {about.measure} differ in "
            f"{about.events}, more than chance would have it. What cannot: that one "
            f"causes the other, or that it holds of people. These are figures of whole "
            f"{about.things}, and what is found among them need not be so among those who live "
            "there (the ecological fallacy)."
        )
        yield self._recorded()
        yield (
            f"A standard deviation is that of the {about.measure}'s normal scores: its values by "
            "their order, so that a few extreme ones do not decide. p is the larger of two: one "
            f"takes the {about.measures} as given and the {about.events} as chance, the other the "
            f"{about.events} as given and each {about.measure} as chance of its own smoothness. It "
            "holds if either does."
        )
        yield (
            f"q corrects p over the {wording.count(len(self.order), about.measure, about.measures)}"
            " (Benjamini & Hochberg); it holds for tests that are independent or rise and fall "
            f"together. {about.measures.capitalize()} often measure one thing several times: they "
            "are found, or missed, together."
        )
        unit = f"a {about.label}" if about.label else f"a {about.thing}"
        steady = int((fitted.stability[list(self.order)] >= _STEADY).sum())
        yield (
            f"Stability is the part of {HALVES} random halves of the data (each {unit} whole) in "
            f"which the {about.measure} has p below 0.05 and the same sign: "
            f"{wording.number(steady)} reach {wording.share(_STEADY)}. Half of the data find less, "
            "so even what is there may be found in few."
        )

    def _recorded(self) -> str:
        """What counts as an event, and when everything was."""
        about = self.data.about
        title = self.data.names("var").title(about.count)
        told = (
            f"{about.events.capitalize()} are counted as they were recorded (“{title}”): as "
            "somebody judged them then, which need not be what they were, and may be judged "
            "otherwise elsewhere."
        )
        if not about.time:
            return told
        return (
            f"{told} The {about.measures} are mostly of {about.time}, the {about.events} of years "
            "before too: which came first is not told."
        )


_BINS = 20


def _percent(part: float) -> str:
    return f"{100 * part:.1f}"


def _times(ratio: float) -> str:
    """A rate ratio as people say it.

    >>> _times(1.29), _times(0.85), _times(1.001), _times(3.25)
    ('29\\xa0% more', '15\\xa0% fewer', 'as many', '3.25 times as many')
    """
    percent = round(100 * abs(ratio - 1))
    if not percent:
        return "as many"
    if ratio >= 2:
        return f"{wording.number(ratio)} times as many"
    return f"{percent}{wording.FIXED}% {'more' if ratio > 1 else 'fewer'}"
