"""How much of a text stands in its references: chrF++, BLEU and ROUGE-L.

The first two are sacrebleu's. Their statistics of one text are integers that add up to those of a corpus, so
one pass serves both scores; what is computed of the references is kept for the next system.

    text_statistics("chrf++", "کراچی", refs)   [5, 5, 5, 4, 4, 4, …]   n-grams of text, reference, both
    overlap_score("chrf++", statistics)        100.0
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from rapidfuzz.distance import Indel
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

__all__ = ["corpus_score", "overlap_score", "overlap_signature", "rouge_l", "text_statistics"]

Metric = Literal["chrf++", "bleu"]
Statistics = Sequence[int]
CACHED_REFERENCES = 4096


@functools.cache
def _scorer(metric: Metric, corpus: bool = False) -> Any:
    """Return sacrebleu's scorer; BLEU of one sentence takes no n-grams that are longer than the sentence."""
    if metric == "chrf++":
        return CHRF(word_order=2)
    return BLEU(tokenize="intl", effective_order=not corpus)


def overlap_signature(metric: Metric) -> str:
    """Return sacrebleu's signature of sentence scores."""
    _scorer(metric).sentence_score("", [""])  # it knows the signature after a first score only
    return f"sacrebleu {_scorer(metric).get_signature()}|mean of sentence scores"


@functools.lru_cache(maxsize=CACHED_REFERENCES)
def _cut_references(metric: Metric, references: tuple[str, ...]) -> Any:
    scorer = _scorer(metric)
    return scorer._extract_reference_info([scorer._preprocess_segment(one) for one in references])


def text_statistics(metric: Metric, text: str, references: tuple[str, ...]) -> Statistics:
    """Return sacrebleu's statistics of one text, of chrF++ with the nearest reference."""
    scorer = _scorer(metric)
    found: list[int] = scorer._compute_segment_statistics(
        scorer._preprocess_segment(text), _cut_references(metric, references)
    )
    return found


def overlap_score(metric: Metric, statistics: Statistics) -> float:
    """Return the sentence score of one text's statistics, 0..100."""
    return float(_scorer(metric)._compute_score_from_stats(list(statistics)).score)


def corpus_score(metric: Metric, statistics: Iterable[Statistics]) -> float:
    """Return the corpus score of many texts' statistics, 0..100; 0 without a text."""
    total = [sum(column) for column in zip(*statistics, strict=True)]
    return float(_scorer(metric, corpus=True)._compute_score_from_stats(total).score) if total else 0.0


def rouge_l(words: Sequence[str], reference: Sequence[str]) -> float:
    """Return ROUGE-L F1, 0..1: 2·LCS/(m+n), which rapidfuzz calls normalised Indel similarity."""
    return Indel.normalized_similarity(words, reference)
