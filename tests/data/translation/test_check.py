"""Every kind of fault that a teacher makes in a translation is named; right translations pass."""

from __future__ import annotations

import pytest

from alif.data.translation.check import find_translation_fault
from alif.language.pack import load_pack

EN = load_pack("en")


def fault(before: str, after: str, code: str = "ur") -> str:
    found = find_translation_fault("output", before, after, load_pack(code), EN)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It holds 1,200 litres.", "اس میں 1.200 لیٹر آتے ہیں۔"),
        ("It holds 42.000 litres.", "اس میں 42,000 لیٹر آتے ہیں۔"),
        ("She is 24 years old.", "وہ چوبیس سال کی ہے۔"),
        ("Tom has to be home by 2:30.", "ٹام کو ڈھائی بجے تک گھر پہنچنا ہے۔"),
        ("The 5th seed won.", "پانچویں نمبر والا جیت گیا۔"),
        ("There are three apples here.", "یہاں 3 سیب ہیں۔"),
        ("They lost 1-0 at home.", "وہ گھر میں صفر کے مقابلے میں ایک گول سے ہار گئے۔"),
        ("It cost 2.2 million dollars.", "اس پر 22 لاکھ ڈالر خرچ ہوئے۔"),
        ("Half of it, 50%, is gone.", "اس کا آدھا، یعنی 50 فیصد، ختم ہو گیا۔"),
        ("He got 90% in English.", "اسے انگریزی میں 100 میں سے 90 نمبر ملے۔"),
        ("The area is 15 km2.", "رقبہ 15 مربع کلومیٹر ہے۔"),
        ("SARS-CoV-2 is a virus.", "SARS -CoV-2 ایک وائرس ہے۔"),
        ("Write to jo@example.org today.", "آج jo@example.orgپر لکھیے۔"),
    ],
)
def test_numbers_and_addresses_in_another_form_are_right(before: str, after: str) -> None:
    assert fault(before, after) == ""


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("It holds 1,200 litres.", "اس میں 1,300 لیٹر آتے ہیں۔", "lost_number"),
        ("It holds 2.5 litres.", "اس میں 5.2 لیٹر آتے ہیں۔", "lost_number"),
        ("It holds 1,000 litres.", "اس میں 1 لیٹر آتا ہے۔", "lost_number"),
        ("There are three apples here.", "یہاں چار سیب ہیں۔", "lost_number"),
        ("There are apples here.", "یہاں 4 سیب ہیں۔", "added_number"),
        ("See https://a.org/x/y today.", "آج https://a.org/x دیکھیے۔", "lost_code"),
        ("See https://a.org/x today.", "آج https://a.org/x/y دیکھیے۔", "lost_code"),
        ("See our page today.", "آج https://a.org دیکھیے۔", "added_code"),
        ("Hello, my dear friend.", "سلام {name}، میرے دوست۔", "added_code"),
        (r"Use $\frac{a}{b}$ here.", r"یہاں $\frac{b}{a}$ استعمال کیجیے۔", "lost_code"),
        ("- Eat well.\n- Sleep early.\n- Walk.", "- اچھا کھائیے۔ جلدی سوئیے۔\n- چلیے۔", "lost_structure"),
        ("a) Wash it.\nb) Boil it.", "دھوئیے۔ ابالیے۔", "lost_structure"),
        ("| a | b |\n|---|---|\n| tea | milk |", "| الف |\n|---|\n| چائے |", "lost_structure"),
        ("# Tips\n\nEat well.", "مشورے\n\nاچھا کھائیے۔", "lost_structure"),
        ("One.\n\nTwo.\n\nThree.", "ایک۔\n\nدو تین۔", "lost_structure"),
        ("This is **very** important.", "یہ بہت اہم ہے۔", "lost_structure"),
        ("It is ____ today.", "آج یہ ہے۔", "lost_structure"),
        ("I see a boat.", "I see a boat.", "copies_prompt"),
        ("good morning", "good morning", "copies_prompt"),
        (
            "The bridge is closed for repair.",
            "دریا کا پرانا اور بڑا پل is closed for repair.",
            "untranslated_words",
        ),
        ("The bridge is closed today.", "Le pont est fermé aujourd'hui.", "wrong_language"),
        (
            "The bridge over the river is closed today for repair.",
            "پل روی رودخانه امروز برای تعمیر بسته است و نمی‌توان رفت.",
            "wrong_language",
        ),
        ("The bridge is closed today.", "پل آج 关闭 ہے۔", "wrong_script"),
        ("The bridge is closed today.", "پل آج бند ہے۔", "wrong_script"),
        ("The big book is here again.", "بڑي كتاب يهاں ہي ركھي ہے۔", "wrong_script"),
        ("The bridge is closed.", "پل بند ہے۔ پل بند ہے۔", "repetition"),
        ("Good morning to you.", "صبح بخیر صبح بخیر", "repetition"),
        ("What is the capital of France?", "پیرس فرانس کا دارالحکومت ہے۔", "lost_question"),
        ("Name it.", "اس کا نام بتائیے۔ " + "یہ ایک لمبی وضاحت ہے جو کسی نے نہیں مانگی۔ " * 3, "repetition"),
        ("The bridge is closed.", "پل بند ہے۔\n\n(Option 2: پل مسدود ہے۔)", "wrapped"),
    ],
)
def test_each_kind_of_fault_is_named(before: str, after: str, reason: str) -> None:
    assert fault(before, after) == reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```python\ndef f(x):\n    return x\n```", "```python\ndef f(x):\n    return x\n```"),
        ("Run it:\n\n```py\ndef f(x):\n    return x\n```", "چلائیے:\n\n```py\ndef f(x):\n    return x\n```"),
        ("Correct: He go to school.", "درست کیجیے: He go to school."),
        ("Paris", "Paris"),
        ("What does \"wash one's hands of\" mean?", "\"wash one's hands of\" کا کیا مطلب ہے؟"),
        ("- tea\n- milk", "* چائے\n* دودھ"),
        ("No, no, no, no.", "نہیں، نہیں، نہیں، نہیں۔"),
        ("He asked why it was closed?", "اس نے پوچھا کہ کیوں بند ہے؟"),
    ],
)  # fmt: skip
def test_what_may_stay_stays(before: str, after: str) -> None:
    assert fault(before, after) == ""


@pytest.mark.parametrize(
    ("code", "before", "after", "reason"),
    [
        ("bn", "It holds 1,200 litres.", "এতে ১,৩০০ লিটার ধরে।", "lost_number"),
        ("bn", "It holds 1,200 litres.", "এতে ১,২০০ লিটার ধরে।", ""),
        ("sw", "There are 24 goats in the field.", "Kuna mbuzi ishirini na nne shambani.", ""),
        ("sw", "There are 24 goats in the field.", "Kuna mbuzi ishirini na tano shambani.", "lost_number"),
        ("sw", "The bridge is closed for repair.", "Daraja is closed for repair.", "wrong_language"),
        ("sd", "What is the name of the river?", "درياهه جو نالو سنڌو آهي.", "lost_question"),
    ],
)
def test_no_language_is_wired_in(code: str, before: str, after: str, reason: str) -> None:
    assert fault(before, after, code) == reason
