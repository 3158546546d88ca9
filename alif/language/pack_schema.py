"""The tables of a language pack's files, as a linguist fills them in: one class a table, one field a key.

Characters may be written as themselves or by Unicode number ("U+064B", "U+064B..U+0652"); spaces between them do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

import regex
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alif.records import FrozenModel

__all__ = [
    "Choices",
    "Clean",
    "Compare",
    "Headings",
    "Into",
    "Keys",
    "Numbers",
    "PackFile",
    "Phrases",
    "Quoted",
    "Roman",
    "Script",
    "Sentences",
    "TaskFile",
]

_GROUP = re.compile(r"\\(\d)")
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:[./][0-9]{1,40})?")
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


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _values(table: Mapping[str, Any]) -> Mapping[str, Any]:
    for value in table:
        try:
            if not _NUMBER.fullmatch(value):  # Fraction("1e999999999") computes for hours
                raise ValueError(value)
            Fraction(value)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f'"{value[:40]}" is not a number such as 25, 0.5 or 3/4') from error
    return table


def _patterns(table: Mapping[str, str]) -> Mapping[str, str]:
    for pattern, replacement in table.items():
        try:
            if max(map(int, _GROUP.findall(replacement)), default=0) > regex.compile(pattern).groups:
                raise ValueError(
                    f"'{pattern}' = '{replacement}': the replacement names a group that the pattern has not"
                )
        except regex.error as error:
            raise ValueError(f"'{pattern}' = '{replacement}' is no regular expression ({error})") from error
    return table


Characters = Annotated[str, BeforeValidator(_characters)]
Letters = Annotated[Mapping[str, str], AfterValidator(_single_letters)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""One way to write something, or several."""
Values = Annotated[Mapping[str, Names], AfterValidator(_values)]
"""Number (25, 0.5, 3/4) → the ways to say it."""
Patterns = Annotated[Mapping[str, str], AfterValidator(_patterns)]


class Script(FrozenModel):
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
    words: tuple[str, ...] = ()
    """Words that stand in nearly every text of this language and in none of its neighbours: its little words."""
    words_share: float = Field(0.0, ge=0, le=1)
    """Least share of these words in a sentence of this language."""


class Roman(FrozenModel):
    """The language in another script, as people type it where no keyboard has theirs."""

    code: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)+$")
    """BCP 47 with the script: ur-Latn."""
    script: Annotated[str, AfterValidator(_script)] = "Latin"
    """Unicode's name of that script."""
    words: tuple[str, ...]
    """Little words in all their spellings, without those that the known language and others in that script have."""
    words_share: float = Field(gt=0, le=1)
    """Least share of these words in a sentence."""


class Clean(FrozenModel):
    """Repairs of encoding that are safe in training text: another way to write the same letter."""

    presentation_forms: Characters = ""
    """Letters in a fixed shape, as PDF files give them; each becomes its plain letter (NFKC)."""


class Compare(FrozenModel):
    """What makes no difference when two texts are compared. Never written back into a text."""

    letters: Letters = Field(default_factory=dict)
    """Letter → the letter that it counts as."""
    drop: Characters = ""
    """Characters that do not count: vowel marks, tatweel."""
    space: Characters = ""
    """Characters that count as a space."""
    compose: Mapping[str, str] = {}
    """Letter with a mark → the one letter that Unicode does not make of it."""
    spellings: Patterns = Field(default_factory=dict)
    """Whole words, as a regular expression → how they count in answers: words written together or apart."""


class Numbers(FrozenModel):
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
    of: tuple[str, ...] = ()
    """Words between a number and a percentage that is taken of it, whichever stands first: 20 % of 500."""
    words: Values = Field(default_factory=dict)
    """Number → its words in all their spellings. With a number before it, a part is taken that often: three quarters."""
    parts: Values = Field(default_factory=dict)
    """Fraction → the words that take so much of the number before them: two thirds; alone, of one."""
    scales: Values = Field(default_factory=dict)
    """Power → its words: hundred, thousand, lakh."""
    before: Values = Field(default_factory=dict)
    """What a word adds to the number after it, or to one where a scale follows: quarter to, half past."""
    weak: tuple[str, ...] = ()
    """Words for numbers that mostly mean something else; they are read as numbers where nothing else is one."""
    point: tuple[str, ...] = ()
    """Words between the whole and the digits after it: point."""
    over: tuple[str, ...] = ()
    """Words between top and bottom of a fraction."""
    negative: tuple[str, ...] = ()
    """Words for the sign before a negative number."""
    percents: tuple[str, ...] = ()
    """Words that count as the percent sign."""
    joiners: tuple[str, ...] = ()
    """Words between the parts of one number: and."""
    pairs: bool = False
    """Whether tens and ones are two words: twenty-five."""
    joined: bool = False
    """Whether a number and the scale behind it may be one word: fivehundred."""
    scale_first: bool = False
    """Whether the scale stands before what it multiplies: elfu tano."""
    units: Mapping[str, Names] = Field(default_factory=dict)
    """Unit → its names. Two answers with different units are different; a unit that one leaves out does not count."""


class Sentences(FrozenModel):
    """Where a sentence ends."""

    marks: Characters
    closers: Characters = ""
    """Quotes and brackets that may close after the mark."""


class Quoted(FrozenModel):
    """Stretches in a sister language that keep its letters: Arabic verses in an Urdu text."""

    letters: Characters = ""
    words: int = Field(3, ge=1)
    """A stretch between punctuation of at least so many words with these letters only is a quotation."""
    brackets: tuple[str, ...] = ()
    """Pairs of marks; whatever stands between them is a quotation."""
    phrases: tuple[str, ...] = ()


class Choices(FrozenModel):
    """How the choices of a question are lettered in an answer."""

    letters: tuple[tuple[str, ...], ...] = ()
    """Series of letters, each in order: (A, B, C, D); the first of each series is one and the same choice."""
    words: tuple[str, ...] = ()
    """Words that may stand around the letter: answer, option, is, correct."""
    asks: tuple[str, ...] = ()
    """Phrases by which a question asks to choose: which of, the right answer."""
    together: tuple[str, ...] = ()
    """Words by which a question asks about a list as a whole, or about each of its things: these, all, order, common."""
    ordinals: tuple[Names, ...] = ()
    """Names of the choices by their order, from the first: first, second."""
    last: tuple[str, ...] = ()
    """Names of the last one."""
    beside: tuple[str, ...] = ()
    """Words for a choice, beside which an ordinal names one in whatever is said: option, one. Not "answer": the last answer is
    the final one."""
    none_of: tuple[str, ...] = ()
    """Ways to say: none of these."""
    all_of: tuple[str, ...] = ()
    """Ways to say: all of these."""


class Phrases(FrozenModel):
    """Phrases that filters look for, compared as words."""

    refusals: tuple[str, ...] = ()
    """A model speaks of itself, or excuses itself: no answer, however it goes on."""
    declines: tuple[str, ...] = ()
    """Somebody declines: no answer where little else is said, an answer where the reason and a way out follow."""
    openings: tuple[str, ...] = ()
    """Empty openings of an assistant."""
    closings: tuple[str, ...] = ()
    """How a model takes leave behind the tasks that it has written. Each names them: a letter, too, ends in "let me know"."""
    negations: tuple[str, ...] = ()
    """Words that turn an answer into its opposite."""
    alternatives: tuple[str, ...] = ()
    """Words between alternatives: or."""
    conjunctions: tuple[str, ...] = ()
    """Words between the things of a list: and."""


class Keys(FrozenModel):
    """What teachers make of the keys Instruction, Input and Output, and of <noinput>, when they translate them too."""

    instruction: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    no_input: tuple[str, ...] = ()
    """Ways to say that there is no input: none, no input."""


class Headings(FrozenModel):
    """Labels at the start of a line that structure an answer."""

    answer: tuple[str, ...] = ()
    """After it stands the final answer."""
    other: tuple[str, ...] = ()
    """After it stands the working or the reason; it ends a final answer."""


class Into(FrozenModel):
    """Translation: phrases by which a request names the language that it wants."""

    own: tuple[str, ...] = ()
    """The pack's: into Urdu."""
    known: tuple[str, ...] = ()
    """The known one: into English."""


class TaskFile(FrozenModel):
    """tasks/NAME.toml: what kind of instruction this is."""

    title: str
    native_title: str
    weight: int = Field(0, gt=0)
    """Its part of the accepted rows, relative to the other tasks'. Left out where there is a share."""
    share: float = Field(0.0, gt=0, lt=1)
    """Its part of all accepted rows, 0..1, before the others share the rest by weight: a task that the paper has not."""
    scope: Literal["instruction", "instruction+input"] = "instruction"
    """What the pool compares."""
    answer: Literal["own", "known", "either"] = "own"
    """Language of the answer: the pack's, the known one, or whichever is asked for."""
    answer_script: Literal["own", "roman", "either"] = "own"
    """Script of an answer in the pack's language: the pack's, that of its table `roman`, or whichever is asked for."""
    metric: Literal["exact", "chrf"] = "chrf"
    """How an answer is scored against a reference."""
    labels: tuple[str, ...] = ()
    """The only right answers, where they are fixed."""
    carriers: tuple[str, ...] = ()
    """Translation: requests to translate the known language's `input`, which turn a pair of sentences into an exercise."""
    into: Into = Into()
    headings: Headings = Headings()

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        if bool(self.weight) == bool(self.share):
            raise ValueError("a task has a weight or a share")
        return self


class PackFile(FrozenModel):
    """pack.toml."""

    code: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """BCP 47."""
    name: str
    native_name: str
    direction: Literal["rtl", "ltr"]
    licence: str = ""
    """Of the texts in this folder."""
    tasks: tuple[Annotated[str, Field(pattern=r"^\w[\w-]*$")], ...] = ()
    """Names of the tasks, in the order of requests and reports; files are named after them."""
    script: Script
    clean: Clean = Clean()
    compare: Compare = Compare()
    numbers: Numbers
    sentences: Sentences
    lookalikes: Letters = Field(default_factory=dict)
    """Wrong letter → right letter: they look alike in print."""
    quoted: Quoted = Quoted()
    choices: Choices = Choices()
    phrases: Phrases = Phrases()
    keys: Keys = Keys()
    topics: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Topic → words that tell it, in the forms in which they stand: for the report of what the rows are about."""
    registers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Register (polite, familiar) → words that tell how somebody is addressed."""
    roman: Roman | None = None
