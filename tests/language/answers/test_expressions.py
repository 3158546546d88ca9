"""One side of an equation is parsed, or rejected where it can be read in two ways."""

from __future__ import annotations

from fractions import Fraction

import pytest

from alif.language.answers.expressions import math_tokens, parse_expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("35 × 12", 420),
        ("2 + 3 × 4", 14),
        ("(2 + 3) × 4", 20),
        ("-5 + 8", 3),
        ("10²", 100),
        ("1,200 ÷ 4", 300),
        ("12 / 5", Fraction(12, 5)),
        ("20% ∘ 500", 100),
    ],
)
def test_values(text: str, value: Fraction) -> None:
    found = parse_expression(math_tokens(text))
    assert found is not None
    assert found.values[0] == value


def test_a_bare_percentage_has_two_values() -> None:
    found = parse_expression(math_tokens("5%"))
    assert found is not None
    assert (found.values, found.percent, found.decimals) == ((Fraction(1, 20), Fraction(5)), True, 0)


@pytest.mark.parametrize(
    "text", ["", "6 / 1/2", "200 + 10%", "-3²", "10 / 100%", "4 ÷ 0", "2 +", "(2", "2 - - 3", "3 30", "2^21"]
)
def test_what_is_not_certain_is_rejected(text: str) -> None:
    assert parse_expression(math_tokens(text)) is None
