"""`followdata open FILE`: a story of anyone's own table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followdata.cli.context import desk, notices
from followdata.cli.progress import watching
from followdata.errors import InvalidParameter, StoreError

if TYPE_CHECKING:
    from followdata.sources.tables import Reading


def open_file(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV, TSV, Excel, Parquet, h5ad, Zarr, GCT or npz, maybe gzipped; several are the "
            "years in their names.",
        ),
    ],
    *,
    as_: Annotated[
        Path | None,
        typer.Option(
            "--as",
            metavar="FILE.toml",
            help="Keep here how the file is read; if it is there already, it says so.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="What the story is called; by default as the file.")
    ] = "",
    id: Annotated[str, typer.Option(help="The column that names the rows.")] = "",
    labels: Annotated[
        str, typer.Option(help="Columns that group the rows, with commas between.")
    ] = "",
    size: Annotated[str, typer.Option(help="The column that says how big a row is.")] = "",
    decimal: Annotated[str, typer.Option(help="The decimal mark: . or ,")] = "",
    missing: Annotated[
        str, typer.Option(help="Words that stand for a missing value, with commas between.")
    ] = "",
    delimiter: Annotated[str, typer.Option(help="What stands between values; \\t is a tab.")] = "",
    encoding: Annotated[str, typer.Option(help="How text is encoded, as windows-1252.")] = "",
    sheet: Annotated[str, typer.Option(help="Which sheet of a workbook.")] = "",
    header_row: Annotated[
        int | None,
        typer.Option(min=0, help="The line or row of the headings; 0 if there are none."),
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Columns are what is asked about, as samples.")
    ] = False,
    long: Annotated[
        str,
        typer.Option(
            metavar="THING,MEASURE,VALUE[,YEAR]",
            help="For a row for each value: its columns, of which MEASURE and VALUE may be empty.",
        ),
    ] = "",
    run: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Make a story of a table of your own, and print its name: then ask it, or serve it."""
    reading = _kept(as_).saying(
        id=id,
        labels=_listed(labels),
        size=size,
        decimal=decimal,
        missing=_listed(missing),
        delimiter=delimiter.replace("\\t", "\t"),
        encoding=encoding,
        sheet=sheet,
    )
    reading = _laid_out(reading, transpose, long, header_row)
    with watching() as listen:
        opened = desk().open_table(files, reading, title=name, run=run, listen=listen)
    if as_ is not None and not as_.exists():
        _keep(as_, opened.reading, files[0].name)
    story = opened.story
    notices().print(
        f"{story.summary} Ask with: followdata ask {story.name}", markup=False, soft_wrap=True
    )
    typer.echo(story.name)


def _kept(path: Path | None) -> Reading:
    from followdata.sources.tables import Reading

    return Reading.from_toml(path) if path is not None and path.exists() else Reading()


def _laid_out(reading: Reading, transpose: bool, long: str, header_row: int | None) -> Reading:
    from dataclasses import replace

    if header_row is not None:
        reading = replace(reading, header_row=header_row)
    if transpose and long:
        raise InvalidParameter("--transpose", "--long is given as well.", "Give one of them.")
    if transpose:
        return replace(reading, layout="transposed")
    if not long:
        return reading
    names = [*(part.strip() for part in long.split(",")), "", "", ""]
    if len(names) > 7:
        raise InvalidParameter("--long", "four names at most.", "Say THING,MEASURE,VALUE,YEAR.")
    thing, measure, value, time = names[:4]
    return replace(reading, layout="long", id=thing, measure=measure, value=value, time=time)


def _listed(text: str) -> tuple[str, ...]:
    from followdata.parameters import listed

    return tuple(listed(text))


def _keep(path: Path, reading: Reading, name: str) -> None:
    try:
        path.write_text(reading.to_toml(name), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written to ({error.strerror or error}).", "Name another with --as."
        ) from error
    notices().print(f"How it was read is kept in {path}.", markup=False, soft_wrap=True)
