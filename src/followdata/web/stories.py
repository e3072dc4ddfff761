"""The front page, and a story's own page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request

from followdata.answer import Scalar
from followdata.desk import fetch_id
from followdata.errors import FollowdataError, InvalidParameter
from followdata.question import resolve
from followdata.store import safe_name
from followdata.story import Story
from followdata.web import runs
from followdata.web.bodies import Body
from followdata.web.forms import address, field, heading
from followdata.web.pages import Card, FrontPage, StoryPage, part
from followdata.web.site import Site, given

HTML = "text/html; charset=utf-8"


def front(site: Site) -> Body:
    """All stories, each with a finished sentence and a small picture."""
    page = FrontPage(
        assets=site.assets,
        title="Stories",
        description="Follow a question through public data; every answer says how sure it is.",
        cards=[card(site, story) for story in site.desk.registry.values()],
        opening=part("opening", detailed=False),
    )
    return Body(page.render().encode(), HTML)


def card(site: Site, story: Story) -> Card:
    """A story's card, with its first question that the data can answer.

    A story that cannot answer says why and leaves the others alone.
    """
    refusal = ""
    if story.is_own:  # there may be many, and none is read before it is asked
        return Card(story.name, story.title, f"/{story.name}", story.summary)
    for name in story.question_names:
        try:
            return _answered_card(site, story, name)
        except FollowdataError as error:
            refusal = refusal or str(error)
    return Card(story.name, story.title, f"/{story.name}", refusal)


def _answered_card(site: Site, story: Story, name: str) -> Card:
    opened = site.desk.open(story.name)
    params = opened.resolve(name, {})
    answer = opened.tell(name, params)
    href = f"/{story.name}/{name}"
    sample = answer.provenance.sample if answer.provenance else ""
    if not answer.views:
        return Card(story.name, story.title, href, answer.sentence, sample)
    picture = address(story.name, name, params, opened.dataset.name, "svg") + "&size=card"
    return Card(
        story.name,
        story.title,
        href,
        answer.sentence,
        sample,
        picture,
        f"{picture}&theme=dark",
        answer.views[0].description,
    )


def story_page(site: Site, story: Story) -> Body:
    """A story's words, questions and data sets."""
    opened = site.desk.open(story.name)
    page = StoryPage(
        assets=site.assets,
        title=story.title,
        description=story.summary,
        tabs=site.tabs(story),
        story=story.name,
        first=story.question_names[0],
        questions=[
            (question.name, heading(question, opened, {}), question.words)
            for question in story.questions.values()
        ],
        words=_markdown(story.words),
        datasets=site.desk.store.datasets(story.name),
        fetch=part("again") if story.is_own else fetch_form(story),
    )
    return Body(page.render().encode(), HTML)


def archive(site: Site, story: Story, request: Request) -> Body:
    """A data set as an open one: all its files in one."""
    values = given(request)
    name = values.pop("data", "")
    if values:
        raise InvalidParameter(next(iter(values)), "only “data” is known here.")
    opened = site.desk.open(story.name, name)
    packed = f"followdata-{story.name}-{safe_name(opened.dataset.name)}"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(packed)}.zip"}
    return Body(opened.archive(), "application/zip", headers)


def fetch_form(story: Story) -> Markup:
    """The form that starts a fetch."""
    fields = [
        field(asked, None if asked.default is ... else asked.default, None, "")
        for asked in story.fetch_parameters.values()
    ]
    return part("fetch", story=story.name, fields=fields)


def start_fetch(site: Site, story: Story, values: Mapping[str, str], request: Request) -> str:
    """Start fetching; the address of the run."""
    site.check_may_start(request)
    params: Mapping[str, Scalar] = resolve(story.fetch_parameters, None, values, {})
    id = fetch_id(story.name, params)
    if len(id) > 100:
        raise InvalidParameter("fetch", "the values are too long.")
    site.starter.start(id, ["fetch", story.name, *runs.options(params)])
    return f"/runs/{id}"


@cache
def _markdown(text: str) -> Markup:
    from markdown_it import MarkdownIt

    # "js-default" leaves HTML in the text as text, and refuses script addresses.
    return Markup(MarkdownIt("js-default").render(text))
