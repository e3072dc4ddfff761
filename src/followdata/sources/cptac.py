"""CPTAC's cohorts: from the Proteomic Data Commons, and the endometrial one in an old package.

The package cptac 0.4.1 carries the tables of the endometrial study of 2019 as files, genes in rows.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from followdata.answer import Step
from followdata.errors import InvalidInput, Refused
from followdata.sources import packaged
from followdata.sources.client import Provider
from followdata.sources.cohorts import PROTEIN, Description, Reading
from followdata.sources.omics import Files, read_content
from followdata.sources.tables import decoded

if TYPE_CHECKING:
    from followdata.sources.client import Client
    from followdata.sources.fetching import Fetching

PDC = Provider(
    name="The Proteomic Data Commons",
    url="https://pdc.cancer.gov/",
    pace=2.0,
    timeout=180.0,  # a whole study's matrix is one reply
    source="CPTAC (NCI/NIH), through the Proteomic Data Commons",
    licence="Open access; cite the study (https://pdc.cancer.gov/pdc/data-use-guidelines)",
)
STUDIES: Mapping[str, str] = {
    "endometrial": "PDC000125",
    "kidney": "PDC000127",
    "lung": "PDC000153",
    "colon": "PDC000116",
    "ovarian": "PDC000118",
}
"""The proteome of each discovery or prospective study, by what a reader calls the cohort."""
_STUDY = re.compile(r"PDC\d{6}", re.IGNORECASE)
FIELDS: Mapping[str, str] = {
    "biospecimenPerStudy": "aliquot_submitter_id case_submitter_id sample_type",
    "clinicalMetadata": (
        "aliquot_submitter_id primary_diagnosis tumor_grade tumor_stage morphology"
    ),
}
"""What is asked of each of a study's samples, by the query."""
_LOG_RATIO = "log2_ratio"
_POOLS = ("reference", "pool", "withdrawn")

_PACKAGE = "cptac"
_PLACE = "endometrial/data/"
_PACKAGED = {
    "proteomics.cct.gz": "ff705500be53fe74631f6f838ebd1d0439dd6d858ee8e8d0eed3e306babe5802",
    "transcriptomics_linear.cct.gz": (
        "9cf0a8bd0f68ed2f62d52cc641134d2e48c90001032789f47307a77dfa47b654"
    ),
    "miRNA.cct.gz": "88da0e9e25715e4787ab029db8b66607a2e6c501b27caa85b88bc0a2ef00c515",
    "clinical.txt": "ca9e8317f60948941156afaa4208db3b6d8f2b82999046596ca86e3df07c5f8c",
}
ENDOMETRIAL = "CPTAC, endometrial cancer (discovery study of 2019)"
LICENCE = "Data of CPTAC (NCI/NIH), open access; as packaged, Apache-2.0"
CITATION = "Dou et al. 2020, Cell 180:729, doi:10.1016/j.cell.2020.01.026"


def packaged_endometrial(*, every: int) -> Files:
    """The endometrial cohort as the package has it, with every so many-th of its features.

    Of the genes that have both protein and message, in alphabetical order, the first and every
    `every`-th after it is taken, and of the microRNAs likewise.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    texts = {}
    for name, digest in _PACKAGED.items():
        content = packaged.content(_PACKAGE, _PLACE + name, sha256=digest)
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        texts[name] = decoded(name, plain)[0]
    *measured, clinical = texts
    protein, message, micro = ({line.partition("\t")[0]: line for line in texts[name].splitlines()}
                               for name in measured)  # fmt: skip
    kept = {}
    for name, rows, features in (
        (measured[0], protein, protein.keys() & message.keys()),
        (measured[1], message, protein.keys() & message.keys()),
        (measured[2], micro, micro.keys()),
    ):
        heading = next(iter(rows))
        chosen = sorted(features - {heading})[::every]
        kept[name] = "\n".join([rows[heading], *(rows[feature] for feature in chosen)]) + "\n"
    return read_content({**kept, clinical: texts[clinical]})


# The Proteomic Data Commons


def study_of(cohort: str) -> str | None:
    """The study of a cohort, by its name here or by its own identifier.

    >>> study_of("endometrial"), study_of("pdc000127"), study_of("irises")
    ('PDC000125', 'PDC000127', None)
    """
    return cohort.upper() if _STUDY.fullmatch(cohort) else STUDIES.get(cohort)


def fetch_study(fetching: Fetching, study: str, provider: Provider = PDC) -> Files:
    """The log ratios of a study's proteins, and what is said of its samples.

    A sample is called by its case, a normal one with ".N" behind it; pools that only serve as
    reference are left out.

    Raises `Refused` for a study that is not there or not processed yet, `InvalidInput` for a reply
    that is not what the API says, and what `followdata.sources.client` raises.
    """
    with fetching.client(provider) as client:
        fetching.progress(0, 3, "replies")
        matrix = _asked(client, study, "quantDataMatrix", f'data_type: "{_LOG_RATIO}"', "")
        fetching.progress(1, 3, "replies")
        specimens, clinical = (_asked(client, study, query, "", fields)
                               for query, fields in FIELDS.items())  # fmt: skip
        fetching.progress(3, 3, "replies")
    names = {
        str(one.get("aliquot_submitter_id")): _case_name(one)
        for one in _records(specimens, study, "biospecimenPerStudy")
    }
    files = Files()
    files.readings.append(_matrix(matrix, names, study, files.steps))
    described = _records(clinical, study, "clinicalMetadata")
    if described:
        files.descriptions.append(_clinical(described, names, study))
    return files


def _asked(client: Client, study: str, query: str, also: str, fields: str) -> Any:
    """What the API answers to one query of a study; an error comes with the status 200."""
    wanted = f" {{ {fields} }}" if fields else ""
    text = f'{{ {query}(pdc_study_id: "{study}" {also} acceptDUA: true){wanted} }}'
    reply = client.json("graphql", post={"query": text})
    if not isinstance(reply, dict):
        raise InvalidInput(f"{query} of {study}", "the reply is no object.", where="$")
    errors = reply.get("errors")
    if errors:
        first = errors[0].get("message") if isinstance(errors[0], dict) else errors[0]
        raise Refused(f"{client.provider.name} refused {query} of {study}: {first}.")
    found = (reply.get("data") or {}).get(query)
    if found is None and query == "quantDataMatrix":
        raise Refused(
            f"{client.provider.name} has no processed ratios of {study}.",
            "It may not be processed yet, or be no study of proteins; try another.",
        )
    return found


def _records(found: Any, study: str, query: str) -> list[dict[str, Any]]:
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidInput(f"{query} of {study}", "the reply is no list of records.", where="$")
    return found


def _case_name(specimen: Mapping[str, Any]) -> str:
    """What a sample is called: by its case, with ".N" if it is healthy; "" if it is a pool."""
    kind = str(specimen.get("sample_type") or "").lower()
    case = str(specimen.get("case_submitter_id") or "")
    if any(word in f"{kind} {case.lower()}" for word in _POOLS):
        return ""
    return f"{case}.N" if "normal" in kind else case


def _matrix(found: Any, names: Mapping[str, str], study: str, steps: list[Step]) -> Reading:
    """The matrix, whose rows are lists of strings: a heading, then genes; "" is missing."""
    place = f"quantDataMatrix of {study}"
    if (
        not isinstance(found, list)
        or len(found) < 2
        or not all(isinstance(row, list) and len(row) == len(found[0]) for row in found)
    ):
        raise InvalidInput(place, "the reply is no matrix with headings.", where="$")
    heading, *rows = found
    # "<uuid>:<submitter id>", of which the second is what people know.
    aliquots = [str(text).partition(":")[2] or str(text) for text in heading[1:]]
    kept = [at for at, one in enumerate(aliquots) if names.get(one, one)]
    steps.append(
        Step("left out: pools that serve as reference", study, "samples", len(aliquots), len(kept),
             tuple(one for one in aliquots if not names.get(one, one)))
    )  # fmt: skip
    values = np.full((len(kept), len(rows)), np.nan)
    for column, row in enumerate(rows):
        for place_of, at in enumerate(kept):
            text = row[at + 1]
            if text in ("", None):
                continue
            try:
                values[place_of, column] = float(text)
            except (TypeError, ValueError):
                where = f"{row[0]}, {aliquots[at]}"
                raise InvalidInput(place, f"“{text}” is not a number.", where=where) from None
    samples = [names.get(aliquots[at], aliquots[at]) for at in kept]
    return Reading(PROTEIN, "", study, values, samples, [str(row[0]) for row in rows])


def _clinical(
    found: Sequence[Mapping[str, Any]], names: Mapping[str, str], study: str
) -> Description:
    """What is said of each case, once."""
    by_name = {
        names.get(str(one.get("aliquot_submitter_id")), ""): one for one in found
    }  # the last of a case's aliquots; they say the same
    by_name.pop("", None)
    headings = sorted({key for one in by_name.values() for key in one} - {"aliquot_submitter_id"})
    labels = {
        heading: [_said(one.get(heading)) for one in by_name.values()] for heading in headings
    }
    return Description(f"clinicalMetadata of {study}", list(by_name), labels)


def _said(value: Any) -> str:
    text = " ".join(str(value or "").split())
    return "" if text.lower() in ("not reported", "unknown", "not applicable") else text
