"""The columns of a table as readers know them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from followdata.answer import Field, Table
from followdata.core.twins import SAME
from followdata.data import About, TableData
from followdata.questions import wording


@dataclass(frozen=True)
class Measures:
    """Names, titles and units of all columns of a table, in its order."""

    names: Sequence[str]
    titles: Sequence[str]
    units: Sequence[str]

    @classmethod
    def of(cls, data: TableData) -> Measures:
        index = data.names("var")
        labels = data.labels("var")
        units = labels["unit"].tolist() if "unit" in labels else [data.about.unit] * len(index)
        return cls(index.names, index.titles, units)

    def spoken_unit(self, column: int) -> str:
        """The unit to say with a number where the title is said too: none if it holds the unit.

        Units such as "million kronor" or "number" would otherwise be heard three times. A percent
        sign belongs to its number and stays.

        >>> titles = ["Rain, mm", "Rain", "Share (%)"]
        >>> rain = Measures(["a", "b", "c"], titles, ["mm", "mm", "%"])
        >>> [rain.spoken_unit(column) for column in range(3)]
        ['', 'mm', '%']
        """
        unit = self.units[column]
        said = re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", self.titles[column])
        return "" if said and unit != "%" else unit


def fields(data: TableData) -> tuple[Field, Field, Field]:
    """How the columns `measure`, `title` and `unit` of an answer's table are headed."""
    measure = data.about.measure.capitalize()
    return (
        Field("measure", f"{measure} code", code=True),
        Field("title", measure, lang=data.about.lang),
        Field("unit", "Unit"),
    )


def twins_table(
    data: TableData,
    pairs: Sequence[tuple[int, int, float]],
    *values: tuple[Field, Iterable[Any]],
) -> Table:
    """Columns that are folded away: each pair is the column told, its twin, their correlation.

    `values` are further columns, a value for each pair.
    """
    measured, (measure, title, unit) = Measures.of(data), fields(data)
    twins = [twin for _, twin, _ in pairs]
    of = Field("of", "Says the same as", lang=data.about.lang)
    return Table.of(
        (of, [measured.titles[column] for column, _, _ in pairs]),
        (measure, [measured.names[twin] for twin in twins]),
        (title, [measured.titles[twin] for twin in twins]),
        *values,
        (unit, [measured.units[twin] for twin in twins]),
        (Field("correlation", "Correlation", decimals=2), [r for _, _, r in pairs]),
        title="Folded away, because they say the same",
    )


def folded_note(about: About, twins: int) -> str:
    """How many columns are folded away, and why."""
    return (
        f"{wording.count(twins, about.measure, about.measures)} that say"
        f"{'s' if twins == 1 else ''} the same as one of these (a rank correlation beyond "
        f"{SAME:g} either way) {'is' if twins == 1 else 'are'} folded under it."
    )
