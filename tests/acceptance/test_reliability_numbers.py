"""Fault H4 of the reliability review: a number of more than 4,300 digits in a reply stopped the run for ever.

One test for each input that the review lists, and for neighbours: numbers that grow while they are computed.
"""

from __future__ import annotations

import pytest

from alif.language import pack as packs
from alif.language.answers.arithmetic import check_equations
from alif.language.answers.match import compare_answers, is_same_number
from alif.language.answers.quantities import find_quantities

LONG = "1" + "0" * 5_000


@pytest.mark.parametrize(
    "text",
    [
        f"10 / 3 = 3.{'3' * 5_000}",
        f"5 + 5 = {LONG}",
        f"5 + 5 = {'۳' * 5_000}",
        f"{LONG} کا 20% = 4",
        f"{LONG}/{LONG} = 1",
        f"{'1,000,' * 2_000}000 + 1 = 2",
        f"2 ^ {'9' * 5_000} = 3",
        f"2{'³' * 5_000} = 3",
        f"{'(' * 6}9{'^20)' * 6} = 3",
        f"{'(' * 5_000}9{')' * 5_000} = 9",
        f"{' × '.join(['9' * 99] * 400)} = 5",
        f"3 اعشاریہ {' '.join(['9' * 90] * 100)}",
    ],
    ids=range(12),
)
def test_reliability_h4_an_endless_number_is_no_number_and_the_sums_beside_it_are_checked(text: str) -> None:
    own = packs.load_pack("ur")
    assert check_equations(f"{text}\n5 + 5 = 11", own) == [("5 + 5 = 11", False)]
    assert all(abs(found.value) < 10**200 for found in find_quantities(text, own))
    assert not is_same_number(text, "77", own)
    assert not compare_answers(text, "77", own).equal
