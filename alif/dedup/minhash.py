"""Near-duplicates among millions of documents: MinHash over runs of words, banded, 112 bytes of memory each.

    index = MinHashIndex(file, least=0.8)
    index.find_or_add(words, id)    → None, and the document is remembered; or the id of the earlier one

A document is looked up by the hashes of 14 bands of 8 values: a pair of Jaccard similarity 0.8 shares one
with 92 %, a pair of 0.5 with 5 %. What shares one is compared by all 112 values, which lie in a file. Keys
are kept in sorted arrays, each at least twice the size of the next, so that memory grows by the keys alone.

Source: Broder 1997; bands of FineWeb, arXiv 2406.17557, appendix E.1 (112 hashes, 14 buckets of 8, 5-grams).
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray

__all__ = ["MinHashIndex"]

NGRAM, BANDS, ROWS = 5, 14, 8
CHUNK = 4_096
"""Runs of words that are hashed at once."""
RECENT = 1 << 13
"""Keys that are looked up in a dictionary, before they become a sorted array."""
SEED = 3407

PLACES = np.uint64((1 << 28) - 1)
"""Bits of a key that hold the number of its document; the others are the hash of a band."""


class MinHashIndex:
    """The documents seen so far; `file` holds their values, and may be a temporary one."""

    def __init__(self, file: IO[bytes], least: float) -> None:
        self._file, self._least = file, least
        self._ids = array("Q")
        self._recent: dict[int, int] = {}
        self._levels: list[NDArray[np.uint64]] = []
        rng = np.random.default_rng(SEED)
        self._factors = rng.integers(1, 1 << 63, BANDS * ROWS, np.uint64)[:, None] | np.uint64(1)
        self._offsets = rng.integers(0, 1 << 63, BANDS * ROWS, np.uint64)[:, None]

    def find_or_add(self, words: Sequence[str], id: int) -> int | None:
        """Return the id of the first document that is nearly the same, or remember this one and return None.

        A document with fewer than `NGRAM` words has no runs, and is never near to another.
        """
        if len(words) < NGRAM:
            return None
        values = self._hash_runs(words)
        bands = values.reshape(BANDS, ROWS).astype(np.uint64)
        keys = ((bands * self._factors[:ROWS, 0]).sum(axis=1) ^ self._factors[:BANDS, 0]) & ~PLACES
        for place in self._find_candidates(keys):
            if np.mean(self._read_values(place) == values) >= self._least:
                return self._ids[place]
        self._file.seek(0, 2)
        self._file.write(values.tobytes())
        self._recent.update((int(key), len(self._ids)) for key in keys if int(key) not in self._recent)
        self._ids.append(id)
        if len(self._recent) >= RECENT:
            self._merge_levels()
        return None

    def _hash_runs(self, words: Sequence[str]) -> NDArray[np.uint32]:
        """Return the least hash of the runs of words under each of the functions."""
        codes = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words], np.uint64)
        size = len(codes) - NGRAM + 1
        runs = np.zeros(size, np.uint64)
        for place in range(NGRAM):
            runs = runs * np.uint64(0x9E3779B97F4A7C15) + codes[place : place + size]
        runs ^= runs >> np.uint64(29)
        least = np.full(BANDS * ROWS, 0xFFFFFFFF, np.uint32)
        for start in range(0, size, CHUNK):
            hashed = (self._factors * runs[start : start + CHUNK] + self._offsets) >> np.uint64(32)
            least = np.minimum(least, hashed.min(axis=1).astype(np.uint32))
        return least

    def _find_candidates(self, keys: NDArray[np.uint64]) -> list[int]:
        found = {self._recent[int(key)] for key in keys if int(key) in self._recent}
        for level in self._levels:  # the first behind a key alone is the first document that has it
            first = level[np.minimum(np.searchsorted(level, keys), len(level) - 1)]
            found.update((first[first & ~PLACES == keys] & PLACES).tolist())
        return sorted(found)

    def _read_values(self, place: int) -> NDArray[np.uint32]:
        size = BANDS * ROWS * 4
        self._file.seek(place * size)
        return np.frombuffer(self._file.read(size), np.uint32)

    def _merge_levels(self) -> None:
        """Make the recent keys a sorted array, and one of each two of about the same size."""
        new = np.fromiter((key | place for key, place in self._recent.items()), np.uint64, len(self._recent))
        self._recent = {}
        while self._levels and len(self._levels[-1]) <= 2 * len(new):
            new = np.concatenate((self._levels.pop(), new))
        new.sort()
        self._levels.append(new)
