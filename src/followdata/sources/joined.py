"""Two tables of the same things, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from followdata.data import Floats, Labels, Layer, Layers, MemoryTable


@dataclass(frozen=True)
class Joined:
    """A table with the columns of another: which rows of the other had no match (`unmatched`), and
    which rows have none of its values (`lacking`)."""

    table: MemoryTable
    unmatched: Sequence[str]
    lacking: Sequence[str]


def beside(table: MemoryTable, other: MemoryTable) -> Joined:
    """The rows of `table` with its columns and those of `other`, matched by the label `id`.

    A row that has no `id` in one of the tables is matched by its name, case aside. Values that
    the other table does not have are NaN, labels "". Labels of the rows that both tables have are
    those of `table`. Layers are those of either.

    Raises `ValueError` where both have a column of the same name.

    >>> from followdata.data import About
    >>> left = MemoryTable(np.ones((2, 1)), ["Ale", "Lund"], ["a"], About("left"))
    >>> right = MemoryTable(np.full((2, 1), 2.0), ["LUND", "Umeå"], ["b"], About("right"))
    >>> joined = beside(left, right)
    >>> joined.table.X.tolist(), joined.unmatched, joined.lacking
    ([[1.0, nan], [1.0, 2.0]], ['Umeå'], ['Ale'])
    """
    names = [*table.var_names, *other.var_names]
    if len(set(names)) < len(names):
        raise ValueError("both tables have a column of the same name")
    at = _matches(table, other)
    known = at >= 0

    def rows_of(values: Floats | None, like: MemoryTable) -> Floats:
        found = np.full((len(at), like.shape[1]), np.nan)
        if values is not None:
            found[known] = values[at[known]]
        return found

    def layer(chosen: Layer) -> Floats:
        own = table.layers.get(chosen, np.full(table.shape, np.nan))
        return np.hstack([own, rows_of(other.layers.get(chosen), other)])

    layers = sorted({*table.layers, *other.layers})
    matched = set(at[known].tolist())
    joined = replace(
        table,
        X=np.hstack([table.X, rows_of(other.X, other)]),
        var_names=names,
        obs={**{k: _picked(v, at) for k, v in other.obs.items()}, **table.obs},
        var=_stacked(table.var, table.shape[1], other.var, other.shape[1]),
        layers=Layers(layers, layer),
    )
    unmatched = [name for row, name in enumerate(other.obs_names) if row not in matched]
    lacking = [name for name, has in zip(table.obs_names, known, strict=True) if not has]
    return Joined(joined, unmatched, lacking)


def _matches(table: MemoryTable, other: MemoryTable) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each row of `table` stands in `other`; -1 for nowhere."""
    ids = {code: row for row, code in enumerate(other.obs.get("id", np.array([])).tolist()) if code}
    named = {name.casefold(): row for row, name in enumerate(other.obs_names)}
    own = table.obs.get("id", np.full(table.shape[0], "")).tolist()

    def match(code: str, name: str) -> int:
        if code and ids:
            return ids.get(code, -1)
        return named.get(name.casefold(), -1)

    return np.array(
        [match(*pair) for pair in zip(own, table.obs_names, strict=True)], dtype=np.intp
    )


def _picked(labels: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.array([str(labels[row]) if row >= 0 else "" for row in at], dtype=np.str_)


def _stacked(left: Labels, n: int, right: Labels, m: int) -> Labels:
    """The labels of both tables' columns."""
    keys = [*left, *(key for key in right if key not in left)]
    return {
        key: np.array(
            [*left.get(key, np.full(n, "")).tolist(), *right.get(key, np.full(m, "")).tolist()],
            dtype=np.str_,
        )
        for key in keys
    }
