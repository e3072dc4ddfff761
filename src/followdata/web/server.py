"""The server process."""

from __future__ import annotations

import os
from collections.abc import Callable

from fastapi import FastAPI

from followdata.desk import Desk
from followdata.errors import FollowdataError
from followdata.settings import HOME_VARIABLE
from followdata.web.app import create_app
from followdata.web.assets import Assets
from followdata.web.security import known_hosts

_ALLOW_RUNS = "FOLLOWDATA_ALLOW_RUNS"
_HOSTS = "FOLLOWDATA_HOSTS"


def serve(
    desk: Desk,
    host: str,
    port: int,
    *,
    workers: int,
    allow_runs: bool,
    say: Callable[[str], None],
    known_as: tuple[str, ...] = (),
) -> None:
    """Get the front page ready, then serve until interrupted."""
    import uvicorn

    prepare(desk, say)
    say(f"followdata is at http://{host}:{port}/ (Ctrl-C ends it)")
    # Worker processes make the application anew, from the same settings.
    os.environ[HOME_VARIABLE] = str(desk.store.home)
    os.environ[_ALLOW_RUNS] = "1" if allow_runs else ""
    os.environ[_HOSTS] = " ".join(known_hosts(host, known_as))
    uvicorn.run(
        "followdata.web.server:installed_app",
        factory=True,
        http="followdata.web.connections:PatientConnection",
        ws="none",
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        server_header=False,
        limit_concurrency=512,
        timeout_graceful_shutdown=3,
    )


def installed_app() -> FastAPI:
    """The application with all installed stories, as a worker process makes it."""
    return create_app(
        Desk.installed(),
        allow_runs=bool(os.environ.get(_ALLOW_RUNS)),
        hosts=os.environ.get(_HOSTS, "*").split(),
    )


def prepare(desk: Desk, say: Callable[[str], None]) -> None:
    """Make what the front page needs: samples, their first answers, scripts."""
    for story in desk.registry.values():
        if story.is_own:
            continue
        try:
            opened = desk.open(story.name)
            name = story.question_names[0]
            question = story.question(name)
            params = opened.resolve(name, {})
            if question.learns and not desk.store.has_fitted(opened.key(question, params)):
                say(f"{story.name}: getting its first answer ready")
            opened.tell(name, params)
        except FollowdataError as error:
            say(f"{story.name}: {error}")
    Assets(desk.store)
