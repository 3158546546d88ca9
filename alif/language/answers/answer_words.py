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
_SEVERAL_WORDS = regex.compile(r"[ ^$.]|\\[^wd0-9]|\[\^(?![^\]]* )")
"""In a pattern: what may match or look at more than one word, a blank or the ends of the text."""
_PLUS_MINUS = regex.compile(r"(?<!\d\s*)(\p{L}\s*=\s*)?±\s*([\d.]+)")
"""Two solutions in one: x = ±2."""
_REFERS = regex.compile(r"\\\d|\(\?P[=<]|\\g")
MAX_WORD_S = 0.1  # one spelling in one word
MAX_SPELLING_S = 5  # one spelling in one text: with a backtracking pattern the time doubles with every letter


def answer_tokens(text: str, pack: Pack) -> list[str]:
    """Return the words of an answer, folded and respelled; numbers as "#1200", "%", units as "@rupee"."""
    return list(_answer_tokens(text, pack))


@functools.lru_cache(maxsize=CACHED_ANSWERS)
def _answer_tokens(text: str, pack: Pack) -> tuple[str, ...]:
    found: list[str] = []
    place = 0
    if "±" in text:
        either = next(iter(pack.phrases.alternatives), "or")
        text = _PLUS_MINUS.sub(rf"\1\2 {either} \1-\2", text)
    for value in find_values(text, pack):
        found += [*split_words(text[place : value.start], pack), *value.tokens]
        place = value.end
    found += split_words(text[place:], pack)
    spaced = " ".join(found)
    for _ in range(MAX_SPELLING_PASSES):
        before = spaced
        spaced = _respell(spaced, pack)
        if spaced == before:
            break
    return tuple(spaced.split())


def _respell(spaced: str, pack: Pack) -> str:
    """Apply each spelling once, in order. One for single words is skipped where no word is as it says."""
    spellings = _spellings(pack)
    fitting = frozenset[int]().union(*(_fitting(word, pack) for word in set(spaced.split())))
    if not fitting and _is_of_none(spaced, pack):
        return spaced
    for place, (pattern, replacement, single) in enumerate(spellings):
        if single and place not in fitting:
            continue
        try:
            changed, count = pattern.subn(replacement, spaced, timeout=MAX_SPELLING_S)
        except TimeoutError as error:
            where = f"{pack.folder / 'pack.toml'}: compare.spellings"
            message = f"{where}: {pattern.pattern} takes over {MAX_SPELLING_S} s for one text"
            hint = r"Write it without a repetition in a repetition, such as (?:\w|\w\w)+."
            raise PackError(message, hint) from error
        if count and (changed := " ".join(changed.split())) != spaced:
            spaced = changed
            fitting = frozenset[int]().union(*(_fitting(word, pack) for word in set(spaced.split())))
    return spaced


@functools.lru_cache
def _spellings(pack: Pack) -> list[tuple[regex.Pattern[str], str, bool]]:
    """Return (pattern, replacement, whether it reads one word alone) of each spelling."""
    return [
        (regex.compile(rf"(?<!\S)(?:{pattern})(?!\S)"), replacement, not _SEVERAL_WORDS.search(pattern))
        for pattern, replacement in pack.compare.spellings.items()
    ]


@functools.lru_cache
def _several_words(pack: Pack) -> regex.Pattern[str]:
    """Return the pattern of all spellings of several words; of everything where one refers to its groups."""
    patterns = [pattern.pattern for pattern, _, single in _spellings(pack) if not single]
    return regex.compile("" if any(map(_REFERS.search, patterns)) else "|".join(patterns) or "(?!)")


def _is_of_none(spaced: str, pack: Pack) -> bool:
    try:
        return _several_words(pack).search(spaced, timeout=MAX_SPELLING_S) is None
    except TimeoutError:
        return False  # the spelling that takes so long is named where it is applied


@functools.lru_cache(maxsize=1 << 15)
def _fitting(word: str, pack: Pack) -> frozenset[int]:
    """Return the places of the spellings for single words that change this one, or are slow to tell."""
    found = set()
    for place, (pattern, _, single) in enumerate(_spellings(pack)):
        try:
            if single and pattern.search(word, timeout=MAX_WORD_S):
                found.add(place)
        except TimeoutError:
            found.add(place)
    return frozenset(found)
