"""Pages about runs and about the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from followdata.present.jsonform import dumps
from followdata.runs import Event, Run
from followdata.web.bodies import Body
from followdata.web.forms import address
from followdata.web.pages import ApiPage, RunPage, RunsPage, part
from followdata.web.site import Site

HTML = "text/html; charset=utf-8"
FRESH = {"Cache-Control": "no-store"}
MOST_EVENTS = 60


def all_runs(site: Site) -> Body:
    """Every run with its state."""
    page = RunsPage(
        assets=site.assets,
        title="Runs",
        description="Work that takes longer than a request.",
        runs=[_row(run) for run in site.desk.runs.all()],
    )
    return Body(page.render().encode(), HTML, FRESH)


def one_run(site: Site, id: str, form: str) -> Body:
    """A run as a page or as JSON."""
    if site.starter.busy(id) and not site.desk.runs.named(id).journal.exists():
        run, title, state = site.desk.runs.named(id), id, "starting"
    else:
        run = site.desk.runs.get(id)
        title, state = str(run.about["title"]), run.state
    if form == "json":
        words = {"run": run.id, "title": title, "state": state, "last": dict(run.last)}
        return Body(dumps(words), "application/json", FRESH)
    last = run.last
    events = [
        _shown(event)
        for event in run.events()
        if event["kind"] not in ("grid", "frame", "progress")
    ]
    page = RunPage(
        assets=site.assets,
        title=title,
        description=f"A run, {state}.",
        id=run.id,
        state=state,
        message=str(last.get("message", "")) if state in ("failed", "stopped") else "",
        href=_leads_to(run),
        live=part("live"),
        events=events[-MOST_EVENTS:],
    )
    return Body(page.render().encode(), HTML, FRESH)


def api(site: Site, schema: Mapping[str, Any]) -> Body:
    """The addresses that give data, in words."""
    paths = [
        (
            path,
            words["get"]["description"],
            [(p["name"], p["description"]) for p in words["get"].get("parameters", [])],
        )
        for path, words in schema["paths"].items()
        if path.endswith(".json")
    ]
    page = ApiPage(
        assets=site.assets, title="API", description="The addresses that give data.", paths=paths
    )
    return Body(page.render().encode(), HTML)


def _row(run: Run) -> dict[str, str]:
    progress, last = run.progress(), run.last
    return {
        "id": run.id,
        "state": run.state,
        "title": str(run.about["title"]),
        "done": f"{progress['done']} of {progress['total']}" if progress else "",
        "at": str(last.get("at", ""))[:19].replace("T", " "),
    }


def _shown(event: Event) -> dict[str, Any]:
    words = {key: value for key, value in event.items() if key not in ("n", "at", "kind")}
    text = "; ".join(
        f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in words.items()
    )
    at = str(event["at"])[11:19]
    return {"n": event["n"], "at": at, "kind": event["kind"], "words": text}


def _leads_to(run: Run) -> str:
    """The page whose answer the run works for, or the story that it has opened."""
    opened = [event for event in run.events() if event["kind"] == "opened"]
    if opened:
        return f"/{opened[-1]['story']}"
    about = run.about
    if about.get("work") == "open":
        return "/open"
    if about.get("work") == "fit":
        return address(about["story"], about["question"], about["params"], about["data"])
    return f"/{about['story']}" if "story" in about else ""
