"""Right-to-left text on a screen: the pieces that keep their own order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.language.bidi import isolate as isolated
from alif.language.bidi import split_runs, text_direction


def alone(text: str) -> list[str]:
    return [piece for piece, isolate in split_runs(text) if isolate]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("لہٰذا 1350 - 130 = 1220، یعنی 1,220 روپے", ["1350 - 130 = 1220", "1,220"]),
        ("10% رعایت (-5 سے 18-25) تک", ["10%", "-5", "18-25"]),
        ("گنتی 1, 2, 3 اور ۱۲ - ۵ = ۷ ہے", ["1", "2", "3", "۱۲ - ۵ = ۷"]),
        ("C++ اور <b>موٹا</b> print() یہ", ["C++", "<b>", "</b> print()"]),
        ("(GPT-4o) کہاں؟ https://a.b/c?d=1 پر۔", ["GPT-4o", "https://a.b/c?d=1"]),
        ("تاریخ 2024-05-01 کو x = (3 + 4) ہے", ["2024-05-01", "x = (3 + 4)"]),
        ("لاہور میں 3 کتابیں ہیں۔", ["3"]),
        ("لاہور میں کتابیں ہیں۔", []),
        ("", []),
    ],
)
def test_runs_that_keep_their_order(text: str, runs: list[str]) -> None:
    assert alone(text) == runs


@given(st.text(alphabet="کتاب 12-+=%().,<>/ab؟۔\u2067\u2069"))
def test_nothing_is_lost_or_moved(text: str) -> None:
    assert "".join(piece for piece, _ in split_runs(text)) == text


@given(st.text(alphabet="کتاب 12-+=%()ab\u2066\u2067\u2069\u202b"))
def test_every_isolate_is_closed(text: str) -> None:
    line = isolated(text, "rtl")
    assert line.count("\u2066") + line.count("\u2067") == line.count("\u2069")
    assert "\u202b" not in line


def test_the_first_letter_does_not_decide() -> None:
    assert text_direction("Python ایک مشہور زبان ہے۔", "ltr") == "rtl"
    assert text_direction("The word کتاب means book.", "rtl") == "ltr"
    assert text_direction("3 + 4 = 7", "rtl") == "rtl"
    assert text_direction("3 + 4 = 7", "ltr") == "ltr"
