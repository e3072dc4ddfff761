"""The question "compare": one's own samples against the samples of a table.

What reads a file is handed in by the story: `comparing(read)` makes the question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View
from followdata.core.components import principal_components
from followdata.core.discoveries import q_values
from followdata.core.moderated import moderated_t
from followdata.core.nearest import similarities
from followdata.core.quantiles import on_common_scale
from followdata.data import COUNTED, Floats, TableData
from followdata.errors import NothingToAnswer
from followdata.hierarchy import Branch
from followdata.parameters import File, Number, Row
from followdata.question import Question
from followdata.questions import groups, wording
from followdata.questions.groups import FALSE_DISCOVERIES, Grouped

LEAST_SHARED = 10
"""With fewer measures in common two tables are not compared."""
OWN = "your samples"

Read = Callable[[Path], TableData]


def comparing(read: Read) -> Question:
    """The question, with `read` to read the file that the reader names."""

    def compare(
        data: TableData,
        fitted: None,
        *,
        samples: Annotated[
            str | None,
            File("A table of your own samples; it is read here and sent nowhere", title="File"),
        ] = None,
        sample: Annotated[
            str | None,
            Row("Without a file, one of these is looked at as if it were yours", title="Sample"),
        ] = None,
        top: Annotated[int, Number("How many genes to show", 1, 100_000, whole=True)] = 20,
    ) -> Answer:
        """Which groups one's samples are most like, and in what they differ from them.

        Table `nearest`: sample, group, similarity (mean Spearman correlation with the group's
        samples), best (the sample most alike) and best_similarity, the most alike first. Table
        `map`: thing, x, y, group, whose. Table `differ`, ordered by p: gene, effect (mean
        difference from the controls of the same group, on their scale), t, p, q.
        """
        own = _own(data, read, samples, sample)
        matched = _Matched.of(data, own)
        return _answer(matched, top)

    return Question(
        name="compare",
        title="What are these samples like?",
        words="Your own samples against the samples here: which groups they are most like, where "
        "they lie among them, and which genes differ once the group is allowed for.",
        needs="table",
        answer=compare,
    )


@dataclass(frozen=True)
class _Own:
    """The reader's samples: m x p values by the measures' names; `groups` they say they are of
    ("" where they say nothing); `left_out` the row of the controls that plays their part."""

    names: Sequence[str]
    measures: Sequence[str]
    values: Floats
    groups: Sequence[str]
    left_out: str = ""


def _own(data: TableData, read: Read, samples: str | None, sample: str | None) -> _Own:
    if not samples:
        chosen = sample or data.names("obs").names[0]
        return _Own([chosen], data.names("var").names, data.matrix(obs=[chosen]), [""], chosen)
    table = read(Path(samples))
    label = table.labels("obs").get(table.about.label, np.full(table.shape[0], ""))
    names = table.names("obs").names
    return _Own(names, table.names("var").names, table.matrix(), label.tolist())


@dataclass(frozen=True)
class _Matched:
    """Controls and own samples over the measures that both have, on the controls' scale."""

    data: TableData
    own: _Own
    measures: Sequence[str]
    lost: int
    rows: npt.NDArray[np.intp]
    controls: Floats
    samples: Floats
    branches: Sequence[Branch]

    @classmethod
    def of(cls, data: TableData, own: _Own) -> _Matched:
        pairs = _pairs(data, own)
        names = data.names("obs").names
        rows = np.array([i for i, n in enumerate(names) if n != own.left_out], dtype=np.intp)
        controls = data.matrix(var=[name for name, _ in pairs])[rows]
        samples = own.values[:, [position for _, position in pairs]]
        whole = np.isfinite(np.vstack([controls, samples])).all(axis=0)
        if whole.sum() < LEAST_SHARED:
            raise NothingToAnswer(
                f"Your samples and these have {int(whole.sum())} {data.about.measures} in common "
                "without missing values.",
                f"{LEAST_SHARED} are needed; are they named alike?",
            )
        controls, samples = on_common_scale(controls[:, whole], samples[:, whole])
        kept = [pairs[position][0] for position in np.flatnonzero(whole)]
        branches = [
            branch
            for branch in Grouped.of(data).hierarchy.at("structure")
            if branch.members[rows].any()
        ]
        lost = len(own.measures) - len(kept)
        return cls(data, own, kept, lost, rows, controls, samples, branches)

    @property
    def members(self) -> npt.NDArray[np.bool_]:
        return np.array([branch.members[self.rows] for branch in self.branches])


def _pairs(data: TableData, own: _Own) -> list[tuple[str, int]]:
    """The controls' name and the own position of each measure that both have, the first of each."""
    index, found = data.names("var"), dict[str, int]()
    for position, name in enumerate(own.measures):
        if known := index.known(name):
            found.setdefault(known, position)
    return list(found.items())


def _answer(matched: _Matched, top: int) -> Answer:
    data, own = matched.data, matched.own
    alike = similarities(matched.samples, matched.controls)
    by_group = np.array([alike[:, held].mean(1) for held in matched.members]).T
    at = _at(matched, by_group)
    differing = _differing(matched, at)
    return Answer(
        sentence=" ".join(_said(matched, by_group, at, differing)),
        tables={
            "nearest": _nearest_table(matched, alike, by_group),
            "map": _map_table(matched),
            "differ": differing.table(data, matched.measures, top),
        },
        views=tuple(_views(matched, by_group, differing, top)),
        notes=tuple(_notes(data, own, matched)),
    )


def _at(matched: _Matched, by_group: Floats) -> npt.NDArray[np.intp]:
    """The group whose controls each sample is held against: its own where it names one of them,
    else the one it is most like."""
    index = {branch.name: i for i, branch in enumerate(matched.branches)}
    by_id = {branch.id.lower(): i for i, branch in enumerate(matched.branches)}
    by_id |= {name.lower(): i for name, i in index.items()}
    nearest = by_group.argmax(1)
    said = [by_id.get(group.lower(), -1) for group in matched.own.groups]
    return np.where(np.array(said) >= 0, said, nearest)


@dataclass(frozen=True)
class _Differing:
    """Measure by measure: the effect beyond the group, its t, p and q."""

    effect: Floats
    t: Floats
    p: Floats
    q: Floats

    @property
    def order(self) -> npt.NDArray[np.intp]:
        return np.lexsort((-np.abs(self.t), self.p))

    @property
    def found(self) -> int:
        return int((self.q <= FALSE_DISCOVERIES).sum())

    def table(self, data: TableData, measures: Sequence[str], top: int) -> Table:
        shown = self.order[:top].tolist()
        unit = f"log2 {data.about.unit}" if data.about.unit in COUNTED else data.about.unit
        return Table.of(
            (
                Field("gene", data.about.measure.capitalize(), link="expression"),
                [measures[i] for i in shown],
            ),
            (Field("effect", "More than controls", unit=unit), self.effect[shown]),
            (Field("t", "t", decimals=1), self.t[shown]),
            (Field("p", "p"), self.p[shown]),
            (Field("q", "q"), self.q[shown]),
            title="What differs from controls of the same group",
        )


def _differing(matched: _Matched, at: npt.NDArray[np.intp]) -> _Differing:
    """A linear model of controls and samples together: a level for each group, a step for the
    samples; variances as in limma."""
    unit = matched.data.about.unit
    X = groups.even(np.vstack([matched.controls, matched.samples]), unit)
    strata = np.concatenate([matched.members.argmax(0), at])
    # Controls without a group tell nothing of how a group varies.
    kept = np.concatenate([matched.members.any(0), np.ones(len(at), dtype=bool)])
    own = np.arange(len(X)) >= len(matched.controls)
    found = moderated_t(X[kept], own[None, kept], strata=strata[kept])
    p = found.p[0]
    return _Differing(found.effect[0], found.t[0], p, q_values(p))


def _nearest_table(matched: _Matched, alike: Floats, by_group: Floats) -> Table:
    names = matched.data.names("obs").names
    rows = []
    for number, sample in enumerate(matched.own.names):
        for group in np.argsort(-by_group[number], kind="stable").tolist():
            held = np.flatnonzero(matched.members[group])
            best = held[int(alike[number, held].argmax())]
            rows.append((sample, matched.branches[group].name, by_group[number, group],
                         names[matched.rows[best]], alike[number, best]))  # fmt: skip
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True))
    return Table.of(
        (Field("sample", "Sample"), columns[0]),
        (Field("group", matched.data.about.label.capitalize(), link="markers"), columns[1]),
        (Field("similarity", "Similarity", decimals=3), columns[2]),
        (Field("best", "Most alike"), columns[3]),
        (Field("best_similarity", "Its similarity", decimals=3), columns[4]),
        title="Which group they are most like",
    )


def _map_table(matched: _Matched) -> Table:
    """Controls on their first two components, and the samples placed among them."""
    unit = matched.data.about.unit
    X, Y = groups.even(matched.controls, unit), groups.even(matched.samples, unit)
    fitted = principal_components(X, rank=2)
    used = ~np.isnan(fitted.loadings).any(1)
    spread = X[:, used].std(0)
    placed = (Y[:, used] - X[:, used].mean(0)) / spread @ fitted.loadings[used]
    names = matched.data.names("obs").names
    members = matched.members
    of = [
        matched.branches[int(held.argmax())].name if held.any() else "" for held in members.T
    ]  # fmt: skip
    scores = np.vstack([fitted.scores, placed])
    label = matched.data.about.label.capitalize()
    return Table.of(
        (
            Field("thing", matched.data.about.thing.capitalize()),
            [*(names[row] for row in matched.rows), *matched.own.names],
        ),
        (Field("x", "Component 1", decimals=2), scores[:, 0]),
        (Field("y", "Component 2", decimals=2), scores[:, 1]),
        (Field("group", label), of + [OWN] * len(matched.own.names)),
        (Field("whose", "Whose"), ["controls"] * len(of) + [OWN] * len(matched.own.names)),
        title="Where they lie",
    )


def _said(
    matched: _Matched, by_group: Floats, at: npt.NDArray[np.intp], differing: _Differing
) -> Iterator[str]:
    data, own = matched.data, matched.own
    names = [branch.name for branch in matched.branches]
    nearest = by_group.argmax(1)
    if len(own.names) == 1:
        order = np.argsort(-by_group[0], kind="stable").tolist()
        first = order[0]
        others = [f", then {names[i]} ({by_group[0, i]:.2f})" for i in order[1:2]]
        yield (
            f"{own.names[0]} is most like {names[first]}, with a Spearman correlation of "
            f"{by_group[0, first]:.2f}{''.join(others)}."
        )
    else:
        counts = Counter(names[i] for i in nearest.tolist()).most_common(3)
        told = ", ".join(f"{name} ({many})" for name, many in counts)
        yield f"Of {len(own.names)} samples, most are like {told}."
    held = sorted({names[i] for i in at.tolist()})
    among = f"controls of {held[0]}" if len(held) == 1 else "controls of the same group"
    found = wording.count(differing.found, data.about.measure, data.about.measures)
    yield (
        f"Against {among}, {found} of {wording.number(len(matched.measures))} differ at a false "
        f"discovery rate of {wording.share(FALSE_DISCOVERIES)}."
    )


def _views(matched: _Matched, by_group: Floats, differing: _Differing, top: int) -> Iterator[View]:
    data, own = matched.data, matched.own
    first = own.names[0]
    best = matched.branches[int(by_group[0].argmax())].name
    yield View(
        kind="ranking",
        table="nearest",
        channels={"label": "group", "value": "similarity"},
        title=f"How like each group {first} is",
        description=f"Mean Spearman correlations of {first} with the {data.about.things} of each "
        f"group, the highest with {best} ({by_group[0].max():.2f}).",
        options={"where": {"sample": first}},
    )
    yield View(
        kind="scatter",
        table="map",
        channels={"x": "x", "y": "y", "label": "thing", "color": "group", "shape": "whose"},
        title="Where they lie among the controls",
        description=f"The {data.about.things} on their first two components, and {OWN} placed "
        "among them.",
    )
    strongest = differing.order[0]
    yield View(
        kind="ranking",
        table="differ",
        channels={"label": "gene", "value": "t"},
        title="What differs from controls of the same group",
        description=f"The {min(top, len(matched.measures))} {data.about.measures} that differ "
        f"most, in standard errors; first {matched.measures[strongest]} "
        f"({differing.t[strongest]:.1f}).",
    )


def _notes(data: TableData, own: _Own, matched: _Matched) -> Iterator[str]:
    about = data.about
    if own.left_out:
        yield (
            f"No samples of your own were given: {own.left_out} plays their part, and was taken "
            "out of the controls."
        )
    many = wording.count(len(matched.measures), about.measure, about.measures)
    yield (
        f"Compared are {many} that both have without missing values; {wording.number(matched.lost)}"
        f" of yours are not among them."
    )
    yield (
        f"Similarity is the mean Spearman correlation with the {about.things} of a group: only "
        f"the order of the {about.measures} within a sample counts, not its scale. Laboratories "
        "also differ in ways that no order removes, so read it as an order of groups."
    )
    yield (
        "For what differs, every sample is first put on the distribution of values of the "
        "controls (quantile normalisation). Each sample is held against the controls of the group "
        "that it names, else of the one it is most like; p is from a moderated t-test, which takes "
        "your samples as independent people and values as normal within a group, q corrects it "
        f"over the {about.measures}. A difference between laboratories looks just like one of the "
        "disease."
    )
    yield from groups.scale_note(data)
    yield groups.people_note(Grouped.of(data))
