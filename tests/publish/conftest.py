"""Small data of each kind, with names in two languages, other times, and names that mean harm."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from followdata.answer import Provenance
from followdata.data import About, Data, Layer, MemoryFamily, MemorySeries, MemoryTable
from followdata.publish import publish

SOURCE = Provenance(
    "A source [of sorts]",
    "2026-11-22T12:00:00+00:00",
    "CC BY 4.0",
    url="https://example.org/data",
    citation="Somebody (2026). Data.",
    refused=("Row 7: no number", "Row 9: <b>bold</b> | twice"),
)


def table() -> MemoryTable:
    values = np.array([[1.0, 2.5], [np.nan, -4.0], [1e-7, 1e22]])
    return MemoryTable(
        values,
        ["Umeå", "Malmö", "Åre"],
        ["N1", "id"],
        About("Towns", "town", "towns", "indicator", "indicators", label="county", lang="sv",
              time="2022"),
        obs={
            "id": np.array(["0114", "1280", ""]),
            "county": np.array(["Västerbotten", "Skåne", ""]),
            "similar: skola": np.array(["Malmö; Åre", "", "Umeå"]),
        },
        var={
            "title": np.array(["Folkmängd", "Andel, %"]),
            "title_en": np.array(["Population", ""]),
            "description": np.array(["Antal | invånare", ""]),
            "unit": np.array(["antal", "%"]),
            "unit_en": np.array(["number of people", ""]),
        },
        provenance=SOURCE,
        layers={Layer("2021"): values - 1, Layer("2021", "women"): values / 2},
    )  # fmt: skip


def series() -> MemorySeries:
    times = np.arange("1756-01-01", "1756-03-01", dtype="datetime64[D]")
    values = np.sin(np.arange(len(times)))
    values[3] = np.nan
    flags = np.where(np.isnan(values), "not observed", "")
    return MemorySeries(times, values, flags, About("One place", unit="°C"), SOURCE)


def family() -> MemoryFamily:
    hours = np.arange("2020-01-01T00", "2020-01-03T00", 3, dtype="datetime64[h]")
    hourly = MemorySeries(
        hours, np.linspace(0, 1.5, len(hours)), np.full(len(hours), ""), About("By hours")
    )
    return MemoryFamily(
        {"Lund, days": series(), "Lund, hours": hourly},
        About("Lund", "day", "days", unit="°C"),
        {"station": np.array(["Lund", "Lund"]), "grain": np.array(["days", "hours"])},
        SOURCE,
    )


def hostile() -> MemoryTable:
    sys.path.insert(0, str(Path(__file__).parents[1] / "hostile"))
    try:
        made: MemoryTable = importlib.import_module("hostile.data").sample()
    finally:
        sys.path.pop(0)
    return made


KINDS: dict[str, Callable[[], Data]] = {
    "table": table,
    "series": series,
    "family": family,
    "hostile": hostile,
}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind of data."""
    folder = tmp_path_factory.mktemp("published")
    return {
        name: publish(make(), folder / name, story="towns", name="2022")
        for name, make in KINDS.items()
    }


def column(frame: Any, name: str) -> list[Any]:
    """A column of a frame, missing values as `None`."""
    return [None if value != value else value for value in frame[name].tolist()]
