"""Cleaning, folding and cutting of text, by the packs' tables."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alif.language import normalisation
from alif.language.pack import load_pack
from alif.language.text import (
    final_answer,
    find_phrase,
    fold_text,
    normalise_text,
    split_sentences,
    split_words,
)

UR, EN = load_pack("ur"), load_pack("en")

urdu_like = st.text(
    st.sampled_from("ابپیيىئکكہهھۂۀۃةوؤأإٱآءۓے")
    | st.sampled_from("\u064e\u0651\u0653\u0654\u0655\u0670\u200c\u200d\u200e ـﷺﮨﯾﻳﻼ۴٤4")
)
any_text = urdu_like | st.text()


@given(any_text)
@settings(max_examples=500)
@example("\u0390 ŉ ǰ ᾳ ﬃ İ ß")
@example("ٱ\u0654 ی\u064e\u0654 ه\u0654 أ\u0653")
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = fold_text(text, UR)
    assert fold_text(folded, UR) == folded


@given(any_text)
@settings(max_examples=300)
@example("\x1b\x1b[31m[31m")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    clean = normalise_text(text, UR)
    assert normalise_text(clean, UR) == clean
    assert unicodedata.is_normalized("NFC", clean)


@given(any_text)
def test_cleaned_text_counts_as_the_same_words(text: str) -> None:
    assert split_words(normalise_text(text, UR), UR) == split_words(text, UR)


def test_what_cleaning_looks_for_is_all_that_unicode_calls_so() -> None:
    odd = regex.compile(rf"{normalisation._REMOVED.pattern}|[\p{{Cs}}\p{{Z}}--[ ]]", regex.V1)
    every = [chr(code) for code in range(0x110000)]
    assert [char for char in every if normalisation._ODD.search(char)] == [
        char for char in every if odd.search(char)
    ]


def test_cleaning_exchanges_no_letter() -> None:
    written = "كتاب يہ هے، کتاب ہے۔ ٹھیک‌ٹھاک؛ مَیں ۴۲ ٤٢ ﷺ ۝ سنہ؁ ـ"
    assert normalise_text(written, UR) == written


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("الف\r\nب\rج\u2028د", "الف\nب\nج\nد"),
        ("ایک\u200eدو", "ایک دو"),
        ("\u200fہے۔\u200f", "ہے۔"),
        ("\u202bہے\u202c", "ہے"),
        ("ہ\x00ے\x07\x0c", "ہے"),
        ("ت\x1b[31mخت", "تخت"),
        ("\ufeffاردو\u00a0زبان", "اردو زبان"),
        ("\ufba8\ufbaf", "ہے"),
        ("\ufefb", "لا"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_cleaning(raw: str, clean: str) -> None:
    assert normalise_text(raw, UR) == clean


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("كتابيں", "کتابیں"),
        ("ہوئی", "ہوي\u0654ی"),
        ("ہوئی", "ہوی\u0654ی"),
        ("مَیں نے کِیا", "میں نے کیا"),
        ("سورۀ", "سورۂ"),
        ("مدرسة", "مدرسۃ"),
        ("جرأت", "جرات"),
        ("شانـــدار", "شاندار"),
        ("ٹھیک‌ٹھاک", "ٹھیک ٹھاک"),
        ("۴۲ ٤٢", "42 42"),
        ("سال ۳٫۵", "سال 3.5"),
        ("WhatsApp", "whatsapp"),
        ("don\u2019t", "don't"),
        ("محمدؐ", "محمد"),
    ],
)
def test_what_counts_as_the_same(left: str, right: str) -> None:
    assert split_words(left, UR) == split_words(right, UR)


@pytest.mark.parametrize(
    ("left", "right"),
    [("آم", "ام"), ("گئے", "گیے"), ("بھائی", "بہائی"), ("کل", "گل"), ("ہوا", "ہؤا"), ("ں", "ن"), ("ے", "ی")],
)
def test_what_is_another_word(left: str, right: str) -> None:
    assert split_words(left, UR) != split_words(right, UR)


def test_words_keep_every_script_and_drop_every_mark() -> None:
    assert split_words("«Wi-Fi» کی رفتار، ۱۰۰ Mbps؟ don't!", UR) == [
        "wi",
        "fi",
        "کی",
        "رفتار",
        "100",
        "mbps",
        "don't",
    ]
    assert split_words("'پانی'، 'گیس'", UR) == ["پانی", "گیس"]
    assert split_words("हिन्दी বাংলা", UR) == ["हिन्दी", "বাংলা"]
    assert split_words("۔ ، ؟ 😀", UR) == []


def test_the_known_language_has_no_folds_of_the_other() -> None:
    assert split_words("ي ی", EN) == ["ي", "ی"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("وہ آیا۔ کب؟ «ابھی!» کہا", ["وہ آیا۔", "کب؟", "«ابھی!»", "کہا"]),
        ("قیمت 3.5 روپے ہے۔\nایم۔اے کیا", ["قیمت 3.5 روپے ہے۔", "ایم۔اے کیا"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert split_sentences(text, UR) == expected


@given(any_text)
def test_sentences_lose_only_spaces(text: str) -> None:
    assert "".join("".join(split_sentences(text, UR)).split()) == "".join(text.split())


def test_phrases_are_found_as_whole_words_in_any_spelling() -> None:
    assert find_phrase("معذرت، میں ایک زبان كا ماڈل ہوں۔", UR.phrases.refusals, UR) == "زبان کا ماڈل ہوں"
    assert (
        find_phrase("I\u2019m sorry, but I can\u2019t do that.", UR.phrases.declines, UR)
        == "i'm sorry but i can't"
    )
    assert find_phrase("زبان کا ماڈل ہونا", UR.phrases.refusals, UR) is None


@pytest.mark.parametrize(
    ("task", "answer", "expected"),
    [
        ("reasoning", "استدلال:\n35 × 12 = 420\nجواب: 420 روپے", "420 روپے"),
        ("reasoning", "**استدلال:** سادہ\n**جواب:** 420", "420"),
        ("reasoning", "جواب: 3\nپھر غور کریں\nجواب：\n4 دن", "4 دن"),
        ("reasoning", "420", "420"),
        ("classification", "زمرہ: کھیل\nوجہ: میچ کا ذکر ہے", "کھیل"),
        ("classification", "کھیل\nوجہ: میچ: کرکٹ", "کھیل"),
        ("sentiment", "جذبات: ملا جلا\nوجہ: دونوں", "ملا جلا"),
        ("qa", "نام: علی\nجواب: کچھ", "نام: علی\nجواب: کچھ"),
    ],
)
def test_the_final_answer(task: str, answer: str, expected: str) -> None:
    assert final_answer(answer, UR.tasks[task], UR) == expected


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bidi_controls", "presentation_forms", "nul_and_controls"])
def test_damaged_text_is_repaired_exactly(name: str, shared_data: Path) -> None:
    messy = (shared_data / "messy_dev" / f"{name}.txt").read_bytes().decode()
    assert (
        normalise_text(messy, UR)
        == (shared_data / "messy_dev" / "gold" / f"{name}_txt.txt").read_bytes().decode()
    )
