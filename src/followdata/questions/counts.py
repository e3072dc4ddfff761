"""Events by place and year, out of a table that says which of its columns count them."""

from __future__ import annotations

import numpy as np

from followdata.boundaries import boundaries, centroid
from followdata.core.counts import Counts
from followdata.core.geography import planar
from followdata.data import Floats, Layer, TableData
from followdata.errors import NothingToAnswer


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
    if {"latitude", "longitude"} <= set(data.names("var").names):
        degrees = data.matrix(var=["latitude", "longitude"])
        return planar(degrees[:, 0], degrees[:, 1]) if np.isfinite(degrees).all() else None
    return None
