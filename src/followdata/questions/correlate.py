"""The question "correlate": one matrix of a table against another, column by column.

What reads a file of gene sets is handed in by the story: `correlating(read)` makes the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.correlation import paired_correlations
from followdata.core.discoveries import q_values
from followdata.core.ranksum import rank_sums
from followdata.data import Floats, TableData, matrices
from followdata.errors import NothingToAnswer
from followdata.parameters import Choice, Column, File, Matrix, Number
from followdata.question import Question
from followdata.questions import wording
from followdata.questions.groups import FALSE_DISCOVERIES

HIGHEST, LOWEST = "highest", "lowest"
_LEAST_IN_SET = 5
_LEAST_SHARED = 10
"""A correlation over fewer rows is in the table, but is not called the highest or the lowest."""
_LEAST_LETTERS = 3
_SETS_SHOWN = 8
_MOST_BARS = 60
_MATRIX = Matrix("Which measurement is looked at")
_BESIDE = Matrix("Which measurement of the same it is set beside")
Read = Callable[[Path], Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Followed:
    """Every column that both matrices have: `columns` are p positions in the table, `n` the rows
    that have both values, the others as in `followdata.core.correlation` with `q` over all of
    them. `rows` counts the table's rows that have any value in both matrices; `missing` the cells
    of these rows and columns where one of the two is missing."""

    columns: npt.NDArray[np.intp]
    n: npt.NDArray[np.int64]
    spearman: Floats
    pearson: Floats
    low: Floats
    high: Floats
    p: Floats
    q: Floats
    rows: int
    missing: int

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which columns have a correlation."""
        return np.isfinite(self.spearman)


def fit_correlations(
    data: TableData,
    *,
    matrix: Annotated[str, _MATRIX],
    beside: Annotated[str, _BESIDE],
) -> Followed:
    """Correlate every column of `matrix` with the same column of `beside`."""
    X, Y = _two(data, matrix, beside)
    columns = np.flatnonzero(np.isfinite(X).any(0) & np.isfinite(Y).any(0))
    rows = np.isfinite(X).any(1) & np.isfinite(Y).any(1)
    if not len(columns) or rows.sum() < 3:
        raise NothingToAnswer(
            f"“{matrix}” and “{beside}” have {int(rows.sum())} {data.about.things} and "
            f"{len(columns)} {data.about.measures} in common.",
            "Choose two measurements of the same.",
        )
    X, Y = X[np.ix_(rows, columns)], Y[np.ix_(rows, columns)]
    found = paired_correlations(X, Y)
    return Followed(
        columns=columns,
        n=found.n,
        spearman=found.spearman,
        pearson=found.pearson,
        low=found.low,
        high=found.high,
        p=found.p,
        q=q_values(found.p),
        rows=int(rows.sum()),
        missing=int((~(np.isfinite(X) & np.isfinite(Y))).sum()),
    )


def _two(data: TableData, matrix: str, beside: str) -> tuple[Floats, Floats]:
    known = matrices(data)
    if len(known) < 2:
        raise NothingToAnswer(
            f"{data.about.title} has one measurement only, “{matrix}”.",
            "Fetch data that have two of the same rows.",
        )
    if matrix == beside:
        raise NothingToAnswer(
            f"“{matrix}” agrees with itself.", f"Set it beside one of {listing(list(known), 9)}."
        )
    return data.matrix(layer=known[matrix]), data.matrix(layer=known[beside])


def correlating(read: Read) -> Question:
    """The question, with `read` to read the sets in the file that the reader names."""

    def correlate(
        data: TableData,
        fitted: Followed,
        *,
        gene: Annotated[str | None, Column("One of them, for a closer look", title="Gene")] = None,
        matrix: Annotated[str, _MATRIX],
        beside: Annotated[str, _BESIDE],
        top: Annotated[int, Number("How many to list", 1, 1_000_000, whole=True)] = 20,
        order: Annotated[str, Choice("Which of them come first", (HIGHEST, LOWEST))] = HIGHEST,
        sets: Annotated[
            str | None,
            File(
                "Sets of genes, in the GMT form; it is read here and sent nowhere",
                title="Gene sets",
            ),
        ] = None,
    ) -> Answer:
        """How closely `matrix` follows `beside` in the same rows.

        Table `overall`: n, genes, median_spearman, median_pearson, follow. Table `correlate`: gene,
        n (rows with both values), spearman, pearson, low and high (the
        95 % interval of Spearman's), p, q; the `top` highest or lowest, or the one `gene`. Table
        `spread`: value, count, the distribution over all columns. Table `sets`: set, n, median,
        low and high (its quartiles), p, q. Table `tumours`, for a gene: thing, x (`beside`), y
        (`matrix`) and the main label.

        Raises `NothingToAnswer` where the table has one matrix only, or nothing is in both.
        """
        told = _Told(data, fitted, matrix, beside)
        if gene is not None:
            return told.one(gene)
        chosen = read(Path(sets)) if sets else families(told.names, least=_LEAST_IN_SET)
        return told.all(top, order, told.sets(chosen), own=sets is not None)

    return Question(
        name="correlate",
        title="How closely does {matrix} follow {beside}?",
        words="A gene's protein and its message, measured in the same tumours: do those that have "
        "more of the one have more of the other? Gene by gene, over all genes, and by sets of "
        "genes.",
        needs="table",
        fit=fit_correlations,
        answer=correlate,
    )


def families(symbols: Sequence[str], *, least: int) -> dict[str, list[str]]:
    """The genes whose symbols are the same letters before a number, if there are `least` of them.

    The HGNC gives the genes of a family one root: MRPL for the proteins of the large subunit of
    the ribosomes in mitochondria, NDUFA for parts of complex I, COL for collagens.

    >>> families(["MRPL1", "MRPL12", "MRPL9", "TP53"], least=3)
    {'MRPL…': ['MRPL1', 'MRPL12', 'MRPL9']}
    """
    found: dict[str, list[str]] = {}
    for symbol in symbols:
        root = re.match(r"[A-Z]+(?=\d)", symbol)
        if root and len(root[0]) >= _LEAST_LETTERS:
            found.setdefault(f"{root[0]}…", []).append(symbol)
    return {name: genes for name, genes in sorted(found.items()) if len(genes) >= least}


@dataclass(frozen=True)
class _Told:
    """What there is to say of one matrix beside another."""

    data: TableData
    fitted: Followed
    matrix: str
    beside: str

    @cached_property
    def names(self) -> list[str]:
        names = self.data.names("var").names
        return [names[at] for at in self.fitted.columns.tolist()]

    @property
    def ranked(self) -> list[int]:
        """The columns by their correlation, the highest first, those over too few rows left out."""
        fitted = self.fitted
        usable = np.flatnonzero(fitted.known & (fitted.n >= min(_LEAST_SHARED, fitted.rows)))
        order: list[int] = usable[np.argsort(-fitted.spearman[usable], kind="stable")].tolist()
        return order

    def table(self, places: Sequence[int]) -> Table:
        fitted, at = self.fitted, list(places)
        return Table.of(
            (self._gene(), [self.names[place] for place in at]),
            (Field("n", self.data.about.things.capitalize()), fitted.n[at]),
            (Field("spearman", "Spearman", decimals=2), fitted.spearman[at]),
            (Field("pearson", "Pearson", decimals=2), fitted.pearson[at]),
            (Field("low", "at least", decimals=2), fitted.low[at]),
            (Field("high", "at most", decimals=2), fitted.high[at]),
            (Field("p", "p"), fitted.p[at]),
            (Field("q", "q"), fitted.q[at]),
            title=f"{self.matrix.capitalize()} beside {self.beside}",
        )

    def _gene(self) -> Field:
        return Field("gene", self.data.about.measure.capitalize(), link="correlate")

    # All genes

    def all(self, top: int, order: str, sets: Table | None, *, own: bool) -> Answer:
        ranked = self.ranked
        if not ranked:
            raise NothingToAnswer(
                f"No {self.data.about.measure} varies in both “{self.matrix}” and “{self.beside}”.",
                "Choose two other measurements.",
            )
        listed = ranked if order == HIGHEST else ranked[::-1]
        # Whoever asks for all gets those of few rows, too.
        few = np.setdiff1d(np.arange(len(self.names)), ranked).tolist()
        tables = {
            "correlate": self.table([*listed, *few][:top]),
            "overall": self.overall(),
            "spread": self.spread(),
        }
        if sets is not None:
            tables["sets"] = sets
        return Answer(
            " ".join(self.sentences(ranked)),
            tables,
            tuple(self.views(tables, ranked, listed[:top], order)),
            tuple(self.notes(sets, own=own)),
        )

    def sentences(self, ranked: Sequence[int]) -> Iterator[str]:
        fitted, about = self.fitted, self.data.about
        known = fitted.spearman[fitted.known]
        middle = wording.number(float(np.median(known)))
        above = float(self.followed[fitted.known].mean())
        yield (
            f"In {wording.count(fitted.rows, about.thing, about.things)} the median Spearman "
            f"correlation of {self.matrix} with {self.beside} is {middle}, over "
            f"{wording.count(len(known), about.measure, about.measures)}; {wording.share(above)} "
            f"of them follow at a false discovery rate of {wording.share(FALSE_DISCOVERIES)}."
        )
        best, worst = ranked[0], ranked[-1]
        values = wording.numbers([float(fitted.spearman[best]), float(fitted.spearman[worst])])
        yield (
            f"{self.names[best]} follows most closely ({values[0]}), "
            f"{self.names[worst]} least ({values[1]})."
        )

    @cached_property
    def followed(self) -> npt.NDArray[np.bool_]:
        """Which columns rise together at the rate of false discoveries that is allowed."""
        fitted = self.fitted
        return np.asarray((fitted.q <= FALSE_DISCOVERIES) & (fitted.spearman > 0))

    def overall(self) -> Table:
        """One row: over how many, the medians, and how many follow."""
        fitted, about, known = self.fitted, self.data.about, self.fitted.known
        spearman, pearson = (float(np.median(r[known])) for r in (fitted.spearman, fitted.pearson))
        return Table.of(
            (Field("n", about.things.capitalize()), [fitted.rows]),
            (Field("genes", about.measures.capitalize()), [int(known.sum())]),
            (Field("median_spearman", "Median Spearman", decimals=4), [spearman]),
            (Field("median_pearson", "Median Pearson", decimals=4), [pearson]),
            (Field("follow", "Follow"), [int(self.followed.sum())]),
            title=f"All {about.measures}",
        )

    def spread(self) -> Table:
        """How many columns have which correlation, in steps of 0.05."""
        known = self.fitted.spearman[self.fitted.known]
        edges = np.round(np.arange(-1, 1.0001, 0.05), 2)
        first = max(0, int(np.searchsorted(edges, known.min(), side="right")) - 1)
        last = min(len(edges) - 1, int(np.searchsorted(edges, known.max(), side="left")))
        edges = edges[first : max(last, first + 1) + 1]
        count, _ = np.histogram(known, edges)
        middles = np.round((edges[:-1] + edges[1:]) / 2, 3)
        return Table.of(
            (Field("value", "Spearman correlation", decimals=2), middles),
            (Field("count", self.data.about.measures.capitalize()), count),
            title="How it is spread",
        )

    def sets(self, chosen: Mapping[str, Sequence[str]]) -> Table | None:
        """The sets with enough columns, the best followed first."""
        fitted = self.fitted
        index = {name: at for at, name in enumerate(self.names)}
        places = {
            name: [index[gene] for gene in dict.fromkeys(genes)
                   if gene in index and fitted.known[index[gene]]]
            for name, genes in chosen.items()
        }  # fmt: skip
        kept = {name: at for name, at in places.items() if len(at) >= _LEAST_IN_SET}
        if not kept:
            return None
        members = np.zeros((len(kept), len(self.names)), dtype=bool)
        for row, at in enumerate(kept.values()):
            members[row, at] = True
        p = rank_sums(fitted.spearman[:, None], members).p[:, 0]
        q = q_values(p)
        quarters = np.array(
            [np.percentile(fitted.spearman[at], (25, 50, 75)) for at in kept.values()]
        )
        order = np.argsort(-quarters[:, 1], kind="stable")
        names = list(kept)
        return Table.of(
            (Field("set", "Set"), [names[at] for at in order]),
            (Field("n", self.data.about.measures.capitalize()), members.sum(1)[order]),
            (Field("median", "Median correlation", decimals=2), quarters[order, 1]),
            (Field("low", "Lower quarter", decimals=2), quarters[order, 0]),
            (Field("high", "Upper quarter", decimals=2), quarters[order, 2]),
            (Field("p", "p"), p[order]),
            (Field("q", "q"), q[order]),
            title=f"Sets of {self.data.about.measures}",
        )

    def views(
        self, tables: dict[str, Table], ranked: Sequence[int], listed: Sequence[int], order: str
    ) -> Iterator[View]:
        fitted, about = self.fitted, self.data.about
        middle = float(np.median(fitted.spearman[fitted.known]))
        spread = tables["spread"]
        yield View(
            kind="distribution",
            table="spread",
            channels={"value": "value", "count": "count"},
            title=f"How closely {self.matrix} follows {self.beside}",
            description=f"A histogram of the correlations of {int(fitted.known.sum())} "
            f"{about.measures} in {len(spread)} bins; the median, {wording.number(middle)}, is "
            "marked.",
            options={"mark": middle, "mark_label": f"median {wording.number(middle)}"},
        )
        if "sets" in tables and len(tables["sets"]) > 1:
            table = tables["sets"]
            if len(table) > 2 * _SETS_SHOWN:
                best, worst = (
                    table.page(0, _SETS_SHOWN),
                    table.page(len(table) - _SETS_SHOWN, _SETS_SHOWN),
                )
                columns = {name: best.columns[name] + worst.columns[name] for name in best.columns}
                table = Table(table.fields, columns, "Sets followed best and worst")
                tables["extremes"] = table
            names = table.columns["set"]
            yield View(
                kind="ranking",
                table="extremes" if "extremes" in tables else "sets",
                channels={"label": "set", "value": "median", "low": "low", "high": "high"},
                title="Sets followed best and worst",
                description=f"The median correlation within sets of {about.measures}, from "
                f"{names[0]} down to {names[-1]}; the lines run from the lower to the upper "
                "quarter.",
            )
        shown = [self.names[at] for at in listed]
        if len(shown) <= _MOST_BARS:
            yield View(
                kind="intervals",
                table="correlate",
                channels={"label": "gene", "value": "spearman", "low": "low", "high": "high"},
                title=f"The {order} correlations",
                description=f"The {len(shown)} {about.measures} with the {order} correlation, "
                f"from {shown[0]} to {shown[-1]}, with 95 % intervals.",
            )

    def notes(self, sets: Table | None, *, own: bool) -> Iterator[str]:
        fitted, about = self.fitted, self.data.about
        cells = fitted.rows * len(self.names)
        yield (
            f"{wording.count(fitted.rows, about.thing, about.things)} have both measurements. Of "
            f"their {wording.number(cells)} pairs of values {wording.number(fitted.missing)} lack "
            f"one or both: each {about.measure} is looked at in the {about.things} that have the "
            "pair, and none is filled in."
        )
        unknown = int((~fitted.known).sum())
        few = int((fitted.known & (fitted.n < _LEAST_SHARED)).sum())
        if unknown or few:
            yield (
                f"{wording.number(unknown)} of {wording.number(len(self.names))} "
                f"{about.measures} have fewer than 3 pairs or do not vary, and have no "
                f"correlation; {wording.number(few)} rest on fewer than {_LEAST_SHARED} pairs and "
                "are named last."
            )
        yield (
            "low to high is the 95 % interval of Spearman's correlation (Bonett and Wright 2000); "
            "p is two-sided, from Student's t, and q corrects it over all "
            f"{about.measures} (Benjamini–Hochberg). The {about.things} are taken as independent, "
            f"and as of one kind: where subtypes differ in both, the correlation says so too."
        )
        if sets is not None:
            named = (
                "those of your file"
                if own
                else (
                    f"{about.measures} whose symbols begin alike (MRPL…, NDUFA…); name a GMT file "
                    "for others"
                )
            )
            yield (
                f"Sets are {named}. Their p compares the correlations inside with all others "
                f"(Wilcoxon). It takes {about.measures} as independent, which those of one "
                "complex are not: read it as a ranking rather than as a probability."
            )

    # One gene

    def one(self, gene: str) -> Answer:
        about, data = self.data.about, self.data
        if gene not in self.names:
            raise NothingToAnswer(
                f"{gene} is not in both “{self.matrix}” and “{self.beside}”.",
                f"Ask without a {about.measure} for those that are.",
            )
        at = self.names.index(gene)
        known = matrices(data)
        y, x = (data.matrix(var=[gene], layer=known[name])[:, 0]
                for name in (self.matrix, self.beside))  # fmt: skip
        both = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        label = about.label if about.label in data.labels("obs") else ""
        names = data.names("obs").names
        columns: list[tuple[Field, Iterable[Any]]] = [
            (Field("thing", about.thing.capitalize()), [names[row] for row in both.tolist()]),
            (Field("x", self.beside, decimals=2), x[both]),
            (Field("y", self.matrix.capitalize(), decimals=2), y[both]),
        ]
        if label:
            words = data.labels("obs")[label][both].tolist()
            columns.append((Field(label, label.capitalize()), [word or None for word in words]))
        tumours = Table.of(*columns, title=f"{gene} in each {about.thing}")
        view = View(
            kind="scatter",
            table="tumours",
            channels={"x": "x", "y": "y", "label": "thing", **({"color": label} if label else {})},
            title=f"{gene}: {self.matrix} beside {self.beside}",
            description=f"{len(both)} {about.things}, from left to right by {self.beside} and "
            f"upwards by {self.matrix} of {gene}.",
        )
        return Answer(
            self._sentence(gene, at),
            {"correlate": self.table([at]), "tumours": tumours},
            (view,) if len(both) else (),
            tuple(self.notes(None, own=False)),
        )

    def _sentence(self, gene: str, at: int) -> str:
        fitted, about = self.fitted, self.data.about
        n = wording.count(int(fitted.n[at]), about.thing, about.things)
        if not fitted.known[at]:
            return (
                f"{gene} has no correlation: {n} have both {self.matrix} and {self.beside}, or "
                "one of them does not vary."
            )
        r = float(fitted.spearman[at])
        r_text = wording.number(r)
        closer = float((fitted.spearman[fitted.known] < r).mean())
        interval = ""
        if np.isfinite(fitted.low[at]):
            low, high = wording.numbers([float(fitted.low[at]), float(fitted.high[at])])
            interval = f" (95 % interval {low} to {high})"
        return (
            f"The {self.matrix} of {gene} and its {self.beside} correlate at {r_text}{interval} "
            f"in {n}: more closely than in {wording.share(closer)} of "
            f"{wording.count(int(fitted.known.sum()), about.measure, about.measures)}."
        )
