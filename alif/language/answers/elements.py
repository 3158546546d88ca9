"""Cut a text into what can be compared and the words between: the input of the reader of values."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import regex

from alif.language.answers.number_tokens import NumberToken, fold_word, name_pieces, plain_signs, tokenise
from alif.language.answers.quantities import find_quantities
from alif.language.answers.values import Value, day_time, written_date
from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["Elements"]

_DIGIT = regex.compile(r"\d")
_DATE = regex.compile(r"(?<![\d/.-])(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?![\d/]|[.-]\d)")
_MONTH = regex.compile(r"(?<![\d/.-])(0?[1-9]|1[0-2])/((?:18|19|20)\d\d)(?![\d/]|[.-]\d)")
_TIME = regex.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::00)?(?![\d:])")


@functools.lru_cache(maxsize=512)
def _phrases(words: tuple[str, ...], pack: Pack) -> dict[str, list[tuple[str, ...]]]:
    """Return the folded pieces of phrases by their first and, under another key, last; the longest first."""
    pieces = {tuple(fold_text(piece, pack) for piece in name_pieces(word, pack)) for word in words}
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(filter(None, pieces), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
        found.setdefault(f"{phrase[-1]} ", []).append(phrase)
    return found


class Elements:
    """Numbers, dates and times in digits, and the words between them, in order."""

    def __init__(self, text: str, pack: Pack) -> None:
        self.pack, self.text = pack, text
        signs = plain_signs(text, pack)
        signs = signs if _DIGIT.search(signs) else ""
        written = [*filter(None, map(written_date, _DATE.finditer(signs)))]
        written += [
            day_time(Value(int(found[1]) + Fraction(int(found[2]), 60), *found.span(), "clock", kind="clock"))
            for found in _TIME.finditer(signs)
        ]
        written += [
            Value(Fraction(0), *found.span(), kind="date", parts=(Fraction(found[2]), Fraction(found[1]), ""))
            for found in _MONTH.finditer(signs)
        ]
        spans = [(value.start, value.end) for value in written]
        values = written + [
            Value(
                quantity.value, quantity.whole_start, quantity.whole_end, quantity.unit, quantity.percent,
                quantity.digits, quantity.ambiguous and " " not in text[quantity.start : quantity.end],
            )
            for quantity in find_quantities(text, pack)
            if not any(start < quantity.whole_end and quantity.whole_start < end for start, end in spans)
        ]  # fmt: skip
        if len(values) > 1:  # নয় beside another number is "not", alone it is nine
            denials = {name_pieces(word, pack) for word in pack.phrases.denials}
            said = {value: name_pieces(text[value.start : value.end], pack) for value in values}
            values = [value for value in values if not (value.ambiguous and said[value] in denials)]
        spans = [(value.start, value.end) for value in values]
        words = [
            token
            for token in tokenise(text, pack)
            if not any(start < token.end and token.start < end for start, end in spans)
        ]
        self.elements: list[Value | NumberToken] = sorted(
            [*values, *words], key=lambda element: element.start
        )

        self.words = [
            "" if isinstance(element, Value) else fold_word(text[element.start : element.end], pack) or "\n"
            for element in self.elements
        ]

    def word(self, place: int) -> str:
        """Return the folded word or sign at a place, "" for a value and beyond the ends."""
        return self.words[place] if 0 <= place < len(self.words) else ""

    def lacks(self, words: tuple[str, ...]) -> bool:
        """Tell whether no word here begins or ends one of these phrases."""
        return _phrases(words, self.pack).keys().isdisjoint(self.words)

    def numbers_backwards(self) -> Iterator[tuple[int, Value]]:
        """Yield each value with its place, the last first; what is put there meanwhile is passed by."""
        for place in range(len(self.elements) - 1, -1, -1):
            if place < len(self.elements) and isinstance(value := self.elements[place], Value):
                yield place, value

    def number(self, place: int) -> Value | None:
        element = self.elements[place] if 0 <= place < len(self.elements) else None
        return element if isinstance(element, Value) else None

    def phrase(self, place: int, words: tuple[str, ...], back: bool = False) -> int:
        """Return how many elements from `place` on, or back to it, are one of these phrases; 0 if none is."""
        if not 0 <= place < len(self.words) or not (here := self.words[place]):
            return 0
        for pieces in _phrases(words, self.pack).get(f"{here} " if back else here, ()):
            start = place - len(pieces) + 1 if back else place
            if all(self.word(start + ahead) == piece for ahead, piece in enumerate(pieces)):
                return len(pieces)
        return 0

    def put(self, start: int, stop: int, value: Value) -> None:
        first, last = self.elements[start], self.elements[stop - 1]
        self.elements[start:stop] = [replace(value, start=first.start, end=last.end)]
        self.words[start:stop] = [""]

    def before(self, place: int) -> Fraction:
        """Return what the word at a place adds to the number behind it, 0 if nothing."""
        element = self.elements[place] if 0 <= place < len(self.elements) else None
        return element.value if isinstance(element, NumberToken) and element.kind == "before" else Fraction(0)

    def unit(self, place: int) -> str:
        element = self.elements[place] if 0 <= place < len(self.elements) else None
        return element.text if isinstance(element, NumberToken) and element.kind == "unit" else ""
