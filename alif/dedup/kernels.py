"""The pool's inner loop: which postings allow for a duplicate. In NumPy, or compiled by numba with the extra `fast`.

A posting is one integer: a row's length, the longest partner for which the word counts there, and the row. Both ways give the
same rows; compiled, one pass without arrays in between does it, which tells the more the more postings there are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "LENGTH_SHIFT",
    "LONGEST",
    "MOST_ROWS",
    "ROW_BITS",
    "Bits",
    "Sieve",
    "compile_scan",
    "scan_loop",
    "scan_numpy",
]

PLACE_BITS, ROW_BITS = 19, 25
"""Bits of the longest partner, and below it of the row; the row's length stands above both."""
LENGTH_SHIFT = PLACE_BITS + ROW_BITS
LONGEST = (1 << PLACE_BITS) - 1
"""Most words of a text."""
MOST_ROWS = 1 << ROW_BITS

_ROW = MOST_ROWS - 1
_PARTNER = LONGEST << ROW_BITS

Postings: TypeAlias = npt.NDArray[np.int64]
Bits: TypeAlias = npt.NDArray[np.uint64]
Sieve: TypeAlias = Callable[[Postings, int, npt.NDArray[np.uint8], Bits, Bits, int, int], Postings]
"""(postings, words of the text, room, what rows lack: both halves, the text's signature: both halves) → rows, some twice.

`room` says how many bits a row may lack, and one more, by its length; the last entry is for all that are longer."""


def scan_numpy(
    packed: Postings, size: int, room: npt.NDArray[np.uint8], left: Bits, right: Bits, one: int, two: int
) -> Postings:
    """Return the rows whose place and signature allow for a duplicate."""
    packed = packed.take(((packed & _PARTNER) >= size << ROW_BITS).nonzero()[0])
    rows = packed & _ROW
    lacking = np.bitwise_count(left.take(rows) & one) + np.bitwise_count(right.take(rows) & two)
    near = (lacking < room.take(packed >> LENGTH_SHIFT, mode="clip")).nonzero()[0]
    found: Postings = rows.take(near)
    return found


def scan_loop(
    packed: Postings, size: int, room: npt.NDArray[np.uint8], left: Bits, right: Bits, one: int, two: int
) -> Postings:
    """Return the same, posting by posting: what numba compiles."""
    found, count, last = np.empty(len(packed), dtype=np.int64), 0, len(room) - 1
    for posting in packed:
        if (posting >> ROW_BITS) & LONGEST < size:
            continue
        row, limit, lacking = posting & _ROW, room[min(posting >> LENGTH_SHIFT, last)], 0
        rest = left[row] & one
        while rest:
            rest &= rest - np.uint64(1)
            lacking += 1
        if lacking >= limit:  # most end here, and the other half need not be fetched
            continue
        rest = right[row] & two
        while rest:
            rest &= rest - np.uint64(1)
            lacking += 1
        if lacking < limit:
            found[count] = row
            count += 1
    return found[:count]


@functools.cache
def compile_scan() -> Sieve | None:
    """Return `by_loop` compiled, or None where numba is missing or refuses this NumPy. The first call takes about a second."""
    try:
        import numba  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        return None
    words = numba.types.Array(numba.uint8, 1, "C"), numba.types.Array(numba.uint64, 1, "C")
    postings = numba.types.Array(numba.int64, 1, "C", readonly=True)
    signature = (postings, numba.int64, words[0], words[1], words[1], numba.uint64, numba.uint64)
    found: Sieve = numba.njit(signature)(scan_loop)
    return found
