"""Find what an answer repeats without end: the rule of the filter and of the evaluation.

    "بہت اچھا ہے اور بہت اچھا ہے اور …"   repeated word 4-grams
    "… ہےہےہےہےہےہے"                     one unit many times, anywhere, with spaces or without
    "… ہم چلے ہم چلے ہم چلے"               one unit three times or more that fills the end
    "… ہے۔۔۔۔۔۔۔۔۔"                       one mark that never ends

Laughter, refrains, tables and dotted leaders repeat themselves too, and less: see the limits.
"""

from __future__ import annotations

import numpy as np
import regex

from alif.dedup.ngrams import repeated_share
from alif.language import text
from alif.language.pack import Pack

__all__ = ["find_loop", "find_repetition"]

NGRAM = 4
"""Words of an n-gram. Source: Gopher, arXiv 2112.11446, table A1 (repeated 2- to 4-grams)."""
MIN_NGRAMS = 8
"""Fewer n-grams of an answer say nothing about repetition."""
MIN_LOOP_CHARS = 24
"""Fewest characters at the end that are one unit repeated three times or more."""
MIN_LOOP_SHARE = 0.3
"""Least part of the answer that such a loop fills. A refrain is shorter."""
MIN_RUN_UNITS, MIN_RUN_LETTERS, MAX_RUN_UNIT = 8, 20, 40
"""A unit of at most so many characters, so many times and with so many letters in all, is a loop anywhere."""
WINDOW, MIN_RUN_WINDOWS = 8, 11
"""Characters of a window, and repeated windows below which no such run is there: nearly always."""
TABLE_MARKS = frozenset("|\t")
"""Between cells, which may all say the same."""
MIN_LEADER_CHARS, MIN_RULE_CHARS = 50, 200
"""Points at the end, and other marks such as the rule under a table, are a loop from so many on."""

_END_MARKS = regex.compile(r"([^\p{L}\p{M}\p{N}\s])(?:\s?\1)*\s*\Z")


def find_repetition(value: str, pack: Pack, max_share: float) -> str:
    """Say what an answer repeats, "" where nothing is too much; `max_share` is that of repeated 4-grams."""
    words = text.split_words(value, pack)
    share = repeated_share(words, NGRAM) if len(words) >= NGRAM + MIN_NGRAMS - 1 else 0.0
    if share > max_share:
        return f"{share:.0%} of the {NGRAM}-word runs are repeats"
    letters = "" if value.rstrip().endswith("|") else "".join(words)  # the last row of a table
    loop = find_loop(letters)
    if loop >= max(MIN_LOOP_CHARS, MIN_LOOP_SHARE * len(letters)) and not letters[-loop:].isdigit():
        return f"the end repeats itself: {letters[-MIN_LOOP_CHARS:]}"
    if run := _find_run(text.fold_text(value, pack)):
        return f"{run[1]} times {run[0].strip()}"
    marks = _END_MARKS.search(value)
    mark, count = (marks[1], marks[0].count(marks[1])) if marks else ("", 0)
    most = MIN_LOOP_CHARS if mark in f"{pack.sentences.marks}،," else MIN_RULE_CHARS
    most = MIN_LEADER_CHARS if mark in ".…" else most
    return f"{count} times {mark} at the end" if count >= most else ""


def _find_run(value: str) -> tuple[str, int] | None:
    """Return (unit, how often) of a short unit with letters that follows itself too often."""
    places = range(len(value) - WINDOW + 1)  # a run of period p and length n repeats n - 7 - p of its windows
    if len(places) - len({value[place : place + WINDOW] for place in places}) < MIN_RUN_WINDOWS:
        return None
    codes = np.frombuffer(value.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    for size in range(1, min(MAX_RUN_UNIT, len(value) // MIN_RUN_UNITS) + 1):
        breaks = np.flatnonzero(codes[size:] != codes[:-size])
        starts = np.concatenate(([0], breaks + 1))
        lengths = np.concatenate((breaks, [len(value) - size])) - starts + size
        for place in np.flatnonzero(lengths >= MIN_RUN_UNITS * size):
            run = value[starts[place] : starts[place] + lengths[place]]
            if sum(map(str.isalpha, run)) >= MIN_RUN_LETTERS and TABLE_MARKS.isdisjoint(run):
                return run[:size], len(run) // size
    return None


def find_loop(letters: str) -> int:
    """Return the length of three or more repeats of a unit at the end, the last perhaps cut: "xababab" 6."""
    backwards, size = letters[::-1], len(letters)
    longest = left = right = 0
    common = [0] * (size // 3 + 1)  # of the text and its part from each place on (Z algorithm, Gusfield 1997)
    for period in range(1, size // 3 + 1):
        if period >= right and backwards[period] != backwards[0]:
            continue
        same = min(right - period, common[period - left]) if left and period < right else 0
        while period + same < size and backwards[same] == backwards[period + same]:
            same += 1
        common[period] = same
        if period + same > right:
            left, right = period, period + same
        if same >= 2 * period:
            longest = max(longest, same + period)
    return longest
