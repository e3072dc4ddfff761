"""What the questions about groups of rows share: which rows, which donors, and words for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.answer import listing
from followdata.core.contrasts import Bools, Floats
from followdata.data import COUNTED, OWN_RANGE, TableData
from followdata.errors import NothingToAnswer
from followdata.hierarchy import Branch, Hierarchy, Level
from followdata.parameters import Choice, Group
from followdata.questions import wording

ALL = "all"
OTHERS = "others"
DONOR = Group("Whose samples: all donors', or those of one", by="donor", everyone=ALL)
LEVEL = Choice(
    "From where to look: a group below the structures is rolled up to its structure, one above "
    "them is all it holds",
    ("structure", "substructure"),
)
FALSE_DISCOVERIES = 0.05
"""Of the genes that are told of as found, this part may be found by chance."""


@dataclass(frozen=True)
class Grouped:
    """The rows of a table that a question is about: those of one donor, or all.

    `rows` are their positions and `donors` the donors among them, none where the table has none.
    """

    data: TableData
    hierarchy: Hierarchy
    rows: npt.NDArray[np.intp]
    donor_of: npt.NDArray[np.str_]
    donors: Sequence[str]

    @classmethod
    def of(cls, data: TableData, donor: str = ALL) -> Grouped:
        """The rows of `donor`; raises `NothingToAnswer` for a table without groups."""
        hierarchy = Hierarchy.of(data)
        if not hierarchy.branches:
            raise NothingToAnswer(
                f"No label groups the {data.about.things}.",
                "Give a table that says of each to which group it belongs.",
            )
        named = data.labels("obs").get("donor", np.full(data.shape[0], "", dtype=np.str_))
        rows = np.flatnonzero((named == donor) | (donor == ALL))
        known = sorted(set(named[rows].tolist()) - {""})
        return cls(data, hierarchy, rows, named[rows], known)

    def members(self, branches: Sequence[Branch]) -> Bools:
        """Which of the rows each branch holds: branches x rows."""
        return np.array([branch.members[self.rows] for branch in branches], dtype=bool)

    def values(self, var: Sequence[str] | None = None) -> Floats:
        """The values of the rows: rows x columns."""
        everything = self.data.matrix(var=var)
        return everything if len(self.rows) == len(everything) else everything[self.rows]

    @property
    def strata(self) -> npt.NDArray[np.intp] | None:
        """The number of each row's donor, where there are several."""
        if len(self.donors) < 2:
            return None
        return np.unique(self.donor_of, return_inverse=True)[1]

    def sided(self, inside: Bools) -> list[str]:
        """The donors who have rows both inside a group and outside it."""
        both = (set(self.donor_of[inside].tolist()), set(self.donor_of[~inside].tolist()))
        return [donor for donor in self.donors if all(donor in side for side in both)]


def agreement(effects: Sequence[float]) -> bool | None:
    """Whether all donors' effects point the same way; nothing can agree with itself alone.

    >>> agreement([1.5, 0.2]), agreement([1.5, -0.2]), agreement([1.5])
    (True, False, None)
    """
    known = [effect for effect in effects if effect == effect]
    if len(known) < 2:
        return None
    return all(effect > 0 for effect in known) or all(effect < 0 for effect in known)


def even(values: Floats, unit: str) -> Floats:
    """Values on a scale on which a difference means the same for low ones and high ones: what is
    counted as the binary logarithm of one more."""
    return np.log2(1 + values) if unit in COUNTED else values


def one_per_level(branches: Sequence[Branch]) -> Iterator[tuple[Level, list[int]]]:
    """The families of groups whose tests are corrected together: the structures with what lies
    above them, and the substructures."""
    fine = [i for i, branch in enumerate(branches) if branch.level == "substructure"]
    main = [i for i, branch in enumerate(branches) if branch.level != "substructure"]
    yield "structure", main
    yield "substructure", fine


def who(donors: Sequence[str]) -> str:
    """Donors in a sentence.

    >>> who(["A", "B"]), who(["A", "B", "C"])
    ('both donors', 'all 3\\xa0donors')
    """
    return "both donors" if len(donors) == 2 else f"all {len(donors)}{wording.FIXED}donors"


def scale_note(data: TableData) -> Iterator[str]:
    """What the unit of the table means for a reader, where it does not mean what it seems."""
    if data.about.unit == OWN_RANGE:
        about = data.about
        yield (
            f"The values say how much of its own range each {about.measure} reaches: 0 is about "
            f"its lowest in any of the {about.things}, 1 about its highest. They do not say how "
            f"much there is of it, so a {about.measure} at 0.9 may be scarcer than another at "
            f"0.1, a difference of 0.5 is half of that {about.measure}'s own range, and every "
            f"{about.measure} is near 1 somewhere. Compare {about.things} in one "
            f"{about.measure}, not {about.measures} with each other."
        )


def people_note(grouped: Grouped) -> str:
    """What a test over these rows can say about people."""
    about, donors = grouped.data.about, grouped.donors
    if not donors:
        return (
            f"The table names no donors, so the {about.things} are taken as independent. Where "
            "several come from one person, p is too small for what it would say about people."
        )
    if len(donors) == 1:
        return (
            f"All {about.things} come from one donor, {donors[0]}: p says what chance would do "
            "among them, and nothing about other people."
        )
    return (
        f"The {about.things} come from {len(donors)} donors, and those of one donor are not "
        "independent people: p says whether chance alone would set the group apart within these "
        "donors. That it holds for people in general only further donors can show; whether these "
        f"{len(donors)} agree is the best that can be said here."
    )


def missing_note(values: Floats) -> str:
    """How many values were not there."""
    missing = int(np.isnan(values).sum())
    if not missing:
        return f"None of the {wording.number(values.size)} values used is missing."
    return (
        f"{wording.number(missing)} of {wording.number(values.size)} values are missing; each "
        "mean and each test is made of those that are there."
    )


def named(branches: Sequence[Branch]) -> str:
    """Groups in a sentence."""
    return listing([branch.name for branch in branches])
