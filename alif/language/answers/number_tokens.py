"""Cut a text into numbers and the words that the pack's number tables know: the lexer of quantities and sums.

"ساڑھے تین لاکھ روپے" ("350,000 rupees")  → before 1/2 · word 3 · scale 100000 · unit rupee
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

import regex

from alif.language.normalisation import SUBSCRIPTS, fold_text
from alif.language.pack import Pack

__all__ = [
    "BEGINS", "DIGITS", "MAX_DIGITS", "WORD", "NumberToken", "fold_word", "has_number", "name_pieces",
    "normalise_signs", "plain_signs", "tokenise",
]  # fmt: skip

DIGITS = (
    r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\p{L}\p{M}\d]|\p{Sc}(?=\.\d{3}))\.\d+"
)
"""A number in plain signs, without its sign; a point behind a word is no decimal point: Rs.500."""
MAX_DIGITS = 100
"""Of a number: what is longer is no amount, and Python refuses to read or print more than 4,300 digits."""
MAX_POWER_DIGITS = 1000
"""Of a number to a power; a larger one is read without it."""
MAX_NAME_WORDS = 5
"""Words and marks of a name in the tables: "کے ایم پی", "কি.মি."."""

_EXPONENT = r"(?:\^[({]?([+-]?\d{1,2})[)}]?(?!\d)|([⁺⁻]?[⁰¹²³⁴-⁹]{1,2}))"
_POWER = regex.compile(rf"( ?[×x] ?10)?{_EXPONENT}|[eE]([+-]?\d{{1,2}})(?![\p{{L}}\d])")
"""Behind a number: ×10^8, ⁸, e8."""
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_ELEMENT = r"(?:A[glru]|B[aeir]?|C[adlorsu]?|F[er]?|H[eg]?|I|K|Li|M[gno]|N[aei]?|O|P[bt]?|S[in]?|U|Zn)"
_FORMULA = (
    r"(?<![\p{L}\p{M}\p{N}])(?=[A-Za-z]+\d)"
    rf"(?:(?:{_ELEMENT}\d*)+|(?i:(?:{_ELEMENT}\d?)+))(?![\p{{L}}\p{{N}}])"
)
"""Of a molecule: its digits are no number of the text. H2O, CaCO3; in small letters of one digit each: h2o"""

_TOKEN = regex.compile(
    rf"(?P<number>(?<!\d)(?:(?<![\p{{L}}\p{{N}}])-)?(?:{DIGITS})(?:/(?:{DIGITS})|(?:{_POWER.pattern}))?)"
    rf"|(?P<mixed>[\u00bc-\u00be\u2150-\u215e])|(?P<word>{_FORMULA}|[\p{{L}}\p{{M}}]+)"
    r"|(?P<space>[^\S\n]+|(?<=\p{L})-(?=\p{L})|(?<=[\p{L}\p{M}])\.(?= ?\d)|(?<=\p{Sc})\.(?=\d{3})|\u200c)"
    r"|(?P<other>.)",
    regex.S,
)

_DIGIT = regex.compile(r"[\p{N}]")
WORD = regex.compile(r"[\p{L}\p{M}]+")
"""A word as `tokenise` cuts it."""

Kind = Literal[
    "number",
    "word",
    "part",
    "scale",
    "before",
    "behind",
    "point",
    "over",
    "negative",
    "percent",
    "joiner",
    "unit",
    "whole",
    "",
]


class NumberToken(NamedTuple):
    """A number, a word of the pack's tables, or anything else (kind "")."""

    kind: Kind
    text: str  # as the table writes it; of a unit its name
    start: int
    end: int
    value: Fraction = Fraction(0)
    """Of a unit 1 if it may precede its number."""
    ambiguous: bool = False


_Name = tuple[Kind, str, Fraction, bool]  # (kind, text, value, ambiguous) of a word that the tables know


BEGINS: frozenset[Kind] = frozenset({"number", "word", "part", "scale", "before", "negative"})
"""Kinds of tokens that a number may begin with."""


@functools.lru_cache
def normalise_signs(pack: Pack) -> Mapping[int, str]:
    """Return a `str.translate` table to one sign for all that mean the same, character by character."""
    numbers = pack.numbers
    signs = {
        ".": numbers.decimal,
        ",": numbers.group,
        "-": numbers.minus,
        "×": numbers.times,
        "÷": numbers.divide,
        "%": numbers.percent,
    }
    found = {ord(char): sign for sign, chars in signs.items() for char in chars if char != "/"}
    digits = (*numbers.digits, SUBSCRIPTS)
    return found | {ord(char): str(value) for system in digits for value, char in enumerate(system)}


def plain_signs(text: str, pack: Pack) -> str:
    """Return the text, as long as before, with one sign for all that mean the same: ۲۔۵ becomes 2.5."""
    return _inner_point(pack).sub(".", text).translate(normalise_signs(pack))


@functools.lru_cache
def _inner_point(pack: Pack) -> regex.Pattern[str]:
    marks = "|".join(map(regex.escape, pack.numbers.decimal_inside)) or "(?!)"
    return regex.compile(rf"(?<=\p{{Nd}})(?:{marks})(?=\p{{Nd}})")


@functools.lru_cache(maxsize=8)  # quantities and the words between them are asked for one after another
def tokenise(text: str, pack: Pack) -> tuple[NumberToken, ...]:
    """Return the tokens of a text; blanks are left out."""
    found: list[NumberToken] = []
    words: list[tuple[str, int, int]] = []  # since the last number, to be looked up together
    for match in _TOKEN.finditer(plain_signs(text, pack)):
        start, end = match.span()
        if match.lastgroup == "space":
            continue
        readable = match.lastgroup in ("number", "mixed") and len(match[0]) <= MAX_DIGITS
        if readable and not match[0].isascii():  # a digit newer than Python's Unicode
            readable = all(unicodedata.category(char) != "Cn" for char in match[0])
        if match.lastgroup == "number" and readable:
            value, under = _read_number(match[0])
            last = found[-1] if found and words == [("-", found[-1].end, start)] else None
            if last and last.text.isdecimal() and under and value < 1:  # 2-1/2
                found[-1] = NumberToken("number", match[0], last.start, end, last.value + value)
            else:
                found += _name_words(words, pack)
                found.append(NumberToken("number", match[0], start, end, value))
            words = []
        elif match.lastgroup == "mixed" and readable:
            found += _name_words(words, pack)
            words = []
            value = Fraction(unicodedata.numeric(match[0])).limit_denominator(100)
            if found and found[-1].kind == "number" and start - found[-1].end < 2:  # 2½, 2 ½
                last = found.pop()
                value, start = last.value + value, last.start
            found.append(NumberToken("number", match[0], start, end, value))
        else:
            word = fold_word(text[start:end], pack) if match.lastgroup == "word" else match[0]
            words.append((word, start, end))
    return (*found, *_name_words(words, pack))


def _read_number(written: str) -> tuple[Fraction, str]:
    """Return what digits say, and what stands under their fraction line."""
    power = _POWER.search(written)
    top, _, under = (written[: power.start()] if power else written).replace(",", "").partition("/")
    value = Fraction(top) / (Fraction(under or 1) or 1)
    if power:
        times_ten, *exponents = power.groups()
        exponent = int(next(filter(None, exponents)).translate(_RAISED))
        if times_ten or power[0][0] in "eE":
            value *= Fraction(10) ** exponent
        elif value and len(top) * abs(exponent) <= MAX_POWER_DIGITS:
            value = abs(value) ** exponent * (1 if value > 0 else -1)
    return value, under


def has_number(text: str, pack: Pack) -> bool:
    """Tell whether a text has a digit, or a word by which a number may begin."""
    return _DIGIT.search(text) is not None or not _number_words(pack).isdisjoint(
        fold_word(word, pack) for word in WORD.findall(text)
    )


@functools.lru_cache
def _number_words(pack: Pack) -> frozenset[str]:
    return frozenset(name.split(" ")[0] for name, (first, *_) in _names(pack).items() if first[0] in BEGINS)


@functools.lru_cache(maxsize=1 << 15)
def fold_word(word: str, pack: Pack) -> str:
    """Return a word folded, as `fold_text` does; most words of a text were there before."""
    return fold_text(word, pack)


@functools.lru_cache(maxsize=8192)
def name_pieces(name: str, pack: Pack) -> tuple[str, ...]:
    """Return the folded words and the marks of a name or phrase, as a text is cut."""
    pieces = (match for match in _TOKEN.finditer(name) if match.lastgroup != "space")
    return tuple(fold_text(one[0], pack) if one.lastgroup == "word" else one[0] for one in pieces)


def _name_words(words: Sequence[tuple[str, int, int]], pack: Pack) -> list[NumberToken]:
    """Return words and marks as tokens, the longest names first; a number and a scale in one word are two."""
    names, longest = _names(pack), _longest_names(pack)
    found: list[NumberToken] = []
    place = 0
    while place < len(words):
        if words[place][0] not in longest:
            found.append(NumberToken("", *words[place]))
            place += 1
            continue
        for length in range(min(longest[words[place][0]], len(words) - place), 0, -1):
            name = " ".join(word for word, _, _ in words[place : place + length])
            if (known := names.get(name)) or length == 1:
                start, end = words[place][1], words[place + length - 1][2]
                every = known or (("", name, Fraction(0), False),)
                found += [
                    NumberToken(kind, text, start, end, value, weak) for kind, text, value, weak in every
                ]
                place += length
                break
    return found


def _folded_name(name: str, pack: Pack) -> str:
    return " ".join(name_pieces(name, pack))


@functools.lru_cache
def _longest_names(pack: Pack) -> dict[str, int]:
    """Return the number of words of the longest name, at most MAX_NAME_WORDS, by its first word."""
    found: dict[str, int] = {}
    for name in _names(pack):
        first, *more = name.split(" ")
        found[first] = max(found.get(first, 1), min(1 + len(more), MAX_NAME_WORDS))
    return found


@functools.lru_cache
def _names(pack: Pack) -> dict[str, tuple[_Name, ...]]:
    """Return folded name → what it means: one name, or the number and the scale that it joins."""
    numbers = pack.numbers
    ambiguous = {fold_text(word, pack) for word in numbers.ambiguous}
    found: dict[str, _Name] = {}
    for unit, names in numbers.units.items():
        for name in names:
            capitals = name.isupper() and len(name) > 2
            precedes = not any(char.isalpha() for char in name) or name.endswith(".") or capitals
            written = {name, name.rstrip(".")} if "." in name[:-1] else {name.rstrip(".")}  # কি.মি.
            for one in written:
                found[_folded_name(one, pack)] = ("unit", unit, Fraction(precedes), False)
    plain: tuple[tuple[Kind, Sequence[str]], ...] = (
        ("point", numbers.point),
        ("over", numbers.over),
        ("negative", numbers.negative),
        ("percent", (*numbers.percents, "%")),
        ("whole", numbers.whole),
        ("joiner", numbers.joiners),
    )
    for kind, words in plain:
        found |= {_folded_name(word, pack): (kind, word, Fraction(0), False) for word in words}
    valued: tuple[tuple[Kind, Mapping[str, tuple[str, ...]]], ...] = (
        ("word", numbers.words),
        ("part", numbers.parts),
        ("scale", numbers.scales),
        ("before", numbers.before),
        ("behind", numbers.behind),
    )
    for kind, table in valued:
        for value, words in table.items():
            for word in words:
                folded = _folded_name(word, pack)
                found[folded] = (kind, word, Fraction(value), folded in ambiguous)
                for suffix in numbers.classifiers if kind == "word" else ():
                    counted = _folded_name(f"{word}{suffix}", pack)
                    found.setdefault(counted, (kind, word, Fraction(value), counted in ambiguous))
    every: dict[str, tuple[_Name, ...]] = {name: (meaning,) for name, meaning in found.items()}
    if numbers.joined:
        scales = {name: meaning for name, meaning in found.items() if meaning[0] == "scale"}
        for name, (kind, text, number, _) in found.items():
            if kind == "word":
                every |= {
                    f"{name}{scale}": ((kind, text, number, False), meaning)
                    for scale, meaning in scales.items()
                }
    return every
