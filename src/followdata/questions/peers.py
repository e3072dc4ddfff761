"""The question "peers": which things are most like one, and in what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.likeness import LEAST_SHARED, nearest, similarities
from followdata.core.twins import fold
from followdata.data import TableData, similar_to
from followdata.errors import NothingToAnswer
from followdata.parameters import Group, Number, Row
from followdata.question import Question
from followdata.questions import measures, wording
from followdata.questions.measures import Measures
from followdata.questions.typical import FEWEST_OTHERS, Typical, fit_typical, middle

Floats = npt.NDArray[np.float64]

THEME = "theme"
"""The label of the columns that says what they are about."""
_REASONS = 10
_CLEAR = 0.67
"""Half of all scores are nearer to 0 than this, and what is as expected brings nobody together."""
_FEWEST_IN_THEME = 30


def peers(
    data: TableData,
    fitted: Typical,
    *,
    thing: Annotated[str, Row("Whose like to look for")],
    topic: Annotated[
        str | None,
        Group("What to compare them in; without one, in everything", by=THEME, title="Theme"),
    ] = None,
    top: Annotated[int, Number("How many to show", 1, 500, whole=True)] = 10,
) -> Answer:
    """The rows most like `thing`, in all columns or in those of one theme, and why.

    Rows are alike if their scores are, that is, how far out they are of what their size lets
    expect, in all columns that both have, and if their sizes are; size counts as much as all
    columns together. Similarity is 1 for rows that are the same in everything, and 0 for rows as
    little alike as two at random.

    Table `peers`: thing, similarity, the size if there is one, theme (in which the two are most
    alike, where there are themes), title (the column that tells most that both are alike),
    by_source (whether the provider calls it similar, in anything; where it says so of any).
    Table `why`: measure, title, value, peers (their median), unit, score, peers_score and twins,
    the columns in which the thing and those most like it are out of the ordinary together.
    Table `by_source`: what the provider compares, whom it calls similar, and which of them are
    in `peers`.

    Raises `NothingToAnswer` where the theme has, or the thing shares, too few columns.
    """
    kin = _Kin.of(data, fitted, thing, topic, top)
    reasons = kin.reasons()
    tables = {"peers": kin.table(reasons.folded)}
    views = [kin.view()]
    if reasons.folded:
        tables["why"] = reasons.table()
        views.append(reasons.view())
    given = _Given.of(kin)
    if given.names:
        tables["by_source"] = given.table()
    return Answer(
        sentence=" ".join([kin.sentence(), *reasons.sentence(), *given.sentence()]),
        tables=tables,
        views=tuple(views),
        notes=tuple(_notes(kin, given)),
    )


question = Question(
    name="peers",
    title="Which are most like {thing}?",
    words="Those that are out of the ordinary in the same ways, and of about the same size; "
    "with what brings them together.",
    needs="table",
    fit=fit_typical,
    answer=peers,
)


@dataclass(frozen=True)
class _Kin:
    """A row, those most like it (the most similar first), and how similar they are."""

    data: TableData
    fitted: Typical
    measured: Measures
    row: int
    theme: str | None
    weights: Floats
    similarity: Floats
    rows: Sequence[int]

    @classmethod
    def of(cls, data: TableData, fitted: Typical, thing: str, theme: str | None, top: int) -> _Kin:
        row = data.names("obs").position(thing)
        weights = fitted.weights
        if theme is not None:
            weights = np.where(data.labels("var")[THEME] == theme, weights, 0.0)
        used = weights > 0
        similarity = similarities(
            fitted.scores[:, used].astype(float), weights[used], fitted.places, np.array([row])
        )
        found = nearest(similarity, top)[0]
        found = found[found >= 0].tolist()
        if not found:
            about = data.about
            within = f" of “{theme}”" if theme else ""
            raise NothingToAnswer(
                f"{thing} shares too few {about.measures}{within} with any other {about.thing} "
                f"(they must count for {LEAST_SHARED:g}).",
                "Leave out the theme." if theme else f"Choose another {about.thing}.",
            )
        return cls(data, fitted, Measures.of(data), row, theme, weights, similarity[0], found)

    @property
    def titles(self) -> Sequence[str]:
        return self.data.names("obs").titles

    @property
    def thing(self) -> str:
        return self.titles[self.row]

    @property
    def nearest(self) -> Sequence[int]:
        """Those that speak for all that are most like the row."""
        return self.rows[: max(FEWEST_OTHERS, min(len(self.rows), 10))]

    def shared(self, row: int) -> Floats:
        """How much each column says that the row and another are alike: both out the same way."""
        mine, other = (self.fitted.scores[at].astype(float) for at in (self.row, row))
        together = np.where(mine * other > 0, np.minimum(np.abs(mine), np.abs(other)), 0.0)
        return np.where(np.isfinite(together) & (self.weights > 0), together, 0.0)

    def themes(self) -> list[str]:
        """The theme in which each of the rows is most like this one; none for a theme alone."""
        labels = self.data.labels("var").get(THEME)
        if labels is None or self.theme is not None:
            return []
        names = self.data.names(THEME).names
        found = []
        for name in names:
            used = (labels == name) & (self.weights > 0)
            if used.sum() >= _FEWEST_IN_THEME:
                scores = self.fitted.scores[np.ix_([self.row, *self.rows], used)].astype(float)
                # Sizes are the same in every theme, and tell nothing between them.
                alike = similarities(
                    scores, self.weights[used], np.zeros(len(scores)), np.array([0])
                )
                found.append((name, alike[0, 1:]))
        if not found:
            return []
        alike = np.nan_to_num(np.array([values for _, values in found]), nan=-np.inf)
        return [found[at][0] for at in alike.argmax(0)]

    def table(self, folded: Sequence[object]) -> Table:
        data, about, index = self.data, self.data.about, self.data.names("obs")
        names = [index.names[row] for row in self.rows]
        columns: list[tuple[Field, Sequence[object]]] = [
            (Field("thing", about.thing.capitalize(), link="distinctive"), names),
            (Field("similarity", "Similarity", decimals=2), self.similarity[self.rows].tolist()),
        ]
        if self.fitted.sized:
            sizes = data.matrix(obs=names, var=[about.size])[:, 0]
            size = data.names("var").title(about.size)
            columns.append((Field("size", size, lang=about.lang), sizes.tolist()))
        if themes := self.themes():
            columns.append((Field("theme", "Most alike in", lang=about.lang), themes))
        columns.append(
            (Field("title", "Most striking in common", lang=about.lang), self._strongest())
        )
        if similar := similar_to(data, self.row):
            named = {name for listed in similar.values() for name in listed}
            columns.append((Field("by_source", "By the source too"), [n in named for n in names]))
        versus = Field("compare", f"Compare with {self.thing}", link="compare",
                       given=(("a", index.names[self.row]),))  # fmt: skip
        columns.append((versus, names))
        return Table.of(*columns, title=f"Most like {self.thing}{self._within}")

    def _strongest(self) -> list[str | None]:
        """What tells most that each is like the row; nothing where nothing is clear."""
        found: list[str | None] = []
        for row in self.rows:
            shared = self.shared(row)
            best = int(shared.argmax())
            found.append(self.measured.titles[best] if shared[best] > _CLEAR else None)
        return found

    @property
    def _within(self) -> str:
        return f", in “{self.theme}”" if self.theme else ""

    def counted(self, count: int) -> str:
        """So many things."""
        return wording.count(count, self.data.about.thing, self.data.about.things)

    def sentence(self) -> str:
        named = [self.titles[row] for row in self.rows[:3]]
        first = wording.number(float(self.similarity[self.rows[0]].round(2)))
        within = f" in “{self.theme}”" if self.theme else ""
        are = "is" if len(named) == 1 else "are"
        return (
            f"Most like {self.thing}{within} {are} {listing(named)}: on a scale from 0, as little "
            f"alike as two {self.data.about.things} at random, to 1, the same in everything, "
            f"{self.titles[self.rows[0]]} comes to {first}."
        )

    def reasons(self) -> _Reasons:
        return _Reasons.of(self)

    def view(self) -> View:
        last = self.rows[-1]
        most, least = (round(float(self.similarity[row]), 2) for row in (self.rows[0], last))
        ends = wording.numbers([most, least])
        return View(
            kind="ranking",
            table="peers",
            channels={"label": "thing", "value": "similarity"},
            title=f"Most like {self.thing}{self._within}",
            description=f"The {self.counted(len(self.rows))} most like {self.thing}, from "
            f"{self.titles[self.rows[0]]} with a similarity of {ends[0]} to {self.titles[last]} "
            f"with {ends[1]}.",
        )


@dataclass(frozen=True)
class _Reasons:
    """The columns in which a row and those most like it are out of the ordinary together."""

    kin: _Kin
    scores: Floats
    theirs: Floats
    folded: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, kin: _Kin) -> _Reasons:
        mine = kin.fitted.scores[kin.row].astype(float)
        theirs = middle(kin.fitted.scores, kin.nearest).astype(float)
        together = np.where(mine * theirs > 0, np.minimum(np.abs(mine), np.abs(theirs)), 0.0)
        together = np.where(np.isfinite(together) & (kin.weights > 0), together, 0.0)
        clear = np.flatnonzero(together > _CLEAR)
        order = clear[np.argsort(-together[clear].round(6), kind="stable")]
        folded = [
            (column, len(twins))
            for column, twins in fold(order.tolist(), kin.fitted.twins, _REASONS)
        ]
        return cls(kin, mine, theirs, folded)

    def table(self) -> Table:
        data, kin = self.kin.data, self.kin
        measure, title, unit = measures.fields(data)
        shown = [column for column, _ in self.folded]
        index, names = data.names("obs"), [kin.measured.names[column] for column in shown]
        rows = [index.names[row] for row in (kin.row, *kin.nearest)]
        values = data.matrix(obs=rows, var=names)
        return Table.of(
            (measure, names),
            (title, [kin.measured.titles[column] for column in shown]),
            (Field("value", kin.thing), values[0]),
            (Field("peers", "Median of those like it"), np.nanmedian(values[1:], axis=0)),
            (unit, [kin.measured.units[column] for column in shown]),
            (Field("score", f"Score of {kin.thing}", decimals=1), self.scores[shown]),
            (Field("peers_score", "Their median score", decimals=1), self.theirs[shown]),
            (Field("twins", "Twins"), [twins for _, twins in self.folded]),
            title=f"What {kin.thing} and those like it have in common",
        )

    def sentence(self) -> Iterator[str]:
        if self.folded:
            said = [
                f"{'high' if self.scores[column] > 0 else 'low'} in "
                f"“{self.kin.measured.titles[column]}”"
                for column, _ in self.folded[:2]
            ]
            measured = ", for their size," if self.kin.fitted.sized else ""
            yield f"They and {self.kin.thing} are{measured} {listing(said)}."
        else:
            yield "Nothing that is out of the ordinary brings them together."

    def view(self) -> View:
        kin = self.kin
        high = sum(self.scores[column] > 0 for column, _ in self.folded)
        return View(
            kind="pairs",
            table="why",
            channels={"label": "title", "a": "score", "b": "peers_score"},
            title=f"What {kin.thing} and those like it have in common",
            description=f"Two points a row, the score of {kin.thing} and the median score of those "
            f"most like it; 0 is what is expected of their size. All lie above it in {high} of "
            f"{len(self.folded)} rows and below it in the others.",
            options={"a_title": kin.thing, "b_title": "Those like it", "x_title": "Score"},
        )


@dataclass(frozen=True)
class _Given:
    """Whom the provider calls similar to a row, by what it compares, and who of them was found."""

    kin: _Kin
    names: dict[str, list[str]]
    found: dict[str, list[str]]

    @classmethod
    def of(cls, kin: _Kin) -> _Given:
        index = kin.data.names("obs")
        similar = similar_to(kin.data, kin.row)
        ours = {index.names[row] for row in kin.rows}
        found = {what: [name for name in names if name in ours] for what, names in similar.items()}
        return cls(kin, similar, found)

    @property
    def all_named(self) -> set[str]:
        return {name for names in self.names.values() for name in names}

    @property
    def all_found(self) -> set[str]:
        return {name for names in self.found.values() for name in names}

    def table(self) -> Table:
        lang = self.kin.data.about.lang
        whats = sorted(self.names, key=lambda what: (-len(self.found[what]), what))
        return Table.of(
            (Field("what", "Similar in", lang=lang), whats),
            (Field("names", "By the source"), [", ".join(self.names[what]) for what in whats]),
            (
                Field("found", "Found here too"),
                [", ".join(self.found[what]) or None for what in whats],
            ),
            (Field("count", "How many"), [len(self.found[what]) for what in whats]),
            title="Whom the source calls similar",
        )

    def sentence(self) -> Iterator[str]:
        if self.names:
            yield (
                f"Of the {self.kin.counted(len(self.kin.rows))} found, "
                f"{wording.number(len(self.all_found))} are on a list of similar "
                f"{self.kin.data.about.things} that the source keeps itself."
            )


def _notes(kin: _Kin, given: _Given) -> Iterator[str]:
    data, about = kin.data, kin.data.about
    used = int((np.isfinite(kin.fitted.scores[kin.row]) & (kin.weights > 0)).sum())
    twins = "those that say the same share the weight of one"
    if kin.fitted.sized:
        yield (
            f"Compared are the scores in {wording.count(used, about.measure, about.measures)}, "
            f"that is, how far out a {about.thing} is of what is expected of its size ({twins}), "
            "and the size itself, which counts as much as all of them. A gap is left out, pair by "
            "pair, and not filled."
        )
    else:
        yield (
            f"Compared are the scores in {wording.count(used, about.measure, about.measures)} "
            f"({twins}); the data do not say how large each is. A gap is left out, pair by pair, "
            "and not filled."
        )
    typical = np.nanmedian(kin.similarity)
    yield (
        f"The similarity of {kin.thing} to the {about.thing} in the middle is "
        f"{wording.number(float(typical.round(2)))}. Some {about.thing} is always the most "
        "similar, so the first on the list need not be much alike."
    )
    if given.names:
        expected = len(kin.rows) * len(given.all_named) / max(1, data.shape[0] - 1)
        yield (
            f"The source names {kin.counted(len(given.all_named))} as similar, on "
            f"{wording.count(len(given.names), 'list', 'lists')}; of "
            f"{kin.counted(len(kin.rows))} at random some {wording.number(round(expected, 1))} "
            "would be among them. It compares by other figures, of other years."
        )
