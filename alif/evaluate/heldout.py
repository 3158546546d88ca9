"""Bits per byte of text that no stage was trained on: documents, and the reference answers of the blend.

Loss per token cannot be compared between tokenizers or languages; bits per UTF-8 byte can. Sources count
alike, however large they are: three quarters of a text collection may be one book. Held-out answers come from
the teachers of the training rows: they say how well the mixture was learned, not how good it is.

    heldout                documents: macro average over sources, one row a system and language
    heldout/radio_talks    one source
    answers                held-out rows of the blend: the answer, after its prompt
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alif import sampling
from alif.evaluate.benchmark import (
    Benchmark,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    count_sample,
    describe_rows,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Items
from alif.records import Document, Example
from alif.runs import StepOutput
from alif.runs.splits import heldout_rows
from alif.student import Student
from alif.student.chat_template import Template, encode_example_parts
from alif.student.likelihood import LikelihoodInput, document_inputs

__all__ = [
    "RETENTION_MARGIN", "answers_benchmark", "heldout_benchmark", "read_heldout_rows",
    "sample_documents",
]  # fmt: skip

DOCUMENTS, ANSWERS = "heldout", "answers"
RETENTION_MARGIN = 0.02
"""Rise of the source language's bits per byte, as a share of the base's, that still counts as retained."""


def sample_documents(
    output: StepOutput, corpus: Path, languages: Sequence[str], each: int, seed: int
) -> list[Document]:
    """Return held-out documents, `each` of every source and language (0: all), by language and source."""
    groups: dict[tuple[int, str], list[Document]] = {}
    documents = heldout_rows(corpus, Document)
    for document in output.read(one for one in documents if one.language in languages):
        groups.setdefault((languages.index(document.language), document.source), []).append(document)
    chosen = []
    for key in sorted(groups):
        some = sampling.sample_by_hash(groups[key], each, seed, lambda document: document.id)
        count_sample(output, groups[key], some, lambda document: document.id)
        chosen += some
    return chosen


def heldout_benchmark(documents: Sequence[Document], window: int, source_language: str) -> Benchmark:
    """Return the benchmark of held-out documents.

    Args:
        documents: sorted by language and source.
        window: longest stretch that is read at once, in tokens, as in training.
        source_language: the language whose retention is judged.
    """
    texts = [document.text for document in documents]
    signature = f"bits/byte|mean over sources of sum(bits)/sum(bytes)|window:{window} tokens|end of text:no"

    def encode(student: Student) -> list[list[LikelihoodInput]]:
        return [[one] for one in document_inputs(texts, student.tokenizer)]

    def score(results: Sequence[ItemResult]) -> PairScores:
        found = []
        measured = list(zip(documents, results, strict=True))
        for language in dict.fromkeys(document.language for document in documents):
            whole = [pair for pair in measured if pair[0].language == language]
            parts = {DOCUMENTS: whole}
            for source in dict.fromkeys(document.source for document, _ in whole):
                parts[f"{DOCUMENTS}/{source}"] = [pair for pair in whole if pair[0].source == source]
            margin = RETENTION_MARGIN if language == source_language else None
            for name, pairs in parts.items():
                bits = [result.bits[0] for _, result in pairs]
                sizes = [len(document.text.encode()) for document, _ in pairs]
                items = Items.of(bits, sizes, [document.source for document, _ in pairs])
                values = MetricValues(name, "bits_per_byte", language, items, signature, lower_is_better=True)
                ids = [document.id for document, _ in pairs]
                found.append(replace(values, margin=margin, relative=True, ids=ids))
        return PairScores(found)

    facts = describe_rows(DOCUMENTS, documents, "unknown")
    ids = [document.id for document in documents]
    wanted = [(text, "") for text in texts]
    return Benchmark(facts, ids, LikelihoodRequest(encode, window), score, wanted)


def read_heldout_rows(output: StepOutput, blend: Path, languages: Sequence[str]) -> list[Example]:
    """Return the validation rows of the blend in these languages, in the order of the file."""
    rows = heldout_rows(blend, Example)
    found = list(output.read(row for row in rows if row.language in languages))
    count_sample(output, found, found, lambda row: row.id)
    return found


def answers_benchmark(rows: Sequence[Example], template: Template) -> Benchmark:
    """Return the benchmark of held-out answers after their prompts; the end token does not count."""
    signature = f"bits/byte of held-out answers|sum(bits)/sum(bytes)|template:{template}|end token:no"

    def encode(student: Student) -> list[list[LikelihoodInput]]:
        found = []
        for row in rows:
            *before, (answer, _) = encode_example_parts(row, template, student.tokenizer)
            context = [token for tokens, _ in before for token in tokens]
            found.append([LikelihoodInput(context, answer[:-1])])
        return found

    def score(results: Sequence[ItemResult]) -> PairScores:
        found = []
        for language in dict.fromkeys(row.language for row in rows):
            pairs = [pair for pair in zip(rows, results, strict=True) if pair[0].language == language]
            sizes = [len(row.output.encode()) for row, _ in pairs]
            items = Items.of([result.bits[0] for _, result in pairs], sizes)
            metric = "answer_bits_per_byte"
            values = MetricValues(ANSWERS, metric, language, items, signature, lower_is_better=True)
            found.append(replace(values, ids=[row.id for row, _ in pairs]))
        return PairScores(found)

    facts = describe_rows(ANSWERS, rows, "same-teacher")
    request = LikelihoodRequest(encode, settings=template)
    texts = [(f"{row.instruction}\n{row.input}", row.output) for row in rows]
    return Benchmark(facts, [row.id for row in rows], request, score, texts)
