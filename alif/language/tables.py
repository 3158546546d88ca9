"""The tables of a language pack's files, as a linguist fills them in: one class a table, one field a key.

Characters may be written as themselves or by Unicode number ("U+064B", "U+064B..U+0652"); spaces between them do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from alif.records import Table

__all__ = ["Clean", "Compare", "Headings", "Numbers", "PackFile", "Phrases", "Quoted", "Script", "Sentences", "TaskFile"]

_RANGE = re.compile(r"U\+([0-9A-F]{4,6})(?:\.\.U\+([0-9A-F]{4,6}))?")


def _characters(value: Any) -> str:
    """Read `"ab"`, `"a b"`, `"U+064B..U+0652"` or a list of these as a string of distinct characters."""
    found: list[str] = []
    for part in [value] if isinstance(value, str) else value:
        for piece in part.split():
            named = _RANGE.fullmatch(piece)
            if named:
                first, last = int(named[1], 16), int(named[2] or named[1], 16)
                found += map(chr, range(first, last + 1))
            elif piece.startswith("U+"):
                raise ValueError(f"{piece} is not a code point or range such as U+064B..U+0652")
            else:
                found += piece
    if len(set(found)) < len(found):
        twice = next(char for char in found if found.count(char) > 1)
        raise ValueError(f"{twice} (U+{ord(twice):04X}) stands twice")
    return "".join(found)


def _script(name: str) -> str:
    try:
        regex.compile(rf"\p{{Script={name}}}")
    except regex.error as error:
        raise ValueError(f"{name} is not the name of a Unicode script") from error
    return name


def _single_letters(table: Mapping[str, str]) -> Mapping[str, str]:
    for wrong, right in table.items():
        if len(wrong) != 1 or len(right) != 1:
            raise ValueError(f'"{wrong}" = "{right}": one letter on each side is needed')
        if right in table:
            raise ValueError(f'"{wrong}" = "{right}": {right} is itself to be replaced')
    return table


def _digits(systems: tuple[str, ...]) -> tuple[str, ...]:
    for system in systems:
        if [unicodedata.decimal(char, None) for char in system] != list(range(10)):
            raise ValueError(f"{system} are not the ten digits from zero to nine")
    return systems


Characters = Annotated[str, BeforeValidator(_characters)]
Letters = Annotated[Mapping[str, str], AfterValidator(_single_letters)]


class Script(Table):
    """Which letters the language is written in."""

    name: Annotated[str, AfterValidator(_script)]
    """Unicode's name of the script: Arabic, Bengali, Latin."""
    letters: Characters
    """Every letter that a word of the language may hold."""
    telling: Characters = ""
    """Letters that the neighbours in the same script lack."""
    telling_share: float = Field(0.0, ge=0, le=1)
    """Least share of telling letters, of the letters in this script, that proves the language."""
    neighbours: tuple[str, ...] = ()
    """Languages that a reader could mistake it for (codes of py3langid)."""


class Clean(Table):
    """Repairs of encoding that are safe in training text: another way to write the same letter."""

    presentation_forms: Characters = ""
    """Letters in a fixed shape, as PDF files give them; each becomes its plain letter (NFKC)."""


class Compare(Table):
    """What makes no difference when two texts are compared. Never written back into a text."""

    letters: Letters = Field(default_factory=dict)
    """Letter → the letter that it counts as."""
    drop: Characters = ""
    """Characters that do not count: vowel marks, tatweel."""
    space: Characters = ""
    """Characters that count as a space."""
    compose: Mapping[str, str] = {}
    """Letter with a mark → the one letter that Unicode does not make of it."""


class Numbers(Table):
    """How numbers and sums are written."""

    digits: Annotated[tuple[str, ...], AfterValidator(_digits)]
    decimal: Characters
    group: Characters
    minus: Characters = "-"
    times: Characters = "*"
    divide: Characters = "/"
    percent: Characters = "%"
    remainder: tuple[str, ...] = ()
    """Words after a quotient that say that something is left over."""
    operators: tuple[str, ...] = ()
    """Words that stand for an operator: a sum that follows one is not recomputed."""


class Sentences(Table):
    """Where a sentence ends."""

    marks: Characters
    closers: Characters = ""
    """Quotes and brackets that may close after the mark."""


class Quoted(Table):
    """Stretches in a sister language that keep its letters: Arabic verses in an Urdu text."""

    letters: Characters = ""
    words: int = Field(3, ge=1)
    """A stretch between punctuation of at least so many words with these letters only is a quotation."""
    brackets: tuple[str, ...] = ()
    """Pairs of marks; whatever stands between them is a quotation."""
    phrases: tuple[str, ...] = ()


class Phrases(Table):
    """Phrases that filters look for, compared as words."""

    refusals: tuple[str, ...] = ()
    openings: tuple[str, ...] = ()
    """Empty openings of an assistant."""


class Headings(Table):
    """Labels at the start of a line that structure an answer."""

    answer: tuple[str, ...] = ()
    """After it stands the final answer."""
    other: tuple[str, ...] = ()
    """After it stands the working or the reason; it ends a final answer."""


class TaskFile(Table):
    """tasks/NAME.toml: what kind of instruction this is."""

    title: str
    native_title: str
    weight: int = Field(gt=0)
    """Its part of the accepted rows, relative to the other tasks'."""
    scope: Literal["instruction", "instruction+input"] = "instruction"
    """What the pool compares."""
    answer: Literal["own", "known", "either"] = "own"
    """Language of the answer: the pack's, the known one, or whichever is asked for."""
    metric: Literal["exact", "chrf"] = "chrf"
    """How an answer is scored against a reference."""
    labels: tuple[str, ...] = ()
    """The only right answers, where they are fixed."""
    carriers: tuple[str, ...] = ()
    """Translation: requests to translate the known language's `input`, which turn a pair of sentences into an exercise."""
    headings: Headings = Headings()


class PackFile(Table):
    """pack.toml."""

    code: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """BCP 47."""
    name: str
    native_name: str
    direction: Literal["rtl", "ltr"]
    tasks: tuple[str, ...] = ()
    """Names of the tasks, in the order of requests and reports."""
    script: Script
    clean: Clean = Clean()
    compare: Compare = Compare()
    numbers: Numbers
    sentences: Sentences
    lookalikes: Letters = Field(default_factory=dict)
    """Wrong letter → right letter: they look alike in print."""
    quoted: Quoted = Quoted()
    phrases: Phrases = Phrases()
