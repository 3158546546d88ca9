"""Numbers that a translation lacks, or has and its original has not, however either of them writes them.

    "1,200"  "۱٬۲۰۰"  "1.200"      the same          "2.2 million"  "22 لاکھ"        the same
    "24"     "چوبیس"               the same          "2:30 pm"      "ڈھائی بجے"      the same
    "2.5"    "5.2"                 another           "three"        "چار" ("four")   another

Words are the packs': numbers, scales, ordinals, times of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import regex

from alif.language.answers.quantities import find_quantities
from alif.language.answers.value_reader import find_values
from alif.language.normalisation import fold_text
from alif.language.pack import Pack
from alif.language.protected_spans import protected_spans

__all__ = ["find_added_numbers", "find_changed_numbers"]

SMALLEST_WORD = 3
"""Of numbers in words that are compared: one and two are articles and pronouns in many languages."""
_WRITTEN = regex.compile(r"(?<!\b[kcm]m|\d\sm)\d+(?:[.,٫٬'’]\d+)*")
"""A number in digits; the 2 of km2 is none."""
_GROUPED = regex.compile(r"\d{1,3}(?:[.,٫٬'’]\d{2,3})*[.,٫٬'’]\d{3}")
_DECIMAL = regex.compile(r"(?P<whole>\d+|\d{1,3}(?:[.,٫٬'’]\d{2,3})+)[.,٫٬](?P<part>\d+)")


@dataclass(frozen=True)
class _Number:
    """A number in digits: its text and what it may be worth, "1.200" two things."""

    text: str
    start: int
    worth: frozenset[Fraction]

    @classmethod
    def read(cls, text: str, start: int) -> _Number:
        worth = set()
        if text.isdecimal() or _GROUPED.fullmatch(text):
            worth.add(Fraction(_digits(text)))
        if (decimal := _DECIMAL.fullmatch(text)) and (not worth or decimal["part"].strip("0")):
            worth.add(Fraction(f"{_digits(decimal['whole'])}.{decimal['part']}"))
        return cls(text, start, frozenset(worth))

    @property
    def parts(self) -> list[Fraction]:
        return [Fraction(part) for part in regex.findall(r"\d+", self.text)]


def _digits(text: str) -> str:
    return regex.sub(r"\D", "", text)


class _Numbers:
    """The numbers of a text: those in digits, and what longer expressions and words are worth."""

    def __init__(self, text: str, pack: Pack) -> None:
        folded = fold_text(text, pack)
        self.written = [_Number.read(found[0], found.start()) for found in _WRITTEN.finditer(folded)]
        quantities = find_quantities(folded, pack)
        self.percent = any(one.percent for one in quantities)
        self.spans = [(one.start, one.end, one.value) for one in quantities]
        told = {one.value for one in quantities}
        for one in find_values(folded, pack):
            told |= {one.value, *(part for part in one.parts if isinstance(part, Fraction))}
            if one.kind == "clock":
                told.add(one.value % 12)
                self.spans += [(one.start, one.end, value) for value in (one.value, one.value % 12)]
        plain = {worth for number in self.written for worth in number.worth}
        self.weak = {one.value for one in quantities if one.ambiguous}
        self.said = (told - plain) | {one.value for one in quantities if not one.digits}
        self.all = self.said | plain
        self.words = {
            one.value
            for one in quantities
            if not one.ambiguous
            and not one.digits
            and one.value.denominator == 1
            and one.value >= SMALLEST_WORD
        }

    def is_said(self, number: _Number, said: set[Fraction], every: set[Fraction]) -> bool:
        """Tell whether the other text says a number in digits, or what the expression around it is worth."""
        around = {value for start, end, value in self.spans if start <= number.start < end}
        return not said.isdisjoint(number.worth | around) or not every.isdisjoint(around - number.worth)


def find_changed_numbers(before: str, after: str, known: Pack, own: Pack) -> list[str]:
    """Return the numbers that a translation lacks, as its original writes them."""
    here, there = _read_both(before, after, known, own)
    said = there.said - there.weak if there.written else there.said
    lost = [one.text for one in _unmatched(here, there.written) if not here.is_said(one, said, there.all)]
    missing = here.words - there.all
    if missing and there.words - here.all:
        lost += [f"{value} in words" for value in sorted(missing)]
    return lost


def find_added_numbers(before: str, after: str, known: Pack, own: Pack) -> list[str]:
    """Return the numbers in digits that a translation has and its original has not, not even in words."""
    here, there = _read_both(before, after, known, own)
    said = here.said | ({Fraction(100)} if here.percent else set())  # 90 of 100
    return [one.text for one in _unmatched(there, here.written) if not there.is_said(one, said, here.all)]


def _read_both(before: str, after: str, known: Pack, own: Pack) -> tuple[_Numbers, _Numbers]:
    """Return the numbers of both texts without those in code, addresses and names of the original."""
    for span in sorted(protected_spans(before), key=len, reverse=True):
        before, after = before.replace(span, " "), after.replace(span, " ")
    return _Numbers(before, known), _Numbers(after, own)


def _unmatched(numbers: _Numbers, others: Sequence[_Number]) -> list[_Number]:
    """Return the numbers in digits without a twin of their own among the others."""
    left = list(others)
    alone = []
    for one in sorted(numbers.written, key=lambda number: len(number.worth)):
        twin = next((other for other in left if one.text == other.text), None)
        twin = twin or next((other for other in left if one.worth & other.worth), None)
        if twin:
            left.remove(twin)
        else:
            alone.append(one)
    whole = [part for other in left if len(other.parts) != 2 for part in other.parts]
    halves = [part for other in left if len(other.parts) == 2 for part in other.parts]
    found = []
    for one in alone:  # 1.5.2020 and 2020-05-01; two numbers that a mark joins; but 2.5 is not 5.2
        if not _take(whole, one.parts) and (len(one.parts) == 2 or not _take(halves, one.parts)):
            found.append(one)
    return found


def _take(parts: list[Fraction], wanted: Iterable[Fraction]) -> bool:
    """Take the parts of a date or a list of numbers that is cut in another way, if all are there."""
    left = list(parts)
    for part in wanted:
        if part not in left:
            return False
        left.remove(part)
    parts[:] = left
    return True
