"""Kolada, the key figures of Swedish municipalities, from its API (v3) and from its files.

KPI identifiers say nothing: N01951 is the population only because the catalogue says so. All
text is Swedish, and a KPI's unit stands in its title.
"""

from followdata.sources.kolada.api import fetch_year
from followdata.sources.kolada.figures import KOLADA, unit_of
from followdata.sources.kolada.files import read_files

__all__ = ["KOLADA", "fetch_year", "read_files", "unit_of"]
