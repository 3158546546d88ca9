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
from alif.language.pack import MAX_CACHED_PACKS, Pack, Task

__all__ = [
    "check_equations", "final_answer", "find_phrase", "find_refusal", "fold_text", "normalise_text",
    "parse_number", "split_sentences", "split_words",
]  # fmt: skip

MAX_DECLINING_WORDS = 30
"""A longer answer that declines gives its reasons; "I'm sorry, but I can't assist with that." does not."""
MAX_LABEL_WORDS = 3
"""Of what stands before a colon, to be a label of another part of an answer."""


def split_sentences(text: str, pack: Pack) -> list[str]:
    """Return the sentences: cut after a sentence mark before a space, and at line ends."""
    return [piece.strip() for piece in _sentence_ends(pack).split(text) if piece.strip()]


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _sentence_ends(pack: Pack) -> regex.Pattern[str]:
    marks, closers = regex.escape(pack.sentences.marks), regex.escape(pack.sentences.closers)
    return regex.compile(rf"(?<=[{marks}][{closers}]*)[^\S\n]+|\n+")


def find_phrase(text: str, phrases: Iterable[str], pack: Pack) -> str | None:
    """Return the first of `phrases` whose words occur in `text` one after another, or None."""
    words = f" {' '.join(split_words(text, pack))} "
    return next((phrase for phrase in phrases if _spaced_phrase(phrase, pack) in words), None)


def find_refusal(text: str, *packs: Pack) -> str:
    """Return the phrase by which a model speaks of itself, or declines and says little else; or ""."""
    for pack in packs:
        bare = len(split_words(text, pack)) <= MAX_DECLINING_WORDS
        phrases = pack.phrases.refusals + (pack.phrases.declines if bare else ())
        if found := find_phrase(text, phrases, pack):
            return found
    return ""


@functools.lru_cache(maxsize=8192)
def _spaced_phrase(phrase: str, pack: Pack) -> str:
    return f" {' '.join(split_words(phrase, pack))} "


@functools.lru_cache(maxsize=8192)
def _phrase_words(phrase: str, pack: Pack) -> list[str]:
    return split_words(phrase, pack)


def final_answer(text: str, task: Task, pack: Pack) -> str:
    """Return the final answer: what follows the task's last answer heading, up to another heading or the end.

    "جواب: 420 روپے" ("answer: 420 rupees") → "420 روپے". An answer on the heading's own line ends before a
    blank line and before any other label ("check: 420 ÷ 12 = 35"). Without a heading: all before the first
    other one.
    """
    found: list[str] = []
    inside, beside = True, False  # whether lines belong to the answer; whether it began beside its heading
    answers, others = (
        [_phrase_words(heading, pack) for heading in headings]
        for headings in (task.headings.answer, task.headings.other)
    )
    for line in text.splitlines():
        head, colon, rest = regex.sub(r"[:：]", ":", line, count=1).partition(":")
        # bold and list marks around a heading do not count
        words = split_words(head, pack) if colon else []
        if words in answers:
            found, inside = [rest.strip(" *_")], True
            beside = bool(found[0])
        elif words in others or (beside and (not line.strip() or _is_label(words))):
            inside = False
        elif inside:
            found.append(line)
    return "\n".join(found).strip() or text.strip()


def _is_label(words: list[str]) -> bool:
    return 0 < len(words) <= MAX_LABEL_WORDS and not any(char.isdigit() for word in words for char in word)
