"""Events by place and year, out of a table that says which of its columns count them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from followdata.boundaries import boundaries, centroid, touching
from followdata.core.counts import Counts
from followdata.core.geography import planar
from followdata.data import Floats, Layer, TableData
from followdata.errors import NothingToAnswer

COORDINATES = ("latitude", "longitude")
"""The columns that say where the rows lie, in degrees."""
NEAREST = 5
_FEWEST_BORDERING = 3


def counts_of(data: TableData) -> Counts:
    """The events of each row and year, and the persons among whom they happened.

    `about.count` names the column of events and `about.size` that of persons; the years are those
    in which layers hold both. Where either is missing the row counts as not counted in that year.
    Rows stand as in the table. Where they lie: see `places_of`.

    Raises `NothingToAnswer` where the data count no events, or not by year.
    """
    count, size = data.about.count, data.about.size
    if not count or not size:
        raise NothingToAnswer("These data count no events.", "Choose data that do.")
    events, persons = _by_year(data, count), _by_year(data, size)
    years = sorted(events.keys() & persons.keys())
    if not years:
        raise NothingToAnswer(
            f"No year has numbers of both “{count}” and “{size}”.", "Fetch the data again."
        )
    y = np.column_stack([events[year] for year in years])
    exposure = np.column_stack([persons[year] for year in years])
    lacking = ~(np.isfinite(y) & np.isfinite(exposure))
    y, exposure = np.where(lacking, np.nan, y), np.where(lacking, np.nan, exposure)
    return Counts(y, exposure, np.array(years, dtype=np.int64), places_of(data))


def _by_year(data: TableData, column: str) -> dict[int, Floats]:
    """The column in each year that a layer of whole rows holds."""
    layers, values = data.through(column)
    return {
        int(layer.time): values[:, at]
        for at, layer in enumerate(layers)
        if layer == Layer(layer.time) and layer.time.isdecimal()
    }


@dataclass(frozen=True)
class Around:
    """The rows around one, the nearest first, and in words how they were found; none where nobody
    knows where the rows lie."""

    rows: list[int]
    found: str


def around(data: TableData, row: int, places: Floats | None) -> Around:
    """The rows whose regions have a border in common with that of `row`; where fewer than three do,
    as on an island, the `NEAREST` nearest ones."""
    if places is None:
        return Around([], "")
    far = np.hypot(*(places - places[row]).T)
    far[row] = np.inf
    if data.about.boundaries and "id" in data.labels("obs"):
        codes = data.labels("obs")["id"].tolist()
        bordering = set(touching(boundaries(data.about.boundaries).shapes, codes[row]))
        rows = [at for at in np.argsort(far, kind="stable").tolist() if codes[at] in bordering]
        if len(rows) >= _FEWEST_BORDERING:
            return Around(rows, "those with a border in common")
    rows = np.argsort(far, kind="stable")[: min(NEAREST, len(far) - 1)].tolist()
    return Around(rows, f"the {len(rows)} nearest")


def places_of(data: TableData) -> Floats | None:
    """Where the rows lie (n x 2), in kilometres east and north; `None` where that is not known.

    The centres of their regions, where the data have boundaries: these come with the map, are
    planar already, and were drawn by whoever surveyed the country. Else the columns `latitude` and
    `longitude`, in degrees.
    """
    if data.about.boundaries and "id" in data.labels("obs"):
        drawn = boundaries(data.about.boundaries)
        codes = data.labels("obs")["id"].tolist()
        if not all(code in drawn.shapes for code in codes):
            return None
        return np.array([centroid(drawn.shapes[code]) for code in codes]) * drawn.metres / 1000
    if set(COORDINATES) <= set(data.names("var").names):
        degrees = data.matrix(var=list(COORDINATES))
        return planar(degrees[:, 0], degrees[:, 1]) if np.isfinite(degrees).all() else None
    return None
