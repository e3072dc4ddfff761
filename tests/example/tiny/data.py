"""A story as another package might offer it: small, quick, and with names that are hard on code.

Its `fetch` and its long question can be made slow, or made to fail, so that tests can kill them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from followdata.answer import Answer, Field, Provenance, Table, View
from followdata.data import About, MemoryTable, TableData
from followdata.errors import InvalidInput, Refused
from followdata.parameters import Choice, Column, Date, Group, Number, Row
from followdata.question import Question, Report
from followdata.sources.fetching import Fetching

NAMES = ("Ärö", "Malmö", "Malmo", "Åre [old]", "Ost/Väst", "Łódź")
COLUMNS = ("height", "age", "visits")
ABOUT = About("Lighthouses", "lighthouse", "lighthouses", label="coast", lang="sv", unit="m")
Way = Choice("How it ends", ("well", "refused", "crash"))


def sample() -> MemoryTable:
    values = np.arange(18, dtype=np.float64).reshape(6, 3)
    values[2, 1] = np.nan
    return MemoryTable(
        values,
        NAMES,
        COLUMNS,
        ABOUT,
        obs={"coast": np.array(["north", "south", "", "north", "south", "north"])},
        var={"title": np.array(["Höjd", "Ålder", "Besök"]), "unit": np.array(["m", "a", ""])},
        provenance=Provenance("nobody", "2026-01-01", "CC0", sample="invented lighthouses"),
    )


def fetch(
    fetching: Fetching,
    *,
    lighthouses: Annotated[int, Number("How many", 1, 1_000_000, whole=True)] = 6,
    pieces: Annotated[int, Number("In how many pieces", 1, 1000, whole=True)] = 3,
    pause: Annotated[float, Number("Seconds before each piece", 0, 60)] = 0.0,
    way: Annotated[str, Way] = "well",
) -> tuple[str, MemoryTable]:
    if fetching.paths:
        return "files", _table(np.concatenate([_read(path) for path in fetching.paths]))
    for number in range(pieces):
        if fetching.log.piece(str(number)) is None:
            time.sleep(pause)
            fetching.log.keep_piece(str(number), b"light")
        fetching.progress(number + 1, pieces, "lights [/seen]")
    fetching.notice("One [lamp] was broken.")
    _end(way)
    values = np.random.default_rng(lighthouses).normal(size=(lighthouses, 3))
    return "2022", _table(values)


def _table(values: npt.NDArray[np.float64]) -> MemoryTable:
    names = [*NAMES, *(f"Light {number}" for number in range(len(NAMES), len(values)))]
    coasts = np.array([("north", "south")[number % 2] for number in range(len(values))])
    source = Provenance("the sea", "2026-11-22", "CC0")
    return MemoryTable(
        values, names[: len(values)], COLUMNS, ABOUT, obs={"coast": coasts}, provenance=source
    )


def _read(path: Path) -> npt.NDArray[np.float64]:
    try:
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise InvalidInput(str(path), str(error), "Give three numbers a line.") from error


def _end(way: str) -> None:
    if way == "refused":
        raise Refused("The sea said no.", "Ask it tomorrow.")
    if way == "crash":
        raise ZeroDivisionError("a defect")


@dataclass(frozen=True)
class Middle:
    """What is usual: the mean of each column, and how often it was there."""

    mean: npt.NDArray[np.float64]
    present: dict[str, int]


def fit_middle(data: TableData) -> Middle:
    values = data.matrix()
    counts = np.sum(np.isfinite(values), axis=0).tolist()
    return Middle(
        np.nanmean(values, axis=0), dict(zip(data.names("var").names, counts, strict=True))
    )


def tell_unlike(
    data: TableData,
    fitted: Middle,
    *,
    lighthouse: Annotated[str, Row("Which one")],
    top: Annotated[int, Number("How many measures", 1, 3, whole=True)] = 3,
) -> Answer:
    away = (data.matrix(obs=[lighthouse])[0] - fitted.mean)[:top]
    names = data.names("var").names[:top]
    table = Table.of((Field("measure", "Measure"), names), (Field("away", "Away", unit="m"), away))
    told = f"{lighthouse} is {away[0]:g} m higher than the mean."
    view = View("ranking", "away", {"label": "measure", "value": "away"}, "Away from it", told)
    missing = int(np.isnan(away).sum())
    return Answer(told, {"away": table}, (view,), (f"{missing} values are missing.",))


def tell_night(
    data: TableData,
    fitted: None,
    *,
    on: Annotated[str, Date("Which night")] = "2026-11-22",
    coast: Annotated[str, Group("Which coast")],
    measure: Annotated[str | None, Column("Only this measure")] = None,
) -> Answer:
    rows = Table.of((Field("coast", "Coast"), [coast]), (Field("measure", "Measure"), [measure]))
    return Answer(f"On {on} the {coast} coast is dark.", {"dark": rows}, notes=("Nobody looked.",))


@dataclass(frozen=True)
class Watched:
    """How many ships were seen."""

    ships: int


def fit_slow(
    data: TableData,
    *,
    report: Report,
    ships: Annotated[int, Number("How many to wait for", 1, 1000, whole=True)] = 3,
    pause: Annotated[float, Number("Seconds between ships", 0, 60)] = 0.0,
    way: Annotated[str, Way] = "well",
) -> Watched:
    for ship in range(1, ships + 1):
        time.sleep(pause)
        report("progress", done=ship, total=ships, what="ships")
    _end(way)
    return Watched(ships)


def tell_slow(data: TableData, fitted: Watched) -> Answer:
    table = Table.of((Field("ships", "Ships"), [fitted.ships]))
    return Answer(f"{fitted.ships} ships went by.", {"ships": table}, notes=("Some had no light.",))


unlike = Question(
    "unlike", "What is special about {lighthouse}?", "How far from the mean.", "table",
    tell_unlike, fit_middle,
)  # fmt: skip
night = Question("night", "Is it dark on {on}?", "Whether lamps are out.", "table", tell_night)
slow = Question(
    "slow", "Will {ships} ships go by?", "Waits for ships.", "table",
    tell_slow, fit_slow, long=True,
)  # fmt: skip
