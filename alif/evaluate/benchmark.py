"""What a system is measured on: items, where they come from, what is asked of the system, and how its results are scored.

    name          asked                                       scored
    heldout       log-probability of held-out documents       bits per byte, by language and source
    answers       log-probability of held-out answers         bits per byte, by language
    test          answers to the pack's test set              exact match, chrF++ …, and output checks ("fidelity")
    arc_easy.en   log-probability of each choice              accuracy

A likelihood request needs the model's weights; a generation request can be sent to any system, an endpoint too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

from pydantic import JsonValue

from alif.evaluate.compare import MetricValues
from alif.facts.evaluation_facts import BenchmarkFacts, Provenance
from alif.records import Example, FrozenModel
from alif.runs import StepOutput
from alif.student import Student
from alif.student.chat_template import Template
from alif.student.likelihood import LikelihoodInput

__all__ = [
    "AnswerMarks",
    "Benchmark",
    "GenerationRequest",
    "ItemResult",
    "LikelihoodRequest",
    "PairScores",
    "count_sample",
    "digest_json",
    "join_names",
]

Row = TypeVar("Row")

AnswerMarks = TypedDict(
    "AnswerMarks", {"exact_match": bool, "chrf++": float, "faults": list[str], "finished": bool}
)
"""The marks of one generated answer, as they stand in answers.jsonl."""


@dataclass(frozen=True)
class LikelihoodRequest:
    """Ask for the bits of given targets."""

    encode: Callable[[Student], list[list[LikelihoodInput]]]
    """Targets of each item, in the student's tokens."""
    window: int = 0
    """Longest stretch that is read at once, in tokens; 0: the model's context length."""
    settings: JsonValue = None
    """What else changes a result, such as the prompt template."""


@dataclass(frozen=True)
class GenerationRequest:
    """Ask for greedy answers to instructions."""

    questions: Sequence[Example]
    template: Template
    max_new_tokens: int


class ItemResult(FrozenModel):
    """What one system gave for one item: the bits of its targets, or a text. One line of a pair's cached results."""

    id: str
    bits: tuple[float, ...] = ()
    text: str = ""
    finished: bool = True
    """Whether a text ended by itself, before the limit."""


@dataclass(frozen=True)
class PairScores:
    """A system's results on a benchmark, scored."""

    metrics: Sequence[MetricValues]
    marks: Sequence[AnswerMarks] = ()
    """Of each item, where answers were generated."""


@dataclass(frozen=True)
class Benchmark:
    """What a system is measured on. Its digest covers the items: other items are another benchmark."""

    name: str
    """Also the name of its folder: runs/NAME/evaluate/SYSTEM/BENCHMARK."""
    languages: tuple[str, ...]
    provenance: Provenance
    licence: str
    ids: tuple[str, ...]
    digest: str
    request: LikelihoodRequest | GenerationRequest
    score: Callable[[Sequence[ItemResult]], PairScores] = field(repr=False)

    @property
    def settings_digest(self) -> str:
        """Digest of what is asked beside the items."""
        asked = self.request
        if isinstance(asked, LikelihoodRequest):
            return digest_json("likelihood", asked.window, asked.settings)
        return digest_json("generation", asked.template, asked.max_new_tokens)

    def describe(self) -> BenchmarkFacts:
        return BenchmarkFacts(
            name=self.name,
            languages=self.languages,
            provenance=self.provenance,
            licence=self.licence,
            n=len(self.ids),
            digest=self.digest,
        )


def digest_json(*parts: JsonValue) -> str:
    """Return the first 16 hex digits of the SHA-256 of `parts` as JSON."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def count_sample(
    output: StepOutput, rows: Iterable[Row], chosen: Iterable[Row], name: Callable[[Row], str]
) -> None:
    """Count the rows of a sample as kept, and the others by name as not sampled."""
    kept = {id(row) for row in chosen}
    for row in rows:
        if id(row) in kept:
            output.keep(None)
        else:
            output.not_sampled(name(row))


def join_names(names: Iterable[str]) -> str:
    """Return distinct names in alphabetical order, "CC BY 4.0, MIT"; unknown ones are left out."""
    return ", ".join(sorted({name for name in names if name}))
