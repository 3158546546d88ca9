"""Marks on Urdu answers: pairs that a reader calls equal, traps, numbers, labels."""

from __future__ import annotations

import pytest

from alif.evaluate import metrics
from alif.language.answers import match
from alif.language.pack import Pack, load_pack

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
    found = metrics.score_answer(one, other, None, urdu)
    assert (found.exact_match, found.exact_match_nospace, found.accepted) == (True, True, None)
    assert found.token_f1 == pytest.approx(1.0) or "," in one or "٬" in one


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_traps(one: str, other: str, urdu: Pack) -> None:
    for task in (None, urdu.tasks["qa"], urdu.tasks["reasoning"]):
        found = metrics.score_answer(one, other, task, urdu)
        assert (found.exact_match, found.exact_match_nospace) == (False, False)


def test_spaces_are_a_tier_of_their_own(urdu: Pack) -> None:
    found = metrics.score_answer("اسلامآباد", "اسلام آباد", urdu.tasks["qa"], urdu)
    assert (found.exact_match, found.exact_match_nospace) == (False, True)


def test_free_text_is_exact_only_word_for_word(urdu: Pack) -> None:
    for answer in ("یہ شہر کراچی ہے", "کراچی، لاہور"):
        assert not metrics.score_answer(answer, "کراچی", urdu.tasks["qa"], urdu).exact_match
        assert not metrics.score_answer(answer, "کراچی", urdu.tasks["classification"], urdu).exact_match


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
    marks = metrics.score_answer(
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
    marks = metrics.score_answer(answer, reference, urdu.tasks["reasoning"], urdu)
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
    marks = metrics.score_answer(answer, "مثبت", urdu.tasks["sentiment"], urdu)
    assert marks.exact_match == exact


def test_chrf_folds_only_where_it_says_so(urdu: Pack) -> None:
    found = metrics.score_answer("كراچي ايك شهر هے", "کراچی ایک شہر ہے", None, urdu)
    assert found.chrf < 50
    assert found.chrf_folded == pytest.approx(100)
    assert metrics.score_answer("کراچی", "کراچی", None, urdu).chrf == pytest.approx(100)


def test_an_empty_answer_has_no_marks(urdu: Pack) -> None:
    found = metrics.score_answer("", "140", urdu.tasks["reasoning"], urdu)
    assert (found.exact_match, found.token_f1, found.chrf) == (False, 0, 0)


def test_signatures_name_version_and_normalisation() -> None:
    assert metrics.metric_signatures()["exact_match"].endswith(match.SIGNATURE)
    assert metrics.metric_signatures()["exact_match_nospace"].endswith(match.SIGNATURE)
    assert "nw:2" in metrics.metric_signatures()["chrf++"]
    assert "version:" in metrics.metric_signatures()["chrf++"]
    assert "folded" in metrics.metric_signatures()["chrf++_folded"]
    assert "folded" not in metrics.metric_signatures()["chrf++"]
