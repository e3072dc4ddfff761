"""Names as people type them: any case, with or without accents, begun or misspelt."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property

from followdata.errors import UnknownName

# Letters that Unicode does not take apart, as people without the key for them write them.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


class NameIndex:
    """The names along one axis of a data set, found by name, title or other identifier.

    `names` are unique and are what an answer shows as the parameter's value. `titles` and
    `aliases` (such as "2480" for Umeå, or several between bars) are other ways to say the same
    thing; they need not be unique, and one that is not finds nothing. A name itself comes first:
    where it is an alias of another one too, it means itself.
    """

    def __init__(
        self,
        what: str,
        names: Sequence[str],
        titles: Sequence[str] = (),
        aliases: Sequence[str] = (),
    ) -> None:
        self.what = what
        self.names = tuple(names)
        self.titles = tuple(titles) or self.names
        self.aliases = tuple(aliases)

    def __len__(self) -> int:
        return len(self.names)

    def title(self, name: str) -> str:
        """The title that people read for `name`."""
        return self.titles[self.position(name)]

    def position(self, name: str) -> int:
        """Where `name`, exactly as listed, stands on the axis."""
        try:
            return self._positions[name]
        except KeyError:
            raise UnknownName(self.what, name, self.nearest(name)) from None

    def find(self, text: str) -> str:
        """The name that `text` means; case and accents matter only where they must.

        >>> NameIndex("town", ["Umeå", "Lund"]).find("UMEA")
        'Umeå'

        Raises `UnknownName`, with the nearest names, for anything else.
        """
        found = self._meant(text)
        if len(found) == 1:
            return self.names[found[0]]
        offered = [self.names[i] for i in found[:5]] or self.nearest(text)
        raise UnknownName(self.what, text, offered)

    def known(self, text: str) -> str | None:
        """The name that `text` means, if it means one; without looking for near ones."""
        found = self._meant(text)
        return self.names[found[0]] if len(found) == 1 else None

    def _meant(self, text: str) -> list[int]:
        """Where the names stand that `text` may mean."""
        if text in self._positions:
            return [self._positions[text]]
        found = self._folded.get(fold(text), [])
        if len(found) > 1:
            found = [i for i in found if fold(self.names[i]) == fold(text)] or found
        if len(found) > 1:
            # Håbo and Habo are two towns: here accents matter, case still does not.
            found = [i for i in found if _caseless(text) in self._caseless_spellings(i)] or found
        return found

    def nearest(self, text: str, limit: int = 3) -> list[str]:
        """Up to `limit` names that look most like `text`; none that look nothing like it."""
        from rapidfuzz import fuzz, process

        keys = list(self._folded)
        # A begun word ("upplands") is as good a hint as a misspelt one ("Stokholm").
        near = process.extract(fold(text), keys, scorer=fuzz.WRatio, limit=limit, score_cutoff=60)
        found = [self.names[self._folded[key][0]] for key, _, _ in near]
        return list(dict.fromkeys(found))

    def complete(self, begun: str, limit: int = 20) -> list[str]:
        """Names that go on from `begun`, then names that hold it elsewhere, in listed order."""
        begun = fold(begun)
        starts, holds = [], []
        for position, keys in enumerate(self._keys):
            if any(key.startswith(begun) for key in keys):
                starts.append(position)
            elif any(begun in key for key in keys):
                holds.append(position)
            if len(starts) >= limit:
                break
        return [self.names[i] for i in (starts + holds)[:limit]]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    @cached_property
    def _spellings(self) -> list[tuple[str, ...]]:
        aliases = self.aliases or ("",) * len(self.names)
        return [
            (name, title, *(alias.split("|") if alias else ()))
            for name, title, alias in zip(self.names, self.titles, aliases, strict=True)
        ]

    def _caseless_spellings(self, position: int) -> set[str]:
        return {_caseless(text) for text in self._spellings[position]}

    @cached_property
    def _keys(self) -> list[tuple[str, ...]]:
        return [tuple(dict.fromkeys(map(fold, texts))) for texts in self._spellings]

    @cached_property
    def _folded(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for position, keys in enumerate(self._keys):
            for key in keys:
                if key:
                    index.setdefault(key, []).append(position)
        return index


def fold(text: str) -> str:
    """`text` without case, accents and surplus space.

    >>> fold("  Malung-Sälen ")
    'malung-salen'
    """
    if text.isascii():
        return " ".join(text.lower().split())
    # Both steps can undo the other: "™" is "TM" when taken apart, "ΐ" has accents when folded.
    folded = _decomposed(_decomposed(text).casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(bare.translate(_PLAIN).split())


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def _caseless(text: str) -> str:
    """`text` without case and surplus space, its accents written in one way."""
    return " ".join(unicodedata.normalize("NFC", _decomposed(text).casefold()).split())
