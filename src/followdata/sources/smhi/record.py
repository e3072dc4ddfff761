"""What was measured at a station, put together from archives, fresher values and older stations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Floats, MemorySeries
from followdata.errors import InvalidInput
from followdata.sources.measured import Measured, Station, Times, Words, merged
from followdata.sources.smhi.archive import Archive, Position, read_archive

ZONE = "Europe/Stockholm"
LICENCE = "CC BY 4.0"

Notice = Callable[[str], None]
Batch = tuple[Times, Floats, Words]


@dataclass
class Gathered:
    """The values of one place as they are found; `add` the stalest first.

    `hours` and `days` are batches of observations and of daily means, `refused` counts what was
    left out, by reason.
    """

    id: str
    name: str
    positions: tuple[Position, ...] = ()
    hours: list[Batch] = field(default_factory=list)
    days: list[Batch] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def add(self, archive: Archive, *, earlier: str = "") -> None:
        """Take in an archive; `earlier` names the station, if it is one before this."""
        if archive.positions and (not self.positions or not earlier):
            self.positions = archive.positions
        remarks = _at_sites(archive, earlier)
        self.batch(archive.times, archive.values, remarks, daily=archive.daily)
        for reason, times in archive.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + times

    def batch(self, times: Times, values: Floats, remarks: Words, *, daily: bool) -> None:
        """Take in values that are fresher than those before."""
        order = np.argsort(times, kind="stable")
        batch = (times[order], values[order], np.asarray(remarks, dtype=object)[order])
        (self.days if daily else self.hours).append(batch)

    @property
    def empty(self) -> bool:
        return not any(len(times) for times, _, _ in (*self.hours, *self.days))

    def measured(self, retrieved: datetime, *, url: str = "") -> Measured:
        """All of it, of values at the same time the fresher."""
        newest = max(self.positions, key=lambda position: position.end, default=None)
        hours = self._series(self.hours, "observation", "observations")
        days = self._series(self.days, "day", "days")
        return Measured(
            Station(
                self.name,
                self.id,
                newest.latitude if newest else float("nan"),
                newest.longitude if newest else float("nan"),
                newest.height if newest else float("nan"),
                ZONE,
                self.id,
            ),
            Provenance(
                source=f"SMHI, station {self.id} {self.name}",
                retrieved=retrieved.date().isoformat(),
                licence=LICENCE,
                url=url,
                citation="Källa: SMHI",
                refused=tuple(
                    f"{self.name}, {times} values: {reason}" if times > 1
                    else f"{self.name}: {reason}"
                    for reason, times in self.refused.items()
                ),
            ),
            hours=hours,
            days=days,
        )  # fmt: skip

    def _series(self, batches: Sequence[Batch], thing: str, things: str) -> MemorySeries | None:
        if not any(len(times) for times, _, _ in batches):
            return None
        times, values, remarks, _ = merged(batches)
        if clash := _contradictions(batches):
            self.refused["twice in one file, with another value"] = clash
        about = About(f"{self.name}, {things}", thing, things, unit="°C")
        return MemorySeries(times, values, remarks.astype(str), about)


def read_files(files: Sequence[tuple[Path, str]], retrieved: datetime) -> list[Measured]:
    """The stations whose archives the texts of these files are, in the order they come.

    Several files of one station are put together; of values at the same time, that from the file
    which goes on longer counts. Raises `InvalidInput` for a file without any value.
    """
    found: dict[str, list[tuple[Path, Archive]]] = {}
    for path, text in files:
        archive = read_archive(text, str(path))
        if not len(archive.times):
            raise InvalidInput(str(path), "it holds no values.")
        found.setdefault(archive.id, []).append((path, archive))
    measured = []
    for id, archives in found.items():
        gathered = Gathered(id, archives[-1][1].name)
        for _, archive in sorted(archives, key=lambda pair: pair[1].times.max().astype("M8[m]")):
            gathered.add(archive)
        measured.append(gathered.measured(retrieved))
    return measured


def _at_sites(archive: Archive, earlier: str) -> Words:
    """What is to be said of each value, with where it was measured if that was elsewhere."""
    remarks = archive.remarks.astype(object)
    if not archive.positions:
        return _joined(remarks, earlier) if earlier else remarks
    newest = max(archive.positions, key=lambda position: position.end)
    for position in archive.positions:
        if position is newest and not earlier:
            continue
        inside = (archive.times >= position.start) & (archive.times <= position.end)
        site = f"at {earlier}" if earlier else _site(position, newest)
        remarks[inside] = _joined(remarks[inside], site)
    return remarks


def _site(position: Position, newest: Position) -> str:
    """An earlier place, by what differs from the one of today."""
    from followdata.sources.smhi.stations import distance

    away = distance(position.latitude, position.longitude, newest.latitude, newest.longitude)
    place = f"{away:.1f} km away, " if away >= 0.05 else ""
    return f"at an earlier site ({place}{position.height:g} m above the sea, now {newest.height:g})"


def _joined(remarks: Words, more: str) -> Words:
    return np.array([f"{remark}; {more}" if remark else more for remark in remarks], dtype=object)


def _contradictions(batches: Sequence[Batch]) -> int:
    """How many values stand at a time at which the same batch has another value already."""
    count = 0
    for times, values, _ in batches:
        again = times[1:] == times[:-1]
        count += int(np.count_nonzero(again & (values[1:] != values[:-1])))
    return count
