"""Undo what encodings and PDF files have done to a text. The pack's letters and function words decide.

    find_encoding    bytes in Windows-1256, UTF-16, ISO 8859-6 …      → the name of the codec
    repair_text      "Ø§Ø±Ø¯Ùˆ" or "ط§ط±ط¯ظˆ", once or twice over      → "اردو"            `mojibake`
                     "ںیہ ےہر", as a PDF file shows it              → "رہے ہیں"         `visual_order`
                     "كتاب" of a codec that has no ک                → "کتاب"            `legacy_letters`

Nothing is guessed: a repair counts only where the pack knows more of the result than of what was there.
"""

from __future__ import annotations

import codecs
import functools
import re
import unicodedata

import regex

from alif.language.bidi import split_runs
from alif.language.garbled_text import find_garbled_text
from alif.language.language_id import find_lookalikes
from alif.language.letter_counts import LetterCount
from alif.language.normalisation import normalise_text, phrase_words, split_words
from alif.language.pack import MAX_CACHED_PACKS, Pack

__all__ = ["find_encoding", "mend_lookalikes", "repair_text"]

LEGACY_CODECS = (
    "cp1252", "cp1256", "iso8859_6", "cp720", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255",
    "cp1257", "cp1258", "cp874", "shift_jis", "euc_kr", "gb18030", "big5",
)  # fmt: skip
"""Encodings that are tried where a file is not UTF-8. The first of equals is taken."""
MAX_DAMAGED_SHARE = 0.01
"""Most bytes outside UTF-8 in a UTF-8 file with damage: another encoding has one in nearly each letter."""
MIN_KNOWN_SHARE = 0.8
"""Least share of letters that the pack knows in a text of an encoding that was found by trying."""
MOST_LAYERS = 2
"""Times that a text may have been read in the wrong encoding, one upon the other."""
MIN_BACKWARD_WORDS = 2
"""Fewest function words backwards that show a text in visual order."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_WIDE_CODECS = ("utf-16-le", "utf-16-be")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_NON_ASCII = regex.compile(r"[^ \t\r\n]*[^\x00-\x7f][^ \t\r\n]*")
_HIDDEN = {
    "control_characters": regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"),
    "hidden_characters": regex.compile(r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"),
}
"""Repairs of `normalise_text` by what they take out."""


def find_encoding(head: bytes, pack: Pack) -> str:
    """Return the codec of a file by its first bytes; "" where none gives letters that the pack knows.

    A UTF-8 file with a few damaged bytes is "utf-8".
    """
    for mark, codec in _BOMS.items():
        if head.startswith(mark):
            return codec
    if b"\0" in head and (wide := _find_wide_codec(head, pack)):
        return wide
    text = head.decode("utf-8", "replace")
    # the last letter may be cut; a damaged byte is one replacement character
    if text[:-4].count("\ufffd") <= MAX_DAMAGED_SHARE * len(head):
        return "utf-8"
    known = {codec: _known_share(head.decode(codec, "replace"), pack) for codec in LEGACY_CODECS}
    best = max(known, key=known.__getitem__)
    binary = len(_CONTROL_BYTES.findall(head)) > MAX_DAMAGED_SHARE * len(head)  # a picture, not a text
    return best if known[best] >= MIN_KNOWN_SHARE and not binary else ""


def _find_wide_codec(head: bytes, pack: Pack) -> str:
    """Return the byte order of UTF-16 without a mark, "" where zeros are only damage."""
    texts = {codec: head[: len(head) // 2 * 2].decode(codec, "replace") for codec in _WIDE_CODECS}
    known = {codec: _known_share(text, pack) for codec, text in texts.items()}
    best = max(known, key=known.__getitem__)
    least = max(MIN_KNOWN_SHARE, _known_share(head.decode("utf-8", "replace"), pack))
    return best if known[best] > least else ""


def _known_share(text: str, pack: Pack) -> float:
    """Return the share of letters, lost and unassigned characters that the pack knows; 1.0 without any."""
    count = LetterCount.of(text, pack)
    lost = sum(text.count(char) for char in {*text} if char == "\ufffd" or unicodedata.category(char) == "Cn")
    total = count.total + lost
    return (count.in_script - count.out_of_inventory) / total if total else 1.0


def repair_text(
    text: str, pack: Pack, codec: str = "utf-8", visual: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Return a text as `normalise_text` does, its garbled and reversed lines put right, and what was done.

    `codec` is what the file was decoded from: where it lacks a letter, another was typed for it. Only a text
    of a PDF file is turned round: `visual`, or with presentation forms in it.
    """
    repairs: list[str] = []

    def note(name: str, repaired: str) -> None:
        nonlocal text
        if repaired != text:
            repairs.append(name)
            text = repaired

    for _ in range(MOST_LAYERS if not text.isascii() and find_garbled_text(text) else 0):
        note("mojibake", _NON_ASCII.sub(lambda word: _undo_mojibake(word[0], pack), text))
    if codec in LEGACY_CODECS:
        note("legacy_letters", text.translate(_letters_missing(codec, pack)))
    cleaned = normalise_text(text, pack)
    if cleaned != text:
        repairs += [name for name, found in _HIDDEN.items() if found.search(text)]
        if not set(pack.clean.presentation_forms).isdisjoint(text):
            repairs.append("presentation_forms")
        if not unicodedata.is_normalized("NFC", text):
            repairs.append("decomposed_letters")
    shown = visual or "presentation_forms" in repairs
    if shown and pack.direction == "rtl" and _is_backwards(cleaned, pack):  # before ﻼ becomes two letters
        repairs.append("visual_order")
        cleaned = normalise_text("\n".join(map(_reverse_line, text.split("\n"))), pack)
    return cleaned, tuple(dict.fromkeys(repairs))


def mend_lookalikes(text: str, pack: Pack) -> str:
    """Return a text with the right letters for look-alikes, quotations left as they are: "كتاب" → "کتاب"."""
    right = {ord(wrong): letter for wrong, letter in pack.lookalikes.items()}
    words = {word for word, _, _ in find_lookalikes(text, pack)}
    return _WORD.sub(lambda word: word[0].translate(right) if word[0] in words else word[0], text)


def _undo_mojibake(word: str, pack: Pack) -> str:
    """Return what a word was before its UTF-8 was read in a one-byte encoding, or the word itself.

    No byte of a letter is a space in UTF-8, so each word tells for itself. What the pack knows less of is
    chance: the bytes of "تک" are ʘ in UTF-8.
    """
    for codec in ("latin-1", "cp1252", "cp1256"):
        undone = word
        for _ in range(MOST_LAYERS):
            undone = _undo_layer(undone, codec)
            if undone and _known_share(undone, pack) >= _known_share(word, pack):
                return undone
    return word


def _undo_layer(word: str, codec: str) -> str:
    """Return what the bytes of `word` in `codec` are in UTF-8, "" where they are not UTF-8.

    A byte without a letter in a Windows encoding stays as it is in the text: programs do so.
    """
    known = (char.encode(codec, "ignore") or chr(min(ord(char), 0xFF)).encode("latin-1") for char in word)
    try:
        return b"".join(known).decode()
    except UnicodeDecodeError:
        return ""


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _letters_missing(codec: str, pack: Pack) -> dict[int, str]:
    """Return {look-alike: letter} for the letters of the pack that `codec` cannot write."""
    return {
        ord(wrong): right
        for wrong, right in pack.lookalikes.items()
        if not right.encode(codec, "ignore") and wrong.encode(codec, "ignore")
    }


def _is_backwards(text: str, pack: Pack) -> bool:
    """Tell whether function words stand backwards in a text, and more of them than the right way round."""
    known = phrase_words(pack.script.function_words, pack)
    words = [word for word in split_words(text, pack) if len(word) > 1]
    backwards = sum(word[::-1] in known for word in words)
    return backwards >= MIN_BACKWARD_WORDS and backwards > sum(map(known.__contains__, words))


def _reverse_line(line: str) -> str:
    """Return a line in reading order that was in the order of its places."""
    return "".join(piece[::-1] if kept else piece for piece, kept in split_runs(line[::-1]))
