"""`followdata autoencode FILE`: watch an autoencoder learn a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from followdata.cli.context import console, desk, notices
from followdata.errors import InvalidParameter, StoreError

if TYPE_CHECKING:
    from followdata.answer import Answer, Scalar, Table
    from followdata.desk import Opened
    from followdata.runs import Event, Run

STORY, QUESTION = "autoencode", "reconstruction"
STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""


def autoencode(
    file: Annotated[
        Path | None,
        typer.Argument(help="A table in any form that `open` reads; without it, the data here."),
    ] = None,
    *,
    hidden: Annotated[int, typer.Option(help="How many numbers each row is pressed into.")] = 2,
    cycles: Annotated[int, typer.Option(help="How often every row is seen.")] = 1000,
    activation: Annotated[str, typer.Option(help="tanh, sigmoid, relu or linear.")] = "tanh",
    corruption: Annotated[
        float, typer.Option(help="Share of the cells hidden in training, 0 to 0.9.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 0,
    data: Annotated[
        str, typer.Option(help="Data set: by default the one read last, else the sample.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for encoded.csv, and for decoded.csv and scaled.csv on a scale of 0 to 1."
        ),
    ] = None,
) -> None:
    """Watch an autoencoder learn a table: a cell per value, from green to red by its error."""
    if file and data:
        raise InvalidParameter("data", "a file is given as well.", "Give one of them.")
    if output:
        _make_folder(output)
    try:
        opened = _open(file, data)
    except KeyboardInterrupt:
        raise _stopped("Nothing is kept.") from None
    given = {
        "hidden": hidden,
        "cycles": cycles,
        "activation": activation,
        "corruption": corruption,
        "seed": seed,
    }
    params = opened.resolve(QUESTION, given)
    run = opened.desk.runs.named(opened.run_id(opened.story.question(QUESTION), params))
    try:
        answer = _train(opened, params, run)
    except KeyboardInterrupt:
        raise _stopped(
            f"Kept are the table, as “{opened.dataset.name}”, and the pictures so far: "
            f"followdata replay {run.id}. The same command trains again from the beginning."
        ) from None
    _tell(answer)
    if output:
        _write(output, _layers(opened, params))
        notices().print(f"Written to {output}.", markup=False, soft_wrap=True)


def _open(file: Path | None, data: str) -> Opened:
    """The story with the table in `file`, else with the data set called `data`."""
    if file:
        data = desk().fetch(STORY, paths=[file], listen=_notice).name
    return desk().open(STORY, data)


def _train(opened: Opened, params: Mapping[str, Scalar], run: Run) -> Answer:
    """The answer, shown as it is learnt; one that was learnt before shows its journal."""
    from followdata.cli.grid import watching
    from followdata.cli.replay import latest

    heard = False

    def listen(event: Event) -> None:
        nonlocal heard
        heard = heard or event["kind"] == "frame"
        show(event)

    if run.journal.exists() and run.state == "interrupted":
        notices().print(
            "An earlier attempt was cut off. Training begins again; the same seed leads to the "
            "same result.",
            soft_wrap=True,
        )
    with watching(notices()) as show:
        answer = opened.tell(QUESTION, params, listen=listen)
        if not heard:
            for event in latest(run):
                show(event)
            notices().print(
                f"Learnt before. To see it at its own pace: followdata replay {run.id}",
                soft_wrap=True,
            )
    return answer


def _tell(answer: Answer) -> None:
    """The sentence on standard output, what supports it on standard error."""
    from rich.text import Text

    if answer.provenance and answer.provenance.sample:
        sample = f"Sample: {answer.provenance.sample}."
        notices().print(Text(sample, style="yellow"), soft_wrap=True)
    console().print(Text(answer.sentence), soft_wrap=not console().is_terminal)
    for note in answer.notes:
        notices().print(Text(f"· {note}", style="dim"), soft_wrap=not notices().is_terminal)


def _notice(event: Event) -> None:
    if event["kind"] == "notice":
        notices().print(str(event["text"]), markup=False, soft_wrap=True)


def _stopped(kept: str) -> typer.Exit:
    notices().print(f"Stopped. {kept}", markup=False, soft_wrap=True)
    return typer.Exit(STOPPED)


# Files


def _layers(opened: Opened, params: Mapping[str, Scalar]) -> dict[str, Table]:
    question = opened.story.question(QUESTION)
    fitted = opened.desk.store.fitted(opened.key(question, params), question.fitted_type)
    return cast("dict[str, Table]", fitted.layers(opened.asked_of(question, params)))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from error


def _write(folder: Path, tables: Mapping[str, Table]) -> None:
    """A CSV file per table. All are made aside before the first takes its name."""
    from followdata.present.csvform import to_csv

    aside = {folder / f".{name}.csv.{os.getpid()}": folder / f"{name}.csv" for name in tables}
    try:
        for (path, _), table in zip(aside.items(), tables.values(), strict=True):
            path.write_bytes(to_csv(table))
        for path, place in aside.items():
            path.replace(place)
    except OSError as error:
        raise _not_written(folder, error) from error
    finally:
        for path in aside:
            with suppress(OSError):
                path.unlink()


def _not_written(folder: Path, error: OSError) -> StoreError:
    problem = f"{folder} cannot be written to ({error.strerror or error})."
    return StoreError(problem, "Name another folder with --output.")
