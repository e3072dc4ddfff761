"""Names are found however they are typed, and never taken for another."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from followdata.errors import UnknownName
from followdata.names import NameIndex, fold

TOWNS = NameIndex("town", ["Umeå", "Malung-Sälen", "Håbo", "Habo", "Upplands Väsby", "Lund"])
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
indexes = st.lists(words, unique=True, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Umeå", "Umeå"),
        ("UMEÅ", "Umeå"),
        ("umea", "Umeå"),
        ("Umea\u030a", "Umeå"),
        ("  upplands   vasby ", "Upplands Väsby"),
        ("MALUNG-SALEN", "Malung-Sälen"),
        # Two towns that accents alone tell apart: then accents count, and case still does not.
        ("håbo", "Håbo"),
        ("HABO", "Habo"),
        ("ha\u030abo", "Håbo"),
    ],
)
def test_case_accents_and_space_matter_only_where_they_must(typed: str, meant: str) -> None:
    assert TOWNS.find(typed) == meant


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Tromsø", "tromso"),
        ("Łódź", "lodz"),
        ("Diyarbakır", "DIYARBAKIR"),
        ("İzmir", "izmir"),
        ("Weißenfels", "WEISSENFELS"),
        ("Ærø", "aero"),
        ("Ålesund™", "alesundtm"),
        ("Θεσσαλονίκη", "ΘΕΣΣΑΛΟΝΙΚΗ"),
    ],
)
def test_letters_of_other_languages(name: str, typed: str) -> None:
    assert NameIndex("town", [name, "Lund"]).find(typed) == name


def test_titles_and_identifiers_are_names_too() -> None:
    index = NameIndex("indicator", ["N1", "N2", "N3"], ["Ålder", "Höjd", "höjd"], ["1", "2", "3"])
    assert index.find("alder") == "N1"
    assert index.find("3") == "N3"
    assert index.title("N2") == "Höjd"
    with pytest.raises(UnknownName) as error:
        index.find("hojd")
    assert error.value.nearest == ("N2", "N3")


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        TOWNS.find("Uppland Vasby")
    assert error.value.nearest[0] == "Upplands Väsby"
    assert str(error.value).startswith(
        "There is no town called “Uppland Vasby”. Did you mean “Upplands Väsby”"
    )
    assert TOWNS.nearest("xyzzyq") == []
    assert NameIndex("town", []).nearest("Lund") == []
    assert len(NameIndex("n", [f"name {i}" for i in range(9)]).nearest("name", limit=4)) == 4


def test_a_position_is_that_of_the_exact_name() -> None:
    assert TOWNS.position("Lund") == 5
    with pytest.raises(UnknownName, match="Lund"):
        TOWNS.position("lund")


def test_completion_puts_what_begins_so_first() -> None:
    assert TOWNS.complete("a") == ["Umeå", "Malung-Sälen", "Håbo", "Habo", "Upplands Väsby"]
    assert TOWNS.complete("HA") == ["Håbo", "Habo"]
    assert TOWNS.complete("u") == ["Umeå", "Upplands Väsby", "Malung-Sälen", "Lund"]
    assert TOWNS.complete("", limit=2) == ["Umeå", "Malung-Sälen"]
    assert TOWNS.complete("u", limit=1) == ["Umeå"]


@given(indexes)
def test_each_name_finds_itself(names: list[str]) -> None:
    index = NameIndex("name", names)
    assert [index.find(name) for name in names] == names
    assert [index.position(name) for name in names] == list(range(len(names)))


def without_accents(name: str) -> str:
    # The iota subscript counts as an accent, but its upper case is a letter.
    letters = unicodedata.normalize("NFD", name)
    return "".join(c for c in letters if not unicodedata.combining(c) or c == "\u0345")


@given(indexes)
@example(["ʼn", "™"])
@example(["ı", "K"])
@example(["\u0345", "ᾳ"])
def test_a_name_is_found_in_any_case_and_any_normal_form(names: list[str]) -> None:
    index = NameIndex("name", names)
    keys = [fold(name) for name in names]
    for name, key in zip(names, keys, strict=True):
        if not key or keys.count(key) > 1:
            continue
        spellings = {name.upper(), name.lower(), name.title(), name.swapcase(), f" {name}\t"}
        spellings |= {unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC", "NFKD")}
        for typed in {*spellings, without_accents(name)} - set(names):
            assert index.find(typed) == name


@given(indexes, words)
def test_what_is_found_folds_as_what_was_typed_and_what_is_not_says_why(
    names: list[str], typed: str
) -> None:
    said, offered = "", [typed]
    try:
        found = NameIndex("name", names).find(typed)
    except UnknownName as error:
        said, offered = str(error), list(error.nearest)
    if said:
        assert set(offered) <= set(names)
        assert "\n" not in said
    else:
        assert found == typed or fold(found) == fold(typed)


@given(indexes, words)
def test_completions_hold_what_was_typed(names: list[str], begun: str) -> None:
    found = NameIndex("name", names).complete(begun)
    assert len(found) == len(set(found))
    assert all(fold(begun) in fold(name) for name in found)
    starts = [fold(name).startswith(fold(begun)) for name in found]
    assert starts == sorted(starts, reverse=True)


@given(indexes)
def test_a_name_can_be_completed_from_each_of_its_beginnings(names: list[str]) -> None:
    index = NameIndex("name", names)
    for name in names:
        assume(fold(name))
        for length in range(len(fold(name))):
            assert name in index.complete(fold(name)[: length + 1])


def test_every_character_folds_alike_in_every_case() -> None:
    for one in map(chr, range(sys.maxunicode + 1)):
        cases = {one.upper(), one.lower(), one.casefold()}
        if cases == {one} and not unicodedata.decomposition(one):
            continue
        folded = fold(one)
        assert fold(folded) == folded
        assert {fold(case) for case in cases} == {folded}, hex(ord(one))
