"""The table `slots` of a pack: in which words a request says what each of its items is to be about.

    موضوع: گندم اور کپاس | جگہ: تھر | کہنے والا: دادی | …   (topic: wheat, cotton | place | asker: grandma)

Topics, lengths and registers are those of the report of coverage, so that what lacks rows can be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from alif.records import FrozenModel

__all__ = ["Length", "SlotNames", "Slots"]

Length = Literal["short", "middle", "long"]
PASSAGE_FIELDS = ("asker", "difficulty", "form", "length", "register")
LINE_FIELDS = ("asker", "difficulty", "form", "length", "region", "register", "topic")


def check_phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    for place, phrase in enumerate(phrases):
        if not phrase.strip() or "\n" in phrase or "|" in phrase:
            raise ValueError(f'"{phrase}" is not a phrase of one line without |')
        if phrase in phrases[:place]:
            raise ValueError(f'"{phrase}" is listed twice')
    return phrases


def check_names(table: Mapping[str, str]) -> Mapping[str, str]:
    check_phrases(tuple(table.values()))
    return table


def check_topics(table: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    if empty := next((name for name, phrases in table.items() if not phrases), ""):
        raise ValueError(f"{empty} has no phrase")
    check_phrases(tuple(phrase for phrases in table.values() for phrase in phrases))
    return table


def check_line(line: str) -> str:
    """Reject a line that does not name each field once; one without topic and region is of a passage."""
    try:
        found = sorted(name for _, name, _, _ in Formatter().parse(line) if name is not None)
    except ValueError as error:
        raise ValueError(f"a brace is not closed: {line}") from error
    wanted = LINE_FIELDS if {"region", "topic"} & set(found) else PASSAGE_FIELDS
    if tuple(found) != wanted or "\n" in line:
        fields = " ".join(f"{{{name}}}" for name in wanted)
        raise ValueError(f"one line with each of {fields} once is needed")
    return line


SlotLine = Annotated[str, AfterValidator(check_line)]
SlotPhrases = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(check_phrases)]
SlotNames = Annotated[Mapping[str, str], Field(min_length=1), AfterValidator(check_names)]


class LengthPhrases(FrozenModel):
    """How long an answer is to be."""

    short: str  # at most 15 words
    middle: str  # 16 to 60 words
    long: str  # more than 60 words


class Slots(FrozenModel):
    """What each item of a request is asked to be about, in words of the language."""

    heading: str = Field(min_length=1)
    """Above the lines: one task for each, in their order; where a line and a rule differ, the line counts."""
    line: SlotLine
    """What is said of an item: text with {topic} {region} {asker} {register} {difficulty} {length} {form}."""
    passage_line: SlotLine
    """The same where a passage decides: without {topic} and {region}."""
    regions: SlotPhrases  # where the language is at home: provinces, towns, villages, people abroad
    world: SlotPhrases  # everywhere else
    askers: SlotPhrases  # who asks: a grandmother, a clerk
    difficulties: SlotPhrases  # from easy to hard
    lengths: LengthPhrases
    topics: Annotated[Mapping[str, tuple[str, ...]], Field(min_length=1), AfterValidator(check_topics)]
    """Topic of the table `topics` → what may be asked about it: phrases."""
    registers: Annotated[SlotNames, Field(min_length=1)]
    """Register of the table `registers` → how it is asked for."""
