"""One question, at one address, in each of its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request

from followdata.answer import Answer, Field, Scalar
from followdata.data import Data
from followdata.desk import Opened
from followdata.errors import FollowdataError, InvalidParameter, NeedsRun, UnknownName
from followdata.parameters import Branch, Column, File, Row, Series
from followdata.present import MEDIA_TYPES, chosen_view, render
from followdata.present.document import ShownFurther, fragment, shown_further
from followdata.present.jsonform import document, dumps
from followdata.present.pictures import card
from followdata.question import Asked, Question
from followdata.story import Story
from followdata.web import faults, runs
from followdata.web.bodies import Body
from followdata.web.forms import address, field, forms_of, heading
from followdata.web.pages import QuestionPage, part
from followdata.web.site import Site, given

FRAGMENT = "followdata-fragment"
MOST_ROWS = 1000
RESERVED = {
    "": ("data",),
    "json": ("data", "limit", "offset"),
    "csv": ("data", "table"),
    "svg": ("data", "view", "theme", "size"),
    "png": ("data", "view", "theme"),
}
"""The parameters that are the frame's and not the question's, by form."""


def answer_body(site: Site, story: Story, name: str, form: str, request: Request) -> Body:
    """The answer to what the address asks; `form` is "" for the page."""
    values = given(request)
    if story.dataset_word in values:
        values["data"] = values.pop(story.dataset_word)
    reserved = {key: values.pop(key) for key in RESERVED[form] if key in values}
    if _names_file(story.question(name), values):
        site.check_is_here(request)
        body = _body(site, story, name, form, values, reserved, request)
        # The file can change, and nobody else may see what it gave.
        return replace(body, headers={**body.headers, "Cache-Control": "no-store"})
    return _body(site, story, name, form, values, reserved, request)


def _names_file(question: Question, values: Mapping[str, str]) -> bool:
    """Whether a file on this machine is named."""
    asked = question.parameters
    return any(isinstance(asked[n].type, File) for n, v in values.items() if v and n in asked)


def _body(
    site: Site, story: Story, name: str, form: str, values: dict[str, str],
    reserved: dict[str, str], request: Request,
) -> Body:  # fmt: skip
    if form == "":
        return _page(site, story, name, values, reserved.get("data", ""), request)
    opened = site.desk.open(story.name, reserved.pop("data", ""))
    params = opened.resolve(name, values)
    try:
        answer = opened.tell(name, params, wait=False)
    except NeedsRun as need:
        return _accepted(site, opened, name, params, need, request)
    if form == "json":
        return _json(answer, reserved, params)
    if form == "svg" and reserved.get("size") == "card":
        content = card(answer, chosen_view(answer), reserved.get("theme", "light"))
    else:
        chosen: dict[str, Any] = {
            key: reserved[key] for key in ("table", "theme") if key in reserved
        }
        if "view" in reserved:
            chosen["view"] = _whole("view", reserved["view"])
        content = render(answer, form, **chosen)
    headers = {"Content-Disposition": f'inline; filename="{story.name}-{name}.{form}"'}
    return Body(content, MEDIA_TYPES[form], headers)


def names_body(site: Site, story: Story, name: str, request: Request) -> Body:
    """Names of one of the question's parameters that go on from `q`."""
    values = given(request)
    parameter, begun = values.get("parameter", ""), values.get("q", "")
    question = story.question(name)
    if parameter not in question.parameters:
        raise UnknownName("parameter", parameter, list(question.parameters))
    opened = site.desk.open(story.name, values.get("data", ""))
    found = question.parameters[parameter].type.complete(begun, opened.data, limit=20)
    names = [{"name": name, "title": title} for name, title in found]
    return Body(dumps({"names": names}), "application/json")


def _json(answer: Answer, reserved: Mapping[str, str], params: Mapping[str, Scalar]) -> Body:
    """The JSON form, `limit` rows of each table from `offset` on, and where the next ones are."""
    offset = _whole("offset", reserved.get("offset", "0"))
    limit = min(MOST_ROWS, _whole("limit", reserved.get("limit", str(MOST_ROWS))))
    longest = max((len(table) for table in answer.tables.values()), default=0)
    tables = {name: table.page(offset, limit) for name, table in answer.tables.items()}
    words = document(replace(answer, tables=tables))
    if limit and longest > offset + limit:
        base = address(answer.story, answer.question, params, answer.data, "json")
        words["next"] = f"{base}&limit={limit}&offset={offset + limit}"
    return Body(dumps(words), "application/json")


def _accepted(
    site: Site, opened: Opened, name: str, params: Mapping[str, Scalar], need: NeedsRun,
    request: Request,
) -> Body:  # fmt: skip
    """Start the run that the answer needs, and say where to follow it."""
    start(site, opened, name, params, need, request)
    words = {"run": f"/runs/{need.run}", "state": "running", "message": need.problem}
    headers = {"Location": f"/runs/{need.run}", "Cache-Control": "no-store", "Retry-After": "1"}
    return Body(dumps(words), "application/json", headers, 202)


def start(
    site: Site, opened: Opened, name: str, params: Mapping[str, Scalar], need: NeedsRun,
    request: Request,
) -> None:  # fmt: skip
    """Start the run that `need` names, if this request may."""
    site.check_may_start(request)
    asking = ["ask", opened.story.name, name, *runs.options(params)]
    site.starter.start(need.run, [*asking, f"--data={opened.dataset.name}", "--format=json"])


def _page(
    site: Site, story: Story, name: str, values: dict[str, str], data: str, request: Request
) -> Body:
    """The page, or only its answer for a page that is already there."""
    question = story.question(name)
    opened = site.desk.open(story.name, data)
    shown: Mapping[str, Scalar] = opened.resolve(name, {}) | dict(values)
    forms: dict[str, str] = {}
    status, run = 200, ""
    head = heading(question, opened, values)
    try:
        params = shown = opened.resolve(name, values)
        forms = forms_of(opened, name, params)
        answer = opened.tell(name, params, wait=False)
        inside = fragment(answer, _addresses(opened), forms, list(_further(opened, answer)))
        inside += _how_it_was_learnt(opened, question, params)
    except NeedsRun as need:
        start(site, opened, name, params, need, request)
        status, run = 202, f"/runs/{need.run}"
        inside = part("waiting", live=part("live"), run=run)
    except FollowdataError as error:
        status = faults.status_of(error)
        if status >= 500 or status == 403:
            raise
        inside = part("fault", error=error, nearest=faults.nearest(request, error))
    section = part("section", heading=head, run=run, inside=inside)
    headers = {"Vary": FRAGMENT}
    if status != 200:
        headers["Cache-Control"] = "no-store"
    if forms:
        headers["Link"] = f'<{forms["json"]}>; rel="alternate"; type="application/json"'
    html = str(section)
    if FRAGMENT not in request.headers:
        html = _whole_page(site, opened, question, (values, shown), forms, head, section)
    return Body(html.encode(), MEDIA_TYPES["html"], headers, status)


def _whole_page(
    site: Site, opened: Opened, question: Question,
    asked_for: tuple[Mapping[str, str], Mapping[str, Scalar]],
    forms: Mapping[str, str], head: str, section: Markup,
) -> str:  # fmt: skip
    given, shown = asked_for
    story, data = opened.story, opened.dataset.name
    asking = f"/{quote(story.name)}/{quote(question.name)}/names?data={quote(data)}&parameter="

    def fields(*, further: bool) -> list[Markup]:
        return [
            # What the reader leaves open stays open: it may depend on what else is asked.
            field(asked, given.get(name), opened.data, asking + quote(name), taken=shown.get(name))
            if asked.optional
            else field(asked, shown.get(name), opened.data, asking + quote(name))
            for name, asked in question.parameters.items()
            if asked.type.further == further
            and not (asked.type.hidden or _nothing_to_choose(asked, opened.data))
        ]

    return QuestionPage(
        assets=site.assets,
        title=head,
        description=question.words,
        tabs=site.tabs(story, question.name, data),
        story=story.name,
        question=question.name,
        heading=head,
        long=question.long,
        fields=fields(further=False),
        folded=fields(further=True),
        datasets=[dataset.name for dataset in site.desk.store.datasets(story.name)],
        data=data,
        answer=section,
        forms=forms,
    ).render()


def _how_it_was_learnt(opened: Opened, question: Question, params: Mapping[str, Scalar]) -> Markup:
    """Where the run that the answer came from is played again, if there is one."""
    if not question.long:
        return Markup("")
    run = opened.desk.runs.named(opened.run_id(question, params))
    return part("learnt", run=run.id) if run.journal.exists() else Markup("")


def _further(opened: Opened, answer: Answer) -> Iterator[ShownFurther]:
    """The answers that this one leads to, of the questions that the story has."""
    for one in answer.further:
        given = dict(one.given)
        known = one.question in opened.story.question_names
        if not known or not given.keys() <= opened.story.question(one.question).parameters.keys():
            continue
        params = opened.resolve(one.question, given)
        head = heading(opened.story.question(one.question), opened, given)
        href = address(opened.story.name, one.question, given, opened.dataset.name)
        yield shown_further(head, href, opened.tell(one.question, params, wait=False))


def _nothing_to_choose(asked: Asked, data: Data) -> bool:
    """Whether these data have no names for a parameter that may be left out, such as a theme."""
    index = asked.type.names(data)
    return asked.optional and index is not None and not len(index)


def _addresses(opened: Opened) -> Callable[[Field, Scalar], str]:
    """Where a value of a table is asked about: a question's page with its next name filled in."""

    def find(field: Field, value: Scalar) -> str:
        question, given = field.link, dict(field.given)
        if question not in opened.story.question_names:
            return ""
        parameters = opened.story.question(question).parameters.values()
        kinds = (Row, Column, Branch, Series)
        names = [
            asked.name
            for asked in parameters
            if isinstance(asked.type, kinds) or asked.name == field.name
        ]
        following = next((name for name in names if name not in given), "")
        if not following:
            return ""
        # The value comes last: a click in a picture adds it to the address of "".
        asking = given | {following: value}
        return address(opened.story.name, question, {"data": opened.dataset.name} | asking)

    return find


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise InvalidParameter(name, f"“{text}” is not a whole number.")
    return int(text)
