"""What the step `evaluate` reports beside scores.jsonl, differences.jsonl and answers.jsonl."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from alif.records import FrozenModel

__all__ = [
    "BenchmarkFacts",
    "EvaluateFacts",
    "Provenance",
    "ReferenceCheck",
    "RetentionFacts",
    "SystemFacts",
]

Provenance = Literal["native", "human-translated", "machine-translated", "same teacher", "unknown"]
"""How the items of a benchmark came to be in their language; "same teacher": as the training data was."""


class BenchmarkFacts(FrozenModel):
    """A benchmark that was measured."""

    name: str
    languages: tuple[str, ...]
    provenance: Provenance
    licence: str
    """Licences of its items as their source states them; empty: not stated."""
    n: int
    """Items that were measured."""
    digest: str


class SystemFacts(FrozenModel):
    """A system that was measured."""

    name: str
    """base, pretrain, finetune, or a [system.NAME] of the recipe."""
    model: str
    """Hub id, folder, or the model as its provider names it."""
    digest: str
    not_measurable: tuple[str, ...] = ()
    """Benchmarks that ask for log-probabilities, which this system does not give."""


class RetentionFacts(FrozenModel):
    """A stage's difference from the base on a benchmark that has a margin."""

    stage: str
    benchmark: str
    metric: str
    language: str
    difference: float
    low: float
    high: float
    margin: float
    n: int
    verdict: str


class ReferenceCheck(FrozenModel):
    """Marks of the test set's own references: where they are not full, the scorer measures itself and not the model."""

    right: int
    n: int
    wrong: tuple[str, ...]
    """Ids of questions whose reference was marked wrong."""
    faults: Mapping[str, int]
    """Output checks that a reference failed."""


class EvaluateFacts(FrozenModel):
    """What the step `evaluate` reports."""

    documents: int
    held_out_rows: int
    questions: int
    choices: int
    """Multiple-choice questions."""
    window: int
    """Longest stretch of held-out text that was read at once, in tokens."""
    retention: tuple[RetentionFacts, ...]
    gold: ReferenceCheck
    asked_in_training: int
    """Test questions that stand in the training mixture, equal after folding."""
    systems: tuple[SystemFacts, ...]
    benchmarks: tuple[BenchmarkFacts, ...]
