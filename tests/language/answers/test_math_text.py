"""A sum is in one set of signs, however it is written, and every character keeps its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.language.answers.math_text import OF, UNIT, UNKNOWN, plain_math
from alif.language.pack import load_pack

UR = load_pack("ur")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("۳۵ × ۱۲ = ۴۲۰", "35 × 12 = 420"),
        ("5 − ۳ = 2", "5 - 3 = 2"),
        ("1. 5 + 3 = 8", "5 + 3 = 8"),
        ("(1) 5 + 3 = 8", "5 + 3 = 8"),
        ("- 5 + 3 = 8", "5 + 3 = 8"),
        ("-5 + 3 = -2", "-5 + 3 = -2"),
        ("**5 + 3 = 8**", "5 + 3 = 8"),
        (r"5 \times 3 + 1 = 16", "5 × 3 + 1 = 16"),
        (r"$12 \div 4 = 3$", "12 ÷ 4 = 3"),
        (r"\(\frac{12}{4} + 2^{3} = 11\)", "(12/4) + 2^3 = 11"),
        (r"20\% \times 500 = 100", "20% × 500 = 100"),
        ("500 کا 20 فیصد", f"500 {OF} 20 %"),
        ("5 ہزار", f"5 {UNKNOWN}"),
        ("ساڑھے 5 × 2", f"{UNKNOWN} 5 × 2"),
        ("1 اور 2/5", f"1 {UNKNOWN} 2/5"),
        ("5m + 3", "5m + 3"),  # a letter, not metres
    ],
)
def test_signs_and_words_are_plain_signs(text: str, expected: str) -> None:
    found = plain_math(text, UR)
    assert found.replace(" ", "") == expected.replace(" ", "")
    assert len(found) == len(text)


def test_a_unit_is_one_private_character_however_it_is_written() -> None:
    rupees = {plain_math(text, UR).strip()[-1] for text in ("5 روپے", r"$5 \text{ روپے}$")}
    assert len(rupees) == 1
    first, last = UNIT.encode().decode("unicode_escape").split("-")
    assert first <= rupees.pop() <= last


@given(
    st.text("0123456789۴ +-×÷=/:.,%()xب^²$\\{}*_\ue000\n")
    | st.sampled_from([r"\frac{1}{2}", r"\text{ روپے}", "5 ہزار روپے کا 20 فیصد"])
)
def test_every_character_keeps_its_place(text: str) -> None:
    assert len(plain_math(text, UR)) == len(text)
