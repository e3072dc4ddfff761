"""CPTAC's cohorts: from the Proteomic Data Commons, and the endometrial one in an old package.

The package cptac 0.4.1 carries the tables of the endometrial study of 2019 as files, genes in rows.
"""

from __future__ import annotations

import gzip

from followdata.sources import packaged
from followdata.sources.omics import Files, read_content
from followdata.sources.tables import decoded

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
        texts[name] = decoded(plain, name)
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
