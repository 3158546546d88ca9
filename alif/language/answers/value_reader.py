"""Find what the numbers of a text say: the words between them are the pack's."""

from __future__ import annotations

import functools
from dataclasses import replace
from fractions import Fraction

import regex

from alif.language.answers.elements import Elements
from alif.language.answers.number_tokens import WORD, fold_word, has_number, plain_signs
from alif.language.answers.values import SIZES, Flag, Kind, Value, day_time, is_same_unit
from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["CACHED_ANSWERS", "find_values"]

CACHED_ANSWERS = 4096
"""Texts of which values and words are kept: references and accepted forms of a test set are read for every
system."""
_ABBREVIATION = regex.compile(r"\.\s?\p{Nd}")
_BOUNDARY = frozenset("،,;؛۔.।:!?؟()[]\n")


@functools.lru_cache(maxsize=CACHED_ANSWERS)
def find_values(text: str, pack: Pack) -> tuple[Value, ...]:
    """Return what the numbers of a text say, in order."""
    if not has_number(text, pack) and _ordinals(pack).keys().isdisjoint(
        fold_word(word, pack) for word in WORD.findall(text)
    ):
        return ()
    reader = _Reader(text, pack)
    reader.read_ordinals()
    if not any(isinstance(element, Value) for element in reader.elements):
        return ()  # all that follows joins numbers
    for read in (reader.read_dates, reader.read_clocks, reader.read_rates):
        read()
    reader.join_measures()
    reader.join_ranges()
    reader.set_flags()
    return tuple(element for element in reader.elements if isinstance(element, Value))


@functools.lru_cache
def _ordinals(pack: Pack) -> dict[str, int]:
    """Return folded ordinal → its number: names of the order of choices, and numbers with a suffix."""
    found = {
        fold_text(f"{word}{suffix}", pack): int(value)
        for value, words in (*pack.numbers.words.items(), *pack.numbers.scales.items())
        if value.isdecimal()
        for word in words
        for suffix in pack.numbers.ordinal_suffixes
    }
    numbers = {fold_text(word, pack) for words in pack.numbers.words.values() for word in words}
    for place, names in enumerate(pack.choices.ordinals, 1):
        last = {fold_text(name.split()[-1], pack): place for name in names}  # of "ya kwanza"
        found |= {word: place for word, place in last.items() if word not in numbers}
    return {word: place for word, place in found.items() if word not in numbers}


class _Reader(Elements):
    """Numbers and the words between them, joined step by step to what they say together."""

    def read_ordinals(self) -> None:
        """Find ordinals, and percent words that stand before their number."""
        percents = tuple(word for word in self.pack.numbers.percents if word[0].isalpha())
        suffixes, ordinals = self.pack.numbers.ordinal_suffixes, _ordinals(self.pack)
        for place in range(len(self.elements) - 1, -1, -1):
            value, number = self.number(place), ordinals.get(self.words[place])
            if value and value.kind == "number" and self.phrase(place + 1, suffixes):
                self.put(place, place + 2, replace(value, kind="ordinal"))
            elif number and (added := self.before(place - 1)):  # half past seven, inflected: ساڍي ستين
                self.put(place - 1, place + 1, Value(number + added, 0, 0, digits=False))
            elif number:
                self.put(place, place + 1, Value(Fraction(number), 0, 0, digits=False, kind="ordinal"))
            elif value and not value.unit and (before := self.phrase(place - 1, percents, back=True)):
                self.put(place - before, place + 1, replace(value, percent=True))

    def read_dates(self) -> None:
        dates = self.pack.dates
        every = tuple(name for names in dates.months for name in names)
        if self.lacks(every):
            return
        place = 0
        while place < len(self.elements):
            named = self.phrase(place, every)
            months = enumerate(dates.months if named else (), 1)
            month = next((n for n, names in months if self.phrase(place, names) == named), 0)
            first, stop = place, place + max(named - 1, 0)
            day: Fraction | str = ""
            year: Fraction | str = ""
            for step in (-1, -1, 1, 1) if month else ():
                at = first - 1 if step < 0 else stop + 1
                while self.phrase(at, dates.fillers) and abs(at - place) < 4:
                    at += step
                value = self.number(at)
                dated = value is not None and value.unit in ("", "day", "month", "year")  # mwaka 1964
                if value is None or not dated or value.percent or value.value.denominator > 1:
                    continue
                if not day and 1 <= value.value <= 31:
                    day = value.value
                elif not year and value.value >= 100:
                    year = value.value
                else:
                    continue
                first, stop = min(first, at), max(stop, at)
            if month and (day or year):
                parts = (year, Fraction(month), day)
                self.put(first, stop + 1, Value(Fraction(0), 0, 0, kind="date", parts=parts))
                place = first
            place += 1

    def read_clocks(self) -> None:
        clock = self.pack.clock
        for place, value in self.numbers_backwards():
            if value.percent or value.value > 24 or value.unit == "hour_clock":
                continue
            said = self.text[value.start : value.end]
            spoken = clock.by_unit and (value.unit == "hour" or self.unit(place - 1) == "hour")
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
            to = self.phrase(place + 1, clock.minutes_to)  # ten minutes to ten
            if to and (less := self.number(place + 1 + to)) and less.unit == "minute":
                sure, hours, stop = to, hours - less.value / 60, place + 2 + to
            if mark and regex.fullmatch(r"\d+\.[0-5]\d", plain_signs(said, self.pack)):
                hours = int(hours) + hours % 1 * 100 / 60
            if spoken and clock.offset_hours and hours < 13:
                hours = (hours + clock.offset_hours - 1) % 12 + 1
            first = place - (value.unit != "hour" and spoken)
            before = stop
            start, stop, part = self._part_of_day(first, stop)
            beside = mark or spoken or stop == before + 1
            if (value.unit and value.kind != "clock" and not spoken) or not (
                value.kind == "clock" or sure or (part and beside)
            ):
                if spoken and clock.offset_hours:  # hours, or a time of the day
                    self.elements[place] = replace(value, parts=(hours,))
                continue
            unit = "hour_clock" if spoken and not clock.offset_hours else "clock"
            given = replace(
                value, value=hours, unit=unit, kind="clock", parts=(part,) if part else value.parts
            )
            self.put(start, stop, day_time(given))

    def _part_of_day(self, start: int, stop: int) -> tuple[int, int, str]:
        """Look for a part of the day beside a time; return what it takes in."""
        fillers = self.pack.clock.fillers
        for name, words in self.pack.clock.parts.items():
            for gap in range(0 if self.lacks(words) else 3):
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
        for place, value in self.numbers_backwards():
            if not value.unit or value.kind != "number":
                continue
            after, before = self.phrase(place + 1, numbers.per), self.unit(place - 1)
            if after and (unit := self.unit(place + 1 + after)):
                self.put(place, place + 2 + after, replace(value, unit=f"{value.unit} per {unit}"))
            elif before and (per := self.phrase(place - 2, numbers.per, back=True)):
                self.put(place - 1 - per, place + 1, replace(value, unit=f"{value.unit} per {before}"))
            elif before and self.phrase(place - 1, numbers.rates):
                self.put(place - 1, place + 1, replace(value, unit=f"{value.unit} per {before}"))

    def join_measures(self) -> None:
        joining = (*self.pack.phrases.conjunctions, *self.pack.numbers.joiners, ",")
        for place, one in self.numbers_backwards():
            if one.unit not in SIZES:
                continue
            gap = self.phrase(place + 1, joining)
            other = self.number(place + 1 + gap)
            if other is None or other.unit not in SIZES:
                continue
            (kind, large), (same, small) = SIZES[one.unit], SIZES[other.unit]
            if kind == same and other.value * small < large:
                total = replace(
                    one, value=one.value + other.value * small / large, digits=one.digits or other.digits
                )
                self.put(place, place + 2 + gap, total)

    def join_ranges(self) -> None:
        for place, one in self.numbers_backwards():
            to = self.phrase(place + 1, (*self.pack.numbers.ranges, "-", "–", "—"))
            either = self.phrase(place + 1, self.pack.phrases.alternatives)
            both = self.phrase(place + 1, self.pack.phrases.conjunctions)
            other = self.number(place + 1 + (to or either or both))
            if other is None or not is_same_unit(one.unit, other.unit):
                continue
            stop = place + 2 + (to or either or both)
            between = both and self.phrase(stop, self.pack.numbers.between)
            before = both and self.phrase(place - 1, self.pack.numbers.between, back=True)
            spoken = stop == place + 2 and other.value - one.value == 1 and not (one.digits or other.digits)
            either = either or spoken  # "two three times"
            if either or ((to or between or before) and one.value < other.value and self.word(stop) != "="):
                kind: Kind = "either" if either else "range"
                both_ends = replace(
                    other, kind=kind, parts=(one.value, other.value), ambiguous=False,
                    unit=other.unit or one.unit, percent=one.percent or other.percent,
                )  # fmt: skip
                self.put(place - before, stop + between, both_ends)
            elif both:
                self.elements[stop - 1] = replace(other, flag="joined")

    def set_flags(self) -> None:
        """Find which number a denial or a bound belongs to: the nearer one of the same clause."""
        phrases = self.pack.phrases
        flags: dict[Flag, tuple[str, ...]] = {
            "denied": phrases.denials or phrases.negations,
            "bounded": phrases.bounds,
        }
        for flag, words in flags.items():
            place = len(self.elements) if self.lacks(words) else 0
            while place < len(self.elements):
                taken = self.phrase(place, words)
                abbreviated = taken and _ABBREVIATION.match(self.text, self.elements[place].end)  # No.5
                at = self._nearest(place, place + taken, flag) if taken and not abbreviated else -1
                if value := self.number(at):
                    self.elements[at] = replace(value, flag=flag)
                place += taken or 1

    def _nearest(self, start: int, stop: int, flag: Flag) -> int:
        """Return the place of the number that words from start to stop belong to, -1 where there is none."""
        reach = 2 if flag == "bounded" else 8
        ends = _BOUNDARY.union(self.pack.phrases.conjunctions)
        left, right = start - 1, stop
        while left >= 0 and not self.number(left) and self.word(left) not in ends:
            left -= 1
        while right < len(self.elements) and not self.number(right) and self.word(right) not in _BOUNDARY:
            right += 1
        found = {
            at: gap
            for at, gap in ((left, start - left), (right, right - stop + 1))
            if self.number(at) and gap <= reach
        }
        first = self.pack.phrases.negation_precedes
        taken = {at for at in found if (value := self.number(at)) and value.flag == flag}  # neither 5 nor 6
        return min(found, key=lambda at: (found[at], at in taken, (at < start) == first), default=-1)
