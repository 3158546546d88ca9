"""Recognise an input that says that there is none: <noinput>, `No input`, "کوئی نہیں" ("none")."""

from __future__ import annotations

import functools
import html
import re

from alif.language.normalisation import split_words
from alif.language.pack import Pack

__all__ = ["NO_INPUT", "read_input", "says_no_input"]

NO_INPUT = "<noinput>"
NO_INPUT_WORDS = (
    "noinput",
    "no input",
    "none",
    "n a",
    "not applicable",
    "no input needed",
    "no input required",
)
"""Other ways to say it, in any letter case and with any punctuation; the pack's keys.no_input are added."""
MAX_NO_INPUT_CHARS = 40

_WORD = re.compile(r"[^\W_]+")


def read_input(text: str, pack: Pack) -> tuple[str, set[str]]:
    """Return an input, "" where it says that there is none, and the deviations from the format."""
    if not says_no_input(text, pack):
        return text, set()
    return "", set() if text == NO_INPUT else {"no_input_words"}


def says_no_input(input: str, pack: Pack | None = None) -> bool:
    """Tell whether an input says that there is none; with a pack, also in its words."""
    if input in ("", NO_INPUT):
        return True
    if len(input) > MAX_NO_INPUT_CHARS or input.startswith("\\") or "\n" in input:
        return False
    plain = html.unescape(input)
    if " ".join(_WORD.findall(plain.casefold())) in NO_INPUT_WORDS:
        return True
    return pack is not None and tuple(split_words(plain, pack)) in _no_input_phrases(pack)


@functools.lru_cache
def _no_input_phrases(pack: Pack) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(split_words(phrase, pack)) for phrase in pack.keys.no_input)
