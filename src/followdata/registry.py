"""Finds the stories: our own folders, and those that other packages offer.

A package offers a story by an entry point in the group `followdata.stories`, named as the
story and pointing at its folder's import name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from followdata import stories
from followdata.errors import UnknownName
from followdata.names import NameIndex
from followdata.story import Story

GROUP = "followdata.stories"


class Registry(Mapping[str, Story]):
    """Stories by name."""

    def __init__(self, found: Mapping[str, Story]) -> None:
        self._stories = dict(found)

    @classmethod
    def installed(cls) -> Registry:
        """Our own stories, then those of other packages; a name belongs to who has it first."""
        folders = sorted(
            path.parent for place in stories.__path__ for path in Path(place).glob("*/story.toml")
        )
        found = {
            folder.name: Story(folder.name, f"{stories.__name__}.{folder.name}")
            for folder in folders
        }
        for entry in entry_points(group=GROUP):
            found.setdefault(entry.name, Story(entry.name, entry.value))
        return cls(found)

    def __getitem__(self, name: str) -> Story:
        if name not in self._stories:
            index = NameIndex("story", list(self._stories))
            raise UnknownName("story", name, index.nearest(name) or list(self._stories))
        return self._stories[name]

    def __contains__(self, name: object) -> bool:
        return name in self._stories

    def __iter__(self) -> Iterator[str]:
        return iter(self._stories)

    def __len__(self) -> int:
        return len(self._stories)
