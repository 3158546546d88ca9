"""Markdown in an answer, counted: list items, headings, bold spans and table rows, in any script.

Judges like them whatever the answer says: arXiv 2604.23178 measures a style bias of 0.76 to 0.92.
"""

from __future__ import annotations

import regex

__all__ = ["count_markdown"]

_MARKS = regex.compile(
    r"^[^\S\n]*(?:[-*+•][^\S\n]|\p{Nd}{1,3}[.)۔।][^\S\n]|\#{1,6}[^\S\n]|\|.*\|[^\S\n]*$)"
    r"|\*\*(?=\S)[^*\n]+\*\*",
    regex.MULTILINE,
)


def count_markdown(text: str) -> int:
    """Return how many list items, headings, bold spans and table rows there are.

    Example: "۱۔ دودھ" ("1. milk") is a list item, "3.5 گرام" ("3.5 grams") is none.
    """
    return sum(1 for _ in _MARKS.finditer(text))
