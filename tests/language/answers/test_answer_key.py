"""Which answers the key of a question accepts: forms, sentences, alternatives, what is refused."""

from __future__ import annotations

import pytest

from alif.language.answers.answer_key import AnswerKey
from alif.language.pack import Pack, load_pack

LIGHT = AnswerKey(accept=("8 منٹ", "8 منٹ 20 سیکنڈ"))
CHOICE = AnswerKey(accept=("(ج) ثنا",))
CAPITAL = AnswerKey(accept=("اسلام آباد",), refuse=("کراچی", "لاہور"))
RESOLUTION = AnswerKey(accept=("1940", "23 مارچ 1940"), refuse=("1947 میں منظور ہوئی",))
NOVEL = AnswerKey(accept=("آپ بیتی", "خود نوشت"))
MOOD = AnswerKey(accept=("ملا جلا",), refuse=("مثبت", "منفی"))


@pytest.fixture(scope="module")
def urdu() -> Pack:
    return load_pack("ur")


@pytest.mark.parametrize(
    ("key", "answer", "right"),
    [
        (LIGHT, "آٹھ منٹ", True),
        (LIGHT, "سورج کی روشنی 8 منٹ 20 سیکنڈ میں پہنچتی ہے، فاصلہ 15 کروڑ کلومیٹر ہے۔", True),
        (LIGHT, "اچھا سوال ہے! روشنی 8 منٹ لیتی ہے۔ سورج 15 کروڑ کلومیٹر دور ہے۔", True),
        (LIGHT, "خالی 600 کلومیٹر میں آٹھ منٹ", True),
        (LIGHT, "8 سیکنڈ", False),
        (RESOLUTION, "23 مارچ 1940 کو منظور ہوئی اور سات سال بعد 1947 میں ملک بنا۔", True),
        (RESOLUTION, "14 اگست 1947 کو، نہ کہ 1930 میں", False),
        (CHOICE, "ج", True),
        (CHOICE, "سب سے چھوٹی ثنا ہے۔", True),
        (CHOICE, "(الف) زینب", False),
        (CAPITAL, "اسلام آباد، جو 1960 کی دہائی میں بسایا گیا۔", True),
        (CAPITAL, "اسلام آباد، کیونکہ کراچی سمندر پر ہے", True),
        (CAPITAL, "کراچی نہیں بلکہ اسلام آباد", True),
        (CAPITAL, "اسلام آباد اور کراچی", False),
        (CAPITAL, "کراچی", False),
        (CAPITAL, "", False),
        (NOVEL, "ایسی کتاب کو آپ بیتی یا خود نوشت کہتے ہیں۔", True),
        (NOVEL, "آپ بیتی یا سفرنامہ", False),
        (NOVEL, "شاید", False),
        (MOOD, "ملا جلا۔ ایک بات مثبت ہے، دوسری منفی۔", True),
        (MOOD, "منفی۔ اسے ملا جلا بھی کہہ سکتے ہیں۔", False),
    ],
)
def test_an_answer_says_an_accepted_form_and_no_refused_one(
    key: AnswerKey, answer: str, right: bool, urdu: Pack
) -> None:
    assert key.is_accepted(answer, urdu) == right


def test_the_keys_of_a_row_are_lists_of_texts() -> None:
    assert AnswerKey.of_row({"accept": ["8"], "output": "8", "tier": "hard"}) == AnswerKey(accept=("8",))
    assert AnswerKey.of_row({"rubric": None}) == AnswerKey()
    with pytest.raises(ValueError, match="accept"):
        AnswerKey.of_row({"accept": "8"})
