"""Kolada's API, version 3 (https://api.kolada.se/v3/docs).

A data item holds the values of one KPI, one municipality or region and one year, by gender (T is
all). The catalogue is longer than one page. A KPI that is not known, or that has no values, gives
an empty list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from followdata.data import MemoryTable
from followdata.errors import InvalidInput, Refused
from followdata.sources.client import Provider
from followdata.sources.kolada.figures import KOLADA, Figures, Indicator, Notice, is_kpi
from followdata.sources.kolada.groups import similar_of

if TYPE_CHECKING:
    from followdata.sources.client import Client
    from followdata.sources.fetching import Fetching

MOST_IDS = 25
"""The API takes at most so many identifiers in one part of an address."""


def fetch_year(fetching: Fetching, year: int, provider: Provider = KOLADA) -> MemoryTable:
    """All KPIs of all municipalities in one year, genders together.

    Municipalities x KPIs; NaN where Kolada has no value. KPIs without any value are left out.
    What was refused on the way is in the provenance.

    Raises `Refused` for a year without values, `InvalidInput` for a reply that is not what the
    API says, and what `followdata.sources.client` raises.
    """
    figures = Figures(year)
    with fetching.client(provider) as client:
        pages = partial(_pages, client, figures, fetching.notice)
        for entry in pages("kpi"):
            _list_kpi(entry, figures)
        for entry in pages("municipality"):
            if entry.get("type") == "K":
                figures.admit(str(entry.get("id")), str(entry.get("title") or ""), "municipality")
        figures.similar = similar_of(pages("municipality_groups", absent={"values": []}))
        kpis = sorted(figures.values)
        for start in range(0, len(kpis), MOST_IDS):
            fetching.progress(start, len(kpis), "indicators")
            ids = ",".join(kpis[start : start + MOST_IDS])
            # v3 says with an empty list that there are no values; v2 said it with a 404.
            for item in pages(f"data/kpi/{ids}/year/{year}", absent={"values": []}):
                _take(item, figures)
        fetching.progress(len(kpis), len(kpis), "indicators")
    if figures.empty:
        raise Refused(f"{provider.name} has no values for {year}.", "Try another year.")
    return figures.table(provider, retrieved=fetching.now, notice=fetching.notice)


def _pages(
    client: Client, figures: Figures, notice: Notice, address: str, absent: Any = ...
) -> Iterator[Mapping[str, Any]]:
    """The entries of a list that comes in pages."""
    url = client.address(address)
    visited = set()
    while url:
        visited.add(url)
        reply = client.json(url, absent=absent)
        if not isinstance(reply, dict) or not isinstance(reply.get("values"), list):
            raise InvalidInput(url, "the reply has no list called “values”.", where="$")
        for entry in reply["values"]:
            if isinstance(entry, dict):
                yield entry
            else:
                figures.refuse(f"{address}: “{str(entry)[:40]}” is not an entry")
        # v2 called it next_page. On the last page it is not there, null or "".
        following = reply.get("next_url") or reply.get("next_page")
        url = client.address(str(following)) if following else ""
        if url in visited:
            notice(f"A page of {address} says that the next is one before it; reading ended there.")
            figures.refuse(
                f"{address}: what comes after page {len(visited)}, which names no new one"
            )
            return


def _list_kpi(entry: Mapping[str, Any], figures: Figures) -> None:
    """Take in an entry of the catalogue, unless it is for regions only."""
    kpi = str(entry.get("id"))
    if not is_kpi(kpi):
        figures.refuse(f"catalogue: “{kpi}” is not the identifier of a KPI")
    elif entry.get("municipality_type") != "L":
        figures.catalogue[kpi] = Indicator.read(entry)
        figures.values[kpi] = {}


def _take(item: Mapping[str, Any], figures: Figures) -> None:
    """Take in the total of a data item."""
    kpi, code = str(item.get("kpi")), str(item.get("municipality"))
    if code not in figures.municipalities:
        return  # a region, or the whole country
    place = f"{kpi} of {figures.title(code)}"
    if kpi not in figures.values or str(item.get("period")) != str(figures.year):
        figures.refuse(f"{place} in {item.get('period')}: was not asked for")
        return
    values = item.get("values")
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        figures.refuse(f"{place}: has no list of values")
        return
    for entry in values:
        value = entry.get("value")
        if entry.get("gender") != "T" or entry.get("isdeleted") or value is None:
            continue
        if isinstance(value, int | float) and math.isfinite(value) and value is not True:
            figures.put(kpi, code, float(value), "API")
        else:
            figures.refuse(f"{place}: “{value}” is not a number")
