"""The step `evaluate`: every system on every benchmark, on the same items, so that every difference is paired.

scores.jsonl           one Score a system, benchmark, metric and language
differences.jsonl      each later stage against the base: difference, interval, p, verdict
answers.jsonl          each question of the test set with its reference and all systems' answers side by side
dropped.jsonl          rows of test files that are no question
SYSTEM/BENCHMARK/      one pair: see `pairs`
"""

from __future__ import annotations

from collections.abc import Sequence

from alif import console, settings, store
from alif.errors import DataError
from alif.evaluate import heldout, heldout_answers, multiple_choice, testset
from alif.evaluate.benchmark import AnswerMarks, Benchmark, GenerationRequest
from alif.evaluate.compare import Comparison, MetricValues, compare_metrics, score_metric
from alif.evaluate.items import Bootstrap
from alif.evaluate.pairs import measure_pairs, write_pair
from alif.evaluate.system import System, external_systems, stage_systems
from alif.facts.evaluation_facts import EvaluateFacts, RetentionFacts, SystemFacts
from alif.language import pack as packs
from alif.records import STAGES, Example, Score
from alif.runs import StepContext

__all__ = ["evaluate_systems"]


def evaluate_systems(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    benchmarks: settings.Benchmarks,
    system: dict[str, settings.ExternalSystem],
    evaluate: settings.Evaluate,
    pretrain: settings.Pretrain,
    finetune: settings.Finetune,
) -> EvaluateFacts:
    """Do the step. Rows in are held-out documents, held-out rows, test questions and multiple-choice questions.

    Raises:
        DataError: there is nothing to measure, or a file cannot be read.
        ModelError: a base, an adapter or another system is missing or damaged.
    """
    context.output.require("dropped.jsonl")
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    codes, template = (own.code, known.code), finetune.prompt_template
    output, corpus, blend = context.output, context.inputs["corpus"], context.inputs["blend"]
    documents = heldout.sample_documents(output, corpus, codes, evaluate.documents, evaluate.seed)
    rows = heldout_answers.read_heldout_rows(output, blend, codes)
    questions = testset.read_test_questions(output, own, sources.folder, benchmarks, evaluate)
    choices = multiple_choice.read_questions(
        output, benchmarks.multiple_choice, sources.folder, evaluate.questions_each, evaluate.seed, known.code
    )
    measured_on: list[Benchmark] = []
    if documents:
        measured_on.append(heldout.heldout_benchmark(documents, pretrain.max_seq_length, known.code))
    if rows:
        measured_on.append(heldout_answers.answers_benchmark(rows, template))
    if questions:
        from_pack = benchmarks.test == ("pack",)
        measured_on.append(
            testset.testset_benchmark(questions, own, known, template, evaluate.max_new_tokens, from_pack)
        )
    measured_on += [multiple_choice.choice_benchmark(name, asked) for name, asked in choices.items()]
    if not measured_on:
        raise DataError(
            f"{corpus}: nothing is held out, and there is no question to ask",
            "Raise corpus.heldout_share or split.validation_share, or name a test set in benchmarks.test.",
        )
    systems = [*stage_systems(context), *external_systems(context, system, evaluate.max_new_tokens)]
    differences = _measure(context, systems, measured_on, questions, evaluate)
    fields = set(RetentionFacts.model_fields)
    return EvaluateFacts(
        documents=len(documents),
        held_out_rows=len(rows),
        questions=len(questions),
        choices=sum(map(len, choices.values())),
        window=pretrain.max_seq_length,
        retention=tuple(
            RetentionFacts.model_validate(one.model_dump(include=fields))
            for one in differences
            if one.margin is not None and "/" not in one.benchmark
        ),
        gold=testset.score_references(questions, own, known),
        asked_in_training=testset.count_asked_in_training(
            questions, store.read_models(blend / "examples.jsonl", Example), own
        ),
        systems=tuple(
            SystemFacts(
                name=one.name,
                model=one.model,
                digest=one.digest,
                not_measurable=tuple(b.name for b in measured_on if not one.can_answer(b.request)),
            )
            for one in systems
        ),
        benchmarks=tuple(benchmark.describe() for benchmark in measured_on),
    )


def _measure(
    context: StepContext,
    systems: Sequence[System],
    benchmarks: Sequence[Benchmark],
    questions: Sequence[Example],
    evaluate: settings.Evaluate,
) -> list[Comparison]:
    """Measure every pair, write all files, and return the stages' differences from the base."""
    bootstrap = Bootstrap(evaluate.bootstrap_samples, evaluate.seed)
    values: dict[str, list[MetricValues]] = {}
    answers: dict[str, list[tuple[str, AnswerMarks]]] = {}
    scores: list[Score] = []
    for system in systems:
        console.log(f"{context.step}: {system.name}")
        values[system.name] = []
        results = measure_pairs(context, system, benchmarks)
        for benchmark in benchmarks:
            of_items = results.get(benchmark.name)
            scored = None if of_items is None else benchmark.score(of_items)
            metrics = scored.metrics if scored else ()
            pair_scores = [score_metric(system.name, one, bootstrap) for one in metrics]
            write_pair(context.folder, system, benchmark, of_items or (), scored, pair_scores)
            values[system.name] += metrics
            scores += pair_scores
            if scored and isinstance(benchmark.request, GenerationRequest):
                texts = (one.text for one in of_items or ())
                answers[system.name] = list(zip(texts, scored.marks, strict=True))
    base = STAGES[0]
    differences = [
        one
        for stage in STAGES[1:]
        for one in compare_metrics(stage, values[stage], base, values[base], bootstrap)
    ]
    store.write_rows(context.folder / "scores.jsonl", scores)
    store.write_rows(context.folder / "differences.jsonl", differences)
    side_by_side = testset.answer_rows(questions, answers, evaluate.samples, evaluate.seed)
    store.write_rows(context.folder / "answers.jsonl", side_by_side)
    return differences
