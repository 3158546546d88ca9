r"""The arithmetic of a text in one set of signs; every character keeps its place.

    "$12 \times 5 = 70$"            " 12      × 5 = 70 "
    "۵۰۰ روپے کا 20 فیصد"           "500    ₀  ∘ 20    %"      (₀: a private character, the unit rupee)

Bold marks and list marks become blanks. A word that makes another number of the one beside it (thousand, half
past) becomes a sign that no sum has, so that its number is skipped.
"""

from __future__ import annotations

import functools

import regex

from alif.language.answers.number_tokens import plain_signs, tokenise
from alif.language.pack import Pack

__all__ = ["OF", "UNIT", "plain_math"]

FIRST_UNIT = 0xE000  # the first of the private characters that stand for the pack's units
UNIT = r"\ue000-\uf8ff"  # these characters, for a character class
OF = "∘"  # stands for the pack's words between a number and a percentage of it
UNKNOWN = "√"  # stands for a word that makes another number of the one beside it: half past, thousand, thirds

_BULLET = regex.compile(r"^[^\S\n]*(?:[-+×•]\s+|\(?\d{1,2}[.)\]:-]\s+)", regex.M)
_BOLD = regex.compile(r"\*\*|__")
_MATH = regex.compile(r"(?<!\\)(\${1,2})(?=[^$\n]*\\[a-z])([^$\n]*)(?<!\\)\1")
_LATEX = {
    r"\\(?:times|cdot)(?![A-Za-z])": "×",
    r"\\div(?![A-Za-z])": "÷",
    r"\\([%$])": r"\1",
    r"\\[dt]?frac\{([\d.,]+)\}\{([\d.,]+)\}": r"(\1/\2)",
    r"\^\{(\d+)\}": r"^\1",
    r"\\(?:text|mathrm|boxed)\{([^{}\n]*)\}": r" \1",
    r"\\(?:[()\[\],;! ]|quad|left|right)(?![A-Za-z])": " ",
}
"""LaTeX → the sign. A line with other commands is skipped."""


def plain_math(text: str, pack: Pack) -> str:
    """Return `text` in plain signs, a unit as one private character; every character keeps its place."""
    if "\\" in text:
        text = _MATH.sub(lambda found: found[0].replace("$", " "), text)
        for pattern, sign in _LATEX.items():
            text = regex.sub(pattern, functools.partial(_expand, sign), text)
    units = {unit: chr(FIRST_UNIT + place) for place, unit in enumerate(pack.numbers.units)}
    chars = list(text)
    for token in tokenise(text, pack):
        start, end = token.start, token.end
        sign = ""
        if token.kind == "unit" and (
            end - start > 1 or not text[start].isalpha()
        ):  # in 5m + 3 it is a letter
            sign = units[token.text]
            end += regex.match(r"\p{L}+\.", text, pos=start) is not None  # Rs. 200
        elif token.kind == "percent":
            sign = "%"
        elif token.kind in ("scale", "part", "before", "point", "over"):
            sign = UNKNOWN
        if sign:
            chars[start:end] = sign.rjust(end - start)
    between = _between_numbers(pack.numbers.of)
    signs = between.sub(lambda found: OF.rjust(len(found[0])), "".join(chars))
    mixed = _between_numbers(
        (*pack.numbers.joiners, *pack.phrases.conjunctions), r"\(?\p{Nd}+/\p{Nd}"
    )  # 5 and 2/3
    signs = mixed.sub(lambda found: UNKNOWN.rjust(len(found[0])), signs)
    signs = plain_signs(signs, pack).replace("××", "  ")
    return _BULLET.sub(lambda found: " " * len(found[0]), _BOLD.sub("  ", signs))


def _expand(sign: str, found: regex.Match[str]) -> str:
    return found.expand(sign).ljust(len(found[0]))


@functools.lru_cache
def _between_numbers(words: tuple[str, ...], number: str = r"\p{Nd}") -> regex.Pattern[str]:
    """Return the pattern of one of these words between two numbers."""
    every = "|".join(map(regex.escape, words)) or r"(?!)"
    return regex.compile(rf"(?<=[\p{{Nd}}%٪{UNIT}][^\S\n]*)-?(?:{every})(?=[^\S\n]+{number})", regex.I)
