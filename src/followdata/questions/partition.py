"""What the directions of a map are made of: how much of each is groups, and how much donors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from followdata.answer import Field, Table, View
from followdata.core.partition import Floats, variance_partition
from followdata.data import TableData
from followdata.questions import wording

_DONOR = "donor"


def donors(data: TableData) -> list[tuple[Field, Sequence[Any]]]:
    """A column for a map's table with each row's donor, where the data tell of several."""
    if _DONOR not in _factors(data):
        return []
    return [(Field(_DONOR, "Donor"), [name or None for name in _factors(data)[_DONOR].tolist()])]


def shaped(view: View, data: TableData) -> View:
    """The map with a shape for each donor, where the data tell of several."""
    if _DONOR not in _factors(data):
        return view
    return replace(view, channels={**view.channels, "shape": _DONOR})


def tables(data: TableData, scores: Floats) -> dict[str, Table]:
    """Table `partition`: component, the share of its variance that goes with the main label and
    with the donor, as far as there are both, and the rest, in percent."""
    parts = _parts(data, scores)
    if parts is None:
        return {}
    names = [*_factors(data)]
    shares = zip(names, parts, strict=True)
    table = Table.of(
        (Field("component", "Component"), list(range(1, scores.shape[1] + 1))),
        *(
            (Field(name, name.capitalize(), unit="%", decimals=0), 100 * share)
            for name, share in shares
        ),
        (Field("rest", "Neither", unit="%", decimals=0), 100 * (1 - np.minimum(parts.sum(0), 1))),
        title="What goes with the components",
    )
    return {"partition": table}


def sentences(data: TableData, scores: Floats, shown: Sequence[int]) -> Iterator[str]:
    """How much of the components shown goes with groups and with donors, where there are donors."""
    parts = _parts(data, scores)
    if parts is None or _DONOR not in _factors(data):
        return
    told = []
    for component in shown:
        shares = [
            f"{wording.share(float(share[component - 1]))} {name}"
            for name, share in zip(_factors(data), parts, strict=True)
        ]
        told.append(f"component {component} is {' and '.join(shares)}")
    yield f"Of what varies along them, {', '.join(told)}."


def notes(data: TableData) -> Iterator[str]:
    """What the shares are."""
    names = list(_factors(data))
    if names:
        yield (
            f"How much of a component is {' and how much is '.join(names)} is its adjusted R², "
            "averaged over the orders in which they can be taken; shares of what they have in "
            "common are halved."
        )


def _parts(data: TableData, scores: Floats) -> Floats | None:
    factors = list(_factors(data).values())
    used = ~np.isnan(scores).any(1)
    if not factors or not scores.shape[1] or not used.any():
        return None
    return variance_partition(scores[used], [factor[used] for factor in factors])


def _factors(data: TableData) -> dict[str, npt.NDArray[np.str_]]:
    """The main label and the donor, where they share out the rows."""
    labels = data.labels("obs")
    names = [name for name in (data.about.label, _DONOR) if name in labels]
    return {
        name: labels[name]
        for name in dict.fromkeys(names)
        if 1 < len(set(labels[name].tolist())) <= len(labels[name]) / 2
    }
