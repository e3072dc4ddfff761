"""The columns of a table as readers know them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from followdata.answer import Field
from followdata.data import TableData


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
