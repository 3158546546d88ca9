"""A short reference is found in a plain sentence, beside a title or a kind, and not in a longer name."""

from __future__ import annotations

import pytest

from alif.language.answers.statement import is_stated
from alif.language.pack import load_pack


@pytest.mark.parametrize(
    ("code", "answer", "reference"),
    [
        ("ur", "پاکستان کا دوسرا بڑا شہر لاہور ہے۔", "لاہور"),  # a sentence
        ("ur", "یہ نظم علامہ اقبال نے لکھی۔", "علامہ اقبال"),
        ("ur", "نادیہ سب سے لمبی ہے۔", "نادیہ"),
        ("ur", "صحیح جواب ہے: کیلشیم", "کیلشیم"),  # a label
        ("ur", "Thursday (جمعرات)", "جمعرات"),  # a gloss
        ("ur", "نمک (سوڈیم کلورائیڈ)", "نمک"),
        ("ur", "صوبہ پنجاب", "پنجاب"),  # a kind
        ("ur", "ڈاکٹر عبد القدیر خاں", "عبدالقدیر خان"),  # a title, spaces
        ("ur", "UNO", "یو این او"),  # letters
        ("ur", "نمک کا فارمولا NaCl ہے", "NaCl"),
        ("ur", "C₆H₁₂O₆", "C6H12O6"),
        ("ur", "• ملتان\n• کراچی\n• لاہور", "کراچی، لاہور، ملتان"),  # a list
        ("ur", "دی گئی معلومات سے فیصلہ نہیں کیا جا سکتا۔", "معلومات ناکافی ہیں"),
        ("ur", "جی نہیں، چمگادڑ پرندہ نہیں ہے۔", "نہیں"),
        ("ur", "کراچی نہیں، لاہور", "لاہور"),
        ("ur", "x = ±5", "x = 5 یا x = -5"),
        ("ur", "3 اور 4 کی نسبت", "3:4"),
        ("bn", "বাংলাদেশের রাজধানী ঢাকা।", "ঢাকা"),
        ("bn", "পদ্মা নদী", "পদ্মা"),
        ("sd", "سڀ کان ڊگهو احمد آهي.", "احمد"),
        ("sw", "Mji mkuu wa Tanzania ni Dodoma.", "Dodoma"),
        ("sw", "Mlima Kilimanjaro", "Kilimanjaro"),
    ],
)
def test_a_reference_is_stated(code: str, answer: str, reference: str) -> None:
    assert is_stated(answer, reference, load_pack(code))


@pytest.mark.parametrize(
    ("code", "answer", "reference"),
    [
        ("ur", "لاہور قلندرز", "لاہور"),
        ("ur", "پنجاب یونیورسٹی لاہور", "لاہور"),
        ("ur", "لاہور کے قریب قصور ہے۔", "لاہور"),
        ("ur", "یہ ملک جنوبی افریقہ ہے۔", "افریقہ"),
        ("ur", "کراچی، لاہور", "کراچی"),
        ("ur", "شاید کراچی ہے یا لاہور", "کراچی"),
        ("ur", "سارہ نادیہ سے لمبی ہے۔", "نادیہ"),
        ("ur", "شہر جہلم", "دریائے جہلم"),
        ("ur", "زہرہ (عطارد نہیں)", "عطارد"),
        ("ur", "سرخ، سبز، نیلا", "سرخ، سبز"),
        ("ur", "یہ درست نہیں ہے", "درست"),
        ("ur", "H2O2", "H2O"),
        ("ur", "معلومات کافی ہیں، جواب 5 ہے", "معلومات ناکافی ہیں"),
        ("bn", "উত্তর কোরিয়া", "কোরিয়া"),
        ("sd", "ڪراچي يونيورسٽي", "ڪراچي"),
        ("sw", "Chuo Kikuu cha Dodoma", "Dodoma"),
    ],
)
def test_another_answer_states_nothing(code: str, answer: str, reference: str) -> None:
    assert not is_stated(answer, reference, load_pack(code))
