"""Recognise a text that says that there is none: <noinput>, `N/A`, "(empty)", "کوئی نہیں" ("none"), —.

One list for teachers' replies and published rows: such an input is no input, such an output an empty one.
"""

from __future__ import annotations

import functools
import html
import re

from alif.language.normalisation import split_words
from alif.language.pack import Pack

__all__ = ["NO_INPUT", "read_input", "says_no_input", "says_nothing"]

NO_INPUT = "<noinput>"
MAX_NO_INPUT_CHARS = 40

_NOT_NEEDED = "(?:needed|required|necessary|provided|given|available|applicable|specified|supplied|included)"
_NOTHING = re.compile(
    r"noinput|nooutput|nocontext|none|null|nil|nan|empty|blank|n a"
    r"|no (?:additional |further |specific |extra |explicit )?(?:input|output|context)"
    rf"(?: (?:is|was|data|text))?(?: {_NOT_NEEDED})?"
    rf"|(?:none|(?:(?:the )?(?:input|output|context) (?:is )?)?not) {_NOT_NEEDED}"
    r"|(?:(?:the )?(?:input|output|context) is )?(?:left )?(?:empty|blank|none|null)"
    r"|empty (?:input|output|string|text|field)"
)
"""Words that say it, in any letter case and with any punctuation; the pack's keys.no_input are added."""
_MARKS_ALONE = re.compile(r"""[\s\-‐-―−_.۔"'`“”‘’«»()\[\]{}<>]+""")
"""What quotes, brackets, dashes and points alone hold is nothing."""
_WORD = re.compile(r"[^\W_]+")


def read_input(text: str, pack: Pack) -> tuple[str, set[str]]:
    """Return an input, "" where it says that there is none, and the deviations from the format."""
    if not says_no_input(text, pack):
        return text, set()
    return "", set() if text == NO_INPUT else {"no_input_words"}


def says_no_input(input: str, pack: Pack | None = None) -> bool:
    """Tell whether an input says that there is none; with a pack, also in its words."""
    return input in ("", NO_INPUT) or (not input.startswith("\\") and says_nothing(input, pack))


def says_nothing(text: str, pack: Pack | None = None) -> bool:
    """Tell whether a text holds no more than a word or sign for "nothing is here"."""
    if len(text) > MAX_NO_INPUT_CHARS or "\n" in text.strip():
        return False
    plain = html.unescape(text)
    words = " ".join(_WORD.findall(plain.casefold()))
    if not plain.strip() or _MARKS_ALONE.fullmatch(plain) or _NOTHING.fullmatch(words):
        return True
    return pack is not None and tuple(split_words(plain, pack)) in _no_input_phrases(pack)


@functools.lru_cache
def _no_input_phrases(pack: Pack) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(split_words(phrase, pack)) for phrase in pack.keys.no_input)
