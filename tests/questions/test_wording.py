"""Numbers and places in sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followdata.questions import wording


def said(text: str) -> str:
    """The text with plain spaces."""
    return text.replace(wording.FIXED, " ").replace(wording.THIN, " ")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0], ["0"]),
        ([12.0], ["12"]),
        ([12.3456], ["12.3"]),
        ([0.04567], ["0.0457"]),
        ([-1234567.8], ["−1 234 568"]),
        ([7.0, 7.25], ["7.00", "7.25"]),
        ([7.5, 8.5], ["7.5", "8.5"]),
        ([6.84, 0.0], ["6.84", "0"]),
        ([1000.4, 1000.2], ["1 000.4", "1 000.2"]),
        ([5000.0, 0.25], ["5 000.0", "0.2"]),
        ([3.0, 3.0], ["3", "3"]),
    ],
)
def test_numbers(values: list[float], texts: list[str]) -> None:
    assert [said(text) for text in wording.numbers(values)] == texts


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=3))
def test_numbers_read_as_what_they_are(values: list[float]) -> None:
    for value, text in zip(values, wording.numbers(values, "kr"), strict=True):
        assert text.endswith(f"{wording.FIXED}kr")
        number = float(said(text).removesuffix(" kr").replace("−", "-").replace(" ", ""))
        # Three figures of the largest count, and nothing is further off than half a thousandth.
        assert abs(number - value) <= 0.005 * max(abs(value) for value in values) + 1e-6


@given(st.integers(1, 12), st.data())
def test_a_place_is_one_of_those_that_equal_values_take(n: int, data: st.DataObject) -> None:
    sharing = data.draw(st.integers(1, n))
    first = data.draw(st.integers(1, n - sharing + 1))
    rank = first + (sharing - 1) / 2
    text = said(wording.place(rank, n, "towns", sharing))
    last_from_bottom = n - (first + sharing - 1) + 1
    ends = {
        "highest" if first == 1 else f"{wording.ordinal(first)} highest",
        "lowest" if last_from_bottom == 1 else f"{wording.ordinal(last_from_bottom)} lowest",
        f"rank {first}",
    }
    assert text.removesuffix(f", shared by {sharing}").removesuffix(f" of {n} towns") in ends


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_nothing_or_all(part: float) -> None:
    text = said(wording.share(part))
    assert (text == "0 %") == (part == 0)
    assert (text == "100 %") == (part == 1)
