"""The web application: addresses, and what answers there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from followdata import __version__
from followdata.desk import Desk
from followdata.errors import FollowdataError, InvalidParameter
from followdata.question import Question
from followdata.story import Story
from followdata.web import faults, openapi, opens, questions, runpages, runs, stories
from followdata.web.bodies import Body
from followdata.web.security import SecureHeaders, body_of
from followdata.web.site import Site

LARGEST_FORM = 16_384
MOST_FIELDS = 100
log = logging.getLogger("followdata.web")


def create_app(desk: Desk, *, allow_runs: bool = False, hosts: Sequence[str] = ("*",)) -> FastAPI:
    """The application over a desk; all its state is in the desk's store.

    `hosts` are the names that it answers to.
    """
    site = Site(desk, allow_runs)
    app = FastAPI(
        title="followdata",
        version=__version__,
        description="Public data, asked and answered. Every answer says how sure it is.",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(SecureHeaders)
    _add_faults(app, site)
    _add_common(app, site)
    for story in desk.registry.values():
        if not story.is_own:
            _add_story(app, site, story)
    _add_own(app, site)
    return app


def _add_common(app: FastAPI, site: Site) -> None:
    async def front(request: Request) -> Response:
        stamps = tuple((name, site.stamp(name)) for name in site.desk.registry)
        return await _kept(site, request, ("front", stamps), lambda: stories.front(site))

    async def asset(request: Request, name: str) -> Response:
        return site.assets.body(name).respond(request)

    async def all_runs(request: Request) -> Response:
        body = await site.workshop.work("runs", partial(runpages.all_runs, site))
        return body.respond(request)

    async def one_run(request: Request, id: str) -> Response:
        form = "json" if id.endswith(".json") else "html"
        make = partial(runpages.one_run, site, id.removesuffix(".json"), form)
        return (await site.workshop.work(("run", id), make)).respond(request)

    async def events(request: Request, id: str) -> Response:
        run = site.desk.runs.named(id)
        alive = partial(site.starter.busy, id)
        if not alive():
            site.desk.runs.get(id)
        heard = request.headers.get("last-event-id", "")
        after = int(heard) if heard.isdecimal() else run.attempt - 1
        stream = runs.events(run, after, alive)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def api(request: Request) -> Response:
        return runpages.api(site, app.openapi()).respond(request)

    async def opening(request: Request) -> Response:
        return (await run_in_threadpool(opens.page, site)).respond(request)

    async def open_file(request: Request) -> Response:
        found = await opens.receive(site, request)
        if isinstance(found, Body):
            return found.respond(request)
        return RedirectResponse(found, status_code=303)

    _get(app, "/", front)
    _get(app, "/open", opening)
    app.add_api_route("/open", open_file, methods=["POST"], include_in_schema=False)
    _get(app, "/assets/{name}", asset)
    _get(app, "/runs", all_runs)
    _get(app, "/runs/{id}", one_run)
    _get(app, "/runs/{id}/events", events)
    _get(app, "/api", api)


def _add_story(app: FastAPI, site: Site, story: Story) -> None:
    async def page(request: Request) -> Response:
        return await _story_page(site, request, story)

    async def archive(request: Request) -> Response:
        return await _archive(site, request, story)

    async def fetch(request: Request) -> Response:
        site.check_may_start(request)  # before what others send is read
        content = await body_of(request, LARGEST_FORM)
        values = fields_of(content)
        run = await run_in_threadpool(stories.start_fetch, site, story, values, request)
        return RedirectResponse(run, status_code=303)

    _get(app, f"/{story.name}", page)
    _get(app, f"/{story.name}/export.zip", archive)
    app.add_api_route(f"/{story.name}/fetch", fetch, methods=["POST"], include_in_schema=False)
    for question in story.questions.values():
        _add_question(app, site, story, question)


def fields_of(form: bytes) -> dict[str, str]:
    """The fields of a form that a browser has sent."""
    try:
        return dict(parse_qsl(form.decode("utf-8", errors="replace"), max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidParameter("form", f"more than {MOST_FIELDS} fields.") from None


def _add_own(app: FastAPI, site: Site) -> None:
    """Stories that readers open while the server runs: looked for when they are asked for."""

    def own(name: str) -> Story:
        found = site.desk.registry.opened().get(name)
        if found is None:
            raise HTTPException(404)
        return found

    async def page(request: Request, story: str) -> Response:
        return await _story_page(site, request, own(story))

    async def answer(request: Request, story: str, question: str) -> Response:
        known = own(story)
        name, _, form = question.partition(".")
        if form not in questions.RESERVED or question.endswith("."):
            raise HTTPException(404)
        return await _answer(site, request, known, known.question(name).name, form)

    async def names(request: Request, story: str, question: str) -> Response:
        return await _names(site, request, own(story), question)

    async def archive(request: Request, story: str) -> Response:
        return await _archive(site, request, own(story))

    _get(app, "/{story}", page)
    _get(app, "/{story}/export.zip", archive)
    _get(app, "/{story}/{question}", answer)
    _get(app, "/{story}/{question}/names", names)


async def _story_page(site: Site, request: Request, story: Story) -> Response:
    key = ("story", story.name, site.stamp(story.name))
    return await _kept(site, request, key, lambda: stories.story_page(site, story))


async def _archive(site: Site, request: Request, story: Story) -> Response:
    key = ("zip", story.name, request.url.query, site.stamp(story.name))
    return await _kept(site, request, key, lambda: stories.archive(site, story, request))


async def _names(site: Site, request: Request, story: Story, question: str) -> Response:
    make = partial(questions.names_body, site, story, question, request)
    key = ("names", story.name, question, request.url.query)
    return (await site.workshop.work(key, make)).respond(request)


async def _answer(site: Site, request: Request, story: Story, name: str, form: str) -> Response:
    # All that the answer follows from: what was asked, of which data, on which day.
    key = (
        *(story.name, name, form, request.url.query, site.stamp(story.name)),
        *(questions.FRAGMENT in request.headers, site.desk.clock().date()),
    )
    make = partial(questions.answer_body, site, story, name, form, request)
    return await _kept(site, request, key, make)


def _add_question(app: FastAPI, site: Site, story: Story, question: Question) -> None:
    base = f"/{story.name}/{question.name}"

    def answering(form: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return await _answer(site, request, story, question.name, form)

        answer.__name__ = f"{story.name}_{question.name}_{form or 'page'}"
        return answer

    async def names(request: Request) -> Response:
        return await _names(site, request, story, question.name)

    _get(app, base, answering(""))
    _get(app, f"{base}/names", names)
    for form in ("json", "csv", "svg", "png"):
        app.add_api_route(
            f"{base}.{form}",
            answering(form),
            summary=f"{question.title} ({form.upper()})",
            description=question.words,
            tags=[story.name],
            responses=openapi.responses(form),
            openapi_extra={"parameters": openapi.parameters(question, form)},
            response_class=Response,
        )


async def _kept(
    site: Site, request: Request, key: tuple[Any, ...], make: Callable[[], Body]
) -> Response:
    """The body under `key`, made if it is not kept; only what went well and may be is kept."""
    body = await site.workshop.body(key, make, asker=site.rights(request))
    return body.respond(request)


def _add_faults(app: FastAPI, site: Site) -> None:
    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, FollowdataError)  # registered for these only
        status = faults.status_of(error)
        return faults.body(request, error, status, site.assets).respond(request)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        advice = "The front page lists all stories." if error.status_code == 404 else ""
        said = FollowdataError(f"{error.detail}: {request.url.path}", advice)
        return faults.body(request, said, error.status_code, site.assets).respond(request)

    async def defect(request: Request, error: Exception) -> Response:
        log.exception("a defect, met at %r", request.url.path, exc_info=error)
        said = FollowdataError(
            "Something went wrong on our side.", "It has been logged; please try another way."
        )
        return faults.body(request, said, 500, site.assets).respond(request)

    app.add_exception_handler(FollowdataError, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, defect)


def _get(app: FastAPI, path: str, answer: Callable[..., Any]) -> None:
    app.add_api_route(path, answer, methods=["GET", "HEAD"], include_in_schema=False)
