"""The file `data.csv` of the period corrected-archive, as the API gives it and people keep it.

Three blocks with a header each come before the values: the station, the parameter, and one or
more lines of where it stood and when, which begin with a date as the values do. Exports of 2015 to
2021 say "Klimatnummer" where those of today say "Stationsnummer", and "degree celsius". The first
rows of values carry notes in their sixth field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from followdata.data import Floats
from followdata.errors import InvalidInput
from followdata.sources.measured import ABSENT, LEAST, MOST, Times, Words

QUALITIES = {"G": "", "Y": "not fully checked"}
"""What is to be said of a value by its quality. R is a value that SMHI itself rejects."""

_INSTANT = ["Datum", "Tid (UTC)", "Lufttemperatur", "Kvalitet"]
_INTERVAL = ["Från Datum Tid (UTC)", "Till Datum Tid (UTC)", "Representativt dygn",
             "Lufttemperatur", "Kvalitet"]  # fmt: skip
_UNITS = {"celsius", "degree celsius"}
_ADVICE = "It should be data.csv of the period corrected-archive, parameter 1 or 2."


@dataclass(frozen=True, slots=True)
class Position:
    """Where the thermometer stood from `start` to `end`; metres above the sea, degrees."""

    start: np.datetime64
    end: np.datetime64
    height: float
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Archive:
    """One file's station, its positions (newest first) and its values.

    `daily` says whether values are daily means, `times` then being days, or observations, to the
    minute. `remarks` are what is to be said of each value, `refused` what was left out, with how
    often.
    """

    id: str
    name: str
    daily: bool
    positions: tuple[Position, ...]
    times: Times
    values: Floats
    remarks: Words
    refused: dict[str, int]


def is_archive(text: str) -> bool:
    """Whether a text begins as such a file does."""
    return text.removeprefix("\ufeff").startswith("Stationsnamn;")


def read_archive(text: str, path: str) -> Archive:
    """The values in `text`; `path` says in errors where it is from.

    Values that are missing, rejected by SMHI, or beyond what can be are left out and counted, as
    are lines that are not what they should be, such as the last of a file that is cut short.

    Raises `InvalidInput` for another file, or one of another quantity than temperature.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    head = next((n for n, line in enumerate(lines) if _columns(line)), None)
    if not is_archive(text) or head is None:
        raise InvalidInput(path, "it is not an archive of air temperatures from SMHI.", _ADVICE)
    station = _block(lines[:head], "Stationsnamn")
    unit = _block(lines[:head], "Parameternamn")
    if len(station) != 1 or len(station[0]) < 2:
        raise InvalidInput(path, "its first lines do not name the station.", _ADVICE)
    if not unit or unit[0][-1] not in _UNITS:
        raise InvalidInput(path, "it does not say that it is in degrees Celsius.", _ADVICE)
    positions = tuple(_position(fields, path) for fields in _block(lines[:head], "Tidsperiod"))
    daily = _columns(lines[head]) == len(_INTERVAL)
    rows = [(n, line.split(";")) for n, line in enumerate(lines[head + 1 :], head + 2) if line]
    times, values, remarks, refused = _values(rows, daily=daily)
    return Archive(
        station[0][1], station[0][0].strip(), daily, positions, times, values, remarks, refused
    )


def accept(
    times: Times, values: Floats, qualities: Sequence[str], refused: dict[str, int]
) -> tuple[Times, Floats, Words]:
    """The values that can be used, with what is to be said of them; the others are counted."""
    quality = np.array(qualities, dtype=np.str_)
    kept = np.ones(len(times), dtype=bool)
    for reason, wrong in (
        ("missing in the source", np.isnan(values) | np.isin(values, list(ABSENT))),
        ("rejected by SMHI itself", quality == "R"),
        ("of a quality that is not known", ~np.isin(quality, [*QUALITIES, "R"])),
        (f"beyond {LEAST:g} to {MOST:g} °C", (values < LEAST) | (values > MOST)),
    ):
        if here := int(np.count_nonzero(wrong & kept)):
            refused[reason] = refused.get(reason, 0) + here
        kept &= ~wrong
    remarks = np.where(quality == "Y", QUALITIES["Y"], "")
    return times[kept], values[kept], remarks[kept]


def _columns(line: str) -> int:
    """How many columns a header of values has; 0 for another line."""
    fields = line.split(";")
    return next((len(c) for c in (_INSTANT, _INTERVAL) if fields[: len(c)] == c), 0)


def _block(lines: Sequence[str], begins: str) -> list[list[str]]:
    """The lines below the header that begins so, up to the next blank one, as fields."""
    start = next((n for n, line in enumerate(lines) if line.startswith(begins)), len(lines))
    rows = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        rows.append([field.strip() for field in line.split(";")])
    return rows


def _position(fields: Sequence[str], path: str) -> Position:
    try:
        start, end = (np.datetime64(field.replace(" ", "T"), "m") for field in fields[:2])
        height, latitude, longitude = (float(field) for field in fields[2:5])
    except ValueError:
        line = ";".join(fields)
        raise InvalidInput(path, f"“{line}” is not a position and its time.", _ADVICE) from None
    return Position(start, end, height, latitude, longitude)


def _values(
    rows: Sequence[tuple[int, list[str]]], *, daily: bool
) -> tuple[Times, Floats, Words, dict[str, int]]:
    refused: dict[str, int] = {}
    try:
        moments, numbers, qualities = _read([fields for _, fields in rows], daily=daily)
    except (ValueError, IndexError):
        # Only now line by line: it takes ten times as long.
        good = []
        for number, fields in rows:
            try:
                _read([fields], daily=daily)
                good.append(fields)
            except (ValueError, IndexError):
                refused[f"line {number}, which is no value"] = 1
        moments, numbers, qualities = _read(good, daily=daily)
    times, values, remarks = accept(moments, numbers, qualities, refused)
    return times, values, remarks, refused


def _read(rows: Sequence[Sequence[str]], *, daily: bool) -> tuple[Times, Floats, list[str]]:
    """Times, values and qualities; raises ValueError or IndexError for a row that has none."""
    if daily:
        times = np.array([fields[2] for fields in rows], dtype="datetime64[D]")
        columns = (3, 4)
    else:
        moments = [f"{fields[0]}T{fields[1]}" for fields in rows]
        times = np.array(moments, dtype="datetime64[s]").astype("datetime64[m]")
        columns = (2, 3)
    texts = [fields[columns[0]] or "nan" for fields in rows]
    return times, np.array(texts, dtype=np.float64), [fields[columns[1]] for fields in rows]
