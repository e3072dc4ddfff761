from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from followdata.answer import Provenance
from followdata.data import About, Layer, MemoryTable
from followdata.errors import InvalidInput, Refused, Unreachable
from followdata.sources import cptac, tcga
from followdata.sources.client import Client
from followdata.sources.cohorts import Description, Reading, joined
from followdata.sources.fetching import Fetching
from followdata.sources.omics import Files, read_files
from followdata.testing.providers import Faulty, MemoryLog
from followdata.testing.tumours import CASES, GENES, PATIENTS, PretendCommons

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PDC, GDC, XENA = (replace(one, pace=1e6) for one in (cptac.PDC, tcga.GDC, tcga.XENA))
ABOUT = About("Tumours", "tumour", "tumours", "gene", "genes", label="subtype")


def reading(
    values: Sequence[Sequence[float]], samples: Sequence[str], features: Sequence[str],
    layer: str = "protein", method: str = "", place: str = "a file",
) -> Reading:  # fmt: skip
    return Reading(layer, method, place, np.array(values, dtype=float), samples, features)


def cohort(
    *readings: Reading, words: Sequence[Description] = (), keep_excluded: bool = False
) -> MemoryTable:
    return joined(ABOUT, readings, words, Provenance("files", "", ""), keep_excluded=keep_excluded)


def steps(table: MemoryTable, done: str) -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [
        (step.place, step.before, step.after, step.names)
        for step in table.provenance.steps
        if done in step.done
    ]


# Joining


def test_names_are_mended_so_that_layers_join() -> None:
    table = cohort(
        reading([[1], [2]], ["TCGA-AO-A12D-01A-21-A13A-20", "TCGA-E2-A105-01A-01"], ["TP53"]),
        reading([[5], [6]], ["A105", "A12D"], ["TP53"], "mRNA", place="another"),
        reading([[7]], ["AO-A12D.01TCGA"], ["TP53"], "miRNA", place="a third"),
    )
    assert table.obs_names == ["TCGA-AO-A12D", "TCGA-E2-A105"]
    assert table.matrix(layer=Layer(part="mRNA")).ravel().tolist() == [6, 5]
    assert table.matrix(layer=Layer(part="miRNA")).ravel()[0] == 7
    assert ("another", 2, 2, ("A105 → TCGA-E2-A105", "A12D → TCGA-AO-A12D")) in steps(
        table, "mended"
    )


def test_a_last_part_that_two_patients_share_joins_nothing() -> None:
    table = cohort(
        reading([[1], [2]], ["TCGA-AA-A105", "TCGA-BB-A105"], ["TP53"]),
        reading([[5]], ["A105"], ["TP53"], "mRNA"),
    )
    assert "A105" in table.obs_names


def test_what_is_measured_twice_is_averaged_over_what_is_there() -> None:
    nan = float("nan")
    table = cohort(
        reading(
            [[1, 3, nan], [3, nan, 8], [5, 7, 9]],
            ["AO-A12D.01TCGA", "AO-A12D.05TCGA", "BH-A18Q.02TCGA"],
            ["MAPT", "MAPT", "TP53"],
        )
    )
    assert table.matrix().tolist() == [[2.5, 8], [6, 9]]
    assert steps(table, "several of one gene") == [("a file", 3, 2, ("MAPT",))]
    assert steps(table, "more than once") == [("a file", 3, 2, ("TCGA-AO-A12D",))]


def test_healthy_tissue_is_left_out_by_name_and_by_table() -> None:
    table = cohort(
        reading(
            [[1]] * 6,
            ["C3L-1", "C3L-1.N", "TCGA-AA-A105-11A", "263d3f.I.CPTAC", "C3L-2", "C3L-3"],
            ["TP53"],
        ),
        words=[
            Description(
                "clinical",
                ["C3L-1", "C3L-2", "C3L-3"],
                {"Proteomics_Tumor_Normal": ["Tumor", "Adjacent_normal", "Tumor"]},
            )
        ],
    )
    assert table.obs_names == ["C3L-1", "C3L-3"]


@pytest.mark.parametrize(("keep", "left"), [(False, ["a"]), (True, ["a", "b"])])
def test_cases_that_the_study_excluded_go_unless_they_are_kept(keep: bool, left: list[str]) -> None:
    words = [Description("clinical", ["a", "b"], {"Case_excluded": ["No", "Yes"]})]
    table = cohort(reading([[1], [2]], ["a", "b"], ["TP53"]), words=words, keep_excluded=keep)
    assert table.obs_names == left
    assert (steps(table, "kept, though") != []) == keep


def test_missing_values_stay_missing_and_are_counted() -> None:
    nan = float("nan")
    table = cohort(
        reading([[1, nan], [2, 4]], ["a", "b"], ["TP53", "ESR1"]),
        reading([[9]], ["a"], ["KRT5"], "mRNA"),
    )
    np.testing.assert_array_equal(table.matrix(), [[1, nan, nan], [2, 4, nan]])
    assert steps(table, "missing values")[0] == ("protein", 4, 3, ())


def test_of_two_tables_of_proteins_the_smaller_is_called_by_its_method() -> None:
    table = cohort(
        reading([[1], [2]], ["a", "b"], ["TP53"], method="iTRAQ"),
        reading([[1, 5], [2, 6], [3, 7]], ["a", "b", "c"], ["TP53", "ESR1"], method="RPPA"),
    )
    assert table.about.matrix == "protein"
    assert list(table.layers) == [Layer(part="iTRAQ")]
    assert table.shape == (3, 2)


def test_values_that_contradict_those_of_a_larger_file_are_refused() -> None:
    table = cohort(
        reading([[1], [2], [3]], ["a", "b", "c"], ["TP53"], method="RPPA", place="large"),
        reading([[1], [7]], ["a", "b"], ["TP53"], method="RPPA", place="small"),
    )
    assert table.matrix().ravel().tolist() == [1, 2, 3]
    assert steps(table, "refused") == [("small", 2, 1, ("b",))]


def test_counts_become_logarithms_and_logarithms_stay() -> None:
    counts = [[0.0], [1023.0]]
    table = cohort(reading(counts, ["a", "b"], ["TP53"], "mRNA"))
    assert table.matrix().ravel().tolist() == [0, 10]
    assert cohort(reading([[0], [15]], ["a", "b"], ["X"], "mRNA")).matrix().max() == 15


def test_subtypes_of_several_tables_are_one_label() -> None:
    words = [
        Description("one", ["a", "b"], {"PAM50 mRNA": ["Basal-like", "Luminal A"]}),
        Description("two", ["b", "c"], {"pam50_class": ["LumB", "HER2"]}),
    ]
    table = cohort(reading([[1], [2], [3]], ["a", "b", "c"], ["TP53"]), words=words)
    assert table.obs["subtype"].tolist() == ["Basal", "LumB", "Her2"]
    assert steps(table, "known already") == [("“PAM50 mRNA” of one", 1, 0, ("b",))]


def test_nothing_to_join() -> None:
    with pytest.raises(InvalidInput, match="nothing here holds values"):
        cohort()
    with pytest.raises(InvalidInput, match="no tumour is left"):
        cohort(reading([[1]], ["C3L-1.N"], ["TP53"]))


# Files


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def kaggle(folder: Path) -> Path:
    """The layout of the table of 77 tumours: isoforms, a tumour measured twice, and controls."""
    samples = [f"AO-A{number:02}D.{number:02}TCGA" for number in range(1, 12)]
    samples += ["AO-A01D.30TCGA", "263d3f.I.CPTAC", "blcdb9.I.CPTAC", "c4155b.C.CPTAC"]
    heading = ["RefSeq_accession_number", "gene_symbol", "gene_name", *samples]
    rows = [
        ["NP_1", "MAPT", "tau, isoform 1", *(str(number) for number in range(15))],
        ["NP_2", "MAPT", "tau, isoform 2", *(str(number + 2) for number in range(15))],
        ["NP_3", "", "nameless", *["NA"] * 14, "1.5"],
        ["NP_4", "TP53", '"p53, ""guardian"""', *["0.5"] * 15],
    ]
    lines = [",".join(f'"{c}"' if "," in c and c[0] != '"' else c for c in row) for row in rows]
    return written(folder, "77_cancer_proteomes_CPTAC_itraq.csv", ",".join(heading), *lines)


def test_the_breast_table_of_77_tumours(tmp_path: Path) -> None:
    files = read_files([kaggle(tmp_path)], ())
    table = cohort(*files.readings)
    assert table.shape == (11, 2)
    assert table.obs_names[0] == "TCGA-AO-A01D"
    # Isoforms 0 and 2, and of the second measurement 11 and 13.
    assert table.matrix(var=["MAPT"])[0, 0] == pytest.approx((1 + 12) / 2)
    assert table.names("var").find("NP_2") == "MAPT"
    assert steps(table, "healthy")[0][3] == ("263d3f.I.CPTAC", "blcdb9.I.CPTAC", "c4155b.C.CPTAC")


@pytest.mark.parametrize("name", ["study.itraq.tsv", "study.tmt10.tsv.gz"])
def test_ratios_of_cptac(tmp_path: Path, name: str) -> None:
    path = written(
        tmp_path, name,
        "Gene\tAO-A12D-01A Log Ratio\tAO-A12D-01A Unshared Log Ratio\tC8-A131-01A Log Ratio\t"
        "C8-A131-01A Unshared Log Ratio\tNCBIGeneID\tDescription",
        "Mean\t0\t0\t0\t0\t\t", "Median\t0\t0\t0\t0\t\t", "StdDev\t1\t1\t1\t1\t\t",
        "A1BG\t0.5\t9\t-1\t9\t1\talpha", "NAN\t\t9\t2\t9\t2\ta gene called so",
    )  # fmt: skip
    table = cohort(*read_files([path], ()).readings)
    assert table.obs_names == ["TCGA-AO-A12D", "TCGA-C8-A131"]
    assert list(table.var_names) == ["A1BG", "NAN"]
    np.testing.assert_array_equal(table.matrix(), [[0.5, np.nan], [-1, 2]])


def test_a_frame_of_the_package_cptac(tmp_path: Path) -> None:
    path = written(
        tmp_path, "umich_proteomics.csv",
        "Name,ARF5,ARF5,M6PR", "Database_ID,ENSP1.5,ENSP2.1,ENSP3.2",
        "Patient_ID,,,", "C3L-00006,1,3,", "C3L-00006.N,9,9,9", "C3L-00008,-0.5,,2",
    )  # fmt: skip
    table = cohort(*read_files([path], ()).readings)
    assert table.obs_names == ["C3L-00006", "C3L-00008"]
    np.testing.assert_array_equal(table.matrix(), [[2, np.nan], [-0.5, 2]])
    assert table.names("var").find("ENSP2.1") == "ARF5"
    path.write_text(path.read_text().replace("-0.5", "low"), encoding="utf-8")
    with pytest.raises(InvalidInput, match="C3L-00008, ARF5: “low” is not a number"):
        read_files([path], ())


def test_files_of_the_hub_keep_their_names(tmp_path: Path) -> None:
    for name, content in PretendCommons()._hub():
        (tmp_path / name.replace("/", "%2F")).write_bytes(content)
    files = read_files([tmp_path], ("brca",))
    assert [one.layer for one in files.readings] == ["mRNA"]
    assert list(files.descriptions[0].labels) == ["PAM50Call_RNAseq", "gender"]


def test_a_summary_holds_no_ratios_and_says_so(tmp_path: Path) -> None:
    heading = "Gene\tPlex 1 Spectral Counts\tPlex 1 Distinct Peptides"
    path = written(tmp_path, "brca_summary.tsv", heading, "A1BG\t84\t43")
    with pytest.raises(InvalidInput, match=r"no ratios by sample.*itraq\.tsv"):
        read_files([path], ())
    # In a folder it is passed over, and counted.
    assert "no ratios" in read_files([tmp_path], ("brca",)).steps[0].done


def test_antibodies_become_genes_and_their_forms_stay_apart(tmp_path: Path) -> None:
    antibodies = ["Akt", "Akt_pS473", "Caspase-7_cleavedD198", "ER-alpha"]
    antibodies += [f"X{number}" for number in range(8)]
    row = ",".join(["0.5"] * len(antibodies))
    written(tmp_path, "brca_rppa.csv", ",".join(["sample", *antibodies]), f"A12D,{row}")
    written(tmp_path, "antibodies.csv", "antibody,gene_symbol", "ER-alpha,ESR1")
    table = cohort(*read_files([tmp_path], ("brca",)).readings)
    kinds = dict(zip(table.var_names, table.var["feature"].tolist(), strict=True))
    assert kinds["ESR1"] == "gene"
    assert kinds["Akt_pS473"] == "phosphoprotein"
    assert kinds["Akt"] == kinds["Caspase-7_cleavedD198"] == "antibody"
    assert table.names("var").find("er-alpha") == "ESR1"


def test_a_folder_holds_several_cohorts(tmp_path: Path) -> None:
    for name in ("ucec_proteomics.tsv", "brca_proteomics.tsv"):
        samples = [f"{name[:2]}{number}" for number in range(12)]
        written(tmp_path, name, "\t".join(["gene", *samples]), "\t".join(["TP53", *["1"] * 12]))
    assert [one.place for one in read_files([tmp_path], ("ucec",)).readings] == [
        "ucec_proteomics.tsv"
    ]
    with pytest.raises(InvalidInput, match="no file in it has “colon”"):
        read_files([tmp_path], ("colon",))
    own = tmp_path / "colon" / "tables"
    own.mkdir(parents=True)
    (tmp_path / "ucec_proteomics.tsv").rename(own / "proteomics.tsv")
    assert len(read_files([own], ("colon",)).readings) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"gene\ta\n\x1f", "layout"),
        (b"", "layout"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        read_files([path], ())
    with pytest.raises(InvalidInput, match="no such file"):
        read_files([tmp_path / "gone.tsv"], ())
    damaged = tmp_path / "y_proteomics.tsv.gz"
    damaged.write_bytes(gzip.compress(b"gene\ta\n" * 99)[:30])
    with pytest.raises(InvalidInput, match=r"damaged|cannot be read|layout"):
        read_files([damaged], ())


# Providers


def fetching(network: httpx.BaseTransport) -> Fetching:
    return Fetching(MemoryLog(), NOON, (), network)


def test_a_study_of_the_proteomic_data_commons() -> None:
    network = httpx.MockTransport(PretendCommons())
    files = cptac.fetch_study(fetching(network), "PDC000125", PDC)
    messages = tcga.fetch_messages(fetching(network), CASES, GDC)
    assert messages is not None
    table = cohort(*files.readings, messages, words=files.descriptions)
    assert tuple(table.obs_names) == CASES
    assert table.var_names == list(GENES)
    assert list(table.layers) == [Layer(part="mRNA")]
    assert np.isnan(table.matrix(obs=[CASES[3]])).all()
    assert set(table.obs["primary_diagnosis"].tolist()) == {"Endometrioid", "Serous"}
    assert "" in table.obs.get("tumor_grade", np.array([""])).tolist()
    reference = next(step for step in files.steps if "pools" in step.done)
    assert reference.names == ("POOL01",)
    assert steps(table, "more than once")[0][3] == (CASES[0],)
    assert steps(table, "log₂")


def test_an_error_that_comes_with_the_status_200() -> None:
    network = httpx.MockTransport(PretendCommons(refusing="Invalid pdc_study_id"))
    with pytest.raises(Refused, match="Invalid pdc_study_id"):
        cptac.fetch_study(fetching(network), "PDC000125", PDC)


def test_a_study_that_is_not_processed_gives_null() -> None:
    with pytest.raises(Refused, match="no processed ratios of PDC000999"):
        cptac.fetch_study(fetching(httpx.MockTransport(PretendCommons())), "PDC000999", PDC)


@pytest.mark.parametrize(
    "matrix",
    [
        [],
        "words",
        [["Gene/Aliquot", "u:a"], ["TP53"]],
        [["Gene/Aliquot", "u:a"], ["TP53", "high"]],
    ],
)
def test_a_reply_that_is_no_matrix(matrix: object) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        name = "quantDataMatrix" if b"quantData" in request.content else "other"
        return httpx.Response(200, json={"data": {name: matrix}})

    with pytest.raises(InvalidInput, match=r"no matrix|not a number"):
        cptac.fetch_study(fetching(httpx.MockTransport(answer)), "PDC000125", PDC)


def test_what_was_asked_by_post_is_asked_once() -> None:
    network = Faulty(PretendCommons())
    log = MemoryLog()
    for _ in range(2):
        cptac.fetch_study(Fetching(log, NOON, (), network), "PDC000125", PDC)
    assert len(network.asked) == 3


def test_a_cohort_of_the_hub() -> None:
    files = tcga.fetch_cohort(fetching(httpx.MockTransport(PretendCommons())), "BRCA", XENA)
    table = cohort(*files.readings, words=files.descriptions)
    assert tuple(table.obs_names) == PATIENTS
    assert table.about.matrix == "mRNA"
    assert set(table.obs["subtype"].tolist()) == {"LumA", "Basal"}
    assert {step.done for step in files.steps} >= {"not there: protein", "not there: miRNA"}
    with pytest.raises(Refused, match="no measurements of “NONE”"):
        tcga.fetch_cohort(fetching(httpx.MockTransport(PretendCommons())), "NONE", XENA)


def test_without_a_network() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)

    import stamina

    with stamina.set_testing(True), pytest.raises(Unreachable):
        cptac.fetch_study(fetching(httpx.MockTransport(gone)), "PDC000125", PDC)


def test_files_have_a_form_of_their_own() -> None:
    assert Files().readings == []


# The real providers


@pytest.mark.live
def test_the_real_commons_has_every_field_that_is_read() -> None:
    with Client(cptac.PDC, MemoryLog()) as real:
        for query, fields in cptac.FIELDS.items():
            text = f'{{ {query}(pdc_study_id: "PDC000125" acceptDUA: true) {{ {fields} }} }}'
            reply = real.json("graphql", post={"query": text})
            assert "errors" not in reply, reply["errors"]
            first = reply["data"][query][0]
            assert [name for name in fields.split() if name not in first] == []


@pytest.mark.live
@pytest.mark.parametrize("name", ["HiSeqV2.gz", "RPPA.gz", "miRNA_HiSeq_gene.gz"])
def test_the_real_hub_has_the_files(name: str) -> None:
    with Client(tcga.XENA, MemoryLog()) as real:
        assert real.bytes(f"TCGA.ACC.sampleMap%2F{name}").startswith(b"\x1f\x8b")


@pytest.mark.live
def test_the_real_gdc_finds_a_tumours_messages() -> None:
    with Client(tcga.GDC, MemoryLog()) as real:
        found = tcga.files_of(real, ["C3L-00006"])
        heading = real.text(f"data/{found[0][0]}").split("\n", 2)[1].split("\t")
    assert {"gene_id", "gene_name", "gene_type", "tpm_unstranded"} <= set(heading)
