"""Multiple choice by log-probability: the student's answer is the choice that it finds likeliest.

    {"id": "arc_easy-0006", "question": "A student has just completed …", "choices": ["wash hands", "turn off …"], "gold": 0}

Each choice is set after the question, and its log-probability divided by its bytes, because a long answer would lose otherwise.
No letters A to D and no word of a prompt: what is measured is knowledge, not the format, and nothing here is in any language.
The language of a benchmark is what its file's name says: `arc_easy.en.jsonl.gz`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alif import sampling, sources
from alif.errors import MissingExtra
from alif.evaluate import likelihood
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.evaluate.likelihood import LikelihoodInput
from alif.records import Dropped
from alif.student import Student

__all__ = ["RETENTION_MARGIN", "Question", "measure_accuracy", "read_questions", "run_lm_eval"]

RETENTION_MARGIN = 0.01
"""Loss of accuracy that still counts as retained: one point."""
SIGNATURE = "accuracy|question + space + choice|log-probability/bytes of the choice|0 shots"


_NAMED = re.compile(r"(.+)\.([a-z]{2,3})")
"""A benchmark's name with its language."""


@dataclass(frozen=True)
class Question:
    """One multiple-choice question."""

    benchmark: str
    language: str
    id: str
    question: str
    choices: tuple[str, ...]
    gold: int


def read_questions(
    source: tuple[str, ...], folder: str, each: int, seed: int, known: str
) -> tuple[list[Question], list[Dropped]]:
    """Return the questions of every benchmark, `each` of one by lot (0: all), and the rows that are none.

    A benchmark whose name says no language is in the `known` one.
    """
    found: dict[str, list[Question]] = {}
    dropped = []
    for row in sources.read_rows(source, folder):
        question = row if isinstance(row, Dropped) else _question(row, known)
        if isinstance(question, Dropped):
            dropped.append(question)
        else:
            found.setdefault(question.benchmark, []).append(question)
    return [
        one
        for rows in found.values()
        for one in sampling.sample_by_hash(rows, each, seed, lambda question: question.id)
    ], dropped


def _question(row: sources.Row, known: str) -> Question | Dropped:
    values = row.values
    question, choices, gold = values.get("question"), values.get("choices"), values.get("gold")
    there = (
        [choice for choice in choices if isinstance(choice, str) and choice]
        if isinstance(choices, list)
        else []
    )
    whole = isinstance(question, str) and question and there == choices and len(there) > 1
    if not (whole and type(gold) is int and 0 <= gold < len(there)):
        evidence = f"{row.where}: needs question, choices and gold, the number of the right one from 0"
        return Dropped(
            raw=json.dumps(values, ensure_ascii=False, default=str),
            reason="not_multiple_choice",
            evidence=evidence,
        )
    named = _NAMED.fullmatch(row.name)
    name, language = named.groups() if named else (row.name, known)
    return Question(name, language, row.id, str(question), tuple(there), gold)


def measure_accuracy(student: Student, asked: Sequence[Question]) -> list[MetricValues]:
    """Return the accuracy on each benchmark."""
    texts = []
    for question in asked:
        context = student.tokenizer(question.question, add_special_tokens=True)["input_ids"]
        for choice in question.choices:
            texts.append(
                LikelihoodInput(
                    context, student.tokenizer(f" {choice}", add_special_tokens=False)["input_ids"]
                )
            )
    costs = iter(
        likelihood.target_bits(
            student, texts, student.model.config.max_position_embeddings, "multiple choice"
        )
    )
    surprises = [
        [next(costs) / len(f" {choice}".encode()) for choice in question.choices] for question in asked
    ]
    right = [
        float(found.index(min(found)) == question.gold)
        for found, question in zip(surprises, asked, strict=True)
    ]
    return [
        _measured(
            name,
            [
                (question, hit)
                for question, hit in zip(asked, right, strict=True)
                if question.benchmark == name
            ],
        )
        for name in dict.fromkeys(question.benchmark for question in asked)
    ]


def _measured(benchmark: str, rows: Sequence[tuple[Question, float]]) -> MetricValues:
    return MetricValues(
        benchmark=benchmark,
        metric="accuracy",
        language=rows[0][0].language,
        items=Items.of([hit for _, hit in rows]),
        signature=SIGNATURE,
        share=True,
        margin=RETENTION_MARGIN,
        chance=sum(1 / len(question.choices) for question, _ in rows) / len(rows),
    )


def run_lm_eval(
    student: Student, tasks: Sequence[str | Mapping[str, Any]], limit: int | None = None
) -> Mapping[str, Any]:
    """Run tasks of EleutherAI's lm-eval, named or given as a task's settings, on a student; return its results by task.

    Never its request cache, which is not keyed by model (EleutherAI/lm-evaluation-harness#2715, #4063).

    Raises:
        MissingExtra: lm-eval is not installed.
    """
    try:
        from lm_eval import simple_evaluate  # noqa: PLC0415  (an extra)
        from lm_eval.models.huggingface import HFLM  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("lm-eval", "evaluate") from error
    wrapped = HFLM(pretrained=student.model, tokenizer=student.tokenizer)
    found = simple_evaluate(model=wrapped, tasks=list(tasks), limit=limit, bootstrap_iters=0)
    return dict(found["results"])
