"""The global pool: exact ROUGE-L of a candidate against every instruction ever accepted, of all tasks.

ROUGE-L F1 of two word lists of lengths m and n is 2·LCS/(m+n). A candidate is a duplicate if it reaches the threshold a/b, and
that is decided in integers: LCS ≥ need(m+n) = ⌈a·(m+n)/2b⌉. Comparing with each accepted row is exact and slow, so rows that
cannot reach it are never looked at. Three filters, none of which can lose a duplicate:

    length      a partner is possible only if min(m, n) ≥ need(m+n)
    prefix      sort the words of each text, rarest first; at most m−need words of one text and n−need of the other are outside
                the common subsequence, so its rarest word stands among the first m−need+1 and n−need+1: those are indexed
    signature   128 bits, one a word: bits of the candidate that the row lacks are words that cannot be common

A word's postings stand in the order of their rows' lengths, so those of rows that are too long are never read: the later a word
stands in the sorted candidate, the shorter must its partners be. What is left, a few rows, is verified with the exact LCS.

Words are numbered, the most frequent first, and a text is a `str` with one code point a word, as rapidfuzz likes it. The
filters are right for any order of words; it is taken anew from the frequencies as the pool grows.

Source: threshold 0.7 of Self-Instruct, arXiv 2212.10560, section 2.2; one pool for all tasks: Alif, arXiv 2510.09051.
"""

from __future__ import annotations

import functools
import itertools
from array import array
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from alif.dedup import kernels
from alif.dedup.kernels import LENGTH_SHIFT, LONGEST, MOST_ROWS, ROW_BITS, Bits, Sieve
from alif.errors import DataError

__all__ = ["RougeLIndex"]

FIRST_RANKING = 512
"""Rows after which words are ranked for the first time."""
RANKING_GROWTH = 4
"""Growth of the pool after which words are ranked again: sooner costs more than the better order saves."""
SHORT = 64
"""Postings that are faster read all than searched for the longest row."""
COMPILED_FROM = 1 << 17
"""Rows, when words are ranked, from which the compiled sieve, where there is one, saves more time than loading it takes."""

_BITS = 128
_BIT = tuple(1 << bit for bit in range(_BITS))
_HALF = (1 << _BITS // 2) - 1
_UNKNOWN = 0
"""Stands for every word that no accepted row has."""
_FIRST_SURROGATE, _SURROGATES = 0xD800, 0x800
_LAST_CODE_POINT = 0x10FFFF

Text = str | tuple[int, ...]
"""A text in word codes: one code point a word, or integers once there are more words than code points."""


class RougeLIndex:
    """Every accepted text, and the nearest one to a candidate."""

    def __init__(self, threshold: float = 0.7) -> None:
        share = Fraction(str(threshold))
        if not 0 < share <= 1:
            raise ValueError(f"threshold is {threshold}, not in (0, 1]")
        self._top, self._under = share.numerator, 2 * share.denominator
        self._cutoff = float(share) - 1e-6
        self._ids: list[str] = []
        self._texts: list[Text] = []
        self._lacks = _no_lacks()
        self._codes: dict[str, int] = {}
        self._postings: list[array[int]] = [array("q")]
        self._ranked_rows = FIRST_RANKING // RANKING_GROWTH
        self._sieve: Sieve = kernels.scan_numpy

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, words: Sequence[str]) -> tuple[str, float] | None:
        """Return (id, similarity) of the most similar row that reaches the threshold; None if all are below: accept.

        Of equally similar rows the first added is named.

        Raises:
            DataError: there is no word to compare by.
        """
        size = self._size(words)
        get = self._codes.get
        codes = [get(word, _UNKNOWN) for word in words]
        rows = self._candidates(codes)
        if not rows:
            return None
        texts = [self._texts[row] for row in rows]
        text = _text(codes)
        found = process.extractOne(text, texts, scorer=Indel.normalized_similarity, score_cutoff=self._cutoff)
        if found is None:
            return None
        other, _, index = found
        total = size + len(other)
        common = LCSseq.similarity(text, other)
        return (
            (self._ids[rows[index]], 2 * common / total)
            if common * self._under >= total * self._top
            else None
        )

    def add(self, id: str, words: Sequence[str]) -> None:
        """Accept a text, whatever its neighbours.

        Raises:
            DataError: there is no word to compare by.
        """
        self._size(words)
        if len(self._ids) >= MOST_ROWS:
            raise DataError(f"the pool is full: {len(self._ids):,} rows", "Split the run.")
        codes = [self._codes.get(word) or self._new(word) for word in words]
        self._ids.append(id)
        self._texts.append(_text(codes))
        self._keep(len(self._ids) - 1, codes, insort)
        if len(self._ids) >= RANKING_GROWTH * self._ranked_rows:
            self._rank()

    def _size(self, words: Sequence[str]) -> int:
        size = len(words)
        if not 0 < size <= LONGEST:
            raise DataError(
                f"a text of {size:,} words cannot be compared", "Drop the row before it meets the pool."
            )
        return size

    def _new(self, word: str) -> int:
        """Give a word the next code: until the next ranking it is rarer than all older words."""
        if len(self._postings) == _FIRST_SURROGATE:
            self._postings += [array("q") for _ in range(_SURROGATES)]
        code = self._codes[word] = len(self._postings)
        self._postings.append(array("q"))
        return code

    def _keep(self, row: int, codes: list[int], put: Callable[[array[int], int], None]) -> None:
        """Write a row's signature and the postings by which it may be found."""
        if row == len(self._lacks[0]):
            left, right = (np.concatenate((lacks, np.zeros_like(lacks))) for lacks in self._lacks)
            self._lacks = left, right
        for lacks, signature in zip(self._lacks, _signature(codes), strict=True):
            lacks[row] = signature ^ _HALF
        longest = _longest(len(codes), self._top, self._under)
        packed = len(codes) << LENGTH_SHIFT | row
        for code, place in _places(codes, len(longest)):
            put(self._postings[code], packed | min(longest[place], LONGEST) << ROW_BITS)

    def _candidates(self, codes: list[int]) -> list[int]:
        """Return the rows that pass length, prefix and signature, in the order in which they were added."""
        limits, every = _limits(len(codes), self._top, self._under), self._postings
        found = []
        for code, place in _places(codes, len(limits)):
            postings = every[code]
            if len(postings) > SHORT:
                postings = postings[: bisect_left(postings, limits[place])]
            if postings:
                found.append(postings)
        if not found:
            return []
        room = _room(len(codes), codes.count(_UNKNOWN), self._top, self._under)
        rows = self._sieve(
            np.frombuffer(b"".join(found), dtype=np.int64), len(codes), room, *self._lacks, *_signature(codes)
        )
        return sorted(set(rows.tolist())) if len(rows) else []

    def _rank(self) -> None:
        """Give all words new numbers, by how frequent they are now, and index every row anew."""
        counts = Counter(itertools.chain.from_iterable(map(_codes, self._texts)))
        order = sorted(counts, key=lambda code: (-counts[code], code))
        words = {code: word for word, code in self._codes.items()}
        self._codes, self._postings, self._lacks = {}, [array("q")], _no_lacks()
        renamed = {code: self._new(words[code]) for code in order}
        for row, text in enumerate(self._texts):
            codes = [renamed[code] for code in _codes(text)]
            self._texts[row] = _text(codes)
            self._keep(row, codes, array.append)
        for postings in filter(None, self._postings):
            np.frombuffer(postings, dtype=np.int64).sort()
        self._ranked_rows = len(self._texts)
        if self._ranked_rows >= COMPILED_FROM:
            self._sieve = kernels.compile_scan() or kernels.scan_numpy


@functools.lru_cache(maxsize=1024)
def _longest(size: int, top: int, under: int) -> list[int]:
    """Return the longest partner that a text of `size` words can have, by the place of the rarest common word in it.

    That is need(m+n) ≤ m−place with the ceiling written out. The list ends where no length n with need(m+n) ≤ n is left.
    """
    longest = [under * (size - place) // top - size for place in range(size)]
    return [length for length in longest if length * (under - top) >= top * size]


@functools.lru_cache(maxsize=1024)
def _limits(size: int, top: int, under: int) -> list[int]:
    """Return the first posting that is too long, by the place of the rarest common word in a text of `size` words."""
    return [length + 1 << LENGTH_SHIFT for length in _longest(size, top, under)]


@functools.lru_cache(maxsize=1024)
def _room(size: int, unknown: int, top: int, under: int) -> npt.NDArray[np.uint8]:
    """Return how many bits of a text's signature a row may lack, and one more, by the row's length; 0: it is too long.

    Of a row of n words need(m+n) words must be common, so the row may lack the m − need(m+n) others, unknown words among them.
    """
    longest = max(_longest(size, top, under), default=0)
    needs = -(-(np.arange(longest + 1) + size) * top // under)
    return np.append(np.clip(size - unknown - needs + 1, 0, _BITS + 1), 0).astype(np.uint8)


def _places(codes: list[int], end: int) -> list[tuple[int, int]]:
    """Return (word, its first place) of the places before `end` in the sorted text: rarest first, unknown words before all."""
    unknown = codes.count(_UNKNOWN)
    known = sorted(codes, reverse=True)[: max(end - unknown, 0)]
    places = range(unknown, unknown + len(known))
    if len(set(known)) == len(known):
        return list(zip(known, places, strict=True))
    return [
        (code, place)
        for code, place, last in zip(known, places, [_UNKNOWN, *known], strict=False)
        if code != last
    ]


def _text(codes: list[int]) -> Text:
    return "".join(map(chr, codes)) if max(codes) <= _LAST_CODE_POINT else tuple(codes)


def _codes(text: Text) -> Sequence[int]:
    return list(map(ord, text)) if isinstance(text, str) else text


def _no_lacks() -> tuple[Bits, Bits]:
    """Return empty tables, one for each half of a signature: a text's row has the bits that its signature lacks."""
    return np.zeros(FIRST_RANKING, dtype=np.uint64), np.zeros(FIRST_RANKING, dtype=np.uint64)


def _signature(codes: list[int]) -> tuple[int, int]:
    bits = 0
    for code in codes:
        bits |= _BIT[code % _BITS] if code else 0
    return bits & _HALF, bits >> _BITS // 2
