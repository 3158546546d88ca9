"""A choice is named by its order where nothing else is said, or beside a word for choice."""

from __future__ import annotations

import pytest

from alif.language.answers.ordinals import LAST, find_ordinals
from alif.language.pack import load_pack

SECOND_LAST_FIRST_FIFTH = {
    "ur": ("دوسری والی۔", "آخری", "پہلا آپشن ٹھیک ہے کیونکہ باقی غلط ہیں۔", "پانچواں"),
    "en": ("The second option.", "last", "The first one is right, since it is even.", "the fifth"),
    "bn": ("দ্বিতীয়টি", "শেষ বিকল্প", "প্রথম বিকল্পটি ঠিক, কারণ এটি জোড়", "পঞ্চম"),
    "sd": ("ٻيو", "آخري آپشن", "پهريون آپشن صحيح آهي ڇو ته اهو وڏو آهي", "پنجون"),
    "sw": ("la pili", "Chaguo la mwisho", "Chaguo la kwanza ni sahihi kwa sababu ni kubwa", "Jibu la tano"),
}


@pytest.mark.parametrize("code", SECOND_LAST_FIRST_FIFTH)
def test_every_language_names_a_choice_by_its_order(code: str) -> None:
    pack = load_pack(code)
    assert [find_ordinals(answer, pack) for answer in SECOND_LAST_FIRST_FIFTH[code]] == [
        {1},
        {LAST},
        {0},
        {4},
    ]


def test_several_may_be_named() -> None:
    assert find_ordinals("پہلا اور تیسرا", load_pack("ur")) == {0, 2}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ur", "پہلے پانی ابالیں"),  # first, boil the water
        ("ur", "آخری جواب: کوئٹہ"),  # the final answer
        ("en", "First, wash the rice"),
        ("sw", "tatu"),  # three, not the third
        ("ur", ""),
    ],
)
def test_an_ordinal_that_says_something_else_names_none(code: str, text: str) -> None:
    assert find_ordinals(text, load_pack(code)) == set()
