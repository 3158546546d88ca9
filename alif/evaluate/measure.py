"""The step evaluate: the same documents, rows and questions before and after each stage, so that every difference is paired.

scores.jsonl        one Score a stage, benchmark, metric and language
differences.jsonl   each later stage against the base: difference, interval, p, verdict
answers.jsonl       each question with its reference and the three stages' answers side by side
dropped.jsonl       rows of test files that are no question
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import console, recipe, store
from alif.errors import DataError
from alif.evaluate import compare, heldout, heldout_answers, multiple_choice, testset
from alif.evaluate.compare import Comparison, MetricValues
from alif.evaluate.items import Bootstrap
from alif.evaluate.multiple_choice import Question
from alif.evaluate.testset import ScoredAnswer
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import STAGES, Counts, Document, Dropped, Example
from alif.runs import StepContext
from alif.student import Student, load_student, write_prompt
from alif.student.chat_template import Template

__all__ = ["evaluate_stages"]


@dataclass(frozen=True)
class EvaluationSet:
    """What every stage is measured on."""

    own: Pack
    known: Pack
    documents: Sequence[Document]
    rows: Sequence[Example]
    """Validation rows of the blend."""
    asked: Sequence[Example]
    """Questions of the test set."""
    choices: Sequence[Question]
    """Multiple-choice questions."""
    dropped: Sequence[Dropped]
    window: int
    template: Template
    answer_tokens: int

    def __len__(self) -> int:
        return len(self.documents) + len(self.rows) + len(self.asked) + len(self.choices)


def evaluate_stages(
    context: StepContext,
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    benchmarks: recipe.Benchmarks,
    evaluate: recipe.Evaluate,
    pretrain: recipe.Pretrain,
    finetune: recipe.Finetune,
) -> Counts:
    """Do the step. Rows in are held-out documents, held-out rows, test questions and multiple-choice questions.

    Raises:
        DataError: there is nothing to measure, or a file cannot be read.
        ModelError: a base or an adapter is missing or damaged.
    """
    material = choose_evaluation_set(
        context.inputs,
        language=language,
        sources=sources,
        benchmarks=benchmarks,
        evaluate=evaluate,
        pretrain=pretrain,
        finetune=finetune,
    )
    measured: dict[str, list[MetricValues]] = {}
    marked: dict[str, list[ScoredAnswer]] = {}
    for stage in STAGES:
        console.log(f"{context.step}: {stage}")
        adapter = None if stage == STAGES[0] else context.inputs[stage] / "adapter"
        student = load_student(context.inputs["base"], adapter, context.runtime)
        measured[stage], marked[stage] = measure_stage(student, material)
        del student  # before the next one is loaded
    by = Bootstrap(evaluate.bootstrap_samples, evaluate.seed)
    base = measured[STAGES[0]]
    differences = [
        one
        for stage in STAGES[1:]
        for one in compare.compare_metrics(stage, measured[stage], STAGES[0], base, by)
    ]
    scores = [compare.score_metric(stage, one, by) for stage in STAGES for one in measured[stage]]
    store.write_rows(context.folder / "scores.jsonl", scores)
    store.write_rows(context.folder / "differences.jsonl", differences)
    side_by_side = testset.answer_rows(material.asked, marked, evaluate.samples, evaluate.seed)
    store.write_rows(context.folder / "answers.jsonl", side_by_side)
    store.write_rows(context.folder / "dropped.jsonl", (one.record() for one in material.dropped))
    return Counts.of(
        len(material), material.dropped, **_facts(material, differences, context.inputs["blend"])
    )


def choose_evaluation_set(
    needs: Mapping[str, Path],
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    benchmarks: recipe.Benchmarks,
    evaluate: recipe.Evaluate,
    pretrain: recipe.Pretrain,
    finetune: recipe.Finetune,
) -> EvaluationSet:
    """Choose what is measured, the same for every stage."""
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    codes = (own.code, known.code)
    asked, refused = testset.read_test_questions(own, sources.folder, benchmarks, evaluate)
    choices, unread = multiple_choice.read_questions(
        benchmarks.multiple_choice, sources.folder, evaluate.questions_each, evaluate.seed, known.code
    )
    material = EvaluationSet(
        own=own,
        known=known,
        documents=heldout.sample_documents(needs["corpus"], codes, evaluate.documents, evaluate.seed),
        rows=heldout_answers.read_heldout_rows(needs["blend"], codes),
        asked=asked,
        choices=choices,
        dropped=[*refused, *unread],
        window=pretrain.max_seq_length,
        template=finetune.prompt_template,
        answer_tokens=evaluate.max_new_tokens,
    )
    if not len(material):
        raise DataError(
            f"{needs['corpus']}: nothing is held out, and there is no question to ask",
            "Raise corpus.heldout_share or split.validation_share, or name a test set in benchmarks.test.",
        )
    return material


def measure_stage(student: Student, material: EvaluationSet) -> tuple[list[MetricValues], list[ScoredAnswer]]:
    """Measure one stage: all metrics in a fixed order, and the marked answers to the test set."""
    own, known, asked = material.own, material.known, material.asked
    found = heldout.measure_bits_per_byte(student, material.documents, material.window, known.code)
    found += heldout_answers.answer_bits(student, material.rows, material.template)
    prompts = [
        write_prompt(row.instruction, row.input, material.template, student.tokenizer) for row in asked
    ]
    marked = testset.score_answers(
        asked, heldout_answers.generate_answers(student, prompts, material.answer_tokens), own, known
    )
    if marked:
        found += testset.measure_testset(asked, marked, own.code)
    return found + multiple_choice.measure_accuracy(student, material.choices), marked


def _facts(material: EvaluationSet, differences: Sequence[Comparison], blend: Path) -> dict[str, Any]:
    """Return what the report tells beside the scores: what was measured, what the base's knowledge became, the self-test."""
    wanted = {
        "stage",
        "benchmark",
        "metric",
        "language",
        "difference",
        "low",
        "high",
        "margin",
        "n",
        "verdict",
    }
    kept = [one for one in differences if one.margin is not None and "/" not in one.benchmark]
    return {
        "documents": len(material.documents),
        "held_out_rows": len(material.rows),
        "questions": len(material.asked),
        "choices": len(material.choices),
        "window": material.window,
        "retention": [one.model_dump(include=wanted) for one in kept],
        "gold": testset.score_references(material.asked, material.own, material.known),
        "asked_in_training": _asked_in_training(material, blend),
    }


def _asked_in_training(material: EvaluationSet, blend: Path) -> int:
    """Count test questions that stand in the training mixture, letter for letter after folding."""
    trained = {_prompt(row, material.own) for row in store.read_models(blend / "examples.jsonl", Example)}
    return sum(_prompt(question, material.own) in trained for question in material.asked)


def _prompt(row: Example, pack: Pack) -> tuple[str, str]:
    return text.fold_text(row.instruction, pack), text.fold_text(row.input, pack)
