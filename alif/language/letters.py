"""Letters that count and letters that do not: clean a text, and fold it for comparing. Every table is the pack's.

    normalise   fixed shapes from a PDF become letters    safe for training text: encoding only, no letter is exchanged
    fold        "كِتاب ٤٢" → "کتاب 42"                     for comparing only: letters, marks, digits and case that do not count
    words       "Wi-Fi کی رفتار؟" → ["wi", "fi", "کی", "رفتار"]

Why not a library: the usual ones take letters to pieces to strip their marks, and lose the hamza of ئ.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

import regex

from alif.language.pack import Pack

__all__ = ["fold", "normalise", "words"]

TEXTS_KEPT = 8
"""Texts whose words are remembered: the checks, the pool and the counts ask for those of a row one after another."""

_INVISIBLE = r"\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
"""Controls, direction marks, soft hyphen, zero-width space, byte-order mark; not the zero-width joiners, which are spelling."""
_ODD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Anything that `_clean` must look at: controls, surrogates, the invisible, spaces but the usual. Written out: re is faster."""
_ESCAPE = regex.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""A terminal's colour codes."""
_MARK_AS_SPACE = regex.compile(r"(?<=[\p{L}\p{M}\p{N}])[\u200e\u200f]+(?=[\p{L}\p{N}])")
"""Direction marks typed where a space should be."""
_NEW_LINE = regex.compile(r"\r\n|[\r\u0085\u2028\u2029]")
_SPACE = regex.compile(r"[\p{Zs}--[ ]]", regex.V1)
_REMOVED = regex.compile(rf"[{_INVISIBLE}--[\n\t]]", regex.V1)
_SURROGATE = regex.compile(r"\p{Cs}")

_USUAL = (0x0A, *range(0x20, 0x2C00))
"""Characters that are looked at once, so that most texts need not be folded letter by letter."""
_MOVES = regex.compile(r"[\p{M}\p{Hangul}\p{NFKC_QC=No}]")
"""What NFC may join to its neighbour, and what has another shape or is one itself."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_WORD_WITH_APOSTROPHE = regex.compile(r"[\p{Latin}\p{M}]+(?:'\p{Latin}+)+|[\p{L}\p{M}\p{N}]+")

_APOSTROPHES = "\u2019\u02bc"
_PUNCTUATION = regex.compile(r"[،,.]")
"""Number separators that are also punctuation: only the others are read as the first of their kind."""


class _Fold(dict[int, str]):
    """Character → what it counts as, for `str.translate`; worked out when first met."""

    def __init__(self, pack: Pack) -> None:
        compare = pack.compare
        self._steps = dict.fromkeys(compare.drop, "") | dict.fromkeys(compare.space, " ") | dict(compare.letters)
        self._steps |= dict.fromkeys(_APOSTROPHES, "'")
        self._steps |= {char: str(value) for system in pack.numbers.digits for value, char in enumerate(system)}
        for alike in (pack.numbers.decimal, pack.numbers.group):
            self._steps |= {char: alike[0] for char in alike[1:] if not _PUNCTUATION.match(char)}

    def __missing__(self, code: int) -> str:
        found = chr(code)
        while (nearer := "".join(self._steps.get(char, char.casefold()) for char in found)) != found:
            found = nearer
        self[code] = found
        return found


class _Alone(dict[str, str | None]):
    """Character → what it counts as, whatever stands beside it; None where that depends. Worked out when first met."""

    def __init__(self, fold: _Fold, still: re.Pattern[str], joining: str) -> None:
        self._fold, self._still, self._joining = fold, still, frozenset(joining)

    def __missing__(self, char: str) -> str | None:
        folded = self._fold[ord(char)]
        alone = char not in self._joining and not _MOVES.match(char) and not _ODD.match(char) and self._still.fullmatch(folded)
        self[char] = folded if alone else None
        return self[char]


@dataclass(frozen=True)
class _Tables:
    """A pack's tables, made ready for speed."""

    fold: _Fold
    presentation: dict[int, str]
    presented: re.Pattern[str]  # large sets are faster in re
    compose: tuple[tuple[str, str], ...]
    still: re.Pattern[str]
    """A text of usual characters that neither cleaning nor folding changes, whatever stands beside them."""
    word: re.Pattern[str]
    """The words of such a text."""
    other: re.Pattern[str]
    """A character that such a text has not."""
    alone: _Alone


@functools.cache
def _tables(pack: Pack) -> _Tables:
    fold, ends = _Fold(pack), {pieces[-1] for pieces in pack.compare.compose}
    usual = sorted({*map(chr, _USUAL), *pack.script.letters} - ends)
    still = [char for char in usual if char == fold[ord(char)] and not _MOVES.match(char) and not _ODD.match(char)]
    letters = "".join(filter(_WORD.match, still))
    usual_text = re.compile(f"[{re.escape(''.join(still))}]*")
    return _Tables(
        fold=fold,
        still=usual_text,
        alone=_Alone(fold, usual_text, "".join(ends) + pack.clean.presentation_forms),
        other=re.compile(f"[^{re.escape(''.join(still))}]"),
        word=re.compile(f"[{re.escape(letters)}]+" if letters else r"(?!)"),
        presentation={ord(char): unicodedata.normalize("NFKC", char).lstrip(" ") for char in pack.clean.presentation_forms},
        presented=re.compile(f"[{re.escape(pack.clean.presentation_forms)}]" if pack.clean.presentation_forms else r"(?!)"),
        compose=tuple(pack.compare.compose.items()),
    )


def normalise(text: str, pack: Pack) -> str:
    """Return `text` as clean Unicode: NFC, Unix lines, no controls, letters instead of fixed shapes. No letter is exchanged.

    Zero-width joiners stay. A direction mark between two letters was a space. A lone surrogate becomes U+FFFD.
    """
    tables = _tables(pack)
    if _ODD.search(text):
        text = _clean(text)
    if tables.presented.search(text):
        text = text.translate(tables.presentation)
    return unicodedata.normalize("NFC", text)


def _clean(text: str) -> str:
    text = _ESCAPE.sub("", _NEW_LINE.sub("\n", text))
    text = _SPACE.sub(" ", _MARK_AS_SPACE.sub(" ", text))
    return _SURROGATE.sub("\ufffd", _REMOVED.sub("", text))


def fold(text: str, pack: Pack) -> str:
    """Return what counts when two texts are compared. Folding twice changes nothing.

    Example: "كِتابيں" typed with Arabic letters and marks, and "کتابیں" ("books") fold to the same.
    """
    return _folded(text, pack)[0]


def _folded(text: str, pack: Pack) -> tuple[str, bool]:
    """Return the folded text, and whether all its characters are usual ones."""
    tables = _tables(pack)
    plain = _folded_alone(text, tables)
    if plain is None:
        text = normalise(text, pack)
        plain = _folded_alone(text, tables)
    if plain is not None:
        return plain, True
    while True:
        folded = text.translate(tables.fold)
        for pieces, letter in tables.compose:
            folded = folded.replace(pieces, letter)
        again = unicodedata.normalize("NFC", folded)  # a letter that was exchanged may join the mark behind it
        if again in (folded, text):
            return again, False
        text = again


def _folded_alone(text: str, tables: _Tables) -> str | None:
    """Fold a text each of whose characters counts as the same whatever stands beside it; None where one does not."""
    for char in set(tables.other.findall(text)):
        found = tables.alone[char]
        if found is None:
            return None
        text = text.replace(char, found)
    return text


def words(text: str, pack: Pack) -> list[str]:
    """Return the folded words: runs of letters, marks and digits of any script. "don't" is one word."""
    return list(_words(text, pack))


@functools.lru_cache(maxsize=TEXTS_KEPT)
def _words(text: str, pack: Pack) -> tuple[str, ...]:
    folded, usual = _folded(text, pack)
    pattern = _WORD_WITH_APOSTROPHE if "'" in folded else _tables(pack).word if usual else _WORD
    return tuple(pattern.findall(folded))
