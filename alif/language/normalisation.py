"""Clean a text, fold it for comparing, and cut it into words. Every table is the pack's.

    normalise_text   presentation forms become letters    safe for training text: no letter is exchanged
    fold_text        "كِتاب ٤٢" → "کتاب 42"               for comparing only
    split_words      "Wi-Fi کی رفتار؟" → ["wi", "fi", "کی", "رفتار"]

Why not a library: the usual ones decompose letters to strip their marks, and lose the hamza of ئ.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import regex

from alif.language.pack import Pack

__all__ = ["SUBSCRIPTS", "fold_text", "normalise_text", "phrase_words", "split_words"]

CACHED_TEXTS = 8
"""Texts whose words are cached: checks, pool and counts ask for those of a row one after another."""

_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Anything that cleaning changes: controls, surrogates, the invisible, unusual spaces. re is faster."""
_REMOVED = regex.compile(
    r"[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb--[\n\t]]", regex.V1
)
"""Controls, direction marks, soft hyphen, zero-width space, byte-order mark; joiners are spelling."""
_ESCAPE = regex.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""A terminal's colour codes."""
_MARK_AS_SPACE = regex.compile(r"(?<=[\p{L}\p{M}\p{N}])[\u200e\u200f]+(?=[\p{L}\p{N}])")
"""Direction marks typed where a space should be."""
_NEW_LINE = regex.compile(r"\r\n|[\r\u0085\u2028\u2029]")
_SPACE = regex.compile(r"[\p{Zs}--[ ]]", regex.V1)
_SURROGATE = regex.compile(r"\p{Cs}")

_USUAL = "\n" + "".join(map(chr, range(0x20, 0x7F)))
"""What most texts hold beside the letters of their script."""
_JOINS = regex.compile(r"[\p{NFC_QC=No}\p{NFC_QC=Maybe}]")
"""What NFC may replace, or join to the character before it."""
_NON_JOINER = "\u200c"
_BROKEN = regex.compile(
    rf"(?<=(?<![\p{{L}}\p{{M}}{_NON_JOINER}])\p{{L}}\p{{M}}*){_NON_JOINER}(?=\p{{L}})"
    rf"|(?<=[\p{{L}}\p{{M}}]){_NON_JOINER}"
    rf"(?=(?P<end>(?:\p{{L}}\p{{M}}*){{1,2}})(?![\p{{L}}\p{{M}}{_NON_JOINER}]))"
)
"""A zero-width non-joiner inside a word: one letter before it, or one or two behind it that are no word."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_WORD_WITH_APOSTROPHE = regex.compile(r"[\p{Latin}\p{M}]+(?:'\p{Latin}+)+|[\p{L}\p{M}\p{N}]+")

SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_APOSTROPHES = "\u2019\u02bc"
_PUNCTUATION = "،,."
"""Number separators that are also punctuation: only the others are folded to the first of their kind."""


class _FoldTable(dict[int, str]):
    """Character → what it counts as, for `str.translate`; filled when first met."""

    def __init__(self, pack: Pack) -> None:
        compare, numbers = pack.compare, pack.numbers
        steps = dict.fromkeys(compare.drop, "") | dict.fromkeys(compare.space, " ") | dict(compare.letters)
        steps |= dict.fromkeys(_APOSTROPHES, "'")
        digits = (*numbers.digits, SUBSCRIPTS)
        steps |= {char: str(value) for system in digits for value, char in enumerate(system)}
        for alike in (numbers.decimal, numbers.group):
            steps |= {char: alike[0] for char in alike[1:] if char not in _PUNCTUATION}
        self._steps = steps

    def __missing__(self, code: int) -> str:
        found = chr(code)
        while (nearer := "".join(self._steps.get(char, char.casefold()) for char in found)) != found:
            found = nearer
        self[code] = found
        return found


class _Exchange:
    """Context-free character substitution: `stands_for` returns None where it depends on the neighbours."""

    def __init__(self, same: str, stands_for: Callable[[str], str | None]) -> None:
        self._other = re.compile(
            f"[^{re.escape(same)}]"
        )  # few: the rest need not be visited letter by letter
        self._stands_for = functools.cache(stands_for)

    def of(self, text: str) -> str | None:
        for char in set(self._other.findall(text)):
            found = self._stands_for(char)
            if found is None:
                return None
            text = text.replace(char, found)
        return text


@dataclass(frozen=True)
class _Tables:
    """A pack's tables, prepared for speed."""

    fold: _FoldTable
    presentation: dict[int, str]
    presented: re.Pattern[str]  # large sets are faster in re
    compose: tuple[tuple[str, str], ...]
    folded: _Exchange  # to the folded text
    spoken: _Exchange
    """To the folded text with a space where no word is; None with an apostrophe, which may be in a word."""


@functools.lru_cache
def _tables(pack: Pack) -> _Tables:
    fold, forms = _FoldTable(pack), pack.clean.presentation_forms
    joining = frozenset(forms + "".join(pieces[-1] for pieces in pack.compare.compose))

    def folded(char: str) -> str | None:
        found = fold[ord(char)]
        if char == _NON_JOINER and found:  # what it counts as depends on the letters beside it
            return None
        if found and any(
            map(unicodedata.combining, char + found)
        ):  # NFC sorts marks, except where one is dropped
            return None
        joins = (one in joining or _JOINS.match(one) or _ODD.match(one) for one in char + found)
        return None if any(joins) else found

    def spoken(char: str) -> str | None:
        found = folded(char)
        if found is None or "'" in found:
            return None
        return "".join(one if _WORD.match(one) else " " for one in found)

    still = [char for char in sorted({*_USUAL, *pack.script.letters}) if folded(char) == char]
    return _Tables(
        fold=fold,
        presentation={ord(char): unicodedata.normalize("NFKC", char).lstrip(" ") for char in forms},
        presented=re.compile(f"[{re.escape(forms)}]" if forms else r"(?!)"),
        compose=tuple(pack.compare.compose.items()),
        folded=_Exchange("".join(still), folded),
        spoken=_Exchange("".join(char for char in still if spoken(char) == char), spoken),
    )


def normalise_text(text: str, pack: Pack) -> str:
    """Return clean Unicode: NFC, Unix lines, no controls, no presentation forms. No letter is exchanged.

    Zero-width joiners stay. A direction mark between letters becomes a space, a lone surrogate U+FFFD.
    """
    tables = _tables(pack)
    if _ODD.search(text):
        text = _ESCAPE.sub("", _NEW_LINE.sub("\n", text))
        text = _SPACE.sub(" ", _MARK_AS_SPACE.sub(" ", text))
        text = _SURROGATE.sub("\ufffd", _REMOVED.sub("", text))
    if tables.presented.search(text):
        text = text.translate(tables.presentation)
    return unicodedata.normalize("NFC", text)


def fold_text(text: str, pack: Pack) -> str:
    """Return what counts when two texts are compared. Folding twice changes nothing.

    Example: "كِتابيں" typed with Arabic letters and marks, and "کتابیں" ("books") fold to the same.
    """
    tables = _tables(pack)
    plain = tables.folded.of(text)
    if plain is not None:
        return plain
    text = normalise_text(text, pack)
    if _NON_JOINER in text and _NON_JOINER in pack.compare.space:
        words = phrase_words(pack.script.function_words, pack)
        text = _BROKEN.sub(lambda found: found[0] if found["end"] in words else "", text)
    while True:
        folded = text.translate(tables.fold)
        for pieces, letter in tables.compose:
            folded = folded.replace(pieces, letter)
        again = unicodedata.normalize("NFC", folded)  # an exchanged letter may join the mark behind it
        if again in (folded, text):
            return again
        text = again


def split_words(text: str, pack: Pack) -> list[str]:
    """Return the folded words: runs of letters, marks and digits of any script. "don't" is one word."""
    return list(_words(text, pack))


@functools.lru_cache(maxsize=CACHED_TEXTS)
def _words(text: str, pack: Pack) -> tuple[str, ...]:
    spoken = _tables(pack).spoken.of(text)
    if spoken is not None:
        return tuple(spoken.split())
    folded = fold_text(text, pack)
    return tuple((_WORD_WITH_APOSTROPHE if "'" in folded else _WORD).findall(folded))


@functools.lru_cache(maxsize=1024)
def phrase_words(phrases: tuple[str, ...], pack: Pack) -> frozenset[str]:
    """Return the folded words of phrases of the pack."""
    return frozenset(word for phrase in phrases for word in split_words(phrase, pack))
