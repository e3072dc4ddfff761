"""Real tables as people have them: opened as they are, then asked; what was guessed right.

Needs the real files (FOLLOWDATA_SHARED). Each is opened with no option, or with the one that the
refusal named, then asked `map`, `distinctive` and `compare`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks._tables import table
from followdata.desk import Desk, OpenedTable
from followdata.errors import FollowdataError, UnknownName
from followdata.sources.tables import Reading

SHARED = Path(os.environ.get("FOLLOWDATA_SHARED", Path(__file__).parents[2] / "shared")) / "data"


@dataclass(frozen=True)
class Case:
    """A file, what its owner would expect of it, and what has to be said if that is not guessed.

    `shape` is rows x columns, `first` the name of a row, `measure` that of a column.
    """

    files: str
    form: str
    shape: tuple[int, int]
    first: str
    measure: str
    said: dict[str, Any]
    option: str = ""


CASES = [
    Case("school-fires/simplified_municipality_indicators.csv", "CSV, codes, labels, NA",
         (290, 29), "Växjö", "medianIncome", {}),
    Case("school-fires/school_fire_cases_1998_2014.csv", "CSV, a row for each town and year",
         (290, 2), "Ale", "Cases", {}),
    Case("school-fires/school_fire_cases_1998_2014_matrix.csv", "CSV, R's headings",
         (290, 51), "Ale", "Cases1998", {}),
    Case("school-fires/xlsx_data/bib*.xlsx", "17 years of Excel, totals first",
         (290, 3), "Ale", "Antal insatser", {}),
    Case("geo/cykelnat_per_kommun_20231231.xlsx", "Excel, titles above, total below",
         (291, 4), "Ale", "Kommunal", {}),
    Case("geo/powercircle_charging_dec_2023.csv", "CSV, UTF-8 mark, quoted numbers",
         (290, 11), "ALE", "Antal laddpunkter", {}),
    Case("kolada/kpi_wide_2022.csv.gz", "CSV, gzip, 1,843 columns",
         (290, 1843), "Upplands Väsby", "N00053", {}),
    Case("kolada/kpi_series_long.csv.gz", "CSV, gzip, long, years",
         (290, 76), "0114", "N00204", {}),
    Case("kolada/municipality_indicators_2014_long.csv.gz", "CSV, gzip, long, names beside codes",
         (290, 890), "Upplands Väsby", "N00053", {}),
    Case("kolada/kolada_web_export_stockholm_county.xlsx", "Excel, three sheets, years as columns",
         (27, 16), "Botkyrka", "Anställda 55+ år, antal", {}),
    Case("brain/ahba_dk82_expression.csv.gz", "CSV, gzip, two empty rows",
         (82, 1645), "L_bankssts", "A1BG", {}),
    Case("brain/gtex_brain_fpkm.tsv.gz", "TSV, gzip, genes in rows", (120, 1000), "cerebellum_A1",
         "3337", {"layout": "transposed"}, "--transpose"),
    Case("compendium/bladderbatch_expression.tsv.gz", "TSV, gzip, probes in rows",
         (57, 0), "GSM71019.CEL", "1007_s_at", {"layout": "transposed"}, "--transpose"),
    Case("compendium/pub_published_rpkms.tsv.gz", "TSV, gzip, 13,537 genes",
         (13537, 11), "ENSG00000000003", "HPA_heart", {}),
    Case("tcga/clinical_data_breast_cancer.csv", "CSV, mostly words",
         (105, 0), "TCGA-A2-A0T2", "Age at Initial Pathologic Diagnosis", {}),
    Case("tcga/itraq_pam50_proteins.csv", "CSV, classes", (80, 40), "AO-A12D", "NP_057427", {}),
    Case("tcga/ucec_clinical.csv", "CSV, 148 columns of all kinds", (134, 0), "S003", "", {}),
    Case("tcga/brca_rppa.csv.gz", "CSV, gzip", (410, 142), "TCGA-A1-A0SH-01A-21-A13A-20",
         "14-3-3_epsilon", {}),
    Case("autoencoder/wine_noclass.txt", "tabs, no headings", (178, 12), "row 1", "column 1", {}),
    Case("autoencoder/BreastCancer_noclass_noNA.tsv", "TSV, repeated identifiers",
         (683, 9), "1000025", "", {}),
    Case("autoencoder/adage_activity.txt.gz", "tabs, gzip, a title and no headings",
         (950, 50), "GSM198187.CEL", "column 2", {}),
    Case("smhi/towns45_daily_temp_2014_oct_dec.csv", "CSV, numbers only", (45, 62), "row 1",
         "column 1", {}),
    Case("smhi/bolin_raw/stockholm_daily_temp_obs_2013_2017_t1t2t3txtntm.txt.gz",
         "blanks, gzip, no headings", (1826, 9), "row 1", "column 4", {}),
    Case("smhi/stockholm_daily_mean_temperature.csv.gz", "CSV, gzip, 98,175 days",
         (98175, 4), "1756-01-01", "raw", {}),
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the rows of the printed table."""

    case: Case
    story: str = ""
    shape: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    right: str = ""
    answers: Sequence[str] = ()
    refused: str = ""


def opened(desk: Desk, case: Case) -> OpenedTable:
    """The case as a story."""
    paths = sorted(SHARED.glob(case.files))
    return desk.open_table(paths, replace(Reading(), **case.said))


def tried(desk: Desk, case: Case) -> Outcome:
    """Open the case and ask it."""
    begun = time.perf_counter()
    try:
        found = opened(desk, case)
    except FollowdataError as error:
        return Outcome(case, refused=str(error))
    seconds = time.perf_counter() - begun
    here = desk.open(found.story.name)
    data: Any = here.data
    wrong = []
    if data.shape[0] != case.shape[0] or case.shape[1] not in (0, data.shape[1]):
        wrong.append(f"shape {data.shape}")
    if case.first not in data.names("obs").names:
        wrong.append(f"rows are called {data.names('obs').names[0]}")
    if case.measure and case.measure not in data.names("var").names:
        wrong.append(f"columns are called {data.names('var').names[0]}")
    answers = []
    for question in ("map", "distinctive", "compare"):
        try:
            here.ask(question)
            answers.append("yes")
        except UnknownName:
            answers.append("does not fit")
        except FollowdataError as error:
            answers.append(str(error))
    return Outcome(case, found.story.name, data.shape, seconds, "; ".join(wrong) or "all", answers)


def _told(outcome: Outcome) -> Outcome:
    """Say on standard error how far it is, and whatever was not as expected."""
    answers = [answer for answer in outcome.answers if answer != "yes"]
    said = "; ".join([outcome.refused or outcome.right, *answers])
    print(f"{outcome.case.files}: {outcome.seconds:.1f} s, {said}", file=sys.stderr, flush=True)
    return outcome


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["FOLLOWDATA_HOME"] = os.environ.get("FOLLOWDATA_KEPT", home)
        desk = Desk.installed()
        outcomes = [_told(tried(desk, case)) for case in CASES]
    rows = [
        [
            one.case.files, one.case.form, one.case.option or "none",
            f"{one.shape[0]:,} x {one.shape[1]:,}", one.right or one.refused,
            *(one.answers or ["", "", ""]),
        ]
        for one in outcomes
    ]  # fmt: skip
    headings = ["file", "form", "option", "rows x columns", "guessed right", "map",
                "distinctive", "compare"]  # fmt: skip
    table(headings, rows)


if __name__ == "__main__":
    main()
