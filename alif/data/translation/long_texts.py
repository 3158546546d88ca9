"""Split a long text for translation, and join the pieces again: nothing is lost between them.

Cut at paragraphs, then at lines, sentences and words; code in a fence stays whole if it fits.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from alif.language.pack import Pack

__all__ = ["split_text"]

_FENCE = regex.compile(r"^[^\S\n]*(?:```|~~~).*?^[^\S\n]*(?:```|~~~)[^\S\n]*$", regex.M | regex.S)
_CUTS = (regex.compile(r"\n[^\S\n]*\n+"), regex.compile(r"\n"))


def split_text(value: str, limit: int, pack: Pack) -> list[str]:
    """Return pieces of at most about `limit` characters that joined are the text; a word is never cut."""
    marks = regex.escape(pack.sentences.marks)
    cuts = (*_CUTS, regex.compile(rf"(?<=[{marks}][^\w\s]?)[^\S\n]+"), regex.compile(r"[^\S\n]+"))
    pieces: list[str] = []
    for part in _split(value, limit, cuts):
        if pieces and len(pieces[-1]) + len(part) <= limit:
            pieces[-1] += part
        else:
            pieces.append(part)
    return pieces


def _split(value: str, limit: int, cuts: tuple[regex.Pattern[str], ...]) -> Iterator[str]:
    """Yield parts that end behind a cut, cut again where they are too long."""
    if len(value) <= limit or not cuts:
        yield value
        return
    fenced = {place for found in _FENCE.finditer(value) for place in range(found.start() + 1, found.end())}
    inside = fenced if len(fenced) < len(value) else set()
    begin = 0
    for cut in cuts[0].finditer(value):
        if cut.start() not in inside:
            yield from _split(value[begin : cut.end()], limit, cuts[1:])
            begin = cut.end()
    yield from _split(value[begin:], limit, cuts[1:])
