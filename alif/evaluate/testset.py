"""The test set: questions with reference answers, scored answer by answer.

{"task": "qa", "instruction": "پانی کا کیمیائی فارمولا لکھیے۔", "input": "", "output": "H2O", "author": …, "reviewed_by": ""}
                              ("Write the chemical formula of water.")

test           all questions: exact match, chrF++, …      test/qa    those of one task
fidelity       the share of answers that fail each output check
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alif import sampling, settings, sources
from alif.evaluate import metrics, output_checks
from alif.evaluate.benchmark import (
    AnswerMarks,
    Benchmark,
    GenerationRequest,
    ItemResult,
    PairScores,
    count_sample,
    digest_json,
    join_names,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.evaluate.metrics import AnswerScores
from alif.facts.evaluation_facts import ReferenceCheck
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepOutput
from alif.student.chat_template import Template

__all__ = [
    "BENCHMARK",
    "ScoredAnswer",
    "answer_rows",
    "count_asked_in_training",
    "measure_testset",
    "read_test_questions",
    "score_answers",
    "score_references",
    "testset_benchmark",
]

BENCHMARK, FIDELITY = "test", "fidelity"


@dataclass(frozen=True)
class ScoredAnswer:
    """An answer with its scores and the output checks that it failed."""

    answer: ItemResult
    scores: AnswerScores
    faults: tuple[str, ...]

    def marks(self) -> AnswerMarks:
        return {
            "exact_match": self.scores.exact_match,
            "chrf++": round(self.scores.chrf, 2),
            "faults": list(self.faults),
            "finished": self.answer.finished,
        }


def read_test_questions(
    output: StepOutput, own: Pack, folder: str, benchmarks: settings.Benchmarks, evaluate: settings.Evaluate
) -> list[Example]:
    """Return the questions to ask, equally many of each task where the recipe wants fewer than there are."""
    pack_test = sources.PackFiles(own, ("test.jsonl",))
    rows = sources.read_examples(
        benchmarks.test, folder, language=own.code, task="", kind="source", pack=pack_test
    )
    found: dict[str, Example] = {}
    for row in output.read(rows):
        if isinstance(row, Dropped):
            output.drop(row)
        elif row.id in found:
            evidence = f"the same as {found[row.id].origin.source}"
            output.drop(Dropped(row=row, reason="duplicate", evidence=evidence))
        else:
            found[row.id] = row
    questions = list(found.values())
    chosen = _sample_tasks(questions, evaluate.questions or len(questions), evaluate.seed)
    count_sample(output, questions, chosen, lambda row: row.id)
    return chosen


def _sample_tasks(questions: Sequence[Example], count: int, seed: int) -> list[Example]:
    return sampling.sample_stratified(questions, count, seed, lambda row: row.id, lambda row: row.task)


def testset_benchmark(
    questions: Sequence[Example],
    own: Pack,
    known: Pack,
    template: Template,
    max_new_tokens: int,
    from_pack: bool,
) -> Benchmark:
    """Return the benchmark of generated answers. A pack's own test set is written in its language, not translated."""

    def score(results: Sequence[ItemResult]) -> PairScores:
        scored = score_answers(questions, results, own, known)
        values = measure_testset(questions, scored, own.code)
        return PairScores(values, [one.marks() for one in scored])

    ids = tuple(row.id for row in questions)  # a hash of the content
    return Benchmark(
        name=BENCHMARK,
        languages=tuple(dict.fromkeys(row.language for row in questions)),
        provenance="native" if from_pack else "unknown",
        licence=join_names(row.origin.licence for row in questions),
        ids=ids,
        digest=digest_json(BENCHMARK, list(ids)),
        request=GenerationRequest(questions, template, max_new_tokens),
        score=score,
    )


def score_answers(
    questions: Sequence[Example], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[ScoredAnswer]:
    """Score the answers to the questions."""
    faults = output_checks.find_faults(questions, answers, own, known)
    return [
        ScoredAnswer(
            answer,
            metrics.score_answer(answer.text, question.output, own.tasks.get(question.task), own),
            failed,
        )
        for question, answer, failed in zip(questions, answers, faults, strict=True)
    ]


def score_references(questions: Sequence[Example], own: Pack, known: Pack) -> ReferenceCheck:
    """Score the references themselves: a scorer that does not give them full marks measures itself, not the model."""
    references = [ItemResult(id=question.id, text=question.output) for question in questions]
    scored = score_answers(questions, references, own, known)
    wrong = tuple(
        one.answer.id for one in scored if not one.scores.exact_match or one.scores.answer_found is False
    )
    counts = {name: sum(name in one.faults for one in scored) for name in output_checks.FAULTS}
    return ReferenceCheck(
        right=len(questions) - len(wrong),
        n=len(questions),
        wrong=wrong,
        faults={name: count for name, count in counts.items() if count},
    )


def measure_testset(
    questions: Sequence[Example], scored: Sequence[ScoredAnswer], language: str
) -> list[MetricValues]:
    """Return every metric over all questions, exact match and chrF++ for each task, and the share of each fault."""

    def metric(benchmark: str, name: str, part: Sequence[ScoredAnswer]) -> MetricValues:
        attribute, share = METRICS[name]
        items = Items.of([float(getattr(one.scores, attribute)) for one in part])
        return MetricValues(benchmark, name, language, items, metrics.metric_signatures()[name], share=share)

    found = []
    for name in METRICS:
        part = [one for one in scored if name != "answer_found" or one.scores.answer_found is not None]
        if part:
            found.append(metric(BENCHMARK, name, part))
    for task in dict.fromkeys(question.task for question in questions):
        part = [one for question, one in zip(questions, scored, strict=True) if question.task == task]
        found += [metric(f"{BENCHMARK}/{task or 'other'}", name, part) for name in ("exact_match", "chrf++")]
    for fault, how in output_checks.SIGNATURES.items():
        items = Items.of([float(fault in one.faults) for one in scored])
        signature = f"share of answers|{how}"
        found.append(
            MetricValues(FIDELITY, fault, language, items, signature, lower_is_better=True, share=True)
        )
    return found


METRICS = {
    "exact_match": ("exact_match", True),
    "exact_match_nospace": ("exact_match_nospace", True),
    "answer_found": ("answer_found", True),
    "token_f1": ("token_f1", False),
    "chrf++": ("chrf", False),
    "chrf++_folded": ("chrf_folded", False),
}
"""Metric → its attribute of AnswerScores, and whether each item is 0 or 1."""


def answer_rows(
    questions: Sequence[Example],
    systems: Mapping[str, Sequence[tuple[str, AnswerMarks]]],
    samples: int,
    seed: int,
) -> Iterable[dict[str, Any]]:
    """Yield answers.jsonl: each question with all systems' answers side by side; `sample` marks those for the report."""
    shown = {row.id for row in _sample_tasks(questions, samples, seed)}
    for index, question in enumerate(questions):
        yield {
            "id": question.id,
            "task": question.task,
            "language": question.language,
            "instruction": question.instruction,
            "input": question.input,
            "reference": question.output,
            "sample": question.id in shown,
            "answers": {name: answers[index][0] for name, answers in systems.items()},
            "marks": {name: answers[index][1] for name, answers in systems.items()},
        }


def count_asked_in_training(questions: Sequence[Example], trained: Iterable[Example], pack: Pack) -> int:
    """Count test questions that stand in the training mixture, equal after folding."""

    def prompt(row: Example) -> tuple[str, str]:
        return text.fold_text(row.instruction, pack), text.fold_text(row.input, pack)

    prompts = {prompt(row) for row in trained}
    return sum(prompt(question) in prompts for question in questions)
