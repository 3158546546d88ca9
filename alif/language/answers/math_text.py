r"""The sums of a text in one set of signs, in whatever signs and words they are written; every character keeps its place.

    "$12 \times 5 = 70$"            " 12      × 5 = 70 "
    "۵۰۰ روپے کا 20 فیصد"           "500    ₀  ∘ 20    %"      (₀ here for a private character: the unit rupee)

Bold marks and list marks are blank. A word that makes another number of the one beside it (thousand, half past) becomes a
sign that no sum has, so that what it belongs to is passed over.
"""

from __future__ import annotations

import functools

import regex

from alif.language.answers.quantities import normalise_signs, tokenise
from alif.language.pack import Pack

__all__ = ["OF", "UNIT", "plain_math"]

UNITS = 0xE000
"""The first of the private characters that stand for the pack's units."""
UNIT = r"\ue000-\uf8ff"
"""These characters, for a character class."""
OF = "∘"
"""Stands for the pack's words between a number and a percentage of it."""
UNKNOWN = "√"
"""Stands for a word that makes another number of the one beside it: half past, thousand, thirds."""

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
"""What LaTeX writes for a sign → the sign. A line with other commands is not read."""


def plain_math(text: str, pack: Pack) -> str:
    """Return `text` in plain signs, a unit as one private character; every character keeps its place."""
    signs = _worded(_without_latex(text) if "\\" in text else text, pack)
    signs = _BOLD.sub("  ", signs.translate(normalise_signs(pack)).replace("××", "  "))
    return _BULLET.sub(lambda found: " " * len(found[0]), signs)


def _without_latex(text: str) -> str:
    text = _MATH.sub(lambda found: found[0].replace("$", " "), text)
    for pattern, sign in _LATEX.items():
        text = regex.sub(pattern, functools.partial(_padded, sign), text)
    return text


def _padded(sign: str, found: regex.Match[str]) -> str:
    return found.expand(sign).ljust(len(found[0]))


def _worded(text: str, pack: Pack) -> str:
    """Write signs for the words that belong to a number, as far as the pack's tables know them."""
    units = {unit: chr(UNITS + place) for place, unit in enumerate(pack.numbers.units)}
    chars = list(text)
    for piece in tokenise(text, pack):
        sign = ""
        if piece.kind == "unit" and (
            piece.end - piece.start > 1 or not text[piece.start].isalpha()
        ):  # 5m + 3: a letter
            sign = units[piece.text]
        elif piece.kind == "percent":
            sign = "%"
        elif piece.kind in ("scale", "part", "before", "point", "over"):
            sign = UNKNOWN
        if sign:
            end = piece.end + (
                piece.kind == "unit" and regex.match(r"\p{L}+\.", text, pos=piece.start) is not None
            )  # Rs. 200
            chars[piece.start : end] = sign.rjust(end - piece.start)
    signs = _between(pack.numbers.of).sub(lambda found: OF.rjust(len(found[0])), "".join(chars))
    mixed = _between((*pack.numbers.joiners, *pack.phrases.conjunctions), r"\(?\p{Nd}+/\p{Nd}")  # 5 and 2/3
    return mixed.sub(lambda found: UNKNOWN.rjust(len(found[0])), signs)


@functools.cache
def _between(words: tuple[str, ...], number: str = r"\p{Nd}") -> regex.Pattern[str]:
    """Return what finds one of these words between two numbers."""
    every = "|".join(map(regex.escape, words)) or r"(?!)"
    return regex.compile(rf"(?<=[\p{{Nd}}%٪{UNIT}][^\S\n]*)-?(?:{every})(?=[^\S\n]+{number})", regex.I)
