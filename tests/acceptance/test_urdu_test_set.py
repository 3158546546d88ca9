"""The Urdu test set tells right answers from wrong ones: section 3 of the editor's audit of the Urdu pack.

tests/acceptance/data/urdu_test_set.jsonl holds for each short-answer question a right full sentence and a
wrong short answer, both written by hand.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alif import settings, store
from alif.evaluate import testset
from alif.evaluate.benchmark import ItemResult
from alif.evaluate.testset import TestQuestion
from alif.language import text
from alif.language.pack import load_pack
from alif.runs import StepOutput

UR, EN = load_pack("ur"), load_pack("en")
ANSWERS = [row for _, row in store.read_rows(Path(__file__).parent / "data" / "urdu_test_set.jsonl")]


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TestQuestion]:
    with StepOutput(tmp_path_factory.mktemp("questions")) as output:
        found = testset.read_test_questions(output, UR, "", settings.Benchmarks(), settings.Evaluate())
    return {row.id: row for row in found}


def is_accepted(question: TestQuestion, answer: str) -> bool:
    return question.key.is_accepted(text.final_answer(answer, UR.tasks[question.task], UR), UR)


def asked(questions: dict[str, TestQuestion], start: str) -> TestQuestion:
    (found,) = [row for row in questions.values() if row.instruction.startswith(start)]
    return found


def test_every_short_answer_question_has_a_right_and_a_wrong_answer(
    questions: dict[str, TestQuestion],
) -> None:
    assert sorted(row["id"] for row in ANSWERS) == sorted(
        row.id for row in questions.values() if row.key.accept
    )
    short = {"qa", "reasoning", "classification", "sentiment"}
    free = [row for row in questions.values() if row.task in short and not row.key.accept]
    assert len(free) <= 3  # summaries and explanations


@pytest.mark.parametrize("row", ANSWERS, ids=[row["id"] for row in ANSWERS])
def test_a_wrong_short_answer_never_beats_a_right_long_one(
    row: dict[str, str], questions: dict[str, TestQuestion]
) -> None:
    question = questions[row["id"]]
    assert is_accepted(question, row["right"]), question.instruction
    assert not is_accepted(question, row["wrong"]), question.instruction


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        ("بالغ انسان کے منہ میں", "بتیس"),
        ("مکلی کا قدیم قبرستان", "ٹھٹھہ"),
        ("مکلی کا قدیم قبرستان", "ٹھٹہ"),
        ("سورج کی روشنی کو زمین", "8 منٹ"),
        ("پنجاب کے زمینداروں", "آٹھ"),
        ("بارات صبح 9 بج کر", "جواب: 12:15"),
        ("بارات صبح 9 بج کر", "دوپہر سوا بارہ بجے"),
        ("دیوار گھڑی ہر گھنٹے", "جواب: شام 5:40 بجے"),
        ("چوکیدار رات 11 بج", "جواب: پونے سات گھنٹے"),
        ("زینب مہر سے لمبی", "جواب: ثنا"),
        ("زینب مہر سے لمبی", "ج"),
        ("صبا کا منہ شمال", "جنوب کی طرف"),
        ("گلدان سعد، ہبہ یا عمر", "عمر نے توڑا"),
        ("لوک داستان کی سسی", "مکران"),
        ("پاکستانی نوٹ کس", "اسٹیٹ بینک آف پاکستان"),
        ("پنجاب میں گندم پکنے", "ویساکھی"),
        ("لاہور کی بادشاہی مسجد", "اورنگ زیب"),
    ],
)
def test_urdu_3_what_people_write_is_right(
    start: str, answer: str, questions: dict[str, TestQuestion]
) -> None:
    assert is_accepted(asked(questions, start), answer)


def test_urdu_3_1_the_longest_river(questions: dict[str, TestQuestion]) -> None:
    question = asked(questions, "پاکستان کا سب سے لمبا دریا")
    right = "پاکستان کا سب سے لمبا دریا دریائے سندھ ہے، جو تبت سے نکل کر بحیرۂ عرب میں گرتا ہے۔"
    answers = [ItemResult(id=question.id, text=one) for one in ("دریائے جہلم", right)]
    wrong, better = (
        {one.key[:2]: one.items.value for one in testset.measure_testset(scored, "ur")}
        for scored in ([one] for one in testset.score_answers([question, question], answers, UR, EN))
    )
    assert (wrong["test/qa", "accepted"], better["test/qa", "accepted"]) == (0, 1)
    assert ("test/qa", "chrf++") not in wrong


def test_urdu_3_1_free_text_is_judged_and_translations_have_two_references(
    questions: dict[str, TestQuestion],
) -> None:
    for row in questions.values():
        if row.task in ("generation", "ethics"):
            assert 3 <= len(row.key.rubric) <= 5
        if row.task == "translation":
            assert len(row.key.references) == 2


def test_urdu_3_1_a_third_of_the_questions_is_hard() -> None:
    rows = [row for _, row in store.read_rows(UR.folder / "test.jsonl")]
    hard = Counter(row["task"] for row in rows if row.get("tier") == "hard")
    assert hard.total() == 150
    assert min(hard[task] for task in UR.tasks) >= 10


@pytest.mark.parametrize("mark", "«»؛")
def test_urdu_k5_k7_marks_that_are_not_urdu(mark: str) -> None:
    for number, row in store.read_rows(UR.folder / "test.jsonl"):
        assert mark not in "".join(str(row[key]) for key in ("instruction", "input", "output")), number


@pytest.mark.parametrize(
    "word", ["ہوگا", "ہوگی", "تمہار", "انہیں", "انہوں", "گھنٹہ", "مہینہ", "پیسہ", "دلہا", "دکان دار"]
)
def test_urdu_k6_one_spelling_in_outputs(word: str) -> None:
    for number, row in store.read_rows(UR.folder / "test.jsonl"):
        assert word not in row["output"], number


def test_every_sum_of_the_test_set_holds() -> None:
    for number, row in store.read_rows(UR.folder / "test.jsonl"):
        assert all(holds for _, holds in text.check_equations(row["output"], UR)), number
