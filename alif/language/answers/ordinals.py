"""Choices that are named by their order. Every table is the pack's.

find_ordinals("دوسرا آپشن", pack)          {1}    ("the second option")
find_ordinals("پہلے پانی ابالیں", pack)    {}     ("first boil water")
"""

from __future__ import annotations

import functools
from itertools import pairwise

from alif.language.normalisation import phrase_words, split_words
from alif.language.pack import Pack

__all__ = ["LAST", "find_ordinals"]

LAST = -1  # place of the last choice, however many there are


def find_ordinals(answer: str, pack: Pack) -> set[int]:
    """Return the places of the choices that an answer names by their order, from 0; the last one is LAST.

    An ordinal counts alone, or beside a noun for choice: "first, wash the rice" names none. A digit counts
    right behind such a noun.
    """
    words = split_words(answer, pack)
    found = [
        (start, start + len(ordinal), place)
        for ordinal, place in _ordinals(pack)
        for start in range(len(words))
        if tuple(words[start : start + len(ordinal)]) == ordinal
    ]
    nouns = phrase_words(pack.choices.choice_nouns, pack)
    found += [
        (place + 1, place + 2, int(word) - 1)
        for place, (noun, word) in enumerate(pairwise(words))
        if noun in nouns and word in "123456789"
    ]
    filler = nouns | phrase_words(pack.choices.words + pack.phrases.conjunctions, pack)
    inside = {position for start, end, _ in found for position in range(start, end)}
    alone = all(word in filler for position, word in enumerate(words) if position not in inside)
    return {
        place
        for start, end, place in found
        if alone or nouns & {*words[max(start - 1, 0) : start], *words[end : end + 1]}
    }


@functools.lru_cache
def _ordinals(pack: Pack) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Return the folded words of each ordinal with its place."""
    named = [*enumerate(pack.choices.ordinals), (LAST, pack.choices.last)]
    return tuple((tuple(split_words(name, pack)), place) for place, names in named for name in names)
