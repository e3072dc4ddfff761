"""Where a story, its data and the store meet, and a question becomes an Answer.

All four faces call `Desk`; none has a way of its own to an answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from followdata import own
from followdata.answer import Answer, Scalar
from followdata.boundaries import register
from followdata.data import MOST_ROWS, Data, Portion, TableData
from followdata.errors import NeedsRun
from followdata.parameters import Row
from followdata.question import Question, Report, resolve
from followdata.registry import Registry
from followdata.runs import Journal, Listener, Runs
from followdata.settings import Settings
from followdata.store import DataSet, Store, pack, safe_name, unpack
from followdata.story import Story

if TYPE_CHECKING:
    import httpx

    from followdata.sources.fetching import Fetching
    from followdata.sources.tables import Reading, TableFile

SAMPLE = "sample"
THIN = "\u202f"
Watch = Callable[[Any], None]
"""Looks at what is being learnt, between two steps (see `Report.look`)."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """Answers questions of the registry's stories from the store's data.

    `transport` is the network, `None` for the real one: of fetches, and of a story that looks up
    the latest observation. `pause` is how many seconds at least lie between two looks at what has
    come of a fetch.
    """

    registry: Registry
    store: Store
    clock: Callable[[], datetime] = now
    transport: httpx.BaseTransport | None = None
    pause: float = 10.0
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", Runs(self.store, self.clock))

    @classmethod
    def installed(cls, settings: Settings | None = None) -> Desk:
        """A desk with all installed stories and the data directory of `settings`."""
        home = (settings or Settings.from_environment()).home
        return cls(Registry.installed(own.place(home)), Store(home))

    def open(self, story: str, data: str = "") -> Opened:
        """A story with one of its data sets: `data`, else the one fetched last, else the sample.

        The sample is made when it is first needed. Raises `UnknownName` for a story or a data
        set that is not there.
        """
        known = self.registry[story]
        if data == SAMPLE or not data:
            self._make_sample(known, needed=data == SAMPLE)
        dataset = self.store.dataset(story, data)
        for name, place in known.boundaries.items():
            register(name, place)
        return Opened(self, known, dataset, _handle(self.store.home, dataset))

    def _make_sample(self, story: Story, *, needed: bool) -> None:
        stored = self.store.datasets(story.name)
        others = any(one.name != SAMPLE and not one.provenance.partial for one in stored)
        if story.is_own or self._has_sample(story) or (others and not needed):
            return
        with self.store.lock(f"sample-{story.name}"):
            if not self._has_sample(story):
                stored_at = self.clock().isoformat()
                self.store.keep(story.name, SAMPLE, story.sample(), now=stored_at)

    def _has_sample(self, story: Story) -> bool:
        stored = self.store.datasets(story.name)
        return any(dataset.name == SAMPLE and self.store.holds(dataset) for dataset in stored)

    def fetch(
        self,
        story: str,
        given: Mapping[str, Any] | None = None,
        *,
        paths: Sequence[Path] = (),
        transport: httpx.BaseTransport | None = None,
        listen: Listener | None = None,
    ) -> DataSet:
        """Fetch the story's data, as a run that goes on where an earlier attempt stopped.

        `given` are the parameters of the story's `fetch`; `paths` files to read instead of the
        network. What was fetched before under the same name is not overwritten. What has come of a
        fetch that is not done can be opened as "name-partial", until the whole takes its place.
        """
        from followdata.sources.fetching import Fetching

        known = self.registry[story]
        params = resolve(known.fetch_parameters, None, given or {}, {})
        id = fetch_id(story, params, paths)
        title = f"Fetch {known.name}"
        words: dict[str, Any] = {"work": "fetch", "story": story, "params": params}
        with self.runs.start(id, title, listen=listen, **words) as journal:

            def keep(name: str, data: Data) -> None:
                now = self.clock().isoformat()
                part = self.store.keep_partly(story, name, data, now=now)
                words = {"data": part.name, "text": part.provenance.partial}
                journal.report("partly", story=story, **words)

            network = transport or self.transport
            fetching = Fetching(
                journal, self.clock(), tuple(paths), network, self._cache, keep, self.pause
            )
            name, data = known.fetch(fetching, **params)
            dataset = self.store.keep(story, name, data, now=self.clock().isoformat())
            self.store.drop_partly(story, name)
            journal.report("stored", data=dataset.name, digest=dataset.digest)
            journal.drop_pieces()
        return dataset

    def open_table(
        self,
        paths: Sequence[Path],
        reading: Reading | None = None,
        *,
        title: str = "",
        run: str = "",
        listen: Listener | None = None,
    ) -> OpenedTable:
        """Make a story of a table in files, as a run.

        `reading` is what is known of how they are written, `title` what the story is called by
        default. The story takes the name of its title, with a number where another story has it;
        the same files, and the same table, go to the same story. `run` names the run of a table
        that someone has sent: its files are copies, which nobody will open again.
        """
        from followdata.sources.tables import Reading, open_table

        paths = [path.absolute() for path in paths]
        name = own.slug(title or own.title_of(paths))
        words: dict[str, Any] = {"work": "open", "story": name}
        with (
            self.runs.start(
                run or f"open-{name}", f"Open {name}", listen=listen, resumes=False, **words
            ) as journal,
            self.store.aside() as scratch,
        ):

            def progress(done: int, total: int, what: str) -> None:
                journal.report("progress", done=done, total=total, what=what)

            read = open_table(
                paths, retrieved=self.clock().isoformat(), reading=reading or Reading(),
                scratch=scratch, title=title, progress=progress,
            )  # fmt: skip
            for remark in read.remarks:
                journal.report("notice", text=remark)
            files = [] if run else [str(path) for path in paths]
            story, dataset = self._keep_own(name, read, files)
            journal.report("opened", story=story.name, data=dataset.name, digest=dataset.digest)
        return OpenedTable(story, dataset, read.reading)

    def _keep_own(
        self, wanted: str, read: TableFile, files: Sequence[str]
    ) -> tuple[Story, DataSet]:  # fmt: skip
        """Store a table and the folder of its story; the story is there once all else is."""
        with self.store.lock("own-stories"):
            name = self._own_name(wanted, read, files)
            place = own.place(self.store.home) / name
            now = self.clock().isoformat()
            dataset = self.store.keep(name, own.slug(read.table.about.title), read.table, now=now)
            self.store.write(place / "words.md", own.words_md(read).encode())
            self.store.write(place / "story.toml", own.story_toml(read, files).encode())
        return self.registry[name], dataset

    def _own_name(self, wanted: str, read: TableFile, files: Sequence[str]) -> str:
        """The name of the story of these files, or of this table; else the first that is free."""
        for name, story in self.registry.opened().items():
            same = any(one.digest == read.table.digest for one in self.store.datasets(name))
            if (files and story.origin == tuple(files)) or same:
                return name
        # A folder without a story is one whose making was cut off, or another program's.
        there = {path.name for path in own.place(self.store.home).glob("*")}
        return own.free_name(wanted, {*self.registry, *there})

    def look(self) -> Fetching:
        """What a story may look up while someone waits for an answer."""
        from followdata.sources.fetching import Fetching
        from followdata.sources.log import Silence

        return Fetching(Silence(), self.clock(), (), self.transport, self._cache)

    @property
    def _cache(self) -> Path:
        return self.store.home / "http"


@dataclass(frozen=True)
class OpenedTable:
    """A table that has become a story: where it is, and how its file was read."""

    story: Story
    dataset: DataSet
    reading: Reading


@dataclass(frozen=True)
class Opened:
    """A story opened with one data set: what questions are put to."""

    desk: Desk
    story: Story
    dataset: DataSet
    data: Data

    def resolve(self, question: str, given: Mapping[str, Any]) -> dict[str, Scalar]:
        """The canonical value of each parameter of `question`."""
        asked = self.story.question(question)
        defaults = self.story.defaults(question, self.data, given, self.desk.look())
        return asked.resolve(self.data, given, defaults)

    def ask(
        self, question: str, /, *, wait: bool = True, listen: Listener | None = None, **given: Any
    ) -> Answer:
        """Answer `question` for the given parameters.

        What must be learnt first is learnt, and stored for the next time and for other
        processes. With `wait=False`, learning that outlasts a request raises `NeedsRun`.
        """
        return self.tell(question, self.resolve(question, given), wait=wait, listen=listen)

    def tell(
        self,
        question: str,
        params: Mapping[str, Scalar],
        *,
        wait: bool = True,
        listen: Listener | None = None,
        watch: Watch | None = None,
    ) -> Answer:
        """As `ask`, for parameters that `resolve` has made canonical.

        `watch` is called in this process with what a long fit lets be seen between its steps.
        """
        asked = self.story.question(question)
        fitted = self._learnt(asked, params, wait=wait, listen=listen, watch=watch)
        data = self.asked_of(asked, params)
        answer = asked.tell(data, fitted, params)
        if isinstance(data, Portion):
            answer = _of_portion(answer, data)
        return replace(
            answer,
            story=self.story.name,
            question=question,
            data=self.dataset.name,
            params=params,
            provenance=self.dataset.provenance,
        )

    def export(self, folder: str | Path) -> Path:
        """Publish the data as an open data set in `folder`: see `followdata.publish`.

        An earlier export there is replaced; anything else raises `InvalidParameter`.
        """
        from followdata.publish import publish

        return publish(self.data, Path(folder), story=self.story.name, name=self.dataset.name)

    def archive(self) -> bytes:
        """What `export` publishes, as one zip file.

        Raises `InvalidParameter` for data that are too large for one.
        """
        from followdata.publish import archive

        with self.desk.store.aside() as aside:
            return archive(self.data, aside, story=self.story.name, name=self.dataset.name)

    def asked_of(self, question: Question, params: Mapping[str, Scalar]) -> Data:
        """The data that answer: all, or a portion of a table that has very many rows."""
        if self.data.kind != "table":
            return self.data
        whole = cast("TableData", self.data)
        if whole.shape[0] <= MOST_ROWS:
            return whole
        named = {
            str(params[name])
            for name, asked in question.parameters.items()
            if isinstance(asked.type, Row) and params[name] is not None
        }
        return _portion(self.desk.store.home, self.dataset, frozenset(named))

    def key(self, question: Question, params: Mapping[str, Scalar]) -> str:
        """Under which name the store keeps what `question` learns."""
        chosen = {name: params[name] for name in question.fit_parameters}
        digest = self.asked_of(question, params).digest
        return self.desk.store.fitted_key(digest, question.shelf, question.version, chosen)

    def run_id(self, question: Question, params: Mapping[str, Scalar]) -> str:
        """The run that learns what `question` needs for `params`."""
        return f"fit-{self.key(question, params)[: len(question.shelf) + 13]}"

    def _learnt(
        self,
        question: Question,
        params: Mapping[str, Scalar],
        *,
        wait: bool,
        listen: Listener | None,
        watch: Watch | None,
    ) -> Any:
        if not question.learns:
            return None
        store, key = self.desk.store, self.key(question, params)
        fitted = _fitted(store, key, question.fitted_type)
        if fitted is not None:
            return fitted
        if question.long:
            if not wait:
                raise NeedsRun(
                    self.run_id(question, params),
                    f"“{question.heading(params)}” has to be worked out first.",
                    "Start its run, then ask again.",
                )
            return self._learn_as_run(question, params, key, listen, watch)
        with store.lock(key):
            # Another process may have learnt it while this one waited.
            fitted = store.fitted(key, question.fitted_type)
            if fitted is None:
                fitted = question.learn(self.asked_of(question, params), params, Report())
                store.keep_fitted(key, fitted)
        return fitted

    def _learn_as_run(
        self,
        question: Question,
        params: Mapping[str, Scalar],
        key: str,
        listen: Listener | None,
        watch: Watch | None,
    ) -> Any:
        store = self.desk.store
        words: dict[str, Any] = {
            "work": "fit",
            "story": self.story.name,
            "question": question.name,
            "data": self.dataset.name,
            "params": dict(params),
        }
        id = self.run_id(question, params)
        with self.desk.runs.start(id, question.heading(params), listen=listen, **words) as journal:
            fitted = store.fitted(key, question.fitted_type)
            if fitted is None:
                asked = self.asked_of(question, params)
                fitted = question.learn(asked, params, _Reported(journal, watch))
                store.keep_fitted(key, fitted)
            journal.drop_pieces()
        return fitted


def fetch_id(story: str, params: Mapping[str, Scalar], paths: Sequence[Path] = ()) -> str:
    """The run that fetches a story's data with these parameters from these files."""
    words = [f"{name}-{value}" for name, value in params.items() if value is not None]
    if paths:
        words.append("from-" + "-".join(path.name for path in paths))
    return safe_name("-".join(["fetch", story, *words]))


def _of_portion(answer: Answer, portion: Portion) -> Answer:
    """An answer that says of how many rows it speaks, and how sure that makes it."""
    about, whole = portion.about, portion.whole.shape[0]
    some, all_ = (f"{count:,}".replace(",", THIN) for count in (len(portion.rows), whole))
    error = sampling_error(len(portion.rows), whole)
    note = (
        f"Answered from {some} of the {all_} {about.things}, drawn at random, always the same, and "
        "those you name. Places and shares are among these: as a share of all they are off by at "
        f"most {error:.1f} points in a hundred, 19 times in 20. The highest and the lowest of all "
        "may not be among them."
    )
    sentence = f"Among {some} of {all_} {about.things}, drawn at random: {answer.sentence}"
    return replace(answer, sentence=sentence, notes=(note, *answer.notes))


def sampling_error(drawn: int, whole: int) -> float:
    """By how many points in a hundred a share is off at most, 19 times in 20, when `drawn` of
    `whole` are drawn at random: the worst case, a half (Cochran 1977, "Sampling Techniques", 3.2).

    >>> round(sampling_error(5_000, 1_000_000), 1), sampling_error(10, 10)
    (1.4, 0.0)
    """
    return 100 * 1.96 * math.sqrt(0.25 / drawn * (whole - drawn) / max(1, whole - 1))


class _Reported(Report):
    """Reports to a run's journal; what is kept lies among the run's pieces."""

    _PIECE = "state"
    _PAUSE = 10.0
    """Seconds from one keeping to the next."""

    def __init__(self, journal: Journal, watch: Watch | None) -> None:
        self._journal, self._watch = journal, watch
        self._last = time.monotonic()

    def __call__(self, kind: str, **fields: Any) -> None:
        self._journal.report(kind, **fields)

    def look(self, at: Any) -> None:
        if self._watch:
            self._watch(at)

    def keep(self, make: Callable[[], Any], *, now: bool = False) -> None:
        if now or time.monotonic() - self._last >= self._PAUSE:
            self._journal.keep_piece(self._PIECE, pack(make()))
            self._last = time.monotonic()

    def kept(self, kind: type) -> Any:
        content = self._journal.piece(self._PIECE)
        return None if content is None else unpack(content, kind)


# Handles and fitted values are whole and never change, so a process may keep those used last.
# Both are keyed by content, and all of it is on disk: a restart loses nothing.


@lru_cache(maxsize=16)
def _handle(home: Path, dataset: DataSet) -> Data:
    return Store(home).open(dataset)


@lru_cache(maxsize=16)
def _portion(home: Path, dataset: DataSet, named: frozenset[str]) -> Portion:
    return Portion.of(cast("TableData", _handle(home, dataset)), named)


@lru_cache(maxsize=64)
def _fitted_or_raise(home: Path, key: str, kind: Any) -> Any:
    fitted = Store(home).fitted(key, kind)
    if fitted is None:
        raise LookupError(key)  # so that its absence is not remembered
    return fitted


def _fitted(store: Store, key: str, kind: Any) -> Any:
    try:
        return _fitted_or_raise(store.home, key, kind)
    except LookupError:
        return None
