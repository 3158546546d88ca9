"""The letters of a language, found in the words of a sample: script, alphabet, direction, what is exchanged, what is strange.

All that is known beforehand is Unicode's: which script a letter is of, its other case, and the way that it runs.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import regex

__all__ = ["dominant_script", "frequent_letters", "lookalike_letters", "out_of_inventory", "script_direction"]

RARE = 2e-5
"""A letter in fewer of the words, and in fewer than three of them, is left out of the alphabet and named."""

_LETTER = regex.compile(r"(?![\p{Script=Common}\p{Script=Inherited}])\p{L}")


def dominant_script(words: Counter[str]) -> tuple[str, float]:
    """Return the script of most letters and its share."""
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for word, count in words.items():
        for char in word:
            if _LETTER.match(char):
                if char not in names:
                    names[char] = _script_of(char)
                counts[names[char]] += count
    if not counts:
        return "", 0.0
    name, most = counts.most_common(1)[0]
    return name, most / counts.total()


def _script_of(char: str) -> str:
    """Return Unicode's script of a letter: its name mostly begins with it; regex confirms."""
    name = unicodedata.name(char, "").split()
    for length in (1, 2, 3):
        guess = "_".join(name[:length]).title()
        try:
            if guess and regex.match(rf"\p{{Script={guess}}}", char):
                return guess
        except regex.error:
            continue
    return "Unknown"


def frequent_letters(words: Counter[str], script: str) -> tuple[str, int, list[tuple[str, int, str]]]:
    """Return (letters with both cases, fewest words, what was left out)."""
    own = regex.compile(rf"(?=\p{{Script={script}}})\p{{L}}")
    found: Counter[str] = Counter()
    example: dict[str, str] = {}
    for word, count in words.most_common():
        for char in set(own.findall(word)):
            found[char] += count
            example.setdefault(char, word)
    both: Counter[str] = Counter()
    for char, count in found.items():
        both[char.lower()] += count
    fewest = max(3, round(RARE * words.total()))
    kept = {
        form
        for char, count in both.items()
        if count >= fewest
        for form in (char, char.upper())
        if len(form) == 1
    }
    kept = {char for char in kept if own.match(char)}
    rare = [(char, count, example[char]) for char, count in found.most_common() if char not in kept]
    return "".join(sorted(kept)), fewest, rare[:30]


def script_direction(everything: Counter[str]) -> str:
    """Return the way that most characters run: "rtl" or "ltr"."""
    right = sum(count for char, count in everything.items() if unicodedata.bidirectional(char) in ("R", "AL"))
    left = sum(count for char, count in everything.items() if unicodedata.bidirectional(char) == "L")
    return "rtl" if right > left else "ltr"


def lookalike_letters(words: Counter[str], known: str) -> list[tuple[str, str, int, str, str]]:
    """Find pairs of letters that are exchanged: most words with the rare one are commoner with the usual one."""
    counts: Counter[str] = Counter()
    holding: dict[str, list[str]] = {}
    for word, count in words.items():
        for char in set(word):
            counts[char] += count
            holding.setdefault(char, []).append(word)
    found = []
    for rare in sorted(holding):
        if not _LETTER.match(rare) or rare.isupper():
            continue
        several = sorted(holding[rare], key=lambda word: (-words[word], word))[:400]
        best = max(
            (_exchanged(several, words, rare, usual) for usual in known if counts[usual] > 3 * counts[rare]),
            default=None,
        )
        if best and best[0] >= 0.4 * sum(words[word] for word in several) and best[0] >= 3:
            found.append((rare, best[1], best[0], best[2], best[2].replace(rare, best[1])))
    return found


def _exchanged(several: Sequence[str], words: Counter[str], rare: str, usual: str) -> tuple[int, str, str]:
    """Return (words, the usual letter, an example) of words with `rare` that are commoner with `usual`."""
    hits = [word for word in several if len(word) > 2 and words[word.replace(rare, usual)] > words[word]]
    return sum(words[word] for word in hits), usual, hits[0] if hits else ""


def out_of_inventory(words: Counter[str], script: str) -> list[tuple[str, str, int, str]]:
    """Find letters of other scripts inside words of this one, and what they seem to stand for."""
    own = regex.compile(rf"\p{{Script={script}}}")
    counts: Counter[str] = Counter()
    example: dict[str, str] = {}
    for word, count in words.most_common():
        strange = {char for char in word if _LETTER.match(char) and not own.match(char)}
        if strange and len(strange) < len(set(word)) and any(own.match(char) for char in word):
            for char in strange:
                counts[char] += count
                example.setdefault(char, word)
    native = {char for word in words for char in word if own.match(char)}
    found = []
    for char, count in counts.most_common(20):
        right = [letter for letter in native if words[example[char].replace(char, letter)]]
        found.append((char, right[0] if len(right) == 1 else "", count, example[char]))
    return found
