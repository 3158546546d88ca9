"""Write a request for new rows: the pack's prompt of the task, rows shown, the request."""

from __future__ import annotations

from collections.abc import Sequence

from alif.data.prompt_texts import PromptTexts
from alif.language.pack import Pack, Task
from alif.language.prompt_templates import render_prompt
from alif.language.replies.item_format import SEPARATOR, write_item
from alif.llm import Message
from alif.records import Example

__all__ = ["render_task_prompt", "synthesis_messages"]


def synthesis_messages(
    texts: PromptTexts,
    task: Task,
    pack: Pack,
    shown: Sequence[Example],
    items: int,
    variant: int = 0,
    passage: str = "",
    slots: str = "",
    as_json: bool = False,
) -> list[Message]:
    """Return the messages that ask for `items` new rows of `task`, grounded in a passage where there is one.

    `variant` is the index of one of the task's templates, `slots` what each row is to be about.
    """
    user = texts.user.format(
        count=len(shown),
        rows=f"\n{SEPARATOR}\n".join(write_item(row.instruction, row.input, row.output) for row in shown),
        grounding=texts.grounding.format(passage=passage) if passage else "",
        slots=slots,
        request=texts.request.format(items=items) + (f" {texts.json_form}" if as_json else ""),
    )
    system = render_task_prompt(task, pack, items, variant)
    return [Message(role="system", content=system), Message(role="user", content=user)]


def render_task_prompt(task: Task, pack: Pack, items: int, variant: int = 0) -> str:
    """Return one of the pack's prompts for a task, filled in."""
    return render_prompt(task.templates[variant], pack.name, pack.native_name, items)
