"""The compiled indicators, held against what else is known of the municipalities, and mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from followdata.answer import listing
from followdata.boundaries import centroid
from followdata.core.misplaced import Misplaced, misplaced
from followdata.data import Floats, Layer, MemoryTable
from followdata.sources import municipal, sweden
from followdata.sources.joined import beside

_ALL = 290
_MUCH = 0.10
_FAR = 100.0
"""Kilometres between a place and the centre of its municipality that no Swedish one is wide."""


@dataclass(frozen=True)
class Mended:
    """The table without what is wrong in it, and a sentence on each thing done."""

    table: MemoryTable
    remarks: tuple[str, ...]


def mended(compiled: MemoryTable, fires: MemoryTable) -> Mended:
    """The compiled indicators with wrong values put right or left out, never silently.

    The population is compared with that of `fires` in the year with which most rows agree. Where
    they differ,

    - the columns that went astray with it (`municipal.MOVED`) are put back into the rows that they
      are of, or left out where these are not known;
    - numbers per head of it (`municipal.PER_HEAD`) are multiplied by the wrong population and
      divided by the right one, if the number of vehicles so found is whole, and else left out;
    - columns of which nobody can say whose they are (`municipal.UNCLEAR`) are left out.

    Coordinates far from the municipality are left out. The population itself then says what that
    of `fires` does and is left out as a column.
    """
    column = {name: at for at, name in enumerate(compiled.var_names)}
    claimed = compiled.X[:, column[municipal.POPULATION]]
    year, known = _nearest_year(claimed, _populations(compiled, fires))
    found = misplaced(claimed, known)
    X, remarks = compiled.X.copy(), []
    if len(found.rows):
        for name, at in column.items():
            X[:, at] = _put_right(name, X[:, at], claimed, known, found)
        remarks = list(_on_population(compiled, claimed, known, year, found))
    remarks += _without_far_places(compiled, X, column)
    kept = [at for name, at in column.items() if name != municipal.POPULATION]
    table = replace(
        compiled,
        X=X[:, kept],
        var_names=[compiled.var_names[at] for at in kept],
        var={key: labels[kept] for key, labels in compiled.var.items()},
    )
    return Mended(table, tuple(remarks))


def _populations(compiled: MemoryTable, fires: MemoryTable) -> dict[str, Floats]:
    """The population of each row in each year, by the other source."""
    at = fires.names("var").position(fires.about.size)
    yearly = {layer.time: fires.layers[layer][:, [at]] for layer in fires.layers}
    bare = replace(compiled, X=compiled.X[:, :0], var_names=[], var={}, layers={})
    found = {}
    for year, values in yearly.items():
        one = replace(fires, X=values, var_names=[year], var={}, layers={})
        found[year] = beside(bare, one).table.X[:, 0]
    return found


def _nearest_year(claimed: Floats, populations: dict[str, Floats]) -> tuple[str, Floats]:
    """The year whose populations most rows agree with, the latest of several."""
    year = max(populations, key=lambda year: (int((populations[year] == claimed).sum()), year))
    return year, populations[year]


def _put_right(
    name: str, values: Floats, claimed: Floats, known: Floats, found: Misplaced
) -> Floats:
    """One column by the rule for it."""
    right = values.copy()
    if name in municipal.MOVED:
        return found.put_back(values)
    if name in municipal.PER_HEAD:
        vehicles = values[found.rows] * claimed[found.rows] / 1000
        whole = np.abs(vehicles - vehicles.round()) < 1e-6
        right[found.rows] = np.where(whole, 1000 * vehicles.round() / known[found.rows], np.nan)
    elif name in municipal.UNCLEAR:
        right[found.rows] = np.nan
    return right


def _on_population(
    compiled: MemoryTable, claimed: Floats, known: Floats, year: str, found: Misplaced
) -> Iterator[str]:
    rows = found.rows.tolist()
    names = [compiled.obs_names[row] for row in rows]
    much = int((np.abs(claimed - known)[rows] > _MUCH * known[rows]).sum())
    told = [
        f"{name} {claimed[row]:,.0f} (true {known[row]:,.0f})"
        for name, row in zip(names, rows, strict=True)
    ]
    whose = (
        "each has the number of another of them"
        if found.swapped
        else "not each has that of another"
    )
    yield (
        f"The compiled table has a wrong population for {len(rows)} municipalities, {much} of them "
        f"by more than {_MUCH:.0%}, where all others agree with MSB's of {year}; {whose}: "
        f"{listing(told, _ALL)}."
    )
    columns = [name for name in compiled.var_names if name in municipal.MOVED]
    others = [name for name in columns if name != municipal.POPULATION]
    yield (
        f"In these rows {listing(others, _ALL)} went astray with it, as a comparison with Kolada "
        "showed. They are put back into the rows that they are of"
        + ("." if found.swapped else "; where nobody can say which, they are left out.")
    )
    vehicles = [name for name in compiled.var_names if name in municipal.PER_HEAD]
    if vehicles:
        yield (
            f"In these rows {listing(vehicles, _ALL)} are per head of the wrong number. They are "
            f"multiplied by it, which gives whole numbers, and divided by the population of {year}."
        )
    unclear = [name for name in compiled.var_names if name in municipal.UNCLEAR]
    if unclear:
        yield f"In these rows {listing(unclear, _ALL)} are left out: nobody can say whose they are."


def _without_far_places(compiled: MemoryTable, X: Floats, column: dict[str, int]) -> Iterator[str]:
    """Take coordinates out of `X` that lie far from their municipality, and say so."""
    if not {"latitude", "longitude"} <= column.keys():
        return
    drawn = sweden.municipalities()
    at = [column["longitude"], column["latitude"]]
    there = sweden.sweref(X[:, at])
    far = []
    for row, code in enumerate(compiled.obs["id"].tolist()):
        if code in drawn.shapes:
            centre = np.array(centroid(drawn.shapes[code])) * drawn.metres
            away = float(np.hypot(*(there[row] - centre))) / 1000
            if away > _FAR:
                far.append(f"{compiled.obs_names[row]} ({away:.0f} km)")
                X[row, at] = np.nan
    if far:
        yield (
            f"Left out of the compiled table: coordinates that lie far from the municipality, of "
            f"{listing(far, _ALL)}."
        )


def agreement(kolada: MemoryTable, fires: MemoryTable, figure: str) -> str:
    """How far Kolada's population agrees with that of `fires` in the same year, in a sentence."""
    layer = Layer(kolada.about.time)
    if layer not in fires.layers or figure not in kolada.var_names:
        return ""
    joined = beside(fires, kolada).table
    own = fires.layers[layer][:, fires.names("var").position(fires.about.size)]
    theirs = joined.X[:, joined.names("var").position(figure)]
    both = np.isfinite(own) & np.isfinite(theirs)
    same = int((own[both] == theirs[both]).sum())
    return (
        f"Kolada's population of {layer.time} ({figure}) agrees with MSB's in {same} of "
        f"{int(both.sum())} municipalities."
    )
