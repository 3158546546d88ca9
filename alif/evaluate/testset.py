"""The test set: questions with reference answers, scored answer by answer.

{"task": "qa", "instruction": "پانی کا کیمیائی فارمولا لکھیے۔", "input": "", "output": "H2O", "author": …}
                              ("Write the chemical formula of water.")

test           all questions: exact match, chrF++, …      test/qa    those of one task
fidelity       the share of answers that fail each output check
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alif import sampling, settings, sources
from alif.evaluate import metrics, output_checks
from alif.evaluate.benchmark import (
    Benchmark,
    GenerationRequest,
    ItemResult,
    PairScores,
    count_sample,
    describe_rows,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Items
from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, ReferenceCheck
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepOutput

__all__ = [
    "ScoredAnswer", "answer_rows", "count_asked_in_training", "measure_testset", "read_test_questions",
    "score_answers", "score_references", "testset_benchmark",
]  # fmt: skip

ANSWERS, CHECKS = "test", "fidelity"
METRICS = {
    "exact_match": "exact_match",
    "exact_match_nospace": "exact_match_nospace",
    "answer_found": "answer_found",
    "token_f1": "token_f1",
    "chrf++": "chrf",
    "chrf++_folded": "chrf_folded",
}
"""The attribute of AnswerScores by metric, in the order of scores.jsonl."""
SHARES = ("exact_match", "exact_match_nospace", "answer_found")
"""Metrics that are 0 or 1 for each answer."""


@dataclass(frozen=True)
class ScoredAnswer:
    """An answer with its scores and the output checks that it failed."""

    answer: ItemResult
    scores: metrics.AnswerScores
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
    pack = sources.PackFiles(own, ("test.jsonl",))
    rows = sources.read_examples(
        benchmarks.test, folder, language=own.code, task="", kind="source", pack=pack
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
    questions: Sequence[Example], own: Pack, known: Pack, request: GenerationRequest, *, from_pack: bool
) -> Benchmark:
    """Return the benchmark of generated answers; a pack's own test set is not translated."""

    def score(results: Sequence[ItemResult]) -> PairScores:
        scored = score_answers(questions, results, own, known)
        return PairScores(measure_testset(questions, scored, own.code), [one.marks() for one in scored])

    facts = describe_rows(ANSWERS, questions, "native" if from_pack else "unknown")
    return Benchmark(facts, [row.id for row in questions], request, score)


def score_answers(
    questions: Sequence[Example], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[ScoredAnswer]:
    """Score the answers to the questions."""
    checked = output_checks.find_faults(questions, answers, own, known)
    found = []
    for question, answer, faults in zip(questions, answers, checked, strict=True):
        task = own.tasks.get(question.task)
        scores = metrics.score_answer(answer.text, question.output, task, own)
        found.append(ScoredAnswer(answer, scores, faults))
    return found


def score_references(questions: Sequence[Example], own: Pack, known: Pack) -> ReferenceCheck:
    """Score the references themselves: a scorer that refuses them measures itself, not the model."""
    references = [ItemResult(id=question.id, text=question.output) for question in questions]
    scored = score_answers(questions, references, own, known)
    wrong = [one for one in scored if not one.scores.exact_match or one.scores.answer_found is False]
    counts = {name: sum(name in one.faults for one in scored) for name in output_checks.FAULTS}
    return ReferenceCheck(
        right=len(scored) - len(wrong),
        n=len(scored),
        wrong=tuple(one.answer.id for one in wrong),
        faults={name: count for name, count in counts.items() if count},
    )


def measure_testset(
    questions: Sequence[Example], scored: Sequence[ScoredAnswer], language: str
) -> list[MetricValues]:
    """Return every metric over all questions, exact match and chrF++ by task, and the share of each fault."""

    def metric(benchmark: str, name: str, part: Sequence[ScoredAnswer]) -> MetricValues:
        items = Items.of([float(getattr(one.scores, METRICS[name])) for one in part])
        signature = metrics.metric_signatures()[name]
        return MetricValues(benchmark, name, language, items, signature, share=name in SHARES)

    found = []
    for name in METRICS:
        part = [one for one in scored if name != "answer_found" or one.scores.answer_found is not None]
        found += [metric(ANSWERS, name, part)] if part else []
    for task in dict.fromkeys(question.task for question in questions):
        part = [one for question, one in zip(questions, scored, strict=True) if question.task == task]
        found += [metric(f"{ANSWERS}/{task or 'other'}", name, part) for name in ("exact_match", "chrf++")]
    for fault, how in output_checks.SIGNATURES.items():
        items, signature = Items.of([float(fault in one.faults) for one in scored]), f"share of answers|{how}"
        found.append(
            MetricValues(CHECKS, fault, language, items, signature, lower_is_better=True, share=True)
        )
    return found


def answer_rows(
    questions: Sequence[Example],
    systems: Mapping[str, Sequence[tuple[str, AnswerMarks]]],
    samples: int,
    seed: int,
) -> Iterator[AnswerRow]:
    """Yield each question with the answers of all systems, text and marks, side by side."""
    shown = {row.id for row in _sample_tasks(questions, samples, seed)}
    for index, question in enumerate(questions):
        yield AnswerRow(
            id=question.id,
            task=question.task,
            language=question.language,
            instruction=question.instruction,
            input=question.input,
            reference=question.output,
            sample=question.id in shown,
            answers={name: answers[index][0] for name, answers in systems.items()},
            marks={name: answers[index][1] for name, answers in systems.items()},
        )


def count_asked_in_training(questions: Sequence[Example], trained: Iterable[Example], pack: Pack) -> int:
    """Count test questions that stand in the training mixture, equal after folding."""

    def prompt(row: Example) -> tuple[str, str]:
        return text.fold_text(row.instruction, pack), text.fold_text(row.input, pack)

    prompts = {prompt(row) for row in trained}
    return sum(prompt(question) in prompts for question in questions)
