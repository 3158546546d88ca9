"""Right-to-left text on a screen: which way a paragraph runs, and which pieces of it keep their own order.

The Unicode algorithm lays an unmarked `1350 - 130 = 1220` inside an Urdu sentence from right to left, so that
readers see `1220 = 130 - 1350`. Every such piece therefore gets a left-to-right isolate. What a letter is
comes from Unicode's own classes (L, R, AL, EN, …), so nothing here knows a language.

    "لہٰذا 1350 - 130 = 1220، یعنی" → ("لہٰذا ", False) ("1350 - 130 = 1220", True) ("، یعنی", False)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

__all__ = ["isolate", "split_runs", "text_direction"]

Direction = Literal["ltr", "rtl"]

LRI, RLI, PDI = "\u2066", "\u2067", "\u2069"
_CONTROLS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<"}
_RUN = re.compile(r"[LN][LNosc. ]*[LN]|[LN]")
"""A stretch of letters and numbers with anything between them but a right-to-left letter."""
_LIST = re.compile(r"(?<=N)c(?= +[so]?N)")
"""A comma between two numbers, followed by a space: the numbers are a list, not one run."""
_CLASSES = {
    "L": "L",
    "EN": "N",
    "AN": "N",
    "R": "R",
    "AL": "R",
    "ES": "s",
    "ET": "s",
    "WS": " ",
    "CS": "c",
    "NSM": ".",
}


def text_direction(text: str, otherwise: Direction = "rtl") -> Direction:
    """Return the direction of a paragraph: that of most of its letters; a tie runs `otherwise`.

    The first letter decides nothing, which is why `dir="auto"` is wrong: "Python ایک زبان ہے۔" is an Urdu
    sentence.
    """
    classes = [unicodedata.bidirectional(letter) for letter in text]
    right, left = sum(name in ("R", "AL") for name in classes), classes.count("L")
    return otherwise if right == left else "rtl" if right > left else "ltr"


def split_runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield (piece, whether it is a left-to-right run) of a right-to-left paragraph; joined they are `text`.

    Isolated are runs of Latin words, numbers, sums, ranges, dates, percentages, versions, tags and addresses.
    In a list of numbers ("1, 2, 3") each stands alone, so that the list runs with its sentence.
    """
    shape = "".join(_CLASSES.get(unicodedata.bidirectional(letter), "o") for letter in text)
    shape = _LIST.sub("R", shape)
    done = 0
    for found in _RUN.finditer(shape):
        start, end = _widened(text, shape, found.start(), found.end(), done)
        if start < done:
            continue
        if start > done:
            yield text[done:start], False
        yield text[start:end], True
        done = end
    if done < len(text):
        yield text[done:], False


def _widened(text: str, shape: str, start: int, end: int, floor: int) -> tuple[int, int]:
    """Take in marks that touch a run and belong to it: `-5`, `10%`, `C++`, `print()`, `</b>`, `Is it?`."""
    while start > floor and shape[start] == "N" and shape[start - 1] == "s":
        start -= 1
    opening = "</" if text.endswith("</", floor, start) else "<" if text.endswith("<", floor, start) else ""
    if opening and ">" in text[start : end + 1]:
        start -= len(opening)
    while end < len(text):
        opener = _BRACKETS.get(text[end])
        opened_inside = opener is not None and text.count(opener, start, end) > text.count(
            text[end], start, end
        )
        if not (shape[end] == "s" or opened_inside or text[end : end + 2] in ("()", "[]", "{}")):
            break
        end += 1
    if text[end : end + 1] in ("?", "!") and shape[start] == "L" and " " in text[start:end]:
        end += 1  # it ends a quoted sentence: the mark is not the script's own
    return start, end


def isolate(text: str, way: Direction) -> str:
    """Return a line for a terminal: an isolate around it and, if it is right-to-left, around its inner runs.

    Direction marks that the text brought along are left out: they could open what this line does not close.
    """
    plain = text.translate(_CONTROLS)
    if way == "ltr":
        return f"{LRI}{plain}{PDI}" if text_direction(plain, "ltr") == "rtl" else plain
    inner = "".join(f"{LRI}{piece}{PDI}" if alone else piece for piece, alone in split_runs(plain))
    return f"{RLI}{inner}{PDI}"
