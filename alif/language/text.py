"""Text of a language: cut it into words and sentences, find phrases and final answers. Every table is the pack's.

    words       "Wi-Fi کی رفتار؟" → ["wi", "fi", "کی", "رفتار"]

Why not a library: the usual ones drop every Latin word or every Urdu one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import regex

from alif.language.answers.arithmetic import check_equations
from alif.language.answers.quantities import parse_number
from alif.language.normalisation import fold_text, normalise_text, split_words
from alif.language.pack import Pack, Task

__all__ = [
    "check_equations",
    "final_answer",
    "find_phrase",
    "fold_text",
    "normalise_text",
    "parse_number",
    "split_sentences",
    "split_words",
]


@functools.cache
def _sentence(pack: Pack) -> regex.Pattern[str]:
    marks, closers = regex.escape(pack.sentences.marks), regex.escape(pack.sentences.closers)
    return regex.compile(rf"(?<=[{marks}][{closers}]*)[^\S\n]+|\n+")


def split_sentences(text: str, pack: Pack) -> list[str]:
    """Return the sentences: cut after a sentence mark that a space follows, and at line ends; only spaces are lost."""
    return [piece.strip() for piece in _sentence(pack).split(text) if piece.strip()]


def find_phrase(text: str, phrases: Iterable[str], pack: Pack) -> str | None:
    """Return the first of `phrases` whose words stand in `text` one after another, or None."""
    spoken = f" {' '.join(split_words(text, pack))} "
    return next((wanted for wanted in phrases if f" {' '.join(_spoken(wanted, pack))} " in spoken), None)


@functools.cache
def _spoken(fixed: str, pack: Pack) -> list[str]:
    """Return the words of a phrase or heading of the pack."""
    return split_words(fixed, pack)


def final_answer(text: str, task: Task, pack: Pack) -> str:
    """Return the final answer: what follows the task's last answer heading, up to another heading or the end.

    "جواب: 420 روپے" ("answer: 420 rupees") → "420 روپے". Without an answer heading: all before the first other heading.
    """
    found: list[str] = []
    inside = True
    for line in text.splitlines():
        kind, rest = _heading(line, task, pack)
        if kind == "answer":
            found, inside = [rest], True
        elif kind == "other":
            inside = False
        elif inside:
            found.append(line)
    return "\n".join(found).strip() or text.strip()


def _heading(line: str, task: Task, pack: Pack) -> tuple[str, str]:
    """Return ("answer" | "other" | "", what follows the heading). Bold and list marks around a heading do not count."""
    head, colon, rest = regex.sub(r"[:：]", ":", line, count=1).partition(":")
    if not colon:
        return "", line
    spoken = split_words(head, pack)
    for kind in ("answer", "other"):
        if spoken in [_spoken(heading, pack) for heading in getattr(task.headings, kind)]:
            return kind, rest.strip(" *_")
    return "", line
