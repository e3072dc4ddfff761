"""Sets of genes from a file in the field's own form.

GMT (https://software.broadinstitute.org/cancer/software/gsea/wiki/index.php/Data_formats) has a
set a line: its name, a description, and its genes, with tabs between.
"""

from __future__ import annotations

from pathlib import Path

from followdata.errors import InvalidInput
from followdata.sources.tables import read_text


def read_gmt(path: Path) -> dict[str, list[str]]:
    """The sets of a GMT file by name; raises `InvalidInput` for a file that is none."""
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2:
            raise InvalidInput(
                str(path),
                "a set needs a name, a description and genes, with tabs between.",
                "Give a file in the GMT form.",
                where=f"line {number}",
            )
        sets[name.strip()] = [gene.strip() for gene in rest[1:] if gene.strip()]
    if not sets:
        raise InvalidInput(str(path), "it holds no set.", "Give a file in the GMT form.")
    return sets
