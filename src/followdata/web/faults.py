"""Errors as answers: one JSON shape for programs, one page for people."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from followdata import errors
from followdata.present.jsonform import dumps
from followdata.web.assets import Assets
from followdata.web.bodies import Body
from followdata.web.pages import ErrorPage

STATUS: Sequence[tuple[type[errors.FollowdataError], int]] = (
    (errors.UnknownName, 404),
    (errors.NotFetched, 404),
    (errors.InvalidParameter, 422),
    (errors.InvalidInput, 422),
    (errors.NothingToAnswer, 422),
    (errors.NotInstalled, 422),
    (errors.Unreachable, 504),
    (errors.SourceError, 502),
    (errors.DiskFull, 507),
    (errors.Busy, 503),
    (errors.NeedsRun, 202),
    (errors.RunError, 403),
)
DATA_ENDINGS = (".json", ".csv", ".svg", ".png", "/events", "/names")


def status_of(error: errors.FollowdataError) -> int:
    """The HTTP status that says best what an error means."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def document(error: errors.FollowdataError) -> dict[str, Any]:
    """The one JSON shape of errors."""
    return {
        "error": {
            "code": error.code,
            "message": error.problem,
            "advice": error.advice,
            "nearest": list(getattr(error, "nearest", ())),
        }
    }


def body(request: Request, error: errors.FollowdataError, status: int, assets: Assets) -> Body:
    """The error as this address answers: data or page."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, errors.Busy):
        headers["Retry-After"] = str(error.retry_after)
    if request.url.path.endswith(DATA_ENDINGS):
        return Body(dumps(document(error)), "application/json", headers, status)
    page = ErrorPage(
        assets=assets,
        title=HTTPStatus(status).phrase,
        description=error.problem,
        problem=error.problem,
        advice=error.advice,
        nearest=nearest(request, error),
    )
    return Body(page.render().encode(), "text/html; charset=utf-8", headers, status)


def nearest(request: Request, error: errors.FollowdataError) -> list[tuple[str, str]]:
    """Names that were perhaps meant, with the address each would have had."""
    if not isinstance(error, errors.UnknownName):
        return []
    if error.what == "story":
        return [(name, f"/{name}") for name in error.nearest]
    if error.what.startswith("question of"):
        story = request.url.path.split("/")[1]
        return [(name, f"/{story}/{name}") for name in error.nearest]
    wrong = [name for name, value in request.query_params.items() if value == error.name]
    return [
        (name, str(request.url.include_query_params(**{wrong[0]: name})))
        for name in error.nearest
        if wrong
    ]
