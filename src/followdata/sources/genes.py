"""Tables of gene names: which symbol a gene goes by now, and what else it has been called.

Taken are the tables that the field passes around, told by their headings: NCBI's gene_info
(`Symbol, Synonyms, GeneID`), HGNC's complete set (`symbol, alias_symbol, prev_symbol, entrez_id`),
and any table with a symbol and a column of synonyms or identifiers. Several synonyms stand between
bars, commas or semicolons.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SYMBOL = ("symbol", "gene_symbol", "hgnc_symbol", "approved symbol")
_OTHERS = (
    "synonyms", "alias_symbol", "prev_symbol", "alias symbols", "previous symbols", "aliases",
    "geneid", "entrez_id", "entrezid", "ensembl_gene_id", "ensembl",
)  # fmt: skip


@dataclass(frozen=True)
class Synonyms:
    """Symbols in use, and for each of the other names (in capitals) the symbol it stands for.

    A name that stands for several symbols is left out: it decides nothing.
    """

    symbols: frozenset[str]
    stands_for: Mapping[str, str]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Synonyms:
        """From a table as text with the headings of such a table."""
        columns = {heading.lower(): heading for heading in frame.columns}
        symbols = frame[columns[next(name for name in _SYMBOL if name in columns)]].tolist()
        pairs = {
            (other.upper(), symbol)
            for name in _OTHERS
            if name in columns
            for symbol, text in zip(symbols, frame[columns[name]], strict=True)
            for other in re.split(r"[|,;]\s*", text)
            if symbol and other not in ("", "-", symbol)
        }
        often = Counter(other for other, _ in pairs)
        known = frozenset(symbol for symbol in symbols if symbol)
        return cls(
            known, {other: s for other, s in pairs if often[other] == 1 and other not in known}
        )

    def resolved(self, names: Sequence[str]) -> tuple[list[str], int]:
        """The names with old ones replaced by the symbol in use, and how many were.

        None is replaced by a symbol that the names hold already, nor two by the same one.
        """
        wanted = [
            "" if name in self.symbols else self.stands_for.get(name.upper(), "") for name in names
        ]
        often, present = Counter(wanted), set(names)
        new = [
            symbol if symbol and symbol not in present and often[symbol] == 1 else name
            for name, symbol in zip(names, wanted, strict=True)
        ]
        return new, sum(a != b for a, b in zip(names, new, strict=True))

    def others(self, names: Sequence[str]) -> list[str]:
        """All other names of each, between bars."""
        by_symbol: dict[str, list[str]] = {}
        for other, symbol in sorted(self.stands_for.items()):
            by_symbol.setdefault(symbol, []).append(other)
        return ["|".join(by_symbol.get(name, ())) for name in names]


def is_gene_table(headings: Sequence[str]) -> bool:
    """Whether a table so headed says what genes are called.

    >>> is_gene_table(["Symbol", "Synonyms"]), is_gene_table(["symbol", "sample 1"])
    (True, False)
    """
    lower = {heading.lower() for heading in headings}
    return bool(lower & set(_SYMBOL)) and bool(lower & set(_OTHERS[:6]))
