"""Rows and columns of a file laid out as things by measures, whichever way the file has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from followdata.answer import listing
from followdata.data import Floats, Layer
from followdata.errors import InvalidInput
from followdata.names import NameIndex, fold
from followdata.sources.tables import columns as column_roles
from followdata.sources.tables.columns import Column, columns_of, roles, told_apart, unit_of
from followdata.sources.tables.numbers import MISSING
from followdata.sources.tables.reading import GUESSED, Reading
from followdata.sources.tables.rows import ADVICE, Rows

MOST_CELLS = 50_000_000
MOST_COLUMNS = 50_000
"""More columns than this are hardly ever measures; opened the other way they may be things."""
_TELLING = 0.8
_MEASURE_WORDS = {
    *("kpi", "measure", "variable", "indicator", "metric", "parameter", "attribute", "series"),
    *("nyckeltal", "variabel", "indikator", "mått"),
}
_VALUE_WORDS = {"value", "värde", "val", "amount", "antal", "obs_value", "measurement"}
_TIME_WORDS = {"year", "år", "period", "time", "tid", "ar"}
_YEAR = re.compile(r"(1[5-9]|20)\d\d")


@dataclass(frozen=True)
class Laid:
    """Things by measures: `values` n x p (NaN is missing), their names, labels of both, the values
    at other times, and what is to be said of it."""

    values: Floats
    things: Sequence[str]
    measures: Sequence[str]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    about_measures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    layers: Mapping[Layer, Floats] = field(default_factory=dict)
    time: str = ""
    remarks: tuple[str, ...] = ()
    reading: Reading = GUESSED


def laid(path: Path, rows: Rows) -> Laid:
    """The table in some rows; raises `InvalidInput` where no column is all numbers."""
    if len(rows.headings) > MOST_COLUMNS and rows.reading.layout != "transposed":
        raise InvalidInput(
            str(path), f"it has {len(rows.headings):,} columns; {MOST_COLUMNS:,} is the most.",
            "If the things are in columns, open it with --transpose.",
        )  # fmt: skip
    rows = unrolled(rows)
    columns = columns_of(rows, path)
    reading = rows.reading
    if reading.layout in ("", "long"):
        keys = _keys(columns, rows, path)
        if keys is not None:
            return _long(path, columns, rows, keys)
    found = wide(path, columns, rows)
    return transposed(found) if reading.layout == "transposed" else found


# A row for each thing


def wide(path: Path, columns: Sequence[Column], rows: Rows) -> Laid:
    """A table that has a row for each thing and a column for each measure."""
    found = roles(columns, rows, path)
    gone = column_roles.totals(found.names, rows.reading)
    kept = [row for row in range(len(rows.lines)) if row not in set(gone)]
    if not found.measures:
        raise InvalidInput(str(path), "no column is all numbers.", _no_numbers(columns, rows))
    if not kept:
        raise InvalidInput(str(path), "there are no rows but totals.", ADVICE)
    left_out = [found.names.texts[row] for row in gone] if found.names else []
    names, labels, codes = (
        [column.part(kept) for column in some if column]
        for some in ([found.names], found.labels, [found.codes])
    )
    measures = [column.part(kept) for column in found.measures]
    measures = [column for column in measures if not column.is_empty]
    things, on_names = column_roles.row_names(names[0] if names else None, len(kept))
    size = column_roles.size_of(measures, rows.reading)
    headings = [column.heading for column in measures]
    units = {
        heading: unit for heading in headings if (unit := unit_of(heading, rows.reading.units))
    }
    remarks = (
        *rows.remarks,
        *column_roles.on_headings(rows),
        *on_names,
        *([f"Left out as totals: {listing(left_out)}."] if left_out else []),
        *column_roles.on_columns(columns, labels, codes),
        *column_roles.on_orientation(found.names, measures, rows.reading),
    )
    return Laid(
        np.array([column.numbers for column in measures], dtype=np.float64).T,
        things,
        headings,
        {column.label: column.words for column in labels} | _codes(codes),
        {"unit": [units.get(heading, "") for heading in headings]} if units else {},
        remarks=remarks,
        reading=replace(
            rows.reading,
            layout=rows.reading.layout or "wide",
            id=names[0].heading if names else "",
            labels=tuple(column.heading for column in labels),
            size=size,
            leave_out=tuple(left_out),
            ignore=rows.reading.ignore,
            units=units,
        ),
    )


def _codes(columns: Sequence[Column]) -> dict[str, list[str]]:
    """The second names of the rows, where they have any."""
    return {"id": columns[0].words} if columns else {}


def _no_numbers(columns: Sequence[Column], rows: Rows) -> str:
    """What may be done for a table without a column of numbers."""
    near = [column for column in columns if column.stray >= 0]
    if not near:
        return ADVICE
    first = near[0]
    return (
        f"“{first.heading}” nearly is, but for “{first.texts[first.stray]}” in "
        f"{rows.place(first.stray, first.at)}: if that means a missing value, say --missing "
        f"“{first.texts[first.stray]}”."
    )


def transposed(table: Laid) -> Laid:
    """The same the other way round: columns become things, and rows measures.

    Labels of the rows become those of the measures; a unit that columns had is lost.
    """
    labels = {name: words for name, words in table.labels.items() if name != "unit"}
    remarks = [remark for remark in table.remarks if "taken as headings" not in remark]
    if table.reading.size:
        remarks.append("A size of things is not known once they are columns.")
    return replace(
        table,
        values=np.ascontiguousarray(table.values.T),
        things=table.measures,
        measures=table.things,
        labels={},
        about_measures=labels | _titles(labels, table.things),
        layers={layer: np.ascontiguousarray(values.T) for layer, values in table.layers.items()},
        remarks=tuple(remarks),
        reading=replace(table.reading, size="", units={}),
    )


def _titles(labels: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, list[str]]:
    """The words that tell nearly all measures apart, such as symbols of genes, as their titles."""
    for name, words in labels.items():
        if name != "id" and len(set(words) - {""}) >= _TELLING * len(names):
            return {"title": [word or own for word, own in zip(words, names, strict=True)]}
    return {}


# A row for each value


@dataclass(frozen=True)
class _Keys:
    """The columns of a table with a row for each value (or for each thing and time): the things,
    the measures (`None` where each has a column), the values, the times (`None` without)."""

    thing: Column
    measure: Column | None
    values: Sequence[Column]
    time: Column | None

    @property
    def all(self) -> list[Column]:
        return [column for column in (self.thing, self.measure, self.time) if column is not None]


def _keys(columns: Sequence[Column], rows: Rows, path: Path) -> _Keys | None:
    """The key columns as said; else as they seem to be, if no two rows share their values."""
    reading = rows.reading
    if reading.layout == "long":
        return _said(columns, rows, path)
    if reading.id or reading.labels or len(columns) > 12 or len(rows.lines) < 4:
        return None
    time = next((c for c in columns if fold(c.heading) in _TIME_WORDS and _are_years(c)), None)
    measure = next((c for c in columns if fold(c.heading) in _MEASURE_WORDS and c.has_words), None)
    others = [c for c in columns if c not in (time, measure)]
    values = [c for c in others if c.is_measure]
    named = [c for c in values if fold(c.heading) in _VALUE_WORDS]
    things = [c for c in others if c.is_all_words]
    if not things or not values or (measure is None and time is None):
        return None
    thing = things[0]
    if measure is not None:
        if not named and len(values) != 1:
            return None
        values = named[:1] or values
    keys = _Keys(_called(thing, things), measure, values, time)
    if _repeats(keys) is not None or len(set(thing.texts)) == len(thing.texts):
        return None
    return keys


def _said(columns: Sequence[Column], rows: Rows, path: Path) -> _Keys:
    reading = rows.reading
    index = NameIndex("column", [column.heading for column in columns])
    by_name = {column.heading: column for column in columns}

    def named(said: str) -> Column | None:
        return by_name[index.find(said)] if said else None

    thing, measure, time = named(reading.id), named(reading.measure), named(reading.time)
    if thing is None:
        raise InvalidInput(
            str(path), "it is not said which column names the things.",
            "Say it as --long THING,MEASURE,VALUE or --long THING,MEASURE,VALUE,YEAR.",
        )  # fmt: skip
    value = named(reading.value)
    chosen = [value] if value else [c for c in columns if c.is_measure and c not in (measure, time)]
    for column in chosen:
        if not column.is_measure:
            at = max(column.stray, 0)
            raise InvalidInput(
                str(path), f"“{column.texts[at]}” is not a number.",
                f"“{column.heading}” is to hold the values; words for a missing one: --missing.",
                where=rows.place(at, column.at),
            )  # fmt: skip
    if not chosen:
        raise InvalidInput(str(path), "no column is all numbers.", ADVICE)
    keys = _Keys(thing, measure, chosen, time)
    twice = _repeats(keys)
    if twice is not None:
        first, second = twice
        raise InvalidInput(
            str(path),
            f"{listing([f'“{c.texts[second]}”' for c in keys.all])} has a value already in "
            f"{rows.place(first, chosen[0].at)}.",
            "One value each is expected; if a column tells them apart, name it too: "
            "--long THING,MEASURE,VALUE,YEAR.",
            where=rows.place(second, chosen[0].at),
        )
    return keys


def _called(thing: Column, things: Sequence[Column]) -> Column:
    """The column of names beside one of codes, if they go together one to one."""
    if not thing.code and not all(text.isdecimal() for text in thing.texts):
        return thing
    for other in things:
        if other is not thing and _one_to_one(thing, other):
            return other
    return thing


def _one_to_one(a: Column, b: Column) -> bool:
    return (
        len(set(a.texts)) == len(set(b.texts)) == len(set(zip(a.texts, b.texts, strict=True)))
    )  # fmt: skip


_MOST_KEYS = 2


def unrolled(rows: Rows) -> Rows:
    """Rows whose columns are the years of a thing and a measure, with a row for each value.

    That is how statistical offices export: two columns of words, and then one for each year.
    """
    headings = rows.headings
    years = [at for at, text in enumerate(headings) if _YEAR.fullmatch(text)]
    keys = [at for at in range(len(headings)) if at not in years]
    if rows.reading.layout or rows.reading.id or len(years) < 2 or len(keys) != _MOST_KEYS:
        return rows
    pairs = [tuple(fields[at] for at in keys) for fields in rows.fields]
    complete = [row for row, pair in enumerate(pairs) if all(pair)]
    different = {pairs[row] for row in complete}
    first, second = ({pair[at] for pair in different} for at in (0, 1))
    # Each thing comes with each measure, or nearly: else they are two labels of the rows.
    crossed = len(different) == len(complete) > max(len(first), len(second))
    if (
        not crossed
        or 2 * len(complete) < len(first) * len(second)
        or min(len(first), len(second)) < 2
    ):
        return rows
    cells = [(row, at) for row in complete for at in years if rows.fields[row][at]]
    thing = _things_at(headings, keys)
    measure = next(at for at in keys if at != thing)
    left_out = len(pairs) - len(complete)
    told = f"Left out, for they lack one of their two names: {left_out} rows."
    return replace(
        rows,
        headings=[headings[thing] or "thing", "measure", "value", "year"],
        fields=[
            (rows.fields[row][thing], rows.fields[row][measure], rows.fields[row][at], headings[at])
            for row, at in cells
        ],
        lines=[rows.lines[row] for row, _ in cells],
        remarks=(*rows.remarks, *([told] if left_out else [])),
    )


def _things_at(headings: Sequence[str], keys: Sequence[int]) -> int:
    """Which of two columns of words names the things: not the one headed as measures are."""
    first, second = keys
    if fold(headings[first]) in _MEASURE_WORDS or not headings[first]:
        return second
    return first


def _are_years(column: Column) -> bool:
    return all(_YEAR.fullmatch(text) for text in column.texts)


def _repeats(keys: _Keys) -> tuple[int, int] | None:
    """The first two rows that are of the same thing, measure and time."""
    seen: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(zip(*(column.texts for column in keys.all), strict=True)):
        if key in seen:
            return seen[key], row
        seen[key] = row
    return None


def _long(path: Path, columns: Sequence[Column], rows: Rows, keys: _Keys) -> Laid:
    things, row_of = _numbered(keys.thing.texts)
    gone = {n for n, name in enumerate(things) if not name or name.lower() in MISSING}
    times, time_of = _numbered(keys.time.texts) if keys.time else ([""], np.zeros(len(row_of), int))
    if keys.measure:
        measures, column_of = _numbered(keys.measure.texts)
        measured = [(column_of, keys.values[0])]
    else:
        measures = [column.heading for column in keys.values]
        measured = [
            (np.full(len(row_of), at), column) for at, column in enumerate(keys.values)
        ]  # fmt: skip
    cells = len(things) * len(measures) * len(times)
    if cells > MOST_CELLS:
        raise InvalidInput(
            str(path), f"laid out as a table it would have {cells:,} cells; {MOST_CELLS:,} is the "
            "most.", "If it has a row for each thing, name the column of their names with --id.",
        )  # fmt: skip
    cube = np.full((len(times), len(things), len(measures)), np.nan)
    for column_of, column in measured:
        cube[time_of, row_of, column_of] = np.array(column.numbers, dtype=np.float64)
    if gone:
        raise InvalidInput(
            str(path), f"“{keys.thing.heading}” is empty here, and names the things.",
            "Say what is what with --long.",
            where=rows.place(int(np.flatnonzero(np.isin(row_of, list(gone)))[0]), keys.thing.at),
        )  # fmt: skip
    order = np.argsort(np.array(times)) if keys.time else np.array([0])
    last = int(order[-1])
    labels, about = _beside(columns, keys, row_of, things, measures)
    names = told_apart([name or "(no name)" for name in measures])
    units = [unit_of(name, rows.reading.units) for name in names]
    if any(units) and "unit" not in about:
        about["unit"] = units
    found = " and ".join(
        [f"“{c.heading}” names the {what}" for c, what in
         ((keys.thing, "things"), (keys.measure, "measures"), (keys.time, "years")) if c]
    )  # fmt: skip
    remark = f"Read as a table with a row for each value: {found} (if not, name --id)."
    unused = [
        column.heading
        for column in columns
        if column not in keys.all
        and column not in keys.values
        and not column.is_empty
        and not (column.has_words and _used(column, keys))
    ]
    return Laid(
        np.ascontiguousarray(cube[last]),
        told_apart(things),
        names,
        labels,
        about,
        {Layer(times[at]): cube[at] for at in order[:-1].tolist()} if keys.time else {},
        times[last],
        (*rows.remarks, remark, *([f"Not used: {listing(unused)}."] if unused else [])),
        replace(
            rows.reading,
            layout="long",
            id=keys.thing.heading,
            measure=keys.measure.heading if keys.measure else "",
            value=keys.values[0].heading if keys.measure else "",
            time=keys.time.heading if keys.time else "",
            size=rows.reading.size or _size(names),
        ),
    )


def _size(names: Sequence[str]) -> str:
    sizes = {fold(name) for name in column_roles.SIZES}
    return next((name for name in names if fold(name) in sizes), "")


def _used(column: Column, keys: _Keys) -> bool:
    """Whether a column says the same of a thing, or of a measure, in all rows."""
    return any(_follows(column, key) for key in (keys.thing, keys.measure) if key)


def _numbered(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The different texts in their order, and the number of each row's."""
    numbers: dict[str, int] = {}
    found = np.fromiter(
        (numbers.setdefault(text, len(numbers)) for text in texts), np.int64, len(texts)
    )
    return list(numbers), found


def _follows(column: Column, key: Column) -> bool:
    """Whether a column has one value for each value of a key."""
    return len(set(zip(key.texts, column.texts, strict=True))) == len(set(key.texts))


def _beside(
    columns: Sequence[Column], keys: _Keys, row_of: npt.NDArray[np.int64],
    things: Sequence[str], measures: Sequence[str],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:  # fmt: skip
    """Labels of the things and of the measures: what is the same wherever they stand."""
    labels: dict[str, list[str]] = {}
    about: dict[str, list[str]] = {}
    for column in columns:
        if column in keys.all or column in keys.values or column.is_empty:
            continue
        for key, names, found in ((keys.thing, things, labels), (keys.measure, measures, about)):
            if key is None or not column.has_words or not _follows(column, key):
                continue
            said = dict(zip(key.texts, column.words, strict=True))
            alias = column.code or _one_to_one(column, key)
            found["id" if alias else column.label] = [said[name] for name in names]
            break
    return labels, about
