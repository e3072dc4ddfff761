"""A table in which every name is an attempt at something."""

from __future__ import annotations

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, MemoryTable
from followdata.errors import NotFetched

ATTEMPTS = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror=window.hacked=1>',
    "'-window.hacked=1-'",
    "javascript:window.hacked=1",
    "</script><script>window.hacked=1</script>",
    "<svg/onload=window.hacked=1>",
    "</textarea></title><script>window.hacked=1</script>",
    "{{ 7*7 }}{% raw %}${window.hacked=1}",
    "'] || (window.hacked=1) || datum['",
    '\\", "x": window.hacked=1, "',
    '=HYPERLINK("http://example.invalid","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\x1b]0;owned\x07\x1b[31mred\x1b[2J",
    "\u202egnp.exe",
    "\u2066isolated\u2069 \u200bzero",
    "a\nb\r\nSet-Cookie: x=1",
    "../../../etc/passwd",
    "%2e%2e%2f%00",
    "a&b=c#d?e",
    "; rm -rf / #",
    "\x00nothing",
    "ＡＤＭＩＮ＜script＞",
    "|a|b| `code` [x](javascript:window.hacked=1) ![x](y)",
    "datum.__proto__.constructor",
    "x" * 300,
    " leading and trailing ",
)
ABOUT = About(
    ATTEMPTS[0],
    thing="<i>thing</i>",
    things="things",
    measure="<b>measure</b>",
    measures="measures",
    label="group",
    lang='sv" onload="window.hacked=1',
    unit="<u>m</u>",
)


def sample() -> MemoryTable:
    numbers = np.random.default_rng(7)
    count = len(ATTEMPTS)
    values = numbers.normal(size=(count, count)) @ numbers.normal(size=(count, count))
    values[3, :4] = np.nan
    groups = np.array([ATTEMPTS[n % 4] for n in range(count)])
    return MemoryTable(
        values,
        ATTEMPTS,
        [f"{name}#" for name in ATTEMPTS],
        ABOUT,
        obs={"group": groups, ATTEMPTS[1]: groups},
        var={
            "title": np.array([f"{name} title" for name in ATTEMPTS]),
            "unit": np.array(ATTEMPTS),
            "theme": groups,
        },
        provenance=Provenance(
            ATTEMPTS[0],
            ATTEMPTS[1],
            ATTEMPTS[4],
            url="javascript:window.hacked=1",
            citation=ATTEMPTS[5],
            sample=ATTEMPTS[4],
            refused=ATTEMPTS[:12],
        ),
    )


def fetch(fetching: object) -> tuple[str, MemoryTable]:
    raise NotFetched("There is no more of this.", "Be glad.")
