"""The letters of a language, found in the words of a sample.

All that is known beforehand is Unicode's: the script of a letter, its other case, and its direction.
"""

from __future__ import annotations

import unicodedata
from collections import Counter

import regex

from alif.language.letter_counts import in_script, is_letter

__all__ = ["dominant_script", "frequent_letters", "lookalike_letters", "out_of_inventory", "script_direction"]

RARE_SHARE, MIN_RARE_WORDS = 2e-5, 3
"""A letter in a smaller share of the words, or in fewer words, is left out of the inventory."""


def dominant_script(words: Counter[str]) -> tuple[str, float]:
    """Return the script of most letters and its share; "" without a letter."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for char in filter(is_letter, word):
            letters[char] += count
    scripts: Counter[str] = Counter()
    for char, count in letters.items():
        scripts[_script_of(char)] += count
    name, most = scripts.most_common(1)[0] if scripts else ("", 0)
    return name, most / max(scripts.total(), 1)


def _script_of(char: str) -> str:
    """Return Unicode's script of a letter: its name mostly begins with it; regex confirms."""
    name = unicodedata.name(char, "").split()
    for length in (1, 2, 3):
        guess = "_".join(name[:length]).title()
        try:
            if guess and in_script(char, guess):
                return guess
        except regex.error:
            continue
    return "Unknown"


def frequent_letters(words: Counter[str], script: str) -> tuple[str, int, list[tuple[str, int, str]]]:
    """Return (letters with both cases, fewest words, what was left out)."""
    found: Counter[str] = Counter()
    example: dict[str, str] = {}
    for word, count in words.most_common():
        for char in dict.fromkeys(char for char in word if is_letter(char) and in_script(char, script)):
            found[char] += count
            example.setdefault(char, word)
    both: Counter[str] = Counter()
    for char, count in found.items():
        both[char.lower()] += count
    fewest = max(MIN_RARE_WORDS, round(RARE_SHARE * words.total()))
    frequent = (char for char, count in both.items() if count >= fewest)
    forms = {form for char in frequent for form in (char, char.upper()) if len(form) == 1}
    kept = {char for char in forms if is_letter(char) and in_script(char, script)}
    rare = [(char, count, example[char]) for char, count in found.most_common() if char not in kept]
    return "".join(sorted(kept)), fewest, rare[:30]


def script_direction(characters: Counter[str]) -> str:
    """Return the direction of most characters: "rtl" or "ltr"."""
    counts: Counter[str] = Counter()
    for char, count in characters.items():
        counts[unicodedata.bidirectional(char)] += count
    return "rtl" if counts["R"] + counts["AL"] > counts["L"] else "ltr"


def lookalike_letters(words: Counter[str], known: str) -> list[tuple[str, str, int, str, str]]:
    """Find letters that are exchanged: most words with the rare one are commoner with the usual one."""
    counts: Counter[str] = Counter()
    holding: dict[str, list[str]] = {}
    for word, count in words.items():
        for char in set(word):
            counts[char] += count
            holding.setdefault(char, []).append(word)
    found = []
    for rare in sorted(char for char in holding if is_letter(char) and not char.isupper()):
        several = sorted(holding[rare], key=lambda word: (-words[word], word))[:400]
        commoner = {
            usual: [
                word for word in several if len(word) > 2 and words[word.replace(rare, usual)] > words[word]
            ]
            for usual in known
            if counts[usual] > 3 * counts[rare]
        }
        sums = ((sum(words[one] for one in some), usual, some[:1]) for usual, some in commoner.items())
        hits, right, examples = max(sums, default=(0, "", []))
        if hits >= 3 and hits >= 0.4 * sum(words[word] for word in several):
            found.append((rare, right, hits, examples[0], examples[0].replace(rare, right)))
    return found


def out_of_inventory(words: Counter[str], script: str) -> list[tuple[str, str, int, str]]:
    """Find letters of other scripts inside words of this one, and what they seem to stand for."""
    counts: Counter[str] = Counter()
    example: dict[str, str] = {}
    for word, count in words.most_common():
        foreign = dict.fromkeys(char for char in word if is_letter(char) and not in_script(char, script))
        for char in foreign if any(in_script(char, script) for char in word) else ():
            counts[char] += count
            example.setdefault(char, word)
    native = {char for word in words for char in word if in_script(char, script)}
    found = []
    for char, count in counts.most_common(20):
        right = [letter for letter in native if words[example[char].replace(char, letter)]]
        found.append((char, right[0] if len(right) == 1 else "", count, example[char]))
    return found
