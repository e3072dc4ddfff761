"""The story's data: a table of the reader's own, and some wines until there is one."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Data, MemoryTable
from followdata.errors import NotFetched
from followdata.parameters import Choice
from followdata.questions.nodes import reading
from followdata.sources.adage import read_network, read_sets
from followdata.sources.fetching import Fetching
from followdata.sources.tables import read_table

TABLE, EXPRESSION = "table", "expression"
TUMOURS = "breast cancer"


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


def breast_cancer() -> MemoryTable:
    """The breast cancer data as scikit-learn brings them: 569 tumours, 30 measurements of cells."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [str(name) for name in found.feature_names]
    return MemoryTable(
        np.asarray(found.data, dtype=np.float64),
        [f"tumour {n + 1}" for n in range(len(found.data))],
        [name.replace(" ", "_") for name in names],
        About(
            "Breast tumours under the microscope",
            thing="tumour",
            things="tumours",
            measure="measurement",
            measures="measurements",
            label="diagnosis",
        ),
        obs={"diagnosis": np.array([str(found.target_names[n]) for n in found.target.tolist()])},
        var={"title": np.array(names)},
        provenance=Provenance(
            source="UCI Machine Learning Repository, as scikit-learn brings it",
            retrieved="",
            licence="CC BY 4.0",
            url="https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic",
            citation="Wolberg, W., Mangasarian, O., Street, N. & Street, W. (1993). Breast Cancer "
            "Wisconsin (Diagnostic) [Dataset]. https://doi.org/10.24432/C5DW2B",
        ),
    )


def fetch(
    fetching: Fetching,
    *,
    layout: Annotated[
        str,
        Choice(
            "How the file lies: a line for each row; or a table of gene expression, whichever way "
            "it lies, with a second file that says of each sample what it is",
            (TABLE, EXPRESSION),
        ),
    ] = TABLE,
    example: Annotated[
        str | None,
        Choice("A table that comes with the installation, in place of a file", (TUMOURS,)),
    ] = None,
) -> tuple[str, Data]:
    """The table in the first of the files given, named as the file is; or expression, in all."""
    if example:
        return example, breast_cancer()
    if not fetching.paths:
        raise NotFetched(
            "This story's data are a table of your own.",
            "Name its file: followdata fetch autoencode --from FILE",
        )
    if layout == EXPRESSION:
        from followdata.sources.expression import read_expression

        table = read_expression(fetching.paths, retrieved=fetching.now, notice=fetching.notice)
        return table.about.title, table
    if len(fetching.paths) > 1:
        fetching.notice(f"Only the first file is read: {fetching.paths[0].name}.")
    read = read_table(fetching.paths[0], retrieved=fetching.now.isoformat())
    for remark in read.remarks:
        fetching.notice(remark)
    return read.table.about.title, read.table


nodes, node = reading(read_network, read_sets)
