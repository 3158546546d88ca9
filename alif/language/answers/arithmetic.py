"""Recompute the arithmetic in an answer.

    check_equations("35 × 12 = 420", pack)  == [("35 × 12 = 420", True)]

An equation that cannot be read with certainty (two units or a letter inside, an unknown sign, a number half
in words) is skipped, so that what is reported false is false.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction

import regex

from alif.language.answers.expressions import Expression, MathToken, math_tokens, parse_expression
from alif.language.answers.math_text import OF, plain_math
from alif.language.answers.quantities import Quantity, find_quantities
from alif.language.pack import Pack

__all__ = ["check_equations", "final_number_conflict"]


def check_equations(text: str, pack: Pack) -> list[tuple[str, bool]]:
    """Return (equation as written, whether it holds) for each pair of sides in every chain `a = b = c`.

    A quotient may be rounded or cut to the decimals that are written, as a percentage to a whole one, or be
    whole with a remainder word behind it.
    """
    found: list[tuple[str, bool]] = []
    for line in text.split("\n"):
        for chain, rest in _chains(plain_math(line, pack), pack) if "=" in line else ():
            words = pack.numbers.remainder
            remainder = any(regex.search(rf"(?<!\p{{L}}){word}(?!\p{{L}})", rest) for word in words)
            worked = False  # whether an expression came before
            for left, right in itertools.pairwise(chain):
                last = right is chain[-1] and rest.lstrip()[:1].isalpha()
                if left and right and _is_comparable(left, right, worked and not last):
                    found.append((line[left.start : right.end], _holds(left, right, remainder)))
                worked = left is not None and (left.decimals is None or worked)
    return found


def final_number_conflict(answer: str, working: str, question: str, pack: Pack) -> Quantity | None:
    """Return the result of a working that the final answer, one number, contradicts.

    The working's last line is an equation that holds, of numbers that the question or earlier results give.
    The answer's number occurs nowhere before, has the same unit, and is no rounding, percentage or digits of
    the result: then no unwritten step could lead there.
    """
    earlier, _, line = working.replace("**", "").strip().rpartition("\n")
    last, equations, found = (
        find_quantities(line, pack),
        check_equations(line, pack),
        find_quantities(answer, pack),
    )
    if not last or not equations or not equations[-1][1] or len(found) != 1:
        return None
    result = last[-1]
    before, after = line[: result.whole_start], line[result.whole_end :]
    if regex.search(r"[\p{L}\p{N}]", after) or not regex.search(r"=[^\p{L}\p{N}+×÷*/-]*$", before):
        return None  # the line goes on, or does not end with what the equation comes to
    if _may_come_from(found[0], result):
        return None
    given, asked = found[0], find_quantities(question, pack)
    alone = not regex.search(r"\p{L}", answer[: given.whole_start] + answer[given.whole_end :])
    results = [
        quantity
        for equation, _ in check_equations(earlier, pack)
        for quantity in find_quantities(equation.rpartition("=")[2], pack)
    ]
    sources = _sizes(
        quantity for quantity in (*asked, *results) if quantity.digits
    )  # "two" is said of anything
    closed = _sizes(last[:-1]) <= sources
    alike = given.unit == result.unit and given.percent == result.percent
    mentioned = abs(given.value) in _sizes((*asked, *find_quantities(working, pack)))
    return result if alone and closed and alike and not mentioned else None


def _sizes(quantities: Iterable[Quantity]) -> set[Fraction]:
    return {abs(quantity.value) for quantity in quantities}


def _may_come_from(given: Quantity, result: Quantity) -> bool:
    """Tell whether a number is a rounding, a percentage or digits of the result."""
    value, right = abs(given.value), abs(result.value)
    fractional = right.denominator > 1 or (result.percent and value.denominator > 1)
    if fractional and abs(value - right) < 1:
        return True
    tens = 1
    while value and value % (10 * tens) == 0:
        tens *= 10
    rounded = tens > 1 and abs(value - right) < tens
    digits = str(value) in str(right) or str(right) in str(value)
    return rounded or digits or value in (right, 100 * right, right / 100)


def _is_comparable(left: Expression, right: Expression, worked: bool) -> bool:
    """Tell whether two sides must be equal, unlike in "3 hours = 180", "1 hour - 15 = 45" and "100 = 2"."""
    units = left.units | right.units
    if left.decimals is not None and right.decimals is not None:
        return worked and not units
    if left.decimals is not None and left.units:
        return False  # 2 days = 24 × 2
    mixed = any(one.added and one.units and not other.units for one, other in ((left, right), (right, left)))
    return len(units) <= 1 and not mixed


def _holds(left: Expression, right: Expression, remainder: bool) -> bool:
    if left.decimals is not None:
        left, right = right, left
    for value, stated in itertools.product(left.values, right.values):
        gap = abs(value - stated)
        if gap == 0 or (right.decimals and gap < Fraction(1, 10**right.decimals)):
            return True
        if remainder and left.divided and 0 <= value - stated < 1:
            return True
    if right.percent and left.divided:  # rounded or cut: 2 / 3 = 67%, 40 / 120 × 100 = 33%
        value, percentage, places = left.values[0], right.values[-1], 10 ** (right.decimals or 0)
        shares = (value * 100, value) if left.hundred else (value * 100,)
        if any(Fraction(-1, 2) <= (share - percentage) * places < 1 for share in shares):
            return True
    if left.decimals is not None and right.decimals is not None and left.decimals != right.decimals:
        return abs(left.values[0] - right.values[0]) < Fraction(1, 10 ** min(left.decimals, right.decimals))
    return False


def _chains(signs: str, pack: Pack) -> Iterator[tuple[list[Expression | None], str]]:
    """Yield the sides of each run of numbers, signs, units and brackets with a `=`, and the text after it."""
    if "\\" in signs:
        return
    for other, tokens in itertools.groupby(math_tokens(signs), lambda token: token.kind == "other"):
        run = list(tokens)
        if not other and any(token.kind == "equal" for token in run):
            before, after = signs[: run[0].start], signs[run[-1].end :]
            yield _parse_sides(run, before, after, pack), after


def _parse_sides(run: list[MathToken], before: str, after: str, pack: Pack) -> list[Expression | None]:
    """Parse the sides of a run; the outer ones only if the text that touches them is no part of them."""
    pieces: list[list[MathToken]] = [[]]
    for token in run:
        if token.kind == "equal":
            pieces.append([])
        else:
            pieces[-1].append(token)
    sides = [parse_expression(piece) for piece in pieces]
    bare = sides[0] is not None and sides[0].decimals is not None
    numbered = bare and regex.search(r"[\p{L}\d]\s*$", before)  # "week 2 = 35 + 35"
    joined = any(token.text == OF for token in pieces[0])  # "20 % of 300 and 500"
    blocking = (*pack.numbers.operators, *(pack.phrases.conjunctions if joined else ()))
    word = regex.search(r"(\p{L}+)\s*$", before)
    if numbered or (word and word[1] in blocking):
        sides[0] = None
    elif run[0].kind in ("space", "equal") or not before:
        if regex.search(r"(?:[\p{Sm}^√!]|(?<!\p{L})[xX])\s*$", before):
            sides[0] = None
    elif not regex.search(r"(?<!\d)[:،؛۔.,\"'«“‘\[{\p{Sc}]$", before):
        sides[0] = None
    if run[-1].kind in ("space", "unit"):
        ends = not regex.match(r"[\p{Sm}^√!]|\p{L}(?![\p{L}\p{M}])", after)
    else:
        ends = not after or bool(regex.match(r"[،؛۔.,:;؟?\"'»”’\]}](?!\d)", after))
    if not ends or regex.match(r"[.…]+\s*%", after):  # 8.333...%
        sides[-1] = None
    return sides
