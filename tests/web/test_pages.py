"""Pages and data as a program gets them from a real server process."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import fields
from pathlib import Path

import httpx
import jinja2.meta
import pytest
from markupsafe import Markup

from followdata.registry import Registry
from followdata.web import pages
from followdata.web.security import HEADERS, is_loopback

QUESTIONS = [
    (name, question)
    for name, story in Registry.installed().items()
    for question in story.question_names
]
SHORT = [
    (story, question)
    for story, question in QUESTIONS
    if not Registry.installed()[story].question(question).long
]

READY = [
    (story, question)
    for story, question in QUESTIONS
    if (story, question) in SHORT or question == Registry.installed()[story].question_names[0]
]
"""What is answered at once: a story's first question is made ready when the server starts."""


@pytest.mark.parametrize(("story", "question"), READY)
def test_a_page_opens_on_a_finished_sentence(
    client: httpx.Client, story: str, question: str
) -> None:
    page = client.get(f"/{story}/{question}")
    assert page.status_code == 200
    answer = client.get(f"/{story}/{question}.json").json()
    told = re.search(r'<p class="sentence">(.*?)</p>', page.text, re.S)
    assert told
    assert str(Markup(told[1]).unescape()) == answer["sentence"]
    assert "<strong>Sample:</strong>" in page.text


@pytest.mark.parametrize(("story", "question"), READY)
def test_every_form_links_to_every_other(client: httpx.Client, story: str, question: str) -> None:
    page = client.get(f"/{story}/{question}")
    for form in ("json", "csv", "svg", "png"):
        link = re.search(rf'href="(/{story}/{question}\.{form}[^"]*)"', page.text)
        assert link, form
        answer = client.get(link[1].replace("&amp;", "&"))
        assert answer.status_code == 200
        assert answer.content
    assert f"</{story}/{question}.json" in page.headers["link"]


def test_csv_and_json_hold_the_same_rows(client: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/towns/distinctive.csv").text)))
    records = client.get("/towns/distinctive.json").json()["tables"]["distinctive"]
    assert [float(row["score"]) for row in rows] == [record["score"] for record in records]


def test_long_tables_come_in_pages(client: httpx.Client) -> None:
    whole = client.get("/towns/map.json").json()["tables"]["map"]
    found, address = [], "/towns/map.json?limit=50"
    while address:
        part = client.get(address).json()
        found += part["tables"]["map"]
        address = part.get("next", "")
    assert found == whole


def test_a_fragment_is_the_answer_alone(client: httpx.Client) -> None:
    part = client.get("/towns/distinctive", headers={"Followdata-Fragment": "1"})
    assert part.text.lstrip().startswith('<section id="answer"')
    assert "<html" not in part.text
    assert "followdata-fragment" in part.headers["vary"]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/nowhere.json", 404, "error"),
        ("/towns/distinctive.json?thing=Swedn", 404, "unknown-name"),
        ("/towns/distinctive.json?top=many", 422, "invalid-parameter"),
        ("/towns/distinctive.json?thign=Sweden", 404, "unknown-name"),
        ("/towns/distinctive.json?thing=Norway&thing=Sweden", 422, "invalid-parameter"),
        ("/towns/distinctive.json?data=2031", 404, "unknown-name"),
        ("/proteome/prepare.json?cohort=colon", 404, "unknown-name"),
        ("/towns/distinctive.json?cohort=2031", 404, "unknown-name"),
        ("/towns/distinctive.json?limit=-1", 422, "invalid-parameter"),
        ("/towns/distinctive.csv?table=nothing", 404, "unknown-name"),
        ("/towns/distinctive.svg?view=9", 422, "nothing-to-answer"),
        ("/towns/distinctive.svg?theme=pink", 404, "unknown-name"),
        ("/towns/distinctive.json?" + "x" * 5000, 422, "invalid-parameter"),
        ("/runs/none/events", 404, "unknown-name"),
        ("/runs/none.json", 404, "unknown-name"),
        ("/towns/distinctive/names?parameter=nothing", 404, "unknown-name"),
    ],
)
def test_errors_of_data_have_one_shape(
    client: httpx.Client, address: str, status: int, code: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "advice", "nearest"}
    assert error["code"] == code
    assert error["message"]


def test_a_wrong_name_offers_the_nearest(client: httpx.Client) -> None:
    page = client.get("/towns/distinctive?thing=Swedn")
    assert page.status_code == 404
    assert 'value="Swedn"' in page.text or "Swedn" in page.text
    assert re.search(r'class="offer" href="[^"]*thing=Sweden', page.text)
    assert client.get("/tows").status_code == 404


def test_errors_of_pages_look_like_pages(client: httpx.Client) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "<h1>Not Found</h1>" in page.text


def test_headers_are_on_every_answer(client: httpx.Client) -> None:
    for address in ("/", "/towns/map", "/towns/map.json", "/nowhere", "/assets/none"):
        headers = client.get(address).headers
        for name, value in HEADERS.items():
            assert headers[name] == value
    assert "unsafe-eval" not in HEADERS["Content-Security-Policy"]


def test_assets_are_compressed_and_cached_for_ever(client: httpx.Client) -> None:
    page = client.get("/towns/map").text
    address = re.search(r'data-vega="([^"]+)"', page)
    assert address
    asset = client.get(address[1], headers={"Accept-Encoding": "br"})
    assert asset.headers["content-encoding"] == "br"
    assert "immutable" in asset.headers["cache-control"]
    assert int(asset.headers["content-length"]) < 300_000


def test_an_unchanged_page_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/towns/distinctive")
    again = client.get("/towns/distinctive", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def test_openapi_lists_every_question_with_its_parameters(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    for story, question in QUESTIONS:
        words = schema["paths"][f"/{story}/{question}.json"]["get"]
        declared = Registry.installed()[story].question(question).parameters
        assert {p["name"] for p in words["parameters"]} == {*declared, "data", "limit", "offset"}
    assert client.get("/api").status_code == 200


def test_what_a_reader_leaves_open_stays_open(client: httpx.Client) -> None:
    """A temperature typed into the page is meant for now, not for the day that it opened with."""
    page = client.get("/weather/now?data=sample").text
    assert re.search(r'<input name="temperature" value="" placeholder="6.65" type="number"', page)
    assert re.search(r'<input name="at" value="" placeholder="2020-12-31" type="date"', page)
    assert 'name="asked"' not in page
    typed = client.get("/weather/now?data=sample&temperature=-5").text
    assert 'name="temperature" value="-5"' in typed
    assert 'name="at" value=""' in typed


def test_names_are_completed(client: httpx.Client) -> None:
    found = client.get("/towns/distinctive/names?parameter=thing&q=swe").json()["names"]
    assert found[0] == {"name": "Sweden", "title": "Sweden"}


def test_other_sites_cannot_start_work(client: httpx.Client) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = client.get("/autoencode/reconstruction.json?seed=77", headers=foreign)
    assert answer.status_code == 403
    assert client.post("/autoencode/fetch", headers=foreign).status_code == 403


def test_a_script_in_a_name_stays_text(client: httpx.Client) -> None:
    page = client.get("/towns/distinctive", params={"thing": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.text


def test_loopback_is_known() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("192.168.1.2")
    assert not is_loopback("")


@pytest.mark.parametrize("page", pages.Page.__subclasses__())
def test_a_page_has_just_the_variables_that_its_template_uses(page: type[pages.Page]) -> None:
    environment = pages.environment()
    used: set[str] = set()
    for name in (page.template, "base.html"):
        assert environment.loader
        source = environment.loader.get_source(environment, name)[0]
        used |= jinja2.meta.find_undeclared_variables(environment.parse(source))
    declared = {field.name for field in fields(page)}
    assert used <= declared
    assert declared - used <= {"description"}, "a variable that nobody shows"


def test_json_is_strict(client: httpx.Client) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for story, question in SHORT:
        json.loads(client.get(f"/{story}/{question}.json").content, parse_constant=refuse)


def test_rows_offer_the_comparison(client: httpx.Client) -> None:
    for page in ("/towns/peers?thing=Sweden", "/towns/distinctive?thing=Sweden"):
        text = client.get(page).text
        links = re.findall(r'href="(/towns/compare\?[^"]*a=Sweden[^"]*)"', text)
        assert links, page
        address = str(Markup(links[0]).unescape())
        assert re.search(r"[?&]a=Sweden&b=\w+", address)
        assert client.get(address).status_code == 200
    # A click in a picture adds the value to the end of the address.
    picture = client.get("/towns/peers?thing=Sweden").text.replace("&amp;", "&")
    assert re.search(r'data-click="/towns/distinctive\?[^"]*thing="', picture)


def test_a_field_without_anything_to_choose_is_not_there(client: httpx.Client) -> None:
    page = client.get("/towns/peers?data=sample").text  # the sample has no themes
    assert 'name="thing"' in page
    assert 'name="topic"' not in page


def test_a_file_is_read_only_for_who_is_here(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    names = [
        row["gene"] for row in client.get("/brain/markers.json?top=30").json()["tables"]["markers"]
    ]
    path.write_text("sample," + ",".join(names) + "\np1," + ",".join(map(str, range(30))) + "\n")
    asked = {"samples": str(path)}
    answer = client.get("/brain/compare.json", params=asked)
    assert answer.json()["tables"]["nearest"][0]["sample"] == "p1"
    assert answer.headers["cache-control"] == "no-store"
    # The file can change: nothing of it is kept.
    path.write_text(path.read_text().replace("p1", "p2"))
    assert (
        client.get("/brain/compare.json", params=asked).json()["tables"]["nearest"][0]["sample"]
        == "p2"
    )
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for form in ("", ".json", ".csv", ".svg"):
        refused = client.get(f"/brain/compare{form}", params=asked, headers=elsewhere)
        assert refused.status_code == 403
        assert "p2" not in refused.text
    assert client.get("/brain/compare.json", params={"samples": "/no/such"}).status_code == 422


def test_lists_are_completed_at_their_end(client: httpx.Client) -> None:
    found = client.get("/brain/expression/names?parameter=gene&q=GPM6B,sv2").json()["names"]
    assert found[0] == {"name": "GPM6B,SV2B", "title": "SV2B"}


def test_a_gene_and_a_group_lead_on(client: httpx.Client) -> None:
    page = client.get("/brain/markers").text
    assert re.search(r'href="/brain/expression\?[^"]*gene=GPM6B"', page)
    assert re.search(r'data-click="/brain/expression\?[^"]*gene="', page)
    page = client.get("/brain/expression").text
    assert re.search(r'href="/brain/markers\?[^"]*group=hippocampus"', page)
    assert re.search(r'data-click="/brain/markers\?[^"]*group="', page)


def test_a_data_set_is_downloaded_as_an_open_one(client: httpx.Client) -> None:
    page = client.get("/autoencode").text
    link = re.search(r'href="(/autoencode/export\.zip\?data=sample)"', page)
    assert link
    answer = client.get(link[1])
    assert answer.headers["content-type"] == "application/zip"
    assert "followdata-autoencode-sample.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert "178 Italian wines" in packed.read("README.md").decode()
    assert client.get("/autoencode/export.zip?data=none").status_code == 404
    assert client.get("/autoencode/export.zip?top=1").status_code == 422


def test_few_whole_numbers_are_a_menu(client: httpx.Client) -> None:
    page = client.get("/brain/map").text
    assert re.search(r'<select name="x">.*?<option value="2">2</option>', page, re.S)
