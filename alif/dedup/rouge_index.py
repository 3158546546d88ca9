"""Exact ROUGE-L similarity of a candidate to every instruction accepted so far, of all tasks.

ROUGE-L F1 of two word lists of lengths m and n is 2·LCS/(m+n). A candidate is a duplicate if it reaches
the threshold a/b, decided in integers: LCS ≥ need(m+n) = ⌈a·(m+n)/2b⌉. A set-similarity join as PPJoin's: an
inverted index, whose filters cannot lose a duplicate, leaves a few rows, which the exact LCS verifies.

    length      a partner is possible only if min(m, n) ≥ need(m+n)
    prefix      words of each text sorted, rarest first: at most m−need of one and n−need of the other are
                outside the common subsequence, so its rarest word is among the first m−need+1 and n−need+1:
                those are indexed, with the longest partner possible if the rarest common word is there
    signature   128 bits, one per word: bits of the candidate that the row lacks cannot be common words

A posting is one integer: the row's length, the longest partner, the row. Postings of a word are sorted, so
those of rows that are too long are never read. Words are numbered, the most frequent first; a text is a `str`
with one code point per word, for rapidfuzz. Filters hold for any order of words; it is renewed as rows come.

Source: threshold 0.7 of Self-Instruct, arXiv 2212.10560, section 2.2; one index for all tasks: Alif, arXiv
2510.09051; prefix and length filter: PPJoin, Xiao et al. 2008.
"""

from __future__ import annotations

import functools
import itertools
from array import array
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from alif.errors import DataError

__all__ = ["RougeLIndex"]

FIRST_RANKING = 512
"""Rows after which words are ranked for the first time."""
RANKING_GROWTH = 4
"""Growth of the index after which words are ranked again: sooner costs more than the better order saves."""
SHORT = 64
"""Postings that are faster read in full than searched for the longest row."""

PARTNER_BITS, ROW_BITS = 19, 25
"""Bits of the longest partner, and below it of the row; the row's length stands above both."""
LENGTH_SHIFT = PARTNER_BITS + ROW_BITS
MAX_WORDS = (1 << PARTNER_BITS) - 1
MAX_ROWS = 1 << ROW_BITS
_ROW_MASK = MAX_ROWS - 1
_PARTNER_MASK = MAX_WORDS << ROW_BITS

_BITS = 128
_BIT = tuple(1 << bit for bit in range(_BITS))
_HALF = (1 << _BITS // 2) - 1
_UNKNOWN = 0
"""The code of every word that no accepted row has."""
_FIRST_SURROGATE, _SURROGATES = 0xD800, 0x800
_LAST_CODE_POINT = 0x10FFFF

Text: TypeAlias = str | tuple[int, ...]
"""A text in word codes: one code point per word, or integers once there are more words than code points."""
Bits: TypeAlias = npt.NDArray[np.uint64]


class RougeLIndex:
    """Every accepted text, and the nearest one to a candidate."""

    def __init__(self, threshold: float = 0.7) -> None:
        share = Fraction(str(threshold))
        if not 0 < share <= 1:
            raise ValueError(f"threshold is {threshold}, not in (0, 1]")
        self._numerator, self._denominator = share.numerator, 2 * share.denominator
        self._cutoff = float(share) - 1e-6
        self._ids: list[str] = []
        self._texts: list[Text] = []
        self._missing_bits = _no_signatures()
        self._codes: dict[str, int] = {}
        self._postings: list[array[int]] = [array("q")]
        self._ranked_rows = FIRST_RANKING // RANKING_GROWTH

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, words: Sequence[str]) -> tuple[str, float] | None:
        """Return (id, similarity) of the most similar row that reaches the threshold; None: accept the text.

        Of equally similar rows the first added is named.

        Raises:
            DataError: there is no word to compare by.
        """
        _check_length(words)
        codes = [self._codes.get(word, _UNKNOWN) for word in words]
        rows = self._candidates(codes)
        if not rows:
            return None
        text = _to_text(codes)
        texts = [self._texts[row] for row in rows]
        found = process.extractOne(text, texts, scorer=Indel.normalized_similarity, score_cutoff=self._cutoff)
        if found is None:
            return None
        other, _, index = found
        total, common = len(words) + len(other), LCSseq.similarity(text, other)
        duplicate = common * self._denominator >= total * self._numerator
        return (self._ids[rows[index]], 2 * common / total) if duplicate else None

    def add(self, id: str, words: Sequence[str]) -> None:
        """Accept a text, whatever its neighbours.

        Raises:
            DataError: there is no word to compare by.
        """
        _check_length(words)
        if len(self._ids) >= MAX_ROWS:
            raise DataError(f"the pool is full: {len(self._ids):,} rows", "Split the run.")
        codes = [self._codes.get(word) or self._new_code(word) for word in words]
        self._ids.append(id)
        self._texts.append(_to_text(codes))
        self._index_row(len(self._ids) - 1, codes, insort)
        if len(self._ids) >= RANKING_GROWTH * self._ranked_rows:
            self._rank_words()

    def _new_code(self, word: str) -> int:
        """Give a word the next code: until the next ranking it counts as rarer than all older words."""
        if len(self._postings) == _FIRST_SURROGATE:
            self._postings += [array("q") for _ in range(_SURROGATES)]
        code = self._codes[word] = len(self._postings)
        self._postings.append(array("q"))
        return code

    def _index_row(self, row: int, codes: list[int], insert: Callable[[array[int], int], None]) -> None:
        """Write a row's signature and the postings by which it may be found."""
        if row == len(self._missing_bits[0]):
            left, right = (np.concatenate((half, np.zeros_like(half))) for half in self._missing_bits)
            self._missing_bits = left, right
        for half, signature in zip(self._missing_bits, _signature(codes), strict=True):
            half[row] = signature ^ _HALF
        longest = _longest_partners(len(codes), self._numerator, self._denominator)
        packed = len(codes) << LENGTH_SHIFT | row
        for code, place in _prefix(codes, len(longest)):
            insert(self._postings[code], packed | min(longest[place], MAX_WORDS) << ROW_BITS)

    def _candidates(self, codes: list[int]) -> list[int]:
        """Return the rows that pass the three filters, in the order in which they were added."""
        size = len(codes)
        longest = _longest_partners(size, self._numerator, self._denominator)
        found = []
        for code, place in _prefix(codes, len(longest)):
            postings = self._postings[code]
            if len(postings) > SHORT:
                postings = postings[: bisect_left(postings, longest[place] + 1 << LENGTH_SHIFT)]
            if postings:
                found.append(postings)
        if not found:
            return []
        max_missing = _max_missing(size, codes.count(_UNKNOWN), self._numerator, self._denominator)
        packed = np.frombuffer(b"".join(found), dtype=np.int64)
        packed = packed.take(((packed & _PARTNER_MASK) >= size << ROW_BITS).nonzero()[0])
        rows = packed & _ROW_MASK
        (left, right), (one, two) = self._missing_bits, _signature(codes)
        missing = np.bitwise_count(left.take(rows) & one) + np.bitwise_count(right.take(rows) & two)
        near = (missing < max_missing.take(packed >> LENGTH_SHIFT, mode="clip")).nonzero()[0]
        return sorted(set(rows.take(near).tolist()))

    def _rank_words(self) -> None:
        """Give every word a new code by its frequency now, and index every row again."""
        counts = Counter(itertools.chain.from_iterable(map(_to_codes, self._texts)))
        order = sorted(counts, key=lambda code: (-counts[code], code))
        words = {code: word for word, code in self._codes.items()}
        self._codes, self._postings, self._missing_bits = {}, [array("q")], _no_signatures()
        renumbered = {code: self._new_code(words[code]) for code in order}
        for row, text in enumerate(self._texts):
            codes = [renumbered[code] for code in _to_codes(text)]
            self._texts[row] = _to_text(codes)
            self._index_row(row, codes, array.append)
        for postings in filter(None, self._postings):
            np.frombuffer(postings, dtype=np.int64).sort()
        self._ranked_rows = len(self._texts)


def _check_length(words: Sequence[str]) -> None:
    if not 0 < len(words) <= MAX_WORDS:
        raise DataError(
            f"a text of {len(words):,} words cannot be compared", "Drop the row before it meets the pool."
        )


@functools.lru_cache(maxsize=1024)
def _longest_partners(size: int, numerator: int, denominator: int) -> list[int]:
    """Return the longest partner of a text of `size` words, by the place of the rarest common word in it.

    That is need(m+n) ≤ m−place with the ceiling written out. It ends where no n with need(m+n) ≤ n is left.
    """
    longest = [denominator * (size - place) // numerator - size for place in range(size)]
    return [length for length in longest if length * (denominator - numerator) >= numerator * size]


@functools.lru_cache(maxsize=1024)
def _max_missing(size: int, unknown: int, numerator: int, denominator: int) -> npt.NDArray[np.uint8]:
    """Return how many bits of a text's signature a row may lack, plus one, by the row's length; 0: too long.

    need(m+n) words must be common with a row of n words, so it may lack the other m − need(m+n), of which the
    unknown words are some already.
    """
    longest = max(_longest_partners(size, numerator, denominator), default=0)
    needs = -(-(np.arange(longest + 1) + size) * numerator // denominator)
    return np.append(np.clip(size - unknown - needs + 1, 0, _BITS + 1), 0).astype(np.uint8)


def _prefix(codes: list[int], end: int) -> list[tuple[int, int]]:
    """Return (word, first place) before `end` of the text sorted rarest first, unknown words leading."""
    unknown = codes.count(_UNKNOWN)
    known = sorted(codes, reverse=True)[: max(end - unknown, 0)]
    places = range(unknown, unknown + len(known))
    if len(set(known)) == len(known):
        return list(zip(known, places, strict=True))
    before = [_UNKNOWN, *known]
    return [(code, place) for code, place, last in zip(known, places, before, strict=False) if code != last]


def _to_text(codes: list[int]) -> Text:
    return "".join(map(chr, codes)) if max(codes) <= _LAST_CODE_POINT else tuple(codes)


def _to_codes(text: Text) -> Sequence[int]:
    return list(map(ord, text)) if isinstance(text, str) else text


def _no_signatures() -> tuple[Bits, Bits]:
    """Return empty tables, one per half of a signature, of the bits that each row lacks."""
    return np.zeros(FIRST_RANKING, dtype=np.uint64), np.zeros(FIRST_RANKING, dtype=np.uint64)


def _signature(codes: list[int]) -> tuple[int, int]:
    bits = 0
    for code in codes:
        bits |= _BIT[code % _BITS] if code else 0
    return bits & _HALF, bits >> _BITS // 2
