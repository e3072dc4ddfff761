"""`followdata autoencode FILE`: watch an autoencoder learn a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from followdata.cli.context import console, desk, notices
from followdata.errors import InvalidParameter, StoreError

if TYPE_CHECKING:
    from followdata.answer import Answer, Scalar, Table
    from followdata.cli.recording import Recorder
    from followdata.desk import Opened
    from followdata.runs import Event, Run

STORY, QUESTION = "autoencode", "reconstruction"
STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""
PALETTES = ("green-red", "colour-blind")

# How a training is watched, live or again.
EVERY = 1000
Every = Annotated[
    int, typer.Option(min=1, help="Cycles after which digits begin anew to mark what moves.")
]
Palette = Annotated[str, typer.Option(help=f"Colours: {' or '.join(PALETTES)}.")]
Stay = Annotated[
    bool, typer.Option("--stay", help="Keep the picture at the end until q is pressed.")
]


def _text(words: str, default: object) -> Any:
    """An option that is read where the data are known, by the same code for all faces."""
    return typer.Option(help=f"{words} [default: {default}]", metavar="TEXT", show_default=False)


def autoencode(
    file: Annotated[
        Path | None,
        typer.Argument(help="A table in any form that `open` reads; without it, the data here."),
    ] = None,
    *,
    hidden: Annotated[
        str | None, _text("How many numbers each row is pressed into; 8,2 for two layers.", 2)
    ] = None,
    cycles: Annotated[str | None, _text("How often every row is seen.", 1000)] = None,
    activation: Annotated[str | None, _text("tanh, sigmoid, relu or linear.", "tanh")] = None,
    rate: Annotated[str | None, _text("Learning rate at first; it falls to 0.", 0.01)] = None,
    optimiser: Annotated[str | None, _text("adam, momentum or sgd.", "adam")] = None,
    batch: Annotated[str | None, _text("Rows per step.", 32)] = None,
    corruption: Annotated[
        str | None, _text("Share of cells hidden, or size of the noise, 0 to 0.9.", 0)
    ] = None,
    noise: Annotated[
        str | None, _text("What corruption is: zero, or gaussian noise.", "zero")
    ] = None,
    decay: Annotated[str | None, _text("Weight decay.", 0)] = None,
    begin: Annotated[
        str | None, _text("How weights begin: orthonormal, glorot or he.", "orthonormal")
    ] = None,
    holdout: Annotated[str | None, _text("Share of the rows kept aside.", 0)] = None,
    seed: Annotated[str | None, _text("Where chance begins.", 0)] = None,
    free: Annotated[
        bool, typer.Option("--free/--tied", help="Weights of their own on the way back.")
    ] = False,
    layerwise: Annotated[
        bool, typer.Option("--layerwise", help="Layers first learn one by one.")
    ] = False,
    scale: Annotated[
        bool, typer.Option("--scale/--no-scale", help="Each column is scaled to 0..1.")
    ] = True,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Press the columns instead of the rows.")
    ] = False,
    data: Annotated[
        str, typer.Option(help="Data set: by default the one read last, else the sample.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for encoded.csv, for decoded.csv and scaled.csv on a scale of 0 to 1, and "
            "for the network, model.npz."
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record the training to this file (.ftd), for replay.")
    ] = None,
    every: Every = EVERY,
    palette: Palette = PALETTES[0],
    stay: Stay = False,
) -> None:
    """Watch an autoencoder learn a table: a cell per value, from green to red by its error.

    Keys: space pauses, n steps, s saves, o sorts, w shows the whole table, arrows pan, c tells of
    the cell under the cursor, g jumps, ? helps, q quits. What was learnt is kept, and the same
    command goes on from there.
    """
    if file and data:
        raise InvalidParameter("data", "a file is given as well.", "Give one of them.")
    check_palette(palette)
    if output:
        _make_folder(output)
    try:
        opened = _open(file, data)
    except KeyboardInterrupt:
        raise _stopped("Nothing is kept.") from None
    chosen = {
        "hidden": hidden,
        "cycles": cycles,
        "activation": activation,
        "rate": rate,
        "optimiser": optimiser,
        "batch": batch,
        "corruption": corruption,
        "noise": noise,
        "decay": decay,
        "begin": begin,
        "holdout": holdout,
        "seed": seed,
        "weights": "free" if free else "tied",
        "layerwise": "yes" if layerwise else "no",
        "scaling": "columns" if scale else "none",
        "transpose": "yes" if transpose else "no",
    }
    params = opened.resolve(QUESTION, {k: v for k, v in chosen.items() if v is not None})
    run = opened.desk.runs.named(opened.run_id(opened.story.question(QUESTION), params))
    training = _Training(opened, params, run, output)
    try:
        answer = training.watch(record, every=every, palette=palette, stay=stay)
    except KeyboardInterrupt as stop:
        raise training.stopped(stop) from None
    _tell(answer)
    if output:
        _write(output, _results(opened, params))
        notices().print(f"Written to {output}.", markup=False, soft_wrap=True)


class _Training:
    """A training that is watched, and what is kept of it when it is stopped."""

    def __init__(
        self, opened: Opened, params: Mapping[str, Scalar], run: Run, output: Path | None
    ) -> None:
        self._opened, self._params, self._run, self._output = opened, params, run, output
        self._course: Any = None

    def watch(self, record: Path | None, *, every: int, palette: str, stay: bool) -> Answer:
        """The answer, shown as it is learnt; one that was learnt before shows its last picture."""
        from followdata.cli import watching

        recorder = self._recorder(record)
        heard: list[Event] = []
        said: list[str] = []
        with watching.watching(
            notices(), every=every, palette=palette, save=self._save, stay=stay
        ) as watcher:
            plain = isinstance(watcher, watching.Patience)
            tell = watching.lines(notices())

            def listen(event: Event) -> None:
                if event["kind"] == "frame":
                    heard.append(event)
                if plain:
                    tell(event)
                elif event["kind"] == "notice":
                    said.append(str(event["text"]))

            def watch(course: Any) -> None:
                self._course = course
                if recorder:
                    recorder(course)
                watcher(course)

            try:
                answer = self._opened.tell(QUESTION, self._params, listen=listen, watch=watch)
            finally:
                if recorder:
                    recorder.close()
            if not heard:
                watching.last_picture(watcher, self._run, tell)
        if recorder and recorder.fault:
            said.append(recorder.fault)
        if not heard:
            said.append(f"Learnt before. To see how: followdata replay {self._run.id}")
        for text in said:
            notices().print(text, markup=False, soft_wrap=True)
        return answer

    def stopped(self, stop: KeyboardInterrupt) -> typer.Exit:
        """Write and say what is kept; a quit by key is no failure."""
        from followdata.cli.watching import Quit

        quit_by_key = isinstance(stop, Quit)
        if self._course is None:
            return _stopped("Nothing is kept.")
        kept = f"Kept is what was learnt up to cycle {self._course.cycle}"
        if self._output:
            _write(self._output, _of(self._course.trained(), self._opened, self._params))
            kept += f", also in {self._output}"
        again = "the same command goes on from there"
        _stopped(f"{kept}; {again}. To see it again: followdata replay {self._run.id}")
        return typer.Exit(0 if quit_by_key else STOPPED)

    def _save(self, course: Any) -> str:
        """Keep what has been learnt so far; gives what to say of it."""
        course.save()
        if not self._output:
            return f"Kept: cycle {course.cycle}. With --output the model is written too."
        _write(self._output, _of(course.trained(), self._opened, self._params))
        return f"Saved to {self._output}: cycle {course.cycle}."

    def _recorder(self, record: Path | None) -> Recorder | None:
        if record is None:
            return None
        from followdata.cli.recording import Recorder

        return Recorder(record, self._opened.story.question(QUESTION).heading(self._params))


def check_palette(palette: str) -> None:
    """Raise `InvalidParameter` for one that is not there."""
    if palette not in PALETTES:
        raise InvalidParameter(
            "palette", f"“{palette}” is not there.", f"There are {' and '.join(PALETTES)}."
        )


def _open(file: Path | None, data: str) -> Opened:
    """The story with the table in `file`, else with the data set called `data`."""
    if file:
        data = desk().fetch(STORY, paths=[file], listen=_notice).name
    return desk().open(STORY, data)


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


def _results(opened: Opened, params: Mapping[str, Scalar]) -> dict[str, bytes]:
    question = opened.story.question(QUESTION)
    fitted = opened.desk.store.fitted(opened.key(question, params), question.fitted_type)
    return _of(fitted, opened, params)


def _of(fitted: Any, opened: Opened, params: Mapping[str, Scalar]) -> dict[str, bytes]:
    """The files that hold what `fitted` makes of the table, and the network itself."""
    from followdata.present.csvform import to_csv
    from followdata.store import pack

    data = opened.asked_of(opened.story.question(QUESTION), params)
    tables = cast("dict[str, Table]", fitted.layers(data))
    return {f"{name}.csv": to_csv(table) for name, table in tables.items()} | {
        "model.npz": pack(fitted)
    }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from error


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files. All are made aside, and are on the disk, before the first takes its name."""
    aside = {folder / f".{name}.{os.getpid()}": folder / name for name in files}
    try:
        for path, content in zip(aside, files.values(), strict=True):
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
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
