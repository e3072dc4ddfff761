"""What the server's pages have in common: the desk, the assets, what is kept, who may do what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from markupsafe import Markup
from starlette.requests import Request

from followdata.desk import Desk
from followdata.errors import InvalidParameter, RunError
from followdata.story import Story
from followdata.web.assets import Assets
from followdata.web.bodies import Kept
from followdata.web.pages import part
from followdata.web.runs import Starter
from followdata.web.security import may_start_runs
from followdata.web.workshop import Workshop

LONGEST_QUERY = 4096


@dataclass(frozen=True)
class Site:
    """A server's parts. All that must outlive it is in the desk's store."""

    desk: Desk
    allow_runs: bool = False
    assets: Assets = field(init=False)
    starter: Starter = field(init=False)
    workshop: Workshop = field(default_factory=lambda: Workshop(Kept()))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", Assets(self.desk.store))
        object.__setattr__(self, "starter", Starter(self.desk.store))

    def keep_task(self, task: asyncio.Task[None]) -> None:
        """Hold on to what goes on after an answer is given: nobody else does."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stamp(self, story: str) -> int:
        """Changes whenever a data set of the story comes or goes."""
        folder = self.desk.store.home / "stories" / story
        return folder.stat().st_mtime_ns if folder.exists() else 0

    def rights(self, request: Request) -> bool:
        """What this request may have done that others may not."""
        return may_start_runs(request, allow_all=self.allow_runs)

    def check_may_start(self, request: Request) -> None:
        """Raise `RunError` unless this request may have work started."""
        if not self.rights(request):
            raise RunError(
                "Work can only be started from the machine that serves this page.",
                "Whoever runs it can allow more with --allow-runs.",
            )

    def check_is_here(self, request: Request) -> None:
        """Raise `RunError` unless this request comes from this machine: only who sits here may
        have its files read."""
        if not may_start_runs(request, allow_all=False):
            raise RunError(
                "A file is only read for whoever is on the machine that serves this page.",
                "Run followdata on your own machine.",
            )

    def tabs(self, story: Story, current: str = "", data: str = "") -> Markup:
        """The story's questions as tabs."""
        return part(
            "tabs",
            story=story.name,
            names=story.question_names,
            current=current,
            suffix=f"?data={data}" if data else "",
        )


def given(request: Request) -> dict[str, str]:
    """The query's parameters; each may be given once."""
    if len(request.url.query) > LONGEST_QUERY:
        raise InvalidParameter("address", f"more than {LONGEST_QUERY} characters.")
    items = request.query_params.multi_items()
    values = dict(items)
    if len(values) < len(items):
        twice = next(name for name, _ in items if len(request.query_params.getlist(name)) > 1)
        raise InvalidParameter(twice, "given more than once.")
    return values
