"""Results of one system on one benchmark, kept: a new benchmark or system computes only its own pairs.

    runs/NAME/runtime/evaluate/results/KEY.jsonl     what the system gave for each item
    runs/NAME/evaluate/SYSTEM/BENCHMARK/
        answers.jsonl    item by item: bits, or text and marks
        scores.jsonl     one Score a metric, as in evaluate/scores.jsonl
        items.jsonl      the main metric item by item, so that runs can be compared (`run_comparison`)
        corpus.json      scores that are no mean over items, where there are some

KEY covers the weights, the engine that runs them, the items and the request. Results survive a kill, and the
removal of the step's folder to build it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from alif import console, store
from alif.evaluate.benchmark import (
    Benchmark,
    GenerationRequest,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    digest_json,
)
from alif.evaluate.system import System, ask_endpoint, ask_student
from alif.evaluate.translate_test import answer_by_translation
from alif.records import Score
from alif.runs import StepContext
from alif.student import Student

__all__ = ["measure_pairs", "write_pair"]

VERSION = 1
"""Part of every key: raise it when the code that computes results changes what they are."""


def measure_pairs(
    context: StepContext, system: System, benchmarks: Sequence[Benchmark]
) -> dict[str, list[ItemResult]]:
    """Return the system's results by benchmark, where it can be measured; kept ones are not recomputed."""
    found: dict[str, list[ItemResult]] = {}
    student = None
    for benchmark in benchmarks:
        request = benchmark.request
        if not system.can_answer(request):
            console.log(f"{context.step}: {system.name}, {benchmark.name}: not measurable with this system")
            continue
        key = digest_json(VERSION, system.facts.digest, system.engine, benchmark.facts.digest, request.digest)
        path = context.scratch / "results" / f"{key}.jsonl"
        if not path.is_file():
            student = student or (system.load and system.load())
            ask = partial(_ask_system, context, system, student, benchmark)
            if system.languages and isinstance(request, GenerationRequest):
                results = answer_by_translation(ask, request, *system.languages)
            else:
                results = ask(request)
            store.write_rows(path, (one.model_dump(mode="json", exclude_defaults=True) for one in results))
        found[benchmark.name] = list(store.read_models(path, ItemResult))
    return found


def _ask_system(
    context: StepContext,
    system: System,
    student: Student | None,
    benchmark: Benchmark,
    request: GenerationRequest | LikelihoodRequest,
) -> list[ItemResult]:
    """Return a system's results on the benchmark's request, or on a step on the way to its answers."""
    ids = benchmark.ids[: len(request.questions)] if isinstance(request, GenerationRequest) else benchmark.ids
    if student is not None:
        return ask_student(student, replace(benchmark, ids=ids, request=request))
    if system.endpoint is None or isinstance(request, LikelihoodRequest):
        raise ValueError(f"{system.name} gives no log-probabilities")
    return ask_endpoint(context, system.name, system.endpoint, ids, request)


def write_pair(
    folder: Path, results: Sequence[ItemResult], scored: PairScores, scores: Sequence[Score]
) -> None:
    """Write a pair's results with their marks, and its scores, into `folder`."""
    rows = [one.model_dump(mode="json", exclude_defaults=True) for one in results]
    for row, of_row in zip(rows, scored.marks, strict=False):  # no marks where nothing was generated
        row["marks"] = of_row
    store.write_rows(folder / "answers.jsonl", rows)
    store.write_rows(folder / "scores.jsonl", scores)
    if scored.corpus:
        store.write_json(folder / "corpus.json", {name: round(one, 6) for name, one in scored.corpus.items()})
