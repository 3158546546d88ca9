"""Which phrases a saturated task keeps coming back to: runs of words that many of its refused rows share.

translation   61 of 90 refused rows   "انگریزی میں ترجمہ کریں" ("translate into English")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from alif.dedup.ngrams import word_ngrams
from alif.facts.data_facts import RepeatedPhrase

__all__ = ["find_repeated_phrases"]

NGRAM = 4
"""Words in a row that make a phrase."""
MAX_PHRASES = 3
MIN_ROWS = 3
"""Rows that must share a phrase."""


def find_repeated_phrases(refused: Sequence[Sequence[str]]) -> tuple[RepeatedPhrase, ...]:
    """Return the phrases that most of the `refused` rows (lists of words) share, each row counted for one."""
    texts = list(refused)
    found: list[RepeatedPhrase] = []
    while texts and len(found) < MAX_PHRASES:
        gram, rows = _most_common(gram for text in texts for gram in set(word_ngrams(text, NGRAM)))
        if rows < MIN_ROWS:
            break
        sharing = [text for text in texts if gram in word_ngrams(text, NGRAM)]
        found.append(RepeatedPhrase(words=" ".join(_extend(gram, sharing)), rows=rows, of=len(refused)))
        texts = [text for text in texts if gram not in word_ngrams(text, NGRAM)]
    return tuple(found)


def _extend(gram: tuple[str, ...], sharing: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Lengthen an n-gram for as long as most of the texts that share it go on alike."""
    while True:
        longer, rows = _most_common(
            one
            for text in sharing
            for one in set(word_ngrams(text, len(gram) + 1))
            if gram in (one[:-1], one[1:])
        )
        if 2 * rows <= len(sharing):
            return gram
        gram = longer


def _most_common(grams: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], int]:
    return max(Counter(grams).items(), key=lambda item: (item[1], item[0]), default=((), 0))
