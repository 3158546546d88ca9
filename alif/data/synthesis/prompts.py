"""Ask: what a teacher is sent. The pack's prompt describes the format of the items in words, the rows that are shown are in it.

How an item is written and read stands in `layout`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

from alif.language.pack import Pack, Task
from alif.language.prompt_templates import render_prompt
from alif.language.replies.item_format import NO_INPUT, SEPARATOR, write_item
from alif.llm import Message
from alif.records import Example

__all__ = [
    "KEPT",
    "REQUEST",
    "TRANSLATE_ROW",
    "TRANSLATE_TEXT",
    "prompt_digest",
    "render_task_prompt",
    "row_translation_messages",
    "synthesis_messages",
    "text_translation_messages",
]

REQUEST = "Now write {items} new tasks of the same kind in the same format, and nothing else."
"""The sentence after the rows that are shown; the format itself is described in the pack's prompt."""
KEPT = (
    "Keep code, web and e-mail addresses, file names and formulas letter for letter. Keep every number as a number, in the "
    "digits that it has. Write names of people and places as is usual in {own}; do not translate what they mean."
)
TRANSLATE_ROW = (
    "You translate training data for a language model from {known} to {own} ({native}). The user sends one task with the "
    "fields Instruction, Input and Output. Translate the text of all three fields into natural, correct {own}, as a native "
    "speaker would write it; leave {no_input} as it is. Answer in the same format, with the keys in English at the beginning "
    "of a line, and nothing else. {kept}"
)
TRANSLATE_TEXT = (
    "You translate from {known} to {own} ({native}). Translate the text that the user sends into natural, correct {own}, "
    "completely, as a native speaker would write it. Answer with the translation alone. {kept}"
)


def synthesis_messages(
    task: Task, pack: Pack, shown: Sequence[Example], items: int, wording: int = 0
) -> list[Message]:
    """Return the messages that ask for `items` new rows of `task`: the pack's prompt, then the rows shown, then the request.

    `wording` is the place of one of the task's templates.
    """
    rows = f"\n{SEPARATOR}\n".join(write_item(row.instruction, row.input, row.output) for row in shown)
    return [
        Message(role="system", content=render_task_prompt(task, pack, items, wording)),
        Message(
            role="user",
            content=f"{len(shown)} tasks, to show what is wanted:\n\n{rows}\n\n{REQUEST.format(items=items)}",
        ),
    ]


@functools.cache
def render_task_prompt(task: Task, pack: Pack, items: int, wording: int = 0) -> str:
    """Return one of the pack's prompts for a task, filled in."""
    return render_prompt(task.templates[wording], pack.name, pack.native_name, items)


def prompt_digest(wording: str) -> str:
    """Return the name of a prompt's wording on a card: the first 16 digits of its SHA-256."""
    return hashlib.sha256(wording.encode("utf-8")).hexdigest()[:16]


def row_translation_messages(row: Example, own: Pack, known: Pack) -> list[Message]:
    """Return the messages that ask for the translation of a whole row; the answer is one item."""
    system = Message(role="system", content=_translator(TRANSLATE_ROW, own, known))
    return [system, Message(role="user", content=write_item(row.instruction, row.input, row.output))]


def text_translation_messages(sentence: str, own: Pack, known: Pack) -> list[Message]:
    """Return the messages that ask for the translation of one text; the answer is the translation alone."""
    return [
        Message(role="system", content=_translator(TRANSLATE_TEXT, own, known)),
        Message(role="user", content=sentence),
    ]


def _translator(template: str, own: Pack, known: Pack) -> str:
    names = {"known": known.name, "own": own.name, "native": own.native_name}
    return template.format(kept=KEPT.format(**names), no_input=NO_INPUT, **names)
