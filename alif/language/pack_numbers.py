"""The tables of a language pack on numbers, dates and times: one class a table, one field a key."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from alif.language.pack_fields import Characters, DigitSystems, NumberNames, Spellings
from alif.records import FrozenModel

__all__ = ["Clock", "Dates", "Numbers"]

Phrasings = tuple[str, ...]


class Numbers(FrozenModel):
    """How numbers and sums are written."""

    digits: DigitSystems  # ten digits of each system, from zero: 0123456789
    decimal: Characters  # marks before decimals
    decimal_inside: Characters = ""  # marks that are decimal points only between two digits
    group: Characters  # marks between groups of digits
    minus: Characters = "-"  # signs for minus
    times: Characters = "*"  # signs for times
    divide: Characters = "/"  # signs for division
    percent: Characters = "%"  # signs for per cent
    remainder: Phrasings = ()
    """Words after a quotient that say that something is left over."""
    operators: Phrasings = ()
    """Words that stand for an operator: a sum that follows one is not recomputed."""
    of: Phrasings = ()
    """Words between a number and a percentage that is taken of it, whichever comes first: 20 % of 500."""
    words: NumberNames = Field(default_factory=dict)
    """Number → its words in all their spellings."""
    parts: NumberNames = Field(default_factory=dict)
    """Fraction → the words that take so much of the number before them: two thirds; alone, of one."""
    classifiers: Phrasings = ()
    """Ends of a number in words before what it counts: টি."""
    scales: NumberNames = Field(default_factory=dict)
    """Power → its words: hundred, thousand, lakh."""
    before: NumberNames = Field(default_factory=dict)
    """What a word adds to the number after it, or to one where a scale follows: quarter to, half past."""
    behind: NumberNames = Field(default_factory=dict)
    """What a word adds to the number before it: less a quarter."""
    ambiguous: Phrasings = ()
    """Words that mostly mean something else; numbers only where nothing else in the text is one."""
    dependent: Phrasings = ()
    """Scales and parts that are numbers only behind a number: score, and in Urdu the Nile."""
    point: Phrasings = ()
    """Words between the whole and the digits after it: point."""
    over: Phrasings = ()
    """Words between numerator and denominator."""
    negative: Phrasings = ()
    """Words for the sign before a negative number."""
    percents: Phrasings = ()
    """Words that count as the percent sign."""
    joiners: Phrasings = ()
    """Words between the parts of one number: and."""
    pairs: bool = False  # whether tens and ones are two words: twenty-five
    joined: bool = False  # whether a number and the scale behind it may be one word: fivehundred
    scale_first: bool = False  # whether the scale comes before what it multiplies: elfu tano
    whole: Phrasings = ()
    """Words between the whole and the fraction behind it: 2 and 1/2."""
    ordinal_suffixes: Phrasings = ()
    """What makes a number an ordinal, behind digits or at the end of its word: th."""
    ranges: Phrasings = ()
    """Words between the ends of a range: 5 to 10."""
    between: Phrasings = ()
    """Words before or behind two numbers that make them the ends of a range: between 5 and 10."""
    per: Phrasings = ()
    """Words and signs before the second unit of a rate: per."""
    rates: Phrasings = ()
    """Names of units that alone say "per" it, before an amount: hourly 60 kilometres."""
    units: Mapping[str, Spellings] = Field(default_factory=dict)
    """Unit → its names. Answers with different units differ; a unit that one leaves out does not count."""


class Dates(FrozenModel):
    """How dates are written in words."""

    months: tuple[Spellings, ...] = ()
    """Names of the twelve months, in order; those of other calendars follow."""
    fillers: Phrasings = ()
    """Words and marks that may stand between day, month and year."""


class Clock(FrozenModel):
    """How clock times are said."""

    marks: Phrasings = ()
    """Words behind an hour: o'clock."""
    weak_marks: Phrasings = ()
    """Those that mean it only beside a part of the day."""
    minutes_to: Phrasings = ()
    """Words between an hour and the minutes that it lacks: ten o'clock in ten minutes."""
    by_unit: bool = False  # whether the word for hour stands before the time
    offset_hours: int = Field(0, ge=0, lt=12)
    """Hours from a time so said to the one on the clock: in Swahili the first hour of the day is seven."""
    fillers: Phrasings = ()
    """Words between the time and the part of the day: in the."""
    parts: Mapping[str, Spellings] = Field(default_factory=dict)
    """Part of the day → its words. The names am, pm and night (pm till midnight) say which half it is."""
