"""A story of a reader's own table: which questions it can be asked, and what its folder says.

The folder lies in the data directory, `stories/<name>/`, beside the names of its data sets:
`story.toml` declares it as that of any story, with how the file was read, and `words.md` says it in
words. Deleting the folder removes the story.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from followdata.data import TableData, grouping
from followdata.names import fold
from followdata.sources.tables import files
from followdata.sources.tables.opening import TableFile
from followdata.sources.tables.reading import plain

FOLDER = "stories"
RESERVED = frozenset(
    {"api", "assets", "docs", "favicon-ico", "open", "openapi-json", "runs", "sample"}
)
"""Names that a page has."""
_LONGEST = 40
_FEWEST_COMPARED = 6
_MOST_TRAINED = 50_000_000
_QUESTIONS = {
    "map": "components",
    "distinctive": "distinctive",
    "compare": "compare",
    "peers": "peers",
    "measure": "measure",
    "index": "index",
    "markers": "markers",
    "expression": "expression",
    "reconstruction": "reconstruction",
}
_HEAD = """\
# A table of your own, as a story. Title, summary, questions and defaults may be changed here; how
# its file is read is changed by opening it again. Deleting this folder removes the story.

"""


def place(home: Path) -> Path:
    """Where the stories of a reader's own lie in the data directory."""
    return home / FOLDER


def title_of(paths: Sequence[Path]) -> str:
    """What a story of these files is called: as the first is, but for its year among several."""
    title = files.title_of(paths[0])
    return (re.sub(r"\d{4}", "", title).strip(" -_.") or title) if len(paths) > 1 else title


def fitting(table: TableData, *, alike: bool = False) -> list[str]:
    """The questions that a table of this shape, with these labels, can answer.

    `alike` says that all its values are of one kind, so that columns can be set against each other
    as they are: counts of genes can, populations and shares cannot.

    >>> import numpy as np
    >>> from followdata.data import About, MemoryTable
    >>> names = [f"r{n}" for n in range(9)]
    >>> fitting(MemoryTable(np.ones((9, 1)), names, ["a"], About("Ones")))
    ['distinctive', 'compare', 'measure']
    """
    n, p = table.shape
    grouped = alike and bool(table.about.label) and _groups(table)
    asked = {
        "map": n >= 3 and p >= 3,
        "distinctive": n >= _FEWEST_COMPARED,
        "compare": n >= 2,
        "peers": n >= _FEWEST_COMPARED and p >= 5,
        "measure": n >= 3,
        "index": n >= 3 and p >= 2,
        "markers": grouped and p >= 2,
        "expression": grouped,
        "reconstruction": n >= 3 and p >= 2 and n * p <= _MOST_TRAINED,
    }
    return [name for name, fits in asked.items() if fits]


def _groups(table: TableData) -> bool:
    """Whether the main label has two groups or more with three rows each."""
    words = [word for word in table.labels("obs")[table.about.label].tolist() if word]
    sizes = [words.count(group) for group in set(words)] if len(set(words)) <= 200 else []
    return sum(size >= 3 for size in sizes) >= 2


def slug(title: str) -> str:
    """A title as a story is called in commands and addresses.

    >>> slug("Skolbränder 1998–2014 (MSB)"), slug("..."), slug("runs")
    ('skolbrander-1998-2014-msb', 'table', 'runs-table')
    """
    name = re.sub(r"[^a-z0-9]+", "-", fold(title)).strip("-")[:_LONGEST].strip("-") or "table"
    return f"{name}-table" if name in RESERVED else name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, with a number behind it where another story has it."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def story_toml(opened: TableFile, paths: Sequence[str]) -> str:
    """What `story.toml` says: the declaration of a story, and how its file was read."""
    import tomli_w

    table = opened.table
    reading = {name: value for name, value in asdict(opened.reading).items() if value is not None}
    declared: dict[str, Any] = {
        "title": table.about.title,
        "summary": _summary(opened),
        "kind": "table",
        "files": list(paths),
        "questions": {
            name: f"followdata.questions.{_QUESTIONS[name]}:question"
            for name in fitting(table, alike=_is_alike(opened))
        },
        "defaults": _defaults(table),
        "reading": reading,
    }
    return _HEAD + tomli_w.dumps(plain(declared))


def _is_alike(opened: TableFile) -> bool:
    """Whether all values are of one kind: a file of one matrix, things in columns, or one unit."""
    return opened.reading.layout in ("", "transposed") or bool(opened.table.about.unit)


def _summary(opened: TableFile) -> str:
    about, (n, p) = opened.table.about, opened.table.shape
    years = len([layer for layer in opened.table.layers if layer.time])
    over = f", at {years + 1} times" if years else ""
    return f"{n:,} {about.things} by {p:,} {about.measures}{over}."


def _defaults(table: TableData) -> Mapping[str, Any]:
    names = table.names("obs").names
    first, other = names[0], names[min(1, len(names) - 1)]
    return {"compare": {"a": [first, other], "b": [other, first]}}


def words_md(opened: TableFile) -> str:
    """What `words.md` says: what was guessed of the file, and how to mend it."""
    about, reading, table = opened.table.about, opened.reading, opened.table
    n, p = table.shape
    source = _escaped(table.provenance.source)
    said = [
        f"{n:,} {about.things} by {p:,} {about.measures}, from {source}.",
        "It was read like this. What is wrong can be mended by opening the file again with the "
        "option that is named.",
    ]
    points = [
        ("Names of the rows", reading.id or "numbered", "--id"),
        ("Labels that group them", ", ".join(grouping(table)) or "none", "--labels"),
        ("How big a row is", about.size or "not known", "--size"),
        ("Decimal mark", {",": "comma", ".": "point"}.get(reading.decimal, ""), "--decimal"),
        ("Encoding", reading.encoding, "--encoding"),
        ("Between values", _DELIMITERS.get(reading.delimiter, reading.delimiter), ""),
        ("Sheet", reading.sheet, "--sheet"),
        ("Headings in row", _row(reading.header_row), "--header-row"),
        ("Layout", _LAYOUTS.get(reading.layout, ""), "--transpose, --long"),
    ]
    lines = [
        f"- {what}: **{_escaped(value)}**{f' (`{option}`)' if option else ''}"
        for what, value, option in points
        if value
    ]
    remarks = [f"- {_escaped(remark)}" for remark in opened.remarks]
    parts = ["\n\n".join(said), "\n".join(lines)]
    if remarks:
        parts += ["What to know of it:", "\n".join(remarks)]
    return "\n\n".join(parts) + "\n"


_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", " ": "blanks"}
_LAYOUTS = {
    "wide": "a row for each thing",
    "long": "a row for each value",
    "transposed": "turned round: the columns of the file are the rows here",
}


def _row(header_row: int | None) -> str:
    return "" if header_row is None else str(header_row) if header_row else "none"


def _escaped(text: str) -> str:
    """Text of a file as it is, and no markup."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>~^-])", r"\\\1", " ".join(text.split()))
