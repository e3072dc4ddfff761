"""A trained ADAGE network, the activities told with it, and sets of genes, as text files.

- The network: "layer 1", "weight matrix", a line of weights for each gene, "hidden bias vector", a
  line for each node, "visible bias vector", a line for each gene. It names no genes: they are those
  of the table it was trained on, in its order.
- Activities: "layer 1", then a line for each sample: its name, and a value for each node. What is
  called raw activity lacks the hidden bias: activity = sigmoid(raw + hidden bias).
- Sets of genes, a line each: GMT (name, description, genes, between tabs), a name with a number
  and genes between semicolons, or nothing but genes, as operons are listed.

All may be compressed with gzip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from followdata.data import Floats
from followdata.errors import InvalidInput
from followdata.sources.tables import read_text

_LAYER, _WEIGHTS, _HIDDEN, _VISIBLE = (
    "layer 1",
    "weight matrix",
    "hidden bias vector",
    "visible bias vector",
)


def read_network(path: Path) -> tuple[Floats, Floats, Floats]:
    """Weights (genes x nodes), hidden bias (nodes) and visible bias (genes).

    Raises `InvalidInput`, with the line, for a file that is no such network.
    """
    lines = [line.strip() for line in read_text(path).splitlines()]
    at = {}
    for heading in (_WEIGHTS, _HIDDEN, _VISIBLE):
        if heading not in lines:
            raise InvalidInput(
                str(path), f"it has no “{heading}”.", "A network as ADAGE writes it is needed."
            )
        at[heading] = lines.index(heading)
    weights = _numbers(path, lines, at[_WEIGHTS] + 1, at[_HIDDEN])
    hidden = _numbers(path, lines, at[_HIDDEN] + 1, at[_VISIBLE])
    visible = _numbers(path, lines, at[_VISIBLE] + 1, len(lines))
    if hidden.shape != (weights.shape[1], 1) or visible.shape != (len(weights), 1):
        raise InvalidInput(
            str(path),
            f"{weights.shape[0]} x {weights.shape[1]} weights do not go with {len(hidden)} hidden "
            f"and {len(visible)} visible biases.",
        )
    return weights, hidden[:, 0], visible[:, 0]


def read_activities(path: Path) -> tuple[list[str], Floats]:
    """The samples' names and their activities: samples x nodes."""
    lines = [line.rstrip() for line in read_text(path).splitlines()]
    if not lines or lines[0].strip() != _LAYER:
        raise InvalidInput(str(path), f"its first line is not “{_LAYER}”.")
    parts = [line.partition("\t") for line in lines]
    values = _numbers(path, [rest for _, _, rest in parts], 1, len(lines))
    return [name for name, _, _ in parts[1:]], values


def read_sets(path: Path) -> Mapping[str, Sequence[str]]:
    """The sets of genes in a file, by name; an operon is named after its first and last gene."""
    found: dict[str, Sequence[str]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name, genes = _set(line.rstrip().split("\t"))
        if not genes:
            continue
        if name in found:
            name = f"{name} (line {number})"
        found[name] = genes
    if not found:
        raise InvalidInput(str(path), "it holds no set of genes.", "One set a line is read.")
    return found


def _set(words: Sequence[str]) -> tuple[str, list[str]]:
    """Name and genes of one line.

    >>> _set(["Sulfur", "3", "a;b;c"]), _set(["Sulfur", "http://", "a", "b"])
    (('Sulfur', ['a', 'b', 'c']), ('Sulfur', ['a', 'b']))
    >>> _set(["PA0001", "PA0002", "PA0003"])
    ('PA0001 to PA0003', ['PA0001', 'PA0002', 'PA0003'])
    """
    if len(words) == 3 and words[1].isdigit():
        return words[0], [gene for gene in words[2].split(";") if gene]
    if len(words) > 2 and (" " in words[0] or "_" in words[0] or not _alike(words[:2])):
        return words[0], [gene for gene in words[2:] if gene]
    genes = [gene for gene in words if gene]
    return (f"{genes[0]} to {genes[-1]}", genes) if len(genes) > 1 else ("", [])


def _alike(names: Sequence[str]) -> bool:
    """Whether two words are names of one kind: the same letters before their numbers."""
    first, second = (name.rstrip("0123456789.") for name in names)
    return first == second


def _numbers(path: Path, lines: Sequence[str], begin: int, end: int) -> Floats:
    rows = list(_rows(path, lines, begin, end))
    wide = {len(row) for row in rows}
    if len(wide) != 1:
        raise InvalidInput(
            str(path),
            f"its lines {begin + 1} to {end} hold unequal numbers of values."
            if rows
            else f"no value follows line {begin}.",
        )
    return np.array(rows, dtype=np.float64)


def _rows(path: Path, lines: Sequence[str], begin: int, end: int) -> Iterator[list[float]]:
    for number in range(begin, end):
        if not lines[number]:
            continue
        try:
            yield [float(text) for text in lines[number].split("\t")]
        except ValueError as error:
            raise InvalidInput(str(path), f"{error}.", where=f"line {number + 1}") from None
