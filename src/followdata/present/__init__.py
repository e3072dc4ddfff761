"""An Answer in the forms that people and programs read.

`render(answer, "json")` and so on; the forms are those of `FORMATS`.
"""

from __future__ import annotations

from followdata.answer import Answer, Table, View
from followdata.errors import NothingToAnswer, UnknownName

FORMATS = ("text", "json", "csv", "svg", "png", "html")

MEDIA_TYPES = {
    "text": "text/plain; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html; charset=utf-8",
}


def render(
    answer: Answer, form: str, *, table: str = "", view: int = 1, theme: str = "light"
) -> bytes:
    """An answer in one of `FORMATS`.

    `table` chooses the table of a CSV (by default the first), `view` the picture of an SVG or
    PNG (counted from 1), `theme` its colours ("light", "dark").
    """
    if form == "json":
        from followdata.present.jsonform import to_json

        return to_json(answer)
    if form == "csv":
        from followdata.present.csvform import to_csv

        return to_csv(chosen_table(answer, table))
    if form in ("svg", "png"):
        from followdata.present import pictures

        draw = pictures.svg if form == "svg" else pictures.png
        return draw(answer, chosen_view(answer, view), theme)
    if form == "html":
        from followdata.present.document import to_html

        return to_html(answer)
    if form == "text":
        from followdata.present.terminal import to_text

        return to_text(answer).encode()
    raise UnknownName("format", form, FORMATS)


def chosen_table(answer: Answer, name: str = "") -> Table:
    """The table called `name`, or the first."""
    if not name:
        return next(iter(answer.tables.values()))
    if name not in answer.tables:
        raise UnknownName("table", name, list(answer.tables))
    return answer.tables[name]


def chosen_view(answer: Answer, number: int = 1) -> View:
    """The picture with that number, counted from 1."""
    if not 1 <= number <= len(answer.views):
        count = len(answer.views)
        raise NothingToAnswer(
            f"There is no picture {number}.", f"This answer has {count}." if count else ""
        )
    return answer.views[number - 1]
