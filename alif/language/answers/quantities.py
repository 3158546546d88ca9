"""Numbers as people write and say them, in every way that the pack's tables know.

    "۱٬۲۰۰ روپے"            1200      digits of every system, 1,200 and 1,00,000, sign, decimals, 3/4, ½
    "ساڑھے تین لاکھ"         350000    words ("three and a half lakh"), also mixed with digits: "3.5 لاکھ"
    "دو تہائی"               2/3       parts ("two thirds")

A word that mostly means something else (بہتر is 72 and "better") is a number only where nothing else in the
text is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from alif.language.answers.number_tokens import BEGINS, MAX_DIGITS, NumberToken, tokenise
from alif.language.pack import Pack
from alif.language.pack_schema import Numbers

__all__ = ["Quantity", "find_quantities", "last_quantity", "parse_number"]

POWERS = ("square", "cubic")
"""Units that say what a length beside them is."""
_END = NumberToken("", "", 0, 0)


@dataclass(frozen=True)
class Quantity:
    """A number in a text."""

    value: Fraction
    start: int
    end: int  # characters of the text, without percent sign and unit
    whole_start: int
    whole_end: int  # the same with percent sign and unit
    digits: bool  # whether a part of it is written in digits
    ambiguous: bool  # whether each of its words mostly means something else
    percent: bool
    unit: str
    """The unit beside it, as the pack names it; "" if there is none that the pack knows."""


def parse_number(text: str, pack: Pack) -> Decimal | None:
    """Return the last number, or None. "25 %" is 25, "3/4" 0.75; words count only without digits."""
    last = last_quantity(find_quantities(text, pack))
    return None if last is None else Decimal(last.value.numerator) / Decimal(last.value.denominator)


def last_quantity(quantities: Sequence[Quantity]) -> Quantity | None:
    """Return the last one in digits, else the last in unambiguous words, else the last."""
    digits = [quantity for quantity in quantities if quantity.digits]
    best = digits or [quantity for quantity in quantities if not quantity.ambiguous] or quantities
    return best[-1] if best else None


def find_quantities(text: str, pack: Pack) -> list[Quantity]:
    """Return the numbers of `text` in order."""
    tokens = [*tokenise(text, pack)]
    found: list[Quantity] = []
    begin = 0
    while begin < len(tokens):
        if tokens[begin].kind not in BEGINS:
            begin += 1
            continue
        parser = _NumberParser(tokens, begin, pack.numbers)
        value = parser.parse()
        if value is None or parser.place == begin:
            begin += 1
            continue
        used = tokens[begin : parser.place]
        percent = parser.peek().kind == "percent"
        whole = [*used, *tokens[parser.place : parser.place + percent]]
        behind = [parser.peek(percent + ahead) for ahead in (0, 1)]
        unit, whole = _find_unit(tokens[max(begin - 2, 0) : begin], whole, behind)
        quantity = Quantity(
            value=value,
            start=used[0].start,
            end=used[-1].end,
            whole_start=whole[0].start,
            whole_end=whole[-1].end,
            digits=any(token.kind == "number" for token in used),
            ambiguous=all(token.ambiguous for token in used),
            percent=percent,
            unit=unit,
        )
        found.append(quantity)
        begin = parser.place
    return found


def _find_unit(
    before: list[NumberToken], number: list[NumberToken], behind: list[NumberToken]
) -> tuple[str, list[NumberToken]]:
    """Return the unit beside a number, "" if there is none, and the tokens of both.

    The one behind counts, unless it belongs to the next number ("saa 4 dakika 20"). Two may say one thing:
    "° C", "square" and "metre" ("mita 96 za mraba").
    """
    first, second = behind
    last = before[-1] if before else _END
    precedes = last.kind == "unit" and bool(last.value)
    if first.kind != "unit" or (precedes and first.value and second.kind in ("number", "word", "scale")):
        if precedes and (joined := _joined_unit(before[0], last)):
            return joined, [*before, *number]
        return (last.text, [last, *number]) if precedes else ("", number)
    if joined := _joined_unit(first, second):
        return joined, [*number, first, second]
    if precedes and (joined := _joined_unit(last, first)):
        return joined, [last, *number, first]
    return first.text, [*number, first]


def _joined_unit(one: NumberToken, other: NumberToken) -> str:
    """Return the unit that two make together, "" if they do not: a degree of a scale, a power of a length."""
    if {one.kind, other.kind} != {"unit"} or one is other:
        return ""
    if other.text.startswith(f"{one.text}_"):
        return other.text
    power, length = (one, other) if one.text in POWERS else (other, one)
    return f"{power.text}_{length.text}" if power.text in POWERS and length.text not in POWERS else ""


class _NumberParser:
    """Parses one number from tokens, beginning at `place`; afterwards `place` is behind it."""

    def __init__(self, tokens: Sequence[NumberToken], place: int, numbers: Numbers) -> None:
        self.tokens, self.place, self.numbers = tokens, place, numbers
        self.parts: list[tuple[Fraction, Fraction]] = []
        """(value, scale) of what has been read and multiplied."""
        self.open: Fraction | None = None
        """What has been read and waits for a scale."""

    def peek(self, ahead: int = 0) -> NumberToken:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else _END

    def parse(self) -> Fraction | None:
        """Return the number, or None where none begins."""
        negative = self.peek().kind == "negative" and self.peek(1).kind in ("number", "word", "scale")
        self.place += negative
        if self.peek().kind == "part":
            if self.peek().text in self.numbers.dependent:
                return None
            self.place += 1
            return self.tokens[self.place - 1].value
        while self._take():
            pass
        if self.open is None and not self.parts:
            return None
        value = self._take_suffix(sum((value for value, _ in self.parts), self.open or Fraction(0)))
        return -value if negative else value

    def _take(self) -> bool:
        """Read one more token; return False where the number ends."""
        token, after = self.peek(), self.peek(1)
        if token.kind == "before" and self.open is None:
            if after.kind in ("number", "word") and after.value.denominator == 1:
                self.open = after.value + token.value
                self.place += 2
            elif after.kind == "scale" or (after.kind == "unit" and token.value == Fraction(1, 4)):  # سوا کلو
                self.open = 1 + token.value
                self.place += 1
            else:
                return False
            return True
        if token.kind == "scale" and self.numbers.scale_first:
            return self._take_leading_scale(token.value)
        if token.kind in ("number", "word") and self._fits(token):
            self.open = token.value + (self.open or 0)
        elif token.kind == "scale" and (
            self.open is not None or self.parts or token.text not in self.numbers.dependent
        ):  # multiplies what waits, and all smaller parts before it: "five hundred crore"
            factor = self.open
            while self.parts and self.parts[-1][1] < token.value:
                factor = (factor or Fraction(0)) + self.parts.pop()[0]
            self.parts.append(((Fraction(1) if factor is None else factor) * token.value, token.value))
            self.open = None
        elif token.kind == "joiner" and (self.open is not None or self.parts):
            below = self.numbers.scale_first and self.parts and after.value < self.parts[-1][1]
            fits = after.kind in ("number", "word") and self._fits(after)
            if not fits and not (after.kind == "scale" and below):
                return False
        else:
            return False
        self.place += 1
        return True

    def _fits(self, token: NumberToken) -> bool:
        """Tell whether a number may come here: first, below the last scale, or as ones behind tens."""
        if self.open is None:
            return not self.parts or 0 < token.value < self.parts[-1][1]
        least = 10 if self.numbers.scale_first else 20  # kumi na tano, but not ten five
        tens = self.numbers.pairs and self.open % 10 == 0 and least <= self.open < 100
        return tens and token.kind == "word" and 0 < token.value < 10

    def _take_leading_scale(self, scale: Fraction) -> bool:
        """Read a scale and what it multiplies: "elfu tano"."""
        fraction = self.open is not None and self.open < 1
        digits = self.peek(-1).kind == "number"
        if self.open is not None and not self.parts and (digits or fraction):  # 3 milioni, nusu milioni
            self.parts, self.open = [(self.open * scale, scale)], None
            self.place += 1
            return True
        if self.open is not None or (self.parts and scale >= self.parts[-1][1]):
            return False
        factor = _NumberParser(self.tokens, self.place + 1, self.numbers)
        below = factor.peek()
        if below.kind == "scale" and below.value < scale and factor._take_leading_scale(below.value):
            factor.open = factor.parts.pop()[0]  # elfu mia mbili
        while factor.peek().kind in ("number", "word", "joiner") and factor._take():
            pass
        count = factor.open or Fraction(1)
        if factor.open is not None and (larger := factor._take_suffix(count)) < count + 1:  # and a half
            count = larger
        self.place = factor.place
        self.parts.append((count * scale, scale))
        return True

    def _take_suffix(self, value: Fraction) -> Fraction:
        """Read what may follow a number: a point with its digits, "over four", "less a quarter"."""
        kind, after = self.peek().kind, self.peek(1)
        mixed = kind == "number" and self._is_mixed(value, self.peek(-1), self.peek())  # 2 1/2
        if mixed or kind in ("part", "behind"):
            self.place += 1
            taken = self.tokens[self.place - 1].value
            return value * taken if kind == "part" else value + taken
        if kind in ("whole", "joiner") and value.denominator == 1:  # two and three quarters
            parser = _NumberParser(self.tokens, self.place + 1, self.numbers)
            fraction = parser.parse()
            if fraction is not None and 0 < fraction < 1:
                self.place = parser.place
                return value + fraction
        if kind == "over" and after.kind in ("number", "word") and after.value:
            self.place += 2
            return value / after.value
        if kind == "point" and after.kind in ("number", "word") and value.denominator == 1:
            self.place += 1
            decimals = ""
            while self.peek().kind in ("number", "word") and self.peek().value.denominator == 1:
                decimals += str(self.peek().value)[: MAX_DIGITS - len(decimals)]
                self.place += 1
            return value + Fraction(int(decimals), 10 ** len(decimals))
        return value

    @staticmethod
    def _is_mixed(value: Fraction, whole: NumberToken, part: NumberToken) -> bool:
        """Tell whether a fraction in digits right behind a whole number belongs to it."""
        plain = whole.kind == "number" and whole.text.isdecimal() and value == whole.value
        return plain and "/" in part.text and 0 < part.value < 1 and part.start - whole.end == 1
