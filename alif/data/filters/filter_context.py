"""What rows are checked against, and the parts of a row that several rules read."""

from __future__ import annotations

from dataclasses import dataclass

from alif import settings
from alif.language.answers import choices
from alif.language.answers.choices import OfferedChoices
from alif.language.pack import Pack, Task
from alif.records import Example

__all__ = ["MIN_WORDS", "OTHER_TASK", "FilterContext", "offered_choices", "prompt_of", "task_of"]

MIN_WORDS = 4
"""Shorter answers may repeat their input or be in any script: a label, a name, a number, a formula."""
OTHER_TASK = "other"
"""The task of a row that names none: of a published set, translated or replayed."""
_OTHER = Task(name=OTHER_TASK, title="Other", native_title="", weight=1, templates=())


@dataclass(frozen=True)
class FilterContext:
    """Both packs and the recipe's limits."""

    own: Pack
    known: Pack
    limits: settings.Filter


def task_of(row: Example, pack: Pack) -> Task:
    """Return the row's task; what is known of a task that is not the pack's is very little."""
    return pack.tasks.get(row.task, _OTHER)


def prompt_of(row: Example) -> str:
    """Return what was asked: instruction and input."""
    return f"{row.instruction}\n{row.input}"


def offered_choices(row: Example, pack: Pack) -> OfferedChoices | None:
    """Return the options that a row's question offers."""
    task = task_of(row, pack)
    exact = task.metric == "exact"
    labelled = exact and task.scope == "instruction+input"  # its input is what the label is for
    return choices.find_choices(row.instruction if labelled else prompt_of(row), pack, exact)
