"""Find sentences, phrases and final answers in a text; with the functions on text that other rooms use most.

Every table is the pack's.
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
    "check_equations", "final_answer", "find_phrase", "fold_text", "normalise_text", "parse_number",
    "split_sentences", "split_words",
]  # fmt: skip


def split_sentences(text: str, pack: Pack) -> list[str]:
    """Return the sentences: cut after a sentence mark before a space, and at line ends."""
    marks, closers = regex.escape(pack.sentences.marks), regex.escape(pack.sentences.closers)
    pieces = regex.split(rf"(?<=[{marks}][{closers}]*)[^\S\n]+|\n+", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def find_phrase(text: str, phrases: Iterable[str], pack: Pack) -> str | None:
    """Return the first of `phrases` whose words occur in `text` one after another, or None."""
    words = f" {' '.join(split_words(text, pack))} "
    return next((phrase for phrase in phrases if f" {' '.join(_phrase_words(phrase, pack))} " in words), None)


@functools.lru_cache(maxsize=8192)
def _phrase_words(phrase: str, pack: Pack) -> list[str]:
    return split_words(phrase, pack)


def final_answer(text: str, task: Task, pack: Pack) -> str:
    """Return the final answer: what follows the task's last answer heading, up to another heading or the end.

    "جواب: 420 روپے" ("answer: 420 rupees") → "420 روپے". Without one: all before the first other heading.
    """
    found: list[str] = []
    inside = True
    for line in text.splitlines():
        head, colon, rest = regex.sub(r"[:：]", ":", line, count=1).partition(":")
        words = (
            split_words(head, pack) if colon else None
        )  # bold and list marks around a heading do not count
        if words in [_phrase_words(heading, pack) for heading in task.headings.answer]:
            found, inside = [rest.strip(" *_")], True
        elif words in [_phrase_words(heading, pack) for heading in task.headings.other]:
            inside = False
        elif inside:
            found.append(line)
    return "\n".join(found).strip() or text.strip()
