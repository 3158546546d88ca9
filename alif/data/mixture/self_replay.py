"""Replay that the base's own instruct sibling writes: it answers prompts of the known language.

    answered by a teacher     through the run's ledger, limiter and money cap
    answered here             by the local model; finished answers wait in the step's scratch folder

An answer that did not end, declines or is in another language is dropped. Source: arXiv 2605.26097.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module

from alif import console, settings
from alif.data import teachers
from alif.data.prompt_texts import load_prompt_texts
from alif.formatting import format_usd
from alif.language.language_id import identify_language
from alif.language.pack import Pack
from alif.language.replies.reply_cleanup import strip_thinking
from alif.language.text import find_refusal, normalise_text
from alif.llm import ChatRequest, Message, Reply
from alif.records import Dropped, Example
from alif.runs import StepContext

__all__ = ["SELF", "answer_rows", "prompt_messages"]

SELF = "self"
"""The source, the strategy and the stratum of such rows."""


def answer_rows(
    context: StepContext,
    rows: Sequence[Example],
    own: Pack,
    known: Pack,
    folder: str,
    replay: settings.Replay,
    replay_model: Mapping[str, settings.Teacher | settings.StudentSettings],
) -> dict[str, Example | Dropped]:
    """Return, by the id of the row whose prompt it is, the answered row or why it is dropped."""
    [(name, model)] = replay_model.items()
    answers: list[tuple[str, str, dict[str, str]]]
    if isinstance(model, settings.Teacher):
        endpoint = model.model_copy(update={"max_tokens": replay.max_new_tokens})
        replies = asyncio.run(_ask_endpoint(context, rows, own, known, folder, name, endpoint))
        answers = [
            (one.text, one.finish, {"teacher": name, "model": one.model, "request": one.request})
            for one in replies
        ]
    else:
        local = import_module("alif.student.local_answers").answer_prompts
        texts = local(model, context.scratch, context.runtime, rows, replay.max_new_tokens)
        answers = [(text, finish, {"model": model.base}) for text, finish in texts]
    return {row.id: _read_answer(row, *answer, own, known) for row, answer in zip(rows, answers, strict=True)}


def prompt_messages(row: Example) -> list[Message]:
    """Return what is asked: earlier turns, instruction and input."""
    content = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
    return [*row.turns, Message(role="user", content=content)]


async def _ask_endpoint(
    context: StepContext,
    rows: Sequence[Example],
    own: Pack,
    known: Pack,
    folder: str,
    name: str,
    endpoint: settings.Teacher,
) -> list[Reply]:
    texts = load_prompt_texts(context.paths["prompts"])
    with console.progress_bar("replay", len(rows), "prompts") as bar:
        async with teachers.open_endpoints(
            context, {name: endpoint}, own, known, texts, folder, role="teacher"
        ) as models:
            replies = await models.reply_all(
                [ChatRequest(name, prompt_messages(row)) for row in rows],
                on_reply=lambda: bar.advance(facts=format_usd(models.paid_usd)),
            )
    context.output.cost_usd = models.cost_usd
    return replies


def _read_answer(
    row: Example, answer: str, finish: str, origin: Mapping[str, str], own: Pack, known: Pack
) -> Example | Dropped:
    said = normalise_text(strip_thinking(answer)[0], known).strip()
    where = row.origin.source
    if finish != "stop":
        return Dropped(row=row, reason="truncated", evidence=f"{where}, finish: {finish}")
    if not said:
        return Dropped(row=row, reason="empty", evidence=where)
    if refusal := find_refusal(said, known):
        return Dropped(row=row, reason="refusal", evidence=f"{where}: {refusal}")
    if (code := identify_language(said, (known, own))) not in (known.code, "undecided"):
        return Dropped(row=row, reason="wrong_language", evidence=f"{where}: {code}, not {known.code}")
    told = row.origin.model_copy(update={**origin, "author": origin["model"], "strategy": SELF})
    return row.edited(output=said, origin=told)
