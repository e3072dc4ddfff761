"""An Answer as JSON: the same document from Python, the command line and the web."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from followdata.answer import Answer, Field, Provenance
from followdata.present.letters import escaped


def document(answer: Answer) -> dict[str, Any]:
    """The answer as plain dictionaries and lists.

    `fields` says what the columns of each table are; `tables` holds the rows. Missing values
    are null, numbers are unrounded.
    """
    return {
        "story": answer.story,
        "question": answer.question,
        "data": answer.data,
        "params": dict(answer.params),
        "sentence": answer.sentence,
        "tables": {name: table.records() for name, table in answer.tables.items()},
        "fields": {
            name: [_field(field) for field in table.fields] for name, table in answer.tables.items()
        },
        "views": [asdict(view) for view in answer.views],
        "notes": list(answer.notes),
        "further": [
            {"question": one.question, "params": dict(one.given)} for one in answer.further
        ],
        "provenance": _provenance(answer.provenance) if answer.provenance else None,
    }


def to_json(answer: Answer) -> bytes:
    """The document as UTF-8 text; numbers are written so that they read back exactly."""
    return dumps(document(answer))


def dumps(value: Any) -> bytes:
    """`value` as strict JSON (no NaN), one line, ended by a newline."""
    return escaped(json.dumps(value, ensure_ascii=False, allow_nan=False)).encode() + b"\n"


def _provenance(provenance: Provenance) -> dict[str, Any]:
    """Where the data come from; by which steps is a question of its own where it matters."""
    return {key: value for key, value in asdict(provenance).items() if key != "steps"}


def _field(field: Field) -> dict[str, str]:
    words = {"name": field.name, "title": field.title, "unit": field.unit, "lang": field.lang}
    return {key: value for key, value in words.items() if value}
