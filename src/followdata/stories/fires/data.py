"""The story's data: fires in schools by municipality and year, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from followdata.data import Data, MemoryTable
from followdata.errors import InvalidInput, NotFetched
from followdata.sources import msb
from followdata.sources.fetching import Fetching
from followdata.stories.fires.sample import sample

__all__ = ["fetch", "sample"]


def fetch(fetching: Fetching) -> tuple[str, Data]:
    """Fires by municipality and year, from MSB's reports or from tables made of them."""
    if not fetching.paths:
        raise NotFetched(
            f"MSB's statistics site has no API: its reports are exported by hand, year by year, at "
            f"{msb.MSB.url} (query {msb.QUERY}, then År and Kommun, then XLS).",
            "Then name the files: followdata fetch fires --from bib*.xlsx",
        )
    table = _fires(list(_files(fetching.paths)), fetching)
    return table.about.time, table


def _fires(paths: Sequence[Path], fetching: Fetching) -> MemoryTable:
    reported = [found for path in paths if (found := msb.read(path))]
    if not reported:
        raise InvalidInput(
            ", ".join(str(path) for path in fetching.paths),
            "there is no report of fires.",
            "Wanted are spreadsheets that MSB's statistics site exports, or a CSV made of them.",
        )
    table = msb.fires(reported, retrieved=fetching.now)
    for remark in table.provenance.refused:
        fetching.notice(remark)
    return table


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named and in the folders there."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        else:
            yield path
