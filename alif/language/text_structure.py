r"""The structure of a text that is no words: list items, table cells, headings, fences, links, paragraphs.

    "| a | b |\n|---|---|"     2 table rows of 2 cells         "1. tea\n2. milk"    2 list items
    "```py\n…\n```"          2 fences                         "**Note**"           1 stretch of emphasis

What a translation has fewer of was merged, or left out.
"""

from __future__ import annotations

from collections import Counter

import regex

__all__ = ["count_structure", "find_lost_structure"]

_MARKS = {
    "list items": regex.compile(
        r"^[^\S\n]*(?:[-*+•▪◦‣–]|\p{Nd}{1,3}[.)۔।:-]|\(\p{Nd}{1,3}\)|[\p{L}][.)])[^\S\n]+\S", regex.M
    ),
    "headings": regex.compile(r"^[^\S\n]*#{1,6}[^\S\n]+\S", regex.M),
    "fences": regex.compile(r"^[^\S\n]*(?:```|~~~)", regex.M),
    "links": regex.compile(r"\]\((?=[^)\s])"),
    "stretches of emphasis": regex.compile(r"\*\*(?=\S)[^*\n]+?\*\*|(?<!\w)__(?=\S)[^_\n]+?__(?!\w)"),
    "blanks": regex.compile(r"_{3,}|\.{5,}|…{2,}"),
    "check boxes": regex.compile(r"^[^\S\n]*[-*+] \[[ xX]\]", regex.M),
}
_TABLE_ROW = regex.compile(r"^[^\S\n]*\|?(?:[^|\n]*\|)+[^|\n]*$", regex.M)
_RULE_ROW = regex.compile(r"^[^\S\n]*\|?(?:[^\S\n]*:?-{2,}:?[^\S\n]*\|)+", regex.M)
_PARAGRAPH = regex.compile(r"\n[^\S\n]*\n")


def count_structure(text: str) -> Counter[str]:
    """Return how many of each there are; of table rows by their number of cells."""
    found = Counter({name: sum(1 for _ in mark.finditer(text)) for name, mark in _MARKS.items()})
    if _RULE_ROW.search(text):
        found.update(
            f"table rows of {row[0].strip().strip('|').count('|') + 1} cells"
            for row in _TABLE_ROW.finditer(text)
        )
    if "|" not in text and "\t" in text:
        found.update(
            f"rows of {line.count(chr(9)) + 1} cells" for line in text.split("\n") if "\t" in line.strip()
        )
    found["paragraphs"] = sum(1 for part in _PARAGRAPH.split(text) if part.strip())
    return +found


def find_lost_structure(before: str, after: str) -> str:
    """Say what a translation has fewer of than its original, "" if nothing."""
    if "\n" not in before and not any(mark in before for mark in ("**", "__", "](", "..", "…")):
        return ""
    wanted, there = count_structure(before), count_structure(after)
    lost = {
        name: count
        for name, count in wanted.items()
        if there[name] < count and (count > 1 or name != "list items")
    }
    name = next(iter(lost), "")
    return f"{there[name]} of {lost[name]} {name}" if name else ""
