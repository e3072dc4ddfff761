"""A Kolada to test with: it answers as version 3 of the API does, from figures that are invented.

>>> import httpx
>>> kolada = PretendKolada.small()
>>> with httpx.Client(transport=httpx.MockTransport(kolada)) as client:
...     client.get("https://api.kolada.se/v3/data/kpi/N01951/year/2022").json()["count"]
9
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx

API = "https://api.kolada.se/v3/"
_MOST_IDS = 25
_LISTS = ("kpi", "municipality", "municipality_groups")


@dataclass(frozen=True)
class PretendKolada:
    """Kolada with these `indicators`, `places` and `values`.

    `indicators`, `places` and `groups` are as the API gives them; `values` are totals by KPI,
    place and year, `None` for a value that is not published. Answers come in pages of `page`
    entries. The pages of the address that begins with `repeats` name themselves as the next one.
    """

    indicators: Sequence[Mapping[str, Any]]
    places: Sequence[Mapping[str, str]]
    values: Mapping[tuple[str, str, int], float | None]
    groups: Sequence[Mapping[str, Any]] = ()
    base: str = API
    page: int = 5000
    repeats: str = "-"

    @classmethod
    def small(cls, kpis: int = 60, year: int = 2022, **options: Any) -> PretendKolada:
        """Seven invented towns, a region and the country, with up to 10 000 KPIs.

        The first KPI is for regions only, the last two have no values at all, and every seventh
        value is missing, with and without an entry that says so.
        """
        names = ["Påhittstad", "Exempelby", "Provköping", "Låtsasvik", "Sagolunda", "Testinge"]
        codes = ["0198", "0199", "1299", "1489", "2499", "2599"]
        places = [
            {"id": "0000", "title": "Riket", "type": "L"},
            {"id": "0099", "title": "Region Påhitt", "type": "L"},
            *({"id": id, "title": t, "type": "K"} for id, t in zip(codes, names, strict=True)),
            {"id": "0398", "title": "Ödeby", "type": "K"},
        ]
        ids = ["N01951", *(f"N{number:05}" for number in range(10_000, 10_000 + kpis - 1))]
        indicators = [_indicator(number, id) for number, id in enumerate(ids)]
        values: dict[tuple[str, str, int], float | None] = {}
        for i, kpi in enumerate(ids[: kpis - 2]):
            for j, place in enumerate(places):
                if (i == 1 and place["type"] == "K") or (3 * i + j) % 14 == 13:
                    continue
                missing = (3 * i + j) % 14 == 6
                values[kpi, place["id"], year] = None if missing else i + j / 8 + 0.1
        return cls(indicators, places, values, _groups(places), **options)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request."""
        path = request.url.path.removeprefix(httpx.URL(self.base).path)
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if any(part.count(",") >= _MOST_IDS for part in parts):
            return httpx.Response(400, json={"detail": f"at most {_MOST_IDS} ids"})
        if parts[0] == "data" and len(parts) > 4 and len(parts) % 2:
            found = list(self._data(dict(zip(parts[1::2], parts[2::2], strict=True))))
        elif parts[0] in _LISTS and len(parts) <= 2:
            entries = {
                "kpi": self.indicators,
                "municipality": self.places,
                "municipality_groups": self.groups,
            }[parts[0]]
            wanted = parts[1].split(",") if len(parts) == 2 else [entry["id"] for entry in entries]
            found = [dict(entry) for entry in entries if entry["id"] in wanted]
        else:
            return httpx.Response(404, json={"detail": "Not Found"})
        return self._paged(request, path, found)

    def _data(self, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        wanted = {name: ids.split(",") for name, ids in asked.items()}
        for (kpi, place, year), value in self.values.items():
            given = {"kpi": kpi, "municipality": place, "year": str(year)}
            if all(given[name] in ids for name, ids in wanted.items()):
                # Men and women differ from the total, so that taking them for it shows.
                totals = {"M": None, "K": None} if value is None else {"M": value - 1, "K": -value}
                yield {
                    "kpi": kpi,
                    "municipality": place,
                    "period": year,
                    "values": [
                        {"gender": gender, "count": 1, "status": "", "value": number,
                         "isdeleted": False}
                        for gender, number in {"K": totals["K"], "T": value, **totals}.items()
                    ],
                }  # fmt: skip

    def _paged(self, request: httpx.Request, path: str, found: list[Any]) -> httpx.Response:
        number = int(request.url.params.get("page", 1))
        size = min(int(request.url.params.get("per_page", self.page)), self.page)
        shown = found[(number - 1) * size : number * size]
        following = number if path.startswith(self.repeats) and number > 1 else number + 1
        more = len(found) > number * size or following == number
        url = f"{self.base}{path}?page={{}}&per_page={size}"
        return httpx.Response(
            200,
            json={
                "values": shown,
                "count": len(shown),
                "previous_url": url.format(number - 1) if number > 1 else None,
                "next_url": url.format(following) if more else None,
            },
        )


def _groups(places: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """For each town the two that are listed after it, in one year and the other way in the next."""
    towns = [place for place in places if place["type"] == "K"]
    groups: list[dict[str, Any]] = [{"id": "G1", "title": "Alla (ovägt medel)", "members": []}]
    for year, step in ((2023, 1), (2024, -1)):
        for at, town in enumerate(towns):
            similar = [towns[(at + step * away) % len(towns)] for away in (1, 2)]
            groups.append(
                {
                    "id": f"G{year}{at}",
                    "title": f"Liknande kommuner grundskola, {town['title']}, {year}",
                    "members": [
                        {"member_id": place["id"], "member_title": place["title"]}
                        for place in similar
                    ],
                }
            )
    return groups


def _indicator(number: int, id: str) -> dict[str, Any]:
    units = ["antal", "andel (%)", "kr/inv", "index"]
    population = "Invånare totalt, antal"
    return {
        "id": id,
        "title": population if id == "N01951" else f"Påhittat mått {number}, {units[number % 4]}",
        "description": "Ett påhittat mått. Källa: ingen.",
        "is_divided_by_gender": True,
        "municipality_type": "L" if number == 1 else ("K", "A")[number % 2],
        "auspice": "X",
        "operating_area": ["Befolkning", "Miljö", "Skola"][number % 3],
        "perspective": None if number == 4 else "Volymer",
        "prel_publication_date": None,
        "publication_date": "2027-01-16",
        "publ_period": "2026",
        "has_ou_data": False,
    }
