"""Imports point one way; a story can be deleted as a folder. Imports inside functions count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import followdata

ROOT = Path(followdata.__file__).parent

# Each layer with what it may import besides itself. Read it from the bottom up.
BASE = {"boundaries", "errors", "answer", "names", "data", "hierarchy", "parameters", "question"}
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "answer": {"errors"},
    "boundaries": {"errors"},
    "names": {"errors"},
    "data": {"errors", "answer", "names"},
    "hierarchy": {"data"},
    "parameters": {"errors", "answer", "names", "data", "hierarchy"},
    "question": {"errors", "answer", "data", "parameters"},
    "core": set(),
    "questions": BASE | {"core"},
    "settings": set(),
    "store": {"errors", "answer", "names", "data"},
    "runs": {"errors", "store"},
    "sources": BASE,
    "story": BASE | {"sources"},
    "stories": BASE | {"core", "questions", "sources"},
    "registry": {"errors", "names", "story", "stories"},
    "own": {"data", "names", "sources"},
    "present": {"errors", "answer", "boundaries"},
    "publish": {"errors", "answer", "names", "data", "store", "present"},
    "desk": BASE | {"settings", "store", "runs", "sources", "story", "registry", "own", "publish"},
    "web": BASE
    | {"settings", "store", "runs", "story", "registry", "own", "desk", "present", "publish"},
    "cli": BASE
    | {"settings", "store", "runs", "story", "registry", "desk", "present", "web", "sources"},
    "testing": BASE
    | {"settings", "store", "runs", "story", "registry", "desk", "present", "sources"},
    "__main__": {"cli"},
}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def layer(module: str) -> str:
    """`followdata.core.seasons` stands in the layer `core`."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    return ".".join(["followdata", *path.relative_to(ROOT).with_suffix("").parts])


def imports(source: str) -> set[str]:
    """Every module of ours that a file imports, at the top or within a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add("followdata.relative-import")
        elif isinstance(node, ast.ImportFrom) and node.module == "followdata":
            found |= {f"followdata.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "followdata"}


def faults(path: Path, source: str) -> list[str]:
    here = layer(module_of(path))
    # `from followdata import __version__` takes a word, not a layer.
    wanted = imports(source) - {"followdata", "followdata.__version__"}
    return [name for name in wanted if layer(name) not in LAYERS[here] | {here}]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path: Path) -> None:
    assert not faults(path, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((ROOT / "stories").rglob("*.py")), ids=module_of)
def test_no_story_knows_another(path: Path) -> None:
    own = module_of(path).split(".")[2]
    others = {
        name
        for name in imports(path.read_text(encoding="utf-8"))
        if name.startswith("followdata.stories.") and name.split(".")[2] != own
    }
    assert not others


def test_the_guard_sees_an_import_within_a_function() -> None:
    source = "def f():\n    from followdata.web import app\n"
    assert faults(ROOT / "core" / "ranks.py", source) == ["followdata.web"]


def test_the_guard_sees_relative_imports() -> None:
    assert faults(ROOT / "core" / "ranks.py", "from . import scores")


def test_every_file_stands_in_a_layer() -> None:
    assert {layer(module_of(path)) for path in FILES} <= LAYERS.keys()
