"""Letters from counting: nothing is known of a language but Unicode's properties."""

from __future__ import annotations

from collections import Counter

import pytest

from alif.language import letter_inventory


@pytest.mark.parametrize(
    ("words", "name", "way"),
    [
        ("کتاب قلم کاغذ book", "Arabic", "rtl"),
        ("বই কলম কাগজ", "Bengali", "ltr"),
        ("ሀገር ስም ምርጫ", "Ethiopic", "ltr"),
        ("𞤌𞤢𞤤𞤦𞤥𞤰 𞤨𞤰 𞤵𞤰", "Adlam", "rtl"),
        ("gona yaro ƙarami", "Latin", "ltr"),
    ],
)
def test_script_and_direction_of_most_letters(words: str, name: str, way: str) -> None:
    assert letter_inventory.dominant_script(Counter(words.split()))[0] == name
    assert letter_inventory.script_direction(Counter(words)) == way


def test_a_letter_of_two_words_is_left_out_and_told() -> None:
    words = Counter({"yaro": 50, "ƙarami": 40, "Yaoundé": 2})
    found, fewest, rare = letter_inventory.frequent_letters(words, "Latin")
    assert {"Ƙ", "ƙ", "Y", "y"} <= set(found)
    assert "é" not in found
    assert fewest == 3
    assert ("é", 2, "Yaoundé") in rare


def test_letters_that_are_exchanged_are_found_with_the_usual_word() -> None:
    words = Counter({"ایک": 90, "ميں": 4, "میں": 80, "ليے": 3, "لیے": 70})
    assert ("ي", "ی", 7, "ميں", "میں") in letter_inventory.lookalike_letters(
        words, "".join(sorted(set("ایکمیںلیے")))
    )


def test_a_strange_letter_is_told_with_what_it_stands_for() -> None:
    words = Counter({"наука": 50, "нaука": 3, "pure": 9})  # the second holds a Latin a
    assert letter_inventory.out_of_inventory(words, "Cyrillic") == [("a", "а", 3, "нaука")]
