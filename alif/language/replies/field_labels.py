"""The keys of an item at the beginning of a line: as they are asked for, and in the ways in which teachers write them.

    Instruction: …     strict
    2. **Input:** …    with marks, a number, a bullet, a heading, in another letter case
    Answer: …          another word
    آؤٹ پٹ: …          the pack's word ("output"), with or without its vowel marks

Each way is a reading; the layout tries one after another.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from alif.language import normalisation
from alif.language.pack import Pack

__all__ = [
    "FIELDS",
    "KEYS",
    "NO_INPUT",
    "FieldLabel",
    "LabelStyle",
    "asks_for_field",
    "label_styles",
    "read_label",
    "says_no_input",
]

FIELDS = ("instruction", "input", "output")
KEYS = {"instruction": "Instruction", "input": "Input", "output": "Output"}
OTHER_KEYS = {
    "task": "instruction",
    "question": "instruction",
    "context": "input",
    "answer": "output",
    "response": "output",
}
"""What teachers write instead. Source: the original's seven prompts ask for Answer and Response and parse Output."""
NO_INPUT = "<noinput>"
NO_INPUT_WORDS = (
    "noinput",
    "no input",
    "none",
    "n a",
    "not applicable",
    "no input needed",
    "no input required",
)
"""What teachers write instead, in any letter case and between any marks; the pack's keys.no_input are more of them."""
LONGEST_NO_INPUT = 40
"""Characters. A longer text is an input, and so is one of several lines."""
LONGEST_KEY = 80
"""Characters, with all that is written before and behind the word. What stands later in a line is never looked at for a key."""

_STRICT = re.compile(rf"(?P<tag>{'|'.join(KEYS.values())}):[ \t]*(?P<rest>.*)", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_COLONS = ":\uff1a\ufe55\ufe13\u02d0"
_COLON = re.compile(f"[{_COLONS}]")
_MARK = r"(?:\*{1,3}|_{1,3}|`(?!`))"
_DRESSED = re.compile(
    rf"""
    [ \t]*+ (?P<heading>\#{{1,6}}[ \t]*+)? (?P<bullet>[-*+•][ \t]++)? (?P<mark>{_MARK})?
    (?P<number>[(\[]?\d{{1,4}}[^\w\s*`]{{1,2}}[ \t]*+)? (?:(?P<tag_mark>{_MARK})[ \t]*+)?
    (?P<tag>[^\W\d_](?:[^:]*?[^\s:*_`])??) (?P<count>[ \t]*+\#?\d{{1,4}})?
    [ \t]*+ (?P<before>{_MARK})? [ \t]*+ (?P<colon>[{_COLONS}]) (?:[ \t]*+(?P<behind>{_MARK}))? [ \t]*+
    """,
    re.VERBOSE,
)
"""Possessive where blanks are: what no key follows must not be tried in every division of them."""
_TOLERANCES = {"heading": "heading_keys", "bullet": "bullets", "number": "numbering", "count": "numbering"}
"""Part of that pattern to the tolerance that it needs."""


class FieldLabel(NamedTuple):
    """What a line says that begins with a key."""

    field: str
    rest: str
    """Of the line, after the key."""
    tolerances: set[str]
    """Names of the liberties that were taken in writing it."""


@dataclass(frozen=True)
class LabelStyle:
    """One way to recognise a key at the beginning of a line."""

    fields: Mapping[str, str]
    """Folded tag to field."""
    pack: Pack
    tolerance: str = ""
    strict: bool = False


@functools.cache
def label_styles(pack: Pack) -> tuple[LabelStyle, ...]:
    """Return the readings in the order in which they are tried."""
    own = {key.casefold(): field for field, key in KEYS.items()}
    found = [
        LabelStyle(own, pack, strict=True),
        LabelStyle(own, pack),
        LabelStyle(own | OTHER_KEYS, pack, "other_keys"),
    ]
    if translated := {normalisation.fold_text(tag, pack): field for tag, field in pack.tags.items()}:
        found.append(LabelStyle(translated, pack, "translated_keys"))
    return tuple(found)


def asks_for_field(line: str, reading: LabelStyle) -> bool:
    """Tell whether a line begins with the key of an instruction."""
    key = read_label(line, reading)
    return key is not None and key.field == "instruction"


def read_label(line: str, reading: LabelStyle) -> FieldLabel | None:
    """Return the key that a line begins with, if it does."""
    if not _COLON.search(line, 0, LONGEST_KEY):
        return None
    if reading.strict:
        strict = _STRICT.fullmatch(line)
        return FieldLabel(reading.fields[strict["tag"].casefold()], strict["rest"], set()) if strict else None
    match = _DRESSED.match(line[:LONGEST_KEY])
    tag = normalisation.fold_text(match["tag"], reading.pack) if match else ""
    if match is None or tag not in reading.fields:
        return None
    parts = match.groupdict()
    marks = [mark for mark in (parts["mark"], parts["tag_mark"], parts["before"]) if mark]
    rest = line[match.end() :]
    if len(marks) % 2 == 0 and parts["behind"]:
        rest = line[match.end("colon") :].lstrip(" \t")  # the mark is the text's own
    elif len(marks) % 2 and not parts["behind"]:
        rest = rest.rstrip().removesuffix(marks[-1])
    needed = {"bold_keys" if mark in ("**", "__") else "marked_keys" for mark in marks}
    needed |= {name for part, name in _TOLERANCES.items() if parts[part]}
    needed |= {"wide_colon"} if parts["colon"] != ":" else set()
    if parts["tag"] not in KEYS.values():
        needed |= {"letter_case"} if tag in label_styles(reading.pack)[0].fields else {reading.tolerance}
    return FieldLabel(reading.fields[tag], rest, needed)


def says_no_input(input: str, pack: Pack | None = None) -> bool:
    """Tell whether an input says that there is none: <noinput>, `No input`; with a pack, also "کوئی نہیں" ("none")."""
    if input in ("", NO_INPUT):
        return True
    if len(input) > LONGEST_NO_INPUT or input.startswith("\\") or "\n" in input:
        return False
    said = html.unescape(input)
    if " ".join(_WORD.findall(said.casefold())) in NO_INPUT_WORDS:
        return True
    return pack is not None and " ".join(normalisation.split_words(said, pack)) in _no_input_words(pack)


@functools.cache
def _no_input_words(pack: Pack) -> frozenset[str]:
    return frozenset(" ".join(normalisation.split_words(said, pack)) for said in pack.keys.no_input)
