"""The pages of the real towns, looked at by a program as a person would: wide and light, on a phone
in the dark, without JavaScript; with axe-core's rules, text alternatives and tables."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks._tables import table
from benchmarks.frame import serving
from followdata.desk import Desk
from followdata.settings import HOME_VARIABLE, Settings
from followdata.testing.browser import CHROMIUM, FLAGS

TOWNS = ("Umeå", "Stockholm", "Bjurholm", "Göteborg")
YEARS = ("2022", "2014")
LOOKS = {"wide, light": (1200, "light"), "phone, dark": (390, "dark")}
PICTURES = os.environ.get("FOLLOWDATA_PICTURES", "")
"""A folder for screenshots; none are taken where it is not set."""


def main() -> None:
    shared = Path(os.environ.get("FOLLOWDATA_SHARED", "../shared")) / "data"
    if not shared.is_dir():
        sys.exit("These pages are of the real figures; set FOLLOWDATA_SHARED.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        desk = Desk.installed(Settings(Path(folder)))
        for year in YEARS:
            desk.fetch("towns", {"year": year}, paths=[shared / "kolada", shared / "geo"])
        with serving() as server:
            look(server)


def addresses() -> Iterator[tuple[str, str, str]]:
    """Each page: its question, its town, its address."""
    for year in YEARS:
        for town, other in zip(TOWNS, (*TOWNS[1:], TOWNS[0]), strict=True):
            given: dict[str, dict[str, str]] = {
                "distinctive": {"thing": town},
                "compare": {"a": town, "b": other},
                "peers": {"thing": town},
                "map": {"thing": town, "beside": other},
                "measure": {"thing": town},
                "index": {"thing": town},
            }
            for question, params in given.items():
                yield question, town, f"/towns/{question}?{urlencode(params | {'data': year})}"


def look(server: str) -> None:
    """Visit all pages in each look, and print how many faults there are by question."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    seen: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        plain = browser.new_context(base_url=server, java_script_enabled=False).new_page()
        for width, scheme in LOOKS.values():
            context = browser.new_context(
                base_url=server, color_scheme=scheme, viewport={"width": width, "height": 850}
            )
            page = context.new_page()
            said: list[str] = []
            page.on("console", lambda one, said=said: said.append(one.text))
            for question, town, address in addresses():
                seen[question] += 1
                page.goto(address)
                page.wait_for_selector("html[data-ready=true]")
                faults = {
                    "axe-core": Axe().run(page).violations_count,
                    "console": len(said),
                    "wider than the window": _wide(page),
                    "no text alternative": _wordless(page),
                    "not drawn": _undrawn(page),
                    "without JavaScript": _broken(plain, address, town),
                }
                said.clear()
                for fault, number in faults.items():
                    found[question, fault] += number
                if PICTURES:
                    year = address[-4:]
                    name = f"{question}-{town}-{year}-{width}-{scheme}.png"
                    page.screenshot(path=Path(PICTURES) / name, full_page=True)
            context.close()
        browser.close()
    kinds = list(faults)
    table(
        ("question", "pages looked at", *kinds),
        [(q, seen[q], *(found[q, kind] for kind in kinds)) for q in seen],
    )


def _wide(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def _wordless(page: Any) -> int:
    """Pictures that say nothing to those who cannot see them, or whose page has no table."""
    charts = page.locator(".chart").all()
    mute = sum(not (one.get_attribute("aria-label") or "").strip() for one in charts)
    return mute + (not page.locator("table").count())


def _undrawn(page: Any) -> int:
    drawn = page.locator(".chart svg, .chart canvas").count()
    return int(page.locator(".chart").count() - drawn)


def _broken(plain: Any, address: str, town: str) -> int:
    """Without JavaScript: the sentence, the table and the form are there, and the form answers."""
    plain.goto(address)
    before = plain.locator("#answer .sentence").inner_text()
    plain.locator("#ask button").click()
    same = plain.locator("#answer .sentence").inner_text() == before
    return int(not (same and town in before and plain.locator("table").count()))
