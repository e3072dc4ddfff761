"""The columns of a table as readers know them."""

from __future__ import annotations

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


def fields(data: TableData) -> tuple[Field, Field, Field]:
    """How the columns `measure`, `title` and `unit` of an answer's table are headed."""
    measure = data.about.measure.capitalize()
    return (
        Field("measure", f"{measure} code"),
        Field("title", measure, lang=data.about.lang),
        Field("unit", "Unit"),
    )
