"""A text as people must see it: paragraphs with their direction, and what would mislead a reader marked.

    ltr         a sum, date, range, tag or address inside right-to-left text: it keeps its own order
    lookalike   a word typed with another language's letter, which looks right in most positions
    hidden      a character that nobody sees: direction marks, zero-width space, byte-order mark

A page shows each piece as text and nothing else; `mark_changes` cuts a difference into whole words, since a
cut inside a word tears a joined script's letters apart, and one inside a sum lays it out backwards.
"""

from __future__ import annotations

import difflib
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypedDict

import regex

from alif.language.bidi import Direction, split_runs, text_direction
from alif.language.language_id import find_lookalikes
from alif.language.normalisation import normalise_text
from alif.language.pack import Pack

__all__ = ["MarkedParagraph", "Piece", "fix_letters", "has_hidden", "mark_changes", "mark_text"]

_HIDDEN = regex.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_TOKEN = regex.compile(r"\s+|[\p{L}\p{M}\p{N}\u200c\u200d]+|.")
_FENCE = "```"
MAX_CELLS = 4_000_000
"""Most words before times words after that are compared; a longer paragraph is shown as replaced."""


class Piece(NamedTuple):
    """A stretch of text, how it is shown ("": as it is), and the code points that are named beside it."""

    text: str
    kind: str = ""
    title: str = ""


class Span(TypedDict):
    """Pieces that are in both texts ("="), only in the first ("-"), or only in the second ("+")."""

    change: str
    pieces: list[Piece]


class MarkedParagraph(TypedDict):
    """One line of a text, or a block of code."""

    dir: str
    code: bool
    spans: list[Span]


def mark_text(text: str, pack: Pack | None, fixed: Direction | None = None) -> list[MarkedParagraph]:
    """Return the paragraphs of a text, each in the direction of most of its letters, or all in a `fixed` one.

    A tie of letters runs as the pack does, else left-to-right; code always left-to-right.
    """
    found: list[MarkedParagraph] = []
    for line, own, code in _paragraphs(text, pack):
        way = fixed if fixed and not code else own
        found.append(
            {"dir": way, "code": code, "spans": [{"change": "=", "pieces": _mark_line(line, way, pack)}]}
        )
    return found


def mark_changes(before: str, after: str, pack: Pack | None) -> list[MarkedParagraph]:
    """Return the paragraphs that differ, each with what was taken out and what was put in, by whole words."""
    old, new = list(_paragraphs(before, pack)), list(_paragraphs(after, pack))
    found: list[MarkedParagraph] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for one, other in itertools.zip_longest(old[a:b], new[c:d]):
            way, code = (other or one)[1:]
            spans = _diff(
                _mark_line(one[0], way, pack) if one else [], _mark_line(other[0], way, pack) if other else []
            )
            found.append({"dir": way, "code": code, "spans": spans})
    return found


def fix_letters(text: str, pack: Pack | None) -> str:
    """Return a text without hidden characters, with the pack's letters for look-alikes outside quotations."""
    if pack is None:
        return _HIDDEN.sub("", text)
    text = normalise_text(text, pack)
    wrong = {word for word, _, _ in find_lookalikes(text, pack)}
    table = str.maketrans(dict(pack.lookalikes))
    return _WORD.sub(lambda word: word[0].translate(table) if word[0] in wrong else word[0], text)


def has_hidden(text: str) -> bool:
    """Tell whether a text holds a character that nobody sees and that may fake an order."""
    return _HIDDEN.search(text) is not None


def _paragraphs(text: str, pack: Pack | None) -> Iterator[tuple[str, str, bool]]:
    """Yield (line or whole block of code, direction, whether it is code); fences are left out."""
    code: list[str] | None = None
    for line in text.split("\n"):
        if line.strip().startswith(_FENCE):
            if code is not None:
                yield "\n".join(code), "ltr", True
            code = [] if code is None else None
        elif code is not None:
            code.append(line)
        else:
            yield line, text_direction(line, pack.direction if pack else "ltr"), False
    if code is not None:
        yield "\n".join(code), "ltr", True


def _mark_line(line: str, way: str, pack: Pack | None) -> list[Piece]:
    wrong = {word: f"{bad} → {good}" for word, bad, good in (find_lookalikes(line, pack) if pack else ())}
    found: list[Piece] = []
    for part in regex.split(f"({_HIDDEN.pattern})", line):
        if has_hidden(part):
            found.append(Piece(part, "hidden", f"U+{ord(part):04X} {unicodedata.name(part, 'control')}"))
            continue
        for piece, alone in split_runs(part) if way == "rtl" else [(part, False)]:
            words = [piece] if alone or not wrong else regex.split(f"({_WORD.pattern})", piece)
            for is_wrong, several in itertools.groupby(words, wrong.__contains__):
                text = "".join(several)
                if text:
                    kind = "ltr" if alone else "lookalike" if is_wrong else ""
                    found.append(Piece(text, kind, wrong.get(text, "")))
    return found


def _diff(old: list[Piece], new: list[Piece]) -> list[Span]:
    """Cut two lines into words, a marked piece being one word, and match them."""
    before, after = (
        [
            piece
            for whole in pieces
            for piece in ([whole] if whole.kind else map(Piece, _TOKEN.findall(whole.text)))
        ]
        for pieces in (old, new)
    )
    if len(before) * len(after) > MAX_CELLS:
        blocks: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(before), 0, len(after))]
    else:
        blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    spans: list[Span] = []
    for kind, a, b, c, d in blocks:
        cuts = [("=", before[a:b])] if kind == "equal" else [("-", before[a:b]), ("+", after[c:d])]
        spans += [{"change": sign, "pieces": _joined(pieces)} for sign, pieces in cuts if pieces]
    return spans


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Join neighbouring unmarked words."""
    found: list[Piece] = []
    for marked, several in itertools.groupby(pieces, lambda piece: bool(piece.kind)):
        words = list(several)
        found += words if marked else [Piece("".join(word.text for word in words))]
    return found
