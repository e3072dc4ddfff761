"""The question "markers": what is higher in one group than in all the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View
from followdata.core.contrasts import Bools, Floats, contrasts
from followdata.core.discoveries import q_values
from followdata.core.moderated import moderated_t
from followdata.core.ranksum import rank_sums
from followdata.data import COUNTED, TableData
from followdata.errors import NothingToAnswer
from followdata.hierarchy import Branch, Level
from followdata.parameters import Branch as BranchOf
from followdata.parameters import Choice, Number
from followdata.question import Question
from followdata.questions import groups, wording
from followdata.questions.groups import ALL, DONOR, FALSE_DISCOVERIES, LEVEL, Grouped
from followdata.questions.workers import workers

WILCOXON, POOLED, MODERATED = "wilcoxon", "pooled wilcoxon", "moderated t"
_LEAST_MEMBERS = 2
"""A group of one varies not at all: no test is made of it."""
_TEST = Choice(
    "The test: ranks within each donor, ranks of all samples at once, or a t-test whose "
    "variances learn from each other",
    (WILCOXON, POOLED, MODERATED),
)


@dataclass(frozen=True)
class Markers:
    """Every group against the rest, column by column.

    `names` are g groups and `donors` d donors. `mean` of the group, `effect` (its difference to
    the mean of the rest) with its interval `low` to `high`, `p` and `q` are g x p; `inside` and
    `effects` hold mean and effect within each donor, d x g x p; `overall` is the mean everywhere.
    NaN stands where there is too little. `missing` counts the values that were not there.
    """

    names: list[str]
    donors: list[str]
    mean: Floats
    effect: Floats
    low: Floats
    high: Floats
    p: Floats
    q: Floats
    inside: Floats
    effects: Floats
    overall: Floats
    missing: int


def fit_markers(
    data: TableData,
    *,
    donor: Annotated[str, DONOR] = ALL,
    test: Annotated[str, _TEST] = WILCOXON,
) -> Markers:
    """Contrast and test every group at every level, within each donor too."""
    grouped = Grouped.of(data, donor)
    branches = grouped.hierarchy.branches
    members, X = grouped.members(branches), grouped.values()
    if not len(X):
        raise NothingToAnswer(f"There are no {data.about.things} of {donor}.")
    whole = contrasts(X, members)
    p = _tested(grouped, X, members, test)
    p[members.sum(1) < _LEAST_MEMBERS] = np.nan
    q = np.full_like(p, np.nan)
    for _, family in groups.one_per_level(branches):
        q[family] = q_values(p[family])
    inside, effects = _by_donor(grouped, X, branches)
    missing = np.isnan(X)
    overall = np.where(missing, 0.0, X).sum(0) / np.maximum((~missing).sum(0), 1)
    return Markers(
        names=[branch.name for branch in branches],
        donors=list(grouped.donors),
        mean=whole.mean,
        effect=whole.effect,
        low=whole.low,
        high=whole.high,
        p=p,
        q=q,
        inside=inside,
        effects=effects,
        overall=np.where(missing.all(0), np.nan, overall),
        missing=int(missing.sum()),
    )


def markers(
    data: TableData,
    fitted: Markers,
    *,
    group: Annotated[str, BranchOf("Which group: by name or acronym, at any level")],
    donor: Annotated[str, DONOR] = ALL,
    level: Annotated[str | None, LEVEL] = None,
    test: Annotated[str, _TEST] = WILCOXON,
    top: Annotated[int, Number("How many to show", 1, 100_000, whole=True)] = 20,
) -> Answer:
    """What is most raised in `group` against all other rows.

    Table `markers`, ordered by effect: gene, effect (the difference of means), low and high (its
    95 % interval), p, q (p corrected over all columns and all groups of the level), a `mean_`
    column for each donor, mean_group, mean_all, and donors_agree: whether the effect points the
    same way in each donor, null where fewer than two have such samples. p, q and the interval are
    null for a group of one. Table `donors`: gene, donor, mean, others, effect; table `parts`, for
    a group that has parts: gene, part, n, mean.

    Raises `NothingToAnswer` for a group without samples, or with all of them.
    """
    grouped = Grouped.of(data, donor)
    shown = _Shown.of(grouped, fitted, group, _level(level), top)
    tables = {"markers": shown.table()}
    if grouped.donors:
        tables["donors"] = shown.donor_table()
    if shown.parts:
        tables["parts"] = shown.part_table()
    return Answer(
        sentence=" ".join(shown.sentences(group)),
        tables=tables,
        views=tuple(shown.views()),
        notes=tuple(_notes(shown, fitted, test)),
    )


question = Question(
    name="markers",
    title="What does {group} switch on?",
    words="For every gene, the mean within the group less the mean of everything else; those most "
    "raised come first. Where there are several donors, each is looked at alone too, and whether "
    "they agree counts more than any p-value.",
    needs="table",
    fit=fit_markers,
    answer=markers,
)


def _level(text: str | None) -> Level | None:
    return "substructure" if text == "substructure" else "structure" if text else None


def _tested(grouped: Grouped, X: Floats, members: Bools, test: str) -> Floats:
    if test == MODERATED:
        even = groups.even(X, grouped.data.about.unit)
        return moderated_t(even, members, strata=grouped.strata).p
    with workers() as executor:
        strata = grouped.strata if test == WILCOXON else None
        return rank_sums(X, members, strata=strata, executor=executor).p


def _by_donor(grouped: Grouped, X: Floats, branches: Sequence[Branch]) -> tuple[Floats, Floats]:
    """Mean and effect of every group within each donor: d x g x p."""
    members = grouped.members(branches)
    found = [
        contrasts(X[rows], members[:, rows])
        for rows in (grouped.donor_of == donor for donor in grouped.donors)
    ]
    shape = (len(found), len(branches), X.shape[1])
    mean, effect = np.empty(shape), np.empty(shape)
    for number, within in enumerate(found):
        mean[number], effect[number] = within.mean, within.effect
    return mean, effect


@dataclass(frozen=True)
class _Shown:
    """The columns most raised in one branch: their positions, and what there is to say of them."""

    grouped: Grouped
    fitted: Markers
    branch: Branch
    at: int
    parts: Sequence[Branch]
    columns: Sequence[int]
    found: int
    """How many columns of all are raised at the rate of false discoveries that is allowed."""

    @classmethod
    def of(
        cls, grouped: Grouped, fitted: Markers, group: str, level: Level | None, top: int
    ) -> _Shown:
        hierarchy = grouped.hierarchy
        branch = hierarchy.rolled(hierarchy.named(group), level)
        at = fitted.names.index(branch.name)
        effect, q = fitted.effect[at], fitted.q[at]
        known = np.flatnonzero(~np.isnan(effect))
        if not len(known):
            rows = grouped.members([branch])[0]
            which = "all" if rows.all() else "none"
            raise NothingToAnswer(
                f"{branch.name} has {which} of the {len(rows)} {grouped.data.about.things}: there "
                "is nothing to compare.",
                "Choose another group or donor.",
            )
        order = known[np.argsort(-effect[known], kind="stable")]
        raised = int(((effect > 0) & (q <= FALSE_DISCOVERIES)).sum())
        parts = hierarchy.parts(branch)
        return cls(grouped, fitted, branch, at, parts, order[:top].tolist(), raised)

    @property
    def data(self) -> TableData:
        return self.grouped.data

    @property
    def genes(self) -> list[str]:
        names = self.data.names("var").names
        return [names[column] for column in self.columns]

    @property
    def size(self) -> int:
        return int(self.grouped.members([self.branch])[0].sum())

    @property
    def agree(self) -> list[bool | None]:
        effects = self.fitted.effects[:, self.at][:, list(self.columns)]
        return [groups.agreement(column) for column in effects.T.tolist()]

    def table(self) -> Table:
        fitted, at, columns, unit = self.fitted, self.at, list(self.columns), self.data.about.unit
        means = [
            (Field(f"mean_{donor}", f"Mean, {donor}", unit=unit), inside[at, columns])
            for donor, inside in zip(fitted.donors, fitted.inside, strict=True)
        ]
        name = self.branch.name
        return Table.of(
            (self._gene(), self.genes),
            (Field("effect", "Raised by", unit=unit), fitted.effect[at, columns]),
            (Field("low", "at least", unit=unit), fitted.low[at, columns]),
            (Field("high", "at most", unit=unit), fitted.high[at, columns]),
            (Field("p", "p"), fitted.p[at, columns]),
            (Field("q", "q"), fitted.q[at, columns]),
            *means,
            (Field("mean_group", f"Mean in {name}", unit=unit), fitted.mean[at, columns]),
            (Field("mean_all", "Mean of all", unit=unit), fitted.overall[columns]),
            (Field("donors_agree", "Donors agree"), self.agree),
            title=f"What is most raised in {name}",
        )

    def _gene(self) -> Field:
        return Field("gene", self.data.about.measure.capitalize(), link="expression")

    def donor_table(self) -> Table:
        """The same columns within each donor, most raised first."""
        fitted, columns, unit = self.fitted, list(self.columns), self.data.about.unit
        many = len(fitted.donors)
        mean = fitted.inside[:, self.at][:, columns].T.ravel()
        effect = fitted.effects[:, self.at][:, columns].T.ravel()
        return Table.of(
            (self._gene(), [gene for gene in self.genes for _ in range(many)]),
            (Field("donor", "Donor"), fitted.donors * len(columns)),
            (Field("mean", f"Mean in {self.branch.name}", unit=unit), mean),
            (Field("others", "Mean elsewhere", unit=unit), mean - effect),
            (Field("effect", "Raised by", unit=unit), effect),
            title="Donor by donor",
        )

    def part_table(self) -> Table:
        """The means within the parts that the group is made of."""
        fitted, columns = self.fitted, list(self.columns)
        places = [fitted.names.index(part.name) for part in self.parts]
        sizes = self.grouped.members(self.parts).sum(1).tolist()
        many = len(places)
        mean = fitted.mean[places][:, columns].T
        spread = np.nanmax(mean, axis=1, keepdims=True, initial=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = mean / spread
        return Table.of(
            (self._gene(), [gene for gene in self.genes for _ in range(many)]),
            (Field("part", "Part"), [part.name for part in self.parts] * len(columns)),
            (Field("n", self.data.about.things.capitalize()), sizes * len(columns)),
            (Field("mean", "Mean", unit=self.data.about.unit), mean.ravel()),
            (Field("share", "Of its highest part", decimals=2), share.ravel()),
            title=f"In the parts of {self.branch.name}",
        )

    def sentences(self, asked: str) -> Iterator[str]:
        """The first gene in numbers, whether donors agree, and how many genes are raised."""
        about, fitted, column = self.data.about, self.fitted, self.columns[0]
        name, gene = self.branch.name, self.genes[0]
        if name != asked:
            yield f"{asked} is part of {name}, which is looked at as a whole."
        effect = float(fitted.effect[self.at, column])
        if effect <= 0:
            yield f"No {about.measure} is higher in {name} than elsewhere."
            return
        mean = float(fitted.mean[self.at, column])
        pair = wording.numbers([mean, mean - effect], about.unit)
        yield (
            f"{gene} is raised most in {name}: {pair[0]} against {pair[1]} elsewhere"
            f"{self._within_donors()}."
        )
        yield from self._agreeing()
        yield self._found()

    def _within_donors(self) -> str:
        agree, sided = self.agree[0], self.grouped.sided(self.grouped.members([self.branch])[0])
        if agree is None:
            return ""
        return f", in {groups.who(sided)}" if agree else ", though not in every donor"

    def _agreeing(self) -> Iterator[str]:
        known = [agree for agree in self.agree if agree is not None]
        if len(known) > 1:
            sided = self.grouped.sided(self.grouped.members([self.branch])[0])
            measures = wording.count(len(known), self.data.about.measure, self.data.about.measures)
            yield f"Of the {measures} shown, {sum(known)} are raised in {groups.who(sided)}."

    def _found(self) -> str:
        about = self.data.about
        if self.size < _LEAST_MEMBERS:
            return (
                f"{self.branch.name} has a single {about.thing}, so nothing can be said of chance."
            )
        tested = wording.number(int((~np.isnan(self.fitted.p[self.at])).sum()))
        return (
            f"{wording.number(self.found)} of {tested} {about.measures} are higher there at a "
            f"false discovery rate of {wording.share(FALSE_DISCOVERIES)}."
        )

    def views(self) -> Iterator[View]:
        """The effects; two donors side by side; the parts."""
        about, name = self.data.about, self.branch.name
        effects = self.fitted.effect[self.at, list(self.columns)]
        whole = bool(np.isfinite(self.fitted.low[self.at, list(self.columns)]).all())
        limits = {"low": "low", "high": "high"} if whole else {}
        yield View(
            kind="ranking",
            table="markers",
            channels={"label": "gene", "value": "effect", **limits},
            title=f"How much more in {name} than elsewhere",
            description=f"The {len(effects)} {about.measures} most raised in {name}, from "
            f"{self.genes[0]} ({wording.number(float(effects[0]), about.unit)} more than "
            f"elsewhere) to {self.genes[-1]} ({wording.number(float(effects[-1]), about.unit)}); "
            "the lines are 95 % intervals.",
        )
        if len(self.fitted.donors) == 2:
            a, b = self.fitted.donors
            yield View(
                kind="pairs",
                table="markers",
                channels={"label": "gene", "a": f"mean_{a}", "b": f"mean_{b}"},
                title=f"The mean in {name}, donor by donor",
                description=f"For each of the same {about.measures} the mean in {name} of {a} "
                f"and of {b}.",
                options={"a_title": a, "b_title": b, "x_title": about.unit or "Mean"},
            )
        if self.parts:
            yield View(
                kind="grid",
                table="parts",
                channels={"row": "gene", "column": "part", "value": "share"},
                title=f"In the parts of {name}",
                description=f"The same {about.measures} in the parts of {name}: "
                f"{groups.named(self.parts)}. Each mean is shown as a part of that in the part "
                "where it is highest.",
            )


def _notes(shown: _Shown, fitted: Markers, test: str) -> Iterator[str]:
    data, about = shown.data, shown.data.about
    rows = len(shown.grouped.rows)
    yield (
        f"{shown.branch.name} has {wording.count(shown.size, about.thing, about.things)} of "
        f"{wording.number(rows)}. The effect is the difference of means; its 95 % interval "
        f"(Welch) takes the {about.things} as independent of each other."
    )
    yield groups.people_note(shown.grouped)
    yield _test_note(shown, test)
    yield from groups.scale_note(data)
    if fitted.missing:
        yield (
            f"{wording.number(fitted.missing)} of {wording.number(rows * data.shape[1])} values "
            "are missing; each mean and each test is made of those that are there."
        )
    else:
        yield f"None of the {wording.number(rows * data.shape[1])} values used is missing."


def _test_note(shown: _Shown, test: str) -> str:
    branch = shown.branch
    families = dict(groups.one_per_level(shown.grouped.hierarchy.branches))
    level: Level = "substructure" if branch.level == "substructure" else "structure"
    family = wording.count(len(families[level]), "group", "groups")
    about, donors = shown.data.about, shown.grouped.donors
    several = len(donors) > 1
    if test == MODERATED:
        scale = " of the binary logarithm" if about.unit in COUNTED else ""
        what = f"p is from a moderated t-test{scale}" + (
            " that allows each donor a level of its own" if several else ""
        )
    elif test == WILCOXON and several:
        what = "p is from the Wilcoxon rank-sum test with ranks within each donor (van Elteren)"
    else:
        what = "p is from the Wilcoxon rank-sum test"
    normal = (
        " It supposes values that are normal around their group's mean. Where they are not it "
        "finds too much: of labels dealt out at random, in a sixth of all runs on a real table "
        "in place of a twentieth. Trust the ranks first."
        if test == MODERATED
        else ""
    )
    pooled = (
        " All samples are ranked at once, so a difference between donors can pass for one between "
        "groups where their shares differ."
        if test == POOLED and several
        else ""
    )
    return (
        f"{what}, two-sided; q corrects it over {wording.number(shown.data.shape[1])} "
        f"{about.measures} and {family} (Benjamini–Hochberg).{normal}{pooled}"
    )
