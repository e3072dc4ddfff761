"""One or two rows picked on a map: where they lie, who is near them, and where to read on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from followdata.answer import Field, Further, Scalar, listing
from followdata.core.embedding import Floats, Ints
from followdata.data import TableData
from followdata.errors import InvalidParameter
from followdata.questions import wording


@dataclass(frozen=True)
class Picked:
    """The rows that a reader has picked, in order: none, one, or one and another beside it."""

    data: TableData
    things: tuple[str, ...]

    @classmethod
    def of(cls, data: TableData, thing: str | None, beside: str | None) -> Picked:
        """Raises `InvalidParameter` for the same row twice."""
        if thing is not None and thing == beside:
            raise InvalidParameter("beside", f"{thing} is picked already.", "Pick another one.")
        return cls(data, tuple(name for name in (thing, beside) if name is not None))

    @property
    def rows(self) -> list[int]:
        return [self.data.names("obs").position(thing) for thing in self.things]

    @property
    def titles(self) -> list[str]:
        return [self.data.names("obs").titles[row] for row in self.rows]

    def field(self, question: str, asked: Mapping[str, Scalar]) -> Field:
        """The column of all rows, each of which picks itself: the second joins the first, the
        third begins anew."""
        first = {"thing": self.things[0]} if len(self.things) == 1 else {}
        given = {name: value for name, value in asked.items() if value is not None} | first
        title = self.data.about.thing.capitalize()
        return Field("thing", title, link=question, given=tuple(given.items()))

    def sentences(
        self, places: Floats, names: Sequence[str], judged: Ints, ranks: Ints
    ) -> Iterator[str]:
        """Where each lies on the two axes, and how near the second is to the first.

        `ranks` (m x m) are those of the rows `judged` (m) as each other's neighbours.
        """
        about = self.data.about
        for row, title in zip(self.rows, self.titles, strict=True):
            if np.isnan(places[row]).any():
                yield f"{title} has too few values to be placed."
                return
            x, y = wording.numbers(places[row].round(1).tolist())
            yield f"{title} lies at {x} on {names[0]} and {y} on {names[1]}."
        known = {row: place for place, row in enumerate(judged.tolist())}
        if not self.rows or not known.keys() >= set(self.rows):
            return
        near = ranks[known[self.rows[0]]]
        if len(self.rows) == 1:
            titles = self.data.names("obs").titles
            nearest = [titles[judged[place]] for place in np.argsort(near)[1:4]]
            yield f"Nearest to it in all {about.measures}: {listing(nearest)}."
        else:
            first, second = self.titles
            others = len(judged) - 1
            place = int(near[known[self.rows[1]]])
            how = {1: "nearest to", others: "furthest from"}
            words = how.get(place, f"{wording.ordinal(place)} nearest to")
            among = wording.count(others, about.thing, about.things)
            yield f"In all {about.measures} {second} is the {words} {first} of {among}."

    def further(self) -> tuple[Further, ...]:
        """Where one is described, and where two are compared."""
        if not self.things:
            return ()
        if len(self.things) == 1:
            return (Further("distinctive", (("thing", self.things[0]),)),)
        a, b = self.things
        return (Further("compare", (("a", a), ("b", b))),)
