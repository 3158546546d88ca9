"""The step `evaluate`: every system on every benchmark, on the same items, so that each difference is paired.

scores.jsonl              one Score a system, benchmark, metric and language
differences.jsonl         each later stage against the base: difference, interval, p, verdict
answers.jsonl             each question of the test set with its reference and all answers side by side
benchmark_answers.jsonl   the same of some questions of each [benchmark.NAME], drawn whatever the answers
dropped.jsonl             rows of test files that are no question
contamination.jsonl       items that share words with a training text, with the place and the words
SYSTEM/BENCHMARK/         one pair: see `pairs`
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alif import console, sampling, settings, store
from alif.errors import DataError, RecipeError
from alif.evaluate import heldout, testset
from alif.evaluate.benchmark import Benchmark, GenerationRequest
from alif.evaluate.bert_score import open_encoder
from alif.evaluate.compare import MetricValues, compare_metrics, score_metric
from alif.evaluate.contamination import make_card, read_training
from alif.evaluate.in_context import find_collapses
from alif.evaluate.pairs import measure_pairs, write_pair
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import read_question_sets
from alif.evaluate.run_comparison import write_item_values
from alif.evaluate.stats import Bootstrap
from alif.evaluate.system import System, external_systems, stage_systems
from alif.facts.contamination_facts import ContaminationCard
from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, Comparison, EvaluateFacts, InContextFinding
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Example, Score
from alif.runs import StepContext

__all__ = ["evaluate_systems"]


def evaluate_systems(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    benchmarks: settings.Benchmarks,
    benchmark: Mapping[str, settings.BenchmarkTable],
    system: Mapping[str, settings.ExternalSystem],
    evaluate: settings.Evaluate,
    pretrain: settings.Pretrain,
    finetune: settings.Finetune,
    only: tuple[str, str] = ("", ""),
) -> EvaluateFacts:
    """Run the step. Its rows are held-out documents and rows, test questions and multiple-choice questions.

    `only` names one system and one benchmark: nothing else is measured.

    Raises:
        DataError: there is nothing to measure, or a file cannot be read.
        ModelError: a base, an adapter or another system is missing or damaged.
    """
    output, corpus, blend = context.output, context.inputs["corpus"], context.inputs["blend"]
    output.require("dropped.jsonl")
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    codes, seed, template = (own.code, known.code), evaluate.seed, finetune.prompt_template
    documents = heldout.sample_documents(output, corpus, codes, evaluate.documents, seed)
    rows = heldout.read_heldout_rows(output, blend, codes)
    questions = testset.read_test_questions(output, own, sources.folder, benchmarks, evaluate)
    sets = read_question_sets(output, benchmarks, benchmark, sources.folder, evaluate, own, known)
    request = GenerationRequest(questions, template, evaluate.max_new_tokens)
    from_pack, encoder = benchmarks.test == ("pack",), open_encoder(evaluate, context.runtime)
    every = [
        heldout.heldout_benchmark(documents, pretrain.max_seq_length, known.code),
        heldout.answers_benchmark(rows, template),
        testset.testset_benchmark(questions, own, known, request, from_pack=from_pack, encoder=encoder),
        *(one for asked in sets for one in question_benchmarks(asked, template, evaluate.max_new_tokens)),
    ]
    measured = choose_benchmarks(every, only[1], corpus)
    stages, wanted = choose_systems(context, system, only[0])
    systems = [*stages, *external_systems(context, wanted, evaluate.max_new_tokens, (own, known))]
    compared = [one.name for one in stages]
    differences, card, collapses = _measure(context, systems, measured, questions, evaluate, compared, own)
    margins = [one for one in differences if one.margin is not None and "/" not in one.benchmark]
    trained = store.read_models(blend / "examples.jsonl", Example)
    return EvaluateFacts(
        documents=len(documents),
        held_out_rows=len(rows),
        questions=len(questions),
        choices=sum(len(one.items) for one in sets),
        window=pretrain.max_seq_length,
        retention=tuple(margins),
        gold=testset.score_references(questions, own, known),
        asked_in_training=testset.count_asked_in_training(questions, trained, own),
        systems=tuple(one.describe(measured) for one in systems),
        benchmarks=tuple(one.facts for one in measured),
        contamination=card,
        in_context=tuple(collapses),
    )


def choose_benchmarks(every: Sequence[Benchmark], name: str, corpus: Path) -> list[Benchmark]:
    """Return the benchmarks that have items; with a name that one alone.

    Raises:
        DataError: none has items.
        RecipeError: none has that name.
    """
    found = [one for one in every if one.ids]
    if not found:
        raise DataError(
            f"{corpus}: nothing is held out, and there is no question to ask",
            "Raise corpus.heldout_share or split.validation_share, or name a test set in benchmarks.test.",
        )
    chosen = [one for one in found if name in ("", one.name)]
    if not chosen:
        names = ", ".join(one.name for one in found)
        raise RecipeError(f"--benchmark {name}: no such benchmark", f"The recipe has {names}.")
    return chosen


def choose_systems(
    context: StepContext, system: Mapping[str, settings.ExternalSystem], name: str
) -> tuple[list[System], dict[str, settings.ExternalSystem]]:
    """Return the run's own stages and the recipe's other systems; with a name that one alone.

    Raises:
        RecipeError: none has that name.
    """
    every = stage_systems(context)
    stages = [one for one in every if name in ("", one.name)]
    wanted = {other: table for other, table in system.items() if name in ("", other)}
    if not stages and not wanted:
        names = ", ".join([*(one.name for one in every), *system])
        raise RecipeError(f"--system {name}: no such system", f"The recipe has {names}.")
    return stages, wanted


def sample_rows(
    benchmark: Benchmark,
    answers: Mapping[str, Sequence[tuple[str, AnswerMarks]]],
    evaluate: settings.Evaluate,
) -> Iterator[AnswerRow]:
    """Yield evaluate.samples items of a benchmark with all answers, drawn by the hash of their ids."""
    places = range(len(benchmark.rows) if answers and evaluate.samples else 0)
    chosen = sampling.sample_by_hash(
        places, evaluate.samples, evaluate.seed, lambda place: benchmark.rows[place].id
    )
    for place in chosen:
        given = {system: of[place] for system, of in answers.items()}
        texts = {system: text for system, (text, _) in given.items()}
        marks = {system: marked for system, (_, marked) in given.items()}
        yield benchmark.rows[place].model_copy(update={"answers": texts, "marks": marks})


def _measure(
    context: StepContext,
    systems: Sequence[System],
    benchmarks: Sequence[Benchmark],
    questions: Sequence[testset.TestQuestion],
    evaluate: settings.Evaluate,
    stages: Sequence[str],
    pack: Pack,
) -> tuple[list[Comparison], ContaminationCard, list[InContextFinding]]:
    """Measure every pair, write all files; return the later stages' differences, the card, what they lost."""
    bootstrap = Bootstrap(evaluate.bootstrap_samples, evaluate.seed)
    values: dict[str, list[MetricValues]] = {system.name: [] for system in systems}
    parts: dict[tuple[str, str], Sequence[MetricValues]] = {}
    answers: dict[str, dict[str, Sequence[tuple[str, AnswerMarks]]]] = {one.name: {} for one in benchmarks}
    scores: list[Score] = []
    for system in systems:
        console.log(f"{context.step}: {system.name}")
        results = measure_pairs(context, system, benchmarks)
        for benchmark in benchmarks:
            if benchmark.name not in results:
                continue  # not measurable with this system
            items = results[benchmark.name]
            scored = benchmark.score(items)
            origin = {"provenance": benchmark.facts.provenance}
            pair_scores = [
                score_metric(system.name, one, bootstrap).model_copy(update=origin) for one in scored.metrics
            ]
            place = context.folder / system.name / benchmark.name.replace("/", "+")  # of a hub id
            write_pair(place, items, scored, pair_scores)
            write_item_values(place, benchmark, scored.metrics)
            values[system.name] += scored.metrics
            parts[system.name, benchmark.name] = scored.metrics
            scores += pair_scores
            written = list(zip((one.text for one in items), scored.marks, strict=False))
            if given := scored.answers or written:
                answers[benchmark.name][system.name] = given
    base, *later = stages or [""]
    compared = (compare_metrics(stage, values[stage], base, values[base], bootstrap) for stage in later)
    differences = list(itertools.chain.from_iterable(compared))
    store.write_rows(context.folder / "scores.jsonl", scores)
    store.write_rows(context.folder / "differences.jsonl", differences)
    asked = answers.get(testset.ANSWERS, {})
    side_by_side = testset.answer_rows(questions, asked, evaluate.samples, evaluate.seed)
    store.write_rows(context.folder / "answers.jsonl", side_by_side)
    shown = (sample_rows(one, answers[one.name], evaluate) for one in benchmarks)
    store.write_rows(context.folder / "benchmark_answers.jsonl", itertools.chain.from_iterable(shown))
    card, overlaps = make_card(benchmarks, read_training(context.inputs), parts, stages, pack, bootstrap)
    store.write_rows(context.folder / "contamination.jsonl", overlaps)
    return differences, card, find_collapses(values, stages, bootstrap)
