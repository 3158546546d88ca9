"""Count the letters of a text that are of a pack's script, distinctive of its language, or not of it."""

from __future__ import annotations

import functools
import itertools
import sys
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import regex

from alif.language.pack import MAX_CACHED_PACKS, Pack

__all__ = [
    "LetterCount",
    "blank_code",
    "count_letters",
    "in_script",
    "is_letter",
    "known_letters",
    "strip_code",
]

_CODE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|\b(?:https?://|www\.)\S+|\S+@\S+\.\w+", regex.S)
_MAY_BE_CODE = regex.compile(r"[`@]|://|www")
_LETTER = regex.compile(r"(?![\p{Script=Common}\p{Script=Inherited}])\p{L}")


class LetterCount(NamedTuple):
    """Letters of a text, as a pack sees them."""

    total: int
    in_script: int = 0
    distinctive: int = 0
    out_of_inventory: int = 0  # in the script, and not of the language

    @classmethod
    def of(cls, text: str, pack: Pack) -> LetterCount:
        kinds = _letter_kinds(pack).of(text)
        distinctive, outside = kinds.count(b"d"), kinds.count(b"x")
        in_script = distinctive + outside + kinds.count(b"p")
        return cls(len(kinds) - kinds.count(b"-"), in_script, distinctive, outside)

    def proves(self, pack: Pack) -> bool:
        """Tell whether the letters prove the pack's language, as far as letters can."""
        script = pack.script
        return bool(script.distinctive) and self.distinctive >= script.distinctive_share * self.in_script


def count_letters(text: str, packs: Sequence[Pack]) -> dict[Pack, LetterCount]:
    """Count the letters for each pack; once all are found in one script, packs of another have none."""
    found: dict[Pack, LetterCount] = {}
    script = ""
    for pack in packs:
        if script and script != pack.script.name:
            found[pack] = LetterCount(found[packs[0]].total)
        else:
            found[pack] = count = LetterCount.of(text, pack)
            script = pack.script.name if count.in_script == count.total else script
    return found


def strip_code(text: str) -> str:
    """Return a text with blanks for code, web and mail addresses; the same object if it has none."""
    return _CODE.sub(" ", text) if _MAY_BE_CODE.search(text) else text


def blank_code(text: str) -> str:
    """Return a text as long as before, with blanks for code, web and mail addresses."""
    if not _MAY_BE_CODE.search(text):
        return text
    return _CODE.sub(lambda found: regex.sub(r"[^\n]", " ", found[0]), text)


@functools.cache
def is_letter(char: str) -> bool:
    """Tell whether a character is a letter of a script."""
    return bool(_LETTER.match(char))


@functools.cache
def in_script(char: str, script: str) -> bool:
    """Tell whether a character is of a script, by Unicode's name."""
    return bool(regex.match(rf"\p{{Script={script}}}", char))


@functools.lru_cache
def known_letters(pack: Pack) -> frozenset[str]:
    """Return the letters that a text of the language may hold, look-alikes and quotations included."""
    tables = (pack.lookalikes, pack.compare.letters, pack.quoted.letters, pack.clean.presentation_forms)
    return frozenset(itertools.chain(pack.script.letters, *tables))


class _LetterKinds:
    """Character → "d" distinctive, "p" plain, "x" out-of-inventory, "o" of another script, "-" no letter."""

    def __init__(self, pack: Pack) -> None:
        self._script = pack.script.name
        self._known = dict.fromkeys(known_letters(pack), "p") | dict.fromkeys(pack.script.distinctive, "d")
        self._table = np.zeros(sys.maxunicode + 1, dtype=np.uint8)

    def of(self, text: str) -> bytes:
        """Return the kinds of the characters of `text`, one byte each."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        kinds = self._table.take(codes).tobytes()
        if b"\0" not in kinds:
            return kinds
        for char in set(text):
            self._table[ord(char)] = ord(self.kind(char))
        return self._table.take(codes).tobytes()

    def kind(self, char: str) -> str:
        if not is_letter(char):
            return "-"
        if not in_script(char, self._script):
            return "o"
        plain = unicodedata.normalize("NFKC", char)  # ﷺ is four words in one sign: letters in a fixed shape
        letters = [one for one in plain if is_letter(one)]
        return self._known.get(char, "p" if plain != char and self._known.keys() >= {*letters} else "x")


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _letter_kinds(pack: Pack) -> _LetterKinds:
    return _LetterKinds(pack)
