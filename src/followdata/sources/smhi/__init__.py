"""SMHI's open data: meteorological observations (metobs), from the API and from its files.

Parameter 1 is the air temperature as observed, parameter 2 its daily mean. Times are UTC.
Licence: CC BY 4.0; SMHI asks to keep what was fetched and not to fetch faster than it is renewed.
"""

from followdata.sources.smhi.api import SMHI, fetch_stations, stations
from followdata.sources.smhi.archive import Archive, is_archive, read_archive
from followdata.sources.smhi.latest import Reading, latest_reading, latest_readings
from followdata.sources.smhi.record import read_files
from followdata.sources.smhi.stations import Listed, find, nearest

__all__ = [
    "SMHI",
    "Archive",
    "Listed",
    "Reading",
    "fetch_stations",
    "find",
    "is_archive",
    "latest_reading",
    "latest_readings",
    "nearest",
    "read_archive",
    "read_files",
    "stations",
]
