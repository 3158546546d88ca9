"""The text format of items in requests and replies: one writer, one strict reader and one tolerant reader.

Two items, in the demonstrations and in the reply alike; the pack's prompt describes the same format in words:

    Instruction: …
    Input: <noinput>
    Output: …
    ###
    Instruction: …
    Input: …
    Output: …

A label counts only at the beginning of a line and in this order, so text that mentions "Input:" survives; a
line of content that is itself a label or a separator is escaped with a backslash. A reply that is not written
exactly so is read tolerantly: as JSON if it has no label, else without what surrounds its items, piece by
piece, with the first label style that completes its items. Every deviation is named in the candidate. The
last item of a truncated reply is dropped.

Source: Stanford Alpaca's generator, made unambiguous (arXiv 2510.09051 parses another than it asks for).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alif.language.normalisation import normalise_text
from alif.language.pack import Pack
from alif.language.replies import reply_cleanup
from alif.language.replies.control_tokens import find_control_token
from alif.language.replies.field_labels import FIELDS, KEYS, LabelStyle, label_styles, read_label
from alif.language.replies.json_items import read_json_items
from alif.language.replies.no_input import NO_INPUT, read_input, says_no_input
from alif.language.replies.reply_cleanup import FENCE, SEPARATOR
from alif.records import Dropped

__all__ = ["FIELDS", "KEYS", "NO_INPUT", "SEPARATOR", "Candidate", "read_items", "write_item"]

_SEPARATOR = re.compile(r"[ \t]*#{3,}[ \t]*")
_BREAK = re.compile(rf"\n{_SEPARATOR.pattern}(?=\n|\Z)")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_RULE = re.compile(r"[ \t]*(?:[-=*_#]{2,}|#{1,6}[ \t]*\d+[.:)]?)[ \t]*")
_ESCAPED = re.compile(rf"\\*(?:(?:{'|'.join(KEYS.values())}):.*|[ \t]*#{{3,}}[ \t]*)", re.DOTALL)
_LABELLED = re.compile(rf"\n(?:\\|(?:{'|'.join(KEYS.values())}):)")
"""The beginning of a line with a label, or of one that may be escaped."""
_STRICT = re.compile(r"(?:\s*\n)?" + "\n".join(f"{key}:(.*)" for key in KEYS.values()), re.DOTALL)


@dataclass(frozen=True)
class Candidate:
    """One item as the teacher wrote it, in clean Unicode, not yet accepted."""

    instruction: str
    input: str
    output: str
    raw: str  # the piece of the reply that it was read from
    tolerances: tuple[str, ...] = ()
    """Names of its deviations from the format, sorted."""


def write_item(instruction: str, input: str, output: str) -> str:
    """Return one item in the format; `read_items` gives the three texts back.

    Except an input that is one of a pack's `keys.no_input`, which reads as no input.
    """
    escaped = f"\\{input}" if input and says_no_input(input.lstrip("\\")) else _escape(input) or NO_INPUT
    texts = (_escape(instruction), escaped, _escape(output))
    return "\n".join(f"{KEYS[field]}: {value}" for field, value in zip(FIELDS, texts, strict=True))


def _escape(text: str) -> str:
    return "\n".join(f"\\{line}" if _ESCAPED.fullmatch(line) else line for line in text.split("\n"))


def read_items(text: str, finish: str, pack: Pack) -> list[Candidate | Dropped]:
    """Read a reply as candidates and unreadable pieces, in its order; nothing that it holds is lost.

    Args:
        text: the reply.
        finish: "stop" if the reply ended by itself; otherwise its last item is dropped as `truncated`.
        pack: the language's; a teacher may write the labels in it.
    """
    answer, thought = reply_cleanup.strip_thinking(text)
    if not answer.strip():
        reason = "truncated" if thought and finish != "stop" else "empty"
        evidence = f"finish: {finish}{', nothing but thinking' if thought else ''}"
        return [Dropped(raw=text, reason=reason, evidence=evidence)]
    common = {"thinking"} if thought else {"template_tokens"} if answer != text else set()
    if "\n" not in answer.strip() and f"\\n{KEYS['output']}:" in answer:  # \\n in letters, on one line
        answer, common = answer.replace("\\n", "\n"), common | {"escaped_newlines"}
    found = _read_answer(normalise_text(answer, pack), finish, pack, common)
    for place, piece in enumerate(found):
        texts = (piece.instruction, piece.input, piece.output) if isinstance(piece, Candidate) else ()
        if token := find_control_token(*texts):
            found[place] = Dropped(raw=piece.raw, reason="control_token", evidence=token)
    return found


def _read_answer(answer: str, finish: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    if finish == "stop" and (found := _read_strict(answer, pack, common)):
        return found
    lines = answer.split("\n")
    style = next((style for style in label_styles(pack) if any(map(style.starts_item, lines))), None)
    if style is None:
        found = []
        for raw, texts, error in read_json_items(answer, pack):
            if error:
                reason = "unparsable" if finish == "stop" else "truncated"
                evidence = f"finish: {finish}, {error} in the JSON"
                found.append(Dropped(raw=raw, reason=reason, evidence=evidence))
            else:  # its input may be left out or empty
                input, needed = read_input(texts.get("input") or NO_INPUT, pack)
                found.append(_make_candidate(texts | {"input": input}, raw, common | {"json"} | needed))
        return found or _read_pieces(lines, finish, pack, common)
    steps: dict[str, Callable[[list[str]], list[str]]] = {
        "closing_remark": lambda lines: reply_cleanup.strip_remark(
            lines, lambda line: read_label(line, style), style.pack
        ),
        "other_separator": lambda lines: reply_cleanup.split_inline_separators(lines, style.starts_item),
        "headings": lambda lines: reply_cleanup.strip_headings(
            lines, _item_starts(lines, style), {*_separators(lines)}
        ),
        "code_fence": lambda lines: reply_cleanup.strip_fences(
            lines, {*_item_starts(lines, style)}, {*_separators(lines)}
        ),
    }
    if finish != "stop":
        del steps["closing_remark"]
    needed = set(common)
    for name, step in steps.items():
        before, lines = len(lines), step(lines)
        needed |= {name} if len(lines) != before else set()
    return _read_pieces(lines, finish, pack, needed)


def _read_strict(reply: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    """Return the items of a reply that is exactly as asked for; of any other reply nothing."""
    if FENCE in reply:
        return []
    found: list[Candidate] = []
    for piece in _BREAK.split(f"\n{reply}"):
        candidate = _read_strict_item(piece, pack, common)
        if candidate is None or candidate.output.endswith(SEPARATOR):
            return []
        found.append(candidate)
    return [] if _PARAGRAPH.search(found[-1].output) else [*found]  # its last paragraph may be a remark


def _read_strict_item(piece: str, pack: Pack, common: set[str]) -> Candidate | None:
    if len(_LABELLED.findall(f"\n{piece}")) != len(FIELDS):  # of many labels _STRICT would try all pairs
        return None
    match = _STRICT.fullmatch(piece)
    texts = [value.strip() for value in match.groups()] if match else ["", "", ""]
    if not texts[0] or not texts[2] or any(value.startswith("\\") for value in texts):
        return None
    input, needed = read_input(texts[1], pack)
    return Candidate(texts[0], input, texts[2], piece.strip(), tuple(sorted(common | needed)))


def _separators(lines: Sequence[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if SEPARATOR in line and _SEPARATOR.fullmatch(line)]


def _item_starts(lines: Sequence[str], style: LabelStyle) -> list[int]:
    """Return the lines where items begin: an instruction first, after an output or after a separator."""
    starts: list[int] = []
    field = ""
    for number, line in enumerate(lines):
        if SEPARATOR in line and _SEPARATOR.fullmatch(line):
            field = ""
        elif label := read_label(line, style):
            if label.field == "instruction" and field in ("", "output"):
                starts.append(number)
            if _may_follow(label.field, field):
                field = label.field
    return starts


def _may_follow(next: str, field: str) -> bool:
    """Tell whether a field comes after `field`: instruction, input, output, then a new instruction."""
    if field in ("", "output"):
        return next == "instruction"
    return FIELDS.index(next) > FIELDS.index(field)


def _read_pieces(lines: list[str], finish: str, pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    """Read the text between separators piece by piece; `common` are the deviations of the whole reply."""
    pieces = [
        lines[begin + 1 : end] for begin, end in itertools.pairwise([-1, *_separators(lines), len(lines)])
    ]
    styles = label_styles(pack)
    chatter = len(pieces) > 1 and not any(read_label(line, style) for style in styles for line in pieces[0])
    found: list[Candidate | Dropped] = []
    needed = set(common)
    for number, piece in enumerate(pieces):
        blank = not any(line.strip() for line in piece)
        if number == len(pieces) - 1 and finish != "stop":
            if not blank:
                *whole, last = _split_items(piece, pack)[1] or [piece]
                found += _read_piece([*itertools.chain(*whole)], pack, needed) if whole else []
                found.append(Dropped(raw="\n".join(last), reason="truncated", evidence=f"finish: {finish}"))
        elif blank or (number == 0 and chatter):
            needed |= set() if blank else {"preamble"}
        else:
            found += _read_piece(piece, pack, needed)
            needed = set(common)
    return found


def _read_piece(piece: list[str], pack: Pack, common: set[str]) -> list[Candidate | Dropped]:
    if candidate := _read_strict_item("\n".join(piece), pack, common):
        return [candidate]
    style, items = _split_items(piece, pack)
    if not items:
        evidence = f"no line begins with {KEYS['instruction']}:"
        return [Dropped(raw="\n".join(piece).strip(), reason="unparsable", evidence=evidence)]
    found: list[Candidate | Dropped] = []
    for item in items:
        texts, needed = _read_fields(item, style)
        needed |= common | ({"no_input_key"} if "input" not in texts else set())
        if len(items) > 1:
            needed.add("missing_separator")
            body, _, last = texts.get("output", "").rpartition("\n")
            if _RULE.fullmatch(last):
                texts["output"] = body.rstrip()
                needed.add("other_separator")
        found.append(_make_candidate(texts, "\n".join(item).strip(), needed))
    return found


def _split_items(piece: list[str], pack: Pack) -> tuple[LabelStyle, list[list[str]]]:
    """Return the first style that completes every item, else the first that finds any; and its items.

    Text before the first item belongs to it.
    """
    some: tuple[LabelStyle, list[list[str]]] | None = None
    for style in label_styles(pack):
        if starts := _item_starts(piece, style):
            items = [piece[begin:end] for begin, end in itertools.pairwise([0, *starts[1:], len(piece)])]
            if all(_read_fields(item, style)[0].get("output") for item in items):
                return style, items
            some = some or (style, items)
    return some or (label_styles(pack)[0], [])


def _read_fields(item: Sequence[str], style: LabelStyle) -> tuple[dict[str, str], set[str]]:
    """Return the texts of one item by field, and its deviations."""
    parts: dict[str, list[str]] = {}
    needed: set[str] = set()
    field = ""
    for line in item:
        label = read_label(line, style)
        if label and field != "output" and _may_follow(label.field, field):
            field = label.field
            parts[field] = [label.rest]
            needed |= label.tolerances
        elif field:
            parts[field].append(line)
        elif line.strip():
            needed.add("preamble")
    texts: dict[str, str] = {}
    for name, lines in parts.items():
        inner = "\n".join(lines).strip().split("\n")
        escaped = (line.startswith("\\") and _ESCAPED.fullmatch(line) for line in inner)
        texts[name] = "\n".join(line[bool(mark) :] for line, mark in zip(inner, escaped, strict=True))
    if "input" in texts:
        input, deviation = read_input(texts["input"], style.pack)
        needed |= deviation
        texts["input"] = input[input.startswith("\\") and says_no_input(input.lstrip("\\"), style.pack) :]
    return texts, needed


def _make_candidate(texts: dict[str, str], raw: str, needed: set[str]) -> Candidate | Dropped:
    if missing := [KEYS[field] for field in ("instruction", "output") if not texts.get(field)]:
        return Dropped(raw=raw, reason="missing_field", evidence=f"no text under {' and '.join(missing)}")
    return Candidate(
        texts["instruction"], texts.get("input", ""), texts["output"], raw, tuple(sorted(needed))
    )
