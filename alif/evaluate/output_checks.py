"""Output checks: faults that an answer can have whatever the question; the share of answers is reported.

Checks of one answer by itself are in `answer_checks`; here, all answers to a benchmark are compared. The
reference answers must pass every check. `mixed_digits` is a note on style, no fault.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence

from alif.dedup.repetition import MIN_LOOP_CHARS, MIN_LOOP_SHARE, MIN_RUN_UNITS
from alif.evaluate.answer_checks import (
    MAX_FOREIGN_SHARE,
    MAX_REPEATED_4GRAM_SHARE,
    MIN_LINE_LETTERS,
    RUN_WORDS,
    AnswerChecks,
    AnswerFinding,
)
from alif.evaluate.benchmark import ItemResult
from alif.evaluate.metrics import MAX_CHARS, clip_text
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["FAULTS", "NOTES", "SIGNATURES", "check_answers", "find_faults"]

GENERIC_TASKS = 3
"""An answer that questions of so many tasks get word for word answers none of them."""
OPENING_WORDS, OPENINGS, OPENING_SHARE = 5, 3, 0.05
"""Words of an opening; answers that begin alike, and their share of all, from which it is generic."""


SIGNATURES = {
    "empty": "no word",
    "unfinished": "no end token before the limit",
    "overlong": f"over {MAX_CHARS} characters; its beginning and end are scored and checked",
    "wrong_language": "letter inventories, then py3langid; neither the task's language nor the reference's; "
    "undecided passes",
    "wrong_script": "the right language in the other of its scripts, against request and reference",
    "taught_language": "a request in the source language, answered in the taught one",
    "wrong_language_line": f"a line of {MIN_LINE_LETTERS} letters in a third script or the other language, "
    "in an answer of several lines that is in the right one, quotations exempt",
    "lookalike_letters": "look-alike letters of the pack in a word that the question does not have, "
    "quotations exempt",
    "foreign_script": f"over {MAX_FOREIGN_SHARE} of the letters in neither language's script",
    "source_language_run": f"{RUN_WORDS} words of the source language's script in a row, outside code, that "
    "the question does not have, in an answer in the right language of another script",
    "broken_characters": "U+FFFD, control characters, byte tokens, presentation forms, doubled non-joiners, "
    "unclosed direction marks, text read in a wrong encoding",
    "repetition": f"repeated word 4-grams over {MAX_REPEATED_4GRAM_SHARE}, a unit thrice at the end "
    f"({MIN_LOOP_CHARS} letters and {MIN_LOOP_SHARE}), a short unit {MIN_RUN_UNITS} times, or endless marks",
    "refusal": "phrases of the packs by which a model speaks of itself; or declines, where the question has "
    "no rubric; unless the reference does too",
    "generic": f"the same folded words to questions of {GENERIC_TASKS} tasks or more",
    "generic_opening": f"the same first {OPENING_WORDS} words as {OPENINGS} answers and {OPENING_SHARE} of "
    "them, oftener than among the references",
    "mixed_digits": "digits of several systems that the question does not have; a note, no fault",
}
"""How each fault is found, by name."""
NOTES = ("mixed_digits",)
"""Matters of style, reported and not counted as faults."""
FAULTS = tuple(name for name in SIGNATURES if name not in NOTES)


def check_answers(
    questions: Sequence[Example], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[tuple[AnswerFinding, ...]]:
    """Return what is found in each answer, in the order of SIGNATURES."""
    clipped = [clip_text(answer.text) for answer in answers]
    words = [tuple(text.split_words(answer, own)) for answer in clipped]
    tasks: dict[tuple[str, ...], set[str]] = {}
    for question, answer_words in zip(questions, words, strict=True):
        tasks.setdefault(answer_words, set()).add(question.task)
    openings = Counter(one[:OPENING_WORDS] for one in words if len(one) > OPENING_WORDS)
    usual = Counter(_opening(question.output, own) for question in questions) if openings else Counter()
    least = max(OPENINGS, math.ceil(OPENING_SHARE * len(answers)))
    found = []
    for question, answer, written, its_words in zip(questions, answers, clipped, words, strict=True):
        faults = [*AnswerChecks(question, answer, written, its_words, own, known).findings()]
        if its_words and len(tasks[its_words]) >= GENERIC_TASKS:
            faults.append(AnswerFinding("generic", f"to {len(tasks[its_words])} tasks"))
        opening = its_words[:OPENING_WORDS]
        count = openings[opening]
        if len(its_words) > OPENING_WORDS and count >= least and count > usual[opening]:
            faults.append(AnswerFinding("generic_opening", f"{' '.join(opening)}: {count} answers"))
        order = {name: place for place, name in enumerate(SIGNATURES)}
        found.append(tuple(sorted(faults, key=lambda one: order[one.fault])))
    return found


def find_faults(
    questions: Sequence[Example], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[tuple[str, ...]]:
    """Return the names of the faults of each answer, in the order of FAULTS."""
    checked = check_answers(questions, answers, own, known)
    return [tuple(one.fault for one in found if one.fault not in NOTES) for found in checked]


@functools.lru_cache(maxsize=4096)
def _opening(reference: str, own: Pack) -> tuple[str, ...]:
    return tuple(text.split_words(reference, own)[:OPENING_WORDS])
