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

from pathlib import Path

from followdata.data import Data
from followdata.publish.contents import resources
from followdata.publish.folder import replaced_whole
from followdata.publish.package import Package, write

__all__ = ["Package", "publish"]


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
