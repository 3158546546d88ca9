"""Answers that say the same are found the same, and traps are not: a set written by hand, and laws."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif import store
from alif.language.answers.answer_words import answer_tokens
from alif.language.answers.match import (
    compare_answers,
    contains_answer,
    is_same_list,
    is_same_number,
    is_same_text,
    match_choice,
)
from alif.language.pack import load_pack
from alif.language.text import final_answer

UR, EN = load_pack("ur"), load_pack("en")
FOLDER = Path(__file__).parent
PAIRS = [row for _, row in store.read_rows(FOLDER / "answers.ur.jsonl")]
WORDS = [
    "اسکے",
    "کیلئے",
    "کے",
    "لئے",
    "ہوگا",
    "کرکے",
    "دلی",
    "گاؤں",
    "۱۲",
    "بارہ",
    "سو",
    "روپے",
    "ساڑھے",
    "آئے",
    "انھیں",
    "1947",
    "ء",
    "زکوٰۃ",
    "جواب",
    "ب",
]


def test_the_set_is_large_and_mixed() -> None:
    assert len({row["id"] for row in PAIRS}) == len(PAIRS)
    assert sum(row["equal"] for row in PAIRS) >= 200
    assert sum(not row["equal"] for row in PAIRS) >= 60
    assert len(Counter(row["kind"] for row in PAIRS)) >= 15


@pytest.mark.parametrize("code", ["ur", "bn", "sd", "sw"])
def test_at_least_97_in_a_hundred_are_judged_as_a_reader_does(code: str) -> None:
    pack = load_pack(code)
    task = pack.tasks["reasoning"]
    sets = sorted(FOLDER.glob(f"*.{code}.jsonl"))
    for equal in (True, False):
        rows = [row for path in sets for _, row in store.read_rows(path) if row["equal"] is equal]
        wrong = [
            row["id"]
            for row in rows
            if compare_answers(final_answer(row["answer"], task, pack), row["reference"], pack).equal != equal
        ]
        assert len(wrong) <= 0.03 * len(rows), wrong


def test_every_reference_equals_itself() -> None:
    for row in PAIRS:
        assert compare_answers(row["reference"], row["reference"], UR).equal, row["id"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_spelling_twice_changes_nothing(words: list[str]) -> None:
    plain = " ".join(word for word in answer_tokens(" ".join(words), UR) if word[0] not in "#%@")
    again = " ".join(word for word in answer_tokens(plain, UR) if word[0] not in "#%@")
    assert " ".join(word for word in answer_tokens(again, UR) if word[0] not in "#%@") == again


@given(st.text(), st.text())
def test_the_tiers_are_ordered(one: str, other: str) -> None:
    match = compare_answers(one, other, UR)
    assert match.em_nospace or not match.em
    assert is_same_text(one, one, UR)
    assert compare_answers(one, other, UR).em == compare_answers(other, one, UR).em


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("اسکے لئے ۱۲ روپے", ["اس", "کے", "لیے", "#12", "@rupee"]),
        ("ساڑھے بارہ فی صد", ["#25/2", "%"]),
        ("1947ء", ["#1947"]),
        ("", []),
    ],
)
def test_spoken(text: str, expected: list[str]) -> None:
    assert answer_tokens(text, UR) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B", 1),
        ("(ج)", 2),
        ("درست جواب: الف ہے", 0),
        ("د) پانی", 3),
        ("لاہور", None),
        ("", None),
        ("آپشن الف اور ب", None),
        ("It is a city", None),
        ("پہلا", 0),
        ("دوسرا آپشن درست ہے کیونکہ وہ جفت ہے", 1),
        ("the third option", 2),
        ("پہلا اور تیسرا", None),
        ("آخری آپشن", None),  # how many there are is not known
        ("پہلے پانی ابالیں", None),
    ],
)
def test_choice(text: str, expected: int | None) -> None:
    found = match_choice(text, UR)
    assert (found and found[0]) == expected


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("دوسرا آپشن", "ب", True),
        ("دوسرا", "(ب) اسلام آباد", True),
        ("the second one", "B", True),
        ("پہلا", "ب", False),
        ("پہلا نمبر", "پہلا", None),  # a reference in words is no letter
    ],
)
def test_a_lettered_reference_is_met_by_its_order(answer: str, reference: str, expected: bool | None) -> None:
    found = compare_answers(answer, reference, UR)
    assert found.choice is expected
    assert found.equal is (expected is not False)


def test_the_tiers_one_by_one() -> None:
    assert contains_answer("یہ شہر کراچی ہے", "کراچی", UR)
    assert not contains_answer("یہ شہر کراچی نہیں ہے", "کراچی", UR)
    assert is_same_list("علی، سارہ اور عمر", "عمر، علی، سارہ", UR)
    assert is_same_number("کل 420 بنتے ہیں", "۴۲۰ روپے", UR) is True
    assert is_same_number("پانچ میٹر", "5 کلومیٹر", UR) is False
    assert is_same_number("کراچی", "لاہور", UR) is None
    assert is_same_number("معلوم نہیں", "5", UR) is False
    assert compare_answers("twenty-five", "25", EN).equal
    assert compare_answers("one million two hundred thousand", "1,200,000", EN).equal
    assert not compare_answers("one hundred", "one thousand", EN).equal


@pytest.mark.parametrize(
    ("answer", "reference", "equal"),
    [
        ("পঁচিশ টাকা", "২৫", True),
        ("এক লাখ পঁচিশ হাজার", "১,২৫,০০০", True),
        ("দেড় ঘণ্টা", "১.৫ ঘন্টা", True),
        ("২৫ কেজি", "২৫ টাকা", False),
        ("সঠিক উত্তর: খ", "খ", True),
        ("B", "খ", True),
        ("রাজধানী ঢাকা", "ঢাকা", True),
        ("ঢাকা নয়", "ঢাকা", False),
        ("ঢাকা বা খুলনা", "ঢাকা", False),
    ],
)
def test_another_pack_s_tables_judge_its_answers(answer: str, reference: str, equal: bool) -> None:
    assert compare_answers(answer, reference, load_pack("bn")).equal is equal


@pytest.mark.parametrize(
    ("code", "answer", "reference", "equal"),
    [
        ("ur", "20 روپے نفع", "20 روپے نقصان", False),  # opposites
        ("ur", "42 سے زیادہ", "42 سے کم", False),
        ("ur", "نقصان نہیں، 20 روپے نفع", "20 روپے نفع", True),
        ("ur", "حضرت علیؓ", "حضرت علی رضی اللہ عنہ", True),  # honorifics
        ("ur", "ﷲ", "اللہ", True),
        ("ur", "8 کیلے", "8 کیلے", True),  # bananas, not "for"
        ("ur", "ایسا کوئی نہیں بلکہ لاہور ہے", "لاہور", True),
        ("ur", "40 طلبہ", "40%", False),
        ("ur", "جواب 40 ہے", "40%", True),
        ("ur", "آپشن 3", "ج", True),
        ("ur", "آپشن 2", "ج", False),
        ("sw", "si Nairobi bali ni Mombasa", "Mombasa", True),
        ("sw", "hasara ya shilingi 20", "faida ya shilingi 20", False),
    ],
)
def test_what_is_said_instead_or_of_something_else(
    code: str, answer: str, reference: str, equal: bool
) -> None:
    assert compare_answers(answer, reference, load_pack(code)).equal is equal
