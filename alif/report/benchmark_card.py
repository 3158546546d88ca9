"""The data card of each benchmark, and what it takes to compute the same numbers again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alif.facts.evaluation_facts import BenchmarkFacts, EvaluateFacts
from alif.report.score_matrix import BENCHMARKS
from alif.report.snapshot import RunSnapshot
from alif.settings import Recipe

__all__ = ["BenchmarkCard", "Reproduction", "describe_reproduction", "list_benchmark_cards"]

EXTRACTED = {"number_read": "a number", "choice_unreadable": "a choice"}
"""Metrics that tell how many answers could be read, and what was read from them."""


@dataclass(frozen=True)
class BenchmarkCard:
    """Where a benchmark's items come from, and how far its numbers can be trusted."""

    facts: BenchmarkFacts
    title: str
    extraction: str
    """Share of the last stage's answers from which what is scored could be read."""
    contamination: str


@dataclass(frozen=True)
class Reproduction:
    """All that identifies a measurement."""

    commands: tuple[str, ...]
    fingerprints: Mapping[str, str]
    """Of each finished step: its settings, inputs and code version."""
    made_with: Mapping[str, str]
    packages: Mapping[str, str]
    seeds: Mapping[str, int]
    signatures: Mapping[str, str]
    """By "benchmark, metric"."""


def list_benchmark_cards(run: RunSnapshot) -> list[BenchmarkCard]:
    """Return a card for each benchmark that was measured."""
    facts = run.facts("evaluate", EvaluateFacts)
    if facts is None:
        return []
    return [
        BenchmarkCard(
            facts=one,
            title=BENCHMARKS.get(one.name, one.name),
            extraction=_extraction(run, one),
            contamination=_contamination(facts, one),
        )
        for one in facts.benchmarks
    ]


def _extraction(run: RunSnapshot, benchmark: BenchmarkFacts) -> str:
    rates = []
    for metric, what in EXTRACTED.items():
        for code in benchmark.languages:
            if score := run.score(run.last_stage, metric, code, benchmark.name):
                ends = (score.value, score.low, score.high)
                shares = ends if metric == "number_read" else (1 - ends[0], 1 - ends[2], 1 - ends[1])
                share, low, high = (f"{100 * one:.1f}" for one in shares)
                rates.append(f"{what} from {share} % of {score.n} (95 % CI {low} to {high})")
    return ", ".join(rates)


def _contamination(facts: EvaluateFacts, benchmark: BenchmarkFacts) -> str:
    """Say how many items share words with what was trained on."""
    overlaps = facts.contamination.benchmarks if facts.contamination else ()
    if found := [one for one in overlaps if one.benchmark == benchmark.name]:
        hits = (f"{one.hits} of {one.n} items share {one.ngram} words in a row" for one in found)
        return f"{', '.join(hits)} with training texts"
    if benchmark.name == "test":
        return f"{facts.asked_in_training} of {benchmark.n} questions stand in the training rows"
    return "not looked for"


def describe_reproduction(run: RunSnapshot) -> Reproduction:
    """Return the reproduction block of a run."""
    made, step = run.environment, run.steps.get("evaluate")
    seeds = {name: getattr(getattr(run.recipe, name), "seed", None) for name in Recipe.model_fields}
    return Reproduction(
        commands=(f"alif run {run.name}", f"alif report {run.name}") if step else (f"alif run {run.name}",),
        fingerprints={name: record.fingerprint for name, record in run.steps.items()},
        made_with={
            name: getattr(made, name) for name in ("machine", "python", "commit") if getattr(made, name)
        },
        packages=made.packages,
        seeds={f"{name}.seed": seed for name, seed in seeds.items() if seed is not None},
        signatures={
            f"{score.benchmark.partition('/')[0]}, {score.metric.replace('_', ' ')}": score.signature
            for score in run.scores
        },
    )
