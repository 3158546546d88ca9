"""Prose, verse, dialogue and recipes pass; loops, menus, keyword lists, numbers, code and noise do not."""

from __future__ import annotations

import random

import pytest

from alif import store
from alif.data.corpus.quality import find_quality_fault
from alif.language.pack import load_pack, shipped_packs

UR = load_pack("ur")
PROSE = (
    "گندم پاکستان کی اہم فصل ہے۔ یہ اکتوبر اور نومبر میں بوئی جاتی ہے اور اپریل میں کاٹی جاتی ہے۔ "
    "کسان کھیت میں ہل چلاتے ہیں، بیج ڈالتے ہیں اور پھر پانی دیتے ہیں۔"
)
WORDS = (
    "لاہور", "کراچی", "گندم", "کپاس", "موبائل", "قیمت", "ویڈیو", "گانے", "ڈرامہ", "کرکٹ", "اسکور", "موسم",
    "سونا", "ڈالر", "نوکری", "ٹیسٹ", "نتیجہ", "رزلٹ", "پیپر",
)  # fmt: skip
NEWS = (
    "وزیر نے کسانوں سے ملاقات کی", "بارش سے سڑکیں بند رہیں", "ٹیم نے میچ جیت لیا", "اسکول پیر کو کھلیں گے",
    "نیا پل جون میں تیار ہو گا", "شہر میں میلہ شروع ہوا", "بجلی کی قیمت کم ہوئی", "ڈاکٹروں نے ہڑتال ختم کی",
)  # fmt: skip
LETTERS = "ابپتٹثجچحخدڈذرڑزسشصضطظعغفقکگلمنوہءیے"


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "دل ناداں تجھے ہوا کیا ہے\nآخر اس درد کی دوا کیا ہے\n"
        "ہم ہیں مشتاق اور وہ بیزار\nیا الٰہی یہ ماجرا کیا ہے",
        "- دو کپ آٹا لیں۔\n- آدھا چمچ نمک ملائیں۔\n- پانی ڈال کر گوندھیں۔\n- بیس منٹ رکھ دیں۔\n"
        "- پیڑے بنا کر بیلیں۔\nتوے پر دونوں طرف سے سینک لیں اور گرم گرم پیش کریں۔",
        "«کیا ہوا؟» اس نے پوچھا۔\n«کچھ نہیں۔»\n«پھر رو کیوں رہے ہو؟»\n"
        "«بس یونہی۔»\n«چلو، چائے پیتے ہیں۔»\n«ٹھیک ہے۔»",
        "سال 2019 میں 25 لاکھ ٹن، 2020 میں 27 لاکھ ٹن اور 2021 میں 28 لاکھ ٹن گندم پیدا ہوئی، "
        "یعنی ہر سال اوسطاً 4 فیصد زیادہ۔",
        "لاہور",
    ],
)
def test_prose_passes(text: str) -> None:
    assert find_quality_fault(text, UR) is None


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("repetition", "ہاہا" * 60),
        ("repetition", (PROSE + " ") * 8),
        ("no_function_words", " ".join(random.Random(1).choices(WORDS, k=60))),
        ("no_function_words", " ".join("".join(random.Random(n).choices(LETTERS, k=5)) for n in range(60))),
        ("few_letters", " ".join(f"{n * 37} {n * 91}" for n in range(1, 40)) + " روپے میں ہے"),
        ("symbols", " # ".join(PROSE.split()[:30])),
        ("markup", "function f(a) { return a[0] <= 3 ? {b: 1} : {c: [2]}; } " * 3 + PROSE),
        ("short_lines", "صفحہ اول\nخبریں\nکھیل\nتصاویر\nویڈیو\nرابطہ\nہمارے بارے\nاشتہارات"),
        ("ellipses", "\n".join(f"{line} …" for line in NEWS)),
        ("bullets", "\n".join(f"► {line}" for line in NEWS)),
    ],
)
def test_junk_has_a_reason(reason: str, text: str) -> None:
    found = find_quality_fault(text, UR)
    assert found is not None
    assert found[0] == reason


@pytest.mark.parametrize("code", sorted(shipped_packs()))
def test_articles_of_every_pack_pass(code: str) -> None:
    pack = load_pack(code)
    articles = pack.folder / "demo" / "articles.jsonl"
    faults = [find_quality_fault(row["text"], pack) for _, row in store.read_rows(articles)]
    assert faults
    assert not any(faults)
