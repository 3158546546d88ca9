"""Find text that a wrong encoding lost or garbled: "????", "Ø§Ø±Ø¯Ùˆ" or "ط§ط±ط¯ظˆ" for "اردو", U+FFFD.

UTF-8 that was read as Windows-1252 or -1256 shows pairs of characters that no language writes: a letter that
stands for a first byte of UTF-8, and a sign that stands for a later one.
"""

from __future__ import annotations

import re

__all__ = ["find_garbled_text"]

MIN_LOST_SHARE = 0.5
"""More words than that are question marks alone in a text whose letters were lost."""
MIN_LOST_MARKS = 3
"""Question marks in such a text; one or two may be meant."""


def _later_bytes(codec: str) -> str:
    """Return what the bytes 80 to BF of UTF-8 look like when they are read in `codec`."""
    shown = (bytes([byte]).decode(codec, "ignore") for byte in range(0x80, 0xC0))
    return re.escape("".join(shown) + "".join(map(chr, range(0x80, 0xC0))))


_LATIN, _ARABIC = _later_bytes("cp1252"), _later_bytes("cp1256").translate(dict.fromkeys(map(ord, "،؛")))
_MOJIBAKE = re.compile(
    rf"[ÂÃ][{_LATIN}]|[âàï][{_LATIN}]{{2}}|ð[{_LATIN}]{{3}}"
    rf"|(?:[ÄÅÎÏÐÑ×ØÙÚÛ][{_LATIN}] ?){{2}}|(?:[طظعغ][{_ARABIC}] ?){{2}}"
)
"""First bytes of UTF-8 as they look in Windows-1252; of Arabic letters in Windows-1256 too. The rarer ones
count from two on."""
_QUESTION_MARKS = re.compile(r"\?+")


def find_garbled_text(text: str) -> str:
    """Return a part of a text that a wrong encoding has garbled, "" where there is none."""
    if "\ufffd" in text:
        return "U+FFFD"
    if not text.isascii() and (found := _MOJIBAKE.search(text)):
        return f"{text[found.start() : found.start() + 20]!r} is UTF-8 read in another encoding"
    words = text.split() if text.count("?") >= MIN_LOST_MARKS else []
    lost = sum(_QUESTION_MARKS.fullmatch(word.strip(".,!:;()\"'")) is not None for word in words)
    return f"{lost} of {len(words)} words are question marks" if lost > MIN_LOST_SHARE * len(words) else ""
