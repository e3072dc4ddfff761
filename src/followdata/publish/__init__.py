"""A data set published as an open one: files that anyone can read, and what describes them.

    table.csv, .parquet       a table: a row for each thing, its labels, then its measures
    measures.csv, .parquet    what each measure is
    long.csv, .parquet        every value of every time and part, where there are several
    similar.csv, .parquet     which things the provider calls similar, where it does
    days.csv, hours.csv, ...  series, by how far apart their values are
    series.csv, .parquet      what each series is, where there are several
    datapackage.json          Frictionless Data Package (https://specs.frictionlessdata.io)
    croissant.json            Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)
    dataset-metadata.json     the same for Kaggle
    README.md                 where the data come from, their licence, how to cite and to read them
    codebook.en.md, .sv.md    every column, in English and in Swedish
    starter.ipynb             a notebook to begin with

The same data give the same bytes.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from followdata.data import Data
from followdata.errors import InvalidParameter
from followdata.publish.contents import resources
from followdata.publish.folder import replaced_whole
from followdata.publish.package import Package, write

__all__ = ["Package", "archive", "publish"]

MOST_CELLS = 4_000_000
"""Data of more cells are published into a folder only: an archive is made while someone waits."""
_ALWAYS = (1980, 1, 1, 0, 0, 0)
"""The date that every file of an archive has, so that the same data give the same archive."""


def publish(data: Data, folder: Path, *, story: str, name: str) -> Path:
    """Write `data`, which `story` knows by `name`, into `folder`; where that is.

    An earlier export there is replaced, unless something in it was changed since; anything else
    is left alone and refused. Readers see a whole folder or none.

    Raises `InvalidParameter` for a folder that is not an export, `StoreError` where the disk
    cannot be written.
    """
    package = Package(story, name, data.about, data.provenance, data.digest, resources(data))
    with replaced_whole(folder) as aside:
        write(package, aside)
    return folder


def archive(data: Data, scratch: Path, *, story: str, name: str) -> bytes:
    """What `publish` makes, as one zip file; it is written at `scratch` and taken from there.

    Raises `InvalidParameter` for data of more than `MOST_CELLS` values.
    """
    if cells(data) > MOST_CELLS:
        raise InvalidParameter(
            "data",
            f"“{name}” is too large for a download.",
            f"Publish it where it lies: followdata export {story} DIR --data {name}",
        )
    publish(data, scratch, story=story, name=name)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(scratch.iterdir()):
            entry = zipfile.ZipInfo(path.name, _ALWAYS)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, path.read_bytes())
    return packed.getvalue()


def cells(data: Any) -> int:
    """How many values there are, missing ones too."""
    if data.kind == "table":
        return int(np.prod(data.shape)) * (1 + len(data.layers))
    return sum(len(data.one(name).times) for name in data.names("series").names)
