"""What tumour samples are called, which differs from file to file of the same patients.

TCGA writes `TCGA-AO-A12D-01A-21-A13A-20` for an aliquot (project, site, patient, kind of sample and
vial, ...), and tables cut it short: `TCGA-AO-A12D-01`, `AO-A12D`, `AO-A12D-01A`, `A12D`, or
`AO-A12D.01TCGA`, where the number is that of the experiment. CPTAC ends a normal tissue's name in
`.N`. See https://docs.gdc.cancer.gov/Encyclopedia/pages/TCGA_Barcode/.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_BARCODE = re.compile(
    r"(?:TCGA[-.])?(?P<site>[A-Z0-9]{2})[-.](?P<patient>[A-Z0-9]{4})"
    r"(?:[-.](?:\d\d(?P<experiment>TCGA)|(?P<kind>\d\d)[A-Z]?(?:[-.].*)?|(?P<repeat>\d)))?"
)
_LAST_PART = re.compile(r"[A-Z0-9]{4}")
_PRIMARY = "01"
_NORMAL_KINDS = frozenset({"10", "11", "12", "13", "14"})
_HEALTHY = re.compile(r".+\.N|[0-9a-z]{6}[-.][IC](?:[-.]CPTAC)?")


@dataclass(frozen=True)
class SampleName:
    """A sample under one name for all files, and whether that name says that it is healthy."""

    name: str
    healthy: bool = False


def sample_name(text: str) -> SampleName:
    """What `text` is called in all files.

    >>> sample_name("AO-A12D.01TCGA"), sample_name("TCGA-AO-A12D-01A-21-A13A-20").name
    (SampleName(name='TCGA-AO-A12D', healthy=False), 'TCGA-AO-A12D')
    >>> sample_name("TCGA-BH-A0B8-11A"), sample_name("C3L-00006.N").healthy
    (SampleName(name='TCGA-BH-A0B8-11', healthy=True), True)
    """
    found = _BARCODE.fullmatch(text)
    if not found:
        return SampleName(text, bool(_HEALTHY.fullmatch(text)))
    patient = f"TCGA-{found['site']}-{found['patient']}"
    kind = found["kind"] or _PRIMARY
    if kind == _PRIMARY:
        return SampleName(patient)
    return SampleName(f"{patient}-{kind}", kind in _NORMAL_KINDS)


def last_parts(names: Iterable[str]) -> Mapping[str, str]:
    """The whole names by their last part, for those whose last part no other has.

    >>> dict(last_parts(["TCGA-AO-A12D", "TCGA-E2-A105", "TCGA-XX-A105"]))
    {'A12D': 'TCGA-AO-A12D'}
    """
    whole = {name for name in names if name.startswith("TCGA-") and name.count("-") == 2}
    often = Counter(name[-4:] for name in whole)
    return {name[-4:]: name for name in sorted(whole) if often[name[-4:]] == 1}


def in_full(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The names with those that are only a last part replaced by the whole, where it is known.

    >>> in_full(["A12D", "S003"], {"A12D": "TCGA-AO-A12D"})
    ['TCGA-AO-A12D', 'S003']
    """
    return [known.get(name, name) if _LAST_PART.fullmatch(name) else name for name in names]


def are_barcodes(names: Iterable[str]) -> bool:
    """Whether most of these are names of TCGA's samples."""
    listed = list(names)
    return 2 * sum(bool(_BARCODE.fullmatch(name)) for name in listed) > len(listed)
