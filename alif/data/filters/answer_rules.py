"""Rules about answers: copied from the prompt, or without a final answer, label, option or sum that holds."""

from __future__ import annotations

from alif.data.filters.filter_context import MIN_WORDS, FilterContext, offered_choices, prompt_of, task_of
from alif.data.filters.translation_direction import is_in_requested_language
from alif.language import text
from alif.language.answers import arithmetic, choices
from alif.language.pack import Pack
from alif.records import Example

__all__ = [
    "find_copied_prompt",
    "find_no_final_answer",
    "find_wrong_arithmetic",
    "find_wrong_choice",
    "find_wrong_label",
]

MAX_CHOICE_WORDS = 40
"""A longer free answer is a text about what it has chosen, and need not repeat its words."""


def find_copied_prompt(row: Example, checked: FilterContext) -> str:
    """Find an answer that repeats its instruction or input, or a translation that only repeats words of them.

    A translation may repeat the one that its request offers or corrects, if that is in the requested
    language.
    """
    own, task = checked.own, task_of(row, checked.own)
    answer = text.split_words(row.output, own)
    if len(answer) < MIN_WORDS:
        return ""
    for key, value in (("instruction", row.instruction), ("input", row.input)):
        given = text.split_words(value, own)
        if given == answer:
            return f"output repeats {key}"
        copied = task.answer == "either" and f" {' '.join(answer)} " in f" {' '.join(given)} "
        if copied and not (
            is_in_requested_language(row, task.into, own, checked.known) or offered_choices(row, own)
        ):
            return f"output repeats words of {key}"
    return ""


def find_no_final_answer(row: Example, checked: FilterContext) -> str:
    """Find an answer in several lines without the heading under which its task has the final answer."""
    task = task_of(row, checked.own)
    if not task.headings.answer or "\n" not in row.output.strip():
        return ""
    whole = text.final_answer(row.output, task, checked.own) == row.output.strip()
    return f"no line begins with {' or '.join(task.headings.answer)}" if whole else ""


def find_wrong_label(row: Example, checked: FilterContext) -> str:
    """Find a label that is none of the task's, or of those that the instruction names."""
    own, task = checked.own, task_of(row, checked.own)
    label = text.final_answer(row.output, task, own)
    if task.labels:
        named = [name for name in task.labels if choices.is_label_offered(name, row.instruction, own)]
        right = named if len(named) > 1 else task.labels
        known = text.split_words(label, own) in [text.split_words(name, own) for name in right]
        return "" if known else f"{label} is none of {', '.join(right)}"
    labelled = task.metric == "exact" and task.scope == "instruction+input"
    if not labelled or text.find_phrase(row.instruction, (label,), own):
        return ""
    return f"the instruction does not name {label}"


def find_wrong_choice(row: Example, checked: FilterContext) -> str:
    """Find an answer that is none of the options that its question letters or numbers."""
    own, task = checked.own, task_of(row, checked.own)
    if task.answer == "either":
        return ""  # a question that is to be translated
    offered = offered_choices(row, own)
    answer = text.final_answer(row.output, task, own)
    free_text = task.metric != "exact" and len(text.split_words(answer, own)) > MAX_CHOICE_WORDS
    return choices.invalid_choice(answer, offered, own) if offered and not free_text else ""


def find_wrong_arithmetic(row: Example, checked: FilterContext) -> str:
    """Find a sum that does not hold, or a final number that is not the result which the working ends with.

    A question with such a sum in it is a puzzle with a rule of its own, or asks whether the sum is right.
    """
    own, task = checked.own, task_of(row, checked.own)
    if not checked.limits.arithmetic or _false_equation(prompt_of(row), own):
        return ""
    if equation := _false_equation(row.output, own):
        return equation
    answer = text.final_answer(row.output, task, own)
    working, _, last = row.output.strip().rpartition("\n")
    if not task.headings.answer or last == answer or not last.endswith(answer):
        return ""
    result = arithmetic.final_number_conflict(answer, working, prompt_of(row), own)
    return f"the working ends with {float(result.value):g}, the answer is {answer}" if result else ""


def _false_equation(value: str, pack: Pack) -> str:
    return next((equation for equation, holds in arithmetic.check_equations(value, pack) if not holds), "")
