"""Letters and languages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alif import store
from alif.language.language_id import find_lookalikes, identify_language, script_share
from alif.language.pack import load_pack

UR, EN = load_pack("ur"), load_pack("en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("یہ اردو ہے۔", 1.0),
        ("This is English.", 0.0),
        ("اب Wi", 0.5),
        ("42 × 10 = 420", 1.0),
        ("", 1.0),
        ("دیکھیے https://example.com/a?b=c اور user@example.org", 1.0),
        ("کوڈ: `print(x)`", 1.0),
    ],
)
def test_share(text: str, expected: float) -> None:
    assert script_share(text, UR) == expected


def test_wrong_letters_are_named_with_their_word() -> None:
    assert find_lookalikes("یہ كتاب ہے، کیا يہ ٹھيك ہے؟", UR) == [
        ("كتاب", "ك", "ک"),
        ("يہ", "ي", "ی"),
        ("ٹھيك", "ي", "ی"),
        ("ٹھيك", "ك", "ک"),
    ]
    assert find_lookalikes("یہ کتاب ہے۔", UR) == []
    assert find_lookalikes("ي", EN) == []


@pytest.mark.parametrize(
    "text",
    [
        "حضور ﷺ نے فرمایا",
        "حدیث ہے: «إنما الأعمال بالنيات» یعنی اعمال کا دار و مدار نیت پر ہے۔",
        "سورۂ اخلاص: ﴿قل هو الله﴾",
        "ہم إن شاء الله کل آئیں گے",
        "دعا پڑھیں:\nبسم الله الذي لا يضر مع اسمه شيء\nاور سو جائیں۔",
    ],
)
def test_quoted_arabic_keeps_its_letters(text: str) -> None:
    assert find_lookalikes(text, UR) == []


@pytest.mark.parametrize("text", ["«كتاب» میز پر ہے", "ہمارے گھر كي چھت، هم نے بنائي"])
def test_quotes_do_not_excuse_urdu_words(text: str) -> None:
    assert find_lookalikes(text, UR)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ہشام نے جونہی تخت خلافت پر قدم رکھا", "ur"),
        ("هشام نے جونهي تخت خلافت پر قدم ركها تو كيا هوا", "ur"),
        ("میں نے Python میں ایک چھوٹا سا پروگرام لکھا ہے", "ur"),
        ("My uncle gave me this watch on the day I left the village.", "en"),
        ("هذا النص مكتوب باللغة العربية وليس بالأردية", "other"),
        ("این متن به زبان فارسی نوشته شده است و ما آن را خواندیم", "other"),
        ("यह हिन्दी में लिखा गया वाक्य है", "other"),
        ("Das ist ein Satz in deutscher Sprache, den niemand braucht.", "other"),
        ("سومر جي ڏينهن، اسٽينفورڊ يونيورسٽي جي سائنسدانن هڪ نئون تشخيصي ٽول ايجاد ڪيو", "other"),
        ("kal bohat garmi thi lekin mujhe bazaar jana tha", "ur-Latn"),
        ("aap kya kar rahe hain? jaldi batao", "ur-Latn"),
        ("Mnamo Jumatatu, wanasayansi walitangaza uvumbuzi wa kifaa kipya", "other"),
        ("پانی", "undecided"),
        ("", "undecided"),
        ("۱۲۳ + ۴۵۶ = ۵۷۹", "undecided"),
        ("یہ کتاب ہے اور وہ قلم this is a book and that is", "undecided"),
    ],
)
def test_detect(text: str, expected: str) -> None:
    assert identify_language(text, [UR, EN]) == expected


def counted(shared_data: Path, name: str, language: str) -> Counter[str]:
    rows = store.read_rows(shared_data / "parallel" / name)
    return Counter(identify_language(row[language], [UR, EN]) for _, row in rows)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["ntrex.en-ur.jsonl.gz", "tico19.en-ur.jsonl.gz"])
def test_urdu_is_accepted(name: str, shared_data: Path) -> None:
    found = counted(shared_data, name, "ur")
    assert found["ur"] / found.total() >= 0.99
    found = counted(shared_data, name, "en")
    assert found["en"] / found.total() >= 0.98


@pytest.mark.shared
@pytest.mark.parametrize("language", ["ar", "fa", "ps", "hi", "ckb", "ug", "sd"])
def test_neighbours_are_not_taken_for_urdu(language: str, shared_data: Path) -> None:
    found = counted(shared_data, f"ntrex.en-{language}.jsonl.gz", language)
    assert found["ur"] / found.total() <= 0.01


@pytest.mark.shared
def test_wrong_letters_are_told_apart_from_the_wrong_language(shared_data: Path) -> None:
    arabic_keyboard = str.maketrans("یکہ", "يكه")
    clean = typed = recognised = total = 0
    for _, row in store.read_rows(shared_data / "parallel" / "ntrex.en-ur.jsonl.gz"):
        mistyped = row["ur"].translate(arabic_keyboard)
        total += 1
        clean += not find_lookalikes(row["ur"], UR)
        typed += bool(find_lookalikes(mistyped, UR))
        recognised += identify_language(mistyped, [UR, EN]) == "ur"
    assert min(clean, typed, recognised) / total >= 0.99


@pytest.mark.parametrize(
    "text",
    [
        "منڈے کھیڈاں وچ حصہ لین لئی شہر گئے سن۔",
        "ساڈے پنڈ دے لوکاں نے رل کے نواں سکول بنایا۔",
        "ںیہ ےہر لیھک ںیم نحص ےچب",
        "پاکستان میں آج موسم بہت اچھا ہے اور بچے باہر کھیل رہے ہیں۔"[::-1],
    ],
)
def test_a_neighbour_with_the_same_letters_and_text_in_visual_order_are_another_language(text: str) -> None:
    assert identify_language(text, [UR, EN]) == "other"


@pytest.mark.parametrize(
    "text",
    [
        "بلھے شاہ کا یہ مصرع سب کو یاد ہے: رانجھا رانجھا کردی نی میں آپے رانجھا ہوئی",
        "ہی تو وہ بات ہے جو یہ ہمیں ہر روز بتاتے ہیں",
        "ہم وہ ہیں جو تم ہو",
    ],
)
def test_a_quotation_or_a_few_words_that_read_both_ways_change_nothing(text: str) -> None:
    assert identify_language(text, [UR, EN]) in ("ur", "undecided")
