"""The story's data: fires in schools by municipality and year, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from followdata.answer import listing
from followdata.data import Data, MemoryTable
from followdata.errors import InvalidInput, NotFetched
from followdata.parameters import Number
from followdata.sources import msb, municipal
from followdata.sources.fetching import Fetching
from followdata.sources.joined import beside
from followdata.stories.fires.mended import agreement, mended
from followdata.stories.fires.sample import sample

__all__ = ["fetch", "sample"]

_TABLES = (".csv", ".csv.gz", ".json", ".json.gz", ".xlsx", ".xls", ".ods", ".tsv")


def fetch(
    fetching: Fetching,
    *,
    year: Annotated[
        int | None,
        Number("The year of Kolada's figures (the last year of fires)", 1990, 2100, whole=True),
    ] = None,
) -> tuple[str, Data]:
    """Fires by municipality and year, from MSB's reports or from tables made of them, with the
    indicators that the other files hold; named after the last year."""
    if not fetching.paths:
        raise NotFetched(
            f"MSB's statistics site has no API: its reports are exported by hand, year by year, at "
            f"{msb.MSB.url} (query {msb.QUERY}, then År and Kommun, then XLS).",
            "Then name the files: followdata fetch fires --from bib*.xlsx",
        )
    files = _Files.sorted_out(fetching)
    table = msb.fires(files.reported, retrieved=fetching.now)
    for remark in table.provenance.refused:
        fetching.notice(remark)
    if files.compiled:
        table = _with_compiled(table, files.compiled, fetching)
    if files.others:
        table = _with_kolada(table, files.others, year, fetching)
    return table.about.time, table


class _Files:
    """The files given, by what they hold."""

    def __init__(self) -> None:
        self.reported: list[msb.Reported] = []
        self.compiled: MemoryTable | None = None
        self.others: list[Path] = []

    @classmethod
    def sorted_out(cls, fetching: Fetching) -> _Files:
        """Each file under the source that knows it; Kolada's are those that no other knows."""
        files = cls()
        for path in _files(fetching.paths):
            if reported := msb.read(path):
                files.reported.append(reported)
            elif compiled := municipal.read(path, retrieved=fetching.now):
                if files.compiled:
                    raise InvalidInput(str(path), "a table like this was read before.")
                files.compiled = compiled
            else:
                files.others.append(path)
        if not files.reported:
            raise InvalidInput(
                listing([str(path) for path in fetching.paths]),
                "there is no report of fires.",
                "Wanted are spreadsheets that MSB's statistics site exports, or a CSV made of "
                "them.",
            )
        return files


def _with_compiled(table: MemoryTable, compiled: MemoryTable, fetching: Fetching) -> MemoryTable:
    put_right = mended(compiled, table)
    return _joined(table, put_right.table, put_right.remarks, fetching)


def _with_kolada(
    table: MemoryTable, paths: Sequence[Path], year: int | None, fetching: Fetching
) -> MemoryTable:
    from followdata.sources.kolada import read_files
    from followdata.sources.kolada.figures import POPULATION

    kolada = read_files(
        paths, year or int(table.about.time), retrieved=fetching.now, notice=fetching.notice
    )
    remark = agreement(kolada, table, POPULATION)
    return _joined(table, kolada, [remark] if remark else [], fetching)


def _joined(
    table: MemoryTable, other: MemoryTable, remarks: Sequence[str], fetching: Fetching
) -> MemoryTable:
    """The two side by side, with what was done and what did not match told and kept."""
    joined = beside(table, other)
    told = list(remarks)
    for names, what in (
        (joined.unmatched, "Not in the reports of fires, so left out"),
        (joined.lacking, f"Without indicators of {other.provenance.source}"),
    ):
        if names:
            told.append(f"{what}: {listing(names, 10)}.")
    for remark in told:
        fetching.notice(remark)
    own, theirs = table.provenance, other.provenance
    provenance = replace(
        own,
        source=f"{own.source}; {theirs.source}",
        licence=f"{own.licence.rstrip('.')}; for the indicators: {theirs.licence}",
        citation="; ".join(filter(None, (own.citation, theirs.citation))),
        refused=(*own.refused, *told, *theirs.refused),
    )
    return replace(joined.table, provenance=provenance)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and the tables in the folders named and in the folders there."""
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (file for file in inside if file.name.casefold().endswith(_TABLES))
        else:
            yield path
