"""The test set: who is asked, how the file of answers looks, the self-test of the scorer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alif import recipe, store
from alif.evaluate import testset
from alif.evaluate.heldout_answers import Answer
from alif.language.pack import load_pack

UR, EN = load_pack("ur"), load_pack("en")
MINE = recipe.Benchmarks(test=("mine.jsonl",))
ROW = {"task": "qa", "instruction": "پانی کا فارمولا لکھیے۔", "input": "", "output": "H2O"}


def test_the_same_number_from_each_task() -> None:
    found, dropped = testset.read_test_questions(UR, "", recipe.Benchmarks(), recipe.Evaluate(questions=16))
    assert Counter(row.task for row in found) == dict.fromkeys(UR.tasks, 2)
    assert not dropped
    assert found == testset.read_test_questions(UR, "", recipe.Benchmarks(), recipe.Evaluate(questions=16))[0]


def test_rows_that_are_no_question_and_twice_the_same_are_dropped(tmp_path: Path) -> None:
    store.write_rows(
        tmp_path / "mine.jsonl",
        [ROW, {"task": "qa", "instruction": "کیا؟"}, ROW, {**ROW, "task": "poem", "input": "x"}],
    )
    found, dropped = testset.read_test_questions(UR, str(tmp_path), MINE, recipe.Evaluate())
    assert [row.task for row in found] == ["qa", "poem"]
    assert [row.reason for row in dropped] == ["missing_field", "duplicate"]


def test_an_unknown_task_is_marked_as_free_text(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "mine.jsonl", [{**ROW, "task": "poem"}])
    asked, _ = testset.read_test_questions(UR, str(tmp_path), MINE, recipe.Evaluate())
    (one,) = testset.score_answers(asked, [Answer("h2o", True)], UR, EN)
    assert one.marks.exact_match
    assert one.faults == ()


def test_the_scorer_gives_every_reference_full_marks() -> None:
    asked, _ = testset.read_test_questions(UR, "", recipe.Benchmarks(), recipe.Evaluate())
    assert testset.score_references(asked, UR, EN) == {
        "right": len(asked),
        "n": len(asked),
        "wrong": [],
        "faults": {},
    }
    marked = testset.score_answers(asked, [Answer(row.output, True) for row in asked], UR, EN)
    values = {one.key[:2]: one.items.value for one in testset.measure_testset(asked, marked, "ur")}
    full = {
        "exact_match": 1,
        "exact_match_nospace": 1,
        "answer_found": 1,
        "token_f1": 1,
        "chrf++": 100,
        "chrf++_folded": 100,
    }
    assert {
        metric: value for (benchmark, metric), value in values.items() if benchmark == "test"
    } == pytest.approx(full)
    assert all(value == 0 for (benchmark, _), value in values.items() if benchmark == "fidelity")


def test_answers_stand_side_by_side_and_samples_are_spread() -> None:
    asked, _ = testset.read_test_questions(UR, "", recipe.Benchmarks(), recipe.Evaluate())
    stages = {
        stage: testset.score_answers(
            asked, [Answer(f"{stage} {index}", True) for index in range(len(asked))], UR, EN
        )
        for stage in ("base", "pretrain")
    }
    rows = testset.answer_rows(asked, stages, 8, 1)
    assert len(rows) == len(asked)
    assert rows[3]["answers"] == {"base": "base 3", "pretrain": "pretrain 3"}
    assert rows[3]["reference"] == asked[3].output
    assert sorted(row["task"] for row in rows if row["sample"]) == sorted(UR.tasks)
    assert not any(row["sample"] for row in testset.answer_rows(asked, stages, 0, 1))
