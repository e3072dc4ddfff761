"""The question "index": one ranking out of several columns, and how far to believe it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from followdata.answer import Answer, Field, Table, View, listing
from followdata.core.composite import DRAWS, Ranking, ranking
from followdata.core.scores import Floats, percentiles, rank_correlation, ranks
from followdata.data import TableData
from followdata.errors import InvalidParameter, NothingToAnswer
from followdata.parameters import Columns, Number, Numbers, Row, listed
from followdata.question import Question
from followdata.questions import measures as columns_of
from followdata.questions import wording
from followdata.questions.measures import Measures

SHARE = 0.9
MOST = 20
_LEAST = 3
_TWICE = 0.8
"""Parts with a rank correlation beyond this measure nearly the same."""


def show_index(
    data: TableData,
    fitted: None,
    *,
    measures: Annotated[str, Columns("Which indicators count, with commas between", most=MOST)],
    weights: Annotated[
        str | None,
        Numbers(
            "How much each counts, as 2,1,1; a minus sign where less is better; equal if empty"
        ),
    ] = None,
    thing: Annotated[str | None, Row("Whose parts to show; the first if empty")] = None,
    details: Annotated[
        str | None, Columns("What else to show of that one, with commas between", most=MOST)
    ] = None,
    certainty: Annotated[
        float, Number("How sure the weights are; 1 lets them vary freely", 1, 1000)
    ] = 4.0,
) -> Answer:
    """Rank all rows by the weighted mean of their places in several columns.

    A place is a percentile from 0 (lowest) to 100 (highest) among the rows that have a value,
    turned round for a negative weight; a missing one counts as 50. Rows whose parts carry less
    than half of the weight are left out. Tables: `index` (thing, region where there is a map,
    score, rank, rank_low, rank_high, and what each part adds to the score beyond or below 50, as
    from_<measure>); `parts` (measure, title, weight in percent, n, correlation with the score);
    `contributions` of one row (measure, title, value, unit, place, contribution), and of the same
    row `details` (measure, title, value, unit, rank, n), which do not count; rank 1 is the highest
    value.

    rank_low to rank_high hold the row's rank in nine of ten draws of the weights from a
    Dirichlet distribution around those given; the seed is fixed.

    Raises `InvalidParameter` for weights that do not fit, `NothingToAnswer` where fewer than three
    rows can be ranked.
    """
    parts = _Parts.of(data, listed(measures), weights)
    found = ranking(parts.places, parts.weights, certainty=certainty, share=SHARE)
    order = np.argsort(-np.nan_to_num(found.scores, nan=-1.0), kind="stable")
    order = order[: int(np.isfinite(found.scores).sum())]
    if len(order) < _LEAST:
        have = wording.count(len(order), data.about.thing, data.about.things)
        raise NothingToAnswer(
            f"Only {have} with enough of these {data.about.measures}.", "Choose fewer of them."
        )
    row = data.names("obs").position(thing) if thing else int(order[0])
    contributions = _contributions(parts, row, found)
    tables = {
        "index": _index(parts, found, order.tolist()),
        "parts": _parts_table(parts, found),
        **({"contributions": contributions} if contributions else {}),
        **({"details": _details(data, row, listed(details))} if details else {}),
    }
    return Answer(
        sentence=" ".join(_sentences(parts, found, order.tolist(), row, contributions)),
        tables=tables,
        views=tuple(_views(parts, found, tables, row)),
        notes=tuple(_notes(parts, found, certainty)),
    )


question = Question(
    name="index",
    title="Who comes first when several things count?",
    words="Several columns become one ranking, each by the weight that it is given. Nobody knows "
    "the right weights, so every rank comes with the ranks that other weights would give.",
    needs="table",
    answer=show_index,
)


@dataclass(frozen=True)
class _Parts:
    """The columns that count (k): where they stand, their weights, whether less is better, the
    values (n x k) and the places from 0 to 100, more being better."""

    data: TableData
    measured: Measures
    columns: Sequence[int]
    weights: Floats
    turned: Sequence[bool]
    values: Floats
    places: Floats

    @classmethod
    def of(cls, data: TableData, names: Sequence[str], weights: str | None) -> _Parts:
        signed = _weights(names, weights)
        values = data.matrix(var=names)
        oriented = np.where(signed < 0, -values, values)
        counts = np.isfinite(values).sum(0)
        for name, count in zip(names, counts, strict=True):
            if not count:
                raise NothingToAnswer(f"“{data.names('var').title(name)}” has no values.")
        places = percentiles(ranks(oriented), counts.astype(np.float64))
        index = data.names("var")
        return cls(
            data,
            Measures.of(data),
            [index.position(name) for name in names],
            np.abs(signed),
            (signed < 0).tolist(),
            values,
            places,
        )

    @property
    def names(self) -> list[str]:
        return [self.measured.names[column] for column in self.columns]

    @property
    def titles(self) -> list[str]:
        return [self.measured.titles[column] for column in self.columns]

    @property
    def share(self) -> Floats:
        """The weights as parts of 1."""
        return np.asarray(self.weights / self.weights.sum())

    def added(self) -> Floats:
        """What each part adds to each score, beyond or below 50 (n x k); NaN where it is missing,
        which adds nothing."""
        return np.asarray(self.share * (self.places - 50))


def _weights(names: Sequence[str], weights: str | None) -> Floats:
    if weights is None:
        return np.ones(len(names))
    numbers = np.array([float(number) for number in listed(weights)])
    if len(numbers) != len(names):
        raise InvalidParameter(
            "weights", f"{len(numbers)} are given for {len(names)} columns.", "Give one for each."
        )
    if not numbers.all():
        raise InvalidParameter("weights", "0 is no weight.", "Leave that column out instead.")
    return numbers


def _sentences(
    parts: _Parts, found: Ranking, order: Sequence[int], row: int, contributions: Table | None
) -> Iterator[str]:
    about = parts.data.about
    titles = parts.data.names("obs").titles
    by = wording.count(len(parts.columns), about.measure, about.measures)
    things = wording.count(len(order), about.thing, about.things)
    first = order[0]
    yield (
        f"By {by}, {titles[first]} comes first of {things} ({_between(found, first)} in nine of "
        "ten ways to weigh them)."
    )
    if row != first:
        if np.isnan(found.ranks[row]):
            yield f"{titles[row]} has too few of the {about.measures} to be ranked."
            return
        place = wording.ordinal(round(float(found.ranks[row])))
        yield f"{titles[row]} comes {place} ({_between(found, row)})."
    if contributions and len(contributions) > 1:
        added = np.array(contributions.columns["contribution"], dtype=np.float64)
        most, least = int(np.nanargmax(added)), int(np.nanargmin(added))
        lifts = f"lifted most by “{contributions.columns['title'][most]}”"
        holds = f"held back most by “{contributions.columns['title'][least]}”"
        told = [
            text for text, is_so in ((lifts, added[most] > 0), (holds, added[least] < 0)) if is_so
        ]
        if told:
            yield f"{titles[row]} is {' and '.join(told)}."


def _between(found: Ranking, row: int) -> str:
    low, high = int(found.low[row]), int(found.high[row])
    return f"rank {low} to {high}" if low < high else f"rank {low}"


def _index(parts: _Parts, found: Ranking, order: list[int]) -> Table:
    data = parts.data
    labels, names = data.labels("obs"), data.names("obs").names
    region = (
        [(Field("region", "Code", code=True), [str(labels["id"][row]) for row in order])]
        if data.about.boundaries and "id" in labels
        else []
    )
    added = parts.added()[order]
    return Table.of(
        (
            Field("thing", data.about.thing.capitalize(), link="distinctive"),
            [names[row] for row in order],
        ),
        *region,
        (Field("score", "Score", decimals=1), found.scores[order]),
        (Field("rank", "Rank"), found.ranks[order]),
        (Field("rank_low", "From rank"), found.low[order].astype(int)),
        (Field("rank_high", "To rank"), found.high[order].astype(int)),
        *(
            (Field(f"from_{name}", f"From {title}", code=True), added[:, i])
            for i, (name, title) in enumerate(zip(parts.names, parts.titles, strict=True))
        ),
        title="The ranking",
    )


def _parts_table(parts: _Parts, found: Ranking) -> Table:
    measure, title, _ = columns_of.fields(parts.data)
    with_score = [rank_correlation(place, found.scores)[0] for place in parts.places.T]
    return Table.of(
        (measure, parts.names),
        (title, parts.titles),
        (Field("weight", "Weight", unit="%", decimals=0), 100 * parts.share),
        (Field("better", "Better"), ["less" if turned else "more" for turned in parts.turned]),
        (Field("n", "Of how many"), np.isfinite(parts.values).sum(0)),
        (Field("correlation", "Rank correlation with the score", decimals=2), with_score),
        title="What counts",
    )


def _contributions(parts: _Parts, row: int, found: Ranking) -> Table | None:
    """What each part adds to one row's score, the most first; `None` if it is not ranked."""
    if np.isnan(found.scores[row]):
        return None
    measure, title, unit = columns_of.fields(parts.data)
    added = parts.added()[row]
    order = np.argsort(-np.nan_to_num(added, nan=-np.inf), kind="stable").tolist()
    order = [i for i in order if np.isfinite(added[i])]
    name = parts.data.names("obs").titles[row]
    return Table.of(
        (measure, [parts.names[i] for i in order]),
        (title, [parts.titles[i] for i in order]),
        (Field("value", name), parts.values[row, order]),
        (unit, [parts.measured.units[parts.columns[i]] for i in order]),
        (Field("place", "Place, 0 to 100", decimals=0), parts.places[row, order]),
        (Field("contribution", "Adds to the score", decimals=1), added[order]),
        title=f"What makes up the score of {name}",
    )


def _details(data: TableData, row: int, names: Sequence[str]) -> Table:
    """Other values of one row, and where it stands in them."""
    measured, index = Measures.of(data), data.names("var")
    columns = [index.position(name) for name in names]
    measure, title, unit = columns_of.fields(data)
    values = data.matrix(var=names)
    name = data.names("obs").titles[row]
    return Table.of(
        (measure, names),
        (title, [measured.titles[column] for column in columns]),
        (Field("value", name), values[row]),
        (unit, [measured.units[column] for column in columns]),
        (Field("rank", "Rank"), ranks(values)[row]),
        (Field("n", "Of"), np.isfinite(values).sum(0)),
        title=f"More about {name}",
    )


def _views(parts: _Parts, found: Ranking, tables: dict[str, Table], row: int) -> Iterator[View]:
    data, index = parts.data, tables["index"]
    about, names = data.about, data.names("obs").names
    shown = min(MOST, len(index))
    first, last = index.columns["thing"][0], index.columns["thing"][shown - 1]
    yield View(
        kind="intervals",
        table="index",
        channels={"label": "thing", "value": "rank", "low": "rank_low", "high": "rank_high"},
        title="Ranks, and how far they depend on the weights",
        description=f"The first {shown} of {len(index)} {about.things}, from {first} to {last}: a "
        "point at the rank, and a line over the ranks that nine of ten other weightings give.",
        options={"first": shown, "mark": names[row]},
    )
    if "contributions" in tables:
        title = data.names("obs").titles[row]
        added = [float(str(value)) for value in tables["contributions"].columns["contribution"]]
        yield View(
            kind="ranking",
            table="contributions",
            channels={"label": "title", "value": "contribution"},
            title=f"What makes up the score of {title}",
            description=f"What each of {len(added)} {about.measures} adds to or takes from a score "
            f"of 50: together {wording.number(round(sum(added), 1))}.",
        )
    if "region" in index.columns:
        scores = found.scores[np.isfinite(found.scores)]
        edges = sorted({round(float(edge), 1) for edge in np.quantile(scores, np.arange(1, 6) / 6)})
        yield View(
            kind="map",
            table="index",
            channels={"region": "region", "value": "score", "label": "thing"},
            title="The scores on the map",
            description=f"A map of {len(scores)} {about.things} coloured by their score; the "
            f"highest is {first}.",
            options={"boundaries": about.boundaries, "bins": edges, "mark": names[row]},
        )


def _notes(parts: _Parts, found: Ranking, certainty: float) -> Iterator[str]:
    about = parts.data.about
    yield (
        "A score is the weighted mean of places from 0 (lowest) to 100 (highest) among the "
        f"{about.things} that have a value. “From rank” to “to rank” hold the rank in nine of ten "
        f"of {DRAWS} weightings drawn around the given one (Dirichlet, certainty "
        f"{certainty:g}): they say how much depends on the weights, not how well each "
        f"{about.measure} is measured."
    )
    ranked = np.isfinite(found.scores)
    out = int((~ranked).sum())
    if out:
        yield (
            f"Left out: {wording.count(out, about.thing, about.things)} whose values carry less "
            "than half of the weight."
        )
    gaps = int((ranked & ~np.isfinite(parts.places).all(1)).sum())
    if gaps:
        yield (
            f"{wording.count(gaps, about.thing, about.things)} of those ranked lack some values: "
            "what is missing counts as the middle place in the score, and in each draw as the "
            f"place of another {about.thing}, which widens the ranks."
        )
    twice = list(_alike(parts))
    if twice:
        yield f"Nearly the same thing counts twice: {listing(twice)}."
    yield (
        f"Which {about.measures} are counted, and that more is better (less, for a negative "
        "weight), was chosen by whoever asked."
    )


def _alike(parts: _Parts) -> Iterator[str]:
    """Pairs of parts that say nearly the same."""
    k = len(parts.columns)
    for i in range(k):
        for j in range(i + 1, k):
            rho, _ = rank_correlation(parts.places[:, i], parts.places[:, j])
            if abs(rho) > _TWICE:
                yield f"“{parts.titles[i]}” with “{parts.titles[j]}” (rank correlation {rho:.2f})"
