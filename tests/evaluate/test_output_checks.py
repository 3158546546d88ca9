"""Output checks: each fault is found, and right answers have none."""

from __future__ import annotations

import pytest

from alif import store
from alif.evaluate import output_checks
from alif.evaluate.benchmark import ItemResult
from alif.language.pack import load_pack
from alif.records import Example, Origin

UR, EN = load_pack("ur"), load_pack("en")
GOOD = "لاہور پاکستان کا دوسرا بڑا شہر ہے اور دریائے راوی کے کنارے آباد ہے۔"


def found(
    answer: str,
    task: str = "qa",
    reference: str = GOOD,
    instruction: str = "لاہور کہاں ہے؟",
    finished: bool = True,
) -> set[str]:
    question = Example.make("ur", task, instruction, "", reference, Origin(kind="source"))
    (faults,) = output_checks.find_faults(
        [question], [ItemResult(id="a", text=answer, finished=finished)], UR, EN
    )
    return set(faults)


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        (GOOD, set()),
        ("", {"empty"}),
        ("۔ ۔", {"empty"}),
        ("Lahore is the second largest city of Pakistan.", {"wrong_language"}),
        ("شہر کا نام هے كراچي اور یہ سمندر کے کنارے آباد ہے", {"lookalike_letters"}),
        ("لاہور پاکستان کا शहर ہے اور یہاں لوگ رہتے ہیں", {"foreign_script"}),
        ("اور پھر وہ گھر گیا " * 12, {"repetition"}),
        ("ہا" * 30, {"repetition"}),
        (f"{GOOD} " + "ہے" * 20 + " اور یہی بات ہے", {"repetition"}),
        (GOOD + "۔" * 60, {"repetition"}),
        (f"{GOOD} \ufffd", {"broken_characters"}),
        ("H2O", set()),
        ("1. آم میٹھا پھل ہے\n2. سیب سرخ ہوتا ہے\n3. کیلا پیلا ہوتا ہے\n4. انگور چھوٹا ہوتا ہے", set()),
        ("یہ عدد π ہے جو دائرے کے محیط اور قطر کی نسبت کو ظاہر کرتا ہے اور بہت پرانا ہے", set()),
    ],
)
def test_each_fault_and_no_other(answer: str, faults: set[str]) -> None:
    assert found(answer) == faults


def test_unfinished() -> None:
    assert found(GOOD, finished=False) == {"unfinished"}


def test_a_translation_may_be_in_the_language_of_its_reference() -> None:
    english, urdu = (
        "My little sister feeds the birds every morning.",
        "میری چھوٹی بہن ہر صبح پرندوں کو دانہ ڈالتی ہے۔",
    )
    assert found(english, "translation", english) == set()
    assert found(urdu, "translation", urdu) == set()
    assert found(urdu, "translation", english) == {"wrong_language"}
    assert found(english, "translation", urdu) == {"wrong_language"}
    assert found(english, "translation", "H2O") == set()


def test_roman_urdu_is_held_to_the_script_of_its_reference() -> None:
    roman, urdu = (
        "Mera phone kharab ho gaya hai, kal theek karwaunga.",
        "میرا فون خراب ہو گیا ہے، کل ٹھیک کرواؤں گا۔",
    )
    english = "My phone is broken and I will have it repaired tomorrow."
    for wanted, other in ((roman, urdu), (urdu, roman)):
        assert found(wanted, "roman", wanted) == set()
        assert found(other, "roman", wanted) == {"wrong_language"}
        assert found(english, "roman", wanted) == {"wrong_language"}
    assert found(roman, "qa", urdu) == {"wrong_language"}


def test_letters_of_the_question_are_not_held_against_the_answer() -> None:
    answer = "اس لفظ كتاب کا مطلب ہے پڑھنے کی چیز"
    assert found(answer) == {"lookalike_letters"}
    assert found(answer, instruction="كتاب کا مطلب کیا ہے؟") == set()


def test_the_references_of_the_test_set_have_no_fault() -> None:
    rows = [row for _, row in store.read_rows(UR.folder / "test.jsonl")]
    for row in rows:
        assert (
            found(row["output"], row["task"], row["output"], f"{row['instruction']}\n{row.get('input', '')}")
            == set()
        ), row


def test_one_answer_to_everything_is_generic_and_a_frequent_label_is_not() -> None:
    tasks = ["qa", "ethics", "reasoning", "sentiment", "sentiment", "sentiment"]
    asked = [
        Example.make("ur", task, f"سوال {number}", "", "۴۲", Origin(kind="source"))
        for number, task in enumerate(tasks)
    ]
    said = ["جی ہے۔", "جی ہے", "جی ہے", "مثبت", "مثبت", "مثبت"]
    found = output_checks.find_faults(asked, [ItemResult(id=one, text=one) for one in said], UR, EN)
    assert found == [("generic",)] * 3 + [()] * 3
