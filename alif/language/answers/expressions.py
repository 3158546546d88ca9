"""Parse one side of an equation in plain signs. Nothing is evaluated as code.

"35 × 12"        → 420        "5%"        → 0.05, and where it stands alone also 5
"6 / 1/2"        → None: it can be read in two ways, and so can "200 + 10%", "-3²", "10 / 100%"
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import regex

from alif.language.answers.math_text import OF, UNIT
from alif.language.answers.number_tokens import DIGITS, MAX_DIGITS

__all__ = ["Expression", "MathToken", "math_tokens", "parse_expression"]

MAX_EXPONENT = 20
MAX_BRACKETS = 100
MAX_BITS = 2048
"""Of a value on the way: what grows beyond it is no sum that anybody checks, and may grow without end."""

_TOKEN = regex.compile(
    rf"(?P<number>{DIGITS})|(?P<percent>%)|(?P<equal>=)|(?P<unit>[{UNIT}])|(?P<bracket>[()])|(?P<space>"
    rf"[^\S\n]+)|(?P<operator>[+×÷/{OF}-]|(?<=[\d)])x(?=[\d(])|(?<=[\d){UNIT}] )[xX:](?= [\d({UNIT}]))"
    r"|(?P<power>(?<=[\d)])(?:[⁰¹²³⁴-⁹]+|\^\d{1,3}))|(?P<other>.)",
    regex.S,
)
_EXPONENTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", "^")
_AMBIGUOUS_DIVISOR = regex.compile(r"[÷/:](?: +[\d.,]+/[\d.,]|\s*[\d.,]+\s*%)")


@dataclass(frozen=True)
class MathToken:
    """A number, sign, unit, bracket or blank."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Expression:
    """One side of an equation."""

    start: int
    end: int
    values: tuple[Fraction, ...]  # the values it can have: 5 % is 0.05 and, after =, also 5
    decimals: int | None  # digits after the point, of a bare number; None of an expression
    percent: bool  # whether it is a bare percentage
    hundred: bool  # whether 100 is one of its numbers, which may only say that its value is one of percent
    divided: bool
    added: bool  # whether something is added or subtracted
    units: frozenset[str]


def math_tokens(signs: str) -> list[MathToken]:
    """Return the tokens of a line in plain signs; whatever no sum has is of kind "other"."""
    return [
        MathToken(
            "other" if len(found[0]) > MAX_DIGITS else str(found.lastgroup),
            found[0],
            found.start(),
            found.end(),
        )
        for found in _TOKEN.finditer(signs)
    ]


def parse_expression(tokens: Sequence[MathToken]) -> Expression | None:
    """Return one side of an equation, or None where it is not one plain expression with one meaning."""
    solid = [token for token in tokens if token.kind not in ("space", "unit")]
    if not solid or sum(token.text == "(" for token in solid) > MAX_BRACKETS:
        return None
    parser = _Parser(solid)
    value = parser.parse_sum()
    if value is None or parser.rest:
        return None
    kinds = [token.kind for token in solid]
    signs = [token.text for token in solid if token.kind == "operator"]
    added, percent = any(sign in "+-" for sign in signs), "percent" in kinds
    if percent and added:
        return None  # 200 + 10 %
    pairs = list(itertools.pairwise(solid))
    spaced = [
        f"{token.text}{' ' * (after.start > token.end)}" for token, after in [*pairs, (solid[-1], solid[-1])]
    ]
    if _AMBIGUOUS_DIVISOR.search("".join(spaced)):
        return None
    if OF in signs and sorted(kinds) != ["number", "number", "operator", "percent"]:
        return None  # only "20 % of 500" says by itself what is taken of what
    bare = "power" not in kinds and (not signs or (kinds[0] == "operator" and len(signs) == 1))
    hundredfold = any(token.text == "100" and after.text == "%" for token, after in pairs)  # × 100 %
    written = next((token.text for token in solid if token.kind == "number"), "")
    return Expression(
        start=solid[0].start,
        end=solid[-1].end,
        values=(value, value * 100) if percent and (bare or hundredfold) else (value,),
        decimals=len(written.partition(".")[2]) if bare else None,
        percent=percent and bare,
        hundred=any(token.text == "100" for token in solid),
        divided=any(sign in "÷/:" for sign in signs),
        added=not bare and added,
        units=frozenset(token.text for token in tokens if token.kind == "unit"),
    )


class _Parser:
    """Recursive descent over sums, products, powers, brackets, signs and percent; None on failure."""

    def __init__(self, tokens: Sequence[MathToken]) -> None:
        self.rest = list(tokens[::-1])

    def take(self, *texts: str) -> MathToken | None:
        return self.rest.pop() if self.rest and self.rest[-1].text in texts else None

    def parse_sum(self) -> Fraction | None:
        value = self.parse_product()
        while value is not None and _bits(value) < MAX_BITS and (sign := self.take("+", "-")):
            other = self.parse_product()
            value = None if other is None else value + other if sign.text == "+" else value - other
        return value

    def parse_product(self) -> Fraction | None:
        value = self.parse_factor()
        while value is not None and _bits(value) < MAX_BITS and (sign := self.take(*"×xX÷/:", OF)):
            other = self.parse_factor()
            if other is None or (other == 0 and sign.text in "÷/:"):
                return None
            value = value / other if sign.text in "÷/:" else value * other
        return value

    def parse_factor(self) -> Fraction | None:
        sign = self.take("-", "+")
        if sign and not (self.rest and self.rest[-1].start == sign.end):
            return None  # a dash, not a sign
        if self.take("("):
            value = self.parse_sum()
            if not self.take(")"):
                return None
        elif self.rest and self.rest[-1].kind == "number":
            value = Fraction(self.rest.pop().text.replace(",", ""))
        else:
            return None
        if value is not None and self.rest and self.rest[-1].kind == "power":
            exponent = int(self.rest.pop().text.translate(_EXPONENTS))
            huge = exponent > MAX_EXPONENT or exponent * _bits(value) > MAX_BITS
            value = None if sign or huge else value**exponent  # -3² means two things
        if value is not None and self.take("%"):
            value /= 100
        return -value if value is not None and sign and sign.text == "-" else value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
