"""The questions "nodes" and "node": what each node of a small network has learnt from a table.

What reads files is handed in by the story: `reading(read_network, read_sets)` makes the two, which
share what they learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Scalar, Table, View, listing
from followdata.core.discoveries import q_values
from followdata.core.networks import adage
from followdata.core.networks.adage import BEYOND, Adage, Bools, Floats
from followdata.core.networks.network import sigmoid
from followdata.core.overlap import overlap_p
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Choice, File, Label, Number
from followdata.question import Question, Report
from followdata.questions import groups, measures, wording
from followdata.questions.groups import FALSE_DISCOVERIES
from followdata.questions.measures import Measures

ReadNetwork = Callable[[Path], tuple[Floats, Floats, Floats]]
Sets = Mapping[str, Sequence[str]]
Given = tuple[tuple[str, Scalar], ...]
ReadSets = Callable[[Path], Sets]

OWN, COMMON = "columns", "table"
_MOST_CELLS = 8_000_000
_SHOWN_GROUPS = 40
_NAMED = 3
_BARS = 12
_LEAST_SET = 3

NETWORK = File(
    "A network trained elsewhere, as ADAGE writes it; by default one is trained here",
    title="Network (a file)",
)
NODES = Number("How many nodes the network trained here has", 1, 300, whole=True)
CYCLES = Number("How often every row is seen in training", 1, 5000, whole=True)
CORRUPTION = Number(
    "Share of the values hidden in training, to be found again", 0, 0.9, hidden=True
)
SCALE = Choice(
    "How values are brought to 0..1: each column by its own range, or all by that of the whole "
    "table; by default the first for a network trained here, the second for one from elsewhere",
    (OWN, COMMON),
    hidden=True,
)
SEED = Number("Where chance begins", 0, 2**32 - 1, whole=True, hidden=True)
BY = Label(
    "By which label the rows are grouped; by default the table’s main one", title="Grouped by"
)
SETS = File("Sets of genes, one a line (GMT, or names between semicolons)", title="Sets (a file)")


@dataclass(frozen=True)
class Learnt(Adage):
    """A network over the columns of a table, and how the table is scaled for it.

    `low` and `span` (p each) bring a column to 0..1, `mean` is what stands for a missing value
    there, and `curve` (cycles) how the loss fell in training; none for a network from elsewhere.
    """

    low: Floats
    span: Floats
    mean: Floats
    curve: Floats

    def sums(self, X: Floats) -> Floats:
        """What each node adds up to for the rows of `X` (n x p; NaN is missing): n x h."""
        S = (X - self.low) / self.span
        return adage.raw_activity(self, np.where(np.isfinite(S), S, self.mean))


def reading(read_network: ReadNetwork, read_sets: ReadSets) -> tuple[Question, Question]:
    """The two questions, with what reads the files that the reader names."""

    def brought(data: TableData, network: str, scale: str | None) -> Learnt:
        """The network in a file, over the columns of the table in their order."""
        low, span, mean, _ = _scaled(_matrix(data), scale or COMMON)
        weights, hidden_bias, visible_bias = read_network(Path(network))
        _check_fitting(data, len(weights), network)
        return Learnt(weights, hidden_bias, visible_bias, low, span, mean, np.array([]))

    def fit(
        data: TableData,
        *,
        network: Annotated[str | None, NETWORK] = None,
        nodes: Annotated[int, NODES] = 10,
        cycles: Annotated[int, CYCLES] = 200,
        corruption: Annotated[float, CORRUPTION] = 0.1,
        scale: Annotated[str | None, SCALE] = None,
        seed: Annotated[int, SEED] = 0,
        report: Report,
    ) -> Learnt:
        """Train a network on all rows, or take the one in the file `network`.

        Reports "progress" (done, total, what).
        """
        if network:
            return brought(data, network, scale)
        X = _matrix(data)
        low, span, mean, S = _scaled(X, scale or OWN)
        curve: list[float] = []

        def watch(cycle: int, loss: float) -> None:
            curve.append(loss)
            if cycle % max(1, cycles // 20) == 0:
                report("progress", done=cycle, total=cycles, what="cycles")

        model = adage.fit(S, nodes, cycles=cycles, corruption=corruption, seed=seed, watch=watch)
        return Learnt(
            model.weights, model.hidden_bias, model.visible_bias, low, span, mean, np.array(curve)
        )

    def nodes_of(
        data: TableData,
        fitted: Learnt,
        *,
        network: Annotated[str | None, NETWORK] = None,
        nodes: Annotated[int, NODES] = 10,
        cycles: Annotated[int, CYCLES] = 200,
        corruption: Annotated[float, CORRUPTION] = 0.1,
        scale: Annotated[str | None, SCALE] = None,
        seed: Annotated[int, SEED] = 0,
        by: Annotated[str | None, BY] = None,
        sets: Annotated[str | None, SETS] = None,
        top: Annotated[int, Number("How many nodes to show", 1, 300, whole=True)] = 20,
    ) -> Answer:
        """Which nodes tell the groups apart, and what each answers to.

        Table `nodes`, those that differ between the groups first and in the order of apart: node,
        differs (percent of its variation that lies between the groups), apart (the range of the
        groups' mean sums), p and q (one-way analysis of variance of the sums), most and least (the
        groups where it is most and least active), size (columns of high weight), columns (those of
        largest weight), set with set_q where sets are known. Without groups the order is that of
        the spread of activities. Table `activity`: node, group (or row), activity (0..1, mean).
        """
        # A file may hold another network than when this was learnt.
        fitted = brought(data, network, scale) if network else fitted
        looked = _Looked.of(data, fitted, by)
        known = read_sets(Path(sets)) if sets else _labelled(data)
        asked = {
            "network": network, "nodes": nodes, "cycles": cycles, "corruption": corruption,
            "scale": scale, "seed": seed, "by": by, "sets": sets,
        }  # fmt: skip
        given = tuple((name, value) for name, value in asked.items() if value is not None)
        return _all_nodes(looked, known, top, given)

    def one_node(
        data: TableData,
        fitted: Learnt,
        *,
        node: Annotated[int, Number("Which node", 1, 300, whole=True)] = 1,
        network: Annotated[str | None, NETWORK] = None,
        nodes: Annotated[int, NODES] = 10,
        cycles: Annotated[int, CYCLES] = 200,
        corruption: Annotated[float, CORRUPTION] = 0.1,
        scale: Annotated[str | None, SCALE] = None,
        seed: Annotated[int, SEED] = 0,
        by: Annotated[str | None, BY] = None,
        sets: Annotated[str | None, SETS] = None,
    ) -> Answer:
        """What one node answers to, and in which rows it is active.

        Table `columns`, largest weight first: column, title, weight, deviations (from the mean of
        the node's weights), high (whether beyond 2.5 of them). Table `enriched`: set, side ("rouse"
        or "quiet": the sign of the weights), n (of the set in the table), shared, expected, p, q.
        Table `rows`, most active first: row, group, activity (0..1), sum (before the sigmoid).

        Raises `InvalidParameter` for a node that the network has not.
        """
        if node > fitted.weights.shape[1]:
            raise InvalidParameter(
                "node", f"the network has {fitted.weights.shape[1]} nodes; there is no {node}."
            )
        # A file may hold another network than when this was learnt.
        fitted = brought(data, network, scale) if network else fitted
        looked = _Looked.of(data, fitted, by)
        known = read_sets(Path(sets)) if sets else _labelled(data)
        return _one_node(looked, node - 1, known, bool(network))

    words = (
        "A network with one layer of nodes learns to bring the rows back after some of their "
        "values were hidden. Each node then stands for something that columns do together: "
    )
    return (
        Question(
            name="nodes",
            title="What has each node of a network learnt?",
            words=words + "which groups it tells apart, and which columns and sets it answers to.",
            needs="table",
            fit=fit,
            answer=nodes_of,
            long=True,
            fitted_as="nodes",
        ),
        Question(
            name="node",
            title="What does node {node} answer to?",
            words=words + "here one of them, its columns of high weight, the sets they belong to, "
            "and the rows it is active in.",
            needs="table",
            fit=fit,
            answer=one_node,
            long=True,
            fitted_as="nodes",
        ),
    )


# What is learnt from


def _matrix(data: TableData) -> Floats:
    rows, columns = data.shape
    if rows * columns > _MOST_CELLS:
        raise NothingToAnswer(
            f"A table of {wording.number(rows * columns)} values is too large to train on.",
            f"Take fewer rows or columns: {wording.number(_MOST_CELLS)} values at most.",
        )
    X = groups.even(data.matrix(), data.about.unit)
    X = np.where(np.isfinite(X), X, np.nan)
    if rows < 2 or not _varying(X).any():
        raise NothingToAnswer("No column has two different values: there is nothing to learn.")
    return X


def _varying(X: Floats) -> Bools:
    observed = np.isfinite(X)
    low = np.min(X, axis=0, where=observed, initial=np.inf)
    return np.asarray(low < np.max(X, axis=0, where=observed, initial=-np.inf))


def _range(X: Floats, scale: str) -> tuple[Floats, Floats]:
    observed = np.isfinite(X)
    axis = 0 if scale == OWN else None
    low = np.min(X, axis=axis, where=observed, initial=np.inf)
    high = np.max(X, axis=axis, where=observed, initial=-np.inf)
    low, high = (np.broadcast_to(end, X.shape[1]) for end in (low, high))
    low = np.where(np.isfinite(low), low, 0.0)
    return low, np.where(high > low, high - low, 1.0)


def _scaled(X: Floats, scale: str) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest value, range and mean of each column (p each), and the rows at 0..1 (n x p)."""
    low, span = _range(X, scale)
    S = (X - low) / span
    observed = np.isfinite(S)
    mean = np.where(observed, S, 0.0).sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    return low, span, mean, S


def _check_fitting(data: TableData, inputs: int, path: str) -> None:
    columns = data.shape[1]
    if inputs != columns:
        raise InvalidParameter(
            "network",
            f"{Path(path).name} has {wording.number(inputs)} inputs, and the table "
            f"{wording.count(columns, data.about.measure, data.about.measures)}.",
            "The file names no genes: the table must hold those it was trained on, in its order.",
        )


# What is looked at


@dataclass(frozen=True)
class _Looked:
    """Every node's sums over the rows of a table (n x h), and the group of each row.

    `by` is the label of the groups and `names` are theirs; both empty where there are none.
    """

    data: TableData
    fitted: Learnt
    sums: Floats
    by: str
    names: Sequence[str]
    group: Sequence[str]
    missing: int

    @classmethod
    def of(cls, data: TableData, fitted: Learnt, by: str | None) -> _Looked:
        X = _matrix(data)
        label = by or data.about.label
        known = data.labels("obs")
        if label not in known:
            label = ""
        words = known[label].tolist() if label else [""] * len(X)
        names = sorted(set(words) - {""})
        if len(names) < 2 or (not by and len(names) == len(X)):
            label, words, names = "", [""] * len(X), []
        missing = int((~np.isfinite(X)).sum())
        return cls(data, fitted, fitted.sums(X), label, names, words, missing)

    @property
    def activity(self) -> Floats:
        return sigmoid(self.sums)

    @property
    def members(self) -> Bools:
        """Groups x rows."""
        return np.array([[each == name for each in self.group] for name in self.names])

    def by_group(self, values: Floats) -> Floats:
        """The mean of each group: groups x h."""
        members = self.members.astype(np.float64)
        return np.asarray((members @ values) / members.sum(axis=1, keepdims=True))

    @property
    def differs(self) -> tuple[Floats, Floats]:
        """Of each node's sums, the share of the variation between the groups, and p (Fisher's
        one-way analysis of variance); NaN where no group has two rows."""
        from scipy.stats import f

        members = self.members
        inside = members.any(axis=0)
        sums = self.sums[inside]
        size = members.sum(axis=1)
        between = (size[:, None] * (self.by_group(self.sums) - sums.mean(axis=0)) ** 2).sum(axis=0)
        total = ((sums - sums.mean(axis=0)) ** 2).sum(axis=0)
        share = np.where(total > 0, between / np.where(total > 0, total, 1.0), np.nan)
        above, below = len(self.names) - 1, int(inside.sum()) - len(self.names)
        if below < 1:
            return share, np.full(len(share), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (share / above) / ((1.0 - share) / below)
        return share, np.asarray(f.sf(ratio, above, below))

    @property
    def titles(self) -> Sequence[str]:
        return Measures.of(self.data).titles


@dataclass(frozen=True)
class _Known:
    """Sets over the columns of a table: `names` with `members` (g x p), those of three or more."""

    names: Sequence[str]
    members: Bools

    @classmethod
    def of(cls, data: TableData, sets: Sets) -> _Known:
        index = data.names("var")
        place = {name: at for at, name in enumerate(index.names)}
        names, members = [], []
        for name, genes in sets.items():
            inside = np.zeros(len(index), dtype=bool)
            inside[[place[gene] for gene in genes if gene in place]] = True
            if inside.sum() >= _LEAST_SET:
                names.append(name)
                members.append(inside)
        return cls(names, np.array(members, dtype=bool).reshape(len(names), len(index)))


def _labelled(data: TableData) -> Sets:
    """The sets that the labels of the columns make ("theme")."""
    found: dict[str, list[str]] = {}
    names = data.names("var").names
    for label, words in data.labels("var").items():
        if label in ("title", "id", "unit", "lang") or label.endswith("_id"):
            continue
        kinds = set(words.tolist()) - {""}
        if 1 < len(kinds) < len(names):
            for name, kind in zip(names, words.tolist(), strict=True):
                if kind:
                    found.setdefault(f"{label} {kind}", []).append(name)
    return found


# All nodes


def _all_nodes(looked: _Looked, sets: Sets, top: int, given: Given) -> Answer:
    """`given` is what the questions about single nodes must be told to ask of the same network."""
    activity = looked.activity
    share = p = np.full(activity.shape[1], np.nan)
    if looked.names:
        share, p = looked.differs
    q = q_values(p)
    sums = looked.by_group(looked.sums) if looked.names else looked.sums
    # Activities may all be 1, or all 0: which is higher is told by the sums.
    most, least, apart = sums.argmax(axis=0), sums.argmin(axis=0), np.ptp(sums, axis=0)
    found = np.nan_to_num(q, nan=1.0) <= FALSE_DISCOVERIES
    order = np.lexsort((-(apart if looked.names else activity.std(axis=0)), ~found))[:top]
    known = _Known.of(looked.data, sets)
    rouse, quiet = adage.high_weight(looked.fitted.weights)
    best = [_best_set(known, (rouse | quiet)[:, node]) for node in order]
    means = looked.by_group(activity) if looked.names else activity
    names = looked.names or list(looked.data.names("obs").names)
    about = looked.data.about
    columns = [
        (Field("node", "Node", link="node", given=given), (order + 1).tolist()),
        (Field("name", "Name", code=True), [_named(looked, node) for node in order.tolist()]),
    ]
    if looked.names:
        columns += [
            (Field("differs", "Differs between groups", unit="%", decimals=0), 100 * share[order]),
            (Field("apart", "Sums apart by", decimals=2), apart[order]),
            (Field("p", "p"), p[order]),
            (Field("q", "q"), q[order]),
        ]
    columns += [
        (Field("most", "Most active in"), [names[at] for at in most[order]]),
        (Field("least", "Least active in"), [names[at] for at in least[order]]),
        (Field("spread", "Deviation of activity", decimals=2), activity.std(axis=0)[order]),
        (Field("size", "Of high weight"), (rouse | quiet).sum(axis=0)[order]),
        (Field("columns", f"{about.measures.capitalize()} of largest weight"),
         [", ".join(_largest(looked, node)) for node in order]),
    ]  # fmt: skip
    if known.names:
        columns += [
            (Field("set", "Set most alike"), [name for name, _, _ in best]),
            (Field("set_q", "q of it"), [each for _, _, each in best]),
        ]
    shown = _shown_groups(looked, means)
    heat = Table.of(
        (Field("node", "Node"),
         [f"{node + 1}" for node in order.tolist() for _ in shown]),
        (Field("group", looked.by.capitalize() or about.thing.capitalize()),
         [names[at] for _ in order for at in shown]),
        (Field("activity", "Activity (0..1)", decimals=2),
         [means[at, node] for node in order.tolist() for at in shown]),
        title="How active each node is",
    )  # fmt: skip
    table = Table.of(*columns, title="Node by node")
    views = [_heat_view(looked, len(order), len(shown), len(names))]
    if looked.names:
        views.append(_differs_view(looked, table))
    return Answer(
        sentence=" ".join(_said_of_all(looked, order, share, q, known, best, sums, names)),
        tables={"nodes": table, "activity": heat},
        views=tuple(views),
        notes=tuple(_notes(looked, known, "network" in dict(given))),
    )


def _named(looked: _Looked, node: int) -> str:
    """A node by its number and what it answers to most.

    Which columns rouse it and which quiet it is only a matter of sign.
    """
    return f"node {node + 1}: {', '.join(_largest(looked, node)[:2])}"


def _largest(looked: _Looked, node: int) -> list[str]:
    places = np.abs(adage.standing_out(looked.fitted.weights)[:, node])
    return [looked.titles[at] for at in np.argsort(-places, kind="stable")[:_NAMED]]


def _best_set(known: _Known, high: Bools) -> tuple[str, int, float]:
    """The set that has most in common with the columns of high weight: name, how many, q."""
    if not known.names or not high.any():
        return "", 0, np.nan
    q = q_values(overlap_p(high, known.members))
    best = int(np.argmin(q))
    return known.names[best], int((known.members[best] & high).sum()), float(q[best])


def _shown_groups(looked: _Looked, means: Floats) -> list[int]:
    """The groups in the picture, alike beside alike; of very many those of most rows, or the first
    rows."""
    from scipy.cluster.hierarchy import leaves_list, linkage

    if looked.names:
        size = looked.members.sum(axis=1)
        kept = np.sort(np.argsort(-size, kind="stable")[:_SHOWN_GROUPS])
    else:
        kept = np.arange(min(len(means), _SHOWN_GROUPS))
    if len(kept) < 3:
        return [int(at) for at in kept]
    order = leaves_list(linkage(means[kept], "average", optimal_ordering=True))
    return [int(kept[at]) for at in order]


def _heat_view(looked: _Looked, nodes: int, shown: int, of: int) -> View:
    about = looked.data.about
    things = f"groups under “{looked.by}”" if looked.by else about.things
    part = f" {shown} of the {of} are shown." if shown < of else ""
    return View(
        kind="grid",
        table="activity",
        channels={"row": "node", "column": "group", "value": "activity"},
        title="How active each node is",
        description=f"A row for each of {wording.count(nodes, 'node', 'nodes')} and a column for "
        f"each of {wording.number(shown)} {things}: red where it is active, green where it is not. "
        f"Those that are alike stand together.{part}",
    )


def _differs_view(looked: _Looked, table: Table) -> View:
    return View(
        kind="ranking",
        table="nodes",
        channels={"label": "name", "value": "apart"},
        title=f"How far apart a node’s sums are between the groups under “{looked.by}”",
        description="A bar for each node, as long as its highest mean is above its lowest; its "
        "caption names what has the largest weights. Those that differ by more than chance come "
        f"first: {table.columns['name'][0]}.",
    )


def _said_of_all(
    looked: _Looked, order: npt.NDArray[np.intp], share: Floats, q: Floats, known: _Known,
    best: Sequence[tuple[str, int, float]], sums: Floats, names: Sequence[str],
) -> Iterator[str]:  # fmt: skip
    about = looked.data.about
    nodes = looked.fitted.weights.shape[1]
    first = int(order[0])
    most, least = (names[int(at)] for at in (sums[:, first].argmax(), sums[:, first].argmin()))
    if looked.names and q[first] <= FALSE_DISCOVERIES:
        apart = int((q <= FALSE_DISCOVERIES).sum())
        yield (
            f"{apart} of {wording.count(nodes, 'node', 'nodes')} differ between the groups under "
            f"“{looked.by}”, node {first + 1} most. It is most active in {most} and least in "
            f"{least}, and {wording.share(float(share[first]))} of its variation lies between them."
        )
    elif looked.names:
        yield (
            f"None of {wording.count(nodes, 'node', 'nodes')} clearly differs between the groups "
            f"under “{looked.by}”; node {first + 1} comes nearest, most active in {most}."
        )
    else:
        yield (
            f"Of {wording.count(nodes, 'node', 'nodes')}, node {first + 1} varies most: it is most "
            f"active in {most} and least in {least}."
        )
    largest = listing([f"“{title}”" for title in _largest(looked, first)])
    yield f"It answers most to {largest}."
    if known.names and best[0][2] <= FALSE_DISCOVERIES:
        name, shared, _ = best[0]
        yield (
            f"Of its {about.measures} of high weight, {shared} belong to “{name}”, more than "
            "chance would have."
        )


# One node


def _one_node(looked: _Looked, node: int, sets: Sets, elsewhere: bool) -> Answer:
    data, about = looked.data, looked.data.about
    places = adage.standing_out(looked.fitted.weights)[:, node]
    rouse, quiet = (side[:, node] for side in adage.high_weight(looked.fitted.weights))
    high = rouse | quiet
    order = np.argsort(-np.abs(places), kind="stable")
    kept = order[: max(int(high.sum()), _BARS)]
    measured = Measures.of(data)
    measure, title, _ = measures.fields(data)
    columns = Table.of(
        (Field("column", measure.title, code=True), [measured.names[at] for at in kept]),
        (title, [measured.titles[at] for at in kept]),
        (Field("weight", "Weight", decimals=3), looked.fitted.weights[kept, node]),
        (Field("deviations", "Deviations from the mean weight", decimals=2), places[kept]),
        (Field("high", f"Beyond {BEYOND:g}"), high[kept]),
        title=f"What node {node + 1} answers to",
    )
    known = _Known.of(data, sets)
    enriched = _enriched(known, rouse, quiet)
    rows = _rows_table(looked, node)
    tables = {"columns": columns, "rows": rows}
    views = [
        View(
            kind="ranking",
            table="columns",
            channels={"label": "title", "value": "deviations"},
            title=f"The largest weights into node {node + 1}, in standard deviations",
            description=f"A bar for each of the {about.measures} of largest weight: to the right "
            "those that rouse the node, to the left those that quiet it. Beyond "
            f"{BEYOND:g} either way a weight counts as high.",
            options={"most": _BARS},
        )
    ]
    if known.names and len(enriched):
        tables["enriched"] = enriched
        views.append(_sets_view(node, enriched))
    views.append(_rows_view(looked, node))
    return Answer(
        sentence=" ".join(_said_of_one(looked, node, rouse, quiet, enriched, rows)),
        tables=tables,
        views=tuple(views),
        notes=tuple(_notes(looked, known, elsewhere)),
    )


def _enriched(known: _Known, rouse: Bools, quiet: Bools) -> Table:
    """Every set that shares a column with either side, the least likely by chance first."""
    found: list[tuple[str, str, int, int, float, float]] = []
    p = np.array([overlap_p(side, known.members) for side in (rouse, quiet)])
    q = q_values(p)
    for at, (side, high) in enumerate((("rouse", rouse), ("quiet", quiet))):
        shared = (known.members & high).sum(axis=1)
        size = known.members.sum(axis=1)
        for number in np.flatnonzero(shared > 0).tolist():
            expected = float(size[number] * high.sum() / len(high))
            found.append(
                (known.names[number], side, int(size[number]), int(shared[number]), expected,
                 float(p[at, number]))
            )  # fmt: skip
    corrected = {
        (name, side): float(q[at, number])
        for at, side in enumerate(("rouse", "quiet"))
        for number, name in enumerate(known.names)
    }
    found.sort(key=lambda row: row[5])
    fields = (
        Field("set", "Set"),
        Field("side", "Side"),
        Field("n", "In the table"),
        Field("shared", "Of high weight"),
        Field("expected", "By chance", decimals=2),
        Field("p", "p"),
    )
    return Table.of(
        *((field, [row[at] for row in found]) for at, field in enumerate(fields)),
        (Field("q", "q"), [corrected[row[0], row[1]] for row in found]),
        (Field("surprise", "−log₁₀ p", decimals=1),
         [-np.log10(max(row[5], 1e-300)) for row in found]),
        title="Sets among the columns of high weight",
    )  # fmt: skip


def _rows_table(looked: _Looked, node: int) -> Table:
    about = looked.data.about
    order = np.argsort(-looked.sums[:, node], kind="stable").tolist()
    names = looked.data.names("obs").names
    group = (
        [(Field("group", looked.by.capitalize()), [looked.group[at] for at in order])]
        if looked.names
        else []
    )
    return Table.of(
        (Field("row", about.thing.capitalize()), [names[at] for at in order]),
        *group,
        (Field("activity", "Activity (0..1)", decimals=3), looked.activity[order, node]),
        (Field("sum", "Sum before the sigmoid", decimals=2), looked.sums[order, node]),
        title=f"Where node {node + 1} is active",
    )


def _sets_view(node: int, enriched: Table) -> View:
    return View(
        kind="ranking",
        table="enriched",
        channels={"label": "set", "value": "surprise"},
        title=f"Sets among what node {node + 1} answers to",
        description="A bar for each set: the longer, the less likely by chance, 2 being one in a "
        f"hundred and 3 one in a thousand. First: {enriched.columns['set'][0]}.",
        options={"most": _BARS},
    )


def _rows_view(looked: _Looked, node: int) -> View:
    about = looked.data.about
    if looked.names and len(looked.names) <= _SHOWN_GROUPS:
        return View(
            kind="box",
            table="rows",
            channels={"label": "group", "value": "sum"},
            title=f"How much rouses node {node + 1}, by {looked.by}",
            description=f"A box of the {about.things} of each group, the one that rouses the node "
            f"most first. At 0 the node is half active; above it more, below it less.",
        )
    return View(
        kind="ranking",
        table="rows",
        channels={"label": "row", "value": "sum"},
        title=f"Where node {node + 1} is most active",
        description=f"The {about.things} that rouse the node most. At 0 it is half active.",
        options={"most": _BARS},
    )


def _said_of_one(
    looked: _Looked, node: int, rouse: Bools, quiet: Bools, enriched: Table, rows: Table
) -> Iterator[str]:
    about = looked.data.about
    high = int((rouse | quiet).sum())
    largest = listing([f"“{title}”" for title in _largest(looked, node)])
    if high:
        many = wording.count(high, about.measure, about.measures)
        yield (
            f"Node {node + 1} answers to {many} of high weight ({int(rouse.sum())} rouse it, "
            f"{int(quiet.sum())} quiet it), most to {largest}."
        )
    else:
        yield (
            f"Node {node + 1} answers most to {largest}; no {about.measure} stands out beyond "
            f"{BEYOND:g} standard deviations of its weights."
        )
    q = enriched.columns["q"]
    if len(enriched) and isinstance(q[0], float) and q[0] <= FALSE_DISCOVERIES:
        first = enriched.records()[0]
        yield (
            f"{first['shared']} of those that {first['side']} it belong to “{first['set']}”, where "
            f"chance would have {wording.number(float(str(first['expected'])))}."
        )
    if looked.names:
        means, sums = (
            looked.by_group(values)[:, node] for values in (looked.activity, looked.sums)
        )
        most, least = int(sums.argmax()), int(sums.argmin())
        yield (
            f"It is most active in {looked.names[most]} ({means[most]:.2f} of 1) and least in "
            f"{looked.names[least]} ({means[least]:.2f})."
        )
    else:
        yield f"It is most active in {rows.columns['row'][0]}, least in {rows.columns['row'][-1]}."


def _notes(looked: _Looked, known: _Known, elsewhere: bool) -> Iterator[str]:
    about = looked.data.about
    if elsewhere:
        yield (
            f"The network was trained elsewhere. Its file names no {about.measures}: those of the "
            "table are taken in their order. The ranges it was trained on are not in it, so values "
            f"are brought to 0..1 by those of this table. How much each of the {about.measures} "
            "counts is then another than in training: compare rows within this table, not with "
            "activities published elsewhere."
        )
    else:
        curve = looked.fitted.curve
        yield (
            f"Trained on these {wording.count(len(looked.sums), about.thing, about.things)} in "
            f"{wording.count(len(curve), 'cycle', 'cycles')}: the cross-entropy fell from "
            f"{wording.number(float(curve[0]))} to {wording.number(float(curve[-1]))}. Another "
            "seed gives other nodes: what is in several of them is worth more than what is in one."
        )
    if looked.names:
        yield (
            f"p takes the {about.things} as independent and tests the sums before the sigmoid, "
            "which do not saturate; q corrects over the nodes (Benjamini–Hochberg). The network is "
            "not told which group a row is of."
        )
    yield (
        f"A weight is high beyond {BEYOND:g} standard deviations of its node’s weights, of either "
        "sign. Which sign rouses a node is an accident of training."
    )
    if known.names:
        yield (
            f"{wording.count(len(known.names), 'set', 'sets')} with {_LEAST_SET} or more of the "
            f"{about.measures} are compared (hypergeometric, one-sided, against all "
            f"{about.measures} of the table; q over the sets). {about.measures.capitalize()} go up "
            "and down together, so p is too small: read it as an order."
        )
    else:
        yield (
            f"No sets of {about.measures} are known here; name a file of them as “sets” to see "
            "which each node answers to."
        )
    if looked.missing:
        yield (
            f"{wording.number(looked.missing)} values are missing; each is taken as its column’s "
            "mean where a node is told it, and counted in no error in training."
        )
    else:
        yield "No value is missing."
