"""Marks on Urdu answers: pairs that a reader calls equal, traps, numbers, labels."""

from __future__ import annotations

import pytest

from alif.evaluate import metrics
from alif.language.pack import Pack, load

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
TRAPS = (("3.5", "35"), ("-5", "5"), ("2 سے 3", "3 سے 2"), ("آم", "ام"))


@pytest.fixture(scope="module")
def urdu() -> Pack:
    return load("ur")


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_answers(one: str, other: str, urdu: Pack) -> None:
    assert metrics.same(one, other, urdu)
    assert metrics.same(one, other, urdu, spaces=False)
    assert metrics.mark(one, other, None, urdu).token_f1 == pytest.approx(1.0) or "," in one or "٬" in one


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_traps(one: str, other: str, urdu: Pack) -> None:
    assert not metrics.same(one, other, urdu)
    assert not metrics.same(one, other, urdu, spaces=False)


def test_spaces_are_a_tier_of_their_own(urdu: Pack) -> None:
    found = metrics.mark("اسلامآباد", "اسلام آباد", urdu.tasks["qa"], urdu)
    assert (found.exact_match, found.exact_match_nospace) == (False, True)


@pytest.mark.parametrize(
    ("answer", "exact", "found"),
    [
        ("استدلال:\n336 ÷ 12 = 28\nجواب: 140 روپے", True, True),
        ("استدلال:\n336 ÷ 12 = 28\nجواب: ۱۴۰", True, True),
        ("وہ 140 روپے دے گی۔", True, True),
        ("استدلال:\n28 × 5 = 140\nجواب: 28 روپے", False, True),
        ("جواب: -140", False, True),
        ("معلوم نہیں", False, False),
    ],
)
def test_reasoning_compares_the_final_number(answer: str, exact: bool, found: bool, urdu: Pack) -> None:
    marks = metrics.mark(answer, "استدلال:\n28 × 5 = 140\nجواب: 140 روپے", urdu.tasks["reasoning"], urdu)
    assert (marks.exact_match, marks.answer_found) == (exact, found)


@pytest.mark.parametrize(
    ("answer", "exact", "found"),
    [
        ("مثبت", True, True),
        ("جذبات: مثبت۔", True, True),
        ("یہ جملہ مثبت ہے", True, True),
        ("مثبت، منفی، غیر جانبدار، ملا جلا", False, False),
        ("منفی", False, True),
        ("خوشی", False, False),
    ],
)
def test_sentiment_wants_exactly_one_label(answer: str, exact: bool, found: bool, urdu: Pack) -> None:
    marks = metrics.mark(answer, "مثبت", urdu.tasks["sentiment"], urdu)
    assert (marks.exact_match, marks.answer_found) == (exact, found)


def test_chrf_folds_only_where_it_says_so(urdu: Pack) -> None:
    found = metrics.mark("كراچي ايك شهر هے", "کراچی ایک شہر ہے", None, urdu)
    assert found.chrf < 50
    assert found.chrf_folded == pytest.approx(100)
    assert metrics.mark("کراچی", "کراچی", None, urdu).chrf == pytest.approx(100)


def test_an_empty_answer_has_no_marks(urdu: Pack) -> None:
    found = metrics.mark("", "140", urdu.tasks["reasoning"], urdu)
    assert (found.exact_match, found.answer_found, found.token_f1, found.chrf) == (False, False, 0, 0)


def test_signatures_name_version_and_normalisation() -> None:
    assert "nw:2" in metrics.SIGNATURES["chrf++"]
    assert "version:" in metrics.SIGNATURES["chrf++"]
    assert "folded" in metrics.SIGNATURES["exact_match"]
