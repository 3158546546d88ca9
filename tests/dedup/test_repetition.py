"""Loops of every kind are found by one rule; laughter, refrains, tables and leaders are not loops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.dedup.repetition import find_loop, find_repetition
from alif.language.pack import load_pack

UR = load_pack("ur")
DUA = """لب پہ آتی ہے دعا بن کے تمنا میری
زندگی شمع کی صورت ہو خدایا میری
دور دنیا کا مرے دم سے اندھیرا ہو جائے
ہر جگہ میرے چمکنے سے اجالا ہو جائے
ہو مرے دم سے یونہی میرے وطن کی زینت
جس طرح پھول سے ہوتی ہے چمن کی زینت"""
"""Iqbal, A child's prayer: each couplet ends in the same words."""


@pytest.mark.parametrize(
    "value",
    [
        "آج موسم بہت اچھا ہے " + "ہے" * 60,
        "آج موسم بہت اچھا ہے " + "ہے" * 60 + " اور پھر سب گھر چلے گئے۔",
        "ہا" * 30,
        "یہ " * 10,
        "یہ\n" * 12,
        "ہاں، " * 12,
        "بہت اچھا " * 8,
        "میں نے کہا کہ ہم چلے " + "ہم چلے " * 6,
        "یہ بات درست ہے" + "۔" * 60,
        "یہ بات درست ہے " + "۔ " * 40,
        "کیا بات ہے" + "؟" * 30,
        "یہ بات درست ہے" + "." * 60,
        "- " * 200,
        "اور پھر وہ گھر گیا " * 12,
        "no" * 40,
    ],
)
def test_these_are_loops(value: str) -> None:
    assert find_repetition(value, UR, 0.5)


@pytest.mark.parametrize(
    "value",
    [
        "ہا ہا",
        "ہاہاہا، کیا بات ہے!",
        "ٹک ٹک ٹک ٹک ٹک ٹک، گھڑی چلتی رہی۔",
        "باب اول ........................ 5\nباب دوم ........................ 19",
        "نام: ........................................",
        "دستخط: ______________________________",
        "| شہر | بارش |\n|-----|-----|\n| لاہور | نہیں |\n| کراچی | نہیں |\n| پشاور | نہیں |",
        "| نہیں | نہیں | نہیں | نہیں | نہیں | نہیں | نہیں | نہیں | نہیں |",
        "1" + "0" * 40,
        "کیا؟؟؟ واقعی!!!",
        DUA,
        "1. آم میٹھا پھل ہے\n2. سیب سرخ ہوتا ہے\n3. کیلا پیلا ہوتا ہے\n4. انگور چھوٹا ہوتا ہے",
        "",
    ],
)
def test_these_are_none(value: str) -> None:
    assert find_repetition(value, UR, 0.5) == ""


@given(st.text("ابپتٹ", max_size=60))
def test_a_loop_is_three_times_the_same(letters: str) -> None:
    size = find_loop(letters)
    assert 0 <= size <= len(letters)
    if size:
        end = letters[len(letters) - size :]
        assert any(end[period:] == end[:-period] for period in range(1, size // 3 + 1))
    assert find_loop(letters + "xyz" * 4) == 12
