"""Numbers as people write and say them, in every way that the pack's tables know.

    "۱٬۲۰۰ روپے"            1200      digits of every system, 1,200 and 1,00,000, sign, decimals, 3/4, ½
    "ساڑھے تین لاکھ"         350000    words ("three and a half lakh"), also mixed with digits: "3.5 لاکھ"
    "دو تہائی"               2/3       parts ("two thirds")

A word that mostly means something else (بہتر is 72 and "better") is a number only where nothing else in the text is one.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import regex

from alif.language.normalisation import fold_text
from alif.language.pack import Pack
from alif.language.pack_schema import Numbers

__all__ = ["DIGITS", "Quantity", "find_quantities", "normalise_signs", "parse_number", "tokenise"]

DIGITS = r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
"""A number in plain signs, without its sign."""
LONGEST_NAME = 3
"""Most words of a name in the tables: "کے ایم پی"."""

_PIECE = regex.compile(
    rf"(?P<number>(?<!\d)(?:(?<![\p{{L}}\p{{N}}])-)?(?:{DIGITS})(?:/(?:{DIGITS}))?)|(?P<mixed>[\u00bc-\u00be\u2150-\u215e])"
    r"|(?P<word>[\p{L}\p{M}]+)|(?P<space>[^\S\n]+|(?<=\p{L})-(?=\p{L})|(?<=\p{L})\.(?= ?\d)|\u200c)|(?P<other>.)",
    regex.S,
)

Kind = Literal[
    "number", "word", "part", "scale", "before", "point", "over", "negative", "percent", "joiner", "unit", ""
]
_Name = tuple[Kind, Fraction, str, bool]
"""(kind, value, text, weak) of a word that the tables know."""


@dataclass(frozen=True)
class Quantity:
    """A number that stands in a text."""

    value: Fraction
    start: int
    end: int
    """Where it stands, in characters; percent sign and unit are outside."""
    whole_start: int
    whole_end: int
    """The same with percent sign and unit."""
    digits: bool
    """Whether a part of it is written in digits."""
    weak: bool
    """Whether each of its words mostly means something else."""
    percent: bool
    unit: str
    """The unit beside it, as the pack names it; "" if there is none that the pack knows."""


@dataclass(frozen=True)
class _Piece:
    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    weak: bool = False


@functools.cache
def normalise_signs(pack: Pack) -> Mapping[int, str]:
    """Return one sign for all that mean the same, character by character, so that places in a text stay."""
    numbers = pack.numbers
    alike = {
        ".": numbers.decimal,
        ",": numbers.group,
        "-": numbers.minus,
        "×": numbers.times,
        "÷": numbers.divide,
        "%": numbers.percent,
    }
    found = {ord(char): sign for sign, chars in alike.items() for char in chars if char != "/"}
    return found | {ord(char): str(value) for system in numbers.digits for value, char in enumerate(system)}


def parse_number(text: str, pack: Pack) -> Decimal | None:
    """Return the last number of `text`, or None. "25 %" is 25, "3/4" is 0.75; words count only where there are no digits."""
    every = find_quantities(text, pack)
    best = (
        [amount for amount in every if amount.digits]
        or [amount for amount in every if not amount.weak]
        or every
    )
    if not best:
        return None
    value = best[-1].value
    return Decimal(value.numerator) / Decimal(value.denominator)


def find_quantities(text: str, pack: Pack) -> list[Quantity]:
    """Return the numbers of `text` in order."""
    every = tokenise(text, pack)
    found: list[Quantity] = []
    place = 0
    while place < len(every):
        reader = _Reader(every, place, pack.numbers)
        value = reader.number()
        if value is None or reader.place == place:
            place += 1
            continue
        found.append(_amount(value, every, place, reader.place))
        place = reader.place
    return found


def _amount(value: Fraction, pieces: Sequence[_Piece], begin: int, end: int) -> Quantity:
    used = pieces[begin:end]
    percent = end < len(pieces) and pieces[end].kind == "percent"
    whole = [*used, *pieces[end : end + percent]]
    after = pieces[end + percent] if end + percent < len(pieces) else None
    unit = ""
    if after and after.kind == "unit":
        unit, whole = after.text, [*whole, after]
    elif begin and pieces[begin - 1].kind == "unit" and pieces[begin - 1].value:
        unit, whole = pieces[begin - 1].text, [pieces[begin - 1], *whole]
    return Quantity(
        value=value,
        start=used[0].start,
        end=used[-1].end,
        whole_start=whole[0].start,
        whole_end=whole[-1].end,
        digits=any(piece.kind == "number" for piece in used),
        weak=all(piece.weak for piece in used),
        percent=percent,
        unit=unit,
    )


def tokenise(text: str, pack: Pack) -> list[_Piece]:
    """Cut a text into numbers, words that the tables know, and all others (kind ""); spaces are left out."""
    found: list[_Piece] = []
    waiting: list[tuple[str, int, int]] = []
    for match in _PIECE.finditer(text.translate(normalise_signs(pack))):
        if match.lastgroup == "space":
            continue
        start, end = match.span()
        newer = any(
            unicodedata.category(one) == "Cn" for one in match[0]
        )  # digits of a later Unicode than this Python's
        if match.lastgroup in ("number", "mixed") and not newer:
            found += _named(waiting, pack)
            waiting = []
            _add_number(found, match[0], start, end)
        elif match.lastgroup == "word":
            waiting.append((fold_text(text[start:end], pack), start, end))
        else:
            waiting.append((match[0], start, end))
    return found + _named(waiting, pack)


def _add_number(found: list[_Piece], written: str, start: int, end: int) -> None:
    """Add a number in digits; "2½" is one."""
    if len(written) == 1 and not written.isdecimal():
        value = Fraction(unicodedata.numeric(written)).limit_denominator(100)
        if found and found[-1].kind == "number" and found[-1].end == start:
            last = found.pop()
            value, start = last.value + value, last.start
    else:
        top, _, under = written.replace(",", "").partition("/")
        value = Fraction(top) / (Fraction(under or 1) or 1)
    found.append(_Piece("number", written, start, end, value))


def _named(waiting: Sequence[tuple[str, int, int]], pack: Pack) -> list[_Piece]:
    """Return words and marks as pieces, the longest names first; a number and a scale in one word are two."""
    names, joined = _names(pack), _joined(pack)
    found: list[_Piece] = []
    place = 0
    while place < len(waiting):
        for length in range(min(LONGEST_NAME, len(waiting) - place), 0, -1):
            several = waiting[place : place + length]
            name = " ".join(word for word, _, _ in several)
            every = joined.get(name) or (names.get(name, ("", Fraction(0), name, False)),)
            if every[0][0] or length == 1:
                start, end = several[0][1], several[-1][2]
                found += [_Piece(kind, text, start, end, value, weak) for kind, value, text, weak in every]
                place += length
                break
    return found


@functools.cache
def _joined(pack: Pack) -> dict[str, tuple[_Name, _Name]]:
    """Return folded word → the number and the scale that it is made of, where the language writes them together."""
    if not pack.numbers.joined:
        return {}
    names = _names(pack)
    words, scales = (
        {name: found for name, found in names.items() if found[0] == kind} for kind in ("word", "scale")
    )
    return {
        f"{word}{scale}": ((*words[word][:3], False), scales[scale]) for word in words for scale in scales
    }


@functools.cache
def _names(pack: Pack) -> dict[str, _Name]:
    """Return folded name → (kind, value, text, weak). A unit's value says whether it may stand before its number."""
    numbers = pack.numbers
    weak = {fold_text(word, pack) for word in numbers.ambiguous}
    found: dict[str, _Name] = {}
    for unit, names in numbers.units.items():
        for name in names:
            mark = not any(char.isalpha() for char in name) or name.endswith(".") or name.isupper()
            found[fold_text(name, pack).rstrip(".")] = ("unit", Fraction(mark), unit, False)
    plain: tuple[tuple[Kind, Sequence[str]], ...] = (
        ("point", numbers.point),
        ("over", numbers.over),
        ("negative", numbers.negative),
        ("percent", (*numbers.percents, "%")),
        ("joiner", numbers.joiners),
    )
    for kind, several in plain:
        found |= {fold_text(word, pack): (kind, Fraction(0), word, False) for word in several}
    valued: tuple[tuple[Kind, Mapping[str, tuple[str, ...]]], ...] = (
        ("word", numbers.words),
        ("part", numbers.parts),
        ("scale", numbers.scales),
        ("before", numbers.before),
    )
    for kind, table in valued:
        for value, several in table.items():
            for word in several:
                folded = fold_text(word, pack)
                found[folded] = (kind, Fraction(value), word, folded in weak)
    return found


class _Reader:
    """Reads one number from pieces, beginning at `place`; afterwards `place` is behind it."""

    def __init__(self, pieces: Sequence[_Piece], place: int, numbers: Numbers) -> None:
        self.pieces, self.place, self.numbers = pieces, place, numbers
        self.parts: list[tuple[Fraction, Fraction]] = []
        """(value, scale) of what has been read and multiplied."""
        self.open: Fraction | None = None
        """What has been read and waits for a scale."""

    def _at(self, ahead: int = 0) -> _Piece:
        place = self.place + ahead
        return self.pieces[place] if place < len(self.pieces) else _Piece("", "", 0, 0)

    def number(self) -> Fraction | None:
        """Return the number, or None where none begins."""
        negative = self._at().kind == "negative" and self._at(1).kind in ("number", "word", "scale")
        self.place += negative
        if self._at().kind == "part":
            self.place += 1
            return self.pieces[self.place - 1].value
        while self._one():
            pass
        if self.open is None and not self.parts:
            return None
        value = sum((value for value, _ in self.parts), self.open or Fraction(0))
        value = self._behind(value)
        return -value if negative else value

    def _one(self) -> bool:
        """Read one more piece; False where the number ends."""
        piece, kind = self._at(), self._at().kind
        if kind == "before" and self.open is None:
            return self._before(piece.value)
        if kind in ("number", "word") and self._fits(piece):
            self.open = piece.value + (self.open or 0)
        elif kind == "scale":
            if self.numbers.scale_first:
                return self._scale_first(piece.value)
            self._scale(piece.value)
        elif kind == "joiner" and self._joins():
            pass
        else:
            return False
        self.place += 1
        return True

    def _fits(self, piece: _Piece) -> bool:
        """Tell whether a number may stand here: first, below the last scale, or as ones behind tens."""
        if self.open is None:
            return not self.parts or 0 < piece.value < self.parts[-1][1]
        least = 10 if self.numbers.scale_first else 20  # kumi na tano, but not ten five
        tens = self.numbers.pairs and self.open % 10 == 0 and least <= self.open < 100
        return tens and piece.kind == "word" and 0 < piece.value < 10

    def _joins(self) -> bool:
        after = self._at(1)
        if self.open is None and not self.parts:
            return False
        if after.kind == "scale":
            return self.numbers.scale_first and bool(self.parts) and after.value < self.parts[-1][1]
        return after.kind in ("number", "word") and self._fits(after)

    def _before(self, more: Fraction) -> bool:
        after = self._at(1)
        if after.kind in ("number", "word") and after.value.denominator == 1:
            self.open = after.value + more
            self.place += 2
            return True
        if after.kind == "scale":
            self.open = 1 + more
            self.place += 1
            return True
        return False

    def _scale(self, scale: Fraction) -> None:
        """Multiply what waits, and all smaller parts before it: "five hundred crore"."""
        factor = self.open
        while self.parts and self.parts[-1][1] < scale:
            factor = (factor or Fraction(0)) + self.parts.pop()[0]
        self.parts.append(((Fraction(1) if factor is None else factor) * scale, scale))
        self.open = None

    def _scale_first(self, scale: Fraction) -> bool:
        """Read a scale and what it multiplies: "elfu tano"."""
        if self.open is not None or (self.parts and scale >= self.parts[-1][1]):
            return False
        self.place += 1
        inner = _Reader(self.pieces, self.place, self.numbers)
        factor = inner.small()
        self.place = inner.place
        self.parts.append(((factor or Fraction(1)) * scale, scale))
        return True

    def small(self) -> Fraction | None:
        """Read a number without a scale."""
        while self._at().kind in ("number", "word", "joiner") and self._one():
            pass
        return self.open

    def _behind(self, value: Fraction) -> Fraction:
        """Read what may follow a number: a point with its digits, "over four", "quarters"."""
        kind, after = self._at().kind, self._at(1)
        if kind == "part":
            self.place += 1
            return value * self.pieces[self.place - 1].value
        if kind == "over" and after.kind in ("number", "word") and after.value:
            self.place += 2
            return value / after.value
        if kind == "point" and after.kind in ("number", "word") and value.denominator == 1:
            self.place += 1
            return value + self._decimals()
        return value

    def _decimals(self) -> Fraction:
        written = ""
        while self._at().kind in ("number", "word") and self._at().value.denominator == 1:
            written += str(self._at().value)
            self.place += 1
        return Fraction(int(written), 10 ** len(written))
