"""Labels of an item's fields at the beginning of a line: as the prompt asks for them, and as teachers write.

    Instruction: …     exactly as asked
    2. **Input:** …    with emphasis, a number, a bullet, a heading, in another letter case
    Answer: …          another English word
    آؤٹ پٹ: …          the pack's word ("output"), with or without its vowel marks

Each of the four is a `LabelStyle`; the reader tries them in this order.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["FIELDS", "KEYS", "FieldLabel", "LabelStyle", "label_styles", "read_label"]

FIELDS = ("instruction", "input", "output")
KEYS = {"instruction": "Instruction", "input": "Input", "output": "Output"}
OTHER_KEYS = {"task": "instruction", "question": "instruction", "context": "input"}
OTHER_KEYS |= {"answer": "output", "response": "output"}
"""Source: the seven prompts of arXiv 2510.09051's code ask for Answer and Response and parse Output."""
MAX_LABEL_CHARS = 80
"""Of a label with everything before and behind its word. Later in a line no label is looked for."""

_STRICT = re.compile(rf"(?P<tag>{'|'.join(KEYS.values())}):[ \t]*(?P<rest>.*)", re.DOTALL)
_COLONS = ":\uff1a\ufe55\ufe13\u02d0"
_COLON = re.compile(f"[{_COLONS}]")
_MARK = r"(?:\*{1,3}|_{1,3}|`(?!`))"
_DECORATED = re.compile(
    rf"""
    [ \t]*+ (?P<heading>\#{{1,6}}[ \t]*+)? (?P<bullet>[-*+•][ \t]++)? (?P<mark>{_MARK})?
    (?P<number>[(\[]?\d{{1,4}}[^\w\s*`]{{1,2}}[ \t]*+)? (?:(?P<tag_mark>{_MARK})[ \t]*+)?
    (?P<tag>[^\W\d_](?:[^:]*?[^\s:*_`])??) (?P<count>[ \t]*+\#?\d{{1,4}})?
    [ \t]*+ (?P<before>{_MARK})? [ \t]*+ (?P<colon>[{_COLONS}]) (?:[ \t]*+(?P<behind>{_MARK}))? [ \t]*+
    """,
    re.VERBOSE,
)
"""Blanks are matched possessively: otherwise a long run without a label is tried in every division."""
_TOLERANCES = {"heading": "heading_keys", "bullet": "bullets", "number": "numbering", "count": "numbering"}
"""Group of that pattern → name of the deviation from the format."""


class FieldLabel(NamedTuple):
    """A label that begins a line."""

    field: str
    rest: str  # the line after the label
    tolerances: set[str]  # names of the deviations from the format


@dataclass(frozen=True)
class LabelStyle:
    """One way to recognise a label."""

    fields: Mapping[str, str]  # folded label → field
    pack: Pack
    tolerance: str = ""
    strict: bool = False

    def starts_item(self, line: str) -> bool:
        label = read_label(line, self)
        return label is not None and label.field == "instruction"


@functools.lru_cache
def label_styles(pack: Pack) -> tuple[LabelStyle, ...]:
    """Return the styles in the order in which they are tried."""
    own = {key.casefold(): field for field, key in KEYS.items()}
    translated = {fold_text(label, pack): field for field in FIELDS for label in getattr(pack.keys, field)}
    found = (
        LabelStyle(own, pack, strict=True),
        LabelStyle(own, pack),
        LabelStyle(own | OTHER_KEYS, pack, "other_keys"),
    )
    return (*found, LabelStyle(translated, pack, "translated_keys")) if translated else found


def read_label(line: str, style: LabelStyle) -> FieldLabel | None:
    """Return the label that a line begins with, if there is one."""
    if not _COLON.search(line, 0, MAX_LABEL_CHARS):
        return None
    if style.strict:
        strict = _STRICT.fullmatch(line)
        return FieldLabel(style.fields[strict["tag"].casefold()], strict["rest"], set()) if strict else None
    match = _DECORATED.match(line[:MAX_LABEL_CHARS])
    tag = fold_text(match["tag"], style.pack) if match else ""
    if match is None or tag not in style.fields:
        return None
    marks = [mark for mark in match.group("mark", "tag_mark", "before") if mark]
    rest = line[match.end() :]
    if len(marks) % 2 == 0 and match["behind"]:
        rest = line[match.end("colon") :].lstrip(" \t")  # the mark belongs to the text
    elif len(marks) % 2 and not match["behind"]:
        rest = rest.rstrip().removesuffix(marks[-1])
    needed = {"bold_keys" if mark in ("**", "__") else "marked_keys" for mark in marks}
    needed |= {name for group, name in _TOLERANCES.items() if match[group]}
    needed |= {"wide_colon"} if match["colon"] != ":" else set()
    if match["tag"] not in KEYS.values():
        needed.add("letter_case" if tag in label_styles(style.pack)[0].fields else style.tolerance)
    return FieldLabel(style.fields[tag], rest, needed)
