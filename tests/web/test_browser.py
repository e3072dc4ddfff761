"""The pages as a person meets them, in a real headless Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from followdata.desk import Desk
from followdata.registry import Registry
from followdata.settings import Settings

pytestmark = pytest.mark.browser
QUESTIONS = [
    f"/{name}/{question}"
    for name, story in Registry.installed().items()
    for question in story.question_names
    # Others are learnt in a run, and their pages are not finished at once.
    if not story.question(question).long or question == story.question_names[0]
]
READY = "html[data-ready=true]"


def check_accessible(page: Page) -> None:
    """No fault by axe-core's rules, contrast among them."""
    found = Axe().run(page)
    assert not found.violations_count, found.generate_report()


def visit(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(READY)


def test_the_front_page_has_a_living_card_for_each_story(page: Page) -> None:
    visit(page, "/")
    cards = page.locator(".card")
    expect(cards).to_have_count(len(Registry.installed()))
    for card in cards.all():
        expect(card.locator(".told")).to_have_text(re.compile(r"\w.+[.!?]$", re.S))
        picture = card.locator("img")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        expect(card.locator(".standing")).to_be_visible()
    cards.first.click()
    page.wait_for_selector(READY)
    expect(page.locator("#answer .sentence")).to_be_visible()


@pytest.mark.parametrize("address", QUESTIONS)
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_page_draws_its_pictures_fits_and_is_accessible(
    page: Page, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    visit(page, address)
    charts = page.locator(".chart")
    drawn = page.locator(".chart svg, .chart canvas")
    assert charts.count() == drawn.count() > 0
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page is wider than the window"
    check_accessible(page)


@pytest.mark.parametrize("address", ["/", "/towns", "/runs", "/api", "/nowhere"])
def test_the_other_pages_are_accessible(page: Page, faults: list[str], address: str) -> None:
    visit(page, address)
    check_accessible(page)
    faults.clear()  # the console tells of a page that is not there


def test_the_form_leads_to_an_address_and_back(page: Page) -> None:
    visit(page, "/towns/distinctive")
    page.select_option("select[name=thing]", "Norway")
    expect(page.locator("#answer .sentence")).to_contain_text("Norway")
    assert "thing=Norway" in page.url
    expect(page.locator("h1")).to_contain_text("Norway")
    page.go_back()
    page.wait_for_selector(READY)
    expect(page.locator("#answer .sentence")).not_to_contain_text("Norway")


def test_a_click_on_a_point_tells_of_it_and_a_second_compares(page: Page, server: str) -> None:
    visit(page, "/towns/map?x=2&y=3")
    points = page.locator(".chart").first.locator(".mark-symbol path")
    points.first.click(force=True)
    expect(page.locator(".further h2")).to_contain_text("What is special about")
    first = page.input_value("select[name=thing]")
    points.nth(20).click(force=True)
    expect(page.locator(".further h2")).to_contain_text(f"How do {first} and")
    second = page.input_value("select[name=beside]")
    assert first != second
    expect(page.locator(".chart").first).to_contain_text(second)
    # The address is enough to come back to it, with the axes that were chosen.
    sentence = page.locator("#answer .sentence").inner_text()
    visit(page, page.url)
    assert page.locator("#answer .sentence").inner_text() == sentence
    assert "omponents 2 and 3" in sentence
    points.nth(5).click(force=True)
    expect(page.locator(".further h2")).to_contain_text("What is special about")
    assert page.input_value("select[name=beside]") == ""


def test_what_is_it_outside(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    visit(page, "/weather/now")
    page.fill("input[name=temperature]", "-15")
    page.fill("input[name=at]", "2020-01-15")
    page.locator("#ask button").click()
    sentence = page.locator("#answer .sentence")
    expect(sentence).to_contain_text("15")
    box = sentence.bounding_box()
    assert box
    assert box["y"] + box["height"] < 800, "the sentence is read without scrolling"


def test_by_keyboard_alone(page: Page) -> None:
    visit(page, "/weather/now")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "temperature":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("31")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .sentence")).to_contain_text("31")


def press_tab_until(page: Page, focused: str) -> None:
    """Move on by keyboard until the script `focused` is true of the element `at`."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"(at => {focused})(document.activeElement)"):
            return
    raise AssertionError(f"not reached by keyboard: {focused}")


def test_from_the_front_page_to_a_comparison_by_keyboard_alone(page: Page) -> None:
    visit(page, "/")
    press_tab_until(page, "at.matches('.card a, a.card') && at.href.includes('/towns/')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/towns/"))
    press_tab_until(page, "at.pathname === '/towns/map'")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/towns/map"))
    page.wait_for_selector(READY)
    press_tab_until(page, "at.name === 'thing'")
    page.keyboard.type("Norw")
    expect(page.locator(".further h2")).to_contain_text("Norway")
    press_tab_until(page, "at.name === 'beside'")
    page.keyboard.type("Swed")
    expect(page.locator(".further h2")).to_contain_text("How do Norway and Sweden")
    press_tab_until(page, "at.matches('.further a')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/towns/compare"))
    page.wait_for_selector(READY)
    press_tab_until(page, "at.matches('summary')")
    page.keyboard.press("Enter")
    expect(page.locator("details[open]")).to_have_count(1)


def test_without_javascript_the_form_answers_too(chromium: Browser, server: str) -> None:
    context = chromium.new_context(base_url=server, java_script_enabled=False)
    page = context.new_page()
    page.goto("/towns/distinctive")
    page.select_option("select[name=thing]", "Norway")
    page.locator("#ask button").click()
    expect(page.locator("#answer .sentence")).to_contain_text("Norway")
    expect(page.locator("noscript").first).to_be_attached()
    context.close()


def test_a_dark_system_gets_dark_pages(chromium: Browser, server: str) -> None:
    context = chromium.new_context(base_url=server, color_scheme="dark")
    page = context.new_page()
    visit(page, "/towns/distinctive")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(21, 25, 28)"
    context.close()


def test_a_training_is_watched_live_then_answers(page: Page) -> None:
    visit(page, "/autoencode/reconstruction?seed=11&cycles=3000")
    expect(page.locator("#answer canvas.frames")).to_be_visible(timeout=20_000)
    expect(page.locator("#answer .sentence")).to_contain_text("wine", timeout=60_000)


def test_a_run_is_played_again(page: Page, server_home: Path, client: httpx.Client) -> None:
    opened = Desk.installed(Settings(server_home)).open("autoencode")
    params = opened.resolve("reconstruction", {"seed": 12, "cycles": 300})
    opened.tell("reconstruction", params)
    run = opened.run_id(opened.story.question("reconstruction"), params)
    page.goto(f"/runs/{run}")
    expect(page.locator(".replay")).to_be_visible(timeout=10_000)
    page.locator(".replay input").fill("0")
    expect(page.locator(".said")).to_contain_text("cycle 0, mean error")
    canvas = page.locator("canvas.frames")
    canvas.hover(position={"x": 30, "y": 6})
    expect(page.locator(".cell")).to_contain_text("wine 1, malic_acid: error 0")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    page.locator(".order").select_option("alike")
    assert canvas.evaluate("canvas => canvas.toDataURL()") != before
    page.locator(".whole").check()
    canvas.hover(position={"x": 30, "y": 6})
    expect(page.locator(".cell")).to_contain_text("block of rows")
    page.locator(".replay input").fill("37")
    page.locator(".replay button").click()
    expect(page.locator(".replay button")).to_have_text("Pause")
    expect(page.locator(".said")).to_contain_text("cycle 300")
    check_accessible(page)
    visit(page, "/autoencode/reconstruction?seed=12&cycles=300")
    page.get_by_text("Watch again how it was learnt").click()
    page.wait_for_url(f"**/runs/{run}")
    assert client.get(f"/runs/{run}.json").json()["state"] == "done"


def test_an_answer_that_fails_is_shown_as_the_page_it_is(chromium: Browser, server: str) -> None:
    context = chromium.new_context(base_url=server)
    page = context.new_page()
    visit(page, "/towns/distinctive")
    broken = "<!doctype html><title>broken</title><h1>Something went wrong</h1>"
    page.route(
        "**/towns/distinctive?*",
        lambda route: route.fulfill(status=500, body=broken, content_type="text/html"),
    )
    page.select_option("select[name=thing]", "Norway")
    expect(page.locator("h1")).to_have_text("Something went wrong")
    context.close()


def test_a_gene_opens_its_box_plot(page: Page) -> None:
    visit(page, "/brain/markers")
    page.locator(".chart svg .mark-rect path").first.click(force=True)
    page.wait_for_url(re.compile(r"/brain/expression\?.*gene="))
    page.wait_for_selector(READY)
    expect(page.locator("#answer .sentence")).to_contain_text("is highest in")
    expect(page.locator("#answer figure .chart svg")).to_be_visible()


def test_the_gene_box_completes_as_one_types(page: Page) -> None:
    visit(page, "/brain/expression")
    page.fill("input[name=gene]", "GPM6B,sv2")
    expect(page.locator("#names-gene option")).not_to_have_count(0)
    assert "GPM6B,SV2B" in page.locator("#names-gene option").evaluate_all(
        "options => options.map((option) => option.value)"
    )
