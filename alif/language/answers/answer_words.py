"""The words of an answer as they are compared: folded, respelled, numbers read and units named."""

from __future__ import annotations

import functools

import regex

from alif.errors import PackError
from alif.language.answers.value_reader import CACHED_ANSWERS, find_values
from alif.language.normalisation import split_words
from alif.language.pack import Pack

__all__ = ["answer_tokens"]

MAX_SPELLING_PASSES = 4  # how often the spellings are applied: what one leaves, another may change
MAX_SPELLING_S = 5  # one spelling in one text: with a backtracking pattern the time doubles with every letter


def answer_tokens(text: str, pack: Pack) -> list[str]:
    """Return the words of an answer, folded and respelled; numbers as "#1200", "%", units as "@rupee"."""
    return list(_answer_tokens(text, pack))


@functools.lru_cache(maxsize=CACHED_ANSWERS)
def _answer_tokens(text: str, pack: Pack) -> tuple[str, ...]:
    found: list[str] = []
    place = 0
    for value in find_values(text, pack):
        found += [*split_words(text[place : value.start], pack), *value.tokens]
        place = value.end
    found += split_words(text[place:], pack)
    spaced = " ".join(found)
    for _ in range(MAX_SPELLING_PASSES):
        before = spaced
        for pattern, replacement in _spellings(pack):
            try:
                spaced = " ".join(pattern.sub(replacement, spaced, timeout=MAX_SPELLING_S).split())
            except TimeoutError as error:
                where = f"{pack.folder / 'pack.toml'}: compare.spellings"
                message = f"{where}: {pattern.pattern} takes over {MAX_SPELLING_S} s for one text"
                hint = r"Write it without a repetition in a repetition, such as (?:\w|\w\w)+."
                raise PackError(message, hint) from error
        if spaced == before:
            break
    return tuple(spaced.split())


@functools.lru_cache
def _spellings(pack: Pack) -> list[tuple[regex.Pattern[str], str]]:
    spellings = pack.compare.spellings.items()
    return [
        (regex.compile(rf"(?<!\S)(?:{pattern})(?!\S)"), replacement) for pattern, replacement in spellings
    ]
