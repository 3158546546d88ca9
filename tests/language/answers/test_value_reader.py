"""Numbers are joined with the words between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.language.answers.value_reader import find_values
from alif.language.answers.values import is_same_value
from alif.language.pack import load_pack

PACKS = {code: load_pack(code) for code in ("ur", "bn", "sd", "sw", "en")}


@pytest.mark.parametrize(
    ("code", "text", "kinds"),
    [
        ("ur", "14 اگست 1947", ["date"]),
        ("ur", "یکم مئی", ["date"]),
        ("bn", "১৬ই ডিসেম্বর ১৯৭১", ["date"]),
        ("ur", "رات کے ساڑھے آٹھ بجے", ["clock"]),
        ("sw", "saa mbili asubuhi", ["clock"]),
        ("bn", "৮টা আম", ["number"]),
        ("ur", "5 سے 10 دن", ["range"]),
        ("ur", "12 میں سے 5", ["number", "number"]),
        ("ur", "10 - 5 = 5", ["number", "number", "number"]),
        ("ur", "41 یا 42", ["either"]),
        ("ur", "5واں", ["ordinal"]),
        ("sd", "پنجون", ["ordinal"]),
    ],
)
def test_kinds(code: str, text: str, kinds: list[str]) -> None:
    assert [value.kind for value in find_values(text, PACKS[code])] == kinds


@pytest.mark.parametrize(
    ("code", "text", "flags"),
    [
        ("ur", "40 نہیں بلکہ 42", ["denied", ""]),
        ("ur", "42، نہ کہ 24", ["", "denied"]),
        ("sw", "si 40 bali 42", ["denied", ""]),
        ("ur", "42 سے زیادہ", ["bounded"]),
        ("ur", "No.5", [""]),
        ("ur", "3 اور 5", ["", "joined"]),
    ],
)
def test_flags(code: str, text: str, flags: list[str]) -> None:
    assert [value.flag for value in find_values(text, PACKS[code])] == flags


@pytest.mark.parametrize(
    ("code", "text", "unit"),
    [
        ("ur", "60 کلومیٹر فی گھنٹہ", "kilometre per hour"),
        ("ur", "فی گھنٹہ 60 کلومیٹر", "kilometre per hour"),
        ("bn", "ঘণ্টায় ৬০ কিলোমিটার", "kilometre per hour"),
        ("sw", "kilomita 60 kwa saa", "kilometre per hour"),
        ("ur", "1 گھنٹہ 30 منٹ", "hour"),
    ],
)
def test_units(code: str, text: str, unit: str) -> None:
    assert [value.unit for value in find_values(text, PACKS[code])] == [unit]


@given(
    st.text()
    | st.lists(st.sampled_from(["5", "سے", "بجے", "رات", "نہیں", "یا", "فی", "مئی", "."])).map(" ".join)
)
def test_no_text_breaks_the_reader(text: str) -> None:
    place = 0
    for value in find_values(text, PACKS["ur"]):
        assert place <= value.start < value.end <= len(text)
        place = value.end


@pytest.mark.parametrize(
    ("code", "one", "other", "same"),
    [
        ("sw", "saa moja asubuhi", "7:00 AM", True),
        ("sw", "saa moja usiku", "7:00 AM", False),
        ("sw", "saa nne kasoro dakika kumi usiku", "9:50 PM", True),
        ("sw", "saa tatu", "saa tatu asubuhi", True),  # hours, or a time
        ("sw", "saa tatu", "dakika 180", True),
        ("sw", "saa 4 dakika 20", "saa nne na dakika ishirini", True),
        ("sw", "mita 96 za mraba", "mita 96", False),
        ("sd", "ساڍي ستين وڳي", "7:30", True),
        ("ur", "54 cm²", "54 مربع سینٹی میٹر", True),
        ("ur", "37° سیلسیس", "37°F", False),
        ("ur", "دو تین دن", "2 یا 3 دن", True),
        ("ur", "دو تین دن", "3 دن", False),
        ("ur", "تیسرا", "3 سال", False),
        ("ur", "نہ 5 نہ 6", "6", False),
        ("ur", "10/1999", "اکتوبر 1999", True),
        ("ur", "سوا کلو", "1250 گرام", True),
        ("ur", "تین درجن", "36", True),
        ("ur", "دس بجنے میں دس منٹ", "9:50", True),
        ("bn", "আটটা বাজতে দশ মিনিট", "৭:৫০", True),
        ("ur", "2-1/2 کلو", "2 ½ کلو", True),
        ("ur", "50 امریکی ڈالر", "50 یورو", False),
        ("sw", "nusu milioni", "500,000", True),
        ("bn", "৬০ কি.মি./ঘণ্টা", "ঘণ্টায় ৬০ কিলোমিটার", True),
    ],
)
def test_values_said_in_another_way(code: str, one: str, other: str, same: bool) -> None:
    pack = load_pack(code)
    given = [value for value in find_values(one, pack) if not value.flag]
    (right,) = find_values(other, pack)
    assert (len(given) == 1 and is_same_value(given[0], right)) is same
