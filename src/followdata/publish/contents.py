"""A data set of any kind as the resources that are published of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from followdata.data import SIMILAR, Data, Labels, Layer, SeriesData, TableData, similar_to
from followdata.publish.columns import Column, Kind, Resource, Texts, unique

LANGUAGES = ("en", "sv")
_NAMES = {"en": {"en": "English", "sv": "engelska"}, "sv": {"en": "Swedish", "sv": "svenska"}}
"""Labels `title_en`, `description_sv` and so on hold the words of the data in that language."""
_TOGETHER = 2_000_000
"""So many cells are in memory at once."""


def resources(data: Data) -> list[Resource]:
    """What is published of `data`, the most important first."""
    if data.kind == "table":
        return _of_table(cast(TableData, data))
    return _of_series(cast(SeriesData, data))


def _of_table(table: TableData) -> list[Resource]:
    wide = _wide(table)
    names = [column.name for column in wide.columns if column.kind == "number"]
    found = [wide, _measures(table, names)]
    if table.layers:
        found.append(_long(table, names))
    if any(label.startswith(SIMILAR) for label in table.labels("obs")):
        found.append(_similar(table))
    return found


def _wide(table: TableData) -> Resource:
    about, labels = table.about, _plain(table.labels("obs"))
    names = table.names("var").names
    thing = _thing(table)
    titled = _words(table, "title")
    described = _words(table, "description")
    units = _words(table, "unit")
    free = unique([thing.name, *labels, *names])[1:]
    columns = [
        thing,
        *(_label(column, label) for column, label in zip(free, labels, strict=False)),
        *(
            Column(column, "number", title, description, unit or {"en": about.unit})
            for column, title, description, unit in zip(
                free[len(labels) :], titled, described, units, strict=True
            )
        ),
    ]

    def batches() -> Iterator[Sequence[Any]]:
        rows = table.names("obs").names
        step = max(1, _TOGETHER // max(1, len(names)))
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            values = table.matrix(obs=rows[some])
            yield [rows[some], *(column[some].tolist() for column in labels.values()), *values.T]

    titles = {
        "en": f"A row for each {about.thing}, a column for each {about.measure}",
        "sv": f"En rad för varje “{about.thing}”, en kolumn för varje “{about.measure}”",
    }
    return Resource("table", titles, columns, batches, key=(thing.name,))


def _measures(table: TableData, wide: Sequence[str]) -> Resource:
    """The columns of the wide table that hold values, by the names that they have there."""
    labels = table.labels("var")
    measure = _measure(table)
    names = unique([measure.name, *labels])
    columns = [
        measure,
        *(_label(name, label) for name, label in zip(names[1:], labels, strict=True)),
    ]

    def batches() -> Iterator[Sequence[Any]]:
        yield [wide, *(column.tolist() for column in labels.values())]

    about = table.about
    titles = {
        "en": f"What each {about.measure} is",
        "sv": f"Vad varje “{about.measure}” är",
    }
    return Resource("measures", titles, columns, batches, key=(measure.name,))


def _long(table: TableData, wide: Sequence[str]) -> Resource:
    thing, measure = _thing(table), _measure(table)
    time, part, value = unique([thing.name, measure.name, "time", "part", "value"])[2:]
    columns = [
        thing,
        measure,
        Column(time, "string", {"en": "Time", "sv": "Tid"}),
        Column(part, "string", {"en": "Part of the row, such as women or men; empty for all of it",
                                "sv": "Del av raden, såsom kvinnor eller män; tom för hela"}),
        Column(value, "number", {"en": "Value", "sv": "Värde"}, units={"en": table.about.unit}),
    ]  # fmt: skip

    def batches() -> Iterator[Sequence[Any]]:
        things, measures = np.array(table.names("obs").names), np.array(wide)
        # Where the layers hold that time too, the table's own values are of all times together.
        own = [] if Layer(table.about.time) in table.layers else [None]
        for layer in (*own, *sorted(table.layers)):
            shown = layer or Layer(table.about.time)
            values = table.matrix(layer=layer).T
            at = np.nonzero(np.isfinite(values))
            count = len(at[0])
            yield [
                things[at[1]].tolist(),
                measures[at[0]].tolist(),
                [shown.time] * count,
                [shown.part] * count,
                values[at],
            ]

    titles = {
        "en": "Every value there is, of all times and parts, one a row",
        "sv": "Varje värde som finns, för alla tider och delar, ett per rad",
    }
    return Resource(
        "long", titles, columns, batches, references={thing.name: "table", measure.name: "measures"}
    )


def _similar(table: TableData) -> Resource:
    thing = _thing(table)
    what, like = unique([thing.name, "what", "similar"])[1:]
    columns = [
        thing,
        Column(what, titles={"en": "In what they are similar", "sv": "Vad de liknar varandra i"}),
        Column(like, titles={"en": "The similar one", "sv": "Den som liknar"}),
    ]

    def batches() -> Iterator[Sequence[Any]]:
        found = [
            (name, what, other)
            for row, name in enumerate(table.names("obs").names)
            for what, others in similar_to(table, row).items()
            for other in others
        ]
        yield list(zip(*found, strict=True)) if found else [[], [], []]

    titles = {
        "en": "Which are similar, as the provider of the data says",
        "sv": "Vilka som liknar varandra, enligt den som lämnat uppgifterna",
    }
    return Resource("similar", titles, columns, batches, references={thing.name: "table"})


def _of_series(data: SeriesData) -> list[Resource]:
    names = data.names("series").names
    labels = data.labels()
    several = len(names) > 1 or bool(labels)
    by_grain: dict[str, list[str]] = {}
    for name in names:
        by_grain.setdefault(_grain(data.one(name)), []).append(name)
    found = [_values(data, grain, some, several) for grain, some in by_grain.items()]
    return [*found, _members(data)] if several else found


def _values(data: SeriesData, grain: str, names: Sequence[str], several: bool) -> Resource:
    kind: Kind = "date" if grain == "days" else "datetime"
    columns = [
        Column("time", kind, {"en": "Time", "sv": "Tid"}),
        Column("value", "number", {"en": "Value", "sv": "Värde"}, units={"en": data.about.unit}),
        Column("flag", titles={
            "en": "Why a value is missing or to be read with care; empty if nothing is said",
            "sv": "Varför ett värde saknas eller ska läsas med försiktighet; tomt om inget är sagt",
        }),
    ]  # fmt: skip
    if several:
        columns.insert(0, _series_column())

    def batches() -> Iterator[Sequence[Any]]:
        for name in names:
            one = data.one(name)
            times = one.times.astype("datetime64[D]" if grain == "days" else "datetime64[s]")
            rows: list[Any] = [times, one.values, one.flags.tolist()]
            yield [[name] * len(times), *rows] if several else rows

    every = {"days": ("each day", "varje dag"), "hours": ("each hour", "varje timme")}
    english, swedish = every.get(grain, ("each time", "varje tid"))
    titles = {"en": f"A value for {english}", "sv": f"Ett värde för {swedish}"}
    return Resource(
        grain,
        titles,
        columns,
        batches,
        key=("series", "time") if several else ("time",),
        references={"series": "series"} if several else {},
    )


def _members(data: SeriesData) -> Resource:
    labels = data.labels()
    names = unique(["series", *labels])
    columns = [
        _series_column(),
        *(_label(name, label) for name, label in zip(names[1:], labels, strict=True)),
    ]

    def batches() -> Iterator[Sequence[Any]]:
        yield [data.names("series").names, *(column.tolist() for column in labels.values())]

    titles = {"en": "What each series is", "sv": "Vad varje serie är"}
    return Resource("series", titles, columns, batches, key=("series",))


def _series_column() -> Column:
    return Column("series", titles={"en": "Name of the series", "sv": "Seriens namn"})


def _grain(series: SeriesData) -> str:
    unit = np.datetime_data(series.times.dtype)[0]
    return {"D": "days", "h": "hours"}.get(unit, "times")


def _thing(table: TableData) -> Column:
    about = table.about
    return Column(about.thing, titles={"en": about.thing.capitalize()})


def _measure(table: TableData) -> Column:
    about = table.about
    first = unique([about.thing, about.measure])[1]
    return Column(first, titles={"en": about.measure.capitalize()})


_LABELS: Mapping[str, Texts] = {
    "id": {"en": "Identifier", "sv": "Identitet"},
    "title": {"en": "Title", "sv": "Titel"},
    "description": {"en": "Description", "sv": "Beskrivning"},
    "unit": {"en": "Unit", "sv": "Enhet"},
    "theme": {"en": "Theme", "sv": "Tema"},
    "county": {"en": "County", "sv": "Län"},
    "region": {"en": "Region", "sv": "Region"},
    "station": {"en": "Station", "sv": "Station"},
    "grain": {"en": "How far apart its values are", "sv": "Hur tätt värdena ligger"},
    "latitude": {"en": "Latitude", "sv": "Latitud"},
    "longitude": {"en": "Longitude", "sv": "Longitud"},
    "height": {"en": "Height above the sea, m", "sv": "Höjd över havet, m"},
    "live": {
        "en": "Number under which its latest observation is asked for",
        "sv": "Nummer som dess senaste observation hämtas under",
    },
    "zone": {
        "en": "Time zone of its clocks; times of observations are then UTC",
        "sv": "Tidszon för dess klockor; observationers tider är då UTC",
    },
}
"""Labels that the frame itself gives meaning to, in both languages."""


def _label(name: str, label: str) -> Column:
    word, _, code = label.rpartition("_")
    if word in _LABELS and code in LANGUAGES:  # "title_en"
        known = _LABELS[word]
        titles = {to: f"{known[to]} ({_NAMES[code][to]})" for to in LANGUAGES}
        return Column(name, titles=titles)
    return Column(name, titles=_LABELS.get(label, {"en": label.replace("_", " ").capitalize()}))


def _plain(labels: Labels) -> dict[str, Any]:
    """The labels but for the lists of similar rows."""
    return {name: column for name, column in labels.items() if not name.startswith(SIMILAR)}


def _words(table: TableData, label: str) -> list[Texts]:
    """What the data say of each measure, by language: under `label` in the language of the data,
    under `label_en` and so on in that one."""
    labels = table.labels("var")
    own = table.about.lang or "en"
    found: list[dict[str, str]] = [{} for _ in table.names("var").names]
    for language, key in ((own, label), *((code, f"{label}_{code}") for code in LANGUAGES)):
        for texts, text in zip(found, labels.get(key, np.array([])).tolist(), strict=False):
            if text:
                texts[language] = text
    return list(found)
