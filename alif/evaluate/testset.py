"""The test set: questions with reference answers, marked answer by answer.

{"task": "qa", "instruction": "پانی کا کیمیائی فارمولا لکھیے۔", "input": "", "output": "H2O", "author": …, "reviewed_by": ""}
                              ("Write the chemical formula of water.")

test           all questions: exact match, chrF++, …      test/qa    those of one task
fidelity       the share of answers with each fault
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alif import recipe, sampling, sources
from alif.evaluate import metrics, output_checks
from alif.evaluate.compare import MetricValues
from alif.evaluate.heldout_answers import Answer
from alif.evaluate.items import Items
from alif.evaluate.metrics import AnswerScores
from alif.language.pack import Pack
from alif.records import Dropped, Example

__all__ = [
    "ScoredAnswer",
    "answer_rows",
    "measure_testset",
    "read_test_questions",
    "score_answers",
    "score_references",
]

BENCHMARK, FIDELITY = "test", "fidelity"


@dataclass(frozen=True)
class ScoredAnswer:
    """An answer, its marks and its faults."""

    answer: Answer
    marks: AnswerScores
    faults: tuple[str, ...]


def read_test_questions(
    own: Pack, folder: str, benchmarks: recipe.Benchmarks, evaluate: recipe.Evaluate
) -> tuple[list[Example], list[Dropped]]:
    """Return the questions to ask, as many of each task where the recipe wants fewer than there are, and rows that are none."""
    source = tuple(str(own.folder / "test.jsonl") if part == "pack" else part for part in benchmarks.test)
    found: dict[str, Example] = {}
    dropped = []
    for row in sources.read_examples(source, folder, language=own.code, task="", kind="source"):
        if isinstance(row, Dropped):
            dropped.append(row)
        elif row.id in found:
            dropped.append(
                Dropped(row=row, reason="duplicate", evidence=f"the same as {found[row.id].origin.source}")
            )
        else:
            found[row.id] = row
    every = list(found.values())
    if not evaluate.questions:
        return every, dropped
    return sampling.sample_stratified(
        every, evaluate.questions, evaluate.seed, lambda row: row.id, lambda row: row.task
    ), dropped


def score_answers(
    asked: Sequence[Example], answers: Sequence[Answer], own: Pack, known: Pack
) -> list[ScoredAnswer]:
    """Mark the answers to the questions."""
    faults = output_checks.find_faults(asked, answers, own, known)
    return [
        ScoredAnswer(
            answer,
            metrics.score_answer(answer.text, question.output, own.tasks.get(question.task), own),
            found,
        )
        for question, answer, found in zip(asked, answers, faults, strict=True)
    ]


def score_references(asked: Sequence[Example], own: Pack, known: Pack) -> dict[str, Any]:
    """Mark the references themselves: a scorer that does not give them full marks measures itself, not the model."""
    marked = score_answers(asked, [Answer(question.output, True) for question in asked], own, known)
    right = [one.marks.exact_match and one.marks.answer_found is not False for one in marked]
    return {
        "right": sum(right),
        "n": len(asked),
        "wrong": [question.id for question, good in zip(asked, right, strict=True) if not good],
        "faults": {
            name: count
            for name in output_checks.FAULTS
            if (count := sum(name in one.faults for one in marked))
        },
    }


def measure_testset(
    asked: Sequence[Example], marked: Sequence[ScoredAnswer], language: str
) -> list[MetricValues]:
    """Return every metric over all questions, exact match and chrF++ for each task, and the share of each fault."""
    every = list(range(len(asked)))
    wanted = [index for index in every if marked[index].marks.answer_found is not None]
    found = [
        _share(BENCHMARK, "exact_match", every, marked, language),
        _share(BENCHMARK, "exact_match_nospace", every, marked, language),
        *([_share(BENCHMARK, "answer_found", wanted, marked, language)] if wanted else []),
        _mean(BENCHMARK, "token_f1", [one.marks.token_f1 for one in marked], language),
        _mean(BENCHMARK, "chrf++", [one.marks.chrf for one in marked], language),
        _mean(BENCHMARK, "chrf++_folded", [one.marks.chrf_folded for one in marked], language),
    ]
    for task in dict.fromkeys(question.task for question in asked):
        part = [index for index in every if asked[index].task == task]
        name = f"{BENCHMARK}/{task or 'other'}"
        found.append(_share(name, "exact_match", part, marked, language))
        found.append(_mean(name, "chrf++", [marked[index].marks.chrf for index in part], language))
    return found + [_fault(name, marked, language) for name in output_checks.FAULTS]


def _share(
    benchmark: str, metric: str, part: Sequence[int], marked: Sequence[ScoredAnswer], language: str
) -> MetricValues:
    items = Items.of([float(getattr(marked[index].marks, metric)) for index in part])
    return MetricValues(benchmark, metric, language, items, metrics.SIGNATURES[metric], share=True)


def _mean(benchmark: str, metric: str, values: Sequence[float], language: str) -> MetricValues:
    return MetricValues(benchmark, metric, language, Items.of(values), metrics.SIGNATURES[metric])


def _fault(name: str, marked: Sequence[ScoredAnswer], language: str) -> MetricValues:
    items = Items.of([float(name in one.faults) for one in marked])
    signature = f"share of answers|{output_checks.SIGNATURES[name]}"
    return MetricValues(FIDELITY, name, language, items, signature, lower_is_better=True, share=True)


def answer_rows(
    asked: Sequence[Example], stages: Mapping[str, Sequence[ScoredAnswer]], samples: int, seed: int
) -> list[dict[str, Any]]:
    """Return answers.jsonl: each question with the answers of all stages side by side; `sample` marks those for the report."""
    shown = (
        sampling.sample_stratified(asked, samples, seed, lambda row: row.id, lambda row: row.task)
        if samples
        else []
    )
    names = {row.id for row in shown}
    return [
        {
            "id": question.id,
            "task": question.task,
            "language": question.language,
            "instruction": question.instruction,
            "input": question.input,
            "reference": question.output,
            "sample": question.id in names,
            "answers": {stage: marked[index].answer.text for stage, marked in stages.items()},
            "marks": {stage: _marks(marked[index]) for stage, marked in stages.items()},
        }
        for index, question in enumerate(asked)
    ]


def _marks(one: ScoredAnswer) -> dict[str, Any]:
    return {
        "exact_match": one.marks.exact_match,
        "chrf++": round(one.marks.chrf, 2),
        "faults": list(one.faults),
        "finished": one.answer.finished,
    }
