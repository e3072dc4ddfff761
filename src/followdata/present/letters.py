"""Letters that do something instead of being read, made visible.

A name in somebody's data may hold what a terminal obeys (escape sequences), what turns the letters
after it round (https://unicode.org/reports/tr9/), or what is no letter at all. Where people read,
each of these is shown as "�"; data stay as they are.
"""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and new line
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of direction
    "\ud800-\udfff\ufffe\uffff]"  # half a letter, and what is none
)


def visible(text: str) -> str:
    """`text` with nothing in it but what is read.

    >>> visible("\\x1b[31mred"), visible("Umeå")
    ('�[31mred', 'Umeå')
    """
    return ACTIVE.sub(REPLACEMENT, text)


def shown(value: object) -> object:
    """What a template shows of a value: words of the data are made visible.

    Text that is HTML already was made of such.
    """
    return visible(value) if type(value) is str else value


def escaped(document: str) -> str:
    r"""A JSON document that says the same without active letters in it.

    >>> escaped('"\u202eabc"')
    '"\\u202eabc"'
    """
    return ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)
