"""The story's data: Kolada's figures of one year, and what stands in for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from followdata.data import Data
from followdata.parameters import Number
from followdata.sources.fetching import Fetching
from followdata.stories.towns.sample import sample

__all__ = ["fetch", "sample"]


def fetch(
    fetching: Fetching,
    *,
    year: Annotated[int, Number("The year of the figures", 1990, 2100, whole=True)] = 2022,
    since: Annotated[
        int | None,
        Number("Also the years from this one on (files: all there are)", 1990, 2100, whole=True),
    ] = None,
) -> tuple[str, Data]:
    """The figures of all municipalities in `year`, named after it; women and men, and other years
    that the files hold or that are asked for, as layers. Among the files may be one of cycle ways
    by their keepers; from the API it is not to be had."""
    from followdata.sources.cycleways import cycleways_among, with_cycleways
    from followdata.sources.kolada import fetch_year, read_files

    if fetching.paths:
        ways, others = cycleways_among(fetching.paths)
        data = read_files(others, year, retrieved=fetching.now, notice=fetching.notice)
        if ways:
            data = with_cycleways(data, ways)
    else:

        def so_far(make: Callable[[], Data | None], last: bool) -> None:
            fetching.partly(str(year), make, last=last)

        data = fetch_year(fetching, year, since=since, so_far=so_far)
    return str(year), data
