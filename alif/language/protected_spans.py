"""Code, addresses and numbers that a translation must keep.

They are not hidden behind placeholders, which damage the grammar around them: the teacher is told to keep
them, and a translation that lost one is dropped with what is missing.
"""

from __future__ import annotations

import re
from collections import Counter

from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["protected_numbers", "protected_spans", "without_protected"]

_PROTECTED = re.compile(
    r"```.+?```|`[^`\n]+`|\bhttps?://[^\s<>\"'»”]+|\bwww\.[^\s<>\"'»”]+"
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+|\b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b"
    r"|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b|\b[A-Za-z_]+\(\)|\{[A-Za-z_]+\}"
    r"|\b[\w-]+\.(?:py|js|html|json|csv|txt|md|pdf)\b",
    re.DOTALL | re.ASCII,
)
"""Code, web and mail addresses, names of variables, functions and files."""
_SENTENCE_MARKS = ".,;:!?،؛؟۔।"
"""Marks that end the sentence, not the address before them, in the shipped scripts."""


def protected_spans(text: str) -> Counter[str]:
    """Return code, addresses and names of a text, each as often as it occurs."""
    return Counter(found.rstrip(_SENTENCE_MARKS) for found in _PROTECTED.findall(text))


def protected_numbers(text: str, pack: Pack) -> Counter[str]:
    """Return the runs of digits of a text, folded; marks that group digits do not split them."""
    folded = fold_text(without_protected(text), pack)
    group = re.escape(fold_text(pack.numbers.group, pack))
    return Counter(re.findall(r"\d+", re.sub(rf"(?<=\d)[{group}](?=\d)", "", folded)))


def without_protected(text: str) -> str:
    """Return a text with a space for each protected span."""
    return _PROTECTED.sub(" ", text)
