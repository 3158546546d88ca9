"""Recompute the worked sums of an answer.

    equations("35 × 12 = 420")  == [("35 × 12 = 420", True)]

A sum that cannot be read with certainty (two units or a letter inside, an unknown sign, a number half in words) is passed
over, so that what is reported false is false. Nothing is evaluated as code.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import regex

from alif.language.answers.math_text import OF, UNIT, plain_math
from alif.language.answers.quantities import DIGITS, Quantity, find_quantities, parse_number
from alif.language.pack import Pack

__all__ = ["check_equations", "final_number_conflict", "parse_number"]

MOST_RAISED = 20
"""A higher exponent is passed over."""

_TOKEN = regex.compile(
    rf"(?P<number>{DIGITS})|(?P<percent>%)|(?P<equal>=)|(?P<unit>[{UNIT}])|(?P<bracket>[()])|(?P<space>[^\S\n]+)"
    rf"|(?P<operator>[+×÷/{OF}-]|(?<=[\d)])x(?=[\d(])|(?<=[\d){UNIT}] )[xX:](?= [\d({UNIT}]))"
    r"|(?P<power>(?<=[\d)])(?:[⁰¹²³⁴-⁹]+|\^\d{1,3}))|(?P<other>.)",
    regex.S,
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", "^")
_UNCLEAR = regex.compile(r"[÷/:](?: +[\d.,]+/[\d.,]|\s*[\d.,]+\s*%)")


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
    percent: bool
    """Whether it is a bare percentage."""
    hundred: bool
    """Whether 100 is one of its numbers, which may only say that its value is one of percent."""
    divided: bool
    sum: bool
    """Whether something is added or taken away."""
    units: frozenset[str]


def check_equations(text: str, pack: Pack) -> list[tuple[str, bool]]:
    """Return (equation as written, whether it holds) for each pair of neighbours in every chain `a = b = c` of `text`.

    A quotient may be rounded or cut to the decimals that are written, as a percentage to a whole one, or be whole with a
    remainder word behind it.
    """
    return [found for line in text.split("\n") if "=" in line for found in _line_equations(line, pack)]


def _line_equations(line: str, pack: Pack) -> Iterator[tuple[str, bool]]:
    for chain, rest in _chains(plain_math(line, pack), pack):
        remainder = any(
            regex.search(rf"(?<!\p{{L}}){word}(?!\p{{L}})", rest) for word in pack.numbers.remainder
        )
        worked = False
        for left, right in itertools.pairwise(chain):
            last = right is chain[-1] and rest.lstrip()[:1].isalpha()
            if left and right and _comparable(left, right, worked and not last):
                yield line[left.start : right.end], _holds(left, right, remainder)
            worked = left is not None and (left.decimals is None or worked)


def final_number_conflict(answer: str, working: str, question: str, pack: Pack) -> Quantity | None:
    """Return the amount that a working ends with, where a final answer is one number, other than it, that cannot come from it.

    The working is closed: its last line is a sum that holds, of numbers that stand in the question or are results of earlier
    sums. The answer's number stands nowhere before, has the same unit, and is no rounding, percentage or digits of the result:
    then no unwritten step is left that would lead there.
    """
    earlier, _, line = working.replace("**", "").strip().rpartition("\n")
    stated, every = _result(line, pack), find_quantities(answer, pack)
    if stated is None or len(every) != 1 or _comes_from(every[0], stated):
        return None
    given, asked = every[0], find_quantities(question, pack)
    alone = not regex.search(r"\p{L}", answer[: given.whole_start] + answer[given.whole_end :])
    results = [
        amount
        for written, _ in check_equations(earlier, pack)
        for amount in find_quantities(written.rpartition("=")[2], pack)
    ]
    sources = _sizes(
        amount for amount in (*asked, *results) if amount.digits
    )  # words such as "two" are said of anything
    closed = _sizes(find_quantities(line, pack)[:-1]) <= sources
    alike = given.unit == stated.unit and given.percent == stated.percent
    mentioned = abs(given.value) in _sizes((*asked, *find_quantities(working, pack)))
    return stated if alone and closed and alike and not mentioned else None


def _sizes(every: Iterable[Quantity]) -> set[Fraction]:
    return {abs(amount.value) for amount in every}


def _result(line: str, pack: Pack) -> Quantity | None:
    """Return the amount that ends a line, if it is what an equation that holds comes to: "12 - 5 = 7 روپے" ("7 rupees")."""
    if "=" not in line:
        return None
    every, sums = find_quantities(line, pack), check_equations(line, pack)
    if not every or not sums or not sums[-1][1] or regex.search(r"[\p{L}\p{N}]", line[every[-1].whole_end :]):
        return None
    return every[-1] if regex.search(r"=[^\p{L}\p{N}+×÷*/-]*$", line[: every[-1].whole_start]) else None


def _comes_from(given: Quantity, stated: Quantity) -> bool:
    value, result = abs(given.value), abs(stated.value)
    rounding = result.denominator > 1 or (stated.percent and value.denominator > 1)
    if rounding and abs(value - result) < 1:
        return True
    tens = 1
    while value and value % (10 * tens) == 0:
        tens *= 10
    rounded = tens > 1 and abs(value - result) < tens
    digits = str(value) in str(result) or str(result) in str(value)
    return rounded or digits or value in (result, 100 * result, result / 100)


def _comparable(left: _Side, right: _Side, worked: bool) -> bool:
    """Tell whether two sides must be equal: "3 hours = 180", "1 hour - 15 = 45" and "100 = 2" may mean something else."""
    units = left.units | right.units
    if left.decimals is not None and right.decimals is not None:
        return worked and not units
    if left.decimals is not None and left.units:
        return False  # 2 days = 24 × 2
    parted = any(one.sum and one.units and not other.units for one, other in ((left, right), (right, left)))
    return len(units) <= 1 and not parted


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
    if right.percent and left.divided and _rounds_to(left, right):
        return True
    if left.decimals is not None and right.decimals is not None and left.decimals != right.decimals:
        return abs(left.values[0] - right.values[0]) < Fraction(1, 10 ** min(left.decimals, right.decimals))
    return False


def _rounds_to(quotient: _Side, stated: _Side) -> bool:
    """Tell whether a quotient is, rounded or cut, the percentage that is stated: 2 / 3 = 67%, 40 / 120 × 100 = 33%."""
    value, percentage, places = quotient.values[0], stated.values[-1], 10 ** (stated.decimals or 0)
    shares = (value * 100, value) if quotient.hundred else (value * 100,)
    return any(Fraction(-1, 2) <= (share - percentage) * places < 1 for share in shares)


def _chains(signs: str, pack: Pack) -> Iterator[tuple[list[_Side | None], str]]:
    """Yield each run of numbers, signs, units and brackets of a line with a `=` in it as its sides, with the text after it."""
    if "\\" in signs:
        return
    run: list[_Token] = []
    for match in (*_TOKEN.finditer(signs), None):
        if match and match.lastgroup != "other":
            run.append(_Token(str(match.lastgroup), match[0], match.start(), match.end()))
            continue
        if any(token.kind == "equal" for token in run):
            before, after = signs[: run[0].start], signs[run[-1].end :]
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
    numbered = (
        sides[0] and sides[0].decimals is not None and regex.search(r"[\p{L}\d]\s*$", before)
    )  # "week 2 = 35 + 35"
    joined = any(token.text == OF for token in pieces[0])  # "20 % of 300 and 500"
    blocking = (*pack.numbers.operators, *(pack.phrases.conjunctions if joined else ()))
    if numbered or not _free_before(before, run[0].kind in ("space", "equal"), blocking):
        sides[0] = None
    if not _free_after(after, spaced=run[-1].kind in ("space", "unit")):
        sides[-1] = None
    return sides


def _free_before(before: str, spaced: bool, blocking: tuple[str, ...]) -> bool:
    word = regex.search(r"(\p{L}+)\s*$", before)
    if word and word[1] in blocking:
        return False
    if spaced or not before:
        return not regex.search(r"(?:[\p{Sm}^√!]|(?<!\p{L})[xX])\s*$", before)
    return bool(regex.search(r"(?<!\d)[:،؛۔.,\"'«“‘\[{\p{Sc}]$", before))


def _free_after(after: str, spaced: bool) -> bool:
    if not after:
        return True
    if regex.match(r"[.…]+\s*%", after):
        return False  # 8.333...%
    if spaced:
        return not regex.match(r"[\p{Sm}^√!]|\p{L}(?![\p{L}\p{M}])", after)
    return bool(regex.match(r"[،؛۔.,:;؟?\"'»”’\]}](?!\d)", after))


def _read(tokens: list[_Token]) -> _Side | None:
    """Read one side, or None where it is not one plain expression."""
    solid = [token for token in tokens if token.kind not in ("space", "unit")]
    if not solid:
        return None
    reader = _Reader(solid)
    value = reader.sum()
    if value is None or reader.left:
        return None
    kinds, signs = (
        [token.kind for token in solid],
        [token.text for token in solid if token.kind == "operator"],
    )
    percent = "percent" in kinds
    if percent and any(sign in "+-" for sign in signs):
        return None  # 200 + 10 % means two things
    if _unclear(solid):
        return None
    if OF in signs and sorted(kinds) != ["number", "number", "operator", "percent"]:
        return None  # only "20 % of 500" says by itself what is taken of what
    bare = "power" not in kinds and (not signs or (kinds[0] == "operator" and len(signs) == 1))
    written = next((token.text for token in solid if token.kind == "number"), "")
    return _Side(
        start=solid[0].start,
        end=solid[-1].end,
        values=(value, value * 100) if percent and (bare or _hundred(solid)) else (value,),
        decimals=len(written.partition(".")[2]) if bare else None,
        percent=percent and bare,
        hundred=any(token.text == "100" for token in solid),
        divided=any(sign in "÷/:" for sign in signs),
        sum=not bare and any(sign in "+-" for sign in signs),
        units=frozenset(token.text for token in tokens if token.kind == "unit"),
    )


def _hundred(solid: list[_Token]) -> bool:
    """Tell whether a side has the factor 100 %, which may only say that its value is one of percent."""
    return any(one.text == "100" and after.text == "%" for one, after in itertools.pairwise(solid))


def _unclear(solid: list[_Token]) -> bool:
    """Tell whether a divisor can be read in two ways: "6 / 1/2", "10 / 100%"."""
    tight = [
        f"{one.text}{' ' * (after.start > one.end)}" for one, after in itertools.pairwise([*solid, solid[-1]])
    ]
    return bool(_UNCLEAR.search("".join(tight)))


class _Reader:
    """Reads sums, products, powers, brackets, signs and percent from tokens. Every method returns None where it cannot."""

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
        while value is not None and (sign := self._take("×", "x", "X", "÷", "/", ":", OF)):
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
        if value is not None and self.left and self.left[-1].kind == "power":
            exponent = int(self.left.pop().text.translate(_RAISED))
            value = None if sign or exponent > MOST_RAISED else value**exponent  # -3² means two things
        if value is not None and self._take("%"):
            value /= 100
        return -value if value is not None and sign and sign.text == "-" else value
