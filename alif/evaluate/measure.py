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
from alif.evaluate import answers, compare, harness, heldout, testset
from alif.evaluate.compare import Comparison, Measured
from alif.evaluate.harness import Question
from alif.evaluate.items import Drawing
from alif.evaluate.testset import Marked
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import STAGES, Counts, Document, Dropped, Example
from alif.runs import Given
from alif.student import Student, load, write_prompt
from alif.student.prompts import Template

__all__ = ["measure"]


@dataclass(frozen=True)
class Material:
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


def measure(
    given: Given,
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
    material = choose(
        given.needs,
        language=language,
        sources=sources,
        benchmarks=benchmarks,
        evaluate=evaluate,
        pretrain=pretrain,
        finetune=finetune,
    )
    measured: dict[str, list[Measured]] = {}
    marked: dict[str, list[Marked]] = {}
    for stage in STAGES:
        console.note(f"{given.step}: {stage}")
        adapter = None if stage == STAGES[0] else given.needs[stage] / "adapter"
        student = load(given.needs["base"], adapter, given.runtime)
        measured[stage], marked[stage] = examine(student, material)
        del student  # before the next one is loaded
    by = Drawing(evaluate.resamples, evaluate.seed)
    base = measured[STAGES[0]]
    differences = [one for stage in STAGES[1:] for one in compare.compare(stage, measured[stage], STAGES[0], base, by)]
    scores = [compare.score(stage, one, by) for stage in STAGES for one in measured[stage]]
    store.write_rows(given.folder / "scores.jsonl", scores)
    store.write_rows(given.folder / "differences.jsonl", differences)
    side_by_side = testset.rows(material.asked, marked, evaluate.samples, evaluate.seed)
    store.write_rows(given.folder / "answers.jsonl", side_by_side)
    store.write_rows(given.folder / "dropped.jsonl", (one.record() for one in material.dropped))
    return Counts.of(len(material), material.dropped, **_facts(material, differences, given.needs["blend"]))


def choose(
    needs: Mapping[str, Path],
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    benchmarks: recipe.Benchmarks,
    evaluate: recipe.Evaluate,
    pretrain: recipe.Pretrain,
    finetune: recipe.Finetune,
) -> Material:
    """Choose what is measured, the same for every stage."""
    own, known = packs.load(language.pack), packs.load(language.known)
    codes = (own.code, known.code)
    asked, refused = testset.questions(own, sources.folder, benchmarks, evaluate)
    choices, unread = harness.questions(benchmarks.choices, sources.folder, evaluate.questions_each, evaluate.seed, known.code)
    material = Material(
        own=own,
        known=known,
        documents=heldout.documents(needs["corpus"], codes, evaluate.documents, evaluate.seed),
        rows=answers.held_out(needs["blend"], codes),
        asked=asked,
        choices=choices,
        dropped=[*refused, *unread],
        window=pretrain.tokens_per_row,
        template=finetune.template,
        answer_tokens=evaluate.answer_tokens,
    )
    if not len(material):
        raise DataError(
            f"{needs['corpus']}: nothing is held out, and there is no question to ask",
            "Raise corpus.held_out or split.validation, or name a test set in benchmarks.test.",
        )
    return material


def examine(student: Student, material: Material) -> tuple[list[Measured], list[Marked]]:
    """Measure one stage: all metrics in a fixed order, and the marked answers to the test set."""
    own, known, asked = material.own, material.known, material.asked
    found = heldout.measure(student, material.documents, material.window, known.code)
    found += answers.surprise(student, material.rows, material.template)
    prompts = [write_prompt(row.instruction, row.input, material.template, student.tokenizer) for row in asked]
    marked = testset.mark(asked, answers.ask(student, prompts, material.answer_tokens), own, known)
    if marked:
        found += testset.measure(asked, marked, own.code)
    return found + harness.measure(student, material.choices), marked


def _facts(material: Material, differences: Sequence[Comparison], blend: Path) -> dict[str, Any]:
    """Return what the report tells beside the scores: what was measured, what the base's knowledge became, the self-test."""
    wanted = {"stage", "benchmark", "metric", "language", "difference", "low", "high", "margin", "n", "verdict"}
    kept = [one for one in differences if one.margin is not None and "/" not in one.benchmark]
    return {
        "documents": len(material.documents),
        "held_out_rows": len(material.rows),
        "questions": len(material.asked),
        "choices": len(material.choices),
        "window": material.window,
        "retention": [one.model_dump(include=wanted) for one in kept],
        "gold": testset.gold(material.asked, material.own, material.known),
        "asked_in_training": _asked_in_training(material, blend),
    }


def _asked_in_training(material: Material, blend: Path) -> int:
    """Count test questions that stand in the training mixture, letter for letter after folding."""
    trained = {_prompt(row, material.own) for row in store.load(blend / "examples.jsonl", Example)}
    return sum(_prompt(question, material.own) in trained for question in material.asked)


def _prompt(row: Example, pack: Pack) -> tuple[str, str]:
    return text.fold(row.instruction, pack), text.fold(row.input, pack)
