"""The test set: questions with reference answers, scored answer by answer.

{"task": "qa", "instruction": "پانی کا کیمیائی فارمولا لکھیے۔", "input": "", "output": "H2O", "author": …}
                              ("Write the chemical formula of water.")

test           all questions: accepted, exact match, number, chrF++, …      test/qa    those of one task
fidelity       the share of answers that fail each output check

A row may hold an `AnswerKey`. Its accepted forms are scored as `accepted`, not by chrF++, which short answers
fool; free text with a rubric has no score: answers.jsonl holds it for a judge, answers side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from alif import sampling, settings, sources
from alif.evaluate import metrics, output_checks
from alif.evaluate.answer_checks import AnswerFinding
from alif.evaluate.benchmark import (
    Benchmark,
    GenerationRequest,
    ItemResult,
    PairScores,
    count_sample,
    describe_rows,
)
from alif.evaluate.bert_score import BertScorer
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Items
from alif.evaluate.text_overlap import corpus_score
from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, FoundText, ReferenceCheck
from alif.language import text
from alif.language.answers.answer_key import AnswerKey
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepOutput

__all__ = [
    "ScoredAnswer", "TestQuestion", "answer_rows", "corpus_scores", "count_asked_in_training",
    "measure_testset", "read_test_questions", "score_answers", "score_references", "testset_benchmark",
]  # fmt: skip

ANSWERS, CHECKS = "test", "fidelity"


class TestQuestion(Example):
    """A question of the test set with what says which answers are right."""

    __test__ = False  # no test of pytest's

    key: AnswerKey


@dataclass(frozen=True)
class ScoredAnswer:
    """An answer with its scores and the output checks that it failed."""

    question: TestQuestion
    answer: ItemResult
    scores: metrics.AnswerScores
    findings: tuple[AnswerFinding, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(one.fault for one in self.findings if one.fault not in output_checks.NOTES)

    def is_scored_by(self, metric: str) -> bool:
        """Tell whether a metric says something about answers to this question."""
        key = self.question.key
        if metric == "accepted" or key.rubric:
            return metric == "accepted" and bool(key.accept)
        return not (metric in metrics.OVERLAP and key.accept)

    def marks(self) -> AnswerMarks:
        marks: AnswerMarks = {
            "accepted": self.scores.accepted,
            "exact_match": self.scores.exact_match,
            "chrf++": round(self.scores.chrf, 2),
            "faults": list(self.faults),
            "finished": self.answer.finished,
        }
        if self.findings:
            marks["found"] = {one.fault: FoundText(one.evidence, one.spans) for one in self.findings}
        return marks


def read_test_questions(
    output: StepOutput, own: Pack, folder: str, benchmarks: settings.Benchmarks, evaluate: settings.Evaluate
) -> list[TestQuestion]:
    """Return the questions to ask, equally many of each task where the recipe wants fewer than there are."""
    rows = sources.read_rows(benchmarks.test, folder, sources.PackFiles(own, ("test.jsonl",)))
    found: dict[str, TestQuestion] = {}
    for row in output.read(one if isinstance(one, Dropped) else _to_question(one, own) for one in rows):
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


def _to_question(row: sources.Row, own: Pack) -> TestQuestion | Dropped:
    example = sources.to_example(row, own.code, "", "source")
    if isinstance(example, Dropped):
        return example
    try:
        return TestQuestion(**dict(example), key=AnswerKey.of_row(row.values))
    except ValidationError:
        needed = f"{', '.join(AnswerKey.model_fields)} are lists of texts"
        return Dropped(row=example, reason="missing_field", evidence=f"{row.where}: {needed}")


def _sample_tasks(questions: Sequence[TestQuestion], count: int, seed: int) -> list[TestQuestion]:
    return sampling.sample_stratified(questions, count, seed, lambda row: row.id, lambda row: row.task)


def testset_benchmark(
    questions: Sequence[TestQuestion],
    own: Pack,
    known: Pack,
    request: GenerationRequest,
    *,
    from_pack: bool,
    encoder: BertScorer | None = None,  # noqa: PT028  (no test)
) -> Benchmark:
    """Return the benchmark of generated answers; a pack's own test set is not translated."""

    def score(results: Sequence[ItemResult]) -> PairScores:
        scored = score_answers(questions, results, own, known)
        marks = [one.marks() for one in scored]
        measured = measure_testset(scored, own.code)
        part = [one for one in scored if one.is_scored_by("chrf++")]
        if encoder and part:
            answers = [metrics.clip_text(one.answer.text) for one in part]
            items = Items.of(encoder.scores(answers, [one.question.output for one in part]))
            measured.append(MetricValues(ANSWERS, "bert_score", own.code, items, encoder.signature))
        return PairScores(measured, marks, corpus_scores(scored))

    facts = describe_rows(ANSWERS, questions, "native" if from_pack else "unknown")
    texts = [(f"{row.instruction}\n{row.input}", row.output) for row in questions]
    return Benchmark(facts, [row.id for row in questions], request, score, texts)


def score_answers(
    questions: Sequence[TestQuestion], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[ScoredAnswer]:
    """Score the answers to the questions."""
    checked = output_checks.check_answers(questions, answers, own, known)
    found = []
    for question, answer, findings in zip(questions, answers, checked, strict=True):
        task, asked = own.tasks.get(question.task), f"{question.instruction}\n{question.input}"
        scores = metrics.AnswerScores(answer.text, question.output, task, own, question.key, asked)
        found.append(ScoredAnswer(question, answer, scores, findings))
    return found


def score_references(questions: Sequence[TestQuestion], own: Pack, known: Pack) -> ReferenceCheck:
    """Score the references themselves: a scorer that refuses them measures itself, not the model."""
    references = [ItemResult(id=question.id, text=question.output) for question in questions]
    scored = score_answers(questions, references, own, known)
    wrong = [one for one in scored if not one.scores.exact_match or one.scores.accepted is False]
    counts = {name: sum(name in one.faults for one in scored) for name in output_checks.FAULTS}
    return ReferenceCheck(
        right=len(scored) - len(wrong),
        n=len(scored),
        wrong=tuple(one.answer.id for one in wrong),
        faults={name: count for name, count in counts.items() if count},
    )


def measure_testset(scored: Sequence[ScoredAnswer], language: str) -> list[MetricValues]:
    """Return every metric over all questions, the main ones by task, and the share of each fault."""

    def metric(benchmark: str, name: str, part: Sequence[ScoredAnswer]) -> list[MetricValues]:
        asked = [one for one in part if one.is_scored_by(name)]
        values = [(one, getattr(one.scores, metrics.METRICS[name])) for one in asked]
        values = [(one, value) for one, value in values if value is not None]
        if not values:
            return []
        chances = [one.scores.choice_chance for one, _ in values if name == "choice"]
        return [
            MetricValues(
                benchmark,
                name,
                language,
                Items.of(
                    [float(value) for _, value in values],
                    clusters=[one.question.input or one.question.instruction for one, _ in values],
                ),
                metrics.metric_signatures()[name],
                lower_is_better=name in metrics.LOWER_IS_BETTER,
                ids=[one.question.id for one, _ in values],
                share=name in metrics.SHARES,
                chance=sum(chances) / len(chances) if chances else None,
            )
        ]

    found = [one for name in metrics.METRICS for one in metric(ANSWERS, name, scored)]
    for task in dict.fromkeys(one.question.task for one in scored):
        part = [one for one in scored if one.question.task == task]
        for name in ("accepted", "exact_match", "chrf++"):
            found += metric(f"{ANSWERS}/{task or 'other'}", name, part)
    for fault, how in output_checks.SIGNATURES.items():
        failed = [any(one.fault == fault for one in answer.findings) for answer in scored]
        items, signature = Items.of([float(one) for one in failed]), f"share of answers|{how}"
        found.append(
            MetricValues(CHECKS, fault, language, items, signature, lower_is_better=True, share=True)
        )
    return found


def corpus_scores(scored: Sequence[ScoredAnswer]) -> dict[str, float]:
    """Return corpus chrF++ and BLEU of the answers that these say something about, as sacrebleu has them."""
    part = [one.scores for one in scored if one.is_scored_by("chrf++")]
    if not part:
        return {}
    return {
        "chrf++": corpus_score("chrf++", (one.chrf_statistics for one in part)),
        "bleu": corpus_score("bleu", (one.bleu_statistics for one in part)),
    }


def answer_rows(
    questions: Sequence[TestQuestion],
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
            rubric=question.key.rubric,
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
