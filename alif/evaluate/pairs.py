"""Results of one system on one benchmark: kept, so that a new benchmark or system computes only its own pairs.

    runs/NAME/runtime/evaluate/results/KEY.jsonl     what the system gave for each item; survives a kill and a removed step
    runs/NAME/evaluate/SYSTEM/BENCHMARK/pair.json    the system, the benchmark, and whether they could be measured
                                        answers.jsonl    item by item: bits, or text and marks
                                        scores.jsonl     one Score a metric, as in evaluate/scores.jsonl

KEY covers the weights, the engine that runs them, the items and the settings of the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alif import console, store
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult, PairScores, digest_json
from alif.evaluate.system import System, ask_endpoint, ask_student
from alif.records import Score
from alif.runs import StepContext

__all__ = ["NOT_MEASURABLE", "measure_pairs", "write_pair"]

VERSION = 1
"""Part of every key: raise it when the code that computes results changes what they are."""
NOT_MEASURABLE = "not measurable with this system"


def measure_pairs(
    context: StepContext, system: System, benchmarks: Sequence[Benchmark]
) -> dict[str, list[ItemResult]]:
    """Return the system's results by the name of each benchmark that it can answer; a model is loaded if one is missing."""
    cached = {
        one.name: _cache_path(context, system, one) for one in benchmarks if system.can_answer(one.request)
    }
    student = None
    for benchmark in benchmarks:
        path = cached.get(benchmark.name)
        if path is None or path.is_file():
            continue
        if system.endpoint is not None and isinstance(benchmark.request, GenerationRequest):
            results = ask_endpoint(context, system.name, system.endpoint, benchmark.request.questions)
        elif system.load is not None:
            student = student or system.load()
            results = ask_student(student, benchmark)
        store.write_rows(path, (one.model_dump(mode="json", exclude_defaults=True) for one in results))
    found = {name: list(store.read_models(path, ItemResult)) for name, path in cached.items()}
    for name in benchmarks:
        if name.name not in found:
            console.log(f"{context.step}: {system.name}, {name.name}: {NOT_MEASURABLE}")
    return found


def _cache_path(context: StepContext, system: System, benchmark: Benchmark) -> Path:
    key = digest_json(VERSION, system.digest, system.engine, benchmark.digest, benchmark.settings_digest)
    return context.scratch / "results" / f"{key}.jsonl"


def write_pair(
    folder: Path,
    system: System,
    benchmark: Benchmark,
    results: Sequence[ItemResult],
    scored: PairScores | None,
    scores: Sequence[Score],
) -> None:
    """Write what became of a pair; `scored` is None where it is not measurable."""
    place = folder / system.name / benchmark.name.replace("/", "+")  # a hub id has one
    store.write_json(
        place / "pair.json",
        {
            "system": {"name": system.name, "model": system.model, "digest": system.digest},
            "benchmark": benchmark.describe().model_dump(mode="json"),
            "settings": benchmark.settings_digest,
            "shots": 0,
            "state": NOT_MEASURABLE if scored is None else "measured",
        },
    )
    if scored is None:
        return
    rows = [one.model_dump(mode="json", exclude_defaults=True) for one in results]
    for row, marks in zip(rows, scored.marks, strict=False):  # no marks where nothing was generated
        row["marks"] = marks
    store.write_rows(place / "answers.jsonl", rows)
    store.write_rows(place / "scores.jsonl", scores)
