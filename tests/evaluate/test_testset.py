"""The test set: which questions are asked, how answers.jsonl looks, the self-test of the scorer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alif import settings, store
from alif.evaluate import testset
from alif.evaluate.benchmark import GenerationRequest, ItemResult
from alif.evaluate.testset import TestQuestion
from alif.language.pack import load_pack
from alif.runs import StepOutput

UR, EN = load_pack("ur"), load_pack("en")
MINE = settings.Benchmarks(test=("mine.jsonl",))
ROW = {"task": "qa", "instruction": "پانی کا فارمولا لکھیے۔", "input": "", "output": "H2O"}


def read(
    folder: Path, benchmarks: settings.Benchmarks = MINE, questions: int = 0
) -> tuple[list[TestQuestion], StepOutput]:
    with StepOutput(folder) as output:
        evaluate = settings.Evaluate(questions=questions)
        return testset.read_test_questions(output, UR, str(folder), benchmarks, evaluate), output


@pytest.fixture
def questions(tmp_path: Path) -> list[TestQuestion]:
    return read(tmp_path, settings.Benchmarks(), 64)[0]


def references(questions: list[TestQuestion]) -> list[ItemResult]:
    return [ItemResult(id=row.id, text=row.output) for row in questions]


def test_the_same_number_from_each_task(tmp_path: Path) -> None:
    found, output = read(tmp_path, settings.Benchmarks(), 16)
    assert Counter(row.task for row in found) == dict.fromkeys(UR.tasks, 2)
    assert found == read(tmp_path, settings.Benchmarks(), 16)[0]
    assert (output.kept, output.dropped.total()) == (16, 0)
    assert output.rows_in == output.kept + output.left_out == len(read(tmp_path, settings.Benchmarks())[0])


def test_rows_that_are_no_question_and_twice_the_same_are_dropped(tmp_path: Path) -> None:
    rows = [ROW, {"task": "qa", "instruction": "کیا؟"}, ROW, {**ROW, "task": "poem", "input": "x"}]
    store.write_rows(tmp_path / "mine.jsonl", rows)
    found, output = read(tmp_path)
    assert [row.task for row in found] == ["qa", "poem"]
    assert output.dropped == {"missing_field": 1, "duplicate": 1}
    assert output.rows_in == 4


def test_an_unknown_task_is_scored_as_free_text(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "mine.jsonl", [{**ROW, "task": "poem"}])
    asked, _ = read(tmp_path)
    (one,) = testset.score_answers(asked, [ItemResult(id=asked[0].id, text="h2o")], UR, EN)
    assert one.scores.exact_match
    assert one.faults == ()


def test_the_scorer_gives_every_reference_full_marks(tmp_path: Path, questions: list[TestQuestion]) -> None:
    whole = read(tmp_path / "whole", settings.Benchmarks())[0]
    found = testset.score_references(whole, UR, EN)
    assert (found.right, found.n, found.wrong, found.faults) == (len(whole), len(whole), (), {})
    scored = testset.score_answers(questions, references(questions), UR, EN)
    values = {one.key[:2]: one.items.value for one in testset.measure_testset(scored, "ur")}
    full = {
        "exact_match": 1,
        "exact_match_nospace": 1,
        "accepted": 1,
        "contains": 1,
        "number": 1,
        "number_read": 1,
        "choice": 1,
        "choice_unreadable": 0,
        "token_f1": 1,
        "rouge_l": 1,
        "chrf++": 100,
        "chrf++_folded": 100,
        "bleu": 100,
        "bleu_folded": 100,
    }
    own = {metric: value for (name, metric), value in values.items() if name == "test"}
    assert own == pytest.approx(full)
    assert testset.corpus_scores(scored) == pytest.approx({"chrf++": 100, "bleu": 100})
    assert all(value == 0 for (name, _), value in values.items() if name == "fidelity")


def test_a_reference_that_its_own_scorer_refuses_is_named(questions: list[TestQuestion]) -> None:
    planted = questions[0].model_copy(update={"output": ""})
    found = testset.score_references([planted, *questions[1:]], UR, EN)
    assert found.faults["empty"] == 1


def test_answers_stand_side_by_side_and_samples_are_spread(questions: list[TestQuestion]) -> None:
    marks = testset.score_answers(questions, references(questions), UR, EN)[0].marks()
    systems = {
        name: [(f"{name} {index}", marks) for index in range(len(questions))] for name in ("base", "pretrain")
    }
    rows = list(testset.answer_rows(questions, systems, 8, 1))
    assert len(rows) == len(questions)
    assert rows[3].answers == {"base": "base 3", "pretrain": "pretrain 3"}
    assert rows[3].marks["base"] == {
        "accepted": None,
        "exact_match": True,
        "chrf++": 100.0,
        "faults": [],
        "finished": True,
    }
    assert rows[3].reference == questions[3].output
    assert sorted(row.task for row in rows if row.sample) == sorted(UR.tasks)
    assert not any(row.sample for row in testset.answer_rows(questions, systems, 0, 1))


def test_the_benchmark_is_its_items(questions: list[TestQuestion]) -> None:
    request = GenerationRequest(questions, "auto", 8)
    whole, less = (
        testset.testset_benchmark(some, UR, EN, request, from_pack=True)
        for some in (questions, questions[1:])
    )
    assert whole.facts.provenance == "native"
    assert whole.facts.digest != less.facts.digest
    assert len(whole.score(references(questions)).marks) == len(questions)
    assert (
        testset.testset_benchmark(questions, UR, EN, request, from_pack=False).facts.provenance == "unknown"
    )


def test_questions_of_the_training_mixture_are_counted_after_folding(questions: list[TestQuestion]) -> None:
    first = questions[0]
    arabic = first.instruction.replace("ی", "ي").replace("ک", "ك")
    written = first.model_copy(update={"instruction": arabic, "output": "x"})
    assert arabic != first.instruction
    assert testset.count_asked_in_training(questions, [written, written], UR) == 1
    assert testset.count_asked_in_training(questions, [], UR) == 0


def test_each_row_is_scored_by_what_says_which_answers_are_right(tmp_path: Path) -> None:
    keys = [
        {"accept": ["H2O", "H₂O"], "refuse": ["H2O2"]},
        {"rubric": ["ایک", "دو", "تین"]},
        {"task": "translation", "references": ["H2O", "water"]},
        {},
    ]
    rows = [{**ROW, "instruction": f"{ROW['instruction']} {at}", **key} for at, key in enumerate(keys)]
    store.write_rows(tmp_path / "mine.jsonl", [*rows, {**ROW, "accept": "H2O"}])
    asked, output = read(tmp_path)
    assert output.dropped == {"missing_field": 1}
    answers = [
        ItemResult(id=row.id, text=said)
        for row, said in zip(asked, ["پانی H₂O ہے", "", "water", ""], strict=True)
    ]
    scored = testset.score_answers(asked, answers, UR, EN)
    values = {one.key[:2]: one.items for one in testset.measure_testset(scored, "ur")}
    assert (values["test", "accepted"].value, len(values["test", "accepted"])) == (1, 1)
    assert len(values["test", "exact_match"]) == 3
    assert (values["test", "chrf++"].value, len(values["test", "chrf++"])) == (pytest.approx(50), 2)
    assert values["test/translation", "chrf++"].value == pytest.approx(100)
    assert len(values["test/qa", "accepted"]) == 1
    (row,) = [row for row in testset.answer_rows(asked, {}, 0, 1) if row.rubric]
    assert row.rubric == ("ایک", "دو", "تین")


def test_a_key_changes_no_id(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "mine.jsonl", [ROW])
    plain = read(tmp_path)[0][0].id
    store.write_rows(tmp_path / "mine.jsonl", [{**ROW, "accept": ["H2O"]}])
    assert read(tmp_path)[0][0].id == plain
