"""The global pool: exact ROUGE-L of a candidate against every instruction ever accepted, of all tasks.

ROUGE-L F1 of two word lists of lengths m and n is 2·LCS/(m+n). A candidate is a duplicate if it reaches the threshold a/b, and
that is decided in integers: LCS ≥ need(m+n) = ⌈a·(m+n)/2b⌉. Comparing with each accepted row is exact and slow, so rows that
cannot reach it are never looked at. Three filters, none of which can lose a duplicate:

    length      a partner is possible only if min(m, n) ≥ need(m+n)
    prefix      sort the words of each text, rarest first; at most m−need words of one text and n−need of the other are outside
                the common subsequence, so its rarest word stands among the first m−need+1 and n−need+1: those are indexed
    signature   64 bits, one a word: bits of the candidate that the row lacks are words that cannot be common

What is left, a few rows, is verified with the exact LCS. Words become single code points: a text is a `str` for rapidfuzz. The
order of words may be any fixed order; it is taken anew from the frequencies whenever the pool has doubled.

Source: threshold 0.7 of Self-Instruct, arXiv 2212.10560, section 2.2; one pool for all tasks: Alif, arXiv 2510.09051.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import LCSseq

from alif.errors import DataError

__all__ = ["Pool"]

LONGEST = (1 << 20) - 1
"""Most words of a text: a posting keeps row, length and place in 24 + 20 + 20 bits."""
MOST_ROWS = (1 << 23) - 1
FIRST_RANKING = 256
"""Rows after which words are ranked for the first time."""

_UNKNOWN = 0
"""Stands for every word that no accepted row has."""
_SURROGATES = range(0xD800, 0xE000)
_LAST_CODE_POINT = 0x10FFFF

Text = str | tuple[int, ...]
"""A text in word codes: one code point a word, or integers once there are more words than code points."""


class Pool:
    """Every accepted text, and the nearest one to a candidate."""

    def __init__(self, threshold: float = 0.7) -> None:
        share = Fraction(str(threshold))
        if not 0 < share <= 1:
            raise ValueError(f"threshold is {threshold}, not in (0, 1]")
        self._top, self._under = share.numerator, 2 * share.denominator
        self._need = self._need_up_to(256)
        self._ids: list[str] = []
        self._texts: list[Text] = []
        self._signatures = array("Q")
        self._codes: dict[str, int] = {}
        self._next_code = _UNKNOWN + 1
        self._ranks: list[int] = [0]
        self._postings: list[array[int]] = [array("q")]
        self._ranked_rows = FIRST_RANKING // 2

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, words: Sequence[str]) -> tuple[str, float] | None:
        """Return (id, similarity) of the most similar row that reaches the threshold; None if all are below: accept.

        Of equally similar rows the first added is named.

        Raises:
            DataError: there is no word to compare by.
        """
        size = self._size(words)
        codes = [self._codes.get(word, _UNKNOWN) for word in words]
        known = size - codes.count(_UNKNOWN)
        text = _text(codes)
        best, best_common, best_total = None, 0, 1
        for row in self._candidates(codes, known):
            other = self._texts[row]
            total = size + len(other)
            common = LCSseq.similarity(text, other, score_cutoff=int(self._need[total]))
            if common * best_total > best_common * total:
                best, best_common, best_total = row, common, total
        return None if best is None else (self._ids[best], 2 * best_common / best_total)

    def add(self, id: str, words: Sequence[str]) -> None:
        """Accept a text, whatever its neighbours.

        Raises:
            DataError: there is no word to compare by.
        """
        self._size(words)
        if len(self._ids) > MOST_ROWS:
            raise DataError(f"the pool is full: {len(self._ids):,} rows", "Split the run.")
        codes = [self._codes.get(word) or self._new(word) for word in words]
        self._ids.append(id)
        self._texts.append(_text(codes))
        self._signatures.append(_signature(codes))
        self._index(len(self._ids) - 1, codes)
        if len(self._ids) >= 2 * self._ranked_rows:
            self._rank()

    def _size(self, words: Sequence[str]) -> int:
        size = len(words)
        if not 0 < size <= LONGEST:
            raise DataError(f"a text of {size:,} words cannot be compared", "Drop the row before it meets the pool.")
        if 2 * size >= len(self._need):
            self._need = self._need_up_to(4 * size)
        return size

    def _need_up_to(self, total: int) -> npt.NDArray[np.int64]:
        """Return need by m+n: the smallest LCS that makes two texts of m+n words together duplicates."""
        totals = np.arange(total + 1, dtype=np.int64)
        return -(-totals * self._top // self._under)

    def _prefix(self, size: int) -> int:
        """Return how many sorted words of a text must be looked at, for the shortest partner that it can have."""
        shortest = -(-self._top * size // (self._under - self._top))
        return size - int(self._need[size + shortest]) + 1

    def _new(self, word: str) -> int:
        """Give a word its code. Until the next ranking it is rarer than all older words."""
        code = self._next_code
        if code in _SURROGATES:
            code = _SURROGATES.stop
        missing = code + 1 - len(self._ranks)
        self._ranks += [-code] * missing
        self._postings += [array("q") for _ in range(missing)]
        self._codes[word] = code
        self._next_code = code + 1
        return code

    def _places(self, codes: list[int], limit: int) -> list[tuple[int, int]]:
        """Return (word, its first place) in the text sorted by rank, for the places below `limit`."""
        counts = Counter(codes)
        place = counts.pop(_UNKNOWN, 0)  # rarer than any word of the pool
        places = []
        for code in sorted(counts, key=self._ranks.__getitem__):
            if place >= limit:
                break
            places.append((code, place))
            place += counts[code]
        return places

    def _index(self, row: int, codes: list[int]) -> None:
        packed = row << 40 | len(codes) << 20
        for code, place in self._places(codes, self._prefix(len(codes))):
            self._postings[code].append(packed | place)

    def _candidates(self, codes: list[int], known: int) -> list[int]:
        """Return the rows that pass length, prefix and signature, in the order in which they were added."""
        size = len(codes)
        found = [(self._postings[code], place) for code, place in self._places(codes, self._prefix(size))]
        found = [(postings, place) for postings, place in found if postings]
        if not found:
            return []
        packed = np.frombuffer(b"".join([postings for postings, _ in found]), dtype=np.int64)
        places = np.repeat([place for _, place in found], [len(postings) for postings, _ in found])
        sizes = packed >> 20 & LONGEST
        longest = int(sizes.max())
        if size + longest >= len(self._need):
            self._need = self._need_up_to(2 * (size + longest))
        need = self._need[sizes + size]
        passed = ((packed & LONGEST) <= sizes - need) & (places <= size - need)
        rows = packed[passed] >> 40
        theirs = np.frombuffer(self._signatures, dtype=np.uint64)[rows]
        lacking = np.bitwise_count(np.uint64(_signature(codes)) & ~theirs).astype(np.int64)
        return sorted(set(rows[known - lacking >= need[passed]].tolist()))

    def _rank(self) -> None:
        """Rank all words by how rare they are now, and index every row anew."""
        counts: Counter[int] = Counter()
        rows = [list(text) if isinstance(text, tuple) else list(map(ord, text)) for text in self._texts]
        for codes in rows:
            counts.update(codes)
        for rank, code in enumerate(sorted(counts, key=lambda code: (counts[code], code))):
            self._ranks[code] = rank
        self._postings = [array("q") for _ in self._ranks]
        for row, codes in enumerate(rows):
            self._index(row, codes)
        self._ranked_rows = len(rows)


def _text(codes: list[int]) -> Text:
    return "".join(map(chr, codes)) if max(codes) <= _LAST_CODE_POINT else tuple(codes)


def _signature(codes: list[int]) -> int:
    """Return 64 bits with one set for each known word; multiplying spreads neighbouring codes."""
    bits = 0
    for code in codes:
        if code != _UNKNOWN:
            bits |= 1 << (code * 0x9E3779B97F4A7C15 >> 32 & 63)
    return bits
