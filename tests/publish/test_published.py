"""What is published: that it holds the data, describes them, and is valid by each format's own
validator."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from tests.publish.conftest import KINDS, column, family, hostile, table

from followdata.data import Layer
from followdata.publish.contents import resources
from followdata.publish.kaggle import _within

VALIDATORS = """
import json, sys
from frictionless import Package
import mlcroissant
for folder in sys.argv[1:]:
    told = Package(f"{folder}/datapackage.json").validate().flatten(["message"])
    found = mlcroissant.Dataset(f"{folder}/croissant.json").metadata.ctx.issues
    told += [[str(error)] for error in found.errors]
    print(json.dumps({"told": told, "warned": sorted(map(str, found.warnings))}))
"""


def read(folder: Path, name: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return words


@pytest.mark.parametrize("package", ["frictionless", "mlcroissant"])
def test_the_validators_are_here(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"NOT VALIDATED: {package} is not installed (dependency group dev)")


def test_frictionless_and_croissant_are_valid(published: dict[str, Path]) -> None:
    for package in ("frictionless", "mlcroissant"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"NOT VALIDATED: {package} is not installed (dependency group dev)")
    folders = [str(folder) for folder in published.values()]
    command = [sys.executable, "-W", "ignore", "-c", VALIDATORS, *folders]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    found = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    assert [one["told"] for one in found] == [[]] * len(folders)
    # Where the day is known and the terms have a name, nothing is left to wish for.
    assert found[0]["warned"] == []


def test_a_table_reads_back_as_it_is(published: dict[str, Path]) -> None:
    folder, data = published["table"], table()
    for frame in (
        pd.read_parquet(folder / "table.parquet"),
        pd.read_csv(folder / "table.csv", dtype={"id": str}, float_precision="round_trip"),
    ):
        # The label `id` came first; the measure of that name is another column.
        assert list(frame.columns) == ["town", "id", "county", "N1", "id_2"]
        assert column(frame, "id") == ["0114", "1280", None]
        assert column(frame, "county") == ["Västerbotten", "Skåne", None]
        values = frame[["N1", "id_2"]].to_numpy()
        assert np.array_equal(values, data.X, equal_nan=True)


def test_every_layer_is_in_the_long_table(published: dict[str, Path]) -> None:
    folder, data = published["table"], table()
    long = pd.read_csv(folder / "long.csv", keep_default_na=False)
    assert long["indicator"].tolist()[:3] == ["N1", "N1", "id_2"]
    assert set(zip(long["time"], long["part"], strict=True)) == {
        (2022, ""), (2021, ""), (2021, "women"),
    }  # fmt: skip
    women = long[(long["part"] == "women") & (long["indicator"] == "id_2")]
    (layer,) = [layer for layer in data.layers if layer.part]
    assert women["value"].tolist() == data.layers[layer][:, 1].tolist()
    assert len(long) == 3 * np.isfinite(data.X).sum()
    similar = pd.read_csv(folder / "similar.csv")
    assert similar.to_numpy().tolist() == [
        ["Umeå", "skola", "Malmö"], ["Umeå", "skola", "Åre"], ["Åre", "skola", "Umeå"],
    ]  # fmt: skip


def test_values_of_all_times_together_are_not_those_of_one() -> None:
    data = table()
    summed = replace(data, layers={Layer("2021"): data.X, Layer("2022"): data.X * 2})
    (long,) = [one for one in resources(summed) if one.name == "long"]
    held = [
        (time, value)
        for batch in long.batches()
        for time, value in zip(batch[2], batch[4], strict=True)
    ]
    values = data.X[np.isfinite(data.X)]
    assert sorted(held) == sorted(
        [("2021", value) for value in values] + [("2022", 2 * value) for value in values]
    )


def test_series_read_back_each_by_its_grain(published: dict[str, Path]) -> None:
    folder, data = published["family"], family()
    days = pd.read_csv(folder / "days.csv", float_precision="round_trip")
    assert days["time"].tolist()[0] == "1756-01-01"
    assert np.array_equal(days["value"], data.one("Lund, days").values, equal_nan=True)
    assert days["flag"].dropna().tolist() == ["not observed"]
    hours = pd.read_parquet(folder / "hours.parquet")
    assert hours["time"].to_numpy().astype("datetime64[h]").tolist() == (
        data.one("Lund, hours").times.tolist()
    )
    assert pd.read_csv(folder / "hours.csv")["time"][1] == "2020-01-01T03:00:00"
    assert pd.read_csv(folder / "series.csv")["grain"].tolist() == ["days", "hours"]
    assert not (published["series"] / "series.csv").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_starter_notebook_runs(
    published: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(published[kind])
    notebook = read(published[kind], "starter.ipynb")
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "starter.ipynb", "exec"), names)
    assert names["folder"] == Path()


def test_titles_are_given_in_the_languages_that_the_data_bring(published: dict[str, Path]) -> None:
    folder = published["table"]
    english = (folder / "codebook.en.md").read_text(encoding="utf-8")
    swedish = (folder / "codebook.sv.md").read_text(encoding="utf-8")
    assert "| `title_en` | Title (English) | text |" in english
    assert "| `title_en` | Titel (engelska) | text |" in swedish
    assert "| `N1` | Population | number | number of people | 1e-07 – 1 | 1 |" in english
    assert "| `N1` | Folkmängd | tal | antal | 1e-07 – 1 | 1 | Antal \\| invånare |" in swedish
    # Nobody has said it in English: it stays as it is, and says what it is.
    assert "| `id_2` | Andel, % \\[sv\\] |" in english
    assert "sv: Swedish" in english
    assert "| `id_2` | Andel, % |" in swedish
    fields = read(folder, "datapackage.json")["resources"][0]["schema"]["fields"]
    assert fields[3]["titles"] == {"sv": "Folkmängd", "en": "Population"}
    assert (fields[4]["title"], fields[4]["lang"], fields[4]["unit"]) == ("Andel, %", "sv", "%")


def test_the_readme_says_where_from_and_what_was_refused(published: dict[str, Path]) -> None:
    text = (published["table"] / "README.md").read_text(encoding="utf-8")
    assert "A source \\[of sorts\\]" in text
    assert "- Row 9: \\<b\\>bold\\</b\\> \\| twice" in text
    assert "(<https://creativecommons.org/licenses/by/4.0/>)" in text
    assert "Somebody (2026). Data." in text
    assert "sample" not in text


def test_a_sample_is_named_as_one_everywhere(published: dict[str, Path]) -> None:
    folder = published["hostile"]
    assert "**This is a sample:" in (folder / "README.md").read_text(encoding="utf-8")
    assert "exempel" in (folder / "codebook.sv.md").read_text(encoding="utf-8")
    for name in ("datapackage.json", "croissant.json", "dataset-metadata.json"):
        assert read(folder, name)["description"].startswith("This is a sample:")
    notebook = json.dumps(read(folder, "starter.ipynb")["cells"][0]["source"])
    assert "This is a sample:" in notebook


def test_kaggle_gets_what_it_takes(published: dict[str, Path]) -> None:
    for folder in published.values():
        words = read(folder, "dataset-metadata.json")
        assert 6 <= len(words["title"]) <= 50
        assert 20 <= len(words["subtitle"]) <= 80
        slug = words["id"].partition("/")[2]
        assert 3 <= len(slug) <= 50
        assert slug.replace("-", "").isalnum()
        for resource in words["resources"]:
            heading = pd.read_csv(folder / resource["path"], nrows=0).columns.tolist()
            assert len(heading) == len(resource["schema"]["fields"])
    assert read(published["table"], "dataset-metadata.json")["licenses"] == [{"name": "CC-BY-4.0"}]
    assert read(published["hostile"], "dataset-metadata.json")["licenses"] == [{"name": "other"}]
    assert _within("", (6, 50), "x") == "x....."


def test_no_name_is_a_formula_or_markup(published: dict[str, Path]) -> None:
    folder, data = published["hostile"], hostile()
    exact = pd.read_parquet(folder / "table.parquet")
    assert exact.iloc[:, 0].tolist() == list(data.obs_names)
    lines = pd.read_csv(folder / "table.csv", keep_default_na=False)
    names = [*lines.iloc[:, 0], *lines.columns]
    assert not [name for name in names if name.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=HYPERLINK" in (folder / "table.csv").read_text(encoding="utf-8")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "have an apostrophe in\nfront" in readme
    for path in folder.glob("*.md"):
        # As a reader of Markdown that lets HTML and any link through would show it.
        page = MarkdownIt("commonmark").enable("table").render(path.read_text(encoding="utf-8"))
        tags = set(re.findall(r"<(\w+)", page))
        assert tags <= {
            "h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "ul",
            "li", "pre", "a",
        }  # fmt: skip
        assert "javascript:" not in "".join(re.findall(r'href="[^"]*"', page))
        # Each row has as many cells as its heading: no name has ended one.
        assert page.count("<td") % 7 == 0 or path.name == "README.md"


def test_a_link_leads_to_the_web_or_nowhere(published: dict[str, Path]) -> None:
    words = read(published["hostile"], "datapackage.json")
    assert "homepage" not in words
    assert "path" not in words["sources"][0]
    assert "url" not in read(published["hostile"], "croissant.json")
