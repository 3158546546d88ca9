"""What a system is measured on: items and their origin, what is asked, and how results are scored.

    name          asked                                    scored
    heldout       log-probability of held-out documents    bits per byte, by language and source
    answers       log-probability of held-out answers      bits per byte, by language
    test          answers to the pack's test set           exact match, chrF++ …; output checks ("fidelity")
    arc_easy.en   log-probability of each choice           accuracy

A likelihood request needs a local model; a generation request can be sent to any system, an endpoint too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import JsonValue

from alif.evaluate.compare import MetricValues
from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, BenchmarkFacts
from alif.records import Document, Example, FrozenModel, Provenance
from alif.runs import StepOutput
from alif.student import Student
from alif.student.chat_template import Template
from alif.student.likelihood import LikelihoodInput

__all__ = [
    "Benchmark", "GenerationRequest", "ItemResult", "LikelihoodRequest", "PairScores", "count_sample",
    "describe_rows", "digest_json", "join_names",
]  # fmt: skip

Row = TypeVar("Row")


@dataclass(frozen=True)
class LikelihoodRequest:
    """Ask for the bits of given targets."""

    encode: Callable[[Student], list[list[LikelihoodInput]]]
    """Targets of each item, in the student's tokens."""
    window: int = 0
    """Longest stretch that is read at once, in tokens; 0: the model's context length."""
    settings: JsonValue = None
    """What else changes a result, such as the prompt template."""

    @property
    def digest(self) -> str:
        return digest_json("likelihood", self.window, self.settings)


@dataclass(frozen=True)
class GenerationRequest:
    """Ask for greedy answers to instructions."""

    questions: Sequence[Example]
    template: Template
    max_new_tokens: int

    @property
    def digest(self) -> str:
        return digest_json("generation", self.template, self.max_new_tokens)


class ItemResult(FrozenModel):
    """What a system gave for one item: the bits of its targets, or a text."""

    id: str
    bits: tuple[float, ...] = ()
    text: str = ""
    finished: bool = True
    """Whether a text ended by itself, before the limit."""
    steps: tuple[str, ...] = ()
    """Translate-test: the question in the source language, and its answer there."""


@dataclass(frozen=True)
class PairScores:
    """A system's results on a benchmark, scored."""

    metrics: Sequence[MetricValues]
    marks: Sequence[AnswerMarks] = ()
    """Of each item, where answers were generated."""
    corpus: Mapping[str, float] = field(default_factory=dict)
    """Scores that are no mean over items: sacrebleu's corpus chrF++ and BLEU, 0..100."""
    answers: Sequence[tuple[str, AnswerMarks]] = ()
    """To each of the benchmark's `rows`: what was written, or the choice that was likeliest."""


@dataclass(frozen=True)
class Benchmark:
    """What a system is measured on. The digest of its facts covers the items."""

    facts: BenchmarkFacts
    ids: Sequence[str]
    request: LikelihoodRequest | GenerationRequest
    score: Callable[[Sequence[ItemResult]], PairScores]
    texts: Sequence[tuple[str, str]] = ()
    """(prompt, right answer) of each item: what must not stand in the training texts."""
    choices: Sequence[tuple[int, int]] = ()
    """(the right one, how many) of each item, where choices are scored by log-probability."""
    rows: Sequence[AnswerRow] = ()
    """Its items as the report shows them, before the answers: of a [benchmark.NAME]."""

    @property
    def name(self) -> str:
        """The folder of its results too: runs/NAME/evaluate/SYSTEM/BENCHMARK."""
        return self.facts.name


def describe_rows(name: str, rows: Sequence[Document | Example], provenance: Provenance) -> BenchmarkFacts:
    """Return the facts of a benchmark whose items are rows, named by their content."""
    licences = (row.licence if isinstance(row, Document) else row.origin.licence for row in rows)
    return BenchmarkFacts(
        name=name,
        languages=tuple(dict.fromkeys(row.language for row in rows)),
        provenance=provenance,
        licence=join_names(licences),
        n=len(rows),
        digest=digest_json(name, [row.id for row in rows]),
    )


def digest_json(*parts: JsonValue) -> str:
    """Return the first 16 hex digits of the SHA-256 of `parts` as JSON."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def join_names(names: Iterable[str]) -> str:
    """Return distinct names in alphabetical order, "CC BY 4.0, MIT"; unknown ones are left out."""
    return ", ".join(sorted({name for name in names if name}))


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
