"""Spreadsheets to test with, written by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    """A spreadsheet as small as they can be: sheets with their rows; `None` is an empty cell."""

    def cell(value: object) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    names = [f"sheet{n}.xml" for n in range(1, len(sheets) + 1)]
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{escape(title)}" sheetId="{n}" r:id="r{n}"/>'
            for n, (title, _) in enumerate(sheets, 1)
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        related = "".join(
            f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/{name}"/>'
            for n, name in enumerate(names, 1)
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{related}</Relationships>',
        )
        for name, (_, rows) in zip(names, sheets, strict=True):
            data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            book.writestr(
                f"xl/worksheets/{name}",
                f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>',
            )
    return path
