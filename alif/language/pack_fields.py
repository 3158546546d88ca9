"""Types of the values in a pack's tables, each checked when it is read.

Characters may be written as themselves or by Unicode number ("U+064B", "U+064B..U+0652"); blanks are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated

import regex
from pydantic import AfterValidator, BeforeValidator, Field

__all__ = [
    "CharacterMap",
    "Characters",
    "DigitSystems",
    "NumberNames",
    "NumberShapes",
    "Patterns",
    "ScriptName",
    "Spellings",
]

_GROUP = re.compile(r"\\(\d)")
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:[./][0-9]{1,40})?")
_RANGE = re.compile(r"U\+([0-9A-F]{4,6})(?:\.\.U\+([0-9A-F]{4,6}))?")


def read_characters(value: str | list[str]) -> str:
    """Read `"ab"`, `"a b"`, `"U+064B..U+0652"` or a list of these as a string of distinct characters."""
    found: list[str] = []
    for part in [value] if isinstance(value, str) else value:
        for piece in part.split():
            if named := _RANGE.fullmatch(piece):
                found += map(chr, range(int(named[1], 16), int(named[2] or named[1], 16) + 1))
            elif piece.startswith("U+"):
                raise ValueError(f"{piece} is not a code point or range such as U+064B..U+0652")
            else:
                found += piece
    if len(set(found)) < len(found):
        twice = next(char for char in found if found.count(char) > 1)
        raise ValueError(f"{twice} (U+{ord(twice):04X}) is listed twice")
    return "".join(found)


def check_script(name: str) -> str:
    try:
        regex.compile(rf"\p{{Script={name}}}")
    except regex.error as error:
        raise ValueError(f"{name} is not the name of a Unicode script") from error
    return name


def check_letter_map(table: Mapping[str, str]) -> Mapping[str, str]:
    for wrong, right in table.items():
        if len(wrong) != 1 or len(right) != 1:
            raise ValueError(f'"{wrong}" = "{right}": one letter on each side is needed')
        if right in table:
            raise ValueError(f'"{wrong}" = "{right}": {right} is itself to be replaced')
    return table


def check_digits(systems: tuple[str, ...]) -> tuple[str, ...]:
    for system in systems:
        if [unicodedata.decimal(char, None) for char in system] != list(range(10)):
            raise ValueError(f"{system} are not the ten digits from zero to nine")
    return systems


def check_numbers(table: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    for value in table:
        try:
            if not _NUMBER.fullmatch(value):  # Fraction("1e999999999") computes for hours
                raise ValueError(value)
            Fraction(value)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f'"{value[:40]}" is not a number such as 25, 0.5 or 3/4') from error
    return table


def check_patterns(table: Mapping[str, str]) -> Mapping[str, str]:
    for pattern, replacement in table.items():
        rule = f"'{pattern}' = '{replacement}'"
        try:
            groups = regex.compile(pattern).groups
        except regex.error as error:
            raise ValueError(f"{rule} is no regular expression ({error})") from error
        if max(map(int, _GROUP.findall(replacement)), default=0) > groups:
            raise ValueError(f"{rule}: the replacement names a group that the pattern has not")
    return table


Characters = Annotated[str, BeforeValidator(read_characters)]
ScriptName = Annotated[str, AfterValidator(check_script)]
"""Unicode's name of a script: Arabic, Bengali, Latin."""
DigitSystems = Annotated[tuple[str, ...], AfterValidator(check_digits)]
CharacterMap = Annotated[Mapping[str, str], AfterValidator(check_letter_map)]
Spellings = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
"""One way to write something, or several."""
NumberNames = Annotated[Mapping[str, Spellings], AfterValidator(check_numbers)]
"""Number (25, 0.5, 3/4) → the ways to say it."""
Patterns = Annotated[Mapping[str, str], AfterValidator(check_patterns)]  # regular expression → replacement
NumberShapes = tuple[Annotated[str, Field(pattern=r"^[#/ -]*#{3}[#/ -]*$")], ...]  # "#" is a digit
