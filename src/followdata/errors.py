"""The one family of errors.

    FollowdataError
    ├── UnknownName          a story, question, row, column or group that is not there
    ├── InvalidParameter     a value that a parameter cannot take
    ├── InvalidInput         a file or a reply that is not what it should be
    ├── NotFetched           the data set asked for is not on this machine
    ├── NothingToAnswer      the data hold too little for this question
    ├── NotInstalled         an optional part that the question needs is not installed
    ├── SourceError          a provider could not be used
    │   ├── Unreachable      no answer from the network
    │   └── Refused          the provider answered, and said no
    ├── StoreError           the data directory could not be read or written
    │   ├── DiskFull
    │   └── Damaged
    ├── Busy                 a server has too much to do just now
    └── RunError             long work that cannot be started or did not end well
        ├── NeedsRun         the answer needs work that is longer than a request
        └── RunFailed

Every error says in `advice` what to do next; `str(error)` is one line with both.
"""

from __future__ import annotations

from collections.abc import Sequence


class FollowdataError(Exception):
    """Base of all errors that a user of followdata may meet.

    `code` is a stable word for programs; `advice` a sentence for people.
    """

    code = "error"

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.problem = " ".join(problem.split())
        self.advice = " ".join(advice.split())

    def __str__(self) -> str:
        return f"{self.problem} {self.advice}".strip()


class UnknownName(FollowdataError):
    """A name that the list it is looked up in does not hold; offers the nearest ones."""

    code = "unknown-name"

    def __init__(self, what: str, name: str, nearest: Sequence[str] = ()) -> None:
        self.what, self.name, self.nearest = what, name, tuple(nearest)
        advice = f"Did you mean {_either(self.nearest)}?" if self.nearest else ""
        super().__init__(f"There is no {what} called “{name}”.", advice)


class InvalidParameter(FollowdataError):
    """A value that a parameter of a question cannot take."""

    code = "invalid-parameter"

    def __init__(self, parameter: str, problem: str, advice: str = "") -> None:
        self.parameter = parameter
        super().__init__(f"{parameter}: {problem}", advice)


class InvalidInput(FollowdataError):
    """A file or reply that is not what it should be, with the place of the fault.

    What it quotes may be of any length: it is cut to what can be read at a glance.
    """

    code = "invalid-input"

    def __init__(self, path: str, problem: str, advice: str = "", *, where: str = "") -> None:
        self.path, self.where = path, where
        place = f"{path}, {where}" if where else path
        super().__init__(f"{place}: {_cut(problem)}", _cut(advice))


class NotFetched(FollowdataError):
    """The data set asked for is not on this machine."""

    code = "not-fetched"


class NothingToAnswer(FollowdataError):
    """The data hold too little for this question."""

    code = "nothing-to-answer"


class NotInstalled(FollowdataError):
    """An optional part that a question needs is not installed."""

    code = "not-installed"

    def __init__(self, what: str, package: str) -> None:
        self.package = package
        super().__init__(f"{what} is not installed here.", f'Try: pip install "{package}"')


class SourceError(FollowdataError):
    """A provider of data could not be used."""

    code = "source"


class Unreachable(SourceError):
    """No answer came from the network."""

    code = "unreachable"


class Refused(SourceError):
    """The provider answered, and said no."""

    code = "refused"


class StoreError(FollowdataError):
    """The data directory could not be read or written."""

    code = "store"


class DiskFull(StoreError):
    """No room was left; what was there before is untouched."""

    code = "disk-full"


class Damaged(StoreError):
    """A stored thing does not match its own description."""

    code = "damaged"


class Busy(FollowdataError):
    """A server has too much to do just now; `retry_after` is in how many seconds to ask again."""

    code = "busy"

    def __init__(self, problem: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(problem, f"Ask again in {retry_after} seconds; what was begun is kept.")


class RunError(FollowdataError):
    """Long work that cannot be started or did not end well."""

    code = "run"


class NeedsRun(RunError):
    """The answer needs work that is longer than a request: run `run`, then ask again."""

    code = "needs-run"

    def __init__(self, run: str, problem: str, advice: str = "") -> None:
        self.run = run
        super().__init__(problem, advice)


class RunFailed(RunError):
    """A run ended without a result."""

    code = "run-failed"


_LONGEST = 400


def _cut(text: str) -> str:
    """A sentence whose middle is left out where it is very long.

    >>> len(_cut("x" * 100_000)) < 500, _cut("It is short.")
    (True, 'It is short.')
    """
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def _either(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
