"""Anyone's own table: what is in a file, guessed from the file and from what its owner says.

What is read follows from the file alone, unless a `Reading` says otherwise:

- Text with commas, tabs, semicolons, bars or blanks between the values; sheets of Excel workbooks;
  Parquet, h5ad, Zarr and GCT. Gzip, xz and bzip2 are undone. Text is UTF-8, UTF-16 with its mark,
  or else Windows-1252.
- Titles above the headings, notes under the table and rows of totals are passed over. The first row
  that is left names the columns, unless all of it is numbers: then it is data.
- The first column names the rows if it is headed like an identifier (nothing, "id", "sample",
  "patient_id", ...), or if it holds words of which none comes twice; so does the second beside one
  of codes.
- A column in which every value is a number is a measure. One that holds words is a label of the
  rows, and one that holds nothing is left out.
- Nothing, NA, N/A, NaN, null and ? are missing values; so are, among numbers, dots, dashes and what
  Excel writes for errors.
- With semicolons between the values a comma is a decimal comma, as European spreadsheets write
  it, and wherever a number can only be read so.
- A table with a row for each value (a thing, a measure, a value, perhaps a year) is laid out with a
  row for each thing. Several files are the years in their names.

`read_table` reads one file or several into memory, `open_table` takes one of any size.
"""

from __future__ import annotations

from followdata.sources.tables.columns import told_apart
from followdata.sources.tables.numbers import MISSING, read_number
from followdata.sources.tables.opening import TableFile, open_table, read_rows, read_table
from followdata.sources.tables.reading import Reading
from followdata.sources.tables.rows import Rows, decoded, read_text

__all__ = [
    "MISSING",
    "Reading",
    "Rows",
    "TableFile",
    "decoded",
    "open_table",
    "read_number",
    "read_rows",
    "read_table",
    "read_text",
    "told_apart",
]
