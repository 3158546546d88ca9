"""Marks on Urdu answers: pairs that a reader calls equal, traps, numbers, labels."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from alif import store
from alif.evaluate import metrics
from alif.language.answers import match
from alif.language.pack import Pack, load_pack

PAIRS = Path(__file__).parents[1] / "language" / "answers"
EQUAL = (
    ("۴۲", "42"),
    ("٤٢", "42"),
    ("1,000", "1000"),
    ("۱٬۰۰۰", "1000"),
    ("1,00,000", "100000"),
    ("۳٫۵", "3.5"),
    ("−۵", "-5"),
    ("کراچی۔", "کراچی"),
    ("كراچي", "کراچی"),
    ("علامه اقبال", "علامہ اقبال"),
    ("کِتاب", "کتاب"),
    ("لاہور، پاکستان", "لاہور پاکستان"),
    ("لاہور،پاکستان", "لاہور پاکستان"),
    ("«ہاں»", "ہاں"),
    ("جرأت", "جرات"),
    ("خوش\u200cآمدید", "خوش آمدید"),
    ("ﮐﺘﺎﺏ", "کتاب"),
    ("آی\u0654ے", "آئے"),
    ("Lahore", "lahore"),
    ("ہاں،\u200f جی!", "ہاں جی"),
)
TRAPS = (
    ("3.5", "35"),
    ("-5", "5"),
    ("2 سے 3", "3 سے 2"),
    ("آم", "ام"),
    ("5 کلومیٹر", "5 میٹر"),
    ("کراچی نہیں", "کراچی"),
)


@pytest.fixture(scope="module")
def urdu() -> Pack:
    return load_pack("ur")


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_answers(one: str, other: str, urdu: Pack) -> None:
    found = metrics.AnswerScores(one, other, None, urdu)
    assert (found.exact_match, found.exact_match_nospace, found.accepted) == (True, True, None)
    assert found.token_f1 == pytest.approx(1.0) or "," in one or "٬" in one


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_traps(one: str, other: str, urdu: Pack) -> None:
    for task in (None, urdu.tasks["qa"], urdu.tasks["reasoning"]):
        found = metrics.AnswerScores(one, other, task, urdu)
        assert (found.exact_match, found.exact_match_nospace) == (False, False)


def test_spaces_are_a_tier_of_their_own(urdu: Pack) -> None:
    found = metrics.AnswerScores("اسلامآباد", "اسلام آباد", urdu.tasks["translation"], urdu)
    assert (found.exact_match, found.exact_match_nospace) == (False, True)
    assert metrics.AnswerScores("اسلامآباد", "اسلام آباد", urdu.tasks["qa"], urdu).exact_match  # a fact


def test_free_text_is_exact_only_word_for_word(urdu: Pack) -> None:
    for answer in ("یہ شہر کراچی ہے", "کراچی، لاہور"):
        assert not metrics.AnswerScores(answer, "کراچی", urdu.tasks["generation"], urdu).exact_match
        assert not metrics.AnswerScores(answer, "کراچی", urdu.tasks["classification"], urdu).exact_match


@pytest.mark.parametrize(("code", "share"), [("ur", 0.97), ("bn", 0.95), ("sd", 0.95), ("sw", 0.95)])
def test_short_answers_are_judged_as_a_reader_does(code: str, share: float) -> None:
    pack = load_pack(code)
    rows = [row for _, row in store.read_rows(PAIRS / f"short_answers.{code}.jsonl")]
    for equal in (True, False):
        asked = [row for row in rows if row["equal"] is equal]
        wrong = [
            row["id"]
            for row in asked
            if metrics.AnswerScores(
                row["answer"], row["reference"], pack.tasks[row["task"]], pack
            ).exact_match
            is not equal
        ]
        assert len(wrong) <= (1 - share) * len(asked), wrong


@pytest.mark.parametrize(
    ("answer", "exact"),
    [
        ("استدلال:\n336 ÷ 12 = 28\nجواب: 140 روپے", True),
        ("استدلال:\n336 ÷ 12 = 28\nجواب: ۱۴۰", True),
        ("وہ 140 روپے دے گی۔", True),
        ("جواب: ایک سو چالیس روپے", True),
        ("جواب: 140 کلو", False),
        ("استدلال:\n28 × 5 = 140\nجواب: 28 روپے", False),
        ("جواب: -140", False),
        ("معلوم نہیں", False),
    ],
)
def test_reasoning_compares_the_final_number(answer: str, exact: bool, urdu: Pack) -> None:
    marks = metrics.AnswerScores(
        answer, "استدلال:\n28 × 5 = 140\nجواب: 140 روپے", urdu.tasks["reasoning"], urdu
    )
    assert marks.exact_match == exact


@pytest.mark.parametrize(
    ("answer", "reference", "exact"),
    [
        ("جواب: ب", "جواب: (ب)", True),
        ("درست جواب (ب) ہے", "جواب: (ب)", True),
        ("B", "جواب: (ب)", True),
        ("جواب: (ج)", "جواب: (ب)", False),
        ("معلوم نہیں", "جواب: (ب)", False),
        ("گھڑی میں ۱۲ بج کر ۱۵ منٹ ہوں گے", "جواب: 12 بج کر 15 منٹ", True),
        ("جواب: 3 بج کر 15 منٹ", "جواب: 12 بج کر 15 منٹ", False),
        ("جواب: بعد میں", "جواب: 12 بج کر 15 منٹ", False),
    ],
)
def test_reasoning_wants_the_choice_or_all_numbers(
    answer: str, reference: str, exact: bool, urdu: Pack
) -> None:
    marks = metrics.AnswerScores(answer, reference, urdu.tasks["reasoning"], urdu)
    assert (marks.exact_match, marks.exact_match_nospace) == (exact, exact)


@pytest.mark.parametrize(
    ("answer", "exact"),
    [
        ("مثبت", True),
        ("جذبات: مثبت۔", True),
        ("یہ جملہ مثبت ہے", True),
        ("مثبت، منفی، غیر جانبدار، ملا جلا", False),
        ("منفی", False),
        ("خوشی", False),
    ],
)
def test_sentiment_wants_exactly_one_label(answer: str, exact: bool, urdu: Pack) -> None:
    marks = metrics.AnswerScores(answer, "مثبت", urdu.tasks["sentiment"], urdu)
    assert marks.exact_match == exact


def test_chrf_folds_only_where_it_says_so(urdu: Pack) -> None:
    found = metrics.AnswerScores("كراچي ايك شهر هے", "کراچی ایک شہر ہے", None, urdu)
    assert found.chrf < 50
    assert found.chrf_folded == pytest.approx(100)
    assert metrics.AnswerScores("کراچی", "کراچی", None, urdu).chrf == pytest.approx(100)


def test_an_empty_answer_has_no_marks(urdu: Pack) -> None:
    found = metrics.AnswerScores("", "140", urdu.tasks["reasoning"], urdu)
    assert (found.exact_match, found.token_f1, found.chrf) == (False, 0, 0)


def test_signatures_name_version_and_normalisation() -> None:
    assert match.SIGNATURE in metrics.metric_signatures()["exact_match"]
    assert match.SIGNATURE in metrics.metric_signatures()["exact_match_nospace"]
    assert "nw:2" in metrics.metric_signatures()["chrf++"]
    assert "version:" in metrics.metric_signatures()["chrf++"]
    assert "folded" in metrics.metric_signatures()["chrf++_folded"]
    assert "folded" not in metrics.metric_signatures()["chrf++"]


CHOICES = "پاکستان کا سب سے بڑا شہر کون سا ہے؟ (الف) لاہور (ب) کراچی (ج) پشاور"


@pytest.mark.parametrize(
    ("answer", "choice", "unreadable"),
    [
        ("(ب) کراچی", True, False),
        ("جواب (ب) ہے", True, False),
        ("کراچی", True, False),
        ("دوسرا", True, False),
        ("(الف)", False, False),
        ("لاہور", False, False),
        ("مجھے علم نہیں", False, True),
        ("", False, True),
        ("(الف) یا (ب)", False, True),
    ],
)
def test_a_generated_choice_is_right_or_wrong_or_unreadable(
    answer: str, choice: bool, unreadable: bool, urdu: Pack
) -> None:
    found = metrics.AnswerScores(answer, "(ب) کراچی", urdu.tasks["qa"], urdu, asked=CHOICES)
    assert (found.choice, found.choice_unreadable) == (choice, unreadable)
    assert found.choice_chance == pytest.approx(1 / 3)


def test_a_question_without_choices_has_no_choice(urdu: Pack) -> None:
    found = metrics.AnswerScores("کراچی", "کراچی", urdu.tasks["qa"], urdu, asked="سب سے بڑا شہر؟")
    assert (found.choice, found.choice_unreadable, found.number, found.number_read) == (None,) * 4


@pytest.mark.parametrize(
    ("answer", "right", "read"),
    [("کل ۴۲ ہیں", True, True), ("بیالیس", True, True), ("43", False, True), ("معلوم نہیں", False, False)],
)
def test_a_number_that_cannot_be_read_is_not_a_wrong_one(
    answer: str, right: bool, read: bool, urdu: Pack
) -> None:
    found = metrics.AnswerScores(answer, "42", urdu.tasks["reasoning"], urdu)
    assert (found.number, found.number_read) == (right, read)


def test_contains_rouge_and_bleu(urdu: Pack) -> None:
    found = metrics.AnswerScores("یہ شہر كراچي ہے۔", "کراچی", urdu.tasks["qa"], urdu)
    assert (found.contains, found.rouge_l) == (True, pytest.approx(2 / 5))
    assert not metrics.AnswerScores("کراچی نہیں", "کراچی", urdu.tasks["qa"], urdu).contains
    spaced = metrics.AnswerScores("کراچی ایک بڑا شہر ہے ۔", "کراچی ایک بڑا شہر ہے۔", None, urdu)
    assert spaced.bleu == pytest.approx(100)
    arabic = metrics.AnswerScores("كراچي ايك بڑا شہر ہے۔", "کراچی ایک بڑا شہر ہے۔", None, urdu)
    assert arabic.bleu < 60 < arabic.bleu_folded == pytest.approx(100)


@pytest.mark.parametrize(
    "answer",
    [
        "کراچی " * 2_000_000,
        "\0" * 1_000_000,
        "\u202e" * 100_000 + "42",
        "<script>alert(1)</script>" * 400_000,
    ],
)
def test_ten_megabytes_take_no_longer_than_a_page(answer: str, urdu: Pack) -> None:
    began = time.process_time()
    found = metrics.AnswerScores(answer, "42", urdu.tasks["reasoning"], urdu)
    values = [getattr(found, name) for name in metrics.METRICS.values()]
    assert len(values) == len(metrics.METRICS)
    assert time.process_time() - began < 20


def test_a_long_answer_is_scored_by_its_beginning_and_its_end(urdu: Pack) -> None:
    answer = "وجہ یہ ہے کہ سب کچھ گنا گیا۔\n" * 2000 + "جواب: 42"
    assert metrics.AnswerScores(answer, "جواب: 42", urdu.tasks["reasoning"], urdu).exact_match
    assert len(metrics.clip_text(answer)) == metrics.MAX_CHARS + 1
