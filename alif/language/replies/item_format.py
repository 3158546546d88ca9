"""An item of a request or a reply: how it is written and how it is read, in one file, so that they cannot drift apart.

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
Where that fails, wider readings are tried: bold keys, numbers, headings, other keys, the keys in the pack's language; a reply
without any key may be JSON. Each tolerance that helped is named in the candidate. The last piece of a reply that did not end
by itself is never read.

Source: the format of Stanford Alpaca's generator, mended (arXiv 2510.09051's code asks for one format and parses another).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alif.language import normalisation
from alif.language.pack import Pack
from alif.language.replies import reply_cleanup
from alif.language.replies.field_labels import (
    FIELDS,
    KEYS,
    NO_INPUT,
    LabelStyle,
    asks_for_field,
    label_styles,
    read_label,
    says_no_input,
)
from alif.language.replies.json_items import read_json_items
from alif.records import Dropped

__all__ = ["FIELDS", "KEYS", "NO_INPUT", "SEPARATOR", "Candidate", "read_items", "strip_label", "write_item"]

SEPARATOR = "###"
_SEPARATOR = re.compile(r"[ \t]*#{3,}[ \t]*")
_BREAK = re.compile(rf"\n{_SEPARATOR.pattern}(?=\n|\Z)")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_RULE = re.compile(r"[ \t]*(?:[-=*_#]{2,}|#{1,6}[ \t]*\d+[.:)]?)[ \t]*")
_SHIELDED = re.compile(rf"\\*(?:(?:{'|'.join(KEYS.values())}):.*|[ \t]*#{{3,}}[ \t]*)", re.DOTALL)
_KEYED = re.compile(rf"\n(?:\\|(?:{'|'.join(KEYS.values())}):)")
"""The beginning of a line with a key, or of one that may be shielded. The line's end before it is sooner found than "^"."""
_PLAIN = re.compile(r"(?:\s*\n)?" + "\n".join(f"{key}:(.*)" for key in KEYS.values()), re.DOTALL)


@dataclass(frozen=True)
class Candidate:
    """One item as the teacher wrote it, in clean Unicode, not yet accepted."""

    instruction: str
    input: str
    output: str
    raw: str
    """The piece of the reply that it was read from."""
    tolerances: tuple[str, ...] = ()
    """Names of the wider readings that were needed, in alphabetical order."""


def write_item(instruction: str, input: str, output: str) -> str:
    """Return one item in the format; `read` gives the three texts back.

    Except an input that is one of a pack's `keys.no_input`: `read` takes it to say that there is none.
    """
    texts = (_shield(instruction), _shield_input(input), _shield(output))
    return "\n".join(f"{KEYS[field]}: {value}" for field, value in zip(FIELDS, texts, strict=True))


def read_items(text: str, finish: str, pack: Pack) -> list[Candidate | Dropped]:
    """Read a reply as candidates and unreadable pieces, in its order; every piece that holds anything is one of them.

    Args:
        text: the reply. What it says before it answers, and what stands around the items, is taken away first.
        finish: "stop" if the reply ended by itself; after anything else its last piece is dropped as `truncated`.
        pack: the language's; a teacher may write the keys in it.
    """
    said, thought = reply_cleanup.strip_thinking(text)
    if not said.strip():
        reason = "truncated" if thought and finish != "stop" else "empty"
        return [
            Dropped(
                raw=text,
                reason=reason,
                evidence=f"finish: {finish}{', nothing but thinking' if thought else ''}",
            )
        ]
    common = {"thinking"} if thought else set()
    said = normalisation.normalise_text(said, pack)
    if finish == "stop" and (asked := _as_asked(said, pack, common)):
        return asked
    lines = said.split("\n")
    reading = _first(lines, pack)
    if reading is None:
        return list(_objects(said, finish, pack, common)) or _read(lines, finish, pack, common)
    lines, needed = _bare(lines, finish, reading)
    return _read(lines, finish, pack, common | needed)


def strip_label(text: str, pack: Pack) -> str:
    """Return a text that is asked for alone, without an instruction's key that it may begin with."""
    first, *more = text.strip().split("\n")
    found = (read_label(first, reading) for reading in label_styles(pack))
    rest = next((key.rest for key in found if key and key.field == "instruction"), first)
    return "\n".join((rest, *more)).strip()


def _as_asked(said: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    """Return the items of a reply all of whose pieces are as asked for, as `_read` would, but sooner; of another none."""
    if reply_cleanup.FENCE in said:
        return []
    found: list[Candidate] = []
    for piece in _BREAK.split(f"\n{said}"):
        candidate = _plain(piece, pack, common)
        if candidate is None or candidate.output.endswith(SEPARATOR):
            return []
        found.append(candidate)
    return [] if _PARAGRAPH.search(found[-1].output) else [*found]  # its last paragraph may be a remark


def _read(lines: list[str], finish: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    """Read the lines of a reply, piece by piece; `common` are the tolerances of all of them."""
    found: list[Candidate | Dropped] = []
    pieces = _pieces(lines)
    chatter = len(pieces) > 1 and not any(
        read_label(line, reading) for reading in label_styles(pack) for line in pieces[0]
    )
    needed = set(common)
    for number, piece in enumerate(pieces):
        if number == len(pieces) - 1 and finish != "stop":
            found += _cut_off(piece, finish, pack, needed)
        elif _blank(piece) or (number == 0 and chatter):
            needed |= set() if _blank(piece) else {"preamble"}
        else:
            found += _piece(piece, pack, needed)
            needed = set(common)
    return found


def _bare(lines: list[str], finish: str, reading: LabelStyle) -> tuple[list[str], set[str]]:
    """Return the lines of the items alone, and the tolerances that were needed."""
    steps: dict[str, Callable[[list[str]], list[str]]] = {
        "closing_remark": lambda lines: reply_cleanup.strip_remark(
            lines, lambda line: read_label(line, reading), reading.pack
        ),
        "other_separator": lambda lines: _parted(lines, reading),
        "headings": lambda lines: reply_cleanup.strip_headings(
            lines, _starts(lines, reading), {*_breaks(lines)}
        ),
        "code_fence": lambda lines: reply_cleanup.strip_fences(
            lines, {*_starts(lines, reading)}, {*_breaks(lines)}
        ),
    }
    if finish != "stop":
        del steps["closing_remark"]
    needed: set[str] = set()
    for name, step in steps.items():
        less = step(lines)
        needed |= {name} if len(less) != len(lines) else set()
        lines = less
    return lines, needed


def _parted(lines: list[str], reading: LabelStyle) -> list[str]:
    """Return the lines with a separator at the end of an item's last line on a line of its own."""
    parted: list[str] = []
    below = ""  # the next line that holds anything
    for line in reversed(lines):
        filled = line.rstrip(" \t")
        content = filled.rstrip("#")
        marked = len(filled) - len(content) >= len(SEPARATOR) and content.endswith((" ", "\t"))
        marked = marked and not filled.lstrip(" \t\\").startswith("#")  # a heading may be closed so
        parted += (
            [SEPARATOR, content.rstrip()]
            if marked and (not below or asks_for_field(below, reading))
            else [line]
        )
        below = line if filled else below
    return parted[::-1]


def _breaks(lines: Sequence[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if SEPARATOR in line and _SEPARATOR.fullmatch(line)]


def _pieces(lines: Sequence[str]) -> list[list[str]]:
    ends = [*_breaks(lines), len(lines)]
    return [list(lines[begin:end]) for begin, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]


def _blank(lines: Sequence[str]) -> bool:
    return not any(line.strip() for line in lines)


def _cut_off(piece: list[str], finish: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    """Read all but the last item of a last piece that the teacher did not finish."""
    if _blank(piece):
        return []
    *whole, last = _best(piece, pack)[1] or [piece]
    before = [line for item in whole for line in item]
    end = Dropped(raw="\n".join(last), reason="truncated", evidence=f"finish: {finish}")
    return [*(_piece(before, pack, common) if before else ()), end]


def _piece(piece: list[str], pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    if candidate := _plain("\n".join(piece), pack, common):
        return [candidate]
    reading, items = _best(piece, pack)
    if not items:
        raw = "\n".join(piece).strip()
        return [Dropped(raw=raw, reason="unparsable", evidence=f"no line begins with {KEYS['instruction']}:")]
    extra = common | ({"missing_separator"} if len(items) > 1 else set())
    return [_item(item, reading, extra) for item in items]


def _plain(piece: str, pack: Pack, common: set[str]) -> Candidate | None:
    """Return the item of a piece that is written exactly as asked; what the other readings would find, sooner."""
    if len(_KEYED.findall(f"\n{piece}")) != len(
        FIELDS
    ):  # first: of many keys the next pattern would try all pairs
        return None
    match = _PLAIN.fullmatch(piece)
    if match is None:
        return None
    instruction, input, output = texts = [value.strip() for value in match.groups()]
    if not instruction or not output or any(value.startswith("\\") for value in texts):
        return None
    needed = common | _other_words(input, pack)
    return Candidate(
        instruction, "" if says_no_input(input, pack) else input, output, piece.strip(), tuple(sorted(needed))
    )


def _other_words(input: str, pack: Pack) -> set[str]:
    """Return the tolerance of an input that says otherwise than as asked that there is none."""
    return {"no_input_words"} if input != NO_INPUT and says_no_input(input, pack) else set()


def _best(piece: list[str], pack: Pack) -> tuple[LabelStyle, list[list[str]]]:
    """Return the first reading that completes every item of the piece, else the first that finds any; and its items."""
    some: tuple[LabelStyle, list[list[str]]] | None = None
    for reading in label_styles(pack):
        items = _items(piece, reading)
        if items and all(_fields(item, reading)[0].get("output") for item in items):
            return reading, items
        some = some or ((reading, items) if items else None)
    return some or (label_styles(pack)[0], [])


def _first(lines: Sequence[str], pack: Pack) -> LabelStyle | None:
    """Return the first reading that finds an instruction in these lines."""
    found = (
        reading for reading in label_styles(pack) if any(asks_for_field(line, reading) for line in lines)
    )
    return next(found, None)


def _starts(lines: Sequence[str], reading: LabelStyle) -> list[int]:
    """Return the lines where items begin: an instruction after an output, after a separator or before anything else."""
    starts: list[int] = []
    field = ""
    for number, line in enumerate(lines):
        if SEPARATOR in line and _SEPARATOR.fullmatch(line):
            field = ""
        elif key := read_label(line, reading):
            if key.field == "instruction" and field in ("", "output"):
                starts.append(number)
            if _advances(field, key.field):
                field = key.field
    return starts


def _items(piece: Sequence[str], reading: LabelStyle) -> list[list[str]]:
    """Split a piece where items begin; text before the first one belongs to it."""
    starts = _starts(piece, reading)
    bounds = [0, *starts[1:], len(piece)] if starts else []
    return [list(piece[begin:end]) for begin, end in itertools.pairwise(bounds)]


def _advances(field: str, next: str) -> bool:
    """Tell whether a key may follow: instruction, input, output, then a new instruction."""
    if field in ("", "output"):
        return next == "instruction"
    return FIELDS.index(next) > FIELDS.index(field)


def _fields(item: Sequence[str], reading: LabelStyle) -> tuple[dict[str, str], set[str]]:
    """Return the texts of one item by field, and the tolerances that were needed."""
    parts: dict[str, list[str]] = {}
    needed: set[str] = set()
    field = ""
    for line in item:
        key = read_label(line, reading)
        if key and (field != "output") and _advances(field, key.field):
            field, rest, tolerances = key
            parts[field] = [rest]
            needed |= tolerances
        elif field:
            parts[field].append(line)
        elif line.strip():
            needed.add("preamble")
    texts = {field: "\n".join(_unshield(line) for line in _trimmed(lines)) for field, lines in parts.items()}
    if "input" in texts:
        needed |= _other_words(texts["input"], reading.pack)
        texts["input"] = _unshield_input(texts["input"], reading.pack)
    return texts, needed


def _item(item: Sequence[str], reading: LabelStyle, extra: set[str]) -> Candidate | Dropped:
    texts, needed = _fields(item, reading)
    body, _, last = texts.get("output", "").rpartition("\n")
    if "missing_separator" in extra and _RULE.fullmatch(last):
        texts["output"] = body.rstrip()
        needed.add("other_separator")
    needed |= {"no_input_key"} if "input" not in texts else set()
    return _candidate(texts, "\n".join(item).strip(), needed | extra)


def _candidate(texts: Mapping[str, str], raw: str, needed: set[str]) -> Candidate | Dropped:
    missing = [KEYS[field] for field in ("instruction", "output") if not texts.get(field)]
    if missing:
        return Dropped(raw=raw, reason="missing_field", evidence=f"no text under {' and '.join(missing)}")
    return Candidate(
        texts["instruction"], texts.get("input", ""), texts["output"], raw, tuple(sorted(needed))
    )


def _trimmed(lines: Sequence[str]) -> list[str]:
    return "\n".join(lines).strip().split("\n")


def _shield(text: str) -> str:
    return "\n".join(f"\\{line}" if _SHIELDED.fullmatch(line) else line for line in text.split("\n"))


def _shield_input(text: str) -> str:
    return f"\\{text}" if says_no_input(text.lstrip("\\")) and text else _shield(text) or NO_INPUT


def _unshield_input(text: str, pack: Pack) -> str:
    if says_no_input(text, pack):
        return ""
    return text[1:] if text.startswith("\\") and says_no_input(text.lstrip("\\"), pack) else text


def _unshield(line: str) -> str:
    return line[1:] if line.startswith("\\") and _SHIELDED.fullmatch(line) else line


def _objects(text: str, finish: str, pack: Pack, common: set[str]) -> Iterator[Candidate | Dropped]:
    """Yield the items of a reply that is JSON."""
    for raw, texts, error in read_json_items(text, pack):
        if error:
            reason = "unparsable" if finish == "stop" else "truncated"
            yield Dropped(raw=raw, reason=reason, evidence=f"finish: {finish}, {error} in the JSON")
        else:
            input = texts.get("input", "")
            needed = _other_words(input, pack) if input else set()  # JSON has ways of its own to say nothing
            item = texts | {"input": "" if says_no_input(input, pack) else input}
            yield _candidate(item, raw, common | {"json"} | needed)
