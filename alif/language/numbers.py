"""Recompute the worked sums of an answer.

    equations("35 × 12 = 420")  == [("35 × 12 = 420", True)]

A sum that cannot be read with certainty (a unit or a letter inside, an unknown sign) is passed over, so that what is reported
false is false. Nothing is evaluated as code.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import regex

from alif.language.amounts import DIGITS, number, plain_signs
from alif.language.pack import Pack

__all__ = ["equations", "number"]

_TOKEN = regex.compile(
    rf"(?P<number>{DIGITS})|(?P<percent>%)|(?P<operator>[+×÷/-]|(?<=\d)x(?=\d)|(?<=\d )[xX:](?= \d))|(?P<equal>=)"
    r"|(?P<bracket>[()])|(?P<space>[^\S\n]+)|(?P<other>.)",
    regex.S,
)
_BULLET = regex.compile(r"^[^\S\n]*(?:[-+×•]\s+|\(?\d{1,2}[.)\]:-]\s+)", regex.M)
_BOLD = regex.compile(r"\*\*|__")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Side:
    """One side of an equation: where it stands and the values it can have (5 % is 0.05 and, after =, also 5)."""

    start: int
    end: int
    values: tuple[Fraction, ...]
    decimals: int | None
    """Digits after the point, of a bare number; None of an expression."""
    divided: bool


def equations(text: str, pack: Pack) -> list[tuple[str, bool]]:
    """Return (equation as written, whether it holds) for each pair of neighbours in every chain `a = b = c` of `text`.

    A quotient may be rounded or cut to the decimals that are written, or be whole with a remainder word behind it.
    """
    signs = _BOLD.sub("  ", text.translate(plain_signs(pack)).replace("××", "  "))
    signs = _BULLET.sub(lambda found: " " * len(found[0]), signs)
    found = []
    for chain, rest in _chains(signs, pack):
        remainder = rest.startswith(pack.numbers.remainder)
        for left, right in itertools.pairwise(chain):
            if left and right and (left.decimals is None or right.decimals is None):
                found.append((text[left.start : right.end], _holds(left, right, remainder)))
    return found


def _holds(left: _Side, right: _Side, remainder: bool) -> bool:
    if left.decimals is not None:
        left, right = right, left
    for value in left.values:
        for stated in right.values:
            gap = abs(value - stated)
            if gap == 0 or (right.decimals and gap < Fraction(1, 10**right.decimals)):
                return True
            if remainder and left.divided and 0 <= value - stated < 1:
                return True
    return False


def _chains(signs: str, pack: Pack) -> Iterator[tuple[list[_Side | None], str]]:
    """Yield each run of numbers, signs and brackets with a `=` in it as its sides, with the text after it."""
    for line in regex.finditer(r"[^\n]+", signs):
        if "=" not in line[0] or "\\" in line[0]:
            continue
        run: list[_Token] = []
        for match in (*_TOKEN.finditer(signs, line.start(), line.end()), None):
            if match and match.lastgroup != "other":
                run.append(_Token(str(match.lastgroup), match[0], match.start(), match.end()))
                continue
            if any(token.kind == "equal" for token in run):
                before, after = signs[line.start() : run[0].start], signs[run[-1].end : line.end()]
                yield _sides(run, before, after, pack), after
            run = []


def _sides(run: list[_Token], before: str, after: str, pack: Pack) -> list[_Side | None]:
    """Cut a run at its `=` and read each side; the outer ones only if what touches them is no part of the sum."""
    pieces: list[list[_Token]] = [[]]
    for token in run:
        if token.kind == "equal":
            pieces.append([])
        else:
            pieces[-1].append(token)
    sides = [_read(piece) for piece in pieces]
    if not _free_before(before, spaced=run[0].kind in ("space", "equal"), pack=pack):
        sides[0] = None
    if not _free_after(after, spaced=run[-1].kind == "space"):
        sides[-1] = None
    return sides


def _free_before(before: str, spaced: bool, pack: Pack) -> bool:
    word = regex.search(r"(\p{L}+)\s*$", before)
    if word and word[1] in pack.numbers.operators:
        return False
    if spaced or not before:
        return not regex.search(r"[\p{Sm}^√!]\s*$", before)
    return bool(regex.search(r"(?<!\d)[:،؛۔.,\"'«“‘\[{\p{Sc}]$", before))


def _free_after(after: str, spaced: bool) -> bool:
    if not after:
        return True
    if spaced:
        return not regex.match(r"[\p{Sm}^√!]|\p{L}(?![\p{L}\p{M}])", after)
    return bool(regex.match(r"[،؛۔.,:;؟?\"'»”’\]}](?!\d)", after))


def _read(tokens: list[_Token]) -> _Side | None:
    """Read one side, or None where it is not one plain expression."""
    solid = [token for token in tokens if token.kind != "space"]
    if not solid:
        return None
    reader = _Reader(solid)
    value = reader.sum()
    if value is None or reader.left:
        return None
    kinds = [token.kind for token in solid]
    percent = "percent" in kinds
    if percent and any(token.text in "+-" for token in solid if token.kind == "operator"):
        return None  # 200 + 10 % means two things
    bare = "operator" not in kinds or (kinds[0] == "operator" and kinds.count("operator") == 1)
    written = next((token.text for token in solid if token.kind == "number"), "")
    return _Side(
        start=solid[0].start,
        end=solid[-1].end,
        values=(value, value * 100) if percent and bare else (value,),
        decimals=len(written.partition(".")[2]) if bare else None,
        divided=any(token.text in "÷/:" for token in solid),
    )


class _Reader:
    """Reads sums, products, brackets, signs and percent from tokens. Every method returns None where it cannot."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.left = tokens[::-1]

    def _take(self, *texts: str) -> _Token | None:
        return self.left.pop() if self.left and self.left[-1].text in texts else None

    def sum(self) -> Fraction | None:
        value = self._product()
        while value is not None and (sign := self._take("+", "-")):
            other = self._product()
            value = None if other is None else value + other if sign.text == "+" else value - other
        return value

    def _product(self) -> Fraction | None:
        value = self._factor()
        while value is not None and (sign := self._take("×", "x", "X", "÷", "/", ":")):
            other = self._factor()
            if other is None or (other == 0 and sign.text in "÷/:"):
                return None
            value = value / other if sign.text in "÷/:" else value * other
        return value

    def _factor(self) -> Fraction | None:
        sign = self._take("-", "+")
        if sign and not (self.left and self.left[-1].start == sign.end):
            return None  # a dash, not a sign
        if self._take("("):
            value = self.sum()
            if not self._take(")"):
                return None
        elif self.left and self.left[-1].kind == "number":
            value = Fraction(self.left.pop().text.replace(",", ""))
        else:
            return None
        if value is not None and self._take("%"):
            value /= 100
        return -value if value is not None and sign and sign.text == "-" else value
