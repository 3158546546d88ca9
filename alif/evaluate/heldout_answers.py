"""Bits per byte of reference answers: held-out rows of the blend, each answer after its prompt.

The rows come from the same teachers as the training rows, so this says how well the mixture was learned, not how good it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alif import store
from alif.evaluate.benchmark import (
    Benchmark,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    digest_json,
    join_names,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.records import Example
from alif.runs import StepOutput
from alif.student import Student
from alif.student.chat_template import Template, encode_example_parts
from alif.student.likelihood import LikelihoodInput

__all__ = ["BENCHMARK", "answers_benchmark", "read_heldout_rows", "score_reference_bits"]

BENCHMARK = "answers"
METRIC = "answer_bits_per_byte"


def read_heldout_rows(output: StepOutput, blend: Path, languages: Sequence[str]) -> list[Example]:
    """Return the validation rows of the blend in these languages, in the order of the file."""
    held_out = {row["id"] for _, row in store.read_rows(blend / "held_out.jsonl")}
    rows = store.read_models(blend / "examples.jsonl", Example)
    found = []
    for row in output.read(row for row in rows if row.id in held_out and row.language in languages):
        output.keep(None)
        found.append(row)
    return found


def answers_benchmark(rows: Sequence[Example], template: Template) -> Benchmark:
    """Return the benchmark of held-out answers."""
    ids = tuple(row.id for row in rows)  # a hash of the content
    return Benchmark(
        name=BENCHMARK,
        languages=tuple(dict.fromkeys(row.language for row in rows)),
        provenance="same teacher",
        licence=join_names(row.origin.licence for row in rows),
        ids=ids,
        digest=digest_json(BENCHMARK, list(ids)),
        request=LikelihoodRequest(lambda student: _encode(student, rows, template), settings=template),
        score=lambda results: PairScores(score_reference_bits(rows, results, template)),
    )


def _encode(student: Student, rows: Sequence[Example], template: Template) -> list[list[LikelihoodInput]]:
    """Return each row's answer after everything before it; the end token does not count."""
    found = []
    for row in rows:
        *before, (answer, _) = encode_example_parts(row, template, student.tokenizer)
        context = [token for tokens, _ in before for token in tokens]
        found.append([LikelihoodInput(context, answer[:-1])])
    return found


def score_reference_bits(
    rows: Sequence[Example], results: Sequence[ItemResult], template: Template
) -> list[MetricValues]:
    """Return the bits per byte of the rows' answers, for each language."""
    found = []
    for language in dict.fromkeys(row.language for row in rows):
        pairs = [pair for pair in zip(rows, results, strict=True) if pair[0].language == language]
        found.append(
            MetricValues(
                benchmark=BENCHMARK,
                metric=METRIC,
                language=language,
                items=Items.of(
                    [result.bits[0] for _, result in pairs],
                    [float(len(row.output.encode())) for row, _ in pairs],
                ),
                signature=f"bits/byte of held-out answers|sum(bits)/sum(bytes)|template:{template}|end token:no",
                lower_is_better=True,
            )
        )
    return found
