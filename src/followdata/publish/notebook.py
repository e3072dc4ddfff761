"""A notebook to begin with (nbformat 4.5): it reads the tables and takes a first look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from followdata.publish.columns import Resource
from followdata.publish.package import Package, as_json

Cell = tuple[str, str]
"""What kind a cell is ("markdown", "code"), and what it says."""


def starter(package: Package) -> bytes:
    """The notebook, without outputs."""
    cells = [_cell(number, *cell) for number, cell in enumerate(_cells(package))]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    words = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return as_json(words)


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _cells(package: Package) -> Iterator[Cell]:
    by_name = {resource.name: resource for resource in package.resources}
    title = " ".join(package.about.title.split())
    yield "markdown", "\n\n".join(filter(None, [f"# {title}", package.standing, _INTRODUCTION]))
    yield "code", _READ
    if "table" in by_name:
        yield from _of_table(package, by_name)
    else:
        yield from _of_series(package.resources[0])
    if "long" in by_name:
        yield "markdown", "Other times and parts are in a long table: every value with its time."
        yield "code", _OVER_TIME.format(measure=_text(by_name["long"].columns[1].name),
                                        time=_text(by_name["long"].columns[2].name),
                                        part=_text(by_name["long"].columns[3].name),
                                        value=_text(by_name["long"].columns[4].name))  # fmt: skip
    yield "markdown", _ON


def _of_table(package: Package, by_name: dict[str, Resource]) -> Iterator[Cell]:
    columns = by_name["table"].columns
    labels = [column.name for column in columns[1:] if column.kind == "string"]
    group = package.about.label
    yield "code", _TABLE.format(key=_text(columns[0].name))
    yield "markdown", "How much is missing, measure by measure? Nothing has been filled in."
    yield "code", "table[measures].isna().mean().sort_values(ascending=False).head(10)"
    yield "markdown", "What the measures are, and the range of each."
    yield "code", 'pd.read_parquet(folder / "measures.parquet").head(10)'
    yield "code", "table[measures].describe().T.head(10)"
    if group in labels:
        yield "markdown", f"The median of the first measures by {group}."
        yield "code", f"table.groupby({_text(group)})[measures[:5]].median()"
    yield "markdown", "One measure as a picture."
    yield "code", _HISTOGRAM


def _of_series(resource: Resource) -> Iterator[Cell]:
    several = resource.columns[0].name == "series"
    yield "code", _SERIES.format(name=_text(f"{resource.name}.parquet"))
    yield "markdown", "How much is missing, and why?"
    yield "code", 'values["value"].isna().mean(), values["flag"].value_counts()'
    yield "markdown", "The mean of each year."
    yield "code", _YEARS.format(by='["series", "year"]' if several else '["year"]')


def _text(words: str) -> str:
    """Words of the data as a string of Python, whatever they hold."""
    return json.dumps(words)


_INTRODUCTION = (
    "Read `README.md` for the source, the licence and how to cite, and the codebooks "
    "(`codebook.en.md`, `codebook.sv.md`) for what each column is."
)
_READ = """\
import json
from pathlib import Path

import pandas as pd

# Beside this notebook, or where Kaggle puts a data set.
places = [Path("datapackage.json"), *Path("/kaggle/input").glob("*/datapackage.json")]
folder = next(place for place in places if place.exists()).parent
package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
[(resource["path"], resource["title"]) for resource in package["resources"]]
"""
_TABLE = """\
table = pd.read_parquet(folder / "table.parquet").set_index({key})
measures = table.select_dtypes("number").columns
table.shape
"""
_HISTOGRAM = """\
import altair as alt

column = measures[0]
values = pd.DataFrame({"value": table[column].to_numpy()})
alt.Chart(values, title=column).mark_bar().encode(
    x=alt.X("value", type="quantitative", bin=True),
    y=alt.Y(aggregate="count", type="quantitative"),
)
"""
_SERIES = """\
values = pd.read_parquet(folder / {name})
values.describe()
"""
_YEARS = """\
values["year"] = pd.DatetimeIndex(values["time"].astype("datetime64[s]")).year
years = values.groupby({by})["value"].agg(["mean", "count"])
years.tail(10)
"""
_OVER_TIME = """\
long = pd.read_parquet(folder / "long.parquet")
whole = long[long[{part}].isna()]
whole.groupby([{measure}, {time}])[{value}].median().unstack().head(10)
"""
_ON = (
    "The same data answer questions, with how sure the answer is: `pip install followdata`, then "
    "`followdata list`."
)
