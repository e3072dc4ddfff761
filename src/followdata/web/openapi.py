"""Questions and their parameters as OpenAPI says them."""

from __future__ import annotations

from typing import Any

from followdata.present import FORMATS, MEDIA_TYPES
from followdata.present.theme import THEMES
from followdata.question import Question
from followdata.web.questions import MOST_ROWS, RESERVED

_ROW = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["story", "question", "data", "params", "sentence", "tables", "views", "notes"],
    "properties": {
        "story": {"type": "string"},
        "question": {"type": "string"},
        "data": {"type": "string", "description": "The data set that was asked."},
        "params": _ROW,
        "sentence": {"type": "string", "description": "The answer in one sentence."},
        "tables": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _ROW},
            "description": "Rows by table; a missing value is null.",
        },
        "fields": {"type": "object", "description": "Titles and units of each table's columns."},
        "views": {"type": "array", "items": {"type": "object"}},
        "notes": {"type": "array", "items": {"type": "string"}},
        "further": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Questions of the same story that this answer leads to.",
        },
        "provenance": {"type": ["object", "null"]},
        "next": {"type": "string", "description": "Where the following rows are."},
    },
}
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "advice", "nearest"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "advice": {"type": "string"},
                "nearest": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}
_RESERVED: dict[str, tuple[str, dict[str, Any]]] = {
    "data": ("Data set: by default the one fetched last, else the sample.", {"type": "string"}),
    "limit": (
        "Rows of each table.",
        {"type": "integer", "minimum": 0, "maximum": MOST_ROWS, "default": MOST_ROWS},
    ),
    "offset": ("Rows to pass over.", {"type": "integer", "minimum": 0, "default": 0}),
    "table": ("Which table; by default the first.", {"type": "string"}),
    "view": ("Which picture, from 1.", {"type": "integer", "minimum": 1, "default": 1}),
    "theme": ("Colours.", {"type": "string", "enum": list(THEMES), "default": "light"}),
    "size": ("“card” for a small picture.", {"type": "string", "enum": ["card"]}),
}


def parameters(question: Question, form: str) -> list[dict[str, Any]]:
    """The question's parameters, then the frame's."""
    own = [
        _parameter(asked.name, asked.type.words, asked.type.schema())
        for asked in question.parameters.values()
    ]
    return own + [_parameter(name, *_RESERVED[name]) for name in RESERVED[form]]


def responses(form: str) -> dict[int | str, dict[str, Any]]:
    """What an address of that form answers."""
    assert form in FORMATS
    content = {"schema": ANSWER} if form == "json" else {}
    media_type = MEDIA_TYPES[form].partition(";")[0]
    errors = {"application/json": {"schema": ERROR}}
    return {
        200: {"description": "The answer.", "content": {media_type: content}},
        202: {"description": "The answer has to be worked out; follow the run it names."},
        403: {"description": "Work may not be started from there.", "content": errors},
        404: {"description": "A name that is not there.", "content": errors},
        422: {"description": "A value that cannot be taken.", "content": errors},
        503: {"description": "Too much to do just now; see Retry-After.", "content": errors},
    }


def _parameter(name: str, words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": schema}
