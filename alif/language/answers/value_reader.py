"""Find what the numbers of a text say: the words between them are the pack's."""

from __future__ import annotations

import functools
from dataclasses import replace
from fractions import Fraction

import regex

from alif.language.answers.number_tokens import NumberToken, name_pieces, normalise_signs, tokenise
from alif.language.answers.quantities import find_quantities
from alif.language.answers.values import SIZES, Kind, Value, day_time, is_same_unit, written_date
from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["find_values"]

_DATE = regex.compile(r"(?<![\d/.-])(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?![\d/]|[.-]\d)")
_TIME = regex.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::00)?(?![\d:])")
_ABBREVIATION = regex.compile(r"\.\s?\p{Nd}")
_BOUNDARY = frozenset("،,;؛۔.।:!?؟()[]\n")

Element = Value | NumberToken


def find_values(text: str, pack: Pack) -> list[Value]:
    """Return what the numbers of a text say, in order."""
    reader = _Reader(text, pack)
    for read in (reader.read_ordinals, reader.read_dates, reader.read_clocks, reader.read_rates):
        read()
    reader.join_measures()
    reader.join_ranges()
    reader.set_flags()
    return [element for element in reader.elements if isinstance(element, Value)]


@functools.lru_cache(maxsize=512)
def _phrases(words: tuple[str, ...], pack: Pack) -> tuple[tuple[str, ...], ...]:
    """Return the folded pieces of phrases, the longest first."""
    return tuple(sorted({name_pieces(word, pack) for word in words}, key=len, reverse=True))


@functools.lru_cache
def _ordinals(pack: Pack) -> dict[str, int]:
    """Return folded ordinal → its number: names of the order of choices, and numbers with a suffix."""
    found = {
        fold_text(f"{word}{suffix}", pack): int(value)
        for value, words in pack.numbers.words.items()
        if value.isdecimal()
        for word in words
        for suffix in pack.numbers.ordinal_suffixes
    }
    numbers = {fold_text(word, pack) for words in pack.numbers.words.values() for word in words}
    for place, names in enumerate(pack.choices.ordinals, 1):
        last = {fold_text(name.split()[-1], pack): place for name in names}  # of "ya kwanza"
        found |= {word: place for word, place in last.items() if word not in numbers}
    return {word: place for word, place in found.items() if word not in numbers}


class _Reader:
    """Numbers and the words between them, joined step by step to what they say together."""

    def __init__(self, text: str, pack: Pack) -> None:
        self.pack, self.text = pack, text
        signs = text.translate(normalise_signs(pack))
        written = [*filter(None, map(written_date, _DATE.finditer(signs)))]
        written += [
            day_time(Value(int(found[1]) + Fraction(int(found[2]), 60), *found.span(), "clock", kind="clock"))
            for found in _TIME.finditer(signs)
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
        denials = {name_pieces(word, pack) for word in pack.phrases.denials}
        values = [
            value
            for value in values
            if not (
                value.ambiguous
                and len(values) > 1
                and name_pieces(text[value.start : value.end], pack) in denials
            )
        ]
        spans = [(value.start, value.end) for value in values]
        words = [
            token
            for token in tokenise(text, pack)
            if not any(start < token.end and token.start < end for start, end in spans)
        ]
        self.elements: list[Element] = sorted([*values, *words], key=lambda element: element.start)

    def word(self, place: int) -> str:
        """Return the folded word or sign at a place, "" for a value and beyond the ends."""
        if not 0 <= place < len(self.elements) or isinstance(self.elements[place], Value):
            return ""
        element = self.elements[place]
        return fold_text(self.text[element.start : element.end], self.pack) or "\n"

    def number(self, place: int) -> Value | None:
        element = self.elements[place] if 0 <= place < len(self.elements) else None
        return element if isinstance(element, Value) else None

    def phrase(self, place: int, words: tuple[str, ...], back: bool = False) -> int:
        """Return how many elements from `place` on, or back to it, are one of these phrases; 0 if none is."""
        for pieces in _phrases(words, self.pack):
            start = place - len(pieces) + 1 if back else place
            if all(self.word(start + ahead) == piece for ahead, piece in enumerate(pieces)):
                return len(pieces)
        return 0

    def put(self, start: int, stop: int, value: Value) -> None:
        first, last = self.elements[start], self.elements[stop - 1]
        self.elements[start:stop] = [replace(value, start=first.start, end=last.end)]

    def read_ordinals(self) -> None:
        """Find ordinals, and percent words that stand before their number."""
        percents = tuple(word for word in self.pack.numbers.percents if word[0].isalpha())
        for place in range(len(self.elements) - 1, -1, -1):
            value, number = self.number(place), _ordinals(self.pack).get(self.word(place))
            if (
                value
                and value.kind == "number"
                and self.phrase(place + 1, self.pack.numbers.ordinal_suffixes)
            ):
                self.put(place, place + 2, replace(value, kind="ordinal"))
            elif number:
                self.put(place, place + 1, Value(Fraction(number), 0, 0, digits=False, kind="ordinal"))
            elif (
                value
                and not value.unit
                and not value.percent
                and (before := self.phrase(place - 1, percents, True))
            ):
                self.put(place - before, place + 1, replace(value, percent=True))

    def read_dates(self) -> None:
        dates = self.pack.dates
        place = 0
        while place < len(self.elements):
            month = next((n for n, names in enumerate(dates.months, 1) if self.phrase(place, names)), 0)
            first, stop = (
                place,
                place + max(self.phrase(place, dates.months[month - 1]) - 1, 0) if month else place,
            )
            day: Fraction | str = ""
            year: Fraction | str = ""
            for step in (-1, -1, 1, 1) if month else ():
                at = first - 1 if step < 0 else stop + 1
                while self.phrase(at, dates.fillers) and abs(at - place) < 4:
                    at += step
                value = self.number(at)
                if value is None or value.unit or value.percent or value.value.denominator > 1:
                    continue
                if not day and 1 <= value.value <= 31:
                    day = value.value
                elif not year and value.value >= 100:
                    year = value.value
                else:
                    continue
                first, stop = min(first, at), max(stop, at)
            if month and (day or year):
                stop += self.phrase(stop + 1, ("ء", "ع", "م"))
                parts = (year, Fraction(month), day)
                self.put(first, stop + 1, Value(Fraction(0), 0, 0, kind="date", parts=parts))
                place = first
            place += 1

    def read_clocks(self) -> None:
        clock = self.pack.clock
        for place in range(len(self.elements) - 1, -1, -1):
            value = self.number(place)
            if value is None or value.percent or value.value > 24 or value.unit == "hour_clock":
                continue
            said = self.text[value.start : value.end]
            spoken = clock.by_unit and (value.unit == "hour" or self._unit(place - 1) == "hour")
            taken = self.phrase(place + 1, clock.marks)
            weak = self.phrase(place + 1, clock.weak_marks)
            sure = taken or (not value.digits and said.endswith(clock.marks))
            mark = sure or weak or (not value.digits and said.endswith(clock.weak_marks))
            if value.kind not in ("number", "clock") and not sure:
                continue
            stop = place + 1 + (taken or weak)
            minutes = self.number(stop)
            hours = value.value
            if spoken and (joiner := self.phrase(stop, self.pack.numbers.joiners)):
                minutes, stop = self.number(stop + joiner), stop + joiner
            if minutes and minutes.unit == "minute" and (mark or spoken):
                sure = sure or not spoken
                hours, stop = hours + minutes.value / 60, stop + 1
            elif spoken:
                stop = place + 1
            if mark and regex.fullmatch(r"\d+\.[0-5]\d", said.translate(normalise_signs(self.pack))):
                hours = int(hours) + hours % 1 * 100 / 60
            first = place - (value.unit != "hour" and spoken)
            before = stop
            start, stop, part = self._part_of_day(first, stop)
            beside = mark or spoken or stop == before + 1
            if (value.unit and value.kind != "clock" and not spoken) or not (
                value.kind == "clock" or sure or (part and beside)
            ):
                continue
            unit = "hour_clock" if spoken else "clock"
            given = replace(
                value, value=hours, unit=unit, kind="clock", parts=(part,) if part else value.parts
            )
            self.put(start, stop, day_time(given))

    def _part_of_day(self, start: int, stop: int) -> tuple[int, int, str]:
        """Look for a part of the day beside a time; return what it takes in."""
        fillers = self.pack.clock.fillers
        for name, words in self.pack.clock.parts.items():
            for gap in range(3):
                if all(self.phrase(start - 1 - one, fillers) for one in range(gap)) and (
                    taken := self.phrase(start - 1 - gap, words, back=True)
                ):
                    return start - gap - taken, stop, name
                if all(self.phrase(stop + one, fillers) for one in range(gap)) and (
                    taken := self.phrase(stop + gap, words)
                ):
                    return start, stop + gap + taken, name
        return start, stop, ""

    def read_rates(self) -> None:
        numbers = self.pack.numbers
        for place in range(len(self.elements) - 1, -1, -1):
            value = self.number(place)
            if value is None or not value.unit or value.kind != "number":
                continue
            after, before = self.phrase(place + 1, numbers.per), self._unit(place - 1)
            if after and (unit := self._unit(place + 1 + after)):
                self.put(place, place + 2 + after, replace(value, unit=f"{value.unit} per {unit}"))
            elif before and (per := self.phrase(place - 2, numbers.per, back=True)):
                self.put(place - 1 - per, place + 1, replace(value, unit=f"{value.unit} per {before}"))
            elif before and self.phrase(place - 1, numbers.rates):
                self.put(place - 1, place + 1, replace(value, unit=f"{value.unit} per {before}"))

    def _unit(self, place: int) -> str:
        element = self.elements[place] if 0 <= place < len(self.elements) else None
        return element.text if isinstance(element, NumberToken) and element.kind == "unit" else ""

    def join_measures(self) -> None:
        joining = (*self.pack.phrases.conjunctions, *self.pack.numbers.joiners, ",")
        for place in range(len(self.elements) - 1, -1, -1):
            one = self.number(place)
            gap = self.phrase(place + 1, joining)
            other = self.number(place + 1 + gap)
            if one is None or other is None or one.unit not in SIZES or other.unit not in SIZES:
                continue
            (kind, large), (same, small) = SIZES[one.unit], SIZES[other.unit]
            if kind == same and other.value * small < large:
                total = replace(
                    one, value=one.value + other.value * small / large, digits=one.digits or other.digits
                )
                self.put(place, place + 2 + gap, total)

    def join_ranges(self) -> None:
        for place in range(len(self.elements) - 1, -1, -1):
            one = self.number(place)
            to = self.phrase(place + 1, (*self.pack.numbers.ranges, "-", "–", "—"))
            either = self.phrase(place + 1, self.pack.phrases.alternatives)
            both = self.phrase(place + 1, self.pack.phrases.conjunctions)
            other = self.number(place + 1 + (to or either or both))
            if one is None or other is None or not is_same_unit(one.unit, other.unit):
                continue
            stop = place + 2 + (to or either or both)
            between = both and self.phrase(stop, self.pack.numbers.between)
            if either or ((to or between) and one.value < other.value and self.word(stop) != "="):
                kind: Kind = "either" if either else "range"
                parts = (one.value, other.value)
                self.put(place, stop + between, replace(other, kind=kind, parts=parts))
            elif both:
                self.elements[stop - 1] = replace(other, flag="joined")

    def set_flags(self) -> None:
        """Find which number a denial or a bound belongs to: the nearer one of the same clause."""
        phrases = self.pack.phrases
        denials = phrases.denials or phrases.negations
        for words, flag in ((denials, "denied"), (phrases.bounds, "bounded")):
            place = 0
            while place < len(self.elements):
                taken = self.phrase(place, words)
                abbreviated = taken and _ABBREVIATION.match(self.text, self.elements[place].end)  # No.5
                if (
                    taken
                    and not abbreviated
                    and (at := self._nearest(place, place + taken, flag)) is not None
                ):
                    value = self.number(at)
                    assert value is not None
                    self.elements[at] = replace(value, flag=flag)  # type: ignore[arg-type]
                place += taken or 1

    def _nearest(self, start: int, stop: int, flag: str) -> int | None:
        reach = 2 if flag == "bounded" else 8
        ends = (*self.pack.phrases.conjunctions,)
        left, right = start - 1, stop
        while left >= 0 and not self.number(left) and self.word(left) not in (_BOUNDARY | {*ends}):
            left -= 1
        while right < len(self.elements) and not self.number(right) and self.word(right) not in _BOUNDARY:
            right += 1
        found = {
            at: gap
            for at, gap in ((left, start - left), (right, right - stop + 1))
            if self.number(at) and gap <= reach
        }
        first = self.pack.phrases.negation_precedes
        return min(found, key=lambda at: (found[at], (at < start) == first), default=None)
