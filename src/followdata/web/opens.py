"""Opening a reader's own table from a page: the form, and what becomes of the file it sends.

The file is read by a process of its own, so that whatever is in it cannot harm the server, and a
large one does not hold it up. What is read quickly leads straight to its story; else its run is
shown.
"""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from followdata.errors import InvalidParameter
from followdata.own import slug, title_of
from followdata.runs import Run
from followdata.web import uploads
from followdata.web.bodies import Body
from followdata.web.pages import OpenPage, part
from followdata.web.site import Site

PATIENCE = 20.0
"""Seconds that a browser waits for the story before it is shown the run instead."""
_PAUSE = 0.1
OPTIONS = {
    "id": ("Names", "The column that names the rows"),
    "labels": ("Labels", "Columns that group the rows, with commas between"),
    "size": ("Size", "The column that says how big a row is"),
    "decimal": ("Decimal mark", "A point or a comma"),
    "missing": ("Missing", "Words for a missing value, with commas between"),
    "delimiter": ("Between values", "One character, \\t for a tab"),
    "encoding": ("Encoding", "As windows-1252"),
    "sheet": ("Sheet", "Of a workbook"),
    "header_row": ("Headings", "Their line or row; 0 for none"),
    "long": ("A row for each value", "THING,MEASURE,VALUE,YEAR"),
}
"""What can be said of a file, as the options of `followdata open` of the same names."""


def page(site: Site, fault: str = "") -> Body:
    """The form with all that can be said of a file; `fault` is why the last one was not opened."""
    options = [(name, title, words) for name, (title, words) in OPTIONS.items()]
    shown = OpenPage(
        assets=site.assets,
        title="A table of your own",
        description="How its file is written is guessed; it stays on the machine that serves this "
        "page.",
        opening=part("opening", detailed=True, options=options),
        fault=fault,
    )
    headers = {"Cache-Control": "no-store"} if fault else {}
    return Body(shown.render().encode(), "text/html; charset=utf-8", headers, 422 if fault else 200)


async def receive(site: Site, request: Request) -> str | Body:
    """Open the file that a form sends: the address of its story, or of the run that reads it; or,
    for a file that cannot be read, the form again with the one message."""
    site.check_may_start(request)
    folder = await run_in_threadpool(_folder, site)
    try:
        form = await uploads.received(request, folder)
        title = slug(title_of(form.paths))
        id = f"open-{title}-{uuid.uuid4().hex[:8]}"
        said = options(form.fields)
        files = [str(path) for path in form.paths]
        site.starter.start(id, ["open", *said, f"--run={id}", "--", *files])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    site.keep_task(asyncio.create_task(_tidy(site, id, folder)))
    run = site.desk.runs.named(id)
    until = time.monotonic() + PATIENCE
    while site.starter.busy(id) and time.monotonic() < until:
        await asyncio.sleep(_PAUSE)
    if site.starter.busy(id):
        return f"/runs/{id}"
    return await run_in_threadpool(_outcome, site, run, folder)


def options(fields: Mapping[str, str]) -> list[str]:
    """What a form says of the file, as options of the command line.

    >>> options({"id": "town", "header_row": "4", "size": "", "transpose": "yes", "as_": "x"})
    ['--id=town', '--header-row=4', '--transpose']
    """
    if not fields.get("header_row", "0").isdecimal() and fields["header_row"]:
        raise InvalidParameter("headings", f"“{fields['header_row'][:20]}” is not a whole number.")
    said = [f"--{name.replace('_', '-')}={fields[name]}" for name in OPTIONS if fields.get(name)]
    return [*said, *(["--transpose"] if fields.get("transpose") else [])]


def _folder(site: Site) -> Path:
    """A folder for the files, which goes with this process at the latest."""
    with site.desk.store.aside() as aside:
        folder = aside.with_name(f"{aside.name}-sent")
        folder.mkdir()
    return folder


async def _tidy(site: Site, id: str, folder: Path) -> None:
    """Remove the files once they are read."""
    while site.starter.busy(id):
        await asyncio.sleep(_PAUSE)
    await run_in_threadpool(shutil.rmtree, folder, True)


def _outcome(site: Site, run: Run, folder: Path) -> str | Body:
    """The story that a run has opened, or what it could not do."""
    opened = [event for event in run.events() if event["kind"] == "opened"]
    if opened:
        return f"/{opened[-1]['story']}"
    # The folder is known to the server alone.
    said = str(run.last.get("message", "")).replace(f"{folder}/", "")
    return page(site, said or "The file could not be read: the program that read it was ended.")
