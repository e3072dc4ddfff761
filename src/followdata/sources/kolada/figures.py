"""The key figures of one year as they are found, and the table that they become."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from followdata.answer import listing
from followdata.data import About, Floats, Labels, Layer, Layers, MemoryTable
from followdata.sources.client import Provider
from followdata.sources.kolada.groups import Similar, similar_labels
from followdata.sources.sweden import COUNTIES

KOLADA = Provider(
    name="Kolada",
    url="https://api.kolada.se/v3/",
    # No limit is documented; this is what its public clients keep to.
    pace=5.0,
    source="Kolada (RKA)",
    licence="Free use; state “Källa: Kolada”; processed values may not be attributed to Kolada.",
    citation="Källa: Kolada",
)
POPULATION = "N01951"
PARTS = {"K": "women", "M": "men"}
"""What Kolada's letters for the two sexes stand for; T is all."""

_KPI = re.compile(r"[A-Z]\d{5}", re.ASCII)
_MOST_REASONS = 100

Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What the catalogue says of a KPI, in Swedish."""

    title: str
    description: str = ""
    theme: str = ""
    perspective: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Indicator:
        """An entry of the catalogue, as the API or a file gives it."""
        title, description, theme, perspective = (
            # Older catalogues have the two letters \n where a line ends.
            " ".join(str(entry.get(name) or "").replace("\\n", " ").split())
            for name in ("title", "description", "operating_area", "perspective")
        )
        return cls(title, description, theme, perspective)


@dataclass
class Figures:
    """The figures of one year, taken in one by one from a reply or a file.

    `municipalities` are titles by code, `counties` county codes by municipality code where a list
    gives them, `values` are by KPI and then by municipality code. `others` are those of other
    years and of women and men: by layer and KPI, in the order of `municipalities`, NaN where there
    is none. `similar` are Kolada's groups of similar municipalities. `refused` counts what could
    not be taken in, by reason.
    """

    year: int
    municipalities: dict[str, str] = field(default_factory=dict)
    counties: dict[str, str] = field(default_factory=dict)
    catalogue: dict[str, Indicator] = field(default_factory=dict)
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    others: dict[Layer, dict[str, Floats]] = field(default_factory=dict)
    similar: Similar = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Count something that cannot be taken in."""
        if reason not in self.refused and len(self.refused) >= _MOST_REASONS:
            reason = "and more like these"
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def admit(self, code: str, title: str, place: str) -> str:
        """Take in a municipality; its code, or "" if it is none."""
        # A spreadsheet takes the code for a number, and its first zero away.
        whole = code.strip().zfill(4) if len(code.strip()) == 3 else code.strip()
        if not re.fullmatch(r"\d{4}", whole, re.ASCII) or whole[:2] not in COUNTIES:
            named = f"“{code}” ({title})" if title else f"“{code}”"
            self.refuse(f"{place}: {named} is not the code of a municipality")
            return ""
        if not self.municipalities.get(whole):
            self.municipalities[whole] = " ".join(title.split())
        return whole

    def put(self, kpi: str, code: str, value: float, place: str) -> None:
        """Take in a value; of two that contradict each other the first stays."""
        first = self.values.setdefault(kpi, {}).setdefault(code, value)
        if first != value:
            self.refuse(f"{place}: {kpi} of {self.title(code)} is {value!r} after {first!r}")

    def other(self, layer: Layer, kpi: str, code: str, *, default: float) -> float:
        """The value of another year or of a part, or `default` where there is none yet."""
        found = self.others.get(layer, {}).get(kpi)
        value = float("nan") if found is None else float(found[self.row[code]])
        return default if np.isnan(value) else value

    def put_other(self, layer: Layer, kpi: str, code: str, value: float, place: str) -> None:
        """Take in a value of another year or of a part, once all municipalities are known."""
        kpis = self.others.setdefault(layer, {})
        if kpi not in kpis:
            kpis[kpi] = np.full(len(self.municipalities), np.nan)
        found, row = kpis[kpi], self.row[code]
        first = float(found[row])
        if first != first:  # NaN
            found[row] = value
        elif first != value and not math.isclose(first, value, rel_tol=1e-6):
            where = f"{kpi} of {self.title(code)}, {layer.name}"
            self.refuse(f"{place}: {where} is {value!r} after {first!r}")

    @cached_property
    def row(self) -> dict[str, int]:
        """Where each municipality stands in `others`."""
        return {code: row for row, code in enumerate(self.municipalities)}

    def title(self, code: str) -> str:
        """What the municipality is called."""
        return self.municipalities.get(code) or code

    @property
    def empty(self) -> bool:
        return not any(self.values.values())

    def table(
        self, provider: Provider, *, retrieved: datetime | str, notice: Notice
    ) -> MemoryTable:
        """Municipalities, by code, x KPIs, by identifier, that have a value; NaN is missing."""
        codes = sorted(self.municipalities)
        kpis = sorted(kpi for kpi, values in self.values.items() if values)
        self._tell(kpis, notice)
        row = {code: position for position, code in enumerate(codes)}
        X = np.full((len(codes), len(kpis)), np.nan)
        for column, kpi in enumerate(kpis):
            for code, value in self.values[kpi].items():
                X[row[code], column] = value
        order = [self.row[code] for code in codes] if self.others else []
        place = {kpi: column for column, kpi in enumerate(kpis)}

        def other(layer: Layer) -> Floats:
            values = np.full(X.shape, np.nan)
            for kpi, found in self.others[layer].items():
                if kpi in place:
                    values[:, place[kpi]] = found[order]
            return values

        layers = sorted(
            layer for layer, found in self.others.items() if found.keys() & place.keys()
        )
        listed = [self.catalogue.get(kpi) or Indicator(title=kpi) for kpi in kpis]
        counties = [self.counties.get(code) or code[:2] for code in codes]
        titles = [self.title(code) for code in codes]
        names = _unique(titles, codes)
        return MemoryTable(
            X,
            names,
            kpis,
            About(
                title=f"Swedish municipalities, Kolada {self.year}",
                thing="town",
                things="towns",
                measure="indicator",
                measures="indicators",
                size=POPULATION if POPULATION in kpis else "",
                label="county",
                lang="sv",
                boundaries="sweden-municipalities",
                time=str(self.year),
            ),
            obs={
                **_labels(id=codes, county=[COUNTIES.get(county, county) for county in counties]),
                **similar_labels(self.similar, codes, titles, names),
            },
            var=_labels(
                title=[indicator.title or kpi for indicator, kpi in zip(listed, kpis, strict=True)],
                description=[indicator.description for indicator in listed],
                unit=[unit_of(indicator.title) for indicator in listed],
                theme=[indicator.theme for indicator in listed],
                perspective=[indicator.perspective for indicator in listed],
            ),
            provenance=provider.provenance(
                retrieved,
                refused=tuple(
                    f"{reason} ({times} times)" if times > 1 else reason
                    for reason, times in self.refused.items()
                ),
            ),
            layers=Layers(layers, other),
        )

    def _tell(self, kpis: Sequence[str], notice: Notice) -> None:
        empty = len(self.values) - len(kpis)
        if empty:
            notice(
                f"{empty:,} of {len(self.values):,} indicators have no value for any town in "
                f"{self.year} and are left out."
            )
        unlisted = [kpi for kpi in kpis if kpi not in self.catalogue]
        if unlisted and self.catalogue:
            notice(f"Not in the catalogue, so without a title: {listing(unlisted)}.")
        if self.refused:
            times = sum(self.refused.values())
            notice(f"Refused, {times:,} in all; the first: {next(iter(self.refused))}.")


def is_kpi(text: str) -> bool:
    """Whether `text` has the form of a KPI's identifier."""
    return _KPI.fullmatch(text) is not None


def _labels(**columns: Sequence[str]) -> Labels:
    return {name: np.array(column, dtype=str) for name, column in columns.items()}


def _unique(titles: Sequence[str], codes: Sequence[str]) -> list[str]:
    return [
        f"{title} ({code})" if titles.count(title) > 1 else title
        for title, code in zip(titles, codes, strict=True)
    ]


# What a part of a title must be to be taken for a unit, and the unit; "" for the part itself.
_AMOUNTS = (
    "antal|(?:1000 )?kr|kronor|tkr|mn?kr|miljoner kronor|[kMG]Wh|kg|gram|ton(?: [\\w-]+)?|mil|meter"
    "|km|kvm|kbm|kvadratkilometer|hektar|liter|inv|recept|år|dagar|timmar|minuter|poäng"
)
_UNITS = tuple(
    (re.compile(pattern, re.IGNORECASE), unit)
    for pattern, unit in (
        (r".*%.*|(andel )?procent", "%"),
        (r"procentenheter|Mbit/s", ""),
        (r"promille\b.*", "‰"),
        (r"\S*index\b.*", "index"),
        (r".*\(MW\)|MW", "MW"),
        (r"mediantid i minuter\.?", "minuter"),
        (r"antal dagar", "dagar"),
        (rf"({_AMOUNTS})(\s*/.*)?", ""),
        (r"(totalt |förväntat )?antal\b.*", "antal"),
    )
)


def unit_of(title: str) -> str:
    """The unit that a KPI's title names, as Kolada writes it; "" where it names none.

    Kolada has no field for it. The parts of the title are tried from the last to the first.

    >>> unit_of("Kostnad förskola, kr/inskrivet barn"), unit_of("Invånare totalt, antal")
    ('kr/inskrivet barn', 'antal')
    >>> unit_of("Invånare 65+ och ensamboende, andel (%) av bef (-2021)")
    '%'
    >>> unit_of("Krisplan finns, (Ja=1, Nej=0)")
    ''
    """
    current = re.sub(r"\s*\(-\s?\d{4}\)\s*$", "", title)
    for part in reversed(re.split(r",\s+| [-–] ", current)):
        # A note in brackets is no part of the unit, unless it is the unit that they hold.
        words = re.sub(r"(?<=\w)\s+\((?!MW)[^()%]*\)$", "", part.strip())
        for pattern, unit in _UNITS:
            if pattern.fullmatch(words):
                return unit or re.sub(r"\s*/\s*", "/", words)
    return ""
