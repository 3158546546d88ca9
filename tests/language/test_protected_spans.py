"""What a translation must keep is found in every language, whatever its marks."""

from __future__ import annotations

import pytest

from alif import store
from alif.language import protected_spans as spans_module
from alif.language.pack import load_pack
from alif.language.protected_spans import (
    find_lost_signs,
    find_lost_spans,
    prose_of,
    protected_numbers,
    protected_spans,
    without_protected,
)

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


def test_code_has_no_prose() -> None:
    for text in (
        "def f(x):\n    return x",
        "<p>Hello</p>",
        "$x^2$",
        "`ls`",
        "https://example.org",
        "42",
        "x = 3",
    ):
        assert not prose_of(text), text
    for text in ("Run `ls`.", "def f(x):\n    return x\nIt returns x.", "سادہ جملہ", "The result = 10."):
        assert prose_of(text), text


def test_a_lost_span_is_named_and_a_code_line_may_end_a_sentence() -> None:
    assert find_lost_spans("Solve 3x + 2 = 5.", "3x + 2 = 5 حل کریں۔") == []
    assert find_lost_spans("x^2 + 1 = 5.", "x^2 + 1 = 5۔") == []
    assert find_lost_spans("a %s b <b>c</b> 🎉", "a b <b>c</b>") == ["%s", "🎉"]
    assert find_lost_spans("The a_b import is one", "from a_b import C ایک") == []


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("It was -5.5 and 20%.", "منفی ۵٫۵ اور ۲۰ فیصد", []),
        ("It was -5.5 and 20%.", "-5.5 اور ۲۰٪", []),
        ("It was -5.5 and 20%.", "5.5 اور 20", ["-5.5", "20%"]),
        ("Pages 5-10, 2020 - 2021", "صفحات 5 سے 10، 2020 تا 2021", []),
        ("from 20% to 30%", "20 سے 30 فیصد", []),
        ("Longitude: -122.1", "طول بلد -122.1", []),
    ],
)
def test_signs_of_numbers_stay(before: str, after: str, lost: list[str]) -> None:
    assert find_lost_signs(before, after, EN, UR) == lost


def test_a_text_that_is_told_at_once_to_hold_no_span_holds_none() -> None:
    texts = [
        str(value)
        for code in ("ur", "sd", "bn", "sw")
        for path in sorted(load_pack(code).folder.rglob("*.jsonl"))
        for _, row in store.read_rows(path)
        for value in row.values()
    ]
    told = [text for text in texts if not spans_module._MAY_HOLD.search(text)]
    assert len(told) > 3000
    assert not [text for text in told if spans_module._PROTECTED.search(text)]
