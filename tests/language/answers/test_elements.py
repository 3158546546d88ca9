"""A text becomes numbers and the words between them."""

from __future__ import annotations

from alif.language.answers.elements import Elements
from alif.language.pack import load_pack


def test_words_and_numbers_keep_their_order() -> None:
    elements = Elements("کل Rs.500 فی گھنٹہ", load_pack("ur"))
    assert [elements.word(place) for place in range(5)] == ["کل", "", "فی", "گھنٹہ", ""]
    found = elements.number(1)
    assert found is not None
    assert (int(found.value), found.unit) == (500, "rupee")
    assert elements.phrase(2, ("فی",)) == 1
    assert elements.phrase(3, ("فی گھنٹہ",), back=True) == 2
    assert elements.unit(3) == "hour"


def test_a_word_that_also_denies_is_a_number_only_alone() -> None:
    bengali = load_pack("bn")
    assert [Elements(text, bengali).number(0) is None for text in ("নয়", "নয় ৫")] == [False, True]
