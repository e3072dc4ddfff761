"""The declaration of a question over two pure functions.

`fit(data, *, ...)` learns once what does not depend on what is asked; `answer(data, fitted, *,
...)` says what follows. Their keyword parameters, annotated with a type of
`followdata.parameters`, are the question's parameters; those of `fit` also key what is stored.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from followdata.answer import Answer, Scalar
from followdata.data import Data, Kind
from followdata.parameters import Parameter, check_known


class Report:
    """How a long fit tells of its progress, shows itself, and keeps what it should not lose.

    This one tells nobody and keeps nothing.
    """

    def __call__(self, kind: str, **fields: Any) -> None:
        """Tell what has happened; each call is a journal entry."""

    def look(self, at: Any) -> None:
        """Let whoever watches in this process look at what is being learnt, between two steps.

        The watcher may take its time, and may end the fit by raising `KeyboardInterrupt`.
        """

    def keep(self, make: Callable[[], Any], *, now: bool = False) -> None:
        """Keep the dataclass that `make` gives, in place of the last one, unless that is recent.

        `now` says to keep it however recent the last one is.
        """

    def kept(self, kind: type) -> Any:
        """What an earlier attempt kept, as an instance of `kind`; `None` if there is none."""
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter of a question: its name, its type, and its default (`...` for none)."""

    name: str
    type: Parameter
    default: Any

    @property
    def optional(self) -> bool:
        return self.default is None


def nothing_to_learn(data: Any) -> None:
    """The `fit` of a question that learns nothing."""


@dataclass(frozen=True)
class Question:
    """What can be asked of one kind of data.

    `title` is the question as a reader would put it; "{thing}" and other parameters are filled
    in. `words` explains in a sentence or two what the answer means. `long` says that `fit` may
    outlast a request: it then takes `report` and is done as a run. `version` is raised when
    `fit` learns something else from the same data, so that older stored values are not used.
    Questions that share a `fit` share what it learns, if they give it the same `fitted_as`.
    """

    name: str
    title: str
    words: str
    needs: Kind
    answer: Callable[..., Answer]
    fit: Callable[..., Any] = nothing_to_learn
    long: bool = False
    version: int = 1
    fitted_as: str = ""

    @cached_property
    def parameters(self) -> Mapping[str, Asked]:
        """All parameters by name: those that only `fit` takes, then those of `answer`."""
        learnt, asked = parameters_of(self.fit), parameters_of(self.answer)
        return {name: learnt[name] for name in learnt if name not in asked} | asked

    @cached_property
    def fit_parameters(self) -> tuple[str, ...]:
        return tuple(parameters_of(self.fit))

    @cached_property
    def answer_parameters(self) -> tuple[str, ...]:
        return tuple(parameters_of(self.answer))

    @property
    def shelf(self) -> str:
        """Under which name the store keeps what is learnt."""
        return self.fitted_as or self.name

    @cached_property
    def fitted_type(self) -> Any:
        """The class of what `fit` learns, by which it is loaded again."""
        return get_type_hints(self.fit).get("return")

    @property
    def learns(self) -> bool:
        return self.fit is not nothing_to_learn

    def resolve(
        self, data: Data, given: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> dict[str, Scalar]:
        """Every parameter's canonical value, from what was given, else from defaults.

        Raises `UnknownName` for a parameter or a name that is not there, `InvalidParameter`
        for a value that cannot be taken.
        """
        return resolve(self.parameters, data, given, defaults)

    def learn(self, data: Data, params: Mapping[str, Scalar], report: Callable[..., None]) -> Any:
        """Call `fit` with its share of `params`."""
        chosen = {name: params[name] for name in self.fit_parameters}
        return self.fit(data, report=report, **chosen) if self.long else self.fit(data, **chosen)

    def tell(self, data: Data, fitted: Any, params: Mapping[str, Scalar]) -> Answer:
        """Call `answer` with its share of `params`."""
        return self.answer(data, fitted, **{name: params[name] for name in self.answer_parameters})

    def heading(self, params: Mapping[str, Scalar]) -> str:
        """The title with the parameters filled in."""
        return self.title.format_map({name: _spoken(value) for name, value in params.items()})


def _spoken(value: Scalar) -> str:
    """A parameter's value within a title.

    >>> _spoken(-3.5), _spoken("2026-11-22T18:00")
    ('−3.5', '2026-11-22 at 18:00')
    """
    if isinstance(value, float):
        return f"{value:g}".replace("-", "\u2212")
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", r"\1 at \2", str(value))


def parameters_of(function: Callable[..., Any]) -> dict[str, Asked]:
    """The keyword parameters of a function that are annotated with a parameter type."""
    return {asked.name: asked for asked in _asked(function)}


def resolve(
    parameters: Mapping[str, Asked],
    data: Data | None,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> dict[str, Scalar]:
    """Every parameter's canonical value, from what was given, else from defaults."""
    check_known(list(given), list(parameters))
    values: dict[str, Scalar] = {}
    for name, asked in parameters.items():
        value = given.get(name)
        if value is None or value == "":
            value = defaults.get(name, asked.default)
        if value is ...:
            value = asked.type.default(name, data)
        values[name] = None if value is None else asked.type.read(name, value, data)
    return values


def _asked(function: Callable[..., Any]) -> Iterator[Asked]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or name == "report":
            continue
        hint = hints.get(name)
        types = [a for a in get_args(hint) if isinstance(a, Parameter)]
        if get_origin(hint) is not Annotated or len(types) != 1:
            raise TypeError(
                f"{function.__module__}.{function.__name__}: annotate “{name}” with one type "
                "of followdata.parameters, as in Annotated[str, Row()]"
            )
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        yield Asked(name, types[0], default)
