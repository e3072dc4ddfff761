"""The story's data: a table of the reader's own, and some wines until there is one."""

from __future__ import annotations

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Data, MemoryTable
from followdata.errors import NotFetched
from followdata.sources.fetching import Fetching
from followdata.sources.tables import read_table


def sample() -> Data:
    """The wine recognition data as scikit-learn brings them: 178 wines, 13 measurements."""
    from sklearn.datasets import load_wine

    wines = load_wine()
    names = [str(name) for name in wines.feature_names]
    return MemoryTable(
        np.asarray(wines.data, dtype=np.float64),
        [f"wine {n + 1}" for n in range(len(wines.data))],
        names,
        About(
            "Italian wines",
            thing="wine",
            things="wines",
            measure="measurement",
            measures="measurements",
            label="class",
        ),
        obs={"class": np.array([f"cultivar {n + 1}" for n in wines.target.tolist()])},
        var={"title": np.array([name.replace("_", " ") for name in names])},
        provenance=Provenance(
            source="UCI Machine Learning Repository, as scikit-learn brings it",
            retrieved="",
            licence="CC BY 4.0",
            url="https://archive.ics.uci.edu/dataset/109/wine",
            citation="Aeberhard, S. & Forina, M. (1992). Wine [Dataset]. "
            "https://doi.org/10.24432/C5PC7J",
            sample="178 Italian wines, for any table of your own",
        ),
    )


def fetch(fetching: Fetching) -> tuple[str, Data]:
    """The table in the first of the files given, named as the file is."""
    if not fetching.paths:
        raise NotFetched(
            "This story's data are a table of your own.",
            "Name its file: followdata fetch autoencode --from FILE",
        )
    if len(fetching.paths) > 1:
        fetching.notice(f"Only the first file is read: {fetching.paths[0].name}.")
    read = read_table(fetching.paths[0], retrieved=fetching.now.isoformat())
    for remark in read.remarks:
        fetching.notice(remark)
    return read.table.about.title, read.table
