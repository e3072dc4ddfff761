"""Finds the stories: our own folders, those that other packages offer, and those that a reader has
opened.

A package offers a story by an entry point in the group `followdata.stories`, named as the
story and pointing at its folder's import name. A reader's own are folders with a `story.toml` in
the data directory; they come and go while the program runs, so they are looked for each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from followdata import stories
from followdata.errors import InvalidInput, UnknownName
from followdata.names import NameIndex
from followdata.story import Story

GROUP = "followdata.stories"


class Registry(Mapping[str, Story]):
    """Stories by name: those that are installed, then the folders with a story in `own`."""

    def __init__(self, found: Mapping[str, Story], own: Path | None = None) -> None:
        self._installed = dict(found)
        self._own = own
        self._read: dict[Path, tuple[int, Story]] = {}

    @classmethod
    def installed(cls, own: Path | None = None) -> Registry:
        """Our own stories, those of other packages, those opened; a name belongs to who has it
        first."""
        folders = sorted(
            path.parent for place in stories.__path__ for path in Path(place).glob("*/story.toml")
        )
        found = {
            folder.name: Story(folder.name, f"{stories.__name__}.{folder.name}")
            for folder in folders
        }
        for entry in entry_points(group=GROUP):
            found.setdefault(entry.name, Story(entry.name, entry.value))
        return cls(found, own)

    def opened(self) -> dict[str, Story]:
        """The stories that a reader has opened, but for those that cannot be read."""
        found = {}
        for path in sorted(self._own.glob("*/story.toml")) if self._own else ():
            story = self._story(path)
            if story is not None and path.parent.name not in self._installed:
                with suppress(InvalidInput):
                    if story.question_names:
                        found[path.parent.name] = story
        return found

    def _story(self, path: Path) -> Story | None:
        """The story declared at `path`, read again only where that has changed."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        read, story = self._read.get(path, (0, None))
        if story is None or read != changed:
            story = Story(path.parent.name, place=path.parent)
            self._read[path] = changed, story
        return story

    def __getitem__(self, name: str) -> Story:
        if name in self._installed:
            return self._installed[name]
        found = self.opened()
        if name not in found:
            names = [*self._installed, *found]
            raise UnknownName("story", name, NameIndex("story", names).nearest(name) or names)
        return found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._installed or name in self.opened()

    def __iter__(self) -> Iterator[str]:
        return iter([*self._installed, *self.opened()])

    def __len__(self) -> int:
        return len(self._installed) + len(self.opened())
