"""Which wordings a saturated task keeps coming back to: runs of words that many of its refused rows share.

translation   61 of 90 refused rows   "انگریزی میں ترجمہ کریں" ("translate into English")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["RUN_WORDS", "RepeatedPhrase", "find_repeated_phrases"]

RUN_WORDS = 4
"""Words in a row that make a wording."""
MOST = 3
"""Wordings that are named."""
FEWEST_ROWS = 3
"""Rows that must share a wording."""


@dataclass(frozen=True)
class RepeatedPhrase:
    """A wording, and how many refused rows have it."""

    words: str
    rows: int


def find_repeated_phrases(refused: Sequence[Sequence[str]]) -> list[RepeatedPhrase]:
    """Return the wordings that most of the `refused` rows share, each row counted for one; a row is its words."""
    texts = list(refused)
    found: list[RepeatedPhrase] = []
    while texts and len(found) < MOST:
        counts = Counter(run for text in texts for run in set(_runs(text, RUN_WORDS)))
        run, rows = max(counts.items(), key=lambda item: (item[1], item[0]), default=((), 0))
        if rows < FEWEST_ROWS:
            break
        sharing = [text for text in texts if run in _runs(text, RUN_WORDS)]
        found.append(RepeatedPhrase(" ".join(_whole(sharing, run)), rows))
        texts = [text for text in texts if run not in _runs(text, RUN_WORDS)]
    return found


def _runs(text: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(text[start : start + length]) for start in range(len(text) - length + 1)]


def _whole(sharing: Sequence[Sequence[str]], run: tuple[str, ...]) -> tuple[str, ...]:
    """Lengthen a run for as long as most of the texts that share it go on alike."""
    while True:
        longer = Counter(
            one for text in sharing for one in set(_runs(text, len(run) + 1)) if run in (one[:-1], one[1:])
        )
        best, rows = max(longer.items(), key=lambda item: (item[1], item[0]), default=((), 0))
        if 2 * rows <= len(sharing):
            return run
        run = best
