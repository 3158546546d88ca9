"""Bad input of the evaluation: counted, named, shown inert, nothing lost.

A row without a right answer and a judge that answers in prose are in tests/test_benchmark_items.py and
tests/evaluate/test_judge.py; here are answers, to benchmarks of every written form and on the page.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from alif import store
from alif.benchmark_items import Item
from alif.evaluate.benchmark import ItemResult, PairScores
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import QuestionSet
from alif.facts.evaluation_facts import AnswerRow
from alif.language.pack import load_pack
from alif.report import page
from alif.settings import BenchmarkTable
from tests import made_up

ANSWERS = {
    "ten_megabytes": "کراچی اور پشاور۔ " * 350_000,
    "nuls": "\x00" * 40,
    "unclosed_direction_marks": "\u202e\u2067" * 20 + "42",
    "hostile_html": '"><script>alert(1)</script><img src=x onerror=alert(2)></bdi></details>{{ 7 * 7 }}',
}
FORMS = {
    "number": Item("a", "چھ ضرب سات؟", answers=("42",)),
    "short": Item("b", "پاکستان کا دارالحکومت؟", answers=("اسلام آباد",)),
    "choice": Item("c", "کون سا شہر؟", ("لاہور", "کوئٹہ"), 1),
    "translation": Item("d", "A book.", answers=("ایک کتاب۔",)),
}


def score(name: str, form: str) -> tuple[AnswerRow, PairScores]:
    """Score one answer to the only item of a form."""
    table = BenchmarkTable.model_validate(
        {"form": form, "files": "x", "asked": "text" if form == "choice" else "likelihood"}
        | ({"wordings": ["{{ question }}"]} if form == "translation" else {})
    )
    asked = QuestionSet(form, table, [FORMS[form]], load_pack("ur"))
    (benchmark,) = question_benchmarks(asked, "auto", 8)
    return benchmark.rows[0], benchmark.score([ItemResult(id=FORMS[form].id, text=ANSWERS[name])])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ANSWERS)
def test_evaluation_bad_answers_are_scored_and_counted(name: str, form: str) -> None:
    _, scored = score(name, form)
    assert all(len(one.items) == 1 and math.isfinite(one.items.value) for one in scored.metrics)
    if form == "choice":  # no choice is named: counted as unreadable, never right by accident
        assert {one.metric: one.items.value for one in scored.metrics} == {
            "choice": 0,
            "choice_unreadable": 1,
        }
    ((text, _),) = scored.answers
    assert text == ANSWERS[name]


def test_evaluation_bad_answers_are_shown_inert_and_none_is_lost(tmp_path: Path) -> None:
    rows: list[AnswerRow] = []
    for name in ANSWERS:
        row, scored = score(name, "number")
        ((text, marks),) = scored.answers
        told = {"answers": {"base": text, "finetune": "ٹھیک"}, "marks": {"base": marks, "finetune": marks}}
        rows.append(row.model_copy(update=told | {"id": name}))
    root = made_up.build(tmp_path)
    store.write_rows(root / "evaluate" / "benchmark_answers.jsonl", rows)
    assert list(store.read_models(root / "evaluate" / "benchmark_answers.jsonl", AnswerRow)) == rows
    path = page.write_report([root])
    shown = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 5_000_000
    assert shown.count('data-benchmark="number"') == len(ANSWERS)
    assert shown.count("<script") == 1
    assert "<img" not in shown
    assert not {"\x00", "\u202e", "\u2067"} & set(shown)
