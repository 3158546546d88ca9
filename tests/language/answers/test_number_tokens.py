"""A text is cut into numbers and the words of the pack's tables."""

from __future__ import annotations

from fractions import Fraction

import pytest

from alif.language.answers.number_tokens import normalise_signs, tokenise
from alif.language.pack import load_pack

UR, BN = load_pack("ur"), load_pack("bn")


def test_numbers_and_words_of_the_tables() -> None:
    tokens = tokenise("ساڑھے تین لاکھ روپے", UR)
    assert [token.kind for token in tokens] == ["before", "word", "scale", "unit"]
    assert [token.value for token in tokens[:3]] == [Fraction(1, 2), 3, 100_000]
    assert tokens[3].text == "rupee"


def test_every_token_is_where_it_says() -> None:
    text = "کل ۱٬۲۰۰ روپے، 2½ کلو"
    tokens = tokenise(text, UR)
    assert [text[token.start : token.end] for token in tokens] == ["کل", "۱٬۲۰۰", "روپے", "،", "2½", "کلو"]
    assert [token.value for token in tokens if token.kind == "number"] == [1200, Fraction(5, 2)]


def test_a_number_and_its_scale_in_one_word_are_two_tokens() -> None:
    assert [(token.kind, token.value) for token in tokenise("পাঁচশ", BN)] == [("word", 5), ("scale", 100)]


def test_a_word_that_mostly_means_something_else_is_marked() -> None:
    assert [token.ambiguous for token in tokenise("بہتر تین", UR)] == [True, False]


def test_signs_keep_their_places() -> None:
    text = "۴۲ − ٤٢ ÷ ۱٫۵"
    assert text.translate(normalise_signs(UR)) == "42 - 42 ÷ 1.5"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 × 10^8", "300000000"),
        ("3×10⁸", "300000000"),
        ("6.02e3", "6020"),
        ("1.6×10⁻¹", "0.16"),
        ("10⁻³", "1/1000"),
        ("2^10", "1024"),
        ("-2²", "-4"),
        ("12 × 10", "12"),
        ("H2O", None),  # a molecule
        ("Rs500", "500"),
    ],
)
def test_powers_are_numbers_and_molecules_are_not(text: str, value: str | None) -> None:
    read = [token.value for token in tokenise(text, UR) if token.kind == "number"]
    assert read[:1] == ([Fraction(value)] if value else [])
