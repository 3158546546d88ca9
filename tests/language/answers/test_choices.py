"""Choices are found where a question offers some; an answer that is one of them is never rejected."""

from __future__ import annotations

import pytest

from alif.language.answers.choices import OfferedChoices, find_choices, invalid_choice, is_label_offered
from alif.language.pack import load_pack

UR, BN, EN = load_pack("ur"), load_pack("bn"), load_pack("en")
CAPITAL = "پاکستان کا دارالحکومت کون سا شہر ہے؟"
CITIES = ("لاہور", "اسلام آباد", "کراچی", "پشاور")


@pytest.mark.parametrize(
    "listed",
    [
        "(الف) لاہور (ب) اسلام آباد (ج) کراچی (د) پشاور",
        "الف) لاہور ب) اسلام آباد ج) کراچی د) پشاور",
        "\nالف۔ لاہور\nب۔ اسلام آباد\nج۔ کراچی\nد۔ پشاور",
        "A. لاہور B. اسلام آباد C. کراچی D. پشاور",
        "\na) لاہور\nb) اسلام آباد\nc) کراچی\nd) پشاور",
        "[A] لاہور، [B] اسلام آباد، [C] کراچی، [D] پشاور",
        "۱) لاہور ۲) اسلام آباد ۳) کراچی ۴) پشاور",
        "\n1. لاہور\n2. اسلام آباد\n3. کراچی\n4. پشاور",
        "\n**1-** لاہور\n**2-** اسلام آباد\n**3-** کراچی\n**4-** پشاور",
        "(اے) لاہور (بی) اسلام آباد (سی) کراچی (ڈی) پشاور",
        "(ا) لاہور (ب) اسلام آباد (ج) کراچی (د) پشاور",
    ],
)
def test_options_are_read_as_people_letter_them(listed: str) -> None:
    found = find_choices(f"{CAPITAL} {listed}", UR, exact=False)
    assert found is not None
    assert found.texts == CITIES


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("اس ترکیب کو مختصر کریں: 1) پیاز کاٹیں 2) تیل گرم کریں 3) مصالحہ بھونیں", False),  # steps
        (
            "درج ذیل لفظ پر کام کریں: (الف) معنی لکھیں (ب) جملے میں استعمال کریں",
            False,
        ),  # parts of a task, in free text
        ("(الف) غزل کسے کہتے ہیں؟ (ب) نظم اور غزل میں کون سا فرق ہے؟", True),  # two questions
        (
            "گاڑی اسٹیشن (A) سے چل کر اسٹیشن (B) تک 3 گھنٹے میں پہنچتی ہے۔ رفتار بتائیں۔",
            True,
        ),  # names of places
        (
            "دو گاڑیاں ہیں: (الف) رفتار 60 (ب) رفتار 80۔ دو گھنٹے بعد ان کا فاصلہ بتائیں۔",
            True,
        ),  # what is given, not offered
        ("A: آج کون سی تاریخ ہے؟ B: پانچ۔ A: شکریہ!", True),  # two people talk
        ("21 بکریاں 1 : 2 : 4 کی نسبت سے بانٹیں۔ کون سا حصہ بڑا ہے؟", True),  # a ratio
        ("ان میں سے (ب) اور (ج) کیوں غلط ہیں؟", True),  # not from the first letter on
        ("کون سا جملہ درست ہے؟ (الف) بچے نے کھانا کھایا", True),  # one is no choice
    ],
)
def test_what_is_not_offered_to_choose_from_is_no_option(text: str, exact: bool) -> None:
    assert find_choices(text, UR, exact) is None


PLAIN = "پاکستان کا دارالحکومت کیا ہے؟"


@pytest.mark.parametrize(
    "listed",
    [
        "(الف) لاہور (ب) اسلام آباد (ج) کراچی (د) پشاور",
        "(ا) لاہور (ب) اسلام آباد (ج) کراچی (د) پشاور",
        "1. لاہور 2. اسلام آباد 3. کراچی 4. پشاور",
        "\n۱۔ لاہور\n۲۔ اسلام آباد\n۳۔ کراچی\n۴۔ پشاور",
    ],
)
def test_short_names_right_after_a_question_are_options(listed: str) -> None:
    found = find_choices(f"{PLAIN} {listed}", UR, exact=False)
    assert found is not None
    assert found.texts == CITIES
    for answer in (
        "اسلام آباد",
        found.names[1],
        f"({found.names[1]}) اسلام آباد",
        "اسلام آباد، جو نیا ہے",
        "دوسرا",
    ):
        assert invalid_choice(answer, found, UR) == ""
    for answer in ("دہلی", "جواب: (ہ)", f"({found.names[2]}) لاہور", "دارالحکومت کوئٹہ ہے۔"):
        assert invalid_choice(answer, found, UR)


@pytest.mark.parametrize(
    "answer", ["یہ سب بڑے شہر ہیں جن میں لاکھوں لوگ رہتے ہیں", "چار", "کوئٹہ، گوادر", "کوئٹہ اور گوادر"]
)
def test_an_answer_that_may_be_about_a_list_which_nobody_asked_to_choose_from_is_not_doubted(
    answer: str,
) -> None:
    assert invalid_choice(answer, OfferedChoices(("1", "2", "3", "4"), CITIES, bare=True), UR) == ""


@pytest.mark.parametrize(
    "text",
    [
        "ان الفاظ کے معنی کیا ہیں؟ (الف) امن (ب) صلح (ج) جنگ",  # of each
        "کیا چیز مشترک ہے؟ 1. سیب 2. کیلا 3. آم",
        "صحیح ترتیب کیا ہے؟ 1. انڈا 2. لاروا 3. پیوپا 4. تتلی",
        "کل کتنا خرچ ہوا؟ 1. چاول 200 روپے 2. دال 150 روپے 3. چینی 100 روپے",  # given, not offered
        "نتیجہ کیا نکلتا ہے؟ 1. سب انسان ایک دن مر جاتے ہیں 2. سقراط انسان ہے 3. افلاطون اس کا شاگرد تھا",
        "چائے کیسے بنتی ہے؟ مراحل: 1. پانی 2. پتی 3. دودھ",
        "پانی کیا ہے؟ 1. بارش 2. برف",  # two may be notes
    ],
)
def test_a_list_behind_a_question_that_may_be_given_is_no_option(text: str) -> None:
    assert find_choices(text, UR, exact=False) is None


OFFERED = OfferedChoices(("الف", "ب", "ج", "د"), CITIES)


@pytest.mark.parametrize(
    "answer",
    [
        "ب",
        "(ب)",
        "(ب) اسلام آباد",
        "ب) اسلام آباد",
        "ب۔ اسلام آباد",
        "**ب) اسلام آباد**",
        "اسلام آباد",
        "اسلامآباد نہیں، اسلام آباد۔",
        "درست جواب (ب) ہے۔",
        "آپشن ب درست ہے کیونکہ دارالحکومت 1960 کی دہائی میں منتقل ہوا۔",
        "صحیح جواب B ہے۔",
        "دارالحکومت اسلام آباد ہے، کراچی پہلے تھا۔",
        "(الف) غلط ہے، (ج) بھی، اس لیے (ب)۔",
        "2",
        "ب، الف، ج، د",
        "الف اور ج",
        "لاہور، پشاور، کراچی",
        "پہلا",
        "دوسرا آپشن",
        "دوسری والی۔",
        "آخری",
        "درست جواب تیسرا ہے۔",
        "پہلا اور تیسرا",
        "doosra option",
        "میرے خیال میں چوتھا آپشن ٹھیک ہے کیونکہ باقی سب غلط ہیں۔",
        "پانچواں نہیں، اسلام آباد۔",
        "پہلے دارالحکومت کراچی تھا، پھر اسلام آباد۔",
    ],
)
def test_an_answer_that_names_an_option_is_not_doubted(answer: str) -> None:
    assert invalid_choice(answer, OFFERED, UR) == ""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("کوئٹہ", "کوئٹہ is none of (الف) لاہور, (ب) اسلام آباد"),
        ("(ہ) کوئٹہ", "is none of"),
        ("ہ", "is none of"),
        ("E", "is none of"),
        ("پانچواں", "پانچواں is none of (الف) لاہور"),
        ("پانچواں آپشن درست ہے۔", "is none of"),
        ("سب سے پہلے کوئٹہ", "is none of"),
        ("آخری جواب: کوئٹہ", "is none of"),  # the final answer
        ("ان میں سے کوئی نہیں", "is none of"),
        ("یہ کوئٹہ ہے۔", "is none of"),
        ("ان میں سے کوئٹہ", "is none of"),
        ("دارالحکومت کوئٹہ ہے۔", "is none of"),
        ("(ج) اسلام آباد", "(ج) with the text of (ب): اسلام آباد"),
        ("الف۔ کراچی، کیونکہ وہ بڑا شہر ہے", "(الف) with the text of (ج)"),
    ],
)
def test_an_answer_that_is_none_of_the_options_is_named(answer: str, told: str) -> None:
    assert told in invalid_choice(answer, OFFERED, UR)


FRUITS = "ان میں سے کون سے پھل ہیں؟"


@pytest.mark.parametrize("listed", ["(الف) سیب (ب) آم (ج) انار", "1. سیب 2. آم 3. انار"])
@pytest.mark.parametrize("answer", ["تینوں پھل ہیں۔", "سب", "جواب: تمام", "دونوں 1 اور 3", "الف اور ج دونوں"])
def test_an_answer_that_takes_several_together_is_not_doubted(listed: str, answer: str) -> None:
    offered = find_choices(f"{FRUITS} {listed}", UR, exact=True)
    assert offered is not None
    assert invalid_choice(answer, offered, UR) == ""
    assert "is none of" in invalid_choice("آلو", offered, UR)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("en", "Both A and C"),
        ("en", "All"),
        ("bn", "সবগুলো"),
        ("bn", "উভয়"),
        ("sd", "سڀئي"),
        ("sd", "ٽنهي"),
        ("sw", "Zote"),
    ],
)
def test_an_answer_takes_several_together_by_the_pack_s_words_alone(code: str, answer: str) -> None:
    assert invalid_choice(answer, OfferedChoices(("A", "B", "C"), ("4", "6", "8")), load_pack(code)) == ""


def test_numbers_among_the_options_are_read_in_words_and_digits() -> None:
    offered = find_choices("درست جواب چنیں: 6 × 8 کتنا ہے؟ (الف) 42 (ب) 48 (ج) 54", UR, exact=True)
    assert offered is not None
    assert invalid_choice("اڑتالیس", offered, UR) == ""
    assert invalid_choice("۴۸", offered, UR) == ""
    assert "is none of" in invalid_choice("46", offered, UR)
    few = OfferedChoices(("الف", "ب", "ج"), ("3", "5", "7"))
    assert invalid_choice("5", few, UR) == "", "the number, not the fifth option"


SWEEPING = {
    "ur": ("ان میں سے کوئی نہیں", "مندرجہ بالا تمام", "کوئی بھی نہیں", "سب"),
    "en": ("None of the above", "All of these", "None of these.", "All of them"),
    "bn": ("উপরের কোনোটিই নয়", "উপরের সবগুলো", "একটিও নয়", "সবকটি"),
    "sd": ("انهن مان ڪو به نه", "مٿيان سڀ", "ڪوبه ناهي", "سڀئي"),
    "sw": ("Hakuna kati ya haya", "Yote hapo juu", "Hakuna hata moja", "Zote"),
}


@pytest.mark.parametrize("code", SWEEPING)
def test_none_and_all_of_them_are_options_in_any_words(code: str) -> None:
    none, every, said_none, said_all = SWEEPING[code]
    pack = load_pack(code)
    with_none, with_all = (
        OfferedChoices(("A", "B", "C"), ("4", "6", none)),
        OfferedChoices(("A", "B", "C"), ("4", "6", every)),
    )
    for answer in (none, said_none):
        assert invalid_choice(answer, with_none, pack) == ""
        assert "is none of" in invalid_choice(answer, with_all, pack)
    for answer in (every, said_all):
        assert invalid_choice(answer, with_all, pack) == ""
        assert "is none of" in invalid_choice(answer, with_none, pack)


def test_another_language_needs_its_tables_alone() -> None:
    found = find_choices("বাংলাদেশের রাজধানী কোনটি? (ক) খুলনা (খ) ঢাকা (গ) সিলেট", BN, exact=False)
    assert found is not None
    assert invalid_choice("(খ) ঢাকা", found, BN) == ""
    assert "is none of" in invalid_choice("রাজশাহী", found, BN)
    english = find_choices("Which of these is a prime? A) 8 B) 9 C) 11", EN, exact=False)
    assert english is not None
    assert invalid_choice("The answer is C.", english, EN) == ""
    assert invalid_choice("A and C", english, EN) == ""
    assert "is none of" in invalid_choice("D", english, EN)


def test_a_label_is_offered_in_any_case_that_keeps_its_stem() -> None:
    assert is_label_offered("ملا جلا", "اسے مثبت اور ملے جلے میں سے کس درجے میں رکھیں گے؟", UR)
    assert is_label_offered("غیر جانبدار", "مثبت، منفی یا غیر جانبدار؟", UR)
    assert not is_label_offered("ملا جلا", "مثبت یا منفی؟", UR)
