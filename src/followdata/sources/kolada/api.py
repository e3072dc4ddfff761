"""Kolada's API, version 3 (https://api.kolada.se/v3/docs).

A data item holds the values of one KPI, one municipality or region and one year, by gender (T is
all). The catalogue is longer than one page. A KPI that is not known, or that has no values, gives
an empty list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from followdata.data import Layer, MemoryTable
from followdata.errors import InvalidInput, Refused
from followdata.sources.client import Provider
from followdata.sources.kolada.figures import KOLADA, PARTS, Figures, Indicator, Notice, is_kpi
from followdata.sources.kolada.groups import similar_of

if TYPE_CHECKING:
    from followdata.sources.client import Client
    from followdata.sources.fetching import Fetching

MOST_IDS = 25
"""The API takes at most so many identifiers in one part of an address."""


SoFar = Callable[[Callable[[], MemoryTable | None], bool], None]
"""`so_far(make, last)`: told of what has come, whenever a segment has and before an error."""


def _untold(make: Callable[[], MemoryTable | None], last: bool) -> None:
    """For whom only the whole is of use."""


def fetch_year(
    fetching: Fetching,
    year: int,
    provider: Provider = KOLADA,
    *,
    since: int | None = None,
    so_far: SoFar = _untold,
) -> MemoryTable:
    """All KPIs of all municipalities in one year; women and men, and the years from `since` on,
    as layers.

    Municipalities x KPIs; NaN where Kolada has no value. KPIs without any value in `year` are left
    out. What was refused on the way is in the provenance.

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
        years = [*range(since, year), year] if since is not None else [year]
        done = 0

        def came() -> MemoryTable | None:
            return (
                _part(figures, provider, fetching, done, len(kpis)) if not figures.empty else None
            )

        try:
            for done in range(0, len(kpis), MOST_IDS):
                fetching.progress(done, len(kpis), "indicators")
                so_far(came, False)
                for some in _lists(map(str, years)):
                    # v3 says with an empty list that there are no values; v2 with a 404.
                    address = f"data/kpi/{','.join(kpis[done : done + MOST_IDS])}/year/{some}"
                    for item in pages(address, absent={"values": []}):
                        _take(item, figures, years)
        except BaseException:
            so_far(came, True)
            raise
        fetching.progress(len(kpis), len(kpis), "indicators")
    if figures.empty:
        raise Refused(f"{provider.name} has no values for {year}.", "Try another year.")
    return figures.table(provider, retrieved=fetching.now, notice=fetching.notice)


def _part(
    figures: Figures, provider: Provider, fetching: Fetching, done: int, total: int
) -> MemoryTable:
    """What has come so far, marked as that."""

    def told(text: str) -> None:
        """The whole will be told of."""

    table = figures.table(provider, retrieved=fetching.now, notice=told)
    words = f"{done:,} of {total:,} indicators have come so far"
    return replace(table, provenance=replace(table.provenance, partial=words))


def _lists(ids: Iterable[str]) -> Iterator[str]:
    """Identifiers with commas between, as many at a time as an address may hold."""
    left = list(ids)
    while left:
        yield ",".join(left[:MOST_IDS])
        del left[:MOST_IDS]


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


def _take(item: Mapping[str, Any], figures: Figures, years: Sequence[int]) -> None:
    """Take in the values of a data item: all, women and men."""
    kpi, code = str(item.get("kpi")), str(item.get("municipality"))
    if code not in figures.municipalities:
        return  # a region, or the whole country
    place, period = f"{kpi} of {figures.title(code)}", str(item.get("period"))
    if kpi not in figures.values or not period.isdecimal() or int(period) not in years:
        figures.refuse(f"{place} in {item.get('period')}: was not asked for")
        return
    values = item.get("values")
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        figures.refuse(f"{place}: has no list of values")
        return
    for entry in values:
        value, gender = entry.get("value"), entry.get("gender")
        if gender not in ("T", *PARTS) or entry.get("isdeleted") or value is None:
            continue
        if (
            not isinstance(value, int | float)
            or not math.isfinite(value)
            or isinstance(value, bool)
        ):
            figures.refuse(f"{place}: “{value}” is not a number")
        elif gender == "T" and int(period) == figures.year:
            figures.put(kpi, code, float(value), "API")
        else:
            layer = Layer(period, PARTS.get(gender, ""))
            figures.put_other(layer, kpi, code, float(value), "API")
