"""Files that hold tables, good and hostile, for tests of whatever reads them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from followdata.errors import FollowdataError
from followdata.sources.tables import Reading, open_table
from followdata.sources.tables.files import column_letters

TEXT = (
    "kommun;län;invånare;andel (%)\nUmeå;Västerbotten;130 224;12,5\n"
    "Lund;Skåne;127 376;−3\nKil;Värmland;12 012;NA\nTotalt;;269 612;\n"
)
LONG = "town,kpi,year,value\n" + "".join(
    f"{town},{kpi},{year},{n}\n"
    for n, (town, kpi, year) in enumerate(
        (town, kpi, year) for town in "abc" for kpi in ("x", "y") for year in (2020, 2021)
    )
)
GCT = "#1.3\n2\t2\t1\t1\nid\tsymbol\ts1\ts2\ntissue\tna\tbrain\tliver\ng1\tA\t1\t2\ng2\tB\t3\t4\n"


def workbook(
    rows: Sequence[Sequence[object]], *, merged: str = "", sheet: str = "Data", dimension: str = ""
) -> bytes:
    """A small Excel workbook with one sheet; `merged` is a range such as "B1:C1".

    `dimension` is a cell that is there beside the rows, such as "XFD1048576".
    """
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{column_letters(at)}{number}", v) for at, v in enumerate(row, 1))
        lines.append(f'<row r="{number}">{cells}</row>')
    if dimension:
        last = dimension.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        lines.append(f'<row r="{last}">{_cell(dimension, 1)}</row>')
    ranges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet '
        f'name="{escape(sheet)}" sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData>"
        f"{ranges}</worksheet>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return packed.getvalue()


def _cell(place: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


@cache
def seeds() -> dict[str, bytes]:
    """A small good file of each kind, by its name."""
    import pyarrow as pa
    from pyarrow import parquet

    packed = io.BytesIO()
    np.savez(packed, X=np.eye(3), names=np.array(["a", "b", "c"]))
    table = io.BytesIO()
    parquet.write_table(pa.table({"id": ["a", "b", "c"], "x": [1.5, None, 3.0]}), table)
    text = TEXT.encode()
    return {
        "plain.csv": text,
        "long.csv": LONG.encode(),
        "windows.csv": TEXT.replace("−", "-").encode("cp1252"),
        "utf16.csv": TEXT.encode("utf-16"),
        "titled.tsv": b"A title\n\nid\ta\tb\nx\t1\t2.5\ny\t3\t4e1\nSource: me\n",
        "r.txt": b"mpg\tcyl\nMazda\t21\t6\nFiat\t32\t4\n",
        "blanks.txt": b"1  2.5   3\n4  5     6\n",
        "small.gct": GCT.encode(),
        "packed.csv.gz": gzip.compress(text, mtime=0),
        "packed.csv.xz": lzma.compress(text),
        "packed.csv.bz2": bz2.compress(text),
        "book.xlsx": workbook([["A title"], ["id", "a", "b"], ["x", 1, 2.5], ["y", 3, ""]]),
        "table.parquet": table.getvalue(),
        "arrays.npz": packed.getvalue(),
        "cells.h5ad": _h5ad(),
    }


def _h5ad() -> bytes:
    import pandas as pd
    from anndata import AnnData

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "cells.h5ad"
        obs = pd.DataFrame({"kind": ["a", "b"]}, index=["s1", "s2"])
        AnnData(np.eye(2), obs, pd.DataFrame(index=["g1", "g2"])).write_h5ad(path)
        return path.read_bytes()


def refusal(path: Path, scratch: Path, reading: Reading | None = None) -> str:
    """What is said of a file that is no table, "" for one that is.

    Anything else that its reading might raise goes through: it would be a defect. So would a word
    that is no single line, a table of no rows or columns, or one whose names are not unique.
    """
    try:
        read = open_table(
            [path], retrieved="", reading=reading or Reading(), scratch=scratch, progress=None
        )
    except FollowdataError as error:
        said = str(error)
        if not said or "\n" in said or len(said) > 2000:
            raise AssertionError(f"no clear message: {said[:300]!r}") from error
        return said
    n, p = read.table.shape
    if not n or not p:
        raise AssertionError("a table without rows or columns")
    if not np.isfinite(read.table.X[~np.isnan(read.table.X)]).all():
        raise AssertionError("an infinite value")
    return ""
