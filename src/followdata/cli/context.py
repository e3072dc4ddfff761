"""What every command needs: the desk, and how errors and notices are said."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from followdata.desk import Desk

REFUSED = 1
"""Exit status when what was asked cannot be done; misuse of the command line gives 2."""


@cache
def desk() -> Desk:
    """The desk on the data directory of this user."""
    from followdata.desk import Desk

    return Desk.installed()


@cache
def console() -> Console:
    """Where results go: standard output."""
    from followdata.present.terminal import ReadOnly

    return ReadOnly(highlight=False, emoji=False)


@cache
def notices() -> Console:
    """Where notices and progress go: standard error."""
    from followdata.present.terminal import ReadOnly

    return ReadOnly(stderr=True, highlight=False, emoji=False)


def refuse(error: Exception) -> None:
    """Say an error as one clear line on standard error."""
    from followdata.present.letters import visible

    sys.stderr.write(f"followdata: {visible(str(error))}\n")
