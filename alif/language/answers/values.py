"""What the numbers of an answer say: dates, clock times, rates, measures, ordinals, ranges.

    "14 اگست 1947", "14/8/1947"              one date         "صبح 8 بجے" ("8 in the morning")    08:00
    "60 کلومیٹر فی گھنٹہ" ("60 km an hour")   a rate           "1 گھنٹہ 30 منٹ" ("1 h 30 min")      3/2 hours
    "5 سے 10" ("5 to 10")                    a range          "42 نہیں" ("not 42")                 denied

Every word is the pack's; the sizes of units are the same in every language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import regex

__all__ = ["SIZES", "Flag", "Kind", "Value", "day_time", "is_same_unit", "is_same_value", "written_date"]

_MEASURES: dict[str, dict[str, int | str]] = {
    "metre": {"kilometre": 1000, "metre": 1, "centimetre": "1/100", "millimetre": "1/1000"},
    "foot": {"foot": 1, "inch": "1/12"},
    "kilogram": {"tonne": 1000, "kilogram": 1, "quarter_kilogram": "1/4", "gram": "1/1000"},
    "litre": {"litre": 1, "millilitre": "1/1000"},
    "hour": {"week": 168, "day": 24, "hour": 1, "minute": "1/60", "second": "1/3600"},
    "year": {"year": 1, "month": "1/12"},
    "rupee": {"rupee": 1, "paisa": "1/100"},
    "taka": {"taka": 1, "poisha": "1/100"},
    "shilling": {"shilling": 1, "cent": "1/100"},
}
_MATTER = frozenset(["metre", "foot", "kilogram", "litre", "hour", "year"])  # an amount of it is no rate
SIZES = {unit: (main, Fraction(size)) for main, sizes in _MEASURES.items() for unit, size in sizes.items()}
"""Unit → (the main unit of its kind, its size in that one)."""

Kind = Literal["number", "date", "clock", "ordinal", "range", "either"]
Flag = Literal["", "denied", "bounded", "joined"]


@dataclass(frozen=True)
class Value:
    """A number of an answer, or a date, a time or a range of numbers."""

    value: Fraction
    start: int
    end: int
    unit: str = ""
    percent: bool = False
    digits: bool = True
    ambiguous: bool = False  # a single word that mostly means something else
    kind: Kind = "number"
    parts: tuple[Fraction | str, ...] = ()
    """Of a date year, month and day, "" where it is not said; of a range its ends; of a time its part of the
    day, "24" where that is in the hours; of a number that may be a time its hour on the clock."""
    flag: Flag = ""
    """Whether it is denied, only a bound ("more than 5"), or the last of several ("3 and 5")."""

    @property
    def tokens(self) -> list[str]:
        """What is compared: "#1200", "%", "@rupee"."""
        kind, size = SIZES.get(self.unit, (self.unit, Fraction(1)))
        between = {"date": "/", "range": "-", "either": "|"}.get(self.kind, "")
        numbers = self.parts if between else (self.value * size,)
        words = ["#" + between.join(map(str, numbers))]
        marks = [f"@{kind}"] if self.unit else []
        marks += [f"@{part}" for part in self.parts] if self.kind == "clock" else []
        return words + ["%"] * self.percent + marks + ["@ordinal"] * (self.kind == "ordinal")


def is_same_unit(one: str, other: str) -> bool:
    """Tell whether two units do not differ: one is missing, or is the other left open ("degrees")."""
    return not one or not other or one == other or one.startswith(f"{other}_") or other.startswith(f"{one}_")


def _comparable_units(one: str, other: str) -> tuple[str, str]:
    """Return two units; the price of one is also a price: 50 rupees per kilogram, 50 rupees."""
    if (" per " in one) != (" per " in other):
        bases = one.partition(" per ")[0], other.partition(" per ")[0]
        if bases[0] == bases[1] and SIZES.get(bases[0], ("",))[0] not in _MATTER:
            return bases
    return one, other


def is_same_value(given: Value, right: Value) -> bool:
    """Tell whether an answer's value is the right one; what the right one leaves open may be anything."""
    if given.flag and given.flag != right.flag:
        return False
    kinds = {given.kind, right.kind}
    if "date" in kinds:
        year = given.kind == "date" and right.kind == "number" and given.parts[0] == right.value
        return year or (len(kinds) == 1 and all(map(_is_said, right.parts, given.parts)))
    if kinds & {"range", "either"}:
        ends = [sorted(map(str, value.parts)) for value in (given, right)]
        loose = kinds == {"range", "either"} and abs(Fraction(ends[1][0]) - Fraction(ends[1][1])) == 1
        same = (len(kinds) == 1 or loose) and ends[0] == ends[1]  # "2 or 3" is also "2 to 3"
        return same and is_same_unit(given.unit, right.unit) and given.percent == right.percent
    if "clock" in kinds:
        given, right = (
            replace(one, value=Fraction(one.parts[0]), unit="clock", parts=())
            if one.kind == "number" and one.parts
            else one
            for one in (given, right)
        )
    if "clock" in kinds and is_same_unit(given.unit, right.unit):
        sure = bool(given.parts and right.parts)
        hours = (given.value, right.value) if sure else (given.value % 12, right.value % 12)
        return hours[0] == hours[1] and (not sure or given.parts == right.parts)
    if "ordinal" in kinds and (given if right.kind == "ordinal" else right).unit:
        return False  # "the third" is not 3 years
    return _is_same_amount(given, right)


def _is_said(wanted: Fraction | str, given: Fraction | str) -> bool:
    return wanted in ("", given)


def _is_same_amount(given: Value, right: Value) -> bool:
    units = _comparable_units(given.unit, right.unit)
    sizes = SIZES.get(units[0]), SIZES.get(units[1])
    if sizes[0] and sizes[1] and sizes[0][0] == sizes[1][0]:
        return _is_near(given.value * sizes[0][1], right.value * sizes[1][1])
    if not is_same_unit(*units) or (given.percent and right.unit) or (right.percent and given.unit):
        return False
    values = [given.value, right.value]
    if given.percent != right.percent and given.value != right.value:  # 0.25 is 25 %
        values[right.percent] *= Fraction(1, 100)
    return _is_near(*values)


def _is_near(*values: Fraction) -> bool:
    plain = any(10**places % value.denominator == 0 for value in values for places in (2, 3, 4))
    endless = any(100000 % value.denominator for value in values)
    gap = abs(values[0] - values[1])
    return gap == 0 or (plain and endless and gap < Fraction(1, 100))  # 0.67 is two thirds


def written_date(found: regex.Match[str]) -> Value | None:
    """Return the date of three numbers, day before month, or None where they are none."""
    one, month, last = int(found[1]), int(found[3]), int(found[4])
    day, year = (last, one) if len(found[1]) > 2 else (one, last)
    if month > 12 >= day:
        day, month = month, day
    if not (1 <= day <= 31 and 1 <= month <= 12) or len(str(year)) == 3:
        return None
    year += 0 if year >= 100 else 2000 if year < 50 else 1900
    return Value(
        Fraction(0), *found.span(), kind="date", parts=(Fraction(year), Fraction(month), Fraction(day))
    )


def day_time(value: Value) -> Value:
    """Return a time with its hours from 0 to 24, where the part of the day says which half it is."""
    part = value.parts[0] if value.parts else ""
    hours = value.value
    if hours >= 13 or hours < 1:
        return replace(value, value=hours % 24, parts=("24",))
    if part == "night":
        part = "pm" if 5 <= hours < 12 else "am"
    if part in ("am", "pm"):
        return replace(value, value=hours % 12 + 12 * (part == "pm"), parts=("24",))
    return value
