"""Numbers in words, digits and both; what only looks like one is none."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.language.answers.quantities import find_quantities, parse_number
from alif.language.pack import load_pack

UR, EN, BN = load_pack("ur"), load_pack("en"), load_pack("bn")
HUNDRED = {int(value): names for value, names in UR.numbers.words.items() if value.isdecimal()}


def test_every_number_below_a_hundred_has_its_own_words() -> None:
    assert sorted(HUNDRED) == list(range(100))
    for value, names in HUNDRED.items():
        for name in names:
            assert [amount.value for amount in find_quantities(name, UR)] == [value], name


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("একশ বিশ টাকা", ["120"]),
        ("তিন লক্ষ বিশ হাজার পাঁচশত", ["320500"]),
        ("সাড়ে তিনশ", ["350"]),
        ("দেড়শো", ["150"]),
        ("পৌনে দুই ঘণ্টা", ["7/4"]),
        ("দুই-তৃতীয়াংশ", ["2/3"]),
        ("১,২৫,০০০ আর নয়টি", ["125000", "9"]),
        ("শহর", []),
        ("দশম", []),
    ],
)
def test_a_number_and_its_hundred_in_one_word(text: str, values: list[str]) -> None:
    assert [amount.value for amount in find_quantities(text, BN)] == [Fraction(value) for value in values]


def test_every_number_below_a_hundred_has_its_own_words_in_every_pack_with_words() -> None:
    for pack in (BN, load_pack("sd")):
        words = {int(value): names for value, names in pack.numbers.words.items() if value.isdecimal()}
        assert sorted(words)[:100] == list(range(100))
        for value, names in words.items():
            for name in names:
                assert [amount.value for amount in find_quantities(name, pack)] == [value], name


@given(st.integers(0, 10**12 - 1))
def test_any_number_can_be_said(value: int) -> None:
    said, rest = [], value
    for scale in (10**11, 10**9, 10**7, 10**5, 10**3, 100):
        if rest >= scale:
            said += [HUNDRED[rest // scale][-1], UR.numbers.scales[str(scale)][0]]
            rest %= scale
    said += [HUNDRED[rest][0]] if rest or not said else []
    assert [amount.value for amount in find_quantities(" ".join(said), UR)] == [value]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ساڑھے تین سو", ["350"]),
        ("سوا لاکھ", ["125000"]),
        ("پونے دو", ["7/4"]),
        ("آپ کے سوا کوئی نہیں", []),
        ("چار پانچ دن", ["4", "5"]),
        ("5-7 دن", ["5", "7"]),
        ("دو تہائی", ["2/3"]),
        ("تین بٹا چار", ["3/4"]),
        ("صفر اعشاریہ صفر پانچ", ["1/20"]),
        ("2½", ["5/2"]),
        ("3/0", ["3"]),
        ("پانچ سو کروڑ", ["5000000000"]),
        ("۳ لاکھ ۵۰ ہزار", ["350000"]),
        ("سوا", []),
        ("ساڑھے", []),
        ("", []),
    ],
)
def test_amounts(text: str, values: list[str]) -> None:
    assert [str(amount.value) for amount in find_quantities(text, UR)] == values


def test_percent_and_unit_stand_beside() -> None:
    (amount,) = find_quantities("کل Rs. 500 ہیں", UR)
    assert (amount.unit, amount.percent, amount.value) == ("rupee", False, 500)
    (amount,) = find_quantities("پچیس فی صد", UR)
    assert (amount.percent, amount.value) == (True, Fraction(25))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("تین دوستوں نے 420 روپے دیے، یعنی چار سو بیس", "420"),
        ("یہ بہتر ہے کہ پانچ لیں", "5"),
        ("اسی طرح", "80"),
        ("ہوا چلی", None),
    ],
)
def test_the_last_number_prefers_what_can_be_nothing_else(text: str, value: str | None) -> None:
    found = parse_number(text, UR)
    assert (None if found is None else str(found)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-five", 25),
        ("one hundred and five", 105),
        ("two million three hundred thousand", 2300000),
        ("three quarters", 0.75),
    ],
)
def test_tens_and_ones_in_two_words(text: str, value: float) -> None:
    assert [float(amount.value) for amount in find_quantities(text, EN)] == [value]


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    for amount in find_quantities(text, UR):
        assert 0 <= amount.whole_start <= amount.start < amount.end <= amount.whole_end <= len(text)
