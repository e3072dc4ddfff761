"""Croissant metadata (https://docs.mlcommons.org/croissant/docs/croissant-spec.html, 1.0)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from followdata.publish import licences
from followdata.publish.columns import Column, Kind, said
from followdata.publish.frictionless import description, web_address
from followdata.publish.package import File, Package, Written, as_json, without_nothing

_OURS = (
    "citeAs", "column", "conformsTo", "cr", "data", "dataType", "dct", "equivalentProperty",
    "examples", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "rai", "recordSet",
    "references", "regex", "repeated", "replace", "samplingRate", "sc", "separator", "source",
    "subField", "transform",
)  # fmt: skip
_TERMS: dict[str, Any] = {
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: _TERMS.get(term, f"cr:{term}") for term in _OURS},
}
_TYPES: dict[Kind, str] = {
    "string": "sc:Text",
    "number": "sc:Float",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}


def metadata(package: Package) -> bytes:
    """The files, and for each table the record set that is read out of its Parquet file."""
    source = package.provenance
    licence = licences.known(source.licence)
    day = re.match(r"\d{4}-\d\d-\d\d", source.retrieved)
    words = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": package.slug,
        "alternateName": package.about.title,
        "description": description(package),
        "url": web_address(source.url),
        "license": licence.url if licence else source.licence,
        "citeAs": source.citation or source.source,
        "creator": {"@type": "sc:Organization", "name": source.source or package.story},
        "datePublished": day[0] if day else "",
        "version": "1.0.0",
        "keywords": [package.story, "open data"],
        "distribution": [
            _file_object(file, form)
            for written in package.written
            for file, form in (
                (written.csv, "text/csv"),
                (written.parquet, "application/x-parquet"),
            )
        ],
        "recordSet": [_record_set(written) for written in package.written],
    }
    return as_json(without_nothing(words))


def _file_object(file: File, form: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": form,
        "sha256": file.sha256,
    }


def _record_set(written: Written) -> dict[str, Any]:
    resource = written.resource
    words = {
        "@type": "cr:RecordSet",
        "@id": resource.name,
        "name": resource.name,
        "description": said(resource.titles, "en")[0],
        "key": [{"@id": _id(resource.name, name)} for name in resource.key],
        "field": [_field(written, column) for column in resource.columns],
    }
    return without_nothing(words)


def _field(written: Written, column: Column) -> dict[str, Any]:
    resource = written.resource
    title, explained = (said(texts, "en")[0] for texts in (column.titles, column.descriptions))
    unit = f" ({column.unit})" if column.unit else ""
    other = resource.references.get(column.name)
    words = {
        "@type": "cr:Field",
        "@id": _id(resource.name, column.name),
        "name": column.name,
        "description": ". ".join(filter(None, [f"{title or column.name}{unit}", explained])),
        "dataType": _TYPES[column.kind],
        "source": {
            "fileObject": {"@id": written.parquet.name},
            "extract": {"column": column.name},
        },
        "references": {"field": {"@id": _id(other, column.name)}} if other else {},
    }
    return without_nothing(words)


def _id(resource: str, column: str) -> str:
    """An identifier within the document; a name of the data may hold anything."""
    return f"{resource}/{quote(column, safe='')}"
