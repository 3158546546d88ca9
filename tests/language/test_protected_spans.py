"""What a translation must keep is found in every language, whatever its marks."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.protected_spans import protected_numbers, protected_spans, without_protected

UR, EN = load_pack("ur"), load_pack("en")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("دیکھیے https://example.org/a?b=1، پھر بتائیے", {"https://example.org/a?b=1": 1}),
        ("See www.example.org.", {"www.example.org": 1}),
        ("Write to a.b@example.org or a.b@example.org", {"a.b@example.org": 2}),
        ("`print(x)` اور main.py", {"`print(x)`": 1, "main.py": 1}),
        ("call get_name() with maxItems and {user}", {"get_name": 1, "maxItems": 1, "{user}": 1}),
        ("سادہ جملہ", {}),
    ],
)
def test_code_and_addresses_are_spans(text: str, spans: dict[str, int]) -> None:
    assert protected_spans(text) == spans


def test_numbers_are_the_same_in_every_digit_system() -> None:
    assert protected_numbers("1,200 rupees in 3 days", EN) == protected_numbers("۳ دن میں ۱٬۲۰۰ روپے", UR)
    assert protected_numbers("see `x = 42` and 7", EN) == {"7": 1}


def test_a_span_leaves_a_space() -> None:
    assert without_protected("a `b` c") == "a   c"
