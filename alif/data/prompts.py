"""Ask and read: what a teacher is sent and how its reply is read, in one file, so that they cannot drift apart.

Two items, in the demonstrations and in the reply alike; the pack's prompt describes the same format in words:

    Instruction: …
    Input: <noinput>
    Output: …
    ###
    Instruction: …
    Input: …
    Output: …

A key counts only at the beginning of a line and in this order, so text that mentions "Input:" survives; a line of content that
is itself a key or a separator is written with a backslash before it. A piece between two separators is read strictly first.
Where that fails, wider readings are tried: bold keys, numbers, headings, other keys, the keys in the pack's language. Each
tolerance that helped is named in the candidate. The last piece of a reply that did not end by itself is never read.

Source: the format of Stanford Alpaca's generator, mended (arXiv 2510.09051's code asks for one format and parses another).
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jinja2

from alif.language.pack import Pack, Task
from alif.models import Message
from alif.records import Dropped, Example

__all__ = [
    "FIELDS",
    "KEPT",
    "KEYS",
    "REQUEST",
    "SEPARATOR",
    "TRANSLATE_ROW",
    "TRANSLATE_TEXT",
    "Candidate",
    "ask",
    "ask_row",
    "ask_sentence",
    "digest",
    "instructions",
    "read",
    "write",
]

FIELDS = ("instruction", "input", "output")
KEYS = {"instruction": "Instruction", "input": "Input", "output": "Output"}
OTHER_KEYS = {"task": "instruction", "question": "instruction", "context": "input", "answer": "output", "response": "output"}
"""What teachers write instead. Source: the original's seven prompts ask for Answer and Response and parse Output."""
SEPARATOR = "###"
NO_INPUT = "<noinput>"
NO_INPUT_FORMS = frozenset((NO_INPUT, "<no input>", "<NoInput>", "<No Input>", "<none>", "(none)", "None", "N/A"))
REQUEST = "Now write {items} new tasks of the same kind in the same format, and nothing else."
"""The sentence after the rows that are shown; the format itself is described in the pack's prompt."""
KEPT = (
    "Keep code, web and e-mail addresses, file names and formulas letter for letter. Keep every number as a number, in the "
    "digits that it has. Write names of people and places as is usual in {own}; do not translate what they mean."
)
TRANSLATE_ROW = (
    "You translate training data for a language model from {known} to {own} ({native}). The user sends one task with the "
    "fields Instruction, Input and Output. Translate the text of all three fields into natural, correct {own}, as a native "
    "speaker would write it; leave {no_input} as it is. Answer in the same format, with the keys in English at the beginning "
    "of a line, and nothing else. {kept}"
)
TRANSLATE_TEXT = (
    "You translate from {known} to {own} ({native}). Translate the text that the user sends into natural, correct {own}, "
    "completely, as a native speaker would write it. Answer with the translation alone. {kept}"
)

_SEPARATOR = re.compile(r"[ \t]*#{3,}[ \t]*")
_RULE = re.compile(r"[ \t]*(?:[-=*_#]{2,}|#{1,6}[ \t]*\d+[.:)]?)[ \t]*")
_SHIELDED = re.compile(rf"\\*(?:(?:{'|'.join(KEYS.values())}):.*|[ \t]*#{{3,}}[ \t]*|{re.escape(NO_INPUT)})", re.DOTALL)
_STRICT = re.compile(rf"(?P<tag>{'|'.join(KEYS.values())}):[ \t]*(?P<rest>.*)", re.DOTALL)
_KEYED = re.compile(rf"^(?:\\|(?:{'|'.join(KEYS.values())}):)", re.MULTILINE)
"""The beginning of a line with a key, or of one that may be shielded."""
_PLAIN = re.compile(r"(?:\s*\n)?" + "\n".join(f"{key}:(.*)" for key in KEYS.values()), re.DOTALL)
_DRESSED = r"""
    [ \t]* (?P<heading>\#{{1,6}}[ \t]*)? (?P<bold>\*\*|__)? (?P<number>[(\[]?\d+[.):\]]+[ \t]*)? (?P<bold_tag>\*\*|__)?
    (?P<tag>{tags}) (?P<count>[ \t]*\d+)? [ \t]* (?:\*\*|__)? [ \t]* (?P<colon>[:\uff1a\ufe55\ufe13\u02d0]) [ \t]* (?:\*\*|__)?
    [ \t]* (?P<rest>.*)
"""
_TOLERANCES = (("heading", "heading_keys"), ("bold", "bold_keys"), ("bold_tag", "bold_keys"), ("number", "numbering"))


@dataclass(frozen=True)
class Candidate:
    """One item as the teacher wrote it, not yet accepted."""

    instruction: str
    input: str
    output: str
    raw: str
    """The piece of the reply that it was read from."""
    tolerances: tuple[str, ...] = ()
    """Names of the wider readings that were needed, in alphabetical order."""


@dataclass(frozen=True)
class _Reading:
    """One way to recognise a key at the beginning of a line."""

    pattern: re.Pattern[str]
    fields: Mapping[str, str]
    """Casefolded tag to field."""
    tolerance: str = ""


def write(instruction: str, input: str, output: str) -> str:
    """Return one item in the format; `read` gives the three texts back."""
    texts = (_shield(instruction), _shield(input) or NO_INPUT, _shield(output))
    return "\n".join(f"{KEYS[field]}: {value}" for field, value in zip(FIELDS, texts, strict=True))


def ask(task: Task, pack: Pack, shown: Sequence[Example], items: int, wording: int = 0) -> list[Message]:
    """Return the messages that ask for `items` new rows of `task`: the pack's prompt, then the rows shown, then the request.

    `wording` is the place of one of the task's templates.
    """
    rows = f"\n{SEPARATOR}\n".join(write(row.instruction, row.input, row.output) for row in shown)
    return [
        Message(role="system", content=instructions(task, pack, items, wording)),
        Message(role="user", content=f"{len(shown)} tasks, to show what is wanted:\n\n{rows}\n\n{REQUEST.format(items=items)}"),
    ]


@functools.cache
def instructions(task: Task, pack: Pack, items: int, wording: int = 0) -> str:
    """Return one of the pack's prompts for a task, filled in."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=False)
    template = environment.from_string(task.templates[wording])
    return template.render(language=pack.name, native_name=pack.native_name, items=items)


def digest(wording: str) -> str:
    """Return the name of a prompt's wording on a card: the first 16 digits of its SHA-256."""
    return hashlib.sha256(wording.encode("utf-8")).hexdigest()[:16]


def ask_row(row: Example, own: Pack, known: Pack) -> list[Message]:
    """Return the messages that ask for the translation of a whole row; the answer is one item."""
    system = Message(role="system", content=_translator(TRANSLATE_ROW, own, known))
    return [system, Message(role="user", content=write(row.instruction, row.input, row.output))]


def ask_sentence(sentence: str, own: Pack, known: Pack) -> list[Message]:
    """Return the messages that ask for the translation of one text; the answer is the translation alone."""
    return [Message(role="system", content=_translator(TRANSLATE_TEXT, own, known)), Message(role="user", content=sentence)]


def _translator(template: str, own: Pack, known: Pack) -> str:
    names = {"known": known.name, "own": own.name, "native": own.native_name}
    return template.format(kept=KEPT.format(**names), no_input=NO_INPUT, **names)


def read(text: str, finish: str, tags: Mapping[str, str]) -> list[Candidate | Dropped]:
    """Read a reply as candidates and unreadable pieces, in its order; every piece that holds anything is one of them.

    `finish` is "stop" if the reply ended by itself; after anything else its last piece is dropped as `cut_off`. `tags` are the
    keys in the pack's language: tag to field.
    """
    if not text.strip():
        return [Dropped(raw=text, reason="empty", evidence=f"finish: {finish}")]
    lines, fenced = _unfence(text.replace("\r\n", "\n").split("\n"))
    pieces = _pieces(lines)
    found: list[Candidate | Dropped] = []
    chatter = len(pieces) > 1 and not any(
        _key(line, reading) for line in pieces[0] for reading in _readings(tuple(tags.items()))
    )
    common = {"code_fence"} if fenced else set()
    for number, piece in enumerate(pieces):
        if number == len(pieces) - 1 and finish != "stop":
            found += _cut_off(piece, finish, tags, common)
        elif _blank(piece) or (number == 0 and chatter):
            common |= set() if _blank(piece) else {"preamble"}
        else:
            found += _piece(piece, tags, common)
            common = set()
    return found


def _pieces(lines: Sequence[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for line in lines:
        if _SEPARATOR.fullmatch(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces


def _blank(lines: Sequence[str]) -> bool:
    return not any(line.strip() for line in lines)


def _cut_off(piece: list[str], finish: str, tags: Mapping[str, str], common: set[str]) -> list[Candidate | Dropped]:
    """Read all but the last item of a last piece that the teacher did not finish."""
    if _blank(piece):
        return []
    *whole, last = _best(piece, tags)[1] or [piece]
    before = [line for item in whole for line in item]
    end = Dropped(raw="\n".join(last), reason="cut_off", evidence=f"finish: {finish}")
    return [*(_piece(before, tags, common) if before else ()), end]


def _piece(piece: list[str], tags: Mapping[str, str], common: set[str]) -> list[Candidate | Dropped]:
    if candidate := _plain("\n".join(piece), common):
        return [candidate]
    piece, fenced = _unfence(piece)
    reading, items = _best(piece, tags)
    if not items:
        raw = "\n".join(piece).strip()
        return [Dropped(raw=raw, reason="unreadable", evidence=f"no line begins with {KEYS['instruction']}:")]
    extra = common | ({"code_fence"} if fenced else set()) | ({"missing_separator"} if len(items) > 1 else set())
    return [_item(item, reading, extra) for item in items]


def _plain(piece: str, common: set[str]) -> Candidate | None:
    """Return the item of a piece that is written exactly as asked; what the other readings would find, sooner."""
    match = _PLAIN.fullmatch(piece)
    if match is None or len(_KEYED.findall(piece)) != len(FIELDS):
        return None
    instruction, input, output = texts = [value.strip() for value in match.groups()]
    if not instruction or not output or any(value.startswith("\\") for value in texts):
        return None
    return Candidate(instruction, "" if input in NO_INPUT_FORMS else input, output, piece.strip(), tuple(sorted(common)))


def _best(piece: list[str], tags: Mapping[str, str]) -> tuple[_Reading, list[list[str]]]:
    """Return the first reading that completes every item of the piece, else the first that finds any; and its items."""
    some: tuple[_Reading, list[list[str]]] | None = None
    for reading in _readings(tuple(tags.items())):
        items = _items(piece, reading)
        if items and all(_fields(item, reading)[0].get("output") for item in items):
            return reading, items
        some = some or ((reading, items) if items else None)
    return some or (_readings(())[0], [])


@functools.cache
def _readings(tags: tuple[tuple[str, str], ...]) -> tuple[_Reading, ...]:
    own = {key.casefold(): field for field, key in KEYS.items()}
    readings = [_Reading(_STRICT, own), _dressed(own, ""), _dressed(own | OTHER_KEYS, "other_keys")]
    return (*readings, _dressed({tag.casefold(): field for tag, field in tags}, "translated_keys")) if tags else tuple(readings)


def _dressed(fields: Mapping[str, str], tolerance: str) -> _Reading:
    tags = "|".join(re.escape(tag).replace(r"\ ", "[ ]") for tag in sorted(fields, key=lambda tag: (-len(tag), tag)))
    pattern = re.compile(_DRESSED.format(tags=tags), re.VERBOSE | re.IGNORECASE | re.DOTALL)
    return _Reading(pattern, fields, tolerance)


def _key(line: str, reading: _Reading) -> tuple[str, str, set[str]] | None:
    """Return (field, rest of the line, tolerances needed) if the line begins with a key."""
    match = reading.pattern.fullmatch(line)
    if match is None:
        return None
    tag = match["tag"]
    needed: set[str] = set()
    if reading.pattern is not _STRICT:
        parts = match.groupdict()
        needed = {name for group, name in _TOLERANCES if parts[group]} | ({"numbering"} if parts["count"] else set())
        needed |= {"wide_colon"} if parts["colon"] != ":" else set()
        if tag not in KEYS.values():
            canonical = tag.casefold() in {key.casefold() for key in KEYS.values()}
            needed |= {"letter_case"} if canonical else {reading.tolerance}
    return reading.fields[tag.casefold()], match["rest"], needed


def _items(piece: Sequence[str], reading: _Reading) -> list[list[str]]:
    """Split a piece where an instruction follows an output; text before the first key belongs to the first item."""
    items: list[list[str]] = []
    field = ""
    before: list[str] = []
    for line in piece:
        key = _key(line, reading)
        if key and key[0] == "instruction" and field in ("", "output"):
            items.append([*before, line])
            before = []
        elif items:
            items[-1].append(line)
        else:
            before.append(line)
        if key and _advances(field, key[0]):
            field = key[0]
    return items


def _advances(field: str, next: str) -> bool:
    """Tell whether a key may follow: instruction, input, output, then a new instruction."""
    if field in ("", "output"):
        return next == "instruction"
    return FIELDS.index(next) > FIELDS.index(field)


def _fields(item: Sequence[str], reading: _Reading) -> tuple[dict[str, str], set[str]]:
    """Return the texts of one item by field, and the tolerances that were needed."""
    parts: dict[str, list[str]] = {}
    needed: set[str] = set()
    field = ""
    for line in item:
        key = _key(line, reading)
        if key and (field != "output") and _advances(field, key[0]):
            field, rest, tolerances = key
            parts[field] = [rest]
            needed |= tolerances
        elif field:
            parts[field].append(line)
        elif line.strip():
            needed.add("preamble")
    texts = {field: "\n".join(_unshield(line) for line in _trimmed(lines)) for field, lines in parts.items()}
    if "\n".join(_trimmed(parts.get("input", []))) in NO_INPUT_FORMS:
        texts["input"] = ""
    return texts, needed


def _item(item: Sequence[str], reading: _Reading, extra: set[str]) -> Candidate | Dropped:
    raw = "\n".join(item).strip()
    texts, needed = _fields(item, reading)
    missing = [KEYS[field] for field in ("instruction", "output") if not texts.get(field)]
    if missing:
        return Dropped(raw=raw, reason="missing_field", evidence=f"no text under {' and '.join(missing)}")
    output = texts["output"]
    if "missing_separator" in extra and _RULE.fullmatch(output.rpartition("\n")[2]):
        output = output.rpartition("\n")[0].rstrip()
        needed.add("other_separator")
    needed |= extra | ({"no_input_key"} if "input" not in texts else set())
    return Candidate(texts["instruction"], texts.get("input", ""), output, raw, tuple(sorted(needed)))


def _trimmed(lines: Sequence[str]) -> list[str]:
    return "\n".join(lines).strip().split("\n")


def _unfence(lines: list[str]) -> tuple[list[str], bool]:
    """Remove a code fence around all lines; a fence that opens later is content."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if not filled or not lines[filled[0]].strip().startswith("```"):
        return lines, False
    last = filled[-1] if len(filled) > 1 and lines[filled[-1]].strip() == "```" else len(lines)
    return lines[filled[0] + 1 : last], True


def _shield(text: str) -> str:
    return "\n".join(f"\\{line}" if _SHIELDED.fullmatch(line) else line for line in text.split("\n"))


def _unshield(line: str) -> str:
    return line[1:] if line.startswith("\\") and _SHIELDED.fullmatch(line) else line
