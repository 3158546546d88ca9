"""Bits per byte on documents that no stage was trained on, in both languages.

A per-token loss cannot be compared between tokenizers or languages; bits per UTF-8 byte can. Sources count alike, however large
they are: three quarters of a text collection may be one book.

    heldout                macro average over sources: one row a stage and language
    heldout/radio_talks    one source
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from alif import sampling, store
from alif.evaluate import likelihood
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.evaluate.likelihood import LikelihoodInput
from alif.records import Document
from alif.student import Student, encode_documents

__all__ = ["BENCHMARK", "RETENTION_MARGIN", "measure_bits_per_byte", "sample_documents"]

BENCHMARK = "heldout"
METRIC = "bits_per_byte"
RETENTION_MARGIN = 0.02
"""Rise of the known language's bits per byte, as a share of the base's, that still counts as retained."""


def sample_documents(corpus: Path, languages: Sequence[str], each: int, seed: int) -> list[Document]:
    """Return the held-out documents, `each` of every source and language by lot (0: all), sorted by language and source."""
    held_out = {row["id"] for _, row in store.read_rows(corpus / "held_out.jsonl")}
    groups: dict[tuple[int, str], list[Document]] = {}
    for document in store.read_models(corpus / "examples.jsonl", Document):
        if document.id in held_out and document.language in languages:
            groups.setdefault((languages.index(document.language), document.source), []).append(document)
    return [
        one
        for key in sorted(groups)
        for one in sampling.sample_by_hash(groups[key], each, seed, lambda document: document.id)
    ]


def measure_bits_per_byte(
    student: Student, chosen: Sequence[Document], window: int, known: str
) -> list[MetricValues]:
    """Return bits per byte of each language and of each of its sources.

    Args:
        student: the model that reads.
        chosen: documents, sorted by language and source.
        window: longest stretch that is read at once, in tokens, as in training.
        known: the language whose retention is judged.
    """
    costs = _bits(student, chosen, window)
    found = []
    for language in dict.fromkeys(document.language for document in chosen):
        rows = {index: document for index, document in enumerate(chosen) if document.language == language}
        found.append(_measured(BENCHMARK, language, rows, costs, window=window, known=known))
        for source in dict.fromkeys(document.source for document in rows.values()):
            part = {index: document for index, document in rows.items() if document.source == source}
            found.append(
                _measured(f"{BENCHMARK}/{source}", language, part, costs, window=window, known=known)
            )
    return found


def _bits(student: Student, chosen: Sequence[Document], window: int) -> list[float]:
    """Return the bits of each document: every token but the end of text counts."""
    texts = []
    for tokens in encode_documents([document.text for document in chosen], student.tokenizer):
        *text, end = tokens
        context = [text.pop(0)] if text and text[0] == student.tokenizer.bos_token_id else [end]
        texts.append(LikelihoodInput(context, text))
    return likelihood.target_bits(student, texts, window, "held-out text")


def _measured(
    benchmark: str,
    language: str,
    rows: Mapping[int, Document],
    costs: Sequence[float],
    *,
    window: int,
    known: str,
) -> MetricValues:
    items = Items.of(
        [costs[index] for index in rows],
        [len(document.text.encode()) for document in rows.values()],
        [document.source for document in rows.values()],
    )
    return MetricValues(
        benchmark=benchmark,
        metric=METRIC,
        language=language,
        items=items,
        signature=f"bits/byte|mean over sources of sum(bits)/sum(bytes)|window:{window} tokens|end of text:no",
        lower_is_better=True,
        margin=RETENTION_MARGIN if language == known else None,
        relative=True,
    )
