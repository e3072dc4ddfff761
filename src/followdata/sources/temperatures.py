"""Anyone's temperatures in a text file: a column of dates or times, and a column of values.

What is read follows from the file alone, as in `followdata.sources.tables`:

- The column of times is the first whose values all are dates or times: ISO 8601, or with the day
  first as in 31.12.2020 and 31/12/2020, or the month first if some day can only be read so. A
  column of times of day beside it is joined to it.
- The column of values is the first that is headed like a temperature (temp, tavg, mean, °C, ...),
  else the first of numbers. Where there are only a lowest and a highest (tmin, tmax), the value is
  halfway between.
- Values are °F if the heading says so, else °C.
- One value a day are daily means, more are observations. Times with an offset are turned into
  UTC; without one they are what the clocks of the place say, and hours are compared as such.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Floats, MemorySeries
from followdata.errors import InvalidInput
from followdata.sources.measured import ABSENT, LEAST, MOST, Measured, Station, Times, merged
from followdata.sources.tables import Rows, read_number, read_rows

_ADVICE = "It needs a column of dates or times and a column of temperatures."
_FAHRENHEIT = re.compile(r"°\s*f|fahrenheit|deg_?f\b|[\s(_\[]f[\])]?$", re.IGNORECASE)
_TEMPERATURE = re.compile(
    r"temp|tavg|tmean|\bmean|medel|°\s*[cf]|celsius|fahrenheit", re.IGNORECASE
)
_LOWEST, _HIGHEST = (
    re.compile(rf"\bt[ _-]?{word}|{word}[ _-]?t(emp\w*)?\b|{word}imum", re.IGNORECASE)
    for word in ("min", "max")
)
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_OFFSET = re.compile(r"T.*(Z|[+-]\d{2}:?\d{2})$")
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})(.*)")


def read(path: Path, *, retrieved: datetime) -> Measured:
    """The temperatures in the file at `path`; the place is called as the file is.

    Values that are missing or cannot be are left out and counted. Raises `InvalidInput` for a
    file without a column of times, or without one of temperatures.
    """
    rows = _with_first(read_rows(path))
    columns = dict(enumerate(zip(*rows.fields, strict=True)))
    clock, texts = _times(columns, path)
    times, local = _moments(texts, path)
    values, heading = _values(rows, columns, clock, path)
    refused = {}
    for reason, wrong in (
        ("missing in the file", np.isnan(values)),
        (f"beyond {LEAST:g} to {MOST:g} °C", (values < LEAST) | (values > MOST)),
    ):
        refused[reason] = int(np.count_nonzero(wrong))
    kept = (values >= LEAST) & (values <= MOST)
    words = np.full(int(kept.sum()), "", dtype=object)
    times, values, words, again = merged([(times[kept], values[kept], words)])
    refused["at a time that has one already"] = again
    if not len(times):
        raise InvalidInput(str(path), "it holds no temperature.", _ADVICE)
    name = Path(path.name.removesuffix(".gz")).stem
    daily = bool(np.all(np.diff(times.astype("datetime64[D]").astype(np.int64)) > 0))
    if daily:
        times = times.astype("datetime64[D]")
    thing = ("day", "days") if daily else ("observation", "observations")
    about = About(f"{name}, {heading}" if heading else name, *thing, unit="°C")
    series = MemorySeries(times, values, words.astype(np.str_), about)
    provenance = Provenance(
        source=f"the file {path.name}",
        retrieved=retrieved.date().isoformat(),
        licence="not stated in the file",
        refused=tuple(f"{name}, {n} values: {reason}" for reason, n in refused.items() if n),
    )
    station = Station(name, zone="" if local else "UTC")
    return Measured(station, provenance, None if daily else series, series if daily else None)


def _with_first(rows: Rows) -> Rows:
    """The rows, with the first among them where it was taken for headings but holds a date."""
    if not any(_looks_dated(heading) for heading in rows.headings):
        return rows
    return replace(
        rows,
        headings=[""] * len(rows.headings),
        fields=[rows.headings, *rows.fields],
        lines=[1, *rows.lines],
    )


def _times(columns: dict[int, tuple[str, ...]], path: Path) -> tuple[set[int], list[str]]:
    """The column of times, and that of times of day beside it, and what they say together."""
    for number, texts in columns.items():
        if not all(_looks_dated(text) for text in texts):
            continue
        beside = columns.get(number + 1, ())
        if beside and all(_TIME_OF_DAY.fullmatch(text) for text in beside):
            joined = [f"{date}T{clock.zfill(5)}" for date, clock in zip(texts, beside, strict=True)]
            return {number, number + 1}, joined
        return {number}, list(texts)
    raise InvalidInput(str(path), "no column is all dates or times.", _ADVICE)


def _looks_dated(text: str) -> bool:
    return bool(re.match(r"\d{4}-\d{2}-\d{2}", text) or _DAY_FIRST.fullmatch(text))


def _moments(texts: Sequence[str], path: Path) -> tuple[Times, bool]:
    """The times, to the minute, in UTC where they say their offset; and whether they do not."""
    texts = [text.replace(" ", "T", 1) for text in _iso(texts, path)]
    zoned = sum(bool(_OFFSET.search(text)) for text in texts)
    if zoned and zoned < len(texts):
        raise InvalidInput(str(path), "some times say their offset from UTC and some do not.")
    try:
        if zoned:
            moments = [datetime.fromisoformat(text).astimezone(UTC) for text in texts]
            texts = [moment.replace(tzinfo=None).isoformat() for moment in moments]
        return np.array(texts, "datetime64[m]"), not zoned
    except ValueError:
        wrong = next(text for text in texts if not _is_time(text))
        raise InvalidInput(str(path), f"“{wrong}” is not a time.", _ADVICE) from None


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _iso(texts: Sequence[str], path: Path) -> list[str]:
    """Dates with the day or the month first as ISO 8601 has them."""
    matches = [_DAY_FIRST.fullmatch(text) for text in texts]
    if not any(matches):
        return list(texts)
    if not all(matches):
        raise InvalidInput(str(path), "its dates are written in several ways.", _ADVICE)
    parts = [match.groups() for match in matches if match]
    first, second = (max(int(part[place]) for part in parts) for place in (0, 1))
    if first <= 12 and second <= 12:
        raise InvalidInput(
            str(path), "its dates can be read in two ways.", "Write them as 2026-11-22."
        )
    month, day = (0, 1) if second > 12 else (1, 0)
    return [f"{part[2]}-{int(part[month]):02}-{int(part[day]):02}{part[3]}" for part in parts]


def _values(
    rows: Rows, columns: dict[int, tuple[str, ...]], clock: set[int], path: Path
) -> tuple[Floats, str]:
    """The temperatures in °C, NaN where missing, and the heading that they stand under."""
    numbers = {
        number: found
        for number, texts in columns.items()
        if number not in clock
        and (found := _numbers(texts, decimal_comma=rows.decimal_comma)) is not None
    }
    if not numbers:
        raise InvalidInput(str(path), "no column is all numbers.", _ADVICE)
    low, high = (
        next((n for n in numbers if pattern.search(rows.headings[n])), None)
        for pattern in (_LOWEST, _HIGHEST)
    )
    named = [n for n in numbers if n not in (low, high) and _TEMPERATURE.search(rows.headings[n])]
    if not named and low is not None and high is not None:
        headings = f"{rows.headings[low]} and {rows.headings[high]}"
        middle = (numbers[low] + numbers[high]) / 2
        return _celsius(middle, rows.headings[low]), f"halfway between {headings}"
    chosen = named[0] if named else next(iter(numbers))
    return _celsius(numbers[chosen], rows.headings[chosen]), rows.headings[chosen]


def _numbers(texts: Sequence[str], *, decimal_comma: bool) -> Floats | None:
    """A column as numbers, NaN where missing; `None` where it holds words or nothing."""
    found = [read_number(text, decimal_comma=decimal_comma) for text in texts]
    known = [math.nan if number in ABSENT else number for number in found if number is not None]
    if len(known) < len(found) or all(math.isnan(number) for number in known):
        return None
    return np.array(known, dtype=np.float64)


def _celsius(values: Floats, heading: str) -> Floats:
    if not _FAHRENHEIT.search(heading):
        return values
    return np.asarray(np.round((values - 32) * 5 / 9, 2))
