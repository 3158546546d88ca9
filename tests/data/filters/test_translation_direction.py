"""A translation is in the language that its request names, or in the other one than its input."""

from __future__ import annotations

import pytest

from alif.data.filters.translation_direction import is_in_requested_language, wrong_target_language
from alif.language.pack import Pack
from tests.data.conftest import row

TRANSLATE, TEA = "اس جملے کا اردو میں ترجمہ کریں", "I like tea very much."
ARABIC = "أحب الشاي كثيرا وأشربه كل صباح مع عائلتي."
PERSIAN = "من چای را خیلی دوست دارم و صبح با مادرم می‌نوشم."
ON_THE_TABLE, TIME = "«میز پر کتاب ہے» کو انگریزی میں لکھیں۔", '"Time is money." کا اردو ترجمہ کریں۔'


@pytest.mark.parametrize(
    ("instruction", "given", "answer", "told"),
    [
        (
            "اردو میں ترجمہ کریں۔",
            "The shop is closed.",
            "The shop is closed.",
            "input and output are both English",
        ),
        (
            "اردو میں لکھیں۔",
            "The shop is closed today.",
            "Aaj dukaan band hai bhai.",
            "input and output are both English",
        ),
        (ON_THE_TABLE, "", "کتاب میز کے اوپر رکھی ہے۔", "asked for انگریزی میں, answered in ur"),
        (TIME, "", "Time is money.", "answered in en"),
        (TRANSLATE, TEA, ARABIC, "another language of the script"),
        (TRANSLATE, TEA, PERSIAN, "another language of the script"),
        (f"{TRANSLATE} {TEA}", "", ARABIC, "another language of the script"),
    ],
)
def test_a_translation_in_a_wrong_language_is_told(
    own: Pack, known: Pack, instruction: str, given: str, answer: str, told: str
) -> None:
    made = row("translation", instruction, answer, given)
    assert told in wrong_target_language(made, own.tasks["translation"].into, own, known)


@pytest.mark.parametrize(
    ("instruction", "given", "answer"),
    [
        (ON_THE_TABLE, "", "The book is on the table."),
        (TIME, "", "وقت ہی دولت ہے۔"),
        (
            "یہ سطر انگریزی میں ہے، طلبہ سمجھ سکیں۔",
            "The gate is shut.",
            "دروازہ بند ہے۔",
        ),  # the input's language is named
        (TRANSLATE, "Local setup (short)", "مقامی سیٹ اپ (مختصر)"),
        (TRANSLATE, "In the name of God", "بسم اللہ الرحمن الرحیم"),
    ],
)
def test_a_translation_in_the_right_language_is_not_doubted(
    own: Pack, known: Pack, instruction: str, given: str, answer: str
) -> None:
    made = row("translation", instruction, answer, given)
    assert wrong_target_language(made, own.tasks["translation"].into, own, known) == ""


@pytest.mark.parametrize(
    ("instruction", "answer", "expected"),
    [
        (TIME, "وقت ہی دولت ہے۔", True),
        (TIME, "Time is money.", False),
        (f"ترجمہ کریں: {TEA}", "مجھے چائے پسند ہے۔", False),
    ],
)
def test_an_answer_is_as_asked_only_where_the_request_names_its_language(
    own: Pack, known: Pack, instruction: str, answer: str, expected: bool
) -> None:
    into = own.tasks["translation"].into
    assert is_in_requested_language(row("translation", instruction, answer), into, own, known) is expected
