"""The real counts and indicators that the benchmarks of the fires story need."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from followdata.data import TableData
from followdata.desk import Desk
from followdata.settings import Settings

Floats = npt.NDArray[np.float64]


def real_fires() -> TableData | None:
    """Fires of 290 municipalities with the indicators of 2014; `None` without the real files."""
    shared = Path(os.environ.get("FOLLOWDATA_SHARED", "../shared")) / "data"
    if not shared.is_dir():
        print(f"NO REAL DATA: {shared} is not there; set FOLLOWDATA_SHARED.", file=sys.stderr)
        return None
    files = [
        shared / "school-fires" / "xlsx_data",
        *(
            shared / "kolada" / name
            for name in (
                "municipality_indicators_2014_long.csv.gz",
                "kpi_metadata_v3.csv.gz",
                "kommun_county.csv",
            )
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk.installed(Settings(Path(folder)))
        desk.fetch("fires", {}, paths=files)
        stored = cast(TableData, desk.open("fires").data)
        return in_memory(stored)


def in_memory(data: TableData) -> TableData:
    """The same table without the files that it is stored in."""
    from followdata.data import MemoryTable

    layers, counts = data.through(data.about.count)
    size = data.through(data.about.size)[1]
    names = list(data.names("var").names)
    made = {}
    for number, layer in enumerate(layers):
        values = np.full(data.shape, np.nan)
        values[:, names.index(data.about.count)] = counts[:, number]
        values[:, names.index(data.about.size)] = size[:, number]
        made[layer] = values
    return MemoryTable(
        data.matrix(), data.names("obs").names, names, data.about, obs=dict(data.labels("obs")),
        var=dict(data.labels("var")), layers=made,
    )  # fmt: skip
