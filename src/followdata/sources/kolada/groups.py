"""Kolada's own groups of similar municipalities.

A group's title says it all: "Liknande kommuner socioekonomi, Arboga, 2024" holds those that Kolada
calls similar to Arboga by socioeconomics. Groups of other kinds are passed over.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from followdata.data import SIMILAR, Labels, joined
from followdata.errors import InvalidInput

_TITLE = re.compile(r"Liknande kommuner,? (?P<what>.+), (?P<town>[^,]+), (?P<year>\d{4})")

Similar = dict[tuple[str, str], dict[str, list[str]]]
"""Codes of the similar municipalities by what is compared and the year, then by title."""


def similar_of(groups: Iterable[Any]) -> Similar:
    """The groups of similar municipalities among `groups`, as the API or a file gives them."""
    found: Similar = {}
    for group in groups:
        title = group.get("title") if isinstance(group, Mapping) else None
        said = _TITLE.fullmatch(" ".join(str(title or "").split()))
        members = group.get("members") if said else None
        if said and isinstance(members, list):
            # The text of API v2 calls them id and title; what it sent was member_id.
            codes = [
                str(member.get("member_id") or member.get("id") or "")
                for member in members
                if isinstance(member, Mapping)
            ]
            found.setdefault((said["what"], said["year"]), {})[said["town"]] = codes
    return found


def read_groups(path: Path) -> Similar:
    """The groups of similar municipalities in a JSON file, gzipped or not."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        groups = json.loads(content)
    except OSError as error:
        raise InvalidInput(str(path), f"it cannot be read ({error.strerror}).") from None
    except (ValueError, EOFError, zlib.error) as error:
        raise InvalidInput(str(path), f"this is not JSON ({error}).") from None
    groups = groups.get("values") if isinstance(groups, dict) else groups
    if not isinstance(groups, list):
        raise InvalidInput(str(path), "there is no list of groups.", where="$")
    return similar_of(groups)


def similar_labels(similar: Similar, codes: Sequence[str], titles: Sequence[str],
                   names: Sequence[str]) -> Labels:  # fmt: skip
    """What is similar to each municipality in the newest year, as labels of a table's rows.

    `codes`, `titles` and `names` say what the rows are called by Kolada and in the table.
    """
    name = dict(zip(codes, names, strict=True))
    newest: dict[str, str] = {}
    for what, year in sorted(similar):
        newest[what] = year
    labels = {}
    for what, year in newest.items():
        lists = similar[what, year]
        column = [
            joined([name[code] for code in lists.get(title, []) if code in name])
            for title in titles
        ]
        if any(column):
            labels[f"{SIMILAR}{what}, {year}"] = np.array(column, dtype=str)
    return labels
