"""A story: a folder that ties data, questions and words together.

<story>/story.toml    title, summary, kind of data, questions, defaults, what a data set is called
<story>/words.md      what the story tells
<story>/data.py       sample() -> Data; fetch(fetching, ...) -> (name, Data);
                      optionally observed(question, data, given, fetching) -> defaults

A story of a reader's own table (`followdata.own`) is a folder in the data directory with the first
two of these; its data lie beside them, and it has neither sample nor fetch.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from followdata.answer import Scalar, listing
from followdata.data import Data, Kind
from followdata.errors import FollowdataError, InvalidInput, NotFetched, UnknownName
from followdata.parameters import listed
from followdata.question import Asked, Question, parameters_of

if TYPE_CHECKING:
    from followdata.sources.fetching import Fetching


@dataclass(frozen=True)
class Story:
    """A story as its folder declares it; `package` is the folder's import name, or `place` where a
    reader's own lies.

    Making one reads `story.toml` only. Questions and data code are imported when first used.
    """

    name: str
    package: str = ""
    place: Path | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is of a table of the reader's own."""
        return self.place is not None

    @property
    def _folder(self) -> Traversable:
        return self.place if self.place is not None else files(self.package)

    @cached_property
    def _declared(self) -> dict[str, Any]:
        place = f"{self.place or self.package}/story.toml"
        try:
            text = (self._folder / "story.toml").read_text(encoding="utf-8")
            declared = tomllib.loads(text)
        except (ImportError, OSError, ValueError) as error:
            raise InvalidInput(place, f"{error}.") from error
        needed = {"title", "summary", "kind", "questions"} | (set() if self.is_own else {"sample"})
        missing = needed - declared.keys()
        if missing:
            raise InvalidInput(place, f"{listing(sorted(missing))} must be said.")
        return declared

    @property
    def title(self) -> str:
        """The question that the story follows, as a headline."""
        return str(self._declared["title"])

    @property
    def summary(self) -> str:
        return str(self._declared["summary"])

    @property
    def kind(self) -> Kind:
        return cast(Kind, self._declared["kind"])

    @property
    def question_names(self) -> list[str]:
        return list(self._declared["questions"])

    @property
    def sample_words(self) -> str:
        """What the sample is and what it stands in for; shown wherever the sample answers."""
        return str(self._declared.get("sample", ""))

    @property
    def origin(self) -> tuple[str, ...]:
        """The files that a table of the reader's own was read from."""
        return tuple(map(str, self._declared.get("files", ())))

    @property
    def dataset_word(self) -> str:
        """What a data set of this story is called ("cohort"): another word for `data` wherever one
        is chosen. Empty where there is none."""
        return str(self._declared.get("dataset", ""))

    @property
    def boundaries(self) -> Mapping[str, str]:
        """The sets of boundaries that it brings, and where they are made (module:function)."""
        return dict(self._declared.get("boundaries", {}))

    @cached_property
    def words(self) -> str:
        """The story's text, in Markdown."""
        return (self._folder / "words.md").read_text(encoding="utf-8")

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """The story's questions by name, in its order."""
        found = {}
        for name, place in self._declared["questions"].items():
            module, _, attribute = place.partition(":")
            found[name] = cast(Question, getattr(importlib.import_module(module), attribute))
        return found

    def question(self, name: str) -> Question:
        if name not in self.question_names:
            raise UnknownName(f"question of “{self.name}”", name, self.question_names)
        return self.questions[name]

    @cached_property
    def _data(self) -> ModuleType:
        return importlib.import_module(f"{self.package}.data")

    def sample(self) -> Data:
        """The sample, made from what is installed; no network."""
        return cast(Data, self._data.sample())

    @property
    def fetch(self) -> Callable[..., tuple[str, Data]]:
        """`fetch(fetching, **parameters)`: the real data, and the name they should go by.

        Raises `NotFetched` for a table of the reader's own, which nobody else has.
        """
        if self.is_own:
            raise NotFetched(
                f"“{self.name}” is a table of your own.", "Open its file: followdata open FILE"
            )
        return cast("Callable[..., tuple[str, Data]]", self._data.fetch)

    @cached_property
    def fetch_parameters(self) -> Mapping[str, Asked]:
        return {} if self.is_own else parameters_of(self.fetch)

    def defaults(
        self, question: str, data: Data, given: Mapping[str, Any], fetching: Fetching
    ) -> dict[str, Any]:
        """What the story suggests where the reader says nothing.

        `[defaults.<question>]` in story.toml lists for each parameter the values to try, of
        which the first that the data hold is taken. Its tables `together` are values of several
        parameters at once: the first is taken that the data hold wholly and that the reader has not
        contradicted. `observed` in data.py hands in what depends
        on the time (`fetching.now`) or on the latest observation. Someone is waiting: what it asks
        of the network must be quick, and kept.
        """
        parameters = self.question(question).parameters
        declared = dict(self._declared.get("defaults", {}).get(question, {}))
        suggested = _together(declared.pop("together", []), parameters, given, data)
        for name, values in declared.items():
            if given.get(name) not in (None, ""):
                continue
            # What the reader has said of one parameter is not suggested for another: nobody
            # compares a town with itself.
            others = [
                _read(parameters[other], given[other], data) for other in given.keys() & declared
            ]
            taken = [*others, *suggested.values()]
            readings = (_read(parameters[name], value, data) for value in values)
            found = next(
                (value for value in readings if value is not None and value not in taken), None
            )
            if found is not None:
                suggested[name] = found
        observed = None if self.is_own else getattr(self._data, "observed", None)
        return suggested | (observed(question, data, given, fetching) if observed else {})


def _together(
    tables: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Asked],
    given: Mapping[str, Any],
    data: Data,
) -> dict[str, Any]:
    for values in tables:
        read = {name: _read(parameters[name], value, data) for name, value in values.items()}
        said = {name: given[name] for name in values if given.get(name) not in (None, "")}
        agrees = all(_read(parameters[name], said[name], data) == read[name] for name in said)
        if agrees and None not in read.values():
            return read
    return {}


def _read(asked: Asked, value: Any, data: Data) -> Scalar:
    """The canonical value, or `None` for one that these data do not hold."""
    index = asked.type.names(data)
    names = listed(str(value)) if asked.type.several else [str(value)]
    if index is not None and not any(index.known(name) for name in names):
        return None  # before near names, which nobody will see, are looked for
    try:
        return asked.type.read(asked.name, value, data)
    except FollowdataError:
        return None
