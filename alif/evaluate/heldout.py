"""Bits per byte on documents that no stage was trained on, in both languages.

Loss per token cannot be compared between tokenizers or languages; bits per UTF-8 byte can. Sources count alike, however large
they are: three quarters of a text collection may be one book.

    heldout                macro average over sources: one row a system and language
    heldout/radio_talks    one source
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alif import sampling, store
from alif.evaluate.benchmark import (
    Benchmark,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    count_sample,
    digest_json,
    join_names,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.records import Document
from alif.runs import StepOutput
from alif.student.likelihood import document_inputs

__all__ = ["BENCHMARK", "RETENTION_MARGIN", "heldout_benchmark", "sample_documents", "score_documents"]

BENCHMARK = "heldout"
METRIC = "bits_per_byte"
RETENTION_MARGIN = 0.02
"""Rise of the source language's bits per byte, as a share of the base's, that still counts as retained."""


def sample_documents(
    output: StepOutput, corpus: Path, languages: Sequence[str], each: int, seed: int
) -> list[Document]:
    """Return the held-out documents, `each` of every source and language (0: all), sorted by language and source."""
    held_out = {row["id"] for _, row in store.read_rows(corpus / "held_out.jsonl")}
    documents = store.read_models(corpus / "examples.jsonl", Document)
    groups: dict[tuple[int, str], list[Document]] = {}
    for document in output.read(one for one in documents if one.id in held_out and one.language in languages):
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
    ids = tuple(document.id for document in documents)  # a hash of the content
    texts = [document.text for document in documents]
    return Benchmark(
        name=BENCHMARK,
        languages=tuple(dict.fromkeys(document.language for document in documents)),
        provenance="unknown",
        licence=join_names(document.licence for document in documents),
        ids=ids,
        digest=digest_json(BENCHMARK, list(ids)),
        request=LikelihoodRequest(
            lambda student: [[one] for one in document_inputs(texts, student.tokenizer)], window
        ),
        score=lambda results: PairScores(score_documents(documents, results, window, source_language)),
    )


def score_documents(
    documents: Sequence[Document], results: Sequence[ItemResult], window: int, source_language: str
) -> list[MetricValues]:
    """Return bits per byte of each language and of each of its sources."""
    measured = list(zip(documents, results, strict=True))
    found = []
    for language in dict.fromkeys(document.language for document in documents):
        whole = [pair for pair in measured if pair[0].language == language]
        parts = {BENCHMARK: whole}
        for source in dict.fromkeys(document.source for document, _ in whole):
            parts[f"{BENCHMARK}/{source}"] = [pair for pair in whole if pair[0].source == source]
        found += [
            MetricValues(
                benchmark=name,
                metric=METRIC,
                language=language,
                items=Items.of(
                    [result.bits[0] for _, result in pairs],
                    [len(document.text.encode()) for document, _ in pairs],
                    [document.source for document, _ in pairs],
                ),
                signature=f"bits/byte|mean over sources of sum(bits)/sum(bytes)|window:{window} tokens|end of text:no",
                lower_is_better=True,
                margin=RETENTION_MARGIN if language == source_language else None,
                relative=True,
            )
            for name, pairs in parts.items()
        ]
    return found
