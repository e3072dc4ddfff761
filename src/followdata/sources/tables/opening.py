"""From files to a table: what kind they are, how they are laid out, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from followdata.answer import Provenance, listing
from followdata.data import About, Floats, Labels, Layer, MemoryTable
from followdata.errors import InvalidInput
from followdata.sources.tables import files
from followdata.sources.tables.columns import main_label, told_apart
from followdata.sources.tables.layouts import Laid, laid, transposed
from followdata.sources.tables.matrices import READERS
from followdata.sources.tables.portions import Progress, parquet_rows, read_large
from followdata.sources.tables.reading import GUESSED, Reading
from followdata.sources.tables.rows import (
    MOST_TEXT,
    Rows,
    check_is_text,
    decoded,
    rows_of_text,
)
from followdata.sources.tables.sheets import read_sheet

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_UNITS = {"tpm": "TPM", "fpkm": "FPKM", "rpkm": "RPKM", "cpm": "CPM", "counts": "counts"}


@dataclass(frozen=True)
class TableFile:
    """A table as read, how it was read, and `remarks` on what its owner may not expect."""

    table: MemoryTable
    remarks: tuple[str, ...]
    reading: Reading = GUESSED


def read_table(
    *paths: Path, retrieved: str = "", reading: Reading = GUESSED, title: str = ""
) -> TableFile:
    """The table in one file, or in several of the same form whose names carry their years.

    `retrieved` is when that is, `reading` what is known of how it is written. The rows of several
    files are those of any of them; the latest year's values are the table's, and those of the
    others its layers.

    Raises `InvalidInput`, with line and column, for a file that is no table: not there, not
    readable, with rows of unequal length, or without a column of numbers; `UnknownName` for a
    column or sheet named that is not there.
    """
    return open_table(paths, retrieved=retrieved, reading=reading, title=title, scratch=None)


def open_table(
    paths: Sequence[Path],
    *,
    retrieved: str,
    reading: Reading,
    scratch: Path | None,
    title: str = "",
    progress: Progress | None = None,
) -> TableFile:
    """As `read_table`; one that memory does not hold is laid out in the file `scratch`, and
    `progress(done, total, what)` is told how far that is."""
    alone = scratch if len(paths) == 1 else None
    found = [_read(path, reading, alone, progress) for path in paths]
    whole = found[0] if len(paths) == 1 else _over_years(paths, found)
    return _table(whole, paths, retrieved, title)


def read_rows(path: Path, reading: Reading = GUESSED) -> Rows:
    """The headings and fields of one file as text: of text, of a workbook, of Parquet.

    `reading` says what its owner knows of it; the rest is guessed. Raises `InvalidInput` for a file
    that is no table, or more than is taken into memory as text.
    """
    rows = _rows(path, files.kind_of(path), reading)
    if rows is None:
        raise InvalidInput(
            str(path), f"it holds more than {MOST_TEXT >> 20} MB of text.",
            "followdata open FILE reads it in portions, one file at a time.",
        )  # fmt: skip
    return rows


def _rows(path: Path, kind: str, reading: Reading) -> Rows | None:
    """The rows of a file; `None` for one that is too large for memory."""
    if kind == "excel":
        return read_sheet(path, reading)
    if kind == "parquet":
        return parquet_rows(path, reading)
    check_is_text(path, kind)
    found = files.content(path, MOST_TEXT)
    if found is None:
        return None
    text, encoding = decoded(path, found, reading.encoding)
    return rows_of_text(path, text, replace(reading, encoding=encoding))


def _read(
    path: Path, reading: Reading, scratch: Path | None, progress: Progress | None
) -> Laid:  # fmt: skip
    """What one file holds."""
    kind = files.kind_of(path)
    if kind in READERS:
        found = READERS[kind](path)
        return transposed(found) if reading.layout == "transposed" else found
    if scratch is None:
        return laid(path, read_rows(path, reading))
    rows = _rows(path, kind, reading)
    return laid(path, rows) if rows else read_large(path, reading, scratch, progress)


# Several years


def _over_years(paths: Sequence[Path], found: Sequence[Laid]) -> Laid:
    """The tables of several years as one: things and measures of any of them."""
    years: dict[str, Laid] = {}
    for path, one in zip(paths, found, strict=True):
        named = _YEAR.findall(files.title_of(path))
        if len(named) != 1:
            raise InvalidInput(
                str(path), "its name does not say which year it is of.",
                "Several files are read as the years in their names, as in schools-2014.csv.",
            )  # fmt: skip
        if named[0] in years:
            raise InvalidInput(str(path), f"another file is of {named[0]} too.")
        years[named[0]] = one
    order = sorted(years)
    last = years[order[-1]]
    things = list(dict.fromkeys(name for year in reversed(order) for name in years[year].things))
    measures = list(
        dict.fromkeys(name for year in reversed(order) for name in years[year].measures)
    )
    remarks = dict.fromkeys(remark for year in order for remark in years[year].remarks)
    absent = [
        f"{name} ({listing(gone)})"
        for name in things
        if (gone := [year for year in order if name not in set(years[year].things)])
    ]
    told = f"Not in all years: {listing(absent[:10])}." if absent else ""
    return replace(
        last,
        values=_spread(last, things, measures),
        things=things,
        measures=measures,
        labels={
            name: [dict(zip(last.things, words, strict=True)).get(thing, "") for thing in things]
            for name, words in last.labels.items()
        },
        about_measures={
            name: [dict(zip(last.measures, words, strict=True)).get(m, "") for m in measures]
            for name, words in last.about_measures.items()
        },
        layers={Layer(year): _spread(years[year], things, measures) for year in order[:-1]},
        time=order[-1],
        remarks=(*remarks, *([told] if told else [])),
    )


def _spread(one: Laid, things: Sequence[str], measures: Sequence[str]) -> Floats:
    """A year's values at the places of all things and measures, NaN where it has none."""
    row_of = {name: at for at, name in enumerate(things)}
    column_of = {name: at for at, name in enumerate(measures)}
    whole = np.full((len(things), len(measures)), np.nan)
    rows = [row_of[name] for name in one.things]
    columns = [column_of[name] for name in one.measures]
    whole[np.ix_(rows, columns)] = one.values
    return whole


# The table


def _table(found: Laid, paths: Sequence[Path], retrieved: str, title: str) -> TableFile:
    reading, remarks = found.reading, found.remarks
    for names, what in ((found.things, reading.things), (found.measures, reading.many)):
        if len(set(names)) < len(names):
            remarks += (f"Some {what} share a name: the repeats are numbered.",)
    label = main_label(found.labels)
    named = files.title_of(paths[0]).replace("_", " ")
    if len(paths) > 1:
        named = _YEAR.sub("", named).strip(" -_.") or named
    about = About(
        title or named,
        reading.thing,
        reading.things,
        reading.each,
        reading.many,
        size=reading.size,
        label=label,
        unit=unit_named(paths[0].name),
        time=found.time,
    )
    table = MemoryTable(
        found.values,
        told_apart(found.things),
        told_apart(found.measures),
        about,
        obs=_labels(found.labels),
        var=_labels(found.about_measures),
        provenance=Provenance(
            source=f"the file{'s' if len(paths) > 1 else ''} {_listed(paths)}",
            retrieved=retrieved,
            licence="not stated in the file",
            refused=remarks,
        ),
        layers=found.layers,
    )
    return TableFile(table, remarks, reading)


def _listed(paths: Sequence[Path]) -> str:
    names = [path.name for path in paths]
    return listing(names) if len(names) < 4 else f"{names[0]} to {names[-1]}"


def _labels(labels: Mapping[str, Sequence[str]]) -> Labels:
    return {name: np.array(list(words), dtype=np.str_) for name, words in labels.items()}


def unit_named(name: str) -> str:
    """The unit that a file's name says its values are in.

    >>> unit_named("brain_tpm.csv"), unit_named("towns.csv")
    ('TPM', '')
    """
    words = re.split(r"[^a-z]+", name.lower())
    return next((unit for word, unit in _UNITS.items() if word in words), "")
