"""Metadata in the form that Kaggle takes with an upload
(https://github.com/Kaggle/kaggle-api/blob/main/docs/datasets_metadata.md)."""

from __future__ import annotations

from typing import Any

from followdata.publish import licences
from followdata.publish.columns import Column, Kind, said
from followdata.publish.frictionless import description
from followdata.publish.package import Package, Written, as_json, without_nothing

OWNER = "USERNAME"
"""Whoever uploads puts the name of the account in its place."""
_TITLE, _SUBTITLE, _SLUG = (6, 50), (20, 80), (3, 50)
"""The least and most letters that Kaggle takes."""
_TYPES: dict[Kind, str] = {
    "string": "string",
    "number": "numeric",
    "date": "datetime",
    "datetime": "datetime",
}


def metadata(package: Package) -> bytes:
    """Title, terms and every column of every CSV."""
    licence = licences.known(package.provenance.licence)
    kind = "A sample of real data" if package.provenance.sample else "Open data"
    words = {
        "title": _within(package.about.title, _TITLE, f"{package.about.title} data"),
        "subtitle": _within(
            f"{kind}: {package.about.title}", _SUBTITLE, f"{kind} of {package.story}"
        ),
        "description": description(package),
        "id": f"{OWNER}/{package.slug[: _SLUG[1]].strip('-')}",
        "licenses": [{"name": licence.kaggle if licence else "other"}],
        "keywords": [],
        "resources": [_resource(written) for written in package.written],
    }
    return as_json(words)


def _resource(written: Written) -> dict[str, Any]:
    columns = zip(written.resource.columns, written.headings, strict=True)
    return {
        "path": written.csv.name,
        "description": said(written.resource.titles, "en")[0],
        "schema": {"fields": [_field(column, heading) for column, heading in columns]},
    }


def _field(column: Column, heading: str) -> dict[str, str]:
    title = said(column.titles, "en")[0] or heading
    unit = f" ({column.unit})" if column.unit else ""
    return without_nothing(
        {"name": heading, "title": f"{title}{unit}", "type": _TYPES[column.kind]}
    )


def _within(text: str, limits: tuple[int, int], instead: str) -> str:
    """`text` cut between words to the most letters; `instead` where it has too few.

    >>> _within("Swedish municipalities, Kolada 2022", (6, 30), "")
    'Swedish municipalities, Kolada'
    """
    least, most = limits
    text = " ".join(text.split())
    if len(text) > most:
        text = text[: most + 1].rpartition(" ")[0] or text[:most]
    text = text.rstrip(" ,;:–-")
    return text if len(text) >= least else f"{instead:.<{least}}"[:most]
