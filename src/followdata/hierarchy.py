"""Groups within groups: the levels at which the rows of a table can be grouped.

The labels of the rows say it all:

    <label>         the main level: the data's own label ("structure")
    sub<label>      the finer level below it ("substructure")
    lineage         the names of what lies above, from the widest inwards, between slashes
    <label>_id, sub<label>_id, lineage_id     other names (acronyms) of the same

A branch is a group at any of these levels; one above or below the main level is the union of the
rows it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from followdata.data import Labels, TableData

Level = Literal["above", "structure", "substructure"]
Bools = npt.NDArray[np.bool_]
LEVELS: tuple[Level, ...] = ("above", "structure", "substructure")
STEP = "/"


@dataclass(frozen=True, eq=False)
class Branch:
    """A group at some level: which rows it holds."""

    name: str
    id: str
    level: Level
    members: Bools

    @property
    def size(self) -> int:
        return int(self.members.sum())

    def holds(self, other: Branch) -> bool:
        """Whether all rows of `other` are among this one's."""
        return not (other.members & ~self.members).any()


@dataclass(frozen=True)
class Hierarchy:
    """The branches of a table: the main level first, then what lies above it, then below.

    A branch with the very rows of one named before is left out, as is one that holds all rows; a
    name that an earlier branch has is followed by its level.
    """

    branches: Sequence[Branch]

    @classmethod
    def of(cls, data: TableData) -> Hierarchy:
        labels, main = data.labels("obs"), data.about.label
        if main not in labels:
            return cls(())
        found: dict[str, Branch] = {}
        seen: set[bytes] = set()
        named = [
            *_named(labels, main, "structure"),
            *_above(labels),
            *_named(labels, f"sub{main}", "substructure"),
        ]
        for branch in named:
            rows = branch.members.tobytes()
            if rows in seen or (branch.level != "structure" and branch.members.all()):
                continue
            seen.add(rows)
            name = branch.name
            if name in found:
                name = f"{name} ({branch.level})"
            found[name] = Branch(name, branch.id, branch.level, branch.members)
        return cls(tuple(found.values()))

    def at(self, *levels: Level) -> list[Branch]:
        """The branches of these levels."""
        return [branch for branch in self.branches if branch.level in levels]

    def named(self, name: str) -> Branch:
        return next(branch for branch in self.branches if branch.name == name)

    def rolled(self, branch: Branch, level: Level | None) -> Branch:
        """`branch` as it is looked at from `level`: one that lies below is rolled up to the branch
        there that holds it; one above, the union of what it holds, stays."""
        if level != "structure" or branch.level != "substructure":
            return branch
        return next((whole for whole in self.at(level) if whole.holds(branch)), branch)

    def parts(self, branch: Branch) -> list[Branch]:
        """The branches of the next finer level that `branch` is made of, if they are several."""
        if branch.level == "substructure":
            return []
        parts = self.at("structure" if branch.level == "above" else "substructure")
        parts = [part for part in parts if branch.holds(part)]
        return parts if len(parts) > 1 else []

    def finest(self, level: Level | None) -> list[Branch]:
        """The branches that share out the rows at `level`: the main ones, or those below with the
        main ones that have none."""
        whole = self.at("structure")
        if level != "substructure":
            return whole
        below = self.at("substructure")
        single = [b for b in whole if not any(b.holds(part) for part in below)]
        return [*below, *single]


def _named(labels: Labels, label: str, level: Level) -> Iterator[Branch]:
    if label not in labels:
        return
    names = labels[label]
    ids = labels.get(f"{label}_id", names)
    for name in sorted(set(names.tolist()) - {""}):
        members = names == name
        yield Branch(name, str(ids[members][0]), level, members)


def _above(labels: Labels) -> Iterator[Branch]:
    """The nodes of all lineages, those nearest to the main level first."""
    lineages = labels.get("lineage")
    if lineages is None:
        return
    ids = labels.get("lineage_id", lineages)
    steps = [text.split(STEP) if text else [] for text in lineages.tolist()]
    codes = [text.split(STEP) if text else [] for text in ids.tolist()]
    nodes: dict[str, tuple[int, str]] = {}
    for path, code in zip(steps, codes, strict=True):
        for depth, name in enumerate(path):
            nodes.setdefault(name, (depth, code[depth] if depth < len(code) else ""))
    for name in sorted(nodes, key=lambda name: (-nodes[name][0], name)):
        members = np.array([name in path for path in steps], dtype=bool)
        yield Branch(name, nodes[name][1], "above", members)
