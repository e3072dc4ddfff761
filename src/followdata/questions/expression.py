"""The question "expression": where a measure is high and where it is low, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.contrasts import Bools, Contrasts, Floats, contrasts
from followdata.core.discoveries import q_values
from followdata.core.ranksum import rank_sums
from followdata.data import TableData
from followdata.errors import NothingToAnswer
from followdata.hierarchy import Branch, Level
from followdata.parameters import Branch as BranchOf
from followdata.parameters import Names, listed
from followdata.question import Question
from followdata.questions import groups, wording
from followdata.questions.groups import ALL, DONOR, LEVEL, OTHERS, Grouped

_LEAST_MEMBERS = 2
"""A group of one varies not at all: no test is made of it."""


def expression(
    data: TableData,
    fitted: None,
    *,
    gene: Annotated[str, Names("Which one; several, between commas, give a heat map")],
    donor: Annotated[str, DONOR] = ALL,
    against: Annotated[str, BranchOf("What each group is compared with", everyone=OTHERS)] = OTHERS,
    level: Annotated[str | None, LEVEL] = None,
) -> Answer:
    """Every value of one measure, by group and donor; of several, the means of the groups.

    Table `expression`: sample, group, donor (null where the table has none), value; and gene where
    several are asked for. For one, table `groups`: group, n, median, mean, effect (the difference
    of means to `against`), low, high, p and q, over the groups; all null where there is nothing to
    compare or fewer than two. For several, table `means`: gene, group, mean, and score, the
    mean's distance from that of all samples in standard deviations.
    """
    grouped = Grouped.of(data, donor)
    branches = grouped.hierarchy.finest(_level(level))
    members = grouped.members(branches)
    branches = [branch for branch, held in zip(branches, members, strict=True) if held.any()]
    members = members[members.any(1)]
    genes = listed(gene)
    values = grouped.values(genes)
    if np.isnan(values).all() or not branches:
        raise NothingToAnswer(f"There are no values of {gene}.", "Choose another.")
    if len(genes) > 1:
        return _several(grouped, genes, branches, members, values)
    return _single(grouped, genes[0], branches, members, values, against)


question = Question(
    name="expression",
    title="Where is {gene} high?",
    words="Every sample's value, in boxes by group and donor: the line is the median, the box the "
    "middle half. Several genes are shown as a heat map.",
    needs="table",
    answer=expression,
)


def _level(text: str | None) -> Level:
    return "substructure" if text == "substructure" else "structure"


# One measure


def _single(
    grouped: Grouped, gene: str, branches: Sequence[Branch], members: Bools, values: Floats,
    against: str,
) -> Answer:  # fmt: skip
    data, about = grouped.data, grouped.data.about
    known = members & ~np.isnan(values[:, 0])
    medians = np.array([np.median(values[held, 0]) if held.any() else np.nan for held in known])
    order = np.argsort(-np.nan_to_num(medians, nan=-np.inf), kind="stable")
    branches = [branches[i] for i in order]
    members, medians = members[order], medians[order]
    summary = _Summary.of(grouped, branches, members, values, against)
    table = _values_table(grouped, branches, members, values, [gene])
    return Answer(
        sentence=" ".join(_said(grouped, gene, branches, members, values, medians, summary)),
        tables={"expression": table, "groups": summary.table(branches, medians, about.unit)},
        views=(_box(data, gene, branches, medians),),
        notes=tuple(_notes(grouped, values, summary)),
    )


@dataclass(frozen=True)
class _Summary:
    """Each group against `against` in one measure."""

    against: str
    compared: Contrasts
    p: Floats
    q: Floats

    @classmethod
    def of(
        cls, grouped: Grouped, branches: Sequence[Branch], members: Bools, values: Floats,
        against: str,
    ) -> _Summary:  # fmt: skip
        if against == OTHERS:
            p = rank_sums(values, members, strata=grouped.strata).p[:, 0]
            compared = contrasts(values, members)
        else:
            other = grouped.members([grouped.hierarchy.named(against)])
            # A group that the other holds, or that holds it, is no group beside it.
            rest = other & ~np.any(members & other, axis=1, keepdims=True)
            pairs = zip(members, rest, strict=True)
            p = np.array([_test(grouped, values, inside, outside) for inside, outside in pairs])
            compared = contrasts(values, members, rest)
        p[compared.number[:, 0] < _LEAST_MEMBERS] = np.nan
        return cls(against, compared, p, q_values(p))

    def table(self, branches: Sequence[Branch], medians: Floats, unit: str) -> Table:
        compared = self.compared
        return Table.of(
            (Field("group", "Group", link="markers"), [branch.name for branch in branches]),
            (Field("n", "Samples"), compared.number[:, 0].astype(int)),
            (Field("median", "Median", unit=unit), medians),
            (Field("mean", "Mean", unit=unit), compared.mean[:, 0]),
            (Field("effect", f"More than {self.against}", unit=unit), compared.effect[:, 0]),
            (Field("low", "at least", unit=unit), compared.low[:, 0]),
            (Field("high", "at most", unit=unit), compared.high[:, 0]),
            (Field("p", "p"), self.p),
            (Field("q", "q"), self.q),
            title=f"Group by group, against {self.against}",
        )


def _test(grouped: Grouped, values: Floats, inside: Bools, outside: Bools) -> float:
    """The rank-sum test of some rows against others, within donors."""
    kept = inside | outside
    strata = None if grouped.strata is None else grouped.strata[kept]
    return float(rank_sums(values[kept], inside[None, kept], strata=strata).p[0, 0])


def _values_table(
    grouped: Grouped, branches: Sequence[Branch], members: Bools, values: Floats,
    genes: Sequence[str],
) -> Table:  # fmt: skip
    about, names = grouped.data.about, grouped.data.names("obs").names
    cells = [
        (row, branch.name, column)
        for column in range(len(genes))
        for branch, held in zip(branches, members, strict=True)
        for row in np.flatnonzero(held).tolist()
    ]
    donors = [grouped.donor_of[row].item() or None for row, _, _ in cells]
    extra = [(Field("gene", about.measure.capitalize()), [genes[c] for _, _, c in cells])]
    return Table.of(
        (
            Field("sample", about.thing.capitalize(), link="distinctive"),
            [names[grouped.rows[row]] for row, _, _ in cells],
        ),
        (Field("group", about.label.capitalize(), link="markers"), [name for _, name, _ in cells]),
        (Field("donor", "Donor"), donors),
        (
            Field("value", genes[0] if len(genes) == 1 else "Value", unit=about.unit),
            [values[row, column] for row, _, column in cells],
        ),
        *(extra if len(genes) > 1 else []),
        title=f"Every {about.thing}",
    )


def _box(data: TableData, gene: str, branches: Sequence[Branch], medians: Floats) -> View:
    unit = data.about.unit
    first, last = (wording.number(float(medians[i]), unit) for i in (0, _last(medians)))
    return View(
        kind="box",
        table="expression",
        channels={"label": "group", "value": "value", "color": "donor"},
        title=f"{gene}, {data.about.label} by {data.about.label}",
        description=f"Boxes with a point for each of the {data.about.things}, from the group with "
        f"the highest median ({branches[0].name}, {first}) to the lowest "
        f"({branches[_last(medians)].name}, {last}).",
    )


def _last(medians: Floats) -> int:
    return int(np.flatnonzero(~np.isnan(medians))[-1])


def _said(
    grouped: Grouped, gene: str, branches: Sequence[Branch], members: Bools, values: Floats,
    medians: Floats, summary: _Summary,
) -> Iterator[str]:  # fmt: skip
    about, last = grouped.data.about, _last(medians)
    shown = wording.numbers([float(medians[0]), float(medians[last])], about.unit)
    many = wording.count(int(members[0].sum()), about.thing, about.things)
    yield (
        f"{gene} is highest in {branches[0].name}, with a median of {shown[0]} in {many}, and "
        f"lowest in {branches[last].name} ({shown[1]})."
    )
    tops = _tops(grouped, branches, members, values)
    if len(tops) > 1:
        same = set(tops.values()) == {branches[0].name}
        yield (
            f"That is so in {groups.who(list(tops))}."
            if same
            else "Donor by donor the highest is "
            + ", ".join(f"{name} ({donor})" for donor, name in tops.items())
            + "."
        )
    if summary.against != OTHERS:
        effect = float(summary.compared.effect[0, 0])
        if effect == effect:
            more = wording.number(abs(effect), about.unit)
            side = "above" if effect >= 0 else "below"
            yield f"Its mean there is {more} {side} that of {summary.against}."


def _tops(
    grouped: Grouped, branches: Sequence[Branch], members: Bools, values: Floats
) -> dict[str, str]:
    """For each donor the group with the highest median."""
    tops = {}
    for donor in grouped.donors:
        own = grouped.donor_of == donor
        medians = {
            branch.name: float(np.nanmedian(values[held & own, 0]))
            for branch, held in zip(branches, members, strict=True)
            if (held & own & ~np.isnan(values[:, 0])).any()
        }
        if medians:
            tops[donor] = max(medians, key=lambda name: medians[name])
    return tops


# Several measures


def _several(
    grouped: Grouped, genes: Sequence[str], branches: Sequence[Branch], members: Bools,
    values: Floats,
) -> Answer:  # fmt: skip
    about = grouped.data.about
    means = contrasts(values, members).mean
    spread = np.nanstd(values, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0, (means - np.nanmean(values, axis=0)) / spread, 0.0)
    names = [branch.name for branch in branches]
    cells = [(g, b) for g in range(len(genes)) for b in range(len(names))]
    table = Table.of(
        (
            Field("gene", about.measure.capitalize(), link="expression"),
            [genes[g] for g, _ in cells],
        ),
        (Field("group", about.label.capitalize(), link="markers"), [names[b] for _, b in cells]),
        (Field("mean", "Mean", unit=about.unit), [means[b, g] for g, b in cells]),
        (Field("score", "Score", decimals=2), [scores[b, g] for g, b in cells]),
        title="Means of the groups",
    )
    highest = {gene: names[int(np.nanargmax(scores[:, g]))] for g, gene in enumerate(genes)}
    told = ", ".join(f"{gene} in {name}" for gene, name in list(highest.items())[:4])
    view = View(
        kind="grid",
        table="means",
        channels={"row": "gene", "column": "group", "value": "score"},
        title=f"{len(genes)} {about.measures}, {about.label} by {about.label}",
        description=f"A cell for each of {len(genes)} {about.measures} and {len(names)} groups; "
        f"highest are {told}.",
    )
    return Answer(
        sentence=f"Of {len(genes)} {about.measures}, highest are {told}.",
        tables={
            "expression": _values_table(grouped, branches, members, values, genes),
            "means": table,
        },
        views=(view,),
        notes=(
            f"A score is how far the group's mean lies from that of all {about.things}, in "
            f"standard deviations of the {about.measure}: colours can be compared along a row and "
            "between rows, amounts cannot.",
            *groups.scale_note(grouped.data),
            groups.missing_note(values),
        ),
    )


def _notes(grouped: Grouped, values: Floats, summary: _Summary) -> Iterator[str]:
    within = " with ranks within each donor (van Elteren)" if len(grouped.donors) > 1 else ""
    yield (
        f"Each group is compared with {summary.against}: the difference of means with Welch's "
        f"95 % interval, p by the Wilcoxon rank-sum test{within}, q corrected over the groups. "
        "A group of one is not tested."
    )
    yield groups.people_note(grouped)
    yield from groups.scale_note(grouped.data)
    yield groups.missing_note(values)
