"""Choices that are named by their order, whoever asks: the filter of rows, or the evaluator. Every table is the pack's.

ordered("دوسرا آپشن", pack)          {1}    ("the second option")
ordered("پہلے پانی ابالیں", pack)    {}     ("first boil water")
"""

from __future__ import annotations

import functools

from alif.language.normalisation import split_words as words_of
from alif.language.pack import Pack

__all__ = ["LAST", "find_ordinals", "phrase_words"]

LAST = -1
"""Place of the last choice, however many there are."""


def find_ordinals(answer: str, pack: Pack) -> set[int]:
    """Return the places of the choices that an answer names by their order, from 0; the last one is LAST.

    An ordinal counts where nothing else is said, or beside a word for choice: "first, wash the rice" names none.
    """
    words = words_of(answer, pack)
    ordinals = [
        (start, start + len(ordinal), place)
        for ordinal, place in _ordinals(pack)
        for start in range(len(words))
        if tuple(words[start : start + len(ordinal)]) == ordinal
    ]
    beside, within = (
        phrase_words(pack.choices.choice_nouns, pack),
        {at for start, end, _ in ordinals for at in range(start, end)},
    )
    others = {word for at, word in enumerate(words) if at not in within}
    if (
        others
        - beside
        - phrase_words(pack.choices.words, pack)
        - phrase_words(pack.phrases.conjunctions, pack)
    ):
        ordinals = [
            one
            for one in ordinals
            if beside & {*words[max(one[0] - 1, 0) : one[0]], *words[one[1] : one[1] + 1]}
        ]
    return {place for _, _, place in ordinals}


@functools.cache
def _ordinals(pack: Pack) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Return the folded words of each ordinal with its place."""
    named = [*enumerate(pack.choices.ordinals), (LAST, pack.choices.last)]
    return tuple((tuple(words_of(name, pack)), place) for place, names in named for name in names)


@functools.cache
def phrase_words(phrases: tuple[str, ...], pack: Pack) -> frozenset[str]:
    """Return the folded words of phrases of the pack."""
    return frozenset(word for phrase in phrases for word in words_of(phrase, pack))
