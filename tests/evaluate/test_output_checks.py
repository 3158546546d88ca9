"""Output checks: each fault is found, and right answers have none."""

from __future__ import annotations

import time

import pytest

from alif import store
from alif.evaluate import output_checks
from alif.evaluate.answer_checks import AnswerFinding
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


def findings(answer: str) -> tuple[AnswerFinding, ...]:
    question = Example.make("ur", "qa", "لاہور کہاں ہے؟", "", GOOD, Origin(kind="source"))
    return output_checks.check_answers([question], [ItemResult(id="a", text=answer)], UR, EN)[0]


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


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        (f"{GOOD} This is a very big city in the north.", {"source_language_run"}),
        (f"{GOOD} یہاں کی Badshahi Mosque مشہور ہے۔", set()),
        (f"{GOOD} `print the whole list of cities` لکھیں۔", set()),
        (f"{GOOD} سائن بورڈ پر “Welcome to the city of gardens” لکھا ہے۔", set()),
        (f"{GOOD}\nIt is also the capital of the province of Punjab.", {"wrong_language_line"}),
        (f"{GOOD}\nيقع هذا المقال في مدينة كبيرة من مدن العالم", set()),
        (f"{GOOD}\nयह शहर बहुत बड़ा और सुंदर है और लोग अच्छे हैं", {"wrong_language_line", "foreign_script"}),
        (f"{GOOD}\nبخدمت جناب پوسٹ ماسٹر صاحب، صدر ڈاک خانہ، نواب شاہ", set()),
        (f"{GOOD} <0xD9><0x84>", {"broken_characters"}),
        (f"{GOOD} ﻻﮨﻮﺭ", {"broken_characters"}),
        (f"{GOOD}\0", {"broken_characters"}),
        (f"\u202e{GOOD}", {"broken_characters"}),
        (f"\u202b{GOOD}\u202c", set()),
        (f"{GOOD} Ø§Ø±Ø¯Ùˆ", {"broken_characters"}),
        ("معذرت، بطور مصنوعی ذہانت میں اس سوال کا جواب نہیں دے سکتا۔", {"refusal"}),
        (f"{GOOD} اس کی آبادی ۱۳ ملین ہے اور 36 ٹاؤن ہیں۔", {"mixed_digits"}),
        (f"{GOOD} اس کی آبادی ۱۳ ملین ہے۔", set()),
    ],
)
def test_signatures_of_a_model_that_learned_the_language_badly(answer: str, faults: set[str]) -> None:
    assert {one.fault for one in findings(answer)} == faults


def test_an_english_request_answered_in_urdu() -> None:
    asked = Example.make("en", "", "Where is Lahore?", "", "It is in Pakistan.", Origin(kind="source"))
    (found,) = output_checks.find_faults([asked], [ItemResult(id="a", text=GOOD)], UR, EN)
    assert found == ("taught_language",)
    right = ItemResult(id="a", text="Lahore lies in the north of Pakistan.")
    assert output_checks.find_faults([asked], [right], UR, EN) == [()]


def test_answers_that_all_begin_alike() -> None:
    asked = [
        Example.make("ur", "qa", f"سوال نمبر {number}", "", GOOD, Origin(kind="source"))
        for number in range(6)
    ]
    said = [f"یہ ایک بہت اچھا سوال ہے اور اس کا جواب {number} ہے" for number in range(3)]
    said += ["لاہور", "لاہور", GOOD]
    found = output_checks.find_faults(asked, [ItemResult(id=one, text=one) for one in said], UR, EN)
    assert found == [("generic_opening",)] * 3 + [()] * 3


def test_a_refusal_is_none_where_the_reference_refuses_or_a_rubric_judges() -> None:
    refused = "معذرت، میں اس میں مدد نہیں کر سکتا۔"
    assert "refusal" in found(refused)
    assert "refusal" not in found(refused, reference=refused)


@pytest.mark.parametrize(
    "answer",
    [
        "ہے" * 5_000_000,
        "\0" * 1_000_000,
        "\u202e" * 200_000,
        "<script>alert(1)</script>" * 400_000,
        "a b " * 10**6,
    ],
)
def test_ten_megabytes_are_named_and_take_no_longer_than_a_page(answer: str) -> None:
    began = time.process_time()
    assert "overlong" in found(answer)
    assert time.process_time() - began < 20


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
        assert found(other, "roman", wanted) == {"wrong_script"}
        assert found(english, "roman", wanted) == {"wrong_language"}
    assert found(roman, "qa", urdu) == {"wrong_script"}


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
