"""Word n-grams: runs of n words, for deduplication, decontamination and repetition checks."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["repeated_share", "word_ngrams"]


def word_ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Return every run of `n` words, in order; none where there are fewer words."""
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def repeated_share(words: Sequence[str], n: int = 4) -> float:
    """Return the share of word n-grams that occurred before, 0..1; 0 where there are none."""
    grams = word_ngrams(words, n)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
