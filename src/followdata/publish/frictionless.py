"""The Data Package descriptor (https://specs.frictionlessdata.io/data-package/, version 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from followdata.publish import licences
from followdata.publish.columns import Column, said
from followdata.publish.package import File, Package, Written, as_json, without_nothing

MARK = "followdata"
"""The property that says that we wrote the descriptor, and what else we wrote."""


def descriptor(package: Package, files: Sequence[File]) -> bytes:
    """The package's tables with their schemas; `files` are those that are not tables."""
    source = package.provenance
    others = [written.parquet for written in package.written] + list(files)
    words = {
        "profile": "tabular-data-package",
        "name": package.slug,
        "id": f"sha256:{package.digest}",
        "title": package.about.title,
        "description": description(package),
        "homepage": web_address(source.url),
        "created": _moment(source.retrieved),
        "licenses": [_licence(source.licence)] if source.licence else [],
        "sources": [without_nothing({"title": source.source, "path": web_address(source.url)})],
        "keywords": [package.story, "open data"],
        "resources": [_resource(written) for written in package.written],
        MARK: {
            "story": package.story,
            "data": package.name,
            "sample": bool(source.sample),
            "partial": bool(source.partial),
            "files": {file.name: file.sha256 for file in [*_tables(package), *others]},
        },
    }
    return as_json(without_nothing(words))


def description(package: Package) -> str:
    """What the data are, from where, and under which terms, in one paragraph."""
    source = package.provenance
    told = [
        package.standing,
        f"Source: {source.source}." if source.source else "",
        f"Cite as: {source.citation}" if source.citation else "",
        f"Terms: {source.licence}." if source.licence else "",
        f"{len(source.refused)} remarks on what was left out or mended are in README.md."
        if source.refused
        else "",
    ]
    return " ".join(filter(None, told))


def web_address(text: str) -> str:
    """`text` if it is an address on the web; nothing for anything else."""
    return text if re.fullmatch(r"https?://[^\s\"'<>\\]+", text) else ""


def _tables(package: Package) -> list[File]:
    return [written.csv for written in package.written]


def _licence(text: str) -> dict[str, str]:
    found = licences.known(text)
    if found:
        return {"name": found.name, "path": found.url, "title": text}
    return {"path": "README.md", "title": text}


def _moment(text: str) -> str:
    """When the data were retrieved, if that is said to the second."""
    return (
        text
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
        else ""
    )


def _resource(written: Written) -> dict[str, Any]:
    resource, headings = written.resource, written.headings
    shown = dict(zip((c.name for c in resource.columns), headings, strict=True))
    schema = {
        "fields": [_field(c, name) for c, name in zip(resource.columns, headings, strict=True)],
        "missingValues": [""],
        "primaryKey": [shown[name] for name in resource.key],
        "foreignKeys": [
            {"fields": [shown[name]], "reference": {"resource": other, "fields": [shown[name]]}}
            for name, other in resource.references.items()
        ],
    }
    return {
        "profile": "tabular-data-resource",
        "name": resource.name,
        "path": written.csv.name,
        "title": said(resource.titles, "en")[0],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": written.csv.size,
        "hash": f"sha256:{written.csv.sha256}",
        "schema": without_nothing(schema),
    }


def _field(column: Column, heading: str) -> dict[str, Any]:
    title, language = said(column.titles, "en")
    explained, explained_in = said(column.descriptions, "en")
    words = {
        "name": heading,
        "type": column.kind,
        "title": title,
        "description": explained,
        "unit": column.unit,
        "lang": next((code for text, code in ((title, language), (explained, explained_in))
                      if text and code != "en"), ""),
        "titles": dict(column.titles) if len(column.titles) > 1 else {},
        "descriptions": dict(column.descriptions) if len(column.descriptions) > 1 else {},
    }  # fmt: skip
    return without_nothing(words)
