"""The question "enriched": in which groups a list of measures is higher than elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.contrasts import Bools, Floats, contrasts
from followdata.core.discoveries import q_values
from followdata.core.overlap import overlap_p
from followdata.core.ranksum import rank_sums
from followdata.data import TableData
from followdata.errors import InvalidParameter
from followdata.hierarchy import Branch
from followdata.parameters import Names, Number, listed
from followdata.question import Question
from followdata.questions import groups, wording
from followdata.questions.groups import ALL, DONOR, FALSE_DISCOVERIES, LEVEL, Grouped

_NAMED = 8
"""So many of the listed measures are named for each group."""


@dataclass(frozen=True)
class Scores:
    """How much higher each column is in each group than elsewhere, in its own standard deviations:
    `score`, g x p, for the groups in `names`; NaN for a column that does not vary."""

    names: list[str]
    score: Floats


def fit_scores(data: TableData, *, donor: Annotated[str, DONOR] = ALL) -> Scores:
    """The effect of every group at every level over the column's standard deviation."""
    grouped = Grouped.of(data, donor)
    branches = grouped.hierarchy.branches
    X = groups.even(grouped.values(), data.about.unit)
    observed = ~np.isnan(X)
    count = np.maximum(observed.sum(0), 1)
    centred = np.where(observed, X - np.where(observed, X, 0.0).sum(0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(0) / count)
    effect = contrasts(X, grouped.members(branches)).effect
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(spread > 0, effect / spread, np.nan)
    return Scores([branch.name for branch in branches], score)


def enriched(
    data: TableData,
    fitted: Scores,
    *,
    genes: Annotated[str, Names("The list, between commas or spaces", known_only=False)],
    background: Annotated[
        str | None,
        Names("What the list was drawn from; by default all", known_only=False),
    ] = None,
    donor: Annotated[str, DONOR] = ALL,
    level: Annotated[str | None, LEVEL] = None,
    share: Annotated[
        float, Number("How many of the background count as raised in a group", 0.1, 50, unit="%")
    ] = 5.0,
) -> Answer:
    """Whether the list is raised in a group more than the background is, in two ways.

    Table `enriched`, from where the list ranks highest to where it ranks lowest: group, n
    (samples), raised (listed ones among those most raised in the group), expected (by chance), p
    and q (hypergeometric, one-sided, q over the groups), auc (how often in a hundred a listed one
    is more raised than another of the background), p_rank and q_rank (Wilcoxon rank sums,
    two-sided), and genes, the listed ones most raised.

    Raises `InvalidParameter` where the list or the rest of the background is empty.
    """
    names = data.names("var").names
    grouped = Grouped.of(data, donor)
    branches = _looked_at(grouped, level)
    score = fitted.score[[fitted.names.index(branch.name) for branch in branches]]
    known = ~np.isnan(score).any(0)
    pool = np.isin(names, listed(background)) if background else np.ones(len(names), bool)
    asked = listed(genes)
    absent = [gene for gene in asked if gene not in set(names)]
    inside = np.isin(names, asked)
    outside = int((inside & ~(pool & known)).sum())
    used = np.flatnonzero(pool & known)
    inside = inside[used]
    many = int(inside.sum())
    if many in (0, len(used)):
        raise InvalidParameter(
            "genes",
            f"{many} of the {len(used)} {data.about.measures} of the background are "
            "listed; there is nothing to compare.",
            "Give a list that is part of a wider background.",
        )
    result = _Result.of(branches, grouped, score[:, used], inside, share, [names[i] for i in used])
    return Answer(
        sentence=" ".join(_said(data, result, many)),
        tables={"enriched": result.table(data)},
        views=(_view(data, result, many),),
        notes=tuple(_notes(data, result, absent, outside, share, len(used))),
    )


question = Question(
    name="enriched",
    title="Where is this list of genes high?",
    words="For each group: how many of the list are among the genes most raised there, and whether "
    "the list as a whole ranks higher than the rest of the background.",
    needs="table",
    fit=fit_scores,
    answer=enriched,
)


def _looked_at(grouped: Grouped, level: str | None) -> list[Branch]:
    """The groups that share out the samples, of which the donor has some but not all."""
    finest = grouped.hierarchy.finest("substructure" if level == "substructure" else "structure")
    members = grouped.members(finest)
    return [
        branch
        for branch, held in zip(finest, members, strict=True)
        if held.any() and not held.all()
    ]


@dataclass(frozen=True)
class _Result:
    """Group by group, from where the list ranks highest to where it ranks lowest."""

    groups: Sequence[str]
    sizes: Sequence[int]
    raised: Sequence[int]
    expected: float
    p: Floats
    q: Floats
    auc: Floats
    p_rank: Floats
    q_rank: Floats
    genes: Sequence[str]

    @classmethod
    def of(
        cls, branches: Sequence[Branch], grouped: Grouped, score: Floats, listed: Bools,
        share: float, names: Sequence[str],
    ) -> _Result:  # fmt: skip
        many = max(1, round(len(listed) * share / 100))
        order = np.argsort(-score, axis=1, kind="stable")
        marked = np.zeros(score.shape, dtype=bool)
        np.put_along_axis(marked, order[:, :many], True, axis=1)
        p = overlap_p(listed, marked)
        ranked = rank_sums(score.T, listed[None])
        p_rank = ranked.p[0]
        auc = _auc(score, listed)
        by = np.argsort(-ranked.z[0], kind="stable")
        best = [
            ", ".join([names[i] for i in row if listed[i]][:_NAMED]) for row in order[by].tolist()
        ]
        sizes = grouped.members(branches).sum(1)
        return cls(
            [branches[i].name for i in by],
            sizes[by].tolist(),
            (marked & listed).sum(1)[by].tolist(),
            float(listed.sum() * many / len(listed)),
            p[by],
            q_values(p)[by],
            auc[by],
            p_rank[by],
            q_values(p_rank)[by],
            best,
        )

    def table(self, data: TableData) -> Table:
        about = data.about
        return Table.of(
            (Field("group", about.label.capitalize(), link="markers"), self.groups),
            (Field("n", about.things.capitalize()), self.sizes),
            (Field("raised", "Raised there"), self.raised),
            (Field("expected", "By chance", decimals=1), [self.expected] * len(self.groups)),
            (Field("p", "p"), self.p),
            (Field("q", "q"), self.q),
            (Field("auc", "Ranks above", unit="%", decimals=0), 100 * self.auc),
            (Field("p_rank", "p of ranks"), self.p_rank),
            (Field("q_rank", "q of ranks"), self.q_rank),
            (Field("genes", "Most raised of the list"), self.genes),
            title="Group by group",
        )


def _auc(score: Floats, listed: Bools) -> Floats:
    """The chance that one of the listed scores higher than one that is not; ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(score, axis=1)
    n1, n2 = listed.sum(), (~listed).sum()
    return np.asarray((ranks[:, listed].sum(1) - n1 * (n1 + 1) / 2) / (n1 * n2))


def _said(data: TableData, result: _Result, listed: int) -> Iterator[str]:
    about = data.about
    high = [
        i
        for i, (q, auc) in enumerate(zip(result.q_rank, result.auc, strict=True))
        if q <= FALSE_DISCOVERIES and auc > 0.5
    ]
    many = wording.count(listed, about.measure, about.measures)
    if not high:
        yield f"The list of {many} is not clearly higher in any group than the background is."
    else:
        first = high[0]
        yield (
            f"The list of {many} is highest in {result.groups[first]}: one of them ranks above "
            f"another of the background {wording.share(float(result.auc[first]))} of the time, "
            f"and {result.raised[first]} are among those most raised there (by chance "
            f"{wording.number(round(result.expected, 1))})."
        )
        others = [result.groups[i] for i in high[1:]]
        if others:
            yield f"It is raised in {len(others)} more: {', '.join(others[:4])}."


def _view(data: TableData, result: _Result, listed: int) -> View:
    return View(
        kind="ranking",
        table="enriched",
        channels={"label": "group", "value": "auc"},
        title="How often one of the list ranks above another of the background",
        description=f"A bar for each group, 50 % being chance: highest in {result.groups[0]} "
        f"({wording.share(float(result.auc[0]))}).",
    )


def _notes(
    data: TableData, result: _Result, absent: Sequence[str], outside: int, share: float, used: int
) -> Iterator[str]:
    about = data.about
    if absent:
        shown = ", ".join(absent[:10]) + (" …" if len(absent) > 10 else "")
        yield f"Not in the data, and left out: {shown}."
    if outside:
        yield (
            f"{wording.count(outside, about.measure, about.measures)} of the list are outside the "
            "background or do not vary, and left out."
        )
    yield (
        f"The background is {wording.count(used, about.measure, about.measures)}. Raised in a "
        f"group are the {wording.number(share)}{wording.FIXED}% of it that are highest there, "
        "against all other groups and in their own standard deviations."
    )
    yield (
        f"Both tests take the {about.measures} as independent, but {about.measures} go up and "
        "down together: the p-values are too small, by how much depends on the list. Read them as "
        "an order, and compare with lists drawn at random from the same background."
    )
    yield "q corrects over the groups (Benjamini–Hochberg)."
    yield from groups.scale_note(data)
