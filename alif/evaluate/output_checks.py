"""Output checks: faults that an answer can have whatever the question; the share of answers is reported.

Letters and words that stand in the question are not held against the answer. The reference answers must pass
every check.
"""

from __future__ import annotations

from collections.abc import Sequence

from alif.dedup.repetition import MIN_LOOP_CHARS, MIN_LOOP_SHARE, MIN_RUN_UNITS, find_repetition
from alif.evaluate.benchmark import ItemResult
from alif.language import language_id, text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["FAULTS", "SIGNATURES", "find_faults"]

MAX_REPEATED_4GRAM_SHARE = 0.3
"""Measured: a numbered list 0.16, a loop 0.96. Stricter than `filter.max_repeated_4gram_share`, which judges
training rows."""
GENERIC_TASKS = 3
"""An answer that questions of so many tasks get word for word answers none of them."""
MAX_FOREIGN_SHARE = 0.02
"""Most share of letters in a third script: a π or µ is no fault."""

SIGNATURES = {
    "empty": "no word",
    "unfinished": "no end token before the limit",
    "wrong_language": "letter inventories, then py3langid; neither the task's language nor the reference's; "
    "undecided passes",
    "lookalike_letters": "look-alike letters of the pack in a word that the question does not have, "
    "quotations exempt",
    "foreign_script": f"over {MAX_FOREIGN_SHARE} of the letters in neither language's script",
    "repetition": f"repeated word 4-grams over {MAX_REPEATED_4GRAM_SHARE}, a unit thrice at the end "
    f"({MIN_LOOP_CHARS} letters and {MIN_LOOP_SHARE}), a short unit {MIN_RUN_UNITS} times, or endless marks",
    "broken_characters": "U+FFFD",
    "generic": f"the same folded words to questions of {GENERIC_TASKS} tasks or more",
}
"""How each fault is found, by name."""
FAULTS = tuple(SIGNATURES)


def find_faults(
    questions: Sequence[Example], answers: Sequence[ItemResult], own: Pack, known: Pack
) -> list[tuple[str, ...]]:
    """Return the faults of each answer, in the order of FAULTS."""
    words = [tuple(text.split_words(answer.text, own)) for answer in answers]
    tasks: dict[tuple[str, ...], set[str]] = {}
    for question, answer_words in zip(questions, words, strict=True):
        tasks.setdefault(answer_words, set()).add(question.task)
    found = []
    for question, answer, answer_words in zip(questions, answers, words, strict=True):
        faults = _single_faults(answer, answer_words, question, own, known)
        if answer_words and len(tasks[answer_words]) >= GENERIC_TASKS:
            faults = (*faults, "generic")
        found.append(faults)
    return found


def _single_faults(
    answer: ItemResult, words: Sequence[str], question: Example, own: Pack, known: Pack
) -> tuple[str, ...]:
    """Return the faults that an answer shows by itself."""
    written = answer.text
    asked = f"{question.instruction}\n{question.input}"
    lookalikes = language_id.find_lookalikes(written, own)
    foreign = 1 - language_id.script_share(written, own)  # 0 or less where there is no letter
    if known.script.name != own.script.name:
        foreign -= language_id.script_share(written, known)
    checks = {
        "empty": not words,
        "unfinished": not answer.finished,
        "wrong_language": bool(words) and _is_wrong_language(written, question, own, known),
        "lookalike_letters": any(word not in asked for word, _, _ in lookalikes),
        "foreign_script": foreign > MAX_FOREIGN_SHARE,
        "repetition": bool(find_repetition(written, own, MAX_REPEATED_4GRAM_SHARE)),
        "broken_characters": "\ufffd" in written,
    }
    return tuple(name for name, failed in checks.items() if failed)


def _is_wrong_language(answer: str, question: Example, own: Pack, known: Pack) -> bool:
    task, roman = own.tasks.get(question.task), own.roman.code if own.roman else ""
    by_script = {"own": own.code, "roman": roman, "either": ""}
    wanted = ""  # where the request decides
    if task and task.answer != "either":
        wanted = known.code if task.answer == "known" else by_script[task.answer_script]
    reference = language_id.identify_language(question.output, (own, known))
    allowed = (wanted or reference, reference, "undecided")
    if allowed[0] == "undecided":
        return False
    return language_id.identify_language(answer, (own, known)) not in allowed
