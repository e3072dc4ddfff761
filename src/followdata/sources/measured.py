"""What a source of temperatures gives: a station, and what was measured there.

Observations are kept at their hour; where the source has daily means of its own they stand beside
them. What is to be made of both is for the story to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from followdata.answer import Provenance
from followdata.data import Floats, MemorySeries

LEAST, MOST = -90.0, 60.0
"""°C. Beyond these no air on Earth has been measured; no thermometer in the shade says so."""

ABSENT = frozenset({-999.0, -999.9, -9999.0})
"""What providers write in place of a value that is missing."""

Times = npt.NDArray[np.datetime64]
Words = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Station:
    """Where a thermometer stands.

    `latitude`, `longitude` (degrees) and `height` (metres above the sea) are NaN where they are
    not known. `zone` is the time zone of its clocks (IANA), "" where times in the data are what
    its clocks say. `live` is the identifier under which its latest observation can be asked for.
    """

    name: str
    id: str = ""
    latitude: float = float("nan")
    longitude: float = float("nan")
    height: float = float("nan")
    zone: str = ""
    live: str = ""


@dataclass(frozen=True)
class Measured:
    """What was measured at a station: single observations, daily means, or both, in °C.

    `adjusted` are daily means from which the source has taken what is not the climate's.
    """

    station: Station
    provenance: Provenance
    hours: MemorySeries | None = None
    days: MemorySeries | None = None
    adjusted: MemorySeries | None = None


def merged(
    batches: Sequence[tuple[Times, Floats, Words]],
) -> tuple[Times, Floats, Words, int]:
    """Times, values and words of several batches as one, ascending; a later batch wins.

    Also how many were dropped because a later one, or an earlier one of the same batch, has the
    same time.
    """
    times = np.concatenate([batch[0] for batch in batches])
    values = np.concatenate([batch[1] for batch in batches])
    words = np.concatenate([batch[2] for batch in batches])
    rank = np.repeat(np.arange(len(batches)), [len(batch[0]) for batch in batches])
    # Within a batch the first of equal times stays, so it must come last of them.
    order = np.lexsort([-np.arange(len(times)), rank, times.astype(np.int64)])
    times, values, words = times[order], values[order], words[order]
    last = np.append(times[1:] != times[:-1], True)[: len(times)]
    return times[last], values[last], words[last], int(len(times) - last.sum())
