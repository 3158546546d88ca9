"""Failure signatures: what goes wrong in answers whatever the question, each as the share of answers that have it.

    empty              not one word
    unfinished         the limit of tokens came before the end
    wrong_language     another language than the task and the reference ask for; "undecided" is not wrong
    wrong_letters      Urdu words typed with Arabic letters: right in print, wrong to every search
    foreign_script     letters of a script that neither language is written in
    repetition         the answer runs in a circle
    broken_characters  halves of characters, as byte-level tokenizers leave them
    generic            the same words whatever is asked

Letters and words that stand in the question are not held against the answer. The reference answers must show none of this.
"""

from __future__ import annotations

from collections.abc import Sequence

from alif.evaluate.heldout_answers import Answer
from alif.language import language_id, text
from alif.language.pack import Pack, Task
from alif.records import Example

__all__ = ["FAULTS", "SIGNATURES", "find_faults", "find_loop", "repeated_share"]

REPEATS = 0.3
"""Most share of an answer's word 4-grams that may be repeats. Measured: a numbered list 0.16, a loop 0.96."""
LOOP_LETTERS = 24
"""Fewest characters at the end that are one unit said three times or more."""
LOOP_SHARE = 0.3
"""Least part of the answer that such a loop fills. A refrain is shorter."""
GENERIC_TASKS = 3
"""An answer that questions of so many tasks get word for word answers none of them."""
FOREIGN = 0.02
"""Most share of letters in a third script: a π or µ is no fault."""

SIGNATURES = {
    "empty": "no word",
    "unfinished": "no end token before the limit",
    "wrong_language": "letter inventories, then py3langid; neither the task's language nor the reference's; undecided passes",
    "lookalike_letters": "look-alike letters of the pack in a word that the question does not have, quotations exempt",
    "foreign_script": f"over {FOREIGN} of the letters in neither language's script",
    "repetition": f"repeated word 4-grams over {REPEATS}, or a unit thrice at the end: {LOOP_LETTERS} letters and {LOOP_SHARE}",
    "broken_characters": "U+FFFD",
    "generic": f"the same folded words to questions of {GENERIC_TASKS} tasks or more",
}
"""How each fault is found, by name."""
FAULTS = tuple(SIGNATURES)


def find_faults(
    asked: Sequence[Example], answers: Sequence[Answer], own: Pack, known: Pack
) -> list[tuple[str, ...]]:
    """Return the faults of each answer, in the order of FAULTS."""
    spoken = [tuple(text.split_words(answer.text, own)) for answer in answers]
    tasks: dict[tuple[str, ...], set[str]] = {}
    for question, words in zip(asked, spoken, strict=True):
        tasks.setdefault(words, set()).add(question.task)
    found = []
    for question, answer, words in zip(asked, answers, spoken, strict=True):
        alone = _faults(answer, question, own, known)
        generic = ("generic",) if words and len(tasks[words]) >= GENERIC_TASKS else ()
        found.append(alone + generic)
    return found


def _faults(answer: Answer, question: Example, own: Pack, known: Pack) -> tuple[str, ...]:
    """Return the faults that one answer shows by itself."""
    task = own.tasks.get(question.task)
    said = answer.text
    words = text.split_words(said, own)
    found = {
        "empty": not words,
        "unfinished": not answer.finished,
        "wrong_language": bool(words) and _wrong_language(said, question, task, own, known),
        "lookalike_letters": _wrong_letters(said, question, own),
        "foreign_script": _foreign(said, own, known) > FOREIGN,
        "repetition": repeated_share(words) > REPEATS or _circles(words),
        "broken_characters": "\ufffd" in said,
    }
    return tuple(name for name, there in found.items() if there)


def _wrong_language(answer: str, question: Example, task: Task | None, own: Pack, known: Pack) -> bool:
    asked = language_id.identify_language(question.output, (own, known))
    allowed = _language(task, own, known) or asked
    if allowed == "undecided":
        return False
    return language_id.identify_language(answer, (own, known)) not in (allowed, asked, "undecided")


def _language(task: Task | None, own: Pack, known: Pack) -> str:
    """Return the code of the language and script in which a task is answered; "" where the request decides."""
    if task is None or task.answer == "either":
        return ""
    if task.answer == "known":
        return known.code
    roman = own.roman.code if own.roman else ""
    return {"own": own.code, "roman": roman, "either": ""}[task.answer_script]


def _wrong_letters(answer: str, question: Example, own: Pack) -> bool:
    asked = f"{question.instruction}\n{question.input}"
    return any(word not in asked for word, _, _ in language_id.find_lookalikes(answer, own))


def _foreign(answer: str, own: Pack, known: Pack) -> float:
    """Return the share of letters in neither script; 0 or less where there is none."""
    other = 0.0 if known.script.name == own.script.name else language_id.script_share(answer, known)
    return 1 - language_id.script_share(answer, own) - other


def repeated_share(words: list[str]) -> float:
    """Return the share of word 4-grams that were there before, 0..1."""
    grams = [tuple(words[at : at + 4]) for at in range(len(words) - 3)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def find_loop(letters: str) -> int:
    """Return how many characters at the end are one unit said at least three times, the last perhaps cut: "ababab" has 6."""
    longest = 0
    for period in range(1, len(letters) // 3 + 1):
        same = 0
        while same + period < len(letters) and letters[-1 - same] == letters[-1 - same - period]:
            same += 1
        if same >= 2 * period:
            longest = max(longest, same + period)
    return longest


def _circles(words: list[str]) -> bool:
    letters = "".join(words)
    return find_loop(letters) >= max(LOOP_LETTERS, LOOP_SHARE * len(letters))
