"""Temperatures of Stockholm since 1756, from the Bolin Centre for Climate Research.

Two forms of the file of daily means are in use, and gzip of either:

    date,raw,homo,adjust,site             a header, then 1756-01-01,-8.7,-8.7,-8.7,1
    year month day raw homo adjust site   no header, between spaces

The columns are explained in the owner's own description of the data: as observed; homogenised,
with gaps filled from Uppsala and the warming of the growing town taken out from 1870; and adjusted
besides for summers before September 1858, when sunlight is thought to have reached the thermometer.
-999.0 is a missing value. The site is 1 in Stockholm, 2 for values from Uppsala, and 3 for the
automatic station in Stockholm from 2013 on.

The three observations a day that the means were made from are in files by period, and the hours at
which they were made in one of their own, in Central European Time:

    stockholm_daily_temp_obs_1756_1858_t1t2t3.txt      year month day morning noon evening ...
    stockholm_daily_obs_hours_cet_1756_2017.txt        year month day hour hour hour
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np

from followdata.answer import Provenance, listing
from followdata.data import About, Floats, MemorySeries
from followdata.errors import InvalidInput, InvalidParameter
from followdata.sources.measured import Measured, Station, Times, Words

VARIANTS = ("raw", "homogenised", "adjusted")
PAGE = "https://bolin.su.se/data/stockholm-historical-temps-daily"
FILE = "stockholm_daily_mean_temperature"
OBSERVATIONS = "stockholm_daily_temp_obs"
HOURS = "stockholm_daily_obs_hours_cet"
MISSING = "missing in the source"

_COLUMN = {"raw": 0, "homogenised": 1, "adjusted": 2}
_ABSENT = -999.0
_SITES = {"1": "", "2": "from Uppsala, adjusted to Stockholm", "3": "automatic station"}
_DOUBTED = "replaced by Uppsala in the homogenised variant"
_UPPSALA = "2"
_TOWN_SINCE = np.datetime64("1870-01-01")
_ROUNDING = 0.05
_HEADER = ["date", "raw", "homo", "adjust", "site"]
_CITATION = (
    "Moberg A, Bergström H, Ruiz Krigsman J, Svanered O. 2002: Daily air temperature and pressure "
    "series for Stockholm (1756–1998). Climatic Change 53: 171–212."
)
_FAULTS_SHOWN = 3

STOCKHOLM = Station(
    "Stockholm",
    "98210",
    59.35,
    18.05,
    zone="Europe/Stockholm",
    # The automatic station beside the manual one, which has given the values since 2013.
    live="98230",
)

_CET = 60  # minutes before UTC

_Row = tuple[date, float, float, float, str]


def read(path: Path, variant: str = "raw", *, retrieved: datetime) -> MemorySeries:
    """The daily means in the file at `path`, or in the one such file of a folder.

    `variant` is one of `VARIANTS`. Values are °C; a missing one is NaN and flagged as such.
    The flag of another says where it comes from, if not from the thermometer in Stockholm, and
    what the owner has changed; it is "" where there is nothing to say.

    Raises `InvalidParameter` for another variant, `InvalidInput` for a file that is not what it
    should be, with the numbers of the lines that are at fault.
    """
    if variant not in VARIANTS:
        raise InvalidParameter("variant", f"there is no “{variant}”.", f"Try {listing(VARIANTS)}.")
    path = find(path)
    return _series(_rows(path), variant, path.name, retrieved)


def _series(rows: Sequence[_Row], variant: str, file: str, retrieved: datetime) -> MemorySeries:
    times = np.array([row[0] for row in rows], dtype="datetime64[D]")
    columns = np.array([row[1:4] for row in rows])
    columns[columns == _ABSENT] = np.nan
    raw, values = columns[:, 0], columns[:, _COLUMN[variant]]
    return MemorySeries(
        times=times,
        values=values,
        flags=_flags(times, raw, values, np.array([row[4] for row in rows]), variant),
        about=About(
            title=f"Stockholm, daily means {rows[0][0].year}–{rows[-1][0].year}, {variant}",
            thing="day",
            things="days",
            unit="°C",
        ),
        provenance=_provenance(file, retrieved),
    )


def is_ours(path: Path) -> bool:
    """Whether a file is called as one of these files is."""
    return path.name.startswith((FILE, OBSERVATIONS, HOURS))


def measured(paths: Sequence[Path], variant: str, *, retrieved: datetime) -> Measured:
    """What the files at `paths` hold: daily means, observations, or both.

    With daily means come the adjusted ones besides, whatever the `variant`.

    Raises `InvalidInput` for two files of daily means, and for observations without their hours.
    """
    daily = [path for path in paths if path.name.startswith(FILE)]
    observed = [path for path in paths if path.name.startswith((OBSERVATIONS, HOURS))]
    if len(daily) > 1:
        raise InvalidInput(str(daily[1]), "one file of daily means is enough.", "Name only that.")
    rows = _rows(daily[0]) if daily else []
    days, adjusted = (
        _series(rows, chosen, daily[0].name, retrieved) if rows else None
        for chosen in (variant, "adjusted")
    )
    hours = observations(observed) if observed else None
    files = [*(path.name for path in daily), *([f"{OBSERVATIONS}…"] if observed else [])]
    provenance = _provenance(", ".join(files), retrieved)
    return Measured(STOCKHOLM, provenance, hours, days, adjusted)


def observations(paths: Sequence[Path]) -> MemorySeries:
    """The observations in the files at `paths`, one of which says at which hours they were made.

    To the minute, UTC; what is missing is left out. Before 1859 hours are those of the sun,
    turned into Central European Time by the owner.

    Raises `InvalidInput` where the hours are not among the files, or not for each day.
    """
    clocks = [path for path in paths if path.name.startswith(HOURS)]
    files = sorted(path for path in paths if path not in clocks)
    if len(clocks) != 1 or not files:
        lacking = f"{HOURS}…" if not clocks else f"{OBSERVATIONS}…"
        raise InvalidInput(
            str(paths[0]), f"{lacking} must be named with it, once.",
            "The hours of the observations are in a file of their own.",
        )  # fmt: skip
    days, values = (np.concatenate(parts) for parts in zip(*map(_three, files), strict=True))
    dated, hours = _three(clocks[0])
    place = np.searchsorted(dated, days)
    if np.any(dated[np.minimum(place, len(dated) - 1)] != days):
        raise InvalidInput(str(clocks[0]), "it does not say the hours of each day.")
    minutes = np.round(hours[place] * 60) - _CET
    known = ~np.isnan(values) & ~np.isnan(minutes) & (values != _ABSENT)
    starts = np.repeat(days.astype("datetime64[m]")[:, None], 3, axis=1)
    times = starts[known] + minutes[known].astype("timedelta64[m]")
    times, first = np.unique(times, return_index=True)
    years = f"{days[0].astype(object).year}–{days[-1].astype(object).year}"
    return MemorySeries(
        times,
        values[known][first],
        np.full(len(times), "", dtype=np.str_),
        About(f"Stockholm, observations {years}", "observation", "observations", unit="°C"),
    )


def _three(path: Path) -> tuple[Times, Floats]:
    """The days of a file, and the first three numbers of each (days x 3)."""
    rows: list[tuple[date, list[float]]] = []
    faults = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        fields = line.split()
        try:
            if fields:
                numbers = [float(field) for field in fields[3:6]]
                if len(numbers) < 3:
                    raise ValueError("no three numbers behind a date")
                rows.append((date(*(int(field) for field in fields[:3])), numbers))
        except (TypeError, ValueError) as error:
            faults.append((number, str(error)))
    _refuse(path, faults)
    if not rows:
        raise InvalidInput(str(path), "it holds no values.", f"The file is at {PAGE}.")
    return np.array([row[0] for row in rows], "datetime64[D]"), np.array([row[1] for row in rows])


def _provenance(files: str, retrieved: datetime) -> Provenance:
    return Provenance(
        source="Bolin Centre for Climate Research, Stockholm Old Astronomical Observatory "
        f"({files})",
        retrieved=retrieved.date().isoformat(),
        licence="none stated; cite the source",
        url=PAGE,
        citation=_CITATION,
    )


def _flags(times: Times, raw: Floats, values: Floats, sites: Words, variant: str) -> Words:
    """Why a value is missing, or what was done to it, by site and by how it differs from `raw`."""
    flags = np.full(len(times), "", dtype=object)
    for site, words in _SITES.items():
        flags[sites == site] = words
    changed = (sites != _UPPSALA) & (np.abs(raw - values) > _ROUNDING)
    in_town = times >= _TOWN_SINCE
    flags[changed & ~in_town] = "corrected for the thermometer of the time"
    for words in ("", _SITES["3"]):
        here = changed & in_town & (flags == words)
        if here.any():
            change = values[here] - raw[here]
            span = f"{change.min():+.1f} to {change.max():+.1f} °C".replace("-", "−")
            told = f"changed by {span} for the warmth of the town"
            flags[here] = f"{words}, {told}" if words else told
    if variant == "raw":
        flags[sites == _UPPSALA] = _DOUBTED
    flags[np.isnan(values)] = MISSING
    return flags.astype(str)


def find(path: Path) -> Path:
    """The file at `path`, or the one in the folder `path` that is named as the owner names it."""
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"{FILE}*"))
    if len(found) != 1:
        problem = f"{len(found)} files are called {FILE}…, so none is chosen." if found else (
            f"no file here is called {FILE}…"
        )  # fmt: skip
        raise InvalidInput(str(path), problem, "Name the file itself.")
    return found[0]


def _rows(path: Path) -> list[_Row]:
    lines = _text(path).splitlines()
    comma = bool(lines) and "," in lines[0]
    if comma and [name.strip() for name in lines[0].split(",")] != _HEADER:
        raise InvalidInput(
            str(path), f"the header must be {','.join(_HEADER)}.", f"The file is at {PAGE}.",
            where="line 1",
        )  # fmt: skip
    rows: list[_Row] = []
    faults: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if (comma and number == 1) or not line.strip():
            continue
        try:
            row = _row(line.split(",") if comma else line.split(), comma=comma)
            if rows and row[0] <= rows[-1][0]:
                raise ValueError(f"{row[0]} does not come after {rows[-1][0]}")
            rows.append(row)
        except ValueError as error:
            faults.append((number, str(error)))
    _refuse(path, faults)
    if not rows:
        raise InvalidInput(str(path), "it holds no values.", f"The file is at {PAGE}.")
    return rows


def _row(fields: Sequence[str], *, comma: bool) -> _Row:
    """A line's fields as values; raises ValueError with what is wrong with them."""
    wanted = len(_HEADER) + (0 if comma else 2)
    if len(fields) != wanted:
        raise ValueError(f"{len(fields)} fields, not {wanted}")
    parts = fields[0].split("-") if comma else fields[:3]
    try:
        year, month, day = (int(part) for part in parts)
        when = date(year, month, day)
    except ValueError:
        raise ValueError(f"“{'-'.join(parts)}” is not a date") from None
    raw, homogenised, adjusted = (_number(text) for text in fields[-4:-1])
    site = fields[-1].strip()
    if site not in _SITES:
        raise ValueError(f"the site “{site}” is not one of {listing(list(_SITES))}")
    return when, raw, homogenised, adjusted, site


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"“{text.strip()}” is not a number")
    return number


def _refuse(path: Path, faults: Sequence[tuple[int, str]]) -> None:
    """Raise `InvalidInput` for lines at fault, if there are any, with the first few."""
    if faults:
        first, *others = [f"line {number}: {problem}" for number, problem in faults[:_FAULTS_SHOWN]]
        more = len(faults) - _FAULTS_SHOWN
        told = "; ".join([first.partition(": ")[2], *others]) + (
            f"; and {more} more lines are at fault." if more > 0 else "."
        )
        raise InvalidInput(
            str(path), told, f"The file is at {PAGE}.", where=first.partition(":")[0]
        )


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput(str(path), "there is no such file.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(str(path), f"it cannot be read ({error}).") from error
    except UnicodeDecodeError:
        raise InvalidInput(str(path), "it is not text.", f"The file is at {PAGE}.") from None
