"""Licences that machines know by name; all others are told in the words of the data."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence by its SPDX name, its address, and the name that Kaggle has for it."""

    name: str
    url: str
    kaggle: str


_CREATIVE = re.compile(r"cc[ -](by(?:[ -](?:nc|sa|nd))*)[ -](\d\.\d)(?: international)?", re.I)
_ON_KAGGLE = {
    "CC-BY-4.0", "CC-BY-3.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0",
}  # fmt: skip
_DATA_COMMONS = "https://opendatacommons.org/licenses"
_OTHERS = {
    "cc0": Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
    "mit": Licence("MIT", "https://opensource.org/license/mit", "other"),
    "odbl 1.0": Licence("ODbL-1.0", f"{_DATA_COMMONS}/odbl/1-0/", "ODbL-1.0"),
    "odc-by 1.0": Licence("ODC-By-1.0", f"{_DATA_COMMONS}/by/1-0/", "ODC-BY-1.0"),
    "pddl 1.0": Licence("PDDL-1.0", f"{_DATA_COMMONS}/pddl/1-0/", "PDDL"),
}


def known(text: str) -> Licence | None:
    """The licence that `text` names, if it names one and says no more.

    >>> known("CC BY 4.0").url
    'https://creativecommons.org/licenses/by/4.0/'
    >>> known("CC BY 4.0, but ask first") is None
    True
    """
    words = " ".join(text.split()).rstrip(".").lower()
    if found := _CREATIVE.fullmatch(words):
        kind, version = found[1].replace(" ", "-"), found[2]
        name = f"CC-{kind.upper()}-{version}"
        url = f"https://creativecommons.org/licenses/{kind}/{version}/"
        return Licence(name, url, name if name in _ON_KAGGLE else "other")
    return _OTHERS.get({"cc0 1.0": "cc0", "cc0-1.0": "cc0"}.get(words, words))
