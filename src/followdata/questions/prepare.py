"""The question "prepare": by which steps a table was made of what came, with counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from followdata.answer import Answer, Field, Step, Table, View, listing
from followdata.data import TableData, matrices
from followdata.question import Question
from followdata.questions import wording

_NAMED = 8


def prepare(data: TableData, fitted: None) -> Answer:
    """Each step from what came to the table, in order, and what each matrix holds now.

    Table `steps`: step, place, done, things, before, after, gone. Table `summary`: done, places,
    things, gone, named, the steps of one kind together. Table `matrices`: matrix, rows
    and columns with any value, values, missing. Table `names`: step and each name that a step
    concerned.
    """
    steps = data.provenance.steps
    matrices_now = _matrices(data)
    tables = {"steps": _steps(steps), "summary": _summary(steps), "matrices": matrices_now}
    named = [(number, name) for number, step in enumerate(steps, 1) for name in step.names]
    if named:
        tables["names"] = Table.of(
            (Field("step", "Step"), [number for number, _ in named]),
            (Field("name", "Name"), [name for _, name in named]),
            title="Who was concerned",
        )
    return Answer(
        " ".join(_sentences(data, steps, matrices_now)),
        tables,
        (_view(data, matrices_now),),
        tuple(_notes(data, steps)),
    )


question = Question(
    name="prepare",
    title="How were these data made ready?",
    words="Every step between what came and the table that the other questions are asked of: names "
    "mended, samples left out and why, what was averaged, what is missing. It is most of the work, "
    "and where mistakes hide.",
    needs="table",
    answer=prepare,
)


def _steps(steps: Sequence[Step]) -> Table:
    return Table.of(
        (Field("step", "Step"), list(range(1, len(steps) + 1))),
        (Field("place", "In"), [step.place for step in steps]),
        (Field("done", "What was done"), [step.done for step in steps]),
        (Field("things", "Counted"), [step.things for step in steps]),
        (Field("before", "Before"), [step.before for step in steps]),
        (Field("after", "After"), [step.after for step in steps]),
        (Field("gone", "Less"), [step.before - step.after for step in steps]),
        title="Step by step",
    )


def _summary(steps: Sequence[Step]) -> Table:
    """The steps that made a difference, those of one kind together."""
    kinds: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        if step.names or step.after < step.before:
            kinds.setdefault((step.done, step.things), []).append(step)
    return Table.of(
        (Field("done", "What was done"), [done for done, _ in kinds]),
        (Field("places", "In so many places"), [len(kind) for kind in kinds.values()]),
        (Field("things", "Counted"), [things for _, things in kinds]),
        (Field("gone", "Less"), [sum(s.before - s.after for s in kind) for kind in kinds.values()]),
        (Field("named", "Names concerned"), [sum(len(s.names) for s in k) for k in kinds.values()]),
        title="In short",
    )


def _matrices(data: TableData) -> Table:
    """What each matrix holds: rows and columns with any value, and the cells of these."""
    about = data.about
    found = []
    for name, layer in matrices(data).items():
        known = np.isfinite(data.matrix(layer=layer))
        rows, columns = int(known.any(1).sum()), int(known.any(0).sum())
        found.append((name, rows, columns, int(known.sum()), rows * columns - int(known.sum())))
    names, rows_of, columns_of, values, missing = zip(*found, strict=True)
    return Table.of(
        (Field("matrix", "Measurement"), names),
        (Field("rows", about.things.capitalize()), rows_of),
        (Field("columns", about.measures.capitalize()), columns_of),
        (Field("values", "Values"), values),
        (Field("missing", "Missing"), missing),
        title="What there is now",
    )


def _sentences(data: TableData, steps: Sequence[Step], now: Table) -> Iterator[str]:
    about = data.about
    what = now.columns["matrix"]
    sizes = [
        f"{matrix} of {wording.number(int(str(rows)))}"
        for matrix, rows in zip(what, now.columns["rows"], strict=True)
    ]
    every = wording.count(data.shape[0], about.thing, about.things)
    if len(sizes) == 1:
        yield f"There are {every}, with the {sizes[0]}."
    else:
        together = next((step.after for step in reversed(steps) if step.done == TOGETHER), None)
        all_of_them = "" if together is None else f"; {wording.number(together)} have all of them"
        yield f"There are {every}: {listing(sizes, len(sizes))}{all_of_them}."
    yield from _gone(steps)
    mended = sum(len(step.names) for step in steps if step.things == "names")
    if mended:
        yield f"{wording.count(mended, 'name was', 'names were')} mended so that they join."


TOGETHER = "in all layers"
"""What the step is called that counts the rows which every matrix has."""


def _gone(steps: Sequence[Step]) -> Iterator[str]:
    """What went away on the way from the first file, the one of the main matrix."""
    first = next((step for step in steps if step.things == "samples"), None)
    if first is None:
        return
    own = [s for s in steps if s.place == first.place and s.things == "samples"]
    gone = [f"{step.before - step.after} ({step.done.removeprefix('left out: ')})" for step in own
            if step.after < step.before and step.done.startswith("left out")]  # fmt: skip
    if gone:
        left = [step.after for step in own if step.done.startswith("left out")][-1]
        yield (
            f"Of the {wording.number(first.before)} samples in {first.place} {left} are left: "
            f"{listing(gone, len(gone))} were left out."
        )
    kept = next((step for step in own if step.done.startswith("kept")), None)
    if kept is not None:
        yield f"{len(kept.names)} of them were kept, though the study itself excluded them."


def _view(data: TableData, now: Table) -> View:
    about = data.about
    most = max(int(str(rows)) for rows in now.columns["rows"])
    return View(
        kind="ranking",
        table="matrices",
        channels={"label": "matrix", "value": "rows"},
        title=f"How many {about.things} have which measurement",
        description=f"A bar for each of {len(now)} measurements; the longest stands for {most} "
        f"{about.things}.",
    )


def _notes(data: TableData, steps: Sequence[Step]) -> Iterator[str]:
    if not steps:
        yield "No step is recorded for these data: they are taken as they came."
        return
    yield (
        f"These are counts of what was done, in order, {len(steps)} steps; nothing here is "
        "estimated. The table “names” says which names each step concerned. Missing values are "
        "left as they are: no step fills one in."
    )
    longest = max(steps, key=lambda step: len(step.names))
    if longest.names:
        yield f"For instance, {longest.done} ({longest.place}): {listing(longest.names, _NAMED)}."
