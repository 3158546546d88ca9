"""The batches of a run, for the person who waits: how far each is, and how to end one early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from alif.errors import DataError, ReplyError
from alif.llm import endpoint
from alif.llm.batch.batch_client import BatchClient
from alif.llm.batch.batch_store import Batch, BatchStore
from alif.llm.chat_model import Message, ScriptedReply
from alif.llm.client import RetryPolicy
from alif.llm.ledger import Ledger
from alif.llm.provider_error import ProviderError
from alif.llm.session import open_session
from alif.recipe import Teacher
from alif.runs import StepContext

__all__ = ["cancel_batch", "list_batches"]


def list_batches(
    context: StepContext, teachers: Mapping[str, Teacher], patience: RetryPolicy | None = None
) -> list[dict[str, Any]]:
    """Return {id, teacher, step, written_at, state, size, done} of every batch of the run; asks about those under way.

    `done` is what the provider says that it has done, and once a batch is over the replies that it brought.
    """
    return asyncio.run(_listed(context, teachers, patience))


async def _listed(
    context: StepContext, teachers: Mapping[str, Teacher], patience: RetryPolicy | None
) -> list[dict[str, Any]]:
    batches = _all(context)
    if not batches:
        return []
    reached = {
        batch.teacher: teachers[batch.teacher]
        for batch in batches
        if batch.state == "open" and _reaches(batch, teachers)
    }
    rows = []
    async with open_session(_asking(context), reached, patience=patience) as models:
        for batch, brought in batches.items():
            state, done = batch.state, brought if batch.over else None
            line = models.get(batch.teacher)
            if batch.state == "open" and isinstance(line, BatchClient):
                try:
                    progress = await line.looked(batch)
                    state, done = progress.word, progress.done
                except ProviderError:
                    state = "unknown to the provider"
            rows.append(_row(batch) | {"state": state, "done": done})
    return rows


def cancel_batch(
    context: StepContext, teachers: Mapping[str, Teacher], id: str, patience: RetryPolicy | None = None
) -> dict[str, Any]:
    """Cancel a batch, wait for its end and keep what it brought; one that nobody can reach any more is given up.

    Raises:
        DataError: the run has no such batch under way.
    """
    batch = next((batch for batch in _all(context) if batch.id == id and batch.state == "open"), None)
    if batch is None:
        open_ = ", ".join(batch.id for batch in _all(context) if batch.state == "open")
        raise DataError(f"{context.run}: no batch {id} is under way", f"Under way: {open_ or 'none'}.")
    return asyncio.run(_cancel(context, teachers, batch, patience))


async def _cancel(
    context: StepContext, teachers: Mapping[str, Teacher], batch: Batch, patience: RetryPolicy | None
) -> dict[str, Any]:
    teacher = teachers.get(batch.teacher)
    if teacher is None or teacher.base_url != batch.address:
        raise ReplyError(
            f"batch {batch.id}: the recipe has no teacher.{batch.teacher} at {endpoint.hostname(batch.address)} any more",
            "Put that table back into the recipe of the run.",
        )
    async with open_session(
        _asking(context), {batch.teacher: teacher}, no_script, patience=patience
    ) as models:
        line = models[batch.teacher]
        assert isinstance(line, BatchClient)
        await line.cancel(batch)
    return next(
        _row(one) | {"done": brought} for one, brought in _all(context).items() if one.number == batch.number
    )


def no_script(messages: Sequence[Message], draw: int) -> ScriptedReply:
    """Stand for the offline teacher, whose batches are gone with the process that it lived in."""
    return ScriptedReply(text="", status=404)


def _all(context: StepContext) -> dict[Batch, int]:
    """Return every batch of the run, each with the number of replies that it has brought."""
    if not context.ledger.is_file():
        return {}
    with closing(Ledger(context.ledger)) as ledger:
        book = BatchStore(ledger)
        return {batch: book.brought(batch) for batch in book.all(context.run)}


def _reaches(batch: Batch, teachers: Mapping[str, Teacher]) -> bool:
    teacher = teachers.get(batch.teacher)
    return teacher is not None and teacher.base_url == batch.address and batch.address != endpoint.SCRIPTED


def _asking(context: StepContext) -> StepContext:
    return replace(context, runtime=context.runtime.model_copy(update={"batch": True}))


def _row(batch: Batch) -> dict[str, Any]:
    keys = ("id", "teacher", "step", "written_at", "state", "size")
    return {key: getattr(batch, key) for key in keys}
