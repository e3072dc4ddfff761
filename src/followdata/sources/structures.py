"""The Allen structure ontology: which part of the brain is part of which.

`Ontology.csv` has a row for each structure: `id, acronym, name, parent_structure_id,
structure_id_path` (ids from the root down, between slashes); other columns are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from followdata.data import Labels
from followdata.hierarchy import STEP

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = frozenset({"id", "acronym", "name", "structure_id_path"})


@dataclass(frozen=True)
class Ontology:
    """Structures by acronym, their names without the side of the brain.

    Where several share an acronym, the one nearest to the root counts: those below are its left
    and right. `paths` holds the acronyms of what a structure is part of, from the root inwards.
    """

    names: dict[str, str]
    paths: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Ontology:
        """From the table as text."""
        rows = [
            (path.strip("/").split("/"), id, acronym, name)
            for id, acronym, name, path in zip(
                *(frame[column] for column in ("id", "acronym", "name", "structure_id_path")),
                strict=True,
            )
        ]
        rows.sort(key=lambda row: len(row[0]))
        acronyms = {id: acronym for _, id, acronym, _ in rows}
        names: dict[str, str] = {}
        paths: dict[str, tuple[str, ...]] = {}
        for path, _, acronym, name in rows:
            if acronym not in names:
                names[acronym] = _said(name)
                paths[acronym] = tuple(acronyms[id] for id in path[:-1] if id in acronyms)
        return cls(names, paths)

    def name(self, code: str) -> str:
        """What a code stands for; the code itself where it is not in the ontology."""
        return self.names.get(code, code)

    def path(self, code: str) -> tuple[str, ...]:
        """What a code's structure is part of; case matters only where it must (TH, Th)."""
        alike = (path for known, path in self.paths.items() if known.lower() == code.lower())
        return self.paths[code] if code in self.paths else next(alike, ())

    def lineage(self, codes: Sequence[str]) -> Labels:
        """The labels `lineage` and `lineage_id` of rows whose structures have these codes."""
        above = [self.path(code) for code in codes]
        words = [STEP.join(self.name(code).replace(STEP, " ") for code in path) for path in above]
        return {
            "lineage": np.array(words, dtype=np.str_),
            "lineage_id": np.array([STEP.join(path) for path in above], dtype=np.str_),
        }


def _said(name: str) -> str:
    """A structure's name on either side, with a capital as most of them have.

    >>> _said("postcentral gyrus, Left, bank of the central sulcus")
    'Postcentral gyrus, bank of the central sulcus'
    """
    name = name.replace(", Left", "").replace(", Right", "")
    return name[:1].upper() + name[1:]
